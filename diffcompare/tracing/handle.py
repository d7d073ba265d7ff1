"""Arrays that write down what is done to them: views, writes and all, as NumPy has them.

A handle looks like an array of floats. What NumPy reads of it past its doors is nan, so that nothing which goes
unnoticed gives a number. Where elements are is told by integers that are moved by NumPy itself: a view of an array is
the same view of the numbers of its places.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from diffcompare.floats import Floats
from diffcompare.program.arrays import Places
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.complex_numbers import members
from diffcompare.tracing.refusals import refuse, refuse_plain
from diffcompare.tracing.registry import Handler, held_array

__all__ = [
    "Doors",
    "Handle",
    "as_now",
    "floats_of",
    "has_handles",
    "is_moving",
    "is_written",
    "made",
    "node_of",
    "plain_floats",
    "stored",
    "viewed",
    "written_parts",
]

_NAN = {kind: np.array([np.nan], dtype=kind) for kind in (np.float64, np.float32, np.float16)}
for _nothing in _NAN.values():
    # what is compiled must not write there: all handles are this number
    _nothing.flags.writeable = False
_counted = np.arange(1 << 12)
_VIEWS = 4


class Doors:
    """What handles ask of the module above, which puts its own here when it is imported."""

    call_ufunc: ClassVar[Handler]
    call_function: ClassVar[Handler]
    special: ClassVar[Handler]


def counted(size: int) -> Places:
    """Return 0, 1, … as a view of one array that all share."""
    global _counted
    if size > _counted.size:
        _counted = np.arange(max(size, 2 * _counted.size))
    return _counted[:size]


class _Store:
    """The elements of one array: a node, or parts of nodes that were written over one another.

    ``where`` numbers the elements of all parts, one part after the other.
    """

    __slots__ = ("_starts", "_total", "floats", "node", "parts", "size", "table", "where", "writes")

    def __init__(self, table: ArrayTable, node: int, floats: Floats) -> None:
        self.table, self.node, self.floats, self.size = table, node, floats, floats.size
        self.parts: list[int] = []
        self.where: Places | None = None
        # the user's instructions that wrote the parts
        self.writes: dict[int, None] = {}

    def read(self, places: Places) -> int:
        """Return the node of the elements at these places."""
        build = self.table.build
        if self.where is None:
            return build.take(self.node, places)
        wanted = self.where[places]
        if not wanted.size:
            return build.take(self.node, wanted)
        starts = self._starts
        first, last = (int(np.searchsorted(starts, w, side="right")) - 1 for w in (wanted.min(), wanted.max()))
        if first == last:
            return build.take(self.parts[first], wanted - starts[first])
        if places.size == self.size:
            self.node = build.reshape(build.take(build.join(self.parts), self.where), (self.size,))
            self.where, self.parts, self.writes = None, [], {}
            return build.take(self.node, places)
        among = np.searchsorted(starts, wanted, side="right") - 1
        used = np.unique(among)
        joined = build.join([self.parts[k] for k in used])
        sizes = np.array([np.prod(build.shape(self.parts[k]), dtype=int) for k in used])
        moved = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        return build.take(joined, wanted - starts[among] + moved[np.searchsorted(used, among)])

    def write(self, places: Places, node: int) -> None:
        """Put the elements of a node, repeated where needed, at these places."""
        build = self.table.build
        shape = build.shape(node)
        if places.size == self.size and np.array_equal(places.reshape(-1), counted(self.size)):
            self.node = build.reshape(build.broadcast(node, places.shape), (self.size,))
            self.where, self.parts, self.writes = None, [], {}
            return
        self.writes.update(dict.fromkeys(self.table.origins.here()))
        if self.where is None:
            self.parts, self._starts, self._total = [self.node], np.array([0]), self.size
            self.where = counted(self.size).copy()
        count = int(np.prod(shape, dtype=int))
        self.where[places] = np.broadcast_to(self._total + counted(count).reshape(shape), places.shape)
        self.parts.append(node)
        self._starts = np.append(self._starts, self._total)
        self._total += count

    def copied(self) -> _Store:
        """Return another one that is what this one is now."""
        new = _Store(self.table, self.node, self.floats.copy())
        if self.where is not None:
            new.parts, new.where, new.writes = list(self.parts), self.where.copy(), dict(self.writes)
            new._starts, new._total = self._starts, self._total
        return new


class Handle(np.ndarray[Any, np.dtype[np.float64]]):
    """An array of a program: where its elements are, and the floats that the code would have."""

    store: _Store | None = None
    places: Places
    floats: Floats
    # a number of Python's: in NumPy it takes the type of the arrays that it meets
    weak = False
    # the user's instructions that made a view
    seen: tuple[int, ...] = ()

    @property
    def table(self) -> ArrayTable:
        """The table that it writes to."""
        return self._kept().table

    def _kept(self) -> _Store:
        if self.store is None:
            raise refuse(
                "an array that was made where a trace does not see it",
                "its numbers are not known",
                "use NumPy's functions",
            )
        return self.store

    @property
    def node(self) -> int:
        """The node of its elements."""
        store = self._kept()
        places = self.seen or tuple(store.writes)
        if not places:
            return store.read(self.places)
        # what a view or an array of parts is made of was written there, not where it is read
        with store.table.origins.pinned(places):
            return store.read(self.places)

    @property
    def moving(self) -> bool:
        """Whether it depends on the variables."""
        return self.table.build.moving[self.node]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return Doors.call_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return Doors.call_function(function, args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        key = _key(key)
        places = self.places[key]
        if not isinstance(places, np.ndarray):
            places = np.asarray(places)
            return stored(self.table, self._kept().read(places), np.asarray(self.floats[key]))
        if np.may_share_memory(places, self.places):
            return viewed(self, places, self.floats[key])
        return stored(self.table, self._kept().read(places), np.array(self.floats[key]))

    def __setitem__(self, key: Any, value: Any) -> None:
        key = _key(key)
        places = np.asarray(self.places[key])
        number: Any = made(self.table, value)
        if places.ndim < number.ndim:
            # NumPy drops leading axes of length 1
            number = number.reshape(places.shape)
        self.floats[key] = number.floats
        if self.floats.itemsize < 8:
            self.table.narrowed(self.floats.dtype)
        self._kept().write(places, number.node)

    def __iter__(self) -> Any:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(len(self)))

    def _number(self, what: str) -> float:
        if self.size != 1:
            raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
        return float(np.reshape(plain_floats(self, what), ()))

    def __float__(self) -> float:
        return self._number("float()")

    def __int__(self) -> int:
        return int(self._number("int()"))

    def __index__(self) -> int:
        return int(self._number("an index"))

    def __complex__(self) -> complex:
        return complex(self._number("complex()"))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError("The truth value of an array with more than one element is ambiguous.")
        return bool(np.not_equal(self, 0.0).reshape(())[()])

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(np.equal(self, value)))

    def __hash__(self) -> int:  # type: ignore[override]
        if self.ndim:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        return hash(self._number("a key"))

    def __format__(self, how: str) -> str:
        return format(self._number("formatting"), how) if not self.ndim else str(self)

    def __repr__(self) -> str:
        return repr(plain_floats(self, "repr()"))

    def __str__(self) -> str:
        return str(plain_floats(self, "str()"))

    def __reduce__(self) -> Any:
        raise refuse("a traced array is pickled", "it exists in its recording only", "leave it out of what is traced")

    def __copy__(self) -> Handle:
        return self.copy()

    def __deepcopy__(self, memo: object) -> Handle:
        return self.copy()

    def tobytes(self, *_: Any, **__: Any) -> bytes:
        """The bytes of the floats."""
        return bytes(plain_floats(self, "tobytes()").tobytes())

    def item(self, *args: Any) -> Any:
        """One element."""
        key = args[0] if len(args) == 1 and isinstance(args[0], tuple) else args
        flat = self.reshape(-1)
        return self[key] if len(key) > 1 else flat[key[0] if key else 0]

    def tolist(self) -> Any:
        """The elements in nested lists."""
        return [row.tolist() for row in self] if self.ndim else self

    def fill(self, value: Any) -> None:
        """Set all elements."""
        self[...] = value

    def copy(self, *_: Any, **__: Any) -> Handle:
        """The same elements elsewhere."""
        return stored(self.table, self.node, np.array(self.floats))


def as_now(handle: Handle) -> Handle:
    """Return a handle that stays what it is when the array is written to."""
    store = handle._kept().copied()
    return _shown(store, handle.places, store.floats[handle.places])


def is_written(handle: Handle) -> bool:
    """Tell whether parts of the array were written that nobody has read together."""
    return handle._kept().where is not None


def written_parts(handle: Handle) -> dict[int, Places]:
    """Return the nodes that were written into an array, those that are all there, with the places of their elements."""
    store, found = handle._kept(), dict[int, Places]()
    if store.where is not None:
        where = store.where[handle.places.reshape(-1)]
        for node, start in zip(store.parts, store._starts.tolist(), strict=True):
            shape = store.table.build.shape(node)
            places = np.flatnonzero((where >= start) & (where < start + math.prod(shape)))
            if places.size == math.prod(shape):
                found[node] = places[np.argsort(where[places])].reshape(shape)
    return found


def viewed(base: Handle, places: Places, floats: Floats) -> Handle:
    """Return a view of a handle."""
    handle = _shown(base._kept(), places, floats)
    # what a view is seen through, the last few
    handle.seen = tuple(dict.fromkeys(base.seen + handle.table.origins.here()))[-_VIEWS:]
    return handle


def _shown(store: _Store, places: Places, floats: Floats) -> Handle:
    shape = places.shape
    kind = floats.dtype.type
    if store.table.rebuilt:
        handle = np.ndarray.__new__(Handle, shape, kind, _NAN[kind], 0, (0,) * len(shape))
    else:
        handle = np.full_like(floats, np.nan).view(Handle)
    handle.store, handle.places, handle.floats = store, places, floats
    return handle


def stored(table: ArrayTable, node: int, floats: Any, *, computed: bool = True) -> Handle:
    """Return a new array whose elements are those of a node; that short floats were computed is noted."""
    table.grown()
    floats = np.asarray(floats)
    if floats.dtype.type not in _NAN:
        floats = floats.astype(np.float64)
    if floats.itemsize < 8 and computed:
        table.narrowed(floats.dtype)
    if computed:
        table.origins.returned(node)
    shape = floats.shape
    own = floats.flags.owndata and floats.flags.c_contiguous
    flat = floats.reshape(-1) if own else np.array(floats).reshape(-1)
    return _shown(_Store(table, node, flat), counted(flat.size).reshape(shape), flat.reshape(shape))


def made(table: ArrayTable, value: Any) -> Handle:
    """Return numbers, also those in lists, as a handle."""
    value = held_array(value)
    if isinstance(value, Handle):
        return value
    if isinstance(value, list | tuple) and has_handles(value):
        parts = [made(table, v) for v in value]
        if len({p.shape for p in parts}) > 1:
            raise ValueError("setting an array element with a sequence. The requested array has an inhomogeneous shape")
        node = table.build.reshape(table.build.join([p.node for p in parts]), (len(parts), *parts[0].shape))
        return stored(table, node, np.stack([p.floats for p in parts]))
    array = np.asarray(value)
    if array.dtype.kind == "c":
        raise refuse("a complex number", "only real numbers are traced", "write it with real numbers")
    if array.dtype == object and has_handles(array.tolist()):
        return made(table, array.tolist())
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a number was expected, not {type(value).__name__}")
    floats = array.astype(array.dtype if array.dtype.type in _NAN else np.float64)
    # data of short floats are what they are: nothing has been computed yet
    handle = stored(table, table.build.constant(floats.astype(np.float64)), floats, computed=False)
    handle.weak = type(value) in (float, int, bool)
    return handle


def node_of(table: ArrayTable, value: Any) -> int:
    """Return the node of numbers."""
    return made(table, value).node


def floats_of(value: Any) -> Any:
    """Return what the code would have in place of handles, also in lists and dicts."""
    if isinstance(value, Handle):
        value._kept()
        return float(value.floats) if value.weak else value.floats
    if type(value) in (list, tuple):
        return type(value)(floats_of(v) for v in value)
    if isinstance(value, dict):
        return {k: floats_of(v) for k, v in value.items()}
    return value


def has_handles(value: Any) -> bool:
    """Tell whether there is a handle in a value, also inside lists, tuples and dicts."""
    return isinstance(value, Handle) or any(map(has_handles, members(value)))


def is_moving(value: Any) -> bool:
    """Tell whether a value depends on the variables."""
    return value.moving if isinstance(value, Handle) else any(map(is_moving, members(value)))


def plain_floats(value: Any, what: str) -> Any:
    """Return what does not depend on the variables as floats; refuse any other."""
    if is_moving(value):
        raise refuse_plain(what)
    return floats_of(value)


def _key(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(map(_key, key))
    if isinstance(key, Handle):
        values = np.asarray(plain_floats(key, "an index"))
        return values.astype(int)
    if isinstance(key, list):
        return [_key(k) for k in key]
    # answers of a comparison that a trace follows
    return key.taken() if hasattr(key, "taken") else key
