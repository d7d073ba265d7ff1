"""The pytest plugin: ``--diffcompare-report=DIR`` gathers the comparisons of a test run into tables and pages.

Every pytest run of every user loads this module, so it imports pytest and, where the option is given, the rest.
What :func:`diffcompare.check_gradient` answers is a question of the test's own and is not gathered: a test may well
expect ``wrong``. An assertion's comparison is.
"""

from __future__ import annotations

import pytest

__all__ = ["pytest_addoption", "pytest_configure"]


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
        from diffcompare.testing.gathering import RunReport

        config.pluginmanager.register(RunReport(config, directory), "diffcompare-report")
