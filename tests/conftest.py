"""Which tests are collected: not the thorough ones, unless they or their files are asked for. How they are shared."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

if "PYTEST_XDIST_WORKER" in os.environ:
    # workers share the cores: threads of the linear algebra would spend half of their time on waiting for one another
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# NumPy asks for the number of threads when it is imported
from diffcompare.verdict import verdict
from diffcompare.verdict.causes.mistakes import Cause
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.pointing import Pointed
from diffcompare.verdict.problem import Problem

# the markers of whole folders
_FOLDERS = {"browser": "browser", "benchmarks": "benchmark"}
# folders whose tests are about the places to blame, or about all that a user sees
_OF_PLACES = frozenset({"rewrites", "quality", "examples", "command"})


def _part(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and int(count)):
        raise argparse.ArgumentTypeError(f"{text!r}: write N/COUNT, for example 3/16")
    return int(number) % int(count), int(count)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--part",
        type=_part,
        # what tests start is not asked for a part; workers are told by their options
        default=os.environ.pop("PART_OF_THOROUGH", None),
        metavar="N/COUNT",
        help="of the thorough tests that are asked for the N-th (modulo COUNT) of COUNT parts",
    )


def pytest_configure(config: pytest.Config) -> None:
    # a file that is named is run whole; a part of the thorough tests is run beside the quick ones, collected once
    if config.getoption("--part") or any(".py" in argument for argument in config.invocation_params.args):
        config.option.markexpr = config.option.markexpr.removesuffix(" and not thorough")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if config.option.markexpr == "thorough" and collection_path.is_file():
        # most files have none, and reading them takes as long as a part of those tests
        return True if "thorough" not in collection_path.read_text(encoding="utf-8") else None
    marker = _FOLDERS.get(collection_path.name)
    return True if marker and f"not {marker}" in config.option.markexpr else None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Examples are in the package: files of tests are not collected a second time for them."""
    # pytest's modules of doctests are modules, too
    return [found for found in (yield) if type(found) is pytest.Module]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let every other worker begin with the last file: each finds compiled what the other has read."""
    report = yield
    worker = getattr(collector.config, "workerinput", {}).get("workerid", "gw0")
    if isinstance(collector, pytest.Directory) and int(worker.removeprefix("gw")) % 2:
        report.result.reverse()
    return report


def _thin(items: list[pytest.Item]) -> None:
    """Mark the cases of a test that is mostly thorough, but for the first and every so many after it."""
    met: Counter[str] = Counter()
    for item in items:
        marker = item.get_closest_marker("mostly_thorough")
        if marker and not item.get_closest_marker("thorough"):
            test = item.nodeid.partition("[")[0]
            if met[test] % marker.kwargs["but_each"]:
                item.add_marker("thorough")
            met[test] += 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _thin(items)
    if hasattr(config, "workerinput"):
        # the same order in all; the documents are the longest tests: begun last, they would keep one core waiting
        items.sort(key=lambda item: (item.path.suffix != ".md", item.path))
    part = config.getoption("--part")
    if part is None:
        return
    thorough = [item for item in items if item.get_closest_marker("thorough")]
    left = set(thorough) - set(thorough[part[0] :: part[1]])
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = [item for item in items if item not in left]


def _no_places(_problem: Problem, _judgement: Judgement, cause: Cause | None) -> Pointed:
    return Pointed((), cause)


@cache
def _looks_for_places(path: Path) -> bool:
    here = Path(__file__).parent
    # documents and examples of the package are run, too
    return not path.is_relative_to(here) or not _OF_PLACES.isdisjoint(path.relative_to(here).parts)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Leave out the search for the places to blame: most of the time of a wrong verdict."""
    with pytest.MonkeyPatch.context() as patch:
        if not _looks_for_places(item.path) and not item.get_closest_marker("places"):
            patch.setattr(verdict, "point_out", _no_places)
        return (yield)


@pytest.hookimpl(specname="pytest_runtest_protocol", tryfirst=True)
def pytest_runtest_protocol_of_a_worker(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Report what is shown: to hand on what a short test passed before and after it takes longer than the test."""
    if not hasattr(item.config, "workerinput"):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    passed = all(report.passed for report in reports)
    for report in reports:
        # --durations shows what takes longer than that
        if not passed or report.when == "call" or report.duration >= 0.005:
            item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let a file stay with one worker, which makes its fixtures and compiles its programs once, until one is idle."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None
