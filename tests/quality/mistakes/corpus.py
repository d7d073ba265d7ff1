"""The cases by which rules may be tuned, and those kept aside."""

from __future__ import annotations

from . import classical, filters, losses, matrices, networks, physics, statistics

OPEN = [
    one
    for module in (losses, networks, filters, physics, statistics, matrices, classical)
    for one in module.CASES
]  # fmt: skip
ASIDE = []
