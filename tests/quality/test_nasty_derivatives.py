"""Nasty functions: how often ``differentiate`` is off by more than ten times its estimate, and how much it answers.

Run with ``-s`` to see the counts.
"""

from __future__ import annotations

import math
import random

import pytest

import diffcompare as dc

from ..stated import numbers  # noqa: TID252 - tests are no package
from .nasty_derivatives import FIRST, HELD_OUT, Problem
from .random_derivatives import problems as random_problems

pytestmark = pytest.mark.thorough

SEED = 6


def scores(problems: list[Problem]) -> dict[str, float]:
    counts = {"wrong": 0, "refused": 0, "below 1e-6": 0, "evaluations": 0.0}
    for problem in problems:
        found = dc.differentiate(problem.f, problem.x)
        error = abs(found.value - problem.exact)
        size = abs(problem.exact) or 1.0
        counts["refused"] += found.status != "ok"
        # where there is no derivative, every answer is wrong
        counts["wrong"] += found.status == "ok" and not error <= 10 * found.error
        counts["below 1e-6"] += error <= 1e-6 * size
        counts["evaluations"] += found.evaluations / len(problems)
    return counts


@pytest.mark.parametrize(("problems", "answered"), [(FIRST, 23), (HELD_OUT, 22)], ids=["first", "held out"])
def test_few_answers_are_worse_than_they_say(problems: list[Problem], answered: int) -> None:
    counts = scores(problems)
    print(f"\n{len(problems)} problems: {counts}")
    assert counts["wrong"] < 2
    assert counts["below 1e-6"] >= answered
    assert counts["evaluations"] <= 18


def test_random_functions_of_every_nasty_family() -> None:
    # drawn from a seed that the rules were not made on: 216 problems, 12 of which have no derivative
    problems = random_problems(SEED, each=12)
    counts = scores(problems)
    print(f"\n{len(problems)} random problems: {counts}")
    assert counts["wrong"] <= 0.02 * len(problems)
    assert counts["refused"] <= 0.15 * len(problems)
    assert counts["below 1e-6"] >= 0.6 * len(problems)
    assert counts["evaluations"] <= 19


def test_the_counts_are_the_stated_ones() -> None:
    counted = []
    for problems in (FIRST + HELD_OUT, random_problems(SEED, each=12)):
        counts = scores(problems)
        counted += [len(problems), counts["refused"], counts["below 1e-6"], counts["wrong"]]
    # math's functions differ in the last bit between processors
    slack = [0, 2, 2, 0] * 2
    said = numbers("error estimates")
    assert [abs(a - b) <= c for a, b, c in zip(counted, said, slack, strict=True)] == [True] * 8, (counted, said)


@pytest.mark.parametrize("problem", [p for p in FIRST + HELD_OUT if math.isnan(p.exact)], ids=lambda p: p.name)
def test_where_there_is_no_derivative_none_is_given(problem: Problem) -> None:
    assert dc.differentiate(problem.f, problem.x).status in ("kink", "jump", "domain")


FORMULAS = [
    "sin(x)", "exp(x)", "log(x)", "sqrt(x)", "1/x", "tanh(x)", "exp(-x**2)", "x*log(x)", "cos(x)", "sin(50*x)",
    "sin(x**2)", "1e6 + sin(x)", "x/(1 + x**2)", "(exp(x) - 1)/x", "1/(1 + exp(-x))", "sin(x) + 0.01*sin(1000*x)",
    "(x - 1)**7", "abs(x - 1)**3", "max(0, x - 1) + x", "atan(x)/x", "x**3 - 2*x", "log1p(exp(-x))",
]  # fmt: skip


def ordinary_problems() -> list[Problem]:
    """Formulas at random points, where they have a certified derivative."""
    rng = random.Random(7)
    found = []
    for text in FORMULAS:
        f = dc.parse(text)
        for _ in range(12):
            x = rng.choice(
                [rng.uniform(-3, 3), 10 ** rng.uniform(-8, 4) * rng.choice([1, -1]), 1 + 10 ** rng.uniform(-9, -1)]
            )
            reference = dc.certified_gradient(f, x)
            if reference.status == ["ok"] and math.isfinite(float(f(x))):
                found.append(Problem(f"{text} at {x}", f, x, float(reference.value[0])))
    return found


def test_ordinary_functions_at_random_points() -> None:
    problems = ordinary_problems()
    counts = scores(problems)
    print(f"\n{len(problems)} ordinary problems: {counts}")
    assert counts["wrong"] < 2
    assert counts["refused"] <= 0.03 * len(problems)
    assert counts["below 1e-6"] >= 0.93 * len(problems)
    assert counts["evaluations"] <= 13
