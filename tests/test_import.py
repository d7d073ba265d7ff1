"""What a fresh process loads: nothing heavy before it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import diffcompare

_LOADED = """
import sys
before = set(sys.modules)
{statement}
print(*set(sys.modules) - before)
"""


def modules(statement: str) -> set[str]:
    """The modules that a statement loads in a fresh process."""
    here = {**os.environ, "PYTHONPATH": str(Path(diffcompare.__file__).parents[1])}
    script = _LOADED.format(statement=statement)
    done = subprocess.run([sys.executable, "-c", script], env=here, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def loaded(statement: str) -> set[str]:
    """The libraries, other than the standard one, that a statement loads in a fresh process."""
    return {name.partition(".")[0] for name in modules(statement)} - set(sys.stdlib_module_names)


def test_importing_the_package_loads_no_library() -> None:
    assert loaded("import diffcompare") == {"diffcompare"}


def test_importing_the_package_takes_no_longer_than_an_interpreter_without_it() -> None:
    # typing, re and dataclasses take longer to load than everything that an interpreter starts with
    assert modules("import diffcompare") <= {"diffcompare", "__future__"}


def test_the_command_line_loads_nothing_slow_beside_click() -> None:
    ours = modules("import diffcompare.command.cli") - modules("import click, click.shell_completion")
    assert not ours & {"subprocess", "pickle", "pathlib", "fractions", "difflib", "urllib.parse"}
    own = {name.removeprefix("diffcompare.command.") for name in ours if name.startswith("diffcompare")}
    assert own <= {
        "diffcompare", "diffcompare.command", "cli", "code_commands", "options", "point_arguments", "table_commands",
        "diffcompare.errors",
    }  # fmt: skip


def test_looking_at_the_names_of_the_package_loads_no_library() -> None:
    assert loaded("import diffcompare; dir(diffcompare); diffcompare.ParseError") == {"diffcompare"}


def test_the_package_for_tests_loads_no_library() -> None:
    assert loaded("import diffcompare; dir(diffcompare.testing)") == {"diffcompare"}
    assert "hypothesis" in loaded("import diffcompare; diffcompare.testing.steps")


def test_the_command_line_loads_click_alone() -> None:
    assert loaded("import diffcompare.command.cli") <= {"diffcompare", "click", "colorama"}


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["compare", "--help"], ["--version"]])
def test_help_loads_click_alone(arguments: list[str]) -> None:
    statement = f"""
from diffcompare.command.cli import main
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as shown:
    assert main({arguments!r}) == 0
assert shown.getvalue()
"""
    assert loaded(statement) <= {"diffcompare", "click", "colorama"}


def test_numeric_differences_load_numpy_alone() -> None:
    libraries = loaded("import diffcompare; diffcompare.numerical_diff(lambda x: x * x, 3.0)")
    assert libraries <= {"diffcompare", "numpy"}


def test_reading_a_formula_loads_no_sympy_and_no_pandas() -> None:
    libraries = loaded("import diffcompare; diffcompare.parse('x**2 + sin(x)')(3.0)")
    assert libraries <= {"diffcompare", "numpy"}


@pytest.mark.thorough
@pytest.mark.parametrize("library", ["numpy", "sympy", "pandas", "flint"])
def test_a_library_that_is_loaded_is_noticed(library: str) -> None:
    """The twin of the checks above: what they must see, they see."""
    assert library in loaded(f"import diffcompare; import {library}")


def test_a_verdict_loads_no_tables_before_its_own_is_asked_for() -> None:
    check = "import numpy as np, diffcompare as dc; v = dc.{}(lambda x: np.sum(x**2), lambda x: 2 * x, [3.0, 4.0])"
    for function in ("check_gradient", "testing.assert_gradient"):
        found = loaded(f"{check.format(function)}; assert v.ok")
        assert "flint" in found
        assert not found & {"pandas", "pyarrow", "sympy", "scipy", "hypothesis"}
    assert "pandas" in loaded(f"{check.format('check_gradient')}; v.components")
