"""Where a wrong derivative goes wrong: the expressions of both codes that are to blame."""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from diffcompare.arithmetic.array_floats import array_floats
from diffcompare.errors import DiffcompareError, TraceError
from diffcompare.floats import unit_roundoff
from diffcompare.tracing.calling import Interruption
from diffcompare.tracing.origins import Origin
from diffcompare.tracing.places import code_of
from diffcompare.tracing.spans import definition_of, resolved, source_of, span_of
from diffcompare.verdict.array_identity import moves_alike
from diffcompare.verdict.array_pair import ArrayPair, trace_arrays, trace_beside_claim
from diffcompare.verdict.causes.array_parts import array_parts
from diffcompare.verdict.causes.budget import Budget
from diffcompare.verdict.causes.mistakes import UNNAMED, Cause
from diffcompare.verdict.causes.nearby import nearby, program_of, recorded
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.guard_rules import IN_PLACES
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.marks import Mark, Source
from diffcompare.verdict.problem import Problem, State
from diffcompare.verdict.rewrites.agreement import Told
from diffcompare.verdict.rewrites.search import search
from diffcompare.verdict.rewrites.values import Values, values_of
from diffcompare.verdict.terms import Term, formula, wrong_term
from diffcompare.watchdog import OutOfTime

__all__ = ["Pointed", "point_out", "sources_of"]

# causes that only say where the numbers differ
_VAGUE = frozenset({"one component"})
_FORMAL = frozenset({"chain factor", "extra term", "permuted", "other function", "clipped"})
# changes of the source that make a factor: of numbers, products and powers, of a mean in place of a sum
_FACTORS = frozenset({"factor", "chain factor", "other value", "other function", "size"})
# one name in place of another is seldom a factor, as a number in place of one is; one number in place of another says
# more than their quotient
_NAMES = re.compile(r"[^\W\d][\w.]* stands in place of [^\W\d][\w.]*")
_NUMBERS = re.compile(r"-?\d[\w.+-]* stands in place of -?\d[\w.+-]*")
# changes that put one thing in place of another: what the function lacks then is a consequence
_EXCHANGES = frozenset({"other value", "transposed", "shifted", "permuted"})
# of a term that is used twice half may be left, and a value may be a number at the point
_SEEN_AS = frozenset({("missing term", "factor"), ("factor", "chain factor")})
# how the entries of other derivatives are called than of a gradient, and the variable in J[0, W[1, 2]]
_LETTERS = {"Jacobian": "J", "Hessian": "H", "Hessian-vector product": "Hv"}
_VARIABLE = re.compile(r"[JH]v?\[(?:.*, )?([^\W\d].*)\]")
# a cause that explains one row of a matrix
_ROW = "in row ", "in the row of "
# of a loop it is told number by number
_EACH = ", and so "
_CHAIN, _CONTRIBUTION = "the chain factor ", "a contribution of "
# the term that a cause is about, and what is said of it
_SAID = "has no contribution|is missing|is flipped|is counted twice|has [^;]* times its weight|in component"
_TERM = re.compile(rf"(.*?\bthe term )[^;]+?( (?:{_SAID}).*|(?:, and so |; ).*)?")
_LOST = re.compile(r"the term ([^;]+?) has no contribution")
_LONGEST = 60
# nodes of codes of single numbers, in which a place is looked for
_FEW = 6000
# what following a code raises where that cannot be done
_UNTRACED = (DiffcompareError, ArithmeticError, ValueError, TypeError)
# elements of all nodes, whose values are held at once
_ELEMENTS = 4_000_000


@dataclass(frozen=True, slots=True)
class Pointed:
    """What is and why the derivative is wrong as far as that tells."""

    marks: tuple[Mark, ...] = ()
    cause: Cause | None = None
    notes: tuple[str, ...] = ()


def point_out(problem: Problem, judgement: Judgement, cause: Cause | None) -> Pointed:
    """Find the places to blame; a search that fails or costs too much marks nothing.

    ``cause``: what was found without the source; it stands unless it only says where the numbers differ.
    """
    found = Pointed(judgement.marks, cause)
    # both sides were compared without a guard, or there is no formula: nothing is left to be found
    partial = cause is not None and _is_partial(cause)
    if partial or cause is None or cause.kind not in ("guard", "finite difference") or cause.text.startswith(_ROW):
        with suppress(Exception, OutOfTime, Interruption):
            found = _pointed(problem, judgement, cause)
        if partial and found.cause is cause:
            found = replace(found, marks=judgement.marks)
    if judgement.arrays is not None:
        # nobody asks after this: at many coordinates that is much memory
        judgement.arrays.asked.clear()
    return found


def _pointed(problem: Problem, judgement: Judgement, cause: Cause | None) -> Pointed:
    budget = Budget()
    wrong = [k for k, status in enumerate(judgement.status) if status == "wrong"]
    traces = judgement.arrays or recorded(judgement)
    asked = nearby(problem, judgement, None if traces else program_of(problem, judgement, budget), budget)

    def values() -> Values | None:
        # code that was changed may have spoilt what the function reads
        with suppress(Exception):
            return values_of(_traced(problem, judgement), _names(problem), asked or ())
        return None

    told, note = (None, "") if asked is None else search(problem, traces, _returned(asked), wrong, values)
    # what the source says stands, also where the term is not found in the function
    found = Pointed(judgement.marks, cause) if told is None else _rewritten(told, cause, [])
    with suppress(Exception):
        found = _explained(problem, judgement, cause, asked, told, budget)
    return replace(found, notes=(note,)) if note else found


def _returned(asked: Sequence[Nearby]) -> Sequence[Nearby]:
    """Leave out what the codes are in real numbers where that is right: what is wrong then is how they round."""
    here = asked[0].difference
    if here is None or (np.abs(here) > asked[0].threshold).any():
        return asked
    return [replace(one, difference=None) for one in asked]


def _explained(
    problem: Problem, judgement: Judgement, cause: Cause | None, asked: Sequence[Nearby] | None, found: Told | None,
    budget: Budget,
) -> Pointed:  # fmt: skip
    # a term is shown in the function, too
    if found is not None and found[1] is not None and (cause is None or not _TERM.fullmatch(cause.text)):
        return _rewritten(found, cause, [])
    pair = _traced(problem, judgement)
    small = _elements_of(pair) <= _ELEMENTS
    if asked is None and small:
        asked = nearby(problem, replace(judgement, arrays=pair, pair=None), None, budget)
    marks: list[Mark] = []
    with suppress(Exception):
        marks += _of_function(problem, pair, asked, budget) if small and asked is not None else []
    if found is None or found[1] is None:
        cause = _in_source(cause, marks)
        # where a term is missing it can be added
        own = _of_sum(problem, cause) or (found[0] if found else ())
        return Pointed((*marks, *own), cause)
    return _rewritten(found, cause, marks)


def _rewritten(found: Told, cause: Cause | None, marks: Sequence[Mark]) -> Pointed:
    more, own = found
    marks = (*marks, *more)
    if own is None:
        return Pointed(marks, cause)
    other = own.kind not in _FACTORS or any(one.fullmatch(own.text) for one in (_NAMES, _NUMBERS))
    if cause is not None and cause.kind == "factor" and (UNNAMED in cause.text or other):
        # a multiple of the derivative by a mistake that is no factor; of one without a name the size is told
        size = f": {cause.text}" if UNNAMED in cause.text and not cause.text.startswith(_ROW) else ""
        return Pointed(marks, replace(own, text=f"{own.text}{size}"))
    # what is wrong in the source says more than what is wrong in a formula of it, and may not be by chance
    exchanged = own.kind in _EXCHANGES and cause is not None and _is_consequence(cause)
    exchanged |= cause is not None and (cause.kind, own.kind) in _SEEN_AS
    return Pointed(marks, own if _says_little(cause) or _is_formal(cause) or exchanged else _in_source(cause, marks))


def _is_consequence(cause: Cause) -> bool:
    """Tell whether a cause is about what a function or a variable lacks."""
    return cause.kind in ("treated as constant", "missing term") or _TERM.fullmatch(cause.text) is not None


def _is_partial(cause: Cause) -> bool:
    """Tell whether a guard stands at some places of the gradient, and lacks at others."""
    return cause.kind == "guard" and IN_PLACES in cause.text


def _says_little(cause: Cause | None) -> bool:
    return cause is None or cause.kind in _VAGUE or _is_cut(cause.text)


def _is_formal(cause: Cause | None) -> bool:
    """Tell whether a cause is about parts of a formula that nobody may have written, or one row of many."""
    if cause is None:
        return False
    formal = cause.kind in _FORMAL or cause.text.startswith((*_ROW, _CONTRIBUTION))
    return formal or _CHAIN in cause.text or _EACH in cause.text or _is_partial(cause)


def _is_cut(text: str) -> bool:
    """Tell whether there was no room for a formula."""
    return "…" in text or "scatter(" in text


def _in_source(cause: Cause | None, marks: Sequence[Mark]) -> Cause | None:
    """Write the term of which a cause speaks as it stands in the function's source."""
    terms = [mark.text for mark in marks if mark.role == "f" and len(mark.text) <= _LONGEST and "\n" not in mark.text]
    found = None if cause is None or not terms else _TERM.fullmatch(cause.text)
    if cause is None or found is None:
        return cause
    return replace(cause, text=f"{found[1]}{terms[0]}{found[2] or ''}")


def _of_sum(problem: Problem, cause: Cause | None) -> list[Mark]:
    """Mark what a gradient returns where the derivative of a term has no part in it: there it can be added."""
    term = None if cause is None else _LOST.match(cause.text)
    code = code_of(problem.gradient)
    if term is None or code is None:
        return []
    returned = [node.value for node in ast.walk(definition_of(code)) if isinstance(node, ast.Return)]
    span = span_of(code, returned[0]) if len(returned) == 1 and returned[0] is not None else None
    known = f"the derivative of {term[1]}" if len(term[1]) <= _LONGEST and not _is_cut(term[1]) else "a derivative"
    return [] if span is None else [Mark.at(span, role="gradient", message=f"{known} is missing here")]


def _names(problem: Problem) -> list[str]:
    """Call the variables as the function calls its argument, where that is one array."""
    letter = _LETTERS.get(problem.what, "x")
    names = [_VARIABLE.sub(r"\1", name) if letter != "x" else name for name in problem.names[: problem.x.size]]
    code = code_of(problem.function)
    if code is None or not all(name.partition("[")[0] == letter for name in names):
        return names
    first = code.co_varnames[inspect.ismethod(problem.function)] if code.co_argcount else "x"
    return [f"{first}[{k}]" for k in range(len(names))]


def _traced(problem: Problem, judgement: Judgement) -> ArrayPair:
    if judgement.arrays is not None:
        return judgement.arrays
    try:
        pair = trace_arrays(problem, few=_FEW)
    except _UNTRACED:
        pair = trace_beside_claim(problem, judgement.claimed, few=_FEW)
    state = State(problem.values(problem.x), judgement.claimed, unit_roundoff, unit_roundoff)
    (F,) = array_floats(pair.build, [pair.F], problem.x)
    if not np.isfinite(F).all() or moves_alike(problem, state, pair) is False:
        # of a derivative that is not the function's there is nothing to be told
        raise TraceError("the trace gives other numbers than the code")
    return pair


def _of_function(problem: Problem, pair: ArrayPair, asked: Sequence[Nearby], budget: Budget) -> list[Mark]:
    parts = array_parts(problem, pair, budget)
    term = None if parts is None else wrong_term(parts, asked)
    if parts is None or term is None:
        return []
    for node in (term.use.operand, term.use.node):
        for origin in pair.function.origins.get(node, ()):
            span = None if _is_part_of_call(pair, node, origin) else resolved(origin)
            if span is not None:
                return [
                    Mark.at(span, role="f", message=_of_term(formula(pair.build, term.part, _names(problem)), term))
                ]
    return []


def _is_part_of_call(pair: ArrayPair, node: int, origin: Origin) -> bool:
    """Tell whether the same expression of the user's makes something more of a value: a library's function does."""
    place = origin.code, origin.instruction
    users = (k for k, made in enumerate(pair.build.nodes) if node in made.operands)
    return any(place == (one.code, one.instruction) for k in users for one in pair.function.origins.get(k, ()))


def _of_term(text: str, term: Term) -> str:
    cut = _is_cut(text)
    known = "its derivative" if cut else f"its derivative, {text},"
    if abs(term.weight + 1) <= 1e-6:
        return f"{known} is missing"
    if abs(term.weight + 2) <= 1e-6:
        return f"{known} has the other sign"
    return "its derivative has another factor" if cut else f"its derivative is {text}"


def _elements_of(pair: ArrayPair) -> int:
    """Count the elements of all nodes of function, derivative and gradient."""
    build = pair.build
    return sum(math.prod(build.shape(k)) for k in build.needed([pair.F, pair.D, pair.G]))


def sources_of(problem: Problem) -> tuple[Source, ...]:
    """Return the sources of function and derivative, where they are known."""
    found = []
    for role, code in (("f", problem.function), ("gradient", problem.gradient)):
        with suppress(Exception):
            known = source_of(code)
            if known is not None:
                found.append(Source(role, *known))
    return tuple(found)
