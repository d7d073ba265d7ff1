"""Hypothesis follows the lines of the user's code after a failure, and not the many of this package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis.internal.scrutineer import Tracer

import diffcompare as dc


def gradient(x: Any) -> Any:
    return 2 * x if x[0] < 1 else 3 * x


def test_the_lines_of_the_user_alone_are_followed() -> None:
    # what a module runs when it is loaded is followed
    check_gradient = dc.check_gradient
    with Tracer(should_trace=True) as tracer:
        check_gradient(lambda x: np.sum(x**2), gradient, [0.5])
        after = 1 + 1
    places = {place for branch in tracer.branches for place in branch if place}
    lines = {line for file, line in places if file == __file__}
    assert gradient.__code__.co_firstlineno + 1 in lines
    # the tracer goes on afterwards
    assert max(lines) - gradient.__code__.co_firstlineno > 5
    assert after == 2
    package = Path(dc.__file__).parent
    assert not [file for file, _ in places if package / "verdict" in Path(file).parents]
