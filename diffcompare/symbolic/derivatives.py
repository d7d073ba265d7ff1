"""SymPy's side: the expression of a program, its analytic derivatives, and their LaTeX.

SymPy's constructors evaluate, and some never return. Where counting proves that it answers at once it is asked here,
within wider limits in a child process that can be killed; elsewhere the answers are empty.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol
from weakref import WeakSet

import sympy
from sympy.core.cache import clear_cache

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import ARITHMETIC, OPERATIONS
from diffcompare.program.run import interpret, per_program
from diffcompare.symbolic.entries import nested
from diffcompare.symbolic.limits import affordable, is_quick
from diffcompare.symbolic.lower import lower_all
from diffcompare.watchdog import ask

__all__ = [
    "SYMPY_OPERATIONS",
    "Formula",
    "answer",
    "derivative_latex",
    "expression",
    "gradient",
    "gradient_program",
    "latex",
]

_STRANGE = (sympy.zoo, sympy.oo, sympy.nan, sympy.I)


class Formula(Protocol):
    """What is asked about, a SymbolicFunction: it stands above this module, which it asks for its expression."""

    program: Program
    variables: tuple[str, ...]
    output_shape: tuple[int, ...]

    @property
    def components(self) -> Sequence[Formula]:
        """Every output as a function of its own."""


def expression(f: Formula) -> Any:
    """Return the formula in SymPy's terms, for several values in nested lists; None where SymPy must not be asked.

    Constants are Rationals, variables plain Symbols.
    """
    return _answer("expression", f)


# what has no formula in time has no derivative in time
_FAILED: WeakSet[Program] = WeakSet()


def _answer(question: str, f: Formula) -> Any:
    """Answer here or in a child; None where neither can."""
    programs = [component.program for component in f.components]
    if all(map(is_quick, programs)):
        return _ANSWERS[question](f)
    asked = all(map(affordable, programs)) or (question == "latex" and _known(f) is not None)
    if not asked or f.program in _FAILED:
        return None
    found = ask(f"{__name__}:answer", (question, f))
    if found is None and question in ("expression", "latex"):
        _FAILED.add(f.program)
    return found


def answer(request: tuple[str, Formula]) -> Any:
    """Answer in the child."""
    question, f = request
    found = _ANSWERS[question](f)
    if not isinstance(found, str):
        # to read an expression is to build it again: in the parent that costs what it costs here
        clear_cache()
        pickle.loads(pickle.dumps(found))  # noqa: S301 - our own bytes
    return found


def _known(f: Formula) -> Any:
    """Return the expression that f was made of, or that was found before."""
    return vars(f).get("expr")


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
    def leaf(node: Node) -> Any:
        if node.operation == "constant":
            constant = Fraction(node.payload or 0)
            return sympy.Rational(constant.numerator, constant.denominator)
        return symbols[int(node.payload or 0)] if node.operation == "variable" else SYMPY_OPERATIONS[node.operation]()

    def apply(node: Node, *operands: Any) -> Any:
        if node.operation == "integer_power":
            return operands[0] ** int(node.payload or 0)
        if node.payload is not None:
            raise NotImplementedError("the derivative of a function that has no closed form")
        return SYMPY_OPERATIONS[node.operation](*operands)

    return interpret(program, leaf, apply)[program.outputs[0]]


def _select(condition: Any, first: Any, second: Any) -> Any:
    return sympy.Piecewise((first, condition), (second, True), evaluate=False)


SYMPY_OPERATIONS: dict[str, Callable[..., Any]] = {
    "pi": lambda: sympy.pi,
    "e": lambda: sympy.E,
    "undefined": lambda: sympy.nan,
    **ARITHMETIC,
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


def _plain_expression(f: Formula) -> Any:
    if _known(f) is not None:
        return _known(f)
    programs, symbols = [component.program for component in f.components], list(map(sympy.Symbol, f.variables))
    exprs = _guarded(lambda: [_expression(program, symbols) for program in programs])
    return None if exprs is None else nested(exprs, f.output_shape)


@per_program
def _real_gradient(f: Formula) -> list[sympy.Expr] | None:
    """Differentiate with real symbols in place of the variables and exact Rationals in place of Floats.

    Without them SymPy leaves Derivative(re(x)) in d|x|/dx, and folds 3*0.1 in floating point.
    """
    if f.output_shape:
        return None
    # equal symbols, so that SymPy knows of the next function what it has found out of this one
    symbols = [sympy.Symbol(name, real=True) for name in f.variables]

    def build() -> list[sympy.Expr]:
        expr = _expression(f.program, symbols)
        return [sympy.diff(expr, symbol) for symbol in symbols]

    result: list[sympy.Expr] | None = _guarded(build)
    return result


def gradient(f: Formula) -> list[sympy.Expr] | None:
    """Return the partial derivatives as SymPy writes them, in plain symbols; None where SymPy must not be asked."""
    result: list[sympy.Expr] | None = _answer("gradient", f)
    return result


def _plain_gradient(f: Formula) -> list[sympy.Expr] | None:
    partials = _real_gradient(f)
    if partials is None:
        return None
    plain = {sympy.Symbol(name, real=True): sympy.Symbol(name) for name in f.variables}
    result: list[sympy.Expr] | None = _guarded(lambda: [partial.xreplace(plain) for partial in partials])
    return result


@per_program
def gradient_program(f: Formula) -> Program | None:
    """Return SymPy's derivative as a program with one output per variable: a route of its own to the gradient.

    None where SymPy does not certainly answer at once, or where its derivative holds what has no row in the
    operations table.
    """
    partials = _real_gradient(f) if is_quick(f.program) else None
    try:
        return None if partials is None else lower_all(partials, f.variables)
    except UnsupportedFunction:
        return None


def latex(f: Formula) -> str:
    """Return the formula as LaTeX, empty where SymPy must not be asked."""
    return _answer("latex", f) or ""


def _latex(f: Formula) -> str | None:
    expr = _plain_expression(f)
    return None if expr is None else _guarded(lambda: sympy.latex(expr))


def derivative_latex(f: Formula) -> str:
    """Return the partial derivatives as LaTeX, one line per variable; empty where SymPy must not be asked."""
    return _answer("derivative_latex", f) or ""


def _derivative_latex(f: Formula) -> str | None:
    partials = _plain_gradient(f)
    return None if partials is None else _guarded(lambda: "\n".join(map(sympy.latex, partials)))


_ANSWERS: Mapping[str, Callable[[Formula], Any]] = {
    "expression": _plain_expression,
    "gradient": _plain_gradient,
    "latex": _latex,
    "derivative_latex": _derivative_latex,
}
