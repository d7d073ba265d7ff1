"""Pairs of SciPy: likelihoods of its distributions with their scores, special functions, objectives, sparse and dense
linear algebra, curves.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import fft, interpolate, linalg, optimize, sparse, special, stats
from scipy.optimize._lsq.least_squares import IMPLEMENTED_LOSSES
from scipy.spatial.distance import cdist, pdist

from .pair import Pair, design, elementwise, pair

AT = [0.2, 0.4, -0.3, 0.1]
PLACES = [-1.7, -0.3, 0.4, 1.2]
SHARES = [0.1, 0.35, 0.6, 0.93]


def pairs() -> Iterator[Pair]:
    """Return all of them."""
    for rows in (30, 1000):
        yield from likelihoods(rows)
    yield from regressions(1000)
    yield from densities()
    yield from functions()
    yield from objectives()
    yield from matrices()
    yield from curves()


def likelihoods(rows: int) -> Iterator[Pair]:
    """Fits of a distribution by its logpdf, with scores that are written by hand."""
    random = np.random.default_rng(rows)
    y, positive, share = random.normal(size=rows), random.gamma(2.0, size=rows), random.uniform(0.1, 0.9, rows)

    def scaled(name: str, law: stats.rv_continuous, of_z: object, *shape: float) -> Pair:
        """Location and scale, where ``of_z`` is the derivative of -log p(z)."""

        def score(p: np.ndarray) -> np.ndarray:
            z = (y - p[0]) / p[1]
            return np.array([np.sum(of_z(z)), np.sum(z * of_z(z) - 1)]) / p[1]

        return pair(
            f"{name} {rows}", lambda p: law.logpdf(y, *shape, loc=p[0], scale=p[1]).sum(), score, [0.1, 1.2], rows=rows
        )

    yield scaled("norm", stats.norm, lambda z: z)
    yield scaled("t", stats.t, lambda z: 5 * z / (4 + z**2), 4)
    yield scaled("logistic", stats.logistic, lambda z: np.tanh(z / 2))
    yield scaled("cauchy", stats.cauchy, lambda z: 2 * z / (1 + z**2))
    yield scaled("gumbel_r", stats.gumbel_r, lambda z: 1 - np.exp(-z))
    yield scaled("laplace", stats.laplace, np.sign)
    yield pair(
        f"frozen norm {rows}",
        lambda p: np.sum(stats.norm(p[0], np.exp(p[1])).logpdf(y)),
        lambda p: np.array([np.sum(y - p[0]) / np.exp(2 * p[1]), np.sum((y - p[0]) ** 2) / np.exp(2 * p[1]) - rows]),
        [0.1, 0.2],
        rows=rows,
    )
    yield pair(
        f"gamma {rows}",
        lambda p: stats.gamma.logpdf(positive, p[0], scale=p[1]).sum(),
        lambda p: np.array([np.sum(np.log(positive / p[1]) - special.digamma(p[0])),
                            np.sum(positive / p[1] - p[0]) / p[1]]),
        [1.7, 0.8],
        rows=rows,
    )  # fmt: skip
    yield pair(
        f"weibull_min {rows}",
        lambda p: stats.weibull_min.logpdf(positive, p[0], scale=p[1]).sum(),
        lambda p: np.array([np.sum(1 / p[0] + np.log(positive / p[1]) * (1 - (positive / p[1]) ** p[0])),
                            np.sum((positive / p[1]) ** p[0] - 1) * p[0] / p[1]]),
        [1.4, 1.8],
        rows=rows,
    )  # fmt: skip
    yield pair(
        f"beta {rows}",
        lambda p: np.sum(stats.beta.logpdf(share, p[0], p[1])),
        lambda p: (
            np.array([np.sum(np.log(share)), np.sum(np.log1p(-share))])
            - rows * (special.digamma(p) - special.digamma(p[0] + p[1]))
        ),
        [1.3, 2.1],
        rows=rows,
    )


def regressions(rows: int) -> Iterator[Pair]:
    """Regressions by the logpmf or the distribution function of a law."""
    X, eta, random = design(rows)
    count, labels = random.poisson(np.exp(eta)), random.random(rows) < 0.5
    signs = np.where(labels, 1.0, -1.0)
    A, target = sparse.csr_array(X * (random.random(X.shape) < 0.5)), eta**2
    yield pair(f"poisson regression {rows}", lambda b: stats.poisson.logpmf(count, np.exp(X @ b)).sum(),
               lambda b: X.T @ (count - np.exp(X @ b)), AT, rows=rows)  # fmt: skip
    most = np.minimum(count, 6)
    yield pair(f"binom regression {rows}", lambda b: stats.binom.logpmf(most, 6, special.expit(X @ b)).sum(),
               lambda b: X.T @ (most - 6 * special.expit(X @ b)), AT, rows=rows)  # fmt: skip
    yield pair(f"nbinom regression {rows}", lambda b: stats.nbinom.logpmf(count, 2.0, 2 / (2 + np.exp(X @ b))).sum(),
               lambda b: X.T @ (count - np.exp(X @ b) * (count + 2) / (2 + np.exp(X @ b))), AT, rows=rows)  # fmt: skip
    yield pair(
        f"probit {rows}",
        lambda b: -np.sum(special.log_ndtr(signs * (X @ b))),
        lambda b: -X.T @ (signs * np.exp(stats.norm.logpdf(X @ b) - stats.norm.logcdf(signs * (X @ b)))),
        AT,
        rows=rows,
    )
    yield pair(f"robust pseudo_huber {rows}", lambda b: np.sum(special.pseudo_huber(1.3, X @ b - target)),
               lambda b: X.T @ ((X @ b - target) / np.sqrt(1 + ((X @ b - target) / 1.3) ** 2)),
               AT, rows=rows)  # fmt: skip
    yield pair(f"sparse least squares {rows}", lambda b: 0.5 * np.sum((A @ b - eta) ** 2) + 0.35 * b @ b,
               lambda b: A.T @ (A @ b - eta) + 0.7 * b, AT, rows=rows, penalty=lambda b: 0.7 * b)  # fmt: skip
    yield pair(f"sparse logistic {rows}", lambda b: np.sum(np.logaddexp(0, -signs * (A @ b))) + 0.35 * b @ b,
               lambda b: -A.T @ (signs * special.expit(-signs * (A @ b))) + 0.7 * b, AT, rows=rows,
               penalty=lambda b: 0.7 * b)  # fmt: skip
    yield pair(f"log-sum-exp {rows}", lambda b: special.logsumexp(X @ b), lambda b: X.T @ special.softmax(X @ b), AT,
               rows=rows)  # fmt: skip


def densities() -> Iterator[Pair]:
    """Distribution functions beside their densities, and laws of several variables."""
    norm, covariance = stats.norm, np.array([[1.3, 0.2, 0.1], [0.2, 0.9, 0.0], [0.1, 0.0, 1.1]])
    yield elementwise("norm.cdf", norm.cdf, norm.pdf, PLACES)
    yield elementwise("norm.logsf", norm.logsf, lambda x: -norm.pdf(x) / norm.sf(x), PLACES)
    yield elementwise("norm.ppf", norm.ppf, lambda q: 1 / norm.pdf(norm.ppf(q)), SHARES)
    yield elementwise("t.cdf", lambda x: stats.t.cdf(x, 4), lambda x: stats.t.pdf(x, 4), PLACES)
    yield elementwise("gamma.cdf", lambda x: stats.gamma.cdf(x, 2.5), lambda x: stats.gamma.pdf(x, 2.5), SHARES)
    yield elementwise("beta.cdf", lambda x: stats.beta.cdf(x, 2.5, 1.5), lambda x: stats.beta.pdf(x, 2.5, 1.5), SHARES)
    mean = np.array([0.1, 0.2, 0.3])
    yield pair("multivariate_normal.logpdf", lambda x: stats.multivariate_normal.logpdf(x, mean, covariance),
               lambda x: -np.linalg.solve(covariance, x - mean), [0.4, -0.2, 0.7])  # fmt: skip
    share = np.array([0.2, 0.3, 0.5])
    yield pair("dirichlet.logpdf", lambda a: stats.dirichlet.logpdf(share, a),
               lambda a: np.log(share) - special.digamma(a) + special.digamma(a.sum()), [1.2, 0.8, 2.0])  # fmt: skip

    def call(p: np.ndarray) -> tuple[float, np.ndarray]:
        S, K, T, r, s = p
        first = (np.log(S / K) + (r + s**2 / 2) * T) / (s * np.sqrt(T))
        second, paid = first - s * np.sqrt(T), np.exp(-r * T)
        lost = K * paid * norm.cdf(second)
        vega = S * norm.pdf(first) * np.sqrt(T)
        slope = [norm.cdf(first), -lost / K, vega * s / (2 * T) + r * lost, T * lost, vega]
        return S * norm.cdf(first) - lost, np.array(slope)

    yield pair("Black-Scholes", lambda p: call(p)[0], lambda p: call(p)[1], [100.0, 95.0, 0.5, 0.03, 0.2])


def functions() -> Iterator[Pair]:
    """Special functions beside their derivatives."""
    q = np.array([0.2, 0.3, 0.4, 0.1])
    yield elementwise("log_ndtr", special.log_ndtr, lambda x: np.exp(stats.norm.logpdf(x) - special.log_ndtr(x)),
                      [-9.0, *PLACES])  # fmt: skip
    yield elementwise("huber", lambda x: special.huber(1.3, x), lambda x: np.clip(x, -1.3, 1.3), PLACES)
    yield elementwise("rel_entr", lambda x: special.rel_entr(x, q), lambda x: np.log(x / q) + 1, SHARES)
    yield elementwise("kl_div", lambda x: special.kl_div(q, x), lambda x: 1 - q / x, SHARES)
    yield elementwise("entr", special.entr, lambda x: -np.log(x) - 1, SHARES)
    yield elementwise("log_expit", special.log_expit, lambda x: special.expit(-x), PLACES)
    yield elementwise("gammaln", special.gammaln, special.digamma, SHARES)
    yield elementwise("erf", special.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-(x**2)), PLACES)
    yield elementwise("jv", lambda x: special.jv(2, x), lambda x: special.jvp(2, x), SHARES)
    yield elementwise(
        "ive", lambda x: np.log(special.ive(1, x)), lambda x: special.ivp(1, x) / special.iv(1, x) - 1, SHARES
    )
    yield elementwise("boxcox", lambda x: special.boxcox(x, 0.3), lambda x: x**-0.7, SHARES)


def objectives() -> Iterator[Pair]:
    """What scipy.optimize brings along."""
    for size in (4, 1000):
        x = np.random.default_rng(size).normal(size=size)
        v = np.cos(np.arange(size))
        yield pair(f"rosen {size}", optimize.rosen, optimize.rosen_der, x)
        yield pair(f"rosen_hess_prod {size}", lambda x, v=v: optimize.rosen_der(x) @ v,
                   lambda x, v=v: optimize.rosen_hess_prod(x, v), x)  # fmt: skip
    for name in ("huber", "soft_l1", "cauchy", "arctan"):

        def filled(z: np.ndarray, name: str = name) -> np.ndarray:
            rho = np.empty((3, z.size))
            IMPLEMENTED_LOSSES[name](z, rho, False)
            return rho

        yield pair(f"least_squares {name}", lambda z, rho=filled: np.sum(rho(z)[0]), lambda z, rho=filled: rho(z)[1],
                   [0.3, 0.5, 2.0])  # fmt: skip


def matrices() -> Iterator[Pair]:
    """Factorisations, functions of matrices, distances."""
    random = np.random.default_rng(3)
    B, C, y = random.normal(size=(4, 4)), random.normal(size=(4, 4)), random.normal(size=20)
    S, T = B + B.T, C + C.T
    points = random.normal(size=(20, 2))
    squared = cdist(points, points, "sqeuclidean")

    def marginal(p: np.ndarray) -> tuple[float, np.ndarray]:
        E = np.exp(-0.5 * squared / p[0] ** 2)
        factor = linalg.cho_factor(E + p[1] * np.eye(20), lower=True)
        a, inverse = linalg.cho_solve(factor, y), linalg.cho_solve(factor, np.eye(20))
        M = 0.5 * (inverse - np.outer(a, a))
        return 0.5 * y @ a + np.sum(np.log(np.diag(factor[0]))), np.array(
            [np.sum(M * E * squared / p[0] ** 3), np.trace(M)]
        )

    def stress(x: np.ndarray) -> tuple[float, np.ndarray]:
        Z, high = x.reshape(-1, 2), np.triu_indices(4, 1)
        apart, d = Z[high[0]] - Z[high[1]], pdist(Z)
        pull = np.zeros_like(Z)
        np.add.at(pull, high[0], (2 * (d - 1) / d)[:, None] * apart)
        np.add.at(pull, high[1], -(2 * (d - 1) / d)[:, None] * apart)
        return np.sum((d - 1) ** 2), pull.ravel()

    yield pair("cho_solve", lambda p: marginal(p)[0], lambda p: marginal(p)[1], [0.8, 0.3])
    yield pair("pdist stress", lambda x: stress(x)[0], lambda x: stress(x)[1], random.normal(size=8))
    yield pair("expm", lambda x: np.sum(linalg.expm(x[0] * B + x[1] * C)),
               lambda x: np.array([np.sum(linalg.expm_frechet(x[0] * B + x[1] * C, M)[1]) for M in (B, C)]),
               [0.3, 0.2])  # fmt: skip
    one, square = np.eye(4), S @ S
    yield pair("slogdet", lambda x: np.linalg.slogdet(x[0] * one + x[1] * square)[1],
               lambda x: np.array([np.trace(np.linalg.solve(x[0] * one + x[1] * square, M)) for M in (one, square)]),
               [1.2, 0.4])  # fmt: skip

    def largest(x: np.ndarray) -> np.ndarray:
        v = linalg.eigh(x[0] * S + x[1] * T)[1][:, -1]
        return np.array([v @ S @ v, v @ T @ v])

    yield pair("eigvalsh", lambda x: linalg.eigvalsh(x[0] * S + x[1] * T)[-1], largest, [0.3, 0.2])


def curves() -> Iterator[Pair]:
    """Interpolants beside their derivatives, and a spectrum."""
    knots = np.linspace(0, 1, 6)
    values = np.sin(5 * knots)
    for curve in (interpolate.CubicSpline(knots, values), interpolate.PchipInterpolator(knots, values),
                  interpolate.make_interp_spline(knots, values)):  # fmt: skip
        yield elementwise(type(curve).__name__, curve, curve.derivative(), SHARES)
    krogh = interpolate.KroghInterpolator(knots, values)
    yield elementwise("KroghInterpolator", krogh, krogh.derivative, SHARES)
    weights = np.arange(1.0, 6.0)
    yield pair("rfft power", lambda x: np.sum(weights * np.abs(fft.rfft(x)) ** 2),
               lambda x: 2 * np.real(fft.ifft(np.append(weights, np.zeros(3)) * fft.fft(x))) * 8,
               np.random.default_rng(4).normal(size=8))  # fmt: skip
