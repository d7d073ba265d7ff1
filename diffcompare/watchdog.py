"""Calls that nothing can interrupt, under a limit of time and memory: in a child process that is killed.

FLINT and SymPy answer neither signals nor deadlines. What counting cannot bound is asked of a child, which is started
when it is first needed, kept, and ends with this process. Its processor time is limited by a timer of the kernel, so
that the answer does not depend on what else the machine does; where the system has none, by the clock.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import ContextDecorator, contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar, cast

from diffcompare.line_tracing import users_lines_alone

__all__ = [
    "BUDGET",
    "OutOfTime",
    "account_for_each_place",
    "ask",
    "calls_of",
    "count_call",
    "end_children",
    "given_time",
    "in_time",
    "left_time",
    "on_time",
    "one_account",
    "serve",
    "time_limit",
]

P = ParamSpec("P")
R = TypeVar("R")

# processor time of children for one account: a formula costs 2 s at a point, whatever else is done there
_SECONDS = 0.5
# what an answer costs at least: the way there and back
_LEAST = 0.0005
# what a child may take beyond what it has when it starts to serve
_BYTES = 150 << 20
_REPLY_BYTES = 1 << 20
# an account keeps at most a thousand answers of this size
_KEPT_BYTES = 1 << 12
# by the clock: to start, and for an answer while other programs have the processor
_START, _PATIENCE = 60.0, 30.0
_HAS_TIMER = hasattr(signal, "ITIMER_PROF")
_HEADER = struct.Struct("<dQ")


class OutOfTime(BaseException):
    """The budget of a check ran out, by the clock. Nothing that catches the errors of code may catch this."""


# seconds that a check may take
BUDGET = 60.0
# the seconds that were given, and when they are over
_LIMIT: ContextVar[tuple[float, float]] = ContextVar("limit", default=(math.inf, math.inf))


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let :func:`on_time` raise when so much time has gone by, or when that of an outer limit has."""
    over = time.monotonic() + seconds
    token = _LIMIT.set((seconds, over) if over < _LIMIT.get()[1] else _LIMIT.get())
    try:
        yield
    finally:
        _LIMIT.reset(token)


@dataclass(slots=True)
class _Calls:
    """How many calls of the user's code are allowed, how many were made, and how many of each callable."""

    limit: float
    all: int = 0
    made: dict[int, tuple[object, int]] = field(default_factory=dict)


_CALLS: ContextVar[_Calls | None] = ContextVar("calls", default=None)


def count_call(function: object) -> None:
    """Count a call of the user's code; raise :class:`OutOfTime` where those that are allowed were made."""
    calls = _CALLS.get()
    if calls is None:
        return
    if calls.all >= calls.limit:
        raise OutOfTime(f"the {calls.limit:,} evaluations that were allowed were made; pass more")
    calls.all += 1
    # kept with its count, so that no other object gets its id
    calls.made[id(function)] = function, calls_of(function) + 1


def calls_of(function: object) -> int:
    """Return how often a callable was called in the check that runs."""
    calls = _CALLS.get()
    return 0 if calls is None else calls.made.get(id(function), (function, 0))[1]


def in_time(check: Callable[P, R]) -> Callable[P, R]:
    """Limit a function by its arguments ``budget`` and ``evaluations``, which it refuses itself if they are none."""

    @wraps(check)
    def limited(*args: P.args, **options: P.kwargs) -> R:
        budget, evaluations = options.get("budget", BUDGET), options.get("evaluations")
        own = _Calls(evaluations if isinstance(evaluations, int) else math.inf)
        # a check that is part of another one shares its calls
        token = _CALLS.set(_CALLS.get() or own)
        try:
            with time_limit(budget if isinstance(budget, int | float) else BUDGET), users_lines_alone():
                return check(*args, **options)
        finally:
            _CALLS.reset(token)

    return limited


def given_time() -> float:
    """Return the seconds of the limit that holds; infinite without any."""
    return _LIMIT.get()[0]


def left_time() -> float:
    """Return the seconds that are left, by the clock."""
    return _LIMIT.get()[1] - time.monotonic()


def on_time() -> None:
    """Raise :class:`OutOfTime` where the time is over; what takes long asks now and then."""
    if time.monotonic() > _LIMIT.get()[1]:
        raise OutOfTime


@dataclass(slots=True)
class Account:
    """What is left of the processor time of children, in seconds, and what they answered."""

    left: float
    answers: dict[tuple[str, bytes], bytes] = field(default_factory=dict)


# of what is asked now, or by the place where it is asked
_CURRENT: ContextVar[Account | dict[Hashable, Account] | None] = ContextVar("account", default=None)


class one_account(ContextDecorator):  # noqa: N801 - reads like the function that it is; a generator costs more
    """Let all that is asked inside share one account: that of an outer call, or of this place inside such a call."""

    __slots__ = ("place", "token")

    def __init__(self, place: Hashable = None) -> None:
        self.place = place
        self.token: Token[Account | dict[Hashable, Account] | None] | None = None

    def _recreate_cm(self) -> one_account:
        return one_account(self.place)

    def __enter__(self) -> Account:
        current = _CURRENT.get()
        if isinstance(current, Account):
            return current
        account = Account(_SECONDS) if current is None else current.setdefault(self.place, Account(_SECONDS))
        self.token = _CURRENT.set(account)
        return account

    def __exit__(self, *_: object) -> None:
        if self.token is not None:
            _CURRENT.reset(self.token)


@contextmanager
def account_for_each_place() -> Iterator[None]:
    """Give every place that is named inside an account of its own; that of an outer call holds on."""
    if _CURRENT.get() is not None:
        yield
        return
    token = _CURRENT.set({})
    try:
        yield
    finally:
        _CURRENT.reset(token)


@dataclass(frozen=True, slots=True)
class _Child:
    """A process that answers, and both ends of its pipes that are ours."""

    process: subprocess.Popen[bytes]
    requests: IO[bytes]
    replies: IO[bytes]


# by the service; a process that was forked leaves those of its parent alone
_CHILDREN: dict[str, _Child] = {}
_INHERITED: list[dict[str, _Child]] = []
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
        question = service, pickle.dumps(request)
        # a constant is the same at every abscissa
        if question in account.answers:
            return pickle.loads(account.answers[question])  # noqa: S301 - our own bytes
        if account.left <= 0:
            return None
        try:
            child = _CHILDREN.get(service) or _started(service)
            _write(child.requests, account.left, question[1])
            used, answer = _receive(child, _PATIENCE if _HAS_TIMER else account.left)
        except (OSError, EOFError):
            # killed, or not to be had
            account.left = 0.0
            _end(service)
            return None
        except BaseException:
            _end(service)
            raise
        account.left -= max(used, _LEAST)
        if len(answer) <= _KEPT_BYTES:
            account.answers[question] = answer
        return pickle.loads(answer)  # noqa: S301 - our own bytes


def _started(service: str) -> _Child:
    if not sys.executable or getattr(sys, "frozen", False):
        raise OSError("no interpreter to start")
    module, function = service.split(":")
    path = [str(Path(__file__).parents[1]), *filter(None, sys.path)]
    source = (
        f"import sys; sys.path[:] = {path!r}; from {module} import {function}; "
        f"from {__name__} import serve; serve({function})"
    )
    process = subprocess.Popen(  # noqa: S603 - our own source
        [sys.executable, "-P", "-W", "ignore", "-c", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # SymPy orders by hashes
        env={**os.environ, "PYTHONHASHSEED": "0"},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    child = _CHILDREN[service] = _Child(process, cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout))
    _receive(child, _START)
    return child


def _receive(child: _Child, seconds: float) -> tuple[float, bytes]:
    if hasattr(select, "poll"):
        # a thread for each answer costs more than most answers do
        replies = select.poll()
        replies.register(child.replies, select.POLLIN)
        if not replies.poll(1000 * seconds):
            child.process.kill()
        # what has begun is written as fast as it is read
        return _read(child.replies)
    guard = threading.Timer(seconds, child.process.kill)
    guard.daemon = True
    guard.start()
    try:
        return _read(child.replies)
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
    child = _CHILDREN.pop(service, None)
    if child is None:
        return
    child.process.kill()
    for stream in (child.requests, child.replies):
        with contextlib.suppress(OSError):
            stream.close()
    child.process.wait()


@atexit.register
def end_children() -> None:
    """End the children of this process; the next request starts another."""
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
