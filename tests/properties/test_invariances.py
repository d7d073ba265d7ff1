"""Rows of one function against those of another: scaling, reflection, shifts, sums, in every dtype, scheme and order.

python -m pytest tests/properties/test_invariances.py
"""

import math
import os
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffcompare as dc
from diffcompare.numeric.stencils import stencil

from .draws import DERIVATIVES, DTYPES, NAMES, UNEVEN
from .truth import PARTS

LARGE = os.environ.get("DIFFCOMPARE_PROFILE") == "large"
laws = settings(max_examples=400 if LARGE else 20, deadline=None, derandomize=True, database=None)

FUNCTIONS = ["sin(x)*exp(x/2)", "x**3 - 2*x + 0.1", "1/(1 + x**2)", "log(2 + cos(x))", "sqrt(5 + x)*x", "tanh(x)**2"]
FUNCTIONS += ["(1 - cos(x))/x", "hypot(x, 3.7)", "x**5/3", "atan2(x, 2)", "exp(-x**2)", "erf(x)*x", "floor(x) + x"]
# with corners, and with values that cancel
FUNCTIONS += ["abs(x)**3 + x", "max(x, sin(x)) + x**2", "where(x < 1, x**2, 2*x - 1)", "(x + 1024) - 1024", "cbrt(x)"]
NUMBERS = ["numeric", "exact", "error", *PARTS]
BOUNDS = ["bound", "truncation_bound", "rounding_bound"]
# one node more, which rounds nothing but an underflow, widens a radius of 30 bits in its last place
WIDER = 1 + 2.0**-20
# what a dtype holds exactly, after a scaling or a shift too: digits of x after the point, exponents of h, powers of two
ROOM = {"float64": (18, 40, 60), "float32": (10, 9, 8), "float16": (4, 3, 1)}


@dataclass(frozen=True)
class Case:
    text: str
    x: float
    h: float
    scheme: dc.Stencil
    dtype: str
    k: int

    @property
    def q(self) -> int:
        return self.scheme.derivative

    def row(self, text: str | None = None, scale: float = 1.0, *, scheme: Any = None, shift: float = 0.0) -> dict:
        """Return the row, of another function at another place where told."""
        f = dc.parse(self.text if text is None else text, variables=["x"])
        x, h = self.x * scale + shift, self.h * abs(scale)
        return dc.sweep(f, x, steps=[h], schemes=scheme or self.scheme, dtype=self.dtype).iloc[0].to_dict()

    def replaced(self, inner: str) -> str:
        """Put something in the place of the variable x, and of no letter of a name."""
        return "".join(inner if token == "x" else token for token in re.split(r"(\w+)", self.text))


@st.composite
def cases(draw: st.DrawFn, *, whole: bool = False) -> Case:
    dtype, derivative = draw(st.sampled_from(DTYPES)), draw(st.sampled_from(DERIVATIVES))
    digits, exponents, powers = ROOM[dtype]
    named = st.sampled_from(NAMES).map(lambda name: stencil(name, derivative))
    uneven = st.sampled_from([offsets for offsets in UNEVEN if len(offsets) > derivative])
    scheme = draw(named if whole else named | uneven.map(lambda offsets: dc.Stencil(offsets, derivative)))
    return Case(
        draw(st.sampled_from(FUNCTIONS)),
        draw(st.integers(-4 * 2**digits, 4 * 2**digits).filter(bool)) / 2**digits,
        2.0 ** -draw(st.integers(1, exponents // (derivative if dtype == "float64" else 1))),
        scheme,
        dtype,
        draw(st.integers(-powers, powers)),
    )


def agree(one: float, other: float, factor: float = 1.0) -> bool:
    return one == factor * other or (math.isnan(one) and math.isnan(other))


def near(one: float, other: float, factor: float = 1.0) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one <= factor * other * WIDER and factor * other <= one * WIDER


def assert_scaled(row: dict, other: dict, factor: float, dtype: str) -> None:
    tiny = float(np.finfo(dtype).tiny) * 2.0**12
    if any(0 < abs(r["numeric"]) < tiny for r in (row, other)) or not math.isfinite(other["numeric"]):
        # what underflows in the dtype, or overflows, is rounded otherwise
        return
    assert row["status"] == other["status"]
    for name in NUMBERS:
        assert agree(other[name], row[name], factor), name
    # least subnormals enter bounds, and are no matter in binary64 alone
    for name in BOUNDS if dtype == "float64" else ():
        assert near(other[name], row[name], factor), name


def power(k: int) -> str:
    return f"2**{k}" if k >= 0 else f"2**({k})"


@pytest.mark.thorough
@laws
@given(cases())
def test_scaling_the_variable_by_a_power_of_two_scales_the_row(case: Case) -> None:
    other = case.row(case.replaced(f"({power(case.k)}*x)"), 2.0**-case.k)
    assert_scaled(case.row(), other, 2.0 ** (case.k * case.q), case.dtype)


@pytest.mark.thorough
@laws
@given(cases())
def test_scaling_the_function_by_a_power_of_two_scales_the_row(case: Case) -> None:
    assert_scaled(case.row(), case.row(f"({case.text})*{power(case.k)}"), 2.0**case.k, case.dtype)


@pytest.mark.thorough
@laws
@given(cases())
def test_reflection_exchanges_the_sides(case: Case) -> None:
    mirrored = dc.Stencil([-o for o in case.scheme.offsets], case.q)
    row, other = case.row(), case.row(case.replaced("(-x)"), -1.0, scheme=mirrored)
    # weighted sums of more than two values are added in the other order
    names = NUMBERS if case.scheme.is_difference else ["exact", "truncation", "abscissa"]
    if row["status"] == other["status"] == "ok":
        for name in names:
            assert agree(other[name], row[name], (-1.0) ** case.q), name
        assert near(other["truncation_bound"], row["truncation_bound"])
    else:
        assert "domain" not in (row["status"], other["status"]) or row["status"] == other["status"]


@pytest.mark.thorough
@laws
@given(cases(whole=True), st.integers(-8, 8))
def test_an_exact_shift_changes_no_value(case: Case, shift: int) -> None:
    # every sum is exact: a few bits before the point, and those of x and h after it
    row, other = case.row(), case.row(case.replaced(f"(x + ({shift}))"), shift=-shift)
    for name in NUMBERS:
        assert agree(other[name], row[name]), name
    assert near(other["truncation_bound"], row["truncation_bound"])
    # the sum is exact, but that is not seen everywhere
    assert not other["rounding_bound"] < row["rounding_bound"] / WIDER


@pytest.mark.thorough
@laws
@given(cases(), st.sampled_from(FUNCTIONS))
def test_truncation_and_abscissa_error_of_a_sum_are_sums(case: Case, two: str) -> None:
    a, b, total = case.row(), case.row(two), case.row(f"({case.text}) + ({two})")
    if {a["status"], b["status"], total["status"]} <= {"ok", "h-underflow"}:
        for name in ("truncation", "abscissa"):
            parts = [total[name], a[name], b[name]]
            gap = Fraction(parts[0]) - Fraction(parts[1]) - Fraction(parts[2])
            assert abs(gap) <= sum(Fraction(math.ulp(part)) for part in parts) / 2, name


@pytest.mark.thorough
@laws
@given(cases())
def test_only_the_sign_of_a_function_changes_the_signs_of_its_row(case: Case) -> None:
    row, other = case.row(), case.row(f"-({case.text})")
    for name in NUMBERS:
        assert agree(other[name], row[name], -1.0), name
    for name in BOUNDS:
        assert agree(other[name], row[name]), name
