"""Programs: hash-consing, exact folding, limits, neutral elements."""

from fractions import Fraction

import pytest

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.dag import CONSTANT_BITS, Builder, Node, Program, Term, subprogram


def terms(*names):
    build = Builder(names)
    return build, *(Term(build, build.variable(i)) for i in range(len(names)))


def test_equal_nodes_are_one_node():
    build, x, y = terms("x", "y")
    assert (x * y + x.apply("sin")).index == (x * y + x.apply("sin")).index
    assert sum(node.operation == "sin" for node in build.nodes) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Node("subtract", (0, 1)), Node("subtract", (1, 0))),
        (Node("integer_power", (0,), 2), Node("integer_power", (0,), 3)),
        (Node("constant", (), Fraction(1, 3)), Node("constant", (), Fraction(1, 3) + Fraction(1, 2**200))),
        (Node("variable", (), 0), Node("variable", (), 1)),
        (Node("add", (0, 1)), Node("multiply", (0, 1))),
    ],
)
def test_different_nodes_stay_apart(one, other):
    build = Builder(("x", "y"))
    build.variable(0), build.variable(1)
    assert build._intern(one) != build._intern(other)


def test_the_order_of_operands_is_kept():
    _, x, y = terms("x", "y")
    assert (x + y).index != (y + x).index


@pytest.mark.parametrize(
    ("operation", "values", "payload", "expected"),
    [
        ("add", (Fraction(1, 3), Fraction(1, 6)), None, Fraction(1, 2)),
        ("subtract", (Fraction(1, 3), Fraction(1, 2)), None, Fraction(-1, 6)),
        ("multiply", (Fraction(2, 3), Fraction(9, 4)), None, Fraction(3, 2)),
        ("divide", (Fraction(1, 3), Fraction(-2, 1)), None, Fraction(-1, 6)),
        ("negative", (Fraction(1, 3),), None, Fraction(-1, 3)),
        ("abs", (Fraction(-1, 3),), None, Fraction(1, 3)),
        ("min", (Fraction(1, 3), Fraction(-1)), None, Fraction(-1)),
        ("max", (Fraction(1, 3), Fraction(-1)), None, Fraction(1, 3)),
        ("integer_power", (Fraction(-2, 3),), 3, Fraction(-8, 27)),
        ("integer_power", (Fraction(-2, 3),), -2, Fraction(9, 4)),
        ("integer_power", (Fraction(0),), 0, Fraction(1)),
        ("integer_power", (Fraction(-1),), 10**9 + 1, Fraction(-1)),
    ],
)
def test_operations_on_constants_are_exact(operation, values, payload, expected):
    build = Builder(("x",))
    index = build.apply(operation, *(build.constant(v) for v in values), payload=payload)
    assert build.value(index) == expected


def test_functions_of_constants_are_not_folded():
    build = Builder(("x",))
    index = build.apply("sqrt", build.constant(4))
    assert build.nodes[index] == Node("sqrt", (build.constant(4),))
    assert build.value(index) is None


@pytest.mark.parametrize("exponent", [-1, -7])
def test_division_by_an_exact_0_is_an_error(exponent):
    build = Builder(("x",))
    zero = build.constant(0)
    with pytest.raises(ZeroDivisionError):
        build.apply("divide", build.constant(1), zero)
    with pytest.raises(ZeroDivisionError):
        build.apply("integer_power", zero, payload=exponent)


def test_constants_have_at_most_4096_bits():
    build = Builder(("x",))
    largest = 2**CONSTANT_BITS - 1
    assert build.value(build.constant(largest)) == largest
    assert build.value(build.constant(Fraction(1, largest))) == Fraction(1, largest)
    for value in (2**CONSTANT_BITS, -(2**CONSTANT_BITS), Fraction(1, 2**CONSTANT_BITS)):
        with pytest.raises(UnsupportedFunction, match="more than 4096 bits; write a shorter number"):
            build.constant(value)
    with pytest.raises(UnsupportedFunction, match="4096 bits"):
        build.apply("multiply", build.constant(largest), build.constant(3))


def test_a_power_that_is_too_large_is_refused_before_it_is_computed():
    build = Builder(("x",))
    with pytest.raises(UnsupportedFunction, match="4096 bits"):
        build.apply("integer_power", build.constant(3), payload=10**15)


def test_a_program_keeps_only_what_its_outputs_need():
    build, x, y = terms("x", "y")
    unused = (y * y).apply("exp")
    wanted = x.apply("sin") + 1
    program = build.program([wanted.index, x.index])
    assert [node.operation for node in program.nodes] == ["variable", "sin", "constant", "add"]
    assert program.outputs == (3, 0)
    assert len(program) == 4
    assert unused.index < len(build.nodes)


def test_every_node_follows_its_operands():
    build, x, y = terms("x", "y")
    program = build.program([(x * y - (y / x) ** 3).index, y.index])
    smaller = subprogram(program, [program.outputs[0]])
    for candidate in (program, smaller):
        assert all(i < index for index, node in enumerate(candidate.nodes) for i in node.operands)
    assert smaller.variables == ("x", "y")


def test_programs_compare_by_identity():
    nodes = (Node("variable", (), 0),)
    one, other = Program(("x",), nodes, (0,)), Program(("x",), nodes, (0,))
    assert one != other
    assert len({one, other}) == 2


def test_a_builder_goes_on_from_a_program():
    build, x = terms("x")
    program = build.program([(x * x).index])
    later = Builder(("x",), start=program)
    again = later.variable(0)
    assert later.apply("multiply", again, again) == program.outputs[0]
    assert len(later.nodes) == len(program)


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda x: x + 0, "x"),
        (lambda x: 0 + x, "x"),
        (lambda x: x - 0, "x"),
        (lambda x: 0 - x, "-x"),
        (lambda x: x * 1, "x"),
        (lambda x: 1 * x, "x"),
        (lambda x: -1 * x, "-x"),
        (lambda x: x * -1, "-x"),
        (lambda x: x * 0, "0"),
        (lambda x: 0 * x, "0"),
        (lambda x: 0 / x, "0"),
        (lambda x: x / 1, "x"),
        (lambda x: x / -1, "-x"),
        (lambda x: -x.__neg__(), "x"),
        (lambda x: x**0, "1"),
        (lambda x: x**1, "x"),
    ],
)
def test_neutral_elements_are_dropped(write, expected):
    _, x = terms("x")
    wanted = {"x": x, "-x": x.apply("negative"), "0": x.constant(0), "1": x.constant(1)}
    assert write(x) == wanted[expected]


@pytest.mark.parametrize(
    ("write", "operation", "value"),
    [
        (lambda x: x - 2, "subtract", 2),
        (lambda x: 2 - x, "subtract", 2),
        (lambda x: x / 2, "divide", 2),
        (lambda x: 2 / x, "divide", 2),
    ],
)
def test_operators_keep_the_order_of_operands(write, operation, value):
    build, x = terms("x")
    term = write(x)
    two = build.constant(value)
    node = build.nodes[term.index]
    assert node.operation == operation
    assert set(node.operands) == {x.index, two}
    first_is_x = node.operands[0] == x.index
    assert first_is_x == (write(Fraction(7)) in (5, Fraction(7, 2)))
