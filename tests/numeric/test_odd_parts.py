"""An odd function is known by its values at steps, each of which is asked for once."""

from __future__ import annotations

import math

from diffcompare.numeric.odd_parts import OddPart


def test_a_step_is_asked_for_once_inside_the_domain_and_outside() -> None:
    asked: list[float] = []

    def cube(h: float) -> tuple[float, float, float, float] | None:
        asked.append(h)
        return (h**3, 0.0, 0.0, 0.0) if h < 1 else None

    odd = OddPart(cube, lambda h: h, 1.0, 1.0, 2.0, 2.0**-30)
    assert odd.pair(0.5) is odd.pair(0.5) is not None
    assert (odd.value(0.5), odd.value(-0.5)) == (0.125, -0.125)
    assert odd.pair(2.0) is odd.pair(2.0) is None
    assert math.isnan(odd.value(-2.0))
    assert odd.pair(0.0) is odd.pair(math.inf) is None
    assert asked == [0.5, 2.0]
