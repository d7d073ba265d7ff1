"""Numbers of digits: every sign and every kind."""

from __future__ import annotations

import math

import pytest

from diffcompare.testing.digits import KINDS, balanced, number


def test_balanced_numbers_have_both_signs() -> None:
    assert [balanced(k, 2) for k in range(7)] == [0, 1, -1, 2, -2, 0, 1]


@pytest.mark.parametrize("kind", range(KINDS))
def test_each_kind_of_number_has_both_signs(kind: int) -> None:
    signs = {math.copysign(1.0, number(kind, k)) for k in range(200)}
    assert signs == {-1.0, 1.0}
