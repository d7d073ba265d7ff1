"""The words of the tables and of the verdict, each with the theory behind it in a few lines."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from difflib import get_close_matches

from diffcompare.report.drawings.marks import KEY, LANES, RULES
from diffcompare.report.wording import CHECK_WORDS, OUTCOME_WORDS, PART_MEANINGS, STATUS_WORDS, VERDICT_WORDS

__all__ = ["WIDTH", "WORDS", "close_words", "explanation", "word_list"]

WIDTH = 78


def _sentence(words: str) -> str:
    # h is a name
    return words if words.startswith("h ") else words[0].upper() + words[1:]


# the heading of each group, then its words
WORDS: Mapping[str, Mapping[str, str]] = {
    "what is compared": {
        "function": "What is differentiated: the name that it was given, or its formula.",
        "variable": "The variable that the partial derivative is taken in. All others are held at their coordinates.",
        "point": "Where, as text that reads back bit for bit: x=1.5, or x0=3.0;x1=4.0. The derivative is taken at "
        "exactly these binary64 numbers.",
        "scheme": "Which finite difference: forward, backward or central, or one of these with its order of "
        "accuracy, as forward2 or central4; a stencil of your own is named by its offsets. In a box it is the "
        "one that ran, as forward2 in place of central. See forward, backward, central.",
        "order": "The order of accuracy p of the scheme: its truncation error is κ·F^(p+1)(x)·h^p + higher powers "
        "of h (for a first derivative). p is 1 for forward and backward, 2 for central. In a log-log plot the error "
        "falls with slope p as h falls, until rounding takes over.",
        "derivative": "The order q of the derivative that is compared: 1 for f′, 2 for f″. The quotient divides by "
        "h^q, so rounding grows with every order, and the best h is larger.",
        "h": "The step size: the absolute distance between neighbouring abscissae, in units of the variable. A "
        "large h gives a large truncation error, a small h a large rounding error; the best h lies between.",
        "dtype": "The floating-point type that f is computed in. Its unit roundoff u is 2⁻⁵³ for float64, 2⁻²⁴ for "
        "float32, 2⁻¹¹ for float16. Point, h and constants are rounded to it first, and the exact derivative is "
        "taken at the rounded point.",
    },
    "columns: the error": {
        "numeric": "The finite difference D̂ as the floating-point code returns it, every rounding included.",
        "exact": "The certified derivative: the true derivative D at the exact binary point, enclosed in ball "
        "arithmetic with more and more bits until only one binary64 number is nearest to all of the enclosure. "
        "Empty (nan) where the status is kink, domain or undecided: there is no value to give.",
        "error": "numeric − D, with sign, where D is the derivative itself and not its rounded column: computed "
        "from the exact difference and rounded once, so that it is right also where numeric and exact are the same "
        "number. It is the sum of truncation, abscissa, evaluation, subtraction and division. In hot_spots.csv: "
        "what the rounding of one operation contributes to f.",
        "abs_error": "The size of error.",
        "rel_error": "|error|/|D|, correctly rounded. Where D = 0 it is 0 if the error is 0, and else inf.",
        "bound": "A number that |error| cannot exceed: truncation_bound + rounding_bound. It is proven before the "
        "error is looked at, and says nothing of whether h is good. Empty where none was found (unbounded). "
        "bound_source says whether it is proven or measured. In hot_spots.csv: how much the rounding of one "
        "operation can contribute.",
        "within_bound": "Whether |error| ≤ bound; empty where there is no bound. False would be a bug in "
        "diffcompare, or a build of NumPy whose functions round worse than was measured.",
        "status": "Whether a row can be judged: ok, domain, kink, undecided, nonfinite or h-underflow; the first "
        "that applies of domain, kink, undecided, nonfinite, h-underflow, ok. In functions.csv: ok, or failed with "
        "the reason in message.",
    },
    "columns: the exact split": {
        "truncation": f"{_sentence(PART_MEANINGS['truncation'])}: T = (F(x + h) − F(x − h))/2h − D for central, with "
        "no rounding at all. It falls like h^p, and dominates where h is large.",
        "abscissa": f"A: {PART_MEANINGS['abscissa']}. About |F′|·u·|x|/h; it is 0 where x ± h are floats, as for "
        "powers of two that fit.",
        "evaluation": f"{_sentence(PART_MEANINGS['evaluation'])}. E = ((f̂(a) − F(a)) − (f̂(b) − F(b)))/2h for "
        "central, at the rounded abscissae a and b. Of the size u·|f|/h or more, so it grows as h falls.",
        "subtraction": f"S: {PART_MEANINGS['subtraction']}: exactly 0 where they are within a factor of "
        "two of each other (Sterbenz). The loss of digits that is blamed on subtraction happened before, in "
        "evaluation.",
        "division": f"{_sentence(PART_MEANINGS['division'])}: Q = D̂ − s/2h. At most a few u·|D̂|; it does not grow as h "
        "falls.",
        "truncation_bound": "Proven to be at least |truncation|: a constant of the scheme (Peano) times h^q times "
        "the largest |F^(q+1)| over all points between the abscissae, enclosed by interval arithmetic; for central "
        "h²/6·sup|F‴|. The smallest of the bounds for q = p, p − 1, …, 1 and of one from the slopes alone.",
        "rounding_bound": "Proven to be at least |error − truncation|: what the roundings of all operations in f "
        "can add up to (running error analysis over the same operations that ran), divided by h; and those of "
        "abscissae, difference and quotient.",
        "bound_source": "proven, measured, or empty where there is no bound.",
    },
    "columns: the best step": {
        "predicted_h": "The step at which a model of the error is smallest: |Σ κ_m F^(m+1)(x)·h^m| from derivatives "
        "of f up to order 10, plus the proven rounding noise divided by h. Estimated: the noise is a bound, the "
        "rounding that happens is often smaller. For central and one term it is about (3ε|f|/|f‴|)^(1/3), for "
        "forward 2·√(ε|f|/|f″|).",
        "predicted_abs_error": "The error of that model at predicted_h. Estimated, not a bound.",
        "best_h": "The step of the smallest |error| that was observed, among rows whose status is ok; of equal ones "
        "the largest. Part of it is luck: errors of rounding scatter, and one of them may happen to be small.",
        "best_abs_error": "The smallest |error| that was observed, at best_h. In rules.csv: that of the sweep, "
        "against which the rule is held.",
        "observed_order": "The slope of log|truncation| against log h, by least squares over the up to 8 smallest "
        "steps at which truncation is at least ten times all the rest. It should be the order of the scheme; higher "
        "where the leading term vanishes by symmetry, lower at a kink or where f is rough. Empty below 3 such rows.",
        "abs_error_at_1e-4": "|error| at h = 1e-4, the step of the textbook; empty if the steps do not have it.",
        "max_bound_ratio": "The largest |error|/bound over rows whose status is ok. Near 1: the bound is tight "
        "there. Above 1: outside-bound.",
        "verdict": "Of a row of summary.csv: within-bound, outside-bound, unbounded or not-differentiable. It "
        "judges the errors against their bounds, and not whether h is well chosen.",
    },
    "status of a row": {
        "ok": f"{_sentence(STATUS_WORDS['ok'])}. ok does not mean small: look at error and bound.",
        "domain": f"{_sentence(STATUS_WORDS['domain'])}. On the edge, as for sqrt(x) at 0, there is no two-sided "
        "derivative. The point is a result of its own, and no failure.",
        "kink": f"{_sentence(STATUS_WORDS['kink'])}, as for abs(x) at 0. Proved by expansions to both sides. A "
        "central difference gives the mean of the two slopes there, a plausible number that is no derivative.",
        "undecided": f"{_sentence(STATUS_WORDS['undecided'])}. Guessing would be the alternative.",
        "nonfinite": f"{_sentence(STATUS_WORDS['nonfinite'])}. Overflow inside f is the usual reason, as of exp(x) "
        "beyond x = 709.",
        "h-underflow": f"{_sentence(STATUS_WORDS['h-underflow'])}. It happens once h < u·|x|: 1.5 + 1e-17 is 1.5.",
    },
    "verdict on a row of the summary": {
        "within-bound": f"{_sentence(VERDICT_WORDS['within-bound'])}. So numeric and exact derivative confirm each "
        "other: the difference is no larger than the scheme and the rounding explain.",
        "outside-bound": f"{_sentence(VERDICT_WORDS['outside-bound'])}. The exit code is 1.",
        "unbounded": f"{_sentence(VERDICT_WORDS['unbounded'])}. Nothing follows for or against the derivative. Kinks "
        "between the abscissae, poles nearby and functions without rounding constants have this result.",
        "not-differentiable": f"{_sentence(VERDICT_WORDS['not-differentiable'])}. The status of the rows says why: "
        "kink, domain or undecided.",
    },
    "source of a bound": {
        "proven": "The bound holds for the very operations that ran, given the measured rounding constants of "
        "NumPy's elementary functions (how far its exp, log, sin … are from correctly rounded). All the rest is "
        "proved.",
        "measured": "f was not run as the program that is analysed, but as code of yours: its evaluation error was "
        "found exactly, and stands in place of a bound on it. Truncation and the other roundings are still bounded.",
    },
    "verdict on a gradient (check)": {
        "consistent": f"{_sentence(CHECK_WORDS['consistent'])}. It is not “right”: an error below the resolution, "
        "which is stated, would not have been seen. Exit code 0.",
        "wrong": f"{_sentence(CHECK_WORDS['wrong'])}. The worst component is named, and a cause where one fits. Exit "
        "code 1.",
        "inconclusive": f"{_sentence(CHECK_WORDS['inconclusive'])}: the difference is of the size of the rounding, or "
        "too little is known of the function. Pass a formula, or choose another point. Exit code 3.",
        "non-smooth": f"{_sentence(CHECK_WORDS['non-smooth'])}. Whatever the gradient says is a convention, and is not "
        "judged. Exit code 1.",
        "out-of-domain": f"{_sentence(CHECK_WORDS['out-of-domain'])}. Exit code 2.",
        "resolution": "The largest error, relative to the largest component, that would have gone unnoticed in some "
        "component. A check without a resolution proves nothing.",
        "rounding": "The rounding error of the gradient itself, relative to its largest component.",
        "blame": "Which is at fault: gradient, or formula, where the function is not the formula that was given.",
        "cause": "An explanation of what is wrong that fits the numbers: a sign, a factor, permuted components, a "
        "missing term or chain factor, float32. Estimated: what fits need not be what happened.",
        "evidence": "How a gradient was judged, the strongest that was possible: identity, neighbours, witness; or "
        "calls.",
        "claimed": "What the gradient returned for a component.",
        "certified": "The derivative of a component, correctly rounded, where it is known.",
        "threshold": "The difference from the derivative above which a component is called wrong.",
        "ulps": "How far apart two numbers are, counted in units in the last place: the spacing of floats there.",
    },
    "evidence of a verdict": {
        "identity": "Function and gradient were both traced, and compared as real functions in ball arithmetic. A "
        "bug is a difference of real numbers, however small; rounding is only reported. The sharpest of the rules.",
        "neighbours": "The gradient is opaque but the derivative is known: the gradient's rounding is measured at "
        "neighbouring floats. Rounding scatters from one to the next, a bug is smooth.",
        "witness": "Nothing is known of the function but its values: it is compared with the integral of the "
        "claimed gradient, by the fundamental theorem of calculus.",
        "calls": "What the calls did decides, before any derivative was looked at; the verdict says what that was.",
    },
    "schemes": {
        "forward": "(f(x + h) − f(x))/h. Truncation ≈ h/2·F″(x), rounding ≈ 2ε|f|/h, so the best h is about "
        "2·√(ε|f/F″|), 1e-8 for ordinary functions, with an error of about 1e-8. forward2, forward3 … have that "
        "order of accuracy, and no abscissa on the left of x: for the left edge of a domain.",
        "backward": "(f(x) − f(x − h))/h. The mirror image of forward, with the same sizes: truncation ≈ "
        "−h/2·F″(x). backward2, backward3 … have that order of accuracy, and no abscissa on the right of x.",
        "central": "(f(x + h) − f(x − h))/2h. The terms of even order cancel: truncation ≈ h²/6·F‴(x), rounding ≈ "
        "ε|f|/h, so the best h is about (3ε|f/F‴|)^(1/3), 1e-5 for ordinary functions, with an error of about "
        "1e-10. central4, central6 … use more abscissae: a higher order, and a larger best h.",
        "complex": "Im f(x + ih)/h. Nothing is subtracted, so no digits cancel and h may be tiny: truncation ≈ "
        "h²/6·F‴(x), gone at h = 1e-10. For analytic functions of code that takes complex numbers alone: abs, max, "
        "comparisons and branch cuts are refused (Squire and Trapp 1998). Some special functions of SciPy lose a tiny "
        "imaginary part (Bessel J and Y, Si, Ei; gamma and Airy left of 0), which the split shows as evaluation.",
        "stencil": "Offsets and weights of a finite difference: D̂ = Σ c_j·f(x + o_j·h)/h^q. The weights are exact "
        "rationals that differentiate every polynomial of low degree (Fornberg).",
    },
    "step rules": {
        "fixed 1e-4": "h = 1e-4 always, as in textbooks (Saitoh, Deep Learning from Scratch, section 4.3). Safe for "
        "central and x near 1; poor for forward, and for x that is very large or small.",
        "scaled by u": "h = u^(1/(p+1))·max(1, |x|), p the order of the scheme: 1e-8 for forward, 5e-6 for central. "
        "The minimum of truncation plus rounding if f and its derivatives are of size 1 (Dennis and Schnabel, 1983, "
        "section 5.4).",
        "certified optimum": "The predicted_h of the sweep: it knows the derivatives of f, which no other rule "
        "does. What a rule could do at best, and not a rule to be used.",
        "Dumontet-Vignes": "For central: searches for a step at which the third difference shows its rounding, but "
        "little; this gives f‴, and h = (1.67·ε·|f/f‴|)^(1/3) (RAIRO Anal. Numér. 11, 1977). No answer where f‴ may "
        "vanish.",
        "Gill-Murray-Saunders-Wright": "For forward and backward: searches for a step at which the second "
        "difference has one to three good digits; this gives f″, and h = 2·√(ε/|f″|) (SIAM J. Sci. Stat. Comput. 4, "
        "1983).",
        "Shi-Xie-Xuan-Nocedal": "Bisection on h until the ratio of truncation to noise, told from a few values of "
        "f, lies between 1.5 and 6 (SIAM J. Sci. Comput. 44, 2022). The noise of f must be known.",
        "complex step": "Im f(x + ih)/h at h = 1e-20, for analytic functions alone: nothing is subtracted, so nothing "
        "has to be balanced (Squire and Trapp, SIAM Review 40, 1998). The same row in every scheme. See complex.",
        "Ridders": "Halves h and extrapolates the differences to h = 0, until the change grows again (Adv. Eng. "
        "Software 4, 1982). It gives the derivative itself, and may be better than any single difference.",
    },
    "marks of the charts": {
        **{mark.tick: f"{_sentence(mark.words)}. See {rule}." for rule, mark in RULES.items()},
        **{sign: f"{_sentence(words)}." for _, sign, words in KEY if len(sign) == 1},
        "tick": "A short mark at the upper edge of an error chart: a step that a published rule would have chosen. The "
        "letters at it are those of the rule.",
        "shape": "|error| against h in a small drawing, both logarithmic on scales of their own, small h on the left.",
        LANES[0]: "The lane above a chart: errors that are nan or infinite have no place on a logarithmic axis.",
        LANES[1]: "The lane below a chart: an error of exactly 0 has no place on a logarithmic axis.",
    },
    "words of the field": {
        "u": "The unit roundoff: the largest relative error of one rounding to nearest, half the distance from 1 to "
        "the next float. 2⁻⁵³ ≈ 1.1e-16 for float64, 2⁻²⁴ for float32, 2⁻¹¹ for float16.",
        "ulp": "Unit in the last place: the distance from a float to its neighbour. It is between u and 2u times the "
        "number, so that a correctly rounded result is within half an ulp.",
        "ε": "The relative rounding error of the computed values of f: |f̂ − f| ≤ ε|f|. At best u, and more where f "
        "cancels. A difference divides it by h.",
        "κ": "The constant of a scheme in its truncation error κ·F^(p+1)(x)·h^p: 1/2 for forward, 1/6 for central.",
        "gradient descent": "Going from x to x − η·∇f(x) again and again, to find a minimum. With a learning rate η "
        "that is too large it diverges, with one that is too small it hardly moves. descent.csv has the steps.",
        "learning rate": "The factor η of a gradient descent: each step goes from x to x − η·∇f(x).",
        "box": "The lower and upper limits of the variables, which no abscissa leaves. Near a side a one-sided "
        "scheme of the same order runs in place of the one that was asked for.",
        "abscissae": "The places at which a scheme evaluates f, such as x + h and x − h.",
        "ball": "A midpoint and a radius that are proven to enclose a number: what certified values are computed with.",
    },
    "outcome of an answer (rank)": {
        "covered": f"{_sentence(OUTCOME_WORDS['covered'])}. What an estimate is for.",
        "overconfident": f"{_sentence(OUTCOME_WORDS['overconfident'])}. The number is wrong, and who asked is not "
        "told.",
        "unestimated": f"{_sentence(OUTCOME_WORDS['unestimated'])}. So is every plain finite difference.",
        "refused": f"{_sentence(OUTCOME_WORDS['refused'])}.",
    },
    "columns of a ranking": {
        "differentiator": "ranking.csv and scores.csv: what took a function and a point and gave a derivative.",
        "trouble": "ranking.csv: what makes the derivative hard at this point; none where any method should do.",
        "estimate": "ranking.csv: what the differentiator says of the size of its own error; empty where it says "
        "nothing.",
        "outcome": "ranking.csv: covered, overconfident, unestimated or refused, by the certified derivative. "
        "comparisons.csv: what pytest said of the test.",
        "functions": "scores.csv: how many functions were asked for.",
        "without_derivative": "scores.csv: how many of them have no derivative at the point, provably.",
        "rightly_refused": "scores.csv: how many of those without a derivative were refused.",
        "median_rel_error": "scores.csv: the median of |error|/|D| over the answers where D exists and is not 0. "
        "Who refuses what is hard is measured on what is easy: look at refused as well.",
        "max_rel_error": "scores.csv: the largest |error|/|D| over the same answers.",
        "median_evaluations": "scores.csv: the median number of values of f that a differentiator asked for.",
    },
    "columns of verdicts and of test runs": {
        "component": "components.csv, comparisons.csv: which component of the gradient, as x[0]; in comparisons.csv "
        "the worst one.",
        "difference": "components.csv, comparisons.csv: claimed − derivative.",
        "relative": "components.csv: |difference| divided by the largest component.",
        "test": "comparisons.csv, components.csv: the test that made the assertion, as pytest names it.",
        "place": "comparisons.csv, components.csv: the file and line of the assertion.",
        "kind": "comparisons.csv: what was compared, as gradient or within_bound.",
        "examples": "comparisons.csv: how many examples of Hypothesis the assertion was tried at; 1 without it.",
        "statuses": "comparisons.csv: how often each status was met among the examples.",
        "max_threshold_ratio": "comparisons.csv: the largest |difference|/threshold of all examples, or |error|/bound.",
        "page": "comparisons.csv: the file of the page that shows the verdict; empty if it has none.",
    },
    "columns of the other files": {
        "variables": "functions.csv: the arguments of the function in order, with ; between.",
        "formula": "functions.csv: the formula as given, or MODULE:function of Python code.",
        "as written": "The formula as it was given, as code.",
        "latex": "functions.csv: the formula in LaTeX; empty for Python code, for what failed and where it would be "
        "too large.",
        "derivative_latex": "functions.csv: the derivative, by the rules of calculus, in LaTeX; empty as for latex.",
        "source": "functions.csv: where the function came from: text, sympy or python.",
        "message": "functions.csv: why a function failed. rules.csv: why a rule gives no step. Else empty.",
        "gradient": "descent.csv: which gradient was followed: exact, or that of a scheme. As blame of a verdict: "
        "the gradient is at fault, not the formula.",
        "step": "descent.csv: the number of the step, 0 at the start. Each goes from x to x − learning_rate·gradient.",
        "value": "descent.csv: f at this step. curves.csv: f at x. surfaces.csv: f at x and y.",
        "gradient_norm": "descent.csv: the Euclidean length of the gradient that is followed.",
        "distance": "descent.csv: the Euclidean distance to the descent with the exact gradient, at the same step.",
        "x": "curves.csv: a place near a point at which a function of one variable is tabulated. surfaces.csv: the "
        "first variable of a function of two, around its gradient descents.",
        "y": "surfaces.csv: the second variable of a function of two, around its gradient descents.",
        "operation": "hot_spots.csv: a part of the formula whose last operation rounds.",
        "bound_share": "hot_spots.csv: bound, as a share of the sum over all operations.",
        "error_share": "hot_spots.csv: |error|, as a share of the sum of the sizes over all operations.",
        "rule": "rules.csv: a published rule for choosing h, or the certified optimum. See fixed 1e-4.",
        "ratio": "rules.csv: abs_error/best_abs_error, how much worse the rule is than the best step of the sweep. "
        "Below 1: better than all of its steps.",
        "evaluations": "rules.csv: how many values of f the rule took to choose h; those of the difference not "
        "counted. ranking.csv: how many the differentiator asked for.",
    },
    "the command line": {
        "formulas": "+ - * / **, sqrt, cbrt, exp, log (also log2, log10, log1p, expm1, log(x, base)), the "
        "trigonometric and hyperbolic functions and their inverses, abs, sign, min, max, hypot, where(condition, a, "
        "b), Piecewise, pi and E, under their SymPy, NumPy and math names; and special functions. 0.1 means 1/10 "
        "exactly.",
        "special functions": "erf erfc erfi erfinv, gamma loggamma gammaln digamma polygamma factorial beta, "
        "gammainc gammaincc (regularised) lowergamma uppergamma, besselj bessely besseli besselk (jv yv iv kv, j0 …) "
        "spherical_jn sinc (np.sinc is that of πx), airyai airyaiprime airybi airybiprime, zeta(s) zeta(s, a), "
        "polylog, LambertW(x) LambertW(x, -1), elliptic_k elliptic_e (of m), Ei Si Ci li expint fresnels fresnelc, "
        "legendre chebyshevt chebyshevu hermite laguerre, Heaviside floor ceiling. Orders are constants. The floats "
        "are SciPy's; functions and orders whose accuracy was not measured have no bound.",
        "json": "--json prints one document. run: functions and verdicts, their counts, and summary, the rows of "
        "summary.csv, the worst first. compare: derivatives, rules and summary. check: status, the worst, and "
        "verdicts, one a point, with components and places, the marked expressions. rank: scores, and missing, which "
        "libraries are not installed. "
        "Numbers read back exactly, nan is null, infinities are “inf” and “-inf”; report is a path or null. What "
        "your code prints goes to stderr; where the input is refused there is no document, and the reason is there.",
    },
}

_PLACES = {_key: group for group, words in WORDS.items() for _key in words}
_FOLDED = {word.casefold(): word for word in _PLACES}
# what the pages write in place of a name, and what a keyboard lacks
_SHOWN = {
    "|error| at h = 1e-4": "abs_error_at_1e-4",
    "largest |error|/bound": "max_bound_ratio",
    "|error|/bound": "max_bound_ratio",
    "|error|/best": "ratio",
    "median |error|/|exact|": "median_rel_error",
    "largest": "max_rel_error",
    "largest share of threshold": "max_threshold_ratio",
    "share of the bound": "bound_share",
    "share of the error": "error_share",
    "reason": "message",
    "remark": "message",
    "judged by": "evidence",
    "to blame": "blame",
    "worst component": "component",
    "f": "function",
    "eps": "ε",
    "epsilon": "ε",
    "kappa": "κ",
    "unit roundoff": "u",
    "sqrt u": "√u",
    "nan / inf": LANES[0],
}
_NUMBERED = re.compile(r"(forward|backward|central)\d+")


def explanation(word: str, *, width: int = WIDTH) -> str | None:
    """Explain a word of the tables in at most ten lines of 78 columns; None if it is not one.

    >>> print(explanation("|error|"))
    abs_error (columns: the error)
      The size of error.
    """
    folded = _NUMBERED.sub(r"\1", word.strip().casefold())
    folded = _SHOWN.get(folded, folded)
    known = _FOLDED.get(folded) or _FOLDED.get(folded.replace("|error|", "abs_error").replace(" ", "_"))
    if known is None:
        return None
    group = _PLACES[known]
    text = textwrap.wrap(WORDS[group][known], width - 2, break_on_hyphens=False, break_long_words=False)
    return "\n".join([f"{known} ({group})", *(f"  {line}" for line in text)])


def close_words(word: str) -> list[str]:
    """List the known words that look like one, the closest first.

    >>> close_words("truncatoin")
    ['truncation']
    """
    folded = word.strip().casefold().replace(" ", "_")
    found = get_close_matches(folded, _FOLDED, n=3, cutoff=0.7)
    found += [known for known in _FOLDED if len(folded) > 2 and folded in known and known not in found]
    return [_FOLDED[known] for known in found[:5]]


def word_list(*, width: int = WIDTH) -> str:
    """List all words, group by group."""
    lines = ["diffcompare explain WORD, where WORD is one of"]
    for group, words in WORDS.items():
        listed = textwrap.wrap(", ".join(words), width - 2, break_on_hyphens=False, break_long_words=False)
        lines += [group, *(f"  {line}" for line in listed)]
    return "\n".join(lines)
