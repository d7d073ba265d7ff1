"""check_jacobian and check_hessian: structures, vectors, formulas, corners, what is refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest

import diffcompare as dc


def opaque(function):
    """The same function, but numbers alone go in: nothing can follow what becomes of them."""

    def compiled(x, *more):
        numbers = struct.unpack(f"{np.size(x)}d", np.ascontiguousarray(x, dtype=float).tobytes())
        return function(np.array(numbers).reshape(np.shape(x)), *more)

    return compiled


X = np.array([1.5, -0.5])


def cubic(x):
    return x[0] ** 3 * x[1] + np.exp(x[1])


def cubic_gradient(x):
    return np.array([3 * x[0] ** 2 * x[1], x[0] ** 3 + np.exp(x[1])])


def cubic_hessian(x):
    return np.array([[6 * x[0] * x[1], 3 * x[0] ** 2], [3 * x[0] ** 2, np.exp(x[1])]])


def test_entries_are_named_as_they_are_found_in_the_array():
    w = np.arange(4.0).reshape(2, 2) + 1
    verdict = dc.check_jacobian(lambda w: w[0] * w[1], lambda w: np.zeros((2, 2, 2)), w)
    assert verdict.components["component"].tolist()[:3] == ["J[0, 0, 0]", "J[0, 0, 1]", "J[0, 1, 0]"]
    assert dc.check_hessian(cubic, cubic_hessian, X).components["component"].tolist() == [
        "H[0, 0]", "H[0, 1]", "H[1, 0]", "H[1, 1]"
    ]  # fmt: skip
    at = {"a": np.array([1.0, 2.0]), "b": 3.0}
    verdict = dc.check_jacobian(lambda p: p["a"] * p["b"], lambda p: {"a": p["b"] * np.eye(2), "b": p["a"].copy()}, at)
    assert verdict.status == "consistent", verdict.explain()
    assert verdict.components["component"].tolist()[:3] == ["J[0, a[0]]", "J[0, a[1]]", "J[0, b]"]


def test_hessians_of_several_arrays_are_nested():
    at = (np.array([1.0, 2.0]), np.array([3.0]))

    def f(p):
        return p[0][0] * p[0][1] * p[1][0]

    def hessian(p):
        (a, b), c = p[0], p[1][0]
        mixed = np.array([[b], [a]])
        return ((np.array([[0, c], [c, 0]]), mixed), (mixed.T, np.zeros((1, 1))))

    assert dc.check_hessian(f, hessian, at).status == "consistent"
    assert dc.check_hessian(f, lambda p: tuple(reversed(hessian(p))), at).status == "wrong"


@pytest.mark.thorough
@pytest.mark.parametrize("claim", [cubic_hessian, opaque(cubic_hessian)], ids=["traced", "opaque"])
def test_a_product_with_a_vector(claim):
    v = np.array([0.3, -1.7])
    right = dc.check_hessian(cubic, lambda x, v: claim(x) @ v, X, vector=v)
    assert right.status == "consistent", right.explain()
    assert right.what == "Hessian-vector product"
    assert right.components["component"].tolist() == ["Hv[0]", "Hv[1]"]
    assert dc.check_hessian(cubic, lambda x: claim(x) @ v, X, vector=v).status == "consistent"
    wrong = dc.check_hessian(cubic, lambda x, v: 2 * claim(x) @ v, X, vector=v)
    assert wrong.status == "wrong"
    assert "factor 2 too many" in wrong.cause
    black = dc.check_hessian(opaque(cubic), lambda x, v: claim(x) @ v, X, vector=v)
    assert (black.status, black.evidence) == ("consistent", "witness")
    assert dc.check_hessian(opaque(cubic), lambda x, v: claim(x) @ v * 1.01, X, vector=v).status == "wrong"


def test_a_vector_of_many_digits_hides_nothing():
    v = np.array([1 / 3, -np.pi])
    assert dc.check_hessian(cubic, lambda x, v: cubic_hessian(x) @ v, X, vector=v).status == "consistent"
    assert dc.check_hessian(cubic, lambda x, v: cubic_hessian(x) @ v * (1 + 1e-12), X, vector=v).status == "wrong"


def test_a_gradient_stands_in_for_a_function_that_cannot_be_read():
    verdict = dc.check_hessian(opaque(cubic), opaque(cubic_hessian), X, gradient=cubic_gradient)
    assert verdict.status == "consistent"
    assert any("compared with the gradient that was given, which is consistent" in note for note in verdict.notes)
    verdict = dc.check_hessian(opaque(cubic), cubic_hessian, X, gradient=cubic_gradient)
    assert verdict.evidence == "identity"
    wrong = dc.check_hessian(opaque(cubic), cubic_hessian, X, gradient=lambda x: 2 * cubic_gradient(x))
    assert wrong.status == "consistent"
    assert any("the gradient that was given is itself wrong" in note for note in wrong.notes)


def test_a_formula_that_is_not_the_function_is_blamed():
    verdict = dc.check_hessian(opaque(cubic), opaque(cubic_hessian), X, formula="x0**3*x1 + exp(2*x1)")
    assert (verdict.status, verdict.blame) == ("wrong", "formula")
    right = dc.check_hessian(opaque(cubic), opaque(cubic_hessian), X, formula="x0**3*x1 + exp(x1)")
    assert (right.status, right.evidence) == ("consistent", "neighbours")
    both = dc.check_jacobian(
        opaque(cubic_gradient), opaque(cubic_hessian), X, formula=["3*x0**2*x1", "x0**3 + exp(x1)"]
    )
    assert (both.status, both.evidence) == ("consistent", "neighbours")
    with pytest.raises(ValueError, match=r"has 1 outputs, f returns 2 numbers; state one formula for each"):
        dc.check_jacobian(cubic_gradient, cubic_hessian, X, formula=["x0 + x1"])


@pytest.mark.parametrize("opacity", [lambda c: c, opaque], ids=["traced", "opaque"])
def test_corners_have_no_second_derivative(opacity):
    def corner(x):
        return np.sum(np.abs(x)) + x[0] * x[1]

    verdict = dc.check_hessian(corner, opacity(lambda x: np.array([[0.0, 1.0], [1.0, 0.0]])), [0.0, 2.0])
    assert verdict.status == "non-smooth", verdict.explain()
    assert verdict.components["status"].tolist() == ["non-smooth", "non-smooth", "non-smooth", "consistent"]
    away = dc.check_hessian(corner, opacity(lambda x: np.array([[0.0, 1.0], [1.0, 0.0]])), [0.01, 2.0])
    assert away.status == "consistent", away.explain()


@pytest.mark.thorough
def test_a_corner_near_the_point_is_no_false_alarm_where_nothing_is_known():
    def near(x):
        return abs(x[0] - 0.01) + x[0] * x[1]

    for at in ([0.0, 2.0], [0.0099, 2.0], [0.01, 2.0]):
        verdict = dc.check_hessian(opaque(near), opaque(lambda x: np.array([[0.0, 1.0], [1.0, 0.0]])), at)
        assert verdict.status != "wrong", verdict.explain()


def test_outside_the_domain():
    verdict = dc.check_hessian(lambda x: np.log(x[0]) * x[1], lambda x: np.zeros((2, 2)), [-1.0, 1.0])
    assert verdict.status == "out-of-domain"
    verdict = dc.check_jacobian(lambda x: np.sqrt(x), lambda x: np.diag(1 / x), [-1.0, 1.0])
    assert verdict.status == "out-of-domain"


def test_symbolic_functions_may_be_checked_at_several_points():
    f = dc.parse(["x0*x1", "x1**2"])
    points = [[1.0, 2.0], [3.0, 4.0]]
    verdict = dc.check_jacobian(f, lambda x: np.array([[x[1], x[0]], [0.0, 2 * x[1]]]), points)
    assert (verdict.status, len(verdict.components)) == ("consistent", 8)
    wrong = dc.check_jacobian(f, lambda x: np.array([[x[1], x[0]], [0.0, x[1]]]), points)
    assert wrong.components["status"].tolist() == ["consistent"] * 3 + ["wrong"] + ["consistent"] * 3 + ["wrong"]
    hessian = dc.check_hessian(f.components[1], lambda x: np.array([[0.0, 0.0], [0.0, 2.0]]), points)
    assert hessian.status == "consistent"


@pytest.mark.parametrize(
    ("claim", "note"),
    [
        (lambda x: np.zeros((3, 2)), r"a Jacobian of shape \(2, 3\) is needed, got shape \(3, 2\); it is transposed"),
        (lambda x: np.zeros(6), r"a Jacobian of shape \(2, 3\) is needed, got shape \(6,\)"),
        (lambda x: np.zeros((2, 3)) * 1j, "real numbers"),
    ],
)
def test_another_shape_is_wrong_and_said(claim, note):
    verdict = dc.check_jacobian(lambda x: x[:2] * x[1:], claim, [1.0, 2.0, 3.0])
    assert (verdict.status, verdict.evidence) == ("wrong", "calls")
    assert "has the wrong shape or type" in verdict.notes[0]
    with pytest.raises(AssertionError, match=note):
        raise AssertionError(verdict.explain())


def test_a_claim_that_changes_its_argument_is_wrong():
    def spoils(x):
        found = cubic_hessian(x)
        x[0] = 0
        return found

    said = dc.check_hessian(cubic, spoils, X).explain()
    assert said.startswith("wrong: the Hessian changed its argument in place (test_check_arrays.py:")


def test_what_is_no_argument_is_refused_by_name():
    with pytest.raises(TypeError, match=r"jacobian=3: must be callable"):
        dc.check_jacobian(cubic, 3, X)
    with pytest.raises(TypeError, match=r"gradient=3: must be callable"):
        dc.check_hessian(cubic, cubic_hessian, X, gradient=3)
    with pytest.raises(ValueError, match=r"vector: a vector of shape \(2,\) is needed"):
        dc.check_hessian(cubic, cubic_hessian, X, vector=[1.0, 2.0, 3.0])
    f = dc.parse(["x0", "x1"])
    with pytest.raises(ValueError, match=r"returns an array of shape \(2,\): one number is needed; check the Hessians"):
        dc.check_hessian(f, cubic_hessian, X)
    for refuse in (
        lambda: dc.check_gradient(f, cubic_gradient, X),
        lambda: dc.certified_gradient(f, X),
        lambda: dc.certified_hessian(f, X),
        lambda: dc.sweep(f, X),
        lambda: dc.gradient_descent(f, X),
        lambda: dc.hot_spots(f, X),
        lambda: dc.check_directional(f, cubic_gradient, X),
        lambda: dc.numerical_gradient(f, X),
    ):
        with pytest.raises(ValueError, match=r"array of shape \(2,\): .*one number"):
            refuse()


def test_the_triangle_that_is_0_is_named():
    def verdict(matrix):
        return dc.check_hessian(lambda x: x[0] ** 2 * x[1], lambda x: np.array(matrix(x)), np.array([3.0, 5.0]))

    lower = verdict(lambda x: [[2 * x[1], 2 * x[0]], [0, 0]])
    upper = verdict(lambda x: [[2 * x[1], 0], [2 * x[0], 0]])
    assert lower.cause == "the lower triangle is 0: a Hessian is symmetric, copy the upper one"
    assert upper.cause == "the upper triangle is 0: a Hessian is symmetric, copy the lower one"


def test_the_cause_of_a_later_row_names_the_entries_of_that_row():
    def jacobian(x):
        return np.array([[1.0, 1.0], [np.cos(x[0] * x[1]), x[0] * np.cos(x[0] * x[1])]])

    verdict = dc.check_jacobian(lambda x: np.array([x[0] + x[1], np.sin(x[0] * x[1])]), jacobian, np.array([0.7, 1.3]))
    assert verdict.cause == "in row 1, the chain factor x1 is missing"
    assert verdict.cause.components == (2,)


def test_the_cause_of_an_early_row_is_sought_in_that_row_alone():
    def jacobian(x):
        # sin stands for its derivative; the other rows are right
        first = [np.sin(x[0]) * x[1] ** 2, 2 * np.sin(x[0]) * x[1]]
        return np.array([first, [x[1], x[0]], [1.0, np.exp(x[1])]])

    def f(x):
        return np.array([np.sin(x[0]) * x[1] ** 2, x[0] * x[1], x[0] + np.exp(x[1])])

    verdict = dc.check_jacobian(f, jacobian, np.array([0.7, 1.3]))
    assert verdict.cause == "in row 0, the value of sin(x0) stands for its derivative cos(x0)"
    assert verdict.cause.components == (0,)


def test_one_row_of_another_formula_blames_the_formula():
    def jacobian(x):
        return np.array([[float(str(v)) for v in row] for row in [[x[1], x[0]], [2 * x[0], 1e-3]]])

    def f(x):
        return np.array([x[0] * x[1], x[0] ** 2 + 1e-3 * x[1]])

    verdict = dc.check_jacobian(f, jacobian, np.array([3.0, 5.0]), formula=dc.parse(["x0*x1", "x0**2"]))
    assert (verdict.status, verdict.blame, verdict.evidence) == ("wrong", "formula", "neighbours")


def test_a_jacobian_of_many_residuals_is_certain():
    rows = np.random.default_rng(0).normal(size=(600, 30))
    x = np.linspace(-0.2, 0.2, 30)

    def residuals(w):
        return np.tanh(rows @ w)

    def claimed(w, power=2):
        return (1 - np.tanh(rows @ w) ** power)[:, None] * rows

    right = dc.check_jacobian(residuals, claimed, x)
    assert (right.status, right.evidence) == ("consistent", "identity"), right.explain()
    assert right.resolution <= 4e-15
    wrong = dc.check_jacobian(residuals, lambda w: claimed(w, 1), x)
    assert (wrong.status, wrong.evidence) == ("wrong", "identity")


@pytest.mark.thorough
def test_a_hessian_of_many_entries_is_certain_beside_a_kink():
    x = np.random.default_rng(0).normal(size=60)
    x[5] = 0.0

    def f(x):
        return np.sum(np.maximum(x, 0) ** 2) + np.sum(x[1:] * x[:-1] ** 2)

    def hessian(x):
        found, i = np.diag(2.0 * (x > 0)), np.arange(59)
        found[i, i] += 2 * x[1:]
        found[i, i + 1] += 2 * x[:-1]
        found[i + 1, i] += 2 * x[:-1]
        return found

    verdict = dc.check_hessian(f, hessian, x)
    assert verdict.evidence == "identity", verdict.explain()
    status = verdict.components.set_index("component")["status"]
    assert status["H[5, 5]"] == "non-smooth"
    assert set(status.drop("H[5, 5]")) == {"consistent"}
    # where the slope jumps, its row and column have no second derivatives
    corner = dc.check_hessian(lambda x: np.sum(np.maximum(x, 0) * x[::-1]), lambda x: np.zeros((60, 60)), x)
    assert corner.components.set_index("component")["status"]["H[5, 7]"] == "non-smooth"
