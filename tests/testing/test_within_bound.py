"""Numerical differentiators against the proven bound: right ones in other words pass, wrong ones fail and say why."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.testing.record import Observation, listening
from diffcompare.testing.within_bound import assert_within_bound

H = 1e-4


def by_weights(f: Any, x: Any) -> Any:
    return f(x + H) * (0.5 / H) - f(x - H) * (0.5 / H)


def undivided(f: Any, x: Any) -> Any:
    return (f(x + H) - f(x - H)) / H


def backwards(f: Any, x: Any) -> Any:
    return (f(x - H) - f(x + H)) / (2 * H)


def one_sided(f: Any, x: Any) -> Any:
    return (f(x + H) - f(x)) / H


@pytest.mark.parametrize("f", [dc.parse("exp(x)"), np.exp, lambda x: 1e6 + np.sin(x)], ids=["formula", "numpy", "code"])
@pytest.mark.parametrize("x", [1.0, -3.7, 5.25])
@pytest.mark.parametrize("numeric", [dc.numerical_diff, by_weights])
def test_a_right_differentiator_passes_however_it_is_written(f: Any, x: float, numeric: Any) -> None:
    table = assert_within_bound(f, numeric, x)
    assert table["numeric"].tolist() == [float(numeric(f, x))]
    assert (table["abs_error"] <= table["bound"]).all()


@pytest.mark.parametrize("scheme", ["forward", "backward", "central"])
def test_gradients_pass_by_value_and_by_call(scheme: str) -> None:
    f = dc.parse("exp(x0)*x1")
    values = dc.numerical_gradient(f, [0.5, 3.0], 1e-3, scheme=scheme)
    table = assert_within_bound(f, values, [0.5, 3.0], scheme=scheme, h=1e-3)
    assert table["variable"].tolist() == ["x0", "x1"]

    def numeric(f: Any, x: Any) -> Any:
        return dc.numerical_gradient(f, x, 1e-3, scheme=scheme)

    assert assert_within_bound(f, numeric, [0.5, 3.0], scheme=scheme, h=1e-3).equals(table)


@pytest.mark.parametrize(
    ("numeric", "hint"),
    [(undivided, "numeric is twice what it should be"), (backwards, "numeric is the opposite of"), (one_sided, "")],
)
def test_a_wrong_differentiator_fails_and_is_told_why(numeric: Any, hint: str) -> None:
    f = dc.parse("exp(x)")
    heard: list[Observation] = []
    with listening(heard.append), pytest.raises(AssertionError) as failure:
        assert_within_bound(f, numeric, 1.0)
    text = str(failure.value)
    for part in ("d/dx at x=1.0, central, h=0.0001: numeric ", "certified 2.718281828459045", "truncation ", hint):
        assert part in text
    assert [o.kind for o in heard] == ["within-bound"]
    code = textwrap.dedent(text.partition("To repeat it:\n")[2])
    with pytest.raises(AssertionError, match="not within the proven bound"):
        exec(code, {"f": f, "numeric": numeric})


def test_nan_fails() -> None:
    with pytest.raises(AssertionError, match="numeric nan"):
        assert_within_bound(dc.parse("exp(x)"), np.nan, 1.0)


@pytest.mark.parametrize(("f", "x"), [("abs(x)", 0.0), ("sqrt(x)", 0.0)])
def test_where_there_is_no_bound_the_assertion_fails_and_says_so(f: str, x: float) -> None:
    with pytest.raises(AssertionError, match="there is no bound here"):
        assert_within_bound(dc.parse(f), 0.0, x)
