"""The families of mistakes, and what a right cause says of each: its kind, or words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["FAMILIES", "names", "repairs", "says"]


@dataclass(frozen=True, slots=True)
class Family:
    """The kinds of ``Cause`` that are right, and a pattern of the words of others that are."""

    kinds: frozenset[str]
    words: str


def _family(words: str, *kinds: str) -> Family:
    return Family(frozenset(kinds), words)


_LACKS = r"missing|no contribution|lack|dropped|left out|has no|not added"

FAMILIES = {
    "sign": _family(r"\bsign\b|negat|\bminus\b|factor -1\b|-1 times", "sign"),
    "ascent": _family(r"\bsign\b|negat|descent|ascent", "sign"),
    "factor": _family(r"\bfactor\b|times|half|twice|double|weight", "factor"),
    "mean": _family(r"\bfactor\b|times|average|\b(mean|sum)\b.* (for|instead|in place)", "factor"),
    "missing term": _family(rf"{_LACKS}|treated as constant", "missing term", "treated as constant"),
    "extra term": _family(r"extra|added|belongs to nothing|too many|twice", "extra term"),
    "doubled term": _family(r"twice|2\b|double|too many|extra", "extra term", "factor"),
    "chain": _family(rf"chain|factor .*({_LACKS}|too many)|times", "chain factor"),
    "product": _family(r"product rule|no contribution|treated as constant|missing", "missing term"),
    "quotient": _family(r"quotient|product rule|no contribution|treated as constant|missing", "missing term"),
    "index": _family(r"shift|index|slice|wrong (one|element|place|component)|instead of|in place of", "shifted"),
    "axis": _family(r"\baxis\b|\brows?\b|\bcolumns?\b|transpos", "transposed", "axis"),
    "transposed": _family(r"transpos|rows and columns", "transposed", "permuted"),
    "permuted": _family(r"permut|swap|exchang|order|instead of|in place of", "permuted", "shifted"),
    "detached": _family(rf"constant|detach|frozen|{_LACKS}", "treated as constant", "missing term"),
    "stale": _family(r"stale|before|previous|earlier|another point|updated?|\bold\b|instead of|in place of", "stale"),
    "constant": _family(
        r"(the|other|wrong) (constant|number)|instead of|in place of|\bfactor\b|times", "factor", "constant"
    ),
    "function": _family(r"instead of|in place of|stands for|for its derivative|other function", "other function"),
    "square": _family(r"squared?|exponent|power|chain factor .* missing", "chain factor", "exponent"),
    "exponent": _family(r"squared?|exponent|power|chain factor", "chain factor", "exponent"),
    "float32": _family(r"float32|single precision", "float32"),
    "degrees": _family(r"degrees|radians|pi/180|180/pi", "degrees"),
    "guard": _family(r"guard|epsilon|\beps\b|the (constant|bound)", "guard"),
    "other target": _family(r"gradient of the (log|square|exp)", "other function"),
    "variable": _family(r"instead of|in place of|stands for|wrong (variable|value)", "variable", "in place"),
    "loop": _family(rf"{_LACKS}|loop|first|last|treated as constant", "missing term", "treated as constant"),
    "accumulation": _family(rf"{_LACKS}|accumulat|overwrit|only the last|treated as constant", "missing term"),
    "parenthesis": _family(r"parenthes|bracket|factor|times|instead of|in place of", "factor", "chain factor"),
}


def names(number: float) -> re.Pattern[str]:
    """Return a pattern of a number or its inverse, as causes write them."""
    inverse = 1 / number
    words = {f"{value:.{digits}g}" for value in (number, inverse) for digits in (3, 4, 6)}
    words |= {str(Fraction(value).limit_denominator(1000)) for value in (number, inverse)}
    written = [re.escape(word) for word in sorted(words)]
    if 2 in (number, inverse):
        written += ["half", "twice", "double"]
    if round(number) == number:
        # n is the number of variables, which a cause has checked
        written.append(rf"n = {round(number)}|(?<=factor )n")
    return re.compile(rf"(?<![\w.\[*])({'|'.join(written)})(?![\w.\]])")


def repairs(text: str, old: str, new: str) -> bool:
    """Tell whether a cause names just what an edit took away as missing, or what it put in as too many or wrong.

    A factor may be called by the name that it has in the source, as ``T``, in place of its number.
    """
    said = re.match(
        r"(?:the (?:factor|divisor|term|constant) )?(.+?) (is|stands) (missing|too many|in place of)\b", text
    )
    if said is None:
        return False
    named, before, after = (Counter(re.findall(r"[\w.]+", one.replace("np.", ""))) for one in (said[1], old, new))
    if said[2] == "stands":
        return bool(named) and named <= after - before
    return bool(named) and named == (before - after if said[3] == "missing" else after - before)


def says(text: str, kind: str, *, family: str, also: str = "", number: float | None = None) -> bool:
    """Tell whether a cause says what was planted."""
    known = FAMILIES[family]
    if number is not None and not names(number).search(text):
        return bool(also and re.search(also, text))
    return kind in known.kinds or bool(re.search(f"{known.words}|{also}" if also else known.words, text))
