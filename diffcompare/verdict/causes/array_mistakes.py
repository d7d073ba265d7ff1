"""Mistakes in a gradient that are told from a program of arrays: those of the table, of a whole array at a time.

What a use of a node contributes is linear in its local partial: another partial q in place of p changes the gradient by
the derivative of Σ bar·(q − p)·operand. Which q is meant is found along two directions, for all uses at once, from one
sweep of slopes. What fits there is compared in every component.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from diffcompare.arithmetic.array_floats import Moved, array_floats, erring_floats, tangent_floats
from diffcompare.floats import Floats
from diffcompare.program.arrays import Shape
from diffcompare.verdict.causes.array_parts import ArrayParts, Use
from diffcompare.verdict.causes.mistakes import Cause, Facts, written
from diffcompare.verdict.causes.nearby import price
from diffcompare.verdict.causes.part_rules import Addend, Slope, constant_factor, formatted, is_among, part_rules

__all__ = ["ArrayMistakes"]

# candidates that fit along the directions, of which each costs a sweep; those that are tried at other points
_TRIED, _KEPT = 12, 2
# sums of so many addends are looked through for several that are missing
_MANY = 12
# the floats of a sum along a direction, relative to the sizes of what is added
_ROUGH = 1e-9

Sums = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A mistake: what is said of it, and the node of the error that it makes."""

    kind: str
    text: str
    error: int


@dataclass(slots=True)
class ArrayMistakes:
    """What may be wrong with the derivative of a function that is taken apart; what is found at the first point."""

    parts: ArrayParts
    _found: dict[tuple[Any, bool], list[_Candidate]] = field(default_factory=dict)
    _slopes: list[_Slopes] = field(default_factory=list)

    def value(self, point: Sequence[float]) -> np.longdouble:
        """Return the value of the function."""
        self.parts.budget.spend(price(self.parts.pair))
        x = np.asarray(point, dtype=np.float64)
        return np.longdouble(array_floats(self.parts.build, [self.parts.output], x)[0])

    def transposed(self, facts: Facts, _: Sequence[float]) -> Iterator[Cause]:
        """One of several matrices whose derivative is turned, or flattened by columns."""
        D = facts.D
        for k, places in self.parts.matrices():
            flat = places.reshape(-1)
            for shape in dict.fromkeys((places.shape, places.shape[::-1])):
                predicted = np.zeros(len(D))
                predicted[flat] = D[flat].reshape(shape).T.reshape(-1) - D[flat]
                if facts.fits(predicted) and facts.certain(100):
                    words = "are transposed: rows and columns are exchanged"
                    yield facts.cause("transposed", f"the components of {self.parts.text(k)} {words}")

    def wrong_parts(self, facts: Facts, point: Sequence[float], *, everywhere: bool = True) -> Iterator[Cause]:
        """One addend or local partial that is not what it should be, in a whole array."""
        if everywhere or not (facts.wrong | (facts.D == 0)).all():
            yield from self._causes(_wrong_parts, facts, point, 20 * len(self.parts.uses), everywhere)

    def wrong_elements(self, facts: Facts, point: Sequence[float], *, everywhere: bool = True) -> Iterator[Cause]:
        """One element of a sum that is not what it should be."""
        if everywhere or not (facts.wrong | (facts.D == 0)).all():
            elements = sum(math.prod(self.parts.shape(use.operand)) for use in self.parts.sums)
            yield from self._causes(_wrong_elements, facts, point, 20 * elements, everywhere)

    def stray_factors(self, facts: Facts, point: Sequence[float]) -> Iterator[Cause]:
        """The value of some number that multiplies or divides the whole gradient; several addends missing at once."""
        yield from self._causes(_stray_factors, facts, point, 4 * len(self.parts.numbers) + _MANY**3)

    def additions(self, facts: Facts, point: Sequence[float]) -> Iterator[Cause]:
        """The gradient of some node that does not belong there, or an addend of another weight."""
        yield from self._causes(_additions, facts, point, 400 * len(self.parts.uses))

    def _causes(
        self, search: Callable[[ArrayParts, _Slopes, bool], Iterator[_Candidate]], facts: Facts, point: Sequence[float],
        count: int, everywhere: bool = True,
    ) -> Iterator[Cause]:  # fmt: skip
        """Search at the first point, and find again at the others what was found there."""
        x, key = np.asarray(point, dtype=np.float64), (search, everywhere)
        if facts.further is None:
            known = [one for one in self._found.get(key, []) if self._fits(one, facts, x, everywhere, count)]
        elif facts.certain(count):
            self._slopes = self._slopes or [_slopes_at(self.parts, facts, x)]
            tried = itertools.islice(search(self.parts, self._slopes[0], everywhere), _TRIED)
            fitting = (one for one in tried if self._fits(one, facts, x, everywhere, count))
            known = self._found[key] = list(itertools.islice(fitting, _KEPT))
        else:
            return
        place = "" if everywhere and search is not _stray_factors else facts.where()
        for one in known:
            yield facts.cause(one.kind, one.text + place)

    def _fits(self, one: _Candidate, facts: Facts, x: Floats, everywhere: bool, count: int) -> bool:
        """Compare the error that a candidate makes with the error, in every component."""
        self.parts.budget.spend(price(self.parts.pair))
        (found,) = erring_floats(self.parts.build, [one.error], x)
        # what floats do not know is no evidence
        other = replace(facts, slack=facts.slack + 2 * found.error, further=facts.further or 0)
        return other.certain(count) and other.fits(found.value, None if everywhere else facts.wrong)


@dataclass(frozen=True, slots=True)
class _Slopes:
    """Values of nodes and their slopes along two directions: all components, and those that are wrong.

    ``error`` and ``slack``: the error along both, and how exactly it is known; ``derivative``: the true derivative.
    """

    parts: ArrayParts
    moved: dict[int, Moved]
    facts: Facts
    error: Floats
    slack: Floats
    derivative: Sums

    def near(self, factor: float, sums: Sums, everywhere: bool) -> bool:
        """Tell whether a multiple of sums along both directions (or the second) is the error."""
        with np.errstate(all="ignore"):
            close = np.abs(factor * sums[0] - self.error) <= self.slack + _ROUGH * abs(factor) * sums[1]
        return bool(close.all() if everywhere else close[1])

    def contributed(self, use: Use) -> Sums:
        """Return what a use contributes along both directions, and the sizes of what is added."""
        return self.summed(self.moved[use.contribution].value, use.operand, self.parts.shape(use.operand))

    def elements(self, factor: float, use: Use, everywhere: bool) -> list[int]:
        """List the elements of an operand of which a multiple of what they contribute is the error."""
        moved, weight = self.moved[use.operand], self.moved[use.contribution].value
        fitting = np.ones(self.parts.shape(use.operand), dtype=bool)
        for k, move in enumerate(moved.moves):
            if everywhere or k == 1:
                terms = factor * weight * move
                fitting &= np.abs(terms - self.error[k]) <= self.slack[k] + _ROUGH * np.abs(terms)
        return [int(i) for i in np.flatnonzero(fitting)[:_TRIED]]

    def changed(self, rule: Slope, use: Use) -> Sums:
        """Return what another partial changes; nan where it is no number."""
        p, x, y, bar = (self.moved[i].value for i in _four(self.parts, use))
        with np.errstate(all="ignore"):
            weight = np.asarray((rule.slope(p, x, y) - p) * bar)
        if not np.isfinite(weight).all():
            return np.full(2, math.nan), np.zeros(2)
        return self.summed(weight, use.operand, self.parts.shape(use.node))

    def summed(self, weight: Floats | float, operand: int, shape: Shape) -> Sums:
        """Return Σ weight·operand along both directions, repeated to a shape, and the sizes of what is added."""
        sums = []
        for move in self.moved[operand].moves or (np.zeros(()), np.zeros(())):
            with np.errstate(all="ignore"):
                terms = np.broadcast_to(weight * move, shape)
                sums.append((float(np.sum(terms)), float(np.sum(np.abs(terms)))))
        return np.array([s for s, _ in sums]), np.array([s for _, s in sums])

    def round_multiple(self, sums: Sums) -> float:
        """Return the number of two digits by which the error may be a multiple of sums."""
        with np.errstate(all="ignore"):
            return float(f"{self.error[0] / sums[0][0]:.2g}")


def _four(parts: ArrayParts, use: Use) -> list[int]:
    return [i for i in (use.partial, use.operand, use.node, parts.bars[use.node]) if i is not None]


def _slopes_at(parts: ArrayParts, facts: Facts, x: Floats) -> _Slopes:
    random, n = np.random.default_rng(7), facts.e.size
    first, second = random.choice((-1.0, 1.0), (2, n)) * random.uniform(0.5, 1.0, (2, n))
    along = np.array([first, np.where(facts.wrong, second, 0.0)])
    nodes = [parts.output, *parts.numbers]
    for use in parts.uses:
        nodes += [*_four(parts, use), use.contribution]
    nodes = list(dict.fromkeys(nodes))
    parts.budget.spend(3 * price(parts.pair))
    moved = dict(zip(nodes, tangent_floats(parts.build, nodes, x, (along[0], along[1])), strict=True))
    sizes = np.abs(along)
    return _Slopes(
        parts, moved, facts, along @ facts.e, sizes @ facts.slack, (along @ facts.D, sizes @ np.abs(facts.D))
    )


def _wrong_parts(parts: ArrayParts, slopes: _Slopes, everywhere: bool) -> Iterator[_Candidate]:
    contributed = [slopes.contributed(use) for use in parts.uses]
    elements = sum(math.prod(parts.shape(use.node)) for use in parts.uses)
    for rule in part_rules(len(slopes.facts.g)):
        parts.budget.spend(4 * elements)
        ratio = rule.ratio if isinstance(rule, Addend) else _ratio(rule)
        among = "sum" if isinstance(rule, Addend) else rule.among
        for use, sums in zip(parts.uses, contributed, strict=True):
            if not is_among(among, use.operation, leaf=use.leaf) or use.operation == "total":
                continue
            if ratio is not None and slopes.near(ratio - 1, sums, everywhere):
                yield _said(parts, slopes, rule, use, parts.times(ratio - 1, parts.part(use)))
            if ratio is not None or isinstance(rule, Addend) or use.partial is None:
                continue
            if slopes.near(1.0, slopes.changed(rule, use), everywhere):
                yield _said(parts, slopes, rule, use, parts.changed(rule, use))


def _wrong_elements(parts: ArrayParts, slopes: _Slopes, everywhere: bool) -> Iterator[_Candidate]:
    """One element of a sum: a sample that is left out."""
    for rule in (rule for rule in part_rules(1) if isinstance(rule, Addend)):
        for use in parts.sums:
            parts.budget.spend(4 * math.prod(parts.shape(use.operand)))
            for i in slopes.elements(rule.ratio - 1, use, everywhere):
                text = rule.said(parts.element_text(use, i), is_outer=parts.is_outer(use))
                yield _Candidate(rule.kind, text, parts.times(rule.ratio - 1, parts.part(use, i)))


def _ratio(rule: Slope) -> float | None:
    """Return the number by which a rule multiplies every partial; None where it is no such rule."""
    one, two = (rule.slope(p, math.nan, math.nan) for p in (1.0, 2.0))
    return float(one) if two == 2 * one else None


def _said(parts: ArrayParts, slopes: _Slopes, rule: Addend | Slope, use: Use, error: int) -> _Candidate:
    if isinstance(rule, Addend):
        return _Candidate(rule.kind, rule.said(parts.text(use.operand), is_outer=parts.is_outer(use)), error)
    kind, words, p = rule.kind, rule.words, ""
    if use.partial is not None:
        p = parts.text(use.partial)
        if parts.build.nodes[use.partial].operation == "constant" and not parts.shape(use.partial):
            said = constant_factor(words, float(slopes.moved[use.partial].value), p)
            kind, words = (kind, words) if said is None else ("factor", said)
    else:
        # a product of arrays has no factor for each element
        words = words.replace("chain factor {p}", "derivative of {y} by {x}")
    return _Candidate(kind, formatted(words, p=p, x=parts.text(use.operand), y=parts.text(use.node)), error)


def _stray_factors(parts: ArrayParts, slopes: _Slopes, everywhere: bool) -> Iterator[_Candidate]:
    for missing, words in ((True, "the factor {} is missing"), (False, "the factor {} is too many")):
        for k in parts.numbers:
            value = float(slopes.moved[k].value)
            ratio = value if not missing else 1 / value if value else math.nan
            if slopes.near(ratio - 1, slopes.derivative, everywhere):
                yield _Candidate("chain factor", words.format(parts.text(k)), parts.scaled(k, missing=missing))
    yield from _missing_together(parts, slopes, everywhere)


def _missing_together(parts: ArrayParts, slopes: _Slopes, everywhere: bool) -> Iterator[_Candidate]:
    addends = [(use, slopes.contributed(use)) for use in parts.addends[:_MANY]]
    for count in (2, 3):
        for some in itertools.combinations(addends, count):
            values, sizes = (np.sum([sums[k] for _, sums in some], axis=0) for k in (0, 1))
            if slopes.near(-1.0, (values, sizes), everywhere):
                shown = [parts.text(use.operand) for use, _ in some]
                named = " and ".join([", ".join(shown[:-1]), shown[-1]])
                error = parts.times(-1.0, *(parts.part(use) for use, _ in some))
                yield _Candidate("missing term", f"the terms {named} have no contribution", error)


def _additions(parts: ArrayParts, slopes: _Slopes, everywhere: bool) -> Iterator[_Candidate]:
    # a multiple of the whole gradient is told as a factor
    moving = [k for k in dict.fromkeys(use.node for use in parts.uses) if k != parts.output]
    sums = [slopes.summed(1.0, k, parts.shape(k)) for k in moving]

    def extra(k: int, c: float, words: str) -> _Candidate:
        text = parts.text(k) if not parts.shape(k) else f"sum({parts.text(k)})"
        text = f"an extra term: {words}the gradient of {text} is added"
        return _Candidate("extra term", text, parts.times(c, parts.gradient(k)))

    for c, words in ((1.0, ""), (-1.0, "minus "), (2.0, "2 times "), (0.5, "half "), (-2.0, "-2 times ")):
        for k, own in zip(moving, sums, strict=True):
            if slopes.near(c, own, everywhere):
                yield extra(k, c, words)
    if slopes.facts.wrong.sum() < 2:
        return
    for use in parts.addends:
        own = slopes.contributed(use)
        c = slopes.round_multiple(own)
        if slopes.near(c, own, everywhere):
            text = f"the term {parts.text(use.operand)} has {written(c)} times its weight"
            yield _Candidate("factor", text, parts.times(c, parts.part(use)))
    for k, own in zip(moving, sums, strict=True):
        c = slopes.round_multiple(own)
        if slopes.near(c, own, everywhere):
            yield extra(k, c, f"{c:.3g} times ")
