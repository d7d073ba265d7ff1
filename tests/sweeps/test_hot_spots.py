"""Where the rounding error of a function comes from."""

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.program import printing

COLUMNS = ["operation", "bound", "bound_share", "error", "error_share"]


def test_one_minus_cosine_loses_all_in_the_cosine() -> None:
    spots = dc.hot_spots(dc.parse("(1 - cos(x))/x**2"), 1e-4)
    assert spots.columns.tolist() == COLUMNS
    assert spots.loc[0, "operation"] == "cos(x)"
    assert spots.loc[0, "bound_share"] > 0.999
    assert spots.loc[0, "error_share"] > 0.99


def test_the_difference_of_near_numbers_is_not_to_blame() -> None:
    spots = dc.hot_spots(dc.parse("exp(x) - exp(y)", variables=["x", "y"]), [1.0, 1.0000001])
    assert set(spots["operation"]) == {"exp(x)", "exp(y)"}


def test_a_constant_that_is_no_float_is_a_spot() -> None:
    spots = dc.hot_spots(dc.parse("(x - 0.1)*3"), 0.1)
    assert spots.loc[0, "operation"] == "0.1"
    assert 3 * 5.5e-18 <= spots.loc[0, "bound"] <= 3 * 5.6e-18


def test_shares_are_of_the_sums() -> None:
    f = dc.parse("exp(x)/(sin(x)**3 + cos(x)**3)")
    spots = dc.hot_spots(f, 1.3)
    assert abs(spots["bound_share"].sum() - 1) <= 1e-12
    assert abs(spots["error_share"].sum() - 1) <= 1e-12
    assert (spots["bound_share"] == spots["bound"] / spots["bound"].sum()).all() or (
        np.abs(spots["bound_share"] - spots["bound"] / spots["bound"].sum()) <= 1e-15
    ).all()
    assert spots["bound"].is_monotonic_decreasing
    assert (spots["error"].abs() <= spots["bound"] * (1 + 1e-9)).all()


def test_an_exact_program_has_no_spots() -> None:
    assert dc.hot_spots(dc.parse("abs(x)"), 0.3).empty
    assert dc.hot_spots(dc.parse("-x"), 0.3).empty
    assert dc.hot_spots(dc.parse("x"), 0.3).columns.tolist() == COLUMNS


def test_a_jump_has_no_bounds() -> None:
    spots = dc.hot_spots(dc.parse("where(3*x < 0.3, exp(x), 2*x)"), 0.1)
    assert spots["bound"].isna().all()


def test_overflow_has_no_bound_where_it_happens() -> None:
    spots = dc.hot_spots(dc.parse("1/exp(x)"), 800.0)
    assert spots["bound"].isna().any() or spots.empty


def test_points_are_checked() -> None:
    with pytest.raises(ValueError, match="coordinate"):
        dc.hot_spots(dc.parse("x*y"), 1.0)
    with pytest.raises(ValueError, match="nan"):
        dc.hot_spots(dc.parse("x"), float("nan"))


def test_many_variables() -> None:
    names = [f"x{k}" for k in range(12)]
    f = dc.parse(" + ".join(f"sin({name})" for name in names), variables=names)
    spots = dc.hot_spots(f, np.arange(12.0))
    assert len(spots) >= 12
    assert spots["bound"].notna().all()


def test_every_node_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # each operation wrote the whole program before it: 1,000 terms took 17 s
    f, written = dc.parse(" + ".join(f"sin({k}*x)" for k in range(1, 60))), []
    bracketed = printing.bracketed
    monkeypatch.setattr(printing, "bracketed", lambda *operand: written.append(operand) or bracketed(*operand))
    spots = dc.hot_spots(f, 0.5)
    assert len(spots) > 100
    assert len(written) <= sum(len(node.operands) for node in f.program.nodes)


def test_a_formula_of_few_nodes_writes_few() -> None:
    f = dc.parse("sin(x) + cos(y)*exp(z)")
    indices = [k for k, node in enumerate(f.program.nodes) if node.operation in ("sin", "exp")]
    assert printing.formulas(f.program, indices) == ["sin(x)", "exp(z)"]
    assert printing.formulas(f.program, []) == []
