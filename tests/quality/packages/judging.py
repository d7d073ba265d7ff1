"""Judge the pairs: the right gradients and the planted bugs, as they are and opaque."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np

import diffcompare as dc

from .pair import Pair, bugs, opaque

# what is imported, where its pairs are, and the function that makes them
PACKAGES = {
    "scipy": ("scipy_pairs", "pairs"),
    "statsmodels": ("statsmodels_pairs", "pairs"),
    "sklearn": ("sklearn_pairs", "pairs"),
    "jax": ("autodiff_pairs", "with_jax"),
    "autograd": ("autodiff_pairs", "with_autograd"),
    "copt": ("copt_pairs", "pairs"),
}
RIGHT = "right"


def pairs_of(package: str) -> list[Pair]:
    """Make the pairs of a package; raises ModuleNotFoundError where it is not installed."""
    module, maker = PACKAGES[package]
    with warnings.catch_warnings():
        make: Callable[[], Iterable[Pair]] = getattr(import_module(f".{module}", __package__), maker)
        warnings.simplefilter("ignore")  # after statsmodels has set its own filter
        return list(make())


@dataclass(frozen=True, slots=True)
class Judged:
    """What was said of one gradient of a pair; ``error`` is how far the bug is off, relative to the largest slope."""

    package: str
    pair: Pair
    gradient: str
    opaque: bool
    status: str
    evidence: str
    cause: str
    seconds: float
    resolution: float
    error: float

    @property
    def missed(self) -> bool:
        """Whether a bug that should have been seen was called right."""
        return self.gradient != RIGHT and self.status == "consistent" and not self.error < self.resolution


def judge(package: str, pairs: Sequence[Pair], *, planted: bool = True) -> Iterator[Judged]:
    """Judge them one by one; without ``planted``, the right gradients as they are."""
    for one in pairs:
        right = np.asarray(one.gradient(one.at.copy()), float)
        # a black box of a thousand variables takes a minute and more
        for hidden in (False, True) if planted and one.at.size <= 100 else (False,):
            for name, gradient in [(RIGHT, one.gradient), *(bugs(one) if planted else ())]:
                off = np.abs(np.asarray(gradient(one.at.copy()), float) - right).max() / np.abs(right).max()
                f, claimed = (opaque(one.f), opaque(gradient)) if hidden else (one.f, gradient)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    began = time.perf_counter()
                    said = dc.check_gradient(f, claimed, one.at.copy())
                    seconds = time.perf_counter() - began
                stood = [note for note in said.notes if note.startswith("not by identity")]
                cause = str(said.cause or "") or (stood[0] if stood and not hidden else "")
                yield Judged(
                    package, one, name, hidden, said.status, said.evidence, cause, seconds, said.resolution, off
                )


def totals(judged: Sequence[Judged]) -> str:
    """Count what was said: of right gradients first, then of bugs."""
    right = [one for one in judged if one.gradient == RIGHT]
    traced = [one for one in right if not one.opaque]
    planted = [one for one in judged if one.gradient != RIGHT]
    large = sum(one.pair.rows >= 1000 or one.pair.at.size >= 1000 for one in traced)
    compiled = sum(one.evidence != "identity" and "compiled code" in one.cause for one in traced)
    identity = sum(one.evidence == "identity" for one in traced)

    def wrong(hidden: bool) -> str:
        some = [one for one in planted if one.opaque == hidden]
        return f"{sum(one.status == 'wrong' for one in some)} of {len(some)}"

    return (
        f"{len(traced)} pairs ({large} of real size), {identity} by identity, {compiled} compiled, called wrong "
        f"{sum(one.status == 'wrong' for one in right)} right and {wrong(False)} bugs, {wrong(True)} opaque, "
        f"{sum(one.missed for one in judged)} missed"
    )
