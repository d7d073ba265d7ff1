"""The measurement of rounding errors measures, and hunts."""

import math
from fractions import Fraction

import numpy as np
import pytest

from diffcompare.arithmetic.roundings import measurement
from diffcompare.arithmetic.roundings.constants import MAXIMA
from diffcompare.arithmetic.roundings.measurement import MEASURED, errors_in_ulps, measure, samples


@pytest.mark.parametrize("operation", MEASURED)
def test_samples_are_arguments_of_the_operation(operation: str) -> None:
    arguments = samples(operation, 3000, 1)
    assert {argument.shape for argument in arguments} == {(arguments[0].size,)}
    assert arguments[0].size >= 2000
    assert len(arguments) == (2 if operation in ("hypot", "atan2", "power", "integer_power") else 1)
    with np.errstate(all="ignore"):
        computed = measurement._computed(operation, arguments)
    assert np.isfinite(computed).mean() > 0.9
    # the same seed, the same arguments
    again = samples(operation, 3000, 1)
    assert all((a == b).all() for a, b in zip(arguments, again, strict=True))
    other = samples(operation, 3000, 2)
    assert not all((a == b).all() for a, b in zip(arguments, other, strict=True))


def test_errors_are_those_of_the_exact_value() -> None:
    # powers of rational numbers can be worked out: the error in ulps of the exact value
    bases, exponents = np.array([1.1, -0.3, 7.7, 1.0000001]), np.array([3.0, 5.0, -3.0, 100.0])
    found = errors_in_ulps("integer_power", [bases, exponents])
    for x, n, error in zip(bases.tolist(), exponents.tolist(), found.tolist(), strict=True):
        exact = Fraction(x) ** int(n)
        computed = float((np.array([x]) ** int(n))[0])
        ulp = Fraction(math.ulp(float(exact)))
        assert abs(error - float(abs(Fraction(computed) - exact) / ulp)) < 1e-12


def test_a_bad_implementation_is_found_out(monkeypatch) -> None:
    def three_ulps_off(x):
        value = np.exp(x)
        return value + 3 * np.spacing(value)

    monkeypatch.setattr(measurement, "implementation", lambda name: three_ulps_off)
    found = measure("exp", count=300, rounds=0)
    assert 2.4 < found.ulps < 4.5
    assert len(found.worst) == 1


def test_a_bad_neighbourhood_is_hunted_down(monkeypatch) -> None:
    # an error that grows towards one point, as those of real functions do
    def worse_near_one(x):
        value = np.tanh(x)
        return value + np.round(6 / (1 + 1e4 * np.abs(x - 1.0))) * np.spacing(value)

    monkeypatch.setattr(measurement, "implementation", lambda name: worse_near_one)
    first = measure("tanh", count=2000, rounds=0, seed=5)
    hunted = measure("tanh", count=2000, rounds=3, seed=5)
    assert hunted.ulps >= first.ulps
    assert hunted.count > first.count
    assert hunted.ulps > 5


def test_results_that_are_not_normal_numbers_are_left_out() -> None:
    assert errors_in_ulps("exp", [np.array([-745.0, 800.0, math.nan])]).tolist() == [0.0, 0.0, 0.0]


def test_a_measurement_can_be_repeated() -> None:
    assert measure("cos", count=500, rounds=1, seed=4) == measure("cos", count=500, rounds=1, seed=4)


def test_the_command_prints_every_operation(monkeypatch, capsys) -> None:
    monkeypatch.setattr(measurement, "MEASURED", ("exp", "sin"))
    monkeypatch.setattr(
        measurement, "measure", lambda operation, seed: measurement.Measurement(operation, 0.5, (1.0,), 1)
    )
    monkeypatch.setattr("sys.argv", ["measurement", "2"])
    measurement._main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("numpy ")
    assert [line.split()[0] for line in lines[1:]] == ["exp", "sin"]
    assert "0x1.0000000000000p+0" in lines[1]


def test_maxima_are_plausible() -> None:
    # half an ulp is the least that a function whose values are no floats can have
    assert all(0.5 < value < 4 for value in MAXIMA.values())
