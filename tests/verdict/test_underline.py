"""The picture of marked places: carets stand below what they mark, and no line is wider than it may be."""

from __future__ import annotations

import itertools

import pytest
from rich.cells import cell_len

from diffcompare.verdict.marks import Mark
from diffcompare.verdict.underline import columns, picture, underlined


def marked(
    source: str, text: str, message: str = "", *, role: str = "gradient", file: str = "m.py", line: int = 1
) -> Mark:
    """Mark the first place of a text in a source whose first line has a number."""
    start = source.index(text)
    before, until = source[:start], source[: start + len(text)]
    first, last = before.count("\n"), until.count("\n")
    column, end = len(before) - before.rfind("\n") - 1, len(until) - until.rfind("\n") - 1
    lines = tuple(source.split("\n")[first : last + 1])
    return Mark(role, file, line + first, column, line + last, end, text, message, lines)


LOSS = "    return np.mean((X @ w - y) ** 2) + 0.125 * np.sum(w**2)"
SLOPE = "        return X.T @ (X @ w - y) / 2 + 0.125 * w"
TWO = (
    marked(LOSS, "0.125 * np.sum(w**2)", "its derivative is 0.25*w", role="f", file="model.py", line=9),
    marked(SLOPE, "0.125 * w", "this is half of it", file="model.py", line=13),
)


def drawn(*marks: Mark, width: int = 100) -> str:
    return "\n".join(underlined(marks, width))


def test_two_places_of_one_file():
    assert drawn(*TWO) == (
        "  model.py:9   return np.mean((X @ w - y) ** 2) + 0.125 * np.sum(w**2)\n"
        "                                                  ^^^^^^^^^^^^^^^^^^^^ its derivative is 0.25*w\n"
        "  model.py:13  return X.T @ (X @ w - y) / 2 + 0.125 * w\n"
        "                                              ^^^^^^^^^ this is half of it"
    )


def test_a_message_without_room_stands_below_its_carets():
    assert drawn(*TWO, width=80).splitlines()[1:3] == [
        " " * 50 + "^" * 20,
        " " * 50 + "its derivative is 0.25*w",
    ]


LONG = "x = " + " + ".join(f"a{k}" for k in range(100))
PICTURES = {
    "cut": (
        TWO[:1],
        50,
        """\
  model.py:9  …w - y) ** 2) + 0.125 * np.sum(w**2)
                              ^^^^^^^^^^^^^^^^^^^^
                          its derivative is 0.25*w""",
    ),
    "cut on both sides": (
        [marked(LONG, "a50", "twice")],
        40,
        """\
  m.py:1  … a48 + a49 + a50 + a51 + a52…
                        ^^^ twice""",
    ),
    "a mark that is too long": (
        [marked("total = first_summand + second_summand", "first_summand + second_summand", "twice")],
        32,
        """\
  m.py:1  …first_summand + seco…
           ^^^^^^^^^^^^^^^^^^^^
           twice""",
    ),
    "tabs, wide and combining characters": (
        [
            marked("\tif 角度:\tx = (e\u0301 * y", "e\u0301", "accent"),
            marked("\tif 角度:\tx = (e\u0301 * y", "y", "last"),
        ],
        40,
        """\
  m.py:1  if 角度:    x = (e\u0301 * y
                           ^ accent
                               ^ last""",
    ),
    "a wide mark": (
        [marked("角度 = 半径 * π", "半径", "wide")],
        40,
        """\
  m.py:1  角度 = 半径 * π
                 ^^^^ wide""",
    ),
    "several lines": (
        [marked("    r = (a\n      + b\n      + c) * 2", "a\n      + b\n      + c", "three lines")],
        40,
        """\
  m.py:1  r = (a
               ^
  m.py:3    + c) * 2
            ^^^ three lines""",
    ),
    "several marks of a line": (
        [
            marked("y = a*b + c*d", text, message)
            for text, message in (("c*d", "2"), ("a*b + c*d", "all"), ("a*b", "1"))
        ],
        40,
        """\
  m.py:1  y = a*b + c*d
              ^^^ 1
              ^^^^^^^^^ all
                    ^^^ 2""",
    ),
    "several marks of a line that is cut": (
        [marked(LONG, text, text) for text in ("a90", "a10")],
        32,
        """\
  m.py:1  …8 + a9 + a10 + a11 +…
                    ^^^ a10
  m.py:1  … + a89 + a90 + a91 +…
                    ^^^ a90""",
    ),
    "helpers in other files": (
        [marked("y = f(x)", "f(x)", "here", line=90), marked("return x", "x", "there", file="other.py", line=3)],
        40,
        """\
  m.py:90     y = f(x)
                  ^^^^ here
  other.py:3  return x
                     ^ there""",
    ),
    "a long file name": (
        [marked("y = f(x)", "f(x)", "here", file="a_very_long_name_of_a_file.py", line=90)],
        40,
        """\
  …a_file.py:90  y = f(x)
                     ^^^^ here""",
    ),
    "a long message": (
        [marked("y = f(x)", "f(x)", "one two three four five six seven eight nine ten eleven")],
        54,
        """\
  m.py:1  y = f(x)
              ^^^^
              one two three four five six seven eight
              nine ten eleven""",
    ),
    "no file, no lines": (
        [Mark("gradient", "", 3, 8, 3, 13, "x + y", "twice")],
        40,
        """\
  line 3  x + y
          ^^^^^ twice""",
    ),
    "what cannot be seen": (
        [marked("s = '\u202e\x1b[31m' + t", "t", "a\nb  c")],
        40,
        """\
  m.py:1  s = '\\u202e\\x1b[31m' + t
                                 ^ a b c""",
    ),
    "more than four": (
        [marked("abcdef", letter, letter) for letter in "abcdef"],
        40,
        """\
  m.py:1  abcdef
          ^ a
           ^ b
            ^ c
             ^ d
  and 2 more places""",
    ),
}


@pytest.mark.parametrize("case", PICTURES)
def test_pictures(case):
    marks, width, expected = PICTURES[case]
    assert drawn(*marks, width=width) == expected


MANY = [*TWO, *(mark for marks, _, _ in PICTURES.values() for mark in marks)]


def test_no_line_is_wider_than_the_width():
    for width, size in itertools.product((*range(20, 45), 60, 80, 100), (1, 3)):
        for k in range(0, len(MANY), size):
            for line in underlined(MANY[k : k + size], width):
                # as another library counts them
                assert columns(line) == cell_len(line) <= width, (width, line)


def test_wherever_something_is_marked_the_carets_stand_below_it():
    source = "\tx = 角 + e\u0301e\u0301 * (y - 度) / \tz"
    for a, b in itertools.combinations(range(len(source)), 2):
        text = source[a:b]
        if text.strip(" \t") != text or text.startswith("\u0301"):
            continue
        line, carets = underlined([Mark("f", "m.py", 1, a, 1, b, text, "", (source,))])
        whole = source.expandtabs(4)
        assert line == f"  m.py:1  {whole[4:]}"
        start = next(k for k in range(len(line) + 1) if columns(line[:k]) == len(carets) - carets.count("^"))
        # a combining character takes no column of its own
        start += line[start:].startswith("\u0301")
        assert columns(text.replace("\t", "    ")) >= carets.count("^") > 0
        assert line[start:].startswith(text.split("\t")[0])


def test_places_beyond_the_line_are_drawn_all_the_same():
    for column, end in ((0, 0), (-3, 99), (99, 99), (99, -1), (2, 1)):
        lines = underlined([Mark("f", "m.py", 1, column, 1, end, "", "message", ("x + y",))], 30)
        assert lines[0] == "  m.py:1  x + y"
        assert "^" in lines[1]
    assert underlined([Mark("f", "m.py", 1, 0, 1, 0, "", "", ())]) == ["  m.py:1", "          ^"]
    assert underlined([]) == []


def test_a_terminal_may_write_characters_in_its_own_way():
    lines = picture(TWO[:1], 50, lambda c: {"…": "...", "w": "double-u"}.get(c, c))
    assert all(sum(len(text) for _, text in line) <= 50 for line in lines)
    assert ("code", "...") not in lines[0]
    assert lines[0][1][1].startswith("...")


def test_each_piece_says_what_it_is():
    (line, carets, *_) = picture(TWO)
    assert [kind for kind, _ in line] == ["place", "code"]
    assert carets[-1] == ("f", "^^^^^^^^^^^^^^^^^^^^ its derivative is 0.25*w")
