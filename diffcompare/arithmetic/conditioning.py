"""How far a right gradient may stray: the terms R, L, P and G of a derivative program at a point.

With ∂D_i/∂v the sensitivity of the partial derivative D_i to the node v of its program, u the unit roundoff:

- R = Σ_k sup|∂D_i/∂v_k|·δ_k, the rounding error of the program that computes D_i, δ_k the rounding of node k; for
  tanh′ and expm1′ the larger of that and of the route by the value, 1 − tanh² and expm1 + 1;
- L = u·(Σ_j |x_j|·|∂D_i/∂x_j| + Σ_c |c|·|∂D_i/∂c|), one rounding of every input and of every inexact constant;
- P = u·Σ |w|·|∂D_i/∂t| over the two-term sums w = t ± s: t may have been recovered from the rounded w;
- G = u·Σ |v|_abs·|∂D_i/∂v| over the roots v of the maximal polynomial parts, |v|_abs being v with every sum replaced by
  the sum of absolute values: the part may have been expanded or evaluated in any other order.

All are estimates of size, not bounds on the code of somebody else. The sensitivities are taken over enclosures V_k
that hold every value on the way from the exact to the computed evaluation, so that they do not vanish at a
critical point. A node that is far from 1 is measured in a unit of its own, a power of two, and so are its rounding and
its sensitivity: e⁷²⁰ is no float, its share in 10⁻³⁰⁰·e⁷²⁰ is.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), sections 3.3 (running error analysis), 2.5
(Sterbenz's theorem), 4.2 (sums) and 5.1 (polynomials: the condition with absolute values); A. Griewank, A. Walther,
Evaluating Derivatives, 2nd ed. (2008), section 3.2 (reverse mode).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import ball, ball_operation, precision
from diffcompare.arithmetic.roundings.constants import rounding_constants
from diffcompare.arithmetic.roundings.special_constants import SPECIAL, Accuracy, accuracy
from diffcompare.arithmetic.ulp import round_to_nearest
from diffcompare.floats import Flags, Floats, unit_roundoff
from diffcompare.program.dag import Builder, Node, Program, Term, needed_nodes
from diffcompare.program.operations import CONDITIONS, Kind, named, partial_terms
from diffcompare.program.run import per_program

__all__ = ["Conditioning", "conditioning", "exact_difference", "still_nodes"]

Units = NDArray[np.int32]

_BITS = 160
# what a sweep over many partial derivatives holds at once, in numbers
_BLOCK = 4_000_000
# a constant of so few bits is exact in every format and in every way of writing it
_SHORT_CONSTANT = 24
_LEAST_NORMAL = 2.0**-1022
# nodes between 2⁻⁵⁰⁰ and 2⁵⁰⁰ have the unit 1: a quotient of two is a float
_PLAIN = 500
# what is computed is off by 2⁻¹⁰⁷⁴ at least, which must be a float in the unit too; what is a factor only is not
_LEAST_UNIT, _LAST_UNIT = -1000, 2**30
# roundings by which the condition of a branch may be off where other code writes it in another way
_INPUTS = 4
# derivatives that are often computed from the value y, and their derivative a + b·y: tanh′ = 1 − y² (DLMF 4.34.8),
# expm1′ = y + 1; the derivative program has 1/cosh² and exp
_ROUTES = {"tanh": (0.0, 2.0), "expm1": (1.0, 0.0)}
_SPECIAL_ULPS = 16.0  # where no bound is known
_LINEAR, _POLYNOMIAL = named(Kind.LINEAR), named(Kind.POLYNOMIAL)


@dataclass(frozen=True, slots=True)
class Conditioning:
    """The terms of every partial derivative, arrays of shape (n,); inf where a term is not known.

    Parameters
    ----------
    rounding, inputs, sums, polynomial : ndarray
        R, L, P and G.
    still_rounding, still_sums : ndarray
        R and P over the still nodes alone; 0 where none are given.
    zero : ndarray of bool
        The partial derivative is 0 by structure: the constant 0.
    lower, upper : ndarray
        The hull of the partial derivative over the enclosures V.
    near_switch : bool
        A branch or a sign is undecided over them.
    near_crossing : bool
        It is where the point, too, is known to a few roundings only: other code may write the condition otherwise.
        Then ``lower`` and ``upper`` are taken over that.
    out_of_range : bool
        The exact value of a node is beyond the largest binary64 number, or below the least normal one and not 0.
    operations : int
        How many nodes the derivative program has.
    """

    rounding: Floats
    inputs: Floats
    sums: Floats
    polynomial: Floats
    still_rounding: Floats
    still_sums: Floats
    zero: Flags
    lower: Floats
    upper: Floats
    near_switch: bool
    near_crossing: bool
    out_of_range: bool
    operations: int


def conditioning(
    program: Program,
    point: Sequence[float],
    *,
    unit: float = unit_roundoff,
    still: Flags | None = None,
) -> Conditioning:
    """Estimate R, L, P and G of a derivative program.

    Estimated: first order in the roundings, the sensitivities over all values that these roundings can reach.

    Parameters
    ----------
    program : Program
        With the outputs f, ∂f/∂x₀, …, ∂f/∂xₙ₋₁ (:func:`diffcompare.program.adjoint.adjoint`).
    point : sequence of float
        Exact binary values.
    unit : float
        The unit roundoff of the arithmetic that is judged.
    still : ndarray of bool, optional
        Which nodes count as still (:func:`still_nodes`).
    """
    with np.errstate(all="ignore"):
        return _conditioning(_tape(program), point, unit, still)


def _conditioning(tape: _Tape, point: Sequence[float], unit: float, still: Flags | None) -> Conditioning:
    program = tape.program
    size = len(program.nodes)
    run = _evaluate(tape, point, unit, widen=True)
    near_switch = near_crossing = run.near_switch
    lower, upper = run.hull
    if tape.branches and not near_switch:
        moved = _evaluate(tape, point, unit, widen=True, inputs=_INPUTS * unit)
        near_crossing = moved.near_switch
        if near_crossing:
            lower, upper = moved.hull
    known = np.isfinite(run.middle) & np.isfinite(run.radius)
    if not known[list(tape.used)].all():
        # a divisor may reach 0: to first order, at the exact values alone
        run = _evaluate(tape, point, unit, widen=False)
    units = run.units[:size]
    value = np.abs(run.middle[:size])
    true_value = np.ldexp(value, units)
    rounding = run.rounding.copy()
    for y, slope in tape.routes:
        a, b = _ROUTES[program.nodes[y].operation]
        own = np.ldexp(run.rounding[y] * (a + b * float(true_value[y])), units[y] - units[slope])
        rounding[slope] = max(rounding[slope], own + np.ldexp(unit, -units[slope]))
    rests = np.zeros(size, dtype=bool) if still is None else still
    leaves = np.where(tape.inexact, unit * value, 0.0)
    roots = np.where(tape.roots, unit * _absolute_values(program, value, units), 0.0)
    pairs, still_pairs = np.zeros(size), np.zeros(size)
    for w in tape.pairs:
        for t in program.nodes[w].operands:
            if program.nodes[t].operation != "constant":
                share = unit * np.ldexp(value[w], units[w] - units[t])
                pairs[t] += share
                still_pairs[t] += share * rests[w]
    weights = np.stack([rounding, leaves, pairs, roots, np.where(rests, rounding, 0.0), still_pairs])
    # what does not matter to first order may be infinite
    weights[:, ~tape.needed] = 0.0
    n = len(program.outputs) - 1
    block = max(1, _BLOCK // size)
    blocks = [range(start, min(start + block, n)) for start in range(0, n, block)]
    parts = [_weighted(weights, _sensitivities(tape, run, columns)) for columns in blocks]
    terms = np.concatenate(parts, axis=1) if parts else np.zeros((6, 0))
    outputs = list(program.outputs[1:])
    constants = [program.nodes[i].operation == "constant" and program.nodes[i].payload == 0 for i in outputs]
    terms = np.ldexp(np.where(np.isnan(terms), math.inf, terms), units[outputs])
    return Conditioning(
        terms[0], terms[1], terms[2], terms[3], terms[4], terms[5],
        np.array(constants, dtype=bool), lower[outputs], upper[outputs], near_switch, near_crossing,
        bool(((true_value > 0) & (true_value < _LEAST_NORMAL) | ~(true_value < math.inf)).any()), size,
    )  # fmt: skip


def still_nodes(program: Program, points: Sequence[Sequence[float]], *, unit: float = unit_roundoff) -> Flags:
    """Tell which nodes move by less than 4 ulps over some points; neighbours say nothing of their rounding."""
    tape = _tape(program)
    with np.errstate(all="ignore"):
        values = np.stack([_values(tape, point) for point in points])
        moved = values.max(axis=0) - values.min(axis=0)
        allowed = 4 * np.spacing(np.abs(values).max(axis=0)) * (unit / unit_roundoff)
        return np.asarray(moved < allowed, dtype=bool)


def exact_difference(program: Program, point: Sequence[float], value: float) -> float:
    """Return a computed value less the exact first output, rounded; nan where the program is not defined there."""
    tape = _tape(program)
    with precision(_BITS):
        gap = ball(value) - _run(tape, point, len(program.nodes))[program.outputs[0]]
        return float(gap.mid()) if gap.is_finite() else math.nan


@dataclass(frozen=True, slots=True)
class _Tape:
    """A derivative program, the local partials of its nodes behind it, and what its nodes are."""

    program: Program
    nodes: tuple[Node, ...]  # those of the program, then those that the local partials need
    constants: dict[int, arb]
    edges: tuple[tuple[int, int, int], ...]  # node, operand, node of the partial; the last nodes first
    selects: tuple[tuple[int, int, int, int], ...]  # node, condition, the two branches
    used: tuple[int, ...]  # nodes of the partials, and outputs
    needed: Flags  # by the partial derivatives, not by f alone
    inexact: Flags  # variables and constants that are not exact in every format
    roots: Flags  # of maximal polynomial parts
    pairs: tuple[int, ...]  # two-term sums
    rounds: tuple[tuple[float, float], ...]
    special: dict[int, tuple[Accuracy, ...]]  # the special functions of which a bound is known
    gaps: dict[int, float]  # |fl(c) − c| of the constants that are not binary64 numbers
    routes: tuple[tuple[int, int], ...]  # a value y, and its derivative that may be computed from y
    branches: bool  # whether there are conditions or signs


@per_program
def _tape(program: Program) -> _Tape:
    size = len(program.nodes)
    needed = np.zeros(size, dtype=bool)
    needed[needed_nodes(program.nodes, program.outputs[1:])] = True
    build = Builder(program.variables, start=program)
    edges: list[tuple[int, int, int]] = []
    selects: list[tuple[int, int, int, int]] = []
    for k in range(size - 1, -1, -1):
        node = program.nodes[k]
        if not needed[k] or not node.operands or node.operation in CONDITIONS:
            continue
        if node.operation == "select":
            selects.append((k, *node.operands))  # type: ignore[arg-type]
            continue
        operands = [Term(build, i) for i in node.operands]
        for operand, partial in zip(
            operands, partial_terms(node.operation, node.payload, Term(build, k), operands), strict=True
        ):
            # (a parameter is the same constant in the code that is judged)
            if partial.value != 0 and build.nodes[partial.index].operation != "undefined":
                edges.append((k, operand.index, partial.index))
    routes = []
    for k, node in enumerate(program.nodes):
        if node.operation in _ROUTES:
            x, y = Term(build, node.operands[0]), Term(build, k)
            (slope,) = partial_terms(node.operation, node.payload, y, [x])
            routes.append((k, slope.index))
    nodes = tuple(build.nodes)
    with precision(_BITS):
        constants = {k: ball(Fraction(n.payload or 0)) for k, n in enumerate(nodes) if n.operation == "constant"}
    used = sorted({partial for _, _, partial in edges} | set(program.outputs[1:]))
    return _Tape(
        # (a copy: what is kept for a program must not hold it)
        replace(program),
        nodes,
        constants,
        tuple(edges),
        tuple(selects),
        tuple(used),
        needed,
        np.array([_is_inexact(node) for node in program.nodes]),
        _polynomial_roots(program, needed),
        tuple(k for k, n in enumerate(program.nodes) if needed[k] and n.operation in ("add", "subtract")),
        tuple(_constants_of(program, node) for node in program.nodes),
        {
            k: known
            for k, node in enumerate(program.nodes)
            if node.operation in SPECIAL and (known := accuracy(program, node))
        },
        {k: gap for k, node in enumerate(program.nodes) if node.operation == "constant" and (gap := _gap(node))},
        tuple((k, slope) for k, slope in routes if slope < size),
        any(node.operation in ("select", "sign") for node in program.nodes),
    )


def _constants_of(program: Program, node: Node) -> tuple[float, float]:
    """Return the rounding constants of a node; a factor ±2ᵏ rounds nothing."""
    if node.operation in SPECIAL:
        return _SPECIAL_ULPS, 0.0
    if node.operation in ("multiply", "divide"):
        scales = node.operands if node.operation == "multiply" else node.operands[1:]
        for constant in (program.nodes[i] for i in scales):
            value = abs(Fraction(constant.payload or 0)) if constant.operation == "constant" else Fraction(0)
            if value and all(part & (part - 1) == 0 for part in (value.numerator, value.denominator)):
                return 0.0, 0.0
    return (0.0, 0.0) if node.operation in ("sum", "dot") else rounding_constants(node)


def _gap(node: Node) -> float:
    value = Fraction(node.payload or 0)
    rounded = round_to_nearest(value)
    return abs(float(Fraction(rounded) - value)) if math.isfinite(rounded) else math.inf


def _is_inexact(node: Node) -> bool:
    if node.operation != "constant":
        return node.operation in ("variable", "pi", "e")
    value = Fraction(node.payload or 0)
    odd = abs(value.numerator)
    while odd and odd % 2 == 0:
        odd //= 2
    return value.denominator & (value.denominator - 1) != 0 or odd.bit_length() > _SHORT_CONSTANT


def _is_polynomial(program: Program, node: Node) -> bool:
    if node.operation == "integer_power":
        return int(node.payload or 0) >= 0
    if node.operation == "divide":
        return program.nodes[node.operands[1]].operation == "constant"
    return node.operation in _POLYNOMIAL


def _polynomial_roots(program: Program, needed: Flags) -> Flags:
    """Mark the polynomial nodes that are an output or serve an operation that is no polynomial."""
    polynomial = [_is_polynomial(program, node) for node in program.nodes]
    serves = np.zeros(len(program.nodes), dtype=bool)
    serves[list(program.outputs[1:])] = True
    for k, node in enumerate(program.nodes):
        if needed[k] and not polynomial[k]:
            serves[list(node.operands)] = True
    serves &= polynomial
    return serves


def _absolute_values(program: Program, value: Floats, units: Units) -> Floats:
    """Return |v|_abs of every node: sums become sums of absolute values inside polynomial parts."""
    found = value.tolist()
    for k, node in enumerate(program.nodes):
        if not _is_polynomial(program, node):
            continue
        operands = [found[i] for i in node.operands]
        try:
            if not units[[k, *node.operands]].any():
                found[k] = _absolute_value(node, operands)
            else:
                with precision(_BITS):
                    true = [_in_unit(ball(v), -int(units[i])) for v, i in zip(operands, node.operands, strict=True)]
                    found[k] = float(_in_unit(_absolute_value(node, true), int(units[k])).mid())
        except ArithmeticError:
            found[k] = math.inf
    return np.array(found)


def _absolute_value(node: Node, operands: Sequence[Any]) -> Any:
    half = len(operands) // 2
    if node.operation in _LINEAR:
        return sum(operands)
    if node.operation == "multiply":
        return operands[0] * operands[1]
    if node.operation == "dot":
        return sum(a * b for a, b in zip(operands[:half], operands[half:], strict=True))
    if node.operation == "integer_power":
        return operands[0] ** int(node.payload or 0)
    return operands[0] / operands[1]


def _unit_of(value: Any, least: int = _LEAST_UNIT) -> int:
    """Return the exponent of the unit, a power of two, in which a node is measured."""
    if not isinstance(value, arb) or not value.is_finite():
        return 0
    middle = value.mid()
    if 2.0**-_PLAIN <= abs(float(middle)) <= 2.0**_PLAIN or middle == 0:
        return 0
    mantissa, exponent = middle.man_exp()
    return max(least, min(int(mantissa).bit_length() + int(exponent), _LAST_UNIT))


def _in_unit(value: arb, unit: int) -> arb:
    return value * arb(2) ** -unit if unit else value


def _run(
    tape: _Tape,
    point: Sequence[float],
    stop: int,
    widen: Callable[[int, Any, Sequence[Any]], arb] | None = None,
    inputs: float = 0.0,
) -> list[Any]:
    """Evaluate the first nodes; ``widen(k, value, operands)`` is [−δ, δ] of node k, ``inputs`` δ/|x| of variables."""
    size = len(tape.program.nodes)
    values: list[Any] = []
    for k, node in enumerate(tape.nodes[:stop]):
        if node.operation == "constant":
            value = tape.constants[k]
            values.append(value + widen(k, value, ()) if widen is not None and k in tape.gaps else value)
        elif node.operation == "variable":
            x = float(point[int(node.payload or 0)])
            values.append(ball(x) + arb(0, inputs * abs(x)) if inputs else ball(x))
        else:
            operands = [values[i] for i in node.operands]
            value = ball_operation(node, *operands)
            if widen is not None and k < size and isinstance(value, arb):
                value = value + widen(k, value, operands)
            values.append(value)
    return values


def _values(tape: _Tape, point: Sequence[float]) -> Floats:
    with precision(_BITS):
        values = _run(tape, point, len(tape.program.nodes))
        return np.array([_middle(value) for value in values])


def _middle(value: Any) -> float:
    # a condition does not round, so whether it is still does not matter
    return float(value.mid()) if isinstance(value, arb) else 0.0


@dataclass(frozen=True, slots=True)
class _Run:
    """The values of all nodes as midpoint ± radius, the rounding δ of the program's own, and the conditions.

    All three of node k are in units of 2 to the power ``units[k]``.
    """

    middle: Floats
    radius: Floats
    rounding: Floats
    units: Units
    conditions: dict[int, object]
    near_switch: bool

    @property
    def hull(self) -> tuple[Floats, Floats]:
        return np.ldexp(self.middle - self.radius, self.units), np.ldexp(self.middle + self.radius, self.units)


def _evaluate(tape: _Tape, point: Sequence[float], unit: float, *, widen: bool, inputs: float = 0.0) -> _Run:
    size, scale = len(tape.program.nodes), unit / unit_roundoff
    rounding = np.zeros(size)

    def delta(k: int, value: arb, operands: Sequence[Any]) -> arb:
        own = _unit_of(value)
        rounding[k] = (
            np.ldexp(tape.gaps[k] * scale, -own)
            if k in tape.gaps
            else _rounding(tape, k, value, operands, unit, scale, own)
        )
        return _in_unit(arb(0, rounding[k]), -own) if widen and rounding[k] else _NOTHING

    with precision(_BITS):
        values = _run(tape, point, len(tape.nodes), delta, inputs)
        # (what is added in between has the midpoint 0)
        units = [_unit_of(value, _LEAST_UNIT if k < size else -_LAST_UNIT) for k, value in enumerate(values)]
        held = [_in_unit(v, e) if isinstance(v, arb) else v for v, e in zip(values, units, strict=True)]
        middle = np.array([_middle(value) for value in held])
        radius = np.array([float(value.rad()) if isinstance(value, arb) else 0.0 for value in held])
    conditions = {k: value for k, value in enumerate(values) if not isinstance(value, arb)}
    undecided = any(value is None for k, value in conditions.items() if k < size)
    signs = [k for k, node in enumerate(tape.program.nodes) if node.operation == "sign"]
    undecided = undecided or bool((radius[signs] > 0.25).any())
    return _Run(middle, radius, rounding, np.array(units, dtype=np.int32), conditions, undecided)


_NOTHING = arb(0)


def _rounding(tape: _Tape, k: int, value: arb, operands: Sequence[Any], unit: float, scale: float, own: int) -> float:
    """Return the rounding of a node, in units of 2 to the power ``own``."""
    operation = tape.program.nodes[k].operation
    if operation in ("sum", "dot"):
        half = len(operands) // 2
        if operation == "sum":
            sizes = [abs(float(_in_unit(operand.mid(), own))) for operand in operands]
        else:
            # each factor in its own unit: rounded apart, and brought to that of the node
            shifts = [_unit_of(operand) for operand in operands]
            factors = [abs(float(_in_unit(a.mid(), e))) for a, e in zip(operands, shifts, strict=True)]
            sizes = [
                float(np.ldexp(factors[j] * factors[half + j], shifts[j] + shifts[half + j] - own)) for j in range(half)
            ]
        # γ_n Σ|terms|, in whatever order: Higham 2002, (4.4)
        return unit * len(sizes) * sum(sizes)
    ulps, absolute = tape.rounds[k]
    if k in tape.special:
        met = [piece for piece in tape.special[k] if piece.low <= float(operands[-1].mid()) <= piece.high]
        ulps, absolute = (met[0].ulps, met[0].absolute * scale) if met else (ulps, absolute)
    absolute = float(np.ldexp(absolute, -own))
    if not ulps:
        return absolute
    if operation in ("add", "subtract"):
        a, b = (float(_in_unit(operand.mid(), own)) for operand in operands)
        b = b if operation == "subtract" else -b
        # Sterbenz: exact for b/2 <= a <= 2b
        if a * b > 0 and abs(b) <= 2 * abs(a) <= 4 * abs(b):
            return 0.0
    largest = abs(float(_in_unit(value.mid(), own)))
    # floats have no smaller ulp, whatever the unit
    spacing = max(math.ulp(largest), float(np.ldexp(math.ulp(0.0), -own)))
    return ulps * spacing * scale + absolute if largest < math.inf else math.inf


def _sensitivities(tape: _Tape, run: _Run, outputs: range) -> Floats:
    """Return sup|∂D_i/∂v_k| of shape (nodes, outputs): a reverse sweep in midpoints and radii."""
    size = len(tape.program.nodes)
    centre, radius = np.zeros((size, len(outputs))), np.zeros((size, len(outputs)))
    for column, i in enumerate(outputs):
        centre[tape.program.outputs[1 + i], column] += 1.0
    middle, spread, units = run.middle.tolist(), run.radius.tolist(), run.units.tolist()
    pending = list(tape.selects)[::-1]
    for k, operand, partial in tape.edges:
        while pending and pending[-1][0] > k:
            _choose(pending.pop(), run, centre, radius)
        p, r = middle[partial], spread[partial]
        shift = units[partial] + units[operand] - units[k]
        if shift:
            p, r = (float(np.ldexp(v, shift)) for v in (p, r))
        if math.isfinite(p) and math.isfinite(r):
            centre[operand] += p * centre[k]
            if r:
                radius[operand] += r * (np.abs(centre[k]) + radius[k])
            radius[operand] += abs(p) * radius[k]
        else:
            radius[operand][(centre[k] != 0) | (radius[k] != 0)] = math.inf
    while pending:
        _choose(pending.pop(), run, centre, radius)
    return np.asarray(np.abs(centre) + radius, dtype=np.float64)


def _choose(select: tuple[int, int, int, int], run: _Run, centre: Floats, radius: Floats) -> None:
    k, condition, first, second = select
    answer = run.conditions.get(condition)
    for branch, taken in ((first, answer is not False), (second, answer is not True)):
        if taken:
            shift = run.units[branch] - run.units[k]
            centre[branch] += np.ldexp(centre[k], shift)
            radius[branch] += np.ldexp(radius[k], shift)


def _weighted(weights: Floats, sensitivities: Floats) -> Floats:
    # 0·inf is 0 here: a node that does not round does not matter
    found = weights @ sensitivities
    for row, column in zip(*np.nonzero(np.isnan(found)), strict=True):
        chosen = weights[row] != 0
        found[row, column] = weights[row][chosen] @ sensitivities[chosen, column]
    return np.asarray(found, dtype=np.float64)
