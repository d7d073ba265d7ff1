"""Gathering the comparisons of a pytest run: every process writes what it hears, the first one makes the report.

A process appends one line of JSON after each test that made comparisons, to a file of its own. So a worker that
crashes takes its current test with it and no other, and the report does not depend on how tests were spread.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from diffcompare.errors import DiffcompareError
from diffcompare.testing.heard import GOOD, Heard
from diffcompare.testing.record import listening

__all__ = ["RunReport", "read_parts"]

_PARTS = "diffcompare_parts"


class RunReport:
    """The hooks of one process of a run."""

    def __init__(self, config: pytest.Config, directory: str) -> None:
        self.directory = Path(directory)
        self.place = config.invocation_params.dir / directory
        self.said = ""
        # a worker of pytest-xdist is told where the first process collects
        told = getattr(config, "workerinput", {}).get(_PARTS)
        self.is_worker = hasattr(config, "workerinput")
        self.parts = Path(told) if told else Path(tempfile.mkdtemp(prefix="diffcompare-"))
        self.heard: dict[str, Heard] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Refuse a directory that cannot hold the report, before the first test."""
        if not self.is_worker:
            from diffcompare.report.comparisons_page import FILES
            from diffcompare.report.writing import check_directory

            try:
                check_directory(self.place, FILES)
            except DiffcompareError as error:
                raise pytest.UsageError(f"--diffcompare-report={self.directory}: {error}") from None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of pytest-xdist where its part goes."""
        node.workerinput[_PARTS] = str(self.parts)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Listen while fixtures are made."""
        is_property = bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
        self.heard[item.nodeid] = Heard(item.nodeid, is_property)
        with listening(self.heard[item.nodeid].listen):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Listen while the test runs."""
        with listening(self.heard[item.nodeid].listen):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Listen while fixtures are taken down."""
        with listening(self.heard[item.nodeid].listen):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note how the test ended; after its last phase write what was heard."""
        # not in a hook of the whole test: a process that was forked for one test ends before that
        report: Any = yield
        heard = self.heard[item.nodeid]
        if report.failed:
            heard.outcome = "failed"
        elif report.skipped and heard.outcome == "passed":
            heard.outcome = "xfailed" if hasattr(report, "wasxfail") else "skipped"
        if report.when == "teardown":
            del self.heard[item.nodeid]
            if heard.lines:
                _append(self.parts, heard)
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Make the report, once all workers are done."""
        if self.is_worker:
            return
        from diffcompare.report.comparisons_page import write_comparisons

        comparisons = read_parts(self.parts)
        try:
            page = write_comparisons(comparisons, self.place)
        except DiffcompareError as error:
            self.said = f"diffcompare: the report was not written: {error}"
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            return
        bad = sum(comparison["status"] not in GOOD for comparison in comparisons)
        words = "1 comparison" if len(comparisons) == 1 else f"{len(comparisons)} comparisons"
        but = f", {bad} not good" if bad else ""
        self.said = f"diffcompare: {words}{but}: {self.directory / page.name}"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say where the report is."""
        if self.said:
            terminalreporter.write_line(self.said)

    def pytest_unconfigure(self) -> None:
        """Take the parts away."""
        if not self.is_worker:
            shutil.rmtree(self.parts, ignore_errors=True)


def _append(folder: Path, heard: Heard) -> None:
    line = json.dumps(heard.plain(), ensure_ascii=True) + "\n"
    with (folder / f"{os.getpid()}.jsonl").open("a", encoding="ascii") as file:
        file.write(line)


def read_parts(folder: Path) -> list[dict[str, Any]]:
    """Read what the processes of a run wrote, in the order of the tests' names.

    Parameters
    ----------
    folder : Path
        Files of lines of JSON, one line a test; a last line that was cut off is left out.

    Returns
    -------
    list of dict
        One entry for each comparison, its test and outcome in it.
    """
    lines: list[tuple[str, str, dict[str, Any]]] = []
    for part in folder.glob("*.jsonl"):
        for text in part.read_text(encoding="ascii").splitlines(keepends=True):
            if text.endswith("\n"):
                content = json.loads(text)
                lines.append((content["test"], text, content))
    return [
        {"test": test, "outcome": content["outcome"], **comparison}
        for test, _, content in sorted(lines, key=lambda line: line[:2])
        for comparison in content["comparisons"]
    ]
