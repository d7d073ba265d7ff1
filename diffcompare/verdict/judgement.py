"""What a rule of the verdict answers."""

from __future__ import annotations

from dataclasses import dataclass

from diffcompare.floats import Floats
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.causes.mistakes import Cause
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.marks import Mark
from diffcompare.verdict.pair import Pair

__all__ = ["ALONE", "MOVED", "OTHER_BESIDE", "OTHER_NUMBERS", "OTHER_SLOPE", "UNUSED", "Judgement", "Left"]

# why a trace is not taken for the code, and what to do
ALONE = "let it depend on its argument alone, by functions of NumPy and SciPy"
OTHER_NUMBERS = f"the trace gives other numbers than the code, which depends on what a trace does not see; {ALONE}"
OTHER_BESIDE = f"beside the point the code gives other numbers than its trace, which does not see all of it; {ALONE}"
OTHER_SLOPE = f"the code has another slope than its trace: its decisions do what a trace does not see; {ALONE}"
# code that reads an array in place, which the textbook's numerical gradient moves
UNUSED = (
    "f does not use its argument: it returns the same number wherever that is moved; let it put the argument where it "
    'reads, as def f(W): net.params["W1"] = W; return net.loss(x, t)'
)
MOVED = "f does not use its argument, but reads the arrays of the point in place: they were moved, and put back"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule found out.

    Parameters
    ----------
    evidence : str
        ``identity``, ``neighbours`` or ``witness``.
    status : tuple of str
        One of ``COMPONENT_STATUSES`` for each component.
    claimed, certified : ndarray of float64, shape (n,)
        What the gradient returned; the true partial, correctly rounded (nan where the rule does not know it).
    threshold : ndarray of float64, shape (n,)
        The smallest difference of each component that would have been called wrong, in units of the gradient.
    rounding : float
        The rounding error of the gradient, relative to its largest component; nan where unknown.
    blame : str or None
        ``gradient`` or ``formula``.
    notes : tuple of str
        Plain sentences for the explanation: what was seen and what it means.
    difference : ndarray of float64 or None
        The real difference G − D of each component where the rule knows it apart from rounding.
    headline : str
        What the verdict begins with, where counting components would not say what happened.
    error : BaseException or None
        What the user's code raised.
    pair : Pair or None
        The traces of function and derivative that were compared, for the search for a cause.
    known : SymbolicFunction or None
        The function that an opaque derivative was compared with.
    cause : Cause or None
        Why it is wrong, where the rule knows.
    arrays : ArrayPair or None
        The traces as programs of arrays, where those were compared.
    rungs : tuple of (str, float, str)
        The rules that were tried: name, seconds by the clock, and what came of it.
    marks : tuple of Mark
        The expressions to blame, where the rule knows them with the cause.
    beside : tuple of Nearby or None
        Claim and derivative at the point and near by, where they were measured.
    """

    evidence: str
    status: tuple[str, ...]
    claimed: Floats
    certified: Floats
    threshold: Floats
    rounding: float
    blame: str | None = None
    notes: tuple[str, ...] = ()
    difference: Floats | None = None
    headline: str = ""
    error: BaseException | None = None
    pair: Pair | None = None
    known: SymbolicFunction | None = None
    cause: Cause | None = None
    arrays: ArrayPair | None = None
    rungs: tuple[tuple[str, float, str], ...] = ()
    marks: tuple[Mark, ...] = ()
    beside: tuple[Nearby, ...] | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """Why a rung of the ladder does not judge, with the place in the user's code where it is known.

    ``followed``: the code was traced, and what it does there is not what can be judged so.
    """

    reason: str
    followed: bool = False
