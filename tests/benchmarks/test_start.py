"""What it costs to start: over a bare interpreter, in fresh processes.

Run with ``pytest tests/benchmarks -m benchmark -s``. Times are printed, never asserted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import diffcompare

from .timing import median_seconds, print_table, written

pytestmark = pytest.mark.benchmark


def test_the_start_over_a_bare_interpreter(tmp_path: Path) -> None:
    # compiled once, as pip compiles what it installs
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(Path(diffcompare.__file__).parents[1]), "PYTHONPYCACHEPREFIX": str(tmp_path)}

    def start(*arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)

    commands = {
        "import diffcompare": (("-c", "import diffcompare"), "≤ 20 ms"),
        "diffcompare --help": (("-m", "diffcompare", "--help"), "≤ 60 ms"),
        "diffcompare run --help": (("-m", "diffcompare", "run", "--help"), ""),
        "import diffcompare.studies.study": (("-c", "import diffcompare.studies.study"), ""),
        "diffcompare compare x**2 --at 3": (("-m", "diffcompare", "compare", "x**2", "--at", "3"), ""),
    }
    check = "import numpy as np, diffcompare as dc; dc.check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, [3.0])"
    commands |= {"import numpy": (("-c", "import numpy"), ""), "a first verdict": (("-c", check), "≤ 500 ms")}
    calls = [lambda a=a: start(*a) for a, _ in commands.values()]
    bare, *times = median_seconds(lambda: start("-c", "pass"), *calls, repeat=20)
    print_table(
        "time of a fresh process, and what it adds to a bare interpreter",
        ("", "whole", "added", "target"),
        [
            ("bare interpreter", written(bare), "", ""),
            *(
                (name, written(t), written(max(t - bare, 0.0)), target)
                for (name, (_, target)), t in zip(commands.items(), times, strict=True)
            ),
        ],
    )
