"""Write the tutorial "Why is 1e-4 a good h?" and its pictures: python reports/tutorial.py DIR.

Every number in it is printed by the code above it, or computed where the text has a formula in «…»: nothing is typed
in. The functions use + − × ÷ and roots alone, which every processor rounds alike, so the page is the same everywhere;
what does not (sin) is printed with two digits that truncation decides.
"""

from __future__ import annotations

import doctest
import io
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import diffcompare as dc
from diffcompare.report.drawings.charts import error_chart
from diffcompare.report.drawings.frame import marker_symbols
from diffcompare.report.drawings.marks import marks_css
from diffcompare.report.drawings.split_chart import split_charts
from diffcompare.report.wording import short

TEMPLATES = Path(dc.__file__).parent / "report" / "templates"
PAGE, CHARTS = ((TEMPLATES / f"{name}.css").read_text(encoding="utf-8") for name in ("page", "charts"))
STYLES = f"{PAGE}{marks_css()}\n{CHARTS}"

TEXT = """\
# Why is 1e-4 a good h?

Every number below was printed by the code that stands above it. `python reports/tutorial.py DIR` runs all of it
again and writes this page.

## 1. The surprise

The derivative is a limit: make h small and look at the slope. So why not make h as small as we can?

```pycon
>>> import numpy as np
>>> import diffcompare as dc
>>> def function_1(x):
...     return 0.01 * x**2 + 0.1 * x
>>> def numerical_diff(f, x, h):
...     return (f(x + h) - f(x)) / h
>>> numerical_diff(function_1, 5, 1e-50)
```

The slope at 5 is not 0. The computer did not do what we wrote:

```pycon
>>> 5 + 1e-50 == 5
>>> float(np.float32(1e-50))
```

A float64 number has 53 binary digits, about 16 decimal ones. Near 5 the next one is «short(np.spacing(5.0))» away,
and 1e-50 is lost in the sum. In float32 even h itself is lost.

Textbooks then say: take h = 1e-4, and look to both sides of x, not to one.

```pycon
>>> numerical_diff(function_1, 5, 1e-4)
>>> dc.numerical_diff(function_1, 5, 1e-4)
>>> float(dc.certified_gradient(dc.parse("0.01*x**2 + 0.1*x"), 5.0).value[0])
```

The first is the one-sided (forward) difference, the second the two-sided (central) one. The last line is the
derivative itself, *certified*: proven to be the nearest float to the true one. So we can see how wrong each of them
is. Why is the second so much better? And why 1e-4?

## 2. The V

We take a function that bends in every way, 1/(1 + x²) at x = 1.5, and try every h from 0.1 down to 1e-16.

```pycon
>>> f = dc.parse("1/(1 + x**2)")
>>> table = dc.sweep(f, 1.5, schemes=["forward", "central"])
>>> for h in (1e-1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14, 1e-16):
...     forward, central = table[table["h"] == h]["abs_error"]
...     print(f"{h:7.0e}  {forward:8.1e}  {central:8.1e}")
```

![The error against h in a log-log plot: a V for each scheme](tutorial/error.svg)

Read the picture from the right.

- **Right arm.** h is large. The error falls when h falls: by 10 for the forward difference when h falls by 10, by
  100 for the central one. These are the slopes 1 and 2.
- **Left arm.** h is small. The error *grows* when h falls. It jumps up and down.
- **The tip** is the best h. For the central difference it is at «best("central").best_h», for the forward one at
  «best("forward").best_h».
- **The far left.** The quotient is 0: x + h is x. The error is the whole derivative.

The dotted lines are proven: no error is above them. In a terminal, `diffcompare compare "1/(1 + x**2)" --at 1.5`
draws the same.

## 3. Five parts

Where does an error come from? It can be split, exactly, into five parts. Here they are for the central difference:

```pycon
>>> parts = ["truncation", "abscissa", "evaluation", "subtraction", "division"]
>>> rows = table[table["scheme"] == "central"].set_index("h")
>>> for part in ["error", *parts]:
...     print(f"{part:11}  {rows[part][1e-1]:8.1e}  {rows[part][1e-4]:8.1e}  {rows[part][1e-8]:8.1e}")
```

The columns are h = 0.1, 1e-4 and 1e-8.

- **Truncation** is the error of the formula. It would be there with infinitely many digits.
- **Abscissa**: x + h is not a float, so f is evaluated a little beside it.
- **Evaluation**: f returns a rounded number.
- **Subtraction**: the difference f(x+h) − f(x−h). It is 0! Two floats that are close are subtracted without any
  error. The digits were lost before, when f was rounded; subtracting only shows it.
- **Division** by 2h rounds once. That never matters.

At h = 0.1 the truncation is all of the error, at 1e-8 the rounding of x + h and of f is.

![The five parts against h](tutorial/parts.svg)

## 4. Why it is a V

*Truncation.* By Taylor's theorem f(x ± h) = f ± h·f′ + h²/2·f″ ± h³/6·f‴ + … Subtract, and divide by 2h: f and f″
cancel.

    central:  truncation ≈ h²/6 · f‴          forward:  truncation ≈ h/2 · f″

*Rounding.* f(x+h) and f(x−h) each come with an error of about u·|f|, where u = 2⁻⁵³ ≈ 1e-16. The quotient divides
it by h.

    rounding ≈ u · |f| / h

A sum of something that falls with h and something that grows with 1/h is a V in a log-log plot.

## 5. The best h

The sum h²/6·|f‴| + u·|f|/h is smallest where its derivative in h is 0:

    h/3 · |f‴| = u·|f| / h²      so      h = (3u · |f/f‴|)^(1/3)          central
    1/2 · |f″| = u·2|f| / h²     so      h = 2 · (u · |f/f″|)^(1/2)       forward

(2|f|, because the forward difference divides by h and not by 2h.) Let us see whether that is true.

```pycon
>>> u = 2.0**-53
>>> def derivative(order):
...     return dc.sweep(f, 1.5, schemes=["central"], steps=[1e-2], derivative=order)["exact"][0]
>>> f0, f2, f3 = f(1.5), derivative(2), derivative(3)
>>> print(f"central {(3 * u * abs(f0 / f3)) ** (1 / 3):.1e}  forward {2 * (u * abs(f0 / f2)) ** 0.5:.1e}")
>>> for row in dc.summarize(table).itertuples():
...     print(f"{row.scheme}: predicted {row.predicted_h:.1e}, error about {row.predicted_abs_error:.1e}; "
...           f"seen {row.best_h:.1e}, error {row.best_abs_error:.1e}")
```

The formula gives the size. The prediction of the second lines knows all terms of the truncation, and a proven bound
on the rounding in place of u·|f|. What is seen is luck in part: errors of rounding scatter, and one of them happens
to be small.

Now put f, f‴ and x of size 1 into the formula: h ≈ (3u)^(1/3) = «short((3 * u) ** (1 / 3))» for the central
difference. So why do textbooks say 1e-4? Because it is *safe*. It stands a little right of the tip, on the arm of
truncation, where the error does not jump: it is about h²/6 = «short(1e-8 / 6)», whatever the rounding does. Left of
the tip rounding dominates, and how large it is depends on f. For a plot, or a check by eye, an error of that size is
small enough.

The tip of the forward difference is far away from 1e-4:

```pycon
>>> for row in dc.summarize(table).to_dict("records"):
...     error = row["abs_error_at_1e-4"]
...     print(f"{row['scheme']}: {error:.1e}, {error / row['best_abs_error']:,.0f} times the error at the best h")
```

## 6. Where 1e-4 is bad

**x is large.** Floats near 1e9 are «short(np.spacing(1e9))» apart. Then x + 1e-4 is rounded to something else:

```pycon
>>> for x in (1.0, 1e3, 1e6, 1e9, 1e12):
...     row = dc.sweep(dc.parse("x*x"), x, schemes=["central"], steps=[1e-4]).iloc[0]
...     print(f"x = {x:7.0e}: relative error {row.rel_error:.1e}")
```

For x*x there is no truncation at all; all of it is rounding. h has to grow with x.

**float32.** It has 24 binary digits, and u = «short(2.0**-24)». The tip moves to the right, and float16 has no 1e-4
beside 1.5 at all:

```pycon
>>> for dtype in ("float64", "float32", "float16"):
...     row = dc.summarize(dc.sweep(f, 1.5, schemes=["central"], dtype=dtype)).iloc[0]
...     print(f"{dtype}: error {row['abs_error_at_1e-4']:.1e} at 1e-4, {row.best_abs_error:.1e} at {row.best_h:.1e}")
```

**f oscillates.** f‴ of sin(kx) is k³. Where h is a part of the wave, the difference sees another function:

```pycon
>>> for k in (1, 100, 10_000, 100_000):
...     row = dc.sweep(dc.parse(f"sin({k}*x)"), 1.0, schemes=["central"], steps=[1e-4]).iloc[0]
...     print(f"sin({k}x): relative error {row.rel_error:.1e}")
```

**f cancels inside.** (√(1 + x²) − 1)/x² is about ½ near 0, but 1 is subtracted from something near 1. The rounding
of the root is then divided by x², and by h:

```pycon
>>> g = dc.parse("(sqrt(1 + x**2) - 1)/x**2")
>>> row = dc.sweep(g, 1e-3, schemes=["central"], steps=[1e-4]).iloc[0]
>>> print(f"derivative {row.exact:.6f}, numeric {row.numeric:.6f}")
>>> print(f"truncation {row.truncation:.1e}, evaluation {row.evaluation:.1e}")
>>> spots = dc.hot_spots(g, 1e-3)
>>> print(f"{spots.bound_share[0]:.0%} of the bound comes from {spots.operation[0]}")
```

**There is no derivative.** The quotient does not know that. Of |x| at 0 it makes a slope:

```pycon
>>> dc.numerical_diff(abs, 0.0)
>>> dc.certified_gradient(dc.parse("abs(x)"), 0.0).status
```

## 7. What to use instead

- You have a formula: `dc.certified_gradient`. No h, no error.
- You have code: `dc.differentiate` looks for a good h, and says how far it can be trusted.

```pycon
>>> for name, function, x in (
...     ("1/(1 + x²)", lambda x: 1 / (1 + x * x), 1.5),
...     ("x²", lambda x: x * x, 1e9),
... ):
...     answer = dc.differentiate(function, x)
...     print(f"{name} at {x:g}: {answer.value:.9g}, error below {answer.error:.0e} by its own estimate")
>>> dc.differentiate(abs, 0.0).reason
```

- You want a fixed h: «short((3 * u) ** (1 / 3))» times the size of x for the central difference,
  «short(2 * u**0.5)» times it for the forward one.
- Your code takes complex numbers: the complex step subtracts nothing, so h may be as small as you like.

```pycon
>>> error = dc.numerical_diff(lambda x: 1 / (1 + x * x), 1.5, 1e-50, scheme="complex") - rows["exact"].iloc[0]
>>> bool(abs(error) <= 2 * u)
```

## 8. Is my gradient right?

The reason to differentiate numerically is often a check: is the gradient that I wrote by hand right? Then there is
a question before that of h: how large a difference is a mistake, and how large is rounding? Here is a gradient that
forgot a factor 2 in the penalty:

```pycon
>>> X = np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 1.0], [2.0, 2.0]])
>>> y = np.array([1.0, 0.0, 1.0, 2.0])
>>> def loss(w):
...     return np.mean((X @ w - y) ** 2) + 0.125 * np.sum(w**2)
>>> def gradient(w):
...     return X.T @ (X @ w - y) / 2 + 0.125 * w
>>> verdict = dc.check_gradient(loss, gradient, at=[0.5, -0.25])
>>> print(verdict.explain())
```

No h was chosen, and no tolerance: function and gradient are compared as real functions. The fixed one is right:

```pycon
>>> dc.check_gradient(loss, lambda w: gradient(w) + 0.125 * w, at=[0.5, -0.25]).status
```
"""


def executed(block: str, scope: dict[str, Any]) -> str:
    """Run the examples of a block, and put what each prints below it."""
    lines = []
    for example in doctest.DocTestParser().get_examples(block):
        first, *more = example.source.rstrip("\n").split("\n")
        lines += [f">>> {first}", *(f"... {line}".rstrip() for line in more)]
        with redirect_stdout(io.StringIO()) as printed:
            exec(compile(example.source, "tutorial", "single"), scope)  # noqa: S102 - our own examples
        lines += printed.getvalue().splitlines()
    return "\n".join(lines)


def _standing_alone(drawing: str) -> str:
    """Give a chart of the pages its part of their styles, so that it can be shown by itself."""
    # one rule or one block of rules at a time
    rules = re.findall(r"[^{}]+\{(?:[^{}]*|(?:[^{}]+\{[^{}]*\})*\s*)\}", STYLES)
    kept = [
        rule.strip()
        for rule in rules
        if re.match(r"\s*(:root|@media \(prefers-color-scheme|svg |marker |\.[sp]\d )", rule)
    ]
    style = "\n".join([*kept, "svg { background: var(--page); }"])
    head, _, rest = drawing.partition(">")
    # in its own size, and not as wide as the page
    size = re.sub(r'.* viewBox="0 0 (\S+) (\S+)".*', r'width="\1" height="\2"', head)
    # what a page has once for all its charts
    names = sorted(set(re.findall('class="([sp][1-8])"', drawing)))
    markers = "".join(re.findall("<marker.*</marker>", marker_symbols(names).text))
    start = f'{head} {size} xmlns="http://www.w3.org/2000/svg"><style>\n{style}\n</style>'
    return f"{start}<defs>{markers}</defs>{rest}\n"


def tutorial() -> tuple[str, dict[str, str]]:
    """Run the tutorial: its text, and its pictures by their names."""
    scope: dict[str, Any] = {"short": short}
    pieces = re.split(r"(```pycon\n.*?\n```)", TEXT, flags=re.DOTALL)
    done = []
    for piece in pieces:
        if piece.startswith("```"):
            code = piece.removeprefix("```pycon\n").removesuffix("\n```")
            done.append(f"```pycon\n{executed(code, scope)}\n```")
        else:
            scope["best"] = _best(scope)
            done.append(re.sub("«(.*?)»", lambda found: str(eval(found[1], scope)), piece))  # noqa: S307 - as above
    table = scope["table"]
    title = "The error of the derivative of 1/(1 + x²) at x = 1.5"
    error = error_chart(table, title=title, identity="error")
    central = table[table["scheme"] == "central"]
    parts = split_charts(central, title="Its parts", identity="parts")[0].drawing
    drawings = {"error.svg": error and error.drawing, "parts.svg": parts}
    return "".join(done), {name: _standing_alone(drawing.text) for name, drawing in drawings.items() if drawing}


def _best(scope: dict[str, Any]) -> Callable[[str], Any]:
    def best(scheme: str) -> Any:
        row = dc.summarize(scope["table"]).set_index("scheme").loc[scheme]
        return row.map(lambda value: short(value) if isinstance(value, float) else value)

    return best


def write(folder: Path) -> None:
    """Write tutorial.md, and its pictures beside it."""
    text, pictures = tutorial()
    (folder / "tutorial").mkdir(parents=True, exist_ok=True)
    (folder / "tutorial.md").write_text(text, encoding="utf-8")
    for name, drawing in pictures.items():
        (folder / "tutorial" / name).write_text(drawing, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
