"""SymPy's side: the expression of a program, its analytic derivatives, and their LaTeX.

SymPy's constructors evaluate, and some never return on constants such as exp(exp(exp(5))). So SymPy is asked only
where the program is small and every constant part of it has a moderate size, which is told from the program
alone; elsewhere the answers are empty.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from weakref import WeakKeyDictionary

import sympy

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.dag import Program
from diffcompare.program.operations import FALLBACKS, OPERATIONS
from diffcompare.symbolic.function import SymbolicFunction, implementation
from diffcompare.symbolic.lower import lower_all

__all__ = ["derivative_latex", "expression", "gradient", "gradient_program", "latex"]

NODE_LIMIT = 200
VARIABLE_LIMIT = 8
# branches and corners multiply the cases that SymPy looks at
SWITCH_LIMIT = 12
EXTREMA_LIMIT = 6
TREE_LIMIT = 1000
DEPTH_LIMIT = 40
_MAGNITUDE_LIMIT = 2.0**1000

_SWITCHING = {"select", "min", "max", "abs", "sign", "floor", "ceiling"}
# SymPy writes some functions of a whole order out as sums
_PARAMETER_LIMIT = 30


def affordable(program: Program) -> bool:
    """Tell whether SymPy can be asked about this program without the risk that it never returns."""
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
    return max(depths, default=0)


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


_STRANGE = (sympy.zoo, sympy.oo, sympy.nan, sympy.I)


def expression(program: Program) -> sympy.Expr | None:
    """Return a program's first output as a SymPy expression; None where SymPy must not be asked.

    Constants are Rationals, variables plain Symbols.
    """
    return (
        _guarded(lambda: _expression(program, [sympy.Symbol(name) for name in program.variables]))
        if affordable(program)
        else None
    )


def _guarded(build: Callable[[], Any]) -> Any:
    try:
        found = build()
        exprs = found if isinstance(found, list) else [found]
        # what SymPy evaluates to an infinity, or to a complex number, is not the function that was meant
        strange = any(isinstance(e, sympy.Basic) and e.has(*_STRANGE) for e in exprs)
        return None if strange else found
    except (RecursionError, ValueError, TypeError, AttributeError, NotImplementedError, ArithmeticError):
        return None


def _expression(program: Program, symbols: list[sympy.Symbol]) -> sympy.Expr:
    values: list[Any] = []
    for node in program.nodes:
        operands = [values[i] for i in node.operands]
        if node.operation == "constant":
            constant = Fraction(node.payload or 0)
            values.append(sympy.Rational(constant.numerator, constant.denominator))
        elif node.operation == "variable":
            values.append(symbols[int(node.payload or 0)])
        elif node.operation == "integer_power":
            values.append(operands[0] ** int(node.payload or 0))
        elif node.payload is not None:
            raise NotImplementedError("the derivative of a function that has no closed form")
        else:
            values.append(_SYMPY[node.operation](*operands))
    return values[program.outputs[0]]


def _select(condition: Any, first: Any, second: Any) -> Any:
    return sympy.Piecewise((first, condition), (second, True), evaluate=False)


_SYMPY: dict[str, Callable[..., Any]] = {
    "pi": lambda: sympy.pi,
    "e": lambda: sympy.E,
    "undefined": lambda: sympy.nan,
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negative": lambda a: -a,
    "sum": FALLBACKS["sum"],
    "dot": FALLBACKS["dot"],
    "power": sympy.Pow,
    "sqrt": sympy.sqrt,
    "cbrt": lambda x: sympy.sign(x) * sympy.Abs(x) ** sympy.Rational(1, 3),
    "hypot": lambda a, b: sympy.sqrt(a**2 + b**2),
    "exp2": lambda x: sympy.Integer(2) ** x,
    "expm1": lambda x: sympy.exp(x) - 1,
    "log2": lambda x: sympy.log(x) / sympy.log(2),
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "log1p": lambda x: sympy.log(1 + x),
    "atan2": sympy.atan2,
    "select": _select,
    "gammaln": lambda x: sympy.log(sympy.Abs(sympy.gamma(x))),
    "gammainc": lambda s, x: sympy.lowergamma(s, x) / sympy.gamma(s),
    "gammaincc": lambda s, x: sympy.uppergamma(s, x) / sympy.gamma(s),
    "hurwitz_zeta": sympy.zeta,
    "lambertw": sympy.LambertW,
    "lambertw_lower": lambda x: sympy.LambertW(x, -1),
    "true": lambda: sympy.true,
    "false": lambda: sympy.false,
} | {
    row.name: getattr(sympy, row.sympy)
    for row in OPERATIONS.values()
    if row.arity > 0 and row.sympy and row.name != "atan2"
}


def _real_gradient(f: SymbolicFunction) -> tuple[list[sympy.Expr], list[sympy.Symbol]] | None:
    """Differentiate with real symbols in place of the variables and exact Rationals in place of Floats.

    Without them SymPy leaves Derivative(re(x)) in d|x|/dx, and folds 3*0.1 in floating point.
    """
    if f.output_shape or not affordable(f.program):
        return None
    symbols = [sympy.Dummy(name, real=True) for name in f.variables]

    def build() -> tuple[list[sympy.Expr], list[sympy.Symbol]]:
        expr = _expression(f.program, symbols)
        return [sympy.diff(expr, symbol) for symbol in symbols], symbols

    result: tuple[list[sympy.Expr], list[sympy.Symbol]] | None = _guarded(build)
    return result


def gradient(f: SymbolicFunction) -> list[sympy.Expr] | None:
    """Return the partial derivatives as SymPy writes them, in plain symbols; None where SymPy must not be asked."""
    found = _real_gradient(f)
    if found is None:
        return None
    partials, dummies = found
    plain = {dummy: sympy.Symbol(name) for dummy, name in zip(dummies, f.variables, strict=True)}
    result: list[sympy.Expr] | None = _guarded(lambda: [partial.xreplace(plain) for partial in partials])
    return result


_PROGRAMS: WeakKeyDictionary[Program, Program | None] = WeakKeyDictionary()


def gradient_program(f: SymbolicFunction) -> Program | None:
    """Return SymPy's derivative as a program with one output per variable: a route of its own to the gradient.

    None where SymPy must not be asked, or where its derivative holds what has no row in the operations table.
    """
    if f.program not in _PROGRAMS:
        found = _real_gradient(f)
        try:
            _PROGRAMS[f.program] = found and lower_all(_named(found), f.variables)
        except UnsupportedFunction:
            _PROGRAMS[f.program] = None
    return _PROGRAMS[f.program]


def _named(found: tuple[list[sympy.Expr], list[sympy.Symbol]]) -> list[sympy.Expr]:
    partials, dummies = found
    names = {dummy: sympy.Symbol(dummy.name, real=True) for dummy in dummies}
    return [partial.xreplace(names) for partial in partials]


def latex(f: SymbolicFunction) -> str:
    """Return the formula as LaTeX, empty where SymPy must not be asked."""
    return "" if f.expr is None else _guarded(lambda: sympy.latex(f.expr)) or ""


def derivative_latex(f: SymbolicFunction) -> str:
    """Return the partial derivatives as LaTeX, one line per variable; empty where SymPy must not be asked."""
    partials = gradient(f)
    if partials is None:
        return ""
    return _guarded(lambda: "\n".join(sympy.latex(partial) for partial in partials)) or ""
