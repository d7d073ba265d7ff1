"""The table into which code writes that is traced as a program of arrays."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.errors import TraceError
from diffcompare.floats import Floats
from diffcompare.program.arrays import ArrayBuilder
from diffcompare.program.elements import element_numbers
from diffcompare.program.operations import ANSWERS
from diffcompare.tracing.origins import Recorder
from diffcompare.tracing.places import Place, here
from diffcompare.tracing.refusals import TooLargeError, refuse, writing_to
from diffcompare.tracing.table import SMALL
from diffcompare.watchdog import on_time

__all__ = ["FEW", "ArrayGuard", "ArrayTable", "SingleNumbersError"]

# elements of guards by their numbers
Turned = Mapping[int, NDArray[np.bool_]]
# what a trace may hold: nodes, and elements of all of them
_NODES = 60_000
_ELEMENTS = 60_000_000
# from so many nodes on, arrays must have more elements than that on average: else numbers are traced faster one by one
FEW, _SMALL = 1_500, 4.0

# what the answer is just beside a tie, where the first number is the smaller one (False) or the larger one (True)
_BESIDE = {
    "less": (True, False),
    "less_equal": (True, False),
    "greater": (False, True),
    "greater_equal": (False, True),
    "equal": (False, False),
    "not_equal": (True, True),
}


@dataclass(frozen=True, slots=True, eq=False)
class ArrayGuard:
    """Decisions that code took on two arrays, element by element.

    Parameters
    ----------
    operation : str
        The comparison.
    first, second : int
        The nodes that were compared.
    answers : ndarray of bool
    place : Place
        Where it was taken.
    """

    operation: str
    first: int
    second: int
    answers: NDArray[np.bool_]
    place: Place


class SingleNumbersError(TraceError):
    """A program has too few numbers an operation: it is faster followed number by number."""


class ArrayTable:
    """Nodes of arrays that are shared by everything that is recorded at one point.

    Parameters
    ----------
    point : ndarray of float64, shape (n,)
    build : ArrayBuilder, optional
        Nodes that it adds to.
    turned : mapping, optional
        Elements of guards, by the guard's number in a recording, at which the numbers that are compared are taken as
        different; which one is larger is drawn with ``seed``.
    seed : int
    few : int
        How many nodes there may be whatever their size.
    rebuilt : bool
        Whether code is rebuilt: as it is, it may hand what is traced to compiled functions, which read its memory.
    """

    # numbers of the code are nodes, so that arithmetic on them is exact
    exact = True
    region = False

    def whole(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return the result of a function that is kept in one piece; None: it is written in operations of the table."""

    def __init__(
        self, point: Floats, build: ArrayBuilder | None = None, *, turned: Turned | None = None, seed: int = 0,
        few: int = FEW, rebuilt: bool = True,
    ) -> None:  # fmt: skip
        self.point = point
        self.build = build or ArrayBuilder(point.size)
        self.turned, self.seed, self.few, self.rebuilt = turned or {}, seed, few, rebuilt
        self.guards: list[ArrayGuard] = []
        self.refusal: TraceError | None = None
        self.origins = Recorder()
        # of what is being recorded: the first place that computes in shorter numbers, and their bits
        self.narrow: tuple[Place, int] | None = None
        # nodes that are not finite everywhere, of which code asked that, and where they are
        self.undefined: list[tuple[int, NDArray[np.bool_]]] = []
        # where small constants were added to something
        self.places: dict[int, Place] = {}
        # elements of nodes that are 0 at every point
        self.zeros: dict[int, NDArray[np.bool_]] = {}
        self._asked: Counter[Place] = Counter()
        self._elements = 0
        self._first = self._counted = len(self.build.nodes)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Make this the table that traced values write to."""
        with writing_to(self), np.errstate(all="ignore"):
            self.build.noted = self.origins.pending.append
            try:
                yield
            finally:
                self.build.noted = None

    def grown(self) -> None:
        """Refuse code whose trace would be too large, or is of single numbers."""
        on_time()
        nodes = self.build.nodes
        while self._counted < len(nodes):
            self._elements += math.prod(nodes[self._counted].shape)
            self._counted += 1
        own = self._counted - self._first
        if own > self.few and self._elements < _SMALL * own:
            raise refuse(
                "a program of single numbers",
                "its arrays are too small to be followed as such",
                "put what is repeated into arrays",
                SingleNumbersError,
            )
        if self._counted > _NODES or self._elements > _ELEMENTS:
            raise refuse(
                f"more than {_NODES:,} operations on arrays or {_ELEMENTS:,} elements",
                "the trace would be too large",
                "trace a smaller problem: fewer data, fewer rounds of the loop",
                TooLargeError,
            )

    def joined(self, node: int) -> None:
        """Note where a small constant is added to something, or subtracted from it."""
        nodes = self.build.nodes
        for i in nodes[node].operands:
            if nodes[i].operation == "constant" and not nodes[i].shape and 0 < abs(nodes[i].payload) <= SMALL:
                self.places.setdefault(node, here())

    def narrowed(self, kind: np.dtype[Any]) -> None:
        """Note that numbers of less than 64 bits are computed."""
        bits = 8 * kind.itemsize
        if self.narrow is None or bits < self.narrow[1]:
            self.narrow = here(), bits

    def decided(self, operation: str, nodes: tuple[int, int], floats: tuple[Floats, Floats]) -> NDArray[np.bool_]:
        """Record decisions on a comparison, and return the answers to go on with."""
        one, two = floats
        answers = np.asarray(ANSWERS[operation](one, two))
        if not (self.build.moving[nodes[0]] or self.build.moving[nodes[1]]):
            return answers
        turned = self.turned.get(len(self.guards))
        if turned is not None and turned.shape == answers.shape:
            below, above = _BESIDE[operation]
            answers = np.where(turned, np.where(self._larger(nodes, turned.shape), above, below), answers)
        place = here()
        if not answers.shape:
            self._asked[place] += 1
        self.guards.append(ArrayGuard(operation, *nodes, answers, place))
        return answers

    def order(self, node: int, floats: Floats) -> NDArray[np.intp]:
        """Return the order of numbers along the last axis; of those that the next guard turns it is drawn.

        What is sorted again, or what was sorted already, is drawn alike.
        """
        order = np.argsort(floats, axis=-1, kind="stable")
        turned = self.turned.get(len(self.guards))
        if turned is None or turned.shape != (*floats.shape[:-1], floats.shape[-1] - 1):
            return order
        # numbers that follow one another and may change places count as one
        ranks = np.cumsum(np.concatenate([np.ones((*turned.shape[:-1], 1)), ~turned], axis=-1), axis=-1)
        (numbers,) = element_numbers(self.build, [node])
        each, places = np.unique(numbers, return_inverse=True)
        drawn = np.random.default_rng((self.seed // 2, each.size)).random(each.size)[places.reshape(floats.shape)]
        drawn = np.take_along_axis(drawn, order, axis=-1)
        drawn = drawn if self.seed % 2 == 0 else -drawn
        return np.take_along_axis(order, np.lexsort((drawn, ranks), axis=-1), axis=-1)

    def _larger(self, nodes: tuple[int, int], shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Draw for each element whether the first of two equal numbers is taken to be larger.

        An odd seed draws the opposite of the seed before it: between them every element is seen on both sides.
        """
        drawn = np.random.default_rng((self.seed // 2, *sorted(nodes))).random(shape) < 0.5
        return np.asarray(drawn if (nodes[0] < nodes[1]) == (self.seed % 2 == 0) else ~drawn)

    @property
    def loops(self) -> list[Place]:
        """The places that decided on a number again and again: a loop that may end at a tolerance."""
        return [place for place, count in self._asked.items() if count > 2]
