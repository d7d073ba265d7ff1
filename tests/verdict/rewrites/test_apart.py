"""The search runs in a copy of the process: nothing of the user's is changed, and it ends."""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.rewrites import apart as room
from diffcompare.verdict.rewrites import search as search_module
from diffcompare.verdict.rewrites.apart import APART, CutShort, Failed, apart, limited

pytestmark = pytest.mark.skipif(not APART, reason="the system does not copy processes")
A = np.random.default_rng(3).normal(size=(3, 3))
X = [0.4, -0.7, 1.2]
HISTORY: list[int] = []
SEEN = {"calls": 0}
LOG = logging.getLogger("of the user's gradient")
HUGE = 10**8


class Layer:
    def __init__(self) -> None:
        self.grads, self.buffer, self.calls = {}, [np.zeros(3)], 0  # type: ignore[var-annotated]

    def gradient(self, x: Any) -> Any:
        self.calls += 1
        self.buffer[0][:] = A @ x
        self.grads["x"] = self.buffer[0] - A.T @ x
        return self.grads["x"].copy()


LAYER = Layer()


@functools.lru_cache
def cached(x: float) -> float:
    return 0 * x


def noted(x: Any) -> Any:
    HISTORY.append(1)
    SEEN["calls"] += 1
    print("called", file=sys.stderr)
    LOG.warning("called")
    np.random.normal()  # noqa: NPY002 - what many people write
    return A.T @ x + cached(float(x[0]))


def with_effects(x: Any) -> Any:
    global A
    A = A + 0
    return A @ x - noted(x)


def state(folder: Path) -> Any:
    drawn = np.random.get_state()[2]  # type: ignore[index]  # noqa: NPY002
    files = {file.name: file.read_text() for file in folder.iterdir()}
    return len(HISTORY), SEEN["calls"], drawn, files, LAYER.calls, cached.cache_info()


@pytest.mark.parametrize("gradient", [with_effects, LAYER.gradient], ids=["function", "object"])
def test_nothing_is_as_it_would_not_be_without_the_search(
    gradient: Callable[[Any], Any],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler = logging.FileHandler(tmp_path / "log")
    LOG.addHandler(handler)

    def after() -> Any:
        HISTORY.clear()
        np.random.seed(0)  # noqa: NPY002
        SEEN["calls"] = LAYER.calls = 0
        cached.cache_clear()
        handler.stream.truncate(0)
        verdict = dc.check_gradient(lambda x: x @ A @ x, gradient, X)
        assert verdict.status == "wrong"
        return verdict, state(tmp_path), capfd.readouterr()

    answers: list[Any] = []

    def kept(search: Callable[[], Any]) -> Any:
        answers.append(apart(search))
        return answers[-1]

    try:
        monkeypatch.setattr(search_module, "apart", kept)
        verdict, *found = after()
        monkeypatch.setattr(search_module, "apart", lambda _: answers.pop(0))
        _, *plain = after()
    finally:
        LOG.removeHandler(handler)
        handler.close()
    assert found == plain
    # A @ x - noted(x), or what noted returns
    assert any(said in str(verdict.cause) for said in ("the minus should be a plus", "the sign of A.T @ x"))


def test_what_would_be_written_or_started_fails(tmp_path: Path) -> None:
    def writes() -> list[str]:
        failed = []
        for name, effect in {
            "write": lambda: (tmp_path / "new").write_text("x"),
            "remove": Path(__file__).unlink,
            "start": lambda: __import__("subprocess").run([sys.executable, "-c", ""], check=False),
            "read": lambda: Path(__file__).read_text(),
        }.items():
            try:
                effect()  # type: ignore[no-untyped-call]
            except PermissionError:
                failed.append(name)
        return failed

    assert apart(writes) == ["write", "remove", "start"]
    assert not list(tmp_path.iterdir())
    assert Path(__file__).exists()


def test_what_takes_too_long_is_cut_short_and_what_fails_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_SECONDS", 0.05)

    def endless() -> None:
        with limited(0.01):
            # nobody can catch this for ever
            for _ in itertools.count():
                pass
        for _ in itertools.count():
            pass

    with pytest.raises(CutShort):
        apart(endless)
    with pytest.raises(Failed, match="ZeroDivisionError: division by zero"):
        apart(lambda: 1 / 0)
    assert apart(lambda: [0.0] * 10**9) is None


def test_that_a_search_was_cut_short_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_SECONDS", 1e-4)
    verdict = dc.check_gradient(lambda x: x @ A @ x, lambda x: A @ x + A @ x, X)
    assert verdict.status == "wrong"
    assert [note for note in verdict.notes if "cut short" in note and "larger budget" in note], verdict.notes
    longer = dc.check_gradient(lambda x: x @ A @ x, lambda x: A @ x + A @ x, X, budget=1e6)
    assert not [note for note in longer.notes if "cut short" in note]


def test_that_a_search_has_used_up_its_operations_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "_SEARCHED", 100_000)
    verdict = dc.check_gradient(lambda x: x @ A @ x, lambda x: A @ x + A @ x, X)
    assert [note for note in verdict.notes if "cut short" in note and "larger budget" in note], verdict.notes
    longer = dc.check_gradient(lambda x: x @ A @ x, lambda x: A @ x + A @ x, X, budget=1e6)
    assert not [note for note in longer.notes if "cut short" in note]


def by_values(x: Any) -> Any:
    return np.sum(np.reshape([math.ldexp(*math.frexp(v)) for v in x], np.shape(x)) ** 4)


def test_where_a_function_cannot_be_followed_a_search_ends_and_its_errors_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gradient(x: Any) -> Any:
        return np.exp(x) + 7

    verdict = dc.check_gradient(by_values, gradient, X)
    assert (verdict.status, [note for note in verdict.notes if "failed" in note]) == ("wrong", [])
    monkeypatch.setattr(search_module, "_prepared", lambda *_: 1 / 0)
    verdict = dc.check_gradient(by_values, gradient, X)
    assert [note for note in verdict.notes if "failed" in note and "ZeroDivisionError" in note], verdict.notes


def test_one_endless_change_does_not_end_the_search() -> None:
    def search() -> str:
        with limited(0.01):
            while True:
                pass
        return "goes on"

    assert apart(search) == "goes on"


def test_a_limit_that_ends_as_its_time_does_ends_no_search() -> None:
    frames = []

    @contextlib.contextmanager
    def seen() -> Iterator[None]:
        yield
        frames.append(sys._getframe(1))

    with seen():
        pass
    signal.setitimer(signal.ITIMER_PROF, 1000, 1000)
    try:
        # where a with statement ends nobody catches it: now and then nothing was found
        room._give_up(signal.SIGPROF, frames[0])
        with pytest.raises(room._TooLong):
            room._give_up(signal.SIGPROF, sys._getframe())
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    # the system may be late: a search failed by that
    room._give_up(signal.SIGPROF, sys._getframe())


def counts(x: Any) -> Any:
    i, out = 0, np.zeros(3)
    while i < 3:
        out[i] = 3 * x[i]
        i += 1
    return out


def takes_much(x: Any) -> Any:
    n = 3
    out = [0.0] * n
    for i in range(n):
        out[i] = 3 * x[i]
    return np.array(out) + 0 * (HUGE > 1)


@pytest.mark.parametrize("gradient", [counts, takes_much])
def test_changes_that_would_not_end_are_passed_over(gradient: Callable[[Any], Any]) -> None:
    verdict = dc.check_gradient(lambda x: np.sum(x**2), gradient, X)
    assert "this should be 2" in "".join(verdict.places["message"]), verdict.explain()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell that a process waits")
def test_a_lock_that_is_never_released_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy has no other threads that could release what they hold."""
    monkeypatch.setattr(room, "_PATIENCE", 1e9)
    lock = threading.Lock()
    with lock:
        assert apart(lock.acquire) is None
    assert apart(lock.acquire) is True


class Network:
    def __init__(self) -> None:
        self.params = {"W": np.arange(6.0).reshape(2, 3) / 10, "b": np.zeros(3)}

    def predict(self, x: Any) -> Any:
        return np.tanh(x @ self.params["W"] + self.params["b"])

    def loss(self, x: Any, t: Any) -> Any:
        return 0.5 * np.sum((self.predict(x) - t) ** 2)

    def gradient(self, x: Any, t: Any) -> Any:
        y = self.predict(x)
        error = (y - t) * (1 - y)
        return {"W": x.T @ error, "b": error.sum(axis=0)}


def test_a_method_that_the_gradient_calls_is_changed() -> None:
    network, rng = Network(), np.random.default_rng(5)
    x, t = rng.normal(size=(4, 2)), rng.normal(size=(4, 3))
    own = Network.gradient.__code__
    verdict = dc.check_gradient(
        lambda W: network.loss(x, t), lambda W: network.gradient(x, t)["W"], network.params["W"]
    )
    (mark,) = verdict.places[verdict.places["role"] == "gradient"].itertuples()
    assert (mark.text, mark.message) == ("y", "this should be y ** 2")
    assert Network.gradient.__code__ is own


MEMORY = [1]


def remembers(x: Any) -> Any:
    """With other conditions it remembers more, and then what it returns is right."""
    value = (A @ x + A.T @ x) * len(MEMORY)
    if x[0] > 9:
        MEMORY.append(1)
    return value


def test_what_changes_have_left_behind_explains_nothing() -> None:
    verdict = dc.check_gradient(lambda x: 4 * (x @ A @ x), remembers, X)
    assert verdict.status == "wrong"
    assert MEMORY == [1]
    assert str(verdict.cause) == "the factor 4 is missing"
    assert len(verdict.places) == 0


def test_what_spends_the_time_of_the_system_is_given_up_as_well() -> None:
    """An array that grows in a loop fills memory: that was no time of the code's own, and took the search's."""

    def fills() -> int:
        rounds, zeros, room = 0, os.open("/dev/zero", os.O_RDONLY), bytearray(1 << 20)
        with limited(0.1):
            while rounds < 20_000:
                rounds += 1
                os.readv(zeros, [room])
        return rounds

    assert 0 < (apart(fills) or 0) < 20_000


def test_a_search_that_fails_is_told_and_the_verdict_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise KeyError("a part")

    monkeypatch.setattr(search_module, "_prepared", fails)
    verdict = dc.check_gradient(lambda x: x @ A @ x, lambda x: (A + A.T) @ x + x, X)
    assert verdict.status == "wrong"
    assert [note for note in verdict.notes if "failed" in note and "KeyError: 'a part'" in note]
