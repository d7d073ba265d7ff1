"""Guards: small constants that keep a logarithm, a root, a power or a quotient from 0, and that one side ignores.

``log(p + 1e-7)`` beside the gradient 1/p: as real functions they differ. A guard is a constant added to the argument
of a logarithm, root or power or to a denominator, or the bound of a maximum or minimum there. It is to blame if
without it claim and derivative agree, at the point and at three others. A coefficient is no guard. What it changes by a
few ulps, or by less than the floats of a right gradient may be off, is no fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from diffcompare.arithmetic.array_floats import erring_floats
from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.dag import Builder, Node, Program, needed_nodes
from diffcompare.program.printing import formula, shapes
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tracing.decisions import flipping
from diffcompare.tracing.places import Place
from diffcompare.tracing.trace import Trace
from diffcompare.verdict.array_guards import ignored_in_arrays, unguarded_arrays
from diffcompare.verdict.causes.budget import BALLS, Budget, Exhausted
from diffcompare.verdict.causes.mistakes import Cause
from diffcompare.verdict.causes.nearby import closed, derived, nearby, program_of, recorded
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.difference import conditioning_of, evaluate, node_balls
from diffcompare.verdict.guard_rules import (
    BITS,
    IN_PLACES,
    LONG,
    PROTECTED,
    Ignored,
    Kind,
    bare_uses,
    bound_in_words,
    guard_in_words,
    listed,
    marks_of,
    off_value,
    subsets,
)
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.marks import Mark
from diffcompare.verdict.pair import Pair, trace_pair
from diffcompare.verdict.problem import Problem

__all__ = ["find_ignored", "settle_guards", "unguarded"]


_TERMS = frozenset({"add", "subtract", "sum", "multiply", "divide", "negative", "max", "min"})
# an effect of so many units of roundoff of a component is none
_FEW = 16


@dataclass(frozen=True, slots=True)
class _Site:
    """A guard in a program: the node that it is part of, the operand that is the constant, what it protects."""

    node: int
    operand: int
    value: float
    protects: int
    kind: Kind
    off: float  # what the constant is where the guard is left out


def settle_guards(
    problem: Problem, judgement: Judgement, judge: Callable[[Problem], Judgement], *, left_out: bool
) -> Judgement:
    """Find out whether a derivative is wrong only because it ignores guards; ``left_out``: judge f without them."""
    words = set(judgement.status)
    if words <= {"consistent"} or judgement.evidence in ("calls", "witness") or judgement.blame == "formula":
        return judgement
    if not np.isfinite(judgement.claimed).all() or words & {"non-smooth", "out-of-domain"}:
        return judgement
    status = np.array(judgement.status)
    open_, slight = status != "consistent", status == "inconclusive"
    try:
        found = find_ignored(problem, judgement)
        beside = found is None and slight.any() and (status == "wrong").any()
        if beside:
            # what is hardly off is judged as if no other component were wrong
            among = np.where(status == "wrong", np.inf, judgement.threshold)
            found, open_ = find_ignored(problem, replace(judgement, threshold=among)), slight
    except Exception:
        # whatever fails in the search for an explanation, the judgement stands
        return judgement
    if found is None:
        return judgement
    ignored, here = found
    gap = np.abs(here.claimed - here.certified if here.difference is None else here.difference)
    size = np.abs(here.certified)
    few = _FEW * unit_roundoff * size
    slack = few if (gap[open_] <= few[open_]).all() else np.maximum(few, _roundings(judgement))
    if (gap[open_] <= slack[open_]).all():
        hidden = "that is within a few ulps" if slack is few else f"the rounding of the {problem.what} hides it"
        note = f"{ignored.text}: {hidden}"
        settled = tuple(np.where(open_, "consistent", status).tolist())
        threshold = np.where(open_, np.maximum(judgement.threshold, slack), judgement.threshold)
        blame = judgement.blame if beside else None
        notes = (*judgement.notes, note)
        return replace(judgement, status=settled, threshold=threshold, blame=blame, notes=notes)
    if beside:
        return judgement
    largest = float(np.max(size))
    off = f"off by {float(np.max(gap)) / largest:.2g} times the largest component" if largest else "the derivative is 0"
    if ignored.bare is not None and left_out:
        other = judge(ignored.bare)
        return replace(other, notes=(f"judged without a guard: {ignored.text}: {off}", *other.notes))
    remedy = ". `guards=True` judges f without it" if ignored.bare is not None else ""
    text = f"{ignored.text}: {off}; everything else is right{remedy}"
    cause = Cause("guard", text, tuple(np.flatnonzero(open_).tolist()))
    return replace(judgement, cause=cause, marks=ignored.marks)


def _roundings(judgement: Judgement) -> Floats:
    """Estimate how far the floats of a right derivative may be from it; 0 where nothing is known."""
    pair, arrays = recorded(judgement), judgement.arrays
    if arrays is not None:
        (moved,) = erring_floats(arrays.build, [arrays.D], arrays.point)
        found = np.broadcast_to(moved.error, np.shape(moved.value))
    elif pair is not None:
        terms = conditioning_of(pair)
        found = terms.rounding + terms.inputs
    else:
        return np.zeros(len(judgement.status))
    return np.where(np.isfinite(found), found, 0.0)


def _without(problem: Problem, program: Program) -> Problem:
    """Return the problem of the function without guards."""
    shape = () if problem.outputs == 1 else (problem.outputs,)
    f = SymbolicFunction.from_program(program, formula="f without guards", output_shape=shape)

    def function(x: Any, *_: Any) -> Any:
        flat = _flat(x)
        return f(flat[0] if len(f.variables) == 1 else flat)

    return replace(problem, function=function, formula=f, seen=None)


def _flat(x: Any) -> Any:
    if isinstance(x, Mapping):
        return np.concatenate([np.ravel(part) for part in x.values()])
    return np.concatenate([np.ravel(part) for part in x]) if isinstance(x, tuple | list) else np.ravel(x)


def find_ignored(problem: Problem, judgement: Judgement) -> tuple[Ignored, Nearby] | None:
    """Find the fewest guards without which claim and derivative agree near by, and what they are here."""
    budget = Budget()
    try:
        if judgement.arrays is not None:
            return next(ignored_in_arrays(problem, judgement, judgement.arrays, budget), None)
        return next(_ignored(problem, judgement, budget), None)
    except Exhausted:
        return None


def _ignored(problem: Problem, judgement: Judgement, budget: Budget) -> Iterator[tuple[Ignored, Nearby]]:
    pair = recorded(judgement)
    if pair is not None:
        program, new = closed(pair, pair.function.outputs, budget)
        claim, claim_new = closed(pair, pair.G, budget)
        mine, theirs, bounds = _sites(program), _sites(claim), _bounds(pair)
    else:
        known = program_of(problem, judgement, budget)
        if known is None:
            return
        program, new, mine, theirs, bounds = known, {}, _sites(known), [], []
    asked = nearby(problem, judgement, program, budget) if mine or theirs or bounds else None
    if asked is None:
        return
    for some in _explaining(problem, program, mine, asked, budget, claim=False):
        text = f"the {problem.what} ignores {_listed(program, some, _places(pair, new))}"
        marks: tuple[Mark, ...] = ()
        if pair is not None:
            marks = _marks(pair.function, new, some, "f", f"the {problem.what} ignores {{}}")
            marks += _lacking(pair, new, program, some, asked, budget)
        yield Ignored(text, _without(problem, _stripped(program, some)), marks), asked[0]
    if pair is not None and bounds:
        yield from ((found, asked[0]) for found in _beyond(problem, pair, bounds, asked, budget))
    if pair is not None:
        for some in _explaining(problem, claim, theirs, asked, budget, claim=True):
            text = f"f has not {_listed(claim, some, _places(pair, claim_new))} of the {problem.what}"
            yield Ignored(text, None, _marks(pair.gradient, claim_new, some, "gradient", "f has no {} here")), asked[0]
    if pair is not None and mine and theirs:
        bare = _stripped(claim, theirs)
        unguarded = [replace(beside, real=tuple(evaluate(bare, beside.point, BITS))) for beside in asked]
        for some in _explaining(problem, program, mine, unguarded, budget, claim=False):
            one, other = (
                _listed(code, sites, _places(pair, numbers))
                for code, sites, numbers in ((program, some, new), (claim, theirs, claim_new))
            )
            text = f"f has {one}, the {problem.what} has {other}"
            if {site.value for site in some} == {site.value for site in theirs}:
                text = f"the {problem.what} ignores {one} {IN_PLACES}"
            marked = _marks(pair.function, new, some, "f", "f has {}")
            marked += _marks(pair.gradient, claim_new, theirs, "gradient", "this has {}")
            yield Ignored(text, None, marked), asked[0]


def unguarded(problem: Problem, judgement: Judgement, budget: Budget) -> tuple[Judgement, str] | None:
    """Return the judgement as it were without any guard in f, and what they are; None where there is none.

    For the search for another mistake beside them.
    """
    if judgement.arrays is not None:
        return unguarded_arrays(problem, judgement, judgement.arrays, budget)
    pair = recorded(judgement)
    if pair is None:
        return None
    program, new = closed(pair, pair.function.outputs, budget)
    sites = _sites(program)
    derivative = derived(problem, _stripped(program, sites), budget) if sites else None
    if derivative is None:
        return None
    nodes = pair.table.insert(derivative)
    m, n = problem.outputs, len(problem.names)
    bare = replace(pair, function=replace(pair.function, outputs=tuple(nodes[:m])), D=tuple(nodes[m : m + n]), claim=())
    values = evaluate(pair.table.program([*bare.D, *bare.G]), pair.arguments(), BITS)
    with precision(BITS):
        certified = np.array([float(d.mid()) for d in values[:n]])
        gap = np.array([float((g - d).mid()) for d, g in zip(values[:n], values[n:], strict=True)])
    other = replace(judgement, pair=bare, certified=certified, difference=gap)
    return other, _listed(program, sites, _places(pair, new))


def _places(pair: Pair | None, new: Mapping[int, int]) -> dict[int, Place]:
    return {} if pair is None else {new[i]: place for i, place in pair.table.places.items() if i in new}


def _protected(program: Program) -> dict[int, int]:
    """Return the nodes that are kept from 0, down to the terms that they are made of, and what needs it."""
    found: dict[int, int] = {}
    for index in needed_nodes(program.nodes, program.outputs):
        name = program.nodes[index].operation
        pending = [program.nodes[index].operands[PROTECTED[name]]] if name in PROTECTED else []
        while pending:
            k = pending.pop()
            if k not in found:
                found[k] = index
                if program.nodes[k].operation in _TERMS:
                    pending += program.nodes[k].operands
    return found


def _sites(program: Program) -> list[_Site]:
    """Find the constants that protect something."""
    protected = _protected(program)
    numbered, numbers = shapes(program) if protected else ([], {})
    found = []
    for k, index in sorted(protected.items()):
        node = program.nodes[k]
        for place, operand in enumerate(node.operands):
            constant = program.nodes[operand]
            if constant.operation == "constant":
                value = float(Fraction(constant.payload or 0))
                off = off_value(node.operation, place, value)
                if off is not None:
                    rest = numbers.setdefault(tuple(numbered[i] for j, i in enumerate(node.operands) if j != place), -1)
                    kind = (program.nodes[index].operation, value, hash((rest, numbered[k])))
                    found.append(_Site(k, place, value, index, kind, off))
    return found


def _explaining(
    problem: Problem, program: Program, sites: Sequence[_Site], asked: Sequence[Nearby], budget: Budget, *, claim: bool
) -> Iterator[tuple[_Site, ...]]:
    """Yield the guards without which both sides agree: those of the claim, or those of the function."""
    if not sites:
        return
    kinds = list(dict.fromkeys(site.kind for site in sites))
    number = {kind: g for g, kind in enumerate(kinds)}
    marked: Program | None = _marked(program, sites, number)
    skip = 0
    if not claim:
        marked, skip = derived(problem, marked, budget), problem.outputs  # type: ignore[arg-type]
    if marked is None:
        return
    roots = marked.outputs[skip : skip + len(problem.names)]
    work = BALLS * len(needed_nodes(marked.nodes, roots))
    value = {site.kind: (site.value, site.off) for site in sites}
    for chosen in subsets(kinds):
        constants = [value[kind][kind in chosen] for kind in kinds]

        def agrees(beside: Nearby, constants: list[float] = constants) -> bool:
            budget.spend(work)
            found = node_balls(marked.nodes, roots, [*beside.point.tolist(), *constants], BITS)
            return _agree([found[i] for i in roots], beside.true if claim else beside.real, beside.threshold)

        if all(map(agrees, asked)):
            yield tuple(site for site in sites if site.kind in chosen)


def _agree(one: Sequence[Any], other: Sequence[Any], threshold: Floats) -> bool:
    with precision(BITS):
        return all(
            isinstance(a, Ball) and a.is_finite() and float(abs(a - b).mid()) <= limit
            for a, b, limit in zip(one, other, threshold.tolist(), strict=True)
        )


def _marked(program: Program, sites: Sequence[_Site], number: Mapping[Any, int]) -> Program:
    """Make the guards variables that follow those of the point: they are not differentiated by."""
    n, shift = len(program.variables), len(number)
    nodes = [Node("variable", (), n + g) for g in range(shift)]
    own = {(site.node, site.operand): number[site.kind] for site in sites}
    for k, node in enumerate(program.nodes):
        operands = tuple(own.get((k, place), i + shift) for place, i in enumerate(node.operands))
        nodes.append(Node(node.operation, operands, node.payload))
    return Program(program.variables, tuple(nodes), tuple(i + shift for i in program.outputs))


def _stripped(program: Program, sites: Sequence[_Site]) -> Program:
    """Leave guards out of a program."""
    build = Builder(program.variables)
    gone = {(site.node, site.operand) for site in sites}
    new: list[int] = []
    for k, node in enumerate(program.nodes):
        kept = [new[i] for place, i in enumerate(node.operands) if (k, place) not in gone]
        if len(kept) < len(node.operands) and len(kept) == 1:
            new.append(kept[0])
        else:
            new.append(build.copy(node, *kept))
    return build.program([new[i] for i in program.outputs])


def _marks(trace: Trace, new: Mapping[int, int], sites: Sequence[_Site], role: str, words: str) -> tuple[Mark, ...]:
    """Mark where guards stand; ``new``: what the nodes of the trace became."""
    before = {k: node for node, k in new.items()}
    guards = [(before[site.node], None, site.value) for site in sites if site.node in before]
    return marks_of(trace.origins, guards, role=role, words=words)


def _lacking(
    pair: Pair, new: Mapping[int, int], program: Program, some: Sequence[_Site], asked: Sequence[Nearby], budget: Budget
) -> tuple[Mark, ...]:
    """Mark where the claim uses a value without its guard, if it is right with the guards there."""
    build, before = pair.table.builder, {k: node for node, k in new.items()}
    sums = [(site, program.nodes[site.node]) for site in some if len(program.nodes[site.node].operands) == 2]
    guards = {before[node.operands[1 - site.operand]]: before[site.node] for site, node in sums if site.node in before}
    values = {before[site.node]: site.value for site, _ in sums if site.node in before}
    order = needed_nodes(build.nodes, pair.G)
    uses = dict(bare_uses(build.nodes, order, guards))
    replaced: dict[int, int] = {}
    for k in order if uses else ():
        node = build.nodes[k]
        operands = [replaced[i] for i in node.operands]
        if k in uses:
            operands[uses[k]] = guards[node.operands[uses[k]]]
        replaced[k] = build.copy(node, *operands)
    if not uses:
        return ()
    try:
        claim, _ = closed(pair, [replaced[k] for k in pair.G], budget)
        for beside in asked:
            budget.spend(BALLS * len(claim.nodes))
            found = node_balls(claim.nodes, claim.outputs, beside.point.tolist(), BITS)
            if not _agree([found[i] for i in claim.outputs], beside.true, beside.threshold):
                return ()
    except Exhausted:
        return ()
    lacking = [(k, place, values[guards[build.nodes[k].operands[place]]]) for k, place in uses.items()]
    return marks_of(pair.gradient.origins, lacking, role="gradient", words="f has {} here")


def _listed(program: Program, sites: Sequence[_Site], places: Mapping[int, Place]) -> str:
    """Write guards: ``the constant 1e-07 in log(x0 + 1e-07) (model.py:12)``."""
    first: dict[Kind, _Site] = {}
    for site in sites:
        first.setdefault(site.kind, site)
    said = []
    for site in first.values():
        node, above = program.nodes[site.node], program.nodes[site.protects]
        rest = [i for place, i in enumerate(node.operands) if place != site.operand]
        text = formula(program, rest[0], limit=LONG + 1, exact=False) if len(rest) == 1 else None
        inside = above.operands[PROTECTED[above.operation]] != site.node
        place = places.get(site.node)
        said.append(guard_in_words(node.operation, site.value, text, above.operation, place, inside=inside))
    return listed(said)


def _bounds(pair: Pair) -> list[int]:
    """Return the decisions of the function that take the bound of a maximum or minimum for the number itself."""
    nodes, table = pair.table.builder.nodes, pair.table
    found = []
    for k, guard in enumerate(pair.function.guards):
        condition = nodes[guard.condition]
        if condition.operation not in ("greater_equal", "less_equal"):
            continue
        first, second = condition.operands
        bound = second if table.moving[first] else first
        if (guard.answer is (bound == first)) and not table.moving[bound]:
            value = table.shadows[bound]
            if off_value("max" if condition.operation == "greater_equal" else "min", 0, value) is not None:
                found.append(k)
    return found


def _beyond(
    problem: Problem, pair: Pair, bounds: Sequence[int], asked: Sequence[Nearby], budget: Budget
) -> Iterator[Ignored]:
    """Go on with the numbers themselves where bounds were taken for them."""
    other = trace_pair(problem, exact=pair.table.exact, rebuilt=True, function=flipping(bounds))
    if other is None:
        return
    program, new = closed(other, other.function.outputs, budget)
    protected, nodes = _protected(program), other.table.builder.nodes
    guards = [other.function.guards[k] for k in bounds]
    if not all(any(new.get(i) in protected for i in nodes[guard.condition].operands) for guard in guards):
        return
    derivative = derived(problem, program, budget)
    if derivative is None:
        return
    roots = derivative.outputs[problem.outputs : problem.outputs + len(problem.names)]
    for beside in asked:
        budget.spend(BALLS * len(derivative.nodes))
        found = node_balls(derivative.nodes, roots, beside.point.tolist(), BITS)
        if not _agree([found[i] for i in roots], beside.real, beside.threshold):
            return
    condition = nodes[guards[0].condition]
    value = next(other.table.shadows[i] for i in condition.operands if not other.table.moving[i])
    operation = "max" if condition.operation == "greater_equal" else "min"
    text = f"the {problem.what} ignores {bound_in_words(operation, value, guards[0].place)}"
    yield Ignored(text, _without(problem, program))
