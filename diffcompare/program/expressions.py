"""Expressions are made here, each distinct one once, in the simplest form that is known of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from diffcompare.program.arrays import Shape, broadcast_shape
from diffcompare.program.expression import (
    MASKS,
    MINUS,
    ONE,
    Coefficient,
    Expression,
    Factor,
    factors_of,
    logistic_argument,
    repeated,
)

__all__ = ["Expressions"]

_TURNED = {
    "less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal",
    "equal": "equal", "not_equal": "not_equal",
}  # fmt: skip
_OPPOSITE = {
    "less": "greater_equal", "greater_equal": "less", "greater": "less_equal", "less_equal": "greater",
    "equal": "not_equal", "not_equal": "equal",
}  # fmt: skip


# more terms are not multiplied out
_LONGEST = 12
_ZERO = Coefficient(Fraction(0))


class Expressions:
    """Makes expressions, each distinct one once, in the simplest form that it knows."""

    def __init__(self) -> None:
        self._known: dict[Any, Expression] = {}
        # which elements of a vector are seen as a matrix, and of which shape
        self.blocks: dict[Expression, list[tuple[int, Shape]]] = {}

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
            base = repeated(base)
            if base.operation == "product" and exponent.denominator == 1 and (base.operands or base.number):
                coefficient = coefficient * base.payload[0].power(int(exponent))
                stack += [(b, e * exponent) for b, e in factors_of(base)][::-1]
                continue
            if base.operation == "sqrt" and exponent % 2 == 0:
                stack.append((base.operands[0], exponent / 2))
                continue
            if base.number == 0 and exponent > 0:
                coefficient = _ZERO
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
            below = self.plus(self.number(1), base)
            while powers.get(below, 0) < 0 < powers.get(base, 0):
                other = self.opposite_base(below)
                for one, step in ((base, -1), (below, 1), (other, -1)):
                    powers[one] = powers.get(one, Fraction(0)) + step
        return {b: e for b, e in powers.items() if e}

    def _spread(self, powers: dict[Expression, Fraction], coefficient: Coefficient) -> Expression | None:
        """Multiply a sum out where its terms are divided by the other factors; None where that is no shorter."""
        for chosen in [b for b, e in powers.items() if b.operation == "sum" and e == 1 and len(powers) > 1]:
            others = {b: e for b, e in powers.items() if b is not chosen}
            terms = [dict(factors_of(term)) for term in chosen.operands]
            if not all(any(term.get(b, 0) * e < 0 for term in terms) for b, e in others.items()):
                continue
            before = len(others) + sum(map(len, terms))
            parts = [self.product([(t, Fraction(1)), *others.items()]) for t in chosen.operands]
            if sum(len(factors_of(self.split(part)[1])) for part in parts) < before:
                return self.sum((c * coefficient, part) for c, part in zip(chosen.payload, parts, strict=True))
        return None

    def _multiplied_out(self, terms: dict[Expression, Coefficient]) -> dict[Expression, Coefficient] | None:
        """Multiply the sums in products out; None where that is no shorter."""
        opposites = self._opposite_probabilities(terms)
        if not opposites and not any(
            b.operation == "sum" and e == 1 for term in terms for b, e in factors_of(term) if term is not b
        ):
            return None
        found: dict[Expression, Coefficient] = {}
        count = 0
        for term, coefficient in terms.items():
            parts: list[tuple[Coefficient, list[Factor]]] = [(coefficient, [])]
            for base, exponent in factors_of(term):
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
        bases = [b for term in terms for b, e in factors_of(term) if e == -1 and logistic_argument(b) is not None]
        for base in bases:
            other = self.opposite_base(base)
            if other in bases and other not in found:
                found[base] = self.complement(self.power(other, Fraction(-1)))
        return found

    def opposite_base(self, base: Expression) -> Expression:
        """Return 1 + e⁻ᵘ of 1 + eᵘ."""
        exponent = logistic_argument(base)
        return base if exponent is None else self.logistic_base(self.scaled(exponent, -1))

    def logistic_base(self, exponent: Expression) -> Expression:
        """Return 1 + eᵘ."""
        return self.plus(self.number(1), self.function("exp", exponent))

    def complement(self, p: Expression) -> Expression:
        """Return 1 − p as it is, also where it would be simplified."""
        return self.node("sum", (self.number(1), p), p.shape, (ONE, MINUS), ("1-", id(p)))

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
        inner = {t.operands[0].shape for t in found if t.operation == "reshape"}
        if len(inner) == 1 and all(t.operation == "reshape" for t in found):
            # other shapes of arrays of one shape
            whole = self.sum((c, t.operands[0]) for t, c in found.items())
            shape = broadcast_shape(t.shape for t in found)
            if whole.shape in inner and math.prod(shape) == math.prod(whole.shape):
                return self.node("reshape", (whole,), shape)
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
            own, term = self.split(repeated(term))
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
            (base, exponent), *rest = factors_of(other)
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
            added = self.sum(parts)
            merged = added if added.number == 0 else self.node("scatter", (added,), shape, key)
            if merged.number is None:
                found[merged] = ONE
        return found

    def _chosen(self, terms: dict[Expression, Coefficient]) -> dict[Expression, Coefficient]:
        """Write mask·a + (not mask)·b as one choice."""
        for term in list(terms):
            for mask in [b for b, _ in factors_of(term) if b.operation in MASKS]:
                opposite = self.opposite(mask)
                other = next((t for t in terms if any(b is opposite for b, _ in factors_of(t))), None)
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
        return self.sum([(ONE, one), (MINUS, other)])

    # --- element by element

    def function(self, name: str, *operands: Expression, payload: Any = None) -> Expression:
        """Apply a function element by element."""
        plain = [repeated(o) for o in operands]
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
