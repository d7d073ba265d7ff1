"""Functions whose loops stand elsewhere, written with the loops in them."""

from __future__ import annotations

import inspect
import linecache
from typing import Any

import numpy as np
import pytest

from diffcompare.tracing.unfolded import unfolded

TIMES = np.linspace(0.0, 1.0, 10)
SHAPES: dict[str, tuple[int, ...]] = {"seen": (), "ends": ()}


def decayed(rate, x):
    out = 0.0
    for t in TIMES:
        x = x - rate * t
        out = out + x**2
    return out


def once(p):
    x = p[1] / 2
    return decayed(p[0], x) + x


def summed(p):
    t = p[0]
    return sum((p[1] * t - s) ** 2 for s in TIMES) + np.sum([t * s for s in TIMES])


def deeper(p):
    total = 1.0
    return total * once(2 * p)


def endless(p):
    for _ in range(2):
        p = p + 1
    return endless(p) if p[0] < 3 else np.sum(p)


def plain(p):
    return np.sum(p**2)


class Model:
    def __init__(self) -> None:
        self.rate = 0.5

    def simulated(self, x):
        for _ in range(4):
            x = x * self.rate
        return x

    def loss(self, p):
        return np.sum(self.simulated(p))


def returns_early(p):
    for x in p:
        if x > 0:
            return x
    return p[0]


def calls_early(p):
    return returns_early(p)


def kept(p):
    total, seen, ends = 0.0, [p[0], p[1]], []
    for k in range(2, 8):
        seen.append(seen[-1] * seen[-2] + k)
        total = total + seen[-1] - seen[-3]
        ends.append(total)
    return sum(ends) + np.sum(np.stack(seen)) + seen[-1]


def comprehended(p):
    t = p[0]
    seen = [t * s + p[1] for t, s in enumerate(TIMES)]
    return t * seen[-1] + seen[3]


def chosen(p):
    # as many as there are, which is not known before
    seen = []
    for t in TIMES:
        if t > p[0]:
            seen.append(t)  # noqa: PERF401
    return np.sum(seen)


def broken(p):
    seen = []
    for t in TIMES:
        if t > p[0]:
            break
        seen.append(t)
    return np.sum(seen)


def starred(p):
    seen = [*p]
    for t in TIMES:
        seen.append(t * p[0])  # noqa: PERF401
    return np.sum(seen)


def unpacked(p):
    seen = []
    for t in TIMES:
        seen.append(*[t * p[0]])  # noqa: PERF401
    return np.sum(seen)


def shared(p):
    seen = []
    for t in TIMES:
        seen.append(t * p[0])  # noqa: PERF401
    seen.extend([1.0])
    return np.sum(seen)


@pytest.mark.parametrize("f", [once, summed, Model().loss, kept, comprehended], ids=lambda f: f.__name__)
def test_it_computes_the_same_with_the_loops_in_it(f: Any) -> None:
    other = unfolded(f, SHAPES)
    assert other is not None
    text = "".join(linecache.getlines(other.__code__.co_filename))
    assert "    for " in text
    assert other.__name__ == f.__name__
    for point in (np.array([0.25, 0.5]), np.array([-1.0, 2.0])):
        assert other(point.copy()) == f(point.copy())
    assert inspect.signature(other) == inspect.signature(f)


@pytest.mark.parametrize(
    "f",
    [plain, decayed, deeper, calls_early, np.sin, chosen, broken, shared, starred, unpacked],
    ids=lambda f: f.__name__,
)
def test_what_has_no_loop_elsewhere_is_left(f: Any) -> None:
    assert unfolded(f, SHAPES) is None


def test_a_function_that_calls_itself_comes_to_an_end() -> None:
    other = unfolded(endless, SHAPES)
    assert other is None or other(np.zeros(2)) == endless(np.zeros(2))


def test_names_of_others_are_none_of_the_functions() -> None:
    other = unfolded(once, SHAPES)
    assert other is not None
    text = "".join(linecache.getlines(other.__code__.co_filename))
    # x of the one is not x of the other
    assert "x_ = x_ - rate * t" in text
    assert text.count("x = ") == 1
