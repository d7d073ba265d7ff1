"""A box divided into parts that provably take one path through a function and its gradient."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.errors import DiffcompareError
from diffcompare.floats import Floats
from diffcompare.program.dag import Program, needed_nodes
from diffcompare.testing.search.sampling import Candidate, columns, relative_error
from diffcompare.verdict.difference import node_balls
from diffcompare.verdict.pair import FAILURES, Pair, trace_pair
from diffcompare.verdict.probing import try_claim
from diffcompare.verdict.problem import Problem

__all__ = ["HIDDEN", "Regions", "map_regions"]


_BITS = 64
_PATHS = 60
# enclosures over parts, and how many nodes they may cost together
_PARTS, _NODES = 3000, 400_000
_SAMPLES, _ROUNDS = 6000, 6
_COMPARED, _CHECKED = 8, 3
_OPAQUE = "The gradient's code cannot be traced: what lies between the points is not known."
HIDDEN = "The gradient's code does what its trace does not see: what lies between the points is not known."
# nothing but rounded constants makes a difference below this
_EQUAL = 2.0**-44


@dataclass(frozen=True, slots=True)
class Regions:
    """What is known of the paths through the code.

    ``hints``: points beside the places where the code branches, and one on each path. ``agreeing``: the parts on which
    gradient and derivative agree as formulas.
    """

    candidates: list[Candidate]
    calls: int
    mapped: float
    hints: Floats
    covered: str
    agreeing: tuple[tuple[Floats, Floats], ...] = ()

    def contradicted(self, point: Floats) -> bool:
        """Tell whether a fault at a point shows that the trace does not see all of what the code does."""
        return any((low < point).all() and (point < high).all() for low, high in self.agreeing)


@dataclass(slots=True)
class _Path:
    pair: Pair
    start: Floats
    guards: dict[int, bool]
    order: list[int]
    parts: list[tuple[Floats, Floats, float]] = field(default_factory=list)


def map_regions(problem: Problem, box: tuple[Floats, Floats], *, limit: int, rng: np.random.Generator) -> Regions:
    """Divide the box of a problem, and compare gradient and derivative on each path as formulas.

    Proven: over each part that is counted as mapped, every comparison that the code makes has one answer, by interval
    arithmetic, so that all of it takes the path that was traced (as real numbers; rounding may decide otherwise within
    an error of a boundary).

    Parameters
    ----------
    problem : Problem
    box : (lower, upper)
    limit : int
        How often the gradient may be called.
    rng : Generator
    """
    lower, upper = box
    paths: list[_Path] = []
    calls = refused = steps = costs = 0
    mapped = 0.0
    hints: list[Floats] = []
    queue: list[tuple[float, int, Floats, Floats]] = [(-1.0, 0, lower, upper)]
    while queue and steps < _PARTS and costs < _NODES and refused < 3:
        steps += 1
        share, _, low, high = heapq.heappop(queue)
        inner = _inner(low, high)
        path = next((p for p in paths if _undecided(p, inner, inner) is None), None)
        if path is None and calls + 3 <= limit and len(paths) < _PATHS:
            # one call of the code as it is goes before the one that is recorded
            calls += 2
            path = _recorded(problem, inner)
            if path is not None:
                calls += 1
                path = path if _is_what_runs(problem, path, inner[None]) else None
            hints.append(inner)
            if path is None:
                refused += 1
            else:
                paths.append(path)
        costs += sum(len(p.order) for p in paths)
        condition = None if path is None else _undecided(path, low, high)
        if path is not None and condition is None:
            path.parts.append((low, high, -share))
            mapped -= share
            continue
        i = _widest(path, condition, low, high, upper - lower)
        if i is None:
            continue
        for part_low, part_high in _halves(low, high, i):
            part = -share * _share(part_low[i], part_high[i], low[i], high[i])
            heapq.heappush(queue, (-part, 2 * steps + (part_low is low), part_low, part_high))
    if not paths:
        return Regions([], calls, 0.0, np.empty((0, lower.size)), _OPAQUE)
    for path in paths:
        points, _ = _samples(path, _CHECKED, rng)
        calls += len(points)
        if not _is_what_runs(problem, path, points):
            return Regions([], calls, 0.0, np.array(hints), _OPAQUE)
    hints += [_inner(low, high) for _, _, low, high in heapq.nsmallest(60, queue)]
    candidates, equal = [], []
    for path in paths:
        candidate, same = _compare(path, rng)
        candidates.append(candidate)
        if same:
            equal.append(path)
    covered = (
        f"As far as a trace sees it, the code takes {len(paths)} path{'s' if len(paths) > 1 else ''} in the box; on "
        f"{len(equal)} of them gradient and derivative agree as formulas wherever they were compared, at {_COMPARED} "
        f"points or more; {_percent(mapped)} of the box provably takes one of these paths."
    )
    agreeing = tuple((low, high) for path in equal for low, high, _ in path.parts)
    return Regions(candidates, calls, mapped, np.array(hints).reshape(-1, lower.size), covered, agreeing)


def _percent(share: float) -> str:
    # never rounded up: 100 % is said of all of it alone
    return "100 %" if share >= 1 - 2.0**-40 else f"{math.floor(1000 * min(share, 0.999)) / 10} %"


def _recorded(problem: Problem, point: Floats) -> _Path | None:
    """Trace function and gradient at a point; None where that fails."""
    at = replace(problem, x=point)
    try:
        pair = trace_pair(at, exact=False, rebuilt=True)
    except (DiffcompareError, *FAILURES):
        return None
    if pair is None:
        return None
    guards = {g.condition: g.answer for g in (*pair.function.guards, *pair.gradient.guards)}
    return _Path(pair, point, guards, needed_nodes(pair.table.builder.nodes, guards))


def _is_what_runs(problem: Problem, path: _Path, points: Floats) -> bool:
    """Call the gradient at points of a path: code that hides a value from the trace has it held fast there."""
    nodes = tuple(path.pair.table.builder.nodes)
    traced = columns(Program(path.pair.table.names, nodes, ()), path.pair.G)(points)
    claims = [try_claim(problem, point) for point in points]
    return not any(
        claimed is None or np.any(np.abs(expected - claimed) > 1e-6 * np.max(np.abs(claimed)))
        for claimed, expected in zip(claims, traced, strict=True)
    )


def _undecided(path: _Path, low: Floats, high: Floats) -> int | None:
    """Return a condition that is not certain to have its answer all over a part; None if all are."""
    with precision(_BITS):
        point = [Ball(a).union(Ball(b)) if a < b else Ball(a) for a, b in zip(low.tolist(), high.tolist(), strict=True)]
    values = node_balls(path.pair.table.builder.nodes, list(path.guards), point, _BITS)
    return next((c for c, answer in path.guards.items() if values[c] is not answer), None)


def _inner(low: Floats, high: Floats) -> Floats:
    """Return a point inside a part, on no simple number."""
    return np.array([_between(a, b, 0.4871) for a, b in zip(low.tolist(), high.tolist(), strict=True)])


def _between(a: float, b: float, fraction: float) -> float:
    """Return a number between two: geometrically where they are of very different size, with 0 as the least of all."""
    if a < 0 < b:
        return a + fraction * (b - a) if fraction != 0.5 else 0.0
    if b <= 0 and a < 0:
        return -_between(-b, -a, 1 - fraction)
    if b > 16 * a:
        if a == 0 and b > 2.0**-20:
            return b * math.exp2(-16 * (1 - fraction))
        least = math.log2(a) if a > 0 else -1074.0
        return min(max(math.exp2(least + fraction * (math.log2(b) - least)), a), b)
    return a + fraction * (b - a)


def _halves(low: Floats, high: Floats, i: int) -> list[tuple[Floats, Floats]]:
    middle = _between(float(low[i]), float(high[i]), 0.5)
    left, right = high.copy(), low.copy()
    left[i] = right[i] = middle
    return [(low, left), (right, high)]


def _share(part_low: float, part_high: float, low: float, high: float) -> float:
    return float((part_high - part_low) / (high - low))


def _widest(path: _Path | None, condition: int | None, low: Floats, high: Floats, width: Floats) -> int | None:
    """Choose the variable to divide: of those that the undecided condition depends on, the widest; None if too thin."""
    concerned = np.ones(low.size, dtype=bool)
    if path is not None and condition is not None:
        nodes = path.pair.table.builder.nodes
        concerned[:] = False
        for k in needed_nodes(nodes, [condition]):
            if nodes[k].operation == "variable":
                concerned[int(nodes[k].payload or 0)] = True
    with np.errstate(all="ignore"):
        largest = np.maximum(np.abs(low), np.abs(high))
        sizes = np.where(width > 0, (high - low) / np.where(width > 0, width, 1.0), 0.0)
        # beside 0 the exponent varies, which a width does not show
        sizes = np.where((low * high <= 0) & (high - low > 0), np.maximum(sizes, 2.0**-9), sizes)
        thin = (high - low) <= 4 * np.spacing(largest)
    sizes = np.where(concerned & ~thin, sizes, 0.0)
    return int(np.argmax(sizes)) if sizes.max() > 0 else None


# ---- gradient and derivative on one path


def _compare(path: _Path, rng: np.random.Generator) -> tuple[Candidate, bool]:
    """Search the parts of a path for the largest difference, by formulas alone: the code is not called."""
    pair = path.pair
    program = Program(pair.table.names, tuple(pair.table.builder.nodes), ())
    run = columns(program, [*pair.D, *pair.G])
    n = len(pair.D)

    def errors(points: Floats) -> Floats:
        with np.errstate(all="ignore"):
            values = run(points)
        found = relative_error(values[:, n:], values[:, :n])
        return np.where(np.isfinite(found), found, -1.0)

    points, owners = _samples(path, _SAMPLES, rng)
    real = max((_real_error(pair, point) for point in points[:_COMPARED]), default=0.0)
    found = errors(points)
    for k in range(_ROUNDS if path.parts else 0):
        best = np.argsort(-found, kind="stable")[:40]
        low, high = (np.array([path.parts[i][side] for i in owners[best]]) for side in (0, 1))
        moves = rng.normal(size=(10, len(best), low.shape[1])) * (high - low) * 0.2 ** (k + 1)
        new = np.clip(points[best] + moves, low, high).reshape(-1, low.shape[1])
        points, found = np.concatenate([points, new]), np.concatenate([found, errors(new)])
        owners = np.concatenate([owners, np.tile(owners[best], 10)])
    best = np.argsort(-found, kind="stable")[:1]
    worst = points[best[0]]
    real = max(real, _real_error(pair, worst))
    return Candidate(worst, max(real, float(found[best[0]]))), real <= _EQUAL


def _samples(path: _Path, number: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
    """Draw points from the parts, half of them by volume and half by part, with the numbers of their parts."""
    if not path.parts:
        return path.start[None], np.zeros(1, dtype=np.int64)
    shares = np.array([share for _, _, share in path.parts])
    weights = shares / shares.sum() if shares.sum() > 0 else 0 * shares
    weights = weights + 1 / len(shares)
    owners = rng.choice(len(shares), number, p=weights / weights.sum())
    low, high = (np.array([part[side] for part in path.parts])[owners] for side in (0, 1))
    return low + (high - low) * rng.random(low.shape), owners


def _real_error(pair: Pair, point: Sequence[float] | Floats) -> float:
    """Return the lower end of |G − D| over the largest |D|, as real numbers."""
    values: dict[int, Any] = node_balls(pair.table.builder.nodes, [*pair.D, *pair.G], np.asarray(point).tolist(), 256)
    with precision(256):
        gaps = [abs(values[g] - values[d]) for d, g in zip(pair.D, pair.G, strict=True)]
        if not all(gap.is_finite() for gap in gaps):
            return 0.0
        gap: float = max(float(gap.lower()) for gap in gaps)
        size: float = max(float(abs(values[d]).upper()) for d in pair.D)
    if gap <= 0:
        return 0.0
    return gap / size if size > 0 else math.inf
