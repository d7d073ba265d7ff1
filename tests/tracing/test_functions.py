"""The list of functions: at least 95 % are traced, and each trace is what the float code computes."""

from __future__ import annotations

import inspect
import math
import re
import runpy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffcompare.certify.reference import certified_gradient
from diffcompare.errors import TraceError
from diffcompare.verdict.traced import trace

LIST = runpy.run_path(str(Path(__file__).with_name("traced_functions.py")))
FUNCTIONS: list[Any] = LIST["FUNCTIONS"]

CONSTRUCTS = {
    "sum": r"\.sum\(|np\.sum|sum\(",
    "prod": r"np\.prod",
    "mean": r"\.mean\(|np\.mean",
    "max": r"np\.max\(|\.max\(",
    "min": r"np\.min\(|min\(",
    "var": r"np\.var|\.var\(",
    "std": r"np\.std|\.std\(",
    "norm": r"linalg\.norm",
    "logsumexp": r"logsumexp",
    "dot": r"np\.dot|\.dot\(",
    "matmul": r" @ ",
    "einsum": r"np\.einsum",
    "outer": r"np\.outer|multiply\.outer",
    "trace": r"np\.trace",
    "reshape": r"\.reshape\(",
    "transpose": r"\.T\b|np\.transpose",
    "slicing": r"\[\d*:|:-?\d*\]",
    "fancy indexing": r"np\.arange\(\w+\), \w+\]|\[order\]|\[\[",
    "boolean masks": r"\[x [<>]|\[self\.mask\]|\[keep\]",
    "stack": r"np\.stack|vstack|hstack",
    "concatenate": r"np\.concatenate",
    "where": r"np\.where",
    "select": r"np\.select",
    "piecewise": r"np\.piecewise",
    "maximum": r"np\.maximum",
    "minimum": r"np\.minimum|min\(",
    "clip": r"np\.clip",
    "cumsum": r"np\.cumsum",
    "diff": r"np\.diff",
    "det": r"linalg\.det|slogdet",
    "inv": r"linalg\.inv",
    "solve": r"linalg\.solve",
    "cholesky": r"linalg\.cholesky",
    "buffers": r"zeros_like|np\.zeros|empty_like",
    "closures over arrays": r"DATA|TARGET|weights",
    "loops": r"for .* in ",
    "math": r"math\.",
    "branches": r"if \w+ [<>]",
    "expit": r"\bexpit\(",
    "log_expit": r"log_expit\(",
    "xlogy": r"xlogy\(",
    "softmax": r"softmax\(",
}


def points(case: Any) -> list[np.ndarray]:
    random = np.random.default_rng(5)
    n = math.prod((case.shape,) if isinstance(case.shape, int) else case.shape)
    found = [random.uniform(0.2, 1.8, n) for _ in range(4)]
    return found if case.positive else [*found, *(random.normal(size=n) for _ in range(4))]


def test_the_list_is_long_and_holds_each_construct_twice() -> None:
    assert len(FUNCTIONS) >= 60
    sources = [inspect.getsource(case.function) for case in FUNCTIONS]
    seldom = {name for name, pattern in CONSTRUCTS.items() if sum(bool(re.search(pattern, s)) for s in sources) < 2}
    # those of scipy are listed where it is installed
    assert seldom <= ({"expit", "log_expit", "xlogy", "logsumexp"} if find_spec("scipy") is None else set())


@pytest.mark.thorough
def test_at_least_95_percent_are_traced() -> None:
    refused = []
    for case in FUNCTIONS:
        try:
            trace(case.function, case.shape)
        except TraceError as error:
            refused.append(f"{case.name}: {error}")
    print(f"{len(FUNCTIONS) - len(refused)} of {len(FUNCTIONS)} traced", *refused, sep="\n")
    assert len(refused) <= 0.05 * len(FUNCTIONS)


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case.name)
def test_a_trace_gives_what_the_code_gives_at_other_points(case: Any) -> None:
    f = trace(case.function, case.shape)
    shape = (case.shape,) if isinstance(case.shape, int) else case.shape
    checked = 0
    for point in points(case):
        with np.errstate(all="ignore"):
            expected = float(case.function(point.reshape(shape) if shape else float(point[0])))
        got = float(f(point if len(f.variables) > 1 else point[0]))
        if math.isnan(got):
            continue
        checked += 1
        assert abs(got - expected) <= 1e-9 * max(abs(expected), 1.0), point
    # elsewhere the code takes a path that was not met, and the program says that it is not defined
    assert checked >= 2


@pytest.mark.parametrize("case", FUNCTIONS[::6], ids=lambda case: case.name)
def test_the_gradient_of_a_trace_is_certified(case: Any) -> None:
    f = trace(case.function, case.shape)
    point = points(case)[0]
    reference = certified_gradient(f, point if len(point) > 1 else float(point[0]))
    assert set(reference.status) <= {"ok", "kink"}
    assert f.source == "python"


def test_a_long_recursion_with_rounded_constants_is_traced() -> None:
    def relaxation(x: Any) -> Any:
        y = x[0]
        for _ in range(200):
            y = y + 0.013 * (-0.7 * y + x[1])
        return y

    # the product of so many numbers of 53 bits is no exact constant any more
    assert float(trace(relaxation, 2)([1.0, 2.0])) == relaxation(np.array([1.0, 2.0]))


@pytest.mark.thorough
def test_a_trace_is_limited_in_size() -> None:
    with pytest.raises(TraceError, match=r"more than 300,000 elementary operations: .*; trace a smaller problem"):
        trace(lambda x: sum(x[i % 3] * float(i) for i in range(200_000)), 3)


def test_a_path_that_was_not_met_is_not_defined() -> None:
    def rarely(x: Any) -> Any:
        return x[0] ** 2 if x[0] < 1000 else x[0]

    f = trace(rarely, 1)
    assert float(f(3.0)) == 9.0
    assert math.isnan(float(f(2000.0)))
    assert certified_gradient(f, 2000.0).status == ["domain"]
