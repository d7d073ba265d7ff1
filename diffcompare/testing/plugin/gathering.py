"""The parts of a test run: every process writes what it hears into a file of its own, the first one reads them all.

A process appends one line of JSON after each test that made comparisons. So a worker that crashes takes its current
test with it and no other, and the report does not depend on how tests were spread.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from diffcompare.testing.plugin.listening import Heard

__all__ = ["append_part", "read_parts"]


def append_part(folder: Path, heard: Heard) -> None:
    """Write what was heard of one test, as one more line of this process.

    Parameters
    ----------
    folder : Path
        Shared by all processes of the run.
    heard : Heard
        The test, which is over.
    """
    line = json.dumps(heard.plain(), ensure_ascii=True) + "\n"
    with (folder / f"{os.getpid()}.jsonl").open("a", encoding="ascii") as file:
        file.write(line)


def read_parts(folder: Path) -> list[dict[str, Any]]:
    """Read what the processes of a run wrote, in the order of the tests' names.

    Parameters
    ----------
    folder : Path
        Files of lines of JSON, one line a test; a last line that was cut off is left out.

    Returns
    -------
    list of dict
        One entry for each comparison, its test and outcome in it.
    """
    lines: list[tuple[str, str, dict[str, Any]]] = []
    for part in folder.glob("*.jsonl"):
        for text in part.read_text(encoding="ascii").splitlines(keepends=True):
            if text.endswith("\n"):
                content = json.loads(text)
                lines.append((content["test"], text, content))
    return [
        {"test": test, "outcome": content["outcome"], **comparison}
        for test, _, content in sorted(lines, key=lambda line: line[:2])
        for comparison in content["comparisons"]
    ]
