"""Is this derivative right, and how wrong is it?

The public names are loaded when they are first used, so that ``import diffcompare`` stays light.
"""

from __future__ import annotations

# for those who check types alone: typing takes as long to load as all that an interpreter loads at its start
TYPE_CHECKING = False
if TYPE_CHECKING:
    from diffcompare import testing as testing
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
    from diffcompare.numeric.sampled_data import differentiate_samples
    from diffcompare.numeric.stencils import Stencil
    from diffcompare.numeric.steps import geometric_steps
    from diffcompare.ranking import rank
    from diffcompare.report.drawings.figures import plot
    from diffcompare.report.page import write_report
    from diffcompare.studies.study import run_study
    from diffcompare.sweeps.hot_spots import hot_spots
    from diffcompare.sweeps.rule_errors import step_rules
    from diffcompare.sweeps.sweep import sweep
    from diffcompare.symbolic.function import SymbolicFunction
    from diffcompare.symbolic.parse import parse
    from diffcompare.tables.csv_files import read_errors
    from diffcompare.tables.summary import summarize
    from diffcompare.verdict.certified import certified_gradient, certified_hessian, certified_jacobian
    from diffcompare.verdict.check import check_gradient
    from diffcompare.verdict.check_arrays import check_hessian, check_jacobian
    from diffcompare.verdict.check_derivatives import Derivatives, check_derivatives
    from diffcompare.verdict.check_directional import check_directional
    from diffcompare.verdict.derive import Derived, derive
    from diffcompare.verdict.traced import trace
    from diffcompare.verdict.verdict import Verdict

__version__ = "0.1.0"

_HOME = {
    "Derivatives": "verdict.check_derivatives",
    "Derived": "verdict.derive",
    "DiffcompareError": "errors",
    "DomainError": "errors",
    "ParseError": "errors",
    "Stencil": "numeric.stencils",
    "StudyError": "errors",
    "SymbolicFunction": "symbolic.function",
    "TraceError": "errors",
    "UnsupportedFunction": "errors",
    "Verdict": "verdict.verdict",
    "certified_gradient": "verdict.certified",
    "certified_hessian": "verdict.certified",
    "certified_jacobian": "verdict.certified",
    "check_derivatives": "verdict.check_derivatives",
    "check_directional": "verdict.check_directional",
    "check_gradient": "verdict.check",
    "check_hessian": "verdict.check_arrays",
    "check_jacobian": "verdict.check_arrays",
    "derive": "verdict.derive",
    "differentiate": "numeric.differentiate",
    "differentiate_samples": "numeric.sampled_data",
    "geometric_steps": "numeric.steps",
    "gradient_descent": "descent",
    "hot_spots": "sweeps.hot_spots",
    "numerical_diff": "numeric.differences",
    "numerical_directional": "numeric.array_differences",
    "numerical_gradient": "numeric.differences",
    "numerical_hessian": "numeric.array_differences",
    "numerical_jacobian": "numeric.array_differences",
    "parse": "symbolic.parse",
    "plot": "report.drawings.figures",
    "rank": "ranking",
    "read_errors": "tables.csv_files",
    "run_study": "studies.study",
    "step_rules": "sweeps.rule_errors",
    "summarize": "tables.summary",
    "sweep": "sweeps.sweep",
    "trace": "verdict.traced",
    "write_report": "report.page",
}

__all__ = [
    "Derivatives",
    "Derived",
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
    "check_derivatives",
    "check_directional",
    "check_gradient",
    "check_hessian",
    "check_jacobian",
    "derive",
    "differentiate",
    "differentiate_samples",
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
        from importlib import import_module

        # a package of its own, with lazy names
        module = import_module(f"diffcompare.{_HOME.get(name, name)}")
        value = module if name == "testing" else getattr(module, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'diffcompare' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "testing"})
