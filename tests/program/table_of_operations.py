"""Every operation of the table as a function of its own: the code that people write of it and of its derivative.

The same text is run with NumPy and SciPy, and, for the truth, with mpmath behind their names. A condition chooses
between x² and 3·y, a constant multiplies x. Points lie inside the domain and on no switch; the far ones are tiny, huge
or near an edge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import mpmath
from mpmath import mpf

from diffcompare.program.dag import Builder, Program
from diffcompare.program.operations import COMPARISONS, OPERATIONS

Points = Sequence[tuple[float, ...]]


@dataclass(frozen=True)
class Case:
    """One operation with its parameters and payload; what nobody can write in floats is written with ``mp``."""

    operation: str
    code: str
    slopes: tuple[str, ...]
    points: Points
    far: Points = ()
    parameters: tuple[Fraction, ...] = ()
    payload: int | None = None
    # as a formula; None: its own name
    text: str | None = None
    # whether JAX has an operation of the kind (its gamma and Ei are put together with steps)
    in_jax: bool = False

    @property
    def name(self) -> str:
        payload = [] if self.payload is None else [f"^{self.payload}"]
        return " ".join([self.operation, *map(str, self.parameters), *payload])

    @property
    def variables(self) -> tuple[str, ...]:
        return ("x", "y", "z", "w")[: len(self.slopes)]

    @property
    def has_floats(self) -> bool:
        return "mp." not in self.code

    @property
    def has_slope_floats(self) -> bool:
        return self.has_floats and not any("mp." in slope for slope in self.slopes)

    def truth(self, *point: Any) -> Any:
        return mpmath.re(eval(self.code, IN_MPMATH, dict(zip(self.variables, map(mpf, point), strict=True))))

    def true_slopes(self, *point: Any) -> list[Any]:
        values = dict(zip(self.variables, map(mpf, point), strict=True))
        return [mpmath.re(mpf(1) * eval(slope, IN_MPMATH, values)) for slope in self.slopes]

    @property
    def program(self) -> Program:
        build = Builder(self.variables)
        x = [build.variable(i) for i in range(len(self.variables))]
        row = OPERATIONS[self.operation]
        if row.name == "constant":
            result = build.apply("multiply", build.constant(Fraction(5, 4)), x[0])
        elif row.name == "variable":
            result = x[0]
        elif row.name == "undefined":
            # in a branch that is not taken
            result = build.apply("select", build.apply("less", x[0], build.constant(0)), build.apply("undefined"), x[0])
        elif row.name in ("pi", "e"):
            result = build.apply("multiply", build.apply(row.name), x[0])
        elif row.name in ("true", "false", "and", "or", "not") or row.name in COMPARISONS:
            positive = [build.apply("greater", v, build.constant(0)) for v in x]
            asked = build.apply(row.name, *(x if row.name in COMPARISONS else positive[: row.arity]))
            triple = build.apply("multiply", build.constant(3), x[-1])
            result = build.apply("select", asked, build.apply("integer_power", x[0], payload=2), triple)
        elif row.name == "select":
            asked = build.apply("less", x[0], x[1])
            result = build.apply("select", asked, x[1], build.apply("integer_power", x[2], payload=2))
        else:
            result = build.raw(row.name, *map(build.constant, self.parameters), *x, payload=self.payload)
        return build.program([result])


# ---- mpmath behind the names of NumPy and SciPy


def _spherical_jn(n: int, x: Any, derivative: bool = False) -> Any:
    if derivative:
        below = n * _spherical_jn(n - 1, x) if n else 0
        return (below - (n + 1) * _spherical_jn(n + 1, x)) / (2 * n + 1)
    if x == 0:
        return mpf(int(n == 0))
    sign = -1 if x < 0 and n % 2 else 1
    return sign * mpmath.sqrt(mpmath.pi / (2 * abs(x))) * mpmath.besselj(n + mpf(1) / 2, abs(x))


def _sinc(x: Any) -> Any:
    return mpmath.sin(mpmath.pi * x) / (mpmath.pi * x) if x else mpf(1)


def _airy(x: Any) -> list[Any]:
    return [f(x, derivative=k) for f in (mpmath.airyai, mpmath.airybi) for k in (0, 1)]


def _power_series(term: Callable[[int], Any], x: Any, order: int) -> Any:
    """Return the derivative of Σ term(j)·xʲ term by term, |x| < 1/2."""
    return mpmath.fsum(term(j) * mpmath.ff(j, order) * mpf(x) ** (j - order) for j in range(order, 160))


def _elliptic(j: int) -> Any:
    return mpmath.pi / 2 * (mpmath.binomial(2 * j, j) / mpf(4) ** j) ** 2


def _multiplied(a: list[Any], b: list[Any]) -> Any:
    return sum(p * q for p, q in zip(a, b, strict=True))


class _Vector(list):  # type: ignore[type-arg]
    __matmul__ = _multiplied


_SAME = ("exp", "expm1", "log", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign", "floor", "ceil")
_ARCS = ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")
_NUMPY = SimpleNamespace(
    pi=mpmath.pi,
    e=mpmath.e,
    array=_Vector,
    sum=sum,
    sqrt=mpmath.sqrt,
    cbrt=lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    hypot=lambda x, y: mpmath.sqrt(x * x + y * y),
    exp2=lambda x: mpf(2) ** x,
    log2=lambda x: mpmath.log(x, 2),
    abs=abs,
    minimum=min,
    maximum=max,
    where=lambda c, a, b: a if c else b,
    logical_and=lambda a, b: a and b,
    logical_or=lambda a, b: a or b,
    logical_not=lambda a: not a,
    sinc=_sinc,
    power=lambda x, y: x**y,
    **{name: getattr(mpmath, name) for name in _SAME},
    **{f"arc{name}": getattr(mpmath, f"a{name}") for name in _ARCS},
)
_SCIPY = SimpleNamespace(
    **{name: getattr(mpmath, name) for name in ("erf", "erfc", "erfi", "erfinv", "gamma", "beta")},
    loggamma=mpmath.loggamma,
    gammaln=lambda x: mpmath.log(abs(mpmath.gamma(x))) if x < 0 else mpmath.loggamma(x),
    digamma=lambda x: mpmath.psi(0, x),
    polygamma=mpmath.psi,
    gammainc=lambda s, x: mpmath.gammainc(s, 0, x, regularized=True),
    gammaincc=lambda s, x: mpmath.gammainc(s, x, regularized=True),
    **{f"{letter}v": getattr(mpmath, f"bessel{letter}") for letter in "jyik"},
    spherical_jn=_spherical_jn,
    airy=_airy,
    zeta=lambda s, a=1: mpmath.zeta(s, a),
    spence=lambda z: mpmath.polylog(2, 1 - z),
    lambertw=lambda x, k=0: mpmath.lambertw(x, k),
    ellipk=mpmath.ellipk,
    ellipe=mpmath.ellipe,
    expi=mpmath.ei,
    sici=lambda x: (mpmath.si(x), mpmath.ci(x)),
    expn=mpmath.expint,
    exp1=mpmath.e1,
    fresnel=lambda x: (mpmath.fresnels(x), mpmath.fresnelc(x)),
)
_MORE = SimpleNamespace(
    zeta=mpmath.zeta,
    polylog=lambda s, x, k=0: (
        mpmath.polylog(s, x) if not k else _power_series(lambda j: mpf(j) ** -s if j else 0, x, k)
    ),
    elliptic_k=lambda x, k: _power_series(_elliptic, x, k),
    elliptic_e=lambda x, k: _power_series(lambda j: _elliptic(j) / (1 - 2 * j), x, k),
)
IN_MPMATH: dict[str, Any] = {"np": _NUMPY, "sp": _SCIPY, "mp": _MORE}


# ---- the rows


def _cases(
    operation: str,
    code: str,
    slopes: str | tuple[str, ...],
    points: Sequence[Any],
    far: Sequence[Any] = (),
    **rest: Any,
) -> Case:
    some, others = ([p if isinstance(p, tuple) else (p,) for p in numbers] for numbers in (points, far))
    return Case(operation, code, slopes if isinstance(slopes, tuple) else (slopes,), some, others, **rest)


def _line(low: float, high: float) -> list[float]:
    """List numbers out to ±40 and beyond, tiny ones and 0, strictly between two limits."""
    sizes = (1e-200, 1e-8, 5.75, 8.5, 12.5, 26.25, 40.0, 700.5, 1e8, 1e150)
    return [x for x in (*(-s for s in sizes), 0.0, *sizes) if low < x < high]


_ALL = (float("-inf"), float("inf"))
LINE, RIGHT, INSIDE = _line(*_ALL), _line(0.0, _ALL[1]), _line(-1.0, 1.0)
NOT_0 = [x for x in LINE if x]
NEAR = _line(-41.0, 41.0)
ONE, UNIT, POSITIVE = (1.25, -2.5), (0.25, -0.5), (0.75, 2.5)
TWO = ((1.25, -0.75), (-2.5, 3.5), (0.375, 0.625))
CHOICE = (*TWO, (2.5, 3.5), (-2.5, -0.5))
JAX: Mapping[str, Any] = {"in_jax": True}
_ROOT_PI = "np.sqrt(np.pi)"
_BESSEL = {  # the letter of SciPy: the derivative, DLMF 10.6.1 and 10.29.1
    "j": "0.5*(sp.jv({n} - 1, x) - sp.jv({n} + 1, x))",
    "y": "0.5*(sp.yv({n} - 1, x) - sp.yv({n} + 1, x))",
    "i": "0.5*(sp.iv({n} - 1, x) + sp.iv({n} + 1, x))",
    "k": "-0.5*(sp.kv({n} - 1, x) + sp.kv({n} + 1, x))",
}

CASES: Sequence[Case] = (
    _cases("constant", "1.25*x", "1.25", ONE, text="1.25*x"),
    _cases("variable", "x", "1.0", ONE),
    _cases("pi", "np.pi*x", "np.pi", ONE, text="pi*x"),
    _cases("e", "np.e*x", "np.e", ONE, text="E*x"),
    _cases("undefined", "x", "1.0", [1.25], text="Piecewise((x, x >= 0))"),
    _cases("add", "x + y", ("1.0", "1.0"), TWO, [(1e300, -1e-300), (1.0, -1.0)], **JAX),
    _cases("subtract", "x - y", ("1.0", "-1.0"), TWO, [(1e300, 1e-300), (1.0, 1.0)], **JAX),
    _cases("multiply", "x * y", ("y", "x"), TWO, [(1e200, 1e-200), (0.0, 5.0)], **JAX),
    _cases("divide", "x / y", ("1/y", "-x/y**2"), TWO, [(0.0, 5.0), (1e-100, 1e50)], **JAX),
    _cases("negative", "-x", "-1.0", ONE, [0.0, 1e300], **JAX),
    _cases("sum", "np.sum(np.array([x, y, z]))", ("1.0",) * 3, [(1.25, -2.5, 3.0)], text="x + y + z"),
    _cases(
        "dot", "np.array([x, y]) @ np.array([z, w])", ("z", "w", "x", "y"), [(1.25, -2.5, 3.0, 0.5)], text="x*z + y*w"
    ),
    *(
        _cases("integer_power", f"x**{n}", f"{n}*x**{n - 1}" if n else "0*x", ONE, [1e-3, -1e3], payload=n, **JAX)
        for n in (-2, -1, 0, 1, 2, 3, 7)
    ),
    _cases("power", "x**y", ("y*x**(y - 1)", "x**y*np.log(x)"), [(1.25, -0.75), (3.5, 2.5)], [(1e-8, 0.5)], **JAX),
    _cases("sqrt", "np.sqrt(x)", "0.5/np.sqrt(x)", POSITIVE, RIGHT, **JAX),
    _cases("cbrt", "np.cbrt(x)", "1/(3*np.cbrt(x)**2)", ONE, NOT_0, **JAX),
    _cases("hypot", "np.hypot(x, y)", ("x/np.hypot(x, y)", "y/np.hypot(x, y)"), TWO, [(1e-8, 1e8), (3.0, 0.0)], **JAX),
    _cases("exp", "np.exp(x)", "np.exp(x)", ONE, _line(-701.0, 700.0), **JAX),
    _cases("exp2", "np.exp2(x)", "np.exp2(x)*np.log(2)", ONE, _line(-701.0, 701.0), **JAX),
    _cases("expm1", "np.expm1(x)", "np.exp(x)", ONE, _line(-701.0, 700.0), **JAX),
    _cases("log", "np.log(x)", "1/x", POSITIVE, RIGHT, **JAX),
    _cases("log2", "np.log2(x)", "1/(x*np.log(2))", POSITIVE, RIGHT, **JAX),
    _cases("log10", "np.log10(x)", "1/(x*np.log(10))", POSITIVE, RIGHT, **JAX),
    _cases("log1p", "np.log1p(x)", "1/(1 + x)", UNIT, _line(-1.0, _ALL[1]), **JAX),
    _cases("sin", "np.sin(x)", "np.cos(x)", ONE, LINE, **JAX),
    _cases("cos", "np.cos(x)", "-np.sin(x)", ONE, LINE, **JAX),
    _cases("tan", "np.tan(x)", "1/np.cos(x)**2", ONE, LINE, **JAX),
    _cases("asin", "np.arcsin(x)", "1/np.sqrt(1 - x*x)", UNIT, [*INSIDE, 0.999999], **JAX),
    _cases("acos", "np.arccos(x)", "-1/np.sqrt(1 - x*x)", UNIT, [*INSIDE, 0.999999], **JAX),
    _cases("atan", "np.arctan(x)", "1/(1 + x*x)", ONE, LINE, **JAX),
    _cases(
        "atan2",
        "np.arctan2(x, y)",
        ("y/(x*x + y*y)", "-x/(x*x + y*y)"),
        TWO,
        [(1e-8, -5.0), (0.0, 5.0), (5.0, 0.0)],
        **JAX,
    ),
    _cases("sinh", "np.sinh(x)", "np.cosh(x)", ONE, _line(-701.0, 701.0), **JAX),
    _cases("cosh", "np.cosh(x)", "np.sinh(x)", ONE, _line(-701.0, 701.0), **JAX),
    _cases("tanh", "np.tanh(x)", "1/np.cosh(x)**2", ONE, NEAR, **JAX),
    _cases("asinh", "np.arcsinh(x)", "1/np.sqrt(1 + x*x)", ONE, LINE, **JAX),
    _cases(
        "acosh",
        "np.arccosh(x)",
        "1/(np.sqrt(x - 1)*np.sqrt(x + 1))",
        (1.25, 2.5),
        [*_line(1.0, _ALL[1]), 1.000001],
        **JAX,
    ),
    _cases("atanh", "np.arctanh(x)", "1/((1 - x)*(1 + x))", UNIT, [*INSIDE, 0.999999], **JAX),
    _cases("abs", "np.abs(x)", "np.sign(x)", ONE, NOT_0, **JAX),
    _cases("sign", "np.sign(x)", "0*x", ONE, NOT_0, **JAX),
    _cases("min", "np.minimum(x, y)", ("1.0*(x < y)", "1.0*(x > y)"), TWO, [(1e300, 1.0)], **JAX),
    _cases("max", "np.maximum(x, y)", ("1.0*(x > y)", "1.0*(x < y)"), TWO, [(1e300, 1.0)], **JAX),
    _cases(
        "select",
        "np.where(x < y, y, z**2)",
        ("0.0", "np.where(x < y, 1.0, 0.0)", "np.where(x < y, 0.0, 2*z)"),
        [(1.25, -0.75, 3.0), (-2.5, 3.5, 3.0)],
        text="where(x < y, y, z**2)",
        **JAX,
    ),
    _cases("true", "x**2", "2*x", [1.25], text="Piecewise((x**2, True))"),
    _cases("false", "3*x", "3.0", [1.25], text="Piecewise((x**2, False), (3*x, True))"),
    *(
        _cases(
            name,
            f"np.where(x {sign} y, x**2, 3*y)",
            (f"np.where(x {sign} y, 2*x, 0.0)", f"np.where(x {sign} y, 0.0, 3.0)"),
            CHOICE,
            text=f"where({asked}, x**2, 3*y)",
            **JAX,
        )
        for name, sign, asked in (
            ("less", "<", "x < y"),
            ("less_equal", "<=", "x <= y"),
            ("greater", ">", "x > y"),
            ("greater_equal", ">=", "x >= y"),
            ("equal", "==", "Eq(x, y)"),
            ("not_equal", "!=", "Ne(x, y)"),
        )
    ),
    *(
        _cases(
            name,
            f"np.where(np.logical_{name}(x > 0, y > 0), x**2, 3*y)",
            tuple(f"np.where(np.logical_{name}(x > 0, y > 0), {a}, {b})" for a, b in (("2*x", "0.0"), ("0.0", "3.0"))),
            CHOICE,
            text=f"where({name.capitalize()}(x > 0, y > 0), x**2, 3*y)",
            **JAX,
        )
        for name in ("and", "or")
    ),
    _cases(
        "not",
        "np.where(np.logical_not(x > 0), x**2, 3*x)",
        "np.where(np.logical_not(x > 0), 2*x, 3.0)",
        ONE,
        text="where(Not(x > 0), x**2, 3*x)",
        **JAX,
    ),
    _cases("erf", "sp.erf(x)", f"2/{_ROOT_PI}*np.exp(-x*x)", ONE, LINE, **JAX),
    _cases("erfc", "sp.erfc(x)", f"-2/{_ROOT_PI}*np.exp(-x*x)", ONE, LINE, **JAX),
    _cases("erfi", "sp.erfi(x)", f"2/{_ROOT_PI}*np.exp(x*x)", ONE, _line(-26.3, 26.3)),
    _cases("erfinv", "sp.erfinv(x)", f"{_ROOT_PI}/2*np.exp(sp.erfinv(x)**2)", UNIT, [*INSIDE, 0.999999], **JAX),
    _cases(
        "gamma",
        "sp.gamma(x)",
        "sp.gamma(x)*sp.digamma(x)",
        (0.75, -1.5),
        [-12.5, -5.75, 1e-8, -1e-8, 12.5, 40.0],
    ),
    _cases("loggamma", "sp.loggamma(x)", "sp.digamma(x)", POSITIVE, RIGHT),
    _cases("gammaln", "sp.gammaln(x)", "sp.digamma(x)", (0.75, -1.5), [-12.5, -5.75, *RIGHT], **JAX),
    _cases(
        "digamma", "sp.digamma(x)", "sp.polygamma(1, x)", (0.75, -1.5), [-12.5, -5.75, *_line(1e-100, 1e100)], **JAX
    ),
    *(
        _cases(
            "polygamma",
            f"sp.polygamma({n}, x)",
            f"sp.polygamma({n + 1}, x)",
            POSITIVE,
            [1e-8, 5.75, 12.5, 40.0, 700.5],
            parameters=(Fraction(n),),
            text=f"polygamma({n}, x)",
        )
        for n in (1, 4)
    ),
    _cases(
        "beta",
        "sp.beta(x, y)",
        tuple(f"sp.beta(x, y)*(sp.digamma({v}) - sp.digamma(x + y))" for v in "xy"),
        [(0.75, 2.5), (3.5, 0.25)],
        [(12.5, 26.25), (1e-8, 0.5)],
    ),
    *(
        _cases(
            name,
            f"sp.{name}({s!r}, x)",
            f"{sign}x**({s!r} - 1)*np.exp(-x)/sp.gamma({s!r})",
            POSITIVE,
            (1e-8, 5.75, 12.5, 26.25, 40.0, 700.5),
            parameters=(Fraction(s),),
            text=f"{name}({s!r}, x)",
        )
        for name, sign in (("gammainc", ""), ("gammaincc", "-"))
        for s in (0.5, 3.0)
    ),
    *(
        _cases(
            f"bessel{letter}",
            f"sp.{letter}v({n!r}, x)",
            slope.format(n=repr(n)),
            POSITIVE,
            (-40.0, -8.5, 0.0, 1e-8, 12.5, 600.5) if letter in "ji" and n % 1 == 0 else (1e-8, 12.5, 40.0),
            parameters=(Fraction(n),),
            text=f"bessel{letter}({n!r}, x)",
        )
        for letter, slope in _BESSEL.items()
        for n in ((0.0, 1.0, 2.0, 0.5) if letter == "j" else (0.0, 0.5))
    ),
    *(
        _cases(
            "spherical_jn",
            f"sp.spherical_jn({n}, x)",
            f"sp.spherical_jn({n}, x, True)",
            POSITIVE,
            (-12.5, -1.5, 0.0, 1e-8, 12.5, 40.0),
            parameters=(Fraction(n),),
            text=f"spherical_jn({n}, x)",
        )
        for n in (0, 1, 3)
    ),
    _cases("sinc", "np.sinc(x/np.pi)", "-sp.spherical_jn(1, x)", ONE, LINE, text="sinc(x)"),
    _cases("airyai", "sp.airy(x)[0]", "sp.airy(x)[1]", ONE, NEAR),
    _cases("airyaiprime", "sp.airy(x)[1]", "x*sp.airy(x)[0]", ONE, NEAR),
    _cases("airybi", "sp.airy(x)[2]", "sp.airy(x)[3]", ONE, NEAR),
    _cases("airybiprime", "sp.airy(x)[3]", "x*sp.airy(x)[2]", ONE, NEAR),
    _cases("zeta", "sp.zeta(x)", "mp.zeta(x, 1, 1)", (2.5, 5.75), (-12.5, -1.5, 0.0, 0.5, 1.000001, 12.5, 40.0)),
    *(_cases("zeta", f"mp.zeta(x, 1, {k})", f"mp.zeta(x, 1, {k + 1})", (2.5, 5.75), payload=k) for k in (1, 2)),
    *(
        _cases(
            "hurwitz_zeta",
            f"sp.zeta({s!r}, x)",
            f"-{s!r}*sp.zeta({s!r} + 1, x)",
            POSITIVE,
            (1e-8, 12.5, 40.0),
            parameters=(Fraction(s),),
            text=f"zeta({s!r}, x)",
        )
        for s in (2.5, 4.0)
    ),
    _cases(
        "polylog",
        "sp.spence(1 - x)",
        "-np.log1p(-x)/x",
        UNIT,
        (-40.0, -5.75, -1e-8, 1e-8, 0.999999),
        parameters=(Fraction(2),),
        text="polylog(2, x)",
    ),
    _cases(
        "polylog",
        "mp.polylog(2.5, x)",
        "mp.polylog(1.5, x)/x",
        UNIT,
        parameters=(Fraction(5, 2),),
        text="polylog(2.5, x)",
    ),
    *(
        _cases(
            "polylog",
            f"mp.polylog(2, x, {k})",
            f"mp.polylog(2, x, {k + 1})",
            UNIT,
            parameters=(Fraction(2),),
            payload=k,
        )
        for k in (1, 2)
    ),
    _cases(
        "lambertw",
        "sp.lambertw(x).real",
        "np.exp(-sp.lambertw(x).real)/(1 + sp.lambertw(x).real)",
        POSITIVE,
        [-0.36, -1e-8, 0.0, *RIGHT],
    ),
    _cases(
        "lambertw_lower",
        "sp.lambertw(x, -1).real",
        "np.exp(-sp.lambertw(x, -1).real)/(1 + sp.lambertw(x, -1).real)",
        (-0.25, -0.125),
        (-0.36, -1e-8, -1e-200),
    ),
    _cases("elliptic_k", "sp.ellipk(x)", "(sp.ellipe(x)/(1 - x) - sp.ellipk(x))/(2*x)", UNIT, (-1e8, -40.0, 0.999999)),
    _cases("elliptic_e", "sp.ellipe(x)", "(sp.ellipe(x) - sp.ellipk(x))/(2*x)", UNIT, (-1e8, -40.0, 0.999999)),
    *(
        _cases(name, f"mp.{name}(x, {k})", f"mp.{name}(x, {k + 1})", UNIT, payload=k)
        for name in ("elliptic_k", "elliptic_e")
        for k in (1, 2)
    ),
    _cases("Ei", "sp.expi(x)", "np.exp(x)/x", ONE, [x for x in _line(-701.0, 700.0) if x]),
    _cases("Si", "sp.sici(x)[0]", "np.sinc(x/np.pi)", ONE, LINE),
    _cases("Ci", "sp.sici(x)[1]", "np.cos(x)/x", POSITIVE, RIGHT),
    *(
        _cases(
            "expint",
            f"sp.expn({n}, x)",
            f"-sp.expn({n - 1}, x)" if n else "-np.exp(-x)*(1 + 1/x)/x",
            POSITIVE,
            (1e-8, 5.75, 12.5, 40.0, 700.5),
            parameters=(Fraction(n),),
            text=f"expint({n}, x)",
        )
        for n in (0, 1, 5)
    ),
    _cases("fresnels", "sp.fresnel(x)[0]", "np.sin(np.pi*x*x/2)", ONE, _line(-30.0, 30.0)),
    _cases("fresnelc", "sp.fresnel(x)[1]", "np.cos(np.pi*x*x/2)", ONE, _line(-30.0, 30.0)),
    _cases("floor", "np.floor(x)", "0*x", ONE, (12.5, -26.25), **JAX),
    _cases("ceiling", "np.ceil(x)", "0*x", ONE, (12.5, -26.25), **JAX),
)
