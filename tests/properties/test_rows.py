"""Every row of a table of errors, whatever the dtype, scheme, derivative and function: each number is what it claims.

    python -m pytest -s tests/properties/test_rows.py
    DIFFCOMPARE_PROFILE=large python -m pytest -s tests/properties/test_rows.py

print the figures: rows, faults, the share without a bound, and the median of bound/|error| where truncation dominates
(|T| ≥ 10·|error − T|) and where rounding does (|error − T| ≥ 10·|T|).
The large profile has ten times the rows.
"""

import math
import os
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import cycle, product
from statistics import median

import numpy as np
import pytest

import diffcompare as dc

from ..stated import stated  # noqa: TID252 - tests are no package
from .draws import DERIVATIVES, DTYPES, KINDS, Row, Sweep, draw_sweep
from .truth import (
    PARTS,
    PRECISIONS,
    OutsideError,
    Truth,
    UnknownError,
    computed,
    is_rounded,
    nearest,
    true_complex_parts,
    true_parts,
)

LARGE = os.environ.get("DIFFCOMPARE_PROFILE") == "large"
# of each kind of function: rows that are recomputed, and rows whose bounds are looked at
EXACT_ROWS, BOUND_ROWS = (360, 3000) if LARGE else (36, 300)


# --- the numbers of a row -----------------------------------------------------------------------------------------


def faults_of_row(row: Row, truths: dict[str, Truth]) -> list[str] | None:
    """List what is wrong with a row by the definitions; None where they do not tell."""
    faults: list[str] | None = None
    for precision in PRECISIONS:
        key = f"{row.point} {precision}"
        if key not in truths:
            program = row.sweep.f.program
            truths[key] = Truth(program, row.coordinates, row.sweep.f.variables.index(row.variable), precision)
        try:
            faults = _faults(row, truths[key])
        except UnknownError:
            faults = None
        if faults == []:
            break
    return faults


def _faults(row: Row, truth: Truth) -> list[str]:
    program, direction = row.sweep.f.program, row.sweep.f.variables.index(row.variable)
    truth_status = truth.status(row.derivative)
    named = row.status if math.isnan(row.exact) else "ok"
    if row.scheme == "complex":
        return _faults_of_complex(row, truth, truth_status)
    scheme = row.sweep.schemes[row.scheme]
    if row.h == 0:
        return [] if (row.status, math.isnan(row.numeric)) == ("h-underflow", True) or named != "ok" else ["h = 0"]
    did = computed(program, row.coordinates, direction, scheme, row.h, row.dtype)
    faults = [] if row.numeric == did.quotient or _both_nan(row.numeric, did.quotient) else [f"numeric={row.numeric!r}"]
    if named not in (truth_status, "undecided"):
        faults.append(f"status={row.status!r} for {truth_status!r}")
    if truth_status != "ok" or math.isnan(row.exact):
        return faults
    if not is_rounded(row.exact, truth.derivative(row.derivative)):
        faults.append(f"exact={row.exact!r} for {nearest(truth.derivative(row.derivative))!r}")
    x = Fraction(row.coordinates[direction])
    try:
        for t in [x + o * Fraction(row.h) for o in scheme.offsets] + [
            Fraction(float(a)) for a in did.reached if math.isfinite(a)
        ]:
            truth.value(t)
        expected = "nonfinite" if not did.finite else "h-underflow" if did.collapsed else "ok"
    except OutsideError:
        expected = "domain"
    if row.status not in (expected, "undecided"):
        faults.append(f"status={row.status!r} for {expected!r}")
    if row.status not in ("ok", "h-underflow") or not math.isfinite(row.exact):
        return faults
    return faults + _faults_of_parts(row, true_parts(truth, scheme, row.h, did), truth.derivative(row.derivative))


def _faults_of_complex(row: Row, truth: Truth, truth_status: str) -> list[str]:
    if row.status == "nonfinite" or not math.isfinite(row.exact):
        return [] if row.status in (truth_status, "undecided", "nonfinite") else [f"status={row.status!r}"]
    i = truth.direction
    z = np.array([row.coordinates], dtype=np.complex128)
    z[0, i] += 1j * row.h
    imaginary = float(row.sweep.f.complex_values(z)[0].imag)
    faults = [] if row.numeric == imaginary / row.h else [f"numeric={row.numeric!r} for {imaginary / row.h!r}"]
    parts = true_complex_parts(truth, row.h, imaginary, row.numeric)
    return faults + _faults_of_parts(row, parts, truth.derivative(1))


def _faults_of_parts(row: Row, parts: list[Fraction], slope: Fraction) -> list[str]:
    error = Fraction(row.numeric) - slope
    faults = [] if sum(parts) == error else ["the parts do not sum to the error"]
    numbers = dict(zip(PARTS, parts, strict=True)) | {"error": error, "abs_error": abs(error)}
    if slope and abs(slope) > Fraction(1, 1 << 1100):
        numbers["rel_error"] = abs(error / slope)
    for name, true in numbers.items():
        found = row.cells[name]
        if math.isnan(found):
            faults.append(f"{name} is undecided")
        elif not is_rounded(found, true):
            faults.append(f"{name}={found!r} for {nearest(true)!r}")
    limits = {"truncation_bound": parts[0], "rounding_bound": error - parts[0], "bound": error}
    for name, true in limits.items():
        bound = row.cells[name]
        if not math.isnan(bound) and abs(true) > Fraction(bound) + Fraction(1, 1 << 1100):
            faults.append(f"{name}={bound!r} < {abs(nearest(true))!r}")
    if row.bound_source != ("" if math.isnan(row.bound) else "proven"):
        faults.append(f"bound_source={row.bound_source!r}")
    return faults


def _both_nan(one: float, other: float) -> bool:
    return math.isnan(one) and math.isnan(other)


def summary(faults: list[str]) -> str:
    """Return a few faults of each kind."""
    kinds: dict[str, list[str]] = {}
    for fault in faults:
        kinds.setdefault(re.sub(r"=.*", "", fault.split(": ")[-1]), []).append(fault)
    return "\n".join(f"{kind} ({len(found)})\n  " + "\n  ".join(found[:8]) for kind, found in kinds.items())


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_that_of_its_definition(kind: str, capsys) -> None:
    rng = random.Random(f"definitions {kind}")
    rows, unknown, faults, met = 0, 0, [], Counter()
    for dtype, derivative in cycle(product(DTYPES, DERIVATIVES)):
        if rows >= EXACT_ROWS:
            break
        sweep = draw_sweep(rng, kind, dtype, derivative, faults)
        if sweep is None:
            continue
        every, truths = list(sweep.rows()), {}
        for row in rng.sample(every, min(len(every), 4)):
            wrong = faults_of_row(row, truths)
            if wrong is None:
                unknown += 1
                continue
            rows += 1
            met[row.dtype, row.derivative] += 1
            met[row.status] += 1
            faults += [f"{row}: {fault}" for fault in wrong]
    with capsys.disabled():
        print(f"\n{kind} functions by definition: {rows} rows, {len(faults)} faults, {unknown} not known; {dict(met)}")
    assert not faults, summary(faults)
    if not LARGE:
        assert (
            stated("numbers of a row")
            == f"{EXACT_ROWS} rows and more of each of {len(KINDS)} kinds of function: 0 faults"
        )


# --- bounds ------------------------------------------------------------------------------------------------------


def exceeds(row: Row) -> list[str]:
    """List the bounds that are certainly exceeded, judged by the rounded parts of the row."""
    found = []
    if abs(row.error) > row.bound:
        found.append(f"bound={row.bound!r} < |error|={abs(row.error)!r}")
    if abs(row.truncation) > row.truncation_bound:
        found.append(f"truncation_bound={row.truncation_bound!r} < |T|={abs(row.truncation)!r}")
    rest = [row.cells[name] for name in PARTS[1:]]
    if not any(math.isnan(part) or math.isinf(part) for part in rest):
        total, doubt = sum(map(Fraction, rest)), sum(Fraction(math.ulp(part)) / 2 for part in rest)
        if not math.isnan(row.rounding_bound) and abs(total) - doubt > Fraction(row.rounding_bound):
            found.append(f"rounding_bound={row.rounding_bound!r} < |error - T|={nearest(abs(total))!r}")
    if row.within_bound is not (None if math.isnan(row.bound) else row.abs_error <= row.bound) and not (
        math.isnan(row.bound) and row.within_bound is not True and row.within_bound is not False
    ):
        found.append(f"within_bound={row.within_bound!r}")
    return found


def judged(sweep: Sweep | None) -> list[Row]:
    """Keep the rows that may have a bound: a finite derivative and a finite quotient, in the domain."""
    return [
        row
        for row in (sweep.rows() if sweep is not None else ())
        if row.status in ("ok", "h-underflow")
        and row.scheme != "complex"
        and math.isfinite(row.exact)
        and math.isfinite(row.numeric)
    ]


@dataclass
class Figures:
    rows: int = 0
    unbounded: int = 0
    violations: list[str] = field(default_factory=list)
    truncating: list[float] = field(default_factory=list)
    rounding: list[float] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.rows += 1
        if math.isnan(row.bound):
            self.unbounded += 1
            return
        self.violations += [f"{row}: {found}" for found in exceeds(row)]
        rest = sum(row.cells[name] for name in PARTS[1:])
        if row.error and math.isfinite(row.error):
            if abs(row.truncation) >= 10 * abs(rest):
                self.truncating.append(row.bound / abs(row.error))
            elif abs(rest) >= 10 * abs(row.truncation):
                self.rounding.append(row.bound / abs(row.error))

    def __str__(self) -> str:
        middle = [f"{median(ratios):.3g}" if ratios else "-" for ratios in (self.truncating, self.rounding)]
        return (
            f"{self.rows} rows, {len(self.violations)} violations, {self.unbounded / max(self.rows, 1):.1%} without "
            f"bound; median bound/|error| {middle[0]} where truncation dominates ({len(self.truncating)} rows), "
            f"{middle[1]} where rounding does ({len(self.rounding)} rows)"
        )


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_no_bound_is_exceeded(kind: str, capsys) -> None:
    rng = random.Random(f"bounds {kind}")
    figures = Figures()
    met: Counter[tuple[str, int]] = Counter()
    for dtype, derivative in cycle(product(DTYPES, DERIVATIVES)):
        if figures.rows >= BOUND_ROWS and len(met) == len(DTYPES) * len(DERIVATIVES):
            break
        sweep = draw_sweep(rng, kind, dtype, derivative, figures.violations)
        for row in judged(sweep):
            figures.add(row)
            met[row.dtype, row.derivative] += 1
    with capsys.disabled():
        print(f"\nbounds of {kind} functions: {figures}")
    assert not figures.violations, summary(figures.violations)
    assert figures.unbounded < figures.rows
    assert figures.rows >= BOUND_ROWS
    if not LARGE:
        assert (
            stated("bounds hold")
            == f"{BOUND_ROWS} rows and more of each of {len(KINDS)} kinds of function: 0 violations"
        )


def test_the_bounds_are_close(capsys) -> None:
    rng = random.Random("close bounds")
    figures = Figures()
    while figures.rows < 2 * BOUND_ROWS:
        sweep = draw_sweep(
            rng, "ordinary", "float64", 1, figures.violations, schemes=["forward", "backward", "central"]
        )
        for row in judged(sweep):
            figures.add(row)
    with capsys.disabled():
        print(f"\nbounds of the three schemes in binary64: {figures}")
    assert not figures.violations, summary(figures.violations)
    assert median(figures.truncating) <= 1.1
    assert median(figures.rounding) <= 10
    assert stated("bounds are close") == (
        f"median of bound/|error|: {median(figures.truncating):.0f} where truncation dominates, "
        f"{median(figures.rounding):.0f} where rounding does; less than 1 % of the rows have no bound"
    )
    assert figures.unbounded < 0.01 * figures.rows


@pytest.mark.parametrize("dtype", DTYPES)
def test_derivatives_that_a_dtype_holds_exactly(dtype: str) -> None:
    # x⁴ at 1 with steps that are powers of two: nothing is rounded
    f = dc.parse("x*x*x*x")
    for derivative, true in [(1, 4.0), (2, 12.0), (3, 24.0), (4, 24.0)]:
        row = dc.sweep(f, 1.0, schemes="central4", derivative=derivative, steps=[0.25], dtype=dtype).iloc[0]
        assert (row["exact"], row["dtype"], row["derivative"], row["order"]) == (true, dtype, derivative, 4)
        assert row["truncation"] == 0.0
