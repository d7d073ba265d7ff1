"""Gradients, Jacobians and Hessians with their estimates beside other libraries', on the problems of the quality tests.

Run with ``pytest tests/benchmarks/test_array_derivatives.py -m benchmark -s``; other libraries take part where they are
installed.
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

import diffcompare as dc

from ..quality.nasty_vectors import VectorProblem, vector_problems  # noqa: TID252 - tests are no package
from ..quality.test_nasty_vectors import SEED  # noqa: TID252
from ..stated import ranges  # noqa: TID252
from .timing import print_table

pytestmark = pytest.mark.benchmark

Solver = Callable[[Callable[[Any], Any], Any, int], tuple[Any, Any] | None]


class Counted:
    """A function of points; where it has no answer it is nan."""

    def __init__(self, problem: VectorProblem) -> None:
        self.f = problem.f
        self.form = problem.exact.shape[: problem.exact.ndim - problem.derivative]
        self.calls = 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        try:
            return self.f(np.asarray(x, dtype=float).ravel())
        except (ArithmeticError, ValueError, TypeError):
            return np.full(self.form, math.nan)[()]


def ours(f: Callable[[Any], Any], x: Any, derivative: int) -> tuple[Any, Any]:
    found = dc.differentiate(f, x, derivative=derivative)
    return found.value, found.error


def approx_fprime(f: Callable[[Any], Any], x: Any, derivative: int) -> tuple[Any, Any] | None:
    from scipy.optimize import approx_fprime

    # it has no estimate to give
    return (approx_fprime(x, f), None) if derivative == 1 else None


def scipy_differentiate(f: Callable[[Any], Any], x: Any, derivative: int) -> tuple[Any, Any]:
    from scipy.differentiate import hessian, jacobian

    def points(x: Any) -> Any:
        flat = x.reshape(x.shape[0], -1)
        made = np.array([f(flat[:, k]) for k in range(flat.shape[1])])
        return np.moveaxis(made, 0, -1).reshape(made.shape[1:] + x.shape[1:])

    if derivative == 1:
        found = jacobian(points, x)
        return found.df, found.error
    found = hessian(points, x)
    return found.ddf, found.error


def numdifftools(f: Callable[[Any], Any], x: Any, derivative: int) -> tuple[Any, Any]:
    import numdifftools as nd

    made = nd.Hessian if derivative == 2 else nd.Gradient if np.ndim(f(x)) == 0 else nd.Jacobian
    value, info, *_ = made(f, full_output=True)(x)
    return value, np.reshape(getattr(info, "error_estimate", info), np.shape(value))


def jacobi(f: Callable[[Any], Any], x: Any, derivative: int) -> tuple[Any, Any] | None:
    import jacobi

    return jacobi.jacobi(f, x) if derivative == 1 else None


SOLVERS: dict[str, tuple[str, Solver]] = {
    "diffcompare": ("", ours),
    "scipy.optimize.approx_fprime": ("scipy", approx_fprime),
    "scipy.differentiate": ("scipy", scipy_differentiate),
    "numdifftools": ("numdifftools", numdifftools),
    "jacobi": ("jacobi", jacobi),
}


# as reports/evidence.md calls them
STATED = {
    "diffcompare": "diffcompare",
    "scipy.differentiate": "scipy",
    "numdifftools": "numdifftools",
    "jacobi": "jacobi",
}


def row(name: str, solve: Solver, problems: list[VectorProblem]) -> tuple[str, ...] | None:
    total = answered = below = off = beyond = wrong = 0
    errors: list[float] = []
    calls: list[int] = []
    estimated = True
    for problem in problems:
        f = Counted(problem)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = solve(f, np.array(problem.x), problem.derivative)
            except (np.linalg.LinAlgError, ArithmeticError, ValueError, IndexError):
                # an exception is no answer
                found = np.full(problem.exact.shape, math.nan), np.full(problem.exact.shape, math.inf)
        if found is None:
            return None
        value, estimate = np.reshape(found[0], problem.exact.shape), found[1]
        calls.append(f.calls)
        here, exists = np.isfinite(value), np.isfinite(problem.exact)
        error = abs(value - problem.exact)
        # an entry of 0 is judged beside the largest
        size = np.where(problem.exact == 0, np.max(abs(problem.exact), initial=1.0, where=exists), abs(problem.exact))
        total += value.size
        answered += here.sum()
        below += (error <= 1e-6 * size).sum()
        off += (here & ~(error <= 0.01 * size)).sum()
        errors.extend(np.where(here, error / size, math.inf)[exists].tolist())
        if estimate is None:
            estimated = False
            continue
        estimate = np.reshape(estimate, value.shape)
        # where there is no derivative, every answer is wrong
        beyond += (here & ~(error <= estimate)).sum()
        wrong += (here & ~(error <= 10 * estimate)).sum()
    claims = (f"{beyond}", f"{wrong}") if estimated else ("none", "none")
    used = (f"{statistics.median(calls):g}", f"{statistics.mean(calls):.0f}")
    return name, f"{total}", f"{answered}", f"{below}", f"{off}", *claims, f"{statistics.median(errors):.1g}", *used


@pytest.mark.parametrize("derivative", [1, 2])
def test_arrays_side_by_side(derivative: int) -> None:
    # other libraries know no box
    problems = [p for p in vector_problems(SEED) if p.derivative == derivative and p.box is None]
    headers = (
        "of", "entries", "answered", "< 1e-6", "off by > 1 %", "beyond the estimate", "by ten times", "median error",
        "calls: median", "mean",
    )  # fmt: skip
    rows = []
    for solver, (library, solve) in SOLVERS.items():
        if library and importlib.util.find_spec(library) is None:
            rows.append((f"{solver}: not installed", *[""] * (len(headers) - 1)))
        elif (found := row(solver, solve, problems)) is not None:
            rows.append(found)
    print_table(f"{len(problems)} {('gradients and Jacobians', 'Hessians')[derivative - 1]}", headers, rows)
    for solver, stated_as in STATED.items():
        wrong = next((found[6] for found in rows if found[0].startswith(solver)), "")
        if wrong:
            least, most = ranges("other estimates of arrays", stated_as)[derivative - 1]
            # the functions of a processor, and other versions of a library
            assert least - 2 <= int(wrong) <= most + 2, solver
