from __future__ import annotations

import re

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from diffcompare.report.mathml import typeset

x, y, loss = sympy.symbols("x y loss")
ORDINARY = [
    sympy.exp(x) / (sympy.sin(x) ** 3 + sympy.cos(x) ** 3),
    sympy.Abs(x) + sympy.Max(x, y) + sympy.sign(x),
    sympy.Piecewise((x, x > 0), (-x, True)),
    sympy.sqrt(x) + sympy.cbrt(sympy.Symbol("x_0")),
    sympy.loggamma(x) * sympy.erf(y) + sympy.atan2(y, x),
    loss + 1,
]
ALLOWED = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msup", "msub", "msubsup"),
    *("munder", "mover", "munderover", "mtable", "mtr", "mtd", "code"),
}


@pytest.mark.parametrize("expression", ORDINARY, ids=str)
def test_ordinary_formulas_are_typeset(expression: sympy.Expr) -> None:
    assert typeset(sympy.latex(expression), otherwise="text").text.startswith('<math display="block">')


def test_a_name_of_several_letters_stays_upright() -> None:
    assert 'mathvariant="normal"' in typeset(r"\mathrm{loss}", otherwise="loss").text


@pytest.mark.parametrize(
    "latex",
    [
        "",
        r"\frac",
        r"\href{javascript:alert(1)}{x}",
        r"\text{<img src=x onerror=alert(1)>}",
        r"\text{</math><script>alert(1)</script>}",
        r"\text{<mi>x</mi>}",
        r"\text{<a href='x'/>}",
        r"\text{<!DOCTYPE x [<!ENTITY e 'x'>]>}",
        r"\style{color:red}{x}",
        r"\class{x}{y}",
        r"\color{red}{x}",
        "{" * 3000,
        "x^{" * 900 + "}" * 900,
        "+".join(["x"] * 500),
        "x" * 20_000,
    ],
    ids=lambda latex: latex[:30] or "empty",
)
def test_anything_else_is_shown_as_escaped_code(latex: str) -> None:
    assert typeset(latex, otherwise="<b>&\u202e").text == "<code>&lt;b&gt;&amp;\\u202e</code>"


@pytest.mark.parametrize(
    "inside",
    [
        "<mrow><script>alert(1)</script></mrow>",
        "<mrow><img src='x' onerror='alert(1)'/></mrow>",
        "<mrow onclick='alert(1)'><mi>x</mi></mrow>",
        "<mi style='color:red'>x</mi>",
        "<mi mathvariant='bold'>x</mi>",
        "<mspace width='1em;x'/>",
        "<maction actiontype='toggle'><mi>x</mi></maction>",
        "<semantics><annotation-xml encoding='text/html'><p>x</p></annotation-xml></semantics>",
        "<h:script xmlns:h='http://www.w3.org/1999/xhtml'>alert(1)</h:script>",
        "<mrow><mi>x</mi>tail</mrow>",
    ],
)
def test_whatever_the_converter_makes_only_listed_parts_pass(monkeypatch: pytest.MonkeyPatch, inside: str) -> None:
    made = f'<math xmlns="http://www.w3.org/1998/Math/MathML">{inside}</math>'
    monkeypatch.setattr("diffcompare.report.mathml.convert", lambda latex, display: made)
    assert typeset("x", otherwise="x").text == "<code>x</code>"


@settings(max_examples=40, deadline=None)  # the converter loads its tables on first use
@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from([r"\text{", r"\href{", "<", ">", "}", "{", "&", "a", '"', "^", "_"])).map("".join)
)
def test_only_listed_elements_come_out(latex: str) -> None:
    made = typeset(latex, otherwise=latex).text
    assert set(re.findall(r"<\s*/?\s*([^\s/>]+)", made)) <= ALLOWED
    assert not re.search(r"<[^>]*(href|style|on\w+)\s*=", made)
