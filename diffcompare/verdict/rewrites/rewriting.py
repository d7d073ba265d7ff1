"""Changes of the source of a gradient, in the order in which they are tried, and which of the right ones is meant."""

from __future__ import annotations

import ast
import contextlib
import functools
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np

from diffcompare.verdict.causes.budget import Exhausted
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.rewrites.agreement import Found, left_strange, path_of
from diffcompare.verdict.rewrites.alternatives import rewrites_of
from diffcompare.verdict.rewrites.chains import alike
from diffcompare.verdict.rewrites.first_wrong import Known, Line, Suspect, Watch, suspects_of, watched
from diffcompare.verdict.rewrites.gaps import gaps_of
from diffcompare.verdict.rewrites.insertions import Insertion, Probe, insertions_of, likelier, pool_of, probed, value_of
from diffcompare.verdict.rewrites.kinds import kinds_of
from diffcompare.verdict.rewrites.lines import moved_lines, repeated_lines
from diffcompare.verdict.rewrites.needed import fitting, multiple, needed
from diffcompare.verdict.rewrites.other_data import OtherData
from diffcompare.verdict.rewrites.products import products_of
from diffcompare.verdict.rewrites.running import Body, Change, Changed
from diffcompare.verdict.rewrites.switching import Switches
from diffcompare.verdict.rewrites.syntax import Names, Rewrite, Site, called_name, is_value, text_of
from diffcompare.verdict.rewrites.trial import LOOKED_AT, Trial, quiet, run_of
from diffcompare.verdict.rewrites.values import Value, Values, values_beside

__all__ = ["Rewriting"]

# changes up to this cost are tried before all others
_USUAL = 1.29
# to write a change, and to compile an expression
_WRITTEN, _SWITCHED = 4_000, 5_000
# to look at all that may be missing beside an expression, and at all products where sums tell
_MADE, _MULTIPLIED = 700_000, 1_000_000
# lines with a first wrong value that are looked at, and for which part of the rest
_LINES, _EARLY = 4, 6
# names of which all that may be missing is tried at once
_FEW = 24
# what is carried along may be 0 at first
_LATER, _NONE = 2, MappingProxyType[int, int]({})
# which part of the code must make other numbers than the wrong ones for a search to begin with those
_MUCH = 0.2
# after which part of a run a trial ends early
_SOON = 0.25
# changes of about the same cost are compared, so many of them, for which part of the budget
_ALIKE, _KEPT, _COMPARED = 0.45, 8, 8
# how much likelier is what sums of the gradient tell, and for which part of the budget one is made
_SUMMED, _MOVED = 0.3, 160
# parts of a line that are looked at
_INNER = 30
# how often a function is evaluated before it is known beside other data, and how much slower code is whose lines are
# noted
_MEASURED, _FOLLOWED = 20, 5
# what a function is put around is multiplied by these: where none makes a difference, nothing depends on it
_MULTIPLES = (-1.0625, 64.0, 0.015625)
# what speaks against a change: it is right beside these data alone, or as other code runs in place of what is wrong
_CHANCE, _OTHER_CODE = "chance", "other code"
# or makes half or twice of what may be too many or too few so
_NUMBER = "number"

Insertions = Callable[[Site, Probe], Iterable[Insertion]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change at a price, and what tries it."""

    cost: float
    right: Callable[[], Found | None]


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A search for changes of the source of a gradient that make it right.

    Parameters
    ----------
    parts : sequence of (Body, sequence of Site, Names)
        What can be changed, and what may stand there.
    trial : Trial
    known : Known or None
        What function and derivative compute, where the gradient computes many numbers.
    line : Line or None
        The one line that is looked at.
    least : int
        What must be left of the budget.
    computed : callable
        The same where it does not.
    loops : bool
        Whether something has a loop: trials of a line in it must end early.
    idle : frozenset of int
        The identities of what does not run.
    unasked : frozenset of int
        The identities of what runs, but for other numbers than those that are wrong.
    other : OtherData or None
        What tells what is right by chance.
    asleep : set of (str, int)
        The lines of that.
    doubtful : list of Found
        What is right, but by chance, or as it runs other code instead: told if there is nothing else.
    """

    parts: Sequence[tuple[Body, Sequence[Site], Names]]
    trial: Trial
    known: Known | None = None
    line: Line | None = None
    least: int = 0
    computed: Callable[[], Known | None] = lambda: None
    loops: bool = True
    idle: frozenset[int] = frozenset()
    unasked: frozenset[int] = frozenset()
    other: OtherData | None = None
    asleep: Collection[tuple[str, int]] = ()
    doubtful: list[Found] = field(default_factory=list)

    def found(self, values: Callable[[], Values | None]) -> Found | None:
        """Return the change that makes the gradient right; what is in doubt where there is no other.

        Raises
        ------
        Exhausted
            The budget is spent, and nothing was found.
        """
        try:
            found = next(filter(None, (one.sought() for one in self._by_turns())), None)
            found = found or (None if self.doubtful else self.valued(values()))
        except Exhausted:
            if not self.doubtful:
                raise
            return self.doubtful[0]
        return self._with_alike(found) or next(iter(self.doubtful), None)

    def _with_alike(self, found: Found | None) -> Found | None:
        """Return a change with what does the same in other lines, where nothing decides between them."""
        if found is None or found.doubt:
            return found

        def tried(rewrite: Rewrite, body: Body) -> Found | None:
            gradient = self.trial.compiled(body, rewrite.changes)
            return None if gradient is None else self._tried(rewrite, body, gradient)

        more = list[Found]()
        with contextlib.suppress(Exhausted), quiet():
            known = {id(one.rewrite.node) for one in (found, *found.others)}
            more += (one for one in alike(found, self.parts, tried) if id(one.rewrite.node) not in known)
        best = self._best([found, *found.others, *filter(self._is_sure, more)]) if more else None
        if best is None:
            return found
        others = (one for one in (best, *best.others) if one.rewrite is not found.rewrite)
        return replace(found, others=tuple(others))

    def sought(self) -> Found | None:
        """Return a change of what is written in either code."""
        return self.first_wrong() or self.usual() or self.rest() or self.product() or self.beside()

    def _by_turns(self) -> Sequence[Rewriting]:
        """Return a search in what makes the wrong numbers, and one in the rest, where that is much."""
        sites = [id(site.node) for _, some, _ in self.parts for site in some]
        if sum(k in self.unasked for k in sites) < _MUCH * len(sites):
            return [self]
        own = self.idle.union(sites).difference(self.unasked)
        return [replace(self, idle=self.idle | self.unasked), replace(self, idle=own)]

    def is_repeated(self) -> bool:
        """Tell whether the sources as they are give what the gradient returned."""
        return self.trial.is_repeated(self.parts[0][0])

    def with_kinds(self) -> Rewriting:
        """Look at the kinds of values that names have."""
        with quiet():
            parts = [(body, sites, kinds_of(body, sites, names, self.trial.noted)) for body, sites, names in self.parts]
        return replace(self, parts=parts)

    def first_wrong(self) -> Found | None:
        """Return what is wrong in a line of a loop in which the first wrong value appears."""
        for some, one in self._suspected() if self.known is not None else ():
            # of many names there is so much that products, which need no run, come first
            few = not self.loops and all(len(names.variables) <= _FEW for *_, names in some.parts)
            found = some.usual() or (some.missing() if few else None)
            if found is None:
                # by a quotient one name may be put in place of another, too
                made = some.made(one)
                found = (None if _is_divided(made) else some._sure(made)) or some.rare() or some._sure(made)
            found = found or (some.missing() if not few and (one.share <= _SOON or not self.loops) else None)
            if found is not None:
                return found
        return None

    def product(self) -> Found | None:
        """Return a product that is missing in a line in which the first wrong value appears."""
        return next((found for some, one in self._suspected() if (found := some.products(one)) is not None), None)

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
        # what is called is wrong before what calls it
        for body, sites, names in sorted(self.parts, key=lambda part: self._calls(part[0])):
            with quiet():
                suspects = list(suspects_of(body, self._running(sites), known, names, self.trial.noted))
            # what calls another function is wrong as that is
            own = [one for one in suspects if not self._is_of_another(one.line.value.node)]
            for one in own[:_LINES]:
                inner = [*_within([line.statement for line in (one.line, *(line for line, _ in one.feeding))], sites)]
                trial = replace(self.trial, watch=Watch(known, one.number))
                some = replace(self, known=known, parts=[(body, inner, names)], trial=trial, line=one.line, least=least)
                yield some, one

    def usual(self) -> Found | None:
        """Return what people do most often."""
        return self._sure(self._or_missing(self._likeliest(self._changed(self._alone, 0.0, _USUAL))))

    def _or_missing(self, found: Found | None) -> Found | None:
        """Return a factor that is missing, if that leaves less strange than another name or number does.

        A number in place of a name may be so by chance.
        """
        new = None if found is None else found.rewrite.changes[0].new
        if found is None or not (isinstance(new, ast.Name | ast.Constant) and _is_bare(found.rewrite.node)):
            return found
        path = path_of(found)
        inner = {id(node) for node in ast.walk(path[0])}
        # the other parts of the statement first: to look at all may take too long
        near = [(body, [one for one in sites if id(one.node) in inner], names) for body, sites, names in self.parts]
        missing = None
        for some in (replace(self, parts=near), self):
            left = self.trial.budget.left
            missing = missing or some._likeliest(some._beside(_factors), left - left // _COMPARED)
        number = isinstance(found.rewrite.node, ast.Constant)
        added = any(isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add | ast.Sub) for one in path[-2:-1])
        added &= missing is None or missing.rewrite.node is not found.rewrite.node
        if missing is not None and missing.rewrite.kind == "factor" and number and not added and self._is_sure(found):
            # a number that is missing may as well be part of one that stands there
            return found
        chance = isinstance(new, ast.Constant) and (added or isinstance(found.rewrite.node, ast.Name))
        if missing is None or self._is_sure(missing) < self._is_sure(found):
            return found
        if self._is_sure(missing) == self._is_sure(found) and (
            self._left_strange(missing) >= self._left_strange(found) + chance
        ):
            return found
        return missing

    def rare(self) -> Found | None:
        """Return another number, or something else that is rarer."""
        return self._sure(self._or_missing(self._likeliest(self._changed(self._alone, _USUAL, math.inf))))

    def missing(self) -> Found | None:
        """Return what is missing: a line, or something beside an expression."""
        return self._sure(self._likeliest(self._absent()))

    def rest(self) -> Found | None:
        """Return what is rarer, or missing."""
        some = [*self._changed(self._alone, _USUAL, math.inf), *self._absent()]
        return self._sure(self._or_missing(self._likeliest(some, self.trial.budget.left // 3)))

    def _alone(self, sites: Sequence[Site], names: Names) -> Iterator[Rewrite]:
        """Yield the changes that do something alone."""
        return rewrites_of(self._running(sites), names)

    def _running(self, sites: Sequence[Site]) -> list[Site]:
        return [site for site in sites if id(site.node) not in self.idle]

    def _absent(self) -> Iterator[Candidate]:
        yield from self._changed(repeated_lines)
        yield from self._changed(moved_lines)
        yield from self._beside(_from_pool, whole=self.line is None)

    def products(self, suspect: Suspect) -> Found | None:
        """Return a product that is missing in a line, or in one that gives it its values."""
        return self._sure(self.made(suspect))

    def made(self, suspect: Suspect) -> Found | None:
        """Return the same, whatever speaks against it."""
        known = self.known
        if known is None:
            return None
        times = {id(line.value.node): time for line, time in suspect.feeding if time}
        times |= {id(node): suspect.number for node in islice(ast.walk(suspect.line.value.node), _INNER)}
        parts = [(body, [one for one in sites if id(one.node) in times], names) for body, sites, names in self.parts]
        some = replace(self, parts=parts)
        return some._likeliest(some._beside(_products(known), times), self.least)

    def valued(self, values: Values | None) -> Found | None:
        """Return where a value of the derivative is missing, or should stand."""
        return None if values is None else self._likeliest(self._valued(values), self.trial.budget.left // 8)

    def _valued(self, values: Values) -> Iterator[Candidate]:
        least, asked = self.trial.budget.left // 3, self.trial.asked

        def right(value: Value, rewrite: Rewrite, body: Body, probe: Probe, gradient: Changed) -> Found | None:
            def before(beside: Nearby) -> None:
                row = next(row for row, one in zip(value.at, asked, strict=True) if one is beside)
                # the code may write into it
                probe.space[value.name] = row.copy()

            probe.change = value.operation, value.name
            found = self.trial.is_right(body, gradient, before)
            before(asked[0])
            return Found(rewrite, body) if found else None

        for body, sites, _ in self.parts:
            for site in filter(is_value, sites):
                change, probe = probed(site, body)
                with quiet():
                    gradient = self.trial.noted(body, [change])
                    if gradient is None or not self.trial.budget.has(least):
                        continue
                    run = functools.partial(self.trial.value, body, gradient)
                    for one in values_beside(site, probe, values, run, asked[0]):
                        rewrite = one.rewrite(values)
                        yield Candidate(rewrite.cost, functools.partial(right, one, rewrite, body, probe, gradient))

    def _beside(
        self, makes: Callable[[Names], Insertions], times: Mapping[int, int] = _NONE, *, whole: bool = False
    ) -> Iterator[Candidate]:
        """Yield what may be missing beside an expression; ``times``: when its value is looked at.

        ``whole``: whether lines may be missing, too, and sums of the gradient are asked.
        """
        known = self.known or self.computed()

        def right(insertion: Insertion, body: Body, probe: Probe, gradient: Changed) -> Found | None:
            probe.change = insertion.operation, insertion.item.text
            return self._tried(insertion.rewrite, body, gradient)

        for body, sites, names in self.parts:
            make = makes(names)
            for site in (*filter(is_value, self._running(sites)), *(gaps_of(sites, names) if whole else ())):
                self.trial.budget.spend(_MADE)
                change, probe = probed(site, body, times.get(id(site.node), _LATER))
                with quiet():
                    gradient = self.trial.noted(body, self._watched([change], body))
                    if gradient is None:
                        continue
                    some = []
                    wanted = None
                    if whole:
                        run, here = functools.partial(self.trial.value, body, gradient), self.trial.asked[0]
                        wanted = needed(probe, run, here, self.trial.budget.left // (_MOVED * self.trial.run))
                        if wanted is None and site.after is not None and isinstance(site.node, ast.Subscript):
                            # of what else may be added to a part there is too much
                            continue
                        probe.factor = multiple(probe, run, here)
                    with self.trial.limited(LOOKED_AT):
                        some = [*make(site, probe)]
                        if wanted is not None:
                            self.trial.budget.spend(_MULTIPLIED)
                            told = [*fitting(some, probe, wanted), *products_of(site, names, probe, wanted)]
                            # of what has more elements than before the sums tell nothing
                            size, less = (np.size(probe.times[0][0]), _SUMMED) if wanted.stays else (-1, 0.0)
                            some = [one for one in some if np.size(one.made) > size]
                            some += [replace(one, item=replace(one.item, cost=one.item.cost - less)) for one in told]
                        some = likelier(some, known, self.trial.times)
                    for one in some:
                        yield Candidate(one.item.cost, functools.partial(right, one, body, probe, gradient))

    def _changed(
        self, makes: Callable[[Sequence[Site], Names], Iterable[Rewrite]], low: float = 0.0, high: float = math.inf
    ) -> Iterator[Candidate]:
        """Yield the changes of some kind and at some costs."""
        switches = {id(body): Switches(body) for body, *_ in self.parts}

        def make(body: Body, changes: Sequence[Change]) -> Changed | None:
            return self.trial.compiled(body, self._watched(changes, body))

        def right(rewrite: Rewrite, body: Body) -> Found | None:
            own = functools.partial(make, body)
            self.trial.budget.spend(_SWITCHED)
            gradient = switches[id(body)].gradient(rewrite.changes, own)
            if gradient is None:
                gradient = own(rewrite.changes)
            return None if gradient is None else self._tried(rewrite, body, gradient)

        for body, sites, names in self.parts:
            for one in makes(sites, names):
                self.trial.budget.spend(_WRITTEN)
                if low <= one.cost < high:
                    yield Candidate(one.cost, functools.partial(right, one, body))

    def _tried(self, rewrite: Rewrite, body: Body, gradient: Changed) -> Found | None:
        """Return a change if it makes the gradient right, and what may be said against it."""
        if not self.trial.is_right(body, gradient):
            return None
        if self._does_nothing(rewrite, body):
            return None
        if self._makes_a_number(rewrite, body):
            return Found(rewrite, body, _NUMBER)
        by_chance = self._is_right_beside_others(rewrite, gradient) is False
        doubt = _CHANCE if by_chance else _OTHER_CODE if self._runs_other_code(gradient) else ""
        return Found(rewrite, body, doubt)

    def _makes_a_number(self, rewrite: Rewrite, body: Body) -> bool:
        """Tell whether another operation makes half or twice of a number: 3 - 1 is half of 3 + 1."""
        match rewrite.node, rewrite.changes:
            case ast.BinOp() as old, [Change(owner, place, index, ast.BinOp() as new)] if (
                old.left is new.left and old.right is new.right
            ):
                change, probe = probed(Site(rewrite.node, owner, place, index), body)
                self.trial.noted(body, [change])
                with contextlib.suppress(Exception):
                    value, names = probe.seen or (math.nan, {})
                    other = value_of(text_of(new), probe.space, names)
                    return any(np.array_equal(other, times * value) for times in (2, 0.5))
        return False

    def _does_nothing(self, rewrite: Rewrite, body: Body) -> bool:
        """Tell whether a function that is put around an expression gives the same whatever that is.

        Or whether a line that is moved does nothing at its new place.
        """
        match rewrite.changes:
            case [Change(), Change() as later] if rewrite.kind == "stale":
                gone = replace(later, new=ast.copy_location(ast.Pass(), rewrite.node))
                gradient = self.trial.compiled(body, [gone])
                return gradient is not None and self.trial.is_right(body, gradient)
            case [Change(new=ast.Call(called, [ast.expr() as inner], [])) as change] if inner is rewrite.node:
                for times in _MULTIPLES:
                    moved = ast.BinOp(inner, ast.Mult(), ast.Constant(times))
                    other = ast.fix_missing_locations(ast.copy_location(ast.Call(called, [moved], []), inner))
                    gradient = self.trial.compiled(body, [replace(change, new=other)])
                    if gradient is None or not self.trial.is_right(body, gradient):
                        return False
                return True
        return False

    def _is_right_beside_others(self, rewrite: Rewrite, gradient: Changed) -> bool | None:
        """Tell whether a gradient is right beside other data, too; None where that is unknown or costs too much."""
        right, budget, cost = None, self.trial.budget, _MEASURED * self.trial.run
        new = rewrite.changes[0].new
        # a number of the function's in place of another one would not change with it
        put_in = isinstance(rewrite.node, ast.Constant) and isinstance(new, ast.Constant)
        known = self.other is not None and not (put_in and self.other.may_hold(new.value))
        if self.other is not None and known and budget.left > 2 * cost:
            budget.spend(self.trial.run if self.other.measured else cost)
            with self.trial.limited(LOOKED_AT):
                right = self.other.is_right(gradient.gradient)
        return right

    def _runs_other_code(self, gradient: Changed) -> bool:
        """Tell whether lines run that did not before; not where that costs too much."""
        budget, cost = self.trial.budget, _FOLLOWED * self.trial.run
        if not self.asleep or budget.left <= 2 * cost:
            return False
        budget.spend(cost)
        problem = replace(self.trial.problem, gradient=gradient)
        return not run_of(lambda: problem.claim(problem.x))[2].isdisjoint(self.asleep)

    def _is_sure(self, found: Found) -> bool:
        """Tell whether nothing speaks against a change."""
        told = self.other is not None and self.other.tells
        return not found.doubt or (found.doubt == _CHANCE and not told)

    def _sure(self, found: Found | None) -> Found | None:
        """Return what is not in doubt, or no longer, and keep what is: it is told if there is nothing else."""
        if found is not None:
            # another may not be there
            self.trial.budget.spend(0 if self.doubtful or self._is_sure(found) else self.trial.budget.left // 2)
            self.doubtful.append(found)
        return next(filter(self._is_sure, self.doubtful), None)

    def _likeliest(self, some: Iterable[Candidate], least: int | None = None) -> Found | None:
        """Return the change that leaves the fewest strange values, of those that cost little more than the cheapest.

        What is in doubt only if there is no other. ``least``: what must be left of the budget; half of what is left.
        """
        budget, right, sure = self.trial.budget, list[Found](), list[Found]()
        least = max(budget.left // 2, self.least) if least is None else least
        with quiet():
            for one in sorted(some, key=lambda one: one.cost):
                over = bool(sure) and one.cost > sure[0].rewrite.cost + _ALIKE
                if over or len(sure) == _KEPT or not budget.has(least):
                    break
                change = one.right()
                if change is None:
                    continue
                if not right and not self.is_repeated():
                    # what other changes have left behind must not have helped
                    return None
                right.append(change)
                before, sure = sure, [*filter(self._is_sure, right)]
                if sure and not before:
                    # loops are slow
                    part = budget.left // (_COMPARED * (4 if self.known is not None else 1))
                    least = max(least, budget.left - part)
            found = [one for one in sure or right if one.rewrite.cost <= (sure or right)[0].rewrite.cost + _ALIKE]
            return self._best(found[:_KEPT] if len(found) < 2 or self.is_repeated() else found[:1])

    def _best(self, found: Sequence[Found]) -> Found | None:
        """Return what leaves the fewest strange values, with what does so as well."""
        best = [*found]
        with contextlib.suppress(Exhausted):
            left = [*map(self._left_strange, found)] if len(found) > 1 else [0] * len(found)
            best = [one for one, k in zip(found, left, strict=True) if k <= min(left) + _allowed(one)]
            # of a value without a factor nobody knows whether it has to be known, but for those beside it
            near = [
                one
                for one, k in zip(found, left, strict=True)
                if k <= min(left) + 1 and one.rewrite.kind == "chain factor"
            ]
            best += [one for one in near if one not in best and not one.is_in_line_of(best[0])]
            # the whole product is asked
            best += [one for one in found if one not in best and one.says_as(best[0])]
            best += [one for one in found if one not in best and any(part.is_part_of(one) for part in best)]
            # a value that another function gives may be wrong there
            best += [one for one in found if one not in best and _is_called_in(one.body, best[0].rewrite.node)]
            # what another function returns is wrong there
            best = [one for one in best if not self._only_calls(one)] or best
            # nor is what it is given, or what hands its value on
            others = [one for one in best[1:] if not self._is_of_another(one.rewrite.changes[0].owner)]
            best[1:] = [one for one in others if one.body.computes or not best[0].body.computes]
        return replace(best[0], others=tuple(best[1:])) if best else None

    def _calls(self, body: Body) -> int:
        """Count the functions that can be changed and are called, one by the other, from one of them."""
        called, waiting = list[Body](), [body]
        while waiting:
            names = {called_name(node) for node in ast.walk(waiting.pop().definition)}
            more = [one for one, *_ in self.parts if one.function.__name__ in names and one not in (body, *called)]
            called, waiting = [*called, *more], [*waiting, *more]
        return len(called)

    def _is_of_another(self, node: Any) -> bool:
        """Tell whether an expression calls another function that can be changed, and does nothing else."""
        return called_name(node) in {body.function.__name__ for body, *_ in self.parts}

    def _only_calls(self, found: Found) -> bool:
        """Tell whether a change is of all that a function returns, and that is another one's."""
        definition = found.body.definition
        returned = [one.value for one in ast.walk(definition) if isinstance(one, ast.Return)]
        whole = [definition.body] if isinstance(definition, ast.Lambda) else returned
        return found.rewrite.node in whole and self._is_of_another(found.rewrite.node)

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


def _from_pool(names: Names) -> Insertions:
    pool = list(pool_of(names))
    return lambda site, probe: insertions_of(site, pool, probe)


def _factors(names: Names) -> Insertions:
    factors = [item for item in pool_of(names) if "*" in item.operations]
    return lambda site, probe: (one for one in insertions_of(site, factors, probe) if one.operation in "*/")


def _products(known: Known) -> Callable[[Names], Insertions]:
    return lambda names: lambda site, probe: products_of(site, names, probe, known)


def _is_called_in(body: Body, node: Any) -> bool:
    return any(called_name(one) == body.function.__name__ for one in ast.walk(node))


def _is_divided(found: Found | None) -> bool:
    """Tell whether what is put in beside an expression has a divisor of its own."""
    new = None if found is None else found.rewrite.changes[0].new
    return isinstance(new, ast.BinOp) and isinstance(new.right, ast.BinOp) and isinstance(new.right.op, ast.Div)


def _is_bare(node: ast.AST) -> bool:
    node = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(node, ast.Name | ast.Constant | ast.Attribute)


def _allowed(found: Found) -> int:
    """Return how many values more may be strange: half of a value, and what is subtracted, may be known."""
    return int(found.rewrite.kind in ("sign", "factor"))


def _within(lines: Sequence[Site], sites: Sequence[Site]) -> Iterator[Site]:
    """Yield lines, what they are made of, and the lines before them, which may have to change places with them."""
    inner = {id(node) for line in lines for node in ast.walk(line.node)}
    before = {(id(line.owner), line.field, (line.index or 0) - 1) for line in lines}
    for site in sites:
        if id(site.node) in inner or (id(site.owner), site.field, site.index) in before:
            yield site
