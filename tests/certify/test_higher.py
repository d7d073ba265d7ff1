"""Derivatives of any order: Taylor coefficient and repeated adjoint must agree before one is called certified."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import mpmath
import pytest

import diffcompare as dc
from diffcompare.arithmetic.jets import JET_OPERATIONS
from diffcompare.certify.higher import certified_derivatives
from diffcompare.certify.reference import Partial
from diffcompare.program.operations import OPERATIONS

# of sin(x)·x and cosh(x) the second derivative, of log(x) the third: no first derivative meets the planted mistakes
CASES = [
    ("sin(x)*x", 2, "cos", lambda x: 2 * mpmath.cos(x) - x * mpmath.sin(x)),
    ("cosh(x)", 2, "sinh", mpmath.cosh),
    ("log(x)*1", 3, "divide", lambda x: 2 / x**3),
]


def certified(text: str, derivative: int) -> Partial:
    (found,) = certified_derivatives(dc.parse(text), [1.5], [0], derivative, bits=160)
    return found


def assert_contradicted(found: Partial, derivative: int) -> None:
    assert found.status == "undecided"
    assert math.isnan(found.value)
    assert f"contradict one another in derivative {derivative} along x; please report it" in found.note


@pytest.mark.parametrize(("text", "derivative", "name", "true"), CASES, ids=["sin", "cosh", "divide"])
def test_a_wrong_partial_that_only_higher_derivatives_use_is_noticed(
    monkeypatch: pytest.MonkeyPatch, text: str, derivative: int, name: str, true: Any
) -> None:
    row = OPERATIONS[name]

    def doubled(*operands: Any) -> tuple[Any, ...]:
        return tuple(2 * partial for partial in row.partials(*operands))  # type: ignore[operator]

    right = certified(text, derivative)
    with mpmath.workdps(40):
        assert (right.status, right.value) == ("ok", float(true(mpmath.mpf(1.5))))
    changed = {**OPERATIONS, name: replace(row, partials=doubled)}
    monkeypatch.setattr("diffcompare.program.operations.OPERATIONS", changed)
    assert_contradicted(certified(text, derivative), derivative)


@pytest.mark.parametrize("derivative", [2, 3])
def test_a_wrong_taylor_coefficient_behind_the_first_is_noticed(
    monkeypatch: pytest.MonkeyPatch, derivative: int
) -> None:
    from flint import arb, arb_series

    right = JET_OPERATIONS["exp"]

    def off(u: Any) -> Any:
        found: Any = right(u)
        # by a part in 2¹⁰⁰ of a coefficient: no float shows it
        return found + arb_series([arb(0)] * derivative + [arb(2) ** -100])

    assert certified("exp(x)", derivative).value == float(mpmath.exp(1.5))
    monkeypatch.setitem(JET_OPERATIONS, "exp", off)  # type: ignore[arg-type]
    assert_contradicted(certified("exp(x)", derivative), derivative)
