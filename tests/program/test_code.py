"""Generated source: the operations in the program's order, for every arithmetic."""

import operator
from fractions import Fraction

import pytest

import diffcompare as dc
from diffcompare.program.code import functions_used, operation_source, straight_line, switch_sources, temporary
from diffcompare.program.dag import Builder, Node, Term


def spell(index, node, operands):
    if node.operation == "constant":
        return f"Fraction({node.payload.numerator}, {node.payload.denominator})"
    return operation_source(node, operands)


def run(program, *arguments, **options):
    scope = {"Fraction": Fraction, "integer_power_": operator.pow, "abs_": abs}
    exec(straight_line(program, spell, **options), scope)
    return scope["run"](*arguments)


@pytest.mark.parametrize("release", [False, True])
@pytest.mark.parametrize(
    ("text", "x", "y", "expected"),
    [
        ("x - y/3", 1, 2, Fraction(1, 3)),
        ("x*(x - y)**3 + 2", 2, 5, Fraction(-52)),
        ("-x*y - x/y", 3, 4, Fraction(-51, 4)),
        ("abs(x - y)*x", 3, 5, Fraction(6)),
        ("x", 7, 8, Fraction(7)),
        ("y", 7, 8, Fraction(8)),
        ("3/2", 7, 8, Fraction(3, 2)),
    ],
)
def test_source_computes_the_formula(text, x, y, expected, release):
    program = dc.parse(text, variables=["x", "y"]).program
    assert run(program, Fraction(x), Fraction(y), release=release) == (expected,)


@pytest.mark.parametrize("release", [False, True])
def test_outputs_that_are_variables_or_shared_are_returned(release):
    build = Builder(("x", "y"))
    x, y = (Term(build, build.variable(i)) for i in range(2))
    program = build.program([(x * y).index, x.index, (x * y - y).index, (x * y).index])
    assert run(program, Fraction(3), Fraction(5), release=release) == (15, 3, 10, 15)


def test_extras_follow_the_outputs():
    program = dc.parse("(x + 1)*(x + 2)").program
    names = {node.operation: temporary(program, i) for i, node in enumerate(program.nodes)}
    assert run(program, Fraction(3), extras=[f"{names['multiply']} - 1", "v0"]) == (20, 19, 3)


def test_released_temporaries_are_deleted_once_and_after_their_last_use():
    program = dc.parse("sin(x)*sin(x) + cos(x)").program
    lines = straight_line(program, spell, release=True).splitlines()
    deleted = [name for line in lines if line.startswith(" del ") for name in line[5:].split(", ")]
    kept = {temporary(program, i) for i in program.outputs} | {"v0"}
    made = [temporary(program, i) for i, node in enumerate(program.nodes) if node.operation != "variable"]
    assert sorted(deleted) == sorted(set(made) - kept)
    for name in deleted:
        last = lines.index(next(line for line in lines if line.startswith(" del ") and name in line[5:].split(", ")))
        assert not any(name in line.replace("(", " ").replace(")", " ").split() for line in lines[last + 1 :])


def test_functions_used_are_named_once_and_without_operators():
    program = dc.parse("sin(x) + sin(x)*cos(x)**2 - 3/x").program
    assert functions_used(program) == ["sin", "cos", "integer_power"]


def test_the_source_is_independent_of_names_of_variables():
    one, other = (dc.parse(f"sin({name})*{name}").program for name in ("lam", "x"))
    assert straight_line(one, spell) == straight_line(other, spell)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sin(x) + x**2", []),
        ("abs(x)", ["v0"]),
        ("sqrt(x) + asin(x)", ["v0", "1 - v0 * v0"]),
        ("max(x, y)", ["v0 - v1"]),
        ("hypot(x, y)", ["hypot_(v0, v1)"]),
        ("atan2(x, y)", ["hypot_(v0, v1) + v1"]),
        ("where(x < y, x, y)", ["v0 - v1"]),
    ],
)
def test_switches_of_a_program(text, expected):
    program = dc.parse(text, variables=["x", "y"]).program
    assert sorted(switch_sources(program, program.outputs[0])) == sorted(expected)


def test_switches_that_an_output_does_not_need_are_left_out():
    build = Builder(("x",))
    x = Term(build, build.variable(0))
    program = build.program([x.apply("sin").index, x.apply("abs").index])
    assert switch_sources(program, program.outputs[0]) == []
    assert switch_sources(program, program.outputs[1]) == ["v0"]


def test_a_payload_is_the_last_argument():
    assert operation_source(Node("integer_power", (0,), -3), ["t1"]) == "integer_power_(t1, -3)"
    assert operation_source(Node("atan2", (0, 1)), ["t1", "v0"]) == "atan2_(t1, v0)"
    assert operation_source(Node("subtract", (0, 1)), ["t1", "v0"]) == "t1 - v0"


def test_the_gate_of_an_adjoint_is_a_switch_only_where_its_product_is_not_finite():
    program = dc.parse("where(x != 0, x*sin(y), 0)", variables=["x", "y"]).program
    (source,) = switch_sources(program, program.outputs[0])
    product = program.nodes[program.outputs[0]].operands[1]
    assert source == f"gate_(v0, {temporary(program, product)})"
    # another choice on the same comparison makes it a switch
    both = dc.parse("where(x != 0, x*sin(y), 0) + where(x != 0, y, 1)", variables=["x", "y"]).program
    assert "v0 - t1" in switch_sources(both, both.outputs[0])
