"""The cases by which rules may be tuned, and those kept aside."""

from __future__ import annotations

from . import losses, networks

OPEN = [*losses.CASES, *networks.CASES]
ASIDE = []
