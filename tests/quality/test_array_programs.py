"""Programs of arrays that are drawn: values, rounding errors, slopes and verdicts beside NumPy on objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from diffcompare.arithmetic import array_balls, array_floats
from diffcompare.program import array_adjoint
from diffcompare.program.arrays import ArrayBuilder, ArrayNode
from diffcompare.verdict.array_identity import judge_arrays
from diffcompare.verdict.judgement import Left
from diffcompare.verdict.observation import state_of
from diffcompare.verdict.problem import Problem

from .array_drawing import STEPS, Drawn, draw
from .array_truth import TieError, complaints_about

# a gradient that is off by so much is found whatever decisions there are
_BUG = 1 + 2.0**-20


def complaints(drawn: Drawn, **options: Any) -> list[str]:
    try:
        return complaints_about(drawn.source, drawn.x, bitwise=False, **options, **drawn.names)
    except TieError:
        return []


def bad(seeds: range) -> list[str]:
    return [f"{seed}: {drawn}: {found}" for seed in seeds for drawn in [draw(seed)] for found in complaints(drawn)]


def test_drawn_programs_are_what_numpy_does() -> None:
    assert bad(range(80)) == []


@pytest.mark.thorough
@pytest.mark.parametrize("start", range(1000, 5000, 500))
def test_many_drawn_programs_are_what_numpy_does(start: int) -> None:
    assert bad(range(start, start + 500)) == []


def in_short_floats(seed: int) -> list[str]:
    drawn = draw(seed)
    source = drawn.source.replace("a0 = x", "a0 = x.astype(np.float32)")
    names = {k: v.astype(np.float32) if getattr(v, "dtype", None) == np.float64 else v for k, v in drawn.names.items()}
    short = Drawn(source, None, names, drawn.x, drawn.steps)
    return [f"{seed}: {drawn}: {found}" for found in complaints(short, real=False)]


def test_short_floats_have_short_errors() -> None:
    assert [line for seed in range(60) for line in in_short_floats(seed)] == []


def test_every_step_is_drawn() -> None:
    drawn = [draw(seed, back=back) for seed in range(80) for back in (False, True)]
    assert set(STEPS) == {name for d in drawn for name in d.steps}
    assert {d.x.ndim for d in drawn} == {1, 2, 3}


# --- verdicts --------------------------------------------------------------------------------------------------------


def problem(function: Callable[..., Any], gradient: Callable[..., Any], x: Any) -> Problem:
    names = tuple(f"x[{k}]" for k in range(x.size))
    return Problem(function, gradient, x.reshape(-1), lambda v: v.reshape(x.shape).copy(), np.ravel, names, None)


def words(drawn: Drawn, off: float = 1.0) -> set[str] | str:
    function, gradient = drawn.functions()

    def claimed(x: Any) -> Any:
        return gradient(x) * off

    pair = problem(function, gradient if off == 1.0 else claimed, drawn.x)
    found = judge_arrays(pair, state_of(pair))
    return found.reason if isinstance(found, Left) else set(found.status)


# of a point where the function is a constant, or has no derivative
_LEFT = ("cannot be told apart", "edge of the domain", "other numbers than the code")


def judged(seeds: range) -> tuple[list[str], int]:
    """List the false words on drawn gradients and on those with a bug, and count what is left open."""
    false, left = [], 0
    for seed in seeds:
        drawn = draw(seed, back=True)
        right, wrong = words(drawn), words(drawn, _BUG)
        if isinstance(right, str) or isinstance(wrong, str):
            left += 1
            false += [f"{seed}: {drawn}: {w}" for w in (right, wrong) if not any(reason in str(w) for reason in _LEFT)]
            continue
        with np.errstate(all="ignore"):
            slopes = drawn.functions()[1](drawn.x)
        expected = {"wrong"} if np.any(slopes) else {"consistent"}
        false += [f"{seed}: {drawn}: {right} of a right gradient"] if right != {"consistent"} else []
        false += (
            [f"{seed}: {drawn}: {wrong} of a wrong gradient"]
            if not expected <= wrong <= expected | {"consistent"}
            else []
        )
    return false, left


def test_verdicts_on_drawn_gradients_are_right() -> None:
    false, left = judged(range(40))
    assert false == []
    assert left == 0


@pytest.mark.thorough
@pytest.mark.parametrize("start", range(1000, 2000, 250))
def test_verdicts_on_many_drawn_gradients_are_right(start: int) -> None:
    false, left = judged(range(start, start + 250))
    assert false == []
    # one of a hundred
    assert left <= 5


# --- planted bugs ----------------------------------------------------------------------------------------------------


def seen(kinds: set[str], most: int = 600) -> bool:
    """Tell whether one of the first programs is complained about in one of these ways."""
    found: Iterator[str] = (line.partition(":")[0] for seed in range(most) for line in complaints(draw(seed)))
    return any(kind in kinds for kind in found)


@pytest.mark.thorough
@pytest.mark.parametrize("operation", array_adjoint._RULES)
def test_drawn_programs_see_a_bug_in_the_adjoint(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = array_adjoint._RULES[operation]

    def wrong(build: ArrayBuilder, index: int, node: ArrayNode, bar: int) -> Any:
        scale = build.constant(1 + 2.0**-30)
        return [(i, build.raw("multiply", scale, c)) for i, c in rule(build, index, node, bar)]

    monkeypatch.setitem(array_adjoint._RULES, operation, wrong)
    assert seen({"gradient"})


@pytest.mark.thorough
@pytest.mark.parametrize("place", ["balls", "floats"])
@pytest.mark.parametrize("operation", sorted(set(array_adjoint._RULES) - {"contract"}))
def test_drawn_programs_see_a_bug_in_an_operation(place: str, operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = {"balls": array_balls, "floats": array_floats}[place]

    def off(value: Any) -> Any:
        return np.asarray(value * (1 + 2.0**-20))

    if operation in module._OF_MATRICES:
        rule = module._OF_MATRICES[operation]
        monkeypatch.setitem(module._OF_MATRICES, operation, lambda *values: off(rule(*values)))
    else:
        rule = module.rearranged

        def wrong(node: ArrayNode, values: Any, zero: Any) -> Any:
            found = rule(node, values, zero)
            return off(found) if node.operation == operation else found

        monkeypatch.setattr(module, "rearranged", wrong)
    kinds = {"balls", "gradient"} if place == "balls" else {"program", "moved"}
    assert seen(kinds)
