"""Work in several processes: the results in order, whichever worker gave them, and a lost worker is survived.

A worker that dies takes down what was in flight with it. Each of those suspects is then run alone in a process of its
own; the one that kills that too is named, and the rest goes on. Payloads and results are plain bytes: executors that
reach other machines are slow on nested arguments.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait
from threading import Lock, Thread
from typing import Any

from diffcompare.errors import DiffcompareError, shorten

__all__ = [
    "Outcome",
    "attempt",
    "dask_workers",
    "follow_parent",
    "in_processes",
    "own_processes",
    "packed",
    "reply",
    "unpacked",
    "workers",
]


# seconds until a scheduler must have answered
_PATIENCE = 10

# the precision of balls belongs to a process: where workers are threads, they take turns
_TURN = Lock()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one piece of work gave: a value, or the error that it ended with."""

    value: Any = None
    error: Exception | None = None


def own_processes(jobs: int) -> ProcessPoolExecutor:
    """Return an executor of that many fresh processes (not forked: a library's threads do not survive a fork)."""
    return ProcessPoolExecutor(max_workers=jobs, mp_context=get_context("spawn"), initializer=follow_parent)


@contextmanager
def workers(jobs: int, first: Callable[[], None]) -> Iterator[Executor | None]:
    """Give an executor of that many processes, None for one; they end with the block, however it ends.

    What is to be done first each of them does at once, while the parent goes on.
    """
    if jobs == 1:
        yield None
        return
    executor = own_processes(jobs)
    try:
        for _ in range(jobs):
            executor.submit(first)
        yield executor
    except BaseException:
        for child in active_children():
            child.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def dask_workers(address: str) -> Iterator[Executor]:
    """Give the executor of a Dask scheduler, whose workers can be on other machines; needs the extra ``dask``."""
    try:
        from distributed import Client
    except ImportError:
        raise DiffcompareError(
            "a Dask scheduler is reached by distributed, which is not installed; pip install distributed"
        ) from None
    try:
        client = Client(address, timeout=_PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        why = shorten(" ".join(str(error).split()), 80)
        raise DiffcompareError(
            f"--dask {address!r}: no scheduler answers there ({why}); start one, or use --jobs"
        ) from None
    with client:
        yield client.get_executor()


def follow_parent() -> None:
    """Let Ctrl-C be the parent's alone, which ends its workers; and end with the parent, where that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def attempt(work: Callable[[Any], Any], payload: Any) -> Outcome:
    """Do one piece of work here."""
    try:
        return Outcome(work(payload))
    except Exception as error:
        return Outcome(error=error)


def packed(value: Any, what: str) -> bytes:
    """Pickle an argument for another process; ``TypeError`` names what cannot be sent."""
    try:
        return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise TypeError(
            f"{what}: cannot be sent to another process ({shorten(str(error), 80)}); define it in a module, "
            "or leave executor out"
        ) from None


@lru_cache(maxsize=8)
def unpacked(payload: bytes) -> Any:
    """Unpickle; the same bytes give the same object, so that what is compiled for it is compiled once a process."""
    return pickle.loads(payload)  # noqa: S301 - our own bytes


def in_processes(
    work: Callable[[Any], Any], payloads: Iterable[Any], names: Iterable[str], executor: Executor
) -> Iterator[Outcome]:
    """Run a function on every payload, and give the outcomes in the order of the payloads.

    Parameters
    ----------
    work : callable
        Defined in a module; is given one payload.
    payloads : iterable
        What it is run on; must pickle. They are asked for as they are needed.
    names : iterable of str
        What each payload is called, for the message about a worker that died.
    executor : Executor
        At most two payloads a worker are in flight.
    """
    crew = _Crew(executor)
    waiting = zip(payloads, names, strict=True)
    flying: deque[tuple[Any, str, Future[bytes]]] = deque()
    try:
        while True:
            for payload, name in islice(waiting, 2 * crew.size - len(flying)):
                flying.append((payload, name, crew.submit(work, payload)))
            if not flying:
                return
            payload, name, future = flying.popleft()
            answer: bytes | None
            try:
                answer = future.result()
            except Exception:
                # the worker is gone, or the executor is: code of ours would have replied
                answer = crew.alone(work, payload)
            if answer is None:
                yield Outcome(error=DiffcompareError(f"{name}: a worker process died of it twice; leave it out"))
            else:
                yield pickle.loads(answer)  # noqa: S301 - our own bytes
    finally:
        crew.dismiss()


class _Crew:
    """An executor that is replaced by one of our own when it breaks."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        # of Dask's executor: the worker processes that there are
        client = getattr(executor, "_client", None)
        count = getattr(executor, "_max_workers", None) if client is None else len(client.nthreads())
        self.size: int = count or os.cpu_count() or 1
        self.replacements: list[ProcessPoolExecutor] = []

    def submit(self, work: Callable[[Any], Any], payload: Any) -> Future[bytes]:
        try:
            return self.executor.submit(reply, work, payload)
        except RuntimeError:
            # broken by a worker that died
            self.executor = own_processes(self.size)
            self.replacements.append(self.executor)
            return self.executor.submit(reply, work, payload)

    def alone(self, work: Callable[[Any], Any], payload: Any) -> bytes | None:
        """Run in a process that nothing else depends on; None where that dies too."""
        with own_processes(1) as single:
            try:
                return single.submit(reply, work, payload).result()
            except Exception:
                return None

    def dismiss(self) -> None:
        for replacement in self.replacements:
            replacement.shutdown(wait=False, cancel_futures=True)


def reply(work: Callable[[Any], Any], payload: Any) -> bytes:
    """Do the work in the worker; an error is an answer, an exception only that of a worker that is lost."""
    with _TURN:
        outcome = attempt(work, payload)
    try:
        answer = pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL)
        pickle.loads(answer)  # noqa: S301 - some errors pickle and cannot be read back
    except Exception:
        answer = pickle.dumps(Outcome(error=DiffcompareError(f"{type(outcome.error).__name__}: {outcome.error}")))
    return answer
