"""What the tables say, as sentences: counted, never judged beyond what was computed.

Findings are what is remarkable, a sentence for each kind, the most remarkable kind first; notes are what was counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pandas as pd

from diffcompare.errors import shorten
from diffcompare.report.drawings.split_chart import dominating_part, dominating_parts
from diffcompare.report.wording import (
    NOTHING_MEASURED,
    PART_WORDS,
    STATUS_WORDS,
    VERDICT_WORDS,
    bound_words,
    partial,
    place,
    plural,
    raised,
    share,
    short,
)
from diffcompare.tables.schema import DESCENT_COLUMNS, STATUSES, VERDICTS, Tables, read_point

__all__ = [
    "Finding",
    "failures",
    "findings",
    "notes",
    "status_notes",
    "unbounded_words",
    "verdict_counts",
    "verdict_lines",
    "worst_first",
]

_FINDINGS = 5
_PARTIAL = ["function", "variable", "point", "derivative"]
_WORSE = 100.0  # an error that grows by less while h shrinks is no finding
_RUINED = 0.9  # an error of this share of the derivative leaves nothing of it
_FAR = 1000.0  # how many times its first value a descent reaches that diverges
_STILL = 0.99  # a descent that keeps more of its value and its gradient hardly moves

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
    bare = errors[_is(errors, "ok") & errors["bound"].isna().to_numpy()]
    missing = 0
    if len(bare):
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
    """Sort the summary: verdict, then the best error, large ones first; outside its bound the ratio to it first.

    A bound that is nearly reached is a good bound, and nothing bad.
    """
    ranks = {verdict: rank for rank, verdict in enumerate(_WORST_FIRST)}
    verdicts = summary["verdict"].astype(str)
    keys = pd.DataFrame(
        {
            "verdict": verdicts.map(ranks).fillna(len(VERDICTS)),
            "ratio": -summary["max_bound_ratio"].where(verdicts == "outside-bound", 0.0),
            "error": -summary["best_abs_error"].fillna(float("inf")),
        },
        index=summary.index,
    )
    return summary.loc[keys.sort_values(list(keys.columns), kind="stable").index]


def status_notes(found: Iterable[str]) -> list[tuple[str, int, str]]:
    """List every status but ``ok`` that occurs: its name, the number of rows, what it means."""
    counts = Counter(found)
    return [(s, counts[s], STATUS_WORDS[s]) for s in STATUSES if s != "ok" and counts[s]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, around the name of the function that shows it; a failure is what no good word may stand above."""

    before: str
    function: str = ""
    after: str = ""
    failure: bool = False
    alarm: bool = False

    @property
    def name(self) -> str:
        """The function as it stands in the sentence; in quotes where it could be taken for words of it."""
        name = shorten(self.function, 60)
        return f"“{name}”" if " " in name else name

    @property
    def words(self) -> str:
        """The sentence."""
        return self.before + self.name + self.after

    @property
    def alone(self) -> str:
        """The sentence on the page of its function, which needs no name in brackets."""
        return self.words.removesuffix(f" ({self.name})")


def findings(tables: Tables) -> list[Finding]:
    """Write what is most remarkable in a report: at most five sentences."""
    errors, summary = tables.errors, tables.summary
    if errors.empty:
        return [Finding("There is nothing to compare: the table of errors has no rows")]
    rules: Sequence[Callable[[], Iterator[Finding]]] = (
        lambda: _outside(errors, summary),
        lambda: _unmoved(errors),
        lambda: _descents(tables.descent),
        lambda: _central_and_forward(summary),
        lambda: _without_derivative(errors),
        lambda: _ruined(errors),
        lambda: _smaller_and_worse(errors, summary),
        lambda: (Finding(words.removesuffix(".")) for words in _odd_orders(summary)),
    )
    found = list(islice((finding for rule in rules for finding in rule()), _FINDINGS))
    return found or [Finding(_scope(errors).removesuffix("."))]


def failures(errors: pd.DataFrame, descent: pd.DataFrame) -> list[Finding]:
    """Write what no good word may stand above: steps that do not move, descents that diverge, an error of 100 %."""
    rules = (_unmoved(errors), _descents(descent), _ruined(errors))
    return [finding for rule in rules for finding in rule if finding.failure]


def notes(tables: Tables) -> list[str]:
    """Count what was compared, and what came of it."""
    errors, summary = tables.errors, tables.summary
    if errors.empty:
        return []
    return [
        _scope(errors),
        *_bounds(errors, summary),
        *_statuses(errors),
        *_orders(summary),
        *_at_book_step(summary),
        *_parts(errors),
        *_zeros(errors),
    ]


def _outside(errors: pd.DataFrame, summary: pd.DataFrame) -> Iterator[Finding]:
    outside = dict(verdict_counts(summary)).get("outside-bound", 0)
    if outside:
        over = _records(worst_first(summary).head(min(outside, _EXAMPLES)))
        places = "; ".join(f"{_share(row['max_bound_ratio'])} times it ({_place(row)})" for row in over)
        yield Finding(
            f"{outside:,} of {plural(len(summary), 'comparison')}: an error exceeds its {_bound(errors)}: {places}. "
            "This is a bug in diffcompare or in this build of NumPy",
            alarm=True,
        )


def _unmoved(errors: pd.DataFrame) -> Iterator[Finding]:
    """Show the smallest step that did not move the point, where the derivative is not 0."""
    h, relative = (errors[name].to_numpy() for name in ("h", "rel_error"))
    still = (_is(errors, "h-underflow") & (h > 0) & (relative >= 1)).nonzero()[0]
    if not still.size:
        return
    row = errors.iloc[int(still[h[still].argmin()])]
    x, scheme = shorten(str(row["variable"]), 24), str(row["scheme"])
    sides = {"forward": f"{x} + h is {x}", "backward": f"{x} − h is {x}", "central": f"{x} + h and {x} − h are {x}"}
    yield _at_step(errors, row, sides.get(scheme, f"h does not move {x}"))


def _ruined(errors: pd.DataFrame) -> Iterator[Finding]:
    """Show a step with an error of 100 %, the one nearest to that of the textbook.

    Where no step is right to half of the derivative, that is 0 but for rounding.
    """
    h, relative = (errors[name].to_numpy() for name in ("h", "rel_error"))
    ok = _is(errors, "ok") & (h > 0)
    wrong = (ok & (relative >= _RUINED) & (relative < math.inf)).nonzero()[0]
    if not wrong.size:
        return
    partials = list(zip(*(errors[name].tolist() for name in _PARTIAL), strict=True))
    right = {partials[k] for k in (ok & (relative < 0.5)).nonzero()[0].tolist()}
    known = [k for k in wrong.tolist() if partials[k] in right]
    if not known:
        return
    row = errors.iloc[min(known, key=lambda k: abs(math.log10(h[k]) + 4))]
    part = dominating_part([abs(row[name]) for name in PART_WORDS])
    yield _at_step(errors, row, "" if not part else "h is too large" if part == "truncation" else "all is rounding")


def _is(errors: pd.DataFrame, status: str) -> Any:
    """Tell which rows have a status, as an array."""
    return errors["status"].to_numpy(object) == status


def _at_step(errors: pd.DataFrame, row: Any, why: str) -> Finding:
    numbers = [short(float(row[name])) for name in ("h", "numeric", "exact")]
    columns = zip(*(errors[name].tolist() for name in ("function", "variable", "point", "scheme")), strict=True)
    own = row["function"]
    alike = [found for name, *found in columns if name == own]
    point = _coordinates(str(row["point"]))
    several = len({(variable, at) for variable, at, _ in alike}) > 1
    where = ""
    if several and len(point) > 1:
        where = f" for ∂/∂{shorten(str(row['variable']), 24)}"
    elif several and point:
        (x, value), *_ = point.items()
        where = f" at {shorten(x, 24)} = {short(value)}"
    if len({scheme for *_, scheme in alike}) > 1:
        where += f" ({shorten(str(row['scheme']), 24)})"
    words = "h = {} gives {} instead of {}".format(*numbers) + where
    return Finding(f"{words}{': ' * bool(why)}{why} (", str(row["function"]), ")", failure=True)


def _coordinates(point: str) -> Mapping[str, float]:
    """Read a point; nothing where the text is none."""
    try:
        return read_point(point)
    except ValueError:
        return {}


def _descents(descent: pd.DataFrame) -> Iterator[Finding]:
    """Tell which descents climb, or leave all numbers behind, and which hardly move."""
    climbing: dict[str, tuple[float, str, str]] = {}
    resting: dict[str, str] = {}
    for _, run in descent.groupby((descent["step"] == 0).cumsum(), sort=False) if len(descent) else ():
        name, steps = str(run["function"].iloc[0]), plural(len(run) - 1, "step")
        start, end = float(run["value"].iloc[0]), float(run["value"].iloc[-1])
        norms = run["gradient_norm"].iloc[[0, -1]].tolist()
        if math.isfinite(start) and (what := _climb(run["value"].tolist(), norms)):
            size = abs(end) if end == end else math.inf
            if name not in climbing or size > climbing[name][0]:
                last = short(end) if end == end else "what is no number"
                climbing[name] = size, what, f"f goes from {short(start)} to {last} in {steps}"
        elif len(run) > 10 and norms[1] >= _STILL * norms[0] > 0 and _is_near(run):
            resting[name] = f"after {steps} f is still {short(end)}"
    rates = {name: _rate(descent[descent["function"].astype(str) == name]) for name in (*climbing, *resting)}
    idle = next(iter(resting), "")
    for name, (_, what, words) in list(climbing.items())[:1]:
        more = f", and so do {len(climbing) - 1:,} more" if len(climbing) > 1 else ""
        rest = f"; with {rates[idle]} it hardly moves" if rates.get(idle) and rates[name] else ""
        yield Finding(f"{_descending(rates[name])} {what}{more}: {words}{rest} (", name, ")", failure=True)
    if idle and not climbing:
        yield Finding(f"{_descending(rates[idle])} hardly moves: {resting[idle]} (", idle, ")")


def _climb(values: Sequence[float], norms: Sequence[float]) -> str:
    """Say that a descent leaves all numbers behind, or ends higher than it began; nothing where it comes to rest."""
    start, end = values[0], values[-1]
    if not math.isfinite(end):
        return "diverges"
    if end <= start:
        return ""
    first = max(abs(start), abs(values[1] - start))
    if end - start > _FAR * first:
        return "diverges"
    return "ends higher than it began" if norms[1] >= norms[0] / 2 and end - start > first / _FAR else ""


def _is_near(run: pd.DataFrame) -> bool:
    """Tell whether a descent stayed where it began: its value, and all its points."""
    value = run["value"].to_numpy(float)
    points = run[[c for c in run.columns if c not in DESCENT_COLUMNS]].dropna(axis=1).astype(float)
    away, size = ((points - shift).abs().to_numpy().max() for shift in (points.iloc[0], 0.0))
    return bool(value[0] - value[-1] <= (1 - _STILL) * abs(value[0]) and away <= (1 - _STILL) * size)


def _descending(rate: str) -> str:
    return f"Gradient descent with learning rate {rate}" if rate else "Gradient descent"


def _rate(run: pd.DataFrame) -> str:
    """Tell the learning rate from the first step, where that is much longer than its rounding."""
    coordinates = [c for c in run.columns if c not in DESCENT_COLUMNS]
    points = run[coordinates].iloc[:2].to_numpy(float)
    norm = float(run["gradient_norm"].iloc[0])
    if len(points) < 2 or not norm > 0:
        return ""
    known = [(a, b) for a, b in zip(*points.tolist(), strict=True) if a == a]
    length = math.hypot(*(b - a for a, b in known))
    # (0 and infinity fail too)
    return short(length / norm) if 2.0**-40 * math.hypot(*(a for a, _ in known)) < length < math.inf else ""


def _central_and_forward(summary: pd.DataFrame) -> Iterator[Finding]:
    """Compare the two schemes at h = 1e-4, where they differ by a power of ten at least."""
    known = summary[summary["abs_error_at_1e-4"].notna() & summary["scheme"].astype(str).isin(["forward", "central"])]
    wide = known.pivot_table(index=_PARTIAL, columns="scheme", values="abs_error_at_1e-4", observed=True)
    both = wide.reindex(columns=["forward", "central"]).dropna()
    ratios = (both["forward"] / both["central"])[both["central"] > 0]
    closer = int((both["central"] < both["forward"]).sum())
    if ratios.empty or closer < len(both) / 2 or ratios.max() < 10:
        return
    low, high = (math.floor(math.log10(max(ratio, 1.0))) for ratio in (ratios.min(), ratios.max()))
    powers = [f"10{raised(k)}" if k > 1 else str(10**k) for k in (low, high)]
    times = powers[1] if low == high else f"{powers[0]} to {powers[1]}" if low > 0 else f"up to {powers[1]}"
    where = "" if closer == len(both) else f" (in {closer:,} of {len(both):,} cases)"
    yield Finding(f"At h = 1e-4 the central difference is {times} times better than the forward one{where}")


def _without_derivative(errors: pd.DataFrame) -> Iterator[Finding]:
    status = errors["status"].astype(str)
    for chosen, why in (
        (status == "kink", "the slopes left and right of it differ"),
        ((status == "domain") & errors["exact"].isna(), "f is not defined on both sides of it"),
    ):
        points = errors[chosen].drop_duplicates(_PARTIAL)
        if points.empty:
            continue
        row = points.iloc[0]
        name, point = str(row["function"]), str(row["point"])
        coordinates = _coordinates(point)
        if single := len(coordinates) == 1:
            point = short(next(iter(coordinates.values())))
        what = "derivative" if single else partial(shorten(str(row["variable"]), 24), int(row["derivative"]))
        more = f" ({len(points) - 1:,} more have none)" if len(points) > 1 else ""
        yield Finding("", name, f" has no {what} at {place(point)}: {why}{more}")


def _smaller_and_worse(errors: pd.DataFrame, summary: pd.DataFrame) -> Iterator[Finding]:
    """Show where the error grew most as h went on to shrink below the best one."""
    keys = [*_PARTIAL, "scheme"]
    ok = errors[(errors["status"].astype(str) == "ok") & (errors["h"] > 0) & (errors["abs_error"] < math.inf)]
    if ok.empty:
        return
    smallest = ok.loc[ok.groupby(keys, observed=True, sort=False)["h"].idxmin()]
    both = smallest[[*keys, "h", "abs_error"]].astype(dict.fromkeys(keys, str))
    both = both.merge(summary[[*keys, "best_h", "best_abs_error"]].astype(dict.fromkeys(keys, str)), on=keys)
    largest = ok.groupby(keys, observed=True, sort=False)["h"].max().reset_index(name="largest")
    both = both.merge(largest.astype(dict.fromkeys(keys, str)), on=keys)
    both = both[(both["best_abs_error"] > 0) & (both["best_h"] < both["largest"])]
    if both.empty:
        return
    worse = both["abs_error"] / both["best_abs_error"]
    if not worse.max() >= _WORSE:
        return
    row = both.iloc[int(worse.to_numpy().argmax())]
    times = f"10{raised(math.floor(math.log10(worse.max())))}"
    yield Finding(
        f"A smaller h is not always better: the {shorten(row['scheme'], 40)} difference of ",
        row["function"],
        f" is best at h = {short(row['best_h'])}, and at h = {short(row['h'])} its error is {times} times larger",
    )


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
    made = []
    if within := counts.get("within-bound"):
        made.append(f"{within:,} of {total}: {_within(errors, summary)}.")
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
    """Name the largest error at h = 1e-4, the step size of the textbook."""
    known = summary[summary["abs_error_at_1e-4"].notna()]
    if known.empty:
        return []
    worst = known.iloc[int(known["abs_error_at_1e-4"].to_numpy().argmax())]
    return [f"At h = 1e-4 the largest |error| is {short(float(worst['abs_error_at_1e-4']))}: {_place(worst)}."]


def _orders(summary: pd.DataFrame) -> list[str]:
    if summary["observed_order"].isna().all():
        return []
    usual = f"The observed order is that of the scheme (within {_ORDER_GAP}) wherever it could be measured."
    return list(_odd_orders(summary)) or [usual]


def _odd_orders(summary: pd.DataFrame) -> Iterator[str]:
    observed = summary[summary["observed_order"].notna()]
    gaps = (observed["observed_order"] - observed["order"]).abs()
    odd = observed.loc[gaps[gaps > _ORDER_GAP].sort_values(ascending=False, kind="stable").index]
    if odd.empty:
        return
    shown = [
        f"{short(float(row['observed_order']))} instead of {row['order']} ({_place(row)})"
        for row in _records(odd.head(_EXAMPLES))
    ]
    more = f" and {len(odd) - _EXAMPLES:,} more" if len(odd) > _EXAMPLES else ""
    yield (
        f"The observed order differs from the scheme's in {len(odd):,} of {plural(len(observed), 'comparison')}: "
        f"{', '.join(shown)}{more}. A leading term that vanishes raises it, a kink or a rough function lowers it."
    )


def _zeros(errors: pd.DataFrame) -> list[str]:
    zeros = int((errors["abs_error"] == 0).sum())
    return [f"The error is exactly 0 in {plural(zeros, 'row')}."] if zeros else []


def _statuses(errors: pd.DataFrame) -> list[str]:
    made = []
    for status, count, words in status_notes(errors["status"]):
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
