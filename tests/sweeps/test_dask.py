"""Workers of a Dask scheduler: the same bytes as here, also where one of them is killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.command.cli import main
from diffcompare.errors import DiffcompareError
from diffcompare.sweeps import parallel
from diffcompare.sweeps.parallel import dask_workers

STUDY = """
title = "Everywhere"
steps = [1e-1, 1e-4]
[[function]]
expr = "x0*sin(x1)"
points = [[1.0, 2.0], [-0.0, 0.5]]
[[function]]
expr = "log(x)"
points = [-1.0, 2.0]
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two worker processes on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


@pytest.mark.thorough
@pytest.mark.parametrize("forgiven", [3, 0])
def test_a_worker_that_is_killed_changes_no_byte(cluster: Any, forgiven: int) -> None:
    from distributed import Client

    f = dc.parse("exp(x0)/(sin(x1)**3 + cos(x1)**3) + sqrt(x0) + abs(x1)")
    points = np.round(np.random.default_rng(5).uniform(-1, 3, (120, 2)), 2)
    steps = dc.geometric_steps(1e-1, 1e-12, per_decade=2)
    # 0: what was on a worker that is lost fails, and is run here
    cluster.scheduler.allowed_failures = forgiven
    with Client(cluster) as client:
        client.wait_for_workers(2)
        pids = sorted(client.run(os.getpid).values())
        executor = client.get_executor()
        submit, sent = executor.submit, []

        def watched(*arguments: Any) -> Any:
            sent.append(arguments)
            if len(sent) == 4:
                os.kill(pids[0], signal.SIGKILL)
            return submit(*arguments)

        executor.submit = watched
        there = dc.sweep(f, points, steps=steps, executor=executor)
    assert len(sent) == 8
    here = dc.sweep(f, points, steps=steps)
    pd.testing.assert_frame_equal(here, there, check_exact=True, check_categorical=True)
    assert here.to_csv() == there.to_csv()


@pytest.mark.thorough
def test_run_works_on_the_machines_of_a_scheduler(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    before = cluster.scheduler.transition_counter
    assert main(["run", "study.toml", "--quiet", "--out", "there", "--dask", cluster.scheduler_address]) == 0
    assert cluster.scheduler.transition_counter > before
    assert main(["run", "study.toml", "--quiet", "--out", "here"]) == 0
    there, here = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("there", "here"))
    assert there == here


def test_as_many_pieces_are_sent_as_the_workers_can_take() -> None:
    class Client:
        def nthreads(self) -> dict[str, int]:
            return {"one": 2, "two": 2, "three": 1}

    class Executor:
        _client = Client()

    assert parallel._Crew(Executor()).size == 3  # type: ignore[arg-type]


def test_a_scheduler_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(parallel, "_PATIENCE", 0.1)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    for address in ("tcp://127.0.0.1:9", "a b"):
        assert main(["run", "study.toml", "--dask", address]) == 2
        assert capsys.readouterr().err.startswith(f"diffcompare: --dask {address!r}: no scheduler answers there (")
    assert not (tmp_path / "study-report").exists()


def test_without_distributed_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(DiffcompareError, match=r"distributed, which is not installed; pip install distributed"),
        dask_workers("tcp://127.0.0.1:9"),
    ):
        pass
