"""Published rules that choose the step size of a finite difference from values of the function."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.floats import as_floats, unit_roundoff
from diffcompare.numeric.complex_step import complex_quotient, takes_complex
from diffcompare.numeric.samples import Samples

__all__ = ["STEP_RULES", "Choice", "choose_step"]

# order of accuracy and side of the schemes that the rules know
_SCHEMES = {"forward": (1, 1.0), "backward": (1, -1.0), "central": (2, 1.0)}
# what does not depend on the scheme
_ANY_SCHEME = ("fixed 1e-4", "complex step")
_ITERATIONS = 40


@dataclass(frozen=True, slots=True)
class Choice:
    """What a rule chose.

    Parameters
    ----------
    h : float
        The step size; nan when refused.
    evaluations : int
        How many values of f the rule took to choose, without those of the difference itself.
    message : str
        Why there is no step; empty if there is one.
    value : float
        The derivative itself, where the rule is an extrapolation or the complex step; else nan.
    """

    h: float
    evaluations: int
    message: str = ""
    value: float = math.nan


@dataclass(slots=True)
class _Task:
    """A function along the direction of a scheme: t ↦ f(x + side·t)."""

    samples: Samples
    side: float
    order: int
    noise: float
    missing: list[float] = field(default_factory=list)

    def __call__(self, t: float) -> float:
        value = self.samples.value(self.samples.x + self.side * t)
        if not math.isfinite(value):
            self.missing.append(t)
        return value

    def refused(self, message: str) -> Choice:
        if self.missing:
            message = f"f is not finite at a distance of {abs(self.missing[0]):.3g}"
        return Choice(math.nan, self.samples.evaluations, message)

    def chosen(self, h: float, value: float = math.nan) -> Choice:
        if not 0 < h < math.inf:
            return self.refused("the step is too small or too large for a float")
        return Choice(h, self.samples.evaluations, "", value)


def choose_step(rule: str, f: Callable[[float], float], x: float, *, scheme: str = "central", noise: float) -> Choice:
    """Choose a step size by a rule.

    Estimated.

    Parameters
    ----------
    rule : str
        One of ``STEP_RULES``.
    f : callable
        Of one number; the complex step asks ``f.complex_values`` where there is such a method.
    x : float
    scheme : {"forward", "backward", "central"}
        Of others only ``fixed 1e-4`` and ``complex step`` know.
    noise : float
        Bound on the absolute error of a value of f near x.

    Returns
    -------
    Choice
        A step, or the reason why the rule gives none.

    Raises
    ------
    ValueError
        The rule is unknown.

    References
    ----------
    Named at each rule.

    Examples
    --------
    >>> import math
    >>> choice = choose_step("Shi-Xie-Xuan-Nocedal", math.exp, 1.0, noise=3e-16)
    >>> 1e-6 < choice.h < 1e-4, choice.evaluations <= 20
    (True, True)
    """
    if rule not in STEP_RULES:
        raise ValueError(f"rule={rule!r}: unknown rule; choose from {', '.join(STEP_RULES)}")
    x = float(as_floats(x, "x"))
    if scheme not in _SCHEMES and rule not in _ANY_SCHEME:
        return Choice(math.nan, 0, "the rule is for forward, backward and central differences")
    order, side = _SCHEMES.get(scheme, (0, 1.0))
    return STEP_RULES[rule](_Task(Samples(f, x), side, order, noise))


def _fixed(task: _Task) -> Choice:
    """K. Saitoh, Deep Learning from Scratch (2016), section 4.3: h = 1e-4."""
    return task.chosen(1e-4)


def _scaled(task: _Task) -> Choice:
    """J. E. Dennis, R. B. Schnabel (1983), section 5.4: h = u^{1/(p+1)}·max(1, |x|), p the order of the scheme."""
    root = math.sqrt(unit_roundoff) if task.order == 1 else math.cbrt(unit_roundoff)
    return task.chosen(root * max(1.0, abs(task.samples.x)))


def _dumontet_vignes(task: _Task) -> Choice:
    """J. Dumontet, J. Vignes, RAIRO Anal. Numér. 11 (1977), 13-25: f‴ at a step where rounding shows, but little.

    2k³f‴ ≈ f(x+2k) − f(x−2k) − 2f(x+k) + 2f(x−k). With A the sum of the positive terms, B of the negative, ε the
    relative error of f: f‴ lies between (A/(1+ε) + B/(1−ε))/2k³ and (A/(1−ε) + B/(1+ε))/2k³ (equation 30). The interval
    of k is halved on the scale of logarithms until the ratio of the two lies in [1/15, 1/2] or [2, 15] (34, whose
    misprinted limits later authors corrected); then h = (1.67·ε·|f/f‴|)^{1/3} (36). Its ends are our own, 1e-10·|x| and
    10·|x|; those of the paper (26) are 2^∓52·|x|.
    """
    if task.order != 2:
        return task.refused("the rule is for central differences")
    f0 = task(0.0)
    if f0 == 0 or not math.isfinite(f0):
        return task.refused("f(x) = 0 or not finite: its relative error is unknown")
    eps = max(task.noise / abs(f0), unit_roundoff)
    scale = max(abs(task.samples.x), 1e-6)
    low, high = 1e-10 * scale, 10.0 * scale
    for _ in range(_ITERATIONS):
        k = math.sqrt(low) * math.sqrt(high)
        terms = [task(2 * k), -task(-2 * k), -2 * task(k), 2 * task(-k)]
        if task.missing:
            if k < 1e-9 * scale:
                return task.refused("")
            high = k
            task.missing.clear()
            continue
        up, down = sum(t for t in terms if t > 0), sum(t for t in terms if t < 0)
        lower, upper = up / (1 + eps) + down / (1 - eps), up / (1 - eps) + down / (1 + eps)
        ratio = upper / lower if lower else math.inf
        if 1 / 15 <= ratio <= 1 / 2 or 2 <= ratio <= 15:
            # in units of k: k³ and f‴ may overflow or vanish
            third = sum(terms) / 2
            return task.chosen(k * math.cbrt(1.67 * eps * abs(f0 / third))) if third else task.refused("f‴ = 0")
        if 1 / 2 < ratio < 2:
            high = k
        else:
            low = k
        if high < 1.001 * low:
            break
    return task.refused("no step at which the rounding of the third difference shows, but little: f‴ may vanish")


def _gill_murray_saunders_wright(task: _Task) -> Choice:
    """P. E. Gill, W. Murray, M. A. Saunders, M. H. Wright, SIAM J. Sci. Stat. Comput. 4 (1983), 310-321, algorithm FD.

    Section 3.2: Φ = (f(x+k) − 2f(x) + f(x−k))/k² (equation 8) at a step k with relative condition error 4ε/(k²|Φ|) (11)
    in [0.001, 0.1], searched from 20(1+|x|)·√(ε/(1+|f|)) by factors of 10; where it jumps over that interval the larger
    k is taken; then h = 2√(ε/|Φ|). The authors' own program (CHCORE, of NPSOL) searches so, with Φ from x, x+k, x+2k
    and another factor. Where no k is found it falls back on one of the first difference; here that is said instead.
    """
    if task.order != 1:
        return task.refused("the rule is for forward and backward differences")
    f0, noise = task(0.0), task.noise
    if not noise > 0:
        return task.refused("the noise of f is 0: no balance")
    k, moved = 20 * (1 + abs(task.samples.x)) * math.sqrt(noise / (1 + abs(f0))), 0
    for _ in range(8):
        second = task(k) - 2 * f0 + task(-k)
        if task.missing:
            return task.refused("")
        condition = 4 * noise / abs(second) if second else math.inf
        if 0.001 <= condition <= 0.1:
            return task.chosen(2 * k * math.sqrt(noise / abs(second)))
        direction = 1 if condition > 0.1 else -1
        if direction == -moved:
            # between two decades neither is in the interval: the larger one has the smaller condition error
            k = max(k, k * 10.0**direction)
            second = task(k) - 2 * f0 + task(-k)
            return task.chosen(2 * k * math.sqrt(noise / abs(second))) if second else task.refused("f″ = 0")
        k, moved = k * 10.0**direction, direction
    return task.refused("no step at which the condition error of the second difference is acceptable: f″ may vanish")


def _shi_xie_xuan_nocedal(task: _Task) -> Choice:
    """H.-J. M. Shi, Y. Xie, M. Q. Xuan, J. Nocedal, SIAM J. Sci. Comput. 44 (2022), A2302-A2321: bisection on a ratio.

    Forward (algorithm 2.1): |f(x+4h) − 4f(x+h) + 3f(x)|/8ε from h = (2/√3)√ε. Central (algorithm 3.1, the ratio 3.14
    with α = 3): |f(x+3h) − 3f(x+h) + 3f(x−h) − f(x−3h)|/8ε from h = (3ε)^{1/3}, the best step for f‴ = 1 (3.3). The
    ratio is to lie in [1.5, 6]: h is multiplied or divided by 4 until it is between two, whose interval is then halved,
    here on the scale of logarithms.
    """
    noise = task.noise
    if not noise > 0:
        return task.refused("the noise of f is 0: no balance")
    h = 2 / math.sqrt(3) * math.sqrt(noise) if task.order == 1 else math.cbrt(3 * noise)
    low, high = 0.0, math.inf
    for _ in range(_ITERATIONS):
        if task.samples.exact_step(h) == 0:
            # below the spacing of the floats at x the stencil is one point
            ratio = 0.0
        elif task.order == 1:
            ratio = abs(task(4 * h) - 4 * task(h) + 3 * task(0.0)) / (8 * noise)
        else:
            ratio = abs(task(3 * h) - 3 * task(h) + 3 * task(-h) - task(-3 * h)) / (8 * noise)
        if math.isnan(ratio):
            task.missing.clear()
            ratio = math.inf
        if 1.5 <= ratio <= 6:
            return task.chosen(h)
        if ratio < 1.5:
            low = h
        else:
            high = h
        if h > 1e300 or h < 1e-300:
            break
        h = 4 * h if high == math.inf else h / 4 if low == 0 else math.sqrt(low) * math.sqrt(high)
    return task.refused("no step balances truncation and noise: the truncation error may vanish")


def _ridders(task: _Task) -> Choice:
    """C. J. F. Ridders, Adv. Eng. Software 4 (1982), 75-76: extrapolation of halved steps, to the smallest change.

    From h = 0.1·max(1, |x|). Row k of the tableau has the difference at h/2ᵏ and its extrapolations by the powers of h
    of the scheme. It stops when the change is twice the smallest one.
    """
    first = 0.1 * max(1.0, abs(task.samples.x))
    rows: list[list[float]] = []
    best, value, step = math.inf, math.nan, first
    for k in range(12):
        h = first * 0.5**k
        slope = (task(h) - task(-h)) / (2 * h) if task.order == 2 else task.side * (task(h) - task(0.0)) / h
        if not math.isfinite(slope):
            rows.clear()
            continue
        row = [slope]
        for column in range(1, len(rows) + 1):
            gain = 4.0**column if task.order == 2 else 2.0**column
            row.append((gain * row[-1] - rows[-1][column - 1]) / (gain - 1))
            change = max(abs(row[-1] - row[-2]), abs(row[-1] - rows[-1][column - 1]))
            if change <= best:
                best, value, step = change, row[-1], h
        if rows and abs(row[-1] - rows[-1][-1]) >= 2 * best:
            break
        rows.append(row)
    return task.chosen(step, value) if math.isfinite(value) else task.refused("no two differences are finite")


def _complex_step(task: _Task) -> Choice:
    """W. Squire, G. Trapp, SIAM Review 40 (1998), 110-112: Im f(x + ih)/h, at h = 1e-20 (the default of R's pracma).

    Nothing is subtracted, so that nothing has to be balanced (J. R. R. A. Martins, P. Sturdza, J. J. Alonso, ACM Trans.
    Math. Softw. 29 (2003), 245-262).
    """
    h = 1e-20
    try:
        value = float(complex_quotient(takes_complex(task.samples.f), np.float64(task.samples.x), np.float64(h)))
    except (TypeError, UnsupportedFunction) as error:
        return task.refused(str(error))
    return task.chosen(h, value) if math.isfinite(value) else task.refused("f(x + ih) is not finite")


STEP_RULES: Mapping[str, Callable[[_Task], Choice]] = {
    "fixed 1e-4": _fixed,
    "scaled by u": _scaled,
    "Dumontet-Vignes": _dumontet_vignes,
    "Gill-Murray-Saunders-Wright": _gill_murray_saunders_wright,
    "Shi-Xie-Xuan-Nocedal": _shi_xie_xuan_nocedal,
    "Ridders": _ridders,
    "complex step": _complex_step,
}
