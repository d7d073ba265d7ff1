"""What cannot be traced is refused with the line, the reason and the remedy."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from diffcompare.errors import TraceError
from diffcompare.verdict.traced import trace


def takes_int(x: Any) -> Any:
    return np.sum(x) * int(x[0] * 3)


def takes_float_into_list(x: Any) -> Any:
    return [1.0, 2.0, 3.0][x[0]]


def draws(x: Any) -> Any:
    return np.sum(x) + np.random.rand()  # noqa: NPY002


GENERATOR = np.random.default_rng(1)


def draws_from_a_generator(x: Any) -> Any:
    return np.sum(x * GENERATOR.normal(size=2))


def sorts(x: Any) -> Any:
    return np.sort(x)[0]


def sorts_in_python(x: Any) -> Any:
    return sorted(x)[0]


def takes_the_largest(x: Any) -> Any:
    return x[np.argmax(x)] ** 2


def transforms(x: Any) -> Any:
    return np.abs(np.arctan(np.fft.fft(x))).sum()


def rounds(x: Any) -> Any:
    return round(x[0], 2)


def rounds_an_array(x: Any) -> Any:
    return np.round(x, 2).sum()


def formats(x: Any) -> Any:
    return len(f"{x[0]:.3f}")


def converts_to_integers(x: Any) -> Any:
    return x.astype(int).sum()


def eigenvalues(x: Any) -> Any:
    return np.linalg.eigvals(np.outer(x, x))[0]


def short(x: Any) -> Any:
    return np.sum(x.astype(np.float32))


def swallows(x: Any) -> Any:
    try:
        return np.sum(x) * int(x[0])
    except Exception:
        return 0.0


def returns_two(x: Any) -> Any:
    return x


def returns_text(x: Any) -> Any:
    return "one"


def raises(x: Any) -> Any:
    raise KeyError("nothing")


def fills_a_hidden_buffer(x: Any) -> Any:
    memoryview(bytearray(8)).cast("d")[0] = x[0]
    return x[0]


def until_convergence(x: Any) -> Any:
    z = x[0] + 1.5
    while abs(z * z - x[0]) > 1e-12:
        z = z - (z * z - x[0]) / (2 * z)
    return z + x[1]


def until_convergence_in_a_for(x: Any) -> Any:
    z = x[0]
    for _ in range(200):
        new = np.cos(z) * 0.5 + x[1]
        if np.abs(new - z) < 1e-10:
            break
        z = new
    return z


LINE = r"line \d+ of {} \(test_refusals.py\): "


@pytest.mark.parametrize(
    ("function", "reason", "remedy"),
    [
        (takes_int, r"int\(\) of a traced value: what follows would no longer depend", "leave it out"),
        (takes_float_into_list, "an index of a traced value", "leave it out"),
        (draws, "numpy.random.rand: random numbers differ from call to call", "draw them outside"),
        (draws_from_a_generator, ".*random numbers differ from call to call", "draw them outside"),
        (sorts, "sort of a traced value: sorting by value changes with the point", "use max or min"),
        (sorts_in_python, "sorted of traced values: sorting by value", "leave it out"),
        (takes_the_largest, "argmax of a traced value: sorting by value", "use max or min"),
        (transforms, "arctan of complex numbers: it is not known to the trace", "real numbers"),
        (rounds, r"round\(\) of a traced value: a step has no derivative", "leave it out"),
        (rounds_an_array, r"round\(\) of a traced value: what follows would no longer depend", "leave it out"),
        (formats, "formatting of a traced value", "keep the NumPy number"),
        (converts_to_integers, r"astype\(int\) of a traced value", "keep the NumPy numbers"),
        (eigenvalues, "eigvals of a traced value: it is found by iteration", "elementary functions"),
        (
            short,
            "a conversion to 32-bit numbers: the rounding of a program is that of binary64",
            "leave the conversion",
        ),
        (swallows, r"int\(\) of a traced value", "leave it out"),
        (raises, "KeyError: 'nothing'", "must run on NumPy numbers"),
        (fills_a_hidden_buffer, r"float\(\) of a traced value", "keep the NumPy number"),
        (until_convergence, "an iteration until convergence", "a fixed number of rounds"),
        (until_convergence_in_a_for, "an iteration until convergence", "a fixed number of rounds"),
    ],
    ids=lambda v: v.__name__ if callable(v) else "",
)
def test_what_cannot_be_traced_is_refused_with_line_reason_and_remedy(
    function: Callable[[Any], Any], reason: str, remedy: str
) -> None:
    with pytest.raises(TraceError, match=LINE.format(function.__name__) + reason + f".*{remedy}"):
        trace(function, 2)


def test_a_function_must_return_numbers() -> None:
    assert trace(returns_two, 2).output_shape == (2,)
    with pytest.raises(TraceError, match="returned str: numbers are needed; return a NumPy number"):
        trace(returns_text, 2)
    with pytest.raises(ValueError, match="shape=\\(0,\\): there must be at least one number"):
        trace(np.sum, 0)


def test_what_a_trace_does_not_see_is_found_by_validation() -> None:
    def asks_for_the_type(x: Any) -> Any:
        return np.sum(x) * (2.0 if type(x) is np.ndarray else 1.0)

    with pytest.raises(TraceError, match=r"the trace gives .* where the code returns .*: it depends on something"):
        trace(asks_for_the_type, 2)


def test_a_trace_needs_a_point_where_values_are_finite() -> None:
    with pytest.raises(TraceError, match="no point where the trace could be validated"):
        trace(lambda x: np.log(-(x @ x)), 2)


def test_nothing_of_the_users_is_changed() -> None:
    buffer = np.zeros(2)
    held: dict[str, Any] = {"calls": 0}
    module = np.sin

    def function(x: Any) -> Any:
        buffer[:] = x * 2.0
        held["calls"] += 1
        return np.sin(buffer).sum()

    function(np.array([1.0, 2.0]))
    before = function.__code__, buffer.copy(), function.__globals__["np"]
    trace(function, 2)
    assert function.__code__ is before[0]
    assert function.__globals__["np"] is before[2]
    assert np.sin is module
    assert type(buffer) is np.ndarray
    assert buffer.dtype == float


def test_an_interrupt_passes() -> None:
    def function(x: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trace(function, 2)
    assert float(trace(lambda x: x @ x, 2)([1.0, 2.0])) == 5.0


def test_partial_functions_and_methods_are_named() -> None:
    function = functools.partial(lambda a, x: a * np.sum(x), 2.0)
    assert trace(function, 2).name == "partial"
    assert trace(function, 2, name="twice").name == "twice"


def test_a_list_is_near_enough_and_a_point_is_no_shape() -> None:
    assert trace(lambda x: np.sum(x**2), 2, near=[0.3, 0.6])([1.0, 2.0]) == 5.0
    with pytest.raises(ValueError, match=r"shape=\[0.3, 0.6\]: these are no whole numbers; pass the shape"):
        trace(lambda x: np.sum(x**2), [0.3, 0.6])
    with pytest.raises(ValueError, match="near has 1 numbers"):
        trace(lambda x: np.sum(x**2), 2, near=[0.3])
