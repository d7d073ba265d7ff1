"""Code as a program of arrays in which calls of NumPy and SciPy stay whole, for who writes code of it.

A maximum or a logarithm of a sum of exponentials is one node with the name of its function here, where a program for
balls has a choice among the numbers as they are at the point. Comparisons are arrays that know what was compared.
"""

# ruff: noqa: ARG001 - every rule takes the function, and then its arguments

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.floats import Floats
from diffcompare.tracing.array_table import ArrayGuard, ArrayTable
from diffcompare.tracing.composed_reductions import axes_of
from diffcompare.tracing.handle import Handle, floats_of, has_handles, made, stored
from diffcompare.tracing.rebuild import Rebuilder

__all__ = ["Mask", "NamingRebuilder", "WholeCalls"]


class NamingRebuilder(Rebuilder):
    """Makes copies of functions in which what has a name is known by it, and by no other number of the same value.

    ``names``: the name of each number and array by its identity.
    """

    names: Mapping[int, str] = {}

    def value(self, value: Any) -> Any:
        """Return what stands for a value."""
        if id(value) not in self.names:
            return super().value(value)
        held = self._done.get(id(value))
        if held is None:
            floats = np.array(value)
            node = self.table.build.whole("named", (), floats.shape, self.names[id(value)])
            found = stored(self.table, node, floats, computed=False)
            found.weak = type(value) is float
            held = self._done[id(value)] = (value, found)
        return held[1]


class Mask(np.ndarray[Any, np.dtype[np.bool_]]):
    """Answers of a comparison that know their node; what NumPy makes of them without being asked does not."""

    node: int | None = None
    table: WholeCalls | None = None

    def __array_finalize__(self, base: Any) -> None:
        self.node, self.table = None, None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = tuple(np.asarray(v) if isinstance(v, Mask) else v for v in inputs)
        name = _LOGIC.get(ufunc)
        known = [v.node for v in inputs if isinstance(v, Mask) and v.node is not None]
        table = self.table
        if table is None or method != "__call__" or options or len(known) < len(inputs):
            if table is not None and known and method == "__call__" and not options and name is None:
                return ufunc(*map(table.number_of, inputs))
            for value in inputs:
                if isinstance(value, Mask):
                    value.taken()
            return getattr(ufunc, method)(*plain, **options)
        if name is None:
            return ufunc(*map(table.number_of, inputs))
        answers = ufunc(*plain)
        return table.mask(table.build.whole(name, known, answers.shape), answers)

    def taken(self) -> NDArray[np.bool_]:
        """Return the answers as they are here: the trace holds for these alone."""
        if self.table is not None and self.node is not None:
            self.table.settle(self.node)
        return np.asarray(self)

    def __bool__(self) -> bool:
        return bool(self.taken())

    def __getitem__(self, key: Any) -> Any:
        return self.taken()[key]

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the answers as numbers."""
        kind = np.dtype(getattr(dtype, "own_type", dtype))
        if self.node is None or self.table is None or kind.kind != "f":
            return self.taken().astype(kind, *args, **kwargs)
        return self.table.number_of(self)


_LOGIC = {
    np.logical_and: "and", np.bitwise_and: "and", np.logical_or: "or", np.bitwise_or: "or", np.logical_not: "not",
    np.invert: "not",
}  # fmt: skip


class WholeCalls(ArrayTable):
    """A table in which calls stay whole."""

    def __init__(self, point: Floats) -> None:
        super().__init__(point)
        self._followed: set[int] = set()
        self._settled: set[int] = set()
        self._masks: dict[int, list[int]] = {}

    @property
    def lost(self) -> list[ArrayGuard]:
        """The decisions that shaped the trace, so that it holds on one side of them alone."""
        return [guard for k, guard in enumerate(self.guards) if k in self._settled or k not in self._followed]

    def decided(self, operation: str, nodes: tuple[int, int], floats: tuple[Floats, Floats]) -> NDArray[np.bool_]:
        """Record a comparison; an array of answers is one that knows its node."""
        before = len(self.guards)
        answers = super().decided(operation, nodes, floats)
        found = self.mask(self.build.whole(operation, nodes, answers.shape), answers)
        if len(self.guards) > before:
            self._masks.setdefault(found.node or 0, []).append(before)
        return found

    def mask(self, node: int, answers: NDArray[np.bool_]) -> Mask:
        """Return answers that know their node."""
        found = np.array(answers, dtype=bool).view(Mask)
        found.node, found.table = node, self
        return found

    def whole(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return the result of a function that is kept in one piece."""
        rule = _RULES.get(function) or _BY_NAME.get(getattr(function, "__name__", ""))
        if rule is None or not (has_handles(list(args)) or has_handles(dict(kwargs)) or _has_masks(args)):
            return None
        try:
            return rule(self, function, *args, **kwargs)
        except _OtherwiseError:
            return None

    def number_of(self, value: Any) -> Handle:
        """Return numbers, and answers as ones and zeros, as a handle."""
        if isinstance(value, Mask) and value.node is not None:
            self._followed |= self._guards_of(value.node)
            return stored(self, value.node, np.asarray(value).astype(float))
        return made(self, value)

    def settle(self, node: int) -> None:
        """Note that answers were used as they are here."""
        self._settled |= self._guards_of(node)

    def _guards_of(self, node: int) -> set[int]:
        below = set(self.build.needed([node]))
        return {k for n, numbers in self._masks.items() if n in below for k in numbers}


class _OtherwiseError(Exception):
    """A call with arguments that are not kept whole."""


def _has_masks(args: Sequence[Any]) -> bool:
    return any(isinstance(v, Mask) and v.node is not None for v in args)


Rule = Callable[..., Any]


def _elementwise(name: str) -> Rule:
    def rule(table: WholeCalls, function: Any, *args: Any) -> Any:
        numbers = [table.number_of(a) for a in args]
        with np.errstate(all="ignore"):
            floats = function(*(floats_of(n) for n in numbers))
        return stored(table, table.build.raw(name, *(n.node for n in numbers)), floats)

    return rule


def _arithmetic(name: str) -> Rule:
    """Return a rule for what is in the table: it is for masks alone."""
    written = _elementwise(name)

    def rule(table: WholeCalls, function: Any, *args: Any) -> Any:
        if not _has_masks(args):
            raise _OtherwiseError
        return written(table, function, *args)

    return rule


def _where(table: WholeCalls, function: Any, condition: Any, *choices: Any) -> Any:
    if not isinstance(condition, Mask) or condition.node is None or len(choices) != 2:
        raise _OtherwiseError
    mask = table.number_of(condition)
    numbers = [table.number_of(v) for v in choices]
    floats = function(np.asarray(condition), *map(floats_of, numbers))
    return stored(table, table.build.whole("where", [mask.node, *(n.node for n in numbers)], floats.shape), floats)


def _clip(table: WholeCalls, function: Any, a: Any, low: Any = None, high: Any = None, **named: Any) -> Any:
    low, high = named.pop("a_min", low), named.pop("a_max", high)
    if any(v is not None for v in named.values()):
        raise _OtherwiseError
    if low is None or high is None:
        return np.minimum(a, high) if low is None else np.maximum(a, low)
    numbers = [table.number_of(v) for v in (a, low, high)]
    floats = np.clip(*map(floats_of, numbers))
    return stored(table, table.build.raw("clip", *(n.node for n in numbers)), floats)


def _along(name: str) -> Rule:
    """Return a rule for what goes along axes and returns one number for all, or each, of them."""

    def rule(table: WholeCalls, function: Any, a: Any, axis: Any = None, *rest: Any, **named: Any) -> Any:
        keepdims = named.pop("keepdims", False) is True
        ddof = named.pop("ddof", None)
        if rest or any(v is not None and v is not np._NoValue and v is not True for v in named.values()):
            raise _OtherwiseError
        array = table.number_of(a)
        axes = axes_of(axis, array.ndim)
        options = {} if ddof is None else {"ddof": ddof}
        floats = np.asarray(function(array.floats, axis=axis, **options))
        node = table.build.whole(name, [array.node], floats.shape, axes if ddof is None else (axes, ddof))
        if keepdims:
            shape = tuple(1 if k in axes else n for k, n in enumerate(array.shape))
            node, floats = table.build.reshape(node, shape), floats.reshape(shape)
        return stored(table, node, floats)

    return rule


def _norm(table: WholeCalls, function: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002
    if ord is not None or axis is not None or keepdims:
        raise _OtherwiseError
    array = made(table, x)
    return stored(table, table.build.whole("norm", [array.node], ()), np.asarray(np.linalg.norm(array.floats)))


def _matrix(name: str, *, of: Callable[[Any], Any], shaped: bool = True) -> Rule:
    def rule(table: WholeCalls, function: Any, a: Any, *rest: Any, **named: Any) -> Any:
        array = made(table, a)
        lower = named.pop("lower", name != "factor")
        if rest or array.ndim != 2 or any(k != "check_finite" for k in named):
            raise _OtherwiseError
        floats = np.asarray(of(array.floats))
        node = table.build.whole("cholesky" if name == "factor" else name, [array.node], array.shape if shaped else ())
        found = stored(table, node, floats)
        return found if lower or name != "factor" else found.T

    return rule


def _solve(table: WholeCalls, function: Any, a: Any, b: Any, **named: Any) -> Any:
    matrix, right = made(table, a), made(table, b)
    if matrix.ndim != 2 or right.ndim > 2 or any(k not in ("check_finite", "assume_a") for k in named):
        raise _OtherwiseError
    floats = function(matrix.floats, right.floats, **named)
    return stored(table, table.build.whole("solve", [matrix.node, right.node], right.shape), floats)


def _triangular(
    table: WholeCalls, function: Any, a: Any, b: Any, trans: Any = 0, lower: bool = False, **named: Any
) -> Any:
    matrix = made(table, a)
    of_cholesky = _is_factor(table, matrix.node, lower=lower)
    if not of_cholesky or any(k != "check_finite" for k in named):
        raise _OtherwiseError
    return _solve(table, np.linalg.solve, matrix.T if trans in (1, "T") else matrix, b)


def _is_factor(table: WholeCalls, node: int, *, lower: bool) -> bool:
    found = table.build.nodes[node]
    if found.operation == "transpose":
        return _is_factor(table, found.operands[0], lower=not lower)
    return found.operation == "cholesky" and lower


def _moved(name: str, *options: str) -> Rule:
    """Return a rule for what moves the elements of one array."""

    def rule(table: WholeCalls, function: Any, a: Any, *rest: Any, **named: Any) -> Any:
        array = table.number_of(a)
        given = dict(zip(options, rest, strict=False)) | dict(named)
        if (
            len(rest) > len(options)
            or set(given) - set(options)
            or any(not isinstance(v, int | None) for v in given.values())
        ):
            raise _OtherwiseError
        floats = np.array(function(array.floats, **given))
        payload = tuple(sorted(given.items()))
        return stored(table, table.build.whole(name, [array.node], floats.shape, payload), floats)

    return rule


def _joined(table: WholeCalls, function: Any, arrays: Any, axis: Any = 0, **named: Any) -> Any:
    if named or axis is None or isinstance(arrays, Handle):
        raise _OtherwiseError
    parts: list[Any] = [table.number_of(a) for a in arrays]
    floats = function([p.floats for p in parts], **({"axis": axis} if axis else {}))
    axis = int(axis) % floats.ndim
    if function is np.stack:
        parts = [p.reshape(*p.shape[:axis], 1, *p.shape[axis:]) for p in parts]
    elif function is np.vstack:
        parts = [p if p.ndim == 2 else p.reshape(1, -1) for p in parts]
    elif function is np.column_stack:
        parts, axis = [p if p.ndim == 2 else p.reshape(-1, 1) for p in parts], 1
    elif function is np.hstack:
        if {p.ndim for p in parts} not in ({1}, {2}):
            raise _OtherwiseError
        axis = floats.ndim - 1
    return stored(table, table.build.whole("concatenate", [p.node for p in parts], floats.shape, axis), floats)


def _remainder(table: WholeCalls, function: Any, a: Any, b: Any) -> Any:
    return np.subtract(a, np.multiply(b, np.floor_divide(made(table, a), b)))


def _convolve(table: WholeCalls, function: Any, a: Any, v: Any, mode: str = "full") -> Any:
    one, two = made(table, a), made(table, v)
    if one.ndim != 1 or two.ndim != 1 or len(one) < len(two):
        raise _OtherwiseError
    floats = np.convolve(one.floats, two.floats, mode)  # type: ignore[call-overload]
    return stored(table, table.build.whole("convolve", [one.node, two.node], floats.shape, mode), floats)


def _place_of_extreme(table: WholeCalls, function: Any, a: Any, axis: Any = None, **_: Any) -> Any:
    # that it is the largest, or smallest, is a decision
    largest = np.max if function is np.argmax else np.min
    np.equal(made(table, a), largest(a, axis=axis, keepdims=True))
    raise _OtherwiseError


_RULES: dict[Any, Rule] = {
    np.argmax: _place_of_extreme, np.argmin: _place_of_extreme,
    **{f: _elementwise(f.__name__) for f in (np.maximum, np.minimum, np.logaddexp, np.sign, np.floor, np.ceil,
                                          np.rint, np.trunc, np.floor_divide)},
    np.remainder: _remainder,
    np.fmax: _elementwise("maximum"), np.fmin: _elementwise("minimum"),
    np.absolute: _elementwise("absolute"), np.fabs: _elementwise("absolute"),
    **{f: _arithmetic(f.__name__) for f in (np.add, np.subtract, np.multiply, np.divide)},
    np.convolve: _convolve, np.where: _where, np.clip: _clip,
    np.max: _along("max"), np.min: _along("min"), np.var: _along("var"), np.prod: _along("prod"),
    np.std: _along("std"), np.mean: _along("mean"), np.linalg.norm: _norm,
    np.linalg.inv: _matrix("inv", of=np.linalg.inv), np.linalg.solve: _solve,
    np.linalg.cholesky: _matrix("cholesky", of=np.linalg.cholesky),
    np.linalg.det: _matrix("determinant", of=np.linalg.det, shaped=False),
    np.diag: _moved("diag"), np.tril: _moved("tril", "k"), np.triu: _moved("triu", "k"),
    np.roll: _moved("roll", "shift", "axis"), np.flip: _moved("flip", "axis"), np.diff: _moved("diff", "n", "axis"),
    np.concatenate: _joined, np.hstack: _joined, np.vstack: _joined, np.stack: _joined, np.column_stack: _joined,
}  # fmt: skip
# SciPy's, which may not be installed
_BY_NAME: dict[str, Rule] = {
    **{n: _elementwise(n) for n in ("expit", "log_expit", "xlogy", "logit", "ndtr")},
    **{n: _along(n) for n in ("logsumexp", "softmax", "log_softmax")},
    "cholesky": _matrix("factor", of=np.linalg.cholesky), "inv": _RULES[np.linalg.inv], "det": _RULES[np.linalg.det],
    "solve": _solve, "solve_triangular": _triangular,
}  # fmt: skip
