"""Is this derivative right, and how wrong is it?

The public names are loaded when they are first used, so that ``import diffcompare`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffcompare import testing as testing
    from diffcompare.compare.certified_arrays import certified_hessian, certified_jacobian
    from diffcompare.compare.check import check_gradient
    from diffcompare.compare.check_arrays import check_hessian, check_jacobian
    from diffcompare.compare.check_directional import check_directional
    from diffcompare.compare.hot_spots import hot_spots
    from diffcompare.compare.identity import trace
    from diffcompare.compare.reference import certified_gradient
    from diffcompare.compare.step_rules import step_rules
    from diffcompare.compare.summary import summarize
    from diffcompare.compare.sweep import sweep
    from diffcompare.compare.verdict import Verdict
    from diffcompare.descent import gradient_descent
    from diffcompare.errors import (
        DiffcompareError,
        DomainError,
        ParseError,
        StudyError,
        TraceError,
        UnsupportedFunction,
    )
    from diffcompare.numeric.array_differences import numerical_directional, numerical_hessian, numerical_jacobian
    from diffcompare.numeric.differences import numerical_diff, numerical_gradient
    from diffcompare.numeric.differentiate import differentiate
    from diffcompare.numeric.stencils import Stencil
    from diffcompare.numeric.steps import geometric_steps
    from diffcompare.plotting import plot
    from diffcompare.ranking import rank
    from diffcompare.report.page import write_report
    from diffcompare.report.tables import read_errors
    from diffcompare.study import run_study
    from diffcompare.symbolic.function import SymbolicFunction
    from diffcompare.symbolic.parse import parse

__version__ = "0.1.0"

_HOME = {
    "DiffcompareError": "errors",
    "DomainError": "errors",
    "ParseError": "errors",
    "Stencil": "numeric.stencils",
    "StudyError": "errors",
    "SymbolicFunction": "symbolic.function",
    "TraceError": "errors",
    "UnsupportedFunction": "errors",
    "Verdict": "compare.verdict",
    "certified_gradient": "compare.reference",
    "certified_hessian": "compare.certified_arrays",
    "certified_jacobian": "compare.certified_arrays",
    "check_directional": "compare.check_directional",
    "check_gradient": "compare.check",
    "check_hessian": "compare.check_arrays",
    "check_jacobian": "compare.check_arrays",
    "differentiate": "numeric.differentiate",
    "geometric_steps": "numeric.steps",
    "gradient_descent": "descent",
    "hot_spots": "compare.hot_spots",
    "numerical_diff": "numeric.differences",
    "numerical_directional": "numeric.array_differences",
    "numerical_gradient": "numeric.differences",
    "numerical_hessian": "numeric.array_differences",
    "numerical_jacobian": "numeric.array_differences",
    "parse": "symbolic.parse",
    "plot": "plotting",
    "rank": "ranking",
    "read_errors": "report.tables",
    "run_study": "study",
    "step_rules": "compare.step_rules",
    "summarize": "compare.summary",
    "sweep": "compare.sweep",
    "trace": "compare.identity",
    "write_report": "report.page",
}

__all__ = [
    "DiffcompareError",
    "DomainError",
    "ParseError",
    "Stencil",
    "StudyError",
    "SymbolicFunction",
    "TraceError",
    "UnsupportedFunction",
    "Verdict",
    "certified_gradient",
    "certified_hessian",
    "certified_jacobian",
    "check_directional",
    "check_gradient",
    "check_hessian",
    "check_jacobian",
    "differentiate",
    "geometric_steps",
    "gradient_descent",
    "hot_spots",
    "numerical_diff",
    "numerical_directional",
    "numerical_gradient",
    "numerical_hessian",
    "numerical_jacobian",
    "parse",
    "plot",
    "rank",
    "read_errors",
    "run_study",
    "step_rules",
    "summarize",
    "sweep",
    "trace",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name in _HOME or name == "testing":
        # a package of its own, with lazy names
        module = import_module(f"diffcompare.{_HOME.get(name, name)}")
        value = module if name == "testing" else getattr(module, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'diffcompare' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "testing"})
