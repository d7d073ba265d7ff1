"""Every code block of the README runs: nothing in it is only said.

``pycon`` blocks run as doctests. ``console`` blocks are commands and what they print, line by line; a line ``…`` stands
for any number of lines. ``python`` and ``toml`` blocks are files, named in their first line, that commands below use.
``sh`` blocks are the two commands that the checks start with, and plain command lines.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

import diffcompare as dc
from diffcompare.command import cli

from .test_cli import environment

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REST = "…"


@dataclass(frozen=True)
class Block:
    language: str
    lines: tuple[str, ...]
    at: int


def blocks(text: str) -> Iterator[Block]:
    """The fenced code blocks of a text, with the line that each begins on."""
    inside: list[str] | None = None
    language, at = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("```"):
            if inside is not None:
                inside.append(line)
        elif inside is None:
            inside, language, at = [], line[3:], number
        else:
            yield Block(language, tuple(inside), at)
            inside = None
    assert inside is None, f"the block at line {at} does not end"


def sessions(block: Block) -> Iterator[tuple[str, list[str]]]:
    """The commands of a console block, each with the lines that it is said to print."""
    assert block.lines[0].startswith("$ "), f"line {block.at}: begins with no command"
    parts = re.split(r"^\$ (.+)\n", "\n".join(block.lines) + "\n", flags=re.MULTILINE)
    for command, printed in zip(parts[1::2], parts[2::2], strict=True):
        yield command, printed.splitlines()


def differs(said: list[str], printed: list[str]) -> str | None:
    """The first line that was said and not printed, or the other way round; None if there is none."""
    position, anywhere = 0, False
    for line in said:
        if line == REST:
            anywhere = True
            continue
        ahead = range(position, len(printed) if anywhere else min(position + 1, len(printed)))
        found = next((k for k in ahead if printed[k] == line), None)
        if found is None:
            return f"said and not printed: {line}"
        position, anywhere = found + 1, False
    return None if anywhere or position == len(printed) else f"printed and not said: {printed[position]}"


BLOCKS = list(blocks(README))
CONSOLE = [(b.at, command, said) for b in BLOCKS if b.language == "console" for command, said in sessions(b)]


def of(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader has saved the files that the README shows, beside those of the project."""
    folder = tmp_path_factory.mktemp("reader")
    for block in (*of("python"), *of("toml")):
        name = block.lines[0].removeprefix("# ")
        assert re.fullmatch(r"\w+\.(py|toml)", name), f"line {block.at}: the first line names no file"
        (folder / name).write_text("\n".join(block.lines) + "\n", encoding="utf-8")
    return folder


def execute(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(command)
    assert program in ("diffcompare", "pytest"), command
    # the last bit of NumPy's functions is the processor's; those shown use none
    return subprocess.run(
        [sys.executable, "-m", program, *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


# ---- blocks


def test_every_block_is_of_a_kind_that_runs() -> None:
    assert {block.language for block in BLOCKS} == {"pycon", "console", "python", "toml", "sh"}
    # doctest finds these by their prompts
    options = PROJECT["tool"]["pytest"]["ini_options"]
    assert "README.md" in options["testpaths"]
    assert "--doctest-glob=README.md" in options["addopts"]
    assert all(block.lines[0].startswith(">>> ") for block in of("pycon"))
    assert not any(re.search(r"doctest: *\+SKIP", line) for line in README.splitlines())


@pytest.mark.parametrize(("at", "command", "said"), CONSOLE, ids=[command for _, command, _ in CONSOLE])
def test_a_command_prints_what_the_readme_says(at: int, command: str, said: list[str], folder: Path) -> None:
    done = execute(command, folder)
    assert done.stderr == ""
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    assert differs(said, printed) is None, f"README.md, block at line {at}"


@pytest.mark.parametrize("block", of("toml"), ids=lambda block: f"line {block.at}")
def test_a_study_file_runs_and_writes_a_report(block: Block, folder: Path) -> None:
    name = block.lines[0].removeprefix("# ")
    assert f"`diffcompare run {name} --out DIR`" in README
    done = execute(f"diffcompare run {name} --out DIR", folder)
    assert (done.returncode, done.stderr) == (0, "")
    named = [function["name"] for function in tomllib.loads("\n".join(block.lines))["function"]]
    assert set(dc.read_errors(folder / "DIR" / "errors.csv")["function"]) == set(named)
    assert (folder / "DIR" / "index.html").is_file()


def test_the_exit_codes_of_the_example_are_those_that_are_said(folder: Path) -> None:
    codes = [
        execute(command, folder).returncode for _, command, _ in CONSOLE if command.startswith("diffcompare check")
    ]
    assert codes == [1, 0]
    assert "The exit code of the first is 1, that of the second 0." in README


def test_shell_blocks_are_the_commands_of_the_checks_or_run(folder: Path) -> None:
    commands = [line for block in of("sh") for line in block.lines]
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    setups = [line for line in commands if line.startswith("python3 -m venv")]
    # the checks take these two lines from here and run them; a third would run nowhere
    for line, environment_name in zip(setups, (".venv", ".venv-test"), strict=True):
        assert line.startswith(f"python3 -m venv {environment_name} && ")
        assert f"readme_command '\\{environment_name}')" in checks
    others = [line for line in commands if line not in setups]
    assert others == ["pytest --diffcompare-report=out"]
    source = "import numpy as np\nfrom diffcompare.testing import assert_gradient\n"
    source += "def test_slope():\n    assert_gradient(np.sin, np.cos, at=1.0)\n"
    (folder / "test_slope.py").write_text(source, encoding="utf-8")
    done = execute(f"{others[0]} -p diffcompare.testing.plugin -p no:cacheprovider test_slope.py", folder)
    assert done.returncode == 0, done.stdout
    assert (folder / "out" / "index.html").is_file()
    assert (folder / "out" / "comparisons.csv").is_file()


# ---- what is named in the text


def spans() -> list[str]:
    prose = re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL)
    return [span.replace("\\|", "|") for span in re.findall(r"`([^`]+)`", prose)]


COMMANDS = [span for span in spans() if span.startswith("diffcompare ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_that_is_named_exists_with_its_options(line: str) -> None:
    _, name, *words = shlex.split(line.partition(" | ")[0])
    command = cli.diffcompare.commands[name]
    known = {flag for option in command.params if isinstance(option, click.Option) for flag in option.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known


def test_every_command_and_every_option_of_the_text_is_there() -> None:
    assert {shlex.split(line)[1] for line in COMMANDS} == set(cli.diffcompare.commands)
    every = {flag for command in cli.diffcompare.commands.values() for option in command.params for flag in option.opts}
    section = README[README.index("## The command line") : README.index("## The tables")]
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", section))
    assert flags
    assert flags <= every


def test_public_names_and_extras_that_are_named_exist() -> None:
    for name, inner in re.findall(r"\bdc\.(\w+)(?:\.(\w+))?", README):
        found = getattr(dc, name)
        assert not inner or hasattr(found, inner)
    extras = re.findall(r"'(?:\.|diffcompare)\[(\w+)\]'", README)
    assert extras
    assert set(extras) <= set(PROJECT["project"]["optional-dependencies"])


def test_files_that_are_named_exist() -> None:
    linked = [name for name in re.findall(r"\]\(([^)]+)\)", README) if "://" not in name]
    said = [name for name in spans() if re.fullmatch(r"(reports|tests)/[\w./]+", name) and "NAME" not in name]
    run = re.findall(r"(?<=[ =])(?:tests|reports)/[\w./]+", " ".join(spans()))
    assert linked
    assert said
    for name in {*linked, *said, *run}:
        assert "NAME" in name or (ROOT / name).exists(), name
    for module in re.findall(r"python -m ((?:diffcompare|tests)[\w.]*)", README):
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


# ---- the comparison itself


@pytest.mark.parametrize(
    ("said", "printed", "verdict"),
    [
        (["a", "b"], ["a", "b"], None),
        (["a", "b"], ["a", "c"], "said and not printed: b"),
        (["a"], ["a", "b"], "printed and not said: b"),
        (["a", "b"], ["a"], "said and not printed: b"),
        (["a", REST, "d"], ["a", "b", "c", "d"], None),
        (["a", REST, "d"], ["a", "b", "c", "e"], "said and not printed: d"),
        (["a", REST], ["a", "b"], None),
        ([REST, "b"], ["a", "b", "c"], "printed and not said: c"),
        (["a", REST, "d", "b"], ["a", "b", "d"], "said and not printed: b"),
        ([], ["a"], "printed and not said: a"),
    ],
)
def test_output_is_compared_line_by_line(said: list[str], printed: list[str], verdict: str | None) -> None:
    assert differs(said, printed) == verdict


def test_the_digits_of_one_number_are_seen(folder: Path) -> None:
    _, command, said = next(entry for entry in CONSOLE if "diffcompare compare" in entry[1])
    printed = [line.rstrip() for line in execute(command, folder).stdout.splitlines()]
    for k, line in enumerate(said):
        digit = re.search(r"[1-9]", line)
        if digit:
            changed = [*said[:k], line[: digit.start()] + "0" + line[digit.end() :], *said[k + 1 :]]
            assert differs(changed, printed) is not None


def test_blocks_are_found() -> None:
    text = "a\n```sh\nx\n```\n\n```console\n$ one\n1\n$ two\n```\n"
    found = list(blocks(text))
    assert [(block.language, block.lines, block.at) for block in found] == [
        ("sh", ("x",), 2),
        ("console", ("$ one", "1", "$ two"), 6),
    ]
    assert list(sessions(found[1])) == [("one", ["1"]), ("two", [])]
    with pytest.raises(AssertionError, match="line 1 does not end"):
        list(blocks("```sh\nx\n"))
