"""f branches between equal numbers at the point: every side counts, its value, its slope, and whether it has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import diffcompare as dc
from diffcompare.verdict import sides


def opaque(x: Any) -> Any:
    """Take a point through bytes, as compiled code does: no trace can follow."""
    return np.frombuffer(np.asarray(x, dtype=np.float64).tobytes()).reshape(np.shape(x))[()]


def masked_log(x: Any) -> Any:
    return np.log(np.where(x > 0, x, 1.0))


def sinc(x: Any) -> Any:
    return np.sin(x) / x if x != 0 else 1.0


# f, gradient, point, word for each component
EDGES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Any, list[str]]] = {
    # slopes 0 and infinity
    "square root": (lambda x: np.sqrt(x) if x > 0 else 0.0, lambda x: 0 * x, 0.0, ["non-smooth"]),
    "pole": (lambda x: 1 / x if x > 0 else 0.0, lambda x: 0 * x, 0.0, ["non-smooth"]),
    "x log x": (lambda x: np.sum(np.where(x > 0, x * masked_log(x), 0)), lambda x: 0 * x, [0.0], ["non-smooth"]),
    "x log x beside another": (
        lambda x: np.sum(np.where(x > 0, x * masked_log(x), 0)),
        lambda x: np.where(x > 0, masked_log(x) + 1, 0),
        [0.0, 0.5],
        ["non-smooth", "consistent"],
    ),
    "entropy": (
        lambda x: np.sum(special.entr(x)),
        lambda x: np.where(x > 0, -masked_log(x) - 1, 0),
        [0.0, 0.5],
        ["non-smooth", "consistent"],
    ),
    # no value on the left
    "floats that go on at infinity": (
        lambda x: np.sum(np.arctan(special.entr(x))),
        lambda x: np.where(x > 0, -masked_log(x) - 1, np.inf),
        [0.0],
        ["out-of-domain"],
    ),
    "x log x beside a slope far larger": (
        lambda x: special.i0(x) + (np.log(np.where(x > 36, x - 36, 1.0)) * (x - 36) if x > 36 else 0.0),
        lambda x: special.i1(x),
        36.0,
        ["non-smooth"],
    ),
    "relative entropy of what is negative on one side": (
        lambda x: special.rel_entr(x if x >= 2 else x - 4, x if x >= 2 else x - 4),
        lambda x: 0 * x,
        2.0,
        ["non-smooth"],
    ),
    "0 times what has no value there": (
        lambda x: special.expn(2, x) @ np.array([0.0, 1.0]),
        lambda x: np.array([0.0, 1.0]) * -special.expn(1, x),
        [0.0, 1.0],
        ["out-of-domain", "consistent"],
    ),
    "xlogy": (lambda x: special.xlogy(x, x), lambda x: 0 * x, 0.0, ["out-of-domain"]),
    "xlogy beside another": (
        lambda x: np.sum(special.xlogy(x, x)),
        lambda x: np.where(x > 0, masked_log(x) + 1, 0),
        [0.0, 0.5],
        ["out-of-domain", "consistent"],
    ),
    "x log x without a branch": (lambda x: x * np.log(x), lambda x: 0 * x, 0.0, ["out-of-domain"]),
    # a derivative: both sides have one slope
    "x to 1.5": (lambda x: x**1.5 if x > 0 else 0.0, lambda x: 1.5 * x**0.5 if x > 0 else 0.0, 0.0, ["consistent"]),
    "xlogy of a constant": (lambda x: special.xlogy(x, 2.0), lambda x: np.log(2.0) + 0 * x, 0.0, ["consistent"]),
    "xlogy of a constant, wrong": (lambda x: special.xlogy(x, 2.0), lambda x: 0 * x, 0.0, ["wrong"]),
    "a hole that is filled": (sinc, lambda x: 0.0 * x, 0.0, ["consistent"]),
    "a hole that is filled, wrong": (sinc, lambda x: 1e-9 + 0.0 * x, 0.0, ["wrong"]),
    "a slope that only the sides have": (
        lambda x: np.expm1(2 * x) / x if x != 0 else 2.0,
        lambda x: 2.0 + 0 * x,
        0.0,
        ["consistent"],
    ),
    "half of a slope that only the sides have": (
        lambda x: np.expm1(2 * x) / x if x != 0 else 2.0,
        lambda x: 1.0 + 0 * x,
        0.0,
        ["wrong"],
    ),
    "a sign of what has no value on the left": (
        lambda x: np.sign(1 + np.sqrt(x)),
        lambda x: 0 * x,
        0.0,
        ["out-of-domain"],
    ),
    **{
        f"{name} of what has no value on the left": (
            lambda x, choose=choose: choose(np.array([1 + np.sqrt(x), 2.0])),
            lambda x: 0 * x,
            0.0,
            [word],
        )
        for name, choose, word in (
            ("the minimum", lambda v: np.minimum(v[0], v[1]), "out-of-domain"),
            ("the smallest", np.min, "out-of-domain"),
            ("a clip", lambda v: np.clip(v[0], -2.0, 0.5), "out-of-domain"),
            ("the number that is smaller", lambda v: np.fmin(v[0], v[1] - 1.5), "consistent"),
            ("the smallest number", lambda v: np.nanmin(v - [0.0, 1.5]), "consistent"),
        )
    },
    "a step of what has no value on the left": (
        lambda x: np.heaviside(1 + np.sqrt(x), 0.5),
        lambda x: 0 * x,
        0.0,
        ["out-of-domain"],
    ),
    # the cut of arctan2
    "an angle on its cut": (
        lambda x: np.arctan2(x[0], x[1]),
        lambda x: x[::-1] / (x @ x),
        [0.0, -2.0],
        ["non-smooth", "consistent"],
    ),
    "a number times an angle on its cut": (
        lambda x: (x[0] - 1e-5) * np.arctan2(x[0] - 1e-5, np.log(x[1])),
        lambda x: 0 * x,
        [1e-5, 0.5],
        ["non-smooth", "consistent"],
    ),
    "a square times an angle on its cut": (
        lambda x: x[0] ** 2 * np.arctan2(x[0], np.log(x[1])),
        lambda x: 0 * x,
        [0.0, 0.5],
        ["consistent", "consistent"],
    ),
    "an angle opposite to its cut": (
        lambda x: np.arctan2(x[0], x[1]),
        lambda x: x[::-1] / (x @ x),
        [0.0, 2.0],
        ["consistent", "consistent"],
    ),
    # jumps: the values differ, the slopes do not
    "jump of where": (lambda x: np.where(x >= 1, x**2, 2 * x + 5), lambda x: 2 * x, 1.0, ["non-smooth"]),
    "jump of a comparison": (lambda x: x + (x > 1), lambda x: 1 + 0 * x, 1.0, ["non-smooth"]),
    "jump of sign": (lambda x: np.sign(x - 1) + x, lambda x: 1 + 0 * x, 1.0, ["non-smooth"]),
    "jump of floor": (lambda x: np.floor(x) + x, lambda x: 1 + 0 * x, 2.0, ["non-smooth"]),
    "a jump along one axis": (
        lambda x: np.where(x[0] > 1, 1.0, 0.0) + x[1] ** 2,
        lambda x: np.array([0.0, 2 * x[1]]),
        [1.0, 3.0],
        ["non-smooth", "consistent"],
    ),
    "values that meet": (lambda x: np.where(x >= 1, x**2, 2 * x - 1), lambda x: 2 * x, 1.0, ["consistent"]),
    # what the rounding of constants sets apart is neither jump nor kink
    "biweight at its corner": (
        lambda r: np.sum(np.where(np.abs(r) <= 1 / 5, (1 - (5 * r) ** 2) ** 2 * 0.75, 0.0)),
        lambda r: np.where(np.abs(r) <= 1 / 5, -75 * r * (1 - (5 * r) ** 2), 0.0),
        [0.2, 0.1],
        ["consistent", "consistent"],
    ),
    "biweight at its corner, from outside": (
        lambda r: np.sum(np.where(np.abs(r) <= 1 / 5, (1 - (5 * r) ** 2) ** 2 * 0.75, 0.0)),
        lambda r: np.where(np.abs(r) < 1 / 5, -75 * r * (1 - (5 * r) ** 2), 0.0),
        [0.2, 0.1],
        ["consistent", "consistent"],
    ),
    "quartic at its corner": (
        lambda r: np.sum(np.where(np.abs(r) < 4 / 6, (1 - (1.5 * r) ** 2) ** 4, 0.0)),
        lambda r: np.where(np.abs(r) < 4 / 6, -18 * r * (1 - (1.5 * r) ** 2) ** 3, 0.0),
        [4 / 6, 0.3],
        ["consistent", "consistent"],
    ),
    "a kink of 1e-9 is more than that": (
        lambda r: np.where(np.abs(r) <= 0.1, r**2, 0.01 + (0.2 + 1e-9) * (r - 0.1)),
        lambda r: 2 * r,
        0.1,
        ["non-smooth"],
    ),
}


@pytest.mark.parametrize("name", EDGES)
def test_every_side_of_a_branch_counts(name: str) -> None:
    f, gradient, at, words = EDGES[name]
    verdict = dc.check_gradient(f, gradient, at)
    assert verdict.components["status"].tolist() == words, verdict.explain()
    assert verdict.evidence == ("calls" if "without a branch" in name else "identity")


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("name", EDGES)
def test_an_opaque_gradient_gets_the_same_word_at_an_edge_or_none(name: str) -> None:
    f, gradient, at, words = EDGES[name]
    verdict = dc.check_gradient(f, lambda x: gradient(opaque(x)), at)
    # a single value may stray by rounding: 1e-9 is not seen there
    open_ = ["inconclusive"] if "wrong" in words else []
    for found, word in zip(verdict.components["status"], words, strict=True):
        assert found in (word, *open_), verdict.explain()


def test_a_jacobian_and_slopes_along_directions_have_edges_too() -> None:
    def f(x: Any) -> Any:
        return np.array([np.sign(x[0]) + x[1], x[0] * x[1]])

    found = dc.check_jacobian(f, lambda x: np.array([[0.0, 1.0], [x[1], x[0]]]), [0.0, 2.0])
    assert found.components["status"].tolist() == ["non-smooth", "consistent", "consistent", "consistent"]
    slopes = dc.check_directional(lambda x: np.sum(np.abs(x)), np.sign, [0.0, 1.0], directions=2)
    assert slopes.status == "non-smooth"
    jump = dc.check_hessian(lambda x: x[0] * x[1] + (x[0] > 1), lambda x: np.array([[0.0, 1], [1, 0]]), [1.0, 2.0])
    assert jump.status == "non-smooth"


def test_a_box_ends_one_side() -> None:
    verdict = dc.check_gradient(
        lambda x: np.sqrt(x) * x if x > 0 else 0.0, lambda x: 1.5 * np.sqrt(x), 0.0, box=(0.0, 1.0)
    )
    assert verdict.status in ("consistent", "inconclusive"), verdict.explain()


def test_more_equal_numbers_than_lines_are_tried_leave_the_rest_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "_MOST_LINES", 2)
    verdict = dc.check_gradient(lambda x: np.sum(np.sort(x) ** 2), lambda x: 2.5 * x, [1.0] * 6)
    assert verdict.components["status"].tolist() == ["wrong"] * 2 + ["non-smooth"] * 4


def test_the_edge_of_a_power_is_seen_though_its_slope_is_finite() -> None:
    def edge(x: Any) -> Any:
        return (x[0] - 1) ** 1.1 * x[1] if x[0] <= 1 else (x[0] - 1) ** 3 * x[1]

    def slopes(x: Any) -> Any:
        return np.array([1.1 * np.abs(x[0] - 1) ** 0.1 * x[1], 0.0])

    # left of 1 there is no number
    for follows in (lambda x: x, opaque):
        found = dc.check_gradient(edge, lambda x, y=follows: slopes(y(x)), [1.0, 2.0]).components["status"].tolist()
        assert found == ["out-of-domain", "consistent"]
    plain = dc.check_gradient(lambda x: np.sum((x - 1) ** 1.5), lambda x: 1.5 * (x - 1) ** 0.5, [1.0, 2.0])
    assert plain.components["status"].tolist() == ["out-of-domain", "consistent"]


def test_the_other_components_are_judged_where_one_has_no_derivative() -> None:
    found = dc.check_gradient(
        lambda x: np.sum(np.sqrt(x**2 + x**2)), lambda x: 2 * x / np.sqrt(x**2 + x**2), [-2.0, 2.0, 0.0]
    )
    assert found.components["status"].tolist() == ["consistent", "consistent", "non-smooth"]
    assert found.evidence == "identity"
    assert np.isfinite(found.components["threshold"][:2]).all()


def test_a_jump_by_a_corner_at_a_rounded_number_is_no_rounding() -> None:
    c = 0.7674279046899866

    def f(x: Any) -> Any:
        return (x - c) ** 1.5 if x - c >= 0 else 5.0

    for follows in (lambda x: x, opaque):
        verdict = dc.check_gradient(f, lambda x, y=follows: 1.5 * np.sqrt(y(x) - c) if y(x) >= c else 0.0, c)
        assert verdict.status == "non-smooth", verdict.explain()


def test_a_coordinate_that_is_0_is_moved_by_no_more_than_1() -> None:
    # the corner at 1/3 is far away, whatever the other coordinate is
    verdict = dc.check_gradient(
        lambda x: np.maximum(opaque(x)[1], 1 / 3) + 0 * x[0], lambda x: np.zeros(2) + 0 * opaque(x), [1e150, 0.0]
    )
    assert verdict.status != "non-smooth", verdict.explain()


@pytest.mark.parametrize(
    ("f", "gradient", "at"),
    [
        (lambda x: np.abs(x - 0.5) ** 2, lambda x: 2 * (x - 0.5), 0.5),
        (lambda x: x * abs(x), lambda x: 2 * abs(x), 0.0),
        (lambda x: np.logaddexp(x, 0.0), lambda x: 1 / (1 + np.exp(-x)), 0.0),
        (lambda x: x**2, lambda x: 2 * x, 5e-228),
    ],
    ids=["square of a distance", "x|x|", "softplus", "tiny"],
)
@pytest.mark.parametrize("taken", [lambda x: float(repr(float(x))), opaque], ids=["text", "bytes"])
def test_a_function_that_reads_its_numbers_has_no_traced_sides(f: Any, gradient: Any, at: float, taken: Any) -> None:
    verdict = dc.check_gradient(lambda x: taken(f(x)), lambda x: taken(gradient(x)), at)
    assert verdict.status in ("consistent", "inconclusive"), verdict.explain()


def test_a_kink_beside_a_slope_that_rounding_moves_is_not_consistent() -> None:
    def f(x: Any) -> Any:
        return np.dot(np.array([-0.55, -1.5]), np.where(x + 2.23 < 0, 2 * (x + 2.23), np.abs(x + 2.23) ** 1.1))

    def gradient(x: Any) -> Any:
        return np.array([-0.55, -1.5]) * np.where(x + 2.23 < 0, 2.0, 1.1 * np.abs(x + 2.23) ** 0.1)

    found = dc.check_gradient(f, gradient, [-2.23, 0.57]).components["status"].tolist()
    assert found[0] in ("non-smooth", "inconclusive")
    assert found[1] == "consistent"


def never_on_the_left(x: Any) -> Any:
    return special.lambertw(x if x >= 0 else 1 / x).real


# f, gradient, point: right along no reading of the point
NOT_RIGHT: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], float]] = {
    "a kink beside a power": (
        lambda x: np.abs(x - 2.6) ** 1.1 if x - 2.6 > 0 else np.expm1(x - 2.6),
        lambda x: 1.1 * np.abs(x - 2.6) ** 0.1 if x - 2.6 > 0 else np.exp(x - 2.6),
        2.6,
    ),
    "a kink that rounding might explain": (
        lambda x: 0.1 * (x - 2.09) if x - 2.09 <= 0 else np.abs(x - 2.09) ** 1.1,
        lambda x: 0.1 + 0 * x,
        2.09,
    ),
    "a constant on the side that is taken": (
        lambda x: 0.0 if x >= 1 else float(repr(float(x))),
        lambda x: 0.0 if x >= 1 else float(repr(1.0)),
        1.0,
    ),
    "no real number on the left": (never_on_the_left, lambda x: 1.0 + 0 * x, 0.0),
    "a jump of 1 at 1e150": (lambda x: x - np.sign(x - 1e150), lambda x: 1.0 + 0 * x, 1e150),
    "a remainder of what is infinite on the left": (lambda x: (1 / x if x < 0 else x**1.1) % 1.0, lambda x: 0 * x, 0.0),
    "stairs that come ever closer": (lambda x: np.floor(1 / x) if x < 0 else x**2, lambda x: 0 * x, 0.0),
}


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("name", NOT_RIGHT)
def test_what_cannot_be_told_apart_is_not_consistent(name: str) -> None:
    f, gradient, at = NOT_RIGHT[name]
    verdict = dc.check_gradient(f, gradient, at)
    assert verdict.status in ("inconclusive", "non-smooth", "out-of-domain"), verdict.explain()


def test_a_domain_that_ends_before_the_next_float_has_the_point_inside() -> None:
    def f(x: Any) -> Any:
        return special.xlog1py(x - 1e150, x - 1e150)

    assert dc.check_gradient(f, lambda x: 0 * x, 1e150).status in ("inconclusive", "consistent")


def test_a_branch_at_the_next_float_is_not_taken_for_the_side_of_the_point() -> None:
    def f(x: Any) -> Any:
        pieces = (x - 1) ** 2 if x >= 1 else (1 - x) ** 3
        return pieces + (5.0 if x >= np.nextafter(1.0, 2.0) else 0.0)

    assert dc.check_gradient(f, lambda x: 0 * x, 1.0).status == "consistent"
    assert dc.check_gradient(f, lambda x: 1e-9 + 0 * x, 1.0).status == "wrong"


def test_a_slope_of_rounding_where_the_derivative_is_0is_what_runs() -> None:
    def f(x: Any) -> Any:
        e = np.exp(x - np.max(x))
        return np.mean(e / np.sum(e))

    def gradient(x: Any) -> Any:
        e = np.exp(x - np.max(x))
        p, g = e / np.sum(e), np.full(4, 0.125)
        return p * (g - np.sum(g * p))

    verdict = dc.check_gradient(f, gradient, [-2.22, 1.51, 2.03, -2.66])
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict.explain()


def test_beside_a_jump_there_is_no_other_slope_that_a_claim_may_be() -> None:
    def jump(x: Any) -> Any:
        return np.where(x[1] < 0, 5 + x[0], 3 * x[0]) + np.abs(x[0]) * x[0]

    def fold(x: Any) -> Any:
        return 3 * x[0] + np.minimum(np.abs(x[0]), np.abs(x[1]))

    def gradient(x: Any) -> Any:
        return np.array([3.5, 0.0]) + 0 * x

    for claim in (gradient, lambda x: opaque(gradient(x))):
        assert dc.check_gradient(jump, claim, [0.0, 0.0]).components["status"].tolist() == ["wrong", "non-smooth"]
        assert dc.check_gradient(fold, claim, [0.0, 0.0]).components["status"].tolist() == ["non-smooth", "consistent"]


@pytest.mark.parametrize("steep", [0.0, 1e6])
def test_a_decision_of_neither_side_is_not_kept_beside_a_slope_that_rounding_moves(steep: float) -> None:
    # 1.1·t**0.1 is steep at 0: what rounding makes of it is larger than the slope of the sine, which no side has;
    # beside a component of 1e6 that is a small slope
    c = np.array([-1.3, 1.535753401444179, 1.31, -3.31])
    w = np.array([1.85, 0.37, -0.9, 0.52])

    def f(x: Any) -> Any:
        t = np.maximum(x - c, 0.0)
        return np.dot(w, np.where(t > 0, t**1.1, np.sin(t))) + steep * x[0] ** 2

    def gradient(x: Any) -> Any:
        t = np.maximum(x - c, 0.0)
        return w * np.where(t > 0, 1.1 * t**0.1, np.cos(t)) * (x - c > 0) + np.array([2 * steep * x[0], 0.0, 0.0, 0.0])

    verdict = dc.check_gradient(f, gradient, np.array([-0.5463586557274169, c[1], 2.0624707279898153, -2.55997295211]))
    assert list(verdict.components["status"]) == ["consistent"] * 4
    assert verdict.components["certified"][1] == 0


def test_what_rounding_may_explain_is_small_beside_the_component_too() -> None:
    # x[1] is far steeper, so that 0.025 is a small part of the largest slope; of x[0] it is none
    def f(x: Any) -> Any:
        return np.mean(np.where(x < 0.91, 0.1 * (x - 0.91), (x - 0.91) ** 1.1)) + np.sum(x**10)

    def gradient(x: Any) -> Any:
        return np.where(x < 0.91, 0.1, 1.1 * (x - 0.91) ** 0.1) / 4 + 10 * x**9

    verdict = dc.check_gradient(f, gradient, np.array([0.91, -2.81, 0.42, -0.88]))
    assert verdict.components["status"].tolist() == ["inconclusive", "consistent", "consistent", "consistent"]


def test_rounding_that_exceeds_the_slope_explains_nothing_at_a_branch() -> None:
    def f(x: Any) -> Any:
        return np.sort(x)[0] * np.mean(special.softmax(x))

    wrong = dc.check_gradient(f, lambda x: opaque(x) * 0 + 2.0, [1e150])
    assert wrong.evidence == "witness"
    assert wrong.status == "inconclusive"
    assert dc.check_gradient(f, lambda x: opaque(x) * 0 + 1.0, [1e150]).status in ("consistent", "inconclusive")
    assert dc.check_gradient(f, lambda x: opaque(x) * 0 + 2.0, [1.5]).status == "wrong"


def test_what_a_gradient_scatters_by_is_no_fault_at_a_branch() -> None:
    # (E - K)/(2m) cancels beside 0, and |t| t has a corner of its slope here
    def f(x: Any) -> Any:
        return special.ellipe(x[0]) + (x[0] + 1e-12) * np.abs(x[0] + 1e-12)

    def gradient(x: Any) -> Any:
        return opaque(2 * np.abs(x + 1e-12) + (special.ellipe(x) - special.ellipk(x)) / (2 * x))

    verdict = dc.check_gradient(f, lambda x: np.array([float(v) for v in opaque(gradient(x))]), [-1e-12])
    assert verdict.evidence == "neighbours"
    assert verdict.status in ("consistent", "inconclusive")


@pytest.mark.parametrize("through", [lambda x: x, opaque], ids=["traced", "opaque"])
@pytest.mark.parametrize("slope", [0.0, 0.5, -3.0])
def test_where_branches_come_ever_closer_nothing_is_said(slope, through):
    def f(x):
        return x[0] ** 2 * (1 / x[0] % 1) + x[1] if x[0] != 0 else x[1]

    with np.errstate(all="ignore"):
        verdict = dc.check_gradient(f, lambda x: np.array([slope + 0 * through(x)[0], 1.0]), [0.0, 0.5])
    assert verdict.components["status"].tolist() == ["inconclusive", "consistent"]
    assert "has sides that cannot be told apart" in " ".join(verdict.notes)


def test_at_a_corner_of_the_second_derivative_a_claim_may_be_off_by_the_rounding_of_what_cancels() -> None:
    def f(x: Any) -> Any:
        return np.abs(x - 1) * (x - 1) + 1e6 * x**2 - 2e6 * x + 3 * x

    def word(off: float) -> str:
        return dc.check_gradient(f, lambda x: opaque(2 * np.abs(x - 1) + 2e6 * x - 2e6 + 3) + off, 1.0).status

    # the slope is 3, and what cancels is of the size of 2·10⁶
    assert [word(off) for off in (0.0, 2e6 * 2.0**-53, 1e-3)] == ["consistent", "consistent", "wrong"]
