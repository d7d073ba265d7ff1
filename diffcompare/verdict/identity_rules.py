"""The rules by which two traces are compared as real functions: each says what it finds of each component.

Of what the rules find of a component the worst is its status. A difference of real numbers is a fault, unless an excuse
holds: a loop that was to go on, a decision that rounding took, a side that rounding alone excludes. What floats alone
can do wrong and the formula that f claims to be have rules of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.tables.components import COMPONENT_STATUSES
from diffcompare.tracing.decisions import continuing, flipping
from diffcompare.verdict.branches import between_branches
from diffcompare.verdict.difference import DECIDING_BITS, Difference, conditioning_of, node_balls, weigh
from diffcompare.verdict.pair import Pair, Stretch
from diffcompare.verdict.problem import Problem, State
from diffcompare.verdict.sides import Beside, Sides, varying

__all__ = ["Case", "Finding", "find"]


# records both codes anew, with other decisions; None where that fails
Again = Callable[..., "tuple[Pair, Difference] | None"]
# records one of the two codes anew
One = Callable[..., "Pair | None"]


@dataclass(frozen=True, slots=True)
class Case:
    """Two traces and what is known of them.

    Parameters
    ----------
    problem, state, pair : Problem, State, Pair
    found : Difference
    sides : Sides
        Where f compares equal numbers.
    again, one, beside : callable
        Record the codes once more: both or one of them with other decisions, f at a point nearby.
    rebuilt : bool
        How the codes are recorded.
    """

    problem: Problem
    state: State
    pair: Pair
    found: Difference
    sides: Sides
    again: Again
    one: One
    beside: Beside
    rebuilt: bool

    @property
    def smooth(self) -> list[int]:
        """The components that have a derivative, as far as was seen."""
        lost = self.sides.kinks | self.sides.outside | self.sides.unknown
        return [i for i in range(len(self.found.D)) if i not in lost]

    @property
    def errors(self) -> Floats:
        """How far the claimed floats are from the derivative, as far as that is known."""
        with precision(333):
            return np.array(
                [
                    float(abs(Ball(c) - d).mid()) if math.isfinite(c) else math.inf
                    for c, d in zip(self.state.claimed.tolist(), self.found.D, strict=True)
                ]
            )

    @property
    def finite(self) -> list[int]:
        """Those of them whose claim is a finite number."""
        return [i for i in self.smooth if math.isfinite(self.state.claimed[i])]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says: words for components, sentences, and who is to blame if not the gradient."""

    words: dict[int, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    blame: str | None = None


def find(case: Case) -> tuple[list[str], list[str], str | None]:
    """Ask all rules: the status of each component, what was noticed, and ``gradient``, ``formula`` or None."""
    status, notes = ["consistent"] * len(case.found.D), list[str]()
    blame = None
    for rule in RULES:
        finding = rule(case)
        notes += finding.notes
        blame = blame or finding.blame
        for i, word in finding.words.items():
            status[i] = min(status[i], word, key=COMPONENT_STATUSES.index)
    return status, notes, blame or ("gradient" if "wrong" in status else None)


def no_derivative(case: Case) -> Finding:
    """The function has other values or slopes on its two sides, or none on one, or that cannot be told."""
    words = dict.fromkeys(case.sides.outside, "out-of-domain") | dict.fromkeys(case.sides.kinks, "non-smooth")
    return Finding(words | dict.fromkeys(case.sides.unknown, "inconclusive"), case.sides.notes)


def real_difference(case: Case) -> Finding:
    """G and D are different real numbers, by more than the rounding of constants explains, and nothing excuses it."""
    words, notes = weigh(case.pair, case.found, case.smooth)
    for excuse in EXCUSES:
        if "wrong" not in words.values() and not (excuse is at_the_limit and "inconclusive" in words.values()):
            continue
        finding = excuse(case, words)
        words |= finding.words
        notes += finding.notes
    return Finding(words, notes)


def at_the_limit(case: Case, words: dict[int, str]) -> Finding:
    """A loop ended at a tolerance: it is continued, and the limits are compared."""
    exits = case.pair.exits
    if not exits:
        return Finding()
    before = None
    for rounds in (3, 6, 24, 96, 384):
        after = case.again(function=continuing(exits, rounds), gradient=continuing(exits, rounds))
        if after is None or not _near_the_floats(case, after[0]):
            break
        if before is not None and _near(before[0], after[0], max(after[1].size)):
            limit = after[1]
            for i, gap in enumerate(limit.gap):
                # what the loops still move by is no difference
                moves = gap <= max(2.0**-70 * limit.size[i], abs(before[1].gap[i] - gap))
                limit.equal[i] = limit.equal[i] or (moves and gap <= 2.0**-70 * (max(limit.size) or 1.0))
            judged, notes = weigh(after[0], limit, list(words))
            # what the sides have was recorded with the loops as they end
            close = {i for i in case.sides.slopes if limit.gap[i] < _UNSETTLED * max(limit.size)}
            judged |= {i: "inconclusive" for i in close if judged.get(i) == "wrong"}
            case.found.take(limit)
            return Finding(judged, [*notes, "loops that end at a tolerance were continued to their limits"])
        before = after
    if before is None:
        return Finding()
    largest = max(case.found.size)
    small = {i for i, word in words.items() if word == "wrong" and case.found.gap[i] < _UNSETTLED * largest}
    note = "no limit was seen when loops that end at a tolerance were continued"
    return Finding(dict.fromkeys(small, "inconclusive"), [note] if small else [])


def _near_the_floats(case: Case, pair: Pair) -> bool:
    """Tell whether f hardly moved when its loops were continued: else they were none that converge."""
    values = _values(pair, pair.function.outputs)
    scale = max(float(np.max(np.abs(case.state.values))), max(case.found.size) * float(np.max(np.abs(case.problem.x))))
    with precision(333):
        return all(
            float((v - Ball(float(seen))).abs_upper()) <= _SETTLED * scale if v.is_finite() else False
            for v, seen in zip(values, case.state.values, strict=True)
        )


# a loop that ends at a tolerance leaves less of the value to come
_SETTLED = 2.0**-6
# what a loop that was not continued may be off by, relative to the largest component
_UNSETTLED = 1e-6


def _near(before: Pair, after: Pair, size: float) -> bool:
    """Tell whether D and G hardly moved; long loops need many bits."""
    moved = []
    values = [node_balls(p.table.builder.nodes, [*p.D, *p.G], p.arguments(), 2700) for p in (before, after)]
    with precision(2700):
        for p, q in zip((*before.D, *before.G), (*after.D, *after.G), strict=True):
            # a nan that is claimed stays one
            if values[0][p].is_finite() or values[1][q].is_finite():
                moved.append(abs(values[0][p] - values[1][q]))
        return all(m < 2.0**-75 * (size or 1.0) for m in moved)


def decided_by_rounding(case: Case, words: dict[int, str]) -> Finding:
    """Floats took a decision that real numbers take otherwise, and what those compute agrees."""
    pair = case.pair
    guards = (*pair.function.guards, *pair.gradient.guards)
    conditions = [g.condition for g in guards]
    values = node_balls(pair.table.builder.nodes, conditions, pair.arguments(), 333)
    if not all(isinstance(values[c], bool) for c in conditions):
        values = node_balls(pair.table.builder.nodes, conditions, pair.arguments(), DECIDING_BITS)
    contrary = [
        k for k, g in enumerate(guards) if isinstance(values[g.condition], bool) and values[g.condition] is not g.answer
    ]
    if not contrary:
        return Finding()
    count = len(pair.function.guards)
    other = case.again(
        function=flipping([k for k in contrary if k < count]), gradient=flipping([k - count for k in contrary])
    )
    suspects = [i for i, word in words.items() if word == "wrong"]
    judged = dict.fromkeys(words, "inconclusive") if other is None else weigh(*other, list(words))[0]
    excused = {i: "inconclusive" for i in suspects if judged[i] != "wrong"}
    # what is wrong either way is held against the derivative of the real numbers
    if other is not None and (excused or judged == words):
        case.found.take(other[1])
    note = f"rounding decides a branch at {guards[contrary[0]].place}: real numbers take the other one"
    return Finding(excused, [note] if excused else [])


def _open(words: dict[int, str]) -> dict[int, str]:
    return {i: "inconclusive" for i, word in words.items() if word == "wrong"}


# decisions that are tried the other way, and what their recordings may hold together
_FLIPS = 60
_OPERATIONS = 150_000


def two_ways(case: Case, words: dict[int, str]) -> Finding:
    """A switch between two ways of computing one thing, such as a series near 0: on one side both codes agree."""
    pair = case.pair
    count = len(pair.function.guards) + len(pair.gradient.guards)
    stretch = Stretch(left=_OPERATIONS if count <= _FLIPS else 0)
    mine, tried = _switches(case, stretch, "function")
    theirs, tried_too = _switches(case, stretch, "gradient")
    for one, two in ((mine, theirs), (mine, []), ([], theirs)):
        other = case.again(function=flipping(one), gradient=flipping(two)) if one or two else None
        judged = {} if other is None else weigh(*other, case.smooth)[0]
        # what has no value on the other side does not agree
        if all(judged.get(i) == "consistent" for i, word in words.items() if word == "wrong"):
            size = max((g for g in case.found.gap if math.isfinite(g)), default=math.nan)
            one_of = "a series, a special case, or one more round of a loop"
            note = f"two ways of computing one thing meet here, and differ by {size:.1e}: {one_of}"
            return Finding(_open(words), [note])
    left = count - tried - tried_too
    note = f"{left} of {count} decisions of the code were not tried the other way: one may switch between two formulas"
    largest = max(case.found.size)
    # a switch that is made for floats leaves hardly more than their rounding: what is larger is wrong all the same
    slight = [i for i, word in words.items() if word == "wrong" and case.found.gap[i] <= 2.0**-40 * largest]
    return Finding(dict.fromkeys(slight, "inconclusive") if left else {}, [note] if left else [])


def _switches(case: Case, stretch: Stretch, which: str) -> tuple[list[int], int]:
    """Return the guards of one code that change its numbers slightly, and how many were tried."""

    def numbers(pair: Pair) -> list[Any]:
        return _values(pair, pair.function.outputs if which == "function" else pair.G)

    switches: list[int] = []
    count = len(getattr(case.pair, which).guards)
    if not count or stretch.left <= 0:
        return switches, 0
    before = numbers(case.pair)
    for k in range(count):
        decide = {which: flipping([k])}
        alone = case.one(stretch=stretch, **decide)
        if stretch.left <= 0:
            # it may have been cut short
            return switches, k
        if alone is None or not _slight(before, numbers(alone)):
            continue
        # few are left: beside the other code, and with a derivative
        both = case.again(stretch=stretch, **decide)
        if both is not None and _slight(before, numbers(both[0])):
            switches.append(k)
    return switches, count


def _values(pair: Pair, roots: Sequence[int]) -> list[Any]:
    values = node_balls(pair.table.builder.nodes, roots, pair.arguments(), 333)
    return [values[r] for r in roots]


def _slight(before: list[Any], after: list[Any]) -> bool:
    with precision(333):
        size = max(float(b.abs_upper()) for b in before)
        changes = [
            float(abs(a - b).mid()) if (a - b).is_finite() else math.inf for a, b in zip(after, before, strict=True)
        ]
    return 2.0**-300 * size < max(changes) <= 1e-8 * size


def beside_a_branch(case: Case, words: dict[int, str]) -> Finding:
    """The claim is the derivative of a branch that rounding alone excludes."""
    suspects = [i for i, word in words.items() if word == "wrong"]
    unknown = {i: "non-smooth" for i in suspects if i in case.sides.untried}
    open_, notes = between_branches(case.problem, case.beside, case.pair, case.found, suspects)
    if case.sides.common and case.problem.weights is None:
        # smooth along the axes, and other slopes between them: which one is claimed is a choice
        others = varying(case.problem, case.beside, case.pair, case.sides.common)
        chosen = [i for i in suspects if others and i in case.sides.common]
        unknown |= dict.fromkeys(chosen, "non-smooth")
        notes += ["f has other slopes between the axes here"] * bool(chosen)
    return Finding(dict.fromkeys(open_, "inconclusive") | unknown, notes)


# in this order; each is asked only while something is wrong
EXCUSES: tuple[Callable[[Case, dict[int, str]], Finding], ...] = (
    at_the_limit,
    decided_by_rounding,
    two_ways,
    beside_a_branch,
)


def not_finite(case: Case) -> Finding:
    """The claim is nan or infinite where the derivative is a number."""
    words, notes = {}, []
    for i in case.smooth:
        claimed, size = float(case.state.claimed[i]), case.found.size[i]
        if math.isfinite(claimed):
            continue
        if math.isinf(size):
            # a derivative beyond the range of binary64 is infinite there
            words[i] = "consistent" if claimed == float(case.found.D[i].mid()) else "inconclusive"
            continue
        words[i] = "wrong"
        right = case.found.decided[i] and case.found.gap[i] <= case.found.threshold(i)
        why = ": the formula is right, an intermediate value overflows or is not defined" if right else ""
        notes.append(f"{case.problem.names[i]} is {claimed!r} though the derivative is finite{why}")
    return Finding(words, notes[:1])


def narrow_precision(case: Case) -> Finding:
    """The gradient is computed in shorter numbers than f."""
    casts = case.pair.gradient.casts
    if not casts:
        return Finding()
    if case.pair.function.casts or _short_data(case.problem):
        return Finding({}, [f"both are computed in {casts[0].bits}-bit numbers"])
    largest, errors = max(case.found.size) or 1.0, case.errors
    coarse = [i for i in case.finite if errors[i] > 2.0**-40 * largest and _real_part_is_right(case, i)]
    note = f"float32 precision: {casts[0].place} converts to {casts[0].bits}-bit numbers, f does not"
    return Finding(dict.fromkeys(coarse, "wrong"), [note] if coarse else [])


def _real_part_is_right(case: Case, i: int) -> bool:
    return case.found.gap[i] <= case.found.threshold(i)


def _short_data(problem: Problem) -> bool:
    return any(isinstance(a, np.ndarray) and a.dtype in (np.float32, np.float16) for a in problem.args)


def cancellation(case: Case) -> Finding:
    """The formula is right, but its floats have no correct digit, as those of hardly any other formula."""
    largest, errors = max(case.found.size), case.errors
    # a real difference is no cancellation: it was judged by what it may come from
    lost = [i for i in case.finite if errors[i] > 0.1 * largest >= case.found.gap[i]]
    if lost and not case.pair.gradient.casts:
        terms = conditioning_of(case.pair)
        # hardly any way of computing the derivative strays by more
        strays = 60 * (terms.rounding + terms.inputs) + 8 * (terms.sums + terms.polynomial)
        lost = [i for i in lost if errors[i] > strays[i]]
        if lost:
            return Finding(
                dict.fromkeys(lost, "wrong"), ["the formula is right, but cancellation leaves no correct digit"]
            )
    return Finding()


# a function and a formula that are closer than this, relative to the value and to each partial, are one function: a
# series that is summed until its terms vanish leaves as much
_ONE_FUNCTION = unit_roundoff / 64


def another_formula(case: Case) -> Finding:
    """The function is not the formula that it claims to be, here or at two neighbours."""
    pair = case.pair
    nodes, roots, m = pair.table.builder.nodes, pair.function.outputs, len(pair.function.outputs)
    claims, slopes = pair.claim[:m], pair.claim[m:]
    if not pair.claim or claims == roots:
        return Finding()
    count = sum(not c.exact for c in pair.table.constants)
    slack = (2.0**-250) + 64 * count * unit_roundoff
    gaps: list[list[Any]] = []
    close = True
    size = 0.0
    for factor in (1.0, 1 + 2.0**-6, 1 - 2.0**-6):
        arguments = [*(v * factor for v in pair.table.point), *pair.arguments()[len(pair.table.point) :]]
        conditions = [g.condition for g in pair.function.guards]
        values = node_balls(nodes, [*roots, *claims, *pair.D, *slopes, *conditions], arguments, 333)
        # elsewhere the code may take another branch
        if any(values[g.condition] is not g.answer for g in pair.function.guards):
            continue
        with precision(333):
            gap = [values[root] - values[claim] for root, claim in zip(roots, claims, strict=True)]
            if all(g.is_finite() for g in gap):
                gaps.append(gap)
                size = max(size, *(float(values[root].abs_upper()) for root in roots))
                close = close and all(
                    float(abs(values[d] - values[s]).lower()) <= _ONE_FUNCTION * float(values[s].abs_upper())
                    for d, s in zip(pair.D, slopes, strict=True)
                    if values[d].is_finite() and values[s].is_finite()
                )
    with precision(333):
        sizes = [float(abs(g).lower()) for gap in gaps for g in gap]
        largest = max(sizes, default=0.0)
        if largest <= slack * size:
            return Finding()
        if largest <= _ONE_FUNCTION * size and close:
            return Finding({}, [f"f is the formula up to {largest / size:.1e} of its value, far below its rounding"])
        if not any(
            float(abs(g - first).lower()) > slack * size for gap in gaps for g, first in zip(gap, gaps[0], strict=True)
        ):
            constant = max((float(g.mid()) for g in gaps[0]), key=abs)
            return Finding({}, [f"f is the formula plus a constant, {constant:.6g}"])
        values = node_balls(nodes, [*slopes, *pair.G], pair.arguments(), 333)
        off = [values[g] - values[d] for g, d in zip(pair.G, slopes, strict=True)]
        fits = all(
            float(abs(o).lower()) <= slack * float(abs(values[d]).upper()) for o, d in zip(off, slopes, strict=True)
        )
    right = all(_real_part_is_right(case, i) for i in case.smooth)
    whose = "the formula" if fits else "the code of f" if right else "neither of the two"
    everything = dict.fromkeys(range(len(case.found.D)), "wrong")
    return Finding(everything, [f"f is not the given formula; the gradient fits {whose}"], "formula")


RULES: tuple[Callable[[Case], Finding], ...] = (
    no_derivative,
    real_difference,
    not_finite,
    narrow_precision,
    cancellation,
    another_formula,
)
