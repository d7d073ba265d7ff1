"""Python code that a study file names: loaded and traced."""

from __future__ import annotations

from dataclasses import dataclass

from diffcompare.errors import reason, shorten
from diffcompare.studies.user_code import loader_near
from diffcompare.symbolic.function import SymbolicFunction, scalar
from diffcompare.tracing.calling import StoppedError
from diffcompare.tracing.trace import CodeError
from diffcompare.verdict.traced import trace

__all__ = ["Code", "traced_code"]


@dataclass(frozen=True, slots=True)
class Code:
    """Code that a study file names.

    Parameters
    ----------
    text : str
        ``MODULE:function``.
    name : str
        What the function is called in the study.
    shape : tuple of int
        Of its points.
    study : str
        The path of the study file.
    """

    text: str
    name: str
    shape: tuple[int, ...]
    study: str


def traced_code(code: Code) -> SymbolicFunction | str:
    """Load and trace the code; or say in one line why that cannot be."""
    try:
        with loader_near(code.study)(code.text) as function:
            try:
                traced = trace(function, code.shape, name=shorten(code.text, 80))
            except CodeError as error:
                cause = error.__cause__
                while isinstance(cause, StoppedError):
                    cause = cause.__cause__
                if cause is not None and not isinstance(cause, Exception):
                    # code that wants to end the process is refused by the name of what it called
                    raise cause from None
                raise
            scalar(traced, "return a scalar")
    except Exception as error:
        return reason(error)
    return SymbolicFunction.from_program(traced.program, formula=code.text, name=code.name, source="python")
