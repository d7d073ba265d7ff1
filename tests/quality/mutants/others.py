"""Planted bugs in symbolic/, report/, testing/ and gradient descent."""

from __future__ import annotations

from .mutant import Mutant

__all__ = ["MUTANTS"]

MUTANTS = (
    Mutant(
        "symbolic/lower.py",
        "in reversed(list(zip(ids[::2], ids[1::2], strict=True))):",
        "in list(zip(ids[::2], ids[1::2], strict=True)):",
        "the last piece whose condition holds is taken, not the first",
    ),
    Mutant(
        "symbolic/lower.py",
        "return -size if sign else size",
        "return size",
        "negative floats in SymPy expressions become positive",
    ),
    Mutant(
        "symbolic/parse.py",
        "self._reduce(rank + (rank in (POWER, COMPARE)))",
        "self._reduce(rank + (rank == COMPARE))",
        "x**y**z is read as (x**y)**z",
    ),
    Mutant(
        "symbolic/derivatives.py",
        '"log10": lambda x: sympy.log(x) / sympy.log(10)',
        '"log10": lambda x: sympy.log(x) / sympy.log(2)',
        "the formula of log10 is that of log2, and no gradient of it is certified",
    ),
    Mutant(
        "arithmetic/first_order.py",
        "return (*operands[half:], *operands[:half])",
        "return tuple(operands)",
        "the rounding of dot products in traced code is estimated by the wrong factors",
    ),
    Mutant(
        "arithmetic/first_order.py",
        "_BITS = (64, 256, 1024)",
        "_BITS = (64,)",
        "slopes of special functions keep no digits where FLINT cancels",
    ),
    Mutant(
        "tables/csv_files.py",
        'return [repr(value) if value == value else "" for value in values]',
        'return [f"{value:.15g}" if value == value else "" for value in values]',
        "errors.csv does not read back bit for bit",
    ),
    Mutant(
        "report/rows_table.py",
        "return html.escape(printable(text))",
        "return printable(text)",
        "names of functions are HTML",
    ),
    Mutant(
        "descent.py",
        "x = x - rate * slopes[step]",
        "x = x + rate * slopes[step]",
        "gradient descent climbs",
    ),
    Mutant(
        "descent.py",
        "distance = _norms(points - exact[0])",
        "distance = _norms(points - points[0])",
        "the distance is that from the start, not from the exact run",
    ),
    Mutant(
        "descent.py",
        'finite["value"] <= finite["value"][finite["step"] <= 1].max()',
        'finite["value"] <= finite["value"].max()',
        "the surface around a run that climbs shows where it went last, and nothing of the function",
    ),
    Mutant(
        "report/drawings/level_lines.py",
        "share = (scale * level - low) / (high - low)",
        "share = (high - scale * level) / (high - low)",
        "level lines cross the edges of the grid at the mirrored place",
    ),
    Mutant(
        "report/drawings/level_lines.py",
        "rises if joined == high[0] else rises[::-1]",
        "rises",
        "level lines at a saddle join the corners by where the cell begins, not by its height",
    ),
    Mutant(
        "report/drawings/contour.py",
        "share = min(share, ((low if b < low else high) - a) / (b - a))",
        "share = min(share, 1.0)",
        "runs are drawn beyond the edges of the contour plot",
    ),
    Mutant(
        "report/drawings/contour.py",
        "if before is None or gradient != before[0] or step <= before[1]:",
        "if before is None or gradient != before[0]:",
        "the end of one descent and the start of the next are joined by a line",
    ),
    Mutant(
        "testing/record.py",
        "        LISTENER.reset(token)\n",
        "        LISTENER.set(None)\n",
        "after a block inside it, the block around it hears of nothing any more",
    ),
    Mutant(
        "testing/strategies.py",
        "if 2 * h > room:",
        "if h > 2 * room:",
        "stencils of drawn comparisons leave the box",
    ),
    Mutant(
        "testing/strategies.py",
        "return float(-low), float(high)",
        "return float(high), float(-low)",
        "the room is left on the wrong side of one-sided stencils",
    ),
    Mutant(
        "testing/mutations.py",
        "_SMALLEST = 2.0**-20",
        "_SMALLEST = 0.0",
        "gradients that are only rounded otherwise are drawn as wrong ones",
    ),
    Mutant(
        "testing/search/judging.py",
        'return "non-smooth" not in verdict.components["status"].tolist() and not is_beyond',
        "return not is_beyond",
        "right gradients of code that sorts are called wrong where numbers are equal",
    ),
    Mutant(
        "testing/search/judging.py",
        "_RESERVE = 2 * VERDICT",
        "_RESERVE = 0",
        "searches spend all calls where nothing can be told, and fail right gradients",
    ),
    Mutant(
        "testing/search/judging.py",
        "if np.isfinite(claimed).all():",
        "if True:",
        "a claim of inf where floats overflow fails a right gradient",
    ),
    Mutant(
        "testing/search/judging.py",
        "ranks = [-1 if verdict.ok else",
        "ranks = [99 if verdict.ok else",
        "one kink in the box fails a right gradient",
    ),
    Mutant(
        "testing/search/judging.py",
        "_REACHES = (1.0, 2.0**-12, 2.0**-30)",
        "_REACHES = (1.0,)",
        "faults of opaque code in a thin part of the box are taken for rounding",
    ),
    Mutant(
        "testing/search/sampling.py",
        "left = _DIFFERENCES // (2 * problem.x.size + 1)",
        "left = 0",
        "gradients of code that has no single trace are tried at random",
    ),
    Mutant(
        "testing/within_bound.py",
        'table.loc[i, "bound_source"] = "measured"',
        'table.loc[i, "bound_source"] = "proven"',
        "an allowance that is only reasoned is called proven",
    ),
    Mutant(
        "testing/within_bound.py",
        '(h * (2 if scheme == "central" else 1)',
        '(h * (1 if scheme == "central" else 2)',
        "central differences are allowed twice their rounding, one-sided ones half of it",
    ),
    Mutant(
        "testing/plugin/listening.py",
        '"what": str(data.what)',
        '"what": "gradient"',
        "the page of a Jacobian asks whether this gradient is right",
    ),
    Mutant(
        "testing/digits.py",
        "starts = [((family << 20) + i) << 32 for i in range(len(sizes))]",
        "starts = [0 for i in range(len(sizes))]",
        "of many examples Hypothesis makes four in five by copying one part over another",
    ),
    Mutant(
        "testing/digits.py",
        "return (k + 1) // 2 * (1 if k % 2 else -1)",
        "return (k + 1) // 2 * (1 if k % 2 else 1)",
        "no negative constants, exponents or coordinates between -9 and 0 are drawn",
    ),
    Mutant(
        "adapters/jaxpr.py",
        'for k in reversed(order) if params["reverse"] else order:',
        "for k in order:",
        "jax.lax.scan backwards is traced forwards: right gradients are called wrong",
    ),
    Mutant(
        "adapters/jaxpr.py",
        '"select_n": lambda params, which, first, second: np.where(which, second, first)',
        '"select_n": lambda params, which, first, second: np.where(which, first, second)',
        "jnp.where takes the other branch",
    ),
    Mutant(
        "adapters/jaxpr.py",
        "numbers[place - 1] = numbers[place - 1] + update",
        "numbers[place - 1] = update",
        "x.at[...].add sets instead of adding, as do gradients of indexing",
    ),
    Mutant(
        "sweeps/parallel.py",
        "    with _TURN:\n        outcome = attempt(work, payload)\n",
        "    outcome = attempt(work, payload)\n",
        "threads of one executor set the precision of one another's balls",
    ),
    Mutant(
        "sweeps/parallel.py",
        "2 * crew.size - len(flying)",
        "1 - len(flying)",
        "an executor of many workers works on one piece at a time",
    ),
)
