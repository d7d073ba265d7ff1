"""Faults planted in the split, the bounds and the analysis of rounding: each must turn a law red.

The laws are few and fast; the property tests and the tests of the modules check the same over many more rows.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from flint import arb

import diffcompare as dc
from diffcompare.arithmetic import lipschitz, running_error
from diffcompare.arithmetic.balls import Ball, ball
from diffcompare.arithmetic.roundings import constants
from diffcompare.arithmetic.roundings.constants import MAXIMA, WORST, rounding_constants
from diffcompare.arithmetic.roundings.measurement import errors_in_ulps
from diffcompare.numeric.stencils import Stencil
from diffcompare.program.dag import Node
from diffcompare.sweeps import bounds, series_parts, split

from ..stated import stated  # noqa: TID252 - tests are no package

PARTS = ["truncation", "abscissa", "evaluation", "subtraction", "division"]
SIDES = {"forward": (1, 0), "backward": (0, -1), "central": (1, -1)}
C = Fraction(1, 10)
# text, f, f′
RATIONAL = [
    ("x**2", lambda x: x * x, lambda x: 2 * x),
    ("x*x*x - x/3", lambda x: x**3 - x / 3, lambda x: 3 * x * x - Fraction(1, 3)),
    ("1/(1 + x*x)", lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    ("(x - 0.1)**2", lambda x: (x - C) ** 2, lambda x: 2 * (x - C)),
]
POINTS = [1.0, 3.0, 0.1, -0.7]
STEPS = [0.5, 0.1, 1e-3, 1e-8, 1e-16, 1e-17]


def rounded(value: Fraction) -> float:
    return value.numerator / value.denominator


def law_of_the_split() -> None:
    """Every part is the correctly rounded one, in fractions."""
    for text, f, slope in RATIONAL:
        program = dc.parse(text)
        table = dc.sweep(program, POINTS, steps=STEPS, bounds=False)
        points = np.repeat(POINTS, 3 * len(STEPS))
        for x, row in zip(points.tolist(), table.to_dict("records"), strict=True):
            upper, lower = SIDES[row["scheme"]]
            h = row["h"]
            k = Fraction(h) * (upper - lower)
            nominal = [f(Fraction(x) + o * Fraction(h)) for o in (upper, lower)]
            reached = [f(Fraction(x + o * h)) for o in (upper, lower)]
            computed = [float(program(x + o * h)) for o in (upper, lower)]
            s = Fraction(computed[0] - computed[1])
            values = [Fraction(value) for value in computed]
            expected = [
                (nominal[0] - nominal[1]) / k - slope(Fraction(x)),
                ((reached[0] - nominal[0]) - (reached[1] - nominal[1])) / k,
                ((values[0] - reached[0]) - (values[1] - reached[1])) / k,
                (s - (values[0] - values[1])) / k,
                Fraction(row["numeric"]) - s / k,
            ]
            assert [row[name] for name in PARTS] == [rounded(part) for part in expected]


def assert_within(table) -> None:
    for row in table.to_dict("records"):
        if math.isnan(row["bound"]):
            continue
        label = row["function"], row["point"], row["scheme"], row["h"]
        assert abs(row["error"]) <= row["bound"], label
        assert abs(row["truncation"]) <= row["truncation_bound"], label
        rest = [Fraction(row[name]) for name in PARTS[1:]]
        doubt = sum(Fraction(math.ulp(row[name])) / 2 for name in PARTS[1:])
        assert abs(sum(rest)) - doubt <= Fraction(row["rounding_bound"]), label


def law_of_the_bounds() -> None:
    """No bound is exceeded where bounds are sharp."""
    texts = [text for text, *_ in RATIONAL[:2]]
    for text in [*texts, "exp(x)", "exp(-x)", "x**3", "log(4 + x)"]:
        assert_within(dc.sweep(dc.parse(text), POINTS, steps=[1.0, *STEPS]))


def law_of_corners() -> None:
    """Over a corner the bound is the distance of the slopes, over a jump there is none."""
    for text in ("abs(x)", "max(x, x/2)", "abs(x)*exp(x)", "min(x, 3*x) + x**2"):
        assert_within(dc.sweep(dc.parse(text), [0.25, -0.25], steps=[1.0, 0.3, 0.1]))
    for text in ("where(x < 0, 1, 2)", "sign(x)"):
        assert_within(dc.sweep(dc.parse(text), [0.25, -0.25], steps=[1.0, 0.3, 0.1]))


def law_of_single_terms() -> None:
    """Each term of the rounding bound stands alone in some row."""
    assert_within(dc.sweep(dc.parse("x"), 1.0, steps=[1e-17]))  # abscissa
    assert_within(dc.sweep(dc.parse("max(x, 2**-60)"), 1.0, steps=[2.0]))  # subtraction
    assert_within(dc.sweep(dc.parse("abs(x)"), 1.0, steps=[3.0]))  # division
    assert_within(dc.sweep(dc.parse("max(x, 0.1)"), 1.0, steps=[2.0]))  # a constant
    f = dc.parse("max(x, y/3)", variables=["x", "y"])
    assert_within(dc.sweep(f, [[1.0, 1.0]], steps=[2.0], variables=["x"]))  # what does not move
    assert_within(dc.sweep(dc.parse("x*x"), [1e-162, 3e-170], steps=[1e-163, 1e-170]))  # underflow
    f = dc.parse("x + y", variables=["x", "y"])
    assert_within(dc.sweep(f, [[1.0, 1e-9], [0.1, 7.3]], steps=[0.1, 1e-9]))  # a sum


def law_of_rounding() -> None:
    """Among many rows some come close to the bound on rounding."""
    rng = np.random.default_rng(1)
    for text in ("x*x", "x/3"):
        assert_within(dc.sweep(dc.parse(text), rng.uniform(1.05, 1.4, 150), steps=[2.0**-26, 2.0**-30, 1e-9]))


def law_of_constants() -> None:
    """A constant is one and a half times what is measured here at the known worst inputs, and a quarter."""
    for operation in WORST:
        (error,) = errors_in_ulps(operation, [np.array([float.fromhex(value)]) for value in WORST[operation]])
        payload = 7 if operation == "integer_power" else None
        assert rounding_constants(Node(operation, (0,), payload))[0] >= 1.5 * error + 0.2, operation


# the quick ones first
LAWS = [
    law_of_single_terms,
    law_of_corners,
    law_of_constants,
    law_of_the_split,
    law_of_the_bounds,
    law_of_rounding,
]


@pytest.mark.thorough
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_laws_hold_without_a_fault(law) -> None:
    law()


# --- the faults: each takes monkeypatch --------------------------------------------------------------------------


def change_parts(patch, change) -> None:
    """Change truncation, abscissa and evaluation error of a row."""
    original = split._Line.parts
    patch.setattr(split._Line, "parts", lambda *given: [change(*found) for found in original(*given)])


def truncation_swapped_with_abscissa(patch) -> None:
    change_parts(patch, lambda t, a, e: (a, t, e))


def abscissa_added_to_truncation(patch) -> None:
    change_parts(patch, lambda t, a, e: (t + a, 0.0, e))


def evaluation_with_the_wrong_sign(patch) -> None:
    change_parts(patch, lambda t, a, e: (t, a, -e))


def parts_rounded_towards_zero(patch) -> None:
    original = split.round_ball

    def towards_zero(value: Ball) -> float | None:
        found = original(value)
        if found and abs(value) < abs(found):
            return math.nextafter(found, 0.0)
        return found

    patch.setattr(split, "round_ball", towards_zero)


def nominal_abscissae_forgotten(patch) -> None:
    original = split.two_sum
    patch.setattr(split, "two_sum", lambda a, b: (original(a, b)[0], 0 * original(a, b)[1]))


def slope_at_a_neighbour(patch) -> None:
    original = split.derivative_ball
    patch.setattr(
        split, "derivative_ball", lambda f, x, i, q, bits: original(f, [math.nextafter(v, 9.0) for v in x], i, q, bits)
    )


def residual_of_the_division_with_the_wrong_sign(patch) -> None:
    original = split.two_product
    patch.setattr(split, "two_product", lambda a, b: (original(a, b)[0], -original(a, b)[1]))


def sum_with_the_wrong_residual(patch) -> None:
    def naive(a, b):
        return a + b, b - ((a + b) - a)

    patch.setattr(split, "two_sum", naive)


def small_steps_without_residuals(patch) -> None:
    patch.setattr(series_parts, "two_sum", lambda a, b: (a + b, 0.0 * (a + b)))


def order_off_by_one(patch) -> None:
    original = Stencil.error_coefficient
    patch.setattr(Stencil, "error_coefficient", lambda self, m: original(self, m + 1))
    bounds._coefficients.cache_clear()


def remainder_forgotten(patch) -> None:
    def without(stencils, h, around):
        around.supremum[3:] = 0
        return original(stencils, h, around)

    original = bounds._truncation
    patch.setattr(bounds, "_truncation", without)


def remainder_at_the_point_only(patch) -> None:
    def at_the_point(stencils, h, around):
        around.supremum[:] = np.abs(around.known).sum(axis=1)
        return original(stencils, h, around)

    original = bounds._truncation
    patch.setattr(bounds, "_truncation", at_the_point)


def hull_of_one_side_only(patch) -> None:
    def half(box, direction):
        hull = box[direction]
        return [*box[:direction], ball(float(hull.mid())).union(hull.upper()), *box[direction + 1 :]]

    jet = bounds.taylor_jet
    patch.setattr(
        bounds,
        "taylor_jet",
        lambda program, box, direction, **options: jet(program, half(box, direction), direction, **options),
    )


def bounds_rounded_down(patch) -> None:
    patch.setattr(bounds, "_UP", 1 - 2.0**-46)


def suprema_rounded_down(patch) -> None:
    patch.setattr(bounds, "_UP", 1.0)
    original = bounds.above
    patch.setattr(bounds, "above", lambda value: math.nextafter(math.nextafter(original(value), 0), 0))


def without(name: str):
    def forgotten(patch) -> None:
        original = bounds.bound_error

        def fewer(grid, evaluations, taylor, rows, parts, *, measured):
            parts = {**parts, name: np.where(rows, 0.0, np.nan)}
            return original(grid, evaluations, taylor, rows, parts, measured=measured)

        patch.setattr("diffcompare.sweeps.sweep.bound_error", fewer)

    forgotten.__name__ = f"{name}_dropped_from_the_bound"
    return forgotten


def abscissae_dropped_from_the_bound(patch) -> None:
    original = bounds._Here._moved
    patch.setattr(bounds._Here, "_moved", lambda here, stencil: 0 * original(here, stencil))


def abscissa_of_one_side_only(patch) -> None:
    original = bounds._Here._moved
    patch.setattr(bounds._Here, "_moved", lambda here, stencil: original(here, stencil) / 2)


def evaluation_counted_once(patch) -> None:
    original = bounds.rounding_bound
    patch.setattr(bounds, "rounding_bound", lambda *given, **options: original(*given, **options) / 2)


def half_of_every_rounding(patch) -> None:
    original = running_error._rounding
    patch.setattr(running_error, "_rounding", lambda value, ulps, absolute: original(value, ulps / 2, absolute))


def underflow_forgotten(patch) -> None:
    patch.setattr(running_error, "_ETA", 0.0)


def constants_taken_for_exact(patch) -> None:
    patch.setattr(running_error, "round_to_nearest", lambda value: value)


def resting_nodes_forgotten(patch) -> None:
    patch.setattr(running_error, "_spread", lambda value: arb(0))


def sums_taken_for_exact(patch) -> None:
    patch.setattr(running_error, "_difference_rounding", lambda value, a, b: arb(0))


def jumps_overlooked(patch) -> None:
    patch.setattr(lipschitz, "has_jump", lambda program, box: False)


def slopes_of_one_branch_only(patch) -> None:
    def at_the_middle(program, box, direction):
        return original(program, [arb(side.upper()) for side in box], direction)

    original = bounds.slope_range
    patch.setattr(bounds, "slope_range", at_the_middle)


def half_of_all_constants(patch) -> None:
    patch.setattr(constants, "MAXIMA", {name: value / 2 for name, value in MAXIMA.items()})
    constants._measured.cache_clear()


FAULTS = [
    truncation_swapped_with_abscissa,
    abscissa_added_to_truncation,
    evaluation_with_the_wrong_sign,
    parts_rounded_towards_zero,
    nominal_abscissae_forgotten,
    slope_at_a_neighbour,
    residual_of_the_division_with_the_wrong_sign,
    sum_with_the_wrong_residual,
    small_steps_without_residuals,
    order_off_by_one,
    remainder_forgotten,
    remainder_at_the_point_only,
    hull_of_one_side_only,
    bounds_rounded_down,
    suprema_rounded_down,
    without("subtraction"),
    without("division"),
    abscissae_dropped_from_the_bound,
    abscissa_of_one_side_only,
    evaluation_counted_once,
    half_of_every_rounding,
    underflow_forgotten,
    constants_taken_for_exact,
    resting_nodes_forgotten,
    sums_taken_for_exact,
    jumps_overlooked,
    slopes_of_one_branch_only,
    half_of_all_constants,
]


def test_the_counts_are_the_stated_ones() -> None:
    assert stated("planted faults") == f"{len(FAULTS)} faults, {len(LAWS)} laws; each fault breaks a law"


def broken(law) -> bool:
    try:
        law()
    except AssertionError:
        return True
    return False


@pytest.mark.thorough
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_planted_fault_breaks_a_law(fault, monkeypatch) -> None:
    try:
        with monkeypatch.context() as patch:
            fault(patch)
            # the first law that breaks is enough
            red = any(broken(law) for law in LAWS)
    finally:
        constants._measured.cache_clear()
        bounds._coefficients.cache_clear()
    assert red
