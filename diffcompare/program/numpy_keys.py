"""The keys in brackets that take elements from an array, as people write them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from diffcompare.program.arrays import Places, Shape

__all__ = ["NamedPlaces", "key_text", "unit_axes"]

# the text of an array of whole numbers that the code holds; None where it holds none such
NamedPlaces = Callable[[Places], str | None]


def unit_axes(before: Shape, after: Shape) -> str | None:
    """Write the key that only puts in or takes out axes of length 1."""
    key, a = [], 0
    for k, n in enumerate(after):
        if a < len(before) and before[a] == n and (n != 1 or len(before) - a >= len(after) - k):
            key.append(":")
            a += 1
        elif n == 1:
            key.append("None")
        elif a < len(before) and before[a] == 1:
            key += ["0", ":"]
            a += 2
            if a > len(before) or before[a - 1] != n:
                return None
        else:
            return None
    if any(n != 1 for n in before[a:]):
        return None
    key += ["0"] * (len(before) - a)
    while len(key) > 1 and key[-1] == ":":
        key.pop()
    return ", ".join(key)


def key_text(
    shape: Shape, places: Places, named: NamedPlaces, ends: Collection[int] = (), numpy: str = "np"
) -> str | None:
    """Write the key that takes elements, by their places in the flat order, from an array; None for no readable one.

    >>> key_text((3, 4), np.array([4, 5, 6, 7]), lambda _: None)
    '1'
    >>> key_text((10,), np.arange(1, 10), lambda _: None)
    '1:'
    """
    if not places.size:
        return None
    inner = shape[1:]
    if places.ndim > len(shape) and places.shape[places.ndim - len(inner) :] == inner:
        # rows by an array of several axes
        width = math.prod(inner)
        rows = places.reshape(*places.shape[: places.ndim - len(inner)], -1)[..., 0] // width
        if np.array_equal(np.arange(math.prod(shape)).reshape(shape)[rows], places):
            return named(rows)
    where = np.unravel_index(places, shape)
    keys: list[Any] = []
    texts: list[str] = []
    axis = 0
    joint = places.ndim == 1 and sum(bool((w != w.flat[0]).any()) for w in where) > 1
    for a, (w, n) in enumerate(zip(where, shape, strict=True)):
        if joint and (w == w[0]).all():
            keys.append(int(w[0]))
            texts.append(str(int(w[0])))
            continue
        if joint:
            vector = w
        else:
            left, dims = len(shape) - a, places.ndim - axis
            constant = bool((w == w.flat[0]).all())
            if constant and left > dims:
                k = int(w.flat[0])
                keys.append(k)
                texts.append(str(_end(k, n, ends)))
                continue
            if axis >= places.ndim:
                return None
            vector = w[tuple(slice(None) if d == axis else 0 for d in range(places.ndim))]
            axis += 1
        key, text = _along(vector, n, named, ends, numpy, joint=joint)
        if text is None:
            return None
        keys.append(key)
        texts.append(text)
    try:
        found = np.arange(math.prod(shape)).reshape(shape)[tuple(keys)]
    except IndexError:
        return None
    if found.shape != places.shape or not np.array_equal(found, places):
        return None
    while len(texts) > 1 and texts[-1] == ":":
        texts.pop()
    return ", ".join(texts)


def _end(k: int, n: int, ends: Collection[int]) -> int:
    """Count a place from the end where the code does, or where it is the last and the code does not count it."""
    return k - n if k not in ends and (k - n in ends or (k == n - 1 and n > 3)) else k


def _along(
    vector: Places, n: int, named: NamedPlaces, ends: Collection[int], numpy: str, *, joint: bool
) -> tuple[Any, str | None]:
    steps = np.diff(vector)
    start, last = int(vector[0]), int(vector[-1])
    step = int(steps[0]) if steps.size else 1
    regular = bool((steps == step).all()) and step != 0
    if regular and joint:
        if step == 1 and len(vector) > 2:
            return vector, f"{numpy}.arange({f'{start}, {last + 1}' if start else len(vector)})"
    elif regular:
        stop = last + (1 if step > 0 else -1) if 0 <= last + step < n else None
        first = "" if start == (0 if step > 0 else n - 1) else str(start)
        end = "" if stop is None else str(_end(stop, n, ends) if step > 0 else stop)
        return slice(start, stop, step), f"{first}:{end}" + (f":{step}" if step != 1 else "")
    text = named(vector)
    if text is None and len(vector) <= 8:
        text = str(vector.tolist())
    return vector, text
