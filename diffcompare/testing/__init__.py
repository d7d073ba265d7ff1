"""diffcompare inside people's tests.

The public names are loaded when they are first used: a pytest plugin lives here, and pytest loads it in every run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffcompare.testing.assertions import assert_gradient
    from diffcompare.testing.strategies import steps

_HOME = {
    "assert_gradient": "assertions",
    "steps": "strategies",
}

__all__ = [
    "assert_gradient",
    "steps",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        value = getattr(import_module(f"diffcompare.testing.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'diffcompare.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
