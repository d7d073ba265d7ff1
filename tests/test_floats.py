"""Numbers that no float can hold are named, with a remedy; those that a function returns are infinite."""

import math
import re

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.errors import shown
from diffcompare.floats import answer
from diffcompare.numeric.step_rules import choose_step

HUGE = 10**400
F, G = dc.parse("x**2"), dc.parse("x*y")


def square(x):
    return x * x


def total(x):
    return np.sum(np.asarray(x) ** 2)


CALLS = {
    "numerical_diff of x": lambda b: dc.numerical_diff(square, b),
    "numerical_diff of h": lambda b: dc.numerical_diff(square, 1.0, b),
    "numerical_diff of a box": lambda b: dc.numerical_diff(square, 1.0, box=(0, b)),
    "numerical_gradient of x": lambda b: dc.numerical_gradient(total, [1, b]),
    "numerical_gradient of a box": lambda b: dc.numerical_gradient(total, [1.0, 2.0], box=([0, 0], [1, b])),
    "numerical_jacobian of x": lambda b: dc.numerical_jacobian(total, [1, b]),
    "numerical_hessian of x": lambda b: dc.numerical_hessian(total, [1, b]),
    "numerical_hessian of h": lambda b: dc.numerical_hessian(total, [1.0], b),
    "numerical_directional of a direction": lambda b: dc.numerical_directional(total, [1, 1], [1, b]),
    "differentiate of x": lambda b: dc.differentiate(square, b),
    "differentiate of a noise": lambda b: dc.differentiate(square, 1.0, noise=b),
    "sweep of a point": lambda b: dc.sweep(F, b),
    "sweep of points": lambda b: dc.sweep(G, [[1, b]]),
    "sweep of float32": lambda b: dc.sweep(F, b, dtype="float32"),
    "sweep of steps": lambda b: dc.sweep(F, 1.0, steps=[0.1, b]),
    "sweep of a box": lambda b: dc.sweep(F, 1.0, box=(0, b)),
    "step_rules of points": lambda b: dc.step_rules(F, b),
    "choose_step of x": lambda b: choose_step("Ridders", square, b, noise=1e-16),
    "geometric_steps": lambda b: dc.geometric_steps(b, 1.0),
    "geometric_steps per decade": lambda b: dc.geometric_steps(1.0, 1e-3, per_decade=b),
    "gradient_descent of a start": lambda b: dc.gradient_descent(F, b, steps=2),
    "gradient_descent of a rate": lambda b: dc.gradient_descent(F, 1.0, learning_rate=b, steps=2),
}


@pytest.mark.parametrize("digits", [400, 5000], ids=["10**400", "10**5000"])
@pytest.mark.parametrize("name", CALLS)
def test_a_number_beyond_the_floats_is_named(name, digits):
    with pytest.raises(ValueError, match=r"(1000|too many digits)") as caught:
        CALLS[name](10**digits)
    assert re.search("range|largest float|finite|at most|numbers", str(caught.value))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("per_decade", [math.inf, math.nan])
def test_steps_per_decade_are_a_whole_number(per_decade):
    with pytest.raises(ValueError, match=f"per_decade={per_decade}: steps per decade must be a whole number"):
        dc.geometric_steps(1.0, 1e-3, per_decade=per_decade)


@pytest.mark.parametrize("value", [HUGE, -HUGE, [HUGE]])
def test_what_a_function_answers_may_be_infinite(value):
    assert np.isinf(answer(value)).all()
    assert np.isnan(dc.numerical_diff(lambda x: value, 1.0)).all()
    assert answer(2**70) == 2.0**70
    assert answer(7) == 7
    assert np.asarray(answer(7)).dtype.kind == "i"


def test_a_row_of_an_infinite_value_is_not_finite():
    for options in ({"evaluate": lambda x: HUGE}, {"evaluate": lambda x: [HUGE] * len(x), "vectorized": True}):
        assert dc.sweep(F, 1.0, schemes="central", steps=[0.1], **options)["status"].tolist() == ["nonfinite"]


def test_what_cannot_be_written_is_described():
    assert shown("a" * 100, 10) == "'aaaaaaaa…"
    assert shown(10**5000) == "int of too many digits to write"
