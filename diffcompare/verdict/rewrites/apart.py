"""A search in a copy of this process: what it does to the user's objects, files and output ends with the copy."""

from __future__ import annotations

import contextlib
import gc
import math
import os
import pickle
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar, cast

from diffcompare.watchdog import BUDGET, given_time, left_time

__all__ = ["APART", "CutShort", "Failed", "apart", "given_more", "given_seconds", "limited"]

T = TypeVar("T")

APART = all(hasattr(os, name) for name in ("fork", "waitpid")) and hasattr(signal, "setitimer")
# giving up takes time as well: what was made is freed before the next signal
_AGAIN = 0.25
# of processor time of its own, and by the clock, where the system or other programs have the processor: for the
# usual budget, and more for a larger one. What a search costs is counted, and ends it before that
_SECONDS, _PATIENCE = 15.0, 30.0
# tenths of a second for which the copy may wait: a lock that another thread held is never released there
_ASLEEP = 3
# what the copy may take beyond what the process has
_BYTES = 1 << 29
# collections of garbage between two of all there is
_NEVER = 1 << 30
# what leaves no trace
_HARMLESS = frozenset({"os.listdir", "os.scandir", "os.putenv", "os.unsetenv"})
_REFUSED = ("os.", "shutil.", "socket.", "subprocess.", "tempfile.", "sqlite3.", "ftplib.", "smtplib.")


# the code of a limit
_LIMITS = frozenset({__file__, contextlib.__file__})


class _TooLong(Exception):  # noqa: N818 - no error: what is tried is given up
    """What is tried takes much longer than the code as it is."""


class CutShort(Exception):  # noqa: N818 - no error: nothing is found
    """A search took more operations, or more time, than it may."""


class Failed(Exception):  # noqa: N818 - the search's, not the user's
    """A search met an error of its own."""


def apart(search: Callable[[], T]) -> T | None:
    """Return what a search finds, as plain data; None where it takes too much memory, or its copy is ended.

    Where a process cannot be copied the search is made here.

    Raises
    ------
    CutShort
        It raises that, or takes too much time.
    Failed
        It raises an error.
    """
    if not APART:
        return search()
    here, there = os.pipe()
    with warnings.catch_warnings():
        # other threads may hold locks: then the copy waits for them in vain, and is ended
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        _answer(search, there)
    ended = 0
    try:
        os.close(there)
        answer = _received(here, child)
    finally:
        os.close(here)
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)
        with suppress(OSError):
            ended = os.waitpid(child, 0)[1]
    if answer is None or (os.WIFSIGNALED(ended) and os.WTERMSIG(ended) == signal.SIGVTALRM):
        raise CutShort
    found = pickle.loads(answer) if answer else None  # noqa: S301 - our own bytes
    if isinstance(found, CutShort | Failed):
        raise found
    return cast("T", found)


def given_more() -> float:
    """Return how many times the usual budget was given, if more."""
    given = given_time() / BUDGET
    return max(1.0, given) if math.isfinite(given) else 1.0


def given_seconds() -> float:
    """Return the seconds of the processor after which a copy is ended."""
    return _SECONDS * given_more() if APART else math.inf


def _received(pipe: int, child: int) -> bytes | None:
    """Return what a copy writes, nothing where it waits for ever; None where that takes too long."""
    answer, asleep, before = b"", 0, None
    known = select.poll()
    known.register(pipe, select.POLLIN)
    over = time.monotonic() + min(_PATIENCE * given_more(), left_time())
    while asleep < _ASLEEP:
        if time.monotonic() >= over:
            return None
        if known.poll(100):
            part = os.read(pipe, 1 << 16)
            if not part:
                return answer
            answer += part
            continue
        now = _sleeping(child)
        asleep, before = asleep + 1 if now is not None and now == before else 0, now
    return b""


def _sleeping(child: int) -> list[str] | None:
    """Return the processor time of a process that waits; None where it runs, or that is not known."""
    try:
        state, *rest = Path(f"/proc/{child}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return rest[10:12] if state == "S" else None


def _answer(search: Callable[[], Any], pipe: int) -> Any:
    """Search in the copy, and end it: nothing that this process would do at its end may happen there."""
    try:
        _confined(pipe)
        try:
            answer = pickle.dumps(search())
        except MemoryError:
            answer = b""
        except CutShort as error:
            answer = pickle.dumps(error)
        except Exception as error:
            answer = pickle.dumps(Failed(f"{type(error).__name__}: {error}"))
        signal.setitimer(signal.ITIMER_PROF, 0)
        while answer:
            answer = answer[os.write(pipe, answer) :]
    finally:
        os._exit(0)


def _confined(pipe: int) -> None:
    """Limit time and memory; what is written goes nowhere, what would have other effects fails."""
    # to look through all that was made before takes longer than many a trial may, as it copies what is looked at
    gc.set_threshold(*gc.get_threshold()[:2], _NEVER)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_VIRTUAL, given_seconds())
    signal.signal(signal.SIGPROF, _give_up)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in [int(file.name) for file in Path("/dev/fd").iterdir()]:
        if number not in (pipe, nowhere):
            with suppress(OSError):
                # the folder itself is closed again
                os.fstat(number)
                os.dup2(nowhere, number)
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + _BYTES, most))
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes or (event.startswith(_REFUSED) and event not in _HARMLESS):
        raise PermissionError("nothing outside is changed")


def _give_up(_: int, frame: FrameType | None) -> None:
    # where a limit begins or ends nobody would catch it: elsewhere the next signal does; one may come when it is over
    over = signal.getitimer(signal.ITIMER_PROF)[1] == 0
    if not over and (frame is None or frame.f_code.co_filename not in _LIMITS):
        raise _TooLong


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Give code up that takes longer, again and again where it catches that: in a copy of the process alone."""
    if signal.getsignal(signal.SIGPROF) is not _give_up:
        yield
        return
    with suppress(_TooLong):
        # what fills memory spends the time of the system
        signal.setitimer(signal.ITIMER_PROF, seconds, seconds + _AGAIN)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
