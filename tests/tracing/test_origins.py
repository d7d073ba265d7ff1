"""Of every node it is known where in the user's source it was written, for both ways of tracing."""

from __future__ import annotations

import ast
import copy
import functools
import importlib.util
import itertools
import linecache
import pickle
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.array_trace import placed_arrays, record_arrays
from diffcompare.tracing.origins import Origin, Origins, Recorder
from diffcompare.tracing.spans import Span, operand_span, resolved, source_of
from diffcompare.tracing.table import Table
from diffcompare.tracing.trace import placed, record

POINT = [1.5, 2.5, 3.5, 4.5]


class Traced(NamedTuple):
    """What is known of a trace."""

    nodes: list[Any]
    origins: Origins
    output: int

    def of(self, operation: str) -> list[tuple[Origin, ...]]:
        """The origins of all nodes of an operation, in order."""
        return [self.origins.get(k, ()) for k, node in enumerate(self.nodes) if node.operation == operation]

    def texts(self, operation: str) -> list[list[str | None]]:
        """What stands at them."""
        return [[text(origin) for origin in origins] for origins in self.of(operation)]


def numbers(function: Callable[..., Any], point: list[float] = POINT, table: Table | None = None) -> Traced:
    table = table or Table(tuple(f"x{i}" for i in range(len(point))), point)
    trace = record(function, (placed(np.arange(float(len(point))), table),), table=table)
    return Traced(table.builder.nodes, trace.origins, trace.outputs[0])


def arrays(function: Callable[..., Any], point: list[float] = POINT, table: ArrayTable | None = None) -> Traced:
    table = table or ArrayTable(np.array(point))
    arguments = (placed_arrays(np.arange(float(len(point))), table),)
    trace = record_arrays(function, arguments, table=table, keeping=nullcontext())
    return Traced(table.build.nodes, trace.origins, trace.output)


def text(origin: Origin) -> str | None:
    span = resolved(origin)
    return None if span is None else span.text


def chain(origin: Origin | None) -> list[str | None]:
    """What stands where an instruction was reached from, the innermost first."""
    found = []
    while origin is not None:
        found.append(text(origin))
        origin = origin.caller
    return found


def is_in_its_lines(span: Span) -> bool:
    """Whether the columns of a span are those of its text."""
    lines = "\n".join(span.lines)
    end = len(lines) - len(span.lines[-1]) + span.end_column
    return lines[span.column : end] == span.text and len(span.lines) == span.end_line - span.line + 1


both = pytest.mark.parametrize("traced", [numbers, arrays])

SOURCE = '''\
import functools
import numpy as np

def scaled(value):
    """A helper."""
    return value * 3.25

def twice(function):
    @functools.wraps(function)
    def inner(x):
        return 2.5 * function(x)
    return inner

def plain(x):
    return np.exp(x[0]) - x[1] / x[2]

def helped(x):
    return np.sin(scaled(x[0])) + scaled(x[1])

@twice
def decorated(x):
    return np.cos(x[0])

def umlaut(x):
    größe, text = x[0], "→ ∑"; return größe * x[1] + len("ä") * x[2]

def lined(x):
    return (
        np.exp(
            x[0]
        )
        + x[1]
        - x
        .dot(x)
    )

class Model:
    rate = 1.75

    def loss(self, x):
        return self.rate * x[0]

    def __call__(self, x):
        return self.loss(x) + np.tanh(x[1])

square = lambda x: x[0] * x[0] + 0.5

def listed(x):
    return sum([np.log(v) for v in x])

def generated(x):
    doubled = (v * 2.0 for v in x)
    first = next(doubled)
    return first * next(doubled)

def written(x):
    g = np.zeros(4)
    g[1:3] = x[1:3] * 5.0
    g[0] -= x[0]
    return np.sum(g * g)
'''


@pytest.fixture
def module(tmp_path: Path) -> Iterator[ModuleType]:
    yield imported(tmp_path / "model_of_user.py", SOURCE)
    linecache.clearcache()


def imported(path: Path, source: str) -> ModuleType:
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@both
def test_a_span_is_exactly_where_the_expression_stands(traced: Any, module: ModuleType) -> None:
    (((origin,),), ((other,),)) = (traced(module.plain).of(name) for name in ("exp", "divide"))
    line = "    return np.exp(x[0]) - x[1] / x[2]"
    assert resolved(origin) == Span("model_of_user.py", 15, 11, 15, 23, "np.exp(x[0])", (line,))
    assert resolved(other) == Span("model_of_user.py", 15, 26, 15, 37, "x[1] / x[2]", (line,))
    assert origin.caller is None


@both
def test_what_a_helper_does_stands_in_the_helper_and_its_callers_are_known(traced: Any, module: ModuleType) -> None:
    found = traced(module.helped)
    assert [chain(origin) for (origin,) in found.of("multiply")] == [
        ["value * 3.25", "scaled(x[0])"],
        ["value * 3.25", "scaled(x[1])"],
    ]
    assert found.texts("sin") == [["np.sin(scaled(x[0]))"]]


@both
def test_one_node_has_every_place_where_it_was_written(traced: Any) -> None:
    def function(x: Any) -> Any:
        first = x[0] * x[1]
        return first + np.exp(x[0] * x[1])

    found = traced(function)
    (origins,) = found.of("multiply")
    assert [text(origin) for origin in origins] == ["x[0] * x[1]"] * 2
    first, second = (resolved(origin) for origin in origins)
    assert first is not None
    assert second is not None
    assert (second.line - first.line, first.column, second.column) == (1, 16, 30)


@both
def test_at_most_eight_places_of_a_node_are_kept(traced: Any) -> None:
    def function(x: Any) -> Any:
        def double(v: Any) -> Any:
            return v * 2.0

        a = double(x[0]) + double(x[0]) + double(x[0]) + double(x[0]) + double(x[0])
        return a + double(x[0]) + double(x[0]) + double(x[0]) + double(x[0]) + double(x[0])

    (origins,) = traced(function).of("multiply")
    assert len(origins) == len(set(origins)) == 8
    assert {text(origin) for origin in origins} == {"v * 2.0"}


@both
def test_function_and_gradient_have_places_of_their_own(traced: Any) -> None:
    table = Table(("x0", "x1", "x2", "x3"), POINT) if traced is numbers else ArrayTable(np.array(POINT))
    one = traced(lambda x: np.exp(x[0]) * 3.0, POINT, table)
    two = traced(lambda x: 2.0 + np.exp(x[0]), POINT, table)
    assert one.texts("exp") == two.texts("exp") == [["np.exp(x[0])"]]
    assert one.of("exp") != two.of("exp")
    # the table goes on, the first trace does not
    assert one.texts("add") == [[]]


@both
def test_numbers_and_variables_have_no_place_of_their_own(traced: Any) -> None:
    found = traced(lambda x: np.sum(x * np.arange(4.0)) + 0.375)
    assert found.of("constant")
    assert not any(found.of("constant") + found.of("variable"))


@both
def test_a_loop_notes_its_line_once(traced: Any) -> None:
    def function(x: Any) -> Any:
        def grown(v: Any) -> Any:
            return v * 1.25

        total = x[0]
        for _ in range(30):
            total = grown(total) + 0.5
        return total

    found = traced(function)
    for operation in ("multiply", "add"):
        assert len(found.of(operation)) == 30
        assert len({origin for origins in found.of(operation) for origin in origins}) == 1
    assert chain(found.of("multiply")[0][0]) == ["v * 1.25", "grown(total)"]


def test_an_instruction_that_python_specialises_remains_the_same() -> None:
    def function(x: Any) -> Any:
        for _ in range(30):
            x = x * 1.25
            x[0] = x[1]
        return x

    origins = [origin for origins in arrays(function).origins.values() for origin in origins]
    assert {text(origin) for origin in origins} == {"x * 1.25", "x[1]", "x[0]"}
    assert len(set(origins)) == 3


@both
def test_a_decorator_of_the_users_calls_what_it_decorates(traced: Any, module: ModuleType) -> None:
    found = traced(module.decorated)
    assert chain(found.of("cos")[0][0]) == ["np.cos(x[0])", "function(x)"]
    assert found.texts("multiply") == [["2.5 * function(x)"]]


@both
def test_columns_count_characters(traced: Any, module: ModuleType) -> None:
    (((origin,), _),) = (traced(module.umlaut).of("multiply"),)
    span = resolved(origin)
    assert span is not None
    assert is_in_its_lines(span)
    assert (span.text, span.column, span.end_column) == ("größe * x[1]", 38, 50)


@both
def test_an_expression_of_several_lines(traced: Any, module: ModuleType) -> None:
    found = traced(module.lined)
    (((exponential,),), ((added,),)) = found.of("exp"), found.of("add")
    span = resolved(exponential)
    assert span is not None
    assert is_in_its_lines(span)
    assert (span.line, span.column, span.end_line, span.end_column) == (29, 8, 31, 9)
    assert span.lines == ("        np.exp(", "            x[0]", "        )")
    assert text(added) == "np.exp(\n            x[0]\n        )\n        + x[1]"
    # Python's own position begins at the name of the method
    (product,) = found.of("dot" if traced is numbers else "contract")
    assert text(product[-1]) == "x\n        .dot(x)"


@both
def test_methods_and_objects_that_are_called(traced: Any, module: ModuleType) -> None:
    found = traced(module.Model())
    assert [chain(origin) for (origin,) in found.of("multiply")] == [["self.rate * x[0]", "self.loss(x)"]]
    assert found.texts("tanh") == [["np.tanh(x[1])"]]
    assert traced(module.Model().loss).texts("multiply") == [["self.rate * x[0]"]]


@both
def test_a_lambda(traced: Any, module: ModuleType) -> None:
    found = traced(module.square)
    assert found.texts("multiply") == [["x[0] * x[0]"]]
    assert found.texts("add") == [["x[0] * x[0] + 0.5"]]


@both
def test_a_comprehension(traced: Any, module: ModuleType) -> None:
    found = traced(module.listed)
    assert found.texts("log") == [["np.log(v)"]] * 4
    assert found.texts("add")[-1][0] == "sum([np.log(v) for v in x])"


@both
def test_what_a_comprehension_calls(traced: Any, module: ModuleType) -> None:
    found = traced(lambda x: sum([module.scaled(v) for v in x]))
    # until Python 3.12 a comprehension was a function of its own
    own = ["[module.scaled(v) for v in x]"] if sys.version_info < (3, 12) else []
    assert chain(found.of("multiply")[0][0]) == ["value * 3.25", "module.scaled(v)", *own]


def test_a_loop_takes_elements_of_what_it_goes_through() -> None:
    def function(x: Any) -> Any:
        total = 0.0
        for a, b in zip(x, x[::-1], strict=True):
            total = total + a * b
        return total + sum([v * 1.5 for v in x * 2.0])

    texts = arrays(function).texts("take")
    assert texts[1][0] == "zip(x, x[::-1], strict=True)"
    assert texts[-1] == ["x * 2.0"]


@both
def test_a_generator_is_called_from_where_it_goes_on(traced: Any, module: ModuleType) -> None:
    first, second = (origin for (origin,) in traced(module.generated).of("multiply")[:2])
    assert chain(first) == ["v * 2.0", "next(doubled)"]
    one, two = (resolved(origin.caller) for origin in (first, second) if origin.caller)
    assert one is not None
    assert two is not None
    assert (one.column, two.column, two.line - one.line) == (12, 19, 1)


def test_what_is_written_in_parts_has_the_places_of_the_writing(module: ModuleType) -> None:
    found = arrays(module.written)
    assert found.texts("multiply") == [["x[1:3] * 5.0"], ["g * g"]]
    assert found.texts("subtract") == [["g[0] -= x[0]"]]
    assert found.texts("join")[0] == ["g[1:3]", "g[0]"]


def test_what_is_written_over_has_no_place_any_more() -> None:
    def function(x: Any) -> Any:
        g = np.zeros(4)
        g[0] = x[0] * 2.0
        g[:] = x
        g[1:] = x[1:] * 2.0
        first = np.sum(g)
        g[3] = x[2]
        return first * np.sum(g)

    assert arrays(function).texts("join") == [["g[1:]"], ["g[3]"]]


def test_a_view_is_written_where_it_is_made() -> None:
    def function(x: Any) -> Any:
        part = x[1:]
        return np.sum(part * 2.0)

    assert arrays(function).texts("take") == [["x[1:]"]]
    found = arrays(lambda x: np.sum(x.reshape(2, 2).T * np.array([[2.5], [3.5]])))
    assert found.texts("transpose")[0] == ["x.reshape(2, 2)", "x.reshape(2, 2).T"]


@both
def test_what_gives_an_operand_back_is_noted(traced: Any) -> None:
    def function(x: Any) -> Any:
        a = x[0] * 2.0
        return np.where(x[1] > 0, np.maximum(abs(a), 0.5), x[2]) ** 1

    texts = traced(function).texts("multiply")[0]
    if traced is numbers:
        assert texts == ["x[0] * 2.0", "abs(a)", "np.maximum(abs(a), 0.5)", function_text("where"), function_text("**")]
    else:
        assert texts[0] == "x[0] * 2.0"


def function_text(what: str) -> str:
    where = "np.where(x[1] > 0, np.maximum(abs(a), 0.5), x[2])"
    return where if what == "where" else f"{where} ** 1"


@both
def test_every_place_of_a_large_function_is_its_text(traced: Any, module: ModuleType) -> None:
    for function in (module.plain, module.helped, module.lined, module.umlaut, module.listed, module.written):
        found = traced(function)
        spans = [resolved(origin) for origins in found.origins.values() for origin in origins]
        assert spans
        assert all(span is not None and is_in_its_lines(span) for span in spans)
        operations = [
            k for k, node in enumerate(found.nodes) if node.operands and not (traced is arrays and k == found.output)
        ]
        assert set(operations) <= set(found.origins)


@both
def test_code_without_lines_has_no_spans(traced: Any) -> None:
    scope: dict[str, Any] = {"np": np}
    exec("def function(x):\n    return np.exp(x[0])", scope)
    found = traced(scope["function"])
    ((origin,),) = found.of("exp")
    assert resolved(origin) is None
    assert operand_span(origin, 0) is None
    assert source_of(scope["function"]) is None


@both
def test_cells_of_notebooks_and_doctests_have_lines(traced: Any) -> None:
    source = "import numpy as np\nawait_ = 1\ndef function(x):\n    return np.exp(x[0])\n\n"
    name = "<ipython-input-3-abcdef>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    scope: dict[str, Any] = {}
    exec(compile(source, name, "exec"), scope)
    ((origin,),) = traced(scope["function"]).of("exp")
    assert resolved(origin) == Span(name, 4, 11, 4, 23, "np.exp(x[0])", ("    return np.exp(x[0])",))
    del linecache.cache[name]


def test_a_cell_may_await_and_use_what_another_one_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "if False:\n    await nothing()\ndef function(x):\n    return nu.exp(x[0])\n"
    name = "<ipython-input-4-abcdef>"
    monkeypatch.setitem(linecache.cache, name, (len(source), None, source.splitlines(keepends=True), name))
    monkeypatch.setattr(sys.modules["__main__"], "nu", np, raising=False)
    scope: dict[str, Any] = {"nu": np}
    cell = eval(compile(source, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), scope)
    with pytest.raises(StopIteration):
        cell.send(None)
    ((origin,),) = numbers(scope["function"]).of("exp")
    span = operand_span(origin, 0)
    assert text(origin) == "nu.exp(x[0])"
    assert span is not None
    assert span.text == "x[0]"


def test_a_warning_about_the_source_is_not_repeated(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = imported(tmp_path / "warned.py", SOURCE.replace("A helper", "A \\helper"))
    assert numbers(module.plain).texts("exp") == [["np.exp(x[0])"]]


@pytest.mark.parametrize(
    "changed",
    [
        "",
        "def plain(x):\n    return 1",
        SOURCE.replace("np.exp(x[0]) - x", "(np.exp(x[0]) - x"),
        SOURCE.replace("np.exp(x[0]) - x", "x[0] + np.exp(x[0]) - x"),
        "\n".join(['"""', *SOURCE.replace('"""', "").splitlines(), '"""']),
        "\0",
        "x = " + "-" * 100_000 + "1",
    ],
)
def test_a_file_that_was_changed_gives_no_span(tmp_path: Path, changed: str) -> None:
    path = tmp_path / "model_of_user.py"
    function = imported(path, SOURCE).plain
    ((origin,),) = numbers(function).of("exp")
    linecache.clearcache()
    path.write_text(changed, encoding="utf-8")
    assert resolved(origin) is None
    assert operand_span(origin, 0) is None
    linecache.clearcache()
    path.unlink()
    assert resolved(origin) is None


OPERANDS = [
    ("x[0] - x[1] * 2.0", "subtract", ["x[0]", "x[1] * 2.0"]),
    ("-x[0] * x[1]", "negative", ["x[0]"]),
    ("np.exp(x[0] + 1.0)", "exp", ["x[0] + 1.0"]),
    ("np.arctan2(x[0], (x[1]))", "atan2", ["x[0]", "x[1]"]),
    ("np.linalg.norm(x)", "sqrt", ["x"]),
    ("(x * 2.0).sum()", "sum", ["x * 2.0"]),
    ("x.dot(2.0 * x)", "dot", ["x", "2.0 * x"]),
    ("np.exp(*[x[0]])", "exp", []),
]


@pytest.mark.parametrize(("expression", "operation", "expected"), OPERANDS)
def test_operands(tmp_path: Path, expression: str, operation: str, expected: list[str]) -> None:
    module = imported(tmp_path / "operands.py", f"import numpy as np\ndef f(x):\n    é = 0; return {expression}\n")
    origin = numbers(module.f).of(operation)[-1][0]
    spans = list(itertools.takewhile(lambda span: span is not None, (operand_span(origin, k) for k in range(9))))
    assert [span.text for span in spans if span] == expected
    assert all(is_in_its_lines(span) for span in spans if span)
    assert operand_span(origin, -1) is None


def test_operands_of_views_and_of_assignments() -> None:
    def function(x: Any) -> Any:
        y = x * 2.0
        y += (x + 1.0).T
        z = y[1:]
        return np.sum(z) + (self := x).sum() * len([self])

    found = arrays(function)
    texts = {
        text(origin): [s.text for s in (operand_span(origin, k) for k in range(3)) if s]
        for origins in found.origins.values()
        for origin in origins
    }
    assert texts["y += (x + 1.0).T"] == ["y", "(x + 1.0).T"]
    assert texts["y[1:]"] == ["y"]
    assert texts["np.sum(z)"] == ["z"]
    assert texts["(self := x).sum()"] == ["self := x"]


def test_the_source_of_another_function_at_the_same_line_is_none(tmp_path: Path) -> None:
    path = tmp_path / "changed.py"
    function = imported(path, SOURCE).plain
    path.write_text(SOURCE.replace("def plain(", "def other("), encoding="utf-8")
    linecache.clearcache()
    assert source_of(function) is None


def test_a_statement_that_is_a_call_has_the_operands_of_the_call() -> None:
    def function(x: Any) -> Any:
        y = x * 2.0
        np.add(y, 0.25, out=y)
        return np.sum(y)

    ((origin, *_),) = (origins for origins in arrays(function).of("add"))
    assert [span.text for span in (operand_span(origin, 0), operand_span(origin, 1)) if span] == ["y", "0.25"]


def test_what_self_holds_is_called_as_a_function() -> None:
    class Layer:
        def __init__(self) -> None:
            self.activation = np.tanh

        def __call__(self, x: Any) -> Any:
            return self.activation(x[0])

    ((origin,),) = numbers(Layer()).of("tanh")
    span = operand_span(origin, 0)
    assert span is not None
    assert span.text == "x[0]"


def test_the_source_of_a_function(module: ModuleType, tmp_path: Path) -> None:
    name, lines = "model_of_user.py", SOURCE.splitlines()
    assert source_of(module.plain) == ("plain", name, 14, "\n".join(lines[13:15]))
    assert source_of(module.decorated) == ("decorated", name, 20, "\n".join(lines[19:22]))
    assert source_of(module.Model().loss) == ("Model.loss", name, 40, "\n".join(lines[39:41]))
    assert source_of(module.Model()) == ("Model.__call__", name, 43, "\n".join(lines[42:44]))
    assert source_of(functools.partial(module.square)) == ("<lambda>", name, 46, lines[45])
    assert source_of(functools.partial(functools.partial(module.scaled))) == ("scaled", name, 4, "\n".join(lines[3:6]))
    models = imported(
        tmp_path / "models.py", "pair = (\n    1, lambda x: x,\n)\n" + "def f(x): return " + "x+" * 600 + "1"
    )
    assert source_of(models.pair[1]) == ("<lambda>", "models.py", 1, "pair = (\n    1, lambda x: x,\n)")
    assert source_of(models.f) == ("f", "models.py", 4, f"def f(x): return {'x+' * 600}1")
    assert source_of(np.exp) is None
    assert source_of(dc.check_gradient) is None
    assert source_of(len) is None


def test_a_library_between_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def function(x: Any) -> Any:
        return functools.reduce(lambda a, b: a * b, [x[0], x[1]]) + np.vectorize(lambda v: v - 0.75)(x)[0]

    for traced in (numbers, arrays):
        found = traced(function)
        assert chain(found.of("multiply")[0][0]) == ["a * b", "functools.reduce(lambda a, b: a * b, [x[0], x[1]])"]
        assert chain(found.of("subtract")[0][0]) == ["v - 0.75", "np.vectorize(lambda v: v - 0.75)(x)"]


def test_the_file_of_the_function_is_the_users_wherever_it_is_installed(tmp_path: Path) -> None:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    module = imported(folder / "installed_model.py", SOURCE)
    assert numbers(module.plain).texts("exp") == [["np.exp(x[0])"]]
    assert numbers(lambda x: module.plain(x)).texts("exp") == [["module.plain(x)"]]


def test_a_deep_recursion() -> None:
    def down(x: Any, depth: int) -> Any:
        return x[0] * 1.5 if depth == 0 else down(x, depth - 1) + 1.0

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(4000)
    try:
        (origin,) = numbers(lambda x: down(x, 300)).of("multiply")[0]
    finally:
        sys.setrecursionlimit(limit)
    assert len(chain(origin)) == 302


def test_a_thread_of_the_users_code() -> None:
    def function(x: Any) -> Any:
        found = []
        before = x[0] * 2.0
        thread = threading.Thread(target=lambda: found.append(before * 3.0))
        thread.start()
        thread.join()
        return found[0] * 4.0

    assert numbers(function).texts("multiply") == [["x[0] * 2.0"], ["before * 3.0"], ["found[0] * 4.0"]]


def test_no_frame_is_held_after_the_recording() -> None:
    table = Table(("x",), [1.0])
    origins = record(lambda x: x[0] * 2.0, (placed(np.arange(1.0), table),), table=table).origins
    recorder = table.origins
    assert not recorder._path
    assert not recorder._levels
    assert recorder._frame is recorder._user is None
    before = dict(origins)
    # what is computed later is no code of the function
    table.apply("sin", (0,), 0.5)
    assert dict(origins) == before
    assert dict(recorder.taken()) == {}
    arrays_ = ArrayTable(np.array(POINT))
    arrays(np.exp, POINT, arrays_)
    assert arrays_.build.noted is None


def test_what_is_left_of_one_recording_is_not_taken_for_the_next() -> None:
    table = ArrayTable(np.array(POINT))
    table.origins.pending.append(77)
    assert 77 not in arrays(lambda x: x[0] * 2.0, POINT, table).origins


def test_a_recorder_that_follows_nothing_notes_nothing() -> None:
    recorder = Recorder()
    recorder.note(3)
    recorder.returned(4)
    assert dict(recorder.taken()) == {}
    assert recorder.here() == ()


def test_a_verdict_holds_no_code(module: ModuleType) -> None:
    verdict = dc.check_gradient(module.plain, lambda x: np.array([np.exp(x[0]), 0.0, 0.0, 0.0]), POINT)
    assert pickle.loads(pickle.dumps(verdict)).explain() == copy.deepcopy(verdict).explain() == verdict.explain()
