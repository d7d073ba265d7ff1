"""What the commands print: quiet, as JSON, explanations, completion, the worst first; and help that is of one kind."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

import diffcompare as dc
from diffcompare.command import cli, terminal
from diffcompare.report.theory import WORDS

from .test_cli import environment, refused

MANUAL = (Path(__file__).parents[2] / "reports" / "manual.md").read_text(encoding="utf-8")
MODEL = "import numpy as np\nprint('noise')\ndef f(x):\n    return np.sum(x**2)\ndef g(x):\n    return 2 * x\n"
MODEL += "def bad(x):\n    print('more noise')\n    return x\n"
KINKS = 'steps = [1e-1, 1e-4]\n[[function]]\nexpr = "x**3"\npoints = [1.0, 2.0, 3.0, 4.0, 5.0]\n'
KINKS += '[[function]]\nexpr = "abs(x)"\npoints = [0.0]\n[[function]]\nexpr = "foo(x)"\npoints = [1.0]\n'


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = cli.main(arguments)
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return call


@pytest.fixture
def study(tmp_path):
    (tmp_path / "s.toml").write_text(KINKS, encoding="utf-8")
    return "s.toml"


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    return ["check", "model.py:f", "model.py:g", "--at", "1,2"]


# ---- quiet


def test_quiet_prints_nothing_and_keeps_the_exit_code(call, model, tmp_path):
    for arguments, code in (
        (["compare", "x**2", "--at", "3", "--out", "out"], 0),
        (["check", "model.py:f", "model.py:bad", "--at", "1,2"], 1),
    ):
        result = call(*arguments, "--quiet")
        assert (result.returncode, result.stdout) == (code, "")
        assert result.stderr.replace("noise\n", "").replace("more ", "") == ""
    assert (tmp_path / "out" / "index.html").is_file()


def test_quiet_leaves_errors(call, study):
    result = call("run", study, "--quiet")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("diffcompare: foo(x) could not be evaluated: column 1: unknown function 'foo'")
    refused(call("compare", "foo(x)", "--at", "1", "--quiet"), "unknown function", lines=3)


@pytest.mark.parametrize(
    "arguments", [["compare", "x", "--at", "1"], ["run", "s.toml"], ["check", "a:f", "a:g", "--at=1"]]
)
def test_quiet_and_json_exclude_each_other(call, arguments):
    refused(call(*arguments, "--quiet", "--json"), "--quiet, --json: one prints nothing, the other a document")


# ---- JSON


def strict(text):
    def fail(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=fail)


def test_compare_as_json_has_the_numbers_of_the_tables(call):
    result = call("compare", "exp(x)*abs(y)", "--at", "1.5,0", "--at", "0.1,2", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    found = strict(result.stdout)
    assert (found["command"], found["variables"], found["report"]) == ("compare", ["x", "y"], None)
    f = dc.parse("exp(x)*abs(y)")
    expected = dc.summarize(dc.sweep(f, [[1.5, 0.0], [0.1, 2.0]])).to_dict("records")
    assert len(found["summary"]) == len(expected) == 12
    for seen, row in zip(found["summary"], expected, strict=True):
        assert seen == {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
    exact = [(row["variable"], row["exact"], row["status"]) for row in found["derivatives"]]
    assert exact[0] == ("x", 0.0, "ok")
    assert exact[1] == ("y", None, "kink")
    assert exact[2][1] == dc.certified_gradient(f, [0.1, 2.0]).value[0]
    assert {row["rule"] for row in found["rules"]} == set(WORDS["step rules"])


@pytest.mark.thorough
def test_run_as_json_lists_the_worst_first(call, study):
    result = call("run", study, "--json", "--out", "out")
    assert (result.returncode, result.stderr) == (1, "")
    found = strict(result.stdout)
    assert found["report"] == str(Path("out") / "index.html")
    assert [(row["function"], row["status"]) for row in found["functions"]] == [
        ("x**3", "ok"),
        ("abs(x)", "ok"),
        ("foo(x)", "failed"),
    ]
    assert found["verdicts"] == {"not-differentiable": 3, "within-bound": 15}
    assert [row["function"] for row in found["summary"][:4]] == ["abs(x)"] * 3 + ["x**3"]
    assert len(found["summary"]) == 18


def test_check_as_json_is_one_document_whatever_the_code_prints(call, model):
    result = call(*model, "--at", "3,4", "--json")
    assert result.returncode == 0
    assert "noise" in result.stderr
    found = strict(result.stdout)
    assert (found["status"], [v["status"] for v in found["verdicts"]]) == ("consistent", ["consistent"] * 2)
    assert [v["point"] for v in found["verdicts"]] == ["1.0,2.0", "3.0,4.0"]
    assert [c["claimed"] for c in found["verdicts"][1]["components"]] == [6.0, 8.0]
    wrong = strict(call("check", "model.py:f", "model.py:bad", "--at", "1,2", "--json").stdout)
    assert wrong["status"] == "wrong"
    assert wrong["verdicts"][0]["cause"]
    assert wrong["verdicts"][0]["explanation"].startswith("wrong: 2 of 2 components")


def test_infinities_are_words():
    from diffcompare.command.json_output import _document

    found = strict(_document({"a": [math.inf, -math.inf, math.nan, 0.1, -0.0, 5e-324], "b": "\udc00é", "c": True}))
    assert found == {"a": ["inf", "-inf", None, 0.1, -0.0, 5e-324], "b": "\udc00é", "c": True}
    assert math.copysign(1, found["a"][4]) == -1


# ---- the worst first


def test_run_ends_with_the_worst_and_the_report(call, study):
    lines = call("run", study).stdout.splitlines()
    assert lines[-1] == "report: s-report/index.html"
    start = lines.index("worst first:")
    assert lines[start + 1 : start + 4] == ["  abs(x)", "    df/dx at x=0.0, forward", "    not-differentiable (kink)"]
    # what is within its bounds is not among the worst
    assert start + 4 == len(lines) - 1
    assert max(map(len, lines)) <= 80


def test_what_is_within_its_bound_is_not_called_bad(call, tmp_path):
    (tmp_path / "s.toml").write_text(KINKS[: KINKS.index('[[function]]\nexpr = "abs')], encoding="utf-8")
    text = call("run", "s.toml").stdout
    assert "\nlargest errors:\n" in text
    assert "worst" not in text
    assert "|error|/bound" not in text
    best = [float(found) for found in re.findall(r"within-bound, best \|error\| (\S+) at h = \S+$", text, re.MULTILINE)]
    assert len(best) == 5
    assert best == sorted(best, reverse=True)


# ---- explain


def test_explain_prints_the_theory(call):
    result = call("explain", "h-underflow")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("h-underflow (status of a row)\n  h is too small to move the point")
    assert call("explain", "scaled", "by", "u").stdout.startswith("scaled by u (step rules)\n")
    listed = call("explain").stdout
    assert all(word in listed for words in WORDS.values() for word in words)


def test_unknown_words_are_refused_with_close_ones(call):
    refused(call("explain", "truncatoin"), "explain 'truncatoin': unknown word; did you mean 'truncation'\\?")
    refused(call("explain", "qqq"), "explain 'qqq': unknown word; diffcompare explain lists the words")


def test_explain_is_light_and_ascii_where_it_must_be():
    heavy = ["numpy", "sympy", "pandas", "flint", "rich", "msgspec", "jinja2"]
    code = "import sys, diffcompare.command.cli as c; c.main(['explain', 'central']); c.main(['completion', 'bash'])"
    code += f"; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(PYTHONIOENCODING="ascii"),
        capture_output=True,
        encoding="ascii",
        timeout=60,
    )
    assert result.stdout.endswith("[]\n")
    assert "h^2/6*F'''(x)" in result.stdout
    assert "\\u" not in result.stdout


# ---- completion


def completed(*words):
    """Ask as the script of bash asks: what can the last word become?"""
    arguments = ["diffcompare", *words]
    changes = {
        "_DIFFCOMPARE_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(arguments),
        "COMP_CWORD": str(len(words)),
    }
    result = subprocess.run(
        [sys.executable, "-m", "diffcompare"],
        env=environment(**changes),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return [line.partition(",")[2] for line in result.stdout.splitlines()]


def test_commands_options_and_words_are_completed():
    assert completed("co") == ["compare", "completion"]
    assert "--derivative" in completed("compare", "--d")
    assert completed("compare", "x**2", "--scheme", "cen") == ["central", "central4", "central6"]
    assert completed("compare", "-x", "--dtype", "float1") == ["float16"]
    assert completed("explain", "trunc") == ["truncation", "truncation_bound"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["run", "stu"], "file"),
        (["run", "s.toml", "--out", "stu"], "dir"),
        (["check", "stu"], "file"),
        (["check", "m.py:f", "stu"], "file"),
        (["compare", "x", "--out", "stu"], "dir"),
    ],
)
def test_files_and_directories_are_left_to_the_shell(words, kind):
    item = ShellComplete(cli.diffcompare, {}, "diffcompare", "_").get_completions(words[:-1], words[-1])
    assert [(found.type, found.value) for found in item] == [(kind, "stu")]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_with_the_script(tmp_path):
    program = tmp_path / "diffcompare"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m diffcompare "$@"\n')
    program.chmod(0o755)
    script = (
        'set -e; eval "$(diffcompare completion bash)"; complete -p diffcompare >&2\n'
        "COMP_WORDS=(diffcompare explain within); COMP_CWORD=2\n"
        '_diffcompare_completion diffcompare within explain; echo "${COMPREPLY[@]}"\n'
    )
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "--norc", "-c", script], env=environment(PATH=path), capture_output=True, encoding="utf-8", timeout=60
    )
    assert result.stdout == "within_bound within-bound\n"
    assert "-F _diffcompare_completion diffcompare" in result.stderr


@pytest.mark.parametrize(
    ("shell", "line"), [("zsh", "#compdef diffcompare"), ("fish", "complete --no-files --command diffcompare")]
)
def test_other_shells_have_scripts(call, shell, line):
    result = call("completion", shell)
    assert (result.returncode, result.stderr) == (0, "")
    assert line in result.stdout
    assert f"_DIFFCOMPARE_COMPLETE={shell}_complete" in result.stdout


def test_unknown_shells_are_refused(call):
    refused(call("completion", "tcsh"), "'tcsh' is not one of 'bash', 'zsh', 'fish'")


# ---- help


COMMANDS = sorted(cli.diffcompare.commands.items())


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_help_is_of_one_kind(call, name, command):
    text = call(name, "--help").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert command.help.partition("\n")[0].endswith(".")
    for option in (p for p in command.params if isinstance(p, click.Option)):
        assert option.help[0].isalnum(), option.name
        assert option.help.endswith((".", "]")), option.name
        assert option.is_flag or option.metavar or isinstance(option.type, click.Choice), option.name
        assert all(re.fullmatch("--[a-z][a-z-]+", flag) for flag in option.opts)
        assert option.opts[0] in text
    assert f"diffcompare {name}" in MANUAL


def test_what_commands_share_is_called_the_same(call):
    for flag in ("--quiet", "--json"):
        assert {flag in call(name, "--help").stdout for name in ("run", "compare", "check")} == {True}
        assert flag in MANUAL
    shared = {}
    for _, command in COMMANDS:
        for option in (p for p in command.params if isinstance(p, click.Option)):
            shared.setdefault(option.opts[0], set()).add(option.metavar)
    assert {flag: kinds for flag, kinds in shared.items() if len(kinds) > 1} == {}


def test_a_long_study_tells_each_minute_how_far_it_is(monkeypatch, capsys):
    clock = iter([0.0, 59.0, 61.0, 90.0, 125.0])
    monkeypatch.setattr("diffcompare.command.terminal.time.monotonic", lambda: next(clock))
    with terminal.progress(wanted=True) as advance:
        for done in (100, 110, 200, 250):
            advance(done, 1000, f"f{done}\x1b")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "110 of 1000 done, about 9 min left: f110\\x1b",
        "250 of 1000 done, about 7 min left: f250\\x1b",
    ]
    with terminal.progress(wanted=False) as advance:
        assert advance is None
