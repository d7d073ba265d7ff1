"""Every operation of the table in every arithmetic and pass: none is missing, and each gives what mpmath gives.

A pass that cannot hold an operation says so itself, by its name: an UnsupportedFunction, or the kind that the row of
the operation does not have. Nothing is excused here. A row without its entries in the other tables fails by the name
of each of them.
"""

from __future__ import annotations

import math
import runpy
from collections.abc import Callable, Collection
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special
from flint import arb, arf

import diffcompare as dc
from diffcompare.arithmetic.balls import BALL_OPERATIONS, ball_function, precision
from diffcompare.arithmetic.complex_balls import COMPLEX_OPERATIONS, imaginary_part
from diffcompare.arithmetic.conditioning import conditioning
from diffcompare.arithmetic.domain import undefined_steps
from diffcompare.arithmetic.first_order import forward_errors, reverse_errors
from diffcompare.arithmetic.floating import compile_numpy, implementation, node_values
from diffcompare.arithmetic.gaussian import exact_imaginary_part
from diffcompare.arithmetic.jets import JET_OPERATIONS, taylor_jet
from diffcompare.arithmetic.lipschitz import slope_range
from diffcompare.arithmetic.one_sided import GERM_OPERATIONS, is_defined, one_sided_derivative
from diffcompare.arithmetic.ranges import is_smooth
from diffcompare.arithmetic.rational import EXACT_OPERATIONS, exact_outputs
from diffcompare.arithmetic.roundings.constants import MAXIMA, WORST
from diffcompare.arithmetic.roundings.narrow import NARROW_MAXIMA, narrow_constants
from diffcompare.arithmetic.running_error import local_bounds, local_errors, point_rounding_bound
from diffcompare.arithmetic.special_balls import OUTSIDE
from diffcompare.errors import TraceError, UnsupportedFunction
from diffcompare.program.adjoint import adjoint, sensitivities
from diffcompare.program.analytic import ANALYTIC, SCIPY_ANALYTIC, not_analytic
from diffcompare.program.dag import Program
from diffcompare.program.degree import polynomial_degree
from diffcompare.program.lines import on_line
from diffcompare.program.operations import CONDITIONS, FALLBACKS, OPERATIONS, Kind, Operation
from diffcompare.program.printing import formula
from diffcompare.program.scipy_functions import SCIPY
from diffcompare.symbolic.derivatives import SYMPY_OPERATIONS, derivative_latex, gradient_program, latex
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.verdict.causes.budget import Budget
from diffcompare.verdict.causes.mistakes import Facts
from diffcompare.verdict.causes.program_mistakes import linearise, take_apart

TABLE = runpy.run_path(str(Path(__file__).with_name("table_of_operations.py")))
CASES: dict[str, Any] = {case.name: case for case in TABLE["CASES"]}
DIGITS = 40
Case = Any
Point = tuple[float, ...]
Pass = Callable[[Case, Point], None]


def test_every_operation_of_the_table_has_a_case():
    assert {case.operation for case in CASES.values()} == set(OPERATIONS)


# ---- the entries that a row needs elsewhere


def has_numbers(row: Operation) -> bool:
    return Kind.CONDITION not in row.kind and row.arity != 0


def is_special(row: Operation) -> bool:
    return Kind.SPECIAL in row.kind


def is_measured(row: Operation) -> bool:
    """Tell whether the float function of an operation has an error that somebody must measure."""
    # (sums of any number of terms have a bound by theory)
    return has_numbers(row) and row.arity > 0 and not row.kind & (Kind.EXACT | Kind.ROUNDED | Kind.SPECIAL)


def has_no_partials(row: Operation) -> bool:
    # (that of a choice is the business of the adjoint, that of a whole power needs the exponent)
    special = row.by_order or row.name in ("select", "integer_power")
    return has_numbers(row) and row.partials is None and not special


def has_a_float(row: Operation) -> bool:
    try:
        return callable(implementation(row.name))
    except (KeyError, AttributeError):
        return False


# what the caller of a table does itself
OWN = {"constant", "variable"}
POWER = {*OWN, "integer_power"}
# each place: what it holds, and which rows must be there
PLACES: dict[str, tuple[Collection[str], Callable[[Operation], bool]]] = {
    "partials": ([], has_no_partials),
    "balls": ({*BALL_OPERATIONS, *OWN}, lambda row: True),
    "jets": ({*JET_OPERATIONS, *OWN}, lambda row: True),
    # of special functions what lies outside the domain is a table of its own; the poles of tan are no binary numbers
    "germs": (
        {*GERM_OPERATIONS, "integer_power", "tan"},
        lambda row: has_numbers(row) and not is_special(row) and bool(row.domain or row.switch),
    ),
    "outside the domain": (OUTSIDE, lambda row: is_special(row) and bool(row.domain)),
    "complex balls": ({*COMPLEX_OPERATIONS, *POWER}, lambda row: Kind.ANALYTIC in row.kind),
    "exact numbers": (
        {*EXACT_OPERATIONS, *POWER},
        lambda row: Kind.RATIONAL in row.kind or Kind.CONDITION in row.kind,
    ),
    "exact complex numbers": ({*FALLBACKS}, lambda row: Kind.RATIONAL in row.kind),
    "SciPy": ({*SCIPY, "sinc"}, is_special),
    "floats": ({*OWN, *(row.name for row in OPERATIONS.values() if has_a_float(row))}, lambda row: True),
    "rounding": (MAXIMA, is_measured),
    "where it rounds worst": (WORST, is_measured),
    **{f"rounding in {dtype}": (NARROW_MAXIMA[dtype], is_measured) for dtype in NARROW_MAXIMA},
    "SymPy": ({*SYMPY_OPERATIONS, *POWER}, lambda row: True),
    "cases": ({case.operation for case in CASES.values()}, lambda row: True),
}


def missing(rows: Collection[Operation]) -> dict[str, set[str]]:
    found = {
        place: {row.name for row in rows if needs(row) and row.name not in held}
        for place, (held, needs) in PLACES.items()
    }
    return {place: names for place, names in found.items() if names}


def test_every_row_has_its_entries():
    assert missing(OPERATIONS.values()) == {}


@pytest.mark.parametrize(
    ("kind", "domain", "without"),
    [
        (Kind.ANALYTIC, "argument > 0", {"outside the domain", "exact numbers", "exact complex numbers", "SciPy"}),
        (
            Kind(0),
            "",
            {"germs", "complex balls", "outside the domain", "exact numbers", "exact complex numbers", "SciPy"},
        ),
        (
            Kind.SPECIAL | Kind.ANALYTIC,
            "argument > 0",
            {"germs", "exact numbers", "exact complex numbers", *(place for place in PLACES if "round" in place)},
        ),
    ],
)
def test_a_new_row_alone_is_named_by_every_place_that_lacks_it(kind, domain, without):
    assert missing([Operation("new", 1, kind, domain=domain)]) == {place: {"new"} for place in PLACES.keys() - without}


# ---- the truth


def exact(value: Any) -> arb:
    """Turn a number of mpmath into the same number as a ball."""
    sign, mantissa, exponent, _ = mpmath.mpf(value)._mpf_
    return arb(arf((-int(mantissa) if sign else int(mantissa), int(exponent)))) if mantissa else arb(0)


@cache
def truth(name: str, point: Point) -> tuple[arb, ...]:
    """Return the value and the partial derivatives."""
    case = CASES[name]
    with mpmath.workdps(DIGITS):
        return tuple(map(exact, (case.truth(*point), *case.true_slopes(*point))))


@cache
def curvatures(name: str, point: Point) -> tuple[arb, ...]:
    """Return the second derivatives along the axes."""
    case, found = CASES[name], []
    with mpmath.workdps(DIGITS):
        for i, x in enumerate(point):
            h = mpmath.mpf(2) ** -50

            def slope(t: Any, i: int = i) -> Any:
                return case.true_slopes(*point[:i], t, *point[i + 1 :])[i]

            # of order 4: the error is about h⁴
            found.append((8 * (slope(x + h) - slope(x - h)) - (slope(x + 2 * h) - slope(x - 2 * h))) / (12 * h))
    return tuple(map(exact, found))


def assert_is(value: arb, true: arb, relative: float = 1e-35, absolute: float = 0.0) -> None:
    """Check that a ball is finite and lies at the true value."""
    assert value.is_finite()
    with precision(400):
        assert abs(value - true) <= abs(true) * relative + absolute + 2 * arb(value.rad()), (value, true)


def assert_near(value: float, true: arb, relative: float, absolute: float = 0.0) -> None:
    """Check a float, which may also have overflowed or underflowed."""
    with precision(400):
        if abs(true) > 1.7e308:
            assert math.isinf(value)
            return
        assert abs(arb(float(value)) - true) <= abs(true) * relative + absolute + 1e-300, (value, true)


def function(case: Case) -> SymbolicFunction:
    return SymbolicFunction.from_program(case.program, formula=case.name)


def check_refusal(error: Exception, case: Case, *, allowed: bool = True) -> None:
    """Raise a refusal again unless it names the operation, by its own name or by that of a module."""
    names = [*OPERATIONS[case.operation].names, case.operation, case.code.partition("(")[0].rpartition(".")[2]]
    if not (allowed and any(name in str(error) for name in names if name)):
        raise error


# ---- the passes


def balls(case: Case, point: Point) -> None:
    value, *slopes = truth(case.name, point)
    with precision(600):
        found = ball_function(adjoint(case.program))(*map(arb, point))
        every = ball_function(sensitivities(case.program))(*map(arb, point))
    assert_is(found[0], value)
    for one, slope in zip(found[1:], slopes, strict=True):
        assert_is(one, slope)
    assert_is(every[0], value)


def second_adjoint(case: Case, point: Point) -> None:
    first = adjoint(case.program)
    for i, true in enumerate(curvatures(case.name, point)):
        once = Program(first.variables, first.nodes, (first.outputs[1 + i],))
        with precision(300):
            found = ball_function(adjoint(once))(*map(arb, point))[1 + i]
        assert_is(found, true, 1e-15, 1e-25)


def jets(case: Case, point: Point) -> None:
    value, *slopes = truth(case.name, point)
    for i, slope in enumerate(slopes):
        jet = taylor_jet(case.program, point, i, order=2, bits=600)
        assert_is(jet[0], value)
        assert_is(jet[1], slope)
        with precision(300):
            assert_is(2 * jet[2], curvatures(case.name, point)[i], 1e-15, 1e-25)


def germs(case: Case, point: Point) -> None:
    for i, slope in enumerate(truth(case.name, point)[1:]):
        with precision(600):
            found = one_sided_derivative(case.program, point, i)
            assert is_defined(case.program, list(map(arb, point)))
        # beside whole numbers and zeros a proof of equality may fail; it is not needed where there is no switch
        assert found.status == "ok" or (found.status == "undecided" and point in case.far)
        if found.value is not None:
            assert_is(found.value, slope)


def ranges(case: Case, point: Point) -> None:
    """A point and a small box around it: smooth, the slope within, no abscissa outside."""
    chooses = any(node.operation in {"select", *CONDITIONS} for node in case.program.nodes)
    assert is_smooth(case.program, [(x - 1e-6, x + 1e-6) for x in point]) is not chooses
    for i, slope in enumerate(truth(case.name, point)[1:]):
        with precision(600):
            assert slope_range(case.program, list(map(arb, point)), i).overlaps(slope + arb(0, abs(slope) * 1e-35))
        assert undefined_steps(case.program, point, i, np.array([1e-3, 1e-6]), [(Fraction(-1), Fraction(1))]) is None


def rational(case: Case, point: Point) -> None:
    """What is exact is the value; an imaginary part of step h is h times the slope, to first order."""
    value, *slopes = truth(case.name, point)
    (found,) = exact_outputs(case.program, point)
    if found is not None:
        with precision(600):
            assert_is(arb(found.numerator) / found.denominator, value)
    for i, slope in enumerate(slopes):
        imaginary = exact_imaginary_part(case.program, point, i, 2.0**-80)
        if imaginary is not None:
            with precision(600):
                assert_is(arb(imaginary.numerator) / imaginary.denominator * 2**80, slope, 1e-30)


def printing(case: Case, point: Point) -> None:
    """What is printed reads back as the same function; a derivative without a name of its own shows that it is one."""
    text = formula(case.program, case.program.outputs[0], limit=10_000)
    if case.payload and OPERATIONS[case.operation].by_order:
        assert f"{case.operation}{case.payload * chr(39)}(" in text
        return
    if case.operation == "undefined":
        assert "nan" in text
        return
    read = dc.parse(text, variables=list(case.variables))
    with precision(600):
        found = ball_function(read.program)(*map(arb, point))[0]
    assert_is(found, truth(case.name, point)[0])


def text(case: Case, point: Point) -> None:
    if case.payload and OPERATIONS[case.operation].by_order:
        return
    names = OPERATIONS[case.operation].names
    own = f"{(*names, case.operation)[0]}({', '.join(case.variables)})"
    written = case.text or (own if "." in case.code else case.code)
    read = dc.parse(written, variables=list(case.variables))
    if case.operation not in ("undefined", "true", "false", "sum", "dot"):
        assert any(node.operation == case.operation for node in read.program.nodes)
    with precision(600):
        found = ball_function(read.program)(*map(arb, point))[0]
    assert_is(found, truth(case.name, point)[0])


def floats(case: Case, point: Point) -> None:
    """NumPy and SciPy within the bound of the package where it knows one, else within 1e-9."""
    value = truth(case.name, point)[0]
    f = function(case)
    where = point if len(point) > 1 else point[0]
    try:
        seen = float(f(where))
    except UnsupportedFunction as error:
        check_refusal(error, case, allowed=not case.has_floats)
        for refused in (
            lambda: compile_numpy(case.program)([np.array([x]) for x in point]),
            lambda: f.callable(np)(*point),
        ):
            with pytest.raises(UnsupportedFunction):
                refused()
        return
    bound = math.fsum(local_bounds(case.program, point))
    if math.isfinite(bound):
        assert_near(seen, value, 0.0, bound)
    assert_near(seen, value, 1e-9, 1e-13)
    columns = [np.array([x]) for x in point]
    with np.errstate(all="ignore"):
        assert np.array_equal(compile_numpy(case.program)(columns)[0], seen, equal_nan=True)
        assert_near(float(np.asarray(f.callable(np)(*columns)).reshape(-1)[0]), value, 1e-9, 1e-13)
    assert np.array_equal(node_values(case.program, point)[case.program.outputs[0]], seen, equal_nan=True)


def plain_numbers(case: Case, point: Point) -> None:
    """The functions of ``math``, and of JAX, or a refusal that names the operation."""
    import jax.numpy

    f, value = function(case), truth(case.name, point)[0]
    if case.has_floats and abs(value) < 1e300:
        assert_near(float(f.callable(math)(*point)), value, 1e-9, 1e-13)
    try:
        run = f.callable(jax.numpy)
    except UnsupportedFunction as error:
        check_refusal(error, case)
        return
    assert_near(float(run(*map(jax.numpy.float32, point))), value, 1e-5, 1e-5)


def complex_step(case: Case, point: Point) -> None:
    """Complex balls, and complex floats; those of SciPy need not keep a tiny imaginary part."""
    f, names = function(case), {node.operation for node in case.program.nodes}
    z = np.array(point, dtype=complex)
    if not_analytic(case.program):
        with pytest.raises(UnsupportedFunction) as error:
            f.complex_values(z if len(z) > 1 else z[0])
        assert any(name in str(error.value) for name in names)
    if not names <= ANALYTIC:
        return
    h = 2.0**-20 if names & SCIPY_ANALYTIC else 2.0**-100
    for i, slope in enumerate(truth(case.name, point)[1:]):
        try:
            with precision(600):
                assert_is(imaginary_part(case.program, point, i, 2.0**-100) * 2**100, slope, 1e-25)
        except UnsupportedFunction:
            if not case.payload:
                raise
        if not not_analytic(case.program):
            moved = z + 1j * h * (np.arange(len(z)) == i)
            assert_near(complex(f.complex_values(moved if len(z) > 1 else moved[0])).imag / h, slope, 1e-8, 1e-8)


def first_order_errors(case: Case, point: Point) -> None:
    """The derivatives behind the estimate of rounding in traced code, forwards and backwards."""
    if not case.has_floats:
        return
    value, *slopes = truth(case.name, point)
    program = case.program
    values = node_values(program, point)
    order, output = range(len(program.nodes)), program.outputs[0]
    total, bars = reverse_errors(program.nodes, order, values, output, 2.0**-53)
    errors = forward_errors(program.nodes, order, values, 2.0**-53, inputs=2.0**-53)
    assert not math.isnan(total)
    assert not math.isnan(errors[output])
    places = {int(node.payload): k for k, node in enumerate(program.nodes) if node.operation == "variable"}
    for i, slope in enumerate(slopes):
        if i in places and abs(slope) < 1e300 and abs(value) < 1e300:
            assert_near(bars.get(places[i], 0.0), slope, 1e-6, 1e-10)


def rounding(case: Case, point: Point) -> None:
    """Bound and measured error of every node; the terms by which a gradient may stray."""
    value = truth(case.name, point)[0]
    program = case.program
    for i in range(len(point)):
        assert not point_rounding_bound(program, point, i) < 0
    terms = conditioning(adjoint(program), point)
    assert terms.rounding.shape == (len(point),)
    if case.has_floats and abs(value) < 1e300:
        assert len(local_errors(program, point, node_values(program, point))) == len(program.nodes)
    if case.has_floats and point == case.points[0]:
        assert len(dc.hot_spots(function(case), point if len(point) > 1 else point[0])) <= len(program.nodes)


def narrow_dtypes(case: Case, point: Point) -> None:
    value = truth(case.name, point)[0]
    if not case.has_floats:
        return
    for dtype, allowed in (("float32", 1e-5), ("float16", 5e-2)):
        for node in case.program.nodes:
            ulps, _ = narrow_constants(node, dtype)
            assert ulps >= 0
            elementary = node.operation in NARROW_MAXIMA[dtype] or not OPERATIONS[node.operation].arity
            assert math.isfinite(ulps) or not elementary
        columns = [np.array([x], dtype=dtype) for x in point]
        found = compile_numpy(case.program, dtype)(columns)
        assert found.dtype == dtype
        assert_near(float(found[0]), value, allowed, allowed)
        for i in range(len(point)):
            assert not point_rounding_bound(case.program, point, i, dtype=dtype) < 0


def of_sympy(case: Case, point: Point) -> None:
    """SymPy's expression is the function, its derivative the derivative, and both can be typeset."""
    value, *slopes = truth(case.name, point)
    f = function(case)
    expression = f.expr
    if expression is None:
        assert case.operation == "undefined" or (case.payload and OPERATIONS[case.operation].by_order)
        return
    assert latex(f)
    again = dc.SymbolicFunction(expression, list(case.variables))
    with precision(600):
        assert_is(ball_function(again.program)(*map(arb, point))[0], value)
    assert isinstance(derivative_latex(f), str)
    derivative = gradient_program(f)
    if derivative is not None:
        with precision(600):
            for one, slope in zip(ball_function(derivative)(*map(arb, point)), slopes, strict=True):
                assert not one.is_finite() or abs(one - slope) <= abs(slope) * 1e-35 + 2 * arb(one.rad())


def structure(case: Case, point: Point) -> None:
    """Degrees and lines, and the search for a cause, which takes a program apart."""
    program = case.program
    for i in range(len(point)):
        degree = polynomial_degree(program, i)
        assert degree is None or degree <= 7
    along = on_line(program, point, [1.0] * len(point))
    with precision(600):
        assert_is(ball_function(along)(arb(0))[0], truth(case.name, point)[0])
    slopes = truth(case.name, point)[1:]
    D = np.array([float(s) for s in slopes])
    if np.isfinite(D).all() and np.abs(D).max() < 1e300:
        zeros = np.zeros(len(D))
        facts = Facts.__new__(Facts)
        object.__setattr__(facts, "wrong", zeros == 0)
        budget = Budget()
        parts = take_apart(program, budget)
        lines = None if parts is None else linearise(parts, point, facts, budget)
        if lines is not None:
            for j, node in enumerate(program.nodes):
                if node.operation == "variable":
                    assert_near(float(lines.bars[j]), slopes[int(node.payload)], 1e-15)


def in_code(case: Case) -> Callable[[Any], Any]:
    names = {"np": np, "sp": scipy.special}
    return eval(f"lambda {', '.join(case.variables)}: {case.code}", names)


def numpy_trace(case: Case, point: Point) -> None:
    if not case.has_floats:
        return
    run = in_code(case)
    n = len(point)
    try:
        f = dc.trace((lambda x: run(*x)) if n > 1 else run, n if n > 1 else ())
    except TraceError as error:
        # there is nothing to follow through a step
        check_refusal(error, case, allowed="step" in str(error))
        return
    value, *slopes = truth(case.name, point)
    with precision(300):
        found = ball_function(adjoint(f.program))(*map(arb, point))
    # numbers that the code holds, such as pi, are floats
    assert_is(found[0], value, 1e-14, 1e-15)
    for one, slope in zip(found[1:], slopes, strict=True):
        assert_is(one, slope, 1e-13, 1e-14)


def jax_trace(case: Case, point: Point) -> None:
    """What JAX makes of the code is traced too; a step is refused by its name."""
    import jax

    if not case.in_jax:
        return
    code = case.code.replace("np.", "jnp.").replace("sp.", "jsp.")
    run = eval(f"lambda {', '.join(case.variables)}: {code}", {"jnp": jax.numpy, "jsp": jax.scipy.special})
    n = len(point)
    with jax.enable_x64(True):
        try:
            f = dc.trace((lambda x: run(*x)) if n > 1 else run, n if n > 1 else ())
        except TraceError as error:
            check_refusal(error, case, allowed="step" in str(error))
            return
    with precision(300):
        found = ball_function(adjoint(f.program))(*map(arb, point))
    for one, true in zip(found, truth(case.name, point), strict=True):
        assert_is(one, true, 1e-13, 1e-14)


def certified(case: Case, point: Point) -> None:
    """Certified derivatives and the sweep of the whole table: error, parts and bounds."""
    f, at = function(case), point if len(point) > 1 else point[0]
    reference = dc.certified_gradient(f, at)
    assert reference.status == ["ok"] * len(point)
    for value, slope in zip(reference.value, truth(case.name, point)[1:], strict=True):
        assert_near(float(value), slope, 2.0**-53)
    assert set(np.asarray(dc.certified_hessian(f, at).status).ravel()) == {"ok"}
    if case.has_floats:
        table = dc.sweep(f, [at], schemes=("forward", "central"), steps=[1e-3])
        assert set(table["status"]) <= {"ok", "domain"}
        assert table["within_bound"].fillna(True).all()
        assert len(dc.step_rules(f, [at])) > 0


def judged(case: Case, point: Point) -> None:
    """The gradient that people write is not wrong, one that is 0.1 % off is."""
    if not case.has_slope_floats:
        return
    run, n = in_code(case), len(point)
    slopes = [eval(f"lambda {', '.join(case.variables)}: {s}", {"np": np, "sp": scipy.special}) for s in case.slopes]
    f = (lambda x: run(*x)) if n > 1 else run
    for factor in (1.0, 1.001):

        def gradient(x: Any, factor: float = factor) -> Any:
            return np.array([factor * s(*x) for s in slopes]) if n > 1 else factor * slopes[0](x)

        at = np.array(point) if n > 1 else point[0]
        verdict = dc.check_gradient(f, gradient, at)
        right = factor == 1.0 or all(slope.is_zero() for slope in truth(case.name, point)[1:])
        assert verdict.status == ("consistent" if right else "wrong")


PASSES: dict[str, Pass] = {
    run.__name__: run
    for run in (
        balls, second_adjoint, jets, germs, ranges, rational, printing, text, floats, plain_numbers, complex_step,
        first_order_errors, rounding, narrow_dtypes, of_sympy, structure, numpy_trace,
        jax_trace, certified, judged,
    )
}  # fmt: skip


# (others would say the same again)
FAR = {balls, germs, floats, first_order_errors, structure}
# (dear: one point each)
DEAR = {plain_numbers, of_sympy, numpy_trace, jax_trace, certified, judged, rounding}


@pytest.mark.thorough
@pytest.mark.parametrize("name", CASES)
def test_every_operation_in_every_pass(name):
    case, found = CASES[name], []
    for run in PASSES.values():
        for point in case.points[:1] if run in DEAR else [*case.points, *(case.far if run in FAR else ())]:
            try:
                run(case, point)
            except Exception as error:
                error.add_note(f"{name} in the pass {run.__name__} at {point}")
                found.append(error)
    if found:
        raise ExceptionGroup(f"{name}: {', '.join(sorted({e.__notes__[-1] for e in found}))}", found)


@pytest.mark.mostly_thorough(but_each=2)
@pytest.mark.parametrize(
    ("f", "gradient", "at"),
    [
        (lambda x: scipy.special.ndtr(x), lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi), -8.5),
        (
            lambda x: 0.5 * x * (1 + scipy.special.erf(x / np.sqrt(2))),
            lambda x: scipy.special.ndtr(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi),
            -5.0,
        ),
        # derivatives near the least normal number
        (np.exp, np.exp, -700.5),
        (np.arctan, lambda x: 1 / (1 + x * x), 1e150),
    ],
)
def test_gradients_far_out_are_right_and_a_small_mistake_is_seen(f, gradient, at):
    assert dc.check_gradient(f, gradient, at).status == "consistent"
    assert dc.check_gradient(f, lambda x: 1.0001 * gradient(x), at).status == "wrong"


@pytest.mark.parametrize(
    "f", [lambda x: np.where(x == np.inf, 0.0, x**2), lambda x: x**2 if -np.inf < x < np.inf else 0.0]
)
def test_a_question_for_infinity_is_no_decision_of_a_trace(f):
    assert dc.certified_gradient(dc.trace(f, ()), 1.5).status == ["ok"]
