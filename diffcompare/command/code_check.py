"""A derivative in code of the user's, judged at one point after the other: here, or in a process of its own."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from diffcompare.command.code_process import Lost
from diffcompare.studies.user_code import importable, load_function
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.verdict import check, check_arrays
from diffcompare.verdict.arguments import structure_of
from diffcompare.verdict.verdict import Verdict
from diffcompare.watchdog import BUDGET

__all__ = ["CodeCheck", "here", "judge", "variables"]

Run = Callable[[Callable[[Any], Any], Any], Any]


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """Names MODULE:function of a function and its gradient (None: it returns both), and what it claims to be.

    ``what`` is the derivative that is judged: ``gradient``, ``jacobian`` or ``hessian``.
    """

    function: str
    gradient: str | None
    formula: SymbolicFunction | None
    what: str = "gradient"
    guards: bool = False
    budget: float = BUDGET
    evaluations: int | None = None
    box: tuple[Any, Any] | None = None


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


def judge(checked: CodeCheck, point: Any, run: Run = here) -> Verdict:
    """Judge a derivative at a point; code that never comes to its end makes an inconclusive verdict that says so.

    Parameters
    ----------
    checked : CodeCheck
    point : float, array or dict of these
        A dict goes in as the arguments of these names, where the functions have them, else as one argument.
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


def _judged(payload: tuple[CodeCheck, Any]) -> Verdict:
    checked, point = payload
    size = structure_of(point)[0].size
    if checked.box is not None and np.size(checked.box[0]) not in (1, size):
        words = f"--box is given {len(checked.box[0])} times for {size} variables; give one for all, or one for each"
        raise ValueError(words)
    with _loaded(checked) as (f, gradient):
        if isinstance(point, dict):
            f, gradient, point = _by_names(f, gradient, point)
        judged = {
            "gradient": check.check_gradient,
            "jacobian": check_arrays.check_jacobian,
            "hessian": check_arrays.check_hessian,
        }[checked.what]
        verdict = judged(
            f,
            gradient,
            point,
            formula=checked.formula,
            guards=checked.guards,
            budget=checked.budget,
            evaluations=checked.evaluations,
            box=checked.box,
        )
        if verdict.error is not None and not isinstance(verdict.error, Exception):
            # no verdict on code that wants to end the process: it is refused by name
            raise verdict.error
        return verdict


def _by_names(f: Any, gradient: Any, point: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """Return what takes a dict of parameters of functions of these parameters; the dict in their order."""
    names = tuple(name for name in _parameters(f) if name in point)
    if len(names) < len(point):
        return f, gradient, point
    if gradient is not True and set(names) <= set(_parameters(gradient)):
        gradient = partial(_called_by_name, gradient, names, "gradient")
    # what our own functions hold in a partial is traced as the user's
    f = partial(_called_by_name, f, names, "both" if gradient is True else "value")
    return f, gradient, {name: point[name] for name in names}


def _parameters(function: Any) -> Sequence[str]:
    try:
        return [*inspect.signature(function).parameters]
    except (TypeError, ValueError):
        return []


def _called_by_name(function: Callable[..., Any], names: Sequence[str], what: str, point: dict[str, Any]) -> Any:
    returned = function(**point)
    if what == "both" and isinstance(returned, tuple) and len(returned) == 2:
        return returned[0], _keyed(names, returned[1])
    return _keyed(names, returned) if what == "gradient" else returned


def _keyed(names: Sequence[str], returned: Any) -> Any:
    """Name the slopes that are returned as a tuple in the order of the parameters, or alone."""
    if len(names) == 1 and not isinstance(returned, Mapping):
        return {names[0]: returned}
    several = isinstance(returned, tuple | list) and len(returned) == len(names)
    return dict(zip(names, returned, strict=True)) if several else returned


def _inconclusive(point: Any, reason: str) -> Verdict:
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
    return Verdict("inconclusive", "calls", math.nan, math.nan, None, None, components, headline=reason)
