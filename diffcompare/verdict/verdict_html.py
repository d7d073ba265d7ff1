"""A verdict as a small piece of HTML, for notebooks.

It has no script, no style sheet and nothing from outside, inherits the colours of its surroundings, so that it can
be read on a dark page as on a light one, and escapes every text.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from diffcompare.errors import shorten
from diffcompare.tables.components import worst_first
from diffcompare.verdict.marks import Mark
from diffcompare.verdict.underline import picture, visible

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["verdict_html"]

# of the border alone: text keeps the colour that the page gives it
_COLOURS = {"consistent": "#2a9d5c", "wrong": "#d9363e"}
_UNDECIDED = "#b87d10"
_ROWS = 10
_NUMBERS = {"claimed": "", "certified": "", "difference": ".3g", "ulps": ".3g", "relative": ".3g", "threshold": ".3g"}
_CELL = 'style="text-align:right;padding:.1em .5em;white-space:nowrap"'
# a page without a doctype gives tables a colour of their own
_TABLE = 'style="margin:.5em 0;color:inherit;font:inherit"'
_PICTURE = 'style="margin:.5em 0;overflow-x:auto;white-space:pre;color:inherit;background:none"'


def verdict_html(status: str, explanation: Sequence[str], components: pd.DataFrame, marks: Sequence[Mark] = ()) -> str:
    """Write the explanation, under the colour of the status, and the components, worst first, as one HTML element.

    Parameters
    ----------
    status : str
    explanation : sequence of str
        Its lines, the first of which says the status.
    components : DataFrame
        Those of a verdict.
    marks : sequence of Mark
        Places that are drawn below the first line.

    Returns
    -------
    str
        At most ten components are shown; a line says how many are not.
    """
    first, *rest = explanation
    lines = "".join(f"<div>{_text(line, 500)}</div>" for line in rest)
    colour = _COLOURS.get(status, _UNDECIDED)
    return (
        f'<div role="group" aria-label="Verdict" style="border-left:.4em solid {colour};padding:.1em 0 .1em .8em">'
        f"<div><strong>{_text(first, 500)}</strong></div>{_picture(marks)}{lines}{_table(components)}</div>"
    )


def _picture(marks: Sequence[Mark]) -> str:
    """Draw the marked places in lines that scroll; carets and messages are bold."""
    if not marks:
        return ""
    lines = "\n".join("".join(_piece(kind, text) for kind, text in line) for line in picture(marks))
    return f'<pre dir="ltr" tabindex="0" aria-label="The marked places" {_PICTURE}>{lines}</pre>'


def _piece(kind: str, text: str) -> str:
    written = html.escape(text)
    return written if kind in ("place", "code") else f"<strong>{written}</strong>"


def _table(components: pd.DataFrame) -> str:
    # what has room without scrolling comes first; one point is named by the explanation
    points = ["point"] * (components["point"].nunique() > 1) if "point" in components else []
    columns = [*points, "component", "status", *(name for name in _NUMBERS if name in components)]
    worst = worst_first(components)[columns]
    head = "".join(f'<th scope="col" {_CELL}>{_text(column)}</th>' for column in columns)
    rows = "".join(
        "<tr>" + "".join(f"<td {_CELL}>{_cell(name, value)}</td>" for name, value in row.items()) + "</tr>"
        for row in worst.head(_ROWS).to_dict("records")
    )
    more = len(worst) - _ROWS
    unseen = f"<div>… and {more:,} more, none of them worse; all are in <code>.components</code></div>" * (more > 0)
    table = f"<table {_TABLE}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div style="overflow-x:auto">{table}</div>{unseen}'


def _cell(name: object, value: object) -> str:
    if name not in _NUMBERS:
        return _text(str(value))
    number = float(str(value))
    if number != number:
        return ""
    form = _NUMBERS[str(name)]
    return format(number, form) if form else repr(number)


def _text(text: str, limit: int = 80) -> str:
    """Escape a text; what cannot be seen, such as marks that turn the direction of reading, is spelt out."""
    return f"<bdi>{html.escape(''.join(map(visible, shorten(text, limit))))}</bdi>"
