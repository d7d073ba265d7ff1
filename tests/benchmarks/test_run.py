"""What ``run`` takes for 94 functions, 34,404 rows: measuring, pages, and both with two processes.

Run with ``pytest tests/benchmarks/test_run.py -m benchmark -s``. Times are printed, never asserted.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

import diffcompare as dc

from .timing import print_table, written

pytestmark = pytest.mark.benchmark

FORMULAS = (
    "sin(x)", "cos(x)", "exp(x)", "x**3", "1/(1 + x**2)", "log(1 + exp(-x))", "tanh(x)", "sqrt(x + 2)",
    "exp(-x**2)", "x*sin(x)", "atan(x)", "exp(x)/(1 + x**2)", "x**2*cos(x)", "log(x + 3)", "1/(2 + sin(x))",
    "sinh(x)", "x**5 - 3*x", "exp(sin(x))", "cos(x)**3", "x/(1 + abs(x))",
)  # fmt: skip
COUNT = 94


@pytest.fixture
def study(tmp_path: Path) -> Path:
    lines = ['title = "94 functions"']
    for k in range(COUNT):
        formula = f"{FORMULAS[k % len(FORMULAS)]} + {1 + k // len(FORMULAS)}*x"
        lines += ["[[function]]", f'name = "f{k}"', f'expr = "{formula}"', "points = [0.3, 1.1]"]
    path = tmp_path / "study.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_what_a_run_takes(study: Path) -> None:
    rows = []
    for jobs in (1, 2):
        command = [sys.executable, "-m", "diffcompare", "run", str(study), "--out", str(study.parent / f"out{jobs}")]
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([*command, "--jobs", str(jobs), "--quiet"], check=True, env=os.environ)
        used, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
        rows.append((f"run --jobs {jobs}", written(used.ru_utime - before.ru_utime), written(wall), ""))
    begun = time.process_time()
    tables = dc.run_study(study)
    measured = time.process_time() - begun
    begun = time.process_time()
    dc.write_report(tables, study.parent / "again")
    rows += [("measuring alone", written(measured), "", "")]
    rows += [("pages alone", written(time.process_time() - begun), "", f"{len(tables.errors):,} rows")]
    print_table(f"{COUNT} functions", ("", "CPU", "by the clock", ""), rows)
