"""The report on differentiators: two tables as CSV, and a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from diffcompare.errors import shorten
from diffcompare.report.drawings.calibration import calibration
from diffcompare.report.drawings.frame import marker_symbols
from diffcompare.report.environment import environment
from diffcompare.report.wording import OUTCOME_WORDS
from diffcompare.report.writing import MANIFEST, write_files
from diffcompare.tables.answers import OUTCOMES_WORST_FIRST, answers
from diffcompare.tables.csv_files import write_csv
from diffcompare.tables.schema import OUTCOMES

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["write_ranking"]


def write_ranking(
    ranking: pd.DataFrame, scores: pd.DataFrame, directory: str | PathLike[str], *, missing: Sequence[str] = ()
) -> Path:
    """Write ranking.csv, scores.csv and index.html: all files, or none.

    Parameters
    ----------
    ranking, scores : DataFrame
        What ``dc.rank`` and :func:`diffcompare.ranking.scores` returned.
    directory : path
        Where the files go; made if it is missing.
    missing : sequence of str
        Libraries that were left out, since they are not installed.

    Returns
    -------
    Path
        The page to open: index.html in the directory.

    Raises
    ------
    DiffcompareError
        As :func:`diffcompare.write_report`.
    """
    tables = {"scores.csv": scores, "ranking.csv": ranking}
    given = answers(ranking)
    places = given["outcome"].astype(str).map(OUTCOMES_WORST_FIRST.index)
    page = (
        environment("charts", "tables")
        .get_template("ranking/index.html")
        .render(
            scores=scores.to_dict("records"),
            rows=given.assign(place=places).sort_values("place", kind="stable").to_dict("records"),
            gradients="variable" in given,
            messages=bool((given["message"].astype(str) != "").any()),
            outcomes=[(name, OUTCOME_WORDS[name]) for name in OUTCOMES],
            ranked=list(dict.fromkeys(given["differentiator"].astype(str))),
            troubles=_by_trouble(given),
            charts=_charts(given),
            symbols=marker_symbols(["s1", "s2"]),
            missing=missing,
            files=[*tables, MANIFEST],
        )
    )

    def write(folder: Path) -> None:
        for name, table in tables.items():
            write_csv(table, folder / name)
        (folder / "index.html").write_text(page, encoding="utf-8", newline="\n")

    write_files(Path(directory), [*tables, "index.html"], write)
    return Path(directory) / "index.html"


def _by_trouble(given: pd.DataFrame) -> list[tuple[str, int, list[dict[str, Any]]]]:
    """For each trouble its number of functions, and by differentiator what was right, what was claimed and the cost."""
    found = []
    for trouble, rows in given.groupby("trouble", observed=True, sort=False):
        cells: list[dict[str, Any]] = []
        for _, part in rows.groupby("differentiator", observed=True, sort=False):
            outcome = part["outcome"].astype(str)
            right = (outcome == "covered") | ((outcome == "refused") & ~part["differentiable"])
            cells.append(
                {
                    "right": int(right.sum()),
                    "overconfident": int((outcome == "overconfident").sum()),
                    "evaluations": float(part["evaluations"].median()),
                }
            )
        found.append((str(trouble), rows[["function", "point"]].drop_duplicates().shape[0], cells))
    return found


def _charts(given: pd.DataFrame) -> list[tuple[str, Any]]:
    found = []
    for k, (name, part) in enumerate(given.groupby("differentiator", observed=True, sort=False)):
        title = f"Claimed and true error of {shorten(str(name), 80)}"
        chart = calibration(part, title=title, identity=f"claims{k}")
        if chart is not None:
            found.append((str(name), chart))
    return found
