"""What code changes while it is kept is put back, and what it leaves alone is left alone."""

from __future__ import annotations

import array
import functools
import json
import pickle
import random
import types
from collections import OrderedDict, deque
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.errors import TraceError
from diffcompare.tracing.calling import called
from diffcompare.tracing.keeping import Keeper, _Held, kept


def cached() -> Any:
    @functools.lru_cache
    def helper(k: float) -> float:
        return 2 * k

    return helper


def test_a_cache_that_was_written_is_emptied() -> None:
    helper = cached()
    helper(1.0)
    with kept([helper]):
        helper(2.0)
    assert helper.cache_info().currsize == 0


def test_a_cache_that_was_not_asked_keeps_its_entries() -> None:
    helper = cached()
    helper(1.0)
    with kept([helper]):
        pass
    assert helper.cache_info().currsize == 1


def test_names_cells_and_contents_are_what_they_were() -> None:
    total, seen, by_name = 1.0, [1.0], {"a": 1.0}

    def f() -> None:
        nonlocal total
        total = 2.0
        seen.append(2.0)
        by_name["a"] = by_name["b"] = 2.0
        f.calls = 1  # type: ignore[attr-defined]

    with kept([f]):
        f()
        assert (total, seen, by_name) == (2.0, [1.0, 2.0], {"a": 2.0, "b": 2.0})
    assert (total, seen, by_name) == (1.0, [1.0], {"a": 1.0})
    assert not hasattr(f, "calls")


class Stack(list[Any]):
    pass


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ({"a": 1, "b": 2}, lambda v: v.update(a=v["b"], b=v["a"])),
        ({"a": "b", "b": "a"}, lambda v: v.update(a="a", b="b")),
        ({"a": 1, "b": 2}, lambda v: v.update(a=v.pop("a"))),
        (OrderedDict(a=1, b=2), lambda v: v.move_to_end("a")),
        ({1, 2}, lambda v: (v.add(3), v.remove(1))),
        (deque([1, 2]), lambda v: v.rotate()),
        (Stack([1, 2]), lambda v: v.reverse()),
        (bytearray(b"ab"), lambda v: v.reverse()),
        (array.array("d", [1.0, 2.0]), lambda v: v.reverse()),
        ((1, [2.0]), lambda v: v[1].append(3.0)),
        (np.random.default_rng(0), lambda v: v.random()),
        (np.random.RandomState(0), lambda v: v.random()),
        (random.Random(0), lambda v: v.random()),
    ],
)
def test_what_a_container_or_a_generator_holds_is_what_it_was(value: Any, change: Any) -> None:
    def state() -> Any:
        return pickle.dumps(value), list(value) if hasattr(value, "__len__") else None

    before = state()
    with kept([value]):
        change(value)
        assert state() != before
    assert state() == before


def test_a_keeper_looks_at_objects_once_and_puts_them_back_each_time() -> None:
    seen, table = [1.0], np.zeros(3)
    total = 1.0

    def f() -> None:
        nonlocal total
        total += 1.0
        seen.append(2.0)
        table[0] = 2.0

    keeper = Keeper()
    objects = []
    for _ in range(3):
        with keeper.kept([f]):
            f()
            assert (total, seen, table[0]) == (2.0, [1.0, 2.0], 2.0)
        objects.append(keeper.objects)
        assert (total, seen, table[0]) == (1.0, [1.0], 0.0)
    assert len(set(objects)) == 1


def test_what_other_calls_change_is_not_undone() -> None:
    seen: list[float] = []

    def f() -> None:
        seen.append(1.0)

    keeper = Keeper()
    with keeper.kept([f]):
        f()
    called(f)
    with keeper.kept([f]):
        f()
    assert seen == [1.0]


def test_a_gradient_that_no_way_can_follow_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    table = [[float(k)] for k in range(500)]
    looked: list[int] = []
    visit = _Held.visit

    def counted(held: _Held, values: Any) -> None:
        before = held.objects
        visit(held, values)
        looked.append(held.objects - before)

    monkeypatch.setattr(_Held, "visit", counted)
    verdict = dc.check_gradient(
        lambda x: x @ x, lambda x: np.frombuffer(x.tobytes()) * 2 * len(table) / 500, [3.0, 4.0]
    )
    assert verdict.status == "consistent"
    assert verdict.evidence != "identity"
    assert sum(count >= 500 for count in looked) == 1


def test_objects_of_c_code_are_refused_where_they_must_not_hide_what_they_hold() -> None:
    keeper = Keeper()
    with keeper.kept([types.MappingProxyType({"a": [1.0]})]):
        pass
    refused = pytest.raises(TraceError, match=r"builtins\.mappingproxy: what such an object holds")
    with refused, keeper.kept([], opaque=False):
        pass


def test_a_keeper_puts_back_what_an_earlier_root_refers_to() -> None:
    mine, theirs = [1.0], [1.0]
    keeper = Keeper()
    with keeper.kept([lambda: mine]):
        pass
    with keeper.kept([lambda: theirs]):
        mine.append(2.0)
        theirs.append(2.0)
    assert (mine, theirs) == ([1.0], [1.0])


def test_what_could_not_be_put_back_is_refused_each_time() -> None:
    numbers = iter([1.0, 2.0])
    keeper = Keeper()
    for _ in range(2):
        with pytest.raises(TraceError, match="a trace would use it up"), keeper.kept([[numbers]]):
            pass
    assert keeper.objects == 0


def test_an_iterator_is_left_out_where_a_copy_of_the_code_does_not_get_it() -> None:
    numbers = iter([1.0, 2.0])

    def refers() -> Any:
        return numbers

    with Keeper().kept([refers]):
        pass
    # as it is, it would get it; so would code of Python's own
    for roots, opaque in (([refers], False), ([refers, [numbers]], True), ([_as_of_json(refers)], True)):
        with (
            pytest.raises(TraceError, match="refers to a list_iterator: a trace would"),
            Keeper().kept(roots, opaque=opaque),
        ):
            pass


def _as_of_json(function: Any) -> Any:
    foreign = types.FunctionType(function.__code__, vars(json), "foreign", None, function.__closure__)
    foreign.__module__ = "json"
    return foreign


def test_arrays_of_what_was_refused_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diffcompare.tracing.keeping._LARGEST_BYTES", 100)
    table, keeper = np.zeros(10), Keeper()
    with pytest.raises(TraceError, match="a trace would use it up"), keeper.kept([iter([1.0]), table]):
        pass
    with keeper.kept([[], table]):
        table[0] = 1.0
    assert table[0] == 0.0
    # the twin: those of two tables are too many
    with pytest.raises(TraceError, match="more objects than are put back"), keeper.kept([[], np.zeros(10)]):
        pass


def test_more_numbers_than_are_kept_are_refused_also_where_they_are_met_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diffcompare.tracing.keeping._LARGEST_BYTES", 1000)
    with Keeper().kept((np.zeros(100),)):
        pass
    with pytest.raises(TraceError, match="more objects than are put back"), Keeper().kept((np.zeros(200),)):
        pass


def test_of_a_library_with_a_world_of_its_own_only_what_it_wraps_is_looked_at() -> None:
    autograd = pytest.importorskip("autograd")
    seen: list[float] = []

    def f(x: Any) -> Any:
        seen.append(1.0)
        return (x * x).sum()

    gradient = autograd.grad(f)
    keeper = Keeper()
    with keeper.kept([gradient]):
        gradient(np.array([1.0, 2.0]))
        assert seen == [1.0]
    assert seen == []
    assert keeper.objects < 60


COUNTED: list[int] = []


@functools.wraps(np.exp)
def counted(x: Any) -> Any:
    global SEEN
    SEEN = x
    COUNTED.append(1)
    return np.exp(x)


SEEN: Any = None


def test_what_a_function_that_wraps_numpys_does_is_put_back() -> None:
    with Keeper().kept([counted]):
        assert counted(0.0) == 1.0
        assert (COUNTED, SEEN) == ([1], 0.0)
    assert (COUNTED, SEEN) == ([], None)


def test_what_autograd_cannot_differentiate_leaves_it_as_it_was() -> None:
    autograd = pytest.importorskip("autograd")
    from autograd.tracer import trace_stack

    gradient = autograd.grad(lambda x: (x * x).sum())
    top = trace_stack.top
    for one in (gradient, lambda x: autograd.grad(lambda y: (y * y).sum())(x)):
        verdict = dc.check_gradient(lambda x: x @ x, one, [3.0, 4.0])
        assert (verdict.status, trace_stack.top) == ("consistent", top)
        assert np.array_equal(one(np.array([3.0, 4.0])), [6.0, 8.0])


def test_what_a_trace_teaches_autograd_is_forgotten() -> None:
    autograd = pytest.importorskip("autograd")
    from autograd.core import primitive_vjps
    from autograd.extend import defvjp, primitive

    calls = [0]

    def f(x: Any) -> Any:
        squared = primitive(lambda y: np.sum(y * y))
        defvjp(squared, lambda _, y: lambda g: 2 * g * y)
        calls[0] += 1
        return squared(x)

    known = len(primitive_vjps)
    assert dc.check_gradient(lambda x: x @ x, autograd.grad(f), [3.0, 4.0]).status == "consistent"
    # as many as plain calls, which the count keeps
    assert len(primitive_vjps) - known == calls[0] > 0
