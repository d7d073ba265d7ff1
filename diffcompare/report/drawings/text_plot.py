"""The error against the step size in plain characters, for a terminal: both axes logarithmic."""

from __future__ import annotations

import math

import pandas as pd

__all__ = ["text_plot"]

# one for each scheme in turn, ASCII in every place: ambiguous widths would bend the axes
_MARKS = "+xo#@%&=^~"
_SEVERAL = "*"
_COLUMNS = 61  # one for each step of the standard sixteen decades, four a decade
_OVERHANG = 4  # of a label below the axis, beyond its end
_ROWS = 16
_MARGIN = 8
_BOOK = 1e-4


def text_plot(rows: pd.DataFrame, *, plain: bool = False, width: int = 80) -> list[str]:
    """Draw |error| against h for the rows of one point; every row of the table has its mark.

    Parameters
    ----------
    rows : DataFrame
        Of ``errors.csv``; all variables are drawn, the marks tell the schemes.
    plain : bool
        Draw the axes in ASCII.
    width : int
        How many characters a line may have, from 30; beyond 78 nothing changes.

    Returns
    -------
    list of str
        The lines; none where no error is known. Errors of exactly 0 stand below the axis of
        logarithms, nan and inf above it.
    """
    rows = rows[rows["h"] > 0]
    if rows.empty or not rows["abs_error"].notna().any():
        return []
    sizes = [float(value) for value in rows["abs_error"]]
    logs = [math.log10(size) for size in sizes if 0 < size < math.inf]
    # an axis of whole decades, a whole number of them a line
    top = round(max(logs)) if logs else 0
    decades = max(1, math.ceil((top - math.floor(min(logs))) / (_ROWS - 1))) if logs else 1
    lanes = [f"1e{top - decades * k}" for k in range(1 + round((top - min(logs)) / decades))] if logs else []
    labels = ["nan, inf"] * any(not size < math.inf for size in sizes) + lanes + ["0"] * (0.0 in sizes)
    first = labels.index(lanes[0]) if lanes else 0

    columns = min(_COLUMNS, width - _MARGIN - 2 - _OVERHANG)
    steps = [math.log10(float(h)) for h in rows["h"]]
    start, span = min(steps), max(steps) - min(steps) or 1.0
    grid = [[" "] * columns for _ in labels]
    book = round((math.log10(_BOOK) - start) / span * (columns - 1)) if _BOOK in set(rows["h"]) else None
    if book is not None:
        for line in grid:
            line[book] = ":" if plain else "┊"
    marks = {str(s): _MARKS[k % len(_MARKS)] for k, s in enumerate(dict.fromkeys(rows["scheme"].astype(str)))}
    for size, step, scheme in zip(sizes, steps, rows["scheme"].astype(str), strict=True):
        if not size < math.inf:
            lane = 0
        elif size == 0:
            lane = len(labels) - 1
        else:
            lane = first + round((top - math.log10(size)) / decades)
        line, column = grid[lane], round((step - start) / span * (columns - 1))
        line[column] = marks[scheme] if line[column] in (" ", ":", "┊", marks[scheme]) else _SEVERAL

    side, corner, floor = "|+-" if plain else "│└─"
    drawn = [f"{label:>{_MARGIN}} {side}{''.join(line)}".rstrip() for label, line in zip(labels, grid, strict=True)]
    drawn.append(f"{'':{_MARGIN}} {corner}{floor * columns}")
    drawn.append(_scale(start, span, columns))
    legend = [f"{mark} {scheme}" for scheme, mark in marks.items()]
    legend += [f"{_SEVERAL} several"] * any(_SEVERAL in line for line in grid)
    legend += [f"{':' if plain else '┊'} h = 1e-4"] * (book is not None)
    return [*drawn, *_filled(legend, columns)]


def _scale(start: float, span: float, columns: int) -> str:
    """Write the steps below their axis: every fourth decade, or the ends."""
    found = [k for k in range(math.ceil(start - 1e-9), math.floor(start + span + 1e-9) + 1) if k % 4 == 0]
    places = {round((k - start) / span * (columns - 1)): f"1e{k}" for k in found[:: len(found) // (columns // 5) + 1]}
    line = [" "] * (columns + _OVERHANG)
    for place, text in (places or {0: f"{10**start:.3g}", columns - 1: f"{10 ** (start + span):.3g}"}).items():
        left = max(0, min(place - len(text) // 2, len(line) - len(text)))
        line[left : left + len(text)] = text
    return f"{'h':>{_MARGIN}}  {''.join(line)}".rstrip()


def _filled(words: list[str], columns: int) -> list[str]:
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > columns:
            lines.append("")
        lines[-1] += f"{word}   "
    return [f"{'':{_MARGIN}}  {line}".rstrip() for line in lines]
