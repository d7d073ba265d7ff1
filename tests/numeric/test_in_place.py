"""Functions that read an array in place, as the textbook's network does: the textbook's numbers, and x as it was."""

from __future__ import annotations

import numpy as np
import pytest

import diffcompare as dc


class Net:
    """The textbook's network of two layers; ``calls`` counts how often its loss is asked for."""

    def __init__(self, dtype=np.float64):
        rng = np.random.default_rng(0)
        self.params = {"W1": rng.normal(size=(3, 4)).astype(dtype), "b1": rng.normal(size=4).astype(dtype)}
        self.x, self.t, self.calls = rng.normal(size=(5, 3)), rng.normal(size=(5, 4)), 0

    def loss(self):
        self.calls += 1
        return np.sum((np.tanh(self.x @ self.params["W1"] + self.params["b1"]) - self.t) ** 2)


def books(f, x):
    """The numerical gradient of the textbook, as it stands there."""
    h = 1e-4
    grad = np.zeros(x.shape)
    for idx in np.ndindex(x.shape):
        tmp = x[idx]
        x[idx] = float(tmp) + h
        fxh1 = f(x)
        x[idx] = float(tmp) - h
        fxh2 = f(x)
        grad[idx] = (fxh1 - fxh2) / (2 * h)
        x[idx] = tmp
    return grad


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("key", ["W1", "b1"])
def test_a_loss_that_reads_its_weights_in_place_has_the_gradient_of_the_book(key, dtype):
    net = Net(dtype)
    before = net.params[key].tobytes()
    found = dc.numerical_gradient(lambda W: net.loss(), net.params[key])
    assert net.params[key].tobytes() == before
    assert found.tolist() == books(lambda W: net.loss(), net.params[key]).tolist()
    assert found.any()


def test_what_reads_in_place_costs_two_values_and_one_call_more():
    net = Net()
    dc.numerical_gradient(lambda W: net.loss(), net.params["b1"])
    assert net.calls == 2 + 1 + 2 * 4


def test_a_function_of_its_argument_costs_no_call_more():
    calls = []
    dc.numerical_gradient(lambda x: calls.append(x.tolist()) or np.sum(x**2), np.arange(4.0))
    # at 0 the first two values of an even function are equal: one call settles it
    assert len(calls) == 2 * 4 + 1
    calls.clear()
    dc.numerical_gradient(lambda x: calls.append(x.tolist()) or np.sum(x**2), np.arange(1.0, 5.0))
    assert len(calls) == 2 * 4


def test_a_function_of_its_argument_never_sees_the_array_move():
    x = np.array([0.0, 1.0, 2.0])
    seen = []
    dc.numerical_gradient(lambda v: seen.append(x.tolist()) or v[1] * v[2], x)
    assert seen == [[0.0, 1.0, 2.0]] * len(seen)


def test_the_box_holds_for_the_call_that_is_more_too():
    x = np.array([1.0, 0.0])
    seen = []

    def f(v):
        seen.append(v.copy())
        return 3.0

    assert dc.numerical_gradient(f, x, box=([0.0, 0.0], [1.0, 1.0])).tolist() == [0.0, 0.0]
    assert all(((v >= 0) & (v <= 1)).all() for v in seen)


def test_the_array_is_put_back_where_the_code_raises():
    x = np.array([0.1, -0.0, np.pi])
    before, left = x.tobytes(), [7]

    def f(_):
        left[0] -= 1
        if left[0] == 0:
            raise ArithmeticError("halfway")
        return x.sum()

    with pytest.raises(ArithmeticError, match="halfway"):
        dc.numerical_gradient(f, x)
    assert x.tobytes() == before


def test_an_argument_that_the_function_changes_is_its_own():
    net = Net()
    weights = net.params["W1"]
    before = weights.tobytes()

    def f(W):
        W[...] = np.nan
        return net.loss()

    assert dc.numerical_gradient(f, weights).tolist() == books(lambda W: net.loss(), weights).tolist()
    assert weights.tobytes() == before


def test_what_the_code_itself_writes_into_the_array_is_put_back():
    x = np.array([7.0, 2.0])

    def f(_):
        value = float(x @ x)
        x[0] = 7.0
        return value

    assert dc.numerical_gradient(f, x).tolist() == dc.numerical_gradient(lambda v: v @ v, [7.0, 2.0]).tolist()
    assert x.tolist() == [7.0, 2.0]


@pytest.mark.parametrize(
    ("difference", "arguments"),
    [
        (dc.numerical_gradient, {"scheme": "forward"}),
        (dc.numerical_gradient, {"scheme": "central4"}),
        (dc.numerical_gradient, {"box": (-9.0, 9.0)}),
        (dc.numerical_jacobian, {}),
        (dc.numerical_hessian, {}),
        (dc.numerical_hessian, {"scheme": "forward"}),
        (dc.numerical_diff, {}),
    ],
)
def test_every_difference_sees_an_array_that_is_read_in_place(difference, arguments):
    x = np.array([0.5, -1.25, 2.0])

    def code(v):
        return (
            np.sin(v) * v if difference in (dc.numerical_diff, dc.numerical_jacobian) else np.sum(np.sin(v) * v[::-1])
        )

    expected = difference(code, x, 1e-3, **arguments)
    found = difference(lambda _: code(x), x, 1e-3, **arguments)
    assert found.tolist() == expected.tolist()
    assert expected.any()
    assert x.tolist() == [0.5, -1.25, 2.0]


def test_a_slope_sees_an_array_that_is_read_in_place():
    x, v = np.array([0.5, -1.25]), np.array([1.0, 3.0])
    expected = dc.numerical_directional(lambda p: np.sum(p**3), x, v)
    assert dc.numerical_directional(lambda _: np.sum(x**3), x, v) == expected != 0
    assert x.tolist() == [0.5, -1.25]


@pytest.mark.parametrize("given", ["a list", "read-only", "whole numbers"])
def test_what_cannot_be_moved_is_left_alone(given):
    kept = np.array([1.0, 2.0])
    x = {"a list": [1.0, 2.0], "read-only": kept, "whole numbers": np.array([1, 2])}[given]
    kept.flags.writeable = False
    assert dc.numerical_gradient(lambda _: float(np.sum(np.asarray(x) ** 2)), x).tolist() == [0.0, 0.0]
