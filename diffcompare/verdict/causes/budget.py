"""What a search may cost, counted in operations: the same input gives the same answer on every machine."""

from __future__ import annotations

import math
import time

__all__ = ["BALLS", "BUILT", "Budget", "Exhausted"]

# about two seconds of additions of long doubles in arrays
_OPERATIONS = 400_000_000
# such additions that take as long as one operation on balls, and as one node that is built
BALLS, BUILT = 300, 2000


class Exhausted(Exception):  # noqa: N818 - no error: the search ends
    """A search has used its operations up, or its time."""


class Budget:
    """Operations that are left, and whether a search had too few for something: ``is_short``.

    ``seconds``: of the processor, after which it ends whatever is left; the last resort.

    >>> budget = Budget(100)
    >>> budget.spend(60)
    >>> budget.left
    40
    """

    __slots__ = ("is_short", "left", "until")

    def __init__(self, operations: int = _OPERATIONS, seconds: float = math.inf) -> None:
        self.left, self.is_short, self.until = operations, False, time.process_time() + seconds

    def has(self, least: int) -> bool:
        """Tell whether so many are left: for something that is not tried otherwise."""
        self.is_short |= self.left < least
        return self.left >= least

    def spend(self, operations: int) -> None:
        """Take operations off before they are carried out; ``Exhausted`` where too few are left."""
        self.left -= operations
        if self.left < 0 or time.process_time() > self.until:
            raise Exhausted
