"""Judge gradients of published packages, as their users call them, and bugs that are planted in them.

    python -m tests.quality.packages
    python -m tests.quality.packages --package statsmodels --totals
    python -m tests.quality.packages --right

Packages that are not installed are named and left out: ``pip install '.[packages]'``. Ends with 1 if a right gradient
is called wrong, or a bug consistent that is larger than the stated resolution.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from .judging import PACKAGES, RIGHT, Judged, judge, pairs_of, totals


def told(one: Judged) -> str:
    """Return what was said, in a line."""
    how = "opaque" if one.opaque else "traced"
    said = f"{one.pair.name:36} {one.gradient:19} {how} {one.status:13} {one.evidence:10} {one.seconds:6.2f} s"
    return f"{said}  {one.cause}".rstrip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the pairs; 0 if nothing false was said."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.packages", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--package", choices=[*PACKAGES], help="the pairs of one package")
    parser.add_argument("--pair", metavar="NAME", help="the pairs whose names begin so")
    parser.add_argument("--right", action="store_true", help="the right gradients alone, as they are")
    parser.add_argument("--sample", action="store_true", help="each tenth pair")
    parser.add_argument("--totals", action="store_true", help="print the totals alone")
    chosen = parser.parse_args(arguments)
    said: list[Judged] = []
    for package in [chosen.package] if chosen.package else PACKAGES:
        try:
            pairs = pairs_of(package)[:: 10 if chosen.sample else 1]
        except ModuleNotFoundError as error:
            print(f"{package}: left out, {error}")
            continue
        some: list[Judged] = []
        named = [one for one in pairs if one.name.startswith(chosen.pair or "")]
        for one in judge(package, named, planted=not chosen.right):
            some.append(one)
            if not chosen.totals:
                print(told(one), flush=True)
        print(f"{package}: {totals(some)}", flush=True)
        said += some
    print(f"all: {totals(said)}")
    times = [one.seconds for one in said if one.gradient == RIGHT and not one.opaque]
    if times:
        print(f"right and traced: {np.median(times):.2f} s a check at the median, {max(times):.1f} s at most")
    return int(any(one.missed or (one.gradient == RIGHT and one.status == "wrong") for one in said))


if __name__ == "__main__":
    sys.exit(main())
