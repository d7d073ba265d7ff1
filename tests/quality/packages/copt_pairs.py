"""Pairs of copt: losses with a regulariser."""

from __future__ import annotations

from collections.abc import Iterator

from copt.loss import HuberLoss, LogLoss, SquareLoss
from scipy import sparse

from .pair import Pair, both, design

ALPHA = 0.3
AT = [0.2, 0.4, -0.3, 0.1]


def pairs() -> Iterator[Pair]:
    """Return all of them."""
    X, eta, random = design(2000)
    noisy, labels = eta + random.standard_t(2, size=len(X)), (random.random(len(X)) < 0.5) * 1.0
    for loss in (SquareLoss(X, noisy, ALPHA), HuberLoss(X, noisy, ALPHA), LogLoss(X, labels, ALPHA),
                 SquareLoss(sparse.csr_array(X), noisy, ALPHA)):  # fmt: skip
        kind = "sparse " if sparse.issparse(loss.A) else ""
        yield both(f"{kind}{type(loss).__name__}", loss.f_grad, AT, rows=len(X), penalty=lambda w: ALPHA * w)
