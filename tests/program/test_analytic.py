"""Which operations are run with complex numbers: exactly those that NumPy computes of them, and that are analytic."""

import numpy as np
import pytest

from diffcompare.program.analytic import ANALYTIC
from diffcompare.program.operations import COMPARISONS, INFIX, OPERATIONS

LEAVES = {"constant", "variable", "pi", "e", "undefined", "true", "false"}
# sums and powers that are written out; what the plane has no derivative of, though NumPy takes it
WRITTEN = {*INFIX, "sum", "dot", "integer_power", "power"}
NOT_ANALYTIC = {"abs", "sign", "min", "max", "select", "and", "or", "not"} | COMPARISONS


def test_every_name_is_an_operation():
    assert set(OPERATIONS) >= ANALYTIC


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - LEAVES - WRITTEN))
def test_an_operation_is_listed_iff_numpy_has_it_for_complex_numbers(name):
    row = OPERATIONS[name]
    ufunc = next((getattr(np, n) for n in row.names if isinstance(getattr(np, n, None), np.ufunc)), None)
    takes = ufunc is not None and any(signature.split("->")[0] == "D" * row.arity for signature in ufunc.types)
    assert (name in ANALYTIC) == (takes and name not in NOT_ANALYTIC)


def test_what_is_not_analytic_is_not_listed():
    assert not ANALYTIC & NOT_ANALYTIC
    assert WRITTEN <= ANALYTIC
