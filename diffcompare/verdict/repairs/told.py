"""A repair in words: what is wrong, and what is said of the expression that is to blame."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from diffcompare.program.array_printing import array_formulas
from diffcompare.program.arrays import ArrayBuilder
from diffcompare.tracing.origins import Origin
from diffcompare.tracing.spans import Span, assigned_name, later_use, operand_span, resolved
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.causes.mistakes import Cause
from diffcompare.verdict.marks import Mark
from diffcompare.verdict.repairs.edits import Edit
from diffcompare.verdict.repairs.multiples import Multiple
from diffcompare.verdict.repairs.pool import Entry
from diffcompare.verdict.repairs.turns import Turn

__all__ = ["Texts", "cause_of", "marks_of", "span_of"]

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
            found = self._known[node] = self._written(node) or self.formula(node)
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

    def _written(self, node: int) -> str | None:
        for trace in (self.pair.gradient, self.pair.function):
            for origin in trace.origins.get(node, ()):
                span = resolved(origin) if node in trace.origins.results.get(origin, ()) else None
                if span is not None and _is_short(span.text):
                    return assigned_name(origin) or span.text
        return self._leaf_texts().get(node) if not self.pair.build.nodes[node].operands else None

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


def _is_short(text: str) -> bool:
    return len(text) <= _LONGEST and "\n" not in text


def _closed(text: str) -> str:
    plain = text.replace("_", "a").replace(".", "a").isalnum() or (
        text.endswith(")") and text.partition("(")[0].replace(".", "a").isidentifier()
    )
    return text if plain else f"({text})"


def span_of(edit: Edit, pair: ArrayPair) -> Span | None:
    """Return the place of a change in the user's source; None where that is not known.

    What the function calls as well is right there, and what is called from elsewhere too: then the call is meant.
    """
    origin = edit.site.origin
    shared = {id(one.code) for origins in pair.function.origins.values() for one in origins}
    callers: dict[int, set[Origin]] = {}
    for origins in pair.gradient.origins.values():
        for one in origins:
            if one.caller is not None:
                callers.setdefault(id(one.code), set()).add(one.caller)
    shared |= {code for code, found in callers.items() if len(found) > 1}
    while origin is not None and id(origin.code) in shared and origin.caller is not None:
        origin = origin.caller
    if origin is None:
        return None
    whole = resolved(origin)
    if edit.site.operand is None or whole is None or origin is not edit.site.origin:
        return whole
    # the condition comes before what is chosen
    chosen = pair.build.nodes[edit.site.nodes[0]].operation == "choose"
    return operand_span(origin, edit.site.operand + chosen) or whole


def marks_of(edit: Edit, texts: Texts) -> list[Mark]:
    """Mark the expression that is to blame; what is missing may be missing where its value is used, too."""
    span = span_of(edit, texts.pair)
    if span is None:
        return []
    marks = [Mark.at(span, role="gradient", message=_of_this(edit, texts))]
    origin = edit.site.origin
    lacks = edit.form in ("factor", "addend") or (edit.form == "scale" and edit.multiple.value != -1)
    if origin is not None and edit.site.operand is None and lacks:
        use = later_use(origin)
        marks += [] if use is None or use.line == span.line else [Mark.at(use, role="gradient", message="or here")]
    return marks


def _of_this(edit: Edit, texts: Texts) -> str:
    """Say of an expression what is wrong with it."""
    c = edit.multiple
    if edit.form == "scale":
        return _scaled(c)
    also = "" if c.value == 1 else f", times {c.text}"
    if edit.turn is not None:
        return _turned(edit.turn, texts) + also
    entry = "" if edit.entry is None else texts.entry(edit.entry)
    match edit.form:
        case "factor":
            if _is_itself(edit, texts):
                return f"this should be squared{also}"
            return f"the factor {_times(c, entry)} is missing"
        case "quotient":
            return f"this should be divided by {entry}{also}"
        case "addend":
            return f"the term {_times(c, entry)} is missing"
    return f"this should be {_times(c, entry)}"


def _turned(turn: Turn, texts: Texts) -> str:
    return turn.words if turn.about is None else turn.words.format(texts.of(turn.about))


def _times(c: Multiple, entry: str) -> str:
    if c.value == 1:
        return entry
    return f"-{_closed(entry)}" if c.value == -1 else f"{c.text}*{_closed(entry)}"


def _scaled(c: Multiple) -> str:
    """Say that what stands there should be c times as large."""
    if c.value == -1:
        return "this has the wrong sign"
    if c.value == 2:
        return "this is half of what it should be"
    if c.value == Fraction(1, 2):
        return "this is twice what it should be"
    if c.text.startswith("1/"):
        return f"this should be divided by {c.text[2:]}"
    return f"this should be multiplied by {c.text}"


def _is_itself(edit: Edit, texts: Texts) -> bool:
    if edit.entry is None or edit.entry.form != "{}":
        return False
    return edit.entry.node in edit.site.values(texts.pair.build)


def cause_of(edit: Edit, texts: Texts, components: Sequence[int]) -> Cause:
    """Say why the gradient is wrong."""
    span = span_of(edit, texts.pair)
    if span is None:
        text = texts.of(edit.site.values(texts.pair.build)[0])
    else:
        text = span.text if _is_short(span.text) else f"{span.file}:{span.line}"
    kind, words = _why(edit, texts, text)
    return Cause(kind, words, tuple(components))


def _why(edit: Edit, texts: Texts, text: str) -> tuple[str, str]:
    c = edit.multiple
    entry = "" if edit.entry is None else _times(c, texts.entry(edit.entry))
    if edit.turn is not None:
        words = _turned(edit.turn, texts)
        return edit.turn.kind, text + words[4:] if words.startswith("this") else f"{words} in {text}"
    match edit.form:
        case "scale":
            if c.value == -1:
                return "sign", f"the sign of {text} is flipped"
            if c.text.lstrip("-").startswith("1/"):
                sign = " and the sign is flipped" if c.value < 0 else ""
                return "factor", f"{text} is {c.text.lstrip('-')[2:]} times too large{sign}"
            return "factor", f"the factor {c.text} is missing in {text}"
        case "factor":
            if _is_itself(edit, texts):
                return "exponent", f"{text} should be squared"
            return "chain factor", f"the factor {entry} is missing in {text}"
        case "quotient":
            return "chain factor", f"{text} should be divided by {texts.entry(edit.entry)}"  # type: ignore[arg-type]
        case "addend":
            return "missing term", f"the term {entry} is missing beside {text}"
    return "other value", f"{text} stands in place of {entry}"
