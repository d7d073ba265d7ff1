"""Functions rebuilt so that their numbers, arrays and modules are traced; the user's own are never changed."""

from __future__ import annotations

import builtins
import functools
import numbers
import sys
import types
from abc import ABCMeta, update_abstractmethods
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np

from diffcompare.tracing.compiled import CompiledObject, compiled_function, is_factored
from diffcompare.tracing.dialect import Dialect, ModuleSubstitute, RandomSubstitute, kind_of
from diffcompare.tracing.foreign import Foreign
from diffcompare.tracing.fourier import FOURIER, TRANSFORMS, of_scipy, trigonometric
from diffcompare.tracing.keeping import USED_UP, is_used_up, slots_of
from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.substitutes import SCALARS

__all__ = ["Rebuilder"]

# what is longer is left as it is
_LARGEST_LIST = 20_000
_VALUES = (tuple, BaseException, np.ndarray, dict, list, str, int, float)
_LIBRARIES = ("numpy", "sympy", "pandas", "flint", "diffcompare", "jax", "jaxlib", "torch", "_pytest")


class Rebuilder:
    """Makes copies of functions, and of what they refer to, for one recording.

    Parameters
    ----------
    table : Table or ArrayTable
        What the numbers and arrays become constants of.
    dialect : Dialect
        What the code sees in their place.
    """

    # returns what calls a function of another array library with traced numbers, and None for any other value; the
    # module above puts its own here
    foreign: ClassVar[Callable[[Any], Callable[..., Any] | None]] = staticmethod(lambda _: None)

    def __init__(self, table: Any, dialect: Dialect = SCALARS) -> None:
        self.table = table
        self.dialect = dialect
        # the originals are held: an id must not be used again
        self._done: dict[int, tuple[Any, Any]] = {}
        self._globals: dict[int, _Namespace] = {}
        # functions by the ids of their copies, and copies by those of the functions
        self._own: dict[int, types.FunctionType] = {}
        self._copies: dict[int, types.FunctionType] = {}

    def value(self, value: Any) -> Any:
        """Return what stands for a value; itself where nothing needs to change."""
        if value is None or isinstance(value, bool | int | str | bytes | complex):
            return value
        if isinstance(value, float):
            if not self.table.exact:
                return value
            return self.dialect.number(self.table, float(value))
        held = self._done.get(id(value))
        if held is not None:
            return held[1]
        result = self._converted(value)
        self._done[id(value)] = (value, result)
        return result

    def _converted(self, value: Any) -> Any:
        if value is np.r_ or value is np.c_:
            return self.dialect.numpy(self.table, value)
        if isinstance(value, Foreign):
            return self.value(value.in_numpy())
        if isinstance(value, np.ndarray):
            return self._array(value)
        if type(value).__module__.startswith("jaxlib") and hasattr(value, "__array__"):
            return self._array(np.array(value))
        foreign = Rebuilder.foreign(value)
        if foreign is not None:
            return self._foreign_substitute(foreign)
        if isinstance(value, types.ModuleType):
            return self._module(value)
        if isinstance(value, np.random.Generator | np.random.RandomState):
            return RandomSubstitute("a random generator")
        if isinstance(value, types.FunctionType):
            return self.function(value)
        if isinstance(value, types.MethodType):
            owner = self.value(value.__self__)
            name = value.__func__.__name__
            # the owner's rebuilt class has the rebuilt method, if it is one of the class
            own = owner is not value.__self__ and getattr(value.__self__, name, None) == value
            found = getattr(owner, name, None) if own else None
            return found if isinstance(found, types.MethodType) else types.MethodType(self.value(value.__func__), owner)
        if isinstance(value, functools.partial):
            keywords = {k: self.value(v) for k, v in value.keywords.items()}
            return functools.partial(self.value(value.func), *map(self.value, value.args), **keywords)
        if isinstance(value, np.ufunc):
            known = getattr(np, value.__name__, None) is value
            return self.dialect.numpy(self.table, value) if known else self.dialect.special(self.table, value)
        if isinstance(value, np.vectorize):
            return self.dialect.vectorized(self.value(value.pyfunc))
        home = getattr(value, "__module__", None) or ""
        if home.startswith("scipy.fft"):
            name = getattr(value, "__name__", "")
            if hasattr(np.fft, name):
                same = getattr(np.fft, name)
                substitute = self.dialect.numpy(self.table, same)
                return of_scipy(substitute) if same in FOURIER else substitute
            if name in TRANSFORMS:
                return trigonometric(value, self.table, self.dialect)
        if type(value).__module__.startswith("_cython") and callable(value):
            return CompiledObject(value, self.table, self.dialect, f"{home}.{value.__qualname__}")
        if type(value).__name__ == "fortran":
            return CompiledObject(value, self.table, self.dialect, f"Fortran's {value.__name__.split()[-1]}")
        if isinstance(value, types.BuiltinFunctionType) or _asked(value, "__wrapped__"):
            return self._foreign_function(value)
        if isinstance(value, type):
            return self._class(value)
        if is_used_up(type(value)):
            return _IteratorSubstitute(value)
        if type(value) in (list, tuple, dict) and len(value) <= _LARGEST_LIST:
            return self._container(value)
        return self._instance(value)

    def _array(self, array: Any) -> Any:
        if array.dtype.kind != "f" or array.size > self.dialect.largest or type(array) is not np.ndarray:
            # written to by the function, it must not be the user's own
            return array.copy() if type(array) is np.ndarray and array.dtype != object else array
        return self.dialect.array(self.table, array)

    def _container(self, value: Any) -> Any:
        if isinstance(value, tuple):
            items = tuple(map(self.value, value))
            return value if all(a is b for a, b in zip(items, value, strict=True)) else items
        # a copy in any case: the function may append to it
        if isinstance(value, list):
            copied: list[Any] = []
            self._done[id(value)] = (value, copied)
            copied.extend(map(self.value, value))
            return copied
        filled: dict[Any, Any] = {}
        self._done[id(value)] = (value, filled)
        filled.update({k: self.value(v) for k, v in value.items()})
        return filled

    def _module(self, module: types.ModuleType) -> Any:
        name = module.__name__
        if name in ("numpy.random", "random"):
            return RandomSubstitute(name)
        top = name.partition(".")[0]
        if name in ("math", "numbers") or top in ("numpy", "jax") or _is_rebuilt(name):
            return ModuleSubstitute(module, self.value)
        return module

    def _foreign_substitute(self, foreign: Callable[..., Any]) -> Callable[..., Any]:
        def substitute(*args: Any, **kwargs: Any) -> Any:
            # functions are taken as they are: the other library writes them down itself
            result = foreign(*(self._own.get(id(a), a) for a in args), **kwargs)
            return self.value(result) if callable(result) else result

        return substitute

    def _foreign_function(self, value: Any) -> Any:
        name, module = getattr(value, "__name__", ""), getattr(value, "__module__", "") or ""
        if module == "math":
            return self.dialect.math(self.table, value)
        if module.startswith("numpy.random") or isinstance(
            getattr(value, "__self__", None), np.random.RandomState | np.random.Generator
        ):
            return _refuser(name)
        if module.startswith("numpy"):
            return self._of_numpy(value)
        if module.startswith("scipy.special"):
            return self.dialect.special(self.table, value)
        if isinstance(value, types.BuiltinFunctionType) and module and _is_rebuilt(module):
            return compiled_function(value, f"{module}.{name}", self.table, self.dialect)
        wrapped = getattr(value, "__wrapped__", None)
        # a cache, or what Numba compiles
        known = isinstance(value, functools._lru_cache_wrapper) or type(value).__module__.startswith("numba.")
        if isinstance(wrapped, types.FunctionType) and known:
            return self.value(wrapped)
        return value

    def function(self, function: types.FunctionType) -> Any:
        """Rebuild a function of Python code."""
        # functools.wraps gives a function of the user's the module of what it wraps
        module, home = function.__module__ or "", function.__globals__.get("__name__") or ""
        if module.partition(".")[0] == home.partition(".")[0] == "numpy":
            return self._of_numpy(function)
        if home.endswith("array_api_compat.numpy.linalg") and hasattr(np.linalg, function.__name__):
            # they call NumPy's compiled functions themselves
            return self._of_numpy(getattr(np.linalg, function.__name__))
        if module.startswith(("scipy.special", "scipy.linalg")):
            known = (self.dialect.linear if "linalg" in module else self.dialect.special)(self.table, function)
            if known is not None:
                return known
        return self._copied(function) if _is_rebuilt(module) or _is_rebuilt(home) else function

    def _of_numpy(self, function: Any) -> Any:
        """Return what stands for a function of NumPy: a rule, or a copy of its code."""
        substitute = self.dialect.numpy(self.table, function)
        own = getattr(function, "__wrapped__", function)
        if not isinstance(own, types.FunctionType) or self.dialect.knows(function):
            return substitute

        @functools.wraps(own)
        def traced(*args: Any, **kwargs: Any) -> Any:
            moving = self.dialect.is_moving(list(args)) or self.dialect.is_moving(kwargs)
            return self._copied(own)(*args, **kwargs) if moving else substitute(*args, **kwargs)

        return traced

    def _copied(self, function: types.FunctionType) -> Any:
        held = self._copies.get(id(function))
        if held is not None:
            return held
        code = self._code(function.__code__)
        closure = tuple(self._cell(cell) for cell in function.__closure__ or ())
        namespace = self._namespace(function.__globals__)
        rebuilt = types.FunctionType(code, namespace, function.__name__, None, closure)
        # known before what it refers to is looked at: that may be itself
        self._copies[id(function)] = rebuilt
        self._own[id(rebuilt)] = function
        for name in _names_of_class_bodies(code):
            namespace.get(name)
        for name, own, cell in zip(code.co_freevars, function.__closure__ or (), closure, strict=True):
            self._fill(name, own, cell)
        if function.__defaults__:
            rebuilt.__defaults__ = tuple(map(self.value, function.__defaults__))
        if function.__kwdefaults__:
            rebuilt.__kwdefaults__ = {k: self.value(v) for k, v in function.__kwdefaults__.items()}
        rebuilt.__dict__.update({k: self.value(v) for k, v in function.__dict__.items() if k != "__wrapped__"})
        rebuilt.__qualname__ = function.__qualname__
        rebuilt.__module__ = function.__module__
        return rebuilt

    def _cell(self, cell: types.CellType) -> types.CellType:
        held = self._done.get(id(cell))
        if held is None:
            held = self._done[id(cell)] = (cell, types.CellType())
        new: types.CellType = held[1]
        return new

    def _fill(self, name: str, cell: types.CellType, new: types.CellType) -> None:
        try:
            new.cell_contents  # noqa: B018 - filled already
        except ValueError:
            try:
                contents = cell.cell_contents
            except ValueError:
                return
            value = self.value(contents)
            alone = name == "__class__" and all(self.value(base) is base for base in contents.__bases__)
            # super() goes on behind the class itself, which its copy has as a base
            new.cell_contents = contents if alone else value

    def _code(self, code: types.CodeType) -> types.CodeType:
        constants = tuple(self._code_constant(c) for c in code.co_consts)
        return code.replace(co_consts=constants)

    def _code_constant(self, value: Any) -> Any:
        if isinstance(value, types.CodeType):
            return self._code(value)
        if isinstance(value, float) and self.table.exact:
            return self.dialect.number(self.table, value)
        if isinstance(value, tuple):
            return tuple(self._code_constant(v) for v in value)
        return value

    def _namespace(self, own: dict[str, Any]) -> _Namespace:
        held = self._globals.get(id(own))
        if held is None:
            held = self._globals[id(own)] = _Namespace(self, own)
        return held

    def looked_up(self, name: str, own: dict[str, Any]) -> Any:
        """Return what stands for a global name or a built-in one; ``KeyError`` where there is none."""
        value = own.get(name, own)
        if value is own or value is getattr(builtins, name, own):
            return self.dialect.builtins[name]
        return self.value(value)

    def builtins(self) -> dict[str, Any]:
        """Return the built-in names, with an import that is followed."""
        held = self._done.get(0)
        if held is None:
            scope = dict(vars(builtins))
            own_import = builtins.__import__

            def importing(name: str, *args: Any, **kwargs: Any) -> Any:
                found = own_import(name, *args, **kwargs)
                return self.value(found)

            scope["__import__"] = importing
            held = self._done[0] = (None, scope)
        scope_: dict[str, Any] = held[1]
        return scope_

    def _class(self, kind: type) -> Any:
        if kind is float:
            return self.dialect.builtins["float"]
        if kind in (numbers.Real, numbers.Number, numbers.Complex):
            return kind_of(self.dialect.float_kind, kind)
        module = getattr(kind, "__module__", "") or ""
        if module == "numpy":
            return self.dialect.numpy(self.table, kind)
        if not _is_users(kind):
            return kind
        try:
            return self._rebuilt_class(kind)
        except TypeError:
            return kind

    def _rebuilt_class(self, kind: type) -> Any:
        # those that stay as they are come with the class itself
        rebuilt_bases = ((b, self.value(b)) for b in kind.__bases__ if b is not np.ndarray)
        bases = (*(new for own, new in rebuilt_bases if new is not own and isinstance(new, type)), kind)
        new = type(kind)(kind.__name__, bases, {})
        self._done[id(kind)] = (kind, new)
        for name, attribute in list(vars(kind).items()):
            if isinstance(attribute, types.FunctionType):
                rebuilt: Any = self.value(attribute)
            elif isinstance(attribute, staticmethod | classmethod):
                rebuilt = type(attribute)(self.value(attribute.__func__))
            elif isinstance(attribute, property):
                rebuilt = property(*(self.value(f) for f in (attribute.fget, attribute.fset, attribute.fdel)))
            elif isinstance(attribute, functools.cached_property):
                rebuilt = functools.cached_property(self.value(attribute.func))
                rebuilt.__set_name__(new, name)
            elif (
                name.startswith("__")
                or name == "_abc_impl"
                or isinstance(attribute, types.MemberDescriptorType | types.GetSetDescriptorType)
            ):
                continue
            else:
                # also what stays as it is: a base may have another one of that name
                rebuilt = self.value(attribute)
            type.__setattr__(new, name, rebuilt)
        update_abstractmethods(new)
        return new

    def _instance(self, value: Any) -> Any:
        kind = type(value)
        if is_factored(value):
            return CompiledObject(value, self.table, self.dialect)
        # a copy of what does something at its end would do it too, such as close a file or a connection
        if not _is_users(kind) or hasattr(kind, "__del__"):
            return value
        new_kind = self.value(kind)
        if new_kind is kind:
            return value
        try:
            new = object.__new__(new_kind)
        except TypeError:
            return CompiledObject(value, self.table, self.dialect)
        self._done[id(value)] = (value, new)
        for slot in slots_of(kind):
            # one that was never set is not set in the copy
            with suppress(AttributeError):
                slot.__set__(new, self.value(slot.__get__(value)))
        for name, attribute in list(_asked(value, "__dict__", {}).items()):
            new.__dict__[name] = self.value(attribute)
        return new


def _asked(value: Any, name: str, default: Any = None) -> Any:
    """Ask an object for an attribute; one of the user's may raise anything."""
    with suppress(Exception):
        return getattr(value, name)
    return default


def _is_rebuilt(module: str) -> bool:
    top = module.partition(".")[0]
    if module.startswith("numpy.polynomial"):
        return True
    return top not in _LIBRARIES and (top not in sys.stdlib_module_names or top == "__main__")


def _is_users(kind: type) -> bool:
    if not _is_rebuilt(getattr(kind, "__module__", "") or ""):
        return False
    # an array of a class of its own may be made of traced numbers
    return type(kind) in (type, ABCMeta) and (issubclass(kind, np.ndarray) or not issubclass(kind, _VALUES))


class _Namespace(dict[str, Any]):
    """The global names of rebuilt code: what stands for each is made when it is first asked for."""

    def __init__(self, rebuilder: Rebuilder, own: dict[str, Any]) -> None:
        super().__init__({name: own[name] for name in own.keys() & _OF_MODULES})
        self["__builtins__"] = rebuilder.builtins()
        self._rebuilder, self._own = rebuilder, own

    def __missing__(self, name: str) -> Any:
        found = self[name] = self._rebuilder.looked_up(name, self._own)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """Return what stands for a name."""
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._own


_OF_MODULES = frozenset({"__name__", "__file__", "__package__", "__spec__", "__loader__", "__doc__"})
# the code of a function, unlike that of a class inside it, looks its names up by itself
_OPTIMIZED = 0x1


def _names_of_class_bodies(code: types.CodeType) -> set[str]:
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    own = set() if code.co_flags & _OPTIMIZED else set(code.co_names)
    return own.union(*map(_names_of_class_bodies, inner))


class _IteratorSubstitute:
    """Stands for an iterator, which may be referred to but not asked."""

    def __init__(self, value: Any) -> None:
        self.__dict__["_kind"] = type(value)

    __class__: Any = property(lambda self: self._kind)

    def __iter__(self) -> Any:
        raise refuse(f"the code goes through a {self._kind.__name__}", USED_UP, "give it a list")

    def __next__(self) -> Any:
        return iter(self)

    def __getattr__(self, _: str) -> Any:
        return iter(self)


def _refuser(name: str) -> Callable[..., Any]:
    def refusing(*_: Any, **__: Any) -> Any:
        return getattr(RandomSubstitute("numpy.random"), name)

    return refusing
