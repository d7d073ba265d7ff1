"""Strategies of Hypothesis for tests of code that differentiates."""

from __future__ import annotations

from hypothesis import strategies as st

from diffcompare.numeric.stencils import stencil

__all__ = ["steps"]


def steps(scheme: str | None = None) -> st.SearchStrategy[float]:
    """Draw step sizes h for finite differences: decades, powers of two, and any from 1e-16 to 0.1.

    Parameters
    ----------
    scheme : str, optional
        The scheme that the steps are for.

    Returns
    -------
    SearchStrategy of float
        Positive; the simplest is 0.1.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(steps("central"))
    ... def test(h):
    ...     assert 0 < h <= 0.5
    >>> test()
    """
    if scheme is not None:
        stencil(scheme)
    return _STEPS


_DECADES = st.integers(1, 16).map(lambda k: float(f"1e-{k}"))
_BINADES = st.integers(1, 53).map(lambda k: 2.0**-k)
_STEPS = st.one_of(_DECADES, _BINADES, st.floats(1e-16, 0.1))
