"""A jaxpr carried out in NumPy, operation by operation, so that arrays of traced numbers write a program.

A jaxpr is the list of primitive operations that JAX makes of a function. What computes is done by the NumPy function of
the same meaning; what merely moves numbers (slices, gather, pad …) is done by JAX, on the places of the numbers; loops
are unrolled and branches decided, both by comparisons that the trace records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from diffcompare.adapters.traced import dialect, special
from diffcompare.errors import TraceError
from diffcompare.tracing.refusals import active_table

__all__ = ["evaluate"]

_ROUNDS = 100_000
_INNER = ("jaxpr", "call_jaxpr", "fun_jaxpr")

Rule = Callable[..., Any]


def evaluate(jaxpr: Any, constants: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
    """Carry out a jaxpr on arrays, traced or not, and return its outputs.

    Raises
    ------
    TraceError
        A primitive operation that is not known, by its name.
    """
    values: dict[Any, Any] = {}

    def read(atom: Any) -> Any:
        return np.asarray(atom.val)[()] if hasattr(atom, "val") else values[atom]

    values.update(zip(jaxpr.constvars, constants, strict=True))
    values.update(zip(jaxpr.invars, arguments, strict=True))
    for equation in jaxpr.eqns:
        outputs = _outputs(equation, [read(atom) for atom in equation.invars])
        values.update(zip(equation.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _outputs(equation: Any, inputs: list[Any]) -> Sequence[Any]:
    name, params = equation.primitive.name, equation.params
    if name in _CONTROL:
        outputs: Sequence[Any] = _CONTROL[name](params, inputs)
        return outputs
    if not dialect().is_traced(inputs):
        found = equation.primitive.bind(*inputs, **params)
        return [np.asarray(value)[()] for value in (found if equation.primitive.multiple_results else [found])]
    if name in _RULES:
        return [_RULES[name](params, *inputs)]
    if name in _MOVING:
        return _moved(equation, inputs)
    if name in _SPECIAL:
        return [special(_SPECIAL[name], *inputs)]
    if name == "sort":
        return _sorted(params, inputs)
    if name in ("scatter-add", "scatter_add"):
        return [_scatter_added(equation, *inputs)]
    inner = next((params[key] for key in _INNER if key in params), None)
    if inner is None:
        raise TraceError(f"the JAX operation {name!r} cannot be written down; pass formula=")
    return _closed(inner, inputs)


def _closed(jaxpr: Any, inputs: Sequence[Any]) -> list[Any]:
    """Carry out an inner jaxpr, with or without constants of its own."""
    if hasattr(jaxpr, "jaxpr"):
        return evaluate(jaxpr.jaxpr, [np.asarray(c)[()] for c in jaxpr.consts], inputs)
    return evaluate(jaxpr, [], inputs)


# ---- control flow


def _scan(params: Mapping[str, Any], inputs: Sequence[Any]) -> list[Any]:
    if "ft_in" in params:
        # newer versions keep the three groups of inputs as trees
        fixed, kept, _ = (len(group) for group in params["ft_in"].unpack())
    else:
        fixed, kept = params["num_consts"], params["num_carry"]
    constants, carry, rows = inputs[:fixed], list(inputs[fixed : fixed + kept]), inputs[fixed + kept :]
    order = range(params["length"])
    stacked: list[list[Any]] = []
    for k in reversed(order) if params["reverse"] else order:
        results = _closed(params["jaxpr"], [*constants, *carry, *(row[k] for row in rows)])
        carry = results[:kept]
        stacked.append(results[kept:])
    if params["reverse"]:
        stacked.reverse()
    return [*carry, *(_stack(column) for column in zip(*stacked, strict=True))]


def _stack(values: Sequence[Any]) -> Any:
    if not dialect().is_traced(values):
        return np.stack(values)
    shape = (len(values), *np.shape(values[0]))
    return dialect().gathered(active_table(), values, np.arange(np.prod(shape, dtype=int)).reshape(shape))


def _while(params: Mapping[str, Any], inputs: Sequence[Any]) -> list[Any]:
    first, second = params["cond_nconsts"], params["body_nconsts"]
    asked, used, carry = inputs[:first], inputs[first : first + second], list(inputs[first + second :])
    for _ in range(_ROUNDS):
        (answer,) = _closed(params["cond_jaxpr"], [*asked, *carry])
        if not bool(answer):
            return carry
        carry = _closed(params["body_jaxpr"], [*used, *carry])
    raise TraceError(f"a loop of more than {_ROUNDS} rounds; run a fixed and smaller number of rounds")


def _cond(params: Mapping[str, Any], inputs: Sequence[Any]) -> list[Any]:
    index, *others = inputs
    # two branches are chosen by a condition, which is decided and recorded
    chosen = int(bool(index)) if dialect().is_traced([index]) else int(np.clip(index, 0, len(params["branches"]) - 1))
    return _closed(params["branches"][chosen], others)


_CONTROL: Mapping[str, Callable[[Mapping[str, Any], list[Any]], Sequence[Any]]] = {
    "scan": _scan,
    "while": _while,
    "cond": _cond,
}


# ---- numbers that move

_MOVING = (
    "broadcast_in_dim", "concatenate", "copy", "copy_p", "dynamic_slice", "dynamic_update_slice", "expand_dims",
    "gather", "pad", "reshape", "rev", "scatter", "slice", "split", "squeeze", "tile", "transpose",
    "unstack",
)  # fmt: skip
# the operands that are indices, and stay as they are
_INDICES = {"gather": 1, "dynamic_slice": 1, "dynamic_update_slice": 2, "scatter": 1}


def _moved(equation: Any, inputs: Sequence[Any]) -> list[Any]:
    """Let JAX move the places of the numbers, then take the numbers from there."""
    import jax.numpy as jnp

    name, params = equation.primitive.name, dict(equation.params)
    first = _INDICES.get(name, len(inputs))
    index = slice(first, first + 1) if name == "scatter" else slice(first, None)
    chosen = range(len(inputs))[index]
    if dialect().is_traced([inputs[k] for k in chosen]):
        raise TraceError(f"the JAX operation {name!r} with indices that move with the point; use fixed indices")
    values = [v for k, v in enumerate(inputs) if k not in chosen]
    places: list[Any] = []
    count = 0
    for k, value in enumerate(inputs):
        if k in chosen:
            places.append(jnp.asarray(value))
            continue
        places.append(jnp.arange(count, count + np.size(value)).reshape(np.shape(value)))
        count += np.size(value)
    found = equation.primitive.bind(*places, **params)
    outputs = []
    for place in found if equation.primitive.multiple_results else [found]:
        where = np.asarray(place)
        if where.size and not (where.min() >= 0 and where.max() < count):
            raise TraceError(f"the JAX operation {name!r} reaches outside its array; keep indices inside")
        outputs.append(dialect().gathered(active_table(), values, where))
    return outputs


def _scatter_added(equation: Any, operand: Any, indices: Any, updates: Any) -> Any:
    """Add each update to the number at its place; the transposed operation tells the places."""
    import jax

    if dialect().is_traced([indices]):
        raise TraceError("the JAX operation 'scatter-add' with indices that move with the point; use fixed indices")
    shape = np.shape(operand)
    size = int(np.prod(shape))
    places = jax.numpy.arange(1.0, size + 1).reshape(shape)

    def add(u: Any) -> Any:
        return equation.primitive.bind(jax.numpy.zeros(shape), indices, u, **equation.params)

    like = jax.ShapeDtypeStruct(np.shape(updates), places.dtype)
    (targets,) = jax.linear_transpose(add, like)(places)
    found = np.asarray(targets).reshape(-1).astype(int)
    inside = np.flatnonzero(found)
    table = active_table()
    taken = dialect().gathered(table, [updates], inside)
    return dialect().scattered(table, operand, found[inside] - 1, taken)


def _sorted(params: Mapping[str, Any], inputs: Sequence[Any]) -> list[Any]:
    axis = params["dimension"]
    if len(inputs) == 1:
        return [np.sort(inputs[0], axis=axis)]
    if params["num_keys"] != 1 or np.ndim(inputs[0]) != 1:
        raise TraceError("the JAX operation 'sort' by several keys cannot be written down; sort by one")
    order = np.argsort(inputs[0], kind="stable")
    return [value[order] for value in inputs]


# ---- numbers that are computed


def _dot(params: Mapping[str, Any], a: Any, b: Any) -> Any:
    (left, right), (batch_a, batch_b) = params["dimension_numbers"]
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    names_a = [next(letters) for _ in range(np.ndim(a))]
    names_b = [next(letters) for _ in range(np.ndim(b))]
    for i, j in [*zip(left, right, strict=True), *zip(batch_a, batch_b, strict=True)]:
        names_b[j] = names_a[i]
    out = [names_a[i] for i in batch_a]
    out += [n for i, n in enumerate(names_a) if i not in (*left, *batch_a)]
    out += [n for j, n in enumerate(names_b) if j not in (*right, *batch_b)]
    if not names_a or not names_b:
        return np.multiply(a, b)
    return np.einsum(f"{''.join(names_a)},{''.join(names_b)}->{''.join(out)}", a, b)


def _converted(params: Mapping[str, Any], x: Any) -> Any:
    kind = np.dtype(params["new_dtype"])
    if kind.kind == "b":
        return np.not_equal(x, 0)
    if x.dtype.kind == "b":
        # a truth value is the number 0 or 1 wherever it is computed with, and chooses a branch as it is
        return x
    return x.astype(kind) if kind.itemsize < 8 or kind.kind != "f" else x


def _triangular(params: Mapping[str, Any], a: Any, b: Any) -> Any:
    if np.ndim(a) != 2 or params["conjugate_a"]:
        raise TraceError("the JAX operation 'triangular_solve' of many matrices cannot be written down; solve one")
    matrix = np.tril(a) if params["lower"] else np.triu(a)
    if params["unit_diagonal"]:
        matrix = matrix - np.diag(np.diag(matrix)) + np.eye(len(matrix))
    matrix = matrix.T if params["transpose_a"] else matrix
    return np.linalg.solve(matrix, b) if params["left_side"] else np.linalg.solve(matrix.T, b.T).T


def _reduced(function: Callable[..., Any]) -> Rule:
    def rule(params: Mapping[str, Any], x: Any) -> Any:
        return function(x, axis=tuple(params["axes"])) if params["axes"] else x

    return rule


def _one_axis(function: Callable[..., Any]) -> Rule:
    def rule(params: Mapping[str, Any], x: Any) -> Any:
        result = x
        for axis in sorted(params["axes"], reverse=True):
            result = function(result, axis=axis)
        return result

    return rule


def _running(function: Callable[..., Any]) -> Rule:
    def rule(params: Mapping[str, Any], x: Any) -> Any:
        axis = params["axis"]
        return np.flip(function(np.flip(x, axis), axis=axis), axis) if params["reverse"] else function(x, axis=axis)

    return rule


def _plain(function: Callable[..., Any]) -> Rule:
    return lambda params, *x: function(*x)


_SPECIAL = {"erf": "erf", "erfc": "erfc", "erf_inv": "erfinv", "lgamma": "gammaln", "digamma": "digamma"}

_NUMPY = {
    "add": np.add, "add_any": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative,
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "log2": np.log2,
    "sin": np.sin, "cos": np.cos,
    "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh,
    "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "sqrt": np.sqrt,
    "cbrt": np.cbrt, "pow": np.power, "abs": np.abs, "sign": np.sign, "max": np.maximum, "min": np.minimum,
    "floor": np.floor, "ceil": np.ceil, "square": np.square, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal, "and": np.logical_and, "or": np.logical_or,
    "not": np.logical_not, "is_finite": np.isfinite, "rem": np.fmod,
}  # fmt: skip

_RULES: Mapping[str, Rule] = {
    **{name: _plain(function) for name, function in _NUMPY.items()},
    "rsqrt": lambda params, x: 1.0 / np.sqrt(x),
    "logistic": lambda params, x: 1.0 / (1.0 + np.exp(-x)),
    "integer_pow": lambda params, x: x ** int(params["y"]),
    "one_minus_square": lambda params, x: (1.0 - x) * (1.0 + x),
    "cholesky": lambda params, x: np.linalg.cholesky(x),
    "triangular_solve": _triangular,
    "clamp": lambda params, low, x, high: np.minimum(np.maximum(x, low), high),
    "select_n": lambda params, which, first, second: np.where(which, second, first),
    "convert_element_type": _converted,
    "dot_general": _dot,
    "reduce_sum": _reduced(np.sum),
    "reduce_max": _one_axis(np.max),
    "reduce_min": _one_axis(np.min),
    "reduce_prod": _one_axis(np.prod),
    "reduce_and": _one_axis(np.all),
    "reduce_or": _one_axis(np.any),
    "argmax": lambda params, x: np.argmax(x, axis=params["axes"][0]),
    "argmin": lambda params, x: np.argmin(x, axis=params["axes"][0]),
    "cumsum": _running(np.cumsum),
    "cumprod": _running(np.cumprod),
    "stop_gradient": lambda params, x: x,
    "optimization_barrier": lambda params, x: x,
}
