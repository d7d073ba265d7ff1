"""Statements around those that are written."""

from __future__ import annotations

import ast

import pytest

import diffcompare as dc
from diffcompare.verdict.loop_statements import assignments, setting, uses


def test_a_name_is_none_that_is_part_of_another() -> None:
    assert uses(["x + h[0]"], "h")
    assert not uses(["self.h + h2"], "h")


def test_assignments_are_ordered_so_that_each_sees_what_was_before() -> None:
    assert assignments({"a": "a + b", "b": "2 * b"}) == ["a = a + b", "b = 2 * b"]
    assert assignments({"a": "2 * a", "b": "a + b"}) == ["b = a + b", "a = 2 * a"]
    assert assignments({"a": "2 * b", "b": "3 * a"}) == ["a, b = 2 * b, 3 * a"]
    assert assignments({"a": "a", "b": "b_new", "c": "c_new"}) == ["b, c = b_new, c_new"]


@pytest.mark.parametrize(
    ("source", "wanted", "lines"),
    [
        ("w, h, loss = p[0], 0.0, 0.0", "h", ["h = 0.0"]),
        ("w, h, loss = p[0], 0.0, 0.0", "w h", ["w, h = p[0], 0.0"]),
        ("w, h = p", "h", ["w, h = p"]),
        ("a, b = b, a", "a", ["a, b = b, a"]),
        ("if q:\n    a = 1", "a", ["if q:", "    a = 1"]),
    ],
    ids=str,
)
def test_a_statement_keeps_what_is_used(source: str, wanted: str, lines: list[str]) -> None:
    assert setting(ast.parse(source).body[0], {*wanted.split()}, source) == lines


def test_what_a_statement_needs_is_wanted() -> None:
    wanted = {"h"}
    setting(ast.parse("h = q[k]").body[0], wanted, "h = q[k]")
    assert wanted == {"h", "q", "k"}


def test_a_return_before_a_loop_is_refused() -> None:
    source = "if q:\n    h = 1\n    return h"
    with pytest.raises(dc.UnsupportedFunction, match="the function returns before its loop"):
        setting(ast.parse(source).body[0], {"h"}, source)
