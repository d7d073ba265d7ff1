"""Every function of NumPy that arrays of a program know: floats as NumPy's, nodes and derivatives as of objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from diffcompare.errors import TraceError
from diffcompare.tracing import array_functions, array_ufuncs
from diffcompare.tracing.array_functions import HANDLERS
from diffcompare.tracing.composed import ASKED
from diffcompare.tracing.factorisations import factorisations
from diffcompare.tracing.handle import Handle, floats_of, made, stored

from ..quality.array_truth import (  # noqa: TID252 - tests are no package
    complaints_about,
    complaints_about_numbers,
    function_of,
    traced,
)

RANDOM = np.random.default_rng(3)
X = RANDOM.uniform(0.2, 0.9, (3, 4))
NAMES: dict[str, Any] = {
    "A": RANDOM.uniform(-2, 2, (4, 3)),
    "S": RANDOM.uniform(1, 2, (2, 3, 4)),
    "v": RANDOM.uniform(-2, 2, 4),
    "w": RANDOM.uniform(1, 2, 3),
    "k": np.array([2, 0, 3]),
    "M": np.array([[True, False, True, False], [False, False, True, True], [True, True, True, False]]),
    "I": 2.0 * np.eye(3),
}

# name: the bodies of functions of x, of shape (3, 4)
FUNCTIONS: dict[str, list[str]] = {
    # views
    "reshape": ["np.reshape(x, (2, 6))", "x.reshape(-1)", "np.reshape(x, (2, -1), order='F')",
        "x.reshape(4, 3, order='F')"],
    "ravel": ["np.ravel(x[::-1])", "x.ravel(order='F')", "x.T.flatten()", "x.flat[5]"],
    "transpose": ["np.transpose(x)", "x.T @ x", "np.transpose(x.reshape(3, 2, 2), (2, 0, 1))",
        "x.reshape(3, 2, 2).transpose(1, 2, 0)"],
    "permute_dims": ["np.permute_dims(x, (1, 0))"],
    "squeeze": ["np.squeeze(x[:1])", "x[None].squeeze(0)"],
    "expand_dims": ["np.expand_dims(x, 1)"],
    "moveaxis": ["np.moveaxis(x.reshape(3, 2, 2), 0, -1)"],
    "rollaxis": ["np.rollaxis(x.reshape(3, 2, 2), 2)"],
    "swapaxes": ["np.swapaxes(x, 0, 1)", "x.swapaxes(-1, -2)"],
    "flip": ["np.flip(x)", "np.flip(x, 1)"],
    "fliplr": ["np.fliplr(x)"],
    "flipud": ["np.flipud(x)"],
    "rot90": ["np.rot90(x)", "np.rot90(x, 3)"],
    "broadcast_to": ["np.broadcast_to(x, (2, 3, 4)) * S"],
    "diagonal": ["np.diagonal(x)", "x.diagonal(1)", "np.diagonal(x.reshape(3, 2, 2), axis1=1, axis2=2)"],
    "split": ["np.split(x, 2, axis=1)", "np.split(x, [1])[1]"],
    "array_split": ["np.array_split(x, 3, axis=1)"],
    "hsplit": ["np.hsplit(x, 2)[1]"],
    "vsplit": ["np.vsplit(x, 3)[2]"],
    "dsplit": ["np.dsplit(x.reshape(3, 1, 4), 2)"],
    "atleast_1d": ["np.atleast_1d(x[0, 0])", "sum(np.atleast_1d(x, v, 2.0))"],
    "atleast_2d": ["np.atleast_2d(x[0])"],
    "atleast_3d": ["np.atleast_3d(x)"],
    "real": ["np.real(x)", "x.real"],
    "matrix_transpose": ["np.matrix_transpose(x)", "x.mT"],
    "linalg.matrix_transpose": ["np.linalg.matrix_transpose(x)"],
    "linalg.diagonal": ["np.linalg.diagonal(x)"],
    "unstack": ["np.unstack(x)[1]"],
    "sliding_window_view": [
        "np.lib.stride_tricks.sliding_window_view(x, 2, axis=1) @ np.array([1.0, 3.0])",
        "np.lib.stride_tricks.sliding_window_view(x, (2, 3)).max(axis=(-2, -1))",
    ],
    "as_strided": [
        "np.lib.stride_tricks.as_strided(x, (2, 3, 2, 2), (*x.strides, *x.strides)).sum(axis=(2, 3))",
        "y = x[::2].T\nreturn np.lib.stride_tricks.as_strided(y, (3, 2, 2), (y.strides[0], *y.strides))",
    ],
    # made of elements
    "concatenate": ["np.concatenate([x, x[:1], A.T])", "np.concatenate((x, x), axis=None)", "np.concatenate(x)",
        "np.concatenate([x, x[:, :1]], 1)"],
    "stack": ["np.stack([x, 2 * x], axis=1)", "np.stack([x[0, 0], x[1, 1], 3.0])", "np.stack(x, axis=-1)"],
    "vstack": ["np.vstack([x, v])"],
    "row_stack": ["np.vstack((x[0], v))"],
    "hstack": ["np.hstack([x[0], 1.0, v])"],
    "column_stack": ["np.column_stack([x, w])"],
    "dstack": ["np.dstack([x, x])"],
    "block": ["np.block([[x, A.T], [np.zeros((1, 4)), x[:1]]])"],
    "roll": ["np.roll(x, 1)", "np.roll(x, (1, -2), axis=(0, 1))"],
    "repeat": ["np.repeat(x, 2)", "np.repeat(x, [1, 0, 2], axis=0)", "x.repeat(3, axis=1)"],
    "tile": ["np.tile(x, (2, 2))"],
    "take": ["np.take(x, k)", "np.take(x, [2, 1], axis=0)", "x.take([0, -1], axis=1)"],
    "diag": ["np.diag(x[0])", "np.diag(x)", "np.diag(x[0], -1)"],
    "diagflat": ["np.diagflat(x[0])"],
    "tril": ["np.tril(x)", "np.tril(x, -1)"],
    "triu": ["np.triu(x, 1)"],
    "delete": ["np.delete(x, 1, axis=0)"],
    "resize": ["np.resize(x, (2, 9))"],
    "compress": ["np.compress([True, False, True], x, axis=0)", "x.compress([True, False, True, True], axis=1)"],
    "trim_zeros": ["np.trim_zeros(np.ravel(x))"],
    "take_along_axis": ["np.take_along_axis(x, np.argsort(x, axis=1), axis=1)"],
    "append": ["np.append(x, v)", "np.append(x, x, axis=0)"],
    "insert": ["np.insert(x, 1, v, axis=0)", "np.insert(x[0], [1, 2], x[1, :2])"],
    "pad": ["np.pad(x, 1)", "np.pad(x, ((1, 0), (0, 2)), mode='edge')", "np.pad(x, 1, constant_values=2.5)",
        "np.pad(x, 2, mode='reflect')", "np.pad(x, 1, mode='wrap')"],
    "extract": ["np.extract(M, x)"],
    "meshgrid": ["np.meshgrid(x[0], w)", "np.meshgrid(x[0], x[:, 0], indexing='ij')[1]"],
    "broadcast_arrays": ["np.broadcast_arrays(x, x[0])[1]"],
    # written into
    "fill_diagonal": ["y = np.array(x)\nnp.fill_diagonal(y, 2.5)\nreturn y * x",
        "y = np.zeros((3, 3))\nnp.fill_diagonal(y, x[:, 0])\nreturn y"],
    "put": ["y = x.copy()\nnp.put(y, [1, 5], x[0, :2])\nreturn y"],
    "copyto": ["y = np.zeros((3, 4))\nnp.copyto(y, x)\nreturn y", "y = x * 1\nnp.copyto(y, x[0], where=M)\nreturn y"],
    "place": ["y = x.copy()\nnp.place(y, M, x[0])\nreturn y"],
    "put_along_axis": ["y = x.copy()\nnp.put_along_axis(y, np.array([[1], [0], [3]]), x[:, :1], axis=1)\nreturn y"],
    # reductions
    "sum": ["np.sum(x)", "x.sum(axis=0)", "np.sum(x, axis=(0, 1), keepdims=True)", "np.sum(x, axis=-1, where=M)",
        "np.sum(x, initial=2.5)", "x.sum(1, keepdims=True) * x", "np.add.reduce(x)", "np.add.reduce(x, axis=1)"],
    "iscomplex": ["x * ~np.iscomplex(x)"],
    "isreal": ["x * np.isreal(x)"],
    "nansum": ["np.nansum(x, axis=0)"],
    "nanvar": ["np.nanvar(x, axis=0)", "np.nanvar(x * 2, axis=1, ddof=1, keepdims=True)"],
    "nanstd": ["np.nanstd(x)", "np.nanstd(x, axis=1)"],
    "nanmean": ["np.nanmean(x, axis=0)", "np.nanmean(x * 2, axis=1, keepdims=True)"],
    "nanmax": ["np.nanmax(x, axis=0)"],
    "nanmin": ["np.nanmin(x)"],
    "bincount": ["np.bincount([0, 1, 1, 4], weights=x[0])", "np.bincount(k, x[:, 0], minlength=6)"],
    "mean": ["np.mean(x)", "x.mean(axis=1)", "np.mean(x, axis=(0,), keepdims=True)", "np.mean(x, axis=0, where=M)",
        "np.mean(x, axis=1, where=M[0])"],
    "average": ["np.average(x)", "np.average(x, axis=0)",
        "np.average(x, axis=0, weights=w, keepdims=True)",
        "np.average(x, axis=1, weights=v * v, returned=True)", "np.average(x, axis=1, weights=v * v)",
        "np.average(x, weights=x * x)", "np.average(x, axis=0, weights=x + 1)"],
    "prod": ["np.prod(x)", "x.prod(axis=1)", "np.prod(x, axis=0, keepdims=True)", "np.prod(x, where=M)",
        "np.multiply.reduce(x, axis=1)", "np.prod(x, initial=3.0)"],
    "max": ["np.max(x)", "x.max(axis=0)", "np.max(x, axis=1, keepdims=True)", "np.max(x, initial=0.5)",
        "np.max(x, axis=0, where=M, initial=0.25)", "np.maximum.reduce(x)"],
    "amax": ["np.amax(x, axis=1)"],
    "min": ["np.min(x)", "x.min(axis=(0, 1))", "np.min(x, axis=1)", "np.minimum.reduce(x, axis=1)"],
    "amin": ["np.amin(x, 0)"],
    "ptp": ["np.ptp(x, axis=0)", "np.ptp(x, axis=0, keepdims=True)"],
    "var": ["np.var(x)", "x.var(axis=0, ddof=1)", "np.var(x, axis=1, keepdims=True)", "np.var(x, axis=1, where=M)"],
    "std": ["np.std(x)", "x.std(axis=1, ddof=1)"],
    "all": ["np.sum(x) if np.all(x > 0) else x", "np.all(x, axis=0) * x", "np.all(x > 0.5, where=M) * x"],
    "any": ["x[0] if np.any(x > 0.8) else x[1]", "np.logical_or.reduce(x > 0.8, axis=0) * x"],
    "count_nonzero": ["np.count_nonzero(x > 0.5) * x", "np.count_nonzero(x, axis=1, keepdims=True) * x"],
    "linalg.norm": ["np.linalg.norm(x)", "np.linalg.norm(x, axis=1)",
        "np.linalg.norm(x, 1)",
        "np.linalg.norm(x, -np.inf)",
        "np.linalg.norm(x - 0.5, np.inf)", "np.linalg.norm(x, 'fro')",
        "np.linalg.norm(x[0], 1)", "np.linalg.norm(x[0], np.inf)", "np.linalg.norm(x, 3, axis=1, keepdims=True)",
        "np.linalg.norm(x, axis=0, keepdims=True)", "np.linalg.norm(x[0], 2)"],
    "linalg.vector_norm": ["np.linalg.vector_norm(x[0])", "np.linalg.vector_norm(x, axis=1, ord=1)"],
    # along an axis
    "cumsum": ["np.cumsum(x)", "x.cumsum(axis=1)", "np.cumsum(x, axis=0) * x", "np.add.accumulate(x)"],
    "cumulative_sum": ["np.cumulative_sum(x, axis=1)", "np.cumulative_sum(x[0], include_initial=True)"],
    "cumprod": ["np.cumprod(x)", "x.cumprod(axis=1)", "np.multiply.accumulate(x, axis=0)"],
    "cumulative_prod": ["np.cumulative_prod(x, axis=0)"],
    "diff": ["np.diff(x)", "np.diff(x, 2, axis=0)", "np.diff(x, axis=1, prepend=0.0, append=x[:, :1])",
        "np.diff(x, axis=0, prepend=x[:1])"],
    "trapezoid": ["np.trapezoid(x)", "np.trapezoid(x, np.cumsum(x, axis=1))", "np.trapezoid(x, dx=0.5, axis=0)",
        "np.trapezoid(x[0], [0.0, 1.0, 3.0, 4.5])"],
    "gradient": ["np.gradient(x[0])", "np.gradient(x[0], 0.5)"],
    "convolve": ["np.convolve(x[0], x[1])", "np.convolve(x[0], w, 'same')", "np.convolve(w, x[0], 'valid')",
        "np.convolve(w[:2], x[0], 'same')"],
    "correlate": ["np.correlate(x[0], w)", "np.correlate(x[0], x[1, :2], 'full')"],
    "polyval": ["np.polyval(v, x)", "np.polyval(x[0], x[1])"],
    "vander": ["np.vander(x[0])", "np.vander(x[0], 3, increasing=True)"],
    "sinc": ["np.sinc(x)"],
    "apply_along_axis": ["np.apply_along_axis(lambda r: r[0] * r, 1, x)", "np.apply_along_axis(np.sum, 0, x * x)"],
    # choices
    "where": ["np.where(x > 0.5, x, x * x)", "np.where(M, x, 0)", "x[np.where(x > 0.5)]",
        "np.where(x[:, :1] > 0.5, x, v)"],
    "select": ["np.select([x > 0.7, x > 0.4], [x, x * x], 3.0)"],
    "choose": ["np.choose([0, 1, 0, 1], [x[0], x[1]])"],
    "piecewise": ["np.piecewise(x, [x < 0.5, x >= 0.5], [lambda t: t * t, lambda t: t + 1])",
        "np.piecewise(x, [x < 0.5], [0.0, lambda t: 1 / t])"],
    "clip": ["np.clip(x, 0.3, 0.6)", "x.clip(None, 0.5)", "np.clip(x, x[0], 0.8)", "np.clip(x, min=0.4)"],
    "nan_to_num": ["np.nan_to_num(x) * x",
        "np.nan_to_num(x, nan=1.0)"],
    "sort": ["np.sort(x)", "np.sort(x, axis=0)", "np.sort(x, axis=None)", "y = x * 2\ny.sort()\nreturn y"],
    "argsort": ["x[0][np.argsort(x[0])]", "x.T[np.argsort(-x[:, 0])] if 0 else x[np.argsort(-x[:, 0])]"],
    "argmax": ["x[np.argmax(x, axis=0), np.arange(4)]", "x.reshape(-1)[x.argmax()]"],
    "argmin": ["x[0, np.argmin(x[0])]", "np.take_along_axis(x, np.argmin(x, axis=1, keepdims=True), 1)"],
    "median": ["np.median(x)", "np.median(x, axis=0)", "np.median(x, axis=1)",
        "np.median(x, axis=(0, 1))",
        "np.median(x, axis=0, keepdims=True)", "np.median(x[:, :3], axis=1)"],
    "quantile": ["np.quantile(x, 0.3)", "np.quantile(x, [0.2, 0.7], axis=1)", "np.quantile(x, 1.0, axis=0)",
        "np.quantile(x, [[0.5]], axis=(0, 1), keepdims=True)"],
    "percentile": ["np.percentile(x, 30)", "np.percentile(x, [25, 50], axis=0, keepdims=True)"],
    "nanquantile": ["np.nanquantile(x, 0.3)", "np.nanquantile(np.where(M, x, np.nan), [0.3, 0.6], axis=0)"],
    "nanpercentile": ["np.nanpercentile(np.where(M, x, np.nan), 30, axis=1, keepdims=True)"],
    "allclose": ["x if np.allclose(v, v) else 2 * x", "x if np.allclose(x, 0.5, atol=0.1) else 2 * x",
        "x if np.allclose(x, [0.5] * 4, 0.5, 0.5) else 2 * x", "x if np.allclose(M, M) else 2 * x"],
    "isclose": ["x[0] * np.isclose(v, v)", "np.where(np.isclose(x, 0.5, rtol=0.3), x, x * x)",
        "np.where(np.isclose(x, np.inf) | np.isclose(x, -np.inf), x, x * x)"],
    "array_equal": ["x if np.array_equal(x, x[0]) else 2 * x", "x if np.array_equal(x, x + 1e-9) else 2 * x",
        "x if np.array_equal(x, x * 1.0) else 2 * x", "x if np.array_equal(v, w) else 2 * x",
        "x if np.array_equal(v, v) else 2 * x"],
    "nonzero": ["x[np.nonzero(x > 0.5)]", "x[(x > 0.5).nonzero()]"],
    "argwhere": ["x[tuple(np.argwhere(x > 0.5).T)]"],
    "flatnonzero": ["x.reshape(-1)[np.flatnonzero(x > 0.5)]"],
    "zeros_like": ["y = np.zeros_like(x)\ny[1:] = x[:-1] ** 2\nreturn y", "np.zeros_like(x, shape=(4,)) + x"],
    "ones_like": ["np.ones_like(x) / x"],
    "empty_like": ["y = np.empty_like(x)\ny[:] = x\ny[0] *= 2\nreturn y"],
    "full_like": ["np.full_like(x, 2.5) * x", "np.full_like(x, x[0, 0])"],
    "equal": ["x if v[0] != 'inf' and v[1] != None else -x", "-x if v[0] == 'inf' else x"],
    "copy": ["y = np.copy(x)\ny[0] = 0\nreturn x * y"],
    "imag": ["x + np.imag(x)", "x + x.imag"],
    "round": ["x * np.round(v, 1)", "x * np.round(x)", "x * x.round()", "x[0] * round(x[1, 1])"],
    "around": ["x * np.around(v)"],
    # products
    "matmul": ["x @ A", "A @ x", "x @ v", "w @ x", "x[0] @ v", "S @ x.T", "S @ x.T @ S", "np.matmul(x[None], A)",
        "S @ v", "x @ x.T", "np.matmul(x, A, out=np.zeros((3, 3)))"],
    "linalg.matmul": ["np.linalg.matmul(x, A)"],
    "dot": ["np.dot(x, A)", "x.dot(v)", "np.dot(x[0], x[1])", "np.dot(2.0, x)", "np.dot(S, x.T)", "np.dot(x.T, S)",
        "np.dot(x[0], S.transpose(0, 2, 1))"],
    "matvec": ["np.matvec(x, v)", "np.matvec(S, x[0])", "np.matvec(S, x[:2])"],
    "vecmat": ["np.vecmat(w, x)", "np.vecmat(x[:, 0], S)", "np.vecmat(A[:2], S * x)"],
    "vecdot": ["np.vecdot(x, v)", "np.vecdot(x, w[:, None], axis=0)", "np.vecdot(x, A.T)"],
    "linalg.vecdot": ["np.linalg.vecdot(x, A.T)"],
    "vdot": ["np.vdot(x, A)", "np.vdot(x, x)"],
    "inner": ["np.inner(x, v)", "np.inner(x, x)", "np.inner(S, x)", "np.inner(3.0, x)"],
    "outer": ["np.outer(x[0], w)", "np.outer(x, x[0])", "np.multiply.outer(x[0], x[1])", "np.subtract.outer(x[0], w)"],
    "linalg.outer": ["np.linalg.outer(x[0], w)"],
    "kron": ["np.kron(x, A)", "np.kron(x[0], w)", "np.kron(x[0], x)"],
    "cross": ["np.cross(x[:, 0], w)", "np.cross(x.T, A)", "np.cross(x, A.T, axis=0)",
        "np.cross(x, A, 0, 1, 1)"],
    "linalg.cross": ["np.linalg.cross(x[:, 0], x[:, 1])"],
    "tensordot": ["np.tensordot(x, A, 1)", "np.tensordot(S, x, ([1, 2], [0, 1]))", "np.tensordot(x, x, 0)",
        "np.tensordot(x, x)", "np.tensordot(S, x, (-1, -1))"],
    "linalg.tensordot": ["np.linalg.tensordot(x, A, axes=1)"],
    "einsum": [
        "np.einsum('ij,jk->ik', x, A)", "np.einsum('ij->ji', x)", "np.einsum('ij', x)", "np.einsum('ij->', x)",
            "np.einsum('ij,ij->j', x, x)",
        "np.einsum('ii->i', x[:, :3])", "np.einsum('ii', x[:, :3] * 2)", "np.einsum('ij,kj', x, x)",
            "np.einsum('ij,jk,k->i', x, A, w)",
        "np.einsum('...j,j->...', S * x, v)", "np.einsum('...ij,...j', S, x[0])", "np.einsum('ij,kl->ikjl', x, x)",
            "np.einsum('ij,ik,il->jkl', x, x, x)",
        "np.einsum('ii,ij->j', x[:, :3], x)", "np.einsum('ij,kk->ij', x, x[:, :3])", "np.einsum('ba', x)",
            "np.einsum('i...,i->...', x, w)", "np.einsum('aij,ij,ij->a', S, x, x)",
        "np.einsum(x, [0, 1], A, [1, 2], [0, 2])", "np.einsum(x, [0, 1], v, [1])",
            "np.einsum(S, [..., 1], v, [1], [...])",
    ],
    "trace": ["np.trace(x)", "x.trace(1)", "np.trace(S * x, axis1=1, axis2=2)"],
    "linalg.trace": ["np.linalg.trace(x[:, :3])"],
    "linalg.solve": ["np.linalg.solve(x @ x.T + I, w)", "np.linalg.solve(x[:, :3] + I, x)",
        "np.linalg.solve(S[:, :, :3] * x[:, :3] + I, S)", "np.linalg.solve(A.T[:, :3] + I, x)",
        "np.linalg.solve(x[:, :3] + I, S)"],
    "linalg.inv": ["np.linalg.inv(x[:, :3] + I)", "np.linalg.inv(S[..., :3] * x[:, :3] + I)"],
    "linalg.det": ["np.linalg.det(x[:, :3])", "np.linalg.det(S[..., :3] * x[:, :3])", "np.linalg.det(x[:2, :2]) ** 2"],
    "linalg.slogdet": ["np.linalg.slogdet(x[:, :3])[1]", "s, d = np.linalg.slogdet(x[:, 1:])\nreturn s * d",
        "np.linalg.slogdet(x @ x.T)[1]", "np.linalg.slogdet(S[..., :3] * x[:, :3])[1]"],
    "linalg.cholesky": ["np.linalg.cholesky(x @ x.T + I)", "np.linalg.cholesky(x @ x.T + I, upper=True)",
        "np.linalg.cholesky(S @ x.T @ x @ S.transpose(0, 2, 1) + I)"],
    "linalg.lstsq": ["np.linalg.lstsq(x.T, v, rcond=None)[0]"],
    "linalg.pinv": ["np.linalg.pinv(x.T)", "np.linalg.pinv(x)"],
    "linalg.matrix_power": ["np.linalg.matrix_power(x[:, :3], 3)", "np.linalg.matrix_power(x[:, :3] + I, -2)"],
    "linalg.multi_dot": ["np.linalg.multi_dot([x, A, x])", "np.linalg.multi_dot([w, x, A, I])"],
    # asked
    "shape": ["x / np.shape(x)[1]", "y = x.reshape(-1)[:0].copy()\ny.shape = (-1, 3)\nreturn x * (1 + y.shape[1])"],
    "ndim": ["x * np.ndim(x)"],
    "size": ["x / np.size(x)"],
    "isscalar": ["x if np.isscalar(x) else -x"],
    "iterable": ["x * np.iterable(x)"],
    "diag_indices_from": ["y = x[:, :3].copy()\ny[np.diag_indices_from(y)] *= 2\nreturn y"],
    "tril_indices_from": ["x[np.tril_indices_from(x)]"],
    "triu_indices_from": ["x[np.triu_indices_from(x, 1)]"],
    "interp": [
        "np.interp(x, [0.0, 0.5, 0.8], [1.0, 3.0, 2.0])",
        "np.interp(x * 2 - 0.5, [0.0, 0.5, 0.8], v[:3], -1.0, 5.0)",
        "np.interp([0.1, 0.5, 0.7], [0.0, 0.5, 0.9], x[:, 0])",
    ],
    "searchsorted": [
        "w[np.searchsorted([0.3, 0.6], x)] * x",
        "w[np.searchsorted([0.3, x[0, 1]], x, side='right')] * x",
        "v[np.searchsorted(v, x[:, 1], sorter=np.argsort(v)) % 4] * x[:, 1]",
        "w[np.array([0.3, 0.6]).searchsorted(x[0, 0])] * x[0, 0]",
        "v[np.searchsorted(np.cumsum(x[0]), [0.5, 1.0])] * x[0, :2]",
    ],
    "digitize": [
        "w[np.digitize(x, [0.3, 0.6])] * x", "w[np.digitize(x, [0.6, 0.3])] * x",
        "w[np.digitize(x, [x[0, 1], 0.1], right=True)] * x",
    ],
    "fft.fftshift": ["np.fft.fftshift(x)", "np.fft.fftshift(x, axes=0)"],
    "fft.ifftshift": ["np.fft.ifftshift(x)", "np.fft.ifftshift(x, 1)"],
    "common_type": ["x if np.common_type(np.zeros(2)) == np.float64 else -x"],
    "ma.isMaskedArray": ["-x if np.ma.isMaskedArray(x) else x"],
    "argpartition": ["x[0][np.argpartition(-x[0], 2)[:2]]", "x[np.arange(3)[:, None], x.argpartition(1)][:, 1]"],
    "partition": ["np.partition(x, 1)", "y = x[0].copy()\ny.partition(2)\nreturn y[2]"],
    "putmask": ["y = x.copy()\nnp.putmask(y, M, x[0])\nreturn y"],
    "iscomplexobj": ["x if np.iscomplexobj(x) else -x"],
    "isrealobj": ["x if np.isrealobj(x) else -x"],
    "may_share_memory": ["x if np.may_share_memory(x, x[0]) else -x"],
    "shares_memory": ["x if np.shares_memory(x, x.copy()) else -x"],
    "ix_": ["x[np.ix_([0, 2], [1, 3])]"],
    "result_type": ["x * np.zeros(4, dtype=np.result_type(x)) + x"],
}  # fmt: skip

_SIMPLE = [
    "negative",
    "sqrt",
    "cbrt",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arctanh",
    "absolute",
    "fabs",
    "sign",
    "square",
    "reciprocal",
    "floor",
    "ceil",
    "trunc",
    "positive",
    "conjugate",
    "deg2rad",
    "rad2deg",
    "radians",
    "degrees",
]
UFUNCS: dict[str, list[str]] = {
    **{name: [f"np.{name}(x - 0.4) * x" if name in ("absolute", "fabs", "sign", "floor", "ceil",
        "trunc") else f"np.{name}(x)"] for name in _SIMPLE},
    "arccosh": ["np.arccosh(1 + x)"],
    "add": ["np.add(x, v)", "x + x[:, :1]", "1 + x", "x[0] + x[:, :1]", "x + S", "y = x.copy()\ny += v\nreturn y",
        "np.add(x, 1, out=np.zeros((3, 4)))", "np.add(x, 1, out=x * 2, where=M)"],
    "subtract": ["x - v", "v - x", "S - x", "x - x[0]"],
    "multiply": ["x * v", "3 * x", "x * S", "x * x[:, ::-1]"],
    "divide": ["x / v", "v / x", "S / x", "x / x[:1]", "np.true_divide(1, x)"],
    "power": ["np.power(x, v)", "x ** 2", "x ** 0.5", "x ** -1", "x ** 2.5", "2.0 ** x", "x ** x",
        "x ** np.array([1, 2, 0, -3])", "x ** 0", "x ** 1", "v[2] ** 2 * x", "np.power(x, v, out=None, where=x > 0)"],
    "float_power": ["np.float_power(x, 3)"],
    "hypot": ["np.hypot(x, v)", "np.hypot(x, x[0] + 1)"],
    "arctan2": ["np.arctan2(x, v)", "np.arctan2(v, x)"],
    "maximum": ["np.maximum(x, 0.5)", "np.maximum(x, x[::-1] + 0.01)"],
    "accumulate": ["np.maximum.accumulate(x)", "np.minimum.accumulate(x, axis=1)", "np.divide.accumulate(x, axis=1)"],
    "fmax": ["np.fmax(x, v)"],
    "minimum": ["np.minimum(x, 0.5)"],
    "fmin": ["np.fmin(v, x)"],
    "rint": ["np.rint(x) * x", "np.rint(v) * x"],
    "logaddexp": ["np.logaddexp(x, v)", "np.logaddexp(x, 0)"],
    "logaddexp2": ["np.logaddexp2(x, v)"],
    "heaviside": ["np.heaviside(x - 0.5, 0.5) * x"],
    "copysign": ["np.copysign(x, v)", "np.copysign(v, x) * x"],
    "floor_divide": ["x // 0.3 * x", "1 // x + x"],
    "remainder": ["x % 0.3", "1.0 % x", "-x % 0.3", "np.divmod(x, 0.3)"],
    "fmod": ["np.fmod(-x, 0.3)"],
    "clip": ["np.clip(x, 0.3, 0.5)"],
    "isfinite": ["np.isfinite(x) * x"],
    "isnan": ["np.where(np.isnan(x), 0, x)"],
    "isinf": ["x if not np.isinf(x).any() else 0 * x"],
    "signbit": ["np.where(np.signbit(v), x[0], x[1])"],
    **{name: [f"np.where(np.{name}(x, 0.5), x, x * x)"] for name in array_ufuncs.ANSWERS},
    **{name: [f"np.where(np.{name}(x > 0.5, M), x, x * x)"] for name in ("logical_and", "logical_or", "logical_xor",
        "bitwise_and", "bitwise_or", "bitwise_xor")},
    **{name: [f"np.where(np.{name}(x > 0.5), x, x * x)"] for name in ("logical_not", "invert")},
    "reduce": ["np.subtract.reduce(x)", "np.add.reduce(x, axis=None)"],
    "reduceat": ["np.add.reduceat(x, [0, 2, 1], axis=1)", "np.multiply.reduceat(x, [0, 1])"],
    "at": ["y = np.zeros(3)\nnp.add.at(y, [0, 1, 1, 2], x[0])\nreturn y * y",
        "y = np.ones((3, 4))\nnp.subtract.at(y, ([0, 0], [1, 1]), x[0, :2])\nreturn y",
        "y = x.copy()\nnp.multiply.at(y, [0, 2], v)\nreturn y"],
    "matmul": ["np.matmul(x, A)"],
}  # fmt: skip
# objects have none of these
FLOATS_ONLY = [
    "np.gradient(x)[0]", "np.gradient(x, 0.5, axis=1)", "np.gradient(x, 0.5, 2.0)[1]",
    "np.gradient(x[0], [1, 2, 4, 5])", "np.gradient(x[0], edge_order=2)",
        "np.logaddexp.reduce(x, axis=1)", "np.hypot.reduce(x, axis=1, keepdims=True)",
    "np.linalg.norm(x, 2)", "np.linalg.norm(x, 'nuc')", "np.linalg.norm(x, -2, keepdims=True)",
]  # fmt: skip
# code that was written for older NumPy sets it
pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")

CASES = [(name, source) for table in (FUNCTIONS, UFUNCS) for name, sources in table.items() for source in sources]


@pytest.mark.parametrize(("name", "source"), CASES, ids=[source.replace("\n", "; ") for _, source in CASES])
def test_it_is_the_function_of_numpy(name: str, source: str) -> None:
    assert complaints_about(source, X, **NAMES) == []


@pytest.mark.parametrize("source", FLOATS_ONLY)
def test_its_floats_are_those_of_numpy(source: str) -> None:
    assert complaints_about(source, X, real=False, **NAMES) == []
    if "norm" not in source:
        assert complaints_about_numbers(source, X, **NAMES) == []


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize(("name", "source"), CASES, ids=[source.replace("\n", "; ") for _, source in CASES])
def test_number_by_number_it_is_the_same_function(name: str, source: str) -> None:
    assert complaints_about_numbers(source, X, **NAMES) == []


def _known() -> set[Any]:
    tables = (HANDLERS, array_functions._VIEWS, array_functions._MADE, array_functions._WRITTEN, ASKED)
    # test_factorisations.py has those of matrices
    return {function for table in tables for function in table} - set(factorisations(made, floats_of))


def _named(name: str) -> Any:
    found: Any = np.lib.stride_tricks if name in ("sliding_window_view", "as_strided") else np
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def test_every_function_has_a_case() -> None:
    tried = {_named(name) for name in FUNCTIONS}
    assert sorted(f.__name__ for f in _known() - tried) == []


def test_every_ufunc_has_a_case() -> None:
    known = {
        *array_ufuncs._DIRECT,
        *array_ufuncs.COMPOSED,
        *array_ufuncs.ANSWERS,
        *array_ufuncs._TESTS,
        *array_ufuncs._LOGICAL,
    }
    # NumPy's own, for x ** 0
    assert sorted(known - set(UFUNCS) - {"_ones_like"}) == []


def _doubled(table: Any, value: Any) -> Any:
    """Return a value with the floats that it has, but twice its elements in the program."""
    if isinstance(value, tuple):
        parts = [_doubled(table, v) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if not isinstance(value, Handle):
        return value
    return stored(table, table.build.raw("multiply", table.build.constant(2), value.node), np.array(value.floats))


# they return truth values, places or numbers of the code
_NO_ELEMENTS = {
    "all", "any", "allclose", "isclose", "array_equal", "argmax", "argmin", "argpartition", "argsort", "nonzero",
    "flatnonzero", "argwhere", "count_nonzero", "searchsorted", "digitize",
    "vecdot", "imag", "round", "around", "zeros_like", "empty_like",
}  # fmt: skip
_HANDLED = [name for name in FUNCTIONS if _named(name) in HANDLERS and name not in _NO_ELEMENTS]


@pytest.mark.parametrize("name", _HANDLED)
def test_a_bug_of_it_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = HANDLERS[_named(name)]
    monkeypatch.setitem(
        HANDLERS, _named(name), lambda table, *args, **options: _doubled(table, rule(table, *args, **options))
    )
    assert complaints_about(FUNCTIONS[name][0], X, **NAMES) != []


MOVING = sorted(
    f"{kind}: {source}"
    for kind, table in (
        ("_VIEWS", array_functions._VIEWS),
        ("_MADE", array_functions._MADE),
        ("_WRITTEN", array_functions._WRITTEN),
    )
    for name, (source, *_) in FUNCTIONS.items()
    if _named(name) in table
)


@pytest.mark.parametrize("case", MOVING)
def test_a_bug_of_what_moves_elements_is_seen(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, _, source = case.partition(": ")
    name = {"_VIEWS": "_seen", "_MADE": "_moved", "_WRITTEN": "_written"}[kind]
    rule = getattr(array_functions, name)

    def wrong(table: Any, function: Any, args: Any, kwargs: Any) -> Any:
        found = rule(table, function, args, kwargs)
        if kind == "_WRITTEN":
            args[0][...] = _doubled(table, args[0])
        return type(found)(_doubled(table, v) for v in found) if isinstance(found, list) else _doubled(table, found)

    monkeypatch.setattr(array_functions, name, wrong)
    assert complaints_about(source, X, **NAMES) != []


_RULED = [name for name in UFUNCS if name in array_ufuncs.COMPOSED or name in array_ufuncs._DIRECT]


@pytest.mark.parametrize(
    "name", sorted(set(_RULED) - {"sign", "floor", "ceil", "trunc", "rint", "heaviside", "floor_divide", "clip"})
)
def test_a_bug_of_a_ufunc_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called = array_ufuncs._called

    def wrong(ufunc: Any, own: str, inputs: Any) -> Any:
        found = called(ufunc, own, inputs)
        return _doubled(found.table, found) if own == name and isinstance(found, Handle) else found

    monkeypatch.setattr(array_ufuncs, "_called", wrong)
    assert complaints_about(UFUNCS[name][0], X, **NAMES) != []


REFUSED = {
    "np.linalg.norm(S * x[0, 0], 2)": "by iteration",
    "np.linalg.norm(x[0], 0)": "it counts numbers", "np.linalg.svd(S * x[0, 0])": "full matrices",
    "np.correlate(w, x[0])": "correlate",
    "np.round(x, 1)": "round", "np.linalg.lstsq(x, w)": "lstsq", "np.nextafter(x, 1)": "nextafter",
        "np.quantile(x, 0.5, method='lower')": "linear", "np.logaddexp.reduce(x, axis=None)": "such options",
    "float(x[0, 0])": None, "x.tobytes()": "tobytes",
        "np.sum(x + 1j)": "Complex",
    "np.add(x, 1, where=M)": "undefined", "x.astype(int)": "astype", "np.array([0.0, 1.0])[int(x[0, 0])]": "int",
        "np.matmul(x, A, axes=[(0, 1)] * 3)": "axes",
}  # fmt: skip


@pytest.mark.parametrize("source", REFUSED)
def test_what_is_not_known_is_refused(source: str) -> None:
    if REFUSED[source] is None:
        traced(function_of(source, **NAMES), X)
        return
    with pytest.raises(TraceError, match=REFUSED[source]):
        traced(function_of(source, **NAMES), X)
