"""Write the tables and columns of manual.md, from the columns and words of the package: python reports/manual.py."""

from pathlib import Path

from diffcompare.report.comparisons_page import COMPARISON_COLUMNS
from diffcompare.report.theory import WORDS
from diffcompare.report.verdict_page import COMPONENT_COLUMNS
from diffcompare.tables import schema

MANUAL = Path(__file__).with_name("manual.md")
HEADING, NEXT = "## Tables and columns\n", "## Extras\n"
FILES = {
    "errors.csv": ("one row for each function, point, variable, scheme and step", schema.COLUMNS),
    "summary.csv": ("one row for each function, variable, point and scheme", schema.SUMMARY_COLUMNS),
    "functions.csv": ("one row for each function", schema.FUNCTION_COLUMNS),
    "descent.csv": (
        "one row for each step of a gradient descent; between `step` and `value` one column for each variable, empty "
        "where the function has no such variable",
        schema.DESCENT_COLUMNS,
    ),
    "curves.csv": ("functions of one variable around each point", schema.CURVE_COLUMNS),
    "surfaces.csv": ("functions of two variables on 33 × 33 nodes around their descents", schema.SURFACE_COLUMNS),
    "hot_spots.csv": ("one row for each operation that rounding comes from", schema.HOT_SPOT_COLUMNS),
    "rules.csv": ("the steps that published rules would have chosen", schema.RULE_COLUMNS),
    "components.csv": (
        "of verdicts, one row for each point and component; in the report of a test run `test` and `place` come first",
        COMPONENT_COLUMNS,
    ),
    "comparisons.csv": ("of a test run, one row for each assertion", COMPARISON_COLUMNS),
    "ranking.csv": (
        "of `diffcompare rank`, one row for each differentiator and function; with `--gradients` one for each entry of "
        "the gradient, where `variable` follows `function`",
        schema.RANKING_COLUMNS,
    ),
    "scores.csv": ("what ranking.csv counts, one row for each differentiator", schema.SCORE_COLUMNS),
}
GROUPS = (
    "status of a row",
    "verdict on a row of the summary",
    "source of a bound",
    "verdict on a gradient (check)",
    "outcome of an answer (rank)",
)
INTRODUCTION = """
All files are UTF-8, and floats are written so that they read back bit for bit. A column is explained where it first
occurs; `diffcompare explain WORD` prints the same words. A text cell that a spreadsheet would run as a formula begins
with an apostrophe, which reading takes off.
"""


def rows(words, meanings):
    lines = ["", "| word | meaning |", "|---|---|"]
    return [*lines, *(f"| `{word}` | {meanings[word].replace('|', chr(92) + '|')} |" for word in words)]


def section():
    meanings = {word: text for words in WORDS.values() for word, text in words.items()}
    lines, told = [INTRODUCTION.strip()], set()
    for name, (what, columns) in FILES.items():
        lines += ["", f"### {name}", "", f"{what[0].upper()}{what[1:]}: {', '.join(f'`{c}`' for c in columns)}."]
        new = [column for column in columns if column not in told]
        told.update(new)
        lines += rows(new, meanings) if new else []
    for group in GROUPS:
        words = [word for word in WORDS[group] if word not in told]
        lines += ["", f"### {group[0].upper()}{group[1:]}", *rows(words, meanings)]
    return "\n".join(lines) + "\n"


def written():
    text = MANUAL.read_text(encoding="utf-8")
    before, _, rest = text.partition(HEADING)
    _, _, after = rest.partition(NEXT)
    return f"{before}{HEADING}\n{section()}\n{NEXT}{after}"


if __name__ == "__main__":
    MANUAL.write_text(written(), encoding="utf-8")
