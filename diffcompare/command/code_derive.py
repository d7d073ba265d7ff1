"""The gradient of a function in code of the user's, written as code: here, or in a process of its own."""

from __future__ import annotations

from diffcompare.studies.user_code import importable, load_function
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.verdict.derive import derive

__all__ = ["derived"]


def derived(payload: tuple[str, float | list[float], float]) -> str:
    """Return the code of the gradient of MODULE:function at a point; each check of it may take so many seconds.

    Raises
    ------
    DiffcompareError
        The gradient cannot be written, or the module holds no function of that name.
    TypeError, ValueError
        The point does not fit.
    """
    name, point, budget = payload
    with importable(name):
        function = load_function(name)
        if isinstance(function, SymbolicFunction):
            raise TypeError(f"{name} is a formula: derive is for NumPy code; write the formula as a function")
        return derive(function, point, budget=budget).source
