"""What ``reports/evidence.md`` states: the tests that count a figure hold the document to it."""

from __future__ import annotations

import re
from pathlib import Path

EVIDENCE = Path(__file__).parents[1] / "reports" / "evidence.md"


def rows() -> dict[str, tuple[str, str]]:
    """Read the table: the name of each claim, with what was seen and how to see it again."""
    lines = EVIDENCE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines if line.startswith("| **")]
    return {name.split("**")[1]: (seen.replace("\\|", "|"), how) for name, seen, how in cells}


def stated(name: str) -> str:
    """Return what the document says was seen."""
    return rows()[name][0]


def numbers(name: str) -> list[float]:
    """Return the numbers of it, in order."""
    return [float(number.replace(",", "")) for number in re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?", stated(name))]


def ranges(name: str, of: str) -> list[tuple[int, int]]:
    """Return the counts that follow a word: ``3, 5 to 7`` is (3, 3) and (5, 7)."""
    one = r"\d+(?: to \d+)?"
    said = re.search(rf"{of} ({one}(?:, {one})*)", stated(name))
    assert said is not None, f"{name} says nothing of {of}"
    counts = [list(map(int, part.split(" to "))) for part in said[1].split(", ")]
    return [(count[0], count[-1]) for count in counts]
