"""Balls of programs of arrays: systems beside fractions, contractions of all layouts, edges of domains."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, fmpq, fmpq_mat

from diffcompare.arithmetic import array_balls as module
from diffcompare.arithmetic.array_balls import STRIP, array_balls, as_balls, nearest_floats, switches_of
from diffcompare.arithmetic.balls import BALL_OPERATIONS, precision, round_ball
from diffcompare.program.arrays import ArrayBuilder

BITS = 200


def exact(matrix: Any) -> fmpq_mat:
    rows, columns = np.shape(matrix)
    return fmpq_mat(rows, columns, [fmpq(*Fraction(v).as_integer_ratio()) for v in np.ravel(matrix).tolist()])


def contained(balls: Any, truth: Any) -> bool:
    """Tell whether narrow balls contain numbers."""
    with precision(2 * BITS):
        flat = [arb(t) if isinstance(t, fmpq) else t for t in truth]
        return all(
            b.overlaps(t) and float(b.rad()) <= 2.0 ** (60 - BITS) * (1 + abs(float(b.mid())))
            for b, t in zip(balls.reshape(-1).tolist(), flat, strict=True)
        )


def run(build: ArrayBuilder, node: int, bits: int = BITS) -> Any:
    (found,) = array_balls(build, [node], np.zeros(1), bits)
    assert found.shape == build.shape(node)
    return found


def matrices() -> Iterator[tuple[str, Any]]:
    random = np.random.default_rng(11)
    for n in (1, 2, 5, 23, 24, 25, 49):
        full = random.normal(size=(n, n))
        yield f"full {n}", full + np.sqrt(n) * np.eye(n)
        yield f"lower {n}", np.tril(full) + 2 * np.eye(n)
        yield f"upper {n}", np.triu(full) - 2 * np.eye(n)
        yield f"diagonal {n}", np.diag(random.uniform(1, 2, n))
        yield f"symmetric {n}", full @ full.T + np.eye(n)
        yield f"permuted {n}", np.eye(n)[random.permutation(n)] * 3


MATRICES = dict(matrices())


@pytest.mark.parametrize("name", MATRICES)
def test_systems_are_solved(name: str) -> None:
    matrix = MATRICES[name]
    right = np.random.default_rng(12).normal(size=(len(matrix), 2))
    build = ArrayBuilder(1)
    found = run(build, build.solve(build.constant(matrix), build.constant(right)))
    assert contained(found, exact(matrix).solve(exact(right)).entries())


@pytest.mark.parametrize("name", MATRICES)
def test_determinants_are_those_of_fractions(name: str) -> None:
    build, matrix = ArrayBuilder(1), MATRICES[name]
    held = build.constant(matrix)
    det = exact(matrix).det()
    assert contained(run(build, build.of_matrix("determinant", held)), [det])
    with precision(BITS):
        assert contained(run(build, build.of_matrix("log_determinant", held)), [abs(arb(det)).log()])


@pytest.mark.parametrize("name", [name for name in MATRICES if "symmetric" in name or "diagonal" in name])
def test_the_square_of_a_cholesky_factor_is_the_matrix(name: str) -> None:
    build, matrix = ArrayBuilder(1), (MATRICES[name] + MATRICES[name].T) / 2
    factor = build.of_matrix("cholesky", build.constant(matrix))
    found = run(build, factor)
    n = len(matrix)
    assert all(found[i, j].is_zero() for i, j in itertools.combinations(range(n), 2))
    assert all(found[i, i] > 0 for i in range(n))
    assert contained(run(build, build.contract("ik,jk->ij", factor, factor)), exact(matrix).entries())


@pytest.mark.parametrize(
    "matrix",
    [np.zeros((2, 2)), np.array([[1.0, 2], [2, 4]]), -np.eye(3), np.array([[1.0, 3], [3, 1]]), np.diag([1.0, 0])],
)
def test_what_is_not_defined_is_nan(matrix: Any) -> None:
    build = ArrayBuilder(1)
    held = build.constant(matrix)
    singular = not np.linalg.det(matrix)
    solved = run(build, build.solve(held, build.constant(np.eye(len(matrix)))))
    assert any(not b.is_finite() for b in solved.reshape(-1)) == singular
    assert run(build, build.of_matrix("log_determinant", held))[()].is_finite() == (not singular)
    assert not any(b.is_finite() for b in run(build, build.of_matrix("cholesky", held)).reshape(-1))


def test_a_matrix_that_may_be_singular_is_not_solved() -> None:
    build = ArrayBuilder(1)
    # 1/3 as a ball: the second row is the first
    third = build.raw("divide", build.constant(1), build.constant(3))
    row = build.reshape(build.join([third, build.constant(np.array([2.0]))]), (1, 2))
    matrix = build.reshape(build.join([row, row]), (2, 2))
    assert not any(b.is_finite() for b in run(build, build.solve(matrix, build.constant(np.eye(2)))).reshape(-1))


SIZES = {"a": 2, "b": 3, "c": 4, "d": 2, "e": 1}


def layouts() -> list[str]:
    """List contractions: every letter that is summed over stands in both operands, in every order of axes."""
    found = []
    for first, second in itertools.product(
        ["ab", "abc", "acb", "cab", "bca", "a", "bd", "", "abe"],
        ["b", "ab", "bc", "cb", "cbd", "dbc", "adb", "e", "eb"],
    ):
        both = [c for c in first if c in second]
        alone = [c for c in first + second if c not in both]
        for kept in range(len(both) + 1):
            result = "".join(dict.fromkeys([*alone, *both[:kept]]))
            orders = dict.fromkeys((result, result[::-1], "".join(sorted(result))))
            found += [f"{first},{second}->{order}" for order in orders]
    return found


@pytest.mark.parametrize("few", [False, True], ids=["matrices", "elements"])
def test_contractions_of_all_layouts(few: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if few:
        monkeypatch.setattr(module, "_MATRICES", 0)
        monkeypatch.setattr(module, "_PRODUCTS", 10**9)
    random = np.random.default_rng(13)
    for subscripts in layouts():
        first, second = subscripts.partition("->")[0].split(",")
        one, two = (random.integers(-9, 9, [SIZES[c] for c in name]).astype(float) for name in (first, second))
        for turned in (False, True):
            build = ArrayBuilder(1)
            held = [build.constant(v) if v.ndim else build.constant(float(v)) for v in (one, two)]
            if turned:
                # balls in place of floats
                held = [build.raw("negative", build.raw("negative", i)) for i in held]
            found = run(build, build.contract(subscripts, *held))
            expected = np.einsum(subscripts, one, two)
            assert [float(b) for b in found.reshape(-1)] == expected.reshape(-1).tolist(), subscripts


def test_matrices_that_are_converted_once_are_not_mixed_up() -> None:
    build = ArrayBuilder(1)
    a = np.arange(6.0).reshape(2, 3)
    held = build.constant(a)
    roots = [
        build.contract(s, held, held)
        for s in ("ij,kj->ik", "ij,ik->jk", "ij,kj->ki", "ij,ij->ij", "ij,ij->j", "ij,ij->", "ij,kl->iljk")
    ]
    found = array_balls(build, roots, np.zeros(1), BITS)
    for root, balls in zip(roots, found, strict=True):
        assert [float(b) for b in balls.reshape(-1)] == np.einsum(build.nodes[root].payload, a, a).reshape(-1).tolist()


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_nothing_sums_to_0(shape: tuple[int, ...]) -> None:
    build = ArrayBuilder(1)
    empty = build.constant(np.zeros(shape))
    letters = "ab"[: len(shape)]
    assert [v == 0 for v in run(build, build.total(empty, range(len(shape)))).reshape(-1)] == [True]
    assert [v == 0 for v in run(build, build.contract(f"{letters},{letters}->", empty, empty)).reshape(-1)] == [True]
    assert run(build, build.cumulate(empty, 0)).shape == shape


def test_values_are_enclosed_whatever_the_precision() -> None:
    build = ArrayBuilder(2)
    root = build.raw("exp", build.raw("divide", build.variables, build.constant(3)))
    wide, narrow = (array_balls(build, [root], np.array([0.1, -700.0]), bits)[0] for bits in (53, 2700))
    with precision(2700):
        assert all(w.contains(n) for w, n in zip(wide, narrow, strict=True))


def test_the_point_may_be_of_balls() -> None:
    build = ArrayBuilder(1)
    root = build.raw("sin", build.variables)
    other = build.raw("negative", build.variables)
    point = as_balls(np.array([0.5]))
    (found,) = array_balls(build, [other], point, BITS)
    assert float(found[0]) == -0.5
    assert build.shape(root) == (1,)


@pytest.mark.parametrize(("operation", "inside", "edge"), [
    ("sqrt", [0.5, 2.0], [0.0, 1.0]), ("cbrt", [1.0, -1.0], [1.0, 0.0]), ("asin", [0.5, 0.0], [1.0, 0.5]),
    ("acosh", [1.5, 2.0], [2.0, 1.0]),
])  # fmt: skip
def test_edges_of_domains_are_seen(operation: str, inside: list[float], edge: list[float]) -> None:
    build = ArrayBuilder(2)
    root = build.raw(operation, build.variables)
    (found,) = switches_of(build, [root])
    assert found.operation == operation
    for point, answer in ((inside, True), (edge, False)):
        (value,) = array_balls(build, [found.node], np.array(point), BITS)
        assert found.is_inside(value) == answer


def test_operations_of_constants_have_no_edges() -> None:
    build = ArrayBuilder(2)
    root = build.raw("multiply", build.raw("sqrt", build.constant(0.0)), build.variables)
    assert switches_of(build, [root]) == []


def objects(balls: list[arb]) -> Any:
    found = np.empty(len(balls), dtype=object)
    found[:] = balls
    return found


def many_balls() -> list[arb]:
    """Balls of all sizes and widths, some at ties, at 0, at the smallest and the largest floats."""
    random, half = np.random.default_rng(3), arb(2) ** -53
    middles = [arb(v) for v in (0.0, 1.0, -1.0, 2.0**-1074, -(2.0**-1022), 1.5 * 2.0**-1022, 1.7e308)]
    middles += [1 + half, 1 - half / 2, -1 - half, arb(2) ** -1075, arb(2) ** 1024, arb(2) ** 2000, arb(1) / 3]
    middles += [arb(v).sin() for v in random.normal(size=40).tolist()]
    widths = (0, 1e-90, 1e-30, 2.0**-70, 2.0**-54, 0.1, 3.0)
    return [m + arb(0, w) for m in middles for w in widths] + [arb.nan(), arb("inf"), arb(0, 2.0**-1074)]


def test_balls_are_rounded_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STRIP", 16)
    with precision(BITS):
        balls = many_balls()
        alone = [round_ball(v) for v in balls]
        floats, certain = nearest_floats(objects(balls))
    assert certain.tolist() == [one is not None for one in alone]
    assert [repr(v) for v, known in zip(floats.tolist(), certain, strict=True) if known] == [
        repr(one) for one in alone if one is not None
    ]
    assert 100 < certain.sum() < len(balls)


@pytest.mark.parametrize("n", [-2, 1, 2, 3, 4])
@pytest.mark.parametrize("size", [len(many_balls()), STRIP + 1])
def test_powers_are_those_of_one_by_one(n: int, size: int) -> None:
    with precision(BITS):
        balls = many_balls()
        balls = [balls[k % len(balls)] for k in range(size)]
        expected = [BALL_OPERATIONS["integer_power"](v, n) for v in balls]
    build = ArrayBuilder(size)
    node = build.raw("integer_power", build.variables, payload=n)
    (found,) = array_balls(build, [node], objects(balls), BITS)
    assert [v.str(70, more=True) for v in found.tolist()] == [v.str(70, more=True) for v in expected]
