"""The verdict beside other checkers, on the corpus of the quality tests: bugs found net, and false alarms.

Run with ``pytest tests/benchmarks -m benchmark -s``. Scores are printed, and those of
rules that need NumPy alone are held to what reports/evidence.md states. Libraries that are installed
run themselves; what only lives inside a framework is its published rule (scheme, step, tolerance), written out here.
A bug counts as found where the wrong gradient is flagged and the right one at the same point is not.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc

from ..quality.corpus import BUGS, EASY, HARD, ROUNDING, TWINS, Case, opaque  # noqa: TID252 - tests are no package
from ..stated import stated  # noqa: TID252
from .timing import print_table

pytestmark = pytest.mark.benchmark

Vector = np.ndarray
Function = Callable[[Vector], float]
# f and gradient of a flat vector, and the point: is the gradient flagged?
Checker = Callable[[Function, Callable[[Vector], Vector], Vector], bool]


def slopes(f: Function, x: Vector, h: float, *, central: bool = True) -> Vector:
    found = np.zeros(len(x))
    for i in range(len(x)):
        step = np.zeros(len(x))
        step[i] = h
        found[i] = (f(x + step) - f(x - step)) / (2 * h) if central else (f(x + step) - f(x)) / h
    return found


def beyond(claim: Vector, other: Vector, atol: float, rtol: float) -> bool:
    """Flag what is not within atol + rtol·|other|; nan is flagged."""
    return not bool((np.abs(claim - other) <= atol + rtol * np.abs(other)).all())


def textbook(f: Function, g: Callable[[Vector], Vector], x: Vector) -> bool:
    return beyond(g(x), slopes(f, x, 1e-4), 1e-8, 1e-5)


def torch_rule(f: Function, g: Callable[[Vector], Vector], x: Vector) -> bool:
    # gradcheck: eps=1e-6, atol=1e-5, rtol=1e-3
    return beyond(g(x), slopes(f, x, 1e-6), 1e-5, 1e-3)


def jax_rule(f: Function, g: Callable[[Vector], Vector], x: Vector) -> bool:
    # check_grads: one random direction, eps=1e-4, float64 tolerance 1e-5
    v = np.random.default_rng(0).standard_normal(len(x))
    slope = (f(x + 1e-4 * v) - f(x - 1e-4 * v)) / 2e-4
    return beyond(np.array([g(x) @ v]), np.array([slope]), 1e-5, 1e-5)


def cs231n_rule(f: Function, g: Callable[[Vector], Vector], x: Vector) -> bool:
    # h=1e-5, relative error |a - n| / max(|a|, |n|): "usually wrong" above 1e-2, "uncomfortable" above 1e-4
    a, n = g(x), slopes(f, x, 1e-5)
    size = np.maximum(np.abs(a), np.abs(n))
    return not bool((np.abs(a - n) <= 1e-4 * size).all())


def openmdao_rule(f: Function, g: Callable[[Vector], Vector], x: Vector) -> bool:
    # check_partials: forward, step 1e-6; flagged if the absolute or the relative error of the block exceeds 1e-6
    a, n = g(x), slopes(f, x, 1e-6, central=False)
    error, size = float(np.linalg.norm(a - n)), float(np.linalg.norm(n))
    return not (error <= 1e-6 and (size == 0 or error / size <= 1e-6))


def openmdao_relative(f: Function, g: Callable[[Vector], Vector], x: Vector) -> bool:
    a, n = g(x), slopes(f, x, 1e-6, central=False)
    return not float(np.linalg.norm(a - n)) <= 1e-6 * float(np.linalg.norm(n))


def scipy_check_grad(f: Function, g: Callable[[Vector], Vector], x: Vector) -> bool:
    from scipy.optimize import check_grad

    # a norm without a verdict; 1e-5 of the gradient is what its users write beside it
    return not check_grad(f, g, x) <= 1e-5 * (1 + float(np.linalg.norm(g(x))))


def scipy_check_derivative(f: Function, g: Callable[[Vector], Vector], x: Vector) -> bool:
    from scipy.optimize._numdiff import check_derivative

    return not check_derivative(f, lambda y: g(y)[None, :], x) <= 1e-6


def derivcheck_rule(f: Function, g: Callable[[Vector], Vector], x: Vector) -> bool:
    import derivcheck

    try:
        derivcheck.assert_deriv(f, g, x)
    except AssertionError:
        return True
    except FloatingPointError:
        # its own estimate is too large: it declines, which is no flag
        return False
    return False


def numdifftools_rule(f: Function, g: Callable[[Vector], Vector], x: Vector) -> bool:
    import numdifftools

    result = numdifftools.Gradient(f, full_output=True)(x)
    value, error = (np.ravel(part) for part in result[:2])
    return not bool((np.abs(g(x) - value) <= 10 * error + 1e-14 * np.abs(value)).all())


def jacobi_rule(f: Function, g: Callable[[Vector], Vector], x: Vector) -> bool:
    import jacobi

    value, error = jacobi.jacobi(f, x)
    return not bool((np.abs(g(x) - np.ravel(value)) <= 10 * np.ravel(error) + 1e-14 * np.abs(np.ravel(value))).all())


PEERS: dict[str, tuple[str, Checker]] = {
    "h = 1e-4, allclose 1e-5": ("", textbook),
    "rule of torch gradcheck": ("", torch_rule),
    "rule of JAX check_grads": ("", jax_rule),
    "rule of cs231n": ("", cs231n_rule),
    "rule of OpenMDAO, both errors": ("", openmdao_rule),
    "rule of OpenMDAO, relative": ("", openmdao_relative),
    "scipy check_grad, 1e-5": ("scipy", scipy_check_grad),
    "scipy check_derivative, 1e-6": ("scipy", scipy_check_derivative),
    "derivcheck": ("derivcheck", derivcheck_rule),
    "numdifftools, 10 estimates": ("numdifftools", numdifftools_rule),
    "jacobi, 10 estimates": ("jacobi", jacobi_rule),
}


def flat(case: Case, checker: Checker, gradient: Callable[[Any], Any]) -> bool:
    """Ask a checker that knows vectors alone; what it raises is a flag only if the gradient itself is not finite."""
    shape = np.shape(case.at)
    x = np.ravel(np.array(case.at, dtype=float))

    def f(y: Vector) -> float:
        return float(np.asarray(case.f(np.array(y, dtype=float).reshape(shape))).reshape(-1)[0])

    def g(y: Vector) -> Vector:
        return np.ravel(np.asarray(gradient(np.array(y, dtype=float).reshape(shape)), dtype=float))

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return checker(f, g, x)
        except Exception:
            return not bool(np.isfinite(g(x)).all())


def ours(case: Case, gradient: Callable[[Any], Any], setting: str) -> bool:
    at = np.array(case.at) if np.ndim(case.at) else float(case.at)
    if setting == "as it is":
        verdict = dc.check_gradient(case.f, gradient, at)
    elif setting == "opaque gradient":
        names = [f"x{i}" for i in range(np.size(at))] if np.ndim(at) else ["x"]
        formula = dc.parse(case.formula, variables=names) if case.formula else None
        verdict = dc.check_gradient(case.f, opaque(gradient), at, formula=formula)
    else:
        verdict = dc.check_gradient(opaque(case.f), opaque(gradient), at)
    return bool(verdict.status == "wrong")


def row(name: str, flags: Callable[[Case, Callable[[Any], Any]], bool]) -> tuple[str, ...]:
    start = time.perf_counter()
    cells, calls = [], 0
    for cases in (BUGS, TWINS):
        found = sum(flags(case, case.gradient) and not flags(case, case.truth or case.gradient) for case in cases)
        cells.append(f"{found} ({found / len(cases):.0%})")
        calls += 2 * len(cases)
    for cases in (EASY, HARD, ROUNDING):
        alarms = sum(flags(case, case.gradient) for case in cases)
        cells.append(f"{alarms} ({alarms / len(cases):.0%})")
        calls += len(cases)
    return name, *cells, f"{(time.perf_counter() - start) / calls * 1e3:.2f} ms"


def test_checkers_side_by_side() -> None:
    rows = []
    if "check_gradient" in dc.__all__:
        rows += [
            row(f"diffcompare, {setting}", lambda case, g, s=setting: ours(case, g, s))
            for setting in ("as it is", "opaque gradient", "black box")
        ]
    for name, (library, checker) in PEERS.items():
        if library and importlib.util.find_spec(library) is None:
            rows.append((f"{name}: not installed", *[""] * 6))
            continue
        rows.append(row(name, lambda case, g, c=checker: flat(case, c, g)))
    headers = (
        "checker",
        f"bugs net, of {len(BUGS)}",
        f"twins net, of {len(TWINS)}",
        f"false, easy of {len(EASY)}",
        f"false, hard of {len(HARD)}",
        f"false, rounding of {len(ROUNDING)}",
        "time each",
    )
    print_table("bugs found net of false alarms, and right gradients called wrong", headers, rows)
    plain = [found for found, (library, _) in zip(rows[-len(PEERS) :], PEERS.values(), strict=True) if not library]
    bugs, alarms = ([int(found[k].partition(" ")[0]) for found in plain] for k in (1, 4))
    assert stated("other checkers") == (
        f"{min(bugs)} to {max(bugs)} of {len(BUGS)} bugs found, {min(alarms)} to {max(alarms)} of {len(HARD)} hard "
        "right gradients called wrong"
    )
