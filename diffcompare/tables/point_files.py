"""Points in files: NumPy's, comma-separated numbers, and JSON; from anywhere, so nothing is run and all is bounded."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from diffcompare.errors import shorten

__all__ = ["read_point"]

_BYTES = 1 << 25


def read_point(path: str) -> Any:
    """Read a point from a file.

    Parameters
    ----------
    path : str
        ``.npy``: an array. ``.csv``: numbers between commas; one row or one column is a vector, more a matrix.
        ``.json``: a number, nested lists of numbers, or an object that holds one of these for each parameter.

    Returns
    -------
    float, list, ndarray or dict

    Raises
    ------
    ValueError
        The file cannot be read, is larger than 32 MiB, or holds something else; the message does not name the file.
    """
    file = Path(path)
    read = _READERS.get(file.suffix.lower())
    if read is None:
        raise ValueError("is no point file; name a .npy, .csv or .json file")
    try:
        if not file.is_file():
            raise ValueError("there is no such file")
        with file.open("rb") as stream:
            content = stream.read(_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or type(error).__name__}") from None
    if len(content) > _BYTES:
        raise ValueError(f"is larger than {_BYTES >> 20} MiB; check at fewer numbers")
    return read(content)


def _npy(content: bytes) -> Any:
    stream = io.BytesIO(content)
    try:
        # by hand: NumPy's own reader makes room for whatever the header promises
        version = np.lib.format.read_magic(stream)
        shape, by_columns, dtype = _HEADERS[version](stream)
    except Exception:
        raise ValueError("is no file of NumPy's") from None
    numbers = content[stream.tell() :]
    if dtype.kind not in "fiub" or math.prod(shape) * dtype.itemsize != len(numbers):
        raise ValueError(f"holds no whole array of numbers, but {dtype} of shape {shape}")
    return np.frombuffer(numbers, dtype).reshape(shape, order="F" if by_columns else "C")


_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def _csv(content: bytes) -> Any:
    rows = [line.strip() for line in _text(content).splitlines()]
    numbers = [
        [_number(cell, k) for cell in re.split(r"\s*[,;]\s*|\s+", row.rstrip(",;"))]
        for k, row in enumerate(rows, 1)
        if row
    ]
    if len({len(row) for row in numbers}) != 1:
        raise ValueError("holds rows of different lengths" if numbers else "is empty")
    if len(numbers) == 1:
        return numbers[0]
    return [row[0] for row in numbers] if len(numbers[0]) == 1 else numbers


def _number(cell: str, line: int) -> float:
    try:
        return float(cell.replace("_", "?"))
    except ValueError:
        raise ValueError(f"line {line}: {shorten(cell, 40)!r} is not a number") from None


def _json(content: bytes) -> Any:
    try:
        found = json.loads(_text(content))
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"is no JSON: {shorten(str(error), 80)}") from None
    for part in found.values() if isinstance(found, dict) else [found]:
        _check_numbers(part)
    return found


def _check_numbers(value: Any) -> None:
    if isinstance(value, list):
        for one in value:
            _check_numbers(one)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"holds {shorten(json.dumps(value), 40)}: numbers are needed, in lists or one object of lists")


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is no text in UTF-8") from None


_READERS: dict[str, Callable[[bytes], Any]] = {".npy": _npy, ".csv": _csv, ".json": _json}
