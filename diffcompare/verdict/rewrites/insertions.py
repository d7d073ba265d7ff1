"""What could be missing beside an expression: a factor, a divisor or a term.

The code is compiled once with a probe around the expression, which is told what to do with each value.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import math
import operator
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations_with_replacement
from types import CodeType
from typing import Any

import numpy as np

from diffcompare.floats import Floats
from diffcompare.verdict.rewrites.first_wrong import Known
from diffcompare.verdict.rewrites.gaps import nearest
from diffcompare.verdict.rewrites.running import Body, Change, names_at_hand
from diffcompare.verdict.rewrites.syntax import (
    Names,
    Rewrite,
    Site,
    is_elementwise,
    is_of_matrices,
    named_slopes,
    stored,
    summands,
    text_of,
)
from diffcompare.verdict.rewrites.twins import twins_of

__all__ = [
    "OPERATIONS",
    "SAME",
    "Insertion",
    "Item",
    "Probe",
    "insertions_of",
    "is_fitting",
    "is_multiple",
    "likelier",
    "pool_of",
    "probed",
    "value_of",
    "written",
]

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "*": operator.mul, "/": operator.truediv, "+": operator.add, "-": operator.sub, "^": operator.pow,
    "=": lambda _, other: other,
}  # fmt: skip
_SYNTAX: dict[str, type[ast.operator]] = {"*": ast.Mult, "/": ast.Div, "+": ast.Add, "-": ast.Sub, "^": ast.Pow}
# the price of a factor that changes the shape, and of a number that is a term
_RARE = 0.1
# how much likelier a value that is known is, and by how many elements that is seen at first
_KNOWN, _FIRST = 0.3, 6
# times at which a value is noted
_TIMES = 64
# elements of what has another shape than before: all of them are held at once
_WIDEST = 100_000
# how close to 1 probabilities add up, and how far apart two ways to compute a value may be
_WHOLE, SAME = 1e-9, 1e-12
# numbers that are forgotten most often
_OFTEN = {"2": 2, "3": 3, "4": 4}
# between degrees and radians
_ANGLES = ("np.pi / 180", "180 / np.pi")
_NUMBER = re.compile(r"[\d.e-]+( (/|\*\*) [\d.]+)?|len\(\w+\)")
# the parts of 1 that people multiply by, numbers whose roots they are, and how close a number is to what it stands for
_PARTS, _ROOTS, _NEAR = 60, 1000, 1e-7
# an element, and what chooses it
_ELEMENT = re.compile(r"(\w+)\[([\w, ]+)\]")
_NUMBERS = (int, float, np.generic, np.ndarray)
_WORDS = {
    "*": "the factor {} is missing", "/": "the divisor {} is missing",
    "+": "the term {} is missing", "-": "the term -{} is missing", "^": "the exponent {} is missing",
}  # fmt: skip


@dataclass(slots=True)
class Probe:
    """Stands around an expression: notes its values and the names at hand, changes each value, or moves its elements.

    Parameters
    ----------
    space : dict
        The names outside of the function.
    number : int
        The time at which ``seen`` is noted, or the last before.
    added : bool
        Whether it gives what is to be added to a value.
    change : (str, code), optional
        An operation, and what stands on its other side.
    factor : float, optional
        The number by which all values must be multiplied, where that makes the gradient right.
    moved : iterator of (value, step), optional
        What is added to each value, beside what it was before.
    is_held : bool
        Whether it is added to what the value was before, whatever that is now.
    stays : bool
        Whether each value was that while they were moved: none depends on one before it.
    times : list
        Each value and the names at hand, unless it ``is_full``.
    """

    space: dict[str, Any]
    number: int = 1
    added: bool = False
    change: tuple[str, str] | None = None
    seen: tuple[Any, dict[str, Any]] | None = None
    factor: float | None = None
    moved: Iterator[tuple[Any, Floats]] | None = None
    is_held: bool = False
    stays: bool = True
    times: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Tell whether there are more times than are noted."""
        return len(self.times) > _TIMES

    def __call__(self, value: Any, names: dict[str, Any]) -> Any:
        """Return the value, as it should be."""
        names = names_at_hand(names, sys._getframe(1))
        if self.moved is not None:
            before, step = next(self.moved)
            self.stays &= np.array_equal(value, before)
            return step if self.added else (before if self.is_held else value) + step
        if self.change is None:
            if not self.is_full:
                kept = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in names.items()}
                self.times.append((value.copy() if isinstance(value, np.ndarray) else value, kept))
                if len(self.times) <= self.number:
                    self.seen = self.times[-1]
            return 0.0 if self.added else value
        operation, other = self.change
        changed = OPERATIONS[operation](value, value_of(other, self.space, names))
        return changed - value if self.added else changed


def value_of(text: str, space: dict[str, Any], names: dict[str, Any]) -> Any:
    """Evaluate names and expressions of the user's own code."""
    return eval(_compiled(text), space, names)  # noqa: S307


@functools.lru_cache(10_000)
def _compiled(text: str) -> CodeType:
    return compile(text, "<inserted>", "eval")


@dataclass(frozen=True, slots=True)
class Item:
    """What could be missing, and by which operations it would stand beside an expression.

    ``is_index``: integers that it gives choose elements; ``widening``: the operations that may change the shape.
    """

    text: str
    cost: float
    operations: str
    is_index: bool = False
    widening: str = "*/"


@dataclass(frozen=True, slots=True)
class Insertion:
    """Something beside an expression, and the value of both, where that is known.

    ``is_count``: whether it is a whole number by another name.
    """

    site: Site
    operation: str
    item: Item
    made: Any = field(default=None, compare=False)
    is_count: bool = False

    @property
    def is_number(self) -> bool:
        """Tell whether a number is put in."""
        return self.item.text in _ANGLES or _NUMBER.fullmatch(self.item.text) is not None

    @property
    def rewrite(self) -> Rewrite:
        """It in words."""
        other = ast.parse(self.item.text, mode="eval").body
        if self.site.after is not None:
            line = ast.AugAssign(stored(self.site.node), _SYNTAX[self.operation](), other)
            signed = ast.UnaryOp(ast.USub(), other) if self.operation == "-" else other
            words = f"the line {text_of(line)} is missing"
            changes = (self.site.replaced(signed),)
            return Rewrite(
                nearest(self.site, line), changes, self.item.cost, "missing term", words, words + " after {}"
            )
        text, factor = ast.unparse(other), self.operation in "*/^"
        number = _NUMBER.fullmatch(text) is not None
        closed = text if number or text.isidentifier() or text[-1] in ")]" else f"({text})"
        words = _WORDS[self.operation].format(closed if self.operation == "-" else text)
        words = words.replace("term", "constant", 1) if number else words
        kind = "missing term" if not factor else "factor" if number else "chain factor"
        kind = "exponent" if self.operation == "^" else kind
        cause = f"{words} {'in' if factor else 'beside'} {{}}"
        if self.operation == "^" and text == "0.5":
            words, cause = "this should be its square root", "{} stands in place of its square root"
        size = {"*": "half of", "/": "twice"}.get(self.operation) if text == "2" else None
        this = f"this is {size} what it should be" if size else words
        added = ast.BinOp(self.site.node, _SYNTAX[self.operation](), other)
        return Rewrite(self.site.node, (self.site.replaced(added),), self.item.cost, kind, this, cause)


def pool_of(names: Names) -> Iterator[Item]:
    """Yield what could be missing: numbers, names, expressions of both codes, and what people make of names."""

    def item(text: str, cost: float, operations: str, of: str = "") -> Item:
        widening = "*/+-" if text in names.known else "*/"
        return Item(text, cost + 0.005 * len(text), operations, (of or text) in names.indices, widening)

    for number in dict.fromkeys((*_OFTEN.values(), *(v for v in names.numbers if v != 0))):
        # a number of the function may be a term, too
        factor = "" if number == 1 else "*/"
        yield item(repr(number), 1.35, factor + "+-" * (number in names.numbers))
    for text in _ANGLES:
        yield item(text, 1.35, "*")
    for power in (2, 3, 0.5, 1.5):
        yield item(repr(power), 1.38, "^")
    # a parameter is a name, or an element of one
    parameters = [*names.variables, *names.elements]
    for name in parameters:
        # what nothing reads was meant to be
        yield item(name, 1.3 if name in names.unused else 1.4, "*/+-")
    for text in sorted(names.expressions.difference(parameters)):
        yield item(text, 1.4 if text in names.lacking else 1.6, "*/+-")
    for name in parameters:
        yield item(f"{name} ** 2", 1.7, "*/", name)
        yield item(f"1 - {name}", 1.7, "*", name)
        yield item(f"1 - {name} ** 2", 1.75, "*", name)
        yield item(f"{name}[:, None]", 1.55, "*/")
        yield item(f"2 * {name}", 1.65, "+-", name)
    for name in names.variables:
        # of what a loop goes through, the part that it is at
        yield from (item(f"{name}[{at}]", 1.5, "*/") for at in names.indices if at != name)
    for text in _elements(names):
        yield item(text, 1.5, "*/+-")
    for first, second in combinations_with_replacement(parameters, 2):
        yield item(f"{first} * {second}", 1.7, "+-")


def _elements(names: Names) -> Iterator[str]:
    """Yield elements of slopes, and those next to one that a number chooses, where an element like them stands."""
    found = {one[0]: (one[1], one[2]) for text in sorted(names.expressions) if (one := _ELEMENT.fullmatch(text))}
    slopes = {name: slope for some in named_slopes(names.variables) for slope, name in some.items()}
    texts = [f"{slopes[name]}[{at}]" for name, at in found.values() if name in slopes]
    for name, at in found.values():
        texts += [f"{name}[{k}]" for k in (int(at) - 1, int(at) + 1) if k >= 0] if at.isdigit() else []
    yield from (text for text in dict.fromkeys(texts) if text not in found)


def probed(site: Site, body: Body, number: int = 1) -> tuple[Change, Probe]:
    """Put a probe of its own around an expression, which notes what it is at some time."""
    space = body.function.__globals__
    probe, name = Probe(space, number, site.after is not None), f"__probe_{len(space)}__"
    space[name] = probe
    names = ast.Call(ast.Name("locals", ast.Load()), [], [])
    return site.replaced(ast.Call(ast.Name(name, ast.Load()), [site.node, names], [])), probe


def insertions_of(site: Site, pool: Sequence[Item], probe: Probe) -> Iterator[Insertion]:
    """Yield what could be missing at a site: what changes its first value, but not the shape."""
    if probe.seen is None:
        return
    value, at_hand = probe.seen
    if not isinstance(value, _NUMBERS):
        return
    shape, own, fitting = np.shape(value), text_of(site.node), _fitting(site)
    parts = {text_of(one) for one in ast.walk(site.node) if isinstance(one, ast.expr)}
    of_matrices = is_of_matrices(site)
    terms = [_Size.of(term) for term in _values(summands(site), probe.space, at_hand)]
    # what is written as a number is no count
    is_written = isinstance(getattr(site.node, "operand", site.node), ast.Constant)
    powers = "*/+-^" if np.asarray(value).dtype.kind == "f" else "*/+-" if is_written else "*/"
    known: set[tuple[int, tuple[int, ...], str]] = set()
    held = {**probe.space, **at_hand}
    for item in (
        *pool,
        *_multiples(probe.factor),
        *_centrings(own, value, held),
        *map(_twin, twins_of(site.node, value, held)),
    ):
        try:
            other = value_of(item.text, probe.space, at_hand)
        except Exception:  # noqa: S112 - not known there
            continue
        array = np.asarray(other) if isinstance(other, _NUMBERS) else None
        kind = "" if array is None else array.dtype.kind
        if array is not None and not item.text.isidentifier():
            # two names may have the same value by chance, an expression is what another one is
            alike = hash(array.tobytes()), array.shape, item.operations
            if alike in known:
                continue
            known.add(alike)
        of_numbers = array is not None and kind in "fiu" and array.size > 0
        own_shape = array is not None and array.shape == shape
        twice = of_numbers and (
            _Size.of(array).is_one_of(terms) or (shape != () and own_shape and is_multiple(array, value))
        )
        # what has a shape of its own may make very many elements
        wide = array is not None and array.ndim > 0 and not own_shape
        takes_out = _divisor(item.text) in parts
        is_number = _NUMBER.fullmatch(item.text) is not None
        # a number by another name
        is_count = array is not None and kind in "iu" and not is_number and array.size > 0 and not np.ptp(array)
        # a count is no term and has no power, an index is no factor either
        counts = kind in "iu" and not item.text.isdigit()
        usual = "" if kind not in ("f", "i", "u") or (counts and item.is_index) else "*/" if counts else powers
        # what counts from 0 may have to count from 1
        usual += "+-" * (item.text.isdigit() and shape != ())
        for operation in item.operations if item.text != own else "":
            factor = operation in "*/"
            # half of a sum is half of it, and what takes s * p off s is a factor 1 - p
            if (takes_out and operation == "*") or ((twice or own in item.text.split(" * ")) and operation in "+-"):
                continue
            if operation == "-" and own_shape and of_numbers and _is_part(array, value, at_hand):
                continue
            # a number is rather a factor of a product than of a matrix in it
            if operation not in fitting or operation not in usual or (of_matrices and factor and not np.ndim(other)):
                continue
            try:
                if wide and math.prod(np.broadcast_shapes(shape, np.shape(other))) > max(_WIDEST, np.size(value)):
                    continue
                made = OPERATIONS[operation](value, other)
            except Exception:  # noqa: S112 - of no use there
                continue
            # without a factor, or a term of the function, the value may have been repeated
            wider = np.shape(made) != shape
            if np.isfinite(made).all() and (not wider or operation in item.widening):
                # a number may be a term by chance, and to a written one is missing what is a number
                rare = wider or (is_number if operation in "+-" else is_count or (is_written and not is_number))
                cost = item.cost + _RARE * rare
                yield Insertion(site, operation, replace(item, cost=cost) if rare else item, made, is_count)


@dataclass(frozen=True, slots=True)
class _Size:
    """What is compared of values: two are the same up to their signs, however they are computed."""

    shape: tuple[int, ...]
    first: float
    sizes: Any

    @classmethod
    def of(cls, value: Any) -> _Size:
        sizes = np.abs(np.asarray(value)).reshape(-1)
        return cls(np.shape(value), float(sizes[0]) if sizes.size else 0.0, sizes)

    def is_one_of(self, others: Iterable[_Size]) -> bool:
        # most differ in what comes first
        return any(
            abs(self.first - one.first) <= SAME * one.first
            and self.shape == one.shape
            and bool((np.abs(self.sizes - one.sizes) <= SAME * one.sizes).all())
            for one in others
        )


def is_multiple(row: Any, of: Any) -> bool:
    """Tell whether one of two rows of several numbers is a multiple of the other."""
    row, of = np.ravel(row), np.ravel(of)
    largest = int(np.argmax(np.abs(of)))
    made = row * of[largest]
    return bool((of != of[0]).any() and (np.abs(made - of * row[largest]) <= SAME * np.abs(made)).all())


def _is_part(row: Any, of: Any, at_hand: dict[str, Any]) -> bool:
    """Tell whether a row of numbers is another one times a third that has a name."""
    rows = [v for v in at_hand.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f" and v.shape == row.shape]
    first, begin = row.flat[0], np.asarray(of).flat[0]
    near = [v for v in rows if row.ndim and abs(begin * v.flat[0] - first) <= SAME * abs(first)]
    return any(bool((np.abs(of * v - row) <= SAME * np.abs(row)).all()) for v in near)


def _values(nodes: Iterable[ast.expr], space: dict[str, Any], names: dict[str, Any]) -> Iterator[Any]:
    """Yield the values of expressions that are numbers."""
    for node in nodes:
        with contextlib.suppress(Exception):
            value = value_of(text_of(node), space, names)
            if isinstance(value, _NUMBERS) and np.asarray(value).dtype.kind in "fiu":
                yield value


@functools.lru_cache(10_000)
def _divisor(text: str) -> str:
    """Return what an expression divides by: beside that as a part another thing should stand in its place."""
    node = ast.parse(text, mode="eval").body
    return text_of(node.right) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) else ""


def likelier(some: Iterable[Insertion], known: Known | None, times: float | None = None) -> list[Insertion]:
    """Return insertions, at another price those that make a value which function or derivative have, too.

    A number is none of those: values are known up to the numbers by which people multiply. One of those is likelier
    if the whole claim must be taken so many ``times``.
    """
    some = list(some)
    for k, one in enumerate(some):
        number = _OFTEN.get(one.item.text)
        if times is not None and number and abs(OPERATIONS[one.operation](1.0, number) - times) <= _NEAR * abs(times):
            some[k] = replace(one, item=replace(one.item, cost=one.item.cost - _KNOWN))
    asked = [k for k, one in enumerate(some) if _is_float(one.made) and not (one.is_number or one.is_count)]
    first = np.zeros((len(asked), _FIRST))
    for row, k in zip(first, asked, strict=True):
        part = np.ravel(some[k].made)[:_FIRST]
        row[: part.size] = part
    for k, may_be in zip(asked, () if known is None else known.has_rows(first), strict=known is not None):
        if known is not None and may_be and known.has(some[k].made):
            some[k] = replace(some[k], item=replace(some[k].item, cost=some[k].item.cost - _KNOWN))
    # held at all sites at once the values may be too much
    return [Insertion(one.site, one.operation, one.item) for one in some]


def _is_float(value: Any) -> bool:
    return value is not None and np.asarray(value).dtype.kind == "f"


def _centrings(own: str, value: Any, at_hand: dict[str, Any]) -> Iterator[Item]:
    """Yield the means of a value by probabilities, which the adjoint of a softmax takes off."""
    for name, p in at_hand.items() if np.ndim(value) else ():
        if not isinstance(p, np.ndarray) or p.dtype.kind != "f" or p.shape != np.shape(value) or (p < 0).any():
            continue
        for axis in range(p.ndim):
            if (np.abs(p.sum(axis=axis) - 1) <= _WHOLE).all():
                text = f"({name} * {own}).sum(axis={axis}, keepdims=True)"
                yield Item(text, 1.5, "-")


def _multiples(factor: float | None) -> Iterator[Item]:
    """Yield a number as people write it, as a factor or as a divisor."""
    some = [] if not factor else [(text, "*") for text in written(factor)]
    some += [(text, "/") for text in written(1 / factor) if "/" not in text] if factor else []
    for text, operation in sorted(some, key=lambda one: len(one[0]))[:1]:
        yield Item(text, 1.4 + 0.005 * len(text), operation)


def written(size: float) -> Iterator[str]:
    """Yield a number as people write it, the simplest first; nothing where they would not."""
    part, square = Fraction(size).limit_denominator(_PARTS), Fraction(size * size).limit_denominator(1)
    texts = {
        str(part): float(part),
        f"{size:.3g}": float(f"{size:.3g}"),
        f"{square} ** 0.5": float(square) ** 0.5 if square < _ROOTS else 0.0,
    }
    close = [text for text, number in texts.items() if abs(number - size) <= _NEAR * abs(size)]
    yield from sorted((text.replace("/", " / ") for text in close), key=len)


def _twin(text: str) -> Item:
    return Item(text, 1.45 + 0.005 * len(text), "+-", widening="+-")


def is_fitting(site: Site, operation: str) -> bool:
    """Tell whether something may be missing beside an expression, or another stand in its place."""
    return not isinstance(site.owner, ast.Return) if operation == "=" else operation in _fitting(site)


def _fitting(site: Site) -> str:
    """Return the operations that are worth a trial: of a product and of a sum the whole is asked, not each part."""
    if site.after is not None:
        return "+-"
    op = site.owner.op if isinstance(site.owner, ast.BinOp) else None
    part = isinstance(op, ast.Mult | ast.Div)
    term = isinstance(op, ast.Add | ast.Sub) or isinstance(site.owner, ast.UnaryOp)
    whole = term or isinstance(site.owner, ast.stmt)
    number = isinstance(site.node, ast.Constant) and not whole and not is_elementwise(site)
    factor = part or number or isinstance(site.owner, ast.UnaryOp)
    return "^" + ("" if factor else "*/") + ("" if term else "+-")
