"""Numerical differentiators against the proven bound: right ones in other words pass, wrong ones fail and say why."""

from __future__ import annotations

import textwrap
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

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
    # another order of evaluation has no proof
    is_textbook = table["numeric"].tolist() == [dc.numerical_diff(f, x, H)]
    assert table["bound_source"].tolist() == ["proven" if is_textbook else "measured"]


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
    with pytest.raises(AssertionError, match="not within the bound"):
        exec(code, {"f": f, "numeric": numeric})


def test_nan_fails() -> None:
    with pytest.raises(AssertionError, match=r"numeric nan(.|\n)*the differentiator returned no finite number"):
        assert_within_bound(dc.parse("exp(x)"), np.nan, 1.0)


@pytest.mark.parametrize(("f", "x", "status"), [("abs(x)", 0.0, "kink"), ("sqrt(x)", 0.0, "domain")])
def test_where_there_is_no_bound_the_assertion_fails_and_shows_what_was_returned(f: str, x: float, status: str) -> None:
    heard: list[Observation] = []
    with listening(heard.append), pytest.raises(AssertionError, match=r"numeric 7\.5, (.|\n)*there is no bound here"):
        assert_within_bound(dc.parse(f), 7.5, x)
    (row,) = heard[0].data.to_dict("records")
    assert (row["numeric"], row["status"], row["bound_source"]) == (7.5, status, "")
    assert np.isnan(row["error"])
    assert heard[0].data["within_bound"].isna().all()


def test_a_value_of_another_order_of_evaluation_is_allowed_its_rounding_and_no_more() -> None:
    f = dc.parse("1e6 + x")
    own = float(dc.numerical_diff(f, 1.0, H))
    bound = float(assert_within_bound(f, own, 1.0)["bound"].iloc[0])
    allowed = 4 * 2.0**-53 * (2e6 + 2) / (2 * H)
    assert assert_within_bound(f, 1.0 + bound + 0.9 * allowed, 1.0)["bound_source"].tolist() == ["measured"]
    with pytest.raises(AssertionError, match="not within the bound"):
        assert_within_bound(f, 1.0 + bound + 1.1 * allowed, 1.0)


def test_hypothesis_is_steered_by_the_error_over_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[float, str]] = []
    monkeypatch.setattr(hypothesis, "target", lambda ratio, *, label: told.append((ratio, label)))

    @hypothesis.settings(max_examples=3, database=None, derandomize=True, deadline=None)
    @hypothesis.given(st.floats(1.0, 2.0))
    def run(x: float) -> None:
        table = assert_within_bound(dc.parse("exp(x)"), by_weights, x)
        assert told[-1] == (float(table["abs_error"].iloc[0] / table["bound"].iloc[0]), "error over bound (central)")

    assert_within_bound(dc.parse("exp(x)"), by_weights, 1.0)
    assert told == []
    run()
    assert len(told) == 3
