"""The formula of a node reads back as a program with the same values."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.program.dag import Builder, Node, Program
from diffcompare.program.operations import OPERATIONS
from diffcompare.program.printing import formula, number_text

UNARY = ["sin", "cos", "exp", "sqrt", "abs", "cbrt", "log1p", "tanh", "asinh", "sign", "exp2", "expm1", "atan", "acosh"]
GRID = np.array([-2.7, -1.0, -0.3, 0.0, 0.2, 0.75, 1.0, 2.9, 41.0])


def values(program: Program) -> list[str]:
    columns = [np.repeat(GRID, GRID.size), np.tile(GRID, GRID.size)]
    return [float(v).hex() for v in compile_numpy(program)(columns)]


def text_of(text: str, limit: int = 10_000) -> str:
    program = dc.parse(text, variables=["x", "y"]).program
    return formula(program, program.outputs[0], limit=limit)


@pytest.mark.parametrize(
    "text",
    [
        "x - (y - 2)",
        "x - y - 2",
        "x/(y/2)",
        "x/y/2",
        "x/(y*2)",
        "x*(y/2)",
        "(x*y)/2",
        "-x**2",
        "(-x)**2",
        "-(x**2)",
        "(-x)*y",
        "-(x*y)",
        "x*(-y)",
        "x - -y",
        "--x",
        "-(x + y)",
        "-(x - y)",
        "2**-x",
        "(2**x)**y",
        "2**(x**y)",
        "(x**2)**3",
        "(x**2)**0.5",
        "x**-1",
        "x**-3",
        "x**(1/3)",
        "x**0.1",
        "(x + 1)**2.5",
        "(1/3)**x",
        "(-2)*x",
        "(-2)**2*x",
        "x*(-2)",
        "x + (-2)",
        "x - (-2)",
        "-2 + x",
        "(x - 0.1)**2",
        "x*(1/3)",
        "(1/3)*x",
        "x/(1/3)",
        "x**(2/3)*(1/7)",
        "1e-300*x + 1e300",
        "x*123456789012345678901234567890",
        "x + 0.1234567890123456789",
        "x*1e308*10",
        "where(x < y, x, y)",
        "where((x < y) & (x > 0), x, y)",
        "where(And(x < y, Or(x > 0, y >= 2)), x, -y)",
        "where(Not(x < y), x, y)",
        "where(Eq(x, 1), 2, x)",
        "where(Ne(x, y), x/2, x)",
        "where(x <= 0, where(x < -1, 1, 2), 3)",
        "min(x, max(y, 2))*hypot(x, y)",
        "atan2(y, x - 1)",
        "pi*x + E*y",
        "sin(x)**2/cos(y)**2",
        "log(x)/log2(y) - log10(x)",
        "cot(x) + sec(y)*csch(x + 2)",
        "asin(x)*acos(y) + atanh(x)",
    ],
)
def test_formula_reads_back_with_equal_values(text: str) -> None:
    program = dc.parse(text, variables=["x", "y"]).program
    again = dc.parse(text_of(text), variables=["x", "y"]).program
    assert values(again) == values(program)
    # and is not changed by printing it again
    assert formula(again, again.outputs[0], limit=10_000) == text_of(text)


def random_text(rng: random.Random) -> str:
    pool = ["x", "y", "0.1", "2", "-3", "(1/3)"]
    for _ in range(rng.randint(1, 9)):
        a, b = rng.choice(pool), rng.choice(pool)
        pool.append(
            rng.choice(
                [
                    f"({a} + {b})",
                    f"({a} - {b})",
                    f"({a})*({b})",
                    f"({a})/({b})",
                    f"(-({a}))",
                    f"({a})**2",
                    f"({a})**-1",
                    f"({a})**({b})",
                    f"{rng.choice(UNARY)}({a})",
                    f"where({a} < {b}, {b}, {a})",
                    f"max({a}, {b})",
                ]
            )
        )
    return pool[-1]


def test_formulas_of_random_programs_read_back_with_equal_values() -> None:
    rng = random.Random(8)
    seen = 0
    for _ in range(300):
        try:
            program = dc.parse(random_text(rng), variables=["x", "y"]).program
        except dc.DiffcompareError:
            continue
        text = formula(program, program.outputs[0], limit=10_000)
        assert values(dc.parse(text, variables=["x", "y"]).program) == values(program), text
        seen += 1
    assert seen > 200


def test_every_node_of_a_program_has_a_formula_with_its_value() -> None:
    f = dc.parse("exp(x)/(sin(x)**3 + cos(y)**3) - 0.1*x", variables=["x", "y"])
    for k, node in enumerate(f.program.nodes):
        part = Program(f.program.variables, f.program.nodes, (k,))
        text = formula(f.program, k)
        if node.operation != "constant":
            assert values(dc.parse(text, variables=["x", "y"]).program) == values(part)


def test_sums_and_dot_products_are_written_out() -> None:
    build = Builder(("x", "y"))
    x, y = build.variable(0), build.variable(1)
    difference = build.apply("subtract", x, y)
    total = build.apply("sum", difference, x, difference)
    product = build.apply("dot", difference, x, y, difference)
    for node, expected in (
        (total, "x - y + x + (x - y)"),
        (product, "(x - y)*y + x*(x - y)"),
        (build.apply("add", total, x), "x - y + x + (x - y) + x"),
        (build.apply("subtract", product, x), "(x - y)*y + x*(x - y) - x"),
    ):
        program = build.program([node])
        text = formula(program, program.outputs[0])
        assert text == expected
        assert values(dc.parse(text, variables=["x", "y"]).program) == values(program)


def test_every_operation_can_be_written() -> None:
    for name, operation in OPERATIONS.items():
        if name in ("constant", "variable"):
            continue
        count = 2 if operation.arity < 0 else operation.arity
        payload = 3 if name == "integer_power" else None
        nodes = (Node("variable", (), 0), Node("variable", (), 1), Node("less", (0, 1)))
        operands = (2, 0, 1) if name == "select" else (2, 2)[:count] if name in ("and", "or", "not") else (0, 1)[:count]
        program = Program(("x", "y"), (*nodes, Node(name, operands, payload)), (3,))
        assert formula(program, 3)


def test_constants_keep_their_exact_value() -> None:
    for text in (
        "x*0.1",
        "x*(1/3)",
        "x*1e-310",
        "x*123456789012345678901234567890123456789",
        "x + 0.12345678901234567890123",
    ):
        program = dc.parse(text, variables=["x"]).program
        again = dc.parse(formula(program, program.outputs[0], limit=10_000), variables=["x"]).program
        exact = [Fraction(n.payload) for n in program.nodes if n.operation == "constant"]
        assert [Fraction(n.payload) for n in again.nodes if n.operation == "constant"] == exact, text


def test_long_formulas_are_cut_in_the_middle() -> None:
    program = dc.parse(" + ".join(f"sin({k}*x)" for k in range(1, 60))).program
    text = formula(program, program.outputs[0], limit=60)
    assert "…" in text
    assert len(text) <= 60
    assert text.startswith(("sin(x)", "sin(1*x)"))
    assert text.endswith("sin(59*x)")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.pi, "pi"),
        (-2 * math.pi, "-2*pi"),
        (math.pi / 180, "pi/180"),
        (-math.pi, "-pi"),
        (3 * math.pi / 4, "3*pi/4"),
        (math.nextafter(math.pi, 4), "3.14159"),
        (3.1415926, "3.14159"),
        (1e6 * math.pi, "3.14159e+06"),
    ],
)
def test_what_is_not_read_exactly_is_called_by_pi(value: float, text: str) -> None:
    assert number_text(Fraction(value), exact=False)[1] == text
    assert "pi" not in number_text(Fraction(value), exact=True)[1]
