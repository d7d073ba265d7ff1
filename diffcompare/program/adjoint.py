"""Reverse mode: from a program for f to a program for f and all its partial derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from diffcompare.program.dag import Builder, Program, Term, gated_operand
from diffcompare.program.operations import partial_terms
from diffcompare.program.run import per_program

__all__ = ["adjoint", "adjoint_along", "hessian", "hessian_along", "jacobian", "sensitivities"]


@per_program
def adjoint(program: Program) -> Program:
    """Differentiate the first output: a program with outputs f, ∂f/∂x₀, …, ∂f/∂xₙ₋₁.

    Every node of f is shared. Where f has branches, an adjoint that is exactly 0 contributes 0 whatever the
    local partial is, so that a branch that is not taken, and may be undefined, has no say. (Differentiated again, that
    gate is the product that it guards: at an adjoint that happens to be 0 its slope is not.)

    References
    ----------
    Griewank, Walther, Evaluating Derivatives, 2nd ed. (2008), section 3.2: the adjoint of an operand is the
    sum over its uses of adjoint times local partial.
    """
    build = Builder(program.variables, start=program)
    return build.program([program.outputs[0], *_gradient(build, program.outputs[0])])


def jacobian(program: Program) -> Program:
    """Differentiate every output: outputs f₀, …, fₘ₋₁, then ∂fᵢ/∂xⱼ by rows."""
    build = Builder(program.variables, start=program)
    rows = [_gradient(build, output) for output in program.outputs]
    return build.program([*program.outputs, *(index for row in rows for index in row)])


@per_program
def hessian(program: Program) -> Program:
    """Differentiate the first output twice: outputs f, ∂²f/∂xᵢ∂xⱼ by rows, then ∂f/∂xᵢ.

    Entry [i, j] below the diagonal is the node of [j, i].

    References
    ----------
    Griewank, Walther, Evaluating Derivatives, 2nd ed. (2008), section 5.4: second-order adjoints.
    """
    build = Builder(program.variables, start=program)
    slopes = _gradient(build, program.outputs[0])
    rows = [_gradient(build, slope) for slope in slopes]
    n = len(slopes)
    entries = [rows[min(i, j)][max(i, j)] for i in range(n) for j in range(n)]
    return build.program([program.outputs[0], *entries, *slopes])


def hessian_along(program: Program, vector: Sequence[Fraction]) -> Program:
    """Multiply the Hessian of the first output by a vector: outputs f, Σⱼ ∂²f/∂xᵢ∂xⱼ·vⱼ, then ∂f/∂xᵢ.

    The product is the gradient of ∇f·v, so it costs two reverse sweeps whatever the number of variables.
    """
    build = Builder(program.variables, start=program)
    slopes = _gradient(build, program.outputs[0])
    along = _dot(build, slopes, vector)
    return build.program([program.outputs[0], *_gradient(build, along), *slopes])


def adjoint_along(program: Program, vectors: Sequence[Sequence[Fraction | float]]) -> Program:
    """Differentiate the first output along vectors: outputs f, Σᵢ ∂f/∂xᵢ·vᵢ for each, then ∂f/∂xᵢ."""
    build = Builder(program.variables, start=program)
    slopes = _gradient(build, program.outputs[0])
    return build.program([program.outputs[0], *(_dot(build, slopes, vector) for vector in vectors), *slopes])


def _gradient(build: Builder, output: int) -> list[int]:
    """Add the partial derivatives of a node to its builder; returns their nodes, one for each variable."""
    bars = _reverse(build, output)
    zero = Term(build, build.constant(0))
    return [bars.get(build.variable(i), zero).index for i in range(len(build.variables))]


def _dot(build: Builder, slopes: Sequence[int], vector: Sequence[Fraction | float]) -> int:
    # of very many numbers few are distinct
    constants = {v: build.constant(Fraction(v)) for v in dict.fromkeys(vector) if v}
    pairs = [(slope, constants[v]) for slope, v in zip(slopes, vector, strict=True) if v]
    pairs = [(slope, v) for slope, v in pairs if build.value(slope) != 0]
    return build.apply("dot", *(p[0] for p in pairs), *(p[1] for p in pairs)) if pairs else build.constant(0)


@per_program
def sensitivities(program: Program) -> Program:
    """Differentiate the first output with respect to every node: outputs f, ∂f/∂node₀, ∂f/∂node₁, …

    The nodes of f come first, with the indices that they have in ``program``.
    """
    build = Builder(program.variables, start=program)
    bars = _reverse(build, program.outputs[0])
    zero = Term(build, build.constant(0))
    outputs = [bars.get(i, zero).index for i in range(len(program.nodes))]
    return Program(program.variables, tuple(build.nodes), (program.outputs[0], *outputs))


def _reverse(build: Builder, output: int) -> dict[int, Term]:
    """Return the adjoint of every node that the output depends on, as terms of its builder."""
    zero, one = Term(build, build.constant(0)), Term(build, build.constant(1))
    branches = any(node.operation == "select" for node in build.nodes[: output + 1])
    bars: dict[int, Term] = {output: one}
    for index in range(output, -1, -1):
        bar = bars.get(index)
        node = build.nodes[index]
        if bar is None or not node.operands:
            continue
        if gated_operand(build.nodes, node) is not None:
            contributions = [(Term(build, node.operands[1]), bar)]
        elif node.operation == "select":
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
    return bars


def _product(bar: Term, partial: Term, *, gated: bool) -> Term:
    product = bar * partial
    if not gated or bar.value is not None or partial.value is not None:
        return product
    zero = bar.constant(0)
    return bar.apply("not_equal", zero).apply("select", product, zero)
