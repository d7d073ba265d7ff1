"""Decisions that are answered otherwise than the floats would: ties and switches flipped, loops continued."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from diffcompare.tracing.places import Place
from diffcompare.tracing.table import Decide

__all__ = ["continuing", "flipping"]


def flipping(numbers: Collection[int]) -> Decide:
    """Answer the guards with these numbers the other way."""
    return lambda number, _, __, ___, answer: answer != (number in numbers)


def continuing(exits: Mapping[Place, bool], rounds: int) -> Decide:
    """Let each loop run for some rounds after it would have ended.

    ``exits`` holds the answer that ends the loop at a place; one round may compare an array of numbers.
    """
    # rounds after the end of the floats, the last round that was seen, and the call that it belongs to
    done: dict[Place, tuple[int, int, int]] = {}

    def decide(_: int, place: Place, visit: int, call: int, answer: bool) -> bool:
        last = exits.get(place)
        if last is None:
            return answer
        count, seen, of = done.get(place, (0, -1, call))
        if call != of or (visit != seen and count > rounds):
            # that loop has ended, perhaps by its range: this is the next one
            count = 0
        if (visit != seen and count) or (not count and answer == last):
            count += 1
        done[place] = count, visit, call
        return answer if not count else last if count > rounds else not last

    return decide
