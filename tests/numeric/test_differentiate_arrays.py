"""Gradients, Jacobians, Hessians of a black box: shapes, shared evaluations, boxes, patterns; the estimates cover."""

import math
import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse
from scipy.optimize import rosen, rosen_der, rosen_hess

import diffcompare as dc
from diffcompare.numeric.column_groups import column_groups


def covered(found, exact):
    """Whether all was answered, and every estimate holds."""
    assert np.all(found.status == "ok"), found.reason
    return bool((np.abs(found.value - exact) <= found.error).all())


@pytest.mark.parametrize(
    ("f", "x", "derivative", "shape"),
    [
        (lambda x: x.sum(), np.ones(3), 1, (3,)),
        (lambda x: x.sum(), np.ones((2, 3)), 1, (2, 3)),
        (lambda x: x**2, np.ones(3), 1, (3, 3)),
        (lambda x: x.T, np.ones((2, 3)), 1, (3, 2, 2, 3)),
        (lambda x: np.array([x, x * x]), 2.0, 1, (2,)),
        (lambda x: np.array([x, x * x]), 2.0, 2, (2,)),
        (lambda x: [x[0] * x[1], x[1]], (1, 2), 2, (2, 2, 2)),
        (lambda x: x[0] ** 2, [1], 2, (1, 1)),
        (lambda x: 1.0, np.ones(0), 1, (0,)),
    ],
)
def test_shapes_are_those_of_f_then_of_x(f, x, derivative, shape):
    found = dc.differentiate(f, x, derivative=derivative)
    assert [np.shape(part) for part in (found.value, found.error, found.h, found.status, found.reason)] == [shape] * 5


def test_a_number_of_a_number_stays_a_number():
    for derivative in (1, 2):
        found = dc.differentiate(math.exp, 1, derivative=derivative)
        assert isinstance(found.value, float)
        assert isinstance(found.status, str)
        assert abs(found.value - math.e) <= found.error <= 1e-9
    assert isinstance(dc.differentiate(lambda t: np.exp(t).reshape(1), 1.0).value, float)


def test_gradient_and_hessian_of_rosenbrock_are_covered():
    x = np.array([1.3, 0.7, 0.8, 1.9])
    first, second = dc.differentiate(rosen, x), dc.differentiate(rosen, x, derivative=2)
    assert covered(first, rosen_der(x))
    assert first.error.max() <= 1e-7
    assert covered(second, rosen_hess(x))
    assert second.error.max() <= 1e-5
    assert (second.value == second.value.T).all()


def test_a_slope_is_that_of_the_same_function_of_one_number():
    one = dc.differentiate(lambda t: math.exp(t) * math.sin(3 * t), 0.7)
    vector = dc.differentiate(lambda x: math.exp(x[0]) * math.sin(3 * x[0]), [0.7])
    assert (vector.value[0], vector.error[0], vector.evaluations) == (one.value, one.error, one.evaluations)


@pytest.mark.parametrize("derivative", [1, 2])
def test_f_is_asked_once_at_every_point_for_all_its_values(derivative):
    seen = []

    def f(x):
        seen.append(x.tobytes())
        return np.array([math.sin(x[0] * x[1]), math.exp(x[1]), x[0] ** 3])

    found = dc.differentiate(f, [0.4, 0.7], derivative=derivative)
    assert found.evaluations == len(seen) == len(set(seen))


def test_the_steps_of_one_value_serve_the_others():
    k = np.arange(1, 13)
    found = dc.differentiate(lambda t: np.sin(k * t), 0.7)
    assert covered(found, k * np.cos(0.7 * k))
    assert found.evaluations <= 25


def test_steps_are_relative_to_each_variable():
    scales = np.array([1e-8, 1.0, 1e8])
    found = dc.differentiate(lambda x: np.sin(x / scales).sum(), 0.6 * scales)
    assert covered(found, math.cos(0.6) / scales)
    assert (found.error * scales <= 1e-9).all()

    def product(x):
        return np.prod(np.sin(x / scales))

    found = dc.differentiate(product, 0.6 * scales, derivative=2)
    s, c = math.sin(0.6), math.cos(0.6)
    area = np.multiply.outer(scales, scales)
    assert covered(found, np.where(np.eye(3), -(s**3), s * c * c) / area)
    assert (found.error * area <= 1e-7).all()


def test_f_cannot_change_the_point():
    def f(x):
        value = float(x[0] * x[1])
        x[:] = 0
        return value

    at = np.array([2.0, 3.0])
    assert covered(dc.differentiate(f, at), [3.0, 2.0])
    assert at.tolist() == [2.0, 3.0]


def test_more_arguments_follow_x():
    assert covered(dc.differentiate(lambda x, a, b: a * x[0] + b, [2.0], args=(3.0, 1.0)), [3.0])


def test_a_corner_in_one_variable_leaves_the_others():
    found = dc.differentiate(lambda x: abs(x[0]) + math.exp(x[1]), [0.0, 0.0], derivative=2)
    assert found.status.tolist() == [["kink", "kink"], ["kink", "ok"]]
    assert re.fullmatch(
        r"the slopes of both sides differ: -\S+ on the left, \S+ on the right of x\[0\]", found.reason[0, 0]
    )
    assert abs(found.value[1, 1] - 1) <= found.error[1, 1]
    assert np.isnan(found.value[0]).all()
    assert np.isinf(found.error[0]).all()


@pytest.mark.parametrize(
    ("f", "entry"),
    [
        # f″ is 2 on one side and 0 on the other: central second differences give 1 at every step
        (lambda x: max(x[0], 0.0) ** 2 + math.exp(x[1]), (0, 0)),
        # the gradient is max(y, 0) along x = 0, which has no slope; the mixed difference is 1/2 at every step
        (lambda x: x[0] * max(x[1], 0.0) + math.exp(x[0]), (0, 1)),
        (lambda x: x[0] * x[1] * (x[0] ** 2 - x[1] ** 2) / (x[0] ** 2 + x[1] ** 2 or 1.0) + abs(x[0] + x[1]) ** 2.0
         * (x[0] + x[1] > 0), (0, 1)),
    ],
)  # fmt: skip
def test_a_corner_of_the_second_derivative_is_refused(f, entry):
    found = dc.differentiate(f, [0.0, 0.0], derivative=2)
    assert found.status[entry] == "kink"


@pytest.mark.parametrize(
    ("f", "derivative", "box"),
    [
        (lambda t: math.exp(t) + max(t, 0.0) ** 1.5, 2, None),
        (lambda t: math.exp(t) + abs(t) ** 1.5, 2, None),
        (math.sqrt, 1, (0, 1)),
        (lambda t: t**1.5, 2, (0, 1)),
    ],
)
def test_a_derivative_that_grows_without_limit_is_refused(f, derivative, box):
    found = dc.differentiate(f, 0.0, derivative=derivative, box=box)
    assert found.status == "kink"
    assert re.search("grows without limit|jumps at|differ by", found.reason)


def test_a_second_derivative_of_something_linear_is_an_answer():
    found = dc.differentiate(lambda x: 1e6 + 3 * x[0] + math.exp(x[1]), [0.3, 0.2], derivative=2)
    assert covered(found, [[0, 0], [0, math.exp(0.2)]])


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: math.log1p(math.exp(5 * x[0])) + math.tanh(3 * x[1]), (0.1, 0.3)),
        (lambda x: math.log1p(math.exp(1.5 * x[0] + 1.4)) + math.log1p(math.exp(0.7 - 3 * x[0])), (1.0,)),
        (lambda x: math.tanh(2.1 - 2.9 * x[0]) * math.sin(-x[0] - 2.0), (0.0,)),
        # values of few digits at 0, where the smallest steps change nothing
        (lambda x: math.exp(math.sin(-1.6 * x[0] - 2.9)) + math.atan(2.7 * x[0] - 1), (0.0,)),
    ],
)
def test_what_a_smooth_function_does_farther_away_is_no_corner(f, x):
    assert np.all(dc.differentiate(f, x, derivative=2).status == "ok")


def test_a_box_is_not_left():
    def f(x):
        assert (x >= [0, 0, -1]).all()
        assert (x <= [2, 3, 5]).all()
        return math.exp(x[0]) * math.sqrt(1 + x[1]) * math.cos(x[2])

    box = ([0, 0, -1], [2, 3, 5])
    for x in ([0.0, 3.0, 2.0], [1e-12, 3 - 1e-9, -1.0], [2.0, 0.0, 5.0], [1.0, 1e-3, 0.1]):
        a, b, c = x
        e, r, co, s = math.exp(a), math.sqrt(1 + b), math.cos(c), math.sin(c)
        first = dc.differentiate(f, x, box=box)
        assert covered(first, np.array([e * r * co, e * co / 2 / r, -e * r * s]))
        assert first.error.max() <= 1e-6
        second = dc.differentiate(f, x, box=box, derivative=2)
        exact = np.array(
            [
                [e * r * co, e * co / 2 / r, -e * r * s],
                [e * co / 2 / r, -e * co / 4 / r**3, -e * s / 2 / r],
                [-e * r * s, -e * s / 2 / r, -e * r * co],
            ]
        )
        assert covered(second, exact)
        assert second.error.max() <= 1e-3


def test_a_number_at_a_side_of_its_box_has_the_slope_of_that_side():
    found = dc.differentiate(abs, 0.0, box=(0, 1))
    assert abs(found.value - 1) <= found.error <= 1e-9
    found = dc.differentiate(abs, 0.0, box=(-1, 0))
    assert abs(found.value + 1) <= found.error <= 1e-9
    assert dc.differentiate(abs, 0.0, box=(-1, 1)).status == "kink"


def test_a_side_of_the_box_hides_no_staircase():
    assert dc.differentiate(lambda t: math.floor(1e6 * t) / 1e6, 1.0, box=(1, 2)).status == "jump"
    narrow = dc.differentiate(lambda t: float(np.float32(math.exp(t))), 1.0, box=(1, 2))
    assert abs(narrow.value - math.e) <= narrow.error <= 0.1


def test_a_variable_that_the_box_holds_still_has_no_derivative():
    found = dc.differentiate(lambda x: x[0] + x[1], [1.0, 2.0], box=([1, 0], [1, 3]))
    assert found.status.tolist() == ["domain", "ok"]
    assert found.reason[0] == "the box leaves x[0]=1.0 no room to move"


def _tridiagonal(x):
    return np.concatenate([[x[0] ** 2 - x[1]], np.exp(x[:-2]) * x[1:-1] - np.sin(x[2:]), [x[-2] * x[-1]]])


def _its_jacobian(x):
    n = len(x)
    exact = np.zeros((n, n))
    exact[0, :2] = 2 * x[0], -1
    for i in range(1, n - 1):
        exact[i, i - 1 : i + 2] = math.exp(x[i - 1]) * x[i], math.exp(x[i - 1]), -math.cos(x[i + 1])
    exact[-1, -2:] = x[-1], x[-2]
    return exact


def test_columns_that_do_not_meet_move_together():
    x = np.array([0.3, -2e-3, 1.7, 0.0, 0.9, -0.4, 12.0, 0.1, 0.5])
    pattern = np.abs(np.subtract.outer(np.arange(9), np.arange(9))) <= 1
    dense, full = dc.differentiate(_tridiagonal, x, sparsity=pattern), dc.differentiate(_tridiagonal, x)
    assert covered(dense, _its_jacobian(x))
    assert (dense.error[~pattern] == 0).all()
    # three groups in place of nine columns
    assert 2 * dense.evaluations <= full.evaluations
    stored = dc.differentiate(_tridiagonal, x, sparsity=scipy.sparse.coo_array(pattern))
    assert isinstance(stored.value, scipy.sparse.csr_array)
    assert (stored.value.toarray() == dense.value).all()
    assert (stored.error.toarray() == dense.error).all()
    assert stored.status.tolist() == ["ok"] * stored.value.nnz


def test_columns_in_a_box_move_together():
    def f(x):
        assert (x >= 0).all()
        assert (x <= 2).all()
        return np.exp(x)

    x = np.array([0.0, 2.0, 1.0, 1e-9])
    found = dc.differentiate(f, x, sparsity=np.eye(4), box=(0, 2))
    assert covered(found, np.diag(np.exp(x)))
    assert found.error.max() <= 1e-6


def test_columns_that_move_together_take_steps_that_are_floats_for_all():
    x = np.array([0.6, -0.95, 3.3, 15.9, 0.0, 1e-3])
    found = dc.differentiate(np.exp, x, sparsity=np.eye(6))
    assert covered(found, np.diag(np.exp(x)))
    assert found.evaluations <= 26


def test_the_pattern_of_a_hessian_spares_pairs():
    x = np.array([1.3, 0.7, 0.8, 1.9, -0.3])
    pattern = np.abs(np.subtract.outer(np.arange(5), np.arange(5))) <= 1
    found, full = (dc.differentiate(rosen, x, derivative=2, sparsity=s) for s in (pattern, None))
    assert covered(found, rosen_hess(x))
    assert (found.value[pattern] == full.value[pattern]).all()
    assert found.evaluations < full.evaluations


def test_a_pattern_of_nothing_asks_f_once():
    found = dc.differentiate(rosen, [1.0, 2.0], sparsity=np.zeros((1, 2)))
    assert (found.value.tolist(), found.status.tolist(), found.evaluations) == ([[0, 0]], [["ok", "ok"]], 1)


def test_greedy_groups_share_no_row():
    rng = np.random.default_rng(3)
    columns = [tuple(np.flatnonzero(rng.random(40) < 0.08)) for _ in range(60)]
    groups = column_groups(columns)
    assert sorted(k for group in groups for k in group) == [k for k in range(60) if columns[k]]
    for group in groups:
        rows = [row for k in group for row in columns[k]]
        assert len(rows) == len(set(rows))
    assert len(groups) < 20


def test_a_pattern_that_f_contradicts_is_refused():
    with pytest.raises(ValueError, match=r"sparsity: value 1 of f is said not to depend on x\[0\], but it changed by"):
        dc.differentiate(lambda x: np.array([x[0], x[0] * x[1]]), [1.0, 2.0], sparsity=[[1, 0], [0, 0]])
    # an infinite value is none, nor is a noise of the other values
    found = dc.differentiate(lambda x: np.array([x[0] ** 2, np.inf]), [1.0], sparsity=[[1], [0]])
    assert found.status[0, 0] == "ok"
    rng = np.random.default_rng(0)
    found = dc.differentiate(lambda x: np.array([x[0] ** 2, rng.normal()]), [1.0], sparsity=[[1], [0]])
    assert found.status[0, 0] == "ok"


@pytest.mark.parametrize("derivative", [1, 2])
def test_an_executor_changes_nothing(derivative):
    x = [1.3, 0.7, 0.8]
    alone = dc.differentiate(rosen, x, derivative=derivative)
    for made in (ThreadPoolExecutor, ProcessPoolExecutor):
        with made(2) as executor:
            found = dc.differentiate(rosen, x, derivative=derivative, executor=executor)
        assert (found.value == alone.value).all()
        assert (found.error == alone.error).all()
        assert found.evaluations == alone.evaluations


def test_where_f_has_no_value_it_says_why():
    found = dc.differentiate(lambda x: np.ones(3) @ x, np.ones(2))
    assert found.status.tolist() == ["domain", "domain"]
    assert found.reason[0].startswith("f(x) is not finite: ValueError: matmul")
    assert found.evaluations == 1
    assert dc.differentiate(lambda x: np.ones(3) @ x, np.ones(2), sparsity=np.eye(2)).status.tolist() == ["domain"] * 2
    part = dc.differentiate(lambda x: np.log(x), np.array([1.0, -1.0]))
    assert part.status.tolist() == [["ok", "ok"], ["domain", "domain"]]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"x": [1.0, math.nan]}, ValueError, "x[1]=nan: must be finite"),
        ({"x": [[1.0, 2.0], [3.0, math.inf]]}, ValueError, "x[1, 1]=inf: must be finite"),
        ({"x": ["a", "b"]}, TypeError, "x=['a', 'b']: a real number is needed; pass a float, or an array of them"),
        ({"derivative": 3}, ValueError, "derivative=3: must be 1 or 2"),
        ({"noise": -1.0}, ValueError, "noise=-1.0: the noise of f cannot be negative"),
        ({"box": ([0, 3], [5, 5])}, ValueError, "x[1]=2.0: lies outside [3.0, 5.0] of the box"),
        ({"box": ([0, 3, 3], [5, 5, 5])}, ValueError, "its sides must be numbers, or arrays of shape (2,)"),
        ({"sparsity": np.ones((2, 2))}, ValueError, "sparsity of shape (2, 2): must be (1, 2)"),
        ({"sparsity": "full"}, TypeError, "sparsity='full': pass a matrix of truth values"),
        ({"f": lambda x: x, "derivative": 2, "sparsity": np.ones((2, 2))}, ValueError, "f(x) must be one number"),
        ({"f": lambda x: np.ones(1 + (x[0] != 1.0))}, TypeError, "f(x) has shape (2,) beside the point and (1,) there"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(change, error, words):
    call = {"f": rosen, "x": [1.0, 2.0]} | change
    with pytest.raises(error, match=re.escape(words)):
        dc.differentiate(call.pop("f"), call.pop("x"), **call)
