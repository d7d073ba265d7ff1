"""Programs in NumPy: the program's operations in the program's order, whatever the length of the arrays."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.arithmetic.floating import compile_numpy

LENGTHS = [1, 2, 3, 7, 8, 9, 63, 8191, 8192, 8193, 20_001]
FORMULAS = [
    "exp(x)*sin(x)", "x**3 - x**2", "x**y", "hypot(x, y)/tanh(x)", "where(x > y, log(abs(x)), cbrt(y))", "atan2(x, y)",
    "max(x, y) - min(x, 0.1)",
    "expm1(x) + log1p(abs(y)) + exp2(y)", "x**0.5 + y**-3", "asinh(x)*tan(y) + 0.1", "sign(x)",
]  # fmt: skip


def bits(array):
    return np.asarray(array, dtype=np.float64).view(np.int64).tolist()


@pytest.mark.parametrize("text", FORMULAS)
def test_chunks_give_the_same_bits_as_one_call(text):
    f = dc.parse(text, variables=["x", "y"])
    whole = f.callable(np)
    run = compile_numpy(f.program)
    generator = np.random.default_rng(1)
    for length in LENGTHS:
        columns = [generator.normal(size=length) * 3 for _ in range(2)]
        with np.errstate(all="ignore"):
            expected = np.broadcast_to(whole(*columns), (length,))
        assert bits(run(columns)) == bits(np.array(expected, dtype=float))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_value_does_not_depend_on_its_place_in_the_array(text):
    run = compile_numpy(dc.parse(text, variables=["x", "y"]).program)
    generator = np.random.default_rng(2)
    columns = [generator.normal(size=200) for _ in range(2)]
    together = run(columns)
    alone = [run([column[i : i + 1].copy() for column in columns])[0] for i in range(200)]
    assert bits(together) == bits(alone)


def test_operations_are_carried_out_in_the_written_order():
    x, y = 0.1, 0.7
    program = dc.parse("x + y + 1e16 - y", variables=["x", "y"]).program
    assert compile_numpy(program)([np.array([x]), np.array([y])])[0] == ((x + y) + 1e16) - y
    program = dc.parse("x + (y + (1e16 - y))", variables=["x", "y"]).program
    assert compile_numpy(program)([np.array([x]), np.array([y])])[0] == x + (y + (1e16 - y))


def test_integer_exponents_are_python_integers():
    # NumPy's x**2 and x**3 with a Python integer are x*x and pow(x, 3); an array as exponent goes another way
    column = np.random.default_rng(3).normal(size=3000)
    for n in (2, 3, 5, -1, -2):
        run = compile_numpy(dc.parse(f"x**{n}").program)
        assert bits(run([column])) == bits(column**n)


def test_real_exponents_stay_powers():
    column = np.abs(np.random.default_rng(3).normal(size=1000))
    assert bits(compile_numpy(dc.parse("x**1.5").program)([column])) == bits(column ** np.float64(1.5))


@pytest.mark.parametrize(
    "text", ["0.1", "1/3", "123456789012345678901", "1e-320", "5e-324", "2e-324", "1e308", "2/3*1e-308", "(1/3)**50"]
)
def test_constants_are_rounded_once_from_their_exact_value(text):
    program = dc.parse(f"x + {text}", variables=["x"]).program
    (constant,) = [Fraction(n.payload) for n in program.nodes if n.operation == "constant"]
    expected = constant.numerator / constant.denominator
    assert compile_numpy(program)([np.array([0.0])])[0] == expected


def test_a_constant_beyond_binary64_is_infinite():
    # it raised OverflowError
    for text, expected in [
        ("x*10**400", math.inf),
        ("x*-10**400", -math.inf),
        ("x/10**400", 0.0),
        ("min(x, 10**400)", 2.0),
    ]:
        f = dc.parse(text)
        assert compile_numpy(f.program)([np.array([2.0])])[0] == expected
        assert f(2.0) == expected


def test_what_is_undefined_is_nan_and_silent():
    # warnings are errors in this test run
    run = compile_numpy(dc.parse("log(x) + sqrt(x) + 1/x + exp(1000*x)").program)
    values = run([np.array([-1.0, 0.0, 2.0])])
    assert np.isnan(values[0])
    assert not np.isfinite(values[1:]).any()


def test_a_constant_function_fills_the_array():
    assert compile_numpy(dc.parse("7/2", variables=["x"]).program)([np.zeros(10_000)]).tolist() == [3.5] * 10_000


def test_an_untaken_branch_does_not_matter():
    run = compile_numpy(dc.parse("where(x > 0, x**2, log(x))").program)
    assert run([np.array([3.0])]).tolist() == [9.0]


def test_the_columns_are_not_changed_and_the_result_is_new():
    column = np.array([1.0, 2.0])
    result = compile_numpy(dc.parse("x").program)([column])
    assert result is not column
    result[0] = 9.0
    assert column.tolist() == [1.0, 2.0]


def test_a_function_is_compiled_once():
    program = dc.parse("x").program
    assert compile_numpy(program) is compile_numpy(program)


def test_random_programs_agree_with_plain_python_arithmetic():
    # + − × ÷ and sqrt round correctly in both (IEEE 754-2019, 4.3 and 5.4.1)
    generator = random.Random(4)
    for _ in range(150):
        text = "x"
        for _ in range(generator.randint(1, 10)):
            other = generator.choice(["x", "y", "0.1", "3", "(y - x)", "sqrt(abs(y))"])
            text = f"({text} {generator.choice('+-*/')} {other})"
        x, y = generator.uniform(-3, 3), generator.uniform(-3, 3)
        expected = eval(text, {"x": x, "y": y, "abs": abs, "sqrt": math.sqrt})
        value = compile_numpy(dc.parse(text, variables=["x", "y"]).program)([np.array([x]), np.array([y])])[0]
        assert value.hex() == expected.hex()


def test_what_does_not_move_is_computed_as_an_array_is():
    # NumPy's powers of a number and of an array differ: a case on this build, if there is one
    for root in range(2, 200):
        for n in (3, 5, 7, 9):
            expected = np.sqrt(np.array([float(root)])) ** n
            run = compile_numpy(dc.parse(f"x + sqrt({root})**{n}").program)
            assert run([np.zeros(3)]).tolist() == [expected[0]] * 3
