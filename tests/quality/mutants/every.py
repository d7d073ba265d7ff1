"""All planted bugs. The list was fixed before it was run for the first time; nothing is ever taken out of it."""

from __future__ import annotations

from . import (
    arithmetic,
    compare_arrays,
    compare_numbers,
    compare_verdict,
    complex_and_boxes,
    others,
    program_and_numeric,
    rows,
    special_and_higher,
)

__all__ = ["MUTANTS"]

MUTANTS = (
    *program_and_numeric.MUTANTS,
    *arithmetic.MUTANTS,
    *compare_numbers.MUTANTS,
    *compare_verdict.MUTANTS,
    *compare_arrays.MUTANTS,
    *special_and_higher.MUTANTS,
    *others.MUTANTS,
    *complex_and_boxes.MUTANTS,
    *rows.MUTANTS,
)
