"""Values of a function of many variables and many values where one variable moves, or several that do not meet."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffcompare.floats import Floats
from diffcompare.numeric.samples import Samples, numbers

__all__ = ["Black", "Line", "place_name", "power_of_two", "short"]

# of a step that several variables share, relative to their scales: any is a float then, for all of them
_BITS, _FINEST = 26, 2.0**-52


@dataclass(frozen=True, slots=True)
class Black:
    """A black box with its point and its box; ``value`` is what f is at the point, ``form`` the shape of that."""

    f: Callable[..., Any]
    args: tuple[Any, ...]
    shape: tuple[int, ...]
    x: Floats
    lower: Floats
    upper: Floats
    value: Floats
    form: tuple[int, ...]
    # the coarsest format that f may compute in
    unit: float
    # why f has no value at the point
    fault: str = ""

    def __call__(self, moves: Mapping[int, float]) -> Floats:
        """The values of f, flat, where some variables are moved; nan where it has no answer."""
        x = self.x.copy()
        for column, place in moves.items():
            x[column] = place
        found = numbers(self.f, x.reshape(self.shape)[()], *self.args)
        if isinstance(found, str):
            return np.full(self.value.size, math.nan)
        if found.shape != self.form and not found.size == 1 == self.value.size:
            # no ValueError: that would be an answer of f
            raise TypeError(
                f"f(x) has shape {found.shape} beside the point and {self.form} there: one shape is needed; let f "
                "raise ValueError, or return nan, where it has no value"
            )
        return np.array(found, dtype=np.float64).ravel()

    def room(self, column: int) -> tuple[float, float]:
        """How far a variable may go down and up."""
        x = float(self.x[column])
        return x - float(self.lower[column]), float(self.upper[column]) - x

    def inward(self, column: int) -> int:
        """The side of a variable that has more room."""
        down, up = self.room(column)
        return 1 if up >= down else -1

    def name(self, column: int) -> str:
        """What messages call a variable."""
        return place_name(self.shape, column)

    def holds(self, column: int, place: float) -> bool:
        """Whether the box holds a value of a variable."""
        return bool(self.lower[column] <= place <= self.upper[column])


@dataclass(slots=True)
class Line:
    """Values where ``columns`` move, each evaluated once; one that has no room in its box stays.

    One variable alone takes any step. Several move inwards by one number times the powers of two that are their scales.
    """

    black: Black
    columns: tuple[int, ...]
    known: dict[float, tuple[Floats, Set[int]]] = field(default_factory=dict)
    offered: list[float] = field(default_factory=list)
    # whether the box refused a place since this was set to False
    cut: bool = False

    @property
    def alone(self) -> bool:
        """Whether one variable moves."""
        return len(self.columns) == 1

    def samples(self, row: int, column: int) -> Samples:
        """One value of f as a function of one variable."""
        x, name = float(self.black.x[column]), self.black.name(column)
        if self.alone:
            return Samples(lambda t: self._alone(t)[row], x, name, unit=self.black.unit, offered=tuple(self.offered))
        scale = power_of_two(x)
        return Samples(
            lambda t: self._together(column, float(t))[row],
            x,
            name,
            unit=self.black.unit,
            scale=scale,
            offered=[scale * step for step in self.offered],
            grid=lambda h: scale * _shared(h / scale),
        )

    def offer(self, samples: Samples) -> None:
        """Let others take the steps that were taken."""
        scale = 1.0 if self.alone else samples.scale
        steps = {abs(t - samples.x) / scale for t in samples.known}
        self.offered.extend(sorted(steps - {0.0, *self.offered}, reverse=True))

    def _alone(self, t: float) -> Floats:
        (column,), black = self.columns, self.black
        if t == black.x[column]:
            return black.value
        if not black.holds(column, t):
            return self._nowhere()
        if t not in self.known:
            self.known[t] = black({column: t}), frozenset()
        return self.known[t][0]

    def _together(self, column: int, t: float) -> Floats:
        black = self.black
        if t == black.x[column]:
            return black.value
        key = (t - float(black.x[column])) / power_of_two(black.x[column]) * black.inward(column)
        if key not in self.known:
            moves = {
                other: float(black.x[other]) + black.inward(other) * key * power_of_two(black.x[other])
                for other in self.columns
            }
            moves[column] = t
            inside = {other: place for other, place in moves.items() if black.holds(other, place)}
            self.known[key] = black(inside), moves.keys() - inside.keys()
        values, still = self.known[key]
        return self._nowhere() if column in still else values

    def _nowhere(self) -> Floats:
        self.cut = True
        return np.full(self.black.value.size, math.nan)


def place_name(shape: tuple[int, ...], k: int) -> str:
    """Name an entry of x: ``x`` of a number, ``x[1, 2]`` of an array."""
    return f"x[{', '.join(map(str, np.unravel_index(k, shape)))}]" if shape else "x"


def power_of_two(size: float) -> float:
    """The power of two above a size; 1 for 0."""
    return math.ldexp(1.0, math.frexp(size)[1]) if size else 1.0


def short(number: float) -> float:
    """A number near another with half the bits of a float."""
    mantissa, exponent = math.frexp(number)
    return math.ldexp(round(math.ldexp(mantissa, _BITS)), exponent - _BITS)


def _shared(number: float) -> float:
    """A number near another that is a step of every variable in units of its scale."""
    number = short(number)
    return number if number >= 1 else round(number / _FINEST) * _FINEST
