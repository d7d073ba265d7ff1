"""The verdict on hand-written Jacobians and Hessians: no false alarm, no fault missed, causes."""

from __future__ import annotations

import functools
import re

import mpmath
import numpy as np
import pytest

import diffcompare as dc

from .corpus import opaque
from .corpus_arrays import RIGHT_HESSIANS, RIGHT_JACOBIANS, WRONG_HESSIANS, WRONG_JACOBIANS, ArrayCase

pytestmark = pytest.mark.thorough

SETTINGS = ("as it is", "opaque claim", "black box")
RIGHT = [*RIGHT_JACOBIANS, *RIGHT_HESSIANS]
WRONG = [*WRONG_JACOBIANS, *WRONG_HESSIANS]


@functools.cache
def judged(case: ArrayCase, setting: str):
    f = opaque(case.f) if setting == "black box" else case.f
    claim = case.claim if setting == "as it is" else opaque(case.claim)
    hessian = case in (*RIGHT_HESSIANS, *WRONG_HESSIANS)
    return (dc.check_hessian if hessian else dc.check_jacobian)(f, claim, case.at)


def test_there_are_enough_cases() -> None:
    assert len(RIGHT) >= 20
    assert len(WRONG) >= 20


@pytest.mark.parametrize("case", [case for case in RIGHT_JACOBIANS if case.name != "kepler, implicit"], ids=str)
def test_a_right_jacobian_is_near_differences(case: ArrayCase) -> None:
    claimed = np.asarray(case.claim(case.at))
    numeric = dc.numerical_jacobian(case.f, case.at, 2.0**-16)
    assert np.abs(claimed - numeric).max() <= 1e-8 * np.abs(claimed).max()


@pytest.mark.parametrize("case", RIGHT_HESSIANS, ids=str)
def test_a_right_hessian_is_near_differences(case: ArrayCase) -> None:
    claimed = np.asarray(case.claim(case.at))
    numeric = dc.numerical_hessian(case.f, case.at, 2.0**-12)
    assert np.abs(claimed - numeric).max() <= 1e-5 * np.abs(claimed).max()


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_right_array_is_called_wrong_and_few_are_left_open(setting: str) -> None:
    verdicts = {case.name: judged(case, setting) for case in RIGHT}
    assert [v.explain() for v in verdicts.values() if v.status == "wrong"] == []
    left = [name for name, v in verdicts.items() if v.status != "consistent"]
    assert len(left) <= (0 if setting == "as it is" else 2), left
    if setting == "as it is":
        assert {v.evidence for v in verdicts.values()} == {"identity"}


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_wrong_array_is_found(setting: str) -> None:
    verdicts = [judged(case, setting) for case in WRONG]
    assert [v.explain() for v in verdicts if v.status != "wrong"] == []


@pytest.mark.parametrize("case", [case for case in WRONG if case.cause], ids=str)
def test_the_cause_is_found(case: ArrayCase) -> None:
    verdict = judged(case, "as it is")
    assert re.search(str(case.cause), str(verdict.cause)), verdict.explain()


def test_the_entries_that_are_named_are_the_wrong_ones() -> None:
    case = next(case for case in WRONG_JACOBIANS if case.name == "rodrigues, 1e-6")
    rows = judged(case, "opaque claim").components
    assert rows.loc[rows["status"] == "wrong", "component"].tolist() == ["J[1, 2]"]


def test_the_certified_entries_are_right() -> None:
    with mpmath.workdps(40):
        x = [mpmath.mpf(v) for v in (0.3, -1.2, 0.7)]
        total = sum(map(mpmath.exp, x))
        s = [mpmath.exp(v) / total for v in x]
        exact = [float(s[i] * ((i == j) - s[j])) for i in range(3) for j in range(3)]
    rows = judged(RIGHT_JACOBIANS[0], "opaque claim").components
    assert rows["certified"].tolist() == exact
    rows = judged(RIGHT_HESSIANS[0], "opaque claim").components
    assert rows["certified"].tolist() == exact
