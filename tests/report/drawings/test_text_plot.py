"""The plot in characters: marks where the errors are, and nothing hidden."""

import math

import pandas as pd

import diffcompare as dc
from diffcompare.report.drawings.text_plot import text_plot


def table(errors, scheme="forward"):
    return pd.DataFrame({"h": list(errors), "abs_error": list(errors.values()), "scheme": scheme})


def test_marks_stand_at_their_decades():
    assert text_plot(table({1e-1: 1e-1, 1e-2: 1e-3, 1e-3: 1e-2})) == [
        "    1e-1 │" + " " * 60 + "+",
        "    1e-2 │+",
        "    1e-3 │" + " " * 30 + "+",
        "         └" + "─" * 61,
        "       h  0.001" + " " * 54 + "0.1",
        "          + forward",
    ]


def test_a_slope_of_one_is_a_straight_line():
    lines = text_plot(table({10.0**-k: 10.0**-k for k in range(13)}))
    marks = [(row, line.index("+") - 10) for row, line in enumerate(lines[:13])]
    assert marks == [(k, 60 - 5 * k) for k in range(13)]


def test_zeros_nan_and_inf_have_lanes_of_their_own():
    lines = text_plot(table({1e-1: 0.0, 1e-2: math.nan, 1e-3: math.inf, 1e-4: 1.0}))
    assert [line.partition("│")[0].strip() for line in lines[:3]] == ["nan, inf", "1e0", "0"]
    assert [line.count("+") for line in lines[:3]] == [2, 1, 1]


def test_only_zeros_and_only_infinities_are_drawn():
    assert text_plot(table({1e-1: 0.0}))[0] == "       0 │+"
    assert text_plot(table({1e-1: math.inf}))[0] == "nan, inf │+"
    assert text_plot(table({1e-1: math.nan})) == []
    assert text_plot(table({})) == []


def test_schemes_have_marks_and_meet_in_a_star():
    rows = pd.concat([table({1e-2: 1e-2, 1e-4: 1e-4}), table({1e-2: 1e-2, 1e-4: 1e-8}, "central")])
    lines = text_plot(rows)
    text = "\n".join(lines)
    assert lines[-1].strip().split("   ") == ["+ forward", "x central", "* several", "┊ h = 1e-4"]
    assert text.count("*") == 2  # at one place, and in the legend
    assert text.count("+") == 2
    assert [line.count("x") for line in lines[:-1]].count(1) == 1


def test_the_same_scheme_twice_in_a_place_is_itself():
    rows = pd.concat([table({1e-2: 1e-2}), table({1e-2: 1.1e-2})])
    assert "*" not in "\n".join(text_plot(rows))


def test_extreme_errors_fit():
    steps = [10.0**-k for k in range(17)]
    sizes = [5e-324, 1.7e308, *([1.0] * 15)]
    lines = text_plot(table(dict(zip(steps, sizes, strict=True))), plain=True)
    assert len(lines) <= 20
    assert max(map(len, lines)) <= 78
    assert "\n".join(lines).isascii()
    assert sum(line.count("+") for line in lines[:-3]) == 17


def test_every_row_of_a_sweep_has_its_mark():
    rows = dc.sweep(dc.parse("exp(x)"), 1.0, schemes=["central"])
    lines = text_plot(rows)
    assert sum(line.partition("│")[2].count("+") for line in lines) == len(rows) == 61
    many = dc.sweep(dc.parse("x**3"), 1.0, schemes=["forward", "forward2", "central4", "central6", "backward3"])
    assert max(map(len, text_plot(many))) <= 78
