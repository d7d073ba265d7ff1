"""The example notebook runs from top to bottom and shows what its texts say.

Its cells are plain Python, so they are executed here as a kernel would: in order, in one namespace, the value of a
last expression shown. Jupyter's own runner starts a server's worth of packages and a second process for the same.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import diffcompare as dc

NOTEBOOK = Path(__file__).parents[1] / "reports" / "notebook.ipynb"
CONTENT = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
mpl.use("Agg")


def shown_by(cells: list[tuple[str, str]]) -> dict[str, Any]:
    """Run cells and give what each of them shows: the value of its last line, unless a semicolon ends it."""
    scope: dict[str, Any] = {}
    shown = {}
    for name, source in cells:
        tree = ast.parse(source, filename=name)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), scope)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), name, "eval"), scope)
            if not source.endswith(";"):
                shown[name] = value
    return shown


@pytest.fixture(scope="module")
def shown() -> Iterator[dict[str, Any]]:
    code = [(cell["id"], "".join(cell["source"])) for cell in CONTENT["cells"] if cell["cell_type"] == "code"]
    yield shown_by(code)
    plt.close("all")


def test_the_file_is_a_notebook_without_outputs() -> None:
    assert (CONTENT["nbformat"], CONTENT["nbformat_minor"]) == (4, 5)
    assert set(CONTENT["metadata"]) == {"kernelspec", "language_info"}
    names = [cell["id"] for cell in CONTENT["cells"]]
    assert len(set(names)) == len(names)
    for cell in CONTENT["cells"]:
        assert cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
    assert NOTEBOOK.read_text(encoding="utf-8") == json.dumps(CONTENT, indent=1, ensure_ascii=False) + "\n"


def test_a_cell_that_fails_is_noticed() -> None:
    assert shown_by([("a", "x = 1\nx"), ("b", "x + 1;")]) == {"a": 1}
    with pytest.raises(NameError):
        shown_by([("a", "x = 1"), ("b", "y")])


@pytest.mark.thorough
def test_tables_and_charts_are_what_the_texts_say(shown: dict[str, Any]) -> None:
    best = shown["sweep"].set_index("scheme")
    assert (best["verdict"].astype(str) == "within-bound").all()
    assert best.loc["central", "best_h"] < 1e-4
    assert best.loc["central", "best_h"] > best.loc["forward", "best_h"]
    assert best.loc["central", "abs_error_at_1e-4"] < best.loc["forward", "abs_error_at_1e-4"]
    assert shown["loss"]["abs_error"].iloc[0] > 0.01
    assert shown["first"][["numeric", "rel_error"]].iloc[1].tolist() == [0.0, 1.0]
    assert set(shown["corner"]["status"]) == {"kink"}
    assert shown["corner"]["numeric"].notna().all()
    assert shown["gradient"].tolist() == [6.0, 8.0]
    good, large, small = shown["descent"].values()
    assert good < 1e-17
    assert (large > 1e200, round(small, 4)) == (True, 25.0)
    assert shown["spots"]["operation"].iloc[0] == "cos(x)"
    assert isinstance(shown["spots"], pd.DataFrame)
    # two charts, which draw without a warning
    assert len(plt.get_fignums()) == 2
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()


def test_the_questions_are_those_of_the_lesson_in_its_order() -> None:
    study = (NOTEBOOK.parent / "chapter4.toml").read_text(encoding="utf-8").replace("\n", " ")
    asked = [line for cell in CONTENT["cells"] for line in cell["source"] if line.startswith("## ")]
    places = [study.find(line[3:].strip().split(", and")[0].rstrip("?")) for line in asked]
    known = [place for place in places if place > 0]
    assert len(known) == 5
    assert known == sorted(known)


def test_verdicts_show_themselves(shown: dict[str, Any]) -> None:
    assert [shown[name].status for name in ("check", "fixed")] == ["wrong", "consistent"]
    assert isinstance(shown["check"], dc.Verdict)
    assert "factor 2 missing in the term 0.1*(x0**2 + x1**2)" in shown["check"]._repr_html_()
    assert "consistent: the gradient agrees" in shown["fixed"]._repr_html_()
