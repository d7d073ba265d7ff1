"""Mutants are drawn by a seed and judged by tests; ``python -m tests.quality.mutants`` does it with the project."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ..stated import numbers  # noqa: TID252 - tests are no package
from .mutants.draw import draw
from .mutants.equivalents import EQUIVALENTS
from .mutants.examples import EXAMPLES, Example, mutant_of
from .mutants.operators import Source, changes, parses
from .mutants.running import ROOT, TESTED_BY, nearest_tests, try_text, wider_tests

PACKAGE = ROOT / "diffcompare"


def test_the_number_of_examples_is_the_stated_one() -> None:
    assert numbers("planted bugs")[0] == len(EXAMPLES)


def test_the_drawing_is_that_of_its_seed() -> None:
    first, again, longer = (draw(PACKAGE, count, 3, ("certify",)) for count in (8, 8, 12))
    assert first == again == longer[:8]
    assert len({mutant.name for mutant in longer}) == 12
    assert draw(PACKAGE, 8, 4, ("certify",)) != first
    for mutant in longer:
        source = (PACKAGE / mutant.module).read_text(encoding="utf-8")
        assert ast.dump(ast.parse(mutant.text)) != ast.dump(ast.parse(source))


def test_a_mutant_stays_where_the_code_around_it_changes(tmp_path: Path) -> None:
    module = tmp_path / "numeric" / "twice.py"
    module.parent.mkdir()
    code = "def twice(x):\n    return 2 * x\n\n\ndef half(x):\n    return x / 2 if x > 0 else -(-x / 2)\n"
    module.write_text(code, encoding="utf-8")
    before = {mutant.name for mutant in draw(tmp_path, 99, 0)}
    module.write_text(f"import math\n\nPI = math.pi\n\n\n{code}", encoding="utf-8")
    assert before == {mutant.name for mutant in draw(tmp_path, 99, 0)}


CODE = '''"""Ein Körper, 1 < 2."""
from typing import TYPE_CHECKING
__all__ = ["f"]
if TYPE_CHECKING:
    X = 1
@cache(maxsize=3)
def f(x: Literal[1], n=2) -> Literal[3]:
    """Say 4."""
    if x < 0 or not n:
        raise ValueError(f"{x + 1} is below 0")
    é = {"é": x}; y = min(x, n)  # größer < 1
    z = y * 5  # pragma: no cover
    y += np.sum(é["é"], axis=0)
    return y[1:n]
'''


def test_what_is_drawn_and_what_is_not() -> None:
    source = Source(CODE)
    found = changes(source)
    replaced = {(source.text[c.start : c.end], c.new) for c in found}
    assert {("<", "<="), ("<", ">"), ("or", "and"), ("not n", "(n)"), ("min", "max"), ("+", "-")} <= replaced
    assert {("2", "3"), ("2", "1"), ("2", "0"), (", axis=0", ""), ("n", ""), ("1", "0"), ("y[1:n]", "None")} <= replaced
    assert {source.line(c.start) for c in found} == {7, 9, 11, 13, 14}
    for change in found:
        assert source.changed(change) != CODE
        assert parses(source.changed(change))


def a_project(root: Path, test: str) -> None:
    for name, text in {
        "diffcompare/__init__.py": "",
        "diffcompare/numeric/twice.py": "def twice(x):\n    return 2 * x\n",
        "tests/numeric/test_twice.py": f"from diffcompare.numeric.twice import twice\n{test}",
        "tests/numeric/test_others.py": "def test_nothing():\n    pass\n",
        "tests/test_all.py": "from diffcompare.numeric import twice\n\ndef test_nothing():\n    pass\n",
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = ['--import-mode=importlib']\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("test", "outcome"),
    [
        ("def test_twice():\n    assert twice(1) == 2\n", "killed"),
        ("def test_twice():\n    assert twice(0) == 0\n", "survived"),
        # a budget that is spent between tests says nothing
        (
            "def test_slow():\n    while time.process_time() < 1: pass\ndef test_twice():\n    assert twice(1) == 2",
            "passed",
        ),
    ],
)
def test_what_becomes_of_a_mutant(tmp_path: Path, test: str, outcome: str) -> None:
    a_project(tmp_path, f"import time\n{test}")
    budget = 60.0 if outcome != "passed" else 0.1
    found, by, _ = try_text(tmp_path, "numeric/twice.py", "def twice(x):\n    return 3 * x\n", budget)
    assert found == outcome.replace("passed", "survived")
    assert by.startswith("tests/numeric/test_twice.py") == (outcome == "killed")
    # and it was taken out again
    assert "2 * x" in (tmp_path / "diffcompare/numeric/twice.py").read_text(encoding="utf-8")


def test_the_nearest_tests_come_first(tmp_path: Path) -> None:
    a_project(tmp_path, "")
    assert nearest_tests(tmp_path, "numeric/twice.py") == [
        "tests/numeric/test_twice.py",
        "diffcompare/numeric/twice.py",
    ]
    assert wider_tests(tmp_path, "numeric/twice.py") == ["tests/test_all.py", "tests/numeric/test_others.py"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.module}:{example.function}")
def test_an_example_fits_the_code(example: Example) -> None:
    source = (PACKAGE / example.module).read_text(encoding="utf-8")
    assert ast.dump(ast.parse(mutant_of(PACKAGE, example).text)) != ast.dump(ast.parse(source))
    assert example.breaks
    assert len(EXAMPLES) <= 40


def test_an_example_that_does_not_fit_is_no_mutant() -> None:
    with pytest.raises(ValueError, match="occurs 0 times"):
        mutant_of(PACKAGE, Example("arithmetic/double_double.py", "two_sum", "a text that is nowhere", "", ""))
    with pytest.raises(ValueError, match="occurs 0 times"):
        mutant_of(PACKAGE, Example("certify/exact_error.py", "no_function", "return", "", ""))


def test_the_tables_are_about_files_that_exist() -> None:
    for module, tests in TESTED_BY.items():
        assert (PACKAGE / module).is_file()
        assert [test for test in tests if not (ROOT / "tests" / test).is_file()] == []
    assert all(one.why for one in EQUIVALENTS)
