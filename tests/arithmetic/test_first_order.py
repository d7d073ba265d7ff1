"""First-order rounding errors of a list of nodes, against derivatives by hand."""

from __future__ import annotations

import pytest

from diffcompare.arithmetic.first_order import absolute_slopes, forward_errors, local_partials, reverse_errors
from diffcompare.program.dag import Builder

u = 2.0**-53


def test_the_factors_of_a_dot_product_weigh_one_another() -> None:
    # Σ p·q: ∂/∂p = q and ∂/∂q = p; the last factor comes with a large error of its own
    build = Builder(["p0", "p1", "q0", "q1"])
    p0, p1, q0, q1 = map(build.variable, range(4))
    dot = build.apply("dot", p0, p1, q0, q1)
    values = {p0: 2.0, p1: 3.0, q0: 5.0, q1: 7.0, dot: 31.0}
    _, bars = reverse_errors(build.nodes, range(len(build.nodes)), values, dot, u)
    assert [bars[i] for i in (p0, p1, q0, q1)] == [5.0, 7.0, 2.0, 3.0]


def test_an_error_of_one_factor_is_carried_by_the_other() -> None:
    build = Builder(["x", "y"])
    x, y = build.variable(0), build.variable(1)
    root = build.apply("exp", x)
    dot = build.apply("dot", root, y)
    values = {x: 0.0, y: 1000.0, root: 1.0, dot: 1000.0}
    errors = forward_errors(build.nodes, [x, y, root, dot], values, u)
    assert errors[dot] >= 1000.0 * errors[root]
    # and the rounding of a product and of a sum
    assert errors[dot] <= 1000.0 * errors[root] + 2 * u * 1000.0


@pytest.mark.parametrize(("condition", "slopes"), [(1.0, (0.0, 1.0, 0.0)), (0.0, (0.0, 0.0, 1.0))])
def test_a_choice_has_the_slope_of_what_is_chosen(condition: float, slopes: tuple[float, ...]) -> None:
    build = Builder(["x", "y"])
    x, y = build.variable(0), build.variable(1)
    less = build.apply("less", x, y)
    choice = build.apply("select", less, x, y)
    values = {x: 3.0, y: 2.0 + 2 * condition, less: condition}
    values[choice] = values[x] if condition else values[y]
    operands = [values[i] for i in (less, x, y)]
    assert tuple(local_partials(build.nodes[choice], values[choice], operands)) == slopes
    # the other branch has an error of its own, which does not count
    _, bars = reverse_errors(build.nodes, [x, y, less, choice], values, choice, u)
    assert (bars.get(x, 0.0), bars.get(y, 0.0)) == slopes[1:]
    assert absolute_slopes(build.nodes, [x, y, less, choice], values, choice).get(less, 0.0) == 0.0


@pytest.mark.parametrize("operand", [float("inf"), float("nan")])
def test_a_special_function_of_what_is_no_number_has_no_slope(operand: float) -> None:
    build = Builder(["x"])
    root = build.apply("erf", build.variable(0))
    assert list(local_partials(build.nodes[root], 1.0, [operand])) == [float("inf")]
