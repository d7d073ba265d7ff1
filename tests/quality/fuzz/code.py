"""How a drawn pair is written: the function as assignments, the gradient by the chain rule over the same ones.

Backwards, or number by number forwards, with each derivative spelled in one of several ways; then it may be changed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .operations import LOOPS

__all__ = ["CHANGES", "Drawn", "Step", "filled", "name_of", "written"]

HEAD = "import math\n\nimport numpy as np\nimport scipy.special as sc\n"


@dataclass(frozen=True, slots=True)
class Step:
    """One assignment: ``how`` it is written, what it takes, and its derivatives, one for each operand.

    ``backward`` holds texts in ``{g}``; ``size`` is 0 for a number, else the length of a vector.
    """

    how: str
    operands: tuple[int, ...]
    backward: tuple[str, ...]
    size: int
    name: str
    tempting: str = ""
    again: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A pair of codes and a point; ``change`` says what was done to the right gradient."""

    index: int
    source: str
    x: tuple[float, ...]
    change: str
    names: tuple[str, ...]
    steps: tuple[Step, ...] = field(repr=False, default=())
    style: str = "backward"
    seed: int = 0


def written(index: int, steps: Sequence[Step], x: tuple[float, ...], change: str, style: str, seed: int) -> Drawn:
    """Write the code of function and gradient."""
    rng = random.Random(seed)
    names = tuple(dict.fromkeys(s.name for s in steps[1:]))
    helpers = "".join(f"\n\n{LOOPS[name][0]}" for name in names if name in LOOPS)
    lines = _function(steps, rng)
    back = _backward(steps, x, change, rng) if style == "backward" else _forward(steps, x, change, rng)
    changed = _changed(change, len(x), rng)
    source = (
        f"{HEAD}{helpers}\n\ndef f(x):\n" + "".join(f"    {line}\n" for line in lines)
        + "\n\ndef gradient(x):\n" + "".join(f"    {line}\n" for line in (*back, *changed, "return r"))
    )  # fmt: skip
    return Drawn(index, source, x, change, names, tuple(steps), style, seed)


def name_of(k: int) -> str:
    return f"t{k}" if k else "x"


def filled(how: str, names: Sequence[str], y: str = "", g: str = "") -> str:
    text = how
    for place, name in enumerate(names):
        text = text.replace(f"{{{place}}}", name)
    return text.replace("{y}", y).replace("{g}", g)


# what is written into its only use, up to such a length
_INLINED = 90
_SINGLE = re.compile(r"[\w.]+(\[\d+\])?$")


def _function(steps: Sequence[Step], rng: random.Random) -> list[str]:
    uses = [0] * len(steps)
    for step in steps:
        for k in step.operands:
            uses[k] += 1
    texts = ["x"]
    lines = []
    for k, step in enumerate(steps[1:], 1):
        text = filled(step.how, [texts[o] for o in step.operands])
        inlined = step.name == "element" or (uses[k] == 1 and len(text) < _INLINED and rng.random() < 0.6)
        if k == len(steps) - 1:
            lines.append(f"return {text}")
        elif inlined:
            texts.append(text if _SINGLE.match(text) else f"({text})")
        else:
            texts.append(f"t{k}")
            lines.append(f"t{k} = {text}")
    return lines if len(steps) > 1 else ["return x[0]"]


def _again(steps: Sequence[Step], rng: random.Random) -> list[str]:
    """Write the assignments of the function once more, spelled differently here and there."""
    lines = []
    for k, step in enumerate(steps[1:], 1):
        how = step.again if step.again and rng.random() < 0.5 else step.how
        lines.append(f"t{k} = {filled(how, [name_of(o) for o in step.operands])}")
    return lines


def _backward(steps: Sequence[Step], x: Sequence[float], change: str, rng: random.Random) -> list[str]:
    parts: list[list[str]] = [[] for _ in steps]
    wrong = _tempted(steps, change, rng)
    lines = []
    for k in range(len(steps) - 1, 0, -1):
        step = steps[k]
        if k == len(steps) - 1:
            g = "1.0"
        elif parts[k]:
            g = f"g{k}"
            lines.append(f"{g} = {' + '.join(_kept(parts[k], change, rng))}")
        else:
            continue
        names = [name_of(o) for o in step.operands]
        for place, (o, back) in enumerate(zip(step.operands, step.backward, strict=True)):
            parts[o].append(filled(step.tempting if k == wrong and not place else back, names, name_of(k), g))
    lines.append(f"r = {' + '.join(_kept(parts[0], change, rng)) or f'np.zeros({len(x)})'}")
    return _with_constant_changed([*_again(steps, rng), *lines], change, rng)


def _forward(steps: Sequence[Step], x: Sequence[float], change: str, rng: random.Random) -> list[str]:
    """Carry the derivative in each variable along, number by number."""
    wrong = _tempted(steps, change, rng)
    lines, results = _again(steps, rng), []
    for i in range(len(x)):
        slopes: list[str] = [""]
        for k, step in enumerate(steps[1:], 1):
            if step.name == "element":
                slopes.append("1.0" if step.how == f"{{0}}[{i}]" else "")
                continue
            names = [name_of(o) for o in step.operands]
            parts = [
                filled(step.tempting if k == wrong and not place else back, names, f"t{k}", slopes[o])
                for place, (o, back) in enumerate(zip(step.operands, step.backward, strict=True))
                if slopes[o]
            ]
            slopes.append(f"d{k}_{i}" if parts else "")
            if parts:
                lines.append(f"d{k}_{i} = {' + '.join(_kept(parts, change, rng))}")
        results.append(slopes[-1] or "0.0")
    lines.append(f"r = np.array([{', '.join(results)}])")
    return _with_constant_changed(lines, change, rng)


def _tempted(steps: Sequence[Step], change: str, rng: random.Random) -> int:
    wrong = [k for k, s in enumerate(steps) if s.tempting]
    return rng.choice(wrong) if change == "tempting" and wrong else -1


def _kept(parts: list[str], change: str, rng: random.Random) -> list[str]:
    if change != "dropped" or len(parts) < 2 or rng.random() < 0.3:
        return parts
    left = list(parts)
    left.pop(rng.randrange(len(left)))
    return left


_NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.])")


def _with_constant_changed(lines: list[str], change: str, rng: random.Random) -> list[str]:
    if change != "constant":
        return lines
    found = [(k, m) for k, line in enumerate(lines) for m in _NUMBER.finditer(line)]
    if not found:
        return lines
    k, m = rng.choice(found)
    factor = rng.choice((2.0, 1.01, 1.0001, 0.5))
    lines = list(lines)
    lines[k] = f"{lines[k][: m.start()]}{float(m[0]) * factor!r}{lines[k][m.end() :]}"
    return lines


CHANGES = (
    "sign", "twice", "half", "times 1 + 1e-6", "times 1 + 1e-9", "times 1 + 1e-12", "one by 1 + 1e-3",
    "one by 1 + 1e-7", "swapped", "nan", "zero", "one zero", "extra", "plus constant", "infinite", "dropped", "dropped",
    "tempting", "tempting", "tempting", "constant", "constant",
)  # fmt: skip


def _changed(change: str, n: int, rng: random.Random) -> list[str]:
    one = f"(np.arange({n}) == {rng.randrange(n)})"
    lines = {
        "sign": "r = -r",
        "twice": "r = 2*r",
        "half": "r = 0.5*r",
        "times 1 + 1e-6": "r = r*1.000001",
        "times 1 + 1e-9": "r = r*(1 + 1e-9)",
        "times 1 + 1e-12": "r = r*(1 + 1e-12)",
        "one by 1 + 1e-3": f"r = r*(1 + 0.001*{one})",
        "one by 1 + 1e-7": f"r = r*(1 + 1e-7*{one})",
        "swapped": "r = r[::-1]",
        "nan": f"r = np.where({one}, np.nan, r)",
        "infinite": f"r = np.where({one}, np.inf, r)",
        "zero": "r = 0*x",
        "one zero": f"r = np.where({one}, 0.0, r)",
        "extra": "r = r + 0.01*x",
        "plus constant": f"r = r + 0.25*{one}",
    }
    return [lines[change]] if change in lines else []
