"""All orders of one function in one verdict; objects with methods; complex numbers are refused by name."""

import pickle
import re
from types import SimpleNamespace

import numpy as np
import pytest

import diffcompare as dc

X = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 1.0]])
Y = np.array([1.0, 0.0, 1.0])
AT = [0.5, -0.25]


def loglike(w):
    return np.sum(Y * (X @ w) - np.log1p(np.exp(X @ w)))


def score(w):
    return X.T @ (Y - 1 / (1 + np.exp(-X @ w)))


def hessian(w):
    p = 1 / (1 + np.exp(-X @ w))
    return -(X.T * (p * (1 - p))) @ X


def halved(w):
    return hessian(w) / 2


def test_all_orders_that_are_right_are_consistent():
    found = dc.check_derivatives(loglike, score, hessian, AT)
    assert (found.status, found.ok) == ("consistent", True)
    assert [one.evidence for one in found.verdicts] == ["identity", "identity"]
    assert str(found).startswith(
        "consistent: the gradient is consistent, the Hessian is consistent\n\ngradient: consistent: "
    )


@pytest.mark.parametrize(
    ("gradient", "second", "first_line"),
    [
        (score, halved, "wrong: the gradient is consistent, the Hessian is wrong"),
        (lambda w: -score(w), hessian, "wrong: the gradient is wrong, the Hessian is consistent"),
    ],
)
def test_the_worst_order_is_the_status_and_both_are_explained(gradient, second, first_line):
    found = dc.check_derivatives(loglike, gradient, second, AT)
    assert found.explain().splitlines()[0] == first_line
    assert (found.status, found.ok) == ("wrong", False)
    assert found.gradient.explain() in found.explain()
    assert found.hessian.explain() in found.explain()
    html = r"<div><strong>wrong: .*<div>gradient</div><div role.*<div>Hessian</div>.*</div>"
    assert re.fullmatch(html, found._repr_html_(), re.DOTALL)
    assert pickle.loads(pickle.dumps(found)).explain() == found.explain()


def test_what_is_neither_true_nor_false_says_so():
    with pytest.raises(TypeError, match=r"ask \.ok"):
        bool(dc.check_derivatives(loglike, score, None, AT))


def test_without_a_hessian_the_gradient_alone_is_judged():
    found = dc.check_derivatives(loglike, score, at=AT)
    assert (found.hessian, found.verdicts) == (None, (found.gradient,))
    assert found.explain().splitlines()[0] == "consistent: the gradient is consistent"


def test_value_and_gradient_go_with_a_hessian():
    found = dc.check_derivatives(lambda w: (loglike(w), score(w)), True, hessian, AT)
    assert found.ok
    assert dc.check_derivatives(lambda w: (loglike(w), score(w)), True, halved, AT).hessian.status == "wrong"


def test_options_are_those_of_both():
    found = dc.check_derivatives(
        lambda w, k: k * loglike(w),
        lambda w, k: k * score(w),
        lambda w, k: k * hessian(w),
        AT,
        args=(3.0,),
        box=[(0, 1), (None, 0)],
    )
    assert found.ok
    with pytest.raises(ValueError, match="lies outside the box"):
        dc.check_derivatives(loglike, score, hessian, AT, box=(0.0, 1.0))


MODELS = {
    "loglike, score, hessian": SimpleNamespace(loglike=loglike, score=score, hessian=hessian),
    "fun, grad, hess": SimpleNamespace(fun=loglike, grad=score, hess=hessian),
    "fun, jac, hess": SimpleNamespace(fun=loglike, jac=score, hess=hessian),
    "fun, jac": SimpleNamespace(fun=loglike, jac=score, hess=np.eye(2)),
}


@pytest.mark.parametrize("name", MODELS)
def test_objects_are_asked_for_their_methods(name):
    found = dc.check_derivatives(MODELS[name], at=AT)
    assert found.ok
    assert len(found.verdicts) == name.count(",")


def test_another_hessian_than_that_of_the_object_may_be_given():
    assert dc.check_derivatives(MODELS["fun, jac"], hessian=halved, at=AT).hessian.status == "wrong"


def test_what_is_missing_is_named():
    with pytest.raises(TypeError, match="gradient=None: pass a gradient, or an object with loglike and score"):
        dc.check_derivatives(loglike, at=AT)
    with pytest.raises(TypeError, match="at=None: pass the point"):
        dc.check_derivatives(loglike, score, hessian)


# ---- complex numbers


@pytest.mark.parametrize(("at", "name"), [(1 + 2j, "at"), (np.array([1j]), "at"), ({"z": np.array([1j])}, "at['z']")])
def test_complex_variables_are_refused_with_a_remedy(at, name):
    with pytest.raises(TypeError, match=rf"^{re.escape(name)} of dtype complex128: .* pass the real and the imaginary"):
        dc.check_gradient(np.abs, np.abs, at)


def test_the_remedy_for_complex_variables_is_one():
    def f(p):
        z = p["re"] + 1j * p["im"]
        return np.sum(np.abs(z**2))

    at = {"re": np.array([1.0, 2.0]), "im": np.array([0.5, -0.25])}
    assert dc.check_gradient(f, lambda p: {k: 2 * v for k, v in p.items()}, at).ok
    assert dc.check_gradient(f, lambda p: dict(p), at).status == "wrong"


def test_complex_results_are_told_from_real_ones():
    told = r"complex numbers \(complex128\), of which \.real or abs\(\) may be meant"
    assert re.search(told, dc.check_gradient(lambda x: x @ x * 1j, lambda x: x, AT).headline)
    assert re.search(told, dc.check_gradient(lambda x: x @ x, lambda x: 2j * x, AT).headline)
