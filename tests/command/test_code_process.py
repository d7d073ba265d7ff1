"""Code of the user's in a process of its own: whatever it does there, it is named, and the next one runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from diffcompare.command.code_process import CodeProcess, Lost

from .test_cli import environment

# a process imports what it runs, and knows no test module: payloads are Python expressions
PID = "__import__('os').getpid()"


@pytest.fixture(scope="module")
def process() -> Iterator[CodeProcess]:
    with CodeProcess() as process:
        yield process


def test_all_work_is_done_in_one_other_process(process: CodeProcess) -> None:
    first, second = process(eval, PID), process(eval, PID)
    assert first == second != os.getpid()


def test_an_error_is_raised_here(process: CodeProcess) -> None:
    with pytest.raises(ZeroDivisionError):
        process(eval, "1/0")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("__import__('os')._exit(0)", "exit code 0"),
        ("__import__('os').kill(__import__('os').getpid(), 9)", "signal 9"),
    ],
)
def test_code_that_ends_the_process_is_lost_and_the_next_runs(process: CodeProcess, code: str, how: str) -> None:
    before = process(eval, PID)
    with pytest.raises(Lost, match=rf"the code ended its process \({how}.*; a function must return"):
        process(eval, code)
    assert process(eval, PID) not in (before, os.getpid())


def test_what_is_no_exception_is_an_error(process: CodeProcess) -> None:
    with pytest.raises(Exception, match="the code raised KeyboardInterrupt; a function must return"):
        process(eval, "(_ for _ in ()).throw(KeyboardInterrupt)")


@pytest.mark.thorough
def test_the_next_is_not_blamed_for_what_the_last_one_left(process: CodeProcess) -> None:
    process(eval, "__import__('threading').Timer(0.1, __import__('os')._exit, [3]).start()")
    assert process(eval, "__import__('time').sleep(1) or 7") == 7


@pytest.mark.thorough
def test_an_endless_loop_is_ended_and_the_next_runs() -> None:
    with CodeProcess(1.0) as process:
        with pytest.raises(Lost, match="did not finish within 1 s; fix it, or raise --timeout"):
            process(eval, "sum(iter(int, 1))")
        assert process(eval, "7") == 7


@pytest.mark.thorough
def test_it_ends_when_the_process_that_asked_is_killed() -> None:
    program = (
        "import os, signal, threading\n"
        "from diffcompare.command.code_process import CodeProcess\n"
        "with CodeProcess() as process:\n"
        "    process(eval, '1')\n"
        "    threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGKILL]).start()\n"
        "    process(eval, \"__import__('time').sleep(100)\")\n"
    )
    # its output is open as long as one of both lives
    done = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, timeout=50)
    assert done.returncode < 0
