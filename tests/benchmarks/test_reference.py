"""What a certified gradient costs a point: against the same derivative written by hand in balls, and SymPy's evalf.

Run with ``pytest tests/benchmarks -m benchmark -s``. Times are printed, never asserted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np
import pytest
import sympy
from flint import arb

import diffcompare as dc
from diffcompare.certify.reference import POINT_BITS

from .timing import median_seconds, print_table, written

pytestmark = pytest.mark.benchmark

POINTS = 50


def named(point: Sequence[float]) -> list[arb]:
    (x,) = map(arb, point)
    e, s, c = x.exp(), x.sin(), x.cos()
    bottom = s**3 + c**3
    return [e * (bottom - 3 * s * s * c + 3 * c * c * s) / (bottom * bottom)]


def rosenbrock(point: Sequence[float]) -> list[arb]:
    x = list(map(arb, point))
    slopes = [arb(0) for _ in x]
    for k in range(len(x) - 1):
        rise = x[k + 1] - x[k] * x[k]
        slopes[k] += -400 * x[k] * rise - 2 * (1 - x[k])
        slopes[k + 1] += 200 * rise
    return slopes


def softmax_loss(point: Sequence[float]) -> list[arb]:
    """-log of the third softmax output of a layer of 2 × 3 weights: the inputs times (softmax − target)."""
    w = list(map(arb, point))
    inputs = (arb(flint.fmpq(6, 10)), arb(flint.fmpq(9, 10)))
    powers = [(inputs[0] * w[k] + inputs[1] * w[3 + k]).exp() for k in range(3)]
    total = powers[0] + powers[1] + powers[2]
    rest = [power / total for power in powers]
    rest[2] -= 1
    return [value * slope for value in inputs for slope in rest]


def rosenbrock_text(n: int) -> str:
    return " + ".join(f"100*(x{k + 1} - x{k}**2)**2 + (1 - x{k})**2" for k in range(n - 1))


SCORES = [f"exp(0.6*w0{k} + 0.9*w1{k})" for k in range(3)]


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    text: str
    by_hand: Callable[[Sequence[float]], list[arb]]
    low: float
    high: float


CASES = [
    Case("exp(x)/(sin(x)**3 + cos(x)**3)", "exp(x)/(sin(x)**3 + cos(x)**3)", named, 0.3, 2.0),
    Case("Rosenbrock, 2 variables", rosenbrock_text(2), rosenbrock, -2.0, 2.0),
    Case("Rosenbrock, 10 variables", rosenbrock_text(10), rosenbrock, -2.0, 2.0),
    Case("softmax cross-entropy, 6 weights", f"-log({SCORES[2]}/({' + '.join(SCORES)}))", softmax_loss, -1.0, 1.0),
]


def test_a_certified_gradient_against_balls_by_hand_and_evalf() -> None:
    rows = []
    for case in CASES:
        f = dc.parse(case.text)
        n = len(f.variables)
        points = np.random.default_rng(1).uniform(case.low, case.high, (POINTS, n)).tolist()
        symbols = [sympy.Symbol(name) for name in f.variables]
        expression = sympy.sympify(case.text, rational=True)
        built = [sympy.diff(expression, symbol) for symbol in symbols]

        def certified(f: Any = f, points: Any = points) -> list[Any]:
            return [dc.certified_gradient(f, point) for point in points]

        def by_hand(case: Case = case, points: Any = points) -> list[list[float]]:
            before = flint.ctx.prec
            flint.ctx.prec = POINT_BITS
            try:
                return [[float(value) for value in case.by_hand(point)] for point in points]
            finally:
                flint.ctx.prec = before

        def evalf(built: Any = built, symbols: Any = symbols, points: Any = points[:10]) -> list[list[float]]:
            return [
                [float(d.evalf(30, subs=dict(zip(symbols, map(sympy.Float, point), strict=True)))) for d in built]
                for point in points
            ]

        # all three must be about the same derivative
        ours, others, theirs = certified(), by_hand(), evalf()
        assert all(reference.status == ["ok"] * n for reference in ours)
        assert [reference.value.tolist() for reference in ours] == others
        assert others[: len(theirs)] == theirs
        a, b = (seconds / POINTS for seconds in median_seconds(certified, by_hand, repeat=9))
        c = median_seconds(evalf, repeat=3)[0] / len(theirs)
        rows.append((case.name, written(a), written(b), f"{a / b:.1f}", written(c), f"{c / a:.0f}"))
    print_table(
        f"certified gradient per point, {POINT_BITS} bits",
        ("", "certified", "balls by hand", "× by hand", "evalf(30)", "× faster than evalf"),
        rows,
    )


def test_the_first_gradient_of_a_formula() -> None:
    """Reading, differentiating by both routes and compiling, once for each formula."""
    rows = []
    for case in CASES:
        point = [0.5] * len(dc.parse(case.text).variables)
        read, first = median_seconds(
            lambda case=case: dc.parse(case.text),
            lambda case=case, point=point: dc.certified_gradient(dc.parse(case.text), point),
            repeat=5,
        )
        rows.append((case.name, written(read), written(first)))
    print_table("once for each formula", ("", "reading", "reading and first gradient"), rows)
