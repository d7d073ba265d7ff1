"""Where the code of a gradient may be changed: its expressions, and what they are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from diffcompare.program.arrays import ArrayBuilder
from diffcompare.tracing.origins import Origin, Origins
from diffcompare.tracing.places import Written, written
from diffcompare.tracing.spans import is_returned
from diffcompare.verdict.array_pair import ArrayPair

__all__ = ["Blamed", "Site", "sites_of"]


@dataclass(frozen=True, slots=True)
class Site:
    """An expression of the gradient's code, each time that it ran; or an operand of it.

    Parameters
    ----------
    nodes : tuple of int
        The results, in order.
    operand : int or None
        Which operand of these nodes is meant; None for the results themselves.
    origin : Origin or None
        Where the expression is written.
    """

    nodes: tuple[int, ...]
    operand: int | None = None
    origin: Origin | None = None

    def values(self, build: ArrayBuilder) -> list[int]:
        """Return the nodes whose values would be others."""
        if self.operand is None:
            return list(self.nodes)
        return [build.nodes[k].operands[self.operand] for k in self.nodes]


class Blamed:
    """Which instructions of a gradient's code may be to blame.

    What computes the function as well is right, and so is what is called from several places: where it returns what is
    to be changed, the call may be to blame; of several calls the one that is nearest to code of the gradient alone.
    """

    def __init__(self, pair: ArrayPair) -> None:
        first = (pair.function.origins.get(k, ())[:1] for k in pair.build.needed([pair.F]))
        self._used = {_place(one) for found in first for origin in found for one in (origin, *origin.callers())}
        self._origins = pair.gradient.origins
        callers: dict[Written, set[Origin]] = {}
        for origins in pair.gradient.origins.values():
            for one in origins:
                if one.caller is not None:
                    callers.setdefault(written(one.code), set()).add(one.caller)
        self._often = {code for code, found in callers.items() if len(found) > 1}

    def origin(self, site: Site) -> Origin | None:
        """Return the instruction that is to blame; None where that is not known, or none can be."""
        if site.origin is None:
            return None
        place = _place(site.origin)
        calls = [one for one in self._origins.get(site.nodes[0], ()) if _place(one) == place] or [site.origin]
        around = [list(self._around(one, site.operand is None)) for one in calls]
        found = [steps for steps in around if not self._is_shared(steps[-1])]
        return min(found, key=len)[-1] if found else None

    def _around(self, origin: Origin, climbs: bool) -> Iterator[Origin]:
        """Yield an instruction and the calls around it, up to one that is the gradient's alone."""
        yield origin
        while climbs and self._is_shared(origin) and origin.caller is not None and is_returned(origin):
            origin = origin.caller
            yield origin

    def _is_shared(self, origin: Origin) -> bool:
        return _place(origin) in self._used or written(origin.code) in self._often

    def may_be(self, site: Site) -> bool:
        """Tell whether something may be changed at a site."""
        return site.origin is None or self.origin(site) is not None


def _place(origin: Origin) -> tuple[Written, int]:
    return written(origin.code), origin.instruction


def sites_of(build: ArrayBuilder, root: int, origins: Origins) -> list[Site]:
    """List the sites of the code that computes a root, in the order in which they ran first."""
    return list(dict.fromkeys(_sites(build, build.needed([root]), origins)))


def _sites(build: ArrayBuilder, needed: Sequence[int], origins: Origins) -> Iterator[Site]:
    uses = Counter(i for k in needed for i in build.nodes[k].operands)
    groups: dict[Origin | int, list[int]] = {}
    for k in needed:
        if build.nodes[k].operands:
            for origin in origins.get(k, ()) or (k,):
                groups.setdefault(origin, []).append(k)
    for origin, nodes in groups.items():
        place = origin if isinstance(origin, Origin) else None
        for some in _alike(build, nodes):
            yield Site(tuple(some), None, place)
            for position in range(min(len(build.nodes[k].operands) for k in some)):
                if any(_is_own(build, k, build.nodes[k].operands[position], uses) for k in some):
                    yield Site(tuple(some), position, place)


def _is_own(build: ArrayBuilder, node: int, operand: int, uses: Mapping[int, int]) -> bool:
    """Tell whether a use of an operand is a site of its own, apart from the operand as a result.

    What must not be 0 is one, as it may lack a guard.
    """
    return (
        not build.nodes[operand].operands
        or uses[operand] > 1
        or build.nodes[node].operation in ("divide", "log", "sqrt")
    )


def _alike(build: ArrayBuilder, nodes: Sequence[int]) -> list[list[int]]:
    """Sort the nodes of one place by what they do."""
    kinds: dict[tuple[str, tuple[int, ...]], list[int]] = {}
    for k in nodes:
        kinds.setdefault((build.nodes[k].operation, build.nodes[k].shape), []).append(k)
    return list(kinds.values())
