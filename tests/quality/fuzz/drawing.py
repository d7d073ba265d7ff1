"""Draw a function, a gradient written by hand, and a point, together: the same pair for the same number.

The code is a list of assignments, drawn one by one with their values at the point at hand, so that operands lie where
the operations are defined, or exactly at an edge where that is wanted. The gradient is what one writes by hand: the
chain rule backwards (or forwards) over the same assignments, with derivatives spelled in one of several ways. What is
changed then is wrong, or is not: the truth decides.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.special as sc

from .array_operations import REARRANGED, REDUCTIONS, OfArray
from .code import CHANGES, Drawn, Step, filled, name_of, written
from .operations import BINARY, LOOPS, PIECES, SPECIAL, UNARY, Elementwise

__all__ = ["draw"]


def draw(index: int, seed: int = 0) -> Drawn:
    """Draw the pair with this number."""
    for attempt in range(50):
        rng = random.Random(f"{seed} {index} {attempt}")
        maker = _Maker(rng)
        found = maker.made()
        if found is not None:
            steps, x = found
            change = rng.choice(CHANGES) if rng.random() < 0.55 else "right"
            numbers = all(s.name == "element" or (not s.size and all(s.operands)) for s in steps[1:])
            style = "forward" if numbers and rng.random() < 0.4 else "backward"
            number = rng.randrange(2**31)
            return written(index, steps, x, change, style, number)
    raise AssertionError(f"nothing could be drawn for {index}")


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.steps: list[Step] = []
        self.values: list[Any] = []
        self.exact: list[bool] = []
        self.names = {"np": np, "sc": sc, "math": math, "abs": abs, "max": max, "min": min, "sum": sum}
        for code, _, _ in LOOPS.values():
            exec(code, self.names)

    def made(self) -> tuple[list[Step], tuple[float, ...]] | None:
        rng = self.rng
        n = rng.choice((1, 1, 2, 2, 3, 4))
        x = self._point(n)
        self.steps.append(Step("x", (), (), n, "x"))
        self.values.append(np.array(x))
        self.exact.append(True)
        style = rng.choice(("scalar", "array", "mixed"))
        if style != "array":
            for i in range(n):
                self._add(Step(f"{{0}}[{i}]", (0,), (f"{{g}}*(np.arange({n}) == {i})",), 0, "element"), exact=True)
        for _ in range(rng.choice((1, 1, 2, 3, 4, 5, 6))):
            self._grow(style)
        end = self._end()
        return None if end is None else (self.steps, x)

    def _point(self, n: int) -> tuple[float, ...]:
        rng = self.rng
        kind = rng.random()
        if kind < 0.35:
            return tuple(round(rng.uniform(-3, 3), 2) for _ in range(n))
        if kind < 0.5:
            return tuple(rng.uniform(-3, 3) for _ in range(n))
        if kind < 0.6:
            return tuple(float(rng.randint(-3, 3)) for _ in range(n))
        if kind < 0.7:
            value = rng.choice((0.5, 1.0, 2.0, -1.5))
            return tuple(value if rng.random() < 0.6 else float(rng.randint(-2, 2)) for _ in range(n))
        if kind < 0.85:
            return tuple(rng.choice((rng.uniform(-40, 40), float(rng.randint(-40, 40)))) for _ in range(n))
        pool = (0.0, 0.0, 1e-12, -1e-12, 5e-228, 1e6, -1e6, 1e150, 0.1, 1.0, 1e-5, 0.5)
        return tuple(rng.choice(pool) for _ in range(n))

    def _value(self, how: str, operands: Sequence[int]) -> Any:
        names = {**self.names, **{name_of(k): self.values[k] for k in operands}}
        with np.errstate(all="ignore"):
            try:
                return eval(filled(how, [name_of(k) for k in operands]), names)
            except (ArithmeticError, ValueError, TypeError, IndexError):
                return math.nan

    def _add(self, step: Step, *, exact: bool = False, wild: bool = False) -> int | None:
        value = self._value(step.how, step.operands)
        numbers = np.asarray(value, dtype=float)
        if numbers.ndim > 1 or np.asarray(value).dtype == object:
            return None
        tame = bool(np.all(np.isfinite(numbers)) and np.all(np.abs(numbers) < 1e200))
        if not tame and not wild:
            return None
        self.steps.append(step)
        self.values.append(np.asarray(value, dtype=float) if step.size else np.float64(value))
        self.exact.append(exact)
        return len(self.steps) - 1

    def _operand(self, low: float, high: float, size: int | None = None) -> int | None:
        rng = self.rng
        fitting = [
            k
            for k, v in enumerate(self.values)
            if (size is None or self.steps[k].size == size) and np.all((v >= low) & (v <= high))
        ]
        if not fitting:
            return None
        # new ones are taken more often
        return rng.choice(fitting[-4:] if rng.random() < 0.6 else fitting)

    def _grow(self, style: str) -> None:
        rng = self.rng
        for _ in range(12):
            draw_ = rng.random()
            if draw_ < 0.26:
                done = self._unary(rng.choice(UNARY))
            elif draw_ < 0.46:
                done = self._unary(rng.choice(SPECIAL))
            elif draw_ < 0.66:
                done = self._binary(rng.choice(BINARY))
            elif draw_ < 0.76:
                done = self._pieces()
            elif draw_ < 0.79 and style != "array":
                done = self._loop()
            elif style == "scalar":
                done = self._binary(rng.choice(BINARY[:4]))
            elif draw_ < 0.9:
                done = self._of_array(rng.choice(REARRANGED))
            else:
                done = self._of_array(rng.choice(REDUCTIONS))
            if done is not None:
                return

    def _unary(self, operation: Elementwise) -> int | None:
        rng = self.rng
        low, high = operation.ranges[0]
        if operation.edges and rng.random() < 0.3:
            k = self._at_edge(rng.choice(operation.edges))
        else:
            k = self._operand(low, high)
            if k is None or (rng.random() < 0.2 and np.all(self.values[k] == 0)):
                k = self._brought(low, high)
        if k is None:
            return None
        size = self.steps[k].size
        scalar = operation.scalar if not size else ()
        if not size and rng.random() < 0.7:
            scalar = ()
        how, again = (rng.choice(scalar or operation.spellings) for _ in range(2))
        slope = rng.choice(operation.slopes[0])
        tempting = f"{{g}}*({rng.choice(operation.tempting)})" if operation.tempting else ""
        exact = self.exact[k] and operation.name in ("abs", "negative", "relu", "clip", "trunc", "floor", "square")
        step = Step(how, (k,), (f"{{g}}*({slope})",), size, operation.name, tempting, again)
        return self._add(step, exact=exact and bool(np.all(np.abs(self.values[k]) < 1e3)), wild=rng.random() < 0.03)

    def _at_edge(self, edge: float) -> int | None:
        """Return an operand that is exactly at an edge: a leaf moved by an exact number."""
        rng = self.rng
        leaves = [k for k, e in enumerate(self.exact) if e]
        k = rng.choice(leaves)
        value = self.values[k]
        shift = value - edge
        if self.steps[k].size:
            keep = [rng.random() < 0.5 for _ in range(len(value))]
            shift = np.where(keep, shift, np.round(value - edge - 0.75, 2))
        if not np.all(np.isfinite(shift)) or np.any(np.asarray(value - shift) == value):
            return k if np.all(value == edge) else None
        there = value - shift
        if self.steps[k].size:
            if not np.any(there == edge) or not _exactly(value, shift, there):
                return None
            how = f"{{0}} - np.array({[float(v) for v in shift]!r})"
        else:
            if there != edge or not _exactly(value, shift, there):
                return None
            how = f"({{0}} - {float(shift)!r})" if shift else "{0}"
        if not np.any(shift):
            return k
        return self._add(Step(how, (k,), ("{g}",), self.steps[k].size, "shift"), exact=True)

    def _brought(self, low: float, high: float) -> int | None:
        """Bring an operand to where an operation is defined, by a factor and a shift."""
        rng = self.rng
        k = rng.randrange(len(self.steps))
        value = np.asarray(self.values[k], dtype=float)
        width = float(np.ptp(value)) if value.size else 0.0
        target = rng.uniform(max(low, -40.0), min(high, 40.0))
        factor = 1.0
        room = min(high, 40.0) - max(low, -40.0)
        if width > 0.5 * room or not np.all(np.abs(value) < 1e3):
            factor = float(f"{0.4 * room / max(width, float(np.max(np.abs(value))), 1e-300):.2g}")
            target = rng.uniform(max(low, -40.0) + 0.45 * room, max(low, -40.0) + 0.55 * room)
        centre = float(np.mean(value)) * factor
        shift = float(f"{target - centre:.3g}")
        how = f"({factor!r}*{{0}} + {shift!r})" if factor != 1 else f"({{0}} + {shift!r})"
        slope = f"{{g}}*{factor!r}" if factor != 1 else "{g}"
        brought = np.asarray(factor * value + shift)
        if not np.all((brought >= low) & (brought <= high)):
            return None
        return self._add(Step(how, (k,), (slope,), self.steps[k].size, "affine"))

    def _binary(self, operation: Elementwise) -> int | None:
        rng = self.rng
        first = self._operand(*operation.ranges[0])
        if first is None:
            return None
        size = self.steps[first].size
        second: int | None
        if rng.random() < 0.25:
            return self._with_constant(operation, first)
        if operation.name in ("maximum", "minimum") and rng.random() < 0.4:
            second = self._tie(first)
        else:
            second = self._operand(*operation.ranges[1], size=size if rng.random() < 0.6 else None)
        if second is None:
            return None
        other = self.steps[second].size
        if size and other and size != other:
            return None
        result = size or other
        scalar = operation.scalar if not result and rng.random() < 0.4 else ()
        how, again = (rng.choice(scalar or operation.spellings) for _ in range(2))
        backward = tuple(
            _summed(f"{{g}}*({rng.choice(slopes)})", own, result)
            for slopes, own in zip(operation.slopes, (size, other), strict=True)
        )
        tempting = _summed(f"{{g}}*({rng.choice(operation.tempting)})", size, result) if operation.tempting else ""
        exact = self.exact[first] and self.exact[second] and operation.name in ("maximum", "minimum")
        return self._add(Step(how, (first, second), backward, result, operation.name, tempting, again), exact=exact)

    def _tie(self, first: int) -> int | None:
        """Return another operand that has the same value exactly: another leaf, or one moved by an exact number."""
        if not self.exact[first]:
            return None
        value = self.values[first]
        others = [
            k for k, e in enumerate(self.exact)
            if e and k != first and self.steps[k].size == self.steps[first].size
        ]  # fmt: skip
        if not others:
            return None
        k = self.rng.choice(others)
        shift = self.values[k] - value
        if np.all(shift == 0):
            return k
        if self.steps[k].size or not _exactly(self.values[k], shift, value):
            return None
        return self._add(Step(f"({{0}} - {float(shift)!r})", (k,), ("{g}",), 0, "shift"), exact=True)

    def _with_constant(self, operation: Elementwise, first: int) -> int | None:
        """Let one operand be a number of the code."""
        rng = self.rng
        low, high = operation.ranges[1]
        text, again = _constant(rng)
        value = eval(text, {"np": np})
        if not low <= value <= high:
            return None
        size = self.steps[first].size
        how = rng.choice(operation.spellings).replace("{1}", text)
        slope = rng.choice(operation.slopes[0]).replace("{1}", again)
        tempting = f"{{g}}*({operation.tempting[0].replace('{1}', again)})" if operation.tempting else ""
        return self._add(Step(how, (first,), (f"{{g}}*({slope})",), size, operation.name, tempting,
                              how.replace(text, again)))  # fmt: skip

    def _pieces(self) -> int | None:
        rng = self.rng
        leaves = [k for k, e in enumerate(self.exact) if e]
        k = rng.choice(leaves)
        size = self.steps[k].size
        value = self.values[k]
        here = float(np.ravel(value)[rng.randrange(np.size(value))])
        edge = here if rng.random() < 0.75 else round(here + rng.choice((-1, 1)) * rng.uniform(0.1, 1), 2)
        if not abs(edge) < 1e6:
            return None
        (a, da), (b, db) = rng.choice(PIECES), rng.choice(PIECES)
        u = f"({{0}} - {edge!r})" if edge else "{0}"
        order = rng.choice((">", ">=", "<", "<="))
        whole, slope = (_inserted(text, u) for text in (
            f"({a} if u {order} 0 else {b})", f"({da} if u {order} 0 else {db})"))  # fmt: skip
        other = f"({_inserted(db, u)} if {u} {order} 0 else {_inserted(da, u)})"
        if size or rng.random() < 0.3:
            whole = f"np.where({u} {order} 0, {_inserted(a, u)}, {_inserted(b, u)})"
            slope = f"np.where({u} {order} 0, {_inserted(da, u)}, {_inserted(db, u)})"
            other = f"np.where({u} {order} 0, {_inserted(db, u)}, {_inserted(da, u)})"
        return self._add(Step(whole, (k,), (f"{{g}}*{slope}",), size, f"pieces {a} {order} {b}", f"{{g}}*{other}"))

    def _loop(self) -> int | None:
        rng = self.rng
        name = rng.choice(list(LOOPS))
        _, slopes, (low, high) = LOOPS[name]
        k = self._operand(low, high, 0)
        if k is None:
            k = self._brought(low, high)
        if k is None or self.steps[k].size:
            return None
        return self._add(Step(f"{name}({{0}})", (k,), (f"{{g}}*({rng.choice(slopes)})",), 0, name))

    def _of_array(self, operation: OfArray) -> int | None:
        rng = self.rng
        vectors = [
            k for k, s in enumerate(self.steps)
            if s.size and (not operation.positive or np.all(np.abs(self.values[k]) > 1e-3))
        ]  # fmt: skip
        if not vectors:
            return None
        k = rng.choice(vectors[-3:])
        n = self.steps[k].size
        if operation.result == "shorter" and n < 3:
            return None
        data, again = _vector(n, self.values[k], rng)
        matrix = repr([[round(rng.uniform(-2, 2), 1) for _ in range(n)] for _ in range(n)])
        spelled = rng.choice(operation.spellings)

        def filled(text: str, data: str) -> str:
            return text.replace("{K}", data).replace("{A}", f"np.array({matrix})").replace("{n}", str(n))

        size = {"scalar": 0, "shorter": n - 1}.get(operation.result, n)
        tempting = filled(rng.choice(operation.tempting), again) if operation.tempting else ""
        step = Step(filled(spelled, data), (k,), (filled(rng.choice(operation.backward), again),), size, operation.name,
                    tempting)  # fmt: skip
        exact = self.exact[k] and operation.name in ("sort", "reverse", "roll", "max", "min", "first")
        return self._add(step, exact=exact)

    def _end(self) -> int | None:
        """Put everything that is not used yet into one number."""
        rng = self.rng
        used = {k for s in self.steps for k in s.operands}
        ends = [k for k, s in enumerate(self.steps) if k not in used and (k or len(self.steps) == 1)]
        # elements of x that nothing uses are left out
        ends = [k for k in ends if self.steps[k].name != "element"] or ends[:1]
        numbers = []
        for k in ends:
            if self.steps[k].size:
                done = self._of_array_at(rng.choice((*REDUCTIONS[:2], REDUCTIONS[10], REDUCTIONS[11])), k)
                if done is None:
                    return None
                k = done
            numbers.append(k)
        while len(numbers) > 1:
            a, b = numbers.pop(), numbers.pop()
            operation = rng.choice(BINARY[:3] + BINARY[:2])
            backward = tuple(f"{{g}}*({rng.choice(s)})" for s in operation.slopes)
            done = self._add(Step(operation.spellings[0], (a, b), backward, 0, operation.name))
            if done is None:
                return None
            numbers.append(done)
        if numbers[0] != len(self.steps) - 1:
            return self._add(Step("{0} + 0.5", (numbers[0],), ("{g}",), 0, "add"))
        return numbers[0]

    def _of_array_at(self, operation: OfArray, k: int) -> int | None:
        rng = self.rng
        n = self.steps[k].size
        data, again = _vector(n, self.values[k], rng)
        how, back = (
            text.replace("{K}", d).replace("{n}", str(n))
            for text, d in ((rng.choice(operation.spellings), data), (rng.choice(operation.backward), again))
        )
        return self._add(Step(how, (k,), (back,), 0, operation.name))


def _exactly(a: Any, b: Any, result: Any) -> bool:
    """Tell whether a − b is the result without rounding."""
    return all(
        Fraction(float(p)) - Fraction(float(q)) == Fraction(float(r))
        for p, q, r in zip(np.ravel(a), np.ravel(b), np.ravel(result), strict=True)
    )


def _inserted(piece: str, u: str) -> str:
    return re.sub(r"\bu\b", lambda _: u, piece)


def _summed(text: str, own: int, result: int) -> str:
    """Sum over what a number was spread over."""
    return f"np.sum({text})" if result and not own else text


def _constant(rng: random.Random) -> tuple[str, str]:
    """Return a number of the code and how it is spelled in the gradient."""
    pairs = (
        ("0.1", "0.1"), ("0.1", "1/10"), ("1/6", "0.16666666666666666"), ("4/6", "2/3"), ("0.3", "0.1*3"),
        ("2.0", "2"), ("0.5", "1/2"), ("np.pi", "np.pi"), ("0.0", "0.0"), ("1e-7", "1e-7"), ("3.0", "3.0"),
        ("1e-20", "1e-20"), ("7.25", "7.25"), ("1.0", "1.0"), ("-2.0", "-2.0"), ("0.7", "0.7"), ("np.e", "np.e"),
        ("np.sqrt(2)", "np.sqrt(2)"), ("np.sqrt(2)", "2**0.5"), ("1e5", "1e5"), ("np.log(2.0)", "np.log(2.0)"),
    )  # fmt: skip
    text, again = rng.choice(pairs)
    return f"({text})" if text.startswith("-") else text, f"({again})"


def _vector(n: int, value: Any, rng: random.Random) -> tuple[str, str]:
    kind = rng.random()
    if kind < 0.25 and n > 1:
        return f"np.linspace(0, 1, {n})", f"(np.arange({n})/{n - 1})"
    if kind < 0.4:
        return f"(np.arange({n}) + 1)", f"np.arange(1, {n + 1})"
    if kind < 0.5:
        return f"np.full({n}, 0.1)", f"(np.ones({n})*0.1)"
    if kind < 0.6:
        # exactly where the operand is
        text = f"np.array({[float(v) for v in value]!r})"
        return text, text
    text = f"np.array({[round(rng.uniform(-3, 3), 2) for _ in range(n)]!r})"
    return text, text
