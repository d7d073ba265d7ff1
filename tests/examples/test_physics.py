"""Energies and forces: a force is minus the gradient of the energy, in every model.

What to learn: hand in ``-force`` as the gradient. A pair of one energy and one force is one parameter of the test.
Where the energy has no derivative, as at a collision, that is said instead of a number.
"""

from __future__ import annotations

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.testing import assert_gradient


def kepler_energy(r):
    return -1 / np.sqrt(r[0] ** 2 + r[1] ** 2)


def kepler_force(r):
    return -r / (r[0] ** 2 + r[1] ** 2) ** 1.5


def pendulum_energy(angle):
    return 9.81 * (1 - np.cos(angle[0]))


def pendulum_torque(angle):
    return -9.81 * np.sin(angle)


def van_der_waals_energy(volume):
    """Helmholtz energy at a temperature of 1.2 in reduced units, up to a constant."""
    return -3 / volume[0] - 8 / 3 * 1.2 * np.log(3 * volume[0] - 1)


def van_der_waals_pressure(volume):
    """Van der Waals' equation of state: p = 8T/(3v - 1) - 3/v²."""
    return 8 * 1.2 / (3 * volume - 1) - 3 / volume**2


@pytest.mark.parametrize(
    ("energy", "force", "at"),
    [
        (kepler_energy, kepler_force, [0.6, -0.8]),
        (kepler_energy, kepler_force, [1e-3, 2e3]),
        (pendulum_energy, pendulum_torque, [0.1]),
        (pendulum_energy, pendulum_torque, [np.pi]),
        (van_der_waals_energy, van_der_waals_pressure, [1.5]),
    ],
    ids=["Kepler", "Kepler, far out", "pendulum", "pendulum on top", "van der Waals"],
)
def test_a_force_is_minus_the_gradient_of_the_energy(energy, force, at):
    assert_gradient(energy, lambda x: -force(x), at=at)


def test_a_collision_has_no_force():
    verdict = dc.check_gradient(kepler_energy, lambda r: -kepler_force(r), at=[0.0, 0.0])
    assert verdict.status == "out-of-domain"
