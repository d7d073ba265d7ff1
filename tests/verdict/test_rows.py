"""What is said of the rows of a matrix together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict import rows
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.rows import Row, _stacked, judge_rows
from diffcompare.watchdog import time_limit


def row(claimed: list[float], **options: Any) -> Judgement:
    n = len(claimed)
    given = {"evidence": "neighbours", "rounding": 2.0**-50, "blame": None} | options
    return Judgement(
        given["evidence"], ("consistent",) * n, np.array(claimed), np.array(claimed), np.zeros(n), given["rounding"],
        given["blame"], (),
    )  # fmt: skip


def test_the_rounding_of_rows_is_that_of_the_row_where_it_is_largest() -> None:
    # 2⁻⁵⁰ of 0.25 and 2⁻⁵² of 0.5, relative to the largest claim of all
    found = _stacked([row([0.25, 0.125]), row([0.5, -0.5], rounding=2.0**-52)])
    assert found.rounding == 2.0**-50 * 0.25 / 0.5
    # a row without a number of its own does not count, nor does a claim that is none
    found = _stacked([row([0.25, math.inf]), row([0.5, math.nan], rounding=math.nan)])
    assert found.rounding == 2.0**-50 * 0.25 / 0.5
    assert math.isnan(_stacked([row([0.0, 0.0])]).rounding)


def test_the_weakest_evidence_and_the_formula_speak_for_all() -> None:
    assert _stacked([row([1.0]), row([1.0])]).evidence == "neighbours"
    assert _stacked([row([1.0]), row([1.0], evidence="witness")]).evidence == "witness"
    assert _stacked([row([1.0], blame="gradient"), row([1.0], blame="formula")]).blame == "formula"
    assert _stacked([row([1.0], blame="gradient"), row([1.0])]).blame == "gradient"
    assert _stacked([row([1.0]), row([1.0])]).blame is None


def test_no_row_is_begun_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    # a Hessian of 1,000 rows took twice its budget: each row ended alone
    begun: list[Problem] = []
    monkeypatch.setattr(rows, "judge_by_witness", begun.append)
    names = ("H[0, 0]", "H[0, 1]", "H[1, 0]", "H[1, 1]")
    posed = Problem(np.sum, np.copy, np.ones(2), np.copy, np.ravel, names, None)
    with time_limit(-1.0):
        found = judge_rows(posed, [Row(np.sum, np.copy, None)] * 2)
    assert begun == []
    assert found.status == ("inconclusive",) * 4
    assert found.notes == ("the time ran out, by the clock; pass a larger budget",)


def test_a_row_whose_claim_jumps_nearby_is_left_open_and_the_others_are_judged() -> None:
    def hessian(x: Any) -> Any:
        return np.array([[0.0, 2 * x[1]], [2 * x[1], 2 * x[0] if float(str(x[1])) <= 1.3 else 9.0]])

    verdict = dc.check_hessian(lambda x: float(str(x[0] * x[1] ** 2)), hessian, at=[0.7, 1.3])
    assert verdict.evidence == "witness"
    assert verdict.components["status"].tolist() == ["consistent"] * 2 + ["inconclusive"] * 2
    assert "the claim changes too much nearby, or has no value there" in verdict.notes
