"""Values of a black box at symmetric abscissae, counted and kept; what it cannot answer is nan."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from diffcompare.errors import reason
from diffcompare.floats import unit_roundoff

__all__ = ["Pair", "Sampled", "Samples", "numbers"]

# a step of others that is as near as this serves as well
_NEAR = 0.8


@dataclass(frozen=True, slots=True)
class Pair:
    """The two values at x ± h, as differences from f(x)."""

    h: float
    rise: float
    fall: float
    size: float
    x: float
    unit: float = unit_roundoff
    # what the values are known to be off by, where they are made of several values of f
    doubt: float = 0.0
    # and what every bend may be off by alike
    offset: float = 0.0

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
        return max(self.doubt, self.unit * max(self.size, abs(self.x) * self.steepness))

    @property
    def steepness(self) -> float:
        """The larger of the two one-sided slopes: the scale against which an error of the slope is judged."""
        return max(abs(self.rise), abs(self.fall)) / self.h


class Sampled(Protocol):
    """What the search for a scale asks of a function of one number."""

    @property
    def x(self) -> float:
        """Where it is differentiated."""

    @property
    def scale(self) -> float:
        """The size of the point, 0 where that tells nothing."""

    @property
    def top(self) -> float:
        """The largest step of the scan, relative to the scale."""

    @property
    def ratio(self) -> float:
        """How far its steps are apart."""

    @property
    def smallest(self) -> float:
        """The smallest step that it may take."""

    def value(self, t: float) -> float:
        """The function."""

    def exact_step(self, h: float) -> float:
        """The step near h that can be taken; 0 if there is none."""

    def pair(self, h: float) -> Pair | None:
        """The values on both sides at such a step."""


@dataclass(slots=True)
class Samples:
    """A function around a point, each abscissa evaluated once.

    Where evaluations are shared, steps near one of ``offered`` are taken from there, and ``grid`` gives the nearest
    step that others can take.
    """

    f: Callable[[Any], Any]
    x: float
    name: str = "x"
    known: dict[float, float] = field(default_factory=dict)
    # the coarsest format that f may compute in: float32 unless its values come in a coarser one
    unit: float = 2.0**-24
    scale: float = math.nan
    offered: Sequence[float] = ()
    grid: Callable[[float], float] | None = None
    # four scales from 0.19·|x| down to 2e-10·|x|: eight evaluations; no power of 2 or 10, so that no period fits all
    top: float = 0.187
    ratio: float = 1517.3

    def __post_init__(self) -> None:
        """Take the size of x for the scale, unless another is given."""
        if math.isnan(self.scale):
            self.scale = abs(self.x)

    @property
    def place(self) -> str:
        """What messages say of the point."""
        return f"{self.name}={self.x!r}"

    @property
    def smallest(self) -> float:
        """The smallest step that the scan may take."""
        return 64 * math.ulp(self.x) if self.x else 1e-290

    @property
    def evaluations(self) -> int:
        """How often f was called."""
        return len(self.known)

    def value(self, t: float) -> float:
        """f(t) as a float; nan where f raises an arithmetic or value error, is complex, or is no number."""
        if t not in self.known:
            values = numbers(self.f, np.float64(t))
            if isinstance(values, str):
                self.known[t] = math.nan
                return math.nan
            if values.size != 1:
                raise ValueError(
                    f"f(x) has shape {values.shape}: one number is needed; pass a function of one variable"
                )
            if values.dtype == np.float16:
                self.unit = 2.0**-11
            self.known[t] = float(values.reshape(()))
        return self.known[t]

    def exact_step(self, h: float) -> float:
        """The step near h for which x + h and x − h are both floats; 0 if there is none."""
        if self.grid is not None:
            h = self.grid(h)
        # both abscissae are multiples of the spacing at the larger one
        grain = math.ulp(abs(self.x) + h)
        if grain == math.inf:
            return 0.0
        return round(h / grain) * grain

    def pair(self, h: float) -> Pair | None:
        """Evaluate at x ± h, h made exact; None where a value is not finite or no such step exists."""
        h = self.exact_step(next((step for step in self.offered if _NEAR * step < h < step / _NEAR), h))
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


def numbers(f: Callable[..., Any], *at: Any) -> NDArray[Any] | str:
    """Return real numbers in the format that f computes in, or why it has no answer."""
    try:
        # probing may leave the domain: that is no event that a caller should be warned of
        with np.errstate(all="ignore"):
            values = np.asarray(f(*at))
    except (ArithmeticError, ValueError) as error:
        return f"{type(error).__name__}: {reason(error)}"
    return values if values.dtype.kind in "biuf" else f"it is of dtype {values.dtype}, no real number"
