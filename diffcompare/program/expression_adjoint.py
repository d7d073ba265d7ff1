"""Reverse mode on expressions: the derivative of a number, as people write it."""

# ruff: noqa: ARG001, ARG005 - every rule takes the same arguments

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.arrays import contracted
from diffcompare.program.dag import Term
from diffcompare.program.expression import MASKS, Coefficient, Expression, Key, factors_of, operands_first, reduced_axes
from diffcompare.program.expression_reading import applied, solved
from diffcompare.program.expression_shapes import (
    contract,
    cumulate,
    expanded,
    full,
    index,
    reduced,
    reshape,
    scatter,
    total,
    transpose,
)
from diffcompare.program.expressions import Expressions
from diffcompare.program.operations import OPERATIONS, partial_terms

__all__ = ["gradients"]

_ONE = Fraction(1)
Contribution = tuple[Expression, Expression]


def gradients(
    write: Expressions, slopes: Mapping[Expression, Expression], pieces: Collection[Expression],
    held: Collection[str] = (),
) -> dict[Expression, Expression]:  # fmt: skip
    """Return the derivative of a number in all expressions that depend on the pieces, by these; none where it is 0.

    ``slopes`` holds its derivative in those that it is computed from; ``held`` names operations whose results are
    taken as constant.
    """
    order = operands_first(slopes)
    moving = set(pieces)
    for one in order:
        if any(operand in moving for operand in one.operands) and one.operation not in (*MASKS, *held):
            moving.add(one)
    found: dict[Expression, Expression] = {}
    waiting = {one: [slope] for one, slope in slopes.items()}
    for one in reversed(order):
        if one not in moving or one not in waiting:
            continue
        # in the order in which the function uses it
        bar = found[one] = write.plus(*reversed(waiting[one]))
        if bar.number == 0 or not one.operands or one in pieces:
            continue
        for operand, contribution in _contributions(write, one, bar, moving):
            if operand in moving and contribution.number != 0:
                waiting.setdefault(operand, []).append(contribution)
    return found


def _contributions(
    write: Expressions, one: Expression, bar: Expression, moving: set[Expression]
) -> Iterable[Contribution]:
    if one.operation in _RULES:
        yield from _RULES[one.operation](write, one, bar)
        return
    rule = _PARTIALS.get(one.operation)
    if rule is not None:
        partials = rule(write, one, *one.operands)
    elif one.operation in OPERATIONS:
        built: Any = _Table(write)
        result, operands = Term(built, one), [Term(built, o) for o in one.operands]  # type: ignore[arg-type]
        terms = partial_terms(one.operation, one.payload, result, operands)
        partials = [term.index for term in terms]  # type: ignore[misc]
    else:
        raise UnsupportedFunction(f"the derivative of {one.operation} is not written")
    for operand, partial in zip(one.operands, partials, strict=True):
        if operand in moving:
            yield operand, reduced(write, write.times(bar, partial), one.shape, operand.shape)


@dataclass(frozen=True, slots=True)
class _Table:
    """What a term of the operations table needs to be written as an expression."""

    write: Expressions

    @property
    def nodes(self) -> _Table:
        """A term asks whether it is a negative: by itself an expression is none."""
        return self

    def __getitem__(self, one: Expression) -> Expression:
        return one

    def constant(self, value: Fraction | int) -> Expression:
        """Return a number."""
        return self.write.number(value)

    def value(self, one: Expression) -> Fraction | None:
        """Return the value of a number."""
        return one.number

    def apply(self, name: str, *operands: Expression, payload: Any = None) -> Expression:
        """Apply an operation."""
        return applied(self.write, name, operands, payload)

    raw = apply


def _product(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    coefficient, factors = one.payload[0], factors_of(one)
    for k, (base, exponent) in enumerate(factors):
        rest = [f for j, f in enumerate(factors) if j != k]
        partial = write.product([(bar, _ONE), (base, exponent - 1), *rest], coefficient * Coefficient(exponent))
        yield base, reduced(write, partial, one.shape, base.shape)


def _sum(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    for term, coefficient in zip(one.operands, one.payload, strict=True):
        yield term, reduced(write, write.product([(bar, _ONE)], coefficient), one.shape, term.shape)


def _total(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    (operand,) = one.operands
    yield operand, expanded(write, bar, len(operand.shape), one.payload)


def _mean(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    (operand,) = one.operands
    count = math.prod(operand.shape[a] for a in one.payload)
    yield operand, write.scaled(expanded(write, bar, len(operand.shape), one.payload), 1, count)


def _contract(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    first, second, result = contracted(one.payload)[:3]
    left, right = one.operands
    bar = full(write, bar, one.shape)
    yield left, contract(write, f"{result},{second}->{first}", bar, right)
    yield right, contract(write, f"{result},{first}->{second}", bar, left)


def _outer(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    left, right = one.operands
    bar = full(write, bar, one.shape)
    yield left, contract(write, "ab,b->a", bar, right)
    yield right, contract(write, "ab,a->b", bar, left)


def _transpose(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    back = [int(a) for a in np.argsort(one.payload)]
    yield one.operands[0], bar if not bar.shape else transpose(write, full(write, bar, one.shape), back)


def _reshape(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    yield one.operands[0], bar if not bar.shape else reshape(write, full(write, bar, one.shape), one.operands[0].shape)


def _broadcast(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    yield one.operands[0], reduced(write, bar, one.shape, one.operands[0].shape)


def _index(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    yield one.operands[0], scatter(write, bar, one.payload, one.operands[0].shape)


def _scatter(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    yield one.operands[0], index(write, full(write, bar, one.shape), one.payload) if bar.shape else bar


def _diagonal(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    n = one.shape[0]
    coefficient, rest = write.split(bar)
    matrix = write.node("eye", (), (n, n)) if not rest.shape else write.node("diag", (rest,), (n, n))
    yield one.operands[0], write.product([(matrix, _ONE), *([] if rest.shape else [(rest, _ONE)])], coefficient)


def _diag(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    yield (
        one.operands[0],
        bar if not bar.shape else write.node("diagonal", (full(write, bar, one.shape),), one.operands[0].shape),
    )


def _cumulate(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    axis, backwards = one.payload
    coefficient, rest = write.split(bar)
    found = cumulate(write, full(write, rest, one.shape), axis, backwards=not backwards)
    yield one.operands[0], write.product([(found, _ONE)], coefficient)


def _pieces_of(write: Expressions, one: Expression, bar: Expression, parts: Sequence[Key]) -> Iterable[Contribution]:
    for operand, key in zip(one.operands, parts, strict=True):
        yield operand, bar if not bar.shape else index(write, full(write, bar, one.shape), key)


def _concatenate(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    ends = np.cumsum([operand.shape[one.payload] for operand in one.operands])[:-1]
    places = np.arange(math.prod(one.shape)).reshape(one.shape)
    return _pieces_of(write, one, bar, [Key(part) for part in np.split(places, ends, axis=one.payload)])


def _join(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    start, parts = 0, []
    for operand in one.operands:
        count = math.prod(operand.shape)
        parts.append(Key(np.arange(start, start + count).reshape(operand.shape)))
        start += count
    return _pieces_of(write, one, bar, parts)


def _diff(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    (operand,) = one.operands
    axis = dict(one.payload).get("axis", -1)
    places = np.arange(math.prod(operand.shape)).reshape(operand.shape)
    n = operand.shape[axis]
    for sign, chosen in ((1, range(1, n)), (-1, range(n - 1))):
        key = Key(np.take(places, chosen, axis=axis))
        yield operand, write.scaled(scatter(write, bar, key, operand.shape), sign)


def _same(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    whole = full(write, bar, one.shape)
    yield one.operands[0], write.node(one.operation, (whole,), one.shape, one.payload)


def _roll(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    options = dict(one.payload)
    back = tuple(sorted({**options, "shift": -options["shift"]}.items()))
    whole = full(write, bar, one.shape)
    yield one.operands[0], bar if not bar.shape else write.node("roll", (whole,), one.shape, back)


def _extreme(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    (operand,) = one.operands
    mask = write.compared("equal", operand, expanded(write, one, len(operand.shape), one.payload))
    yield operand, write.times(expanded(write, bar, len(operand.shape), one.payload), mask)


def _centred(write: Expressions, one: Expression) -> tuple[Expression, int]:
    (operand,), (axes, ddof) = one.operands, reduced_axes(one)
    count = math.prod(operand.shape[a] for a in axes)
    mean = total(write, operand, operand.shape, axes, mean=True)
    return write.minus(operand, expanded(write, mean, len(operand.shape), axes)), count - ddof


def _var(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    centred, count = _centred(write, one)
    wide = expanded(write, bar, len(centred.shape), reduced_axes(one)[0])
    yield one.operands[0], write.scaled(write.times(wide, centred), 2, count)


def _std(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    centred, count = _centred(write, one)
    wide = expanded(write, write.over(bar, one), len(centred.shape), reduced_axes(one)[0])
    yield one.operands[0], write.scaled(write.times(wide, centred), 1, count)


def _prod(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    (operand,) = one.operands
    wide = expanded(write, write.times(bar, one), len(operand.shape), one.payload)
    yield operand, write.over(wide, operand)


def _convolve(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    a, v = one.operands
    (n,), (m,) = a.shape, v.shape
    coefficient, bar = write.split(bar)
    bar, backwards = full(write, bar, one.shape), Key(np.arange(m)[::-1])
    if one.payload == "valid":
        first = write.node("convolve", (bar, index(write, v, backwards)), (n,), "full")
        second = index(write, write.node("correlate", (a, bar), (m,), "valid"), backwards)
    else:
        start = 0 if one.payload == "full" else (m - 1) // 2
        whole = full(
            write, scatter(write, bar, Key(np.arange(start, start + one.shape[0])), (n + m - 1,)), (n + m - 1,)
        )
        first, second = (write.node("correlate", (whole, o), (n + m - k,), "valid") for o, k in ((v, m), (a, n)))
    for operand, found in ((a, first), (v, second)):
        yield operand, write.product([(found, _ONE)], coefficient)


def _norm(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    yield one.operands[0], write.product([(bar, _ONE), (one.operands[0], _ONE), (one, -_ONE)])


def _logsumexp(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    (operand,) = one.operands
    probabilities = write.node("softmax", (operand,), operand.shape, one.payload)
    yield operand, write.times(expanded(write, bar, len(operand.shape), one.payload), probabilities)


def _softmax(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    mean = total(write, write.times(one, bar), one.shape, one.payload)
    inner = write.minus(bar, expanded(write, mean, len(one.shape), one.payload))
    yield one.operands[0], write.times(one, inner)


def _log_softmax(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    (operand,) = one.operands
    whole = total(write, bar, one.shape, one.payload)
    probabilities = write.node("softmax", (operand,), operand.shape, one.payload)
    wide = expanded(write, whole, len(one.shape), one.payload)
    yield operand, write.minus(bar, write.times(wide, probabilities))


def _where(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    mask, first, second = one.operands
    for operand, chosen in ((first, (bar, write.number(0))), (second, (write.number(0), bar))):
        yield operand, reduced(write, write.where(mask, *chosen), one.shape, operand.shape)


def _solve(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    matrix, right = one.operands
    turned = matrix if one.payload == "symmetric" else transpose(write, matrix, (1, 0))
    back = solved(write, turned, full(write, bar, one.shape), one.payload)
    yield right, back
    product = "a,b->ab" if len(one.shape) == 1 else "ak,bk->ab"
    yield matrix, write.scaled(contract(write, product, back, one), -1)


def _inv(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    inner = full(write, contract(write, "ki,kj->ij", one, full(write, bar, one.shape)), one.shape)
    yield one.operands[0], write.scaled(contract(write, "ij,kj->ik", inner, one), -1)


def _determinant(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    (matrix,) = one.operands
    inverse = write.node("inv", (matrix,), matrix.shape, one.payload)
    factor = bar if one.operation == "log_determinant" else write.times(bar, one)
    yield matrix, write.times(factor, transpose(write, inverse, (1, 0)))


def _cholesky(write: Expressions, one: Expression, bar: Expression) -> Iterable[Contribution]:
    # Murray, arXiv:1602.07527, equation 10
    n = one.shape[0]
    product = full(write, contract(write, "ki,kj->ij", one, full(write, bar, one.shape)), one.shape)
    half = write.node("tril", (product,), (n, n), ())
    inner = write.minus(
        half, write.scaled(write.node("diag", (write.node("diagonal", (product,), (n,)),), (n, n)), Fraction(1, 2))
    )
    turned = transpose(write, one, (1, 0))
    both = solved(write, turned, transpose(write, solved(write, turned, transpose(write, inner, (1, 0))), (1, 0)))
    yield one.operands[0], write.scaled(write.plus(both, transpose(write, both, (1, 0))), Fraction(1, 2))


_RULES: dict[str, Callable[[Expressions, Expression, Expression], Iterable[Contribution]]] = {
    "product": _product, "sum": _sum, "total": _total, "mean": _mean, "contract": _contract, "outer": _outer,
    "transpose": _transpose, "reshape": _reshape, "broadcast": _broadcast, "index": _index, "scatter": _scatter,
    "diagonal": _diagonal, "diag": _diag, "cumulate": _cumulate, "concatenate": _concatenate, "join": _join,
    "diff": _diff, "tril": _same, "triu": _same, "flip": _same, "roll": _roll, "max": _extreme, "min": _extreme,
    "var": _var, "std": _std, "prod": _prod, "norm": _norm, "convolve": _convolve, "logsumexp": _logsumexp,
    "softmax": _softmax, "log_softmax": _log_softmax, "where": _where, "solve": _solve,
    "inv": _inv, "determinant": _determinant,
    "log_determinant": _determinant, "cholesky": _cholesky,
}  # fmt: skip

Partials = Callable[..., Sequence[Expression]]


def _chosen(name: str) -> Partials:
    def partials(write: Expressions, one: Expression, a: Expression, b: Expression) -> Sequence[Expression]:
        first = write.compared(name, a, b)
        return first, write.opposite(first) if a.number is None and b.number is None else write.compared(name, b, a)

    return partials


def _logistic(write: Expressions, z: Expression) -> Expression:
    return write.power(write.logistic_base(write.scaled(z, -1)), Fraction(-1))


def _clipped(
    write: Expressions, one: Expression, x: Expression, low: Expression, high: Expression
) -> Sequence[Expression]:
    above, below = write.compared("greater", x, low), write.compared("less", x, high)
    return write.function("and", above, below), write.opposite(above), write.opposite(below)


_PARTIALS: dict[str, Partials] = {
    "maximum": _chosen("greater"), "minimum": _chosen("less"), "clip": _clipped,
    "absolute": lambda write, one, x: [write.function("sign", x)],
    **dict.fromkeys(("sign", "floor", "ceil", "rint", "trunc", "floor_divide"),
                    lambda write, one, *operands: [write.number(0)] * len(operands)),
    "tanh": lambda write, one, x: [write.minus(write.number(1), write.power(one, Fraction(2)))],
    "expm1": lambda write, one, x: [write.function("exp", x)],
    "logaddexp": lambda write, one, a, b: [_logistic(write, write.minus(a, b)), _logistic(write, write.minus(b, a))],
    "expit": lambda write, one, x: [write.times(one, write.minus(write.number(1), one))],
    "log_expit": lambda write, one, x: [write.function("expit", write.scaled(x, -1))],
    "ndtr": lambda write, one, x: [
        write.product([
            (write.function("exp", write.scaled(write.power(x, Fraction(2)), Fraction(-1, 2))), _ONE),
            (write.scaled(write.node("pi", (), ()), 2), Fraction(-1, 2)),
        ])
    ],
    "logit": lambda write, one, x: [write.product([(x, -_ONE), (write.minus(write.number(1), x), -_ONE)])],
    "xlogy": lambda write, one, x, y: [write.function("log", y), write.over(x, y)],
}  # fmt: skip
