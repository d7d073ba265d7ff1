"""Mistakes in a gradient that are told from the program: a term, a chain factor, a difference quotient.

D is a sum over the paths from F to a variable, linear in the local partial of every edge, and no path meets an edge
twice. So a local partial p that is taken for q changes D by exactly ∂F/∂node · (q − p) · ∂operand/∂x.

References
----------
Griewank, Walther, Evaluating Derivatives, 2nd ed. (2008), section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import Ball, ball_function, precision
from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.arithmetic.running_error import point_rounding_bound
from diffcompare.compare.mistakes import Cause, Facts, U
from diffcompare.errors import DiffcompareError
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Builder, Node, Program, Term
from diffcompare.program.operations import COMPARISONS, partial_terms
from diffcompare.program.printing import formula

__all__ = [
    "Lines",
    "additions",
    "coarse_point",
    "finite_difference",
    "linearise",
    "other_function",
    "stray_factors",
    "wrong_parts",
]

Wide = NDArray[np.longdouble]
Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]

_BITS = 160
_ENOUGH = 64
# uses × components of the search through a program; beyond it some components stand for all
_LARGE = 200_000
_SAMPLE = 16


@dataclass(frozen=True, slots=True)
class Lines:
    """A program taken apart at a point: every use of a node (an edge) and what it contributes to the gradient."""

    facts: Facts
    program: Program
    output: int
    values: Wide  # of the nodes; nan for conditions
    nodes: Indices  # of each edge, and which operand it uses
    operands: Indices
    partials: Indices  # the node of ``program`` that is the local partial, and its value
    slopes: Wide
    bars: Wide  # ∂F/∂node
    tangents: Wide  # ∂node/∂x, one column per component looked at
    columns: Indices
    shapes: Indices  # equal for nodes that are the same formula of other numbers and variables

    def fits(self, predicted: NDArray[Any], everywhere: bool) -> Mask:
        """Tell which rows of predicted errors equal the error, everywhere or in the wrong components."""
        facts, columns = self.facts, self.columns
        chosen = np.ones(len(columns), dtype=bool) if everywhere else facts.wrong[columns]
        with np.errstate(all="ignore"):
            close = np.abs(predicted[:, chosen] - facts.e[columns[chosen]]) <= facts.slack[columns[chosen]]
        found: Mask = np.all(close, axis=1)
        return found

    def through(self) -> Wide:
        """What each edge would contribute if its local partial were 1: edges × components."""
        product: Wide = self.bars[self.nodes][:, None] * self.tangents[self.operands]
        return product

    def text(self, index: int) -> str:
        """Write the formula of a node."""
        return formula(self.program, int(index), limit=60, exact=False)

    def product(self, factors: Sequence[int]) -> str:
        """Write the product of one or two nodes."""
        return "*".join(self.text(index) for index in factors)


def linearise(program: Program, point: Sequence[float], facts: Facts) -> Lines | None:
    """Evaluate all nodes and local partials in balls, then sweep forwards and backwards."""
    build = Builder(program.variables, start=program)
    output, size = program.outputs[0], len(program.nodes)
    needed, edges = {output}, []
    try:
        for k in range(output, -1, -1):
            node = program.nodes[k]
            if k not in needed or not node.operands or node.operation in COMPARISONS:
                continue
            if node.operation == "select":
                one, zero = build.constant(1), build.constant(0)
                uses = [
                    (i, build.apply("select", node.operands[0], *v))
                    for i, v in zip(node.operands[1:], ((one, zero), (zero, one)), strict=True)
                ]
            else:
                terms = [Term(build, i) for i in node.operands]
                local = partial_terms(node.operation, node.payload, Term(build, k), terms)
                uses = [(i, partial.index) for i, partial in _merged(node, local)]
            needed.update(i for i, _ in uses)
            edges += [(k, i, p) for i, p in uses]
        whole = Program(program.variables, tuple(build.nodes), (*range(size), *(p for _, _, p in edges)))
        for bits in (_BITS, 4 * _BITS):
            with precision(bits):
                balls = ball_function(whole)(*(Ball(x) for x in point))
                found = np.array([_wide(v) for v in balls], dtype=np.longdouble)
            # some functions of FLINT's lose many digits: K₀ at 40 has 45 bits left of 160
            if all(not v.is_finite() or v.rel_accuracy_bits() >= _ENOUGH for v in balls[size:]):
                break
    except (ArithmeticError, KeyError, DiffcompareError):
        return None
    values, slopes = found[:size], np.where(np.isfinite(found[size:]), found[size:], 0)
    columns = np.arange(len(point))
    if len(edges) * len(point) > _LARGE:
        columns = np.unique(np.r_[np.argsort(~facts.wrong, kind="stable")[:_SAMPLE], np.arange(_SAMPLE)])
    bars, tangents = np.zeros(size, np.longdouble), np.zeros((size, len(columns)), np.longdouble)
    bars[output] = 1
    for k, node in enumerate(program.nodes):
        if node.operation == "variable":
            tangents[k] = columns == node.payload
    with np.errstate(all="ignore"):
        for (k, j, _), p in zip(edges, slopes, strict=True):
            bars[j] += bars[k] * p
        for (k, j, _), p in zip(reversed(edges), slopes[::-1], strict=True):
            tangents[k] += p * tangents[j]
    if not edges:
        return None
    users, used, partials = (np.array(column, dtype=np.intp) for column in zip(*edges, strict=True))
    return Lines(facts, whole, output, values, users, used, partials, slopes, bars, tangents, columns, _shapes(program))


def _merged(node: Node, partials: Sequence[Term]) -> Iterator[tuple[int, Term]]:
    """Pair operands with partials; both factors of x·x are one use, with the partial 2x."""
    half = len(partials) // 2
    square = node.operation in ("multiply", "dot")
    for k, (i, partial) in enumerate(zip(node.operands, partials, strict=True)):
        if not square or node.operands[(k + half) % (2 * half)] != i:
            yield i, partial
        elif k < half:
            yield i, 2 * partial


def _shapes(program: Program) -> Indices:
    """Number the formulas of the nodes, leaves being all alike: rows of data and components go the same way."""
    numbers: dict[tuple[object, ...], int] = {}
    shapes: list[int] = []
    for node in program.nodes:
        power = node.payload if node.operands else None
        key = (node.operation, power, *(shapes[i] for i in node.operands))
        shapes.append(numbers.setdefault(key, len(numbers)))
    return np.array(shapes, dtype=np.intp)


def _grouped(rows: Wide, keys: Indices) -> tuple[Wide, Indices, Indices]:
    """Add up the rows that share a key: the sums, one member of each, and how many there are (two at least)."""
    _, first, inverse, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    sums = np.zeros((len(first), rows.shape[1]), np.longdouble)
    np.add.at(sums, inverse, rows)
    several = counts > 1
    return sums[several], first[several], counts[several]


def _wide(value: Any) -> np.longdouble:
    if not isinstance(value, Ball) or not value.is_finite():
        return np.longdouble("nan")
    high = float(value.mid())
    return np.longdouble(high) + np.longdouble(float((value - high).mid()) if math.isfinite(high) else 0.0)


_SUMS = {"add", "subtract", "sum"}


def other_function(lines: Lines) -> Iterator[Cause]:
    """The gradient of something else that is made of F."""
    facts, F = lines.facts, lines.values[lines.output]
    with np.errstate(all="ignore"):
        others = {
            "the logarithm of the function": 1 / F,
            "minus the logarithm of the function": -1 / F,
            "the square of the function": 2 * F,
            "half the square of the function": F,
            "the reciprocal of the function": -1 / F**2,
            "the square root of the function": 1 / (2 * np.sqrt(abs(F))),
            "the exponential of the function": np.exp(F),
        }
        norm = np.sqrt(np.sum(facts.D.astype(np.longdouble) ** 2))
        for name, ratio in others.items():
            if facts.fits((ratio - 1) * facts.D) and facts.certain(len(others)):
                yield facts.cause("other function", f"the claim is the gradient of {name}")
        if len(facts.g) > 1 and norm > 0 and facts.fits((1 / norm - 1) * facts.D) and facts.certain(4):
            yield facts.cause(
                "clipped", "the claim is clipped to the norm 1, or normalised: it is D divided by its norm"
            )


def _terms(lines: Lines) -> tuple[list[tuple[int, ...]], Wide, Mask, tuple[Indices, Indices]]:
    """Every addend of every sum: its factors, its part of the gradient, whether the sum is outermost, its shapes."""
    flow = lines.slopes[:, None] * lines.through()
    factors: list[tuple[int, ...]] = []
    rows: list[Wide] = []
    top: list[bool] = []
    keys: list[tuple[int, int]] = []
    outer = {lines.output}
    place: dict[int, list[int]] = {}
    for edge, k in enumerate(lines.nodes):
        place.setdefault(int(k), []).append(edge)
    groups: list[tuple[tuple[int, ...], Wide, int]]
    for k, own in sorted(place.items(), reverse=True):
        operation = lines.program.nodes[k].operation
        if operation in _SUMS:
            groups = [((int(lines.operands[i]),), flow[i], int(lines.operands[i])) for i in own]
        elif operation == "dot":
            operands = lines.program.nodes[k].operands
            half = len(operands) // 2
            groups = [
                (
                    (a, b),
                    lines.bars[k] * (lines.values[b] * lines.tangents[a] + lines.values[a] * lines.tangents[b]),
                    -1,
                )
                for a, b in zip(operands[:half], operands[half:], strict=True)
            ]
        else:
            continue
        for factor, row, operand in groups:
            factors.append(factor)
            rows.append(row)
            top.append(k in outer)
            shape = int(lines.shapes[operand]) if operand >= 0 else -1 - len(keys)
            keys.append((shape, shape * len(lines.values) + int(lines.shapes[k])))
            if k in outer and operand >= 0:
                outer.add(operand)
    width = len(lines.columns)
    flat = np.array(rows, dtype=np.longdouble).reshape(-1, width)
    shapes, places = np.array(keys, dtype=np.intp).reshape(-1, 2).T
    return factors, flat, np.array(top, dtype=bool), (shapes, places)


def wrong_parts(lines: Lines, *, everywhere: bool = True, together: bool = False) -> Iterator[Cause]:
    """One addend or local partial that is not what it should be, or (together) all that are the same formula."""
    facts = lines.facts
    if not everywhere and (facts.wrong | (facts.D == 0)).all():
        return
    through, p = lines.through(), lines.slopes
    if not facts.certain(20 * len(p)):
        return
    place = "" if everywhere else facts.where()
    factors, terms, _, keys = _terms(lines)
    uses = lines.shapes[lines.nodes] * len(lines.values) + lines.shapes[lines.operands]
    numbers = {"2": 2.0, "3": 3.0, "4": 4.0, "pi": math.pi} | ({"n": float(len(facts.g))} if len(facts.g) > 1 else {})

    def addend(ratio: float, kind: str, words: str) -> Iterator[Cause]:
        if together:
            for key in keys:
                sums, first, counts = _grouped((ratio - 1) * terms, key)
                for g in np.flatnonzero(lines.fits(sums, everywhere)):
                    yield facts.cause(
                        kind, words.format(lines.product(factors[first[g]])) + _also(int(counts[g]), "terms") + place
                    )
            return
        for i in np.flatnonzero(lines.fits((ratio - 1) * terms, everywhere)):
            yield facts.cause(kind, words.format(lines.product(factors[i])) + place)

    def change(partial: Wide, kind: str, words: str, among: Mask | bool = True) -> Iterator[Cause]:
        with np.errstate(all="ignore"):
            usable = np.isfinite(partial) & among
            rows = np.where(usable[:, None], (partial - p)[:, None] * through, 0)
            if together:
                sums, first, counts = _grouped(rows, uses)
                hits = [(int(first[g]), int(counts[g])) for g in np.flatnonzero(lines.fits(sums, everywhere))]
            else:
                hits = [(int(i), 1) for i in np.flatnonzero(lines.fits(rows, everywhere) & usable)]
        for i, count in hits:
            local, value, operand = (lines.text(a[i]) for a in (lines.partials, lines.nodes, lines.operands))
            what, said = kind, words
            constant = lines.program.nodes[lines.partials[i]].operation == "constant"
            if constant and count == 1 and words.endswith("{p} is missing"):
                what, said = "factor", f"the factor {{p}}{_reciprocal(p[i])} is missing"
            also = _also(count, "places") if count > 1 else ""
            yield facts.cause(what, said.format(p=local, y=value, x=operand) + also + place)

    operation = np.array([lines.program.nodes[k].operation for k in lines.nodes])
    leaf = np.array([lines.program.nodes[j].operation == "variable" for j in lines.operands])
    summing = np.isin(operation, [*_SUMS])
    product = np.isin(operation, ["multiply", "divide", "dot", "power", "atan2", "hypot"])
    y, x = lines.values[lines.nodes], lines.values[lines.operands]
    yield from addend(0, "missing term", "the term {} has no contribution")
    with np.errstate(all="ignore"):
        yield from change(np.ones_like(p), "chain factor", "the chain factor {p} is missing", ~summing)
        yield from change(np.sign(p), "chain factor", "the chain factor {p} is missing (but for its sign)", ~summing)
        yield from change(
            0 * p, "missing term", "the product rule's term with the derivative of {x} is missing", product
        )
        yield from change(0 * p, "treated as constant", "{x} is treated as constant in {y}", leaf & ~summing)
        yield from change(0 * p, "treated as constant", "{y} is treated as constant", ~leaf & ~summing)
        yield from addend(-1, "sign", "the sign of the term {} is flipped")
        yield from change(-p, "sign", "the sign of the chain factor {p} is flipped", ~summing)
        yield from addend(2, "extra term", "the term {} is counted twice")
        for name, a in numbers.items():
            yield from addend(1 / a, "factor", f"factor {name} missing in the term {{}}")
            yield from change(p / a, "factor", f"factor {name} missing in the derivative of {{y}}", ~summing)
            yield from change(a * p, "factor", f"factor {name} too many in the derivative of {{y}}", ~summing)
        yield from change(p * p, "chain factor", "the chain factor {p} is there twice")
        yield from change(1 / p, "chain factor", "the chain factor {p} divides instead of multiplying")
        powers = np.isin(operation, ["integer_power", "power"])
        yield from change(p * x, "chain factor", "the exponent of {y} is not lowered", powers)
        yield from change(p / x, "chain factor", "the exponent of {y} is lowered by 2", powers)
        yield from change(y, "chain factor", "the value of {y} stands for its derivative {p}", ~summing)
        yield from change(p / y, "chain factor", "the factor {y} is missing in its derivative", ~summing)
        yield from change(p / (1 - y), "chain factor", "the factor 1 - {y} is missing in its derivative", ~summing)
        yield from change(p * y, "chain factor", "the factor {y} is too many in its derivative", ~summing)
        yield from change(p * x, "chain factor", "the factor {x} is too many in the derivative of {y}", ~powers)
        yield from change(p / x, "chain factor", "the factor {x} is missing in the derivative of {y}", ~powers)
        yield from change(
            1 - (1 - p) / y, "chain factor", "{y} is not squared in its derivative {p}", operation == "tanh"
        )


def _reciprocal(value: np.longdouble) -> str:
    """Write 0.05 as 1/20 too: what is forgotten is the number of data."""
    inverse = float(1 / value)
    return f" (1/{round(inverse)})" if 1 < inverse < 1e6 and abs(inverse - round(inverse)) <= 4 * U * inverse else ""


def _also(count: int, what: str) -> str:
    return f", and so it is in the {count - 1} {what} like it" if count > 2 else f", and so in the {what[:-1]} like it"


def stray_factors(facts: Facts, lines: Lines) -> Iterator[Cause]:
    """The value of some node that multiplies or divides the whole gradient, and several addends missing at once."""
    values, columns = lines.values, lines.columns
    if facts.certain(4 * len(values)) and np.count_nonzero(facts.D) > 0:
        D = facts.D[columns]
        with np.errstate(all="ignore"):
            for ratio, words in ((1 / values, "the factor {} is missing"), (values, "the factor {} is too many")):
                for k in np.flatnonzero(lines.fits((ratio - 1)[:, None] * D, True) & np.isfinite(ratio)):
                    yield facts.cause("chain factor", words.format(lines.text(int(k))) + facts.where())
    factors, terms, top, _ = _terms(lines)
    chosen: list[int] = []
    for c in np.flatnonzero(facts.wrong[columns]):
        gap = facts.e[columns[c]] + terms[:, c]
        hits = np.flatnonzero(top & (np.abs(gap) <= facts.slack[columns[c]]))
        if not len(hits):
            return
        chosen.append(int(hits[0]))
    some = list(dict.fromkeys(chosen))
    if some and lines.fits(-terms[some].sum(axis=0)[None, :], True)[0] and facts.certain(len(terms) ** 2):
        shown = [lines.product(factors[i]) for i in some[:3]]
        named = " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(some) > 1 else ""
        yield facts.cause("missing term", f"the terms {named}{' …' if len(some) > 3 else ''} have no contribution")


def additions(lines: Lines) -> Iterator[Cause]:
    """The gradient, or the value, of some node that does not belong there."""
    facts = lines.facts
    if not facts.certain(8 * len(lines.values)):
        return
    for c, words in ((1, ""), (-1, "minus "), (2, "2 times "), (0.5, "half "), (-2, "-2 times ")):
        for k in np.flatnonzero(lines.fits(c * lines.tangents, True)):
            yield facts.cause("extra term", f"an extra term: {words}the gradient of {lines.text(int(k))} is added")
    if facts.wrong.sum() > 1 and facts.certain(400 * len(lines.values), free=1):
        factors, terms, _, _ = _terms(lines)
        for i, c in _round_multiples(lines, terms):
            yield facts.cause("factor", f"the term {lines.product(factors[i])} has {1 + c:.6g} times its weight")
        for i, c in _round_multiples(lines, lines.tangents):
            yield facts.cause("extra term", f"an extra term: {c:.3g} times the gradient of {lines.text(i)} is added")
    if facts.wrong.sum() == 1:
        column = np.flatnonzero(facts.wrong[lines.columns])
        for c, words in ((1, ""), (-1, "-"), (2, "2*"), (0.5, "0.5*")):
            gap = np.abs(c * lines.values - facts.e[lines.columns[column[0]]])
            for k in np.flatnonzero(gap <= facts.slack[lines.columns[column[0]]]):
                yield facts.cause("extra term", f"the extra term {words}({lines.text(int(k))}) is added{facts.where()}")


def _round_multiples(lines: Lines, rows: Wide) -> list[tuple[int, float]]:
    """Find the rows of which the error is a multiple by a number of two digits."""
    error = lines.facts.e[lines.columns]
    k = int(np.argmax(np.abs(error)))
    with np.errstate(all="ignore"):
        ratio = np.array([float(f"{float(r):.2g}") for r in error[k] / rows[:, k]])
        return [(int(i), float(ratio[i])) for i in np.flatnonzero(lines.fits(ratio[:, None] * rows, True))]


def coarse_point(facts: Facts, program: Program, point: Sequence[float]) -> Iterator[Cause]:
    """The right gradient at the point rounded to float32."""
    with np.errstate(all="ignore"):
        rounded = np.array(point, dtype=np.float32).astype(np.float64)
    if (rounded == point).all() or not np.isfinite(rounded).all() or not facts.certain(1):
        return
    with precision(_BITS):
        partials = ball_function(adjoint(program))(*(Ball(float(x)) for x in rounded))[1:]
        found = np.array([_wide(partial) for partial in partials], dtype=np.longdouble)
    if np.isfinite(found).all() and facts.fits(found - facts.D):
        yield facts.cause("float32", "the claim is the gradient at the point rounded to float32")


def finite_difference(facts: Facts, program: Program, point: Sequence[float]) -> Iterator[Cause]:
    """The difference quotients with the usual steps, and what the rounding of F makes of them."""
    some = np.flatnonzero(facts.wrong)
    some = some[np.argsort(-np.abs(facts.e[some] / facts.slack[some]))][:_SAMPLE]
    bases = [10.0**-k for k in range(1, 13)] + [2.0**-26, U ** (1 / 3), (2 * U) ** (1 / 3), U**0.5]
    scales = {"": 1.0, "*|x|": 0.0, "*(1 + |x|)": 0.0, "*max(1, |x|)": 0.0}
    labels = [(scheme, h, scale) for scheme in _WIDTHS for scale in scales for h in bases]
    odds = np.full(len(labels), math.log10(len(labels)))
    for i in map(int, some):
        x = point[i]
        scales |= {"*|x|": abs(x) or 1.0, "*(1 + |x|)": 1 + abs(x), "*max(1, |x|)": max(1.0, abs(x))}
        steps = np.array([h * scale for scale in scales.values() for h in bases])
        with np.errstate(all="ignore"):
            odds += np.concatenate([_odds(facts, program, point, i, steps, scheme) for scheme in _WIDTHS])
    best = int(np.argmin(odds))
    if odds[best] <= -3:
        scheme, h, scale = labels[best]
        yield facts.cause("finite difference", f"the claim is a finite difference: {scheme}, h about {h:.3g}{scale}")


_WIDTHS = {"forward": 1, "central": 2, "backward": 1}


def _odds(
    facts: Facts, program: Program, point: Sequence[float], i: int, steps: NDArray[np.float64], scheme: str
) -> NDArray[np.float64]:
    """log10 of the chance that a number near D looks like the quotient of each step; infinite if it does not."""
    x, g = point[i], facts.g[i]
    columns = [np.full(2 * len(steps), v) for v in point]
    upper, lower = (x if scheme == "backward" else x + steps), (x if scheme == "forward" else x - steps)
    columns[i] = np.concatenate([upper + 0 * steps, lower + 0 * steps])
    high, low = compile_numpy(program)(columns).reshape(2, -1)
    width = _WIDTHS[scheme] * steps
    noise = max(point_rounding_bound(program, point, i), U * float(np.max(np.abs(low[np.isfinite(low)]), initial=0.0)))
    spread = 4 * (noise + U * abs(x * facts.D[i])) / width + facts.slack[i]
    near = np.abs(g - (high - low) / width) <= spread
    chance = np.minimum(1.0, spread / abs(facts.e[i]))
    # a difference of two values of F is a multiple of their spacing
    unit = np.spacing(np.minimum(np.abs(high), np.abs(low))) / 2
    count = np.rint(g * width / unit)
    whole = np.abs(count * unit / width - g) <= 2 * np.spacing(abs(g))
    chance = chance * np.where(whole, np.minimum(1.0, (np.abs(count) + 1) * 2.0**-49), 1.0)
    result: NDArray[np.float64] = np.where(near & (chance > 0), np.log10(chance), np.inf)
    return result
