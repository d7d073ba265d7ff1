"""Expressions of which other values would make a gradient right, where no change that was tried does.

Moved by unknown steps δ, the values of an expression move the gradient by S·δ. Where S·δ = −error can be solved the
values may be what is wrong. That tells something if S has fewer independent columns than the gradient has components:
S of rank r takes an error of m components away by chance on a set of dimension r in m. The smallest rank tells most.
Where S has as many independent columns as the expression has elements, the right values are known too, and must be
values of the function or of its derivative. What is not affine is solved by Gauss and Newton's iteration (Nocedal and
Wright, Numerical Optimization, 2006, section 10.3).
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffcompare.floats import Floats
from diffcompare.tracing.spans import span_of
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.marks import Mark
from diffcompare.verdict.rewrites.first_wrong import Known, are_floats, known_of
from diffcompare.verdict.rewrites.insertions import Probe, probed
from diffcompare.verdict.rewrites.running import Body, Changed
from diffcompare.verdict.rewrites.syntax import Names, Site, is_value
from diffcompare.verdict.rewrites.trial import Trial, quiet

__all__ = ["located"]

# what is left of an error that was taken away, singular values that are 0, iterations, and steps where slopes change
_LEFT, _NOTHING, _ROUNDS, _STEP = 1e-7, 1e-6, 5, 2.0**-22
# how far twice a step may be from moving the gradient twice as far
_AFFINE = 1e-8
# elements of a value, and statements that are marked
_MOST, _STATEMENTS = 400, 3
_WORDS = "with other values here the gradient would be right"


@dataclass(frozen=True, slots=True)
class _Able:
    """An expression of which other values would do.

    ``rank``: how much they decide; ``is_known``: whether those are known, None where there are many; ``is_whole``:
    whether they are the gradient itself.
    """

    body: Body
    site: Site
    statement: ast.stmt
    rank: int
    change: tuple[Probe, Changed]
    is_known: bool | None
    is_whole: bool


def located(
    parts: Sequence[tuple[Body, Sequence[Site], Names]], trial: Trial, known: Known | None, idle: frozenset[int]
) -> list[Mark]:
    """Mark what other values would make right: in the first few statements of those that tell most."""
    able: list[_Able] = []
    with quiet():
        for body, sites, _ in parts:
            statements = _statements_of(body)
            some = [site for site in sites if is_value(site) and not {id(site.node), id(site.owner)} & idle]
            able += _able(body, some, statements, trial, known)
        first = _likeliest(able, trial.asked[0].gap.size)
        spans = [span_of(one.body.function.__code__, one.site.node) for one in first if _is_able_elsewhere(one, trial)]
    return [Mark.at(span, role="gradient", message=_WORDS) for span in spans if span is not None]


def _likeliest(able: Sequence[_Able], components: int) -> list[_Able]:
    """Return what tells most, one expression in each statement: the outermost."""
    told = [one for one in able if one.is_known is not False and not one.is_whole]
    some = [one for one in told if one.rank < components or one.is_known]
    if not some:
        # what is returned, if it is made of nothing that may be wrong
        return [one for one in able if one.is_whole and not isinstance(one.site.node, ast.Name)][:1] if not told else []
    lowest = min(one.rank for one in some)
    found: dict[int, _Able] = {}
    for one in some:
        if one.rank == lowest:
            found.setdefault(id(one.statement), one)
    first = sorted(found.values(), key=lambda one: one.statement.lineno)
    if lowest < components:
        return first[:_STATEMENTS]
    # what is known may follow from what is not
    open_before = any(one.is_known is None and one.statement.lineno < first[0].statement.lineno for one in told)
    return [] if open_before else first[:1]


def _able(
    body: Body, sites: Sequence[Site], statements: dict[int, ast.stmt], trial: Trial, values_known: Known | None
) -> Iterator[_Able]:
    here = trial.asked[0]
    components, returned = here.gap.size, known_of(here.certified.reshape(-1))
    for site in sites:
        if id(site.node) not in statements:
            continue
        change, probe = probed(site, body)
        gradient = trial.noted(body, [change])
        if gradient is None or not _is_held(probe):
            continue
        count = sum(np.size(value) for value, _ in probe.times)
        if not trial.budget.has(_ROUNDS * (count + 3) * trial.run):
            return
        solved = _solved(probe, _evaluated(trial, body, gradient, here), here)
        if solved is None:
            continue
        rank, values = solved
        known = values_known is not None and values_known.has(values) if rank == values.size else None
        whole = rank == components and returned is not None and returned.has(values) is True
        yield _Able(body, site, statements[id(site.node)], rank, (probe, gradient), known, whole)


def _is_able_elsewhere(one: _Able, trial: Trial) -> bool:
    """Tell whether other values would do at the other points, too."""
    probe, gradient = one.change
    for beside in trial.asked[1:]:
        probe.times.clear()
        evaluated = _evaluated(trial, one.body, gradient, beside)
        evaluated()
        solved = _solved(probe, evaluated, beside) if _is_held(probe) else None
        if solved is None or solved[0] > one.rank:
            return False
    return True


def _is_held(probe: Probe) -> bool:
    """Tell whether all values of an expression were noted, and can be moved."""
    values = [value for value, _ in probe.times]
    if not values or probe.is_full or not all(map(are_floats, values)):
        return False
    return sum(map(np.size, values)) <= _MOST and all(np.isfinite(value).all() for value in values)


def _evaluated(trial: Trial, body: Body, gradient: Changed, beside: Nearby) -> Callable[[], Floats | None]:
    return lambda: trial.value(body, gradient, beside)


def _solved(probe: Probe, run: Callable[[], Floats | None], beside: Nearby) -> tuple[int, Floats] | None:
    """Return how many independent numbers the values must have to make the gradient right, and the values.

    None where no values do.
    """
    values: list[Any] = [value for value, _ in probe.times]
    own = np.concatenate([np.ravel(value) for value in values]).astype(np.float64)
    ends = np.cumsum([np.size(value) for value in values])[:-1]
    size = float(np.max(np.abs(own), initial=0.0)) or 1.0
    certified = beside.certified.reshape(-1)

    def error(steps: Floats) -> Floats:
        parts = [part.reshape(np.shape(value)) for value, part in zip(values, np.split(steps, ends), strict=True)]
        probe.moved = zip(values, parts, strict=True)
        found = run()
        return np.full(certified.size, math.nan) if found is None else found.reshape(-1) - certified

    probe.is_held = True
    try:
        before, steps = error(np.zeros(own.size)), np.zeros(own.size)
        whole = np.max(np.abs(before))
        drawn = size * np.random.default_rng(0).normal(size=own.size)
        once, twice = error(drawn) - before, error(2 * drawn) - before
        affine = bool((np.abs(twice - 2 * once) <= _AFFINE * (np.max(np.abs(once)) + whole)).all())
        step, rest = size * (1.0 if affine else _STEP), before
        for _ in range(1 if affine else _ROUNDS):
            slopes = np.array([error(steps + one) - rest for one in step * np.eye(own.size)]).T / step
            if not np.isfinite(slopes).all() or not slopes.any():
                return None
            left, sizes, right = np.linalg.svd(slopes, full_matrices=False)
            rank = int((sizes > (_NOTHING if affine else math.sqrt(_NOTHING)) * sizes[0]).sum())
            steps = steps - right[:rank].T @ ((left[:, :rank].T @ rest) / sizes[:rank])
            rest = error(steps)
            if np.max(np.abs(rest)) <= _LEFT * whole:
                return rank, own + steps
    except (StopIteration, ValueError, np.linalg.LinAlgError):
        # it runs another number of times, or has other shapes
        return None
    finally:
        probe.moved, probe.is_held = None, False
    return None


def _statements_of(body: Body) -> dict[int, ast.stmt]:
    """Return the innermost statement around each node."""
    found: dict[int, ast.stmt] = {}
    definition = body.definition
    for node in ast.walk(definition):
        if isinstance(node, ast.stmt) and node is not definition:
            # inner ones come later
            found.update(dict.fromkeys(map(id, ast.walk(node)), node))
    return found
