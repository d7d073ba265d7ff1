"""Draw mutants by a seed, so that most of them stay the same while the code around them changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from .operators import Change, Source, changes, parses

__all__ = ["ROOMS", "Mutant", "draw"]

# where the numbers and the words are decided; studies, reports and commands only pass them on
ROOMS = ("program", "tracing", "arithmetic", "numeric", "certify", "sweeps", "verdict", "symbolic", "adapters")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change; ``old`` and ``new`` are the changed lines, without their indentation."""

    module: str
    function: str
    line: int
    old: str
    new: str
    text: str

    @property
    def name(self) -> str:
        """A name that stays as long as the function, the line and the change do."""
        digest = blake2b(f"{self.function}\0{self.old}\0{self.new}".encode(), digest_size=4).hexdigest()
        return f"{self.module}:{digest}"


def draw(package: Path, count: int, seed: int, rooms: tuple[str, ...] = ROOMS) -> list[Mutant]:
    """Return mutants of a package, one at each of ``count`` places; more of them begin with the same ones.

    Each place has a random number that depends on its line and function alone, and those with the smallest are taken.
    """
    modules = [path for room in rooms for path in sorted((package / room).rglob("*.py"))]
    places = sorted((place for module in modules for place in _places(package, module, seed)), key=lambda p: p[0])
    found: list[Mutant] = []
    for number, module, source, choices in places:
        if len(found) == count:
            break
        # a change that leaves no Python is no mutant: the next one of that place is tried
        shift = number[-1] % len(choices)
        texts = ((c, source.changed(c)) for c in choices[shift:] + choices[:shift])
        found.extend([_mutant(module, source, change, text) for change, text in texts if parses(text)][:1])
    return found


def _places(package: Path, path: Path, seed: int) -> Iterator[tuple[bytes, str, Source, list[Change]]]:
    source, module = Source(path.read_text(encoding="utf-8")), path.relative_to(package).as_posix()
    lines, seen = source.text.splitlines(), Counter[str]()
    by_place: dict[tuple[int, int], list[Change]] = {}
    for change in changes(source):
        by_place.setdefault((change.start, change.end), []).append(change)
    for (start, end), choices in by_place.items():
        key = f"{module}\0{choices[0].function}\0{lines[source.line(start) - 1].strip()}\0{source.text[start:end]}"
        seen[key] += 1
        yield blake2b(f"{seed}\0{key}\0{seen[key]}".encode(), digest_size=16).digest(), module, source, choices


def _mutant(module: str, source: Source, change: Change, text: str) -> Mutant:
    first, last = source.line(change.start), source.line(change.end)
    longer = len(text.splitlines()) - len(source.text.splitlines())
    old = [line.strip() for line in source.text.splitlines()[first - 1 : last]]
    new = [line.strip() for line in text.splitlines()[first - 1 : last + longer]]
    return Mutant(module, change.function, first, "\n".join(old), "\n".join(new), text)
