"""The operations on vectors that code is drawn from: how they are written, and their derivatives backwards."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REARRANGED", "REDUCTIONS", "OfArray"]


@dataclass(frozen=True, slots=True)
class OfArray:
    """An operation on a vector; ``{g}`` is what the result's derivative is multiplied by, ``{K}``, ``{A}`` are data.

    Parameters
    ----------
    name : str
    spellings, backward, tempting : tuple of str
    result : str
        ``scalar``, ``same``, ``shorter`` (by one), ``matrix`` (as many as A has rows) or ``data`` (as many as K).
    positive : bool
        The elements must be away from 0.
    """

    name: str
    spellings: tuple[str, ...]
    backward: tuple[str, ...]
    tempting: tuple[str, ...] = ()
    result: str = "scalar"
    positive: bool = False


REDUCTIONS = (
    OfArray("sum", ("np.sum({0})", "{0}.sum()", "np.einsum('i->', {0})"), ("{g}*np.ones({n})", "np.full({n}, {g})")),
    OfArray("mean", ("np.mean({0})", "{0}.mean()"), ("{g}*np.ones({n})/{n}",), ("{g}*np.ones({n})",)),
    OfArray("prod", ("np.prod({0})", "{0}.prod()", "np.cumprod({0})[-1]"), ("{g}*{y}/{0}",), positive=True),
    OfArray("max", ("np.max({0})", "{0}.max()", "np.amax({0})", "np.sort({0})[-1]"),
            ("{g}*({0} == {y})", "{g}*(np.arange({n}) == np.argmax({0}))"), ("{g}*np.ones({n})",)),
    OfArray("min", ("np.min({0})", "{0}.min()", "np.sort({0})[0]"), ("{g}*({0} == {y})",
                                                                   "{g}*(np.arange({n}) == np.argmin({0}))")),
    OfArray("norm", ("np.linalg.norm({0})", "np.sqrt(np.sum({0}**2))", "np.sqrt({0} @ {0})"), ("{g}*{0}/{y}",),
            ("{g}*{0}",)),
    OfArray("norm 1", ("np.sum(np.abs({0}))", "np.linalg.norm({0}, 1)"), ("{g}*np.sign({0})",)),
    OfArray("norm inf", ("np.max(np.abs({0}))", "np.linalg.norm({0}, np.inf)"),
            ("{g}*np.sign({0})*(np.abs({0}) == {y})",)),
    OfArray("var", ("np.var({0})", "np.mean(({0} - np.mean({0}))**2)", "np.mean({0}**2) - np.mean({0})**2"),
            ("{g}*2*({0} - np.mean({0}))/{n}",), ("{g}*2*{0}/{n}",)),
    OfArray("std", ("np.std({0})",), ("{g}*({0} - np.mean({0}))/({n}*{y})",)),
    OfArray("squares", ("{0} @ {0}", "np.sum({0}**2)", "np.dot({0}, {0})", "np.einsum('i,i->', {0}, {0})",
                        "np.inner({0}, {0})"), ("2*{g}*{0}",), ("{g}*{0}",)),
    OfArray("weighted", ("{0} @ {K}", "np.sum({K}*{0})", "np.einsum('i,i->', {K}, {0})", "np.dot({K}, {0})"),
            ("{g}*{K}",)),
    OfArray("least squares", ("np.sum(({0} - {K})**2)", "np.mean(({0} - {K})**2)*{n}"), ("2*{g}*({0} - {K})",),
            ("{g}*({0} - {K})",)),
    OfArray("logsumexp", ("sc.logsumexp({0})", "np.log(np.sum(np.exp({0})))",
                          "np.max({0}) + np.log(np.sum(np.exp({0} - np.max({0}))))"),
            ("{g}*sc.softmax({0})", "{g}*np.exp({0} - {y})")),
    OfArray("median", ("np.median({0})", "np.sort({0})[({n} - 1)//2]*0.5 + np.sort({0})[{n}//2]*0.5"),
            ("{g}*0.5*((np.argsort(np.argsort({0})) == ({n} - 1)//2)*1.0 + (np.argsort(np.argsort({0})) == {n}//2))",)),
    OfArray("quadratic", ("{0} @ {A} @ {0}", "np.einsum('i,ij,j->', {0}, {A}, {0})", "np.sum({0}*({A} @ {0}))"),
            ("{g}*(({A} + {A}.T) @ {0})",), ("2*{g}*({A} @ {0})",)),
    OfArray("first", ("{0}[0]",), ("{g}*(np.arange({n}) == 0)",)),
    OfArray("mixed powers", ("np.sum(np.abs({0})**np.arange(2, {n} + 2))",),
            ("{g}*np.arange(2, {n} + 2)*np.abs({0})**np.arange(1, {n} + 1)*np.sign({0})",)),
    OfArray("count", ("np.sum({0} > 0)*1.0 + np.sum({0})", "np.sum(np.sign({0}) + {0})"), ("{g}*np.ones({n})",)),
    OfArray("loop", ("sum([v*v for v in {0}])", "sum([v**2 for v in {0}])"), ("2*{g}*{0}",)),
)  # fmt: skip

REARRANGED = (
    OfArray("cumsum", ("np.cumsum({0})",), ("np.cumsum({g}[::-1])[::-1]", "np.flip(np.cumsum(np.flip({g})))"),
            ("np.cumsum({g})",), "same"),
    OfArray("sort", ("np.sort({0})",), ("{g}[np.argsort(np.argsort({0}))]",), ("{g}",), "same"),
    OfArray("reverse", ("{0}[::-1]", "np.flip({0})"), ("{g}[::-1]",), ("{g}",), "same"),
    OfArray("roll", ("np.roll({0}, 1)",), ("np.roll({g}, -1)",), ("np.roll({g}, 1)",), "same"),
    OfArray("softmax", ("sc.softmax({0})", "np.exp({0})/np.sum(np.exp({0}))",
                        "np.exp({0} - np.max({0}))/np.sum(np.exp({0} - np.max({0})))"),
            ("{y}*({g} - np.sum({g}*{y}))",), ("{g}*{y}*(1 - {y})",), "same"),
    OfArray("log softmax", ("sc.log_softmax({0})", "{0} - sc.logsumexp({0})"),
            ("{g} - np.exp({y})*np.sum({g})",), ("{g} - np.exp({y})",), "same"),
    OfArray("centred", ("{0} - np.mean({0})", "{0} - {0}.mean()"), ("{g} - np.mean({g})",), ("{g}",), "same"),
    OfArray("share", ("{0}/np.sum({0})",), ("({g} - np.sum({g}*{y}))/np.sum({0})",), ("{g}/np.sum({0})",), "same",
            positive=True),
    OfArray("product", ("{A} @ {0}", "np.dot({A}, {0})", "np.einsum('ij,j->i', {A}, {0})", "np.matmul({A}, {0})"),
            ("{A}.T @ {g}", "{g} @ {A}"), ("{A} @ {g}",), "same"),
    OfArray("diff", ("np.diff({0})", "{0}[1:] - {0}[:-1]"),
            ("np.concatenate(([0.0], {g})) - np.concatenate(({g}, [0.0]))",), (), "shorter"),
    OfArray("scaled", ("{K}*{0}", "{0}*{K}"), ("{K}*{g}",), (), "same"),
    OfArray("shifted", ("{0} - {K}", "{0} + -{K}"), ("{g}",), (), "same"),
    OfArray("kernel", ("np.sum(np.exp(-({0}[:, None] - {K})**2), axis=1)",),
            ("-2*{g}*np.sum(({0}[:, None] - {K})*np.exp(-({0}[:, None] - {K})**2), axis=1)",),
            ("2*{g}*np.sum(({0}[:, None] - {K})*np.exp(-({0}[:, None] - {K})**2), axis=1)",), "same"),
    OfArray("waves", ("np.sum(np.sin({0}[:, None]*{K}), axis=0)", "np.sin(np.outer({0}, {K})).sum(axis=0)"),
            ("(np.cos({0}[:, None]*{K})*{K}) @ {g}",), (), "same"),
    OfArray("chosen", ("np.where({0} > {K}, {0}**2, {K}*{0})",), ("{g}*np.where({0} > {K}, 2*{0}, {K})",), (), "same"),
    OfArray("upper", ("np.maximum({0}, {K})", "np.where({0} >= {K}, {0}, {K})"), ("{g}*({0} >= {K})",), (), "same"),
    OfArray("of rows", ("np.max(np.stack([{0}, {K}]), axis=0)",), ("{g}*({0} >= {K})",), (), "same"),
)  # fmt: skip
