"""A named real function of ordered real variables."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffcompare.errors import check_text, shorten
from diffcompare.floats import as_floats, refuse_overflow
from diffcompare.program.analytic import check_analytic
from diffcompare.program.dag import Program, subprogram
from diffcompare.symbolic.entries import flat_entries, nested
from diffcompare.symbolic.namespaces import bind

if TYPE_CHECKING:
    import sympy

__all__ = ["SymbolicFunction", "check_names", "scalar"]


class SymbolicFunction:
    """A function that is known as a formula.

    Parameters
    ----------
    expr : sympy.Expr, number, or list or Matrix of them
        The formula; several in a (nested) list or a Matrix make a vector function, a Matrix of one column a list of
        its entries. A SymPy Float stands for its binary value, a Rational for itself.
    variables : sequence of sympy.Symbol or str
        The arguments, in order; they need not all occur.
    name : str, optional
        Default: the formula as text.

    Attributes
    ----------
    program : Program
        The elementary operations, in the order in which they are carried out: the truth of what is computed.
    variables : tuple of str
        The names of the arguments.
    output_shape : tuple of int
        The shape of a value: ``()`` for one number.
    name, formula : str
        The name, and the formula as it was given.
    source : str
        ``"sympy"`` or ``"text"``.

    Raises
    ------
    UnsupportedFunction
        The expression holds something that diffcompare does not know, or a symbol that is no variable.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> f = SymbolicFunction(x**2 + 1, [x])
    >>> float(f(3.0))
    10.0
    """

    # whether SymPy's derivative is asked besides: of a formula, not of what was made of rows that SymPy has proven
    has_formula = True

    def __init__(
        self,
        expr: sympy.Expr | complex | Sequence[Any] | Any,
        variables: Sequence[sympy.Symbol | str],
        name: str | None = None,
    ) -> None:
        import sympy

        from diffcompare.symbolic.lower import lower_all

        entries, self.output_shape = flat_entries(expr)
        exprs = [sympy.sympify(entry, strict=True) for entry in entries]
        self.variables = check_names([str(v) for v in variables])
        self.program: Program = lower_all(exprs, self.variables)
        self.expr: Any = nested(exprs, self.output_shape)
        self.formula = str(self.expr)
        self.name = self.formula if name is None else check_text(name, "name")
        self.source = "sympy"

    @classmethod
    def from_program(
        cls,
        program: Program,
        *,
        formula: str,
        name: str | None = None,
        source: str = "text",
        output_shape: tuple[int, ...] = (),
    ) -> SymbolicFunction:
        """Wrap a program; its SymPy expression is built when somebody asks for it."""
        self = cls.__new__(cls)
        self.program = program
        self.variables = program.variables
        self.formula = formula
        self.name = formula if name is None else check_text(name, "name")
        self.source = source
        self.output_shape = output_shape
        return self

    def __getattr__(self, attribute: str) -> Any:
        if attribute == "expr":
            from diffcompare.symbolic.derivatives import expression

            self.expr = expression(self)
            return self.expr
        if attribute == "components":
            self.components: tuple[SymbolicFunction, ...] = self._split()
            return self.components
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {attribute!r}")

    def _split(self) -> tuple[SymbolicFunction, ...]:
        """Return every output as a function of its own, flat: what is compiled for it is kept with it."""
        if not self.output_shape:
            return (self,)
        return tuple(
            SymbolicFunction.from_program(
                subprogram(self.program, [output]),
                formula=f"{self.formula}[{', '.join(map(str, index))}]",
                name=f"{self.name}[{', '.join(map(str, index))}]",
                source=self.source,
            )
            for output, index in zip(self.program.outputs, np.ndindex(self.output_shape), strict=True)
        )

    def __call__(self, points: ArrayLike) -> Any:
        """Evaluate the program in binary64.

        Parameters
        ----------
        points : array_like of float
            One variable: a number or an array of any shape, elementwise. n variables: the last axis has length n.

        Returns
        -------
        numpy.float64 or ndarray of float64
            nan where the function is not defined. A vector function: the shape of the points, then ``output_shape``.

        Raises
        ------
        ValueError
            The last axis has another length than there are variables.
        """
        return self._values(as_floats(points, "points"))

    def complex_values(self, points: ArrayLike) -> Any:
        """Evaluate the program in complex128, at points as they are called with.

        Returns
        -------
        numpy.complex128 or ndarray of complex128
            nan where the function is not defined at the real part: the logarithm of −1 has no real value.

        Raises
        ------
        UnsupportedFunction
            An operation is not analytic, or has no complex floats.
        """
        check_analytic(self.program)
        try:
            values = np.asarray(points, dtype=np.complex128)
        except OverflowError:
            refuse_overflow(points, "points")
            raise
        return np.where(np.isnan(self(values.real)), complex(math.nan, math.nan), self._values(values))[()]

    def _values(self, values: NDArray[Any]) -> Any:
        n = len(self.variables)
        if n == 1:
            columns, shape = [values], values.shape
        elif values.ndim == 0 or values.shape[-1] != n:
            raise ValueError(
                f"points of shape {values.shape}: the last axis must have length {n}, one coordinate for each of "
                f"{', '.join(self.variables)}"
            )
        else:
            columns, shape = [values[..., i] for i in range(n)], values.shape[:-1]
        # always fresh contiguous 1-D arrays: NumPy's loops for scalars and strided arrays round differently
        flat = [np.array(column, order="C").reshape(-1) for column in columns]
        with np.errstate(all="ignore"):
            results = bind(self.program, np, arrays=True)(*flat)
        size = flat[0].size if flat else 1
        rows = [np.broadcast_to(np.asarray(result, dtype=values.dtype), (size,)) for result in results]
        return np.stack(rows, axis=-1).reshape(shape + self.output_shape)[()]

    def callable(self, namespace: ModuleType | Any) -> Callable[..., Any]:
        """Return the program as a Python function of one argument per variable; a vector function returns lists.

        Parameters
        ----------
        namespace : module
            Where the elementary functions come from: ``numpy``, ``math``, ``jax.numpy``, ``torch`` … Functions that
            it lacks are taken from the operations table.

        Raises
        ------
        UnsupportedFunction
            Neither the namespace nor the table has a function that the program needs.
        """
        run, shape = bind(self.program, namespace), self.output_shape

        def function(*arguments: Any) -> Any:
            return nested(run(*arguments), shape)

        return function

    def __repr__(self) -> str:
        return f"SymbolicFunction({self.formula!r}, variables={list(self.variables)!r})"


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of variables as a tuple; ``ValueError`` for repeated ones and for those that no point could show."""
    for name in names:
        if not name or any(c in ";=" or not c.isprintable() or c.isspace() for c in name):
            raise ValueError(f"variable {name!r}: a name must be visible and hold no space, ';' or '='; rename it")
    if len(set(names)) != len(names):
        raise ValueError(f"variables={list(names)!r}: a name is repeated; list each once")
    return tuple(names)


def scalar(f: SymbolicFunction, remedy: str) -> None:
    """Refuse a vector function where one number is needed; ``remedy`` says what to do instead."""
    if f.output_shape:
        raise ValueError(
            f"{shorten(f.name, 60)} returns an array of shape {f.output_shape}: one number is needed; {remedy}"
        )
