"""SciPy's compiled functions that are written with NumPy: each has the values of SciPy, also beside the point."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import scipy
import scipy.fft
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.signal
import scipy.sparse.linalg
import scipy.stats

import diffcompare as dc
from diffcompare.arithmetic.array_floats import array_floats, moved_floats
from diffcompare.tracing import compiled
from diffcompare.tracing.compiled_filters import FILTERS
from diffcompare.tracing.compiled_lapack import LAPACK
from diffcompare.tracing.compiled_splines import SPLINES
from diffcompare.tracing.compiled_systems import SYSTEMS, structured
from diffcompare.tracing.fourier import TRANSFORMS

from ..quality.array_truth import (  # noqa: TID252 - tests are no package
    complaints_about_numbers,
    function_of,
    numbers_of,
    traced,
)

RANDOM = np.random.default_rng(6)
X = RANDOM.uniform(0.2, 0.9, (3, 4))
S = RANDOM.uniform(-1, 1, (4, 4)) + 4 * np.eye(4)
NAMES: dict[str, Any] = {
    "scipy": scipy,
    "v": RANDOM.uniform(1, 2, 4),
    "w": RANDOM.uniform(-1, 2, 3),
    "S": S,
    "sparse": scipy.sparse.csc_array(S),
    "factors": scipy.sparse.linalg.splu(scipy.sparse.csc_array(S)),
    "knots": np.array([0.0, 0.3, 0.6, 1.0]),
    "t": np.array([0.0, 0, 0, 0.5, 1, 1, 1]),
    "data": RANDOM.normal(size=(2, 7)),
    "spline": scipy.interpolate.UnivariateSpline([0.0, 0.3, 0.6, 1.0], [1.0, 0.5, -0.2, 0.7], s=0.0),
}
BANDS = "np.vstack([x[0], x[1] + 3, x[2]])"
# what is called: bodies of functions of x, of shape (3, 4)
CASES: dict[str, list[str]] = {
    "correlate1d": [
        *(f"scipy.ndimage.gaussian_filter(x, 0.7, mode='{mode}', cval=0.5)"
          for mode in ("reflect", "constant", "nearest", "mirror", "wrap")),
        "scipy.ndimage.convolve1d(x, [1.0, 2.0, 3.0, 5.0], axis=0, origin=1)", "scipy.ndimage.sobel(x) * x",
        "scipy.ndimage.correlate1d(v, x[0, :3] * x[1, 0], origin=-1)", "scipy.signal.savgol_filter(x, 3, 1)",
    ],
    "uniform_filter1d": ["scipy.ndimage.uniform_filter(x, 3)", "scipy.ndimage.uniform_filter1d(x, 2, 1, origin=-1)"],
    "correlate": ["scipy.ndimage.convolve(x, S[:2, :3])", "scipy.ndimage.correlate(x, x[:2, :2], mode='wrap')",
        "scipy.ndimage.correlate(x, S[:3, :2], mode='constant', cval=2.0, origin=(1, 0))"],
    "_convolve2d": [f"scipy.signal.{name}(x, x[:2, :3], mode='{mode}', boundary='{boundary}')"
        for name in ("convolve2d", "correlate2d") for mode in ("full", "same", "valid") for boundary in ("fill", "wrap")
    ] + ["scipy.signal.correlate2d(x, S[:2, :2], boundary='symm')",
        "scipy.signal.convolve2d(x, S[:3, :3], mode='same')",
        "scipy.signal.correlate2d(x, S[:2, :3], mode='same', fillvalue=1.5)"],
    "_linear_filter": ["scipy.signal.lfilter([1.0, 0.5, 0.25], [2.0, 0.3], x, axis=0)",
        "scipy.signal.lfilter(x[0, :2], [1.0, x[1, 0], 0.2], v)",
        "scipy.signal.filtfilt([1.0, 0.5], [1.0, 0.2], x[0], padlen=1)",
        "scipy.signal.lfilter([1.0], [1.0, 0.5], x[0], zi=x[1, :1])[1]"],
    "evaluate": ["scipy.interpolate.CubicSpline(knots, v)(x)", "scipy.interpolate.CubicSpline(knots, x[0])([0.1, 1.2])",
        "scipy.interpolate.PchipInterpolator(knots, v)(x, 1)", "scipy.interpolate.CubicSpline(knots, x.T)(0.4, 2)",
        "scipy.interpolate.PPoly(x[:, :3], knots, extrapolate=False)([0.1, 0.7])"],
    "evaluate_spline": ["scipy.interpolate.BSpline(t, v, 2)(x)",
        "scipy.interpolate.BSpline(t, x[0], 2)([0.0, 0.5, 1.0, 1.1])",
        "scipy.interpolate.BSpline(t, x.T, 2)(x[1], 1)", "scipy.interpolate.make_interp_spline(knots, x[0])(0.45, 2)",
        "scipy.interpolate.BSpline(t, x[0], 2, extrapolate=False)([0.2, 0.9])"],
    "splev": ["spline(x + 0.2)", "spline(x * 2, ext='zeros')", "spline(x * 2, ext=3)",
        "scipy.interpolate.splev(x[0], (t, np.append(x[1], v[:3]), 2))"],
    "splder": ["spline(x, 2)", "scipy.interpolate.splev(x[0], spline._eval_args, 1, ext=1)"],
    "dgbsv": ["scipy.interpolate.make_interp_spline(knots, x[0], k=3)([0.2, 0.8])"],
    "dpotrf": ["scipy.linalg.lapack.dpotrf(S @ S.T + x.T @ x)[0]",
        "scipy.linalg.lapack.dpotrf(x.T @ x + np.triu(S + 9), clean=False)[0]",
        "scipy.linalg.lapack.dpotrf(x.T @ x + np.tril(S + 9), lower=1)[0]",
        "x * scipy.linalg.lapack.dpotrf(-x.T @ x)[1]"],
    "dpotri": [
        "c = scipy.linalg.lapack.dpotrf(x.T @ x + S)[0]\nscipy.linalg.lapack.dpotri(c, overwrite_c=1)\nreturn c",
        "scipy.linalg.lapack.dpotri(x[:, :3] + 3 * np.eye(3), lower=1)[0]"],
    "dpotrs": ["scipy.linalg.lapack.dpotrs(x[:, :3] + np.eye(3), x)[0]",
        "scipy.linalg.lapack.dpotrs(S, x[0], lower=1)[0]"],
    "dtrtrs": ["scipy.linalg.lapack.dtrtrs(x[:, :3] + np.eye(3), x[0, :3], trans=1)[0]",
        "scipy.linalg.lapack.dtrtrs(x[:, :3], x, lower=1, unitdiag=1)[0]"],
    "dtrtri": ["scipy.linalg.lapack.dtrtri(x[:, :3] + np.eye(3))[0]",
        "scipy.linalg.lapack.dtrtri(x[:, :3], lower=1, unitdiag=1)[0]"],
    "dgemm": ["scipy.linalg.blas.dgemm(2.0, x, x, trans_b=1)",
        "scipy.linalg.blas.dgemm(x[0, 0], S, x.T, beta=0.5, c=x.T)"],
    "ddot": ["scipy.linalg.blas.ddot(x[0], v) * x"], "dnrm2": ["scipy.linalg.blas.dnrm2(x[0]) * x"],
    "_ndim_coords_from_arrays": ["scipy.interpolate.RegularGridInterpolator((knots, [0.0, 1.0]), S[:, :2])(x[:, :2])"],
    "find_indices": ["scipy.interpolate.RegularGridInterpolator((knots, [0.0, 1.0]), x.T[:, :2])([[0.4, 0.3]])",
        "scipy.interpolate.RegularGridInterpolator((knots, [0.0, 1.0]), S[:, :2])(x[:, :2] ** 2)"],
    "evaluate_linear_2d": ["scipy.interpolate.interpn((knots, [0.0, 1.0]), S[:, 1:3], (x[0], x[1]))"],
    "gaussian_kernel_estimate": ["scipy.stats.gaussian_kde(data)(x[:2])", "scipy.stats.gaussian_kde(x[0])([0.3, 0.5])"],
    "gaussian_kernel_estimate_log": ["scipy.stats.gaussian_kde(data).logpdf(x[:2])"],
    "gssv": ["scipy.sparse.linalg.spsolve(sparse, x[0])",
        "scipy.sparse.linalg.spsolve(scipy.sparse.diags(x[0] + 1).tocsr(), v)"],
    "gstrf": ["scipy.sparse.linalg.splu(sparse * x[0, 0]).solve(v, 'T')",
        "scipy.sparse.linalg.factorized(sparse)(x[0])"],
    "SuperLU.solve": ["factors.solve(x[0])", "factors.solve(x[:2].T, 'T')"],
    "dia_matvecs": ["scipy.sparse.diags([v[:3], v], [1, 0]) @ x.T", "scipy.sparse.diags(x[0]) @ S"],
    "solve_banded": [f"scipy.linalg.solve_banded((1, 1), {BANDS}, v)", "scipy.linalg.solve_banded((0, 2), S[1:], x.T)"],
    "solveh_banded": ["scipy.linalg.solveh_banded(np.vstack([x[0], x[1] + 3]), v)",
        "scipy.linalg.solveh_banded(np.vstack([x[1] + 3, x[0]]), x[2], lower=True)"],
    "cholesky_banded": ["scipy.linalg.cholesky_banded(np.vstack([x[0], x[1] + 3]))",
        "scipy.linalg.cholesky_banded(np.vstack([x[1] + 3, x[0]]), lower=True)"],
    "cho_solve_banded": ["scipy.linalg.cho_solve_banded((np.vstack([x[0], x[1] + 3]), False), v)",
        "scipy.linalg.cho_solve_banded((np.vstack([x[1] + 3, x[0]]), True), x[2])"],
    "solve_toeplitz": ["scipy.linalg.solve_toeplitz(x[0] + np.array([3, 0, 0, 0]), v)",
        "scipy.linalg.solve_toeplitz((x[0] + np.array([3, 0, 0, 0]), x[1]), x[2])"],
    "lstsq": ["scipy.linalg.lstsq(x.T, v)[0]", "scipy.signal.detrend(x)"],
    "lu": ["scipy.linalg.lu(x[::-1, :3])[1] + scipy.linalg.lu(x[::-1, :3])[2]",
        "scipy.linalg.lu(x[:, :3], permute_l=True)[0]",
        "scipy.linalg.lu(x[:, 1:])[0] @ x", "x[scipy.linalg.lu(x[:, 1:], p_indices=True)[0]]"],
    "lu_factor": ["scipy.linalg.lu_factor(x[:, :3])[0]", "x[scipy.linalg.lu_factor(x[:, :3])[1]]"],
    "lu_solve": ["scipy.linalg.lu_solve(scipy.linalg.lu_factor(x[:, :3]), w)",
        "scipy.linalg.lu_solve(scipy.linalg.lu_factor(x[:, 1:]), x, trans=1)",
        "scipy.linalg.lu_solve(scipy.linalg.lu_factor(S), x.T)"],
    "solve_sylvester": ["scipy.linalg.solve_sylvester(S, x[:, :3], x.T)"],
    "solve_continuous_lyapunov": ["scipy.linalg.solve_continuous_lyapunov(S, x.T @ x)"],
    "solve_lyapunov": ["scipy.linalg.solve_lyapunov(x[:, :3] + 2 * np.eye(3), S[:3, :3])"],
    "solve_discrete_lyapunov": ["scipy.linalg.solve_discrete_lyapunov(x[:, :3] * 0.3, S[:3, :3])"],
    "dct": ["scipy.fft.dct(x)", "scipy.fft.dct(x, 1, axis=0, norm='ortho')", "scipy.fft.dct(x, n=5)",
        "scipy.fft.dct(v) * x"],
    "idct": ["scipy.fft.idct(x, type=3, n=3)"], "dst": ["scipy.fft.dst(x[0], 4)"],
    "idst": ["scipy.fft.idst(x, norm='forward')"],
    "dctn": ["scipy.fft.dctn(x)", "scipy.fft.dctn(x, axes=[1])"], "idctn": ["scipy.fft.idctn(x, norm='ortho')"],
    "dstn": ["scipy.fft.dstn(x, 3)"], "idstn": ["scipy.fft.idstn(x, 2, (2, 5))"],
}  # fmt: skip
# those of float64: the others are the same
_DOUBLE = [name for name in LAPACK if name.startswith("Fortran's d")]
SOURCES = [source for sources in CASES.values() for source in sources]


def _complaints(source: str) -> list[str]:
    """Hold the program of arrays against SciPy beside the point."""
    code = function_of(source, **NAMES)
    build, trace = traced(code, X)
    found = []
    for point in (X, X + 2.0**-8 * RANDOM.uniform(-1, 1, X.shape)):
        expected = np.array([float(v) for v in numbers_of(code(point.copy()))])
        (plain,) = array_floats(build, [trace.output], point.reshape(-1))
        (moved,) = moved_floats(build, [trace.output], point.reshape(-1), unit=2.0**-53)
        allowed = 64 * (moved.error + 2.0**-53 * np.abs(expected).max())
        if not (np.isnan(expected) == np.isnan(plain)).all() or (np.abs(plain - expected) > allowed).any():
            found.append(f"{plain} where SciPy has {expected}, within {allowed}")
    return found


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("source", SOURCES)
def test_it_is_the_function_of_scipy(source: str) -> None:
    assert _complaints(source) == []
    assert complaints_about_numbers(source, X, **NAMES) == []


def test_every_rule_has_a_case() -> None:
    rules = {name.rpartition(".")[2].removeprefix("Fortran's ") for name in (*FILTERS, *SPLINES, *SYSTEMS, *_DOUBLE)}
    assert (rules - {"solve"}) | set(structured(np.array)) | TRANSFORMS <= set(CASES)


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("name", [*sorted(FILTERS | SPLINES | SYSTEMS), *_DOUBLE])
def test_a_bug_of_a_rule_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(compiled._KNOWN)

    def wrong(rule: Any, *args: Any, **kwargs: Any) -> Any:
        found = rule(*args, **kwargs)
        if found is None:
            # it writes into one of its arguments
            out = next(a for a in reversed(args) if isinstance(a, np.ndarray) and a.ndim)
            out[...] = out * 0.9
            return None
        if isinstance(found, tuple):
            return tuple(
                0.9 * part if isinstance(part, np.ndarray) and part.dtype.kind in "fO" else part for part in found
            )
        return found if not isinstance(found, np.ndarray) else 0.9 * found

    short = name.rpartition(".")[2].removeprefix("Fortran's ")
    # what was Fortran is C in later versions of SciPy, under another name
    names = {name, f"Fortran's {short}", f"scipy.interpolate._fitpack.{short}"} & known.keys()
    monkeypatch.setattr(compiled, "_KNOWN", {**known, **{one: functools.partial(wrong, known[one]) for one in names}})
    if short not in ("gstrf", "solve"):
        assert [s for s in CASES[short] if _complaints(s)] != []


def test_weights_that_compiled_code_computes_are_not_taken_for_real_numbers() -> None:
    # 0.4 is another number in each of them: by identity a right gradient was wrong by 1e-15
    def shifted(x: Any, by: float) -> Any:
        return scipy.ndimage.shift(x, by, order=1, mode="grid-constant")

    point = np.random.default_rng(0).normal(size=100)
    verdict = dc.check_gradient(
        lambda x: np.sum(shifted(x, 0.4) ** 2) / 2, lambda x: shifted(shifted(x, 0.4), -0.4), point
    )
    assert (verdict.status, verdict.evidence) == ("consistent", "witness")
