"""How the arguments of a user's function become flat numbers and back."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.adapters.door import parts_of
from diffcompare.errors import check_text, shorten, shown
from diffcompare.floats import Floats, as_floats, check_sides, refuse_overflow, sides_of
from diffcompare.symbolic.entries import flat_entries
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.parse import parse
from diffcompare.tracing.calling import called
from diffcompare.tracing.labelled import is_labelled, with_labels
from diffcompare.verdict.nesting import Nest, described, leaves_of, nest_of, put_together
from diffcompare.verdict.problem import real_numbers

__all__ = [
    "ComponentNames",
    "Structure",
    "as_callable",
    "box_of",
    "formula_of",
    "points_of",
    "returned_numbers",
    "stacked",
    "structure_of",
    "takes",
]


@dataclass(frozen=True, slots=True)
class Structure:
    """How a flat array of numbers becomes the user's arguments and back."""

    kind: str  # "array", "tuple", "list", "dict", or "nest" of these
    keys: tuple[Any, ...]
    shapes: tuple[tuple[int, ...], ...]
    size: int
    # the Series or DataFrame that a part is, whose labels are handed on
    likes: tuple[Any, ...] = field(compare=False)
    # of what is no array
    nest: Nest | None

    def unflatten(self, flat: Floats) -> Any:
        """Make fresh arguments of the user's structure."""
        parts, start = [], 0
        for shape, like in zip(self.shapes, self.likes, strict=True):
            count = math.prod(shape)
            part = flat[start : start + count].copy().reshape(shape)
            parts.append(with_labels(part, like) if like is not None else part if shape else part[()])
            start += count
        return put_together(self.nest, iter(parts))

    def flatten(self, value: Any, what: str = "a gradient") -> NDArray[Any]:
        """Flatten what a gradient returned; ``ValueError`` for another structure, shape or kind of numbers."""
        flat = []
        for key, part, shape, like in zip(self.keys, self.parts(value, what), self.shapes, self.likes, strict=True):
            entry = "" if self.kind == "array" else f" in entry {key!r}"
            try:
                array = real_numbers(part if like is None else _in_order(part, like, what))
            except TypeError as error:
                raise ValueError(f"{what} of real numbers is needed, got {error}{entry}") from error.__cause__
            if array.shape != shape and not (array.size == 1 and math.prod(shape) == 1):
                second = what == "a gradient" and not entry and array.shape in (shape * 2, (self.size, self.size))
                hint = "; `dc.check_hessian` judges second derivatives" if second else ""
                raise ValueError(f"{what} of shape {shape} is needed, got shape {array.shape}{entry}{hint}")
            flat.append(array.reshape(-1))
        return flat[0] if len(flat) == 1 else np.concatenate(flat)

    def parts(self, value: Any, what: str) -> Sequence[Any]:
        """Take what has this structure apart; ``ValueError`` names the entries that are missing, or too many."""
        if self.kind == "array":
            return [value]
        if self.kind == "nest":
            return [part for _, part in leaves_of(self.nest, value, what)]
        if self.kind != "dict":
            if not isinstance(value, tuple | list) or len(value) != len(self.shapes):
                raise ValueError(f"{what} of {len(self.shapes)} arrays is needed, got {described(value)}")
            return value
        if not isinstance(value, Mapping):
            raise ValueError(f"{what} with the keys {list(self.keys)} is needed, got {described(value)}")
        for words, keys in (
            ("is missing", [key for key in self.keys if key not in value]),
            ("is none of them", [key for key in value if key not in self.keys]),
        ):
            if keys:
                raise ValueError(f"{what} with the keys {list(self.keys)} is needed; {shown(keys[0])} {words}")
        return [value[key] for key in self.keys]

    def names(self) -> tuple[str, ...]:
        """Name every component: ``x[0]``, ``W[1, 2]``."""
        found = []
        for key, shape, like in zip(self.keys, self.shapes, self.likes, strict=True):
            name = "x" if self.kind == "array" else str(key) if self.kind in ("dict", "nest") else f"x[{key}]"
            axes = [range(n) for n in shape] if like is None else like.axes
            indices = [str(label) for label in axes[0]] if shape else []
            for axis in axes[1:]:
                labels = [f", {label}" for label in axis]
                indices = [index + label for index in indices for label in labels]
            found += [f"{name}[{index}]" for index in indices] if shape else [name]
        return tuple(found)


class ComponentNames(Sequence[str]):
    """The names of all components, made when one is asked for: a million take a second."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return self._structure.names()

    def __len__(self) -> int:
        return self._structure.size

    def __getitem__(self, index: Any) -> Any:
        return self._names[index]


def _in_order(value: Any, like: Any, what: str) -> Any:
    """Return numbers with labels in the order of others; ``ValueError`` names a label that is missing."""
    if not is_labelled(value) or value.ndim != like.ndim:
        return value
    for own, needed in zip(value.axes, like.axes, strict=True):
        missing = [label for label in needed if label not in own]
        if missing:
            raise ValueError(f"{what} with the labels {shown(list(needed))} is needed; {shown(missing[0])} is missing")
        if len(own) != len(needed):
            raise ValueError(f"{what} with the labels {shown(list(needed))} is needed, got {len(own)} labels")
    return value.reindex(like.index) if like.ndim == 1 else value.reindex(index=like.index, columns=like.columns)


def structure_of(at: Any) -> tuple[Structure, Floats]:
    """Return the structure of a point and its numbers, flat; errors name what is no point."""
    nest = nest_of(at)
    keys: tuple[Any, ...] = (0,)
    kind, parts = "array", [at]
    if nest is not None and (any(inner is not None for inner in nest.inner) or hasattr(at, "_fields")):
        leaves = list(leaves_of(nest, at, "a point"))
        kind, keys, parts = "nest", tuple(path for path, _ in leaves), [leaf for _, leaf in leaves]
    elif nest is not None:
        kind = "dict" if isinstance(at, Mapping) else "list" if isinstance(at, list) else "tuple"
        keys, parts = nest.keys, list(at.values() if isinstance(at, Mapping) else at)
    try:
        arrays = [np.asarray(part) for part in parts]
    except ValueError:
        raise TypeError("at is a list of arrays of different shapes: pass a tuple or a dict of arrays") from None
    for key, array in zip(keys, arrays, strict=True):
        if array.dtype.kind not in "fiub":
            refuse_overflow(array, "at")
            name = "at" if kind == "array" else f"at[{key!r}]"
            if array.dtype.kind == "c":
                raise TypeError(
                    f"{name} of dtype {array.dtype}: derivatives are judged in real variables; pass the real and the "
                    'imaginary part as two, at={"re": z.real, "im": z.imag}, and compute z = p["re"] + 1j*p["im"] in f'
                )
            raise TypeError(f"{name} of dtype {array.dtype}: real numbers are needed; pass floats")
    flat = np.concatenate([array.astype(np.float64).reshape(-1) for array in arrays]) if arrays else np.empty(0)
    if not flat.size:
        raise ValueError(f"at={at!r}: an empty point; pass at least one coordinate")
    likes = tuple(part if is_labelled(part) else None for part in parts)
    structure = Structure(kind, keys, tuple(array.shape for array in arrays), flat.size, likes, nest)
    for name in structure.names() if any(like is not None for like in likes) else ():
        check_text(name, "label of at")
    if not np.isfinite(flat).all():
        name = structure.names()[int(np.flatnonzero(~np.isfinite(flat))[0])]
        raise ValueError(f"{name} is not finite: pass a point of finite numbers")
    return structure, flat


def points_of(f: Any, at: Any, args: tuple[Any, ...]) -> list[Any]:
    """Return the points: rows of an array where f gives one number for each, else the whole."""
    if isinstance(f, SymbolicFunction):
        values = as_floats(at, "at")
        n = len(f.variables)
        if n == 1:
            return [np.float64(v) for v in values.reshape(-1)]
        if values.size != n and values.shape[-1:] == (n,):
            return list(values.reshape(-1, n))
        return [values]
    if parts_of(at) is not None or is_labelled(at):
        return [at]
    try:
        values = np.asarray(at)
    except ValueError:
        # what is wrong with it is said where its structure is read
        return [at]
    if values.ndim == 0 or values.dtype.kind not in "fiub" or not values.size:
        return [at]
    whole = returned_numbers(f, values.astype(np.float64), args)
    first = None if whole is not None and whole.size == 1 else returned_numbers(f, values.astype(np.float64)[0], args)
    if first is None or first.size != 1 or (values.ndim == 1 and not stacked(f, whole, values, args)):
        return [at]
    return list(values)


def stacked(f: Callable[..., Any], whole: NDArray[Any] | None, values: NDArray[Any], args: tuple[Any, ...]) -> bool:
    """Tell whether what a function returned of numbers is what it returns of each; True where it takes no more."""
    if whole is None:
        return True
    each = [returned_numbers(f, value, args) for value in values.astype(np.float64)]
    if whole.shape != values.shape or any(one is None or one.size != 1 for one in each):
        return False
    flat = np.array([np.reshape(one, ()) for one in each])  # type: ignore[arg-type]
    # an operation on an array and one on a number may round differently
    return bool((np.abs(flat - whole) <= 1e-6 * np.abs(whole)).all() or np.array_equal(flat, whole, equal_nan=True))


def returned_numbers(f: Callable[..., Any], x: Any, args: tuple[Any, ...]) -> NDArray[Any] | None:
    """Return what the user's code returns; None where it raises, or that is no array of real numbers."""
    try:
        with np.errstate(all="ignore"):
            return real_numbers(called(f, np.array(x)[()], *args))
    except Exception:
        return None


def as_callable(f: SymbolicFunction, structure: Structure) -> Callable[..., Any]:
    """Return a formula as a function of arguments of this structure."""

    def function(x: Any, *_: Any) -> Any:
        flat = structure.flatten(x)
        return f(flat[0] if len(f.variables) == 1 else flat)

    return function


def formula_of(f: Any, formula: Any, size: int) -> SymbolicFunction | None:
    """Return what f claims to be, with as many variables as the point has numbers; None where nothing is stated."""
    if formula is None:
        known = f if isinstance(f, SymbolicFunction) else None
    elif isinstance(formula, SymbolicFunction):
        known = formula
    else:
        entries, _ = flat_entries(formula)
        if all(isinstance(entry, str) for entry in entries):
            known = parse(formula)
        elif not all(hasattr(entry, "free_symbols") for entry in entries):
            raise TypeError(f"formula={formula!r}: must be text, a SymPy expression or a SymbolicFunction")
        else:
            symbols = sorted({s for entry in entries for s in entry.free_symbols}, key=lambda symbol: symbol.name)
            known = SymbolicFunction(formula, symbols)
    if known is not None and len(known.variables) != size:
        raise ValueError(
            f"formula {shorten(known.formula, 60)!r} has {len(known.variables)} variables "
            f"({', '.join(known.variables)}), the point has {size} coordinates; pass "
            "diffcompare.parse(text, variables=[...]) with one name for each"
        )
    return known


def box_of(box: Any, structure: Structure, x: Floats) -> tuple[Floats, Floats] | None:
    """Return the corners of a box, flat; ``ValueError`` where the point is not in it."""
    if box is None:
        return None
    sides = sides_of(box, tuples=structure.kind == "tuple")
    lower, upper = check_sides(box, *(_side(side, structure, x) for side in sides))
    if not (np.all(lower <= x) and np.all(x <= upper)):
        k = int(np.flatnonzero((lower > x) | (x > upper))[0])
        raise ValueError(
            f"{structure.names()[k]}={float(x[k])!r} lies outside the box [{float(lower[k])!r}, {float(upper[k])!r}]; "
            "move one of them"
        )
    return lower, upper


def _side(side: Any, structure: Structure, x: Floats) -> Floats:
    """Return one corner of the box, flat, as those of SciPy are; a number stands for all coordinates."""
    if parts_of(side) is None and np.shape(side) in ((), (1,), x.shape):
        return np.broadcast_to(as_floats(side, "box"), x.shape)
    return as_floats(structure.flatten(side, "a side"), "box")


def takes(function: Any, *arguments: Any) -> bool:
    """Tell whether a function can be called with these arguments; True where it does not say."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:
        # no signature can be had of it
        return True
    return True
