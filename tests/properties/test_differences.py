"""Finite differences of the textbook's code stay within the proven bound of the certified derivative.

Functions, points and steps are those of ``diffcompare.testing``: any differentiable operation, on boxes that are
proven. The error of ``numerical_gradient``, and of ``numerical_diff`` for higher derivatives, is at most the column
``bound`` of the same row of ``sweep``. Both compute in binary64; other dtypes are a matter of ``sweep`` alone.
"""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import diffcompare as dc
from diffcompare.certify.higher import certified_derivatives
from diffcompare.numeric.stencils import stencil

from .draws import DERIVATIVES, NAMES, UNEVEN

# half of the functions have corners: their boxes do without them
comparisons = st.one_of(
    dc.testing.comparisons(schemes=NAMES),
    dc.testing.comparisons(schemes=NAMES, operations=["abs", "max", "min", "sqrt", "exp", "multiply", "subtract"]),
)


def numerical(f, point, i, h, scheme):
    """Differentiate by the code for any callable."""
    if scheme.derivative == 1:
        return float(dc.numerical_gradient(f, point, h, scheme=scheme)[i])

    def along(t):
        return float(f([t if j == i else x for j, x in enumerate(point)]))

    return float(dc.numerical_diff(along, point[i], h, scheme=scheme))


def certified(f, point, i, derivative):
    return certified_derivatives(f, point, [i], derivative, bits=160)[0]


def check(case, scheme, counts: Counter[str], *, difference, derivative) -> None:
    f, point, h = case.function, list(case.point), case.h
    table = dc.sweep(f, [point], steps=[h], schemes=scheme).set_index("variable")
    for i, variable in enumerate(f.variables):
        row = table.loc[variable]
        numeric, partial = difference(f, point, i, h, scheme), derivative(f, point, i, scheme.derivative)
        if partial.status != "ok" or np.isnan(row["bound"]):
            counts["without a bound"] += 1
            continue
        counts["bounded"] += 1
        error = abs(Fraction(numeric) - Fraction(partial.value) - Fraction(partial.tail))
        assert error <= Fraction(float(row["bound"])) + Fraction(partial.slack), (
            f"{scheme.name} difference of {f.formula} in {variable} at {point}, h={h}, derivative "
            f"{scheme.derivative}: error {float(error)} exceeds the bound {row['bound']}"
        )
        counts["other than in the table"] += numeric != row["numeric"]


def run(examples: int, *, shrink: bool = True, **sides) -> Counter[str]:
    counts: Counter[str] = Counter()

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(comparisons, st.sampled_from(DERIVATIVES), st.sampled_from([None, None, None, *UNEVEN]))
    def law(case, derivative, offsets) -> None:
        uneven = offsets is not None and len(offsets) > derivative
        scheme = dc.Stencil(offsets, derivative) if uneven else stencil(case.scheme, derivative)
        counts[f"derivative {derivative}"] += 1
        check(case, scheme, counts, **sides)

    law()
    return counts


@pytest.mark.thorough
def test_differences_stay_within_the_proven_bound():
    counts = run(120, difference=numerical, derivative=certified)
    assert counts["bounded"] > 150
    assert counts["other than in the table"] == 0
    assert counts["without a bound"] < 0.2 * (counts["bounded"] + counts["without a bound"])
    assert min(counts[f"derivative {q}"] for q in DERIVATIVES) > 20


@pytest.mark.thorough
def test_the_complex_step_is_that_of_the_table():
    smooth = dc.testing.comparisons(operations=["exp", "sin", "cos", "multiply", "add", "divide", "tanh"])

    @settings(max_examples=40, derandomize=True, database=None, deadline=None)
    @given(smooth)
    def law(case) -> None:
        f, point, h = case.function, list(case.point), case.h
        table = dc.sweep(f, [point], steps=[h], schemes="complex")
        assert table["numeric"].tolist() == dc.numerical_gradient(f, point, h, scheme="complex").tolist()

    law()


def _twice(f, point, i, h, scheme):
    return 2 * numerical(f, point, i, h, scheme)


def _to_the_other_side(f, point, i, h, scheme):
    # f(x − h) where f(x + h) is meant
    mirrored = dc.Stencil([-o for o in scheme.offsets], scheme.derivative)
    return numerical(f, point, i, h, mirrored)


def _derivative_of_the_next_order(f, point, i, derivative):
    return certified(f, point, i, derivative + 1)


def _sine_with_the_wrong_sign(f, point, i, derivative):
    wrong = dc.parse(f.formula.replace("sin(", "(-1)*sin(").replace("a(-1)*sin(", "asin("), variables=f.variables)
    return certified(wrong, point, i, derivative)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "sides",
    [
        {"difference": _twice, "derivative": certified},
        {"difference": _to_the_other_side, "derivative": certified},
        {"difference": numerical, "derivative": _derivative_of_the_next_order},
        {"difference": numerical, "derivative": _sine_with_the_wrong_sign},
    ],
    ids=["twice the difference", "f(x - h) for f(x + h)", "the next derivative", "sine with the wrong sign"],
)
def test_a_wrong_twin_is_caught(sides):
    with pytest.raises(AssertionError, match="exceeds the bound"):
        run(300, shrink=False, **sides)


def test_the_bound_is_not_idle():
    """On sin at 1 the bound is within a hundredth of the error where truncation dominates."""
    (row,) = dc.sweep(dc.parse("sin(x)"), 1.0, schemes="central", steps=[1e-2]).itertuples()
    assert row.abs_error <= row.bound <= 1.01 * row.abs_error
