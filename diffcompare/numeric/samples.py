"""Values of a black box at symmetric abscissae, counted and kept; what it cannot answer is nan."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.floats import unit_roundoff

__all__ = ["Pair", "Samples"]

_NO_NUMBER = np.array(math.nan)


@dataclass(frozen=True, slots=True)
class Pair:
    """The two values at x ± h, as differences from f(x)."""

    h: float
    rise: float
    fall: float
    size: float
    x: float
    unit: float = unit_roundoff

    @property
    def slope(self) -> float:
        """The central difference (f(x + h) − f(x − h)) / 2h; x ± h are floats, so it has no abscissa error."""
        return (self.rise - self.fall) / 2 / self.h

    @property
    def bend(self) -> float:
        """f(x + h) − 2f(x) + f(x − h): h²f″ where f is smooth, the noise of f where h is small enough."""
        return self.rise + self.fall

    @property
    def rounding(self) -> float:
        """What every code may be expected to be off by: half an ulp of its value, and of its argument once scaled."""
        return self.unit * max(self.size, abs(self.x) * self.steepness)

    @property
    def steepness(self) -> float:
        """The larger of the two one-sided slopes: the scale against which an error of the slope is judged."""
        return max(abs(self.rise), abs(self.fall)) / self.h


@dataclass(slots=True)
class Samples:
    """A function around a point, each abscissa evaluated once."""

    f: Callable[[Any], Any]
    x: float
    known: dict[float, float] = field(default_factory=dict)
    # the coarsest format that f may compute in: float32 unless its values come in a coarser one
    unit: float = 2.0**-24

    @property
    def evaluations(self) -> int:
        """How often f was called."""
        return len(self.known)

    def value(self, t: float) -> float:
        """f(t) as a float; nan where f raises an arithmetic or value error, is complex, or is no number."""
        if t not in self.known:
            value = _answer(self.f, t)
            if value.dtype == np.float16:
                self.unit = 2.0**-11
            self.known[t] = float(value)
        return self.known[t]

    def exact_step(self, h: float) -> float:
        """The step near h for which x + h and x − h are both floats; 0 if there is none."""
        # both abscissae are multiples of the spacing at the larger one
        grain = math.ulp(abs(self.x) + h)
        if grain == math.inf:
            return 0.0
        return round(h / grain) * grain

    def pair(self, h: float) -> Pair | None:
        """Evaluate at x ± h, h made exact; None where a value is not finite or no such step exists."""
        h = self.exact_step(h)
        if not 0 < h < math.inf or not math.isfinite(self.x + h) or not math.isfinite(self.x - h):
            return None
        upper, centre = self.value(self.x + h), self.value(self.x)
        # a refusal on one side is enough: the other side is not asked
        if not math.isfinite(upper - centre):
            return None
        lower = self.value(self.x - h)
        if not math.isfinite(lower - centre) or not math.isfinite(upper - lower):
            return None
        return Pair(h, upper - centre, lower - centre, max(abs(upper), abs(lower), abs(centre)), self.x)


def _answer(f: Callable[[Any], Any], t: float) -> NDArray[Any]:
    """Return one number in the format that f computes in."""
    try:
        # probing may leave the domain: that is no event that a caller should be warned of
        with np.errstate(all="ignore"):
            value = np.asarray(f(np.float64(t)))
    except (ArithmeticError, ValueError):
        return _NO_NUMBER
    if value.size != 1:
        raise ValueError(
            f"f(x) has shape {value.shape}: differentiate needs one number; pass a function of one variable"
        )
    return value.reshape(()) if value.dtype.kind in "biuf" else _NO_NUMBER
