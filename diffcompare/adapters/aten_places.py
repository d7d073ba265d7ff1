"""PyTorch's operations that move numbers, or add a few of them: PyTorch itself tells where each comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffcompare.adapters.traced import dialect
from diffcompare.errors import TraceError
from diffcompare.tracing.refusals import active_table

__all__ = [
    "LINEAR",
    "MOVING",
    "added_at",
    "as_array",
    "as_tensor",
    "index_add",
    "index_put",
    "moved",
    "places_of",
    "scatter_add",
    "times",
    "weighted",
]


def as_array(value: Any) -> Any:
    """Return a tensor as an array, or as a number."""
    return value.detach().cpu().numpy()[()] if hasattr(value, "detach") else value


def as_tensor(value: Any) -> Any:
    """Return an array as a tensor."""
    import torch

    return torch.as_tensor(np.array(value)) if isinstance(value, np.ndarray | np.generic) else value


def times(factor: Any, x: Any) -> Any:
    """Multiply, but by 1."""
    return x if factor == 1 else factor * x


MOVING = frozenset({
    "_unsafe_index", "_unsafe_view", "alias", "as_strided", "as_strided_scatter", "cat", "clone", "constant_pad_nd",
    "copy", "detach", "diagonal", "diagonal_scatter", "embedding", "expand", "flip", "gather", "im2col", "index",
    "index_select", "lift_fresh_copy", "permute", "repeat", "reshape", "roll", "scatter", "select", "select_scatter",
    "slice", "slice_scatter", "split", "split_with_sizes", "squeeze", "stack", "t", "transpose", "tril", "triu",
    "unbind", "unfold", "unsqueeze", "view",
})  # fmt: skip
# the argument that is a number to be written
_WRITTEN = {"constant_pad_nd": 2, "scatter": 3}


def moved(node: Any, name: str, args: Any, kwargs: Any) -> Any:
    """Let PyTorch move the places of the numbers, then take the numbers from there; at place 0 there is a zero."""
    import torch

    values: list[Any] = [np.zeros(1)]
    count = 1
    laid, strides = args[0], None
    if name.startswith("as_strided"):
        meant = node.args[0].meta["val"]
        if meant.storage_offset():
            raise TraceError(f"the PyTorch operation {str(node.target)!r} of a part of an array; use reshape")
        strides = meant.stride()

    def placed(value: Any) -> Any:
        nonlocal count
        if isinstance(value, torch.Tensor) and not value.is_floating_point():
            return value
        if not isinstance(value, torch.Tensor) and not hasattr(value, "shape"):
            return value
        if isinstance(value, np.ndarray) and not dialect().is_traced([value]):
            return as_tensor(value)
        values.append(as_array(value))
        places = torch.arange(count, count + math.prod(value.shape)).reshape(tuple(value.shape))
        count += places.numel()
        if strides is None or value is not laid:
            return places
        return torch.empty_strided(places.shape, strides, dtype=torch.int64).copy_(places)

    args = list(args)
    number = _WRITTEN.get(name, len(args))
    if number < len(args) and isinstance(args[number], float | int):
        values.append(np.full(1, float(args[number])))
        args[number] = count
        count += 1
    args, kwargs = (torch.fx.node.map_aggregate(given, placed) for given in (tuple(args), kwargs))
    found = node.target(*args, **kwargs)

    def taken(places: Any) -> Any:
        return dialect().gathered(active_table(), values, places.numpy())

    return taken(found) if isinstance(found, torch.Tensor) else [taken(places) for places in found]


def places_of(x: Any) -> Any:
    """Number the elements of an array, as a tensor of its shape."""
    import torch

    return torch.arange(math.prod(np.shape(x))).reshape(np.shape(x))


def added_at(x: Any, targets: Any, values: Any) -> Any:
    """Add values to the elements at some places."""
    spread = np.broadcast_to(values, tuple(targets.shape))
    return dialect().scattered(active_table(), x, targets.numpy().reshape(-1), spread.reshape(-1))


def index_put(x: Any, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Any:
    """Write values at some places, or add them to what is there."""
    import torch

    places = places_of(x)
    targets = torch.ops.aten.index(places, [None if i is None else as_tensor(i) for i in indices])
    if accumulate:
        return added_at(x, targets, values)
    kept = np.ones(places.numel())
    kept[targets.numpy().reshape(-1)] = 0.0
    return added_at(x * kept.reshape(np.shape(x)), targets, values)


def scatter_add(x: Any, dim: int, index: Any, values: Any) -> Any:
    """Add each value at a place along an axis."""
    import torch

    index = as_tensor(index)
    return added_at(x, torch.gather(places_of(x), dim, index), values[tuple(slice(n) for n in index.shape)])


def index_add(x: Any, dim: int, index: Any, values: Any, alpha: float = 1) -> Any:
    """Add parts of an array at places of an axis."""
    import torch

    return added_at(x, torch.index_select(places_of(x), dim, as_tensor(index)), times(alpha, values))


# linear in their first argument alone
LINEAR = frozenset({
    "_adaptive_avg_pool2d", "_adaptive_avg_pool2d_backward", "avg_pool2d", "avg_pool2d_backward", "avg_pool3d",
    "avg_pool3d_backward", "col2im", "max_pool2d_with_indices_backward", "reflection_pad1d",
    "reflection_pad1d_backward", "reflection_pad2d", "reflection_pad2d_backward", "replication_pad1d",
    "replication_pad1d_backward", "replication_pad2d", "replication_pad2d_backward", "upsample_bicubic2d",
    "upsample_bicubic2d_backward", "upsample_bilinear2d", "upsample_bilinear2d_backward", "upsample_linear1d",
    "upsample_linear1d_backward", "upsample_nearest1d", "upsample_nearest1d_backward", "upsample_nearest2d",
    "upsample_nearest2d_backward",
})  # fmt: skip
_LARGEST_MATRIX = 2**24


def weighted(target: Any, x: Any, *others: Any, **how: Any) -> Any:
    """Return weighted sums of a few numbers each, as PyTorch makes them of every single number."""
    import torch

    size = math.prod(x.shape)
    others = tuple(torch.zeros(tuple(v.shape), dtype=torch.float64) if dialect().is_traced([v]) else v for v in others)
    rows = [target(one.reshape(tuple(x.shape)), *others, **how) for one in torch.eye(size, dtype=torch.float64)]
    if size * rows[0].numel() > _LARGEST_MATRIX:
        raise TraceError(f"the PyTorch operation {str(target)!r} of an array of this size cannot be written down")
    matrix = torch.stack(rows).reshape(size, -1).numpy().T
    count = int(np.count_nonzero(matrix, axis=1).max())
    places = np.argsort(matrix == 0, axis=1, kind="stable")[:, :count]
    taken = dialect().gathered(active_table(), [x], places)
    return np.sum(taken * np.take_along_axis(matrix, places, axis=1), axis=1).reshape(tuple(rows[0].shape))
