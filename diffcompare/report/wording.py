"""How numbers, statuses and verdicts are put into words, and text that is safe to look at."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

__all__ = [
    "CHECK_WORDS",
    "NOTHING_MEASURED",
    "OUTCOME_WORDS",
    "PART_MEANINGS",
    "PART_WORDS",
    "STATUS_WORDS",
    "VERDICT_WORDS",
    "Html",
    "bound_words",
    "breakable",
    "exactly",
    "partial",
    "percent",
    "place",
    "plural",
    "printable",
    "raised",
    "share",
    "short",
    "spelled",
    "unbroken",
]

# signs that a terminal may lack, as they are typed
_TYPED = str.maketrans(
    {
        **dict(zip("–−×·≈“”┊│└─", '--x*~"":|+-', strict=True)),
        "→": "->",
        "±": "+-",
        "≤": "<=",
        "≥": ">=",
        "…": "...",
        "′": "'",
        "″": "''",
        "‴": "'''",
        "√": "sqrt",
        "Σ": "sum ",
        "κ": "kappa",
        "ε": "eps",
        "∂": "d",
        "\u0302": "^",
    }
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

STATUS_WORDS: Mapping[str, str] = {
    "ok": "the exact derivative is known and the numeric one is a finite number",
    "domain": "the point, or an abscissa such as x + h or x − h, lies outside the real domain of the function",
    "kink": "the derivative does not exist at this point: the slopes from the left and from the right differ",
    "undecided": "whether the derivative exists, or how it rounds, could not be decided; no value is given",
    "nonfinite": "the function's code returned inf or nan at an abscissa, so the quotient is not a finite number",
    "h-underflow": "h is too small to move the point: all abscissae are the same float, "
    "so the quotient says nothing about the function (it is 0, but for rounding)",
}

VERDICT_WORDS: Mapping[str, str] = {
    "within-bound": "every error that has a proven bound is within it",
    "outside-bound": "a proven bound was exceeded, which cannot be: a bug in diffcompare or in this build of NumPy",
    "unbounded": "errors were measured, but no bound was found here to judge them by",
    "not-differentiable": "there is no exact derivative to compare with at this point",
}

NOTHING_MEASURED = "no error could be measured, for no step gave a finite quotient"

# of an answer of a differentiator
OUTCOME_WORDS: Mapping[str, str] = {
    "covered": "the error is at most 10 times what was estimated (an estimate counts for an ulp at least)",
    "overconfident": "the error is more than 10 times what was estimated, or there is no derivative at all",
    "unestimated": "an answer that says nothing of its error",
    "refused": "no answer: nan, an infinite estimate or an exception; right where there is no derivative",
}

# a checked gradient, worst first
CHECK_WORDS: Mapping[str, str] = {
    "wrong": "the difference to the derivative is larger than anything that rounding or constants explain",
    "out-of-domain": "the function or its derivative is not defined at this point, or not finite",
    "non-smooth": "there is no derivative at this point: the slopes on its sides differ",
    "inconclusive": "neither right nor wrong could be shown; the notes say what stood in the way",
    "consistent": "the claim agrees with the derivative, as closely as the resolution says",
}

# the exact parts of an error, in the order of their columns
PART_WORDS: Mapping[str, str] = {
    "truncation": "truncation",
    "abscissa": "abscissa (rounding of x ± h)",
    "evaluation": "evaluation of f",
    "subtraction": "subtraction",
    "division": "division",
}

PART_MEANINGS: Mapping[str, str] = {
    "truncation": "what the formula leaves out: the quotient of the true function at the intended abscissae, "
    "minus the derivative",
    "abscissa": "x + h and x − h are rounded to floats, so f is evaluated a little beside the intended places",
    "evaluation": "the rounding errors that the code of f makes at these floats; usually the largest part for small h",
    "subtraction": "rounding of the difference of the two values of f; 0 when they are close together",
    "division": "rounding of the divisor and of the quotient",
}


def bound_words(sources: Collection[str]) -> str:
    """Name the bounds by what stands in bound_source: "proven" is said only where all of them are.

    >>> bound_words({"proven"}), bound_words({"proven", "measured"}), bound_words({"measured"})
    ('proven bound', 'bound', 'measured bound')
    """
    known = sorted(source for source in sources if source)
    return f"{known[0]} bound" if len(known) == 1 else "bound"


@dataclass(frozen=True, slots=True)
class Html:
    """Markup that this package made itself: templates print it as it is, and escape every other text."""

    text: str

    def __html__(self) -> str:
        return self.text


def breakable(text: str) -> Html:
    """Escape the text of a point, and let a line break after each coordinate.

    >>> breakable("x0=1.0;x<1=2.0").text
    'x0=1.0;<wbr>x&lt;1=2.0'
    """
    return Html(";<wbr>".join(html.escape(printable(part)) for part in text.split(";")))


def place(text: str, most: int = 3) -> str:
    """Write a point on one line: all coordinates where they are few, else the first and the last name.

    >>> place("x0=3.0;x1=4.0"), place("a=1.0;b=2.0;c=3.0;d=4.0")
    ('x0=3.0, x1=4.0', 'a … d (4 numbers)')
    """
    parts = text.split(";")
    if len(parts) <= most:
        return ", ".join(parts)
    first, last = (part.rpartition("=")[0] for part in (parts[0], parts[-1]))
    return f"{first} … {last} ({len(parts)} numbers)"


_NUMBER = re.compile(r"((?:\bh = )?[-−]?\d[\d.,]*e[-+]?\d+)")


def unbroken(text: str) -> Html:
    """Escape a sentence, and keep each number of it, and the h before it, on one line.

    >>> unbroken("h = 1e-4 < 2").text
    '<span class="whole">h = 1e-4</span> &lt; 2'
    """
    parts = _NUMBER.split(printable(text))
    return Html(
        "".join(
            f'<span class="whole">{html.escape(part)}</span>' if k % 2 else html.escape(part)
            for k, part in enumerate(parts)
        )
    )


def printable(text: str) -> str:
    r"""Replace what cannot be seen (controls, direction marks, lone surrogates) by its escape sequence.

    >>> printable("a\u202eb\x00c")
    'a\\u202eb\\x00c'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in text)


def spelled(text: str, encoding: str) -> str:
    """Spell signs with ASCII characters where the encoding lacks one of them.

    >>> spelled("x ± h, u = 2⁻⁵³", "utf-8"), spelled("x ± h, u = 2⁻⁵³", "ascii")
    ('x ± h, u = 2⁻⁵³', 'x +- h, u = 2^-53')
    """
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        raised = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda found: "^" + found.group().translate(_RAISED), text)
        return raised.translate(_TYPED)
    return text


def exactly(value: float) -> str:
    """Write a number as the CSV files have it: the shortest text that reads back bit for bit, empty for nan.

    >>> exactly(0.1), exactly(-0.0), exactly(float("nan"))
    ('0.1', '-0.0', '')
    """
    return repr(float(value)) if value == value else ""


def short(value: float) -> str:
    """Write a number with three digits, for reading.

    >>> short(1.2345e-11), short(0.0001), short(0.0), short(2.0), short(float("nan"))
    ('1.23e-11', '1e-4', '0', '2', '–')
    """
    if value != value:
        return "–"
    if value == 0.0 or math.isinf(value):
        return f"{value:g}".replace("-0", "0") if value == 0.0 else f"{value:g}"
    text = f"{value:.3g}" if 1e-2 <= abs(value) < 1e4 else f"{value:.2e}"
    if "e" not in text:
        return text
    mantissa, _, exponent = text.partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def share(value: float, more: str = ">") -> str:
    """Write a ratio of an error to its bound: what lies on one side of 1 is never rounded to it.

    >>> share(0.98), share(0.9999999), share(1.0), share(1.00001), share(0.0)
    ('0.98', '> 0.999', '1', '> 1', '0')
    """
    if 0.999 < value < 1:
        return f"{more} 0.999"
    text = short(value)
    return f"{more} 1" if text == "1" and value > 1 else text


def partial(variable: str, order: int) -> str:
    """Write the operator of a partial derivative.

    >>> partial("x", 1), partial("x0", 2)
    ('∂/∂x', '∂²/∂x0²')
    """
    power = "" if order == 1 else raised(order)
    return f"∂{power}/∂{variable}{power}"


def raised(exponent: int) -> str:
    """Write an exponent.

    >>> raised(12), raised(-3)
    ('¹²', '⁻³')
    """
    return str(exponent).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))


def percent(value: float) -> str:
    """Write a share; what is not all is never rounded to all, nor what is something to nothing.

    >>> percent(0.4), percent(0.99999), percent(1e-300), percent(1.0), percent(0.0), percent(float("nan"))
    ('40 %', '> 99 %', '< 1 %', '100 %', '0 %', '–')
    """
    if value != value:
        return "–"
    if 0.995 <= value < 1:
        return "> 99 %"
    return "< 1 %" if 0 < value < 0.005 else f"{100 * value:.0f} %"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun.

    >>> plural(1, "function"), plural(2, "function")
    ('1 function', '2 functions')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
