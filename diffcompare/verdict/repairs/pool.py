"""What could stand in a gradient: the values that function, derivative and gradient compute, and what they suggest."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from diffcompare.floats import Floats
from diffcompare.program.arrays import ArrayBuilder, Shape
from diffcompare.tracing.array_table import ArrayGuard
from diffcompare.verdict.repairs.measured import Measured

__all__ = ["Entry", "Shelf", "lengths_of", "same_node", "shelves_of"]

# elements of all values on a shelf, and of one
_ELEMENTS = 4_000_000
_LONGEST = 20
# how close to 1 a number counts as 1
_FLAT = 1e-6


@dataclass(frozen=True, slots=True)
class Entry:
    """A value that could stand in a gradient.

    Parameters
    ----------
    node : int
        What it is made from.
    make : callable
        ``make(build, node)`` returns the node of the value.
    size : int
        How many operations it takes; one that the user's code computes counts as one.
    form : str
        How it is written, ``{}`` being the node.
    condition : ArrayGuard or None
        The decision of which it holds the answers.
    """

    node: int
    make: Callable[[ArrayBuilder, int], int]
    size: int
    form: str = "{}"
    condition: ArrayGuard | None = None

    def placed(self, build: ArrayBuilder) -> int:
        """Add the value to a program."""
        return self.make(build, self.node)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Entries of one shape: their values are the rows of a matrix."""

    shape: Shape
    entries: tuple[Entry, ...]
    rows: Floats


def same_node(_: ArrayBuilder, node: int) -> int:
    """Return the node itself."""
    return node


def _one_less(build: ArrayBuilder, node: int) -> int:
    return build.apply("subtract", build.constant(1), node)


def _summed(build: ArrayBuilder, node: int, axes: tuple[int, ...]) -> int:
    return build.total(node, axes)


def _square(build: ArrayBuilder, node: int) -> int:
    return build.apply("multiply", node, node)


def _logistic(build: ArrayBuilder, node: int) -> int:
    less = build.raw("exp", build.apply("negative", node))
    return build.apply("divide", build.constant(1), build.apply("add", build.constant(1), less))


_FORMS: tuple[tuple[str, Callable[[Floats], Floats], Callable[[ArrayBuilder, int], int]], ...] = (
    ("{}", lambda v: v, same_node),
    ("{}**2", lambda v: v * v, _square),
    ("(1 - {})", lambda v: 1 - v, _one_less),
    ("(1 - {}**2)", lambda v: 1 - v * v, lambda b, k: _one_less(b, _square(b, k))),
    ("{0}*(1 - {0})", lambda v: v * (1 - v), lambda b, k: b.apply("multiply", k, _one_less(b, k))),
    ("sqrt({})", np.sqrt, lambda b, k: b.raw("sqrt", k)),
    ("exp({})", np.exp, lambda b, k: b.raw("exp", k)),
    ("log({})", np.log, lambda b, k: b.raw("log", k)),
    ("sin({})", np.sin, lambda b, k: b.raw("sin", k)),
    ("cos({})", np.cos, lambda b, k: b.raw("cos", k)),
    ("tanh({})", np.tanh, lambda b, k: b.raw("tanh", k)),
    ("1/(1 + exp(-{}))", lambda v: 1 / (1 + np.exp(-v)), _logistic),
)
# forms that are simpler than a function; the last are the derivatives of tanh and the logistic function
_PRICES = {"{}": 0, "{}**2": 1, "(1 - {})": 1, "(1 - {}**2)": 0, "{0}*(1 - {0})": 0}


def lengths_of(here: Measured, own: Container[int] = ()) -> dict[int, int]:
    """Count the operations of which each node is made; what the user's code computes by itself may count as one."""
    build, pair = here.build, here.pair
    found: dict[int, int] = {}
    for k in build.needed([pair.F, pair.D, pair.G]):
        inner = sum(found[i] for i in build.nodes[k].operands)
        plain = build.nodes[k].operation in ("variable", "constant", "reshape", "broadcast", "take")
        found[k] = min(1 if k in own else inner + (not plain), _LONGEST)
    return found


def shelves_of(here: Measured, own: Container[int], *, alone: bool = False) -> dict[Shape, Shelf]:
    """Collect all values by their shape; ``own``: the nodes of the user's code, ``alone`` or among others."""
    build, sizes = here.build, lengths_of(here, own)
    by_shape: dict[Shape, list[tuple[Entry, Floats]]] = {}
    for k in sizes:
        if alone and k not in own and build.nodes[k].operands:
            continue
        for entry, value in _entries(here, k, sizes[k], k in own and not alone):
            by_shape.setdefault(value.shape, []).append((entry, value.reshape(-1)))
    for guard in here.pair.function.guards:
        mask = guard.answers.astype(np.float64)
        if mask.shape and 0 < np.sum(mask) < mask.size:
            node = build.constant(mask)
            by_shape.setdefault(mask.shape, []).append((Entry(node, same_node, 1, condition=guard), mask.reshape(-1)))
    return {shape: _shelf(shape, found) for shape, found in by_shape.items()}


def _entries(here: Measured, k: int, size: int, own: bool) -> Iterator[tuple[Entry, Floats]]:
    value = here.values[k]
    for form, floats, make in _FORMS if own and here.build.nodes[k].operands else _FORMS[:1]:
        with np.errstate(all="ignore"):
            found = floats(value)
        # a function that is 1 to seven digits, as tanh of a large number, is no factor that anybody forgets
        flat = form != "{}" and (np.abs(np.abs(found) - 1) <= _FLAT).all()
        if np.isfinite(found).all() and found.size and not flat:
            yield Entry(k, make, size + _PRICES.get(form, 2), form), found
    if own and value.ndim in (1, 2) and np.isfinite(value).all():
        for axes in ((0,), (1,), (0, 1))[: 3 if value.ndim == 2 else 1]:
            form = "sum({})" if len(axes) == value.ndim else f"sum({{}}, axis={axes[0]})"
            yield Entry(k, partial(_summed, axes=axes), size + 1, form), np.sum(value, axis=axes)


def _shelf(shape: Shape, found: list[tuple[Entry, Floats]]) -> Shelf:
    """Keep the shortest of equal values."""
    kept: dict[bytes, tuple[Entry, Floats]] = {}
    room = max(_ELEMENTS // max(found[0][1].size, 1), 8)
    for entry, value in sorted(found, key=lambda one: one[0].size):
        # equal up to the rounding of floats
        mark = np.asarray(np.float32(value[:64])).tobytes() + np.float32(np.sum(value)).tobytes()
        kept.setdefault(mark, (entry, value))
    some = list(kept.values())[:room]
    return Shelf(shape, tuple(entry for entry, _ in some), np.array([value for _, value in some]))
