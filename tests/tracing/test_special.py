"""NumPy code with SciPy's special functions is traced: what runs, its derivative, faults in gradients of it."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.special as sc
from scipy.special import gammaln as imported

import diffcompare as dc
from diffcompare.errors import TraceError
from diffcompare.tracing.special_formulas import FORMULAS

ORDER = 0.3

FUNCTIONS: list[tuple[Any, Any, str]] = [
    (lambda x: sc.erf(x) * x, 0.7, "erf"),
    (lambda x: sc.erfc(x) + sc.erfi(x) + sc.erfinv(x), 0.4, "erfc"),
    (lambda x: math.erf(x) * math.erfc(x), 0.7, "erf"),
    (lambda x: np.sum(imported(x)), [1.5, 2.5], "gammaln"),
    (lambda x: math.lgamma(x) + math.gamma(x), 1.4, "gammaln"),
    (lambda x: sc.gamma(x) + sc.loggamma(x), 1.4, "loggamma"),
    (lambda x: sc.digamma(x) + sc.psi(x) + sc.polygamma(1, x), 1.5, "polygamma"),
    (lambda x: sc.beta(x[0], x[1]) + sc.betaln(x[0], x[1]), [0.5, 1.5], "beta"),
    (lambda x: sc.gammainc(2.0, x) * sc.gammaincc(3.5, x), 0.5, "gammainc"),
    (lambda x: sc.factorial(x), 1.4, "gamma"),
    (lambda x: sc.j0(x) + sc.jv(ORDER, x) + sc.jn(2, x), 1.5, "besselj"),
    (lambda x: sc.y1(x) + sc.yn(2, x) + sc.yv(0.5, x), 1.5, "bessely"),
    (lambda x: sc.i0(x) + sc.iv(1.5, x) - sc.k1(x) * sc.kv(0.25, x), 1.5, "besselk"),
    (lambda x: sc.spherical_jn(2, x), 0.4, "spherical_jn"),
    (lambda x: sc.airy(x)[0] * sc.airy(x)[3], 0.5, "airyai"),
    (lambda x: sc.zeta(x) + sc.zeta(2.5, x), 2.5, "hurwitz_zeta"),
    (lambda x: sc.lambertw(x).real + sc.lambertw(-x, -1).real, 0.2, "lambertw_lower"),
    (lambda x: sc.ellipk(x) * sc.ellipe(x), 0.5, "elliptic_k"),
    (lambda x: sc.expi(x) + sc.exp1(x) + sc.expn(2, x), 0.5, "expint"),
    (lambda x: sc.sici(x)[0] * sc.sici(x)[1], 1.5, "Ci"),
    (lambda x: sc.fresnel(x)[0] + sc.fresnel(x)[1], 0.4, "fresnelc"),
    (lambda x: sc.eval_hermite(2, x), 0.5, "multiply"),
    (lambda x: sc.eval_legendre(3, x) + sc.eval_laguerre(2, x), 0.5, "multiply"),
    (lambda x: np.sinc(x), 0.4, "sinc"),
    (lambda x: sc.ndtr(x), 0.5, "erfc"),
    (lambda x: np.heaviside(x, 0.5) * x, 0.4, "multiply"),
]


# of each formula: what stands before the variable, and after it
ARGUMENTS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "kl_div": ((0.3,), ()), "rel_entr": ((), (0.3,)), "powm1": ((), (2.5,)), "poch": ((), (2.5,)),
    "binom": ((5.5,), ()),
    **dict.fromkeys(("boxcox", "boxcox1p", "inv_boxcox", "inv_boxcox1p"), ((), (0.3,))),
    "huber": ((0.3,), ()), "pseudo_huber": ((1.3,), ()), "betaln": ((1.5,), ()), "ive": ((1.5,), ()),
    "kve": ((1.5,), ()),
    **dict.fromkeys(("chdtr", "chdtrc", "pdtr", "pdtrc"), ((3.0,), ())), "gdtr": ((1.5, 2.5), ()),
    "gdtrc": ((1.5, 2.5), ()), "_beta_pdf": ((), (1.5, 2.5)), "_binom_pmf": ((2.0, 5.0), ()),
    "_nbinom_pmf": ((2.0, 5.0), ()),
    **dict.fromkeys(("betainc", "betaincc", "betaincinv", "fdtr", "fdtrc"), ((1.5, 2.5), ())),
    **dict.fromkeys(("bdtr", "bdtrc", "nbdtr"), ((2.0, 5), ())),
    **dict.fromkeys(("_binom_cdf", "_binom_sf", "_nbinom_cdf"), ((2.0, 5.0), ())),
    **dict.fromkeys(("stdtr", "stdtrit", "gammaincinv", "chdtri"), ((3.0,), ())), "_beta_ppf": ((), (1.5, 2.5)),
    **dict.fromkeys(("_cauchy_ppf", "_cauchy_isf"), ((), (0.5, 2.0))),
}  # fmt: skip


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("name", FORMULAS)
def test_every_formula_is_the_function(name):
    before, after = ARGUMENTS.get(name, ((), ()))
    function = getattr(sc, name, None) or getattr(sc._ufuncs, name)
    for at in (-0.4, -2.0) if name == "ndtri_exp" else (0.4, 0.6):
        # a trace is held against the floats of what was called, within the bound of their rounding
        assert dc.trace(lambda x: function(*before, x, *after), (), near=np.array([at])).source == "python"


@pytest.mark.parametrize("name", ["bdtr", "bdtrc", "pdtr", "pdtrc"])
def test_of_numbers_of_events_the_whole_part_counts(name: str) -> None:
    before = (2.5,) if name.startswith("p") else (2.5, 5)
    assert dc.trace(lambda x: getattr(sc, name)(*before, x), (), near=np.array([0.4])).source == "python"


@pytest.mark.parametrize(
    ("function", "at", "operation"), FUNCTIONS, ids=[f"{k} {o}" for k, (*_, o) in enumerate(FUNCTIONS)]
)
def test_code_with_special_functions_is_traced(function, at, operation):
    f = dc.trace(function, np.shape(at))
    assert operation in {node.operation for node in f.program.nodes}
    value = float(function(np.array(at) if np.ndim(at) else at))
    assert abs(float(f(at)) - value) <= 2.0**-46 * (1 + abs(value))
    reference = dc.certified_gradient(f, at)
    assert set(reference.status) == {"ok"}
    # a difference quotient of the code itself: an independent witness to five digits
    slopes = np.atleast_1d(dc.numerical_gradient(function, at, 1e-5))
    assert (np.abs(slopes - reference.value) <= 1e-5 * (1 + np.abs(reference.value))).all()


def elliptic_slope(m: Any) -> Any:
    return (sc.ellipe(m) - (1 - m) * sc.ellipk(m)) / (2 * m * (1 - m))


GRADIENTS: list[tuple[str, Any, Any, float, str]] = [
    ("erf", lambda x: sc.erf(x), lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x), 0.7, "consistent"),
    ("erf without 2", lambda x: sc.erf(x), lambda x: 1 / np.sqrt(np.pi) * np.exp(-x * x), 0.7, "wrong"),
    ("gammaln", lambda x: sc.gammaln(x), lambda x: sc.digamma(x), 2.5, "consistent"),
    ("gammaln by log", lambda x: sc.gammaln(x), lambda x: np.log(x), 2.5, "wrong"),
    ("gamma", lambda x: sc.gamma(x), lambda x: sc.gamma(x) * sc.psi(x), 2.5, "consistent"),
    ("gamma without psi", lambda x: sc.gamma(x), lambda x: sc.gamma(x), 2.5, "wrong"),
    ("j0", lambda x: sc.j0(x), lambda x: -sc.j1(x), 1.5, "consistent"),
    ("j0 sign", lambda x: sc.j0(x), lambda x: sc.j1(x), 1.5, "wrong"),
    ("ellipk", lambda m: sc.ellipk(m), elliptic_slope, 0.5, "consistent"),
    ("ellipk of k", lambda m: sc.ellipk(m), lambda m: 2 * elliptic_slope(m), 0.5, "wrong"),
    ("expi", lambda x: sc.expi(x), lambda x: np.exp(x) / x, 0.5, "consistent"),
    ("ndtr", lambda x: sc.ndtr(x), lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi), 0.5, "consistent"),
    ("ndtr scale", lambda x: sc.ndtr(x), lambda x: np.exp(-x * x) / np.sqrt(2 * np.pi), 0.5, "wrong"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "gradient", "at", "status"), [g[1:] for g in GRADIENTS], ids=[g[0] for g in GRADIENTS]
)
def test_gradients_of_special_functions_are_judged(function, gradient, at, status):
    verdict = dc.check_gradient(function, gradient, at=at)
    assert (verdict.status, verdict.evidence) == (status, "identity")


@pytest.mark.parametrize(
    ("text", "gradient", "at", "status"),
    [
        ("erfc(x)", lambda x: -2 / math.sqrt(math.pi) * math.exp(-x * x), 1.5, "consistent"),
        ("erfc(x)", lambda x: 2 / math.sqrt(math.pi) * math.exp(-x * x), 1.5, "wrong"),
        ("digamma(x)", lambda x: float(sc.polygamma(1, x)), 1.5, "consistent"),
        ("besselj(1/3, x)", lambda x: float(sc.jvp(1 / 3, x)), 2.0, "consistent"),
        ("besselj(1/3, x)", lambda x: float(sc.jv(4 / 3, x)), 2.0, "wrong"),
        ("floor(x)", lambda x: 0.0, 2.0, "non-smooth"),
        ("gamma(x)", lambda x: 1.0, -1.0, "out-of-domain"),
    ],
)
def test_claims_about_formulas_are_judged(text, gradient, at, status):
    opaque = type("Opaque", (), {"__call__": lambda self, x: gradient(float(x))})()
    assert dc.check_gradient(dc.parse(text), opaque, at=at).status == status


def test_a_parameter_must_not_move():
    with pytest.raises(TraceError, match="jv of traced values: jv: the first argument must be a constant"):
        dc.trace(lambda x: sc.jv(x, 2.0 + x), ())


def test_what_is_not_in_the_table_is_refused_by_name():
    with pytest.raises(TraceError, match="struve of a traced value: there is no such operation in the table"):
        dc.trace(lambda x: sc.struve(1, x), ())


def test_a_number_that_is_no_parameter_may_have_been_rounded() -> None:
    # the root of 2 and its float are one number of the code; an exact constant would be another one
    def f(x: Any) -> Any:
        return sc.i0(x[0]) * sc.beta(x[1], np.sqrt(2))

    def gradient(x: Any) -> Any:
        b = sc.beta(x[1], 1.4142135623730951)
        return np.array([sc.i1(x[0]) * b, sc.i0(x[0]) * b * (sc.psi(x[1]) - sc.psi(x[1] + 1.4142135623730951))])

    assert dc.check_gradient(f, gradient, [22.0, 11.0]).status == "consistent"


@pytest.mark.parametrize("shape", [(), (2000,)])
def test_a_ufunc_of_other_compiled_code_is_none_of_scipy(shape: tuple[int, ...]) -> None:
    own = np.frompyfunc(math.sin, 1, 1)
    verdict = dc.check_gradient(lambda x: float(np.sum(own(x))), np.cos, np.full(shape, 0.5), noise=0.0)
    assert any("the ufunc sin (vectorized) of a traced value: it is compiled code" in note for note in verdict.notes)
