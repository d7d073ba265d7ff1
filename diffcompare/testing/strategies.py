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
from diffcompare.program.operations import FALLBACKS, INFIX, OPERATIONS, Kind, named
from diffcompare.symbolic.function import SymbolicFunction, check_names
from diffcompare.testing.building import Box, Instruction, SmoothFunction, build, check_box
from diffcompare.testing.digits import KINDS, MANY, function_digits, number, place_digits, step_digits
from diffcompare.testing.loading import load_assertions
from diffcompare.testing.snippets import constructor_source, print_constructor

__all__ = [
    "DEFAULT_OPERATIONS",
    "Comparison",
    "comparisons",
    "placed",
    "places",
    "points",
    "smooth_functions",
    "steps",
]

Point = tuple[float, ...]

# outside of the time that Hypothesis gives a test
load_assertions()

# corners are no matter of smooth functions, although away from them these are smooth
_CORNERS = named(Kind.PIECEWISE)


def _is_known_to_numpy(name: str) -> bool:
    return name in FALLBACKS or any(hasattr(np, other) for other in OPERATIONS[name].names)


# rows of the table with one operand or two and partial derivatives
_DIFFERENTIABLE = tuple(
    name
    for name, row in OPERATIONS.items()
    if row.arity in (1, 2) and (row.partials is not None or name == "integer_power") and not row.parameters
)
# their derivatives are no functions of NumPy's
_SPECIAL = named(Kind.SPECIAL)
DEFAULT_OPERATIONS = tuple(
    name for name in _DIFFERENTIABLE if name not in _CORNERS | _SPECIAL and _is_known_to_numpy(name)
)


# --- functions ---------------------------------------------------------------------------------------------------


def _side(kind: int, place: int, k: int) -> tuple[float, float]:
    """Return a wide or narrow range, in units of the centre or of 1."""
    centre = number(kind % 5, place)
    absolute = k % 2 == 1
    # never so narrow that it holds only a few floats
    relative = min(abs(centre), 2.0**300) * 2.0**-24
    radius = 2.0 ** -(1 + k // 2) * (1.0 if absolute or not centre else min(abs(centre), 2.0**300))
    return centre - max(radius, relative), centre + max(radius, relative)


# what is drawn for each variable, and how much of it there is
_SIDE = (7, MANY, 2 * 24)
_CONSTANTS = ("2", "3", "0.5", "0.1", "10", "7/3", "1.7", "-1.3", "1e-7", "1024")
_EXPONENTS = (2, 3, -1, -2, 4, 5, -3)
# near 0, and where functions bend, grow, saturate or overflow; the building tries −a and 1/a where a is outside
_SIZES = (
    *(1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0, 200.0, 700.0),
    *(0.5, 0.9, 2.5, 3.5, 6.0, 8.0, 12.0, 0.1, 0.01, 5e-4, 2e-4, 1e-4, 1e-5, 1e-6, 1e-8, 1e-12, 1e6),
)
_AIMS: tuple[float | None, ...] = (*[None] * 8, *_SIZES, *(-size for size in _SIZES))

# operation and what its second operand is: nothing, another value, a constant, an exponent
_Form = tuple[str, str]
_SKIPPED: _Form = ("", "")


@lru_cache(maxsize=256)
def _forms(operations: tuple[str, ...]) -> tuple[_Form, ...]:
    """Return operations in proportion to how often they are drawn; every one of one operand equally often."""
    unary = [name for name in operations if OPERATIONS[name].arity == 1 and name != "integer_power"]
    binary = [name for name in operations if OPERATIONS[name].arity == 2]
    found = [_SKIPPED] * 3
    for names, form, share in (
        (unary, "alone", 70),
        ([name for name in binary for _ in range(3 if name in INFIX else 1)], "value", 20),
        (binary, "constant", 10),
        (["integer_power"] if "integer_power" in operations else [], "exponent", 3),
    ):
        if names:
            found += [(name, form) for name in names] * max(1, round(share / len(names)))
    return tuple(found)


# what is drawn for each instruction, besides the form
_OPERANDS = 12


def _instruction(forms: Sequence[_Form], count: int, which: int, operand: int, extra: int) -> Instruction | None:
    operation, form = forms[which]
    if not operation:
        return None
    if form == "alone":
        return Instruction(operation, operand % (count + 1), aim=_AIMS[extra])
    if form == "exponent":
        return Instruction(operation, payload=_EXPONENTS[extra % len(_EXPONENTS)])
    exchanged = operand % 2 == 1
    if form == "value":
        return Instruction(operation, operand // 2, exchanged=exchanged, aim=_AIMS[extra] if extra % 2 else None)
    constant = _CONSTANTS[extra % len(_CONSTANTS)]
    if operation == "power" and not exchanged and "." not in constant:
        # a whole exponent is an operation of its own
        constant = "0.5"
    return Instruction(operation, 0, constant, exchanged)


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
    forms, count = _forms(operations), len(variables)
    # most functions are as long as possible
    sizes = [4 * limit, *_SIDE * count, *(len(forms), _OPERANDS, len(_AIMS)) * limit]

    def built(drawn: Sequence[int]) -> SmoothFunction:
        room, sides, rest = drawn[0], drawn[1 : 1 + 3 * count], drawn[1 + 3 * count :]
        box = tuple(_side(*sides[i : i + 3]) for i in range(0, len(sides), 3))
        instructions = [_instruction(forms, count, *rest[i : i + 3]) for i in range(0, len(rest), 3)]
        return build(variables, box, [one for one in instructions if one is not None], min(1 + room, limit))

    return function_digits(*sizes).map(built)


# --- points ------------------------------------------------------------------------------------------------------


def _fraction(k: int) -> float:
    """Return a number of [0, 1], often an end."""
    rest = k // 4
    return (0.5, 0.0, 1.0)[rest % 3] if k % 4 == 0 else rest % 65 / 64 if k % 4 == 1 else rest / (2**14 - 1)


def _inside(low: float, high: float, fraction: float, wanted: float, kind: int) -> float:
    """Return a number of [low, high]: the wanted one where it lies inside, else one as awkward near the fraction."""
    x = min(max(low + fraction * (high - low), low), high)
    if kind == 0:
        return x
    if low <= wanted <= high:
        return wanted
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

    def scattered(drawn: Sequence[int]) -> Point:
        edge, *rest = drawn
        return moved(tuple(number(*rest[i : i + 2]) for i in range(0, len(rest), 2)), edge == 1)

    sizes = [2, *(KINDS, MANY) * count]
    return place_digits(*sizes).map(scattered)


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
    return places(len(box)).map(lambda drawn: placed(box, drawn))


# what is drawn for each coordinate: a fraction of the side, a number and its kind, the way from one to the other
_PLACE = (2**16, KINDS, MANY, 4)


def places(count: int) -> st.SearchStrategy[list[int]]:
    """Draw what :func:`placed` makes a point of."""
    return place_digits(*_PLACE * count)


def placed(box: Box, drawn: Sequence[int]) -> Point:
    """Return a point of a box, often an awkward one."""
    return tuple(
        _inside(low, high, _fraction(fraction), number(kind, k), way)
        for (low, high), (fraction, kind, k, way) in zip(
            box, (drawn[i : i + 4] for i in range(0, len(drawn), 4)), strict=True
        )
    )


# --- steps and comparisons ---------------------------------------------------------------------------------------


def _step(order: int, kind: int, k: int) -> float:
    """Return a step size for a scheme of an order: from 0.1 to well below the best one, about u^(1/(p+1)), or any."""
    match kind:
        case 0:
            return float(f"1e-{1 + k % min(16, 2 + 32 // (order + 1))}")
        case 1:
            return float(f"1e-{1 + k % 16}")
        case 2:
            # the larger ones more often
            return 2.0 ** -(1 + min(k % 53, k // 53 % 53))
        case _:
            return float(f"{10.0 ** (-1 - 15 * k / MANY):.6g}")


_STEP = (4, MANY)


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
    return _steps_of_order(0 if scheme is None else stencil(scheme).order)


@lru_cache(maxsize=16)
def _steps_of_order(order: int) -> st.SearchStrategy[float]:
    return step_digits(*_STEP).map(lambda drawn: _step(order, *drawn))


@dataclass(frozen=True, slots=True, repr=False)
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

    __repr__ = constructor_source
    _repr_pretty_ = print_constructor


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
    rules = {scheme: stencil(scheme) for scheme in schemes}
    chosen = step_digits(*_STEP, len(schemes))

    # not from st.builds: Hypothesis varies each part of that by itself, hundreds of times, and shows the parts alone
    @st.composite
    def compared(draw: st.DrawFn) -> Comparison:
        function, place, (kind, k, which) = draw(functions), draw(places(count)), draw(chosen)
        scheme = schemes[which]
        h = _step(rules[scheme].order, kind, k)
        return _compared(function, placed(function.box, place), scheme, rules[scheme], h)

    return compared()


def _compared(function: SmoothFunction, point: Point, scheme: str, rule: Stencil, h: float) -> Comparison:
    below, above = _reach(rule)
    coordinates = []
    for (low, high), x in zip(function.box, point, strict=True):
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
