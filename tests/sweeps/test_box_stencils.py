"""A sweep inside a box: what runs near its sides, and that its rows are those of the stencil that ran."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.sweeps import box_stencils as boxes
from diffcompare.sweeps.subject import Grid

STEPS = [0.1, 0.05, 1e-3, 1e-6, 1e-12]
PREDICTED = ["predicted_h", "predicted_abs_error"]
SIDES = [0.0, 1e-3, 0.5, 1.0 - 2.0**-20, 1.0]


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", ["forward", "backward", "central", "central4", "backward3", "[-1, 0, 3/2]"])
def test_rows_are_what_numerical_diff_computes(scheme: str) -> None:
    f = dc.parse("exp(x)/(1 + x)")
    table = dc.sweep(f, SIDES, schemes=scheme, steps=STEPS, box=(0.0, 1.0))
    assert len(table) == len(SIDES) * len(STEPS)
    order = table["order"].iloc[0]
    for row in table.itertuples():
        x = float(row.point.removeprefix("x="))
        assert row.numeric == dc.numerical_diff(f, x, row.h, scheme=scheme, box=(0.0, 1.0))
        assert row.numeric == dc.numerical_diff(f, x, row.h, scheme=row.scheme)
        assert row.order == order


@pytest.mark.thorough
@pytest.mark.parametrize("derivative", [1, 2])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_a_row_is_that_of_the_stencil_that_ran(dtype: str, derivative: int) -> None:
    f, x = dc.parse("exp(x)*x"), [0.0, 0.03125, 0.5, 0.96875]
    steps = [0.25, 0.0625, 2.0**-8]
    options: dict[str, Any] = {"steps": steps, "dtype": dtype, "derivative": derivative}
    table = dc.sweep(f, x, schemes=["central", "backward"], box=(0.0, 1.0), **options)
    free = dc.sweep(f, x, schemes=["central", "forward2", "backward2", "backward", "forward"], **options)
    # truncation and rounding are bounded together with what else runs there, which may make a bound smaller
    exact = [name for name in table.columns if name not in (*PREDICTED, "bound", "truncation_bound", "rounding_bound")]
    keys = ["point", "scheme", "h"]
    both = table.astype(dict.fromkeys(keys, str)).merge(
        free.astype(dict.fromkeys(keys, str)), on=keys, suffixes=("", "_")
    )
    assert len(both) == len(table)
    for name in exact:
        if name not in keys:
            pd.testing.assert_series_equal(both[name], both[f"{name}_"], check_names=False, check_categorical=False)
    assert set(table["scheme"].astype(str)) == {"central", "forward2", "backward2", "backward", "forward"}
    assert table["within_bound"].all()


def test_schemes_stand_as_given_each_followed_by_what_runs_in_its_place() -> None:
    table = dc.sweep(dc.parse("x**3"), 0.01, schemes=["complex", "central", "forward"], steps=[0.1, 1e-3], box=(0, 1))
    assert list(zip(table["scheme"], table["h"], strict=True)) == [
        ("complex", 0.1),
        ("complex", 1e-3),
        ("central", 1e-3),
        ("forward2", 0.1),
        ("forward", 0.1),
        ("forward", 1e-3),
    ]
    assert table["scheme"].cat.categories.tolist() == ["complex", "central", "forward2", "forward"]


def test_a_row_that_is_there_already_is_not_repeated() -> None:
    table = dc.sweep(dc.parse("x**3"), 0.0, steps=[0.1], box=(0.0, 1.0))
    assert table["scheme"].tolist() == ["forward", "forward2"]


def test_nothing_outside_is_evaluated() -> None:
    f, seen = dc.parse("sqrt(x)*sqrt(1 - y)", variables=["x", "y"]), []

    def code(v: Any) -> float:
        seen.append(v)
        return float(np.sqrt(v[0]) * np.sqrt(1 - v[1]))

    points = [[0.01, 0.99], [0.5, 0.5], [1.0, 0.25]]
    table = dc.sweep(f, points, steps=STEPS, box=([0.0, -np.inf], [np.inf, 1.0]), evaluate=code)
    assert (np.array(seen)[:, 0] >= 0).all()
    assert (np.array(seen)[:, 1] <= 1).all()
    assert set(table["status"]) <= {"ok", "h-underflow"}
    assert set(table["bound_source"]) == {"measured"}


@pytest.mark.parametrize(
    ("x", "h", "scheme", "ran"),
    [
        # x + h is 1 + 9e-18, which rounds to 1; asin has no value beyond it
        (1 - 2.0**-53, 1.2e-16, "central", "backward2"),
        (2.0**-53 - 1, 1.2e-16, "central", "forward2"),
        (2.0**-60, 1.0, "forward", "backward"),
        (-(2.0**-60), 1.0, "backward", "forward"),
    ],
)
def test_an_exact_abscissa_outside_that_rounds_to_the_side_is_outside(
    x: float, h: float, scheme: str, ran: str
) -> None:
    table = dc.sweep(dc.parse("asin(x)*x"), x, schemes=scheme, steps=[h], box=(-1.0, 1.0))
    assert (table["scheme"].item(), table["status"].item()) == (ran, "ok")


def test_without_a_side_in_reach_nothing_changes() -> None:
    f = dc.parse("exp(x)*y")
    points = [[0.5, 0.5], [0.25, 0.75]]
    plain = dc.sweep(f, points, steps=STEPS)
    pd.testing.assert_frame_equal(dc.sweep(f, points, steps=STEPS, box=(0.0, 1.0)), plain)
    pd.testing.assert_frame_equal(dc.sweep(f, points, steps=STEPS, box=(-np.inf, [np.inf, np.inf])), plain)


def test_points_that_nothing_leads_out_of_the_box_from_are_swept_together() -> None:
    f = dc.parse("x**2")
    grid = Grid(f, np.array([[0.5], [0.6], [0.0], [0.4]]), [dc.Stencil([-1, 1])], np.array([0.25, 0.125]), [0])
    found = list(boxes.pieces(grid, np.array([0.0]), np.array([1.0])))
    assert [(piece.points[:, 0].tolist(), piece.steps.tolist(), piece.stencils[0].name) for piece in found] == [
        ([0.5, 0.6], [0.25, 0.125], "[-1, 1]"),
        ([0.0], [0.25, 0.125], "forward2"),
        ([0.4], [0.25, 0.125], "[-1, 1]"),
    ]


def test_the_summary_has_a_row_for_each_stencil_that_ran() -> None:
    table = dc.sweep(dc.parse("exp(x)"), 1e-3, schemes="central", box=(0.0, np.inf))
    rows = dc.summarize(table).set_index("scheme")
    assert rows.index.tolist() == ["central", "forward2"]
    for scheme in rows.index:
        assert 1.9 < rows.loc[scheme, "observed_order"] < 2.1
        own = table[table["scheme"] == scheme]
        assert own["h"].min() <= rows.loc[scheme, "predicted_h"] <= own["h"].max()
    assert rows.loc["central", "best_h"] < 1e-3 < rows.loc["forward2", "best_h"]
    assert (rows["verdict"] == "within-bound").all()


def test_processes_give_the_same_bytes() -> None:
    f, points = dc.parse("exp(x)*y"), [[x, 0.5] for x in SIDES]
    schemes = ["central", "complex", "forward"]
    one = dc.sweep(f, points, steps=STEPS, schemes=schemes, box=(0.0, 1.0))
    with ThreadPoolExecutor(1) as executor:
        other = dc.sweep(f, points, steps=STEPS, schemes=schemes, box=(0.0, 1.0), executor=executor)
    pd.testing.assert_frame_equal(one, other)


def test_the_table_reads_back(tmp_path: Any) -> None:
    table = dc.sweep(dc.parse("sqrt(x)"), [0.01, 2.0], steps=STEPS, box=(0.0, np.inf))
    dc.write_report(table, tmp_path)
    pd.testing.assert_frame_equal(dc.read_errors(tmp_path / "errors.csv"), table)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((1.0, 2.0), r"x=0.5: lies outside the box \[1.0, 2.0\]; pass a point inside, or a wider box"),
        ((0.45, 0.55), r"h=0.1: at 0.5 no stencil of order 1 fits into the box \[0.45, 0.55\]; take a smaller h"),
        (3.0, r"box=3.0: must be \(lower, upper\)"),
        (([0.0, 0.0], 1.0), r"arrays of shape \(1,\)"),
        ((1.0, 0.0), "every lower side must be a number below its upper one"),
    ],
)
def test_a_box_that_does_not_do_is_refused(box: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dc.sweep(dc.parse("x**2"), 0.5, steps=STEPS, box=box)


def test_a_point_that_the_dtype_rounds_out_of_the_box_is_refused() -> None:
    # 0.3 is 0.300048828125 in float16
    with pytest.raises(ValueError, match=r"x=0.300048828125: lies outside the box \[0.0, 0.3\]"):
        dc.sweep(dc.parse("x**2"), 0.3, dtype="float16", box=(0.0, 0.3))


@pytest.mark.parametrize(
    ("text", "x", "box", "scheme"),
    [
        ("log(x)", 1e-5, (0.0, np.inf), "forward"),
        ("sqrt(1 - x)", 1 - 2.0**-20, (-np.inf, 1.0), "backward"),
        ("exp(x)", 1e-3, (0.0, 1.0), "forward"),
    ],
)
def test_the_predicted_step_is_sought_among_all_steps_of_a_stencil(text: str, x: float, box: Any, scheme: str) -> None:
    # not among those of the run of steps that a row belongs to: the scheme stays inside with all of them
    steps = dc.geometric_steps(1e-1, 1e-15, per_decade=1)
    rows = dc.sweep(dc.parse(text), x, steps=steps, box=box, split=False, bounds=False)
    rows = rows[rows["scheme"] == scheme]
    free = dc.sweep(dc.parse(text), x, schemes=scheme, steps=steps, split=False, bounds=False)
    assert len(rows) == len(free)
    for column in PREDICTED:
        assert rows[column].tolist() == free[column].tolist()


def test_the_predicted_step_is_one_that_the_stencil_ran_with() -> None:
    # a straight line: every step is exact but for rounding, so the longest is the best
    table = dc.sweep(dc.parse("3*x"), 0.01, schemes="central", steps=[0.1, 0.05, 0.01, 1e-3], box=(0.0, 1.0))
    best = table.astype({"scheme": str}).groupby("scheme")["predicted_h"].unique()
    assert best["central"].tolist() == [0.01]
    assert best["forward2"].tolist() == [0.1]


def test_a_series_that_does_not_converge_predicts_no_small_error() -> None:
    # the abscissa x + 2h is beyond the circle of convergence, where ten terms of log may add up to 0
    rows = dc.sweep(dc.parse("log(x)"), 1e-5, schemes="forward2", split=False, bounds=False)
    assert rows["predicted_h"].iloc[0] < 1e-8
    near = rows.iloc[(np.log(rows["h"]) - np.log(rows["predicted_h"])).abs().argmin()]
    assert near.abs_error <= near.predicted_abs_error * 10
