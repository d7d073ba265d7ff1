"""Expressions: what is written of them computes what they were made of, however they were simplified."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from diffcompare.program.expression import Coefficient, Expression, Key, operands_first
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
from diffcompare.program.numpy_source import NumpyLines
from diffcompare.program.numpy_texts import NumpyTexts
from diffcompare.program.shared_parts import weights_of

SCOPE: dict[str, Any] = {
    "np": np,
    "special": special,
    "a": np.array([0.5, 1.25, 2.0]),
    "b": np.array([1.5, 0.75, 0.3]),
    "M": np.array([[1.0, 0.5, 0.25], [2.0, 1.5, 0.1], [0.2, 0.4, 0.8]]),
    "s": 0.6,
}
Pair = tuple[Expression, Any]


def value_of(one: Expression) -> Any:
    """Run what is written of an expression."""
    texts = NumpyTexts({3}, lambda _: None, ())
    lines = NumpyLines(texts, {}, (), SCOPE).lines([one], lambda found: [f"return {found[0]}"])
    scope: dict[str, Any] = dict(SCOPE)
    exec("\n".join(["def f():", *(f"    {line}" for line in lines)]), scope)
    return scope["f"]()


def same(one: Expression, value: Any) -> bool:
    found = np.broadcast_to(value_of(one), np.shape(value))
    return bool((np.abs(found - value) <= 1e-9 * (1 + np.abs(value).max(initial=0))).all())


def leaf(write: Expressions, name: str) -> Pair:
    return write.node("name", (), np.shape(SCOPE[name]), name), SCOPE[name]


def grown(data: st.DataObject, write: Expressions, depth: int) -> Pair:
    """Draw an expression, and compute its value beside it; all values are positive, or nearly so."""
    kind = data.draw(st.sampled_from(KINDS if depth else ["leaf"]))
    if kind == "leaf":
        return leaf(write, data.draw(st.sampled_from(["a", "b", "s"])))
    one, value = grown(data, write, depth - 1)
    match kind:
        case "plus" | "minus" | "times" | "over":
            other, second = grown(data, write, depth - 1)
            if kind == "over":
                other, second = write.plus(other, write.number(3)), second + 3
                other, second = write.power(other, Fraction(2)), second**2
            made = {"plus": write.plus, "minus": write.minus, "times": write.times, "over": write.over}[kind]
            computed = {"plus": np.add, "minus": np.subtract, "times": np.multiply, "over": np.divide}[kind]
            return made(one, other), computed(value, second)
        case "scaled":
            above, below = data.draw(st.sampled_from([(2, 1), (-1, 1), (2, 3), (-3, 4), (Fraction(1, 4), 1), (0, 1)]))
            return write.scaled(one, above, below), float(above) / below * value
        case "square":
            return write.power(one, Fraction(2)), value**2
        case "tanh":
            return write.function("tanh", one), np.tanh(value)
        case "logistic":
            base = write.plus(write.number(1), write.function("exp", write.scaled(one, -1)))
            return write.power(base, Fraction(-1)), special.expit(value)
        case "one less logistic":
            base = write.plus(write.number(1), write.function("exp", write.scaled(one, -1)))
            return write.minus(write.number(1), write.power(base, Fraction(-1))), 1 - special.expit(value)
        case "masked":
            mask = write.compared("greater", one, write.number(1))
            other, second = grown(data, write, depth - 1)
            if data.draw(st.booleans()):
                mask = write.opposite(mask)
                return write.where(mask, one, other), np.where(value > 1, second, value)
            return write.where(mask, one, other), np.where(value > 1, value, second)
    whole, held = full(write, one, (3,)), np.broadcast_to(value, (3,))
    match kind:
        case "total":
            return total(write, one, (3,), (0,)), held.sum()
        case "mean":
            return total(write, one, (3,), (0,), mean=True), held.mean()
        case "product":
            return contract(write, "ij,j->i", leaf(write, "M")[0], whole), SCOPE["M"] @ held
        case "trace of a product":
            matrix = full(write, write.times(expanded(write, whole, 2, (0,)), leaf(write, "M")[0]), (3, 3))
            traced = contract(write, "ij,ji->", matrix, leaf(write, "M")[0])
            return full(write, traced, (3,)), np.full(3, np.trace((held * SCOPE["M"]) @ SCOPE["M"]))
        case "turned product":
            turned = transpose(write, leaf(write, "M")[0], (1, 0))
            return contract(write, "ij,j->i", turned, whole), SCOPE["M"].T @ held
        case "dot":
            other, second = grown(data, write, depth - 1)
            second = np.broadcast_to(second, (3,))
            return contract(write, "i,i->", whole, full(write, other, (3,))), held @ second
        case "outer":
            other, second = grown(data, write, depth - 1)
            second = np.broadcast_to(second, (3,))
            matrix = contract(write, "i,j->ij", whole, full(write, other, (3,)))
            axis = data.draw(st.sampled_from([0, 1]))
            return total(write, matrix, (3, 3), (axis,)), np.outer(held, second).sum(axis=axis)
        case "column":
            column = reshape(write, whole, (3, 1))
            wide = write.times(column, leaf(write, "M")[0])
            return reduced(write, wide, (3, 3), (3,)), (held[:, None] * SCOPE["M"]).sum(axis=0)
        case "row":
            wide = write.times(expanded(write, whole, 2, (0,)), leaf(write, "M")[0])
            return total(write, wide, (3, 3), (1,)), (held * SCOPE["M"]).sum(axis=1)
        case "slice":
            places = data.draw(st.sampled_from([[1, 2, 0], [2, 1, 0], [0, 0, 2]]))
            return index(write, whole, Key(np.array(places))), held[places]
        case "scattered":
            part = index(write, whole, Key(np.array([0, 1])))
            other, second = grown(data, write, depth - 1)
            summed = write.plus(full(write, other, (3,)), scatter(write, part, Key(np.array([1, 2])), (3,)))
            put = np.array(np.broadcast_to(second, (3,)), dtype=float)
            put[1:] += held[:2]
            return summed, put
        case "cumulate":
            backwards = data.draw(st.booleans())
            summed = np.cumsum(held[::-1])[::-1] if backwards else np.cumsum(held)
            return cumulate(write, whole, 0, backwards=backwards), summed
    raise AssertionError(kind)


KINDS = [
    "leaf", "plus", "minus", "times", "over", "scaled", "square", "tanh", "logistic", "one less logistic", "masked",
    "total", "mean", "product", "trace of a product", "turned product", "dot", "outer", "column", "row", "slice",
    "scattered", "cumulate",
]  # fmt: skip


@settings(max_examples=150)
@given(st.data())
def test_what_is_written_computes_what_it_was_made_of(data: st.DataObject) -> None:
    with np.errstate(all="ignore"):
        one, value = grown(data, Expressions(), data.draw(st.integers(1, 4)))
        if np.isfinite(value).all() and np.abs(value).max() < 1e6:
            assert same(one, value)


def test_arrays_and_numbers_are_joined_one_after_the_other() -> None:
    write = Expressions()
    parts, values = zip(*(leaf(write, name) for name in "aMs"), strict=True)
    value = np.concatenate([np.ravel(one) for one in values])
    assert np.array_equal(value_of(write.node("join", parts, value.shape)), value)


def test_equal_expressions_are_one() -> None:
    write = Expressions()
    a, b = leaf(write, "a")[0], leaf(write, "b")[0]
    assert write.plus(a, b) is write.plus(b, a)
    assert write.times(a, b) is write.times(b, a)
    assert write.minus(write.plus(a, b), b) is a
    assert write.over(write.times(a, b), b) is a
    assert write.minus(a, a) is write.number(0)


@pytest.mark.parametrize(
    ("above", "below", "text"),
    [(2, 3, "2 * a / 3"), (2, 4, "a / 2"), (1, 3, "a / 3"), (-1, 3, "-a / 3"), (Fraction(1, 4), 1, "0.25 * a"),
     (3, 1, "3 * a"), (6, 3, "2 * a"), (-2, 1, "-2 * a"),
     (Fraction(1, 8), 2, "0.0625 * a"), (Fraction(1, 8), 20, "0.125 * a / 20")],
)  # fmt: skip
def test_a_coefficient_is_shortened_unless_it_is_divided_by_the_size_of_data(above: Any, below: int, text: str) -> None:
    write = Expressions()
    one = write.product([(leaf(write, "a")[0], Fraction(1))], Coefficient(Fraction(above), below))
    assert NumpyTexts({3}, lambda _: None, ()).text(one)[1] == text


@pytest.mark.parametrize("above", [-2, 2, Fraction(-1, 4), Fraction(-3, 7)])
@pytest.mark.parametrize("below", [1, 6, Fraction(1, 3)])
@pytest.mark.parametrize("exponent", [-3, -2, 0, 3])
def test_the_power_of_a_coefficient_is_that_of_its_number(above: Any, below: Any, exponent: int) -> None:
    one = Coefficient(Fraction(above), below)
    assert one.power(exponent).value == one.value**exponent


def test_what_is_added_at_the_same_places_is_added_before() -> None:
    write = Expressions()
    a, b = leaf(write, "a")[0], leaf(write, "b")[0]
    here, there = Key(np.array([1, 2, 4])), Key(np.array([0, 2, 4]))
    one, two, apart = (scatter(write, part, key, (5,)) for part, key in ((a, here), (b, here), (b, there)))
    assert write.plus(one, two) is scatter(write, write.plus(a, b), here, (5,))
    assert set(write.plus(one, apart).operands) == {one, apart}


def test_the_weight_of_an_expression_is_the_number_of_its_operations() -> None:
    write = Expressions()
    (a, _), (b, _) = leaf(write, "a"), leaf(write, "b")
    square, twice, both = write.power(a, Fraction(2)), write.scaled(b, 2), write.times(a, b)
    sums = [write.plus(a, b), write.plus(a, twice), write.minus(a, b), write.plus(square, both)]
    some = [a, both, write.over(a, b), square, twice, write.times(square, b), write.scaled(both, 2), *sums]
    weights = weights_of(operands_first(some))
    assert [weights[one] for one in some] == [0, 1, 1, 1, 1, 2, 2, 1, 2, 1, 3]
