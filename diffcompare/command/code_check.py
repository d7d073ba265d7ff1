"""A gradient in code of the user's, judged at one point after the other: here, or in a process of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd

from diffcompare.command.code_process import Lost
from diffcompare.studies.user_code import importable, load_function
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.verdict import check
from diffcompare.verdict.arguments import structure_of
from diffcompare.verdict.verdict import Verdict
from diffcompare.watchdog import BUDGET

__all__ = ["CodeCheck", "here", "judge", "variables"]

Point = float | list[float]
Run = Callable[[Callable[[Any], Any], Any], Any]


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """Names MODULE:function of a function and its gradient (None: it returns both), and what it claims to be."""

    function: str
    gradient: str | None
    formula: SymbolicFunction | None
    guards: bool = False
    budget: float = BUDGET


def here(work: Callable[[Any], Any], payload: Any) -> Any:
    """Run code in this process."""
    return work(payload)


def variables(checked: CodeCheck, run: Run = here) -> Sequence[str] | None:
    """Load both functions; return the names of the variables where there is a formula."""
    try:
        found: Sequence[str] | None = run(_variables, checked)
    except Lost:  # judging will say so
        return None if checked.formula is None else checked.formula.variables
    return found


def judge(checked: CodeCheck, point: Point, run: Run = here) -> Verdict:
    """Judge a gradient at a point; code that never comes to its end makes an inconclusive verdict that says so.

    Parameters
    ----------
    checked : CodeCheck
    point : float or list of float
    run : callable
        Where the code runs: :func:`here`, or a ``CodeProcess``.
    """
    try:
        verdict: Verdict = run(_judged, (checked, point))
    except Lost as error:
        return _inconclusive(point, str(error))
    return verdict


@contextmanager
def _loaded(checked: CodeCheck) -> Iterator[tuple[Callable[..., Any], Any]]:
    """Load both functions, for a block in which they may run."""
    names = [checked.function, *([] if checked.gradient is None else [checked.gradient])]
    with importable(*names):
        f, *gradient = map(load_function, names)
        yield f, gradient[0] if gradient else True


def _variables(checked: CodeCheck) -> Sequence[str] | None:
    with _loaded(checked) as (f, _):
        named = checked.formula or (f if isinstance(f, SymbolicFunction) else None)
        return None if named is None else named.variables


def _judged(payload: tuple[CodeCheck, Point]) -> Verdict:
    checked, point = payload
    with _loaded(checked) as (f, gradient):
        verdict = check.check_gradient(
            f, gradient, point, formula=checked.formula, guards=checked.guards, budget=checked.budget
        )
        if verdict.error is not None and not isinstance(verdict.error, Exception):
            # no verdict on code that wants to end the process: it is refused by name
            raise verdict.error
        return verdict


def _inconclusive(point: Point, reason: str) -> Verdict:
    structure, _ = structure_of(point)
    numbers = ("claimed", "certified", "difference", "ulps", "relative", "threshold")
    components = pd.DataFrame(
        {
            "point": repr(point),
            "component": list(structure.names()),
            **dict.fromkeys(numbers, math.nan),
            "status": "inconclusive",
        }
    )
    return Verdict("inconclusive", "calls", math.nan, math.nan, None, None, components, (reason,))
