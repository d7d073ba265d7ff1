"""A gradient whose source can be run with parts of it replaced, beside the user's own, which stays as it is."""

from __future__ import annotations
import __future__

import ast
import copy
import functools
import gc
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import CellType, CodeType, FrameType, FunctionType, MethodType
from typing import Any

import numpy as np

from diffcompare.errors import TraceError
from diffcompare.tracing.keeping import Keeper
from diffcompare.tracing.places import PACKAGE, Written, written
from diffcompare.tracing.spans import definition_of
from diffcompare.verdict.rewrites.apart import APART
from diffcompare.verdict.value_and_gradient import taken_apart, whole_of

__all__ = ["BOUNDED", "COMPREHENSIONS", "Body", "Change", "Changed", "bodies_of", "names_at_hand"]

# what is called with all that loops go through, and how many rounds the code as it is may make
BOUNDED, _ROUNDS = "__bounded__", 1_000_000
# code inside that of a function
COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
_FLAGS = functools.reduce(
    int.__or__, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)
# what has effects, or may not end, is not run with changes where that cannot be done in a process of its own
_NEVER = (ast.While, ast.Global, ast.Nonlocal, ast.Yield, ast.YieldFrom, ast.Await, ast.Import, ast.ImportFrom)
_EFFECTS = frozenset(
    {"open", "exec", "eval", "compile", "input", "setattr", "delattr", "os", "sys", "shutil", "subprocess"}
)


class _Rounds:
    """Counts the rounds of all loops: what takes many more than the code as it is will not end."""

    def __init__(self) -> None:
        self.left = self.most = _ROUNDS

    def __call__(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("a loop that does not end")
            yield value


@dataclass(frozen=True, slots=True)
class Change:
    """Another node in place of one: ``index`` counts in a list of nodes."""

    owner: ast.AST
    field: str
    index: int | None
    new: Any

    def exchange(self) -> Change:
        """Put the node in; returns the change that takes it out."""
        if self.index is None:
            old = getattr(self.owner, self.field)
            setattr(self.owner, self.field, self.new)
        else:
            held = getattr(self.owner, self.field)
            old, held[self.index] = held[self.index], self.new
        return Change(self.owner, self.field, self.index, old)


@dataclass(frozen=True, slots=True)
class Changed:
    """A gradient with other code, and its function, if that runs the code too: then its values must stay."""

    gradient: Callable[..., Any]
    function: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Evaluate the gradient."""
        return self.gradient(*arguments, **named)


@dataclass(frozen=True, slots=True)
class Body:
    """A function of the user's, as syntax, and the gradient in which it is called.

    Parameters
    ----------
    function : function
        It, in a namespace of its own that holds the user's arrays, which cannot be written there.
    definition : ast.FunctionDef or ast.Lambda
        A copy of the syntax, without defaults and decorators.
    rounds : callable
        What is put around all that loops go through.
    place : callable
        From other code of the function to what runs it.
    """

    function: FunctionType
    definition: Any
    rounds: _Rounds
    place: Callable[[CodeType], Changed]

    @property
    def computes(self) -> bool:
        """Tell whether it does more than hand on what other functions make of what it is given."""
        return any(isinstance(node, ast.operator) for node in ast.walk(self.definition))

    @contextmanager
    def changed(self, changes: Sequence[Change]) -> Iterator[Changed]:
        """Yield the gradient with changes; ``SyntaxError`` or ``ValueError`` where that is no Python."""
        undo = [change.exchange() for change in changes]
        try:
            self.rounds.left = self.rounds.most
            yield self.place(self._compiled())
        finally:
            for change in reversed(undo):
                change.exchange()

    def measure(self) -> None:
        """Allow for four times the rounds that were made since the last change."""
        self.rounds.most = 4 * (self.rounds.most - self.rounds.left) + 100

    def _compiled(self) -> CodeType:
        code, inner = self.function.__code__, copy.copy(self.definition)
        name = code.co_name
        if isinstance(inner, ast.Lambda):
            inner = ast.copy_location(ast.Expr(inner), inner)
        else:
            # a variable of the same name, which a change takes out, must not be found outside
            inner.name = name = "__changed__"
        free = [ast.arg(name, lineno=1, col_offset=0) for name in code.co_freevars]
        arguments = ast.arguments(posonlyargs=[], args=free, kwonlyargs=[], kw_defaults=[], defaults=[])
        outer = ast.FunctionDef("outer", arguments, [inner], [], lineno=1, col_offset=0)
        if hasattr(outer, "type_params"):
            outer.type_params = []
        made: CodeType = compile(
            ast.Module([outer], []), code.co_filename, "exec", code.co_flags & _FLAGS, dont_inherit=True
        )
        for part in ("outer", name):
            made = next(one for one in made.co_consts if isinstance(one, CodeType) and one.co_name == part)
        return made


def bodies_of(
    gradient: Callable[..., Any],
    others: Collection[Written] = (),
    *,
    function: Callable[..., Any] | None = None,
    shared: Collection[Written] = (),
) -> list[Body]:
    """Return what can be changed in a gradient: its own function, and ``others`` that it calls.

    None of them where the source is not known, or where running it might have effects. What ``function`` runs as well
    is ``shared``.
    """
    held = _held({*others, *shared})
    known = (body for body in _called_by_name(gradient, others) if body is not None)
    bodies = [body for body in known if written(body.function.__code__) not in shared]
    keeper = Keeper()
    with suppress(TraceError), keeper.kept([gradient, function] if held else []):
        pass
    # methods and the like are changed where they are, which only a copy of the process may do
    for place in sorted(held.keys() - {written(body.function.__code__) for body in bodies}):
        of_value = function if place in shared else None
        body = _body(held[place][0], functools.partial(_changed_in_place, held[place], gradient, of_value, keeper))
        bodies += [] if body is None else [body]
    return bodies


def names_at_hand(names: dict[str, Any], frame: FrameType) -> dict[str, Any]:
    """Return the names of a frame with those around it: before Python 3.12 a comprehension has its own alone."""
    outer = frame.f_back
    while frame.f_code.co_name in COMPREHENSIONS and outer is not None and frame.f_code in outer.f_code.co_consts:
        names = {**outer.f_locals, **names}
        frame, outer = outer, outer.f_back
    return names


def _held(places: Collection[Written]) -> dict[Written, list[FunctionType]]:
    """Return the functions that are written at some places; none where the process is not copied."""
    held: dict[Written, list[FunctionType]] = {}
    names = {qualified.rpartition(".")[2] for _, _, qualified, _ in places}
    for one in gc.get_objects() if places and APART else ():
        # copies that were traced have names of their own
        if type(one) is FunctionType and type(one.__globals__) is dict and one.__code__.co_name in names:
            place = written(one.__code__)
            if place in places:
                held.setdefault(place, []).append(one)
    return held


def _called_by_name(gradient: Callable[..., Any], others: Collection[Written]) -> Iterator[Body | None]:
    """Yield the gradient's own function, and those that it finds by their names."""
    found = _unwrapped(gradient)
    if found is None or found[0].__code__.co_filename.startswith(PACKAGE):
        return
    function, wrap = found
    space = _guarded_names(function.__globals__)
    own = _moved(function, space)
    yield _body(own, lambda code: Changed(wrap(_with_code(own, code))))
    for helper in [one for one in space.values() if isinstance(one, FunctionType) and one.__globals__ is space]:
        if written(helper.__code__) in others and helper.__code__ is not own.__code__:
            yield _body(helper, functools.partial(_placed, helper, own, wrap))


def _placed(helper: FunctionType, own: FunctionType, wrap: Callable[..., Any], code: CodeType) -> Changed:
    """Return the gradient that calls other code of a helper."""
    space = {**own.__globals__}
    for name, value in own.__globals__.items():
        if isinstance(value, FunctionType) and value.__globals__ is own.__globals__:
            space[name] = _moved(_with_code(value, code) if value is helper else value, space)
    return Changed(wrap(_moved(own, space)))


def _changed_in_place(
    functions: Sequence[FunctionType],
    gradient: Callable[..., Any],
    function: Callable[..., Any] | None,
    keeper: Keeper,
    code: CodeType,
) -> Changed:
    whole = whole_of(gradient)
    if whole is not None:
        # halves that wait were made by other code
        first, gradient = taken_apart(whole, True)
        function = None if function is None else first
    value = None if function is None else _in_place(functions, function, keeper, code)
    return Changed(_in_place(functions, gradient, keeper, code), value)


def _in_place(
    functions: Sequence[FunctionType], called: Callable[..., Any], keeper: Keeper, code: CodeType
) -> Callable[..., Any]:
    """Return what calls the user's code while some functions have other code, which may write into what is the user's.

    That is put back: all that is tried later would be wrong.
    """

    def changed(*arguments: Any, **named: Any) -> Any:
        old = functions[0].__code__
        for one in functions:
            one.__code__ = code
        try:
            return called(*arguments, **named)
        finally:
            for one in functions:
                one.__code__ = old
            keeper.put_back()

    return changed


def _body(function: FunctionType, place: Callable[[CodeType], Changed]) -> Body | None:
    definition = definition_of(function.__code__)
    if definition is None or "__class__" in function.__code__.co_freevars:
        return None
    definition = copy.deepcopy(definition)
    if not isinstance(definition, ast.FunctionDef | ast.Lambda) or (not APART and _has_effects(definition)):
        return None
    definition.args.defaults = []
    definition.args.kw_defaults = [None] * len(definition.args.kwonlyargs)
    if isinstance(definition, ast.FunctionDef):
        definition.decorator_list = []
    rounds = function.__globals__.setdefault(BOUNDED, _Rounds())
    for node in ast.walk(definition):
        if isinstance(node, ast.For | ast.comprehension):
            bounded = ast.Call(ast.copy_location(ast.Name(BOUNDED, ast.Load()), node.iter), [node.iter], [])
            node.iter = ast.copy_location(bounded, node.iter)
    return Body(function, definition, rounds, place)


def _has_effects(definition: ast.AST) -> bool:
    for node in ast.walk(definition):
        if isinstance(node, _NEVER) or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)):
            return True
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        # names of a class are mangled
        if name in _EFFECTS or (name.startswith("__") and not name.endswith("__")):
            return True
    return False


def _unwrapped(gradient: Any) -> tuple[FunctionType, Callable[..., Any]] | None:
    """Return the function behind a callable, and what makes a callable like it of another function."""
    whole = whole_of(gradient)
    if whole is not None:
        both = _unwrapped(whole)
        return None if both is None else (both[0], lambda function: taken_apart(both[1](function), True)[1])
    if isinstance(gradient, functools.partial):
        inner = _unwrapped(gradient.func)
        if inner is None:
            return None
        function, wrap = inner
        given, named = map(_guarded, gradient.args), {k: _guarded(v) for k, v in gradient.keywords.items()}
        return function, functools.partial(_partial, wrap, tuple(given), named)
    if isinstance(gradient, MethodType) and isinstance(gradient.__func__, FunctionType):
        owner = _guarded_object(gradient.__self__)
        return gradient.__func__, lambda function: MethodType(function, owner)
    with suppress(ValueError):
        gradient = inspect.unwrap(gradient)
    if isinstance(gradient, FunctionType):
        return gradient, lambda function: function
    method = vars(type(gradient)).get("__call__")
    if isinstance(method, FunctionType):
        owner = _guarded_object(gradient)
        return method, lambda function: MethodType(function, owner)
    return None


def _partial(wrap: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any], function: Any) -> Any:
    return functools.partial(wrap(function), *given, **named)


def _moved(function: FunctionType, space: dict[str, Any]) -> FunctionType:
    """Return a function that finds names in another namespace, and the user's arrays without leave to write."""
    cells = tuple(_guarded_cell(cell) for cell in function.__closure__ or ())
    defaults = None if function.__defaults__ is None else tuple(map(_guarded, function.__defaults__))
    moved = FunctionType(function.__code__, space, function.__name__, defaults, cells)
    moved.__kwdefaults__ = function.__kwdefaults__
    return moved


def _with_code(function: FunctionType, code: CodeType) -> FunctionType:
    """Return a function with other code, whose free variables are some of its own."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    closure = tuple(cells[name] for name in code.co_freevars)
    made = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _guarded_names(names: dict[str, Any]) -> dict[str, Any]:
    space: dict[str, Any] = {}
    for name, value in names.items():
        own = isinstance(value, FunctionType) and value.__globals__ is names
        space[name] = _moved(value, space) if own else _guarded(value)
    return space


def _guarded_cell(cell: CellType) -> CellType:
    try:
        return CellType(_guarded(cell.cell_contents))
    except ValueError:
        return cell


def _guarded_object(owner: Any) -> Any:
    """Return a copy of an object that holds the same arrays, which cannot be written there."""
    try:
        twin = copy.copy(owner)
        vars(twin).update({name: _guarded(value) for name, value in vars(owner).items()})
    except Exception:
        return owner
    return twin


def _guarded(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    view = value.view()
    view.flags.writeable = False
    return view
