"""Where the nodes of a trace were written: the instructions of the user's code that made them.

Places are noted beside the nodes, not in them: nodes that are equal are one, wherever they were written. Lines and
columns are looked up when somebody asks, in :mod:`diffcompare.tracing.spans`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from sys import _getframe
from types import CodeType, FrameType
from typing import Any

from diffcompare.tracing.places import code_of, is_library

__all__ = ["Origin", "Origins", "Recorder"]

# so many places of one node are kept
_KEPT = 8
# a frame of these goes on under other callers
_RESUMED = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
_NODE_BITS = 32


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """An instruction of the user's code, and from where it was reached; compared by identity.

    Parameters
    ----------
    code : code object
    instruction : int
        Its place in the code, as ``f_lasti`` of a frame.
    caller : Origin or None
        The instruction of the user's that called, perhaps through a library; None in the function that was traced.
    """

    code: CodeType
    instruction: int
    caller: Origin | None


class Origins(Mapping[int, tuple[Origin, ...]]):
    """The origins of the nodes of one trace, of each in order of appearance and at most 8.

    A variable and a constant have none as a rule: they stand in the code of what is made from them.

    Parameters
    ----------
    found : sequence of Origin
    noted : iterable of int
        The place of an origin in ``found``, shifted by 32 bits, and a node; in order.
    """

    def __init__(self, found: Sequence[Origin] = (), noted: Iterable[int] = ()) -> None:
        self._found, self._noted = found, noted

    @cached_property
    def _of_nodes(self) -> dict[int, tuple[Origin, ...]]:
        places: dict[int, list[Origin]] = {}
        for key in self._noted:
            places.setdefault(key & (1 << _NODE_BITS) - 1, []).append(self._found[key >> _NODE_BITS])
        return {node: tuple(origins[:_KEPT]) for node, origins in places.items()}

    def __getitem__(self, node: int) -> tuple[Origin, ...]:
        return self._of_nodes[node]

    def __iter__(self) -> Iterator[int]:
        return iter(self._of_nodes)

    def __len__(self) -> int:
        return len(self._of_nodes)


@dataclass(slots=True)
class _Body:
    """Code of the user's, called from one place; to the keys of its instructions, ``sites``, nodes are added."""

    code: CodeType
    caller: Origin | None
    sites: dict[int, int] = field(default_factory=dict)


# where no code of the user's runs
_NOBODY = _Body((lambda: None).__code__, None)


class Recorder:
    """Notes the user's instructions while a function is traced.

    The frames that were met last are held, from the outermost to the innermost, and walked again only as far as they
    are new. A frame that is held cannot be taken for another one.
    """

    def __init__(self) -> None:
        # nodes of operations whose place has not been looked up yet
        self.pending: list[int] = []
        self._start()

    def _start(self) -> None:
        self._found: list[Origin] = []
        self._noted: dict[int, None] = {}
        self._bodies: dict[tuple[Origin | None, int], _Body] = {}
        self._users: dict[str, bool] = {}
        self._let_go()

    def _let_go(self) -> None:
        # each frame, and the innermost one of the user's at it or outside of it
        self._path: list[tuple[FrameType, FrameType | None, _Body]] = []
        self._levels: dict[FrameType, int] = {}
        # the last of them
        self._frame: FrameType | None = None
        self._user: FrameType | None = None
        self._body = _NOBODY

    def taken(self) -> Origins:
        """Hand over what was noted of the function that was followed last.

        Its code is rebuilt, with traced constants: held by the table that these write to, it would never be freed, for
        no garbage collector looks into code.
        """
        origins = Origins(self._found, self._noted)
        self._start()
        return origins

    @contextmanager
    def following(self, function: Callable[..., Any]) -> Iterator[None]:
        """Note what a function does that is called where this stands."""
        self._start()
        code = code_of(function)
        if code is not None:
            # the file in which it is written is the user's, also in a package that is installed
            self._users[code.co_filename] = True
        # behind the frame of contextlib
        root = _getframe(2)
        self._path.append((root, None, _NOBODY))
        self._levels[root] = 0
        self.pending.clear()
        try:
            yield
        except BaseException:
            self._start()
            raise
        self._let_go()

    def note(self, node: int) -> None:
        """Note that a node is written where the user's code is, which called what calls what calls this."""
        frame = _getframe(3)
        if frame is not self._frame:
            self._follow(frame)
        user = self._user
        if user is not None:
            key = self._body.sites.get(user.f_lasti)
            self._noted[(self._key(user, self._body) if key is None else key) | node] = None

    def here(self) -> tuple[int, ...]:
        """Return the key of where the user's code is, and note that pending nodes are written there."""
        self._follow(_getframe(2))
        if self._user is None:
            return ()
        key = self._key(self._user, self._body)
        for node in self.pending:
            self._noted[key | node] = None
        self.pending.clear()
        return (key,)

    def returned(self, node: int) -> None:
        """Note a node that is given to the user's code, and what it is made of."""
        self.pending.append(node)
        self.here()

    @contextmanager
    def pinned(self, keys: tuple[int, ...]) -> Iterator[None]:
        """Note that what is pending in the end was written at other places than where the code is."""
        first = len(self.pending)
        yield
        for key in keys:
            for node in self.pending[first:]:
                self._noted[key | node] = None
        del self.pending[first:]

    def _follow(self, frame: FrameType) -> None:
        """Walk outwards to a frame that is known; those within it that were known have ended."""
        if not self._path:
            # nothing is followed
            return
        path, levels, users = self._path, self._levels, self._users
        # the user's frames, and what they called
        new: list[tuple[FrameType, bool]] = []
        called: FrameType | None = None
        outer: FrameType | None = frame
        while outer is not None and (outer not in levels or outer.f_code.co_flags & _RESUMED):
            file = outer.f_code.co_filename
            own = users.get(file)
            if own is None:
                own = users[file] = not is_library(file)
            if own:
                if called is not None:
                    new.append((called, False))
                new.append((outer, True))
            called = None if own else outer
            outer = outer.f_back
        # the first remains: a thread has frames of its own
        kept = levels[outer] + 1 if outer is not None else 1
        while len(path) > kept:
            del levels[path.pop()[0]]
        last, user, body = path[-1]
        if called is not None and last is user:
            new.append((called, False))
        for inner, own in reversed(new):
            if own:
                user, body = inner, self._called(inner.f_code, user, body)
            levels[inner] = len(path)
            path.append((inner, user, body))
        self._frame = None if frame.f_code.co_flags & _RESUMED else frame
        self._user, self._body = user, body

    def _called(self, code: CodeType, user: FrameType | None, body: _Body) -> _Body:
        caller = None if user is None else self._found[self._key(user, body) >> _NODE_BITS]
        found = self._bodies.get((caller, id(code)))
        if found is None:
            found = self._bodies[caller, id(code)] = _Body(code, caller)
        return found

    def _key(self, user: FrameType, body: _Body) -> int:
        at = user.f_lasti
        key = body.sites.get(at)
        if key is None:
            # a call may stand in its cache, which holds no instruction
            first, bytecode = at, body.code.co_code
            while first > 0 and not bytecode[first]:
                first -= 2
            if first not in body.sites:
                body.sites[first] = len(self._found) << _NODE_BITS
                self._found.append(Origin(body.code, first, body.caller))
            key = body.sites[at] = body.sites[first]
        return key
