"""The assertions: what they let pass, what they say when they fail, and that what they say can be run."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import unittest
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import diffcompare as dc
from diffcompare.testing import assertions
from diffcompare.testing.assertions import assert_gradient, assert_hessian, assert_jacobian
from diffcompare.testing.record import Observation, listening
from diffcompare.verdict.marks import Mark


def square(x: Any) -> Any:
    return np.sum(x**2)


def twice(x: Any) -> Any:
    return 2 * x


def once(x: Any) -> Any:
    return 1 * x


def message(f: Any, gradient: Any, at: Any, **options: Any) -> str:
    with pytest.raises(AssertionError) as failure:
        assert_gradient(f, gradient, at, **options)
    return str(failure.value)


def repeated(text: str, **scope: Any) -> dc.Verdict:
    """Run the code of a message, and return what it judged."""
    code = textwrap.dedent(text.partition("To repeat it:\n")[2])
    exec(code, scope)
    return scope["result"]


def test_a_right_gradient_passes_and_the_verdict_is_returned() -> None:
    verdict = assert_gradient(square, twice, [3.0, 4.0])
    assert verdict.ok
    assert verdict.resolution <= 2.0**-50


@pytest.mark.parametrize("at", [0.5, [3.0, 4.0], np.ones((2, 2))], ids=repr)
def test_a_wrong_gradient_fails_at_points_of_any_shape(at: Any) -> None:
    assert message(square, once, at).startswith("wrong: ")


def test_the_message_is_the_explanation_then_point_and_components() -> None:
    text = message(square, once, [3.0, 4.0])
    verdict = dc.check_gradient(square, once, [3.0, 4.0])
    assert text.startswith(verdict.explain())
    assert "\nCause: factor 2 missing" in text
    assert "\nResolution: " in text
    assert "\nat = [3.0, 4.0]\n" in text
    shown = text.partition("\nat = ")[2].splitlines()
    assert shown[1].split() == ["component", "claimed", "certified", "difference", "tolerance", "status"]
    assert shown[2].split() == ["x[1]", "4.0", "8.0", "-4.000e+00", "1.776e-15", "wrong"]
    assert shown[3].split() == ["x[0]", "3.0", "6.0", "-3.000e+00", "1.332e-15", "wrong"]


def test_the_message_draws_the_marked_places(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = Mark("gradient", "model.py", 7, 11, 7, 12, "x", "this is half of it", ("    return x",))
    judged = assertions.check_gradient
    monkeypatch.setattr(assertions, "check_gradient", lambda *a, **k: replace(judged(*a, **k), marks=(mark,)))
    lines = message(square, once, [3.0, 4.0]).splitlines()
    assert lines[1:5] == ["", "  model.py:7  return x", "                     ^ this is half of it", ""]


def test_of_many_components_the_worst_five_are_shown() -> None:
    text = message(square, lambda x: np.where(x > 6, 2.5, 2.0) * x, np.arange(1.0, 9.0))
    rows = [line.split()[0] for line in text.splitlines() if line.startswith("x[")]
    assert rows[:2] == ["x[7]", "x[6]"]
    assert len(rows) == 5
    assert "\nand 3 more components\n" in text


def elementwise(x: Any) -> Any:
    return np.sum(x**2, axis=-1)


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize(
    ("f", "gradient", "at", "options"),
    [
        (square, once, [0.1, 1e300], {}),
        (square, once, np.array([[1, 2], [3, 4]]), {}),
        (square, once, np.float64(1 / 3), {}),
        (square, once, np.float32(0.1), {}),
        (lambda p: np.sum(p["w"] ** 2) + p["b"], lambda p: {"w": p["w"], "b": 1.0}, {"w": np.ones(2), "b": 0.5}, {}),
        (lambda p: np.sum(p[0] ** 2) + p[1], lambda p: (p[0], 1.0), (np.ones(2), np.array(0.5)), {}),
        (lambda x, k: x**k, lambda x, k: x, 2.0, {"args": (3,)}),
        (lambda x, k: np.sum(k * x), lambda x, k: x, np.ones(2), {"args": (np.array([0.1, -0.0]),)}),
        (lambda x, _: x**2, lambda x, _: x, 2.0, {"args": ({"inf": -np.inf, "nan": np.nan, "no": None},)}),
        (square, once, 2.0, {"box": (1.0, np.inf), "noise": 1e-9, "formula": "x**2"}),
        (square, once, 2.0, {"formula": dc.parse("t**2")}),
        (abs, np.sign, 0.0, {}),
    ],
)  # fmt: skip
def test_the_code_of_the_message_runs_and_comes_to_the_same_verdict(
    f: Any, gradient: Any, at: Any, options: dict[str, Any]
) -> None:
    text = message(f, gradient, at, **options)
    assert "f and gradient as in the test" in text
    assert repeated(text, f=f, gradient=gradient).explain() == dc.check_gradient(f, gradient, at, **options).explain()


def test_a_builtin_branches_nowhere_in_the_code_of_the_test() -> None:
    # the line that called for the check was said to branch
    text = dc.check_gradient(abs, np.sign, 0.0).explain()
    assert "has another value or slope on the other side: the function.\n" in text
    assert "line" not in text


@pytest.mark.thorough
def test_what_is_no_data_goes_into_the_code_by_its_name() -> None:
    args, at = (np.sin,), np.linspace(0.0, 1.0, 500)

    def f(x: Any, function: Callable[..., Any]) -> Any:
        return np.sum(function(x))

    def gradient(x: Any, function: Callable[..., Any]) -> Any:
        return function(x)

    text = message(f, gradient, at, args=args)
    assert "# f, gradient, at and args as in the test" in text
    assert repeated(text, f=f, gradient=gradient, at=at, args=args).status == "wrong"
    assert len(text) < 3000


def test_of_several_points_the_one_that_fails_is_repeated() -> None:
    def gradient(x: Any) -> Any:
        return np.where(x[0] > 2, 1.0, 2.0) * x

    points = np.array([[1.0, 2.0], [3.0, 4.0], [0.5, 0.5]])
    text = message(elementwise, gradient, points)
    assert "\nat = np.array([3.0, 4.0])\n" in text
    assert len(repeated(text, f=elementwise, gradient=gradient).components) == 2


@pytest.mark.parametrize(
    ("f", "gradient", "at", "status"),
    [
        (abs, np.sign, 0.0, "non-smooth"),
        (np.sqrt, lambda x: 0.5 / np.sqrt(x), -1.0, "out-of-domain"),
        (lambda x: float(np.random.default_rng().normal()) + x, lambda x: 1.0, 1.0, "inconclusive"),
    ],
)
def test_every_status_but_consistent_fails(f: Any, gradient: Any, at: float, status: str) -> None:
    assert message(f, gradient, at).startswith(f"{status}: ")


def test_bad_arguments_are_errors_and_no_failures() -> None:
    with pytest.raises(TypeError, match=r"^gradient=3\.0: must be callable"):
        assert_gradient(square, 3.0, 1.0)  # type: ignore[arg-type]


def test_a_listener_hears_of_passes_and_of_failures() -> None:
    heard: list[Observation] = []
    with listening(heard.append):
        passed = assert_gradient(square, twice, 1.0)
        message(square, once, 1.0)
    assert [(o.kind, o.data.status) for o in heard] == [("gradient", "consistent"), ("gradient", "wrong")]
    assert heard[0].data is passed


def test_the_frames_of_the_assertion_are_hidden_from_pytest() -> None:
    with pytest.raises(AssertionError) as failure:
        assert_gradient(square, once, 1.0)
    hidden = [entry.frame.code.name for entry in failure.traceback if entry.ishidden(failure)]
    assert hidden == ["assert_gradient", "_assert_verdict"]


def test_hypothesis_is_steered_by_the_difference_over_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    monkeypatch.setattr(hypothesis, "target", lambda ratio, *, label: told.append(ratio))

    # what is wrong takes a search for its place
    @hypothesis.settings(max_examples=5, database=None, derandomize=True, deadline=None)
    @hypothesis.given(st.floats(1.0, 2.0))
    def run(x: float) -> None:
        assert_gradient(square, twice, x)
        message(square, lambda x: x * (2 + 2.0**-40), x)

    assert_gradient(square, twice, 1.0)
    assert told == []
    run()
    assert set(told[::2]) == {0.0}
    assert min(told[1::2]) > 1
    assert max(told) <= 1e9


def test_two_comparisons_in_one_example_do_not_disturb_hypothesis() -> None:
    @hypothesis.settings(max_examples=5, database=None, derandomize=True)
    @hypothesis.given(st.floats(1.0, 2.0))
    def run(x: float) -> None:
        assert_gradient(square, twice, x)
        assert_gradient(square, twice, x)

    run()


@pytest.mark.thorough
def test_hypothesis_shrinks_to_the_simplest_point_that_fails() -> None:
    @hypothesis.settings(max_examples=200, database=None, derandomize=True)
    @hypothesis.given(st.floats(-1e3, 1e3))
    def run(x: float) -> None:
        assert_gradient(square, lambda x: 2 * x if x < 100 else 2.001 * x, x)

    with pytest.raises(AssertionError, match=r"at = 100\.0"):
        run()


@pytest.mark.thorough
def test_no_hypothesis_is_imported_for_an_assertion() -> None:
    script = """
import sys
from diffcompare.testing.assertions import assert_gradient, assert_hessian, assert_jacobian
assert_gradient(lambda x: x**2, lambda x: 2 * x, 1.0)
print("hypothesis" in sys.modules, "pytest" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


class TestUnittestStyle(unittest.TestCase):
    def test_right_and_wrong(self) -> None:
        assert_gradient(square, twice, [1.0, 2.0])
        with pytest.raises(AssertionError):
            assert_gradient(square, once, [1.0, 2.0])


def sine_wrong(x: Any) -> Any:
    return np.cos(x) if x < 2.99 else -np.cos(x)


def test_a_box_without_a_point_is_searched() -> None:
    heard: list[Observation] = []
    with listening(heard.append):
        assert assert_gradient(np.sin, np.cos, box=(-3.0, 3.0)).ok
        text = message(np.sin, sine_wrong, None, box=(-3.0, 3.0))
    assert text.startswith("wrong: ")
    assert " points were tried by calls: " in text
    assert [o.kind for o in heard] == ["worst", "worst"]
    again = repeated(text, f=np.sin, gradient=sine_wrong)
    assert again.status == "wrong"
    assert float(text.partition("\nat = ")[2].split()[0]) >= 2.99


def test_a_point_with_a_box_is_checked_there_alone() -> None:
    assert assert_gradient(np.sin, sine_wrong, 1.0, box=(-3.0, 3.0)).ok


def test_neither_point_nor_box_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"^at=None and box=None: pass a point to check at, or a box"):
        assert_gradient(np.sin, np.cos)


@pytest.mark.parametrize(
    ("check", "name", "f", "right"),
    [
        (
            assert_jacobian,
            "jacobian",
            lambda x: np.array([x[0] * x[1], x[0]]),
            lambda x: np.array([[x[1], x[0]], [1, 0]]),
        ),
        (
            assert_hessian,
            "hessian",
            lambda x: x[0] * x[1] ** 2,
            lambda x: np.array([[0, 2 * x[1]], [2 * x[1], 2 * x[0]]]),
        ),
    ],
    ids=["jacobian", "hessian"],
)
def test_matrices_pass_or_fail_with_code_that_repeats_it(check: Any, name: str, f: Any, right: Any) -> None:
    def wrong(x: Any) -> Any:
        return 3 * right(x)

    assert check(f, right, [3.0, 4.0]).ok
    heard: list[Observation] = []
    with listening(heard.append), pytest.raises(AssertionError) as failure:
        check(f, wrong, [3.0, 4.0])
    assert [o.kind for o in heard] == [name]
    assert repeated(str(failure.value), f=f, **{name: wrong}).status == "wrong"
