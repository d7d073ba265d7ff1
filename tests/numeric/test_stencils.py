"""Schemes as values: offsets, weights, orders, and the error's coefficients from Taylor's theorem."""

import math
from fractions import Fraction

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.numeric.stencils import DEFAULT_SCHEMES, check_schemes, stencil

# B. Fornberg (1988), tables 1 and 3, and Abramowitz & Stegun 25.3: offset → weight
TABLES = {
    ("forward", 1): {1: 1, 0: -1},
    ("backward", 1): {0: 1, -1: -1},
    ("central", 1): {1: "1/2", -1: "-1/2"},
    ("central4", 1): {2: "-1/12", 1: "2/3", -1: "-2/3", -2: "1/12"},
    ("central6", 1): {3: "1/60", 2: "-3/20", 1: "3/4", -1: "-3/4", -2: "3/20", -3: "-1/60"},
    ("central8", 1): {4: "-1/280", 3: "4/105", 2: "-1/5", 1: "4/5", -1: "-4/5", -2: "1/5", -3: "-4/105", -4: "1/280"},
    ("forward2", 1): {2: "-1/2", 1: 2, 0: "-3/2"},
    ("backward2", 1): {0: "3/2", -1: -2, -2: "1/2"},
    ("forward3", 1): {3: "1/3", 2: "-3/2", 1: 3, 0: "-11/6"},
    ("forward4", 1): {4: "-1/4", 3: "4/3", 2: -3, 1: 4, 0: "-25/12"},
    ("central", 2): {1: 1, 0: -2, -1: 1},
    ("central4", 2): {2: "-1/12", 1: "4/3", 0: "-5/2", -1: "4/3", -2: "-1/12"},
    ("central6", 2): {3: "1/90", 2: "-3/20", 1: "3/2", 0: "-49/18", -1: "3/2", -2: "-3/20", -3: "1/90"},
    ("forward", 2): {2: 1, 1: -2, 0: 1},
    ("forward2", 2): {3: -1, 2: 4, 1: -5, 0: 2},
    ("central", 3): {2: "1/2", 1: -1, -1: 1, -2: "-1/2"},
    ("central4", 3): {3: "-1/8", 2: 1, 1: "-13/8", -1: "13/8", -2: -1, -3: "1/8"},
    ("central", 4): {2: 1, 1: -4, 0: 6, -1: -4, -2: 1},
    ("backward", 3): {0: 1, -1: -3, -2: 3, -3: -1},
}
NAMED = [stencil(name, q) for name, q in TABLES]
MADE = [
    dc.Stencil([0, 1, 3]),
    dc.Stencil([-1, 0, 2.5]),
    dc.Stencil([Fraction(-1, 3), Fraction(1, 7), 1, 2], derivative=2),
    dc.Stencil([0.1, -0.3, 0.7]),
    dc.Stencil([1, 0, -1], weights=[Fraction(3, 4), Fraction(-1, 2), Fraction(-1, 4)]),
    dc.Stencil(range(-5, 6), derivative=5),
]
ALL = [*NAMED, *MADE]
ids = [f"{s.name}^{s.derivative}" for s in ALL]


@pytest.mark.parametrize(("name", "derivative"), TABLES)
def test_named_schemes_have_the_weights_of_the_tables(name, derivative):
    chosen = stencil(name, derivative)
    expected = {Fraction(o): Fraction(c) for o, c in TABLES[name, derivative].items()}
    assert dict(zip(chosen.offsets, chosen.weights, strict=True)) == expected
    assert list(chosen.offsets) == sorted(expected, reverse=True)
    assert chosen.order == int(name.lstrip("abcdefghijklmnopqrstuvwxyz") or {"central": 2}.get(name, 1))
    assert (chosen.name, chosen.derivative) == (name, derivative)


@pytest.mark.parametrize("chosen", ALL, ids=ids)
def test_weights_differentiate_polynomials(chosen):
    # tⁿ at 0: n! for n = q, else 0, up to the order; the first power that is missed gives the order
    q = chosen.derivative
    for n in range(q + chosen.order + 1):
        value = sum(c * o**n for c, o in zip(chosen.weights, chosen.offsets, strict=True))
        true = math.factorial(q) if n == q else 0
        assert (value == true) == (n < q + chosen.order)
        assert chosen.error_coefficient(n - q) == value


@pytest.mark.parametrize("chosen", ALL, ids=ids)
def test_factors_over_divisor_are_the_weights(chosen):
    assert tuple(Fraction(w) / chosen.divisor for w in chosen.factors) == chosen.weights
    assert chosen.divisor == 1 or all(w.denominator == 1 for w in chosen.factors)


@pytest.mark.parametrize("chosen", ALL, ids=ids)
def test_the_error_of_a_polynomial_is_the_sum_of_its_terms(chosen):
    x, h, q = Fraction(3, 7), Fraction(1, 5), chosen.derivative
    coefficients = [Fraction(c) for c in (2, -3, 5, 7, -11, 13, 1, -4, 9, 6)]

    def f(t):
        return sum(c * (t - x) ** k for k, c in enumerate(coefficients))

    numeric = sum(c * f(x + o * h) for c, o in zip(chosen.weights, chosen.offsets, strict=True)) / h**q
    error = numeric - math.factorial(q) * coefficients[q]
    assert error == sum(chosen.error_coefficient(n - q) * coefficients[n] * h ** (n - q) for n in range(q + 1, 10))


@pytest.mark.parametrize(
    ("name", "derivative", "constant"),
    [
        # DLMF 3.4 and Abramowitz & Stegun 25.3.21-25.3.24: h/2 F″, h²/6 F‴, h²/3 F‴, h⁴/30 F⁽⁵⁾, h²/12 F⁗, h⁴/90 F⁽⁶⁾
        ("forward", 1, "1/2"),
        ("backward", 1, "1/2"),
        ("central", 1, "1/6"),
        ("forward2", 1, "1/3"),
        ("central4", 1, "1/30"),
        ("central6", 1, "1/140"),
        ("central", 2, "1/12"),
        ("central4", 2, "1/90"),
        ("forward", 2, "1"),
        ("central", 4, "1/6"),
    ],
)
def test_peano_constants_are_those_of_the_tables(name, derivative, constant):
    assert stencil(name, derivative).peano_constant == Fraction(constant)


@pytest.mark.parametrize("chosen", ALL, ids=ids)
def test_peano_constants_are_the_integral_of_the_kernel(chosen):
    q, n = chosen.derivative, chosen.derivative + chosen.order
    low, high = min(*chosen.offsets, 0), max(*chosen.offsets, 0)
    t = np.linspace(float(low), float(high), 200_001)
    kernel = sum(
        float(c) * np.maximum(float(o) - t, 0.0) ** (n - 1) for c, o in zip(chosen.weights, chosen.offsets, strict=True)
    )
    kernel = kernel / math.factorial(n - 1) - np.where(t < 0, (-t) ** (n - 1 - q), 0.0) / math.factorial(n - 1 - q)
    integral = float(np.sum(np.abs(kernel[1:]) + np.abs(kernel[:-1])) / 2 * (t[1] - t[0]))
    assert integral * 0.9999 <= float(chosen.peano_constant) <= integral * 1.03
    # never below the leading term, and Lagrange's remainder never below Peano's
    leading = abs(chosen.error_coefficient(chosen.order)) / math.factorial(n)
    lagrange = sum(abs(c) * abs(o) ** n for c, o in zip(chosen.weights, chosen.offsets, strict=True)) / math.factorial(
        n
    )
    assert leading <= chosen.peano_constant
    assert chosen.remainder_coefficient(n) / math.factorial(n) == min(lagrange, chosen.peano_constant)


def test_the_order_of_offsets_does_not_matter():
    one = dc.Stencil([2, -1, 0], weights=[Fraction(1, 6), Fraction(-2, 3), Fraction(1, 2)], name="mine")
    assert one == dc.Stencil([-1, 0, 2], name="mine")
    assert one.offsets == (2, 0, -1)


def test_floats_stand_for_their_binary_value():
    assert dc.Stencil([0, 0.1]).weights == (1 / Fraction(0.1), -1 / Fraction(0.1))
    assert dc.Stencil(np.array([0.0, 0.5])) == dc.Stencil([0, Fraction(1, 2)])


def test_the_default_name_is_the_offsets():
    assert dc.Stencil([1, 0, -0.5]).name == "[-1/2, 0, 1]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1, 1],), r"offsets=\[0, 1, 1\]: an offset is repeated; list each once"),
        (([0],), r"offsets=\[0\]: 1 values of f do not determine a derivative of order 1; give at least 2 offsets"),
        (([0, 1], 2), "give at least 3 offsets"),
        (([0, math.nan],), "offset nan: must be a finite number"),
        (([0, "one"],), "offset 'one': must be a finite number"),
        (([0, 1], 0), "derivative=0: orders 1 to 20 are supported"),
        (([0, 1], 1.0), r"derivative=1.0: must be a whole number; pass derivative=2"),
        (([0, 1], 1, [1]), "weights: 1 for 2 offsets; give one for each"),
        (([0, 1], 1, [1, 1]), r"weights: the sum of weight times offset\*\*0 is 2 and must be 0 for a derivative of"),
        (([0, 1], 1, [-2, 2]), r"offset\*\*1 is 2 and must be 1"),
        (([0, 1], 1, None, ""), "name='': must be 1 to 200 visible characters"),
    ],
)
def test_stencils_that_give_no_derivative_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        dc.Stencil(*arguments)


@pytest.mark.parametrize(
    "name", ["central3", "central2", "forward1", "forward0", "central04", "central44", "five", "", 4]
)
def test_unknown_names_are_refused(name):
    with pytest.raises(
        ValueError, match=r"unknown scheme; (choose from forward, backward, central, one of these|orders up to 20)"
    ):
        stencil(name)


def test_lists_of_schemes():
    assert [s.name for s in check_schemes(["central", "forward", "central"])] == ["central", "forward"]
    assert [s.name for s in check_schemes("central4")] == ["central4"]
    assert [s.name for s in check_schemes(DEFAULT_SCHEMES)] == ["forward", "backward", "central"]
    mine = dc.Stencil([0, 1, 2], derivative=2)
    assert check_schemes(mine) == [mine]
    assert [s.derivative for s in check_schemes(["central", mine])] == [2, 2]
    with pytest.raises(ValueError, match="no scheme; choose from forward, backward, central"):
        check_schemes([])
    with pytest.raises(ValueError, match="scheme='centred': unknown scheme"):
        check_schemes(["central", "centred"])
    with pytest.raises(ValueError, match=r"scheme '\[0, 1, 2\]' is one of derivative=2; pass that, not 1"):
        check_schemes([mine], 1)
    with pytest.raises(ValueError, match="'central' is the name of two schemes; give each Stencil its own name="):
        check_schemes(["central", dc.Stencil([-2, 2], name="central")])


def test_stencils_cannot_be_changed():
    with pytest.raises(AttributeError):
        stencil("central").order = 4


@pytest.mark.parametrize("text", ["[0, 1, 3]", "[0,1,3]", "[ 3 ,0,  1 ]", "[0, 2/2, 3.0]"])
def test_offsets_in_brackets_are_a_stencil_by_hand(text):
    assert stencil(text) == dc.Stencil([0, 1, 3])
    assert stencil(text).name == "[0, 1, 3]"
    assert check_schemes(["central", text, "[0, 1, 3]"], 2) == [stencil("central", 2), dc.Stencil([0, 1, 3], 2)]


def test_the_name_of_a_stencil_reads_back():
    for made in (dc.Stencil([-1, 0, 2.5]), dc.Stencil([Fraction(-1, 3), 0, 7]), stencil("[-1, 1]")):
        assert stencil(made.name) == made


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[0, 1/0]", "offset '1/0': must be a finite number"),
        ("[0, 0]", "an offset is repeated"),
        ("[0, 1e99]", "unknown scheme"),
        ("[0, 1234567]", "unknown scheme"),
        ("[0]", "unknown scheme"),
        ("[" + "1," * 30 + "2]", "unknown scheme"),
        ("[0, ١]", "unknown scheme"),
    ],
)
def test_offsets_that_cannot_be(text, words):
    with pytest.raises(ValueError, match=words):
        stencil(text)
