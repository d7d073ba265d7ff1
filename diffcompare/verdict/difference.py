"""The real difference between a gradient's code and the true derivative, and the rounding of constants in it.

Two traces share a table; their nodes are evaluated in ball arithmetic, at the point and with rounded numbers moved.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from diffcompare.arithmetic.balls import Ball, ball_operation, precision, round_ball
from diffcompare.arithmetic.conditioning import Conditioning, conditioning
from diffcompare.arithmetic.first_order import absolute_slopes, forward_errors
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Builder, Node, Program, needed_nodes, subprogram
from diffcompare.program.run import interpret_nodes
from diffcompare.program.special_functions import ROWS
from diffcompare.tracing.table import EXACT_BITS, significant_bits
from diffcompare.verdict.pair import Pair, is_long, one_sided

__all__ = [
    "DECIDING_BITS",
    "NOTICEABLE",
    "PARAMETER_MOVES",
    "SPECIAL",
    "Difference",
    "conditioning_of",
    "difference_of",
    "evaluate",
    "folded_sizes",
    "midpoints",
    "nearest_float",
    "node_balls",
    "rounding_errors",
    "weigh",
]


# components whose constants are weighed one by one, and below which relative difference that is needed
_SWEEPS = 40
_CLOSE = 2.0**-40
# of the largest component: what constants may explain though their rounding is larger than that
NOTICEABLE = 2.0**-7
_MOST_BITS = 2700
# enough to tell 1 from 1 + 1e-300
DECIDING_BITS = 1200
# constants that are moved one at a time, where they have no slope
_MOVED = 50
SPECIAL = frozenset(row.name for row in ROWS)
# random moves of parameters
PARAMETER_MOVES = 4
# a difference that is smaller than this is none, whatever the size of the numbers
_TINY = 2.0**-1074


def evaluate(program: Program, point: Sequence[float] | Floats, bits: int) -> list[Any]:
    """Evaluate the outputs at an exact point, node by node."""
    values = node_balls(program.nodes, program.outputs, point, bits)
    return [values[i] for i in program.outputs]


def node_balls(nodes: Sequence[Node], roots: Collection[int], point: Any, bits: int) -> dict[int, Any]:
    """Evaluate all nodes that the roots need; ``point`` holds a float or a ball for every variable."""

    def leaf(node: Node) -> Any:
        if node.operation != "variable":
            return ball_operation(node)
        held = point[int(node.payload or 0)]
        return held if isinstance(held, Ball) else Ball(float(held))

    with precision(bits):
        return interpret_nodes(nodes, needed_nodes(nodes, roots), leaf, ball_operation)


def midpoints(values: dict[int, Any]) -> dict[int, float]:
    """Round the balls to floats; nan for a node without a value."""
    return {
        i: float(v) if isinstance(v, bool) else float(v.mid()) if isinstance(v, Ball) else math.nan
        for i, v in values.items()
    }


def rounding_errors(nodes: Sequence[Node], roots: Sequence[int], point: Any) -> Floats:
    """Bound the rounding errors of nodes in floats, to first order; 0 where no bound is known."""
    order = needed_nodes(nodes, roots)
    errors = forward_errors(nodes, order, midpoints(node_balls(nodes, roots, point, 64)), unit_roundoff)
    found = np.array([errors[root] for root in roots])
    return np.where(np.isfinite(found), found, 0.0)


def nearest_float(value: Any) -> float:
    """Round a ball to a float: to 0 where that may be its value, else, if it is too wide to tell, its midpoint."""
    nearest = round_ball(value)
    return nearest if nearest is not None else 0.0 if value.contains(0) else float(value.mid())


@dataclass(slots=True)
class Difference:
    """G − D as real numbers, by component.

    Parameters
    ----------
    D : list of balls
    gap, size : list of float
        The size of G − D, and of D.
    equal, decided : list of bool
        Whether the two are one number; whether the precision was enough to tell.
    L : list of float
        What the rounding of constants explains of G − D, to first order.
    off : list of float
        What numbers of unknown origin may be off by.
    beside : list of float
        What else rounding explains: the slopes of two sides that differ by that of constants, where f compares equal
        numbers; a constant claim that the code took through text.
    bits : int
        The precision at which all components were known.
    """

    D: list[Any]
    gap: list[float]
    size: list[float]
    equal: list[bool]
    decided: list[bool]
    L: list[float]
    off: list[float]
    beside: list[float]
    bits: int

    def least(self, i: int) -> float:
        """Return one rounding of a component; a structural 0 has none."""
        return 0.0 if self.size[i] == 0 else unit_roundoff * self.size[i]

    def threshold(self, i: int) -> float:
        """Return the difference above which a component is wrong."""
        return max(32 * self.L[i], 2 * self.least(i), self.off[i], 8 * self.beside[i])

    def take(self, other: Difference) -> None:
        """Take over what was found where the loops were continued."""
        self.D, self.gap, self.size, self.equal = other.D, other.gap, other.size, other.equal
        self.decided, self.L, self.off, self.beside = other.decided, other.L, other.off, other.beside
        self.bits = other.bits


def difference_of(
    pair: Pair, slopes: Mapping[int, Any] | None = None, without: Collection[int] = ()
) -> Difference | None:
    """Return the real difference, and L, the rounding of constants in it; None where D is not defined.

    ``slopes`` holds the derivative of components that the trace at the point does not have; ``without`` lists those
    that have none.
    """
    nodes, arguments = pair.table.builder.nodes, pair.arguments()
    n = len(pair.D)
    slopes = slopes or {}
    gap, equal, decided = [math.nan] * n, [False] * n, [False] * n
    balls: list[Any] = [None] * n
    size = [math.nan] * n
    left = [i for i in range(n) if i not in without]
    for i in without:
        balls[i], gap[i], size[i], equal[i], decided[i] = Ball(0), 0.0, 0.0, True, True
    bits = used = 333
    while left and bits <= _MOST_BITS:
        used = bits
        values = node_balls(nodes, [*(pair.D[i] for i in left), *(pair.G[i] for i in left)], arguments, bits)
        with precision(bits):
            for i in left:
                balls[i] = slopes.get(i, values[pair.D[i]])
                if not balls[i].is_finite():
                    return None
                size[i] = abs(float(balls[i].mid()))
            largest = max(size)
            for i in list(left):
                d, g = balls[i], values[pair.G[i]]
                difference = g - d
                if not difference.is_finite():
                    gap[i] = math.inf
                    continue
                if not difference.contains(0):
                    gap[i], equal[i], decided[i] = float(abs(difference).lower()), False, True
                else:
                    # a component far smaller than the largest is held to its own size, once it is known
                    own = i not in slopes and round_ball(d) is not None and 2 * bits <= _MOST_BITS
                    # a limit is known to fewer bits
                    scale = Ball(size[i] if own else max(size[i], largest * 2.0**-64))
                    scale *= 2.0 ** (-60 if i in slopes else -100)
                    gap[i] = float(abs(difference).upper())
                    equal[i] = decided[i] = bool(difference.rad() <= scale or gap[i] <= _TINY)
                if decided[i] and (i in slopes or round_ball(d) is not None):
                    left.remove(i)
        bits *= 2
    rounding = _constants_rounding(pair, without, used)
    return Difference(balls, gap, size, equal, decided, rounding, [0.0] * n, _taken(pair), used)


def _taken(pair: Pair) -> list[float]:
    """Bound what rounding makes of a claim that does not vary, where the trace does not see it.

    Numbers that were taken as text or by float() come back rounded; where numbers of the code are plain floats, so is
    their arithmetic. Numbers of many digits that were computed elsewhere have the rounding of that, which is taken for
    that of the derivative's program.
    """
    table, n = pair.table, len(pair.G)
    still = [i for i in range(n) if not table.moving[pair.G[i]] and pair.G[i] != pair.D[i]]
    bounds = [0.0] * n
    if not still:
        return bounds
    computed = any(is_long(table.shadows[pair.G[i]]) for i in still)
    if computed or not table.exact:
        sizes = folded_sizes(table.builder.nodes, pair.function.outputs, pair.arguments())[:, : len(table.point)]
        for i in still:
            bounds[i] = 4 * unit_roundoff * float(sizes.reshape(-1)[i]) if sizes.size == n else 0.0
    if table.exact:
        values = node_balls(table.builder.nodes, table.given.values(), pair.arguments(), 333)
        with precision(333):
            gaps = [(values[i] - Ball(v)).abs_upper() for v, i in table.given.items() if values[i].is_finite()]
        for i in still:
            bounds[i] = max(bounds[i], 4 * max(map(float, gaps), default=0.0))
    if computed:
        terms = conditioning_of(pair)
        strays = 2 * (terms.rounding + terms.inputs)
        for i in still:
            bounds[i] = max(bounds[i], float(strays[i])) if math.isfinite(strays[i]) else bounds[i]
    return bounds


def _constants_rounding(pair: Pair, without: Collection[int], bits: int) -> list[float]:
    """Bound u·Σ|c·∂(G − D)/∂c| over the rounded constants: two evaluations with all constants off by ±u at random."""
    constants, nodes, arguments = pair.table.constants, pair.table.builder.nodes, pair.arguments()
    n = len(pair.D)
    pending = [i for i in range(n) if pair.D[i] != pair.G[i] and i not in without]
    bounds = [0.0] * n
    roots = [*(pair.D[i] for i in pending), *(pair.G[i] for i in pending)]
    # where numbers of the code are plain floats, they are not kept apart
    folded = [] if pair.table.exact else _rounded_numbers(nodes, roots)
    count = sum(not c.exact for c in constants) + len(folded)
    if not count or not pending:
        return bounds
    random = np.random.default_rng(7)
    before = node_balls(nodes, roots, arguments, bits)
    for _ in range(2):
        numbers = list(nodes)
        for k in folded:
            factor = 1 + Fraction(random.choice((-1, 1)).item(), 2**53)
            numbers[k] = replace(nodes[k], payload=Fraction(nodes[k].payload or 0) * factor)
        with precision(bits):
            moved = [
                *pair.table.point,
                *(
                    # in balls: as a float, 1 + u is 1
                    Ball(c.value) * (Ball(1) + (0.0 if c.exact else random.choice((-1.0, 1.0)) * unit_roundoff))
                    for c in constants
                ),
            ]
        after = node_balls(numbers, roots, moved, bits)
        with precision(bits):
            for i in pending:
                change = (after[pair.G[i]] - after[pair.D[i]]) - (before[pair.G[i]] - before[pair.D[i]])
                size = float(change.abs_upper()) if change.is_finite() else math.inf
                bounds[i] = max(bounds[i], 3 * math.sqrt(count) * size)
    return bounds


def _rounded_numbers(nodes: Sequence[Node], roots: Collection[int]) -> list[int]:
    """Return the numbers of many digits that roots are made from."""
    held = (k for k in needed_nodes(nodes, roots) if nodes[k].operation == "constant")
    return [k for k in held if significant_bits(float(nodes[k].payload or 0)) > EXACT_BITS]


def _constants_effect(pair: Pair, i: int, bits: int) -> list[float]:
    """Return ∂(G_i − D_i)/∂c for every constant, by one reverse sweep of the difference.

    A constant that has no slope, as the exponent of 0 has none, is moved by its rounding instead.
    """
    table = pair.table
    names = (*table.names, *(f"c{k}" for k in range(len(table.constants))))
    build = Builder(names, start=Program(names, tuple(table.builder.nodes), ()))
    root = build.raw("subtract", pair.G[i], pair.D[i])
    program = build.program([root])
    slopes = evaluate(adjoint(program), pair.arguments(), bits)[1 + len(table.names) :]
    found = [float(s.mid()) if s.is_finite() else math.inf for s in slopes]
    without = [k for k, c in enumerate(table.constants) if math.isinf(found[k]) and not c.exact]
    if without and len(without) <= _MOVED:
        (before,) = evaluate(program, pair.arguments(), bits)
        for k in without:
            arguments = pair.arguments()
            with precision(bits):
                step = Ball(table.constants[k].value) * unit_roundoff
                arguments[len(table.names) + k] = Ball(table.constants[k].value) + step
            (after,) = evaluate(program, arguments, bits)
            with precision(bits):
                slope = (after - before) / step
                found[k] = float(slope.mid()) if slope.is_finite() else math.inf
    return found


def _parameters(pair: Pair, among: Collection[int]) -> list[int]:
    """Return the numbers of many digits that special functions take as parameters, as an order, in G or D."""
    nodes, roots = pair.table.builder.nodes, [root for i in among for root in (pair.G[i], pair.D[i])]
    special = (nodes[k] for k in needed_nodes(nodes, roots) if nodes[k].operation in SPECIAL)
    held = {j for node in special for j in node.operands if nodes[j].operation == "constant"}
    return [j for j in sorted(held) if significant_bits(float(nodes[j].payload or 0)) > EXACT_BITS]


def _parameters_effect(pair: Pair, among: Sequence[int], bits: int) -> dict[int, float]:
    """Estimate what the rounding of parameters does to G_i − D_i, from random moves: they have no slopes."""
    effect = dict.fromkeys(among, 0.0)
    # each component has nodes of its own: most codes have no such number at all
    held = {i: found for i in among if (found := _parameters(pair, [i]))} if _parameters(pair, among) else {}
    if not held:
        return effect
    nodes, roots = list(pair.table.builder.nodes), [r for i in held for r in (pair.G[i], pair.D[i])]
    random = np.random.default_rng(5)
    before = node_balls(nodes, roots, pair.arguments(), bits)
    for _ in range(PARAMETER_MOVES):
        moved = nodes.copy()
        for j in sorted(set().union(*held.values())):
            # moves of one size could cancel; derivatives shift an order by 1, and keep the rounding of what was shifted
            order, share = Fraction(nodes[j].payload or 0), random.choice((-1.0, 1.0)) * random.uniform(0.5, 1.0)
            moved[j] = replace(nodes[j], payload=order + Fraction(share) * (abs(order) + 1) / 2**53)
        after = node_balls(moved, roots, pair.arguments(), bits)
        with precision(bits):
            for i in held:
                change = (after[pair.G[i]] - after[pair.D[i]]) - (before[pair.G[i]] - before[pair.D[i]])
                size = float(change.abs_upper()) if change.is_finite() else 0.0
                effect[i] = max(effect[i], 3 * math.sqrt(len(held[i])) * size)
    return effect


def weigh(pair: Pair, found: Difference, among: Collection[int]) -> tuple[dict[int, str], list[str]]:
    """Judge components by their real difference; the constants of few are weighed exactly."""
    words, notes = dict.fromkeys(among, "consistent"), []
    largest = max((size for size in found.size if math.isfinite(size)), default=0.0)
    different = [i for i in among if not found.equal[i]]
    sweeps = _SWEEPS
    allowed: list[float] | None = None
    parameters = _parameters_effect(pair, different, found.bits)
    for i in different:
        found.L[i] += parameters[i]
    for i in sorted(different, key=lambda i: -found.gap[i] / (found.size[i] + 1e-300)):
        clear = found.decided[i] and found.gap[i] > found.threshold(i)
        settled = found.decided[i] and found.gap[i] <= found.beside[i]
        if sweeps and math.isfinite(found.gap[i]) and pair.table.constants and not settled:
            allowed = one_sided(pair) if allowed is None else allowed
            # two random evaluations are an estimate: what is no larger than rounding could be is weighed exactly
            if not clear or any(allowed) or found.gap[i] <= _CLOSE * found.size[i]:
                sweeps -= 1
                effect = list(zip(pair.table.constants, _constants_effect(pair, i, found.bits), strict=True))
                found.L[i] = math.fsum(unit_roundoff * abs(c.value * s) for c, s in effect if not c.exact)
                found.L[i] += parameters[i]
                unsure = found.decided[i] and found.gap[i] > found.threshold(i)
                found.off[i] = math.fsum(a * abs(s) for a, (_, s) in zip(allowed, effect, strict=True) if a)
                clear = unsure and found.gap[i] > found.off[i]
                if unsure and not clear:
                    words[i] = "inconclusive"
                    notes.append(
                        "the difference could come from numbers of many digits that only one of the two codes holds; "
                        "compute them inside the function"
                    )
                    continue
        explained = max(4 * found.L[i], found.least(i), found.beside[i])
        if clear:
            words[i] = "wrong"
        elif not (found.decided[i] and found.gap[i] <= explained and math.isfinite(found.threshold(i))):
            words[i] = "inconclusive"
        elif found.gap[i] > NOTICEABLE * largest:
            # what explains so much explains anything
            words[i] = "inconclusive"
    for i in among:
        # of what is one real number no constant can be to blame
        if found.equal[i] and not math.isfinite(found.L[i]):
            found.L[i] = 0.0
    return words, list(dict.fromkeys(notes))


def folded_sizes(nodes: Sequence[Node], outputs: Sequence[int], point: Any) -> Floats:
    """Return what the slopes of outputs (rows) in the variables are made from, all terms taken as positive.

    Where a derivative is a constant, its program does not show from what numbers it was computed.
    """
    order = needed_nodes(nodes, outputs)
    values = midpoints(node_balls(nodes, outputs, point, 64))
    variables = [(int(nodes[i].payload or 0), i) for i in order if nodes[i].operation == "variable"]
    rows = np.zeros((len(outputs), len(point)))
    for k, output in enumerate(outputs):
        bars = absolute_slopes(nodes, order, values, output)
        for place, i in variables:
            rows[k, place] = bars.get(i, 0.0)
    return rows


def conditioning_of(pair: Pair) -> Conditioning:
    """Return how far a right gradient may stray, from the program of f and its derivative."""
    table = pair.table
    names = (*table.names, *(f"c{k}" for k in range(len(table.constants))))
    derivative = Program(names, tuple(table.builder.nodes), (pair.function.outputs[0], *pair.D))
    return conditioning(subprogram(derivative, derivative.outputs), pair.arguments())
