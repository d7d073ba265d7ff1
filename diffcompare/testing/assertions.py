"""Assertions about gradients, for any test runner; what fails says where, by how much, why, and how to repeat it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from diffcompare.errors import shorten
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tables.components import worst_first
from diffcompare.testing.record import observe
from diffcompare.testing.search.worst import find_worst
from diffcompare.testing.snippets import call_source, source
from diffcompare.testing.steering import steer
from diffcompare.verdict.arguments import points_of
from diffcompare.verdict.check import check_gradient
from diffcompare.verdict.check_arrays import check_hessian, check_jacobian
from diffcompare.verdict.value_and_gradient import taken_apart
from diffcompare.verdict.verdict import Verdict
from diffcompare.watchdog import BUDGET

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["assert_gradient", "assert_hessian", "assert_jacobian"]

_SHOWN = 5


def assert_gradient(
    f: Callable[..., Any] | SymbolicFunction,
    gradient: Callable[..., Any] | Literal[True],
    at: Any = None,
    *,
    formula: SymbolicFunction | str | Any = None,
    args: Sequence[Any] = (),
    box: Any = None,
    noise: float | None = None,
    guards: bool = False,
    budget: float = BUDGET,
    evaluations: int | None = None,
    seed: int = 0,
) -> Verdict:
    """Fail unless a gradient is the gradient of a function.

    Judged by :func:`diffcompare.check_gradient`. Every status but ``consistent`` fails, ``inconclusive`` too: a test
    that could not tell must not pass. Its message names what would make it conclusive; where that is not to be had,
    ask ``check_gradient`` and assert on ``verdict.status != "wrong"``.

    Parameters
    ----------
    f : callable or SymbolicFunction
        ``f(x, *args)`` returns one number.
    gradient : callable or True
        ``gradient(x, *args)`` returns the claimed gradient in the structure of x. True: f returns
        ``(value, gradient)``.
    at : array_like, tuple or dict of arrays
        The point; or several, as the rows of an array. With None, the box is searched for the worst point by
        :func:`find_worst`.
    formula : SymbolicFunction, SymPy expression or text, optional
        What f claims to be.
    args : sequence
        Further arguments of both callables.
    box : (lower, upper), or Bounds, or sequence of (low, high), optional
        Nothing is evaluated outside; written as in :func:`diffcompare.check_gradient`.
        Where ``at`` is None: finite corners in the structure of x.
    noise : float, optional
        The absolute error of f, in units of f, where it is not just rounded.
    guards : bool
        Judge f without the small constants in logarithms, roots, powers and denominators that the gradient ignores.
    budget : float
        Seconds that one check may take.
    evaluations : int, optional
        At a point: how many calls of f and gradient the check may make, as in :func:`diffcompare.check_gradient`. Of a
        search: how often it may call the gradient, 2000 by default.
    seed : int
        Of the search: another one tries other points.

    Returns
    -------
    Verdict
        The consistent one: ``resolution`` says which error would have been seen. After a search, that of the worst
        point.

    Raises
    ------
    AssertionError
        The verdict is not ``consistent``: ``verdict.explain()``, then point, components and code that repeats it.

    Examples
    --------
    >>> import numpy as np
    >>> assert_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, at=[3.0, 4.0]).status
    'consistent'
    >>> assert_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, box=([-1.0, -1.0], [1.0, 1.0])).ok
    True
    """
    __tracebackhide__ = True
    options = {
        "formula": formula, "args": args, "box": box, "noise": noise, "guards": guards or None,
        "budget": None if budget == BUDGET else budget,
    }  # fmt: skip
    names = ("f", "True" if gradient is True else "gradient")
    value, _ = taken_apart(f, gradient)
    if at is None:
        if box is None:
            raise TypeError("at=None and box=None: pass a point to check at, or a box to search for the worst point")
        worst = find_worst(
            f, gradient, box, 2000 if evaluations is None else evaluations,
            formula=formula, args=args, noise=noise, guards=guards, budget=budget, seed=seed,
        )  # fmt: skip
        options["box"] = worst.neighbourhood
        verdict = replace(worst.verdict, notes=(*worst.verdict.notes, worst.covered))
        return _assert_verdict("worst", verdict, value, names, worst.point, options)
    verdict = check_gradient(
        f, gradient, at, formula=formula, args=args, box=box, noise=noise, guards=guards, budget=budget,
        evaluations=evaluations,
    )  # fmt: skip
    options["evaluations"] = evaluations
    return _assert_verdict("gradient", verdict, value, names, at, options)


def assert_jacobian(
    f: Callable[..., Any] | SymbolicFunction, jacobian: Callable[..., Any], at: Any, **options: Any
) -> Verdict:
    """Fail unless a Jacobian is the Jacobian of a function.

    Parameters
    ----------
    f, jacobian, at, **options
        As in :func:`diffcompare.check_jacobian`.

    Returns
    -------
    Verdict

    Raises
    ------
    AssertionError
        The verdict is not ``consistent``.
    """
    __tracebackhide__ = True
    verdict = check_jacobian(f, jacobian, at, **options)
    return _assert_verdict("jacobian", verdict, f, ("f", "jacobian"), at, options)


def assert_hessian(
    f: Callable[..., Any] | SymbolicFunction, hessian: Callable[..., Any], at: Any, **options: Any
) -> Verdict:
    """Fail unless a Hessian, or its product with a vector, is that of a function.

    Parameters
    ----------
    f, hessian, at, **options
        As in :func:`diffcompare.check_hessian`.

    Returns
    -------
    Verdict

    Raises
    ------
    AssertionError
        The verdict is not ``consistent``.
    """
    __tracebackhide__ = True
    verdict = check_hessian(f, hessian, at, **options)
    return _assert_verdict("hessian", verdict, f, ("f", "hessian"), at, options)


def _assert_verdict(
    kind: str, verdict: Verdict, f: Any, names: Sequence[str], at: Any, options: Mapping[str, Any]
) -> Verdict:
    """Tell who listens, steer Hypothesis, and fail unless the verdict is consistent."""
    __tracebackhide__ = True
    observe(kind, verdict)
    steer(lambda: _closeness(verdict.components), f"difference from the derivative, over what is told ({kind})")
    if not verdict.ok:
        raise AssertionError(_message(kind, verdict, f, names, at, options)) from verdict.error
    return verdict


def _closeness(components: pd.DataFrame) -> float:
    """Return the largest difference in units of the smallest that would have been called wrong; nan if none is known.

    Only a ratio to a threshold that is not 0 can be compared with others.
    """
    threshold, difference = components["threshold"].to_numpy(), np.abs(components["difference"].to_numpy())
    known = np.isfinite(difference) & (threshold > 0) & np.isfinite(threshold)
    return float(np.max(difference[known] / threshold[known])) if known.any() else math.nan


def _message(kind: str, verdict: Verdict, f: Any, names: Sequence[str], at: Any, options: Mapping[str, Any]) -> str:
    components = worst_first(verdict.components)
    if kind == "gradient":
        at, components = _failing_point(verdict, f, at, tuple(options.get("args", ())))
    given = {name: value for name, value in options.items() if value is not None and not _is_empty(value)}
    code = call_source(f"dc.check_{'gradient' if kind == 'worst' else kind}", names, {"at": at, **given})
    return "\n".join(
        [
            verdict.explain(),
            "",
            f"at = {shorten(source(at) or repr(at), 300)}",
            *_rows(components),
            "",
            "To repeat it:",
            *(f"    {line}" for line in code),
            "    print(result.explain())",
        ]
    )


def _is_empty(value: Any) -> bool:
    return isinstance(value, tuple | list) and not value


def _failing_point(verdict: Verdict, f: Any, at: Any, args: tuple[Any, ...]) -> tuple[Any, pd.DataFrame]:
    """Return the worst of several points, with its components; the whole of one."""
    components = worst_first(verdict.components)
    points = points_of(f, at, args)
    count = len(verdict.components) // max(1, len(points))
    if len(points) == 1 or count * len(points) != len(verdict.components):
        return at, components
    number = int(components.index[0]) // count
    return points[number], components[components.index // count == number]


def _rows(components: pd.DataFrame) -> list[str]:
    """Show the worst components: what is claimed, what is true, and the difference that would have been accepted."""
    table: list[tuple[str, ...]] = [("component", "claimed", "certified", "difference", "tolerance", "status")]
    for row in components.head(_SHOWN).to_dict("records"):
        exact = [_text(row[name], "r") for name in ("claimed", "certified")]
        rough = [_text(row[name], ".3e") for name in ("difference", "threshold")]
        table.append((str(row["component"]), *exact, *rough, str(row["status"])))
    widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
    lines = ["  ".join(word.ljust(w) for word, w in zip(line, widths, strict=True)).rstrip() for line in table]
    more = len(components) - _SHOWN
    return [*lines, *([f"and {more} more components"] if more > 0 else [])]


def _text(value: float, form: str) -> str:
    return "not known" if math.isnan(value) else repr(value) if form == "r" else f"{value:{form}}"
