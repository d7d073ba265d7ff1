"""Functions with points where differentiators succeed and fail: the courses of ``diffcompare rank``.

Each formula has a certified derivative at its point, or provably none; so has each entry of a gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CATALOGUE", "GRADIENT_CATALOGUE", "CatalogueEntry"]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A formula, a point, and what makes the derivative hard there.

    Parameters
    ----------
    formula : str
        In the variable x, or in x0, x1, … of a gradient, as :func:`diffcompare.parse` reads it.
    point : float or tuple of float
        The coordinates of a gradient, in that order.
    trouble : str
        One or two words; ``none`` where any method should do.
    """

    formula: str
    point: float | tuple[float, ...]
    trouble: str


CATALOGUE = (
    # chapter 4 of the textbook: its two examples, and one partial derivative of x0² + x1² at (3, 4)
    CatalogueEntry("0.01*x**2 + 0.1*x", 5.0, "none"),
    CatalogueEntry("0.01*x**2 + 0.1*x", 10.0, "none"),
    CatalogueEntry("x**2 + 16", 3.0, "none"),
    # a table of derivatives
    CatalogueEntry("x**3", 2.0, "none"),
    CatalogueEntry("1/x", 0.5, "none"),
    CatalogueEntry("sqrt(x)", 2.0, "none"),
    CatalogueEntry("exp(x)", 1.0, "none"),
    CatalogueEntry("log(x)", 2.0, "none"),
    CatalogueEntry("sin(x)", 1.0, "none"),
    CatalogueEntry("tan(x)", 1.0, "none"),
    CatalogueEntry("atan(x)", 1.0, "none"),
    CatalogueEntry("tanh(x)", 0.5, "none"),
    CatalogueEntry("x**x", 1.5, "none"),
    CatalogueEntry("exp(-x**2/2)", 1.0, "none"),
    CatalogueEntry("log1p(exp(-x))", 0.5, "none"),
    CatalogueEntry("exp(x)/(sin(x)**3 + cos(x)**3)", 1.5, "none"),
    # the derivative is zero
    CatalogueEntry("x**2", 0.0, "zero slope"),
    CatalogueEntry("cos(x)", 0.0, "zero slope"),
    CatalogueEntry("x**4 - 2*x**2", 1.0, "zero slope"),
    CatalogueEntry("tanh(x)", 40.0, "zero slope"),
    # sizes
    CatalogueEntry("x**2", 1e10, "scale"),
    CatalogueEntry("1/x", 1e100, "scale"),
    CatalogueEntry("sin(x)", 1e-8, "scale"),
    CatalogueEntry("sin(1e-6*x)", 1e6, "scale"),
    CatalogueEntry("exp(x)", -700.0, "scale"),
    # small beside something large
    CatalogueEntry("x**2 + 1e9", 1.0, "offset"),
    CatalogueEntry("(1 - cos(x))/x**2", 1e-4, "cancellation"),
    CatalogueEntry("(exp(x) - 1)/x", 1e-7, "cancellation"),
    CatalogueEntry("(x - 1)**7", 1.001, "none"),
    CatalogueEntry("x**7 - 7*x**6 + 21*x**5 - 35*x**4 + 35*x**3 - 21*x**2 + 7*x - 1", 1.001, "cancellation"),
    # fast beside a step size
    CatalogueEntry("sin(1000*x)", 1.0, "oscillation"),
    CatalogueEntry("sin(12867.963509103793*x)", 1.0, "oscillation"),
    CatalogueEntry("x + sin(1e6*x)/1e8", 0.3, "ripple"),
    CatalogueEntry("sin(x**2)", 100.0, "oscillation"),
    CatalogueEntry("tanh(1e5*x)", 1e-6, "steep"),
    CatalogueEntry("1/(1 + exp(-1e4*x))", 0.0, "steep"),
    CatalogueEntry("exp(-1/x**2)", 0.2, "flat"),
    # something is near
    CatalogueEntry("1/(x - 1)", 1.001, "near a pole"),
    CatalogueEntry("tan(x)", 1.5707, "near a pole"),
    CatalogueEntry("sqrt(x)", 1e-6, "near an edge"),
    CatalogueEntry("log(x)", 1e-12, "near an edge"),
    CatalogueEntry("asin(x)", 0.999999, "near an edge"),
    CatalogueEntry("abs(x - 0.001)", 0.0, "near a corner"),
    CatalogueEntry("max(x, 0)**2", 1e-6, "near a corner"),
    CatalogueEntry("x**2 + 0.001*abs(x - 1e-5)", 0.0, "near a corner"),
    CatalogueEntry("floor(x)", 1.9999, "near a jump"),
    # smooth to first order only
    CatalogueEntry("abs(x)*x", 0.0, "one derivative"),
    CatalogueEntry("max(x, 0)**2", 0.0, "one derivative"),
    # there is no derivative: the right answer is none
    CatalogueEntry("abs(x)", 0.0, "corner"),
    CatalogueEntry("max(x, 0)", 0.0, "corner"),
    CatalogueEntry("sqrt(abs(x))", 0.0, "corner"),
    CatalogueEntry("max(x, 2*x - 1)", 1.0, "corner"),
    CatalogueEntry("Heaviside(x)", 0.0, "jump"),
    CatalogueEntry("floor(x)", 2.0, "jump"),
    CatalogueEntry("sqrt(x)", 0.0, "edge"),
    CatalogueEntry("log(x)", 0.0, "edge"),
)

_MANY = 50  # variables

GRADIENT_CATALOGUE = (
    # chapter 4 of the textbook; what optimisers are tried with; losses
    CatalogueEntry("x0**2 + x1**2", (3.0, 4.0), "none"),
    CatalogueEntry("100*(x1 - x0**2)**2 + (1 - x0)**2", (-1.2, 1.0), "none"),
    CatalogueEntry(
        "(x0 + 10*x1)**2 + 5*(x2 - x3)**2 + (x1 - 2*x2)**4 + 10*(x0 - x3)**4", (3.0, -1.0, 0.25, 1.0), "none"
    ),
    CatalogueEntry("log(exp(x0) + exp(x1) + exp(x2)) - x1", (0.1, -0.3, 1.2), "none"),
    CatalogueEntry("log1p(exp(-x0 - 2*x1)) + log1p(exp(3*x0 - x1)) + 0.05*(x0**2 + x1**2)", (0.3, -0.2), "none"),
    CatalogueEntry("exp(-x0**2 - x1**2/2)*sin(x2)", (0.5, -0.3, 2.0), "none"),
    CatalogueEntry("x0**x1", (1.5, 2.5), "none"),
    # entries are zero
    CatalogueEntry("x0**2 + x1**2", (0.0, 2.0), "zero entry"),
    CatalogueEntry("100*(x1 - x0**2)**2 + (1 - x0)**2", (1.0, 1.0), "zero entry"),
    CatalogueEntry("x0**3 + 0*x1 + exp(x2)", (1.5, 7.0, -1.0), "zero entry"),
    # sizes: of the variables, and of the entries
    CatalogueEntry("(x0 - 1e6)**2 + (x1 - 2e-6)**2 + (x0*x1 - 2)**2", (5e5, 3e-6), "scale"),
    CatalogueEntry("(1e4*x0*x1 - 1)**2 + (exp(-x0) + exp(-x1) - 1.0001)**2", (2e-5, 8.0), "scale"),
    CatalogueEntry("x0*x1*x2*x3", (1e-8, 1e-3, 1e3, 1e8), "scale"),
    CatalogueEntry("sin(1e8*x0) + cos(1e-8*x1)", (1e-8, 1e8), "scale"),
    CatalogueEntry("1e8*sin(x0) + 1e-8*x1**3", (1.0, 1.0), "scale"),
    # small beside something large
    CatalogueEntry("x0*x1 + 1e8", (1.5, -0.5), "offset"),
    CatalogueEntry("(1 - cos(x0*x1))/x0**2", (1e-4, 2.0), "cancellation"),
    CatalogueEntry("(x0 + x1) - x1 + x2**2", (1.0, 1e6, 3.0), "cancellation"),
    CatalogueEntry("sin(x0)*cos(x1) + (1e5 + x0*x1)**2 - 1e10 - 2e5*x0*x1 - (x0*x1)**2", (1.0, 0.7), "noise"),
    # fast beside a step size
    CatalogueEntry("sin(1000*x0*x1)", (1.0, 2.0), "oscillation"),
    CatalogueEntry("x0**2 + x1 + sin(1e6*(x0 - x1))/1e8", (0.3, 0.8), "ripple"),
    CatalogueEntry("tanh(1e5*(x0 - x1)) + x0**2", (1.0, 0.999999), "steep"),
    # something is near
    CatalogueEntry("log(x0) + x0*sqrt(x1)", (1e-9, 1e-6), "near an edge"),
    CatalogueEntry("log(1 - x0**2 - x1**2)", (0.6, 0.7999999), "near an edge"),
    CatalogueEntry("abs(x0 - x1) + x0**2*x1", (1.0, 1.001), "near a corner"),
    CatalogueEntry("max(x0, x1, x2)**2", (1.0, 1.00001, 0.5), "near a corner"),
    CatalogueEntry("sqrt(x0**2 + x1**2)", (1e-8, 0.0), "near a corner"),
    CatalogueEntry("atan2(x1, x0)", (-1.0, 1e-6), "near a jump"),
    # smooth to first order only
    CatalogueEntry("max(x0 + x1, 0)**2 + x1", (1.0, -1.0), "one derivative"),
    # many variables
    CatalogueEntry(
        " + ".join(f"(x{k + 1} - x{k}**2)**2" for k in range(_MANY - 1)),
        tuple(-1.2 if k % 2 == 0 else 1.0 for k in range(_MANY)),
        "many variables",
    ),
    CatalogueEntry(
        f"log({' + '.join(f'exp(x{k})' for k in range(_MANY))})",
        tuple(k / 4 for k in range(_MANY)),
        "many variables",
    ),
    # entries do not exist: the right answer leaves them out
    CatalogueEntry("abs(x0) + x1**2", (0.0, 1.0), "corner"),
    CatalogueEntry("max(x0, x1, x2)", (1.0, 1.0, 0.5), "corner"),
    CatalogueEntry("sqrt(x0**2 + x1**2)", (0.0, 0.0), "corner"),
    CatalogueEntry("floor(x0) + x0*x1", (2.0, 0.5), "jump"),
    CatalogueEntry("sqrt(x0) + x0*x1", (0.0, 2.0), "edge"),
)
