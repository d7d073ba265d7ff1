"""Comparisons as the processes of a test run hand them over, made by hand."""

from __future__ import annotations

from typing import Any

from diffcompare.tables.schema import COLUMNS

__all__ = ["comparison", "errors"]


def comparison(test: str, status: str, *, outcome: str = "passed", examples: int = 1, text: str = "") -> dict[str, Any]:
    """A gradient of two components; the second one has the status. ``text`` stands wherever a text can."""
    difference = -4.0 if status == "wrong" else 0.0
    return {
        "test": test,
        "outcome": outcome,
        "place": text or "test_it.py:12",
        "kind": "gradient",
        "status": status,
        "examples": examples,
        "statuses": {"consistent": examples - 1, status: 1}
        if examples > 1 and status != "consistent"
        else {status: examples},
        "max_threshold_ratio": abs(difference) / 2.0**-50,
        "verdict": {
            "status": status,
            "evidence": text or "identity",
            "resolution": 2.0**-52,
            "rounding": 0.0,
            "blame": "gradient" if status == "wrong" else None,
            "cause": (text or "factor 2 missing: the claim is D/2") if status == "wrong" else None,
            "notes": [text or "a note"],
            "snippet": text or "dc.check_gradient(f, gradient, at=[3.0, 4.0])",
            "text": f"{status}: {text or 'in words'}",
            "what": text or "gradient",
            "components": {
                "point": [text or "[3.0, 4.0]"] * 2,
                "component": [text or "x[0]", text or "x[1]"],
                "claimed": [6.0, 8.0 + difference],
                "certified": [6.0, 8.0],
                "difference": [0.0, difference],
                "ulps": [0.0, abs(difference) * 2.0**49],
                "relative": [0.0, abs(difference) / 8],
                "threshold": [2.0**-50, 2.0**-50],
                "status": ["consistent", status],
            },
        },
    }


def errors(test: str, *, within: bool, name: str = "exp(x)") -> dict[str, Any]:
    """Two rows of a central difference; the second one may exceed its bound."""
    bound = 1e-6 if within else 1e-12
    numbers = {"h": [1e-3, 1e-4], "numeric": [2.5, 2.5], "exact": [2.5, 2.5], "error": [1e-7, -1e-9]}
    more = {
        "abs_error": [1e-7, 1e-9],
        "bound": [1e-6, bound],
        "within_bound": [True, within],
        "order": [2, 2],
        "derivative": [1, 1],
    }
    texts = {
        "function": name,
        "variable": "x",
        "point": "x=1.0",
        "scheme": "central",
        "status": "ok",
        "dtype": "float64",
    }
    columns = {**{key: [value] * 2 for key, value in texts.items()}, **numbers, **more, "bound_source": ["proven"] * 2}
    status = "within-bound" if within else "outside-bound"
    return {
        "test": test,
        "outcome": "passed" if within else "failed",
        "place": "test_it.py:12",
        "kind": "within-bound",
        "status": status,
        "examples": 1,
        "statuses": {status: 1},
        "max_threshold_ratio": 1e-9 / bound if not within else 0.1,
        "rows": {column: columns.get(column, [None, None]) for column in COLUMNS},
    }
