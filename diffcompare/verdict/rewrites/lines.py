"""Changes of lines: what they do with what they write to, their order, and the parts that they write to."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from typing import Any

from diffcompare.verdict.rewrites.running import Change
from diffcompare.verdict.rewrites.syntax import Names, Rewrite, Site, copied, named_slopes, text_of
from diffcompare.verdict.rewrites.twins import renamed

__all__ = [
    "FLIPPED",
    "OPPOSITE",
    "exchanged",
    "moved_lines",
    "of_line",
    "of_places",
    "parts_like",
    "repeated_lines",
    "should_be",
    "unlike",
]

FLIPPED = "this has the wrong sign", "the sign of {} is flipped"
OPPOSITE: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
_WORDS = {ast.Add: "plus", ast.Sub: "minus", ast.Mult: "product", ast.Div: "quotient", ast.MatMult: "matrix product"}


def of_line(site: Site, names: Names) -> Iterator[Rewrite]:
    """Yield other signs, orders and ways to write of a statement, and its being too many."""
    node = site.node
    body = getattr(site.owner, site.field)
    following = body[site.index + 1] if site.index is not None and site.index + 1 < len(body) else None
    if isinstance(node, ast.Return | ast.Assign) and node.value is not None:
        value = node.value
        new = copied(value.operand) if isinstance(value, ast.UnaryOp) else ast.UnaryOp(ast.USub(), value)
        change = Change(node, "value", None, ast.fix_missing_locations(ast.copy_location(new, value)))
        # if all components have the wrong sign, the place is where they are returned
        yield Rewrite(value, (change,), 0.45 if isinstance(node, ast.Return) else 0.85, "sign", *FLIPPED)
    if isinstance(node, ast.Assign | ast.AugAssign):
        yield from _other_way(site)
        yield from _at_each(site)
    if isinstance(node, ast.AugAssign):
        target = text_of(node.target)
        yield from _to_a_part(site, names) if isinstance(node.target, ast.Name) else ()
        if type(node.op) in OPPOSITE:
            opposite = OPPOSITE[type(node.op)]
            said = should_be(type(node.op), opposite)
            other = ast.AugAssign(node.target, opposite(), node.value)
            yield Rewrite(node, (site.replaced(other),), 0.7, "sign", said, said + " in {}")
        words = f"this should be {target} = …", f"{{}} should not add to what {target} holds already"
        yield Rewrite(node, (site.replaced(ast.Assign([node.target], node.value)),), 1.1, "extra term", *words)
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name | ast.Subscript):
        target = text_of(node.targets[0])
        # what is made of itself is not overwritten
        uses = any(isinstance(one, ast.expr) and text_of(one) == target for one in ast.walk(node.value))
        for op, sign, cost in ((ast.Add, "+", 0.9), (ast.Sub, "-", 1.3)):
            kind, this = "accumulation", f"this overwrites {target}, and should be {target} {sign}= …"
            cause = f"{{}} overwrites {target} and should be accumulated ({sign}=): only the last contribution is left"
            if uses:
                term = target if op is ast.Add else f"-{target}"
                kind, this, cause = "missing term", f"the term {term} is missing", f"the term {term} is missing in {{}}"
            added = ast.AugAssign(node.targets[0], op(), node.value)
            yield Rewrite(node, (site.replaced(added),), cost, kind, this, cause)
    if site.index is not None and isinstance(following, ast.Assign | ast.AugAssign):
        changes = tuple(Change(site.owner, site.field, site.index + k, one) for k, one in enumerate((following, node)))
        said = f"should stand before line {node.lineno}"
        words = f"this {said}", f"{{}} {said}: one of the two takes a stale value"
        yield Rewrite(following, changes, 1.1, "stale", *words)
        if _are_parts(node, following) and text_of(node.value) != text_of(following.value):
            # what is written into two parts of something, each into the other
            both = ((node, following.value), (following, node.value))
            values = tuple(Change(line, "value", None, value) for line, value in both)
            said = f"{text_of(node.value)} and {text_of(following.value)} should be exchanged"
            yield Rewrite(node, values, 1.15, "permuted", said, said, (following,))
    if isinstance(node, ast.Assign | ast.AugAssign) and len(body) > 1:
        words = "this line does not belong here", "the line {} is too many"
        yield Rewrite(node, (site.replaced(ast.Pass()),), 1.3, "extra term", *words)


def _are_parts(one: Any, other: Any) -> bool:
    """Tell whether two lines write into parts of the same."""
    targets = [getattr(line, "target", None) or getattr(line, "targets", [None])[0] for line in (one, other)]
    parts = [text_of(target.value) for target in targets if isinstance(target, ast.Subscript)]
    return len(parts) == len(targets) and parts[0] == parts[1]


def _other_way(site: Site) -> Iterator[Rewrite]:
    """What is read where it should be written, and written where it should be read: an adjoint goes the other way."""
    node = site.node
    target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
    if not isinstance(target, ast.Subscript):
        return
    for read in ast.walk(node.value):
        if isinstance(read, ast.Subscript) and text_of(read.slice) != text_of(target.slice):
            changes = Change(target, "slice", None, read.slice), Change(read, "slice", None, target.slice)
            words = f"{text_of(target.slice)} and {text_of(read.slice)} should be exchanged"
            yield Rewrite(node, changes, 1.15, "shifted", words, f"the indices {words} in {{}}")


def _at_each(site: Site) -> Iterator[Rewrite]:
    """What is written into chosen elements, added to each as often as it is chosen."""
    node = site.node
    target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
    minus = isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub)
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Name | ast.Tuple | ast.Subscript):
        at = ast.parse("np.subtract.at" if minus else "np.add.at", mode="eval").body
        array = ast.Name(target.value.id, ast.Load()) if isinstance(target.value, ast.Name) else copied(target.value)
        added = ast.Expr(ast.Call(at, [array, target.slice, node.value], []))
        said = f"{ast.unparse(at)}: what {text_of(target)} chooses more than once gets the last contribution alone"
        this, cause = f"this should be accumulated with {said}", f"{{}} should be accumulated with {said}"
        yield Rewrite(node, (site.replaced(added),), 0.95, "accumulation", this, cause)


def _to_a_part(site: Site, names: Names) -> Iterator[Rewrite]:
    """Yield what adds to a part of an array, or of what is added that part."""
    node = site.node
    inner = {text_of(one.slice): one.slice for one in ast.walk(node.value) if isinstance(one, ast.Subscript)}
    chosen = [*(ast.Name(name, ast.Load()) for name in names.indices if name not in inner), *inner.values()]
    whole = [(index, node.value, 1.2) for index in chosen]
    # to no element where the array is short: then the line is too many
    parts = [(index, ast.Subscript(node.value, index, ast.Load()), 1.32) for index in _slices(names)]
    for index, added, cost in (*whole, *parts):
        part = ast.Subscript(ast.Name(node.target.id, ast.Load()), index, ast.Store())
        words = f"this should be added to {text_of(part)}", f"{{}} should be added to {text_of(part)} alone"
        yield Rewrite(node, (site.replaced(ast.AugAssign(part, node.op, added)),), cost, "shifted", *words)


def repeated_lines(sites: Sequence[Site], names: Names) -> Iterator[Rewrite]:
    """Yield what may be missing after a line that adds to a part of something: its like for another part.

    After two lines it is what takes the sum of both away, as forces on a third thing do; after one that carries
    something along it is the one that carries its slope.
    """
    likes = [(site, more) for site in sites for more in (*_likes(site.node, names), *_slopes(site.node, names))]
    yield from _missing(sites, ((site, more, 1.15) for site, more in (*likes, *_opposite(sites, names))))


def _slopes(node: Any, names: Names) -> Iterator[ast.stmt]:
    """Yield what a line does with what slopes are named after: dm = dm + dg where it is m = m + g."""
    match node:
        case ast.Assign([ast.Name(own)]) | ast.AugAssign(ast.Name(own)):
            for some in named_slopes(names.variables):
                slope_of = {name: slope for slope, name in some.items()}
                if own in slope_of:
                    yield renamed(node, slope_of)


def _opposite(sites: Sequence[Site], names: Names) -> Iterator[tuple[Site, ast.stmt]]:
    """Yield what takes away from a third part what two lines, one after the other, add to two parts."""
    for site in sites:
        before = None if not site.index else getattr(site.owner, site.field)[site.index - 1]
        match before, site.node:
            case (
                ast.AugAssign(ast.Subscript(ast.Name(one), low), ast.Add() | ast.Sub() as op, first),
                ast.AugAssign(ast.Subscript(ast.Name(other) as array, high), same, second),
            ) if one == other and type(op) is type(same):
                both, third = ast.BinOp(first, ast.Add(), second), OPPOSITE[type(op)]
                written = {text_of(low), text_of(high)}
                for index in parts_like(high, names):
                    if text_of(index) not in written:
                        yield site, ast.AugAssign(ast.Subscript(array, index, ast.Store()), third(), both)


def moved_lines(sites: Sequence[Site], names: Names) -> Iterator[Rewrite]:
    """Yield what may be missing after another line that adds something up: the like of a line for another part."""
    adding = [site for site in sites if isinstance(site.node, ast.AugAssign)]
    likes = [(one.node, more) for one in adding for some in _factors(one.node) for more in _likes(some, names)]
    yield from _missing(sites, ((site, more, 1.2) for site in adding for node, more in likes if node is not site.node))


def _factors(node: ast.AugAssign) -> Iterator[ast.AugAssign]:
    """Yield a line, and those that add one factor of a product alone."""
    yield node
    if isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.Mult):
        yield from (ast.AugAssign(node.target, node.op, one) for one in (node.value.right, node.value.left))


def _missing(sites: Sequence[Site], some: Iterable[tuple[Site, ast.stmt, float]]) -> Iterator[Rewrite]:
    """Say of lines that they are missing after others: each once in a block, after the one that it is most like."""
    lines = {text_of(site.node) for site in sites if isinstance(site.node, ast.stmt)}
    nearest: dict[tuple[int, str, str], tuple[int, Rewrite]] = {}
    for site, more, cost in some:
        text = text_of(ast.fix_missing_locations(ast.copy_location(more, site.node)))
        # a line once more is twice what it is
        if text in lines:
            continue
        distance, block = unlike(text, text_of(site.node)), (id(site.owner), site.field, text)
        if block not in nearest or distance < nearest[block][0]:
            words = f"the line {text} is missing"
            both = ast.If(ast.Constant(True), [site.node, more], [])
            rewrite = Rewrite(site.node, (site.replaced(both),), cost, "missing term", words, words + " after {}")
            nearest[block] = distance, rewrite
    yield from (rewrite for _, rewrite in nearest.values())


def unlike(one: str, other: str) -> int:
    """Count the words that differ; another sign counts as two."""
    parts = [re.findall(r"\w+|\S", text) for text in (one, other)]
    differing = sum(2 if "-" in pair or "+" in pair else 1 for pair in zip(*parts, strict=False) if len({*pair}) > 1)
    return differing + 2 * abs(len(parts[0]) - len(parts[1]))


def _likes(node: Any, names: Names) -> Iterator[ast.stmt]:
    """Yield lines that add as much to another part of what a line adds to, or what nothing reads, or take it away."""
    match node:
        case ast.AugAssign(ast.Subscript(array, index), _, value):
            for other, added in (*_more(index, value, names), *_along_other_axis(index, value, names)):
                for op in (ast.Add, ast.Sub):
                    yield ast.AugAssign(ast.Subscript(array, other, ast.Store()), op(), added)
        case ast.Expr(ast.Call(ast.Attribute(_, "at") as called, [array, index, value], [])):
            for other, added in _more(index, value, names):
                for one in (added, added.operand if isinstance(added, ast.UnaryOp) else ast.UnaryOp(ast.USub(), added)):
                    yield ast.Expr(ast.Call(called, [array, other, one], []))


def _more(index: Any, value: Any, names: Names) -> Iterator[tuple[Any, Any]]:
    """Yield other parts and what may be added to them; what nothing reads comes first."""
    others = {text_of(ast.Subscript(value, one, ast.Load())): one for one in parts_like(index, names)}.values()
    for name in names.unused:
        yield from ((other, ast.Name(name, ast.Load())) for other in (index, *others))
    for other in others:
        yield other, value
        match index, other:
            case ast.Constant(int() as own), ast.Constant(int() as number):
                yield other, _Moved(number - own).visit(copy.deepcopy(value))


class _Moved(ast.NodeTransformer):
    """Takes elements that follow those that numbers choose by some steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        match node.slice:
            case ast.Constant(int() as number) if number + self.steps >= 0:
                node.slice = ast.Constant(number + self.steps)
        return node


def _along_other_axis(index: Any, value: Any, names: Names) -> Iterator[tuple[Any, Any]]:
    """Yield the same parts along the other axis: of a[1:] -= b[:-1] that is a[:, 1:] -= c[:, :-1]."""
    other = _other_axis(index)
    read = [one for one in ast.walk(value) if isinstance(one, ast.Subscript) and _other_axis(one.slice)]
    arrays = [one.value for one in read if isinstance(one.value, ast.Name)]
    if other is None or not arrays:
        return
    strange = frozenset[str]().union(*(names.strange.get(id(one), ()) for one in arrays))
    for name in (None, *(name for name in names.variables if name not in strange)):
        turned = copy.deepcopy(value)
        for one in ast.walk(turned):
            if isinstance(one, ast.Subscript) and (slices := _other_axis(one.slice)) is not None:
                one.slice = slices
                one.value = one.value if name is None else ast.Name(name, ast.Load())
        yield other, turned


def _other_axis(index: Any) -> ast.Slice | ast.Tuple | None:
    match index:
        case ast.Slice(ast.expr(), _, _) | ast.Slice(_, ast.expr(), _):
            return ast.Tuple([ast.Slice(), index], ast.Load())
        case ast.Tuple([ast.Slice(None, None, None), ast.Slice() as second]):
            return second
        case ast.Tuple([ast.Slice() as first, ast.Slice() as second]):
            return ast.Tuple([second, first], ast.Load())
    return None


def parts_like(index: Any, names: Names) -> Iterator[Any]:
    """Yield what a line for another part may have as its index: a variable elsewhere in it, another number."""
    yield from _other_parts(index, names)
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    owners = {part.id for part in parts if isinstance(part, ast.Name)}
    # each variable by another one, wherever it stands, then each part alone
    for own in sorted(owners):
        for name in names.indices:
            some = [ast.Name(name, ast.Load()) if isinstance(p, ast.Name) and p.id == own else p for p in parts]
            yield _index_of(some) if name != own else index
    texts = [*names.indices, *names.chosen]
    for k, part in enumerate(parts):
        near: list[ast.expr] = []
        if isinstance(part, ast.Constant) and isinstance(part.value, int):
            near = [ast.Constant(number) for number in range(4) if number != part.value]
        elif not isinstance(part, ast.Slice):
            near = [ast.parse(text, mode="eval").body for text in texts if text != text_of(part)]
        yield from (_index_of([*parts[:k], one, *parts[k + 1 :]]) for one in near)


def _index_of(parts: Sequence[Any]) -> Any:
    return ast.Tuple([*parts], ast.Load()) if len(parts) > 1 else parts[0]


def of_places(site: Site, names: Names) -> Iterator[Rewrite]:
    """Other elements than those that an index chooses, or to which it writes."""
    node = site.node
    others = _other_parts(node.slice, names)
    match node.slice:
        case ast.Name() if isinstance(node.ctx, ast.Load):
            others = []
        case ast.Tuple([ast.Name(own), ast.Name(same)]) if own == same:
            # an element of the diagonal
            some = [name for name in names.indices if name != own]
            others = [ast.Tuple([ast.Name(name, ast.Load())] * 2, ast.Load()) for name in some]
    others = [ast.fix_missing_locations(ast.copy_location(other, node.slice)) for other in others]
    for text, other in {text_of(ast.Subscript(node.value, one, node.ctx)): one for one in others}.items():
        kind, words = "shifted", (f"this should be {text}", f"{{}} stands in place of {text}")
        if "For.iter" in site.around:
            said = f"the loop should run over {text}"
            kind, words = "loop", (said, said + " in place of {}")
        if text not in (text_of(node), text_of(node.value) + "[:]" * isinstance(node.ctx, ast.Load)):
            yield Rewrite(node, (Change(node, "slice", None, other),), 1.1, kind, *words)


def _other_parts(index: Any, names: Names) -> list[Any]:
    """Return what could choose a part in place of an index."""
    match index:
        case ast.Slice():
            return [*_slices(names), *_moved(index)]
        case ast.Name(own):
            return [ast.Name(name, ast.Load()) for name in names.variables if name != own]
        case ast.Tuple(parts):
            swapped = [exchanged(parts, k, k + 1) for k in range(len(parts) - 1)]
            bounded = [k for k, one in enumerate(parts) if isinstance(one, ast.Slice) and (one.lower or one.upper)]
            sliced = [[*parts[:k], other, *parts[k + 1 :]] for k in bounded for other in _other_parts(parts[k], names)]
            return [ast.Tuple(some, ast.Load()) for some in (*swapped, *_stepped(parts), *sliced)]
    return []


def _stepped(parts: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield the parts of an index with a step in another one: [i + 1, j] in place of [i, j + 1]."""
    for k, j in permutations(range(len(parts)), 2):
        match parts[k], parts[j]:
            case ast.BinOp(left, ast.Add() | ast.Sub() as op, ast.Constant() as step), ast.Name() as other:
                moved = {k: copied(left), j: ast.BinOp(other, op, step)}
                yield [moved.get(at, part) for at, part in enumerate(parts)]


def _moved(index: ast.Slice) -> Iterator[ast.Slice]:
    """Yield the slices of as many elements before and after one whose bounds are written as numbers."""
    begin, end = _bound(index.lower), _bound(index.upper)
    if begin is None or end is None:
        return
    if index.step is not None:
        yield from _moved_back(index) if text_of(index.step) == "-1" else ()
        return
    for step in (-1, 1):
        # what is left out at the end is counted from there
        if begin + step >= 0 and (end > 0 or end + step <= 0):
            lower, upper = (ast.Constant(bound) if bound else None for bound in (begin + step, end + step))
            yield ast.Slice(lower, upper)


def _moved_back(index: ast.Slice) -> Iterator[ast.Slice]:
    """Yield the same of one that goes from an element counted from the end to the beginning."""
    first, last = (-1 if one is None else _bound(one) for one in (index.lower, index.upper))
    if first is None or last is None or first >= 0 or (index.upper is not None and last < 0):
        return
    for step in (-1, 1):
        if first + step < 0 and last + step >= -1:
            lower = ast.UnaryOp(ast.USub(), ast.Constant(-first - step)) if first + step < -1 else None
            yield ast.Slice(lower, ast.Constant(last + step) if last + step >= 0 else None, index.step)


def _bound(node: ast.expr | None) -> int | None:
    """Return the bound of a slice, 0 where there is none; None where it is no number."""
    match node:
        case None:
            return 0
        case ast.Constant(int(number)):
            return number
        case ast.UnaryOp(ast.USub(), ast.Constant(int(number))):
            return -number
    return None


def _slices(names: Names) -> list[ast.expr]:
    """Return the slices that may stand in an index, as syntax of its own each time."""
    return [ast.parse(f"_[{text}]", mode="eval").body.slice for text in names.slices]  # type: ignore[attr-defined]


def should_be(op: type[ast.operator], other: type[ast.operator]) -> str:
    """Say that one operator stands in place of another."""
    return f"the {_WORDS[op]} should be a {_WORDS[other]}"


def exchanged(nodes: Sequence[Any], i: int, j: int) -> list[Any]:
    """Return the nodes with two of them in each other's places."""
    return [*nodes[:i], nodes[j], *nodes[i + 1 : j], nodes[i], *nodes[j + 1 :]]
