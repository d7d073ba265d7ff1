"""The committed example report is what its study gives today, on this machine and on others; the gallery can be drawn.

NumPy's exp, log, sin … differ in the last bit between processors, so what must agree byte for byte is what does not
depend on them: names, points, steps, certified values, statuses, formulas; and all of a function that uses only
+ − × ÷, squares and sqrt, but for the observed order (a logarithm).
"""

import html
import importlib.util
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.report.wording import exactly, short
from diffcompare.studies.study_file import read_study
from diffcompare.tables.schema import COLUMNS, Tables, read_point

pytestmark = pytest.mark.places
REPORTS = Path(__file__).parent.parent / "reports"
STUDIES = sorted(path.stem for path in REPORTS.glob("*.toml"))
EVERYWHERE = ["function", "variable", "point", "scheme", "order", "h", "exact", "status", "dtype"]
SAME_BITS = {"constant", "variable", "add", "subtract", "multiply", "divide", "negative", "sqrt", "abs"}


def _bits_are_the_same(formula: str) -> bool:
    nodes = dc.parse(formula).program.nodes
    return all(node.operation in SAME_BITS or (node.operation, node.payload) == ("integer_power", 2) for node in nodes)


def _text(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _rational(folder: Path) -> list[str]:
    functions = _text(folder / "functions.csv")
    return [row.function for row in functions.itertuples() if _bits_are_the_same(row.formula)]


def _numeric_is_near(row: pd.Series, formula: str, variables: list[str], committed: float) -> bool:
    """Tell whether two quotients differ by at most 4 ulp(f)/h."""
    f = dc.parse(formula, variables=variables)
    point = list(read_point(row["point"]).values())
    size = 0.0
    for offset in (-row["h"], 0.0, row["h"]):
        there = [x + offset if name == row["variable"] else x for name, x in zip(variables, point, strict=True)]
        value = float(f(there[0] if len(there) == 1 else there))
        size = max(size, abs(value)) if np.isfinite(value) else size
    return abs(row["numeric"] - committed) <= 4 * np.spacing(size) / row["h"]


def _agree(committed: Path, made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == sorted(path.name for path in committed.iterdir())
    for name in ("functions.csv", "manifest.json"):
        assert (made / name).read_bytes() == (committed / name).read_bytes()
    old, new = _text(committed / "errors.csv"), _text(made / "errors.csv")
    assert list(new.columns) == list(COLUMNS)
    pd.testing.assert_frame_equal(new[EVERYWHERE], old[EVERYWHERE])
    same = _rational(committed)
    pd.testing.assert_frame_equal(new[new["function"].isin(same)], old[old["function"].isin(same)])
    for name in ("summary.csv", "curves.csv", "descent.csv", "hot_spots.csv", "surfaces.csv"):
        one, two = _text(committed / name), _text(made / name)
        assert list(one.columns) == list(two.columns)
        assert len(one) == len(two)
        kept = [column for column in one.columns if column != "observed_order"]
        pd.testing.assert_frame_equal(two[two["function"].isin(same)][kept], one[one["function"].isin(same)][kept])
    functions = _text(committed / "functions.csv").set_index("function")
    before, after = dc.read_errors(committed / "errors.csv"), dc.read_errors(made / "errors.csv")
    for (_, row), committed_value in zip(after.iterrows(), before["numeric"], strict=True):
        if row["function"] not in same and np.isfinite(committed_value):
            entry = functions.loc[row["function"]]
            assert _numeric_is_near(row, entry["formula"], entry["variables"].split(";"), committed_value)
    for page in committed.glob("*.html"):
        for pattern in (r"<title>.*?</title>", r"<h1.*?</h1>", r"<math.*?</math>"):
            found = [re.findall(pattern, (folder / page.name).read_text(), re.DOTALL) for folder in (committed, made)]
            assert found[0] == found[1]


@pytest.mark.thorough
def test_the_lesson_gives_the_committed_report(tmp_path):
    tables = dc.run_study(REPORTS / "chapter4.toml")
    for folder in ("once", "again"):
        dc.write_report(tables, tmp_path / folder)
    _agree(REPORTS / "chapter4", tmp_path / "once")
    for path in (tmp_path / "once").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def _quoted(tables: Tables) -> dict[str, list[str]]:
    """The numbers of each text of the lesson, computed from the tables."""
    keys = ["function", "variable", "scheme", "h"]
    errors = tables.errors.astype(dict.fromkeys(keys[:3], str)).assign(point=tables.errors["point"].astype(str))

    def row(function: str, h: float, scheme: str = "forward", variable: str = "x", point: int = 0) -> pd.Series:
        found = errors[(errors[keys] == [function, variable, scheme, h]).all(axis=1)]
        return found.iloc[point]

    def digits(rows: pd.DataFrame) -> str:
        return f"to {math.floor(-math.log10(rows['rel_error'].max()))}"

    def minus(number: float) -> str:
        return short(number).replace("-", "−", 1) if number < 0 else short(number)

    def run(function: str, gradient: str) -> pd.DataFrame:
        runs = tables.descent
        return runs[(runs["function"] == function) & (runs["gradient"] == gradient)]

    square, entropy, layer = "sum of squares error", "cross-entropy error", "loss of the 2×3 layer"
    first, line, bowl = "0.01 x² + 0.1 x, first try with h = 1e-49", "0.01 x² + 0.1 x", "x0² + x1²"
    fast, slow = f"{bowl}, learning rate 10", f"{bowl}, learning rate 1e-10"
    of_bowl, of_layer = (errors[errors["function"] == name] for name in (bowl, layer))
    near = errors[(errors["function"] == line) & (errors["point"] == "x=5.0") & (errors["scheme"] == "forward")]
    best = near.loc[near[near["status"] == "ok"]["abs_error"].idxmin()]
    book = of_bowl[of_bowl["h"] == 1e-4]
    of_layer = of_layer[of_layer["h"] == 1e-4]
    central, forward = (of_layer[of_layer["scheme"] == name] for name in ("central", "forward"))
    others = errors[(errors["function"] == entropy) & (errors["variable"] != "y2")]
    assert (others[["numeric", "exact"]] == 0).all(axis=None)
    assert {(r["scheme"], r["numeric"]) for _, r in errors[errors["function"] == "|x|"].iterrows()} == {
        ("forward", 1.0), ("central", 0.0),
    }  # fmt: skip
    assert (book[book["scheme"] == "forward"]["abs_error"].map(short) == "1e-4").all()
    assert set(central["variable"][central["exact"] < 0]) == {"w02", "w12"}
    lost, end = row(first, 1e-49), run(fast, "exact")["value"].iloc[-1]
    stopped = run(fast, "central").iloc[-1]
    assert stopped["gradient_norm"] == 0
    points = {tuple(read_point(point).values()) for point in book["point"]}
    gradients = [book[(book["scheme"] == "central") & (book["point"] == p)]["exact"] for p in book["point"].unique()]
    sure, unsure = ({h: row(square, h, "central", "y2", k) for h in (1e-2, 1e-6)} for k in (0, 1))
    return {
        "": [
            short(lost["numeric"]), short(lost["exact"]), digits(pd.DataFrame([row(line, 1e-4)])),
            digits(pd.DataFrame([row(line, 1e-4, "central")])),
        ],
        square: [
            minus(sure[1e-2]["exact"]), minus(unsure[1e-2]["exact"]),
            *(digits(pd.DataFrame([sure[h], unsure[h]])) for h in (1e-2, 1e-6)),
        ],
        entropy: [
            *(minus(row(entropy, 1e-4, "central", "y2", k)["exact"]) for k in (0, 1)),
            *(short(row(entropy, h, "central", "y2", 1)["abs_error"]) for h in (1e-2, 1e-3, 1e-4)),
        ],
        first: [short(lost["exact"]), f"{100 * lost['rel_error']:.0f} %", short(row(first, 1e-4)["abs_error"])],
        line: [
            short(row(line, 1e-4)["abs_error"]), short(best["abs_error"]), short(best["h"]),
            short(row(line, 1e-15)["abs_error"]), short(row(line, 1e-4, "central")["abs_error"]),
        ],
        f"{bowl} with x1 = 4": [exactly(row(f"{bowl} with x1 = 4", 1e-4, "central", "x0")["numeric"]), "6"],
        f"{bowl} with x0 = 3": [exactly(row(f"{bowl} with x0 = 3", 1e-4, "central", "x1")["numeric"]), "8"],
        bowl: [
            *(f"({', '.join(map(short, gradient))})" for gradient in gradients),
            *(f"({', '.join(map(short, point))})" for point in points),
            short(book[book["scheme"] == "central"]["abs_error"].max()),
            *(minus(run(bowl, "exact")[x].iloc[-1]) for x in ("x0", "x1")),
            short(run(bowl, "central")["distance"].iloc[-1]),
        ],
        fast: [short(end), short(stopped["value"]), short(abs(run(fast, "exact")["x0"].iloc[1] / 3))],
        slow: [short(run(slow, gradient)["value"].iloc[-1]) for gradient in ("exact", "central")],
        layer: [*(minus(value) for value in central["exact"]), digits(central), digits(forward)],
        "|x|": ["1", "0"],
    }  # fmt: skip


def test_what_the_lesson_says_is_in_its_tables():
    study, folder = read_study(REPORTS / "chapter4.toml"), REPORTS / "chapter4"
    errors, descent = dc.read_errors(folder / "errors.csv"), pd.read_csv(folder / "descent.csv")
    texts = {"": study.lesson, **{entry.name: entry.lesson for entry in study.entries}}
    for walk in study.descents:
        texts[walk.function] = f"{texts[walk.function]} {walk.lesson}"
    expected = _quoted(Tables("", errors, errors, descent=descent))
    assert expected.keys() == texts.keys()
    numbers = r"[−-]?\d+(?:\.\d+)?(?:e-?\d+)?(?: %)?"
    for name, text in texts.items():
        assert [quote for quote in expected[name] if quote not in text] == []
        # what is no result is given: a step, a rate, a coordinate, a small whole number
        given = {"0.01", "0.1", "0.2", "0.6", "0.8", "0.9", "1e-2", "1e-3", "1e-4", "1e-6", "1e-10", "1e-15", "1e-49"}
        known = given | set(re.findall(numbers, " ".join(expected[name])))
        assert [n for n in re.findall(numbers, text) if n not in known and not re.fullmatch(r"[−-]?\d{1,3}", n)] == []


def test_the_lesson_has_the_steps_to_see_the_order_of_each_scheme():
    summary = pd.read_csv(REPORTS / "chapter4" / "summary.csv")
    seen = summary[summary["observed_order"].notna()]
    assert set(seen["scheme"]) == {"forward", "backward", "central"}
    assert ((seen["observed_order"] - seen["order"]).abs() < 0.01).all()


# what the studies of the gallery are there to show
SHOWN = {
    "calculus": {"ok"},
    "chapter4": {"kink", "h-underflow"},
    "hard": {"kink", "domain", "h-underflow"},
    "losses": {"ok", "kink"},
    "width": {"domain", "h-underflow"},
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_of_the_gallery_shows_what_it_is_there_for(name):
    tables = dc.run_study(REPORTS / f"{name}.toml")
    errors, functions = tables.errors, tables.functions
    assert set(functions["status"]) == {"ok"}, functions["message"].tolist()
    assert set(errors["status"]) >= SHOWN[name]
    bounded = errors[np.isfinite(errors["bound"]) & (errors["bound_source"] == "proven")]
    assert len(bounded) > len(errors) / 2
    assert (bounded["abs_error"] <= bounded["bound"]).all()


@pytest.mark.thorough
def test_the_study_gives_the_committed_report_on_a_plain_processor(tmp_path):
    features = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": ",".join(features)}
    command = [sys.executable, "-m", "diffcompare", "run", str(REPORTS / "chapter4.toml"), "--out", "plain"]
    environment["PYTHONPATH"] = os.pathsep.join([str(REPORTS.parent), environment.get("PYTHONPATH", "")])
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    _agree(REPORTS / "chapter4", tmp_path / "plain")


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, REPORTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.thorough
def test_the_gallery_of_verdicts_says_what_it_says(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(REPORTS))
    gallery = _script("verdicts")
    found = list(gallery.verdicts())
    assert [verdict.status for verdict in found] == [status for status, *_ in gallery.CHECKS]
    dc.write_report(found, tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert all(html.escape(str(verdict.cause)) in page for verdict in found if verdict.cause)
    # the command that draws everything reads the same checks
    assert _script("gallery").verdicts is sys.modules["verdicts"].verdicts


def _drawing(path: Path) -> bytes:
    """A picture without its colours and fonts."""
    drawing = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    for style in drawing.findall("{http://www.w3.org/2000/svg}style"):
        drawing.remove(style)
    return ElementTree.tostring(drawing)


def test_the_tutorial_is_what_its_code_prints(tmp_path):
    _script("tutorial").write(tmp_path)
    committed = (REPORTS / "tutorial.md").read_text(encoding="utf-8")
    # every number of the text is in the output, or was computed where it stands
    assert (tmp_path / "tutorial.md").read_text(encoding="utf-8").splitlines() == committed.splitlines()
    assert not set("«»") & set(committed)
    shown = re.findall(r"!\[[^]]+\]\(tutorial/([^)]+)\)", committed)
    for folder in (REPORTS, tmp_path):
        assert sorted(path.name for path in (folder / "tutorial").iterdir()) == sorted(shown)
    for name in shown:
        assert _drawing(REPORTS / "tutorial" / name) == _drawing(tmp_path / "tutorial" / name)
        # a code host shows a picture that brings its styles and nothing from elsewhere
        text = (REPORTS / "tutorial" / name).read_text(encoding="utf-8")
        assert "svg .line {" in text
        assert "prefers-color-scheme: dark" in text
        assert "://" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert {name for name in re.findall(r"url\(([^)]*)\)", text) if not name.startswith("#")} == set()
        assert set(re.findall('class="([sp][1-8])"', text)) == set(re.findall('id="d-([sp][1-8])"', text))


def test_the_output_of_the_tutorial_is_that_of_its_code():
    tutorial = _script("tutorial")
    assert tutorial.executed(">>> x = 2\n>>> for k in (1, 2):\n...     print(k * x)\n>>> x\n", {}) == (
        ">>> x = 2\n>>> for k in (1, 2):\n...     print(k * x)\n2\n4\n>>> x\n2"
    )
    with pytest.raises(ZeroDivisionError):
        tutorial.executed(">>> 1 / 0\n", {})
