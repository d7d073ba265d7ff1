"""``diffcompare derive``: the gradient of a function as code, alone on stdout."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diffcompare.command import cli

CODE = """
import time
import numpy as np
import diffcompare as dc

print("the module prints")
X = np.array([[1.0, 2.0], [0.5, -1.0], [2.0, 0.25]])

def loss(w):
    print("the function prints")
    return np.sum((X @ w) ** 2)

def line(x):
    return x**3

def branch(w):
    return np.sum(w) if w[0] > 0 else np.sum(w**2)

def slow(w):
    time.sleep(30)
    return np.sum(w)

formula = dc.parse("x**2")
"""
LOSS = '''import numpy as np


def loss_gradient(w):
    """Gradient of loss; shapes: w (2,), X (3, 2)."""
    return 2 * X.T @ (X @ w)
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = f"mine_{random.randrange(10**9)}"
    (tmp_path / f"{name}.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield name
    sys.modules.pop(name, None)


@pytest.mark.parametrize("limit", [(), ("--timeout", "60")], ids=["here", "in a process"])
def test_the_source_alone_is_printed(module: str, limit: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["derive", f"{module}:loss", "--at", "0.5,1", *limit]) == 0
    assert capfd.readouterr().out == LOSS


def test_one_number_is_a_number(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["derive", f"{module}.py:line", "--at", "2"]) == 0
    out = capsys.readouterr().out
    assert out.endswith('    """Gradient of line; shapes: x a number."""\n    return 3 * x**2\n')
    scope: dict[str, Any] = {}
    exec(out, scope)
    assert scope["line_gradient"](2.0) == 12.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("M:branch", "--at", "1,2"), "the function decides here what it computes"),
        (("M:loss", "--at", "1,2,3"), "mismatch in its core dimension"),
        (("M:loss", "--at", "1,a"), "'a' is not a number"),
        (("M:missing", "--at", "1"), "missing"),
        (("M:formula", "--at", "1"), "is a formula: derive is for NumPy code"),
        (("M:loss",), "Missing option '--at'"),
        (("M:slow", "--at", "1,2", "--timeout", "1"), "the code did not finish within 1 s"),
    ],
    ids=lambda v: v[0] if isinstance(v, tuple) else "",
)
def test_what_fails_is_one_line_and_no_source(
    module: str, arguments: tuple[str, ...], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["derive", *(a.replace("M:", f"{module}:") for a in arguments)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    told = [line for line in err.splitlines() if line.startswith("diffcompare: ")]
    assert len(told) == 1
    assert words in told[0]
