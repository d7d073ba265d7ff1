"""Points with one coordinate moved: what does not depend on it is computed once for all of them.

A value of a node whose operands do not move is the same number whichever other variable moves, so it is shared. Of a
sum the terms that do not move are added once: in another order than that of the program, which is as true, but may be
another ball in its last bits.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import accumulate
from typing import Any, overload

from flint import arb

from diffcompare.arithmetic.balls import ball, ball_function, ball_operation
from diffcompare.program.chains import with_sums
from diffcompare.program.dag import Node, Program
from diffcompare.program.moving import moving_nodes

__all__ = ["FEWEST", "NARROW", "Chain", "Moved", "Rest", "Values", "few_moving", "moved_products", "moved_value"]

# of fewer variables, or where more than this share of the nodes moves, there is little to gain
FEWEST, _SHARE = 8, 4
# operands of a node that are looked up one by one
NARROW = 8

Apply = Callable[..., Any]


class Rest:
    """A point that one coordinate at a time moves away from, and what is known of it at rest."""

    __slots__ = ("balls", "floats", "known")

    def __init__(self, point: Sequence[float]) -> None:
        self.floats = list(point)
        self.balls = [ball(x) for x in point]
        self.known: dict[Any, Any] = {}

    def moved(self, direction: int, value: arb | None = None) -> Moved:
        """Return the point with a ball for one coordinate; the coordinate itself where there is none."""
        return Moved(self, direction, self.balls[direction] if value is None else value)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what was made under a key, which has all that it depends on besides the point."""
        if key not in self.known:
            self.known[key] = make()
        return self.known[key]


class Moved(Sequence[arb]):
    """The coordinates of a point of which one has moved."""

    __slots__ = ("direction", "rest", "value")

    def __init__(self, rest: Rest, direction: int, value: arb) -> None:
        self.rest, self.direction, self.value = rest, direction, value

    def __len__(self) -> int:
        """Count the coordinates."""
        return len(self.rest.balls)

    @overload
    def __getitem__(self, index: int) -> arb: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[arb]: ...

    def __getitem__(self, index: int | slice) -> arb | Sequence[arb]:
        """Return a coordinate."""
        return list(self)[index]

    def __iter__(self) -> Iterator[arb]:
        """Give the coordinates in order."""
        balls = self.rest.balls
        yield from balls[: self.direction]
        yield self.value
        yield from balls[self.direction + 1 :]


def few_moving(program: Program, variable: int) -> list[int] | None:
    """List the nodes that depend on a variable, itself first; None where it pays to compute all nodes."""
    if len(program.variables) < FEWEST:
        return None
    moving = moving_nodes(program, variable)
    return moving if len(moving) * _SHARE <= len(program.nodes) else None


class Values:
    """The values of the nodes of a program at rest, and those that move with a variable.

    ``apply(index, node, operands)`` computes one node. A sum of many, or a dot product, is the business of
    ``total(index, node, known, moved)``, which is told the operands at rest, and those at some places that moved.
    """

    __slots__ = ("apply", "at_rest", "program", "total", "wide")

    def __init__(
        self, program: Program, variables: Sequence[Any], apply: Apply, total: Callable[..., Any] | None = None
    ) -> None:
        self.program, self.apply, self.total = program, apply, total
        self.at_rest: list[Any] = []
        self.wide: dict[int, tuple[list[Any], dict[int, list[int]]]] = {}
        for index, node in enumerate(program.nodes):
            if node.operation == "variable":
                self.at_rest.append(variables[int(node.payload or 0)])
            elif self._is_total(node):
                self.at_rest.append(total(index, node, self.operands(index, node)[0], {}))  # type: ignore[misc]
            else:
                self.at_rest.append(apply(index, node, [self.at_rest[i] for i in node.operands]))

    def moved(self, moving: Sequence[int], value: Any) -> dict[int, Any]:
        """Return the values of the nodes that move with a variable, of which the first is its own."""
        found: dict[int, Any] = {moving[0]: value} if moving else {}
        at_rest, nodes, apply = self.at_rest, self.program.nodes, self.apply
        for index in moving[1:]:
            node = nodes[index]
            if len(node.operands) > NARROW:
                known, places = self.operands(index, node)
                moved = {p: found[i] for i in found if i in places for p in places[i]}
                if self._is_total(node):
                    found[index] = self.total(index, node, known, moved)  # type: ignore[misc]
                    continue
                operands = known.copy()
                for p, other in moved.items():
                    operands[p] = other
            else:
                operands = [found[i] if i in found else at_rest[i] for i in node.operands]
            found[index] = apply(index, node, operands)
        return found

    def _is_total(self, node: Node) -> bool:
        return self.total is not None and len(node.operands) > NARROW and node.operation in ("sum", "dot")

    def operands(self, index: int, node: Node) -> tuple[list[Any], dict[int, list[int]]]:
        """Return the operands of a node at rest, and the places of each."""
        if index not in self.wide:
            places: dict[int, list[int]] = {}
            for p, i in enumerate(node.operands):
                places.setdefault(i, []).append(p)
            self.wide[index] = [self.at_rest[i] for i in node.operands], places
        return self.wide[index]

    def output(self, found: Mapping[int, Any]) -> Any:
        """Return the value of the first output."""
        index = self.program.outputs[0]
        return found[index] if index in found else self.at_rest[index]


class Chain:
    """A sum of which some terms move: of those before the first and after the last of them the sums are known."""

    __slots__ = ("after", "before", "terms")

    def __init__(self, terms: Sequence[Any], zero: Any) -> None:
        self.terms = list(terms)
        # before[p] is the sum of the terms before p, after[p] that of p and the terms behind it
        self.before: list[Any] = list(accumulate(self.terms, operator.add, initial=zero))
        self.after: list[Any] = list(accumulate(reversed(self.terms), operator.add, initial=zero))[::-1]

    def total(self, moved: Mapping[int, Any]) -> Any:
        """Return the sum with other terms at some places; None leaves a term out."""
        if not moved:
            return self.before[-1]
        places = sorted(moved)
        value, done = self.before[places[0]], places[0]
        for p in places:
            value = reduce(operator.add, self.terms[done:p], value)
            value = value if moved[p] is None else value + moved[p]
            done = p + 1
        return value + self.after[done]


def moved_products(half: int, known: Sequence[Any], moved: Mapping[int, Any]) -> dict[int, Any]:
    """Return the products of a dot product that moved."""
    places = {p if p < half else p - half for p in moved}
    return {
        p: (moved[p] if p in moved else known[p]) * (moved[p + half] if p + half in moved else known[p + half])
        for p in places
    }


def moved_value(program: Program, point: Moved, bits: int) -> arb:
    """Enclose the first output of a program at the working precision, ``bits``."""
    program = with_sums(program)
    moving = few_moving(program, point.direction)
    if moving is None:
        return ball_function(program)(*point)[0]
    known = point.rest.once(("balls", program, bits), lambda: _ball_values(program, point.rest))
    found: arb = known.output(known.moved(moving, point.value))
    return found


def _ball_values(program: Program, rest: Rest) -> Values:
    chains: dict[int, Chain] = {}

    def total(index: int, node: Node, known: Sequence[arb], moved: Mapping[int, arb]) -> arb:
        half = len(known) // 2
        if index not in chains:
            terms = known if node.operation == "sum" else [known[p] * known[p + half] for p in range(half)]
            chains[index] = Chain(terms, arb(0))
        result: arb = chains[index].total(moved if node.operation == "sum" else moved_products(half, known, moved))
        return result

    return Values(program, rest.balls, _ball_operation, total)


def _ball_operation(_: int, node: Node, operands: Sequence[Any]) -> Any:
    if node.operation == "integer_power" and node.payload in (2, 3):
        # as the compiled program has it
        x = operands[0]
        return x * x if node.payload == 2 else x * x * x
    return ball_operation(node, *operands)
