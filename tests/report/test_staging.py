"""A run that is killed at any moment: what a reader finds, and what the next run makes of it."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from diffcompare.errors import DiffcompareError
from diffcompare.report import writing
from diffcompare.report.staging import exchange, left_behind, staging
from diffcompare.report.writing import MANIFEST, check_directory, write_files

from .test_writing import NAMES, content, names, writer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes as POSIX does")

OLD = ["errors.csv", "function-002.html", "index.html"]  # one that the new report replaces, and one that it drops
STEPS = {
    "open", "os.chmod", "os.link", "os.listdir", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.scandir",
    "fcntl.flock", "exchange",
}  # fmt: skip


def killed(at: int, work: Callable[[], object]) -> bool:
    """Do some work in a process that is killed before its k-th step on files; False if it came to its end."""
    child = os.fork()
    if child == 0:
        steps = itertools.count(1)

        def step(event: str, arguments: object) -> None:
            if event in STEPS and next(steps) == at:
                os.kill(os.getpid(), signal.SIGKILL)

        def stepped(one: Path, other: Path) -> bool:
            step("exchange", (one, other))
            return exchange(one, other)

        try:
            writing.exchange = stepped
            sys.addaudithook(step)
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status != 0


def until_it_ends(work: Callable[[], object], again: Callable[[], object]) -> Iterator[int]:
    """Kill the work before its first step, its second one …; make things as they were before each time."""
    for at in itertools.count(1):
        again()
        if not killed(at, work):
            break
        yield at
    assert at > 10


def report(mark: str) -> dict[str, str]:
    return {name: f"{mark} {name}" for name in (OLD if mark == "old" else NAMES)}


def seen(directory: Path) -> dict[str, str]:
    """What a reader of a directory finds there of a report."""
    if not directory.is_dir():
        return {}
    return {p.name: p.read_text() for p in directory.iterdir() if p.is_file() and p.suffix in (".csv", ".html")}


def cleared(directory: Path) -> None:
    for path in sorted(directory.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


@pytest.mark.thorough
@pytest.mark.parametrize("earlier", [False, True])
def test_a_reader_finds_one_whole_report_whenever_the_run_is_killed(tmp_path: Path, earlier: bool) -> None:
    out = tmp_path / "out"

    def again() -> None:
        cleared(tmp_path)
        if earlier:
            write_files(out, OLD, writer("old"))
            out.chmod(0o750)

    found = []
    for _ in until_it_ends(lambda: write_files(out, NAMES, writer("new")), again):
        now = seen(out)
        assert now in ((report("old") if earlier else {}), report("new"))
        found.append(now)
        write_files(out, NAMES, writer("next"))
        assert names(tmp_path) == {"out"}
        assert names(out) == {*NAMES, MANIFEST}
        assert seen(out) == report("next")
        assert not earlier or out.stat().st_mode & 0o777 == 0o750
    assert seen(out) == report("new")
    assert report("new") in found or not earlier
    assert names(tmp_path) == {"out"}


@pytest.mark.thorough
@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("kind", ["foreign", "link", "here"])
def test_what_a_killed_run_moved_one_by_one_is_whole_after_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, earlier: bool
) -> None:
    there, out = tmp_path / "there", tmp_path / "out"
    if kind == "here":
        there.mkdir()
        monkeypatch.chdir(there)
        out = Path()
    mine = {}

    def again() -> None:
        cleared(there)
        if kind != "here":
            cleared(tmp_path)
            there.mkdir()
        if kind == "link":
            out.symlink_to(there)
        if kind == "foreign":
            there.rename(out)
            (out / "notes.txt").write_text("mine")
            (out / "function-007.html").write_text("not listed, so mine")
            mine.update({"notes.txt": "mine", "function-007.html": "not listed, so mine"})
        if earlier:
            write_files(out, OLD, writer("old"))

    for at in until_it_ends(lambda: write_files(out, NAMES, writer("new")), again):
        if at % 2:
            check_directory(out, NAMES)
            pages = {**(report("old") if earlier else {})}
            assert {k: v for k, v in seen(out).items() if k not in mine} in (pages, report("new"))
        else:
            write_files(out, NAMES, writer("next"))
            assert {k: v for k, v in seen(out).items() if k not in mine} == report("next")
            assert names(out) == {*NAMES, MANIFEST, *mine}
        assert not list(tmp_path.rglob(".*"))
        assert {name: (out / name).read_text() for name in mine} == mine
        assert out.is_symlink() == (kind == "link")


@pytest.mark.thorough
def test_the_next_run_may_be_killed_too(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def write() -> None:
        write_files(out, NAMES, writer("new"))

    def again(at: int) -> None:
        cleared(tmp_path)
        out.mkdir()
        (out / "notes.txt").write_text("mine")
        write_files(out, OLD, writer("old"))
        assert killed(at, write)

    again(1)
    moves = sum(1 for _ in until_it_ends(write, lambda: again(1)))
    for first in (moves - 8, moves - 16):
        for _ in until_it_ends(lambda: check_directory(out, NAMES), lambda first=first: again(first)):
            check_directory(out, NAMES)
            assert seen(out) in (report("old"), report("new"))
            assert (out / "notes.txt").read_text() == "mine"
            assert not list(out.rglob(".*"))


def test_the_folder_of_a_running_process_stays(tmp_path: Path) -> None:
    with staging(tmp_path, bool) as folder:
        (folder / "errors.csv").write_text("half")
        write_files(tmp_path / "out", NAMES, writer("new"))
        check_directory(tmp_path, NAMES)
        assert (folder / "errors.csv").read_text() == "half"
    assert names(tmp_path) == {"out"}


def test_folders_that_only_look_like_ours_keep_what_is_not_ours(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "index.html").write_text("mine")
    (tmp_path / ".diffcompare-aaaaaaaaaaaa").symlink_to(elsewhere)
    inside = tmp_path / ".diffcompare-bbbbbbbbbbbb"
    (inside / "kept").mkdir(parents=True)
    (inside / "kept" / "diary.txt").write_text("mine")
    (inside / "index.html").write_text("left behind")
    (tmp_path / ".diffcompare-settings").mkdir()
    (tmp_path / ".diffcompare-settings" / "index.html").write_text("mine")
    (tmp_path / ".diffcompare-cccccccccccc").write_text("mine")
    write_files(tmp_path / "out", NAMES, writer("new"))
    kept = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert kept == {
        "elsewhere/index.html",
        ".diffcompare-bbbbbbbbbbbb/kept/diary.txt",
        ".diffcompare-settings/index.html",
        ".diffcompare-cccccccccccc",
        *(f"out/{name}" for name in (*NAMES, MANIFEST)),
    }


@pytest.mark.parametrize(
    "journal",
    [
        '{"kept": ["../victim.html"], "moved": []}',
        '{"kept": [], "moved": ["victim.html", "index.html"]}',
        '{"kept": [], "moved": ["index.html"]}',
        '{"kept": 3}',
        '{"kept": [',
    ],
)
def test_a_forged_journal_takes_nothing_that_no_report_wrote(tmp_path: Path, journal: str) -> None:
    for name in ("victim.html", "index.html"):
        (tmp_path / name).write_text("mine")
    folder = tmp_path / ".diffcompare-aaaaaaaaaaaa"
    folder.mkdir()
    (folder / "journal.json").write_text(journal)
    with pytest.raises(DiffcompareError, match="is there already"):
        check_directory(tmp_path, NAMES)
    assert content(tmp_path) == {"victim.html": "mine", "index.html": "mine"}
    assert not folder.exists()


def test_a_file_that_comes_into_an_earlier_report_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_files(out, OLD, writer("old"))
    comes = iter([True])

    def late(one: Path, other: Path) -> bool:
        if next(comes, False):
            (out / "notes.txt").write_text("mine")
        return exchange(one, other)

    monkeypatch.setattr(writing, "exchange", late)
    write_files(out, NAMES, writer("new"))
    assert names(tmp_path) == {"out"}
    assert seen(out) == report("new")
    assert names(out) == {*NAMES, MANIFEST, "notes.txt"}


def test_without_a_call_that_exchanges_files_are_moved_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_files(out, OLD, writer("old"))
    monkeypatch.setattr(writing, "exchange", lambda one, other: False)
    before = out.stat().st_ino
    write_files(out, NAMES, writer("new"))
    assert out.stat().st_ino == before
    assert (names(tmp_path), names(out)) == ({"out"}, {*NAMES, MANIFEST})
    assert seen(out) == report("new")


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is a call of Linux")
def test_a_report_is_exchanged_in_one_call(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_files(out, OLD, writer("old"))
    before = out.stat().st_ino
    write_files(out, NAMES, writer("new"))
    assert out.stat().st_ino != before
    with left_behind(tmp_path, bool) as folders:
        assert folders == []
