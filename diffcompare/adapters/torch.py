"""PyTorch functions handed in as they are: run in the type that the point has, traced through their graph of ATen."""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import numpy as np

from diffcompare.adapters.aten import carried_out, decompositions
from diffcompare.adapters.mentions import mentions
from diffcompare.adapters.traced import dialect
from diffcompare.errors import TraceError, shorten
from diffcompare.tracing.foreign import Foreign
from diffcompare.tracing.keeping import kept

__all__ = ["adapt", "is_used_by"]


def is_used_by(function: Callable[..., Any], arguments: Sequence[Any]) -> bool:
    """Tell whether a function is given tensors, makes some of its arrays, or returns some; never loads PyTorch."""
    return bool(_given_to(function, arguments))


def _given_to(function: Callable[..., Any], arguments: Sequence[Any]) -> str:
    """Return whether a function takes ``"tensors"``, or ``"arrays"`` of which it makes tensors; else an empty text."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "Tensor"):
        return ""
    if any(isinstance(leaf, torch.Tensor) for leaf in _leaves(arguments[0])):
        return "tensors"
    if not mentions(function, ("torch",)) and not any(isinstance(one, torch.Tensor) for one in _leaves(arguments[1:])):
        return ""
    # code that does with arrays is called with arrays: what NumPy's functions make of tensors are tensors
    for make in (np.array, lambda leaf: torch.tensor(np.asarray(leaf))):
        point = _mapped(make, arguments[0])
        with suppress(Exception), warnings.catch_warnings(), _followed(_leaves(point)) as (_, entered):
            warnings.simplefilter("ignore")
            returned = function(point, *arguments[1:])
            if any(isinstance(leaf, torch.Tensor) for leaf in _leaves(returned)):
                return "tensors"
            if not entered:
                # what was kept from an earlier call
                function(point, *arguments[1:])
            return "arrays" if entered else ""
    return ""


def adapt(function: Callable[..., Any], arguments: Sequence[Any]) -> Foreign:
    """Return a PyTorch function as one of NumPy arrays.

    The graph is made with tensors of the type that the function runs in, and carried out in 64 bits: a literal 0.1 is
    the binary64 one whatever that type, and what is traced is the real function that is meant.

    Parameters
    ----------
    function : callable
        ``function(x, *others)``, of tensors or of lists, tuples and dicts of tensors.
    arguments : sequence
        A point, in the user's structure, and the other arguments, which are kept as they are. Where it holds no short
        floats, the function is given 64-bit ones.
    """
    import torch

    template, *others = arguments
    arrays = _given_to(function, arguments) == "arrays"
    tensors = [torch.as_tensor(leaf) for leaf in _leaves(template)]
    floats = [leaf for leaf in tensors if leaf.is_floating_point()]
    dtype = min((leaf.dtype for leaf in floats), key=lambda kind: kind.itemsize, default=torch.float64)
    device = tensors[0].device if tensors else None
    bits = 8 * dtype.itemsize
    made: dict[tuple[Any, ...], tuple[Any, list[Any], Any]] = {}

    def tensor(leaf: Any) -> Any:
        return torch.tensor(np.asarray(leaf), dtype=dtype, device=device)

    def run(x: Any, *_: Any) -> Any:
        return function(x, *others) if arrays else _mapped(_plain, function(_mapped(tensor, x), *others))

    def meant(x: Any, wide: bool) -> Any:
        leaves = _leaves(x)
        given = _mapped(lambda leaf: tensor(leaf if hasattr(leaf, "detach") else dialect().plain(leaf)), x)
        # each way through the code has a graph of its own
        answers = _answers(function, given, others)
        way = (tuple(np.shape(leaf) for leaf in leaves), answers)
        if way not in made:
            made[way] = _graph(function, given, others)
        graph, constants, result = made[way]
        values = iter(carried_out(graph, leaves, constants, bits=bits, wide=wide))
        found = _filled(result, values)
        if tuple(map(bool, values)) != answers:
            raise TraceError("a PyTorch function branches on what differs from call to call; let it depend on x alone")
        return found

    def wide(x: Any, *_: Any) -> Any:
        return meant(x, wide=True)

    def wide_run(x: Any, *_: Any) -> Any:
        return meant(_mapped(lambda leaf: torch.tensor(np.asarray(leaf), dtype=torch.float64), x), wide=True)

    def narrow(x: Any, *_: Any) -> Any:
        return meant(_mapped(lambda leaf: leaf.astype(f"float{bits}"), x), wide=False)

    if bits == 64:
        return Foreign("PyTorch", run, 64, wide)
    return Foreign("PyTorch", run, bits, narrow, Foreign("PyTorch", wide_run, 64, wide))


def _graph(function: Callable[..., Any], template: Any, others: Sequence[Any]) -> tuple[Any, list[Any], Any]:
    """Make the graph of a function of such tensors, the tensors that it holds, and what it returned.

    The first graph holds what automatic differentiation did as operations of its own; of these the second is made,
    which writes nothing in place.
    """
    from torch.func import functionalize
    from torch.fx.experimental.proxy_tensor import make_fx
    from torch.nn.attention import SDPBackend, sdpa_kernel

    returned: list[Any] = []

    def of_leaves(*leaves: Any) -> list[Any]:
        with _followed() as (decided, _):
            returned.append(function(_filled(template, iter(leaves)), *others))
        return [*_leaves(returned[-1]), *(asked for asked, _ in decided)]

    leaves = _leaves(template)
    try:
        # attention as the products that it is made of
        with kept((function, *others)), warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):
            warnings.simplefilter("ignore")
            recorded = make_fx(of_leaves)(*leaves)
            constants = _constants(recorded)
            given = [*leaves, *(held.detach().clone() for held in constants)]
            graph = make_fx(functionalize(recorded), decomposition_table=decompositions())(*given)
    except Exception as error:
        raise TraceError(
            f"{getattr(function, '__name__', 'the function')}: PyTorch cannot write it down as a graph "
            f"({type(error).__name__}: {shorten(' '.join(str(error).split()), 80)}); leave its numbers in tensors"
        ) from None
    return graph, [held.detach() for held in constants], returned[-1]


def _answers(function: Callable[..., Any], x: Any, others: Sequence[Any]) -> tuple[bool, ...]:
    """Return what the code decides at a point, in order; () where it raises, which a graph tells."""
    with suppress(Exception), warnings.catch_warnings(), kept((function, *others)), _followed() as (decided, _):
        warnings.simplefilter("ignore")
        function(x, *others)
        return tuple(answer for _, answer in decided)
    return ()


@contextmanager
def _followed(arrays: Sequence[Any] | None = None) -> Iterator[tuple[list[tuple[Any, bool]], list[Any]]]:
    """Note the tensors whose truth is asked, with the answers, and which of these arrays become tensors.

    A graph that is being made goes on after the question; unless arrays are given, what would leave PyTorch stays in
    it, as a constant of automatic differentiation. PyTorch's own functions ask where only its dispatcher sees it.
    """
    import torch
    from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing
    from torch.overrides import TorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

    decided: list[tuple[Any, bool]] = []
    entered: list[Any] = []

    class Following(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if arrays is None and func in (torch.Tensor.item, torch.Tensor.numpy):
                return args[0].detach()
            if arrays and func in (torch.tensor, torch.as_tensor) and isinstance(args[0], np.ndarray | float):
                # perhaps a copy of them
                entered.extend(one for one in arrays if np.asarray(one).tobytes() == np.asarray(args[0]).tobytes())
            if arrays is not None or func is not torch.Tensor.__bool__:
                return func(*args, **(kwargs or {}))
            from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

            (asked,) = args
            while torch._C._functorch.is_functorch_wrapped_tensor(asked):
                asked = torch._C._functorch.get_unwrapped(asked)
            with _disable_current_modes(), temporarily_clear_interpreter_stack():
                decided.append((asked, bool(asked)))
            return decided[-1][1]

    class Inside(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.ops.aten._local_scalar_dense.default and args[0].dtype is torch.bool:
                asked = args[0]
            elif func is torch.ops.aten.equal.default and args[0].shape == args[1].shape:
                asked = torch.all(args[0] == args[1])
            else:
                return func(*args, **(kwargs or {}))
            with disable_proxy_modes_tracing():
                decided.append((asked, bool(func(*args))))
            return decided[-1][1]

    with Following(), Inside() if arrays is None else nullcontext():
        yield decided, entered


def _constants(module: Any) -> list[Any]:
    """Make arguments of the tensors that a graph holds, which it may write into; returns them."""
    graph = module.graph
    last = [node for node in graph.nodes if node.op == "placeholder"][-1]
    found: dict[str, Any] = {}
    for node in [node for node in graph.nodes if node.op == "get_attr"]:
        if node.target not in found:
            with graph.inserting_after(last):
                last = found[node.target] = graph.placeholder(f"held_{len(found)}")
        node.replace_all_uses_with(found[node.target])
        graph.erase_node(node)
    module.recompile()
    return [operator.attrgetter(name)(module) for name in found]


def _plain(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _is_list(value: Any) -> bool:
    """Tell whether a list or a tuple holds arrays, and is not an array of numbers itself."""
    return isinstance(value, tuple) or (isinstance(value, list) and any(hasattr(one, "shape") for one in value))


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [leaf for one in value.values() for leaf in _leaves(one)]
    return [leaf for one in value for leaf in _leaves(one)] if _is_list(value) else [value]


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    return _filled(value, iter([function(leaf) for leaf in _leaves(value)]))


def _filled(value: Any, leaves: Iterator[Any]) -> Any:
    """Return a structure with other leaves."""
    if isinstance(value, Mapping):
        return {key: _filled(one, leaves) for key, one in value.items()}
    if _is_list(value):
        return (list if isinstance(value, list) else tuple)(_filled(one, leaves) for one in value)
    return next(leaves)
