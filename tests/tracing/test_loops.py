"""What is noted of the loops of a function while it is traced."""

from __future__ import annotations

import ast
import textwrap
from typing import Any

import numpy as np

from diffcompare.tracing.array_substitutes import ARRAYS
from diffcompare.tracing.array_trace import placed_arrays, record_arrays
from diffcompare.tracing.keeping import Keeper
from diffcompare.tracing.loop_names import LoopNames, assigned_names, set_first, written_arrays
from diffcompare.tracing.loops import Loop, noting_loops, syntax_of, text_of
from diffcompare.tracing.rebuild import Rebuilder
from diffcompare.tracing.whole_calls import WholeCalls

DATA = np.array([0.3, 0.7, 1.9, 2.3])
ROWS = [[0, 1], [2, 0], [1, 1], [0, 2]]


def state(p):
    h, last = p[0], 0.0
    for d in DATA:
        gap = d - last
        h = np.tanh(p[1] * h + gap)
        last = d
    return h**2


def nested(p):
    total = 0.0
    for i in range(3):
        start = DATA[i]
        for j in range(i):
            total = total + start * p[i] * p[j]
    return total


def parts(p):
    total = 0.0
    for row in ROWS:
        total = total + np.sum(p[row] ** 2)
    for k, value in enumerate(p):
        total = total + k * value**2
    return total


def noted(f: Any, x: list[float]) -> tuple[WholeCalls, list[Loop]]:
    table = WholeCalls(np.array(x))
    arguments = (placed_arrays(np.arange(len(x), dtype=float), table),)
    with noting_loops(f) as loops:
        record_arrays(
            f, arguments, table=table, keeping=Keeper().kept((f,)), elsewhere=lambda: f(np.array(x)),
            rebuilder=Rebuilder(table, ARRAYS),
        )  # fmt: skip
    return table, loops


def test_a_loop_is_seen_before_it_in_each_run_and_behind_it() -> None:
    _, (loop,) = noted(state, [0.5, 0.25])
    assert len(loop.runs) == 4
    assert "d" not in loop.outside.values
    assert [float(start.values["d"]) for start, _ in loop.runs] == DATA.tolist()
    handed = [end.nodes["h"] for _, end in loop.runs]
    assert [start.nodes["h"] for start, _ in loop.runs] == [loop.outside.nodes["h"], *handed[:-1]]
    assert loop.after is not None
    assert loop.after.nodes["h"] == handed[-1]


def test_loops_in_each_other_are_one_where_the_outer_ones_name_numbers_alone() -> None:
    _, (loop,) = noted(nested, [0.5, 0.25, 1.5])
    assert len(loop.nest) == 2
    assert [(start.values["i"], start.values["j"]) for start, _ in loop.runs] == [(1, 0), (2, 0), (2, 1)]


def test_names_stand_for_the_nodes_of_every_run() -> None:
    table, (loop,) = noted(state, [0.5, 0.25])
    names = LoopNames(table, loop, [3, 2])
    starts = [loop.runs[k][0] for k in (3, 2)]
    held = names(tuple(start.nodes["h"] for start in starts))
    assert held is not None
    assert (held[0].text, held[0].moving) == ("h", True)
    data = names(tuple(start.values["d"].node for start in starts))
    assert data is not None
    assert (data[0].text, data[0].moving) == ("d", False)


def test_parts_have_a_base_and_a_key_and_tell_whether_one_is_taken_twice() -> None:
    table, (rows, values) = noted(parts, [0.5, 0.25, 1.5])
    names = LoopNames(table, rows, [3, 1])
    found = {name.text: name for name in names._found.values()}
    assert (found["p[row]"].base, found["p[row]"].key) == ("p", "[row]")
    # 1 stands twice in the third
    assert found["p[row]"].repeats
    over = LoopNames(table, values, [2, 1])
    found = {name.text: name for name in over._found.values()}
    assert (found["value"].base, found["value"].key) == ("p", "[k]")
    # the code counts already
    assert not over.counters


def test_names_that_a_body_sets_before_it_uses_them() -> None:
    body = ast.parse("a = b\nb = a\nc += a\nd[0] = c").body
    # a part of d is set: the others are what they were
    assert set_first(body) == {"a"}
    assert assigned_names(body) == {"a", "b", "c", "d"}


def test_the_source_of_a_function_is_found_by_its_place() -> None:
    found = syntax_of(nested)
    assert found is not None
    assert found.name == "nested"
    scope: dict[str, Any] = {}
    exec("def f(x):\n    return x", scope)
    assert syntax_of(scope["f"]) is None


def test_a_function_without_a_loop_is_not_followed() -> None:
    def plain(p):
        return np.sum(p)

    assert noted(plain, [0.5])[1] == []


def test_an_array_that_is_filled_is_followed_by_its_parts() -> None:
    def filled(p):
        x = np.zeros(4)
        for k in range(4):
            x[k] = p[0] * k
        return np.sum(x)

    table, (loop,) = noted(filled, [0.5])
    assert "x" not in loop.outside.nodes
    assert sorted((name, places.tolist()) for name, places in loop.behind.parts.values()) == [
        ("x", 0), ("x", 1), ("x", 2), ("x", 3),
    ]  # fmt: skip
    # the sum was taken of what stands for x
    assert any(loop.behind.nodes["x"] in node.operands for node in table.build.nodes)
    assert LoopNames(table, loop, [3, 2]).written == {"x": "[k]"}


def test_an_array_that_is_written_twice_in_a_run_is_none_that_is_filled() -> None:
    body = ast.parse("x[k] = 1\nx[k + 1] = 2\ny[k] = 3\nz = 4").body
    assert written_arrays(body) == {"y": "[k]"}


def test_code_is_cut_out_of_its_source_as_it_stands():
    source = "if x:\n\té = 'ü'; y = [1,\n\t     'ß',  # a comment\n\t     z]\n\tw = y\n"
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt | ast.expr)]
    assert len(nodes) == 14
    for node in nodes:
        whole = textwrap.dedent(ast.get_source_segment(source, node, padded=True) or "")
        assert text_of(node, source) == (ast.unparse(node) if whole[0].isspace() else whole)
    assert text_of(ast.Name("made", ast.Load()), source) == "made"
