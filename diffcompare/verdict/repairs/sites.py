"""Where the code of a gradient may be changed: its expressions, and what they are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from diffcompare.program.arrays import ArrayBuilder
from diffcompare.tracing.origins import Origin, Origins

__all__ = ["Site", "sites_of"]


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
