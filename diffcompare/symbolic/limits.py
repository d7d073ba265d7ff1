"""What SymPy is asked: limits that are told from a program alone, by counting.

SymPy's constructors evaluate, and some never return: on constants such as exp(exp(exp(5))), digamma(10**6) or
zeta(x - x + 10**5), which they evaluate exactly, or on roots and corners inside one another, whose signs they look for.
"""

from __future__ import annotations

import math
from fractions import Fraction

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.code import constant_nodes
from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import OPERATIONS, Kind, named
from diffcompare.symbolic.namespaces import implementation

__all__ = ["affordable", "is_quick"]

NODE_LIMIT = 200
VARIABLE_LIMIT = 8
# branches and corners multiply the cases that SymPy looks at
SWITCH_LIMIT = 12
EXTREMA_LIMIT = 6
TREE_LIMIT = 1000
DEPTH_LIMIT = 40
_MAGNITUDE_LIMIT = 2.0**1000

_SWITCHING = named(Kind.PIECEWISE)
# SymPy writes some functions of a whole order out as sums
_PARAMETER_LIMIT = 30


def affordable(program: Program) -> bool:
    """Tell whether SymPy is asked about this program at all."""
    if len(program.nodes) > NODE_LIMIT or len(program.variables) > VARIABLE_LIMIT:
        return False
    operations = [node.operation for node in program.nodes]
    if sum(name in _SWITCHING for name in operations) > SWITCH_LIMIT:
        return False
    if operations.count("min") + operations.count("max") > EXTREMA_LIMIT:
        return False
    return _tree_is_small(program) and _parameters_are_small(program) and _constants_are_moderate(program)


def _parameters_are_small(program: Program) -> bool:
    for node in program.nodes:
        for i in node.operands[: OPERATIONS[node.operation].parameters]:
            if abs(Fraction(program.nodes[i].payload or 0)) > _PARAMETER_LIMIT:
                return False
    return True


def _tree_is_small(program: Program) -> bool:
    """Bound size and depth of the expression tree, in which what is shared in the program stands many times."""
    sizes: list[int] = []
    for node in program.nodes:
        # a cube root is written sign(x)·|x|^(1/3): its argument stands there twice
        copies = 2 if node.operation == "cbrt" else 1
        sizes.append(1 + copies * sum(sizes[i] for i in node.operands))
        if sizes[-1] > TREE_LIMIT:
            return False
    # a long sum is deep as a program, but flat as an expression
    return _nesting(program) <= DEPTH_LIMIT


def _nesting(program: Program) -> int:
    depths: list[int] = []
    for node in program.nodes:
        below = max((depths[i] for i in node.operands), default=0)
        depths.append(below + (node.operation not in ("add", "subtract", "multiply", "sum", "constant", "variable")))
    return max(depths)


def _constants_are_moderate(program: Program) -> bool:
    """Estimate every constant part in binary64: all of them 0 or within 2^±1000, and none undefined."""
    values: dict[int, float | bool] = {}
    for index, node in enumerate(program.nodes):
        if node.operation == "variable" or any(i not in values for i in node.operands):
            continue
        if node.operation in ("true", "false", "undefined"):
            continue
        try:
            if node.operation == "constant":
                value: float | bool = float(Fraction(node.payload or 0))
            else:
                payload = [] if node.payload is None else [node.payload]
                value = implementation(math, node.operation)(*(values[i] for i in node.operands), *payload)
        except (ArithmeticError, ValueError, TypeError, UnsupportedFunction):
            return False
        if not isinstance(value, bool):
            inexact_zero = value == 0 and node.operation != "constant"
            if (
                isinstance(value, complex)
                or inexact_zero
                or not (value == 0 or 1 / _MAGNITUDE_LIMIT < abs(value) < _MAGNITUDE_LIMIT)
            ):
                return False
        values[index] = value
    return True


# within these SymPy has always answered in less than half a second (measured on random formulas)
_QUICK_TREE = 200
_QUICK_NESTING = 15
_QUICK_CASES = 4
_QUICK_CONSTANTS = 6
_QUICK_BITS = 5000
# of an argument at which SymPy may evaluate a special function exactly
_ARGUMENT_BITS = 8

# what SymPy asks the signs of its arguments for
_CASES = _SWITCHING | {"power", "cbrt", "hypot", "atan2", "acosh"}
_SPECIAL = named(Kind.SPECIAL)


def is_quick(program: Program) -> bool:
    """Tell whether SymPy certainly answers at once, so that it may be asked in this process."""
    if not affordable(program) or _nesting(program) > _QUICK_NESTING:
        return False
    if sum(OPERATIONS[program.nodes[i].operation].arity != 0 for i in constant_nodes(program)) > _QUICK_CONSTANTS:
        return False
    tree: list[int] = []
    cases: list[int] = []
    bits: list[int] = []
    once: list[frozenset[int] | None] = []
    for node in program.nodes:
        below, copies = node.operands, 2 if node.operation == "cbrt" else 1
        tree.append(1 + copies * sum(tree[i] for i in below))
        cases.append((node.operation in _CASES) + copies * sum(cases[i] for i in below))
        bits.append(_bits(program, node, bits))
        once.append(_variables_once(node, [once[i] for i in below]))
        if tree[-1] > _QUICK_TREE or cases[-1] > _QUICK_CASES or bits[-1] > _QUICK_BITS:
            return False
        if node.operation in _SPECIAL and any(not once[i] and bits[i] > _ARGUMENT_BITS for i in below):
            return False
    return True


def _bits(program: Program, node: Node, bits: list[int]) -> int:
    """Bound the size of a rational number that this node is, should SymPy find that it is one."""
    total = sum(bits[i] for i in node.operands)
    match node.operation:
        case "constant":
            value = Fraction(node.payload or 0)
            return value.numerator.bit_length() + value.denominator.bit_length() - 1
        case "integer_power":
            return total * max(abs(int(node.payload or 0)), 1)
        case "power":
            base, exponent = node.operands
            constant = program.nodes[exponent].payload if program.nodes[exponent].operation == "constant" else None
            size = 2 ** min(bits[exponent], 20) if constant is None else math.ceil(abs(Fraction(constant)))
            return bits[base] * max(size, 1)
        case _:
            return total + 1


def _variables_once(node: Node, below: list[frozenset[int] | None]) -> frozenset[int] | None:
    """Return the variables of a formula that cannot be constant, since each occurs once in it; else None."""
    if node.operation == "variable":
        return frozenset({int(node.payload or 0)})
    if node.operation == "constant":
        return frozenset() if node.payload else None
    # SymPy may find that these are constant: sign(exp(x)), max(exp(x), -1), 1**x, x**0
    if node.operation in _CASES or (node.operation == "integer_power" and node.payload == 0):
        return None
    union: frozenset[int] = frozenset()
    for part in below:
        if part is None or part & union:
            return None
        union |= part
    return union
