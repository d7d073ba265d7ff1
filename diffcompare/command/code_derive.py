"""The gradient of a function in code of the user's, written as code: here, or in a process of its own."""

from __future__ import annotations

from typing import Any

from diffcompare.studies.user_code import importable, load_function
from diffcompare.verdict.derive import derive

__all__ = ["derived"]


def derived(payload: tuple[str, Any, float]) -> str:
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
        return derive(load_function(name), point, budget=budget).source
