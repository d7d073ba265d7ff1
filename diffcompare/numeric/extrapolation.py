"""Extrapolation of central differences to h = 0, over every window of neighbouring steps, each with its estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from diffcompare.floats import unit_roundoff
from diffcompare.numeric.samples import Pair

__all__ = ["Extrapolation", "best_extrapolation"]

# beyond six terms the weights amplify rounding faster than truncation falls
_MAX_TERMS = 6


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """The value at h = 0 of the polynomial in h² through the slopes of a window of steps, and what it may be off by.

    ``corner`` is half of what the slopes of both sides are seen to differ by, ``smooth`` half of what they may at most.
    """

    value: float
    truncation: float
    rounding: float
    corner: float
    smooth: float
    h: float
    smallest: float
    steepness: float

    @property
    def error(self) -> float:
        """The sum of the estimates."""
        return self.truncation + self.rounding + self.corner


def best_extrapolation(pairs: Sequence[Pair], noise: float) -> Extrapolation | None:
    """Choose the window of consecutive steps whose estimate is smallest.

    Estimated. The slope of a smooth function is D + c₂h² + c₄h⁴ + …; the polynomial in h² of degree m − 1 through m
    slopes, taken at 0, is Σ w_j D(h_j) and leaves O(h₁²…h_m²). Truncation: the change when the largest step is left
    out, which is the error of the *shorter* extrapolation and so one order too large; doubled, since the law of h² is
    an assumption (a jump of f″ gives O(h), where the change is half of the error). Two may agree by chance: the change
    when the smallest step is left out, and the change one term earlier, are (h_m/h₁)² times as large by the same law,
    and count where they are larger than that. Rounding: Σ|w_j|·noise_j/h_j, the worst case.

    A corner at x or within the smallest step does not show in central differences. The second differences are
    A·h + f″h² + c₄h⁴ + …, where A is the difference of the slopes of both sides; the same weights remove all powers but
    the first: A = Σ w_j B(h_j) / Σ w_j h_j. Of a smooth function it is zero, up to its own truncation and rounding.
    Half of what any window up to the chosen one shows beyond those may be an error of the value.

    Parameters
    ----------
    pairs : sequence of Pair
        Ascending in h.
    noise : float
        Absolute error of the values of f, beside the half ulp that every value has.

    Returns
    -------
    Extrapolation or None
        None with fewer than two pairs.

    References
    ----------
    C. J. F. Ridders, Accurate computation of F'(x) and F'(x)F''(x), Adv. Eng. Software 4 (1982), 75-76: the tableau and
    its stopping rule; here every window of it is a candidate, and rounding is counted.
    """
    values = {(i, i + 1): (pair.slope, pair.bend / pair.h) for i, pair in enumerate(pairs)}
    doubts = [max(noise, pair.rounding, 5e-324) for pair in pairs]
    found = [
        _extrapolate(pairs, first, first + count, values, doubts)
        for count in range(2, min(_MAX_TERMS, len(pairs)) + 1)
        for first in range(len(pairs) - count + 1)
    ]
    if not found:
        return None
    best = min(found, key=lambda one: one.truncation + one.rounding)
    below = [one for one in found if one.h <= best.h]
    return replace(best, corner=min(max(one.corner for one in below), min(one.smooth for one in below)))


def _extrapolate(
    pairs: Sequence[Pair],
    first: int,
    end: int,
    values: dict[tuple[int, int], tuple[float, float]],
    doubts: Sequence[float],
) -> Extrapolation:
    """Extrapolate over pairs[first:end]; ``values`` has the shorter slopes and corners, and takes this window's."""
    window = pairs[first:end]
    weights = _weights(window)
    noises = [abs(w) * doubt for w, doubt in zip(weights, doubts[first:end], strict=True)]
    width = sum(w * pair.h for w, pair in zip(weights, window, strict=True))
    value = sum(w * pair.slope for w, pair in zip(weights, window, strict=True))
    corner = sum(w * pair.bend for w, pair in zip(weights, window, strict=True)) / width
    values[first, end] = value, corner
    low, high = window[0].h, window[-1].h
    shorter, shorter_corner = values[first, end - 1]
    scale = (low / high) ** 2
    change = max(abs(value - shorter), scale * abs(value - values[first + 1, end][0]))
    if end - first > 2:
        change = max(change, scale * abs(shorter - values[first, end - 2][0]))
    # a second difference has four roundings
    doubt = 2 * abs(corner - shorter_corner) + (4 * sum(noises) + window[0].offset) / abs(width)
    return Extrapolation(
        value=value,
        truncation=2 * change,
        rounding=sum(part / pair.h for part, pair in zip(noises, window, strict=True)) + 2 * unit_roundoff * abs(value),
        corner=max(0.0, abs(corner) - doubt) / 2,
        smooth=(abs(corner) + doubt) / 2,
        h=high,
        smallest=low,
        steepness=max(pair.steepness for pair in window),
    )


def _weights(window: Sequence[Pair]) -> list[float]:
    """Lagrange's weights at 0 for the abscissae h²."""
    weights = []
    for i, pair in enumerate(window):
        weight = 1.0
        for j, other in enumerate(window):
            if j != i:
                # as ratios: squares of tiny steps underflow
                weight /= (1 - pair.h / other.h) * (1 + pair.h / other.h)
        weights.append(weight)
    return weights
