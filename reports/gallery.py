"""Draw the gallery: a report of every study beside this file, and the page of verdicts.

    python reports/gallery.py DIR

writes DIR/chapter4, DIR/calculus and so on, each with an index.html to open.
"""

import sys
from pathlib import Path

from verdicts import verdicts

import diffcompare as dc

HERE = Path(__file__).parent


def draw(directory: Path) -> None:
    """Write every report into a folder of its own."""
    for study in sorted(HERE.glob("*.toml")):
        dc.write_report(dc.run_study(study), directory / study.stem)
    dc.write_report(list(verdicts()), directory / "verdicts")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python reports/gallery.py DIR")
    draw(Path(sys.argv[1]))
