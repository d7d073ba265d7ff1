"""What a change of the source of a gradient must make right: its value at the point, and at three more."""

from __future__ import annotations

import contextlib
import io
import math
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import CodeType, FrameType
from typing import Any

import numpy as np

from diffcompare.floats import Floats, unit_roundoff
from diffcompare.tracing.places import Written, is_library, written
from diffcompare.verdict.causes.budget import Budget
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.rewrites.apart import limited
from diffcompare.verdict.rewrites.first_wrong import Watch
from diffcompare.verdict.rewrites.running import Body, Change, Changed

__all__ = ["LOOKED_AT", "Trial", "quiet", "run_of"]

# of the error, what a change may leave at each point, what may be rounding anyway, and at most
_LEFT, _SMALL, _NOISY = 1e-9, 1e-6, 1e-3
# by how much rounding may grow where that is small, and else
_GROWN, _OFTEN = 1e5, 1e2
# operations that compiling a byte of code takes
_COMPILED = 50
# what a change may take however fast the gradient is, and where its values are looked at
_LEAST_SECONDS, LOOKED_AT = 0.04, 0.5
# how much sooner the trial of a change of a line with a first wrong value ends
_SOONER = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """What a change must make right.

    ``run``: the operations that it takes to run the gradient once; ``seconds``: what the source as it is took;
    ``watch``: what ends a trial early; ``times``: how many times the claim must be taken to be right, if that is known.
    """

    problem: Problem
    asked: Sequence[Nearby]
    budget: Budget
    run: int
    seconds: list[float] = field(default_factory=list)
    watch: Watch | None = None
    times: float | None = None

    def is_repeated(self, body: Body) -> bool:
        """Tell whether the source as it is gives what the gradient returned."""
        here = self.asked[0]
        self.budget.spend(self.run)
        began = time.process_time()
        with quiet(), body.changed(()) as gradient:
            value = _claim(replace(self.problem, gradient=gradient), here)
        self.seconds.append(time.process_time() - began)
        body.measure()
        return value is not None and np.array_equal(value, here.claimed)

    def limited(self, least: float = _LEAST_SECONDS) -> contextlib.AbstractContextManager[None]:
        """Give up what takes far longer than the source as it is."""
        return limited(least + 20 * max(self.seconds))

    def compiled(self, body: Body, changes: Sequence[Change]) -> Changed | None:
        """Return the gradient with changes; None where that is no Python."""
        self.budget.spend(_COMPILED * len(body.function.__code__.co_code))
        try:
            with body.changed(changes) as gradient:
                return gradient
        except (SyntaxError, ValueError):
            return None

    def noted(self, body: Body, changes: Sequence[Change]) -> Changed | None:
        """Run the gradient with probes; None where that cannot be done."""
        self.budget.spend(2 * self.run + _COMPILED * len(body.function.__code__.co_code))
        try:
            with body.changed(changes) as gradient:
                if self.watch is not None:
                    self.watch.on = False
                with self.limited(LOOKED_AT):
                    _claim(replace(self.problem, gradient=gradient), self.asked[0])
                return gradient
        except (SyntaxError, ValueError):
            return None

    def value(self, body: Body, gradient: Changed, beside: Nearby | None = None) -> Floats | None:
        """Evaluate a gradient at a point, the first if none is given."""
        self.budget.spend(self.run)
        body.rounds.left = body.rounds.most
        with self.limited():
            return _claim(replace(self.problem, gradient=gradient), beside or self.asked[0])
        return None

    def is_right(self, body: Body, gradient: Changed, before: Callable[[Nearby], None] = lambda _: None) -> bool:
        """Tell whether a gradient is right at all points, and its function what it was; ``before`` each it is told."""
        problem = replace(self.problem, gradient=_numbers_of(gradient))
        for beside in self.asked:
            watch, here = self.watch, beside is self.asked[0]
            self.budget.spend(self.run // (_SOONER if watch is not None and here else 1))
            body.rounds.left = body.rounds.most
            before(beside)
            if watch is not None:
                watch.seen, watch.on = 0, here
            value = None
            with self.limited():
                value = _claim(problem, beside)
            if value is None or not _fits(value, beside):
                return False
        return gradient.function is None or self._is_still(gradient.function)

    def _is_still(self, function: Callable[..., Any]) -> bool:
        """Tell whether the function has the values that it had."""
        changed = replace(self.problem, function=function)
        for beside in self.asked:
            self.budget.spend(2 * self.run)
            before, after = _evaluated(self.problem.values, beside), _evaluated(changed.values, beside)
            if before is None or after is None or not np.array_equal(before, after):
                return False
        return True


def _numbers_of(gradient: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse what a gradient returns by mistake: what is asked for its elements may give some without end."""

    def run(*arguments: Any) -> Any:
        value = gradient(*arguments)
        if not isinstance(value, int | float | list | tuple | dict) and not hasattr(type(value), "__array__"):
            raise TypeError(type(value).__name__)
        return value

    return run


def run_of(call: Callable[[], Any]) -> tuple[int, dict[Written, CodeType], set[tuple[str, int]]]:
    """Count the lines of Python that a call runs, and return the user's code among them, and which lines of it ran."""
    count, codes, lines, before = 0, dict[Written, CodeType](), set[tuple[str, int]](), sys.gettrace()

    def counted(frame: FrameType, event: str, __: Any) -> Any:
        nonlocal count
        if event == "line":
            count += 1
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        if event == "call" and not is_library(frame.f_code.co_filename):
            codes[written(frame.f_code)] = frame.f_code
        return counted

    with quiet(), contextlib.suppress(Exception):
        sys.settrace(counted)
        try:
            call()
        finally:
            sys.settrace(before)
    return count, codes, lines


@contextlib.contextmanager
def quiet() -> Any:
    """Hide what the user's code prints, and warnings of what is no sense."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


def _claim(problem: Problem, beside: Nearby) -> Floats | None:
    """Evaluate a gradient, or a matrix of derivatives; None where it raises or has another structure."""
    value = _evaluated(problem.claim, beside)
    return None if value is None or value.shape != beside.claimed.shape else np.array(value)


def _evaluated(call: Callable[[Floats], Floats], beside: Nearby) -> Floats | None:
    try:
        with np.errstate(all="ignore"):
            return call(beside.point)
    except Exception:
        return None


def _fits(value: Floats, beside: Nearby) -> bool:
    """Tell whether of an error nothing is left but rounding."""
    gap = np.abs(beside.gap)
    largest, size = np.max(np.abs(beside.certified), initial=0.0), np.max(gap, initial=0.0)
    # what the right code rounds has its own size
    scale = min(1.0, (largest or size) / np.max(np.abs(beside.claimed), initial=math.ulp(0.0)))
    noise = beside.threshold * scale
    if beside.difference is not None:
        # and may be more than what the wrong one does, but not by any amount
        seen = scale * np.max(np.abs(beside.claimed - beside.certified - beside.difference), initial=0.0)
        noise = np.clip(noise, min(_GROWN * seen, _SMALL * size), max(_OFTEN * seen, _SMALL * size))
    noise = np.maximum(noise, 64 * unit_roundoff * largest)
    # beside a claim that is far too large, and what it rounds, about nothing would do
    least = min(size, largest or size)
    seen_there = gap if not largest else np.minimum(gap, np.abs(beside.certified))
    known = np.isfinite(value).all() and (noise <= np.maximum(_NOISY * least, seen_there / 2)).all()
    return bool(known and (np.abs(value - beside.certified) <= _LEFT * least + noise).all())
