"""Views, writes and names of traced arrays are those of NumPy, statement by statement."""

from __future__ import annotations

import copy
import ctypes
import pickle
from typing import Any

import numpy as np
import pytest

from diffcompare.errors import TraceError
from diffcompare.tracing import handle
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.handle import Handle, as_now, is_written, made, node_of, written_parts

from ..quality.array_truth import complaints_about, complaints_about_numbers, traced  # noqa: TID252 - tests are no package

X = np.random.default_rng(1).uniform(0.2, 0.9, (4, 3))
B = np.random.default_rng(2).uniform(-2, 2, (4, 3))
NAMES: dict[str, Any] = {"B": B, "M": B > 0, "i": np.array([2, 0, 2]), "v": B[0]}

# on a = x * 1, an array of the code; all of a, b and c are returned
STATEMENTS = [
    # views of views
    "b = a[1:]; b[0] = 2",
    "b = a[::-1]; b[0] += x[0]",
    "b = a[::2, ::-1]; c = b[:, 0]; c *= 3",
    "b = a.T; b[0] = v[:1] * x[1, 1]",
    "b = a.T; b += x.T",
    "b = a.reshape(-1); b[3:5] = x[0, :2]",
    "b = a.T.reshape(-1); b[0] = 7",
    "b = a.ravel(); b[::2] = 0",
    "b = a.flatten(); b[0] = 7",
    "b = a[:, None, :]; b[0] = 2 * x[1]",
    "b = a[...]; b[...] = a[::-1]",
    "b = a[-2:, 1:]; b[:] = b[::-1, ::-1]",
    "b = np.diagonal(a); c = b * 2; a[0, 0] = 5",
    "b = np.moveaxis(a, 0, 1); b[1, 1] = -x[0, 0]",
    "b = np.broadcast_to(a[0], (2, 3)); a[0, 1] = 4",
    "b = np.lib.stride_tricks.sliding_window_view(a[:, 0], 2); a[1, 0] = 9",
    "b, c = np.split(a, 2); b[0] = c[1]",
    "b = a.view(); b[0] = 1",
    "b = a.swapaxes(0, 1)[1]; b[...] = 1",
    "b = np.expand_dims(a, 0)[0, 1]; b -= 1",
    "b = np.squeeze(a[:1]); b[1] = 0",
    "b = np.flip(a, 0); b[0] = x[0] ** 2",
    "b = np.atleast_2d(a[0]); b[0, 0] = 3",
    # copies
    "b = a.copy(); b[0] = 0",
    "b = a[[0, 2]]; b[0] = 0",
    "b = a[M]; b[:2] = 0",
    "b = np.array(a); b[1] = 0",
    "b = np.asarray(a); b[1] = 0",
    "b = +a; b[1] = 0",
    "b = a.astype(float); b[1] = 0",
    "b = a.astype(float, copy=False); b[1] = 0",
    "b = np.concatenate([a, a]); b[1] = 0",
    "b = a.real; b[0] = 1",
    "b = a[0:4]; c = b.copy(); b[0] = 1; c[1] = 2",
    # indices
    "a[0, 1] = 5",
    "a[-1] = x[0]",
    "a[1:, 0] += v[0]",
    "a[:, ::-2] *= x[:, :2]",
    "a[i] = x[:3] * 2",
    "a[i, [0, 1, 2]] = x[0]",
    "a[i] += 1",
    "a[M] = 0",
    "a[M] += x[M]",
    "a[M] = x[0, 0]",
    "a[~M] = x[~M] ** 2",
    "a[a > 0.5] = 0.5",
    "a[0, M[0]] = 1",
    "a[None, 0] = x[1]",
    "a[..., 0] = x[:, 1]",
    "a[np.newaxis, ..., 1] -= 1",
    "a[[0, 1], [1, 2]] = x[2, 2]",
    "a[np.ix_([0, 2], [1, 2])] = x[:2, :2]",
    "a[:2][1] = 3",
    "a[1][1] = 3",
    "a[()] = x",
    "a[np.arange(3), np.arange(3)] *= 2",
    "a[0:0] = 1",
    "a[:, [True, False, True]] = 0",
    "a[int(v[0] > 100)] = 0",
    "b = a[2, 1]; a[2, 1] = 0; c = b * 1",
    "b = a[np.array([[0, 1], [2, 3]]), 1]",
    "b = a[1:3, [2, 0]]; c = a[[1, 2], ::2]",
    # values that are broadcast, lists, or overlap
    "a[1:] = a[:-1]",
    "a[:-1] += a[1:]",
    "a[:, 0], a[:, 1] = a[:, 1], a[:, 0].copy()",
    "a[0] = [1.0, x[0, 0], 3]",
    "a[:2] = [[1.0], [x[1, 1]]]",
    "a[0] = x[:1]",
    "a += a.T[0][:3]",
    "a *= 2; b = a; b += 1",
    "a -= x[0]; a /= x; a **= 2",
    "a = a + 1; a //= 3",
    "a %= 0.25",
    "a[...] = 5",
    "a.fill(x[1, 2])",
    "np.add(a, 1, out=a)",
    "np.multiply(a, x, out=a[::-1])",
    "np.exp(x, a)",
    "np.add(a[:2], a[2:], out=a[1:3])",
    "np.sum(x, axis=0, out=a[0])",
    "np.matmul(x[:3].T, x[:3], out=a[1:])",
    "np.cumsum(x, axis=0, out=a)",
    "np.clip(a, 0.3, 0.6, out=a)",
    "np.sqrt(a, out=a, where=M)",
    "np.copyto(a[1:], x[0])",
    "a.sort(axis=0)",
    "b = a[:, 0]; b.sort()",
    "np.fill_diagonal(a, x[0, 0])",
    "np.put(a, [0, 5], [x[0, 0], 7])",
    "a.put([0, 5], x[0, 1])",
    "np.add.at(a, ([0, 0], [1, 1]), x[0, :2])",
    "np.subtract.at(a, [1, 1], x[0])",
    "np.add.at(a, [0, 2], 1)",
    "np.maximum.at(a, [0, 2], 0.5)",
    "a.resize(6, 2) if 0 else None",
    # many writes
    "for k in range(4): a[k] = x[k] * k",
    "for k in range(1, 4): a[k] += a[k - 1]",
    "for k in range(4): a[k, 0] = k; a[:, 1] += a[k, 0] * x[k, 1]",
    "b = np.zeros(3); b[0] = x[0, 0]; b[1] = b[0] * 2; b[2] = b[1] + b[0]",
    "b = np.empty((2, 3)); b[0] = x[0]; b[1] = b[0]; b[0] = 0",
    "b = np.zeros_like(a); b[1:] += a[:-1]; b[:-1] += a[1:]",
    "b = np.full((2, 2), 0.5); b[:, 0] *= x[:2, 0]",
    "b = np.eye(3) * x[0]; b[0] = 1",
    # numbers are not changed by what is done to their names
    "b = a[0, 0]; c = b; b += 1",
    "b = np.sum(a); c = b; b *= 2",
    "b = 0.0; c = b; b += x[0, 0]",
    "b = 1.5; b *= x[0, 0]; c = 1.5 * x[0, 1]",
    "b = np.float64(2); c = b; b -= x[0, 0]",
    "b = c = a[1]; b += 1",
    "b = 0.0\nfor row in a: b += row[0]",
    "b = [0.0, 0.0]\nfor row in a: b[0] += row[0]; b[1] += row[1]",
    "def half(t): t /= 2; return t\nb = half(a[0, 0]); c = half(a[1])",
    "def total(t):\n    s = 0.0\n    for u in t: s += u\n    return s\nb = total(a[0]); c = total(a[1])",
    # what arrays are asked
    "b = len(a) * a.shape[1] * a.size * a.ndim * x",
    "b = [row[1] for row in a]; c = list(a[0])",
    "(b, c, _), *_ = a",
    "b = a.tolist()[1][2]; c = a.item(3)",
    "b = a.item((1, 2)); c = a.item(1, 2)",
    "b = max(a[0]); c = min(a[1])",
    "b = sum(a[:, 0]); c = sum(row[0] for row in a)",
    "b = sorted(a[:, 1]); c = abs(a - 0.5)",
    "b = x[0] if a[0, 0] else -x[0]; c = x[0] if a[0, 0] > 10 else x[1]",
    "b = a[0, 0] if 0.5 in a else a[1, 1]",
    "b = float(a[0, 0]) * x; c = np.float64(a[1, 1])",
    "b = round(v[0], 1) * x[0]; c = -a[0]",
    "b = a[0] @ a[1]; c = a.T @ a",
    "b = divmod(a, 0.3); c = pow(a, 2)",
    "b = a.itemsize * a.nbytes * x",
    "b = a.mean(0).sum() + a.dot(v).min(); c = a.max(axis=1).prod()",
    "b = copy.copy(a); c = copy.deepcopy(a); a[0] = 0; b[1] = 1",
    "b = a.flat[2]; c = [t for t in a.flat]",
    "a.flat[1] = 3",
    "a.flat = x[0, 0]",
    "a.T[0] = 4; a.T[:, 1] = x[1]",
    "a.real[0] = 5",
    "a.shape = (3, 4); a[0] = 1",
    "a.shape = -1; a[3] = 1",
    "b = isinstance(a, np.ndarray) * x; c = isinstance(a[0, 0], float) * x[0]",
    "b = a.squeeze()[None].any() * x; c = a.all() * x[0]",
    "b = np.where(a > 0.5)[0].size * x",
    "b = {'k': a[0]}; b = b['k']; b[0] = 2",
    "b = a[0].astype(np.float64); c = b.conj()",
]  # fmt: skip


def source_of(statements: str) -> str:
    return f"a = x * 1; b = c = 0\n{statements}\nreturn a, b, c"


def of_objects(statements: str) -> bool:
    """Tell whether objects do what floats do: they have no sizes in bytes, and are no floats."""
    words = (
        # the real part of objects is not written to
        ".real",
        "itemsize",
        "nbytes",
        "isinstance",
        "float",
        "round",
        "deepcopy",
        "divmod",
        "np.clip",
        "where=M",
        "out=",
        "np.exp(",
        ".at(",
    )
    return not any(word in statements for word in words)


# NumPy ≥ 2.5 warns of it, and does it
@pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array")
@pytest.mark.parametrize("statements", STATEMENTS, ids=lambda s: s.replace("\n", "; "))
def test_statements_do_what_they_do_to_arrays(statements: str) -> None:
    real = of_objects(statements)
    assert complaints_about(source_of(statements), X, real=real, copy=copy, **NAMES) == []
    assert complaints_about_numbers(source_of(statements), X, copy=copy, **NAMES) == []
    if not real:
        # the program beside the point, too
        source = source_of(statements)
        assert complaints_about(source, X * 1.0009765625, real=False, copy=copy, **NAMES) == []


@pytest.mark.parametrize("what", ["itself", "read", "write"])
def test_a_bug_of_the_store_is_seen(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = handle._Store
    if what == "read":
        read = store.read
        monkeypatch.setattr(store, "read", lambda self, places: read(self, np.flip(places)))
    elif what == "write":
        write = store.write
        monkeypatch.setattr(store, "write", lambda self, places, node: write(self, np.flip(places), node))
    bugs = [s for s in STATEMENTS[:6] if complaints_about(source_of(s), X, **NAMES)]
    assert bool(bugs) == (what != "itself")


def a_handle() -> Handle:
    table = ArrayTable(X.reshape(-1))
    return made(table, X.copy())


@pytest.mark.parametrize(("action", "error", "match"), [
    (lambda a: a[9], IndexError, "out of bounds"),
    (lambda a: a.__setitem__((0, 0, 0), 1), IndexError, "too many indices"),
    (lambda a: a.__setitem__(0, np.ones(5)), ValueError, "broadcast"),
    (lambda a: bool(a), ValueError, "ambiguous"),
    (lambda a: float(a), TypeError, "0-dimensional"),
    (lambda a: hash(a), TypeError, "unhashable"),
    (lambda a: iter(a[0, 0]), TypeError, "0-d"),
    (lambda a: a + "x", TypeError, "matching types"),
    (lambda a: a.view(np.int64), TraceError, "no bytes"),
    (lambda a: setattr(a.T, "shape", (12,)), AttributeError, "in-place"),
    (lambda a: made(a.table, [a[0], a[:, 0]]), ValueError, "inhomogeneous"),
    (lambda a: made(a.table, 1j), TraceError, "complex"),
    (pickle.dumps, TraceError, "pickled"),
    (lambda a: np.ndarray.view(a, Handle).node, TraceError, "does not see"),
    (lambda a: a.astype(str), TraceError, "real numbers"),
])  # fmt: skip
def test_what_arrays_refuse_is_refused(action: Any, error: type[Exception], match: str) -> None:
    array = a_handle()
    with array.table.recording(), pytest.raises(error, match=match):
        action(array)


def test_what_goes_past_its_doors_is_nan() -> None:
    array = a_handle()
    assert np.isnan(np.ndarray.tolist(array)).all()


def test_compiled_code_reads_nan_where_the_code_is_not_rebuilt() -> None:
    # it read on where one number was all there was
    table = ArrayTable(np.array([1.0, 2.0]), rebuilt=False)
    with table.recording():
        array: Any = made(table, np.arange(12.0).reshape(3, 4)).T
    assert array.strides == array.floats.strides == (8, 32)
    pointer = ctypes.cast(np.ndarray.ctypes.__get__(array).data, ctypes.POINTER(ctypes.c_double))
    assert np.isnan(pointer[:12]).all()


def test_numbers_of_the_code_can_be_read() -> None:
    array = a_handle()
    with array.table.recording():
        assert float(array[0, 0]) == X[0, 0]
        assert f"{array[1, 1]:.3f}" == f"{X[1, 1]:.3f}"
        assert str(array) == str(X)
        assert repr(array) == repr(X)
        assert array.tobytes() == X.tobytes()
        assert hash(array[0, 0]) == hash(X[0, 0])
        assert array.astype(int).tolist() == X.astype(int).tolist()
        assert complex(array[0, 0]) == X[0, 0]


def test_a_number_that_moves_is_not_read() -> None:
    def f(x: Any) -> Any:
        return {"a": 1.0}.get(str(x[0]), 2.0)

    with pytest.raises(TraceError, match=r"str\(\)"):
        traced(f, X)


def test_equal_writes_make_equal_nodes() -> None:
    table = ArrayTable(X.reshape(-1))
    first, second = (made(table, X.copy()) for _ in range(2))
    for array in (first, second):
        array[1:, 0] = 2.0
    assert node_of(table, first) == node_of(table, second)


def test_a_copy_of_what_an_array_is_now_does_not_put_its_parts_together() -> None:
    table = ArrayTable(X.reshape(-1))
    array = made(table, np.zeros(3))
    array[1] = 2.0
    before = as_now(array)
    array[2] = 3.0
    assert is_written(array)
    assert sorted(places.tolist() for places in written_parts(array).values()) == [1, 2]
    assert before.floats.tolist() == [0, 2, 0]
    assert node_of(table, as_now(array)) == node_of(table, array)
    assert not is_written(array)
    # another node, of what it was
    assert node_of(table, before) != node_of(table, array)
