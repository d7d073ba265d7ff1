"""The numbers of the trace that is being made, as the operations of other libraries find them."""

from __future__ import annotations

from typing import Any

from diffcompare.errors import TraceError
from diffcompare.tracing.array_substitutes import ARRAYS
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.dialect import Dialect
from diffcompare.tracing.refusals import active_table
from diffcompare.tracing.substitutes import SCALARS

__all__ = ["dialect", "linear", "special"]


def dialect() -> Dialect:
    """Return how the trace that is being made sees numbers."""
    return ARRAYS if isinstance(active_table(), ArrayTable) else SCALARS


def special(name: str, *x: Any) -> Any:
    """Apply a function of ``scipy.special``."""
    try:
        import scipy.special
    except ImportError:
        raise _lacking(name) from None
    return dialect().special(active_table(), getattr(scipy.special, name))(*x)


def linear(name: str, *x: Any) -> Any:
    """Apply a function of ``scipy.linalg``."""
    try:
        import scipy.linalg
    except ImportError:
        raise _lacking(name) from None
    return dialect().linear(active_table(), getattr(scipy.linalg, name))(*x)


def _lacking(name: str) -> TraceError:
    return TraceError(f"{name} needs SciPy: pip install scipy")
