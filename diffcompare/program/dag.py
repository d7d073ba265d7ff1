"""The program: a hash-consed, topologically ordered list of elementary operations.

A function arrives as text, as a SymPy expression or as code and becomes a :class:`Program` once. All else
is that program run in some arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from diffcompare.errors import UnsupportedFunction

__all__ = ["CONSTANT_BITS", "Builder", "Node", "Program", "Term", "gated_operand", "needed_nodes", "subprogram"]

# An exact constant with more bits is refused: the cost of a formula must stay bounded.
CONSTANT_BITS = 4096


@dataclass(frozen=True, slots=True)
class Node:
    """One elementary operation on earlier nodes.

    Parameters
    ----------
    operation : str
        A name of the operations table.
    operands : tuple of int
        Indices of earlier nodes.
    payload : Fraction, int or None
        The exact value of a ``constant``, the index of a ``variable``, the exponent of an ``integer_power``.
    """

    operation: str
    operands: tuple[int, ...] = ()
    payload: Fraction | int | None = None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Program:
    """Nodes in an order in which each follows its operands, and the nodes that are the results.

    Programs compare by identity, so that what is compiled from them can be cached per object.
    """

    variables: tuple[str, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]

    def __len__(self) -> int:
        """Count the nodes."""
        return len(self.nodes)


class Builder:
    """Collects nodes, each distinct one once.

    >>> build = Builder(("x",))
    >>> x = build.variable(0)
    >>> build.apply("multiply", x, x) == build.apply("multiply", x, x)
    True
    """

    def __init__(self, variables: Sequence[str], *, start: Program | None = None) -> None:
        self.variables = tuple(variables)
        self.nodes: list[Node] = list(start.nodes) if start else []
        self._index: dict[Node, int] = {node: i for i, node in enumerate(self.nodes)}

    def _intern(self, node: Node) -> int:
        index = self._index.get(node)
        if index is None:
            index = self._index[node] = len(self.nodes)
            self.nodes.append(node)
        return index

    def constant(self, value: Fraction | int) -> int:
        """Add an exact constant; ``UnsupportedFunction`` beyond 4096 bits."""
        value = Fraction(value)
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > CONSTANT_BITS:
            raise UnsupportedFunction(f"a constant of more than {CONSTANT_BITS} bits; write a shorter number")
        return self._intern(Node("constant", (), value))

    def variable(self, index: int) -> int:
        """Add the variable with this index."""
        return self._intern(Node("variable", (), index))

    def apply(self, operation: str, *operands: int, payload: int | None = None) -> int:
        """Add an operation; rational operations on constants are carried out exactly.

        Raises
        ------
        ZeroDivisionError
            A constant is divided by an exact zero.
        UnsupportedFunction
            An exact constant would need more than 4096 bits.
        """
        values = [self.nodes[i].payload for i in operands if self.nodes[i].operation == "constant"]
        if values and len(values) == len(operands):
            folded = _fold(operation, [Fraction(v) for v in values if v is not None], payload)
            if folded is not None:
                return self.constant(folded)
        return self._intern(Node(operation, operands, payload))

    def raw(self, operation: str, *operands: int, payload: int | None = None) -> int:
        """Add an operation as it is, also on constants."""
        return self._intern(Node(operation, operands, payload))

    def copy(self, node: Node, *operands: int) -> int:
        """Add a node of another program on operands of this one."""
        return self._intern(Node(node.operation, operands, node.payload))

    def value(self, index: int) -> Fraction | None:
        """Return the exact value of a constant node, None for any other."""
        node = self.nodes[index]
        return Fraction(node.payload) if node.operation == "constant" and node.payload is not None else None

    def program(self, outputs: Iterable[int]) -> Program:
        """Close the program: only the nodes that the outputs need, in order."""
        return subprogram(Program(self.variables, tuple(self.nodes), tuple(outputs)))


def _fold(operation: str, values: list[Fraction], payload: int | None) -> Fraction | None:
    match operation:
        case "add":
            return values[0] + values[1]
        case "subtract":
            return values[0] - values[1]
        case "multiply":
            return values[0] * values[1]
        case "divide":
            return values[0] / values[1]
        case "negative":
            return -values[0]
        case "abs":
            return abs(values[0])
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "integer_power" if payload is not None:
            size = max(values[0].numerator.bit_length(), values[0].denominator.bit_length())
            if abs(values[0]) not in (0, 1) and size * abs(payload) > 2 * CONSTANT_BITS:
                raise UnsupportedFunction(f"a constant of more than {CONSTANT_BITS} bits; write a shorter number")
            return values[0] ** payload
        case _:
            return None


def subprogram(program: Program, outputs: Sequence[int] | None = None) -> Program:
    """Keep the nodes that the outputs need, renumbered in the same order."""
    chosen = program.outputs if outputs is None else tuple(outputs)
    order = needed_nodes(program.nodes, chosen)
    new = {old: i for i, old in enumerate(order)}
    nodes = tuple(
        Node(n.operation, tuple(new[i] for i in n.operands), n.payload) for n in (program.nodes[old] for old in order)
    )
    return Program(program.variables, nodes, tuple(new[i] for i in chosen))


def needed_nodes(nodes: Sequence[Node], roots: Iterable[int]) -> list[int]:
    """List the nodes that the roots need, in order."""
    wanted = bytearray(len(nodes))
    highest = -1
    for root in roots:
        wanted[root] = 1
        highest = max(highest, root)
    for index in range(highest, -1, -1):
        if wanted[index]:
            for i in nodes[index].operands:
                wanted[i] = 1
    return [index for index in range(highest + 1) if wanted[index]]


def gated_operand(nodes: Sequence[Node], node: Node) -> int | None:
    """Return the a of ``select(a ≠ 0, a·p, 0)``, None for any other node.

    Such a choice is the product itself wherever p is finite: its value and its derivatives are those of a·p, also
    where a is 0. It is how an adjoint keeps out what a branch that is not taken would contribute.
    """
    if node.operation != "select":
        return None
    condition, product, zero = (nodes[i] for i in node.operands)
    if condition.operation != "not_equal" or zero != Node("constant", (), Fraction(0)):
        return None
    a, other = condition.operands
    gated = nodes[other] == zero and product.operation == "multiply" and a in product.operands
    return a if gated else None


@dataclass(frozen=True, slots=True)
class Term:
    """A node of a builder with operators, for writing derivatives as formulas.

    Neutral elements are dropped (0 + x, 1·x, 0·x = 0, x¹): a derivative is a formula of its own and need
    not keep an order of operations that nobody wrote.
    """

    builder: Builder
    index: int

    def constant(self, value: Fraction | int) -> Term:
        """Return an exact constant of the same builder."""
        return Term(self.builder, self.builder.constant(value))

    def apply(self, operation: str, *others: Term, payload: int | None = None) -> Term:
        """Apply an operation of the table with this term as its first operand."""
        operands = (self.index, *(other.index for other in others))
        return Term(self.builder, self.builder.apply(operation, *operands, payload=payload))

    def _apply(self, operation: str, *others: Term, payload: int | None = None) -> Term:
        """Apply an operation; a constant that is too long or undefined is left unfolded, as a derivative may be."""
        try:
            return self.apply(operation, *others, payload=payload)
        except (UnsupportedFunction, ZeroDivisionError):
            operands = (self.index, *(other.index for other in others))
            return Term(self.builder, self.builder.raw(operation, *operands, payload=payload))

    @property
    def value(self) -> Fraction | None:
        """The exact value of a constant, None for any other term."""
        return self.builder.value(self.index)

    def _term(self, other: Term | Fraction | int) -> Term:
        return other if isinstance(other, Term) else self.constant(other)

    def __add__(self, other: Term | Fraction | int) -> Term:
        other = self._term(other)
        if self.value == 0:
            return other
        if other.value == 0:
            return self
        return self._apply("add", other)

    __radd__ = __add__

    def __sub__(self, other: Term | Fraction | int) -> Term:
        other = self._term(other)
        if other.value == 0:
            return self
        if self.value == 0:
            return -other
        return self._apply("subtract", other)

    def __rsub__(self, other: Term | Fraction | int) -> Term:
        return self._term(other) - self

    def __mul__(self, other: Term | Fraction | int) -> Term:
        other = self._term(other)
        for one, two in ((self, other), (other, self)):
            if one.value == 0:
                return one
            if one.value == 1:
                return two
            if one.value == -1:
                return -two
        return self._apply("multiply", other)

    __rmul__ = __mul__

    def __truediv__(self, other: Term | Fraction | int) -> Term:
        other = self._term(other)
        if self.value == 0 or other.value == 1:
            return self
        if other.value == -1:
            return -self
        return self._apply("divide", other)

    def __rtruediv__(self, other: Term | Fraction | int) -> Term:
        return self._term(other) / self

    def __neg__(self) -> Term:
        node = self.builder.nodes[self.index]
        if node.operation == "negative":
            return Term(self.builder, node.operands[0])
        return self._apply("negative")

    def __abs__(self) -> Term:
        return self.apply("abs")

    def __pow__(self, exponent: int) -> Term:
        if exponent == 0:
            return self.constant(1)
        return self if exponent == 1 else self._apply("integer_power", payload=exponent)
