"""Code that a rebuilt copy of the user's does not see into, as the functions of Cython's classes."""

from __future__ import annotations

from typing import Any


class Compiled:
    """Calls a function, which calls NumPy."""

    __module__ = "_cython_of_a_test"

    def __init__(self, function: Any) -> None:
        self.function, self.__qualname__ = function, "compiled"

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)
