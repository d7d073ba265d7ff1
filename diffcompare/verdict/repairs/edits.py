"""Changes of a gradient's code that take the error away, to first order along two draws of weights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from diffcompare.floats import Floats
from diffcompare.program.arrays import ArrayBuilder, Shape
from diffcompare.verdict.repairs.measured import Measured
from diffcompare.verdict.repairs.multiples import Multiple, Multiples
from diffcompare.verdict.repairs.pool import Entry, Shelf, same_node
from diffcompare.verdict.repairs.sites import Site
from diffcompare.verdict.repairs.turns import Turn, turns_of

__all__ = ["Edit", "Store", "edits_of"]

# how exactly a factor is known by two sums
_SAME = 1e-6
# a price per operation of what is put in
_LENGTH = 0.15


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a site.

    Parameters
    ----------
    site : Site
    form : str
        ``scale``, ``replace``, ``factor``, ``quotient``, ``addend`` or ``turn``.
    multiple : Multiple
        The number besides.
    entry : Entry or None
        What is put in.
    turn : Turn or None
        What is done with the value.
    cost : float
        How far it is from what people do most often.
    each : tuple of int
        What is put in each time that the site ran, where that is not the same.
    """

    site: Site
    form: str
    multiple: Multiple
    entry: Entry | None
    turn: Turn | None
    cost: float
    each: tuple[int, ...] = ()

    def applied(self, build: ArrayBuilder, G: int) -> int:
        """Return the node of the gradient after the change."""
        changes = {k: partial(self.changed, build, number) for number, k in enumerate(self.site.nodes)}
        if self.site.operand is None:
            return build.edited(G, changes, {})
        return build.edited(G, {}, {(k, self.site.operand): change for k, change in changes.items()})

    def changed(self, build: ArrayBuilder, number: int, value: int) -> int:
        """Return the node of a value of the site after the change; ``number``: which time it ran."""
        if self.turn is not None:
            return _times(build, self.multiple, self.turn.made(build, value))
        shape = build.shape(value)
        other = value if self.entry is None else self.entry.placed(build)
        other = self.each[number] if self.each else other
        match self.form:
            case "scale":
                return _times(build, self.multiple, value)
            case "factor":
                return _times(build, self.multiple, build.apply("multiply", value, other))
            case "quotient":
                return _times(build, self.multiple, build.apply("divide", value, other))
            case "addend":
                return build.apply("add", value, build.broadcast(_times(build, self.multiple, other), shape))
        return _times(build, self.multiple, build.broadcast(other, shape))


def _times(build: ArrayBuilder, multiple: Multiple, node: int) -> int:
    return node if multiple.value == 1 else build.apply("multiply", build.constant(multiple.value), node)


@dataclass(frozen=True, slots=True)
class Store:
    """What a search puts in: values by their shape, values of loops by how often they ran, and names of numbers.

    ``lengths``: of how many operations each node is made.
    """

    shelves: tuple[Shelf, ...]
    series: Mapping[int, tuple[tuple[int, ...], ...]]
    multiples: Multiples
    lengths: Mapping[int, int]


def edits_of(here: Measured, sites: Sequence[Site], store: Store) -> Iterator[Edit]:
    """Yield the changes that may explain the error, as far as two sums tell."""
    for site in sites:
        slopes = here.slopes_at(site)
        if slopes is None:
            continue
        values = [here.values[k] for k in site.values(here.build)]
        own = _sums(slopes, values)
        computed = _is_computed(here, site)
        wanted = own - here.sums
        multiple = _common(wanted, own, store, short=True) if computed else None
        if multiple is not None:
            yield Edit(site, "scale", multiple, None, None, 0.5 if multiple.value == -1 else 1 + multiple.cost)
        for turn, turned in turns_of(here, site):
            multiple = _common(wanted, _sums(slopes, turned), store)
            if multiple is not None:
                extra = 0.0 if multiple.value == 1 else 2.0 + multiple.cost
                yield Edit(site, "turn", multiple, None, turn, turn.cost + extra)
        if computed is False and here.build.nodes[site.values(here.build)[0]].operands:
            continue
        if all(v.shape == values[0].shape for v in values):
            yield from _put_in(here, site, slopes, values, wanted, store)
        if len(values) > 1:
            yield from _in_series(here, site, slopes, values, wanted, store)


_MOVED = frozenset({"reshape", "transpose", "broadcast", "join"})


def _is_computed(here: Measured, site: Site) -> bool:
    """Tell whether something may be missing at a site: data are what they are, and what is moved is computed before."""
    build = here.build
    return all(
        (build.nodes[k].operands or not build.shape(k)) and build.nodes[k].operation not in _MOVED
        for k in site.values(build)
    )


def _sums(slopes: Sequence[tuple[Floats, Floats]], values: Sequence[Floats]) -> Floats:
    pairs = list(zip(slopes, values, strict=True))
    return np.array([sum(float(np.sum(p[j] * v)) for p, v in pairs) for j in (0, 1)])


def _put_in(
    here: Measured, site: Site, slopes: Sequence[tuple[Floats, Floats]], values: Sequence[Floats], wanted: Floats,
    store: Store,
) -> Iterator[Edit]:  # fmt: skip
    """Yield changes that put in the same value each time."""
    shape = values[0].shape
    bare = [np.add.reduce([p[j] for p in slopes]) for j in (0, 1)]
    with np.errstate(all="ignore"):
        scaled = [np.add.reduce([p[j] * v for p, v in zip(slopes, values, strict=True)]) for j in (0, 1)]
    for shelf in store.shelves:
        if not _fits_into(shelf.shape, shape):
            continue
        with np.errstate(all="ignore"):
            plain = np.array([shelf.rows @ _onto(b, shelf.shape).reshape(-1) for b in bare])
            weights = [_onto(b, shelf.shape).reshape(-1) for b in scaled]
            times = np.array([shelf.rows @ w for w in weights])
            over = np.array([(1 / shelf.rows) @ w for w in weights])
        forms = [("addend", -here.sums, plain), ("factor", wanted, times), ("quotient", wanted, over)]
        if math.prod(shelf.shape) == math.prod(shape):
            forms.append(("replace", wanted, plain))
        for form, target, sums in forms:
            single = form in ("factor", "quotient") and not shelf.shape
            base = 1.5 if single else _base(form, site, here, store)
            yield from _chosen(here, site, form, target, sums, shelf, store.multiples, base)


_BASES = {"replace": 2.0, "factor": 2.2, "quotient": 2.3, "addend": 2.4}


def _base(form: str, site: Site, here: Measured, store: Store) -> float:
    # the more is replaced, the less is said
    replaced = _LENGTH / 3 * store.lengths[site.values(here.build)[0]] if form == "replace" else 0.0
    return _BASES[form] + replaced


def _in_series(
    here: Measured, site: Site, slopes: Sequence[tuple[Floats, Floats]], values: Sequence[Floats], wanted: Floats,
    store: Store,
) -> Iterator[Edit]:  # fmt: skip
    """Yield changes that put in what another expression was when it ran as often."""
    for nodes in store.series.get(len(values), ()):
        others = [here.values[k] for k in nodes]
        if any(not _fits_into(o.shape, v.shape) for o, v in zip(others, values, strict=True)):
            continue
        entry = Entry(nodes[0], same_node, 1)
        with np.errstate(all="ignore"):
            forms = [
                ("addend", -here.sums, _sums(slopes, others)),
                ("factor", wanted, _sums(slopes, [v * o for v, o in zip(values, others, strict=True)])),
                ("quotient", wanted, _sums(slopes, [v / o for v, o in zip(values, others, strict=True)])),
            ]
            if all(o.size == v.size for o, v in zip(others, values, strict=True)):
                forms.append(("replace", wanted, _sums(slopes, others)))
        for form, target, sums in forms:
            multiple = _common(target, sums, store)
            if multiple is not None:
                usual = multiple.value == 1 or (form == "addend" and multiple.value == -1)
                cost = _base(form, site, here, store) + (0 if usual else 1 + multiple.cost)
                yield Edit(site, form, multiple, entry, None, cost, nodes)


def _chosen(
    here: Measured, site: Site, form: str, target: Floats, sums: Floats, shelf: Shelf,
    multiples: Multiples, base: float,
) -> Iterator[Edit]:  # fmt: skip
    with np.errstate(all="ignore"):
        c = target[:, None] / sums
        same = np.isfinite(c).all(axis=0) & (np.abs(c[0] - c[1]) <= _SAME * np.abs(c[0])) & (np.abs(c[0]) > 1e-12)
    for k in np.flatnonzero(same).tolist():
        multiple = multiples.named(float(c[0, k]))
        if multiple is None:
            continue
        entry = shelf.entries[k]
        if form != "replace" and not shelf.shape and not here.build.moving[entry.node]:
            # that number is told as a multiple
            continue
        usual = multiple.value == 1 or (form == "addend" and multiple.value == -1)
        yield Edit(site, form, multiple, entry, None, base + _LENGTH * entry.size + (0 if usual else 1 + multiple.cost))


def _common(target: Floats, sums: Floats, store: Store, *, short: bool = False) -> Multiple | None:
    """Return c with target = c·sums for both draws; None where there is none that anybody writes."""
    with np.errstate(all="ignore"):
        c = target / sums
    if not np.isfinite(c).all() or abs(c[0] - c[1]) > _SAME * abs(c[0]):
        return None
    return store.multiples.named(float(c[0]), short=short)


def _fits_into(shape: Shape, onto: Shape) -> bool:
    return len(shape) <= len(onto) and all(a in (1, b) for a, b in zip(shape[::-1], onto[::-1], strict=False))


def _onto(value: Floats, shape: Shape) -> Floats:
    """Sum the axes along which an operand of a shape is repeated."""
    if value.shape == shape:
        return value
    extra = value.ndim - len(shape)
    axes = tuple(a for a, n in enumerate(value.shape) if a < extra or (shape[a - extra] == 1 and n > 1))
    return np.asarray(np.sum(value, axis=axes)).reshape(shape)
