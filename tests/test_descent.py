"""Gradient descent: the textbook's values to the last bit, exact runs beside numeric ones, and what goes wrong."""

import math
import warnings

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.descent import gradient_descents

BOWL = dc.parse("x0**2 + x1**2")

# what the book's own code prints after 100 steps from (-3, 4)
BOOK = {
    0.1: (-6.111107928998789e-10, 8.148143905314271e-10),
    10.0: (-25898374737328.363, -1295248616896.5398),
    1e-10: (-2.999999939999995, 3.9999999199999934),
}


@pytest.mark.parametrize("rate", BOOK)
def test_the_books_runs_are_met_to_the_last_bit(rate):
    last = dc.gradient_descent(BOWL, (-3, 4), learning_rate=rate, steps=100, gradient="central").iloc[-1]
    assert (last["x0"], last["x1"]) == BOOK[rate]
    assert last["step"] == 100


def test_the_books_runs_need_the_central_difference():
    last = dc.gradient_descent(BOWL, (-3, 4), gradient="forward").iloc[-1]
    assert (last["x0"], last["x1"]) != BOOK[0.1]


def test_the_exact_run_is_the_recurrence_in_binary64():
    run = dc.gradient_descent(BOWL, np.array([-3.0, 4.0]), learning_rate=0.1, steps=25)
    x = np.array([-3.0, 4.0])
    for step in range(26):
        row = run.iloc[step]
        assert (row["step"], row["x0"], row["x1"]) == (step, x[0], x[1])
        assert row["value"] == BOWL(x)
        assert row["gradient_norm"] == math.sqrt((2 * x[0]) ** 2 + (2 * x[1]) ** 2)
        x = x - 0.1 * (2 * x)
    assert (run["distance"] == 0.0).all()


def test_columns_and_rows():
    f = dc.parse("b*a10 + a2**2", variables=["b", "a2", "a10"])
    run = dc.gradient_descent(f, [1.0, 2.0, 3.0], steps=3, gradient="backward")
    assert list(run.columns) == ["step", "b", "a2", "a10", "value", "gradient_norm", "distance"]
    assert run["step"].tolist() == [0, 1, 2, 3]
    assert (run["b"][0], run["a2"][0], run["a10"][0], run["distance"][0]) == (1.0, 2.0, 3.0, 0.0)


def test_the_distance_is_to_the_exact_run_at_the_same_step():
    f = dc.parse("exp(x) - x")
    exact = dc.gradient_descent(f, 1.0, steps=5)
    forward = dc.gradient_descent(f, 1.0, steps=5, gradient="forward")
    assert forward["distance"].tolist() == np.abs(forward["x"] - exact["x"]).tolist()
    assert (forward["distance"][1:] > 0).all()


def test_no_step_is_one_row():
    run = dc.gradient_descent(dc.parse("x**2"), [3.0], steps=0)
    assert run[["step", "x", "value", "gradient_norm"]].to_numpy().tolist() == [[0, 3.0, 9.0, 6.0]]


@pytest.mark.parametrize("gradient", ["exact", "central", "forward", "backward"])
def test_leaving_the_domain_gives_nan_from_there_on(gradient):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = dc.gradient_descent(dc.parse("log(x)"), 1.0, learning_rate=2.0, steps=4, gradient=gradient)
    assert run["value"][0] == 0.0
    # about 1 - 2: the point is a number, log is not defined there
    assert -1.01 < run["x"][1] < -0.99
    assert math.isnan(run["value"][1])
    assert math.isnan(run["gradient_norm"][1])
    assert run["x"][2:].isna().all()
    assert run["value"][2:].isna().all()


@pytest.mark.parametrize("gradient", ["exact", "central"])
def test_overflow_is_kept(gradient):
    run = dc.gradient_descent(dc.parse("x**4"), 1e80, learning_rate=1.0, steps=3, gradient=gradient)
    assert run["value"][0] == math.inf
    assert run["x"][0] == 1e80
    assert run["x"][3:].isna().all()
    assert len(run) == 4


def test_norms_neither_overflow_nor_underflow_on_the_way():
    for size in (2.0**-1000, 1.0, 2.0**1000):
        f = dc.parse("3*a*x + 4*a*y", variables=["a", "x", "y"])
        run = dc.gradient_descent(f, [size, 0.0, 0.0], steps=0)
        assert run["gradient_norm"][0] == 5 * size


def test_a_kink_ends_the_exact_run():
    run = dc.gradient_descent(dc.parse("abs(x)"), 1.0, learning_rate=1.0, steps=3)
    assert run["x"][:2].tolist() == [1.0, 0.0]
    assert run["x"][2:].isna().all()


def test_runs_share_their_exact_companion():
    runs = gradient_descents(BOWL, (-3, 4), gradients=["central", "exact"], steps=10)
    assert list(runs) == ["central", "exact"]
    alone = dc.gradient_descent(BOWL, (-3, 4), gradient="central", steps=10)
    assert runs["central"].equals(alone)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": [1.0]}, r"start=\[1\.0\]: 2 coordinate\(s\) are needed, one for each of x0, x1"),
        ({"start": [[1.0, 2.0]]}, "2 coordinate"),
        ({"start": ["a", 2.0]}, "must be numbers"),
        ({"start": [math.nan, 2.0]}, "every coordinate must be finite"),
        ({"learning_rate": math.inf}, "learning_rate=inf: must be a finite number; pass learning_rate=0.1"),
        ({"learning_rate": "fast"}, "learning_rate='fast': must be a finite number"),
        ({"steps": -1}, "steps=-1: must be a whole number, 0 or more"),
        ({"steps": 1.5}, r"steps=1\.5: must be a whole number"),
        ({"steps": True}, "steps=True: must be a whole number"),
        ({"gradient": "newton"}, "gradient='newton': pass one of 'exact', 'forward', 'backward', 'central'"),
    ],
)
def test_bad_arguments_are_named(change, message):
    arguments = {"start": [1.0, 2.0], **change}
    with pytest.raises(ValueError, match=message):
        dc.gradient_descent(BOWL, **arguments)


def test_a_plain_callable_is_refused():
    with pytest.raises(TypeError, match=r"needs a formula; pass dc\.parse"):
        dc.gradient_descent(lambda x: x, 1.0)


def test_a_variable_named_like_a_column_is_refused():
    with pytest.raises(ValueError, match="variable 'value' is the name of a column"):
        dc.gradient_descent(dc.parse("value**2"), 1.0)
