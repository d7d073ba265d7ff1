"""Draw pairs of a function and a gradient with a known truth, and count the false words of diffcompare.

    python -m tests.quality.fuzz --count 2000 --jobs 2

Each pair is judged traced as it is, traced as large codes are, with the gradient opaque (through text), and with both
opaque. The truth comes from mpmath. A pair is the same for each seed and number. Prints how often each word was said
and was false, and for each kind of fault code that shows it. Ends with 1 if anything was false.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence

from .drawing import draw
from .judging import SETTINGS, judge
from .referee import Fault
from .shrinking import reproducer, shrunk
from .workers import outcomes

_WORDS = ("consistent", "wrong", "inconclusive", "non-smooth", "out-of-domain")
_KINDS = ("smooth", "rough", "kink", "jump", "domain", "unknown")
# code of one kind of fault is printed so often
_SHOWN = 1


def show(fault: Fault, index: int, seed: int, limit: float, causes: bool) -> str:
    """Return a fault with the shortest code that shows it."""
    drawn = draw(index, seed)
    if fault.setting == "?":
        return f"{fault.word}: {fault.why}\n{drawn.source}\nx = {drawn.x}"

    def shows(candidate: object) -> bool:
        found = judge(candidate, settings=_settings(fault), limit=min(limit, 5.0), causes=causes)  # type: ignore[arg-type]
        return any(f.kind == fault.kind for f in found.faults)

    least = drawn if fault.word == "hang" else shrunk(drawn, shows)
    again = judge(least, settings=_settings(fault), limit=limit, causes=causes)
    detail = next((f.detail for f in again.faults if f.kind == fault.kind), fault.detail)
    return f"{detail}\n\n{reproducer(least, fault.setting, fault.why)}"


def _settings(fault: Fault) -> tuple[str, ...]:
    return ("traced", fault.setting) if fault.why == "traced it is consistent" else (fault.setting,)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the fuzz; 0 if nothing was false and nothing raised."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.fuzz", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--count", type=int, default=2000, metavar="N", help="how many pairs (2000)")
    parser.add_argument("--start", type=int, default=0, metavar="K", help="the number of the first (0)")
    parser.add_argument("--seed", type=int, default=0, help="another sequence of pairs (0)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many processes (1)")
    parser.add_argument(
        "--limit",
        type=float,
        default=20.0,
        metavar="SECONDS",
        help="of the processor, for one check (20); twenty times as long on the clock",
    )
    parser.add_argument("--thin", action="store_true", help="traced; one pair of five in another setting too, by turns")
    parser.add_argument("--causes", action="store_true", help="search for causes too")
    chosen = parser.parse_args(arguments)
    if chosen.count < 1 or chosen.jobs < 1:
        parser.error("--count and --jobs must be at least 1")
    options = {"seed": chosen.seed, "limit": chosen.limit, "causes": chosen.causes}
    words: Counter[tuple[str, str, str]] = Counter()
    faults: dict[tuple[str, str, str], list[tuple[int, Fault]]] = {}
    unknown: Counter[str] = Counter()
    delicate, checks, seconds, truth, slowest, faulty = 0, 0, 0.0, 0.0, (0.0, -1), 0
    start = time.monotonic()
    indices = range(chosen.start, chosen.start + chosen.count)
    for done, found in enumerate(outcomes(indices, jobs=chosen.jobs, thin=chosen.thin, **options), 1):
        seconds, truth = seconds + found.seconds, truth + found.truth_seconds
        checks += found.checks
        slowest = max(slowest, (found.seconds, found.index))
        if found.unknown:
            unknown[found.unknown] += 1
        delicate += found.delicate
        if not found.delicate:
            words.update(found.words)
        faulty += bool(found.faults)
        for fault in found.faults:
            if fault.kind not in faults:
                print(f"number {found.index}: {' | '.join(fault.kind)}", file=sys.stderr, flush=True)
            faults.setdefault(fault.kind, []).append((found.index, fault))
        if done % max(100, chosen.count // 50) == 0:
            print(f"{done} pairs, {faulty} with a fault, {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    table(words, faults)
    print(
        f"\n{chosen.count} pairs, {checks} checks: false words "
        f"{sum(len(v) for k, v in faults.items() if k[1] in _WORDS)}, exceptions "
        f"{sum(len(v) for k, v in faults.items() if k[1] in ('exception', 'crash'))}, hangs "
        f"{sum(len(v) for k, v in faults.items() if k[1] == 'hang')}; in {faulty} pairs\n"
        f"{delicate} pairs where rounding decides a branch ({delicate / chosen.count:.1%}), {sum(unknown.values())} of "
        f"unknown truth {dict(unknown.most_common(6))}\n"
        f"{1000 * seconds / chosen.count:.0f} ms a pair in diffcompare, {1000 * truth / chosen.count:.0f} ms for the "
        f"truth; the slowest {slowest[0]:.1f} s (number {slowest[1]}); {time.monotonic() - start:.0f} s in all"
    )
    for kind, met in sorted(faults.items(), key=lambda item: -len(item[1])):
        print(f"\n===== {' | '.join(kind)}: {len(met)} times; numbers {[i for i, _ in met[:20]]}")
        for index, fault in met[:_SHOWN]:
            print(show(fault, index, **options), flush=True)
    return 1 if faults else 0


def table(words: Counter[tuple[str, str, str]], faults: dict[tuple[str, str, str], list[tuple[int, Fault]]]) -> None:
    """Print how often each word was said of which truth, and how often it was false."""
    print(f"{'':16} {'word':14}" + "".join(f"{kind:>9}" for kind in _KINDS) + f"{'false':>9}")
    for setting in SETTINGS:
        for word in _WORDS:
            counts = [words[setting, word, kind] for kind in _KINDS]
            false = sum(len(met) for (s, w, _), met in faults.items() if (s, w) == (setting, word))
            print(f"{setting:16} {word:14}" + "".join(f"{n:9}" for n in counts) + f"{false:9}")


if __name__ == "__main__":
    sys.exit(main())
