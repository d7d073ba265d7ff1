"""Loops of traced code that end at a tolerance: how often they run changes with the point."""

from __future__ import annotations

import math
from collections.abc import Sequence

from diffcompare.tracing.places import Place
from diffcompare.tracing.table import Guard, Table

__all__ = ["loop_exits"]


def loop_exits(table: Table, guards: Sequence[Guard]) -> dict[Place, bool]:
    """Return the places where a loop ended because a value had converged, with the answer that ended it.

    One line that compares in run after run: at least two equal answers, then another one. What is compared is made from
    what was compared the round before (a choice that is made for each element is not), and comes down to a small part
    of what it was (a barrier that is crossed does not).
    """
    rounds: dict[tuple[Place, int], list[Guard]] = {}
    zero = table.constant_nodes.get(0.0)
    number, visit = 0, None
    for guard in guards:
        # of an array of comparisons, those of one element belong together
        number, visit = number + 1 if guard.visit == visit else 0, guard.visit
        # a sign is no tolerance
        if zero not in table.builder.nodes[guard.condition].operands:
            rounds.setdefault((guard.place, number), []).append(guard)
    found = {}
    for (place, _), taken in rounds.items():
        start = 0
        for k in range(1, len(taken)):
            if taken[k].answer == taken[k - 1].answer:
                continue
            run = taken[start : k + 1]
            start = k
            if len(run) > 2 and _converges(table, run) and _follows(table, *run[-3:]):
                found[place] = run[-1].answer
                break
    return found


# what is compared in the end, relative to the largest before
_CONVERGED = 2.0**-7


def _converges(table: Table, run: Sequence[Guard]) -> bool:
    sizes = [_compared(table, guard) for guard in run]
    return sizes[-1] <= _CONVERGED * max(sizes) and sizes[-1] < sizes[-2]


def _compared(table: Table, guard: Guard) -> float:
    """Return the size of what is compared with a tolerance: of the difference, where both sides vary."""
    operands = table.builder.nodes[guard.condition].operands
    moving = [table.shadows[i] for i in operands if table.moving[i]]
    return abs(moving[0] - moving[1]) if len(moving) == 2 else abs(moving[0]) if moving else math.inf


def _follows(table: Table, one: Guard, two: Guard, last: Guard) -> bool:
    """Tell whether the last comparison is made from what was new in the one before it.

    That a number is compared once more, as sorting does, makes nothing from it.
    """
    nodes, moving = table.builder.nodes, table.moving
    new = _ancestry(table, two.condition, 6) - _ancestry(table, one.condition, None) - {two.condition}
    again = nodes[two.condition].operands
    made = [i for i in nodes[last.condition].operands if moving[i] and i not in again]
    return any(new & _ancestry(table, i, None) for i in made)


def _ancestry(table: Table, index: int, depth: int | None) -> set[int]:
    """Return the nodes that depend on the variables and that a node is made from, a few levels down or all."""
    nodes, moving = table.builder.nodes, table.moving
    found, level = {index}, [index]
    while level and depth != 0:
        level = list({i for k in level for i in nodes[k].operands if moving[i] and i not in found})
        found.update(level)
        depth = None if depth is None else depth - 1
    return found
