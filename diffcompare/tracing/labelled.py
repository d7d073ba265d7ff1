"""Numbers with labels, pandas' Series and DataFrame: told by what they have, so that pandas is not loaded for it."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["is_labelled", "with_labels"]


def is_labelled(value: Any) -> bool:
    """Tell whether a value is a Series or a DataFrame."""
    return hasattr(value, "to_numpy") and hasattr(value, "index") and hasattr(value, "reindex")


def with_labels(values: Any, like: Any) -> Any:
    """Return an array of numbers, or of what stands for them, with the labels of a Series or DataFrame."""
    array = np.asarray(values)
    rest = {"columns": like.columns} if like.ndim == 2 else {"name": like.name}
    return type(like)(array.reshape(like.shape), index=like.index, **rest)
