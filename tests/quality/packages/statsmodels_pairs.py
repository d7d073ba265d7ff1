"""Pairs of statsmodels: log-likelihoods with their scores, links, robust norms, variance functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import statsmodels.api as sm
from statsmodels.discrete import conditional_models, count_model, discrete_model, truncated_model
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.genmod.families import links
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.othermod.betareg import BetaModel
from statsmodels.robust import norms

from .pair import Pair, design, elementwise, pair

AT = [0.2, 0.4, -0.3, 0.1]
SMALL, REAL = 40, 1000
NORMS = ("HuberT", "TukeyBiweight", "AndrewWave", "Hampel", "LeastSquares", "TrimmedMean", "RamsayE")
LINKS = ("Logit", "Probit", "Cauchy", "CLogLog", "LogLog", "InverseSquared", "NegativeBinomial")
VARIANCES = ("Binomial", "Poisson", "Gamma", "InverseGaussian", "NegativeBinomial")


def pairs() -> Iterator[Pair]:
    """Return all of them."""
    for rows in (SMALL, REAL):
        for name, model, at in [*discrete(rows), *others(rows)]:
            yield pair(f"{name} {rows}", model.loglike, model.score, at, rows=rows)
    yield from generalized(REAL)
    for name in NORMS:
        norm = getattr(norms, name)()
        yield elementwise(name, norm.rho, norm.psi, [-3.1, -0.4, 0.7, 1.9, 5.2])
    for name in LINKS:
        link = getattr(links, name)()
        yield elementwise(f"{name} link", link, link.deriv, [0.3, 0.6, 0.8])
        yield elementwise(f"inverse {name} link", link.inverse, link.inverse_deriv, [0.3, 0.6, 0.8])
    for name in VARIANCES:
        variance = getattr(sm.families, name)().variance
        yield elementwise(f"{name} variance", variance, variance.deriv, [0.3, 0.6, 0.8])


def discrete(rows: int) -> Iterator[tuple[str, Any, list[float]]]:
    """Models of outcomes that are counted."""
    X, eta, random = design(rows)
    binary = (random.random(rows) < 1 / (1 + np.exp(-eta))) * 1.0
    count = random.poisson(np.exp(eta)) * 1.0
    several = np.minimum(count, 2).astype(int)
    groups = np.arange(rows) // 8
    yield "Logit", sm.Logit(binary, X), AT
    yield "Probit", sm.Probit(binary, X), AT
    yield "MNLogit", sm.MNLogit(several, X), [0.1, 0.2, 0.3, -0.1, 0.2, 0.1, 0.4, -0.2]
    yield "Poisson", sm.Poisson(count, X), AT
    yield "NegativeBinomial", discrete_model.NegativeBinomial(count, X), [*AT, 0.5]
    yield "NegativeBinomial nb1", discrete_model.NegativeBinomial(count, X, loglike_method="nb1"), [*AT, 0.5]
    yield "NegativeBinomialP", discrete_model.NegativeBinomialP(count, X), [*AT, 0.5]
    yield "GeneralizedPoisson", discrete_model.GeneralizedPoisson(count, X), [*AT, 0.1]
    yield "ZeroInflatedPoisson", count_model.ZeroInflatedPoisson(count, X), [-0.5, *AT]
    yield "ZeroInflatedNegativeBinomialP", count_model.ZeroInflatedNegativeBinomialP(count, X), [-0.5, *AT, 0.6]
    yield "ZeroInflatedGeneralizedPoisson", count_model.ZeroInflatedGeneralizedPoisson(count, X), [-0.5, *AT, 0.1]
    yield "TruncatedLFPoisson", truncated_model.TruncatedLFPoisson(count + 1, X), AT
    yield "ConditionalLogit", conditional_models.ConditionalLogit(binary, X[:, 1:], groups=groups), AT[1:]
    yield "ConditionalPoisson", conditional_models.ConditionalPoisson(count, X[:, 1:], groups=groups), AT[1:]
    if rows == SMALL:  # the first takes long; the score of the second is a finite difference
        yield "TruncatedLFNegativeBinomialP", truncated_model.TruncatedLFNegativeBinomialP(count + 1, X), [*AT, 0.5]
        yield "OrderedModel logit", OrderedModel(several, X[:, 1:], distr="logit"), [0.2, -0.1, 0.3, -0.3, 0.1]


def others(rows: int) -> Iterator[tuple[str, Any, list[float]]]:
    """Models of outcomes that are measured."""
    X, eta, random = design(rows)
    measured = eta + random.normal(size=rows)
    share = np.clip(1 / (1 + np.exp(-measured)), 0.05, 0.95)
    yield "OLS", sm.OLS(measured, X), AT
    yield "BetaModel", BetaModel(share, X), [*AT, 1.5]
    yield "PHReg", PHReg(np.exp(measured), X[:, 1:]), AT[1:]


def generalized(rows: int) -> Iterator[Pair]:
    """Generalized linear models, with a given scale."""
    X, eta, random = design(rows)
    binary = (random.random(rows) < 1 / (1 + np.exp(-eta))) * 1.0
    count = random.poisson(np.exp(eta)) * 1.0
    measured = eta + random.normal(size=rows)
    for outcome, family in [
        (measured, sm.families.Gaussian()),
        (binary, sm.families.Binomial()),
        (binary, sm.families.Binomial(links.Probit())),
        (binary, sm.families.Binomial(links.CLogLog())),
        (binary, sm.families.Binomial(links.Cauchy())),
        (count, sm.families.Poisson()),
        (np.exp(measured), sm.families.Gamma(links.Log())),
        (np.exp(measured), sm.families.InverseGaussian(links.Log())),
        (count, sm.families.NegativeBinomial(alpha=0.7)),
    ]:
        model = sm.GLM(outcome, X, family=family)
        yield pair(
            f"GLM {type(family).__name__} {type(family.link).__name__} {rows}",
            lambda b, model=model: model.loglike(b, scale=1.0),
            lambda b, model=model: model.score(b, scale=1.0),
            AT,
            rows=rows,
        )
