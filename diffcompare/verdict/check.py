"""The verdict on a claimed gradient: a ladder of three rules, from the most certain evidence to the least.

Identity: function and gradient are both traced and compared as real functions in ball arithmetic. Neighbours: the
gradient only returns floats, the derivative is known from a formula or a trace. Witness: neither is known, and the
function is compared with the integral of the claimed gradient.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diffcompare.adapters.door import adapted, adapted_point, parts_of
from diffcompare.errors import shown
from diffcompare.symbolic.function import SymbolicFunction, scalar
from diffcompare.verdict.arguments import (
    ComponentNames,
    as_callable,
    box_of,
    formula_of,
    points_of,
    returned_numbers,
    stacked,
    structure_of,
)
from diffcompare.verdict.in_place import is_movable, moving, put_back
from diffcompare.verdict.judgement import MOVED, UNUSED
from diffcompare.verdict.ladder import cause_in_code, judge
from diffcompare.verdict.observation import plain
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.value_and_gradient import taken_apart
from diffcompare.verdict.verdict import Verdict, combined, verdict_of
from diffcompare.watchdog import BUDGET, OutOfTime, in_time, one_account

__all__ = ["check_arguments", "check_gradient"]


# what the first looks at a point take
_LEAST = 20


@one_account()
@in_time
def check_gradient(
    f: Callable[..., Any] | SymbolicFunction,
    gradient: Callable[..., Any] | Literal[True],
    at: Any,
    *,
    formula: SymbolicFunction | str | Any = None,
    args: Sequence[Any] = (),
    box: Any = None,
    noise: float | None = None,
    guards: bool = False,
    budget: float = BUDGET,
    evaluations: int | None = None,
) -> Verdict:
    """Judge whether a gradient is the gradient of a function.

    Proven where ``evidence`` is ``identity``, as far as the traces are what runs; measured where it is ``neighbours``;
    estimated where it is ``witness``.

    Parameters
    ----------
    f : callable or SymbolicFunction
        ``f(x, *args)`` returns one number.
    gradient : callable or True
        ``gradient(x, *args)`` returns the claimed gradient: an array of the shape of x, or x's tuple or dict of them.
        True: f returns both, ``(value, gradient)``, as for ``scipy.optimize.minimize(f, x0, jac=True)``.
    at : array_like, tuple, list or dict of arrays or of each other, Series or DataFrame
        The point, of any shape; f is given what is passed: float32 numbers as such, labels and all; but for a list or a
        tuple of numbers, which is an array to it, as in SciPy. Where f returns one
        number for each row of an array, the rows are several points. An f that returns the same number wherever its
        argument is may read these very arrays, as the textbook's ``lambda W: net.loss(x, t)`` at ``net.params["W1"]``:
        they are moved then while it is judged, and put back.
    formula : SymbolicFunction, SymPy expression or text, optional
        What f claims to be. With none, f is traced; if that fails too, the witness rule judges.
    args : sequence
        Further arguments of both callables.
    box : (lower, upper), or Bounds, or sequence of (low, high), optional
        Nothing is evaluated outside. Arrays of the structure of x, or numbers; ``scipy.optimize.Bounds``; or a pair for
        each variable, as ``scipy.optimize.minimize`` takes them, where None is no bound. For two variables
        ``[(0, 1), (2, 3)]`` is refused, since it could be either; ``([0, 2], [1, 3])`` is (lower, upper).
    noise : float, optional
        The absolute error of f, in units of f, where it is not just rounded (an iteration stopped early, a
        measurement).
    guards : bool
        Judge f without the small constants that keep logarithms, roots, powers and denominators from 0, such as
        ``log(p + 1e-7)``, where the gradient ignores them; the notes say which.
    budget : float
        Seconds that it may take, besides one call of the code. What is known to cost more is left for a weaker rule,
        and said so, with the estimate; what runs out of time by the clock is inconclusive.
    evaluations : int, optional
        How many calls of f and of the gradient it may make together, at least 20; what needs more is inconclusive.
        Opaque code is called ten times a variable where it is smooth, and hundreds of times where there is doubt; how
        often, ``explain`` says.

    Returns
    -------
    Verdict
        ``.status``, ``.cause``, ``.components`` (one row a component), ``.explain()`` and more.

    Raises
    ------
    ValueError, TypeError
        A point, box or formula that does not fit; the message names it.

    References
    ----------
    The integral of a claimed gradient against differences of f is the fundamental theorem of calculus for line
    integrals (DLMF 1.6(iv)); the other rules are ours, and described in their modules.

    Examples
    --------
    >>> import numpy as np
    >>> verdict = check_gradient(lambda x: np.sum(x**2), lambda x: x, at=[3.0, 4.0])
    >>> verdict.status, verdict.cause
    ('wrong', 'factor 2 missing: the claim is D/2 in every component')
    >>> check_gradient(lambda x: (np.sum(x**2), 2 * x), True, at=[3.0, 4.0]).status
    'consistent'
    """
    written = f"check_gradient(f, {'True' if gradient is True else 'gradient'}"
    f, claimed = taken_apart(f, gradient)
    check_arguments({"f": f, "gradient": claimed}, args, noise, budget, evaluations)
    if isinstance(f, SymbolicFunction):
        scalar(f, "use check_jacobian")
    original = f
    f, claimed = adapted(f, (at, *args)), adapted(claimed, (at, *args))
    at = adapted_point(at, (f, claimed))
    points = points_of(f, at, tuple(args))
    remark = ""
    if len(points) > 1 and not isinstance(f, SymbolicFunction):
        remark = f"f returned {len(points)} numbers, one for each row of at"
        if not _is_by_rows(claimed, np.asarray(at), tuple(args)):
            words = f"{remark}, and the gradient is that of an array, not of a row; let f return one number"
            problem = _posed(f, claimed, at, None, tuple(args), None, None, guards)
            return verdict_of(problem, plain(problem, "inconclusive", words), at, cause=cause_in_code, check=written)
        remark += f": they are judged as {len(points)} points"

    def judged(f: Any, claimed: Any, point: Any) -> Verdict:
        problem = _posed(f, claimed, point, formula, tuple(args), box, noise, guards)
        # what overflows or is undefined on the way is judged, not warned of
        with np.errstate(all="ignore"):
            return verdict_of(problem, judge(problem), point, cause=cause_in_code, check=written)

    movable = len(points) == 1 and is_movable(at)
    # asked first: calls may run out when it is asked why a gradient is wrong
    in_place = movable and box is not None and _is_read_in_place(f, at, tuple(args), box)
    verdicts = [judged(f, claimed, point) for point in points]
    other = "" if verdicts[0].ok else _differs_for_sequence(original, at, tuple(args))
    if other and judged(_of_sequence(f, type(at)), _of_sequence(claimed, type(at)), at).ok:
        problem = _posed(f, claimed, at, None, tuple(args), None, None, guards)
        return verdict_of(problem, plain(problem, "inconclusive", other), at, cause=cause_in_code, check=written)
    if len(verdicts) > 1:
        return combined(verdicts, remark)
    if in_place or (movable and UNUSED in verdicts[0].notes):
        with put_back(at):
            moved = judged(moving(f, at), moving(claimed, at), deepcopy(at))
        if UNUSED not in moved.notes:
            return replace(moved, notes=(MOVED, *moved.notes), snippet=f"diffcompare.{written}, at=…)")
    return verdicts[0]


def _is_read_in_place(f: Any, at: Any, args: tuple[Any, ...], box: Any) -> bool:
    """Tell whether f answers alike at the point and at a corner of the box, unless the arrays of the point move there.

    What answers alike all over a box may be constant there.
    """
    if isinstance(f, SymbolicFunction):
        return False

    def difference(call: Any) -> bool:
        problem = _posed(call, call, deepcopy(at), None, args, box, None, guards=False)
        corner = problem.inside(problem.x + 2 * (1 + np.abs(problem.x)))
        return not np.array_equal(problem.values(problem.x), problem.values(corner))

    try:
        if difference(f):
            return False
        with put_back(at):
            return difference(moving(f, at))
    except Exception:
        return False


def _of_sequence(f: Callable[..., Any], kind: type) -> Callable[..., Any]:
    """Return a function of an array that hands on a list or a tuple of its numbers."""
    return lambda x, *args: f(kind(x), *args)


def _differs_for_sequence(f: Any, at: Any, args: tuple[Any, ...]) -> str:
    """Tell of an f that is one function of a list or a tuple of numbers, and another one of an array: x + (1.0,)."""
    if not isinstance(at, list | tuple) or parts_of(at) is not None or np.ndim(at) != 1:
        return ""
    kind = type(at).__name__
    try:
        given = returned_numbers(lambda _: f(deepcopy(at), *args), 0.0, ())
        array = returned_numbers(f, np.asarray(at, dtype=np.float64), args)
    except OutOfTime:
        return ""
    if given is None or given.size != 1 or (array is not None and np.array_equal(given, array)):
        return ""
    of_array = "none" if array is None else f"{float(array)!r}" if array.size == 1 else f"{array.size} numbers"
    return (
        f"f returned {float(given)!r} for a {kind} of numbers, and {of_array} for an array of them, which it is given "
        f"here: pass lambda x: f({kind}(x)), and the gradient likewise"
    )


def _is_by_rows(gradient: Any, at: NDArray[Any], args: tuple[Any, ...]) -> bool:
    """Tell whether a gradient takes a row of an array, and not the array as a whole."""
    whole = returned_numbers(gradient, at.astype(np.float64), args)
    if whole is None or whole.shape != at.shape:
        return True
    row = returned_numbers(gradient, at[0].astype(np.float64), args)
    if row is None or row.size != at[0].size:
        return False
    # of a matrix both may be had by chance: numbers that are picked by their place
    return at.ndim > 1 or stacked(gradient, whole, at, args)


def check_arguments(
    callables: Mapping[str, Any], args: Any, noise: Any, budget: Any = BUDGET, evaluations: Any = None
) -> None:
    """Refuse by name what is no callable, no sequence of arguments, no error of f, no number of seconds or calls."""
    whole = isinstance(evaluations, int) and not isinstance(evaluations, bool)
    if evaluations is not None and not (whole and evaluations >= _LEAST):
        raise ValueError(f"evaluations={shown(evaluations)}: must be a whole number of at least {_LEAST} calls")
    if isinstance(budget, bool) or not isinstance(budget, int | float) or not 0 < budget <= sys.float_info.max:
        raise ValueError(f"budget={shown(budget)}: the seconds of a check must be a positive and finite number")
    for name, value in callables.items():
        if not callable(value):
            raise TypeError(f"{name}={shown(value)}: must be callable; pass the function itself")
    if isinstance(args, str) or not hasattr(args, "__iter__"):
        raise TypeError(f"args={args!r}: must be a sequence of further arguments; pass args=({args!r},)")
    if noise is not None and not (isinstance(noise, int | float) and 0 <= noise <= sys.float_info.max):
        raise ValueError(f"noise={shown(noise)}: the error of f must be a finite number of at least 0")


def _posed(
    f: Any, gradient: Any, at: Any, formula: Any, args: tuple[Any, ...], box: Any, noise: float | None, guards: bool
) -> Problem:
    structure, x = structure_of(at)
    known = formula_of(f, formula, structure.size)
    if known is not None:
        scalar(known, "use check_jacobian")
    function = as_callable(f, structure) if isinstance(f, SymbolicFunction) else f
    return Problem(
        function, gradient, x, structure.unflatten, structure.flatten, ComponentNames(structure), known, args,
        box_of(box, structure, x), noise, guards=guards,
    )  # fmt: skip
