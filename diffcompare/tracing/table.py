"""The table into which traced code writes: nodes, their float values, constants, and the decisions that were taken."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from types import FrameType

import numpy as np

from diffcompare.errors import TraceError, UnsupportedFunction
from diffcompare.program.dag import Builder, Program
from diffcompare.program.operations import OPERATIONS
from diffcompare.program.zeros import is_always_zero
from diffcompare.tracing.origins import Recorder
from diffcompare.tracing.places import Place, called_from, here, is_foreign
from diffcompare.tracing.refusals import TooLargeError, refuse, writing_to
from diffcompare.watchdog import on_time

__all__ = [
    "EXACT_BITS",
    "NODE_LIMIT",
    "SMALL",
    "Cast",
    "Constant",
    "Decide",
    "Guard",
    "Table",
    "TracedBytes",
    "significant_bits",
]

NODE_LIMIT = 300_000
# a sum of n terms is one node: what it holds must stay bounded too
_OPERAND_LIMIT = 6_000_000
# after so many nodes, a power of 2 less 1, it is asked whether there is time left
_ASKED = 2047
# constants with at most this many significant bits were not rounded when they were written
EXACT_BITS = 24
# constants as short as this stay constants of the program, where rational arithmetic on them is exact
_SHORT_BITS = 12
_FOLDED_BITS = 64

# a constant that is added to keep something from 0 is not larger
SMALL = 1e-3
_JOINED = frozenset({"add", "subtract"})
# what has a corner at 0, and is 0 there
_ROOTS = frozenset({"sqrt", "power", "hypot"})
_EDGED = frozenset(name for name, operation in OPERATIONS.items() if operation.domain)


@dataclass(frozen=True, slots=True)
class Guard:
    """A decision that the code took.

    Parameters
    ----------
    condition : int
        The comparison.
    answer : bool
    place : Place
        Where it was taken.
    visit : int
        Which run of that place took it: one run of ``np.max(a)`` compares many times.
    """

    condition: int
    answer: bool
    place: Place
    visit: int = 0


@dataclass(frozen=True, slots=True)
class Constant:
    """A number of the code that is kept apart: its node is a variable that follows those of the point.

    Parameters
    ----------
    value : float
    exact : bool
        At most 24 significant bits: it was not rounded when it was written.
    scale : float
        0 for a number of its own; the largest entry of the array that it was found in.
    """

    value: float
    exact: bool
    scale: float = 0.0


@dataclass(frozen=True, slots=True)
class Cast:
    """A conversion to a shorter floating-point type."""

    node: int
    bits: int
    place: Place


# number of the guard, place, visit, call of the function, answer of the floats -> the answer to go on with
Decide = Callable[[int, Place, int, int, bool], bool]


class TracedBytes(bytes):
    """The bytes of what varies: as a key, they find nothing that was kept of floats."""

    def __eq__(self, other: object) -> bool:
        return type(other) is TracedBytes and bytes(self) == bytes(other)

    def __hash__(self) -> int:
        return hash((TracedBytes, bytes(self)))


class Table:
    """Nodes that are shared by everything that is recorded at one point.

    Parameters
    ----------
    names : sequence of str
        The variables.
    point : sequence of float
        Their values.
    mode : str
        ``region``: choices become nodes, decisions are guards. ``point``: every decision is taken at once.
    exact : bool
        Arithmetic among numbers of the code is exact, and those of a ``point`` that may have been rounded are kept
        apart; else it is float arithmetic, as in the code.
    decide : callable, optional
        ``decide(number of the guard, place, visit, call, answer)`` returns the answer to go on with; ``call`` tells one
        call of the function that decides at a place from the next.
    """

    def __init__(
        self,
        names: Sequence[str],
        point: Sequence[float],
        *,
        mode: str = "point",
        exact: bool = True,
        decide: Decide | None = None,
    ) -> None:
        self.builder = Builder(names)
        self.names = tuple(names)
        self.point = tuple(float(v) for v in point)
        self.region = mode == "region"
        self.exact = exact
        self.decide = decide
        self.shadows: list[float] = []
        self.moving: list[bool] = []
        # what is not defined for all numbers, or is made of such
        self.edged: list[bool] = []
        self.constants: list[Constant] = []
        self.constant_nodes: dict[float, int] = {}
        # the floats of constants that code took as text, as bytes or by float(); long ones come back as what they were
        self.given: dict[float, int] = {}
        self.guards: list[Guard] = []
        self._visit = 0
        self._callee: FrameType | None = None
        # the last call of the user's function in which a place decided, and its number
        self._calls: dict[Place, tuple[FrameType | None, int]] = {}
        # where small constants were added to something
        self.places: dict[int, Place] = {}
        # of what is being recorded
        self.first_guard = 0
        self.casts: list[Cast] = []
        self.eliminations = 0
        # whether code took the bytes or the text of a number that varies: what it makes of them is not seen
        self.read = False
        self.refusal: TraceError | None = None
        self.origins = Recorder()
        self.limit = NODE_LIMIT
        self._operands = 0
        self._infinite = False
        self._zeros: dict[int, bool] = {}
        for i, value in enumerate(self.point):
            self._added(self.builder.variable(i), value, True)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Make this the table that traced values write to."""
        with writing_to(self), np.errstate(all="ignore"):
            try:
                yield
            finally:
                # so does a frame
                self._callee = None
                self._calls = {place: (None, call) for place, (_, call) in self._calls.items()}

    def move(self, point: Sequence[float]) -> None:
        """Go to another point: what is recorded there shares the nodes."""
        self.point = tuple(float(v) for v in point)
        self.shadows[: len(self.point)] = self.point

    def _added(self, index: int, shadow: float, moving: bool) -> int:
        if index == len(self.shadows):
            node = self.builder.nodes[index]
            self.shadows.append(shadow)
            self.moving.append(moving)
            self.edged.append(node.operation in _EDGED or any(self.edged[i] for i in node.operands))
            self._operands += len(node.operands)
            if not index & _ASKED:
                on_time()
            if index >= self.limit or self._operands > _OPERAND_LIMIT:
                raise refuse(
                    f"more than {self.limit:,} elementary operations",
                    "the trace would be too large",
                    "trace a smaller problem: fewer data, fewer rounds of the loop",
                    TooLargeError,
                )
        return index

    def is_pole(self, index: int) -> bool:
        """Tell whether a number that is not finite may be so at the point alone, where what it is made from is 0 or ±1.

        What is made from constants that are not finite, such as data that are missing, is so at every point.
        """
        waiting, seen = [index], set[int]()
        while waiting:
            k = waiting.pop()
            if k in seen or not self.moving[k] or math.isfinite(self.shadows[k]):
                continue
            seen.add(k)
            operands = self.builder.nodes[k].operands
            if any(not self.moving[i] and not math.isfinite(self.shadows[i]) for i in operands):
                continue
            if any(self.moving[i] and self.shadows[i] in (0.0, 1.0, -1.0) for i in operands):
                return True
            waiting += operands
        return False

    def constant(self, value: float, scale: float = 0.0) -> int:
        """Return the node of a number."""
        index = self.given.get(value) if self.exact else None
        if index is not None and significant_bits(value) > EXACT_BITS:
            return index
        index = self.constant_nodes.get(value)
        if index is not None and (self.region or not scale or not self.exact):
            return index
        if not math.isfinite(value):
            self._infinite = True
            return self._added(self.builder.raw("undefined"), value, False)
        bits = significant_bits(value)
        if self.region or not self.exact or bits <= _SHORT_BITS:
            index = self._added(self.builder.constant(Fraction(value)), value, False)
        elif index is None:
            index = self._added(self.builder.variable(len(self.point) + len(self.constants)), value, False)
            self.constants.append(Constant(value, bits <= EXACT_BITS, scale))
        else:
            place = int(self.builder.nodes[index].payload or 0) - len(self.point)
            held = self.constants[place]
            if scale > held.scale:
                self.constants[place] = Constant(value, held.exact, scale)
        self.constant_nodes[value] = index
        return index

    def root(self, number: int) -> int:
        """Return the node of the square root of a whole number: of its real number, not of its float."""
        return self.inside("sqrt", self.constant(float(number)), math.sqrt(number))

    def inside(self, operation: str, index: int, shadow: float) -> int:
        """Return an operation on a number that is never rounded: it stands inside a function of a library."""
        return self._added(self.builder.raw(operation, index), shadow, False)

    def apply(self, operation: str, operands: tuple[int, ...], shadow: float, payload: int | None = None) -> int:
        """Return the node of an operation whose float result is ``shadow``."""
        moving, index = self.moving, None
        for i in operands:
            if moving[i]:
                break
        else:
            index = self._folded(operation, operands, payload) if self.exact else self.constant(shadow)
            if index is not None:
                self._added(index, shadow, False)
        if index is None and self._infinite and operation != "select":
            # ±inf of the code: e⁻ⁱⁿᶠ is 0, and what stays infinite is no number
            nodes = self.builder.nodes
            if any(nodes[i].operation == "undefined" for i in operands):
                index = self.constant(shadow)
        if index is None and operation in _ROOTS and not shadow and self._vanish(operands):
            # a power of what is always 0 is that itself, and has no corner
            index = operands[0]
        if index is None:
            index = self.builder.raw(operation, *operands, payload=payload)
            if index == len(self.shadows):
                self._added(index, shadow, any(moving[i] for i in operands))
                if operation in _JOINED and any(0 < abs(self.shadows[i]) <= SMALL and not moving[i] for i in operands):
                    self.places[index] = here()
        self.origins.note(index)
        return index

    def _vanish(self, operands: Sequence[int]) -> bool:
        # an exponent need not be 0
        own = operands if len(operands) == 2 and not self.shadows[operands[1]] else operands[:1]
        return all(is_always_zero(self.builder.nodes, i, self._zeros) for i in own)

    def adopt(self) -> None:
        """Take in the nodes that a builder's user has added; their floats are not known."""
        nodes = self.builder.nodes
        for index in range(len(self.shadows), len(nodes)):
            node = nodes[index]
            value = float(Fraction(node.payload or 0)) if node.operation == "constant" else math.nan
            self._added(index, value, any(self.moving[i] for i in node.operands))

    def _folded(self, operation: str, operands: tuple[int, ...], payload: int | None) -> int | None:
        values = [self.builder.value(i) for i in operands]
        if any(value is None or _size(value) > _FOLDED_BITS for value in values) or abs(payload or 0) > 64:
            return None
        try:
            before = len(self.builder.nodes)
            index = self.builder.apply(operation, *operands, payload=payload)
        except (ZeroDivisionError, UnsupportedFunction):
            return None
        value = self.builder.value(index)
        if value is not None and _size(value) <= _FOLDED_BITS:
            return index
        # too long: the node is left behind, unused
        if len(self.builder.nodes) > before:
            self._added(index, math.nan, False)
        return None

    def decided(self, operation: str, operands: tuple[int, ...], answer: bool) -> bool:
        """Record a decision on a comparison, and return the answer to go on with."""
        if not any(self.moving[i] for i in operands):
            return answer
        index = self.builder.raw(operation, *operands)
        return self.guarded(self._added(index, float(answer), True), answer)

    def guarded(self, condition: int, answer: bool) -> bool:
        """Record a decision on a condition, and return the answer to go on with."""
        if not self.moving[condition]:
            return answer
        place, frame, callee = called_from(sys._getframe(1), is_foreign)
        # the frame is held, so that no other one can be taken for it
        if callee is not self._callee:
            self._visit, self._callee = self._visit + 1, callee
        if self.decide is not None:
            held, call = self._calls.get(place, (None, 0))
            if frame is not held:
                call += 1
                self._calls[place] = frame, call
            answer = self.decide(len(self.guards) - self.first_guard, place, self._visit, call, answer)
        self.guards.append(Guard(condition, answer, place, self._visit))
        return answer

    def insert(self, program: Program, *, text: bool = False) -> list[int]:
        """Add the nodes of a program; its variables are those of the point. Returns the outputs.

        ``text``: numbers of a formula and of the code that are written alike are one, and its π is the float.
        """
        new: list[int] = []
        with self.recording():
            for node in program.nodes:
                if node.operation == "variable":
                    new.append(self.builder.variable(int(node.payload or 0)))
                elif text and node.operation in ("pi", "e"):
                    new.append(self.constant(math.pi if node.operation == "pi" else math.e))
                elif node.operation == "constant":
                    new.append(self._exact_constant(Fraction(node.payload or 0), text))
                else:
                    operands = tuple(new[i] for i in node.operands)
                    index = self.builder.raw(node.operation, *operands, payload=_payload(node.payload))
                    new.append(self._added(index, math.nan, any(self.moving[i] for i in operands)))
        return [new[i] for i in program.outputs]

    def _exact_constant(self, value: Fraction, text: bool) -> int:
        try:
            nearest = float(value)
        except OverflowError:
            nearest = math.inf
        # a decimal of the text and the literal of the code that rounds to it are the same number
        if text and math.isfinite(nearest) and (Fraction(nearest) == value or Fraction(repr(nearest)) == value):
            return self.constant(nearest)
        return self._added(self.builder.constant(value), nearest, False)

    def program(self, outputs: Sequence[int]) -> Program:
        """Close a program over the variables of the point (constants that are kept apart follow them)."""
        return Program(self.names, tuple(self.builder.nodes), tuple(outputs))


def _payload(value: Fraction | int | None) -> int | None:
    return None if value is None else int(value)


def _size(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def significant_bits(value: float) -> int:
    """Count the bits between the first and the last one of a float."""
    mantissa = abs(int(math.ldexp(math.frexp(value)[0], 53)))
    return (mantissa // (mantissa & -mantissa)).bit_length() if mantissa else 0
