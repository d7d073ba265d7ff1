"""What may have been meant: each change that people undo is among those that are tried."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from diffcompare.verdict.rewrites.alternatives import rewrites_of
from diffcompare.verdict.rewrites.first_wrong import known_of
from diffcompare.verdict.rewrites.insertions import Probe, insertions_of, is_fitting, likelier, pool_of
from diffcompare.verdict.rewrites.syntax import Names, is_filled, is_value, sites_of, text_of

NAMES = Names(
    ("a", "b", "c", "i", "j", "p", "q"),
    slices=(":", "1:", ":-1"),
    parts=("p[i]", "q[j]"),
    indices=("i", "j"),
    chosen=("p[i]",),
    filled=frozenset("abc"),
)

MEANT = [
    ("a = np.einsum('hij,hjk->hik', b, c)", "a = np.einsum('hji,hjk->hik', b, c)"),
    ("a = np.einsum('hij,hjk->hik', b, c)", "a = np.einsum('hij,hjk->hki', b, c)"),
    ("a = [b, c, p, q]", "a = [b, q, p, c]"),
    ("a = b.sum() * c", "a = b.sum(axis=0) * c"),
    ("a = np.mean(b)", "a = np.mean(b, axis=1)"),
    ("a = p * q * (b @ c)", "a = p * (b @ (q * c))"),
    ("a = b @ (p * c)", "a = p * (b @ c)"),
    ("a = c * b * (1 - b)", "a = c * (1 - b ** 2)"),
    ("a = b * (1 - b)", "a = 1 - b ** 2"),
    ("a = c * (1 - b ** 2)", "a = c * (b * (1 - b))"),
    ("a[i, i] += b", "a[j, j] += b"),
    ("a[:, j] -= b", "a[:, p[i]] -= b"),
    ("a += b", "a[i] += b"),
    ("a += b", "a[1:] += b[1:]"),
    ("a = b[-1]", "a = b[i]"),
    ("a = p[i] * b", "a = q[j] * b"),
    ("a[1:8] -= b", "a[:7] -= b"),
    ("a[:7] -= b", "a[1:8] -= b"),
    ("a[1:, j] -= b", "a[:-1, j] -= b"),
    ("a = b[c, i, j]", "a = b[c, j, i]"),
    ("a = b / len(c)", "a = b / c.size"),
    ("a = b / c.size", "a = b / len(c)"),
    ("a = -b * p, b * q", "a = (-c * p, c * q)"),
    ("a = [*range(b)]", "a = [*range(b + 1)]"),
    ("a = [*range(b)]", "a = [*range(2, b)]"),
    ("a = np.exp(b) - c", "a = np.exp(b - c)"),
    ("a = np.exp(b - c)", "a = np.exp(b) - c"),
    ("a = c - np.exp(b)", "a = np.exp(c - b)"),
    ("a = np.exp(c - b)", "a = c - np.exp(b)"),
    ("a = np.sum(b) * c", "a = np.sum(b * c)"),
    ("a = 2 / (b + 3)", "a = 1 / (b + 3)"),
    ("a = c / (2 + b)", "a = c / (1 + b)"),
    ("a = b * b * c", "a = b * (b - 1) * c"),
    ("a = 2 * b @ c", "a = (2 * b + (2 * b).T) / 2 @ c"),
    ("a = np.dot(b, c)", "a = np.dot((b + b.T) / 2, c)"),
    ("a = b.dot(c)", "a = ((b + b.T) / 2).dot(c)"),
]


def changed(source: str, names: Names = NAMES) -> set[str]:
    tree = ast.parse(f"def gradient(a, b, c):\n    {source}\n")
    (definition,) = tree.body
    found = set()
    for one in rewrites_of(list(sites_of(definition)), names):
        undo = [change.exchange() for change in one.changes]
        found.add(text_of(definition.body[0]))  # type: ignore[attr-defined]
        for change in reversed(undo):
            change.exchange()
    assert text_of(definition.body[0]) == ast.unparse(ast.parse(source))  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize(("source", "meant"), MEANT)
def test_what_was_meant_is_among_the_changes(source: str, meant: str) -> None:
    assert meant in changed(source)


def test_what_is_not_filled_is_not_filled_by_a_method_either() -> None:
    """A list of the user's own grew with each change, and nothing was right any more."""
    found = changed("a.append(b)")
    assert "b.append(b)" in found
    assert "p.append(b)" not in found


@pytest.mark.parametrize("target", ["a[0]", "a.flat[0]", "a.part", "a[0].flat[1]", "b, a[0]"])
def test_what_is_written_into_is_not_another_name(target: str) -> None:
    """A line that writes into the point instead does nothing, and that was said to be right."""
    found = changed(f"{target} = 2 * i")
    assert f"{target} = 2 * j" in found
    of_p, of_c = (re.sub(r"\ba\b", name, target) for name in "pc")
    assert not [text for text in found if text.startswith(of_p)]
    assert any(text.startswith(of_c) for text in found)


def test_a_name_that_is_bound_is_not_written_into() -> None:
    (definition,) = ast.parse("def gradient(p):\n    a, b = p\n    c, *a[0] = b\n    return a\n").body
    sites = [site for site in sites_of(definition) if isinstance(site.node, ast.Name) and is_filled(site)]
    assert [(site.node.id, site.node.lineno) for site in sites] == [("a", 3)]


def test_a_minus_that_stands_there_goes_before_one_is_put_into_an_odd_function() -> None:
    (definition,) = ast.parse("lambda x: -slopes(x)").body
    sites = list(sites_of(definition.value))  # type: ignore[attr-defined]
    signs = {text_of(one.node): one.cost for one in rewrites_of(sites, NAMES) if one.kind == "sign"}
    assert signs["-slopes(x)"] < signs["x"]


def test_what_is_asked_for_its_length_is_not_transposed() -> None:
    assert "a = len(b.T)" not in changed("a = len(b)")


def test_the_same_slip_in_two_lines_is_one_change() -> None:
    tree = ast.parse("def gradient(a, b, c):\n    a = b * i\n    c = p + b * j\n    return a + c\n")
    (definition,) = tree.body
    found = [
        one for one in rewrites_of(list(sites_of(definition)), NAMES) if one.this.startswith("b stands") and one.also
    ]
    assert "b stands in place of q each time" in {one.this for one in found}
    assert {len(one.changes) for one in found} == {2}
    assert [text_of(one) for one in (found[0].node, *found[0].also)] == ["a = b * i", "c = p + b * j"]


def test_a_letter_is_exchanged_within_one_array() -> None:
    assert "a = np.einsum('jih,hjk->hik', b, c)" not in changed("a = np.einsum('hij->ij', b)")
    assert not [text for text in changed("a = np.einsum('ii', b)") if "'ii'" not in text and "einsum" in text]


def test_of_long_lists_neighbours_are_exchanged() -> None:
    source = "a = [b, c, p, q, i, j, b + c]"
    assert "a = [c, b, p, q, i, j, b + c]" in changed(source)
    assert "a = [p, c, b, q, i, j, b + c]" not in changed(source)


@dataclass
class Beside:
    """What may be missing beside ``own``."""

    own: str
    at_hand: dict[str, Any]
    names: Names = field(default=NAMES)

    def texts(self) -> set[str]:
        (definition,) = ast.parse(f"def gradient(a):\n    {self.own}\n").body
        site = next(one for one in sites_of(definition) if isinstance(one.node, ast.expr))
        value = eval(self.own, {"np": np}, self.at_hand)
        probe = Probe({"np": np}, seen=(value, self.at_hand))
        found = insertions_of(site, list(pool_of(self.names)), probe)
        return {text_of(one.rewrite.changes[0].new) for one in found}


def test_a_factor_that_is_missing_may_have_had_more_elements() -> None:
    found = Beside("a", {"a": 0.25, "b": np.array([1.5, 2.5])}, Names(("a", "b"))).texts()
    assert {"a * b", "a / b"} <= found
    assert not {"a + b", "a - b"} & found


def test_an_expression_of_the_function_that_is_missing_may_have_had_more_elements() -> None:
    names = Names(("a", "b"), known=frozenset({"b * b"}), expressions=frozenset({"b * b", "b / 2"}))
    found = Beside("a", {"a": 0.25, "b": np.array([1.5, 2.5])}, names).texts()
    assert {"a + b * b", "a - b * b", "a * (b * b)"} <= found
    assert not {"a + b / 2", "a + b"} & found


def test_what_makes_a_known_value_comes_first() -> None:
    at_hand = {"a": np.array([1.5, 2.5]), "b": np.array([0.3, 0.7]), "c": np.array([1.1, 0.2])}
    (site,) = sites_of(ast.parse("lambda: a", mode="eval").body)
    probe = Probe({"np": np}, seen=(at_hand["a"], at_hand))
    found = list(insertions_of(site, list(pool_of(Names(("a", "b", "c")))), probe))
    prices = [{f"{i.operation} {i.item.text}": i.item.cost for i in likelier(found, one)}
              for one in (None, known_of(at_hand["a"] * at_hand["c"]), known_of(at_hand["a"]))]  # fmt: skip
    assert prices[0]["* b"] == prices[0]["* c"] == prices[1]["* b"] > prices[1]["* c"]
    assert prices[1]["* c"] < min(prices[0].values())
    # a known value times a number is none the wiser
    assert prices[2]["* 2"] == prices[0]["* 2"]


def test_beside_a_number_that_is_written_a_term_may_be_missing_but_not_beside_a_count() -> None:
    assert "-1 + a" in Beside("-1", {"a": 0.25}, Names(("a",))).texts()
    assert "n + a" not in Beside("n", {"a": 0.25, "n": 3}, Names(("a",))).texts()


def test_a_part_that_is_given_a_number_may_lack_a_factor_but_a_counter_does_not() -> None:
    (definition,) = ast.parse("def g():\n    g[1:] += 200\n    n += 1\n    r = sqrt(0.5)\n").body
    numbers = [one for one in sites_of(definition) if isinstance(one.node, ast.Constant)]
    assert [text_of(one.node) for one in numbers if is_value(one)] == ["200", "0.5"]


def test_a_factor_may_be_missing_in_a_whole_product_and_a_term_in_a_whole_sum() -> None:
    (definition,) = ast.parse("def g():\n    r = a * b / c\n    s = d + e\n").body
    sites = [one for one in sites_of(definition) if is_value(one)]
    fitting = {text_of(one.node): "".join(o for o in "*+" if is_fitting(one, o)) for one in sites}
    assert fitting == {"a * b / c": "*+", "a * b": "+", "a": "+", "b": "+", "c": "+",
                       "d + e": "*+", "d": "*", "e": "*"}  # fmt: skip


def test_what_a_branch_asks_is_no_value() -> None:
    # said was: issparse is missing around what another function is asked of
    (definition,) = ast.parse("def g():\n    if is_flat(a):\n        b = c\n    while more(a):\n        b = d\n").body
    assert [text_of(one.node) for one in sites_of(definition) if is_value(one)] == ["c", "d"]


def test_what_an_array_s_method_takes_is_a_value_but_in_an_index() -> None:
    (definition,) = ast.parse("def g():\n    r = (a * b).ravel() + c.ravel() + d[(e + f).ravel()] + np.exp(0)\n").body
    texts = [text_of(one.node) for one in sites_of(definition) if is_value(one)]
    assert {"a * b", "c"} <= {*texts}
    assert {"e + f", "e", "np"}.isdisjoint(texts)


def test_a_number_is_a_factor_of_a_product_of_matrices_as_a_whole() -> None:
    at_hand = {"a": np.eye(2) + 1.5, "b": np.array([1.5, 2.5]), "c": 0.25}
    (whole, first) = (
        one for one in sites_of(ast.parse("lambda: a @ b", mode="eval").body) if text_of(one.node) in ("a @ b", "a")
    )
    texts = []
    for site, value in ((whole, at_hand["a"] @ at_hand["b"]), (first, at_hand["a"])):
        found = insertions_of(site, list(pool_of(Names(("b", "c")))), Probe({"np": np}, seen=(value, at_hand)))
        texts.append({f"{one.operation} {one.item.text}" for one in found})
    assert "* c" in texts[0]
    assert "* c" not in texts[1]
    assert "* b" in texts[1]


@pytest.mark.parametrize(
    ("own", "more"),
    [
        ("p * np.exp(q * p)", "a * np.exp(q * a)"),
        ("-s * di / b", "-ds * i / b"),
        ("m @ n", "(m @ n).T"),
        ("u1 / v1", "u2 / v2"),
        ("w[:, None]", "w[None, :]"),
        ("m[None, :, :]", "m[:, None, :]"),
    ],
)
def test_what_else_a_sum_has_is_like_what_it_has(own: str, more: str) -> None:
    numbers = dict(zip(("a", "b", "p", "q", "s", "i", "ds", "di"), np.linspace(0.3, 1.7, 8).tolist(), strict=True))
    numbers |= {"u1": 0.1, "v1": 0.2, "u2": 1.1, "v2": 1.2, "w": np.array([0.1, 0.3])}
    at_hand = {**numbers, "m": np.arange(6.0).reshape(2, 3), "n": np.arange(6.0).reshape(3, 2)}
    assert f"{own} + {more}" in Beside(own, at_hand, Names(())).texts()


def test_small_numbers_and_powers_may_be_missing() -> None:
    found = Beside("a", {"a": 0.25}, Names(("a",))).texts()
    assert {f"a {operation} {number}" for operation in "*/" for number in (2, 3, 4)} <= found
    assert {"a ** 2", "a ** 3", "a ** 0.5", "a ** 1.5"} <= found


def test_a_number_of_the_function_may_be_a_term() -> None:
    found = Beside("a", {"a": 0.25}, Names(("a",), numbers=(1, 0.5))).texts()
    assert {"a + 1", "a - 1", "a + 0.5", "a * 0.5", "a / 0.5", "a * 3"} <= found
    assert "a + 3" not in found
    assert "a / 1" not in found


def test_an_index_is_no_factor_and_a_count_has_no_power() -> None:
    found = Beside("a", {"a": 0.25, "i": 3, "b": 4}, Names(("a", "i", "b"), indices=("i",))).texts()
    assert "a / b" in found
    assert not {"a * i", "a / i", "a * i ** 2", "a * (1 - i)"} & found
    counted = Beside("b", {"b": 4}, Names(("b",))).texts()
    assert "b ** 2" not in counted


def test_the_mean_by_probabilities_may_be_missing() -> None:
    p = np.array([[0.25, 0.75], [0.5, 0.5]])
    found = Beside("a", {"a": np.ones((2, 2)), "p": p, "q": 2 * p}, NAMES).texts()
    assert "a - (p * a).sum(axis=1, keepdims=True)" in found
    assert "a - (p * a).sum(axis=0, keepdims=True)" not in found
    assert not [text for text in found if text.startswith("a - (q * a).sum")]


def test_a_number_that_is_missing_is_called_a_constant() -> None:
    (definition,) = ast.parse("def gradient(a):\n    a\n").body
    site = next(one for one in sites_of(definition) if isinstance(one.node, ast.expr))
    probe = Probe({}, seen=(0.25, {"a": 0.25}))
    found = [one.rewrite for one in insertions_of(site, list(pool_of(Names(("a",), numbers=(1,)))), probe)]
    assert "the constant 1 is missing beside {}" in [one.cause for one in found]


def test_a_column_is_not_what_a_row_of_the_same_numbers_is() -> None:
    # of zeros and ones the square has the same bytes
    at_hand = {"a": np.arange(1.0, 7.0).reshape(3, 2), "b": np.array([0.0, 1.0, 1.0])}
    names = Names(("a", "b"), expressions=frozenset({"b * b"}))
    assert "a * b[:, None]" in Beside("a", at_hand, names).texts()


def test_twice_a_value_is_a_term_that_may_be_missing() -> None:
    (definition,) = ast.parse("def gradient(a, b):\n    -a\n").body
    site = next(one for one in sites_of(definition) if isinstance(one.node, ast.expr))
    probe = Probe({}, seen=(-0.25, {"a": 0.25, "b": 0.75}))
    found = [one.rewrite.cause for one in insertions_of(site, list(pool_of(Names(("a", "b")))), probe)]
    assert {"the term 2 * b is missing beside {}", "the term -(2 * b) is missing beside {}"} <= {*found}


def test_what_has_the_same_value_is_tried_once_but_for_names() -> None:
    names = Names(("a", "b", "c"), expressions=frozenset({"b + c", "c + b"}))
    found = Beside("a", {"a": 0.25, "b": 1.5, "c": 1.5}, names).texts()
    assert len({"a * (b + c)", "a * (c + b)"} & found) == 1
    assert {"a * b", "a * c"} <= found


def test_a_number_that_would_do_nothing_is_too_many() -> None:
    assert not {"a = b * 1", "a = b / 1"} & (changed("a = b * 2") | changed("a = b / 2"))
    assert not {"a = b + 0", "a = 0 / b"} & (changed("a = b + 1") | changed("a = 1 / b"))


def test_a_square_in_a_logarithm_is_a_factor() -> None:
    assert "a = np.log(b ** 2)" not in changed("a = np.log(b)")
    assert "a = np.exp(b ** 2)" in changed("a = np.exp(b)")


def test_of_two_functions_that_are_taken_for_one_another_none_is_missing_in_the_other() -> None:
    names = Names(("b",), functions=("np.sum",))
    assert "a = np.mean(np.sum(b))" not in changed("a = np.mean(b)", names)
    assert "a = np.sqrt(np.sum(b))" in changed("a = np.sqrt(b)", names)


def test_a_function_whose_name_holds_that_of_another_may_be_meant() -> None:
    names = Names(("b",), helpers=("gelu", "d_gelu", "ge", "other", "dtanh"))
    assert changed("a = gelu(b)", names) & {f"a = {one}(b)" for one in names.helpers} == {"a = d_gelu(b)"}
    assert "a = dtanh(b)" in changed("a = np.tanh(b)", names)


def test_a_function_of_a_value_that_is_written_there_is_rather_called_by_its_name() -> None:
    source = "def f(s):\n    k = rhs(s)\n    return slope(s + s)\n"
    known = Names(("s", "k"), known=frozenset({"rhs(s)"}), functions=("rhs",))
    assert cost(source, "rhs(s)", known) > cost(source, "k", known)
    # and one that the function has alone is not
    lacking = Names(("s", "k"), known=frozenset({"rhs(s)"}), functions=("rhs",), lacking=frozenset({"rhs(s)"}))
    assert cost(source, "rhs(s)", lacking) < cost(source, "k", lacking)


def cost(source: str, new: str, names: Names) -> float:
    """Return what it costs to put something in place of the first s of a sum."""
    sites = list(sites_of(ast.parse(source).body[0]))
    place = next(site for site in sites if text_of(site.node) == "s" and isinstance(site.owner, ast.BinOp))
    own = [one for one in rewrites_of(sites, names) if one.node is place.node and len(one.changes) == 1]
    return next(one.cost for one in own if text_of(one.changes[0].new) == new)


def test_among_many_names_those_that_are_not_alike_are_rare() -> None:
    source = "def f(s):\n    return s + s\n"
    few = Names(("s", "s_dot", "total", "z"))
    many = Names((*few.variables, *(f"value_{k}" for k in range(30))))
    assert cost(source, "total", few) == cost(source, "z", few)
    assert cost(source, "total", many) > cost(source, "z", many) == cost(source, "z", few)
