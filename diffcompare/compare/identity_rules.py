"""The rules by which two traces are compared as real functions, in ball arithmetic.

A: the difference G − D against the rounding of constants; D: kinks, limits of loops and switches; B and F: what floats
alone can do wrong; G: the formula that f claims to be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import BALL_OPERATIONS, Ball, ball, precision
from diffcompare.arithmetic.condition import conditioning
from diffcompare.arithmetic.ulp import unit_roundoff
from diffcompare.compare.judgement import Problem
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Builder, Node, Program, subprogram
from diffcompare.symbolic.tracing.decisions import continuing, flipping
from diffcompare.symbolic.tracing.pair import Pair, State, one_sided
from diffcompare.symbolic.tracing.sweep import needed_nodes
from diffcompare.symbolic.tracing.table import Place

__all__ = [
    "Difference",
    "difference_of",
    "evaluate",
    "judge_at_switches",
    "judge_at_the_limit",
    "judge_floats",
    "judge_formula",
    "midpoints",
    "node_balls",
    "weigh",
]

Floats = NDArray[np.float64]


def evaluate(program: Program, point: Sequence[float] | Floats, bits: int) -> list[Any]:
    """Evaluate the outputs at an exact point, node by node."""
    values = node_balls(program.nodes, program.outputs, point, bits)
    return [values[i] for i in program.outputs]


def node_balls(nodes: Sequence[Node], roots: Sequence[int], point: Any, bits: int) -> dict[int, Any]:
    """Evaluate all nodes that the roots need; ``point`` holds a float or a ball for every variable."""
    values: dict[int, Any] = {}
    with precision(bits):
        for index in needed_nodes(nodes, roots):
            node = nodes[index]
            name = node.operation
            if name == "variable":
                held = point[int(node.payload or 0)]
                values[index] = held if isinstance(held, Ball) else Ball(float(held))
            elif name == "constant":
                values[index] = ball(Fraction(node.payload or 0))
            else:
                payload = [] if node.payload is None else [int(node.payload)]
                values[index] = BALL_OPERATIONS[name](*[values[i] for i in node.operands], *payload)
    return values


def midpoints(values: dict[int, Any]) -> dict[int, float]:
    """Round the balls to floats; nan for a node without a value."""
    return {
        i: float(v) if isinstance(v, bool) else float(v.mid()) if isinstance(v, Ball) else math.nan
        for i, v in values.items()
    }


@dataclass(slots=True)
class Difference:
    """G − D as real numbers: the balls, the rounding of constants in it, and which components are equal."""

    D: list[Any]
    gap: list[float]
    size: list[float]
    equal: list[bool]
    decided: list[bool]
    L: list[float]
    # what one-sided constants may be off by
    off: list[float]


def difference_of(pair: Pair) -> Difference | None:
    """Rule A: the real difference, and L, the rounding of constants in it; None where D is not defined."""
    nodes, arguments = pair.table.builder.nodes, pair.arguments()
    n = len(pair.D)
    gap, equal, decided = [math.nan] * n, [False] * n, [False] * n
    balls: list[Any] = [None] * n
    size = [math.nan] * n
    left = list(range(n))
    bits = 333
    while left and bits <= 2700:
        values = node_balls(nodes, [*(pair.D[i] for i in left), *(pair.G[i] for i in left)], arguments, bits)
        with precision(bits):
            for i in left:
                balls[i] = values[pair.D[i]]
                if not balls[i].is_finite():
                    return None
                size[i] = abs(float(balls[i].mid()))
            largest = max(size)
            for i in list(left):
                d, g = balls[i], values[pair.G[i]]
                difference = g - d
                if pair.D[i] == pair.G[i]:
                    gap[i], equal[i], decided[i] = 0.0, True, True
                elif not difference.is_finite():
                    gap[i] = math.inf
                    continue
                elif not difference.contains(0):
                    gap[i], decided[i] = float(abs(difference).lower()), True
                else:
                    scale = max(size[i], largest * 2.0**-64) * 2.0**-100
                    gap[i] = float(abs(difference).upper())
                    equal[i] = decided[i] = bool(difference.rad() <= scale)
                if decided[i]:
                    left.remove(i)
        bits *= 2
    return Difference(balls, gap, size, equal, decided, _constants_rounding(pair), [0.0] * n)


def _constants_rounding(pair: Pair) -> list[float]:
    """Bound u·Σ|c·∂(G − D)/∂c| over the rounded constants: two evaluations with all constants off by ±u at random."""
    constants = pair.table.constants
    count = sum(not c.exact for c in constants)
    n = len(pair.D)
    pending = [i for i in range(n) if pair.D[i] != pair.G[i]]
    bounds = [0.0] * n
    if not count or not pending:
        return bounds
    roots = [*(pair.D[i] for i in pending), *(pair.G[i] for i in pending)]
    random = np.random.default_rng(7)
    nodes, arguments = pair.table.builder.nodes, pair.arguments()
    before = node_balls(nodes, roots, arguments, 333)
    for _ in range(2):
        with precision(333):
            moved = [
                *pair.table.point,
                *(
                    # in balls: as a float, 1 + u is 1
                    Ball(c.value) * (Ball(1) + (0.0 if c.exact else random.choice((-1.0, 1.0)) * unit_roundoff))
                    for c in constants
                ),
            ]
        after = node_balls(nodes, roots, moved, 333)
        with precision(333):
            for i in pending:
                change = (after[pair.G[i]] - after[pair.D[i]]) - (before[pair.G[i]] - before[pair.D[i]])
                size = float(change.abs_upper()) if change.is_finite() else math.inf
                bounds[i] = max(bounds[i], 3 * math.sqrt(count) * size)
    return bounds


def _constant_slopes(pair: Pair, i: int) -> list[float]:
    """Return ∂(G_i − D_i)/∂c for every constant, by one reverse sweep of the difference."""
    table = pair.table
    names = (*table.names, *(f"c{k}" for k in range(len(table.constants))))
    build = Builder(names, start=Program(names, tuple(table.builder.nodes), ()))
    root = build.raw("subtract", pair.G[i], pair.D[i])
    slopes = evaluate(adjoint(build.program([root])), pair.arguments(), 333)[1 + len(table.names) :]
    return [float(s.mid()) if s.is_finite() else math.inf for s in slopes]


def weigh(pair: Pair, found: Difference) -> tuple[list[str], list[str]]:
    """Judge each component by rule A, with C4 for what differs; the constants of few are weighed exactly."""
    status, notes = ["consistent"] * len(pair.D), []
    different = [i for i in range(len(pair.D)) if not found.equal[i]]
    sweeps = _SWEEPS
    allowed: list[float] | None = None
    for i in sorted(different, key=lambda i: -found.gap[i] / (found.size[i] + 1e-300)):
        least = 0.0 if found.size[i] == 0 else unit_roundoff * found.size[i]
        clear = found.decided[i] and found.gap[i] > max(32 * found.L[i], 2 * least)
        if sweeps and pair.table.constants and math.isfinite(found.gap[i]):
            allowed = one_sided(pair) if allowed is None else allowed
            # two random evaluations are an estimate: what is no larger than rounding could be is weighed exactly
            if not clear or any(allowed) or found.gap[i] <= _CLOSE * found.size[i]:
                sweeps -= 1
                slopes = _constant_slopes(pair, i)
                terms = [
                    unit_roundoff * abs(c.value * s)
                    for c, s in zip(pair.table.constants, slopes, strict=True)
                    if not c.exact
                ]
                found.L[i] = math.fsum(terms)
                found.off[i] = math.fsum(a * abs(s) for a, s in zip(allowed, slopes, strict=True) if a)
                clear = found.decided[i] and found.gap[i] > max(32 * found.L[i], 2 * least)
                if clear and found.gap[i] <= found.off[i]:
                    status[i] = "inconclusive"
                    notes.append(
                        "the difference could come from numbers of many digits that only one of the two codes holds; "
                        "compute them inside the function"
                    )
                    continue
        if clear:
            status[i] = "wrong"
        elif not (found.decided[i] and found.gap[i] <= max(4 * found.L[i], least)):
            status[i] = "inconclusive"
    return status, list(dict.fromkeys(notes))


_SWEEPS = 40
_CLOSE = 2.0**-40


_Again = Callable[..., "tuple[Pair, Difference] | None"]


def judge_at_the_limit(
    again: _Again, exits: dict[Place, bool], status: list[str], found: Difference
) -> tuple[list[str], Difference, list[str]]:
    """Rule D3: a loop that ended by itself is continued, and the limits are compared."""
    before = None
    for rounds in (3, 6, 24, 96, 384):
        after = again(function=continuing(exits, rounds), gradient=continuing(exits, rounds))
        if after is None:
            break
        if before is not None and _near(before[0], after[0], max(after[1].size)):
            other = after[1]
            for i in range(len(other.D)):
                # what the loops still move by is no difference
                other.equal[i] = other.equal[i] or other.gap[i] <= 2.0**-70 * (max(other.size) or 1.0)
            judged, notes = weigh(*after)
            return judged, other, [*notes, "loops that end at a tolerance were continued to their limits"]
        before = after
    largest = max(found.size)
    for i, word in enumerate(status):
        if word == "wrong" and found.gap[i] < 1e-6 * max(largest, found.size[i]):
            status[i] = "inconclusive"
    return status, found, ["a loop that ends at a tolerance does not settle when it is continued"]


def _near(before: Pair, after: Pair, size: float) -> bool:
    """Tell whether D and G hardly moved; long loops need many bits."""
    moved = []
    values = [node_balls(p.table.builder.nodes, [*p.D, *p.G], p.arguments(), 2700) for p in (before, after)]
    with precision(2700):
        for p, q in zip((*before.D, *before.G), (*after.D, *after.G), strict=True):
            moved.append(abs(values[0][p] - values[1][q]))
        return all(m < 2.0**-75 * (size or 1.0) for m in moved)


def judge_at_switches(again: _Again, pair: Pair, found: Difference, status: list[str]) -> tuple[list[str], list[str]]:
    """Rules D2 and D4: decisions that real numbers take otherwise; switches between two ways of computing one thing."""
    nodes = pair.table.builder.nodes
    guards = (*pair.function.guards, *pair.gradient.guards)
    values = node_balls(nodes, [g.condition for g in guards], pair.arguments(), 333)
    contrary = [g for g in guards if isinstance(values[g.condition], bool) and values[g.condition] is not g.answer]
    if contrary:
        note = f"rounding decides a branch at {contrary[0].place}: real numbers take the other one"
        return ["inconclusive" if s == "wrong" else s for s in status], [note]
    if len(guards) > 60:
        return status, []
    mine, theirs = [], []
    for k in range(len(pair.function.guards)):
        other = again(function=flipping([k]))
        if other is not None and _slight(
            _values(pair, pair.function.outputs), _values(other[0], other[0].function.outputs)
        ):
            mine.append(k)
    for k in range(len(pair.gradient.guards)):
        other = again(gradient=flipping([k]))
        if other is not None and _slight(_values(pair, pair.G), _values(other[0], other[0].G)):
            theirs.append(k)
    for one, two in ((mine, theirs), (mine, []), ([], theirs)):
        other = again(function=flipping(one), gradient=flipping(two)) if one or two else None
        if other is not None and "wrong" not in weigh(*other)[0]:
            size = max((g for g in found.gap if math.isfinite(g)), default=math.nan)
            return ["inconclusive" if s == "wrong" else s for s in status], [
                f"two ways of computing one thing meet here, and differ by {size:.1e}: a series, or a special case"
            ]
    return status, []


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


def judge_floats(
    problem: Problem, state: State, pair: Pair, found: Difference, status: list[str], errors: Floats, rounding: float
) -> tuple[list[str], list[str]]:
    """Rules B and F: what floats alone can do wrong."""
    lost = [i for i in range(len(status)) if not math.isfinite(state.claimed[i]) and status[i] != "non-smooth"]
    # a derivative beyond the range of binary64 is infinite there
    for i in [i for i in lost if math.isinf(found.size[i])]:
        lost.remove(i)
        if state.claimed[i] != float(found.D[i].mid()):
            status[i] = "inconclusive"
    if lost:
        for i in lost:
            status[i] = "wrong"
        note = f"{problem.names[lost[0]]} is {float(state.claimed[lost[0]])!r} though the derivative is finite"
        if all(found.equal[i] for i in lost):
            note += ": the formula is right, an intermediate value overflows or is not defined"
        return status, [note]
    casts, own = pair.gradient.casts, pair.function.casts
    if casts and not own and rounding > 2.0**-40 and not _short_data(problem):
        worst = int(np.argmax(errors))
        status[worst] = "wrong"
        return status, [f"float32 precision: {casts[0].place} converts to {casts[0].bits}-bit numbers, f does not"]
    if casts:
        return status, [f"both are computed in {casts[0].bits}-bit numbers"]
    if rounding > 0.1:
        strays = _strays(pair)
        for i in range(len(status)):
            # a real difference is no cancellation: it was judged by what it may come from
            if errors[i] > 0.1 * max(found.size) >= found.gap[i] and errors[i] > strays[i]:
                status[i] = "wrong"
        if "wrong" in status:
            return status, ["the formula is right, but cancellation leaves no correct digit"]
    return status, []


def _strays(pair: Pair) -> Floats:
    """Return what hardly any way of computing the derivative strays by: inf where that is not known."""
    table = pair.table
    names = (*table.names, *(f"c{k}" for k in range(len(table.constants))))
    derivative = Program(names, tuple(table.builder.nodes), (pair.function.outputs[0], *pair.D))
    terms = conditioning(subprogram(derivative, derivative.outputs), pair.arguments())
    return 60 * (terms.rounding + terms.inputs) + 8 * (terms.sums + terms.polynomial)


def _short_data(problem: Problem) -> bool:
    return any(isinstance(a, np.ndarray) and a.dtype in (np.float32, np.float16) for a in problem.args)


def judge_formula(pair: Pair, status: list[str], blame: str | None) -> tuple[list[str], str | None, list[str]]:
    """Rule G: is f the formula that it claims to be, here and at two neighbours?"""
    nodes, roots, m = pair.table.builder.nodes, pair.function.outputs, len(pair.function.outputs)
    claims, slopes = pair.claim[:m], pair.claim[m:]
    if claims == roots:
        return status, blame, []
    count = sum(not c.exact for c in pair.table.constants)
    slack = (2.0**-250) + 64 * count * unit_roundoff
    gaps: list[list[Any]] = []
    size = 0.0
    for factor in (1.0, 1 + 2.0**-6, 1 - 2.0**-6):
        arguments = [*(v * factor for v in pair.table.point), *pair.arguments()[len(pair.table.point) :]]
        values = node_balls(nodes, [*roots, *claims, *(g.condition for g in pair.function.guards)], arguments, 333)
        with precision(333):
            gap = [values[root] - values[claim] for root, claim in zip(roots, claims, strict=True)]
            # elsewhere the code may take another branch
            if all(g.is_finite() for g in gap) and all(values[g.condition] is g.answer for g in pair.function.guards):
                gaps.append(gap)
                size = max(size, *(float(values[root].abs_upper()) for root in roots))
    with precision(333):
        if not any(float(abs(g).lower()) > slack * size for gap in gaps for g in gap):
            return status, blame, []
        if not any(
            float(abs(g - first).lower()) > slack * size for gap in gaps for g, first in zip(gap, gaps[0], strict=True)
        ):
            constant = max((float(g.mid()) for g in gaps[0]), key=abs)
            return status, blame, [f"f is the formula plus a constant, {constant:.6g}"]
        values = node_balls(nodes, [*slopes, *pair.G], pair.arguments(), 333)
        off = [values[g] - values[d] for g, d in zip(pair.G, slopes, strict=True)]
        fits = all(
            float(abs(o).lower()) <= slack * float(abs(values[d]).upper()) for o, d in zip(off, slopes, strict=True)
        )
    whose = "the formula" if fits else "the code of f" if "wrong" not in status else "neither of the two"
    return ["wrong"] * len(status), "formula", [f"f is not the given formula; the gradient fits {whose}"]
