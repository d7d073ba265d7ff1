"""Finite differences: the textbook's numbers to the last bit, and arguments of every kind."""

import inspect
import math

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.numeric.differences import numerical_diff, numerical_gradient

SCHEMES = ("forward", "backward", "central")


def parabola(x):
    return 0.01 * x**2 + 0.1 * x


def sum_of_squares(x):
    return x[0] ** 2 + x[1] ** 2


# Saitoh, Deep Learning from Scratch (2016), sections 4.3 and 4.4
@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (parabola, 5, 0.1999999999990898),
        (parabola, 10, 0.2999999999986347),
        (lambda x0: x0 * x0 + 4.0**2.0, 3.0, 6.00000000000378),
        (lambda x1: 3.0**2.0 + x1 * x1, 4.0, 7.999999999999119),
    ],
)
def test_derivatives_of_the_book(f, x, expected):
    assert numerical_diff(f, x) == expected
    assert numerical_diff(f, float(x)) == expected
    assert numerical_diff(f, np.array([x, x])).tolist() == [expected] * 2


def test_derivatives_of_the_book_from_text():
    f = dc.parse("0.01*x**2 + 0.1*x")
    assert numerical_diff(f, [5, 10]).tolist() == [0.1999999999990898, 0.2999999999986347]


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((3, 4), [6.00000000000378, 7.999999999999119]),
        ((0, 2), [0.0, 4.000000000004]),
        ((3, 0), [6.000000000012662, 0.0]),
    ],
)
def test_gradients_of_the_book(point, expected):
    for x in (point, list(point), np.array(point), np.array(point, dtype=float), np.array(point, dtype=np.int8)):
        assert numerical_gradient(sum_of_squares, x).tolist() == expected
        assert numerical_gradient(lambda x: np.sum(x**2), x).tolist() == expected
    assert numerical_gradient(dc.parse("x0**2 + x1**2"), point).tolist() == expected


TARGET = np.array([0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
LIKELY = [0.1, 0.05, 0.6, 0.0, 0.05, 0.1, 0.0, 0.1, 0.0, 0.0]
UNLIKELY = [0.1, 0.05, 0.1, 0.0, 0.05, 0.1, 0.0, 0.6, 0.0, 0.0]


def test_losses_of_the_book():
    def squares(y):
        return 0.5 * np.sum((y - TARGET) ** 2)

    def entropy(y):
        return -np.sum(TARGET * np.log(y + 1e-7))

    assert squares(np.array(LIKELY)) == 0.09750000000000003
    assert squares(np.array(UNLIKELY)) == 0.5975
    assert entropy(np.array(LIKELY)) == 0.510825457099338
    assert entropy(np.array(UNLIKELY)) == 2.302584092994546


def test_losses_of_the_book_from_text():
    # a text is summed from left to right, NumPy's sum in eight parts
    squares = dc.parse("0.5*(" + "+".join(f"(y{i} - t{i})**2" for i in range(10)) + ")")
    assert squares.variables == tuple(f"t{i}" for i in range(10)) + tuple(f"y{i}" for i in range(10))
    assert squares([*TARGET, *UNLIKELY]) == 0.5974999999999999
    assert squares([*TARGET, *LIKELY]) == left_to_right(LIKELY)
    entropy = dc.parse("-(" + "+".join(f"t{i}*log(y{i} + 1e-7)" for i in range(10)) + ")")
    assert entropy([*TARGET, *LIKELY]) == 0.510825457099338
    assert entropy([*TARGET, *UNLIKELY]) == 2.302584092994546


def left_to_right(y):
    total = (y[0] - 0.0) ** 2
    for value, target in zip(y[1:], TARGET[1:], strict=True):
        total = total + (value - float(target)) ** 2
    return 0.5 * total


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("h", [1e-1, 1e-4, 1e-7, 2.0**-20])
def test_the_formula_is_that_of_the_textbook(scheme, h):
    for x in np.random.default_rng(1).normal(size=200) * 10:
        expected = {
            "central": (np.sin(x + h) - np.sin(x - h)) / (2 * h),
            "forward": (np.sin(x + h) - np.sin(x)) / h,
            "backward": (np.sin(x) - np.sin(x - h)) / h,
        }[scheme]
        assert numerical_diff(np.sin, x, h, scheme=scheme) == expected


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_schemes_are_not_one_another(scheme):
    # wrong twins: the value of one scheme is not taken for another's
    values = {s: float(numerical_diff(np.exp, 1.0, 1e-2, scheme=s)) for s in SCHEMES}
    assert len(set(values.values())) == 3
    assert values["backward"] < math.e < values["central"] < values["forward"]
    linear = numerical_diff(lambda x: 3 * x, 1.0, 0.25, scheme=scheme)
    assert linear == 3.0


def test_central_is_the_default_and_h_is_1e_minus_4():
    assert numerical_diff(np.exp, 1.0) == numerical_diff(np.exp, 1.0, 1e-4, scheme="central")
    for function in (numerical_diff, numerical_gradient):
        parameters = inspect.signature(function).parameters
        assert parameters["h"].default == 1e-4
        assert parameters["scheme"].kind is inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 1, 2)])
def test_numerical_diff_is_elementwise(shape):
    x = np.random.default_rng(2).normal(size=shape)
    result = numerical_diff(np.exp, x)
    assert np.shape(result) == shape
    assert np.ravel(result).tolist() == [float(numerical_diff(np.exp, v)) for v in np.ravel(x)]


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 3), (2, 1, 2)])
def test_the_gradient_has_the_shape_of_x(shape):
    x = np.random.default_rng(3).normal(size=shape)
    weights = np.arange(x.size).reshape(shape) + 1.0
    result = numerical_gradient(lambda w: np.sum(weights * w), x, 0.5)
    assert result.shape == shape
    assert (np.abs(result - weights) <= 1e-13).all()


def test_the_gradient_of_a_number_is_a_number():
    assert numerical_gradient(lambda x: x**2, 3.0) == 6.000000000012662


def test_points_of_a_formula_lie_along_the_last_axis():
    f = dc.parse("x0**2 + x1**2")
    points = [[[3, 4], [0, 2]], [[3, 0], [3, 4]]]
    assert numerical_gradient(f, points).tolist() == [
        [[6.00000000000378, 7.999999999999119], [0.0, 4.000000000004]],
        [[6.000000000012662, 0.0], [6.00000000000378, 7.999999999999119]],
    ]
    with pytest.raises(ValueError, match="the last axis must have length 2"):
        numerical_gradient(f, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="the last axis must have length 2"):
        numerical_gradient(f, 1.0)


def test_a_formula_of_one_variable_is_elementwise():
    assert numerical_gradient(dc.parse("0.01*x**2 + 0.1*x"), [5, 10]).tolist() == [
        0.1999999999990898,
        0.2999999999986347,
    ]


def clobber(x):
    value = float(np.sum(np.asarray(x) ** 2))
    if isinstance(x, np.ndarray):
        x[...] = -99.0
    return value


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_input_is_never_changed_even_if_f_changes_its_argument(scheme):
    x = np.array([3.0, 4.0])
    expected = numerical_gradient(lambda x: np.sum(x**2), x, scheme=scheme)
    assert numerical_gradient(clobber, x, scheme=scheme).tolist() == expected.tolist()
    assert x.tolist() == [3.0, 4.0]

    def in_place(t):
        t *= t
        return t

    column = np.array([3.0, 4.0])
    expected = numerical_diff(lambda t: t * t, column, scheme=scheme)
    assert numerical_diff(in_place, column, scheme=scheme).tolist() == expected.tolist()
    assert column.tolist() == [3.0, 4.0]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, bool, np.float16, np.float32, np.float64])
def test_every_real_dtype_is_evaluated_in_float64(dtype):
    seen = []

    def f(x):
        seen.append(np.asarray(x).dtype)
        return x * x

    result = numerical_diff(f, np.array([1, 0], dtype=dtype))
    assert set(seen) == {np.dtype(np.float64)}
    assert result.dtype == np.float64
    assert result.tolist() == numerical_diff(lambda x: x * x, [1.0, 0.0]).tolist()


def test_longdouble_stays_longdouble():
    x = np.longdouble(1) / 3
    h = np.longdouble(1e-4)
    result = numerical_diff(np.exp, x)
    assert result.dtype == np.longdouble
    assert result == (np.exp(x + h) - np.exp(x - h)) / (2 * h)
    gradient = numerical_gradient(lambda w: np.sum(w**2), np.array([x, 2 * x]))
    assert gradient.dtype == np.longdouble
    assert gradient[0] == ((x + h) ** 2 + (2 * x) ** 2 - ((x - h) ** 2 + (2 * x) ** 2)) / (2 * h)


def test_lists_and_tuples_are_arrays():
    assert numerical_diff(np.exp, (1, 2)).tolist() == numerical_diff(np.exp, np.array([1.0, 2.0])).tolist()


def test_an_f_that_returns_an_array_of_one_number_will_do():
    assert numerical_gradient(lambda x: np.array([[x[0] * x[1]]]), [2.0, 3.0]).shape == (2,)


@pytest.mark.parametrize("function", [numerical_diff, numerical_gradient])
@pytest.mark.parametrize("h", [0.0, -1e-4, math.nan, math.inf, -0.0])
def test_a_bad_step_size_is_refused(function, h):
    with pytest.raises(ValueError, match="step size must be positive and finite; pass h=1e-4"):
        function(lambda x: np.sum(x), [1.0], h)


@pytest.mark.parametrize("function", [numerical_diff, numerical_gradient])
def test_other_bad_arguments_are_refused(function):
    with pytest.raises(TypeError, match="step size must be a number"):
        function(np.sum, [1.0], "small")
    with pytest.raises(ValueError, match="scheme='centered': unknown scheme; choose from forward, backward, central"):
        function(np.sum, [1.0], scheme="centered")
    for x in ([1j], ["1"], [None]):
        with pytest.raises(TypeError, match="real numbers are needed; pass floats"):
            function(np.sum, x)


def test_a_gradient_of_many_values_is_refused():
    with pytest.raises(ValueError, match=r"f\(x\) has shape \(3,\): a gradient needs one number; use numerical_diff"):
        numerical_gradient(np.exp, [1.0, 2.0, 3.0])


def test_an_error_of_f_comes_through():
    with pytest.raises(KeyError, match="inside"):
        numerical_diff(lambda x: {}["inside"], 1.0)


def plain_gradient(f, x, h, scheme):
    """The loop of the textbook, each point a copy of its own."""
    gradient = np.empty(x.shape)
    for index in np.ndindex(x.shape):

        def at(sign, index=index):
            copy = np.array(x)
            copy[index] = copy[index] + sign * h
            return f(copy)

        gradient[index] = {
            "central": lambda at=at: (at(1) - at(-1)) / (2 * h),
            "forward": lambda at=at: (at(1) - at(0)) / h,
            "backward": lambda at=at: (at(0) - at(-1)) / h,
        }[scheme]()
    return gradient


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("shape", [(1,), (7,), (300,), (3, 5), (2, 1, 4)])
def test_gradients_are_those_of_a_plain_loop_bit_for_bit(scheme, shape):
    x = np.random.default_rng(4).normal(size=shape)
    weights = np.random.default_rng(5).normal(size=x.size)
    for f in (
        lambda x: np.sum(np.sin(x) * x),
        lambda x: np.ravel(x) @ weights,
        lambda x: np.float32(np.sum(x)),
        lambda x: float(np.max(x)),
        lambda x: int(1000 * x.flat[0]),
        lambda x: np.int64(1000 * x.flat[0]) if x.flat[0] > 0 else float(x.flat[0]),
        lambda x: [np.sum(x)],
    ):
        one = (lambda x, f=f: f(x)[0]) if isinstance(f(x), list) else f
        expected = plain_gradient(one, x, np.float64(1e-4), scheme)
        assert numerical_gradient(f, x, scheme=scheme).tobytes() == expected.tobytes()
    if len(shape) == 2:
        # NumPy sums in the order of the memory
        other = np.asfortranarray(x)
        expected = plain_gradient(np.sum, other, np.float64(1e-4), scheme)
        assert numerical_gradient(np.sum, other, scheme=scheme).tobytes() == expected.tobytes()


def test_f_is_called_twice_for_each_coordinate_one_after_another():
    seen = []
    numerical_gradient(lambda x: seen.append(x) or x.sum(), np.zeros((2, 100)), 0.5)
    # kept by f, they are what they were
    assert len(seen) == 400
    for k, point in enumerate(seen):
        assert point.shape == (2, 100)
        assert point.flags.c_contiguous
        assert (np.flatnonzero(point) == k // 2).all()
        assert point.flat[k // 2] == (-0.5 if k % 2 else 0.5)


def test_a_gradient_of_many_values_is_refused_at_the_first():
    calls = []
    with pytest.raises(ValueError, match=r"f\(x\) has shape \(100,\)"):
        numerical_gradient(lambda x: calls.append(0) or x, np.ones(100))
    assert len(calls) == 1


@pytest.mark.parametrize("scheme", [*SCHEMES, "central4", "complex"])
@pytest.mark.parametrize("shape", [(1,), (50,), (600,), (3, 5), ()])
def test_rows_of_points_give_the_same_gradient(scheme, shape):
    x = np.random.default_rng(6).normal(size=shape)
    rows = []

    def f(points):
        rows.append(points.shape)
        assert points.shape[1:] == shape
        return np.array([np.sum(np.sin(point) * point) for point in points])

    expected = numerical_gradient(lambda x: np.sum(np.sin(x) * x), x, scheme=scheme)
    found = numerical_gradient(f, x, scheme=scheme, vectorized=True)
    assert np.asarray(found).tobytes() == np.asarray(expected).tobytes()
    count = {"complex": 1, "central4": 4}.get(scheme, 2)
    assert sum(m for m, *_ in rows) == count * x.size
    # a block is no more than a megabyte
    assert max(m for m, *_ in rows) * x.nbytes <= 2**20


def test_rows_of_points_stay_in_the_box():
    x, box = np.array([0.0, 0.5, 1.0]), (0.0, 1.0)

    def f(points):
        assert ((points >= 0) & (points <= 1)).all()
        return np.sum(np.exp(points), axis=1)

    expected = numerical_gradient(lambda x: np.sum(np.exp(x)), x, box=box)
    assert numerical_gradient(f, x, box=box, vectorized=True).tolist() == expected.tolist()


def test_an_f_that_does_not_answer_for_rows_is_refused():
    with pytest.raises(ValueError, match=r"f returned shape \(\) for 3 points of shape \(3,\); return one number each"):
        numerical_gradient(lambda x: np.sum(x**2), [1.0, 2.0, 3.0], vectorized=True)
