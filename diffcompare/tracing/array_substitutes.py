"""What code sees in place of numpy, math, scipy and Python's own functions where it is traced as arrays."""

from __future__ import annotations

import builtins
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from diffcompare.tracing.array_functions import HANDLERS, call_function, constants, knows, with_floats
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.array_ufuncs import call_ufunc, choose, compared, of_table, table_here
from diffcompare.tracing.complex_numbers import Complex, complex_array
from diffcompare.tracing.dialect import COPIED, Dialect, Kind, kind_of, own_type
from diffcompare.tracing.handle import Doors, Handle, floats_of, has_handles, is_moving, made, plain_floats, stored
from diffcompare.tracing.refusals import refuse_function, refuse_ufunc
from diffcompare.tracing.scalar import UNARY
from diffcompare.tracing.scipy_substitutes import HINTS, is_exact, linear_algebra, linear_rule
from diffcompare.tracing.special import TRACED
from diffcompare.tracing.special_formulas import FORMULAS, LONG, Numbers
from diffcompare.tracing.substitutes import MATH, print_nothing

__all__ = ["ARRAYS"]


def _array(
    table: ArrayTable, name: str, value: Any, dtype: Any = None, *_: Any, copy: Any = None, ndmin: int = 0, **__: Any
) -> Any:
    found = complex_array(value, dtype, real=lambda v: made(table, v).copy(), traced=has_handles)
    if found is not None:
        return found
    if has_handles(value):
        result: Any = made(table, value)
        if isinstance(value, Handle) and (name in COPIED or copy) and copy is not False:
            result = result.copy()
        kind = own_type(dtype)
        if kind is not None and kind is not object and np.dtype(kind) != np.float64:
            result = result.astype(kind)
    else:
        held = np.array(value, dtype=own_type(dtype))
        result = made(table, held) if held.dtype.kind == "f" else held
    while result.ndim < ndmin:
        result = result[None]
    return result


def _buffer(table: ArrayTable, function: Any, *args: Any, **kwargs: Any) -> Any:
    kwargs = {k: own_type(v) for k, v in kwargs.items() if k != "like"}
    if function is np.full:
        shape, fill = args[0] if args else kwargs["shape"], args[1] if len(args) > 1 else kwargs.get("fill_value")
        if has_handles(fill):
            return np.broadcast_to(made(table, fill), floats_of(shape)).copy()
    args = tuple(floats_of(own_type(a)) for a in args)
    found = np.zeros(*args, **kwargs) if function is np.empty else function(*args, **kwargs)
    if found.dtype.kind == "c":
        return Complex(*(made(table, part.copy()) for part in (found.real, found.imag)))
    return made(table, found) if found.dtype.kind == "f" else found


def _vectorized(pyfunc: Any, *_: Any, **__: Any) -> Any:
    """Return a loop over broadcast elements."""

    def loop(*args: Any) -> Any:
        table = table_here()
        spread = np.broadcast_arrays(*(made(table, a) for a in args))
        rows = zip(*(a.reshape(-1) for a in spread), strict=True)
        return np.stack([made(table, pyfunc(*row)) for row in rows]).reshape(spread[0].shape)

    return loop


class _FloatKind(Kind):
    def __instancecheck__(cls, value: Any) -> bool:  # noqa: N805 - a metaclass
        return isinstance(value, cls.own_type) or (isinstance(value, Handle) and not value.ndim)

    def __call__(cls, value: Any = 0.0, *args: Any) -> Any:  # noqa: N805 - a metaclass
        if isinstance(value, Handle) and (value.size == 1 or cls.own_type is not float):
            number = value.reshape(()).copy() if value.size == 1 else value
            return number if cls.own_type in (float, np.float64) else number.astype(cls.own_type)
        found = cls.own_type(value, *args)
        return made(table_here(), found) if cls.own_type in (float, np.float64) else found


class _IntegerKind(Kind):
    def __call__(cls, value: Any = 0, *args: Any) -> Any:  # noqa: N805 - a metaclass
        if isinstance(value, Handle):
            value = bool(value) if cls.own_type is bool else plain_floats(value, f"{cls.own_type.__name__}()")
        return cls.own_type(value, *args)


def _math_function(table: ArrayTable, function: Any) -> Any:
    """Return what stands for a function of ``math``."""
    name, own = getattr(function, "__name__", ""), function
    if not callable(function) or getattr(math, name, None) is not function:
        return function

    def substitute(*args: Any, **kwargs: Any) -> Any:
        args = tuple(list(a) if name in _MANY and not isinstance(a, Handle | float | int) else a for a in args)
        if not has_handles(args) and (name not in MATH or len(args) != 1 or name in ("isnan", "fabs")):
            return constants(table, own(*args, **kwargs))
        numbers = [a if isinstance(a, list) or np.size(a) != 1 else made(table, a).reshape(()) for a in args]
        # a domain error is raised as math does
        checked = own(
            *(float(n.floats) if isinstance(n, Handle) and not n.ndim else floats_of(n) for n in numbers), **kwargs
        )
        if not is_moving(args) and name == "isclose":
            return constants(table, checked)
        if name == "log" and len(args) == 2:
            return np.log(numbers[0]) / np.log(numbers[1])
        if name in ("floor", "ceil", "trunc"):
            return int(plain_floats(getattr(np, name)(numbers[0]), name))
        if name in _MANY and not (name == "hypot" and len(args) == 2):
            return stored(table, _MANY[name](*args).node, np.asarray(checked))
        if name in ("erf", "erfc", "gamma", "lgamma"):
            return of_table(TRACED.get(name, name), checked, *numbers)
        if name in MATH:
            return getattr(np, MATH[name])(*numbers)
        if not is_moving(args):
            return made(table, plain_floats(made(table, checked), name))
        raise refuse_function(f"math.{name}")

    substitute.__name__ = name
    return substitute


_MANY: dict[str, Callable[..., Any]] = {
    "fsum": lambda x: np.sum(made(table_here(), x)),
    "sumprod": lambda p, q: np.dot(made(table_here(), p), made(table_here(), q)),
    "prod": lambda x: np.prod(made(table_here(), x)),
    "dist": lambda p, q: np.linalg.norm(made(table_here(), p) - made(table_here(), q)),
    "hypot": lambda *x: np.linalg.norm(made(table_here(), list(x))),
}


_LINEAR = linear_algebra(floats_of)


def _linear_function(table: ArrayTable, function: Any) -> Any:
    """Return what stands for a function of ``scipy.linalg``; None for one whose own code is traced."""
    name = getattr(function, "__name__", "")
    rule: Any = linear_rule(_LINEAR, function)
    if rule is None:
        return _special_function(table, function)

    def substitute(*args: Any, **kwargs: Any) -> Any:
        kept = table.whole(function, args, kwargs)
        if kept is not None:
            return kept
        moving = is_moving(list(args)) or is_moving(kwargs)
        if (has_handles(args) or has_handles(kwargs)) and is_exact(function, moving=moving):
            found = rule(*args, **{k: v for k, v in kwargs.items() if k not in HINTS})
            # half of what cho_factor returns is left over from the matrix
            own = name != "cho_factor"
            return with_floats(table, found, function(*floats_of(args), **floats_of(kwargs))) if own else found
        return constants(table, function(*floats_of(args), **floats_of(kwargs)))

    return substitute


def _special_function(table: ArrayTable, function: Any) -> Any:
    """Return what stands for a function of ``scipy.special``; None for one whose own code is traced."""
    name = getattr(function, "__name__", "")
    rule: Any = _SPECIAL.get(name)
    if rule is None and name in FORMULAS:
        rule = partial(FORMULAS[name], Numbers(lambda value: made(table, value), floats_of))
    if rule is None and name not in TRACED and function not in HANDLERS and isinstance(function, FunctionType):
        return None

    def substitute(*args: Any, **kwargs: Any) -> Any:
        if not (has_handles(args) or has_handles(kwargs)):
            return constants(table, function(*args, **kwargs))
        kept = table.whole(function, args, kwargs)
        if kept is not None:
            return kept
        if rule is not None and (name not in LONG or is_moving(args)):
            found = rule(*args, **kwargs)
            floats = function(*floats_of(args), **floats_of(kwargs))
            if isinstance(found, tuple):
                return tuple(stored(table, part.node, np.array(f)) for part, f in zip(found, floats, strict=True))
            return stored(table, found.node, np.array(np.real(floats)))
        if name in TRACED and not kwargs:
            return of_table(TRACED[name], function(*map(floats_of, args)), *args)
        if name in UNARY and not kwargs:
            return stored(table, getattr(np, name)(*args).node, np.array(function(*map(floats_of, args))))
        if function in HANDLERS:
            return call_function(function, args, kwargs)
        if not is_moving(list(args)) and not is_moving(kwargs):
            return constants(table, function(*map(floats_of, args), **floats_of(kwargs)))
        raise refuse_ufunc(function)

    substitute.__name__ = name
    return substitute


def _times_logarithm(logarithm: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def product(x: Any, y: Any) -> Any:
        return choose(compared("equal", x, 0.0), 0.0, x * logarithm(y))

    return product


def _shift(x: Any, axis: Any) -> Any:
    # any shift gives the same real function; one that is an exact number of the code costs nothing
    largest = np.max(floats_of(x), axis=axis, keepdims=True)
    return np.where(np.isfinite(largest), np.rint(largest), 0.0)


def _logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, **_: Any) -> Any:
    shift = _shift(a, axis)
    scaled = np.exp(a - shift) if b is None else b * np.exp(a - shift)
    result = np.log(np.sum(scaled, axis=axis, keepdims=True)) + shift
    return result if keepdims else np.squeeze(result, axis=axis)


def _softmax(x: Any, axis: Any = None) -> Any:
    e = np.exp(x - _shift(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_expit(x: Any) -> Any:
    # the same function, whichever way it is written
    return choose(np.asarray(floats_of(x)) >= 0, -np.log1p(np.exp(-x)), x - np.log1p(np.exp(x)))


def _together(*names: str) -> Callable[..., Any]:
    """Return several functions of the table, whose floats the caller has."""
    return lambda x: tuple(of_table(name, floats_of(x), x) for name in names)


def _lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:  # noqa: ARG001 - as SciPy has it
    # the real branches; what is complex there is refused by the domain
    return of_table("LambertW" if int(floats_of(k)) == 0 else "lambertw_lower", floats_of(z), z)


def _factorial(x: Any) -> Any:
    # scipy's is 0 left of 0
    return choose(compared("less", x, 0.0), 0.0, of_table("factorial", floats_of(x), x))


_SPECIAL: dict[str, Callable[..., Any]] = {
    "lambertw": _lambertw,
    "sici": _together("Si", "Ci"),
    "airy": _together("airyai", "airyaiprime", "airybi", "airybiprime"),
    "fresnel": _together("fresnels", "fresnelc"),
    "factorial": _factorial,
    "log_expit": _log_expit,
    "xlogy": _times_logarithm(np.log),
    "xlog1py": _times_logarithm(np.log1p),
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": lambda x, axis=None: x - _logsumexp(x, axis=axis, keepdims=True),
}


def _sorted(values: Any, **kwargs: Any) -> Any:
    return builtins.sorted(values, **kwargs)


def _sum(values: Any, start: Any = 0) -> Any:
    result = start
    for value in values:
        # the built-in sum starts with the integer 0
        result = value if type(result) is int and result == 0 else result + value
    return result


def _gathered(table: ArrayTable, values: Sequence[Any], places: Any) -> Handle:
    numbers = [made(table, v) for v in values]
    node = table.build.take(table.build.join([n.node for n in numbers]), np.asarray(places, dtype=np.intp))
    return stored(table, node, np.concatenate([n.floats.reshape(-1) for n in numbers])[places])


def _scattered(table: ArrayTable, array: Any, places: Any, values: Any) -> Any:
    added = made(table, values)
    floats = np.zeros(np.size(array), dtype=added.floats.dtype)
    np.add.at(floats, np.reshape(places, -1), added.floats.reshape(-1))
    node = table.build.scatter(added.node, np.asarray(places, dtype=np.intp), np.shape(array))
    return np.add(array, stored(table, node, floats.reshape(np.shape(array))))


ARRAYS = Dialect(
    number=made,
    array=made,
    constants=constants,
    largest=sys.maxsize,
    exact=made,
    call_function=lambda _, function, args, kwargs: call_function(function, args, kwargs),
    call_ufunc=lambda _, ufunc, method, inputs, options: call_ufunc(ufunc, method, inputs, options),
    knows=knows,
    asarray=_array,
    buffer=_buffer,
    float_kind=_FloatKind,
    integer_kind=_IntegerKind,
    math=_math_function,
    special=_special_function,
    linear=_linear_function,
    vectorized=_vectorized,
    builtins={
        "float": kind_of(_FloatKind, float),
        "int": kind_of(_IntegerKind, int),
        "bool": kind_of(_IntegerKind, bool),
        "sum": _sum,
        "sorted": _sorted,
        "print": print_nothing,
    },
    is_traced=has_handles,
    is_moving=is_moving,
    plain=floats_of,
    gathered=_gathered,
    scattered=_scattered,
)

Doors.special = _special_function
