"""The verdict: what shows before any rule, the structure of points, several points, words."""

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.marks import Mark
from diffcompare.verdict.verdict import combined


def square(x):
    return np.sum(x**2)


def slope(x):
    return 2 * x


def check(gradient=slope, f=square, at=(3.0, 4.0), **options):
    return dc.check_gradient(f, gradient, np.array(at) if isinstance(at, tuple) else at, **options)


def test_a_right_gradient_is_consistent_and_says_how_closely():
    verdict = check()
    assert (verdict.status, verdict.ok, verdict.evidence, verdict.cause) == ("consistent", True, "identity", None)
    assert verdict.resolution <= 2.0**-50
    assert verdict.components["certified"].tolist() == [6.0, 8.0]


@pytest.mark.parametrize("size", [1e-1, 1e-6, 1e-12])
def test_a_wrong_gradient_is_wrong_however_small_the_bug(size):
    verdict = check(lambda x: 2 * x * (1 + size))
    assert verdict.status == "wrong"
    assert verdict.blame == "gradient"


def test_a_verdict_has_no_truth_value():
    with pytest.raises(TypeError, match=r"ask verdict\.ok"):
        bool(check())


@pytest.mark.parametrize(
    ("gradient", "note"),
    [
        (lambda x: x.__imul__(2), "changed its argument in place"),
        (lambda x: (2 * x)[:1], r"a gradient of shape \(2,\) is needed, got shape \(1,\)"),
        (lambda _: 2 * np.eye(2), r"got shape \(2, 2\); `dc.check_hessian` judges second derivatives"),
        (lambda x: 2j * x, "a gradient of real numbers is needed"),
        (lambda x: 1 / 0, r"^wrong: the gradient raised ZeroDivisionError: division by zero \(test_check.py:\d+\)"),
        (lambda x: np.random.default_rng().normal(size=2), "not deterministic"),
        (lambda x: None, r"^wrong: the gradient returned None; is a return missing\? \(test_check.py:\d+\)"),
    ],
    ids=["mutates", "shape", "matrix", "complex", "raises", "random", "None"],
)
def test_what_shows_in_the_calls_is_wrong_and_said(gradient, note):
    verdict = check(gradient)
    assert (verdict.status, verdict.evidence) == ("wrong", "calls")
    with pytest.raises(AssertionError, match=note):
        raise AssertionError(verdict.explain())


def test_a_gradient_that_depends_on_earlier_calls_is_wrong():
    seen = []

    def gradient(x):
        seen.append(x.copy())
        return 2 * x if np.array_equal(seen[0], seen[-1]) and len(seen) < 3 else 2 * x + len(set(map(tuple, seen))) - 1

    verdict = check(gradient)
    assert verdict.status == "wrong"
    assert "earlier calls" in verdict.explain()


def test_outside_the_domain_and_on_a_kink():
    assert check(lambda x: 1 / x, np.log, at=-1.0).status == "out-of-domain"
    assert check(np.sign, lambda x: np.sum(np.abs(x)), at=(0.0, 1.0)).status == "non-smooth"


def test_a_function_that_raises_is_inconclusive():
    def f(x):
        raise RuntimeError("no data")

    verdict = check(f=f)
    assert verdict.status == "inconclusive"
    assert verdict.explain().startswith("inconclusive: the function raised RuntimeError: no data (test_check.py:")
    assert isinstance(verdict.error, RuntimeError)


def test_keyboard_interrupt_passes():
    def gradient(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(gradient)


def test_parameters_of_any_structure():
    w, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -1.0])
    as_dict = dc.check_gradient(
        lambda p: np.sum(p["w"] @ p["b"]),
        lambda p: {"w": np.outer(np.ones(2), p["b"]), "b": p["w"].sum(axis=0)},
        {"w": w, "b": b},
    )
    as_tuple = dc.check_gradient(
        lambda p: np.sum(p[0] @ p[1]), lambda p: (np.outer(np.ones(2), p[1]), p[0].sum(axis=1)), (w, b)
    )
    assert as_dict.ok
    assert as_dict.components["component"].tolist()[:2] == ["w[0, 0]", "w[0, 1]"]
    assert as_tuple.status == "wrong"


def test_a_function_of_a_tuple_is_no_function_of_an_array():
    # + joins tuples, and adds to arrays
    def f(p):
        return sum(v * v for v in p + (1.0,))  # noqa: RUF005

    def gradient(p):
        return [2 * v for v in p]

    told = "f returned 26.0 for a tuple of numbers, and 41.0 for an array of them"
    verdict = dc.check_gradient(f, gradient, (3.0, 4.0))
    assert verdict.status == "inconclusive"
    assert told in str(verdict)
    assert "pass lambda x: f(tuple(x)), and the gradient likewise" in str(verdict)
    assert dc.check_gradient(lambda x: f(tuple(x)), lambda x: gradient(tuple(x)), (3.0, 4.0)).ok
    assert told not in str(dc.check_gradient(f, gradient, np.array([3.0, 4.0])))
    last = dc.check_gradient(lambda p: p.copy().pop() ** 2, lambda p: [0.0, 2 * p[-1]], [3.0, 4.0])
    assert "f returned 16.0 for a list of numbers, and none for an array of them" in str(last)
    # an array is what most functions are given as a list
    assert dc.check_gradient(lambda x: np.sum(np.asarray(x) ** 2), lambda x: 3 * np.asarray(x), [3.0]).status == "wrong"
    # 3 * x of a list is the list three times
    doubled = dc.check_gradient(lambda x: np.sum(np.sin(3 * x)), lambda x: np.cos(3 * x), [0.3, 0.8])
    assert "factor 3 is missing" in str(doubled.cause)


def test_rows_are_several_points_where_the_function_takes_one():
    verdict = dc.check_gradient(
        lambda x: x[0] ** 2 * x[1], lambda x: np.array([2 * x[0] * x[1], x[0] ** 2]), [[1.0, 2.0], [3.0, 4.0]]
    )
    assert verdict.ok
    assert len(verdict.components) == 4
    assert "2 points: 2 consistent." in verdict.explain()


def test_a_formula_that_is_not_the_function_is_blamed():
    verdict = check(formula="x0**2 + 2*x1**2")
    assert verdict.status == "wrong"
    assert verdict.blame == "formula"
    assert verdict.cause is None
    # not "the gradient differs from the derivative", nor what to do about it
    first, *rest = str(verdict).splitlines()
    assert first == "wrong: f is not the given formula; the gradient fits the code of f"
    assert "Fix f or formula=, whichever is not what you meant." in rest
    assert "Worst component" not in str(verdict)


def test_arguments_go_to_both():
    verdict = check(lambda x, a: 2 * a * x, lambda x, a: a * np.sum(x**2), args=(3.0,))
    assert verdict.ok
    assert verdict.snippet.endswith("at=[3.0, 4.0], args=(3.0,))")


def test_an_explanation_has_at_most_15_lines_and_the_cause():
    verdict = check(lambda x: x)
    lines = verdict.explain().splitlines()
    assert len(lines) <= 15
    assert "Cause: factor 2 missing: the claim is D/2 in every component." in lines
    assert verdict.cause.kind == "factor"


MARKS = (
    Mark("f", "model.py", 9, 11, 9, 20, "np.sum(x)", "its derivative is 1", ("    return np.sum(x) / 2",)),
    Mark("gradient", "model.py", 13, 11, 13, 12, "x", "this is half of it", ("    return x",)),
)


def test_an_explanation_draws_the_marked_places_between_its_first_line_and_the_cause():
    plain = replace(check(lambda x: x), marks=())
    marked = replace(plain, marks=MARKS, notes=("one", "two", "not by neighbours: three", "four"))
    first, *rest = plain.explain().splitlines()
    lines = marked.explain().splitlines()
    assert lines[:8] == [
        first,
        "",
        "  model.py:9   return np.sum(x) / 2",
        "                      ^^^^^^^^^ its derivative is 1",
        "  model.py:13  return x",
        "                      ^ this is half of it",
        "",
        "Cause: factor 2 missing: the claim is D/2 in every component.",
    ]
    assert lines[8].startswith("Judged by identity")
    assert "One." in lines
    assert "Four." not in lines
    # the rest is what it says without a picture
    assert {line for line in lines if line in rest} == set(rest)
    assert not marked.places.empty
    assert "^" not in repr(marked)


def test_the_time_of_the_rungs_is_no_part_of_a_verdict():
    verdict = check(lambda x: x)
    assert [name for name, _, _ in verdict.rungs] == ["calls", "identity"]
    assert [outcome for _, _, outcome in verdict.rungs] == ["nothing was decided", "wrong"]
    assert all(seconds >= 0 for _, seconds, _ in verdict.rungs)
    assert "rungs" not in repr(verdict)
    assert "rungs" not in {f.name for f in fields(verdict) if f.compare}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"at": (np.nan, 1.0)}, ValueError, r"x\[0\] is not finite"),
        ({"at": np.array([])}, ValueError, "an empty point"),
        ({"at": np.array(["a"])}, TypeError, "real numbers are needed"),
        ({"noise": -1.0}, ValueError, "noise=-1.0"),
        ({"formula": "x**2"}, ValueError, "has 1 variables"),
        ({"box": (0.0, 3.5)}, ValueError, r"x\[1\]=.*4.0.* lies outside the box"),
    ],
)
def test_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        check(**options)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dc.check_gradient(square, 3, [1.0]), TypeError, "gradient=3: must be callable"),
        (lambda: dc.check_gradient(3, slope, [1.0]), TypeError, "f=3: must be callable"),
        (lambda: check(args=3.0), TypeError, r"args=3\.0: must be a sequence"),
        (lambda: check(noise="a"), ValueError, "noise='a'"),
        (lambda: check(formula=3), TypeError, "formula=3: must be text"),
        (lambda: check(box=(0, 1, 2)), ValueError, r"must be \(lower, upper\)"),
        (lambda: check(box=([2, 9], [0, 9])), ValueError, "every lower side"),
        (lambda: check(at=[[1.0, 2.0], [3.0]]), TypeError, "pass a tuple or a dict"),
    ],
)
def test_what_is_no_argument_at_all(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("value", ["3", 1j, [1.0, 2.0]], ids=["text", "complex", "two numbers"])
def test_a_function_that_does_not_return_one_real_number_is_not_judged(value):
    verdict = check(f=lambda x: value)
    assert verdict.status == "inconclusive"
    assert "must return one real number" in verdict.explain()


def test_a_number_that_goes_through_text_is_not_traced():
    verdict = dc.check_gradient(
        lambda x: float(str(float((1 - np.cos(x)) / x**2))),
        lambda x: (x * np.sin(x) - 2 * (1 - np.cos(x))) / x**3,
        1e-3,
    )
    assert verdict.status != "wrong"
    assert verdict.evidence == "witness"


@pytest.mark.thorough
def test_a_bug_among_many_components_is_found_soon():
    x = np.linspace(0.1, 1.0, 10_000)
    verdict = dc.check_gradient(square, lambda x: 2 * x + (np.arange(10_000) == 77) * 1e-6, x)
    assert verdict.components["status"].value_counts()["wrong"] == 1


def test_the_resolution_is_that_of_the_worst_component():
    verdict = check(lambda x: np.array([2 * x[0], np.exp(x[1])]), lambda x: x[0] ** 2 + np.exp(x[1]), (3.0, 9.0))
    threshold = verdict.components["threshold"]
    assert threshold.max() > 100 * threshold.min()
    assert verdict.resolution == threshold.max() / np.exp(9.0)


def test_a_gradient_of_zeros_has_a_resolution():
    # nan before: "consistent" that says nothing
    underflow = dc.check_gradient(lambda x: x[0] ** 5, lambda x: 5 * x**4, at=[5e-228])
    assert (underflow.status, underflow.resolution) == ("consistent", 0.0)
    constant = dc.check_gradient(lambda x: float(repr(float(x[0] - x[0] + 2))), lambda x: 0 * x, at=[3.0])
    assert (constant.status, constant.evidence, constant.resolution) == ("consistent", "witness", math.inf)
    assert f"an error above {constant.components['threshold'].max():.1e} would be seen" in constant.explain()


def test_the_rounding_is_relative():
    verdict = check(lambda x: 1e8 * np.exp(x) / 3, lambda x: 1e8 * np.sum(np.exp(x) / 3), (1.0, 2.0))
    assert verdict.status == "consistent"
    assert verdict.rounding <= 2.0**-51


def test_the_worst_of_several_points_decides_whichever_it_is():
    def late(x):
        return 2 * x + (x > 3)

    assert dc.check_gradient(dc.parse("x**2"), late, np.array([1.0, 5.0])).status == "wrong"
    assert dc.check_gradient(dc.parse("x**2"), late, np.array([5.0, 1.0])).status == "wrong"


def test_verdicts_combine_worst_first():
    worst_first = ["wrong", "out-of-domain", "non-smooth", "inconclusive", "consistent"]
    some = {status: replace(check(), status=status) for status in worst_first}
    for i, worse in enumerate(worst_first):
        for better in worst_first[i:]:
            assert combined([some[better], some[worse]]).status == worse
            assert combined([some[worse], some[better]]).status == worse


def test_arrays_by_name_are_told_apart_in_any_order():
    def f(p):
        return np.sum(p["a"] ** 2) + 3 * np.sum(p["b"])

    at = {"a": np.array([1.0, 2.0]), "b": np.array([5.0, 6.0])}
    assert dc.check_gradient(f, lambda p: {"b": 3 * np.ones(2), "a": 2 * p["a"]}, at).status == "consistent"
    assert dc.check_gradient(f, lambda p: {"b": 2 * p["a"], "a": 3 * np.ones(2)}, at).status == "wrong"


def test_an_error_of_the_function_that_is_stated_is_no_fault_of_the_gradient():
    def stopped_early(x):
        # its error is smooth, so it cannot be seen
        return float(str(float(np.sum(x**2) + 1e-4 * np.sum(x))))

    def opaque(x):
        return np.array([float(str(2 * t)) for t in x])

    assert check(opaque, stopped_early).status == "wrong"
    assert check(opaque, stopped_early, noise=1e-3).status != "wrong"


def test_a_path_that_no_trace_met_is_no_edge_of_the_domain():
    def opaque(x):
        return np.array([float(str(2 * t)) for t in x])

    verdict = check(opaque, lambda x: np.sum(x**2) if x[0] > 1000 else np.sum(x), (5000.0, 1.0))
    # the function is traced around the point, wherever that is
    assert (verdict.status, verdict.evidence) == ("consistent", "neighbours")


@pytest.mark.parametrize("opaque", [False, True])
def test_nothing_is_evaluated_outside_a_box(opaque: bool) -> None:
    seen: list[np.ndarray] = []

    def watched(x: Any) -> Any:
        if getattr(x, "dtype", None) == np.float64 and type(x) is np.ndarray:
            seen.append(np.array(x))
        return float(x[0]) ** 2 * float(x[1]) if opaque else x[0] ** 2 * x[1]

    def gradient(x: Any) -> Any:
        # no trace of it, so that f alone is traced
        return np.array([2 * float(x[0]) * float(x[1]), float(x[0]) ** 2])

    lower, upper = np.array([1.0, -2.0]), np.array([4.0, -1.99])
    dc.check_gradient(watched, gradient, np.array([1.0, -2.0]), box=(lower, upper))
    points = np.array(seen)
    assert len(points) > 3
    assert np.all((lower <= points) & (points <= upper))


def test_one_component_is_spoken_of_as_one():
    for gradient, first in (
        (np.cos, "consistent: the gradient agrees with the derivative"),
        (lambda x: -np.cos(x), "wrong: the gradient differs from the derivative, by 2 times its size"),
    ):
        assert dc.check_gradient(np.sin, gradient, at=1.0).explain().splitlines()[0] == first
    assert (
        dc.check_gradient(np.abs, np.sign, at=0.0).explain().startswith("non-smooth: the function has no derivative at")
    )
    assert (
        "Rounding: the gradient has no rounding error here."
        in dc.check_gradient(lambda x: x * x, lambda x: 2 * x, at=3.0).explain()
    )


class Opaque:
    """Code that no trace follows, which counts its calls."""

    def __init__(self, function: Any) -> None:
        self.function, self.calls = function, 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return self.function(np.array([float(v) for v in memoryview(np.ascontiguousarray(x, dtype=float))]))


def opaque_checks() -> dict[str, Any]:
    """Return wrong claims about opaque functions, each with its check."""
    one = lambda: Opaque(lambda x: float(np.exp(x).sum()))  # noqa: E731
    slope, curvature = (lambda: Opaque(lambda x: 2 * np.exp(x))), (lambda: Opaque(lambda x: 2 * np.diag(np.exp(x))))
    right = lambda: Opaque(np.exp)  # noqa: E731
    return {
        "gradient": (dc.check_gradient, one(), slope()),
        "jacobian": (dc.check_jacobian, Opaque(np.exp), curvature()),
        "hessian": (dc.check_hessian, one(), curvature()),
        "hessian of a gradient": (dc.check_hessian, one(), curvature(), right()),
        "directional": (dc.check_directional, one(), slope()),
    }


@pytest.mark.parametrize("evaluations", [20, 33, 100])
@pytest.mark.parametrize("name", opaque_checks())
def test_no_more_calls_are_made_than_are_allowed_and_none_is_called_consistent(name: str, evaluations: int) -> None:
    check, f, claim, *gradient = opaque_checks()[name]
    options = {"gradient": gradient[0]} if gradient else {}
    verdict = check(f, claim, at=[0.5, 1.0], evaluations=evaluations, **options)
    assert 5 < sum(one.calls for one in (f, claim, *gradient)) <= evaluations
    assert verdict.status in ("inconclusive", "wrong")
    assert verdict.status == "wrong" or f"the {evaluations} evaluations" in verdict.explain()


def test_each_order_of_derivatives_is_within_the_calls_that_are_allowed() -> None:
    f, gradient = Opaque(lambda x: float(np.exp(x).sum())), Opaque(np.exp)
    hessian = Opaque(lambda x: np.diag(np.exp(x)))
    found = dc.check_derivatives(f, gradient, hessian, [0.5, 1.0], evaluations=40)
    assert found.status == "inconclusive"
    assert f.calls + gradient.calls + hessian.calls <= 80


def test_the_calls_of_opaque_code_are_told() -> None:
    f, gradient = Opaque(lambda x: float(np.exp(x).sum())), Opaque(np.exp)
    verdict = dc.check_gradient(f, gradient, [0.5, 1.0], evaluations=1000)
    assert verdict.ok
    # attempts at a trace are calls too, of a copy
    assert 0 < f.calls <= verdict.calls[0]
    assert 0 < gradient.calls <= verdict.calls[1]
    assert f"({verdict.calls[0]} calls of f, {verdict.calls[1]} of the gradient)" in verdict.explain()
    # one check's calls are none of the next one's; without a dozen, one axis is not looked along
    again = dc.check_gradient(f, gradient, [0.5, 1.0], evaluations=sum(verdict.calls) + 20)
    assert again.ok
    few = sum(again.calls) - 12
    fewer = dc.check_gradient(f, gradient, [0.5, 1.0], evaluations=few)
    assert fewer.components["status"].tolist() == ["inconclusive", "consistent"]
    with pytest.raises(AssertionError, match=f"The {few} evaluations that were allowed"):
        dc.testing.assert_gradient(f, gradient, [0.5, 1.0], evaluations=few)


@pytest.mark.parametrize("evaluations", [0, 19, True, 20.5, "50"])
def test_evaluations_that_are_no_number_of_calls_are_refused(evaluations: Any) -> None:
    with pytest.raises(ValueError, match=r"evaluations=.*: must be a whole number of at least 20 calls"):
        dc.check_gradient(np.sin, np.cos, 1.0, evaluations=evaluations)
