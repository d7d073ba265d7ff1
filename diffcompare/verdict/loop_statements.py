"""Statements of the user's code around those that are written: kept as they are, in part, or put around others."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Sequence

from diffcompare.errors import UnsupportedFunction
from diffcompare.tracing.loop_names import LoopNames, assigned_names, loaded_names, set_first, written_arrays
from diffcompare.tracing.loops import Loop, is_skipping, text_of

__all__ = ["assignments", "backwards", "headed", "names_of_loop", "setting", "setting_in_loop", "uses"]


def uses(lines: Iterable[str], name: str) -> bool:
    """Tell whether a name stands in code."""
    pattern = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    return any(pattern.search(line) for line in lines)


def assignments(values: dict[str, str]) -> list[str]:
    """Write assignments, each behind those that need what the name was; at once where there is no such order."""
    left = {name: text for name, text in values.items() if name != text}
    if left and all(map(str.isidentifier, left.values())):
        return [f"{', '.join(left)} = {', '.join(left.values())}"]
    found: list[str] = []
    while left:
        free = next((n for n in left if not any(uses([t], n) for m, t in left.items() if m != n)), None)
        if free is None:
            return [*found, f"{', '.join(left)} = {', '.join(left.values())}"]
        found.append(f"{free} = {left.pop(free)}")
    return found


def setting(statement: ast.stmt, wanted: set[str], source: str) -> list[str]:
    """Write what of a statement sets names that are wanted; what it needs is wanted, too."""
    parts = _parts(statement)
    chosen = [part for part in parts if assigned_names([part]) & wanted]
    if any(isinstance(node, ast.Return) for part in chosen for node in ast.walk(part)):
        raise UnsupportedFunction("the function returns before its loop")
    wanted |= loaded_names(chosen)
    if len(chosen) == len(parts):
        return text_of(statement, source).split("\n")
    pairs = [(part.targets[0], part.value) for part in chosen if isinstance(part, ast.Assign)]
    targets, values = ([text_of(pair[k], source) for pair in pairs] for k in (0, 1))
    return f"{', '.join(targets)} = {', '.join(values)}".split("\n") if pairs else []


def _parts(statement: ast.stmt) -> list[ast.stmt]:
    """Split an assignment of several values to as many names."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            starred = any(isinstance(e, ast.Starred) for e in (*target.elts, *value.elts))
            if not assigned_names([target]) & loaded_names([value]) and not starred:
                pairs = zip(target.elts, value.elts, strict=True)
                return [ast.Assign([t], v, lineno=statement.lineno) for t, v in pairs]
    return [statement]


def setting_in_loop(loop: Loop, lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Write the statements of a body that set what does not depend on the point: those before others, those behind."""
    body = loop.body
    moving = loop.runs[-1][1].nodes.keys() | written_arrays(body)
    first = set_first(body)
    wanted = {name for name in assigned_names(body) - moving if uses(lines, name)}
    ahead: list[list[str]] = []
    behind: list[list[str]] = []
    for statement in reversed(body):
        own = assigned_names([statement]) & wanted
        if own:
            (ahead if own & first else behind).insert(0, setting(statement, wanted, loop.source))
            wanted -= moving
    return [line for part in ahead for line in part], [line for part in behind for line in part]


def names_of_loop(loop: Loop, names: LoopNames) -> list[str]:
    """List the names that a loop sets, as they stand in the code."""
    nodes = [node for node in ast.walk(loop.nest[0]) if isinstance(node, ast.Name)]
    nodes.sort(key=lambda node: (node.lineno, node.col_offset))
    own = assigned_names([loop.nest[0]])
    return list(dict.fromkeys([*names.counters.values(), *(node.id for node in nodes if node.id in own)]))


def headed(loop: Loop, names: LoopNames, body: Collection[str]) -> list[str]:
    """Put the loops of the user around a body."""
    found: list[str] = []
    depth = ""
    for one in loop.nest:
        target, over = (text_of(part, loop.source) for part in (one.target, one.iter))
        counter = names.counters.get(one)
        if counter is not None:
            target = f"{counter}, ({target})" if isinstance(one.target, ast.Tuple) else f"{counter}, {target}"
            over = f"enumerate({over})"
        found.append(f"{depth}for {target} in {over}:")
        depth += "    "
        if one is not loop.nest[-1]:
            found += [f"{depth}{line}" for s in one.body[:-1] for line in text_of(s, loop.source).split("\n")]
    for guard in loop.guards:
        if is_skipping(guard):
            found += [f"{depth}{line}" for line in text_of(guard, loop.source).split("\n")]
        else:
            found.append(f"{depth}if {text_of(guard.test, loop.source)}:")
            depth += "    "
    return found + [f"{depth}{line}" for line in body]


def backwards(loop: Loop, body: Collection[str]) -> list[str]:
    """Put a loop of the user around a body, from its last run to its first."""
    (one,) = loop.nest
    target, over = (text_of(part, loop.source) for part in (one.target, one.iter))
    counted = isinstance(one.iter, ast.Call) and isinstance(one.iter.func, ast.Name) and one.iter.func.id == "range"
    head = f"for {target} in reversed({over if counted else f'list({over})'}):"
    return [head, *(f"    {line}" for line in body)]
