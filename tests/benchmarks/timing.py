"""Medians, and a table of them: what the benchmarks print. Nothing here judges a time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence


def median_seconds(*calls: Callable[[], object], repeat: int = 7) -> list[float]:
    """Time calls in turns, so that a slow moment of the machine meets all of them; the median of each."""
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()  # compiled and cached, as in use
    for _ in range(repeat):
        for own, call in zip(times, calls, strict=True):
            begun = time.perf_counter()
            call()
            own.append(time.perf_counter() - begun)
    return [statistics.median(own) for own in times]


def written(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def print_table(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[k]) for row in (headers, *rows)) for k in range(len(headers))]
    print(f"\n{title}")
    for row in (headers, ["-" * width for width in widths], *rows):
        cells = (
            cell.ljust(w) if k == 0 else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "  ".join(cells).rstrip())
