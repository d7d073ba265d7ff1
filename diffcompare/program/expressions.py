"""Expressions of arrays as people write them: sums and products in one piece, so that a derivative can be read.

An expression may be smaller than what it stands for, as an operand that NumPy repeats: the gradient of a mean is one
number. Who needs the whole asks for it with :meth:`Expressions.full`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from diffcompare.program.arrays import Places, Shape, broadcast_shape

__all__ = ["MASKS", "Coefficient", "Expression", "Expressions", "Key", "logistic_argument"]

MASKS = frozenset({"less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "not", "and", "or", "mask"})
_TURNED = {
    "less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal",
    "equal": "equal", "not_equal": "not_equal",
}  # fmt: skip
_OPPOSITE = {
    "less": "greater_equal", "greater_equal": "less", "greater": "less_equal", "less_equal": "greater",
    "equal": "not_equal", "not_equal": "equal",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A number in front of a product, and what the product is divided by: 2/4 stays what a mean over four has."""

    above: Fraction
    below: Fraction | int = 1

    @property
    def value(self) -> Fraction:
        """The number."""
        return self.above / self.below

    def __mul__(self, other: Coefficient) -> Coefficient:
        above, below = self.above * other.above, self.below * other.below
        return Coefficient(Fraction(0)) if not above else Coefficient(above, below)

    def __add__(self, other: Coefficient) -> Coefficient:
        if self.below == other.below:
            return Coefficient(self.above + other.above, self.below)
        if isinstance(self.below, int) and isinstance(other.below, int):
            below = math.lcm(self.below, other.below)
            return Coefficient(self.above * (below // self.below) + other.above * (below // other.below), below)
        return Coefficient(self.value + other.value)

    def power(self, exponent: int) -> Coefficient:
        """Multiply it with itself."""
        if exponent >= 0:
            return Coefficient(self.above**exponent, self.below**exponent)
        top, below = self.above ** (-exponent), Fraction(self.below ** (-exponent))
        if top.denominator != 1 and 10_000 % (1 / top).denominator == 0:
            # what is divided by 0.1 is multiplied with 10
            return Coefficient(below / top)
        divisor = abs(top)
        return Coefficient(below if top > 0 else -below, int(divisor) if divisor.denominator == 1 else divisor)


# more terms are not multiplied out
_LONGEST = 12
ONE, ZERO, _MINUS = Coefficient(Fraction(1)), Coefficient(Fraction(0)), Coefficient(Fraction(-1))


class Key:
    """Places in the flat order of an array, which are taken; equal where they are the same."""

    __slots__ = ("_digest", "places")

    def __init__(self, places: Places) -> None:
        self.places = np.array(places, dtype=np.intp, order="C")
        self._digest = (self.places.shape, hashlib.blake2b(self.places.tobytes(), digest_size=16).digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """One operation on other expressions.

    ``name`` (payload: the text), ``data`` (an array), ``product`` (a coefficient and the exponents of the operands; a
    number where there are none), ``sum`` (the coefficients of the operands), ``where``, ``total`` (axes), ``contract``
    (subscripts), ``transpose`` (axes), ``reshape``, ``broadcast``, ``index`` and ``scatter`` (a :class:`Key`),
    ``cumulate`` (axis, backwards), comparisons (:data:`MASKS`), and functions by their names.
    """

    operation: str
    operands: tuple[Expression, ...]
    shape: Shape
    payload: Any = None

    @property
    def number(self) -> Fraction | None:
        """The value of a number; None for any other."""
        return self.payload[0].value if self.operation == "product" and not self.operands else None


Factor = tuple[Expression, Fraction]


class Expressions:
    """Makes expressions, each distinct one once, in the simplest form that it knows."""

    def __init__(self) -> None:
        self._known: dict[Any, Expression] = {}

    def node(
        self, operation: str, operands: Sequence[Expression], shape: Shape, payload: Any = None, key: Any = None
    ) -> Expression:
        """Return an expression as it is; ``key`` stands for operands whose order does not matter."""
        found = (operation, tuple(map(id, operands)) if key is None else key, shape, payload if key is None else None)
        if found not in self._known:
            self._known[found] = Expression(operation, tuple(operands), shape, payload)
        return self._known[found]

    # --- numbers, sums and products

    def number(self, value: Fraction | int, below: int = 1) -> Expression:
        """Return a number."""
        return self.product([], Coefficient(Fraction(value), below))

    def product(self, factors: Iterable[Factor], coefficient: Coefficient = ONE) -> Expression:
        """Multiply powers of expressions, element by element."""
        powers: dict[Expression, Fraction] = {}
        stack = list(factors)[::-1]
        while stack:
            base, exponent = stack.pop()
            base = _repeated(base)
            if base.operation == "product" and exponent.denominator == 1 and (base.operands or base.number):
                own, exponents = base.payload
                coefficient = coefficient * own.power(int(exponent))
                stack += [(b, e * exponent) for b, e in zip(base.operands, exponents, strict=True)][::-1]
                continue
            if base.operation == "sqrt" and exponent % 2 == 0:
                stack.append((base.operands[0], exponent / 2))
                continue
            if base.number == 0 and exponent > 0:
                coefficient = ZERO
            elif base.number == 1:
                continue
            total = powers.get(base, Fraction(0)) + exponent
            if base.operation in MASKS and exponent > 0:
                total = Fraction(1)
            powers[base] = total
        powers = self._logistic({b: e for b, e in powers.items() if e})
        for base in [b for b in powers if b.operation == "maximum"]:
            # of a maximum with 0 no mask is needed
            x = next((o for o in base.operands if o.number is None), base)
            if any(o.number == 0 for o in base.operands) and powers[base] > 0:
                powers.pop(self.compared("greater", x, self.number(0)), None)
        spread = self._spread(powers, coefficient)
        if spread is not None:
            return spread
        if not coefficient.above:
            powers = {}
        if not powers:
            coefficient = Coefficient(coefficient.above, coefficient.below if coefficient.above else 1)
            return self.node("product", (), (), (coefficient, ()), ("number", coefficient))
        if len(powers) == 1 and coefficient == ONE:
            ((base, exponent),) = powers.items()
            if exponent == 1:
                return base
        key = (coefficient, frozenset((id(b), e) for b, e in powers.items()))
        shape = broadcast_shape(b.shape for b in powers)
        return self.node("product", tuple(powers), shape, (coefficient, tuple(powers.values())), key)

    def _logistic(self, powers: dict[Expression, Fraction]) -> dict[Expression, Fraction]:
        """Write eᵘ/(1 + eᵘ) as 1/(1 + e⁻ᵘ), which does not overflow."""
        for base in list(powers):
            if base.operation != "exp" or not powers.get(base):
                continue
            below = self.sum([(ONE, self.number(1)), (ONE, base)])
            while powers.get(below, 0) < 0 < powers.get(base, 0):
                opposite = self.function("exp", self.scaled(base.operands[0], -1))
                other = self.sum([(ONE, self.number(1)), (ONE, opposite)])
                for one, step in ((base, -1), (below, 1), (other, -1)):
                    powers[one] = powers.get(one, Fraction(0)) + step
        return {b: e for b, e in powers.items() if e}

    def _spread(self, powers: dict[Expression, Fraction], coefficient: Coefficient) -> Expression | None:
        """Multiply a sum out where its terms are divided by the other factors; None where that is no shorter."""
        for chosen in [b for b, e in powers.items() if b.operation == "sum" and e == 1 and len(powers) > 1]:
            others = {b: e for b, e in powers.items() if b is not chosen}
            terms = [dict(_factors(term)) for term in chosen.operands]
            if not all(any(term.get(b, 0) * e < 0 for term in terms) for b, e in others.items()):
                continue
            before = len(others) + sum(map(len, terms))
            parts = [self.product([(t, Fraction(1)), *others.items()]) for t in chosen.operands]
            if sum(len(_factors(self.split(part)[1])) for part in parts) < before:
                return self.sum((c * coefficient, part) for c, part in zip(chosen.payload, parts, strict=True))
        return None

    def _multiplied_out(self, terms: dict[Expression, Coefficient]) -> dict[Expression, Coefficient] | None:
        """Multiply the sums in products out; None where that is no shorter."""
        opposites = self._opposite_probabilities(terms)
        if not opposites and not any(
            b.operation == "sum" and e == 1 for term in terms for b, e in _factors(term) if term is not b
        ):
            return None
        found: dict[Expression, Coefficient] = {}
        count = 0
        for term, coefficient in terms.items():
            parts: list[tuple[Coefficient, list[Factor]]] = [(coefficient, [])]
            for base, exponent in _factors(term):
                if base in opposites and exponent == -1:
                    base, exponent = opposites[base], Fraction(1)
                if base.operation != "sum" or exponent != 1:
                    parts = [(c, [*fs, (base, exponent)]) for c, fs in parts]
                else:
                    own = list(zip(base.operands, base.payload, strict=True))
                    parts = [(c * k, [*fs, (t, Fraction(1))]) for c, fs in parts for t, k in own]
                if len(parts) > _LONGEST:
                    return None
            count += len(parts)
            for c, fs in parts:
                own_coefficient, rest = self.split(self.product(fs))
                c = c * own_coefficient
                found[rest] = found[rest] + c if rest in found else c
        found = {t: c for t, c in found.items() if c.above}
        # some of them must have cancelled
        return found if len(found) <= min(len(terms), count - 2) else None

    def _opposite_probabilities(self, terms: Iterable[Expression]) -> dict[Expression, Expression]:
        """Return 1 − p for 1 + eᵘ where p = 1/(1 + e⁻ᵘ) is in other terms."""
        found: dict[Expression, Expression] = {}
        bases = [b for term in terms for b, e in _factors(term) if e == -1 and logistic_argument(b) is not None]
        for base in bases:
            other = self.opposite_base(base)
            if other in bases and other not in found:
                p = self.power(other, Fraction(-1))
                found[base] = self.node("sum", (self.number(1), p), p.shape, (ONE, _MINUS), ("1-", id(p)))
        return found

    def opposite_base(self, base: Expression) -> Expression:
        """Return 1 + e⁻ᵘ of 1 + eᵘ."""
        exponent = logistic_argument(base)
        if exponent is None:
            return base
        return self.plus(self.number(1), self.function("exp", self.scaled(exponent, -1)))

    def times(self, *operands: Expression) -> Expression:
        """Multiply expressions."""
        return self.product([(operand, Fraction(1)) for operand in operands])

    def over(self, one: Expression, other: Expression) -> Expression:
        """Divide."""
        return self.product([(one, Fraction(1)), (other, Fraction(-1))])

    def scaled(self, operand: Expression, value: Fraction | int, below: int = 1) -> Expression:
        """Multiply with a number."""
        return self.product([(operand, Fraction(1))], Coefficient(Fraction(value), below))

    def power(self, base: Expression, exponent: Fraction) -> Expression:
        """Raise to a power."""
        return self.product([(base, exponent)])

    def split(self, operand: Expression) -> tuple[Coefficient, Expression]:
        """Take the coefficient off a product, or off what is put into zeros."""
        if operand.operation == "scatter":
            coefficient, inner = self.split(operand.operands[0])
            return coefficient, self.node("scatter", (inner,), operand.shape, operand.payload)
        if operand.operation != "product" or not operand.operands:
            return (operand.payload[0], self.number(1)) if operand.operation == "product" else (ONE, operand)
        coefficient, exponents = operand.payload
        return coefficient, self.product(zip(operand.operands, exponents, strict=True))

    def sum(self, terms: Iterable[tuple[Coefficient, Expression]]) -> Expression:
        """Add multiples of expressions."""
        found = self._collected(terms)
        found = {t: c for t, c in self._chosen(self._beside(found)).items() if c.above}
        found = self._logistics(found)
        found = self._multiplied_out(found) or found
        if not found:
            return self.number(0)
        if len(found) == 1:
            ((term, coefficient),) = found.items()
            return self.product([(term, Fraction(1))], coefficient)
        sizes = {Coefficient(abs(c.above), c.below) for c in found.values()}
        below = {c.below for c in found.values()}
        if len(sizes) == 1 or (len(below) == 1 and below != {1}):
            # what all have in common stands in front
            common = sizes.pop() if len(sizes) == 1 else Coefficient(Fraction(1), below.pop())
            if common != ONE:
                rest = [(Coefficient(c.above / common.above, 1), t) for t, c in found.items()]
                return self.product([(self.sum(rest), Fraction(1))], common)
        key = frozenset((id(t), c) for t, c in found.items())
        return self.node("sum", tuple(found), broadcast_shape(t.shape for t in found), tuple(found.values()), key)

    def _collected(self, terms: Iterable[tuple[Coefficient, Expression]]) -> dict[Expression, Coefficient]:
        """Add multiples of the same; a sum among them stays one, unless a term of it is found elsewhere."""
        found: dict[Expression, Coefficient] = {}

        def add(term: Expression, coefficient: Coefficient) -> None:
            own, term = self.split(_repeated(term))
            held = found.get(term)
            found[term] = coefficient * own if held is None else held + coefficient * own

        for coefficient, term in terms:
            add(term, coefficient)
        while True:
            inner = [t for t, c in found.items() if t.operation == "sum" and abs(c.value) == 1]
            own = {t: set(t.operands) for t in inner}
            mixed = next(
                (t for t in inner if any(p in found or any(p in own[o] for o in inner if o is not t) for p in own[t])),
                None,
            )
            if mixed is None:
                return found
            coefficient = found.pop(mixed)
            for c, t in zip(mixed.payload, mixed.operands, strict=True):
                add(t, c * coefficient)

    def _logistics(self, terms: dict[Expression, Coefficient]) -> dict[Expression, Coefficient]:
        """Write 1 − 1/(1 + eᵘ) as 1/(1 + e⁻ᵘ)."""
        one = self.number(1)
        if len(terms) == 2 and one in terms:
            (other,) = (t for t in terms if t is not one)
            (base, exponent), *rest = _factors(other)
            if (
                not rest
                and exponent == -1
                and terms[other].value == -terms[one].value
                and logistic_argument(base) is not None
            ):
                return {self.power(self.opposite_base(base), Fraction(-1)): terms[one]}
        return terms

    def _beside(self, terms: dict[Expression, Coefficient]) -> dict[Expression, Coefficient]:
        """Put together what is added at the same places."""
        places = [(t.payload, t.shape) for t in terms if t.operation == "scatter"]
        if len(places) == len(set(places)):
            return terms
        groups: dict[Any, list[tuple[Coefficient, Expression]]] = {}
        found: dict[Expression, Coefficient] = {}
        for term, coefficient in terms.items():
            if term.operation == "scatter":
                groups.setdefault((term.payload, term.shape), []).append((coefficient, term.operands[0]))
            else:
                found[term] = coefficient
        for (key, shape), parts in groups.items():
            merged = self.scatter(self.sum(parts), key, shape)
            if merged.number is None:
                found[merged] = ONE
        return found

    def _chosen(self, terms: dict[Expression, Coefficient]) -> dict[Expression, Coefficient]:
        """Write mask·a + (not mask)·b as one choice."""
        for term in list(terms):
            for mask in [b for b, _ in _factors(term) if b.operation in MASKS]:
                opposite = self.opposite(mask)
                other = next((t for t in terms if any(b is opposite for b, _ in _factors(t))), None)
                if other is None or other is term or term not in terms:
                    continue
                pair = terms.pop(term), terms.pop(other)
                common = Coefficient(Fraction(1), pair[0].below if pair[0].below == pair[1].below else 1)
                one, two = (
                    self.product([(w, Fraction(1)), (m, Fraction(-1))], Coefficient(c.value / common.value))
                    for w, m, c in ((term, mask, pair[0]), (other, opposite, pair[1]))
                )
                coefficient, chosen = self.split(self.where(mask, one, two))
                terms[chosen] = coefficient * common
        return terms

    def plus(self, *operands: Expression) -> Expression:
        """Add expressions."""
        return self.sum((ONE, operand) for operand in operands)

    def minus(self, one: Expression, other: Expression) -> Expression:
        """Subtract."""
        return self.sum([(ONE, one), (Coefficient(Fraction(-1)), other)])

    # --- element by element

    def function(self, name: str, *operands: Expression, payload: Any = None) -> Expression:
        """Apply a function element by element."""
        plain = [_repeated(o) for o in operands]
        if name == "log" and plain[0].operation == "exp":
            return plain[0].operands[0]
        return self.node(name, plain, broadcast_shape(o.shape for o in plain), payload)

    def compared(self, name: str, one: Expression, two: Expression) -> Expression:
        """Compare; a number stands on the right."""
        if one.number is not None and two.number is None:
            name, one, two = _TURNED[name], two, one
        (first, rest), (second, other) = self.split(one), self.split(two)
        if rest is other and rest.number is None and first.value != second.value:
            # multiples of one thing
            return self.function(name if first.value > second.value else _TURNED[name], rest, self.number(0))
        return self.function(name, one, two)

    def opposite(self, mask: Expression) -> Expression:
        """Return the mask that is true where another is not."""
        if mask.operation == "not":
            return mask.operands[0]
        if mask.operation in _OPPOSITE:
            return self.function(_OPPOSITE[mask.operation], *mask.operands)
        return self.function("not", mask)

    def where(self, mask: Expression, one: Expression, two: Expression) -> Expression:
        """Choose between two expressions."""
        if one is two:
            return one
        if mask.operation in ("not_equal", "not"):
            mask, one, two = self.opposite(mask), two, one
        if two.number == 0:
            return self.times(mask, one)
        if one.number == 0:
            return self.times(self.opposite(mask), two)
        return self.function("where", mask, one, two)

    # --- shapes

    def full(self, operand: Expression, shape: Shape) -> Expression:
        """Repeat until an expression has a shape."""
        if operand.shape == shape:
            return operand
        operand = operand.operands[0] if operand.operation == "broadcast" else operand
        return self.node("broadcast", (operand,), shape)

    def reshape(self, operand: Expression, shape: Shape) -> Expression:
        """See the elements in another shape."""
        if operand.operation == "reshape":
            operand = operand.operands[0]
        if operand.shape == shape:
            return operand
        if operand.operation == "broadcast" and not operand.operands[0].shape:
            return self.full(operand.operands[0], shape)
        coefficient, rest = self.split(operand)
        if coefficient != ONE and rest.number is None:
            return self.product([(self.reshape(rest, shape), Fraction(1))], coefficient)
        return self.node("reshape", (operand,), shape)

    def transpose(self, operand: Expression, axes: Sequence[int]) -> Expression:
        """Exchange axes."""
        axes = tuple(axes)
        if axes == tuple(range(len(axes))):
            return operand
        if operand.operation == "transpose":
            return self.transpose(operand.operands[0], [operand.payload[a] for a in axes])
        if operand.operation == "contract":
            letters, result = operand.payload.split("->")
            return self.contract(f"{letters}->{''.join(result[a] for a in axes)}", *operand.operands)
        coefficient, rest = self.split(operand)
        shape = tuple(operand.shape[a] for a in axes)
        if coefficient != ONE and rest.number is None:
            return self.product([(self.transpose(rest, axes), Fraction(1))], coefficient)
        if operand.operation == "inv" and operand.payload == "symmetric":
            return operand
        return self.node("transpose", (operand,), shape, axes)

    def expanded(self, operand: Expression, ndim: int, axes: Sequence[int]) -> Expression:
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
        return self.reshape(operand, tuple(shape))

    def total(self, operand: Expression, shape: Shape, axes: Sequence[int], *, mean: bool = False) -> Expression:
        """Sum over axes, or take the mean, of what stands for an array of a shape."""
        operand = _repeated(operand)
        rest = tuple(n for a, n in enumerate(shape) if a not in axes)
        own = (1,) * (len(shape) - len(operand.shape)) + operand.shape
        count = math.prod(shape[a] for a in axes if own[a] == 1)
        if count != 1:
            seen = tuple(1 if a in axes and own[a] == 1 else n for a, n in enumerate(shape))
            return self.scaled(self.total(operand, seen, axes, mean=mean), 1 if mean else count)
        kept: list[Factor] = []
        out: list[Factor] = []
        coefficient = ONE
        if operand.operation == "product":
            coefficient, exponents = operand.payload
            for base, exponent in zip(operand.operands, exponents, strict=True):
                padded = (1,) * (len(shape) - len(base.shape)) + base.shape
                constant = all(padded[a] == 1 for a in axes)
                (out if constant else kept).append((base, exponent))
        else:
            kept = [(operand, Fraction(1))]
        inner = self.product(kept)
        factors = [(self._without(base, shape, axes), exponent) for base, exponent in out]
        if kept:
            factors.append((self._summed(inner, shape, axes, mean=mean), Fraction(1)))
        found = self.product(factors, coefficient)
        return found if len(found.shape) <= len(rest) else self.reshape(found, rest)

    def _without(self, operand: Expression, shape: Shape, axes: Sequence[int]) -> Expression:
        """Take out axes of length 1."""
        padded = (1,) * (len(shape) - len(operand.shape)) + operand.shape
        left = [n for a, n in enumerate(padded) if a not in axes]
        missing = [a for a in axes if a < len(shape) - len(operand.shape)]
        start = len([a for a in range(len(shape) - len(operand.shape)) if a not in missing])
        return self.reshape(operand, tuple(left[start:]))

    def _summed(self, operand: Expression, shape: Shape, axes: Sequence[int], *, mean: bool) -> Expression:
        lead = len(shape) - len(operand.shape)
        own = tuple(a - lead for a in axes if a >= lead and operand.shape[a - lead] != 1)
        units = tuple(a - lead for a in axes if a >= lead and operand.shape[a - lead] == 1)
        if not own:
            return self.reshape(operand, tuple(n for a, n in enumerate(operand.shape) if a not in units))
        known = self.number(0) if _is_centred(operand, own) else self._known_sum(operand, own, mean=mean)
        if known is not None:
            return known
        whole = len(own) == len(operand.shape)
        while whole and operand.operation in ("transpose", "reshape"):
            operand = operand.operands[0]
            own = tuple(range(len(operand.shape)))
        if operand.operation in ("softmax", "one_hot") and own == operand.payload[:1] and not mean:
            return self.number(1)
        if whole and operand.operation == "product" and len(operand.shape) == 2 and not mean:
            # the trace
            unit = next((b for b in operand.operands if b.operation == "eye"), None)
            if unit is not None and len(operand.operands) > 1:
                matrix = self.full(self.over(operand, unit), operand.shape)
                return self.total(self.node("diagonal", (matrix,), operand.shape[:1]), operand.shape[:1], (0,))
        if operand.operation == "scatter" and not mean:
            where = np.unravel_index(operand.payload.places, operand.shape)
            rest = [a for a in range(len(operand.shape)) if a not in own]
            left = tuple(operand.shape[a] for a in rest)
            places = np.ravel_multi_index(tuple(where[a] for a in rest), left) if left else np.zeros_like(where[0])
            if left or not operand.operands[0].shape:
                return (
                    self.scatter(operand.operands[0], Key(places), left)
                    if left
                    else self.scaled(operand.operands[0], places.size)
                )
        if whole and operand.operation == "log" and not mean:
            inner = operand.operands[0]
            if inner.operation == "diagonal" and inner.operands[0].operation == "cholesky":
                return self.scaled(
                    self.node("log_determinant", inner.operands[0].operands, (), "symmetric"), Fraction(1, 2)
                )
        left = tuple(n for a, n in enumerate(operand.shape) if a not in own)
        found = self.node("mean" if mean else "total", (operand,), left, own)
        return self.reshape(found, tuple(n for a, n in enumerate(operand.shape) if a not in own + units))

    def _known_sum(self, operand: Expression, axes: Shape, *, mean: bool) -> Expression | None:
        """Return the number that the sums of the terms add up to, as those of probabilities do; None for none."""
        factors = _factors(operand)
        chosen = next((b for b, e in factors if b.operation == "sum" and e == 1), None)
        if chosen is None:
            return None
        rest = [(b, e) for b, e in factors if b is not chosen]
        found = self.sum(
            (c, self.total(self.product([(t, Fraction(1)), *rest]), operand.shape, axes, mean=mean))
            for c, t in zip(chosen.payload, chosen.operands, strict=True)
        )
        return found if found.number is not None else None

    def reduced(self, operand: Expression, shape: Shape, onto: Shape) -> Expression:
        """Sum what an operand was repeated for; the result may still be smaller than ``onto``."""
        if shape == onto:
            return operand
        extra = len(shape) - len(onto)
        axes = [a for a, n in enumerate(shape) if a < extra or (onto[a - extra] == 1 and n > 1)]
        found = self.total(operand, shape, axes)
        kept = [a - extra for a in axes if a >= extra]
        return self.expanded(found, len(onto), kept) if kept else found

    def index(self, operand: Expression, key: Key) -> Expression:
        """Take elements."""
        if not operand.shape:
            return operand
        if operand.operation == "reshape":
            return self.index(operand.operands[0], key)
        places = key.places
        flat, n = places.reshape(-1), operand.shape[0]
        if operand.operation == "index":
            return self.index(operand.operands[0], Key(operand.payload.places.reshape(-1)[places]))
        if flat.size == math.prod(operand.shape) and np.array_equal(flat, np.arange(flat.size)):
            return self.reshape(operand, places.shape)
        coefficient, rest = self.split(operand)
        if coefficient != ONE and operand.operation == "product" and rest.number is None:
            return self.product([(self.index(rest, key), Fraction(1))], coefficient)
        if len(operand.shape) == 1 < places.ndim and (flat.size == 1 or len(set(np.diff(flat).tolist())) == 1):
            return self.reshape(self.index(operand, Key(flat)), places.shape)
        if len(operand.shape) == 2 and operand.shape[1] == n and np.array_equal(places, np.arange(n) * (n + 1)):
            return self.node("diagonal", (operand,), (n,))
        return self.node("index", (operand,), places.shape, key)

    def cumulate(self, operand: Expression, axis: int, *, backwards: bool) -> Expression:
        """Sum up to each element along an axis, or from it on."""
        if operand.operation == "index" and len(operand.shape) == 1:
            turned = np.arange(operand.shape[0])[::-1]
            if operand.operands[0].shape == operand.shape and np.array_equal(operand.payload.places, turned):
                return self.index(self.cumulate(operand.operands[0], axis, backwards=not backwards), operand.payload)
        return self.node("cumulate", (operand,), operand.shape, (axis, backwards))

    def scatter(self, operand: Expression, key: Key, shape: Shape) -> Expression:
        """Add elements, each at its place, to zeros."""
        if operand.number == 0:
            return operand
        flat = key.places.reshape(-1)
        if flat.size == math.prod(shape) and np.array_equal(flat, np.arange(flat.size)):
            return operand if not operand.shape else self.reshape(self.full(operand, key.places.shape), shape)
        if flat.size == math.prod(shape) and np.array_equal(np.sort(flat), np.arange(flat.size)):
            # each place once: another order
            whole = self.full(operand, key.places.shape)
            return self.index(whole, Key(np.argsort(flat).reshape(shape))) if operand.shape else operand
        coefficient, rest = self.split(operand)
        if coefficient != ONE:
            return self.product([(self.scatter(rest, key, shape), Fraction(1))], coefficient)
        return self.node("scatter", (operand,), shape, key)

    # --- products of matrices

    def contract(self, subscripts: str, one: Expression, two: Expression) -> Expression:
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
            own, operand = self.split(operand)
            coefficient = coefficient * own
            if operand.operation == "product":
                scalars = [(b, e) for b, e in zip(operand.operands, operand.payload[1], strict=True) if not b.shape]
                factors += scalars
                operand = self.product(
                    [(b, e) for b, e in zip(operand.operands, operand.payload[1], strict=True) if b.shape]
                )
            if operand.operation == "broadcast":
                inner = operand.operands[0]
                lead = len(operand.shape) - len(inner.shape)
                kept = [a for a in range(len(operand.shape)) if a >= lead and inner.shape[a - lead] > 1]
                names[k] = "".join(names[k][a] for a in kept)
                operand = self.reshape(inner, tuple(n for n in inner.shape if n > 1))
            elif len(operand.shape) < len(names[k]):
                names[k] = names[k][len(names[k]) - len(operand.shape) :]
            while operand.operation == "transpose":
                names[k] = "".join(names[k][operand.payload.index(a)] for a in range(len(operand.payload)))
                operand = operand.operands[0]
            operands[k] = operand
        for k in range(2):
            # a letter of one operand alone that the result lacks is summed over before
            alone = [c for c in names[k] if c not in result and c not in names[1 - k]]
            if alone:
                axes = [names[k].index(c) for c in alone]
                operands[k] = self.total(operands[k], tuple(sizes[c] for c in names[k]), axes)
                names[k] = "".join(c for c in names[k] if c not in alone)
        gone = [c for c in sizes if c not in result and c not in names[0] + names[1]]
        coefficient = coefficient * Coefficient(Fraction(math.prod(sizes[c] for c in gone)))
        found = self._contracted(names, result, sizes, operands)
        return self.product([(found, Fraction(1)), *factors], coefficient)

    def _contracted(
        self, names: list[str], result: str, sizes: dict[str, int], operands: list[Expression]
    ) -> Expression:
        shape = tuple(sizes[c] for c in result)
        summed = [c for c in names[0] if c in names[1] and c not in result]
        for one, two in ((0, 1), (1, 0)):
            if not names[one] and sorted(names[two]) == sorted(result):
                moved = self.transpose(operands[two], [names[two].index(c) for c in result])
                return self.times(operands[one], moved)
        for one, two in ((0, 1), (1, 0)):
            # times the unit matrix
            outer = [c for c in names[one] if c in result and c not in names[two]]
            if operands[one].operation == "eye" and len(summed) == len(outer) == 1:
                renamed = names[two].replace(summed[0], outer[0])
                return self.transpose(operands[two], [renamed.index(c) for c in result])
        if not summed:
            if len(names[0]) == len(names[1]) == 1 and names[0] != names[1] and len(result) == 2:
                pair = operands if result == names[0] + names[1] else operands[::-1]
                return self.node("outer", pair, shape)
            aligned = [self._aligned(o, n, result) for o, n in zip(operands, names, strict=True)]
            return self.times(*aligned)
        if not result and len(names[0]) > 1 and len(summed) == len(names[0]) == len(names[1]):
            moved = self.transpose(operands[1], [names[1].index(c) for c in names[0]])
            product = self.times(operands[0], moved)
            return self.total(product, tuple(sizes[c] for c in names[0]), range(len(names[0])))
        letters = {c: chr(97 + k) for k, c in enumerate(dict.fromkeys(names[0] + names[1]))}
        plain = ["".join(letters[c] for c in n) for n in (*names, result)]
        return self.node("contract", operands, shape, f"{plain[0]},{plain[1]}->{plain[2]}")

    def _aligned(self, operand: Expression, name: str, result: str) -> Expression:
        """Order axes as in the result, with axes of length 1 for what it lacks."""
        ordered = [c for c in result if c in name]
        moved = self.transpose(operand, [name.index(c) for c in ordered])
        sizes = dict(zip(ordered, moved.shape, strict=True))
        start = result.index(ordered[0]) if ordered else len(result)
        return self.reshape(moved, tuple(sizes.get(c, 1) for c in result[start:]))


def logistic_argument(base: Expression) -> Expression | None:
    """Return u of 1 + eᵘ; None for any other."""
    if base.operation == "sum" and len(base.operands) == 2 and set(base.payload) == {ONE}:
        exponentials = [t.operands[0] for t in base.operands if t.operation == "exp"]
        if len(exponentials) == 1 and any(t.number == 1 for t in base.operands):
            return exponentials[0]
    return None


def _is_centred(operand: Expression, axes: Sequence[int]) -> bool:
    """Tell whether an array is one less its mean along these axes."""
    if operand.operation != "sum" or len(operand.operands) != 2 or sum(c.value for c in operand.payload) != 0:
        return False
    for one, other in (operand.operands, operand.operands[::-1]):
        mean = one.operands[0] if one.operation == "reshape" else one
        if mean.operation == "mean" and mean.operands[0] is other and mean.payload == tuple(axes):
            return True
    return False


def _factors(term: Expression) -> list[Factor]:
    """List the factors of a product, numbers apart; any other is its own."""
    if term.operation != "product":
        return [(term, Fraction(1))]
    return list(zip(term.operands, term.payload[1], strict=True))


def _repeated(operand: Expression) -> Expression:
    """Return what NumPy repeats by itself."""
    while True:
        if operand.operation == "broadcast":
            operand = operand.operands[0]
        elif operand.operation == "reshape":
            inner = operand.operands[0]
            lead = len(operand.shape) - len(inner.shape)
            if lead <= 0 or operand.shape != (1,) * lead + inner.shape:
                return operand
            operand = inner
        else:
            return operand
