"""Mistakes in a gradient that are told from the program: a term, a chain factor, another function.

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

from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.errors import DiffcompareError
from diffcompare.floats import Flags
from diffcompare.program.dag import Builder, Node, Program, Term
from diffcompare.program.operations import COMPARISONS, partial_terms
from diffcompare.program.printing import formulas, shapes
from diffcompare.verdict.causes.budget import BALLS, BUILT, Budget
from diffcompare.verdict.causes.mistakes import Cause, Facts, written
from diffcompare.verdict.causes.part_rules import SUMS, Addend, Slope, constant_factor, formatted, is_among, part_rules
from diffcompare.verdict.difference import node_balls

__all__ = [
    "Lines",
    "Parts",
    "additions",
    "coarse_point",
    "linearise",
    "other_function",
    "stray_factors",
    "take_apart",
    "wrong_parts",
]

Wide = NDArray[np.longdouble]
Mask = Flags
Indices = NDArray[np.intp]

_BITS = 160
_ENOUGH = 64
# how often the search for a wrong part passes over all uses: some candidates, each compared with the error
_PASSES = 200
# uses × components of the search through a program; beyond it some components stand for all
_LARGE = 200_000
_SAMPLE = 16
# numbers of several rows that are named
_NAMED = 4


@dataclass(frozen=True, slots=True)
class Parts:
    """A program taken apart: every use of a node (an edge), its local partial, and what is the same formula."""

    program: Program  # with the local partials
    size: int
    output: int
    edges: tuple[tuple[int, int, int], ...]  # node, operand, partial
    shapes: Indices  # equal for nodes that are the same formula of other numbers and variables
    texts: list[str]  # once they are needed

    def text(self, index: int) -> str:
        """Write the formula of a node."""
        if not self.texts:
            self.texts.extend(formulas(self.program, range(len(self.program.nodes)), limit=60, exact=False))
        return self.texts[index]


@dataclass(frozen=True, slots=True)
class Lines:
    """A program taken apart at a point: every use of a node and what it contributes to the gradient."""

    facts: Facts
    parts: Parts
    values: Wide  # of the nodes; nan for conditions
    nodes: Indices  # of each edge, and which operand it uses
    operands: Indices
    partials: Indices  # the node of ``program`` that is the local partial, and its value
    slopes: Wide
    bars: Wide  # ∂F/∂node
    tangents: Wide  # ∂node/∂x, one column per component looked at
    columns: Indices
    through: Wide  # what each edge would contribute if its local partial were 1: edges × columns
    contributions: Wide
    budget: Budget
    _addends: list[Addends]

    @property
    def value(self) -> np.longdouble:
        """The value of the function."""
        return np.longdouble(self.values[self.parts.output])

    def addends(self) -> Addends:
        """Return the addends of all sums, collected once."""
        if not self._addends:
            self.budget.spend(BUILT * len(self.nodes))
            self._addends.append(Addends.of(self))
        return self._addends[0]

    def pay(self, passes: int) -> None:
        """Pay for passes over all uses and a few over all columns."""
        self.budget.spend(len(self.nodes) * (4 * passes + 10 * len(self.columns)))

    def fits(self, predicted: NDArray[Any], everywhere: bool) -> Mask:
        """Tell which rows of predicted errors equal the error, everywhere or in the wrong components."""
        facts, columns = self.facts, self.columns
        chosen = np.ones(len(columns), dtype=bool) if everywhere else facts.wrong[columns]
        with np.errstate(all="ignore"):
            close = np.abs(predicted[:, chosen] - facts.e[columns[chosen]]) <= facts.slack[columns[chosen]]
        found: Mask = np.all(close, axis=1)
        return found

    def fitting(self, weight: NDArray[Any] | float, rows: Wide, everywhere: bool) -> Indices:
        """List the rows that, times their weights, equal the error; the component that tells most comes first."""
        k = self._telling()
        with np.errstate(all="ignore"):
            gap = np.abs(weight * rows[:, k] - self.facts.e[self.columns[k]])
            near = np.flatnonzero(gap <= self.facts.slack[self.columns[k]])
            scaled = (weight[near, None] if isinstance(weight, np.ndarray) else weight) * rows[near]
        return near[self.fits(scaled, everywhere)]

    def fitting_sums(self, weight: Wide | float, rows: Wide, groups: Groups, everywhere: bool) -> list[tuple[int, int]]:
        """Do so for the sums of groups of rows: one member of each that fits, and how many there are."""
        k = self._telling()
        with np.errstate(all="ignore"):
            sums = np.zeros(len(groups.first), np.longdouble)
            np.add.at(sums, groups.numbers, weight * rows[:, k])
            gap = np.abs(sums - self.facts.e[self.columns[k]])
            found = []
            for g in np.flatnonzero((gap <= self.facts.slack[self.columns[k]]) & (groups.counts > 1)):
                own = groups.numbers == g
                scaled = (weight[own, None] if isinstance(weight, np.ndarray) else weight) * rows[own]
                if self.fits(scaled.sum(axis=0)[None, :], everywhere)[0]:
                    found.append((int(groups.first[g]), int(groups.counts[g])))
        return found

    def _telling(self) -> int:
        """Return the column in which the error is known best."""
        with np.errstate(all="ignore"):
            certainty = np.abs(self.facts.e[self.columns]) / self.facts.slack[self.columns]
        return int(np.argmax(np.where(self.facts.wrong[self.columns], certainty, -1.0)))

    def text(self, index: int) -> str:
        """Write the formula of a node."""
        return self.parts.text(int(index))

    def product(self, factors: Sequence[int]) -> str:
        """Write the product of one or two nodes."""
        return "*".join(self.text(index) for index in factors)


def take_apart(program: Program, budget: Budget) -> Parts | None:
    """Find the uses of every node that the first output needs, with their local partials; None where one has none."""
    budget.spend(BUILT // 2 * sum(1 + len(node.operands) for node in program.nodes))
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
    except (ArithmeticError, KeyError, DiffcompareError):
        return None
    whole = Program(program.variables, tuple(build.nodes), (*range(size), *(p for _, _, p in edges)))
    # rows of data and components go the same way
    alike = np.array(shapes(program)[0], dtype=np.intp)
    return Parts(whole, size, output, tuple(edges), alike, []) if edges else None


def linearise(parts: Parts, point: Sequence[float], facts: Facts, budget: Budget) -> Lines | None:
    """Evaluate all nodes and local partials in balls, then sweep forwards and backwards."""
    program, edges, size = parts.program, parts.edges, parts.size
    columns = np.arange(len(point))
    if len(edges) * len(point) > _LARGE:
        columns = np.unique(np.r_[np.argsort(~facts.wrong, kind="stable")[:_SAMPLE], columns[:_SAMPLE]])
    budget.spend(BALLS * len(program.nodes) + (BUILT + 10 * len(columns)) * len(edges))
    for bits in (_BITS, 4 * _BITS):
        try:
            balls = node_balls(program.nodes, program.outputs, point, bits)
        except (ArithmeticError, KeyError):
            return None
        # some functions of FLINT's lose many digits: K₀ at 40 has 45 bits left of 160
        slopes_ = [v for i in program.outputs[size:] if isinstance(v := balls[i], Ball) and v.is_finite()]
        if all(v.rel_accuracy_bits() >= _ENOUGH for v in slopes_):
            break
    with precision(_BITS):
        wide = {i: _wide(balls[i]) for i in dict.fromkeys(program.outputs)}
    found = np.array([wide[i] for i in program.outputs], dtype=np.longdouble)
    values, slopes = found[:size], np.where(np.isfinite(found[size:]), found[size:], 0)
    bars, tangents = np.zeros(size, np.longdouble), np.zeros((size, len(columns)), np.longdouble)
    bars[parts.output] = 1
    for k, node in enumerate(program.nodes[:size]):
        if node.operation == "variable":
            tangents[k] = columns == node.payload
    with np.errstate(all="ignore"):
        for (k, j, _), p in zip(edges, slopes, strict=True):
            bars[j] += bars[k] * p
        for (k, j, _), p in zip(reversed(edges), slopes[::-1], strict=True):
            tangents[k] += p * tangents[j]
    users, used, partials = (np.array(column, dtype=np.intp) for column in zip(*edges, strict=True))
    through = bars[users][:, None] * tangents[used]
    contributions = slopes[:, None] * through
    return Lines(
        facts, parts, values, users, used, partials, slopes, bars, tangents, columns, through, contributions, budget, []
    )  # fmt: skip


def _merged(node: Node, partials: Sequence[Term]) -> Iterator[tuple[int, Term]]:
    """Pair operands with partials; both factors of x·x are one use, with the partial 2x."""
    half = len(partials) // 2
    square = node.operation in ("multiply", "dot")
    for k, (i, partial) in enumerate(zip(node.operands, partials, strict=True)):
        if not square or node.operands[(k + half) % (2 * half)] != i:
            yield i, partial
        elif k < half:
            yield i, 2 * partial


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows that share a key: the group of each row, and of each group one member and how many there are."""

    numbers: Indices
    first: Indices
    counts: Indices

    @classmethod
    def of(cls, keys: Indices) -> Groups:
        """Group the rows by their keys."""
        _, first, numbers, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
        return cls(numbers, first, counts)


def _wide(value: Any) -> np.longdouble:
    if not isinstance(value, Ball) or not value.is_finite():
        return np.longdouble("nan")
    high = float(value.mid())
    return np.longdouble(high) + np.longdouble(float((value - high).mid()) if math.isfinite(high) else 0.0)


def other_function(facts: Facts, F: np.longdouble) -> Iterator[Cause]:
    """The gradient of something else that is made of F."""
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


@dataclass(frozen=True, slots=True)
class Addends:
    """Every addend of every sum: its factors, what it contributes, whether the sum is outermost, what is like it.

    ``outer``: whether nothing but numbers scales the sum.
    """

    factors: list[tuple[int, ...]]
    rows: Wide
    top: Mask
    outer: list[bool]
    alike: tuple[Groups, Groups]  # anywhere, and in sums that are alike

    @classmethod
    def of(cls, lines: Lines) -> Addends:
        """Collect the addends of a program."""
        factors: list[tuple[int, ...]] = []
        rows: list[Wide] = []
        top: list[bool] = []
        straight: list[bool] = []
        keys: list[tuple[int, int]] = []
        outer, scaled = {lines.parts.output}, _outer(lines)
        nodes, shapes = lines.parts.program.nodes, lines.parts.shapes
        place: dict[int, list[int]] = {}
        for edge, k in enumerate(lines.nodes):
            place.setdefault(int(k), []).append(edge)
        for k, own in sorted(place.items(), reverse=True):
            if nodes[k].operation in SUMS:
                for edge in own:
                    operand = int(lines.operands[edge])
                    factors.append((operand,))
                    rows.append(lines.contributions[edge])
                    top.append(k in outer)
                    straight.append(k in scaled)
                    keys.append((int(shapes[operand]), int(shapes[operand]) * len(lines.values) + int(shapes[k])))
                    if k in outer:
                        outer.add(operand)
            elif nodes[k].operation == "dot":
                half = len(nodes[k].operands) // 2
                for a, b in zip(nodes[k].operands[:half], nodes[k].operands[half:], strict=True):
                    product = lines.values[b] * lines.tangents[a] + lines.values[a] * lines.tangents[b]
                    factors.append((a, b))
                    rows.append(lines.bars[k] * product)
                    top.append(k in outer)
                    straight.append(k in scaled)
                    keys.append((-1 - len(keys), -1 - len(keys)))
        flat = np.array(rows, dtype=np.longdouble).reshape(-1, len(lines.columns))
        one, two = np.array(keys, dtype=np.intp).reshape(-1, 2).T
        return cls(factors, flat, np.array(top, dtype=bool), straight, (Groups.of(one), Groups.of(two)))


def _outer(lines: Lines) -> set[int]:
    """Return the nodes that nothing but numbers scales in the function."""
    nodes, needed = lines.parts.program.nodes, set(lines.nodes.tolist())
    moving = {k for k, node in enumerate(nodes) if node.operation == "variable"}
    moving |= needed
    outer, inner = {lines.parts.output}, set[int]()
    for k in sorted(needed, reverse=True):
        node = nodes[k]
        moved = [j in moving for j in node.operands]
        # what divides a number is no multiple of it
        scaled = node.operation in ("multiply", "divide", "negative") and sum(moved) == 1
        scaled &= node.operation != "divide" or moved[0]
        straight = k in outer and k not in inner and (node.operation in SUMS or scaled)
        (outer if straight else inner).update(node.operands)
    return outer - inner


def wrong_parts(lines: Lines, *, everywhere: bool = True, together: bool = False) -> Iterator[Cause]:
    """One addend or local partial that is not what it should be, or (together) all that are the same formula."""
    facts = lines.facts
    if not everywhere and (facts.wrong | (facts.D == 0)).all():
        return
    if not facts.certain(20 * len(lines.slopes)):
        return
    lines.pay(_PASSES)
    through, p = lines.through, lines.slopes
    place = "" if everywhere else facts.where()
    addends = lines.addends()
    uses = lines.parts.shapes[lines.nodes] * len(lines.values) + lines.parts.shapes[lines.operands]
    alike = Groups.of(uses) if together else None
    nodes = lines.parts.program.nodes
    operations = [nodes[k].operation for k in lines.nodes]
    leaves = [nodes[j].operation == "variable" for j in lines.operands]
    y, x = lines.values[lines.nodes], lines.values[lines.operands]

    def addend(rule: Addend) -> Iterator[Cause]:
        if not together:
            hits = [(int(i), 1) for i in lines.fitting(rule.ratio - 1, addends.rows, everywhere)]
        else:
            weight = rule.ratio - 1
            hits = [hit for g in addends.alike for hit in lines.fitting_sums(weight, addends.rows, g, everywhere)]
        for i, count in hits:
            also = _also(count, "terms") if count > 1 else ""
            said = rule.said(lines.product(addends.factors[i]), is_outer=addends.outer[i])
            yield facts.cause(rule.kind, said + also + place)

    def change(rule: Slope, among: Mask) -> Iterator[Cause]:
        with np.errstate(all="ignore"):
            partial = rule.slope(p, x, y)
            usable = np.isfinite(partial) & among
            weight = np.where(usable, partial - p, 0)
        if alike is None:
            hits = [(int(i), 1) for i in lines.fitting(weight, through, everywhere) if usable[i]]
        else:
            hits = lines.fitting_sums(weight, through, alike, everywhere)
        for i, count in hits:
            local, value, operand = (lines.text(a[i]) for a in (lines.partials, lines.nodes, lines.operands))
            if alike is not None and nodes[lines.partials[i]].operation == "constant":
                # rows of data have numbers of their own
                own = lines.partials[alike.numbers == alike.numbers[i]]
                local = " or ".join(dict.fromkeys([local, *map(lines.text, own.tolist())][:_NAMED]))
            kind, words = rule.kind, rule.words
            if count == 1 and nodes[lines.partials[i]].operation == "constant":
                said = constant_factor(words, float(p[i]), local)
                kind, words = (kind, words) if said is None else ("factor", said)
            also = _also(count, "places") if count > 1 else ""
            yield facts.cause(kind, formatted(words, p=local, y=value, x=operand) + also + place)

    known: dict[str, Mask] = {}
    for rule in part_rules(len(facts.g)):
        if isinstance(rule, Addend):
            yield from addend(rule)
            continue
        if rule.among not in known:
            pairs = zip(operations, leaves, strict=True)
            known[rule.among] = np.array([is_among(rule.among, o, leaf=leaf) for o, leaf in pairs], dtype=bool)
        yield from change(rule, known[rule.among])


def _also(count: int, what: str) -> str:
    return f", and so it is in the {count - 1} {what} like it" if count > 2 else f", and so in the {what[:-1]} like it"


def stray_factors(lines: Lines) -> Iterator[Cause]:
    """The value of some node that multiplies or divides the whole gradient, and several addends missing at once."""
    facts, values, columns = lines.facts, lines.values, lines.columns
    lines.pay(10)
    if facts.certain(4 * len(values)) and np.count_nonzero(facts.D) > 0:
        D = facts.D[columns]
        with np.errstate(all="ignore"):
            for ratio, words in ((1 / values, "the factor {} is missing"), (values, "the factor {} is too many")):
                for k in lines.fitting(ratio - 1, np.broadcast_to(D, (len(ratio), len(D))), True):
                    yield facts.cause("chain factor", words.format(lines.text(int(k))) + facts.where())
    addends = lines.addends()
    chosen: list[int] = []
    for c in np.flatnonzero(facts.wrong[columns]):
        gap = facts.e[columns[c]] + addends.rows[:, c]
        hits = np.flatnonzero(addends.top & (np.abs(gap) <= facts.slack[columns[c]]))
        if not len(hits):
            return
        chosen.append(int(hits[0]))
    some = list(dict.fromkeys(chosen))
    together = -addends.rows[some].sum(axis=0)[None, :]
    # a single one was told before, by its own words
    if len(some) > 1 and lines.fits(together, True)[0] and facts.certain(len(addends.rows) ** 2):
        shown = [lines.product(addends.factors[i]) for i in some[:3]]
        named = " and ".join([", ".join(shown[:-1]), shown[-1]])
        yield facts.cause("missing term", f"the terms {named}{' …' if len(some) > 3 else ''} have no contribution")


def additions(lines: Lines) -> Iterator[Cause]:
    """The gradient, or the value, of some node that does not belong there."""
    facts = lines.facts
    if not facts.certain(8 * len(lines.values)):
        return
    lines.pay(40)
    for c, words in ((1, ""), (-1, "minus "), (2, "2 times "), (0.5, "half "), (-2, "-2 times ")):
        for k in lines.fitting(c, lines.tangents, True):
            yield facts.cause("extra term", f"an extra term: {words}the gradient of {lines.text(int(k))} is added")
    if facts.wrong.sum() > 1 and facts.certain(400 * len(lines.values), free=1):
        addends = lines.addends()
        for i, c in _round_multiples(lines, addends.rows):
            product = lines.product(addends.factors[i])
            yield facts.cause("factor", f"the term {product} has {written(c)} times its weight")
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
    k = int(np.argmax(np.abs(lines.facts.e[lines.columns])))
    error = lines.facts.e[lines.columns[k]]
    with np.errstate(all="ignore"):
        ratio = (error / rows[:, k]).astype(np.float64)
        rounded = np.array([float(f"{r:.2g}") for r in ratio.tolist()])
    return [(int(i), float(rounded[i])) for i in lines.fitting(rounded, rows, True)]


def coarse_point(lines: Lines, point: Sequence[float]) -> Iterator[Cause]:
    """The right gradient at the point rounded to float32."""
    facts, program = lines.facts, lines.parts.program
    with np.errstate(all="ignore"):
        rounded = np.array(point, dtype=np.float32).astype(np.float64)
    if (rounded == point).all() or not np.isfinite(rounded).all() or not facts.certain(1):
        return
    moved = linearise(lines.parts, rounded.tolist(), facts, lines.budget)
    found = np.zeros(len(point), np.longdouble)
    for k, node in enumerate(program.nodes[: lines.parts.size] if moved is not None else ()):
        if node.operation == "variable":
            found[int(node.payload or 0)] = moved.bars[k]  # type: ignore[union-attr]
    if moved is not None and np.isfinite(found).all() and facts.fits(found - facts.D):
        yield facts.cause("float32", "the claim is the gradient at the point rounded to float32")
