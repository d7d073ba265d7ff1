"""What a study in parts costs as it grows: time and memory of ``run --pages none``.

Run with ``pytest tests/benchmarks/test_streaming.py -m benchmark -s``: 10⁴ to 10⁶ rows of a study as it is, and 10⁴ to
10⁷ without the parts of the errors and their bounds, which take most of the time. Nothing is asserted about times.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import diffcompare as dc

from .timing import print_table

pytestmark = pytest.mark.benchmark

ROOT = Path(__file__).parents[2]
FORMULAS = ("exp(x)/(sin(x)**3 + cos(x)**3)", "log(1 + x**2)", "x**3 - 2*x", "sqrt(x)*exp(-x)", "tanh(3*x)/x")
PER_DECADE = 100
ROWS = 3 * dc.geometric_steps(1e-1, 1e-16, per_decade=PER_DECADE).size  # of a point
POINTS = 30  # of a function
BARE = """
from functools import partial
from diffcompare.studies import study
study.sweep = partial(study.sweep, split=False, bounds=False)
"""
COMMAND = "import sys; from diffcompare.command.cli import main; sys.exit(main(sys.argv[1:]))"


def study(rows: int) -> str:
    """Write a study of about so many rows: functions of 30 points, 1,501 steps and the three schemes."""
    points = np.round(np.random.default_rng(0).uniform(0.3, 2.0, max(1, rows // ROWS)), 9)
    parts = [f"steps = {{ from = 1e-1, to = 1e-16, per_decade = {PER_DECADE} }}"]
    for number, start in enumerate(range(0, len(points), POINTS)):
        formula = FORMULAS[number % len(FORMULAS)]
        own = points[start : start + POINTS].tolist()
        parts.append(f'[[function]]\nname = "f{number}"\nexpr = "{formula}"\npoints = {own}')
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize(("rows", "bare"), [(10**k, False) for k in (4, 5, 6)] + [(10**k, True) for k in (4, 5, 6, 7)])
def test_growth(tmp_path: Path, rows: int, bare: bool) -> None:
    (tmp_path / "study.toml").write_text(study(rows), encoding="utf-8")
    options = ["--format", "parquet", "--pages", "none", "--no-limit", "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-c", BARE * bare + COMMAND, "run", "study.toml", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))},
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    folder = tmp_path / "study-report"
    parts = sorted(folder.glob("errors-*"))
    found = sum(len(dc.read_errors(part, columns=["h"])) for part in parts)
    assert rows - ROWS < found <= rows
    seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    print_table(
        f"run --pages none of {rows:,} rows{', no split and no bounds' * bare}, one process",
        ("rows", "parts", "CPU s", "µs/row", "MB of memory", "MB of files"),
        [
            (
                f"{found:,}",
                str(len(parts)),
                f"{seconds:.1f}",
                f"{seconds / found * 1e6:.0f}",
                f"{megabytes:.0f}",
                f"{size:.1f}",
            )
        ],
    )
