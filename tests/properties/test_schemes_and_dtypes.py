"""Every scheme, order of derivative and dtype: the parts are those of their definitions, and no bound is exceeded.

    python -m pytest tests/properties/test_schemes_and_dtypes.py
    DIFFCOMPARE_PROFILE=large python -m pytest tests/properties/test_schemes_and_dtypes.py

print the figures. What is compared with is computed here by other means: f and its derivatives by SymPy, in mpmath at
1,500 bits and more; abscissae, weighted sum and quotient by NumPy numbers, one operation after another, with weights
that are solved for (Vandermonde) and not taken from the recursion.
"""

import math
import os
import random
from collections import Counter
from fractions import Fraction
from functools import cache

import mpmath
import numpy as np
import pytest
import sympy

import diffcompare as dc
from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.numeric.stencils import stencil

LARGE = os.environ.get("DIFFCOMPARE_PROFILE") == "large"
SPLIT_ROWS, BOUND_ROWS = (20_000, 200_000) if LARGE else (400, 4_000)
PARTS = ["truncation", "abscissa", "evaluation", "subtraction", "division"]
BITS = {"float16": 11, "float32": 24, "float64": 53}

FUNCTIONS = [
    "exp(x)/(sin(x)**3 + cos(x)**3)",
    "sin(x)*exp(x/2)",
    "x**3 - 2*x + 0.1",
    "0.1*x**7 - x**2/3",
    "1/(1 + x**2)",
    "log(2 + cos(x))",
    "sqrt(5 + x)*x",
    "tanh(x)**2",
    "atan2(x, 2)",
    "exp(-x**2)",
    "cosh(x) - 1",
    "(x - 0.3)**5",
    "asinh(3*x) + x",
    "2*x - 7/3",
    "x**2.5 + 3",
    "exp2(x)/3",
]
NAMES = ["forward", "backward", "central", "forward2", "backward3", "central4", "central6", "forward5"]
OFFSETS = [
    [0, 1, 3],
    [-1, 0, 2.5],
    [Fraction(-1, 3), Fraction(1, 7), 1, 2],
    [0.1, -0.3, 0.7],
    range(-3, 4),
    [-2, -1, 1],
]


def draw_scheme(rng: random.Random, derivative: int) -> dc.Stencil:
    if rng.random() < 0.7:
        return stencil(rng.choice(NAMES), derivative)
    return dc.Stencil(rng.choice([o for o in OFFSETS if len(o) > derivative] or [range(-3, 4)]), derivative)


def draw_steps(rng: random.Random, dtype: str) -> list[float]:
    low = {"float16": 4, "float32": 8, "float64": 16}[dtype]
    found = [10.0 ** -rng.uniform(0.5, low) for _ in range(6)] + [2.0 ** -rng.randint(1, 3 * low)]
    return [*found, 10.0 ** -rng.randint(1, low + 2)]


def draw(rng: random.Random):
    """Draw a sweep, its formula and its scheme."""
    text, dtype, derivative = rng.choice(FUNCTIONS), rng.choice(list(BITS)), rng.choice([1, 1, 2, 2, 3, 4])
    scheme = draw_scheme(rng, derivative)
    x = rng.choice([rng.uniform(0.2, 3), float(rng.randint(1, 3)), 2.0 ** -rng.randint(0, 3), 0.1])
    f = dc.parse(text, variables=["x"])
    return text, scheme, dc.sweep(f, x, schemes=[scheme], steps=draw_steps(rng, dtype), dtype=dtype)


@cache
def expression(text: str, order: int):
    """Return the derivative of a formula as a function of mpmath numbers, by SymPy."""
    f = dc.parse(text, variables=["x"])
    x = next(iter(f.expr.free_symbols))
    return sympy.lambdify(x, sympy.diff(f.expr, x, order), "mpmath")


@cache
def solved_weights(scheme: dc.Stencil) -> list[Fraction]:
    """Solve Σ c_j·o_jⁿ = q!·[n = q], n < number of offsets, in fractions."""
    size = len(scheme.offsets)
    matrix = sympy.Matrix(size, size, lambda n, j: sympy.Rational(scheme.offsets[j]) ** n)
    right = sympy.Matrix(size, 1, lambda n, _: math.factorial(n) if n == scheme.derivative else 0)
    return [Fraction(int(c.p), int(c.q)) for c in matrix.LUsolve(right)]


def fraction(value) -> Fraction:
    sign, mantissa, exponent, _ = mpmath.mpf(value)._mpf_
    return (-1) ** sign * int(mantissa) * Fraction(2) ** exponent


def true_value(text: str, order: int, x: Fraction, bits: int) -> Fraction:
    with mpmath.workprec(bits):
        return fraction(expression(text, order)(mpmath.mpf(x.numerator) / x.denominator))


def abscissa(kind, x, offset: Fraction, h):
    with np.errstate(all="ignore"):
        if abs(offset) in (0, 1):
            return x if not offset else x + h if offset > 0 else x - h
        return x + kind(offset.numerator) / kind(offset.denominator) * h


def true_parts(text: str, scheme: dc.Stencil, row) -> tuple[list[Fraction], float]:
    """Return T, A, E, S, Q, and the quotient, all from their definitions."""
    kind, q = np.dtype(row.dtype).type, scheme.derivative
    x, h = kind(float(row.point.removeprefix("x="))), kind(row.h)
    f = compile_numpy(dc.parse(text, variables=["x"]).program, row.dtype)
    weights = solved_weights(scheme)
    reached = [abscissa(kind, x, o, h) for o in scheme.offsets]
    computed = [f([np.array([a])])[0] for a in reached]
    divisor = math.lcm(*(c.denominator for c in weights))
    whole = max(divisor, *(abs(c * divisor) for c in weights)) <= 2**53
    factors = [c * divisor for c in weights] if whole else weights
    divisor = divisor if whole else 1
    with np.errstate(all="ignore"):
        s = None
        for w, value in zip(factors, computed, strict=True):
            product = kind(w.numerator) / kind(w.denominator) * value
            s = product if s is None else s + product
        below = kind(divisor) * h
        for _ in range(q - 1):
            below = below * h
        numeric = float(s / below)
    bits = 1500 + 12 * abs(math.frexp(row.h)[1])
    nominal = [true_value(text, 0, Fraction(float(x)) + o * Fraction(float(h)), bits) for o in scheme.offsets]
    there = [true_value(text, 0, Fraction(float(a)), bits) for a in reached]
    k, slope = Fraction(float(h)) ** q, true_value(text, q, Fraction(float(x)), bits)
    values = [Fraction(float(value)) for value in computed]

    def total(numbers) -> Fraction:
        return sum((c * n for c, n in zip(weights, numbers, strict=True)), Fraction(0)) / k

    exact_s = Fraction(float(s)) / (divisor * k)
    parts = [total(nominal) - slope, total(there) - total(nominal), total(values) - total(there)]
    return [*parts, exact_s - total(values), Fraction(numeric) - exact_s], numeric


def nearest(value: Fraction) -> float:
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def same(found: float, true: Fraction) -> bool:
    """Tell whether a part is the rounded one; what mpmath cannot tell from 0 is 0."""
    return found == nearest(true) or (found == 0 and abs(true) < Fraction(1, 1 << 1100))


def test_parts_are_those_of_their_definitions(capsys) -> None:
    rng = random.Random("split of every scheme")
    rows, kinds, faults = 0, Counter(), []
    while rows < SPLIT_ROWS:
        text, scheme, table = draw(rng)
        table = table[table["status"].isin(["ok", "h-underflow"]) & (table["h"] > 0)]
        for row in rng.sample(list(table.itertuples()), min(len(table), 3)):
            parts, numeric = true_parts(text, scheme, row)
            rows += 1
            kinds[row.dtype, row.derivative] += 1
            place = f"{text} at {row.point}, {scheme.name}, derivative {row.derivative}, {row.dtype}, h={row.h!r}"
            if row.numeric != numeric:
                faults.append(f"{place}: numeric={row.numeric!r} for {numeric!r}")
            for name, true in zip(PARTS, parts, strict=True):
                if not same(getattr(row, name), true):
                    faults.append(f"{place}: {name}={getattr(row, name)!r} for {nearest(true)!r}")
            for name, true in [
                ("error", sum(parts)),
                ("truncation_bound", parts[0]),
                ("rounding_bound", sum(parts[1:])),
                ("bound", sum(parts)),
            ]:
                value = getattr(row, name)
                if math.isnan(value) or abs(true) < Fraction(1, 1 << 1100):
                    continue
                if value != nearest(true) if name == "error" else abs(true) > Fraction(value):
                    faults.append(f"{place}: {name}={value!r} for {nearest(true)!r}")
    with capsys.disabled():
        print(f"\nsplit of every scheme: {rows} rows in {len(kinds)} pairs of dtype and order, {len(faults)} faults")
    assert len(kinds) == 12
    assert not faults, "\n".join(faults[:20])


def test_no_bound_is_exceeded(capsys) -> None:
    rng = random.Random("bounds of every scheme")
    rows, unbounded, faults = 0, 0, []
    closest: Counter[str] = Counter()
    while rows < BOUND_ROWS:
        text, scheme, table = draw(rng)
        for row in table.itertuples():
            if row.status not in ("ok", "h-underflow") or row.h == 0:
                continue
            rows += 1
            if math.isnan(row.bound):
                unbounded += 1
                continue
            if row.error:
                closest[row.dtype] = max(closest[row.dtype], abs(row.error) / row.bound)
            rest = [Fraction(getattr(row, name)) for name in PARTS[1:]]
            doubt = sum(Fraction(math.ulp(float(part))) for part in rest)
            if (
                abs(row.error) > row.bound
                or abs(row.truncation) > row.truncation_bound
                or abs(sum(rest)) - doubt > Fraction(row.rounding_bound)
            ):
                faults.append(f"{text}, {scheme.name}, {row}")
    with capsys.disabled():
        shares = ", ".join(f"{name} {share:.3g}" for name, share in sorted(closest.items()))
        print(f"\nbounds of every scheme: {rows} rows, {len(faults)} violations, {unbounded} without a bound")
        print(f"largest |error|/bound: {shares}")
    assert not faults, "\n".join(faults[:20])
    assert unbounded < 0.1 * rows
    assert all(share > 0.5 for share in closest.values())


@pytest.mark.parametrize("dtype", BITS)
def test_derivatives_that_a_dtype_holds_exactly(dtype) -> None:
    # x⁴ at 1 with steps that are powers of two: nothing is rounded
    f = dc.parse("x*x*x*x")
    for derivative, true in [(1, 4.0), (2, 12.0), (3, 24.0), (4, 24.0)]:
        row = dc.sweep(f, 1.0, schemes="central4", derivative=derivative, steps=[0.25], dtype=dtype).iloc[0]
        assert (row["exact"], row["dtype"], row["derivative"], row["order"]) == (true, dtype, derivative, 4)
        assert row["truncation"] == 0.0
