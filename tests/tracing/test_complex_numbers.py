"""Complex numbers on the way to a real result: what is traced is what NumPy computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.fft
import scipy.sparse

import diffcompare as dc
from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.errors import TraceError
from diffcompare.tracing import complex_numbers
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.array_trace import placed_arrays, record_arrays
from diffcompare.tracing.keeping import kept
from diffcompare.verdict.difference import evaluate
from diffcompare.verdict.identity import judge_by_identity
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.traced import trace

AT = np.array([0.4, -1.2, 0.7, 0.3, 0.9, -0.5, 1.1, -0.8])
W = np.array([0.3 + 1.0j, -0.2j, 1.5, 0.7 - 0.4j])
REAL = np.array([0.5, -1.5, 2.0, 0.25])

# by the name of the function: expressions of z, four complex numbers that depend on the variables
EXPRESSIONS: dict[str, list[str]] = {
    "add": ["z + W", "z + 2", "1j + z", "z + z", "np.add(z, REAL)", "REAL + z", "x[:4] + 1j", "1j + x[0]", "x[0] + W"],
    "subtract": ["z - W", "2 - z", "z - z[::-1]", "REAL - z", "x[:4] - 1j"],
    "multiply": ["z * W", "2.5 * z", "1j * z", "z * z", "x[:4] * 1j", "1j * x[0]", "z * x[4:]"],
    "divide": ["z / W", "1 / z", "z / z[::-1]", "W / z", "z / 2", "x[:4] / z", "1 / (1j * x[0])", "1j / x[1]"],
    "matmul": ["z @ W", "np.outer(W, W) @ z", "z.reshape(2, 2) @ z.reshape(2, 2)"],
    "negative": ["-z"],
    "positive": ["+z"],
    "conjugate": ["np.conj(z)", "z.conj() * z", "z.conjugate()"],
    "absolute": ["abs(z)", "np.abs(z) ** 2"],
    "square": ["np.square(z)"],
    "reciprocal": ["np.reciprocal(z)"],
    "power": ["z ** 2", "z ** -1", "z ** 0.5", "z ** W", "2.0 ** z", "z ** 0", "z ** 3.0", "x[0] ** (2j)"],
    "exp": ["np.exp(z)", "np.exp(1j * x)", "np.exp(-2j * np.pi * x[:4])"],
    "expm1": ["np.expm1(z)"],
    "log": ["np.log(z)"],
    "log1p": ["np.log1p(z)"],
    "sqrt": ["np.sqrt(z)"],
    "sinh": ["np.sinh(z)"],
    "cosh": ["np.cosh(z)"],
    "tanh": ["np.tanh(z)"],
    "sin": ["np.sin(z)"],
    "cos": ["np.cos(z)"],
    "equal": ["z * (z == W)", "z if z[0] == z[0] else 2 * z"],
    "not_equal": ["z * (z != W)", "z if z[0] else 2 * z"],
    "isfinite": ["z * np.isfinite(z)"],
    "isnan": ["z * ~np.isnan(z)"],
    "isinf": ["z * ~np.isinf(z)"],
    # functions
    "sum": ["np.sum(z * W)", "z.sum()", "np.add.reduce(z)"],
    "mean": ["z.mean()"],
    "cumsum": ["np.cumsum(z)"],
    "diff": ["np.diff(z)"],
    "reshape": ["np.reshape(z, (2, 2))[1]", "z.reshape(2, -1)"],
    "ravel": ["z.reshape(2, 2).ravel()", "z.flatten()"],
    "transpose": ["z.reshape(2, 2).T", "np.transpose(z.reshape(2, 2))"],
    "squeeze": ["z[None].squeeze()"],
    "expand_dims": ["np.expand_dims(z, 1)"],
    "moveaxis": ["np.moveaxis(z.reshape(1, 4), 0, 1)"],
    "swapaxes": ["z.reshape(1, 4).swapaxes(0, 1)"],
    "flip": ["np.flip(z)"],
    "roll": ["np.roll(z, 1)"],
    "repeat": ["np.repeat(z, 2)"],
    "tile": ["np.tile(z, 2)"],
    "take": ["np.take(z, [3, 0])", "z[[3, 0]]", "z[W.real > 0]"],
    "broadcast_to": ["np.broadcast_to(z, (2, 4))"],
    "atleast_1d": ["np.atleast_1d(z)"],
    "atleast_2d": ["np.atleast_2d(z)"],
    "diag": ["np.diag(z)"],
    "diagonal": ["z.reshape(2, 2).diagonal()"],
    "tril": ["np.tril(z.reshape(2, 2))"],
    "triu": ["np.triu(z.reshape(2, 2))"],
    "trace": ["np.trace(z.reshape(2, 2))"],
    "concatenate": ["np.concatenate([z, W, REAL, x])"],
    "stack": ["np.stack([z, W])", "np.array([z[0], x[1], 2.0, 1j])"],
    "vstack": ["np.vstack([z, W])"],
    "hstack": ["np.hstack([z, W])"],
    "column_stack": ["np.column_stack([z, W])"],
    "pad": ["np.pad(z, 1)"],
    "copy": ["np.copy(z)", "z.copy()"],
    "delete": ["np.delete(z, 1)"],
    "compress": ["np.compress([True, False, True, True], z)"],
    "average": ["np.average(z, weights=[1.0, 2.0, 3.0, 4.0])"],
    "trapezoid": ["np.trapezoid(z, dx=0.5)"],
    "where": ["np.where(REAL > 0, z, W)", "np.where(REAL > 0, REAL, z)"],
    "append": ["np.append(z, W)"],
    "fft.fftshift": ["np.fft.fftshift(z)"],
    "fft.ifftshift": ["np.fft.ifftshift(z)"],
    "dot": ["np.dot(z, W)", "z.dot(z)"],
    "inner": ["np.inner(z, W)"],
    "outer": ["np.outer(z, W)"],
    "kron": ["np.kron(z, W)"],
    "tensordot": ["np.tensordot(z, W, 1)"],
    "convolve": ["np.convolve(z, W)"],
    "einsum": ["np.einsum('i,i->', z, W)"],
    "vdot": ["np.vdot(z, W)", "np.vdot(W, z)"],
    "real": ["np.real(z)", "z.real"],
    "imag": ["np.imag(z)", "z.imag"],
    "angle": ["np.angle(z)"],
    "iscomplexobj": ["z if np.iscomplexobj(z) else 2 * z"],
    "isrealobj": ["2 * z if np.isrealobj(z) else z"],
    "isscalar": ["z if np.isscalar(z[0]) and not np.isscalar(z) else 2 * z"],
    "isreal": ["z * np.isreal(z)"],
    "iscomplex": ["z * np.iscomplex(z)"],
    "shape": ["z / np.shape(z)[0]"],
    "ndim": ["z / np.ndim(z)"],
    "size": ["z / np.size(z)", "z / len(z)"],
    "linalg.norm": ["np.linalg.norm(z)"],
    "full_like": ["y = np.full_like(x, 0.0, dtype=complex)\ny[:4] = z\nreturn y"],
    "zeros_like": ["y = np.zeros_like(z)\ny[1:] = z[1:]\ny[0] = 3j\nreturn y"],
    "ones_like": ["np.ones_like(z) * z"],
    "empty_like": ["y = np.empty_like(z)\ny[...] = z\nreturn y"],
    "result_type": ["np.zeros(4, dtype=np.result_type(z)) + z"],
    # buffers, writes, conversions
    "buffers": [
        "y = np.zeros(4, dtype=complex)\ny += z\ny.real = x[:4]\nreturn y", "x.astype(complex) * 1j",
        "np.asarray(x, dtype=complex) * 1j",
        "y = np.empty((2, 2), dtype=np.complex128)\ny.fill(1j)\ny[0] = z[:2]\nreturn y",
        "sum(v * v for v in z)", "np.array([v for v in z])",
    ],
    "joined": ["np.c_[z, x[:4]]", "np.r_[1j, z]"],
    "sparse": [
        "scipy.sparse.csr_array(np.outer(W, W)) @ z", "scipy.sparse.csr_array(np.outer(W, W)) @ x[:4]",
        "scipy.sparse.csr_matrix(np.outer(REAL, REAL)) * z",
        "(scipy.sparse.csr_array((z, (range(4), range(4)))) @ scipy.sparse.csr_array(np.outer(W, W))).conj().toarray()",
    ],
    # transforms
    "fft.fft": ["np.fft.fft(x)", "np.fft.fft(z)", "np.fft.fft(z, 6)", "np.fft.fft(x, 5, norm='ortho')",
        "np.fft.fft(x[:6])", "np.fft.fft(z.reshape(2, 2), axis=0)", "scipy.fft.fft(x)"],
    "fft.ifft": ["np.fft.ifft(z)", "np.fft.ifft(x, norm='forward')"],
    "fft.rfft": ["np.fft.rfft(x)", "np.fft.rfft(x[:5])", "np.fft.rfft(x, 4)", "scipy.fft.rfft(x)"],
    "fft.irfft": ["np.fft.irfft(z)", "np.fft.irfft(z, 7)", "np.fft.irfft(x[:4])",
        "np.fft.irfft(np.fft.rfft(x) * 2, 8)", "scipy.fft.irfft(x=z, n=7, workers=1, overwrite_x=True)",
        "scipy.fft.irfft(z, 7, -1, 'ortho', False, 1)"],
    "fft.fft2": ["np.fft.fft2(x.reshape(2, 4))", "np.fft.fft2(x.reshape(2, 4), s=(2, 3))"],
    "fft.ifft2": ["np.fft.ifft2(z.reshape(2, 2))"],
    "fft.fftn": ["np.fft.fftn(x.reshape(2, 2, 2))"],
    "fft.rfftn": ["np.fft.rfftn(x.reshape(2, 4))",
        "np.fft.rfftn(x.reshape(2, 4), (3, 3), (0, 1))"],
    "fft.irfftn": ["np.fft.irfftn(z.reshape(2, 2))", "np.fft.irfftn(np.fft.rfftn(x.reshape(2, 4)), (2, 4), (0, 1))"],
    "fft.ifftn": ["np.fft.ifftn(x.reshape(2, 2, 2), axes=(0,))"],
}  # fmt: skip
CASES = [source for sources in EXPRESSIONS.values() for source in sources]


def _function(source: str) -> Any:
    names = {"np": np, "W": W, "REAL": REAL, "scipy": scipy}
    body = source if "return" in source else f"return {source}"
    indented = body.replace("\n", "\n    ")
    lines = f"def found(x):\n    z = x[:4] + 1j * x[4:]\n    {indented}"
    exec(f"{lines}\n\ndef f(x):\n    y = found(x)\n    return np.sum(np.real(y)) + 2.0 * np.sum(np.imag(y))", names)
    return names["f"]


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("source", CASES)
def test_a_trace_is_what_numpy_computes(source: str) -> None:
    f = _function(source)
    # it is held against the floats of the code, within the bound of their rounding
    known = trace(f, AT.size, near=AT, exact=True)
    table = ArrayTable(AT)
    found = record_arrays(f, (placed_arrays(np.arange(8.0), table),), table=table, keeping=kept((f,)))
    (one,), (other,) = evaluate(known.program, AT, 333), array_balls(table.build, [found.output], AT, 333)
    assert other[0].overlaps(one)


def test_every_function_has_a_case() -> None:
    known = {f"fft.{f.__name__}" if f.__module__ == "numpy.fft" else f.__name__ for f in (
        *complex_numbers._LINEAR, *complex_numbers._FUNCTIONS, *complex_numbers.FOURIER)}  # fmt: skip
    known = (known | set(complex_numbers._UFUNCS)) - {"norm"} | {"linalg.norm"}
    assert sorted(known - set(EXPRESSIONS)) == []


SIGNAL = np.array([0.3, -1.0, 0.5, 2.0, 0.1, -0.7, 1.1, 0.4])
HALF = np.where(np.arange(8) <= 4, 1.0, 0.0)
OMEGA = np.array([1.0, 2.0, 5.0])


def _filtered(x: Any) -> Any:
    return np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(SIGNAL), 8)


def _impedance(p: Any) -> Any:
    return p[0] + 1j * OMEGA * p[1] + 1 / (1j * OMEGA * p[2])


def _of_impedance(p: Any) -> Any:
    z = _impedance(p)
    return np.array([z.real, OMEGA * z.imag, z.imag / (OMEGA * p[2] ** 2)]) @ (1 / abs(z))


def _complex_step(x: Any) -> Any:
    slopes = np.zeros(len(x))
    for k in range(len(x)):
        z = x.astype(complex)
        z[k] += 1e-30j
        slopes[k] = np.sum(np.exp(z) * np.sin(z) / z).imag / 1e-30
    return slopes


PAIRS: dict[str, tuple[Any, Any, Any]] = {
    "spectrum": (
        lambda x: np.sum(np.abs(np.fft.rfft(x)) ** 2),
        lambda x: 2 * np.real(np.conj(np.fft.fft(HALF * np.conj(np.fft.fft(x))))), SIGNAL),
    "filter": (
        lambda x: np.sum(_filtered(x) ** 2),
        lambda x: np.fft.irfft(np.fft.rfft(2 * _filtered(x)) * np.conj(np.fft.rfft(SIGNAL)), 8), AT),
    "large": (
        lambda x: np.sum(np.log1p(np.abs(np.fft.fft2(x.reshape(16, 16))) ** 2)),
        lambda x: np.real(512 * np.fft.ifft2(
            np.fft.fft2(x.reshape(16, 16)) / (1 + np.abs(np.fft.fft2(x.reshape(16, 16))) ** 2))).ravel(),
        np.random.default_rng(1).normal(size=256)),
    "phases": (
        lambda x: np.abs(np.sum(np.exp(1j * x))) ** 2,
        lambda x: 2 * np.real(np.conj(np.sum(np.exp(1j * x))) * 1j * np.exp(1j * x)), [0.1, 0.7, 1.9]),
    "impedance": (lambda p: np.sum(np.abs(_impedance(p))), _of_impedance, [0.4, 0.7, 1.9]),
    "complex step": (
        lambda x: np.sum(np.exp(x) * np.sin(x) / x), _complex_step, [0.3, 1.2]),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_it_is_judged_by_identity(name: str) -> None:
    function, gradient, at = PAIRS[name]
    x = np.array(at)
    names = tuple(f"x[{k}]" for k in range(x.size))
    for factor, word in ((1.0, "consistent"), (1 + 1e-9, "wrong")):
        problem = Problem(function, lambda v, c=factor: c * gradient(v), x, np.copy, np.asarray, names)
        found = judge_by_identity(problem)
        assert isinstance(found, Judgement), found
        assert word in found.status
        assert (set(found.status) == {"consistent"}) == (factor == 1)


def test_complex_numbers_that_are_not_known_are_refused() -> None:
    for source, match in (
        ("np.arctan(z)", "arctan of complex numbers"),
        ("np.sort(z)", "sort of complex numbers"),
        ("z < W", "greater of complex numbers"),
        ("np.multiply.outer(z, W)", "multiply of complex numbers"),
    ):
        with pytest.raises(TraceError, match=match):
            dc.trace(_function(source), AT.size)
    with pytest.raises(TraceError, match="returned Complex: numbers are needed"):
        dc.trace(lambda x: x[0] + 1j, 1)
