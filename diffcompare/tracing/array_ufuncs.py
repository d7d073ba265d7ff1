"""NumPy's universal functions on handles: one node for an array."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.dag import Term
from diffcompare.program.operations import ANSWERS, INFIX
from diffcompare.program.special_functions import named_term
from diffcompare.program.zeros import zero_elements
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.complex_numbers import complex_ufunc, is_complex
from diffcompare.tracing.handle import Doors, Handle, floats_of, has_handles, is_moving, made, stored
from diffcompare.tracing.refusals import active_table, refuse
from diffcompare.tracing.scalar import UNARY
from diffcompare.tracing.ufunc_methods import by_method

__all__ = ["call_ufunc", "choose", "of_table", "store", "table_here"]

_BINARY = {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "divide": "divide",
    "arctan2": "atan2",
}
_DIRECT = {name: own for name, own in (UNARY | _BINARY).items() if name != "sqrt"}
_TESTS = {"isfinite", "isnan", "isinf", "signbit"}
_LOGICAL = {
    "logical_and",
    "logical_or",
    "logical_xor",
    "logical_not",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "invert",
}
# what Python's own numbers have operators for
_OPERATORS = {"positive", "absolute", "power", "floor_divide", "remainder"}
# exponents of one array that are written as whole powers, one by one
_POWERS = 16


def table_here() -> ArrayTable:
    """Return the table that is being written."""
    table: Any = active_table()
    return table  # type: ignore[no-any-return]


def applied(operation: str, floats: Any, *operands: Any, payload: int | None = None) -> Handle:
    """Apply an operation of the table to numbers."""
    table = table_here()
    numbers = [made(table, v) for v in operands]
    node = table.build.raw(operation, *(n.node for n in numbers), payload=payload)
    if operation in ("add", "subtract"):
        table.joined(node)
    found = stored(table, node, floats)
    # arithmetic on numbers of Python's gives such
    found.weak = operation in INFIX and all(n.weak for n in numbers)
    return found


def compared(operation: str, one: Any, two: Any) -> Any:
    """Compare: truth values at once, and what was decided is noted."""
    table = table_here()
    first, second = (made(table, v) for v in (one, two))
    answers = table.decided(operation, (first.node, second.node), (first.floats, second.floats))
    return answers if answers.shape or type(answers) is not np.ndarray else np.bool_(answers)


def choose(mask: Any, one: Any, two: Any, *, bound: bool = False) -> Handle:
    """Choose between numbers, element by element, by plain truth values."""
    table = table_here()
    first, second = (made(table, v) for v in (one, two))
    mask = np.asarray(mask, dtype=bool)
    node = table.build.choose(mask, first.node, second.node, bound=bound)
    return stored(table, node, np.where(mask, floats_of(first), floats_of(second)))


def _extreme(operation: str) -> Callable[..., Handle]:
    comparison = "greater_equal" if operation == "max" else "less_equal"

    def extreme(one: Any, two: Any) -> Handle:
        return choose(compared(comparison, one, two), one, two, bound=True)

    return extreme


def _absolute(x: Any) -> Handle:
    return choose(compared("greater_equal", x, 0.0), x, np.negative(x))


def _sign(x: Any) -> Any:
    up, down = compared("greater", x, 0.0), compared("less", x, 0.0)
    return made(table_here(), np.where(np.isnan(floats_of(x)), np.nan, up * 1.0 - down * 1.0))


def _on_its_side(value: Any, x: Any, function: Any = np.floor) -> Any:
    """Return x rounded: its floats, or one step away where x is taken to lie on the other side of it."""
    below = value - {np.floor: 0.0, np.ceil: 1.0, np.rint: 0.5}[function]
    reached = compared("greater" if function is np.ceil else "greater_equal", x, below)
    kept = compared("less" if function is np.floor else "less_equal", x, below + 1)
    return value - np.logical_not(reached) + np.logical_not(kept)


def _step(floats: Callable[..., Any]) -> Callable[..., Any]:
    def step(x: Any) -> Any:
        value = np.asarray(floats(floats_of(x)))
        if is_moving(x):
            value = _on_its_side(value, x, floats)
        return made(table_here(), value)

    return step


def _trunc(x: Any) -> Any:
    return choose(np.asarray(floats_of(x)) >= 0, np.floor(x), np.ceil(x))


def _power(base: Any, exponent: Any) -> Handle:
    table = table_here()
    x, p = made(table, base), made(table, exponent)
    with np.errstate(all="ignore"):
        floats = np.power(floats_of(base), floats_of(exponent))
    values = np.unique(p.floats)
    if not p.moving and values.size <= _POWERS and all(abs(e) <= 1000 and (e == int(e) or e == 0.5) for e in values):
        result = None
        for e in values.tolist():
            node = (
                x.node if e == 1 else _root_node(x) if e == 0.5
                else table.build.raw("integer_power", x.node, payload=int(e))
            )  # fmt: skip
            result = node if result is None else table.build.choose(p.floats == e, node, result)
        return stored(table, table.build.broadcast(result or 0, floats.shape), floats)
    if not p.moving and x.shape == floats.shape and (p.floats > 0).all():
        return stored(table, _raised(x, lambda base: table.build.raw("power", base, p.node)), floats)
    return applied("power", floats, x, p)


def _root(x: Any) -> Handle:
    own = made(table_here(), x)
    return stored(own.table, _root_node(own), np.sqrt(own.floats))


def _root_node(x: Handle) -> int:
    return _raised(x, lambda base: x.table.build.raw("sqrt", base))


def _hypot(x: Any, y: Any) -> Handle:
    table, floats = table_here(), np.hypot(floats_of(x), floats_of(y))
    one, two = (made(table, np.broadcast_to(v, floats.shape)) for v in (x, y))
    return stored(table, _raised(one, lambda base: table.build.raw("hypot", base, two.node), two), floats)


def _raised(x: Handle, power: Callable[[int], int], *others: Handle) -> int:
    """Take a power; that of what is always 0, as the distance of a point from itself, is that, and has no corner."""
    build = x.table.build
    zero = (x.floats == 0) & any(one.moving for one in (x, *others))
    for one in (x, *others):
        if zero.any():
            zero = zero & zero_elements(build, one.node, x.table.zeros)
    if not zero.any():
        return power(x.node)
    return build.choose(zero, x.node, power(build.choose(zero, build.constant(1.0), x.node)))


def _half_turn() -> Any:
    return made(table_here(), float(np.pi)) / 180


def _log_add(a: Any, b: Any) -> Any:
    first = compared("greater_equal", a, b)
    larger, smaller = choose(first, a, b), choose(first, b, a)
    return larger + np.log1p(np.exp(smaller - larger))


def _heaviside(x: Any, half: Any) -> Any:
    found = choose(compared("greater", x, 0.0), 1.0, choose(compared("less", x, 0.0), 0.0, half))
    undefined = np.isnan(floats_of(x))
    return choose(undefined, x, found) if undefined.any() else found


def _floor_divide(a: Any, b: Any) -> Any:
    # the floor of the rounded quotient may be another
    value = np.asarray(np.floor_divide(floats_of(a), floats_of(b)))
    if is_moving([a, b]):
        value = _on_its_side(value, np.divide(a, b))
    return made(table_here(), value)


COMPOSED: dict[str, Callable[..., Any]] = {
    "positive": lambda x: x,
    "conjugate": lambda x: x,
    "absolute": _absolute,
    "fabs": _absolute,
    "sign": _sign,
    "maximum": _extreme("max"),
    "fmax": _extreme("max"),
    "minimum": _extreme("min"),
    "fmin": _extreme("min"),
    "floor": _step(np.floor),
    "ceil": _step(np.ceil),
    "rint": _step(np.rint),
    "trunc": _trunc,
    "square": lambda x: _power(x, 2.0),
    "sqrt": _root,
    "hypot": _hypot,
    "reciprocal": lambda x: np.divide(1.0, x),
    "power": _power,
    "float_power": _power,
    "deg2rad": lambda x: x * _half_turn(),
    "radians": lambda x: x * _half_turn(),
    "rad2deg": lambda x: x / _half_turn(),
    "degrees": lambda x: x / _half_turn(),
    "logaddexp": _log_add,
    "logaddexp2": lambda a, b: np.log2(np.exp2(a) + np.exp2(b)),
    "heaviside": _heaviside,
    "copysign": lambda x, y: choose(compared("greater_equal", y, 0.0), np.abs(x), -np.abs(x)),
    "floor_divide": _floor_divide,
    "remainder": lambda a, b: a - b * _floor_divide(a, b),
    "fmod": lambda a, b: a - b * np.trunc(np.divide(a, b)),
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    # x**0 in NumPy before 2.2
    "_ones_like": np.ones_like,
}


def of_table(name: str, floats: Any, *operands: Any) -> Handle:
    """Apply a special function of the table; operands that do not move are exact numbers."""
    table = table_here()
    build = table.build
    terms = []
    for value in operands:
        number = made(table, value)
        exact = not number.moving and not number.ndim
        node = build.constant(Fraction(float(number.floats))) if exact else number.node
        terms.append(Term(build, node))  # type: ignore[arg-type]
    try:
        return stored(table, named_term(name, terms).index, floats)
    except UnsupportedFunction as error:
        raise refuse(f"{name} of traced values", str(error), "use another function") from None


def _called(ufunc: Any, name: str, inputs: Sequence[Any]) -> Any:
    kept = table_here().whole(ufunc, inputs, {})
    if kept is not None:
        return kept
    if name in _DIRECT:
        return applied(_DIRECT[name], ufunc(*map(floats_of, inputs)), *inputs)
    if name in ANSWERS:
        return compared(name, *inputs)
    if name in COMPOSED:
        found = COMPOSED[name](*inputs)
        if is_moving(list(inputs)) and not is_moving(found):
            # a step: the number of the side that is followed, which may not be the floats'
            return found
        with np.errstate(all="ignore"):
            floats = ufunc(*map(floats_of, inputs))
        # the same numbers, rounded as NumPy rounds them
        found = stored(found.table, found.table.build.broadcast(found.node, np.shape(floats)), floats)
        found.weak = name in _OPERATORS and all(made(found.table, v).weak for v in inputs)
        return found
    if name in _TESTS:
        for v in inputs:
            if isinstance(v, Handle) and is_moving(v) and not np.isfinite(v.floats).all():
                v.table.undefined.append((v.node, np.isfinite(v.floats)))
        return ufunc(*map(floats_of, inputs))
    if name in _LOGICAL:
        return ufunc(*(np.not_equal(v, 0.0) if isinstance(v, Handle) else v for v in inputs))
    if not hasattr(np, ufunc.__name__):
        # SciPy's, called by code of a library that is run as it is
        return Doors.special(table_here(), ufunc)(*inputs)
    if not is_moving(list(inputs)):
        found = ufunc(*map(floats_of, inputs))
        return tuple(made(table_here(), f) for f in found) if isinstance(found, tuple) else made(table_here(), found)
    raise refuse(
        f"{name} of a traced value",
        "there is no such operation in the table",
        "write it with elementary functions, or leave it out of what is traced",
    )


_PRODUCTS = {"matmul", "vecdot", "matvec", "vecmat"}


def call_ufunc(ufunc: Any, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """Do what a universal function does, on handles."""
    if is_complex(inputs):
        return complex_ufunc(ufunc, method, inputs, options)
    name = "power" if ufunc.__name__ == "pow" else "divide" if ufunc.__name__ == "true_divide" else ufunc.__name__
    if method != "__call__":
        if method == "at" and isinstance(inputs[0], Handle):
            return _at(ufunc, name, *inputs)
        return by_method(ufunc, method, inputs, options, lambda value: made(table_here(), value))
    if name in _PRODUCTS:
        if "axes" in options:
            raise refuse(f"{name} with axes=", "it is not known to the trace", "move the axes before")
        axis = {"axis": options["axis"]} if "axis" in options else {}
        result = Doors.call_function(ufunc, [made(table_here(), v) for v in inputs], axis)
    elif name in ("equal", "not_equal") and not all(map(_is_numeric, inputs)):
        # no number is a text: NumPy answers that in its operators
        return (operator.eq if name == "equal" else operator.ne)(*map(floats_of, inputs))
    elif name == "divmod":
        result = (np.floor_divide(*inputs), np.remainder(*inputs))
    else:
        result = _called(ufunc, name, inputs)
    out, where = options.get("out"), options.get("where", True)
    out = out[0] if isinstance(out, tuple) else out
    out = None if out is Ellipsis else out
    if where is not True:
        if out is None and not np.all(where):
            raise refuse(f"{name}(where=...) without out=", "the other elements are undefined", "pass out=")
        result = result if out is None else np.where(where, result, out)
    kind = options.get("dtype")
    if kind is not None and isinstance(result, Handle):
        result = result.astype(kind)
    return result if out is None else store(out, result)


def _is_numeric(value: Any) -> bool:
    return value is not None and not isinstance(value, str | bytes)


def store(out: Any, result: Any) -> Any:
    """Write a result into an array of the code."""
    if not isinstance(out, Handle) and has_handles(result):
        raise refuse(
            "a traced value is written into an array of floats",
            "the array was made where the trace does not see it",
            "make the array inside the function, with numpy",
        )
    out[...] = result
    return out


def _at(ufunc: Any, name: str, target: Handle, index: Any, *values: Any) -> None:
    places = np.arange(target.size).reshape(target.shape)[index]
    if name in ("add", "subtract"):
        table = target.table
        added = made(table, np.broadcast_to(made(table, values[0]), places.shape))
        sums = stored(table, table.build.scatter(added.node, np.array(places), target.shape), np.zeros(target.shape))
        floats = np.array(target.floats)
        ufunc.at(floats, index, added.floats)
        target[...] = stored(table, ufunc(target, sums).node, floats)
        return
    if np.unique(places).size != places.size:
        raise refuse(f"{name}.at with an index twice", "it is not known to the trace", "write it as a loop")
    target[index] = ufunc(target[index], *values)


Doors.call_ufunc = call_ufunc
