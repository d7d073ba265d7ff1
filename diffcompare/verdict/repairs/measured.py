"""A wrong gradient at the point in floats: the values of all nodes, and what a change of each would do to the error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.array_floats import floats_from
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.array_adjoint import sensitivities_of, shares_of
from diffcompare.program.arrays import ArrayBuilder
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.repairs.sites import Site

__all__ = ["ELEMENTS", "Measured", "elements_of", "leaves_nothing", "measured"]

# elements of all nodes, whose values are held at once
ELEMENTS = 4_000_000
# of the error, what a change may leave in floats, and what may be rounding
_LEFT, _NOISY = 1e-9, 1e-3


@dataclass(frozen=True, slots=True)
class Measured:
    """A wrong gradient at a point.

    Parameters
    ----------
    pair : ArrayPair
    values : dict
        The floats of all nodes of function, derivative and gradient.
    error : ndarray of float64, shape (n,)
        G − D.
    sums : ndarray of float64, shape (2,)
        Σ weight·error, for two draws of weights.
    slopes : dict
        By node, the slopes of Σ weight·G in it for both draws, repeated to its shape.
    shares : dict
        The same by node and number of an operand: what goes through this one use.
    affine : set of int
        The nodes in which G is affine.
    masks : tuple of ndarray of bool
        Where function and derivative choose between two values.
    """

    pair: ArrayPair
    values: dict[int, Floats]
    error: Floats
    sums: Floats
    slopes: dict[int, tuple[Floats, Floats]]
    shares: dict[tuple[int, int], tuple[Floats, Floats]]
    affine: set[int]
    masks: tuple[NDArray[np.bool_], ...]

    @property
    def build(self) -> ArrayBuilder:
        """The builder of all nodes."""
        return self.pair.build

    def of(self, index: int) -> Floats:
        """Return the floats of any node."""
        return floats_from(self.build, [index], self.values)[0]

    def slopes_at(self, site: Site) -> list[tuple[Floats, Floats]] | None:
        """Return the slopes of each value of a site; None where one has none."""
        if site.operand is None:
            found = [self.slopes.get(k) for k in site.nodes]
        else:
            found = [self.shares.get((k, site.operand)) for k in site.nodes]
        return None if None in found else found  # type: ignore[return-value]

    def is_affine(self, site: Site) -> bool:
        """Tell whether G is affine in the values of a site, all together."""
        if len(site.nodes) > 1:
            return False
        (node,) = site.nodes
        if site.operand is None:
            return node in self.affine
        operands = self.build.nodes[node].operands
        return (
            node in self.affine
            and _is_linear(self.build, node, site.operand)
            and operands.count(operands[site.operand]) == 1
        )

    def explains(self, G: int) -> bool:
        """Tell whether another node in place of G leaves no error in floats."""
        D = self.values[self.pair.D]
        return leaves_nothing(self.of(G) - D, self.error, D)


def leaves_nothing(left: Floats, before: Floats, D: Floats) -> bool:
    """Tell whether of an error nothing is left but the rounding of floats."""
    largest, size = np.max(np.abs(D), initial=0.0), np.max(np.abs(before), initial=0.0)
    noise = 64 * unit_roundoff * largest
    known = noise <= _NOISY * size and np.isfinite(left).all()
    # beside a claim that is far too large, about nothing would do
    return bool(known and (np.abs(left) <= _LEFT * min(size, largest or size) + noise).all())


def elements_of(pair: ArrayPair) -> int:
    """Count the elements of all nodes of function, derivative and gradient."""
    build = pair.build
    return sum(math.prod(build.shape(k)) for k in build.needed([pair.F, pair.D, pair.G]))


def measured(pair: ArrayPair) -> Measured | None:
    """Evaluate a gradient and its error at the point; None where there is no error that floats can tell."""
    build, x = pair.build, pair.point
    values: dict[int, Floats] = {build.variables: x}
    floats_from(build, build.needed([pair.F, pair.D, pair.G]), values, keep=True)
    error = values[pair.G] - values[pair.D]
    if not leaves_nothing(np.zeros(error.size), error, values[pair.D]):
        return None
    needed = build.needed([pair.G])
    draws = [_draw(seed, error.size) for seed in (3, 4)]
    (slopes, shares), (others, other_shares) = (_slopes(pair, needed, weights, values) for weights in draws)
    chosen = (build.nodes[k] for k in build.needed([pair.F, pair.D]))
    return Measured(
        pair, values, error, np.array([float(weights @ error) for weights in draws]),
        {k: (slope, others[k]) for k, slope in slopes.items() if k in others},
        {k: (share, other_shares[k]) for k, share in shares.items() if k in other_shares},
        _affine(build, needed), tuple(node.payload for node in chosen if node.operation == "choose"),
    )  # fmt: skip


def _draw(seed: int, size: int) -> Floats:
    random = np.random.default_rng(seed)
    return np.asarray(random.choice((-1.0, 1.0), size) * random.uniform(0.5, 1.0, size))


def _slopes(
    pair: ArrayPair, needed: Sequence[int], weights: Floats, values: dict[int, Floats]
) -> tuple[dict[int, Floats], dict[tuple[int, int], Floats]]:
    """Return the slopes of Σ weight·G in each node, and in each operand of each node."""
    build, held = pair.build, dict(values)
    one = build.contract("i,i->", build.constant(weights), pair.G)
    bars = sensitivities_of(build, one, [True] * len(build.nodes))
    slopes: dict[int, Floats] = {}
    shares: dict[tuple[int, int], Floats] = {}
    for k in needed:
        bar, operands = bars.get(k), build.nodes[k].operands
        if bar is None:
            continue
        slopes[k] = np.broadcast_to(floats_from(build, [bar], held, keep=True)[0], build.shape(k))
        given = floats_from(build, [c for _, c in shares_of(build, k, bar)], held) if operands else []
        for position, (i, share) in enumerate(zip(operands, given, strict=True)):
            shares[k, position] = np.broadcast_to(share, build.shape(i))
    return slopes, shares


_LINEAR = frozenset({
    "add", "subtract", "negative",
    "reshape", "transpose", "broadcast", "take", "scatter", "join", "choose", "total", "cumulate",
})  # fmt: skip


def _is_linear(build: ArrayBuilder, node: int, position: int) -> bool:
    """Tell whether an operation is affine in one operand, the others held."""
    name = build.nodes[node].operation
    return name in _LINEAR or name in ("multiply", "contract") or (name, position) in (("divide", 0), ("solve", 1))


def _affine(build: ArrayBuilder, needed: Sequence[int]) -> set[int]:
    """List the nodes in which G is affine: every use is, and no two factors depend on the node."""
    number = {k: j for j, k in enumerate(needed)}
    # which nodes each one is made of, as bits; those of which two factors of a product are made
    made: dict[int, int] = {}
    twice = 0
    for k in needed:
        bits, name = 0, build.nodes[k].operation
        for i in build.nodes[k].operands:
            twice |= bits & made[i] if name not in _LINEAR else 0
            bits |= made[i]
        made[k] = bits | 1 << number[k]
    bent: set[int] = set()
    for k in reversed(needed):
        for position, i in enumerate(build.nodes[k].operands):
            if k in bent or not _is_linear(build, k, position):
                bent.add(i)
    return {k for k in needed if k not in bent and not twice >> number[k] & 1}
