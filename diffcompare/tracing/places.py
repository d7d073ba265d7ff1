"""Where something happened in the user's code, as ``model.py:12``."""

from __future__ import annotations

import functools
import inspect
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

from diffcompare.tracing.foreign import Foreign

__all__ = [
    "PACKAGE", "Written", "called_library", "code_of", "defined_at", "is_library", "raised_at", "user_frame", "written",
]  # fmt: skip

# the folder of diffcompare: what happens there is no code of the user's
PACKAGE = str(Path(__file__).parents[1])
_STANDARD = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib")})
_INSTALLED = ("site-packages", "dist-packages")


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
