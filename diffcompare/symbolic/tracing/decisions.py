"""Decisions that are answered otherwise than the floats would: ties and switches flipped, loops continued."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from diffcompare.symbolic.tracing.table import Place

__all__ = ["continuing", "flipping"]


def flipping(numbers: Collection[int]) -> Callable[[int, Place, bool], bool]:
    """Answer the guards with these numbers the other way."""
    return lambda number, _, answer: answer != (number in numbers)


def continuing(exits: Mapping[Place, bool], rounds: int) -> Callable[[int, Place, bool], bool]:
    """Let each loop run for some rounds after it would have ended.

    ``exits`` holds the answer that ends the loop at a place.
    """
    done: dict[Place, int] = {}

    def decide(_: int, place: Place, answer: bool) -> bool:
        last = exits.get(place)
        if last is None:
            return answer
        count = done.get(place, 0)
        if not count and answer != last:
            return answer
        if count >= rounds:
            done[place] = 0
            return last
        done[place] = count + 1
        return not last

    return decide
