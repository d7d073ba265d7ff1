"""Functions that return value and gradient, as for SciPy's jac=True: judged like two functions, called like one."""

import re

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.testing import assert_gradient, find_worst

X = np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 1.0], [2.0, 2.0]])
Y = np.array([1.0, 0.0, 1.0, 2.0])
AT = [0.5, -0.25]


def ridge(w, scale=1.0):
    r = X @ w - Y
    return scale * (np.mean(r**2) + 0.125 * np.sum(w**2)), scale * (X.T @ r / 2 + 0.25 * w)


def halved(w):
    r = X @ w - Y
    return np.mean(r**2) + 0.125 * np.sum(w**2), X.T @ r / 2 + 0.125 * w


class Opaque:
    """The same through text, which no trace follows; counts its calls."""

    def __init__(self, f):
        self.f, self.points = f, []

    def __call__(self, w):
        w = np.array([float.fromhex(float(v).hex()) for v in w])
        self.points.append(w.tobytes())
        return self.f(w)


def test_value_and_gradient_are_judged_by_identity():
    verdict = dc.check_gradient(ridge, True, AT, args=(3.0,))
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    assert verdict.snippet == "diffcompare.check_gradient(f, True, at=[0.5, -0.25], args=(3.0,))"


@pytest.mark.places
def test_both_halves_are_marked_in_the_one_code():
    verdict = dc.check_gradient(halved, True, AT)
    assert verdict.cause == "factor 2 missing in the term 0.125 * np.sum(w**2)"
    assert [(mark.role, mark.text) for mark in verdict.marks] == [
        ("f", "0.125 * np.sum(w**2)"),
        ("gradient", "0.125 * w"),
    ]
    assert "`dc.derive(lambda x: f(x)[0], at)`" in verdict.explain()
    assert dc.derive(lambda w: halved(w)[0], AT).verdict.ok


def test_one_call_gives_value_and_gradient():
    two = Opaque(lambda w: ridge(w)[0]), Opaque(lambda w: ridge(w)[1])
    apart = dc.check_gradient(*two, AT)
    one = Opaque(ridge)
    together = dc.check_gradient(one, True, AT)
    assert (together.status, together.evidence) == (apart.status, apart.evidence) == ("consistent", "witness")
    # where both were asked, one call does; but for the one that tries to follow the code
    shared = sum(min(two[0].points.count(p), two[1].points.count(p)) for p in {*two[0].points})
    assert len(one.points) <= len(two[0].points) + len(two[1].points) - shared + 1
    assert shared > 3
    opaque = Opaque(halved)
    assert dc.check_gradient(opaque, True, AT).status == "wrong"


def test_two_calls_of_the_gradient_are_two_calls_of_the_code():
    rng = np.random.default_rng(0)
    verdict = dc.check_gradient(lambda w: (w @ w, 2 * w + 1e-3 * rng.random()), True, AT)
    assert re.match("wrong: two calls of the gradient at one point gave two answers", verdict.explain())


def test_a_function_that_changes_its_argument_is_seen():
    def f(w):
        value = w @ w
        w *= 2
        return value, w

    assert "changed its argument in place" in dc.check_gradient(f, True, AT).headline


@pytest.mark.parametrize("returned", [1.0, (1.0,), None, (1.0, 2.0, 3.0)])
def test_a_function_that_returns_no_pair_is_named(returned):
    verdict = dc.check_gradient(lambda w: returned, True, AT)
    assert verdict.status == "inconclusive"
    assert re.search(
        r"with gradient=True f must return \(value, gradient\), not \w+ \(test_value_and_gradient\.py:\d+\)",
        verdict.explain(),
    )


def test_a_formula_returns_no_gradient():
    with pytest.raises(TypeError, match=r"gradient=True: f must return .* a formula returns its value alone"):
        dc.check_gradient(dc.parse("x**2"), True, 1.0)


def test_parameters_in_a_dict_go_through():
    def f(p):
        r = X @ p["w"] + p["b"] - Y
        return np.sum(r**2), {"w": 2 * X.T @ r, "b": 2 * np.sum(r)}

    verdict = dc.check_gradient(f, True, {"w": np.array(AT), "b": 0.5})
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")


def test_the_other_checks_take_both_too():
    assert dc.check_directional(ridge, True, AT).ok
    assert dc.check_directional(halved, True, AT).snippet.startswith("diffcompare.check_directional(f, True, ")
    hessian = X.T @ X / 2 + 0.25 * np.eye(2)
    verdict = dc.check_hessian(Opaque(ridge), lambda w: hessian, AT, gradient=True)
    assert verdict.ok
    assert "compared with the gradient that was given" in " ".join(verdict.notes)
    assert dc.check_hessian(Opaque(ridge), lambda w: 2 * hessian, AT, gradient=True).status == "wrong"


def test_the_assertion_and_the_search_take_both_too():
    assert assert_gradient(ridge, True, AT).ok
    with pytest.raises(AssertionError) as told:
        assert_gradient(halved, True, AT)
    assert "# f as in the test\n    result = dc.check_gradient(f, True, at=[0.5, -0.25])" in str(told.value)
    assert find_worst(halved, True, ([-1, -1], [1, 1])).verdict.status == "wrong"
    with pytest.raises(AssertionError, match=r"dc\.check_gradient\(f, True"):
        assert_gradient(halved, True, box=([-1, -1], [1, 1]))


def test_jax_value_and_grad_is_one_of_them():
    jax = pytest.importorskip("jax")
    verdict = dc.check_gradient(jax.value_and_grad(lambda w: jax.numpy.sum(jax.numpy.tanh(w) ** 2)), True, AT)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
