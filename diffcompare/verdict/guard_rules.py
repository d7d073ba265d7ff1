"""What a guard is, in any kind of program: which operand it protects, how it is left out, how it is said."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from diffcompare.tracing.origins import Origins
from diffcompare.tracing.places import Place
from diffcompare.tracing.spans import Span, operand_span, resolved
from diffcompare.tracing.table import SMALL
from diffcompare.verdict.marks import Mark
from diffcompare.verdict.problem import Problem

__all__ = [
    "BITS",
    "IN_PLACES",
    "LONG",
    "PROTECTED",
    "Ignored",
    "Kind",
    "bare_uses",
    "bound_in_words",
    "guard_in_words",
    "listed",
    "marks_of",
    "off_value",
    "subsets",
]

# the operation that it protects, its value, and a number for what it is added to: one kind stands or falls together
Kind = tuple[str, float, int]

# which operand is to be kept from 0
PROTECTED = {"log": 0, "log2": 0, "log10": 0, "sqrt": 0, "cbrt": 0, "power": 0, "integer_power": 0, "divide": 1}
# no bound at all
_NONE = 2.0**60
# guards that are tried one by one; few enough that pairs of them are tried as well
_TRIED, _MANY = 8, 5
# how long the rest of a sum may be that is shown, and how many guards
LONG, _SHOWN = 30, 3
# with and without guards, derivatives are compared to so many bits
BITS = 160
# of what stands in a gradient once, and lacks elsewhere
IN_PLACES = "in some places"


@dataclass(frozen=True, slots=True)
class Ignored:
    """Guards without which claim and derivative agree.

    ``bare``: the problem of the function without them; ``marks``: the expressions in which they stand.
    """

    text: str
    bare: Problem | None
    marks: tuple[Mark, ...] = ()


def off_value(operation: str, place: int, value: float) -> float | None:
    """Return the value of a constant that leaves it out; None where it is no guard."""
    if operation in ("add", "sum") or (operation == "subtract" and place == 1):
        return 0.0 if 0 < abs(value) <= SMALL else None
    if operation == "max":
        return 0.0 if 0 < value <= SMALL else None
    return _NONE if operation == "min" and 0 < 1 - value <= SMALL else None


def subsets(kinds: Sequence[Kind]) -> list[frozenset[Kind]]:
    """List which guards may be left out together, few first: single ones, those that are written alike, all, others."""
    alike = [[k for k in kinds if k[:2] == key] for key in dict.fromkeys(k[:2] for k in kinds)]
    equal = [[k for k in kinds if k[1] == key] for key in dict.fromkeys(k[1] for k in kinds)]
    several = [c for size in (2, 3) for c in itertools.combinations(kinds, size)] if len(kinds) <= _MANY else []
    chosen = [*([k] for k in kinds[:_TRIED]), *alike[:_TRIED], *equal[:_TRIED], list(kinds), *several]
    return list(dict.fromkeys(map(frozenset, chosen)))


def guard_in_words(
    operation: str, value: float, rest: str | None, above: str, place: Place | None, *, inside: bool
) -> str:
    """Say where a guard stands: ``1e-07 in log(x0 + 1e-07) (model.py:12)``.

    ``rest``: what it is added to; ``above``: what it protects; ``inside``: whether it is only a part of its operand.
    """
    text = rest if rest is not None and len(rest) <= LONG and "…" not in rest else "…"
    if operation in ("max", "min"):
        text = f"{operation}({text}, {value!r})"
    else:
        text = f"{text} {'-' if operation == 'subtract' else '+'} {value!r}"
    name = {"integer_power": "power", "divide": "a denominator"}.get(above, above)
    where = f"{name} with {text}" if inside or " " in name or name == "power" else f"{name}({text})"
    return f"{value!r} in {where}" + (f" ({place.file}:{place.line})" if place is not None else "")


def bound_in_words(operation: str, value: float, place: Place) -> str:
    """Say where the bound of a maximum or minimum stands."""
    name = "maximum" if operation == "max" else "minimum"
    return f"the bound {value!r} of a {name} ({place.file}:{place.line})"


def marks_of(
    origins: Origins, places: Iterable[tuple[int, int | None, float]], *, role: str, words: str
) -> tuple[Mark, ...]:
    """Mark the expressions that made nodes, or an operand of each; its constant stands for ``{}`` in the words."""
    spans: dict[Span, float] = {}
    for node, operand, value in places:
        for origin in origins.get(node, ()):
            span = (None if operand is None else operand_span(origin, operand)) or resolved(origin)
            if span is not None:
                spans.setdefault(span, value)
    marks = [Mark.at(span, role=role, message=words.format(repr(value))) for span, value in spans.items()]
    return tuple(marks[:_SHOWN])


def bare_uses(nodes: Sequence[Any], order: Iterable[int], values: Container[int]) -> list[tuple[int, int]]:
    """Find where values are used without a guard that is to protect them: nodes, and which operand it is."""
    places = [(k, PROTECTED.get(nodes[k].operation)) for k in order]
    return [(k, place) for k, place in places if place is not None and nodes[k].operands[place] in values]


def listed(guards: Iterable[str]) -> str:
    """Say which guards: ``the constant 1e-07 in log(x0 + 1e-07)``."""
    said = list(dict.fromkeys(guards))
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return f"the constant{'s' if len(said) > 1 else ''} {' and '.join(said[:_SHOWN])}{more}"
