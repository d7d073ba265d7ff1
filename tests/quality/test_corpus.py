"""The verdict on the whole corpus: bugs found net of false alarms, causes, blame, and no false alarm.

A bug counts as found where the wrong gradient is called wrong *and* the right one, at the same point, is not: who
calls everything wrong finds nothing. Three settings: as it is (f and gradient can both be traced), an opaque gradient
beside a formula or a traced f, and a black box (neither can be traced, and there is no formula).
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.causes.budget import Exhausted
from diffcompare.verdict.ladder import cause_in_code
from diffcompare.verdict.pointing import Pointed

from ..stated import numbers  # noqa: TID252 - tests are no package
from ..stated import stated as in_evidence  # noqa: TID252 - tests are no package
from .corpus import (
    BUGS,
    EASY,
    HARD,
    RIGHT_FORMULAS,
    ROUNDING,
    TWINS,
    WRONG_FORMULAS,
    Case,
    evaluated,
    opaque,
    size,
)
from .corpus_truth import formula_function, true_gradient

pytestmark = pytest.mark.thorough

SETTINGS = ("as it is", "opaque gradient", "black box")
# as reports/evidence.md calls them
STATED = {
    "as it is": "where both codes trace",
    "opaque gradient": "with an opaque gradient and a formula",
    "black box": "as black boxes",
}
RIGHT = [*EASY, *HARD, *ROUNDING, *RIGHT_FORMULAS]

# how the sentence of each kind of cause is known
WORDS = {
    "not finite": "nan|infinite",
    "treated as constant": "treated as constant",
    "sign": "sign .*flipped",
    "factor": "^factor|^the factor|times (the true value|its weight)",
    "permuted": "permuted|repeats component",
    "shifted": "shifted|stands in the wrong one",
    "transposed": "transposed",
    "missing term": "no contribution|derivative of the term .* missing|product rule|is missing: the gradient of a reg",
    "extra term": "added|counted twice",
    "chain factor": "chain factor|derivative|exponent|^the factor",
    "other function": "is the gradient of",
    "clipped": "clipped",
    "float32": "float32|float16",
    "finite difference": "finite difference",
    "one component": "^only component",
    "guard": "the constant|the bound",
}
# kinds of bugs that have no name of their own: none need be said
UNNAMED = ("twin", "wrong constant", "small", "coarse inverse", "boundary")

needs_the_verdict = pytest.mark.skipif("check_gradient" not in dc.__all__, reason="there is no check_gradient yet")


def truth(case: Case) -> list[Any]:
    """The partial derivatives of f in many digits; of its formula where f cannot be run on such numbers."""
    try:
        return true_gradient(case.f, case.at)
    except (TypeError, AttributeError, ValueError):
        if case.formula is None:
            raise
        return formula_truth(case)


def formula_truth(case: Case) -> list[Any]:
    function = formula_function(str(case.formula), np.size(case.at), scalar=np.ndim(case.at) == 0)
    return true_gradient(function, case.at)


def relative(one: list[Any], other: list[Any]) -> float:
    """The largest difference, relative to the largest component (absolute where all are 0)."""
    with mpmath.workdps(60):
        largest = max(abs(mpmath.mpf(d)) for d in other)
        return float(max(abs(mpmath.mpf(a) - d) for a, d in zip(one, other, strict=True)) / (largest or 1))


# the corpus itself


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    assert len(BUGS) >= 80
    assert len({case.kind for case in BUGS}) >= 18
    assert len(EASY) >= 60
    assert len(HARD) >= 60
    assert len(ROUNDING) == len(TWINS) >= 30
    assert len(WRONG_FORMULAS) == len(RIGHT_FORMULAS) >= 20
    names = [case.name for case in (*EASY, *HARD, *ROUNDING, *TWINS, *BUGS, *WRONG_FORMULAS, *RIGHT_FORMULAS)]
    assert [name for name, count in Counter(names).items() if count > 1] == []


@pytest.mark.parametrize("case", [*RIGHT, *WRONG_FORMULAS], ids=str)
def test_a_right_gradient_is_right(case: Case) -> None:
    # a formula that contradicts f says nothing about f
    found = true_gradient(case.f, case.at) if case.blame else truth(case)
    assert relative([float(g) for g in evaluated(case.gradient, case.at)], found) <= case.rounding


@pytest.mark.parametrize("case", [case for case in RIGHT if case.formula], ids=str)
def test_a_formula_of_a_right_gradient_is_that_of_the_function(case: Case) -> None:
    # constants of the code are binary, those of the formula are decimal
    assert relative(truth(case), formula_truth(case)) <= 1e-14


@pytest.mark.parametrize("case", WRONG_FORMULAS, ids=str)
def test_a_wrong_formula_is_wrong(case: Case) -> None:
    assert relative(truth(case), formula_truth(case)) > 1e-7


@pytest.mark.parametrize("case", [*BUGS, *TWINS], ids=str)
def test_a_bug_is_wrong_and_its_truth_is_right(case: Case) -> None:
    assert case.truth is not None
    found = truth(case)
    assert relative([float(g) for g in evaluated(case.truth, case.at)], found) <= case.rounding
    assert size(case, found) >= (1e-9 if case.kind != "twin" else 25 * case.rounding)


def test_the_sizes_of_the_bugs_reach_from_1_to_1e_minus_9() -> None:
    sizes = [size(case, truth(case)) for case in BUGS]
    assert {int(np.floor(np.log10(s))) for s in sizes if np.isfinite(s)} >= {0, -1, -2, -3, -4, -5, -6, -7, -8, -9}


# the verdict on it


@dataclass(frozen=True, slots=True)
class Scored:
    """What was said of a gradient; ``control`` of its right twin."""

    case: Case
    verdict: Any
    control: Any = None

    @property
    def found(self) -> bool:
        return self.verdict.status == "wrong" and self.control.status != "wrong"


def stated(case: Case) -> Any:
    """The formula with all variables of the point, whether they occur or not."""
    if case.formula is None:
        return None
    names = [f"x{i}" for i in range(np.size(case.at))] if np.ndim(case.at) else ["x"]
    return dc.parse(case.formula, variables=names)


def judged(case: Case, gradient: Any, setting: str) -> Any:
    at = np.array(case.at) if np.ndim(case.at) else float(case.at)
    # the search as it is: what it raises is seen here
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("diffcompare.verdict.check.cause_in_code", raw_search)
        # causes are counted that values tell; what the source tells besides is counted in test_mistakes.py
        patch.setattr("diffcompare.verdict.verdict.point_out", lambda _problem, _judgement, cause: Pointed((), cause))
        return checked(case, gradient, at, setting)


def raw_search(*arguments: Any) -> Any:
    try:
        return cause_in_code.__wrapped__(*arguments)
    except Exhausted:
        return None


def checked(case: Case, gradient: Any, at: Any, setting: str) -> Any:
    if setting == "as it is":
        return dc.check_gradient(case.f, gradient, at)
    if setting == "opaque gradient":
        return dc.check_gradient(case.f, opaque(gradient), at, formula=stated(case))
    return dc.check_gradient(opaque(case.f), opaque(gradient), at)


@functools.cache
def right(setting: str) -> tuple[Scored, ...]:
    return tuple(Scored(case, judged(case, case.gradient, setting)) for case in (*EASY, *HARD, *ROUNDING))


@functools.cache
def wrong(setting: str) -> tuple[Scored, ...]:
    return tuple(
        Scored(case, judged(case, case.gradient, setting), judged(case, case.truth, setting))
        for case in (*BUGS, *TWINS)
    )


@functools.cache
def formulas() -> tuple[Scored, ...]:
    def checked(case: Case) -> Any:
        at = np.array(case.at) if np.ndim(case.at) else float(case.at)
        return dc.check_gradient(case.f, case.gradient, at, formula=stated(case))

    return tuple(
        Scored(case, checked(case), checked(control))
        for case, control in zip(WRONG_FORMULAS, RIGHT_FORMULAS, strict=True)
    )


def told(scored: list[Scored]) -> str:
    return "\n".join(
        f"{s.case}: {s.verdict.status} by {s.verdict.evidence}, blame {s.verdict.blame}, cause {s.verdict.cause}"
        f"{'' if s.control is None else f'; right gradient {s.control.status}'}"
        for s in scored
    )


@needs_the_verdict
@pytest.mark.parametrize("setting", SETTINGS)
def test_no_right_gradient_is_called_wrong(setting: str) -> None:
    false = [s for s in right(setting) if s.verdict.status == "wrong"]
    false += [Scored(s.case, s.control) for s in wrong(setting) if s.control.status == "wrong"]
    assert false == [], told(false)


@needs_the_verdict
def test_few_right_gradients_are_left_open_where_both_trace() -> None:
    unsure = [s for s in right("as it is") if s.verdict.status != "consistent"]
    assert len(unsure) < 0.05 * len(right("as it is")), told(unsure)


@needs_the_verdict
def test_every_bug_above_the_resolution_is_found_where_both_trace() -> None:
    missed = [
        s
        for s in wrong("as it is")
        if not s.found and not size(s.case, truth(s.case)) <= s.verdict.resolution
    ]  # fmt: skip
    assert missed == [], told(missed)


@needs_the_verdict
@pytest.mark.parametrize(("setting", "least"), [("as it is", 0.97), ("opaque gradient", 0.97), ("black box", 0.91)])
def test_bugs_found_net(setting: str, least: float) -> None:
    # twins are as small as the rounding of the point allows; a witness need not see them
    scored = [s for s in wrong(setting) if s.case.kind != "twin"]
    missed = [s for s in scored if not s.found]
    assert len(scored) - len(missed) >= round(least * len(scored), 6), told(missed)


@needs_the_verdict
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_stated_resolution_is_kept(setting: str) -> None:
    broken = [
        s
        for s in wrong(setting)
        if s.verdict.status == "consistent" and size(s.case, truth(s.case)) > s.verdict.resolution
    ]
    assert broken == [], told(broken)


@needs_the_verdict
def test_formulas_that_contradict_their_function() -> None:
    false = [Scored(s.case, s.control) for s in formulas() if s.control.status != "consistent"]
    assert false == [], told(false)
    missed = [s for s in formulas() if s.verdict.status != "wrong"]
    assert missed == [], told(missed)


@needs_the_verdict
def test_the_blame_is_right() -> None:
    called = [s for s in (*wrong("as it is"), *formulas()) if s.verdict.status == "wrong"]
    mistaken = [s for s in called if s.verdict.blame != s.case.blame]
    assert len(mistaken) <= 0.05 * len(called), told(mistaken)


def cause_judged(s: Scored) -> str:
    """``right`` if the sentence is one that says what was planted, ``none`` if there is none, else ``wrong``."""
    if s.verdict.cause is None:
        return "none"
    return (
        "right"
        if any(re.search(WORDS[kind], s.verdict.cause.removeprefix("looks like: ")) for kind in s.case.causes)
        else "wrong"
    )


@needs_the_verdict
@pytest.mark.parametrize("setting", SETTINGS)
def test_no_cause_is_wrong(setting: str) -> None:
    mistaken = [s for s in wrong(setting) if s.verdict.status == "wrong" and cause_judged(s) == "wrong"]
    assert mistaken == [], told(mistaken)


@needs_the_verdict
@pytest.mark.parametrize("setting", SETTINGS[:2])
def test_causes_are_found(setting: str) -> None:
    named = [s for s in wrong(setting) if s.case.kind not in UNNAMED and s.verdict.status == "wrong"]
    silent = [s for s in named if cause_judged(s) == "none"]
    assert len(silent) <= 0.03 * len(named), told(silent)


@needs_the_verdict
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_evidence_is_that_of_the_setting(setting: str) -> None:
    evidence = {"as it is": "identity", "opaque gradient": "neighbours", "black box": "witness"}[setting]
    others = [s for s in right(setting) if s.verdict.evidence != evidence]
    # what cannot be traced, or is settled before any rule, may be judged otherwise
    assert len(others) <= 0.1 * len(right(setting)), told(others)


@needs_the_verdict
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_score_is_printed(setting: str) -> None:
    statuses = Counter((s.case.kind, s.verdict.status) for s in right(setting))
    found = Counter((s.case.kind == "twin", s.found) for s in wrong(setting))
    print(f"\n{setting}: bugs {found[False, True]} of {len(BUGS)} net, twins {found[True, True]} of {len(TWINS)}")
    causes = Counter(cause_judged(s) for s in wrong(setting) if s.verdict.status == "wrong")
    print("  causes: " + ", ".join(f"{word} {causes[word]}" for word in ("right", "none", "wrong")))
    print("  right gradients: " + ", ".join(f"{k} {s} {n}" for (k, s), n in sorted(statuses.items())))
    alarms = sum(n for (_, status), n in statuses.items() if status == "wrong")
    share = f"{found[False, True]} {STATED[setting]}"
    assert in_evidence("verdicts").startswith(
        f"of {len(right(setting))} right gradients {alarms} called wrong; of {len(BUGS)} bugs "
    )
    assert share in in_evidence("verdicts")


@needs_the_verdict
def test_the_calls_are_the_stated_ones() -> None:
    verdicts = [v for setting in SETTINGS for s in (*right(setting), *wrong(setting)) for v in (s.verdict, s.control)]
    found = []
    for evidence in ("identity", "neighbours", "witness"):
        calls = np.array([v.calls for v in verdicts if v is not None and v.evidence == evidence])
        middle, most = np.median(calls, axis=0), calls.max(axis=0)
        print(f"{evidence}: f {middle[0]:g} (at most {most[0]}), gradient {middle[1]:g} (at most {most[1]})")
        found += [middle[0], most[0], middle[1], most[1]]
    told = numbers("calls of opaque code")
    assert told[::2] == found[::2]
    # how often doubt asks depends on what rounding does
    assert (np.array(found[1::2]) <= 1.2 * np.array(told[1::2])).all()
