"""Studies in parts: the tables of a run, block after block, and the same bytes when a run was killed on the way."""

from __future__ import annotations

import gc
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.command.cli import main
from diffcompare.errors import DiffcompareError
from diffcompare.report import staging
from diffcompare.studies import streaming
from diffcompare.studies.streaming import stream_study
from diffcompare.studies.study import code_loader, read_study, run_study
from diffcompare.tables import parts
from diffcompare.tables.parquet import write_parquet
from diffcompare.tables.parts import part_name

ROOT = Path(__file__).parents[2]
# 2 steps and 3 schemes: 6 rows for each variable of a point
STUDY = """
title = "Streams"
steps = [1e-2, 1e-5]
[[function]]
name = "small"
expr = "exp(x)"
points = [1.0, 2.0]
[[function]]
name = "corner"
expr = "x0*x1 + abs(x0)"
points = [[0.0, 1.0], [2.0, 3.0]]
[[function]]
name = "broken"
expr = "foo(x)"
points = [1.0]
[[function]]
name = "large"
expr = "log(x)"
points = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, -1.0, 11.0, 12.0, 13.0]
[[function]]
name = "last"
expr = "sqrt(x)"
points = [4.0]
"""

# the function and the first coordinate of each
CHUNKS = [
    ("small", 1.0),
    ("corner", 0.0),
    ("corner", 2.0),
    *(("large", k) for k in (1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0)),
    ("last", 4.0),
]


@pytest.fixture(scope="module", autouse=True)
def blocks() -> Iterator[None]:
    """Make the blocks so small that the study has 120 rows in four parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_BLOCK_ROWS", 40)
        patch.setattr(streaming, "_CHUNK_ROWS", 12)
        yield


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, blocks: None) -> Path:
    """The study in parts, of one run: not to be changed."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    stream(folder / "study.toml", folder / "out")
    return folder / "out"


@pytest.fixture
def out(whole: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(whole, tmp_path / "out")


def stream(file: Path, folder: Path, **options: Any) -> Any:
    return stream_study(read_study(file), folder, **options)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def measured_chunks(monkeypatch: pytest.MonkeyPatch, *, stop_at: int = 1_000) -> list[tuple[str, float]]:
    """Note the function and the first coordinate of each chunk that is measured; Ctrl-C at one of them."""
    seen: list[tuple[str, float]] = []
    measure = streaming.measure

    def watched(chunk: Any) -> Any:
        if len(seen) == stop_at:
            raise KeyboardInterrupt
        seen.append((chunk[1].name, chunk[1].points[0][0]))
        return measure(chunk)

    monkeypatch.setattr(streaming, "measure", watched)
    return seen


def test_the_parts_are_the_tables_of_a_run(file: Path, tmp_path: Path) -> None:
    tables, rows = stream(file, tmp_path / "out")
    run = run_study(file)
    assert sorted(contents(tmp_path / "out")) == [*map(part_name, (1, 2, 3, 4)), "functions.parquet", "summary.parquet"]
    found = dc.read_errors(tmp_path / "out")
    pd.testing.assert_frame_equal(found, run.errors, check_exact=True, check_categorical=False)
    assert rows == len(run.errors) == 120
    pd.testing.assert_frame_equal(tables.functions, run.functions)
    assert tables.functions["status"].tolist() == ["ok", "ok", "failed", "ok", "ok"]
    pd.testing.assert_frame_equal(tables.summary, run.summary, check_exact=True, check_categorical=False)
    written = pd.read_parquet(tmp_path / "out" / "summary.parquet")
    assert written["best_h"].dropna().tolist() == run.summary["best_h"].dropna().tolist()
    assert pd.read_parquet(tmp_path / "out" / "functions.parquet")["latex"].tolist() == run.functions["latex"].tolist()


def test_no_part_is_larger_than_a_block_and_small_functions_are_whole(whole: Path) -> None:
    held = [dc.read_errors(whole / part_name(number)) for number in (1, 2, 3, 4)]
    assert [len(part) for part in held] == [36, 36, 36, 12]
    assert [part["function"].unique().tolist() for part in held] == [
        ["small", "corner"],
        ["large"],
        ["large"],
        ["large", "last"],
    ]


@pytest.mark.thorough
def test_only_a_block_is_in_memory(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier: list[weakref.ref[pd.DataFrame]] = []
    write = streaming.write_noted

    def watched(frame: pd.DataFrame, path: Path, note: Any) -> None:
        gc.collect()
        if path.name.startswith("errors"):
            assert [part() for part in earlier] == [None] * len(earlier)
            earlier.append(weakref.ref(frame))
        write(frame, path, note)

    monkeypatch.setattr(streaming, "write_noted", watched)
    stream(file, tmp_path / "out")
    assert len(earlier) == 4


def test_other_workers_write_the_same_bytes(file: Path, tmp_path: Path, whole: Path) -> None:
    with ThreadPoolExecutor(3) as executor:
        stream(file, tmp_path / "three", executor=executor)
    assert contents(tmp_path / "three") == contents(whole)


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("stop_at", [2, 4, 9])
def test_what_was_interrupted_goes_on_and_nothing_is_measured_twice(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Path, stop_at: int
) -> None:
    with monkeypatch.context() as patch:
        before = measured_chunks(patch, stop_at=stop_at)
        with pytest.raises(KeyboardInterrupt):
            stream(file, tmp_path / "out")
    done = contents(tmp_path / "out")
    # three chunks a part; those of a part that was not finished are lost
    assert sorted(done) == [part_name(number) for number in range(1, stop_at // 3 + 1)]
    with monkeypatch.context() as patch:
        after = measured_chunks(patch)
        stream(file, tmp_path / "out", resume=True)
    assert before[: 3 * len(done)] + after == CHUNKS
    assert contents(tmp_path / "out") == contents(whole)


def test_a_part_is_there_in_full_or_not_at_all(
    file: Path, out: Path, monkeypatch: pytest.MonkeyPatch, whole: Path
) -> None:
    (out / part_name(2)).unlink()

    def cut_off(frame: pd.DataFrame, path: Path, note: str) -> None:
        path.write_bytes(b"PAR1 and no more")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(parts, "write_parquet", cut_off)
        with pytest.raises(KeyboardInterrupt):
            stream(file, out, resume=True)
    assert contents(out).keys() - contents(whole).keys() == {f".{part_name(2)}"}
    assert not (out / part_name(2)).exists()
    stream(file, out, resume=True)
    assert contents(out) == contents(whole)


def test_a_part_that_is_cut_off_is_named_with_what_to_do(file: Path, out: Path, whole: Path) -> None:
    part = out / part_name(2)
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(DiffcompareError, match=r"errors-000002\.parquet: .*cut off .*remove a part .* pass --resume"):
        stream(file, out, resume=True)
    part.unlink()
    stream(file, out, resume=True)
    assert contents(out) == contents(whole)


def test_what_is_done_is_not_measured_again(
    file: Path, out: Path, monkeypatch: pytest.MonkeyPatch, whole: Path
) -> None:
    left = measured_chunks(monkeypatch)
    tables, rows = stream(file, out, resume=True)
    assert (left, rows, len(tables.summary)) == ([], 120, 60)
    assert contents(out) == contents(whole)


def test_a_function_that_fails_at_a_point_has_no_rows_from_that_block_on(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = streaming.measure

    def failing(chunk: Any) -> Any:
        if (7.0,) in chunk[1].points:
            raise ValueError("no")
        return measure(chunk)

    def interrupted(chunk: Any) -> Any:
        if chunk[1].name == "last":
            raise KeyboardInterrupt
        return failing(chunk)

    monkeypatch.setattr(streaming, "measure", failing)
    tables, rows = stream(file, tmp_path / "out")
    found = dc.read_errors(tmp_path / "out", columns=["function", "point"])
    assert found["point"][found["function"] == "large"].unique().tolist() == [f"x={k}.0" for k in range(1, 7)]
    assert tables.functions["message"].tolist()[3:] == ["no", ""]
    assert tables.functions["status"].tolist()[3:] == ["failed", "ok"]
    assert rows == len(found) == 78
    # what the parts know of it, the run that goes on knows
    monkeypatch.setattr(streaming, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stream(file, tmp_path / "again")
    monkeypatch.setattr(streaming, "measure", measure)
    stream(file, tmp_path / "again", resume=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "again")


@pytest.mark.parametrize(
    ("old", "new"),
    [("exp(x)", "exp(2*x)"), ("[1.0, 2.0]", "[1.0, 2.5]"), ("1e-5]", "1e-6]"), ('"Streams"', '"Others"')],
)
def test_a_part_of_another_study_is_refused_by_name(file: Path, out: Path, old: str, new: str) -> None:
    for name in ("summary.parquet", "functions.parquet"):
        (out / name).unlink()
    before = contents(out)
    file.write_text(STUDY.replace(old, new), encoding="utf-8")
    with pytest.raises(
        DiffcompareError,
        match=r"^errors-000001\.parquet: belongs to another study, .* to another version \('Streams', diff.*; move",
    ):
        stream(file, out, resume=True)
    assert contents(out) == before


def test_a_part_of_another_version_is_refused(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "__version__", "0.0.9")
    stream(file, tmp_path / "out")
    monkeypatch.undo()
    with pytest.raises(
        DiffcompareError, match=r"summary\.parquet: belongs to another .*'Streams', diffcompare 0\.0\.9"
    ):
        stream(file, tmp_path / "out", resume=True)


def test_code_that_was_changed_is_another_study(file: Path, tmp_path: Path) -> None:
    file.write_text('steps = [1e-2]\n[[function]]\npython = "streamed_code:f"\npoints = [1.0]\n', encoding="utf-8")
    for number, code in enumerate(("x*x", "x*x", "x*x*x"), 1):
        (tmp_path / "streamed_code.py").write_text(f"def f(x):\n    return {code}\n", encoding="utf-8")
        sys.modules.pop("streamed_code", None)
        study = read_study(file, allow_python=True)
        if number == 3:
            with pytest.raises(DiffcompareError, match="belongs to another study"):
                stream_study(study, tmp_path / "out", load=code_loader(file), resume=True)
        else:
            _, rows = stream_study(study, tmp_path / "out", load=code_loader(file), resume=number > 1)
            assert rows == 3
    sys.modules.pop("streamed_code", None)


def test_other_files_are_refused(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(DiffcompareError, match="out: is not empty; choose another directory, or pass --resume"):
        stream(file, out)
    with pytest.raises(DiffcompareError, match=r"out: notes\.txt is no part of a study; choose another directory"):
        stream(file, out, resume=True)
    (out / "notes.txt").unlink()
    write_parquet(run_study(file).errors, out / part_name(1))
    with pytest.raises(DiffcompareError, match=r"errors-000001\.parquet: is no part of a study; move it away"):
        stream(file, out, resume=True)
    assert list(contents(out)) == [part_name(1)]
    with pytest.raises(DiffcompareError, match=r"study\.toml: cannot be used \(File exists\)"):
        stream(file, file)


def test_a_part_that_cannot_be_written_is_named(file: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / f".{part_name(2)}").mkdir(parents=True)
    with pytest.raises(DiffcompareError, match=r"errors-000002\.parquet: cannot be written .*; make room, then pass"):
        stream(file, tmp_path / "out", resume=True)


# ---- the command


def test_the_command_writes_parts_and_goes_on(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], whole: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["run", "study.toml", "--format", "parquet", "--pages", "none", "--out", "out"]
    with monkeypatch.context() as patch:
        measured_chunks(patch, stop_at=4)
        assert main(command) == 130
    assert (
        capsys.readouterr().err == "diffcompare: interrupted; what is done stays in out, and --resume goes on with it\n"
    )
    assert main([*command, "--resume"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("Streams\n5 functions, 120 rows: 6 not-differentiable, 54 within-bound, 1 function failed\n")
    assert "    not-differentiable\n" in said
    assert said.endswith("report: out\n")
    assert contents(tmp_path / "out") == contents(whole)


def test_descents_that_are_left_out_are_said(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file.write_text(
        '[[function]]\nexpr = "x**2"\npoints = [1.0]\nsteps = [1e-2]\n[[descent]]\nfunction = "x**2"\nstart = 1\n'
    )
    assert main(["run", "study.toml", "--format", "parquet", "--pages", "none", "--quiet", "--out", "out"]) == 0
    said = "diffcompare: --pages none: runs no [[descent]] of the study; without it they are in descent.csv\n"
    assert capsys.readouterr().err == said
    assert main(["run", "study.toml", "--quiet", "--out", "pages"]) == 0
    assert capsys.readouterr().err == ""


def test_one_run_at_a_time_works_in_a_directory(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    held = staging.held
    seen: list[object] = []

    @contextmanager
    def watched(folder: Path) -> Iterator[None]:
        with held(folder), pytest.raises(BlockingIOError):
            staging._lock(folder)
        seen.append(folder)
        with held(folder):
            yield
        seen.append(sorted(path.name for path in folder.iterdir())[0])

    monkeypatch.setattr(staging, "held", watched)
    assert main(["run", "study.toml", "--format", "parquet", "--pages", "none", "--quiet", "--out", "new/out"]) == 1
    assert seen == [Path("new/out"), part_name(1)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--pages none", "--pages none: writes the tables in Parquet files alone; add --format parquet"),
        ("--pages none --format parquet --json", "--pages none: .*; leave out --json"),
        ("--resume", "--resume: goes on with parts; add --format parquet --pages none"),
        ("--jobs 2 --dask tcp://a:1", "--jobs, --dask: work goes to processes here, or to a scheduler; choose one"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "no.toml", *options.split()]) == 2
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.thorough
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_was_killed_goes_on(tmp_path: Path, jobs: int) -> None:
    points = [round(0.3 + 0.001 * k, 3) for k in range(60)]
    study = "".join(
        f'[[function]]\nname = "f{k}"\nexpr = "exp(x)/(sin(x)**{k} + cos(x)**{k})"\npoints = {points}\n'
        for k in range(3, 9)
    )
    (tmp_path / "study.toml").write_text(study, encoding="utf-8")
    # small blocks: one function each
    code = (
        "import sys; from diffcompare.studies import streaming; from diffcompare.command.cli import main; "
        "streaming._BLOCK_ROWS = 12_000; sys.exit(main(sys.argv[1:]))"
    )
    options = ["study.toml", "--format", "parquet", "--pages", "none", "--jobs", str(jobs)]
    command = [sys.executable, "-c", code, "run", *options]
    places = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}, "stdout": subprocess.DEVNULL}
    # its workers hold the other end of the pipe, too
    ended, alive = os.pipe()
    killed = subprocess.Popen([*command, "--out", "out"], **places, stderr=alive)
    os.close(alive)
    while killed.poll() is None and not (tmp_path / "out" / part_name(2)).exists():
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    said = b"?"
    while said:
        assert select.select([ended], [], [], 30)[0], "a worker is still there"
        said = os.read(ended, 4096)
    os.close(ended)
    done = {path.name: path.stat().st_ino for path in (tmp_path / "out").glob("errors-*")}
    assert 2 <= len(done) < 6
    with pytest.raises(DiffcompareError, match=rf"out: has {len(done)} of 6 parts; go on with --resume"):
        dc.read_errors(tmp_path / "out")
    assert subprocess.run([*command, "--out", "out", "--resume"], **places).returncode == 0
    assert subprocess.run([*command, "--out", "whole"], **places).returncode == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    # the files that were there were not written again
    assert {name: (tmp_path / "out" / name).stat().st_ino for name in done} == done
