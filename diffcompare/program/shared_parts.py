"""What expressions have in common, so that it can be written once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from diffcompare.program.expression import Expression, Factor, factors_of, operands_first
from diffcompare.program.expressions import Expressions

__all__ = ["distributed", "shared_products", "weights_of", "with_probabilities"]

_STEP = Fraction(1)


def with_probabilities(
    write: Expressions, roots: Sequence[Expression], known: Iterable[Expression]
) -> dict[Expression, Expression]:
    """Write 1/((1 + e⁻ᵘ)(1 + eᵘ)) as p(1 − p), with the p that is known; returns what stands for what."""
    written = set(known)

    def probabilities(factors: list[Factor]) -> list[Factor]:
        powers = dict(factors)
        for base in list(powers):
            other = write.opposite_base(base)
            if other is base or not (powers.get(base, 0) < 0 and powers.get(other, 0) < 0):
                continue
            candidates = [(base, other), (other, base)]
            # the one that the code has, else that with e⁻ᶻ
            first, second = max(candidates, key=lambda c: (write.power(c[0], -_STEP) in written, _falls(write, c[0])))
            p = write.power(first, -_STEP)
            exponents = -powers.pop(first), -powers.pop(second)
            powers |= {p: exponents[0], write.complement(p): exponents[1]}
        return list(powers.items())

    return _rewritten(operands_first(roots), probabilities)


def _falls(write: Expressions, base: Expression) -> bool:
    """Tell whether u of 1 + eᵘ has a minus."""
    return any(t.operation == "exp" and write.split(t.operands[0])[0].above < 0 for t in base.operands)


def _rewritten(
    order: Iterable[Expression], rule: Callable[[list[Factor]], list[Factor]]
) -> dict[Expression, Expression]:
    """Write the factors of products anew; ``order`` has operands first."""
    new: dict[Expression, Expression] = {}

    def visited(one: Expression) -> Expression:
        if one not in new:
            operands, payload = one.operands, one.payload
            if one.operation == "product" and operands:
                factors = rule(factors_of(one))
                operands, payload = tuple(b for b, _ in factors), (payload[0], tuple(e for _, e in factors))
            replaced = tuple(map(visited, operands))
            new[one] = one if replaced == one.operands else Expression(one.operation, replaced, one.shape, payload)
        return new[one]

    for one in order:
        visited(one)
    return new


def shared_products(roots: Sequence[Expression], known: Iterable[Expression]) -> dict[Expression, Expression]:
    """Take known products as one factor where two products or more have them; returns what stands for what."""
    order = operands_first(roots)
    factors = {one: set(factors_of(one)) for one in order if one.operation == "product"}
    known = [one for one in known if one.operation == "product" and one.payload[0].value == 1 and one.operands]
    chosen: list[tuple[Expression, set[Factor]]] = []
    weights = weights_of(operands_first(known))
    for one in sorted(known, key=lambda k: -weights[k]):
        own = set(factors_of(one))
        within = [k for k, held in factors.items() if own < held]
        if weights[one] >= 2 and len(within) + (one in factors) >= 2:
            chosen.append((one, own))
            for k in within:
                factors[k] -= own
    for one, _ in chosen:
        # the smaller ones, of which the larger may be made, come first
        order = [*operands_first([one]), *order]

    def shared(factors: list[Factor]) -> list[Factor]:
        left, parts = dict.fromkeys(factors), []
        for product, own in chosen:
            if own < set(left):
                left = dict.fromkeys(f for f in left if f not in own)
                parts.append((product, Fraction(1)))
        return [*parts, *left]

    return _rewritten(order, shared)


def distributed(root: Expression) -> Expression:
    """Multiply the pieces of what is put together rather than the whole."""
    if root.operation == "product" and len(root.operands) == 1 and root.payload[1] == (1,):
        inner, coefficient = root.operands[0], root.payload[0]
        if inner.operation == "sum" and all(o.operation == "scatter" for o in inner.operands):
            return Expression("sum", inner.operands, inner.shape, tuple(c * coefficient for c in inner.payload))
        if inner.operation == "scatter":
            return Expression("sum", (inner,), inner.shape, (coefficient,))
    return root


def weights_of(order: Sequence[Expression]) -> dict[Expression, int]:
    """Count the operations that a text of an expression has."""
    found: dict[Expression, int] = {}
    for one in order:
        # what has a name already stands first
        inner = sum(found.get(operand, 0) for operand in one.operands)
        if one.operation in ("name", "item", "eye", "one_hot", "pi", "e"):
            # a part that is chosen by a variable, as p[i], is read as an operation
            own = int(one.operation == "name" and bool(re.search(r"\[[^\]\"']*[A-Za-z]", one.payload)))
        elif one.operation == "product":
            coefficient, exponents = one.payload
            own = (
                max(len(exponents) - 1, 0)
                + (coefficient.value != 1 and bool(exponents))
                + sum(abs(e) != 1 for e in exponents)
            )
        elif one.operation == "sum":
            own = len(one.operands) - 1 + sum(abs(c.value) != 1 for c in one.payload)
        elif one.operation in ("transpose", "reshape", "index", "broadcast"):
            own = int(inner > 0)
        else:
            own = 2 if inner or any(operand.number is None for operand in one.operands) else 1
        found[one] = min(own + inner, 10**9)
    return found
