"""The thorough tests: left out unless they, or the files that hold them, are asked for. How workers share tests."""

from __future__ import annotations

from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--eighth",
        type=int,
        metavar="N",
        help="with -m thorough: every eighth of these tests, beginning with the N-th (modulo 8)",
    )


def pytest_configure(config: pytest.Config) -> None:
    # a file that is named is run whole
    if any(".py" in argument for argument in config.invocation_params.args):
        config.option.markexpr = config.option.markexpr.removesuffix(" and not thorough")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    eighth = config.getoption("--eighth")
    if eighth is None:
        return
    thorough = [item for item in items if item.get_closest_marker("thorough")]
    kept = set(thorough[eighth % 8 :: 8])
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in thorough if item in kept]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let a file stay with one worker, which makes its fixtures and compiles its programs once, until one is idle."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None
