"""The drawing of what a differentiator claims: its estimate of the error against the true error, both logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from diffcompare.report.drawings.frame import LANE, Frame, add, add_path, coord, log_axes, svg_element, to_html
from diffcompare.report.wording import Html, plural

__all__ = ["calibration"]

_SIZE, _LEFT, _TOP = 300.0, 64.0, 34.0
_LIMITS = (-20.0, 6.0)  # decades; what is beyond stands at the edge, and so does an estimate of 0
_KINDS = (("covered", 1), ("overconfident", 2))


def calibration(answers: pd.DataFrame, *, title: str, identity: str) -> Html | None:
    """Draw a mark for each answer with an estimate to a question that has one; None where there is none.

    Below the line the error is smaller than claimed, above it larger. All such drawings have the same axes.

    Parameters
    ----------
    answers : DataFrame
        The rows of ranking.csv of one differentiator.
    title : str
        What is drawn.
    identity : str
        Prefix of the ids in the drawing; ours, unique in the page.
    """
    known = answers[answers["estimate"].notna() & (answers["estimate"] < math.inf) & answers["abs_error"].notna()]
    if known.empty:
        return None
    frame = Frame(_LEFT, _LEFT + _SIZE, _TOP, _TOP + _SIZE, _LIMITS, _LIMITS)
    zeros = frame.bottom + 4 + LANE / 2
    above = int((known["abs_error"] > known["estimate"]).sum())
    svg = svg_element(
        frame.right + 16,
        frame.bottom + LANE + 44,
        title=title,
        description=f"{plural(len(known), 'answer')} with an estimate; {above} with an error above it.",
        identity=identity,
    )
    log_axes(svg, frame, (0.0, zeros), label="true |error|", below="claimed |error|")
    add_path(svg, class_="mark", d=frame.line([(_LIMITS[0], _LIMITS[0]), (_LIMITS[1], _LIMITS[1])]))
    add(svg, "text", "as claimed", class_="book end", x=coord(frame.right - 12), y=coord(frame.top + 40))
    for k, (outcome, style) in enumerate(_KINDS):
        rows = known[known["outcome"].astype(str) == outcome]
        group = add(svg, "g", class_=f"s{style}")
        add_path(group, class_="dots", d=_places(frame, zeros, rows["estimate"].tolist(), rows["abs_error"].tolist()))
        left = frame.left + 8 + 130 * k
        add_path(group, class_="dots", d=f"M{coord(left)},14h0")
        add(group, "text", f"{outcome} ({len(rows)})", class_="name", x=coord(left + 10), y="18")
    return to_html(svg)


def _places(frame: Frame, zeros: float, claimed: Iterable[float], true: Iterable[float]) -> str:
    def inside(value: float) -> float:
        return min(max(math.log10(value), _LIMITS[0]), _LIMITS[1]) if value > 0 else _LIMITS[0]

    return "".join(
        f"M{coord(frame.x(inside(estimate)))},{coord(frame.y(inside(error)) if error > 0 else zeros)}h0"
        for estimate, error in zip(claimed, true, strict=True)
    )
