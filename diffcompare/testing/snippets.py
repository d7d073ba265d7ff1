"""Values written as Python that makes them again, for the messages of failed assertions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from diffcompare.symbolic.function import SymbolicFunction

__all__ = ["call_source", "constructor_source", "print_constructor", "source"]

# beyond so many numbers nobody pastes them
_NUMBERS = 400


def source(value: Any) -> str | None:
    """Write a value as Python code that evaluates to it, bit for bit, with ``np`` and ``dc``; None where it is no data.

    >>> source({"w": np.array([0.1, np.nan]), "b": (1, 2.0)})
    "{'w': np.array([0.1, np.nan]), 'b': (1, 2.0)}"
    """
    if isinstance(value, SymbolicFunction):
        if value.source != "text":
            return None
        return f"dc.parse({value.formula!r}, variables={list(value.variables)!r})"
    if value is None or isinstance(value, bool | str | bytes):
        return repr(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return _number(value.item()) if value.dtype in (np.float64, np.int64, np.bool_) else _array(np.asarray(value))
    if isinstance(value, int | float):
        return _number(value)
    if type(value) is dict:
        items = [(source(k), source(v)) for k, v in value.items()]
        return None if any(None in item for item in items) else f"{{{', '.join(f'{k}: {v}' for k, v in items)}}}"
    if type(value) in (list, tuple):
        parts = [source(part) for part in value]
        if any(part is None for part in parts) or len(parts) > _NUMBERS:
            return None
        inner = ", ".join(str(part) for part in parts)
        return f"[{inner}]" if type(value) is list else f"({inner},)" if len(parts) == 1 else f"({inner})"
    return None


def _number(value: float) -> str | None:
    if isinstance(value, int) or math.isfinite(value):
        return repr(value)
    return "np.nan" if math.isnan(value) else "np.inf" if value > 0 else "-np.inf"


def _array(value: np.ndarray[Any, Any]) -> str | None:
    if value.dtype.kind not in "fiub" or value.dtype == np.longdouble or value.size > _NUMBERS:
        return None
    if not value.size:
        return f"np.empty({value.shape!r}, dtype={value.dtype.name!r})"
    numbers = _nested(value.tolist())
    usual = value.dtype in (np.float64, np.int64, np.bool_)
    return f"np.array({numbers})" if usual else f"np.array({numbers}, dtype={value.dtype.name!r})"


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_nested(part) for part in value)}]"
    return str(_number(value))


def constructor_source(case: Any) -> str:
    """Write a dataclass of ``diffcompare.testing`` as Python that makes it again after ``import diffcompare``."""
    parts = (f"{one.name}={_part_source(getattr(case, one.name))}" for one in fields(case))
    return f"diffcompare.testing.{type(case).__name__}({', '.join(parts)})"


def print_constructor(case: Any, printer: Any, _: bool) -> None:
    """Let printers that spell out dataclasses, Hypothesis's and IPython's, show what can be pasted."""
    printer.text(repr(case))


def _part_source(value: Any) -> str:
    if type(value) is SymbolicFunction:
        return f"diffcompare.parse({value.formula!r}, variables={list(value.variables)!r})"
    if not isinstance(value, tuple):
        return repr(value)
    return f"({', '.join(map(_part_source, value))}{',' * (len(value) == 1)})"


def call_source(function: str, names: Sequence[str], arguments: Mapping[str, Any]) -> list[str]:
    """Write the lines that call a function of diffcompare again.

    Parameters
    ----------
    function : str
    names : sequence of str
        Positional arguments that stand in the test under these names, or ``True``.
    arguments : mapping
        Keyword arguments; those that are no data go in by their names, and a comment says so.
    """
    written = {name: source(value) for name, value in arguments.items()}
    from_the_test = [
        *(name for name in names if name != "True"),
        *(name for name, text in written.items() if text is None),
    ]
    keywords = [f"{name}={name if text is None else text}" for name, text in written.items()]
    lines = ["import diffcompare as dc"]
    if any("np." in keyword for keyword in keywords):
        lines.append("import numpy as np")
    return [
        *lines,
        f"# {_listed(from_the_test)} as in the test",
        f"result = {function}({', '.join([*names, *keywords])})",
    ]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
