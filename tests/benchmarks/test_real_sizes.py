"""Verdicts at the size of real data: seconds of the processor and memory, beside NumPy and central differences.

Run with ``OPENBLAS_NUM_THREADS=1 pytest tests/benchmarks/test_real_sizes.py -m benchmark -s``. Each case runs in a
process of its own, so that its memory is its own. A check by central differences calls f twice for each component.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc

from .real_sizes import CASES, CHECKS, chain, logistic
from .timing import print_table

pytestmark = pytest.mark.benchmark


def seconds(call: Callable[[], Any]) -> float:
    """The processor time of one call; short ones are repeated."""
    call()
    count, start = 0, time.process_time()
    while (spent := time.process_time() - start) < 0.02:
        call()
        count += 1
    return spent / count


def measured(name: str, factor: float) -> dict[str, Any]:
    """What one check says and takes, here; the gradient is multiplied by a factor."""
    f, gradient, x = CASES[name]()
    dc.check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, np.ones(3))
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    check = getattr(dc, CHECKS.get(name, "check_gradient"))
    verdict = check(f, (lambda x: gradient(x) * factor) if factor != 1 else gradient, x)
    spent, after = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bare = seconds(lambda: (f(x), gradient(x)))
    return {
        "seconds": spent, "memory": (after - before) / 1024, "status": verdict.status, "evidence": verdict.evidence,
        "resolution": verdict.resolution, "cause": verdict.cause, "bare": bare,
        "differences": 2 * x.size * seconds(lambda: f(x)),
    }  # fmt: skip


def beside(name: str, factor: float) -> dict[str, Any]:
    """The same in a process of its own."""
    call = f"print(json.dumps(measured({name!r}, {factor!r})))"
    code = f"import json; from tests.benchmarks.test_real_sizes import measured; {call}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_table_of_real_sizes() -> None:
    rows = []
    for name in CASES:
        right, wrong = beside(name, 1.0), beside(name, 1 + 1e-6)
        rows.append((
            name, f"{right['seconds']:.2f}", f"{wrong['seconds']:.2f}", f"{right['memory']:.0f}", right["evidence"],
            f"{right['resolution']:.0e}", f"{right['seconds'] / right['bare']:,.0f}",
            f"{right['differences'] / right['seconds']:,.2g}",
        ))  # fmt: skip
        assert right["status"] == ("wrong" if "f alone" in name else "consistent")
        assert wrong["status"] == "wrong"
        assert right["evidence"] == wrong["evidence"] == "identity"
    print_table(
        "gradients, Jacobians and a Hessian of the size of real data",
        ["case", "right, s", "bug, s", "MB", "evidence", "resolution", "x bare f and g", "central differences, x"],
        rows,
    )


def test_the_time_grows_with_the_operations() -> None:
    """From 10^2 to 10^7 operations: seconds for each."""
    rows = []
    for label, made in [  # type: ignore[misc]
        *((f"elementwise, {n:,}", lambda n=n: chain(n)) for n in (10, 100, 1000, 10_000, 100_000)),
        *((f"logistic, {n:,} x 10", lambda n=n: logistic(n, 10)) for n in (100, 1000, 10_000, 100_000)),
    ]:
        f, gradient, x = made()
        start = time.process_time()
        verdict = dc.check_gradient(f, gradient, x)
        spent = time.process_time() - start
        size = 10 * x.size if "element" in label else 20 * int(label.split()[1].replace(",", ""))
        rows.append((label, f"{size:,}", f"{spent:.3f}", f"{1e6 * spent / size:.2f}", verdict.evidence))
    print_table("growth", ["case", "operations, about", "s", "us for each", "evidence"], rows)
