"""Calls that nothing can interrupt, under a limit of time and memory: in a child process that is killed.

FLINT and SymPy answer neither signals nor deadlines. What counting cannot bound is asked of a child, which is started
when it is first needed, kept, and ends with this process. Its processor time is limited by a timer of the kernel, so
that the answer does not depend on what else the machine does; where the system has none, by the clock.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

__all__ = ["Account", "ask", "one_account", "serve"]

# processor time of children for one account: a formula costs 2 s at a point, whatever else is done there
_SECONDS = 1.0
# what a child may take beyond what it has when it starts to serve
_BYTES = 150 << 20
_REPLY_BYTES = 1 << 20
# by the clock: to start, and for an answer while other programs have the processor
_START, _PATIENCE = 60.0, 30.0
_HAS_TIMER = hasattr(signal, "ITIMER_PROF")
_HEADER = struct.Struct("<dQ")


@dataclass(slots=True)
class Account:
    """What is left of the processor time of children, in seconds."""

    left: float = _SECONDS


_CURRENT: ContextVar[Account | None] = ContextVar("account", default=None)


@contextmanager
def one_account() -> Iterator[Account]:
    """Let all that is asked inside share one account; that of an outer call holds on."""
    account = _CURRENT.get()
    if account is not None:
        yield account
        return
    account = Account()
    token = _CURRENT.set(account)
    try:
        yield account
    finally:
        _CURRENT.reset(token)


# by the service; a process that was forked has none of its parent's
_CHILDREN: dict[str, subprocess.Popen[bytes]] = {}
_INHERITED: list[dict[str, subprocess.Popen[bytes]]] = []
_LOCK = threading.Lock()


def _forget() -> None:
    global _CHILDREN, _LOCK
    _INHERITED.append(_CHILDREN)
    _CHILDREN, _LOCK = {}, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def ask(service: str, request: Any) -> Any:
    """Let a child answer; None where it fails, or exceeds what is left of the account or its memory.

    Parameters
    ----------
    service : str
        ``"module:function"``: a function of one argument that is served.
    request : object
        Plain data; so is the answer.
    """
    with one_account() as account, _LOCK:
        if account.left <= 0:
            return None
        child = _CHILDREN.get(service) or _started(service)
        if child is None:
            return None
        try:
            used, answer = _exchange(child, pickle.dumps(request), account.left)
        except (OSError, EOFError):
            # killed: it has used up what was left
            used, answer = account.left, None
            _end(service)
        except BaseException:
            _end(service)
            raise
        account.left -= used
        return answer


def _started(service: str) -> subprocess.Popen[bytes] | None:
    if not sys.executable or getattr(sys, "frozen", False):
        return None
    module, function = service.split(":")
    path = [str(Path(__file__).parents[1]), *filter(None, sys.path)]
    source = (
        f"import sys; sys.path[:] = {path!r}; from {module} import {function}; "
        f"from {__name__} import serve; serve({function})"
    )
    try:
        child = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-c", source],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # SymPy orders by hashes
            env={**os.environ, "PYTHONHASHSEED": "0"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError:
        return None
    _CHILDREN[service] = child
    try:
        _receive(child, _START)
    except (OSError, EOFError):
        _end(service)
        return None
    except BaseException:
        _end(service)
        raise
    return child


def _exchange(child: subprocess.Popen[bytes], request: bytes, seconds: float) -> tuple[float, Any]:
    assert child.stdin is not None
    _write(child.stdin, seconds, request)
    used, answer = _receive(child, _PATIENCE if _HAS_TIMER else seconds)
    return used, pickle.loads(answer)  # noqa: S301 - our own bytes


def _receive(child: subprocess.Popen[bytes], seconds: float) -> tuple[float, bytes]:
    assert child.stdout is not None
    guard = threading.Timer(seconds, child.kill)
    guard.daemon = True
    guard.start()
    try:
        return _read(child.stdout)
    finally:
        guard.cancel()


def _write(stream: IO[bytes], seconds: float, message: bytes) -> None:
    stream.write(_HEADER.pack(seconds, len(message)) + message)
    stream.flush()


def _read(stream: IO[bytes]) -> tuple[float, bytes]:
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise EOFError
    seconds, size = _HEADER.unpack(header)
    message = stream.read(size)
    if len(message) < size:
        raise EOFError
    return seconds, message


def _end(service: str) -> None:
    child = _CHILDREN.pop(service)
    child.kill()
    for stream in (child.stdin, child.stdout):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
    child.wait()


@atexit.register
def _end_all() -> None:
    for service in list(_CHILDREN):
        _end(service)


def serve(function: Callable[[Any], Any]) -> None:
    """Answer requests until there are no more; the process is killed in the one that exceeds its limits."""
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # nothing else may write among the replies
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory()
    _write(replies, 0.0, b"")
    while True:
        try:
            seconds, request = _read(requests)
        except EOFError:
            return
        start = time.process_time()
        if _HAS_TIMER:
            signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            reply = pickle.dumps(function(pickle.loads(request)))  # noqa: S301 - our own bytes
        except Exception:
            reply = b""
        if _HAS_TIMER:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
        if not reply or len(reply) > _REPLY_BYTES:
            reply = pickle.dumps(None)
        _write(replies, time.process_time() - start, reply)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return
    limit = pages * resource.getpagesize() + _BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
