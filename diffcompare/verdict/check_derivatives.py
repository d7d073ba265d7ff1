"""Gradient and Hessian of one function, judged together; of objects that have all three, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from diffcompare.errors import shown
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tables.components import COMPONENT_STATUSES
from diffcompare.verdict.check import check_gradient
from diffcompare.verdict.check_arrays import check_hessian
from diffcompare.verdict.verdict import Verdict
from diffcompare.watchdog import BUDGET, one_account

__all__ = ["Derivatives", "check_derivatives"]

# how objects call a function, its gradient and its Hessian: statsmodels' models, and SciPy's words
_METHODS = (("loglike", "score", "hessian"), ("fun", "grad", "hess"), ("fun", "jac", "hess"))


@dataclass(frozen=True, slots=True)
class Derivatives:
    """The verdicts on the derivatives of one function.

    Parameters
    ----------
    gradient : Verdict
    hessian : Verdict or None
        None where no Hessian was given.
    """

    gradient: Verdict
    hessian: Verdict | None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts by the order of the derivative."""
        return (self.gradient,) if self.hessian is None else (self.gradient, self.hessian)

    @property
    def status(self) -> str:
        """The worst status of all orders."""
        return min((one.status for one in self.verdicts), key=COMPONENT_STATUSES.index)

    @property
    def ok(self) -> bool:
        """True only where all are ``consistent``."""
        return self.status == "consistent"

    def __bool__(self) -> bool:
        raise TypeError("Derivatives are neither true nor false; ask .ok, or .status for all five answers")

    def __str__(self) -> str:
        return self.explain()

    def _first_line(self) -> str:
        return f"{self.status}: {', '.join(f'the {one.what} is {one.status}' for one in self.verdicts)}"

    def explain(self) -> str:
        """Return what each verdict explains, below a line that says the status of all."""
        return "\n\n".join([self._first_line(), *(f"{one.what}: {one.explain()}" for one in self.verdicts)])

    def _repr_html_(self) -> str:
        """Show the verdicts in a notebook."""
        parts = "".join(f"<div>{one.what}</div>{one._repr_html_()}" for one in self.verdicts)
        return f"<div><strong>{self._first_line()}</strong>{parts}</div>"


@one_account()
def check_derivatives(
    f: Callable[..., Any] | SymbolicFunction | Any,
    gradient: Callable[..., Any] | Literal[True] | None = None,
    hessian: Callable[..., Any] | None = None,
    at: Any = None,
    *,
    formula: SymbolicFunction | str | Any = None,
    args: Sequence[Any] = (),
    box: Any = None,
    noise: float | None = None,
    guards: bool = False,
    budget: float = BUDGET,
    evaluations: int | None = None,
) -> Derivatives:
    """Judge the gradient and the Hessian of a function, in one verdict.

    Parameters
    ----------
    f : callable, SymbolicFunction or object
        ``f(x, *args)`` returns one number. An object, with no gradient beside it, is asked for its methods:
        ``loglike``, ``score`` and ``hessian``, as the models of statsmodels have them, or ``fun``, ``grad`` (or
        ``jac``) and ``hess``; it need not have the last.
    gradient : callable or True
        As in :func:`check_gradient`.
    hessian : callable, optional
        As in :func:`check_hessian`, without a vector.
    at : array_like, tuple or dict of arrays
        The point, of any shape.
    formula, args, box, noise, guards, budget, evaluations
        As in :func:`check_gradient`; each order may take the budget and the evaluations.

    Returns
    -------
    Derivatives
        ``.status`` is the worst of ``.gradient`` and ``.hessian``, which are verdicts; ``.ok`` and ``.explain()`` are
        of both.

    Raises
    ------
    ValueError, TypeError
        A point, box or formula that does not fit, or no gradient; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> found = check_derivatives(
    ...     lambda x: np.sum(x**3), lambda x: 3 * x**2, lambda x: np.diag(3 * x), at=[1.0, 2.0]
    ... )
    >>> found.status, found.gradient.status, str(found.hessian.cause)
    ('wrong', 'consistent', 'factor 2 missing: the claim is D/2 on the diagonal')
    """
    if at is None:
        raise TypeError("at=None: pass the point to check at")
    if gradient is None:
        f, gradient, own = _methods(f)
        hessian = hessian if hessian is not None else own
    options = {
        "formula": formula, "args": args, "box": box, "noise": noise, "guards": guards, "budget": budget,
        "evaluations": evaluations,
    }  # fmt: skip
    first = check_gradient(f, gradient, at, **options)
    if hessian is None:
        return Derivatives(first, None)
    return Derivatives(first, check_hessian(f, hessian, at, gradient=gradient, **options))


def _methods(model: Any) -> tuple[Any, Any, Any]:
    """Return the function of an object, its gradient and, if it has one, its Hessian."""
    for names in _METHODS:
        f, gradient, hessian = (getattr(model, name, None) for name in names)
        if callable(f) and callable(gradient):
            return f, gradient, hessian if callable(hessian) else None
    raise TypeError(
        f"f={shown(model)}, gradient=None: pass a gradient, or an object with loglike and score, or with fun and grad"
    )
