"""Where something happened in the user's code, as ``model.py:12``."""

from __future__ import annotations

import functools
import inspect
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

import numpy as np

from diffcompare.tracing.foreign import Foreign

__all__ = [
    "PACKAGE", "Place", "Written", "called_from", "called_library", "code_of", "defined_at", "here", "is_foreign",
    "is_library", "place_last", "raised_at", "user_frame", "written",
]  # fmt: skip

# the folder of diffcompare: what happens there is no code of the user's
PACKAGE = str(Path(__file__).parents[1])
_STANDARD = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib")})
_INSTALLED = ("site-packages", "dist-packages")
_NUMPY = str(Path(np.__file__).parent)
# the module that calls the user's function
_RECORDER = str(Path(__file__).with_name("trace.py"))


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the user's code; ``offset`` tells two places in one line apart."""

    file: str
    function: str
    line: int
    offset: int = 0

    def __str__(self) -> str:
        """Say it: ``line 12 of loss (model.py)``."""
        return f"line {self.line} of {self.function} ({self.file})" if self.line else self.function


def place_last(message: str) -> str:
    """Write a message that begins with a place as one that ends with it: ``… (model.py:12)``."""
    found = re.match(r"line (\d+) of \S+ \((.+?)\): ", message)
    return message if found is None else f"{message[found.end() :]} ({found[2]}:{found[1]})"


# file, first line, name and bytes of code
Written = tuple[str, int, str, bytes]


def written(code: CodeType) -> Written:
    """Return what tells code from other code: a copy of it that holds other constants is written at the same place."""
    return code.co_filename, code.co_firstlineno, code.co_qualname, code.co_code


@functools.lru_cache(maxsize=4096)
def is_library(file: str) -> bool:
    """Tell whether a file of code belongs to an installed package, to Python itself or to diffcompare."""
    # text that was compiled is called <string> or <ipython-input-1>: the user's, but for two kinds of Python's own
    if file.startswith(("<frozen", "<__array_function__")):
        return True
    return file.startswith((PACKAGE, *_STANDARD)) or any(part in _INSTALLED for part in Path(file).parts)


def here() -> Place:
    """Return the innermost place in the user's code."""
    return called_from(sys._getframe(1), is_foreign)[0]


def called_from(
    frame: FrameType | None, foreign: Callable[[str], bool]
) -> tuple[Place, FrameType | None, FrameType | None]:
    """Return the innermost place in files that are not foreign, its frame, and the frame of what it called."""
    callee = None
    while frame is not None and foreign(frame.f_code.co_filename):
        # what called for the trace is no code of the function: a builtin has none
        callee, frame = frame, None if frame.f_code.co_filename == _RECORDER else frame.f_back
    if frame is None:
        return Place("?", "the function", 0), None, callee
    code = frame.f_code
    return Place(Path(code.co_filename).name, code.co_name, frame.f_lineno, frame.f_lasti), frame, callee


_FOREIGN: dict[str, bool] = {}


def is_foreign(file: str) -> bool:
    """Tell whether a file of code is diffcompare's or NumPy's."""
    found = _FOREIGN.get(file)
    if found is None:
        found = _FOREIGN[file] = file.startswith((PACKAGE, _NUMPY)) or file == "<__array_function__ internals>"
    return found


def frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """Return the frames of a traceback and their lines, the innermost last."""
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def user_frame(error: BaseException) -> tuple[FrameType, int] | None:
    """Return the innermost frame that is no library's, and its line; else the innermost that is not diffcompare's."""
    found = list(frames(error.__traceback__))
    own = [(f, line) for f, line in found if not is_library(f.f_code.co_filename)]
    others = [(f, line) for f, line in found if not f.f_code.co_filename.startswith(PACKAGE)]
    found = own or others
    return found[-1] if found else None


def raised_at(error: BaseException) -> str:
    """Return the file and line of the user's code where an exception was raised; empty where they are not known."""
    found = user_frame(error)
    return "" if found is None else f"{Path(found[0].f_code.co_filename).name}:{found[1]}"


def called_library(error: BaseException) -> str:
    """Return the name of the library's function, as ``scipy.stats.norm.cdf``, in which the user's code failed."""
    found = list(frames(error.__traceback__))
    user = user_frame(error)
    below = found[next((k for k, one in enumerate(found) if one == user), len(found)) + 1 :]
    for frame, _ in below:
        code, module = frame.f_code, str(frame.f_globals.get("__name__", ""))
        if code.co_filename.startswith(PACKAGE) or module.partition(".")[0] == "numpy":
            # what stands for the functions that are traced
            return ""
        # where it can be imported from
        public = ".".join(takewhile(lambda part: not part.startswith("_"), module.split(".")))
        names = vars(sys.modules.get(public, sys))
        owner = next((k for k, v in names.items() if v is frame.f_locals.get("self", frame)), "")
        return f"{public}.{owner}.{code.co_name}" if owner else f"{public}.{code.co_qualname}"
    return ""


def code_of(function: Any) -> CodeType | None:
    """Return the code of a function, a method or what can be called; None where there is none, and for our own.

    What our own functions hold in a partial is the user's function, their first argument.
    """
    if isinstance(function, Foreign):
        function = function.traceable
    while isinstance(function, functools.partial):
        own = getattr(getattr(function.func, "__code__", None), "co_filename", "").startswith(PACKAGE)
        function = function.args[0] if own and function.args else function.func
    with suppress(ValueError):
        function = inspect.unwrap(function)
    method = function if hasattr(function, "__code__") else vars(type(function)).get("__call__")
    code = getattr(method, "__code__", None)
    return code if isinstance(code, CodeType) and not code.co_filename.startswith(PACKAGE) else None


def defined_at(function: Any) -> str:
    """Return the file and line where a function is written; empty where they are not known."""
    code = code_of(function)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code else ""
