"""Which operations of a function its rounding error comes from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from diffcompare.arithmetic.floating import node_values
from diffcompare.arithmetic.running_error import local_bounds, local_errors
from diffcompare.certify.reference import check_point
from diffcompare.floats import Floats
from diffcompare.program.dag import Program
from diffcompare.program.printing import formulas
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.watchdog import one_account

__all__ = ["hot_spots", "ranked_operations"]


def hot_spots(f: SymbolicFunction, point: ArrayLike) -> pd.DataFrame:
    """List the operations of a function by their share of its rounding error at a point.

    Parameters
    ----------
    f : SymbolicFunction
    point : float or array_like of float, shape (n,)

    Returns
    -------
    DataFrame
        One row for each operation that rounds, the largest share of the bound first: ``operation`` (the sub-formula),
        ``bound`` (proven: how much its rounding can contribute to f̂ − F, in units of f) and ``bound_share``,
        ``error`` (measured: what it does contribute, to first order) and ``error_share``. The shares are of the sums
        of absolute values; nan where nothing is known.

    Raises
    ------
    ValueError
        Wrong number of coordinates, or one that is nan or infinite.

    References
    ----------
    N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 3.3.

    Examples
    --------
    >>> import diffcompare as dc
    >>> spots = dc.hot_spots(dc.parse("(1 - cos(x))/x**2"), 1e-4)
    >>> spots.loc[0, "operation"], f"{spots.loc[0, 'bound_share']:.0%}"
    ('cos(x)', '100%')
    """
    columns = ("operation", "bound", "bound_share", "error", "error_share")
    return pd.DataFrame(dict(zip(columns, ranked_operations(f, point), strict=True)))


@one_account()
def ranked_operations(
    f: SymbolicFunction, point: ArrayLike, most: int | None = None
) -> tuple[list[str], Floats, Floats, Floats, Floats]:
    """Return the columns of :func:`hot_spots`, of the first operations if ``most`` says of how many."""
    coordinates = check_point(f, point)
    program: Program = f.program
    bounds = np.array(local_bounds(program, coordinates))
    errors = np.array(local_errors(program, coordinates, node_values(program, coordinates)))
    bound_shares, error_shares = _shares(bounds), _shares(errors)
    rounds = np.array([k for k, node in enumerate(program.nodes) if node.operands or errors[k] != 0], dtype=int)
    rounds = rounds[(bounds[rounds] != 0) | (errors[rounds] != 0)]
    order = rounds[np.lexsort((-error_shares[rounds], -bounds[rounds]))][:most]
    operations = formulas(program, order.tolist(), exact=False)
    return operations, bounds[order], bound_shares[order], errors[order], error_shares[order]


def _shares(values: Floats) -> Floats:
    total = np.nansum(np.abs(values))
    shares: Floats = np.abs(values) / total if total > 0 else np.zeros_like(values)
    return shares
