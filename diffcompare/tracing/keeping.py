"""The user's objects are after a trace what they were before it.

Code that is traced may append to lists, fill caches and set attributes. Whatever can be reached from a function is
looked at beforehand, in what it holds, and put back afterwards; what can't be put back is not traced.
"""

from __future__ import annotations

import array
import functools
import gc
import operator
import random
import sys
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import repeat
from typing import Any

import numpy as np

from diffcompare.errors import TraceError
from diffcompare.tracing.calling import calls_made
from diffcompare.tracing.places import is_library

__all__ = ["USED_UP", "Keeper", "is_used_up", "kept", "names_of", "reached", "slots_of"]

# what is reached is held and compared at every trace
_LARGEST = 200_000
_LARGEST_BYTES = 2**28
_NO_STATE = frozenset({
    type(None), bool, int, float, complex, str, bytes, range, slice, type(Ellipsis), type(NotImplemented),
    types.CodeType, types.GetSetDescriptorType, types.MemberDescriptorType, types.WrapperDescriptorType,
    types.MethodDescriptorType, types.ClassMethodDescriptorType,
})  # fmt: skip
# classes of Python's own whose objects are looked into; others, such as locks and loggers, are left alone
_LOOKED_INTO = ("collections", "functools", "types", "queue", "builtins")
# libraries whose objects never change
_CONSTANT = ("sympy", "flint", "diffcompare", "mpmath")
# libraries that keep a world of their own: of what is theirs only the function that they wrap is the user's
_WORLDS = ("autograd", "jax", "jaxlib", "numba", "torch")
_Undo = Callable[[], None]
# stands for what a name that is not there stands for
_MISSING = object()


def kept(roots: Sequence[Any], *, opaque: bool = True) -> AbstractContextManager[None]:
    """Put back, once, what code changes of the objects that can be reached from ``roots``: see :class:`Keeper`."""
    return Keeper().kept(roots, opaque=opaque)


def reached(roots: Sequence[Any]) -> list[Any]:
    """Return what can be reached from ``roots`` and changed: containers, arrays, cells, functions, objects.

    Raises
    ------
    TraceError
        It is too much, or something, such as a generator, could not be put back.
    """
    held = _Held()
    held.visit(roots)
    return held.reached()


class Keeper:
    """Looks once at what can be reached, and puts it back as often as code was run.

    After a call of other code it looks anew: what that changed is not to be undone.
    """

    def __init__(self) -> None:
        self._held = _Held()
        self._calls = calls_made()

    @property
    def objects(self) -> int:
        """How many objects were looked at, each once."""
        return self._held.objects

    @contextmanager
    def kept(self, roots: Sequence[Any], *, opaque: bool = True) -> Iterator[None]:
        """Put back what code changes of the objects that can be reached from ``roots``, here and in earlier calls.

        Parameters
        ----------
        roots : sequence
        opaque : bool
            Objects of C code that hold others out of sight are taken along, and iterators that a rebuilt copy of the
            code does not get; else they are refused.

        Raises
        ------
        TraceError
            Something that is reached, such as a generator, could not be put back.
        """
        if self._calls != calls_made():
            self._held = _Held()
        try:
            self._held.visit(roots)
        except RecursionError:
            raise TraceError("the function refers to objects that are nested too deeply; pass formula=") from None
        if self._held.opaque and not opaque:
            raise TraceError(_OUT_OF_SIGHT.format(self._held.opaque[0]))
        if self._held.iterators and not opaque:
            raise TraceError(_USED_UP.format(self._held.iterators[0]))
        try:
            yield
        finally:
            self._held.put_back()
            self._calls = calls_made()

    def put_back(self) -> None:
        """Put back what was looked at last, whatever code has run since."""
        self._held.put_back()


class _Held:
    """What was reached so far, and how each of it is put back."""

    def __init__(self) -> None:
        self.undo: list[_Undo] = []
        # the names of classes whose objects hold others out of sight
        self.opaque: list[str] = []
        # and of iterators that are found by their names alone
        self.iterators: list[str] = []
        # the objects are held: an id must not be used again
        self._seen: dict[int, Any] = {}
        self._bytes = 0
        # what the names of modules stand for, by the identities of their namespaces, which are held
        self._spaces: dict[int, dict[str, Any]] = {}
        # functions without attributes
        self._bare: list[types.FunctionType] = []
        # how objects of a class are looked at; None of a class without state
        self._ways: dict[type, Callable[[Any], Sequence[Any]] | None] = {}
        for table in _tables_of_autograd():
            # it is not looked into: there are hundreds of functions in it
            self._container(dict, _CONTAINERS[dict], table)

    @property
    def objects(self) -> int:
        return len(self._seen)

    def reached(self) -> list[Any]:
        return [*self._seen.values()]

    def put_back(self) -> None:
        for function in self._bare:
            if function.__dict__:
                function.__dict__.clear()
        for undo in reversed(self.undo):
            undo()

    def visit(self, values: Sequence[Any]) -> None:
        """Look at values and at what they refer to, or at nothing where that fails."""
        held = (self._seen, self.undo, self._bare, self.opaque, self.iterators)
        (objects, undo, bare, opaque, iterators), size = map(len, held), self._bytes
        collecting = gc.isenabled()
        # thousands of small objects are made, and none is garbage
        gc.disable()
        try:
            self._visit(values)
        except BaseException:
            # what was seen of them must not pass for looked at
            while len(self._seen) > objects:
                self._seen.popitem()
            del self.undo[undo:], self._bare[bare:], self.opaque[opaque:], self.iterators[iterators:]
            self._bytes = size
            self._spaces.clear()
            raise
        finally:
            if collecting:
                gc.enable()

    def _visit(self, values: Sequence[Any]) -> None:
        waiting, seen, ways = list(values), self._seen, self._ways
        while waiting:
            value = waiting.pop()
            kind = type(value)
            if kind not in ways:
                ways[kind] = self._way(kind)
            way = ways[kind]
            if way is None or id(value) in seen:
                continue
            seen[id(value)] = value
            waiting += way(value)
            if len(seen) > _LARGEST or self._bytes > _LARGEST_BYTES:
                raise TraceError("the function refers to more objects than are put back after a trace; pass formula=")

    def _way(self, kind: type) -> Callable[[Any], Sequence[Any]] | None:
        """Return what keeps what an object of a class holds, and returns what it refers to."""
        if _is_atom(kind):
            return None
        contents = self._contents(kind)
        if kind in _PLAIN:
            return contents
        for known, keep in _KINDS.items():
            if issubclass(kind, known):
                return functools.partial(keep, self)
        slots = slots_of(kind)
        return lambda value: [*contents(value), *self._attributes(value, slots)]

    def _function(self, function: types.FunctionType) -> Sequence[Any]:
        found = [*(function.__closure__ or ()), *(function.__defaults__ or ())]
        if function.__dict__:
            found.append(function.__dict__)
        else:
            self._bare.append(function)
        if function.__kwdefaults__:
            found.append(function.__kwdefaults__)
        # functools.wraps gives a function of the user's the module of what it wraps
        if not (_is_users(function.__module__) or _is_users(function.__globals__.get("__name__"))):
            # it is run as it is
            return [*found, *(value for cell in function.__closure__ or () for value in _contents_of(cell))]
        names = names_of(function.__code__)
        return [*found, *self._names(function.__globals__, names)]

    def _names(self, namespace: dict[str, Any], names: frozenset[str]) -> list[Any]:
        """Keep the names of a module that code refers to, and those of modules that it refers to."""
        if id(namespace) not in self._spaces:
            self._spaces[id(namespace)] = {}
            self.undo.append(functools.partial(_put_names_back, namespace, self._spaces[id(namespace)]))
        kept = self._spaces[id(namespace)]
        before = {name: namespace.get(name, _MISSING) for name in names.difference(kept)}
        kept.update(before)
        found = self._named(value for value in before.values() if value is not _MISSING)
        for module in [v for v in found if isinstance(v, types.ModuleType)]:
            if id(module) not in self._seen and not is_library(getattr(module, "__file__", None) or "<frozen"):
                self._seen[id(module)] = module
                found += self._names(vars(module), names)
        return found

    def _cell(self, cell: types.CellType) -> Sequence[Any]:
        before = _contents_of(cell)

        def undo() -> None:
            now = _contents_of(cell)
            if before and (not now or now[0] is not before[0]):
                cell.cell_contents = before[0]
            elif now and not before:
                del cell.cell_contents

        self.undo.append(undo)
        return self._named(before)

    def _named(self, values: Iterable[Any]) -> list[Any]:
        """Return what names stand for, but for iterators: a rebuilt copy gets none that can be used up."""
        found = list(values)
        self.iterators += [type(value).__name__ for value in found if is_used_up(type(value))]
        return [value for value in found if not is_used_up(type(value))]

    def _cached(self, wrapper: Any) -> Sequence[Any]:
        before = wrapper.cache_info()

        def undo() -> None:
            # its entries cannot be told apart; what a cache forgets is found again
            if wrapper.cache_info() != before:
                wrapper.cache_clear()

        self.undo.append(undo)
        return [wrapper.__wrapped__, vars(wrapper)]

    def _class(self, kind: type) -> Sequence[Any]:
        if not _is_users(kind.__module__):
            return []
        before = dict(vars(kind))

        def undo() -> None:
            if len(vars(kind)) == len(before) and _holds(vars(kind), before):
                return
            now = dict(vars(kind))
            for name in now.keys() - before.keys():
                type.__delattr__(kind, name)
            for name, value in before.items():
                if now.get(name, undo) is not value:
                    type.__setattr__(kind, name, value)

        self.undo.append(undo)
        return [*before.values(), *kind.__bases__]

    def _contents(self, kind: type) -> Callable[[Any], Sequence[Any]]:
        """Return what keeps what a container of Python's or NumPy's holds; of other classes that is nothing."""
        if issubclass(kind, tuple | frozenset):
            return list
        if issubclass(kind, np.ndarray):
            return self._array
        for known, (get, put) in _STATES.items():
            if issubclass(kind, known):
                return functools.partial(self._state, get, put)
        for known, write in _CONTAINERS.items():
            if issubclass(kind, known):
                return functools.partial(self._container, known, write)
        return lambda _: ()

    def _container(self, kind: Any, write: Callable[[Any, Any], None], value: Any) -> Sequence[Any]:
        before = _listed(value, kind)
        self.undo.append(functools.partial(_put_back, value, kind, before, write))
        return before

    def _array(self, value: Any) -> Sequence[Any]:
        if isinstance(value.base, np.ndarray):
            # what it shows is the other's
            return [value.base]
        if value.dtype.hasobject:
            before = value.copy()
            self.undo.append(lambda: np.copyto(value, before))
            return list(before.flat)
        if value.flags.writeable:
            self._bytes += value.nbytes
            # what is larger is refused
            if self._bytes <= _LARGEST_BYTES:
                before = np.array(value, subok=False)
                self.undo.append(lambda: np.copyto(value.view(np.ndarray), before))
        return []

    def _state(self, get: Callable[[Any], Any], put: Callable[[Any, Any], None], value: Any) -> Sequence[Any]:
        before = get(value)
        self.undo.append(lambda: put(value, before))
        return []

    def _attributes(self, value: Any, slots: Sequence[Any]) -> Sequence[Any]:
        """Keep the attributes of an object."""
        kind = type(value)
        module = kind.__module__.partition(".")[0]
        if module in _WORLDS:
            return [getattr(value, "__wrapped__", None)]
        if module in _CONSTANT or (_is_standard(module) and module not in _LOOKED_INTO):
            if is_used_up(kind):
                raise TraceError(_USED_UP.format(kind.__name__))
            return []
        found: list[Any] = [kind]
        with suppress(AttributeError):
            found.append(object.__getattribute__(value, "__dict__"))
        for slot in slots:
            found += self._slot(slot, value)
        if is_used_up(kind):
            raise TraceError(_USED_UP.format(kind.__name__))
        return [*found, *self._hidden(value, found)]

    def _slot(self, slot: Any, value: Any) -> list[Any]:
        def get() -> list[Any]:
            try:
                return [slot.__get__(value)]
            except AttributeError:
                return []

        before = get()

        def undo() -> None:
            now = get()
            if before and (not now or now[0] is not before[0]):
                slot.__set__(value, before[0])
            elif now and not before:
                slot.__delete__(value)

        self.undo.append(undo)
        return before

    def _hidden(self, value: Any, seen: Sequence[Any]) -> list[Any]:
        """Return what an object of C code refers to out of sight."""
        known = {id(v) for v in seen}
        hidden = [v for v in gc.get_referents(value) if id(v) not in known and not _is_atom(type(v))]
        if hidden and not isinstance(value, _OPEN):
            self.opaque.append(f"{type(value).__module__}.{type(value).__name__}")
        return hidden


def _method(_: _Held, value: Any) -> Sequence[Any]:
    owner = getattr(value, "__self__", None)
    # of a function in a module the module is the owner
    return [getattr(value, "__func__", None), None if isinstance(owner, types.ModuleType) else owner]


_KINDS: dict[type, Callable[[_Held, Any], Sequence[Any]]] = {
    types.FunctionType: _Held._function,
    types.CellType: _Held._cell,
    types.MethodType: _method,
    types.BuiltinFunctionType: _method,
    # its names are looked at where code refers to them
    types.ModuleType: lambda *_: [],
    functools._lru_cache_wrapper: _Held._cached,
    type: _Held._class,
    staticmethod: _method,
    classmethod: _method,
    property: lambda _, value: [value.fget, value.fset, value.fdel],
}
_OUT_OF_SIGHT = "{}: what such an object holds cannot be put back after a trace; pass formula="
USED_UP = "a trace would use it up"
_USED_UP = f"the function refers to a {{}}: {USED_UP}; give it a list"
# of a class: Py_TPFLAGS_HEAPTYPE
_WRITTEN_IN_PYTHON = 1 << 9
_CONTAINERS: dict[type, Callable[[Any, Any], None]] = {
    OrderedDict: lambda value, before: (OrderedDict.clear(value), OrderedDict.update(value, _pairs(before)))[0],
    dict: lambda value, before: (dict.clear(value), dict.update(value, _pairs(before)))[0],
    list: lambda value, before: list.__setitem__(value, slice(None), before),
    set: lambda value, before: (set.clear(value), set.update(value, before))[0],
    deque: lambda value, before: (deque.clear(value), deque.extend(value, before))[0],
    bytearray: lambda value, before: bytearray.__setitem__(value, slice(None), bytes(before)),
    array.array: lambda value, before: value.__setitem__(slice(None), array.array(value.typecode, before)),
}
_STATES: dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], None]]] = {
    np.random.Generator: (
        lambda value: value.bit_generator.state,
        lambda value, state: setattr(value.bit_generator, "state", state),
    ),
    np.random.RandomState: (lambda value: value.get_state(), lambda value, state: value.set_state(state)),
    random.Random: (lambda value: value.getstate(), lambda value, state: value.setstate(state)),
}
# what these refer to is what they contain
_PLAIN = frozenset({dict, list, set, tuple, frozenset, deque})
# of these nothing is hidden that could be changed
_OPEN = (*_CONTAINERS, np.ndarray, tuple, frozenset, functools.partial, BaseException)


def _is_atom(kind: type) -> bool:
    # a class of the user's that is a number may have attributes
    return kind in _NO_STATE or issubclass(kind, np.generic | np.dtype | np.ufunc)


def _listed(value: Any, kind: Any) -> list[Any]:
    """Return what a container holds; of a dict the keys, then the values."""
    return [*kind.keys(value), *kind.values(value)] if issubclass(kind, dict) else list(kind.__iter__(value))


def _pairs(listed: list[Any]) -> Iterator[tuple[Any, Any]]:
    count = len(listed) // 2
    return zip(listed[:count], listed[count:], strict=True)


def _put_back(value: Any, kind: Any, before: list[Any], write: Callable[[Any, Any], None]) -> None:
    now = _listed(value, kind)
    if len(now) != len(before) or not all(map(operator.is_, now, before)):
        write(value, before)


def _put_names_back(namespace: dict[str, Any], before: dict[str, Any]) -> None:
    if _holds(namespace, before):
        return
    for name, value in before.items():
        if value is _MISSING:
            namespace.pop(name, None)
        else:
            namespace[name] = value


def _holds(names: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Tell whether names stand for what they stood for."""
    return all(map(operator.is_, map(names.get, before, repeat(_MISSING)), before.values()))


def _contents_of(cell: types.CellType) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:
        return []


def slots_of(kind: type) -> list[Any]:
    """Return the descriptors of the slots of a class and of its bases."""
    return [
        d for c in kind.__mro__ for d in vars(c).values()
        if isinstance(d, types.MemberDescriptorType) and c.__flags__ & _WRITTEN_IN_PYTHON and "__slots__" in vars(c)
    ]  # fmt: skip


def is_used_up(kind: type) -> bool:
    """Tell whether objects of a class are iterators, whose place cannot be put back."""
    module = kind.__module__.partition(".")[0]
    if module in _CONSTANT or (_is_standard(module) and module not in _LOOKED_INTO):
        return hasattr(kind, "__next__") and not module.startswith("_io")
    return "__next__" in vars(kind) and not kind.__flags__ & _WRITTEN_IN_PYTHON


@functools.lru_cache(maxsize=2**14)
def names_of(code: types.CodeType) -> frozenset[str]:
    """Return the global names and attributes that code refers to, with those of functions inside."""
    inside = (names_of(constant) for constant in code.co_consts if isinstance(constant, types.CodeType))
    return frozenset(code.co_names).union(*inside)


def _is_standard(module: str) -> bool:
    return module in sys.stdlib_module_names and module != "__main__"


def _tables_of_autograd() -> list[dict[Any, Any]]:
    """Return what code may change of autograd, and an exception does: how deep its traces are, and what it knows."""
    core, tracer = sys.modules.get("autograd.core"), sys.modules.get("autograd.tracer")
    found = [getattr(core, name, None) for name in ("primitive_vjps", "primitive_jvps")]
    found.append(getattr(getattr(tracer, "trace_stack", None), "__dict__", None))
    return [table for table in found if isinstance(table, dict)]


@functools.lru_cache(maxsize=2**12)
def _is_users(module: str | None) -> bool:
    top = (module or "").partition(".")[0]
    return not _is_standard(top) and top not in (*_CONSTANT, *_WORLDS, "numpy", "scipy", "pandas")
