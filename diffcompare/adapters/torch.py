"""PyTorch functions handed in as they are: given tensors of the type that the point has."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from diffcompare.adapters.mentions import mentions
from diffcompare.tracing.foreign import Foreign

__all__ = ["adapt", "is_used_by"]


def is_used_by(function: Callable[..., Any], arguments: Sequence[Any]) -> bool:
    """Tell whether a function is given tensors, or returns some; PyTorch itself is never loaded for that."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "Tensor"):
        return False
    if any(isinstance(leaf, torch.Tensor) for leaf in _leaves(arguments[0])):
        return True
    if not mentions(function, ("torch",)):
        return False
    # code that does with arrays is called with arrays: what NumPy's functions make of tensors are tensors
    for make in (np.array, lambda leaf: torch.tensor(np.asarray(leaf))):
        try:
            returned = function(_mapped(make, arguments[0]), *arguments[1:])
        except (TypeError, AttributeError):
            continue
        except Exception:
            return False
        return any(isinstance(leaf, torch.Tensor) for leaf in _leaves(returned))
    return False


def adapt(function: Callable[..., Any], arguments: Sequence[Any]) -> Foreign:
    """Return a PyTorch function as one of NumPy arrays.

    Parameters
    ----------
    function : callable
        ``function(x, *others)``, of tensors or of tuples and dicts of tensors.
    arguments : sequence
        A point, in the user's structure, and the other arguments, which are kept as they are. Where it holds no
        tensors, the function is given 64-bit ones.
    """
    import torch

    template, *others = arguments
    tensors = [leaf for leaf in _leaves(template) if isinstance(leaf, torch.Tensor) and leaf.is_floating_point()]
    dtype = min((leaf.dtype for leaf in tensors), key=lambda kind: kind.itemsize, default=torch.float64)
    device = tensors[0].device if tensors else None

    def run(x: Any, *_: Any) -> Any:
        given = _mapped(lambda leaf: torch.tensor(np.asarray(leaf), dtype=dtype, device=device), x)
        return _mapped(_plain, function(given, *others))

    return Foreign("PyTorch", run, 8 * dtype.itemsize)


def _plain(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [leaf for one in value.values() for leaf in _leaves(one)]
    if isinstance(value, list | tuple):
        return [leaf for one in value for leaf in _leaves(one)]
    return [value]


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _mapped(function, one) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(_mapped(function, one) for one in value)
    return function(value)
