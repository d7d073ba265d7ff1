"""A study whose every text is markup that would do something."""

from __future__ import annotations

import math

import pandas as pd

from diffcompare.tables.schema import Tables

from ..report.example import (  # noqa: TID252 - tests are no package
    errors_table,
    functions_table,
    hot_spots_table,
    summary_table,
    surface_table,
    sweep_rows,
)

__all__ = ["EVIL", "evil_tables"]

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'"
LATEX = (r"\text{<img src=x onerror=alert(3)>}", r"\href{javascript:alert(4)}{x}")


def evil_tables() -> Tables:
    parts = {"truncation": 1.0, "abscissa": 0.0, "evaluation": 2.0, "subtraction": 0.0, "division": 0.0}
    one = [{**row, **parts, "bound": 9.0} for row in sweep_rows(EVIL, math.exp, ["x"], [1.0], [math.e])]
    rows = [{**row, "variable": EVIL, "scheme": EVIL if k < 16 else row["scheme"]} for k, row in enumerate(one)]
    rows += sweep_rows(EVIL + "2", math.exp, ["x"], [1.0], [math.e])
    errors = errors_table(rows)
    functions = functions_table(
        [
            (EVIL, EVIL, EVIL, LATEX[0], LATEX[1], "text", "ok", ""),
            (EVIL + "2", f"x;{EVIL}", EVIL, LATEX[1], LATEX[0], "text", "ok", ""),
            (EVIL + "3", "x", EVIL, "", "", "text", "failed", EVIL),
        ]
    )
    spots = hot_spots_table([(EVIL, f"{EVIL}=1.0", EVIL, 1.0, 1.0, 1.0, 1.0)])
    descent = pd.DataFrame(
        [(EVIL + "2", EVIL, k, k, 0.0, 0.0, 0.0, 0.0) for k in range(3)],
        columns=["function", "gradient", "step", "x", EVIL, "value", "gradient_norm", "distance"],
    )
    surfaces = surface_table(EVIL + "2", lambda x, y: x * x + y)
    return Tables(EVIL, errors, summary_table(errors), functions, hot_spots=spots, descent=descent, surfaces=surfaces)
