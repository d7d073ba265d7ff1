"""The degree of a program as a polynomial is never too low."""

import random

import pytest
import sympy

import diffcompare as dc
from diffcompare.program.dag import Builder
from diffcompare.program.degree import polynomial_degree

X, Y = sympy.symbols("x y")


def degree(text: str, variable: int = 0) -> int | None:
    return polynomial_degree(dc.parse(text, variables=["x", "y"]).program, variable)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.7", 0),
        ("y", 0),
        ("x", 1),
        ("-x", 1),
        ("x + y", 1),
        ("0.1*x - 7/3", 1),
        ("x*y", 1),
        ("x**2/3", 2),
        ("x**2/y", 2),
        ("x/(1 + y**2)*x", 2),
        ("x**5*x**2", 7),
        ("(x + y)**3*(x - 1)", 4),
        ("x**0", 0),
        ("sin(y)*x**2 + exp(y)", 2),
        ("abs(y)*x + max(y, 2)*x**2", 2),
        ("where(y < 1, y, 2)*x", 1),
    ],
)
def test_degree_of_polynomials(text: str, expected: int) -> None:
    assert degree(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "1/x",
        "y/x",
        "x**-1",
        "x**0.5",
        "2**x",
        "sqrt(x)",
        "sin(x)",
        "abs(x)",
        "max(x, 0)",
        "sign(x)",
        "where(x < 1, x, 2)",
        "where(x < y, 1, 2)",
        "x + abs(x)",
        "x*sin(x)",
        "(1/x)**2",
        "atan2(x, y)",
        "hypot(x, 0)",
        "where(y < 1, x, x**2)",
    ],
)
def test_what_is_not_seen_to_be_a_polynomial_has_no_degree(text: str) -> None:
    assert degree(text) is None


def test_degree_of_the_other_variable() -> None:
    assert degree("x**3*y + sin(x)", 1) == 1
    assert degree("x**3*sin(y)", 1) is None


def test_cancelled_terms_may_leave_it_too_high_never_too_low() -> None:
    assert degree("x**3 - x**3 + x") == 3
    assert degree("0*x**3 + 1") in (0, 3)


def test_degree_of_sums_and_dot_products() -> None:
    build = Builder(("x", "y"))
    x, y = build.variable(0), build.variable(1)
    square = build.apply("multiply", x, x)
    total = build.program([build.apply("sum", x, y, square)])
    assert polynomial_degree(total, 0) == 2
    assert polynomial_degree(total, 1) == 1
    product = build.program([build.apply("dot", x, square, y, x, square, y)])
    # x·x + x²·x² + y·y
    assert polynomial_degree(product, 0) == 4
    assert polynomial_degree(product, 1) == 2


def random_text(rng: random.Random) -> tuple[str, sympy.Expr]:
    pool = [("x", X), ("y", Y), ("3", sympy.Integer(3)), ("0.5", sympy.Rational(1, 2)), ("x", X)]
    for _ in range(rng.randint(1, 7)):
        (a, u), (b, v) = rng.choice(pool[-3:]), rng.choice(pool)
        n = rng.randint(0, 3)
        pool.append(
            rng.choice(
                [
                    (f"(({a}) + ({b}))", u + v),
                    (f"(({a}) - ({b}))", u - v),
                    (f"(({a})*({b}))", u * v),
                    (f"(({a})**{n})", u**n),
                    (f"(-({a}))", -u),
                    (f"(({a})/(2 + y**2))", u / (2 + Y**2)),
                    (f"(({a}) + sin(y))", u + sympy.sin(Y)),
                ]
            )
        )
    return pool[-1]


def test_degree_is_never_below_that_of_sympy() -> None:
    rng = random.Random(6)
    seen = 0
    for _ in range(400):
        text, expr = random_text(rng)
        found = degree(text)
        if found is None or found > 12:
            continue
        true = sympy.degree(sympy.expand(expr), X) if expr.has(X) else 0
        # the degree of 0 is −∞ there
        assert true == -sympy.oo or found >= true, text
        seen += 1
    assert seen > 150


@pytest.mark.parametrize("scheme", ["forward", "central"])
def test_a_degree_that_the_scheme_reproduces_means_no_truncation(scheme: str) -> None:
    rng = random.Random(7)
    order = {"forward": 1, "central": 2}[scheme]
    checked = 0
    while checked < 25:
        text, expr = random_text(rng)
        found = degree(text)
        if found is None or found > order:
            continue
        h, x, y = sympy.Rational(1, 3), sympy.Rational(7, 5), sympy.Rational(1, 2)
        above, below = X + h, X - h if scheme == "central" else X
        quotient = (expr.subs(X, above) - expr.subs(X, below)) / (above - below)
        gap = (quotient - sympy.diff(expr, X)).subs({X: x, Y: y})
        assert sympy.simplify(gap) == 0, text
        checked += 1
