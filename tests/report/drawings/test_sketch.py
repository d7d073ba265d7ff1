from __future__ import annotations

import math
from collections.abc import Callable
from xml.etree import ElementTree

import pandas as pd
import pytest

from diffcompare.report.drawings.sketch import function_sketch
from diffcompare.tables.schema import CURVE_COLUMNS

from ..example import curve_rows, errors_table, sweep_rows  # noqa: TID252 - tests are no package
from ..paths import absolute  # noqa: TID252 - tests are no package


def sketch(
    function: Callable[[float], float], at: float, slope: float, half: float = 0.5
) -> ElementTree.Element | None:
    rows = errors_table(sweep_rows("f", function, ["x"], [at], [slope]))
    curve = pd.DataFrame(curve_rows("f", function, "x", at, half), columns=list(CURVE_COLUMNS))
    made = function_sketch(curve, rows, title="<f>", identity="s")
    return None if made is None else ElementTree.fromstring(made.text)


def test_tangent_and_one_secant_a_scheme_are_drawn_with_their_slopes() -> None:
    drawing = sketch(math.exp, 0.0, 1.0)
    assert drawing is not None
    words = [e.text or "" for e in drawing.iter("text")]
    assert "exact slope 1" in words
    assert "forward: slope 1.05 with h = 0.1" in words
    assert "backward: slope 0.952 with h = 0.1" in words
    assert "central: slope 1 with h = 0.1" in words
    assert len([e for e in drawing.iter("path") if e.get("class") == "tangent"]) == 1
    assert len([e for e in drawing.iter("g") if (e.get("class") or "").startswith("secant")]) == 3


def test_there_is_no_tangent_at_a_kink() -> None:
    drawing = sketch(abs, 0.0, math.nan)
    assert drawing is not None
    assert not [e for e in drawing.iter("path") if e.get("class") == "tangent"]
    assert "no tangent: there is no exact slope here" in [e.text for e in drawing.iter("text")]


def test_the_curve_breaks_where_f_is_not_finite() -> None:
    drawing = sketch(lambda x: math.nan if 0.1 < x < 0.2 else x, 0.0, 1.0)
    assert drawing is not None
    (curve,) = [absolute(e.get("d") or "") for e in drawing.iter("path") if e.get("class") == "curve"]
    assert curve.count("M") == 2


def test_no_line_is_drawn_across_a_pole() -> None:
    drawing = sketch(lambda x: 1 / (x - 0.003), 0.1, -106.28)
    assert drawing is not None
    (curve,) = [absolute(e.get("d") or "") for e in drawing.iter("path") if e.get("class") == "curve"]
    assert curve.count("M") == 2


@pytest.mark.parametrize("value", [0.0, 7.0, 1e300, 1e-300, 5e-324])
def test_a_constant_is_a_level_line(value: float) -> None:
    drawing = sketch(lambda x: value, 1.0, 0.0)
    assert drawing is not None
    (curve,) = [absolute(e.get("d") or "") for e in drawing.iter("path") if e.get("class") == "curve"]
    assert len(set(curve.replace("M", "L").split("L")[1:])) == 2
    assert len({point.split(",")[1] for point in curve.replace("M", "L").split("L")[1:]}) == 1


def test_a_slope_beyond_all_floats_leaves_the_drawing_whole() -> None:
    drawing = sketch(lambda x: 1e307 * x, 1.0, 1.7e308)
    assert drawing is not None
    assert not [e for e in drawing.iter() if "nan" in (e.get("d") or "")]


def test_what_cannot_be_drawn_is_left_out() -> None:
    assert sketch(lambda x: math.nan, 1.0, 0.0) is None
    assert sketch(lambda x: 1e308 if x > 1 else -1e308, 1.0, 0.0) is None
    assert sketch(lambda x: x, 1.0, 1.0, half=0.0) is None
