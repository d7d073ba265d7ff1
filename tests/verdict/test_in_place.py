"""The textbook's network, which reads its weights in place, judged as it stands in the book."""

import numpy as np
import pytest

import diffcompare as dc


def softmax(x):
    x = x - np.max(x, axis=-1, keepdims=True)
    return np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True)


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.x = self.dW = self.db = None

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, dout):
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return np.dot(dout, self.W.T)


class Relu:
    def __init__(self):
        self.mask = None

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class TwoLayerNet:
    """As in the book, its layers holding the arrays of ``params``; ``slip`` is a mistake in its backward pass."""

    def __init__(self, slip=1.0):
        rng = np.random.default_rng(0)
        shapes = {"W1": (4, 5), "b1": 5, "W2": (5, 3), "b2": 3}
        self.params = {key: rng.normal(size=shape) for key, shape in shapes.items()}
        self.layers = {
            "Affine1": Affine(self.params["W1"], self.params["b1"]),
            "Relu1": Relu(),
            "Affine2": Affine(self.params["W2"], self.params["b2"]),
        }
        self.slip, self.y = slip, None
        self.x, self.t = rng.normal(size=(6, 4)), np.eye(3)[[0, 1, 2, 0, 1, 2]]

    def loss(self):
        x = self.x
        for layer in self.layers.values():
            x = layer.forward(x)
        self.y = softmax(x)
        return -np.sum(self.t * np.log(self.y)) / len(self.t)

    def gradient(self):
        self.loss()
        dout = self.slip * (self.y - self.t) / len(self.t)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        one, two = self.layers["Affine1"], self.layers["Affine2"]
        return {"W1": one.dW, "b1": one.db, "W2": two.dW, "b2": two.db}


def bits(net):
    return {key: value.tobytes() for key, value in net.params.items()}


@pytest.mark.parametrize("key", ["W1", "b1", "W2", "b2"])
def test_the_network_of_the_book_is_judged_as_it_stands(key):
    net = TwoLayerNet()
    before = bits(net)
    verdict = dc.check_gradient(lambda W: net.loss(), lambda W: net.gradient()[key], net.params[key])
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    assert "f does not use its argument, but reads the arrays of the point in place" in " ".join(verdict.notes)
    assert verdict.snippet == "diffcompare.check_gradient(f, gradient, at=…)"
    assert bits(net) == before


def test_all_parameters_of_the_network_are_judged_at_once():
    net = TwoLayerNet()
    before = bits(net)
    assert dc.check_gradient(lambda p: net.loss(), lambda p: net.gradient(), net.params).evidence == "identity"
    assert bits(net) == before


def test_a_mistake_in_the_network_of_the_book_is_found_and_told():
    net = TwoLayerNet(slip=1 + 1e-9)
    before = bits(net)
    verdict = dc.check_gradient(lambda W: net.loss(), lambda W: net.gradient()["W1"], net.params["W1"])
    assert (verdict.status, verdict.evidence) == ("wrong", "identity")
    assert "dc.derive" not in verdict.explain()
    assert bits(net) == before


def test_opaque_code_that_reads_in_place_is_judged_too_and_the_arrays_are_put_back():
    x = np.array([0.5, -0.0, 3.0])
    before = x.tobytes()

    def value(_):
        return float.fromhex(float(x @ x + np.sum(x)).hex())

    right = dc.check_gradient(value, lambda _: 2 * x + 1, x)
    assert (right.status, x.tobytes()) == ("consistent", before)
    wrong = dc.check_gradient(value, lambda _: 2 * x, x)
    assert (wrong.status, x.tobytes()) == ("wrong", before)


def test_the_arrays_are_put_back_where_the_code_raises():
    x, calls = np.array([0.5, 3.0]), []

    def value(_):
        calls.append(0)
        if len(calls) > 12:
            raise ArithmeticError
        return float(x @ x)

    dc.check_gradient(value, lambda _: 2 * x, x)
    assert x.tolist() == [0.5, 3.0]


def test_a_function_of_its_argument_never_sees_the_array_move():
    x, seen = np.array([0.5, 3.0]), set()

    def value(v):
        seen.add(x.tobytes())
        return float.fromhex(float(v @ v).hex())

    assert dc.check_gradient(value, lambda v: 2 * v, x).ok
    assert seen == {x.tobytes()}


@pytest.mark.parametrize("given", ["a list", "read-only"])
def test_what_cannot_be_moved_is_said_to_be_not_used(given):
    kept = np.array([1.0, 2.0])
    kept.flags.writeable = False
    verdict = dc.check_gradient(
        lambda _: float(kept @ kept), lambda _: 2 * kept, [1.0, 2.0] if given == "a list" else kept
    )
    assert verdict.status == "inconclusive"
    assert verdict.headline.startswith("f does not use its argument: it returns the same number wherever that is moved")


def test_the_remedy_that_is_told_is_one():
    net = TwoLayerNet()

    def loss(W):
        net.layers["Affine1"].W = W
        return net.loss()

    def gradient(W):
        net.layers["Affine1"].W = W
        return net.gradient()["W1"]

    verdict = dc.check_gradient(loss, gradient, net.params["W1"])
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")


def test_a_gradient_of_zeros_is_not_derived_for_it():
    net = TwoLayerNet()
    with pytest.raises(dc.UnsupportedFunction, match="f does not use its argument"):
        dc.derive(lambda W: net.loss(), net.params["W1"])


def test_what_is_not_used_and_moves_nothing_stays_not_used():
    verdict = dc.check_gradient(lambda _: 3.0, np.ones_like, np.array([1.0, 2.0]))
    assert verdict.status == "inconclusive"
    assert "it returns the same number wherever that is moved" in verdict.headline


def test_a_box_does_not_hide_that_arrays_are_read_in_place() -> None:
    net = TwoLayerNet()
    before = net.params["W1"].copy()
    box = (before - 2.0, before + 2.0)
    right = dc.check_gradient(lambda W: net.loss(), lambda W: net.gradient()["W1"], net.params["W1"], box=box)
    assert right.status == "consistent"
    assert any("reads the arrays of the point in place" in note for note in right.notes)
    assert np.array_equal(net.params["W1"], before)
    wrong = dc.check_gradient(lambda W: net.loss(), lambda W: 2 * net.gradient()["W1"], net.params["W1"], box=box)
    assert wrong.status == "wrong"


def test_what_is_constant_in_a_box_is_judged_there() -> None:
    def dead(x):
        return float(np.sum(np.where(x > 0, x, 0.0)))

    at = np.array([-1.0, -2.0])
    assert dc.check_gradient(dead, lambda x: np.zeros(2), at, box=(-3.0, -0.5)).status == "consistent"
    assert dc.check_gradient(dead, lambda x: np.ones(2), at, box=(-3.0, -0.5)).status == "wrong"
