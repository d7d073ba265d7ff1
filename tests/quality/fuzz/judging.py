"""Draw a pair, find the truth, ask diffcompare in several settings, and hold the answers against it."""

from __future__ import annotations

import contextlib
import math
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import numpy as np

import diffcompare as dc
from diffcompare.verdict import check, identity, verdict
from diffcompare.verdict.pointing import Pointed

from .code import Drawn
from .reals import TruthUnknownError
from .referee import Fault, Seen, contradiction, faults_of
from .truth import Truth, truth_of

__all__ = ["SETTINGS", "TRACED", "Outcome", "TooLong", "judge", "limited"]

SETTINGS = ("traced", "arrays", "opaque gradient", "opaque")
# in which the gradient is seen
TRACED = ("traced", "arrays")
_OPAQUE = """

def opaque_f(x):
    return float(repr(float(f(x))))


def opaque_gradient(x):
    return np.array([float(repr(float(v))) for v in gradient(x)])
"""


class TooLong(BaseException):
    """The time is over: no user code and no rule may catch this."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one pair.

    Parameters
    ----------
    kinds : tuple of str
        What the components are in truth; empty where that is not known.
    words : tuple of (setting, word, kind)
        One for each component and setting.
    faults : tuple of Fault
    seconds, truth_seconds : float
        Of diffcompare, and of the truth.
    checks : int
        How many settings were asked.
    """

    index: int
    kinds: tuple[str, ...]
    delicate: bool
    words: tuple[tuple[str, str, str], ...]
    faults: tuple[Fault, ...]
    seconds: float
    truth_seconds: float
    unknown: str = ""
    checks: int = 0


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise :class:`TooLong` after some time of the processor; in the main thread, where the system has alarms."""

    def over(_: int, frame: FrameType | None) -> None:
        raise TooLong("".join(traceback.format_stack(frame)[-6:]))

    before = signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def judge(drawn: Drawn, *, settings: Sequence[str] = SETTINGS, limit: float = 20.0, causes: bool = False) -> Outcome:
    """Judge one pair in all settings."""
    start = time.process_time()
    try:
        with limited(limit), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            truth = truth_of(drawn.source, drawn.x)
    except TruthUnknownError as error:
        return Outcome(drawn.index, (), False, (), (), 0.0, time.process_time() - start, str(error))
    except TooLong:
        return Outcome(drawn.index, (), False, (), (), 0.0, time.process_time() - start, "the truth takes too long")
    except Exception as error:  # mpmath does not converge: no truth, and no word on diffcompare
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:60]}"
        return Outcome(drawn.index, (), False, (), (), 0.0, time.process_time() - start, why)
    middle = time.process_time()
    faults, answers = [], []
    for setting in settings:
        try:
            with limited(limit):
                answers.append(ask(drawn, setting, causes=causes))
        except TooLong as over:
            faults.append(Fault(setting, "hang", f"more than {limit:g} s", str(over)))
        except Exception as error:  # any exception is a fault
            faults.append(Fault(setting, "exception", _place(error), traceback.format_exc(limit=-6)))
    for answer in answers:
        faults += faults_of(truth, answer)
    if not faults and not truth.delicate:
        faults += contradiction(answers)
    if not faults and not truth.delicate and len(drawn.x) > 1 and drawn.index % 4 == 0:
        faults += _beside(drawn, answers, limit)
    kinds = tuple(c.kind for c in truth.components)
    words = tuple((a.setting, word, kind) for a in answers for word, kind in zip(a.status, kinds, strict=True))
    return Outcome(
        drawn.index, kinds, bool(truth.delicate), words, tuple(faults), time.process_time() - middle, middle - start,
        checks=len(settings),
    )  # fmt: skip


def _beside(drawn: Drawn, answers: Sequence[Seen], limit: float) -> list[Fault]:
    """Change one component of the claim: the words of the others may not change."""
    found = []
    j = drawn.index // 4 % len(drawn.x)
    how = ("np.nan", "3*r + 1")[drawn.index // 4 % 2]
    spoiled = f"""


def whole_gradient(x, gradient=gradient):
    return gradient(x)


def gradient(x):
    r = whole_gradient(x)
    return np.where(np.arange({len(drawn.x)}) == {j}, {how}, r)
"""
    for answer in answers:
        if answer.setting == "opaque" or answer.evidence == "calls" or not all(map(math.isfinite, answer.claimed)):
            continue
        try:
            with limited(limit):
                again = ask(replace(drawn, source=drawn.source + spoiled), answer.setting)
        except TooLong as over:
            found.append(Fault(answer.setting, "hang", f"more than {limit:g} s", str(over)))
            continue
        except Exception as error:
            found.append(Fault(answer.setting, "exception", _place(error), traceback.format_exc(limit=-6)))
            continue
        # a claim that is not 0 of a function that does not use its argument is refused whole
        if again.evidence == "calls":
            continue
        for i, (one, two) in enumerate(zip(answer.status, again.status, strict=True)):
            if i != j and one != two:
                detail = f"component {i} is {one}; {two} where the claim of component {j} is {how}"
                found.append(Fault(answer.setting, two, "it depends on another component's claim", detail, i))
    return found


def _place(error: Exception) -> str:
    """Name an exception by its type and the line of diffcompare that raised it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "diffcompare" in f.filename]
    where = f"{frames[-1].filename.rsplit('/', 1)[-1]} {frames[-1].name}" if frames else "?"
    return f"{type(error).__name__} in {where}"


def ask(drawn: Drawn, setting: str, *, causes: bool = False) -> Seen:
    """Ask diffcompare about a pair."""
    names: dict[str, Any] = {"__name__": "drawn"}
    exec(compile(drawn.source + _OPAQUE, "drawn.py", "exec"), names)
    f = names["opaque_f" if setting == "opaque" else "f"]
    gradient = names["gradient" if setting in TRACED else "opaque_gradient"]
    x = np.array(drawn.x)
    with warnings.catch_warnings(), np.errstate(all="ignore"), _cause_search(causes), _as_arrays(setting == "arrays"):
        warnings.simplefilter("ignore")
        value = _value(f, x)
        said = dc.check_gradient(f, gradient, x)
        said.explain()
        beside = [
            [_value(f, np.where(np.arange(len(x)) == i, x + s * (2.0**-20 * abs(v) or 2.0**-20), x)) for s in (-1, 1)]
            for i, v in enumerate(drawn.x)
        ]
        around = tuple(math.isfinite(value) and all(map(math.isfinite, sides)) for sides in beside)
        infinite = tuple(any(map(math.isinf, sides)) for sides in beside)
    table = said.components
    columns = (tuple(map(float, table[name])) for name in ("claimed", "certified", "threshold"))
    return Seen(setting, value, said.evidence, tuple(table["status"]), *columns, said.resolution, around, drawn.x,
                infinite)  # fmt: skip


def _value(f: Callable[..., Any], x: Any) -> float:
    try:
        return float(f(x))
    except (ArithmeticError, ValueError):
        return math.nan


@contextlib.contextmanager
def _as_arrays(wanted: bool) -> Iterator[None]:
    """Follow short codes as large ones are."""
    before = identity._FEW
    identity._FEW = -1 if wanted else before
    try:
        yield
    finally:
        identity._FEW = before


@contextlib.contextmanager
def _cause_search(wanted: bool) -> Iterator[None]:
    """Leave out the search for a cause and its place: it takes longer than the verdict."""
    before = check.cause_in_code, verdict.point_out
    if not wanted:
        check.cause_in_code = lambda *_, **__: None
        verdict.point_out = lambda *_: Pointed()
    try:
        yield
    finally:
        check.cause_in_code, verdict.point_out = before


def truth(drawn: Drawn) -> Truth:
    """Return what is true of a pair."""
    return truth_of(drawn.source, drawn.x)
