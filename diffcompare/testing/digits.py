"""Digits, of which the strategies make everything, and the numbers that are made of them.

Equally many digits for every example: of others, Hypothesis cuts short some that it begins. And no two digits of an
example from equal strategies: Hypothesis follows up an example by five others in which one part is copied over an
equal one, and 300 examples would be but 60 different ones.
"""

from __future__ import annotations

import math
import struct
from functools import lru_cache

from hypothesis import strategies as st

__all__ = ["KINDS", "MANY", "balanced", "bug_digits", "function_digits", "number", "place_digits", "step_digits"]

# as large as Hypothesis draws evenly
MANY = 2**24
_MASK = 2**32 - 1


@st.composite
def function_digits(draw: st.DrawFn, *sizes: int) -> list[int]:
    """Draw integers from 0 on, each below its size."""
    return [draw(one) & _MASK for one in _ranges(0, sizes)]


@st.composite
def place_digits(draw: st.DrawFn, *sizes: int) -> list[int]:
    """Draw integers from 0 on, each below its size; Hypothesis tells them from the others by the name."""
    return [draw(one) & _MASK for one in _ranges(1, sizes)]


@st.composite
def step_digits(draw: st.DrawFn, *sizes: int) -> list[int]:
    """Draw integers from 0 on, each below its size; Hypothesis tells them from the others by the name."""
    return [draw(one) & _MASK for one in _ranges(2, sizes)]


@st.composite
def bug_digits(draw: st.DrawFn, *sizes: int) -> list[int]:
    """Draw integers from 0 on, each below its size; Hypothesis tells them from the others by the name."""
    return [draw(one) & _MASK for one in _ranges(3, sizes)]


@lru_cache(maxsize=256)
def _ranges(family: int, sizes: tuple[int, ...]) -> list[st.SearchStrategy[int]]:
    # not as st.tuples: Hypothesis would vary each digit of a failing example a hundred times and more, to explain it;
    # ranges that begin at different numbers are different strategies
    starts = [((family << 20) + i) << 32 for i in range(len(sizes))]
    return [st.sampled_from(range(s, s + size)) for s, size in zip(starts, sizes, strict=True)]


def balanced(k: int, largest: int) -> int:
    """Map 0, 1, 2, … to 0, 1, −1, 2, … up to ± largest."""
    k %= 2 * largest + 1
    return (k + 1) // 2 * (1 if k % 2 else -1)


def number(kind: int, k: int) -> float:
    """Return one of every kind of number that a float can be; k < 2²⁴."""
    sign, rest = (-1.0 if k % 2 else 1.0), k // 2
    match kind:
        case 0:
            return float(balanced(k, 9))
        case 1:
            return balanced(k, 3000) / 1000
        case 2:
            return balanced(k, 400) / 10
        case 3:
            return sign * (1 + rest % 9) * 10.0 ** balanced(rest // 9, 12)
        case 4:
            return sign * 2.0 ** (balanced(rest, 650) - 350)
        case 5:
            # next to a power of two
            edge = 2.0 ** (balanced(rest // 4, 10) if rest % 2 else balanced(rest // 4, 1000))
            return sign * math.nextafter(edge, math.inf if rest // 2 % 2 else 0.0)
        case 6:
            return sign * 0.0
        case 7:
            # subnormal
            return sign * (rest * 0x9E3779B9 % 2**52) * 5e-324
        case 8:
            return sign * 10.0 ** (20 + rest % 288)
        case _:
            (any_bits,) = struct.unpack("<d", struct.pack("<Q", k * 0x9E3779B97F4A7C15 % 2**64))
            return any_bits if math.isfinite(any_bits) else 0.0


KINDS = 10
