"""A traced number and a traced condition: operators that write nodes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from diffcompare.program.operations import ANSWERS
from diffcompare.tracing.complex_numbers import complex_ufunc, is_complex, is_complex_type, paired
from diffcompare.tracing.places import here
from diffcompare.tracing.refusals import refuse, refuse_plain
from diffcompare.tracing.registry import Above
from diffcompare.tracing.table import Cast, Table, TracedBytes
from diffcompare.tracing.traced_condition import TracedCondition

__all__ = ["UNARY", "TracedCondition", "TracedScalar", "is_number", "lift", "scalar"]

# NumPy's name -> name of the operation
UNARY = {
    "negative": "negative",
    "sqrt": "sqrt",
    "cbrt": "cbrt",
    "exp": "exp",
    "exp2": "exp2",
    "expm1": "expm1",
    "log": "log",
    "log2": "log2",
    "log10": "log10",
    "log1p": "log1p",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
}
_NUMBERS = (int, float, np.number, np.bool_)


def is_number(value: object) -> bool:
    """Tell whether a value is a real number that is not traced."""
    return isinstance(value, _NUMBERS)


def lift(value: Any, table: Table) -> TracedScalar:
    """Return a number as a traced one."""
    if type(value) is TracedScalar:
        return value
    if type(value) is TracedCondition:
        number: TracedScalar = value.number()
        return number
    return scalar(table, float(value))


def scalar(table: Table, value: float, scale: float = 0.0) -> TracedScalar:
    """Return a constant as a traced number."""
    return TracedScalar(table, table.constant(value, scale), value)


def _divided(a: float, b: float) -> float:
    return a / b if b else float(np.float64(a) / np.float64(b))


def _forward(operation: str, function: Callable[[float, float], float]) -> Any:
    def forward(self: TracedScalar, other: Any) -> Any:
        if type(other) is not TracedScalar:
            if not _operand(other):
                return _beside_complex(operation, self, other)
            # the built-in sum starts with the integer 0
            if operation == "add" and type(other) is int and other == 0:
                return self
            other = lift(other, self.table)
        shadow = function(self.shadow, other.shadow)
        return TracedScalar(self.table, self.table.apply(operation, (self.index, other.index), shadow), shadow)

    return forward


def _backward(operation: str, function: Callable[[float, float], float]) -> Any:
    def backward(self: TracedScalar, other: Any) -> Any:
        if not _operand(other):
            return _beside_complex(operation, other, self)
        if operation == "add" and type(other) is int and other == 0:
            return self
        other = lift(other, self.table)
        shadow = function(other.shadow, self.shadow)
        return TracedScalar(self.table, self.table.apply(operation, (other.index, self.index), shadow), shadow)

    return backward


def _beside_complex(operation: str, one: Any, two: Any) -> Any:
    return (
        complex_ufunc(getattr(np, operation), "__call__", (one, two), {}) if is_complex([one, two]) else NotImplemented
    )


class TracedScalar:
    """One number: its node, and the float that the code would have."""

    __slots__ = ("index", "shadow", "table")

    def __init__(self, table: Table, index: int, shadow: float) -> None:
        self.table = table
        self.index = index
        self.shadow = shadow

    # what a NumPy number has
    shape = ()
    ndim = 0
    size = 1
    imag = 0.0

    @property
    def dtype(self) -> Any:
        """What code that asks expects."""
        return np.dtype(np.float64)

    @property
    def real(self) -> TracedScalar:
        """The number itself."""
        return self

    T = real

    @property
    def moving(self) -> bool:
        """Whether it depends on the variables."""
        return self.table.moving[self.index]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return Above.call_ufunc(self.table, ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return Above.call_function(self.table, function, args, kwargs)

    def _unary(self, operation: str, function: Callable[[float], float]) -> TracedScalar:
        shadow = float(function(self.shadow))
        return TracedScalar(self.table, self.table.apply(operation, (self.index,), shadow), shadow)

    __add__, __radd__ = _forward("add", operator.add), _backward("add", operator.add)
    __sub__, __rsub__ = _forward("subtract", operator.sub), _backward("subtract", operator.sub)
    __mul__, __rmul__ = _forward("multiply", operator.mul), _backward("multiply", operator.mul)
    __truediv__, __rtruediv__ = _forward("divide", _divided), _backward("divide", _divided)

    def __neg__(self) -> TracedScalar:
        return self._unary("negative", operator.neg)

    def __pos__(self) -> TracedScalar:
        return self

    def __abs__(self) -> TracedScalar:
        if self.table.region:
            return self._unary("abs", abs)
        return self.taken() if _decide("greater_equal", self, scalar(self.table, 0.0)) else -self

    def taken(self) -> TracedScalar:
        """The number itself, which an operation of the code gave."""
        self.table.origins.note(self.index)
        return self

    def __pow__(self, other: Any, modulus: None = None) -> Any:
        return power(self, other) if _operand(other) else _beside_complex("power", self, other)

    def __rpow__(self, other: Any) -> Any:
        return power(lift(other, self.table), self) if _operand(other) else _beside_complex("power", other, self)

    def __mod__(self, other: Any) -> Any:
        return self - lift(other, self.table) * (self // other) if _operand(other) else NotImplemented

    def __rmod__(self, other: Any) -> Any:
        return lift(other, self.table) % self if _operand(other) else NotImplemented

    def __floordiv__(self, other: Any) -> Any:
        return (self / other).floor() if _operand(other) else NotImplemented

    def __rfloordiv__(self, other: Any) -> Any:
        return (other / self).floor() if _operand(other) else NotImplemented

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def stepped(self, function: Callable[[float], float], name: str, below: float = 0.0) -> TracedScalar:
        """Apply a function that is constant in pieces, which begin at its value, or ``below`` it."""
        if self.moving and (self.table.region or name == "round"):
            raise refuse(
                f"{name}() of a traced value", "a step has no derivative to follow", "leave it out of what is traced"
            )
        value = float(function(self.shadow))
        if self.moving:
            # half of the whole numbers have both their ends, the others none
            upper = "less_equal" if below else "less"
            for bound, operation in ((value - below, "greater_equal"), (value - below + 1, upper)):
                _decide(operation, self, scalar(self.table, bound))
        return scalar(self.table, value)

    def floor(self) -> TracedScalar:
        """The largest integer below."""
        return self.stepped(math.floor, "floor")

    def ceil(self) -> TracedScalar:
        """The smallest integer above."""
        return -((-self).stepped(math.floor, "ceil"))

    def trunc(self) -> TracedScalar:
        """The integer part."""
        return self.floor() if self.shadow >= 0 else self.ceil()

    def rint(self) -> TracedScalar:
        """The nearest integer."""
        return self.stepped(lambda v: float(np.rint(v)), "rint", 0.5)

    __floor__, __ceil__, __trunc__ = floor, ceil, trunc

    def __round__(self, digits: int | None = None) -> Any:
        # digits are for those who read: nobody means that as a step
        return self.stepped(lambda v: round(v, digits), "round") if digits else self.rint()

    def __lt__(self, other: Any) -> Any:
        return compare("less", self, other)

    def __le__(self, other: Any) -> Any:
        return compare("less_equal", self, other)

    def __gt__(self, other: Any) -> Any:
        return compare("greater", self, other)

    def __ge__(self, other: Any) -> Any:
        return compare("greater_equal", self, other)

    def __eq__(self, other: Any) -> Any:
        return compare("equal", self, other)

    def __ne__(self, other: Any) -> Any:
        return compare("not_equal", self, other)

    def __hash__(self) -> int:
        # as a key, what varies finds nothing that was kept of floats
        return hash((self._read(), id(self.table))) if self.moving else hash(self._read())

    def __bool__(self) -> bool:
        return _decide("not_equal", self, scalar(self.table, 0.0))

    def _plain(self, what: str) -> float:
        if self.moving:
            raise refuse_plain(what)
        return self._given()

    def _read(self) -> float:
        """Give the float away, as a key or as text."""
        self.table.read = self.table.read or self.moving
        return self.shadow if self.moving else self._given()

    def _given(self) -> float:
        """Give the float of a constant away; what was computed exactly is remembered under it."""
        self.table.given.setdefault(self.shadow, self.index)
        return self.shadow

    def __float__(self) -> float:
        return self._plain("float()")

    def __int__(self) -> int:
        return int(self._plain("int()"))

    def __index__(self) -> int:
        value = self._plain("an index")
        if value != int(value):
            raise TypeError("only integers can be used as an index")
        return int(value)

    def __complex__(self) -> complex:
        return complex(self._plain("complex()"))

    def __format__(self, how: str) -> str:
        # a number that goes through text comes back as a constant
        return format(self._plain("formatting"), how)

    def __repr__(self) -> str:
        # a constant as float() of it would be written, which code reads back; what varies is no text that code can read
        return f"np.float64({self._read()!r})" if self.moving else repr(self._read())

    def __str__(self) -> str:
        return str(self._plain("str()"))

    def __copy__(self) -> TracedScalar:
        return self

    def __deepcopy__(self, memo: object) -> TracedScalar:
        return self

    def __getitem__(self, key: Any) -> Any:
        return self if isinstance(key, tuple) and not key else self._array()[key]

    __iter__ = None

    def copy(self) -> TracedScalar:
        """The number itself: it cannot be changed."""
        return self

    def item(self) -> TracedScalar:
        """The number itself."""
        return self

    tolist = conjugate = conj = squeeze = sum = mean = max = min = prod = lambda self, *_, **__: self

    def tobytes(self) -> bytes:
        """The bytes of the float."""
        found = np.float64(self._read()).tobytes()
        return TracedBytes(found) if self.moving else found

    def is_integer(self) -> bool:
        """Whether the float is an integer."""
        return self.shadow.is_integer()

    def astype(self, dtype: Any, **_: Any) -> Any:
        """Convert; a shorter type is noted."""
        return paired(self, None) if is_complex_type(dtype) else cast(self, np.dtype(dtype))

    def reshape(self, *shape: Any, **_: Any) -> Any:
        """An array of one number."""
        return self._array().reshape(*shape)

    def ravel(self) -> Any:
        """An array of one number."""
        return self._array().reshape(1)

    flatten = ravel

    def _array(self) -> Any:
        array = np.empty((), dtype=object)
        array[()] = self
        return Above.wrap(array)

    def dot(self, other: Any) -> Any:
        """Multiply."""
        return self * other

    def clip(self, low: Any = None, high: Any = None) -> TracedScalar:
        """Limit the number to a range."""
        result = self if low is None else extreme("max", self, lift(low, self.table), spreads=True)
        return result if high is None else extreme("min", result, lift(high, self.table), spreads=True)

    def square(self) -> TracedScalar:
        """Its square."""
        return power(self, 2)

    def reciprocal(self) -> TracedScalar:
        """One divided by it."""
        return TracedScalar.__truediv__(scalar(self.table, 1.0), self)  # type: ignore[no-any-return]


def _operand(value: Any) -> bool:
    return type(value) is TracedScalar or type(value) is TracedCondition or isinstance(value, _NUMBERS)


def _method(name: str, operation: str) -> None:
    function = getattr(np, name)
    # NumPy's object loops call methods that are named like the ufunc
    setattr(TracedScalar, name, lambda self, *_, **__: self._unary(operation, function))


for _name, _operation in UNARY.items():
    _method(_name, _operation)
TracedScalar.absolute = TracedScalar.fabs = TracedScalar.__abs__  # type: ignore[attr-defined]


def power(base: TracedScalar, exponent: Any) -> TracedScalar:
    """Write a power: integer exponents and ½ have operations of their own."""
    table = base.table
    exponent = exponent if type(exponent) is TracedScalar else lift(exponent, table)
    e = exponent.shadow
    shadow = float(np.float64(base.shadow) ** e)
    if not exponent.moving and table.builder.nodes[exponent.index].operation == "constant":
        if e == int(e) and abs(e) <= 1000 if math.isfinite(e) else False:
            if e == 1:
                return base.taken()
            return TracedScalar(table, table.apply("integer_power", (base.index,), shadow, int(e)), shadow)
        if e == 0.5:
            return TracedScalar(table, table.apply("sqrt", (base.index,), shadow), shadow)
    return TracedScalar(table, table.apply("power", (base.index, exponent.index), shadow), shadow)


def extreme(operation: str, a: TracedScalar, b: TracedScalar, *, spreads: bool | None = None) -> TracedScalar:
    """Write the larger (``max``) or the smaller (``min``) of two numbers.

    ``spreads``: whether nan is the larger one, as of np.maximum, or never is, as of np.fmax; by default a comparison
    decides, as of Python's own.
    """
    table = a.table
    if spreads is not None and not table.region and (math.isnan(a.shadow) or math.isnan(b.shadow)):
        return a if math.isnan(a.shadow) is spreads else b
    if math.isinf(b.shadow) and not b.moving:
        # a running maximum starts at −∞
        return a if (b.shadow < 0) == (operation == "max") else b
    if math.isinf(a.shadow) and not a.moving:
        return b if (a.shadow < 0) == (operation == "max") else a
    shadow = float((np.maximum if operation == "max" else np.minimum)(a.shadow, b.shadow))
    if table.region:
        return TracedScalar(table, table.apply(operation, (a.index, b.index), shadow), shadow)
    return (a if _decide("greater_equal" if operation == "max" else "less_equal", a, b) else b).taken()


def compare(operation: str, a: TracedScalar, other: Any) -> Any:
    """Compare: a truth value at once, or a condition where choices become nodes."""
    if not _operand(other):
        return NotImplemented
    table, b = a.table, lift(other, a.table)
    answer = ANSWERS[operation](a.shadow, b.shadow)
    if any(math.isinf(v.shadow) and not v.moving for v in (a, b)):
        # every real number is on the same side of infinity: nothing is decided
        return np.bool_(answer)
    if not table.region or not (a.moving or b.moving) or math.isinf(a.shadow) or math.isinf(b.shadow):
        return np.bool_(table.decided(operation, (a.index, b.index), answer))
    return TracedCondition(table, table.apply(operation, (a.index, b.index), float(answer)), answer)


def _decide(operation: str, a: TracedScalar, b: TracedScalar) -> bool:
    return a.table.decided(operation, (a.index, b.index), ANSWERS[operation](a.shadow, b.shadow))


def cast(value: TracedScalar, dtype: np.dtype[Any]) -> Any:
    """Convert a number to another type."""
    if dtype.kind in "iu":
        return dtype.type(value._plain("astype(int)"))
    if dtype.kind == "b":
        return value != 0
    if dtype.kind == "c":
        raise refuse("a complex number", "only real numbers are traced", "write it with real numbers")
    if dtype.itemsize < 8 and dtype.kind == "f":
        value.table.casts.append(Cast(value.index, dtype.itemsize * 8, here()))
        return TracedScalar(value.table, value.index, float(dtype.type(value.shadow)))
    return value


def select(condition: Any, first: TracedScalar, second: TracedScalar) -> TracedScalar:
    """Choose between two numbers."""
    if type(condition) is not TracedCondition:
        return (first if condition else second).taken()
    table = condition.table
    shadow = first.shadow if condition.answer else second.shadow
    if first.index == second.index:
        return first.taken()
    return TracedScalar(table, table.apply("select", (condition.index, first.index, second.index), shadow), shadow)


def _number(condition: TracedCondition) -> TracedScalar:
    return select(condition, scalar(condition.table, 1.0), scalar(condition.table, 0.0))


Above.number = _number
