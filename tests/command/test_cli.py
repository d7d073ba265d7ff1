"""The command line in processes of its own: exit codes, one line of blame, and output that is never cut."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.command import cli, table_commands

ROOT = Path(__file__).parents[2]
STUDY = 'steps = [1e-1, 1e-4]\n[[function]]\nname = "제곱"\nexpr = "x**2"\npoints = [3.0]\n'


def hear_interrupts():
    """Let Ctrl-C be heard in a process of a test, also where the tests run in the background and do not hear it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def environment(**changes):
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONWARNINGS")}
    return {**clean, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **changes}


@pytest.fixture
def run(tmp_path):
    def run(*arguments, **changes):
        return subprocess.run(
            [sys.executable, "-m", "diffcompare", *arguments],
            cwd=tmp_path,
            env=environment(**changes),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    return run


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Do the same in this process: imports are paid once."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = cli.main(arguments)
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return call


def refused(result, message, code=2, lines=1):
    assert result.returncode == code
    assert result.stdout == ""
    assert re.match(r"diffcompare: ", result.stderr)
    assert re.search(message, result.stderr), result.stderr
    assert result.stderr.count("\n") == lines
    assert "Traceback" not in result.stderr


# ---- compare


def test_a_box_in_compare(call):
    result = call("compare", "sqrt(x)", "--at", "0.001", "--scheme", "central", "--box", "0,inf")
    assert result.returncode == 0
    assert re.search("central +1e-8 .*\n *forward2 ", result.stdout)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ("0", r"--box '0': must be two numbers; write LOWER,UPPER as 0,1 or 0,inf"),
        ("1,0", r"--box '1,0': the lower side is above the upper one; exchange them"),
        ("0,a", r"--box '0,a': 'a' is not a number; write a decimal"),
        ("nan,1", r"--box 'nan,1': 'nan' is not finite"),
    ],
)
def test_a_box_that_is_none_is_refused(call, box, message):
    refused(call("compare", "sqrt(x)", "--at", "0.001", "--box", box), message)


def test_a_point_outside_the_box_is_told(call):
    refused(
        call("compare", "sqrt(x)", "--at", "0.001", "--box", "0.5,inf"),
        r"x=0.001: lies outside the box \[0.5, inf\]",
        1,
    )


@pytest.mark.thorough
def test_compare_prints_derivative_summary_and_errors(run):
    result = run("compare", "exp(x)/(sin(x)**3 + cos(x)**3)", "--at", "x=1.5")
    assert (result.returncode, result.stderr) == (0, "")
    assert "f(x) = exp(x)/(sin(x)**3 + cos(x)**3)" in result.stdout
    exact = float(dc.certified_gradient(dc.parse("exp(x)/(sin(x)**3 + cos(x)**3)"), 1.5).value[0])
    assert f"df/dx = {exact!r} " in result.stdout
    assert re.search(
        r"^ +\|error\| +\|error\| +\|error\|\n  h +forward +backward +central$", result.stdout, re.MULTILINE
    )
    rows = [line.split()[0] for line in result.stdout.splitlines() if re.match(r"  1e-\d+ ", line)]
    assert rows == [f"1e-{k}" for k in range(1, 17)]
    assert re.search(r"^  scheme +best h +there +at 1e-4 +h +\(seen\) +verdict *$", result.stdout, re.MULTILINE)
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "\x1b" not in result.stdout
    assert "…" not in result.stdout


MINUS = [
    (["-x**2", "--at", "x=1"], "df/dx = -2.0"),
    (["-x**2", "--at", "-1"], "df/dx = 2.0"),
    (["--at=-1,2", "-x*y"], "df/dx = -2.0"),
    (["--at", "-1,-2", "-(x*y)"], "df/dx = 2.0"),
    (["--at", "1", "--", "-x**2"], "df/dx = -2.0"),
    (["--x**2", "--at", "3"], "df/dx = 6.0"),
    (["-(x)", "--at=-.5"], "df/dx = -1.0"),
]


@pytest.mark.thorough
@pytest.mark.parametrize("case", MINUS, ids=lambda case: " ".join(case[0]))
def test_formulas_and_points_may_start_with_a_minus(call, case):
    arguments, expected = case
    result = call("compare", *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    assert expected in result.stdout


POINTS = [
    (["--at", "3,4"], ["x0=3.0, x1=4.0"]),
    (["--at", "3,4", "--at", "0,2"], ["x0=3.0, x1=4.0", "x0=0.0, x1=2.0"]),
    (["--at", "x1=4,x0=3"], ["x0=3.0, x1=4.0"]),
    (["--at", "x0=3", "--at", "x1=4"], ["x0=3.0, x1=4.0"]),
    (["--at", "x0=3;x1=4"], ["x0=3.0, x1=4.0"]),
    (["--at", "x0=3", "--at", "x1=4", "--at", "x1=6", "--at", "x0=5"], ["x0=3.0, x1=4.0", "x0=5.0, x1=6.0"]),
    (["--at", " 1e2 , -.5 "], ["x0=100.0, x1=-0.5"]),
]


@pytest.mark.thorough
@pytest.mark.parametrize("case", POINTS, ids=lambda case: " ".join(case[0]))
def test_points(call, case):
    arguments, expected = case
    result = call("compare", "x0**2 + x1**2", *arguments, "--scheme", "central")
    assert (result.returncode, result.stderr) == (0, "")
    assert [line[3:] for line in result.stdout.splitlines() if line.startswith("at ")] == expected


def test_variables_and_schemes(call):
    result = call("compare", "a", "--variables", "b,a", "--at", "1,2", "--scheme", "forward", "--scheme", "central")
    assert result.returncode == 0
    assert "f(b, a) = a" in result.stdout
    assert "df/db = 0.0" in result.stdout
    assert "forward" in result.stdout
    assert "backward" not in result.stdout


def test_a_stencil_by_hand(call):
    result = call("compare", "exp(x)", "--at", "1", "--scheme", "[0,1,3]")
    assert result.returncode == 0
    assert re.search(r"\[0, 1, 3\] .* 2 \(2\.00\)  within-bound", result.stdout)


NO_DERIVATIVE = [
    ("abs(x)", "0", "none (kink): the derivative does not exist here"),
    ("log(x)", "-1", "none (domain): the point lies outside"),
    ("sqrt(x)", "0", "none (domain): the point lies outside"),
]


@pytest.mark.parametrize(("formula", "at", "words"), NO_DERIVATIVE)
def test_points_without_a_derivative_are_results(call, formula, at, words):
    result = call("compare", formula, "--at", at)
    assert (result.returncode, result.stderr) == (0, "")
    assert words in result.stdout
    assert "not-differentiable: there is no exact derivative" in result.stdout


@pytest.mark.thorough
def test_numbers_are_not_cut_in_narrow_and_wide_places(run):
    variables = [f"variable_number_{k}" for k in range(6)]
    formula = " + ".join(f"{v}**2" for v in variables)
    at = ",".join(["0.12345678901234566"] * 6)
    for columns in ("20", "400"):
        shown = run("compare", formula, "--at", at, COLUMNS=columns).stdout
        # lines break in gaps alone
        assert f"f({', '.join(variables)}) = {formula} at" in " ".join(shown.split())
        assert shown.count("0.12345678901234566") == 6
        assert shown.count("0.2469135780246913") == 6
        assert "…" not in shown


@pytest.mark.thorough
def test_colour_only_where_it_is_wanted(run):
    arguments = ["compare", "x**2", "--at", "1"]
    assert "\x1b[" in run(*arguments, FORCE_COLOR="1", TERM="xterm").stdout
    plain = run(*arguments).stdout
    assert "\x1b" not in plain
    bold = run(*arguments, FORCE_COLOR="1", NO_COLOR="1", TERM="xterm").stdout
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", bold)


@pytest.mark.thorough
def test_an_ascii_terminal_gets_ascii(run):
    result = run("compare", "abs(x)", "--at", "0", PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, "")
    assert "\\" not in result.stdout
    assert re.search(r"forward +- +- +- +- +1 +not-differentiable", result.stdout)
    assert "kink" in result.stdout
    result = run("compare", "log(x)", "--at", "1", PYTHONIOENCODING="ascii")
    assert "\\" not in result.stdout
    assert "         +---" in result.stdout
    assert re.search(r"fixed 1e-4 +1e-4 x\d", result.stdout)


@pytest.mark.thorough
def test_a_report_is_written_on_request(call, tmp_path):
    result = call("compare", "x0*x1", "--at", "3,4", "--out", "./made/here")
    assert result.returncode == 0
    assert result.stdout.endswith("report: ./made/here/index.html\n")
    errors = dc.read_errors(tmp_path / "made/here/errors.csv")
    expected = dc.sweep(dc.parse("x0*x1"), [[3.0, 4.0]])
    pd.testing.assert_frame_equal(errors, expected)


HANGS = [
    "where(exp(exp(exp(100)))>1,x,0)",
    "x*abs(sin(exp(exp(exp(5)))))",
    "max(sin(exp(exp(exp(5)))),0)*x",
    "x**x**x**x",
]


@pytest.mark.thorough
@pytest.mark.parametrize("formula", HANGS)
def test_formulas_that_would_hang_sympy_are_answered(run, formula):
    result = run("compare", formula, "--at", "1")
    assert (result.returncode, result.stderr) == (0, "")
    assert "df/dx = " in result.stdout


# ---- bad input

BAD_FORMULAS = {
    "foo(x)": "unknown function 'foo'",
    "x+": "a value is missing after '\\+'",
    "": "the formula is empty",
    "__import__('os').system('touch hacked')": "column 1: ",
    "().__class__": "column ",
    "9**9**9**9": "column ",
    "9**9**9**9*x": "column ",
    "(" * 100_000: "at most 20,000 characters",
    "3": "no variable occurs",
    "x\n+*": "column ",
    "x\x1b[31m": "column ",
}


@pytest.mark.parametrize("formula", BAD_FORMULAS, ids=lambda formula: repr(formula[:40]))
def test_bad_formulas_show_their_place(call, formula, tmp_path):
    result = call("compare", formula, "--at", "1")
    refused(result, r"^diffcompare: column \d+: .*\n  .*\n +\^\n$", lines=3)
    assert re.search(BAD_FORMULAS[formula], result.stderr)
    assert "\x1b" not in result.stderr
    assert list(tmp_path.iterdir()) == []


BAD_ARGUMENTS = [
    (["x*y", "--at", "1"], r"--at '1': 1 coordinate\(s\) for 2 variable\(s\) x, y; give one for each"),
    (["x", "--at", "1,2"], r"--at '1,2': 2 coordinate\(s\) for 1 variable\(s\) x"),
    (["x", "--at", "nan"], "'nan' is not finite; give a finite number"),
    (["x", "--at", "x=-inf"], "'-inf' is not finite"),
    (["x", "--at", "1e999"], "'1e999' is not finite"),
    (["x", "--at", "two"], "'two' is not a number; write a decimal"),
    (["x", "--at", "1_0"], "'1_0' is not a number"),
    (["x", "--at", ""], "'' is not a number"),
    (["x", "--at", "x="], "'' is not a number"),
    (["x", "--at", "1\n2"], r"'1\\n2' is not a number"),
    (["x", "--at", "y=1"], "unknown variable 'y'; the variables are x"),
    (["alpha", "--at", "alpa=1"], "unknown variable 'alpa'; did you mean 'alpha'"),
    (["x*y", "--at", "x=1"], "the point with x=1.0 lacks y; add --at y=VALUE"),
    (["x*y", "--at", "x=1", "--at", "2,3"], "the point with x=1.0 lacks y"),
    (["x*y", "--at", "x=1", "--at", "x=2"], "'x' is given twice before the point is complete"),
    (["x*y", "--at", "x=1,2"], "'2' has no name; write all as name=value, or none"),
    (["x"], "Missing option '--at'; see diffcompare compare --help"),
    (["--at", "1"], "Missing argument 'EXPR'"),
    (["x", "--at"], "Option '--at' requires an argument"),
    (["x", "y", "--at", "1"], "unexpected extra argument"),
    (["x", "--att", "1"], "No such option:? '?--att'?.*--at\\b"),
    (["x", "--at", "1", "--shceme=central"], "No such option:? '?--shceme'?.*--scheme"),
    (
        ["x", "--at", "1", "--scheme", "centre"],
        "scheme='centre': unknown scheme; choose from forward, backward, central, one of",
    ),
    (
        ["x", "--at", "1", "--scheme", "complex", "--dtype", "float32"],
        '--dtype float32: scheme="complex" is computed in float64; leave out one of them',
    ),
    (
        ["x", "--at", "1", "--scheme", "complex", "--derivative", "2"],
        'derivative=2: scheme="complex" is one of first derivatives; choose "central"',
    ),
    (["x", "--at", "1", "--variables", "x,x"], "--variables 'x,x': .*'x' is listed twice"),
    (["x", "--at", "1", "--variables", ""], "--variables '': "),
    (["x", "--at", "1", "--out", ""], "--out '': is empty; name a directory"),
]


@pytest.mark.parametrize("case", BAD_ARGUMENTS, ids=lambda case: " ".join(case[0]) + ".")
def test_bad_arguments_are_refused_in_one_line(call, case):
    arguments, message = case
    refused(call("compare", *arguments), message)


def test_unlisted_variables_are_refused(call):
    refused(call("compare", "x + y", "--variables", "x", "--at", "1"), "unknown variable 'y'; variables are x", lines=3)


BAD_COMMANDS = [
    ([], r"a command is missing; write diffcompare compare \"x\*\*2\" --at 3, or see diffcompare --help$"),
    (["compar", "x"], "No such command 'compar'.*compare"),
    (["run"], "Missing argument 'STUDY.toml'"),
    (["run", "nothing.toml"], r"nothing\.toml: cannot be read \(No such file or directory\); pass the path"),
    (["run", "."], r"\.: cannot be read \(Is a directory\)"),
    (["run", "s.toml", "--oout", "a"], "No such option:? '?--oout'?.*--out\\b"),
    (["--verson"], "No such option:? '?--verson'?.*--version"),
]


@pytest.mark.parametrize("case", BAD_COMMANDS, ids=lambda case: " ".join(case[0]) + ".")
def test_bad_commands_are_refused_in_one_line(call, case):
    arguments, message = case
    refused(call(*arguments), message)


@pytest.mark.parametrize("command", ["compare", "run"])
def test_places_that_cannot_be_written_are_refused(call, tmp_path, command):
    (tmp_path / "s.toml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "index.html").write_text("mine")
    arguments = ["compare", "x", "--at", "1"] if command == "compare" else ["run", "s.toml"]
    refused(call(*arguments, "--out", "file"), "--out 'file': a file is in the way; choose a directory")
    refused(call(*arguments, "--out", "file/below"), "--out 'file/below': a file is in the way")
    refused(call(*arguments, "--out", "foreign"), "foreign.*index.html is there already")
    assert (tmp_path / "foreign" / "index.html").read_text() == "mine"
    assert [p.name for p in (tmp_path / "foreign").iterdir()] == ["index.html"]
    refused(call(*arguments, "--out", "/proc/nothing"), "/proc/nothing.*cannot be written")
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        refused(call(*arguments, "--out", "closed"), "--out 'closed': cannot be written; choose a directory")


@pytest.mark.thorough
def test_bad_input_of_a_process_of_its_own(run):
    refused(run("compare", "x", "--att", "1"), "No such option:? '?--att")
    refused(run("compare", "().__class__", "--at", "1"), "column 3: ", lines=3)
    refused(run("compare", "-x", "--at", "nan"), "'nan' is not finite")
    refused(run(), "a command is missing")


# ---- run


@pytest.mark.thorough
def test_run_writes_a_report_and_counts(run, tmp_path):
    (tmp_path / "s.toml").write_text(STUDY, encoding="utf-8")
    result = run("run", "s.toml", "--out", "./out")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0] == "s"
    assert re.search(r"^1 function, 6 rows: 3 \S+$", result.stdout, re.MULTILINE)
    assert result.stdout.endswith("report: ./out/index.html\n")
    assert {"index.html", "errors.csv", "summary.csv", "functions.csv"} <= {
        p.name for p in (tmp_path / "out").iterdir()
    }
    again = run("run", "s.toml", "--out", "./out")
    assert (again.returncode, again.stdout) == (0, result.stdout)


def test_run_without_out_writes_beside_the_caller(call, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "s.toml").write_text(STUDY, encoding="utf-8")
    result = call("run", "deep/s.toml")
    assert result.returncode == 0
    assert result.stdout.endswith("report: s-report/index.html\n")
    assert (tmp_path / "s-report" / "index.html").is_file()


def test_a_failed_function_is_named_and_the_rest_is_done(call, tmp_path):
    failing = '[[function]]\nname = "שלום"\nexpr = "foo(x)"\npoints = [1.0]\n'
    (tmp_path / "s.toml").write_text(STUDY + failing, encoding="utf-8")
    result = call("run", "s.toml", "--out", "out")
    assert (result.returncode, result.stderr) == (1, "")
    assert "1 function failed" in result.stdout
    assert "failed: שלום: column 1: unknown function 'foo'" in result.stdout
    assert set(dc.read_errors(tmp_path / "out" / "errors.csv")["function"]) == {"제곱"}


@pytest.mark.thorough
def test_several_processes_write_the_same_bytes(run, tmp_path):
    failing = '[[function]]\nexpr = "foo(x)"\npoints = [1.0]\n'
    code = '[[function]]\npython = "model:loss"\npoints = [[1.0, 2.0], [0.5, -1.0]]\n'
    many = f'[[function]]\nexpr = "exp(sin(x))"\npoints = {list(range(50))}\n'
    (tmp_path / "s.toml").write_text(STUDY + failing + code + many, encoding="utf-8")
    (tmp_path / "model.py").write_text("def loss(w):\n    return (w**2).sum()\n", encoding="utf-8")
    one = run("run", "s.toml", "--out", "one", "--allow-python")
    two = run("run", "s.toml", "--out", "two", "--allow-python", "--jobs", "2")
    assert (two.returncode, two.stderr) == (one.returncode, one.stderr) == (1, "")
    assert two.stdout == one.stdout.replace("one/index.html", "two/index.html")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert "errors.csv" in files
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_kinks_domains_and_underflow_are_results_of_a_study(call, tmp_path):
    text = 'steps = [1e-1, 1e-49]\n[[function]]\nexpr = "abs(x)"\npoints = [0.0]\n'
    text += '[[function]]\nexpr = "log(x)"\npoints = [-1.0, 1.0]\n'
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    result = call("run", "s.toml")
    assert (result.returncode, result.stderr) == (0, "")
    statuses = set(dc.read_errors(tmp_path / "s-report" / "errors.csv")["status"])
    assert {"kink", "domain", "h-underflow"} <= statuses


@pytest.mark.thorough
def test_python_code_runs_only_when_it_is_allowed(run, tmp_path):
    model = "import numpy as np\nprint('loaded')\ndef loss(w):\n    return np.sum(np.tanh(w) ** 2)\n"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.py").write_text(model, encoding="utf-8")
    text = 'steps = [1e-1, 1e-4]\n[[function]]\npython = "model:loss"\npoints = [[0.5, 2.0]]\n'
    (tmp_path / "mine" / "s.toml").write_text(text, encoding="utf-8")
    refused(run("run", "mine/s.toml"), r"mine/s\.toml, line 3: key 'python' .*: pass --allow-python to run Python code")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    result = run("run", "mine/s.toml", "--allow-python")
    assert (result.returncode, result.stderr) == (0, "")
    assert "1 function, 12 rows" in result.stdout
    row = pd.read_csv(tmp_path / "s-report" / "functions.csv", keep_default_na=False).iloc[0]
    assert (row["formula"], row["latex"], row["source"]) == ("model:loss", "", "python")
    with (tmp_path / "mine" / "s.toml").open("a", encoding="utf-8") as stream:
        stream.write('[[function]]\npython = "model:gone"\npoints = [1.0]\n')
    result = run("run", "mine/s.toml", "--allow-python", "--out", "out")
    assert (result.returncode, result.stderr) == (1, "")
    assert "failed: model:gone: mine/model.py: no function 'gone'; choose from loss" in result.stdout
    assert str(tmp_path) not in result.stdout


def test_a_bad_study_is_refused_before_anything_is_written(call, tmp_path):
    (tmp_path / "s.toml").write_text(STUDY + "point = [1]\n", encoding="utf-8")
    refused(call("run", "s.toml", "--out", "out"), r"s\.toml, line 6: key 'point' .*did you mean 'points'\?")
    assert not (tmp_path / "out").exists()


# ---- in this process


@pytest.fixture
def tables():
    from diffcompare.studies.study import Study, evaluate, make_entry

    return evaluate(Study("t", "float64", (make_entry("x**2", lambda f: [(3.0,)]),)))


def test_an_error_outside_its_bound_is_a_finding(tables):
    assert table_commands._exit_code(tables) == 0
    tables.summary["verdict"] = tables.summary["verdict"].astype(str)
    tables.summary.loc[1, "verdict"] = "outside-bound"
    assert table_commands._exit_code(tables) == 1


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (KeyboardInterrupt(), 130, ""),
        (RuntimeError("a\nb"), 1, "diffcompare: unexpected RuntimeError: a b; please report"),
        (dc.DiffcompareError("one\ntwo"), 2, "diffcompare: one two\n"),
    ],
)
def test_what_goes_wrong_inside_has_an_exit_code(monkeypatch, capsys, error, code, text):
    from diffcompare.studies import study

    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(study, "evaluate", fail)
    assert cli.main(["compare", "x", "--at", "1"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip().startswith(text.strip())
    assert err.count("\n") <= 1


def test_an_evaluation_that_fails_is_a_finding(monkeypatch, capsys):
    from diffcompare.studies import study

    def fail(*arguments, **options):
        raise dc.DomainError("no value anywhere")

    monkeypatch.setattr(study, "sweep", fail)
    assert cli.main(["compare", "x", "--at", "1"]) == 1
    assert capsys.readouterr().err == "diffcompare: x could not be evaluated: no value anywhere\n"


# ---- processes


def test_the_command_line_is_light():
    heavy = ["numpy", "sympy", "pandas", "flint", "rich", "msgspec", "jinja2"]
    code = f"import sys, diffcompare.command.cli; print([m for m in {heavy} if m in sys.modules])"
    for arguments in (
        ["-c", code],
        [
            "-c",
            "import sys, diffcompare.command.cli as c; c.main(['--help']); "
            f"print([m for m in {heavy} if m in sys.modules])",
        ],
    ):
        result = subprocess.run(
            [sys.executable, *arguments], env=environment(), capture_output=True, encoding="utf-8", timeout=60
        )
        assert result.returncode == 0
        assert result.stdout.endswith("[]\n")


def test_help_and_version(run):
    result = run("--help")
    assert result.returncode == 0
    assert "Exit codes: 0 done" in result.stdout
    assert "compare" in result.stdout
    assert run("compare", "--help").returncode == 0
    assert "STUDY-report" in run("run", "--help").stdout
    assert dc.__version__ in run("--version").stdout


def started(program, folder):
    """A process in a session of its own, so that it can be interrupted with all that it starts."""
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        preexec_fn=hear_interrupts,
    )


@pytest.mark.thorough
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_no_debris(tmp_path, number, code, jobs):
    points = ", ".join(map(str, range(1, 1500)))
    (tmp_path / "s.toml").write_text(f'[[function]]\nexpr = "exp(sin(x))"\npoints = [{points}]\n', encoding="utf-8")
    program = (
        "import sys, time, diffcompare.studies.study as s, diffcompare.command.cli as c\n"
        "real = s.evaluate\n"
        "def evaluate(*a, **k):\n"
        "    print('ready', flush=True)\n"
        "    end = time.monotonic() + 100\n"
        "    while time.monotonic() < end: real(*a, **k)\n"
        "s.evaluate = evaluate\n"
        "sys.exit(c.main(['run', 's.toml', '--out', 'out', '--jobs', '" + jobs + "']))\n"
    )
    process = started(program, tmp_path)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2 if jobs == "1" else 1.5)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does, to all processes at once
    else:
        process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    # a quick machine has measured some points until then: Ctrl-C writes their report
    whole = {"s.toml", "out"} if number == signal.SIGINT and "the report has what is done" in err else {"s.toml"}
    assert {p.name for p in tmp_path.iterdir()} == whole
    assert "out" not in whole or (tmp_path / "out" / "index.html").exists()


@pytest.mark.thorough
def test_ctrl_c_keeps_what_is_done(tmp_path):
    points = ", ".join(map(str, range(1, 1500)))
    text = f'{STUDY}[[function]]\nname = "long"\nexpr = "exp(sin(x))"\npoints = [{points}]\n'
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    program = (
        "import sys, diffcompare.studies.study as s, diffcompare.command.cli as c\n"
        "real = s.run_study\n"
        "def run_study(path, allow_python, progress, *more):\n"
        "    return real(path, allow_python, lambda done, *_: print(done, flush=True), *more)\n"
        "s.run_study = run_study\n"
        "sys.exit(c.main(['run', 's.toml', '--out', 'out', '--jobs', '2']))\n"
    )
    process = started(program, tmp_path)
    assert [process.stdout.readline() for _ in range(2)] == ["0\n", "1\n"]
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all processes at once
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "diffcompare: interrupted after 1 of 2 functions; the report has what is done: out/index.html\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "s.toml"]
    assert set(dc.read_errors(tmp_path / "out" / "errors.csv")["function"]) == {"제곱"}
    functions = pd.read_csv(tmp_path / "out" / "functions.csv", keep_default_na=False)
    assert functions["status"].tolist() == ["ok", "failed"]
    assert functions["message"].tolist() == ["", "interrupted after 1 of 2 functions"]


ILL_BEHAVED = """
import ctypes, os, sys, time
import numpy as np

class Stop(BaseException):
    pass

def moves(x):
    os.chdir("/")
    return np.sum(x**2)

def stops(x):
    raise Stop("enough")

def leaves(x):
    sys.exit(0)

def exits(x):
    os._exit(0)

def dies(x):
    ctypes.CDLL(None)._exit(0)

def closes(x):
    sys.stdout.close()
    sys.stderr.close()
    os.close(1)
    return np.sum(x**2)

def replaces(x):
    sys.stdout = sys.stderr = None
    return np.sum(x**2)

def loops(x):
    while True:
        pass

def prints(x):
    print("said")
    return np.sum(x**2)
"""
REASONS = {
    "moves": "",
    "stops": "the code raised Stop: enough (model.py, line 13); a function must return",
    "leaves": "the code called sys.exit(0); a function must return",
    "exits": "the code called os._exit(0); a function must return",
    "dies": "the code ended its process (exit code 0); a function must return",
    "closes": (
        "line 27 of closes (model.py): OSError: [Errno 9] Bad file descriptor; the function must run on NumPy numbers"
    ),
    "replaces": "",
    "loops": "the code did not finish within 2 s; fix it, or raise --timeout",
    "prints": "",
}


@pytest.mark.thorough
def test_ill_behaved_code_is_one_failed_function_each(run, tmp_path):
    (tmp_path / "model.py").write_text(ILL_BEHAVED, encoding="utf-8")
    text = "steps = [1e-1, 1e-4]\n"
    text += "".join(f'[[function]]\npython = "model:{name}"\npoints = [[0.5, 2.0]]\n' for name in REASONS)
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    result = run("run", "s.toml", "--allow-python", "--timeout", "2", "--jobs", "2")
    assert (result.returncode, result.stderr) == (1, "")
    assert "said\n" in result.stdout
    assert result.stdout.endswith("report: s-report/index.html\n")
    functions = pd.read_csv(tmp_path / "s-report" / "functions.csv", keep_default_na=False)
    assert dict(zip(functions["function"].str.removeprefix("model:"), functions["message"], strict=True)) == REASONS
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"model.py", "s.toml", "s-report"}


@pytest.mark.thorough
def test_progress_is_for_terminals_only(tmp_path):
    pty = pytest.importorskip("pty")
    (tmp_path / "s.toml").write_text(STUDY, encoding="utf-8")
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "diffcompare", "run", "s.toml"],
        cwd=tmp_path,
        env=environment(TERM="xterm", COLUMNS="100"),
        stdout=subprocess.PIPE,
        stderr=follower,
    )
    out, _ = process.communicate(timeout=60)
    os.close(follower)
    shown = os.read(leader, 4096).decode()
    os.close(leader)
    assert process.returncode == 0
    assert "1/1 제곱" in shown
    assert "ETA" in shown
    assert "1/1" not in out.decode()


def test_pages_all_gives_every_function_a_page(call, tmp_path, monkeypatch):
    monkeypatch.setattr("diffcompare.report.page._MANY", 1)
    functions = "".join(f'[[function]]\nexpr = "x**{k}"\npoints = [1.0]\nsteps = [1e-4]\n' for k in (2, 3))
    (tmp_path / "s.toml").write_text(f'title = "two"\n{functions}')
    for option, count in (("auto", 0), ("all", 2)):
        assert call("run", "s.toml", "--out", option, "--pages", option).returncode == 0
        assert len([*(tmp_path / option).glob("function-*.html")]) == count
    refused(call("run", "s.toml", "--pages", "some"), "Invalid value for '--pages'")
