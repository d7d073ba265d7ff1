"""Hypothesis is told how close an example came to a failure, where it runs: it then looks for closer ones."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

__all__ = ["steer"]

_LIMIT = 1e9


def steer(ratio: Callable[[], float], label: str) -> None:
    """Make Hypothesis seek a larger ratio; nothing happens outside its tests, and it is not imported for that.

    A second comparison with the same label in one example says nothing: Hypothesis takes one number for each.
    """
    hypothesis = sys.modules.get("hypothesis")
    if hypothesis is None or not hypothesis.currently_in_test_context() or math.isnan(found := ratio()):
        return
    try:
        hypothesis.target(min(found, _LIMIT), label=label)
    except hypothesis.errors.InvalidArgument:
        return
