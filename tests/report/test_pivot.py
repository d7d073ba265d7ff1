from __future__ import annotations

import math

from diffcompare.report.pivot import pivot

from .example import STEPS, errors_table, sweep_rows

ROWS = sweep_rows("exp", math.exp, ["x"], [1.0], [math.e])


def test_every_row_is_a_cell_at_its_h_and_scheme() -> None:
    made = pivot(errors_table(ROWS))
    assert made.schemes == ["forward", "backward", "central"]
    assert [h for h, _ in made.rows] == sorted(STEPS, reverse=True)
    cells = {(h, s): e for h, row in made.rows for s, (e, _, _) in zip(made.schemes, row, strict=True)}
    assert cells == {(row["h"], row["scheme"]): row["abs_error"] for row in ROWS}


def test_the_best_of_each_scheme_is_the_largest_h_of_its_smallest_ok_error() -> None:
    rows = [dict(row) for row in ROWS]
    for k in (3, 5):
        rows[k]["abs_error"] = 1e-20
    rows[2].update(abs_error=0.0, status="h-underflow")
    made = pivot(errors_table(rows))
    best = [h for h, row in made.rows if row[0][2]]
    assert best == [rows[3]["h"]]
    assert [ok for _, row in made.rows for _, ok, _ in row[:1]].count(False) == 2  # one is so from the start


def test_a_scheme_without_a_row_at_some_h_has_nan_there() -> None:
    made = pivot(errors_table([row for k, row in enumerate(ROWS) if k]))
    error, ok, best = made.rows[0][1][0]
    assert math.isnan(error)
    assert (ok, best) == (False, False)
