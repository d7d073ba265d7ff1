"""What assertions need, loaded before a property is tested: the first example would be over Hypothesis' deadline."""

from __future__ import annotations

from types import ModuleType

__all__ = ["load_assertions"]


def load_assertions() -> tuple[ModuleType, ...]:
    """Import the modules of the assertions and checks of a test, which takes longer than a test may."""
    from diffcompare.numeric import differences
    from diffcompare.symbolic import derivatives
    from diffcompare.testing import assertions, within_bound
    from diffcompare.verdict import certified

    return assertions, within_bound, certified, differences, derivatives
