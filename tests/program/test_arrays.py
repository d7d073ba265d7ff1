"""Programs of arrays: nodes are shared and folded, and what is built is what NumPy would have moved."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.arithmetic.array_floats import array_floats
from diffcompare.arithmetic.balls import precision
from diffcompare.program.arrays import (
    _ELIMINATION,
    _PRODUCT,
    STRUCTURAL,
    ArrayBuilder,
    contracted,
    interpret_arrays,
    most_held,
    work_of,
)
from diffcompare.program.elements import same_elements

X = np.arange(12.0) + 0.5


def build_of(*shape: int) -> tuple[ArrayBuilder, int]:
    build = ArrayBuilder(12)
    return build, build.reshape(build.variables, shape)


def value(build: ArrayBuilder, node: int) -> Any:
    (found,) = array_floats(build, [node], X)
    assert found.shape == build.shape(node)
    return found.tolist()


A = X.reshape(3, 4)
B = X.reshape(2, 3, 2)
PLACES = np.array([[3, 3, 0], [11, 2, 5]])
MASK = A > 5

# a node of the variables in a shape, and what NumPy makes of it
BUILT: dict[str, tuple[tuple[int, ...], Callable[[ArrayBuilder, int], int], Any]] = {
    "reshape": ((3, 4), lambda b, a: b.reshape(a, (2, 6)), A.reshape(2, 6)),
    "reshape of reshape": ((3, 4), lambda b, a: b.reshape(b.reshape(a, (12,)), (4, 3)), A.reshape(4, 3)),
    "transpose": ((2, 3, 2), lambda b, a: b.transpose(a, (2, 0, 1)), B.transpose(2, 0, 1)),
    "transpose of transpose": ((2, 3, 2), lambda b, a: b.transpose(b.transpose(a, (2, 0, 1)), (1, 0, 2)),
        B.transpose(2, 0, 1).transpose(1, 0, 2)),
    "broadcast": ((1, 12), lambda b, a: b.broadcast(a, (2, 12)), np.broadcast_to(X, (2, 12))),
    "take": ((3, 4), lambda b, a: b.take(a, PLACES), X[PLACES]),
    "take of take": ((3, 4), lambda b, a: b.take(b.take(a, PLACES), np.array([1, 4])), X[[3, 2]]),
    "take of reshape": ((3, 4), lambda b, a: b.take(b.reshape(a, (6, 2)), PLACES), X[PLACES]),
    "take of transpose": ((3, 4), lambda b, a: b.take(b.transpose(a, (1, 0)), PLACES), A.T.reshape(-1)[PLACES]),
    "take in order": ((3, 4), lambda b, a: b.take(a, np.arange(12).reshape(4, 3)), X.reshape(4, 3)),
    "take transposed": ((3, 4), lambda b, a: b.take(a, np.arange(12).reshape(3, 4).T), A.T),
    "take turned": ((3, 4), lambda b, a: b.take(a, np.arange(12).reshape(2, 3, 2).transpose(2, 0, 1)),
        B.transpose(2, 0, 1)),
    "take backwards": ((3, 4), lambda b, a: b.take(a, np.arange(12)[::-1].reshape(3, 4)), X[::-1].reshape(3, 4)),
    "take with an axis of 1": ((3, 4), lambda b, a: b.take(a, np.arange(12).reshape(3, 1, 4).transpose(1, 2, 0)),
        A.reshape(3, 1, 4).transpose(1, 2, 0)),
    "take nothing": ((3, 4), lambda b, a: b.take(a, np.zeros((0, 2), dtype=int)), np.zeros((0, 2))),
    "take a number": ((3, 4), lambda b, a: b.take(a, np.array(7)), X[7]),
    "take of a constant": ((3, 4), lambda b, a: b.take(b.constant(A), PLACES), X[PLACES]),
    "scatter": ((3, 4), lambda b, a: b.scatter(b.take(a, PLACES), PLACES, (3, 4)),
        np.bincount(PLACES.reshape(-1), X[PLACES].reshape(-1), 12).reshape(3, 4)),
    "scatter in order": ((3, 4), lambda b, a: b.scatter(a, np.arange(12), (2, 6)), A.reshape(2, 6)),
    "join": ((3, 4), lambda b, a: b.join([a, b.constant(2.0), a]), np.concatenate([X, [2], X])),
    "join of one": ((3, 4), lambda b, a: b.join([a]), X),
    "join of constants": ((3, 4), lambda b, a: b.join([b.constant(A), b.constant(1)]), np.append(A, 1)),
    "choose": ((3, 4), lambda b, a: b.choose(MASK, a, b.constant(0)), np.where(MASK, A, 0)),
    "choose all": ((3, 4), lambda b, a: b.choose(MASK | True, a, b.constant(0)), A),
    "choose none": ((3, 4), lambda b, a: b.choose(MASK & False, a, b.constant(3)), A * 0 + 3),
    "choose alike": ((3, 4), lambda b, a: b.choose(MASK, a, a), A),
    "choose spread": ((12,), lambda b, a: b.choose(np.array([[True], [False]]), a, b.constant(1)),
        np.stack([X, X * 0 + 1])),
    "total": ((2, 3, 2), lambda b, a: b.total(a, (2, 0)), B.sum((0, 2))),
    "total of single elements": ((1, 12, 1), lambda b, a: b.total(a, (0, 2)), X),
    "total over nothing": ((3, 4), lambda b, a: b.total(a, ()), A),
    "cumulate": ((3, 4), lambda b, a: b.cumulate(a, 0), A.cumsum(0)),
    "cumulate backwards": ((3, 4), lambda b, a: b.cumulate(a, 1, backwards=True), A[:, ::-1].cumsum(1)[:, ::-1]),
    "contract": ((3, 4), lambda b, a: b.contract("ij,kj->ik", a, a), A @ A.T),
    "contract of transposed": ((3, 4), lambda b, a: b.contract("ij,jk->ik", a, b.transpose(a, (1, 0))), A @ A.T),
    "contract with a constant": ((2, 3, 2), lambda b, a: b.contract("aib,ic->abc", a, b.constant(A)),
        np.einsum("aib,ic->abc", B, A)),
    "solve": ((12,), lambda b, a: b.solve(b.constant(np.array([[2.0, 1], [0, 4]])), b.reshape(a, (2, 6))),
        np.linalg.solve([[2.0, 1], [0, 4]], X.reshape(2, 6))),
    "cholesky": ((12,), lambda b, a: b.of_matrix("cholesky", b.constant(np.array([[4.0, 2], [2, 5]]))),
        np.array([[2, 0], [1, 2]])),
    "determinant": ((12,), lambda b, a: b.of_matrix("determinant", b.constant(np.array([[4.0, 2], [0, 5]]))),
        np.linalg.det([[4.0, 2], [0, 5]])),
    "log_determinant": ((12,), lambda b, a: b.of_matrix("log_determinant", b.constant(np.diag([-1.0, 1.0]))),
        np.array(0)),
    "an operation": ((3, 4), lambda b, a: b.raw("multiply", a, b.reshape(b.take(a, np.arange(3)), (3, 1))),
        A * X[:3, None]),
}  # fmt: skip


@pytest.mark.parametrize("name", BUILT)
def test_what_is_built_is_what_numpy_moves(name: str) -> None:
    shape, make, expected = BUILT[name]
    build, node = build_of(*shape)
    assert value(build, make(build, node)) == expected.tolist()


def test_every_structural_operation_has_a_case() -> None:
    assert sorted(name for name in STRUCTURAL - {"variable", "constant"} if name not in BUILT) == []


@pytest.mark.parametrize("name", BUILT)
def test_the_same_is_one_node(name: str) -> None:
    shape, make, _ = BUILT[name]
    build, node = build_of(*shape)
    first = make(build, node)
    count = len(build.nodes)
    assert make(build, node) == first
    assert len(build.nodes) == count


@pytest.mark.parametrize(("name", "operation"), [
    ("reshape of reshape", "reshape"), ("take in order", "reshape"), ("take of take", "take"),
        ("take of reshape", "take"), ("take transposed", "transpose"),
    ("take turned", "transpose"), ("take backwards", "take"), ("take of a constant", "constant"),
        ("scatter in order", "reshape"), ("join of constants", "constant"),
    ("choose all", "reshape"), ("choose none", "broadcast"), ("choose alike", "reshape"),
])  # fmt: skip
def test_what_is_simpler_is_written_so(name: str, operation: str) -> None:
    shape, make, _ = BUILT[name]
    build, node = build_of(*shape)
    assert build.nodes[make(build, node)].operation == operation


def test_arrays_of_the_same_numbers_are_one_node() -> None:
    build = ArrayBuilder(1)
    assert build.constant(A) == build.constant(A.copy()) != build.constant(A.T)
    assert build.constant(A) != build.constant(A.reshape(-1))
    assert build.constant(0.0) != build.constant(-0.0)
    assert build.constant(np.array([0.0])) != build.constant(np.array([-0.0]))


def test_an_array_of_a_program_is_not_changed_from_outside() -> None:
    build, own = ArrayBuilder(12), A.copy()
    node = build.constant(own)
    own[:] = 0
    assert value(build, node) == A.tolist()
    with pytest.raises(ValueError, match="read-only"):
        build.nodes[node].payload[0] = 1


@pytest.mark.parametrize(
    ("number", "folded"),
    [(Fraction(1, 3), Fraction(1, 3)), (2, 2), (0.5, Fraction(1, 2)), (0.1, None), (np.inf, None), (np.nan, None)],
)
def test_only_short_numbers_are_folded(number: Any, folded: Fraction | None) -> None:
    build = ArrayBuilder(1)
    assert build.value(build.constant(number)) == folded


def test_exact_numbers_are_folded() -> None:
    build = ArrayBuilder(1)
    half = build.apply("divide", build.constant(1), build.constant(2))
    assert build.value(half) == Fraction(1, 2)
    assert build.value(build.apply("integer_power", half, payload=3)) == Fraction(1, 8)
    assert build.nodes[build.apply("multiply", build.constant(0.1), half)].operation == "multiply"
    with pytest.raises(ZeroDivisionError):
        build.apply("divide", half, build.constant(0))


def test_an_exact_number_stays_exact_where_elements_of_it_are_taken_or_joined() -> None:
    build, _ = build_of(12)
    third = build.constant(Fraction(1, 3))
    for node in (build.take(third, np.zeros(2, dtype=np.intp)), build.join([third, third])):
        (balls,) = array_balls(build, [node], X, 333)
        with precision(333):
            assert all((3 * ball).contains(1) for ball in balls.tolist())


def test_what_depends_on_the_variables_moves() -> None:
    build, node = build_of(3, 4)
    held = build.constant(A)
    assert build.moving[build.contract("ij,kj->ik", node, held)]
    assert not build.moving[build.contract("ij,kj->ik", held, held)]


def test_letters_of_a_contraction_are_sorted() -> None:
    assert contracted("abi,abj->jab") == ("abi", "abj", "jab", "ab", "", "")
    assert contracted("bik,bkj->bij") == ("bik", "bkj", "bij", "b", "k", "i")


def test_work_counts_elements_and_a_part_of_products() -> None:
    build, node = build_of(3, 4)
    matrix = build.contract("ij,kj->ik", node, node)
    solved, determinant = build.solve(matrix, node), build.of_matrix("determinant", matrix)
    work = {
        matrix: 9 + 12 + 12 + 3 * 3 * 4 // _PRODUCT, node: 0, build.total(node, (0,)): 12, build.raw("sin", node): 12,
        build.take(node, np.array([5])): 1, build.cumulate(node, 0): 12,
        solved: 12 + (9 + 12 * 3) // _ELIMINATION, determinant: 1 + (9 + 3) // _ELIMINATION,
    }  # fmt: skip
    assert {k: work_of(build.nodes, [k]) for k in work} == work
    assert work_of(build.nodes, work) == sum(work.values())


def test_values_are_let_go_after_their_last_use() -> None:
    build, node = build_of(3, 4)
    chain = [node]
    for _ in range(5):
        chain.append(build.raw("sin", chain[-1]))
    alive: list[int] = []

    class Held:
        def __init__(self) -> None:
            alive.append(1)

        def __del__(self) -> None:
            alive.pop()

    def apply(*_: Any) -> Held:
        assert len(alive) <= 2
        return Held()

    order = build.needed([chain[-1]])
    found = interpret_arrays(build.nodes, order, [chain[-1]], lambda *_: Held(), apply)
    assert list(found) == [chain[-1]]


def test_nodes_are_copied_with_others_in_their_place() -> None:
    build, node = build_of(3, 4)
    root = build.total(build.raw("multiply", node, build.raw("sin", node)), (0, 1))
    (same,) = build.copied([root], {})
    assert same == root
    (other,) = build.copied([root], {build.raw("sin", node): build.constant(A)})
    assert value(build, other) == float(np.sum(A * A))


def test_shapes_that_do_not_fit_are_refused() -> None:
    build, node = build_of(3, 4)
    with pytest.raises(ValueError, match="broadcast"):
        build.raw("add", node, build.variables)


def test_elements_that_are_moved_are_the_same() -> None:
    build, node = build_of(3, 4)
    sine = build.raw("sin", node)
    turned = build.transpose(build.broadcast(build.reshape(sine, (3, 1, 4)), (3, 2, 4)), (1, 0, 2))
    chosen = build.choose(MASK, sine, build.constant(A))
    joined = build.join([build.constant(1.0), build.take(sine, PLACES)])
    assert same_elements(build, sine, turned).all()
    assert same_elements(build, chosen, sine).tolist() == MASK.tolist()
    assert same_elements(build, build.reshape(sine, (12, 1)), joined).sum() == PLACES.size
    assert not same_elements(build, sine, build.raw("negative", sine)).any()
    assert not same_elements(build, build.raw("negative", node), sine).any()
    assert same_elements(build, build.raw("sin", build.constant(0.5)), build.raw("sin", build.constant(0.5))).all()


def test_what_is_held_at_once_is_counted() -> None:
    build, node = build_of(3, 4)
    chain = build.total(build.raw("sin", build.raw("exp", node)), (0, 1))
    # the variables, their matrix and one array more; a node of one number
    assert most_held(build.nodes, build.needed([chain]), [chain]) == 24
    both = [chain, node]
    assert most_held(build.nodes, build.needed(both), both) == 36
    # what is used again is held until then
    product = build.apply("multiply", build.raw("exp", node), node)
    assert most_held(build.nodes, build.needed([product]), [product]) == 36
