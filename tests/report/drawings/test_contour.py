"""The contour plot of gradient descents: what is drawn, what is cut off, and what is said of it."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Sequence
from xml.etree import ElementTree

import pandas as pd
import pytest

from diffcompare.report.drawings.contour import Contour, descent_contour

from ..example import surface_table  # noqa: TID252 - tests are no package
from ..paths import absolute, distance, polylines  # noqa: TID252 - tests are no package

NAN = math.nan
Point = tuple[float, float]


def bowl(x: float, y: float) -> float:
    return x * x + y * y


def descent(runs: Sequence[tuple[str, Sequence[Point], Sequence[float]]], names: Sequence[str]) -> pd.DataFrame:
    rows = [
        (gradient, step, *point, 0.0, 0.0, distance)
        for gradient, points, distances in runs
        for step, (point, distance) in enumerate(zip(points, distances, strict=True))
    ]
    return pd.DataFrame(rows, columns=["gradient", "step", *names, "value", "gradient_norm", "distance"])


def contour(
    runs: Sequence[tuple[str, Sequence[Point], Sequence[float]]],
    function: Callable[[float, float], float] = bowl,
    *,
    names: Sequence[str] = ("x", "y"),
    half: float = 5.0,
) -> Contour:
    made = descent_contour(
        surface_table("f", function, half), descent(runs, names), names, title="<Descent>", identity="c"
    )
    assert made is not None
    return made


def still(points: Sequence[Point]) -> tuple[str, Sequence[Point], Sequence[float]]:
    return "exact", points, [0.0] * len(points)


def svg(made: Contour) -> ElementTree.Element:
    return ElementTree.fromstring(made.drawing.text)


def of_class(drawing: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [element for element in drawing.iter() if name in (element.get("class") or "").split()]


def frame_of(drawing: ElementTree.Element) -> tuple[float, float, float, float]:
    (box,) = of_class(drawing, "box")
    found = re.match(r"M([\d.]+),([\d.]+)H([\d.]+)V([\d.]+)H", absolute(box.get("d") or ""))
    assert found is not None
    left, top, right, bottom = map(float, found.groups())
    return left, right, top, bottom


def run_lines(drawing: ElementTree.Element, name: str) -> list[list[Point]]:
    """The lines of a run; the first one in its group is the sample in the legend."""
    (group,) = of_class(drawing, name)
    _, drawn = [element for element in group if element.get("class") == "line"]
    return polylines(drawn.get("d") or "")


WAY = [(-3 * 0.8**k, 4 * 0.8**k) for k in range(60)]
BOTH = [still(WAY), ("central", WAY, [k * (59 - k) * 1e-15 for k in range(60)])]


def test_both_runs_are_drawn_from_their_start_to_their_end() -> None:
    drawing = svg(contour(BOTH))
    left, right, top, bottom = frame_of(drawing)
    assert right - left == bottom - top

    def place(x: float, y: float) -> Point:
        return left + (x + 5) / 10 * (right - left), bottom - (y + 5) / 10 * (bottom - top)

    for name in ("exact", "s3"):
        (line,) = run_lines(drawing, name)
        assert math.dist(line[0], place(*WAY[0])) < 0.1
        assert max(distance(place(*point), line) for point in WAY) < 0.15
        assert math.dist(line[-1], place(*WAY[-1])) < 0.1
    (start,) = of_class(drawing, "start")
    assert math.dist((float(start.get("cx") or 0), float(start.get("cy") or 0)), place(*WAY[0])) < 0.1
    for name in ("cross", "best"):
        (end,) = of_class(drawing, name)
        x, y = re.findall(r"[\d.]+", end.get("d") or "")[:2]
        assert math.dist((float(x), float(y)), place(*WAY[-1])) < 0.1
    words = [element.text for element in drawing.iter("text")]
    assert {"start", "end", "along the exact gradient", "along the central difference", "x", "y"} <= set(words)


def test_the_words_say_how_far_apart_the_runs_are_and_after_how_many_steps() -> None:
    made = contour(BOTH)
    assert made.runs == [
        "exact, from (-3, 4): 59 steps, to (-5.75e-6, 7.66e-6), 5 away.",
        "central, from (-3, 4): 59 steps, to (-5.75e-6, 7.66e-6), 5 away. "
        "It ends 0 from the exact run; at most they are 8.7e-13 apart, at step 29.",
    ]
    same = contour([still(WAY), ("forward", WAY, [0.0] * 60)])
    assert same.runs[1].endswith("It is the exact run to the last bit.")
    apart = contour([still(WAY), ("forward", WAY, [1e-9 * k for k in range(60)])])
    assert apart.runs[1].endswith("It ends 5.9e-8 from the exact run, and is never farther from it.")


def test_the_level_lines_are_circles_of_the_values_that_are_listed() -> None:
    made = contour(BOTH)
    listed = re.search(r"one value: ([^:]*?)\.(?: |$)", " ".join(made.remarks))
    assert listed is not None
    levels = [float(level) for level in listed[1].split(", ")]
    drawing = svg(made)
    left, right, _, bottom = frame_of(drawing)
    scale = 10 / (right - left)
    (path,) = of_class(drawing, "level")
    found = set()
    for line in polylines(path.get("d") or ""):
        radii = [math.hypot((x - left) * scale - 5, (bottom - y) * scale - 5) for x, y in line]
        level = min(levels, key=lambda value: abs(math.sqrt(value) - max(radii)))
        found.add(level)
        # linear between nodes h = 1/2 apart: f is too low by at most h²·f″/8; and coordinates are rounded
        assert all(level - 1 / 16 - 0.01 * radius <= radius**2 <= level + 0.01 * (1 + radius) for radius in radii)
    assert found == set(levels)
    assert min(levels) < 1.5  # rings near the end
    labels = [float(element.text or "nan") for element in of_class(drawing, "level-names")[0]]
    assert len(labels) >= 3
    assert set(labels) <= set(levels)


def test_a_run_that_leaves_is_cut_off_at_the_edge() -> None:
    way = [(-3.0 * (-19.0) ** k, 4.0 * (-19.0) ** k) for k in range(101)]
    made = contour([still(way)], half=100.0)
    drawing = svg(made)
    left, right, top, bottom = frame_of(drawing)
    (line,) = run_lines(drawing, "exact")
    assert len(line) == 3
    for x, y in line:
        assert left - 0.1 <= x <= right + 0.1
        assert top - 0.1 <= y <= bottom + 0.1
    assert abs(line[-1][1] - top) < 0.11
    # the cut lies on the way from (57, -76) to (-1083, 1444)
    assert abs((line[-1][0] - left) / (right - left) * 200 - 100 + 75) < 0.2
    assert made.runs == [
        "exact, from (-3, 4): 100 steps, to (-2.25e128, 3e128), 3.75e128 away. It leaves the drawing at step 2."
    ]
    assert not of_class(drawing, "cross")
    assert "end" not in [element.text for element in drawing.iter("text")]


def test_a_run_that_is_not_finite_ends_there() -> None:
    way = [(1.0, 1.0), (2.0, 2.0), (math.inf, NAN), (NAN, NAN)]
    made = contour([still(way), ("central", way, [0.0, 1e-3, NAN, NAN])])
    assert made.runs == [
        "exact, from (1, 1): 3 steps; not finite from step 2 on.",
        "central, from (1, 1): 3 steps; not finite from step 2 on. It is at most 1e-3 from the exact run, at step 1.",
    ]
    (line,) = run_lines(svg(made), "exact")
    assert len(line) == 2
    assert "nan" not in made.drawing.text


def test_what_is_not_finite_is_shaded_and_said() -> None:
    made = contour([still([(1.0, 1.0), (2.0, 2.0)])], lambda x, y: math.log(x) + y * y if x > 0 else -math.inf)
    drawing = svg(made)
    left, right, _, _ = frame_of(drawing)
    edge = round(left + 11 / 20 * (right - left), 1)  # the first nodes where x > 0
    (hole,) = of_class(drawing, "hole")
    rows = re.findall(r"M([\d.]+),([\d.]+)H([\d.]+)V([\d.]+)H([\d.]+)z", absolute(hole.get("d") or ""))
    assert len(rows) == 20
    assert {(float(a), float(c), float(e)) for a, _, c, _, e in rows} == {(left, edge, left)}
    assert "Shaded: cells with a corner where f is not finite." in made.remarks
    assert not of_class(svg(contour(BOTH)), "hole")
    (path,) = of_class(drawing, "level")
    assert all(x >= edge - 0.1 for line in polylines(path.get("d") or "") for x, _ in line)


def test_a_constant_and_noise_have_no_lines_and_say_why() -> None:
    assert contour(BOTH, lambda x, y: 3.0).remarks[0] == "f is constant here: it has no level lines."
    chequered = contour(BOTH, lambda x, y: float(round(2 * x) % 2 == round(2 * y) % 2))
    assert chequered.remarks[0] == "No level lines: f changes too fast for the nodes of surfaces.csv."


def test_the_scales_of_the_axes_are_told() -> None:
    assert "Both axes have the same scale." in contour(BOTH).remarks
    wide = surface_table("f", bowl)
    wide["x"] *= 1000
    made = descent_contour(wide, descent(BOTH, "xy"), "xy", title="", identity="c")
    assert made is not None
    assert "The axes have different scales, so steps do not look perpendicular to the lines." in made.remarks
    words = [element.text for element in svg(made).iter("text")]
    assert {"-4000", "4000", "-4", "4"} <= set(words)


def test_a_reader_that_sees_nothing_is_told_the_same() -> None:
    made = contour(BOTH)
    drawing = svg(made)
    assert drawing.get("role") == "img"
    title, description = drawing[0], drawing[1]
    assert drawing.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == "<Descent>"
    assert description.text == " ".join([*made.runs, *made.remarks])


def test_runs_from_several_starts_stand_in_one_drawing() -> None:
    other = [(4.0, 1.0), (2.0, 0.5), (1.0, 0.25)]
    made = contour([*BOTH, still(other), ("central", other, [0.0, 0.0, 0.0])])
    assert [words.partition(":")[0] for words in made.runs] == [
        "exact, from (-3, 4)",
        "central, from (-3, 4)",
        "exact, from (4, 1)",
        "central, from (4, 1)",
    ]
    drawing = svg(made)
    assert len(of_class(drawing, "start")) == 2
    assert len(run_lines(drawing, "exact")) == 2
    many = contour([still([(1.0, 1.0), (k / 10, 0.0)]) for k in range(12)])
    assert len(many.runs) == 8
    assert "The first 8 of 12 runs; descent.csv has them all." in many.remarks


def test_names_are_text() -> None:
    evil = "<script>alert(1)</script>\"'&\u202e"
    way = [(1.0, 1.0), (0.0, 0.0)]
    made = contour([(evil, way, [0.0, 1.0])], names=(evil, evil + "2"))
    assert "<script" not in made.drawing.text
    assert "\u202e" not in made.drawing.text
    words = [element.text or "" for element in svg(made).iter("text")]
    assert [text for text in words if "<script>alert(1)" in text]


@pytest.mark.parametrize("surface", ["smooth", "noise", "holes", "waves"])
def test_a_drawing_stays_small(surface: str) -> None:
    dice = random.Random(1)
    functions: dict[str, Callable[[float, float], float]] = {
        "smooth": bowl,
        "noise": lambda x, y: dice.random(),
        "holes": lambda x, y: dice.choice([NAN, 1.0, 2.0, 3.0]),
        "waves": lambda x, y: math.sin(9 * x) * math.sin(8 * y),
    }
    nodes = [k / 3.2 - 5 for k in range(33)]
    f = functions[surface]
    table = pd.DataFrame([(x, y, f(x, y)) for x in nodes for y in nodes], columns=["x", "y", "value"])
    ways = [[(dice.uniform(-5, 5), dice.uniform(-5, 5)) for _ in range(1001)] for _ in range(8)]
    runs = [
        (name, way, [0.0] * 1001)
        for name, way in zip(["exact", "forward", "backward", "central"] * 2, ways, strict=True)
    ]
    made = descent_contour(table, descent(runs, "xy"), "xy", title="", identity="c")
    assert made is not None
    assert len(made.drawing.text.encode()) <= 25_000
    assert made.remarks[-1].startswith("Not drawn, but for the end: exact after step ")


@pytest.mark.thorough
def test_a_long_run_of_short_steps_is_drawn_whole() -> None:
    way = [(4 * math.cos(k / 500), 4 * math.sin(k / 500)) for k in range(3001)]
    made = contour([still(way)])
    assert made.remarks[-1] == "Both axes have the same scale."
    drawing = svg(made)
    left, right, _, bottom = frame_of(drawing)
    scale = (right - left) / 10
    (line,) = run_lines(drawing, "exact")
    assert max(distance((left + (x + 5) * scale, bottom - (y + 5) * scale), line) for x, y in way) < 0.25
    assert len(line) < 400


@pytest.mark.parametrize(
    "variables", [["x"], ["x", "y", "z"], ["x", "x"], ["x", "w"], []], ids=lambda names: ",".join(names) or "none"
)
def test_what_is_not_a_run_in_the_plane_is_not_drawn(variables: list[str]) -> None:
    assert descent_contour(surface_table("f", bowl), descent(BOTH, "xy"), variables, title="", identity="c") is None


def test_without_a_surface_or_a_run_there_is_no_drawing() -> None:
    surface, runs = surface_table("f", bowl), descent(BOTH, "xy")
    assert descent_contour(surface.iloc[:0], runs, "xy", title="", identity="c") is None
    assert descent_contour(surface, runs.iloc[:0], "xy", title="", identity="c") is None
    assert descent_contour(surface[surface["x"] == 0], runs, "xy", title="", identity="c") is None
    assert descent_contour(surface_table("f", bowl, 1e-300), runs, "xy", title="", identity="c") is None
