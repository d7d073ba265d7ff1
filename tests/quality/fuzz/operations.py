"""The operations that code is drawn from: how they are written, and their derivatives as one writes them by hand.

In a spelling ``{0}`` and ``{1}`` are the operands, ``{y}`` is the result. ``slopes`` holds for each operand the ways in
which its partial derivative may be written; None where none is written. ``tempting`` are wrong ones that people write.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BINARY", "LOOPS", "PIECES", "SPECIAL", "UNARY", "Elementwise"]

_ANY = (-1e3, 1e3)
_POSITIVE = (1e-6, 1e3)


@dataclass(frozen=True, slots=True)
class Elementwise:
    """An operation on numbers, or on arrays element by element.

    Parameters
    ----------
    name : str
    spellings : tuple of str
        With NumPy or SciPy, for arrays and numbers alike.
    slopes : tuple of tuple of str
    ranges : tuple of (float, float)
        Where each operand may be.
    scalar : tuple of str
        Spellings for single numbers alone.
    edges : tuple of float
        Operands where it is not analytic, to be met on purpose.
    tempting : tuple of str
        Wrong partial derivatives in the first operand.
    """

    name: str
    spellings: tuple[str, ...]
    slopes: tuple[tuple[str, ...], ...]
    ranges: tuple[tuple[float, float], ...] = (_ANY,)
    scalar: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    tempting: tuple[str, ...] = ()


def _one(
    name: str,
    slopes: tuple[str, ...],
    low: float = -1e3,
    high: float = 1e3,
    *,
    spelled: tuple[str, ...] = (),
    scalar: tuple[str, ...] = (),
    edges: tuple[float, ...] = (),
    tempting: tuple[str, ...] = (),
) -> Elementwise:
    return Elementwise(
        name, spelled or (f"np.{name}({{0}})",), (slopes,), ((low, high),), scalar, edges, tempting
    )  # fmt: skip


UNARY = (
    _one("exp", ("{y}", "np.exp({0})"), -40, 40, scalar=("math.exp({0})",)),
    _one("exp2", ("{y}*np.log(2.0)", "np.log(2)*2.0**{0}"), -40, 40, spelled=("np.exp2({0})", "2.0**{0}")),
    _one("expm1", ("np.exp({0})", "{y} + 1"), -40, 40, scalar=("math.expm1({0})",), tempting=("{y}",)),
    _one("log", ("1/{0}", "{0}**-1"), 1e-9, 1e6, scalar=("math.log({0})",), edges=(0.0,)),
    _one("log2", ("1/({0}*np.log(2.0))",), 1e-9, 1e6, edges=(0.0,), tempting=("1/{0}",)),
    _one("log10", ("1/({0}*np.log(10.0))", "np.log10(np.e)/{0}"), 1e-9, 1e6, tempting=("1/{0}",)),
    _one("log1p", ("1/(1 + {0})",), -0.99, 1e6, scalar=("math.log1p({0})",), edges=(-1.0,), tempting=("1/{0}",)),
    _one("sqrt", ("0.5/{y}", "1/(2*np.sqrt({0}))", "0.5*{0}**-0.5"), 1e-9, 1e6,
         spelled=("np.sqrt({0})", "{0}**0.5"), scalar=("math.sqrt({0})",), edges=(0.0,), tempting=("1/{y}",)),
    _one("cbrt", ("1/(3*{y}**2)", "{y}/(3*{0})"), -1e3, 1e3, edges=(0.0,)),
    _one("sin", ("np.cos({0})",), scalar=("math.sin({0})",), tempting=("-np.cos({0})",)),
    _one("cos", ("-np.sin({0})",), scalar=("math.cos({0})",), tempting=("np.sin({0})",)),
    _one("tan", ("1 + {y}**2", "1/np.cos({0})**2"), -20, 20, scalar=("math.tan({0})",), tempting=("1 - {y}**2",)),
    _one("arcsin", ("1/np.sqrt(1 - {0}**2)", "(1 - {0}*{0})**-0.5"), -0.99, 0.99, edges=(1.0, -1.0)),
    _one("arccos", ("-1/np.sqrt(1 - {0}**2)",), -0.99, 0.99, edges=(1.0,)),
    _one("arctan", ("1/(1 + {0}**2)",), scalar=("math.atan({0})",), tempting=("1/(1 - {0}**2)",)),
    _one("sinh", ("np.cosh({0})",), -40, 40, scalar=("math.sinh({0})",)),
    _one("cosh", ("np.sinh({0})",), -40, 40, tempting=("-np.sinh({0})",)),
    _one("tanh", ("1 - {y}**2", "1/np.cosh({0})**2", "(1 - {y})*(1 + {y})"), -40, 40, scalar=("math.tanh({0})",),
         tempting=("1 - {y}", "1 + {y}**2")),
    _one("arcsinh", ("1/np.sqrt(1 + {0}**2)", "1/np.hypot(1.0, {0})")),
    _one("arccosh", ("1/np.sqrt({0}**2 - 1)", "1/np.sqrt(({0} - 1)*({0} + 1))"), 1.01, 1e3, edges=(1.0,)),
    _one("arctanh", ("1/(1 - {0}**2)", "1/((1 - {0})*(1 + {0}))"), -0.99, 0.99, edges=(1.0,)),
    _one("abs", ("np.sign({0})", "{0}/{y}", "np.where({0} > 0, 1.0, -1.0)"),
         spelled=("np.abs({0})", "np.fabs({0})", "abs({0})", "np.sqrt({0}**2)"), edges=(0.0,), tempting=("1.0",)),
    _one("sign", ("0.0",), edges=(0.0,)),
    _one("floor", ("0.0",), -30, 30, edges=(2.0, 0.0), scalar=("math.floor({0})",), tempting=("1.0",)),
    _one("ceil", ("0.0",), -30, 30, edges=(1.0,)),
    _one("trunc", ("0.0",), -30, 30, edges=(1.0, 0.0)),
    _one("square", ("2*{0}",), -1e6, 1e6, spelled=("np.square({0})", "{0}**2", "{0}*{0}"), tempting=("{0}",)),
    _one("cube", ("3*{0}**2", "3*{y}/{0}"), -1e4, 1e4, spelled=("{0}**3", "{0}*{0}*{0}"), tempting=("2*{0}**2",)),
    _one("fifth", ("5*{0}**4",), -1e2, 1e2, spelled=("{0}**5", "np.power({0}, 5)")),
    _one("reciprocal", ("-1/{0}**2", "-{y}*{y}"), 1e-3, 1e3, spelled=("1/{0}", "np.reciprocal({0})", "{0}**-1"),
         edges=(0.0,), tempting=("1/{0}**2",)),
    _one("minus square", ("-2/{0}**3",), 1e-2, 1e3, spelled=("{0}**-2", "1/{0}**2")),
    _one("three halves", ("1.5*np.sqrt({0})", "1.5*{0}**0.5"), 1e-6, 1e3, spelled=("{0}**1.5", "{0}*np.sqrt({0})"),
         edges=(0.0,)),
    _one("tenth power", ("0.1*{0}**-0.9", "0.1*{y}/{0}"), 1e-6, 1e3, spelled=("{0}**0.1",), edges=(0.0,)),
    _one("a third", ("(1/3)*{0}**(1/3 - 1)", "{y}/(3*{0})"), 1e-6, 1e3, spelled=("{0}**(1/3)",)),
    _one("power zero", ("0.0",), spelled=("{0}**0",)),
    _one("negative", ("-1.0",), spelled=("-{0}", "np.negative({0})")),
    _one("deg2rad", ("np.pi/180", "np.deg2rad(1.0)"), spelled=("np.deg2rad({0})", "{0}*np.pi/180"), tempting=("1.0",)),
    _one("rad2deg", ("180/np.pi",), spelled=("np.rad2deg({0})",)),
    _one("sinc", ("(np.cos(np.pi*{0}) - {y})/{0}",), -40, 40, edges=(0.0,)),
    _one("heaviside", ("0.0",), spelled=("np.heaviside({0}, 0.5)",), edges=(0.0,)),
    _one("modulo", ("1.0",), -30, 30, spelled=("{0} % 1.5",), edges=(1.5, 0.0), tempting=("0.0",)),
    _one("stairs", ("0.0",), -30, 30, spelled=("{0}//0.5",), edges=(1.0,)),
    _one("relu", ("np.where({0} > 0, 1.0, 0.0)", "np.heaviside({0}, 0.0)", "({0} > 0)*1.0"),
         spelled=("np.maximum({0}, 0.0)", "np.maximum(0.0, {0})", "np.where({0} > 0, {0}, 0.0)", "{0}*({0} > 0)",
                  "np.clip({0}, 0.0, None)", "0.5*({0} + np.abs({0}))"), edges=(0.0,), tempting=("1.0",)),
    _one("relu squared", ("2*np.maximum({0}, 0.0)",), spelled=("np.maximum({0}, 0.0)**2",), edges=(0.0,),
         tempting=("2*{0}",)),
    _one("abs squared", ("2*{0}",), spelled=("np.abs({0})**2",), edges=(0.0,)),
    _one("signed square", ("2*np.abs({0})",), spelled=("{0}*np.abs({0})", "np.sign({0})*{0}**2"), edges=(0.0,)),
    _one("clip", ("np.where(({0} > -1.0) & ({0} < 1.0), 1.0, 0.0)", "({0} > -1.0)*({0} < 1.0)*1.0"),
         spelled=("np.clip({0}, -1.0, 1.0)", "np.minimum(np.maximum({0}, -1.0), 1.0)"), edges=(1.0, -1.0),
         tempting=("1.0",)),
    _one("inside", ("np.where(({0} > -1.0) & ({0} < 1.0), 2*{0}, 0.0)",
                    "np.where(({0} <= -1.0) | ({0} >= 1.0), 0.0, 2*{0})"), edges=(1.0, -1.0, 0.0), tempting=("2*{0}",),
         spelled=("np.where(({0} > -1.0) & ({0} < 1.0), {0}**2, 1.0)",
                  "np.where(np.logical_not(({0} < -1.0) | ({0} > 1.0)), {0}**2, 1.0)")),
    _one("fmod", ("1.0",), -30, 30, spelled=("np.fmod({0}, 1.5)",), edges=(1.5,)),
    _one("huber", ("np.clip({0}, -1.0, 1.0)", "np.where(np.abs({0}) <= 1, {0}, np.sign({0}))"), edges=(1.0, -1.0),
         spelled=("np.where(np.abs({0}) <= 1, 0.5*{0}**2, np.abs({0}) - 0.5)", "sc.huber(1.0, {0})"),
         tempting=("{0}",)),
    _one("tukey", ("{0}*(1 - ({0}/4.685)**2)**2*(np.abs({0}) <= 4.685)",
                   "np.where(np.abs({0}) <= 4.685, {0}*(1 - ({0}/4.685)**2)**2, 0.0)"), edges=(4.685, -4.685),
         spelled=("np.where(np.abs({0}) <= 4.685, 4.685**2/6*(1 - (1 - ({0}/4.685)**2)**3), 4.685**2/6)",)),
    _one("softplus", ("1/(1 + np.exp(-{0}))", "sc.expit({0})", "np.exp({0} - {y})"), -40, 40,
         spelled=("np.log(1 + np.exp({0}))", "np.logaddexp({0}, 0.0)", "np.log1p(np.exp({0}))", "sc.softplus({0})"),
         tempting=("1/(1 + np.exp({0}))",)),
    _one("sigmoid", ("{y}*(1 - {y})", "sc.expit({0})*sc.expit(-{0})", "np.exp(-{0})/(1 + np.exp(-{0}))**2"), -40, 40,
         spelled=("1/(1 + np.exp(-{0}))", "sc.expit({0})"), tempting=("{y}*(1 + {y})", "1 - {y}")),
    _one("swish", ("sc.expit({0})*(1 + {0}*(1 - sc.expit({0})))",), -40, 40, spelled=("{0}*sc.expit({0})",)),
    _one("gelu", ("sc.ndtr({0}) + {0}*np.exp(-{0}**2/2)/np.sqrt(2*np.pi)",
                  "0.5*(1 + sc.erf({0}/np.sqrt(2))) + {0}*np.exp(-0.5*{0}*{0})/np.sqrt(2*np.pi)"), -40, 40,
         spelled=("{0}*sc.ndtr({0})", "0.5*{0}*(1 + sc.erf({0}/np.sqrt(2)))"), tempting=("sc.ndtr({0})",)),
    _one("guarded log", ("1/({0} + 1e-7)",), 1e-3, 1e3, spelled=("np.log({0} + 1e-7)",), tempting=("1/{0}",)),
    _one("guarded root", ("{0}/np.sqrt({0}**2 + 1e-12)",), spelled=("np.sqrt({0}**2 + 1e-12)",),
         tempting=("np.sign({0})",)),
    _one("limits inf", ("1.0",), spelled=("np.minimum({0}, np.inf)", "np.maximum({0}, -np.inf)",
                                         "np.clip({0}, -np.inf, np.inf)")),
    _one("nan unused", ("1.0",), spelled=("np.where({0} == {0}, {0}, np.nan)", "np.where({0} > -1e9, {0}, np.inf)")),
    _one("tenths", ("np.cos(3*{0})*0.3",), spelled=("np.sin({0}*0.1*30)/10",)),
)  # fmt: skip


def _special(
    name: str,
    slopes: tuple[str, ...],
    low: float = -40,
    high: float = 40,
    *,
    spelled: tuple[str, ...] = (),
    scalar: tuple[str, ...] = (),
    edges: tuple[float, ...] = (),
    tempting: tuple[str, ...] = (),
) -> Elementwise:
    return Elementwise(
        name, spelled or (f"sc.{name}({{0}})",), (slopes,), ((low, high),), scalar, edges, tempting
    )  # fmt: skip


_GAUSS = "np.exp(-{0}**2)"
SPECIAL = (
    _special("erf", (f"2/np.sqrt(np.pi)*{_GAUSS}",), scalar=("math.erf({0})",),
             tempting=(f"1/np.sqrt(np.pi)*{_GAUSS}",)),
    _special("erfc", (f"-2/np.sqrt(np.pi)*{_GAUSS}", f"-(2/np.pi**0.5)*{_GAUSS}"), scalar=("math.erfc({0})",)),
    _special("erfi", ("2/np.sqrt(np.pi)*np.exp({0}**2)",), -6, 6),
    _special("erfinv", ("0.5*np.sqrt(np.pi)*np.exp({y}**2)",), -0.99, 0.99, edges=(1.0,)),
    _special("gamma", ("{y}*sc.psi({0})", "sc.gamma({0})*sc.digamma({0})"), -15, 40, scalar=("math.gamma({0})",),
             edges=(0.0, -2.0)),
    _special("loggamma", ("sc.psi({0})",), 0.01, 40, edges=(0.0,)),
    _special("gammaln", ("sc.digamma({0})",), scalar=("math.lgamma({0})",), edges=(-1.0,)),
    _special("psi", ("sc.polygamma(1, {0})",), -15, 40, spelled=("sc.psi({0})", "sc.digamma({0})"), edges=(0.0,)),
    _special("polygamma", ("sc.polygamma(3, {0})",), -10, 40, spelled=("sc.polygamma(2, {0})",)),
    _special("gammainc", ("{0}**1.5*np.exp(-{0})/sc.gamma(2.5)",), 1e-3, 40, spelled=("sc.gammainc(2.5, {0})",),
             edges=(0.0,)),
    _special("gammaincc", ("-{0}**2*np.exp(-{0})/2",), 1e-3, 40, spelled=("sc.gammaincc(3.0, {0})",), edges=(0.0,)),
    _special("jv", ("0.5*(sc.jv(1, {0}) - sc.jv(3, {0}))",), spelled=("sc.jv(2, {0})", "sc.jn(2, {0})")),
    _special("jv half", ("0.5*(sc.jv(-0.5, {0}) - sc.jv(1.5, {0}))",), 1e-3, 40, spelled=("sc.jv(0.5, {0})",),
             edges=(0.0,)),
    _special("j0", ("-sc.j1({0})",), tempting=("sc.j1({0})",)),
    _special("j1", ("sc.j0({0}) - sc.j1({0})/{0}", "0.5*(sc.j0({0}) - sc.jv(2, {0}))")),
    _special("y0", ("-sc.y1({0})",), 1e-3, 40),
    _special("y1", ("sc.y0({0}) - {y}/{0}",), 1e-2, 40),
    _special("yv", ("0.5*(sc.yv(0.5, {0}) - sc.yv(2.5, {0}))",), 1e-1, 40, spelled=("sc.yv(1.5, {0})",)),
    _special("yn", ("0.5*(sc.yn(1, {0}) - sc.yn(3, {0}))",), 1e-1, 40, spelled=("sc.yn(2, {0})",)),
    _special("iv", ("0.5*(sc.iv(1, {0}) + sc.iv(3, {0}))",), -40, 40, spelled=("sc.iv(2, {0})",)),
    _special("i0", ("sc.i1({0})",)),
    _special("kv", ("-0.5*(sc.kv(0.5, {0}) + sc.kv(2.5, {0}))",), 1e-2, 40, spelled=("sc.kv(1.5, {0})",)),
    _special("k0", ("-sc.k1({0})",), 1e-2, 40),
    _special("kn", ("-0.5*(sc.kn(1, {0}) + sc.kn(3, {0}))",), 1e-1, 40, spelled=("sc.kn(2, {0})",)),
    _special("i1", ("0.5*(sc.i0({0}) + sc.iv(2, {0}))",)),
    _special("k1", ("-sc.k0({0}) - sc.k1({0})/{0}",), 1e-2, 40, edges=(0.0,)),
    _special("spherical_jn", ("sc.spherical_jn(1, {0}) - 3*{y}/{0}",), spelled=("sc.spherical_jn(2, {0})",),
             edges=(0.0,)),
    _special("airyai", ("sc.airy({0})[1]",), spelled=("sc.airy({0})[0]",), tempting=("sc.airy({0})[0]",)),
    _special("airybi", ("sc.airy({0})[3]",), -40, 20, spelled=("sc.airy({0})[2]",)),
    _special("airyaiprime", ("{0}*sc.airy({0})[0]",), spelled=("sc.airy({0})[1]",)),
    _special("hurwitz", ("-3*sc.zeta(4.0, {0})",), 1e-1, 40, spelled=("sc.zeta(3.0, {0})",), edges=(0.0,)),
    _special("lambertw", ("{y}/({0}*(1 + {y}))", "np.exp(-{y})/(1 + {y})"), -0.3, 40,
             spelled=("sc.lambertw({0}).real",)),
    _special("lambertw lower", ("{y}/({0}*(1 + {y}))",), -0.36, -1e-3, spelled=("sc.lambertw({0}, -1).real",)),
    _special("ellipk", ("(sc.ellipe({0})/(1 - {0}) - {y})/(2*{0})",), -40, 0.99, edges=(0.0, 1.0)),
    _special("ellipe", ("({y} - sc.ellipk({0}))/(2*{0})",), -40, 0.99, edges=(0.0, 1.0)),
    _special("expi", ("np.exp({0})/{0}",), edges=(0.0,)),
    _special("exp1", ("-np.exp(-{0})/{0}",), 1e-3, 40, tempting=("np.exp(-{0})/{0}",)),
    _special("expn", ("-sc.expn(1, {0})", "-sc.exp1({0})"), 1e-3, 40, spelled=("sc.expn(2, {0})",), edges=(0.0,)),
    _special("si", ("np.sin({0})/{0}", "np.sinc({0}/np.pi)"), spelled=("sc.sici({0})[0]",), edges=(0.0,)),
    _special("ci", ("np.cos({0})/{0}",), 1e-3, 40, spelled=("sc.sici({0})[1]",)),
    _special("fresnels", ("np.sin(np.pi*{0}**2/2)",), -8, 8, spelled=("sc.fresnel({0})[0]",)),
    _special("fresnelc", ("np.cos(0.5*np.pi*{0}*{0})",), -8, 8, spelled=("sc.fresnel({0})[1]",)),
    _special("ndtr", ("np.exp(-{0}**2/2)/np.sqrt(2*np.pi)", "np.exp(-0.5*{0}*{0})*(2*np.pi)**-0.5")),
    _special("log_ndtr", ("np.exp(-{0}**2/2)/np.sqrt(2*np.pi)/sc.ndtr({0})",), -20, 40),
    _special("erfcx", ("2*{0}*{y} - 2/np.sqrt(np.pi)",), -5, 40),
    _special("log_expit", ("sc.expit(-{0})", "1 - sc.expit({0})")),
    _special("logit", ("1/({0}*(1 - {0}))",), 0.01, 0.99, edges=(0.0,)),
    _special("entr", ("-np.log({0}) - 1",), 1e-3, 40, edges=(0.0,)),
    _special("exprel", ("({0}*np.exp({0}) - np.expm1({0}))/{0}**2", "(np.exp({0}) - {y})/{0}"), edges=(0.0,)),
    _special("factorial", ("{y}*sc.psi({0} + 1)",), 0.1, 15),
    _special("legendre", ("(15*{0}**2 - 3)/2",), -10, 10, spelled=("sc.eval_legendre(3, {0})",)),
    _special("chebyshev", ("12*{0}**2 - 3",), -10, 10, spelled=("sc.eval_chebyt(3, {0})",)),
    _special("chebyshev u", ("8*{0}",), -10, 10, spelled=("sc.eval_chebyu(2, {0})",)),
    _special("hermite", ("8*{0}",), -10, 10, spelled=("sc.eval_hermite(2, {0})",)),
    _special("laguerre", ("{0} - 2",), -10, 10, spelled=("sc.eval_laguerre(2, {0})",)),
    _special("xlog of two", ("np.log(2.0)",), spelled=("sc.xlogy({0}, 2.0)",), edges=(0.0,)),
    _special("xlogx", ("np.log({0}) + 1",), 1e-3, 40, spelled=("sc.xlogy({0}, {0})", "{0}*np.log({0})"), edges=(0.0,)),
    _special("xlog1px", ("np.log1p({0}) + {0}/(1 + {0})",), -0.9, 40, spelled=("sc.xlog1py({0}, {0})",), edges=(0.0,)),
    _special("where xlogx", ("np.where({0} > 0, np.log(np.abs({0}) + ({0} == 0)) + 1, 0.0)",), -1, 40,
             spelled=("np.where({0} > 0, {0}*np.log(np.where({0} > 0, {0}, 1.0)), 0.0)",), edges=(0.0,)),
)  # fmt: skip


def _two(
    name: str,
    first: tuple[str, ...],
    second: tuple[str, ...],
    ranges: tuple[tuple[float, float], tuple[float, float]] = (_ANY, _ANY),
    *,
    spelled: tuple[str, ...] = (),
    scalar: tuple[str, ...] = (),
    tempting: tuple[str, ...] = (),
) -> Elementwise:
    return Elementwise(
        name, spelled or (f"np.{name}({{0}}, {{1}})",), (first, second), ranges, scalar, (), tempting
    )  # fmt: skip


BINARY = (
    _two("add", ("1.0",), ("1.0",), spelled=("{0} + {1}", "np.add({0}, {1})")),
    _two("subtract", ("1.0",), ("-1.0",), spelled=("{0} - {1}", "np.subtract({0}, {1})")),
    _two("multiply", ("{1}",), ("{0}",), spelled=("{0}*{1}", "np.multiply({0}, {1})"), tempting=("{0}",)),
    _two("divide", ("1/{1}",), ("-{0}/{1}**2", "-{y}/{1}"), (_ANY, (1e-2, 1e3)),
         spelled=("{0}/{1}", "np.divide({0}, {1})"), tempting=("{1}",)),
    _two("power", ("{1}*{0}**({1} - 1)", "{1}*{y}/{0}"), ("{y}*np.log({0})",), ((1e-2, 1e2), (-5, 5)),
         spelled=("{0}**{1}", "np.power({0}, {1})"), tempting=("{1}*{0}**{1}",)),
    _two("hypot", ("{0}/{y}",), ("{1}/{y}",), spelled=("np.hypot({0}, {1})", "np.sqrt({0}**2 + {1}**2)"),
         scalar=("math.hypot({0}, {1})",)),
    _two("arctan2", ("{1}/({0}**2 + {1}**2)",), ("-{0}/({0}**2 + {1}**2)",), scalar=("math.atan2({0}, {1})",),
         tempting=("-{1}/({0}**2 + {1}**2)",)),
    _two("maximum", ("np.where({0} >= {1}, 1.0, 0.0)", "({0} > {1})*1.0"),
         ("np.where({0} >= {1}, 0.0, 1.0)", "({1} > {0})*1.0"),
         spelled=("np.maximum({0}, {1})", "np.fmax({0}, {1})", "np.where({0} > {1}, {0}, {1})"),
         scalar=("max({0}, {1})", "({0} if {0} > {1} else {1})"), tempting=("1.0",)),
    _two("minimum", ("np.where({0} <= {1}, 1.0, 0.0)",), ("np.where({0} <= {1}, 0.0, 1.0)",),
         spelled=("np.minimum({0}, {1})", "np.fmin({0}, {1})"), scalar=("min({0}, {1})",)),
    _two("logaddexp", ("np.exp({0} - {y})",), ("np.exp({1} - {y})",), ((-40, 40), (-40, 40)),
         spelled=("np.logaddexp({0}, {1})", "np.log(np.exp({0}) + np.exp({1}))")),
    _two("logaddexp2", ("np.exp2({0} - {y})",), ("2.0**({1} - {y})",), ((-40, 40), (-40, 40))),
    _two("copysign", ("np.sign({0})*np.where({1} >= 0, 1.0, -1.0)",), ("0.0",)),
    _two("xlogy", ("np.log({1})",), ("{0}/{1}",), (_ANY, _POSITIVE), spelled=("sc.xlogy({0}, {1})", "{0}*np.log({1})")),
    _two("xlog1py", ("np.log1p({1})",), ("{0}/(1 + {1})",), (_ANY, (-0.9, 1e2)), spelled=("sc.xlog1py({0}, {1})",)),
    _two("rel_entr", ("np.log({0}/{1}) + 1",), ("-{0}/{1}",), ((1e-3, 1e2), (1e-3, 1e2)),
         spelled=("sc.rel_entr({0}, {1})", "{0}*np.log({0}/{1})")),
    _two("kl_div", ("np.log({0}/{1})",), ("1 - {0}/{1}",), ((1e-3, 1e2), (1e-3, 1e2)),
         spelled=("sc.kl_div({0}, {1})",)),
    _two("beta", ("{y}*(sc.psi({0}) - sc.psi({0} + {1}))",), ("{y}*(sc.psi({1}) - sc.psi({0} + {1}))",),
         ((0.05, 40), (0.05, 40)), spelled=("sc.beta({0}, {1})",)),
    _two("betaln", ("sc.psi({0}) - sc.psi({0} + {1})",), ("sc.psi({1}) - sc.psi({0} + {1})",),
         ((0.05, 40), (0.05, 40)), spelled=("sc.betaln({0}, {1})",)),
    _two("remainder", ("1.0",), ("-np.floor({0}/{1})",), ((-30, 30), (0.3, 10)),
         spelled=("np.remainder({0}, {1})", "{0} % {1}")),
)  # fmt: skip

# pieces of functions that meet at u = 0, with their derivatives
PIECES = (
    ("0.0", "0.0"),
    ("u", "1.0"),
    ("u**2", "2*u"),
    ("2*u", "2.0"),
    ("u + u**2", "1 + 2*u"),
    ("np.sqrt(u)", "0.5/np.sqrt(u)"),
    ("u*np.log(u)", "np.log(u) + 1"),
    ("1/u", "-1/u**2"),
    ("np.expm1(u)", "np.exp(u)"),
    ("np.sin(u)", "np.cos(u)"),
    ("u**1.5", "1.5*np.sqrt(u)"),
    ("u**1.1", "1.1*u**0.1"),
    ("u**3", "3*u**2"),
    ("5.0", "0.0"),
    ("0.1*u", "0.1"),
    ("sc.xlogy(u, u)", "np.log(u) + 1"),
    ("np.cbrt(u)", "1/(3*np.cbrt(u)**2)"),
    ("np.abs(u)", "np.sign(u)"),
    ("np.exp(u)", "np.exp(u)"),
)

# name: (the loop as a function, its derivative, where it may be)
LOOPS = {
    "newton_root": (
        """\
def newton_root(a):
    y = a + 1.0
    for _ in range(60):
        if abs(y*y - a) <= 1e-12*a:
            break
        y = 0.5*(y + a/y)
    return y
""",
        ("0.5/newton_root({0})", "0.5/np.sqrt({0})", "0.5*{0}**-0.5"),
        (0.01, 1000.0),
    ),
    "series_exp": (
        """\
def series_exp(a):
    s, t, k = 1.0, 1.0, 0
    while abs(t) > 1e-17*abs(s) and k < 500:
        k += 1
        t = t*a/k
        s = s + t
    return s
""",
        ("series_exp({0})", "np.exp({0})", "{y}"),
        (0.1, 5.0),
    ),
    "kepler": (
        """\
def kepler(m):
    t = m
    for _ in range(50):
        step = (t - 0.25*np.sin(t) - m)/(1 - 0.25*np.cos(t))
        t = t - step
        if abs(step) < 1e-14:
            break
    return t
""",
        ("1/(1 - 0.25*np.cos(kepler({0})))", "1/(1 - 0.25*np.cos({y}))"),
        (0.1, 3.0),
    ),
    "steps3": (
        """\
def steps3(a):
    y = a
    for _ in range(3):
        y = y + 0.3*np.sin(y)
    return y


def steps3_slope(a):
    y, d = a, 1.0
    for _ in range(3):
        d = d*(1 + 0.3*np.cos(y))
        y = y + 0.3*np.sin(y)
    return d
""",
        ("steps3_slope({0})",),
        (-5.0, 5.0),
    ),
    "horner": (
        """\
def horner(a):
    s = 0.0
    for c in (0.5, -1.25, 0.1, 3.0):
        s = s*a + c
    return s
""",
        ("(3*0.5*{0} - 2*1.25)*{0} + 0.1", "1.5*{0}**2 - 2.5*{0} + 0.1"),
        (-10.0, 10.0),
    ),
    "zeta_of": (
        """\
def zeta_of(a):
    return sc.zeta(a)


def zeta_of_slope(a):
    return -sum([math.log(k)*k**-a for k in range(2, 60)])
""",
        ("zeta_of_slope({0})",),
        (20.0, 40.0),
    ),
    "halving": (
        """\
def halving(a):
    k = 0
    while a > 1.0 and k < 1100:
        a = a/2
        k += 1
    return a*a + k


def halving_slope(a):
    k = 0
    while a > 1.0 and k < 1100:
        a = a/2
        k += 1
    return 2*a/2**k
""",
        ("halving_slope({0})",),
        (0.1, 50.0),
    ),
}
