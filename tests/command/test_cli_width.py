"""Nothing that a command prints is wider than the terminal; whoever reads may stop, and hears of no code's prints."""

import os
import signal
import subprocess
import sys

import pytest
from rich.cells import cell_len

from .test_cli import call, environment, run

STUDY = """
title = "A study of functions with long names, for which a narrow terminal has no room"
steps = [1e-1, 1e-4]
[[function]]
name = "a function with a name that goes on and on, from one line of the terminal to the next one"
expr = "x**2*exp(x)"
points = [3.0]
[[function]]
expr = "foo(x)"
points = [3.0]
[[function]]
expr = "abs(x)"
points = [0.0]
"""
CODE = """
import numpy as np

def f(x):
    print("printed by the code")
    return np.sum(x**2) + np.sin(x[0]) * np.cos(x[1])

def right(x):
    return 2 * x + np.array([np.cos(x[0]) * np.cos(x[1]), -np.sin(x[0]) * np.sin(x[1])])

def wrong(x):
    return 2 * x + np.array([np.cos(x[0]) * np.cos(x[1]), np.sin(x[0]) * np.sin(x[1])])
"""
PYTHON = 'steps = [1e-1]\n[[function]]\npython = "prints:f"\npoints = [[1.0, 2.0]]\n'
__all__ = ["call", "run"]  # the fixtures
COMMANDS = [
    ["--help"],
    *([name, "--help"] for name in ("run", "compare", "check", "derive", "rank", "explain", "completion")),
    ["explain"],
    ["explain", "truncation"],
    ["explain", "JSON"],
    ["compare", "1/(1+x**2)", "--at", "1.5"],
    ["compare", "x0**2*sin(x1) + abs(x2)", "--at", "1.5,2,0", "--scheme", "central4", "--scheme", "forward2"],
    ["compare", "exp(x)", "--at", "1", "--dtype", "float32", "--derivative", "2", "--scheme", "[0, 1, 3]"],
    ["run", "study.toml", "--out", "out"],
    ["check", "prints.py:f", "prints.py:right", "--at", "1,2", "--verbose"],
    ["check", "prints.py:f", "prints.py:wrong", "--at", "1,2", "--at", "3,4"],
    ["rank"],
]


@pytest.fixture
def files(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "python.toml").write_text(PYTHON, encoding="utf-8")
    (tmp_path / "prints.py").write_text(CODE, encoding="utf-8")


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_is_wider_than_the_terminal(call, monkeypatch, command, width):
    monkeypatch.setenv("COLUMNS", str(width))
    result = call(*command)
    assert (result.returncode in (0, 1), result.stderr) == (True, "")
    assert len(result.stdout.splitlines()) > 3
    assert [line for line in result.stdout.splitlines() if cell_len(line) > width] == []


@pytest.mark.usefixtures("files")
def test_what_has_no_room_beside_stands_below(call, monkeypatch):
    """No number is cut, and none is left out."""
    command = ("compare", "x0*exp(x1)", "--at", "1.5,2", "--scheme", "central")
    wide = call(*command).stdout
    monkeypatch.setenv("COLUMNS", "40")
    narrow = call(*command).stdout
    assert narrow.count("x1 central") == 3
    assert wide.count("x1 central") == 1
    (row,) = (line for line in wide.splitlines() if "x1 central" in line)
    assert set(row.split()) <= set(narrow.split())


@pytest.mark.thorough
@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("more", [(), ("--timeout", "60")])
def test_quiet_keeps_what_code_prints_off_stdout(run, more):
    check = ("check", "prints.py:f", "prints.py:right", "--at", "1,2")
    for command in (check, ("run", "python.toml", "--allow-python")):
        result = run(*command, "--quiet", *more)
        assert (result.returncode, result.stdout) == (0, "")
        assert set(result.stderr.splitlines()) == {"printed by the code"}


@pytest.mark.parametrize(
    "command",
    [["explain"], pytest.param(["compare", "x**2", "--at", "3"], marks=pytest.mark.thorough), ["--help"]],
    ids=" ".join,
)
def test_whoever_reads_the_output_may_stop(tmp_path, command):
    """As for other tools; the interpreter has nothing to say at its end either."""
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [sys.executable, "-m", "diffcompare", *command],
        cwd=tmp_path,
        env=environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=120,
    )
    os.close(writing)
    assert (process.returncode, process.stderr) == (128 + signal.SIGPIPE, "")
