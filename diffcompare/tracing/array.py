"""Arrays of traced numbers, and NumPy's universal functions on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from diffcompare.tracing.complex_numbers import complex_ufunc, is_complex, is_complex_type, members, paired
from diffcompare.tracing.elementwise import COMPOSED, LOGICAL
from diffcompare.tracing.refusals import active_table, refuse, refuse_plain
from diffcompare.tracing.registry import METHODS, Above, held_array
from diffcompare.tracing.scalar import (
    UNARY,
    TracedCondition,
    TracedScalar,
    cast,
    compare,
    extreme,
    lift,
    scalar,
)
from diffcompare.tracing.table import Table, TracedBytes

__all__ = [
    "TracedArray",
    "answers",
    "contains_traced",
    "elements",
    "elementwise",
    "is_moving",
    "lifted",
    "new_array",
    "plain",
    "shadows",
    "tested",
    "wrap",
]

Objects = np.ndarray[Any, np.dtype[np.object_]]
_TRACED = (TracedScalar, TracedCondition)
_NUMBERS = (bool, int, float, np.number, np.bool_)
# so many numbers are looked through at once: a trace may become too large before the next
_PART = 20_000


class TracedArray(np.ndarray[Any, np.dtype[np.object_]]):
    """An object array whose elements are traced numbers (or conditions)."""

    @property
    def dtype(self) -> Any:
        """What code that asks expects."""
        first: Any = self.flat[0] if self.size else None
        return np.dtype(np.bool_ if isinstance(first, TracedCondition) else np.float64)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return call_ufunc(active_table(), ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return Above.call_function(active_table(), function, args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(_key(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        key, table, value = _key(key), active_table(), held_array(value)
        if isinstance(value, np.ndarray | list | tuple):
            array = lifted(value, table)
            value = wrap(array) if array.ndim else array[()]
        elif not isinstance(value, _TRACED):
            value = lift(value, table)
        super().__setitem__(key, value)

    def fill(self, value: Any) -> None:
        """Set all elements."""
        self[...] = value

    def astype(self, dtype: Any, *_: Any, **options: Any) -> Any:
        """Convert; a shorter type is noted, integers are refused."""
        if dtype is object:
            return self.copy()
        if is_complex_type(dtype):
            return paired(self.copy(), None)
        kind = np.dtype(dtype)
        table = active_table()
        if kind == np.float64 and not options.get("copy", True):
            return self
        if kind.kind == "b":
            return self if self.dtype == kind else self != 0
        if kind.kind in "iu":
            return plain(self, "astype(int)").astype(kind)
        return new_array([cast(lift(e, table), kind) for e in self.flat], self.shape)

    def view(self, *kind: Any, **other: Any) -> Any:
        """The same elements, as an array of another type."""
        return super().view(*(getattr(k, "own_type", k) for k in kind), **other)

    def tobytes(self, *_: Any, **__: Any) -> bytes:
        """The bytes of the floats."""
        found = bytes(_read(self).tobytes())
        return TracedBytes(found) if is_moving(self) else found

    def item(self, *args: Any) -> Any:
        """One element."""
        return np.ndarray.item(self, *args)

    def __format__(self, how: str) -> str:
        return format(self.item(), how) if self.ndim == 0 else str(self)

    def __repr__(self) -> str:
        return repr(_read(self))

    def __str__(self) -> str:
        return str(_read(self))

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __reduce__(self) -> Any:
        raise refuse("a traced array is pickled", "it exists in its recording only", "leave it out of what is traced")


for _name, _property in (("real", property(lambda self: self)), ("imag", property(lambda self: np.zeros(self.shape)))):
    setattr(TracedArray, _name, _property)


def _forwarding(name: str, function: Any) -> None:
    def method(self: TracedArray, *args: Any, **kwargs: Any) -> Any:
        return Above.call_function(active_table(), function, (self, *args), kwargs)

    method.__name__ = name
    setattr(TracedArray, name, method)


for _name in METHODS:
    _forwarding(_name, getattr(np, _name))


def _sort(self: TracedArray, axis: int = -1, **_: Any) -> None:
    self[...] = np.sort(self, axis=axis)


def _partition(self: TracedArray, kth: Any, axis: int = -1, **_: Any) -> None:
    self[...] = np.partition(self, kth, axis=axis)


TracedArray.sort = _sort  # type: ignore[method-assign, assignment]
TracedArray.partition = _partition  # type: ignore[method-assign, assignment]


def wrap(array: Any) -> TracedArray:
    """See an object array as a traced one."""
    view: TracedArray = array.view(TracedArray)
    return view


def new_array(values: Iterable[Any], shape: Sequence[int]) -> Any:
    """Make an array of traced numbers; of no dimension: the number itself."""
    values = list(values)
    if not shape and len(values) == 1:
        return values[0]
    return wrap(np.fromiter(values, dtype=object, count=len(values)).reshape(tuple(shape)))


def elements(array: Any) -> list[Any]:
    """List the elements in order."""
    found: list[Any] = np.ndarray.tolist(np.ndarray.reshape(array, -1))
    return found


def contains_traced(value: Any) -> bool:
    """Tell whether there is a traced number in a value, also inside lists and tuples."""
    if isinstance(value, (TracedArray, *_TRACED)):
        return True
    if isinstance(value, np.ndarray):
        return value.dtype == object and any(type(v) in _TRACED for v in value.flat)
    return any(map(contains_traced, members(value)))


def is_moving(value: Any) -> bool:
    """Tell whether a value depends on the variables."""
    if isinstance(value, _TRACED):
        return value.table.moving[value.index]
    if isinstance(value, np.ndarray) and value.view(np.ndarray).dtype == object:
        return any(isinstance(v, _TRACED) and v.table.moving[v.index] for v in elements(value))
    return any(map(is_moving, members(value)))


def lifted(value: Any, table: Table) -> Objects:
    """Return numbers as a plain object array of traced ones."""
    if isinstance(value, TracedScalar | TracedCondition):
        array = np.empty((), dtype=object)
        array[()] = value
        return array
    if isinstance(value, TracedArray):
        base: Any = value.view(np.ndarray)
        if all(isinstance(v, _TRACED) for v in elements(base)):
            return base  # type: ignore[no-any-return]
    elif isinstance(value, list | tuple):
        if not contains_traced(value):
            return lifted(np.asarray(value), table)
        parts = [lifted(v, table) for v in value]
        if len({p.shape for p in parts}) > 1:
            raise ValueError("setting an array element with a sequence. The requested array has an inhomogeneous shape")
        array = np.empty((len(parts), *parts[0].shape), dtype=object)
        for k, part in enumerate(parts):
            array[k] = part[()] if part.ndim == 0 else part
        return array
    else:
        base = np.asarray(value)
    if base.dtype.kind == "c":
        raise refuse("a complex number", "only real numbers are traced", "write it with real numbers")
    if base.dtype.kind not in "Obiuf":
        raise TypeError(f"a number was expected, not {type(value).__name__}")
    scale = 0.0
    if base.dtype.kind == "f" and base.ndim:
        finite = np.abs(base[np.isfinite(base)])
        scale = float(finite.max()) if finite.size else 0.0
    result = np.empty(base.shape, dtype=object)
    flat = result.reshape(-1)
    if base.dtype != object:
        values = base.astype(np.float64).reshape(-1)
        for start in range(0, values.size, _PART):
            some = values[start : start + _PART]
            # numbers of the same digits are one node; 0.0 and -0.0 are two
            digits = some.view(np.int64).tolist()
            made = {d: scalar(table, v, scale) for d, v in dict(zip(digits, some.tolist(), strict=True)).items()}
            flat[start : start + _PART] = [made[d] for d in digits]
        return flat.reshape(base.shape)
    for k, v in enumerate(base.reshape(-1).tolist()):
        if isinstance(v, _TRACED):
            flat[k] = v
        elif isinstance(v, _NUMBERS):
            flat[k] = scalar(table, float(v), scale)
        else:
            raise TypeError(f"a number was expected, not {type(v).__name__}")
    return flat.reshape(base.shape)


def shadows(value: Any) -> Any:
    """Return the floats (or truth values) that the code would have."""
    if isinstance(value, TracedScalar):
        return np.float64(value.shadow)
    if isinstance(value, TracedCondition):
        return np.bool_(value.answer)
    if isinstance(value, list | tuple):
        return type(value)([shadows(v) for v in value]) if type(value) in (list, tuple) else value
    if isinstance(value, dict):
        return {k: shadows(v) for k, v in value.items()}
    if isinstance(value, np.ndarray) and value.view(np.ndarray).dtype == object:
        flat = [
            v.shadow if type(v) is TracedScalar else v.answer if type(v) is TracedCondition else v
            for v in elements(value)
        ]
        kind = np.bool_ if flat and all(isinstance(v, bool | np.bool_) for v in flat) else np.float64
        return np.array(flat, dtype=kind).reshape(value.shape)
    return value


def _read(array: TracedArray) -> Any:
    """Give the floats of an array away, as a key or as text."""
    if is_moving(array):
        active_table().read = True
    return shadows(array)


def plain(value: Any, what: str) -> Any:
    """Return an array that does not depend on the variables as floats; refuse any other."""
    if is_moving(value):
        raise refuse_plain(what)
    return shadows(value)


def answers(value: Any) -> Any:
    """Take conditions as decided; each is recorded as a guard."""
    if isinstance(value, TracedCondition):
        return bool(value)
    if isinstance(value, TracedArray) and value.size and any(type(v) is TracedCondition for v in elements(value)):
        return np.array([bool(v) for v in elements(value)], dtype=bool).reshape(value.shape)
    return value


def _key(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(_key(k) for k in key)
    key = answers(key)
    if isinstance(key, TracedScalar):
        return key.__index__()
    if isinstance(key, TracedArray):
        if key.size == 0:
            return np.zeros(key.shape, dtype=int)
        values = plain(key, "an index")
        return values if values.dtype == bool else values.astype(int)
    if isinstance(key, list):
        return [_key(k) for k in key]
    return key


def elementwise(
    table: Table, rule: Callable[..., Any], inputs: Sequence[Any], values: Callable[..., Any] | None = None
) -> Any:
    """Apply a rule to broadcast elements; ``values`` computes the floats of all of them at once."""
    arrays = [lifted(v, table) for v in inputs]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    columns = [elements(a if a.shape == shape else np.broadcast_to(a, shape)) for a in arrays]
    if values is None:
        return new_array([rule(*row) for row in zip(*columns, strict=True)], shape)
    # the loop that the code runs, on arrays of the same shape
    floats = np.broadcast_to(values(*(shadows(wrap(a)) for a in arrays)), shape)
    rows = zip(*columns, floats.reshape(-1).tolist(), strict=True)
    return new_array([rule(*row) for row in rows], shape)


def _operation(table: Table, name: str) -> Callable[..., TracedScalar]:
    apply = table.apply

    def rule(*row: Any) -> TracedScalar:
        *operands, shadow = row
        indices = tuple(lift(v, table).index for v in operands)
        return TracedScalar(table, apply(name, indices, shadow), shadow)

    return rule


_DIRECT = UNARY | {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "divide": "divide",
    "hypot": "hypot",
    "arctan2": "atan2",
}
_COMPARE = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}
_EXTREMES = {"maximum": "max", "fmax": "max", "minimum": "min", "fmin": "min"}
_STEPS = {"floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "rint"}
_TESTS = {"isfinite", "isnan", "isinf", "signbit"}


def _truth(value: Any) -> Any:
    return value if type(value) is TracedCondition else value != 0 if type(value) is TracedScalar else np.bool_(value)


def _apply(table: Table, name: str, ufunc: Any, inputs: Sequence[Any]) -> Any:
    if name in _DIRECT:
        return elementwise(table, _operation(table, _DIRECT[name]), inputs, ufunc)
    if name in _COMPARE:
        return _booleans(elementwise(table, lambda a, b: compare(name, lift(a, table), b), inputs))
    if name in _EXTREMES:
        chosen, spreads = _EXTREMES[name], name[0] != "f"
        return elementwise(table, lambda a, b: extreme(chosen, lift(a, table), lift(b, table), spreads=spreads), inputs)
    if name in _STEPS:
        step = _STEPS[name]
        return elementwise(table, lambda a: getattr(lift(a, table), step)(), inputs)
    if name in COMPOSED:
        rule = COMPOSED[name]
        return elementwise(table, lambda *row: rule(*(lift(v, table) for v in row)), inputs)
    if name in _TESTS:
        return ufunc(*(tested(v, table) for v in inputs))
    if name in LOGICAL:
        logic = LOGICAL[name]
        arrays = [np.asarray(v, dtype=object) if not isinstance(v, _TRACED) else lifted(v, table) for v in inputs]
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        columns = [elements(np.broadcast_to(a, shape)) for a in arrays]
        # conditions first, in either order the same: a truth value of NumPy would ask them for numbers
        rows = [
            sorted(map(_truth, row), key=lambda v: type(v) is not TracedCondition) for row in zip(*columns, strict=True)
        ]
        return _booleans(new_array([logic(*row) for row in rows], shape))
    if not hasattr(np, ufunc.__name__):
        return Above.special(table, ufunc)(*inputs)
    if not any(is_moving(v) for v in inputs):
        return table_constants(ufunc(*(shadows(v) for v in inputs)), table)
    raise refuse(
        f"{name} of a traced value",
        "there is no such operation in the table",
        "write it with elementary functions, or leave it out of what is traced",
    )


def tested(value: Any, table: Table) -> Any:
    """Return the floats of which code asks whether they are finite; refuse what may be undefined at the point alone."""
    for number in elements(lifted(value, table)) if contains_traced(value) else ():
        if isinstance(number, TracedScalar) and not math.isfinite(number.shadow) and table.is_pole(number.index):
            raise refuse(
                "a test for nan or infinity",
                "the number may be undefined at this point alone",
                "check beside it, or write the limit",
            )
    return shadows(value)


def table_constants(value: Any, table: Table) -> Any:
    """Return what untraced code computed from constants as constants."""
    if isinstance(value, tuple):
        return tuple(table_constants(v, table) for v in value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        array = lifted(value, table)
        return wrap(array) if array.ndim else array[()]
    return scalar(table, float(value)) if isinstance(value, float) else value


def _booleans(value: Any) -> Any:
    """Decided truth values are a plain array."""
    if isinstance(value, TracedArray) and all(isinstance(v, bool | np.bool_) for v in elements(value)):
        return np.array(elements(value), dtype=bool).reshape(value.shape)
    return value


def call_ufunc(table: Table, ufunc: Any, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """Do what a universal function does, on traced numbers."""
    if is_complex(inputs):
        return complex_ufunc(ufunc, method, inputs, options)
    name = "power" if ufunc.__name__ == "pow" else "divide" if ufunc.__name__ == "true_divide" else ufunc.__name__
    if method != "__call__":
        return Above.call_ufunc_method(table, ufunc, method, inputs, options)
    if name in ("matmul", "vecdot", "matvec", "vecmat"):
        result = Above.call_function(table, ufunc, inputs, {"axis": options["axis"]} if "axis" in options else {})
    elif name == "divmod":
        return (np.floor_divide(*inputs), np.remainder(*inputs))
    else:
        result = _apply(table, name, ufunc, inputs)
    out = options.get("out")
    where = options.get("where", True)
    out = out[0] if isinstance(out, tuple) else out
    out = None if out is Ellipsis else out
    if where is not True:
        if out is None and not np.all(where):
            raise refuse(f"{name}(where=...) without out=", "the other elements are undefined", "pass out=")
        result = result if out is None else Above.call_function(table, np.where, (where, result, out), {})
    dtype = options.get("dtype")
    if dtype is not None and contains_traced(result):
        result = result.astype(dtype)
    if out is None:
        return result
    store(out, result)
    return out


def store(out: Any, result: Any) -> None:
    """Write a result into an array of the code."""
    if not isinstance(out, TracedArray):
        if contains_traced(result) and out.dtype != object:
            raise refuse(
                "a traced value is written into an array of floats",
                "the array was made where the trace does not see it",
                "make the array inside the function, with numpy",
            )
        out[...] = result
        return
    out[...] = result


Above.wrap, Above.call_ufunc = wrap, call_ufunc
