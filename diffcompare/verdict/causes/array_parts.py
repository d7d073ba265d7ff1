"""A function taken apart as a program of arrays: every use of a node, and the error that a mistake in one makes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from diffcompare.errors import DiffcompareError
from diffcompare.program.adjoint import adjoint
from diffcompare.program.array_adjoint import gradient_through, sensitivities_of, uses_of
from diffcompare.program.array_printing import array_formulas
from diffcompare.program.arrays import STRUCTURAL, ArrayBuilder, ArrayNode, Places, Shape
from diffcompare.program.dag import Term
from diffcompare.program.operations import partial_terms
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.causes.budget import BUILT, Budget
from diffcompare.verdict.causes.nearby import price
from diffcompare.verdict.causes.part_rules import SUMS, Slope
from diffcompare.verdict.problem import Problem

__all__ = ["ArrayParts", "Use", "array_parts"]

# elements of all nodes, whose slopes are held at once
_ELEMENTS = 4_000_000
# operations on whole arrays whose uses are looked at; a product of arrays is what numbers call dot
_WHOLE = {"contract": "dot"} | {name: name for name in ("total", "solve", "cholesky", "determinant", "log_determinant")}
_VIEWS = ("reshape", "take", "transpose", "broadcast")


@dataclass(frozen=True, slots=True)
class Use:
    """A use of an operand by a node.

    ``operation``: what the node does, in the words of programs of numbers; ``leaf``: whether the operand is a variable;
    ``partial``: the local partial, None where it is not element by element; ``contribution``: what the operand gets,
    broadcast to its shape.
    """

    node: int
    operand: int
    operation: str
    leaf: bool
    partial: int | None
    contribution: int


@dataclass(frozen=True, slots=True)
class ArrayParts:
    """A function taken apart.

    Parameters
    ----------
    problem : Problem
    pair : ArrayPair
    budget : Budget
    output : int
        The node of the function, of shape ().
    bars : dict
        The node of ∂F/∂node, for each node that has uses.
    uses : tuple of Use
        The outermost first.
    """

    problem: Problem
    pair: ArrayPair
    budget: Budget
    output: int
    bars: dict[int, int]
    uses: tuple[Use, ...]

    @property
    def build(self) -> ArrayBuilder:
        """The builder of all nodes."""
        return self.pair.build

    @property
    def addends(self) -> list[Use]:
        """The uses that are addends of a sum."""
        return [use for use in self.uses if use.operation in SUMS]

    @property
    def sums(self) -> list[Use]:
        """The uses whose elements are added, one by one: by a sum, or as products of two vectors."""
        nodes = self.build.nodes
        return [use for use in self.uses if use.operation == "total" or nodes[use.node].payload == "a,a->"]

    @property
    def numbers(self) -> list[int]:
        """The nodes of the function that are one number."""
        return [k for k in self.build.needed([self.output]) if not self.build.shape(k)]

    @property
    def cost(self) -> int:
        """What one call of the function costs, at most."""
        return price(self.pair) // 2

    def shape(self, index: int) -> Shape:
        """Return the shape of a node."""
        return self.build.shape(index)

    def text(self, index: int) -> str:
        """Write the formula of a node."""
        return array_formulas(self.build, [index], self.problem.names)[0]

    def is_outer(self, use: Use) -> bool:
        """Tell whether nothing but numbers scales a node in the function."""
        return self.build.variables not in self.build.needed([self.bars[use.node]])

    def part(self, use: Use, element: int | None = None) -> int:
        """Return the node of what a use contributes to the derivative, or one element of its operand."""
        seed, shape = use.contribution, self.shape(use.operand)
        if element is not None:
            only = np.zeros(shape)
            only.reshape(-1)[element] = 1.0
            seed = self.build.raw("multiply", seed, self.build.constant(only))
        return gradient_through(self.build, use.operand, seed, shape)

    def element_text(self, use: Use, element: int) -> str:
        """Write one element of an operand of a sum."""
        place = ", ".join(map(str, np.unravel_index(element, self.shape(use.operand))))
        text = self.text(use.operand)
        return f"{text}[{place}]" if text.isidentifier() else f"({text})[{place}]"

    def gradient(self, index: int) -> int:
        """Return the node of the derivative of a node, or of the sum of its elements."""
        return gradient_through(self.build, index, self.build.constant(1), self.shape(index))

    def changed(self, rule: Slope, use: Use) -> int:
        """Return the node of the error that another local partial makes."""
        p, x, y, bar = (Term(self.build, i) for i in (use.partial, use.operand, use.node, self.bars[use.node]))  # type: ignore[arg-type]
        seed = (rule.slope(p, x, y) - p) * bar
        return gradient_through(self.build, use.operand, seed.index, self.shape(use.node))

    def scaled(self, by_value: int, *, missing: bool) -> int:
        """Return the node of the error of a derivative that lacks the factor of a node, or has it too many."""
        value, whole = Term(self.build, by_value), Term(self.build, self.pair.D)  # type: ignore[arg-type]
        return (((1 / value if missing else value) - 1) * whole).index

    def times(self, factor: float, *indices: int) -> int:
        """Return the node of a multiple of a sum."""
        first, *others = indices
        for index in others:
            first = self.build.raw("add", first, index)
        return self.build.raw("multiply", self.build.constant(factor), first)

    def matrices(self) -> Iterator[tuple[int, Places]]:
        """Yield the nodes that are matrices of variables, and which these are."""
        own: dict[int, Places] = {}
        for k in self.build.needed([self.output]):
            node = self.build.nodes[k]
            if node.operation == "variable":
                own[k] = np.arange(node.shape[0])
            elif node.operation in ("reshape", "take") and node.operands[0] in own:
                held = own[node.operands[0]].reshape(-1)
                own[k] = held.reshape(node.shape) if node.operation == "reshape" else held[node.payload]
                if len(node.shape) == 2 and min(node.shape) > 1:
                    yield k, own[k]


def array_parts(problem: Problem, pair: ArrayPair, budget: Budget) -> ArrayParts | None:
    """Take a function apart; None where that is not known, or there would be too much of it."""
    build = pair.build
    if problem.derivative is not adjoint or problem.directions is not None:
        return None
    output = build.reshape(pair.F, ())
    order = [k for k in build.needed([output]) if build.moving[k] and build.nodes[k].operands]
    budget.spend(BUILT * 4 * len(order))
    if 4 * sum(math.prod(build.shape(k)) for k in order) > _ELEMENTS:
        return None
    try:
        bars = sensitivities_of(build, output, build.moving)
        bars = {k: bars[k] for k in order if k in bars}
        uses = tuple(use for k in reversed(bars) for use in _uses(build, k, bars[k]))
    except (ArithmeticError, KeyError, DiffcompareError):
        return None
    return ArrayParts(problem, pair, budget, output, bars, uses)


def _uses(build: ArrayBuilder, k: int, bar: int) -> Iterator[Use]:
    """Yield the uses of a node's operands; both factors of x·x are one, with the partial 2x."""
    node = build.nodes[k]
    if node.operation in STRUCTURAL and node.operation not in _WHOLE:
        return
    operation = _WHOLE.get(node.operation, node.operation)
    found = [
        Use(k, i, operation, _is_leaf(build, i), p, contribution)
        for (i, contribution), p in zip(uses_of(build, k, bar), _partials(build, node, k), strict=True)
    ]
    if operation in ("multiply", "dot") and len(found) == 2 and found[0].operand == found[1].operand:
        one, two = found
        both = None if one.partial is None or two.partial is None else _sum(build, one.partial, two.partial)
        found = [replace(one, partial=both, contribution=_sum(build, one.contribution, two.contribution))]
    yield from found


def _partials(build: ArrayBuilder, node: ArrayNode, k: int) -> Sequence[int | None]:
    """Return the local partials in the moving operands; None where one number is none."""
    moving = [build.moving[i] for i in node.operands]
    if node.operation in STRUCTURAL:
        return [None] * sum(moving)
    operands = [Term(build, i) for i in node.operands]  # type: ignore[arg-type]
    terms = partial_terms(node.operation, node.payload, Term(build, k), operands)  # type: ignore[arg-type]
    return [term.index for term, moves in zip(terms, moving, strict=True) if moves]


def _sum(build: ArrayBuilder, one: int, two: int) -> int:
    return build.apply("multiply", build.constant(2), one) if one == two else build.apply("add", one, two)


def _is_leaf(build: ArrayBuilder, index: int) -> bool:
    node = build.nodes[index]
    while node.operation in _VIEWS:
        node = build.nodes[node.operands[0]]
    return node.operation == "variable"
