"""What the value of an expression must be for a gradient to be right, where the gradient is affine in it.

A sum of the gradient's components with weights drawn at random is then a sum of the elements of the value, each time
that it is computed, with slopes that are found by moving one after the other. What is put in must make that sum the one
of the derivative: so a change is told without a run of the code. Of a value that depends on itself at an earlier time
only what is added to it may be told: where that is changed, a multiple of it is another one.

Of a value whose elements come to the gradient's as they are, or all the same number of times, each must be what is left
of the derivative: that takes two runs, however many elements there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from diffcompare.floats import Flags, Floats
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.rewrites.first_wrong import are_floats
from diffcompare.verdict.rewrites.insertions import OPERATIONS, Insertion, Probe, value_of

__all__ = ["Direct", "Needed", "fitting", "multiple", "needed", "row_of", "times_of"]

# of the sums, what may be rounding
_CLOSE = 1e-8
# sums that do not cancel; the parts of 1 that numbers are made of, how close to such, and the largest
_CLEAR, _PARTS, _SHORT, _LARGEST = 1e-4, (60, 64, 1000), 1e-9, 1200
# elements of a value that depends on itself, that are looked at before the others, and that are held at once
_FEW, _FIRST, _HELD = 24, 24, 200_000


@dataclass(frozen=True, slots=True)
class Needed:
    """The slopes of a sum in the elements of a value, at all times, and what the sum must be.

    ``stays``: no value depends on one before it.
    """

    slopes: Floats
    total: float
    stays: bool

    @property
    def told(self) -> str:
        """The operations of which something is told."""
        return "+-*/^" if self.stays else "+-"

    def has_rows(self, rows: Floats) -> Flags:
        """Tell of each row of elements whether it makes the sum what it must be."""
        size = np.abs(rows) @ np.abs(self.slopes) + abs(self.total)
        return np.asarray((np.abs(rows @ self.slopes - self.total) <= _CLOSE * size) & np.isfinite(size))

    def multiples_of(self, rows: Floats, own: Floats) -> Floats:
        """Return how many times each row of elements makes the sum what it must be; NaN where that is no short number.

        ``own``: the elements beside which they stand.
        """
        sums, left = rows @ self.slopes, self.total - own @ self.slopes
        clear = np.isfinite(sums) & (np.abs(sums) > _CLEAR * (np.abs(rows) @ np.abs(self.slopes)))
        return _short(np.divide(left, sums, out=np.full(sums.shape, np.nan), where=clear))


@dataclass(frozen=True, slots=True)
class Direct:
    """What the elements of a value must be that come to the gradient's as they are."""

    value: Floats
    told = "+-*/^"
    stays = True

    def has_rows(self, rows: Floats) -> Flags:
        """Tell of each row of elements whether it is the value."""
        found = np.zeros(len(rows), dtype=bool)
        size = _CLOSE * np.max(np.abs(self.value), initial=0.0)
        # most are told by few elements
        near = np.flatnonzero((np.abs(rows[:, :_FIRST] - self.value[:_FIRST]) <= size).all(axis=1))
        found[near] = (np.abs(rows[near] - self.value) <= size).all(axis=1)
        return found

    def multiples_of(self, rows: Floats, own: Floats) -> Floats:
        """Return how many times each row of elements makes the value; NaN where that is no short number."""
        left = self.value - own
        largest = int(np.argmax(np.abs(left)))
        there = rows[:, largest]
        found = _short(np.divide(left[largest], there, out=np.full(there.shape, np.nan), where=there != 0))
        return np.where(self.has_rows(own + np.nan_to_num(found)[:, None] * rows), found, np.nan)


def _short(times: Floats) -> Floats:
    """Return numbers as those of few digits that they are; NaN of others."""
    found = np.full(times.shape, np.nan)
    for n in _PARTS:
        whole = np.rint(n * times)
        near = (np.abs(whole - n * times) <= _SHORT * np.abs(whole)) & (whole != 0) & (np.abs(times) <= _LARGEST)
        found = np.where(near & np.isnan(found), whole / n, found)
    return found


def needed(probe: Probe, run: Callable[[], Floats | None], here: Nearby, most: int) -> Needed | Direct | None:
    """Move the elements of a value; None where the gradient is not affine in them, or they are too many.

    Those are at most ``most``, and of one shape at all times.

    ``run``: evaluates the gradient in which the probe stands at the point of ``here``.
    """
    values = [value for value, _ in probe.times]
    # a count may lack what is no whole number
    known = all(are_floats(value) or isinstance(value, np.integer) for value in values)
    if not known or len({np.shape(value) for value in values}) != 1:
        return None
    own = np.concatenate([np.ravel(value) for value in values]).astype(np.float64)
    if not own.size or probe.is_full or not np.isfinite(own).all():
        return None
    draws = np.random.default_rng(0)
    if own.size > most:
        return _direct(probe, run, here, draws) if len(values) == 1 else None
    weights = draws.normal(size=here.claimed.size)
    size = float(np.max(np.abs(own))) or 1.0

    ends = np.cumsum([np.size(value) for value in values])[:-1]

    def moved(steps: Floats) -> float:
        parts = [part.reshape(np.shape(value)) for value, part in zip(values, np.split(steps, ends), strict=True)]
        probe.moved = zip(values, parts, strict=True)
        value = run()
        return float("nan") if value is None else float(weights @ (value - here.claimed).reshape(-1))

    try:
        steps = size * draws.normal(size=own.size)
        seen, twice = moved(steps), moved(2 * steps)
        if not abs(twice - 2 * seen) <= _CLOSE * abs(seen):
            return None
        if not (probe.stays or probe.added) and own.size > _FEW:
            # little is told, and dear
            return None
        slopes = np.array([moved(step) / size for step in size * np.eye(own.size)]) if seen else np.zeros(own.size)
    finally:
        probe.moved = None
    if not abs(seen - slopes @ steps) <= _CLOSE * (np.abs(slopes) @ np.abs(steps)):
        return None
    return Needed(slopes, float(slopes @ own - weights @ here.gap.reshape(-1)), probe.stays)


def _direct(probe: Probe, run: Callable[[], Floats | None], here: Nearby, draws: np.random.Generator) -> Direct | None:
    """Move all elements of a value at once; None where they do not come to the gradient as they are."""
    own = np.asarray(probe.times[0][0], dtype=np.float64)
    if own.size != here.claimed.size:
        return None
    step = np.max(np.abs(here.gap)) * draws.normal(size=own.size)
    probe.moved = iter([(own, step.reshape(own.shape))])
    try:
        value = run()
    finally:
        probe.moved = None
    times = None if value is None else times_of((here.claimed - value).reshape(-1), step)
    return Direct(own.reshape(-1) - here.gap.reshape(-1) / times) if times else None


def multiple(probe: Probe, run: Callable[[], Floats | None], here: Nearby) -> float | None:
    """Return the number by which all values must be multiplied: told by twice of them; None where none does."""
    probe.change = "*", "2"
    try:
        value = run()
    finally:
        probe.change = None
    if value is None:
        return None
    times = times_of(here.gap.reshape(-1), (value - here.claimed).reshape(-1))
    return None if times is None else 1 + times


def times_of(error: Floats, slope: Floats) -> float | None:
    """Return how many times a slope takes an error away; None where it does not."""
    if slope.shape != error.shape:
        return None
    # no library of linear algebra: its threads wait for one another where other programs run
    size = float(np.sum(slope * slope))
    times = -float(np.sum(slope * error)) / size if 0 < size < math.inf else math.nan
    return times if (np.abs(error + times * slope) <= _CLOSE * np.max(np.abs(error))).all() else None


def fitting(some: Iterable[Insertion], probe: Probe, wanted: Needed | Direct) -> list[Insertion]:
    """Return the insertions after which a value is what it must be."""
    own = np.concatenate([np.ravel(value) for value, _ in probe.times])
    right = list[Insertion]()
    told = [one for one in some if one.operation in wanted.told]
    held = 1 + _HELD // own.size
    for part in (told[k : k + held] for k in range(0, len(told), held)):
        rows = {text: row_of(text, probe) for text in dict.fromkeys(one.item.text for one in part)}
        found = [one for one in part if rows[one.item.text] is not None]
        with np.errstate(all="ignore"):
            made = [OPERATIONS[one.operation](own, rows[one.item.text]) for one in found]
            flags = wanted.has_rows(np.array(made).reshape(-1, own.size))
        right += [one for one, is_right in zip(found, flags, strict=True) if is_right]
    return right


def row_of(text: str, probe: Probe, *, of_floats: bool = False) -> Floats | None:
    """Return the elements of an expression beside a value, at all times; None where it has another shape."""
    shape = np.shape(probe.times[0][0])
    try:
        other = np.array([value_of(text, probe.space, names) for _, names in probe.times])
        if of_floats and other.dtype.kind != "f":
            return None
        wide = other.reshape(len(other), *[1] * (len(shape) + 1 - other.ndim), *other.shape[1:])
        return np.broadcast_to(wide.astype(np.float64), (len(other), *shape)).reshape(-1)
    except Exception:
        return None
