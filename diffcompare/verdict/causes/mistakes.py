"""Mistakes in a gradient that show in its values alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.floats import Flags, Floats, unit_roundoff

__all__ = [
    "RARE",
    "UNNAMED",
    "Cause",
    "Facts",
    "added_shift",
    "clipped",
    "constant_factors",
    "leftovers",
    "lost_precision",
    "simple_mistakes",
    "unnamed_factor",
    "where",
    "written",
    "wrong_order",
]

Mask = Flags

# of a factor that nothing is known of
UNNAMED = "times the true value"
# the chance that a match is an accident, all candidates of its kind together
_CHANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a gradient is wrong.

    Parameters
    ----------
    kind : str
        ``not finite``, ``treated as constant``, ``sign``, ``factor``, ``permuted``, ``shifted``, ``transposed``,
        ``missing term``, ``extra term``, ``chain factor``, ``other function``, ``clipped``, ``float32``,
        ``finite difference``, ``in place`` or ``one component``.
    text : str
        One plain sentence, without a full stop.
    components : tuple of int
        The components that are wrong.
    key : str
        What must be found again at other points; default the text.
    number : tuple of float
        A number that was read off the gradient, and how exactly it is known; the same at every point.
    """

    kind: str
    text: str
    components: tuple[int, ...]
    key: str = ""
    number: tuple[float, float] = (0.0, 0.0)

    def __str__(self) -> str:
        return self.text

    def is_same(self, other: Cause) -> bool:
        """Tell whether what was found at another point is this cause."""
        (one, near), (two, close) = self.number, other.number
        return (self.key or self.text) == (other.key or other.text) and abs(one - two) <= near + close


@dataclass(frozen=True, slots=True)
class Facts:
    """The claim g, the truth D, the error e, how exactly it is known, and which components are wrong.

    ``further`` points are asked whether what is found holds there too; None at these points, where it is only found
    again.
    """

    g: Floats
    D: Floats
    e: Floats
    slack: Floats
    wrong: Mask
    names: Sequence[str]
    further: int | None = 0

    def fits(self, predicted: NDArray[Any], among: Mask | None = None) -> bool:
        """Tell whether a prediction of the error equals it in every component (of ``among``)."""
        with np.errstate(all="ignore"):
            right = np.abs(predicted - self.e) <= self.slack
        return bool(right.all() if among is None else right[among].all())

    def certain(self, candidates: float, *, free: int = 0) -> bool:
        """Tell whether a match cannot be chance, ``free`` components having served to choose the candidate."""
        if self.further is None:
            return True
        odds = np.sort(np.log10(np.minimum(1.0, 2 * self.slack[self.wrong] / np.abs(self.e[self.wrong]) + 1e-300)))
        accident = float(odds[free:].sum()) + self.further * float(odds.sum())
        return math.log10(max(candidates, 1.0)) + accident <= math.log10(_CHANCE)

    def cause(self, kind: str, text: str, *, key: str = "", number: tuple[float, float] = (0.0, 0.0)) -> Cause:
        """Return a cause of all that is wrong."""
        return Cause(kind, text, tuple(np.flatnonzero(self.wrong).tolist()), key, number)

    @property
    def alone(self) -> bool:
        """Whether one number of one component is all that is known: what is read off it fits by itself."""
        return self.wrong.sum() == 1 and self.further == 0

    def label(self) -> str:
        """Name the first component that is wrong."""
        return self.names[int(np.flatnonzero(self.wrong)[0])]

    def where(self) -> str:
        """Say which components are wrong: nothing for the only one, else all that could be."""
        some = np.flatnonzero(self.wrong)
        if len(self.g) > 1 and len(some) == np.count_nonzero(self.D):
            return " in every component"
        return where(some, self.names, len(self.g))


def where(some: NDArray[np.intp], names: Sequence[str], n: int) -> str:
    """Say where, in words that follow a statement; nothing for the only component."""
    if n == 1:
        return ""
    if len(some) == n:
        return " in every component"
    return f" in {_listed(some, names)}" if len(some) > 1 else f" in component {names[int(some[0])]}"


def _listed(some: Sequence[int] | NDArray[np.intp], names: Sequence[str]) -> str:
    shown = [names[int(i)] for i in some[:4]]
    rest = [f"{len(some) - 4} more"] if len(some) > 4 else []
    words = shown + rest
    return "components " + ", ".join(words[:-1]) + f" and {words[-1]}"


# of so many components n/(n - 1) is rather a number that people write
_FEW = 5
# ratio of claim and truth -> how it is written; the inverse of each is tried as well
_COMMON = {
    "2": 2.0,
    "pi/180": math.pi / 180,
    "ln 10": math.log(10),
    "ln 2": math.log(2),
    "pi": math.pi,
    "2*pi": 2 * math.pi,
}
RARE = (
    {str(k): float(k) for k in range(3, 1001)}
    | {f"10**{k}": 10.0**k for k in range(4, 13)}
    | {"sqrt(2)": math.sqrt(2), "sqrt(pi)": math.sqrt(math.pi), "sqrt(2*pi)": math.sqrt(2 * math.pi)}
    | {f"{text}/pi": float(text) / math.pi for text in ("3.14", "3.1416", "3.14159")}
    | {f"{p}/{q}": p / q for p in range(3, 13) for q in range(2, p) if math.gcd(p, q) == 1}
)


def simple_mistakes(facts: Facts) -> Iterator[Cause]:
    """Zero, the sign, and the constants that are forgotten most often."""
    g, D, wrong = facts.g, facts.D, facts.wrong
    if (g[wrong] == 0).all() and facts.certain(1):
        is_0, plural = ("are 0", "s are") if wrong.sum() > 1 else ("is 0", " is")
        if len(g) == 1 or not g.any():
            yield facts.cause("treated as constant", "the claim is 0: the function is treated as constant")
        what = _listed(np.flatnonzero(wrong), facts.names) if wrong.sum() > 1 else f"component {facts.label()}"
        yield facts.cause("treated as constant", f"{what} {is_0}: the variable{plural} treated as constant")
    elif facts.fits(np.where(wrong, -D, 0.0)) and facts.certain(1) and (D[wrong] != 0).all():
        # that every term is missing would be said, too
        most = float(np.max(np.abs(g[wrong] / D[wrong])))
        key = f"at most about 0 {UNNAMED}{facts.where()}"
        yield facts.cause("factor", f"the claim is at most {most:.2g} {UNNAMED}{facts.where()}", key=key)
    if facts.fits(np.where(wrong, -2 * D, 0.0)) and facts.certain(1):
        everywhere = wrong.sum() == np.count_nonzero(D)
        hint = " (a descent direction)" if everywhere else ""
        yield facts.cause("sign", f"the sign is flipped{facts.where()}{hint}")
    n = len(g)
    of_count = {"n": float(n)} if n > 2 else {}
    if n > _FEW and wrong.sum() > 1:
        of_count["n/(n - 1)"] = n / (n - 1)
    yield from constant_factors(facts, _COMMON | of_count)


def constant_factors(facts: Facts, named: dict[str, float]) -> Iterator[Cause]:
    """One constant factor in every component that is wrong."""
    D, wrong, n = facts.D, facts.wrong, len(facts.g)
    if not facts.certain(4 * len(named)) or (D[wrong] == 0).any():
        return
    k = int(np.flatnonzero(wrong)[np.argmax(np.abs(D[wrong]))])
    ratio, near = 1 + facts.e[k] / D[k], facts.slack[k] / abs(D[k]) + 1e-12
    for name, a in named.items():
        text = f"n = {n}" if name == "n" else name
        for sign, also in ((1, ""), (-1, ", and the sign is flipped")):
            for value, said, pattern in ((1 / a, "missing", "D/{0}"), (a, "too many", "{0}*D")):
                if abs(sign * value - ratio) <= near * (1 + abs(ratio)) and facts.fits(
                    np.where(wrong, (sign * value - 1) * D, 0.0)
                ):
                    factor = f"({name})" if "/" in name or "*" in name else name
                    claim = pattern.format(factor)
                    degrees = " (degrees and radians)" if name == "pi/180" else ""
                    yield facts.cause(
                        "factor", f"factor {text} {said}: the claim is {claim}{facts.where()}{also}{degrees}"
                    )


def wrong_order(facts: Facts, shape: tuple[int, ...] | None) -> Iterator[Cause]:
    """Components in another order."""
    g, D, names, n = facts.g, facts.D, facts.names, len(facts.g)
    some = np.flatnonzero(facts.wrong)
    if n < 2 or not facts.certain(math.factorial(min(len(some), 12)) * n):
        return
    # either the array is turned, or it was flattened by columns
    turned = [D.reshape(s).T.ravel() for s in (shape, shape[::-1])] if shape and len(shape) == 2 else []
    if any(facts.fits(other - D) for other in turned):
        yield facts.cause("transposed", "the components are transposed: rows and columns are exchanged")
    if len(some) > 1:
        for k in (1, -1) if n > 2 else ():
            inner = np.ones(n, dtype=bool)
            inner[0 if k == 1 else -1] = False
            if facts.fits(np.roll(D, k) - D) or (n > 3 and facts.fits(np.roll(D, k) - D, inner)):
                yield facts.cause("shifted", f"the components are shifted by one {'up' if k == 1 else 'down'}")
        for k in range(2, n - 1) if n < 1000 else ():
            if facts.fits(np.roll(D, k) - D):
                yield facts.cause("shifted", f"the components are shifted by {k}")
        by_claim, by_truth = (some[np.argsort(values[some], kind="stable")] for values in (g, D))
        source = np.arange(n)
        source[by_claim] = by_truth
        if facts.fits(D[source] - D):
            if len(some) == 2:
                how = f"{names[some[0]]} and {names[some[1]]} are swapped"
            elif n > 2 and facts.fits(D[::-1] - D):
                how = "they are in reverse order"
            else:
                how = "the claim has " + ", ".join(f"{names[source[i]]} at {names[i]}" for i in some[:4])
                how += ", …" if len(some) > 4 else ""
            yield facts.cause("permuted", f"the components are permuted: {how}")
    elif facts.certain(n):
        for j in range(n):
            if j != some[0] and D[j] != 0 and facts.fits(np.where(facts.wrong, D[j] - D, 0.0)):
                yield facts.cause("permuted", f"component {names[some[0]]} repeats component {names[j]}")


def lost_precision(facts: Facts) -> Iterator[Cause]:
    """Values of float32 (or float16) in a float64 gradient."""
    g, D, e = facts.g, facts.D, np.abs(facts.e)
    for kind, name, u in ((np.float32, "float32", 2.0**-24), (np.float16, "float16", 2.0**-11)):
        with np.errstate(all="ignore"):
            coarse = (g.astype(kind).astype(np.float64) == g).all()
            coarse &= not (D.astype(kind).astype(np.float64) == D)[facts.wrong].any()
        size = np.max(np.abs(D))
        if coarse and (e <= 64 * u * size).all() and e[facts.wrong].max() < 64 * u * size:
            yield facts.cause("float32", f"the claim has the precision of {name}: every value is one of its numbers")


def clipped(facts: Facts) -> Iterator[Cause]:
    """A limit of every component, or of the norm."""
    g, D, wrong = facts.g, facts.D, facts.wrong
    size = float(np.max(np.abs(g)))
    held = (np.abs(g[wrong]) == size) & (np.abs(D[wrong]) > size) & (np.sign(g[wrong]) == np.sign(D[wrong]))
    if size > 0 and held.all() and (wrong.sum() > 1 or _is_round(size)):
        at = f"the claim is clipped at {size:.6g}"
        yield facts.cause("clipped", f"{at}{facts.where()}", key=at)
    norm = float(np.sqrt(np.sum(g.astype(np.longdouble) ** 2)))
    true = float(np.sqrt(np.sum(D.astype(np.longdouble) ** 2)))
    spread = float(np.max(facts.slack))
    if len(g) > 1 and norm > 0 and _is_round(norm, spread) and norm < true:
        exact = np.longdouble(float(f"{norm:.3g}")) / true
        if facts.fits((exact - 1) * D) and facts.certain(1000, free=1):
            yield facts.cause("clipped", f"the claim is clipped: it is D scaled to the norm {norm:.3g}")


def _is_round(value: float, spread: float = 0.0) -> bool:
    """Tell whether a number has at most two significant digits, up to a few ulps."""
    return abs(value - float(f"{value:.2g}")) <= 8 * unit_roundoff * abs(value) + spread


def unnamed_factor(facts: Facts) -> Iterator[Cause]:
    """One factor without a name in several components."""
    D, wrong = facts.D, facts.wrong
    if not facts.alone and (D[wrong] != 0).all():
        k = int(np.flatnonzero(wrong)[np.argmax(np.abs(D[wrong]))])
        excess, near = float(facts.e[k] / D[k]), float(facts.slack[k] / abs(D[k]))
        if facts.fits(np.where(wrong, excess * D, 0.0)) and facts.certain(1, free=1):
            yield facts.cause(
                "factor",
                f"the claim is {written(excess)} {UNNAMED}{facts.where()}",
                key=f"{UNNAMED}{facts.where()}",
                number=(excess, near),
            )


def added_shift(facts: Facts, point: Sequence[float] | None) -> Iterator[Cause]:
    """One constant, or one multiple of the point, added to every component (of which some may be too small to see)."""
    e, wrong, n = facts.e, facts.wrong, len(facts.g)
    if facts.alone:
        return
    middle = float(np.median(e[wrong]))
    if wrong.all() and facts.fits(np.full(n, middle)) and facts.certain(1, free=1):
        everywhere = " to every component" if n > 1 else ""
        yield facts.cause(
            "extra term",
            f"the constant {_short(middle)} is added{everywhere}",
            key=f"a constant is added{everywhere}",
            number=(middle, float(np.median(facts.slack[wrong]))),
        )
    if point is not None and len(point) == n:
        x = np.asarray(point, dtype=np.float64)
        k = int(np.argmax(np.abs(x)))
        if x[k] and facts.fits(e[k] / x[k] * x) and facts.certain(1, free=1):
            size, extra = _short(abs(e[k] / x[k])), e[k] * x[k] > 0
            added = f"the extra term {size}*x is added: the gradient of a regulariser"
            yield facts.cause(
                "extra term" if extra else "missing term",
                added if extra else f"the term {size}*x is missing: the gradient of a regulariser",
                key="a multiple of x is added",
                number=(float(e[k] / x[k]), float(facts.slack[k] / abs(x[k]))),
            )


def leftovers(facts: Facts) -> Iterator[Cause]:
    """A factor that is a round number in one component, or just one component."""
    D, e, wrong, n = facts.D, facts.e, facts.wrong, len(facts.g)
    if (D[wrong] != 0).all():
        k = int(np.flatnonzero(wrong)[np.argmax(np.abs(D[wrong]))])
        excess = float(e[k] / D[k])
        # a single ratio says something only if it is a round number
        for value, offset in ((1 + excess, 1.0), (excess, 0.0)):
            rounded = float(f"{value:.2g}")
            if wrong.sum() == 1 and facts.fits(np.where(wrong, (rounded - offset) * D, 0.0)) and facts.certain(400):
                yield facts.cause("factor", f"the claim is {written(excess)} {UNNAMED}{facts.where()}")
    if wrong.sum() == 2 and facts.certain(1, free=1):
        # where the right contribution is lacking is not to be told from where it stands wrongly
        i, j = (int(k) for k in np.flatnonzero(wrong))
        if abs(e[i] + e[j]) <= facts.slack[i] + facts.slack[j]:
            a, b = facts.names[i], facts.names[j]
            where_ = f"stands in the wrong one of {a} and {b}"
            yield facts.cause("shifted", f"a contribution of {_short(abs(e[i]))} {where_}", key=where_)
    if wrong.sum() == 1 and n > 2:
        excess = float(e[wrong][0] / D[wrong][0]) if D[wrong][0] else math.inf
        # one factor on all may be too small to be seen in the others
        if math.isfinite(excess) and facts.fits(excess * D):
            return
        only = f"only component {facts.label()} is wrong"
        yield facts.cause("one component", f"{only}, by {_short(float(e[wrong][0]))}", key=only)


def written(excess: float) -> str:
    """Write 1 + excess with enough digits to tell it from 1."""
    return f"{1 + excess:.6g}" if abs(excess) > 1e-4 else f"1 {'+' if excess > 0 else '-'} {abs(excess):.3g}"


def _short(value: float) -> str:
    return f"{value:.6g}"
