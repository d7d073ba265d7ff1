"""A gradient and its function beside other data: what makes it right by chance does not do so there.

All floats in arrays and those that the function holds, but 0, 1 and -1, become a power of themselves: equal ones stay
equal, products products, and all stay in the same order. Single ones of many digits are not changed, which are rather
computed than chosen, as the root of 2 pi. Where the user's code made data of one another beforehand, what is right
beside these may be wrong beside others: that a change is right by chance is a reason to look for another, no more.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from types import CellType, FunctionType
from typing import Any

import numpy as np

from diffcompare.errors import DiffcompareError
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.tracing.keeping import names_of, reached
from diffcompare.tracing.places import is_library
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.problem import Problem

__all__ = ["OtherData"]

# elements that are given other values
_MOST = 1_000_000
# the power that numbers become, and how many digits a number has that somebody chose
_POWER, _DIGITS = 1.03, 6
# steps of first and second differences, in sizes of the coordinates, and along how many directions
_FIRST, _SECOND, _DIRECTIONS = 2e-4, 3e-3, 2
# of the error of the gradient as it is, what a change may leave, and what may be noise
_LEFT, _NOISE = 1e-3, 1e-4
# after how many times no it is given up
_ANSWERS = 4
# what can be compared with differences along a direction
_WHAT = frozenset({"gradient", "Jacobian", "Hessian"})

# what an object holds, and what puts something else in its place
_Slot = tuple[Any, Callable[[Any], None]]


@dataclass(slots=True)
class OtherData:
    """The slopes of a function beside other data, measured once, in a copy of the process.

    Parameters
    ----------
    problem : Problem
    here : Nearby
        The point.
    """

    problem: Problem
    here: Nearby
    measured: list[tuple[Floats, float] | None] = field(default_factory=list)
    answers: list[bool] = field(default_factory=list)

    def is_right(self, gradient: Callable[..., Any]) -> bool | None:
        """Tell whether a gradient that is right beside the user's data is so beside others; None if that is unknown."""
        if not self.measured:
            self.measured.append(self._measured())
        if self.measured[0] is None:
            return None
        slopes, error = self.measured[0]
        try:
            with self._changed(gradient):
                value = self._along(replace(self.problem, gradient=gradient).claim(self.here.point))
        except Exception:
            return None
        right = bool(np.max(np.abs(value - slopes)) <= _LEFT * error)
        self.answers.append(right)
        return right

    @property
    def tells(self) -> bool:
        """Tell whether answers mean anything: if all are no, the data may be made of one another."""
        return any(self.answers) or len(self.answers) < _ANSWERS

    def may_hold(self, number: Any) -> bool:
        """Tell whether a number is a single one that the function holds, or that is unknown."""
        try:
            return number in self._chosen()
        except DiffcompareError:
            return True

    def _chosen(self) -> set[float]:
        """Return the single numbers that the function holds and somebody chose."""
        function = reached([self.problem.function])
        return {number for value, _ in _slots(function) for number in _numbers(value) if _is_chosen(number)}

    def _measured(self) -> tuple[Floats, float] | None:
        """Return the slopes beside other data, and by how much the gradient as it is misses them."""
        problem, here = self.problem, self.here
        if problem.what not in _WHAT or problem.directions is not None or problem.weights is not None:
            return None
        try:
            with np.errstate(all="ignore"):
                true, error = self._along(here.certified), np.max(np.abs(self._along(here.claimed - here.certified)))
                slopes, noise = self._slopes()
                if not max(noise, np.max(np.abs(slopes - true))) <= _NOISE * error:
                    return None
                before = problem.values(here.point)
            with self._changed():
                after = problem.values(here.point)
                slopes, noise = self._slopes()
                error = np.max(np.abs(self._along(problem.claim(here.point)) - slopes))
        except Exception:
            return None
        return (slopes, float(error)) if noise <= _NOISE * error and not np.array_equal(before, after) else None

    @contextmanager
    def _changed(self, *others: Callable[..., Any]) -> Iterator[None]:
        """Give other values to all floats that function and gradient hold, and put them back."""
        undo: list[Callable[[], None]] = []
        try:
            every = reached([self.problem.function, self.problem.gradient, *others])
            for old, new, write in _changes(every, self._chosen()):
                undo.append(functools.partial(write, old))
                write(new)
            with np.errstate(all="ignore"):
                yield
        finally:
            for one in reversed(undo):
                one()

    @property
    def _directions(self) -> Floats:
        random = np.random.default_rng(0)
        shape = _DIRECTIONS, self.here.point.size
        lengths = random.uniform(0.5, 1.0, shape) * random.choice([-1.0, 1.0], shape)
        return np.asarray(lengths * self.problem.scales, dtype=np.float64)

    def _along(self, components: Floats) -> Floats:
        d = self._directions
        matrix = components.reshape(-1, d.shape[1])
        return np.einsum("ki,ij,kj->k", d, matrix, d)[:, None] if self.problem.what == "Hessian" else d @ matrix.T

    def _slopes(self) -> tuple[Floats, float]:
        """Return differences along the directions, extrapolated from two steps, and by how much they may be off."""
        second = self.problem.what == "Hessian"
        h = _SECOND if second else _FIRST
        x, values = self.here.point, self.problem.values
        middle = values(x)

        def along(d: Floats, h: float) -> Floats:
            high, low = values(x + h * d), values(x - h * d)
            return (high - 2 * middle + low) / h**2 if second else (high - low) / (2 * h)

        fine, coarse = (np.array([along(d, s) for d in self._directions]) for s in (h, 2 * h))
        rounding = 8 * unit_roundoff * np.max(np.abs(middle)) / h ** (2 if second else 1)
        return fine + (fine - coarse) / 3, float(np.max(np.abs(fine - coarse)) / 8 + rounding)


def _changes(objects: Sequence[Any], chosen: Collection[float]) -> Iterator[tuple[Any, Any, Callable[[Any], None]]]:
    """Yield the numbers that objects hold, others in their place, and what puts either there.

    ``chosen``: of single numbers those that get others.
    """
    left = _MOST
    for array in (one for one in objects if isinstance(one, np.ndarray)):
        left -= array.size
        if left < 0:
            raise DiffcompareError("too much data")
        # what shows a part of another array changes with that
        if array.dtype.kind == "f" and array.base is None:
            yield array.copy(), _moved(array), functools.partial(_filled, array)
    for value, write in _slots(objects):
        new = _other(value, chosen)
        if new is not value:
            yield value, new, write


def _slots(objects: Sequence[Any]) -> Iterator[_Slot]:
    """Yield what containers, cells, functions and their modules hold, each once."""
    spaces, names = dict[int, dict[str, Any]](), set[str]()
    for value in objects:
        if isinstance(value, dict | list):
            items = [*(value.items() if isinstance(value, dict) else enumerate(value))]
            yield from ((one, functools.partial(value.__setitem__, key)) for key, one in items)
        elif isinstance(value, CellType):
            with suppress(ValueError):
                # an empty one has no contents
                yield value.cell_contents, functools.partial(setattr, value, "cell_contents")
        elif isinstance(value, FunctionType) and not is_library(value.__code__.co_filename):
            yield value.__defaults__, functools.partial(setattr, value, "__defaults__")
            spaces[id(value.__globals__)] = value.__globals__
            names |= names_of(value.__code__)
        elif type(value) is functools.partial:
            yield value.args, functools.partial(_bound, value)
    # a change may put a name in that stands in the function alone
    for space in spaces.values():
        yield from ((space[name], functools.partial(space.__setitem__, name)) for name in names & space.keys())


def _filled(array: Any, values: Any) -> None:
    writeable = array.flags.writeable
    array.flags.writeable = True
    array[...] = values
    array.flags.writeable = writeable


def _bound(call: Any, args: tuple[Any, ...]) -> None:
    call.__setstate__((call.func, args, call.keywords, vars(call)))


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, float | np.floating):
        yield float(value)
    elif type(value) is tuple:
        for part in value:
            yield from _numbers(part)


def _is_chosen(number: float) -> bool:
    return float(f"{number:.{_DIGITS}g}") == number


def _other(value: Any, chosen: Collection[float]) -> Any:
    """Return another number, or a tuple of others; the same object where there is none."""
    if isinstance(value, float | np.floating):
        return type(value)(_moved(value)) if float(value) in chosen else value
    if type(value) is not tuple:
        return value
    parts = tuple(_other(part, chosen) for part in value)
    return value if all(a is b for a, b in zip(value, parts, strict=True)) else parts


def _moved(values: Any) -> Any:
    """Return other numbers in the same order, close by."""
    return np.sign(values) * np.abs(values) ** _POWER
