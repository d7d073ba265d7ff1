"""Programs in truncated Taylor series with enclosed coefficients (jets), along one variable.

``arb_series`` has the operation where it can; the others are put together from it. Where a function is not
analytic at the point, or may not be, all its coefficients are nan.

References
----------
Griewank, Walther, Evaluating Derivatives, 2nd ed. (2008), chapter 13: Taylor arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import flint
from flint import arb, arb_series

from diffcompare.arithmetic.balls import BALL_OPERATIONS, Condition, ball, precision
from diffcompare.arithmetic.moving import Chain, Moved, Values, few_moving, moved_products
from diffcompare.arithmetic.special_jets import SPECIAL_JETS
from diffcompare.arithmetic.watched import watched
from diffcompare.program.chains import with_sums
from diffcompare.program.code import operation_source
from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import ARITHMETIC, COMPARISONS, CONDITIONS, OPERATIONS
from diffcompare.program.run import compiled, payload_of, per_program

__all__ = [
    "JET_BITS",
    "JET_ORDER",
    "directional_curvature",
    "directional_slope",
    "series_length",
    "taylor_coefficients",
    "taylor_jet",
]

JET_ORDER = 10
JET_BITS = 80

Series = arb_series
JetFunction = Callable[..., tuple[Series, ...]]


class series_length:  # noqa: N801 - reads like the function that it is; a generator costs more
    """Truncate series to this many coefficients inside; flint's cap belongs to the process, so hold the lock."""

    __slots__ = ("before", "length")

    def __init__(self, length: int) -> None:
        self.length = length

    def __enter__(self) -> None:
        self.before = flint.ctx.cap
        flint.ctx.cap = self.length

    def __exit__(self, *_: object) -> None:
        flint.ctx.cap = self.before


def taylor_jet(
    program: Program, point: Sequence[float | arb], direction: int, *, order: int = JET_ORDER, bits: int = JET_BITS
) -> list[arb]:
    """Enclose the Taylor coefficients F^(k)/k!, k = 0 … order, along one variable.

    Proven: each ball contains the true coefficient, at every point of the balls given.

    Parameters
    ----------
    program : Program
        With one output.
    point : sequence of float or ball
        Exact binary values, or enclosures of ranges.
    direction : int
        The index of the variable that moves.
    order, bits : int
        Highest coefficient, working precision.

    Returns
    -------
    list of arb, length order + 1
        All nan where the function is not (provably) analytic there.
    """
    if isinstance(point, Moved) and point.direction == direction:
        program = with_sums(program)
        moving = few_moving(program, direction)
        if moving is not None:
            return _moved_jet(program, point, moving, order, bits)
    run = _function(program)
    with precision(bits), series_length(order + 1):
        arguments = [
            arb_series([value, 1]) if i == direction else arb_series([value]) for i, value in enumerate(map(arb, point))
        ]
        coefficients = run(*arguments)[0].coeffs()
    return coefficients + [arb(0)] * (order + 1 - len(coefficients))


def _moved_jet(program: Program, point: Moved, moving: Sequence[int], order: int, bits: int) -> list[arb]:
    """Return the coefficients, the nodes that do not move taken from the point at rest."""
    with precision(bits), series_length(order + 1):
        known: Values = point.rest.once(("jets", program, bits, order), lambda: _at_rest_values(program, point))
        coefficients: list[arb] = known.output(known.moved(moving, arb_series([point.value, 1]))).coeffs()
    return coefficients + [arb(0)] * (order + 1 - len(coefficients))


def _at_rest_values(program: Program, point: Moved) -> Values:
    heads: dict[int, Chain | None] = {}

    def total(index: int, node: Node, known: Sequence[Series], moved: Mapping[int, Series]) -> Series:
        """Add n series of which few are longer than a number: those, and the numbers in front, as ever."""
        half = len(known) // 2
        if index not in heads:
            terms = known if node.operation == "sum" else [known[p] * known[p + half] for p in range(half)]
            still = all(term.length() <= 1 for term in terms)
            heads[index] = Chain([term[0] for term in terms], arb(0)) if still else None
        chain = heads[index]
        changed = moved if node.operation == "sum" else moved_products(half, known, moved)
        if chain is None or not changed:
            operands = list(known)
            for p, term in moved.items():
                operands[p] = term
            return JET_OPERATIONS[node.operation](*operands)  # type: ignore[return-value]
        tail = arb_series([0])
        for p in sorted(changed):
            tail = tail + changed[p]
        return _with_head(chain.total({p: term[0] for p, term in changed.items()}), tail)

    variables = [arb_series([value]) for value in point.rest.balls]
    return Values(program, variables, _jet_operation, total)


def _jet_operation(_: int, node: Node, operands: Sequence[Any]) -> Any:
    if node.operation == "constant":
        return arb_series([ball(Fraction(node.payload or 0))])
    if node.operation == "divide":
        return _divide(*operands)
    return JET_OPERATIONS[node.operation](*operands, *payload_of(node))


def directional_slope(program: Program, point: Sequence[float | arb], direction: Sequence[int], bits: int) -> arb:
    """Enclose Σ d_i ∂F/∂x_i for whole numbers d_i: all partial derivatives by one series of two terms."""
    return _along(program, point, direction, 1, bits)


def directional_curvature(program: Program, point: Sequence[float | arb], direction: Sequence[int], bits: int) -> arb:
    """Enclose Σ d_i d_j ∂²F/∂x_i∂x_j for whole numbers d_i: twice the second Taylor coefficient along d."""
    with precision(bits):
        return 2 * _along(program, point, direction, 2, bits)


def _along(program: Program, point: Sequence[float | arb], direction: Sequence[int], order: int, bits: int) -> arb:
    run = _function(program)
    with precision(bits), series_length(order + 1):
        coefficients = run(*(arb_series([arb(x), d]) for x, d in zip(point, direction, strict=True)))[0].coeffs()
    return coefficients[order] if len(coefficients) > order else arb(0)


def taylor_coefficients(
    program: Program, point: Sequence[float | arb], direction: int, *, order: int = JET_ORDER
) -> list[float]:
    """Return the midpoints of :func:`taylor_jet` at a point as floats: estimates of F^(k)/k!, k = 0 … order."""
    return [float(coefficient) for coefficient in taylor_jet(program, point, direction, order=order)]


@per_program
def _function(program: Program) -> JetFunction:
    scope: dict[str, Any] = {"divide_": _divide, "series": arb_series, "ball": ball}

    def spell(index: int, node: Node, operands: Sequence[str]) -> str:
        if node.operation == "constant":
            scope[f"k{index}"] = Fraction(node.payload or 0)
            return f"series([ball(k{index})])"
        if node.operation == "divide":
            return f"divide_({', '.join(operands)})"
        return operation_source(node, operands)

    return compiled(program, JET_OPERATIONS.__getitem__, spell, scope)


def _undefined() -> Series:
    return arb_series([arb.nan()] * flint.ctx.cap)


def _guarded(function: Callable[..., Series]) -> Callable[..., Series]:
    """Make the nan series of what flint refuses (a leading coefficient around 0)."""

    def guarded(*arguments: Series) -> Series:
        try:
            return function(*arguments)
        except (ValueError, ZeroDivisionError):
            return _undefined()

    return guarded


@_guarded
def _divide(a: Series, b: Series) -> Series:
    return a / b


def _with_head(head: arb, series: Series) -> Series:
    coefficients = series.coeffs()
    return arb_series([head, *coefficients[1:]])


def _integral(head: arb, derivative: Series) -> Series:
    return _with_head(head, derivative.integral())


def _integer_power(u: Series, n: int) -> Series:
    if u.length() <= 1:
        # flint's power of a ball with midpoint 0 is nan
        return arb_series([BALL_OPERATIONS["integer_power"](u[0], n)])
    return _divide(arb_series([1]), u**-n) if n < 0 else u**n


def _power(u: Series, p: Series) -> Series:
    if not u[0] > 0:
        return _undefined()
    return u ** p[0] if p.length() <= 1 else (p * u.log()).exp()


def _cbrt(u: Series) -> Series:
    third = ball(Fraction(1, 3))
    if u[0] > 0:
        return u**third
    return -((-u) ** third) if u[0] < 0 else _undefined()


def _hypot(u: Series, v: Series) -> Series:
    return _sqrt(u * u + v * v)


def _sinh_cosh(u: Series) -> tuple[Series, Series]:
    # addition theorems, DLMF 4.35.1-2: the moving part has head 0 (exactly, although a wide head less itself is not
    # 0), so nothing cancels
    head, moving = u[0], _with_head(arb(0), u)
    forth, back = moving.exp(), (-moving).exp()
    cosh, sinh = (forth + back) / 2, (forth - back) / 2
    return head.sinh() * cosh + head.cosh() * sinh, head.cosh() * cosh + head.sinh() * sinh


def _tanh(u: Series) -> Series:
    sinh, cosh = _sinh_cosh(u)
    return _divide(sinh, cosh)


@_guarded
def _asin(u: Series) -> Series:
    return _integral(u[0].asin(), u.derivative() * (1 - u * u).rsqrt()) if abs(u[0]) < 1 else _undefined()


def _acos(u: Series) -> Series:
    return _with_head(u[0].acos(), -_asin(u))


@_guarded
def _acosh(u: Series) -> Series:
    return _integral(u[0].acosh(), u.derivative() * (u * u - 1).rsqrt()) if u[0] > 1 else _undefined()


@_guarded
def _asinh(u: Series) -> Series:
    return _integral(u[0].asinh(), u.derivative() * (u * u + 1).rsqrt())


@_guarded
def _atan(u: Series) -> Series:
    return _integral(u[0].atan(), u.derivative() / (u * u + 1))


def _atanh(u: Series) -> Series:
    return _integral(u[0].atanh(), _divide(u.derivative(), 1 - u * u)) if abs(u[0]) < 1 else _undefined()


def _atan2(a: Series, b: Series) -> Series:
    # d atan2(a, b) = (b da - a db)/(a² + b²), DLMF 4.23; on the cut there is no jet
    if not (a[0] > 0 or a[0] < 0 or b[0] > 0):
        return _undefined()
    return _integral(arb.atan2(a[0], b[0]), _divide(b * a.derivative() - a * b.derivative(), a * a + b * b))


def _log(u: Series) -> Series:
    return u.log() if u[0] > 0 else _undefined()


def _sqrt(u: Series) -> Series:
    return u.sqrt() if u[0] > 0 else _undefined()


def _abs(u: Series) -> Series:
    return u if u[0] > 0 else -u if u[0] < 0 else _undefined()


def _sign(u: Series) -> Series:
    return arb_series([u[0].sgn()]) if u[0] > 0 or u[0] < 0 else _undefined()


def _select(condition: Condition, first: Series, second: Series) -> Series:
    return first if condition is True else second if condition is False else _undefined()


def _comparison(name: str) -> Callable[..., Condition]:
    """Compare heads; exactly at a switch that moves, the answer changes with the side, so there is none."""
    decide = BALL_OPERATIONS[name]

    def compare(u: Series, v: Series) -> Any:
        answer = decide(u[0], v[0])
        if u[0] < v[0] or u[0] > v[0] or (u.length() <= 1 and v.length() <= 1) or not isinstance(answer, bool):
            return answer
        return None

    return compare


def _at_rest(name: str, rule: Callable[..., Series]) -> Callable[..., Series]:
    """Take the value of what does not move: it may be on a corner or on an edge of its domain."""
    value = BALL_OPERATIONS[name]

    def apply(*operands: Series) -> Any:
        if all(operand.length() <= 1 for operand in operands):
            return arb_series([value(*(operand[0] for operand in operands))])
        return rule(*operands)

    return apply


_less, _greater = _comparison("less"), _comparison("greater")


JET_OPERATIONS: dict[str, Callable[..., object]] = {
    **ARITHMETIC,
    "pi": lambda: arb_series([arb.pi()]),
    "e": lambda: arb_series([arb.const_e()]),
    "undefined": _undefined,
    "integer_power": _integer_power,
    "power": _power,
    "sqrt": _sqrt,
    "cbrt": _cbrt,
    "hypot": _hypot,
    "exp": arb_series.exp,
    "exp2": lambda u: (u * arb(2).log()).exp(),
    "expm1": lambda u: _with_head(u[0].expm1(), u.exp()),
    "log": _log,
    "log2": lambda u: _with_head(u[0].log_base(2), _log(u) / arb(2).log()),
    "log10": lambda u: _with_head(u[0].log_base(10), _log(u) / arb(10).log()),
    "log1p": lambda u: _with_head(u[0].log1p(), _log(1 + u)),
    "sin": arb_series.sin,
    "cos": arb_series.cos,
    "tan": _guarded(arb_series.tan),
    "asin": _asin,
    "acos": _acos,
    "atan": _atan,
    "atan2": _atan2,
    "sinh": lambda u: _sinh_cosh(u)[0],
    "cosh": lambda u: _sinh_cosh(u)[1],
    "tanh": _tanh,
    "asinh": _asinh,
    "acosh": _acosh,
    "atanh": _atanh,
    "abs": _abs,
    "sign": _sign,
    "min": lambda u, v: _select(_less(u, v), u, v),
    "max": lambda u, v: _select(_greater(u, v), u, v),
    "select": _select,
    **{name: BALL_OPERATIONS[name] for name in CONDITIONS},
    **watched("jets", SPECIAL_JETS),
}
JET_OPERATIONS |= {name: _comparison(name) for name in COMPARISONS}
JET_OPERATIONS |= {
    name: _at_rest(name, JET_OPERATIONS[name])  # type: ignore[arg-type]
    for name, row in OPERATIONS.items()
    if row.switch and name not in CONDITIONS | SPECIAL_JETS.keys()
}
