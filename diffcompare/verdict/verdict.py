"""The verdict on a claimed derivative, and how it is put into words."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from diffcompare.adapters.door import parts_of
from diffcompare.errors import shorten
from diffcompare.floats import Floats
from diffcompare.tables.components import COMPONENT_STATUSES, worst_first
from diffcompare.tracing.calling import Interruption
from diffcompare.tracing.labelled import is_labelled
from diffcompare.verdict.causes.mistakes import Cause
from diffcompare.verdict.judgement import MOVED, Judgement
from diffcompare.verdict.marks import Mark, Source, places_frame
from diffcompare.verdict.measured import looks_like, measured
from diffcompare.verdict.pointing import Pointed, point_out, sources_of
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.underline import underlined
from diffcompare.verdict.verdict_html import verdict_html
from diffcompare.watchdog import OutOfTime, calls_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Explanation", "Verdict", "combined", "sentences", "verdict_of"]


# characters of a point that is written as code
_WRITTEN = 200
_EVIDENCE = {
    "identity": "identity: function and {0} were traced and compared as real functions in ball arithmetic",
    "neighbours": "neighbours: the derivative is known, the rounding of the {0} was measured around the point",
    "witness": "witness: the function was compared with the integral of the claimed {0}",
    "calls": "what the calls did, before any derivative was looked at",
}
_ADVICE = {
    "consistent": "Nothing to do.",
    "wrong": "Fix the {0}, or pass formula= if the function is not what you meant.",
    "non-smooth": "There is no derivative here; check at another point, or state which one-sided slope is meant.",
    "out-of-domain": "The function has no finite value or derivative here; check at a point inside its domain.",
    "inconclusive": "Check at another point, or pass formula= (and noise= if the function is only accurate to that).",
}
_OTHER_FORMULA = "Fix f or formula=, whichever is not what you meant."


class Explanation(str):
    """Why a gradient is wrong, in one sentence; ``kind`` names the mistake, ``components`` are those it explains."""

    kind: str
    components: tuple[int, ...]

    def __new__(cls, text: str, kind: str = "", components: Sequence[int] = ()) -> Explanation:
        """Make the sentence of a cause."""
        self = super().__new__(cls, text)
        self.kind, self.components = kind, tuple(components)
        return self

    def __getnewargs__(self) -> tuple[str, str, tuple[int, ...]]:  # type: ignore[override]
        """Return what a copy is made from."""
        return str(self), self.kind, self.components


class _Components:
    """The components of a verdict: columns become a table when it is asked for.

    Importing pandas takes as long as the first verdict, and making a table as long as a tenth of any.
    """

    def __get__(self, verdict: Verdict | None, _: type | None = None) -> pd.DataFrame:
        if verdict is None:
            raise AttributeError("components")
        import pandas as pd

        table = verdict.__dict__["components"]
        if not isinstance(table, pd.DataFrame):
            columns = {
                name: list(column) if name in ("component", "status") else column for name, column in table.items()
            }
            table = verdict.__dict__["components"] = pd.DataFrame(columns)
        return table

    def __set__(self, verdict: Verdict, table: pd.DataFrame | dict[str, Any]) -> None:
        verdict.__dict__["components"] = table


@dataclass(frozen=True)
class Verdict:
    """Whether a gradient, or another derivative, is right, and how closely that can be told.

    Parameters
    ----------
    status : str
        ``consistent``, ``wrong``, ``inconclusive``, ``non-smooth`` or ``out-of-domain``: the worst of the components.
    evidence : str
        How it was judged: ``identity``, ``neighbours``, ``witness``, or ``calls``.
    resolution : float
        The largest error, relative to the largest component, that would have gone unnoticed in some component; nan
        where nothing could be judged, inf where all components are 0 and some error would not be seen.
    rounding : float
        The rounding error of the gradient, relative to its largest component; where all are 0, as it is.
    blame : str or None
        ``gradient`` or ``formula``.
    cause : str or None
        Why it is wrong, in one sentence, with the attributes ``kind`` and ``components``.
    components : DataFrame
        One row a point and component: ``point``, ``component``, ``claimed``, ``certified``, ``difference``, ``ulps``,
        ``relative``, ``threshold``, ``status``.
    notes : tuple of str
        What else was seen.
    snippet : str
        Code that repeats the check.
    what : str
        What was claimed: ``gradient``, ``Jacobian``, ``Hessian``, ``Hessian-vector product`` or ``directional
        derivative``.
    headline : str
        What the first line says after the status, where it does not count components; empty where it does.
    error : BaseException or None
        What the function or the gradient raised at the point, where that decided; None after pickling one that cannot
        be pickled.
    marks : tuple of Mark
        The expressions of the two codes that are to blame, where they are known.
    sources : tuple of Source
        The codes of the function and of the gradient, where they are known.
    rungs : tuple of (str, float, str)
        The rules that were tried, with the seconds that they took by the clock and what came of it: no part of what
        makes two verdicts equal.
    calls : tuple of int
        How often the function and the claim were called until they were judged, traces included; nor is this.
    """

    status: str
    evidence: str
    resolution: float
    rounding: float
    blame: str | None
    cause: Explanation | None
    components: _Components = _Components()
    notes: tuple[str, ...] = ()
    snippet: str = ""
    what: str = "gradient"
    headline: str = ""
    error: BaseException | None = field(default=None, repr=False, compare=False)
    marks: tuple[Mark, ...] = field(default=(), repr=False)
    sources: tuple[Source, ...] = field(default=(), repr=False)
    rungs: tuple[tuple[str, float, str], ...] = field(default=(), repr=False, compare=False)
    calls: tuple[int, int] = field(default=(0, 0), repr=False, compare=False)

    def __getstate__(self) -> list[Any]:
        """Return the fields; an exception of the user's that cannot be pickled is left out."""
        try:
            pickle.dumps(copy(self.error))
            error = self.error
        except Exception:
            error = None
        return [error if one.name == "error" else getattr(self, one.name) for one in fields(self)]

    def __setstate__(self, state: list[Any]) -> None:
        """Take the fields back."""
        for one, value in zip(fields(self), state, strict=True):
            object.__setattr__(self, one.name, value)

    @property
    def places(self) -> pd.DataFrame:
        """The marks as a table, one row each, with the columns of :class:`~diffcompare.verdict.marks.Mark`."""
        return places_frame(self.marks)

    @property
    def ok(self) -> bool:
        """True only for ``consistent``."""
        return self.status == "consistent"

    def __bool__(self) -> bool:
        raise TypeError("a Verdict is neither true nor false; ask verdict.ok, or verdict.status for all five answers")

    def __str__(self) -> str:
        return self.explain()

    def _repr_html_(self) -> str:
        """Show the verdict in a notebook."""
        return verdict_html(self.status, sentences(self), self.components, self.marks)

    def explain(self) -> str:
        """Return the verdict in at most 15 plain lines, and after the first a picture of the marked places.

        The picture is no wider than 100 columns, and shows at most four places; beside it fewer notes are kept.
        """
        first, *rest = sentences(self)
        return "\n".join([first, *(["", *underlined(self.marks), ""] if self.marks else []), *rest])


def sentences(verdict: Verdict) -> list[str]:
    """Return the lines of an explanation without the picture: what happened, then how it was judged and what to do."""
    told = getattr(verdict.cause, "kind", "") == "guard"
    headline = verdict.headline or _headline(verdict)
    lines = [f"{verdict.status}: {verdict.cause}." if told else f"{verdict.status}: {headline}"]
    cause = [f"Cause: {verdict.cause}."] if verdict.cause and not told else []
    rungs = [note for note in verdict.notes if note.startswith("not by ")]
    notes = [note for note in verdict.notes if note not in rungs and note != headline and note not in verdict.headline]
    room = 2 if verdict.marks else 5
    notes = [_sentence(note) for note in (*notes[: max(room - len(rungs), 2)], *rungs)][:room]
    if verdict.status == "inconclusive":
        lines += notes
    # what the picture shows is said next to it
    lines += cause if verdict.marks else []
    made = f" ({verdict.calls[0]} calls of f, {verdict.calls[1]} of the {verdict.what})" if any(verdict.calls) else ""
    opaque = made if verdict.evidence in ("neighbours", "witness") else ""
    lines.append(f"Judged by {_EVIDENCE[verdict.evidence].format(verdict.what)}{opaque}.")
    lines += _worst_line(verdict)
    lines += [] if verdict.marks else cause
    if not math.isnan(verdict.resolution):
        lines.append(f"Resolution: an error above {_resolution(verdict)} would be seen.")
    if not math.isnan(verdict.rounding) and verdict.status != "wrong":
        known = verdict.components["certified"].fillna(verdict.components["claimed"])
        # beside a gradient of zeros it is absolute
        share = " times its largest component" if known.any() else ""
        size = f"a rounding error of {verdict.rounding:.1e}{share}"
        lines.append(f"Rounding: the {verdict.what} has {size if verdict.rounding else 'no rounding error here'}.")
    if verdict.status != "inconclusive":
        lines += notes
    ruled = verdict.evidence != "calls" or any(name != "calls" for name, *_ in verdict.rungs)
    if ruled or verdict.status != "inconclusive":
        # where no rule was tried the first line says what the code did, and its remedy
        advice = _OTHER_FORMULA if verdict.blame == "formula" else _ADVICE[verdict.status]
        lines.append(advice.format(verdict.what))
    derivable = MOVED not in verdict.notes and (verdict.what, verdict.evidence) == ("gradient", "identity")
    if derivable and (verdict.status, verdict.blame) == ("wrong", "gradient"):
        value = "lambda x: f(x)[0]" if _returns_both(verdict.snippet) else "f"
        lines.append(f"`dc.derive({value}, at)` writes the right gradient as NumPy code.")
    if verdict.status == "wrong" and verdict.evidence == "witness":
        lines.append("If f itself is inexact, as an iteration that stops early is, state its error with noise=.")
    if verdict.snippet:
        lines.append(f"Repeat with: {verdict.snippet}")
    return lines[:15]


def _returns_both(snippet: str) -> bool:
    """Tell from the line that repeats a check whether f returned value and gradient."""
    return "check_gradient(f, True" in snippet or "--value-and-gradient" in snippet


CauseFinder = Callable[[Problem, Judgement, Floats, "tuple[int, ...] | None"], "Cause | None"]


def verdict_of(problem: Problem, judgement: Judgement, at: Any, *, cause: CauseFinder, check: str) -> Verdict:
    """Put a judgement into a verdict: sizes, the cause of what is wrong, and the line that repeats the check.

    ``check`` is that line up to the point, such as ``check_gradient(f, gradient``.
    """
    some, claimed = set(judgement.status), judgement.claimed
    status = min(some, key=COMPONENT_STATUSES.index)
    # where there is no derivative, none is shown
    none = some.intersection(("non-smooth", "out-of-domain"))
    certified = (
        np.where([one in none for one in judgement.status], np.nan, judgement.certified)
        if none
        else judgement.certified
    )
    with np.errstate(all="ignore"):
        difference = claimed - judgement.certified
        if judgement.difference is not None:
            # a rule that knows the real difference knows its size
            # (a fault of the floats alone, such as float32, is told by the floats)
            real = np.copysign(judgement.difference, difference)
            wrong = np.array(judgement.status) == "wrong" if "wrong" in some else np.zeros(real.shape, dtype=bool)
            difference = np.where(wrong & (np.abs(real) <= judgement.threshold), difference, real)
            # measured: there is no derivative to take the sign from
            difference = np.where(np.isnan(judgement.certified), judgement.difference, difference)
        # where the derivative is not known, the claim tells the scale
        sizes = np.abs(np.where(np.isnan(judgement.certified), claimed, judgement.certified))
        largest = np.max(sizes, initial=0.0, where=np.isfinite(sizes))
        judged = np.isfinite(judgement.threshold)
        scale = largest if largest > 0 else np.nan
        resolution = _relative(float(np.max(judgement.threshold[judged])), largest) if judged.any() else math.nan
        ulps = np.abs(claimed - certified) / np.spacing(np.abs(certified))
        relative = np.abs(difference) / scale
        rounding = judgement.rounding
        if status == "wrong" and judgement.difference is not None:
            # what the floats are off beside the fault
            beside = np.abs(np.abs(claimed - judgement.certified) - np.abs(judgement.difference)) / scale
            known = np.isfinite(beside)
            rounding = float(np.max(beside, initial=0.0, where=known)) if known.any() else judgement.rounding
    found, pointed = judgement.cause, Pointed(judgement.marks)
    if status == "wrong" and judgement.blame != "formula" and judgement.evidence != "calls":
        shape = np.shape(at) if parts_of(at) is None else None
        asked = judgement
        # a search that fails, or for which calls are not left, says nothing
        with suppress(Exception, OutOfTime, Interruption):
            asked = measured(problem, judgement) if judgement.evidence == "witness" else judgement
            gap = difference if asked.beside is None else asked.beside[0].gap
            found = found or cause(problem, asked, gap, shape)
        pointed = point_out(problem, asked, found)
        pointed = pointed if asked.beside is None else looks_like(pointed)
        found = pointed.cause
    components = {
        "point": shorten(repr(at.item() if isinstance(at, np.generic) else at), 60)
        if not (isinstance(at, Mapping) or is_labelled(at))
        else "at",
        "component": problem.names,
        "claimed": claimed,
        "certified": certified,
        "difference": difference,
        "ulps": ulps,
        "relative": relative,
        "threshold": judgement.threshold,
        "status": judgement.status,
    }
    made = calls_of(problem.function), calls_of(problem.gradient)
    more = f", args={shorten(repr(problem.args), 60)}" if problem.args else ""
    guards = ", guards=True" * problem.guards
    notes = (*judgement.notes, *pointed.notes)
    snippet = f"diffcompare.{check}, at={_written(at)}{more}{guards})"
    return Verdict(
        status, judgement.evidence, resolution, rounding, judgement.blame,
        None if found is None else Explanation(found.text, found.kind, found.components), components, notes,
        snippet, problem.what, judgement.headline, judgement.error, pointed.marks,
        () if status == "consistent" else sources_of(problem), judgement.rungs, made,
    )  # fmt: skip


def _relative(threshold: float, largest: float) -> float:
    # beside a gradient of zeros every error is infinitely large, and none is where each is seen
    return threshold / largest if largest > 0 else math.inf if threshold else 0.0


def _written(at: Any) -> str:
    """Write a point as code, where that is short."""
    if parts_of(at) is not None or is_labelled(at):
        return "…"
    array = np.asarray(at)
    if array.size > _WRITTEN:
        return "…"
    text = f"np.{array.dtype}({array.tolist()!r})" if array.dtype in (np.float32, np.float16) else repr(array.tolist())
    return text if len(text) <= _WRITTEN else "…"


def combined(verdicts: Sequence[Verdict], remark: str = "") -> Verdict:
    """Put the verdicts at several points into one: the worst, with the components of all.

    ``remark`` is added to the first line.
    """
    import pandas as pd

    worst = min(verdicts, key=lambda v: COMPONENT_STATUSES.index(v.status))
    resolutions = [v.resolution for v in verdicts if not math.isnan(v.resolution)]
    roundings = [v.rounding for v in verdicts if not math.isnan(v.rounding)]
    counts = pd.Series([v.status for v in verdicts]).value_counts()
    note = f"{len(verdicts)} points: {', '.join(f'{count} {status}' for status, count in counts.items())}."
    whole = replace(
        worst,
        resolution=max(resolutions, default=math.nan),
        rounding=max(roundings, default=math.nan),
        components=pd.concat([v.components for v in verdicts], ignore_index=True),
        notes=(note, *worst.notes),
        calls=(max(v.calls[0] for v in verdicts), max(v.calls[1] for v in verdicts)),
    )
    return replace(whole, headline=f"{whole.headline or _headline(whole)}; {remark}") if remark else whole


def _resolution(verdict: Verdict) -> str:
    if math.isfinite(verdict.resolution):
        return f"{verdict.resolution:.1e} times the largest component"
    return f"{verdict.components['threshold'].replace(math.inf, math.nan).max():.1e}"


def _sentence(note: str) -> str:
    """Write a note as a sentence; names such as f and x[0] stay as they are."""
    word = note.partition(" ")[0]
    start = note[:1].upper() if len(word) > 1 and word.isalpha() else note[:1]
    return f"{start}{note[1:]}".rstrip(".") + "."


def _headline(verdict: Verdict) -> str:
    bad, count = verdict.components[verdict.components["status"] == verdict.status], len(verdict.components)
    if verdict.blame == "formula":
        told = (note for note in verdict.notes if "formula" in note)
        return next(told, "f is not the given formula")
    if verdict.status == "wrong":
        sizes = bad["relative"].to_numpy(dtype=float)
        size = np.max(sizes, initial=0.0, where=np.isfinite(sizes))
        # what is wrong may be small beside what the code rounds
        hidden = f"; the rounding error of the {verdict.what} is larger: {verdict.rounding:.2g}"
        hidden = hidden if verdict.rounding > size else ""
        if count == 1:
            by = f", by {size:.2g} times its size{hidden}" if size else ""
            return f"the {verdict.what} differs from the derivative{by}"
        digits = 2 if size < 1 else 3
        by = f", by up to {size:.{digits}g} times the largest component{hidden}" if size else ""
        lost = worst_first(bad).iloc[0] if len(bad) else None
        if lost is not None and not math.isfinite(lost["claimed"]):
            by = f"; {lost['component']} is {float(lost['claimed'])!r}"
        return f"{len(bad)} of {count} components differ from the derivative{by}"
    if verdict.status == "consistent":
        return f"the {verdict.what} agrees with the derivative" + (count > 1) * f" in all {count} components"
    if verdict.status == "non-smooth":
        where = "" if count == 1 else f" in {len(bad)} of {count} components"
        return f"the function has no derivative{where} at this point"
    if verdict.status == "out-of-domain":
        return "the function or its derivative is not defined at this point"
    return "neither right nor wrong can be shown here" + (f": {_open_because(bad)}" if len(bad) else "")


def _open_because(rows: pd.DataFrame) -> str:
    """Say why a component is left open, from its numbers."""
    row = worst_first(rows).iloc[0]
    name, size, limit = row["component"], abs(float(row["difference"])), float(row["threshold"])
    if not math.isfinite(limit):
        return f"for {name} no error is large enough to be told from rounding or noise"
    if not math.isfinite(size):
        return f"for {name} the derivative is known to {limit:.2g} only"
    if size > limit:
        return f"{name} differs by {size:.2g}, which may be no fault of the claim"
    return f"{name} differs by {size:.2g}, and rounding may explain as much as {limit:.2g}"


def _worst_line(verdict: Verdict) -> list[str]:
    row = worst_first(verdict.components).iloc[0]
    name, claimed, certified = row["component"], float(row["claimed"]), float(row["certified"])
    difference = float(row["difference"])
    if verdict.blame == "formula" and not difference:
        return []
    if math.isnan(certified):
        if math.isnan(claimed):
            return []
        if verdict.evidence != "witness" or math.isnan(difference):
            return [f"Component {name}: claimed {claimed!r}."]
        return [f"Worst component {name}: claimed {claimed!r}, measured {claimed - difference:.10g}."]
    if not math.isfinite(claimed):
        return [f"Worst component {name}: claimed {claimed!r}, derivative {certified!r}."]
    ulps = f"{float(row['ulps']):.3g}"
    apart = f"{ulps} ulp apart" if ulps == "1" else f"{ulps} ulps apart"
    seen = abs(claimed - certified)
    # the headline is about the real numbers that the codes stand for; floats may hide them
    hidden = not abs(seen - abs(difference)) <= 0.5 * max(seen, abs(difference))
    if verdict.status in ("wrong", "inconclusive") and hidden:
        apart += f"; {abs(difference):.2g} apart as real functions"
    return [f"Worst component {name}: claimed {claimed!r}, derivative {certified!r} ({apart})."]
