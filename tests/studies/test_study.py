"""Study files: what they hold, every way of getting them wrong, and the tables that come out."""

import gc
import math
import random
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.errors import StudyError
from diffcompare.studies import study as module
from diffcompare.studies import study_file
from diffcompare.studies.study import evaluate, read_study, run_study
from diffcompare.tables.schema import (
    BOUND_SOURCES,
    COLUMNS,
    CURVE_COLUMNS,
    FUNCTION_COLUMNS,
    STATUSES,
    SURFACE_COLUMNS,
    read_point,
)

ONE = '[[function]]\nexpr = "x**2"\npoints = [3.0]\n'
TWO = '[[function]]\nexpr = "x*y"\npoints = [[3.0, 4.0]]\n'
DESCENT = ONE + '[[descent]]\nfunction = "x**2"\nstart = 1.0\n'
CHAPTER = Path(__file__).parents[2] / "reports" / "chapter4.toml"


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(content):
        content = content if isinstance(content, bytes) else content.encode()
        Path("s.toml").write_bytes(content)
        return "s.toml"

    return write


# ---- what a file may hold


def test_all_keys(write):
    study = read_study(
        write(
            'title = "T"\nschemes = ["central", "forward", "central"]\nsteps = [1e-3, 1, 1e-3]\ndtype = "float64"\n'
            '[[function]]\nname = "f"\nexpr = "x0"\nvariables = ["x0", "x1"]\npoints = [[1, 2.5], [1, 2.5]]\n'
            "[[function]]\n"
            'expr = "x"\npoints = [1, 2]\nschemes = ["backward"]\nsteps = { from = 1e-1, to = 1e-2, per_decade = 2 }\n'
            '[[descent]]\nfunction = "f"\nstart = [1, 2]\nlearning_rate = 1\nsteps = 3\ngradients = ["forward"]\n'
        )
    )
    first, second = study.entries
    assert (study.title, study.dtype) == ("T", "float64")
    assert (first.name, first.schemes, first.steps) == ("f", ("central", "forward"), (1.0, 1e-3))
    assert (first.points, first.variables) == (((1.0, 2.5),), ("x0", "x1"))
    assert (second.name, second.schemes, second.points) == ("x", ("backward",), ((1.0,), (2.0,)))
    assert second.steps == (0.1, 10**-1.5, 0.01)
    (descent,) = study.descents
    assert (descent.function, descent.start, descent.learning_rate) == ("f", (1.0, 2.0), 1.0)
    assert (descent.steps, descent.gradients) == (3, ("forward",))


def test_texts_are_a_lesson(write):
    again = DESCENT[len(ONE) :]
    text = 'text = """\n  One <b> & two.\n\nThree.\n"""\n'
    path = write(f'{text}{DESCENT}text = "Down."\n{again}{text}{again}{TWO}text = "Flat."\n')
    study = read_study(path)
    assert study.lesson == "One <b> & two.\n\nThree."
    assert [entry.lesson for entry in study.entries] == ["", "Flat."]
    lesson = run_study(path).lesson
    assert lesson.study == study.lesson
    assert lesson.functions == {study.entries[1].name: "Flat."}
    assert lesson.descents == {"x**2": "Down.\n\nOne <b> & two.\n\nThree."}


def test_defaults(write):
    study = read_study(write(DESCENT))
    assert study.title == "s"
    (entry,) = study.entries
    assert entry.name == "x**2"
    assert entry.schemes == ("forward", "backward", "central")
    assert entry.steps == tuple(dc.geometric_steps(1e-1, 1e-16, per_decade=4))
    assert study.descents[0].gradients == ("exact", "central")


def test_one_point_of_several_variables_may_be_written_flat(write):
    assert read_study(write(TWO.replace("[[3.0, 4.0]]", "[3.0, 4.0]"))).entries[0].points == ((3.0, 4.0),)


def test_windows_line_ends_and_a_byte_order_mark(write):
    assert len(read_study(write(b"\xef\xbb\xbf" + ONE.replace("\n", "\r\n").encode())).entries) == 1


# ---- what is wrong with a file: file, line, key, remedy

BAD = {
    "unknown key": (
        ONE + "point = [1]\n",
        r"line 4: key 'point' of \[\[function\]\] 1: unknown key; did you mean 'points'\?",
    ),
    "unknown key at the top": ("step = 1\n" + ONE, r"line 1: key 'step': unknown key; did you mean 'steps'\?"),
    "unknown key far from all": ("zzz = 1\n" + ONE, "line 1: key 'zzz': unknown key; choose from function, title"),
    "unknown key of steps": (
        "steps = { from = 1, to = 0.1, per_decad = 2 }\n" + ONE,
        r"line 1: key 'steps\.per_decad': unknown key; did you mean 'per_decade'\?",
    ),
    "unknown key of a descent": (
        DESCENT + "step = 3\n",
        r"line 7: key 'step' of \[\[descent\]\] 1: unknown key; did you mean 'steps'",
    ),
    "text that looks like a table": (
        'title = """\n[[function]]\nfoo = 1\n"""\n' + ONE + "foo = 1\n",
        r"line 8: key 'foo' of \[\[function\]\] 1",
    ),
    "wrong type": (
        "title = 3\n" + ONE,
        "line 1: key 'title': expected a text in quotes, got a whole number; write title = \"Ch",
    ),
    "text for a coordinate": (
        ONE.replace("3.0", '"3"'),
        "line 3: key 'points' .*expected a number or a list, got a text",
    ),
    "boolean for a coordinate": (ONE.replace("3.0", "true"), "line 3: .*got true or false"),
    "date for a coordinate": (ONE.replace("3.0", "2020-01-01"), "line 3: .*got date"),
    "a scheme for schemes": (
        'schemes = "central"\n' + ONE,
        r"line 1: key 'schemes': expected a list.*write schemes = \[",
    ),
    "a table where a list of tables is": (
        "[function]\nexpr = 'x'\n",
        r"line 1: .*must be a table; write \[\[function\]\]",
    ),
    "numbers where tables are": ("function = [3]\n", r"line 1: \[\[function\]\] 1: must be a table"),
    "steps of a descent": (
        DESCENT + "steps = { from = 1 }\n",
        "line 7: .*expected a whole number, got a table; write steps = 100",
    ),
    "no function": ("", r"s\.toml: key 'function': there is no function; add a \[\[function\]\]"),
    "empty list of functions": ("function = []\n", "line 1: key 'function': there is no function"),
    "no points": (
        '[[function]]\nexpr = "x"\n',
        r"line 1: key 'points' of \[\[function\]\] 1: missing; write points = \[",
    ),
    "no formula": ("[[function]]\npoints = [1]\n", "line 1: key 'expr' .*missing; write expr ="),
    "empty points": (ONE.replace("3.0", ""), "line 3: key 'points' .*is empty; write points"),
    "empty schemes": ("schemes = []\n" + ONE, "line 1: key 'schemes': is empty; write schemes"),
    "empty steps": ("steps = []\n" + ONE, "line 1: key 'steps': 0 step sizes"),
    "empty variables": (ONE + "variables = []\n", "line 4: key 'variables' .*is empty"),
    "empty gradients": (DESCENT + "gradients = []\n", "line 7: key 'gradients' .*is empty"),
    "empty name": (ONE + 'name = ""\n', "line 4: key 'name' .*has 0 characters; 1 to 200"),
    "long name": (ONE + f'name = "{"n" * 201}"\n', "line 4: key 'name' .*has 201 characters"),
    "h = 0": (
        "steps = [1e-3, 0]\n" + ONE,
        r"line 1: key 'steps': h=0\.0: step sizes must be positive and finite; write",
    ),
    "h < 0": (
        ONE + "steps = [-1e-3]\n",
        r"line 4: key 'steps' of \[\[function\]\] 1: h=-0\.001: step sizes must be positive",
    ),
    "h = nan": ("steps = [nan]\n" + ONE, "h=nan: step sizes must be positive and finite"),
    "to = 0": ("[steps]\nfrom = 0.1\nto = 0\n" + ONE, r"line 1: key 'steps': h=0\.0"),
    "from < to": ("steps = { from = 1e-3, to = 1e-1 }\n" + ONE, r"from=0\.001 is smaller than to=0\.1; exchange them"),
    "per_decade = 0": (
        "steps = { from = 1, to = 0.1, per_decade = 0 }\n" + ONE,
        r"key 'steps\.per_decade': per_decade=0: 1 to 100",
    ),
    "too many steps": ("steps = { from = 1e300, to = 1e-300, per_decade = 9 }\n" + ONE, "more than 2000 step sizes"),
    "infinite coordinate": (ONE.replace("3.0", "inf"), r"line 3: .*point \[inf\]: coordinates must be finite"),
    "overflowing coordinate": (ONE.replace("3.0", "1e999"), "coordinates must be finite"),
    "huge integer": (ONE.replace("3.0", "9" * 400), "line 3: key 'points' .*number out of range"),
    "nan coordinate": (TWO.replace("4.0", "nan"), r"point \[3\.0, nan\]: coordinates must be finite"),
    "too few coordinates": (TWO.replace(", 4.0", ""), r"line 3: .*point \[3\.0\] has 1 coordinate\(s\); give 2: x, y"),
    "too many coordinates": (ONE.replace("3.0", "[3.0, 4.0]"), r"has 2 coordinate\(s\); give 1: x"),
    "unknown scheme": (
        'schemes = ["centre"]\n' + ONE,
        r"line 1: key 'schemes': unknown scheme 'centre'; did you mean 'central'\?",
    ),
    "offsets that repeat": (
        'schemes = ["[0, 1, 1]"]\n' + ONE,
        r"line 1: key 'schemes': offsets=\['0', '1', '1'\]: an offset is repeated; list each once",
    ),
    "unknown dtype": (
        'dtype = "float8"\n' + ONE,
        r"line 1: key 'dtype': 'float8' is not supported; choose from float64",
    ),
    "unknown gradient": (
        DESCENT + 'gradients = ["exakt"]\n',
        r"line 7: .*unknown gradient 'exakt'; did you mean 'exact'\?",
    ),
    "repeated name": (
        ONE + ONE + 'name = "x**2"\n',
        r"line 7: key 'name' of \[\[function\]\] 2: 'x\*\*2' is the name of an earlier",
    ),
    "repeated text": (ONE + ONE, "line 4: key 'name' .*is the name of an earlier function; give each its own name"),
    "python": (
        '[[function]]\npython = "m:f"\npoints = [1]\n',
        r"line 2: key 'python' of \[\[function\]\] 1: pass --allow-python to run Python code named by a study file",
    ),
    "python and a formula": (ONE + 'python = "m:f"\n', "line 4: key 'python' .*expr is given as well; leave one"),
    "descent of nothing": (
        DESCENT.replace('function = "x**2"', 'function = "x*2"'),
        r"line 5: .*no function 'x\*2'; did you mean 'x\*\*2'",
    ),
    "descent from nowhere": (
        DESCENT.replace("start = 1.0", "start = [1, 2]"),
        r"line 6: .*has 2 coordinate\(s\); give 1: x",
    ),
    "descent from nan": (DESCENT.replace("start = 1.0", "start = nan"), "line 6: .*coordinates must be finite"),
    "descent at rate inf": (
        DESCENT + "learning_rate = inf\n",
        "line 7: .*must be a finite number",
    ),
    "descent of -1 steps": (DESCENT + "steps = -1\n", "line 7: key 'steps' .*-1 steps; 0 to 10000"),
    "descent without end": (DESCENT + "steps = 10001\n", "10001 steps; 0 to 10000"),
    "empty text": ('text = " "\n' + ONE, "line 1: key 'text': has 0 characters; 1 to 4000 are allowed"),
    "long text": (ONE + f'text = "{"a" * 4001}"\n', "line 4: .*has 4001 characters; 1 to 4000 are allowed"),
    "text of numbers": (
        DESCENT + "text = 3\n",
        "line 7: .*expected a text in quotes, got a whole number; write ",
    ),
    "no TOML": (ONE + "title = \n", "line 4: not valid TOML: .*column 9"),
    "repeated key": (ONE + "points = [1]\n", "line 4: not valid TOML: "),
    "unfinished TOML": (ONE + "a = [1,", r"line 4: not valid TOML: "),
    "number of 5000 digits": ("a = " + "9" * 5000, "not valid TOML: .*4300 digits"),
    "deep brackets": ("a = " + "[" * 100_000, "brackets are nested too deeply"),
    "deep key": ("\n" + "a." * 20_000 + "b = 1", "line 2: a key with more than 16 dots"),
    "deep header": ("[" + "a . " * 20_000 + "b]", "line 1: a key with more than 16 dots"),
    "not UTF-8": (b'title = "a"\n# \xff\n', "line 2: not UTF-8; save the file as UTF-8"),
    "too large": (b"#" * 10_000_001, "larger than 10000000 bytes; split it"),
    "box of one side": (
        ONE + "box = [0.0]\n",
        r"key 'box' of \[\[function\]\] 1: .* must be \(lower, upper\), or \(low, high\) for each variable; write ",
    ),
    "box upside down": (ONE + "box = [5, 1]\n", "every lower side must be a number below its upper one; write box = "),
    "box of another size": (ONE + "box = [[0, 1], 9]\n", r"its sides must be numbers, or arrays of shape \(1,\)"),
    "box of words": (ONE + 'box = "positive"\n', r"expected a list, got a text in quotes; write box = \[0.0, inf\]"),
    "too many rows": (
        f"steps = [{', '.join(f'{k}e-9' for k in range(1, 1900))}]\n"
        + ONE.replace("3.0", ", ".join(map(str, range(200)))),
        "more than 1000000 rows",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_in_one_line(write, case):
    content, message = BAD[case]
    with pytest.raises(StudyError, match=message) as caught:
        read_study(write(content))
    text = str(caught.value)
    assert re.match(r"s\.toml[,:] ", text)
    assert "\n" not in text
    assert len(text) < 400


BAD_PYTHON = {
    "no name": ('python = ""\npoints = [1]', "line 2: key 'python' .*has 0 characters"),
    "absolute": ('python = "/m.py:f"\npoints = [1]', "line 2: key 'python' .*is an absolute path; write it from the"),
    "variables": ('python = "m:f"\nvariables = ["a"]\npoints = [1]', "line 3: key 'variables' .*leave it out"),
    "no points": ('python = "m:f"\npoints = []', "line 3: key 'points' .*is empty"),
    "lengths": (
        'python = "m:f"\npoints = [[1, 2], [1, 2, 3]]',
        r"line 3: key 'points' .*2 coordinate\(s\) in a list and 3 .*must have the same number of coordinates",
    ),
    "number and list": ('python = "m:f"\npoints = [1, [2]]', "line 3: key 'points' .*a plain number and 1 coordinate"),
    "no coordinates": ('python = "m:f"\npoints = [[]]', r"line 3: key 'points' .*point \[\] has no coordinates"),
    "infinite": ('python = "m:f"\npoints = [[1, inf]]', "line 3: key 'points' .*coordinates must be finite"),
    "both": ('python = "m:f"\nexpr = "x"\npoints = [1]', "line 2: key 'python' .*expr is given as well"),
    "descent": (
        'python = "m:f"\npoints = [[1, 2]]\n[[descent]]\nfunction = "m:f"\nstart = [1]',
        r"line 6: key 'start' .*has 1 coordinate\(s\); give 2: x0, x1",
    ),
}


@pytest.mark.parametrize("case", BAD_PYTHON)
def test_a_bad_entry_of_python_code_is_refused_in_one_line(write, case):
    content, message = BAD_PYTHON[case]
    with pytest.raises(StudyError, match=message) as caught:
        read_study(write(f"[[function]]\n{content}\n"), allow_python=True)
    assert re.match(r"s\.toml, line ", str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            "".join(f'[[function]]\nexpr="sin(1.0001*x) + {k}.25*x"\npoints=[1]\n' for k in range(24_000)),
            r"about 4392000 rows and 1.9 GB, more than 1000000 rows",
        ),
        (
            f'[[function]]\nexpr = "x*y"\npoints = [{", ".join(f"[{k}, 0]" for k in range(40_000))}]\n',
            r"about 14640000 rows and 5.5 GB, more than 1000000 rows",
        ),
        (
            "steps = [1.0]\n"
            + f'[[function]]\nexpr = "x"\npoints = [{", ".join(str(k % 10) for k in range(300_000))}]\n',
            r"about 900000 rows and 1.7 GB, more than 1 GB",
        ),
    ],
    ids=["functions", "points", "bytes"],
)
def test_a_study_that_is_too_large_is_told_before_any_work(write, monkeypatch, content, told):
    parsed = []
    monkeypatch.setattr(study_file, "parse", lambda *a, **k: parsed.append(a))
    with pytest.raises(StudyError, match=rf"^s\.toml: the report would have {told}; use fewer .* or pass --no-limit$"):
        read_study(write(content))
    assert parsed == []


def test_no_limit_reads_a_large_study(write, monkeypatch):
    monkeypatch.setattr(study_file, "_ROWS", 100)
    path = write(ONE)
    with pytest.raises(StudyError, match=r"about 183 rows and .* more than 100 rows"):
        read_study(path)
    assert len(read_study(path, limit=False).entries) == 1
    large = write(ONE + "#" * 10_000_001)
    assert len(read_study(large, limit=False).entries) == 1
    with pytest.raises(
        StudyError, match="larger than 10000000 bytes; split it into several study files, or pass --no-"
    ):
        read_study(large)


def test_the_path_is_named_as_it_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match=r"^\./nothing\.toml: cannot be read \(No such file"):
        run_study("./nothing.toml")
    with pytest.raises(StudyError, match=r"^\.: cannot be read \(Is a directory\)"):
        run_study(".")


def test_hostile_keys_stay_in_one_line(write):
    with pytest.raises(StudyError, match=r"key 'a\\nb': unknown key"):
        read_study(write('"a\\nb" = 1\n' + ONE))


def test_many_dots_in_texts_and_numbers_are_no_keys(write):
    dots = "a." * 40
    assert len(read_study(write(f'title = "{dots}"\n# {dots}\nsteps = [{"0.1, " * 40}]\n' + ONE)).entries) == 1


# ---- the tables


SMALL = 'steps = [1e-1, 1e-4, 1e-8]\nschemes = ["forward", "central"]\n'


def test_tables_of_several_functions(write):
    tables = run_study(
        write(SMALL + ONE + TWO + '[[function]]\nexpr = "abs(x)"\npoints = [0.0]\nschemes = ["central"]\n')
    )
    errors = tables.errors
    assert list(errors.columns) == list(COLUMNS)
    assert len(errors) == 3 * 2 + 2 * 3 * 2 + 3
    assert list(errors["function"].cat.categories) == ["x**2", "x*y", "abs(x)"]
    assert list(errors["variable"].cat.categories) == ["x", "y"]
    assert list(errors["scheme"].cat.categories) == ["forward", "central"]
    assert list(errors["point"].cat.categories) == ["x=3.0", "x=3.0;y=4.0", "x=0.0"]
    assert list(errors["status"].cat.categories) == list(STATUSES)
    assert list(errors["bound_source"].cat.categories) == list(BOUND_SOURCES)
    assert errors.index.tolist() == list(range(len(errors)))
    assert errors["within_bound"].dtype == "boolean"
    assert errors["order"].dtype == np.int64
    kinked = errors[errors["function"] == "abs(x)"]
    assert set(kinked["status"]) == {"kink"}
    pd.testing.assert_frame_equal(tables.summary, dc.summarize(errors))


def test_a_study_of_one_function_equals_its_sweep(write):
    tables = run_study(write(SMALL + TWO))
    expected = dc.sweep(dc.parse("x*y"), [[3.0, 4.0]], schemes=("forward", "central"), steps=[1e-1, 1e-4, 1e-8])
    pd.testing.assert_frame_equal(tables.errors, expected)


def test_a_functions_own_steps_and_schemes(write):
    tables = run_study(write(SMALL + ONE + TWO + 'steps = [1e-49]\nschemes = ["backward"]\n'))
    own = tables.errors[tables.errors["function"] == "x*y"]
    assert set(own["h"]) == {1e-49}
    assert set(own["scheme"]) == {"backward"}
    assert set(own["status"]) == {"h-underflow"}
    assert set(own["numeric"]) == {0.0}


def test_the_box_of_a_function(write):
    box = "box = [[-inf, 0.0], [inf, 4.05]]\n"
    tables = run_study(write(SMALL + TWO + box))
    options = {"schemes": ("forward", "central"), "steps": [1e-1, 1e-4, 1e-8]}
    expected = dc.sweep(dc.parse("x*y"), [[3.0, 4.0]], box=([-np.inf, 0.0], [np.inf, 4.05]), **options)
    pd.testing.assert_frame_equal(tables.errors, expected)
    assert tables.errors["scheme"].cat.categories.tolist() == ["forward", "central", "backward", "backward2"]


def test_curves_stay_in_the_box(write):
    tables = run_study(write(SMALL + ONE.replace("3.0", "3.0, 0.0") + "box = [0.0, inf]\n"))
    assert tables.curves["x"].min() == 0.0
    assert set(tables.curves["point"]) == {"x=3.0", "x=0.0"}


def test_a_point_outside_the_box_fails_alone(write):
    tables = run_study(write(SMALL + ONE + "box = [0, 1]\n" + TWO))
    failed, other = tables.functions.to_dict("records")
    assert failed["message"] == "x=3.0: lies outside the box [0.0, 1.0]; pass a point inside, or a wider box"
    assert other["status"] == "ok"


def test_a_stencil_by_hand_in_a_study(write):
    tables = run_study(write(SMALL + ONE + 'schemes = ["[0,1,3]", "[3, 1, 0]", "central"]\n'))
    assert list(tables.errors["scheme"].cat.categories) == ["[0, 1, 3]", "central"]
    assert tables.errors["within_bound"].all()


HOSTILE = {
    "syntax": "x+*",
    "unknown function": "foo(x)",
    "code": "__import__('os').system('touch hacked')",
    "attributes": "x.__class__",
    "tower": "9**9**9**9*x",
    "brackets": "(" * 5000,
    "long": "x" + "+x" * 15_000,
    "variable": "x + y",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_bad_formula_fails_alone(write, case):
    text = HOSTILE[case]
    content = SMALL + f'[[function]]\nexpr = "{text}"\nvariables = ["x"]\npoints = [1.0]\n' + TWO
    tables = run_study(write(content))
    bad, good = tables.functions.to_dict("records")
    assert (bad["status"], good["status"], good["message"]) == ("failed", "ok", "")
    assert bad["message"].startswith("column ")
    assert "\n" not in bad["message"]
    assert len(bad["formula"]) <= 200
    assert len(bad["message"]) <= 300
    assert list(tables.errors["function"].cat.categories) == ["x*y"]
    assert not Path("hacked").exists()


def test_functions_table(write):
    tables = run_study(write(SMALL + TWO + 'name = "곱셈"\n'))
    assert list(tables.functions.columns) == list(FUNCTION_COLUMNS)
    row = tables.functions.iloc[0].to_dict()
    assert row["function"] == "곱셈"
    assert row["variables"] == "x;y"
    assert row["formula"] == "x*y"
    assert row["latex"] == "x y"
    assert row["derivative_latex"] == "y\nx"
    assert (row["source"], row["status"], row["message"]) == ("text", "ok", "")


def test_nothing_but_failures_still_has_all_columns(write, tmp_path):
    tables = run_study(write('[[function]]\nexpr = "x+*"\npoints = [1.0]\n'))
    assert list(tables.errors.columns) == list(COLUMNS)
    assert len(tables.errors) == len(tables.summary) == len(tables.curves) == 0
    dc.write_report(tables, tmp_path / "out")
    pd.testing.assert_frame_equal(dc.read_errors(tmp_path / "out" / "errors.csv"), tables.errors)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("/" + "home/someone/lib/thing.py went\nwrong"), "RuntimeError: thing.py went wrong"),
        (ZeroDivisionError(), "ZeroDivisionError"),
        (dc.DomainError("no such place"), "no such place"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_an_evaluation_that_fails_is_recorded(write, monkeypatch, error, message):
    real = module.sweep

    def fail(f, *arguments, **options):
        if f.name == "x*y":
            raise error
        return real(f, *arguments, **options)

    monkeypatch.setattr(module, "sweep", fail)
    tables = run_study(write(SMALL + TWO + ONE + '[[descent]]\nfunction = "x*y"\nstart = [1, 2]\n'))
    assert tables.functions["status"].tolist() == ["failed", "ok"]
    assert tables.functions["message"][0] == f"{message}; its gradient descent is skipped"
    assert set(tables.errors["function"]) == {"x**2"}
    assert tables.descent.empty


def test_ctrl_c_passes(write, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "sweep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_study(write(ONE))


def test_ctrl_c_within_a_function_keeps_its_points(write, monkeypatch):
    real, swept = module.sweep, []

    def interrupt(f, points, *arguments, **options):
        swept.append(len(points))
        if len(swept) == 3:
            raise KeyboardInterrupt
        return real(f, points, *arguments, **options)

    monkeypatch.setattr(module, "sweep", interrupt)
    monkeypatch.setattr(module, "_CHUNK_POINTS", 2)
    path = write('steps = [1.0]\nschemes = ["central"]\n[[function]]\nexpr = "x"\npoints = [1, 2, 3, 4, 5]\n' + TWO)
    with pytest.raises(
        module.Interrupted, match=r"^interrupted after 0 of 2 functions and 4 of 5 points of the next"
    ) as e:
        run_study(path)
    assert e.value.tables.errors["point"].tolist() == ["x=1.0", "x=2.0", "x=3.0", "x=4.0"]
    assert e.value.tables.functions["function"].tolist() == ["x", "x*y"]
    assert e.value.tables.functions["status"].tolist() == ["ok", "failed"]
    assert e.value.tables.functions["message"][0] == "interrupted after 4 of 5 points"


@pytest.mark.thorough
def test_the_parts_of_a_large_study_are_let_go(write, monkeypatch):
    alive, stacks, stacked = [], [], module._Stack.table
    monkeypatch.setattr(module, "_TABLES", 5)
    monkeypatch.setattr(module, "_CHUNK_POINTS", 1)
    monkeypatch.setattr(module._Stack, "table", lambda self: stacks.append(self) or stacked(self))
    points = ", ".join(map(str, range(60)))
    path = write(f'steps = [1.0]\nschemes = ["central"]\n[[function]]\nexpr = "x"\npoints = [{points}]\n')
    # looking at every object takes long
    run_study(path, progress=lambda done, *_: alive.append(frames_alive()) if done % 29 == 0 else None)
    assert max(alive) - alive[0] < 100  # 60 chunks of four tables each
    assert [len(stack.tables) for stack in stacks] == [1] * 4


def frames_alive():
    gc.collect()
    return sum(isinstance(thing, pd.DataFrame) for thing in gc.get_objects())


@pytest.mark.thorough
def test_progress_is_told_within_many_points(write):
    told = []
    points = ", ".join(map(str, range(450)))
    run_study(
        write(f'steps = [1.0]\nschemes = ["central"]\n[[function]]\nexpr = "x"\npoints = [{points}]\n' + TWO),
        progress=lambda *now: told.append(now),
    )
    assert told == [(0, 4, "x"), (1, 4, "x"), (2, 4, "x"), (3, 4, "x*y")]


@pytest.mark.thorough
def test_tables_are_put_together_as_they_come(write, monkeypatch):
    functions = "".join(f'[[function]]\nexpr = "x+{k}"\npoints = [{k}]\n' for k in range(8))
    path = write(f'steps = [1.0]\nschemes = ["central"]\n{functions}')
    expected = run_study(path)
    held = []
    stacked = module._Stack.table
    monkeypatch.setattr(module, "_TABLES", 3)
    monkeypatch.setattr(module._Stack, "table", lambda self: held.append(len(self.tables)) or stacked(self))
    found = run_study(path)
    assert held == [4] * 4
    for name in ("errors", "curves", "hot_spots", "rules", "functions"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), check_exact=True)


def test_formulas_are_derived_once_where_they_are_measured(write, monkeypatch):
    real, parents = module.derivative_latex, []
    monkeypatch.setattr(module, "derivative_latex", lambda f: parents.append(f) or real(f))
    study = read_study(write(SMALL + ONE))
    evaluate(study)
    assert len(parents) == 1
    assert parents[0] is not study.entries[0].function


def test_progress_is_told(write):
    told = []
    run_study(write(SMALL + ONE + TWO), progress=lambda *now: told.append(now))
    assert told == [(0, 2, "x**2"), (1, 2, "x*y")]


HANGS = ["where(exp(exp(exp(100)))>1,x,0)", "x*abs(sin(exp(exp(exp(5)))))", "x**x**x**x"]


@pytest.mark.parametrize("formula", HANGS)
def test_formulas_that_would_hang_sympy_are_answered(write, formula):
    tables = run_study(write(f'{SMALL}[[function]]\nexpr = "{formula}"\npoints = [1.0]\n'))
    assert tables.functions["status"].tolist() == ["ok"]
    assert len(tables.errors) == 6


# ---- curves and descents


@pytest.mark.thorough
@pytest.mark.parametrize("count", [1, 3000])
def test_curves_of_many_points_are_coarser(write, count):
    points = ", ".join(f"{k}.5" for k in range(count))
    tables = run_study(write(f'steps = [1e-1]\nschemes = ["central"]\n[[function]]\nexpr = "x"\npoints = [{points}]\n'))
    assert len(tables.curves) <= 201_000
    drawn = tables.curves.groupby("point", observed=True)["x"]
    assert drawn.ngroups == count
    assert all(read_point(point)["x"] in set(x) for point, x in drawn)


@pytest.mark.parametrize("x", [3.0, 0.0, -0.0, 1e-300, -7.5, 1e17, 1.7e308])
def test_curves_hold_the_point_itself(write, x):
    tables = run_study(write(SMALL + ONE.replace("3.0", repr(x))))
    curves = tables.curves
    assert list(curves.columns) == list(CURVE_COLUMNS)
    assert 2 < len(curves) <= 201
    assert set(curves["point"]) == {f"x={x!r}"} == set(tables.errors["point"])
    assert x in curves["x"].tolist()
    assert np.isfinite(curves["x"]).all()
    assert (np.diff(curves["x"]) >= 0).all()
    with np.errstate(all="ignore"):
        expected = curves["x"].to_numpy() ** 2
    assert curves["value"].equals(pd.Series(np.where(np.isfinite(expected), expected, math.nan), name="value"))


def test_curves_are_nan_outside_the_domain_and_only_of_one_variable(write):
    tables = run_study(write(SMALL + TWO + '[[function]]\nexpr = "log(x)"\npoints = [0.5]\n'))
    assert set(tables.curves["function"]) == {"log(x)"}
    outside = tables.curves["x"] <= 0
    assert outside.any()
    assert (tables.curves["value"].isna() == outside).all()


def test_descents_are_stacked_over_the_union_of_variables(write):
    product = '[[descent]]\nfunction = "x*y"\nstart = [1, 2]\nsteps = 2\n'
    square = '[[descent]]\nfunction = "x**2"\nstart = 1\nsteps = 1\n'
    tables = run_study(write(SMALL + ONE + TWO + product + square))
    descent = tables.descent
    assert list(descent.columns) == ["function", "gradient", "step", "x", "y", "value", "gradient_norm", "distance"]
    assert descent["function"].tolist() == ["x*y"] * 6 + ["x**2"] * 4
    assert descent["gradient"].tolist() == ["exact"] * 3 + ["central"] * 3 + ["exact"] * 2 + ["central"] * 2
    assert descent["y"][:6].notna().all()
    assert descent["y"][6:].isna().all()


def test_functions_of_two_variables_are_tabulated_around_their_descents(write):
    product = '[[descent]]\nfunction = "x*y"\nstart = [1, 2]\nsteps = 2\n'
    again = '[[descent]]\nfunction = "x*y"\nstart = [-9, 2]\nsteps = 1\n'
    square = '[[descent]]\nfunction = "x**2"\nstart = 1\nsteps = 1\n'
    surfaces = run_study(write(SMALL + ONE + TWO + product + square + again)).surfaces
    assert list(surfaces.columns) == list(SURFACE_COLUMNS)
    assert len(surfaces) == 33 * 33
    assert set(surfaces["function"]) == {"x*y"}
    assert surfaces["x"].min() < -9 < 1 < surfaces["x"].max()  # both descents
    assert (surfaces["value"] == surfaces["x"] * surfaces["y"]).all()
    nothing = run_study(write(SMALL + ONE + square)).surfaces
    assert list(nothing.columns) == list(SURFACE_COLUMNS)
    assert nothing.empty


def test_a_descent_that_cannot_be_is_noted(write):
    tables = run_study(
        write(
            SMALL + '[[function]]\nexpr = "value**2"\npoints = [1.0]\n[[descent]]\nfunction = "value**2"\nstart = 1\n'
        )
    )
    row = tables.functions.iloc[0]
    assert row["status"] == "ok"
    assert row["message"].startswith("gradient descent: variable 'value' is the name of a column")


# ---- the textbook's chapter


@pytest.mark.thorough
def test_chapter_four():
    tables = run_study(CHAPTER)
    assert set(tables.functions["status"]) == {"ok"}
    errors = tables.errors.set_index(["function", "point", "variable", "scheme", "h"])

    # the values that the book prints, to all its digits
    def numeric(name, point, variable="x", h=1e-4):
        return errors.loc[(name, point, variable, "central", h), "numeric"]

    assert numeric("0.01 x² + 0.1 x", "x=5.0") == 0.1999999999990898
    assert numeric("0.01 x² + 0.1 x", "x=10.0") == 0.2999999999986347
    assert numeric("x0² + x1² with x1 = 4", "x0=3.0", "x0") == 6.00000000000378
    assert numeric("x0² + x1² with x0 = 3", "x1=4.0", "x1") == 7.999999999999119
    first = errors.loc[("0.01 x² + 0.1 x, first try with h = 1e-49", "x=5.0", "x", "forward", 1e-49)]
    assert (first["numeric"], first["status"]) == (0.0, "h-underflow")
    assert set(tables.errors.loc[tables.errors["function"] == "|x|", "status"]) == {"kink"}
    layer = tables.errors[tables.errors["function"] == "loss of the 2×3 layer"]
    gradient = layer.drop_duplicates("variable").set_index("variable")["exact"]
    book = [0.21924763, 0.14356247, -0.36281009, 0.32887144, 0.2153437, -0.54421514]
    assert [round(gradient[f"w{i}{j}"], 8) for i in range(2) for j in range(3)] == book
    last = tables.descent[(tables.descent["step"] == 100) & (tables.descent["gradient"] == "central")]
    assert last[["x0", "x1"]].to_numpy().tolist() == [
        [-6.111107928998789e-10, 8.148143905314271e-10],
        [-25898374737328.363, -1295248616896.5398],
        [-2.999999939999995, 3.9999999199999934],
    ]


# ---- Python code

MODEL = """
import numpy as np
from HELPER import W1, B1, TARGET

def network(w):
    hidden = np.tanh(W1 @ w[:2] + B1)
    return np.mean((hidden @ w[2:] - TARGET) ** 2) + 0.01 * np.sum(w**2)

def kinked(x):
    return np.maximum(x, 0.0) + x**2

def one(x):
    return np.exp(x[0])

def raises(x):
    raise ValueError("no data in " + __file__)

def leaves(x):
    raise SystemExit(0)

def cast(x):
    return float(int(np.sum(x)))

def several(x):
    return x**2

number = 3
"""
HELPER = """
import numpy as np
W1 = np.array([[0.5, -0.25], [1.5, 0.75], [-0.5, 0.125]])
B1 = np.array([0.1, 0.2, -0.3])
TARGET = 0.7
"""


@pytest.fixture
def model(write, tmp_path):
    """A module beside the study file, of a name of its own as in every process."""
    name = f"model_{random.randrange(10**9)}"
    Path(f"{name}.py").write_text(MODEL.replace("HELPER", f"{name}_data"), encoding="utf-8")
    Path(f"{name}_data.py").write_text(HELPER, encoding="utf-8")
    Path(f"{name}_broken.py").write_text("import no_such_library\n", encoding="utf-8")
    yield name
    for loaded in [key for key in sys.modules if key.startswith(name)]:
        del sys.modules[loaded]


def python(name, points, more=""):
    return f'[[function]]\npython = "{name}"\npoints = {points}\n{more}'


def run_python(path):
    before = list(sys.path)
    tables = run_study(path, allow_python=True)
    assert sys.path == before
    return tables


@pytest.mark.thorough
def test_python_code_runs_like_any_function(write, model, tmp_path):
    network = python(f"{model}:network", "[[0.1, 0.2, 0.3, -0.4, 0.5]]", 'name = "net"\n')
    descent = '[[descent]]\nfunction = "net"\nstart = [0.1, 0.2, 0.3, -0.4, 0.5]\nsteps = 20\n'
    tables = run_python(write(SMALL + network + python(f"{model}:kinked", "[0.0, 1.5]") + TWO + descent))
    net, kinked, _ = tables.functions.to_dict("records")
    assert (net["function"], net["formula"], net["source"]) == ("net", f"{model}:network", "python")
    assert (net["status"], net["message"], net["latex"], net["derivative_latex"]) == ("ok", "", "", "")
    assert net["variables"] == "x0;x1;x2;x3;x4"
    assert (kinked["function"], kinked["variables"]) == (f"{model}:kinked", "x")
    errors = tables.errors
    rows = errors[errors["function"] == "net"]
    assert len(rows) == 5 * 2 * 3
    assert set(rows["status"]) == {"ok"}
    assert rows["within_bound"].all()
    code = sys.modules[model]
    point = np.array([0.1, 0.2, 0.3, -0.4, 0.5])
    expected = dc.certified_gradient(dc.trace(code.network, 5), point).value
    assert rows.groupby("variable", observed=True)["exact"].first().tolist() == expected.tolist()
    rows = errors[errors["function"] == f"{model}:kinked"]
    assert set(rows["status"][rows["point"] == "x=0.0"]) == {"kink"}
    assert set(rows["status"][rows["point"] == "x=1.5"]) == {"ok"}
    assert set(tables.curves["function"]) == {f"{model}:kinked"}
    values = tables.descent["value"][tables.descent["gradient"] == "exact"].tolist()
    assert values[-1] < values[0]
    dc.write_report(tables, tmp_path / "out")
    assert len(list((tmp_path / "out").glob("function-*.html"))) == 3
    pages = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir() if path.is_file())
    assert str(tmp_path) not in pages


@pytest.mark.parametrize(("points", "ok"), [("[[0.5], [1.0]]", True), ("[0.5]", False)])
def test_plain_numbers_and_lists_of_one_are_told_apart(write, model, points, ok):
    tables = run_python(write(SMALL + python(f"{model}:one", points)))
    assert tables.functions["status"].tolist() == ["ok" if ok else "failed"]
    assert tables.functions["variables"].tolist() == ["x"]


FAILURES = {
    "no module": ("no_such_M:f", "no module 'no_such_M' in the current directory"),
    "no file": ("sub/M.py:f", r"no file 'sub/M\.py' below the current directory"),
    "broken module": (
        "M_broken:f",
        "cannot be imported: ModuleNotFoundError: No module named 'no_such_library' .*; "
        "install 'no_such_library' where diffcompare is installed, or fix the module",
    ),
    "no function": ("M:netwerk", r"no function 'netwerk'; did you mean 'network'\?"),
    "no callable": ("M:number", "'number' is of type int; name a function"),
    "no colon": ("M", "names no function; write MODULE:function"),
    "raises": ("M:raises", "no data in M.py"),
    "leaves": ("M:leaves", r"the code called sys\.exit\(0\)"),
    "no trace": ("M:cast", r"^line \d+ of cast \(M\.py\): int\(\) of a traced value"),
    "no scalar": ("M:several", r"returns an array of shape \(2,\): one number is needed; return a scalar"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_python_code_that_fails_fails_alone(write, model, tmp_path, case):
    name, message = FAILURES[case]
    name = name.replace("M", model)
    descent = f'[[descent]]\nfunction = "{name}"\nstart = [1, 2]\n'
    tables = run_python(write(SMALL + python(name, "[[1.0, 2.0]]") + TWO + descent))
    bad, good = tables.functions.to_dict("records")
    assert (bad["status"], bad["source"], bad["formula"], bad["latex"]) == ("failed", "python", name, "")
    told = bad["message"].replace(model, "M")
    assert re.search(message, told), told
    assert told.endswith("; its gradient descent is skipped")
    assert str(tmp_path) not in told
    assert "\n" not in told
    assert "Traceback" not in told
    assert (good["status"], good["message"]) == ("ok", "")
    assert set(tables.errors["function"]) == {"x*y"}


def test_modules_stand_beside_the_study_file_or_here(write, model):
    square = "def f(x):\n    return x * x\n"
    for folder, factor in (("a", 2), ("b", 3)):
        Path(folder).mkdir()
        Path(folder, f"{model}_own.py").write_text(f"def f(x):\n    return {factor} * x\n", encoding="utf-8")
        Path(folder, "s.toml").write_text(
            SMALL
            + python(f"{model}_own:f", "[1.0]")
            + python(f"{model}_own.py:f", "[1.0]")
            + python("here:f", "[1.0]"),
            encoding="utf-8",
        )
    Path("here.py").write_text(square, encoding="utf-8")
    for folder, factor in (("a", 2.0), ("b", 3.0)):
        tables = run_python(f"{folder}/s.toml")
        assert tables.functions["message"].tolist() == ["", "", ""]
        exact = tables.errors.groupby("function", observed=True)["exact"].first().tolist()
        assert exact == [factor, factor, 2.0]
    (entry, *_) = run_python("a/s.toml").functions.to_dict("records")
    assert entry["formula"] == f"{model}_own:f"
    Path("a/s.toml").write_text(python("here_:f", "[1.0]"), encoding="utf-8")
    (message,) = run_python("a/s.toml").functions["message"]
    assert message.startswith("no module 'here_' beside the study file, in the current directory or among")
    assert message.endswith("did you mean 'here'?")


def test_nothing_is_loaded_without_leave(write):
    Path("touches.py").write_text("open('touched', 'w')\ndef f(x):\n    return x\n", encoding="utf-8")
    path = write(python("touches:f", "[1.0]"))
    for refuse in (run_study, read_study):
        with pytest.raises(StudyError, match=r"^s\.toml, line 2: key 'python' .*pass --allow-python"):
            refuse(path)
    with pytest.raises(StudyError, match="nothing to load Python code with; pass load="):
        evaluate(read_study(path, allow_python=True))
    assert not Path("touched").exists()
