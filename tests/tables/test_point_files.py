"""Points in files of strangers: numbers of the shape that is written there, or one line that says what is wrong."""

import json
import pickle
import re

import numpy as np
import pytest

from diffcompare.tables import point_files
from diffcompare.tables.point_files import read_point


def npy(tmp_path, array):
    path = tmp_path / "p.npy"
    np.save(path, array)
    return str(path)


@pytest.mark.parametrize(
    "array",
    [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.float32([1.5]), np.array(3)],
)
def test_an_array_comes_back_as_it_was_saved(tmp_path, array):
    found = read_point(npy(tmp_path, array))
    assert (found.dtype, found.shape, found.tolist()) == (array.dtype, array.shape, array.tolist())


@pytest.mark.parametrize(
    ("suffix", "text", "point"),
    [
        ("csv", "1,2,3\n", [1.0, 2.0, 3.0]),
        ("csv", "\ufeff1\n2\n\n3\n", [1.0, 2.0, 3.0]),
        ("csv", "1, 2\n3; 4e-1\n", [[1.0, 2.0], [3.0, 0.4]]),
        ("CSV", "1 2\r\n3 4\r\n", [[1.0, 2.0], [3.0, 4.0]]),
        ("json", "2.5", 2.5),
        ("json", "[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("json", '{"w": [1, 2], "b": 0.5}', {"w": [1, 2], "b": 0.5}),
    ],
)
def test_text_is_read_as_the_numbers_that_stand_there(tmp_path, suffix, text, point):
    path = tmp_path / f"p.{suffix}"
    path.write_bytes(text.encode())
    assert read_point(str(path)) == point


class Planted:
    def __reduce__(self):
        return exec, ("raise SystemExit('code of a stranger ran')",)


def header(shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


BAD = {
    "p.txt": (b"1,2", "is no point file; name a .npy, .csv or .json file"),
    "words.csv": (b"1,2\na,b\n", "line 2: 'a' is not a number"),
    "names.csv": (b"1_000\n", "line 1: '1_000' is not a number"),
    "ragged.csv": (b"1,2\n3\n", "holds rows of different lengths"),
    "empty.csv": (b"\n", "is empty"),
    "bytes.csv": (b"\xff\xfe1", "is no text in UTF-8"),
    "no.json": (b"{", "is no JSON: Expecting property name"),
    "deep.json": (b"[" * 100_000, "is nested too deeply"),
    "text.json": (b'["1"]', 'holds "1": numbers are needed'),
    "true.json": (b"[true]", "holds true: numbers are needed"),
    "objects.json": (b'{"w": {"a": 1}}', r'holds {"a": 1}: numbers are needed'),
    "digits.json": (b"1" * 5000, "is no JSON"),
    "pickle.npy": (pickle.dumps(Planted()), "is no file of NumPy's"),
    "promises.npy": (header("(1000000000000,)") + b"\0" * 80, "holds no whole array of numbers, but float64 of shape"),
    "short.npy": (header("(20,)") + b"\0" * 80, "holds no whole array of numbers"),
}


@pytest.mark.parametrize("array", [np.array([1j]), np.array(["1"]), np.array(["2020-01-01"], dtype="M8[D]")])
def test_an_array_of_something_else_is_refused(tmp_path, array):
    with pytest.raises(ValueError, match=f"holds no whole array of numbers, but {re.escape(str(array.dtype))}"):
        read_point(npy(tmp_path, array))


@pytest.mark.parametrize("name", BAD)
def test_what_holds_no_point_is_refused(tmp_path, name):
    content, message = BAD[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_point(str(path))


def test_objects_are_never_unpickled(tmp_path):
    path = tmp_path / "p.npy"
    np.save(path, np.array([Planted(), 1], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="holds no whole array of numbers, but object"):
        read_point(str(path))


def test_what_is_too_large_or_is_not_there_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(point_files, "_BYTES", 1 << 20)
    path = tmp_path / "p.json"
    path.write_text(json.dumps([1] * 400_000))
    with pytest.raises(ValueError, match="is larger than 1 MiB"):
        read_point(str(path))
    with pytest.raises(ValueError, match="there is no such file"):
        read_point(str(tmp_path / "none.json"))
