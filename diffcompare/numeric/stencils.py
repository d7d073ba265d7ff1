"""Finite-difference schemes as values: where f is evaluated, with which weights, how the error starts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from diffcompare.errors import shorten, shown
from diffcompare.numeric.weights import difference_weights, moment, peano_bound

__all__ = ["COMPLEX_STEP", "DEFAULT_SCHEMES", "SCHEME_FORMS", "Stencil", "check_derivative", "check_schemes", "stencil"]

# a name among the schemes, and no stencil
COMPLEX_STEP = "complex"
DEFAULT_SCHEMES = ("forward", "backward", "central")
SCHEME_FORMS = (
    "forward, backward, central, one of these with its order, as forward2, central4, offsets in brackets, "
    "as [0, 1, 3], or complex"
)

_NAME = re.compile(r"(forward|backward|central)([1-9]\d?)?", re.ASCII)
# short numbers, so that exact weights stay small
_OFFSET = r"\s*-?\d{1,6}(?:\.\d{1,6}|/\d{1,6})?\s*"
_LISTED = re.compile(rf"\[{_OFFSET}(?:,{_OFFSET}){{1,20}}\]", re.ASCII)
_HIGHEST = 20  # of the order of a name, and of a derivative
# whole weights up to here are numbers of binary64
_WHOLE = 2**53
_DIFFERENCE = (Fraction(1), Fraction(-1))


@dataclass(frozen=True, slots=True, init=False)
class Stencil:
    """A finite difference: the derivative of order q as a weighted sum of values of f.

    With c_j the weights, D̂ = Σ c_j·f(x + o_j·h)/h^q. What is evaluated, in floating point and in this order:

    - the abscissae x + h, x − h, and x + fl(o·h) for other offsets o (rounded to a float first, if it is none);
    - with d the least common denominator of the weights and w_j = d·c_j whole numbers, the products w_j·f(x + o_j·h)
      (none for w_j = ±1) and their sum from left to right, the largest offset first;
    - the divisor d·h^q as (d·h)·h·h… (none for d = 1), and the quotient.

    So ``central`` is (f(x + h) − f(x − h))/(2h) and ``central4`` is
    (−f(x + 2h) + 8f(x + h) − 8f(x − h) + f(x − 2h))/(12h). Where a w_j is beyond 2⁵³, d = 1 and w_j = fl(c_j).

    Parameters
    ----------
    offsets : sequence of numbers
        In units of h, in any order, all different; a float stands for its binary value, ``Fraction`` for itself.
    derivative : int
        q, the order of the derivative, at least 1.
    weights : sequence of numbers, optional
        One for each offset; default: those of the highest order (Fornberg).
    name : str, optional
        Its name in tables; default: the offsets in brackets.

    Attributes
    ----------
    order : int
        Order of accuracy p: the truncation error is O(hᵖ).
    factors, divisor : tuple of Fraction, int
        w_j and d.

    Raises
    ------
    ValueError
        Repeated offsets, too few of them, or weights that do not give the derivative of every polynomial of degree
        ≤ q.

    Examples
    --------
    >>> Stencil([-1, 0, 2]).order
    2
    >>> [str(c) for c in Stencil([-1, 0, 1], derivative=2).weights]
    ['1', '-2', '1']
    """

    offsets: tuple[Fraction, ...]
    derivative: int
    weights: tuple[Fraction, ...]
    name: str
    order: int
    factors: tuple[Fraction, ...]
    divisor: int

    def __init__(
        self,
        offsets: Sequence[Any],
        derivative: int = 1,
        weights: Sequence[Any] | None = None,
        name: str | None = None,
    ) -> None:
        places = [_number(o, "offset") for o in offsets]
        q = check_derivative(derivative)
        if len(set(places)) != len(places):
            raise ValueError(f"offsets={shown(list(offsets), 80)}: an offset is repeated; list each once")
        if len(places) <= q:
            raise ValueError(
                f"offsets={shown(list(offsets), 80)}: {len(places)} values of f do not determine a derivative "
                f"of order {q}; give at least {q + 1} offsets"
            )
        found = difference_weights(places, q) if weights is None else [_number(c, "weight") for c in weights]
        if len(found) != len(places):
            raise ValueError(f"weights: {len(found)} for {len(places)} offsets; give one for each")
        pairs = sorted(((o, c) for o, c in zip(places, found, strict=True) if c), key=lambda pair: -pair[0])
        kept, used = tuple(o for o, _ in pairs), tuple(c for _, c in pairs)
        for n in range(q + 1):
            wanted = math.factorial(q) if n == q else 0
            if (is_ := moment(kept, used, n)) != wanted:
                raise ValueError(
                    f"weights: the sum of weight times offset**{n} is {shorten(str(is_), 40)} and must be {wanted} for "
                    f"a derivative of order {q}; correct them, or leave them out"
                )
        order = next(p for p in range(1, 2 * len(kept) + q + 2) if moment(kept, used, q + p))
        divisor: int = math.lcm(*(c.denominator for c in used))
        factors = tuple(c * divisor for c in used)
        if divisor > _WHOLE or any(abs(w) > _WHOLE for w in factors):
            divisor, factors = 1, used
        text = f"[{', '.join(map(str, sorted(kept)))}]" if name is None else name
        if not 0 < len(text) <= 200 or not text.isprintable():
            raise ValueError(f"name={shown(text, 80)}: must be 1 to 200 visible characters; give a short name")
        for field, value in (
            ("offsets", kept), ("derivative", q), ("weights", used), ("name", text), ("order", order),
            ("factors", factors), ("divisor", divisor),
        ):  # fmt: skip
            object.__setattr__(self, field, value)

    def error_coefficient(self, m: int) -> Fraction:
        """Return a such that a·c·hᵐ is the term of order m of the truncation error, c = F^(m+q)(x)/(m+q)!.

        From Taylor's theorem at x, term by term: Σ c_j·o_j^(m+q).
        """
        return moment(self.offsets, self.weights, m + self.derivative)

    def remainder_coefficient(self, n: int) -> Fraction:
        """Return b such that b·sup|F^(n)/n!|·h^(n−q) bounds what the terms from n on contribute, n > q.

        Lagrange's remainder at every abscissa, Σ |c_j|·|o_j|ⁿ; Peano's kernel where that is less, at n = p + q.
        """
        lagrange = moment([abs(o) for o in self.offsets], [abs(c) for c in self.weights], n)
        if n != self.order + self.derivative:
            return lagrange
        return min(lagrange, self.peano_constant * math.factorial(n))

    @property
    def peano_constant(self) -> Fraction:
        """Return κ with |T| ≤ κ·hᵖ·sup|F^(p+q)|: Peano's constant, or a bound within some percent of it."""
        return _peano(self)

    @property
    def reach(self) -> tuple[Fraction, Fraction]:
        """Return the lowest and the highest offset, that of x itself included."""
        return min(*self.offsets, Fraction(0)), max(*self.offsets, Fraction(0))

    @property
    def mass(self) -> Fraction:
        """Return half of Σ |w_j|: so much of differences of two values of f is added up."""
        return sum((abs(w) for w in self.factors), Fraction(0)) / 2

    @property
    def is_difference(self) -> bool:
        """Tell whether two values are subtracted as they are."""
        return self.factors == _DIFFERENCE


@lru_cache(maxsize=256)
def _peano(chosen: Stencil) -> Fraction:
    return peano_bound(chosen.offsets, chosen.weights, chosen.derivative, chosen.order)


def _number(value: Any, what: str) -> Fraction:
    try:
        return Fraction(value if isinstance(value, (int, float, str)) or hasattr(value, "numerator") else float(value))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise ValueError(f"{what} {shown(value, 40)}: must be a finite number") from None


def check_derivative(derivative: object) -> int:
    """Return the order of a derivative, ``ValueError`` for what is none."""
    if isinstance(derivative, bool) or not hasattr(derivative, "__index__"):
        raise ValueError(f"derivative={shown(derivative, 40)}: must be a whole number; pass derivative=2")
    q = int(derivative.__index__())
    if not 1 <= q <= _HIGHEST:
        raise ValueError(f"derivative={q}: orders 1 to {_HIGHEST} are supported")
    return q


def stencil(scheme: str | Stencil, derivative: int | None = None) -> Stencil:
    """Return the stencil of a scheme, for the first derivative unless told otherwise.

    ``forward`` and ``backward`` have order 1 and ``central`` order 2; a number after the name is another order. The
    offsets are 0, 1, …, p + q − 1 (forward), their negatives (backward), and those around 0 (central).
    ``"[-1, 0, 5/2]"`` is ``Stencil([-1, 0, 2.5])``. The complex step has none, and is refused.
    """
    if isinstance(scheme, Stencil):
        if derivative is not None and scheme.derivative != derivative:
            raise ValueError(
                f"scheme {scheme.name!r} is one of derivative={scheme.derivative}; pass that, not {derivative!r}"
            )
        return scheme
    q = 1 if derivative is None else check_derivative(derivative)
    if scheme == COMPLEX_STEP:
        if q > 1:
            raise ValueError(
                f'derivative={q}: scheme="complex" is one of first derivatives; choose "central" for others'
            )
        raise ValueError('scheme="complex": a weighted sum of values of f is needed here; choose "central"')
    if isinstance(scheme, str) and _LISTED.fullmatch(scheme):
        return _listed(scheme, q)
    found = _NAME.fullmatch(scheme) if isinstance(scheme, str) else None
    if found is None:
        raise ValueError(f"scheme={shown(scheme, 60)}: unknown scheme; choose from {SCHEME_FORMS}")
    usual = 2 if found[1] == "central" else 1
    order = int(found[2] or usual)
    if found[2] and (order == usual or order > _HIGHEST or (usual == 2 and order % 2)):
        raise ValueError(
            f"scheme={scheme!r}: unknown scheme; orders up to {_HIGHEST} are written out, even ones for central, "
            f"and {found[1]} alone has order {usual}"
        )
    return _named(found[1], order, q, scheme)


@lru_cache(maxsize=256)
def _named(kind: str, order: int, derivative: int, name: str) -> Stencil:
    if kind == "central":
        reach = (derivative + 1) // 2 + order // 2 - 1
        return Stencil(range(-reach, reach + 1), derivative, name=name)
    sign = 1 if kind == "forward" else -1
    return Stencil([sign * k for k in range(order + derivative)], derivative, name=name)


@lru_cache(maxsize=256)
def _listed(text: str, derivative: int) -> Stencil:
    return Stencil([offset.strip() for offset in text[1:-1].split(",")], derivative)


def check_schemes(schemes: str | Stencil | Sequence[str | Stencil], derivative: int | None = None) -> list[Stencil]:
    """Return the stencils of some schemes, repeated ones dropped; ``ValueError`` for none or an unknown one.

    All are of one derivative: the one given, else that of the first ``Stencil``, else 1.
    """
    given = [schemes] if isinstance(schemes, (str, Stencil)) else list(schemes)
    if not given:
        raise ValueError(f"schemes={schemes!r}: no scheme; choose from {SCHEME_FORMS}")
    if derivative is None:
        derivative = next((s.derivative for s in given if isinstance(s, Stencil)), 1)
    found: dict[str, Stencil] = {}
    for scheme in given:
        chosen = stencil(scheme, derivative)
        if found.setdefault(chosen.name, chosen) != chosen:
            raise ValueError(f"schemes: {chosen.name!r} is the name of two schemes; give each Stencil its own name=")
    return list(found.values())
