"""Short formulas from a stranger who means harm, and what each step costs.

``python tests/quality/hostile_formulas.py --count 500`` prints those with a step beyond 2 s of processor time, or with
more than 300 MB above the interpreter that has everything loaded (its children counted), and every exception.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator

from diffcompare.program.operations import OPERATIONS

SECONDS, MEGABYTES = 2.0, 300.0
# of a process: what hangs is ended
_LIMIT = 30

NAMED = (
    ("digamma(10**6)*x", 1.5),
    ("gammaln(10**7)*x", 1.5),
    ("zeta(10**5)*x", 1.5),
    ("(((x-x+3)**1000)**1000)**1000*x", 2.0),
    ("x*zeta(x-x+10**6)", 2.0),
    ("zeta(-exp(exp(x)))", 7.0),
    ("zeta(exp(x))", 710.0),
    ("zeta(x)", 1e300),
    ("zeta(x)", -1e300),
    ("polylog(10**6, x)", 0.5),
    ("polylog(-10**6, x)", 0.5),
    ("bessely(10**9, x)", 5.0),
    ("besselk(10**6, x)", 100.5),
    ("polygamma(10**5, -x)", 2.5),
    ("((x**1000)**1000)**1000", 2.0),
    ("floor(((x**1000)**1000)**1000)", 2.0),
    ("gamma(floor(exp(exp(exp(x)))))", 4.0),
)

_NUMBERS = [
    "10**3",
    "10**6",
    "10**9",
    "10**15",
    "10**300",
    "1e-300",
    "0.5",
    "2",
    "pi",
    "1/3",
    "-10**6",
    "-10**9",
    "999",
]
_ONE = [name for name, row in OPERATIONS.items() if row.arity == 1 and row.names and name != "not"]
_ORDERED = [name for name, row in OPERATIONS.items() if row.parameters and row.names] + ["legendre", "hermite", "zeta"]
_POINTS = [2.5, 7.0, 710.0, 0.3, -2.5, 1e300, -1e300, 1e-300, 1e6, 0.0, -7.0, 1e15]


def formula(draw: random.Random) -> str:
    """Draw a formula of at most 60 characters."""
    while True:
        found = _term(draw, draw.randint(1, 4))
        if len(found) <= 60 and "x" in found:
            return found


def _term(draw: random.Random, depth: int) -> str:
    if depth == 0:
        return draw.choice(["x", "x", "x", "-x", "x-x+" + draw.choice(_NUMBERS), draw.choice(_NUMBERS), "exp(exp(x))"])
    inner = _term(draw, depth - 1)
    match draw.randrange(10):
        case 0 | 1 | 2:
            return f"{_name(draw, _ONE)}({inner})"
        case 3 | 4:
            return f"{_name(draw, _ORDERED)}({draw.choice(_NUMBERS)}, {inner})"
        case 5:
            return f"({inner})**{draw.choice(['1000', '(1/3)', '-999', 'x', '(x**x)', '0.1'])}"
        case 6:
            return f"({inner}){draw.choice('+-*/')}({_term(draw, depth - 1)})"
        case 7:
            return f"max({inner}, {_term(draw, depth - 1)})"
        case 8:
            return f"where({inner} < {draw.choice(_NUMBERS)}, {_term(draw, depth - 1)}, x)"
        case _:
            return draw.choice(
                ["beta({}, x)", "hypot({}, x)", "atan2({}, x)", "log({}, 3)", "-(({}))", "x*({})"]
            ).format(inner)


def _name(draw: random.Random, operations: list[str]) -> str:
    operation = draw.choice(operations)
    return draw.choice(OPERATIONS[operation].names or (operation,)) if operation in OPERATIONS else operation


def steps(text: str, at: float) -> Iterator[tuple[str, Callable[[], object]]]:
    """Give what is done with a formula, by name."""
    import diffcompare as dc
    from diffcompare.command.cli import main
    from diffcompare.symbolic.derivatives import derivative_latex, latex

    f = dc.parse(text)
    yield "parse", lambda: dc.parse(text)
    yield "expr", lambda: f.expr
    yield "latex", lambda: latex(f)
    yield "derivative_latex", lambda: derivative_latex(f)
    yield "call", lambda: f(at)
    yield "certified_gradient", lambda: dc.certified_gradient(f, at)
    yield "certified_hessian", lambda: dc.certified_hessian(f, at)
    yield "sweep", lambda: dc.sweep(f, at, steps=[1e-1, 1e-4, 1e-8])
    yield "hot_spots", lambda: dc.hot_spots(f, at)
    yield "step_rules", lambda: dc.step_rules(f, at, steps=[1e-2, 1e-5], schemes="central")
    yield "check_gradient", lambda: dc.check_gradient(f, lambda x: x, at)
    yield "compare", lambda: _compare(main, text, at)


def _compare(main: Callable[[list[str]], int], text: str, at: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        main(["compare", text, "--at", repr(at), "--out", f"{folder}/report"])


def cost(text: str, at: float) -> dict[str, object]:
    """Measure every step in a forked process: seconds, megabytes, exceptions."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as out:
            _measure(text, at, out)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as lines:
        found = [json.loads(line) for line in lines if line.endswith("\n")]
    _, status = os.waitpid(child, 0)
    seconds = {name: spent for name, spent, _ in found if name != "memory"}
    return {
        "text": text,
        "at": at,
        "seconds": seconds,
        "megabytes": next((spent for name, spent, _ in found if name == "memory"), None),
        "errors": {name: error for name, _, error in found if error},
        "died": status != 0,
    }


def _measure(text: str, at: float, out: io.TextIOBase) -> None:
    from diffcompare.errors import DiffcompareError
    from diffcompare.watchdog import end_children

    resource.setrlimit(resource.RLIMIT_CPU, (_LIMIT, _LIMIT))
    warnings.simplefilter("ignore")
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def say(name: str, spent: float, error: str = "") -> None:
        out.write(json.dumps([name, round(spent, 2), error]) + "\n")
        out.flush()

    def spent() -> float:
        return sum(os.times()[:4])

    try:
        todo = list(steps(text, at))
    except DiffcompareError:
        return
    for name, step in todo:
        start, error = spent(), ""
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                step()
        except (DiffcompareError, ValueError) as caught:
            # refused by name
            error = "" if isinstance(caught, DiffcompareError) else f"{type(caught).__name__}: {caught}"[:200]
        except BaseException as caught:
            error = f"{type(caught).__name__}: {caught}"[:200]
        end_children()
        say(name, spent() - start, error)
    here, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    # (kilobytes; a child has an idle interpreter of its own)
    say("memory", (here - idle + max(children, 0)) / 1024)


def beyond(found: dict[str, object], seconds: float = SECONDS, megabytes: float = MEGABYTES) -> bool:
    """Tell whether a formula cost too much, or an exception escaped."""
    most = max(found["seconds"].values(), default=0.0)  # type: ignore[attr-defined]
    memory = found["megabytes"]
    return bool(found["died"] or most > seconds or (memory or 0.0) > megabytes or found["errors"])  # type: ignore[operator]


def main() -> int:
    """Print what is beyond the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    _load()
    draw = random.Random(chosen.seed)
    drawn = [(formula(draw), draw.choice(_POINTS)) for _ in range(chosen.count)]
    start, bad = time.time(), 0
    for text, at in (*NAMED, *drawn):
        found = cost(text, at)
        if beyond(found):
            bad += 1
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()
    sys.stdout.write(f"{bad} of {len(NAMED) + len(drawn)} formulas beyond the limits, {time.time() - start:.0f} s\n")
    return int(bad > 0)


def _load() -> None:
    """Do everything once, so that a fork has it loaded."""
    with contextlib.redirect_stdout(io.StringIO()):
        for _, step in steps("x**2 + sin(x)/3 + j0(x)", 1.25):
            step()


if __name__ == "__main__":
    sys.exit(main())
