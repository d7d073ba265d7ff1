"""Reverse mode: from a program for f to a program for f and all its partial derivatives."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from diffcompare.program.dag import Builder, Program, Term
from diffcompare.program.operations import partial_terms

__all__ = ["adjoint", "sensitivities"]

_CACHE: WeakKeyDictionary[Program, Program] = WeakKeyDictionary()
_SENSITIVITIES: WeakKeyDictionary[Program, Program] = WeakKeyDictionary()


def adjoint(program: Program) -> Program:
    """Differentiate the first output: a program with outputs f, ∂f/∂x₀, …, ∂f/∂xₙ₋₁.

    Every node of f is shared. Where f has branches, an adjoint that is exactly 0 contributes 0 whatever the
    local partial is, so that a branch that is not taken, and may be undefined, has no say.

    References
    ----------
    Griewank, Walther, Evaluating Derivatives, 2nd ed. (2008), section 3.2: the adjoint of an operand is the
    sum over its uses of adjoint times local partial.
    """
    result = _CACHE.get(program)
    if result is None:
        build, bars = _reverse(program)
        zero = Term(build, build.constant(0))
        variables = {int(n.payload or 0): i for i, n in enumerate(program.nodes) if n.operation == "variable"}
        gradient = [bars.get(variables[i], zero) if i in variables else zero for i in range(len(program.variables))]
        result = build.program([program.outputs[0], *(term.index for term in gradient)])
        _CACHE[program] = result
    return result


def sensitivities(program: Program) -> Program:
    """Differentiate the first output with respect to every node: outputs f, ∂f/∂node₀, ∂f/∂node₁, …

    The nodes of f come first, with the indices that they have in ``program``.
    """
    result = _SENSITIVITIES.get(program)
    if result is None:
        build, bars = _reverse(program)
        zero = Term(build, build.constant(0))
        outputs = [bars.get(i, zero).index for i in range(len(program.nodes))]
        result = Program(program.variables, tuple(build.nodes), (program.outputs[0], *outputs))
        _SENSITIVITIES[program] = result
    return result


def _reverse(program: Program) -> tuple[Builder, dict[int, Term]]:
    """Return the adjoint of every node that the output depends on, as terms of a builder that starts with f."""
    build = Builder(program.variables, start=program)
    zero, one = Term(build, build.constant(0)), Term(build, build.constant(1))
    output = program.outputs[0]
    branches = any(node.operation == "select" for node in program.nodes)
    bars: dict[int, Term] = {output: one}
    for index in range(output, -1, -1):
        bar = bars.get(index)
        node = program.nodes[index]
        if bar is None or not node.operands:
            continue
        if node.operation == "select":
            condition, first, second = (Term(build, i) for i in node.operands)
            contributions = [
                (first, condition.apply("select", bar, zero)),
                (second, condition.apply("select", zero, bar)),
            ]
        else:
            operands = [Term(build, i) for i in node.operands]
            partials = partial_terms(node.operation, node.payload, Term(build, index), operands)
            contributions = [
                (operand, _product(bar, partial, gated=branches))
                for operand, partial in zip(operands, partials, strict=True)
            ]
        for operand, contribution in contributions:
            if contribution.value == 0:
                continue
            held = bars.get(operand.index)
            bars[operand.index] = contribution if held is None else held + contribution
    return build, bars


def _product(bar: Term, partial: Term, *, gated: bool) -> Term:
    product = bar * partial
    if not gated or bar.value is not None or partial.value is not None:
        return product
    zero = bar.constant(0)
    return bar.apply("not_equal", zero).apply("select", product, zero)
