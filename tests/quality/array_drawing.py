"""Programs of arrays, drawn: chains of steps as people write them, each with the code that carries a slope back.

A step turns an array ``i`` into an array ``o``; back, it turns ``g``, the slopes in ``o``,
    into those in ``i``. Both are
NumPy source. Steps without a way back are in programs that are compared with objects alone.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .array_truth import function_of

__all__ = ["STEPS", "Drawn", "draw"]

_MOST = 48
Random = np.random.Generator
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What turns ``i`` into ``o`` and ``g`` back, lines of source; ``c`` and ``d`` are what they use besides."""

    forward: str
    backward: str | None = None
    c: Any = None
    d: Any = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A function of x, the code of its gradient if there is one, what both use, and a point."""

    source: str
    gradient: str | None
    names: dict[str, Any]
    x: Any
    steps: tuple[str, ...]

    def __str__(self) -> str:
        return " -> ".join(self.steps)

    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Return the function and its gradient."""
        return function_of(self.source, **self.names), function_of(self.gradient or "x", **self.names)


def onto(g: Any, shape: Shape) -> Any:
    """Sum what was repeated."""
    g = np.sum(g, axis=tuple(range(g.ndim - len(shape))))
    for k, n in enumerate(shape):
        if n == 1:
            g = np.sum(g, axis=k, keepdims=True)
    return g


def numbers(random: Random, *shape: int) -> Any:
    """Draw numbers of full precision; exponents of 2 apart."""
    return random.choice((-1.0, 1.0), shape) * random.uniform(0.25, 1.5, shape)


STEPS: dict[str, Callable[[Random, Shape], Step | None]] = {}
Make = Callable[[Random, Shape], Step | None]


def step(make: Make) -> Make:
    STEPS[make.__name__.strip("_")] = make
    return make


# --- element by element ----------------------------------------------------------------------------------------------

_ELEMENTARY = [
    ("np.sin(i)", "np.cos(i) * g"), ("np.cos(i)", "-np.sin(i) * g"), ("np.tanh(i)", "(1 - o * o) * g"),
        ("np.exp(-i * i)", "-2 * i * o * g"),
    ("np.sqrt(1 + i * i)", "i / o * g"), ("np.log1p(i ** 2)", "2 * i / (1 + i ** 2) * g"),
        ("1 / (1 + np.exp(-i))", "o * (1 - o) * g"),
    ("i / (1 + np.abs(i))", "g / (1 + np.abs(i)) ** 2"), ("np.arctan(i)", "g / (1 + i * i)"),
        ("np.maximum(i, 0.1 * i)", "np.where(i > 0, 1, 0.1) * g"),
    ("np.clip(i, -0.6, 0.6)", "g * (np.abs(i) < 0.6)"), ("np.arcsinh(i)", "g / np.sqrt(1 + i * i)"),
        ("np.cbrt(2 + i * i)", "2 * i / (3 * o * o) * g"),
    ("i ** 3 - i", "(3 * i ** 2 - 1) * g"), ("np.hypot(i, 1.5)", "i / o * g"),
        ("np.arctan2(i, 2.0)", "2 * g / (4 + i * i)"), ("sp.erf(i)", None),
    ("sp.expit(i)", "o * (1 - o) * g"), ("np.logaddexp(i, 0)", "g / (1 + np.exp(-i))"),
        ("np.where(i > 0, i * i, np.sin(i))", "np.where(i > 0, 2 * i, np.cos(i)) * g"),
    ("sp.gammaln(3 + np.sin(i))", None), ("(2 + np.cos(i)) ** 1.5", "-1.5 * np.sqrt(2 + np.cos(i)) * np.sin(i) * g"),
        ("np.expm1(i / 4)", "(o + 1) / 4 * g"),
    ("2 ** np.sin(i)", None), ("np.square(i) * np.sign(i)", "2 * np.abs(i) * g"), ("i % 0.75 + i", "2 * g"),
]  # fmt: skip


@step
def _elementary(random: Random, shape: Shape) -> Step:
    forward, backward = _ELEMENTARY[random.integers(len(_ELEMENTARY))]
    return Step(f"o = {forward}", None if backward is None else f"g = {backward}")


@step
def _broadcast_with_constant(random: Random, shape: Shape) -> Step:
    # some axes of length 1, some left out, some more
    own = [int(n) if random.random() < 0.6 else 1 for n in shape][random.integers(len(shape) + 1) :]
    if random.random() < 0.4 and len(own) == len(shape):
        own = [2, *own]
    c = numbers(random, *own)
    way = random.integers(4)
    return [
        Step("o = i * c", "g = onto(g * c, i.shape)", c), Step("o = c - i", "g = -onto(g, i.shape)", c),
        Step("o = i / c", "g = onto(g / c, i.shape)", c), Step("o = c / (2 + i * i)",
            "g = onto(-2 * i * o / (2 + i * i) * g, i.shape)", c),
    ][way]  # fmt: skip


@step
def _with_a_part_of_itself(random: Random, shape: Shape) -> Step:
    if random.random() < 0.5:
        return Step(
            "o = i * i[..., :1]", "h = g * i[..., :1]\nh[..., :1] += np.sum(g * i, axis=-1, keepdims=True)\ng = h"
        )
    return Step("o = np.sin(i) - i.reshape(-1)[0]", "h = np.cos(i) * g\nh.reshape(-1)[0] -= np.sum(g)\ng = h")


# --- elements are moved ----------------------------------------------------------------------------------------------


@step
def _reshape(random: Random, shape: Shape) -> Step:
    size = int(np.prod(shape))
    first = int(random.choice([d for d in range(1, size + 1) if size % d == 0]))
    rest = size // first
    second = int(random.choice([d for d in range(1, rest + 1) if rest % d == 0]))
    new = [(size,), (first, -1), (first, second, rest // second)][random.integers(3)]
    return Step(f"o = i.reshape({new})", "g = g.reshape(i.shape)")


@step
def _transpose(random: Random, shape: Shape) -> Step:
    axes = random.permutation(len(shape)).tolist()
    return Step(f"o = np.transpose(i, {axes})", f"g = np.transpose(g, {np.argsort(axes).tolist()})")


@step
def _moveaxis(random: Random, shape: Shape) -> Step:
    one, two = random.integers(len(shape), size=2).tolist()
    name = random.choice(["moveaxis", "swapaxes"])
    return Step(f"o = np.{name}(i, {one}, {two})", f"g = np.{name}(g, {two}, {one})")


def _slice(random: Random, n: int) -> str:
    for _ in range(20):
        ends = [str(v) if random.random() < 0.6 else "" for v in random.integers(-n, n + 1, size=2)]
        key = f"{ends[0]}:{ends[1]}:{random.choice(['', '-1', '2', '-2'])}"
        if eval(f"list(range({n}))[{key}]"):
            return key
    return ":"


@step
def _basic_index(random: Random, shape: Shape) -> Step:
    keys = []
    for n in shape:
        r = random.random()
        keys.append(str(random.integers(-n, n)) if r < 0.2 and len(shape) > 1 and not keys else _slice(random, n))
    if random.random() < 0.3:
        keys.insert(random.integers(len(keys) + 1), "None")
    if random.random() < 0.3 and len(shape) > 1:
        keys[-1:] = ["...", keys[-1]]
    key = ", ".join(keys)
    return Step(f"o = i[{key}]", f"h = np.zeros(i.shape)\nh[{key}] += g\ng = h")


@step
def _fancy_index(random: Random, shape: Shape) -> Step:
    count, axis = int(random.integers(1, 5)), int(random.integers(len(shape)))
    index = random.integers(-shape[axis], shape[axis], size=count)
    if len(shape) > 1 and random.random() < 0.5:
        other = random.integers(shape[0], size=(2, 1)), random.integers(shape[1], size=count)
        return Step("o = i[c[0], c[1]]", "h = np.zeros(i.shape)\nnp.add.at(h, (c[0], c[1]), g)\ng = h", other)
    key = ", ".join([":"] * axis + ["c"])
    text = f"({key})" if axis else "c"
    back = text.replace(":", "slice(None)")
    return Step(f"o = i[{key}]", f"h = np.zeros(i.shape)\nnp.add.at(h, {back}, g)\ng = h", index)


@step
def _mask(random: Random, shape: Shape) -> Step:
    mask = random.random(shape) < 0.6
    mask.reshape(-1)[0] = True
    return Step("o = i[c]", "h = np.zeros(i.shape)\nh[c] = g\ng = h", mask)


@step
def _flip(random: Random, shape: Shape) -> Step:
    axis = int(random.integers(len(shape)))
    if random.random() < 0.5:
        return Step(f"o = np.flip(i, {axis})", f"g = np.flip(g, {axis})")
    shift = int(random.integers(-3, 4))
    return Step(f"o = np.roll(i, {shift}, axis={axis})", f"g = np.roll(g, {-shift}, axis={axis})")


@step
def _repeat(random: Random, shape: Shape) -> Step:
    axis = int(random.integers(len(shape)))
    if random.random() < 0.5:
        back = "g = g.reshape(2, *i.shape).sum(axis=0)"
        return Step(
            f"o = np.tile(i, (2, {', '.join(['1'] * (len(shape) - 1))}))" if len(shape) > 1 else "o = np.tile(i, 2)",
            back,
        )
    return Step(
        f"o = np.repeat(i, 2, axis={axis})",
        f"s = list(i.shape)\ng = g.reshape(*s[:{axis + 1}], 2, *s[{axis + 1}:]).sum(axis={axis + 1})",
    )


@step
def _pad(random: Random, shape: Shape) -> Step:
    widths = random.integers(0, 3, size=(len(shape), 2)).tolist()
    inner = ", ".join(f"{a}:{a} + i.shape[{k}]" for k, (a, _) in enumerate(widths))
    mode = random.choice(["constant", "edge", "wrap"])
    return Step(f"o = np.pad(i, {widths}, mode='{mode}')", f"g = g[{inner}]" if mode == "constant" else None)


@step
def _join(random: Random, shape: Shape) -> Step:
    axis = int(random.integers(len(shape)))
    c = numbers(random, *[2 if k == axis else n for k, n in enumerate(shape)])
    key = ", ".join([":"] * axis)
    dots = f"{key}, " if key else ""
    return [
        Step(f"o = np.concatenate([i, c, i * i], axis={axis})",
             f"n = i.shape[{axis}]\ng = g[{dots}:n] + 2 * i * g[{dots}n + 2:]", c),
        Step(f"o = np.stack([np.sin(i), i], axis={axis})",
             f"p, q = np.moveaxis(g, {axis}, 0)\ng = np.cos(i) * p + q"),
        Step(f"p = np.split(i, [1], axis={axis})\no = np.concatenate(p[::-1], axis={axis})",
            f"g = np.roll(g, 1, axis={axis})"),
        Step("o = np.append(i, i.reshape(-1)[:1])", "h = g[:-1].copy()\nh[0] += g[-1]\ng = h.reshape(i.shape)"),
    ][random.integers(4)]  # fmt: skip


@step
def _diagonal(random: Random, shape: Shape) -> Step | None:
    if len(shape) == 1:
        k = int(random.integers(-1, 2))
        return Step(f"o = np.diag(i, {k})", f"g = np.diagonal(g, {k})")
    if len(shape) == 2:
        k = int(random.integers(-1, 2))
        name = random.choice(["tril", "triu"])
        return Step(f"o = np.{name}(i, {k}) + 0.5", f"g = np.{name}(g, {k})")
    return Step("o = np.diagonal(i, axis1=0, axis2=2)")


@step
def _sorted(random: Random, shape: Shape) -> Step:
    axis = int(random.integers(len(shape)))
    if random.random() < 0.5:
        return Step(
            f"o = np.sort(i, axis={axis})",
            f"p = np.argsort(i, axis={axis})\nh = np.zeros(i.shape)\nnp.put_along_axis(h, p, g, axis={axis})\ng = h",
        )
    return Step(f"o = np.take_along_axis(i, np.argsort(-i, axis={axis})[::-1], axis={axis})")


@step
def _windows(random: Random, shape: Shape) -> Step | None:
    if shape[-1] < 2:
        return None
    return Step(
        "o = np.lib.stride_tricks.sliding_window_view(i, 2, axis=-1)",
        "h = np.zeros(i.shape)\nh[..., :-1] += g[..., 0]\nh[..., 1:] += g[..., 1]\ng = h",
    )


@step
def _where(random: Random, shape: Shape) -> Step:
    mask = random.random(shape) < 0.5
    return Step("o = np.where(c, i, np.sin(i))", "g = np.where(c, 1, np.cos(i)) * g", mask)


@step
def _writes(random: Random, shape: Shape) -> Step:
    key = _slice(random, shape[0])
    return [
        Step(f"o = i.copy()\no[{key}] *= 2", f"h = g.copy()\nh[{key}] *= 2\ng = h"),
        Step("o = i * 1\np = o.T\np[0] = 0.5", "h = g.copy()\nh.T[0] = 0\ng = h"),
        Step("o = np.zeros_like(i)\no[...] = i\no[1:] += i[:-1]", "h = g.copy()\nh[:-1] += g[1:]\ng = h"),
        Step("o = np.empty(i.shape)\nfor k in range(len(i)):\n    o[k] = np.sin(i[-1 - k])", "g = np.cos(i) * g[::-1]"),
        Step("o = i.copy()\nq = o.reshape(-1)\nq[0] += q[-1]",
            "h = g.copy()\nh.reshape(-1)[-1] += h.reshape(-1)[0]\ng = h"),
        Step("o = np.array(i)\nnp.multiply(o, c, out=o)\no += i", "g = g * (1 + c)", numbers(random, *shape)),
        Step("o = i.copy()\no[o > 0.5] = 0.5", "g = g * (i <= 0.5)"),
        Step("o = i * 1\nnp.add.at(o, 0, c)", "g = g", numbers(random)),
        Step("o = np.zeros(3)\nnp.add.at(o, c, i.reshape(-1))", "g = g[c].reshape(i.shape)",
             random.integers(3, size=int(np.prod(shape)))),
        Step("o = np.zeros((2, *i.shape))\no[:] = i", "g = g.sum(axis=0)"),
    ][random.integers(10)]  # fmt: skip


# --- elements are brought together -----------------------------------------------------------------------------------


def _axes(random: Random, shape: Shape) -> tuple[str, bool]:
    if random.random() < 0.3:
        return "None", bool(random.random() < 0.5)
    chosen = [k for k in range(len(shape)) if random.random() < 0.5] or [0]
    signed = [k - len(shape) if random.random() < 0.3 else k for k in chosen]
    return (str(signed[0]) if len(signed) == 1 else str(tuple(signed))), bool(random.random() < 0.5)


_REDUCTIONS = {
    "sum": "g = np.broadcast_to(h, i.shape)",
    "mean": "g = np.broadcast_to(h, i.shape) * (h.size / i.size)",
    "prod": "g = h * np.prod(i, axis=AXIS, keepdims=True) / i",
    "max": "g = h * (i == np.max(i, axis=AXIS, keepdims=True))",
    "min": "g = h * (i == np.min(i, axis=AXIS, keepdims=True))",
    "var": "m = np.mean(i, axis=AXIS, keepdims=True)\ng = h * (i - m) * (2 * h.size / i.size)",
    "linalg.norm": "g = h * i / np.sqrt(np.sum(i * i, axis=AXIS, keepdims=True))",
}


@step
def _reduction(random: Random, shape: Shape) -> Step:
    name = str(random.choice(list(_REDUCTIONS)))
    axis, kept = _axes(random, shape)
    if name == "linalg.norm" and "(" in axis:
        axis = "0"
    text = f"np.{name}(i, axis={axis}, keepdims={kept})"
    back = _REDUCTIONS[name].replace("AXIS", axis)
    whole = f"h = np.reshape(g, np.sum(i, axis={axis}, keepdims=True).shape)"
    return Step(f"o = np.atleast_1d({text})", f"{whole}\n{back}")


@step
def _along_an_axis(random: Random, shape: Shape) -> Step:
    axis = int(random.integers(-len(shape), len(shape)))
    turned = f"np.flip(np.cumsum(np.flip(T, {axis}), axis={axis}), {axis})"
    return [
        Step(f"o = np.cumsum(i, axis={axis})", f"g = {turned.replace('T', 'g')}"),
        Step(f"o = np.cumprod(i, axis={axis})", f"g = {turned.replace('T', 'g * o')} / i"),
        Step("o = np.cumsum(i)", "g = np.cumsum(g[::-1])[::-1].reshape(i.shape)"),
        Step(f"o = np.diff(i, axis={axis}, append=1.0)",
             f"h = np.moveaxis(np.zeros(i.shape), {axis}, 0)\np = np.moveaxis(g, {axis}, 0)\nh -= p\nh[1:] += p[:-1]\n"
             f"g = np.moveaxis(h, 0, {axis})"),
        Step(f"o = sp.softmax(i, axis={axis})", f"g = o * (g - np.sum(g * o, axis={axis}, keepdims=True))"),
        Step(f"o = sp.logsumexp(i, axis={axis}, keepdims=True)", "g = g * np.exp(i - o)"),
    ][random.integers(6)]  # fmt: skip


# --- products and systems --------------------------------------------------------------------------------------------


@step
def _einsum(random: Random, shape: Shape) -> Step:
    names = string.ascii_lowercase[: len(shape)]
    sizes = dict(zip(names, shape, strict=True), x=2, y=3)
    shared = [c for c in names if random.random() < 0.6]
    other = random.permutation([*shared, *"xy"[: random.integers(3)]]).tolist()
    if not other:
        other = ["x"]
    summed = {c for c in shared if random.random() < 0.6}
    result = random.permutation([c for c in dict.fromkeys([*names, *other]) if c not in summed]).tolist()
    term, out = "".join(other), "".join(result)
    c = numbers(random, *(sizes[k] for k in other))
    return Step(f"o = np.einsum('{names},{term}->{out}', i, c)", f"g = np.einsum('{out},{term}->{names}', g, c)", c)


@step
def _einsum_of_itself(random: Random, shape: Shape) -> Step | None:
    n = shape[-1]
    if len(shape) == 1:
        return [
            Step("o = np.einsum('a,b->ab', i, i)", "g = (g + g.T) @ i"),
                Step("o = np.einsum('a,a->a', i, i)", "g = 2 * g * i"),
            Step("o = np.einsum('a,ab,b->b', i, c, i)", None, numbers(random, n, n)),
        ][random.integers(3)]  # fmt: skip
    a = string.ascii_lowercase[: len(shape)]
    return [
        Step("o = np.einsum('...a,...a->...', i, c)", "g = g[..., None] * c", numbers(random, n)),
        Step(f"o = np.einsum('{a},{a}->{a[::-1]}', i, i)", "g = 2 * i * np.transpose(g)"),
        Step(f"o = np.einsum('{a},x{a[1:]},{a[-1]}->x{a[0]}', i, i, c)", None, numbers(random, n)),
        Step("o = np.einsum('...a,ab->b...', i, c)", None, numbers(random, n, 2)),
        Step("o = np.einsum('aa...->a...', i[: min(i.shape[:2]), : min(i.shape[:2])])"),
    ][random.integers(5)]


@step
def _matmul(random: Random, shape: Shape) -> Step:
    n = shape[-1]
    if len(shape) == 1:
        return [
            Step("o = i @ c", "g = c @ g", numbers(random, n, 3)),
                Step("o = c @ i", "g = c.T @ g", numbers(random, 2, n)),
            Step("o = c @ i", None, numbers(random, 2, 2, n)),
                Step("o = np.outer(i, c)", "g = g @ c", numbers(random, 3)),
            Step("o = np.kron(i, c)", "g = g.reshape(-1, 2) @ c", numbers(random, 2)),
            Step("o = np.convolve(i, c)", "g = np.correlate(g, c)" if n >= 2 else None, numbers(random, 2)),
        ][random.integers(6)]  # fmt: skip
    return [
        Step("o = i @ c", "g = g @ c.T", numbers(random, n, 2)),
        Step("o = i @ c", "g = g[..., None] * c", numbers(random, n)),
        Step("o = c @ i", "g = onto(np.swapaxes(c, -1, -2) @ g, i.shape)", numbers(random, 2, 2, shape[-2])),
        Step("o = i @ np.swapaxes(i, -1, -2)", "g = (g + np.swapaxes(g, -1, -2)) @ i"),
        Step("o = np.dot(i, c)", "g = np.dot(g, c.T)", numbers(random, n, 2)),
        Step("o = np.tensordot(i, c, ([-1], [0]))", "g = np.tensordot(g, c, ([-2, -1], [1, 2]))",
            numbers(random, n, 2, 1)),
        Step("o = np.kron(i.reshape(i.shape[0], -1), c)", None, numbers(random, 1, 2)),
        Step("o = np.vecdot(i, c)", "g = g[..., None] * c", numbers(random, n)),
        Step("o = np.inner(i, c)", "g = g @ c", numbers(random, 2, n)),
    ][random.integers(9)]  # fmt: skip


@step
def _system(random: Random, shape: Shape) -> Step | None:
    n = shape[0]
    if n > 4:
        return None
    start = "m = i.reshape(i.shape[0], -1)\ns = m @ m.T + d\n"
    end = "\ng = ((h + h.T) @ m).reshape(i.shape)"
    d = 1.5 * np.eye(n)
    return [
        Step(
            f"{start}o = np.linalg.solve(s, c)",
            f"{start}p = np.linalg.solve(s, g)\nh = -p @ o.T{end}",
            numbers(random, n, 2),
            d,
        ),
        Step(f"{start}o = np.linalg.inv(s)", f"{start}h = -o.T @ g @ o.T{end}", None, d),
        Step(f"{start}o = np.atleast_1d(np.linalg.det(s) / 10)", f"{start}h = g * o * np.linalg.inv(s){end}", None, d),
        Step(f"{start}o = np.atleast_1d(np.linalg.slogdet(s)[1])", f"{start}h = g * np.linalg.inv(s){end}", None, d),
        Step(f"{start}o = np.linalg.cholesky(s)", None, None, d),
        Step(f"{start}o = np.linalg.solve(s, m)", None, None, d),
    ][random.integers(6)]


# --- chains ----------------------------------------------------------------------------------------------------------


def _numbered(text: str, k: int, own: dict[str, str]) -> str:
    """Put the names of step k in place of i, o, c, d."""
    letters = {"i": f"a{k}", "o": f"a{k + 1}", **own}
    out, word = [], ""
    quoted = False
    for ch in text + "\n":
        if ch.isalnum() or ch == "_":
            word += ch
            continue
        before = out[-1] if out else ""
        out.append(word if quoted or before.endswith(".") else letters.get(word, word))
        quoted ^= ch == "'"
        out.append(ch)
        word = ""
    return "".join(out)[:-1]


def draw(seed: int, *, back: bool = False) -> Drawn:
    """Draw a program; with ``back``, one whose gradient has code."""
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 5, size=random.integers(1, 4)).tolist())
    x = numbers(random, *shape)
    names: dict[str, Any] = {"onto": onto}
    forward, backward, chosen = ["a0 = x"], [], []
    value = x
    wanted = int(random.integers(2, 6))
    for _ in range(100):
        k = len(chosen)
        if k == wanted:
            break
        name = str(random.choice(list(STEPS)))
        made = STEPS[name](random, value.shape)
        if made is None or (back and made.backward is None):
            continue
        own = {letter: f"{letter}{k}" for letter in ("c", "d") if getattr(made, letter) is not None}
        more = {f"{letter}{k}": getattr(made, letter) for letter in own}
        lines = _numbered(made.forward, k, own)
        try:
            found = function_of("\n".join([*forward, lines, f"return a{k + 1}"]), **names, **more)(x)
        except ValueError:
            # shapes that do not fit
            continue
        compares = any(word in lines for word in ("max(", "min(", "sort"))
        if compares and np.unique(value).size < value.size:
            # equal numbers have more slopes than one
            continue
        if not 0 < np.size(found) <= _MOST or np.abs(found).max() > 20 or np.ndim(found) > 4 or not np.ndim(found):
            continue
        names |= more
        forward.append(lines)
        backward.append("" if made.backward is None else _numbered(made.backward, k, own))
        chosen.append(name)
        value = found
    names["w"] = numbers(random, *value.shape)
    source = "\n".join([*forward, f"return np.sum(w * a{len(chosen)})"])
    gradient = "\n".join([*forward, "g = w", *backward[::-1], "return g"]) if all(backward) else None
    return Drawn(source, gradient, names, x, tuple(chosen))
