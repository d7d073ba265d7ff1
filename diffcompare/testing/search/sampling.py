"""Points of a box at which a gradient is tried: where bugs live, evenly spread, and around the worst."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Program, subprogram
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.verdict.probing import random_signs, try_claim, try_value
from diffcompare.verdict.problem import Problem

__all__ = [
    "Candidate",
    "Gradient",
    "Tried",
    "Truth",
    "columns",
    "errors_at",
    "relative_error",
    "true_gradient",
    "try_points",
    "written_numbers",
]

Gradient = Callable[[Floats], Floats]
# of points and of what is claimed there
Truth = Callable[[Floats, Floats], Floats]

_NUMBERS = 60
_DEPTH = 4
_REFINED = 6
_DIFFERENCES = 20_000
# roundings of a value that its neighbours may differ by
_BLURRED = 16
# 2^53 times the smallest normal number
_SUBNORMAL = 2.0**-969
# an error that rounding explains at most ordinary points, and how many of these are looked through for finite values
_RIGHT, _ORDINARY = 1e-6, 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A point, and the error of the gradient there as floats see it: over its largest component, and in itself."""

    point: Floats
    error: float
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class Tried:
    """The worst of the points that were tried, and a few where the derivative is of a moderate size."""

    candidates: list[Candidate]
    ordinary: list[Floats]
    points: Floats
    covered: str

    @property
    def calls(self) -> int:
        """How often the gradient was called."""
        return len(self.points)


def columns(program: Program, outputs: Iterable[int]) -> Gradient:
    """Return nodes of a program as one NumPy function of points, one a row."""
    parts = [subprogram(Program(program.variables, program.nodes, (output,))) for output in outputs]
    runs = [compile_numpy(part) for part in parts]

    def function(points: Floats) -> Floats:
        arguments = [np.ascontiguousarray(column) for column in points.T]
        return np.stack([run(arguments) for run in runs], axis=-1)

    return function


def true_gradient(f: SymbolicFunction | None, problem: Problem) -> Truth:
    """Return the gradient in floats: rounded, only to choose points by.

    Where the formula has no value (a trace has none on paths that it did not meet) a central difference of the function
    stands in: of all gradients with this slope, the one nearest to what is claimed.
    """
    run: Gradient | None = None
    if f is not None:
        program = adjoint(f.program)
        run = columns(program, program.outputs[1:])
    rng = np.random.default_rng(problem.x.size)
    # how often the function may be called for that
    left = _DIFFERENCES // 2

    def function(points: Floats, claimed: Floats) -> Floats:
        nonlocal left
        found = np.full(points.shape, np.nan) if run is None else run(points)
        for i in np.flatnonzero(~np.isfinite(found).all(axis=-1)):
            if left > 0:
                left -= 1
                found[i] = _nearest(problem, points[i], claimed[i], rng)
        return found

    return function


def _nearest(problem: Problem, point: Floats, claimed: Floats, rng: np.random.Generator) -> Floats:
    """Return the gradient nearest to a claim that has the slope of f along one direction through all variables."""
    # about the best step: the cube root of the unit roundoff
    v = random_signs(rng, point.size) * 2.0**-18 * np.where(point == 0, 1.0, np.abs(point))
    above, below = problem.inside(point + v), problem.inside(point - v)
    move = above - below
    values = try_value(problem, above), try_value(problem, below)
    length = float(np.abs(move).max())
    if not length:
        return np.full(point.size, np.nan)
    unit = move / length
    # what the rounding of f explains is no error: it would be the largest where f hardly moves
    blurred = (_BLURRED * unit_roundoff * (abs(values[0]) + abs(values[1])) + 2.0**-1060) / length
    error = float(claimed @ unit) - (values[0] - values[1]) / length
    error = 0.0 if abs(error) <= blurred else error
    return np.asarray(claimed - error / float(unit @ unit) * unit, dtype=np.float64)


def relative_error(claimed: Floats, true: Floats) -> Floats:
    """Return the largest difference over the largest true component, row by row; nan where the truth is not known."""
    with np.errstate(all="ignore"):
        # a derivative below this is rounded to fewer bits than 53, and a large relative error of it is no news
        scale = np.maximum(np.max(np.abs(true), axis=-1), _SUBNORMAL)
        error = np.max(np.abs(claimed - true), axis=-1)
        ratio = np.where(error == 0, 0.0, error / scale)
        ratio = np.where(np.isfinite(claimed).all(axis=-1), ratio, np.inf)
    return np.asarray(np.where(np.isfinite(true).all(axis=-1), ratio, np.nan), dtype=np.float64)


def try_points(
    problem: Problem, box: tuple[Floats, Floats], true: Truth, calls: int, hints: Floats, rng: np.random.Generator
) -> Tried:
    """Call the gradient at points of the box, and go on from the worst ones.

    Parameters
    ----------
    problem : Problem
    box : (lower, upper)
    true : callable
    calls : int
        How often the gradient may be called.
    hints : ndarray, shape (m, n)
        Points to begin with.
    rng : Generator
    """
    lower, upper = box
    numbers = written_numbers(problem.gradient)
    special = _shuffled(
        rng,
        [hints, _corners(lower, upper, rng), _aimed(lower, upper, numbers, rng), _around_zero(lower, upper, rng)],
    )
    refined = calls // 5
    first = special[: (calls - refined) * 2 // 5]
    near = _towards_edges(lower, upper, (calls - refined) // 8, rng)
    spread = _spread(lower, upper, calls - refined - len(first) - len(near), rng)
    points = np.concatenate([first, near, spread])
    errors = errors_at(problem, true, points)
    points, errors = _refine(problem, box, true, points, errors, refined, rng)
    relative, size, largest = errors.T
    known = ~np.isnan(relative)
    orders = [np.argsort(-np.where(known, key, -1.0), kind="stable")[: 20 * _REFINED] for key in (relative, size)]
    candidates = [Candidate(points[i], *errors[i, :2].tolist()) for i in dict.fromkeys(np.ravel(orders)) if known[i]]
    used, unknown = len(points), int(np.sum(~known))
    covered = (
        f"{used} points were tried by calls: {len(first)} special ones (corners, 0, powers of two and ten, "
        f"{len(numbers)} numbers of the code), {len(near)} close to faces and 0, {len(spread)} evenly spread, "
        f"{used - len(first) - len(near) - len(spread)} around the worst."
    )
    if unknown:
        covered += f" At {unknown} of them the derivative is not known."
    moderate = np.abs(np.log2(np.where(known & (largest > 0), largest, np.inf)))
    order = np.lexsort((moderate, ~(relative < _RIGHT)))[:_ORDINARY]
    finite = [points[i] for i in order if math.isfinite(try_value(problem, points[i]))]
    ordinary = finite[:: max(1, len(finite) // 3)][:3]
    return Tried(candidates, ordinary, points, covered)


def errors_at(problem: Problem, true: Truth, points: Floats) -> Floats:
    """Return three columns: the relative error, the absolute one, and the largest component of the derivative."""
    if not len(points):
        return np.empty((0, 3))
    missing = np.full(points.shape[1], np.nan)
    claims = [try_claim(problem, point) for point in points]
    claimed = np.array([missing if claim is None else claim for claim in claims]).reshape(points.shape)
    D = true(points, claimed)
    with np.errstate(all="ignore"):
        size = np.max(np.abs(claimed - D), axis=-1)
    relative = relative_error(claimed, D)
    return np.stack([relative, np.where(np.isnan(size), relative, size), np.max(np.abs(D), axis=-1)], axis=-1)


def _refine(
    problem: Problem, box: tuple[Floats, Floats], true: Truth, points: Floats, errors: Floats, calls: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Scatter points ever closer around the worst ones, by relative error and by absolute one."""
    lower, upper = box
    rounds = 4
    each = calls // (rounds * _REFINED)
    for k in range(rounds if each else 0):
        known = np.where(np.isfinite(errors[:, :2]), errors[:, :2], -1.0)
        by_relative, by_size = (np.argsort(-column, kind="stable").tolist() for column in known.T)
        best = [*by_relative[: _REFINED - 2], *[i for i in by_size if i not in by_relative[: _REFINED - 2]][:2]]
        reach = (upper - lower) * 0.1 ** (k + 1)
        moves = rng.normal(size=(len(best), each, len(lower))) * reach
        new = np.clip(points[best][:, None] + moves, lower, upper).reshape(-1, len(lower))
        errors = np.concatenate([errors, errors_at(problem, true, new)])
        points = np.concatenate([points, new])
    return points, errors


# ---- where the points lie


def _shuffled(rng: np.random.Generator, groups: list[Floats]) -> Floats:
    """Take turns among the groups, each in a random order, and leave out repetitions."""
    mixed = [group[rng.permutation(len(group))] for group in groups]
    longest = max(len(group) for group in mixed)
    rows = [group[k] for k in range(longest) for group in mixed if k < len(group)]
    found = {row.tobytes(): row for row in rows}
    return np.array(list(found.values()))


def _corners(lower: Floats, upper: Floats, rng: np.random.Generator) -> Floats:
    """Return corners, centres of faces, and combinations of 0, ±1, ±2, ½ and powers of two with these."""
    n, middle = len(lower), (lower + upper) / 2
    few = [
        -10.0,
        -3.0,
        -2.0,
        -1.0,
        -0.5,
        -0.0,
        0.0,
        0.5,
        1.0,
        2.0,
        3.0,
        10.0,
        *(s * 2.0**k for s in (1, -1) for k in (-1074, -1022, -52, -26, 10, 52)),
    ]
    corners = np.where(rng.random((min(2**n, 64) * 2, n)) < 0.5, lower, upper)
    faces = np.repeat(middle[None], 2 * n, axis=0)
    for i in range(n):
        faces[2 * i, i], faces[2 * i + 1, i] = lower[i], upper[i]
    inside = [np.clip(np.full(n, value), lower, upper) for value in few]
    mixed = rng.choice(np.array(few), (60, n))
    usable = (mixed >= lower) & (mixed <= upper)
    mixed = np.where(usable, mixed, lower + (upper - lower) * rng.random((60, n)))
    return np.concatenate([np.unique(corners, axis=0), faces, middle[None], np.array(inside), mixed])


def _around_zero(lower: Floats, upper: Floats, rng: np.random.Generator) -> Floats:
    """Return points with powers of ten and of two, of both signs, in one coordinate or in all."""
    n = len(lower)
    sizes = np.array([*(10.0**-k for k in range(-6, 17)), *(2.0**-k for k in range(-20, 41))])
    values = np.concatenate([sizes, -sizes])
    one = lower + (upper - lower) * rng.random((len(values), n))
    chosen = np.arange(n) == rng.integers(n, size=(len(values), 1))
    one = np.where(chosen, values[:, None], one)
    every = values[:, None] * rng.choice([-1.0, 1.0], (len(values), n))
    points = np.concatenate([one, every]) if n > 1 else one
    return np.asarray(points[((lower <= points) & (points <= upper)).all(axis=-1)], dtype=np.float64)


def _aimed(lower: Floats, upper: Floats, numbers: list[float], rng: np.random.Generator) -> Floats:
    """Aim at the numbers of the code: a coordinate, a sum, product or norm of them is just below, at or above one."""
    n = len(lower)
    rows = []
    values = sorted({*numbers, *(-v for v in numbers)})
    for value in values:
        for target in (value, value * (1 - 2.0**-9), value * (1 + 2.0**-9)):
            for i in range(n):
                if lower[i] <= target <= upper[i]:
                    for _ in range(1 if n == 1 else 4):
                        point = lower + (upper - lower) * rng.random(n)
                        point[i] = target
                        rows.append(point)
            usable = (lower <= target) & (target <= upper)
            if n > 1 and usable.any():
                rows.append(np.where(usable, target, lower + (upper - lower) * rng.random(n)))
    if n > 1:
        pool = lower + (upper - lower) * rng.random((4096, n))
        pool = np.concatenate([pool, np.where(rng.random((512, n)) < 0.5, lower, upper)])
        quantities = [pool.sum(axis=1), (pool**2).sum(axis=1), np.sqrt((pool**2).sum(axis=1)), pool.prod(axis=1)]
        quantities += [pool[:, i] - pool[:, (i + 1) % n] for i in range(min(n, 3))]
        for q in quantities:
            order = np.argsort(q, kind="stable")
            rows += [*pool[order[:2]], *pool[order[-2:]]]
            for value in values:
                place = int(np.searchsorted(q[order], value))
                if 0 < place < len(pool):
                    rows += list(pool[order[max(0, place - 2) : place + 2]])
    return np.array(rows).reshape(-1, n)


def _towards_edges(lower: Floats, upper: Floats, number: int, rng: np.random.Generator) -> Floats:
    """Approach faces and 0 by powers of two, one coordinate or all."""
    n = len(lower)
    shape = (number, n)
    width = upper - lower
    near = width * 2.0 ** -rng.uniform(1, 40, shape)
    small = np.exp2(rng.uniform(-1074, 4, shape)) * rng.choice([-1.0, 1.0], shape)
    kind = rng.integers(0, 4, shape)
    points = np.choose(kind, [lower + near, upper - near, small, lower + width * rng.random(shape)])
    return np.asarray(np.clip(points, lower, upper), dtype=np.float64)


def _spread(lower: Floats, upper: Floats, number: int, rng: np.random.Generator) -> Floats:
    """Spread points evenly: the additive recurrence of the generalised golden ratio, shifted at random.

    The root g of g^(n+1) = g + 1 gives the steps 1/g, 1/g², … (for n = 1 the golden ratio).
    """
    n = len(lower)
    g = 2.0
    for _ in range(64):
        g = (1 + g) ** (1 / (n + 1))
    steps = g ** -np.arange(1, n + 1)
    fractions = (rng.random(n) + np.arange(1, number + 1)[:, None] * steps) % 1
    return np.asarray(lower + (upper - lower) * fractions, dtype=np.float64)


# ---- the numbers that stand in the code


def written_numbers(function: Any) -> list[float]:
    """List the numbers that stand in a function's code, and in what it refers to; Python code only."""
    found: dict[float, None] = {}
    _collect(function, found, set(), 0)
    return [value for value in found if math.isfinite(value)][:_NUMBERS]


def _collect(value: Any, found: dict[float, None], seen: set[int], depth: int) -> None:
    if depth > _DEPTH or id(value) in seen or len(found) > _NUMBERS:
        return
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float | np.integer | np.floating):
        if abs(float(value)) < 1e308:
            found.setdefault(abs(float(value)), None)
        return
    seen.add(id(value))
    below = partial(_collect, found=found, seen=seen, depth=depth + 1)
    if isinstance(value, np.ndarray):
        if value.size <= _NUMBERS and value.dtype.kind in "fiu":
            for entry in value.reshape(-1).tolist():
                below(entry)
    elif isinstance(value, list | tuple | set | frozenset):
        for entry in list(value)[:_NUMBERS]:
            below(entry)
    elif isinstance(value, dict):
        for entry in [*value.keys(), *value.values()][:_NUMBERS]:
            below(entry)
    elif isinstance(value, CodeType):
        for entry in value.co_consts:
            below(entry)
    elif isinstance(value, FunctionType):
        below(value.__code__)
        for name in value.__code__.co_names:
            below(value.__globals__.get(name))
        for cell in value.__closure__ or ():
            try:
                below(cell.cell_contents)
            except ValueError:
                # a name that is not bound yet
                continue
        below(value.__defaults__)
        below(getattr(value, "__wrapped__", None))
    elif isinstance(value, MethodType):
        below(value.__func__)
        below(vars(value.__self__) if hasattr(value.__self__, "__dict__") else None)
    elif isinstance(value, partial):
        below(value.func)
        below(value.args)
        below(value.keywords)
