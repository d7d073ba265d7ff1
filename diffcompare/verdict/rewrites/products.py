"""Products that are missing in a line, told by the first wrong value that it gives: beside them it is known.

No run of the code is needed for that, so that many can be looked at: a·b, a·b·c and a·b/c of all that is at hand.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.floats import Flags, Floats
from diffcompare.verdict.rewrites.alternatives import next_elements
from diffcompare.verdict.rewrites.first_wrong import Known
from diffcompare.verdict.rewrites.insertions import (
    SAME,
    Insertion,
    Item,
    Probe,
    is_fitting,
    is_multiple,
    value_of,
    written,
)
from diffcompare.verdict.rewrites.needed import Direct, Needed, row_of
from diffcompare.verdict.rewrites.syntax import Names, Site, is_of_matrices, summands, text_of

__all__ = ["products_of"]

_NUMBERS = ("1", "2")
# a part of an array
_SLICE = re.compile(r"\w+\[[^\[\]]*:[^\[\]]*\]")
# about how many numbers are looked at, and products that are tried
_LOOKED, _MOST = 40_000, 40
# matrices and vectors of which products of three are made
_MATRICES, _VECTORS = 5, 6
# and how many numbers are held at once
_HELD = 100_000

Indices = NDArray[np.intp]
Triples = tuple[Indices, Indices, Indices, Flags]


def products_of(site: Site, names: Names, probe: Probe, known: Known | Needed | Direct) -> Iterator[Insertion]:
    """Yield products of what is at hand that make a strange value a known one, as terms, factors or divisors."""
    if probe.seen is None or not isinstance(probe.seen[0], float | np.ndarray | np.integer):
        return
    value, at_hand = probe.seen
    if isinstance(known, Known):
        # one value is looked at, and for sums all that are computed
        probe = replace(probe, times=[probe.seen])
    own = np.concatenate([np.ravel(one) for one, _ in probe.times])
    if not own.size or not np.isfinite(own).all():
        return
    parts = {text_of(one) for one in ast.walk(site.node) if isinstance(one, ast.expr)}.difference(_NUMBERS)
    terms = set(map(_bare, parts))
    added = {_bare(text_of(one)) for one in summands(site)}
    sizes = [np.abs(row) for text in added if (row := row_of(text, probe)) is not None] + [np.abs(own)]
    near = [text_of(one) for node in ast.walk(site.node) for one in next_elements(node)]
    plain = list(dict.fromkeys([*_squares(site), *names.variables, *names.elements, *near, *names.parts]))
    slices = [text for text in sorted(names.expressions) if _SLICE.fullmatch(text)]
    composed = _composed([*plain, *slices], parts, probe.space, at_hand, np.shape(value))
    others = [*sorted(names.expressions, key=len), *composed]
    texts, rows = _at_hand([*_NUMBERS, *plain, *others], probe, own.size)
    few = len({*map(_closed, plain)}.intersection(texts)) + 2
    flat, paired = own.reshape(-1), 10 * _LOOKED // (few * own.size)
    found: list[tuple[float, str, str]] = []
    thirds = min(few, int((_LOOKED / own.size) ** (1 / 3)))
    # what takes a part of the value off: that is a factor 1 − it
    shares = [np.abs(own * row) for row in rows] if own.size > 1 else []

    with np.errstate(all="ignore"):
        for first, second, third, over in _triples(len(rows), few, paired, thirds, _HELD // own.size):
            made = rows[first] * rows[second] * np.where(over[:, None], 1 / rows[third], rows[third])
            for operation, i, times in _right_rows(site, known, flat, made):
                repeated = _is_one_of(made[i], sizes)
                if operation in "+-" and (repeated or is_multiple(made[i], flat) or _is_one_of(made[i], shares)):
                    # twice a term is 2 times it
                    continue
                k = int(third[i])
                # 1 is no factor
                factors = [texts[j] for j in (first[i], second[i], *([] if over[i] else [k])) if j]
                divisors = [texts[k]] if k and over[i] else []
                if not parts.isdisjoint({"*": divisors, "/": factors}.get(operation, ())):
                    # that takes out what stands there
                    continue
                if operation == "/" and divisors and len(factors) == 1:
                    # that is a factor the other way round
                    continue
                plain_numbers = all(one in _NUMBERS or one.startswith("(1 - ") for one in factors)
                multiple = operation in "+-" and not added.isdisjoint(factors)
                number = [] if abs(times) == 1 else [next(written(abs(times)))]
                factors, sign = [*number, *factors] or texts[:1], "-" * (times < 0)
                text = sign + " * ".join(factors) + "".join(f" / {one}" for one in divisors)
                if operation in "+-" and (
                    (plain_numbers and not divisors)
                    or _bare(text) in terms
                    or (multiple and added.union(_NUMBERS, number).issuperset([*factors, *divisors]))
                ):
                    # numbers may do by chance; what stands there is not missing, but half of what it should be
                    continue
                cost = (1.35 if text in _NUMBERS else 1.9 if k else 1.7) + 0.1 * (times != 1 or multiple)
                found.append((cost + 0.005 * len(text), text, operation))
    for cost, text, operation in sorted(found)[:_MOST]:
        yield Insertion(site, operation, Item(text, cost, operation))


def _squares(site: Site) -> Iterator[str]:
    """Yield the squares of what an expression divides by, by which the other term of a quotient's derivative does."""
    for node in ast.walk(site.node):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            yield from (f"{one.id} ** 2" for one in ast.walk(node.right) if isinstance(one, ast.Name))


def _right_rows(
    site: Site, known: Known | Needed | Direct, own: Floats, made: Floats
) -> Iterator[tuple[str, int, float]]:
    """Yield by which operation which row makes a value what it must be, and how many times it is taken."""
    rows = {"+": own + made, "-": own - made, "*": own * made, "/": own / made}
    for operation, new in rows.items():
        if isinstance(known, Needed | Direct) and operation not in known.told:
            continue
        # of a product the whole is asked: but it may not be known, and of a number a part is no other number
        part = isinstance(known, Known) or isinstance(site.node, ast.Constant)
        if not (is_fitting(site, operation) or (part and operation in "*/")):
            continue
        other = (new != own).any(axis=1)
        if operation in "*/" and is_of_matrices(site):
            # a number is rather a factor of a product than of a matrix in it
            other &= (made != made[:, :1]).any(axis=1)
        right = known.has_rows(new) & other
        yield from ((operation, i, 1.0) for i in np.flatnonzero(right).tolist())
        if isinstance(known, Needed | Direct) and operation in "+*":
            # what is known is known up to its multiples
            times = known.multiples_of(made, own) if operation == "+" else known.multiples_of(new, 0 * own)
            for i in np.flatnonzero(np.isfinite(times) & other & ~right).tolist():
                if any(written(abs(times[i]))):
                    less = operation == "+" and times[i] < 0
                    yield ("-", i, -float(times[i])) if less else (operation, i, float(times[i]))


def _triples(count: int, few: int, paired: int, thirds: int, most: int) -> Iterator[Triples]:
    """Yield products of two, and of three of those that have names: which factors, and whether by the third is divided.

    The first of all is 1, by which products of two are divided. About ``most`` are yielded at once.
    """
    first, second = np.triu_indices(count)
    unlike = (first != 1) | (second != 1)
    named = unlike & (first < few) & (second < few)
    waiting, held = [(0, True, unlike & (((first < few) & (second < paired)) | (first < 2)))], 0
    for k, over in product(range(1, thirds), (True, False)):
        # of three factors each stands once
        once = over | ((first > 0) & (second > 1) & (second < k))
        waiting.append((k, over, named & (first != k) & (second != k) & once))
        held += int(waiting[-1][2].sum())
        if held >= most:
            yield _joined(first, second, waiting)
            waiting, held = [], 0
    if waiting:
        yield _joined(first, second, waiting)


def _joined(first: Indices, second: Indices, waiting: Sequence[tuple[int, bool, Flags]]) -> Triples:
    sizes = [int(some.sum()) for *_, some in waiting]
    third, over = (np.repeat(column, sizes) for column in ([k for k, *_ in waiting], [over for _, over, _ in waiting]))
    pairs = np.concatenate([np.flatnonzero(some) for *_, some in waiting])
    return first[pairs], second[pairs], third, over


def _composed(
    names: Sequence[str], parts: set[str], space: dict[str, Any], at_hand: dict[str, Any], shape: tuple[int, ...]
) -> Iterator[str]:
    """Yield what is made of values at hand and fits a shape: columns, products of matrices, sums along rows.

    A difference with one of the ``parts`` that stand there would put the other in its place.
    """
    values = {name: _value(name, space, at_hand) for name in names}
    some = {name: np.shape(v) for name, v in values.items() if isinstance(v, float | np.ndarray)}
    vectors, matrices = ([(name, own) for name, own in some.items() if len(own) == n] for n in (1, 2))
    for name, own in some.items():
        yield from (f"1 - {name}", f"1 - {name} ** 2") if _fits(own, shape) else ()
    for (a, own), (b, other) in combinations(some.items(), 2):
        fitting = shape in (own, other) and _fits(own, shape) and _fits(other, shape)
        yield from [f"{a} - {b}"] * (fitting and parts.isdisjoint((a, b)))
    yield from (f"{name}[:, None]" for name, own in vectors if _fits((*own, 1), shape))
    if len(shape) == 2 and shape[0] == shape[1]:
        yield from (f"np.diag({name})" for name, own in vectors if (*own, *own) == shape)
        yield f"np.eye({shape[0]})"
    for (a, (m,)), (b, (n,)) in product(vectors, vectors):
        yield from [f"{a} @ {b}"] * (a <= b and m == n)
        yield from [f"np.outer({a}, {b})"] * _fits((m, n), shape)
    for (a, (m, n)), (b, (k,)) in product(matrices, vectors):
        yield from [f"{a} @ {b}"] * (n == k and _fits((m,), shape))
        yield from [f"{a}.T @ {b}"] * (m == k and _fits((n,), shape))
    if not shape:
        yield from (f"np.sum({name})" for name, own in some.items() if own)
        yield from (f"np.trace({name})" for name, (m, n) in matrices if m == n)
    for (a, (m, n)), (b, (k, j)) in product(matrices, matrices):
        yield from [f"np.sum({a} * {b})"] * (not shape and a <= b and (m, n) == (k, j))
        yield from [f"{a} @ {b}"] * (n == k and _fits((m, j), shape))
        yield from [f"{a}.T @ {b}"] * (m == k and _fits((n, j), shape))
        yield from [f"{a} @ {b}.T"] * (n == j and _fits((m, k), shape))
        yield from [f"np.sum({a} * {b}, axis=1, keepdims=True)"] * ((m, n) == (k, j) and _fits((m, 1), shape))
    if len(shape) == 2:
        yield from _of_three(matrices[:_MATRICES], shape)
        # what a projection takes off
        for (a, (m, n)), (b, (k,)), (c, (j,)) in product(matrices[:_MATRICES], vectors[:_VECTORS], vectors[:_VECTORS]):
            yield from [f"np.outer({a} @ {b}, {c})"] * (n == k and (m, j) == shape)
            yield from [f"np.outer({b}, {c} @ {a})"] * (j == m and (k, n) == shape)
    # what the adjoint of a softmax multiplies by
    for (a, own), (b, other) in product(vectors, vectors):
        yield from [f"{a} - {b} @ {a}"] * (a != b and own == other == shape)


def _of_three(matrices: Sequence[tuple[str, tuple[int, ...]]], shape: tuple[int, ...]) -> Iterator[str]:
    """Yield products of three matrices, each as it is or transposed, that have a shape."""
    sides = [side for name, own in matrices for side in ((name, own), (f"{name}.T", own[::-1]))]
    for (a, own), (b, (m, n)), (c, other) in product(sides, repeat=3):
        if own[1] == m and n == other[0] and (own[0], other[1]) == shape:
            # what has the fewest elements is made first
            yield f"({a} @ {b}) @ {c}" if own[0] * n < m * other[1] else f"{a} @ ({b} @ {c})"


def _is_one_of(row: Floats, sizes: Sequence[Floats]) -> bool:
    """Tell whether a row is one of some others but for signs."""
    return any((np.abs(np.abs(row) - size) <= SAME * size).all() for size in sizes)


def _bare(text: str) -> str:
    return text.replace("(", "").replace(")", "")


def _fits(own: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return len(own) <= len(shape) and all(a in (1, b) for a, b in zip(own[::-1], shape[::-1], strict=False))


def _at_hand(expressions: Sequence[str], probe: Probe, size: int) -> tuple[list[str], Floats]:
    """Return the first expressions that fit a value as rows, each name, and the value of others once."""
    room = max(12, min(240, _LOOKED // size))
    texts: dict[bytes | str, tuple[str, Floats]] = {}
    for text in expressions:
        if len(texts) == room:
            break
        row = row_of(text, probe, of_floats=text not in _NUMBERS)
        if row is not None and np.isfinite(row).all() and row.any():
            # two names, and two elements, may have the same value by chance
            texts.setdefault(text if text.isidentifier() or "[" in text else row.tobytes(), (_closed(text), row))
    return [text for text, _ in texts.values()], np.array([row for _, row in texts.values()]).reshape(-1, size)


@functools.lru_cache(10_000)
def _closed(text: str) -> str:
    """Write an expression as a factor."""
    bare = ast.Name | ast.Constant | ast.Call | ast.Subscript | ast.Attribute
    return text if isinstance(ast.parse(text, mode="eval").body, bare) else f"({text})"


def _value(text: str, space: dict[str, Any], at_hand: dict[str, Any]) -> Any:
    try:
        return value_of(text, space, at_hand)
    except Exception:
        return None
