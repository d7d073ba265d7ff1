"""Run the tests of a mutant in a copy of the project: the nearest first, and as many more as a budget allows."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .limits import SPENT

__all__ = ["ROOT", "TESTED_BY", "Outcome", "copy_of_the_project", "nearest_tests", "try_text", "wider_tests"]

ROOT = Path(__file__).parents[3]
# seconds of the processor for the nearest tests of a mutant, and as many for the wider ones; what a single test may
# take beyond them, before it is said to hang
BUDGET, _HANGS = 150.0, 120.0
# tests of other rooms that use a module most, and those of its own room that should come first
TESTED_BY = {
    "adapters/jaxpr.py": ("adapters/test_jax.py",),
    "arithmetic/complex_balls.py": ("sweeps/test_complex_rows.py",),
    "arithmetic/germs.py": ("arithmetic/test_one_sided.py",),
    "arithmetic/jets.py": ("sweeps/test_sweep.py", "sweeps/test_bounds.py"),
    "arithmetic/lipschitz.py": ("sweeps/test_bounds.py",),
    "arithmetic/ranges.py": ("testing/test_strategies.py",),
    "arithmetic/running_error.py": ("arithmetic/roundings/test_narrow.py",),
    "arithmetic/special_balls.py": ("arithmetic/test_special_laws.py", "certify/test_reference.py"),
    "arithmetic/special_jets.py": ("arithmetic/test_special_laws.py", "arithmetic/test_jets.py"),
    "arithmetic/watched.py": ("test_watchdog.py",),
    "arithmetic/watched_answers.py": ("test_watchdog.py",),
    "arithmetic/conditioning.py": ("verdict/test_neighbours.py", "verdict/test_branches.py"),
    "arithmetic/first_order.py": ("program/test_every_operation.py",),
    "certify/higher.py": ("sweeps/test_sweep.py",),
    "numeric/column_groups.py": ("numeric/test_differentiate_arrays.py",),
    "numeric/differentiate.py": ("numeric/test_differentiate_arrays.py", "quality/test_nasty_derivatives.py"),
    "numeric/estimate.py": ("numeric/test_differentiate.py", "quality/test_nasty_derivatives.py"),
    "numeric/lines.py": ("numeric/test_differentiate_arrays.py",),
    "numeric/odd_parts.py": ("numeric/test_differentiate_arrays.py", "quality/test_nasty_vectors.py"),
    "numeric/partials.py": ("numeric/test_differentiate_arrays.py",),
    "numeric/samples.py": ("numeric/test_differentiate.py",),
    "numeric/scales.py": ("numeric/test_differentiate.py", "quality/test_nasty_derivatives.py"),
    "numeric/extrapolation.py": ("numeric/test_differentiate.py",),
    "program/expression.py": ("program/test_expressions.py", "verdict/test_derive.py"),
    "program/expression_adjoint.py": ("verdict/test_derive.py",),
    "program/expressions.py": ("verdict/test_derive.py",),
    "program/numpy_source.py": ("verdict/test_derive.py", "verdict/test_derive_loops.py"),
    "program/numpy_texts.py": ("program/test_expressions.py", "verdict/test_derive.py"),
    "program/operation.py": ("program/test_operations.py", "symbolic/test_parse.py"),
    "program/lines.py": ("verdict/test_check_directional.py",),
    "program/shared_parts.py": ("verdict/test_derive.py",),
    "tracing/special_formulas.py": ("tracing/test_special.py",),
    "tracing/loop_names.py": ("verdict/test_derive_loops.py",),
    "tracing/unfolded.py": ("verdict/test_derive_loops.py",),
    "sweeps/bounds.py": ("properties/test_rows.py",),
    "verdict/loop_slopes.py": ("verdict/test_derive_loops.py",),
    "verdict/identity.py": ("verdict/test_identity.py", "verdict/test_check.py"),
    "verdict/identity_rules.py": ("verdict/test_identity.py", "verdict/test_branches.py", "verdict/test_sides.py"),
    "verdict/traced.py": ("tracing/test_functions.py", "tracing/test_refusals.py"),
    "verdict/scene.py": ("verdict/test_witness.py",),
    "verdict/directions.py": ("verdict/test_witness.py",),
    "verdict/difference.py": ("verdict/test_identity.py",),
    "verdict/tied.py": ("verdict/test_sides.py",),
    "verdict/layouts.py": ("verdict/test_check_arrays.py",),
    "verdict/probing.py": ("verdict/test_witness.py", "verdict/test_neighbours.py"),
    "verdict/rows.py": ("verdict/test_check_arrays.py",),
    "verdict/rewrites/insertions.py": ("verdict/rewrites/test_alternatives.py",),
    "verdict/causes/array_search.py": ("verdict/test_check_arrays.py",),
    "verdict/causes/budget.py": ("verdict/causes/test_nearby.py",),
}
# what uses all modules of a room: code is traced to be judged, and adapters trace
USED_BY = {
    "tracing": (
        "verdict/test_array_identity.py",
        "verdict/test_identity.py",
        "verdict/test_branches.py",
        "verdict/test_sides.py",
    ),
    "adapters": ("verdict/test_check.py",),
    "program": ("verdict/test_derive.py", "certify/test_reference.py", "sweeps/test_sweep.py"),
    "arithmetic": ("certify/test_reference.py", "sweeps/test_sweep.py"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant: ``killed``, ``timeout`` (killed, too), ``survived`` or ``broken`` (pytest failed)."""

    mutant: str
    outcome: str
    by: str
    seconds: float


def copy_of_the_project(target: Path) -> None:
    """Copy the tracked files, and those not yet tracked, as they are in the working tree."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout
    for name in map(os.fsdecode, filter(None, listed.split(b"\0"))):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def nearest_tests(root: Path, module: str) -> list[str]:
    """Return the test module of the same name, those that the table names, and the examples of the module itself."""
    path = Path("tests", module)
    own = [p.relative_to(root).as_posix() for p in sorted((root / path.parent).glob(f"test_{path.stem}*.py"))]
    own += [f"tests/{name}" for name in TESTED_BY.get(module, ()) if (root / "tests" / name).is_file()]
    return [*dict.fromkeys(own), f"diffcompare/{module}"]


def wider_tests(root: Path, module: str) -> list[str]:
    """Return the tests that name the module, the others of the room and those that use it, and those of the whole."""
    room = root / "tests" / Path(module).parts[0]
    dotted = re.compile(rf"\b{re.escape('diffcompare.' + module.removesuffix('.py').replace('/', '.'))}\b")
    package, _, name = module.removesuffix(".py").replace("/", ".").rpartition(".")
    by_name = re.compile(rf"from diffcompare\.{re.escape(package)} import [^\n]*\b{re.escape(name)}\b")
    using = [root / "tests" / name for name in USED_BY.get(Path(module).parts[0], ())]
    every = sorted((root / "tests").rglob("test_*.py"))
    texts = {path: path.read_text(encoding="utf-8") for path in every}
    naming = [path for path in every if dotted.search(texts[path]) or by_name.search(texts[path])]
    whole = [path for folder in ("properties", "conformance") for path in every if path.parent.name == folder]
    inside = [path for path in every if path.is_relative_to(room)]
    # what lets needless work through changes no answer
    wide = [root / "tests" / "test_work.py", *naming, *inside, *using, *whole]
    wide = [path for path in wide if path in texts and path.parent.name != "browser"]
    found = [path.relative_to(root).as_posix() for path in wide]
    near = nearest_tests(root, module)
    return [name for name in dict.fromkeys(found) if name not in near]


def run_tests(root: Path, tests: Sequence[str], budget: float) -> tuple[str, str]:
    """Run tests until the first failure: ``passed``, ``failed``, ``timeout`` or ``broken``, and which failed.

    Only a test that takes far more than the whole budget hangs; a budget that runs out between tests is no failure.
    """
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-x", "-q", "-n", "0", "--no-header"]
    # of an installed diffcompare: the copy has its own
    command += ["--tb=line", "-p", "no:diffcompare.testing.plugin", "-p", "tests.quality.mutants.limits", *tests]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(ROOT)]), "MUTANTS_BUDGET": str(budget)}
    # Python started by a test is one of the project, too
    limited = ["bash", "-c", f'ulimit -t {int(budget + _HANGS)} && exec "$@"', "bash", *command]
    process = subprocess.Popen(
        limited, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        # a machine that others use gives this process a part of its time
        said, _ = process.communicate(timeout=8 * (budget + _HANGS))
    except subprocess.TimeoutExpired:
        return "timeout", " ".join(tests[:2])
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode in (0, 5, SPENT):
        return "passed", ""
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return "timeout", " ".join(tests[:2])
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    return ("failed", failed[0]) if failed else ("broken", said[-2000:])


def try_text(root: Path, module: str, text: str, budget: float = BUDGET) -> tuple[str, str, float]:
    """Put a mutant's text into a copy of the project, run its tests, and put the old text back."""
    file = root / "diffcompare" / module
    source = file.read_text(encoding="utf-8")
    start = time.monotonic()
    _write(file, text)
    try:
        for tests in (nearest_tests(root, module), wider_tests(root, module)):
            answer, by = run_tests(root, tests, budget) if tests else ("passed", "")
            if answer != "passed":
                return {"failed": "killed"}.get(answer, answer), by, time.monotonic() - start
    finally:
        _write(file, source)
    return "survived", "", time.monotonic() - start


def _write(file: Path, text: str) -> None:
    """Write a module; what was compiled of it goes, since a mutant of equal size has often the same second."""
    file.write_text(text, encoding="utf-8")
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()
