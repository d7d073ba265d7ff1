"""What traced code sees in place of functions of scipy, written with operations of the table."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from diffcompare.program.scipy_functions import scipy_special
from diffcompare.tracing.array import (
    contains_traced,
    elements,
    elementwise,
    is_moving,
    lifted,
    new_array,
    shadows,
    table_constants,
    wrap,
)
from diffcompare.tracing.compiled_systems import structured
from diffcompare.tracing.factorisations import FACTORISED, exponential, frechet
from diffcompare.tracing.refusals import refuse, refuse_ufunc
from diffcompare.tracing.registry import Above
from diffcompare.tracing.scalar import UNARY, TracedScalar, extreme, lift, scalar, select
from diffcompare.tracing.special import TRACED, traced_special
from diffcompare.tracing.special_formulas import FORMULAS, LONG, Numbers
from diffcompare.tracing.table import Table

__all__ = ["HINTS", "is_exact", "linear_algebra", "linear_algebra_function", "linear_rule", "special_function"]


def linear_algebra_function(table: Table, function: Any) -> Any:
    """Return what stands for a function of ``scipy.linalg``; None for one whose own code is traced."""
    rule: Any = linear_rule(LINEAR, function)
    if rule is None:
        return special_function(table, function)

    def substitute(*args: Any, **kwargs: Any) -> Any:
        if is_exact(function, moving=is_moving([*args, *kwargs.values()])) and contains_traced(
            [*args, *kwargs.values()]
        ):
            return rule(*args, **{k: v for k, v in kwargs.items() if k not in HINTS})
        return table_constants(function(*map(shadows, args), **shadows(kwargs)), table)

    return substitute


HINTS = ("check_finite", "overwrite_a", "overwrite_b", "assume_a", "sym_pos")


def _triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    matrix = np.tril(a) if lower else np.triu(a)
    if unit_diagonal:
        matrix = matrix - np.diag(np.diag(matrix)) + np.eye(len(matrix))
    return np.linalg.solve(matrix.T if trans in (1, "T") else matrix, b)


def _factor(a: Any, lower: bool = False) -> Any:
    factor = np.linalg.cholesky(a)
    return factor if lower else factor.T


def _factor_solve(factor: Any, b: Any) -> Any:
    matrix, lower = factor
    matrix = matrix if lower else matrix.T
    return np.linalg.solve(matrix.T, np.linalg.solve(matrix, b))


def _eigenvalues(floats: Callable[[Any], Any], *, vectors: bool) -> Any:
    def rule(own: Any, a: Any, b: Any = None, lower: bool = True, **others: Any) -> Any:
        if b is not None or others.keys() - {"overwrite_b", "driver", "type"}:
            raise refuse(f"{own.__name__} of this kind", "only whole ones of one matrix are read", "pass a alone")
        half: Any = "L" if lower else "U"
        if not vectors:
            return np.linalg.eigvalsh(a, half)
        sizes, columns = np.linalg.eigh(a, half)
        # NumPy's may have other signs
        return sizes, columns * np.sign(np.sum(own(floats(a), lower=lower)[1] * floats(columns), axis=0))

    return rule


def _qr(a: Any, mode: str = "full", pivoting: bool = False, **_: Any) -> Any:
    if pivoting or mode not in ("full", "economic", "r"):
        raise refuse("qr of this kind", "only Q and R are read", "use mode='economic'")
    if mode == "r":
        return (np.linalg.qr(a, "r"),)
    return tuple(np.linalg.qr(a, "reduced" if mode == "economic" else "complete"))


def linear_algebra(floats: Callable[[Any], Any]) -> dict[str, Any]:
    """Return what stands for functions of ``scipy.linalg``; ``floats`` are those that the code would have."""
    expm = exponential(floats)
    return {
        "solve": np.linalg.solve,
        "inv": np.linalg.inv,
        "det": np.linalg.det,
        "norm": np.linalg.norm,
        "pinv": np.linalg.pinv,
        "cholesky": _factor,
        "solve_triangular": _triangular,
        "cho_factor": lambda a, lower=False: (_factor(a, lower), lower),
        "cho_solve": _factor_solve,
        "eigh": _eigenvalues(floats, vectors=True),
        "eigvalsh": _eigenvalues(floats, vectors=False),
        "svd": lambda a, full_matrices=True, compute_uv=True, **_: np.linalg.svd(a, full_matrices, compute_uv),
        "svdvals": lambda a: np.linalg.svd(a, compute_uv=False),
        "qr": _qr,
        **structured(floats),
        "expm": expm,
        "expm_frechet": frechet(expm),
    }


LINEAR = linear_algebra(shadows)


# SciPy's functions of these names
_LONG = frozenset({"svdvals", *structured(shadows), *(function.__name__ for function in FACTORISED)})


def is_exact(function: Any, *, moving: bool) -> bool:
    """Tell whether a function is written down: of what varies each is, of constants not those that are long."""
    return moving or getattr(function, "__name__", "") not in _LONG


def linear_rule(rules: dict[str, Any], function: Any) -> Any:
    """Return what stands for a function; None where there is nothing."""
    name = getattr(function, "__name__", "")
    rule: Any = rules.get(name)
    return functools.partial(rule, function) if name in ("eigh", "eigvalsh") else rule


def special_function(table: Table, function: Any) -> Any:
    """Return what stands for a function of ``scipy.special``; None for one whose own code is traced."""
    name = getattr(function, "__name__", "")
    rule: Any = _SPECIAL.get(name)
    if rule is None and not {name} & {*TRACED, *FORMULAS} and isinstance(function, FunctionType):
        return None

    def substitute(*args: Any, **kwargs: Any) -> Any:
        if not (contains_traced(args) or contains_traced(kwargs)):
            return table_constants(function(*args, **kwargs), table)
        if rule is not None:
            return rule(table, *args, **kwargs)
        if name in FORMULAS and (name not in LONG or is_moving(args)):
            return _by_formula(table, name, function, args, kwargs)
        if name in TRACED and not kwargs and (is_moving(args) or table.exact):
            return traced_special(table, TRACED[name], function, args)
        if name in UNARY:
            return getattr(np, name)(*args, **kwargs)
        if not is_moving(args) and not is_moving(kwargs):
            return table_constants(function(*shadows(list(args)), **shadows(kwargs)), table)
        raise refuse_ufunc(function)

    substitute.__name__ = name
    return substitute


def _by_formula(table: Table, name: str, function: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
    def traced(value: Any) -> Any:
        array = lifted(value, table)
        return wrap(array) if array.ndim else array[()]

    if name in LONG or name.startswith("_"):
        # the library computes it in another way
        table.eliminations += 1
    operands, exact = [traced(value) for value in args], table.exact
    # the numbers of a formula are real ones, also where those of the code are plain floats
    table.exact = True
    try:
        found = lifted(FORMULAS[name](Numbers(traced, shadows), *operands, **kwargs), table)
    finally:
        table.exact = exact
    floats = np.broadcast_to(function(*map(shadows, args), **shadows(kwargs)), found.shape)
    pairs = zip(elements(found), floats.reshape(-1).tolist(), strict=True)
    return new_array([TracedScalar(table, number.index, value) for number, value in pairs], found.shape)


def _each(rule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda table, *args: elementwise(table, lambda *row: rule(*(lift(v, table) for v in row)), args)


def _log_expit(x: TracedScalar) -> Any:
    if x.table.region:
        return extreme("min", x, scalar(x.table, 0.0)) - np.log1p(np.exp(-abs(x)))
    # the same function, whichever way it is written
    return -np.log1p(np.exp(-x)) if x.shadow >= 0 else x - np.log1p(np.exp(x))


def _xlogy(x: TracedScalar, y: TracedScalar) -> Any:
    return _times_logarithm(x, y, "log")


def _xlog1py(x: TracedScalar, y: TracedScalar) -> Any:
    return _times_logarithm(x, y, "log1p")


def _times_logarithm(x: TracedScalar, y: TracedScalar, operation: str) -> Any:
    shadow = getattr(np, operation)(y).shadow
    product = x * TracedScalar(x.table, x.table.inside(operation, y.index, shadow), shadow)
    return select(x == 0, scalar(x.table, 0.0), product) if x.moving or x.shadow == 0 else product


def _shift(table: Table, array: Any, axis: Any) -> Any:
    # any shift gives the same real function; one that is an exact number of the code costs nothing
    if table.region:
        return np.max(array, axis=axis, keepdims=True)
    largest = np.max(shadows(array), axis=axis, keepdims=True)
    return np.where(np.isfinite(largest), np.rint(largest), 0.0)


def _logsumexp(table: Table, a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, **_: Any) -> Any:
    array = wrap(lifted(a, table))
    shift = _shift(table, array, axis)
    scaled = np.exp(array - shift) if b is None else b * np.exp(array - shift)
    result = np.log(np.sum(scaled, axis=axis, keepdims=True)) + shift
    return result if keepdims else np.squeeze(result, axis=axis) if axis is not None else np.reshape(result, ())[()]


def _softmax(table: Table, x: Any, axis: Any = None) -> Any:
    array = wrap(lifted(x, table))
    e = np.exp(array - _shift(table, array, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_softmax(table: Table, x: Any, axis: Any = None) -> Any:
    return x - _logsumexp(table, x, axis=axis, keepdims=True)


def _of_table(name: str, floats: Callable[..., Any]) -> Callable[..., Any]:
    return lambda table, *args: traced_special(table, name, floats, args)


def _together(*rules: Callable[..., Any]) -> Callable[..., Any]:
    return lambda table, *args: tuple(rule(table, *args) for rule in rules)


def _part(name: str, k: int) -> Callable[..., Any]:
    """Return the floats of one of several results."""
    return lambda *args: getattr(scipy_special(), name)(*args)[k]


def _lambertw(table: Table, z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    # the real branches; what is complex there is refused by the domain
    branch = int(shadows(k))
    name = "LambertW" if branch == 0 else "lambertw_lower"
    return traced_special(table, name, lambda x: scipy_special().lambertw(x, branch, tol).real, (z,))


def _factorial(x: TracedScalar) -> Any:
    # scipy's is 0 left of 0
    inside = traced_special(x.table, "factorial", scipy_special().factorial, (x,))
    return select(x < 0, scalar(x.table, 0.0), inside)


_SPECIAL: dict[str, Callable[..., Any]] = {
    "lambertw": _lambertw,
    "sici": _together(_of_table("Si", _part("sici", 0)), _of_table("Ci", _part("sici", 1))),
    "airy": _together(
        *(
            _of_table(name, _part("airy", k))
            for k, name in enumerate(("airyai", "airyaiprime", "airybi", "airybiprime"))
        )
    ),
    "fresnel": _together(_of_table("fresnels", _part("fresnel", 0)), _of_table("fresnelc", _part("fresnel", 1))),
    "factorial": _each(_factorial),
    "log_expit": _each(_log_expit),
    "xlogy": _each(_xlogy),
    "xlog1py": _each(_xlog1py),
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
}

Above.special = special_function
