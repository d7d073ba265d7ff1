"""Make a pair that shows a fault as short as it gets: leave out one assignment after the other."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from .code import Drawn, Step, written

__all__ = ["shrunk"]


def shrunk(drawn: Drawn, shows: Callable[[Drawn], bool], *, seconds: float = 20.0) -> Drawn:
    """Return the shortest pair found that still shows the fault."""
    end = time.monotonic() + seconds
    best, improved = drawn, True
    while improved and time.monotonic() < end:
        improved = False
        for candidate in _shorter(best):
            if time.monotonic() > end:
                break
            if shows(candidate):
                best, improved = candidate, True
                break
    return best


def _shorter(drawn: Drawn) -> list[Drawn]:
    steps = drawn.steps
    found = []
    for k in range(len(steps) - 1, 0, -1):
        for operand in steps[k].operands:
            fits = steps[operand].size == steps[k].size
            if fits and (k < len(steps) - 1 or operand):
                found.append(_without(steps, k, operand))
    # a sum: one of its two terms
    tries = [written(drawn.index, s, drawn.x, drawn.change, drawn.style, drawn.seed) for s in found]
    if drawn.style == "forward":
        tries.append(written(drawn.index, steps, drawn.x, drawn.change, "backward", drawn.seed))
    return tries


def _without(steps: Sequence[Step], k: int, by: int) -> list[Step]:
    """Put an operand in the place of a step, and drop what nothing uses then."""
    moved = [replace(s, operands=tuple(by if o == k else o for o in s.operands)) for s in steps]
    end = by if k == len(steps) - 1 else len(steps) - 1
    needed, stack = set(), [end]
    while stack:
        j = stack.pop()
        if j not in needed:
            needed.add(j)
            stack.extend(moved[j].operands)
    order = sorted(needed | {0})
    place = {old: new for new, old in enumerate(order)}
    return [replace(moved[j], operands=tuple(place[o] for o in moved[j].operands)) for j in order]


def reproducer(drawn: Drawn, setting: str, why: str) -> str:
    """Return code that shows a fault, to be run as it is."""
    opaque = {
        "traced": ("f", "gradient"),
        "arrays": ("f", "gradient"),
        "opaque gradient": ("f", "lambda x: np.array([float(repr(float(v))) for v in gradient(x)])"),
        "opaque": ("lambda x: float(repr(float(f(x))))",
                   "lambda x: np.array([float(repr(float(v))) for v in gradient(x)])"),
    }[setting]  # fmt: skip
    head = re.sub(
        r"^import", f"# {drawn.index}: {drawn.change}; {why}\nimport diffcompare as dc\nimport", drawn.source, count=1
    )
    return f"{head}\n\nprint(dc.check_gradient({opaque[0]}, {opaque[1]}, np.array({list(drawn.x)!r})))\n"
