"""Truncation, abscissa and evaluation error at small steps, from Taylor polynomials, of many rows at once.

With F(x + t) = Σ c_n·t^n + R(t), v_j = o_j·h, u_j = a_j − x and δ_j = u_j − v_j, in the notation of
:mod:`diffcompare.sweeps.split`:

    T = Σ_{n>q} (Σ_j c_j·o_j^n)·c_n·h^(n−q)
    A = Σ w_j·δ_j·(G(v_j) + δ_j·C(v_j) + δ_j²·…)/k,   G = F′, C = F″/2
    E = Σ w_j·(f̂(a_j) − c_0 − u_j·P(u_j))/k,          P(t) = (F(x + t) − c_0)/t

All polynomials run by Horner's rule in arithmetic of two floats, their last terms, which count less than a rounding of
the first, in floats. What the rules lose is bounded by Σ γ_n·|c_n|·|t|^n (N. J. Higham, Accuracy and Stability of
Numerical Algorithms, 2nd ed. (2002), section 5.1), the remainders by that of the expansion. A part is taken only
where every number within the doubt rounds to the same float (A. Ziv, ACM TOMS 17 (1991)): it is the correctly rounded
one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from diffcompare.arithmetic.double_double import (
    ROUNDOFF,
    Pair,
    add,
    divide,
    multiply,
    negative,
    rounded,
    two_product,
    two_sum,
)
from diffcompare.floats import Flags, Floats, Index
from diffcompare.numeric.stencils import Stencil
from diffcompare.program.degree import polynomial_degree
from diffcompare.sweeps.expansions import DEGREE, Expansions
from diffcompare.sweeps.subject import Evaluations, Grid

__all__ = ["Enclosed", "evaluation_parts", "series_parts"]

# coefficients that are added in pairs of floats; the others in floats
_EXACT_TERMS = 11
# numbers of an array that are worked on at once: they stay in the cache
_BLOCK = 1 << 14
# what underflow may lose of numbers up to 1 in all of it
_ETA = 2.0**-1000
# results beyond cannot be scaled without loss
_LARGEST, _LEAST = 2.0**900, 2.0**-900
# an estimate of doubt in floats, rounded upwards
_UP = 1 + 2.0**-40

# an array of block × steps, or block × polynomials × steps, and a bound on its error
Enclosed = tuple[Pair, Floats]


def series_parts(grid: Grid, evaluations: Evaluations, expansions: Expansions, rows: Flags) -> dict[str, Floats]:
    """Return the parts of the chosen rows that the expansions decide, nan elsewhere."""
    parts = [np.full(grid.shape, np.nan) for _ in range(3)]
    schemes = [s for s, stencil in enumerate(grid.stencils) if _is_usable(stencil)]
    offsets = sorted({offset for s in schemes for offset in grid.stencils[s].offsets} - {Fraction(0)})
    chosen = expansions.found & rows[:, :, schemes].any(axis=(2, 3))
    degrees = [polynomial_degree(grid.f.program, direction) for direction in grid.directions]
    points, variables = np.nonzero(chosen)
    size = max(1, _BLOCK // max(1, (2 * len(offsets) + len(schemes)) * len(grid.steps)))
    with np.errstate(all="ignore"):
        for start in range(0, len(points), size):
            p, v = points[start : start + size], variables[start : start + size]
            block = _block(grid, evaluations, expansions, p, v, schemes, offsets, degrees)
            for s, found in zip(schemes, block, strict=True):
                for part, values in zip(parts, found, strict=True):
                    part[p, v, s] = values
    names = ("truncation", "abscissa", "evaluation")
    return {name: np.where(rows, part, np.nan) for name, part in zip(names, parts, strict=True)}


def evaluation_parts(grid: Grid, evaluations: Evaluations, errors: Mapping[Fraction, Enclosed], rows: Flags) -> Floats:
    """Return the evaluation errors of the chosen rows, nan elsewhere and where they are not decided.

    ``errors`` are f̂ − F at the abscissae, by offset, points × variables × steps (or × 1).
    """
    part = np.full(grid.shape, np.nan)
    h = grid.steps
    with np.errstate(all="ignore"):
        for s, stencil in enumerate(grid.stencils):
            if rows[:, :, s].any() and _is_usable(stencil):
                found = _decided(_quotient(stencil, errors, _width(stencil, (h, 0.0 * h))), np.ones(1))
                alike = _alike(stencil, evaluations.values) & evaluations.collapsed[:, :, s]
                part[:, :, s] = np.where(alike, 0.0, found)
    return np.where(rows, part, np.nan)


def _alike(stencil: Stencil, values: Mapping[Fraction, Floats]) -> Flags:
    """Tell where f̂ is the same at all abscissae: together it has the weight 0."""
    first, *others = (values[o] for o in stencil.offsets)
    return np.asarray(np.logical_and.reduce([other == first for other in others]))


def _is_usable(stencil: Stencil) -> bool:
    """Tell whether offsets and weights are floats, and the error starts with a term of the polynomial."""
    exact = all(float(number) == number for number in (*stencil.offsets, *stencil.factors))
    return exact and stencil.order + stencil.derivative < DEGREE - 1


@dataclass(frozen=True, slots=True)
class _Node:
    """The abscissae of one offset, block × steps, from the point on in units of ρ."""

    nominal: Pair  # v
    reached: Pair  # u
    gap: Pair  # δ
    inside: Flags  # the expansion holds at both, and all this is exact
    values: Floats  # f̂, in the unit of f


def _block(
    grid: Grid,
    evaluations: Evaluations,
    expansions: Expansions,
    p: Index,
    v: Index,
    schemes: Sequence[int],
    offsets: Sequence[Fraction],
    degrees: Sequence[int | None],
) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Give the three parts of each scheme at some points and variables, nan where they are not decided."""
    radius, unit = expansions.radius[p, v, None], expansions.unit[p, v, None]
    taylor = _Taylor(expansions, p, v)
    h = grid.steps / radius
    step = (h, np.zeros_like(h))
    computed = {o: evaluations.values[o][p, v] for o in (Fraction(0), *offsets)}
    values = {o: array / unit for o, array in computed.items()}
    nodes = {o: _node(grid, evaluations, p, v, o, radius, values[o]) for o in offsets}
    stencils = [grid.stencils[s] for s in schemes]
    chord, slope = taylor.chord(), taylor.slope()
    found = _horner(
        [
            *((chord, node.reached) for node in nodes.values()),
            *((slope, node.nominal) for node in nodes.values()),
            *((taylor.truncation(stencil), step) for stencil in stencils),
        ]
    )
    errors = {o: taylor.evaluation_error(node, *here) for (o, node), here in zip(nodes.items(), found, strict=False)}
    errors[Fraction(0)] = taylor.error_at_the_point(values[Fraction(0)])
    gaps = {
        o: taylor.abscissa_error(node, *here)
        for (o, node), here in zip(nodes.items(), found[len(nodes) :], strict=False)
    }
    out = unit / radius**grid.derivative
    for s, stencil, series in zip(schemes, stencils, found[2 * len(nodes) :], strict=True):
        moved = [o for o in stencil.offsets if o]
        width = _width(stencil, step)
        truncation = _decided(_leading(step, stencil.order, *series), out)
        abscissa = _decided(_quotient(stencil, gaps, width), out)
        evaluation = _decided(_quotient(stencil, errors, width), out)
        flat = [degree is not None and degree < stencil.order + stencil.derivative for degree in degrees]
        truncation[np.array(flat)[v]] = 0.0
        abscissa[np.logical_and.reduce([nodes[o].gap[0] == 0 for o in moved])] = 0.0
        evaluation[_alike(stencil, values) & evaluations.collapsed[p, v, s]] = 0.0
        inside = np.logical_and.reduce([nodes[o].inside for o in moved])
        for o in stencil.offsets:
            inside = inside & ((computed[o] == 0) | (np.abs(values[o]) > _LEAST))
        for part in (truncation, abscissa, evaluation):
            part[~inside] = np.nan
        yield truncation, abscissa, evaluation


def _node(
    grid: Grid, evaluations: Evaluations, p: Index, v: Index, offset: Fraction, radius: Floats, values: Floats
) -> _Node:
    x = grid.points[p, np.array(grid.directions)[v]][:, None]
    reached = evaluations.abscissae[offset][p, v]
    nominal = two_product(float(offset), grid.steps)
    total, lost = two_sum(x, nominal[0])
    nearly, more = two_sum(reached, -total)
    gap = add((nearly, np.zeros_like(nearly)), negative(two_sum(lost, nominal[1])))
    u, v_, delta = ((high / radius, low / radius) for high, low in (two_sum(reached, -x), nominal, gap))
    inside = (more == 0) & (np.abs(u[0]) <= 1) & (np.abs(v_[0]) <= 1)
    inside &= (grid.steps > _LEAST) & (grid.steps / radius > _LEAST) & ((gap[0] == 0) | (np.abs(delta[0]) > _LEAST))
    return _Node((v_[0] + np.zeros_like(u[0]), v_[1] + np.zeros_like(u[0])), u, delta, inside, values)


class _Taylor:
    """The polynomials of a block, and what is made of them: coefficients of block × terms, bounds for one more."""

    def __init__(self, expansions: Expansions, p: Index, v: Index) -> None:
        self.c: Pair = expansions.high[p, v], expansions.low[p, v]
        self.third = expansions.constant[p, v, None]
        self.doubt = np.concatenate([expansions.doubt[p, v], expansions.remainder[p, v, None]], axis=1)

    def chord(self) -> Enclosed:
        """Return P(t) = (F(x + t) − c_0)/t."""
        return (self.c[0][:, 1:], self.c[1][:, 1:]), self.doubt[:, 1:]

    def slope(self) -> Enclosed:
        """Return G = F′, whose remainder is that of the polynomial of F′."""
        n = np.arange(1.0, DEGREE + 2)
        (high, low), doubt = self.chord()
        found = multiply((high, low), (n[:-1], 0.0 * n[:-1]))
        doubt = doubt * n
        doubt[:, :-1] += np.abs(found[0]) * ROUNDOFF
        return found, doubt

    def truncation(self, stencil: Stencil) -> Enclosed:
        """Return T/h^p."""
        first = stencil.derivative + stencil.order
        terms = [stencil.error_coefficient(n - stencil.derivative) for n in range(first, DEGREE + 1)]
        high = np.array([float(term) for term in terms])
        low = np.array([float(term - Fraction(near)) for term, near in zip(terms, high.tolist(), strict=True)])
        found = multiply((self.c[0][:, first:], self.c[1][:, first:]), (high, low))
        bounds = [*np.abs(high), float(stencil.remainder_coefficient(DEGREE + 1))]
        doubt = self.doubt[:, first:] * bounds * _UP
        doubt[:, :-1] += np.abs(found[0]) * (2 * ROUNDOFF)
        return found, doubt

    def evaluation_error(self, node: _Node, chord: Pair, doubt: Floats) -> Enclosed:
        """Return f̂ − F at the abscissae of a node."""
        rise = multiply(node.reached, chord)
        above = add(two_sum(node.values, -self.c[0][:, :1]), negative(rise))
        (found, lost) = self._less_the_rest(above)
        lost += np.abs(node.reached[0]) * doubt + (np.abs(rise[0]) + np.abs(above[0])) * ROUNDOFF
        return found, lost

    def error_at_the_point(self, values: Floats) -> Enclosed:
        """Return f̂(x) − F(x)."""
        return self._less_the_rest(two_sum(values, -self.c[0][:, :1]))

    def _less_the_rest(self, difference: Pair) -> Enclosed:
        found = add(difference, (-self.c[1][:, :1], -self.third))
        return found, np.abs(found[0]) * ROUNDOFF + self.doubt[:, :1]

    def abscissa_error(self, node: _Node, slope: Pair, doubt: Floats) -> Enclosed:
        """Return F(x + u) − F(x + v) = δ·(F′(x + v) + δ·C(v) + δ²·…)."""
        n = np.arange(DEGREE + 2.0)
        second, third = n * (n - 1) / 2, n * (n - 1) * (n - 2) / 6
        sizes = np.concatenate([np.abs(self.c[0]), self.doubt[:, -1:]], axis=1)
        curved, remainder = (sizes[:, :-1] @ second[:-1])[:, None], sizes[:, -1:] * second[-1]
        curvature = np.zeros_like(slope[0])
        for k in range(DEGREE, 1, -1):
            curvature = curvature * node.nominal[0] + (self.c[0][:, k] * second[k])[:, None]
        delta = np.abs(node.gap[0])
        found = multiply(node.gap, add(slope, (node.gap[0] * curvature, 0.0 * delta)))
        least = (curved + remainder) * 2.0**-45 + remainder + delta * (sizes @ third)[:, None]
        return found, delta * (doubt + delta * least) * _UP + np.abs(found[0]) * (4 * ROUNDOFF)


def _horner(polynomials: Sequence[tuple[Enclosed, Pair]]) -> list[Enclosed]:
    """Evaluate polynomials of no more than DEGREE terms, each at block × steps numbers of at most 1."""
    shape = len(polynomials[0][1][0]), len(polynomials)
    high, low, bound = (np.zeros((*shape, DEGREE + extra)) for extra in (0, 0, 1))
    for i, (((near, rest), doubt), _) in enumerate(polynomials):
        high[:, i, : near.shape[1]], low[:, i, : near.shape[1]] = near, rest
        bound[:, i, : doubt.shape[1]] = doubt
    n = np.arange(DEGREE)
    bound[..., :DEGREE] += np.abs(high) * np.where(n < _EXACT_TERMS, ROUNDOFF, 2.0**-52) * (2 * n + 4)
    z: Pair = tuple(np.stack([argument[part] for _, argument in polynomials], axis=1) for part in (0, 1))  # type: ignore[assignment]
    size, doubts = np.abs(z[0]), np.zeros_like(z[0])
    for k in range(DEGREE, -1, -1):
        doubts = doubts * size + bound[..., k, None]
    total = np.zeros_like(z[0])
    for k in range(DEGREE - 1, _EXACT_TERMS - 1, -1):
        total = total * z[0] + high[..., k, None]
    found: Pair = total, np.zeros_like(total)
    for k in range(_EXACT_TERMS - 1, -1, -1):
        found = add(multiply(found, z), (high[..., k, None], low[..., k, None]))
    doubts = doubts * _UP + _ETA
    return [((found[0][:, i], found[1][:, i]), doubts[:, i]) for i in range(len(polynomials))]


def _leading(step: Pair, order: int, series: Pair, doubt: Floats) -> Enclosed:
    """Return h^p times a series."""
    power = step
    for _ in range(order - 1):
        power = multiply(power, step)
    found = multiply(power, series)
    return found, np.abs(power[0]) * doubt * _UP + np.abs(found[0]) * (2 * order * ROUNDOFF) + _ETA


def _width(stencil: Stencil, step: Pair) -> Pair:
    """Return k = d·h^q."""
    width = multiply((float(stencil.divisor), 0.0), step)
    for _ in range(stencil.derivative - 1):
        width = multiply(width, step)
    return width


def _quotient(stencil: Stencil, terms: Mapping[Fraction, Enclosed], width: Pair) -> Enclosed:
    """Return Σ w_j·term_j/k; an offset without a term adds nothing."""
    total: Pair | None = None
    doubt: Any = _ETA
    nothing: Any = True
    for offset, factor in zip(stencil.offsets, stencil.factors, strict=True):
        if offset not in terms:
            continue
        term, lost = terms[offset]
        nothing = nothing & (term[0] == 0) & (lost == 0)
        w = float(factor)
        product = multiply(term, (w, 0.0))
        total = product if total is None else add(total, product)
        doubt = doubt + abs(w) * lost + (np.abs(product[0]) + np.abs(total[0])) * ROUNDOFF
    assert total is not None  # noqa: S101 (some offset is not 0)
    found = divide(total, width)
    doubt = np.where(nothing, 0.0, doubt)
    return found, doubt / np.abs(width[0]) * _UP + np.abs(found[0]) * ((8 + 2 * stencil.derivative) * ROUNDOFF)


def _decided(number: Enclosed, unit: Floats) -> Floats:
    """Return a number in units of its own as a float, nan where its rounding is not decided."""
    near, unsure = rounded(*number)
    found = near * unit
    plain = (np.abs(near) > _LEAST) & (np.abs(found) > _LEAST) & (np.abs(near) < _LARGEST) & (np.abs(found) < _LARGEST)
    plain |= (near == 0) & (number[1] == 0)
    # an exact 0 has no sign
    return np.where(plain & ~unsure, found + 0.0, np.nan)
