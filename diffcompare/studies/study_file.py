"""Study files: TOML in, a checked :class:`Study` out; nothing is evaluated."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from os import PathLike
from pathlib import Path, PurePosixPath, PureWindowsPath

import msgspec

from diffcompare.descent import GRADIENTS
from diffcompare.errors import StudyError, reason, shorten
from diffcompare.numeric.boxes import check_box
from diffcompare.numeric.stencils import COMPLEX_STEP, DEFAULT_SCHEMES, SCHEME_FORMS, check_derivative, stencil
from diffcompare.numeric.steps import geometric_steps
from diffcompare.studies.study_source import Place, Source, load, quote
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.parse import parse

__all__ = ["Descent", "Entry", "Study", "read_study", "rounded_points"]

_DTYPES = ("float64", "float32", "float16")

# Limits on files from strangers; what people write is far below them.
_NAME = 200
_LESSON = 4_000
_STEPS = 2_000
# of the report, as far as it can be told beforehand
_ROWS = 1_000_000
_BYTES = 1_000_000_000
# bytes, measured on the reports in reports/: a row of errors.csv; the rows of summary.csv and rules.csv for one
# variable, point and scheme; a curve; a page, which at most so many functions have unless they need a look
_ROW, _GROUP, _CURVE, _PAGE, _PAGES = 350, 1_500, 11_000, 90_000, 200
_UPDATES = 10_000


class _Steps(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"largest": "from", "smallest": "to"}):
    largest: float
    smallest: float
    per_decade: int = 4


class _Function(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    points: list[float | list[float]]
    expr: str | None = None
    python: str | None = None
    name: str | None = None
    variables: list[str] | None = None
    steps: _Steps | list[float] | None = None
    schemes: list[str] | None = None
    derivative: int | None = None
    dtype: str | None = None
    box: list[float | list[float]] | None = None
    text: str | None = None


class _Descent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    function: str
    start: float | list[float]
    learning_rate: float = 0.1
    steps: int = 100
    gradients: list[str] | None = None
    text: str | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    function: list[_Function]
    title: str | None = None
    schemes: list[str] | None = None
    derivative: int = 1
    steps: _Steps | list[float] | None = None
    dtype: str = "float64"
    descent: list[_Descent] | None = None
    text: str | None = None


# lower and upper, one number for each variable
Box = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One function of a study; ``function`` is None where the formula could not be read, ``message`` says why.

    An entry of Python code has the ``shape`` of its points, and no function before its code is traced; its text is
    ``module:function``.
    """

    name: str
    text: str
    function: SymbolicFunction | None
    message: str
    points: tuple[tuple[float, ...], ...]
    steps: tuple[float, ...]
    schemes: tuple[str, ...]
    variables: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None
    derivative: int = 1
    dtype: str = "float64"
    box: Box | None = None
    lesson: str = ""


@dataclass(frozen=True, slots=True)
class Descent:
    """One gradient descent of a study."""

    function: str
    start: tuple[float, ...]
    learning_rate: float
    steps: int
    gradients: tuple[str, ...]
    lesson: str = ""


@dataclass(frozen=True, slots=True)
class Study:
    """What a study file asks for; every limit is checked, every formula read."""

    title: str
    dtype: str
    entries: tuple[Entry, ...]
    descents: tuple[Descent, ...] = ()
    lesson: str = ""


def read_study(path: str | PathLike[str], *, allow_python: bool = False, limit: bool = True) -> Study:
    """Read and check a study file; no Python code is loaded.

    Parameters
    ----------
    path : path
        The TOML file.
    allow_python : bool
        Whether it may name Python code.
    limit : bool
        Refuse a file that is large, or whose report would be.

    Raises
    ------
    StudyError
        As in :func:`diffcompare.run_study`.
    """
    name = str(path)
    source, raw = load(name, limit=limit)
    try:
        file = msgspec.convert(raw, _File)
    except msgspec.ValidationError as error:
        raise _wrong_shape(source, str(error)) from None
    if not file.function:
        raise source.error(("function",), "there is no function; add a [[function]] with expr and points")
    _check_dtype(source, ("dtype",), file.dtype)
    _check_name(source, ("title",), file.title)
    schemes = _schemes(source, ("schemes",), DEFAULT_SCHEMES if file.schemes is None else file.schemes)
    steps = _steps(source, ("steps",), _Steps(1e-1, 1e-16) if file.steps is None else file.steps)
    if limit:
        _check_size(source, file, steps, schemes)
    entries: dict[str, Entry] = {}
    for k, table in enumerate(file.function):
        place: Place = ("function", k)
        entry = _entry(source, place, table, steps, schemes, allow_python)
        entry = replace(
            entry,
            derivative=file.derivative if table.derivative is None else table.derivative,
            dtype=file.dtype if table.dtype is None else table.dtype,
            box=_box(source, (*place, "box"), table.box, len(entry.variables)),
            lesson=_lesson(source, place, table.text),
        )
        _check_dtype(source, (*place, "dtype"), entry.dtype)
        entry = replace(entry, points=rounded_points(entry.points, entry.dtype))
        _check_derivative(source, place, file.derivative, table.derivative)
        if entry.name in entries:
            raise source.error(
                (*place, "name"), f"{quote(entry.name)} is the name of an earlier function; give each its own name"
            )
        entries[entry.name] = entry
    descents = tuple(_descent(source, ("descent", k), table, entries) for k, table in enumerate(file.descent or ()))
    title = Path(name).stem if file.title is None else file.title
    return Study(title, file.dtype, tuple(entries.values()), descents, _lesson(source, (), file.text))


def _check_size(source: Source, file: _File, steps: tuple[float, ...], schemes: tuple[str, ...]) -> None:
    """Refuse, before a formula is read, what would be too large."""
    rows = groups = curves = 0
    for k, table in enumerate(file.function):
        place: Place = ("function", k)
        # each point has one coordinate a variable
        partials = sum(1 if isinstance(point, float) else len(point) for point in table.points)
        many = len(schemes if table.schemes is None else _schemes(source, (*place, "schemes"), table.schemes))
        groups += partials * many
        rows += partials * many * len(steps if table.steps is None else _steps(source, (*place, "steps"), table.steps))
        curves += min(partials, 1_000)  # those of many points are coarser
    size = rows * _ROW + groups * _GROUP + curves * _CURVE + min(len(file.function), _PAGES) * _PAGE
    if rows > _ROWS or size > _BYTES:
        over = f"{_ROWS} rows" if rows > _ROWS else f"{_BYTES / 1e9:g} GB"
        raise StudyError(
            f"{source.name}: the report would have about {rows} rows and {size / 1e9:.2g} GB, more than {over}; "
            "use fewer functions, points or steps, or pass --no-limit"
        )


_WORDS = {
    "float": "a number", "int": "a whole number", "str": "a text in quotes", "bool": "true or false",
    "array": "a list", "object": "a table", "null": "",
}  # fmt: skip
_EXAMPLES = {
    "points": "points = [[3.0, 4.0]]",
    "steps": "steps = { from = 1e-1, to = 1e-16, per_decade = 4 }, or a list of numbers",
    "schemes": 'schemes = ["forward", "central"]',
    "variables": 'variables = ["x0", "x1"]',
    "expr": 'expr = "x0**2 + x1**2"',
    "python": 'python = "module:function"',
    "name": 'name = "sum of squares"',
    "title": 'title = "Chapter 4"',
    "text": 'text = "What happens at a corner?"',
    "dtype": 'dtype = "float64"',
    "derivative": "derivative = 2",
    "box": "box = [0.0, inf], or box = [[0.0, 0.0], [1.0, inf]]",
    "start": "start = [-3.0, 4.0]",
    "gradients": 'gradients = ["exact", "central"]',
    "learning_rate": "learning_rate = 0.1",
    "per_decade": "per_decade = 4",
    "updates": "steps = 100",
    "from": "from = 1e-1",
    "to": "to = 1e-16",
}


def _wrong_shape(source: Source, message: str) -> StudyError:
    """Put what msgspec says into our words."""
    what, _, path = message.partition(" - at `$")
    place: Place = tuple(int(k) if k else key for k, key in re.findall(r"\[(\d+)\]|([^.\[\]`]+)", path))
    tables = {"function": _Function, "descent": _Descent}
    # "steps" of a [[descent]] is a number, so no key can stand below it
    struct = _Steps if place[-1:] == ("steps",) else tables.get(str(place[0]), _File) if place else _File
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", what, re.DOTALL):
        return source.error((*place, found[1]), f"unknown key; {_choices(found[1], struct.__struct_encode_fields__)}")
    if found := re.fullmatch(r"Object missing required field `(.*)`", what):
        if found[1] == "function" and not place:
            return source.error(("function",), "there is no function; add a [[function]] with expr and points")
        return source.error((*place, found[1]), f"missing; {_remedy(found[1])}")
    key = next((k for k in reversed(place) if isinstance(k, str)), "")
    key = "updates" if place[:1] == ("descent",) and key == "steps" else key
    if found := re.fullmatch(r"Expected `(.*)`, got `(.*)`", what):
        if place[:1] in (("function",), ("descent",)) and all(isinstance(k, int) for k in place[1:]):
            return source.error(place, f"must be a table; write [[{place[0]}]] on a line of its own")
        wanted = [_WORDS.get(word, word) for word in found[1].split(" | ") if word != "null"]
        got = _WORDS.get(found[2], found[2])
        return source.error(place, f"expected {' or '.join(wanted)}, got {got}; {_remedy(key)}")
    return source.error(place, f"{what.lower()}; {_remedy(key)}")


def _remedy(key: str) -> str:
    return f"write {_EXAMPLES[key]}" if key in _EXAMPLES else "see the study files in reports/"


def _choices(given: str, known: Sequence[str]) -> str:
    close = get_close_matches(given[:_NAME], known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(shorten(k, 40) for k in known[:12])}"


def _check_name(source: Source, place: Place, name: str | None) -> None:
    if name is not None and not 0 < len(name) <= _NAME:
        raise source.error(place, f"has {len(name)} characters; 1 to {_NAME} are allowed")


def _lesson(source: Source, place: Place, text: str | None) -> str:
    if text is not None and not (text.strip() and len(text) <= _LESSON):
        raise source.error((*place, "text"), f"has {len(text.strip())} characters; 1 to {_LESSON} are allowed")
    return (text or "").strip()


def _schemes(source: Source, place: Place, schemes: Sequence[str]) -> tuple[str, ...]:
    names: list[str] = []
    for scheme in schemes:
        if scheme == COMPLEX_STEP:
            names.append(scheme)
            continue
        try:
            names.append(stencil(scheme).name)
        except ValueError as error:
            if scheme.startswith("["):
                raise source.error(place, str(error)) from None
            close = get_close_matches(scheme[:_NAME], DEFAULT_SCHEMES, n=1)
            remedy = f"did you mean {close[0]!r}?" if close else f"choose from {SCHEME_FORMS}"
            raise source.error(place, f"unknown scheme {quote(scheme)}; {remedy}") from None
    if not schemes:
        raise source.error(place, f"is empty; {_remedy('schemes')}")
    return tuple(dict.fromkeys(names))


def rounded_points(points: Sequence[tuple[float, ...]], dtype: str) -> tuple[tuple[float, ...], ...]:
    """Round points to a dtype, repeated ones dropped; what is infinite there is left for the sweep to refuse."""
    code = {"float32": "<f", "float16": "<e"}.get(dtype)

    def rounded(value: float) -> float:
        try:
            return value if code is None else float(struct.unpack(code, struct.pack(code, value))[0])
        except OverflowError:
            return value

    # by their texts: 0.0 and -0.0 are two points
    by_text = {repr(row): row for row in (tuple(rounded(value) for value in point) for point in points)}
    return tuple(by_text.values())


def _check_dtype(source: Source, place: Place, dtype: str) -> None:
    if dtype not in _DTYPES:
        raise source.error(place, f"{quote(dtype)} is not supported; choose from {', '.join(_DTYPES)}")


def _check_derivative(source: Source, place: Place, everywhere: int, own: int | None) -> None:
    try:
        check_derivative(everywhere if own is None else own)
    except ValueError as error:
        raise source.error(("derivative",) if own is None else (*place, "derivative"), str(error)) from None


def _box(source: Source, place: Place, box: list[float | list[float]] | None, variables: int) -> Box | None:
    # the variables of a formula that could not be read are not known
    if box is None or not variables:
        return None
    try:
        lower, upper = check_box(box, (variables,))
    except ValueError as error:
        raise source.error(place, f"{error}; {_remedy('box')}") from None
    return tuple(lower.tolist()), tuple(upper.tolist())


def _steps(source: Source, place: Place, steps: _Steps | list[float]) -> tuple[float, ...]:
    listed = steps if isinstance(steps, list) else [steps.largest, steps.smallest]
    for h in listed:
        if not (math.isfinite(h) and h > 0):
            raise source.error(place, f"h={h!r}: step sizes must be positive and finite; {_remedy('steps')}")
    if isinstance(steps, list):
        if not 0 < len(steps) <= _STEPS:
            raise source.error(place, f"{len(steps)} step sizes; 1 to {_STEPS} are allowed; {_remedy('steps')}")
        return tuple(sorted(set(steps), reverse=True))
    if steps.largest < steps.smallest:
        raise source.error(place, f"from={steps.largest!r} is smaller than to={steps.smallest!r}; exchange them")
    if not 1 <= steps.per_decade <= 100:
        raise source.error((*place, "per_decade"), f"per_decade={steps.per_decade}: 1 to 100 are allowed")
    if (math.log10(steps.largest) - math.log10(steps.smallest)) * steps.per_decade >= _STEPS:
        raise source.error(place, f"more than {_STEPS} step sizes; make per_decade smaller")
    return tuple(float(h) for h in geometric_steps(steps.largest, steps.smallest, per_decade=steps.per_decade))


def _entry(
    source: Source,
    place: Place,
    table: _Function,
    steps: tuple[float, ...],
    schemes: tuple[str, ...],
    allow_python: bool,
) -> Entry:
    if table.python is not None:
        _check_python(source, place, table, allow_python)
    elif table.expr is None:
        raise source.error((*place, "expr"), f"missing; {_remedy('expr')}, or {_EXAMPLES['python']}")
    _check_name(source, (*place, "name"), table.name)
    if table.variables is not None and not table.variables:
        raise source.error((*place, "variables"), f"is empty; {_remedy('variables')}, or leave it out")
    if table.steps is not None:
        steps = _steps(source, (*place, "steps"), table.steps)
    if table.schemes is not None:
        schemes = _schemes(source, (*place, "schemes"), table.schemes)
    if not table.points:
        raise source.error((*place, "points"), f"is empty; {_remedy('points')}")
    if table.python is not None:
        return _python_entry(source, place, table, steps, schemes)
    text = table.expr or ""
    function, message, variables = None, "", tuple(table.variables or ())
    try:
        function = parse(text, variables=table.variables, name=table.name)
        variables = function.variables
    except Exception as error:
        message = reason(error)
    points = _points(source, (*place, "points"), table.points, variables)
    name = table.name if table.name is not None else text if function else shorten(text) or "(empty)"
    return Entry(name, text, function, message, points, steps, schemes, variables)


def _check_python(source: Source, place: Place, table: _Function, allow_python: bool) -> None:
    here, name = (*place, "python"), table.python or ""
    if table.expr is not None:
        raise source.error(here, "expr is given as well; leave one of them out")
    if not allow_python:
        raise source.error(here, "pass --allow-python to run Python code named by a study file")
    if not 0 < len(name) <= _NAME:
        raise source.error(here, f"has {len(name)} characters; 1 to {_NAME} are allowed; {_remedy('python')}")
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).is_absolute():
        raise source.error(here, "is an absolute path; write it from the folder of the study file")
    if table.variables is not None:
        raise source.error((*place, "variables"), "the variables of Python code are x, or x0, x1, …; leave it out")


def _python_entry(
    source: Source, place: Place, table: _Function, steps: tuple[float, ...], schemes: tuple[str, ...]
) -> Entry:
    text = table.python or ""
    shapes: dict[tuple[int, ...], None] = dict.fromkeys(
        () if isinstance(point, float) else (len(point),) for point in table.points
    )
    if len(shapes) > 1:
        raise source.error(
            (*place, "points"),
            f"points with {' and '.join(_counted(shape) for shape in list(shapes)[:3])}; all points of Python code "
            "must have the same number of coordinates",
        )
    (shape,) = shapes
    if shape == (0,):
        raise source.error((*place, "points"), f"point [] has no coordinates; {_remedy('points')}")
    variables = ("x",) if shape in ((), (1,)) else tuple(f"x{i}" for i in range(shape[0]))
    points = _points(source, (*place, "points"), [[p] if isinstance(p, float) else p for p in table.points], variables)
    name = text if table.name is None else table.name
    return Entry(name, text, None, "", points, steps, schemes, variables, shape)


def _counted(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} coordinate(s) in a list" if shape else "a plain number"


def _points(
    source: Source, place: Place, points: Sequence[float | list[float]], variables: tuple[str, ...]
) -> tuple[tuple[float, ...], ...]:
    rows = [[p] if isinstance(p, float) else p for p in points]
    if len(variables) > 1 and all(isinstance(p, float) for p in points):
        rows = [[p for row in rows for p in row]]  # one point, as everywhere
    for row in rows:
        if variables and len(row) != len(variables):
            names = shorten(", ".join(variables), 80)
            raise source.error(
                place, f"point {shorten(repr(row), 80)} has {len(row)} coordinate(s); give {len(variables)}: {names}"
            )
        if not all(map(math.isfinite, row)):
            raise source.error(place, f"point {shorten(repr(row), 80)}: coordinates must be finite; give numbers")
    return tuple(dict.fromkeys(tuple(row) for row in rows))


def _descent(source: Source, place: Place, table: _Descent, entries: Mapping[str, Entry]) -> Descent:
    if table.function not in entries:
        remedy = _choices(table.function, list(entries))
        raise source.error((*place, "function"), f"no function {quote(table.function)}; {remedy}")
    start = [table.start] if isinstance(table.start, float) else table.start
    (point,) = _points(source, (*place, "start"), [start], entries[table.function].variables)
    if not math.isfinite(table.learning_rate):
        raise source.error((*place, "learning_rate"), f"must be a finite number; {_remedy('learning_rate')}")
    if not 0 <= table.steps <= _UPDATES:
        raise source.error((*place, "steps"), f"{table.steps} steps; 0 to {_UPDATES} are allowed")
    gradients = ["exact", "central"] if table.gradients is None else table.gradients
    for gradient in gradients:
        if gradient not in GRADIENTS:
            remedy = _choices(gradient, GRADIENTS)
            raise source.error((*place, "gradients"), f"unknown gradient {quote(gradient)}; {remedy}")
    if not gradients:
        raise source.error((*place, "gradients"), f"is empty; {_remedy('gradients')}")
    return Descent(
        table.function,
        point,
        table.learning_rate,
        table.steps,
        tuple(dict.fromkeys(gradients)),
        _lesson(source, place, table.text),
    )
