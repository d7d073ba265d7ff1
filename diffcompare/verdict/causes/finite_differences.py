"""Difference quotients that are handed in as a gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.arithmetic.running_error import point_rounding_bound
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.dag import Program
from diffcompare.verdict.causes.budget import BUILT, Budget
from diffcompare.verdict.causes.mistakes import Cause, Facts

__all__ = ["CALLED", "QUOTIENTS", "exact_quotients", "likely_quotients"]

Value = Callable[[Floats], float]

# components that stand for all
_SAMPLE = 16
_STEPS = [10.0**-k for k in range(1, 13)] + [
    2.0**-26,
    unit_roundoff ** (1 / 3),
    (2 * unit_roundoff) ** (1 / 3),
    unit_roundoff**0.5,
]
_ENDS = {"forward": (1.0, 0.0), "central": (1.0, -1.0), "backward": (0.0, -1.0)}
_WIDTHS = {"forward": 1, "central": 2, "backward": 1}
# how much likelier than another one a step must be, or than none: 10 to this power
_CLEAR = 3
# operations in a call of the user's function, for each node of its program
CALLED = 10


def _scales(x: float) -> dict[str, float]:
    return {"": 1.0, "*|x|": abs(x) or 1.0, "*(1 + |x|)": 1 + abs(x), "*max(1, |x|)": max(1.0, abs(x))}


# at most so many calls tell of one component which quotient it may be
QUOTIENTS = 2 * 4 * len(_STEPS)

_LABELS = [(scheme, h, scale) for scheme in _WIDTHS for scale in _scales(1.0) for h in _STEPS]


def _telling(facts: Facts) -> list[int]:
    """Return the components that tell most, so many that they stand for all."""
    some = np.flatnonzero(facts.wrong)
    with np.errstate(all="ignore"):
        order = np.argsort(-np.abs(facts.e[some] / facts.slack[some]), kind="stable")
    return [int(i) for i in some[order][:_SAMPLE]]


def exact_quotients(facts: Facts, point: Sequence[float], value: Value, cost: int, budget: Budget) -> Iterator[Cause]:
    """The quotients of the function's own floats, each of a cost: the claim is one of them to the last bit."""
    labels = _LABELS
    x = np.array(point, dtype=np.float64)
    for i in _telling(facts):
        values: dict[float, float] = {}

        def at(step: float, i: int = i, values: dict[float, float] = values) -> float:
            if step not in values:
                budget.spend(cost)
                moved = x.copy()
                moved[i] += step
                values[step] = value(moved)
            return values[step]

        def equal(label: tuple[str, float, str], i: int = i, at: Callable[[float], float] = at) -> bool:
            scheme, h, scale = label
            step = h * _scales(point[i])[scale]
            high, low = (at(step * end) for end in _ENDS[scheme])
            return bool((high - low) / (_WIDTHS[scheme] * step) == facts.g[i])

        labels = [label for label in labels if equal(label)]
    for scheme, h, scale in labels if facts.wrong.any() else ():
        text = f"the claim is a finite difference: {scheme}, h = {h:.3g}{scale}"
        yield facts.cause("finite difference", text)


def likely_quotients(
    facts: Facts, program: Program, point: Sequence[float], budget: Budget, *, absolute: bool = False
) -> Iterator[Cause]:
    """The quotients of numbers as the program computes them, and what its rounding makes of them, likeliest first.

    ``absolute``: of steps that are the same for every component.
    """
    odds = np.full(len(_LABELS), math.log10(len(_LABELS)))
    for i in _telling(facts):
        budget.spend((5 * len(_LABELS) + 2 * BUILT) * len(program.nodes))
        steps = np.array([h * scale for scale in _scales(point[i]).values() for h in _STEPS])
        with np.errstate(all="ignore"):
            odds += np.concatenate([_odds(facts, program, point, i, steps, scheme) for scheme in _WIDTHS])
    # where what was found is looked for again, it must be about as likely as any other
    limit = -_CLEAR if facts.further is not None else float(odds.min()) + _CLEAR
    table = odds.reshape(len(_WIDTHS), -1)
    for k in np.argsort(odds, kind="stable").tolist():
        scheme, h, scale = _LABELS[k]
        if odds[k] < limit and not (absolute and scale):
            # of what rounding has left all schemes may look alike
            alike = np.count_nonzero(table[:, k % table.shape[1]] < odds[k] + _CLEAR) > 1
            step = f"h about {h:.3g}{scale}"
            text = f"the claim is a finite difference{',' if alike else f': {scheme},'} {step}"
            yield facts.cause("finite difference", text, key=f"{scheme}, {step}")


def _odds(facts: Facts, program: Program, point: Sequence[float], i: int, steps: Floats, scheme: str) -> Floats:
    """log10 of the chance that a number near D looks like the quotient of each step; infinite if it does not."""
    x, g = point[i], facts.g[i]
    columns = [np.full(2 * len(steps), v) for v in point]
    upper, lower = (x if scheme == "backward" else x + steps), (x if scheme == "forward" else x - steps)
    columns[i] = np.concatenate([upper + 0 * steps, lower + 0 * steps])
    high, low = compile_numpy(program)(columns).reshape(2, -1)
    width = _WIDTHS[scheme] * steps
    noise = max(
        point_rounding_bound(program, point, i),
        unit_roundoff * float(np.max(np.abs(low[np.isfinite(low)]), initial=0.0)),
    )
    spread = 4 * (noise + unit_roundoff * abs(x * facts.D[i])) / width + facts.slack[i]
    near = np.abs(g - (high - low) / width) <= spread
    chance = np.minimum(1.0, spread / abs(facts.e[i]))
    # a difference of two values of F is a multiple of their spacing
    unit = np.spacing(np.minimum(np.abs(high), np.abs(low))) / 2
    count = np.rint(g * width / unit)
    # (0 is a multiple of everything)
    whole = (np.abs(count * unit / width - g) <= 2 * np.spacing(abs(g))) & (count != 0)
    chance = chance * np.where(whole, np.minimum(1.0, (np.abs(count) + 1) * 2.0**-49), 1.0)
    result: Floats = np.where(near & (chance > 0), np.log10(chance), np.inf)
    return result
