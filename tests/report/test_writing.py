from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from diffcompare.errors import DiffcompareError
from diffcompare.report.writing import MANIFEST, check_directory, write_files

NAMES = ["errors.csv", "function-001.html", "index.html"]


def writer(mark: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        for name in [*NAMES, "function-002.html"]:
            (folder / name).write_text(f"{mark} {name}")

    return write


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def content(directory: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in directory.rglob("*") if p.is_file()}


def forge(directory: Path, *files: object, generator: object = "diffcompare") -> None:
    (directory / MANIFEST).write_text(json.dumps({"generator": generator, "files": list(files)}))


def test_files_and_manifest_are_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_files(tmp_path / "a" / "b", NAMES, writer("new"))
    assert names(tmp_path / "a" / "b") == {*NAMES, MANIFEST}
    assert json.loads((tmp_path / "a" / "b" / MANIFEST).read_text())["files"] == sorted(NAMES)


def test_a_second_run_replaces_and_removes_what_the_first_wrote(tmp_path: Path) -> None:
    write_files(tmp_path, [*NAMES[:2], "function-002.html", "index.html"], writer("old"))
    (tmp_path / "notes.txt").write_text("mine")
    write_files(tmp_path, NAMES, writer("new"))
    found = content(tmp_path)
    assert found.pop("notes.txt") == "mine"
    assert json.loads(found.pop(MANIFEST))["files"] == sorted(NAMES)
    assert found == {name: f"new {name}" for name in NAMES}


@pytest.mark.parametrize("foreign", ["index.html", "errors.csv", "function-001.html", MANIFEST])
def test_a_foreign_file_of_the_same_name_stops_everything(tmp_path: Path, foreign: str) -> None:
    (tmp_path / foreign).write_text("mine")
    with pytest.raises(DiffcompareError, match=f"{foreign} is there already and was not written by an earlier report"):
        write_files(tmp_path, NAMES, writer("new"))
    assert content(tmp_path) == {foreign: "mine"}
    assert names(tmp_path) == {foreign}


def test_a_file_that_the_manifest_does_not_list_is_foreign(tmp_path: Path) -> None:
    write_files(tmp_path, ["errors.csv", "index.html"], writer("old"))
    (tmp_path / "function-001.html").write_text("mine")
    before = content(tmp_path)
    with pytest.raises(DiffcompareError, match=r"function-001\.html is there already"):
        write_files(tmp_path, NAMES, writer("new"))
    assert content(tmp_path) == before


def test_a_link_or_a_folder_in_place_of_a_listed_file_is_foreign(tmp_path: Path) -> None:
    out, target = tmp_path / "out", tmp_path / "target.html"
    write_files(out, NAMES, writer("old"))
    target.write_text("mine")
    (out / "index.html").unlink()
    (out / "index.html").symlink_to(target)
    with pytest.raises(DiffcompareError, match=r"index\.html is there already"):
        write_files(out, NAMES, writer("new"))
    assert target.read_text() == "mine"
    (out / "index.html").unlink()
    (out / "index.html").mkdir()
    with pytest.raises(DiffcompareError, match=r"index\.html is there already"):
        write_files(out, NAMES, writer("new"))


@pytest.mark.parametrize(
    "entries",
    [
        ["../victim.txt"],
        ["../out/victim.txt"],
        ["/victim.txt"],
        ["victim.txt"],
        ["index.html", "victim.txt"],
        ["function-001.html/../victim.txt"],
        ["errors.csv\n"],
        [1],
        [["index.html"]],
        [None],
    ],
    ids=str,
)
def test_a_forged_manifest_removes_nothing(tmp_path: Path, entries: list[object]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    forge(out, *entries)
    for victim in (tmp_path / "victim.txt", out / "victim.txt", out / "index.html"):
        victim.write_text("mine")
    before = content(tmp_path)
    with pytest.raises(DiffcompareError, match="is there already"):
        write_files(out, NAMES, writer("new"))
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"files": []}',
        '{"generator": "diffcompare"}',
        '{"generator": "diffcompare", "files": {}}',
        "[" * 100_000,
        "\xff",
    ],
    ids=lambda text: text[:40],
)
def test_a_manifest_that_no_run_wrote_is_foreign(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(DiffcompareError, match=r"manifest\.json is there already"):
        write_files(tmp_path, NAMES, writer("new"))
    assert names(tmp_path) == {MANIFEST}


@pytest.mark.parametrize(
    ("first_run", "failing"), [(True, k) for k in range(1, 5)] + [(False, k) for k in range(1, 6)], ids=str
)
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=repr)
def test_a_failure_half_way_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int, error: BaseException, first_run: bool
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")  # so the files are moved one by one
    if not first_run:
        write_files(out, [*NAMES, "function-002.html"], writer("old"))
    before = content(tmp_path)
    calls = 0
    replace = os.replace

    def fails_once(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == failing:
            raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails_once)
    expected = DiffcompareError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_files(out, NAMES, writer("new"))
    assert content(tmp_path) == before
    assert not [name for name in names(out) if name.startswith(".")]
    monkeypatch.undo()
    write_files(out, NAMES, writer("new"))
    assert names(out) == {*NAMES, MANIFEST, "notes.txt"}


def test_the_old_entry_page_stays_when_even_taking_back_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_files(tmp_path, NAMES, writer("old"))
    replace, calls = os.replace, []

    def breaks_for_good(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) > 2:
            raise OSError(5, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", breaks_for_good)
    with pytest.raises(DiffcompareError, match="Input/output error"):
        write_files(tmp_path, NAMES, writer("new"))
    assert (tmp_path / "index.html").read_text() == "old index.html"
    monkeypatch.undo()
    write_files(tmp_path, NAMES, writer("new"))
    assert (tmp_path / "index.html").read_text() == "new index.html"


def test_the_entry_page_is_moved_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    moved = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (moved.append(Path(b).name), replace(a, b)))
    write_files(tmp_path, NAMES, writer("new"))
    assert moved == [MANIFEST, *NAMES]


def test_at_every_moment_the_manifest_lists_all_that_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_files(tmp_path, ["function-002.html", "index.html"], writer("old"))
    replace, seen = os.replace, []

    def watched(source: Path, target: Path) -> None:
        replace(source, target)
        listed = json.loads((tmp_path / MANIFEST).read_text())["files"]
        seen.append({p.name for p in tmp_path.iterdir() if p.is_file()} - {*listed, MANIFEST, "notes.txt"})

    monkeypatch.setattr(os, "replace", watched)
    write_files(tmp_path, NAMES, writer("new"))
    assert seen == [set()] * 5


def test_a_failing_writer_leaves_nothing_behind(tmp_path: Path) -> None:
    def fails(folder: Path) -> None:
        (folder / "errors.csv").write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_files(tmp_path / "out", NAMES, fails)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DiffcompareError, match=r"directory='.*file': is a file; choose a directory"):
        write_files(tmp_path / "file", NAMES, writer("new"))
    with pytest.raises(DiffcompareError, match=r"directory='.*file': is a file; choose a directory"):
        check_directory(tmp_path / "file", NAMES)
    with pytest.raises(DiffcompareError, match=r"directory='.*below': cannot be written \(Not a directory\); choose"):
        write_files(tmp_path / "file" / "below", NAMES, writer("new"))
    with pytest.raises(DiffcompareError, match=r"cannot be written \(File name too long\); choose"):
        write_files(tmp_path / ("x" * 300), NAMES, writer("new"))
    assert content(tmp_path) == {"file": "mine"}


def test_only_names_of_a_report_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not the name of a report file"):
        write_files(tmp_path, ["../x.html"], writer("new"))
