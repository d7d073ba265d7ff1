"""Arrays that code makes of numbers alone take traced numbers, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from diffcompare.verdict.traced import trace

MADE: dict[str, Callable[[], Any]] = {
    "linspace": lambda: np.linspace(0.0, 1.0, 4),
    "hanning": lambda: np.hanning(4),
    "meshgrid": lambda: np.meshgrid(np.linspace(0.0, 1.0, 4), np.ones(2))[0][0],
    "sort": lambda: np.sort(np.array([3.0, 1.0, 2.0, 4.0])),
    "interp": lambda: np.interp(np.array([0.5, 0.25, 1.0, 0.0]), [0.0, 1.0], [2.0, 4.0]),
    "frexp": lambda: np.frexp(np.array([0.5, 3.0, 5.0, 7.0]))[0],
    "modf": lambda: np.modf(np.array([0.5, -3.25, 5.75, 7.0]))[0],
    "divmod": lambda: np.divmod(np.array([0.5, -3.25, 5.75, 7.0]), 0.75)[1],
    "loadtxt": lambda: np.loadtxt(["1.5 2.5 3.5 4.5"]),
    "outer": lambda: np.subtract.outer(np.array([1.0]), np.array([4.0, 5.0, 6.0, 7.0]))[0],
}


@pytest.mark.parametrize("name", MADE)
def test_a_traced_number_is_written_into_it(name: str) -> None:
    def f(x: Any) -> Any:
        y = MADE[name]()
        y[1] = x[0] * y[2]
        y[0] += x[1]
        return np.sum(y * y)

    traced = trace(f, 2)
    for point in ([0.5, -1.25], [3.0, 2.0]):
        got, expected = float(traced(point)), float(f(np.array(point)))
        assert abs(got - expected) <= 2.0**-48 * abs(expected)
