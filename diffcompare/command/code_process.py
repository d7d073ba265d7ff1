"""A process of its own for code of the user's: it can be killed, and what the code does there ends with it."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from diffcompare.errors import DiffcompareError
from diffcompare.sweeps.parallel import Outcome, follow_parent, reply

__all__ = ["CodeProcess", "Lost"]


class Lost(DiffcompareError):  # noqa: N818 (what happened, as the other errors here)
    """The process that ran some code ended with it, or was ended."""


class CodeProcess:
    """Runs one piece of work after the other in another process; a new one where the last one was lost.

    The first process is started at once, so that it is ready when it is needed.

    Parameters
    ----------
    timeout : float, optional
        Seconds for one piece of work; by default it may take as long as it wants.
    quiet : bool
        Whether what is printed there goes to stderr.
    """

    def __init__(self, timeout: float | None = None, *, quiet: bool = False) -> None:
        self._timeout = timeout
        self._quiet = quiet
        self._alone = True  # nothing ran in the process yet

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._end()

    def __call__(self, work: Callable[[Any], Any], payload: Any) -> Any:
        """Return what a function of a module gives for a payload; both must pickle.

        Raises
        ------
        Lost
            The process ended, or the time was over.
        Exception
            What the work raised.
        """
        if not self._process.is_alive():
            self._end()
            self._start()
        alone, self._alone = self._alone, False
        try:
            if alone:
                self._connection.recv_bytes()  # it is ready
            self._connection.send_bytes(pickle.dumps((work, payload), protocol=pickle.HIGHEST_PROTOCOL))
            if not self._connection.poll(self._timeout):
                self._process.kill()
                self._process.join()
                raise Lost(f"the code did not finish within {self._timeout:g} s; fix it, or raise --timeout")
            outcome = pickle.loads(self._connection.recv_bytes())  # noqa: S301 - our own bytes
        except (EOFError, OSError):
            self._process.join()
            if not alone:  # what ran there before may be to blame
                return self(work, payload)
            raise Lost(
                f"the code ended its process ({_ended(self._process.exitcode)}); a function must return"
            ) from None
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def _start(self) -> None:
        context = get_context("spawn")  # not forked: a library's threads do not survive a fork
        self._connection, there = Pipe()
        self._process = context.Process(target=_serve, args=(there, self._quiet))
        self._process.start()
        there.close()
        self._alone = True

    def _end(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()


def _ended(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _serve(connection: Connection, quiet: bool) -> None:
    follow_parent()
    if quiet:
        sys.stdout.flush()
        os.dup2(2, 1)
    # what nearly all code needs: its time is not counted
    import diffcompare.verdict.traced  # noqa: F401

    connection.send_bytes(b"ready")
    while True:
        try:
            work, payload = pickle.loads(connection.recv_bytes())  # noqa: S301 - our own bytes
        except EOFError:
            return
        try:
            answer = reply(work, payload)
        except BaseException as error:  # a KeyboardInterrupt of the code's own: Ctrl-C does not come here
            told = DiffcompareError(f"the code raised {type(error).__name__}; a function must return")
            answer = pickle.dumps(Outcome(error=told))
        for stream in filter(None, (sys.stdout, sys.stderr)):
            with suppress(OSError):
                stream.flush()
        connection.send_bytes(answer)
