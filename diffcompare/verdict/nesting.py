"""Parameters inside parameters: dicts, tuples and named tuples in one another, taken apart to arrays and remade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from diffcompare.adapters.door import parts_of, with_parts
from diffcompare.errors import check_text

__all__ = ["Nest", "described", "leaves_of", "nest_of", "put_together"]


@dataclass(frozen=True, slots=True)
class Nest:
    """How a value is made of others: its keys, or the fields or places of a tuple, and what each of them is made of."""

    like: Any
    keys: tuple[Any, ...]
    inner: tuple[Nest | None, ...]

    @property
    def named(self) -> bool:
        """Whether its parts have names."""
        return isinstance(self.like, Mapping) or hasattr(self.like, "_fields")


def nest_of(value: Any) -> Nest | None:
    """Return how a point is made of arrays; None where it is one array."""
    parts = parts_of(value)
    if parts is None:
        return None
    if isinstance(parts, Mapping):
        keys, each = tuple(parts), tuple(parts.values())
        for key in keys:
            check_text(str(key), "key of at")
        return Nest({}, keys, tuple(map(nest_of, each)))
    keys = getattr(parts, "_fields", tuple(range(len(parts))))
    # of a tuple its type is needed, and none of its numbers
    return Nest(with_parts(parts, [None] * len(parts)), keys, tuple(map(nest_of, parts)))


def leaves_of(nest: Nest | None, value: Any, what: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path of each array, as ``layer1.w``, with it; ``ValueError`` names what is missing or too much."""
    if nest is None:
        yield path or "x", value
        return
    kind = Mapping if isinstance(nest.like, Mapping) else list | tuple
    inside = f" in {path}" if path else ""
    if not isinstance(value, kind) or (kind is not Mapping and len(value) != len(nest.keys)):
        raise ValueError(f"{what} with the entries {list(nest.keys)}{inside} is needed, got {described(value)}")
    extra = [key for key in value if key not in nest.keys] if isinstance(value, Mapping) else []
    if extra:
        raise ValueError(f"{what} has the entry {_below(path, nest, extra[0])}, which the point has not")
    for k, (key, inner) in enumerate(zip(nest.keys, nest.inner, strict=True)):
        below = _below(path, nest, key)
        if isinstance(value, Mapping) and key not in value:
            raise ValueError(f"{what} needs the entry {below}, which is missing")
        yield from leaves_of(inner, value[key] if isinstance(value, Mapping) else value[k], what, below)


def _below(path: str, nest: Nest, key: Any) -> str:
    if nest.named:
        return f"{path}.{key}" if path else str(key)
    return f"{path or 'x'}[{key}]"


def described(value: Any) -> str:
    """Name what stands where something else is needed."""
    return f"{type(value).__name__} of length {len(value)}" if hasattr(value, "__len__") else type(value).__name__


def put_together(nest: Nest | None, leaves: Iterator[Any]) -> Any:
    """Make a value of its arrays, in the order in which they were taken apart."""
    if nest is None:
        return next(leaves)
    parts = [put_together(inner, leaves) for inner in nest.inner]
    if isinstance(nest.like, Mapping):
        return dict(zip(nest.keys, parts, strict=True))
    return with_parts(nest.like, parts)
