"""What traced code sees in place of numpy, math, scipy.special, and some of Python's built-in functions."""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from diffcompare.tracing import linear
from diffcompare.tracing.array import (
    TracedArray,
    answers,
    call_ufunc,
    contains_traced,
    elements,
    elementwise,
    is_moving,
    lifted,
    new_array,
    plain,
    shadows,
    table_constants,
    wrap,
)
from diffcompare.tracing.complex_numbers import Complex, complex_array
from diffcompare.tracing.dialect import COPIED, Dialect, Kind, kind_of, own_type
from diffcompare.tracing.functions import call_function, knows
from diffcompare.tracing.refusals import active_table, refuse, refuse_function
from diffcompare.tracing.scalar import (
    UNARY,
    TracedCondition,
    TracedScalar,
    extreme,
    is_number,
    lift,
    scalar,
)
from diffcompare.tracing.scipy_substitutes import linear_algebra_function, special_function
from diffcompare.tracing.special import traced_special
from diffcompare.tracing.table import Table

__all__ = ["MATH", "SCALARS", "print_nothing"]


def _array(
    table: Table, name: str, value: Any, dtype: Any = None, *_: Any, copy: Any = None, ndmin: int = 0, **__: Any
) -> Any:
    found = complex_array(value, dtype, real=lambda v: wrap(lifted(v, table).copy()), traced=contains_traced)
    if found is not None:
        return found
    if isinstance(value, TracedArray):
        result: Any = value.copy() if (name in COPIED or copy) and copy is not False else value
    elif contains_traced(value):
        result = wrap(lifted(value, table))
    else:
        result = np.array(value, dtype=dtype, ndmin=ndmin)
        return wrap(lifted(result, table)) if result.dtype.kind == "f" and result.dtype.itemsize == 8 else result
    kind = own_type(dtype)
    if kind is not None and kind is not object and np.dtype(kind) != np.float64:
        result = result.astype(kind)
    while result.ndim < ndmin:
        result = result[None]
    return result


def _buffer(table: Table, function: Any, *args: Any, **kwargs: Any) -> Any:
    args = tuple(shadows(own_type(a)) if contains_traced(a) else own_type(a) for a in args)
    if function is np.full and len(args) > 1 and contains_traced(args[1]):
        return wrap(np.broadcast_to(lifted(args[1], table), args[0]).copy())
    kwargs = {k: own_type(v) for k, v in kwargs.items()}
    fill = args[1] if function is np.full and len(args) > 1 else kwargs.get("fill_value")
    if contains_traced(fill):
        shape = args[0] if args else kwargs["shape"]
        return wrap(np.broadcast_to(lifted(fill, table), shape).copy())
    made = np.zeros(*args, **kwargs) if function is np.empty else function(*args, **kwargs)
    if made.dtype.kind == "c":
        return Complex(*(wrap(lifted(part, table)) for part in (made.real, made.imag)))
    return wrap(lifted(made, table)) if made.dtype.kind == "f" else made


def vectorized(pyfunc: Any, *_: Any, **__: Any) -> Any:
    """Return a loop over broadcast elements."""

    def loop(*args: Any) -> Any:
        return elementwise(active_table(), pyfunc, args)

    return loop


class _FloatKind(Kind):
    def __instancecheck__(cls, value: Any) -> bool:  # noqa: N805 - a metaclass
        return isinstance(value, cls.own_type) or type(value) is TracedScalar

    def __call__(cls, value: Any = 0.0, *args: Any) -> Any:  # noqa: N805 - a metaclass
        if isinstance(value, TracedArray) and value.size == 1:
            value = value.item()
        if isinstance(value, TracedScalar | TracedCondition | TracedArray):
            value = value.number() if isinstance(value, TracedCondition) else value
            return value if cls.own_type is float else value.astype(cls.own_type)
        made = cls.own_type(value, *args)
        return table_constants(made, active_table()) if cls.own_type in (float, np.float64) else made


class _IntegerKind(Kind):
    def __call__(cls, value: Any = 0, *args: Any) -> Any:  # noqa: N805 - a metaclass
        if isinstance(value, TracedArray | TracedCondition | TracedScalar):
            value = plain(answers(value), f"{cls.own_type.__name__}()")
        return cls.own_type(value, *args)


MATH = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "fabs": "absolute",
    "pow": "power",
    "atan2": "arctan2",
    "radians": "radians",
    "degrees": "degrees",
    "copysign": "copysign",
    "fmod": "fmod",
    "hypot": "hypot",
    "isnan": "isnan",
    "isinf": "isinf",
    "isfinite": "isfinite",
} | {name: name for name in UNARY if hasattr(math, name)}


_SPECIAL = ("erf", "erfc", "gamma", "lgamma")


def math_function(table: Table, function: Any) -> Any:
    """Return what stands for a function of ``math``."""
    name = getattr(function, "__name__", "")
    own: Any = function
    if not callable(function) or getattr(math, name, None) is not function:
        return function

    def substitute(*args: Any, **kwargs: Any) -> Any:
        if name in _MANY:
            # generators, too, are read once
            args = tuple(map(list, args))
        args = tuple(a.item() if isinstance(a, TracedArray) and a.size == 1 else a for a in args)
        if not contains_traced(args):
            if table.exact and name in MATH and len(args) == 1 and is_number(args[0]) and name not in ("isnan", "fabs"):
                args = (lift(args[0], table),)
            else:
                return table_constants(own(*args, **kwargs), table)
        if name in ("isclose",):
            return bool(abs(args[0] - args[1]) <= kwargs.get("abs_tol", 0) + kwargs.get("rel_tol", 1e-9) * abs(args[1]))
        # a domain error is raised as math does
        values = shadows(list(args))
        checked: Any = own(*values, **kwargs)
        if name == "log" and len(args) == 2:
            return np.log(lift(args[0], table)) / np.log(lift(args[1], table))
        if name in ("floor", "ceil", "trunc"):
            return int(checked) if not is_moving(args) else int(getattr(lift(args[0], table), name)().shadow)
        if name in ("fsum", "sumprod", "prod", "dist"):
            return _MANY[name](table, *args)
        if name == "hypot" and len(args) != 2:
            return np.linalg.norm(list(args))
        if name in _SPECIAL:
            return traced_special(table, name, own, args)
        if name in MATH:
            return getattr(np, MATH[name])(*(lift(a, table) for a in args))
        if not is_moving(args):
            return table_constants(checked, table)
        raise refuse_function(f"math.{name}")

    substitute.__name__ = name
    return substitute


_MANY: dict[str, Callable[..., Any]] = {
    "fsum": lambda t, x: linear.total(t, x),
    "sumprod": lambda t, p, q: linear.contract(t, [lifted(p, t), lifted(q, t)]),
    "prod": lambda t, x: call_function(t, np.prod, (x,), {}),
    "dist": lambda t, p, q: np.linalg.norm(wrap(lifted(p, t)) - wrap(lifted(q, t))),
}


def _largest(name: str) -> Callable[..., Any]:
    own, operation = getattr(builtins, name), name

    def substitute(*args: Any, **kwargs: Any) -> Any:
        table = active_table()
        values = list(args[0]) if len(args) == 1 else list(args)
        numbers = all(isinstance(v, TracedScalar) or is_number(v) for v in values)
        if table.region and numbers and not kwargs and values and is_moving(values):
            first = lift(values[0], table)
            return functools.reduce(lambda p, q: extreme(operation, p, lift(q, table)), values[1:], first)
        return own(values, **kwargs)

    return substitute


def _sorted(values: Any, **kwargs: Any) -> Any:
    values = list(values)
    if active_table().region and is_moving(values):
        raise refuse(
            "sorted of traced values", "sorting by value changes with the point", "leave it out of what is traced"
        )
    return sorted(values, **kwargs)


def print_nothing(*_: Any, **__: Any) -> None:
    """Stand for ``print``: a trace is not what the user runs."""
    return


def _sum(values: Any, start: Any = 0) -> Any:
    result = start
    for value in values:
        result = result + value
    return result


_BUILTINS: Mapping[str, Any] = {
    "float": kind_of(_FloatKind, float),
    "int": kind_of(_IntegerKind, int),
    "bool": kind_of(_IntegerKind, bool),
    "max": _largest("max"),
    "min": _largest("min"),
    "sorted": _sorted,
    "print": print_nothing,
    "sum": _sum,
}


def _flat(table: Table, value: Any) -> list[Any]:
    return elements(lifted(value, table)) if contains_traced([value]) else list(np.asarray(value).reshape(-1))


def _gathered(table: Table, values: Sequence[Any], places: Any) -> Any:
    numbers = [number for value in values for number in _flat(table, value)]
    return _filled(table, [numbers[k] for k in np.reshape(places, -1).tolist()], np.shape(places))


def _scattered(table: Table, array: Any, places: Any, values: Any) -> Any:
    numbers = _flat(table, array)
    for place, value in zip(np.reshape(places, -1).tolist(), _flat(table, values), strict=True):
        numbers[place] = numbers[place] + value
    return _filled(table, numbers, np.shape(array))


def _filled(table: Table, numbers: Sequence[Any], shape: Sequence[int]) -> Any:
    if not contains_traced(list(numbers)):
        return np.array(numbers).reshape(shape)[()]
    return new_array(elements(lifted(np.array(numbers, dtype=object), table)), shape)


SCALARS = Dialect(
    number=lambda table, value: scalar(table, float(value)),
    array=lambda table, value: wrap(lifted(value, table)),
    constants=lambda table, value: table_constants(value, table),
    call_function=call_function,
    call_ufunc=call_ufunc,
    knows=knows,
    largest=400_000,
    exact=lambda table, value: lift(value, table) if is_number(value) else None,
    asarray=_array,
    buffer=_buffer,
    float_kind=_FloatKind,
    integer_kind=_IntegerKind,
    math=math_function,
    special=special_function,
    linear=linear_algebra_function,
    vectorized=vectorized,
    builtins=_BUILTINS,
    is_traced=contains_traced,
    is_moving=is_moving,
    plain=shadows,
    gathered=_gathered,
    scattered=_scattered,
)
