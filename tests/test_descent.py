"""Gradient descent: the textbook's values to the last bit, exact runs beside numeric ones, and what goes wrong."""

import math
import warnings

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.descent import gradient_descents, surface_around

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


# ---- the surface around the runs


def around(f, start, *, rate=0.1, steps=100, gradients=("exact", "central")):
    f = dc.parse(f) if isinstance(f, str) else f
    runs = gradient_descents(f, start, learning_rate=rate, steps=steps, gradients=gradients)
    return surface_around(f, list(runs.values())), runs


def sides(surface):
    return [(surface[name].min(), surface[name].max()) for name in ("x", "y")]


def test_the_surface_holds_the_runs_and_the_far_side_of_the_minimum():
    surface, runs = around(BOWL, (-3, 4))
    assert list(surface.columns) == ["x", "y", "value"]
    assert len(surface) == 33 * 33
    (left, right), (bottom, top) = sides(surface)
    for run in runs.values():
        assert run["x0"].between(left, right).all()
        assert run["x1"].between(bottom, top).all()
    # the runs go 3 and 4 far, to the minimum at 0
    assert -5 < left < -3 < 0 < 1.5 < right < 4
    assert -4 < bottom < -1.5 < 0 < 4 < top < 6


def test_the_nodes_are_a_square_grid_of_short_numbers_with_the_values_of_f():
    surface, _ = around(BOWL, (-3, 4))
    x, y = (np.unique(surface[name]) for name in ("x", "y"))
    steps = {*np.diff(x), *np.diff(y)}
    assert len(x) == len(y) == 33
    assert len(steps) == 1
    (step,) = steps
    mantissa, _ = math.frexp(step)
    assert mantissa * 32 == int(mantissa * 32)
    assert (x / step == np.round(x / step)).all()
    assert surface["value"].tolist() == [a * a + b * b for a in x for b in y]


def test_a_run_that_climbs_leaves_the_surface():
    surface, runs = around(BOWL, (-3, 4), rate=10.0)
    assert abs(runs["exact"]["x0"]).max() > 1e100
    (left, right), (bottom, top) = sides(surface)
    assert left < -3 < 57 < right < 100  # the start and the first step
    assert -150 < bottom < -76 < 4 < top


def test_sides_that_differ_much_have_steps_of_their_own():
    (left, right), (bottom, top) = sides(around("x**2 + 1e-14*y**2", (1.0, 1e4), rate=0.45, steps=20)[0])
    assert right - left == top - bottom  # y moves by less than a billionth
    (left, right), (bottom, top) = sides(around("100*x + y**2", (0.0, 0.5), steps=20)[0])
    assert right - left > 20 * (top - bottom) > 0


@pytest.mark.parametrize(("start", "half"), [((0.0, 0.0), 1.0), ((5.0, 3.0), 10.0)])
def test_a_run_that_stands_still_has_a_surface(start, half):
    surface, _ = around("0*x + 0*y", start)
    (left, right), (bottom, top) = sides(surface)
    assert left < start[0] < right
    assert bottom < start[1] < top
    assert right - left <= 2 * half


def test_the_surface_is_empty_where_nothing_can_be_drawn():
    for f, start in (
        ("x**2", 1.0),
        ("x + y + z", (1.0, 1.0, 1.0)),
        ("log(x) + y", (-1.0, 1.0)),
        ("0*x + y", (1e17, 1.0)),  # floats are 16 apart
        ("x + y", (1.7e308, -1.7e308)),
    ):
        surface, _ = around(f, start, steps=3)
        assert list(surface.columns) == ["x", "y", "value"]
        assert surface.empty, f
    assert surface_around(BOWL, []).empty


def test_the_surface_is_nan_where_f_is_not_finite():
    surface, _ = around("log(x) + y**2 + 1/y", (0.5, 1.0), rate=0.01)
    outside = (surface["x"] <= 0) | (surface["y"] == 0)
    assert (surface["value"].isna() == outside).all()
    assert outside.any() == (surface["x"].min() <= 0)
