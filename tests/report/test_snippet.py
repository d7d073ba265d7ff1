from __future__ import annotations

import ast
import math

import pytest

from diffcompare.report.snippet import reproduce

from .example import STEPS, errors_table, sweep_rows


def program(name: str = "f", steps: tuple[float, ...] = STEPS) -> str:
    rows = errors_table(sweep_rows(name, math.exp, ["x"], [1.5], [math.exp(1.5)], steps=steps))
    return reproduce(name=name, formula="exp(x)", variables=["x"], rows=rows)


def test_geometric_steps_are_named() -> None:
    assert "steps=dc.geometric_steps(0.1, 1e-16, per_decade=1)" in program()
    digits = ("1", "0.56234132519034908039", "0.31622776601683793320", "0.17782794100389228012")
    quarter = tuple(float(f"{m}e-{k}") for k in range(1, 9) for m in digits)
    assert "steps=dc.geometric_steps(0.1, 1.7782794100389228e-09, per_decade=4)" in program(steps=quarter)


def test_other_steps_are_listed_in_full() -> None:
    steps = tuple(sorted((2.0**-k for k in range(30)), reverse=True))
    tree = ast.parse(program(steps=steps))
    listed = next(n for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg == "steps")
    assert ast.literal_eval(listed.value) == list(steps)
    assert max(map(len, program(steps=steps).splitlines())) <= 100


@pytest.mark.parametrize("name", ["'); import os; ('", '"""', "\\", "\n", "\u202e", "각도", "{}"])
def test_a_name_is_only_ever_a_string(name: str) -> None:
    tree = ast.parse(program(name))
    call = next(n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "dc.parse")
    assert [ast.literal_eval(k.value) for k in call.keywords] == [["x"], name]
    assert len(tree.body) == 4
    assert program(name).replace("\n", "").isprintable()
