"""The error tree, and messages that name value, place and remedy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from diffcompare import errors
from diffcompare.errors import (
    DiffcompareError,
    DomainError,
    ParseError,
    StudyError,
    TraceError,
    UnsupportedFunction,
    check_step_size,
    shorten,
)


def test_the_tree_has_one_root() -> None:
    kinds = [ParseError, TraceError, DomainError, UnsupportedFunction, StudyError]
    assert all(kind.__bases__ == (DiffcompareError,) for kind in kinds)
    assert DiffcompareError.__bases__ == (Exception,)
    listed = [value for name in errors.__all__ if isinstance(value := getattr(errors, name), type)]
    assert set(listed) == {DiffcompareError, *kinds}


def test_a_parse_error_is_three_lines_with_the_caret_under_the_place() -> None:
    error = ParseError("2x is not a product; write 2*x", "1 + 2x", 6)
    assert str(error) == "column 6: 2x is not a product; write 2*x\n  1 + 2x\n       ^"
    assert (error.message, error.text, error.column) == ("2x is not a product; write 2*x", "1 + 2x", 6)


@pytest.mark.parametrize("length", [1, 40, 79, 80, 81, 82, 119, 120, 121, 122, 200, 20_000])
def test_the_caret_points_at_the_place_in_formulas_of_any_length(length: int) -> None:
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    text = "".join(alphabet[(k * k + k // 7) % len(alphabet)] for k in range(length))
    places = {1, 2, 40, 41, 42, 43, 80, 81, 82, length // 2, length - 41, length - 1, length, length + 1}
    for column in sorted(c for c in places if 1 <= c <= length + 1):
        first, shown, caret = str(ParseError("m", text, column)).split("\n")
        assert first == f"column {column}: m"
        assert caret.rstrip("^") + "^" == caret
        place = len(caret) - 1
        # at the end of the formula the caret stands behind the last character
        assert shown[place : place + 1] == text[column - 1 : column]
        assert len(shown) <= 2 + 3 + 80 + 3
        window = shown[2:].removeprefix("...").removesuffix("...")
        assert window in text
        assert shown[2:].startswith("...") == (not text.startswith(window) or column > 41)
        assert shown.endswith("...") == (not text.endswith(window))
        assert place - 2 - (3 if column > 41 else 0) == min(column - 1, 40)


def test_a_long_formula_is_shown_through_a_window() -> None:
    first, shown, caret = str(ParseError("m", "a" * 100 + "!" + "b" * 100, 101)).split("\n")
    assert first == "column 101: m"
    assert shown == "  ..." + "a" * 40 + "!" + "b" * 39 + "..."
    assert caret == "  " + " " * 43 + "^"


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\x00", "\x1b", "\u2028", "\u202e"])
def test_characters_that_would_disturb_the_terminal_are_not_printed(character: str) -> None:
    text = str(ParseError("m", f"x{character}y", 3))
    assert text == "column 3: m\n  x?y\n    ^"


@pytest.mark.parametrize(
    ("value", "text"), [(1e-4, "0.0001"), (5e-324, "5e-324"), (1, "1.0"), (np.float32(0.5), "0.5"), ("1e-3", "0.001")]
)
def test_a_step_size_is_returned_as_a_float(value: object, text: str) -> None:
    assert type(check_step_size(value)) is float
    assert repr(check_step_size(value)) == text


@pytest.mark.parametrize("value", [0, 0.0, -0.0, -1e-4, math.inf, -math.inf, math.nan, "nan", np.float64(0.0)])
def test_a_step_size_that_is_not_positive_and_finite_is_a_value_error(value: object) -> None:
    with pytest.raises(ValueError, match="step size must be positive and finite; pass h=1e-4 or") as caught:
        check_step_size(value)
    assert str(caught.value).startswith(f"h={value!r}: ")


@pytest.mark.parametrize("value", [None, "small", [1e-4, 1e-5], (), 1j])
def test_a_step_size_that_is_no_number_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="step size must be a number; pass h=1e-4 or") as caught:
        check_step_size(value)
    assert str(caught.value).startswith(f"h={value!r}: ")
    # the message says it all; how float() failed does not help
    assert caught.value.__suppress_context__


def test_short_texts_stay_and_long_ones_are_cut_with_a_mark() -> None:
    assert shorten("") == ""
    assert shorten("a" * 200) == "a" * 200
    assert shorten("a" * 201) == "a" * 199 + "…"
    assert shorten("abcdef", 3) == "ab…"
    assert len(shorten("한" * 1000, 80)) == 80
