"""The corpus by which the verdict is judged: right and wrong gradients, each bug beside its right twin."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .corpus_bugs import BUGS
from .corpus_case import Case
from .corpus_easy import EASY
from .corpus_formulas import RIGHT_FORMULAS, WRONG_FORMULAS
from .corpus_hard import HARD
from .corpus_rounding import ROUNDING, TWINS

__all__ = [
    "BUGS",
    "EASY",
    "HARD",
    "RIGHT_FORMULAS",
    "ROUNDING",
    "TWINS",
    "WRONG_FORMULAS",
    "Case",
    "evaluated",
    "opaque",
    "size",
]


def opaque(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same function, but numbers alone go in: nothing can follow what becomes of them."""

    def compiled(x: Any) -> Any:
        shape = np.shape(x)
        numbers = [float(v) for v in np.ravel(x)]
        packed = struct.pack(f"{len(numbers)}d", *numbers)
        return function(np.array(struct.unpack(f"{len(numbers)}d", packed)).reshape(shape))

    return compiled


def evaluated(gradient: Callable[[Any], Any], at: Any) -> np.ndarray:
    """A gradient at a fresh copy of the point, flat and in binary64."""
    with np.errstate(all="ignore"):
        return np.ravel(np.asarray(gradient(np.array(at)), dtype=np.float64))


def size(case: Case, true: Sequence[Any]) -> float:
    """The error of a wrong gradient relative to the largest component of the true one."""
    largest = max(abs(float(d)) for d in true)
    claimed = evaluated(case.gradient, case.at)
    if not np.isfinite(claimed).all():
        return float("inf")
    return max(abs(float(c - float(d))) for c, d in zip(claimed, true, strict=True)) / largest
