"""Functions, points, schemes and steps of every kind, the hostile ones among them, drawn from seeds."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

import diffcompare as dc
from diffcompare.numeric.stencils import stencil

DTYPES = ("float64", "float32", "float16")
DERIVATIVES = (1, 2, 3)
NAMES = ("forward", "backward", "central", "forward2", "backward3", "central4", "central6", "forward5")
UNEVEN = (
    [0, 1, 3],
    [-1, 0, 2.5],
    [Fraction(-1, 3), Fraction(1, 7), 1, 2],
    [0.1, -0.3, 0.7, 1],
    range(-3, 4),
    [-2, -1, 1, 4],
)
# exponents of ten: of the largest number, the least one, the spacing at 1
_RANGE = {"float64": (308, -323, 16), "float32": (38, -45, 8), "float16": (4, -8, 4)}


# --- formulas ----------------------------------------------------------------------------------------------------

CONSTANTS = ["2", "3", "0.5", "0.1", "3.7", "1e-7", "0.25", "7/3", "pi", "1e5", "-1.3", "1024"]
UNARY = ["sin", "cos", "tan", "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "tanh", "sinh"]
UNARY += ["cosh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "abs"]
SAFE = ["sqrt(1 + ({0})**2)", "log(1 + ({0})**2)", "asin(sin({0})/2)", "acos(cos({0})/2)", "atanh(tanh({0})/2)"]
SAFE += ["acosh(2 + ({0})**2)", "log2(2 + cos({0}))", "1/(1 + ({0})**2)", "(1 + ({0})**2)**0.3"]
BINARY = ["({0}) + ({1})", "({0}) - ({1})", "({0})*({1})", "({0})/({1})", "min({0}, {1})", "max({0}, {1})"]
OTHER = ["hypot({0}, {1})", "atan2({0}, {1})", "(1 + ({0})**2)**({1})", "where(({0}) < ({1}), ({0})*({1}), ({1}))"]
POWERS = ["({0})**2", "({0})**3", "({0})**-1", "({0})**-2", "({0})**5", "({0})**0.5", "({0})**1.7", "({0})**(1/3)"]
# with SciPy; the last ones have a bound on their rounding only in parts of their domains
SPECIAL = ["erf({0})", "erfc({0})", "erfi({0})", "gamma({0})", "loggamma(1 + ({0})**2)", "besselj(1, {0})"]
SPECIAL += ["besselj(0, {0})", "airyai({0})", "lambertw(({0})**2)", "Si({0})", "Ei(1 + ({0})**2)", "sinc({0})"]
CANCELLING = ["({0} + {1}) - {1}", "({0})*{1}/{1}", "(max({0}, 0) - max(-({0}), 0))*0.1"]
CANCELLING += ["max({0}, {1}) - min({0}, {1})", "abs({0})*({0})*{1}", "where({0} < {1}, {0}, {1})", "({0})**2*{1}"]
CANCELLING += ["({0})/{1}", "{1}/(({0}) + ({1}))", "({0} - {1})**3", "atan2({0}, {1})", "hypot({0}, {1})"]
CANCELLING += ["exp({0}) - exp(-({0}))", "log1p({0})*{1}", "({1})**({0})", "cbrt({0})*{1}", "sqrt(abs({0}) + {1})"]
CANCELLING += ["sinh({0})/{1}", "x*{1}", "sign({0})*({0})", "max(abs({0}), {1})", "acosh(1 + abs({0}))"]
CANCELLING += ["tanh({0}) + {1}", "log({0})", "({0})**0.5*{1}", "expm1({0})/({0})", "min(1/({0}), {1})"]
CANCELLING += ["where(Eq({0}, {1}), {1}, {0})", "(1 - cos({0}))/({0})", "exp({0})/(1 + exp({0}))", "erf({0})*{1}"]
ENDS = ["1e300", "1e-300", "2**-1000", "2**1000", "0.1", "1e-320", "1e308", "2**-1000*2**-60", "3", "1e16", "1e-16"]
ENDS += ["(2**900*2**120)", "7/3", "1e-200", "1e200", "y", "60000", "1e-7", "1e38", "1e-44", "2048"]
KINKS = ["abs({0})", "max({0}, 0)", "min({0}, ({0})*2)", "sqrt(({0})**2)", "hypot({0}, 0)", "max({0}, ({0})**3)"]
KINKS += ["cbrt({0})", "where({0} < 0, {0}, 3*({0}))", "where({0} < 0, 1, 2)", "sign({0})", "abs({0})*({0})"]
KINKS += ["where({0} < 0, 0, 1 + x)", "atan2({0}, -1)", "abs(abs({0}) - 0.01)", "sqrt(abs({0}))", "max({0}, 0)**2"]
KINKS += ["floor({0})", "max({0}, 0)**3", "abs({0})**3"]
INNER = ["{0}", "({0})*3.7", "sin({0})", "exp({0}) - 1", "{0} + ({0})**3", "tanh({0})/7"]
AROUND = ["{0}", "{0}", "x + {0}", "sin(x)*({0})", "exp({0})", "2*({0})**2", "({0}) - x/3"]
EDGES = ["sqrt({0})", "log({0})", "({0})**0.7", "asin(1 - ({0}))", "1/({0})", "acosh(1 + ({0}))", "atanh(1 - ({0}))"]
EDGES += ["x*log({0})", "({0})**1.5", "log1p(({0}) - 1)", "gamma({0})", "({0})**-2", "where(x < 1, sqrt({0}), x)"]


def draw_text(rng: random.Random) -> str:
    """Draw a formula of up to 8 operations."""
    pool = ["x", "x", "y", rng.choice(CONSTANTS)]
    for _ in range(rng.randint(1, 8)):
        a, b, kind = rng.choice(pool[-3:]), rng.choice(pool), rng.random()
        families: list[tuple[float, Sequence[str]]] = [
            (0.27, [f"{name}({{0}})" for name in UNARY]),
            (0.45, SAFE),
            (0.5, SPECIAL),
            (0.8, BINARY),
            (0.9, OTHER),
            (1.0, POWERS),
        ]
        pattern = rng.choice(next(family for share, family in families if kind < share))
        new = pattern.format(a, b)
        if len(new) < 300:
            pool.append(new)
        if rng.random() < 0.2:
            pool.append(rng.choice(CONSTANTS[:-4]))
    return pool[-1] if "x" in pool[-1] else f"({pool[-1]})*x"


def draw_cancelling(rng: random.Random) -> str:
    """Draw what loses digits, or meets the ends of the range."""
    text = "x"
    for _ in range(rng.randint(1, 3)):
        text = rng.choice(CANCELLING).format(text, rng.choice(ENDS))
    return text


def draw_near(rng: random.Random, patterns: Sequence[str], x: float, distance: float) -> str:
    """Draw a function with a kink, or the edge of its domain, at a distance from x."""
    place = f"(x - ({x + distance!r}))" if rng.random() < 0.8 else f"(({x + distance!r}) - x)"
    return rng.choice(AROUND).format(rng.choice(patterns).format(rng.choice(INNER).format(place)))


# --- points and steps --------------------------------------------------------------------------------------------


def draw_coordinate(rng: random.Random, dtype: str, *, extreme: bool = False) -> float:
    sign, (high, low, digits) = rng.choice([-1, 1]), _RANGE[dtype]
    if extreme:
        info = np.finfo(dtype)
        return sign * rng.choice(
            [
                10.0 ** rng.uniform(high / 3, high - 0.7),
                10.0 ** rng.uniform(low, low / 3),
                rng.randint(1, 2**52) * 5e-324,
                float(info.max) / rng.choice([1, 2, 4, 20]),
                float(info.smallest_subnormal),
                float(info.tiny),
                0.0,
                10.0 ** rng.uniform(-digits, min(20, high)),
            ]
        )
    kind = rng.randrange(7)
    if kind == 0:
        return float(rng.randint(-9, 9))
    if kind == 1:
        power = 2.0 ** rng.randint(-4, 5)
        return float(sign * np.nextafter(np.dtype(dtype).type(power), rng.choice([0, power, np.inf]), dtype=dtype))
    if kind == 2:
        return rng.choice([0.0, -0.0, 1.0, -1.0, 0.5, 1 - 2.0**-53, 1 + 2.0**-52, 0.1, 1e-300, 5e-324, 1e4, 1e-8])
    if kind == 3:
        return sign * 10.0 ** rng.uniform(-6, 4)
    return rng.uniform(-3, 3)


def draw_steps(rng: random.Random, x: float, dtype: str, count: int, *, extreme: bool = False) -> list[float]:
    high, low, digits = _RANGE[dtype]
    scale = max(abs(x), 10.0 ** (low + 3))
    spacing = float(np.spacing(np.dtype(dtype).type(min(abs(x), 10.0 ** (high - 1)))))
    found: set[float] = set()
    while len(found) < count:
        kind = rng.randrange(8)
        if kind < 3:
            h = 10.0 ** -rng.uniform(0.3, digits / rng.choice([1, 3]))
        elif kind == 3:
            h = 2.0 ** -rng.randint(1, 3 * digits + 7)
        elif kind == 4:
            # on either side of the spacing at x: both sides, one or none are reached
            h = spacing * rng.choice([0.2, 0.25, 0.3, 0.5, 0.50001, 0.75, 1.0, 1.5, 2.5, 3.0, 1e3])
        elif kind == 5:
            h = 10.0 ** -rng.randint(1, digits + 2)
        elif kind == 6:
            # across the ends of a binade
            _, e = math.frexp(scale)
            h = abs(abs(x) - math.ldexp(rng.choice([0.25, 0.5]), e) * 2) * rng.choice([1.0, 1.0000001, 0.5, 1.5])
            h = h if 0 < h < 1 else 0.03
        else:
            h = scale * 10.0 ** -rng.uniform(0 if extreme else 2, digits + 2)
        if extreme and rng.random() < 0.4:
            ends = [10.0**low, 10.0 ** (low + 1), 10.0 ** (low / 2), 10.0**high, 10.0 ** (high - 0.5), 1.0, 0.1]
            h = rng.choice([*ends, rng.randint(1, 2**52) * 5e-324, 10.0 ** rng.uniform(low, high)])
        if 0 < h < float(np.finfo(dtype).max):
            found.add(h)
    return sorted(found, reverse=True)


# --- sweeps ------------------------------------------------------------------------------------------------------

KINDS = ("ordinary", "extreme", "cancelling", "kink", "edge", "special")


@dataclass(frozen=True)
class Sweep:
    """A table with what it was made from."""

    f: dc.SymbolicFunction
    schemes: dict[str, dc.Stencil]
    table: pd.DataFrame

    def rows(self) -> Iterator[Row]:
        names = list(self.table.columns)
        for cells in zip(*(self.table[name].tolist() for name in names), strict=True):
            yield Row(self, dict(zip(names, cells, strict=True)))


class Row:
    """One row; its columns are attributes."""

    def __init__(self, sweep: Sweep, cells: dict[str, Any]) -> None:
        self.sweep, self.cells = sweep, cells
        self.coordinates = [float(part.rpartition("=")[2]) for part in cells["point"].split(";")]

    def __getattr__(self, name: str) -> Any:
        return self.cells[name]

    def __repr__(self) -> str:
        return (
            f"{self.sweep.f.formula!r} at {self.point}, {self.scheme}, derivative={self.derivative}, {self.dtype}, "
            f"h={self.h!r}, {self.status}"
        )


def draw_scheme(rng: random.Random, derivative: int) -> dc.Stencil:
    if rng.random() < 0.75:
        return stencil(rng.choice(NAMES), derivative)
    return dc.Stencil(rng.choice([offsets for offsets in UNEVEN if len(offsets) > derivative]), derivative)


def draw_sweep(
    rng: random.Random,
    kind: str,
    dtype: str,
    derivative: int,
    crashes: list[str],
    *,
    schemes: Sequence[str] | None = None,
    points: int = 2,
    steps: int = 8,
) -> Sweep | None:
    """Draw a sweep of a kind of function; None where there is no such formula, or the complex step is refused."""
    extreme = kind == "extreme" or (kind == "cancelling" and rng.random() < 0.5)
    x, h = draw_coordinate(rng, dtype, extreme=extreme), None
    if kind == "ordinary" or kind == "extreme":
        text = draw_text(rng)
    elif kind == "cancelling":
        text = draw_cancelling(rng)
    elif kind == "special":
        text = rng.choice(AROUND).format(rng.choice(SPECIAL).format(rng.choice(["x", "x", "x*y", "1 + x", "3*x"])))
    else:
        x = rng.choice([0.0, 1.0, -2.5, 3.25, x])
        # where some steps reach it
        distance = rng.choice([-1, 1]) * 10.0 ** -rng.uniform(0.5, _RANGE[dtype][2] / 2)
        distance = rng.choice([distance, distance, distance, 0.0])
        text = draw_near(rng, KINKS if kind == "kink" else EDGES, x, distance)
        h = [abs(distance) * c for c in (0.25, 0.5, 0.999, 1.0, 1.001, 2.0)] if distance else None
    try:
        f = dc.parse(text, variables=["x", "y"])
    except dc.DiffcompareError:
        return None
    others = [[draw_coordinate(rng, dtype, extreme=extreme), draw_coordinate(rng, dtype)] for _ in range(points - 1)]
    chosen = [[x, rng.choice([1.0, -0.0, 0.1, draw_coordinate(rng, dtype, extreme=extreme)])], *others]
    with np.errstate(all="ignore"):
        chosen = [point for point in chosen if np.isfinite(np.array(point).astype(dtype)).all()]
    if len(f.formula) > 300 or not chosen:
        return None
    h = draw_steps(rng, x, dtype, steps, extreme=extreme) + (h or [])
    rules: list[Any] = [draw_scheme(rng, derivative) for _ in range(2)]
    if schemes is not None:
        rules = [stencil(name, derivative) for name in schemes]
    elif derivative == 1 and dtype == "float64" and rng.random() < 0.5:
        rules.append("complex")
    options = {"schemes": rules, "steps": h, "variables": ["x"], "dtype": dtype, "derivative": derivative}
    try:
        with np.errstate(all="ignore"):
            table = dc.sweep(f, chosen, **options)
    except dc.UnsupportedFunction as error:
        if "complex" not in rules:
            crashes.append(f"{text!r} at {chosen} with {options}: {error}")
        return None
    except Exception as error:
        # so that one fault does not hide the others
        crashes.append(f"{text!r} at {chosen} with {options}: {type(error).__name__}: {error}")
        return None
    return Sweep(f, {chosen.name: chosen for chosen in rules if chosen != "complex"}, table)
