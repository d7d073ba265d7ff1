r"""Formulas as MathML: LaTeX goes through latex2mathml, and only listed elements and attributes come out.

latex2mathml passes the content of ``\text{...}`` through as it is and turns ``\href`` into a link, so its
output is never trusted: it is parsed as XML and rebuilt from the lists below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

from latex2mathml.converter import convert

from diffcompare.report.wording import Html, printable

__all__ = ["corners", "typeset"]

_TOKENS = frozenset({"mi", "mn", "mo", "mtext", "mspace"})  # hold text, never elements
_LIMIT_ELEMENTS = 400  # beyond it a formula is easier to read as text
_LIMIT_CHARACTERS = 6000  # an element needs a few characters of LaTeX; spares the converter the hopeless cases

# SymPy's sign, Heaviside and delta functions; a variable of that name has a space before the bracket
_SIGN = re.compile(r"(?:\\operatorname\{sign\}(?:\^\{\d+\})?\{|\\theta|\\delta)(?=\\left\()")
_BRACKET = re.compile(r"\\(left|right)(?=[^a-z])")

_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
_TRUTH = "true|false"
_LENGTH = r"-?\d*\.?\d+(em|ex|px)"
_ELEMENTS: Mapping[str, Mapping[str, str]] = {
    "math": {"display": "inline|block"},
    "mrow": {},
    "mi": {"mathvariant": "normal"},
    "mn": {},
    "mo": {
        "stretchy": _TRUTH,
        "fence": _TRUTH,
        "separator": _TRUTH,
        "form": "prefix|infix|postfix",
        "lspace": _LENGTH,
        "rspace": _LENGTH,
        "minsize": _LENGTH,
        "maxsize": _LENGTH,
    },
    "mtext": {},
    "mspace": {"width": _LENGTH},
    "mfrac": {},
    "msqrt": {},
    "mroot": {},
    "msup": {},
    "msub": {},
    "msubsup": {},
    "munder": {},
    "mover": {},
    "munderover": {},
    "mtable": {},
    "mtr": {},
    "mtd": {"columnalign": "left|center|right"},
}


def typeset(latex: str, *, otherwise: str) -> Html:
    r"""Typeset a formula as MathML, or show it as text where that cannot be done safely.

    Parameters
    ----------
    latex : str
        The formula in LaTeX; untrusted, may be empty.
    otherwise : str
        What is shown as escaped code if the LaTeX is empty, is not understood, is too long, or holds
        anything but plain mathematics.

    Examples
    --------
    >>> typeset("x", otherwise="x").text
    '<math display="block"><mrow><mi>x</mi></mrow></math>'
    >>> typeset(r"\href{javascript:alert(1)}{x}", otherwise="x").text
    '<code>x</code>'
    """
    built = _mathml(latex)
    if built is None:
        code = ElementTree.Element("code")
        code.text = printable(otherwise)
        built = code
    return Html(ElementTree.tostring(built, encoding="unicode"))


def corners(latex: str) -> list[str]:
    r"""List what the signs of a derivative are taken of: where one of these is 0, f has a corner or a jump.

    >>> corners(r"\operatorname{sign}{\left(x \right)} \theta\left(y - \left|{x}\right|\right)")
    ['x', 'y - \\left|{x}\\right|']
    """
    found: dict[str, None] = {}
    for sign in _SIGN.finditer(latex):
        start, depth = sign.end() + len(r"\left("), 0
        for bracket in _BRACKET.finditer(latex, sign.end()):
            depth += 1 if bracket[1] == "left" else -1
            if depth == 0:
                found[latex[start : bracket.start()].strip()] = None
                break
    return list(found)


def _mathml(latex: str) -> ElementTree.Element | None:
    if not latex or len(latex) > _LIMIT_CHARACTERS:
        return None
    try:
        parsed = ElementTree.fromstring(convert(latex, display="block"))  # noqa: S314 (see above)
    except Exception:  # the converter's own errors, KeyError, RecursionError, ParseError …: all mean "show the text"
        return None
    if sum(1 for _ in parsed.iter()) > _LIMIT_ELEMENTS or parsed.tag != _NAMESPACE + "math":
        return None
    return _rebuild(parsed)


def _rebuild(element: ElementTree.Element) -> ElementTree.Element | None:
    name = str(element.tag).removeprefix(_NAMESPACE)
    allowed = _ELEMENTS.get(name)
    if allowed is None or (name in _TOKENS and len(element)):
        return None
    built = ElementTree.Element(name)
    for attribute, value in element.attrib.items():
        pattern = allowed.get(attribute)
        if pattern is None or not re.fullmatch(pattern, value):
            return None
        built.set(attribute, value)
    built.text = printable(element.text or "")
    for child in element:
        part = _rebuild(child)
        if part is None or (child.tail or "").strip():
            return None
        built.append(part)
    return built
