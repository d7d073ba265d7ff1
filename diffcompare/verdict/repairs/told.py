"""A repair in words: what is wrong, and what is said of the expression that is to blame."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from diffcompare.program.array_printing import array_formulas
from diffcompare.program.arrays import STRUCTURAL, ArrayBuilder
from diffcompare.tracing.origins import Origin
from diffcompare.tracing.spans import Span, assigned_name, later_use, operand_span, resolved
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.causes.mistakes import Cause
from diffcompare.verdict.marks import Mark
from diffcompare.verdict.repairs.edits import Edit
from diffcompare.verdict.repairs.multiples import Multiple
from diffcompare.verdict.repairs.pool import Entry
from diffcompare.verdict.repairs.sites import Blamed, Site

__all__ = ["Texts", "is_short", "told"]

_LONGEST = 50
_SIGNS = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!="}


class Texts:
    """How the values of a program are written in the user's code; else their formulas."""

    def __init__(self, pair: ArrayPair, names: Sequence[str]) -> None:
        self.pair, self.names = pair, names
        self._known: dict[int, str] = {}
        self._leaves: dict[int, str] | None = None

    def of(self, node: int) -> str:
        """Write a node."""
        found = self._known.get(node)
        if found is None:
            found = self._known[node] = self._written(node) or self._applied(node) or self.formula(node)
        return found

    def formula(self, node: int) -> str:
        """Write a node as a formula of the variables."""
        return array_formulas(self.pair.build, [_gathered(self.pair.build, node)], self.names)[0]

    def entry(self, entry: Entry) -> str:
        """Write what is put in."""
        if entry.condition is not None:
            one, two = self.of(entry.condition.first), self.of(entry.condition.second)
            return f"({one} {_SIGNS[entry.condition.operation]} {two})"
        text = self.of(entry.node)
        return entry.form.format(_closed(text)) if entry.form != "{}" else text

    def line(self, node: int) -> str:
        """Say in which line a value stands; nothing where it stands in none."""
        return next((f" of line {span.line}" for _, span in self._places(node)), "")

    def _places(self, node: int) -> Iterator[tuple[Origin, Span]]:
        for trace in (self.pair.gradient, self.pair.function):
            for origin in trace.origins.get(node, ()):
                span = resolved(origin) if node in trace.origins.results.get(origin, ()) else None
                if span is not None and is_short(span.text):
                    yield origin, span

    def _written(self, node: int) -> str | None:
        # a number that several expressions give is rather what has a name
        name = self._leaf_texts().get(node) if not self.pair.build.nodes[node].operands else None
        return name or next((assigned_name(origin) or span.text for origin, span in self._places(node)), None)

    def _applied(self, node: int) -> str | None:
        """Write a function of what stands in the user's code."""
        made = self.pair.build.nodes[node]
        if len(made.operands) != 1 or made.operation in {"negative", *STRUCTURAL} or not hasattr(np, made.operation):
            return None
        inner = self._written(made.operands[0])
        return None if inner is None else f"{made.operation}({inner})"

    def _leaf_texts(self) -> dict[int, str]:
        """Find how variables and data are called where they are used."""
        if self._leaves is None:
            self._leaves = {}
            build = self.pair.build
            for trace, root in ((self.pair.gradient, self.pair.G), (self.pair.function, self.pair.F)):
                for k in build.needed([root]):
                    for position, i in enumerate(build.nodes[k].operands):
                        if i in self._leaves or build.nodes[i].operands:
                            continue
                        for origin in trace.origins.get(k, ()):
                            span = operand_span(origin, position)
                            if span is not None and span.text.isidentifier():
                                self._leaves[i] = span.text
                                break
        return self._leaves


def _gathered(build: ArrayBuilder, node: int) -> int:
    """Multiply the numbers in a product with one another: 0.5·(2·x) is x."""
    factor, inner, count = Fraction(1), node, 0
    while True:
        made = build.nodes[inner]
        numbers = [_number(build, i) for i in made.operands] if made.operation == "multiply" else []
        if made.operation == "negative":
            factor, inner = -factor, made.operands[0]
        elif len(numbers) == 2 and (numbers[0] is not None or numbers[1] is not None):
            at = 0 if numbers[0] is not None else 1
            factor, inner = factor * (numbers[at] or 0), made.operands[1 - at]
        else:
            break
        count += 1
    return node if count < 2 else build.apply("multiply", build.constant(factor), inner) if factor != 1 else inner


def _number(build: ArrayBuilder, node: int) -> Fraction | None:
    while build.nodes[node].operation in ("reshape", "broadcast"):
        node = build.nodes[node].operands[0]
    return build.value(node)


_UNWRITTEN = {
    "factor": "a factor is missing here",
    "quotient": "this should be divided by another value",
    "addend": "a term is missing here",
}


def is_short(text: str, longest: int = _LONGEST) -> bool:
    """Tell whether a text has room in a sentence."""
    return len(text) <= longest and "\n" not in text


def _closed(text: str) -> str:
    """Put a text in brackets that holds an operator outside of brackets."""
    try:
        # … stands for a part that is left out
        part = ast.parse(text.replace("…", "_"), mode="eval").body
    except SyntaxError:
        return f"({text})"
    return text if isinstance(part, ast.Name | ast.Constant | ast.Call | ast.Attribute | ast.Subscript) else f"({text})"


def _span_of(site: Site, pair: ArrayPair) -> Span | None:
    """Return the place of a change in the user's source; None where that is not known."""
    origin = Blamed(pair).origin(site)
    if origin is None:
        return None
    whole = resolved(origin)
    if site.operand is None or whole is None:
        return whole
    # the condition comes before what is chosen
    chosen = pair.build.nodes[site.nodes[0]].operation == "choose"
    return operand_span(origin, site.operand + chosen) or whole


@dataclass(frozen=True, slots=True)
class _Said:
    """What kind of mistake it is, what is said of the marked expression, and of its text."""

    kind: str
    this: str
    cause: str


def told(edit: Edit, texts: Texts, components: Sequence[int]) -> tuple[list[Mark], Cause]:
    """Mark the expression that is to blame, and say why the gradient is wrong.

    What is missing may be missing where its value is used, too.
    """
    span = _span_of(edit.site, texts.pair)
    if span is None:
        text = texts.of(edit.site.values(texts.pair.build)[0])
    else:
        text = span.text if is_short(span.text) else f"{span.file}:{span.line}"
    said = _said(edit, texts, text)
    # nobody can guess several parts that had no room
    this = said.this if said.this.count("…") < 2 else _UNWRITTEN.get(edit.form, "this should be another value")
    marks = [] if span is None else [Mark.at(span, role="gradient", message=this)]
    origin = edit.site.origin
    lacks = edit.form in ("factor", "addend") or (edit.form == "scale" and edit.multiple.value != -1)
    if span is not None and origin is not None and edit.site.operand is None and lacks:
        use = later_use(origin)
        other = None if edit.beside is None else _span_of(edit.beside, texts.pair)
        more = [one for one in (use, other) if one is not None and one.line != span.line]
        marks += [Mark.at(one, role="gradient", message="or here") for one in more]
    return marks, Cause(said.kind, said.cause, tuple(components))


def _said(edit: Edit, texts: Texts, text: str) -> _Said:
    c = edit.multiple
    if edit.turn is not None:
        words = edit.turn.words
        words = words if edit.turn.about is None else words.format(texts.of(edit.turn.about))
        also = "" if c.value == 1 else f", times {c.text}"
        cause = text + words[4:] if words.startswith("this") else f"{words} in {text}"
        return _Said(edit.turn.kind, words + also, cause)
    if edit.entry is None:
        return _scaled(c, text)
    bare = texts.entry(edit.entry)
    entry = _times(c, bare)
    # what stands alone needs no brackets
    alone = bare[1:-1] if c.value == 1 and edit.entry.form[0] + edit.entry.form[-1] == "()" else entry
    match edit.form:
        case "factor" if edit.entry.form == "{}" and edit.entry.node in edit.site.values(texts.pair.build):
            also = "" if c.value == 1 else f", times {c.text}"
            return _Said("exponent", f"this should be squared{also}", f"{text} should be squared{also}")
        case "factor":
            missing = f"the factor {alone} is missing"
            return _Said("chain factor", missing, f"{missing} in {text}")
        case "quotient":
            also = "" if c.value == 1 else f", times {c.text}"
            divided = f"should be divided by {bare}"
            return _Said("chain factor", f"this {divided}{also}", f"{text} {divided}{also}")
        case "addend":
            build = texts.pair.build
            still = not build.shape(edit.entry.node) and not build.moving[edit.entry.node]
            missing = f"the {'constant' if still else 'term'} {entry} is missing"
            return _Said("missing term", missing, f"{missing} beside {text}")
    if alone.replace(" ", "") == text.replace(" ", ""):
        # names may hold other values there
        alone += texts.line(edit.entry.node)
    return _Said("other value", f"this should be {alone}", f"{text} stands in place of {alone}")


def _times(c: Multiple, entry: str) -> str:
    if c.value == 1:
        return entry
    return f"-{_closed(entry)}" if c.value == -1 else f"{c.text}*{_closed(entry)}"


def _scaled(c: Multiple, text: str) -> _Said:
    """Say that what stands there should be c times as large."""
    if c.value == -1:
        return _Said("sign", "this has the wrong sign", f"the sign of {text} is flipped")
    if c.value == Fraction(1, 2):
        this = "this is twice what it should be"
    elif c.value == 2:
        this = "this is half of what it should be"
    else:
        this = f"this should be {'divided by ' + c.text[2:] if c.text.startswith('1/') else 'multiplied by ' + c.text}"
    size = c.text.lstrip("-")
    if size in ("pi/180", "180/pi"):
        return _Said("degrees", this, f"degrees and radians are mixed up: {text} should be multiplied by {c.text}")
    if not size.startswith("1/"):
        return _Said("factor", this, f"the factor {c.text} is missing in {text}")
    sign = " and the sign is flipped" if c.value < 0 else ""
    return _Said("factor", this, f"{text} is {size[2:]} times too large{sign}")
