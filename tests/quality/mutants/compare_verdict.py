"""Planted bugs in compare/: the verdict on a gradient."""

from __future__ import annotations

from .mutant import Mutant

__all__ = ["MUTANTS"]

MUTANTS = (
    # arguments
    Mutant(
        "verdict/arguments.py",
        "parts = [value[key] for key in self.keys]",
        "parts = list(value.values())",
        "gradients by name are mixed up where their order is another",
    ),
    Mutant(
        "verdict/arguments.py",
        "flat = [array.reshape(-1) for array in arrays]",
        'flat = [array.reshape(-1, order="F") for array in arrays]',
        "gradients of matrices are transposed",
    ),
    # causes
    Mutant(
        "verdict/causes/search.py",
        "slack = limit * np.where(np.isfinite(stretch), stretch, 1.0) + 4 * U * np.abs(e)",
        "slack = limit + 4 * U * np.abs(e)",
        "a factor of 1000 is not recognised, because its rounding is a thousand times as large",
    ),
    Mutant(
        "verdict/causes/search.py",
        "return lost_precision(view.returned)",
        "return lost_precision(view.facts or view.returned)",
        "float32 is looked for in real numbers, where it never is",
    ),
    Mutant(
        "verdict/causes/search.py",
        "if all(view.repeats(family, cause) for view in others):",
        "if not others or any(view.repeats(family, cause) for view in others):",
        "a cause need not hold at every point near by",
    ),
    # budget
    Mutant(
        "verdict/causes/budget.py",
        "if self.left < 0:",
        "if self.left < -(10**12):",
        "a search may cost what it likes",
    ),
    Mutant(
        "verdict/causes/budget.py",
        "self.left -= operations",
        "self.left = self.left - min(operations, 1)",
        "operations are not counted, but how often something is asked for",
    ),
    # nearby
    Mutant(
        "verdict/causes/nearby.py",
        "yield problem.inside(x + step",
        "yield problem.inside(x + 0 * step",
        "the points near by are the point itself",
    ),
    Mutant(
        "verdict/causes/nearby.py",
        "found.append(_allowing(beside, here))",
        "found.append(here)",
        "what is found near by is not looked at",
    ),
    # guards
    Mutant(
        "verdict/guards.py",
        "return 0.0 if 0 < abs(value) <= SMALL else None",
        "return 0.0 if 0 < abs(value) else None",
        "any constant in a logarithm is a guard",
    ),
    Mutant(
        "verdict/guards.py",
        "if all(map(agrees, asked)):",
        "if agrees(asked[0]) or True:",
        "the first guard of a function is to blame for every difference",
    ),
    # quotients
    Mutant(
        "verdict/causes/finite_differences.py",
        '{"forward": 1, "central": 2, "backward": 1}',
        '{"forward": 1, "central": 1, "backward": 1}',
        "central differences are not recognised",
    ),
    Mutant(
        "verdict/causes/finite_differences.py",
        "(_WIDTHS[scheme] * step) == facts.g[i])",
        "(_WIDTHS[scheme] * step) != facts.g[i])",
        "a claim is called a difference quotient unless it is one",
    ),
    # check
    Mutant(
        "verdict/check.py",
        "args), box, noise, guards) for point in points]",
        "args), box, noise, guards) for point in points[:1]]",
        "of several points the first alone is judged",
    ),
    Mutant(
        "verdict/check.py",
        "box_of(box, structure, x), noise,",
        "box_of(box, structure, x), None,",
        "the stated error of a function is ignored",
    ),
    # verdict
    Mutant(
        "verdict/verdict.py",
        "status = min(judgement.status, key=COMPONENT_STATUSES.index)",
        "status = max(judgement.status, key=COMPONENT_STATUSES.index)",
        "one right component makes the gradient consistent",
    ),
    Mutant(
        "verdict/verdict.py",
        "np.max(judgement.threshold[judged])",
        "np.min(judgement.threshold[judged])",
        "the resolution is that of the best component",
    ),
    Mutant(
        "verdict/verdict.py",
        "worst = min(verdicts, key=lambda v: COMPONENT_STATUSES.index(v.status))",
        "worst = verdicts[0]",
        "of several points the first decides",
    ),
    # branches
    Mutant(
        "verdict/branches.py",
        "count, variables = count + other, variables | theirs",
        "variables = variables | theirs",
        "in large ties the sides that were tried are taken for all there are: false alarms",
    ),
    Mutant(
        "verdict/branches.py",
        "            elif float(abs(gap).mid()) <= _SLACK",
        "            elif 0.0 <= -_SLACK",
        "what rounding decides is taken for decided: false alarms at switches",
    ),
    # difference
    Mutant(
        "verdict/difference.py",
        "return 0.0 if self.size[i] == 0 else unit_roundoff * self.size[i]",
        "return 0.0 if self.size[i] == 0 else 1e-6 * self.size[i]",
        "a tolerance of 1e-6: smaller bugs are not seen",
    ),
    Mutant(
        "verdict/difference.py",
        "<= explained and math.isfinite(found.threshold(i))):",
        "<= explained):",
        "a component whose threshold is infinite is consistent",
    ),
    Mutant(
        "verdict/difference.py",
        "    if without and len(without) <= _MOVED:",
        "    if not without:",
        "the exponent of 0 makes thresholds infinite: bugs are not seen",
    ),
    Mutant(
        "verdict/difference.py",
        "or gap[i] <= _TINY)",
        "or False)",
        "a derivative and a claim that are 0 by cancellation stay open",
    ),
    # identity
    Mutant(
        "verdict/identity.py",
        "not _moves_alike(problem, state, pair):\n",
        "not pair.D:\n",
        "values that were kept from an earlier call are taken for constants",
    ),
    Mutant(
        "verdict/identity.py",
        "return max(gaps, default=math.nan) / (largest or 1.0)",
        "return max(gaps, default=math.nan)",
        "the rounding of a gradient is absolute, not relative",
    ),
    # identity_rules
    Mutant(
        "verdict/identity_rules.py",
        '"out-of-domain") | dict.fromkeys(case.sides.kinks, "non-smooth")',
        '"out-of-domain")',
        "at a kink the gradient of one side is consistent",
    ),
    Mutant(
        "verdict/identity_rules.py",
        "            float(abs(g - first).lower()) > slack * size for gap in gaps",
        "            float(abs(g).lower()) > slack * size for gap in gaps",
        "a function that is the formula plus a constant is blamed",
    ),
    Mutant(
        "verdict/identity_rules.py",
        "case.errors[i] > 0.1 * largest >= case.found.gap[i]]",
        "case.errors[i] > 0.1 * largest]",
        "the gradient of another branch is taken for one that cancels: a false alarm",
    ),
    Mutant(
        "verdict/identity_rules.py",
        "if after is None or not _near_the_floats(case, after[0]):",
        "if after is None:",
        "a loop that crosses a barrier is continued: bugs are consistent",
    ),
    # sides
    Mutant(
        "verdict/sides.py",
        "for one, two, what in (*((side, here, 0) for side in sides), (sides[0], sides[-1], 1)):",
        "for one, two, what in ((sides[0], sides[-1], 1),):",
        "a jump between equal slopes is consistent",
    ),
    Mutant(
        "verdict/sides.py",
        "        if gap > 8 * slack:",
        "        if gap > 0:",
        "what constants' rounding leaves of two equal slopes is a kink",
    ),
    Mutant(
        "verdict/sides.py",
        "        found.slopes[component] = sides[0].slope",
        "        pass",
        "the slope of a point's own branch, which holds nowhere else, is taken for the derivative",
    ),
    # tied
    Mutant(
        "verdict/tied.py",
        '        status[i] = "consistent" if gap <= explained else',
        '        status[i] = "consistent" if gap >= 0 else',
        "at a tie any opaque gradient is consistent",
    ),
    Mutant(
        "verdict/tied.py",
        '(sides.outside, "out-of-domain")):',
        '(set[int](), "out-of-domain")):',
        "an opaque gradient at the edge of the domain is wrong",
    ),
    # judgement
    Mutant(
        "verdict/judgement.py",
        '("wrong", "out-of-domain", "non-smooth", "inconclusive", "consistent")',
        '("wrong", "out-of-domain", "inconclusive", "non-smooth", "consistent")',
        "one component that cannot be told hides that another has no derivative",
    ),
    Mutant(
        "verdict/judgement.py",
        "self.numbers(called(self.function, self.unflatten(x), *self.args))",
        "self.numbers(called(self.function, x, *self.args))",
        "functions of matrices and dicts are called with flat numbers",
    ),
    # mistakes
    Mutant(
        "verdict/causes/mistakes.py",
        '((1 / a, "missing", "D/{0}"), (a, "too many", "{0}*D"))',
        '((a, "missing", "{0}*D"), (1 / a, "too many", "D/{0}"))',
        "a missing factor is said to be one too many",
    ),
    Mutant(
        "verdict/causes/mistakes.py",
        "return math.log10(max(candidates, 1.0)) + accident <= math.log10(_CHANCE)",
        "return accident <= math.log10(_CHANCE)",
        "the number of candidates is forgotten: causes are named by chance",
    ),
    # neighbours
    Mutant(
        "verdict/neighbours.py",
        "spread = np.where(counts, np.fmax(spread, sigma), spread)",
        "spread = np.where(counts, np.fmin(spread, sigma), spread)",
        "the rounding of a gradient is taken for 0: right ones are called wrong",
    ),
    Mutant(
        "verdict/neighbours.py",
        'blame = "formula" if agrees else "gradient"',
        'blame = "gradient"',
        "the gradient is blamed where the function is not the formula",
    ),
    # paths
    Mutant(
        "verdict/causes/program_mistakes.py",
        "yield i, 2 * partial",
        "yield i, partial",
        "mistakes in the derivative of x*x are not explained",
    ),
    Mutant(
        "verdict/causes/program_mistakes.py",
        "_SAMPLE], columns[:_SAMPLE]])",
        "_SAMPLE], np.arange(_SAMPLE)])",
        "a component that does not exist is looked at in large programs",
    ),
    # probing
    Mutant(
        "verdict/probing.py",
        "np.where(up >= down, 1.0, -1.0) * np.minimum",
        "np.where(up >= down, -1.0, 1.0) * np.minimum",
        "at an edge of the box neighbours are looked for outside",
    ),
    Mutant(
        "verdict/probing.py",
        "/ max(1, len(t) - degree - 1))",
        "/ len(t))",
        "noise is underestimated, as if a fit had no parameters",
    ),
    # witness
    Mutant(
        "verdict/witness.py",
        "quadrature = 3 * abs(integrals[1] - integrals[0])",
        "quadrature = 0.0",
        "gradients that oscillate are called wrong: the error of the integral is forgotten",
    ),
    Mutant(
        "verdict/witness.py",
        "if abs(error - before) <= 0.3 * max(abs(error), abs(before)):",
        "if abs(error) > 0.0:",
        "a jump nearby makes a right gradient wrong",
    ),
    Mutant(
        "verdict/witness.py",
        'if wrong or other.status == "consistent":',
        'if other.status == "consistent":',
        "a bug in a coordinate far smaller than the others is not found",
    ),
    Mutant(
        "verdict/witness.py",
        "and _is_smooth(along) and not _is_still(scene, along, i)",
        "",
        "rounded values contradict a right gradient on another scale",
    ),
    Mutant(
        "verdict/verdict_html.py",
        "html.escape(''.join(seen))",
        "''.join(seen)",
        "a name of the user's is markup in a notebook",
    ),
    Mutant(
        "verdict/verdict_html.py",
        'assign(rank=rank, size=-components["relative"].abs())',
        'assign(rank=rank, size=components["relative"].abs())',
        "of many wrong components the smallest are shown in a notebook",
    ),
)
