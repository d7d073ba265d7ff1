"""Programs in dual numbers of mpmath: derivatives by a route that shares nothing with the package but the nodes.

Each operation is written from its definition, with its derivative from DLMF 4 beside it. Nothing is enclosed here:
callers compare two precisions.
"""

from fractions import Fraction

import mpmath
from mpmath import mp


class Undefined(ArithmeticError):  # noqa: N818 - it says what the node is
    """A node that is used is not defined, or has a corner, a jump or an edge there."""


def number(value):
    """Return a float, int or Fraction as an mpf, rounded at the working precision only where it is not dyadic."""
    value = Fraction(value)
    return mpmath.mpf(value.numerator) / value.denominator


def dual(program, point, direction, *, output=0, ties=False):
    """Return (F, ∂F/∂x_direction) at a point of floats, evaluated on demand: unused branches are never looked at.

    A comparison of equal numbers is Undefined, as it has no derivative; with ties=True it is answered.
    """
    values = {}

    def value(index):
        stack = [index]
        while stack:
            top = stack[-1]
            node = program.nodes[top]
            if node.operation == "select":
                condition = node.operands[0]
                needed = [node.operands[1 if values[condition] else 2]] if condition in values else [condition]
            else:
                needed = list(node.operands)
            missing = [i for i in needed if i not in values]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if top in values:
                continue
            if node.operation == "constant":
                values[top] = number(node.payload), mpmath.mpf(0)
            elif node.operation == "variable":
                i = int(node.payload)
                values[top] = number(point[i]), mpmath.mpf(int(i == direction))
            elif node.operation == "select":
                values[top] = values[needed[0]]
            else:
                values[top] = _apply(node, [values[i] for i in node.operands], ties)
        return values[index]

    return value(program.outputs[output])


def _apply(node, operands, ties):
    name = node.operation
    if name in _LEAVES:
        return _LEAVES[name]()
    if name in _CONDITIONS:
        return _CONDITIONS[name](*operands)
    if name in _COMPARISONS:
        a, b = operands[0][0], operands[1][0]
        if a == b and not ties:
            raise Undefined(f"{name}: at the switch")
        return _COMPARISONS[name](a, b)
    if name == "integer_power":
        (x, dx), n = operands[0], int(node.payload)
        if n == 0:
            return mpmath.mpf(1), mpmath.mpf(0)
        _need(n > 0 or x != 0)
        return x**n, n * x ** (n - 1) * dx
    return _RULES[name](*operands)


def _need(condition):
    if not condition:
        raise Undefined


def _undefined():
    raise Undefined


def _cube_root(x):
    return mpmath.sign(x) * mpmath.cbrt(abs(x))


def _moderate(x):
    # mpmath spends time and memory in proportion to the size of an argument
    if x != 0 and mpmath.mag(x) > 17:
        raise OverflowError("an argument beyond 2^17")
    return x


def _unary(function, derivative, domain=lambda x: True):
    def rule(u):
        x, dx = u
        _need(domain(x))
        if function not in (abs, mpmath.sign, mpmath.sqrt, _cube_root):
            _moderate(x)
        y = function(x)
        return y, derivative(x, y) * dx

    return rule


def _divide(a, b):
    _need(b[0] != 0)
    return a[0] / b[0], (a[1] * b[0] - a[0] * b[1]) / b[0] ** 2


def _dot(first, second):
    pairs = list(zip(first, second, strict=True))
    return sum(a[0] * b[0] for a, b in pairs), sum(a[0] * b[1] + a[1] * b[0] for a, b in pairs)


def _power(a, p):
    _need(a[0] > 0)
    y = mpmath.exp(_moderate(p[0] * mpmath.log(a[0])))
    return y, y * (p[1] * mpmath.log(a[0]) + p[0] * a[1] / a[0])


def _hypot(a, b):
    y = mpmath.sqrt(a[0] ** 2 + b[0] ** 2)
    _need(y != 0)
    return y, (a[0] * a[1] + b[0] * b[1]) / y


def _atan2(a, b):
    _need(a[0] != 0 or b[0] > 0)
    return mpmath.atan2(a[0], b[0]), (a[1] * b[0] - a[0] * b[1]) / (a[0] ** 2 + b[0] ** 2)


def _smaller(a, b, sign):
    _need(a[0] != b[0])
    return a if (a[0] < b[0]) == (sign > 0) else b


_LEAVES = {
    "pi": lambda: (+mp.pi, mpmath.mpf(0)),
    "e": lambda: (+mp.e, mpmath.mpf(0)),
    "true": lambda: True,
    "false": lambda: False,
    "undefined": _undefined,
}
_CONDITIONS = {"and": lambda a, b: a and b, "or": lambda a, b: a or b, "not": lambda a: not a}
_COMPARISONS = {
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
}
_RULES = {
    "add": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "subtract": lambda a, b: (a[0] - b[0], a[1] - b[1]),
    "multiply": lambda a, b: (a[0] * b[0], a[0] * b[1] + a[1] * b[0]),
    "divide": _divide,
    "sum": lambda *terms: tuple(mpmath.fsum(part) for part in zip(*terms, strict=True)),
    "dot": lambda *factors: _dot(factors[: len(factors) // 2], factors[len(factors) // 2 :]),
    "negative": lambda a: (-a[0], -a[1]),
    "power": _power,
    "sqrt": _unary(mpmath.sqrt, lambda x, y: 1 / (2 * y), lambda x: x > 0),
    "cbrt": _unary(_cube_root, lambda x, y: 1 / (3 * y * y), lambda x: x != 0),
    "hypot": _hypot,
    "exp": _unary(mpmath.exp, lambda x, y: y),
    "exp2": _unary(lambda x: mpmath.exp(x * mp.ln2), lambda x, y: y * mp.ln2),
    "expm1": _unary(mpmath.expm1, lambda x, y: mpmath.exp(x)),
    "log": _unary(mpmath.log, lambda x, y: 1 / x, lambda x: x > 0),
    "log2": _unary(lambda x: mpmath.log(x) / mp.ln2, lambda x, y: 1 / (x * mp.ln2), lambda x: x > 0),
    "log10": _unary(lambda x: mpmath.log(x) / mp.ln10, lambda x, y: 1 / (x * mp.ln10), lambda x: x > 0),
    "log1p": _unary(mpmath.log1p, lambda x, y: 1 / (1 + x), lambda x: x > -1),
    "sin": _unary(mpmath.sin, lambda x, y: mpmath.cos(x)),
    "cos": _unary(mpmath.cos, lambda x, y: -mpmath.sin(x)),
    "tan": _unary(mpmath.tan, lambda x, y: 1 / mpmath.cos(x) ** 2),
    "asin": _unary(mpmath.asin, lambda x, y: 1 / mpmath.sqrt(1 - x * x), lambda x: abs(x) < 1),
    "acos": _unary(mpmath.acos, lambda x, y: -1 / mpmath.sqrt(1 - x * x), lambda x: abs(x) < 1),
    "atan": _unary(mpmath.atan, lambda x, y: 1 / (1 + x * x)),
    "atan2": _atan2,
    "sinh": _unary(mpmath.sinh, lambda x, y: mpmath.cosh(x)),
    "cosh": _unary(mpmath.cosh, lambda x, y: mpmath.sinh(x)),
    "tanh": _unary(mpmath.tanh, lambda x, y: mpmath.sech(x) ** 2),
    "asinh": _unary(mpmath.asinh, lambda x, y: 1 / mpmath.sqrt(1 + x * x)),
    "acosh": _unary(mpmath.acosh, lambda x, y: 1 / mpmath.sqrt(x * x - 1), lambda x: x > 1),
    "atanh": _unary(mpmath.atanh, lambda x, y: 1 / (1 - x * x), lambda x: abs(x) < 1),
    "abs": _unary(abs, lambda x, y: mpmath.sign(x), lambda x: x != 0),
    "sign": _unary(mpmath.sign, lambda x, y: mpmath.mpf(0), lambda x: x != 0),
    "min": lambda a, b: _smaller(a, b, 1),
    "max": lambda a, b: _smaller(a, b, -1),
}
