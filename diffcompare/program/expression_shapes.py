"""Shapes of expressions: what repeats, moves, sums, takes and multiplies arrays.

Numbers, and what does not change along an axis, come out of sums and products: there they are seen, and cancel.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from diffcompare.program.arrays import Places, Shape, as_transposed, counts_up, renamed, repeated_axes
from diffcompare.program.expression import ONE, Coefficient, Expression, Factor, Key, factors_of, repeated
from diffcompare.program.expressions import Expressions
from diffcompare.program.numpy_keys import key_text

__all__ = ["contract", "cumulate", "expanded", "full", "index", "reduced", "reshape", "scatter", "total", "transpose"]


def full(write: Expressions, operand: Expression, shape: Shape) -> Expression:
    """Repeat until an expression has a shape."""
    if operand.shape == shape:
        return operand
    operand = operand.operands[0] if operand.operation == "broadcast" else operand
    return write.node("broadcast", (operand,), shape)


def reshape(write: Expressions, operand: Expression, shape: Shape) -> Expression:
    """See the elements in another shape."""
    if operand.operation == "reshape":
        operand = operand.operands[0]
    if operand.shape == shape:
        return operand
    if operand.operation == "broadcast" and not operand.operands[0].shape:
        return full(write, operand.operands[0], shape)
    if operand.operation == "scatter" and len(operand.shape) == 1 and operand.payload.text is None:
        # the places are those of the flat order
        return write.node("scatter", operand.operands, shape, operand.payload)
    if (
        operand.operation == "sum"
        and len(operand.shape) == 1
        and all(t.operation == "scatter" for t in operand.operands)
    ):
        return write.sum((c, reshape(write, t, shape)) for c, t in zip(operand.payload, operand.operands, strict=True))
    if shape == tuple(n for n in operand.shape if n > 1) and shape:
        # what is taken with an axis of length 1 is taken without it
        if _is_taken(operand):
            return index(write, operand.operands[0], Key(operand.payload.places.reshape(shape)))
        if operand.operation == "sum" and all(_is_taken(t) and t.shape == operand.shape for t in operand.operands):
            terms = zip(operand.payload, operand.operands, strict=True)
            return write.sum((c, reshape(write, t, shape)) for c, t in terms)
    coefficient, rest = write.split(operand)
    if coefficient != ONE and rest.number is None:
        return write.product([(reshape(write, rest, shape), Fraction(1))], coefficient)
    if len(operand.shape) == 1 < len(shape):
        _note_block(write, operand, shape)
    return write.node("reshape", (operand,), shape)


def _is_taken(one: Expression) -> bool:
    return one.operation == "index" and one.payload.text is None


def _note_block(write: Expressions, operand: Expression, shape: Shape) -> None:
    """Note that the elements of a vector, or of a part of one, are seen in a shape."""
    start = 0
    if operand.operation == "index" and operand.payload.text is None:
        places = operand.payload.places
        if not counts_up(places - places[0]):
            return
        operand, start = operand.operands[0], int(places[0])
    held = write.blocks.setdefault(operand, [])
    if (start, shape) not in held:
        held.append((start, shape))


def transpose(write: Expressions, operand: Expression, axes: Sequence[int]) -> Expression:
    """Exchange axes."""
    axes = tuple(axes)
    if axes == tuple(range(len(axes))):
        return operand
    if operand.operation == "transpose":
        return transpose(write, operand.operands[0], [operand.payload[a] for a in axes])
    if operand.operation == "sum" and all(t.operation in ("name", "transpose") for t in operand.operands):
        parts = [(c, transpose(write, t, axes)) for c, t in zip(operand.payload, operand.operands, strict=True)]
        return write.sum(parts)
    if operand.operation == "contract":
        letters, result = operand.payload.split("->")
        return contract(write, f"{letters}->{''.join(result[a] for a in axes)}", *operand.operands)
    coefficient, rest = write.split(operand)
    shape = tuple(operand.shape[a] for a in axes)
    if coefficient != ONE and rest.number is None:
        return write.product([(transpose(write, rest, axes), Fraction(1))], coefficient)
    if operand.operation == "inv" and operand.payload == "symmetric":
        return operand
    return write.node("transpose", (operand,), shape, axes)


def expanded(write: Expressions, operand: Expression, ndim: int, axes: Sequence[int]) -> Expression:
    """Put axes of length 1 into what may be smaller than an array of ``ndim`` axes after they were taken out."""
    if not operand.shape:
        return operand
    kept = [a for a in range(ndim) if a not in axes]
    own = kept[len(kept) - len(operand.shape) :]
    shape = [1] * ndim
    for a, n in zip(own, operand.shape, strict=True):
        shape[a] = n
    while shape and shape[0] == 1 and len(shape) > len(operand.shape):
        shape = shape[1:]
    return reshape(write, operand, tuple(shape))


def total(
    write: Expressions,
    operand: Expression,
    shape: Shape,
    axes: Sequence[int],
    *,
    mean: bool = False,
    by_term: bool = True,
) -> Expression:
    """Sum over axes, or take the mean, of what stands for an array of a shape.

    ``by_term``: a sum of arrays whose terms add up to a number is that number.
    """
    operand = repeated(operand)
    rest = tuple(n for a, n in enumerate(shape) if a not in axes)
    own = (1,) * (len(shape) - len(operand.shape)) + operand.shape
    count = math.prod(shape[a] for a in axes if own[a] == 1)
    if count != 1:
        seen = tuple(1 if a in axes and own[a] == 1 else n for a, n in enumerate(shape))
        return write.scaled(total(write, operand, seen, axes, mean=mean, by_term=by_term), 1 if mean else count)
    kept: list[Factor] = []
    out: list[Factor] = []
    coefficient = ONE
    if operand.operation == "product":
        coefficient = operand.payload[0]
        for base, exponent in factors_of(operand):
            padded = (1,) * (len(shape) - len(base.shape)) + base.shape
            constant = all(padded[a] == 1 for a in axes)
            (out if constant else kept).append((base, exponent))
    else:
        kept = [(operand, Fraction(1))]
    inner = write.product(kept)
    factors = [(_without(write, base, shape, axes), exponent) for base, exponent in out]
    if kept:
        factors.append((_summed(write, inner, shape, axes, mean=mean, by_term=by_term), Fraction(1)))
    found = write.product(factors, coefficient)
    return found if len(found.shape) <= len(rest) else reshape(write, found, rest)


def _without(write: Expressions, operand: Expression, shape: Shape, axes: Sequence[int]) -> Expression:
    """Take out axes of length 1."""
    padded = (1,) * (len(shape) - len(operand.shape)) + operand.shape
    left = [n for a, n in enumerate(padded) if a not in axes]
    missing = [a for a in axes if a < len(shape) - len(operand.shape)]
    start = len([a for a in range(len(shape) - len(operand.shape)) if a not in missing])
    return reshape(write, operand, tuple(left[start:]))


def _summed(
    write: Expressions, operand: Expression, shape: Shape, axes: Sequence[int], *, mean: bool, by_term: bool
) -> Expression:
    lead = len(shape) - len(operand.shape)
    own = tuple(a - lead for a in axes if a >= lead and operand.shape[a - lead] != 1)
    units = tuple(a - lead for a in axes if a >= lead and operand.shape[a - lead] == 1)
    if not own:
        return reshape(write, operand, tuple(n for a, n in enumerate(operand.shape) if a not in units))
    known = write.number(0) if _is_centred(operand, own) else None
    if known is None and by_term:
        known = _known_sum(write, operand, own, mean=mean)
    if known is not None:
        return known
    whole = len(own) == len(operand.shape)
    while whole and operand.operation in ("transpose", "reshape"):
        operand = operand.operands[0]
        own = tuple(range(len(operand.shape)))
    if operand.operation in ("softmax", "one_hot") and own == operand.payload[:1] and not mean:
        return write.number(1)
    if whole and operand.operation == "product" and len(operand.shape) == 2 and not mean:
        # the trace
        unit = next((b for b in operand.operands if b.operation == "eye"), None)
        if unit is not None and len(operand.operands) > 1:
            matrix = full(write, write.over(operand, unit), operand.shape)
            return total(write, write.node("diagonal", (matrix,), operand.shape[:1]), operand.shape[:1], (0,))
    if operand.operation == "scatter" and not mean and operand.payload.text is None:
        where = np.unravel_index(operand.payload.places, operand.shape)
        rest = [a for a in range(len(operand.shape)) if a not in own]
        left = tuple(operand.shape[a] for a in rest)
        places = np.ravel_multi_index(tuple(where[a] for a in rest), left) if left else np.zeros_like(where[0])
        if left or not operand.operands[0].shape:
            return (
                scatter(write, operand.operands[0], Key(places), left)
                if left
                else write.scaled(operand.operands[0], places.size)
            )
    if whole and operand.operation == "log" and not mean:
        inner = operand.operands[0]
        if inner.operation == "diagonal" and inner.operands[0].operation == "cholesky":
            return write.scaled(
                write.node("log_determinant", inner.operands[0].operands, (), "symmetric"), Fraction(1, 2)
            )
    left = tuple(n for a, n in enumerate(operand.shape) if a not in own)
    found = write.node("mean" if mean else "total", (operand,), left, own)
    return reshape(write, found, tuple(n for a, n in enumerate(operand.shape) if a not in own + units))


def _known_sum(write: Expressions, operand: Expression, axes: Shape, *, mean: bool) -> Expression | None:
    """Return the number that the sums of the terms add up to, as those of probabilities do; None for none."""
    factors = factors_of(operand)
    chosen = next((b for b, e in factors if b.operation == "sum" and e == 1), None)
    if chosen is None:
        return None
    rest = [(b, e) for b, e in factors if b is not chosen]
    # sums in the terms stay whole: multiplied out they are as many as the product of their lengths
    found = write.sum(
        (c, total(write, write.product([(t, Fraction(1)), *rest]), operand.shape, axes, mean=mean, by_term=False))
        for c, t in zip(chosen.payload, chosen.operands, strict=True)
    )
    return found if found.number is not None else None


def reduced(write: Expressions, operand: Expression, shape: Shape, onto: Shape) -> Expression:
    """Sum what an operand was repeated for; the result may still be smaller than ``onto``."""
    if shape == onto:
        return operand
    extra, axes = len(shape) - len(onto), repeated_axes(shape, onto)
    found = total(write, operand, shape, axes)
    kept = [a - extra for a in axes if a >= extra]
    return expanded(write, found, len(onto), kept) if kept else found


def index(write: Expressions, operand: Expression, key: Key) -> Expression:
    """Take elements."""
    if not operand.shape:
        return operand
    if not key.places.size:
        return full(write, write.number(0), key.places.shape)
    if key.text is not None:
        return write.node("index", (operand,), key.places.shape, key)
    if operand.operation == "reshape":
        return index(write, operand.operands[0], key)
    places = key.places
    flat, n = places.reshape(-1), operand.shape[0]
    if operand.operation == "index" and operand.payload.text is None:
        return index(write, operand.operands[0], Key(operand.payload.places.reshape(-1)[places]))
    if flat.size == math.prod(operand.shape) and counts_up(flat):
        return reshape(write, operand, places.shape)
    coefficient, rest = write.split(operand)
    if coefficient != ONE and operand.operation == "product" and rest.number is None:
        return write.product([(index(write, rest, key), Fraction(1))], coefficient)
    axes = _order_of_axes(places)
    if axes is not None:
        back = [int(a) for a in np.argsort(axes)]
        return transpose(write, index(write, operand, Key(places.transpose(axes))), back)
    if len(operand.shape) == 1:
        block = _in_block(write, operand, places)
        if block is not None:
            return block
    if len(operand.shape) == 1 < places.ndim:
        ordered = np.sort(flat)
        steps = set(np.diff(ordered).tolist())
        if len(steps) < 2 and 0 not in steps:
            # a slice in another shape, perhaps turned
            own = (places - ordered[0]) // (steps.pop() if steps else 1)
            axes = as_transposed(own, own.size) or list(range(own.ndim))
            before = tuple(places.shape[axes.index(a)] for a in range(own.ndim))
            if np.array_equal(np.arange(own.size).reshape(before).transpose(axes), own):
                return transpose(write, reshape(write, index(write, operand, Key(ordered)), before), axes)
        rows = _rows(operand.shape[0], places)
        if rows is not None:
            return write.node("index", (reshape(write, operand, rows),), places.shape, key)
    if len(operand.shape) == 2 and operand.shape[1] == n and np.array_equal(places, np.arange(n) * (n + 1)):
        return write.node("diagonal", (operand,), (n,))
    return write.node("index", (operand,), places.shape, key)


def _order_of_axes(places: Places) -> Sequence[int] | None:
    """Return the axes of a regular grid of places, the one of the largest steps first; None where that is no change."""
    if places.ndim < 2 or min(places.shape) < 2:
        return None
    steps = [int(places[(0,) * a + (1,) + (0,) * (places.ndim - a - 1)] - places.flat[0]) for a in range(places.ndim)]
    axes = sorted(range(places.ndim), key=lambda a: -abs(steps[a]))
    offsets = (np.asarray(steps) * np.moveaxis(np.indices(places.shape), 0, -1)).sum(axis=-1)
    if axes == sorted(axes) or not np.array_equal(offsets + places.flat[0], places):
        return None
    return axes


def _in_block(write: Expressions, operand: Expression, places: Places) -> Expression | None:
    """Take elements from a matrix that the elements of a vector are seen as; None where no slices take them."""
    low, high = int(places.min()), int(places.max())
    if places.ndim == 1 and high - low == places.size - 1:
        return None
    for start, shape in write.blocks.get(operand, []):
        size = math.prod(shape)
        if not (start <= low and high < start + size) or len(shape) < places.ndim:
            continue
        text = key_text(shape, places - start, lambda _: None)
        if text is not None and re.fullmatch(r"[-\d:, ]+", text):
            whole = operand if size == operand.shape[0] else index(write, operand, Key(np.arange(start, start + size)))
            return write.node("index", (write.node("reshape", (whole,), shape),), places.shape, Key(places - start))
    return None


def _rows(size: int, places: Places) -> Shape | None:
    """Return the shape of the matrix whose rows are taken from its flat elements; None where they are none."""
    if places.ndim < 2 or size % places.shape[-1]:
        return None
    width = places.shape[-1]
    starts = places[..., :1]
    whole = (starts % width == 0).all() and np.array_equal(starts + np.arange(width), places)
    return (size // width, width) if whole and width > 1 else None


def cumulate(write: Expressions, operand: Expression, axis: int, *, backwards: bool) -> Expression:
    """Sum up to each element along an axis, or from it on."""
    if operand.operation == "index" and len(operand.shape) == 1:
        turned = np.arange(operand.shape[0])[::-1]
        if operand.operands[0].shape == operand.shape and np.array_equal(operand.payload.places, turned):
            return index(write, cumulate(write, operand.operands[0], axis, backwards=not backwards), operand.payload)
    return write.node("cumulate", (operand,), operand.shape, (axis, backwards))


def scatter(write: Expressions, operand: Expression, key: Key, shape: Shape) -> Expression:
    """Add elements, each at its place, to zeros."""
    if operand.number == 0:
        return operand
    if key.text is not None:
        return write.node("scatter", (operand,), shape, key)
    flat = key.places.reshape(-1)
    if flat.size == math.prod(shape) and counts_up(flat):
        return operand if not operand.shape else reshape(write, full(write, operand, key.places.shape), shape)
    if flat.size == math.prod(shape) and counts_up(np.sort(flat)):
        # each place once: another order
        whole = full(write, operand, key.places.shape)
        return index(write, whole, Key(np.argsort(flat).reshape(shape))) if operand.shape else operand
    rows = _rows(shape[0], key.places) if len(shape) == 1 else None
    if rows is not None:
        return reshape(write, scatter(write, operand, key, rows), shape)
    coefficient, rest = write.split(operand)
    if coefficient != ONE:
        return write.product([(scatter(write, rest, key, shape), Fraction(1))], coefficient)
    return write.node("scatter", (operand,), shape, key)


def contract(write: Expressions, subscripts: str, one: Expression, two: Expression) -> Expression:
    """Sum products of two arrays over the letters that the result lacks."""
    terms, _, result = subscripts.partition("->")
    names = terms.split(",")
    operands = [one, two]
    factors: list[Factor] = []
    coefficient = ONE
    sizes = {c: n for name, o in zip(names, operands, strict=True) for c, n in zip(name, o.shape, strict=True)}
    for k in range(2):
        # numbers, and what is repeated along letters, come out
        operand = operands[k]
        own, operand = write.split(operand)
        coefficient = coefficient * own
        if operand.operation == "product":
            factors += [(b, e) for b, e in factors_of(operand) if not b.shape]
            operand = write.product((b, e) for b, e in factors_of(operand) if b.shape)
        if operand.operation == "broadcast":
            inner = operand.operands[0]
            lead = len(operand.shape) - len(inner.shape)
            kept = [a for a in range(len(operand.shape)) if a >= lead and inner.shape[a - lead] > 1]
            names[k] = "".join(names[k][a] for a in kept)
            operand = reshape(write, inner, tuple(n for n in inner.shape if n > 1))
        elif len(operand.shape) < len(names[k]):
            names[k] = names[k][len(names[k]) - len(operand.shape) :]
        while operand.operation == "transpose":
            names[k] = "".join(names[k][operand.payload.index(a)] for a in range(len(operand.payload)))
            operand = operand.operands[0]
        operands[k] = operand
    # what both are repeated for
    gone = [c for c in sizes if c not in result and c not in names[0] + names[1]]
    for k in range(2):
        # a letter of one operand alone that the result lacks is summed over before
        alone = [c for c in names[k] if c not in result and c not in names[1 - k]]
        if alone:
            axes = [names[k].index(c) for c in alone]
            operands[k] = total(write, operands[k], tuple(sizes[c] for c in names[k]), axes)
            names[k] = "".join(c for c in names[k] if c not in alone)
    coefficient = coefficient * Coefficient(Fraction(math.prod(sizes[c] for c in gone)))
    # what the result is repeated for
    left = "".join(c for c in result if c in names[0] + names[1])
    found = _contracted(write, names, left, sizes, operands)
    if left != result:
        found = expanded(write, found, len(result), [k for k, c in enumerate(result) if c not in left])
    return write.product([(found, Fraction(1)), *factors], coefficient)


def _contracted(
    write: Expressions, names: list[str], result: str, sizes: dict[str, int], operands: list[Expression]
) -> Expression:
    shape = tuple(sizes[c] for c in result)
    summed = [c for c in names[0] if c in names[1] and c not in result]
    for one, two in ((0, 1), (1, 0)):
        if not names[one] and sorted(names[two]) == sorted(result):
            moved = transpose(write, operands[two], [names[two].index(c) for c in result])
            return write.times(operands[one], moved)
    for one, two in ((0, 1), (1, 0)):
        # times the unit matrix
        outer = [c for c in names[one] if c in result and c not in names[two]]
        if operands[one].operation == "eye" and len(summed) == len(outer) == 1:
            letters = names[two].replace(summed[0], outer[0])
            return transpose(write, operands[two], [letters.index(c) for c in result])
    if not summed:
        if len(names[0]) == len(names[1]) == 1 and names[0] != names[1] and len(result) == 2:
            pair = operands if result == names[0] + names[1] else operands[::-1]
            return write.node("outer", pair, shape)
        aligned = [_aligned(write, o, n, result) for o, n in zip(operands, names, strict=True)]
        return write.times(*aligned)
    if not result and len(names[0]) > 1 and len(summed) == len(names[0]) == len(names[1]):
        moved = transpose(write, operands[1], [names[1].index(c) for c in names[0]])
        product = write.times(operands[0], moved)
        return total(write, product, tuple(sizes[c] for c in names[0]), range(len(names[0])))
    return write.node("contract", operands, shape, renamed(f"{names[0]},{names[1]}->{result}"))


def _aligned(write: Expressions, operand: Expression, name: str, result: str) -> Expression:
    """Order axes as in the result, with axes of length 1 for what it lacks."""
    ordered = [c for c in result if c in name]
    moved = transpose(write, operand, [name.index(c) for c in ordered])
    sizes = dict(zip(ordered, moved.shape, strict=True))
    start = result.index(ordered[0]) if ordered else len(result)
    return reshape(write, moved, tuple(sizes.get(c, 1) for c in result[start:]))


def _is_centred(operand: Expression, axes: Sequence[int]) -> bool:
    """Tell whether an array is one less its mean along these axes."""
    if operand.operation != "sum" or len(operand.operands) != 2 or sum(c.value for c in operand.payload) != 0:
        return False
    for one, other in (operand.operands, operand.operands[::-1]):
        mean = one.operands[0] if one.operation == "reshape" else one
        if mean.operation == "mean" and mean.operands[0] is other and mean.payload == tuple(axes):
            return True
    return False
