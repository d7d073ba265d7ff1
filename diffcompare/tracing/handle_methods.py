"""The methods that handles have of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffcompare.tracing.complex_numbers import is_complex_type, paired
from diffcompare.tracing.handle import Doors, Handle, made, plain_floats, stored
from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.registry import METHODS

__all__: list[str] = []

# floating-point types that a trace has
_KINDS = (np.float64, np.float32, np.float16)


def _method(name: str, function: Any) -> None:
    def method(self: Handle, *args: Any, **kwargs: Any) -> Any:
        return Doors.call_function(function, (self, *args), kwargs)

    method.__name__ = name
    setattr(Handle, name, method)


# those that move elements tell where they are
for _name in (*METHODS, "choose", "ravel", "repeat", "squeeze", "swapaxes", "take"):
    _method(_name, getattr(np, _name))


def _reshape(self: Handle, *shape: Any, order: str = "C", **_: Any) -> Any:
    wanted = shape[0] if len(shape) == 1 else shape
    return Doors.call_function(np.reshape, (self, wanted), {"order": order})


def _transpose(self: Handle, *axes: Any) -> Any:
    chosen = None if not axes else axes[0] if len(axes) == 1 else axes
    return Doors.call_function(np.transpose, (self, chosen), {})


def _flatten(self: Handle, order: str = "C") -> Any:
    return Doors.call_function(np.ravel, (self,), {"order": order}).copy()


def _compress(self: Handle, condition: Any, axis: Any = None, **_: Any) -> Any:
    return Doors.call_function(np.compress, (condition, self), {"axis": axis})


def _in_place(operation: Any) -> Any:
    def method(self: Handle, other: Any) -> Any:
        # a number is not changed: other names may stand for it
        return operation(self, other, out=(self,)) if self.ndim else operation(self, other)

    return method


def _astype(self: Handle, dtype: Any, *_: Any, copy: bool = True, **__: Any) -> Any:
    if is_complex_type(dtype):
        return paired(self.copy(), None)
    kind = np.dtype(getattr(dtype, "own_type", dtype))
    if kind == self.dtype and not copy:
        return self
    if kind.kind == "O":
        return self.copy()
    if kind.kind == "b":
        return np.not_equal(self, 0.0)
    if kind.kind in "iu":
        return plain_floats(self, "astype(int)").astype(kind)
    if kind.kind == "f":
        return stored(self.table, self.node, self.floats.astype(kind if kind.type in _KINDS else np.float64))
    raise refuse(f"astype({kind})", "only real numbers are traced", "write it with real numbers")


def _view(self: Handle, *kind: Any, **other: Any) -> Any:
    if other or not (
        not kind or kind == (np.ndarray,) or np.dtype(getattr(kind[0], "own_type", kind[0])) == self.dtype
    ):
        raise refuse("view() with another type", "a trace has no bytes", "use astype")
    return self[...]


def _put(self: Handle, places: Any, values: Any, mode: str = "raise") -> None:
    Doors.call_function(np.put, (self, places, values), {"mode": mode})


def _set_shape(self: Handle, shape: Any) -> None:
    floats = self.floats.reshape(shape)
    if floats.size and not np.may_share_memory(floats, self.floats):
        raise AttributeError(
            "Incompatible shape for in-place modification. Use `.reshape()` to make a copy with the desired shape."
        )
    np.ndarray.shape.__set__(self, floats.shape)  # type: ignore[attr-defined]
    self.places, self.floats = self.places.reshape(shape), floats


def _unknown(name: str) -> Any:
    def method(*_: Any, **__: Any) -> None:
        raise refuse(f"{name}() of a traced array", "it is not known to the trace", "use a function of NumPy that is")

    return method


def _round(self: Handle, digits: int | None = None) -> Any:
    if self.moving and not digits:
        return np.rint(self)
    value = round(float(plain_floats(self, "round()")), digits)
    return made(self.table, value) if isinstance(value, float) else value


def _set_flat(self: Handle, value: Any) -> None:
    self[...] = np.resize(value, self.shape)


def _sort(self: Handle, axis: int = -1, **_: Any) -> None:
    self[...] = np.sort(self, axis=axis)


def _partition(self: Handle, kth: Any, axis: int = -1, **_: Any) -> None:
    self[...] = np.partition(self, kth, axis=axis)


for _name, _function in {
    "reshape": _reshape, "transpose": _transpose, "flatten": _flatten, "astype": _astype, "sort": _sort,
        "partition": _partition, "compress": _compress,
    "view": _view, "put": _put, "__round__": _round,
    "is_integer": lambda self: float(plain_floats(self, "is_integer()")).is_integer(),
    **{name: _unknown(name) for name in ("resize", "setfield", "byteswap", "setflags",
        "tofile", "dump", "dumps")},
    "__iadd__": _in_place(np.add), "__isub__": _in_place(np.subtract), "__imul__": _in_place(np.multiply),
    "__itruediv__": _in_place(np.divide), "__ifloordiv__": _in_place(np.floor_divide),
        "__imod__": _in_place(np.remainder),
    "__ipow__": _in_place(np.power), "__imatmul__": _in_place(np.matmul),
    "conj": lambda self: self, "conjugate": lambda self: self,
}.items():  # fmt: skip
    setattr(Handle, _name, _function)
for _name, _property in {
    "T": property(lambda self: self.transpose()),
    "mT": property(lambda self: self.swapaxes(-1, -2)),
    "real": property(lambda self: self),
    "imag": property(lambda self: np.zeros(self.shape)),
    "strides": property(lambda self: self.floats.strides),
    "flat": property(lambda self: self.reshape(-1), _set_flat),
    "flags": property(lambda self: self.floats.flags),
    "shape": property(np.ndarray.shape.__get__, _set_shape),
}.items():
    setattr(Handle, _name, _property)
