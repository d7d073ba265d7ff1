"""What may stand for a part of a gradient: an addend or a local partial, and how it is said.

One table for programs of numbers and of arrays. A local partial p of y in the operand x is what a use of x contributes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from diffcompare.floats import unit_roundoff
from diffcompare.program.operations import Kind, named

__all__ = ["PRODUCTS", "SUMS", "Addend", "Slope", "constant_factor", "formatted", "is_among", "part_rules"]

SUMS = named(Kind.LINEAR) - {"negative"}
PRODUCTS = frozenset({"multiply", "divide", "dot", "power", "atan2", "hypot"})
_POWERS = frozenset({"integer_power", "power"})


@dataclass(frozen=True, slots=True)
class Addend:
    """An addend that contributes so many times what it should; ``inner``: in words for a sum that something scales."""

    ratio: float
    kind: str
    words: str
    inner: str = ""

    def said(self, text: str, *, is_outer: bool) -> str:
        """Say what is wrong with an addend."""
        return (self.words if is_outer or not self.inner else self.inner).format(text)


@dataclass(frozen=True, slots=True)
class Slope:
    """Another number in place of a local partial: ``slope(p, x, y)``, for the uses that it is ``among``."""

    slope: Callable[[Any, Any, Any], Any]
    kind: str
    words: str
    among: str = "all"


def is_among(among: str, operation: str, *, leaf: bool) -> bool:
    """Tell whether a use belongs to those that a rule is for; ``leaf``: its operand is a variable."""
    match among:
        case "sum":
            return operation in SUMS
        case "product":
            return operation in PRODUCTS
        case "power":
            return operation in _POWERS
        case "no power":
            return operation not in _POWERS
        case "tanh":
            return operation == "tanh"
        case "all":
            return True
    return operation not in SUMS and among in ("no sum", "leaf" if leaf else "inner")


def part_rules(n: int) -> Iterator[Addend | Slope]:
    """Yield the rules for a gradient of n components, simple ones first."""
    numbers = {"2": 2.0, "3": 3.0, "4": 4.0, "pi": math.pi} | ({"n": float(n)} if n > 1 else {})
    # what is multiplied by it may contribute
    inner = "the derivative of the term {} is missing"
    yield Addend(0, "missing term", "the term {} has no contribution", inner)
    yield Slope(lambda p, _x, _y: 1 + 0 * p, "chain factor", "the chain factor {p} is missing", "no sum")
    but_for_sign = "the chain factor {p} is missing (but for its sign)"
    yield Slope(lambda p, _x, _y: p / abs(p), "chain factor", but_for_sign, "no sum")
    yield from _left_out()
    yield Addend(-1, "sign", "the sign of the term {} is flipped")
    yield Slope(lambda p, _x, _y: -p, "sign", "the sign of the chain factor {p} is flipped", "no sum")
    yield Addend(2, "extra term", "the term {} is counted twice")
    for name, a in numbers.items():
        yield Addend(1 / a, "factor", f"factor {name} missing in the term {{}}")
        yield Slope(partial(_times, 1 / a), "factor", f"factor {name} missing in the derivative of {{y}}", "no sum")
        yield Slope(partial(_times, a), "factor", f"factor {name} too many in the derivative of {{y}}", "no sum")
    yield from _other_chain_factors()


def _times(a: float, p: Any, _x: Any, _y: Any) -> Any:
    return p * a


def _left_out() -> Iterator[Slope]:
    def zero(p: Any, _x: Any, _y: Any) -> Any:
        return 0 * p

    yield Slope(zero, "missing term", "the product rule's term with the derivative of {x} is missing", "product")
    yield Slope(zero, "treated as constant", "{x} is treated as constant in {y}", "leaf")
    yield Slope(zero, "treated as constant", "{y} is treated as constant", "inner")


def _other_chain_factors() -> Iterator[Slope]:
    for slope, words, among in (
        (lambda p, _x, _y: p * p, "the chain factor {p} is there twice", "no sum"),
        (lambda p, _x, _y: 1 / p, "the chain factor {p} divides instead of multiplying", "no sum"),
        (lambda p, x, _y: p * x, "the exponent of {y} is not lowered", "power"),
        (lambda p, x, _y: p / x, "the exponent of {y} is lowered by 2", "power"),
        (lambda _p, _x, y: y, "the value of {y} stands for its derivative {p}", "no sum"),
        (lambda p, _x, y: p / y, "the factor {y} is missing in its derivative", "no sum"),
        (lambda p, _x, y: p / (1 - y), "the factor 1 - {y} is missing in its derivative", "no sum"),
        (lambda p, _x, y: p * y, "the factor {y} is too many in its derivative", "no sum"),
        (lambda p, x, _y: p * x, "the factor {x} is too many in the derivative of {y}", "no power"),
        (lambda p, x, _y: p / x, "the factor {x} is missing in the derivative of {y}", "no power"),
        (lambda p, _x, y: 1 - (1 - p) / y, "{y} is not squared in its derivative {p}", "tanh"),
    ):
        yield Slope(slope, "chain factor", words, among)


def formatted(words: str, *, p: str, x: str, y: str) -> str:
    """Write what is said of a partial p of y by x; long formulas may be cut to the same text."""
    return (words.replace("derivative {p}", "derivative") if p == y else words).format(p=p, x=x, y=y)


def constant_factor(words: str, value: float, text: str) -> str | None:
    """Say of a chain factor that is a number that it is missing; 0.05 is written as 1/20 too: the number of data."""
    if not words.endswith("the chain factor {p} is missing"):
        return None
    if value == -1:
        # of a formula that nobody may have written
        return "a minus is missing"
    inverse = float(1 / value)
    whole = 1 < inverse < 1e6 and abs(inverse - round(inverse)) <= 4 * unit_roundoff * inverse
    also = f" (1/{round(inverse)})" if whole and "/" not in text else ""
    return f"the factor {text}{also} is missing"
