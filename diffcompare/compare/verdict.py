"""The verdict on a claimed derivative, and how it is put into words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffcompare.compare.judgement import COMPONENT_STATUSES, Judgement, Problem
from diffcompare.compare.mistakes import Cause
from diffcompare.compare.verdict_html import verdict_html
from diffcompare.errors import shorten

__all__ = ["Explanation", "Verdict", "combined", "verdict_of"]

Floats = NDArray[np.float64]

_EVIDENCE = {
    "identity": "identity: function and {0} were traced and compared as real functions in ball arithmetic",
    "neighbours": "neighbours: the derivative is known, the rounding of the {0} was measured around the point",
    "witness": "witness: the function was compared with the integral of the claimed {0}",
    "calls": "what the calls did, before any derivative was looked at",
}
_ADVICE = {
    "consistent": "Nothing to do.",
    "wrong": "Mend the {0}, or pass formula= if the function is not what you meant.",
    "non-smooth": "There is no derivative here; check at another point, or state which one-sided slope is meant.",
    "out-of-domain": "The function has no finite value or derivative here; check at a point inside its domain.",
    "inconclusive": "Check at another point, or pass formula= (and noise= if the function is only accurate to that).",
}


class Explanation(str):
    """Why a gradient is wrong, in one sentence; ``kind`` names the mistake, ``components`` are those it explains."""

    kind: str
    components: tuple[int, ...]

    def __new__(cls, cause: Cause) -> Explanation:
        """Make the sentence of a cause."""
        self = super().__new__(cls, cause.text)
        self.kind, self.components = cause.kind, tuple(cause.components)
        return self


@dataclass(frozen=True, slots=True)
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
        where nothing could be judged.
    rounding : float
        The rounding error that the gradient carries, relative to its largest component.
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
    """

    status: str
    evidence: str
    resolution: float
    rounding: float
    blame: str | None
    cause: Explanation | None
    components: pd.DataFrame
    notes: tuple[str, ...] = ()
    snippet: str = ""
    what: str = "gradient"

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
        return verdict_html(self)

    def explain(self) -> str:
        """Return the verdict in at most 15 plain lines."""
        told = self.cause is not None and self.cause.kind == "guard"
        lines = [f"{self.status}: {self.cause}." if told else f"{self.status}: {_headline(self)}"]
        lines.append(f"Judged by {_EVIDENCE[self.evidence].format(self.what)}.")
        lines += _worst_line(self.components)
        if self.cause and not told:
            lines.append(f"Cause: {self.cause}.")
        if self.blame == "formula":
            lines.append(f"The function is not the formula that was given; the {self.what} is not to blame.")
        if not math.isnan(self.resolution):
            lines.append(f"Resolution: an error above {self.resolution:.1e} of the largest component would be seen.")
        if not math.isnan(self.rounding) and self.status != "wrong":
            size = f"{self.rounding:.1e} of its largest component" if self.rounding else "none"
            lines.append(f"Rounding: the {self.what} carries {size}.")
        lines += [_sentence(note) for note in self.notes[:5]]
        lines.append(_ADVICE[self.status].format(self.what))
        if self.status == "wrong" and self.evidence == "witness":
            lines.append("If f itself is inexact, as an iteration that stops early is, state its error with noise=.")
        if self.snippet:
            lines.append(f"Repeat with: {self.snippet}")
        return "\n".join(lines[:15])


CauseFinder = Callable[[Problem, Judgement, Floats, "tuple[int, ...] | None"], "Cause | None"]


def verdict_of(problem: Problem, judgement: Judgement, at: Any, *, cause: CauseFinder, check: str) -> Verdict:
    """Put a judgement into a verdict: sizes, the cause of what is wrong, and the line that repeats the check.

    ``check`` is that line up to the point, such as ``check_gradient(f, gradient``.
    """
    status = min(judgement.status, key=COMPONENT_STATUSES.index)
    claimed = judgement.claimed
    # where there is no derivative, none is shown
    smooth = np.array([one not in ("non-smooth", "out-of-domain") for one in judgement.status])
    certified = np.where(smooth, judgement.certified, np.nan)
    with np.errstate(all="ignore"):
        difference = claimed - judgement.certified
        if judgement.difference is not None:
            # a rule that knows the real difference knows its size
            # (a fault of the floats alone, such as float32, is told by the floats)
            real = np.copysign(judgement.difference, difference)
            floats_alone = (np.array(judgement.status) == "wrong") & (np.abs(real) <= judgement.threshold)
            difference = np.where(floats_alone, difference, real)
        # where the derivative is not known, the claim tells the scale
        sizes = np.abs(np.where(np.isnan(judgement.certified), claimed, judgement.certified))
        largest = np.max(sizes, initial=0.0, where=np.isfinite(sizes))
        judged = np.isfinite(judgement.threshold)
        scale = largest if largest > 0 else np.nan
        resolution = float(np.max(judgement.threshold[judged]) / scale) if judged.any() else math.nan
        ulps = np.abs(claimed - certified) / np.spacing(np.abs(certified))
        relative = np.abs(difference) / scale
    found = None
    if status == "wrong" and judgement.blame != "formula" and judgement.evidence != "calls":
        shape = np.shape(at) if not isinstance(at, Mapping | tuple) else None
        found = judgement.cause or cause(problem, judgement, difference, shape)
    components = pd.DataFrame(
        {
            "point": shorten(repr(at.item() if isinstance(at, np.generic) else at), 60)
            if not isinstance(at, Mapping)
            else "at",
            "component": list(problem.names),
            "claimed": claimed,
            "certified": certified,
            "difference": difference,
            "ulps": ulps,
            "relative": relative,
            "threshold": judgement.threshold,
            "status": list(judgement.status),
        }
    )
    more = f", args={shorten(repr(problem.args), 60)}" if problem.args else ""
    snippet = f"diffcompare.{check}, at={_written(at)}{more})"
    return Verdict(
        status, judgement.evidence, resolution, judgement.rounding, judgement.blame,
        None if found is None else Explanation(found), components, judgement.notes, snippet, problem.what,
    )  # fmt: skip


def _written(at: Any) -> str:
    """Write a point as code, where that is short."""
    text = repr(np.asarray(at).tolist()) if not isinstance(at, Mapping | tuple) else "…"
    return text if len(text) <= 200 else "…"


def combined(verdicts: Sequence[Verdict]) -> Verdict:
    """Put the verdicts at several points into one: the worst, with the components of all."""
    worst = min(verdicts, key=lambda v: COMPONENT_STATUSES.index(v.status))
    resolutions = [v.resolution for v in verdicts if not math.isnan(v.resolution)]
    roundings = [v.rounding for v in verdicts if not math.isnan(v.rounding)]
    counts = pd.Series([v.status for v in verdicts]).value_counts()
    note = f"{len(verdicts)} points: {', '.join(f'{count} {status}' for status, count in counts.items())}."
    return replace(
        worst,
        resolution=max(resolutions, default=math.nan),
        rounding=max(roundings, default=math.nan),
        components=pd.concat([v.components for v in verdicts], ignore_index=True),
        notes=(note, *worst.notes),
    )


def _sentence(note: str) -> str:
    """Write a note as a sentence; names such as f and x[0] stay as they are."""
    word = note.partition(" ")[0]
    start = note[:1].upper() if len(word) > 1 and word.isalpha() else note[:1]
    return f"{start}{note[1:]}".rstrip(".") + "."


def _headline(verdict: Verdict) -> str:
    bad, count = verdict.components[verdict.components["status"] == verdict.status], len(verdict.components)
    if verdict.status == "wrong":
        size = bad["relative"].max()
        if count == 1:
            by = "" if math.isnan(size) else f", by {size:.2g} times its size"
            return f"the {verdict.what} differs from the derivative{by}"
        by = "" if math.isnan(size) else f", by up to {size:.2g} of the largest"
        return f"{len(bad)} of {count} components differ from the derivative{by}"
    if verdict.status == "consistent":
        return f"the {verdict.what} agrees with the derivative" + (count > 1) * f" in all {count} components"
    if verdict.status == "non-smooth":
        where = "" if count == 1 else f" in {len(bad)} of {count} components"
        return f"the function has no derivative{where} at this point"
    if verdict.status == "out-of-domain":
        return "the function or its derivative is not defined at this point"
    return "neither right nor wrong can be shown here"


def _worst_line(components: pd.DataFrame) -> list[str]:
    order = components["status"].map(COMPONENT_STATUSES.index)
    candidates = components[order == order.min()]
    if candidates["relative"].notna().any():
        row = candidates.loc[candidates["relative"].idxmax()]
    else:
        row = candidates.iloc[0]
    claimed, certified = float(row["claimed"]), float(row["certified"])
    if math.isnan(claimed):
        return []
    if math.isnan(certified):
        return [f"Component {row['component']}: claimed {claimed!r}."]
    apart = f"{row['ulps']:.3g} ulps apart"
    return [f"Worst component {row['component']}: claimed {claimed!r}, derivative {certified!r} ({apart})."]
