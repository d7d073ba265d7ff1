"""What is said of the rows of a matrix together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.rows import _stacked


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
