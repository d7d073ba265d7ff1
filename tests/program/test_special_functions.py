"""The rows of the special functions: partials are SymPy's derivatives, names mean what SymPy's and SciPy's mean."""

from fractions import Fraction

import mpmath
import pytest
import sympy

from diffcompare.errors import UnsupportedFunction
from diffcompare.program import special_functions
from diffcompare.program.dag import Builder, Term
from diffcompare.program.operations import OPERATIONS, partial_terms
from diffcompare.program.special_functions import NAMED, ROWS, SOFT_NAMES, named_term

X, Y = sympy.symbols("x y", real=True)
ANY = ["-7/3", "1/9", "5/4"]
POSITIVE = ["1/9", "5/4", "11/3"]
INSIDE = ["-7/8", "1/9", "6/7"]
NOT_0 = ["-7/3", "1/9", "5/4"]

# the operation as SymPy writes it (of a parameter n), the parameters, points of its domain
UNARY = {
    "erf": (sympy.erf(X), ANY),
    "erfc": (sympy.erfc(X), ANY),
    "erfi": (sympy.erfi(X), ANY),
    "erfinv": (sympy.erfinv(X), INSIDE),
    "gamma": (sympy.gamma(X), ["-7/3", "1/9", "5/4"]),
    "loggamma": (sympy.loggamma(X), POSITIVE),
    "gammaln": (sympy.log(sympy.gamma(X)), POSITIVE),
    "digamma": (sympy.digamma(X), ["-7/3", "1/9", "5/4"]),
    "sinc": (sympy.sin(X) / X, POSITIVE),
    "airyai": (sympy.airyai(X), ANY),
    "airyaiprime": (sympy.airyaiprime(X), ANY),
    "airybi": (sympy.airybi(X), ANY),
    "airybiprime": (sympy.airybiprime(X), ANY),
    "lambertw": (sympy.LambertW(X), ["-1/4", "1/9", "5/4"]),
    "lambertw_lower": (sympy.LambertW(X, -1), ["-1/4", "-1/9"]),
    "Ei": (sympy.Ei(X), NOT_0),
    "Si": (sympy.Si(X), NOT_0),
    "Ci": (sympy.Ci(X), POSITIVE),
    "fresnels": (sympy.fresnels(X), ANY),
    "fresnelc": (sympy.fresnelc(X), ANY),
    "floor": (sympy.Integer(0), NOT_0),
    "ceiling": (sympy.Integer(0), NOT_0),
}
WITH_PARAMETER = {
    "polygamma": (lambda n: sympy.polygamma(n, X), ["1", "3"], POSITIVE),
    "gammainc": (lambda s: sympy.lowergamma(s, X) / sympy.gamma(s), ["1/2", "3"], POSITIVE),
    "gammaincc": (lambda s: sympy.uppergamma(s, X) / sympy.gamma(s), ["1/2", "3"], POSITIVE),
    "besselj": (lambda n: sympy.besselj(n, X), ["0", "1/3", "2"], POSITIVE),
    "bessely": (lambda n: sympy.bessely(n, X), ["0", "1/3", "2"], POSITIVE),
    "besseli": (lambda n: sympy.besseli(n, X), ["0", "1/3", "2"], POSITIVE),
    "besselk": (lambda n: sympy.besselk(n, X), ["0", "1/3", "2"], POSITIVE),
    "spherical_jn": (
        lambda n: sympy.sqrt(sympy.pi / (2 * X)) * sympy.besselj(n + sympy.Rational(1, 2), X),
        ["0", "1", "3"],
        POSITIVE,
    ),
    "hurwitz_zeta": (lambda s: sympy.zeta(s, X), ["5/2", "4"], POSITIVE),
    "expint": (lambda n: sympy.expint(n, X), ["1", "3"], POSITIVE),
}
BY_ORDER = {
    "zeta": (lambda x, k: mpmath.zeta(x, 1, k), ["3", "1/2"]),
    "elliptic_k": (lambda x, k: mpmath.diff(mpmath.ellipk, x, k), ["1/3", "-2", "0"]),
    "elliptic_e": (lambda x, k: mpmath.diff(mpmath.ellipe, x, k), ["1/3", "-2", "0"]),
    "polylog": (lambda x, k: mpmath.diff(lambda t: mpmath.polylog(3, t), x, k), ["1/3", "-2"]),
}


def number(node) -> sympy.Rational:
    fraction = Fraction(node.payload)
    return sympy.Rational(fraction.numerator, fraction.denominator)


ELEMENTARY = {name: getattr(sympy, name) for name in ("exp", "log", "sqrt", "sin", "cos", "sinh")}
RULES = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negative": lambda a: -a,
    "pi": lambda: sympy.pi,
    "undefined": lambda: sympy.nan,
    "beta": lambda a, b: sympy.gamma(a) * sympy.gamma(b) / sympy.gamma(a + b),
}


def evaluate(term: Term, point: list[sympy.Rational]) -> sympy.Expr:
    """Carry a term out in SymPy's functions."""
    values: list = []
    for node in term.builder.nodes[: term.index + 1]:
        operands = [values[i] for i in node.operands]
        name = node.operation
        if name == "constant":
            values.append(number(node))
        elif name == "variable":
            values.append(point[int(node.payload)])
        elif name in RULES:
            values.append(RULES[name](*operands))
        elif name in ELEMENTARY:
            values.append(ELEMENTARY[name](*operands))
        elif name in UNARY:
            values.append(UNARY[name][0].subs(X, operands[0]))
        else:
            # an operand of order -1 stands for nothing that is used
            values.append(WITH_PARAMETER[name][0](operands[0]).subs(X, operands[1]))
    return values[term.index]


def agree(one, other) -> bool:
    one, other = (sympy.sympify(v).evalf(70) for v in (one, other))
    return bool(abs(one - other) <= abs(other) * sympy.Rational(1, 10**50))


def test_every_special_row_is_covered():
    assert {row.name for row in ROWS} == set(UNARY) | set(WITH_PARAMETER) | set(BY_ORDER) | {"beta"}


@pytest.mark.parametrize(("name", "point"), [(name, p) for name, (_, points) in UNARY.items() for p in points])
def test_partial_is_the_derivative_of_sympy(name, point):
    build = Builder(("x",))
    x = Term(build, build.variable(0))
    (partial,) = partial_terms(name, None, x.apply(name), [x])
    at = sympy.Rational(point)
    assert agree(evaluate(partial, [at]), sympy.diff(UNARY[name][0], X).subs(X, at))


@pytest.mark.parametrize(
    ("name", "n", "point"),
    [(name, n, p) for name, (_, ns, points) in WITH_PARAMETER.items() for n in ns for p in points],
)
def test_partial_with_a_parameter_is_the_derivative_of_sympy(name, n, point):
    build = Builder(("x",))
    parameter, x = Term(build, build.constant(Fraction(n))), Term(build, build.variable(0))
    undefined, partial = partial_terms(name, None, parameter.apply(name, x), [parameter, x])
    at = sympy.Rational(point)
    assert agree(evaluate(partial, [at]), sympy.diff(WITH_PARAMETER[name][0](sympy.Rational(n)), X).subs(X, at))
    # nothing may be concluded from the derivative in a parameter
    assert build.nodes[undefined.index].operation == "undefined"


@pytest.mark.parametrize("point", [("1/3", "5/2"), ("4", "1/9"), ("-5/3", "3/4")])
def test_partials_of_beta_are_the_derivatives_of_sympy(point):
    build = Builder(("x", "y"))
    operands = [Term(build, build.variable(i)) for i in range(2)]
    at = [sympy.Rational(p) for p in point]
    expr = sympy.gamma(X) * sympy.gamma(Y) / sympy.gamma(X + Y)
    for partial, symbol in zip(
        partial_terms("beta", None, operands[0].apply("beta", operands[1]), operands), (X, Y), strict=True
    ):
        assert agree(evaluate(partial, at), sympy.diff(expr, symbol).subs({X: at[0], Y: at[1]}))


@pytest.mark.parametrize(("name", "point"), [(name, p) for name, (_, points) in BY_ORDER.items() for p in points])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_partial_by_order_is_the_next_derivative(name, point, order):
    from diffcompare.arithmetic.balls import BALL_OPERATIONS, ball, precision

    build = Builder(("x",))
    x = Term(build, build.variable(0))
    operands = [x] if OPERATIONS[name].arity == 1 else [Term(build, build.constant(3)), x]
    *_, partial = partial_terms(name, order or None, x, operands)
    node = build.nodes[partial.index]
    assert (node.operation, node.payload, node.operands) == (name, order + 1, tuple(o.index for o in operands))
    with precision(200), mpmath.workdps(50):
        parameters = [ball(3)] if len(operands) == 2 else []
        value = BALL_OPERATIONS[name](*parameters, ball(Fraction(point)), order + 1)
        expected = BY_ORDER[name][0](mpmath.mpf(Fraction(point).numerator) / Fraction(point).denominator, order + 1)
        assert (
            abs(mpmath.mpf(value.mid().str(45, radius=False)) - expected.real) <= abs(expected) * mpmath.mpf(10) ** -30
        )


def test_a_wrong_partial_is_told_apart():
    at = sympy.Rational(5, 4)
    right = sympy.diff(sympy.besselj(0, X), X).subs(X, at)
    for wrong in (-right, 2 * right, sympy.besselj(0, at), right * (1 + sympy.Rational(1, 10**45))):
        assert not agree(wrong, right)


def applied(name: str, *arguments: Fraction | str) -> tuple[Builder, Term]:
    build = Builder(("x", "y"))
    index = {"x": 0, "y": 1}
    operands = [Term(build, build.variable(index[a]) if isinstance(a, str) else build.constant(a)) for a in arguments]
    return build, named_term(name, operands)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("besselj", ("x", "y"), "besselj: the first argument must be a constant"),
        ("gammainc", ("y", "x"), "gammainc: the first argument must be a constant"),
        ("polylog", ("x", "x"), "polylog: the first argument must be a constant"),
        ("polygamma", ("x", "y"), "polygamma: the first argument must be a whole number >= 0"),
        ("polygamma", (Fraction(1, 2), "x"), "polygamma: the first argument must be a whole number >= 0, not 0.5"),
        ("legendre", ("x", "y"), "legendre: the first argument must be a whole number >= 0"),
        ("hermite", (Fraction(101), "x"), "hermite: the degree goes to 100, not 101"),
        ("gammaincc", (Fraction(-1), "x"), "gammaincc: the first argument must be positive, not -1.0"),
        ("zeta", (Fraction(1, 2), "x"), "zeta: the first argument of two must be above 1, not 0.5"),
        ("LambertW", ("x", Fraction(1)), "LambertW: the real branches are 0 and -1"),
        ("LambertW", ("x", "y"), "LambertW: the real branches are 0 and -1"),
        ("expint", (Fraction(-1), "x"), "expint: the first argument must be a whole number >= 0, not -1.0"),
    ],
)
def test_parameters_that_are_refused(name, arguments, message):
    with pytest.raises(UnsupportedFunction, match=message):
        applied(name, *arguments)


def test_a_constant_formula_is_a_parameter():
    build = Builder(("x",))
    root = Term(build, build.constant(2)).apply("sqrt")
    term = named_term("besselj", [root, Term(build, build.variable(0))])
    assert build.nodes[term.index].operands == (root.index, build.variable(0))


def test_names_stand_for_the_operation():
    for name, expected in [
        ("jv", "besselj"),
        ("j0", "besselj"),
        ("psi", "digamma"),
        ("expi", "Ei"),
        ("ellipk", "elliptic_k"),
    ]:
        arguments = (Fraction(0), "x") if NAMED[name].counts == (2,) else ("x",)
        build, term = applied(name, *arguments)
        assert build.nodes[term.index].operation == expected
    build, term = applied("polygamma", Fraction(0), "x")
    assert build.nodes[term.index].operation == "digamma"


@pytest.mark.parametrize("name", ["legendre", "chebyshevt", "chebyshevu", "hermite", "laguerre"])
@pytest.mark.parametrize("degree", [0, 1, 2, 7])
def test_orthogonal_polynomials_are_those_of_sympy(name, degree):
    _, term = applied(name, Fraction(degree), "x")
    at = sympy.Rational(7, 5)
    values: list = []
    for node in term.builder.nodes[: term.index + 1]:
        operands = [values[i] for i in node.operands]
        leaf = at if node.operation == "variable" else number(node) if node.operation == "constant" else None
        values.append(RULES[node.operation](*operands) if leaf is None else leaf)
    assert values[term.index] == getattr(sympy, name)(degree, at)


def test_soft_names_are_names():
    assert set(NAMED) >= SOFT_NAMES


def test_a_function_that_is_there_is_not_looked_for_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    build, asked = Builder(("x",)), []
    x = Term(build, build.variable(0))
    first = named_term("k1", [x])
    for k in range(50):
        named_term("k1", [x + k])
    known = special_functions.needed_nodes
    monkeypatch.setattr(special_functions, "needed_nodes", lambda *a: (asked.append(1), known(*a))[1])
    assert named_term("k1", [x]).index == first.index
    assert len(asked) == 1
