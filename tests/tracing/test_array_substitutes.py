"""What code sees in place of math, scipy and Python's own functions where it is traced as a program of arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.special

import diffcompare as dc
from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.errors import TraceError
from diffcompare.program.array_adjoint import array_gradient
from diffcompare.tracing import array_substitutes
from diffcompare.tracing.substitutes import MATH
from diffcompare.verdict.difference import nearest_float

from ..quality.array_truth import (  # noqa: TID252 - tests are no package
    BITS,
    OBJECTS,
    complaints_about,
    complaints_about_numbers,
    function_of,
    traced,
)

X = np.random.default_rng(5).uniform(0.2, 0.9, (3, 4))
# tried beside the table
_TABLED: set[str] = {"lambertw", "sici", "airy", "fresnel", "factorial", "betaln"}
V = np.array([-1.5, 0.75, 2.25, -0.5])


MATHEMATICS: dict[str, list[str]] = {
    **{
        name: [f"math.{name}(x[0, 0]) * x"]
        for name in [
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "sinh",
            "cosh",
            "tanh",
            "asinh",
            "atanh",
            "exp",
            "exp2",
            "expm1",
            "log",
            "log1p",
            "log2",
            "log10",
            "sqrt",
            "cbrt",
            "fabs",
            "erf",
            "erfc",
            "gamma",
            "lgamma",
            "radians",
            "degrees",
        ]
    },
    "acosh": ["math.acosh(1 + x[0, 0])"],
    "log": ["math.log(x[0, 0], x[1, 1] + 2)", "math.log(x[0, 0], 2)"],
    "pow": ["math.pow(x[0, 0], x[0, 1])", "math.pow(x[0, 0], 3)", "math.pow(2, x[0, 0])"],
    "atan2": ["math.atan2(x[0, 0], x[0, 1])", "math.atan2(V[0], x[0, 1])"],
    "hypot": ["math.hypot(x[0, 0], 2)", "math.hypot(x[0, 0], x[0, 1])", "math.hypot(x[0, 0], x[0, 1], x[0, 2])"],
    "copysign": ["math.copysign(x[0, 0], V[0])"],
    "fmod": ["math.fmod(x[0, 0], 0.17)", "math.fmod(-x[0, 0], 0.17)"],
    "remainder": ["math.remainder(V[0], 0.7) * x"],
    "trunc": ["math.floor(V[2]) * x"],
    "floor": ["math.floor(V[0]) * x", "math.floor(x[0, 0]) * x"],
    "ceil": ["math.ceil(V[1]) * x", "math.ceil(x[0, 0]) * x"],
    "fsum": ["math.fsum(x[0])", "math.fsum(t * t for t in x[0])", "math.fsum([x[0, 0], 1.0])"],
    "sumprod": ["math.sumprod(x[0], x[1])", "math.sumprod([1.0, 2.0], x[1, :2])"] if hasattr(math, "sumprod") else [],
    "prod": ["math.prod(x[0])", "math.prod([2.0, x[0, 1]])"],
    "dist": ["math.dist(x[0], x[1])", "math.dist([0.0, 1.0], x[1, :2])"],
    "isnan": ["x if not math.isnan(x[0, 0]) else 0 * x"],
    "isinf": ["x if not math.isinf(x[0, 0]) else 0 * x"],
    "isfinite": ["x if math.isfinite(x[0, 0]) else 0 * x"],
    "numbers": [
        "x * math.comb(5, 2)",
        "math.pi * x",
        "x * math.factorial(4)",
        "x * math.isqrt(17)",
        "math.inf * 0 if 0 else x",
    ],
}


@pytest.mark.parametrize("source", [s for sources in MATHEMATICS.values() for s in sources])
def test_math_is_math(source: str) -> None:
    # where a processor has wide registers, NumPy's functions round otherwise than those of the C library
    assert complaints_about(source, X, V=V, bitwise=False) == []
    assert complaints_about_numbers(source, X, V=V) == []


def test_every_function_of_math_has_a_case() -> None:
    assert sorted({*MATH, *array_substitutes._MANY} - set(MATHEMATICS)) == []


# of SciPy, by formulas of their own
SPECIAL: dict[str, list[str]] = {
    **{name: [f"sp.{name}(x)"] for name in ["ndtr", "expit", "log_expit", "logit", "entr", "exprel", "softplus",
        "expm1", "log1p", "exp2", "cbrt"]},
    **{name: [f"sp.{name}(x)", f"sp.{name}(4 * x[0])"] for name in ("erf", "erfc", "gamma", "gammaln")},
    "xlogy": ["sp.xlogy(x, x[0])", "sp.xlogy([0.0, 2.0, 1.0, 0.5], x)", "sp.xlogy(x, 2.0)"],
    "xlog1py": ["sp.xlog1py(x, x[:1] + 1)"],
    "rel_entr": ["sp.rel_entr(x, x[::-1])", "sp.rel_entr(x, 0.25)"],
    "kl_div": ["sp.kl_div(x, x[::-1])"],
    "logsumexp": ["sp.logsumexp(x)", "sp.logsumexp(x, axis=0)", "sp.logsumexp(x, axis=1, keepdims=True) - x",
        "sp.logsumexp(V * x, axis=1, b=V * V)",
                  "sp.logsumexp(x * 1000, axis=(0, 1))"],
    "softmax": ["sp.softmax(x)", "sp.softmax(x, axis=1)", "sp.softmax(1000 * x, axis=0)"],
    "log_softmax": ["sp.log_softmax(x)", "sp.log_softmax(x, axis=1)"],
    "huber": ["sp.huber(0.5, x)", "sp.huber(x, V)"],
}  # fmt: skip
# the operations of the table, as a trace of single numbers has them
OF_TABLE = [
    "sp.digamma(x)", "sp.psi(x)", "sp.polygamma(1, x)", "sp.gammainc(2.0, x)", "sp.gammaincc(1.5, x)", "sp.j0(x)",
        "sp.j1(x)", "sp.jv(0.5, x)",
    "sp.jn(2, x)", "sp.y0(x)", "sp.y1(x)", "sp.yn(2, x)", "sp.yv(0.5, x)", "sp.i0(x)", "sp.i1(x)", "sp.iv(1.5, x)",
        "sp.k0(x)", "sp.k1(x)",
    "sp.kn(2, x)", "sp.kv(1.5, x)", "sp.erfi(x)", "sp.erfinv(x)", "sp.ellipk(x)", "sp.ellipe(x)", "sp.expi(x)",
        "sp.exp1(x)", "sp.expn(2, x)",
    "sp.zeta(1 + x)", "sp.zeta(2.5, x)", "sp.beta(x[0], x[1])", "sp.spence(x)", "sp.loggamma(x)",
        "sp.spherical_jn(2, x)",
    "sp.eval_legendre(3, x)", "sp.eval_chebyt(2, x)", "sp.eval_chebyu(2, x)", "sp.eval_laguerre(2, x)",
    "sp.factorial(x)", "sp.airy(x)[0]", "sp.sici(x)[1]", "sp.fresnel(x)[0]", "sp.lambertw(x).real",
        "sp.betaln(x[0], x[1])",
]  # fmt: skip


@pytest.mark.parametrize("source", [s for sources in SPECIAL.values() for s in sources])
def test_functions_of_scipy_are_scipys(source: str) -> None:
    assert complaints_about(source, X, V=V) == []
    assert complaints_about_numbers(source, X, V=V) == []


def test_every_formula_of_scipy_has_a_case() -> None:
    assert sorted(set(array_substitutes._SPECIAL) - set(SPECIAL) - _TABLED) == []


@pytest.mark.parametrize("source", OF_TABLE)
def test_special_functions_have_the_slopes_of_the_table(source: str) -> None:
    assert complaints_about(source, X, real=False) == []
    assert complaints_about_numbers(source, X) == []
    total = function_of(f"np.sum({source} * np.arange(1.0, 5.0))")
    build, trace = traced(total, X)
    gradient = array_gradient(build, build.reshape(trace.output, ()))
    reference = dc.certified_gradient(dc.trace(total, X.shape), X.reshape(-1))
    (balls,) = array_balls(build, [gradient], X.reshape(-1), BITS)
    assert [nearest_float(b) for b in balls] == reference.value.reshape(-1).tolist()


LINEAR = [
    "scipy.linalg.solve(x[:, :3] + I, x)", "scipy.linalg.inv(x[:, :3] + I)", "scipy.linalg.det(x[:, :3])",
        "scipy.linalg.norm(x[0])",
    "scipy.linalg.cholesky(x @ x.T + I)", "scipy.linalg.cholesky(x @ x.T + I, lower=True)",
    "scipy.linalg.solve_triangular(np.tril(x[:, :3]) + I, x, lower=True)",
        "scipy.linalg.solve_triangular(x[:, :3] + I, x[:, 0])",
    "scipy.linalg.solve_triangular(x[:, :3] + I, x, trans=1)",
        "scipy.linalg.solve_triangular(x[:, :3], x, unit_diagonal=True)",
    "scipy.linalg.cho_solve(scipy.linalg.cho_factor(x @ x.T + I), x[:, 0])",
        "scipy.linalg.cho_solve((np.linalg.cholesky(x @ x.T + I), True), x)",
    "scipy.linalg.pinv(x.T)",
]  # fmt: skip


class _Linear:
    """scipy.linalg for objects."""

    linalg: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(OBJECTS.linalg, name)

    def cholesky(self, a: Any, lower: bool = False) -> Any:
        return OBJECTS.linalg.cholesky(a, not lower)

    def cho_factor(self, a: Any) -> Any:
        return self.cholesky(a), False

    def cho_solve(self, factor: Any, b: Any) -> Any:
        lower = factor[0] if factor[1] else factor[0].T
        return OBJECTS.linalg.solve(lower @ lower.T, b)

    def solve_triangular(self, a: Any, b: Any, trans: int = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
        a = np.tril(a) if lower else np.triu(a)
        a = a * (1 - np.eye(len(a), dtype=int)) + np.eye(len(a), dtype=int) if unit_diagonal else a
        return OBJECTS.linalg.solve(a.T if trans else a, b)


_Linear.linalg = _Linear()


@pytest.mark.parametrize("source", LINEAR)
def test_systems_of_scipy_are_solved(source: str) -> None:
    code = source.replace("scipy.linalg.", "la.")
    assert complaints_about(code, X, instead={"la": _Linear()}, I=2.0 * np.eye(3), la=scipy.linalg, scipy=scipy) == []
    assert complaints_about_numbers(source, X, I=2.0 * np.eye(3), scipy=scipy) == []


PYTHON = [
    "float(x[0, 0]) * x", "float(x[0, 0] * 2) + float('1.5')", "np.float64(x[0, 0]) * 2",
        "np.float64(x) * 2 if 0 else x", "int(V[1]) * x", "bool(V[0]) * x",
    "bool(x[0, 0] > 0.1) * x", "int(2.5) * x", "sum(x)", "sum(x[0], x[1, 1])", "sum(list(x[0]))",
        "sum(t * t for t in x[0])", "sum([], 0.0) + x",
    "sorted(x[0])", "sorted(x[0], reverse=True)[0]", "sorted(list(x[0]), key=lambda t: -t)", "max(x[0, 0], 0.1)",
        "min(x[0])", "abs(x - 0.5)",
    "print(end='')\nreturn x", "len(x) * x", "list(map(lambda t: t * t, x[0]))", "[a * b for a, b in zip(x[0], x[1])]",
        "np.vectorize(lambda t: t * t)(x)",
    "round(V[0]) * x", "x * isinstance(V[0], float)", "x * np.float64(3)", "x * np.int64(3)",
        "x * np.int64(V)", "np.array([float(v) for v in V]) * x", "x * float(np.pi)",
    "np.array([[x[0, 0], 1.0], [2.0, x[1, 1]]])", "np.array(x, ndmin=3)", "np.asarray([x[0], x[1]])",
        "np.array([1, 2, 3, 4]) * x", "np.stack([x[0], V])",
    "np.zeros(4) + x", "np.ones((3, 4)) * x", "np.full(4, x[0, 0])", "np.full((2, 2), fill_value=x[0, 0])",
        "np.eye(3) @ x", "np.identity(3) @ x",
    "y = np.empty(4)\ny[:] = x[0]\nreturn y", "y = np.zeros(4, dtype=int)\ny[1] = 2\nreturn x * y",
        "np.linspace(0, 1, 4) * x", "np.arange(4) * x", "np.arange(4.0) * x",
    "y = np.linspace(0.0, 1.0, 4)\ny[0] = x[0, 0]\nreturn y", "y = V * 2\ny[0] = x[0, 0]\nreturn y",
        "y = V.copy()\ny[1:] *= x[0, 1:]\nreturn y",
    "np.sqrt(2.25) * x", "np.pi * x", "np.e * x", "x * np.exp(0)", "np.ascontiguousarray(x.T)", "np.require(x)",
    "np.dot(V, V) * x", "np.add.outer(V, V)[0] * x", "x * np.finfo(float).eps", "x + 1 / 3", "x / len(V)",
    "d = {'a': x, 'b': (x[0], 2.0)}\nreturn d['a'] * d['b'][0] * d['b'][1]",
        "from math import exp\nreturn exp(x[0, 0]) * x", "import math as m\nreturn m.sin(x[0, 0])",
    "np.r_[x[0], x[1, 0], 1.0]", "np.r_[0:3, x[0], V]", "np.c_[x[0], x[1]]", "np.r_[V, 1.0] * x[0, 0]",
        "np.r_[[x[0, 0], x[1, 0]], [1.0]]", "np.c_[x.T, [x[0, 0], 1.0, 2.0, 3.0]]",
        "x if not np.iscomplex(x).any() else 0 * x", "x * np.isreal(x)",
        "x * np.issubdtype(x.dtype, np.floating)", "x * np.issubdtype(V.dtype, np.integer) + x",
        "x * isinstance(V[0], np.number)",
    "x * 2 if float(V[1]).is_integer() else x",
        "sum(t * (1 + i + 2 * j) for (i, j), t in np.ndenumerate(x))", "sum(t * t for t in np.nditer(x))",
        "x[0] * [t for t in np.ndenumerate(V)][1][1]", "np.fromiter((t * t for t in x[0]), float)",
        "np.fromiter(iter(x[0]), float, 2) * V[:2]", "np.std([x[0, 0], x[0, 1]])", "np.dot([x[0, 0], 1.0], x[:2])",
]  # fmt: skip
_FLOATS_ONLY = (
    "float(",
    "np.float64",
    "isinstance",
    "np.vectorize",
    "sqrt(2",
    "exp(0",
    "round",
    "random",
    "finfo",
    "import",
    "dtype=int",
    "int(",
    "int64(V",
    "1 / 3",
    "issubdtype",
    "nditer",
    "fromiter",
)


def test_functions_of_scipy_that_a_library_calls_are_traced() -> None:
    def library(x: Any) -> Any:
        return scipy.special.ndtr(x)

    # code of a library is run as it is: what it calls is asked by NumPy what to do with a handle
    library.__module__ = "scipy.stats.distributions"
    point = np.linspace(-2.0, 2.0, 400)
    verdict = dc.check_gradient(
        lambda x: np.sum(np.log(library(x))),
        lambda x: np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) / library(x),
        point,
    )
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")


@pytest.mark.parametrize("source", PYTHON)
def test_python_and_numpy_are_themselves(source: str) -> None:
    assert complaints_about(source, X, V=V, real=not any(word in source for word in _FLOATS_ONLY)) == []
    assert complaints_about_numbers(source, X, V=V) == []


SHORT = [
    "x.astype(np.float32) * 2", "np.float32(x[0, 0]) * x", "np.float32(x) ** 2", "x.astype('float32').sum()",
        "np.array(x, dtype=np.float32) * 0.1",
    "np.sum(x.astype(np.float32) * V)", "y = np.zeros(4, dtype=np.float32)\ny[:] = x[0]\nreturn y",
        "y = np.zeros(4, dtype=np.float32)\ny[:] = x[0]\nreturn y * y",
    "x.astype(np.float16) * x", "np.exp(np.float32(x)).mean()", "0.5 ** 2 * x.astype(np.float32)",
        "(x.astype(np.float32) + 1.5) / 3",
    "x.astype(np.float32) @ x.astype(np.float32).T", "np.float32(0.1) * x", "V.astype(np.float32) * x",
        "np.sum(np.float32(x), dtype=np.float64)",
    "np.linalg.norm(np.float32(x))", "np.maximum(np.float32(x), 0.5)", "np.prod(np.float32(x))",
        "np.float32(x).T.reshape(-1)[::2] * np.float64(2)",
    "np.cumsum(np.float32(x))", "np.float32(x) * np.pi", "np.concatenate([np.float32(x[0]), x[1]])",
        "np.where(V > 0, np.float32(x), 0)", "np.float32(x).var()",
]  # fmt: skip


@pytest.mark.parametrize("source", SHORT)
def test_short_floats_are_as_short(source: str) -> None:
    assert complaints_about(source, X, V=V, real=False) == []
    assert traced(function_of(source, V=V), X)[1].narrow is not None


def test_data_of_short_floats_are_not_computed_in_them() -> None:
    W = V.astype(np.float32)
    for source in ("W * x", "np.zeros(4, dtype=np.float32) + x[0]"):
        assert complaints_about(source, X, W=W, real=False) == []
        assert traced(function_of(source, W=W), X)[1].narrow is None
    assert traced(function_of("W * W * x", W=W), X)[1].narrow is not None


def test_a_domain_error_is_raised_as_math_does() -> None:
    with pytest.raises(TraceError, match=r"math domain error|expected a nonnegative input"):
        traced(function_of("math.sqrt(x[0, 0] - 5)"), X)


@pytest.mark.parametrize(("source", "match"), [
    ("math.nextafter(x[0, 0], 1)", "nextafter"), ("sp.wofz(x)", "wofz"), ("int(x[0, 0])", r"int\(\)"),
        ("sp.erf(x, out=x)", "out|erf"),
    ("np.float64(str(x[0, 0]))", "str"), ("range(x[0, 0])", "index"),
])  # fmt: skip
def test_what_is_not_known_is_refused(source: str, match: str) -> None:
    with pytest.raises(TraceError, match=match):
        traced(function_of(source), X)
