"""Small changes of the source of a gradient: what people mistype, exchange or write once too often."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, dropwhile, takewhile
from typing import Any, TypeGuard

from diffcompare.verdict.rewrites.lines import FLIPPED, OPPOSITE, exchanged, of_line, of_places, should_be
from diffcompare.verdict.rewrites.running import BOUNDED, Change
from diffcompare.verdict.rewrites.syntax import (
    Names,
    Rewrite,
    Site,
    called_name,
    copied,
    is_filled,
    is_value,
    text_of,
)
from diffcompare.verdict.rewrites.together import exchanges, together

__all__ = ["next_elements", "rewrites_of"]

# functions that are taken for one another
_LIKE = (
    ("sin", "cos"), ("tan", "tanh", "arctan"), ("sinh", "cosh", "tanh"), ("exp", "expm1", "log"), ("log", "log1p"),
    ("arctan", "arctanh"), ("arcsin", "arccos"), ("arcsinh", "arccosh", "arctanh"), ("sqrt", "square"), ("sum", "mean"),
    ("max", "min"), ("maximum", "minimum"), ("argmax", "argmin"), ("var", "std"), ("zeros", "ones"),
    ("zeros_like", "ones_like"), ("sign", "abs"), ("dot", "multiply"), ("inner", "outer"), ("vstack", "hstack"),
    ("sum", "trace"), ("triu", "tril"), ("cumsum", "cumprod"), ("floor", "ceil"), ("pdf", "cdf", "logpdf"),
    ("_pdf", "_cdf", "_logpdf"), ("logcdf", "logsf", "logpdf"), ("erf", "erfc"), ("gammaln", "psi", "digamma"),
)  # fmt: skip
# functions that may forget their axis
_ALONG = frozenset({"sum", "mean", "prod", "max", "min", "cumsum", "std", "var", "norm", "logsumexp"})
_OTHER: dict[type[ast.operator], type[ast.operator]] = {
    ast.Mult: ast.Div, ast.Div: ast.Mult, ast.MatMult: ast.Mult,
}  # fmt: skip
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_EQUALITIES = (ast.Eq, ast.NotEq)
# in longer lists neighbours alone are exchanged
_EXCHANGED = 6
# the price of a name whose value is of another kind, in place of a name and of a number, and of a missing function
_STRANGE, _OTHER_KIND, _CALLED = 1.28, 1.3, 1.26
# among more names than these, those that are not alike are rare
_NAMES, _BRIEF, _UNLIKE = 24, 2, 1.34
# of the symmetric part of a factor of a product
_PRODUCTS, _SYMMETRIC = frozenset({"dot", "matmul", "matvec"}), 1.28
# of an equality in place of an inequality: of a branch that is wrong it leaves nothing
_EQUATED = 1.3
# less than double precision
_NARROW = {
    "float32": "float32", "single": "float32", "f4": "float32", "float16": "float16", "half": "float16",
    "f2": "float16", "complex64": "complex64",
}  # fmt: skip
_INDEX = frozenset({"Subscript.slice", "Slice.lower", "Slice.upper"})
# where stands what a loop runs over, and what runs over several things at once
_LOOPS, _ZIPPED = frozenset({"For.iter", "comprehension.iter"}), (BOUNDED, "zip", "enumerate", "list")


def rewrites_of(sites: Sequence[Site], names: Names) -> Iterator[Rewrite]:
    """Yield the small changes of a function, in the order in which they stand, then the same one at several places."""
    single = list(_single(sites, names))
    yield from single
    yield from together(single, sites)
    yield from exchanges(sites, names)


def _single(sites: Sequence[Site], names: Names) -> Iterator[Rewrite]:
    for site in sites:
        node = site.node
        stored = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
        yield from _precise(site)
        if isinstance(node, ast.stmt):
            yield from of_line(site, names)
        elif isinstance(node, ast.Subscript):
            yield from of_places(site, names)
        if (
            isinstance(node, ast.expr)
            and not stored
            and not (site.field == "func" and isinstance(site.owner, ast.Call))
        ):
            yield from _of_expression(site, names)
            yield from _less_or_over(site, names)
            yield from _called(site, names)
            yield from _negated(site)
            yield from _transposed(site, names)
            yield from _symmetric(site)
            yield from _next_to(site)
            yield from _unused(site, names)
            yield from _reversed(site, names)


def _repeated(site: Site, names: Names) -> Iterator[Rewrite]:
    """A variable in place of an element that a list holds twice: one may have been copied."""
    elements = site.node.elts
    texts = [text_of(one) for one in elements]
    for k, text in enumerate(texts):
        # what is made anew would be written into
        computed = isinstance(elements[k], ast.BinOp | ast.Subscript)
        for name in names.variables if texts.count(text) > 1 and computed else ():
            if name not in texts:
                change = Change(site.node, "elts", k, ast.copy_location(ast.Name(name, ast.Load()), elements[k]))
                words = f"this should be {name}", f"{{}} stands in place of {name}"
                yield Rewrite(elements[k], (change,), 1.15, "other value", *words)


def _precise(site: Site) -> Iterator[Rewrite]:
    """Double precision in place of another one."""
    match site.node:
        case ast.Attribute(value, str(name)) if name in _NARROW:
            new: ast.expr = ast.Attribute(value, "float64", ast.Load())
        case ast.Constant(str(name)) if name in _NARROW:
            new = ast.Constant("float64")
        case _:
            return
    rounded = site.owner if isinstance(site.owner, ast.Call) else site.node
    words = f"values are rounded to {_NARROW[name]} here", f"{{}} rounds values to {_NARROW[name]}"
    yield Rewrite(rounded, (site.replaced(new),), 0.9, "float32", *words)


def _unused(site: Site, names: Names) -> Iterator[Rewrite]:
    """What nothing reads, in place of another expression."""
    if isinstance(site.node, ast.BinOp | ast.Call | ast.Subscript) and is_value(site):
        inner = {node.id for node in ast.walk(site.node) if isinstance(node, ast.Name)}
        for name in names.unused:
            if name not in inner:
                yield _instead(site, ast.Name(name, ast.Load()), 1.25)


def _reversed(site: Site, names: Names) -> Iterator[Rewrite]:
    """What a loop runs over, from its end; where the codes reverse something, what else may have to be."""
    node = site.node
    if not isinstance(node, ast.Name | ast.Call | ast.Attribute) or called_name(node) == BOUNDED:
        return
    # one array of several that a loop runs over, or all that it runs over
    around = [*dropwhile(lambda field: field == "Call.args", reversed(site.around))]
    if not _LOOPS.isdisjoint(around[:1]) and called_name(site.owner) in (*_ZIPPED, ""):
        kind, words = "loop", "the loop should run over {}"
    elif (
        "::-1" in names.slices
        and is_value(site)
        and getattr(node, "id", "") in ("", *names.variables)
        # then that one should not be reversed
        and not (isinstance(site.owner, ast.BinOp) and "::-1" in text_of(site.owner))
    ):
        kind, words = "shifted", ""
    else:
        return
    yield _instead(site, _turned(node), 1.2, kind, words)


def _turned(node: ast.expr) -> ast.Subscript:
    """Read something from its end."""
    return ast.Subscript(node, ast.Slice(step=ast.UnaryOp(ast.USub(), ast.Constant(1))), ast.Load())


def _of_expression(site: Site, names: Names) -> Iterator[Rewrite]:
    match site.node:
        case ast.Name():
            yield from _of_name(site, names)
        case ast.Constant(bool() | str() | bytes() | None):
            pass
        case ast.Constant(int() | float()):
            yield from _of_number(site, names)
        case ast.BinOp():
            yield from _of_operator(site, names)
        case ast.Call():
            yield from _of_call(site, names)
        case ast.UnaryOp(ast.USub(), ast.Constant() as number):
            if site.field not in ("lower", "upper", "step"):
                yield _instead(site, copied(number), 1.1)
            yield from _of_variables(site, names) if _is_index(site) else ()
        case ast.UnaryOp(ast.USub(), operand):
            yield Rewrite(site.node, (site.replaced(copied(operand)),), 0.8, "sign", *FLIPPED)
        case ast.UnaryOp(ast.Not() | ast.Invert(), operand):
            words = "this should not be negated", "{} should not be negated"
            yield Rewrite(site.node, (site.replaced(copied(operand)),), 1.0, "branch", *words)
        case ast.Compare(left, [op], others):
            for other in _COMPARISONS:
                if not isinstance(op, other):
                    new = ast.Compare(left, [other()], others)
                    alike = isinstance(op, _EQUALITIES) == (other in _EQUALITIES)
                    yield _instead(site, new, 1.0 if alike else _EQUATED, "branch", "the condition should be {}")
        case ast.IfExp(test, body, orelse):
            yield _instead(site, ast.IfExp(test, orelse, body), 1.1, "branch")
        case ast.Tuple(elements) | ast.List(elements) if site.field != "slice":
            for i, j in combinations(range(len(elements)), 2):
                if j > i + 1 and len(elements) > _EXCHANGED:
                    continue
                said = f"{text_of(elements[i])} and {text_of(elements[j])} should be exchanged"
                change = site.replaced(type(site.node)(exchanged(elements, i, j), ast.Load()))
                yield Rewrite(site.node, (change,), 1.1 + 0.02 * (j - i - 1), "permuted", said, said + " in {}")
            yield from _repeated(site, names)
        case ast.Attribute(value, "T"):
            conjugate = ast.Call(ast.Attribute(value, "conj", ast.Load()), [], [])
            yield _instead(site, ast.Attribute(conjugate, "T", ast.Load()), 1.25)
        case ast.Attribute(value, "size"):
            yield _instead(site, ast.Call(ast.Name("len", ast.Load()), [value], []), 0.95)
        case ast.Attribute(ast.Name(owner), _, ast.Load()) if site.field != "func":
            # another thing that the object holds
            for text in names.elements:
                if text.startswith(f"{owner}.") and text != text_of(site.node):
                    yield _instead(site, ast.parse(text, mode="eval").body, 1.0)
        case ast.Subscript(value) if _is_data(value, names):
            looped = "For.iter" in site.around
            said = "the loop should run over {}" if looped else ""
            yield _instead(site, copied(value), 1.2, "loop" if looped else "shifted", said)
            if not looped:
                yield from _squared(site)
            for text in names.parts if text_of(site.node) in names.parts else ():
                yield _instead(site, ast.parse(text, mode="eval").body, 1.15)


def _of_name(site: Site, names: Names) -> Iterator[Rewrite]:
    if site.node.id not in names.variables or "shape" in site.around:
        return
    filling = is_filled(site)
    # written into what nobody reads, any line is without effect
    # a flag is taken for another one
    others = [k for k in names.variables if (k in names.flags) == (site.node.id in names.flags)]
    for other in (name for name in others if not filling or name in names.filled):
        if other != site.node.id and not _is_compared_with(site, other):
            strange = other in names.strange.get(id(site.node), ()) and other not in names.unused
            unlike = not filling and len(names.variables) > _NAMES and not _are_alike(site.node.id, other)
            yield _instead(site, ast.Name(other, ast.Load()), _UNLIKE if unlike else _STRANGE if strange else 1.0)
    if filling:
        return
    for text in names.chosen if _is_index(site) else ():
        yield _instead(site, ast.parse(text, mode="eval").body, 1.15, "shifted", "the index should be {}")
    for number in names.numbers:
        yield _instead(site, ast.Constant(number), 1.4)
    if not isinstance(site.owner, ast.Subscript):
        yield from _squared(site)
    if _is_product(site.owner):
        # of p·(1 − p)
        yield _instead(site, ast.BinOp(ast.Constant(1), ast.Sub(), site.node), 1.24)
        # of n·(n − 1)
        yield _instead(site, ast.BinOp(site.node, ast.Sub(), ast.Constant(1)), 1.26)


def _are_alike(one: str, other: str) -> bool:
    """Tell whether names are easily taken for one another: they differ in less than half, or both are short."""
    longest = max(len(one), len(other))
    begin = _shared(one, other)
    end = _shared(one[begin:][::-1], other[begin:][::-1])
    return longest <= _BRIEF or 2 * (begin + end) >= longest


def _shared(one: str, other: str) -> int:
    """Count the letters with which both begin."""
    return sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(one, other, strict=False)))


def _less_or_over(site: Site, names: Names) -> Iterator[Rewrite]:
    """Yield differences and quotients of the code that end with an expression, which may have lost what is before."""
    if isinstance(site.node, ast.Name | ast.Subscript | ast.Attribute):
        for text in _by_their_ends(names.expressions).get(text_of(site.node), ()):
            if text != text_of(site.owner):
                yield _instead(site, ast.parse(text, mode="eval").body, 1.24)


@functools.lru_cache(16)
def _by_their_ends(expressions: frozenset[str]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for text in sorted(expressions):
        match ast.parse(text, mode="eval").body:
            case ast.BinOp(_, ast.Sub() | ast.Div(), right):
                found.setdefault(text_of(right), []).append(text)
    return found


def _is_compared_with(site: Site, name: str) -> bool:
    """Tell whether the other side of a comparison is this variable: beside itself the answer would be known."""
    owner = site.owner
    return isinstance(owner, ast.Compare) and name in map(text_of, (owner.left, *owner.comparators))


def _squared(site: Site) -> Iterator[Rewrite]:
    # that of a logarithm is twice it
    if called_name(site.owner) not in ("log", "log2", "log10"):
        yield _instead(site, ast.BinOp(site.node, ast.Pow(), ast.Constant(2)), 1.22)


def _of_number(site: Site, names: Names) -> Iterator[Rewrite]:
    value = site.node.value
    power = site.around[-1:] == ("BinOp.right",) and isinstance(site.owner.op, ast.Pow)
    if power or _is_step(site) or called_name(site.owner) == "range":
        return
    near = [value + 1, value - 1] if isinstance(value, int) else []
    if site.around[-1:] == ("keyword.axis",):
        yield _instead(site, ast.Constant(0 if value == 1 else 1), 0.75, "axis", "the axis should be {}")
    elif "shape" in site.around or not _INDEX.isdisjoint(site.around[-4:]):
        kind, words = ("size", "this should be {}") if "shape" in site.around else ("shifted", "the index should be {}")
        # what is counted from the end is changed with its sign
        for other in near if not isinstance(site.owner, ast.UnaryOp) else ():
            # other changes leave the bound of a slice out
            if other or site.field not in ("lower", "upper"):
                yield _instead(site, ast.Constant(other), 0.9, kind, words)
        yield from _of_variables(site, names) if kind == "shifted" else ()
    else:
        scaled = [2 * value, value / 2, 10 * value, value / 10]
        scaled = [int(v) if isinstance(value, int) and v == int(v) else v for v in scaled]
        for other in dict.fromkeys([*names.numbers, *near, *scaled]):
            if other != value and not _is_idle(site, other):
                # that stand anywhere, but in sums and as dividends for a reason
                common = other in (0, 1) and not isinstance(site.owner, ast.BinOp)
                cost = 1.3 if other not in names.numbers else 1.24 if common else 1.1
                yield _instead(site, ast.Constant(other), cost)
        if isinstance(value, int) and value and not isinstance(site.owner, ast.UnaryOp | ast.BinOp):
            yield _instead(site, ast.UnaryOp(ast.USub(), ast.Constant(value)), 1.1)
        for name in (one for one in names.variables if one not in names.flags):
            strange = name in names.strange.get(id(site.node), ())
            if not _is_compared_with(site, name):
                yield _instead(site, ast.Name(name, ast.Load()), _OTHER_KIND if strange else 1.2)
        for text in names.elements:
            yield _instead(site, ast.parse(text, mode="eval").body, 1.2)


def _is_idle(site: Site, number: float) -> bool:
    """Tell whether a number would do nothing, or leave nothing: then the one that stands there is too many."""
    match site.owner:
        case ast.BinOp(_, ast.Add() | ast.Sub(), _):
            return number == 0
        case ast.BinOp(_, ast.Div(), _) if site.field == "left":
            return number == 0
    return number in (0, 1) and isinstance(site.owner, ast.BinOp | ast.UnaryOp)


def _of_operator(site: Site, names: Names) -> Iterator[Rewrite]:
    node = site.node
    op, left, right = type(node.op), node.left, node.right

    def like(new: Any, cost: float, kind: str, this: str, cause: str) -> Rewrite:
        cost += _familiar(node, names) - _familiar(new, names)
        return Rewrite(node, (site.replaced(new),), cost, kind, this, cause)

    if op is ast.Sub:
        yield like(ast.BinOp(right, op(), left), 0.8, "sign", *FLIPPED)
        if isinstance(left, ast.Constant) and left.value == 1:
            yield _instead(site, copied(right), 1.15)
    if op in OPPOSITE or op in _OTHER:
        other, cost, kind = (OPPOSITE[op], 0.7, "sign") if op in OPPOSITE else (_OTHER[op], 1.0, "chain factor")
        words = should_be(op, other)
        yield like(ast.BinOp(left, other(), right), cost, kind, words, words + " in {}")
    if op in (ast.MatMult, ast.Div):
        words = "the two sides should be exchanged"
        yield like(ast.BinOp(right, op(), left), 1.3, "permuted", words, "the two sides of {} should be exchanged")
    term, factor = "the term {} does not belong here", "the factor {} is too many"
    kept: list[tuple[Any, Any, str, str]] = []
    if op in OPPOSITE:
        alone = right if op is ast.Add else ast.UnaryOp(ast.USub(), right)
        kept = [(left, right, "extra term", term), (alone, left, "extra term", term)]
    elif op in (ast.Mult, ast.MatMult):
        minus = isinstance(left, ast.UnaryOp) and isinstance(left.op, ast.USub)
        alone = ast.UnaryOp(ast.USub(), right) if minus else right
        gone = left.operand if isinstance(left, ast.UnaryOp) and minus else left
        kept = [(left, right, "chain factor", factor), (alone, gone, "chain factor", factor)]
    elif op is ast.Div:
        kept = [(left, right, "chain factor", "the divisor {} is too many")]
    elif op is ast.Pow:
        kept = [(left, right, "exponent", "the exponent {} is too many")]
    for new, gone, kind, words in kept:
        said = words.format(text_of(gone))
        yield like(copied(new), 1.1, kind, said, said + " in {}")
    for power in _powers(right) if op is ast.Pow else ():
        words = f"the exponent should be {text_of(power)}"
        yield like(ast.BinOp(left, op(), power), 0.9, "exponent", words, words + " in {}")
    for new in _other_slopes(node):
        yield _instead(site, new, 1.15, "other function")
    for new in _regrouped(node):
        words = f"the parentheses should stand as in {text_of(new)}"
        yield like(new, 1.3, "parentheses", words, words + ", in place of {}")


def _powers(right: Any) -> Iterator[Any]:
    """Yield the exponents next to one."""
    match right:
        case ast.Constant(int() | float() as value):
            pass
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
            value = -value
        case _:
            return
    others = [value - 1, value + 1, 2 * value, *([value // 2] if value % 2 == 0 else [value / 2])]
    for power in (*others, *((value - 0.5, value + 0.5) if isinstance(value, float) else ())):
        if power not in (0, 1):
            yield ast.Constant(power) if power > 0 else ast.UnaryOp(ast.USub(), ast.Constant(-power))


def _regrouped(node: ast.BinOp) -> Iterator[ast.BinOp | ast.Call]:
    """Yield the same operations with parentheses elsewhere, be they those of a call."""
    left, right = node.left, node.right
    if isinstance(left, ast.BinOp):
        yield ast.BinOp(left.left, left.op, ast.BinOp(left.right, node.op, right))
        if isinstance(left.op, ast.Mult | ast.MatMult | ast.Div) and isinstance(node.op, ast.Add | ast.Sub):
            yield ast.BinOp(ast.BinOp(left.left, node.op, right), left.op, left.right)
    if _is_of_one(left):
        yield ast.Call(left.func, [ast.BinOp(left.args[0], node.op, right)], [])
    # a number beside a sum rather lacks the count
    if _is_of_one(right) and not (isinstance(left, ast.Constant) and called_name(right) in _ALONG):
        yield ast.Call(right.func, [ast.BinOp(left, node.op, right.args[0])], [])
    if isinstance(right, ast.BinOp):
        yield ast.BinOp(ast.BinOp(left, node.op, right.left), right.op, right.right)
        if isinstance(node.op, ast.Mult) and isinstance(right.op, ast.MatMult):
            # what stands in front of a matrix behind it
            before, last = (left.left, left.right) if _is_product(left) else (None, left)
            new = ast.BinOp(right.left, ast.MatMult(), ast.BinOp(last, ast.Mult(), right.right))
            yield new if before is None else ast.BinOp(before, ast.Mult(), new)
        if isinstance(node.op, ast.MatMult) and _is_product(right):
            yield ast.BinOp(right.left, ast.Mult(), ast.BinOp(left, ast.MatMult(), right.right))
        if isinstance(left, ast.BinOp):
            inner = ast.BinOp(ast.BinOp(left.right, node.op, right.left), right.op, right.right)
            yield ast.BinOp(left.left, left.op, inner)


def _is_of_one(node: Any) -> TypeGuard[ast.Call]:
    """Tell whether a call has one argument and nothing else."""
    return isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords


def _is_product(node: Any) -> TypeGuard[ast.BinOp]:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)


def _other_slopes(node: ast.BinOp) -> Iterator[ast.expr]:
    """Yield the slope of tanh in place of that of a logistic function, by their values, and the other way round."""
    match node:
        case ast.BinOp(before, ast.Mult(), ast.BinOp(ast.Constant(1), ast.Sub(), s)):
            square = ast.BinOp(ast.Constant(1), ast.Sub(), ast.BinOp(s, ast.Pow(), ast.Constant(2)))
            if text_of(before) == text_of(s):
                yield square
            elif _is_product(before) and text_of(before.right) == text_of(s):
                yield ast.BinOp(before.left, ast.Mult(), square)
        case ast.BinOp(ast.Constant(1), ast.Sub(), ast.BinOp(s, ast.Pow(), ast.Constant(2))):
            yield ast.BinOp(s, ast.Mult(), ast.BinOp(ast.Constant(1), ast.Sub(), s))


def _is_data(node: Any, names: Names) -> bool:
    """Tell whether an expression is no name of a module or a function, nor one of its attributes, such as np.r_."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return not isinstance(node, ast.Name) or node.id in names.variables


def _of_call(site: Site, names: Names) -> Iterator[Rewrite]:
    node = site.node
    called, arguments, name = node.func, node.args, called_name(node)
    for other in dict.fromkeys(one for family in _LIKE if name in family for one in family if one != name):
        other_func = copied(called)
        setattr(other_func, "attr" if isinstance(called, ast.Attribute) else "id", other)
        yield _instead(site, ast.Call(other_func, arguments, node.keywords), 1.2, "other function", "this should be {}")
    for other in names.helpers:
        # as gelu and d_gelu are
        if other != name and min(len(other), len(name)) > 2 and (name in other or other in name):
            new = ast.Call(ast.Name(other, ast.Load()), arguments, node.keywords)
            yield _instead(site, new, 1.15, "other function", "this should be {}")
    # np.add.at writes into its first argument, and the first of np.where is a condition
    for k in range(name in ("at", "where"), len(arguments) - 1):
        kind = "transposed" if name == "outer" else "permuted"
        new = ast.Call(called, exchanged(arguments, k, k + 1), node.keywords)
        yield _instead(site, new, 1.1, kind, "the arguments should be exchanged: {}")
    for k, word in enumerate(node.keywords):
        new = ast.Call(called, arguments, [*node.keywords[:k], *node.keywords[k + 1 :]])
        yield _instead(site, new, 1.3, "axis" if word.arg == "axis" else "other value")
    inner = arguments[0] if arguments else getattr(called, "value", None)
    whole = name != "where" and "_like" not in name
    if inner is not None and not isinstance(inner, ast.Starred) and _is_data(inner, names) and whole:
        yield _instead(site, copied(inner), 1.2)
        if name in ("abs", "fabs", "sqrt"):
            yield _instead(site, ast.BinOp(inner, ast.Pow(), ast.Constant(2)), 1.21)
    if arguments and isinstance(called, ast.Attribute) and _is_data(called.value, names):
        yield _instead(site, copied(called.value), 1.2)
    if name == "len" and inner is not None:
        # numbers of columns are small, and may be factors by chance
        for text, cost in (("size", 0.95), ("shape[1]", 1.15), ("sum()", 1.2)):
            yield _instead(site, ast.parse(f"({text_of(inner)}).{text}", mode="eval").body, cost)
    if len(arguments) == 1 and isinstance(inner, ast.expr):
        minus = ast.UnaryOp(ast.USub(), inner)
        change = Change(node, "args", None, [ast.fix_missing_locations(ast.copy_location(minus, inner))])
        # a minus before an odd function is rather too many than missing in it
        cost = 0.81 if isinstance(site.owner, ast.UnaryOp) else 0.79
        yield Rewrite(inner, (change,), cost, "sign", *FLIPPED)
    if _is_of_one(node) and isinstance(inner, ast.BinOp):
        left, right = (ast.Call(called, [side], []) for side in (inner.left, inner.right))
        for regrouped in (ast.BinOp(left, inner.op, inner.right), ast.BinOp(inner.left, inner.op, right)):
            yield _instead(site, regrouped, 1.3, "parentheses", "the parentheses should stand as in {}")
    if name == "einsum" and arguments and isinstance(arguments[0], ast.Constant):
        for letters in _exchanged_letters(str(arguments[0].value)):
            change = Change(node, "args", 0, ast.copy_location(ast.Constant(letters), arguments[0]))
            said = f'the subscripts should be "{letters}"'
            yield Rewrite(arguments[0], (change,), 1.15, "transposed", said, said + " in place of {}")
    if name in _ALONG and not node.keywords and len(arguments) <= isinstance(called, ast.Attribute):
        for axis in (0, 1):
            new = ast.Call(called, arguments, [ast.keyword("axis", ast.Constant(axis))])
            yield _instead(site, new, 1.24, "axis")
    if name in ("cumsum", "cumprod") and _is_of_one(node):
        # the adjoint of a sum from the beginning is one from the end
        yield _instead(site, _turned(ast.Call(called, [_turned(node.args[0])], [])), 1.2)
    if name == "range":
        others = [
            [*arguments[:k], _plus(one, s), *arguments[k + 1 :]] for k, one in enumerate(arguments) for s in (-1, 1)
        ]
        others += [[ast.Constant(first), *arguments] for first in (1, 2) if len(arguments) == 1]
        for some in others:
            yield _instead(site, ast.Call(called, some, []), 1.0, "loop", "the loop should run over {}")


def _exchanged_letters(subscripts: str) -> Iterator[str]:
    """Yield the subscripts with two letters of one array exchanged."""
    for part in re.finditer(r"\w+", subscripts):
        for i, j in combinations(range(part.start(), part.end()), 2):
            if subscripts[i] != subscripts[j]:
                letters = [*subscripts]
                letters[i], letters[j] = letters[j], letters[i]
                yield "".join(letters)


def _instead(site: Site, new: Any, cost: float, kind: str = "other value", words: str = "") -> Rewrite:
    """Another expression in place of one."""
    if isinstance(site.node, ast.Name) and isinstance(new, ast.Name) and isinstance(site.owner, ast.Attribute):
        # both are written with what is asked of them
        marked, text = site.owner, f"{new.id}.{site.owner.attr}"
    else:
        marked, text = site.node, _closed_text(site, new)
    this = (words or "this should be {}").format(text)
    cause = f"{this} in place of {{}}" if words else f"{{}} stands in place of {text}"
    return Rewrite(marked, (site.replaced(new),), cost, kind, this, cause)


def _closed_text(site: Site, new: Any) -> str:
    """Write what stands in place of an expression, in parentheses where it must have them there."""
    change = site.replaced(new)
    text = text_of(change.new)
    if isinstance(new, ast.BinOp | ast.UnaryOp) and isinstance(site.owner, ast.expr):
        undo = change.exchange()
        around = text_of(site.owner)
        undo.exchange()
        return f"({text})" if f"({text})" in around and not isinstance(site.owner, ast.Call) else text
    return text


def _negated(site: Site) -> Iterator[Rewrite]:
    """The other sign of one of several elements or arguments, and of the first term of a sum.

    Other terms change their operator.
    """
    node, owner = site.node, site.owner
    number = isinstance(node, ast.Constant) and not (site.field == "elts" and isinstance(node.value, float))
    if isinstance(node, ast.UnaryOp) or number or "shape" in site.around or "Subscript.slice" in site.around:
        return
    change = site.replaced(ast.UnaryOp(ast.USub(), node))
    if site.field == "elts":
        yield Rewrite(node, (change,), 0.78, "sign", *FLIPPED)
    elif site.field == "args" and len(owner.args) > 1 and called_name(owner) != "range":
        yield Rewrite(node, (change,), 0.83, "sign", *FLIPPED)
    elif site.field == "left" and isinstance(owner, ast.BinOp) and isinstance(owner.op, ast.Add | ast.Sub):
        # a difference is rather the other way round
        yield Rewrite(node, (change,), 0.82, "sign", *FLIPPED)


def _called(site: Site, names: Names) -> Iterator[Rewrite]:
    """A function that was forgotten: the logarithm of a number in place of the number."""
    node = site.node
    compared = isinstance(site.owner, ast.Compare) and isinstance(node, ast.Name | ast.Subscript | ast.BinOp)
    if not (is_value(site) or compared) or isinstance(getattr(node, "operand", node), ast.Constant):
        return
    around = called_name(site.owner)
    for name in names.functions:
        if any({around, name.rpartition(".")[2]} <= {*family} for family in _LIKE):
            # that stands for it
            continue
        if compared and not name.endswith("abs"):
            # others may hold always, or never
            continue
        new = ast.Call(ast.parse(name, mode="eval").body, [node], [])
        if not isinstance(node, ast.Call) or text_of(node.func) != name:
            words = f"{name} is missing around this", f"{name} is missing around {{}}"
            # what the gradient has as well has a name there
            written = text_of(ast.fix_missing_locations(new)) not in names.lacking
            cost = _CALLED - (0.0 if written else _familiar(new, names))
            yield Rewrite(node, (site.replaced(new),), cost, "other function", *words)


def _transposed(site: Site, names: Names) -> Iterator[Rewrite]:
    node = site.node
    known = isinstance(node, ast.BinOp | ast.Call | ast.Attribute | ast.Subscript | ast.UnaryOp) or (
        isinstance(node, ast.Name) and node.id in names.variables
    )
    asked = isinstance(site.owner, ast.Attribute) and site.owner.attr in ("T", "shape", "size")
    if not known or asked or called_name(site.owner) == "len":
        return
    if isinstance(node, ast.Attribute) and node.attr == "T":
        new, cost, words = copied(node.value), 0.9, ("this should not be transposed", "{} should not be transposed")
    else:
        cost = 0.9 if isinstance(node, ast.Name) else 1.2
        new, words = ast.Attribute(node, "T", ast.Load()), ("this should be transposed", "{} should be transposed")
    yield Rewrite(node, (site.replaced(new),), cost - _familiar(new, names), "transposed", *words)
    if isinstance(site.owner, ast.BinOp) and isinstance(site.owner.op, ast.MatMult):
        # each of many matrices
        new = ast.parse(f"np.swapaxes({text_of(node)}, -1, -2)", mode="eval").body
        words = "each of these matrices should be transposed", "each matrix of {} should be transposed"
        yield Rewrite(node, (site.replaced(new),), cost + 0.1, "transposed", *words)


def _symmetric(site: Site) -> Iterator[Rewrite]:
    """The symmetric part of a matrix: of xᵀAx the gradient is that of xᵀ(A + Aᵀ)x/2."""
    product = isinstance(site.owner, ast.BinOp) and isinstance(site.owner.op, ast.MatMult)
    if product or called_name(site.owner) in _PRODUCTS or getattr(site.owner, "attr", "") == "dot":
        both = ast.BinOp(site.node, ast.Add(), ast.Attribute(site.node, "T", ast.Load()))
        new = ast.BinOp(both, ast.Div(), ast.Constant(2))
        said = "is not symmetric: the mean with its transpose is meant"
        yield Rewrite(site.node, (site.replaced(new),), _SYMMETRIC, "transposed", f"this {said}", f"{{}} {said}")


def _is_index(site: Site) -> bool:
    inside = site.around[-2:] if site.around[-1:] == ("Tuple.elts",) else site.around[-1:]
    return not _INDEX.isdisjoint(inside)


def _next_to(site: Site) -> Iterator[Rewrite]:
    """The element before or after the one that an index chooses."""
    if _is_index(site) and not isinstance(site.node, ast.Constant | ast.Slice | ast.Tuple):
        for step in (1, -1):
            yield _instead(site, _plus(site.node, step), 1.0, "shifted", "the index should be {}")


def next_elements(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the elements before and after one that a variable chooses."""
    match node:
        case ast.Subscript(value, ast.Name() | ast.BinOp(ast.Name(), ast.Add() | ast.Sub(), ast.Constant()) as index):
            for step in (1, -1):
                other = ast.Subscript(value, _plus(index, step), ast.Load())
                yield ast.fix_missing_locations(ast.copy_location(other, node))


def _of_variables(site: Site, names: Names) -> Iterator[Rewrite]:
    """The variables of indices in place of a number that chooses an element."""
    for name in names.indices:
        yield _instead(site, ast.Name(name, ast.Load()), 1.1, "shifted", "the index should be {}")


def _is_step(site: Site) -> bool:
    """Tell whether a number is added to an index, which is changed as a whole."""
    added = isinstance(site.owner, ast.BinOp) and isinstance(site.owner.op, ast.Add | ast.Sub)
    return added and site.field == "right" and not _INDEX.isdisjoint(site.around[-3:])


def _plus(node: Any, step: int) -> Any:
    """Add 1 or −1, to a number at once."""
    match node:
        case ast.Constant(int() as number):
            number += step
        case ast.UnaryOp(ast.USub(), ast.Constant(int() as number)):
            number = step - number
        case ast.BinOp(left, ast.Add() | ast.Sub() as op, ast.Constant(int() as number)):
            number = step + (number if isinstance(op, ast.Add) else -number)
            more = ast.Add() if number > 0 else ast.Sub()
            return ast.BinOp(left, more, ast.Constant(abs(number))) if number else copied(left)
        case _:
            return ast.BinOp(node, ast.Add() if step > 0 else ast.Sub(), ast.Constant(1))
    return ast.Constant(number) if number >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-number))


def _familiar(new: Any, names: Names) -> float:
    """Return how much likelier an expression is because the function has it too."""
    known = not isinstance(new, ast.Name | ast.Constant) and text_of(ast.fix_missing_locations(new)) in names.known
    return 0.3 if known else 0.0
