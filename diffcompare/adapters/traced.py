"""The numbers of the trace that is being made, as the operations of other libraries find them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from diffcompare.errors import TraceError
from diffcompare.tracing.array_substitutes import ARRAYS
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.dialect import Dialect
from diffcompare.tracing.substitutes import SCALARS
from diffcompare.tracing.table import active_table

__all__ = ["dialect", "linear", "special"]


def dialect() -> Dialect:
    """Return how the trace that is being made sees numbers."""
    return ARRAYS if isinstance(active_table(), ArrayTable) else SCALARS


def special(name: str, *x: Any) -> Any:
    """Apply a function of ``scipy.special``."""
    return dialect().special(active_table(), getattr(_scipy("special", name), name))(*x)


def linear(name: str, *x: Any) -> Any:
    """Apply a function of ``scipy.linalg``."""
    return dialect().linear(active_table(), getattr(_scipy("linalg", name), name))(*x)


def _scipy(module: str, name: str) -> Any:
    try:
        return import_module(f"scipy.{module}")
    except ImportError:
        raise TraceError(f"{name} needs SciPy: pip install scipy") from None
