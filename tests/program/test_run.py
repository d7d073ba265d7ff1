from __future__ import annotations

import gc
import math
import operator
import weakref
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffcompare as dc
from diffcompare.arithmetic.balls import ball_function, switch_function
from diffcompare.arithmetic.conditioning import conditioning
from diffcompare.arithmetic.floating import compile_numpy, node_values
from diffcompare.arithmetic.jets import taylor_jet
from diffcompare.arithmetic.running_error import point_rounding_bound
from diffcompare.certify.arrays import gradient_functions
from diffcompare.program.adjoint import adjoint, hessian, sensitivities
from diffcompare.program.code import operation_source
from diffcompare.program.dag import Builder, Node, Program
from diffcompare.program.run import compiled, interpret, interpret_nodes, interpret_on_demand, payload_of, per_program
from diffcompare.symbolic.derivatives import gradient_program

PACKAGE = Path(dc.__file__).parent


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw sums, products and powers of what came before, each of them an output."""
    build = Builder(("x", "y"))
    nodes = [build.variable(0), build.variable(1), build.constant(draw(st.integers(-3, 3)))]
    for _ in range(draw(st.integers(0, 12))):
        a, b = (draw(st.sampled_from(nodes)) for _ in range(2))
        operation = draw(st.sampled_from(["add", "subtract", "multiply", "integer_power"]))
        nodes.append(
            build.raw("integer_power", a, payload=draw(st.integers(0, 2)))
            if operation == "integer_power"
            else build.raw(operation, a, b)
        )
    return build.program(nodes)


RULES = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "integer_power": operator.pow}
POINT = (Fraction(2, 3), Fraction(-5, 7))


def leaf(node: Node) -> Fraction:
    return POINT[int(node.payload or 0)] if node.operation == "variable" else Fraction(node.payload or 0)


def apply(node: Node, *operands: Fraction) -> Fraction:
    return RULES[node.operation](*operands, *payload_of(node))


@given(programs())
def test_every_node_is_run_once_in_order(program):
    seen: list[Node] = []

    def note(node: Node, *operands: int) -> int:
        assert operands == node.operands
        seen.append(node)
        return len(seen) - 1

    assert interpret(program, note, note) == list(range(len(program.nodes)))
    assert seen == list(program.nodes)


@pytest.mark.thorough
@given(programs())
def test_loop_demand_and_compiled_source_agree(program):
    def spell(index: int, node: Node, operands: list[str]) -> str:
        return f"number({node.payload})" if node.operation == "constant" else operation_source(node, operands)

    values = interpret(program, leaf, apply)
    expected = [values[i] for i in program.outputs]
    assert interpret_on_demand(program, leaf, apply, bool) == expected
    run = compiled(program, RULES.__getitem__, spell, {"number": Fraction})
    assert list(run(*POINT)) == expected


def test_only_the_nodes_that_are_named_are_run():
    build = Builder(("x", "y"))
    x, y = build.variable(0), build.variable(1)
    square, _ = build.apply("multiply", x, x), build.apply("divide", y, x)
    assert interpret_nodes(build.nodes, [x, square], leaf, apply) == {x: POINT[0], square: POINT[0] ** 2}


CHOICE = dc.parse("where(x > 0, log(x), where(x < 0, x, 1/x))", variables=["x"]).program


@pytest.mark.parametrize(("x", "value", "looked_at"), [(1.0, 0.0, {"log"}), (-2.0, -2.0, set())])
def test_a_branch_that_is_not_taken_is_not_looked_at(x, value, looked_at):
    seen: set[str] = set()

    def on_numbers(node: Node, *operands: float) -> float:
        seen.add(node.operation)
        return {"log": math.log, "greater": operator.gt, "less": operator.lt, "divide": operator.truediv}[
            node.operation
        ](*operands)

    found = interpret_on_demand(
        CHOICE, lambda n: x if n.operation == "variable" else float(n.payload), on_numbers, bool
    )
    assert found == [value]
    assert seen - {"greater", "less"} == looked_at


def test_a_condition_that_cannot_be_told_stands_for_the_choice():
    found = interpret_on_demand(CHOICE, lambda _: None, lambda *_: None, lambda condition: condition)
    assert found == [None]


def test_an_operation_of_the_scope_goes_first():
    program = dc.parse("exp(x)").program
    asked: list[str] = []

    def functions(name: str) -> object:
        asked.append(name)
        return math.exp

    assert compiled(program, functions, lambda _, n, o: operation_source(n, o), {"exp_": math.sin})(0.0) == (0.0,)
    assert asked == []


def test_the_source_of_a_program_becomes_code_in_one_place():
    places = [path for path in PACKAGE.rglob("*.py") if "exec(compile" in path.read_text(encoding="utf-8")]
    # what is written for people is tried as they would run it
    assert sorted(path.name for path in places) == ["derive.py", "run.py"]
    caches = [path for path in PACKAGE.rglob("*.py") if "WeakKeyDictionary" in path.read_text(encoding="utf-8")]
    assert caches == []


def test_what_is_kept_is_found_once_for_each_program_and_argument():
    calls: list[tuple[Program, int]] = []

    @per_program
    def length(program: Program, factor: int) -> int | None:
        calls.append((program, factor))
        return factor * len(program.nodes) if factor else None

    f, twin = dc.parse("x**2 + 1"), dc.parse("x**2 + 1")
    assert [length(f.program, 2), length(f.program, 2), length(f.program, 0), length(f.program, 0)] == [
        8,
        8,
        None,
        None,
    ]
    # what is made around a program is asked about the program
    assert length(f, 2) == 8
    # two programs never share, however alike they are
    assert length(twin.program, 2) == 8
    assert calls == [(f.program, 2), (f.program, 0), (twin.program, 2)]
    assert length.__name__ == "length"


def test_an_error_is_not_kept():
    answers = iter([ValueError("not yet"), 5])

    @per_program
    def asked(program: Program) -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    program = dc.parse("x").program
    with pytest.raises(ValueError, match="not yet"):
        asked(program)
    assert [asked(program), asked(program)] == [5, 5]


@pytest.mark.thorough
def test_what_is_kept_dies_with_its_program():
    class Result:
        """Can be watched."""

    @per_program
    def result(program: Program) -> Result:
        return Result()

    program = dc.parse("x + 2").program
    watched = weakref.ref(result(program))
    assert watched() is result(program)
    del program
    gc.collect()
    assert watched() is None


@pytest.mark.thorough
def test_no_cache_of_the_package_keeps_a_program_alive():
    f = dc.parse("tanh(x)*sqrt(x) + exp(y)")
    program = f.program
    for ask in (adjoint, hessian, sensitivities, ball_function, compile_numpy):
        ask(program)
    switch_function(program, program.outputs[0])
    node_values(program, [1.0, 2.0])
    taylor_jet(program, [1.0, 2.0], 0)
    point_rounding_bound(program, [1.0, 2.0], 0)
    conditioning(adjoint(program), [1.0, 2.0])
    gradient_functions(f)
    gradient_program(f)
    dc.certified_gradient(f, [1.0, 2.0])
    derivative = weakref.ref(adjoint(program))
    watched = weakref.ref(program)
    del f, program, ask
    gc.collect()
    assert watched() is None
    gc.collect()
    assert derivative() is None
