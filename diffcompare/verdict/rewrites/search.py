"""The smallest change of the source of a wrong gradient that makes it right: tried at the point, held at three more."""

from __future__ import annotations

import ast
import contextlib
import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import CodeType, MappingProxyType
from typing import TypeVar

from diffcompare.program.dag import needed_nodes
from diffcompare.tracing.origins import Origin, Origins
from diffcompare.tracing.places import Written, code_of, written
from diffcompare.tracing.spans import definition_of
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.causes.budget import Budget, Exhausted
from diffcompare.verdict.causes.nearby import Nearby
from diffcompare.verdict.pair import Pair
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.rewrites.agreement import Found, Told, left_strange
from diffcompare.verdict.rewrites.alternatives import rewrites_of
from diffcompare.verdict.rewrites.apart import CutShort, apart
from diffcompare.verdict.rewrites.first_wrong import Known, Line, Suspect, Watch, known_values, suspects_of, watched
from diffcompare.verdict.rewrites.insertions import Insertion, Probe, insertions_of, likelier, pool_of, probed
from diffcompare.verdict.rewrites.kinds import kinds_of
from diffcompare.verdict.rewrites.lines import moved_lines, repeated_lines
from diffcompare.verdict.rewrites.names import names_of
from diffcompare.verdict.rewrites.products import products_of
from diffcompare.verdict.rewrites.running import Body, Change, Changed, bodies_of
from diffcompare.verdict.rewrites.switching import Switches
from diffcompare.verdict.rewrites.syntax import Names, Rewrite, Site, is_value, sites_of
from diffcompare.verdict.rewrites.trial import LOOKED_AT, Trial, quiet
from diffcompare.verdict.value_and_gradient import whole_of

__all__ = ["Search"]

# changes up to this cost are tried before all others
_USUAL = 1.29
# operations that running one line of Python takes, and a gradient of which nothing is known
_RUN, _UNKNOWN = 60, 100_000
# to compile an expression
_SWITCHED = 10_000
# and to look at all that may be missing beside an expression
_MADE = 150_000
# loops of so many nodes are rather run again than evaluated node by node
_MANY = 250
# lines with a first wrong value that are looked at, and for which part of the rest
_LINES, _EARLY = 4, 6
# what is carried along may be 0 at first
_LATER, _NONE = 2, MappingProxyType[int, int]({})
# after which part of a run a trial ends early
_SOON = 0.25
# changes of about the same cost are compared, so many of them, for which part of the budget
_ALIKE, _KEPT, _COMPARED = 0.45, 8, 8

# parts of a line that are looked at
_INNER = 30

T = TypeVar("T")
Insertions = Callable[[Site, Probe], Iterable[Insertion]]


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A search for changes of the source of a gradient that make it right.

    Parameters
    ----------
    parts : sequence of (Body, sequence of Site, Names)
        What can be changed, and what may stand there.
    trial : Trial
    loops : bool
        Whether the gradient loops over many numbers.
    known : Known or None
        What function and derivative compute, where it loops.
    line : Line or None
        The one line that is looked at.
    least : int
        What must be left of the budget.
    computed : callable
        What function and derivative compute, where the gradient does not loop.
    """

    parts: Sequence[tuple[Body, Sequence[Site], Names]]
    trial: Trial
    loops: bool
    known: Known | None = None
    line: Line | None = None
    least: int = 0
    computed: Callable[[], Known | None] = lambda: None

    def is_repeated(self) -> bool:
        """Tell whether the sources as they are give what the gradient returned."""
        return self.trial.is_repeated(self.parts[0][0])

    def with_kinds(self) -> Rewriting:
        """Look at the kinds of values that names have."""
        with quiet():
            parts = [
                (body, sites, replace(names, strange=kinds_of(body, sites, names, self.trial.noted)))
                for body, sites, names in self.parts
            ]
        return replace(self, parts=parts)

    def first_wrong(self) -> Found | None:
        """Return what is wrong in a line of a loop in which the first wrong value appears."""
        for some, one in self._suspected() if self.known is not None else ():
            # of what is missing there is so much that trials must end early
            found = some.usual() or some.products(one) or some.rare()
            found = found or (some.missing() if one.share <= _SOON else None)
            if found is not None:
                return found
        return None

    def product(self) -> Found | None:
        """Return a product that is missing in a line in which the first wrong value appears, or beside a bare name."""
        found = next((found for some, one in self._suspected() if (found := some.products(one)) is not None), None)
        return found or self._of_bare_lines()

    def _of_bare_lines(self) -> Found | None:
        """Return a product that is missing beside a name or number that a line takes as it is: that is a known one."""
        parts = [
            (body, [site for site in sites if isinstance(site.owner, ast.stmt) and _is_bare(site.node)], names)
            for body, sites, names in self.parts
        ]
        known = self.known or self.computed()
        return None if known is None else replace(self, parts=parts)._inserted(_products(known), self.least)

    def beside(self) -> Found | None:
        """Return what is missing in a line in which the first wrong value appears."""
        return next((found for some, _ in self._suspected() if (found := some.missing()) is not None), None)

    def _suspected(self) -> Iterator[tuple[Rewriting, Suspect]]:
        """Yield searches in the lines in which the first wrong value appears."""
        known = self.known or self.computed()
        # what is right may look wrong: then the other lines need the rest
        least = self.trial.budget.left * (_EARLY - 1) // _EARLY
        if known is None:
            return
        for body, sites, names in self.parts:
            with quiet():
                suspects = list(suspects_of(body, sites, known, names.known, self.trial.noted))
            for one in suspects[:_LINES]:
                inner = [*_within([line.statement for line in (one.line, *(line for line, _ in one.feeding))], sites)]
                trial = replace(self.trial, watch=Watch(known, one.number))
                some = replace(self, known=known, parts=[(body, inner, names)], trial=trial, line=one.line, least=least)
                yield some, one

    def usual(self) -> Found | None:
        """Return what people do most often."""
        return self._or_missing(self._first(rewrites_of, 0.0, _USUAL))

    def _or_missing(self, found: Found | None) -> Found | None:
        """Return a factor that is missing, if that leaves less strange than another name or number does.

        A number in place of a name may be so by chance.
        """
        new = None if found is None else found.rewrite.changes[0].new
        if found is None or not isinstance(new, ast.Name | ast.Constant):
            return found
        left = self.trial.budget.left
        missing = self._inserted(_factors, left - left // _COMPARED)
        chance = isinstance(new, ast.Constant) and isinstance(found.rewrite.node, ast.Name)
        if missing is None or self._left_strange(missing) >= self._left_strange(found) + chance:
            return found
        return missing

    def rare(self) -> Found | None:
        """Return another number, or something else that is rarer."""
        return self._or_missing(self._first(rewrites_of, _USUAL, math.inf))

    def missing(self) -> Found | None:
        """Return what is missing: a line, or something beside an expression."""
        budget = self.trial.budget
        least = max(budget.left // 3, self.least)
        line = self._first(repeated_lines, 0.0, math.inf)
        if line is not None:
            return line
        return self._inserted(_from_pool, least) or self._first(moved_lines, 0.0, math.inf)

    def products(self, suspect: Suspect) -> Found | None:
        """Return a product that is missing in a line, or in one that gives it its values."""
        known = self.known
        if known is None:
            return None
        times = {id(line.value.node): time for line, time in suspect.feeding if time}
        times |= {id(node): suspect.number for node in islice(ast.walk(suspect.line.value.node), _INNER)}
        parts = [(body, [one for one in sites if id(one.node) in times], names) for body, sites, names in self.parts]
        return replace(self, parts=parts)._inserted(_products(known), self.least, times)

    def _inserted(
        self, makes: Callable[[Names], Insertions], least: int, times: Mapping[int, int] = _NONE
    ) -> Found | None:
        """Return what is missing beside an expression; ``times``: when its value is looked at."""
        some: list[tuple[Insertion, Body, Probe, Changed]] = []
        known = self.known or self.computed()
        with quiet():
            for body, sites, names in self.parts:
                make = makes(names)
                for site in filter(is_value, sites):
                    self.trial.budget.spend(_MADE)
                    change, probe = probed(site, body, times.get(id(site.node), _LATER))
                    gradient = self.trial.noted(body, self._watched([change], body))
                    if gradient is not None:
                        with self.trial.limited(LOOKED_AT):
                            found = likelier(make(site, probe), known)
                            some += [(one, body, probe, gradient) for one in found]

        def right(one: tuple[Insertion, Body, Probe, Changed]) -> Found | None:
            insertion, body, probe, gradient = one
            probe.change = insertion.operation, insertion.item.code
            return Found(insertion.rewrite, body) if self.trial.is_right(body, gradient) else None

        return self._likeliest(some, lambda one: one[0].item.cost, right, least)

    def _first(
        self, makes: Callable[[Sequence[Site], Names], Iterable[Rewrite]], low: float, high: float
    ) -> Found | None:
        """Return the cheapest change of some kind and at some costs, for a third of what is left of the budget."""
        least = max(self.trial.budget.left * 2 // 3, self.least)
        changes = [(one, body) for body, sites, names in self.parts for one in makes(sites, names)]

        switches = {id(body): Switches(body) for body, *_ in self.parts}

        def make(body: Body, changes: Sequence[Change]) -> Changed | None:
            return self.trial.compiled(body, self._watched(changes, body))

        def right(one: tuple[Rewrite, Body]) -> Found | None:
            rewrite, body = one
            own = functools.partial(make, body)
            self.trial.budget.spend(_SWITCHED)
            gradient = switches[id(body)].gradient(rewrite.changes, own)
            if gradient is None:
                gradient = own(rewrite.changes)
            return Found(rewrite, body) if gradient is not None and self.trial.is_right(body, gradient) else None

        return self._likeliest(
            [one for one in changes if low <= one[0].cost < high], lambda one: one[0].cost, right, least
        )

    def _likeliest(
        self, some: Sequence[T], cost: Callable[[T], float], right: Callable[[T], Found | None], least: int
    ) -> Found | None:
        """Return the change that leaves the fewest strange values, of those that cost little more than the cheapest."""
        budget, found = self.trial.budget, list[Found]()
        most = math.inf
        with quiet():
            for one in sorted(some, key=cost):
                if budget.left < least or cost(one) > most or len(found) == _KEPT:
                    break
                change = right(one)
                if change is None:
                    continue
                if not found:
                    # what other changes have left behind must not have helped
                    if not self.is_repeated():
                        return None
                    # loops are slow
                    part = budget.left // (_COMPARED * (4 if self.known is not None else 1))
                    most, least = cost(one) + _ALIKE, max(least, budget.left - part)
                found.append(change)
            best = found = found if len(found) < 2 or self.is_repeated() else found[:1]
            with contextlib.suppress(Exhausted):
                left = [*map(self._left_strange, found)] if len(found) > 1 else [0] * len(found)
                best = [one for one, k in zip(found, left, strict=True) if k <= min(left) + _allowed(one)]
        return replace(best[0], others=tuple(best[1:])) if best else None

    def _left_strange(self, found: Found) -> int:
        known = self.known or self.computed()
        sites = next(sites for body, sites, _ in self.parts if body is found.body)
        return 0 if known is None else left_strange(found, sites, known, self.trial.noted)

    def _watched(self, changes: Sequence[Change], body: Body) -> Sequence[Change]:
        """Watch the line that is looked at, unless it is changed as a whole."""
        line, watch = self.line, self.trial.watch
        if line is None or watch is None or any(one.owner is line.statement.owner for one in changes):
            return changes
        return watched(line, watch, body, changes)


@dataclass(slots=True)
class Search:
    """A search in a copy of the process, for what is wrong in some components.

    It is not ``possible`` any more where that failed, or where all has been tried, and ``cut`` where its time ran out.
    """

    problem: Problem
    traces: ArrayPair | Pair | None
    asked: Sequence[Nearby]
    budget: Budget
    components: Sequence[int]
    possible: bool = True
    cut: bool = False

    def usual(self) -> Told | None:
        """Mark what people do most often; in loops over many numbers also what is rarer, and what is missing."""
        return self._apart(
            lambda some: some.first_wrong() or some.usual() or ((some.rare() or some.missing()) if some.loops else None)
        )

    def rare(self) -> Told | None:
        """Mark what is rarer."""
        return self._apart(lambda some: some.rare() or some.product() or some.beside() or some.missing())

    def _apart(self, find: Callable[[Rewriting], Found | None]) -> Told | None:
        if not self.possible:
            return None

        def search() -> tuple[Told | None, int, bool]:
            found, more, prepared = None, False, self._prepared()
            with contextlib.suppress(Exhausted):
                if prepared is not None and prepared.is_repeated():
                    more = not prepared.loops
                    found = find(prepared.with_kinds())
            return None if found is None else found.told(self.components), self.budget.left, more

        answer = None
        try:
            answer = apart(search)
        except CutShort:
            self.cut = True
        # what did not end has cost too much
        told, self.budget.left, self.possible = answer or (None, self.budget.left // 2, False)
        return told

    def _prepared(self) -> Rewriting | None:
        """Read the sources; None where they are not known."""
        traces = self.traces
        shared = {} if traces is None else _codes(traces.function.origins)
        own = {} if traces is None else _codes(traces.gradient.origins)
        bodies = bodies_of(
            self.problem.gradient,
            own.keys() - shared.keys(),
            function=self.problem.function,
            shared=_of_both(self.problem, traces),
        )
        if not bodies:
            return None
        nodes, run = _work(traces)
        trial = Trial(self.problem, self.asked, self.budget, run)
        codes = [code for code in (*shared.values(), code_of(self.problem.function)) if code is not None]
        function = [definition for definition in map(definition_of, dict.fromkeys(codes)) if definition is not None]
        sites = [list(sites_of(body.definition)) for body in bodies]
        parts = [(body, some, names_of(body, some, function)) for body, some in zip(bodies, sites, strict=True)]
        looping = any(isinstance(node, ast.For) for body in bodies for node in ast.walk(body.definition))
        if traces is None:
            return Rewriting(parts, trial, False)
        if not looping or nodes <= _MANY:
            known = functools.cache(functools.partial(known_values, traces, self.problem.x, self.budget))
            return Rewriting(parts, trial, False, computed=known)
        return Rewriting(parts, trial, True, known_values(traces, self.problem.x, self.budget))


def _from_pool(names: Names) -> Insertions:
    pool = list(pool_of(names))
    return lambda site, probe: insertions_of(site, pool, probe)


def _factors(names: Names) -> Insertions:
    factors = [item for item in pool_of(names) if "*" in item.operations]
    return lambda site, probe: (one for one in insertions_of(site, factors, probe) if one.operation in "*/")


def _products(known: Known) -> Callable[[Names], Insertions]:
    return lambda names: lambda site, probe: products_of(site, names, probe, known)


def _is_bare(node: ast.AST) -> bool:
    node = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(node, ast.Name | ast.Constant | ast.Attribute)


def _allowed(found: Found) -> int:
    """Return how many values more may be strange: what is subtracted has another sign than what it adds up to."""
    return int(found.rewrite.kind == "sign")


def _within(lines: Sequence[Site], sites: Sequence[Site]) -> Iterator[Site]:
    """Yield lines, what they are made of, and the lines before them, which may have to change places with them."""
    inner = {id(node) for line in lines for node in ast.walk(line.node)}
    before = {(id(line.owner), line.field, (line.index or 0) - 1) for line in lines}
    for site in sites:
        if id(site.node) in inner or (id(site.owner), site.field, site.index) in before:
            yield site


def _work(traces: ArrayPair | Pair | None) -> tuple[int, int]:
    """Return how many nodes the gradient has, and what it takes to run it once."""
    if traces is None:
        return 0, _UNKNOWN
    if isinstance(traces, Pair):
        count = len(needed_nodes(traces.table.builder.nodes, traces.G))
        return count, _RUN * count
    nodes = traces.build.needed([traces.G])
    elements = sum(math.prod(traces.build.shape(k)) for k in nodes)
    return len(nodes), _RUN * len(nodes) + elements // 6 + traces.work // 12


def _codes(origins: Origins) -> dict[Written, CodeType]:
    found: dict[Written, CodeType] = {}
    known: set[int] = set()
    for origin in (one for some in origins.values() for one in some):
        one: Origin | None = origin
        while one is not None and id(one.code) not in known:
            known.add(id(one.code))
            found.setdefault(written(one.code), one.code)
            one = one.caller
    return found


def _of_both(problem: Problem, traces: ArrayPair | Pair | None) -> set[Written]:
    """Return where code is written that makes something of the gradient alone, and runs for the value as well."""
    code = code_of(problem.function)
    if traces is None:
        return {written(code)} if code is not None and whole_of(problem.gradient) is not None else set()
    if isinstance(traces, Pair):
        nodes = traces.table.builder.nodes
        value, claim = needed_nodes(nodes, traces.function.outputs), needed_nodes(nodes, traces.G)
    else:
        value, claim = traces.build.needed([traces.F]), traces.build.needed([traces.G])
    origins = traces.gradient.origins
    made = {written(one.code) for k in set(claim).difference(value) for one in origins.get(k, ())}
    return made & _codes(traces.function.origins).keys()
