"""Planted bugs in compare/: Jacobians and Hessians, the ladder of rules, several processes."""

from __future__ import annotations

from .mutant import Mutant

__all__ = ["MUTANTS"]

MUTANTS = (
    # array_causes
    Mutant(
        "verdict/causes/array_search.py",
        '(lower, upper, "lower", "upper"), (upper, lower, "upper", "lower")',
        '(lower, upper, "upper", "lower"), (upper, lower, "lower", "upper")',
        "the wrong triangle of a Hessian is named",
    ),
    Mutant(
        "verdict/causes/array_search.py",
        "components=tuple(c + k * n for c in found.components)",
        "components=tuple(found.components)",
        "the components of a cause in a later row are those of the first row",
    ),
    # arrays
    Mutant(
        "verdict/layouts.py",
        "    return np.concatenate(blocks, axis=1).reshape(-1)\n",
        '    return np.concatenate(blocks, axis=1).reshape(-1, order="F")\n',
        "Jacobians are flattened by columns: right ones are called wrong",
    ),
    Mutant(
        "verdict/layouts.py",
        'return tuple(_name("J", row, column) for row in rows for column in _indices(structure))',
        'return tuple(_name("J", row, column) for column in _indices(structure) for row in rows)',
        "entries of a Jacobian carry the names of others",
    ),
    # certified_arrays
    Mutant(
        "certify/arrays.py",
        '_ORDER = ("domain", "kink", "undecided", "ok")',
        '_ORDER = ("kink", "domain", "undecided", "ok")',
        "an entry that is undefined one way and a kink the other is called a kink",
    ),
    Mutant(
        "certify/arrays.py",
        "worst = np.minimum(_ranks(status), _ranks(status).T)",
        "worst = _ranks(status)",
        "an entry is certified though the other mixed derivative does not exist",
    ),
    # check_arrays
    Mutant(
        "verdict/check_arrays.py",
        "return gradient(point, *more) if structure",
        "return 2 * gradient(point, *more) if structure",
        "beside a gradient that was given, right Hessians are called wrong",
    ),
    Mutant(
        "verdict/check_arrays.py",
        '    if own.blame != "formula":\n        return judgement\n',
        '    if own.blame == "formula":\n        return judgement\n',
        "the formula is blamed where it is right, and not where f is another function",
    ),
    # calls
    Mutant(
        "verdict/observation.py",
        "    if not same(before, problem.unflatten(x)):\n",
        "    if same(before, problem.unflatten(x)):\n",
        "a gradient that changes its argument is right, and others are wrong",
    ),
    Mutant(
        "verdict/observation.py",
        "elsewhere = problem.inside(x + np.where(x == 0, 2.0**-3, np.abs(x) * 2.0**-3))",
        "elsewhere = x",
        "a gradient that depends on earlier calls is not noticed",
    ),
    # ladder
    Mutant(
        "verdict/ladder.py",
        'did not meet") if lost else known\n',
        'did not meet") if not known else known\n',
        "a trace that knows another path only makes a gradient out-of-domain",
    ),
    Mutant(
        "verdict/ladder.py",
        "            found = Left(why_left(error))\n",
        "            raise\n",
        "an error inside a rung ends the check",
    ),
    # parallel
    Mutant(
        "sweeps/parallel.py",
        "flying.append((payload, name, crew.submit(work, payload)))",
        "flying.appendleft((payload, name, crew.submit(work, payload)))",
        "points get the results of other points",
    ),
    Mutant(
        "sweeps/parallel.py",
        "answer = crew.alone(work, payload)",
        "answer = None",
        "a worker that dies takes the points of others with it",
    ),
    # rows
    Mutant(
        "verdict/rows.py",
        '"formula" if "formula" in blames else "gradient"',
        '"gradient" if "formula" in blames else "gradient"',
        "the Jacobian is blamed where the function is not the formula",
    ),
    Mutant(
        "verdict/rows.py",
        "(problem.value(x + delta * v) - problem.value(x - delta * v)) / (2 * delta)",
        "(problem.value(x + delta * v) - problem.value(x - delta * v)) / delta",
        "without code or formula, right Hessians are called wrong: the stencil has the wrong width",
    ),
)
