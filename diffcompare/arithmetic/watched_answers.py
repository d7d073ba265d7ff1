"""What the child process evaluates for :mod:`diffcompare.arithmetic.watched`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import flint

from diffcompare.arithmetic.complex_balls import COMPLEX_OPERATIONS
from diffcompare.arithmetic.special_balls import SPECIAL_BALLS
from diffcompare.arithmetic.special_jets import SPECIAL_JETS
from diffcompare.arithmetic.watched import decoded, encoded

__all__ = ["answer"]

_TABLES: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "balls": SPECIAL_BALLS,
    "jets": SPECIAL_JETS,
    "complex": COMPLEX_OPERATIONS,
}


def answer(request: tuple[str, str, int, int, list[Any]]) -> Any:
    """Evaluate one function of a table at a working precision and a length of series."""
    table, name, flint.ctx.prec, flint.ctx.cap, operands = request
    return encoded(_TABLES[table][name](*map(decoded, operands)))
