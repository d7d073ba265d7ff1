"""Judge bugs that were planted in gradients written by hand: are they found, is the cause right, is the place?

    python -m tests.quality.mistakes
    python -m tests.quality.mistakes --aside
    python -m tests.quality.mistakes --random 5 --seed 1 --every 6
    python -m tests.quality.mistakes --derive

The first takes the cases by which rules may be tuned, the second those that were kept aside: whoever tunes looks at
nothing but their totals, which ``--totals`` prints alone. The third draws edits in place of the planted bugs, here in
each sixth case. Ends with 1 if a right gradient is not called consistent, or a bug not wrong. The last writes the
gradients of the functions instead, and ends with 1 if one is not the right one.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from .case import Case
from .corpus import ASIDE, OPEN
from .deriving import derive
from .families import FAMILIES
from .judging import Judged, Right, judge
from .random_edits import with_random_bugs


def told(one: Right | Judged) -> str:
    """Return what was said, in a few lines."""
    if isinstance(one, Right):
        return f"{one.case}: {one.status} by {one.evidence}, {one.seconds:.1f} s"
    first = f"  {one.bug.family}: {one.bug.old!r} -> {one.bug.new!r}"
    second = f"    {one.status} by {one.evidence}, {one.seconds:.1f} s; cause {one.told}, place {one.place}"
    said = [f"    {one.kind}: {one.cause}"] if one.cause else []
    return "\n".join([first, second, *said, *(f"    at {mark}" for mark in one.marks)])


def totals(judged: Sequence[Judged]) -> str:
    """Count causes and places, for each family and for all."""
    rows = [(name, [one for one in judged if one.bug.family == name]) for name in FAMILIES]
    lines = [f"{'':14}{'bugs':>5}{'wrong':>7}  {'cause: right none misleading':30}  place: right elsewhere none"]
    for name, some in [*rows, ("all", list(judged))]:
        if some:
            wrong = sum(one.status == "wrong" for one in some)
            causes, places = Counter(one.told for one in some), Counter(one.place for one in some)
            counted = f"{causes['right']:12}{causes['none']:5}{causes['misleading']:11}"
            placed = f"{places['right']:14}{places['elsewhere']:10}{places['none']:5}"
            lines.append(f"{name:14}{len(some):5}{wrong:7}  {counted:30}  {placed}")
    marks = sum(len(one.marks) for one in judged) / max(1, sum(bool(one.marks) for one in judged))
    return "\n".join([*lines, f"marks in a gradient that has any: {marks:.1f}"])


def derived(cases: Sequence[Case], *, totals: bool) -> int:
    """Write the gradients of the cases; 0 if every one that is written is right."""
    found = []
    for one in derive(cases):
        found.append(one)
        if not totals:
            print(f"{one.case}:\n{one.source or f'refused: {one.refused}'}", flush=True)
    print(f"\nof {len(found)} functions {sum(bool(one.source) for one in found)} gradients were written")
    return int(any(one.wrong for one in found))


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the cases; 0 if every status is right."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.mistakes", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--aside", action="store_true", help="the cases that were kept aside")
    parser.add_argument("--family", choices=[*FAMILIES], metavar="F", help=f"bugs of one family: {', '.join(FAMILIES)}")
    parser.add_argument("--case", metavar="NAME", help="the bugs of one case")
    parser.add_argument("--random", type=int, metavar="N", help="N random edits of each case, in place of its bugs")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="what they are drawn by")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="each K-th case alone")
    parser.add_argument("--totals", action="store_true", help="print the totals alone")
    parser.add_argument("--derive", action="store_true", help="print the gradients that derive writes")
    chosen = parser.parse_args(arguments)
    cases = [one for one in (ASIDE if chosen.aside else OPEN) if chosen.case in (None, one.name)][:: chosen.every]
    if not cases:
        parser.error(f"no case is called {chosen.case}")
    if chosen.derive:
        return derived(cases, totals=chosen.totals)
    if chosen.random:
        cases = [with_random_bugs(one, chosen.random, chosen.seed) for one in cases]
    said: list[Right | Judged] = []
    for one in judge(cases, chosen.family):
        said.append(one)
        if not chosen.totals:
            print(told(one), flush=True)
    rights = [one for one in said if isinstance(one, Right)]
    judged = [one for one in said if isinstance(one, Judged)]
    consistent = [one for one in rights if one.status == "consistent"]
    by_identity = sum(one.evidence == "identity" for one in consistent)
    if rights:
        print(f"\nright gradients: {len(consistent)} of {len(rights)} consistent, {by_identity} by identity")
    print(f"\n{totals(judged)}")
    return int(len(consistent) < len(rights) or any(one.status != "wrong" for one in judged))


if __name__ == "__main__":
    sys.exit(main())
