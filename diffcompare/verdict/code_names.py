"""What the arrays and numbers of a function are called where it stands."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.arrays import ArrayNode, Places
from diffcompare.program.expression import Expression
from diffcompare.program.expressions import Expressions
from diffcompare.program.numpy_keys import key_text
from diffcompare.tracing.keeping import names_of

__all__ = ["CodeNames", "item_text", "names_in", "quoted"]

# objects in objects, and elements of a list, that are looked at
_DEPTH, _LENGTH = 3, 24
# what is as short as this is written out
_LITERALS = 8


@dataclass(frozen=True, slots=True)
class CodeNames:
    """The names that a function can use, and what they stand for.

    Parameters
    ----------
    function : FunctionType
        The function that the code is in.
    owner : object
        What it is a method of; None for a plain function.
    signature : str
        Its parameters, as code.
    variable : str
        The parameter that stands for the point.
    arrays : list
        Texts, and the arrays that they stand for.
    floats : dict
        By the identity of a number, or of an array of such: its text.
    scope : dict
        The names of the module and of the functions around.
    """

    function: types.FunctionType
    owner: Any
    signature: str
    variable: str
    parameters: tuple[str, ...]
    arrays: list[tuple[str, NDArray[Any]]]
    floats: dict[int, str]
    scope: dict[str, Any]

    @property
    def numpy(self) -> str:
        """What NumPy is called beside the function."""
        return "np" if self.scope.get("np", np) is np and "np" not in self.parameters else "numpy"

    @property
    def special(self) -> str:
        """What ``scipy.special`` is called beside the function."""
        held = self.scope.get("special")
        own = held is None or getattr(held, "__name__", "") == "scipy.special"
        return "special" if own and "special" not in self.parameters else "scipy.special"

    @property
    def used(self) -> set[str]:
        """The names in the texts."""
        return {re.split(r"[.\[]", text)[0] for text in (*self.floats.values(), *(text for text, _ in self.arrays))}

    @property
    def ends(self) -> set[int]:
        """The whole numbers of the code, as in ``x[:-1]``."""
        found, left = set(), [self.function.__code__]
        while left:
            for value in left.pop().co_consts:
                if isinstance(value, types.CodeType):
                    left.append(value)
                elif type(value) is int:
                    found.add(value)
        return found

    def leaf(self, write: Expressions) -> Callable[[ArrayNode], Expression | None]:
        """Return what finds the name of a constant."""

        def found(node: ArrayNode) -> Expression | None:
            if not isinstance(node.payload, np.ndarray):
                return None
            if node.operation == "mask":
                mask = self.mask(node.payload)
                return None if mask is None else write.node("mask", (), node.shape, mask)
            text = self.text(node.payload)
            if text is not None and re.match(r"\w+\.eye\(\d+\)\[", text):
                return write.node("one_hot", (), node.shape, (1, text))
            return None if text is None else write.node("name", (), node.shape, text)

        return found

    def text(self, held: NDArray[Any]) -> str | None:
        """Write an array by its name, as a part of an array that has one, or as one that NumPy makes."""
        for text, array in self.arrays:
            if array.shape == held.shape and np.array_equal(array, held):
                return text
        for text, array in self.arrays:
            part = _part(text, array, held, self.places, self.numpy)
            if part is not None:
                return part
        return _made(held, self.numpy)

    def mask(self, held: NDArray[np.bool_]) -> str | None:
        """Write truth values as the name of such, or as a comparison of whole numbers that have one."""
        for text, array in self.arrays:
            if array.shape != held.shape or array.dtype.kind not in "biu":
                continue
            if array.dtype.kind == "b":
                if np.array_equal(array, held) or np.array_equal(~array, held):
                    return text if np.array_equal(array, held) else f"~{text}"
                continue
            for sign, answers in (("==", np.equal), ("!=", np.not_equal), (">", np.greater)):
                for value in np.unique(array)[:_LITERALS].tolist():
                    if np.array_equal(answers(array, value), held):
                        return f"{text} {sign} {value}"
        return None

    def places(self, held: Places) -> str | None:
        """Write an array of indices by its name."""
        for text, array in self.arrays:
            if array.dtype.kind == "b" and array.ndim == 1 and np.array_equal(np.flatnonzero(array), held):
                return text
            if array.dtype.kind not in "iu":
                continue
            if array.shape == held.shape and np.array_equal(array, held):
                return text
            line = _row(text, array, held)
            if line is not None:
                return line
        return None


def _part(
    text: str, array: NDArray[Any], held: NDArray[Any], places: Callable[[Places], str | None], numpy: str
) -> str | None:
    """Write what an array holds of another."""
    if array.dtype.kind in "iub" and array.ndim and set(np.unique(held)) <= {0.0, 1.0}:
        if held.ndim == 2 and array.ndim == 1 and len(held) == len(array) and array.dtype.kind != "b":
            k = held.shape[1]
            if array.min() >= 0 and array.max() < k and np.array_equal(np.eye(k)[array], held):
                return f"{numpy}.eye({k})[{text}]"
        if held.shape == array.shape:
            for value in np.unique(array)[:_LITERALS].tolist():
                if np.array_equal(array == value, held):
                    return f"({text} == {value})" if array.dtype.kind != "b" else f"~{text}" if not value else text
    if array.dtype.kind != "f" or not 0 < held.size < array.size:
        return None
    flat = array.reshape(-1)
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    if (np.diff(ordered) == 0).any():
        return _row(text, array, held)
    # what is larger than the last is not equal to it
    at = np.searchsorted(ordered[:-1], held)
    if not np.array_equal(ordered[at], held):
        return None
    key = key_text(array.shape, order[at], places, numpy=numpy)
    return None if key is None else f"{text}[{key}]"


def _row(text: str, array: NDArray[Any], held: NDArray[Any]) -> str | None:
    if array.ndim == 2:
        for axis, form in ((1, "{}[:, {}]"), (0, "{}[{}]")):
            lines = array.T if axis else array
            if lines.shape[1:] == held.shape:
                found = np.flatnonzero((lines == held).all(axis=1))
                if found.size:
                    return form.format(text, int(found[0]))
    return None


def _made(held: NDArray[Any], numpy: str) -> str | None:
    """Write an array that NumPy makes, or one of few numbers."""
    if held.ndim == 1 and held.size > 2:
        start, step = float(held[0]), float(held[1] - held[0])
        if start == int(start) and step == int(step) and np.array_equal(held, start + step * np.arange(held.size)):
            if start == 0 and step == 1:
                return f"{numpy}.arange({held.size})"
            stop = int(start + step * held.size)
            return f"{numpy}.arange({int(start)}, {stop}{f', {int(step)}' if step != 1 else ''})"
        if np.array_equal(held, np.linspace(held[0], held[-1], held.size)) and len(f"{held[0]!r}{held[-1]!r}") < 40:
            return f"{numpy}.linspace({_short(held[0])}, {_short(held[-1])}, {held.size})"
    if held.size <= _LITERALS and all(len(_short(v)) <= 8 for v in held.reshape(-1)):
        return f"{numpy}.array({held.tolist()})"
    return None


def _short(value: Any) -> str:
    return repr(float(value))


def names_in(f: Any, args: Sequence[Any]) -> CodeNames:
    """Return the names that a function and code beside it can use.

    Raises
    ------
    UnsupportedFunction
        It is no function of Python code.
    """
    function, owner = f, None
    if isinstance(f, types.MethodType):
        function, owner = f.__func__, f.__self__
    elif not isinstance(f, types.FunctionType):
        method = vars(type(f)).get("__call__")
        if not isinstance(method, types.FunctionType) or isinstance(f, type):
            raise UnsupportedFunction(
                f"f is {type(f).__name__}: code is derived of a function or a method; pass that, and args="
            )
        function, owner = method, f
    parameters = list(inspect.signature(function).parameters.values())
    names = [p.name for p in parameters]
    given = ([owner] if owner is not None else []) + [None, *args]
    if len(names) < len(given) or any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters[: len(given)]):
        raise UnsupportedFunction(
            f"{function.__name__} takes its arguments as *args or **kwargs: their names are not known; "
            "write them out, one by one"
        )
    scope = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            scope[name] = cell.cell_contents
        except ValueError:
            continue
    variable = names[len(given) - len(args) - 1]
    used = _used(function)
    values: dict[str, Any] = {n: v for n, v in zip(names, given, strict=False) if n != variable}
    texts = []
    for p in parameters:
        if p.name in values or p.name == variable:
            texts.append(p.name)
            continue
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        if p.default is p.empty:
            raise UnsupportedFunction(f"{function.__name__} needs {p.name}; pass args= with it")
        values[p.name] = p.default
        texts.append(f"{p.name}={_default(p.name, p.default, scope)}")
    found = CodeNames(function, owner, ", ".join(texts), variable, tuple(names), [], {}, scope)
    for name, value in values.items():
        _look_at(found, name, value, _DEPTH, set())
    for name in sorted((used - set(names)) & set(scope), key=lambda n: (n not in function.__code__.co_freevars, n)):
        _look_at(found, name, scope[name], _DEPTH, set())
    return found


def _default(name: str, value: Any, scope: dict[str, Any]) -> str:
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    text = (
        name if scope.get(name) is value else next((k for k, v in scope.items() if v is value and k.isidentifier()), "")
    )
    if not text:
        raise UnsupportedFunction(f"the default of {name} has no name in the module; give it one")
    return text


def _used(function: types.FunctionType) -> set[str]:
    """Return the names that a function uses, with those of the functions of its module that it calls."""
    found: set[str] = set()
    left = [function]
    seen = {id(function)}
    while left:
        one = left.pop()
        names = names_of(one.__code__) | set(one.__code__.co_freevars)
        found |= names
        for name in names:
            value = one.__globals__.get(name)
            if (
                isinstance(value, types.FunctionType)
                and value.__globals__ is function.__globals__
                and id(value) not in seen
            ):
                seen.add(id(value))
                left.append(value)
    return found


def _look_at(found: CodeNames, text: str, value: Any, depth: int, above: set[int]) -> None:
    """Note the arrays and numbers of a value, also inside objects."""
    if isinstance(value, float | np.floating):
        # equal numbers of a module may be one object
        found.floats[id(value)] = min(found.floats.get(id(value), text), text, key=len)
    elif type(value) is np.ndarray:
        if value.dtype.kind in "fiub":
            found.arrays.append((text, value))
        if value.dtype.kind == "f":
            found.floats.setdefault(id(value), text)
    elif depth and id(value) not in above:
        for inner, part in _parts(text, value):
            _look_at(found, inner, part, depth - 1, above | {id(value)})


def quoted(key: Any) -> str:
    """Write a key as a literal, in double quotes where that is as simple."""
    text = repr(key)
    return f'"{text[1:-1]}"' if text.startswith("'") and '"' not in text else text


def item_text(text: str, key: Any) -> str:
    """Write an element of a dict or a tuple."""
    return f"{text}[{quoted(key)}]"


def _parts(text: str, value: Any) -> Iterator[tuple[str, Any]]:
    if type(value) is dict and len(value) <= _LENGTH:
        for key, part in value.items():
            if isinstance(key, str | int):
                yield item_text(text, key), part
    elif type(value) in (list, tuple) and len(value) <= _LENGTH:
        for k, part in enumerate(value):
            yield f"{text}[{k}]", part
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for name, part in zip(value._fields, value, strict=True):
            yield f"{text}.{name}", part
    elif not isinstance(value, types.ModuleType | type | types.FunctionType):
        held = getattr(value, "__dict__", None)
        for name, part in held.items() if type(held) is dict and len(held) <= 4 * _LENGTH else ():
            if isinstance(name, str) and name.isidentifier():
                yield f"{text}.{name}", part
