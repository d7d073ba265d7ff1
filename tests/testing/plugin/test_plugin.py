"""The pytest plugin: whole runs in fresh processes, with and without workers."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import diffcompare
from diffcompare.tables.csv_files import read_errors

from ...report.test_page import Page, check_inert  # noqa: TID252 - tests are no package

pytest_plugins = ["pytester"]

# derivatives compared in every style of test; what is asserted below stands beside it
SUITE = """
import unittest

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import diffcompare as dc
from diffcompare.testing import assert_gradient, assert_hessian, assert_jacobian, assert_within_bound


def square(x):
    return np.sum(x**2)


def twice(x):
    return 2 * x


class Old(unittest.TestCase):
    def setUp(self):
        assert_gradient(square, twice, [0.5])

    def test_unittest(self):
        for at in ([1.0, 2.0], [3.0, 4.0]):
            with self.subTest(at=at):
                assert_gradient(square, twice, at)


class TestGrouped:
    def test_wrong(self):
        assert_gradient(square, lambda x: x, [3.0, 4.0])


@pytest.mark.parametrize("x", [1.0, 2.0], ids=["<script>alert(1)</script>", "b,\\"c\\""])
def test_parametrised(x):
    assert_gradient(square, twice, x)


@given(st.floats(1, 2))
@settings(max_examples=40, derandomize=True, database=None, deadline=None)
def test_property(x):
    assert_gradient(square, twice, x)


@given(st.integers(0, 100))
@settings(max_examples=40, derandomize=True, database=None, deadline=None)
def test_failing_property(n):
    assert_gradient(square, lambda x: 2 * x + (x >= 7), float(n))


@pytest.fixture
def checked():
    assert_gradient(square, twice, [9.0])
    yield
    assert_gradient(square, twice, [8.0])


@pytest.mark.xfail(strict=True)
def test_xfail(checked):
    assert_gradient(square, np.sin, 1.0)


def test_question_is_not_gathered():
    assert dc.check_gradient(square, np.sin, 1.0).status == "wrong"


def test_jacobian():
    assert_jacobian(lambda x: np.array([x[0] * x[1], x[0]]), lambda x: np.array([[x[1], x[0]], [1, 1]]), [3.0, 4.0])


def test_hessian():
    assert_hessian(lambda x: x[0] * x[1] ** 2, lambda x: np.array([[0, 2 * x[1]], [2 * x[1], 2 * x[0]]]), [3.0, 4.0])


def test_box():
    assert_gradient(square, twice, box=([-1.0, -1.0], [1.0, 1.0]))


def test_wrong_in_a_box():
    assert_gradient(square, lambda x: 2 * x if x < 0.995 else x, box=(-1.0, 1.0))


@pytest.mark.parametrize("h", [1e-3, 1e-4])
def test_within_bound(h):
    f = dc.parse("exp(x)")
    assert_within_bound(f, lambda f, x: dc.numerical_diff(f, x, h), 1.0, h=h)


def test_outside_bound():
    assert_within_bound(dc.parse("exp(x)"), lambda f, x: (f(x + 1e-4) - f(x)) / 1e-4, 1.0)
"""

# quicker: no derivative is taken, and pytest alone is loaded
FAKE = """
import os
import pandas as pd
import pytest
from diffcompare.testing.record import observe


class Fake:
    evidence, resolution, rounding, blame, cause, notes, snippet = "identity", 1e-15, 0.0, None, None, (), ""
    what, marks, sources = "gradient", (), ()

    def __init__(self, status):
        self.status = status
        names = ["point", "component", "claimed", "certified", "difference", "ulps", "relative", "threshold", "status"]
        self.components = pd.DataFrame([("1.0", "x", 2.0, 2.0, 0.0, 0.0, 0.0, 1e-15, status)], columns=names)

    def explain(self):
        return self.status
"""


def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, *options: str) -> pytest.RunResult:
    monkeypatch.setenv("PYTHONPATH", str(Path(diffcompare.__file__).parents[1]))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return pytester.runpytest_subprocess("-p", "diffcompare.testing.plugin", *options)


def table(folder: Path, name: str = "comparisons.csv") -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def of_test(rows: list[dict[str, str]], name: str) -> list[dict[str, str]]:
    return [row for row in rows if row["test"].endswith(name)]


@pytest.mark.thorough
def test_every_style_of_test_is_gathered_alike_with_and_without_workers(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(test_suite=SUITE)
    done = run(pytester, monkeypatch, "--diffcompare-report=plain", "-p", "no:cacheprovider", "-p", "no:xdist")
    done.assert_outcomes(passed=9, failed=5, xfailed=1)
    done.stdout.fnmatch_lines(["diffcompare: 18 comparisons, 6 not good: plain/index.html"])
    spread = run(pytester, monkeypatch, "--diffcompare-report=spread", "-n2", "-p", "no:cacheprovider")
    spread.assert_outcomes(passed=9, failed=5, xfailed=1)
    spread.stdout.fnmatch_lines(["diffcompare: 18 comparisons, 6 not good: spread/index.html"])

    plain, other = pytester.path / "plain", pytester.path / "spread"
    names = sorted(path.name for path in plain.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    assert names == sorted([*json.loads((plain / "manifest.json").read_text())["files"], "manifest.json"])
    for name in names:
        assert (plain / name).read_bytes() == (other / name).read_bytes(), name

    rows = table(plain)
    assert [row["test"] for row in rows] == sorted(row["test"] for row in rows)
    assert not of_test(rows, "test_question_is_not_gathered")
    old = of_test(rows, "Old::test_unittest")
    assert [(row["status"], row["outcome"], row["point"]) for row in old] == [
        ("consistent", "passed", "[0.5]"),
        ("consistent", "passed", "[1.0, 2.0]"),
        ("consistent", "passed", "[3.0, 4.0]"),
    ]
    (wrong,) = of_test(rows, "TestGrouped::test_wrong")
    assert (wrong["status"], wrong["outcome"], wrong["kind"], wrong["component"]) == (
        "wrong",
        "failed",
        "gradient",
        "x[1]",
    )
    assert (wrong["claimed"], wrong["certified"], wrong["difference"]) == ("4.0", "8.0", "-4.0")
    assert wrong["cause"] == "factor 2 missing: the claim is D/2 in every component"
    assert re.fullmatch(r"test_suite\.py:\d+", wrong["place"])
    assert len(of_test(rows, "[<script>alert(1)</script>]")) == len(of_test(rows, '[b,"c"]')) == 1
    xfail = of_test(rows, "test_xfail")
    assert [row["outcome"] for row in xfail] == ["xfailed"] * 3
    assert [row["status"] for row in xfail] == ["consistent", "wrong", "consistent"]

    (calm,) = of_test(rows, "test_property")
    assert (calm["status"], calm["examples"], calm["statuses"]) == ("consistent", "40", "40 consistent")
    (shrunk,) = of_test(rows, "test_failing_property")
    assert (shrunk["status"], shrunk["outcome"], shrunk["point"]) == ("wrong", "failed", "7.0")
    counts = {word: int(count) for count, word in (part.split() for part in shrunk["statuses"].split(", "))}
    assert set(counts) == {"wrong", "consistent"}
    assert sum(counts.values()) == int(shrunk["examples"]) > 5
    assert float(shrunk["max_threshold_ratio"]) > 1e10

    (jacobian,) = of_test(rows, "test_jacobian")
    assert (jacobian["status"], jacobian["kind"], jacobian["outcome"]) == ("wrong", "jacobian", "failed")
    assert (jacobian["claimed"], jacobian["certified"]) == ("1.0", "0.0")
    (hessian,) = of_test(rows, "test_hessian")
    assert (hessian["status"], hessian["kind"]) == ("consistent", "hessian")
    for row, word in [(jacobian, "Jacobian"), (hessian, "Hessian"), (wrong, "gradient")]:
        assert re.search(f"<h1>.*th(e|is) {word}", (plain / row["page"]).read_text(encoding="utf-8"))

    (searched,) = of_test(rows, "test_box")
    assert (searched["status"], searched["kind"]) == ("consistent", "worst")
    (found,) = of_test(rows, "test_wrong_in_a_box")
    assert (found["status"], found["kind"], found["outcome"]) == ("wrong", "worst", "failed")
    assert float(found["point"]) >= 0.995
    assert " points were tried by calls: " in (plain / found["page"]).read_text(encoding="utf-8")

    bounds = of_test(rows, "test_within_bound[0.001]") + of_test(rows, "test_within_bound[0.0001]")
    assert [(row["status"], row["kind"], row["examples"], row["page"]) for row in bounds] == [
        ("within-bound", "within-bound", "1", "")
    ] * 2
    (outside,) = of_test(rows, "test_outside_bound")
    assert (outside["status"], outside["outcome"], outside["page"]) == ("outside-bound", "failed", "")
    errors = read_errors(plain / "errors.csv")
    # in the order of the tests' names
    assert errors["h"].tolist() == [1e-4, 1e-4, 1e-3]
    assert errors["bound_source"].tolist() == ["measured", "proven", "proven"]
    assert errors["within_bound"].tolist() == [False, True, True]
    assert [row["verdict"] for row in table(plain, "summary.csv")] == ["outside-bound"]

    linked = {row["page"] for row in rows} - {""}
    assert linked == {name for name in names if name.startswith("comparison-")}
    assert len(linked) == 15
    for page in plain.glob("*.html"):
        check_inert(page)
    assert "".join(Page(plain / "index.html").words).count("<script>alert(1)</script>") == 1
    assert {"proven", "measured"} <= set(Page(plain / "index.html").words)
    assert "factor 2 missing" in (plain / wrong["page"]).read_text(encoding="utf-8")
    assert "test_suite.py::TestGrouped::test_wrong" in (plain / wrong["page"]).read_text(encoding="utf-8")
    for path in plain.iterdir():
        assert str(pytester.path) not in path.read_text(encoding="utf-8")


@pytest.mark.thorough
def test_a_worker_that_crashes_takes_only_its_test_with_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        FAKE
        + """
@pytest.mark.parametrize("k", range(6))
def test_one(k):
    observe("gradient", Fake("consistent"))
    if k == 3:
        os._exit(1)
"""
    )
    done = run(pytester, monkeypatch, "--diffcompare-report=out", "-n2")
    done.stdout.fnmatch_lines(["*crashed while running*test_one?3?*", "diffcompare: 5 comparisons: out/index.html"])
    assert [row["test"][-3:] for row in table(pytester.path / "out")] == ["[0]", "[1]", "[2]", "[4]", "[5]"]


@pytest.mark.thorough
def test_a_test_that_runs_in_a_fork_is_gathered(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makeconftest(
        """
import os
import pytest
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    child = os.fork()
    if child == 0:
        runtestprotocol(item, log=False)
        os._exit(0)
    assert os.waitpid(child, 0)[1] in (0, 9)
    return True
"""
    )
    pytester.makepyfile(
        FAKE
        + """
def test_a():
    observe("gradient", Fake("consistent"))

def test_b():
    observe("gradient", Fake("wrong"))
    os.kill(os.getpid(), 9)

def test_c():
    observe("gradient", Fake("wrong"))
    assert False
"""
    )
    done = run(pytester, monkeypatch, "--diffcompare-report=out")
    done.stdout.fnmatch_lines(["diffcompare: 2 comparisons, 1 not good: out/index.html"])
    assert [(row["test"][-1], row["outcome"]) for row in table(pytester.path / "out")] == [
        ("a", "passed"),
        ("c", "failed"),
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("workers", [["-p", "no:xdist"], ["-n1"]], ids=["alone", "worker"])
def test_a_directory_that_cannot_be_is_refused_before_the_first_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: list[str]
) -> None:
    pytester.makepyfile("def test_one():\n    open('ran', 'w').close()")
    (pytester.path / "taken").write_text("")
    foreign = pytester.path / "foreign"
    foreign.mkdir()
    (foreign / "index.html").write_text("mine")
    for directory, words in [("taken", "is a file; choose a directory"), ("foreign", "index.html is there already")]:
        done = run(pytester, monkeypatch, f"--diffcompare-report={directory}", *workers)
        assert done.ret == pytest.ExitCode.USAGE_ERROR
        done.stderr.fnmatch_lines([f"ERROR: --diffcompare-report={directory}: directory=*{words}*"])
    assert not (pytester.path / "ran").exists()
    assert (foreign / "index.html").read_text() == "mine"
    assert [path.name for path in foreign.iterdir()] == ["index.html"]


@pytest.mark.thorough
def test_a_report_that_cannot_be_written_in_the_end_is_said(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile("def test_one():\n    open('out/index.html', 'w').close()")
    done = run(pytester, monkeypatch, "--diffcompare-report=out")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stdout.fnmatch_lines(["diffcompare: the report was not written: *index.html is there already*", "*1 passed*"])


@pytest.mark.thorough
def test_a_run_without_comparisons_says_so_and_the_same_run_replaces_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile("def test_one():\n    pass")
    for _ in range(2):
        done = run(pytester, monkeypatch, "--diffcompare-report=deep/out")
        done.assert_outcomes(passed=1)
        done.stdout.fnmatch_lines(["diffcompare: 0 comparisons: deep/out/index.html"])
    assert "No test of this run compared a derivative" in (pytester.path / "deep" / "out" / "index.html").read_text()
    assert table(pytester.path / "deep" / "out") == []


_LOADED = """
import sys, pytest
before = set(sys.modules)
{statement}
print(*sorted(name for name in set(sys.modules) - before if name.partition(".")[0] not in sys.stdlib_module_names))
"""


def loaded(statement: str, **more: Any) -> list[str]:
    environment: Mapping[str, str] = {"PYTHONPATH": str(Path(diffcompare.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", _LOADED.format(statement=statement)],
        env={**os.environ, **environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=True,
        **more,
    )
    return done.stdout.splitlines()[-1].split()


@pytest.mark.thorough
def test_the_plugin_loads_nothing_but_itself(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_one():\n    pass\n")
    own = ["diffcompare", "diffcompare.testing", "diffcompare.testing.plugin"]
    assert loaded("import diffcompare.testing.plugin") == own
    run = "assert pytest.main(['-q', '-p', 'no:cacheprovider', '-p', 'diffcompare.testing.plugin', *{more}]) == 0"
    unused = loaded(run.format(more=[]), cwd=tmp_path)
    assert [name for name in unused if not name.startswith(("_pytest", "test_one", "pygments"))] == own
    # the twin: where the option is given, what makes the report is seen here
    assert "pandas" in loaded(run.format(more=["--diffcompare-report=out"]), cwd=tmp_path)


@pytest.mark.thorough
def test_assertions_are_loaded_before_the_time_of_a_property_runs(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        test_first="""
        import sys
        from hypothesis import given, settings, strategies as st
        import diffcompare as dc

        @settings(database=None, deadline=None, max_examples=1)
        @given(st.just(0))
        def test_property(_):
            assert "diffcompare.testing.assertions" in sys.modules
        """,
        test_before="""
        import sys
        from hypothesis import given, settings, strategies as st

        @settings(database=None, deadline=None, max_examples=1)
        @given(st.just(0))
        def test_of_something_else(_):
            assert "diffcompare.testing.assertions" not in sys.modules
        """,
    )
    run(pytester, monkeypatch, "-p", "no:cacheprovider", "-p", "no:xdist").assert_outcomes(passed=2)
