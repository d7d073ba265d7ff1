"""Several processes: the same bytes as one, errors as they are, and workers that die."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.errors import DiffcompareError, ParseError
from diffcompare.sweeps.parallel import in_processes, own_processes, packed, unpacked

# a worker imports what it runs, and knows no test module: payloads are Python expressions
DEATH = "__import__('os')._exit(3)"


@pytest.fixture(scope="module")
def executor() -> Iterator[ProcessPoolExecutor]:
    with own_processes(2) as executor:
        yield executor


def outcomes(payloads: list[str], executor: ProcessPoolExecutor) -> list[object]:
    names = [f"piece {k}" for k in range(len(payloads))]
    return [
        found.value if found.error is None else str(found.error)
        for found in in_processes(eval, payloads, names, executor)
    ]


def test_outcomes_come_in_the_order_of_the_payloads(executor: ProcessPoolExecutor) -> None:
    slow_first = ["__import__('time').sleep(0.3) or 0", *map(str, range(1, 20))]
    assert outcomes(slow_first, executor) == list(range(20))


def test_an_error_is_the_outcome_of_its_payload_alone(executor: ProcessPoolExecutor) -> None:
    assert outcomes(["1", "1/0", "3"], executor) == [1, "division by zero", 3]


def test_an_error_keeps_its_words_whether_it_pickles_or_not(executor: ProcessPoolExecutor) -> None:
    found = outcomes(["__import__('diffcompare').parse('1 +')"], executor)
    with pytest.raises(ParseError) as here:
        dc.parse("1 +")
    assert found == [str(here.value)]
    # made from two numbers, a copy from its one text fails
    local = "exec('class Local(ValueError):\\n def __init__(self, a, b): super().__init__(a + b)\\nraise Local(1, 2)')"
    assert outcomes([local], executor) == ["Local: 3"]


def test_a_worker_that_dies_takes_nothing_with_it_and_is_named() -> None:
    payloads = [str(k) for k in range(12)]
    payloads[4] = payloads[9] = DEATH
    expected: list[object] = list(range(12))
    for k in (4, 9):
        expected[k] = f"piece {k}: a worker process died of it twice; leave it out"
    with own_processes(2) as executor:
        assert outcomes(payloads, executor) == expected


def test_a_worker_that_dies_once_is_forgiven(tmp_path: object) -> None:
    first = f"__import__('os').mkdir({str(tmp_path)!r} + '/once') or {DEATH}"
    again = f"(7 if __import__('os').path.exists({str(tmp_path)!r} + '/once') else ({first}))"
    with own_processes(1) as executor:
        assert outcomes([again, "8"], executor) == [7, 8]


def points() -> np.ndarray:
    random = np.random.default_rng(5)
    return np.round(random.uniform(-1, 3, (90, 2)), 2)


@pytest.mark.thorough
@pytest.mark.parametrize("threads", [False, True])
def test_a_sweep_in_other_processes_is_the_same_table(executor: ProcessPoolExecutor, threads: bool) -> None:
    f = dc.parse("exp(x0)/(sin(x1)**3 + cos(x1)**3) + sqrt(x0) + abs(x1)")
    options = {"steps": dc.geometric_steps(1e-1, 1e-12, per_decade=2)}
    serial = dc.sweep(f, points(), **options)
    if threads:
        with ThreadPoolExecutor(3) as others:
            parallel = dc.sweep(f, points(), executor=others, **options)
    else:
        parallel = dc.sweep(f, points(), executor=executor, **options)
    assert len(serial) > 8000
    pd.testing.assert_frame_equal(serial, parallel, check_exact=True, check_categorical=True)
    assert serial.to_csv() == parallel.to_csv()


@pytest.mark.thorough
def test_rows_of_the_complex_step_are_the_same_from_other_processes(executor: ProcessPoolExecutor) -> None:
    f = dc.parse("exp(x0)*log(x1)")
    options = {"schemes": ["forward", "complex", "central"], "steps": dc.geometric_steps(1e-1, 1e-8, per_decade=2)}
    serial = dc.sweep(f, points(), **options)
    parallel = dc.sweep(f, points(), executor=executor, **options)
    assert set(serial.loc[serial["scheme"] == "complex", "status"]) == {"ok", "domain"}
    pd.testing.assert_frame_equal(serial, parallel, check_exact=True, check_categorical=True)
    # shared out, and not computed here
    sent: list[object] = []

    class Counted(ThreadPoolExecutor):
        def submit(self, *arguments: Any, **named: Any) -> Future[Any]:
            sent.append(arguments)
            return executor.submit(*arguments, **named)

    with Counted(1) as counted:
        alone = dc.sweep(f, points(), executor=counted, **(options | {"schemes": "complex"}))
    assert len(sent) >= 2
    assert len(alone) == len(serial) / 3


@pytest.mark.thorough
def test_code_of_ones_own_runs_in_the_workers(executor: ProcessPoolExecutor) -> None:
    f = dc.parse("exp(x)")
    here = dc.sweep(f, [1.0, 2.0], evaluate=np.exp, vectorized=False)
    there = dc.sweep(f, [1.0, 2.0], evaluate=np.exp, vectorized=False, executor=executor)
    pd.testing.assert_frame_equal(here, there, check_exact=True)


def test_what_cannot_be_sent_is_named(executor: ProcessPoolExecutor) -> None:
    with pytest.raises(TypeError, match=r"evaluate: cannot be sent to another process .*; define it in a module"):
        dc.sweep(dc.parse("exp(x)"), 1.0, evaluate=lambda x: x, executor=executor)


def test_the_error_of_a_worker_is_raised(executor: ProcessPoolExecutor) -> None:
    with pytest.raises(ValueError, match="could not convert string"):
        dc.sweep(dc.parse("exp(x)"), 1.0, evaluate=str.__name__.format, executor=executor)


class Deadly:
    """Ends the process that unpickles it."""

    def __call__(self, x: float) -> float:
        return x

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (3,)


@pytest.mark.thorough
def test_points_that_kill_are_named() -> None:
    f = dc.parse("x**2", name="killer")
    with (
        own_processes(1) as executor,
        pytest.raises(DiffcompareError, match=r"killer at x=1\.0: a worker process died of it twice"),
    ):
        dc.sweep(f, 1.0, evaluate=Deadly(), executor=executor)


def test_the_same_bytes_are_unpacked_once() -> None:
    sent = packed(dc.parse("x + 1"), "f")
    assert unpacked(sent) is unpacked(sent)
    assert float(unpacked(sent)(2.0)) == 3.0


def test_threads_of_one_executor_take_turns() -> None:
    # the precision of balls belongs to the process: two at once would change one another's
    inside: list[int] = []

    def alone(k: int) -> int:
        inside.append(k)
        time.sleep(0.02)
        others = len(inside)
        inside.remove(k)
        return others

    with ThreadPoolExecutor(4) as executor:
        outcomes = list(in_processes(alone, range(8), list("abcdefgh"), executor))
    assert [outcome.value for outcome in outcomes] == [1] * 8


@pytest.mark.thorough
def test_two_payloads_a_worker_are_in_flight() -> None:
    given: list[int] = []

    class Busy(Executor):
        _max_workers = 3

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            given.append(args[-1])
            future: Future[Any] = Future()
            future.set_result(fn(*args, **kwargs))
            return future

    outcomes = in_processes(abs, range(20), [str(k) for k in range(20)], Busy())
    seen = [(outcome.value, len(given)) for outcome in outcomes]
    assert seen == [(k, min(k + 6, 20)) for k in range(20)]
