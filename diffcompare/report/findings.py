"""What the tables say, as sentences: counted, never judged beyond what was computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from diffcompare.errors import shorten
from diffcompare.report.drawings.split_chart import dominating_parts
from diffcompare.report.wording import (
    NOTHING_MEASURED,
    PART_WORDS,
    STATUS_WORDS,
    VERDICT_WORDS,
    bound_words,
    plural,
    share,
    short,
)
from diffcompare.tables.schema import STATUSES, VERDICTS, Tables

__all__ = ["findings", "status_notes", "unbounded_words", "verdict_counts", "verdict_lines", "worst_first"]

_COMPLEX_WORDS = "errors of the complex step were measured, no bound is proven for it"
_WORST_FIRST = ("outside-bound", "not-differentiable", "unbounded", "within-bound")
_ORDER_GAP = 0.25  # an observed order further from the scheme's than this is worth a sentence
_EXAMPLES = 3


def verdict_counts(summary: pd.DataFrame) -> list[tuple[str, int]]:
    """Count the verdicts, worst first; those that do not occur are left out."""
    counts = summary["verdict"].astype(str).value_counts()
    return [(verdict, int(counts[verdict])) for verdict in _WORST_FIRST if verdict in counts.index]


def verdict_lines(errors: pd.DataFrame, summary: pd.DataFrame) -> list[tuple[str, int, str]]:
    """List the verdicts that occur, worst first: name, count, and what it says about these rows."""
    lines = []
    for verdict, count in verdict_counts(summary):
        words = VERDICT_WORDS[verdict]
        if verdict == "within-bound":
            words = _within(errors, summary)
        elif verdict == "outside-bound":
            words = words.replace("proven bound", _bound(errors))
        elif verdict == "unbounded":
            words = unbounded_words(summary)
        lines.append((verdict, count, words))
    return lines


def unbounded_words(summary: pd.DataFrame) -> str:
    """Say what the verdict unbounded says: of no finite quotient, and of the complex step, which has no bound, too."""
    unbounded = summary[summary["verdict"].astype(str) == "unbounded"]
    if unbounded["best_abs_error"].isna().all():
        return NOTHING_MEASURED
    return _COMPLEX_WORDS if set(unbounded["scheme"].astype(str)) == {"complex"} else VERDICT_WORDS["unbounded"]


def _within(errors: pd.DataFrame, summary: pd.DataFrame) -> str:
    """Say how many of the rows behind the verdict within-bound the bound covers."""
    bare = errors[(errors["status"].astype(str) == "ok") & errors["bound"].isna()]
    keys = ["function", "variable", "point", "scheme"]
    inside = set(_keys(summary[summary["verdict"].astype(str) == "within-bound"], keys))
    missing = sum(key in inside for key in _keys(bare, keys))
    bound = _bound(errors)
    if not missing:
        return f"every error within its {bound}"
    return f"every error that has a {bound} is within it ({plural(missing, 'row')} without one)"


def _keys(frame: pd.DataFrame, names: Sequence[str]) -> zip[Any]:
    return zip(*(frame[name].astype(str) for name in names), strict=True)


def _bound(errors: pd.DataFrame) -> str:
    return bound_words(errors["bound_source"].astype(str)[errors["bound"].notna()].unique().tolist())


def worst_first(summary: pd.DataFrame) -> pd.DataFrame:
    """Sort the summary: verdict, then the ratio of error to bound, then the best error, large ones first."""
    ranks = {verdict: rank for rank, verdict in enumerate(_WORST_FIRST)}
    keys = pd.DataFrame(
        {
            "verdict": summary["verdict"].astype(str).map(ranks).fillna(len(VERDICTS)),
            "ratio": -summary["max_bound_ratio"].fillna(-1.0),
            "error": -summary["best_abs_error"].fillna(float("inf")),
        },
        index=summary.index,
    )
    return summary.loc[keys.sort_values(list(keys.columns), kind="stable").index]


def status_notes(errors: pd.DataFrame) -> list[tuple[str, int, str]]:
    """List every status but ``ok`` that occurs: its name, the number of rows, what it means."""
    counts = errors["status"].astype(str).value_counts()
    return [(s, int(counts[s]), STATUS_WORDS[s]) for s in STATUSES if s != "ok" and s in counts.index]


def findings(tables: Tables) -> list[str]:
    """Write the findings of a report, one sentence each."""
    errors, summary = tables.errors, tables.summary
    if errors.empty:
        return ["There is nothing to compare: the table of errors has no rows."]
    # what is wrong, and where, comes first; what was looked at comes last
    return [
        *_bounds(errors, summary),
        *_statuses(errors),
        *_orders(summary),
        *_at_book_step(summary),
        *_parts(errors),
        *_zeros(errors),
        _scope(errors),
    ]


def _scope(errors: pd.DataFrame) -> str:
    partials = len(errors[["function", "variable", "point"]].drop_duplicates())
    steps = errors["h"].drop_duplicates()
    steps = steps[steps > 0] if (steps > 0).any() else steps
    schemes = ", ".join(shorten(str(s), 40) for s in errors["scheme"].unique())
    return (
        f"{plural(partials, 'partial derivative')} of {plural(errors['function'].nunique(), 'function')} compared with "
        f"finite differences ({schemes}) at {plural(len(steps), 'step size')} from {short(float(steps.max()))} "
        f"to {short(float(steps.min()))}: {plural(len(errors), 'row')}."
    )


def _bounds(errors: pd.DataFrame, summary: pd.DataFrame) -> list[str]:
    counts = dict(verdict_counts(summary))
    total = plural(len(summary), "comparison")
    if errors["bound"].isna().all():
        if "unbounded" not in counts:
            return []
        words = unbounded_words(summary)
        measured = words if words == NOTHING_MEASURED else "errors were measured"
        return [
            f"There is no bound in these tables. The verdict “unbounded” says that {measured}, "
            "and nothing for or against a derivative."
        ]
    bound = _bound(errors)
    made = []
    if outside := counts.get("outside-bound"):
        over = _records(worst_first(summary).head(min(outside, _EXAMPLES)))
        places = "; ".join(f"{_share(row['max_bound_ratio'])} times it ({_place(row)})" for row in over)
        made.append(
            f"{outside:,} of {total}: an error exceeds its {bound}: {places}. "
            "This is a bug in diffcompare or in this build of NumPy."
        )
    if within := counts.get("within-bound"):
        ratio = summary["max_bound_ratio"][summary["verdict"].astype(str) == "within-bound"].max()
        largest = f"; the largest is {_share(ratio)} of it" if ratio == ratio else ""
        made.append(f"{within:,} of {total}: {_within(errors, summary)}{largest}.")
    if unbounded := counts.get("unbounded"):
        made.append(
            f"{unbounded:,} of {total}: {unbounded_words(summary)}; nothing follows for or against the derivative."
        )
    return made


def _share(ratio: float) -> str:
    return share(float(ratio), "more than")


def _parts(errors: pd.DataFrame) -> list[str]:
    """Count which part of the error is the largest, row by row."""
    counts = dominating_parts(errors).value_counts()
    named = [(PART_WORDS[name], int(counts[name])) for name in PART_WORDS if name in counts.index]
    if not named:
        return []
    named.sort(key=lambda pair: -pair[1])
    counted = ", ".join(f"{words} in {plural(count, 'row')}" for words, count in named)
    return [f"The largest part of the error: {counted}."]


def _at_book_step(summary: pd.DataFrame) -> list[str]:
    """Compare the schemes at h = 1e-4, the step size of the textbook."""
    known = summary[summary["abs_error_at_1e-4"].notna()]
    if known.empty:
        return []
    worst = known.iloc[int(known["abs_error_at_1e-4"].to_numpy().argmax())]
    made = [f"At h = 1e-4 the largest |error| is {short(float(worst['abs_error_at_1e-4']))}: {_place(worst)}."]
    wide = known.pivot_table(
        index=["function", "variable", "point"], columns="scheme", values="abs_error_at_1e-4", observed=True
    )
    if {"forward", "central"} <= set(wide.columns):
        both = wide[["forward", "central"]].dropna()
        closer = int((both["central"] < both["forward"]).sum())
        if len(both):
            made.append(
                f"At h = 1e-4 central is closer to the exact derivative than forward in {closer:,} of {len(both):,} "
                "cases."
            )
    return made


def _orders(summary: pd.DataFrame) -> list[str]:
    observed = summary[summary["observed_order"].notna()]
    gaps = (observed["observed_order"] - observed["order"]).abs()
    odd = observed.loc[gaps[gaps > _ORDER_GAP].sort_values(ascending=False, kind="stable").index]
    if observed.empty:
        return []
    if odd.empty:
        return [f"The observed order is that of the scheme (within {_ORDER_GAP}) wherever it could be measured."]
    shown = [
        f"{short(float(row['observed_order']))} instead of {row['order']} ({_place(row)})"
        for row in _records(odd.head(_EXAMPLES))
    ]
    more = f" and {len(odd) - _EXAMPLES:,} more" if len(odd) > _EXAMPLES else ""
    return [
        f"The observed order differs from the scheme's in {len(odd):,} of {plural(len(observed), 'comparison')}: "
        f"{', '.join(shown)}{more}. A leading term that vanishes raises it, a kink or a rough function lowers it."
    ]


def _zeros(errors: pd.DataFrame) -> list[str]:
    zeros = int((errors["abs_error"] == 0).sum())
    return [f"The error is exactly 0 in {plural(zeros, 'row')}."] if zeros else []


def _statuses(errors: pd.DataFrame) -> list[str]:
    made = []
    for status, count, words in status_notes(errors):
        names = errors["function"][errors["status"].astype(str) == status].astype(str).unique().tolist()
        where = ", ".join(shorten(name, 60) for name in names[:_EXAMPLES])
        more = f" and {plural(len(names) - _EXAMPLES, 'more function')}" if len(names) > _EXAMPLES else ""
        made.append(f"{plural(count, 'row')} {_has(count)} status “{status}” ({where}{more}): {words}.")
    return made


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _place(row: Any) -> str:
    return (
        f"{row['scheme']}, {shorten(str(row['function']), 60)}, {row['variable']}, at {shorten(str(row['point']), 40)}"
    )


def _records(frame: pd.DataFrame) -> Sequence[Any]:
    return frame.to_dict("records")
