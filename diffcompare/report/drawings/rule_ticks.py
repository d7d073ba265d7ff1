"""What published rules would have chosen: rows of a table, and ticks at the upper edge of the error chart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

import pandas as pd

from diffcompare.report.columns import Columns, columns_of
from diffcompare.report.drawings.frame import Frame, add, add_path, coord
from diffcompare.report.drawings.marks import RULES

__all__ = ["rule_rows", "rule_ticks"]

_ROW, _TICK, _LETTERS = 19.0, 5.0, 9.5


def rule_rows(rules: pd.DataFrame | Columns) -> list[dict[str, Any]]:
    """Collect the rows that a page shows: not those of rules for other schemes."""
    columns = columns_of(rules)
    rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    texts = ("scheme", "rule", "message")
    return [
        {
            **{name: str(row[name]) for name in texts},
            **{name: float(row[name]) for name in ("h", "abs_error", "ratio")},
            "evaluations": int(row["evaluations"]),
            "tick": RULES[str(row["rule"])].tick if str(row["rule"]) in RULES else "",
        }
        for row in rows
        if not str(row["message"]).startswith("the rule is for")
    ]


def rule_ticks(svg: Element, frame: Frame, rules: Columns, styles: Mapping[str, int]) -> float:
    """Draw a tick for each step that a rule chose, one line a scheme; names that would overlap are written as one.

    They hang from the upper edge, where the valley of the errors leaves room. A step outside the chart is left out.
    Returned is how far down they reach.
    """
    # the complex step is the same whatever the scheme
    owner = "complex" if "complex" in styles else next(iter(styles), "")
    line = 0
    for k, (scheme, style) in enumerate(styles.items()):
        names = {rule: mark.tick for rule, mark in RULES.items() if rule != "complex step" or scheme == owner}
        chosen = [
            (frame.x(math.log10(h)), names[rule])
            for of, rule, h in zip(rules["scheme"], rules["rule"], rules["h"], strict=True)
            if of == scheme and rule in names and h > 0 and frame.x_range[0] <= math.log10(h) <= frame.x_range[1]
        ]
        if not chosen:
            continue
        top = frame.top + 2 + _ROW * line
        line += 1
        group = add(svg, "g", class_=f"s{style}", data_scheme=str(k))
        add_path(group, class_="rule", d="".join(f"M{coord(x)},{coord(top)}v{coord(_TICK)}" for x, _ in chosen))
        for start, cluster in _clusters(sorted(chosen)):
            text = " ".join(cluster)
            left = min(start - 5, frame.right - _LETTERS * len(text))
            add(group, "text", text, class_="rule-name", x=coord(left), y=coord(top + _TICK + 9))
    return frame.top + _ROW * line


def _clusters(chosen: list[tuple[float, str]]) -> list[tuple[float, list[str]]]:
    """Join the names that would be written over one another."""
    made: list[tuple[float, list[str]]] = []
    for x, name in chosen:
        if made and x < made[-1][0] + _LETTERS * (len(" ".join(made[-1][1])) + 1):
            made[-1][1].append(name)
        else:
            made.append((x, [name]))
    return made
