"""A traced condition, in a trace where choices are nodes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from diffcompare.tracing.registry import Above
from diffcompare.tracing.table import Table

__all__ = ["TracedCondition"]


def _forward(function: Callable[[Any, Any], Any]) -> Any:
    return lambda self, other: function(self.number(), other)


def _backward(function: Callable[[Any, Any], Any]) -> Any:
    return lambda self, other: function(other, self.number())


class TracedCondition:
    """A condition that depends on the variables, in a trace where choices are nodes."""

    __slots__ = ("answer", "index", "table")

    def __init__(self, table: Table, index: int, answer: bool) -> None:
        self.table = table
        self.index = index
        self.answer = answer

    shape = ()
    ndim = 0
    size = 1
    dtype = np.dtype(np.bool_)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return self.number().__array_ufunc__(ufunc, method, *inputs, **options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.number().__array_function__(function, types, args, kwargs)

    def __bool__(self) -> bool:
        return self.table.guarded(self.index, self.answer)

    def number(self) -> Any:
        """Return 1 or 0."""
        return Above.number(self)

    def __neg__(self) -> Any:
        return -self.number()

    def _joined(self, operation: str, other: Any) -> Any:
        if type(other) is not TracedCondition:
            if not isinstance(other, bool | np.bool_):
                return NotImplemented
            return (self if other else other) if operation == "and" else (other if other else self)
        answer = (self.answer and other.answer) if operation == "and" else (self.answer or other.answer)
        return TracedCondition(
            self.table, self.table.apply(operation, (self.index, other.index), float(answer)), answer
        )

    def __and__(self, other: Any) -> Any:
        return self._joined("and", other)

    def __or__(self, other: Any) -> Any:
        return self._joined("or", other)

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> TracedCondition:
        return TracedCondition(
            self.table, self.table.apply("not", (self.index,), float(not self.answer)), not self.answer
        )

    def __xor__(self, other: Any) -> Any:
        return (self & ~other) | (~self & other) if type(other) is TracedCondition else (~self if other else self)

    logical_not = __invert__

    def astype(self, dtype: Any, **_: Any) -> Any:
        """Convert to 1 or 0, or leave it a condition."""
        return self if np.dtype(dtype).kind == "b" else self.number()

    def __int__(self) -> int:
        return int(bool(self))

    __index__ = __int__

    def __float__(self) -> float:
        return float(bool(self))

    def __hash__(self) -> int:
        return self.index

    __add__: Any = _forward(operator.add)
    __sub__: Any = _forward(operator.sub)
    __mul__: Any = _forward(operator.mul)
    __truediv__: Any = _forward(operator.truediv)
    __pow__: Any = _forward(operator.pow)
    __lt__: Any = _forward(operator.lt)
    __le__: Any = _forward(operator.le)
    __gt__: Any = _forward(operator.gt)
    __ge__: Any = _forward(operator.ge)
    __eq__: Any = _forward(operator.eq)
    __ne__: Any = _forward(operator.ne)
    __radd__: Any = _backward(operator.add)
    __rsub__: Any = _backward(operator.sub)
    __rmul__: Any = _backward(operator.mul)
    __rtruediv__: Any = _backward(operator.truediv)

    def _itself(self, *_: Any, **__: Any) -> TracedCondition:
        return self

    any = all = item = _itself
