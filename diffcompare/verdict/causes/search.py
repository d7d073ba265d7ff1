"""Why a gradient is wrong: the simplest known mistake that explains every component.

Each candidate predicts the error G − D of every component, and equals it within the judgement's own threshold or is
none. A match counts only where chance is ruled out, given how many candidates were tried, and only if the same
candidate matches at three further points near by: no cause is better than a wrong one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from diffcompare.floats import Flags, Floats, unit_roundoff
from diffcompare.program.dag import Program
from diffcompare.verdict.causes.array_mistakes import ArrayMistakes
from diffcompare.verdict.causes.budget import Budget, Exhausted
from diffcompare.verdict.causes.finite_differences import CALLED, QUOTIENTS, exact_quotients, likely_quotients
from diffcompare.verdict.causes.mistakes import (
    RARE,
    Cause,
    Facts,
    added_shift,
    clipped,
    constant_factors,
    leftovers,
    lost_precision,
    simple_mistakes,
    unnamed_factor,
    where,
    wrong_order,
)
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.causes.program_mistakes import (
    Lines,
    Parts,
    additions,
    coarse_point,
    linearise,
    other_function,
    stray_factors,
    take_apart,
    wrong_parts,
)
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.problem import Problem
from diffcompare.watchdog import OutOfTime

__all__ = ["Cause", "find_cause", "find_cause_nearby", "not_finite", "quiet"]


def find_cause(
    claimed: ArrayLike,
    certified: ArrayLike,
    threshold: ArrayLike,
    *,
    program: Program | None = None,
    point: Sequence[float] | None = None,
    names: Sequence[str] = (),
    shape: tuple[int, ...] | None = None,
    difference: ArrayLike | None = None,
    elsewhere: Sequence[Nearby] | None = None,
    value: Callable[[Any], float] | None = None,
    arrays: ArrayMistakes | None = None,
    budget: Budget | None = None,
) -> Cause | None:
    """Find out why a gradient that was judged wrong is wrong.

    Estimated: an explanation that fits, not a proof of what somebody did.

    Parameters
    ----------
    claimed, certified : array_like of float, shape (n,)
        What the gradient returned, and the true gradient (nan where it is not known).
    threshold : array_like of float, shape (n,)
        The smallest difference of each component that is called wrong.
    program : Program, optional
        The function; without it there are no terms, chain factors and finite differences to be found.
    point : sequence of float, optional
        Where; needed with ``program``.
    names : sequence of str, optional
        How components are called in the text; default 0, 1, 2 …
    shape : tuple of int, optional
        The shape of the argument, for transposed components.
    difference : array_like of float, optional
        The real difference G − D where it is known apart from rounding; default ``claimed - certified``.
    elsewhere : sequence of Nearby, optional
        The same at other points, where a cause must hold too; without them it is looked for at this point alone.
    value : callable, optional
        The float code of the function, which takes flat points: what its difference quotients are exactly.
    arrays : ArrayMistakes, optional
        The function as a program of arrays that is taken apart, in place of ``program``.
    budget : Budget, optional
        Operations that may be spent; ``Exhausted`` is raised where they do not do.

    Returns
    -------
    Cause or None
        None where nothing is wrong or no known mistake explains what is. (Values of float32 are recognised below the
        threshold as well.)

    Examples
    --------
    >>> find_cause([4.0, 6.0, 8.0], [4.0, 8.0, 6.0], [1e-15] * 3).text
    'the components are permuted: 1 and 2 are swapped'
    """
    g, D = (np.array(np.ravel(np.asarray(a, dtype=np.float64))) for a in (claimed, certified))
    labels = tuple(names) if len(names) == len(g) else tuple(str(i) for i in range(len(g)))
    lost = not_finite(g, D, labels)
    if lost is not None:
        return lost
    further = () if elsewhere is None else elsewhere
    code = _Code(program, value, shape, budget or Budget(), arrays)
    here = _view(code, labels, g, D, threshold, difference, point, len(further))
    if here is None:
        return None
    others: list[_View] = []
    for beside in further:
        view = _view(code, labels, beside.claimed, beside.certified, beside.threshold, beside.difference,
                     beside.point.tolist(), None, here.returned.wrong)  # fmt: skip
        if view is None:
            return None
        others.append(view)
    for family in _FAMILIES if here.facts is not None else (_lost_precision,):
        for cause in family(here):
            if all(view.repeats(family, cause) for view in others):
                return cause
    return None


def not_finite(g: Floats, D: Floats, names: Sequence[str]) -> Cause | None:
    """Say which components are no numbers though the derivative is; None where all are."""
    lost = np.flatnonzero(~np.isfinite(g) & np.isfinite(D))
    if not len(lost):
        return None
    what = "nan" if np.isnan(g[lost]).all() else "infinite" if np.isinf(g[lost]).all() else "nan or infinite"
    return Cause("not finite", f"the claim is {what}{where(lost, names, len(g))}", tuple(int(i) for i in lost))


def find_cause_nearby(
    problem: Problem, judgement: Judgement, difference: Floats, program: Program | None,
    asked: Sequence[Nearby] | None, budget: Budget, *, part: slice = slice(None), **options: Any,
) -> Cause | None:  # fmt: skip
    """Find out why a derivative is wrong that was asked at other points too; without them, only that it is no number.

    ``part``: some of the components, whose function the program is.
    """
    g, D, names = judgement.claimed[part], judgement.certified[part], problem.names[part]
    if asked is None:
        return not_finite(g, D, names)
    here, *elsewhere = (beside.part(part) for beside in asked)
    gap = difference[part]
    if here.difference is not None:
        # the judgement knows its size; a fault of the floats alone is none of the real numbers
        real = np.abs(np.abs(here.difference) - np.abs(gap)) <= 1e-9 * np.abs(gap)
        gap = np.where(real, here.difference, gap)
    return find_cause(
        g, D, judgement.threshold[part], program=program, point=problem.x.tolist(), names=names,
        difference=None if judgement.difference is None else gap, elsewhere=elsewhere, budget=budget, **options,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Code:
    """The function: its program, its float code, the shape of its argument, what may be spent on it, its arrays."""

    program: Program | None
    value: Callable[[Any], float] | None
    shape: tuple[int, ...] | None
    budget: Budget
    arrays: ArrayMistakes | None
    _parts: list[Parts | None] = field(default_factory=list)

    def parts(self) -> Parts | None:
        """Take the program apart, once."""
        if not self._parts:
            self._parts.append(None if self.program is None else take_apart(self.program, self.budget))
        return self._parts[0]


@dataclass(slots=True)
class _View:
    """What was claimed at one point; ``facts`` is None where the claim is right but for its precision."""

    code: _Code
    facts: Facts | None
    returned: Facts
    point: Sequence[float] | None
    _lines: list[Lines | None] = field(default_factory=list)
    _found: dict[_Family, list[Cause]] = field(default_factory=dict)

    @property
    def program(self) -> Program | None:
        """The program, where it can be evaluated at this point."""
        known = self.point is not None and len(self.point) == len(self.returned.g)
        return self.code.program if known else None

    def lines(self) -> Lines | None:
        """Return what each part of the program contributes here, once."""
        if not self._lines:
            lines = None
            if self.program is not None and self.point is not None and self.facts is not None:
                parts = self.code.parts()
                lines = None if parts is None else linearise(parts, self.point, self.facts, self.code.budget)
            self._lines.append(lines)
        return self._lines[0]

    def repeats(self, family: _Family, cause: Cause) -> bool:
        """Tell whether a family finds the same cause here."""
        if self.facts is None and family is not _lost_precision:
            return False
        if family not in self._found:
            self._found[family] = list(family(self))
        return any(found.is_same(cause) for found in self._found[family])


_Family = Callable[[_View], Iterator[Cause]]


def _view(
    code: _Code, labels: tuple[str, ...], g: Floats, D: Floats, threshold: ArrayLike,
    difference: ArrayLike | None, point: Sequence[float] | None, further: int | None,
    known: Flags | None = None,
) -> _View | None:  # fmt: skip
    """Put together what is known at a point; None where that is too little.

    ``known``: the components that are wrong at the first point; here some may be too small to be seen.
    """
    limit = np.array(np.ravel(np.asarray(threshold, dtype=np.float64)))
    e = g - D if difference is None else np.array(np.ravel(np.asarray(difference, dtype=np.float64)))
    with np.errstate(all="ignore"):
        stretch = np.where((D != 0) & (np.abs(g) > np.abs(D)), np.abs(g / D), 1.0)
        # a claim that is c times too large carries c times the rounding
        slack = limit * np.where(np.isfinite(stretch), stretch, 1.0) + 4 * unit_roundoff * np.abs(e)
        if difference is None:
            slack = slack + 4 * unit_roundoff * np.maximum(np.abs(g), np.abs(D))
        wrong = np.abs(e) > np.maximum(limit, 0.0)
    if known is not None and wrong.any() and not (wrong & ~known).any():
        wrong = known
    if not np.isfinite(e).all() or not np.isfinite(slack).all():
        return None
    # precision and difference quotients are seen in what was returned, not in what it would be in real arithmetic
    gap = g - D
    rounded = slack + 4 * unit_roundoff * np.maximum(np.abs(g), np.abs(D))
    if not wrong.any():
        # too small for the threshold, and yet called wrong: coarse numbers are known by what they are
        returned = Facts(g, D, gap, rounded, np.abs(gap) > 4 * unit_roundoff * np.abs(D), labels, further)
        return _View(code, None, returned, point) if returned.wrong.any() else None
    returned = Facts(g, D, gap, rounded, wrong, labels, further)
    # what cancels in the sum is not 0, but too small for it
    real = g if difference is None else np.where(D + e == 0, g, D + e)
    facts = Facts(real, D, e, slack, wrong, labels, further)
    return _View(code, facts, returned, point)


def _lost_precision(view: _View) -> Iterator[Cause]:
    return lost_precision(view.returned)


def _clipped(view: _View) -> Iterator[Cause]:
    """A limit of the norm, in real numbers; a limit of each component, in the numbers that were returned."""
    if view.facts is not None:
        yield from clipped(view.facts)
        yield from clipped(view.returned)


def _of_facts(find: Callable[[Facts], Iterator[Cause]]) -> _Family:
    return lambda view: iter(()) if view.facts is None else find(view.facts)


def _of_lines(find: Callable[[Lines], Iterator[Cause]]) -> _Family:
    def family(view: _View) -> Iterator[Cause]:
        lines = view.lines()
        return iter(()) if lines is None else find(lines)

    return family


def _of_arrays(find: Callable[..., Iterator[Cause]], **options: Any) -> _Family:
    def family(view: _View) -> Iterator[Cause]:
        arrays = view.code.arrays
        known = arrays is not None and view.facts is not None and view.point is not None
        return find(arrays, view.facts, view.point, **options) if known else iter(())

    return family


def _other_function(view: _View) -> Iterator[Cause]:
    if view.facts is not None and view.point is not None:
        lines, arrays = view.lines(), view.code.arrays
        value = lines.value if lines is not None else None if arrays is None else arrays.value(view.point)
        yield from () if value is None else other_function(view.facts, value)


def _coarse_point(view: _View) -> Iterator[Cause]:
    lines = view.lines()
    return iter(()) if lines is None or view.point is None else coarse_point(lines, view.point)


def _quotients(view: _View) -> Iterator[Cause]:
    """Difference quotients; where the function can be called, those of its own floats."""
    program, point, code = view.program, view.point, view.code
    if code.value is not None and point is not None and (program is not None or code.arrays is not None):
        cost = CALLED * len(program.nodes) if program is not None else code.arrays.parts.cost  # type: ignore[union-attr]
        if program is not None or QUOTIENTS * cost < code.budget.left:
            yield from exact_quotients(view.returned, point, code.value, cost, code.budget)
    elif program is not None and point is not None:
        yield from likely_quotients(view.returned, program, point, code.budget)


def _late_quotients(view: _View) -> Iterator[Cause]:
    if view.program is not None and view.point is not None and view.code.value is not None:
        yield from likely_quotients(view.returned, view.program, view.point, view.code.budget, absolute=True)


# the simplest explanations first
_FAMILIES: tuple[_Family, ...] = (
    _of_facts(simple_mistakes),
    _of_arrays(ArrayMistakes.transposed),
    lambda view: iter(()) if view.facts is None else wrong_order(view.facts, view.code.shape),
    _other_function,
    _of_lines(wrong_parts),
    _of_lines(functools.partial(wrong_parts, together=True)),
    _of_lines(stray_factors),
    _of_arrays(ArrayMistakes.wrong_parts),
    _of_arrays(ArrayMistakes.wrong_elements),
    _of_arrays(ArrayMistakes.stray_factors),
    _lost_precision,
    _coarse_point,
    _quotients,
    _clipped,
    _of_facts(functools.partial(constant_factors, named=RARE)),
    _of_lines(functools.partial(wrong_parts, everywhere=False)),
    _of_lines(functools.partial(wrong_parts, everywhere=False, together=True)),
    _of_arrays(ArrayMistakes.wrong_parts, everywhere=False),
    _of_arrays(ArrayMistakes.wrong_elements, everywhere=False),
    _of_facts(unnamed_factor),
    _of_lines(additions),
    _of_arrays(ArrayMistakes.additions),
    lambda view: iter(()) if view.facts is None else added_shift(view.facts, view.point),
    _late_quotients,
    _of_facts(leftovers),
)


def quiet(search: Callable[..., Cause | None]) -> Callable[..., Cause | None]:
    """Let a search say nothing where it fails or costs too much: what is wrong is wrong without a cause."""

    @functools.wraps(search)
    def silent(*args: Any, **options: Any) -> Cause | None:
        try:
            return search(*args, **options)
        except (Exhausted, OutOfTime):
            return None
        except Exception:
            # a fault of the search; the tests run it as it is
            return None

    return silent
