"""Compiled functions of libraries: a few are known, written with NumPy here; of the others the name is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from diffcompare.tracing.compiled_filters import FILTERS
from diffcompare.tracing.compiled_lapack import LAPACK
from diffcompare.tracing.compiled_splines import SPLINES
from diffcompare.tracing.compiled_systems import SYSTEMS, solved_by_factors
from diffcompare.tracing.refusals import CompiledCodeError, refuse
from diffcompare.tracing.sparse_formats import FORMATS

__all__ = ["CompiledObject", "compiled_function", "is_factored"]


def compiled_function(
    function: Any, name: str, table: Any, dialect: Any, rule: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """Return what stands for a compiled function of a library.

    Parameters
    ----------
    function : callable
    name : str
        With its module, as messages say it.
    table : Table or ArrayTable
    dialect : Dialect
    rule : callable, optional
        What does the same with NumPy: by default, the one that is known by the name.
    """
    # what is long is written down of what varies alone
    long = rule is not None or name in _LONG
    rule = rule or _KNOWN.get(name)

    def substitute(*args: Any, **kwargs: Any) -> Any:
        if not (dialect.is_traced(list(args)) or dialect.is_traced(kwargs)):
            return _kept(function(*args, **kwargs), table, dialect)
        moving = dialect.is_moving([*args, *kwargs.values()])
        if rule is not None and (moving or not long):
            return rule(*args, **kwargs)
        if moving:
            why = "it is compiled code, which a trace does not see into"
            raise refuse(f"{name} of a traced value", why, "pass formula=", CompiledCodeError)
        return _run(function, args, kwargs, table, dialect)

    substitute.__name__ = name.rpartition(".")[2]
    return substitute


def _run(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], table: Any, dialect: Any) -> Any:
    """Run a function on the floats of constants, and write back what it wrote into its arguments."""
    given: list[tuple[Any, Any, Any]] = []

    def plain(value: Any) -> Any:
        if not isinstance(value, np.ndarray) or not dialect.is_traced([value]):
            return dialect.plain(value)
        floats = np.array(dialect.plain(value), order="C")
        given.append((value, floats, floats.copy()))
        return floats

    result = function(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})
    for value, floats, before in given:
        if not np.array_equal(floats, before, equal_nan=True):
            value[...] = floats
        if result is floats:
            return value
    return _kept(result, table, dialect)


def _kept(result: Any, table: Any, dialect: Any) -> Any:
    """Return what compiled code made of constants."""
    if is_factored(result):
        return CompiledObject(result, table, dialect)
    return dialect.constants(table, result)


def is_factored(value: Any) -> bool:
    """Tell whether a value holds the factors of a sparse matrix; SciPy gives their type no home."""
    return type(value).__name__ == "SuperLU"


class CompiledObject:
    """Stands for an object of a compiled class, whose methods are compiled functions, or for one that is called."""

    def __init__(self, value: Any, table: Any, dialect: Any, name: str = "") -> None:
        kind = type(value)
        name = name or f"{kind.__module__}.{kind.__qualname__}"
        self.__dict__.update({"_value": value, "_of": (table, dialect), "_name": name})

    # it is taken for an object of the class
    __class__: Any = property(lambda self: type(self._value))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._value, name)
        if name == "solve" and is_factored(self._value):
            table, dialect = self._of
            solved = partial(solved_by_factors, self._value)
            return compiled_function(found, f"{self._name}.{name}", table, dialect, solved)
        return compiled_function(found, f"{self._name}.{name}", *self._of) if callable(found) else found

    def __setattr__(self, name: str, value: Any) -> None:
        if not callable(self._value):
            raise refuse(
                f"{self._name}.{name} is set", "compiled objects are left as they are", "keep it in a variable"
            )
        # a label that a library puts on a function of LAPACK
        self.__dict__[name] = value

    def __getitem__(self, key: Any) -> Any:
        return compiled_function(self._value[key], self._name, *self._of)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object."""
        return compiled_function(self._value, self._name, *self._of)(*args, **kwargs)


# --- products of sparse matrices: they add to what they are given last -----------------------------------------------


def _of_rows(rows: int, _: int, starts: Any, columns: Any, data: Any, x: Any, y: Any) -> None:
    np.add.at(y, np.repeat(np.arange(rows), np.diff(starts)), data * x[columns])


def _of_columns(_: int, columns: int, starts: Any, rows: Any, data: Any, x: Any, y: Any) -> None:
    np.add.at(y, rows, data * x[np.repeat(np.arange(columns), np.diff(starts))])


def _of_pairs(_: int, rows: Any, columns: Any, data: Any, x: Any, y: Any) -> None:
    np.add.at(y, rows, data * x[columns])


def _of_diagonals(rows: int, columns: int, _: int, length: int, offsets: Any, data: Any, x: Any, y: Any) -> None:
    for k, values in zip(np.ravel(offsets).tolist(), np.reshape(data, (-1, length)), strict=True):
        first, end = max(0, k), min(rows + k, columns, length)
        if end > first:
            y[first - k : end - k] += values[first:end] * x[first:end]


def _of_many(rule: Callable[..., None]) -> Callable[..., None]:
    """Make the product with a matrix, given flat, of that with a vector."""

    def product(rows: int, columns: int, count: int, *rest: Any) -> None:
        *matrix, x, y = rest
        table, found = np.reshape(x, (-1, count)), np.reshape(y, (-1, count))
        for k in range(count):
            column = np.zeros_like(found[:, k])
            rule(rows, columns, *matrix, table[:, k], column)
            found[:, k] += column
        if not np.may_share_memory(found, y):
            y[...] = np.reshape(found, np.shape(y))

    return product


# --- distances -------------------------------------------------------------------------------------------------------

_METRICS: dict[str, Callable[..., Any]] = {
    "euclidean": lambda a, b, w=1.0: np.sqrt(np.sum(w * (a - b) ** 2, axis=-1)),
    "sqeuclidean": lambda a, b, w=1.0: np.sum(w * (a - b) ** 2, axis=-1),
    "cityblock": lambda a, b, w=1.0: np.sum(w * np.abs(a - b), axis=-1),
    "chebyshev": lambda a, b: np.max(np.abs(a - b), axis=-1),
    "minkowski": lambda a, b, p=2.0, w=1.0: np.sum(w * np.abs(a - b) ** p, axis=-1) ** (1.0 / p),
    "canberra": lambda a, b, w=1.0: np.sum(w * np.abs(a - b) / (np.abs(a) + np.abs(b)), axis=-1),
    "braycurtis": lambda a, b, w=1.0: np.sum(w * np.abs(a - b), axis=-1) / np.sum(w * np.abs(a + b), axis=-1),
    "seuclidean": lambda a, b, V: np.sqrt(np.sum((a - b) ** 2 / V, axis=-1)),
    "mahalanobis": lambda a, b, VI: np.sqrt(np.sum(((a - b) @ VI) * (a - b), axis=-1)),
    "cosine": lambda a, b: (
        1.0 - np.sum(a * b, axis=-1) / (np.sqrt(np.sum(a * a, axis=-1)) * np.sqrt(np.sum(b * b, axis=-1)))
    ),
}  # fmt: skip


def _written(result: Any, out: Any) -> Any:
    if out is None:
        return result
    out[...] = result
    return out


def _known_options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in options.items() if v is not None}


def _across(metric: Callable[..., Any]) -> Callable[..., Any]:
    def distances(one: Any, two: Any, out: Any = None, **options: Any) -> Any:
        return _written(metric(one[:, None, :], two[None, :, :], **_known_options(options)), out)

    return distances


def _among(metric: Callable[..., Any]) -> Callable[..., Any]:
    def distances(points: Any, out: Any = None, **options: Any) -> Any:
        first, second = np.triu_indices(len(points), 1)
        return _written(metric(points[first], points[second], **_known_options(options)), out)

    return distances


def _to_square(square: Any, vector: Any) -> None:
    first, second = np.triu_indices(len(square), 1)
    square[first, second] = vector
    square[second, first] = vector


def _from_square(square: Any, vector: Any) -> None:
    vector[...] = square[np.triu_indices(len(square), 1)]


_SPARSE, _DISTANCE = "scipy.sparse._sparsetools", "scipy.spatial._distance"
_KNOWN: Mapping[str, Callable[..., Any]] = {
    **{f"{_SPARSE}.{name}_matvec": rule for name, rule in (
        ("csr", _of_rows), ("csc", _of_columns), ("coo", _of_pairs), ("dia", _of_diagonals))},
    **{f"{_SPARSE}.{name}": rule for name, rule in FORMATS.items()},
    **{f"{_SPARSE}.{name}_matvecs": _of_many(rule) for name, rule in (("csr", _of_rows), ("csc", _of_columns))},
    f"{_SPARSE}.dia_matvecs": lambda rows, columns, count, length, offsets, data, many, x, y: _of_many(_of_diagonals)(
        rows, columns, many, count, length, offsets, data, x, y
    ),
    **FILTERS,
    **SPLINES,
    **SYSTEMS,
    **LAPACK,
    **{
        f"{_DISTANCE}_{name}": made(metric)
        for key, metric in _METRICS.items()
        for kind, made in (("cdist", _across), ("pdist", _among))
        for name in (f"pybind.{kind}_{key}", f"wrap.{kind}_{key}_double_wrap")
    },
    f"{_DISTANCE}_wrap.to_squareform_from_vector_wrap": _to_square,
    f"{_DISTANCE}_wrap.to_vector_from_squareform_wrap": _from_square,
}  # fmt: skip
_LONG = frozenset({*FILTERS, *SPLINES, *SYSTEMS, *LAPACK})
