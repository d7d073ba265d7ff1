"""Which edits are dearer than others."""

from __future__ import annotations

from diffcompare.program.arrays import ArrayBuilder
from diffcompare.verdict.repairs.edits import _is_part


def test_factors_and_terms_are_parts_and_arguments_are_none() -> None:
    build = ArrayBuilder(3)
    x = build.variables
    sine = build.apply("sin", x)
    product = build.apply("multiply", sine, build.apply("exp", x))
    whole = build.apply("add", build.apply("negative", product), x)
    assert _is_part(build, sine, product)
    assert _is_part(build, sine, whole)
    assert not _is_part(build, product, sine)
    assert not _is_part(build, x, sine)
