"""Certified Jacobians and Hessians: values against mpmath, statuses against mathematics."""

from __future__ import annotations

import mpmath
import pytest

import diffcompare as dc

VARIABLES = ["x", "y"]


@pytest.mark.parametrize(
    ("text", "function", "point"),
    [
        ("exp(x*y)/(1 + x**2)", lambda x, y: mpmath.exp(x * y) / (1 + x**2), (0.3, -1.7)),
        ("log(exp(x) + exp(y))", lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y)), (1.25, 2.5)),
        ("sqrt(x**2 + y**2)", lambda x, y: mpmath.sqrt(x**2 + y**2), (3.1, 4.2)),
        ("atan2(y, x)", lambda x, y: mpmath.atan2(y, x), (0.7, -0.4)),
        ("where(x > y, sin(x*y), cos(x - y))", lambda x, y: mpmath.sin(x * y), (1.1, 0.2)),
        ("x**y", lambda x, y: x**y, (2.3, 1.9)),
    ],
)
def test_second_derivatives_are_correctly_rounded(text, function, point):
    found = dc.certified_hessian(dc.parse(text, variables=VARIABLES), point)
    assert found.status.tolist() == [["ok", "ok"], ["ok", "ok"]]
    assert found.notes == ()
    # differentiated by mpmath's differences at 120 digits
    with mpmath.workdps(120):
        orders = [[(2, 0), (1, 1)], [(1, 1), (0, 2)]]
        exact = [[float(mpmath.diff(function, [mpmath.mpf(v) for v in point], n)) for n in row] for row in orders]
    assert found.value.tolist() == exact


@pytest.mark.parametrize(
    ("text", "point", "status"),
    [
        # the slope |y| has a corner; ∂f/∂x has no value beside the point
        ("abs(x)*y", (0.0, 2.0), ["kink", "kink", "kink", "ok"]),
        # off the axes there are corners arbitrarily near: no mixed derivative
        ("abs(x)*abs(y)", (0.0, 0.0), ["ok", "undecided", "undecided", "ok"]),
        ("max(x, 0)**2 + y**2", (0.0, 1.0), ["kink", "ok", "ok", "ok"]),
        ("max(x, 0)**3 + y**2", (0.0, 1.0), ["ok", "ok", "ok", "ok"]),
        ("x*abs(x) + y", (0.0, 1.0), ["kink", "ok", "ok", "ok"]),
        ("sqrt(x**2 + y**2)", (0.0, 0.0), ["kink", "kink", "kink", "kink"]),
        ("log(x)*y", (-1.0, 1.0), ["domain", "domain", "domain", "domain"]),
        ("x**1.5*y", (0.0, 1.0), ["domain", "domain", "domain", "ok"]),
    ],
)
def test_statuses_of_second_derivatives(text, point, status):
    found = dc.certified_hessian(dc.parse(text, variables=VARIABLES), point)
    assert found.status.reshape(-1).tolist() == status
    assert [v != v for v in found.value.reshape(-1).tolist()] == [s != "ok" for s in status]


def test_a_jacobian_has_the_certified_gradients_as_rows():
    texts = [["exp(x*y)", "abs(x)"], ["log(y)", "x/y"]]
    found = dc.certified_jacobian(dc.parse(texts), [0.0, 3.0])
    assert found.value.shape == found.status.shape == (2, 2, 2)
    for i in (0, 1):
        for j in (0, 1):
            own = dc.certified_gradient(dc.parse(texts[i][j], variables=VARIABLES), [0.0, 3.0])
            assert found.status[i, j].tolist() == own.status
            assert repr(found.value[i, j].tolist()) == repr(own.value.tolist())
    one = dc.certified_jacobian(dc.parse("x*y"), [2.0, 3.0])
    assert one.value.tolist() == [3, 2]


def test_an_adjoint_that_contradicts_the_taylor_coefficient_is_undecided(monkeypatch):
    from diffcompare.certify import arrays as certified_arrays

    monkeypatch.setattr(certified_arrays, "directional_curvature", lambda *_: certified_arrays.ball(1))
    found = dc.certified_hessian(dc.parse("x**2*y", variables=VARIABLES), [2.0, 3.0])
    assert set(found.status.reshape(-1).tolist()) == {"undecided"}
    assert "contradict" in found.notes[0]


def test_a_vector_function_has_no_hessian():
    with pytest.raises(ValueError, match=r"returns an array of shape \(2,\)"):
        dc.certified_hessian(dc.parse(["x", "y"]), [1.0, 2.0])


def test_where_one_derivative_is_undefined_and_the_other_a_kink_the_entry_is_undefined():
    found = dc.certified_hessian(dc.parse("sqrt(x) + abs(y)"), [0.0, 0.0])
    assert found.status.tolist() == [["domain", "domain"], ["domain", "kink"]]
