"""Pairs of scikit-learn: the losses that its solvers minimise, and kernels of Gaussian processes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial.distance import pdist
from sklearn._loss import HalfBinomialLoss, HalfGammaLoss, HalfPoissonLoss, HalfSquaredError
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    Exponentiation,
    ExpSineSquared,
    Matern,
    RationalQuadratic,
    WhiteKernel,
)
from sklearn.linear_model._huber import _huber_loss_and_gradient
from sklearn.linear_model._linear_loss import LinearModelLoss
from sklearn.manifold._t_sne import _kl_divergence
from sklearn.neighbors import NeighborhoodComponentsAnalysis

from .pair import Pair, both, design, pair

AT = [0.2, 0.4, -0.3, 0.1]
L2 = 0.7
KERNELS = {
    "RBF": RBF([0.7, 1.2, 0.9]),
    "Matern 1.5": Matern(0.7, nu=1.5),
    "Matern 2.5": Matern([0.7, 1.1, 0.8], nu=2.5),
    "RationalQuadratic": RationalQuadratic(0.7, 1.1),
    "ExpSineSquared": ExpSineSquared(0.7, 1.3),
    "DotProduct": DotProduct(0.8),
    "cubed DotProduct": Exponentiation(DotProduct(0.8), 3),
    "sum": ConstantKernel(0.5) * RBF(0.6) + WhiteKernel(0.1),
    "product": RBF(0.6) * RationalQuadratic(0.7, 1.1),
}


def pairs() -> Iterator[Pair]:
    """Return all of them."""
    for rows in (40, 2000):
        yield from linear(rows)
    X, eta, random = design(30)
    X = X[:, 1:]
    for name, kernel in KERNELS.items():
        yield pair(
            f"kernel {name}",
            lambda t, k=kernel: np.sum(np.sin(k.clone_with_theta(t)(X))),
            lambda t, k=kernel: np.einsum(
                "ij,ijk->k", np.cos(k.clone_with_theta(t)(X)), k.clone_with_theta(t)(X, eval_gradient=True)[1]
            ),
            kernel.theta + 0.1,
            rows=len(X),
        )
    for name in ("RBF", "Matern 1.5", "RationalQuadratic", "sum"):
        process = GaussianProcessRegressor(KERNELS[name] + WhiteKernel(0.3), optimizer=None).fit(X, np.sin(eta))
        yield both(
            f"log marginal likelihood {name}",
            lambda t, p=process: p.log_marginal_likelihood(t, eval_gradient=True),
            process.kernel_.theta + 0.1,
            rows=len(X),
        )
    labels = (random.random(len(X)) < 0.5) * 1.0
    classifier = GaussianProcessClassifier(RBF(0.8), optimizer=None).fit(X[:10], labels[:10]).base_estimator_
    yield both(
        "Gaussian process classifier", lambda t: classifier.log_marginal_likelihood(t, eval_gradient=True), [0.1]
    )
    analysis = NeighborhoodComponentsAnalysis()
    analysis.n_iter_, analysis.verbose = 0, 0
    same = labels[:, None] == labels
    yield both("neighbourhood components", lambda t: analysis._loss_grad_lbfgs(t.copy(), X, same, -1.0),
               random.normal(size=6), rows=len(X))  # fmt: skip
    affinities = np.exp(-pdist(X[:8]))
    affinities /= 2 * affinities.sum()
    yield both("t-SNE", lambda t: _kl_divergence(t, affinities, 1.0, 8, 2), random.normal(size=16))


def linear(rows: int) -> Iterator[Pair]:
    """Losses of linear models: compiled losses behind Python, and Huber's."""
    X, eta, random = design(rows)
    for loss, outcome in [
        (HalfSquaredError(), eta + random.normal(size=rows)),
        (HalfBinomialLoss(), (random.random(rows) < 0.5) * 1.0),
        (HalfPoissonLoss(), random.poisson(np.exp(eta)) * 1.0),
        (HalfGammaLoss(), np.exp(eta) * random.gamma(2.0, size=rows)),
    ]:
        model = LinearModelLoss(loss, fit_intercept=False)
        yield pair(
            f"{type(loss).__name__} {rows}",
            lambda w, m=model, y=outcome: m.loss(w, X, y, l2_reg_strength=L2),
            lambda w, m=model, y=outcome: m.gradient(w, X, y, l2_reg_strength=L2),
            AT,
            rows=rows,
            penalty=lambda w: L2 * w,
        )
    noisy, weights = eta + random.standard_t(2, size=rows), np.ones(rows)
    yield both(
        f"HuberRegressor {rows}",
        lambda w: _huber_loss_and_gradient(w, X, noisy, 1.35, L2, weights),
        [*AT, 1.1],
        rows=rows,
        penalty=lambda w: 2 * L2 * w * np.array([1, 1, 1, 1, 0]),
    )
