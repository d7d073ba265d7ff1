"""Strategies of Hypothesis for tests of code that differentiates.

Nothing is drawn and then thrown away: functions are repaired while they are built, points moved to where the function
is defined, steps shortened until the stencil stays inside. All strategies of one kind are built once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from diffcompare.arithmetic.ranges import is_smooth
from diffcompare.numeric.stencils import DEFAULT_SCHEMES, SCHEME_FORMS, Stencil, stencil
from diffcompare.program.operations import FALLBACKS, INFIX, OPERATIONS
from diffcompare.program.special_functions import ROWS
from diffcompare.symbolic.function import SymbolicFunction, check_names
from diffcompare.testing.building import Box, Instruction, SmoothFunction, build, check_box

__all__ = ["DEFAULT_OPERATIONS", "Comparison", "comparisons", "points", "smooth_functions", "steps"]

Point = tuple[float, ...]

# corners are no matter of smooth functions, although away from them these are smooth
_CORNERS = frozenset({"abs", "sign", "min", "max"})


def _is_known_to_numpy(name: str) -> bool:
    return name in FALLBACKS or any(hasattr(np, other) for other in OPERATIONS[name].names)


# rows of the table with one operand or two and partial derivatives
_DIFFERENTIABLE = tuple(
    name
    for name, row in OPERATIONS.items()
    if row.arity in (1, 2) and (row.partials is not None or name == "integer_power") and not row.parameters
)
_SPECIAL = frozenset(row.name for row in ROWS)
DEFAULT_OPERATIONS = tuple(
    name for name in _DIFFERENTIABLE if name not in _CORNERS | _SPECIAL and _is_known_to_numpy(name)
)


# --- numbers -----------------------------------------------------------------------------------------------------

_SIGNS = st.sampled_from([1.0, -1.0])
_SMALL = st.integers(-9, 9).map(float)
_ORDINARY = st.integers(-3000, 3000).map(lambda k: k / 1000)
_ANY_SIZE = st.builds(lambda s, m, e: s * m * 10.0**e, _SIGNS, st.integers(1, 9), st.integers(-12, 12))
_EXTREME = st.builds(lambda s, e: s * 2.0**e, _SIGNS, st.integers(-1000, 300))
_BINADE_EDGES = st.builds(
    lambda s, e, side: s * math.nextafter(2.0**e, side),
    _SIGNS,
    st.one_of(st.integers(-4, 10), st.integers(-1022, 1000)),
    st.sampled_from([0.0, math.inf]),
)
_SUBNORMAL = st.builds(lambda s, k: s * k * 5e-324, _SIGNS, st.integers(0, 2**52))
_HUGE = st.builds(lambda s, e: s * 10.0**e, _SIGNS, st.integers(20, 307))
# every kind of number that a float can be
_NUMBERS = st.one_of(
    _SMALL,
    st.sampled_from([0.0, -0.0]),
    _ORDINARY,
    _BINADE_EDGES,
    _ANY_SIZE,
    _SUBNORMAL,
    _HUGE,
    st.floats(allow_nan=False, allow_infinity=False),
)

# --- functions ---------------------------------------------------------------------------------------------------

_TENS = st.integers(-400, 400).map(lambda k: k / 10)
_CENTRES = st.one_of(_SMALL, _ORDINARY, _TENS, _TENS, _ANY_SIZE, _EXTREME)


def _side(centre: float, k: int, absolute: bool) -> tuple[float, float]:
    # never so narrow that it holds only a few floats
    relative = min(abs(centre), 2.0**300) * 2.0**-24
    radius = 2.0**-k * (1.0 if absolute or not centre else min(abs(centre), 2.0**300))
    return centre - max(radius, relative), centre + max(radius, relative)


# wide and narrow ones, in units of the centre or of 1
_SIDES = st.builds(_side, _CENTRES, st.integers(1, 24), st.booleans())
_CONSTANTS = st.sampled_from(["2", "3", "0.5", "0.1", "10", "7/3", "1.7", "-1.3", "1e-7", "1024"])
_EXPONENTS = st.sampled_from([2, 3, -1, -2, 4, 5, -3])
# tenths: arguments of both signs, near 0 and where functions grow, saturate or overflow
_SIZES = (5, 10, 14, 20, 27, 35, 42, 50, 65, 80, 100, 130, 180, 250, 400, 650)
_AIMS = st.sampled_from([None] * 8 + [sign * size for size in _SIZES for sign in (1, -1)])


def _same(instruction: Instruction) -> Instruction:
    return instruction


def _with_aim(operation: str, start: int, aim: int | None) -> Instruction:
    return Instruction(operation, start, aim=aim)


def _with_value(operation: str, operand: int, exchanged: bool) -> Instruction:
    return Instruction(operation, operand, exchanged=exchanged)


def _with_constant(operation: str, constant: str, exchanged: bool) -> Instruction:
    if operation == "power" and not exchanged and "." not in constant:
        # a whole exponent is an operation of its own
        constant = "0.5"
    return Instruction(operation, 0, constant, exchanged)


@lru_cache(maxsize=256)
def _instructions(operations: tuple[str, ...], count: int) -> st.SearchStrategy[Instruction]:
    unary = [name for name in operations if OPERATIONS[name].arity == 1 and name != "integer_power"]
    binary = [name for name in operations if OPERATIONS[name].arity == 2]
    kinds: list[st.SearchStrategy[Instruction]] = []
    if unary:
        names, starts = st.sampled_from(unary), st.integers(0, count)
        # Hypothesis returns the same strategy for the same arguments, and counts it once: map makes another
        kinds += [st.builds(_with_aim, names, starts, _AIMS).map(_same) for _ in range(6)]
    if binary:
        names = st.sampled_from([name for name in binary for _ in range(3 if name in INFIX else 1)])
        kinds += [st.builds(_with_value, names, st.integers(0, 5), st.booleans()).map(_same) for _ in range(2)]
        kinds.append(st.builds(_with_constant, names, _CONSTANTS, st.booleans()))
    if "integer_power" in operations:
        kinds.append(st.builds(lambda n: Instruction("integer_power", payload=n), _EXPONENTS))
    return st.one_of(kinds)


def smooth_functions(
    *,
    variables: Sequence[str] = ("x", "y"),
    max_operations: int = 8,
    operations: Sequence[str] | None = None,
) -> st.SearchStrategy[SmoothFunction]:
    """Draw functions with a box on which they are smooth.

    Proven: ``f.box`` lies inside the domain, with every intermediate value also where rounding moves it; values and
    slopes are at most 1e100. Arguments that leave the domain are replaced while f is built: log u by log(1 + u²).

    Parameters
    ----------
    variables : sequence of str
        The arguments; at least one of them occurs.
    max_operations : int
        At least 1; repairs count.
    operations : sequence of str, optional
        Names of the operations table, of one or two operands. Default: those that NumPy has, without corners.
        Repairs may use +, /, sin and squares besides.

    Returns
    -------
    SearchStrategy of SmoothFunction
        A :class:`~diffcompare.SymbolicFunction` with ``.box``.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(smooth_functions(variables=["x"], max_operations=3))
    ... def test(f):
    ...     low, high = f.box[0]
    ...     assert abs(f(low)) <= 1e100
    >>> test()
    """
    names = check_names(variables)
    if not names:
        raise ValueError("variables=[]: pass at least one name")
    if max_operations < 1:
        raise ValueError(f"max_operations={max_operations!r}: pass 1 or more")
    chosen = DEFAULT_OPERATIONS if operations is None else tuple(operations)
    for name in chosen:
        if name not in _DIFFERENTIABLE:
            raise ValueError(f"operations: {name!r} is not known; choose from {', '.join(_DIFFERENTIABLE)}")
    if not chosen:
        raise ValueError("operations=[]: pass at least one name")
    return _smooth_functions(names, int(max_operations), chosen)


@lru_cache(maxsize=256)
def _smooth_functions(
    variables: tuple[str, ...], limit: int, operations: tuple[str, ...]
) -> st.SearchStrategy[SmoothFunction]:
    return st.builds(
        lambda sides, instructions: build(variables, tuple(sides), instructions, limit),
        st.tuples(*[_SIDES] * len(variables)),
        # long ones more often than Hypothesis has them, which prefers about half of the limit
        st.one_of(
            st.lists(_instructions(operations, len(variables)), min_size=1, max_size=limit),
            st.lists(_instructions(operations, len(variables)), min_size=(limit + 1) // 2, max_size=limit),
        ),
    )


# --- points ------------------------------------------------------------------------------------------------------

_FRACTIONS = st.one_of(
    st.sampled_from([0.5, 0.0, 1.0]),
    st.integers(0, 64).map(lambda k: k / 64),
    st.floats(0.0, 1.0),
)


def _inside(low: float, high: float, fraction: float, number: float, kind: int) -> float:
    """Return a number of [low, high]: the number itself where it lies inside, else one as awkward near the fraction."""
    x = min(max(low + fraction * (high - low), low), high)
    if kind == 0:
        return x
    if low <= number <= high:
        return number
    if kind == 1:
        # a power of two, or one of its neighbours
        _, exponent = math.frexp(x)
        power = math.copysign(2.0 ** (exponent - 1), x) if x else 0.0
        awkward = power if fraction < 0.3 else math.nextafter(power, -math.inf if fraction < 0.6 else math.inf)
    elif kind == 2:
        awkward = float(round(x))
    else:
        # next to the edges of the box
        awkward = math.nextafter(low, high) if fraction < 0.5 else math.nextafter(high, low)
    return awkward if low <= awkward <= high else x


def points(function: SymbolicFunction, box: Sequence[tuple[float, float]] | None = None) -> st.SearchStrategy[Point]:
    """Draw points at which a function is proven smooth, awkward ones among them.

    Powers of two and their neighbours, integers, ±0, subnormal and huge numbers, the edges of the box; without a box,
    anywhere in the domain and next to its edge.

    Parameters
    ----------
    function : SymbolicFunction
    box : sequence of (float, float), optional
        Default: ``function.box``, where the function has one, else all floats. Points of another box at which
        nothing is proven are rejected.

    Returns
    -------
    SearchStrategy of tuple of float
        One coordinate per variable.

    Examples
    --------
    >>> from hypothesis import given
    >>> import diffcompare as dc
    >>> f = dc.parse("log(x)")
    >>> @given(points(f))
    ... def test(point):
    ...     assert point[0] > 0
    >>> test()
    """
    count = len(function.variables)
    if box is None and isinstance(function, SmoothFunction):
        return _points_of_a_box(function.box)
    program = function.program
    if box is not None:
        sides = check_box(box, count)
        middle = tuple(low / 2 + high / 2 for low, high in sides)

        def proven(point: Point) -> Point:
            for candidate in (point, middle):
                if is_smooth(program, [(x, x) for x in candidate]):
                    return candidate
            assume(False)
            return point

        return _points_of_a_box(sides).map(proven)

    def moved(point: Point, edge: bool) -> Point:
        outside: Point | None = None
        for variant in _VARIANTS:
            candidate = tuple(map(variant, point))
            if is_smooth(program, [(x, x) for x in candidate]):
                return _next_to_the_edge(function, candidate, outside) if edge and outside else candidate
            outside = outside or candidate
        assume(False)
        return point

    return st.builds(moved, st.tuples(*[_NUMBERS] * count), st.booleans())


# what brings a number into the domains that there are: a half-line, [−1, 1], from 1 on
_VARIANTS: tuple[Callable[[float], float], ...] = (
    lambda x: x,
    abs,
    lambda x: math.frexp(x)[0],
    lambda x: 1.0 + abs(math.frexp(x)[0]),
    lambda x: 2.0 + abs(math.frexp(x)[0]),
    lambda x: -1.0 - abs(math.frexp(x)[0]),
    lambda x: math.copysign(0.5, x),
)


def _next_to_the_edge(function: SymbolicFunction, inside: Point, outside: Point) -> Point:
    """Halve the way to a point where nothing is proven, until the two are neighbours or 64 times."""
    for _ in range(64):
        middle = tuple(a / 2 + b / 2 for a, b in zip(inside, outside, strict=True))
        if middle in (inside, outside):
            break
        if is_smooth(function.program, [(x, x) for x in middle]):
            inside = middle
        else:
            outside = middle
    return inside


@lru_cache(maxsize=64)
def _points_of_a_box(box: Box) -> st.SearchStrategy[Point]:
    return _PLACES[len(box)].map(lambda places: _placed(box, places))


_PLACE = st.tuples(_FRACTIONS, _NUMBERS, st.integers(0, 3))


class _ByLength(dict[int, "st.SearchStrategy[tuple[tuple[float, float, int], ...]]"]):
    def __missing__(self, count: int) -> st.SearchStrategy[tuple[tuple[float, float, int], ...]]:
        strategy = self[count] = st.tuples(*[_PLACE] * count)
        return strategy


_PLACES = _ByLength()


def _placed(box: Box, places: Sequence[tuple[float, float, int]]) -> Point:
    return tuple(_inside(low, high, *place) for (low, high), place in zip(box, places, strict=True))


# --- steps and comparisons ---------------------------------------------------------------------------------------

_DECADES = st.integers(1, 16).map(lambda k: float(f"1e-{k}"))
_BINADES = st.integers(1, 53).map(lambda k: 2.0**-k)
_STEPS = st.one_of(_DECADES, _BINADES, st.floats(1e-16, 0.1))


def steps(scheme: str | None = None) -> st.SearchStrategy[float]:
    """Draw step sizes h for finite differences: decades, powers of two, and any from 1e-16 to 0.1.

    Parameters
    ----------
    scheme : str, optional
        The scheme that they are for: of a higher order, larger ones are drawn more often. Default: any.

    Returns
    -------
    SearchStrategy of float
        Positive; the simplest is 0.1.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(steps("central"))
    ... def test(h):
    ...     assert 0 < h <= 0.5
    >>> test()
    """
    return _STEPS if scheme is None else _steps_of_order(stencil(scheme).order)


@lru_cache(maxsize=16)
def _steps_of_order(order: int) -> st.SearchStrategy[float]:
    # from 0.1 to well below the best step, which is about u^(1/(p+1))
    return st.one_of(st.integers(1, min(16, 2 + 32 // (order + 1))).map(lambda k: float(f"1e-{k}")), _STEPS)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a test of a differentiator needs.

    Parameters
    ----------
    function : SmoothFunction
    point : tuple of float
        In the box of the function.
    scheme : str
        The name of a finite-difference scheme.
    h : float
        A step size; along every axis, x and the abscissae lie in the box.
    """

    function: SmoothFunction
    point: Point
    scheme: str
    h: float


def comparisons(
    *,
    variables: Sequence[str] = ("x", "y"),
    max_operations: int = 8,
    operations: Sequence[str] | None = None,
    schemes: Sequence[str] = DEFAULT_SCHEMES,
) -> st.SearchStrategy[Comparison]:
    """Draw a smooth function, a point of its box, a scheme, and a step that stays inside.

    Parameters
    ----------
    variables, max_operations, operations
        See :func:`smooth_functions`.
    schemes : sequence of str
        Default: forward, backward and central.

    Returns
    -------
    SearchStrategy of Comparison
        With ``.function``, ``.point``, ``.scheme`` and ``.h``.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(comparisons(variables=["x"]))
    ... def test(case):
    ...     (low, high), (x,) = case.function.box[0], case.point
    ...     assert low <= x <= high and case.h > 0
    >>> test()
    """
    functions = smooth_functions(variables=variables, max_operations=max_operations, operations=operations)
    names = tuple(stencil(scheme).name for scheme in schemes)
    if not names:
        raise ValueError(f"schemes=[]: choose from {SCHEME_FORMS}")
    return _comparisons(functions, len(check_names(variables)), names)


@lru_cache(maxsize=256)
def _comparisons(
    functions: st.SearchStrategy[SmoothFunction], count: int, schemes: tuple[str, ...]
) -> st.SearchStrategy[Comparison]:
    with_steps = st.one_of([st.tuples(st.just(scheme), steps(scheme)) for scheme in schemes])
    return st.builds(_compared, functions, _PLACES[count], with_steps)


def _compared(
    function: SmoothFunction, places: Sequence[tuple[float, float, int]], chosen: tuple[str, float]
) -> Comparison:
    scheme, h = chosen
    rule = stencil(scheme)
    below, above = _reach(rule)
    coordinates = []
    for (low, high), x in zip(function.box, _placed(function.box, places), strict=True):
        # at least an eighth of the side is left where the stencil goes
        side = high - low
        kept = min(max(x, low + (side / 8 if below else 0.0)), high - (side / 8 if above else 0.0))
        room = min((kept - low) / below if below else math.inf, (high - kept) / above if above else math.inf)
        if 2 * h > room:
            h = float(f"1e{Decimal(room / 2).adjusted()}")
        coordinates.append(kept)
    return Comparison(function, tuple(coordinates), scheme, h)


def _reach(rule: Stencil) -> tuple[float, float]:
    """Return how far a stencil goes below and above x, in steps."""
    low, high = rule.reach
    return float(-low), float(high)
