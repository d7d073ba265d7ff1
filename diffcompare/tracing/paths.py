"""The paths through a function that branches on values, put together to one program."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffcompare.errors import TraceError
from diffcompare.floats import Floats
from diffcompare.program.dag import Program, subprogram
from diffcompare.tracing.calling import called
from diffcompare.tracing.table import Table
from diffcompare.tracing.trace import Trace, placed, record

__all__ = ["Paths", "nearby_points", "sample_points"]


_PATHS = 16
# beyond so many nodes numbers of the code are computed with as the code does: data may be many
_EXACT_NODES = 20_000


def sample_points(n: int) -> list[Floats]:
    """Return points near one another and far apart, in and out of the positive orthant."""
    random = np.random.default_rng(20)
    first = random.uniform(0.3, 0.9, n)
    points = [first, first * (1 + 2.0**-10 * random.normal(size=n)), random.uniform(0.1, 2.5, n), random.normal(size=n)]
    points += [-random.uniform(0.2, 1.5, n), 3 * random.normal(size=n), random.uniform(2, 9, n)]
    points += [0.05 * random.normal(size=n), random.uniform(-1, 1, n)]
    return points if n <= 200 else points[:4]


def nearby_points(x: Floats) -> list[Floats]:
    """Return a point and others around it: code that is run far away may never come to an end."""
    random = np.random.default_rng(21)
    scale = np.where(x == 0, float(np.max(np.abs(x))) or 1.0, np.abs(x))
    steps = [0.0, 2.0**-20, -(2.0**-20), 2.0**-10, 2.0**-7, -(2.0**-7), 2.0**-4, 2.0**-3, -(2.0**-3)]
    signs = [random.choice((-1.0, 1.0), x.size) * random.uniform(0.4, 1.0, x.size) for _ in steps]
    points = [x + step * direction * scale for step, direction in zip(steps, signs, strict=True)]
    return points if x.size <= 200 else points[:4]


class Paths:
    """The paths that were met so far, in one table.

    Parameters
    ----------
    function : callable
    shape : tuple of int
        Of its argument; a float for ``()``.
    names : tuple of str
        One for each number of the argument.
    evaluate : callable
        ``evaluate(program, point)`` returns what each output is at an exact point, True or False for a condition.
    exact : bool
        Arithmetic among numbers of the code is exact.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        shape: tuple[int, ...],
        names: tuple[str, ...],
        evaluate: Callable[[Program, Floats], Sequence[Any]],
        *,
        exact: bool = False,
    ) -> None:
        self.exact = exact
        self.function, self.shape, self.names, self.evaluate = function, shape, names, evaluate
        self.found: list[Trace] = []
        self.output_shape: tuple[int, ...] | None = None
        self._programs: list[tuple[Program, Program]] = []
        self._table: Table | None = None

    def argument(self, point: Floats) -> Any:
        """Return a fresh argument for the function."""
        return point.reshape(self.shape).copy() if self.shape else float(point[0])

    def values(self, point: Floats) -> Floats:
        """Return what the code returns, flat; one nan where it raises, or returns something else than numbers."""
        try:
            with np.errstate(all="ignore"):
                result = np.asarray(called(self.function, self.argument(point)))
        except Exception:
            # it comes up again, with its place, when the point is recorded
            return np.array([math.nan])
        return result.reshape(-1).astype(np.float64) if result.dtype.kind in "fiub" else np.array([math.nan])

    def at(self, point: Floats) -> tuple[Trace, Program] | None:
        """Return the path that a point takes and its program, recorded first if it is new; None beyond 16 paths."""
        for path, (program, guards) in zip(self.found, self._programs, strict=True):
            answers = self.evaluate(guards, point) if path.guards else []
            if all(answer is guard.answer for answer, guard in zip(answers, path.guards, strict=True)):
                return path, program
        if len(self.found) >= _PATHS:
            return None
        if self._table is None:
            self._table = Table(self.names, point.tolist(), mode="region", exact=self.exact)
            if self.exact:
                self._table.limit = _EXACT_NODES
        self._table.move(point.tolist())
        indices = np.arange(float(point.size)).reshape(self.shape)
        path = record(
            self.function,
            (placed(indices, self._table),),
            table=self._table,
            elsewhere=lambda: self.values(point * (1 + 2.0**-8) + 2.0**-11),
        )
        if self._table.read and not any(self._table.moving[i] for i in path.outputs):
            raise TraceError(
                "the code takes its numbers as bytes or text, and what it returns no longer depends on them; keep the "
                "NumPy numbers"
            )
        # an array of one number counts as one number
        shape = path.shape if len(path.outputs) != 1 else ()
        if not path.outputs or shape != (self.output_shape or shape):
            raise TraceError(
                f"the function returned an array of shape {shape}"
                f"{f' here and {self.output_shape} elsewhere' if self.output_shape else ''}: numbers in an array of "
                "one shape are needed"
            )
        self.output_shape = shape
        program = subprogram(self._table.program(path.outputs))
        self.found.append(path)
        self._programs.append((program, subprogram(self._table.program([g.condition for g in path.guards]))))
        return path, program

    def program(self) -> Program:
        """Put the paths together: undefined where none was met."""
        if len(self.found) == 1 and not self.found[0].guards:
            # the program that was validated, with what is cached for it
            return self._programs[0][0]
        if self._table is None:
            raise TraceError("no path was recorded; the function has no finite value where it was tried")
        build = self._table.builder
        results = [build.raw("undefined")] * len(self.found[0].outputs)
        for path in reversed(self.found):
            condition = None
            for index, answer in dict.fromkeys((g.condition, g.answer) for g in path.guards):
                one = index if answer else build.raw("not", index)
                condition = one if condition is None else build.raw("and", condition, one)
            results = [
                output if condition is None else build.raw("select", condition, output, result)
                for output, result in zip(path.outputs, results, strict=True)
            ]
        return subprogram(Program(self.names, tuple(build.nodes), tuple(results)))
