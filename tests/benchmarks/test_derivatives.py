"""``differentiate`` beside libraries that estimate their own error, on the problems of the quality tests.

Run with ``pytest tests/benchmarks/test_derivatives.py -m benchmark -s``. Scores are printed, and held to what
reports/evidence.md states.
"""

from __future__ import annotations

import importlib.util
import math
import statistics
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from diffcompare.adapters.differentiators import DIFFERENTIATORS, Differentiator

from ..quality.nasty_derivatives import FIRST, HELD_OUT, Problem  # noqa: TID252 - tests are no package
from ..quality.random_derivatives import problems as random_problems  # noqa: TID252
from ..quality.test_nasty_derivatives import SEED, ordinary_problems  # noqa: TID252
from ..stated import ranges  # noqa: TID252
from .timing import print_table

pytestmark = pytest.mark.benchmark


class Counted:
    """A function of numbers that libraries may call with arrays; what f cannot answer is nan."""

    def __init__(self, f: Callable[[float], Any]) -> None:
        self.f = f
        self.calls = 0

    def __call__(self, x: Any) -> Any:
        values = np.asarray(x, dtype=float)
        answers = [self._one(t) for t in values.ravel()]
        return np.array(answers).reshape(values.shape) if values.ndim else answers[0]

    def _one(self, t: float) -> float:
        self.calls += 1
        try:
            return float(self.f(float(t)))
        except (ArithmeticError, ValueError, TypeError):
            return math.nan


def scipy_all(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    from scipy.differentiate import derivative

    found = derivative(f, x)
    return float(found.df), float(found.error)


SOLVERS: dict[str, tuple[str, Differentiator]] = {
    "diffcompare": DIFFERENTIATORS["diffcompare"],
    "scipy.differentiate": ("scipy", scipy_all),
    "the same, only where success": DIFFERENTIATORS["scipy"],
    "numdifftools, central": DIFFERENTIATORS["numdifftools"],
    "jacobi": DIFFERENTIATORS["jacobi"],
}


def row(name: str, solve: Differentiator, problems: list[Problem]) -> tuple[str, ...]:
    answered = wrong = off = below = 0
    calls: list[int] = []
    errors: list[float] = []
    at_kink = ""
    for problem in problems:
        f = Counted(problem.f)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                value, error = solve(f, problem.x)
            except (np.linalg.LinAlgError, ArithmeticError, ValueError):
                # an exception is no answer
                value, error = math.nan, math.inf
        calls.append(f.calls)
        actual = abs(value - problem.exact)
        size = abs(problem.exact) or 1.0
        answered += math.isfinite(value)
        wrong += math.isfinite(value) and not actual <= 10 * error
        off += math.isfinite(value) and not actual <= 0.01 * size
        below += actual <= 1e-6 * size
        if math.isfinite(problem.exact):
            errors.append(actual / size if math.isfinite(value) else math.inf)
        if problem.name == "abs(x) at 0":
            at_kink = f"{value:.2g} ± {error:.2g}" if math.isfinite(value) else "refused"
    counts = (f"{answered}", f"{below}", f"{off}", f"{wrong}")
    used = (f"{statistics.median(calls):g}", f"{statistics.mean(calls):.1f}")
    return name, *counts, *used, f"{statistics.median(errors):.1g}", at_kink


# as reports/evidence.md calls them
STATED = {
    "diffcompare": "diffcompare",
    "scipy.differentiate": "scipy",
    "numdifftools, central": "numdifftools",
    "jacobi": "jacobi",
}

SETS: dict[str, Callable[[], list[Problem]]] = {
    "nasty": lambda: FIRST + HELD_OUT,
    "random": lambda: random_problems(SEED),
    "ordinary": ordinary_problems,
}


@pytest.mark.parametrize("name", SETS)
def test_derivatives_side_by_side(name: str) -> None:
    problems = SETS[name]()
    headers = (
        "of", "answered", "< 1e-6", "off by > 1 %", "estimate too small x10", "calls: median", "mean", "median error",
        "abs(x) at 0",
    )  # fmt: skip
    rows = []
    for solver, (library, solve) in SOLVERS.items():
        if library and importlib.util.find_spec(library) is None:
            rows.append((f"{solver}: not installed", *[""] * (len(headers) - 1)))
        else:
            rows.append(row(solver, solve, problems))
    print_table(f"{len(problems)} {name} derivatives", headers, rows)
    for solver, stated_as in STATED.items():
        small = next(found[4] for found in rows if found[0].startswith(solver))
        if small:
            least, most = ranges("other estimates", stated_as)[list(SETS).index(name)]
            # the functions of a processor, and other versions of a library
            assert least - 2 <= int(small) <= most + 2, solver
