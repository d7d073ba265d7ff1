"""The function as witness against its gradient, with no formula.

The gradients are those of ``test_neighbours``. Scores (``pytest -s`` prints them):

- EASY: no false alarm of 20, 179 of 179 bugs;
- HARD: no false alarm of 43, 16 inconclusive (values too noisy, poles, saturation), 203 of 304 bugs;
- FRESH, first run: no false alarm of 40, 4 inconclusive, 308 of 345 bugs; now 2 and 317.

1,030 right gradients at points drawn around these gave 2 false alarms at first (an unshifted softmax, saturated so that
the function is 0); 5,300 drawn since gave none. 5,200 right gradients of functions with kinks, steps, needles, noise
and rounding nearby gave 323 at first: 303 of a function with up to 10⁵ small steps, 19 of values rounded to 2 digits, 1
of a network with corners; 5,200 drawn after the last change gave none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import diffcompare as dc
from diffcompare.verdict.directions import _persistent
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.observation import observe, state_of
from diffcompare.verdict.probing import carried_unit, polynomial_residual, uneven_steps
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.witness import judge_by_witness

from .test_neighbours import EASY, FRESH, HARD, Case, score, worst

Array = Any


def posed(function: Any, gradient: Any, point: Any, **options: Any) -> Problem:
    x = np.array(point, dtype=np.float64)
    names = tuple(f"x[{i}]" for i in range(x.size))
    return Problem(function, gradient, x, np.copy, np.asarray, names, None, **options)


def judged(function: Any, gradient: Any, point: Any, **options: Any) -> Judgement:
    judgement = judge_by_witness(posed(function, gradient, point, **options))
    assert judgement is not None
    return judgement


def square(x: Array) -> Any:
    return x @ x


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("cases", "most_inconclusive", "least_found"), [(EASY, 0, 177), (HARD, 20, 190), (FRESH, 5, 305)]
)
def test_no_right_gradient_is_called_wrong_and_bugs_are(
    cases: tuple[Case, ...], most_inconclusive: int, least_found: int
) -> None:
    found = score(cases, judge_by_witness)
    print(found)
    assert found.alarms == ()
    assert found.broken == ()
    assert len(found.unclear) <= most_inconclusive
    assert found.found >= least_found


def test_the_evidence_is_told_and_nothing_is_certified() -> None:
    judgement = judged(square, lambda x: 2 * x, [3.0, 4.0])
    assert (judgement.evidence, judgement.blame) == ("witness", None)
    assert np.isnan(judgement.certified).all()
    assert (judgement.threshold <= 1e-6).all()


def rough(seed: int) -> list[tuple[str, Callable[[Array], Any], Callable[[Array], Any], Array]]:
    """Functions that are not smooth near the point, with their right gradients at it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=3)
    A, b, w = rng.normal(size=(12, 3)), rng.normal(size=12), rng.normal(size=12)
    c = x * (1 + rng.uniform(-0.2, 0.2, 3) * 10.0 ** rng.uniform(-6, 0))
    many, digits, size = 10.0 ** rng.integers(0, 6), int(rng.integers(2, 9)), 10.0 ** rng.uniform(-12, -4)

    def noise(x: Array) -> float:
        return float(size * np.random.default_rng(abs(hash(x.tobytes())) % 2**32).normal())

    def needle(x: Array) -> Array:
        return np.exp(-(((x - c) * 1e4) ** 2))

    return [
        ("network", lambda x: w @ np.maximum(A @ x + b, 0), lambda x: A.T @ (w * (A @ x + b > 0)), x),
        ("kinks", lambda x: np.abs(x - c).sum() + x @ x, lambda x: np.sign(x - c) + 2 * x, x),
        ("floor", lambda x: np.sin(x).sum() + np.floor(many * x).sum() / many, np.cos, x),
        ("step", lambda x: np.sin(x).sum() + 3 * (x[0] > c[0]), np.cos, x),
        ("round", lambda x: round(float(np.sin(x).sum()), digits), np.cos, x),
        ("needle", lambda x: np.sin(x).sum() + needle(x).sum(), lambda x: np.cos(x) - 2e8 * needle(x) * (x - c), x),
        ("sorted", lambda x: np.sort(x) @ np.arange(3), lambda x: np.argsort(np.argsort(x)).astype(float), x),
        ("noise", lambda x: np.sin(x).sum() + noise(x), np.cos, x),
        ("wave", lambda x: np.sin(x / size).sum(), lambda x: np.cos(x / size) / size, x),
        ("smoothed", lambda x: np.sqrt(x * x + size**2).sum(), lambda x: x / np.sqrt(x * x + size**2), x * 1e-4),
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(12))
def test_what_is_rough_near_the_point_is_no_bug(seed: int) -> None:
    alarms = [name for name, f, g, x in rough(seed) if worst(judge_by_witness(posed(f, g, x))) == "wrong"]
    assert alarms == []


def test_a_kink_is_told_with_the_slopes_on_both_sides() -> None:
    judgement = judged(lambda x: abs(x[0]) + x[1] ** 2, lambda x: np.array([1.0, 2 * x[1]]), [0.0, 1.0])
    assert judgement.status[0] == "non-smooth"
    assert any("-1 and 1" in note for note in judgement.notes)


def test_a_kink_beside_the_point_is_none_at_the_point() -> None:
    judgement = judged(lambda x: abs(x[0] - 1), lambda x: np.sign(x - 1), [1 + 1e-9])
    assert judgement.status == ("inconclusive",)


@pytest.mark.parametrize("own", [0.0, 2.0**-53, 1e-3])
def test_a_component_is_judged_by_its_own_claim_and_by_the_function(own: float) -> None:
    # beside a claim that is nan nothing told the size of the gradient
    def f(x: Array) -> Any:
        return 0.7 + np.sin(x[1]) + 0 * x[0]

    words = {
        judged(f, lambda x, factor=factor: np.array([own * x[0], factor * np.cos(x[1])]), [0.3, 0.4]).status[0]
        for factor in (1.0, 3.0, math.nan)
    }
    assert words == {"wrong" if own == 1e-3 else "consistent"}


@pytest.mark.parametrize("factors", [(1.0, 1.0), (-5.0, 1.0), (1.0, -5.0), (1.0, 1.01), (0.0, 1.0)])
def test_components_of_other_units_are_each_judged_in_their_own(factors: tuple[float, float]) -> None:
    # a slope of 1e-5 for each of 1e5 is no rounding beside one of 1e8 for each of 1e-8
    def product(x: Array) -> Any:
        return 1e3 * np.exp(-1e-3 / (x[0] * x[1]))

    def apart(x: Array) -> Any:
        return (1e5 * x[0]) ** 2 + np.log(x[1])

    expected = tuple("consistent" if factor == 1 else "wrong" for factor in factors)
    point = [1e5, 1e-8]
    assert judged(product, lambda x: product(x) / (x[0] * x[1]) * 1e-3 / x * factors, point).status == expected
    assert judged(apart, lambda x: np.array([2e10 * x[0], 1 / x[1]]) * factors, [3e-5, 2e5]).status == expected


@pytest.mark.parametrize("factor", [1.0, 1.0001])
def test_jumps_that_larger_steps_reach_are_no_bug(factor: float) -> None:
    # one jump at the smaller of two steps and two at the larger were taken for an error that stays
    def jumping(x: Array) -> Any:
        return np.fmod(x, 1.5) @ np.fmod(x, 1.5) - np.exp2(x).sum()

    def right(x: Array) -> Array:
        return 2 * np.fmod(x, 1.5) - np.exp2(x) * np.log(2.0)

    judgement = judged(jumping, lambda x: factor * right(x), [25.0, 5.0])
    assert judgement.status[0] == ("consistent" if factor == 1 else "wrong")
    assert judgement.status[1] != "wrong" or factor != 1


def test_a_claim_between_the_slopes_of_two_sides_is_not_called_wrong() -> None:
    # x·log(x) on one side: its slopes differ from step to step, so that no kink is seen
    def kinked(x: Array) -> Any:
        t = x[0] - 2.5
        return 2 * t if t <= 0 else t * np.log(t) - t

    assert judged(kinked, lambda x: 0 * x, [2.5]).status == ("inconclusive",)
    assert judged(kinked, lambda x: 0 * x + 3, [2.5]).status == ("wrong",)


def test_a_tiny_coordinate_is_no_scale_of_a_function_that_is_claimed_constant() -> None:
    assert judged(lambda x: np.exp(x[0]), lambda x: 0 * x, [5e-228]).status == ("inconclusive",)


@pytest.mark.parametrize("noise", [1e-4, 1e-8])
def test_a_stated_noise_sets_the_resolution(noise: float) -> None:
    fine = judged(square, lambda x: 2 * x, [3.0, 4.0])
    coarse = judged(square, lambda x: 2 * x, [3.0, 4.0], noise=noise)
    assert (coarse.threshold > fine.threshold).all()
    assert "wrong" not in judged(square, lambda x: 2 * x + noise / 4, [3.0, 4.0], noise=noise).status


def test_a_function_outside_its_domain() -> None:
    assert judged(lambda x: np.log(x[0]), lambda x: 1 / x, [-1.0]).status == ("out-of-domain",)


def test_a_constant_function_has_the_gradient_zero() -> None:
    assert judged(lambda x: 3.0, lambda x: 0 * x, [1.0, 2.0]).status == ("consistent", "consistent")
    assert judged(lambda x: 3.0, lambda x: 0 * x + 1, [1.0, 2.0]).status == ("wrong", "wrong")


@pytest.mark.parametrize(("factor", "expected"), [(2e-320, "inconclusive"), (1e-320, "wrong")])
def test_a_subnormal_function_is_judged(factor: float, expected: str) -> None:
    judgement = judged(lambda x: (1e-320 * x * x).sum(), lambda x: factor * x, [1.5, 0.0])
    assert judgement.status[0] == expected


@pytest.mark.parametrize(("scale", "point"), [(2.7e-322, [0.2146591225063409, 0.0]), (1.3e-322, [0.9079779107107238])])
def test_the_rounding_of_subnormal_values_is_no_bug(scale: float, point: list[float]) -> None:
    assert worst(judged(lambda x: (scale * np.sin(x)).sum(), lambda x: scale * np.cos(x), point)) != "wrong"
    assert worst(judged(lambda x: (scale * np.exp(x)).sum(), lambda x: scale * np.exp(x), point)) != "wrong"


def test_not_a_number_where_the_function_has_a_slope_is_wrong() -> None:
    assert judged(square, lambda x: x * np.nan, [1.0, 2.0]).status == ("wrong", "wrong")


@pytest.mark.parametrize(
    "gradient", [lambda x: x[:1], lambda x: x.__imul__(2), lambda x: 2 * x + np.random.default_rng().normal()]
)
def test_faults_beside_the_value_are_wrong(gradient: Any) -> None:
    seen = observe(posed(square, gradient, [1.0, 2.0]))
    assert isinstance(seen, Judgement)
    assert worst(seen) == "wrong"


@pytest.mark.parametrize(("factor", "expected"), [(2.0, "consistent"), (2.002, "wrong")])
@pytest.mark.parametrize("room", [0.0, 1e-9, 1e-3])
def test_no_evaluation_leaves_the_box(room: float, factor: float, expected: str) -> None:
    x = np.array([2.0, 3.0])
    box = (x - room, x + np.array([1e-6, 5.0]))
    seen: list[Array] = []

    def f(p: Array) -> Any:
        seen.append(p.copy())
        return square(p)

    def g(p: Array) -> Array:
        seen.append(p.copy())
        return factor * p

    assert judged(f, g, x, box=box).status[1] == expected
    points = np.array(seen)
    assert (points >= box[0]).all()
    assert (points <= box[1]).all()


def test_many_variables_are_judged_by_directions() -> None:
    rng = np.random.default_rng(0)
    A, x = rng.normal(size=(50, 400)), rng.normal(size=400)

    def f(x: Array) -> float:
        return float(0.5 * np.sum((A @ x) ** 2))

    def bug(x: Array) -> Array:
        g = A.T @ (A @ x)
        g[137] *= 1.001
        return g

    right = judged(f, lambda x: A.T @ (A @ x), x)
    assert set(right.status) == {"consistent"}
    assert any("random directions" in note for note in right.notes)
    wrong = judged(f, bug, x)
    assert [i for i, status in enumerate(wrong.status) if status == "wrong"] == [137]


def test_the_residual_of_a_fit_is_the_scatter() -> None:
    t = uneven_steps(11)
    values = np.stack([1e15 + t**5, 1e-200 * (t + 1e-3 * (-1.0) ** np.arange(11))], axis=1)
    spread, centre = polynomial_residual(t, values, 5)
    assert spread[0] <= 0.25
    assert 5e-204 < spread[1] < 2e-203
    assert abs(centre[0] - 1e15) <= 0.25


@pytest.mark.parametrize(("dtype", "unit"), [(np.float64, 2.0**-53), (np.float32, 2.0**-24), (np.float16, 2.0**-11)])
def test_the_format_that_values_went_through_is_seen(dtype: Any, unit: float) -> None:
    values = np.exp(np.linspace(0.0, 0.01, 8) * (1 if dtype is not np.float16 else 100)).astype(dtype)
    assert carried_unit(values.astype(np.float64), 2.0**-53) == unit


def test_a_cancelled_difference_is_not_taken_for_a_narrow_format() -> None:
    assert carried_unit(1 - np.cos(np.linspace(1e-5, 1.01e-5, 8)), 2.0**-53) == 2.0**-53


def test_what_the_gradient_raises_at_the_point_is_raised() -> None:
    def failing(x: Array) -> Array:
        raise ZeroDivisionError("at the point")

    with pytest.raises(ZeroDivisionError, match="at the point"):
        state_of(posed(square, failing, [1.0, 2.0]))


def test_a_bug_is_measured() -> None:
    judgement = judged(square, lambda x: 2 * x + 0.25, [3.0, 4.0])
    assert judgement.status == ("wrong", "wrong")
    assert judgement.blame == "gradient"
    assert max(abs(judgement.difference - 0.25)) < 1e-8


@pytest.mark.parametrize("w", [30.0, 40.0, 60.0])
def test_a_step_that_the_quadrature_cannot_resolve_says_nothing(w: float) -> None:
    # at the larger steps the integral of the gradient is wrong by more than all noise, and that is known
    found = judged(lambda x: np.arctan(w * (x[0] - 1)), lambda x: w / (1 + (w * (x - 1)) ** 2), [1 + 1 / w])
    assert found.status == ("consistent",)


def sines(x: Array) -> Any:
    return np.sin(x).sum()


# name: a function whose scale in x[1] is 1, or that of x[1] itself, its gradient, and points
SMALL: dict[str, tuple[Callable[[Array], Any], Callable[[Array], Any]]] = {
    "sin": (sines, np.cos),
    "x[0]**2 + sin(x[1])": (lambda x: x[0] ** 2 + np.sin(x[1:]).sum(), lambda x: np.r_[2 * x[0], np.cos(x[1:])]),
    "exp of the sum": (lambda x: np.exp(x.sum()), lambda x: np.full(x.size, np.exp(x.sum()))),
    "softmax": (lambda x: np.log(np.exp(x).sum()), lambda x: np.exp(x) / np.exp(x).sum()),
    "log(x[1])": (lambda x: x[0] + np.log(x[1]) + x[2] ** 2, lambda x: np.array([1.0, 1 / x[1], 2 * x[2]])),
}


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("small", [1e-4, 1e-12, 5e-228, 1e-310, 5e-324])
@pytest.mark.parametrize("name", SMALL)
def test_a_coordinate_far_smaller_than_the_others_is_judged(name: str, small: float) -> None:
    f, g = SMALL[name]
    if name == "log(x[1])" and small < 1e-308:
        pytest.skip("the derivative is no float")
    assert judged(f, g, [0.5, small, 0.5]).status == ("consistent",) * 3
    bug = judged(f, lambda x: g(x) * np.array([1.0, 1.1, 1.0]), [0.5, small, 0.5])
    assert bug.status == ("consistent", "wrong", "consistent")


def test_the_scale_of_the_coordinate_itself_is_tried_too() -> None:
    def f(x: Array) -> Any:
        return x[0] + np.sin(1e12 * x[1]) / 1e12

    found = judged(f, lambda x: np.array([1.0, 1.1 * np.cos(1e12 * x[1])]), [0.5, 1e-12])
    assert found.status == ("consistent", "wrong")


@pytest.mark.thorough
@pytest.mark.parametrize("point", [[1e12, 0.5], [1e8, 1e-8, 3.0], [1e12, 1e-12, 1.0], [0.0, 1e-12, 0.5]])
def test_a_coordinate_far_larger_than_the_scale_of_the_function_is_judged(point: list[float]) -> None:
    assert worst(judged(sines, np.cos, point)) in ("consistent", "inconclusive")
    bug = judged(sines, lambda x: np.cos(x) * np.r_[1.0, 1.1, np.ones(x.size - 2)], point)
    assert bug.status[1] == "wrong"


@pytest.mark.parametrize("digits", [2, 6, 9])
def test_values_that_are_rounded_do_not_contradict_on_another_scale(digits: int) -> None:
    # constant where a coordinate of 1e-9 moves: that says nothing of the slope
    found = judged(lambda x: round(float(np.sin(x).sum()), digits), np.cos, [1e-9, 0.7])
    assert "wrong" not in found.status


@pytest.mark.parametrize("many", [1e3, 1e6, 1e8])
def test_small_steps_do_not_contradict_on_another_scale(many: float) -> None:
    found = judged(lambda x: np.sin(x).sum() + np.floor(many * x).sum() / many, np.cos, [5.9e-8, 0.3])
    assert found.status[0] != "wrong"


def test_a_kink_between_the_point_and_a_larger_scale_is_no_bug() -> None:
    # the slope is right at 1e-12, and another beyond 0
    found = judged(lambda x: x[0] ** 2 + abs(x[1]), lambda x: np.array([2 * x[0], 1.0]), [0.5, 1e-12])
    assert found.status[1] != "wrong"


def test_a_claim_that_holds_nearby_but_not_at_the_point_is_not_consistent() -> None:
    def g(x: Array) -> Array:
        return np.cos(x) * np.where(x == 1e-12, 1.5, 1.0)

    assert judged(sines, g, [0.5, 1e-12]).status[1] != "consistent"


@pytest.mark.thorough
@pytest.mark.parametrize("small", [1e-12, 5e-228])
def test_a_small_coordinate_among_many_is_judged_by_its_axis(small: float) -> None:
    # the random directions move it by nothing
    x = np.random.default_rng(0).uniform(1, 2, 300)
    x[137] = small
    assert judged(sines, np.cos, x).status[137] == "consistent"

    def bug(x: Array) -> Array:
        return np.cos(x) * np.where(np.arange(300) == 137, 1.1, 1.0)

    assert judged(sines, bug, x).status[137] == "wrong"
    everywhere = np.where(np.arange(300) % 2, x, small)
    found = judged(sines, bug, everywhere)
    assert np.isfinite(found.threshold[np.array(found.status) == "consistent"]).all()
    assert "inconclusive" in found.status


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_error_persists_on_either_side_of_zero(sign: float) -> None:
    def kept(errors: list[float], bar: float = 0.01) -> float | None:
        return _persistent([(sign * error, bar) for error in errors], 1e-8)

    # a bug stays as it is while h is halved; a jump grows like 1/h
    assert kept([1.0, 1.1]) == sign * 1.1
    assert kept([1.0, 2.0]) is None
    # what is linear in h is left out: err(h) = 1 + 7·h for h = 1, 1/2, 1/4
    assert kept([8.0, 4.5, 2.75]) == sign * 1.0
    assert kept([1.0, 2.0, 4.0]) is None
    # 1.5 and 0.9 differ by too much; without what is linear 0.3 is left, which must be more than three bars
    assert kept([2.7, 1.5, 0.9], bar=0.05) == sign * (2 * 0.9 - 1.5)
    assert kept([2.7, 1.5, 0.9], bar=0.11) is None
    # nothing persists that is below its bar, or below what is never called wrong
    assert kept([1.0, 1.0], bar=1.0) is None
    assert _persistent([(sign * 1e-9, 0.0), (sign * 1e-9, 0.0)], 1e-8) is None


def test_a_trace_that_has_no_value_tells_nothing_of_the_sides() -> None:
    # SciPy fills the gap of (eˣ − 1)/x at 0, a trace does not
    def f(x: Any) -> Any:
        return special.exprel(x[0] - 0.5) + x[1] ** 2

    def opaque(x: Any) -> Any:
        return np.array([float(repr(float(v))) for v in (0.5, 2 * x[1])])

    assert dc.check_gradient(f, opaque, np.array([0.5, 1.0])).status == "consistent"
    assert dc.check_gradient(f, lambda x: 1.01 * opaque(x), np.array([0.5, 1.0])).status == "wrong"


def test_what_is_wrong_is_off_by_more_than_its_threshold() -> None:
    # at larger steps the error has a part that is linear in the step, and is above the bars by that alone
    weights = np.array([0.4, 2.91, -1.79, -1.45])

    def f(x: Any) -> Any:
        value = special.gamma(x)
        beyond = 4.685**2 / 6 * (1 - np.maximum(1 - (value / 4.685) ** 2, 0.0) ** 3)
        return float(repr(float(weights @ (beyond - x))))

    def gradient(x: Any) -> Any:
        value = special.gamma(x)
        slope = value * np.maximum(1 - (value / 4.685) ** 2, 0.0) ** 2
        return np.array([float(repr(float(v))) for v in weights * (slope * value * special.psi(x) - 1)])

    at = np.array([-2.26, 0.52, -2.65, -1.21])
    verdict = dc.check_gradient(f, lambda x: gradient(x) * [1, 1, 1, 1.001], at)
    assert verdict.components["status"].tolist() == ["consistent"] * 3 + ["wrong"]
    assert verdict.components["threshold"][3] < 0.001 * abs(gradient(at)[3])
    assert _persistent([(1.8, 1.5), (1.36, 1.0)], 0.0) is None
    # noise may have added a tenth to both
    assert _persistent([(1.1, 1.0), (1.1, 1.0)], 0.0) is None


@pytest.mark.parametrize(("factor", "word"), [(1.0, "consistent"), (1.5, "wrong")])
def test_a_jump_along_another_axis_is_no_noise(factor: float, word: str) -> None:
    def f(x: Any) -> Any:
        many = np.trunc(-37.3 * x[1] - 287.0)
        return float(repr(float((5.0 if x[0] < 1 else 0.0) - many + x[1] ** 2)))

    def gradient(x: Any) -> Any:
        return np.array([0.0, float(repr(float(factor * 2 * x[1])))])

    assert dc.check_gradient(f, gradient, np.array([1.0, -8.0])).components["status"].tolist() == ["inconclusive", word]


def test_a_jump_along_another_axis_is_no_size() -> None:
    # f jumps by 1 along x[0], and has no value on its other side; along the others its slopes are about 1e-7
    def f(x: Any) -> Any:
        u = x[0] + 0.07
        return float(repr(float(1e-7 * (x[1] - 2 * x[2] - 5.08) + (np.sqrt(u) if u <= 0 else np.exp(u)))))

    def words(claim: Any) -> list[str]:
        verdict = dc.check_gradient(f, lambda x: claim + 0 * np.frombuffer(x.tobytes()), [-0.07, 0.74, -2.17])
        return list(verdict.components["status"][1:])

    assert words(np.array([0.0, 1e-7, -2e-7])) == ["consistent"] * 2
    assert "wrong" in words(np.zeros(3))
    assert "consistent" not in words(np.zeros(3))


def test_what_jumps_at_the_point_is_not_judged_by_larger_steps() -> None:
    def f(x: Any) -> Any:
        return float(repr(float(np.remainder(x[1], 2.0**0.5))))

    verdict = dc.check_gradient(f, lambda x: np.array([0.0, float(repr(1.0))]), np.array([1e150, 0.0]))
    assert verdict.components["status"][1] == "inconclusive"


@pytest.mark.parametrize(("slope", "word"), [(1.0, "consistent"), (1.5, "wrong")])
def test_noise_of_the_value_at_the_point_is_no_jump(slope: float, word: str) -> None:
    # nowhere is the noise larger than at the point, where a difference quotient grows with 1/h on both sides
    def f(x: Any) -> Any:
        return float(repr(float(x[0] + 1e-12 * np.cos(1.3e14 * (x[0] - 1)) ** 9)))

    verdict = dc.check_gradient(f, lambda x: slope + 0 * np.frombuffer(x.tobytes()), [1.0])
    assert verdict.components["status"].tolist() == [word]
    assert not any("jumps" in note for note in verdict.notes)


def test_the_size_of_another_coordinate_is_no_rounding_of_the_value() -> None:
    # multiples of 2⁻⁵³ are no few units of numbers of 1e150: x[1] was moved by 1e149
    def f(x: Array) -> Any:
        rest = np.remainder(x[1], np.sqrt(2))
        return max(x[0] * np.pi / 180, 0.0) / 3 + np.clip(x[0] - 1.0, -1.0, 1.0) - np.log(np.exp(rest) + np.exp(rest))

    found = judged(f, lambda x: np.array([1.0, -1.0, 0.0]), [0.0, 0.1, 1e150])
    assert found.status == ("non-smooth", "consistent", "consistent")


@pytest.mark.parametrize(
    ("point", "word"),
    [
        ((0.0, 5e-228, 1e-5), "inconclusive"),
        ((1.0, 1 + 1e-13, 2.0), "inconclusive"),
        ((1.0, 1.0, 1e-20), "non-smooth"),
    ],
)
def test_a_kink_that_may_lie_beside_the_point_is_left_open(point: tuple[float, ...], word: str) -> None:
    found = judged(lambda x: min(x[0], x[1]), lambda x: np.array([1.0, 0.0, 0.0]), point)
    assert found.status[0] == word


def test_a_step_over_a_whole_period_hides_no_factor() -> None:
    # the sum of sinc is 0 at both ends of a step of 1, and so is the integral of what is off
    x = np.array([-17.0, 8.0])

    def gradient(x: Array) -> Array:
        return (np.cos(np.pi * x) - np.sinc(x)) / x

    def f(x: Array) -> Any:
        return np.sinc(x).sum()

    assert judged(f, gradient, x).status == ("consistent",) * 2
    assert judged(f, lambda x: 1.000001 * gradient(x), x).status == ("wrong",) * 2


def test_no_finite_value_on_one_side_is_no_derivative() -> None:
    # minus infinity on the left, a slope without limit on the right
    found = judged(lambda x: special.entr(x[0]) - x[0] + x[1], lambda x: np.array([0.0, 1.0]), [0.0, 2.0])
    assert found.status == ("out-of-domain", "consistent")


def test_a_claim_that_holds_on_one_side_is_not_called_wrong() -> None:
    def f(x: Array) -> Any:
        return x[0] + (0.0 if x[0] > 1 else 1e-3 * np.sin(x[0] - 1))

    # what kinks less than its noise is seen by the integrals alone
    found = judged(f, lambda x: np.array([1.0]), [1.0], noise=1e-9)
    assert found.status[0] in ("inconclusive", "non-smooth")


def test_one_step_of_a_staircase_of_rounding_is_no_slope() -> None:
    # 1 - (1 - y)**3 moves in steps of 2**-53; between them only the square moves
    def f(x: Array) -> Any:
        return np.sum(4.685**2 / 6 * (1 - (1 - (x / 4.685) ** 2) ** 3)) - x @ x

    found = judged(f, lambda x: x * (1 - (x / 4.685) ** 2) ** 2 - 2 * x, [1e-5])
    assert found.status != ("wrong",)


def test_a_slope_of_roundings_beside_larger_numbers_is_no_fault() -> None:
    # a right gradient was called wrong: the sum keeps x[2] in one term and loses it beside −1e6 in the other
    point = [0.0, -1e6, 1e-12, 1e-5]
    found = judged(lambda x: float(np.sum(np.diff(x))), lambda x: np.array([-1.0, 0, 0, 1]), point)
    assert found.status == ("consistent", "consistent", "inconclusive", "consistent")
    # small coordinates in other units are judged as before
    found = judged(lambda x: x[0] * x[1], lambda x: np.array([x[1], 1.5 * x[0]]), [1e10, 1e-9])
    assert found.status[1] == "wrong"


def test_the_flat_steps_of_rounded_values_hide_no_slope() -> None:
    # beside −1e6 the values do not move within the noise of f: x[3] was called consistent, and its slope is 1
    problem = posed(lambda x: float(np.einsum("i->", np.diff(x))), lambda x: 0 * x, [0.0, -1e6, 1e-12, 1e-5])
    assert judge_by_witness(problem).status == ("wrong", "consistent", "inconclusive", "inconclusive")
