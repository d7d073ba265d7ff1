"""Which operations are run with complex numbers: those that NumPy or SciPy computes of them, and that are analytic."""

import numpy as np
import pytest

from diffcompare.arithmetic.floating import implementation
from diffcompare.program.analytic import ANALYTIC, SCIPY_ANALYTIC
from diffcompare.program.operations import COMPARISONS, INFIX, OPERATIONS
from diffcompare.program.scipy_functions import SCIPY

LEAVES = {"constant", "variable", "pi", "e", "undefined", "true", "false"}
# sums and powers that are written out; what the plane has no derivative of, though NumPy takes it
WRITTEN = {*INFIX, "sum", "dot", "integer_power", "power"}
NOT_ANALYTIC = {"abs", "sign", "min", "max", "select", "and", "or", "not"} | COMPARISONS


def test_every_name_is_an_operation():
    assert set(OPERATIONS) >= ANALYTIC


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - LEAVES - WRITTEN - set(SCIPY) - {"sinc"}))
def test_an_operation_is_listed_iff_numpy_has_it_for_complex_numbers(name):
    row = OPERATIONS[name]
    ufunc = next((getattr(np, n) for n in row.names if isinstance(getattr(np, n, None), np.ufunc)), None)
    takes = ufunc is not None and any(signature.split("->")[0] == "D" * row.arity for signature in ufunc.types)
    assert (name in ANALYTIC) == (takes and name not in NOT_ANALYTIC)


# the order for which SciPy has floats of complex arguments
ORDERS = {"expint": [1.0], "polylog": [2.0]}


@pytest.mark.parametrize("name", sorted(SCIPY))
def test_a_special_function_is_listed_iff_scipy_has_it_for_complex_numbers(name):
    parameters = [np.array([k]) for k in ORDERS.get(name, [1.0] * (OPERATIONS[name].arity - 1))]
    z = np.array([0.25 + 0.5j])
    if name in SCIPY_ANALYTIC:
        assert np.iscomplexobj(implementation(name)(*parameters, z))
    else:
        with pytest.raises(TypeError, match="not supported for the input types"):
            implementation(name)(*parameters, z)


def test_what_is_not_analytic_is_not_listed():
    assert not ANALYTIC & NOT_ANALYTIC
    assert WRITTEN <= ANALYTIC
