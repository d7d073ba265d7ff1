"""Changes of a gradient's code that may take the error away.

Where the gradient is affine in a value, two sums of the error with weights drawn at random tell whether a change may
do, and which number goes with it; elsewhere the simplest changes are worth a trial.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import islice

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
    cost : float
        How far it is from what people do most often.
    entry : Entry or None
        What is put in.
    turn : Turn or None
        What is done with the value.
    each : tuple of int
        What is put in each time that the site ran, where that is not the same.
    told : bool
        Whether two sums tell that it may do.
    beside : Site or None
        Another place, above, where the same change does as well.
    """

    site: Site
    form: str
    multiple: Multiple
    cost: float
    entry: Entry | None = None
    turn: Turn | None = None
    each: tuple[int, ...] = ()
    told: bool = True
    beside: Site | None = None

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

    ``lengths``: of how many operations each node is made; ``own``: the nodes that the user's code computes.
    """

    shelves: Mapping[Shape, Shelf]
    series: Mapping[int, tuple[tuple[int, ...], ...]]
    multiples: Multiples
    lengths: Mapping[int, int]
    own: Container[int]


def edits_of(here: Measured, sites: Sequence[Site], store: Store, *, trials: int) -> Iterator[Edit]:
    """Yield the changes that may explain the error; of those that no sums tell no more than ``trials``."""
    for site in sites:
        turned = list(turns_of(here, site))
        yield from _told(here, site, turned, store)
        if not here.is_affine(site):
            some = list(islice(_tried(here, site, [turn for turn, _ in turned], store), trials))
            trials -= len(some)
            yield from some


def _told(here: Measured, site: Site, turned: Sequence[tuple[Turn, list[Floats]]], store: Store) -> Iterator[Edit]:
    """Yield the changes of a site of which two sums tell that they may do."""
    slopes = here.slopes_at(site)
    if slopes is None:
        return
    values = [here.values[k] for k in site.values(here.build)]
    own = _sums(slopes, values)
    computed = _is_computed(here, site)
    wanted = own - here.sums
    # a variable is no result, but may be used without its factor
    used = computed or (site.operand is not None and all(here.build.moving[k] for k in site.values(here.build)))
    multiple = _common(wanted, own, store, short=True) if used else None
    if multiple is not None:
        yield Edit(site, "scale", multiple, _scaling(multiple))
    for turn, others in turned:
        multiple = _common(wanted, _sums(slopes, others), store)
        if multiple is not None:
            extra = 0.0 if multiple.value == 1 else 2.0 + multiple.cost
            yield Edit(site, "turn", multiple, turn.cost + extra, turn=turn)
    if not computed and here.build.nodes[site.values(here.build)[0]].operands:
        return
    if all(v.shape == values[0].shape for v in values):
        yield from _put_in(here, site, slopes, values, wanted, store)
    if len(values) > 1:
        yield from _in_series(here, site, slopes, values, wanted, store)


def _tried(here: Measured, site: Site, turns: Sequence[Turn], store: Store) -> Iterator[Edit]:
    """Yield the simplest changes of a site in which the gradient is not affine."""
    build, values = here.build, site.values(here.build)

    trial = partial(Edit, site, told=False)
    for multiple in _MULTIPLES:
        yield trial("scale", multiple, _scaling(multiple))
    for turn in turns:
        yield trial("turn", _ONE, turn.cost, turn=turn)
    shelf = store.shelves.get(build.shape(values[0]))
    for entry in () if shelf is None else shelf.entries:
        # another number in place of a number, another value of the code in place of a value
        still = not build.nodes[values[0]].operands
        if entry.node in store.own or (still and not build.nodes[entry.node].operands):
            yield trial("replace", _ONE, _BASES["replace"] + _LENGTH * entry.size, entry)
    for nodes in store.series.get(len(values), ()) if len(values) > 1 else ():
        yield trial("replace", _ONE, 2.1, Entry(nodes[0], same_node, 1), each=nodes)
    numbers = store.shelves.get(())
    for entry in () if numbers is None or not _is_guarded(here, site) else numbers.entries:
        # a constant that keeps a number from 0
        if entry.form == "{}" and not build.nodes[entry.node].operands and 0 < here.values[entry.node] < 1:
            yield trial("addend", _ONE, 1.5, entry)


_ONE = Multiple(Fraction(1), "1", 0.0)
_MULTIPLES = (
    *(Multiple(Fraction(c), c, 0.1) for c in ("-1", "2", "1/2", "10", "1/10")),
    Multiple(math.pi / 180, "pi/180", 0.1), Multiple(180 / math.pi, "180/pi", 0.1),
)  # fmt: skip


def _scaling(multiple: Multiple) -> float:
    """Return the price of a factor: signs are forgotten most often."""
    return 0.5 if multiple.value == -1 else 1 + multiple.cost


def _is_guarded(here: Measured, site: Site) -> bool:
    """Tell whether a site is a divisor, or the argument of a logarithm or a root."""
    names = [(here.build.nodes[k].operation, site.operand) for k in site.nodes]
    return site.operand is not None and set(names) <= {("divide", 1), ("log", 0), ("sqrt", 0)}


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
    for shelf in store.shelves.values():
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


_MADE_OF = frozenset({"add", "subtract", "negative", "multiply", "divide", "reshape", "broadcast"})
# the price of a square, and beside others of what holds the value for which it stands, and of a number
_SQUARED, _PART, _NUMBER = 1.5, 0.4, 0.25
_BASES = {"replace": 2.0, "factor": 2.2, "quotient": 2.3, "addend": 2.5}


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
                cost = _base(form, site, here, store) + _besides(form, multiple)
                yield Edit(site, form, multiple, cost, entry, each=nodes)


def _besides(form: str, multiple: Multiple) -> float:
    """Return the price of a number beside what is put in."""
    return 0 if multiple.value == 1 or (form == "addend" and multiple.value == -1) else 1 + multiple.cost


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
        still = not shelf.shape and not here.build.moving[entry.node]
        if still and form != "replace" and (form != "addend" or abs(multiple.value) != 1):
            # that number is told as a multiple, and any number is a multiple of another
            continue
        cost = base + _LENGTH * entry.size + _besides(form, multiple) + _NUMBER * still
        if form == "factor" and entry.form == "{}" and entry.node in site.values(here.build):
            cost = _SQUARED + _LENGTH * entry.size
        elif form == "replace" and any(_is_part(here.build, k, entry.node) for k in site.values(here.build)):
            cost += _PART
        yield Edit(site, form, multiple, cost, entry)


def _is_part(build: ArrayBuilder, part: int, whole: int, depth: int = 3) -> bool:
    """Tell whether a value is a factor or a term of another, so that the rest is what is missing."""
    node = build.nodes[whole]
    inner = node.operands if depth and node.operation in _MADE_OF else ()
    return any(i == part or _is_part(build, part, i, depth - 1) for i in inner)


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
