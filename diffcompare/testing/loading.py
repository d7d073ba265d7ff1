"""What assertions need, loaded before a property is tested: the first example would be over Hypothesis' deadline."""

from __future__ import annotations

from importlib import import_module

__all__ = ["load_assertions"]


def load_assertions() -> None:
    """Import what the assertions and checks of a test will need, which takes longer than a test may."""
    for name in ("testing.assertions", "testing.within_bound", "verdict.certified", "numeric.differences"):
        import_module(f"diffcompare.{name}")
