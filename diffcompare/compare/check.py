"""The verdict on a claimed gradient: a ladder of three rules, from the most certain evidence to the least.

Identity: function and gradient are both traced and compared as real functions in ball arithmetic. Neighbours: the
gradient only returns floats, the derivative is known from a formula or a trace. Witness: neither is known, and the
function is compared with the integral of the claimed gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffcompare.compare.arguments import Structure, points_of, structure_of
from diffcompare.compare.causes import Cause, find_cause
from diffcompare.compare.identity import judge_by_identity, trace
from diffcompare.compare.judgement import COMPONENT_STATUSES, Judgement, Problem
from diffcompare.compare.neighbours import judge_by_neighbours
from diffcompare.compare.reference import certified_gradient
from diffcompare.compare.witness import judge_by_witness
from diffcompare.errors import DiffcompareError, shorten
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.parse import parse

__all__ = ["Verdict", "check_gradient"]

Floats = NDArray[np.float64]

_EVIDENCE = {
    "identity": "identity: function and gradient were traced and compared as real functions in ball arithmetic",
    "neighbours": "neighbours: the derivative is known, the rounding of the gradient was measured around the point",
    "witness": "witness: the function was compared with the integral of the claimed gradient",
    "calls": "what the calls did, before any derivative was looked at",
}
_MANY = 1000
_ADVICE = {
    "consistent": "Nothing to do.",
    "wrong": "Mend the gradient, or pass formula= if the function is not what you meant.",
    "non-smooth": "There is no derivative here; check at another point, or state which one-sided slope is meant.",
    "out-of-domain": "The function has no finite value or derivative here; check at a point inside its domain.",
    "inconclusive": "Check at another point, or pass formula= (and noise= if the function is only accurate to that).",
}


class Explanation(str):
    """Why a gradient is wrong, in one sentence; ``kind`` names the mistake, ``components`` are those it explains."""

    kind: str
    components: tuple[int, ...]

    def __new__(cls, cause: Cause) -> Explanation:
        self = super().__new__(cls, cause.text)
        self.kind, self.components = cause.kind, tuple(cause.components)
        return self


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a gradient is right, and how closely that can be told.

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

    @property
    def ok(self) -> bool:
        """True only for ``consistent``."""
        return self.status == "consistent"

    def __bool__(self) -> bool:
        raise TypeError("a Verdict is neither true nor false; ask verdict.ok, or verdict.status for all five answers")

    def __str__(self) -> str:
        return self.explain()

    def explain(self) -> str:
        """Return the verdict in at most 15 plain lines."""
        lines = [f"{self.status}: {_headline(self)}"]
        lines.append(f"Judged by {_EVIDENCE[self.evidence]}.")
        lines += _worst_line(self.components)
        if self.cause:
            lines.append(f"Cause: {self.cause}.")
        if self.blame == "formula":
            lines.append("The function is not the formula that was given; the gradient is not to blame.")
        if not math.isnan(self.resolution):
            lines.append(f"Resolution: an error above {self.resolution:.1e} of the largest component would be seen.")
        if not math.isnan(self.rounding) and self.status != "wrong":
            lines.append(f"Rounding: the gradient carries {self.rounding:.1e} of its largest component.")
        lines += [_sentence(note) for note in self.notes[:5]]
        lines.append(_ADVICE[self.status])
        if self.status == "wrong" and self.evidence == "witness":
            lines.append("If f itself is inexact, as an iteration that stops early is, state its error with noise=.")
        if self.snippet:
            lines.append(f"Repeat with: {self.snippet}")
        return "\n".join(lines[:15])


def check_gradient(
    f: Callable[..., Any] | SymbolicFunction,
    gradient: Callable[..., Any],
    at: Any,
    *,
    formula: SymbolicFunction | str | Any = None,
    args: Sequence[Any] = (),
    box: tuple[Any, Any] | None = None,
    noise: float | None = None,
) -> Verdict:
    """Judge whether a gradient is the gradient of a function.

    Parameters
    ----------
    f : callable or SymbolicFunction
        ``f(x, *args)`` returns one number.
    gradient : callable
        ``gradient(x, *args)`` returns the claimed gradient in the structure of x.
    at : array_like, tuple or dict of arrays
        The point, of any shape. Where f returns one number for each row of an array, the rows are several points.
    formula : SymbolicFunction, SymPy expression or text, optional
        What f claims to be. With none, f is traced; if that fails too, the witness rule judges.
    args : sequence
        Further arguments of both callables.
    box : (lower, upper), optional
        Arrays of the structure of x; nothing is evaluated outside.
    noise : float, optional
        The absolute error of f, where it is not just rounded (an iteration stopped early, a measurement).

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError, TypeError
        A point, box or formula that does not fit; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> verdict = check_gradient(lambda x: np.sum(x**2), lambda x: x, at=[3.0, 4.0])
    >>> verdict.status, verdict.cause
    ('wrong', 'factor 2 missing: the claim is D/2 in every component')
    """
    for name, value in (("f", f), ("gradient", gradient)):
        if not callable(value):
            raise TypeError(f"{name}={shorten(repr(value), 60)}: must be callable; pass the function itself")
    if isinstance(args, str) or not hasattr(args, "__iter__"):
        raise TypeError(f"args={args!r}: must be a sequence of further arguments; pass args=({args!r},)")
    if noise is not None and not (isinstance(noise, int | float) and math.isfinite(noise) and noise >= 0):
        raise ValueError(f"noise={noise!r}: the error of f must be a finite number of at least 0")
    points = points_of(f, at, tuple(args))
    verdicts = [_check_point(f, gradient, point, formula, tuple(args), box, noise) for point in points]
    return verdicts[0] if len(verdicts) == 1 else _combined(verdicts)


# ---- one point


def _check_point(
    f: Any, gradient: Any, at: Any, formula: Any, args: tuple[Any, ...], box: Any, noise: float | None
) -> Verdict:
    structure, x = structure_of(at)
    known = _formula(f, formula, structure.size)
    function = _as_callable(f, structure) if isinstance(f, SymbolicFunction) else f
    problem = Problem(
        function, gradient, x, structure.unflatten, structure.flatten, structure.names(), known, args,
        _box(box, structure, x), noise,
    )  # fmt: skip
    # what overflows or is undefined on the way is judged, not warned of
    with np.errstate(all="ignore"):
        judgement = _calls(problem) or _ladder(problem)
        return _verdict(problem, judgement, at)


def _as_callable(f: SymbolicFunction, structure: Structure) -> Callable[..., Any]:
    def function(x: Any, *_: Any) -> Any:
        flat = structure.flatten(x)
        return f(flat[0] if len(f.variables) == 1 else flat)

    return function


def _formula(f: Any, formula: Any, size: int) -> SymbolicFunction | None:
    if formula is None:
        known = f if isinstance(f, SymbolicFunction) else None
    elif isinstance(formula, SymbolicFunction):
        known = formula
    elif isinstance(formula, str):
        known = parse(formula)
    elif not hasattr(formula, "free_symbols"):
        raise TypeError(f"formula={formula!r}: must be text, a SymPy expression or a SymbolicFunction")
    else:
        symbols = sorted(formula.free_symbols, key=lambda symbol: symbol.name)
        known = SymbolicFunction(formula, symbols)
    if known is not None and len(known.variables) != size:
        raise ValueError(
            f"formula {shorten(known.formula, 60)!r} has {len(known.variables)} variables "
            f"({', '.join(known.variables)}), the point has {size} coordinates; pass "
            "diffcompare.parse(text, variables=[...]) with one name for each"
        )
    return known


def _box(box: Any, structure: Structure, x: Floats) -> tuple[Floats, Floats] | None:
    if box is None:
        return None
    if not isinstance(box, tuple | list) or len(box) != 2:
        raise ValueError(f"box={shorten(repr(box), 60)}: must be (lower, upper)")
    lower, upper = (_side(side, structure, x) for side in box)
    if np.isnan(lower).any() or np.isnan(upper).any() or (lower > upper).any():
        raise ValueError(f"box={shorten(repr(box), 60)}: every lower corner must be a number below its upper one")
    if not (np.all(lower <= x) and np.all(x <= upper)):
        k = int(np.flatnonzero((lower > x) | (x > upper))[0])
        raise ValueError(
            f"{structure.names()[k]}={float(x[k])!r} lies outside the box [{float(lower[k])!r}, {float(upper[k])!r}]; "
            "move one of them"
        )
    return lower, upper


def _side(side: Any, structure: Structure, x: Floats) -> Floats:
    """Return one corner of the box, flat; a number stands for all coordinates."""
    if not isinstance(side, Mapping | tuple) and np.ndim(side) == 0:
        return np.full(x.shape, float(side))
    return np.asarray(structure.flatten(side), dtype=np.float64)


def _calls(problem: Problem) -> Judgement | None:
    """Judge what shows before any derivative is looked at: exceptions, shapes, nan, state."""
    x = problem.x
    try:
        value = problem.value(x)
    except Exception as error:
        return _plain(problem, "inconclusive", f"The function raised {_named(error)}.")
    if not math.isfinite(value):
        return _plain(problem, "out-of-domain", f"The function returned {value!r} at the point.")
    before = problem.unflatten(x)
    try:
        returned = problem.gradient(before, *problem.args)
    except Exception as error:
        return _plain(problem, "wrong", f"The gradient raised {_named(error)}.")
    try:
        claimed = np.asarray(problem.flatten(returned), dtype=np.float64)
    except ValueError as error:
        return _plain(problem, "wrong", f"Wrong shape or type: {error}.")
    if not np.array_equal(problem.flatten(before), x):
        return _plain(problem, "wrong", "The gradient changed its argument in place.", claimed)
    try:
        again = problem.claim(x)
        elsewhere = x + np.where(x == 0, 2.0**-3, np.abs(x) * 2.0**-3)
        if problem.box is not None:
            elsewhere = np.clip(elsewhere, *problem.box)
        if not np.array_equal(again, claimed, equal_nan=True):
            return _plain(problem, "wrong", "Two calls at one point gave two answers: not deterministic.", claimed)
        try:
            problem.value(elsewhere)
            problem.claim(elsewhere)
        except Exception:
            return None
        later = problem.claim(x)
    except Exception as error:
        return _plain(problem, "wrong", f"The gradient raised {_named(error)} when it was called again.", claimed)
    if not np.array_equal(later, claimed, equal_nan=True):
        note = "After a call at another point the same point gave another answer: it depends on earlier calls."
        return _plain(problem, "wrong", note, claimed)
    return None


def _named(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {shorten(text, 120)}" if text else type(error).__name__


def _plain(problem: Problem, status: str, note: str, claimed: Floats | None = None) -> Judgement:
    nothing = np.full(problem.x.size, np.nan)
    return Judgement(
        "calls", (status,) * problem.x.size, nothing if claimed is None else claimed, nothing, nothing, math.nan,
        "gradient" if status == "wrong" else None, (note,),
    )  # fmt: skip


def _ladder(problem: Problem) -> Judgement:
    judgement = judge_by_identity(problem)
    if judgement is None:
        traced = problem.formula if problem.formula is not None or problem.x.size > _MANY else _traced(problem)
        known = replace(problem, formula=traced)
        few = problem.x.size <= _MANY
        judgement = judge_by_neighbours(known) if known.formula is not None and few else None
    if judgement is None:
        judgement = judge_by_witness(problem)
    return judgement if judgement is not None else _plain(problem, "inconclusive", "No rule could judge it.")


def _traced(problem: Problem) -> SymbolicFunction | None:
    # bound here, so that tracing finds the user's function behind a plain name
    user, unflatten, args = problem.function, problem.unflatten, problem.args

    def function(flat: Any) -> Any:
        return user(unflatten(flat), *args)

    try:
        known = trace(function, (problem.x.size,))
    except DiffcompareError:
        return None
    # a trace is undefined on paths that it did not meet, which says nothing about the function
    return known if "domain" not in certified_gradient(known, problem.x).status else None


# ---- the verdict


def _verdict(problem: Problem, judgement: Judgement, at: Any) -> Verdict:
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
    cause = None
    if status == "wrong" and judgement.blame != "formula" and judgement.evidence != "calls":
        cause = _cause(problem, judgement, difference, np.shape(at) if not isinstance(at, Mapping | tuple) else None)
    components = pd.DataFrame(
        {
            "point": shorten(repr(at), 60) if not isinstance(at, Mapping) else "at",
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
    snippet = f"diffcompare.check_gradient(f, gradient, at={_written(at)}{more})"
    return Verdict(
        status, judgement.evidence, resolution, judgement.rounding, judgement.blame, cause, components,
        judgement.notes, snippet,
    )  # fmt: skip


def _cause(
    problem: Problem, judgement: Judgement, difference: Floats, shape: tuple[int, ...] | None
) -> Explanation | None:
    # a trace serves the cause alone; with very many components it would cost more than it tells
    known = problem.formula if problem.formula is not None or problem.x.size > _MANY else _traced(problem)
    found = find_cause(
        judgement.claimed,
        judgement.certified,
        judgement.threshold,
        program=None if known is None else known.program,
        point=problem.x.tolist(),
        names=problem.names,
        shape=shape,
        difference=None if judgement.difference is None else difference,
    )
    return None if found is None else Explanation(found)


def _written(at: Any) -> str:
    """Write a point as code, where that is short."""
    text = repr(np.asarray(at).tolist()) if not isinstance(at, Mapping | tuple) else "…"
    return text if len(text) <= 200 else "…"


def _combined(verdicts: Sequence[Verdict]) -> Verdict:
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
    bad = verdict.components[verdict.components["status"] == verdict.status]
    if verdict.status == "wrong":
        size = bad["relative"].max()
        where = f"{len(bad)} of {len(verdict.components)} components"
        by = "" if math.isnan(size) else f", by up to {size:.1e} of the largest"
        return f"{where} differ from the derivative{by}"
    if verdict.status == "consistent":
        return f"the gradient agrees with the derivative in all {len(verdict.components)} components"
    if verdict.status == "non-smooth":
        return f"the function has no derivative in {len(bad)} of {len(verdict.components)} components at this point"
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
