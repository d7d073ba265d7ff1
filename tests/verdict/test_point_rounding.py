"""Gradients that are right under a condition that floats meet roughly: no false word, and no excuse for others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict import point_rounding

RANDOM = np.random.default_rng(1)
A = RANDOM.normal(size=(6, 6))
A = A + A.T
V = np.array([7.4e-5, 8.1e-5, 1e-4, 6e-5])
UNIT = [x / np.linalg.norm(x) for x in RANDOM.normal(size=(8, 6))]
FRACTIONS = list(RANDOM.dirichlet(np.ones(4), size=8))
NOTE = "is gone within two ulps of the point"


def quotient(x: Any) -> Any:
    return x @ A @ x / (x @ x)


def of_unit_vectors(x: Any) -> Any:
    return 2 * (A @ x - x * (x @ A @ x))


def mixing(x: Any) -> Any:
    return np.sum(x * np.log(x * V / (x @ V)))


def of_fractions(x: Any) -> Any:
    return np.log(x * V / (x @ V)) + 1 - V / (x @ V)


CASES = [(quotient, of_unit_vectors, x) for x in UNIT] + [(mixing, of_fractions, x) for x in FRACTIONS]


@pytest.mark.usefixtures("either_way")
def test_a_gradient_that_is_right_where_the_point_was_meant_is_not_called_wrong() -> None:
    """All were wrong by about 1e-16 times the largest component, or consistent where rounding was kind."""
    verdicts = [dc.check_gradient(f, gradient, x) for f, gradient, x in CASES]
    assert {verdict.status for verdict in verdicts} <= {"consistent", "inconclusive"}
    told = [verdict for verdict in verdicts if any(NOTE in note for note in verdict.notes)]
    assert told
    for verdict in told:
        off = verdict.components["difference"].abs()
        assert (off <= verdict.components["threshold"]).all()


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(("f", "gradient", "x"), [CASES[0], CASES[8]])
def test_what_is_wrong_elsewhere_is_wrong(f: Any, gradient: Any, x: Any) -> None:
    assert dc.check_gradient(f, gradient, 1.25 * x).status == "wrong"


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("off", [1 + 2.0**-44, 1 - 2.0**-46])
def test_a_factor_is_wrong_however_near_to_1(off: float) -> None:
    for x in (*UNIT[:2], np.array([0.3, 2.0, 5.0, -1.0, 0.7, 1.5])):
        verdict = dc.check_gradient(quotient, lambda x: 2 * (A @ x - x * quotient(x)) / (x @ x) * off, x)
        assert verdict.status == "wrong"


@pytest.mark.usefixtures("either_way")
def test_one_component_that_is_off_is_no_matter_of_the_point() -> None:
    def shifted(x: Any) -> Any:
        return of_unit_vectors(x) + np.array([0, 0, 2.0**-42, 0, 0, 0])

    assert dc.check_gradient(quotient, shifted, UNIT[0]).status == "wrong"


@pytest.mark.usefixtures("either_way")
def test_floats_of_32_bits_are_no_matter_of_the_point() -> None:
    for x in UNIT[:3]:
        verdict = dc.check_gradient(quotient, lambda x: of_unit_vectors(x).astype(np.float32), x)
        assert verdict.status == "wrong"


def test_what_fails_leaves_the_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise ArithmeticError

    monkeypatch.setattr(point_rounding, "_differences", fails)
    statuses = {dc.check_gradient(f, gradient, x).status for f, gradient, x in CASES[:8]}
    assert "wrong" in statuses
