"""Reverse mode against forward mode in mpmath's dual numbers, which share nothing but the nodes."""

import random
import re
import runpy
from fractions import Fraction
from pathlib import Path

import mpmath
import pytest

import diffcompare as dc
from diffcompare.arithmetic.rational import exact_outputs
from diffcompare.program.adjoint import adjoint, adjoint_along, hessian, hessian_along, jacobian
from diffcompare.program.dag import Builder, Term, subprogram

forward = runpy.run_path(str(Path(__file__).with_name("forward_mode.py")))
dual, Undefined = forward["dual"], forward["Undefined"]

SMOOTH = re.findall(r"\w+", "sin cos tan atan sinh cosh tanh asinh exp exp2 expm1 negative abs sign cbrt")
PARTLY = ["sqrt", "log", "log2", "log10", "log1p", "asin", "acos", "acosh", "atanh"]
BINARY = ["add", "subtract", "multiply", "divide", "hypot", "atan2", "min", "max", "power"]
COMPARISONS = ["less", "less_equal", "greater", "greater_equal", "equal", "not_equal"]


def random_program(generator, variables=3, nodes=14):
    """Return a program in which nodes are used again and again, unlike in a formula that is a tree."""
    build = Builder([f"x{i}" for i in range(variables)])
    terms = [Term(build, build.variable(i)) for i in range(variables)]
    terms += [terms[0].constant(Fraction(generator.randint(-9, 9), 4)), terms[0].apply("sin")]
    for _ in range(nodes):
        one, two, three = (generator.choice(terms) for _ in range(3))
        kind = generator.random()
        try:
            if kind < 0.35:
                term = one.apply(generator.choice(SMOOTH + (PARTLY if kind < 0.1 else [])))
            elif kind < 0.45:
                term = one.apply("integer_power", payload=generator.randint(-2, 4))
            elif kind < 0.5:
                term = one.apply(*generator.choice([("sum", two, three), ("dot", two, three, one)]))
            elif kind < 0.6:
                condition = one.apply(generator.choice(COMPARISONS), two)
                if kind < 0.55:
                    condition = condition.apply(generator.choice(["and", "or"]), two.apply("less", three)).apply("not")
                term = condition.apply("select", two, three)
            else:
                term = one.apply(generator.choice(BINARY), two)
        except (ZeroDivisionError, dc.UnsupportedFunction):
            continue
        terms.append(term)
    total = terms[-1] + terms[-2] * terms[-3]
    return build.program([total.index])


def random_point(generator, variables=3):
    return [
        generator.choice([0.5, -1.25, 2.0, generator.uniform(-2, 2), generator.uniform(0, 1)]) for _ in range(variables)
    ]


def agree(one, other):
    return abs(one - other) <= mpmath.mpf(10) ** -30 * (1 + abs(other))


def compare(program, point):
    """Count the partials that were compared; fails where the adjoint is not the forward derivative."""
    both = adjoint(program)
    for i in range(len(point)):
        value, derivative = dual(program, point, i)
        if not (mpmath.isfinite(value) and mpmath.isfinite(derivative)) or abs(derivative) > 1e30:
            return 0
        assert agree(dual(both, point, 0, ties=True)[0], value)
        assert agree(dual(both, point, 0, output=1 + i, ties=True)[0], derivative)
    return len(point)


@pytest.mark.thorough
def test_gradients_of_random_programs_are_those_of_forward_mode():
    generator, compared = random.Random(5), 0
    with mpmath.workdps(80):
        for _ in range(400):
            program, point = random_program(generator), random_point(generator)
            try:
                compared += compare(program, point)
            except (Undefined, OverflowError, ZeroDivisionError, MemoryError):
                continue
    assert compared > 250


def test_every_operation_occurs_in_the_random_programs():
    generator, found = random.Random(5), set()
    for _ in range(400):
        found |= {node.operation for node in random_program(generator).nodes}
    assert found >= {
        *SMOOTH,
        *PARTLY,
        *BINARY,
        *COMPARISONS,
        "select",
        "and",
        "or",
        "not",
        "integer_power",
        "sum",
        "dot",
    }


def test_rational_gradients_are_exact():
    program = adjoint(dc.parse("(x - y)**3/(x*y + 1) - 3*x/7", variables=["x", "y"]).program)
    x, y = Fraction(3), Fraction(-2)
    quotient = x * y + 1
    expected = [
        (x - y) ** 3 / quotient - 3 * x / 7,
        (3 * (x - y) ** 2 * quotient - (x - y) ** 3 * y) / quotient**2 - Fraction(3, 7),
        (-3 * (x - y) ** 2 * quotient - (x - y) ** 3 * x) / quotient**2,
    ]
    assert exact_outputs(program, [3.0, -2.0]) == expected


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        ("where(x > 0, log(x), x**2)", [-3.0], [-6]),
        ("where(x > 0, x**2, sqrt(x))", [3.0], [6]),
        ("where(x > 0, where(x > 1, 5*x, 1/(x - x)), log(x))", [2.0], [5]),
        ("where(y > 0, x*y, log(-y)*x + 1/(y - 2))", [3.0, 2.0], [2, 3]),
        ("x + where(x < 0, acosh(x), 3*x)", [0.5], [4]),
        ("where(x > 0, 7, log(x))", [2.0], [0]),
    ],
)
def test_an_undefined_branch_that_is_not_taken_contributes_0(text, point, expected):
    program = adjoint(dc.parse(text, variables=["x", "y"][: len(point)]).program)
    assert [dual(program, point, 0, output=1 + i, ties=True)[0] for i in range(len(point))] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("where(x > 0, x, log(0))", 1),
        ("where(x > 0, 2*x, atanh(1)*x)", 2),
        ("where(x > 0, 3*x, x + log1p(-1) + log2(0) + log10(0))", 3),
        ("where(x > 0, 4*x, x*atan2(0, 0))", 4),
    ],
)
def test_constants_outside_a_domain_do_not_stop_the_derivation(text, expected):
    # the local partial of log at the constant 0 was 1/0, carried out exactly: ZeroDivisionError
    program = adjoint(dc.parse(text).program)
    assert dual(program, [1.5], 0, output=1, ties=True)[0] == expected


def test_a_variable_that_does_not_occur_has_partial_0():
    program = adjoint(dc.parse("y**2", variables=["x", "y", "z"]).program)
    assert exact_outputs(program, [5.0, 3.0, 7.0]) == [9, 0, 6, 0]


def test_a_constant_function_has_partial_0():
    assert exact_outputs(adjoint(dc.parse("7/3", variables=["x"]).program), [5.0]) == [Fraction(7, 3), 0]


def test_an_output_that_is_a_variable_has_partial_1():
    assert exact_outputs(adjoint(dc.parse("y", variables=["x", "y"]).program), [5.0, 2.0]) == [2, 0, 1]


def test_the_function_and_its_gradient_share_nodes():
    program = dc.parse("exp(x)*sin(y) + exp(x)").program
    both = adjoint(program)
    assert both.nodes[: len(program)] == program.nodes
    assert len(set(both.nodes)) == len(both.nodes)
    assert sum(node.operation == "exp" for node in both.nodes) == 1


def test_the_adjoint_is_made_once():
    program = dc.parse("x**2").program
    assert adjoint(program) is adjoint(program)
    assert adjoint(dc.parse("x**2").program) is not adjoint(program)


@pytest.mark.thorough
def test_a_sum_of_1000_terms():
    f = dc.parse("+".join(f"{i}*x{i % 10}" for i in range(1000)))
    gradient = exact_outputs(adjoint(f.program), [1.0] * 10)[1:]
    assert gradient == [sum(range(i, 1000, 10)) for i in range(10)]


def test_a_product_of_50_factors():
    f = dc.parse("*".join(f"(x + {i})" for i in range(1, 51)))
    product, total = Fraction(1), Fraction(0)
    for i in range(1, 51):
        product, total = product * (2 + i), total + Fraction(1, 2 + i)
    assert exact_outputs(adjoint(f.program), [2.0]) == [product, product * total]


def test_a_chain_of_5000_nodes_needs_no_recursion():
    build = Builder(("x",))
    term = Term(build, build.variable(0))
    for i in range(5000):
        term = term.apply("sin") if i % 2 else term + term
    program = build.program([term.index])
    both = adjoint(program)
    assert len(both) <= 20 * len(program)
    with mpmath.workdps(30):
        value, derivative = dual(program, [0.0], 0)
        assert dual(both, [0.0], 0, output=1)[0] == derivative == mpmath.mpf(2) ** 2500
        assert value == 0


def test_the_gradient_costs_a_few_evaluations():
    # one reverse sweep, not one per variable
    f = dc.parse("+".join(f"sin(x{i}*x{i + 1})" for i in range(100)))
    assert len(f.variables) == 101
    assert len(adjoint(f.program)) < 5 * len(f.program)


def test_the_second_derivative_is_the_adjoint_of_the_adjoint():
    program = dc.parse("x**4*sin(y)", variables=["x", "y"]).program
    both = adjoint(program)
    slope = adjoint(subprogram(both, [both.outputs[1]]))
    with mpmath.workdps(40):
        values = [dual(slope, [1.5, 0.5], 0, output=i)[0] for i in range(3)]
        x, y = mpmath.mpf(1.5), mpmath.mpf(0.5)
        expected = [4 * x**3 * mpmath.sin(y), 12 * x**2 * mpmath.sin(y), 4 * x**3 * mpmath.cos(y)]
        assert all(agree(a, b) for a, b in zip(values, expected, strict=True))


def test_a_wrong_gradient_is_told_apart():
    # the checker's wrong twin: the program of another function with almost the same gradient
    program, twin = dc.parse("sin(x)*x").program, dc.parse("sin(x)*x + x/10**25").program
    with mpmath.workdps(80):
        right = dual(program, [1.5], 0)[1]
        assert agree(dual(adjoint(program), [1.5], 0, output=1)[0], right)
        assert not agree(dual(adjoint(twin), [1.5], 0, output=1)[0], right)


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        # an adjoint that happens to be 0 at the point has a slope
        ("where(x > -1, (x*y)**2, log(x + 1))", (0.0, 3.0), [18, 0, 0, 0]),
        ("where(x > -1, (x*y)**2, log(x + 1))", (0.5, 3.0), [18, 6, 6, Fraction(1, 2)]),
        # a branch that is not taken, and is not defined, has no say
        ("where(x > 1, x/(x - x), (x - 1)**2*y**2)", (1.0, 2.0), [8, 0, 0, 0]),
        ("x**3*y**2", (2.0, 3.0), [108, 72, 72, 16]),
    ],
)
def test_second_derivatives_of_branches(text, point, expected):
    program = hessian(dc.parse(text, variables=["x", "y"]).program)
    assert exact_outputs(program, point)[1:5] == expected


def test_the_derivatives_of_several_outputs_and_along_vectors():
    f = dc.parse(["x**2*y", "x - y/3"], variables=["x", "y"])
    assert exact_outputs(jacobian(f.program), [2.0, 3.0]) == [12, 1, 12, 4, 1, Fraction(-1, 3)]
    first = f.components[0].program
    along = adjoint_along(first, [[Fraction(1), Fraction(2)], [Fraction(0), Fraction(1, 2)]])
    assert exact_outputs(along, [2.0, 3.0]) == [12, 20, 2, 12, 4]
    # H = [[6, 4], [4, 0]], then the gradient
    assert exact_outputs(hessian_along(first, [Fraction(1), Fraction(2)]), [2.0, 3.0]) == [12, 14, 4, 12, 4]
    assert exact_outputs(hessian_along(first, [Fraction(0), Fraction(0)]), [2.0, 3.0])[:3] == [12, 0, 0]
