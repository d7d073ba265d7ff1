"""How repairs are put into words."""

from __future__ import annotations

import pytest

from diffcompare.verdict.repairs.told import _closed, is_short


@pytest.mark.parametrize("text", ["a", "1.5", "np.sin(x)", "x[1:6]", "self.w.T", "f(a + b)", "sum(… @ x)"])
def test_what_has_no_operator_outside_needs_no_brackets(text: str) -> None:
    assert _closed(text) == text


@pytest.mark.parametrize("text", ["a + b", "-a", "np.sin(x) * np.cos(y)", "a if b else c", "… @ x", "x.T @ (a)", "a b"])
def test_what_has_one_is_put_in_brackets(text: str) -> None:
    assert _closed(text) == f"({text})"


def test_what_has_no_room_in_a_sentence() -> None:
    assert is_short("a" * 50)
    assert not is_short("a" * 51)
    assert is_short("a" * 51, 60)
    assert not is_short("a +\nb")
