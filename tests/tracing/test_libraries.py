"""Code of SciPy's is traced as the user's own: right gradients are judged by identity, and wrong ones found."""

from __future__ import annotations

import functools
import gc
import itertools
from abc import ABC, abstractmethod
from collections import deque
from typing import Any

import numpy as np
import pytest
import scipy.sparse.linalg as sparse_linalg
import scipy.special as sc
from scipy import fft, interpolate, linalg, ndimage, optimize, signal, sparse, spatial, stats
from scipy.spatial.distance import cdist, pdist, squareform

import diffcompare as dc
from diffcompare.tracing.rebuild import Rebuilder
from diffcompare.tracing.table import Table
from diffcompare.verdict.identity import judge_by_identity
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.problem import Problem

from ..stated import stated  # noqa: TID252 - tests are no package
from .test_complex_numbers import PAIRS as COMPLEX
from .test_factorisations import PAIRS as FACTORISATIONS

RANDOM = np.random.default_rng(0)
Y = RANDOM.normal(size=7)
POSITIVE, UNIT = RANDOM.uniform(0.5, 3, 7), RANDOM.uniform(0.1, 0.9, 7)
X = RANDOM.normal(size=(7, 3))
LABELS, COUNTS = np.array([1.0, 0, 0, 1, 1, 0, 1]), np.array([0, 1, 3, 2, 1, 0, 4])
COVARIANCE = np.array([[1.3, 0.2, 0.1], [0.2, 0.9, 0.0], [0.1, 0.0, 1.1]])
W = RANDOM.normal(size=(5, 2))
A = sparse.random(6, 4, 0.5, format="csr", random_state=1)
B = RANDOM.normal(size=6)
BANDS = sparse.diags([-1.0, 2.0, -1.0], [-1, 0, 1], shape=(4, 4))
normal = stats.norm


def _standard(y: Any, p: Any) -> Any:
    return (y - p[0]) / p[1]


def _of_location_and_scale(y: Any, p: Any, slope: Any) -> Any:
    """Return the gradient of −Σ log density((y − p₀)/p₁)/p₁, whose logarithm has this slope."""
    z = _standard(y, p)
    return np.array([np.sum(slope(z)) / p[1], np.sum(1 + z * slope(z)) / p[1]])


def _probit_slope(b: Any) -> Any:
    sign = 2 * LABELS - 1
    eta = sign * (X @ b)
    return X.T @ (sign * normal.pdf(eta) / normal.cdf(eta))


def _probit(b: Any) -> Any:
    eta = X @ b
    return np.sum(LABELS * normal.logcdf(eta) + (1 - LABELS) * normal.logsf(eta))


def _black_scholes(p: Any) -> Any:
    price, volatility = p
    d = (np.log(price / 95.0) + (0.03 + volatility**2 / 2) * 0.5) / (volatility * np.sqrt(0.5))
    return price * normal.cdf(d) - 95.0 * np.exp(-0.015) * normal.cdf(d - volatility * np.sqrt(0.5))


def _greeks(p: Any) -> Any:
    price, volatility = p
    d = (np.log(price / 95.0) + (0.03 + volatility**2 / 2) * 0.5) / (volatility * np.sqrt(0.5))
    return np.array([normal.cdf(d), price * normal.pdf(d) * np.sqrt(0.5)])


def _beta_slope(p: Any) -> Any:
    both = sc.digamma(p[0] + p[1])
    return np.array([np.sum(np.log(UNIT) - sc.psi(p[0]) + both), np.sum(np.log1p(-UNIT) - sc.psi(p[1]) + both)])


def _negative_binomial_slope(b: Any) -> Any:
    mean = np.exp(X @ b)
    return X.T @ (COUNTS - mean * (COUNTS + 2.0) / (2.0 + mean))


BETA3 = [0.1, 0.2, -0.1]


def _of_scalars(x: Any) -> Any:
    return sum(v**3 if np.isscalar(v) else 0.0 * v for v in x)


def _into_new_arrays(x: Any) -> Any:
    found = np.ndarray((2, len(x)), dtype=x.dtype)
    found[0], found[1] = x, 2 * x
    assert isinstance(found, np.ndarray)
    return np.sum(found[0] * found[1]) / 2


IMAGE = RANDOM.normal(size=(3, 3))
NINE = [0.3, -0.2, 0.7, 0.1, 0.9, -0.4, 0.2, 0.6, -0.8]
FILTER = ([1.0, 0.5], [1.0, -0.3, 0.1])
SPLINE = interpolate.CubicSpline(np.arange(4.0), [0.3, 1.1, -0.4, 0.2])
DOMINANT = np.array([[3.0, 0.5, -0.2], [0.1, -4.0, 1.0], [0.7, 0.2, 5.0]])
FACTORS = sparse_linalg.splu(sparse.csc_array(BANDS + sparse.diags([1.0, 2.0, 3.0, 4.0])))


def _banded(x: Any, b: Any) -> Any:
    ones = np.full(4, -1.0)
    return linalg.solve_banded((1, 1), np.vstack([ones, 3.0 + x, ones]), b)


def _sparse(x: Any, b: Any) -> Any:
    return sparse_linalg.spsolve((BANDS + sparse.diags(x)).tocsc(), b)


# name: function, gradient, point
PAIRS: dict[str, tuple[Any, Any, list[float]]] = {
    "norm.logpdf": (
        lambda p: -normal.logpdf(Y, p[0], p[1]).sum(),
        lambda p: _of_location_and_scale(Y, p, lambda z: -z), [0.3, 1.2]),
    "norm.logpdf(loc=…)": (
        lambda b: normal.logpdf(Y, loc=X @ b, scale=1.5).sum(), lambda b: X.T @ ((Y - X @ b) / 1.5**2), BETA3),
    "norm(…).logpdf": (
        lambda p: -np.sum(stats.norm(p[0], p[1]).logpdf(Y)),
        lambda p: _of_location_and_scale(Y, p, lambda z: -z), [0.3, 1.2]),
    "norm.logcdf": (_probit, _probit_slope, [0.3, 0.2, -0.4]),
    "norm.cdf": (_black_scholes, _greeks, [100.0, 0.2]),
    "norm.pdf": (lambda x: np.sum(normal.pdf(x)), lambda x: -x * normal.pdf(x), [0.3, -0.7]),
    "norm.sf": (lambda x: np.sum(np.log(normal.sf(x))), lambda x: -normal.pdf(x) / normal.sf(x), [0.3, -0.7]),
    "norm.ppf": (lambda p: np.sum(normal.ppf(p)), lambda p: 1 / normal.pdf(normal.ppf(p)), [0.3, 0.9]),
    "truncated": (lambda x: np.sum(normal.pdf(np.maximum(x, 0))), lambda x: -x * normal.pdf(x) * (x > 0), [0.3, -0.7]),
    "gamma": (
        lambda p: stats.gamma.logpdf(POSITIVE, p[0], scale=p[1]).sum(),
        lambda p: np.array([
            np.sum(np.log(POSITIVE / p[1]) - sc.digamma(p[0])), np.sum(POSITIVE / p[1] - p[0]) / p[1]]), [1.3, 1.1]),
    "gamma.cdf": (lambda x: stats.gamma.cdf(x, 2.5).sum(), lambda x: stats.gamma.pdf(x, 2.5), [0.7, 1.2]),
    "gamma.ppf": (lambda p: stats.gamma.ppf(p, 2.5).sum(), lambda p: 1 / stats.gamma.pdf(stats.gamma.ppf(p, 2.5), 2.5),
        [0.2, 0.7]),
    "t.cdf": (lambda x: stats.t.cdf(x, 4).sum(), lambda x: stats.t.pdf(x, 4), [0.0, -0.7, 3.5]),
    "t.ppf": (lambda p: stats.t.ppf(p, 4).sum(), lambda p: 1 / stats.t.pdf(stats.t.ppf(p, 4), 4), [0.2, 0.9]),
    "beta.cdf": (lambda x: stats.beta.cdf(x, 2.5, 1.5).sum(), lambda x: stats.beta.pdf(x, 2.5, 1.5), [0.3, 0.8]),
    "f.sf": (lambda x: stats.f.sf(x, 3.0, 4.0).sum(), lambda x: -stats.f.pdf(x, 3.0, 4.0), [0.3, 2.8]),
    "binom.cdf": (
        lambda p: stats.binom.cdf([1, 3], 6, p[0]).sum(),
        lambda p: np.array([-np.sum([6 * stats.binom.pmf(k, 5, p[0]) for k in (1, 3)])]), [0.3]),
    "chi2.logsf": (lambda x: stats.chi2.logsf(x, 3).sum(), lambda x: -stats.chi2.pdf(x, 3) / stats.chi2.sf(x, 3),
        [0.7, 1.2]),
    "beta": (lambda p: np.sum(stats.beta.logpdf(UNIT, p[0], p[1])), _beta_slope, [1.3, 2.1]),
    "beta.pdf": (
        lambda x: stats.beta.pdf(x, 2.5, 1.5).sum(),
        lambda x: stats.beta.pdf(x, 2.5, 1.5) * (1.5 / x - 0.5 / (1 - x)), [0.3, 0.8]),
    "expon": (lambda p: stats.expon.logpdf(POSITIVE, scale=1 / p[0]).sum(),
        lambda p: np.array([len(POSITIVE) / p[0] - np.sum(POSITIVE)]), [0.7]),
    "t": (
        lambda p: -np.sum(stats.t.logpdf(Y, 4, loc=p[0], scale=p[1])),
        lambda p: _of_location_and_scale(Y, p, lambda z: -5 * z / (4 + z**2)), [0.1, 1.2]),
    "laplace": (
        lambda p: -stats.laplace.logpdf(Y, p[0], p[1]).sum(),
        lambda p: _of_location_and_scale(Y, p, lambda z: -np.sign(z)), [0.1, 1.2]),
    "logistic": (
        lambda p: -stats.logistic.logpdf(Y, p[0], p[1]).sum(),
        lambda p: _of_location_and_scale(Y, p, lambda z: -np.tanh(z / 2)), [0.1, 1.2]),
    "cauchy": (
        lambda p: -stats.cauchy.logpdf(Y, p[0], p[1]).sum(),
        lambda p: _of_location_and_scale(Y, p, lambda z: -2 * z / (1 + z**2)), [0.1, 1.2]),
    "gumbel_r": (
        lambda p: -stats.gumbel_r.logpdf(Y, p[0], p[1]).sum(),
        lambda p: _of_location_and_scale(Y, p, lambda z: np.exp(-z) - 1), [0.1, 1.2]),
    "lognorm": (
        lambda p: -np.sum(stats.lognorm.logpdf(POSITIVE, p[1], scale=np.exp(p[0]))),
        lambda p: _of_location_and_scale(np.log(POSITIVE), p, lambda z: -z), [0.1, 0.8]),
    "weibull_min": (
        lambda p: stats.weibull_min.logpdf(POSITIVE, p[0], scale=1.8).sum(),
        lambda p: np.array([np.sum(1 / p[0] + np.log(POSITIVE / 1.8) * (1 - (POSITIVE / 1.8) ** p[0]))]), [1.4]),
    "pareto": (
        lambda p: stats.pareto.logpdf(1 + POSITIVE, p[0]).sum(),
        lambda p: np.array([np.sum(1 / p[0] - np.log(1 + POSITIVE))]), [1.4]),
    "invgauss": (lambda p: stats.invgauss.logpdf(POSITIVE, p[0]).sum(),
        lambda p: np.array([np.sum((POSITIVE - p[0]) / p[0] ** 3)]), [1.4]),
    "dirichlet": (
        lambda a: stats.dirichlet.logpdf(np.array([0.2, 0.3, 0.5]), a),
        lambda a: np.log([0.2, 0.3, 0.5]) - sc.digamma(a) + sc.digamma(a.sum()), [1.2, 0.8, 2.0]),
    "multivariate_normal": (
        lambda x: stats.multivariate_normal.logpdf(x, mean=np.array([0.1, 0.2, 0.3]), cov=COVARIANCE),
        lambda x: -np.linalg.solve(COVARIANCE, x - np.array([0.1, 0.2, 0.3])), [0.4, -0.2, 0.7]),
    "multivariate_normal(…)": (
        lambda m: stats.multivariate_normal(m, COVARIANCE).logpdf(X).sum(),
        lambda m: np.sum(np.linalg.solve(COVARIANCE, (X - m).T), axis=1), [0.4, -0.2, 0.7]),
    "poisson": (lambda b: stats.poisson.logpmf(COUNTS, np.exp(X @ b)).sum(),
        lambda b: X.T @ (COUNTS - np.exp(X @ b)), BETA3),
    "binom": (lambda b: stats.binom.logpmf(COUNTS, 6, sc.expit(X @ b)).sum(),
        lambda b: X.T @ (COUNTS - 6 * sc.expit(X @ b)), BETA3),
    "bernoulli": (lambda b: stats.bernoulli.logpmf(LABELS, sc.expit(X @ b)).sum(),
        lambda b: X.T @ (LABELS - sc.expit(X @ b)), BETA3),
    "nbinom": (lambda b: stats.nbinom.logpmf(COUNTS, 2.0, 2.0 / (2.0 + np.exp(X @ b))).sum(),
        _negative_binomial_slope, BETA3),
    # special functions
    "log_ndtr": (lambda x: sc.log_ndtr(x).sum(), lambda x: np.exp(-(x**2) / 2 - sc.log_ndtr(x)) / np.sqrt(2 * np.pi),
        [-45.0, -9.0, 0.4]),
    "pseudo_huber": (lambda x: sc.pseudo_huber(1.3, x).sum(), lambda x: x / np.sqrt(1 + (x / 1.3) ** 2), [0.4, -2.0]),
    "huber": (lambda x: sc.huber(1.3, x).sum(), lambda x: np.clip(x, -1.3, 1.3), [0.4, -2.0]),
    "rel_entr": (lambda x: sc.rel_entr(x, UNIT[:2]).sum(), lambda x: np.log(x / UNIT[:2]) + 1, [0.4, 2.0]),
    "jvp": (lambda x: np.sum(sc.jv(2, x)), lambda x: sc.jvp(2, x), [0.4, 1.2]),
    "kvp": (lambda x: np.sum(np.log(sc.kv(1.5, x))), lambda x: sc.kvp(1.5, x) / sc.kv(1.5, x), [0.4, 1.2]),
    "ive": (lambda x: np.sum(np.log(sc.ive(1, x))), lambda x: sc.ivp(1, x) / sc.iv(1, x) - 1, [0.4, 1.2]),
    "erfcx": (lambda x: np.sum(sc.erfcx(x)), lambda x: 2 * x * sc.erfcx(x) - 2 / np.sqrt(np.pi), [0.4, 1.2]),
    "boxcox": (lambda x: np.sum(sc.boxcox(x, 0.3)), lambda x: x ** (0.3 - 1), [0.4, 1.2]),
    "multigammaln": (lambda a: sc.multigammaln(a[0], 3),
        lambda a: np.array([sum(sc.psi(a[0] - j / 2) for j in range(3))]), [4.2]),
    # distances
    "cdist": (
        lambda x: np.sum(np.exp(-cdist(x.reshape(-1, 2), W, "sqeuclidean"))),
        lambda x: (-2 * np.exp(-cdist(x.reshape(-1, 2), W, "sqeuclidean"))[..., None]
            * (x.reshape(-1, 1, 2) - W)).sum(axis=1).ravel(), [0.1, 0.2, -0.3, 0.4]),
    "pdist": (
        lambda x: np.sum(pdist(x.reshape(-1, 1)) ** 2) + np.sum(squareform(pdist(x.reshape(-1, 1), "cityblock"))),
        lambda x: 2 * (len(x) * x - np.sum(x)) + 2 * np.sum(np.sign(x[:, None] - x), axis=1), [0.1, 0.2, 1.1]),
    "mahalanobis": (
        lambda x: np.sum(cdist(x[None], W, "mahalanobis", VI=COVARIANCE[:2, :2]) ** 2),
        lambda x: 2 * np.sum((x - W) @ COVARIANCE[:2, :2], axis=0), [0.1, 0.2]),
    "euclidean": (
        lambda x: spatial.distance.euclidean(x, W[0]) + spatial.distance.sqeuclidean(x, W[1]),
        lambda x: (x - W[0]) / np.linalg.norm(x - W[0]) + 2 * (x - W[1]), [0.1, 0.2]),
    # sparse matrices
    "csr": (lambda x: 0.5 * np.sum((A @ x - B) ** 2), lambda x: A.T @ (A @ x - B), [0.1, 0.2, 0.3, 0.4]),
    "csr.dot": (lambda x: np.sum(np.exp(A.dot(x))), lambda x: A.T.dot(np.exp(A.dot(x))), [0.1, 0.2, 0.3, 0.4]),
    "csr, from the left": (lambda x: np.sum((x @ A.T) ** 2), lambda x: 2 * A.T @ (A @ x), [0.1, 0.2, 0.3, 0.4]),
    "csr_array": (
        lambda x: (sparse.csr_array(A).multiply(2.0) @ x).sum(),
        lambda x: 2.0 * np.asarray(A.sum(axis=0)).ravel() + 0.0 * x, [0.1, 0.2, 0.3, 0.4]),
    "csc times a matrix": (
        lambda x: np.sum(np.sin(A.tocsc() @ x.reshape(4, 2))),
        lambda x: (A.T @ np.cos(A @ x.reshape(4, 2))).ravel(), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]),
    "coo": (lambda x: np.sum(np.sin(A.tocoo() @ x)), lambda x: A.T @ np.cos(A @ x), [0.1, 0.2, 0.3, 0.4]),
    "diags": (lambda x: 0.5 * x @ (BANDS @ x), lambda x: BANDS @ x, [0.1, 0.25, 0.3, 0.4]),
    # what code asks of its arguments
    "isscalar": (_of_scalars, lambda x: 3 * x**2, [0.1, 0.2]),
    "interp": (
        lambda x: np.sum(np.interp(x, [0.0, 1.0, 2.0], [0.0, 2.0, 1.0])),
        lambda x: np.where(x < 1, 2.0, -1.0) * (x < 2), [0.3, 1.6, 2.5]),
    "searchsorted": (
        lambda x: np.sum(W[:, 0][np.searchsorted([0.5], x)] * x), lambda x: W[:, 0][(x > 0.5) * 1], [0.3, 1.6]),
    "digitize": (
        lambda x: x[0] * W[np.digitize(x[1], [2.0, 1.0]) - 1, 0], lambda x: np.array([W[0, 0], 0.0]), [0.3, 1.6]),
    "ndarray": (_into_new_arrays, lambda x: 2 * x, [0.1, 0.2, 0.3]),
    # filters, splines, systems
    "gaussian_filter": (
        lambda x: 0.5 * np.sum((ndimage.gaussian_filter(x.reshape(3, 3), 0.8, mode="constant") - IMAGE) ** 2),
        lambda x: ndimage.gaussian_filter(
            ndimage.gaussian_filter(x.reshape(3, 3), 0.8, mode="constant") - IMAGE, 0.8, mode="constant").ravel(),
        NINE),
    "convolve2d": (
        lambda k: 0.5 * np.sum(signal.convolve2d(IMAGE, k.reshape(2, 2), "valid") ** 2),
        lambda k: signal.correlate2d(
            IMAGE, signal.convolve2d(IMAGE, k.reshape(2, 2), "valid"), "valid")[::-1, ::-1].ravel(), NINE[:4]),
    "lfilter": (
        lambda x: 0.5 * np.sum(signal.lfilter(*FILTER, x) ** 2),
        lambda x: signal.lfilter(*FILTER, signal.lfilter(*FILTER, x)[::-1])[::-1], NINE),
    "dct": (
        lambda x: np.sum(fft.dct(x, norm="ortho") ** 4) / 4,
        lambda x: fft.idct(fft.dct(x, norm="ortho") ** 3, norm="ortho"), NINE),
    "CubicSpline": (
        lambda x: np.sum(SPLINE(x) ** 2), lambda x: 2 * SPLINE(x) * SPLINE.derivative()(x), [0.3, 1.6, 2.5, 3.5]),
    "CubicSpline(…, y)": (
        lambda y: np.sum(interpolate.CubicSpline(np.arange(4.0), y)([0.5, 2.2]) ** 2),
        lambda y: 2 * interpolate.CubicSpline(np.arange(4.0), np.eye(4))([0.5, 2.2]).T
        @ interpolate.CubicSpline(np.arange(4.0), y)([0.5, 2.2]), NINE[:4]),
    "solve_banded": (
        lambda x: 0.5 * np.sum(_banded(x, W[:4, 0]) ** 2),
        lambda x: -_banded(x, _banded(x, W[:4, 0])) * _banded(x, W[:4, 0]), NINE[:4]),
    "spsolve": (
        lambda x: 0.5 * np.sum(_sparse(x, W[:4, 0]) ** 2),
        lambda x: -_sparse(x, _sparse(x, W[:4, 0])) * _sparse(x, W[:4, 0]), NINE[:4]),
    "splu": (
        lambda x: 0.5 * np.sum(FACTORS.solve(x) ** 2), lambda x: FACTORS.solve(FACTORS.solve(x), "T"), NINE[:4]),
    "lu_factor": (
        lambda x: np.sum(np.log(np.abs(np.diag(linalg.lu_factor(x.reshape(3, 3) + DOMINANT)[0])))),
        lambda x: linalg.lu_solve(linalg.lu_factor(x.reshape(3, 3) + DOMINANT), np.eye(3)).T.ravel(), NINE),
    # SciPy's own
    "rosen": (optimize.rosen, optimize.rosen_der, [0.1, 0.2, 0.3]),
    "block_diag": (
        lambda x: np.sum(linalg.block_diag(np.outer(x, x), x)),
        lambda x: 2 * np.sum(x) + 1 + 0 * x, [0.1, 0.2, 0.3]),
}  # fmt: skip


def _judged(function: Any, gradient: Any, at: Any, factor: float = 1.0) -> set[str]:
    x = np.array(at)
    names = tuple(f"x[{k}]" for k in range(x.size))
    claimed = gradient if factor == 1 else lambda x: gradient(x) * factor
    found = judge_by_identity(Problem(function, claimed, x, np.copy, np.asarray, names))
    assert isinstance(found, Judgement), found
    return set(found.status)


SLOW = {"t.cdf", "t.ppf"}
# arrays that were computed before, such as a matrix's eigenvalues, may be off by as much
COMPUTED_BEFORE = {"multivariate_normal", "multivariate_normal(…)"}


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.thorough] * (name in SLOW)) for name in PAIRS])
def test_what_scipy_computes_is_judged_by_identity(name: str) -> None:
    function, gradient, at = PAIRS[name]
    assert _judged(function, gradient, at) == {"consistent"}
    factor = 1 + (1e-6 if name in COMPUTED_BEFORE else 1e-9)
    assert "wrong" in _judged(function, gradient, at, factor)


def test_the_counts_are_the_stated_ones() -> None:
    assert stated("library code") == (
        f"{len(PAIRS)} pairs of SciPy's distributions, special functions, distances, sparse matrices, "
        f"interpolation, filters and systems, {len(FACTORISATIONS)} of factorisations, {len(COMPLEX)} with complex "
        "numbers on the way"
    )


def _why(function: Any, gradient: Any, at: Any) -> str:
    verdict = dc.check_gradient(function, gradient, at)
    assert (verdict.status, verdict.evidence) == ("consistent", "witness")
    return "\n".join(verdict.notes)


def test_compiled_code_is_named() -> None:
    tree = spatial.cKDTree(W)

    def widened(x: Any) -> Any:
        return np.sum(ndimage.zoom(x, 2.0, order=1))

    assert "not by identity: scipy.ndimage._nd_image.zoom_shift of a traced value: it is compiled code" in _why(
        widened, lambda x: np.array([widened(unit) for unit in np.eye(2)]), [0.3, 1.7]
    )
    assert "not by identity: scipy.spatial._ckdtree.cKDTree.query of a traced value: it is compiled code" in _why(
        lambda x: tree.query(x)[0] ** 2, lambda x: 2 * (x - W[tree.query(x)[1]]), [0.1, 0.2]
    )


class Loss(ABC):
    @abstractmethod
    def value(self, x: Any) -> Any: ...

    @abstractmethod
    def slope(self, x: Any) -> Any: ...


class Scaled(Loss):
    def __init__(self, scale: float) -> None:
        self.scale = scale

    def value(self, x: Any) -> Any:
        found = np.empty(len(x))
        found[:] = np.exp(x / self.scale)
        return found.sum()

    def slope(self, x: Any) -> Any:
        return np.exp(x / self.scale) / self.scale


@functools.lru_cache
def _weights(count: int) -> Any:
    return np.linspace(0.1, 1, count)


@functools.lru_cache
def _remembered(x: tuple[float, ...]) -> Any:
    return sum(np.exp(v) for v in x)


def _by_bytes(function: Any) -> Any:
    known: dict[Any, Any] = {}

    def remembering(x: Any) -> Any:
        if x.tobytes() not in known:
            known[x.tobytes()] = function(x)
        return known[x.tobytes()]

    return remembering


def _by_numbers(function: Any) -> Any:
    known: dict[Any, Any] = {}

    def remembering(x: Any) -> Any:
        if tuple(x) not in known:
            known[tuple(x)] = function(x)
        return known[tuple(x)]

    return remembering


def test_abstract_classes_and_what_is_remembered_are_seen_through() -> None:
    loss = Scaled(0.3)
    for function, gradient in (
        (loss.value, loss.slope),
        (lambda x: np.sum(_weights(3) * np.exp(x)), lambda x: _weights(3) * np.exp(x)),
        (lambda x: _remembered(tuple(x)), np.exp),
        (_by_bytes(lambda x: np.sum(np.exp(x))), _by_bytes(np.exp)),
        (_by_numbers(lambda x: np.sum(np.exp(x))), _by_numbers(np.exp)),
    ):
        assert _judged(function, gradient, [0.1, 0.2, 0.3]) == {"consistent"}
        assert _judged(function, gradient, [0.1, 0.2, 0.3], 1 + 1e-9) == {"wrong"}


def test_a_copy_of_an_abstract_class_remembers_for_itself_what_is_one_of_it() -> None:
    class Twice(Scaled):
        pass

    copied = Rebuilder(Table(("x",), (0.5,))).value(Scaled)
    assert not isinstance(Twice(0.3), copied)
    assert isinstance(Twice(0.3), Scaled)
    assert issubclass(copied, Loss)


@functools.wraps(np.exp)
def _exp(x: Any) -> Any:
    return np.exp(np.array([v if isinstance(v, float) else 1.0 * v for v in x]))


class _Compiling:
    """A function that is compiled when it is called, as Numba's, and counts how often."""

    __module__ = "numba.core.registry"

    def __init__(self, function: Any) -> None:
        functools.update_wrapper(self, function)
        self.numbers = itertools.count()

    def __call__(self, *args: Any) -> Any:
        next(self.numbers)
        floats = [np.frombuffer(np.asarray(a, dtype=float).tobytes()) for a in args]
        return self.__wrapped__(*floats)  # type: ignore[attr-defined]


@_Compiling
def _compiled_norm(x: Any) -> Any:
    return np.sqrt(np.sum(x**2))


@_Compiling
def _compiled_slope(x: Any) -> Any:
    return x / _compiled_norm(x)


def test_functions_that_wrap_others_are_seen_through() -> None:
    for function, gradient in (
        (lambda x: np.sum(_exp(x)), _exp),
        (_compiled_norm, _compiled_slope),
        (lambda x: _compiled_norm(x), lambda x: _compiled_slope(x)),
    ):
        assert _judged(function, gradient, [0.1, 0.2, 0.3]) == {"consistent"}
        assert _judged(function, gradient, [0.1, 0.2, 0.3], 1 + 1e-9) == {"wrong"}


def _largest(x: Any) -> Any:
    return x[0, np.argpartition(-x[0], 1)[:2].astype(int)] + np.partition(x[0], 2)[2] ** 2


def _slopes_of_largest(x: Any) -> Any:
    found, places = np.zeros((2, 4)), x[0].argpartition(2)
    found[0, places[2:]] = 1
    found[0, places[2]] += 4 * x[0, places[2]]
    return found


def _second(x: Any) -> Any:
    y = x * 3
    y.partition(1)
    return y[1]


def test_code_that_sorts_in_part_is_followed_number_by_number() -> None:
    # the order that argpartition gave was made a whole number again and again, until Python gave up
    at = np.array([[0.5, -0.25, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0]])
    for verdict in (
        dc.check_gradient(lambda x: np.sum(_largest(x)), _slopes_of_largest, at),
        dc.check_gradient(_second, lambda x: 3.0 * (x == 1.0), at[0] + 0.5),
    ):
        assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict
    wrong = dc.check_gradient(lambda x: np.sum(_largest(x)), lambda x: _slopes_of_largest(x) * (1 + 1e-9), at)
    assert wrong.status == "wrong"


CONSTANT = 3.0


def test_global_names_are_looked_up_where_code_asks_for_them() -> None:
    def value(x: Any) -> Any:
        class Holder:
            power = CONSTANT

        assert "CONSTANT" in globals()
        assert globals().get("NOTHING") is None
        return np.sum(x**Holder.power) * globals()["CONSTANT"]

    assert _judged(value, lambda x: 9 * x**2, [0.1, 0.2]) == {"consistent"}


# what a trace does not copy
_CLOSED: deque[int] = deque()


class _Open:
    """Something that is closed at its end."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def __del__(self, closed: deque[int] = _CLOSED) -> None:
        closed.append(1)


_OPEN = _Open(2.0)


def test_what_does_something_at_its_end_is_not_copied() -> None:
    verdict = dc.check_gradient(lambda x: _OPEN.scale * x @ x, lambda x: 2 * _OPEN.scale * x, [0.5, -0.25])
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    gc.collect()
    assert not _CLOSED


def test_what_runs_the_tests_is_not_copied(request: pytest.FixtureRequest) -> None:
    # an assertion that fails explains itself by functions that refer to all that pytest has collected
    assert Rebuilder(Table(("x",), (0.5,))).value(request.config) is request.config


@pytest.mark.parametrize(
    "f",
    [
        # float() of a traced number was asked for in NumPy's own code: a robot's twist is written so
        lambda x: np.r_[[x[0], x[2] * x[1]], [x[1]], 2.0, 0:2],
        lambda x: np.c_[[[0.0, -x[2]], [x[2], 0.0]], [x[0], x[1]]][0],
        lambda x: np.r_[np.c_[np.eye(2), x[:2]], [[0, 0, 1]]].reshape(-1) * x[2],
        # along the last axis, which is no column
        lambda x: np.c_[x.reshape(1, 1, 3), np.ones((1, 1, 2)) * x[0]].reshape(-1),
        lambda x: np.r_[1.0, 2.0] * x[0],
    ],
    ids=["lists", "columns", "matrices", "last axis", "constants"],
)
def test_what_is_joined_in_brackets_is_followed(f: Any) -> None:
    x = np.array([0.3, 0.7, 1.1])
    function = dc.trace(lambda x: np.sum(f(x) ** 2), 3)
    assert function(x) == np.sum(f(x) ** 2)
    assert (dc.certified_gradient(function, x).value != 0.0).any()


class _Stored:
    """An object whose class alone is asked for its attributes, as some libraries' parameters are."""

    __slots__ = ("raw",)

    def __init__(self, value: float) -> None:
        self.raw = value

    def __getattr__(self, name: str) -> Any:
        return _Stored.__dict__[name].__get__(self)


_STORED = _Stored(1.5)


def test_an_object_that_raises_when_it_is_asked_for_an_attribute_is_followed() -> None:
    # said was: NameError: name '_STORED' is not defined
    function = dc.trace(lambda x: _STORED.raw * np.sum(x**2), 2)
    assert function(np.array([1.0, 2.0])) == 7.5
