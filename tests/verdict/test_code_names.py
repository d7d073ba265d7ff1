"""The names that arrays and numbers have in the user's code, also inside objects."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from diffcompare.verdict.code_names import names_in

DEEP: dict[str, Any] = {"a": {"b": {"c": np.arange(3.0), "d": {"e": np.arange(4.0)}}}}
HOLDER = SimpleNamespace(rows=np.ones((2, 3)), scale=0.7)


def function(x: Any) -> Any:
    return DEEP["a"]["b"]["c"] @ x * HOLDER.scale + np.sum(HOLDER.rows @ x)


def test_arrays_inside_objects_have_names_as_far_as_one_would_write_them() -> None:
    texts = [text for text, _ in names_in(function, ()).arrays]
    assert 'DEEP["a"]["b"]["c"]' in texts
    assert "HOLDER.rows" in texts
    # four steps inside is further than anybody looks
    assert not any('["e"]' in text for text in texts)


def test_an_object_that_holds_itself_is_looked_at_once() -> None:
    DEEP["self"] = DEEP
    try:
        texts = [text for text, _ in names_in(function, ()).arrays]
    finally:
        del DEEP["self"]
    assert texts.count('DEEP["a"]["b"]["c"]') == 1
