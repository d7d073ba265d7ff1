"""A proven bound on the rounding error of the float code of a program, at every float point of a box.

With V_k an enclosure of every value that node k takes on the way from the exact to the computed evaluation,

    V_k = op_k(V_operands) + [−δ_k, δ_k],   δ_k = k_op·ulp(max|op_k(V)|) + a_op + η

(leaves: δ = 0 for the point, |fl(c) − c| for constants; δ = 0 for what is exact: a difference of floats within a factor
of two, Sterbenz), and ā_k an enclosure of ∂f/∂node_k over the V's,

    |f̂ − F| ≤ min(Σ sup|ā_k|·δ_k, width of V_out).

The first is the mean value theorem along the path that switches one rounding error on after the other, the second
needs no derivative. In a difference f̂(a) − f̂(b) along one variable, a node that does not depend on it has the same
rounding error at both ends, so it contributes width(ā_k)·δ_k instead of 2·sup|ā_k|·δ_k. All is proven given the
constants k_op and a_op (:mod:`diffcompare.arithmetic.roundings.constants`).

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), sections 3.3 (running error analysis), 2.2
(the model of rounding, with underflow) and 2.5 (Sterbenz's theorem); W. Miller, C. Wrathall, Software for Roundoff
Analysis of Matrix Algorithms (1980).
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from flint import arb, fmpq

from diffcompare.arithmetic.balls import BALL_OPERATIONS, above, ball, ball_function, ball_operation, precision
from diffcompare.arithmetic.moving import FEWEST, NARROW, Chain, Moved, Rest, Values, few_moving, moved_products
from diffcompare.arithmetic.roundings.constants import rounding_constants
from diffcompare.arithmetic.roundings.narrow import narrow_constants
from diffcompare.arithmetic.roundings.special_constants import SPECIAL, Accuracy, accuracy
from diffcompare.arithmetic.ulp import BINARY64, FORMATS, Format, round_to_nearest
from diffcompare.program.adjoint import sensitivities
from diffcompare.program.code import operation_source, straight_line, temporary
from diffcompare.program.dag import Node, Program
from diffcompare.program.moving import moving_nodes
from diffcompare.program.run import compiled, per_program

__all__ = ["ROUNDING_BITS", "has_jump", "local_bounds", "local_errors", "point_rounding_bound", "rounding_bound"]

ROUNDING_BITS = 64
_ETA = 2.0**-1074
# a computed value may be infinite from this part of the largest number on, and the model of rounding ends
_LARGEST = 0.995


def rounding_bound(program: Program, box: Sequence[arb], direction: int, *, dtype: str = "float64") -> float:
    """Bound |(f̂(a) − F(a)) − (f̂(b) − F(b))| for any two points of a box that differ in one coordinate.

    Proven, given the table of constants. f̂ is what the generated NumPy code returns.

    Parameters
    ----------
    program : Program
    box : sequence of arb
        One enclosure per variable.
    direction : int
        The coordinate in which the points differ.
    dtype : str
        The format that f̂ computes in.

    Returns
    -------
    float
        Rounded upwards, in units of f; nan where no bound was found: an intermediate value may overflow or leave the
        domain of its operation.
    """
    with precision(ROUNDING_BITS):
        code = _code(program, dtype)
        if isinstance(box, Moved) and box.direction == direction:
            moving = few_moving(sensitivities(program), direction)
            if moving is not None:
                known: _AtRest = box.rest.once(("rounding", program, dtype), lambda: _AtRest(code, program, box.rest))
                return known.bound(moving, box.value, code.moving(program, direction))
        return _bound(_run(code, box), code.moving(program, direction))


def point_rounding_bound(program: Program, point: Sequence[float], direction: int, *, dtype: str = "float64") -> float:
    """Bound the same very close to one point; see :func:`rounding_bound`. All directions share one run."""
    with precision(ROUNDING_BITS):
        code, at = _code(program, dtype), tuple(point)
        found = code.last.get(at)
        if found is None:
            found = _run(code, [ball(x) for x in point])
            code.last.clear()
            code.last[at] = found
        return _bound(found, code.moving(program, direction))


def _bound(found: _Found, moving: Sequence[int]) -> float:
    value, products, spreads, jumps = found
    still = spreads.total(dict.fromkeys(moving) if len(spreads.terms) == len(products) else {})
    return _smaller_bound(value, [products[k] for k in moving], still, jumps=jumps)


def _smaller_bound(value: arb, products: Sequence[arb], still: arb, *, jumps: bool) -> float:
    """Return the smaller bound, given the products of the nodes that move and the sum of the spreads of the others."""
    if not value.is_finite():
        return math.nan
    # each of the four values lies in V_out
    width = above(4 * value.rad())
    total = 2 * sum(products, arb(0)) + still
    # past a jump there is no derivative to go by: both branches lie in the enclosure
    return width if jumps or not total.is_finite() else min(above(total), width)


def local_bounds(program: Program, point: Sequence[float]) -> list[float]:
    """Bound what the rounding of each node contributes to f̂ − F at a point: sup|ā_k|·δ_k; nan where unknown."""
    with precision(ROUNDING_BITS):
        code = _code(program, BINARY64.name)
        _, products, _, jumps = _run(code, [ball(x) for x in point])
        found = dict(zip(code.rounding, products, strict=True))
        return [
            0.0 if k not in found else math.nan if jumps or not found[k].is_finite() else above(found[k])
            for k in range(len(program.nodes))
        ]


def local_errors(program: Program, point: Sequence[float], values: Sequence[float]) -> list[float]:
    """Measure what the rounding of each node contributes to f̂ − F at a point, to first order.

    ``values`` are the floats that the nodes took; the local error of a node is its value less the exact operation on
    the values of its operands, its contribution that times ∂f/∂node.
    """
    with precision(2 * ROUNDING_BITS):
        bars = ball_function(sensitivities(program))(*(ball(x) for x in point))[1:]
        contributions = []
        for k, node in enumerate(program.nodes):
            if isinstance(values[k], bool) or node.operation in ("variable", "undefined") or bars[k].is_zero():
                contributions.append(0.0)
                continue
            exact = ball_operation(node, *(_operand(values[i]) for i in node.operands))
            contribution = (ball(float(values[k])) - exact) * bars[k]
            contributions.append(float(contribution.mid()) if contribution.is_finite() else math.nan)
        return contributions


def _operand(value: float) -> arb | bool:
    return value if isinstance(value, bool) else ball(float(value))


def has_jump(program: Program, box: Sequence[arb]) -> bool:
    """Tell whether a branch, sign, step or the cut of atan2 is undecided over a box, so that the function may jump."""
    with precision(ROUNDING_BITS):
        return _run(_code(program, BINARY64.name), box)[3]


# V_out, ā·[−δ, δ] and width(ā)·[−δ, δ] of the rounding nodes, and whether a jump lies inside
_Found = tuple[arb, Sequence[arb], Chain, bool]


@dataclass(frozen=True, slots=True)
class _Code:
    run: Callable[..., tuple[arb, ...]]
    rounding: tuple[int, ...]  # the nodes that round
    jumps: list[str]
    last: dict[tuple[float, ...], _Found]  # what was found at the last point
    places: dict[int, int]  # of the rounding nodes in their list
    steps: list[_Step]  # one node each, of programs of many variables
    bars: list[int]  # for each rounding node, ∂f/∂node
    form: Format
    part: Callable[[arb, arb], arb]
    alone: list[int] | None  # what moves with the variable of a program of one

    def moving(self, program: Program, direction: int) -> list[int]:
        """Return the places of the rounding nodes that move with a variable."""
        if self.alone is not None:
            return self.alone
        return sorted(self.places[k] for k in moving_nodes(program, direction) if k in self.places)


# V of a node, and its [−δ, δ] where it rounds
_Step = Callable[..., tuple[Any, arb | None]]


def _run(code: _Code, box: Sequence[arb]) -> _Found:
    code.jumps.clear()
    value, *rest = code.run(*box)
    count = len(code.rounding)
    return value, rest[:count], Chain(rest[count:], arb(0)), bool(code.jumps)


class _AtRest:
    """What was found at a point from which one coordinate at a time moves away."""

    def __init__(self, code: _Code, program: Program, rest: Rest) -> None:
        self.code, self.size = code, len(program.nodes)
        self.errors: dict[int, arb] = {}
        self.jumped: set[int] = set()
        self.sums: dict[int, tuple[Chain, Chain]] = {}
        self.values = Values(sensitivities(program), rest.balls, self._step, self._total)
        self.still = self.errors
        pairs = list(zip((self.values.at_rest[i] for i in code.bars), code.rounding, strict=True))
        self.products = [code.part(bar, self.still[k]) for bar, k in pairs]
        self.spreads = Chain([code.part(_spread(bar), self.still[k]) for bar, k in pairs], arb(0))
        self.places: dict[int, list[int]] = {}
        for place, bar in enumerate(code.bars):
            self.places.setdefault(bar, []).append(place)

    def bound(self, moving: Sequence[int], value: arb, places: Sequence[int]) -> float:
        """Bound the difference of two rounding errors where the nodes that move with a variable have moved."""
        code, before = self.code, self.jumped
        self.errors, self.jumped = {}, set()
        found = self.values.moved(moving, value)
        errors, jumped = self.errors, self.jumped | (before - set(moving))
        self.errors, self.jumped = self.still, before
        changed = {code.places[k] for k in errors}
        for bar in found:
            changed.update(self.places.get(bar, ()))
        products: dict[int, arb] = {}
        spreads: dict[int, arb | None] = {}
        for place in changed:
            k, index = code.rounding[place], code.bars[place]
            bar = found[index] if index in found else self.values.at_rest[index]
            error = errors[k] if k in errors else self.still[k]
            products[place], spreads[place] = code.part(bar, error), code.part(_spread(bar), error)
        spreads |= dict.fromkeys(places)
        moved = [products[p] if p in products else self.products[p] for p in places]
        return _smaller_bound(self.values.output(found), moved, self.spreads.total(spreads), jumps=bool(jumped))

    def _step(self, index: int, _: Node, operands: Sequence[Any]) -> Any:
        self.code.jumps.clear()
        value, error = self.code.steps[index](*operands)
        if error is not None:
            self.errors[index] = error
        if self.code.jumps:
            self.jumped.add(index)
        return value

    def _total(self, index: int, node: Node, known: Sequence[arb], moved: Mapping[int, arb]) -> arb:
        half, form = len(known) // 2, self.code.form
        is_sum = node.operation == "sum"
        sizes: dict[int, arb]
        if index not in self.sums:
            terms = known if is_sum else [known[p] * known[p + half] for p in range(half)]
            sides = [a.abs_upper() for a in known]
            # only nodes of f itself round
            sizes_at_rest = sides if is_sum else [sides[p] * sides[p + half] for p in range(half)]
            self.sums[index] = Chain(terms, arb(0)), Chain(sizes_at_rest if index < self.size else [], arb(0))
        chain, size = self.sums[index]
        value: arb = chain.total(moved if is_sum else moved_products(half, known, moved))
        if index >= self.size:
            return value
        if is_sum:
            sizes = {p: a.abs_upper() for p, a in moved.items()}
        else:
            sizes = moved_products(half, _Sides(known), {p: a.abs_upper() for p, a in moved.items()})
        count = len(size.terms)
        error = _sum_rounding(size.total(sizes), count, count - 1 if is_sum else count, form)
        self.errors[index] = error
        return value + error


class _Sides(Sequence[arb]):
    """The largest sizes of balls, of those that are asked for."""

    def __init__(self, balls: Sequence[arb]) -> None:
        self.balls = balls

    def __len__(self) -> int:
        return len(self.balls)

    def __getitem__(self, index: Any) -> Any:
        return self.balls[index].abs_upper()


@per_program
def _code(program: Program, dtype: str) -> _Code:
    form, whole, size = FORMATS[dtype], sensitivities(program), len(program.nodes)
    jumps: list[str] = []
    scope: dict[str, Any] = {f"own_{name}_": _noting(name, test, jumps) for name, test in _JUMPS.items()}
    scope |= {
        "arb": arb,
        "rounding_": _in(form, _rounding),
        "difference_rounding_": _in(form, _difference_rounding),
        "spread_": _spread,
        "part_": _part,
    }
    scope["special_rounding_"] = _special_rounding
    scope |= {"sum_rounding_": _in(form, _n_ary_sum_rounding), "dot_rounding_": _in(form, _dot_rounding)}
    rounding: list[int] = []

    def constant(index: int, node: Node) -> str:
        value = Fraction(node.payload or 0)
        exact, source = value.denominator & (value.denominator - 1) == 0, f"k{index}"
        scope[source] = ball(value) if exact else fmpq(value.numerator, value.denominator)
        source = source if exact else f"arb({source})"
        if index < size and abs(value) >= _LARGEST * form.largest:
            # the float is infinite, or nearly
            return "arb.nan()"
        rounded = round_to_nearest(value) if form is BINARY64 else form.round(value)
        gap = abs(Fraction(rounded) - value) if index < size and math.isfinite(rounded) else 0
        if not gap:
            return source
        scope[f"g{index}"] = arb(0, math.nextafter(float(gap), math.inf))
        rounding.append(index)
        return f"{source} + (d{index} := g{index})"

    def spell(index: int, node: Node, operands: Sequence[str]) -> str:
        if node.operation == "constant":
            return constant(index, node)
        source = operation_source(node, operands)
        if index >= size:
            return source
        if node.operation in _JUMPS:
            source = f"own_{source}"
        if node.operation in ("sum", "dot"):
            rounding.append(index)
            bound = f"{node.operation}_rounding_({', '.join(operands)})"
            return f"(r{index} := {source}) + (d{index} := {bound})"
        if node.operation in SPECIAL and form is BINARY64:
            rounding.append(index)
            scope[f"a{index}"] = accuracy(program, node)
            return f"(r{index} := {source}) + (d{index} := special_rounding_(r{index}, {operands[-1]}, a{index}))"
        ulps, absolute = rounding_constants(node) if form is BINARY64 else narrow_constants(node, form.name)
        if not ulps:
            return source
        if _scales_by_a_power_of_two(program, node):
            ulps = 0.0
        rounding.append(index)
        # what was not measured has no bound
        bound = f"rounding_(r{index}, {ulps!r}, {absolute!r})" if math.isfinite(ulps) else "arb.nan()"
        if node.operation in ("add", "subtract"):
            other = operands[1] if node.operation == "subtract" else f"-{operands[1]}"
            bound = f"difference_rounding_(r{index}, {operands[0]}, {other})"
        return f"(r{index} := {source}) + (d{index} := {bound})"

    # which nodes round is known once they are spelled; what is returned of them is written afterwards
    head = Program(whole.variables, whole.nodes, whole.outputs[:1])
    straight_line(head, spell)
    nodes = tuple(dict.fromkeys(rounding))
    bars = {k: temporary(whole, whole.outputs[1 + k]) for k in nodes}
    # what a branch that is not taken does, undefined or not, does not count
    times = "part_({0}, {1})" if any(node.operation == "select" for node in program.nodes) else "{0} * {1}"
    extras = [times.format(bars[k], f"d{k}") for k in nodes]
    # of one variable the spreads of what moves with it are asked for by nobody
    moving = set(moving_nodes(program, 0)) if len(program.variables) == 1 else None
    extras += [times.format(f"spread_({bars[k]})", f"d{k}") for k in nodes if moving is None or k not in moving]
    run = compiled(head, BALL_OPERATIONS.__getitem__, spell, scope, extras=extras)
    places = {k: place for place, k in enumerate(nodes)}
    alone = None if moving is None else [place for place, k in enumerate(nodes) if k in moving]
    steps = _steps(whole, spell, scope, places) if len(program.variables) >= FEWEST else []
    part = _part if times.startswith("part_") else operator.mul
    return _Code(run, nodes, jumps, {}, places, steps, [whole.outputs[1 + k] for k in nodes], form, part, alone)


# its own r and d are all that a node names so
_NUMBERED = re.compile(r"\b([rd])\d+\b")


def _steps(
    whole: Program, spell: Callable[..., str], scope: dict[str, Any], rounding: Mapping[int, int]
) -> list[_Step]:
    """Make a function of every node alone; alike nodes have one."""
    known: dict[str, _Step] = {}
    steps = []
    for index, node in enumerate(whole.nodes):
        if node.operation == "variable" or (len(node.operands) > NARROW and node.operation in ("sum", "dot")):
            source = ""
        else:
            names = [f"o{j}" for j in range(len(node.operands))]
            value = _NUMBERED.sub(r"\1", spell(index, node, names))
            source = f"lambda {', '.join(names)}: ({value}, {'d' if index in rounding else 'None'})"
        if source and source not in known:
            known[source] = eval(source, scope)  # noqa: S307 - our own source
        steps.append(known.get(source, _no_step))
    return steps


def _no_step(*_: Any) -> tuple[Any, arb | None]:
    raise AssertionError("a variable, or a sum of many")


def _scales_by_a_power_of_two(program: Program, node: Node) -> bool:
    """Tell whether a product or quotient is exact but for underflow."""
    if node.operation not in ("multiply", "divide"):
        return False
    constants = [program.nodes[i] for i in (node.operands if node.operation == "multiply" else node.operands[1:])]
    values = [abs(Fraction(c.payload or 0)) for c in constants if c.operation == "constant"]
    return any(
        2.0**-1000 < v < 2.0**1000 and v.numerator & (v.numerator - 1) == 0 and v.denominator & (v.denominator - 1) == 0
        for v in values
    )


def _in(form: Format, rule: Callable[..., arb]) -> Callable[..., arb]:
    return rule if form is BINARY64 else partial(rule, form=form)


def _rounding(value: arb, ulps: float, absolute: float, form: Format = BINARY64) -> arb:
    """Return [−δ, δ] for a value of this enclosure."""
    largest = float(value.abs_upper())
    if not largest < _LARGEST * form.largest:
        return arb.nan()
    eta = _ETA if form is BINARY64 else form.least
    return arb(0, ulps * form.ulp(largest) + absolute + eta)


def _special_rounding(value: arb, x: arb, known: Sequence[Accuracy]) -> arb:
    """Return [−δ, δ] for a special function of x: nan where x may lie outside the ranges that are known."""
    if not known or not (x >= known[0].low and x <= known[-1].high):
        return arb.nan()
    met = [piece for piece in known if not (x < piece.low or x > piece.high)]
    largest = float(value.abs_upper())
    if not largest < _LARGEST * BINARY64.largest:
        return arb.nan()
    return arb(0, max(piece.ulps * math.ulp(largest) + piece.absolute for piece in met) + _ETA)


def _difference_rounding(value: arb, a: arb, b: arb, form: Format = BINARY64) -> arb:
    """Return [−δ, δ] for a − b: no error where b/2 ≤ a ≤ 2b (Sterbenz), and none from underflow."""
    if (a > 0 and 2 * a >= b and a <= 2 * b) or (a < 0 and 2 * a <= b and a >= 2 * b):
        return arb(0)
    largest = float(value.abs_upper())
    return arb(0, 0.5 * form.ulp(largest)) if largest < _LARGEST * form.largest else arb.nan()


def _part(bar: arb, error: arb) -> arb:
    return bar if bar.is_zero() else bar * error


def _terms_rounding(sizes: Sequence[arb], roundings: int, form: Format) -> arb:
    """Return γ_n·Σ|terms| + nη, γ_n = nu/(1 − nu): it holds in any order of summation, with fused products or without.

    Higham 2002, (3.5) and (4.4), with one more roundings for the products of a dot product.
    """
    return _sum_rounding(sum(sizes, arb(0)), len(sizes), roundings, form)


def _sum_rounding(size: arb, count: int, roundings: int, form: Format) -> arb:
    total = float(size.upper())
    share = roundings * form.unit_roundoff
    if not total < _LARGEST * form.largest or share >= 0.5:
        return arb.nan()
    gamma = share / (1 - share)
    return arb(0, math.nextafter(gamma * total, math.inf) * (1 + 2.0**-50) + count * form.least)


def _n_ary_sum_rounding(*terms: arb, form: Format = BINARY64) -> arb:
    return _terms_rounding([term.abs_upper() for term in terms], len(terms) - 1, form)


def _dot_rounding(*factors: arb, form: Format = BINARY64) -> arb:
    half = len(factors) // 2
    products = [a.abs_upper() * b.abs_upper() for a, b in zip(factors[:half], factors[half:], strict=True)]
    return _terms_rounding(products, half, form)


def _spread(value: arb) -> arb:
    return 2 * value.rad()


def _noting(name: str, decided: Callable[..., bool], jumps: list[str]) -> Callable[..., object]:
    operation = BALL_OPERATIONS[name]

    def noting(*operands: object) -> object:
        if not decided(*operands):
            jumps.append(name)
        return operation(*operands)

    return noting


_JUMPS: dict[str, Callable[..., bool]] = {
    "select": lambda condition, *_: isinstance(condition, bool),
    "sign": lambda x: bool(x > 0 or x < 0 or x.is_zero()),
    "atan2": lambda a, b: bool(a > 0 or a < 0 or b > 0),
    "floor": lambda x: bool(x.floor().is_exact()),
    "ceiling": lambda x: bool(x.ceil().is_exact()),
}
