"""What the documents say is so: their code runs, and what they name exists.

``pycon`` blocks run as doctests. ``console`` blocks are commands and what they print, line by line; a line ``…`` stands
for any number of lines. ``python`` and ``toml`` blocks are files, named in their first line, that commands below use.
``sh`` blocks are the two commands that the checks start with, and plain command lines. ``text`` blocks are drawings.
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
from diffcompare.studies.study_file import _Descent, _File, _Function

from .command.test_cli import environment
from .stated import rows as rows_of_evidence
from .test_layers import LAYERS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REST = "…"
# those whose code runs, and all
RUN = ("README.md", "reports/manual.md")
DOCUMENTS = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in (*RUN, "reports/README.md", "reports/evidence.md", "diffcompare/README.md", "tests/README.md")
}
README, MANUAL, HOUSE = (DOCUMENTS[name] for name in (*RUN, "diffcompare/README.md"))


@dataclass(frozen=True)
class Block:
    language: str
    lines: tuple[str, ...]
    at: int
    document: str = ""


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


BLOCKS = [
    Block(block.language, block.lines, block.at, name) for name, text in DOCUMENTS.items() for block in blocks(text)
]


def of(language: str, *documents: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language and block.document in (documents or RUN)]


CONSOLE = [(b, command, said) for b in of("console") for command, said in sessions(b)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader has saved the files that the documents show, beside those of the project."""
    folder = tmp_path_factory.mktemp("reader")
    for block in (*of("python"), *of("toml")):
        name = block.lines[0].removeprefix("# ")
        assert re.fullmatch(r"\w+\.(py|toml)", name), f"{block.document}, line {block.at}: no file is named"
        assert not (folder / name).exists()
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
    assert {block.language for block in BLOCKS if block.document in RUN} == {"pycon", "console", "python", "toml", "sh"}
    assert {block.language for block in BLOCKS if block.document not in RUN} <= {"sh", "text"}
    # doctest finds these by their prompts
    options = PROJECT["tool"]["pytest"]["ini_options"]
    for name in RUN:
        assert name in options["testpaths"]
        assert f"--doctest-glob={Path(name).name}" in options["addopts"]
    assert all(block.lines[0].startswith(">>> ") and block.lines[-1] == "" for block in of("pycon"))
    assert not re.search(r"doctest: *\+SKIP", README + MANUAL)


@pytest.mark.thorough
@pytest.mark.parametrize(("block", "command", "said"), CONSOLE, ids=[command for _, command, _ in CONSOLE])
def test_a_command_prints_what_the_readme_says(block: Block, command: str, said: list[str], folder: Path) -> None:
    done = execute(command, folder)
    assert done.stderr == ""
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    assert differs(said, printed) is None, f"{block.document}, block at line {block.at}"


@pytest.mark.thorough
@pytest.mark.parametrize("block", of("toml"), ids=lambda block: f"{block.document}, line {block.at}")
def test_a_study_file_runs_and_writes_a_report(block: Block, folder: Path) -> None:
    name = block.lines[0].removeprefix("# ")
    assert f"`diffcompare run {name} --out DIR`" in DOCUMENTS[block.document]
    done = execute(f"diffcompare run {name} --out {name}.out", folder)
    assert (done.returncode, done.stderr) == (0, "")
    named = [function["name"] for function in tomllib.loads("\n".join(block.lines))["function"]]
    assert set(dc.read_errors(folder / f"{name}.out" / "errors.csv")["function"]) == set(named)
    assert (folder / f"{name}.out" / "index.html").is_file()


@pytest.mark.thorough
def test_the_exit_codes_of_the_example_are_those_that_are_said(folder: Path) -> None:
    codes = [
        execute(command, folder).returncode for _, command, _ in CONSOLE if command.startswith("diffcompare check")
    ]
    assert codes == [1, 0]
    assert "The first command exits with code 1, the last with 0." in README


@pytest.mark.thorough
def test_shell_blocks_are_the_commands_of_the_checks_or_run(folder: Path) -> None:
    commands = [line for block in of("sh") for line in block.lines]
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    setups = [line for line in commands if line.startswith("python3 -m venv")]
    # the checks take these two lines from here and run them; a third would run nowhere
    for line, environment_name in zip(setups, (".venv", ".venv-test"), strict=True):
        assert line.startswith(f"python3 -m venv {environment_name} && ")
        assert line in README
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


def spans(text: str) -> list[str]:
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"`([^`]+)`", prose)
    return [" ".join(span.replace("\\|", "|").split()) for span in found]


SPANS = [(name, span) for name, text in DOCUMENTS.items() for span in spans(text)]
COMMANDS = sorted({span for _, span in SPANS if span.startswith("diffcompare ")})


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_that_is_named_exists_with_its_options(line: str) -> None:
    _, name, *words = shlex.split(line.partition(" | ")[0])
    command = cli.diffcompare.commands[name]
    known = {flag for option in command.params if isinstance(option, click.Option) for flag in option.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known


def test_every_command_and_every_option_is_in_the_manual() -> None:
    section = MANUAL[MANUAL.index("## The command line") : MANUAL.index("## Tables and columns")]
    named = {shlex.split(span)[1] for span in spans(section) if span.startswith("diffcompare ")}
    assert named == set(cli.diffcompare.commands)
    options = [p for command in cli.diffcompare.commands.values() for p in command.params]
    every = {flag for option in options if isinstance(option, click.Option) for flag in option.opts}
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", section))
    assert flags <= every
    # --format stands where reports are explained
    assert every - flags == {"--format"}
    assert "`--format parquet`" in MANUAL


def test_every_key_of_a_study_file_is_in_the_manual() -> None:
    section = MANUAL[MANUAL.index("## Study files") : MANUAL.index("## Reports")]
    tables = section.split("| key | meaning | default |")[1:]
    for table, struct in zip(tables, (_File, _Function, _Descent), strict=True):
        keys = [
            key for row in re.findall(r"^\| (`.+?) \| ", table, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)
        ]
        assert sorted(keys) == sorted(struct.__struct_encode_fields__)
    # and the example uses each
    (block,) = of("toml", "reports/manual.md")
    study = tomllib.loads("\n".join(block.lines))
    for struct, used in ((_File, [study]), (_Function, study["function"]), (_Descent, study["descent"])):
        assert set().union(*used) == set(struct.__struct_encode_fields__) - {"python"}


def test_public_names_and_extras_that_are_named_exist() -> None:
    text = "".join(DOCUMENTS.values())
    for name, inner in re.findall(r"\bdc\.(\w+)(?:\.(\w+))?", text):
        found = getattr(dc, name)
        assert not inner or hasattr(found, inner)
    extras = re.findall(r"'(?:\.|diffcompare)\[(\w+)\]'", text)
    assert set(extras) == set(PROJECT["project"]["optional-dependencies"])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_and_tests_that_are_named_exist(name: str) -> None:
    text, place = DOCUMENTS[name], (ROOT / name).parent
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert "://" in link or (place / link).exists(), link
    said = " ".join([*spans(text), *(line for block in BLOCKS if block.document == name for line in block.lines)])
    for path in re.findall(r"(?<![\w/.])(?:tests|reports|diffcompare)/[\w./]+", said):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"python -m ((?:diffcompare|tests)[\w.]*)", said):
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    for test in re.findall(r"`(test_\w+)`", text):
        assert f"def {test}(" in tests, test


def slug(heading: str) -> str:
    """The anchor that a code host gives a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_begins_with_its_contents_and_its_anchors_exist(name: str) -> None:
    text = re.sub(r"^```.*?^```", "", DOCUMENTS[name], flags=re.MULTILINE | re.DOTALL)
    contents = re.findall(r"\[([^]]+)\]\(#([^)]+)\)", text[: text.index("\n## ")])
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert contents == [(heading, slug(heading)) for heading in headings]
    for link, anchor in re.findall(r"\]\(([^)#:]+)#([^)]+)\)", text):
        target = ((ROOT / name).parent / link).read_text(encoding="utf-8")
        assert anchor in map(slug, re.findall(r"^##+ (.+)$", target, re.MULTILINE))


def test_the_readme_is_short_and_has_one_changelog() -> None:
    assert len(README.splitlines()) <= 250
    assert re.findall(r"^## Changelog$", README, re.MULTILINE) == ["## Changelog"]
    assert README.index("### Unreleased") < README.index(f"### {dc.__version__}")


# ---- the house


def test_the_rooms_are_those_of_the_layers() -> None:
    section = HOUSE[HOUSE.index("## The rooms") : HOUSE.index("## Add an operation")]
    found = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
    rooms = {cells[0].strip("| `"): tuple(re.findall(r"`([^`]+)`", cell) for cell in cells[-2:]) for cells in found}
    assert rooms == {name: (inside.split(), outside.split()) for name, (inside, outside) in LAYERS.items()}
    assert list(rooms) == list(LAYERS)


def test_the_modules_that_the_house_names_exist() -> None:
    named = [span for span in spans(HOUSE) if re.fullmatch(r"[\w/]+(\.py|/)", span)]
    assert named
    rooms = [span for span in named if not span.startswith(("tests/", "reports/"))]
    verdict = {"causes/", "rewrites/", "roundings/", "drawings/", "search/", "plugin/"}
    assert [span for span in rooms if span not in verdict and not (ROOT / "diffcompare" / span).exists()] == []


# ---- the evidence


@pytest.mark.thorough
def test_every_claim_is_held_to_what_a_test_counts() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")}
    claims = rows_of_evidence()
    assert len(claims) >= 15
    for name, (_, how) in claims.items():
        asking = [path for path, source in sources.items() if re.search(rf'\w+\("{re.escape(name)}"[,)]', source)]
        assert asking, f"no test reads {name!r}"
        named = [ROOT / path for path in re.findall(r"tests/[\w./]+", how)]
        # "the same" is the line above
        assert how.startswith("the same") or any(path in asking or path in p.parents for path in named for p in asking)


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


@pytest.mark.thorough
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
