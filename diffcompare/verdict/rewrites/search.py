"""The smallest change of the source of a wrong gradient that makes it right: tried at the point, held at three more."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from types import CodeType

import numpy as np

from diffcompare.program.dag import needed_nodes
from diffcompare.tracing.origins import Origin, Origins
from diffcompare.tracing.places import Written, code_of, written
from diffcompare.tracing.spans import definition_of, position_of
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.causes.budget import Budget, Exhausted
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.pair import Pair
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.rewrites.agreement import Told
from diffcompare.verdict.rewrites.apart import APART, CutShort, Failed, apart, given_more, given_seconds
from diffcompare.verdict.rewrites.first_wrong import known_values
from diffcompare.verdict.rewrites.located import located
from diffcompare.verdict.rewrites.names import names_of
from diffcompare.verdict.rewrites.needed import times_of
from diffcompare.verdict.rewrites.other_data import OtherData
from diffcompare.verdict.rewrites.rewriting import Rewriting
from diffcompare.verdict.rewrites.running import COMPREHENSIONS, Body, bodies_of
from diffcompare.verdict.rewrites.syntax import sites_of
from diffcompare.verdict.rewrites.trial import Trial, run_of
from diffcompare.verdict.rewrites.values import Values
from diffcompare.verdict.value_and_gradient import whole_of

__all__ = ["search"]

# operations that a search takes, with the usual budget, and those to find a place; the part of the time for the first
_SEARCHED, _LOCATED, _SHARE = 800_000_000, 120_000_000, 0.75
# operations that running one line of Python takes, and the shortest gradient
_LINE, _SHORTEST = 60, 7_000
# loops of so many nodes are rather run again than evaluated node by node
_MANY = 250
# of a search that has not ended
_CUT = "the search of the source for what is wrong was cut short; with a larger budget it may find more"
_FAILED = "the search of the source for what is wrong failed, which is an error of diffcompare ({}): please report it"

Place = tuple[str, int | None, int | None, int | None, int | None]


def search(
    problem: Problem,
    traces: ArrayPair | Pair | None,
    asked: Sequence[Nearby],
    components: Sequence[int],
    values: Callable[[], Values | None],
) -> tuple[Told | None, str]:
    """Mark what is wrong in some components, and say why the search did not end: in a copy of the process.

    ``values``: those of function and derivative; None where they cannot be followed.
    """

    def find() -> tuple[Told | None, bool]:
        more, found, cut = given_more(), None, False
        budget = Budget(int(_SEARCHED * more), _SHARE * given_seconds())
        try:
            some = _prepared(problem, traces, asked, components, budget)
            if some is None or not some.is_repeated():
                return None, False
        except Exhausted:
            return None, True
        try:
            some = some.with_kinds()
            found = some.found(values)
        except Exhausted:
            cut = True
        if found is not None:
            return found.told(components), False
        cut |= budget.is_short
        budget.left, budget.until = int(_LOCATED * more), math.inf
        with suppress(Exhausted):
            marks = located(some.parts, some.trial, some.known or some.computed(), some.idle)
            return (marks, None) if marks else None, cut
        return None, cut

    try:
        told, cut = apart(find) or (None, False)
    except CutShort:
        return None, _CUT
    except Failed as error:
        return None, _FAILED.format(error)
    return told, _CUT if cut else ""


def _prepared(
    problem: Problem,
    traces: ArrayPair | Pair | None,
    asked: Sequence[Nearby],
    components: Sequence[int],
    budget: Budget,
) -> Rewriting | None:
    """Read the sources; None where they are not known."""
    lines, own, ran = run_of(lambda: problem.claim(problem.x))
    shared = run_of(lambda: problem.values(problem.x))[1]
    if traces is not None:
        # what gives constants alone leaves no trace
        silent = {place: code for place, code in own.items() if place not in shared}
        shared, own = (_codes(part.origins) for part in (traces.function, traces.gradient))
        own = {**silent, **own}
    bodies = bodies_of(
        problem.gradient,
        own.keys() - shared.keys(),
        function=problem.function,
        shared=_of_both(problem, traces),
    )
    if not bodies:
        return None
    # what only hands on what it is given comes last
    bodies.sort(key=lambda body: not body.computes)
    nodes, run = _work(lines, traces)
    trial = Trial(problem, asked, budget, run, times=_times(asked))
    codes = [code for code in (*shared.values(), code_of(problem.function)) if code is not None]
    function = [definition for definition in map(definition_of, dict.fromkeys(codes)) if definition is not None]
    for beside in asked[1:]:
        ran |= run_of(functools.partial(problem.claim, beside.point))[2]
    sites = [list(sites_of(body.definition)) for body in bodies]
    parts = [(body, some, names_of(body, some, function)) for body, some in zip(bodies, sites, strict=True)]
    looping = any(isinstance(node, ast.For) for body in bodies for node in ast.walk(body.definition))
    idle = [(body, node) for body in bodies for node in _idle(body, ran)]
    asleep = {(body.function.__code__.co_filename, node.lineno) for body, node in idle if isinstance(node, ast.stmt)}
    other = OtherData(problem, asked[0]) if APART else None
    still = frozenset(id(node) for _, node in idle)
    rewriting = Rewriting(parts, trial, loops=looping, idle=still, other=other, asleep=asleep)
    if traces is None:
        return rewriting
    noted, asked_for = _places_of(traces, components)
    unasked = frozenset(id(node) for body in bodies for node in _unasked(body, noted, asked_for))
    rewriting = replace(rewriting, unasked=unasked - still)
    if nodes <= _MANY:
        return replace(rewriting, computed=functools.cache(functools.partial(known_values, traces, problem.x, budget)))
    return replace(rewriting, known=known_values(traces, problem.x, budget))


def _idle(body: Body, ran: Collection[tuple[str, int]]) -> Iterator[ast.AST]:
    """Yield what stands in statements of which no line ran: changed alone they change nothing."""
    file = body.function.__code__.co_filename
    for node in ast.walk(body.definition):
        if isinstance(node, ast.stmt) and not any(
            (file, line) in ran for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        ):
            yield from ast.walk(node)


def _unasked(body: Body, noted: Collection[Place], asked_for: Collection[Place]) -> Iterator[ast.AST]:
    """Yield what stands in statements whose values are nodes, but none that is asked for.

    What nobody reads is not meant: it may be another thing's by mistake.
    """
    file, nodes = body.function.__code__.co_filename, list(ast.walk(body.definition))
    filled = {id(node.value) for node in nodes if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)}
    names = [node for node in nodes if isinstance(node, ast.Name)]
    read = {node.id for node in names if isinstance(node.ctx, ast.Load) and id(node) not in filled}
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AugAssign):
            made = node if isinstance(node, ast.AugAssign) else node.value
            place = file, made.lineno, made.end_lineno, made.col_offset, made.end_col_offset
            targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
            written = {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
            if place in noted and place not in asked_for and not written.isdisjoint(read):
                yield from ast.walk(node)


def _places_of(traces: ArrayPair | Pair, components: Sequence[int]) -> tuple[set[Place], set[Place]]:
    """Return the places that make nodes of the gradient, and of some of its components."""
    if isinstance(traces, Pair):
        needed = needed_nodes(traces.table.builder.nodes, [traces.G[k] for k in components])
    else:
        needed = traces.build.needed([traces.G])
    own, noted, asked_for = set(needed), set[Place](), set[Place]()
    position = functools.cache(position_of)
    for node, origins in traces.gradient.origins.items():
        for one in origins:
            place = one.code.co_filename, *position(one)
            noted.add(place)
            if node in own:
                asked_for.add(place)
    return noted, asked_for


def _work(lines: int, traces: ArrayPair | Pair | None) -> tuple[int, int]:
    """Return how many nodes the gradient has, and what it takes to run it once."""
    run = _LINE * lines + _SHORTEST
    if traces is None:
        return 0, run
    if isinstance(traces, Pair):
        return len(needed_nodes(traces.table.builder.nodes, traces.G)), run
    nodes = traces.build.needed([traces.G])
    elements = sum(math.prod(traces.build.shape(k)) for k in nodes)
    return len(nodes), run + elements // 12 + traces.work // 24


def _times(asked: Sequence[Nearby]) -> float | None:
    """Return how many times a claim must be taken to be right at all points; None where that differs."""
    certified = np.concatenate([one.certified.reshape(-1) for one in asked])
    return times_of(certified, -np.concatenate([one.claimed.reshape(-1) for one in asked]))


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


def _around(origin: Origin) -> CodeType:
    """Return the code of the function in which a comprehension stands, which has its own before Python 3.12."""
    while origin.code.co_name in COMPREHENSIONS and origin.caller is not None:
        origin = origin.caller
    return origin.code


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
    made = {written(_around(one)) for k in set(claim).difference(value) for one in origins.get(k, ())}
    return made & _codes(traces.function.origins).keys()
