"""The list of planted bugs fits the code; ``python -m tests.quality.mutants`` plants them."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from ..stated import stated  # noqa: TID252 - tests are no package
from .mutants.__main__ import TESTED_BY, Outcome, read_outcomes, stages, try_mutant
from .mutants.every import MUTANTS
from .mutants.mutant import Mutant

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "diffcompare"
FOLDERS = ("program", "arithmetic", "numeric", "certify", "sweeps", "verdict")
SOURCES = {module: (PACKAGE / module).read_text(encoding="utf-8") for module in {m.module for m in MUTANTS}}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_one_place(mutant: Mutant) -> None:
    source = SOURCES[mutant.module]
    assert source.count(mutant.old) == 1
    changed = source.replace(mutant.old, mutant.new)
    # more than words: another syntax tree
    assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source))
    assert mutant.breaks


def test_every_module_has_mutants() -> None:
    assert len(MUTANTS) >= 60
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    counts = Counter(mutant.module for mutant in MUTANTS)
    modules = [
        path.relative_to(PACKAGE).as_posix()
        for folder in FOLDERS
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        if path.name != "__init__.py"
    ]
    assert [module for module in modules if counts[module] < 2] == []
    rooms = f"{', '.join(FOLDERS[:-1])} and {FOLDERS[-1]}"
    found = f"{len(MUTANTS)} bugs in {len(counts)} modules; at least two in each module of {rooms}"
    assert found == stated("planted bugs")


def test_at_most_one_mutant_in_twenty_is_excused() -> None:
    assert sum(bool(mutant.survives) for mutant in MUTANTS) <= len(MUTANTS) / 20


def a_project(root: Path, test: str) -> None:
    for name, text in {
        "diffcompare/__init__.py": "",
        "diffcompare/numeric/twice.py": "def twice(x):\n    return 2 * x\n",
        "tests/numeric/test_twice.py": test,
        "tests/test_all.py": "def test_nothing():\n    pass\n",
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = ['--import-mode=importlib']\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


BUG = Mutant("numeric/twice.py", "2 * x", "3 * x", "three times instead of twice")
IMPORTS = "from diffcompare.numeric.twice import twice\n"


@pytest.mark.parametrize(
    ("test", "outcome"),
    [
        ("def test_twice():\n    assert twice(1) == 2\n", "killed"),
        ("def test_twice():\n    assert twice(0) == 0\n", "survived"),
        ("import time\ndef test_twice():\n    time.sleep(600 * (twice(1) - 2))\n", "timeout"),
    ],
)
def test_what_becomes_of_a_mutant(tmp_path: Path, test: str, outcome: str) -> None:
    a_project(tmp_path, IMPORTS + test)
    found = try_mutant(tmp_path, BUG, 4.0 if outcome == "timeout" else 60.0)
    assert found.outcome == outcome
    assert found.by.startswith("tests/numeric/test_twice.py") == (outcome != "survived")
    # and it was taken out again
    assert "2 * x" in (tmp_path / "diffcompare/numeric/twice.py").read_text(encoding="utf-8")


def test_a_text_that_is_not_there_is_no_kill(tmp_path: Path) -> None:
    a_project(tmp_path, IMPORTS + "def test_twice():\n    assert twice(1) == 3\n")
    other = Mutant("numeric/twice.py", "4 * x", "3 * x", "nothing")
    assert try_mutant(tmp_path, other, 60.0).outcome == "broken"


def test_the_tests_of_the_module_come_first(tmp_path: Path) -> None:
    a_project(tmp_path, "")
    first, folder, rest = stages(tmp_path, "numeric/twice.py")
    assert first == ["tests/numeric/test_twice.py", "diffcompare/numeric/twice.py"]
    assert folder == ["tests/numeric", "--ignore=tests/numeric/test_twice.py"]
    assert rest == ["--ignore=tests/numeric", "--ignore=tests/numeric/test_twice.py"]


def test_the_last_word_on_a_mutant_counts(tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    assert read_outcomes(out) == {}
    out.write_text(
        '{"mutant": "a", "outcome": "survived", "by": "", "seconds": 1.0}\n'
        '{"mutant": "a", "outcome": "killed", "by": "test", "seconds": 2.0}\n',
        encoding="utf-8",
    )
    assert read_outcomes(out) == {"a": Outcome("a", "killed", "test", 2.0)}


def test_the_modules_that_are_tested_elsewhere_exist() -> None:
    for module, tests in TESTED_BY.items():
        assert (PACKAGE / module).is_file()
        assert [test for test in tests if not (ROOT / "tests" / test).is_file()] == []
