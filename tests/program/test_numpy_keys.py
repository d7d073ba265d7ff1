"""Keys in brackets: what they say is what they take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from diffcompare.program.numpy_keys import key_text, unit_axes

ROWS = np.array([2, 0, 1, 1])


def places(shape: tuple[int, ...], key: Any) -> Any:
    return np.array(np.arange(np.prod(shape)).reshape(shape)[key])


def named(held: Any) -> str | None:
    return "ROWS" if np.array_equal(held, ROWS) else None


@pytest.mark.parametrize(
    ("shape", "key", "text"),
    [
        ((5,), np.s_[0], "0"),
        ((5,), np.s_[4], "-1"),
        ((2,), np.s_[1], "1"),
        ((5,), np.s_[1:], "1:"),
        ((5,), np.s_[:-1], ":-1"),
        ((5,), np.s_[:3], ":3"),
        ((5,), np.s_[::2], "::2"),
        ((5,), np.s_[::-1], "::-1"),
        ((5,), np.s_[3:1:-1], "3:1:-1"),
        ((5,), np.s_[[3, 0, 4]], "[3, 0, 4]"),
        ((3, 4), np.s_[1], "1"),
        ((3, 4), np.s_[:, 2], ":, 2"),
        ((3, 4), np.s_[1:, :-1], "1:, :-1"),
        ((3, 4), np.s_[ROWS], "ROWS"),
        ((3, 4), np.s_[:, ROWS], ":, ROWS"),
        ((4, 3), np.s_[np.arange(4), ROWS], "np.arange(4), ROWS"),
        ((3, 4), np.s_[ROWS.reshape(2, 2)], None),
        ((20,), np.s_[[3, 0, 4, 9, 1, 2, 8, 7, 11]], None),
    ],
    ids=str,
)  # fmt: skip
def test_a_key_reads_as_people_write_it(shape: tuple[int, ...], key: Any, text: str | None) -> None:
    assert key_text(shape, places(shape, key), named) == text


@given(st.data())
def test_a_key_takes_what_it_was_made_of(data: st.DataObject) -> None:
    shape = data.draw(arrays.array_shapes(min_dims=1, max_dims=3, max_side=5))
    key = data.draw(arrays.basic_indices(shape, allow_ellipsis=False))
    taken = places(shape, key)
    text = key_text(shape, taken, lambda _: None)
    # an empty array has no key; one axis of length 1 may be any
    assert (text is not None) == (taken.size > 0) or taken.ndim
    if text is not None:
        assert np.array_equal(eval(f"np.arange({np.prod(shape)}).reshape({shape})[{text}]", {"np": np}), taken)


@given(arrays.array_shapes(min_dims=0, max_dims=3, max_side=3), arrays.array_shapes(min_dims=0, max_dims=3, max_side=3))
def test_axes_of_length_one_are_put_in_and_taken_out(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    text = unit_axes(before, after)
    if text is not None and text:
        assert eval(f"np.zeros({before})[{text}]", {"np": np}).shape == after


def test_the_last_places_are_counted_as_the_code_does() -> None:
    assert key_text((6,), places((6,), np.s_[:4]), named, {-2}) == ":-2"
    assert key_text((6,), places((6,), np.s_[:4]), named, {4, -2}) == ":4"
