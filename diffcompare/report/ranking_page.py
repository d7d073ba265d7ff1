"""The report on differentiators: two tables as CSV, and a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from diffcompare.report.environment import environment
from diffcompare.report.wording import OUTCOME_WORDS
from diffcompare.report.writing import MANIFEST, write_files
from diffcompare.tables.csv_files import write_csv
from diffcompare.tables.schema import OUTCOMES

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["write_ranking"]

# what a reader looks for first
_WORST_FIRST = ("overconfident", "unestimated", "refused", "covered")


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
    order = {outcome: k for k, outcome in enumerate(_WORST_FIRST)}
    places = ranking["outcome"].astype(str).map(order)
    page = (
        environment("tables")
        .get_template("ranking/index.html")
        .render(
            scores=scores.to_dict("records"),
            rows=ranking.assign(place=places).sort_values("place", kind="stable").to_dict("records"),
            messages=bool((ranking["message"].astype(str) != "").any()),
            outcomes=[(name, OUTCOME_WORDS[name]) for name in OUTCOMES],
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
