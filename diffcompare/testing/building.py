"""Functions that are smooth on a box, built operation by operation: what leaves the domain is repaired at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any, cast

from diffcompare.arithmetic.balls import precision
from diffcompare.arithmetic.ranges import RANGE_BITS, Range, constant_range, is_smooth, smooth_range, variable_range
from diffcompare.errors import DomainError
from diffcompare.program.dag import Builder, Program
from diffcompare.program.operations import OPERATIONS
from diffcompare.program.printing import formula
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.parse import parse

__all__ = ["Box", "Instruction", "SmoothFunction", "build", "check_box", "smooth_function"]

Box = tuple[tuple[float, float], ...]

# a value that occurs often makes a formula of exponential length: shared ones stop growing there
_LONGEST = 100
_TEXT_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Instruction:
    """One step of the construction, on a stack of values.

    Parameters
    ----------
    operation : str
        A name of the operations table.
    operand : int
        Of one operand: 0 is the value on top, i starts anew from variable i − 1. Of two operands, the second: 0 is
        the value below the top, or else variable 0; i > 0 a variable or a value that was built before.
    constant : str
        Of two operands: a decimal that is the second operand; empty: ``operand`` says which.
    exchanged : bool
        Of two operands: exchange them.
    payload : int or None
        The exponent of an integer power.
    aim : float or None
        Move the argument (of two, the second) to about this number, or to minus it, or to one over it: functions see
        arguments from their whole range.
    """

    operation: str
    operand: int = 0
    constant: str = ""
    exchanged: bool = False
    payload: int | None = None
    aim: float | None = None


# A subclass although the house avoids them: it is a function in every place where one is taken.
class SmoothFunction(SymbolicFunction):
    """A function with a box on which it is proven smooth.

    Attributes
    ----------
    box : tuple of (float, float)
        The closed range of each variable. Proven: f is analytic there, every intermediate value is inside its
        domain also when it is computed in binary64, values and slopes are at most 1e100 in size, and rounding
        errors at most 1e-6·(1 + |value|).
    """

    box: Box
    has_formula = False

    def __repr__(self) -> str:
        box = ", ".join(f"{name!r}: {side!r}" for name, side in zip(self.variables, self.box, strict=True))
        return f"diffcompare.testing.smooth_function({self.formula!r}, {{{box}}})"


def smooth_function(text: str, box: Mapping[str, tuple[float, float]]) -> SmoothFunction:
    """Read a formula and prove that it is smooth on a box.

    Parameters
    ----------
    text : str
        A formula as :func:`diffcompare.parse` reads it.
    box : mapping of str to (float, float)
        The lowest and the highest value of each variable, in the order of the variables.

    Returns
    -------
    SmoothFunction
        With ``.box``, for :func:`points`.

    Raises
    ------
    DomainError
        It could not be proven.
    ParseError
        The text is no formula in these variables.

    Examples
    --------
    >>> smooth_function("log(x)", {"x": (0.5, 2.0)}).box
    ((0.5, 2.0),)
    """
    sides = check_box([*box.values()], len(box))
    f = parse(text, variables=[*box])
    if not is_smooth(f.program, sides):
        shown = ", ".join(f"{name} in [{low!r}, {high!r}]" for name, (low, high) in zip(box, sides, strict=True))
        raise DomainError(f"{f.formula}: not proven smooth and at most 1e100 for {shown}; choose a smaller box")
    return _with_box(f, sides)


def check_box(box: Any, count: int) -> Box:
    """Return a box as pairs of floats; ``ValueError`` says what is wrong."""
    sides = tuple((float(low), float(high)) for low, high in box)
    if len(sides) != count:
        raise ValueError(f"box of {len(sides)} sides: pass {count}, one (low, high) for each variable")
    for low, high in sides:
        if not -1e308 <= low <= high <= 1e308:
            raise ValueError(f"box side ({low!r}, {high!r}): pass finite numbers, the lower one first")
    return sides


def _with_box(f: SymbolicFunction, box: Box) -> SmoothFunction:
    smooth = SmoothFunction.from_program(f.program, formula=f.formula, name=f.name)
    assert isinstance(smooth, SmoothFunction)  # noqa: S101 - from_program makes one of its own class
    smooth.box = box
    return smooth


def build(variables: Sequence[str], box: Box, instructions: Sequence[Instruction], limit: int) -> SmoothFunction:
    """Carry out instructions, repairing each argument that is not proven to lie inside the domain.

    Proven: see :class:`SmoothFunction`. At least one operation, at most ``limit``; the function depends on a variable.
    The box of a variable may be moved to where the first operation on it has its aim.
    """
    with precision(RANGE_BITS):
        work = _Construction(variables, box, limit)
        for instruction in instructions:
            work.carry_out(instruction)
        return work.close()


@dataclass(frozen=True, slots=True)
class _Value:
    index: int
    range: Range
    length: int
    # of a variable: its side of the box
    side: tuple[float, float] | None = None


class _Construction:
    """The values built so far, and those on the stack that the result must still use."""

    def __init__(self, variables: Sequence[str], box: Box, limit: int) -> None:
        self.operations = 0
        self.build = Builder(variables)
        self.limit = limit
        self.variables = [_Value(self.build.variable(i), variable_range(*side), 1, side) for i, side in enumerate(box)]
        self.places = {value.index: i for i, value in enumerate(self.variables)}
        self.used: set[int] = set()
        self.built: list[_Value] = []
        self.stack: list[_Value] = []

    def carry_out(self, instruction: Instruction) -> None:
        """Add an operation, its arguments repaired; nothing where there is no room for it."""
        if OPERATIONS[instruction.operation].arity == 1:
            start = instruction.operand
            if start and self.stack and self.operations + 1 + len(self.stack) <= self.limit:
                argument, below = self.variables[(start - 1) % len(self.variables)], self.stack
            elif self.stack:
                argument, below = self.stack[-1], self.stack[:-1]
            else:
                argument, below = self.variables[max(start - 1, 0) % len(self.variables)], []
            operands = [argument]
        else:
            first = self.stack[-1] if self.stack else self.variables[0]
            below = self.stack[:-1]
            if instruction.constant:
                second = self._constant(instruction.constant)
            elif instruction.operand == 0 and below:
                second, below = below[-1], below[:-1]
            else:
                pool = [*self.variables, *self.built]
                second = pool[instruction.operand % len(pool)]
                if second.length + first.length > _LONGEST:
                    second = self.variables[instruction.operand % len(self.variables)]
            operands = [second, first] if instruction.exchanged else [first, second]
        result = self._repaired(instruction, operands, self.limit - self.operations - len(below))
        if result is not None:
            self.stack = [*below, result]
            self.built.append(result)

    def close(self) -> SmoothFunction:
        """Sum up what is on the stack."""
        if not self.stack:
            # no instruction could be carried out; the sine is smooth everywhere
            self.carry_out(Instruction("sin"))
        while len(self.stack) > 1:
            one, two = self.stack[-2:]
            # a sum of two values of at most 1e100 may be larger
            total = self._node("add", [one, two]) or one
            self.stack[-2:] = [total]
        program = _in_order_of_writing(self.build, self.stack[0].index)
        text = formula(program, program.outputs[0], limit=_TEXT_LIMIT)
        box = tuple(value.side for value in self.variables if value.side is not None)
        return _with_box(SymbolicFunction.from_program(program, formula=text), box)

    def _constant(self, text: str) -> _Value:
        value = Fraction(text)
        return _Value(self.build.constant(value), constant_range(float(value)), 1)

    def _node(self, operation: str, operands: Sequence[_Value], payload: int | None = None) -> _Value | None:
        found = smooth_range(operation, [operand.range for operand in operands], payload)
        if found is None:
            return None
        index = self.build.apply(operation, *(operand.index for operand in operands), payload=payload)
        return _Value(index, found, 1 + sum(operand.length for operand in operands))

    def _repaired(self, instruction: Instruction, operands: Sequence[_Value], room: int) -> _Value | None:
        """Apply an operation to the first of the milder arguments for which it is proven smooth."""
        for costs, arguments in self._milder(operands, instruction.aim):
            if costs + 1 <= room:
                result = self._node(instruction.operation, arguments, instruction.payload)
                if result is not None:
                    self.operations += costs + 1
                    for value in (*operands, *arguments):
                        if value.index in self.places:
                            self.used.add(value.index)
                            self.variables[self.places[value.index]] = value
                    return result
        return None

    def _milder(self, operands: Sequence[_Value], aim: float | None) -> Iterator[tuple[int, list[_Value]]]:
        *others, last = operands
        if aim is not None and not last.range.slope.is_zero():
            # a half-line, [−1, 1], from 1 on, what does not overflow: one of these is inside
            for target in (aim, -aim, 1 / aim, -1 / aim):
                moved = self._moved(last, target)
                # x beside a moved x would be in two places
                if moved is not None and not (moved[0] == 0 and any(last.index == other.index for other in others)):
                    yield moved[0], [*others, moved[1]]
        # of two operands the second, a divisor or an exponent, changes first
        for choice in product(range(len(_COSTS)), repeat=len(operands)):
            picked = [self._mild(operand, kind) for operand, kind in zip(operands, choice, strict=True)]
            arguments = [value for value in picked if value is not None]
            if len(arguments) == len(operands):
                yield sum(_COSTS[kind] for kind in choice), arguments

    def _mild(self, value: _Value, kind: int) -> _Value | None:
        """Return u, 1 + u², sin u, 2 + sin u or sin(u)/2; a constant is left as it is."""
        if kind == 0 or value.range.slope.is_zero():
            return value if kind == 0 else None
        if kind == 1:
            square = self._node("integer_power", [value], 2)
            return None if square is None else self._node("add", [self._constant("1"), square])
        sine = self._node("sin", [value])
        if sine is None or kind == 2:
            return sine
        if kind == 3:
            return self._node("add", [self._constant("2"), sine])
        return self._node("divide", [sine, self._constant("2")])

    def _moved(self, value: _Value, aim: float) -> tuple[int, _Value] | None:
        """Return u·s + t with a range about the aim, and what it costs; where u is a new variable, its box moves."""
        middle, radius = value.range.middle, float(value.range.values.rad())
        # the range keeps its width where that leaves its sign, else its relative width where it has one sign
        if radius <= _NARROW * abs(aim):
            wanted = radius
        elif radius <= _NARROW * abs(middle):
            wanted = radius / abs(middle) * abs(aim)
        else:
            wanted = abs(aim) / 2
        if value.index in self.places and value.index not in self.used:
            # as in the strategy, wide enough to hold many floats
            wanted = max(wanted, abs(aim) * 2.0**-24)
            side = (aim - wanted, aim + wanted)
            return 0, _Value(value.index, variable_range(*side), 1, side)
        if wanted == radius and abs(aim - middle) <= 1e4 * min(1.0, abs(aim)):
            return self._affine(value, Fraction(1), middle, aim)
        if radius <= _NARROW * abs(middle):
            factor = _short(aim / middle)
            scaled = self._node("multiply", [value, self._constant(factor)]) if Fraction(factor) else None
            return None if scaled is None else (1, scaled)
        factor = _short(wanted / radius) if radius else "0"
        return self._affine(value, Fraction(factor), middle, aim)

    def _affine(self, value: _Value, factor: Fraction, middle: float, aim: float) -> tuple[int, _Value] | None:
        # two digits of the aim are enough to hit a region, and can be read
        digits = 1 - Decimal(aim).adjusted()
        shift = round(Fraction(aim) - factor * Fraction(middle), digits)
        costs, moved = 0, cast(_Value | None, value)
        for operation, number, neutral in (
            ("multiply", factor, 1),
            ("add" if shift > 0 else "subtract", abs(shift), 0),
        ):
            if number != neutral and moved is not None:
                costs += 1
                moved = self._node(operation, [moved, self._constant(str(number))])
        return None if moved is None else (costs, moved)


def _short(number: float) -> str:
    return f"{number:.1e}"


def _in_order_of_writing(build: Builder, output: int) -> Program:
    """Number the nodes as they come in the formula, so that reading it gives the same program."""
    written, new = Builder(build.variables), dict[int, int]()
    stack = [output]
    while stack:
        index = stack[-1]
        node = build.nodes[index]
        missing = [i for i in node.operands if i not in new]
        if missing:
            stack.append(missing[0])
            continue
        stack.pop()
        new[index] = written.copy(node, *(new[i] for i in node.operands))
    return written.program([new[output]])


_COSTS = (0, 2, 1, 2, 2)
# of a range: the radius, in units of the middle, that leaves it clear of 0
_NARROW = 0.75
