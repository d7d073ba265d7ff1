"""From a SymPy expression to a program. Literals keep their value: a Float is its binary value, exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or

from diffcompare.errors import UnsupportedFunction, shorten
from diffcompare.program.dag import CONSTANT_BITS, Builder, Program, Term
from diffcompare.program.operations import COMPARISONS, DERIVED, OPERATIONS
from diffcompare.program.special_functions import NAMED, named_term

__all__ = ["lower", "lower_all"]

_FUNCTIONS = {row.sympy: row.name for row in OPERATIONS.values() if row.sympy and row.arity == 1 and row.name != "not"}
_RELATIONS = {OPERATIONS[name].sympy: name for name in COMPARISONS}

Combine = Callable[[list[int]], int]


def lower(expr: sympy.Expr, variables: Sequence[str]) -> Program:
    """Turn an expression into a program with one output.

    Sums and products become left-to-right chains in the order in which SymPy prints them.

    Raises
    ------
    UnsupportedFunction
        The expression holds something without a row in the operations table, or a symbol that is no variable.
    """
    return lower_all([expr], variables)


def lower_all(exprs: Sequence[sympy.Expr], variables: Sequence[str]) -> Program:
    """Turn several expressions into one program with an output each; see :func:`lower`."""
    build = Builder(variables)
    index = {name: i for i, name in enumerate(variables)}
    done: dict[Any, int] = {}
    stack: list[tuple[Any, tuple[list[Any], Combine] | None]] = [(expr, None) for expr in reversed(exprs)]
    while stack:
        expr, frame = stack.pop()
        if expr in done:
            continue
        if frame is None:
            parts, combine = _parts(expr, build, index)
            stack.append((expr, (parts, combine)))
            stack.extend((part, None) for part in reversed(parts))
        else:
            parts, combine = frame
            try:
                done[expr] = combine([done[part] for part in parts])
            except ZeroDivisionError:
                raise UnsupportedFunction(f"{shorten(str(expr), 60)}: division by an exact zero") from None
    return build.program([done[expr] for expr in exprs])


def _parts(expr: Any, build: Builder, index: dict[str, int]) -> tuple[list[Any], Combine]:
    """Return the sub-expressions that come first and how their nodes are put together."""
    if isinstance(expr, sympy.Symbol):
        if expr.name not in index:
            raise UnsupportedFunction(f"symbol {shorten(expr.name, 60)!r} is not among the variables; add it to them")
        return [], lambda _: build.variable(index[expr.name])
    if isinstance(expr, sympy.Rational):
        return [], lambda _: build.constant(Fraction(int(expr.p), int(expr.q)))
    if isinstance(expr, sympy.Float):
        return [], lambda _: build.constant(_float_value(expr))
    if expr is sympy.pi or expr is sympy.E:
        return [], lambda _: build.apply("pi" if expr is sympy.pi else "e")
    if expr is sympy.nan:
        return [], lambda _: build.apply("undefined")
    if isinstance(expr, BooleanTrue | BooleanFalse):
        return [], lambda _: build.apply("true" if expr else "false")
    if isinstance(expr, sympy.Add):
        return _sum_parts(expr, build)
    if isinstance(expr, sympy.Mul):
        return _product_parts(expr, build)
    if isinstance(expr, sympy.Pow):
        return _power_parts(expr, build)
    if isinstance(expr, sympy.Piecewise):
        return _piecewise_parts(expr, build)
    if isinstance(expr, sympy.Max | sympy.Min | And | Or):
        chain = {"Max": "max", "Min": "min", "And": "and", "Or": "or"}[type(expr).__name__]
        return sorted(expr.args, key=sympy.default_sort_key), lambda ids: _chain(build, chain, ids)
    if isinstance(expr, Not):
        return list(expr.args), lambda ids: build.apply("not", *ids)
    name = type(expr).__name__
    if isinstance(expr, Relational) and name in _RELATIONS:
        return list(expr.args), lambda ids: build.apply(_RELATIONS[name], *ids)
    name = _RENAMED.get(name, name)
    if name in NAMED:
        args = list(expr.args)
        if len(args) in NAMED[name].counts:
            return args, lambda ids: named_term(name, [Term(build, i) for i in ids]).index
    if name in _FUNCTIONS and len(expr.args) == 1:
        return list(expr.args), lambda ids: build.apply(_FUNCTIONS[name], *ids)
    if name == "atan2":
        return list(expr.args), lambda ids: build.apply("atan2", *ids)
    if name in DERIVED and len(expr.args) == 1:
        return list(expr.args), lambda ids: DERIVED[name](Term(build, ids[0])).index
    raise UnsupportedFunction(f"{name}: not supported; in {shorten(str(expr), 60)}")


# classes whose name in text means something else, or is missing there
_RENAMED = {"jn": "spherical_jn"}


def _chain(build: Builder, operation: str, ids: list[int]) -> int:
    result = ids[0]
    for other in ids[1:]:
        result = build.apply(operation, result, other)
    return result


def _float_value(value: sympy.Float) -> Fraction:
    sign, mantissa, exponent, _ = value._mpf_
    if not mantissa and exponent:
        raise UnsupportedFunction(f"{value}: a number must be finite")
    if abs(exponent) > CONSTANT_BITS:
        raise UnsupportedFunction(f"{value}: a constant of more than {CONSTANT_BITS} bits; write another number")
    size = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    return -size if sign else size


def _negated(term: Any) -> bool:
    return bool(term.could_extract_minus_sign()) if term.is_Number else bool(term.is_Mul and term.args[0].is_negative)


def _sum_parts(expr: sympy.Add, build: Builder) -> tuple[list[Any], Combine]:
    terms = expr.as_ordered_terms()
    signs = [_negated(term) for term in terms]
    parts = [-term if minus else term for term, minus in zip(terms, signs, strict=True)]

    def combine(ids: list[int]) -> int:
        result = build.apply("negative", ids[0]) if signs[0] else ids[0]
        for minus, other in zip(signs[1:], ids[1:], strict=True):
            result = build.apply("subtract" if minus else "add", result, other)
        return result

    return parts, combine


def _product_parts(expr: sympy.Mul, build: Builder) -> tuple[list[Any], Combine]:
    above: list[Any] = []
    below: list[Any] = []
    minus = False
    for factor in expr.as_ordered_factors():
        if isinstance(factor, sympy.Rational):
            minus ^= bool(factor < 0)
            if abs(factor.p) != 1:
                above.append(sympy.Integer(abs(factor.p)))
            if factor.q != 1:
                below.append(sympy.Integer(factor.q))
        elif isinstance(factor, sympy.Pow) and factor.exp.is_Rational and factor.exp < 0:
            below.append(sympy.Pow(factor.base, -factor.exp))
        else:
            above.append(factor)
    if expr in (*above, *below):
        raise UnsupportedFunction(f"{shorten(str(expr), 60)}: a product that SymPy does not take apart")

    def combine(ids: list[int]) -> int:
        tops, bottoms = ids[: len(above)], ids[len(above) :]
        result = _chain(build, "multiply", tops) if tops else build.constant(1)
        if bottoms:
            result = build.apply("divide", result, _chain(build, "multiply", bottoms))
        return build.apply("negative", result) if minus else result

    return [*above, *below], combine


def _power_parts(expr: sympy.Pow, build: Builder) -> tuple[list[Any], Combine]:
    base, exponent = expr.base, expr.exp
    if base is sympy.E:
        return [exponent], lambda ids: build.apply("exp", *ids)
    if isinstance(exponent, sympy.Rational):
        if exponent < 0:
            return [sympy.Pow(base, -exponent)], lambda ids: build.apply("divide", build.constant(1), ids[0])
        if exponent.q == 1:
            n = int(exponent)
            if n > 1000:
                shown = str(n) if n.bit_length() < 100 else f"of {n.bit_length()} bits"
                raise UnsupportedFunction(f"exponent {shown}: constant exponents go to 1000")
            return [base], lambda ids: build.apply("integer_power", *ids, payload=n)
        if exponent == sympy.Rational(1, 2):
            return [base], lambda ids: build.apply("sqrt", *ids)
    # (SymPy says that Float(2.0) is not 2)
    if isinstance(exponent, sympy.Float) and abs(exponent) <= 1000 and float(exponent).is_integer():
        return [base], lambda ids: build.apply("integer_power", *ids, payload=int(exponent))
    return [base, exponent], lambda ids: build.apply("power", *ids)


def _piecewise_parts(expr: sympy.Piecewise, build: Builder) -> tuple[list[Any], Combine]:
    pieces = [(piece.expr, piece.cond) for piece in expr.args]
    parts = [part for piece in pieces for part in piece]

    def combine(ids: list[int]) -> int:
        result = build.apply("undefined")
        for value, condition in reversed(list(zip(ids[::2], ids[1::2], strict=True))):
            if build.nodes[condition].operation == "true":
                result = value
            else:
                result = build.apply("select", condition, value, result)
        return result

    return parts, combine
