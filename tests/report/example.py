"""Tables as a sweep makes them, built by hand from plain NumPy, so that report/ is tested alone."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import pandas as pd

from diffcompare.tables.schema import (
    BOUND_SOURCES,
    COLUMNS,
    CURVE_COLUMNS,
    DESCENT_COLUMNS,
    FUNCTION_COLUMNS,
    HOT_SPOT_COLUMNS,
    STATUSES,
    SUMMARY_COLUMNS,
    SURFACE_COLUMNS,
    Tables,
    format_point,
)

STEPS = tuple(float(f"1e-{k}") for k in range(1, 17))
OFFSETS = {"forward": (0.0, 1.0, 1), "backward": (-1.0, 0.0, 1), "central": (-1.0, 1.0, 2)}
NAN = math.nan
Row = dict[str, object]


def built_once(make: Callable[[], Tables]) -> Callable[[], Tables]:
    """Build tables once, and give each test its own."""
    kept = functools.cache(make)
    return lambda: copy.deepcopy(kept())


def book(x: float) -> float:
    return math.exp(x) / (math.sin(x) ** 3 + math.cos(x) ** 3)


def _relative(error: float, exact: float) -> float:
    if exact == 0:
        return 0.0 if error == 0 else math.inf
    return abs(error) / abs(exact)


def sweep_rows(
    name: str,
    function: Callable[..., float],
    variables: Sequence[str],
    point: Sequence[float],
    gradient: Sequence[float],
    *,
    schemes: Sequence[str] = ("forward", "backward", "central"),
    steps: Sequence[float] = STEPS,
    status: str = "ok",
) -> list[Row]:
    """Rows of errors.csv; ``gradient`` holds nan where ``status`` says that there is no derivative."""
    rows = []
    for k, variable in enumerate(variables):
        for scheme in schemes:
            left, right, order = OFFSETS[scheme]
            for h in steps:
                ends = [[*point[:k], point[k] + side * h, *point[k + 1 :]] for side in (left, right)]
                row_status = status
                try:
                    numeric = (function(*ends[1]) - function(*ends[0])) / (h * (right - left))
                except (ValueError, ZeroDivisionError):
                    numeric, row_status = NAN, "domain"
                except OverflowError:
                    numeric, row_status = math.inf, "nonfinite"
                if row_status == "ok" and ends[0] == ends[1]:
                    row_status = "h-underflow"
                error = numeric - gradient[k]
                rows.append(
                    {
                        **dict.fromkeys(COLUMNS, NAN),
                        "function": name,
                        "variable": variable,
                        "point": format_point(variables, point),
                        "scheme": scheme,
                        "order": order,
                        "derivative": 1,
                        "h": h,
                        "numeric": numeric,
                        "exact": gradient[k],
                        "error": error,
                        "abs_error": abs(error),
                        "rel_error": _relative(error, gradient[k]),
                        "within_bound": pd.NA,
                        "status": row_status,
                        "dtype": "float64",
                        "bound_source": "",
                    }
                )
    return rows


def with_split(rows: Sequence[Row], second: float, third: float) -> list[Row]:
    """The rows with parts that sum to the error but for rounding, and bounds.

    Truncation is its first term, made of f″/2 and f‴/6; what that leaves out counts as evaluation.
    """
    coefficients = {"forward": second, "backward": -second, "central": third}
    made = []
    for row in rows:
        if row["status"] not in ("ok", "h-underflow"):
            made.append(row)
            continue
        h, error, exact, order = (float(row[name]) for name in ("h", "error", "exact", "order"))  # type: ignore[arg-type]
        x = dict(pair.split("=") for pair in str(row["point"]).split(";"))[str(row["variable"])]
        left, right, _ = OFFSETS[str(row["scheme"])]
        moved = [Fraction(float(x) + side * h) - Fraction(x) - Fraction(side) * Fraction(h) for side in (left, right)]
        truncation = coefficients[str(row["scheme"])] * h**order
        abscissa = float(Fraction(exact) * (moved[1] - moved[0]) / (Fraction(right - left) * Fraction(h)))
        division = 0.0 if row["scheme"] == "forward" else 1e-17 * exact
        subtraction = 1e-13 * exact if h >= 0.01 else 0.0
        bounds = (abs(truncation) * 1.01, 2 * abs(error - truncation))
        made.append(
            {
                **row,
                "truncation": truncation,
                "abscissa": abscissa,
                "evaluation": error - truncation - abscissa - division - subtraction,
                "subtraction": subtraction,
                "division": division,
                "truncation_bound": bounds[0],
                "rounding_bound": bounds[1],
                "bound": sum(bounds),
                "within_bound": abs(error) <= sum(bounds),
                "bound_source": "proven",
            }
        )
    return made


def errors_table(rows: Sequence[Row]) -> pd.DataFrame:
    """The table with the dtypes of the contract, categories in order of first appearance."""
    full = {"status": STATUSES, "bound_source": BOUND_SOURCES}
    columns = {}
    for name, kind in COLUMNS.items():
        values = [row[name] for row in rows]
        if kind == "text":
            categories = pd.Index(full.get(name) or list(dict.fromkeys(values)), dtype="str")
            columns[name] = pd.Series(pd.Categorical(pd.Series(values, dtype="str"), categories=categories))
        else:
            dtype = {"float": "float64", "integer": "int64", "flag": "boolean"}[kind]
            columns[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(columns)


def summary_table(errors: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (function, variable, point, scheme), part in errors.groupby(
        ["function", "variable", "point", "scheme"], observed=True, sort=False
    ):
        ok = part[part["status"] == "ok"]
        best = ok.loc[ok["abs_error"].idxmin()] if len(ok) else None
        at = ok[ok["h"] == 1e-4]["abs_error"]
        bounded = ok[ok["bound"].notna()]
        verdict = "within-bound" if bounded["within_bound"].fillna(True).all() else "outside-bound"
        if bounded.empty:
            verdict = "not-differentiable" if part["exact"].isna().all() else "unbounded"
        rows.append(
            {
                "function": function,
                "variable": variable,
                "point": point,
                "scheme": scheme,
                "best_h": NAN if best is None else best["h"],
                "best_abs_error": NAN if best is None else best["abs_error"],
                "predicted_h": NAN,
                "predicted_abs_error": NAN,
                "order": part["order"].iloc[0],
                "observed_order": float(part["order"].iloc[0]) + 0.01 if len(ok) > 2 else NAN,
                "abs_error_at_1e-4": at.iloc[0] if len(at) else NAN,
                "max_bound_ratio": (bounded["abs_error"] / bounded["bound"]).fillna(0.0).max(),
                "verdict": verdict,
                "derivative": part["derivative"].iloc[0],
            }
        )
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def functions_table(rows: Sequence[Sequence[str]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(FUNCTION_COLUMNS), dtype="str")


def curve_rows(name: str, function: Callable[[float], float], variable: str, x: float, half: float = 0.5) -> list[Row]:
    rows = []
    for k in range(-40, 41):
        at = x + half * k / 40
        try:
            value = function(at)
        except (ValueError, ZeroDivisionError):
            value = NAN
        rows.append({"function": name, "point": format_point([variable], [x]), "x": at, "value": value})
    return rows


@built_once
def example() -> Tables:
    """A small study: the textbook's functions, and every status that a row can have."""
    dense = tuple(float(f"{m}e-{k}") for k in range(1, 17) for m in (1.0, 0.56234132519034908, 0.31622776601683794))
    rows = [
        *sweep_rows("exp/(sin3+cos3)", book, ["x"], [1.5], [3.622033700716326], steps=dense),
        *sweep_rows("x0^2 + x1^2", lambda a, b: a * a + b * b, ["x0", "x1"], [3.0, 4.0], [6.0, 8.0]),
        *sweep_rows("abs(x)", abs, ["x"], [0.0], [NAN], status="kink"),
        *sweep_rows("log(x)", math.log, ["x"], [0.01], [100.0]),
        *sweep_rows("huge", lambda x: x + 1.0, ["x"], [1e8], [1.0]),
        *sweep_rows("exp(x)", math.exp, ["x"], [709.78], [math.exp(709.78)]),
        *sweep_rows("2*x", lambda x: 2.0 * x, ["x"], [1.0], [2.0], steps=[2.0**-k for k in range(1, 30, 2)]),
    ]
    errors = errors_table(rows)
    formula = r"\frac{e^{x}}{\sin^{3}{\left(x \right)} + \cos^{3}{\left(x \right)}}"
    derivative = (
        r"\frac{\left(- 3 \sin^{2}{\left(x \right)} \cos{\left(x \right)} + 3 \sin{\left(x \right)} "
        r"\cos^{2}{\left(x \right)}\right) e^{x}}{\left(\sin^{3}{\left(x \right)} + \cos^{3}{\left(x "
        r"\right)}\right)^{2}} + \frac{e^{x}}{\sin^{3}{\left(x \right)} + \cos^{3}{\left(x \right)}}"
    )
    remark = "gradient descent: left the domain"
    functions = functions_table(
        [
            ("exp/(sin3+cos3)", "x", "exp(x)/(sin(x)**3 + cos(x)**3)", formula, derivative, "text", "ok", ""),
            ("x0^2 + x1^2", "x0;x1", "x0**2 + x1**2", "x_{0}^{2} + x_{1}^{2}", "2 x_{0}\n2 x_{1}", "text", "ok", ""),
            ("abs(x)", "x", "abs(x)", r"\left|{x}\right|", r"\operatorname{sign}{\left(x \right)}", "text", "ok", ""),
            (
                "log(x)",
                "x",
                "log(x)",
                r"\log{\left(x \right)}",
                r"\frac{1}{x}",
                "sympy",
                "ok",
                remark,
            ),
            ("broken", "x", "foo(x)", "", "", "text", "failed", "column 1: foo is not known; write one of sin, cos"),
        ]
    )
    descent = pd.DataFrame(
        [
            ("x0^2 + x1^2", gradient, step, -3.0 * 0.8**step, 4.0 * 0.8**step, 25 * 0.64**step, 10 * 0.8**step, d)
            for gradient, d in (("exact", 0.0), ("central", 1e-12))
            for step in range(101)
        ],
        columns=[*DESCENT_COLUMNS[:3], "x0", "x1", *DESCENT_COLUMNS[3:]],
    )
    curves = pd.DataFrame(
        [
            *curve_rows("exp/(sin3+cos3)", book, "x", 1.5),
            *curve_rows("abs(x)", abs, "x", 0.0),
            *curve_rows("log(x)", math.log, "x", 0.01, 0.2),
        ],
        columns=list(CURVE_COLUMNS),
    )
    surfaces = surface_table("x0^2 + x1^2", lambda a, b: a * a + b * b)
    return Tables("Chapter 4", errors, summary_table(errors), functions, descent, curves, surfaces=surfaces)


def surface_table(name: str, function: Callable[[float, float], float], half: float = 5.0) -> pd.DataFrame:
    """A function of two variables at 21 × 21 nodes around 0."""
    nodes = [half * k / 10 for k in range(-10, 11)]
    return pd.DataFrame([(name, x, y, function(x, y)) for x in nodes for y in nodes], columns=list(SURFACE_COLUMNS))


def hot_spots_table(rows: Sequence[Sequence[object]]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=list(HOT_SPOT_COLUMNS))
    return table.astype({name: "category" for name, kind in HOT_SPOT_COLUMNS.items() if kind == "text"})


@built_once
def split_example() -> Tables:
    """A study with split, bounds and hot spots: one ordinary function, one that is exact, one with rows outside."""
    log = sweep_rows("log(x)", math.log, ["x"], [0.01], [100.0])
    exact = sweep_rows("2*x", lambda x: 2.0 * x, ["x"], [1.0], [2.0], steps=[2.0**-k for k in range(1, 30, 2)])
    rows = [
        *with_split(sweep_rows("exp(x)", math.exp, ["x"], [1.0], [math.e]), math.e / 2, math.e / 6),
        *[{**row, "division": 0.0, "evaluation": 0.0, "subtraction": 0.0} for row in with_split(exact, 0.0, 0.0)],
        *with_split(log, -5e3, 1e6 / 3),
        *sweep_rows("abs(x)", abs, ["x"], [0.0], [NAN], status="kink"),
    ]
    errors = errors_table(rows)
    functions = functions_table([(name, "x", name, "", "", "text", "ok", "") for name in errors["function"].unique()])
    spots = hot_spots_table(
        [
            ("exp(x)", "x=1.0", "exp(x)", 3e-16, 0.97, -1e-16, 0.9),
            ("exp(x)", "x=1.0", "x + 1 < 2", 1e-17, 0.03, 1e-17, 0.1),
            ("log(x)", "x=0.01", "log(x)", NAN, NAN, NAN, NAN),
        ]
    )
    return Tables("Split", errors, summary_table(errors), functions, hot_spots=spots)
