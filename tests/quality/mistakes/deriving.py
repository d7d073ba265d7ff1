"""What ``derive`` writes of the functions, beside the gradients that were written by hand."""

from __future__ import annotations

import tempfile
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import diffcompare as dc

from .case import Case, load

__all__ = ["Written", "derive"]


@dataclass(frozen=True, slots=True)
class Written:
    """The code of a gradient, or why there is none; ``wrong`` where it differs from the one written by hand."""

    case: Case
    source: str
    refused: str
    wrong: bool


def derive(cases: Iterable[Case]) -> Iterator[Written]:
    """Derive the gradient of each case, and compare it with the right one at the point and at another."""
    with tempfile.TemporaryDirectory() as name:
        for case in [one for one in cases if one.what == "gradient"]:
            module = load(case.right, Path(name), f"derived_{case.name}")
            try:
                source = dc.derive(module.f, module.at).source
            except dc.DiffcompareError as error:
                yield Written(case, "", str(error), False)
            else:
                yield Written(case, source, "", _differs(source, module))


def _differs(source: str, module: Any) -> bool:
    scope = dict(vars(module))
    before = set(scope)
    exec(source, scope)
    (gradient,) = (value for name, value in scope.items() if name not in before and name != "special")
    if isinstance(module.f, types.MethodType):
        gradient = types.MethodType(gradient, module.f.__self__)
    for point in (module.at, module.at * (1 + 2.0**-7)):
        right = np.asarray(module.gradient(np.array(point)), dtype=float)
        # both are rounded
        if not np.abs(gradient(np.array(point)) - right).max() <= 1e-6 * np.abs(right).max():
            return True
    return False
