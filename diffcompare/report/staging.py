"""Hidden folders in which files wait for their place.

Such a folder is locked as long as the process lives that made it; the system takes the lock away when the process ends,
however it ends. So what a killed run left behind is told from what a running one needs. Where there are no such locks,
what is left stays.
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

__all__ = ["JOURNAL", "KEPT", "exchange", "held", "left_behind", "remove", "staging"]

_NAME = re.compile(r"\.diffcompare-[0-9a-f]{12}")
JOURNAL = "journal.json"  # as long as it is there, the folder holds what is needed to undo
KEPT = "kept"
# from <fcntl.h> and <linux/fs.h>
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def staging(directory: Path, is_ours: Callable[[str], object]) -> Iterator[Path]:
    """Make a hidden folder in a directory; at the end it and what is ours in it are removed.

    Parameters
    ----------
    directory : Path
        So it is on the same file system.
    is_ours : callable
        Tells by the name of a file whether it may be removed.
    """
    folder, lock = _made_and_locked(directory)
    try:
        yield folder
    finally:
        remove(folder, is_ours)
        os.close(lock)


@contextmanager
def left_behind(directory: Path, is_ours: Callable[[str], object]) -> Iterator[list[Path]]:
    """Give the hidden folders of runs that are dead; at the end they and what is ours in them are removed."""
    locks: dict[Path, int] = {}
    try:
        for path in _hidden(directory):
            with suppress(OSError):
                locks[path] = _lock(path)
        yield list(locks)
        for path in locks:
            remove(path, is_ours)
    finally:
        for lock in locks.values():
            os.close(lock)


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Let one process at a time change the files of a directory, where the system has such locks."""
    lock = None
    with suppress(OSError):
        lock = _lock(directory, wait=True)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two directories in one call of the system; False where it has none or refuses."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # macOS and Windows have none
        return False
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return bool(call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)


def remove(folder: Path, is_ours: Callable[[str], object]) -> None:
    """Remove what is ours in a folder, and the folder unless something else is in it."""
    if (folder / JOURNAL).exists():
        return
    for place in (folder / KEPT, folder):
        if place.is_symlink() or not place.is_dir():
            continue
        with suppress(OSError):
            for name in os.listdir(place):  # noqa: PTH208
                if is_ours(name):
                    (place / name).unlink(missing_ok=True)
            place.rmdir()


def _made_and_locked(directory: Path) -> tuple[Path, int]:
    while True:
        folder = directory / f".diffcompare-{secrets.token_hex(6)}"
        folder.mkdir()
        try:
            lock = _lock(folder)
            if folder.exists():
                return folder, lock
            # another run saw it before it was locked, and took it for one left behind
            os.close(lock)
        except (BlockingIOError, FileNotFoundError):
            continue
        except OSError:  # no locks here, so nobody can take it for one left behind
            return folder, os.open(os.devnull, os.O_RDONLY)


def _hidden(directory: Path) -> list[Path]:
    try:
        with os.scandir(directory) as entries:
            return [
                directory / e.name
                for e in entries
                if _NAME.fullmatch(e.name) and not e.is_symlink() and e.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []


def _lock(folder: Path, *, wait: bool = False) -> int:
    """Lock a folder for this process; ``BlockingIOError`` where another one holds it."""
    if sys.platform == "win32":
        raise OSError
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | (0 if wait else os.O_NOFOLLOW))
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BaseException:
        os.close(handle)
        raise
    return handle
