"""Functions of the user's own modules, named as MODULE:function."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from difflib import get_close_matches
from functools import partial
from types import ModuleType, TracebackType
from typing import Any, NoReturn

from diffcompare.errors import DiffcompareError, shorten
from diffcompare.tracing.places import PACKAGE

__all__ = ["importable", "load_function", "loader_near", "without_place"]

_EXAMPLE = "write MODULE:function, such as model:loss or code/model.py:loss"


@contextmanager
def importable(*names: str, near: str = "") -> Iterator[None]:
    """Let modules be imported from the current directory, and from the directories of those given as a path.

    User code runs inside. What it raises that is no ``Exception``, and its ``sys.exit()`` and ``os._exit()``, is an
    error of its own, so that it never chooses our exit code. Whatever it does to the current directory and to stdout
    and stderr, they are as before afterwards.

    Parameters
    ----------
    names : str
        Names as :func:`load_function` takes them.
    near : str
        One more directory to import from, before the others.

    Raises
    ------
    DiffcompareError
        The code wanted to end the process, or raised what is no ``Exception``; or a name is no MODULE:function.
    """
    folders = [os.path.dirname(_split(name)[0]) for name in names if _is_path(_split(name)[0])]  # noqa: PTH120
    before = list(sys.path)
    sys.path[:0] = list(dict.fromkeys([near, "", *filter(None, folders)]))
    importlib.invalidate_caches()
    try:
        with _kept():
            yield
    except _Left as error:
        raise DiffcompareError(f"the code called os._exit({error.code!r}); a function must return") from None
    except SystemExit as error:
        raise DiffcompareError(f"the code called sys.exit({error.code!r}); a function must return") from None
    except BaseException as error:
        if isinstance(error, Exception | KeyboardInterrupt):
            raise
        raise DiffcompareError(f"the code raised {_described(error)}; a function must return") from None
    finally:
        sys.path[:] = before


class _Left(SystemExit):
    """The code called ``os._exit()``."""


@contextmanager
def _kept() -> Iterator[None]:
    """Keep what is the whole process's from the code inside: its end, its current directory, stdout and stderr."""
    process, leave, streams = os.getpid(), os._exit, (sys.stdout, sys.stderr)

    def refuse(status: int) -> NoReturn:
        if os.getpid() != process:  # a fork of the code's own
            leave(status)
        raise _Left(status)

    with ExitStack() as stack:
        here = _copy(stack, partial(os.open, os.curdir, os.O_RDONLY))
        copies = [_copy(stack, partial(os.dup, number)) for number in (1, 2)]
        os._exit = refuse
        try:
            yield
        finally:
            os._exit = leave
            if here is not None:
                os.fchdir(here)
            for number, copy in zip((1, 2), copies, strict=True):
                if copy is not None:
                    os.dup2(copy, number)
            sys.stdout, sys.stderr = map(_opened, (1, 2), streams)


def _opened(number: int, stream: Any) -> Any:
    """Return a stream as it was, or a new one where the code closed it."""
    if stream is None or not stream.closed:
        return stream
    return os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


def _copy(stack: ExitStack, make: Callable[[], int]) -> int | None:
    try:
        copy = make()
    except OSError:  # Windows opens no directories; a process may have been started without stdout
        return None
    stack.callback(os.close, copy)
    return copy


def loader_near(path: str) -> Callable[[str], AbstractContextManager[Callable[..., Any]]]:
    """Return what loads the functions that a file names: from its own directory, or from the current one.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    callable
        Takes ``MODULE:function`` and gives, for a ``with`` block in which it may run, the function. Errors are those
        of :func:`importable` and :func:`load_function`.
    """
    folder = os.path.dirname(path)  # noqa: PTH120

    @contextmanager
    def load(name: str) -> Iterator[Callable[..., Any]]:
        module, attributes = _split(name)
        # a file nearby is meant, whatever of that name was loaded for another study
        file = module if _is_path(module) else f"{module}.py"
        if "." not in module or _is_path(module):
            there = next((f for f in (os.path.join(folder, file), file) if os.path.isfile(f)), module)  # noqa: PTH113, PTH118
            name = f"{there}:{attributes}"
        with importable(name, near=folder):
            yield load_function(name, near=folder)

    return load


def load_function(name: str, *, near: str = "") -> Callable[..., Any]:
    """Import a module and return one of its functions. This runs the module's code.

    Parameters
    ----------
    name : str
        ``MODULE:function``. MODULE is a name that can be imported or the path of a .py file; the function may be
        an attribute of something in it, such as ``model:layer.loss``.
    near : str
        The directory of a study file that names it.

    Returns
    -------
    callable

    Raises
    ------
    DiffcompareError
        There is no such module or function, it is not a function, or importing the module failed. One line,
        without absolute paths.
    """
    module_name, attributes = _split(name)
    found: Any = _load_file(module_name) if _is_path(module_name) else _load_module(module_name, near)
    shown = _shown(module_name)
    for attribute in attributes.split("."):
        try:
            found = getattr(found, attribute)
        except AttributeError:
            raise DiffcompareError(f"{shown}: no function {_quote(attributes)}; {_remedy(found, attribute)}") from None
        except Exception as error:
            raise DiffcompareError(f"{shown}: {_quote(attributes)} cannot be had: {_described(error)}") from None
    if not callable(found):
        raise DiffcompareError(f"{shown}: {_quote(attributes)} is of type {type(found).__name__}; name a function")
    return found  # type: ignore[no-any-return]


def without_place(name: str) -> str:
    """Rewrite MODULE:function without an absolute path, for what others will read.

    >>> without_place("code/model.py:loss")
    'code/model.py:loss'
    """
    module, attributes = _split(name)
    return f"{_local(module)}:{attributes}"


def _split(name: str) -> tuple[str, str]:
    module, colon, attributes = name.rpartition(":")
    if not (colon and module and re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", attributes)):
        raise DiffcompareError(f"{_quote(name)}: names no function; {_EXAMPLE}")
    if not _is_path(module) and not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", module):
        raise DiffcompareError(f"{_quote(name)}: {_quote(module)} is no name of a module; {_EXAMPLE}")
    return module, attributes


def _is_path(module: str) -> bool:
    return module.endswith(".py")


def _shown(module: str) -> str:
    """Name a module without directories above the current one."""
    return shorten(_local(module), 80)


def _local(module: str) -> str:
    if not os.path.isabs(module):  # noqa: PTH117
        return module
    path = os.path.relpath(module)
    return os.path.basename(path) if path.startswith(os.pardir) else path  # noqa: PTH119


def _load_module(name: str, near: str) -> ModuleType:
    # the user's random.py is meant, even where the standard library's was loaded long ago
    if name in sys.modules and os.path.isfile(f"{name}.py"):  # noqa: PTH113
        return _load_file(f"{name}.py")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise _import_failure(name, error) from None
        entries = [entry for folder in dict.fromkeys([near or os.curdir, os.curdir]) for entry in os.listdir(folder)]  # noqa: PTH208
        files = [entry.removesuffix(".py") for entry in entries if _is_path(entry)]
        close = get_close_matches(name, files, n=1)
        remedy = f"did you mean {_quote(close[0])}?" if close else "give its name, or the path of its .py file"
        places = "beside the study file, in the current directory" if near else "in the current directory"
        raise DiffcompareError(f"no module {_quote(name)} {places} or among the installed packages; {remedy}") from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _import_failure(name, error) from None


def _load_file(path: str) -> ModuleType:
    shown = _shown(path)
    if not os.path.isfile(path):  # noqa: PTH113
        where = "" if os.path.isabs(path) else " below the current directory"  # noqa: PTH117
        raise DiffcompareError(f"no file {_quote(shown)}{where}; give the path of a .py file, or a module's name")
    name = os.path.basename(path).removesuffix(".py")  # noqa: PTH119
    known = sys.modules.get(name)
    if known is not None:
        if os.path.abspath(getattr(known, "__file__", None) or "") == os.path.abspath(path):  # noqa: PTH100
            return known
        name = f"{name} of {os.path.abspath(path)}"  # noqa: PTH100
        if name in sys.modules:
            return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DiffcompareError(f"{shown}: is no Python file; give the path of a .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look there
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        raise _import_failure(path, error) from None
    return module


def _import_failure(name: str, error: BaseException) -> DiffcompareError:
    remedy = "fix the module"
    if isinstance(error, ModuleNotFoundError) and error.name:
        remedy = f"install {_quote(error.name)} where diffcompare is installed, or fix the module"
    return DiffcompareError(f"{_shown(name)}: cannot be imported: {_described(error)}; {remedy}")


def _described(error: BaseException) -> str:
    """Say what was raised and where, in one line without absolute paths."""
    if isinstance(error, SyntaxError):
        text, place = error.msg, (error.filename or "", error.lineno or 0)
    else:
        text, place = str(error), _place(error.__traceback__)
    text = re.sub(r"(?<![\w.])(?:/[\w.@+-]+)+/(?=[\w.])|[A-Za-z]:\\(?:[\w.@+-]+\\)*", "", " ".join(text.split()))
    kind = "os._exit" if isinstance(error, _Left) else type(error).__name__
    what = f"{kind}: {shorten(text)}".removesuffix(": ")
    return f"{what} ({os.path.basename(place[0])}, line {place[1]})" if place[0] else what  # noqa: PTH119


def _place(traceback: TracebackType | None) -> tuple[str, int]:
    """Find the last line that is neither ours, nor the import machinery's, nor in a library."""
    found = ("", 0)
    libraries = (os.path.dirname(os.__file__), PACKAGE)  # noqa: PTH120
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if not file.startswith(("<", *libraries)) and "site-packages" not in file:
            found = (file, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def _remedy(found: object, attribute: str) -> str:
    names = [name for name in dir(found) if not name.startswith("_") and callable(getattr(found, name, None))]
    close = get_close_matches(attribute, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"choose from {', '.join(names[:8])}" if names else "it has no functions"


def _quote(text: str) -> str:
    return repr(shorten(text, 80))
