"""What the user's code did is the first line of the verdict; no rung and no check raises for it."""

import copy
import functools
import itertools
import pickle
import re
import sys
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest

import diffcompare as dc
from diffcompare.testing import assert_gradient
from diffcompare.verdict import check_arrays, check_directional, ladder, pointing
from diffcompare.verdict.judgement import Judgement, Left
from diffcompare.verdict.observation import observe, state_of
from diffcompare.verdict.problem import Problem, State

AT = np.array([0.5, 0.75])
PLACE = r" \(test_observation\.py:\d+\)"


def square(x):
    return x @ x


def slope(x):
    return 2 * x


def raising(error):
    def code(x):
        raise error

    return code


class OwnError(Exception):
    """One that takes two arguments and so can't be made anew from its text, and can't say what it is."""

    def __init__(self, one, two):
        super().__init__(one)

    def __str__(self):
        raise RuntimeError


class Odd(BaseException):
    """No Exception."""


class NoArray:
    def __array__(self, *args, **kwargs):
        raise RuntimeError


def endless(x):
    return endless(x)


RAISED = {
    "ValueError": (raising(ValueError("no\ndata")), "raised ValueError: no data"),
    "SystemExit": (lambda x: sys.exit(3), "raised SystemExit: 3"),
    "BaseException": (raising(Odd("odd")), "raised Odd: odd"),
    "StopIteration": (raising(StopIteration()), "raised StopIteration"),
    "MemoryError": (raising(MemoryError()), "raised MemoryError"),
    "RecursionError": (endless, "raised RecursionError: maximum recursion depth exceeded.*"),
    "own": (raising(OwnError(1, 2)), "raised OwnError"),
    "no argument": (
        lambda: 3.0,
        r"raised TypeError: <lambda>\(\) takes 0 positional arguments but \d (was|were) given",
    ),
}
CHECKS = {
    "gradient": (dc.check_gradient, slope, {}),
    "Jacobian": (dc.check_jacobian, slope, {}),
    "Hessian": (dc.check_hessian, lambda x: 2 * np.eye(2), {}),
    "Hessian-vector product": (dc.check_hessian, lambda x: 2 * np.ones(2), {"vector": [1.0, 1.0]}),
    "directional derivative": (dc.check_directional, slope, {"directions": 2}),
}


def first_line(verdict):
    # none of what a verdict can be asked fails either
    assert verdict._repr_html_()
    assert pickle.loads(pickle.dumps(verdict)).explain() == verdict.explain()
    assert copy.deepcopy(verdict).explain() == verdict.explain()
    return verdict.explain().partition("\n")[0]


def says(verdict, pattern):
    line = first_line(verdict)
    with pytest.raises(AssertionError, match=f"^{pattern}$"):
        raise AssertionError(line)


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("what", CHECKS)
@pytest.mark.parametrize("name", RAISED)
def test_what_the_code_raises_is_the_first_line(what, name):
    check, right, options = CHECKS[what]
    code, words = RAISED[name]
    of_f = check(code, right, AT, **options)
    says(of_f, f"inconclusive: the function {words}{PLACE}")
    of_claim = check(square, code, AT, **options)
    says(of_claim, f"wrong: the {what} {words}({PLACE})?")
    assert of_f.evidence == of_claim.evidence == "calls"
    assert isinstance(of_f.error, BaseException)
    assert of_f.error.__traceback__ is not None


def test_the_place_is_that_of_the_users_code_and_not_of_a_library():
    says(
        dc.check_gradient(lambda x: np.linalg.inv(np.zeros((2, 2)))[0, 0], slope, AT),
        f"inconclusive: the function raised LinAlgError: Singular matrix{PLACE}",
    )


def test_the_exception_is_chained_to_the_assertion():
    with pytest.raises(AssertionError, match="the gradient raised ZeroDivisionError") as caught:
        assert_gradient(square, lambda x: 1 / 0, AT)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


RETURNED = {
    "None": (None, "None"),
    "text": ("3", "str"),
    "complex": (1j, r"complex numbers \(complex128\), of which \.real or abs\(\) may be meant"),
    "Decimal": (Decimal(1), "Decimal"),
    "objects": ([Decimal(1)], "an array of dtype object, which holds Decimal"),
    "masked": (np.ma.masked, "a masked array, some of whose numbers are masked"),
    "generator": ((v for v in [1.0]), "generator"),
    "no array": (NoArray(), r"NoArray, which is no array of numbers \(RuntimeError\)"),
    "huge": (10**400, "int"),
}


@pytest.mark.parametrize("name", RETURNED)
def test_what_a_function_returns_instead_of_a_number_is_named(name):
    value, words = RETURNED[name]
    hint = r"; is a return missing\?" if value is None else ""
    pattern = f"inconclusive: the function returned {words}: a function must return one real number{hint}{PLACE}"
    says(dc.check_gradient(lambda x: value, slope, AT), pattern)
    says(dc.check_directional(lambda x: value, slope, AT, directions=2), pattern)


@pytest.mark.parametrize("number", [Fraction, mpmath.mpf])
def test_a_number_of_another_library_is_one(number):
    verdict = dc.check_gradient(
        lambda x: number(float(x[0])) ** 2, lambda x: [2 * number(float(x[0]))], [0.75], noise=0.0
    )
    assert verdict.status == "consistent"


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (lambda x: None, r"returned None; is a return missing\?"),
        (lambda x: x.__imul__(2), "changed its argument in place"),
        (lambda x: 2 * x[:1], r"has the wrong shape or type: .* shape \(2,\) is needed, got shape \(1,\)"),
        (lambda x: {"a": 2 * x}, "has the wrong shape or type: .*, got dict"),
        (lambda x: map(float, x), "has the wrong shape or type: .*, got map"),
        (lambda x: np.ma.array(2 * x, mask=[0, 1]), "has the wrong shape or type: .* a masked array.*"),
        (lambda x: [[1], [1, 2]], "has the wrong shape or type: .*"),
    ],
)
def test_what_a_gradient_returns_instead_of_one_is_the_first_line(claim, words):
    says(dc.check_gradient(square, claim, AT), f"wrong: the gradient {words}{PLACE}")


def adds_to_its_argument(x):
    grad = 2 * x
    x[0] += grad[0]
    return grad


def doubles_its_argument(x):
    np.multiply(x, 2, out=x)
    return x


def writes_where_it_may(x):
    if x.flags.writeable:
        x[:] = 1.0
    return 2 * x


@pytest.mark.parametrize(
    ("claim", "text"),
    [(adds_to_its_argument, "x[0]"), (doubles_its_argument, "np.multiply(x, 2, out=x)")],
)
def test_what_writes_into_the_argument_is_marked(claim, text):
    # the line of the definition was told, which may be far above
    v = dc.check_gradient(square, claim, AT)
    (mark,) = v.marks
    assert (mark.text, mark.line) == (text, claim.__code__.co_firstlineno + 1 + (text == "x[0]"))
    assert f"changed its argument in place (test_observation.py:{mark.line})" in first_line(v)
    assert (v.cause.kind, str(v.cause)) == ("in place", f"{text} writes into the argument")


def test_code_that_asks_whether_it_may_write_has_no_mark():
    v = dc.check_gradient(square, writes_where_it_may, AT)
    assert v.marks == ()
    assert "changed its argument in place (test_observation.py:" in first_line(v)


def test_a_dict_with_a_missing_key_is_named():
    verdict = dc.check_gradient(lambda p: p["a"] @ p["b"], lambda p: {"a": p["b"]}, {"a": AT, "b": AT})
    assert "keys ['a', 'b'] is needed; " in first_line(verdict)


def test_an_exception_of_the_second_call_is_told():
    calls = []

    def gradient(x):
        calls.append(x)
        return 2 * x if len(calls) < 2 else sys.exit("second")

    says(dc.check_gradient(square, gradient, AT), f"wrong: the gradient raised SystemExit: second{PLACE}, when it .*")


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, GeneratorExit])
def test_an_interrupt_passes(interrupt):
    for check, right, options in CHECKS.values():
        with pytest.raises(interrupt):
            check(raising(interrupt()), right, AT, **options)


def test_another_point_is_advised_where_rules_were_tried_alone():
    verdict = dc.check_gradient(lambda x: x * np.sum(x), slope, [1.0, 2.0, 3.0])
    assert "Check at another point" not in verdict.explain()
    tried = replace(verdict, rungs=(*verdict.rungs, ("identity", 0.1, "it took too long")))
    assert "Check at another point" in tried.explain()


# ---- several points, and a function that should have returned one number


def test_rows_that_are_taken_for_points_are_said_in_the_first_line():
    says(
        dc.check_gradient(lambda x: x**2, slope, [1.0, 2.0, 3.0]),
        "consistent: the gradient agrees .* in all 3 components; f returned 3 numbers, one for each row of at: "
        "they are judged as 3 points",
    )
    formula = dc.check_gradient(dc.parse("x**2"), slope, [1.0, 2.0, 3.0])
    assert "row" not in first_line(formula)


@pytest.mark.parametrize(
    "gradient",
    [lambda x: np.array([2 * x[0], 2 * x[1], 2 * x[2]]), lambda x: 2 * x / np.size(x)],
    ids=["takes the whole", "other numbers of the whole"],
)
def test_a_gradient_that_is_not_by_rows_is_refused(gradient):
    says(
        dc.check_gradient(lambda x: x**2, gradient, [1.0, 2.0, 3.0]),
        "inconclusive: f returned 3 numbers, one for each row of at, and the gradient is that of an array, .*",
    )


def test_numbers_that_are_not_one_for_each_row_are_no_points():
    says(
        dc.check_gradient(lambda x: x * np.sum(x), slope, [1.0, 2.0, 3.0]),
        r"inconclusive: the function returned an array of shape \(3,\): a function must return one real number; "
        rf"`dc.check_jacobian` judges the first derivatives of several{PLACE}",
    )


# ---- the ladder


def lookup(x):
    return 2 * x + 0 * np.round(x, 1)


def test_a_rung_that_was_left_is_named_with_reason_and_place():
    verdict = dc.check_gradient(square, lookup, AT)
    assert (verdict.status, verdict.evidence) == ("consistent", "neighbours")
    (note,) = [note for note in verdict.notes if note.startswith("not by ")]
    assert note.startswith("not by identity: round() of a traced value: what follows would no longer depend")
    assert "(test_observation.py:" in note
    assert "Not by identity: round() of a traced value" in verdict.explain()


def test_a_function_of_a_library_is_named_where_it_is_called():
    pytest.importorskip("scipy.stats")
    verdict = dc.check_gradient(
        lambda x: np.sum(sys.modules["scipy.stats"].norm.cdf(x)), lambda x: np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), AT
    )
    assert verdict.status == "consistent"
    (note,) = [note for note in verdict.notes if note.startswith("not by identity: ")]
    assert note.startswith("not by identity: scipy.stats.norm.cdf is not traced")
    assert "(test_observation.py:" in note


def test_what_a_library_calls_is_placed_where_the_library_was_called():
    quad = pytest.importorskip("scipy.integrate").quad

    def quadrature(x):
        return np.array([quad(lambda t, w: 2 * w, 0, 1, args=(v,))[0] for v in x])

    verdict = dc.check_gradient(square, quadrature, AT)
    (note,) = [note for note in verdict.notes if note.startswith("not by identity: ")]
    line = quadrature.__code__.co_firstlineno + 1
    assert note.endswith(f"(test_observation.py:{line})")


CALLS = itertools.count()


def unsteady(x):
    return np.sum(x**2) + 1e-9 * (next(CALLS) % 7)


def strict(x):
    assert type(x) is np.ndarray
    return 2 * x


@pytest.mark.parametrize(("f", "gradient"), [(unsteady, slope), (square, strict), (square, lookup)])
def test_why_a_code_is_not_judged_by_identity_says_where_and_what_to_do(f, gradient):
    verdict = dc.check_gradient(f, gradient, AT)
    assert verdict.evidence != "identity"
    (note,) = [note for note in verdict.notes if note.startswith("not by identity: ")]
    assert re.search(r"; [a-z].*\(.*test_observation\.py:\d+\)$", note)
    assert f"N{note[1:]}." in verdict.explain()
    assert ": ;" not in note


def test_each_reason_is_said_once_and_every_rung_is_named():
    opaque = np.vectorize(lambda v: float(str(float(v))) ** 2, otypes=[float])
    verdict = dc.check_gradient(lambda x: opaque(x).sum(), lookup, AT)
    notes = [note for note in verdict.notes if note.startswith("not by ")]
    assert verdict.evidence == "witness"
    assert len(notes) == len({note.partition(": ")[2] for note in notes}) >= 1


FAULTS = [RuntimeError("inside"), RecursionError(), MemoryError(), IndexError("list index"), SystemExit(1)]


@pytest.mark.parametrize("error", FAULTS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("what", CHECKS)
def test_whatever_fails_inside_identity_leads_to_the_next_rung(monkeypatch, error, what):
    def failing(problem):
        raise error

    monkeypatch.setattr(ladder, "judge_by_identity", failing)
    monkeypatch.setattr(check_arrays, "judge_by_identity", failing)
    monkeypatch.setattr(check_directional, "judge_by_identity", failing)
    check, right, options = CHECKS[what]
    verdict = check(square, right, AT, **options)
    assert verdict.status in ("consistent", "inconclusive")
    assert verdict.evidence in ("neighbours", "witness")
    assert any(note.startswith(f"not by identity: raised {type(error).__name__}") for note in verdict.notes)


def test_where_every_rung_fails_the_verdict_says_so(monkeypatch):
    def failing(problem):
        raise RuntimeError("inside")

    for name in ("judge_by_identity", "judge_by_neighbours", "judge_by_witness"):
        monkeypatch.setattr(ladder, name, failing)
    verdict = dc.check_gradient(square, slope, AT)
    assert verdict.status == "inconclusive"
    assert first_line(verdict).startswith("inconclusive: no rule could judge it")
    assert "Not by identity: raised RuntimeError: inside" in verdict.explain()


@pytest.mark.places
def test_a_search_for_a_cause_that_fails_says_nothing(monkeypatch):
    def failing(*args, **kwargs):
        raise IndexError("inside")

    monkeypatch.setattr(ladder, "find_cause_nearby", failing)
    monkeypatch.setattr(pointing, "search", failing)
    verdict = dc.check_gradient(square, lambda x: 3 * x, AT)
    assert (verdict.status, verdict.cause) == ("wrong", None)


def test_a_rung_answers_with_a_judgement_or_with_a_reason():
    problem = Problem(square, slope, AT, np.copy, np.asarray, ("x[0]", "x[1]"))
    answers = [lambda p: Left("one"), lambda p: Left("one"), lambda p: None, lambda p: Left("two"), judgement]
    found = ladder.climb_rungs(problem, [(f"rung {k}", rung) for k, rung in enumerate(answers)])
    lines = [code.__code__.co_firstlineno for code in (square, slope)]
    places = " (f: test_observation.py:{}; the gradient: test_observation.py:{})".format(*lines)
    assert found.notes == ("seen", f"not by rung 0: one{places}", f"not by rung 3: two{places}")


def judgement(problem):
    nan = np.full(2, np.nan)
    return Judgement("witness", ("consistent",) * 2, nan, nan, nan, np.nan, None, ("seen",))


# ---- code of other libraries


def test_scipys_function_with_its_gradient_is_judged():
    memoize = pytest.importorskip("scipy.optimize._optimize").MemoizeJac
    both = memoize(lambda x: (np.sum(np.exp(x)), np.exp(x)))
    assert first_line(dc.check_gradient(both, both.derivative, AT)).startswith("consistent")
    assert type(both.x) is np.ndarray
    bad = memoize(lambda x: (np.sum(np.exp(x)), np.exp(x) * (1 + 1e-9)))
    assert dc.check_gradient(bad, bad.derivative, AT).status == "wrong"


def test_a_gradient_that_takes_arrays_alone_is_judged():
    def gradient(x):
        if type(x) is not np.ndarray:
            raise ValueError("no array")
        return 2 * x

    verdict = dc.check_gradient(square, gradient, AT)
    assert (verdict.status, verdict.evidence) == ("consistent", "neighbours")
    assert any("ValueError: no array" in note for note in verdict.notes)
    assert dc.check_gradient(square, lambda x: gradient(x) * (1 + 1e-9), AT).status == "wrong"


# ---- words


def test_the_worst_component_is_shown_and_the_first_line_tells_of_it():
    opaque = np.vectorize(lambda v: float(str(float(v))) ** 2, otypes=[float])
    claim = lambda x: np.array([2.001 * x[0], 2 * x[1], 5 * x[2]])  # noqa: E731
    for f, g in ((square, claim), (square, lambda x: lookup(x) / 2 * claim(x) / x), (lambda x: opaque(x).sum(), claim)):
        verdict = dc.check_gradient(f, g, [1.0, 2.0, 3.0])
        assert verdict.status == "wrong"
        lines = verdict.explain()
        assert "Worst component x[2]: claimed 15.0" in lines
        size = 9 / (6 if verdict.evidence != "witness" else 15)
        assert f"by up to {size:.2g}" in lines.partition("\n")[0]


def test_sizes_read_well():
    verdict = dc.check_gradient(square, lambda x: 9 * x, AT)
    assert first_line(verdict).endswith("by up to 3.5 times the largest component")
    assert not verdict.rounding > 1e-15
    lost = dc.check_gradient(square, lambda x: 2 * x * [1, np.inf], AT)
    assert "inf of" not in lost.explain()
    assert first_line(lost).endswith("x[1] is inf")
    near = dc.check_gradient(lambda x: np.sum(x**3), lambda x: 3 * x * x * (1 + 2.0**-52), AT)
    assert "1 ulps" not in near.explain()


def test_an_open_question_has_its_reason_in_the_first_line():
    stairs = lambda x: float(np.vectorize(lambda v: float(f"{v:.2f}"))(x).sum())  # noqa: E731
    verdict = dc.check_gradient(stairs, lambda x: np.ones(2), AT)
    assert verdict.status == "inconclusive"
    assert first_line(verdict).startswith("inconclusive: neither right nor wrong can be shown here: ")


# ---- pickling


def test_errors_and_what_a_check_is_made_of_can_be_pickled():
    with pytest.raises(dc.ParseError) as parse:
        dc.parse("x +* 2")
    with pytest.raises(dc.TraceError) as trace:
        dc.trace(lambda x: lookup(x).sum(), 2)
    for error in (parse.value, trace.value, dc.DomainError("d"), dc.StudyError("s"), dc.UnsupportedFunction("u")):
        for other in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
            assert (type(other), str(other)) == (type(error), str(error))
    wrong = dc.check_gradient(square, lambda x: x, AT)
    for other in (pickle.loads(pickle.dumps(wrong)), copy.deepcopy(wrong), copy.copy(wrong)):
        assert (other.cause, other.cause.kind, other.cause.components) == (
            wrong.cause, wrong.cause.kind, wrong.cause.components,
        )  # fmt: skip
        assert type(other.cause) is type(wrong.cause)
        assert other.explain() == wrong.explain()


def test_a_function_without_a_signature_is_called():
    assert dc.check_gradient(np.add.reduce, functools.partial(np.multiply, 0), AT).status == "wrong"
    assert dc.check_gradient(max, lambda x: np.array([0.0, 1.0]), AT).status == "consistent"


def counting(function):
    """The function, and a list that grows with each call of it from outside a trace."""
    calls = []

    def counted(x):
        calls.append(x)
        return function(x)

    return counted, calls


@pytest.mark.parametrize("read", [square, lambda x: float(x[0]) ** 2 + float(x[1]) ** 2], ids=["traced", "opaque"])
def test_code_is_observed_by_four_calls_of_the_gradient_and_three_of_the_function(read):
    f, values = counting(read)
    g, slopes = counting(slope)
    seen = observe(Problem(f, g, AT, np.copy, np.asarray, ("x[0]", "x[1]")))
    assert isinstance(seen, State)
    assert seen.steady
    # here, again, elsewhere, here again
    assert (len(values), len(slopes)) == (3, 4)


def test_a_rung_asks_no_more_of_what_was_observed():
    f, values = counting(square)
    g, slopes = counting(slope)
    problem = Problem(f, g, AT, np.copy, np.asarray, ("x[0]", "x[1]"))
    state_of(replace(problem, seen=observe(problem)))
    assert (len(values), len(slopes)) == (3, 4)
    state_of(problem)
    assert (len(values), len(slopes)) == (4, 5)


def test_an_ordinary_traced_pair_takes_few_calls():
    f, values = counting(square)
    g, slopes = counting(slope)
    assert dc.check_gradient(f, g, AT).evidence == "identity"
    # of the gradient: four to observe it, one to trace it, one beside the point, where it moves as its trace does
    assert len(slopes) <= 6
    assert len(values) <= 18


def test_a_function_that_raises_far_from_the_point_is_observed_closer_to_it():
    def near(x):
        if np.max(np.abs(x - AT)) > 2.0**-8:
            raise ValueError("too far")
        return x @ x

    seen = observe(Problem(near, slope, AT, np.copy, np.asarray, ("x[0]", "x[1]")))
    assert isinstance(seen, State)
    assert seen.steady


def test_a_function_that_answers_differently_is_not_steady():
    random = np.random.default_rng(1)
    seen = observe(Problem(lambda x: x @ x + random.random(), slope, AT, np.copy, np.asarray, ("x[0]", "x[1]")))
    assert isinstance(seen, State)
    assert not seen.steady


def test_a_gradient_that_uses_what_the_function_left_depends_on_earlier_calls():
    held = []

    def remembering(x):
        held[:] = [x.copy()]
        return x @ x

    verdict = dc.check_gradient(remembering, lambda x: 2 * (held[0] if held else x), AT)
    assert verdict.status == "wrong"
    assert "depends on earlier calls" in verdict.explain()


UNUSED = r"inconclusive: f does not use its argument: .* let it put the argument where it reads, as def f\(W\)"


@pytest.mark.parametrize("opaque", [False, True])
def test_a_function_that_reads_elsewhere_is_not_judged_by_a_derivative_of_0(opaque):
    weights = np.array([0.5, -1.0])
    loss = (lambda W: float.fromhex(float(weights @ weights).hex())) if opaque else (lambda W: weights @ weights)
    verdict = dc.check_gradient(loss, lambda W: 2 * weights, weights.tolist())
    assert re.match(UNUSED, verdict.explain())
    assert "derivative 0" not in verdict.explain()


def test_a_gradient_of_0_of_a_function_that_reads_elsewhere_is_right_and_that_is_said():
    weights = np.array([0.5, -1.0])
    verdict = dc.check_gradient(lambda W: weights @ weights, np.zeros_like, weights.copy())
    assert verdict.status == "consistent"
    assert "f does not use its argument" in verdict.explain()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.where(x > 3, x - 3, 0.0)),
        lambda x: np.sum(np.where(x < -1, x + 1, 0.0)),
        lambda x: np.sum(np.floor(x)),
        lambda x: 1 - np.exp(-np.sum(np.abs(x)) - 60),
        lambda x: np.nansum(np.maximum(x, 3.0)),
    ],
)
def test_a_function_that_is_constant_here_alone_uses_its_argument(f):
    verdict = dc.check_gradient(f, lambda x: np.ones(2), AT)
    assert verdict.status == "wrong"


def test_what_is_constant_in_its_box_and_a_constant_formula_have_the_derivative_0():
    assert dc.check_gradient(lambda x: 1.0, lambda x: np.ones(2), AT, box=(-4.0, 4.0)).status == "wrong"
    assert dc.check_gradient(dc.parse("3", variables=["x"]), lambda x: 1.0, 0.5).status == "wrong"


def test_a_function_that_moves_costs_no_call_more():
    calls = []
    problem = Problem(lambda x: calls.append(0) or x @ x, slope, AT, lambda x: x.copy(), lambda x: x, ("x[0]", "x[1]"))
    observe(problem)
    assert len(calls) == 3
