"""Nothing that belongs to one machine is in a tracked file or a report: no absolute paths, no package registries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from diffcompare.report.page import write_report
from diffcompare.studies.study import run_study

ROOT = Path(__file__).parents[1]

# written so that no pattern matches itself
NEEDLES = {
    "absolute path": re.compile(r"(?<![\w.~*)}\]-])/(?:home|root|tmp|work|Users|private|var/folders)(?![\w.-])"),
    "path of Windows": re.compile(r"(?<!\w)[A-Z]:\\{1,2}(?:Users|Windows|Program|Temp|home|dev)", re.IGNORECASE),
    "package registry": re.compile(
        r"pypi[.]|python[h]osted|index[-_]url\s*=|find[-_]links\s*=|://\S*/simple/\w", re.IGNORECASE
    ),
}
_LOCK_FILES = re.compile(r"(?:.*[.]lock|pylock.*[.]toml|Pipfile[.]lock|package-lock[.]json)", re.IGNORECASE)
_LITTER = {"__pycache__", "build", "dist", "out", "node_modules"}


def tracked_files(root: Path) -> list[Path]:
    """What git tracks; outside a checkout (a source distribution) all that lies there."""
    try:
        git = ["git", "-C", str(root)]
        top = subprocess.run([*git, "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=True).stdout
        if Path(top.removesuffix("\n")).resolve() == root.resolve():
            listed = subprocess.run([*git, "ls-files", "-z"], capture_output=True, check=True).stdout
            files = [root / os.fsdecode(name) for name in listed.split(b"\0") if name]
            return [file for file in files if file.is_file()]
    except (OSError, subprocess.CalledProcessError):
        pass
    return list(_walk(root))


def _walk(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        # dot folders are caches and environments, but for the checks
        hidden = entry.name.startswith(".") and entry.name not in (".ci", ".gitignore")
        if hidden or entry.name in _LITTER or entry.name.endswith(".egg-info"):
            continue
        if entry.is_dir():
            yield from _walk(entry)
        elif entry.suffix != ".pyc":
            yield entry


def findings(file: Path) -> list[str]:
    """Where a file holds what it must not; a binary file holds nothing."""
    found = [f"{file.name}: a lock file pins one registry"] if _LOCK_FILES.fullmatch(file.name) else []
    content = file.read_bytes()
    if b"\0" in content:
        return found
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        found += [f"{file}:{number}: {what}: {line[:120]}" for what, needle in NEEDLES.items() if needle.search(line)]
    return found


@pytest.mark.thorough
def test_tracked_files_name_no_machine() -> None:
    files = tracked_files(ROOT)
    assert Path(__file__) in files
    assert ROOT / "pyproject.toml" in files
    assert [finding for file in files for finding in findings(file)] == []


STUDY = """
[[function]]
expr = "x**2"
points = [1.0]

[[function]]
expr = "x**2 +* 1"
points = [1.0]

[[function]]
expr = "log(x)"
points = [-1.0]

[[descent]]
function = "x**2"
start = 1.0
"""


def test_a_report_names_no_machine(tmp_path: Path) -> None:
    source = tmp_path / "hidden-place" / "study.toml"
    source.parent.mkdir()
    source.write_text(STUDY, encoding="utf-8")
    out = source.parent / "report"
    write_report(run_study(source), out)
    files = [file for file in out.rglob("*") if file.is_file()]
    assert {"index.html", "errors.csv", "functions.csv", "manifest.json"} <= {file.name for file in files}
    assert [finding for file in files for finding in findings(file)] == []
    for file in files:
        content = file.read_text(encoding="utf-8")
        assert "hidden-place" not in content
        assert str(ROOT) not in content


@pytest.mark.parametrize(
    "parts",
    [
        ("see /", "home/somebody/x"),
        ("'/", "root'"),
        ("/", "tmp"),
        ("file:///", "tmp/report/index.html"),
        ("cd /", "work/main && ls"),
        ("(/", "Users/somebody)"),
        ("C", ":\\Users\\somebody"),
        ('"c', ':\\\\Users"'),
        ("https://py", "pi.org/project/numpy"),
        ("https://files.python", "hosted.org/packages"),
        ("--index-", "url = https://example.org"),
        ("https://mirror.example.org/", "simple/numpy/"),
    ],
    ids="".join,
)
def test_a_planted_line_is_found(tmp_path: Path, parts: tuple[str, str]) -> None:
    file = tmp_path / "notes.md"
    file.write_text("fine\n" + "".join(parts) + "\n", encoding="utf-8")
    assert len(findings(file)) == 1
    assert ":2:" in findings(file)[0]
    file.write_bytes(b"\0" + "".join(parts).encode())
    assert findings(file) == []


@pytest.mark.parametrize(
    "line", ["tests/work/x", "reports/tmp_path/home", "a/root", "~/work", "../root", "sqrt(x)/roots", r"F:\alpha"]
)
def test_a_harmless_line_is_not_found(tmp_path: Path, line: str) -> None:
    file = tmp_path / "notes.md"
    file.write_text(line, encoding="utf-8")
    assert findings(file) == []


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "pylock.toml", "pylock.dev.toml", "Pipfile.lock"])
def test_a_lock_file_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("", encoding="utf-8")
    assert len(findings(tmp_path / name)) == 1


def test_outside_a_checkout_the_tree_is_walked(tmp_path: Path) -> None:
    for name in ("a.md", "deep/er/b.py", ".ci/run", ".cache/c.py", "deep/__pycache__/d.py", "out/e.html", "f.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert [f.relative_to(tmp_path).as_posix() for f in tracked_files(tmp_path)] == [".ci/run", "a.md", "deep/er/b.py"]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_in_a_checkout_only_what_is_tracked_counts(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in ("kept.md", "scratch.md", "gone.md"):
        (tmp_path / name).write_text("", encoding="utf-8")
    subprocess.run(["git", "-C", str(tmp_path), "add", "kept.md", "gone.md"], check=True)
    (tmp_path / "gone.md").unlink()
    assert tracked_files(tmp_path) == [tmp_path / "kept.md"]
