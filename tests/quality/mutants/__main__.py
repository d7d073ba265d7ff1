"""Mutate the core of the project, one place at a time, and see whether a test turns red.

    python -m tests.quality.mutants --count 200 --seed 0

draws places by a seed and runs, in a copy of the project, the tests of the mutated module, those that name it, and then
those of its room. ``--examples`` plants the listed faults instead. ``--jobs N`` tries several at once, and what
``--out FILE`` holds already is not run again. Ends with 0 if every survivor is explained.
"""

from __future__ import annotations

import argparse
import json
import queue
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from .draw import Mutant, draw
from .equivalents import why_equivalent
from .examples import EXAMPLES, mutant_of
from .running import BUDGET, ROOT, Outcome, copy_of_the_project, try_text


def read_outcomes(out: Path | None) -> dict[str, Outcome]:
    """Read what was found before; the last word on a mutant counts."""
    if out is None or not out.is_file():
        return {}
    lines = out.read_text(encoding="utf-8").splitlines()
    return {found.mutant: found for found in (Outcome(**json.loads(line)) for line in lines)}


def run(mutants: Sequence[Mutant], jobs: int, budget: float) -> Iterator[Outcome]:
    """Try mutants, each in a copy that no other one uses at the time."""
    with tempfile.TemporaryDirectory() as scratch:
        free: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for k in range(jobs):
            copy_of_the_project(Path(scratch, f"copy{k}"))
            free.put(Path(scratch, f"copy{k}"))

        def attempt(mutant: Mutant) -> Outcome:
            root = free.get()
            try:
                return Outcome(mutant.name, *try_text(root, mutant.module, mutant.text, budget))
            finally:
                free.put(root)

        with ThreadPoolExecutor(jobs) as pool:
            for done in as_completed([pool.submit(attempt, mutant) for mutant in mutants]):
                yield done.result()


def described(mutant: Mutant, found: Outcome) -> str:
    """One line for what was killed; the change, too, for what was not."""
    head = f"{found.outcome:9} {found.seconds:5.0f} s  {mutant.module}:{mutant.line} {mutant.function} {found.by}"
    if found.outcome in ("killed", "timeout"):
        return head.rstrip()
    change = [f"    - {line}" for line in mutant.old.splitlines()] + [
        f"    + {line}" for line in mutant.new.splitlines()
    ]
    why = why_equivalent(mutant)
    return "\n".join([head.rstrip(), *change, *([f"    equivalent: {why}"] if why else [])])


def summary(mutants: Sequence[Mutant], outcomes: dict[str, Outcome]) -> tuple[str, bool]:
    """Return the share that was killed, and whether every other mutant is explained."""
    left = [mutant for mutant in mutants if outcomes[mutant.name].outcome not in ("killed", "timeout")]
    equivalent = sum(bool(why_equivalent(mutant)) for mutant in left)
    killed, real = len(mutants) - len(left), len(mutants) - equivalent
    share = f"{killed / real:.1%}" if real else "none"
    text = f"{len(mutants)} mutants, {equivalent} equivalent: of the other {real}, {killed} were killed ({share})"
    return text, killed == real


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if every mutant was killed or is equivalent."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many places are drawn")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many mutants at once")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds of the processor for each")
    parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="results are appended and read back")
    parser.add_argument("--examples", action="store_true", help="plant the listed faults instead")
    parser.add_argument("--list", action="store_true", help="print the mutants and run nothing")
    chosen = parser.parse_args(arguments)
    package = ROOT / "diffcompare"
    if chosen.examples:
        mutants = [mutant_of(package, example) for example in EXAMPLES]
    else:
        mutants = draw(package, chosen.count, chosen.seed)
    outcomes = read_outcomes(chosen.out)
    if chosen.list:
        for mutant in mutants:
            print(described(mutant, outcomes.get(mutant.name, Outcome(mutant.name, "drawn", "", 0.0))))
        return 0
    by_name = {mutant.name: mutant for mutant in mutants}
    for found in [outcomes[name] for name in by_name if name in outcomes]:
        print(described(by_name[found.mutant], found))
    # a shell that starts this in the background has Ctrl-C ignored, and tests of Ctrl-C would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for found in run([m for m in mutants if m.name not in outcomes], max(1, chosen.jobs), chosen.budget):
        outcomes[found.mutant] = found
        print(described(by_name[found.mutant], found), flush=True)
        if chosen.out:
            with chosen.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(found)) + "\n")
    text, explained = summary(mutants, outcomes)
    print(text)
    return 0 if explained else 1


if __name__ == "__main__":
    sys.exit(main())
