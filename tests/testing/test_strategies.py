"""What the strategies promise: boxes that are proven, points where f is defined, steps that stay inside."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffcompare as dc
from diffcompare.arithmetic.balls import ball, ball_function, precision, switch_function
from diffcompare.arithmetic.ranges import is_smooth
from diffcompare.numeric.stencils import DEFAULT_SCHEMES, stencil
from diffcompare.program.adjoint import adjoint
from diffcompare.testing.building import Instruction, build
from diffcompare.testing.strategies import DEFAULT_OPERATIONS

repeatable = settings(derandomize=True, database=None, deadline=None)


def drawn(strategy: st.SearchStrategy, examples: int = 200) -> list:
    """Return what a strategy draws under default health checks; nothing may be rejected."""
    found = []

    @settings(repeatable, max_examples=examples)
    @given(strategy)
    def gather(example: object) -> None:
        found.append(example)

    gather()
    return found


def operations(f: dc.SymbolicFunction) -> list[str]:
    return [node.operation for node in f.program.nodes if node.operation not in ("variable", "constant", "pi", "e")]


@pytest.fixture(scope="module")
def cases() -> list:
    return drawn(dc.testing.comparisons(), 400)


def unproven(f: dc.testing.SmoothFunction) -> list[str]:
    """Say what the gradient over the whole box and the switches there do not prove: f as a whole, with no repair."""
    with precision(64):
        hulls = [ball(low).union(ball(high)) for low, high in f.box]
        gradient = ball_function(adjoint(f.program))(*hulls)
        run, outputs = switch_function(f.program, f.program.outputs[0])
        switches = run(*hulls)[outputs:]
    found = [] if all(value.is_finite() for value in gradient) else [f"{f}: f or its gradient is not finite"]
    return found + [f"{f}: a switch is not decided" for value in switches if not (value > 0 or value < 0)]


@pytest.mark.thorough
def test_every_box_is_proven_by_another_route(cases) -> None:
    assert [fault for case in cases for fault in unproven(case.function)] == []


@pytest.mark.parametrize(
    "text", ["sqrt(x)", "log(x)", "1/x", "abs(x)", "cbrt(x)", "hypot(x, x)", "asin(1 + x)", "x**0.5"]
)
def test_a_box_that_is_not_smooth_is_refused(text: str) -> None:
    with pytest.raises(dc.DomainError, match=r"not proven smooth .* for x in \[-1.0, 1.0\]; choose a smaller box"):
        dc.testing.smooth_function(text, {"x": (-1.0, 1.0)})
    wrong = dc.testing.smooth_function("x", {"x": (-1.0, 1.0)})
    wrong.program = dc.parse(text).program
    assert unproven(wrong)


def test_a_box_where_rounding_alone_leaves_the_domain_is_refused() -> None:
    # x > 0, but 1 + x is 1 in floats, and the logarithm of 0 is no number
    with pytest.raises(dc.DomainError):
        dc.testing.smooth_function("log((1 + x) - 1)", {"x": (1e-20, 2e-20)})
    assert not np.isfinite(dc.parse("log((1 + x) - 1)")(1.5e-20))


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ({"x": (1.0, 0.0)}, r"box side \(1.0, 0.0\): pass finite numbers, the lower one first"),
        ({"x": (0.0, math.inf)}, r"box side \(0.0, inf\)"),
        ({"x": (0.0, math.nan)}, r"box side \(0.0, nan\)"),
    ],
)
def test_a_box_that_is_none_is_refused(box: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dc.testing.smooth_function("x", box)


@pytest.mark.thorough
def test_points_are_certified_and_numpy_is_finite_there(cases) -> None:
    for case in cases[::2]:
        f = case.function
        assert all(low <= x <= high for (low, high), x in zip(f.box, case.point, strict=True)), case
        reference = dc.certified_gradient(f, case.point)
        assert reference.status == ["ok"] * len(f.variables), case
        assert np.all(np.abs(reference.value) <= 1e100), case
        with np.errstate(all="raise", under="ignore"):
            assert math.isfinite(f.callable(np)(*map(np.float64, case.point))), case


@pytest.mark.thorough
def test_abscissae_stay_in_the_box(cases) -> None:
    for case in cases:
        rule = stencil(case.scheme)
        for (low, high), x in zip(case.function.box, case.point, strict=True):
            assert low <= x + float(rule.offsets[-1]) * case.h <= x + float(rule.offsets[0]) * case.h <= high, case
        assert case.h > 0


@pytest.mark.thorough
def test_the_table_of_a_comparison_has_no_failed_row(cases) -> None:
    statuses: Counter[str] = Counter()
    for case in cases[::10]:
        table = dc.sweep(case.function, case.point, schemes=[case.scheme], steps=[case.h])
        statuses.update(table["status"])
        assert not (table["within_bound"] == False).any(), case  # noqa: E712 - a nullable column
    assert set(statuses) <= {"ok", "h-underflow"}
    assert statuses["ok"] > 0.8 * statuses.total()


@pytest.mark.thorough
@pytest.mark.thorough
def test_what_is_drawn_can_be_read_back(cases) -> None:
    for case in cases:
        f = case.function
        again = eval(repr(f), {"diffcompare": dc})
        assert (again.formula, again.variables, again.box) == (f.formula, f.variables, f.box)
        assert again(case.point).hex() == f(case.point).hex()
        assert sorted(map(str, operations(again))) == sorted(operations(f))
        assert repr(eval(repr(case), {"diffcompare": dc})) == repr(case)


_FIRST_EXAMPLE = """
import sys
from hypothesis import given, settings
import diffcompare as dc
strategy = dc.testing.{0}()
@settings(database=None, deadline=None, derandomize=True, max_examples=1)
@given(strategy)
def test(case):
    before = set(sys.modules)
    dc.testing.assert_gradient(lambda x: (x * x).sum(), lambda x: 2 * x, case.point)
    dc.testing.assert_within_bound(dc.parse("x*y"), lambda f, x: dc.numerical_gradient(f, x, 0.5), (1.0, 1.0), h=0.5)
    dc.certified_gradient(case.function, case.point)
    print(*(name for name in set(sys.modules) - before if name in ("pandas", "sympy") or name[:12] == "diffcompare."))
test()
"""


@pytest.mark.thorough
@pytest.mark.parametrize("strategy", ["comparisons", "gradients_with_bugs"])
def test_the_first_example_of_a_strategy_loads_no_library(strategy: str) -> None:
    here = {**os.environ, "PYTHONPATH": str(Path(dc.__file__).parents[1])}
    script = _FIRST_EXAMPLE.format(strategy)
    done = subprocess.run([sys.executable, "-c", script], env=here, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.thorough
@pytest.mark.parametrize("strategy", [dc.testing.comparisons(), dc.testing.gradients_with_bugs()])
def test_a_failing_example_is_found_in_few_calls_and_can_be_pasted(strategy) -> None:
    seen: list[object] = []

    @settings(database=None, deadline=None, derandomize=True)
    @given(strategy)
    def test(case: object) -> None:
        seen.append(case)
        raise AssertionError

    with pytest.raises(AssertionError) as caught:
        test()
    # each part that Hypothesis could vary would cost it a hundred calls
    assert len(seen) < 300
    shown = next(line for line in "\n".join(caught.value.__notes__).split("\n") if line.startswith("    case="))
    (again,) = eval(shown.removeprefix("    case="), {"diffcompare": dc})
    assert repr(again) == repr(seen[-1])


@pytest.mark.thorough
def test_every_operation_scheme_and_kind_of_number_occurs(cases) -> None:
    seen = {name for f in drawn(dc.testing.smooth_functions(), 600) for name in operations(f)}
    assert set(DEFAULT_OPERATIONS) <= seen
    assert {case.scheme for case in cases} == set(DEFAULT_SCHEMES)
    coordinates = [abs(x) for case in cases for x in case.point]
    assert 0.0 in coordinates
    assert any(0 < x < 1e-100 for x in coordinates)
    assert any(x > 1e10 for x in coordinates)
    assert any(x == 2.0**k for x in coordinates for k in (-3, 1, 2, 3))
    assert any(
        math.frexp(math.nextafter(x, 0))[0] == 0.5 or math.frexp(math.nextafter(x, 1e9))[0] == 0.5 for x in coordinates
    )


@pytest.mark.thorough
@pytest.mark.parametrize("limit", [1, 2, 5, 30])
def test_operations_are_no_more_than_asked_for(limit: int) -> None:
    functions = drawn(dc.testing.smooth_functions(max_operations=limit), 100)
    counts = [len(operations(f)) for f in functions]
    assert min(counts) >= 1
    assert max(counts) == limit if limit < 30 else max(counts) <= limit
    assert all(any(node.operation == "variable" for node in f.program.nodes) for f in functions)


def test_variables_and_operations_are_those_asked_for() -> None:
    functions = drawn(dc.testing.smooth_functions(variables=["a", "b2", "c"], operations=["exp", "multiply"]), 100)
    assert {f.variables for f in functions} == {("a", "b2", "c")}
    assert {"exp", "multiply"} <= {name for f in functions for name in operations(f)}
    # repairs, and the sum of what is left
    repairs = {"sin", "add", "subtract", "divide", "integer_power"}
    assert {name for f in functions for name in operations(f)} <= {"exp", "multiply"} | repairs
    used = {f.variables[node.payload] for f in functions for node in f.program.nodes if node.operation == "variable"}
    assert used == {"a", "b2", "c"}


@pytest.mark.thorough
@pytest.mark.parametrize("name", DEFAULT_OPERATIONS)
def test_each_operation_can_be_asked_for_alone(name: str) -> None:
    functions = drawn(dc.testing.smooth_functions(variables=["x"], operations=[name], max_operations=4), 30)
    assert any(name in operations(f) for f in functions)
    assert [fault for f in functions for fault in unproven(f)] == []


@pytest.mark.thorough
def test_corners_are_drawn_only_when_asked_for() -> None:
    assert not {"abs", "sign", "min", "max"} & set(DEFAULT_OPERATIONS)
    functions = drawn(dc.testing.smooth_functions(operations=["abs", "max"]), 50)
    assert {"abs", "max"} <= {name for f in functions for name in operations(f)}
    assert [fault for f in functions for fault in unproven(f)] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variables": []}, r"variables=\[\]: pass at least one name"),
        ({"max_operations": 0}, "max_operations=0: pass 1 or more"),
        ({"operations": []}, r"operations=\[\]: pass at least one name"),
        ({"operations": ["select"]}, "operations: 'select' is not known; choose from add, "),
        ({"operations": ["sinus"]}, "operations: 'sinus' is not known"),
    ],
)
def test_bad_arguments_are_refused_at_once(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dc.testing.smooth_functions(**arguments)


def test_a_bad_scheme_is_refused_at_once() -> None:
    for strategy in (lambda: dc.testing.steps("upward"), lambda: dc.testing.comparisons(schemes=["upward"])):
        with pytest.raises(ValueError, match="scheme='upward': unknown scheme; choose from forward"):
            strategy()
    with pytest.raises(ValueError, match=r"schemes=\[\]: choose from forward"):
        dc.testing.comparisons(schemes=[])


def test_strategies_are_built_once() -> None:
    assert dc.testing.comparisons() is dc.testing.comparisons()
    assert dc.testing.smooth_functions(variables=["x"]) is dc.testing.smooth_functions(variables=("x",))
    assert dc.testing.steps() is dc.testing.steps()


# --- repairs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instructions", "formula"),
    [
        ([Instruction("log")], "log(1 + x**2)"),
        ([Instruction("asin")], "asin(sin(x))"),
        ([Instruction("exp", aim=3.0)], "exp(x)"),
        ([Instruction("sin"), Instruction("exp", 1, aim=3.0)], "sin(x) + exp(x + 5)"),
        ([Instruction("sin"), Instruction("log", 1, aim=-1e-3)], "sin(x) + log(x*(-0.0005))"),
        ([Instruction("exp"), Instruction("multiply", 0)], "exp(x)*x"),
        ([Instruction("exp"), Instruction("sin", 2), Instruction("multiply", 0)], "sin(y)*exp(x)"),
        ([Instruction("exp"), Instruction("sin", 2)], "exp(x) + sin(y)"),
        ([Instruction("divide", 0, "3", True)], "3/x"),
        ([Instruction("integer_power", payload=-2)], "x**-2"),
        ([Instruction("divide", 1), Instruction("sqrt", 2)], "x/(1 + y**2) + sqrt(1 + y**2)"),
        ([Instruction("power", 0, "0.5")], "(1 + x**2)**0.5"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_argument_outside_the_domain_is_repaired(instructions: list[Instruction], formula: str) -> None:
    f = build(("x", "y"), ((-2.25, -1.75), (-0.5, 0.5)), instructions, 8)
    assert f.formula == formula
    assert is_smooth(f.program, f.box)


def test_without_room_for_a_repair_the_operation_is_left_out() -> None:
    assert build(("x",), ((-1.0, 1.0),), [Instruction("log"), Instruction("log")], 1).formula == "sin(x)"


# --- points ------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize("text", ["log(x)", "asin(x)", "acosh(x)", "atanh(x)", "sqrt(-x)", "1/x", "x**2 + sin(x)"])
def test_points_without_a_box_are_in_the_domain(text: str) -> None:
    f = dc.parse(text)
    for point in drawn(dc.testing.points(f), 150):
        assert dc.certified_gradient(f, point).status == ["ok"], point


@pytest.mark.thorough
def test_points_without_a_box_are_also_next_to_the_edge() -> None:
    found = [x for (x,) in drawn(dc.testing.points(dc.parse("asin(x)")), 300)]
    assert any(1 - 1e-9 < abs(x) < 1 for x in found)
    assert any(0 < abs(x) < 1e-300 for x in found)
    found = [x for (x,) in drawn(dc.testing.points(dc.parse("x**2")), 300)]
    assert any(x > 1e20 for x in found)
    assert any(0 < abs(x) < 2.3e-308 for x in found)


def test_points_of_a_box_are_awkward_too() -> None:
    f = dc.parse("x + y")
    found = [x for x, _ in drawn(dc.testing.points(f, [(-3.0, 5.0), (0.0, 0.0)]), 400)]
    assert all(-3.0 <= x <= 5.0 for x in found)
    assert {-3.0, 5.0, 1.0, 0.0, 2.0} <= set(found)
    assert any(x == 0 and math.copysign(1, x) < 0 for x in found)
    assert any(0 < abs(x) < 2.3e-308 for x in found)
    assert math.nextafter(-3.0, 5.0) in found or math.nextafter(5.0, -3.0) in found
    assert any(
        math.nextafter(x, side) in (1.0, 2.0, 4.0, 0.5) for x in found for side in (-9.0, 9.0) if x not in (1.0, 2.0)
    )


def test_points_of_another_box_are_moved_where_f_is_defined() -> None:
    for (x,) in drawn(dc.testing.points(dc.parse("log(x)"), [(-1.0, 3.0)]), 100):
        assert x > 0


def test_a_box_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"box of 2 sides: pass 1, one \(low, high\) for each variable"):
        dc.testing.points(dc.parse("x"), [(0, 1), (0, 1)])


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", [None, *DEFAULT_SCHEMES])
def test_steps_are_positive_and_reach_both_ends(scheme: str | None) -> None:
    found = drawn(dc.testing.steps(scheme), 300)
    assert all(0 < h <= 0.5 for h in found)
    assert {0.1, 1e-4, 0.5} <= set(found)
    assert min(found) < 1e-12


# --- reproducibility ---------------------------------------------------------------------------------------------

_SCRIPT = """
import json
from hypothesis import given, settings
import diffcompare as dc
found = []
@settings(derandomize=True, database=None, deadline=None, max_examples=30)
@given(dc.testing.comparisons())
def gather(case):
    found.append(repr(case))
gather()
print(json.dumps(found))
"""


@pytest.mark.thorough
def test_the_same_examples_whatever_the_hash_seed() -> None:
    outputs = []
    for seed in ("0", "42"):
        here = {**os.environ, "PYTHONPATH": str(Path(dc.__file__).parents[1]), "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", _SCRIPT], env=here, capture_output=True, text=True, check=True)
        outputs.append(json.loads(done.stdout))
    assert outputs[0] == outputs[1]
    assert len(set(outputs[0])) > 20
