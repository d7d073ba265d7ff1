"""Plant each bug of the list in a copy of the project and see whether a test turns red.

    python -m tests.quality.mutants

runs the unchanged suite once, then the suite for every mutant until the first failure: the tests of the module, those
of its folder, then all. ``--only PATTERN`` chooses mutants, ``--jobs N`` runs several at once, and what ``--out FILE``
holds already is not run again. Two or three hours on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from .every import MUTANTS
from .mutant import Mutant

ROOT = Path(__file__).parents[3]
# the test of the list itself sees every mutant, whatever the others do
_OF_THE_LIST = "tests/quality/test_mutants.py"
# where modules without a test module of their own are tested, so that most bugs are found within seconds
TESTED_BY = {
    "adapters/jaxpr.py": ("adapters/test_jax.py",),
    "arithmetic/complex_balls.py": ("sweeps/test_complex_rows.py",),
    "arithmetic/germs.py": ("arithmetic/test_one_sided.py",),
    "arithmetic/jets.py": ("arithmetic/test_laws.py", "sweeps/test_sweep.py", "sweeps/test_bounds.py"),
    "arithmetic/lipschitz.py": ("sweeps/test_bounds.py",),
    "arithmetic/ranges.py": ("testing/test_strategies.py",),
    "arithmetic/running_error.py": ("arithmetic/roundings/test_narrow.py",),
    "arithmetic/special_balls.py": ("arithmetic/test_special_laws.py", "certify/test_reference.py"),
    "arithmetic/special_jets.py": (
        "arithmetic/test_special_laws.py",
        "arithmetic/test_jets.py",
        "sweeps/test_sweep.py",
    ),
    "arithmetic/roundings/special_measurement.py": ("arithmetic/roundings/test_special_constants.py",),
    "arithmetic/watched.py": ("test_watchdog.py",),
    "arithmetic/watched_answers.py": ("test_watchdog.py",),
    "sweeps/bounds.py": ("properties/test_rows.py",),
    "verdict/arguments.py": ("verdict/test_check.py",),
    "verdict/observation.py": ("verdict/test_check.py", "verdict/test_observation.py"),
    "arithmetic/conditioning.py": (
        "arithmetic/test_conditioning.py",
        "verdict/test_neighbours.py",
        "verdict/test_branches.py",
    ),
    "verdict/identity.py": ("verdict/test_check.py",),
    "verdict/identity_rules.py": ("verdict/test_identity.py", "verdict/test_branches.py", "verdict/test_sides.py"),
    "verdict/difference.py": ("verdict/test_identity.py",),
    "verdict/tied.py": ("verdict/test_sides.py",),
    "verdict/judgement.py": ("verdict/test_check.py",),
    "certify/higher.py": ("sweeps/test_sweep.py", "certify/test_reference.py"),
    "sweeps/subject.py": ("sweeps/test_sweep.py", "sweeps/test_split.py"),
    "verdict/ladder.py": ("verdict/test_check.py", "verdict/test_observation.py"),
    "verdict/causes/budget.py": ("verdict/causes/test_nearby.py",),
    "verdict/causes/search.py": ("verdict/causes/test_search.py", "verdict/causes/test_nearby.py"),
    "verdict/guards.py": ("verdict/test_guards.py",),
    "verdict/causes/mistakes.py": ("verdict/causes/test_search.py",),
    "verdict/causes/nearby.py": ("verdict/causes/test_nearby.py",),
    "verdict/causes/program_mistakes.py": ("verdict/causes/test_search.py", "verdict/causes/test_nearby.py"),
    "verdict/causes/finite_differences.py": ("verdict/causes/test_search.py", "verdict/causes/test_nearby.py"),
    "sweeps/predictions.py": ("sweeps/test_sweep.py",),
    "verdict/probing.py": ("verdict/test_witness.py", "verdict/test_neighbours.py"),
    "tables/schema.py": ("sweeps/test_sweep.py", "tables/test_summary.py", "sweeps/test_box_stencils.py"),
    "verdict/verdict.py": ("verdict/test_check.py",),
    "numeric/array_differences.py": ("numeric/test_complex_step.py",),
    "numeric/boxes.py": ("sweeps/test_box_stencils.py",),
    "numeric/extrapolation.py": ("numeric/test_differentiate.py",),
    "numeric/scales.py": ("numeric/test_differentiate.py",),
    "numeric/samples.py": ("numeric/test_differentiate.py",),
    "numeric/quotients.py": ("numeric/test_differences.py", "numeric/test_stencils.py"),
    "numeric/weights.py": ("numeric/test_stencils.py",),
    "program/lines.py": ("verdict/test_check_directional.py",),
    "program/operation.py": ("program/test_operations.py", "symbolic/test_parse.py"),
    "program/scipy_functions.py": ("program/test_every_operation.py",),
    "verdict/causes/array_search.py": ("verdict/test_check_arrays.py",),
    "verdict/layouts.py": ("verdict/test_check_arrays.py",),
    "verdict/rows.py": ("verdict/test_check_arrays.py",),
    "testing/plugin/listening.py": ("testing/plugin/test_plugin.py",),
    "testing/search/judging.py": ("quality/test_worst_point.py",),
    "testing/search/sampling.py": ("quality/test_worst_point.py",),
    "testing/digits.py": ("testing/test_strategies.py", "testing/test_mutations.py", "quality/test_strategies.py"),
    "arithmetic/first_order.py": ("arithmetic/test_first_order.py", "program/test_every_operation.py"),
}
# a mutant may loop for ever: a stage of the suite may take so much longer than the whole unchanged suite
_FACTOR, _LEAST = 4.0, 300.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mutant: ``killed``, ``timeout``, ``survived`` or ``broken`` (pytest itself failed)."""

    mutant: str
    outcome: str
    by: str
    seconds: float


def copy_of_the_project(target: Path) -> None:
    """Copy the tracked files as they are in the working tree."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True).stdout
    for name in map(os.fsdecode, filter(None, listed.split(b"\0"))):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def stages(root: Path, module: str) -> list[list[str]]:
    """Which tests to run, one stage after the other: the likeliest to fail first."""
    path = Path(module)
    folder = Path("tests") / path.parent
    own = [p.relative_to(root).as_posix() for p in sorted((root / folder).glob(f"test_{path.stem}*.py"))]
    own += [f"tests/{name}" for name in TESTED_BY.get(module, ()) if (root / "tests" / name).is_file()]
    found = [[*own, f"diffcompare/{module}"]]
    if folder != Path("tests") and (root / folder).is_dir():
        found.append([folder.as_posix(), *(f"--ignore={one}" for one in own)])
        found.append([f"--ignore={folder.as_posix()}", *(f"--ignore={one}" for one in own)])
    else:
        found.append([f"--ignore={one}" for one in own])
    return found


def run_tests(root: Path, arguments: Sequence[str], limit: float | None) -> tuple[str, str]:
    """Run some tests until the first failure: ``passed``, ``failed``, ``timeout`` or ``broken``, and which failed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider"]
    # of an installed diffcompare: the copy has its own
    command += ["-p", "no:randomly", "-p", "no:diffcompare.testing.plugin", f"--ignore={_OF_THE_LIST}", *arguments]
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return "timeout", " ".join(arguments[:2])
    if done.returncode in (0, 5):
        return "passed", ""
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if not failed:
        return "broken", (done.stdout + done.stderr)[-2000:]
    return "failed", failed[0]


def try_mutant(root: Path, mutant: Mutant, limit: float) -> Outcome:
    """Plant a mutant in a copy of the project, run the suite, take the mutant out again."""
    file = root / "diffcompare" / mutant.module
    source = file.read_text(encoding="utf-8")
    if source.count(mutant.old) != 1:
        return Outcome(mutant.name, "broken", "the old text does not occur exactly once", 0.0)
    start = time.monotonic()
    file.write_text(source.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        for arguments in stages(root, mutant.module):
            answer, by = run_tests(root, arguments, limit)
            if answer != "passed":
                word = {"failed": "killed"}.get(answer, answer)
                return Outcome(mutant.name, word, by, time.monotonic() - start)
    finally:
        file.write_text(source, encoding="utf-8")
    return Outcome(mutant.name, "survived", "", time.monotonic() - start)


def read_outcomes(out: Path) -> dict[str, Outcome]:
    """Read what was found before; the last word on a mutant counts."""
    if not out.is_file():
        return {}
    lines = out.read_text(encoding="utf-8").splitlines()
    return {found.mutant: found for found in (Outcome(**json.loads(line)) for line in lines)}


def print_table(outcomes: dict[str, Outcome], mutants: Sequence[Mutant]) -> None:
    """Print a line for each mutant and the share of those that were killed."""
    counts = dict.fromkeys(("killed", "timeout", "survived", "broken"), 0)
    for mutant in mutants:
        found = outcomes[mutant.name]
        counts[found.outcome] += 1
        why = found.by.splitlines()[-1] if found.by else mutant.survives or "NO TEST FAILED"
        print(f"{found.outcome:9} {found.seconds:6.0f} s  {mutant.name:38} {mutant.breaks}\n{'':22}{why}")
    explained = sum(outcomes[m.name].outcome == "survived" and bool(m.survives) for m in mutants)
    print(
        f"{len(mutants)} mutants: {counts['killed']} killed ({counts['killed'] / len(mutants):.1%}), "
        f"{counts['timeout']} timeouts, {counts['survived']} survived ({explained} of them explained), "
        f"{counts['broken']} broken"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutants; 0 if at least 95 % were killed and every survivor is explained."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.mutants", description=__doc__)
    parser.add_argument("--only", default="", metavar="PATTERN", help="a regular expression that the name must hold")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many mutants at once")
    parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="results are appended and read back")
    parser.add_argument("--list", action="store_true", help="print the names and run nothing")
    chosen = parser.parse_args(arguments)
    mutants = [mutant for mutant in MUTANTS if re.search(chosen.only, mutant.name)]
    if not mutants:
        parser.error(f"--only {chosen.only!r}: no mutant has such a name; see --list")
    if chosen.list:
        print("\n".join(f"{mutant.name:38} {mutant.breaks}" for mutant in mutants))
        return 0
    # a shell that starts this in the background has Ctrl-C ignored, and tests of Ctrl-C would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
    outcomes = read_outcomes(chosen.out) if chosen.out else {}
    due = [mutant for mutant in mutants if mutant.name not in outcomes]
    with tempfile.TemporaryDirectory() as scratch:
        free: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for k in range(max(1, chosen.jobs)):
            copy = Path(scratch) / f"copy{k}"
            copy_of_the_project(copy)
            free.put(copy)
        limit = 0.0
        if due:
            start = time.monotonic()
            root = free.get()
            answer, by = run_tests(root, [], None)
            free.put(root)
            if answer != "passed":
                print(f"the unchanged suite is not green: {answer} {by}", file=sys.stderr)
                return 1
            limit = max(_LEAST, _FACTOR * (time.monotonic() - start))
            print(f"the unchanged suite is green; a stage may take {limit:.0f} s", flush=True)

        def attempt(mutant: Mutant) -> Outcome:
            root = free.get()
            try:
                return try_mutant(root, mutant, limit)
            finally:
                free.put(root)

        with ThreadPoolExecutor(max(1, chosen.jobs)) as pool:
            for done in as_completed([pool.submit(attempt, mutant) for mutant in due]):
                found = done.result()
                outcomes[found.mutant] = found
                print(f"{found.outcome:9} {found.seconds:6.0f} s  {found.mutant}", flush=True)
                if chosen.out:
                    with chosen.out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(found)) + "\n")
    print_table(outcomes, mutants)
    killed = sum(outcomes[m.name].outcome == "killed" for m in mutants)
    unexplained = [m for m in mutants if outcomes[m.name].outcome != "killed" and not m.survives]
    return 0 if killed >= 0.95 * len(mutants) and not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())
