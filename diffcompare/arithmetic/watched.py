"""Special functions whose cost counting does not bound are evaluated by a child process that can be killed.

Within the limits below an answer takes milliseconds (measured); beyond them FLINT may take hours and gigabytes. What
a child does not answer in time is not a number, which decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import flint
from flint import acb, arb, arb_series

from diffcompare.program.special_functions import ROWS
from diffcompare.watchdog import ask

__all__ = ["decoded", "encoded", "is_cheap", "watched"]

Value = TypeVar("Value", arb, acb, arb_series)

# the precision, the |order| and the |argument| up to which a function answers at once
_BITS = 1000
_ORDER = arb(100)
_NEARLY_WHOLE = arb(2) ** -20
_FAR: Mapping[str, arb] = {
    **{name: arb(1e6) for name in ("zeta", "hurwitz_zeta", "polylog", "polygamma")},
    **{name: arb(1e4) for name in ("besselj", "bessely", "besseli", "besselk", "gammainc", "gammaincc", "expint")},
}
# at least, and beyond what the least accurate operand has
_LEAST_BITS, _GUARD_BITS = 128, 64

_PARAMETERS = {row.name: row.parameters for row in ROWS}


def is_cheap(name: str, operands: Sequence[arb | acb | arb_series]) -> bool:
    """Tell whether counting bounds the cost of a special function at the working precision."""
    if flint.ctx.prec > _BITS:
        return False
    heads = [operand[0] if isinstance(operand, arb_series) else operand for operand in operands]
    if name == "zeta" and not isinstance(heads[0], acb) and heads[0] > 2 * _BITS:
        # two terms of its series are enough
        return True
    count, far = _PARAMETERS[name], _FAR.get(name)
    return all(map(_is_plain, heads[:count])) and (
        far is None or all(bool(abs(head) < far) or not head.is_finite() for head in heads[count:])
    )


def _is_plain(order: arb | acb) -> bool:
    """Tell whether a parameter is small, and whole or not nearly so: a Bessel function divides by what is left."""
    if not abs(order) < _ORDER:
        return False
    nearest = round(float(order.real.mid()))
    return bool(order == nearest) or bool(abs(order - nearest) > _NEARLY_WHOLE)


def watched(table: str, functions: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return the special functions of one arithmetic, each within limits.

    Parameters
    ----------
    table : str
        Where the child finds them: ``balls``, ``jets`` or ``complex``.
    functions : mapping
        Those that have no row among the special functions are returned as they are.
    """
    return {
        name: _limited(table, name, function) if name in _PARAMETERS else function
        for name, function in functions.items()
    }


def _limited(table: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def limited(*operands: Any) -> Any:
        values = [operand for operand in operands if not isinstance(operand, int)]
        before = flint.ctx.prec
        if before > _LEAST_BITS:
            flint.ctx.prec = min(before, max(_LEAST_BITS, _accuracy(values) + _GUARD_BITS))
        try:
            if is_cheap(name, values):
                return function(*operands)
            reply = ask(_SERVICE, (table, name, flint.ctx.prec, flint.ctx.cap, [encoded(o) for o in operands]))
        finally:
            flint.ctx.prec = before
        return _UNKNOWN[table]() if reply is None else decoded(reply)

    return limited


def _accuracy(values: Sequence[arb | acb | arb_series]) -> int:
    balls: list[Any] = []
    for value in values:
        balls += value.coeffs()[:1] if isinstance(value, arb_series) else [value]
    return min((int(ball.rel_accuracy_bits()) for ball in balls), default=_BITS)


# by name alone: it stands above the tables, which stand above this module
_SERVICE = "diffcompare.arithmetic.watched_answers:answer"
_UNKNOWN: Mapping[str, Callable[[], Any]] = {
    "balls": arb.nan,
    "complex": lambda: acb(arb.nan(), arb.nan()),
    "jets": lambda: arb_series([arb.nan()] * flint.ctx.cap),
}


def encoded(value: Any) -> Any:
    """Write a value as plain data."""
    if isinstance(value, arb_series):
        return "series", [encoded(c) for c in value.coeffs()]
    if isinstance(value, acb):
        return "complex", [encoded(value.real), encoded(value.imag)]
    if isinstance(value, arb):
        return "ball", [_exact(value.mid()), _exact(value.rad())]
    return "number", [int(value)]


def _exact(value: arb) -> tuple[int, int] | float:
    if not value.is_finite():
        return float(value)
    mantissa, exponent = value.man_exp()
    return int(mantissa), int(exponent)


def decoded(data: tuple[str, list[Any]]) -> Any:
    """Read a value back from plain data."""
    kind, parts = data
    if kind == "series":
        return arb_series([decoded(part) for part in parts])
    if kind == "complex":
        return acb(*map(decoded, parts))
    # (a radius may grow by a unit of its 30 bits)
    return arb(*map(arb, parts)) if kind == "ball" else parts[0]
