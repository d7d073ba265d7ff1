"""A pair of a published package, as its users call it: a function with the gradient that the package gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Function = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """``rows`` of data stand behind ``f``; ``penalty`` is the gradient of its regulariser, if it has one."""

    name: str
    f: Function
    gradient: Function
    at: np.ndarray
    rows: int = 0
    penalty: Function | None = None


def pair(
    name: str, f: Function, gradient: Function, at: Any, *, rows: int = 0, penalty: Function | None = None
) -> Pair:
    """Make a pair."""
    return Pair(name, f, gradient, np.asarray(at, float), rows, penalty)


def both(name: str, value_and_gradient: Function, at: Any, **more: Any) -> Pair:
    """Make the pair of a function that returns the value and the gradient."""
    return pair(name, lambda x: value_and_gradient(x)[0], lambda x: value_and_gradient(x)[1], at, **more)


def elementwise(name: str, function: Function, derivative: Function, at: Any) -> Pair:
    """Make the pair of a function of one number and its derivative."""
    return pair(name, lambda x: np.sum(function(x)), derivative, at)


def bugs(one: Pair) -> Iterator[tuple[str, Function]]:
    """Plant the bugs that change this gradient at this point, each with its name."""
    gradient, penalty = one.gradient, one.penalty
    right = np.asarray(gradient(one.at.copy()), float)
    yield "factor 1 + 1e-6", lambda x: gradient(x) * (1 + 1e-6)
    yield "sign", lambda x: -gradient(x)
    kept = np.ones(right.size)
    kept[np.argmax(np.abs(right))] = 0
    yield "zeroed component", lambda x: gradient(x) * kept
    order = np.arange(right.size)
    low, high = np.argmin(right), np.argmax(right)
    order[[low, high]] = high, low
    if right[low] != right[high]:
        yield "swapped components", lambda x: gradient(x)[order]
    if penalty is not None:
        yield "half regulariser", lambda x: gradient(x) - 0.5 * penalty(x)


def opaque(function: Function) -> Function:
    """Send the values through text, which no trace follows."""

    return lambda x: np.array(json.loads(json.dumps(np.asarray(function(x)).tolist())))[()]


def design(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Draw data of a linear model with an intercept: the matrix, its linear predictor, and the generator."""
    random = np.random.default_rng([seed, rows])
    X = np.column_stack([np.ones(rows), random.normal(size=(rows, 3))])
    return X, X @ [0.3, 0.5, -0.4, 0.2], random
