"""The recorder: who listens hears every comparison, and only inside the block."""

from __future__ import annotations

import threading

import pytest

from diffcompare.testing.record import LISTENER, Observation, listening, observe


def test_nothing_happens_where_nobody_listens() -> None:
    assert LISTENER.get() is None
    observe("gradient", object())


def test_a_listener_hears_what_is_observed_inside_its_block_in_order() -> None:
    heard: list[Observation] = []
    with listening(heard.append):
        observe("gradient", 1)
        observe("hessian", 2)
    observe("gradient", 3)
    assert heard == [Observation("gradient", 1), Observation("hessian", 2)]


def test_the_inner_listener_hears_and_the_outer_one_is_restored_after_an_error() -> None:
    outer: list[Observation] = []
    inner: list[Observation] = []
    with listening(outer.append):
        with pytest.raises(KeyError):
            _observe_and_fail(inner)
        observe("gradient", 2)
    assert [o.data for o in inner] == [1]
    assert [o.data for o in outer] == [2]


def _observe_and_fail(heard: list[Observation]) -> None:
    with listening(heard.append):
        observe("gradient", 1)
        raise KeyError


def test_another_thread_is_not_heard() -> None:
    heard: list[Observation] = []
    with listening(heard.append):
        thread = threading.Thread(target=observe, args=("gradient", 1))
        thread.start()
        thread.join()
    assert heard == []
