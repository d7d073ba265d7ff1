"""Edits of real code: what is said of them, and where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

import diffcompare as dc

from ...quality.mistakes.case import Bug, load  # noqa: TID252 - tests are no package
from ...quality.mistakes.corpus import OPEN  # noqa: TID252 - tests are no package


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize(
    ("name", "old", "new", "marked", "said"),
    [
        # lines that are gone: of a loop, of an array that others fill, of what a dictionary holds, of columns
        (
            "log_cosh_ar",
            "\n        grad[2] -= slope * series[t - 2]",
            "",
            "grad[1] -= slope * series[t - 1]",
            "the line grad[2] -= slope * series[t - 2] is missing",
        ),
        (
            "stochastic_volatility",
            "\n    g[:7] -= phi * shock / s2",
            "",
            "g[1:8] += shock / s2",
            "the line g[:7] -= phi * (shock / s2) is missing",
        ),
        (
            "cbow",
            '\n        grads["out"] += np.outer(h, prob)',
            "",
            "prob[word] -= 1",
            "the line grads['out'] += np.outer(h, prob) is missing",
        ),
        (
            "truss",
            "\n    g[:, 1] += weight",
            "",
            "np.add.at(g, I, force)",
            "the line g[:, 1] += weight is missing",
        ),
        # what a loop goes through stands in f, its number in the gradient
        ("rnn", "dz * inputs[t]", "dz", "dz", "the factor inputs[t] is missing"),
        (
            "pooling",
            "np.sum(d_maps * images[:, i : i + 4, j : j + 4])",
            "np.sum(d_maps)",
            "d_maps",
            "the factor images[:, i:i + 4, j:j + 4] is missing",
        ),
        # a comprehension has variables of its own
        ("procrustes", "np.sum(G * D) for", "np.sum(G * Ra) for", "Ra", "this should be D"),
        # a value that is made of itself is not overwritten, and its sums tell nothing of its multiples
        (
            "local_level",
            "+ dq\n        P = P * (1 - K)",
            "+ dq\n        P = P * (-K)",
            "P = P * (-K) + q",
            "the term P is missing",
        ),
        # differences of what is at hand
        (
            "springs",
            "k * (length - l0) * d / length",
            "d / length",
            "d / length",
            "the factor -k * (1 - length) is missing",
        ),
        # both sides of a quotient are parts of a product
        ("density", "/ k.sum() / h**2", "/ k.sum()", "k @ diff / k.sum()", "the divisor h ** 2 is missing"),
        # a number beside a matrix is a factor of the product
        ("unrolled_momentum", "lr * dw @ H", "dw @ H", "dw @ H", "the factor lr is missing"),
        # a guard that stands elsewhere is missing, and f has no other one
        ("normalised_layer", "np.sqrt(var + eps)", "np.sqrt(var)", "var", "the term eps is missing"),
        # a claim that is far too large is rounded more than the derivative
        ("poisson_hessian", "hess += w * np", "hess += hess * np", "hess", "this should be w"),
        # what makes a value wider
        ("elastic_net", "g += ridge * w", "g += ridge", "ridge", "the factor w is missing"),
        (
            "weibull",
            "H = np.exp(k * self.log_time + eta)\n        score",
            "H = np.exp(k / self.log_time + eta)\n        score",
            "k / self.log_time",
            "the quotient should be a product",
        ),
        # the slope of what the function calls
        ("egarch", "(alpha * np.sign(z) + gamma)", "(alpha + gamma)", "alpha", "the factor np.sign(z) is missing"),
        ("huber", "delta * np.sign(residual)", "delta", "delta", "the factor np.sign(residual) is missing"),
        # what the adjoint of a softmax multiplies by, written at once and before
        ("tracking_error", "w * (g_w - w @ g_w)", "w", "w", "the factor g_w - w @ g_w is missing"),
        ("potts_field", "(m * (g_m - inner)).ravel()", "(m).ravel()", "m", "the factor g_m - inner is missing"),
        # tuples of different lengths are no values
        ("mlp_tanh", "dZ = dH * (1 - H**2)", "dZ = dH", "dH", "or here: the factor 1 - H ** 2 is missing"),
        # half a term is no other one that is missing
        ("eight_schools", "tau**2 / 25", "tau**2 / 50", "tau**2 / 50", "this is half of what it should be"),
        # a diagonal; of what has a sign the whole is asked, and its twin
        (
            "softmax_jacobian",
            "np.diag(p) - np.outer(p, p)",
            "-np.outer(p, p)",
            "-np.outer(p, p)",
            "the term np.diag(p) is missing",
        ),
        (
            "kernel_ridge",
            "gap = Z[:, None, k] - Z[None, :, k]",
            "gap = -Z[None, :, k]",
            "-Z[None, :, k]",
            "the term Z[:, None, k] is missing",
        ),
        # a number that a function of single numbers takes is no count
        ("xy_chain", "0.5 * np.sin(5 * theta)", "0.5 * np.sin(5)", "5", "the factor theta is missing"),
        # in which line a factor or a sign is lost nobody knows: of a term and in another function, too
        ("dirichlet", "-35 * d * a", "-35 * d", "-35 * d", "or here: the factor a is missing"),
        ("negative_binomial", "r * np.sum(d_r)", "np.sum(d_r)", "np.sum(d_r)", "or here: the factor r is missing"),
        (
            "negative_sampling",
            "return grad / len(centre)",
            "return grad",
            "grad",
            "or here: the divisor len(centre) is missing",
        ),
        ("epidemic_fit", "ds - dnew", "ds + dnew", "dnew", "or here: this has the wrong sign"),
        ("unrolled_momentum", "dv = mu * dv", "dv = dv", "dv", "or here: the factor mu is missing"),
        # a term may be missing beside all of a product
        ("kalman_level", "dP / S - P * dS / S**2", "dP / S", "dP / S", "the term -(dS * gain) is missing beside dP"),
        # a product of three matrices
        (
            "pca",
            " + 2 * CW @ (W.T @ W)",
            "",
            "-4 * CW + 2 * W @ (W.T @ CW)",
            "the term 2 * (CW @ (W.T @ W)) is missing",
        ),
        # the other term of a quotient's derivative, what a projection takes off, an element of a slope
        (
            "morse",
            " - c * a / na**2)",
            ")",
            "(c + 0.3) * (b / (na * nb))",
            "the term -(a * c / na ** 2) is missing beside b / (na * nb)",
        ),
        (
            "quaternion_jacobian",
            "J @ (np.eye(4) - np.outer(unit, unit)) / norm",
            "J / norm",
            "J / norm",
            "the term -np.outer(J @ unit, unit) is missing beside J",
        ),
        ("kalman_trend", "dP[0, 0] + dv[2]", "dP[0, 0]", "dP[0, 0]", "the term dv[2] is missing"),
        # a step in another index, a slice of as many elements, an element of what a loop goes through
        ("surface", "grad[i + 1, j]", "grad[i, j + 1]", "grad[i, j + 1]", "this should be grad[i + 1, j]"),
        ("rosenbrock_hessian", "** 2 - 400 * x[2:]", "** 2 - 400 * x[1:-1]", "x[1:-1]", "this should be x[2:]"),
        ("plackett_luce", "+= e[item] * weight", "+= weight", "weight", "the factor e[item] is missing"),
        # what counts from 1
        (
            "trigonometric",
            "i = np.arange(1, n + 1)\n    s,",
            "i = np.arange(n)\n    s,",
            "np.arange(n)",
            "the constant 1 is missing",
        ),
        # a sum in place of a count, a conjugate, a number that is called by pi
        ("density", "k @ diff / k.sum()", "k @ diff / len(k)", "len(k)", "this should be k.sum()"),
        ("fir_design", "E.conj().T", "E.T", "E.T", "this should be E.conj().T"),
        (
            "ackley",
            "waves * 2 * np.pi * np.sin",
            "waves * np.sin",
            "waves * np.sin(2 * np.pi * x) / n",
            "the factor 2*pi is missing",
        ),
        # what rounds, though it is right in real numbers
        (
            "rastrigin",
            "np.sin(2 * np.pi * x)\n",
            "np.sin(2 * np.pi * x).astype(np.float32)\n",
            "np.sin(2 * np.pi * x).astype(np.float32)",
            "values are rounded to float32 here",
        ),
        ("bspline_fit", "dtype=np.float64", 'dtype="f4"', '"f4"', "values are rounded to float32 here"),
        # what is written into two parts, and an element that was copied
        (
            "unicycle_jacobian",
            "J[0, 2] = radius * dc\n    J[1, 2] = radius * ds",
            "J[0, 2] = radius * ds\n    J[1, 2] = radius * dc",
            "J[0, 2] = radius * ds",
            "radius * ds and radius * dc should be exchanged",
        ),
        (
            "gjr_garch",
            "np.array([1.0, r**2, down, h])",
            "np.array([1.0, r**2, r**2, h])",
            "r**2",
            "this should be down",
        ),
        # a number too many in one line is one that is missing in another
        ("mixed_model", "2 * t2 * g_t2", "t2 * g_t2", "t2 * g_t2", "or here: the factor 2 is missing"),
        # not "the term -d_value is missing beside r", which is r * s
        ("gated", "r * value * s * (1 - s)", "r * value * s", "r * value * s", "the factor 1 - s is missing"),
        # the right code rounds much more than the wrong one
        ("beam", "u[:-2]) / h**3", "u[:-2]) / h", "h", "the exponent 3 is missing"),
        # not "the factor o * dh / h is missing"
        ("lstm_cell", "dc = dh * o", "dc = tanh_c * o", "tanh_c", "this should be dh"),
        # what a line adds to as a whole, another line adds a part to; the name is told in place of a factor
        ("nested_logit", "g_lam[m] +=", "slope[m] +=", "slope", "this should be g_lam"),
        ("coregional_gp", "E[i, :] += w", "B[i, :] += w", "B", "this should be E"),
        # not "the term -(4 * Kf) is missing"
        (
            "gp_periodic",
            '"ell": 4 * Kf',
            '"ell": 8 * Kf',
            "8 * Kf * np.sin(arg) ** 2 / ell**2",
            "this is twice what it should be",
        ),
        # a variable of the function's has another value there; what one helper is called with another may be
        (
            "kalman_vector",
            "A.T + q * np.eye(2)\n            dP",
            "A.T + q\n            dP",
            "q",
            "the factor np.eye(2) is missing",
        ),
        (
            "negative_sampling",
            "logistic(V[i] @ context[k]) * context[k]",
            "context[k]",
            "context[k]",
            "the factor logistic(V[i] @ context[k]) is missing",
        ),
        # from the end: what a loop runs over, what is summed up, another element to begin with
        (
            "residual_sigmoid",
            "for g in grads[::-1]]",
            "for g in grads]",
            "grads",
            "the loop should run over grads[::-1]",
        ),
        ("residual_sigmoid", "hs[-2::-1]", "hs[:0:-1]", "hs[:0:-1]", "the loop should run over hs[-2::-1]"),
        (
            "plackett_luce",
            "np.cumsum(e[order][::-1])[::-1]",
            "np.cumsum(e[order])",
            "np.cumsum(e[order])",
            "this should be np.cumsum(e[order][::-1])[::-1]",
        ),
        # what the function computes is told as it is written there
        (
            "poisson",
            "mu = exposure * np.exp(X @ beta)",
            "mu = exposure",
            "exposure",
            "this should be np.exp(eta) of the function",
        ),
        # where nothing else is to blame
        (
            "action",
            "    grad -= dt * g * np.sin(path[1:-1])\n",
            "",
            "grad",
            "the derivative of g * np.sum(np.cos(path)) is missing here",
        ),
    ],
)
def test_an_edit_is_placed_and_named(name: str, old: str, new: str, marked: str, said: str, tmp_path: Path) -> None:
    (case,) = (one for one in OPEN if one.name == name)
    module = load(case.edit(Bug("variable", old, new)).text, tmp_path, name)
    v = getattr(dc, f"check_{case.what}")(module.f, module.gradient, module.at)
    assert v.status == "wrong"
    assert not [note for note in v.notes if "failed" in note]
    assert (marked, said) in [(mark.text, mark.message) for mark in v.marks if mark.role == "gradient"]


def test_what_is_written_into_another_array_is_no_constant(tmp_path: Path) -> None:
    # said was: component x[0] is 0: the variable is treated as constant
    (case,) = (one for one in OPEN if one.name == "gp_inverse")
    bug = Bug("variable", "grad[0] = np.sum(inner * rbf)", "alpha[0] = np.sum(inner * rbf)")
    module = load(case.edit(bug).text, tmp_path, "other_array")
    assert str(dc.check_gradient(module.f, module.gradient, module.at).cause) == "alpha stands in place of grad"


@pytest.mark.parametrize(
    ("name", "old", "new", "cause"),
    [
        # half of two components is wrong
        ("coregional_gp", "E[i, :] += w", "B[i, :] += w", "B stands in place of E"),
        # what is lost by it is a term
        ("burgers", "np.roll(u, -1) - np.roll(u, 1)", "np.roll(u, 1) - np.roll(u, 1)", "1 stands in place of -1"),
        # it is lost in each term of a sum
        ("stochastic_volatility", "-(1 - phi) * np.sum(shock)", "-np.sum(shock)",
         "the factor 1 - phi is missing in shock"),
    ],
)  # fmt: skip
def test_what_the_source_says_is_the_cause(name: str, old: str, new: str, cause: str, tmp_path: Path) -> None:
    case = next(one for one in OPEN if one.name == name)
    module = load(case.edit(Bug("variable", old, new)).text, tmp_path, name)
    assert str(dc.check_gradient(module.f, module.gradient, module.at).cause) == cause


def test_the_number_by_which_a_missing_term_is_multiplied_is_told() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        return np.exp(x @ x / 10)

    def hessian(x):  # type: ignore[no-untyped-def]
        e = np.exp(x @ x / 10)
        return e / 25 * np.outer(x, x)

    v = dc.check_hessian(f, hessian, [0.3, -0.2, 0.9])
    assert [(mark.text, mark.message) for mark in v.marks] == [
        ("e / 25 * np.outer(x, x)", "the term 5 * np.eye(3) is missing beside np.outer(x, x)")
    ]


class Curve:
    slow, fast, unused = 4.0, 1.5, 1.5

    def f(self, t):  # type: ignore[no-untyped-def]
        return np.sum(np.exp(-t / self.slow) - np.exp(-t / self.fast) * self.slow)

    def gradient(self, t):  # type: ignore[no-untyped-def]
        return np.exp(-t / self.fast) * self.slow / self.fast - np.exp(-t / self.slow) / self.fast


def test_another_thing_that_an_object_holds_is_told() -> None:
    curve = Curve()
    v = dc.check_gradient(curve.f, curve.gradient, [0.3, 1.7])
    assert str(v.cause) == "self.fast stands in place of self.slow"
    assert [(mark.text, mark.message) for mark in v.marks] == [("self.fast", "this should be self.slow")]


def test_what_is_thrown_away_stands_for_nothing() -> None:
    def parts(spot, time):  # type: ignore[no-untyped-def]
        df, divf = np.exp(-0.05 * time), np.exp(-0.02 * time)
        return spot * divf / df, df, divf

    def f(v):  # type: ignore[no-untyped-def]
        forward, df, _ = parts(100.0, 1.3)
        return df * forward * np.exp(-(v**2))

    def gradient(v):  # type: ignore[no-untyped-def]
        spot = 100.0
        forward, df, _ = parts(spot, 1.3)  # noqa: RUF059
        return -2 * v * df * spot * np.exp(-(v**2))

    (mark,) = (one for one in dc.check_gradient(f, gradient, 0.2).marks if one.role == "gradient")
    assert (mark.text, mark.message) == ("spot", "this should be forward")


def test_a_name_that_happens_to_be_2_is_not_the_factor_2() -> None:
    X = np.array([[0.3, -1.2], [0.7, 0.4], [-0.9, 1.1]])

    def f(w):  # type: ignore[no-untyped-def]
        return np.mean((X @ w) ** 2)

    def gradient(w):  # type: ignore[no-untyped-def]
        n, n_features = X.shape  # noqa: RUF059
        return X.T @ (X @ w) / n

    # the two are alike in round numbers: e + (t - o) is one of them
    t = np.array([0.2, 0.9, 0.4])

    def squares(o):  # type: ignore[no-untyped-def]
        e = t - o
        return np.sum(e**2) / e.size

    def of_squares(o):  # type: ignore[no-untyped-def]
        return -slope(t, o)

    def slope(t, o):  # type: ignore[no-untyped-def]
        e = t - o
        return e / len(e)

    v = dc.check_gradient(f, gradient, [0.3, 0.9])
    w = dc.check_gradient(squares, of_squares, [0.3, 0.6, 0.7])
    for one in (v, w):
        assert str(one.cause) == "factor 2 missing: the claim is D/2 in every component"
        assert one.marks[0].message == "this is half of what it should be"


def test_a_variable_may_have_the_name_of_its_function() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        return np.array([np.sum(x**3), x[0] * x[1]])

    def jacobian(x):  # type: ignore[no-untyped-def]
        jacobian = np.empty((2, 2))
        jacobian[0] = x**2 * np.sin(x)
        jacobian[1] = x[::-1]
        return jacobian

    v = dc.check_jacobian(f, jacobian, [0.3, -1.7])
    assert not [note for note in v.notes if "failed" in note]
    w = dc.check_jacobian(lambda x: np.array([np.sum(x**3) / 2.7, x[0] * x[1]]), named, [0.3, -1.7])
    assert str(w.cause) == "x stands in place of x ** 2"


def named(x):  # type: ignore[no-untyped-def]
    named = np.empty((2, 2))
    named[0] = x / 0.9
    named[1] = x[::-1]
    return named


def test_a_distribution_and_its_density_are_taken_for_one_another() -> None:
    def f(v):  # type: ignore[no-untyped-def]
        return norm.cdf(0.3 / v + v)

    def gradient(v):  # type: ignore[no-untyped-def]
        return norm.cdf(0.3 / v + v) * (1 - 0.3 / v**2)

    v = dc.check_gradient(f, gradient, 0.7)
    assert [mark.message for mark in v.marks] == ["this should be norm.pdf(0.3 / v + v)"]
