"""JAX functions handed in as they are: run in their own floating-point type, traced through their jaxpr."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import FunctionType
from typing import Any

import numpy as np

from diffcompare.adapters.jaxpr import evaluate
from diffcompare.adapters.mentions import mentions
from diffcompare.adapters.traced import dialect
from diffcompare.errors import TraceError, shorten
from diffcompare.tracing.foreign import Foreign
from diffcompare.tracing.keeping import kept

__all__ = ["adapt", "in_traced_code", "is_used_by"]

# calls after which a function that answers as its jaxpr does is no longer asked itself: state shows in fewer
_AS_THEY_ARE = 16


def is_used_by(function: Callable[..., Any], arguments: Sequence[Any]) -> bool:
    """Tell whether a function is given JAX arrays, or returns some; JAX itself is never loaded for that."""
    jax = sys.modules.get("jax")
    if jax is None or not hasattr(jax, "Array"):
        return False
    leaves = jax.tree_util.tree_leaves
    if any(isinstance(leaf, jax.Array) for leaf in leaves(list(arguments))):
        return True
    if not mentions(function, ("jax", "jaxlib")):
        return False
    x, *others = arguments
    try:
        returned = leaves(function(jax.tree_util.tree_map(np.array, x), *others))
    except AttributeError as error:
        # x.at[...].set(...) is for JAX arrays alone; other NumPy code would return them if it were given some
        return "no attribute 'at'" in str(error)
    except Exception:
        return False
    return any(isinstance(leaf, jax.Array) for leaf in returned)


def adapt(function: Callable[..., Any], arguments: Sequence[Any]) -> Foreign:
    """Return a JAX function as one of NumPy arrays.

    The jaxpr is made with 64-bit numbers: a literal 0.1 is the binary64 one whatever type the function runs in, and
    what is traced is the real function that is meant. Its own type is a cast at its door.

    Parameters
    ----------
    function : callable
        ``function(x, *others)``, of arrays or of lists, tuples and dicts of arrays.
    arguments : sequence
        A point, in the user's structure, and the other arguments, which are kept as they are.
    """
    import jax
    import jax.numpy as jnp

    template, *others = arguments
    tree = jax.tree_util
    calls: Counter[Any] = Counter()
    recorded: dict[Any, Callable[[Any], Any] | None] = {}

    def run(x: Any, *_: Any) -> Any:
        x = tree.tree_map(jnp.asarray, x)
        kind = tuple((leaf.shape, leaf.dtype.name) for leaf in tree.tree_leaves(x))
        calls[kind] += 1
        if calls[kind] <= _AS_THEY_ARE:
            return tree.tree_map(np.asarray, function(x, *others))
        if kind not in recorded:
            recorded[kind] = _recorded(function, x, others)
        again = recorded[kind]
        return tree.tree_map(np.asarray, function(x, *others) if again is None else again(x))

    bits = _bits_of(tree.tree_leaves(run(template)))
    made: dict[tuple[tuple[int, ...], ...], tuple[Any, Any]] = {}

    def wide_run(x: Any, *_: Any) -> Any:
        with _sixty_four_bits():
            return run(x)

    def wide(x: Any, *_: Any) -> Any:
        with _sixty_four_bits():
            leaves = tree.tree_leaves(x)
            shapes = tuple(np.shape(leaf) for leaf in leaves)
            if shapes not in made:
                made[shapes] = _jaxpr(function, tree.tree_map(_sixty_four_bit_shape, x), others)
            closed, structure = made[shapes]
            results = evaluate(closed.jaxpr, [np.asarray(c)[()] for c in closed.consts], leaves)
        return tree.tree_unflatten(structure, results)

    def narrow(x: Any, *_: Any) -> Any:
        return wide(tree.tree_map(lambda leaf: leaf.astype(f"float{bits}"), x))

    there = Foreign("JAX", wide_run, 64, wide)
    return there if bits == 64 else Foreign("JAX", run, bits, narrow, there)


def _bits_of(leaves: Sequence[Any]) -> int:
    return min((8 * leaf.dtype.itemsize for leaf in leaves if leaf.dtype.kind == "f"), default=64)


def in_traced_code(value: Any) -> Callable[..., Any] | None:
    """Return what calls a function of JAX in NumPy code that is traced; None for whatever is no function of JAX."""
    jax = sys.modules.get("jax")
    if jax is None or not callable(value) or isinstance(value, type):
        return None
    home = value.__globals__.get("__name__", "") if isinstance(value, FunctionType) else type(value).__module__
    if str(home).partition(".")[0] not in ("jax", "jaxlib"):
        return None

    def called(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = jax.tree_util.tree_flatten((args, kwargs))
        traced = [k for k, leaf in enumerate(leaves) if dialect().is_traced([leaf])]
        if not traced:
            return value(*args, **kwargs)

        def of_traced(numbers: Sequence[Any]) -> Any:
            given = dict(zip(traced, numbers, strict=True))
            again = [given.get(k, leaf) for k, leaf in enumerate(leaves)]
            positional, named = jax.tree_util.tree_unflatten(structure, again)
            return value(*positional, **named)

        numbers = [leaves[k] for k in traced]
        kind = jax.numpy.result_type(float)
        narrow = jax.eval_shape(of_traced, [jax.ShapeDtypeStruct(np.shape(n), kind) for n in numbers])
        bits = _bits_of(jax.tree_util.tree_leaves(narrow))
        with _sixty_four_bits():
            closed, result = _jaxpr(of_traced, [jax.ShapeDtypeStruct(np.shape(n), np.float64) for n in numbers], ())
            inputs = numbers if bits == 64 else [n.astype(f"float{bits}") for n in numbers]
            outputs = evaluate(closed.jaxpr, [np.asarray(c)[()] for c in closed.consts], inputs)
        return jax.tree_util.tree_unflatten(result, outputs)

    return called


def _sixty_four_bits() -> AbstractContextManager[Any]:
    import jax

    if hasattr(jax, "enable_x64"):
        context: AbstractContextManager[Any] = jax.enable_x64(True)
    else:
        from jax import experimental

        context = experimental.enable_x64()
    return context


def _sixty_four_bit_shape(leaf: Any) -> Any:
    import jax

    return jax.ShapeDtypeStruct(np.shape(leaf), np.float64)


def _recorded(function: Callable[..., Any], x: Any, others: Sequence[Any]) -> Callable[[Any], Any] | None:
    """Return what carries out the operations of a function one by one, as JAX does, but does not find them anew.

    JAX compiles the loops of a gradient anew at every call, which takes seconds. None where the function cannot be
    written down, or where its floats are not those that it returns.
    """
    import jax
    from jax.extend.core import jaxpr_as_fun

    tree = jax.tree_util
    try:
        closed, structure = _jaxpr(function, x, others)
        operations = jaxpr_as_fun(closed)
        found = [np.asarray(leaf) for leaf in operations(*tree.tree_leaves(x))]
        # twice: state that changes from call to call is what it was when the jaxpr was made
        answers = [tree.tree_leaves(function(x, *others)) for _ in range(2)]
    except Exception:
        return None
    for meant in answers:
        pairs = zip(found, map(np.asarray, meant), strict=True)
        if not all(a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True) for a, b in pairs):
            return None
    return lambda x: tree.tree_unflatten(structure, operations(*tree.tree_leaves(x)))


def _jaxpr(function: Callable[..., Any], template: Any, others: Sequence[Any]) -> tuple[Any, Any]:
    """Make the jaxpr of a function of such numbers, and the structure of what it returns."""
    import jax

    try:
        # JAX's own traced numbers are not to stay in the user's objects either
        with kept((function, *others)):
            closed, shapes = jax.make_jaxpr(lambda x: function(x, *others), return_shape=True)(template)
    except Exception as error:
        raise TraceError(
            f"{getattr(function, '__name__', 'the function')}: JAX cannot write it down as a jaxpr "
            f"({type(error).__name__}: {shorten(' '.join(str(error).split()), 80)}); avoid Python branches on values"
        ) from None
    return closed, jax.tree_util.tree_structure(shapes)
