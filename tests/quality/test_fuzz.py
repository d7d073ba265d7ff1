"""Drawn pairs of a function and a gradient: no false word, no exception.

This is the thin form, sixty pairs. ``python -m tests.quality.fuzz --count 2000 --jobs 2`` judges 2,000, each in
three settings; ``--count 100000 --thin`` is for a night.
"""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from diffcompare.program.operations import OPERATIONS

from ..stated import stated  # noqa: TID252 - tests are no package
from .fuzz import array_operations, functions, operations
from .fuzz.drawing import draw
from .fuzz.functions import NUMPY, Function
from .fuzz.judging import SETTINGS, judge
from .fuzz.namespaces import LIMITS, compiled, namespace
from .fuzz.reals import Real, TruthUnknownError, as_real, run
from .fuzz.referee import Seen, faults_of
from .fuzz.truth import Component, Truth, truth_of

_PAIRS, _CHUNKS = 6, 10
HEAD = "import math\nimport numpy as np\nimport scipy.special as sc\n"


def found(f: str, gradient: str, x: list[float]) -> list[Component]:
    source = f"{HEAD}\ndef f(x):\n    return {f}\n\ndef gradient(x):\n    return {gradient}\n"
    return list(truth_of(source, x).components)


@pytest.mark.parametrize(
    ("f", "x", "kind", "D"),
    [
        ("np.sqrt(x[0]) if x[0] > 0 else 0.0", 0.0, "kink", math.nan),
        ("1/x[0] if x[0] > 0 else 0.0", 0.0, "jump", math.nan),
        ("np.where(x[0] > 0, x[0]*np.log(x[0]), 0)", 0.0, "kink", math.nan),
        ("sc.xlogy(x[0], x[0])", 0.0, "domain", math.nan),
        ("sc.xlogy(x[0], 2.0)", 0.0, "smooth", math.log(2)),
        ("x[0]**1.5 if x[0] > 0 else 0.0", 0.0, "smooth", 0.0),
        ("x[0]**1.1 if x[0] > 0 else 0.0", 0.0, "rough", 0.0),
        ("x[0]**1.5", 0.0, "domain", math.nan),
        ("x[0]*np.abs(x[0])", 0.0, "smooth", 0.0),
        ("1e-30*np.abs(x[0]) + x[0]", 0.0, "kink", math.nan),
        ("np.sign(x[0] - 1) + x[0]", 1.0, "jump", math.nan),
        ("3e-90*np.sign(x[0]) + np.exp(x[0])", 0.0, "jump", math.nan),
        ("np.cbrt(x[0])", 0.0, "kink", math.nan),
        ("x[0]*x[0] + np.maximum(x[0] - 1e150, 0.0)", 1e150, "kink", math.nan),
        ("np.sinc(x[0]) % 1.0 + x[0]", 0.0, "jump", math.nan),
        ("np.abs(x[0])**3 - 2.4e-150*x[0]", 0.0, "unknown", math.nan),
        ("np.where(x[0] > 0, x[0]**2*np.log(x[0]), 0)", 0.0, "smooth", 0.0),
        ("np.arctan2(x[0], x[0])", 0.45, "smooth", 0.0),
        ("np.exp(-1/x[0]) if x[0] > 0 else 0.0", 0.0, "smooth", 0.0),
        ("np.minimum(x[0], np.inf)", 2.0, "smooth", 1.0),
        ("np.where(x[0] > 1, np.nan, x[0])", 0.5, "smooth", 1.0),
        ("np.log(x[0])", 0.0, "domain", math.nan),
        ("x[0]**2 + 1e-250", 5e-228, "smooth", 1e-227),
        ("np.max(np.array([x[0], 1 - x[0], 0.6]))", 0.45, "smooth", 0.0),
    ],
)
def test_kinds_of_points_are_told_apart(f: str, x: float, kind: str, D: float) -> None:
    (component,) = found(f, "0*x", [x])
    assert component.kind == kind
    assert float(component.D) == D or math.isnan(D)


def test_what_is_smaller_than_the_digits_of_a_run_is_not_taken_for_0() -> None:
    f, G = "x[0] + x[1]/(x[0] + x[1])", "1/(x[0] + x[1]) - x[1]/(x[0] + x[1])**2"
    component = found(f, f"np.array([0.0, {G}])", [1.0, 1e150])[1]
    assert float(component.D) == float(component.G) == 1e-300


@pytest.mark.parametrize(("x", "hidden"), [(1e150, True), (1.0, False)])
def test_a_branch_that_is_closer_than_the_next_float_is_hidden(x: float, hidden: bool) -> None:
    (component,) = found(f"np.maximum(x[0] - {x!r}, 1.5)", "0*x", [x])
    assert (component.kind, component.hidden) == ("smooth", hidden)


def test_floats_that_decide_otherwise_are_delicate() -> None:
    source = f"{HEAD}\ndef f(x):\n    return np.abs(x[0] + 0.2 - 0.3)\n\ndef gradient(x):\n    return np.sign(x)\n"
    assert truth_of(source, [0.1]).delicate
    assert not truth_of(source, [0.4]).delicate


def _all() -> list[tuple[str, Function]]:
    one = [(name, f) for name, f in [*NUMPY.items(), *functions._SIMPLE.items()]]
    orders = [(f"{name} {n}", make(n)) for name, make in functions.ORDERS.items() for n in (0, 1, 2.5, 3)]
    return [
        *one,
        *orders,
        *((f"polygamma {n}", functions._polygamma(n)) for n in (0, 1, 3)),
        *((f"spherical {n}", functions._spherical(n)) for n in (0, 1, 3)),
        *((f"gammainc {upper}", functions._gammainc(2.5, upper=upper)) for upper in (True, False)),
        *((f"expint {n}", functions._expint(n)) for n in (1, 2, 4)),
        ("hurwitz", functions._hurwitz(3)),
        *((f"lambert {k}", functions._lambert(k)) for k in (0, -1)),
        *((f"legendre {n}", functions._polynomial("legendre", None, n)) for n in (0, 1, 4)),
        *((name, functions._polynomial(name, None, 3)) for name in ("chebyt", "chebyu", "hermite", "laguerre")),
        ("Si", functions._SI),
        ("Ci", functions._CI),
        ("S", functions._FRESNELS),
        ("C", functions._FRESNELC),
        *((f"airy {k}", f) for k, f in enumerate(functions._AIRY)),
        ("sin x/x", functions._SINC),
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "function"), [pytest.param(*row, id=row[0]) for row in _all()])
def test_slopes_of_the_truth_are_slopes(name: str, function: Function) -> None:
    arity = len(inspect.signature(function.partials).parameters) - 1
    seen = 0
    with mp.workdps(60):
        for place in (-2.3, -0.21, 0.37, 0.8, 2.9):
            at = [mpf(place), mpf("1.7")][:arity]
            value = function.value(*at)
            if isinstance(value, mpmath.mpc) or not mpmath.isfinite(value):
                continue
            seen += 1
            h = mpf(10) ** -20
            for i, slope in enumerate(function.partials(value, *at)):
                up, down = ([v + s * h * (k == i) for k, v in enumerate(at)] for s in (1, -1))
                difference = (function.value(*up) - function.value(*down)) / (2 * h)
                assert abs(difference - slope) <= mpf(10) ** -30 * (1 + abs(slope))
    assert seen


@pytest.mark.thorough
@pytest.mark.parametrize("index", range(24))
def test_derivatives_of_the_truth_are_limits_of_differences(index: int) -> None:
    drawn = draw(index, seed=8)
    try:
        truth = truth_of(drawn.source, drawn.x)
    except TruthUnknownError:
        return
    h = mpf(10) ** -250

    def value(i: int, side: int) -> object:
        names = namespace()
        exec(compiled(drawn.source), names)
        names.update({name: rule for name, rule in LIMITS.items() if name in names})
        moved = [mpf(v) + side * h * (k == i) for k, v in enumerate(drawn.x)]
        point = np.array([Real(v, [mpf(0)], s) for v, s in zip(moved, drawn.x, strict=True)], dtype=object)
        return as_real(np.asarray(names["f"](point), dtype=object)[()]).v

    with mp.workdps(600):
        for i, component in enumerate(truth.components):
            if component.kind == "smooth":
                (up, _), (down, _) = (run(lambda i=i, s=s: value(i, s), 600) for s in (1, -1))
                assert abs((up - down) / (2 * h) - component.D) <= mpf(10) ** -20 * abs(component.D) + mpf(10) ** -24


def test_drawing_is_the_same_every_time() -> None:
    assert [draw(k) for k in range(20)] == [draw(k) for k in range(20)]
    assert draw(3, seed=1) != draw(3)


@pytest.mark.thorough
def test_the_whole_table_is_drawn_from() -> None:
    tables = (operations.UNARY, operations.SPECIAL, operations.BINARY)
    arrays = (array_operations.REDUCTIONS, array_operations.REARRANGED)
    left = {o.name for table in (*tables, *arrays) for o in table} | set(operations.LOOPS)
    for k in range(3000):
        left -= set(draw(k).names)
        if not left:
            return
    assert left == set()


_SMOOTH = Component("smooth", mpf(2), (mpf(2), mpf(2)), mpf(2), mpf(0), mpf(0), mpf(0))
_OFF = Component("smooth", mpf(2), (mpf(2), mpf(2)), mpf("2.001"), mpf(0), mpf(0), mpf(0))
_KINK = Component("kink", mpf("nan"), (mpf(-1), mpf(1)), mpf(0), mpf(0), mpf(0), mpf(0))
_DOMAIN = Component("domain", mpf("nan"), (mpf("nan"), mpf("nan")), mpf(0), mpf(0), mpf(0), mpf(0))


@pytest.mark.parametrize(
    ("component", "word", "claimed", "threshold", "false"),
    [
        (_SMOOTH, "consistent", 2.0, 1e-15, False),
        (_SMOOTH, "wrong", 2.0, 1e-15, True),
        (_SMOOTH, "non-smooth", 2.0, 1e-15, True),
        (_SMOOTH, "out-of-domain", 2.0, 1e-15, True),
        (_SMOOTH, "inconclusive", 2.0, 1e-15, False),
        (_SMOOTH, "consistent", 2.0, math.inf, True),
        (_SMOOTH, "consistent", math.nan, 1e-15, True),
        (_SMOOTH, "wrong", math.nan, 1e-15, False),
        (_OFF, "consistent", 2.001, 1e-15, True),
        (_OFF, "consistent", 2.001, 2e-3, False),
        (_OFF, "wrong", 2.001, 1e-15, False),
        (_OFF, "wrong", 2.001, 2e-3, True),
        (_KINK, "consistent", 0.0, 1e-15, True),
        (_KINK, "wrong", 0.0, 1e-15, True),
        (_KINK, "wrong", 5.0, 1e-15, False),
        (_KINK, "non-smooth", 0.0, 1e-15, False),
        (_KINK, "out-of-domain", 0.0, 1e-15, True),
        (_DOMAIN, "out-of-domain", 0.0, 1e-15, False),
        (_DOMAIN, "consistent", 0.0, 1e-15, True),
    ],
)
def test_words_are_held_against_the_truth(
    component: Component, word: str, claimed: float, threshold: float, false: bool
) -> None:
    seen = Seen(
        "traced", 1.0, "identity", (word,), (claimed,), (float(component.D),), (threshold,), threshold, (True,), (1.0,)
    )
    assert bool(faults_of(Truth(mpf(1), (component,), (), False), seen)) is false


def test_a_kink_beside_a_component_has_a_size_too() -> None:
    small = Component("smooth", mpf("5e-13"), (mpf("5e-13"),) * 2, mpf("5.1e-13"), mpf(0), mpf(0), mpf(0))
    seen = Seen("opaque", 1.0, "witness", ("inconclusive", "consistent"), (0.0, 5.1e-13), (math.nan, math.nan),
                (math.inf, 1e-7), 1e-7, (True, True), (1.0, 1.0))  # fmt: skip
    for kind in ("kink", "jump"):
        assert not faults_of(Truth(mpf(1), (replace(_KINK, kind=kind), small), (), False), seen)
    assert faults_of(Truth(mpf(1), (replace(_KINK, kind="domain"), small), (), False), seen)


def test_an_infinite_slope_is_seen_from_outside_as_far_as_it_is_finite_beside_the_point() -> None:
    f, steep = "x[0]*{} + (x[0]*np.log(x[0]) if x[0] > 0 else 0.0)", 1e13
    source = f"{HEAD}\ndef f(x):\n    return {f.format(steep)}\n\ndef gradient(x):\n    return 0*x + {steep}\n"
    truth = truth_of(source, [0.0])
    assert [c.kind for c in truth.components] == ["kink"]

    def faults(threshold: float) -> bool:
        seen = Seen(
            "opaque", 0.0, "witness", ("consistent",), (steep,), (math.nan,), (threshold,), 1.0, (True,), (0.0,)
        )
        return bool(faults_of(truth, seen))

    assert faults(1.0)
    assert not faults(1000.0)


@pytest.mark.thorough
@pytest.mark.parametrize("chunk", range(_CHUNKS))
def test_no_word_is_false(chunk: int) -> None:
    # one setting for each pair, by turns; the command takes all
    faults = {
        k: judge(draw(k), settings=(SETTINGS[k % len(SETTINGS)],)).faults
        for k in range(_PAIRS * chunk, _PAIRS * (chunk + 1))
    }
    assert {k: [(f.kind, f.detail) for f in v] for k, v in faults.items() if v} == {}


def test_the_number_of_pairs_is_the_stated_one() -> None:
    assert stated("words about random code") == f"of {_PAIRS * _CHUNKS} pairs 0 false words"


# the rows that no code of NumPy and SciPy reaches
_NOT_WRITTEN = {"polylog"}


def test_every_operation_of_the_table_is_written() -> None:
    tables = (operations.UNARY, operations.SPECIAL, operations.BINARY)
    text = " ".join(s for table in tables for o in table for s in (*o.spellings, *o.scalar, *(o.slopes[0])))
    text += " ".join(code for code, _, _ in operations.LOOPS.values())
    written = set(re.findall(r"\b(?:np|sc|math)\.(\w+)", text)) | {"airyai", "airyaiprime", "airybi", "airybiprime"}
    written |= {"Si", "Ci", "fresnels", "fresnelc"}
    # by operators
    written |= {"equal", "less", "greater", "less_equal", "greater_equal", "not_equal", "logical_and", "logical_or"}
    assert {row.name for row in OPERATIONS.values() if row.names and not written & set(row.names)} == _NOT_WRITTEN
