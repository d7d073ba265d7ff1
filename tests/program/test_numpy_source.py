"""Lines of NumPy code."""

from __future__ import annotations

from diffcompare.program.expressions import Expressions
from diffcompare.program.numpy_source import NumpyLines
from diffcompare.program.numpy_texts import NumpyTexts
from tests.program.test_expressions import SCOPE, leaf


def test_a_long_line_is_split_where_nothing_has_a_name_yet() -> None:
    write = Expressions()
    b, known = leaf(write, "b")[0], write.function("tanh", leaf(write, "a")[0])
    root = b
    for k in range(1, 7):
        root = write.plus(root, write.function("sin", write.plus(known, write.scaled(b, k))))
    writer = NumpyLines(NumpyTexts({3}, lambda _: None, ()), {}, (), SCOPE, {known: "h"})
    assert writer.lines([root], lambda found: [f"return {found[0]}"]) == [
        "z = b + np.sin(h + b) + np.sin(h + 2 * b) + np.sin(h + 3 * b)",
        "return z + np.sin(h + 4 * b) + np.sin(h + 5 * b) + np.sin(h + 6 * b)",
    ]
