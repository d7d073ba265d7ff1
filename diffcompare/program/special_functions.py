"""Special functions: their rows of the operations table, their names, and what is written with other operations.

The partial derivatives are those of DLMF 5.2, 5.12.1 (gamma, beta), 5.15.1 (polygamma), 6.2 (Ei, Si, Ci), 7.2 (error
functions and Fresnel), 8.8.13 (incomplete gamma), 8.19.13 (generalised exponential integral), 9.2.1 (Airy), 10.6.1,
10.29.1, 10.51.2 (Bessel), 4.13.4 (Lambert), 25.11.17 (Hurwitz); a test proves each equal to SymPy's.

A parameter (the order of a Bessel function) is a constant: the derivative in it has no closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from diffcompare.errors import UnsupportedFunction, shorten
from diffcompare.program.dag import Term, needed_nodes
from diffcompare.program.operation import Kind, Operation, Partials

__all__ = ["NAMED", "ROWS", "SOFT_NAMES", "Named", "named_term"]

# a polynomial of higher degree is too long a program
_DEGREE = 100


def _pi(x: Term) -> Term:
    return Term(x.builder, x.builder.apply("pi"))


def _no_partial(x: Term) -> Term:
    return Term(x.builder, x.builder.apply("undefined"))


def _gauss(factor: int, sign: int) -> Partials:
    # ±2/√π·exp(∓x²), DLMF 7.2.1
    return lambda y, x: (factor * (2 / _pi(x).apply("sqrt")) * (sign * (x * x)).apply("exp"),)


def _digamma(x: Term) -> Term:
    return x.apply("digamma")


def _beta(y: Term, a: Term, b: Term) -> tuple[Term, ...]:
    whole = _digamma(a + b)
    return y * (_digamma(a) - whole), y * (_digamma(b) - whole)


def _incomplete(sign: int) -> Partials:
    def partials(y: Term, s: Term, x: Term) -> tuple[Term, ...]:
        density = ((s - 1) * x.apply("log") - x - s.apply("loggamma")).apply("exp")
        return _no_partial(x), density if sign > 0 else -density

    return partials


def _bessel(name: str, below: int, above: int) -> Partials:
    def partials(y: Term, n: Term, x: Term) -> tuple[Term, ...]:
        return _no_partial(x), (below * (n - 1).apply(name, x) + above * (n + 1).apply(name, x)) / 2

    return partials


def _spherical(y: Term, n: Term, x: Term) -> tuple[Term, ...]:
    above = (n + 1) * (n + 1).apply("spherical_jn", x)
    if n.value == 0:
        return _no_partial(x), -above
    return _no_partial(x), (n * (n - 1).apply("spherical_jn", x) - above) / (2 * n + 1)


def _fresnel(function: str) -> Partials:
    return lambda y, x: ((_pi(x) * (x * x) / 2).apply(function),)


def _lambert(y: Term, x: Term) -> tuple[Term, ...]:
    # W/(x(1 + W)) without the quotient that has no value at 0
    return ((-y).apply("exp") / (1 + y),)


# whether SciPy has complex floats of it (it has none of gammaln, beta, polygamma, elliptic integrals …)
_REAL, _PLANE = Kind.SPECIAL, Kind.SPECIAL | Kind.ANALYTIC
_STEP = Kind.PIECEWISE | Kind.EXACT
_NOT_A_POLE, _POSITIVE = "no integer <= 0", "argument > 0"

ROWS = (
    # error functions
    Operation("erf", 1, _PLANE, ("erf",), "erf", _gauss(1, -1)),
    Operation("erfc", 1, _PLANE, ("erfc",), "erfc", _gauss(-1, -1)),
    Operation("erfi", 1, _PLANE, ("erfi",), "erfi", _gauss(1, 1)),
    Operation(
        "erfinv",
        1,
        _REAL,
        ("erfinv",),
        "erfinv",
        lambda y, x: (_pi(x).apply("sqrt") / 2 * (y * y).apply("exp"),),
        "",
        "argument in (-1, 1)",
    ),
    # gamma functions
    Operation("gamma", 1, _PLANE, ("gamma",), "gamma", lambda y, x: (y * _digamma(x),), "", _NOT_A_POLE),
    Operation("loggamma", 1, _PLANE, ("loggamma",), "loggamma", lambda y, x: (_digamma(x),), "", _POSITIVE),
    # log|Γ|, which is real left of 0 too
    Operation("gammaln", 1, _REAL, ("gammaln", "lgamma"), "", lambda y, x: (_digamma(x),), "", _NOT_A_POLE),
    Operation(
        "digamma",
        1,
        _PLANE,
        ("psi", "digamma"),
        "digamma",
        lambda y, x: (x.constant(1).apply("polygamma", x),),
        "",
        _NOT_A_POLE,
    ),
    Operation(
        "polygamma",
        2,
        _REAL,
        ("polygamma",),
        "polygamma",
        lambda y, n, x: (_no_partial(x), (n + 1).apply("polygamma", x)),
        "",
        _NOT_A_POLE,
        parameters=1,
    ),
    Operation("beta", 2, _REAL, ("beta",), "beta", _beta, "", f"{_NOT_A_POLE} in either argument"),
    Operation("gammainc", 2, _REAL, ("gammainc",), "", _incomplete(1), "{1}", "argument >= 0", parameters=1),
    Operation("gammaincc", 2, _REAL, ("gammaincc",), "", _incomplete(-1), "{1}", "argument >= 0", parameters=1),
    # Bessel functions of real order
    Operation(
        "besselj",
        2,
        _PLANE,
        ("jv", "besselj"),
        "besselj",
        _bessel("besselj", 1, -1),
        "order_edge({0}, {1})",
        "argument > 0, or any for a whole order",
        parameters=1,
    ),
    Operation(
        "bessely", 2, _PLANE, ("yv", "bessely"), "bessely", _bessel("bessely", 1, -1), "", _POSITIVE, parameters=1
    ),
    Operation(
        "besseli",
        2,
        _PLANE,
        ("iv", "besseli"),
        "besseli",
        _bessel("besseli", 1, 1),
        "order_edge({0}, {1})",
        "argument > 0, or any for a whole order",
        parameters=1,
    ),
    Operation(
        "besselk", 2, _PLANE, ("kv", "besselk"), "besselk", _bessel("besselk", -1, -1), "", _POSITIVE, parameters=1
    ),
    Operation("spherical_jn", 2, _PLANE, ("spherical_jn",), "jn", _spherical, parameters=1),
    Operation("sinc", 1, _PLANE, ("sinc",), "sinc", lambda y, x: (-x.constant(1).apply("spherical_jn", x),)),
    # Airy functions: Ai″ = x·Ai
    Operation("airyai", 1, _PLANE, ("airyai",), "airyai", lambda y, x: (x.apply("airyaiprime"),)),
    Operation("airyaiprime", 1, _PLANE, ("airyaiprime",), "airyaiprime", lambda y, x: (x * x.apply("airyai"),)),
    Operation("airybi", 1, _PLANE, ("airybi",), "airybi", lambda y, x: (x.apply("airybiprime"),)),
    Operation("airybiprime", 1, _PLANE, ("airybiprime",), "airybiprime", lambda y, x: (x * x.apply("airybi"),)),
    # zeta functions and polylogarithms
    Operation("zeta", 1, _PLANE, (), "zeta", domain="argument not 1", by_order=True),
    Operation(
        "hurwitz_zeta",
        2,
        _REAL,
        (),
        "",
        lambda y, s, a: (_no_partial(a), -(s * (s + 1).apply("hurwitz_zeta", a))),
        "",
        _POSITIVE,
        parameters=1,
    ),
    Operation("polylog", 2, _PLANE, ("polylog",), "polylog", domain="argument < 1", parameters=1, by_order=True),
    # both real branches of Lambert's function
    Operation("lambertw", 1, _PLANE, (), "", _lambert, "", "argument > -1/e"),
    Operation("lambertw_lower", 1, _PLANE, (), "", _lambert, "", "argument in (-1/e, 0)"),
    # elliptic integrals of the parameter m = k²
    Operation("elliptic_k", 1, _REAL, ("ellipk", "elliptic_k"), "elliptic_k", domain="argument < 1", by_order=True),
    Operation("elliptic_e", 1, _REAL, ("ellipe", "elliptic_e"), "elliptic_e", domain="argument < 1", by_order=True),
    # exponential, trigonometric and Fresnel integrals
    Operation("Ei", 1, _PLANE, ("expi", "Ei"), "Ei", lambda y, x: (x.apply("exp") / x,), "", "argument not 0"),
    Operation("Si", 1, _PLANE, ("Si",), "Si", lambda y, x: (x.apply("sinc"),)),
    Operation("Ci", 1, _PLANE, ("Ci",), "Ci", lambda y, x: (x.apply("cos") / x,), "", _POSITIVE),
    Operation(
        "expint",
        2,
        _PLANE,
        ("expn", "expint"),
        "expint",
        lambda y, n, x: (_no_partial(x), -(n - 1).apply("expint", x)),
        "{1}",
        _POSITIVE,
        parameters=1,
    ),
    Operation("fresnels", 1, _PLANE, ("fresnels",), "fresnels", _fresnel("sin")),
    Operation("fresnelc", 1, _PLANE, ("fresnelc",), "fresnelc", _fresnel("cos")),
    # constant in pieces; {0} − floor {0} is 0 at the integers
    Operation("floor", 1, _STEP, ("floor",), "floor", lambda y, x: (x.constant(0),), "{0} - floor({0})"),
    Operation("ceiling", 1, _STEP, ("ceil", "ceiling"), "ceiling", lambda y, x: (x.constant(0),), "ceiling({0}) - {0}"),
)

Rule = Callable[..., Term]


@dataclass(frozen=True, slots=True)
class Named:
    """What a name in text, of SymPy or of SciPy stands for: how many arguments it takes, and the term they make."""

    counts: tuple[int, ...]
    rule: Rule


def _direct(operation: str) -> Rule:
    return lambda *operands: operands[0].apply(operation, *operands[1:])


def _of_order(operation: str, order: int) -> Named:
    return Named((1,), lambda x: x.constant(order).apply(operation, x))


def _shown(value: Fraction) -> str:
    try:
        return repr(float(value))
    except OverflowError:
        return shorten(str(value), 40)


def _whole(name: str, parameter: Term, least: int) -> int:
    value = parameter.value
    if value is None or value.denominator != 1 or value < least:
        shown = "it is no number" if value is None else _shown(value)
        raise UnsupportedFunction(f"{name}: the first argument must be a whole number >= {least}, not {shown}")
    return int(value)


def _of_whole_order(operation: str, name: str, least: int) -> Rule:
    def rule(n: Term, x: Term) -> Term:
        _whole(name, n, least)
        return n.apply(operation, x)

    return rule


def _polygamma(n: Term, x: Term) -> Term:
    return _digamma(x) if _whole("polygamma", n, 0) == 0 else n.apply("polygamma", x)


def _of_positive_order(name: str, *, times_gamma: bool) -> Rule:
    regularised = "gammaincc" if name in ("gammaincc", "uppergamma") else "gammainc"

    def rule(s: Term, x: Term) -> Term:
        if s.value is not None and s.value <= 0:
            raise UnsupportedFunction(f"{name}: the first argument must be positive, not {_shown(s.value)}")
        share = s.apply(regularised, x)
        return share.apply("multiply", s.apply("gamma")) if times_gamma else share

    return rule


def _zeta(s: Term, a: Term | None = None) -> Term:
    if a is None or a.value == 1:
        return s.apply("zeta")
    if s.value is not None and s.value <= 1:
        raise UnsupportedFunction(f"zeta: the first argument of two must be above 1, not {_shown(s.value)}")
    return s.apply("hurwitz_zeta", a)


def _lambert_w(x: Term, branch: Term | None = None) -> Term:
    number = Fraction(0) if branch is None else branch.value
    if number not in (0, -1):
        raise UnsupportedFunction("LambertW: the real branches are 0 and -1; write LambertW(x) or LambertW(x, -1)")
    return x.apply("lambertw" if number == 0 else "lambertw_lower")


def _heaviside(x: Term, at_zero: Term | None = None) -> Term:
    zero, one = x.constant(0), x.constant(1)
    middle = x.constant(Fraction(1, 2)) if at_zero is None else at_zero
    below = x.apply("less", zero).apply("select", zero, middle)
    return x.apply("greater", zero).apply("select", one, below)


def _polynomial(name: str) -> Rule:
    """Write an orthogonal polynomial by its recurrence, DLMF 18.9.1-2: p₀ = 1, p₁, then from the two before."""

    def rule(n: Term, x: Term) -> Term:
        degree = _whole(name, n, 0)
        if degree > _DEGREE:
            raise UnsupportedFunction(f"{name}: the degree goes to {_DEGREE}, not {shorten(str(degree), 40)}")
        before, last = x.constant(1), _FIRST[name](x)
        if degree == 0:
            return before
        for k in range(1, degree):
            before, last = last, _NEXT[name](k, x, last, before)
        return last

    return rule


_FIRST: Mapping[str, Callable[[Term], Term]] = {
    "legendre": lambda x: x,
    "chebyshevt": lambda x: x,
    "chebyshevu": lambda x: 2 * x,
    "hermite": lambda x: 2 * x,
    "laguerre": lambda x: 1 - x,
}
_NEXT: Mapping[str, Callable[[int, Term, Term, Term], Term]] = {
    "legendre": lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1),
    "chebyshevt": lambda k, x, p, q: 2 * x * p - q,
    "chebyshevu": lambda k, x, p, q: 2 * x * p - q,
    "hermite": lambda k, x, p, q: 2 * x * p - 2 * k * q,
    "laguerre": lambda k, x, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1),
}

NAMED: Mapping[str, Named] = {
    **{name: Named((row.arity,), _direct(row.name)) for row in ROWS for name in row.names},
    **{f"{letter}{n}": _of_order(f"bessel{letter}", n) for letter in "jyik" for n in (0, 1)},
    # of SciPy: the order of yn and kn is a whole number; jn and iv take any
    "jn": Named((2,), _direct("besselj")),
    "yn": Named((2,), _of_whole_order("bessely", "yn", 0)),
    "kn": Named((2,), _of_whole_order("besselk", "kn", 0)),
    "spherical_jn": Named((2,), _of_whole_order("spherical_jn", "spherical_jn", 0)),
    "polygamma": Named((2,), _polygamma),
    "trigamma": _of_order("polygamma", 1),
    "factorial": Named((1,), lambda x: (x + 1).apply("gamma")),
    "gammainc": Named((2,), _of_positive_order("gammainc", times_gamma=False)),
    "gammaincc": Named((2,), _of_positive_order("gammaincc", times_gamma=False)),
    "lowergamma": Named((2,), _of_positive_order("lowergamma", times_gamma=True)),
    "uppergamma": Named((2,), _of_positive_order("uppergamma", times_gamma=True)),
    "lambertw_lower": Named((1,), _direct("lambertw_lower")),
    "zeta": Named((1, 2), _zeta),
    **dict.fromkeys(("LambertW", "lambertw"), Named((1, 2), _lambert_w)),
    **dict.fromkeys(("exp1", "E1"), _of_order("expint", 1)),
    "expint": Named((2,), _of_whole_order("expint", "expint", 0)),
    "expn": Named((2,), _of_whole_order("expint", "expn", 0)),
    # Li₂(1 − x), DLMF 25.12.2
    "spence": Named((1,), lambda x: x.constant(2).apply("polylog", 1 - x)),
    "li": Named((1,), lambda x: x.apply("log").apply("Ei")),
    **dict.fromkeys(("Heaviside", "heaviside"), Named((1, 2), _heaviside)),
    "np.sinc": Named((1,), lambda x: x.apply("multiply", _pi(x)).apply("sinc")),
    **{name: Named((2,), _polynomial(name)) for name in _FIRST},
    "eval_legendre": Named((2,), _polynomial("legendre")),
    "eval_chebyt": Named((2,), _polynomial("chebyshevt")),
    "eval_chebyu": Named((2,), _polynomial("chebyshevu")),
    "eval_hermite": Named((2,), _polynomial("hermite")),
    "eval_laguerre": Named((2,), _polynomial("laguerre")),
}

# names that many give to quantities: functions only where they are called
SOFT_NAMES = frozenset(
    {"beta", "gamma", "zeta", "psi", "li", "Ei", "Si", "Ci", "E1", "jn", "yn", "kn", "jv", "yv", "iv", "kv"}
    | {f"{letter}{n}" for letter in "jyik" for n in (0, 1)}
)

_PARAMETERS = {row.name: row.parameters for row in ROWS if row.parameters}


def named_term(name: str, operands: list[Term]) -> Term:
    """Apply a function by its name.

    Raises
    ------
    UnsupportedFunction
        A parameter depends on a variable, or is one that the function does not take.
    """
    build = operands[0].builder
    result = NAMED[name].rule(*operands)
    given = {term.index for term in operands}
    # what it is made from, which may be older: others' nodes are none of its
    waiting, seen = [result.index], {result.index}
    while waiting:
        node = build.nodes[waiting.pop()]
        inner = {*node.operands} - given - seen
        waiting += inner
        seen |= inner
        for parameter in node.operands[: _PARAMETERS.get(node.operation, 0)]:
            if any(build.nodes[k].operation == "variable" for k in needed_nodes(build.nodes, [parameter])):
                raise UnsupportedFunction(
                    f"{name}: the first argument must be a constant, its derivative has no closed form; "
                    f"put a number in its place"
                )
    return result
