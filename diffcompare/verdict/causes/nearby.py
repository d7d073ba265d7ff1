"""What gradient and derivative are at a point and at a few others near by: a cause is asked there too.

Where the gradient is traced, what its code would return in real arithmetic; otherwise what it returned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from diffcompare.arithmetic.array_balls import array_balls, middles
from diffcompare.arithmetic.array_floats import array_floats, erring_floats
from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.errors import DiffcompareError
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.dag import Builder, Program, needed_nodes
from diffcompare.program.operations import ANSWERS
from diffcompare.tracing.array_table import ArrayGuard
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.causes.budget import BALLS, BUILT, Budget
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.difference import node_balls
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.pair import Pair
from diffcompare.verdict.problem import Problem

__all__ = ["closed", "derived", "nearby", "points_nearby", "price", "program_of", "recorded", "value_of"]


FURTHER = 3
_BITS = 160
# sizes of the steps to other points, of which the first three are taken at which gradient and derivative exist
_STEPS = (2.0**-6, 2.0**-4, 2.0**-8, 2.0**-10, 2.0**-5, 2.0**-7, 2.0**-9, 2.0**-12)
# many decisions are taken as at the point only where it is near
_SMALLER = (2.0**-14, 2.0**-16, 2.0**-18, 2.0**-20, 2.0**-22)
# what balls may cost at one point, beyond which floats do
_AFFORDED = 20_000_000


def recorded(judgement: Judgement) -> Pair | None:
    """Return the traces that a judgement rests on; None without any, and where loops were continued beyond them."""
    pair: Pair | None = judgement.pair
    return None if pair is None or pair.exits else pair


def closed(pair: Pair, roots: Sequence[int], budget: Budget) -> tuple[Program, dict[int, int]]:
    """Close the program of some nodes over the point alone: constants that were kept apart are numbers again.

    The second value says what the nodes have become.
    """
    nodes, n = pair.table.builder.nodes, len(pair.table.point)
    names = ("x",) if n == 1 else pair.table.names
    build = Builder(names)
    order = needed_nodes(nodes, roots)
    budget.spend(BUILT * len(order))
    new: dict[int, int] = {}
    for index in order:
        node = nodes[index]
        place = int(node.payload or 0) - n if node.operation == "variable" else -1
        if place >= 0:
            new[index] = build.constant(Fraction(pair.table.constants[place].value))
        else:
            new[index] = build.raw(node.operation, *(new[i] for i in node.operands), payload=node.payload)  # type: ignore[arg-type]
    return Program(names, tuple(build.nodes), tuple(new[i] for i in roots)), new


def program_of(problem: Problem, judgement: Judgement, budget: Budget) -> Program | None:
    """Return the program of the function as it was judged: on the path that was traced, or as it is known."""
    pair = recorded(judgement)
    if pair is not None:
        return closed(pair, pair.function.outputs, budget)[0]
    known = problem.formula or judgement.known
    return None if known is None else known.program


def value_of(problem: Problem) -> Callable[[Floats], float]:
    """Return the float code of the function at flat points; nan outside of the box and where it raises."""

    def value(x: Floats) -> float:
        try:
            with np.errstate(all="ignore"):
                return problem.value(x) if np.array_equal(problem.inside(x), x) else np.nan
        except Exception:
            return np.nan

    return value


def nearby(
    problem: Problem, judgement: Judgement, program: Program | None, budget: Budget
) -> tuple[Nearby, ...] | None:
    """Ask gradient and derivative at the point and at three others; None where they do not exist at as many.

    ``program`` is that of the function, which is needed where the gradient is not traced. What a program of arrays was
    asked last is not evaluated again.
    """
    if judgement.beside is not None:
        return judgement.beside
    pair = judgement.arrays
    if pair is None:
        return _evaluated(problem, judgement, program, budget)
    by = (problem, judgement.claimed, judgement.certified, judgement.threshold, judgement.difference)
    for before, known, spent in pair.asked:
        if all(one is other for one, other in zip(by, before, strict=True)):
            budget.spend(spent)
            return known  # type: ignore[no-any-return]
    left = budget.left
    found = _evaluated(problem, judgement, program, budget)
    # no more than the last: points of many coordinates take much memory
    pair.asked[:] = [(by, found, left - budget.left)]
    return found


def _evaluated(
    problem: Problem, judgement: Judgement, program: Program | None, budget: Budget
) -> tuple[Nearby, ...] | None:
    ask = _asked(problem, judgement, program, budget)
    here = None if ask is None else ask(problem.x, judgement.claimed)
    if ask is None or here is None:
        return None
    found = [here]
    for x in points_nearby(problem, _STEPS if judgement.arrays is None else (*_STEPS, *_SMALLER)):
        try:
            with np.errstate(all="ignore"):
                returned = problem.claim(x)
        except Exception:  # noqa: S112 - whatever the user's code may raise there
            continue
        beside = ask(x, returned) if returned.shape == judgement.claimed.shape else None
        if beside is not None:
            found.append(_allowing(beside, here))
        if len(found) > FURTHER:
            return tuple(found)
    return None


def points_nearby(problem: Problem, steps: Sequence[float]) -> Iterator[Floats]:
    """Yield points near by, in the box: all coordinates move, in directions of their own.

    A symmetric matrix stays one: many derivatives hold for those alone.
    """
    x, random = problem.x, np.random.default_rng(11)
    size = np.where(x == 0, float(np.max(np.abs(x))) or 1.0, np.abs(x))
    given = problem.unflatten(x)
    shape: tuple[int, ...] = given.shape if isinstance(given, np.ndarray) else ()
    symmetric = len(shape) == 2 and shape[0] == shape[1] and np.array_equal(x, x.reshape(shape).T.reshape(-1))
    for step in steps:
        moves = step * size * random.choice((-1.0, 1.0), x.size) * random.uniform(0.5, 1.0, x.size)
        if symmetric:
            half = np.tril(moves.reshape(shape))
            moves = (half + np.tril(half, -1).T).reshape(-1)
        yield problem.inside(x + moves)


def _asked(
    problem: Problem, judgement: Judgement, program: Program | None, budget: Budget
) -> Callable[[Floats, Floats], Nearby | None] | None:
    """Return what evaluates claim and derivative at a point."""
    if judgement.arrays is not None:
        return _asked_of_arrays(problem, judgement, judgement.arrays, budget)
    pair, m, n = recorded(judgement), problem.outputs, len(problem.names)
    derivative = None if pair is not None or program is None else derived(problem, program, budget)
    if pair is not None:
        nodes = pair.table.builder.nodes
        guards = (*pair.function.guards, *pair.gradient.guards)
        D, G, conditions = pair.D, pair.G, [(g.condition, g.answer) for g in guards]
        constants = [c.value for c in pair.table.constants]
    elif derivative is not None:
        nodes, conditions, constants = list(derivative.nodes), [], []
        D, G = derivative.outputs[m : m + n], ()
    else:
        return None
    roots = [*D, *G, *(c for c, _ in conditions)]
    work = len(needed_nodes(nodes, roots)) * BALLS

    def ask(x: Floats, returned: Floats) -> Nearby | None:
        budget.spend(work)
        values = node_balls(nodes, roots, [*x.tolist(), *constants], _BITS)
        # what is undecided with so many bits is equal at all points
        if x is not problem.x and any(values[c] not in (answer, None) for c, answer in conditions):
            return None
        with precision(_BITS):
            true = [values[i] for i in D]
            real = [values[i] for i in G] if G else [Ball(g) for g in returned.tolist()]
            if not all(isinstance(v, Ball) and v.is_finite() for v in (*true, *real)):
                return None
            certified = np.array([float(v.mid()) for v in true])
            gap = np.array([float((g - d).mid()) for g, d in zip(real, true, strict=True)])
        return Nearby(x, returned, certified, judgement.threshold, gap if G else None, tuple(real), tuple(true))

    return ask


def _asked_of_arrays(
    problem: Problem, judgement: Judgement, pair: ArrayPair, budget: Budget
) -> Callable[[Floats, Floats], Nearby | None]:
    """Return what evaluates claim and derivative in floats, whose rounding errors the thresholds allow for."""
    build = pair.build
    guards = (*pair.function.guards, *pair.gradient.guards)
    gap = build.apply("subtract", pair.G, pair.D)
    roots = [pair.D] if pair.opaque else [pair.D, gap]

    balls = BALLS * (price(pair) - BUILT * len(build.nodes))

    def ask(x: Floats, returned: Floats) -> Nearby | None:
        here = x is problem.x
        if not here and not _is_alike(pair, guards, x):
            return None
        budget.spend(balls if balls <= _AFFORDED else price(pair))
        if balls <= _AFFORDED:
            true, *gaps = map(middles, array_balls(build, roots, x, _BITS))
            error = np.zeros(true.shape)
        else:
            D, *moved = erring_floats(build, roots, x)
            true, gaps, error = D.value, [m.value for m in moved], 2 * (moved or [D])[0].error
        if pair.opaque:
            # what was returned is all that is known, as the scatter of the claims is in the thresholds
            true, error = (judgement.certified, np.zeros(error.shape)) if here else (true, error)
            known = np.isfinite(true).all() and np.isfinite(error).all()
            return Nearby(x, returned, true, judgement.threshold, None, (), (), error) if known else None
        (e,) = gaps
        if not all(np.isfinite(a).all() for a in (true, e, error)):
            return None
        if here:
            # the size is known; where floats leave the sign open, the claim has it
            signs = np.where(np.abs(e) > error, e, returned - judgement.certified)
            e = e if judgement.difference is None else np.copysign(judgement.difference, signs)
            return Nearby(x, returned, judgement.certified, judgement.threshold, e, (), ())
        return Nearby(x, returned, true, judgement.threshold, e, (), (), error)

    return ask


def _is_alike(pair: ArrayPair, guards: Sequence[ArrayGuard], x: Floats) -> bool:
    """Tell whether all decisions are those of the trace at another point, but for what is equal up to rounding."""
    compared = [i for guard in guards for i in (guard.first, guard.second)]
    values = array_floats(pair.build, compared, x)
    other = [
        k for k, guard in enumerate(guards)
        if not np.array_equal(ANSWERS[guard.operation](values[2 * k], values[2 * k + 1]), guard.answers)
    ]  # fmt: skip
    for k in other:
        one, two = erring_floats(pair.build, compared[2 * k : 2 * k + 2], x)
        alike = ANSWERS[guards[k].operation](one.value, two.value) == guards[k].answers
        if not (alike | (np.abs(one.value - two.value) <= one.error + two.error)).all():
            return False
    return True


def price(pair: ArrayPair) -> int:
    """Return what one evaluation of claim and derivative in floats, with their rounding errors, is worth in operations.

    Measured: products of arrays take 0.8 ns a multiplication, all else 5 ns an element.
    """
    nodes = pair.build.nodes
    elements = sum(math.prod(nodes[k].shape) for k in pair.build.needed([pair.D, pair.G]))
    return elements + pair.work // 6 + BUILT * len(nodes)


def _allowing(beside: Nearby, here: Nearby) -> Nearby:
    """Set the thresholds of another point: wider than those of the point, and in proportion to the derivative there."""
    size = np.maximum(np.abs(beside.certified), np.abs(beside.claimed))
    with np.errstate(all="ignore"):
        own = np.abs(beside.certified) / np.abs(here.certified)
        all_ = np.max(np.abs(beside.certified)) / np.max(np.abs(here.certified))
    larger = np.maximum(np.where(np.isfinite(own), own, 0.0), all_ if np.isfinite(all_) else 1.0)
    slack = 4 * here.threshold * larger + 16 * unit_roundoff * np.where(np.isfinite(size), size, 0.0)
    return replace(beside, threshold=slack + beside.error)


def derived(problem: Problem, program: Program, budget: Budget) -> Program | None:
    """Differentiate a program; None where that is not known."""
    rows = max(1, len(problem.names) // problem.x.size)
    budget.spend(rows * BUILT * sum(1 + len(node.operands) for node in program.nodes))
    try:
        return problem.derivative(program)
    except (ArithmeticError, DiffcompareError):
        return None
