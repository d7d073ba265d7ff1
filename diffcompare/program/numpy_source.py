"""Expressions of arrays as lines of NumPy."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from diffcompare.program.arrays import Places, Shape, broadcast_shape
from diffcompare.program.expression import (
    MASKS,
    ONE,
    Coefficient,
    Expression,
    factors_of,
    logistic_argument,
    operands_first,
)
from diffcompare.program.numpy_texts import ATOM, PRODUCT, NumpyTexts
from diffcompare.program.printing import bracketed
from diffcompare.program.shared_parts import distributed, weights_of

__all__ = ["WIDTH", "NumpyLines"]

# what is longer is split, or wrapped
WIDTH = 92
_LETTERS = {
    "cos": "c", "sin": "s", "inv": "inverse", "exp": "e", "expit": "p", "softmax": "p", "tanh": "h", "contract": "a",
    "solve": "s", "cholesky": "L", "total": "s", "mean": "mean", "var": "var", "max": "m", "sum": "r",
}  # fmt: skip


class NumpyLines:
    """Writes expressions as statements, each common part once.

    Parameters
    ----------
    write : NumpyTexts
    wanted : mapping
        Names that expressions should have where they need one: those of the user's own code.
    slopes : collection of Expression
        The derivatives in parts of the function.
    taken : collection of str
        Names that mean something else.
    known : mapping
        Names that expressions have before the first statement.
    """

    def __init__(
        self, write: NumpyTexts, wanted: Mapping[Expression, str], slopes: Collection[Expression],
        taken: Collection[str], known: Mapping[Expression, str] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        self._write, self._wanted, self._slopes, self._known = write, wanted, slopes, known
        self._taken = {*taken, *known.values()}

    @property
    def names(self) -> dict[Expression, str]:
        """The names that expressions have behind the last statement."""
        return dict(self._write.names)

    def lines(
        self, roots: Sequence[Expression], ended: Callable[[list[str]], Sequence[str]],
        named: Collection[Expression] = (),
    ) -> list[str]:  # fmt: skip
        """Return statements; the last ones are made by ``ended`` of the texts of the roots.

        ``named`` are expressions that must have a name.

        Raises
        ------
        UnsupportedFunction
            Something is not written with functions of NumPy.
        """
        roots = [distributed(root) for root in roots]
        order = [one for one in operands_first(roots, self._known) if one not in self._known]
        weights = weights_of(order)
        uses = Counter(operand for one in order for operand in one.operands)
        uses.update(roots)
        order.sort(key=lambda one: one.operation != "item")
        # what is put together from pieces, but for the pieces themselves
        alone = {o for one in order if one.operation != "sum" for o in one.operands if o.operation == "scatter"}
        alone |= set(roots)
        chosen = {
            one for one in order
            if (uses[one] > 1 and (weights[one] >= 2 or one.operation == "item" or _is_part(one, self._wanted)))
            or (_is_gathered(one) and (one.operation == "sum" or one in alone))
        }  # fmt: skip
        chosen = {one for one in chosen if one.operation != "scatter" or one in alone} | set(named)
        # one element of what has a name is as short as a name
        chosen -= {
            one for one in chosen
            if one.operation == "index" and not one.shape and one.operands[0] in chosen and one not in self._wanted
        }  # fmt: skip
        for _ in range(40):
            found, long = self._written(order, chosen, roots, uses, ended)
            split = None if long is None else self._largest_part(long, chosen, weights)
            if split is None:
                return found
            chosen.add(split)
        return found

    def _written(
        self, order: Sequence[Expression], chosen: set[Expression], roots: Sequence[Expression],
        uses: Mapping[Expression, int], ended: Callable[[list[str]], Sequence[str]],
    ) -> tuple[list[str], Sequence[Expression] | None]:  # fmt: skip
        """Write with names for what is chosen; returns also what a line that is too long is made of."""
        self._write.names, used = dict(self._known), set(self._taken)
        self._write.texts = {one: (ATOM, name) for one, name in self._known.items()}
        found: list[str] = []
        long: Sequence[Expression] | None = None
        # a root that is only returned needs no name
        for one in order:
            if one not in chosen:
                continue
            statements = self._gathered(one) if _is_gathered(one) else None
            text = None if statements is not None else self._write.text(one)[1]
            if statements is not None and len(statements) == 1:
                text, statements = statements[0], None
                if one in roots and uses[one] == 1:
                    self._write.texts[one] = ATOM, text
                    continue
            name = self._new_name(one, used, roots)
            own = [f"{name} = {text}"] if statements is None else [s.format(name) for s in statements]
            if long is None and any(len(line) > WIDTH for line in own):
                long = [one]
            found += own
            self._write.names[one] = name
            self._write.texts[one] = ATOM, name
        texts = [self._write.text(root)[1] for root in roots]
        last = ended(texts)
        if long is None and any(len(line) > WIDTH for line in last):
            long = [root for root in roots if root not in self._write.names]
        return [wrapped for line in (*found, *last) for wrapped in _wrapped(line)], long

    def _largest_part(
        self, long: Sequence[Expression], chosen: set[Expression], weights: Mapping[Expression, int]
    ) -> Expression | None:
        """Return the part that a line is best split at: about half of it."""
        parts: list[Expression] = []
        stack = [o for one in long for o in ([one] if len(long) > 1 else one.operands)]
        while stack:
            one = stack.pop()
            if one in chosen or one in parts or one in self._known:
                continue
            parts.append(one)
            stack += one.operands
        whole = sum(len(self._write.text(one)[1]) for one in long if one not in chosen) or WIDTH
        parts = [
            p for p in parts
            if weights[p] >= 2 and p.operation not in (*MASKS, "scatter") and not _is_gathered(p)
            and len(self._write.text(p)[1]) > 12
        ]  # fmt: skip
        if not parts:
            return None
        return min(
            parts, key=lambda p: (abs(len(self._write.text(p)[1]) - whole / 2) - 20 * (p in self._wanted), -weights[p])
        )

    def _new_name(self, one: Expression, used: set[str], roots: Sequence[Expression]) -> str:
        wish = self._wanted.get(one)
        if wish is None and one.operation == "item":
            key = one.payload.rpartition("[")[2].strip('"]')
            wish = key if key.isidentifier() else f"{one.payload.partition('[')[0][0]}{key}" if key.isdigit() else None
        if wish is None and one.operation in MASKS:
            wish = "mask"
        if wish is None and one.operation == "product" and one.payload[1] == (-1,):
            wish = "p" if logistic_argument(one.operands[0]) is not None else None
        if wish is None and one.operation == "inv" and one.operands[0] in self._write.names:
            wish = f"{self._write.names[one.operands[0]]}_inv"
        if wish is None and _is_gathered(one):
            wish = "grad" if one in roots else "g"
        if wish is None and one.operation == "sum" and all(c.above > 0 for c in one.payload):
            wish = "z"
        if wish is None:
            letter = _LETTERS.get(one.operation)
            wish = None if letter in self._wanted.values() else letter
        wish = "delta" if wish is None and one in self._slopes else wish
        if wish is not None and wish not in used:
            used.add(wish)
            return wish
        stem = wish if wish is not None else "t"
        number = next(k for k in range(1 if wish is None else 2, 10_000) if f"{stem}{k}" not in used)
        used.add(f"{stem}{number}")
        return f"{stem}{number}"

    # --- statements that put pieces together

    def _gathered(self, one: Expression) -> list[str]:
        """Write an array that is put together; {} stands for its name."""
        terms = list(zip(one.operands, one.payload, strict=True)) if one.operation == "sum" else [(one, ONE)]
        pieces = [(t, c) for t, c in terms if t.operation == "scatter"]
        rest = [(t, c) for t, c in terms if t.operation != "scatter"]
        parts = [(piece.payload.places, self._signed(piece.operands[0], c)) for piece, c in pieces]
        # places that differ from run to run may be the same in another one
        moved = any(piece.payload.text is not None for piece, _ in pieces)
        if not rest and not moved:
            whole = self._side_by_side(one.shape, parts, pieces)
            if whole is not None:
                return [whole]
        statements = []
        if rest:
            start = self._write.sum(rest)
            if broadcast_shape(t.shape for t, _ in rest) != one.shape:
                zeros = f"{self._write.numpy}.zeros({self._write.shape(one.shape)})"
                text = f"{zeros} + {bracketed(start, PRODUCT)}"
            elif len(rest) == 1 and rest[0][1].value == 1 and _is_view(rest[0][0], self._write.names):
                # what it is made from stays as it is
                text = f"{self._write.numpy}.array({start[1]}, dtype=float)"
            else:
                text = start[1]
            statements.append(f"{{}} = {_escaped(text)}")
        else:
            statements.append(f"{{}} = {self._write.numpy}.zeros({self._write.shape(one.shape)})")
        seen: set[int] = set()
        for (places, (sign, text)), (piece, _) in zip(parts, pieces, strict=True):
            flat = places.reshape(-1).tolist()
            key = self._write.key(one.shape, piece.payload)
            text = _escaped(text)
            if len(set(flat)) < len(flat):
                key = f"({key})" if _is_pair(key) else key
                statements.append(f"{self._write.numpy}.add.at({{}}, {_escaped(key)}, {sign}{text})")
            elif rest or (seen and (moved or seen & set(flat))):
                statements.append(f"{{}}[{_escaped(key)}] {'-' if sign else '+'}= {text}")
            else:
                statements.append(f"{{}}[{_escaped(key)}] = {sign}{text}")
            seen |= set(flat)
        return statements

    def _side_by_side(
        self, shape: Shape, parts: Sequence[tuple[Places, tuple[str, str]]],
        pieces: Sequence[tuple[Expression, Coefficient]],
    ) -> str | None:  # fmt: skip
        """Write a vector of single numbers, or of slices one after the other; None where it is neither."""
        if len(shape) != 1:
            return None
        size = shape[0]
        if all(not places.shape for places, _ in parts) and size <= 16:
            entries: list[list[tuple[Expression, Coefficient]]] = [[] for _ in range(size)]
            for (places, _), (piece, c) in zip(parts, pieces, strict=True):
                entries[int(places)].append((piece.operands[0], c))
            return f"{self._write.numpy}.array([{', '.join(self._write.sum(e)[1] if e else '0.0' for e in entries)}])"
        flat = [places.reshape(-1) for places, _ in parts]
        order = sorted(range(len(parts)), key=lambda k: int(flat[k][0]))
        if not np.array_equal(np.concatenate([flat[k] for k in order]), np.arange(size)):
            return None
        texts: list[str] = []
        single = False
        for k in order:
            (sign, text), (piece, _), (places, _) = parts[k][1], pieces[k], parts[k]
            inner, before, single = piece.operands[0], single, not places.shape
            if single and before:
                # numbers that follow one another
                texts[-1] = f"{texts[-1][:-1]}, {sign}{text}]"
            elif single:
                texts.append(f"[{sign}{text}]")
            elif inner.shape != places.shape:
                texts.append(f"{self._write.numpy}.full({len(flat[k])}, {sign}{text})")
            elif len(places.shape) > 1:
                whole = sign + bracketed(self._write.text(inner), ATOM)
                texts.append(f"{f'({whole})' if sign else whole}.ravel()")
            else:
                texts.append(sign + text)
        return f"{self._write.numpy}.concatenate([{', '.join(texts)}])"

    def _signed(self, one: Expression, coefficient: Coefficient) -> tuple[str, str]:
        product = one.operation == "product" and one not in self._write.names
        coefficient = coefficient * one.payload[0] if product else coefficient
        negative = coefficient.above < 0
        size = Coefficient(abs(coefficient.above), coefficient.below)
        text = self._write.product(size, factors_of(one)) if product else self._write.scaled(one, size)
        # behind a minus
        return ("-" if negative else ""), bracketed(text, PRODUCT) if negative else text[1]


def _is_view(one: Expression, names: Collection[Expression]) -> bool:
    """Tell whether an expression may be an array that something else is made of."""
    views = ("name", "item", "reshape", "transpose", "index", "broadcast")
    return one in names or one.operation in views


def _is_pair(key: str) -> bool:
    """Tell whether a key has several axes."""
    depth = 0
    for sign in key:
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and not depth:
            return True
    return False


def _is_part(one: Expression, wanted: Collection[Expression]) -> bool:
    """Tell whether an expression is a part of an array that has a name of its own in the code."""
    return one.operation in ("index", "reshape") and one in wanted


def _wrapped(line: str) -> list[str]:
    """Break a line that is too long between what stands in its widest brackets."""
    if len(line) <= WIDTH:
        return [line]
    stack: list[int] = []
    commas: dict[int, list[int]] = {}
    pairs: list[tuple[int, int]] = []
    for k, sign in enumerate(line):
        if sign in "([{":
            stack.append(k)
            commas[k] = []
        elif sign in ")]}" and stack:
            pairs.append((stack.pop(), k))
        elif sign == "," and stack:
            commas[stack[-1]].append(k)
    pairs = [pair for pair in pairs if commas[pair[0]]]
    if not pairs:
        return [line]
    start, end = max(pairs, key=lambda pair: pair[1] - pair[0])
    cuts = [start, *commas[start], end]
    found = [line[: start + 1]]
    for low, high in itertools.pairwise(cuts):
        part = line[low + 1 : high].strip() + ("," if high != end else "")
        if len(found) > 1 and len(found[-1]) + len(part) < WIDTH:
            found[-1] += f" {part}"
        else:
            found.append(f"    {part}")
    return [*found, line[end:]]


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _is_gathered(one: Expression) -> bool:
    """Tell whether an array is put together from pieces."""
    return one.operation == "scatter" or (
        one.operation == "sum" and any(o.operation == "scatter" for o in one.operands)
    )
