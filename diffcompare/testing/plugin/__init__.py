"""The pytest plugin: ``--diffcompare-report=DIR`` gathers the comparisons of a test run into tables and pages.

Every pytest run of every user loads this module, so it imports pytest and, where the option is given, the rest.
What :func:`diffcompare.check_gradient` answers is a question of the test's own and is not gathered: a test may well
expect ``wrong``. An assertion's comparison is.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from diffcompare.testing.plugin.listening import Heard

__all__ = ["RunReport", "pytest_addoption", "pytest_configure", "pytest_runtest_setup"]

_PARTS = "diffcompare_parts"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    group = parser.getgroup("diffcompare", "derivatives that were compared")
    group.addoption(
        "--diffcompare-report",
        metavar="DIR",
        help="write every comparison of diffcompare.testing's assertions into DIR, as CSV files and as pages",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start listening, where a report is asked for."""
    directory = config.getoption("diffcompare_report")
    if directory is not None and not config.getoption("collectonly"):
        config.pluginmanager.register(RunReport(config, directory), "diffcompare-report")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Load the assertions before a property is tested whose module knows diffcompare: its first example is timed."""
    module = getattr(item, "module", None)
    if module is None or not getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        return
    homes = {
        value.__name__ if isinstance(value, ModuleType) else value.__module__
        for value in vars(module).values()
        if isinstance(value, ModuleType | FunctionType | type)
    }
    if any(str(home).partition(".")[0] == "diffcompare" for home in homes):
        from diffcompare.testing.loading import load_assertions

        load_assertions()


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
            from diffcompare.errors import DiffcompareError
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
        from diffcompare.testing.plugin.listening import Heard

        is_property = bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
        self.heard[item.nodeid] = Heard(item.nodeid, is_property)
        with self._listening(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Listen while the test runs."""
        with self._listening(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Listen while fixtures are taken down."""
        with self._listening(item):
            return (yield)

    def _listening(self, item: pytest.Item) -> AbstractContextManager[None]:
        from diffcompare.testing.record import listening

        return listening(self.heard[item.nodeid].listen)

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
                from diffcompare.testing.plugin.gathering import append_part

                append_part(self.parts, heard)
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Make the report, once all workers are done."""
        if self.is_worker:
            return
        from diffcompare.errors import DiffcompareError
        from diffcompare.report.comparisons_page import write_comparisons
        from diffcompare.testing.plugin.gathering import read_parts
        from diffcompare.testing.plugin.listening import GOOD

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
