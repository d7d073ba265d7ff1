"""The cases by which rules may be tuned, and those kept aside."""

from __future__ import annotations

from . import (
    aside_1,
    aside_2,
    aside_3,
    aside_4,
    aside_5,
    classical,
    estimation,
    filters,
    grids,
    jacobians,
    losses,
    matrices,
    mixed_1,
    mixed_2,
    mixed_3,
    mixed_4,
    mixed_5,
    mixed_6,
    mixed_7,
    models,
    networks,
    physics,
    sequences,
    statistics,
)

OPEN = [
    one
    for module in (
        losses,
        networks,
        filters,
        physics,
        statistics,
        matrices,
        classical,
        sequences,
        grids,
        estimation,
        jacobians,
        models,
        mixed_1,
        mixed_2,
        mixed_3,
        mixed_4,
        mixed_5,
        mixed_6,
        mixed_7,
    )
    for one in module.CASES
]
ASIDE = [one for module in (aside_1, aside_2, aside_3, aside_4, aside_5) for one in module.CASES]
