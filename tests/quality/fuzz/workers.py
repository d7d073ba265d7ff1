"""Processes that judge pairs, and can be killed when one hangs where no alarm reaches it."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from .drawing import draw
from .judging import SETTINGS, Outcome, judge
from .referee import Fault

__all__ = ["outcomes"]

# the limit is of the processor; on the clock a process that shares it with others takes so much longer
_CLOCK = 20
# of the thin form, one pair of so many is opaque too: in one of the two ways, by turns
_OTHER_EACH = 5


@dataclass(slots=True)
class Worker:
    """A process that judges one pair after the other, and can be killed."""

    process: BaseProcess
    ends: Connection
    index: int = -1
    since: float = field(default_factory=time.monotonic)


def serve(ends: Connection, seed: int, limit: float, causes: bool, thin: bool) -> None:
    """Judge what is asked for until nothing more is."""
    while True:
        index = ends.recv()
        if index is None:
            return
        ends.send(judge(draw(index, seed), settings=_settings(index, thin), limit=limit, causes=causes))


def _settings(index: int, thin: bool) -> Sequence[str]:
    if not thin:
        return SETTINGS
    return ("traced",) if index % _OTHER_EACH else ("traced", SETTINGS[1 + index // _OTHER_EACH % (len(SETTINGS) - 1)])


def outcomes(
    indices: Sequence[int], *, jobs: int, seed: int, limit: float, causes: bool, thin: bool
) -> Iterator[Outcome]:
    """Judge all pairs in processes; one that hangs beyond its alarm is killed."""
    context = multiprocessing.get_context("spawn")

    def started() -> Worker:
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, seed, limit, causes, thin), daemon=True)
        process.start()
        # else its death would not be seen
        theirs.close()
        return Worker(process, ours)

    queue = iter(indices)
    workers: list[Worker] = []

    def give(worker: Worker) -> None:
        worker.index = next(queue, -1)
        worker.since = time.monotonic()
        worker.ends.send(None if worker.index < 0 else worker.index)
        if worker.index >= 0:
            workers.append(worker)

    for _ in range(jobs):
        give(started())
    while workers:
        ready = wait([w.ends for w in workers], timeout=1.0)
        for worker in list(workers):
            late = time.monotonic() - worker.since > _CLOCK * limit
            if worker.ends not in ready and not late:
                continue
            workers.remove(worker)
            try:
                if worker.ends not in ready:
                    raise EOFError
                yield worker.ends.recv()
            except (EOFError, OSError):
                word = "hang" if late else "crash"
                worker.process.kill()
                fault = Fault("?", word, "the process was killed" if late else "the process died", "")
                yield Outcome(worker.index, (), False, (), (fault,), time.monotonic() - worker.since, 0.0)
                worker = started()
            give(worker)
