"""The marks of the charts: colours, shapes, dashes and what they mean, the same in the pages and in Matplotlib."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "BOOK",
    "BOUND",
    "KEY",
    "LANES",
    "MODEL",
    "PARTS",
    "RULES",
    "SCHEMES",
    "SOFT",
    "STYLES",
    "Mark",
    "RuleMark",
    "marks_css",
    "plot_dashes",
]


@dataclass(frozen=True, slots=True)
class Mark:
    """Of a scheme or of a part: its colours on light and on dark ground, its shape as SVG path and in Matplotlib."""

    light: str
    dark: str
    shape: str
    plotted: Any
    dashes: str = ""  # as in CSS


@dataclass(frozen=True, slots=True)
class RuleMark:
    """The tick of a step rule: what is written at it, and what it stands for."""

    tick: str
    words: str


SCHEMES: Sequence[Mark] = (
    Mark("#0072b2", "#56b4e9", "m-3.4,0a3.4,3.4 0 1,0 6.8,0a3.4,3.4 0 1,0-6.8,0z", "o"),
    Mark("#b34a00", "#f08a3c", "m-3,-3h6v6h-6z", "s"),
    Mark("#00795a", "#2fc99c", "m0,-4l4,7h-8z", "^"),
    Mark("#a3578a", "#e0a0cc", "m0,-4.4l4.4,4.4l-4.4,4.4l-4.4,-4.4z", "D"),
    Mark("#6b5b00", "#d9c84a", "m-4,-1.2h2.8v-2.8h2.4v2.8h2.8v2.4h-2.8v2.8h-2.4v-2.8h-2.8z", "P"),
    Mark("#6a45a5", "#b79cf0", "m0,4l4,-7h-8z", "v"),
    Mark("#b3205f", "#ff86ae", "m-2,-3.6h4l2,3.6l-2,3.6h-4l-2,-3.6z", "H"),
    Mark("#4a5568", "#b4bfd0", "m-1.4,-4.4h2.8v8.8h-2.8z", ((-1.4, -4.4), (1.4, -4.4), (1.4, 4.4), (-1.4, 4.4))),
)
# which of them a scheme has, counted from 1
STYLES: Mapping[str, int] = {"forward": 1, "backward": 2, "central": 3, "central4": 4}
# of the exact parts of an error, in the order of their columns
PARTS: Sequence[Mark] = (
    Mark("#1b1d21", "#e8eaee", "m-2.6,0a2.6,2.6 0 1,0 5.2,0a2.6,2.6 0 1,0-5.2,0z", "o"),
    Mark("#7a5200", "#e9b65a", "m-3.2,0l3.2,-3.2l3.2,3.2l-3.2,3.2z", "D", "8 3"),
    Mark("#b3161b", "#ff8a85", "m-2.4,-2.4h4.8v4.8h-4.8z", "s", "4 2"),
    Mark("#6a3fb0", "#c3a6f5", "m0,-3.2l3.2,5.6h-6.4z", "^", "2 2"),
    Mark("#00707a", "#5fd0d8", "m0,3.2l-3.2,-5.6h6.4z", "v", "9 3 2 3"),
)
SOFT = ("#5a606b", "#a9b0bc")  # --soft of page.css
MODEL, BOUND, BOOK = "7 4", "1.3 3", "1 3"
# of what a logarithmic axis cannot show: above, and below
LANES = ("nan/inf", "exactly 0")

# the fixed step and the certified optimum have marks of their own in the chart
RULES: Mapping[str, RuleMark] = {
    "scaled by u": RuleMark("√u", "the step scaled by the unit roundoff u: √u for forward, u^(1/3) for central"),
    "Dumontet-Vignes": RuleMark("DV", "the rule of Dumontet and Vignes"),
    "Gill-Murray-Saunders-Wright": RuleMark("GM", "the rule of Gill, Murray, Saunders and Wright"),
    "Shi-Xie-Xuan-Nocedal": RuleMark("SX", "the rule of Shi, Xie, Xuan and Nocedal"),
    "Ridders": RuleMark("Ri", "the last step of Ridders' rule"),
    "complex step": RuleMark("CS", "the step of the complex step"),
}

# what else an error chart may show: the class of the drawing, the sign in words, and what it means
KEY: Sequence[tuple[str, str, str]] = (
    ("best", "▼", "the smallest |error| that was observed"),
    ("predicted", "◇", "the best step, and its error, as a model predicts them"),
    ("model", "dashed line", "the error of truncation alone"),
    ("bound", "dotted line", "a bound: |error| cannot leave the tinted band below it"),
    ("mark", "dotted upright", "h = 1e-4, the step of the textbook"),
    ("regime rounding", "warm ground", "rounding dominates for every scheme, by the prediction"),
    ("regime truncation", "cool ground", "truncation dominates for every scheme, by the prediction"),
    ("dots hollow", "○", "the status of the row is not ok"),
)


def plot_dashes(dashes: str) -> Any:
    """Give dashes as Matplotlib takes them.

    >>> plot_dashes("8 3"), plot_dashes("")
    ((0, (8.0, 3.0)), '-')
    """
    return (0, tuple(map(float, dashes.split()))) if dashes else "-"


def marks_css() -> str:
    """Write the marks as a style sheet: .s1 … .s8 for schemes, .p1 … .p5 for parts, the dashes of the other lines."""
    return "\n".join(_rules())


def _rules() -> Iterator[str]:
    marks = {f"{letter}{k}": mark for letter, row in (("s", SCHEMES), ("p", PARTS)) for k, mark in enumerate(row, 1)}
    yield ":root { " + " ".join(f"--{name}: {mark.light};" for name, mark in marks.items()) + " }"
    dark = " ".join(f"--{name}: {mark.dark};" for name, mark in marks.items())
    yield f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    for name, mark in marks.items():
        yield f".{name} {{ --s: var(--{name}); --d: url(#d-{name}); --e: url(#e-{name}); }}"
        if mark.dashes:
            yield f".{name} > .line {{ stroke-dasharray: {mark.dashes}; }}"
    for name, dashes in (("model", MODEL), ("bound", BOUND), ("mark", BOOK)):
        yield f"svg .{name} {{ stroke-dasharray: {dashes}; }}"
