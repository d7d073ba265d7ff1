"""What function and derivative compute, put in beside an expression: something is missing there that nobody wrote.

Each value is put in once: where the gradient is affine in the expression, that tells which multiple of it would do.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from diffcompare.arithmetic.array_floats import floats_from
from diffcompare.floats import Floats
from diffcompare.tracing.spans import resolved
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.rewrites.first_wrong import are_floats
from diffcompare.verdict.rewrites.insertions import Probe, is_fitting, written
from diffcompare.verdict.rewrites.needed import times_of
from diffcompare.verdict.rewrites.syntax import Rewrite, Site
from diffcompare.verdict.terms import formula

__all__ = ["Value", "Values", "values_beside", "values_of"]

# elements of all nodes, whose values are held at once; values of one size that are put in
_ELEMENTS, _MOST = 4_000_000, 60
_LONGEST = 50
# of a number, what is rounding
_CLOSE = 1e-9
# kind, price, and what is said
_SAID = {
    "*": ("chain factor", 1.8, "factor"), "+": ("missing term", 1.9, "term"), "/": ("chain factor", 2.0, "divisor"),
    "=": ("other value", 2.1, "value"),
}  # fmt: skip
_OPERATORS: dict[str, ast.operator] = {"*": ast.Mult(), "+": ast.Add(), "/": ast.Div()}


@dataclass(frozen=True, slots=True)
class Values:
    """The values of nodes, by their size: at the point, and at the others."""

    pair: ArrayPair
    names: Sequence[str]
    by_size: dict[int, list[tuple[int, list[Floats]]]]


def values_of(pair: ArrayPair, names: Sequence[str], asked: Sequence[Nearby]) -> Values:
    """Evaluate function and derivative."""
    build, found = pair.build, dict[int, list[tuple[int, list[Floats]]]]()
    nodes = build.needed([pair.F, pair.D])
    if sum(math.prod(build.shape(k)) for k in nodes) > _ELEMENTS:
        return Values(pair, names, found)
    at = []
    for beside in asked:
        held: dict[int, Floats] = {build.variables: beside.point}
        floats_from(build, nodes, held, keep=True)
        at.append(held)
    known: set[bytes] = set()
    for k in nodes:
        mark = np.float32(at[0][k]).tobytes()
        if mark not in known and np.isfinite(at[0][k]).all() and at[0][k].any():
            known.add(mark)
            found.setdefault(at[0][k].size, []).append((k, [held[k] for held in at]))
    return Values(pair, names, {size: some[:_MOST] for size, some in found.items()})


@dataclass(frozen=True, slots=True)
class Value:
    """A value that is put in: by an operation, so many times; ``name`` is what it is called in the copy of the code."""

    site: Site
    operation: str
    node: int
    times: float
    name: str
    at: list[Floats]

    def rewrite(self, values: Values) -> Rewrite:
        """It in words."""
        kind, cost, what = _SAID[self.operation]
        new = ast.Name(self.name, ast.Load())
        other = new if self.operation == "=" else ast.BinOp(self.site.node, _OPERATORS[self.operation], new)
        build = values.pair.build
        times = self.node if self.times == 1 else build.apply("multiply", build.constant(self.times), self.node)
        text = formula(build, times, values.names)
        short = len(text) <= _LONGEST and "…" not in text
        if not short and self.times == 1 and (own := _in_function(values.pair, self.node)):
            text, short = f"{own} of the function", True
        cost += 0.01 * len(list(ast.walk(self.site.node))) + 0.3 * (self.times != 1)
        if self.operation == "=":
            this = f"this should be {text}" if short else "this should be another value"
            cause = f"{{}} stands in place of {text if short else 'another value'}"
        else:
            this = f"the {what} {text} is missing" if short else f"a {what} is missing here"
            cause = f"{this.removesuffix(' here')} {'beside' if self.operation == '+' else 'in'} {{}}"
        return Rewrite(self.site.node, (self.site.replaced(other),), cost, kind, this, cause)


def _in_function(pair: ArrayPair, node: int) -> str:
    """Return how the function's source writes a value; nothing where that is long, or not known."""
    spans = filter(None, map(resolved, pair.function.origins.get(node, ())))
    return next((span.text for span in spans if len(span.lines) == 1 and len(span.text) <= _LONGEST), "")


def values_beside(
    site: Site, probe: Probe, values: Values, run: Callable[[], Floats | None], here: Nearby
) -> Iterator[Value]:
    """Yield what makes the gradient right at the point; ``run`` evaluates it with the probe there."""
    if len(probe.times) != 1 or not are_floats(probe.times[0][0]):
        return
    own = np.asarray(probe.times[0][0], dtype=np.float64)
    gap = here.gap.reshape(-1)

    def moved(operation: str, value: Floats | float) -> Floats | None:
        # the code may write into it
        probe.space["__value__"] = np.copy(value) if own.shape else value
        probe.change = operation, "__value__"
        try:
            found = run()
        finally:
            probe.change = None
        return None if found is None else (found - here.claimed).reshape(-1)

    slope = moved("*", 2.0)
    if slope is None or not slope.any() or not np.isfinite(slope).all():
        return
    numbers = values.by_size.get(1, []) if own.size > 1 else []
    for node, at in [*values.by_size.get(own.size, ()), *numbers]:
        row = _repeated(at[0], own.shape)
        for operation in "=*/":
            if operation != "=" and not is_fitting(site, operation):
                continue
            change = moved(operation, row if own.shape else float(row))
            if change is None or not np.isfinite(change).all():
                continue
            whole = change + slope
            name = f"__value_{len(probe.space)}__"
            # a derivative that is put in as a whole tells nothing
            told = operation != "=" or times_of(here.certified, at[0].reshape(-1)) is None
            some = [(operation, times_of(gap - slope, whole))] if told else []
            some += [("+", times_of(gap, whole))] if operation == "=" and is_fitting(site, "+") else []
            for way, times in some:
                if times is not None and any(written(times)):
                    by = times if way != "/" else 1 / times
                    # floats hit a number of few digits by a little
                    few = float(f"{by:.6g}")
                    by = few if abs(by - few) <= _CLOSE * abs(by) else by
                    probe.space[name] = 0.0
                    yield Value(site, way, node, by, name, [by * _repeated(one, own.shape) for one in at])


def _repeated(value: Floats, shape: tuple[int, ...]) -> Floats:
    """Return a value in another shape, a number as often as that takes."""
    return np.full(shape, float(value.item())) if value.size == 1 else value.reshape(shape)
