"""A graph of PyTorch's operations carried out in NumPy, so that arrays of traced numbers write a program.

The graph is what PyTorch records of a function: one operation of ATen, its library of tensors, after the other, without
writes in place, and many of them decomposed into simpler ones by PyTorch's own definitions. What computes is done by
the NumPy function of the same meaning; what merely moves numbers (views, gather, pad …) is done by PyTorch, on the
places of the numbers; what no traced number reaches is PyTorch's throughout.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from diffcompare.adapters.aten_places import LINEAR, MOVING, as_array, as_tensor, moved, weighted
from diffcompare.adapters.aten_rules import RULES
from diffcompare.adapters.traced import dialect
from diffcompare.errors import TraceError
from diffcompare.tracing.refusals import active_table

__all__ = ["carried_out", "decompositions"]


def carried_out(module: Any, arguments: Sequence[Any], constants: Sequence[Any], *, bits: int, wide: bool) -> list[Any]:
    """Carry out a graph on arrays, traced or not, or on tensors, and return its outputs.

    Parameters
    ----------
    module : torch.fx.GraphModule
    arguments : sequence
        What it takes, in order.
    constants : sequence of torch.Tensor
        What it takes besides.
    bits : int
        Of the floating-point type of the function. What is shorter than 64 is computed in 64 bits.
    wide : bool
        No number is rounded to that type, or to a longer one.

    Raises
    ------
    TraceError
        An operation that is not known, by its name.
    """
    import torch

    values: dict[Any, Any] = {}
    exact = bits if wide else 64

    def widened(value: Any) -> Any:
        if bits < 64 and isinstance(value, torch.Tensor) and value.is_floating_point():
            return value.detach().double()
        if isinstance(value, torch.dtype) and value.is_floating_point and 8 * value.itemsize >= bits:
            return torch.float64
        return values[value] if isinstance(value, torch.fx.Node) else value

    given = iter([*arguments, *map(widened, constants)])
    needed = _needed(module.graph)
    for node in module.graph.nodes:
        if node.op == "placeholder":
            values[node] = next(given)
        elif node.op == "get_attr":
            values[node] = widened(operator.attrgetter(node.target)(module))
        elif node.op == "call_function" and node in needed:
            args = torch.fx.node.map_aggregate(node.args, widened)
            kwargs = torch.fx.node.map_aggregate(node.kwargs, widened)
            values[node] = _rounded(_result(node, args, kwargs, widened, needed), node, exact)
    output = next(node for node in module.graph.nodes if node.op == "output")
    return [as_array(widened(value)) for value in output.args[0]]


def decompositions() -> dict[Any, Any]:
    """Return PyTorch's own definitions of the operations that have no rule here."""
    import torch
    from torch._decomp import core_aten_decompositions, get_decompositions

    others = get_decompositions([getattr(torch.ops.aten, name) for name in _DECOMPOSED])
    known = {*RULES, *MOVING}
    found = {op: how for op, how in core_aten_decompositions().items() if getattr(op, "_opname", "") not in known}
    return {**found, **others}


def _needed(graph: Any) -> set[Any]:
    """Return the nodes that the outputs depend on: what PyTorch makes besides is for its own use."""
    found: set[Any] = set()
    for node in reversed(graph.nodes):
        if node.op == "output" or node in found:
            found.update(node.all_input_nodes)
    return found


def _result(node: Any, args: Any, kwargs: Any, widened: Callable[[Any], Any], needed: set[Any]) -> Any:
    """Carry out one operation."""
    import torch

    target = node.target
    if target is operator.getitem:
        return args[0][args[1]]
    name = getattr(target, "_opname", str(target))
    leaves = [leaf for leaf in torch.utils._pytree.tree_leaves((args, kwargs)) if leaf is not None]
    if name in _LIKE and dialect().is_traced([args[0]]):
        shape, kind = tuple(args[0].shape), node.args[0].meta["val"].dtype
        args, leaves = (torch.zeros(shape, dtype=widened(kind)), *args[1:]), []
    if not dialect().is_traced(leaves):
        if torch.Tag.nondeterministic_seeded in getattr(target, "tags", ()):
            raise TraceError(
                f"the PyTorch operation {str(target)!r} draws random numbers; use eval(), or fixed numbers"
            )
        with torch.no_grad():
            found = target(
                *torch.fx.node.map_aggregate(args, as_tensor), **torch.fx.node.map_aggregate(kwargs, as_tensor)
            )
        # 1, from which derivatives go back, divided by a number of terms is exact where numbers of code are
        lifted = name in _FULL and active_table().exact and found.is_floating_point() and bool(found.any())
        return dialect().array(active_table(), found.numpy()) if lifted else found
    if name in ("max", "min") and len(args) > 1 and all(user.args[1] == 0 for user in node.users if user in needed):
        # the values alone, and not where they are
        return (RULES[f"a{name}"](*args, **kwargs),)
    if name in RULES:
        args, kwargs = (torch.fx.node.map_aggregate(given, as_array) for given in (args, kwargs))
        try:
            return RULES[name](*args, **{key: value for key, value in kwargs.items() if key not in _STORAGE})
        except TypeError as error:
            raise TraceError(f"the PyTorch operation {str(target)!r} cannot be written down ({error})") from None
    if name in MOVING:
        return moved(node, name, args, kwargs)
    if name in LINEAR:
        return weighted(target, *args, **kwargs)
    raise TraceError(f"the PyTorch operation {str(target)!r} cannot be written down; pass formula=")


def _rounded(value: Any, node: Any, exact: int) -> Any:
    """Round traced numbers to the type of a node, where it is shorter than what is taken for exact."""
    meant = node.meta.get("val")
    kind = getattr(meant, "dtype", None)
    if kind is None or not kind.is_floating_point or 8 * kind.itemsize >= exact or not dialect().is_traced([value]):
        return value
    return value.astype(f"float{8 * kind.itemsize}")


# what PyTorch leaves whole, but has a definition of
_DECOMPOSED = (
    "dist", "elu", "hardtanh", "leaky_relu", "linalg_vector_norm", "max_pool2d_with_indices", "native_batch_norm",
    "native_group_norm", "native_layer_norm",
)  # fmt: skip
# what is made like an array has its shape and type alone
_LIKE = frozenset({
    "_new_zeros_with_same_feature_meta", "empty_like", "full_like", "new_empty", "new_empty_strided", "new_full",
    "new_ones", "new_zeros", "ones_like", "zeros_like",
})  # fmt: skip
_FULL = frozenset({"full", "full_like", "ones", "ones_like", "scalar_tensor"})
# how numbers lie in memory
_STORAGE = ("memory_format", "layout", "device", "pin_memory", "non_blocking")
