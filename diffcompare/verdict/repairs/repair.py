"""The smallest change of a wrong gradient's code that makes it right: found at the point, held at three more.

A change is looked for at every expression of the code. Where the gradient is affine in its value, two sums of the error
with weights drawn at random say which change may do (and which number goes with it); elsewhere it is tried. What takes
the whole error away at the point is tried at three further points, in balls.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from diffcompare.arithmetic.array_balls import array_balls, middles
from diffcompare.arithmetic.array_floats import array_floats
from diffcompare.errors import DiffcompareError
from diffcompare.floats import Floats
from diffcompare.program.arrays import Shape
from diffcompare.tracing.spans import resolved
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.causes.budget import BALLS, BUILT, Budget
from diffcompare.verdict.causes.nearby import Nearby, price
from diffcompare.verdict.repairs.edits import Edit, Store, edits_of
from diffcompare.verdict.repairs.measured import Measured, leaves_nothing, measured
from diffcompare.verdict.repairs.multiples import Multiples
from diffcompare.verdict.repairs.pool import Shelf, lengths_of, shelves_of
from diffcompare.verdict.repairs.sites import Blamed, Site, sites_of

__all__ = ["find_repair", "is_one_place"]

_BITS = 160
_AFFORDED = 20_000_000
# changes that are evaluated at the point
_TRIED = 3000
# changes that are compared with one another
_KEPT = 24
# changes of about the same price are compared
_ALIKE = 0.35
# up to this price a change for which two sums speak is looked for before others are tried
_USUAL = 2.45
# of so many elements a multiple is recognised
_SEVERAL = 3
# operations that looking at a site takes, besides those on the values that may be put in
_SITE = 60_000


def find_repair(pair: ArrayPair, asked: Sequence[Nearby], budget: Budget) -> Edit | None:
    """Look for a change of the gradient's code; None where there is none, or it would cost too much.

    ``asked``: what is known of the gradient at the point and at others.
    """
    build = pair.build
    if pair.opaque:
        return None
    cost = price(pair)
    # half of what it takes to build a node: most are there already when a change is tried
    tried = cost - BUILT * len(build.nodes) // 2
    budget.spend(10 * cost)
    here = measured(pair)
    if here is None:
        return None
    search = _Search(here, asked, tried, budget)
    blamed = Blamed(pair)
    sites = [site for site in sites_of(build, pair.G, pair.gradient.origins) if blamed.may_be(site)]
    store = _store(here, sites, budget.left // 2)
    edits = list(edits_of(here, sites, store, trials=_TRIED))
    # a sign is tried with the changes that sums tell
    signs = [edit for edit in edits if not edit.told and edit.multiple.value == -1]
    told = [*(edit for edit in edits if edit.told), *signs]
    usual, rare = ([edit for edit in told if (edit.cost <= _USUAL) == way] for way in (True, False))
    found = search.first(usual) or search.first(edit for edit in edits if not edit.told) or search.first(rare)
    found = [edit for edit in found if search.is_identity(edit)] if BALLS * cost <= _AFFORDED else found
    return _chosen(here, found) if found else None


def is_one_place(pair: ArrayPair, edit: Edit) -> bool:
    """Tell whether the values of a site are written at one place: equal expressions are one node."""
    origins = pair.gradient.origins
    return all(len({(one.code, one.instruction) for one in origins.get(k, ())}) <= 1 for k in edit.site.nodes)


@dataclass(frozen=True, slots=True)
class _Search:
    here: Measured
    asked: Sequence[Nearby]
    cost: int
    budget: Budget

    def first(self, edits: Iterable[Edit]) -> list[Edit]:
        """Return the cheapest changes that take the error away in floats, for a third of what is left of the budget."""
        build, G, least = self.here.build, self.here.pair.G, self.budget.left * 2 // 3
        found: list[Edit] = []
        for edit in sorted(edits, key=lambda one: one.cost)[:_TRIED]:
            if self.budget.left < least or (found and (edit.cost > found[0].cost + _ALIKE or len(found) >= _KEPT)):
                break
            self.budget.spend(self.cost)
            with suppress(ArithmeticError, ValueError, IndexError, DiffcompareError):
                other = edit.applied(build, G)
                if other != G and self.here.explains(other) and all(self._fits(other, one) for one in self.asked[1:]):
                    found.append(edit)
        return found

    def _fits(self, other: int, beside: Nearby) -> bool:
        self.budget.spend(self.cost)
        (value,) = array_floats(self.here.build, [other], beside.point)
        return leaves_nothing(value - beside.certified, beside.gap, beside.certified)

    def is_identity(self, edit: Edit) -> bool:
        """Tell whether a changed gradient is the derivative at all points, in real numbers."""
        build, pair = self.here.build, self.here.pair
        gap = build.apply("subtract", edit.applied(build, pair.G), pair.D)
        for beside in self.asked:
            self.budget.spend(BALLS * self.cost)
            left = middles(array_balls(build, [gap], beside.point, _BITS)[0])
            if not (np.abs(left) <= beside.threshold).all():
                return False
        return True


def _chosen(here: Measured, found: Sequence[Edit]) -> Edit:
    """Choose among changes that do the same, of which the cheapest says what.

    Of a product each factor may be changed. A sign is where a difference is that of function or derivative the other
    way round, else where something is added; a number is where another number stands that it undoes. Anything else is
    where the first wrong value appears: the first that is one of theirs after the change, and not before; then the
    whole of the product is meant.
    """
    known = _Known(here)
    # in the order in which the code ran, results before operands; one change is made at one place
    ordered = sorted(found, key=lambda one: (one.site.nodes[0], one.site.operand is not None))
    ordered = [edit for edit in ordered if is_one_place(here.pair, edit)] or ordered
    signs = [edit for edit in ordered if edit.multiple.value == -1 and edit.form == "scale"]
    if signs:
        turned = [edit for edit in ordered if edit.turn is not None and edit.turn.kind == "sign"]
        swapped = [edit for edit in signs if _is_difference(here, edit) and known.mends(edit)]
        results = [edit for edit in signs if edit.site.operand is None] or signs
        return (swapped or turned or results[-1:])[0]
    ordered = [edit for edit in ordered if _says_the_same(edit, found[0])] or ordered
    numbers = [edit for edit in ordered if edit.form == "scale"]
    numbers = [edit for edit in numbers if edit.site.operand is None] or numbers
    if numbers:
        undone = [edit for edit in numbers if _undoes(here, edit)]
        sums = [edit for edit in numbers if _is_mean(here, edit)]
        mended = [edit for edit in numbers if known.mends(edit)]
        if not (undone or sums or mended):
            return _with_another(numbers[-1], numbers)
        chosen = (undone or sums or mended)[0]
        return _outermost(chosen, numbers) if mended and chosen is mended[0] else chosen
    form = next(edit.form for edit in found if edit in ordered)
    usual = [edit for edit in ordered if edit.form == form]
    results = [edit for edit in usual if edit.site.operand is None] or usual
    powers = [edit for edit in results if _holds_entry(here, edit)]
    # a term is missing at the end of a sum
    asked = usual if form != "addend" else []
    mended = [edit for edit in asked if known.mends(edit)]
    first = [edit for edit in asked if known.has(edit) and (edit in mended or edit in results)]
    chosen = (powers or first or results[-1:])[0]
    return _outermost(chosen, results if chosen.form == "turn" else mended)


def _says_the_same(one: Edit, other: Edit) -> bool:
    """Tell whether two changes are the same but for their places: a term may be subtracted elsewhere."""
    if (one.form, abs(one.multiple.value)) != (other.form, abs(other.multiple.value)):
        return False
    put_in = [None if edit.entry is None else (edit.entry.node, edit.entry.form) for edit in (one, other)]
    return one.form == "replace" or put_in[0] == put_in[1]


def _is_difference(here: Measured, edit: Edit) -> bool:
    nodes = here.build.nodes
    return edit.site.operand is None and all(nodes[k].operation in ("subtract", "negative") for k in edit.site.nodes)


def _is_mean(here: Measured, edit: Edit) -> bool:
    """Tell whether a sum should be divided by the number of its terms."""
    nodes = here.build.nodes
    for k in edit.site.nodes:
        if nodes[k].operation != "total":
            return False
        terms = math.prod(here.build.shape(nodes[k].operands[0])) // max(math.prod(nodes[k].shape), 1)
        if edit.multiple.value != Fraction(1, max(terms, 1)):
            return False
    return True


def _holds_entry(here: Measured, edit: Edit) -> bool:
    """Tell whether what is put in stands there already: its power is another."""
    if edit.form not in ("factor", "quotient") or edit.entry is None:
        return False
    return edit.entry.node in here.build.nodes[edit.site.nodes[0]].operands


def _undoes(here: Measured, edit: Edit) -> bool:
    """Tell whether a number stands at a site that a factor turns into 1."""
    build = here.build
    node = build.nodes[edit.site.nodes[0]]
    for position, i in enumerate(node.operands):
        still = not build.shape(i) and not build.moving[i]
        if still and (node.operation, position) in (("multiply", 0), ("multiply", 1), ("divide", 1)):
            number = float(here.values[i])
            size = 1 / number if node.operation == "divide" else number
            if abs(size * float(edit.multiple.value) - 1) <= 1e-9:
                return True
    return False


def _outermost(chosen: Edit, others: Sequence[Edit]) -> Edit:
    """Return the largest expression around a change that the same change makes right."""
    inner = None if chosen.site.origin is None else resolved(chosen.site.origin)
    for edit in reversed(others):
        outer = None if edit.site.origin is None else resolved(edit.site.origin)
        if inner is not None and outer is not None and outer.contains(inner):
            return edit
    return chosen


def _with_another(chosen: Edit, others: Sequence[Edit]) -> Edit:
    """Add the nearest line above in which the same change does as well, as nothing decides between them."""
    own = None if chosen.site.origin is None else resolved(chosen.site.origin)
    spans = [(one.site, None if one.site.origin is None else resolved(one.site.origin)) for one in others]
    above = [(s.line, len(s.text), site) for site, s in spans if s and own and s.file == own.file and s.line < own.line]
    return replace(chosen, beside=max(above, key=lambda one: one[:2])[2]) if above else chosen


class _Known:
    """The values of function and derivative, by their size; of several elements their multiples are known as well."""

    def __init__(self, here: Measured) -> None:
        self.here = here
        self.values: dict[int, list[Floats]] = {}
        for k in here.build.needed([here.pair.F, here.pair.D]):
            value = np.sort(here.values[k].reshape(-1))
            if np.isfinite(value).all() and value.size:
                self.values.setdefault(value.size, []).append(value)

    def mends(self, edit: Edit) -> bool:
        """Tell whether all values of a site are known after a change, and not before."""
        return self.has(edit) and not self.had(edit)

    def has(self, edit: Edit) -> bool:
        """Tell whether all values of a site, after a change, are known."""
        build = self.here.build
        values = [edit.changed(build, number, k) for number, k in enumerate(edit.site.values(build))]
        return all(self._knows(self.here.of(k), edit) for k in values)

    def had(self, edit: Edit) -> bool:
        """Tell whether all values of a site are known as they are."""
        return all(self._knows(self.here.values[k], edit) for k in edit.site.values(self.here.build))

    def _knows(self, value: Floats, edit: Edit) -> bool:
        value = np.sort(value.reshape(-1))
        size = float(np.linalg.norm(value))
        if not np.isfinite(size) or not size:
            return False
        for other in self.values.get(value.size, ()):
            if edit.form == "scale" or value.size < _SEVERAL:
                near = float(np.max(np.abs(value - other))) <= 1e-9 * size
            else:
                ratio = float(np.linalg.norm(other)) / size
                turned = [value * ratio - other, value * ratio + other[::-1]]
                near = min(float(np.max(np.abs(one))) for one in turned) <= 1e-9 * size * ratio
            if near:
                return True
        return False


def _store(here: Measured, sites: Sequence[Site], limit: int) -> Store:
    """Collect what may be put in: of large arrays what the codes compute, or nothing, as the operations allow."""
    build, pair = here.build, here.pair
    own = {*pair.function.origins, *pair.gradient.origins}
    shelves = shelves_of(here, own)
    if not _is_affordable(shelves, sites, limit):
        shelves = shelves_of(here, own, alone=True)
    if not _is_affordable(shelves, sites, limit):
        shelves = {}
    shapes = [build.shape(k) for k in here.values]
    sizes = sorted({n for shape in shapes for n in (*shape, math.prod(shape)) if n > 1})[:40]
    numbers = [float(v) for k, v in here.values.items() if not v.shape and not build.nodes[k].operands]
    # those that people write, not those that were computed
    held = dict.fromkeys(v for v in numbers if float(f"{v:.6g}") == v)
    series: dict[int, dict[tuple[int, ...], None]] = {}
    for site in (*sites, *sites_of(build, pair.F, pair.function.origins)):
        if len(site.nodes) > 1:
            series.setdefault(len(site.nodes), {})[tuple(site.values(build))] = None
    multiples = Multiples(sizes, list(held)[:40])
    by_count = {count: tuple(found) for count, found in series.items()}
    return Store(shelves, by_count, multiples, lengths_of(here), own)


def _is_affordable(shelves: Mapping[Shape, Shelf], sites: Sequence[Site], limit: int) -> bool:
    return len(sites) * (_SITE + 6 * sum(shelf.rows.size for shelf in shelves.values())) <= limit
