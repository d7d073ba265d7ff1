"""Formulas, points and names as a command line gives them: read, or refused in one line that names the option."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from diffcompare.errors import shorten

__all__ = [
    "CommandWithFormula", "Given", "blaming_names", "points_to_check", "read_box", "read_boxes", "read_points",
]  # fmt: skip


@contextmanager
def blaming_names(variables: str | None) -> Iterator[list[str] | None]:
    """Give the names of --variables; what a formula says of them becomes one line."""
    try:
        yield None if variables is None else [name.strip() for name in variables.split(",")]
    except (TypeError, ValueError) as error:
        raise click.UsageError(f"--variables {shorten(repr(variables), 80)}: {error}") from None


@dataclass(frozen=True, slots=True)
class Given:
    """A point, and the texts of the options that give it."""

    point: Any
    texts: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.texts)


def points_to_check(at: Sequence[str], variables: Sequence[str] | None) -> list[Given]:
    """Read points for Python code: several coordinates are an array, one is a number, "3," an array of one.

    Files are named with ``@``. Without the names of a formula ``w=1,2`` and ``b=3`` are the parameters of one point.
    """
    arrays = any(text.strip().endswith(",") for text in at)
    if variables is not None and not any(text.startswith("@") for text in at):
        points = read_points([text.strip().removesuffix(",") for text in at], variables)
        return [_given(list(point) if arrays or len(point) > 1 else point[0]) for point in points]
    found: list[Given] = []
    named: dict[str, Given] = {}
    for text in at:
        name, equals, values = text.partition("=")
        if "," in name or text.startswith("@") or not equals:
            found.append(_values(text, text, arrays=arrays))
            continue
        if name.strip() in named:
            found.append(_together(named))
            named = {}
        named[name.strip()] = _values(text, values, arrays=values.strip().endswith(","))
    return [*found, *([_together(named)] if named else [])]


def _values(option: str, text: str, *, arrays: bool) -> Given:
    place, text = f"--at {shorten(repr(option), 80)}", text.strip()
    if text.startswith("@"):
        from diffcompare.tables.point_files import read_point

        path = text[1:]
        local = os.path.relpath(path) if os.path.isabs(path) else path  # noqa: PTH117
        try:
            return Given(read_point(path), (f"@{os.path.basename(path) if local.startswith('..') else local}",))  # noqa: PTH119
        except ValueError as error:
            raise click.UsageError(f"{place}: {error}") from None
    if "=" in text:
        raise click.UsageError(f"{place}: write each parameter with an --at of its own, as --at w=1,2 --at b=3")
    numbers = [_read_number(place, part.strip()) for part in re.split("[,;]", text.removesuffix(","))]
    return _given(numbers if arrays or len(numbers) > 1 else numbers[0])


def _given(point: float | list[float]) -> Given:
    text = repr(point) if isinstance(point, float) else ",".join(map(repr, point)) + "," * (len(point) == 1)
    return Given(point, (text,))


def _together(named: Mapping[str, Given]) -> Given:
    point = {name: one.point for name, one in named.items()}
    return Given(point, tuple(f"{name}={one}" for name, one in named.items()))


def read_points(at: Sequence[str], variables: Sequence[str]) -> list[tuple[float, ...]]:
    """Read the points; single assignments join until each variable has its coordinate."""
    points: list[tuple[float, ...]] = []
    pending: dict[str, float] = {}
    names = shorten(", ".join(variables), 80)
    for text in at:
        place = f"--at {shorten(repr(text), 80)}"
        parts = [part.strip() for part in re.split("[,;]", text.strip())]
        if not any("=" in part for part in parts):
            if len(parts) != len(variables):
                raise click.UsageError(
                    f"{place}: {len(parts)} coordinate(s) for {len(variables)} variable(s) {names}; "
                    "give one for each, and repeat --at for more points"
                )
            if pending:
                break
            points.append(tuple(_read_number(place, part) for part in parts))
            continue
        for part in parts:
            name, equals, number = (side.strip() for side in part.partition("="))
            if not equals:
                raise click.UsageError(f"{place}: {shorten(part, 40)!r} has no name; write all as name=value, or none")
            if name not in variables:
                from difflib import get_close_matches

                close = get_close_matches(name, variables, n=1)
                remedy = f"did you mean {close[0]!r}?" if close else f"the variables are {names}"
                raise click.UsageError(f"{place}: unknown variable {shorten(name, 40)!r}; {remedy}")
            if name in pending:
                raise click.UsageError(f"{place}: {name!r} is given twice before the point is complete ({names})")
            pending[name] = _read_number(place, number)
            if len(pending) == len(variables):
                points.append(tuple(pending[v] for v in variables))
                pending = {}
    if pending:
        missing = [v for v in variables if v not in pending]
        raise click.UsageError(
            f"--at: the point with {shorten(', '.join(f'{k}={v!r}' for k, v in pending.items()), 80)} lacks "
            f"{shorten(', '.join(missing), 80)}; add --at {missing[0]}=VALUE"
        )
    return points


def read_box(text: str) -> tuple[float, float]:
    """Read the sides of a box, which may be infinite."""
    place = f"--box {shorten(repr(text), 80)}"
    sides = [part.strip() for part in text.split(",")]
    if len(sides) != 2:
        raise click.UsageError(f"{place}: must be two numbers; write LOWER,UPPER as 0,1 or 0,inf")
    lower, upper = (float(side) if side in ("inf", "-inf") else _read_number(place, side) for side in sides)
    if lower > upper:
        raise click.UsageError(f"{place}: the lower side is above the upper one; exchange them")
    return lower, upper


def read_boxes(texts: Sequence[str]) -> tuple[Any, Any] | None:
    """Read one box for all variables, or one for each, as (lower, upper)."""
    pairs = [read_box(text) for text in texts]
    if len(pairs) < 2:
        return pairs[0] if pairs else None
    lower, upper = map(list, zip(*pairs, strict=True))
    return lower, upper


def _read_number(place: str, text: str) -> float:
    try:
        value = float(text) if "_" not in text else None
    except ValueError:
        value = None
    if value is None:
        raise click.UsageError(f"{place}: {shorten(text, 40)!r} is not a number; write a decimal such as 1.5 or 1e-3")
    if not math.isfinite(value):
        raise click.UsageError(f"{place}: {shorten(text, 40)!r} is not finite; give a finite number")
    return value


class CommandWithFormula(click.Command):
    """A command whose formula, and whose points, may start with a minus; its options all start with two."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Sort words into options and formulas before click sees them."""
        if ctx.resilient_parsing:
            # half a line, to be completed
            return super().parse_args(ctx, args)
        valued = {o for p in self.params if isinstance(p, click.Option) and not p.is_flag for o in p.opts}
        options: list[str] = []
        formulas: list[str] = []
        words = iter(args)
        for word in words:
            if word == "--":
                formulas.extend(words)
            elif re.fullmatch(r"--[A-Za-z][\w-]*(=.*)?", word, re.DOTALL):
                options.append(word)
                if word in valued:
                    value = next(words, None)
                    if value is None:
                        raise click.BadOptionUsage(word, f"Option {word!r} requires an argument.", ctx)
                    options.append(value)
            else:
                formulas.append(word)
        return super().parse_args(ctx, [*options, "--", *formulas])
