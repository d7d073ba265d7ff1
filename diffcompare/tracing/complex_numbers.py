"""Complex numbers of a trace: pairs of real ones, for code whose result is real.

The two parts are arrays, or numbers, as the trace has them; what computes with complex ones is written with NumPy's
functions of real ones here.
"""

# ruff: noqa: ARG001 - the arguments are those of NumPy's functions

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.registry import named

__all__ = [
    "FOURIER",
    "Complex",
    "complex_array",
    "complex_function",
    "complex_ufunc",
    "is_complex",
    "is_complex_type",
    "is_of_complex",
    "members",
    "paired",
    "parts_of",
    "quotient",
]

# whole exponents that are written as products
_POWERS = 16
# NumPy's functions that make complex numbers of real ones: the module of the transforms puts its own here
FOURIER: dict[Any, Callable[..., Any]] = {}


class Complex:
    """Complex numbers; ``re`` and ``im`` have one shape."""

    __slots__ = ("im", "re")

    def __init__(self, re: Any, im: Any) -> None:
        self.re, self.im = re, im

    dtype, base = np.dtype(np.complex128), None
    __hash__ = None  # type: ignore[assignment]

    shape = property(lambda self: np.shape(self.re))
    ndim = property(lambda self: np.ndim(self.re))
    size = property(lambda self: np.size(self.re))
    flags = property(lambda self: self.re.flags)
    T = property(lambda self: Complex(self.re.T, self.im.T))

    @property
    def real(self) -> Any:
        """The real parts."""
        return self.re

    @real.setter
    def real(self, value: Any) -> None:
        self.re[...] = value

    @property
    def imag(self) -> Any:
        """The imaginary parts."""
        return self.im

    @imag.setter
    def imag(self, value: Any) -> None:
        self.im[...] = value

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return complex_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return complex_function(function, args, kwargs)

    def __getitem__(self, key: Any) -> Complex:
        return Complex(self.re[key], self.im[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        re, im = parts_of(value)
        self.re[key], self.im[key] = re, 0.0 if im is None else im

    def __len__(self) -> int:
        return len(self.re)

    def __iter__(self) -> Any:
        return (Complex(*pair) for pair in zip(self.re, self.im, strict=True))

    def __bool__(self) -> bool:
        return bool(self.re != 0) or bool(self.im != 0)

    def __complex__(self) -> complex:
        return complex(float(self.re), float(self.im))

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """Convert; to real numbers the imaginary parts are dropped, as NumPy does."""
        kind = np.dtype(getattr(dtype, "own_type", dtype))
        return self if kind.kind == "c" else self.re.astype(kind)

    def copy(self, *_: Any, **__: Any) -> Complex:
        """The same numbers elsewhere."""
        return Complex(self.re.copy(), self.im.copy())

    def fill(self, value: Any) -> None:
        """Set all numbers."""
        self[...] = value

    def reshape(self, *shape: Any) -> Complex:
        """The same numbers in another shape."""
        return Complex(self.re.reshape(*shape), self.im.reshape(*shape))


def _operator(name: str, ufunc: Any) -> None:
    setattr(Complex, f"__{name}__", lambda self, other: complex_ufunc(ufunc, "__call__", (self, other), {}))
    setattr(Complex, f"__r{name}__", lambda self, other: complex_ufunc(ufunc, "__call__", (other, self), {}))


def _method(name: str, function: Any) -> None:
    setattr(Complex, name, lambda self, *args, **kwargs: complex_function(function, (self, *args), kwargs))


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "matmul": np.matmul,
    "pow": np.power,
}.items():  # fmt: skip
    _operator(_name, _ufunc)
for _name, _ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.absolute}.items():
    setattr(Complex, f"__{_name}__", lambda self, ufunc=_ufunc: complex_ufunc(ufunc, "__call__", (self,), {}))
for _name, _ufunc in {"eq": np.equal, "ne": np.not_equal}.items():
    setattr(
        Complex, f"__{_name}__", lambda self, other, ufunc=_ufunc: complex_ufunc(ufunc, "__call__", (self, other), {})
    )
Complex.conj = Complex.conjugate = lambda self: Complex(self.re, -self.im)  # type: ignore[attr-defined]
for _name in [
    "sum", "mean", "dot", "ravel", "squeeze", "transpose", "cumsum", "take", "repeat", "trace", "diagonal", "swapaxes",
]:  # fmt: skip
    _method(_name, getattr(np, _name))
Complex.flatten = Complex.ravel  # type: ignore[attr-defined]


def is_complex(values: Sequence[Any]) -> bool:
    """Tell whether there are complex numbers among values, also inside lists."""
    for value in values:
        if isinstance(value, Complex | complex | np.complexfloating):
            return True
        if isinstance(value, np.ndarray):
            if value.dtype.kind == "c":
                return True
        elif isinstance(value, list | tuple) and is_complex(value):
            return True
    return False


def paired(re: Any, im: Any) -> Complex:
    """Return complex numbers of two parts, each of which may be plain floats; None: the part is 0."""
    re = np.zeros_like(im) if re is None else re
    im = np.zeros_like(re) if im is None else im
    shape = np.broadcast_shapes(np.shape(re), np.shape(im))
    return Complex(*(v if np.shape(v) == shape else np.broadcast_to(v, shape) for v in (re, im)))


def members(value: Any) -> Iterable[Any]:
    """Return what a list, a tuple, a dictionary or a complex number is made of; nothing of anything else."""
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, dict):
        return value.values()
    return (value.re, value.im) if isinstance(value, Complex) else ()


def parts_of(value: Any) -> tuple[Any, Any]:
    """Return the parts of a value, None for an imaginary one that is 0."""
    if isinstance(value, Complex):
        return value.re, value.im
    if isinstance(value, list | tuple):
        if not is_complex(value):
            return value, None
        parts = [parts_of(v) for v in value]
        return [re for re, _ in parts], [np.zeros_like(re) if im is None else im for re, im in parts]
    if np.iscomplexobj(value):
        return np.real(value), np.imag(value)
    return value, None


# --- universal functions ---------------------------------------------------------------------------------------------


def _sum(a: Any, b: Any, sign: float = 1.0) -> Any:
    (p, q), (r, s) = parts_of(a), parts_of(b)
    minus = sign < 0
    im = (None if s is None else -s if minus else s) if q is None else q if s is None else q - s if minus else q + s
    return paired(p - r if minus else p + r, im)


def _bilinear(function: Callable[..., Any]) -> Callable[..., Any]:
    def product(a: Any, b: Any, *rest: Any, **options: Any) -> Any:
        (p, q), (r, s) = parts_of(a), parts_of(b)

        def of(one: Any, two: Any) -> Any:
            return function(one, two, *rest, **options)

        if q is None or s is None:
            return paired(of(p, r), of(p, s) if q is None else of(q, r))
        return paired(of(p, r) - of(q, s), of(p, s) + of(q, r))

    return product


_product = _bilinear(np.multiply)


def _conjugate(a: Any) -> Any:
    re, im = parts_of(a)
    return re if im is None else Complex(re, -im)


def quotient(a: Any, b: Any) -> Any:
    """Divide, where one of the two is complex."""
    (p, q), (r, s) = parts_of(a), parts_of(b)
    if s is None:
        return paired(p / r, q / r)
    return (
        quotient(_product(a, Complex(r, -s)), r * r + s * s)
        if q is not None
        else paired(p * r / (r * r + s * s), -(p * s) / (r * r + s * s))
    )


def _exponential(a: Any) -> Complex:
    re, im = parts_of(a)
    size = np.exp(re)
    return Complex(size * np.cos(im), size * np.sin(im))


def _logarithm(a: Any) -> Complex:
    re, im = parts_of(a)
    return Complex(np.log(re * re + im * im) / 2.0, np.arctan2(im, re))


def _root(a: Any) -> Complex:
    return _exponential(_product(0.5, _logarithm(a)))


def _whole(p: Any) -> int | None:
    """Return an exponent that is a small whole number."""
    if np.ndim(p) or is_complex([p]) or getattr(p, "moving", False):
        return None
    value = float(p)
    return int(value) if value.is_integer() and abs(value) <= _POWERS else None


def _power(a: Any, p: Any) -> Any:
    n = _whole(p)
    if n is None:
        return _exponential(_product(p, _logarithm(a) if is_complex([a]) else np.log(a)))
    result: Any = _sum(_product(0.0, a), 1.0) if n == 0 else a
    for _ in range(abs(n) - 1):
        result = _product(result, a)
    return quotient(1.0, result) if n < 0 else result


def _of_exponentials(a: Any, sign: float) -> Any:
    return _product(0.5, _sum(_exponential(a), _exponential(_negative(a)), sign))


def _negative(a: Any) -> Complex:
    re, im = parts_of(a)
    return Complex(-re, -im)


def _times_i(a: Any) -> Complex:
    re, im = parts_of(a)
    return Complex(-im, re)


def _equal(a: Any, b: Any) -> Any:
    (p, q), (r, s) = parts_of(a), parts_of(b)
    return np.logical_and(np.equal(p, r), np.equal(0.0 if q is None else q, 0.0 if s is None else s))


def _of_parts(rule: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    return lambda a: rule(*parts_of(a))


_UFUNCS: Mapping[str, Callable[..., Any]] = {
    "add": _sum,
    "subtract": lambda a, b: _sum(a, b, -1.0),
    "multiply": _product,
    "divide": quotient,
    "matmul": _bilinear(np.matmul),
    "negative": _negative,
    "positive": lambda a: a,
    "conjugate": _conjugate,
    "absolute": _of_parts(np.hypot),
    "square": lambda a: _product(a, a),
    "reciprocal": lambda a: quotient(1.0, a),
    "power": _power,
    "exp": _exponential,
    "expm1": lambda a: _sum(_exponential(a), 1.0, -1.0),
    "log": _logarithm,
    "log1p": lambda a: _logarithm(_sum(a, 1.0)),
    "sqrt": _root,
    "sinh": lambda a: _of_exponentials(a, -1.0),
    "cosh": lambda a: _of_exponentials(a, 1.0),
    "tanh": lambda a: quotient(_of_exponentials(a, -1.0), _of_exponentials(a, 1.0)),
    "sin": lambda a: _negative(_times_i(_of_exponentials(_times_i(a), -1.0))),
    "cos": lambda a: _of_exponentials(_times_i(a), 1.0),
    "equal": _equal,
    "not_equal": lambda a, b: np.logical_not(_equal(a, b)),
    "isfinite": _of_parts(lambda re, im: np.isfinite(re) & np.isfinite(im)),
    "isnan": _of_parts(lambda re, im: np.isnan(re) | np.isnan(im)),
    "isinf": _of_parts(lambda re, im: np.isinf(re) | np.isinf(im)),
}


def complex_ufunc(ufunc: Any, method: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Do what a universal function does, on complex numbers."""
    name = {"pow": "power", "true_divide": "divide"}.get(ufunc.__name__, ufunc.__name__)
    if method == "reduce" and name == "add":
        axis = options.get("axis", inputs[1] if len(inputs) > 1 else 0)
        return complex_function(np.sum, inputs[:1], {"axis": axis})
    if method == "at" and name == "add" and isinstance(inputs[0], Complex):
        target, index, added = inputs
        for part, values in zip((target.re, target.im), parts_of(added), strict=True):
            np.add.at(part, index, 0.0 if values is None else values)
        return None
    rule = _UFUNCS.get(name)
    out = options.get("out")
    if rule is None or method != "__call__" or options.keys() - {"out", "dtype", "casting"}:
        raise refuse(f"{name} of complex numbers", "it is not known to the trace", "write it with real numbers")
    result = rule(*inputs)
    if out is None:
        return result
    target = out[0] if isinstance(out, tuple) else out
    target[...] = result
    return target


# --- functions -------------------------------------------------------------------------------------------------------

# what does to both parts alike what it does to real numbers: the arguments that are numbers
_LINEAR: Mapping[Any, tuple[int, ...]] = {
    **dict.fromkeys(named(
        "sum", "mean", "cumsum", "diff", "reshape", "ravel", "transpose", "squeeze", "expand_dims", "moveaxis",
        "swapaxes", "flip", "roll", "repeat", "tile", "take", "broadcast_to", "atleast_1d", "atleast_2d", "diag",
        "diagonal", "tril", "triu", "trace", "concatenate", "stack", "vstack", "hstack", "column_stack", "pad", "copy",
        "zeros_like", "delete", "average", "trapezoid",
    ), (0,)),
    np.fft.fftshift: (0,), np.fft.ifftshift: (0,), np.compress: (1,), np.where: (1, 2), np.append: (0, 1),
}  # fmt: skip
_BILINEAR = frozenset(named("matmul", "dot", "inner", "outer", "kron", "tensordot", "convolve", "multiply"))


def _by_parts(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    def of(part: int) -> Any:
        given = []
        for k, value in enumerate(args):
            parts = parts_of(value) if k in _LINEAR[function] else (value, value)
            zero = part and parts[1] is None
            given.append(np.zeros_like(value) if zero else parts[part])
        return function(*given, **kwargs)

    return paired(of(0), of(1))


def _made(value: float | None) -> Callable[..., Any]:
    """Return what makes an array of the shape of another: its type may be what is complex."""

    def like(a: Any, *rest: Any, dtype: Any = None, fill_value: Any = None, shape: Any = None, **_: Any) -> Any:
        fill = value if value is not None else rest[0] if rest else fill_value
        re, im = parts_of(fill)
        plain = np.zeros_like(parts_of(a)[0], dtype=float)
        return Complex(np.full_like(plain, re), np.full_like(plain, 0.0 if im is None else im))

    return like


def _log_of_sum(a: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
    return _logarithm(complex_function(np.sum, (_exponential(_stacked(a)),), {"axis": axis, "keepdims": keepdims}))


def complex_array(value: Any, kind: Any, *, real: Callable[[Any], Any], traced: Callable[[Any], bool]) -> Any:
    """Return what ``np.array`` makes of complex numbers, or makes complex; None where no traced number is so."""
    if isinstance(value, Complex) or (isinstance(value, list | tuple) and _holds(value)):
        found = _stacked(value)
        return found.copy() if kind is None else found.astype(kind)
    if is_complex_type(kind) and traced(value):
        return paired(real(value), None)
    return None


def _holds(value: Any) -> bool:
    return isinstance(value, Complex) or (isinstance(value, list | tuple) and any(map(_holds, value)))


def _stacked(a: Any) -> Any:
    return complex_function(np.stack, (a,), {}) if isinstance(a, list | tuple) else a


_FUNCTIONS: Mapping[Any, Callable[..., Any]] = {
    **{function: _bilinear(function) for function in _BILINEAR},
    np.einsum: lambda subscripts, *operands, **_: _bilinear(lambda a, b: np.einsum(subscripts, a, b))(*operands),
    np.vdot: lambda a, b: complex_function(
        np.dot, (complex_function(np.ravel, (_conjugate(a),), {}), complex_function(np.ravel, (b,), {})), {}
    ),
    np.real: lambda a: parts_of(a)[0],
    np.imag: lambda a: parts_of(a)[1],
    np.angle: _of_parts(lambda re, im: np.arctan2(im, re)),
    np.iscomplexobj: lambda _: True,
    np.isrealobj: lambda _: False,
    np.isscalar: lambda a: isinstance(a, Complex) and not a.ndim,
    np.isreal: lambda a: np.equal(parts_of(a)[1], 0.0),
    np.iscomplex: lambda a: np.not_equal(parts_of(a)[1], 0.0),
    np.shape: lambda a: np.shape(parts_of(a)[0]),
    np.ndim: lambda a: np.ndim(parts_of(a)[0]),
    np.size: lambda a, axis=None: np.size(parts_of(a)[0], axis),
    np.linalg.norm: lambda a, *args, **kwargs: np.linalg.norm(np.abs(a), *args, **kwargs),
    np.full_like: _made(None),
    np.zeros_like: _made(0.0),
    np.ones_like: _made(1.0),
    np.empty_like: _made(0.0),
    np.result_type: lambda *_: np.dtype(np.complex128),
}


def complex_function(function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Do what a function of NumPy does, on complex numbers."""
    if function in _FUNCTIONS:
        return _FUNCTIONS[function](*args, **kwargs)
    if function in _LINEAR:
        return _by_parts(function, args, kwargs)
    name = getattr(function, "__name__", str(function))
    if name == "logsumexp":
        return _log_of_sum(*args, **kwargs)
    if function in FOURIER:
        return FOURIER[function](*args, **kwargs)
    raise refuse(f"{name} of complex numbers", "it is not known to the trace", "write it with real numbers")


def is_of_complex(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Tell whether a call of a function takes complex numbers or returns some."""
    kind = kwargs.get("dtype")
    return function in FOURIER or is_complex(args) or (kind is not None and is_complex_type(kind))


def is_complex_type(kind: Any) -> bool:
    """Tell whether a type, as NumPy takes it, is one of complex numbers."""
    kind = getattr(kind, "own_type", kind)
    return kind is not None and kind is not object and np.dtype(kind).kind == "c"
