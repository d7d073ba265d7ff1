"""``diffcompare check``: the user's own functions, judged; exit codes, and one line for all that is wrong with them."""

import io
import json
import random
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from diffcompare.command import cli
from diffcompare.command.terminal import console
from diffcompare.command.verdict_lines import show_verdict
from diffcompare.errors import DiffcompareError
from diffcompare.studies import user_code
from diffcompare.verdict import check as check_module
from diffcompare.verdict.marks import Mark
from diffcompare.verdict.underline import underlined
from diffcompare.verdict.verdict import Verdict
from diffcompare.watchdog import BUDGET

from .test_cli import ILL_BEHAVED, environment, hear_interrupts, refused

CODE = """
import math
import numpy as np
import diffcompare as dc

def f(x):
    return np.sum(x**2)

def right(x):
    return 2 * x

def wrong(x):
    return x

def scalar(x):
    assert np.ndim(x) == 0
    return math.sin(x)

def d_scalar(x):
    return math.cos(x)

def one(x):
    assert np.shape(x) == (1,)
    return np.sin(x[0])

def d_one(x):
    return np.array([np.cos(x[0])])

def kink(x):
    return np.sum(np.abs(x))

def d_kink(x):
    return np.sign(x)

def logarithm(x):
    return np.log(x[0])

def d_logarithm(x):
    return np.array([1 / x[0]])

def leaves(x):
    raise SystemExit(0)

def stops(x):
    raise KeyboardInterrupt

class Model:
    def loss(self, x):
        return np.sum(x**3)

    def gradient(self, x):
        return 3 * x**2

model = Model()
g = dc.parse("a*b**2")

def d_g(x):
    return np.array([x[1]**2, 2 * x[0] * x[1]])

number = 3

def lookup(x):
    return 2 * x + 0 * np.round(x, 1)

def opaque(x):
    return sum(np.exp(float(v)) for v in memoryview(np.ascontiguousarray(x, dtype=float)))

def opaque_gradient(x):
    return np.array([np.exp(float(v)) for v in memoryview(np.ascontiguousarray(x, dtype=float))])

def guarded(x):
    return np.log(x[0] + 1e-7)

def unguarded(x):
    return 1 / x

def pair(x):
    return np.sum(x**2), 2 * x

def halved(x):
    return np.sum(x**2), x

def several(w, b=1.0):
    return np.sum(w**2) * b

def d_several(w, b=1.0):
    return 2 * w * b, np.sum(w**2)

def pair_of_several(w, b):
    return np.sum(w**2) * b, (2 * w * b, np.sum(w**2))

def of_dict(p):
    return np.sum(p["w"]**2) * p["b"]

def d_of_dict(p):
    return {"w": 2 * p["w"] * p["b"], "b": np.sum(p["w"]**2)}

def inside(x):
    assert x[0] >= 0 and 0 <= x[1] <= 3
    return float(repr(float(x[0] * x[1])))

def d_inside(x):
    return x[::-1]

def residuals(x):
    return np.array([np.sin(x[0]) * x[1], x[0] - x[1], x[1] ** 2])

def jacobian(x):
    return np.array([[np.cos(x[0]) * x[1], np.sin(x[0])], [1, -1], [0, 2 * x[1]]])

def transposed(x):
    return jacobian(x).T

def of_names(w, b):
    return w * b

def d_of_names(w, b):
    return b * np.eye(2), w

def second(x):
    return 2 * np.eye(len(x))
"""


@pytest.fixture
def name(request):
    """A module of its own for each test: Python never loads one of the same name again in one process."""
    name = f"mine_{re.sub(r'[^a-z0-9]', '_', request.node.name.lower())[:60]}_{random.randrange(10**9)}"
    yield name
    for loaded in [module for module in sys.modules if module.split(".")[0] == name]:
        del sys.modules[loaded]


@pytest.fixture
def folder(tmp_path, name, monkeypatch):
    (tmp_path / f"{name}.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def check(folder, name, capsys):
    """Run the command in this process; M stands for the module."""

    def check(f, gradient, *arguments):
        before = list(sys.path)
        words = [word.replace("M:", f"{name}:").replace("M.py", f"{name}.py") for word in (f, gradient) if word]
        code = cli.main(["check", *words, *arguments])
        assert sys.path == before
        out, err = (text.replace(name, "M") for text in capsys.readouterr())
        assert str(folder) not in out + err
        return subprocess.CompletedProcess(arguments, code, out, err)

    return check


# ---- verdicts and exit codes

VERDICTS = [
    (("M:f", "M:right", "--at", "1,2,3"), 0, "consistent"),
    (("M:f", "M:wrong", "--at", "1,2,3"), 1, "wrong"),
    (("M:f", "M:right", "--at", "-1,-2"), 0, "consistent"),
    (("M:f", "M:right", "--at=-1;2"), 0, "consistent"),
    (("M:scalar", "M:d_scalar", "--at", "1"), 0, "consistent"),
    (("M:one", "M:d_one", "--at", "1,"), 0, "consistent"),
    (("M:model.loss", "M:model.gradient", "--at", "1,2"), 0, "consistent"),
    (("M:kink", "M:d_kink", "--at", "0,1"), 1, "non-smooth"),
    (("M:logarithm", "M:d_logarithm", "--at", "-1,1"), 2, "out-of-domain"),
    (("M:f", "M:right", "--at", "1,2", "--formula", "x0**2 + x1**2"), 0, "consistent"),
    (("M:f", "M:right", "--at", "x1=2,x0=1", "--formula", "x0**2 + x1**2"), 0, "consistent"),
    (("M:scalar", "M:d_scalar", "--at", "y=1", "--formula", "sin(y)"), 0, "consistent"),
    (("M:one", "M:d_one", "--at", "1,", "--formula", "sin(y)"), 0, "consistent"),
    (("M:f", "M:right", "--at", "1,2", "--formula=-x0**2 + x1**2"), 1, "wrong"),
    (("M:g", "M:d_g", "--at", "b=3,a=2"), 0, "consistent"),
    (("M:pair", "--value-and-gradient", "--at", "1,2"), 0, "consistent"),
    (("M:halved", "--value-and-gradient", "--at", "1,2"), 1, "wrong"),
    (("M:residuals", "M:jacobian", "--jacobian", "--at", "1,2"), 0, "consistent"),
    (("M:residuals", "M:transposed", "--jacobian", "--at", "1,2"), 1, "wrong"),
    (("M:of_names", "M:d_of_names", "--jacobian", "--at", "w=1,2", "--at", "b=3"), 0, "consistent"),
    (("M:f", "M:second", "--hessian", "--at", "1,2"), 0, "consistent"),
    (("M:f", "M:right", "--hessian", "--at", "1,2"), 1, "wrong"),
]


@pytest.mark.parametrize(
    ("functions", "at", "repeated"),
    [
        (("M:several", "M:d_several"), ("w=1,2", "b=3"), "--at=w=1.0,2.0 --at=b=3.0"),
        (("M:several", "M:d_several"), ("b=3", "w=@w.npy"), "--at=b=3.0 --at=w=@w.npy"),
        (("M:several", "M:d_several"), ("@all.json",), "--at=@all.json"),
        (("M:of_dict", "M:d_of_dict"), ("w=1,2", "b=3"), "--at=w=1.0,2.0 --at=b=3.0"),
        (("M:of_dict", "M:d_of_dict"), ("@all.json",), "--at=@all.json"),
        (("M:pair_of_several", "--value-and-gradient"), ("w=1,", "b=3"), "--at=w=1.0, --at=b=3.0"),
        (("M:f", "M:right"), ("@w.csv",), "--at=@w.csv"),
        (("M:f", "M:right"), ("x=1,2",), "--at=x=1.0,2.0"),
    ],
)
def test_points_come_from_files_and_by_name(check, folder, functions, at, repeated):
    np.save(folder / "w.npy", np.array([1.0, 2.0]))
    (folder / "w.csv").write_text("1,2\n")
    (folder / "all.json").write_text('{"b": 3, "w": [[1, 2], [3, 4]]}')
    result = check(*functions, *(word for one in at for word in ("--at", one)))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith(f"{repeated}\n")


def test_several_parameters_make_several_points(check):
    points = ("w=1,2", "b=3", "w=1,1", "b=2")
    result = check("M:several", "M:d_several", *(word for one in points for word in ("--at", one)))
    assert re.findall("^at .*", result.stdout, re.MULTILINE) == ["at w=1.0,2.0 b=3.0", "at w=1.0,1.0 b=2.0"]


def test_a_file_elsewhere_is_named_without_its_folder(check, tmp_path_factory):
    path = tmp_path_factory.mktemp("elsewhere") / "w.json"
    path.write_text("[1, 2]")
    result = check("M:f", "M:right", "--at", f"@{path}")
    assert result.stdout.endswith("--at=@w.json\n")


@pytest.mark.parametrize("boxes", [("0,inf", "0,3"), ("0,3",)])
def test_nothing_is_evaluated_outside_the_box(check, boxes):
    result = check("M:inside", "M:d_inside", "--at", "1,3", *(word for box in boxes for word in ("--box", box)))
    assert result.stdout.startswith("consistent")
    assert " ".join(f"--box={box}" for box in boxes) in result.stdout


def test_what_returns_both_is_repeated_as_one(check):
    result = check("M:halved", "", "--value-and-gradient", "--at", "1,2", "--timeout", "60")
    assert "Repeat with: diffcompare check M:halved --value-and-gradient --at=1.0,2.0\n" in result.stdout
    assert "`dc.derive(lambda x: f(x)[0], at)`" in result.stdout


def test_an_array_is_sent_to_the_option_that_judges_its_jacobian(check):
    result = check("M:residuals", "M:jacobian", "--at", "1,2")
    first, judged, repeat = result.stdout.splitlines()
    assert (result.returncode, result.stderr) == (3, "")
    assert first.endswith(
        "an array of shape (3,): a function must return one real number; "
        "--jacobian judges the first derivatives of several (M.py:105)"
    )
    # another point would not help
    assert judged.startswith("Judged by what the calls did")
    assert repeat.startswith("Repeat with: ")


def test_a_matrix_is_sent_to_the_option_that_judges_a_hessian(check):
    result = check("M:f", "M:second", "--at", "1,2")
    assert result.returncode == 1
    assert "got shape (2, 2); --hessian judges second derivatives (M.py:" in result.stdout.splitlines()[0]


def test_the_derivative_that_is_judged_is_repeated_and_called_by_its_name(check):
    result = check("M:residuals", "M:jacobian", "--jacobian", "--at", "1,2")
    assert "The Jacobian and the true derivative are identical" in result.stdout
    assert result.stdout.endswith("Repeat with: diffcompare check M:residuals M:jacobian --jacobian --at=1.0,2.0\n")


def test_a_jacobian_has_a_formula_for_each_output(check):
    """Of several the last one was taken, and then one for each was asked for."""
    stated = ["--formula=sin(x0)*x1", "--formula=x0 - x1", "--formula=x1**2"]
    result = check("M:residuals", "M:jacobian", "--jacobian", "--at", "1,2", *stated)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0].startswith("consistent")
    assert "--jacobian '--formula=sin(x0)*x1' '--formula=x0 - x1' '--formula=x1**2' --at=1.0,2.0" in result.stdout
    other = check("M:residuals", "M:jacobian", "--jacobian", "--at", "1,2", *stated[:2], "--formula=x1**3")
    assert other.returncode == 1
    assert "f is not the given formula" in other.stdout.splitlines()[0]
    refused(check("M:residuals", "M:jacobian", "--jacobian", "--at", "1,2", *stated[:2]), "state one formula for each")
    refused(check("M:f", "M:right", "--at", "1,2", *stated[:2]), "--formula is given 2 times: a function of one number")


def test_one_derivative_is_judged_at_a_time(check):
    """The last of two options won in silence, and a right Hessian was no Jacobian."""
    words = "--value-and-gradient and --hessian: one derivative is judged at a time; choose one"
    refused(check("M:pair", "", "--value-and-gradient", "--hessian", "--at", "1,2"), words)
    refused(check("M:f", "M:second", "--hessian", "--jacobian", "--at", "1,2"), "--jacobian and --hessian: one")
    refused(check("M:residuals", "", "--jacobian", "--at", "1,2"), "--jacobian: MODULE:GRAD is missing; name the")


def test_one_function_or_two_are_named(check):
    refused(check("M:f", "", "--at", "1,2"), "MODULE:GRAD is missing; name the gradient, or add --value-and-gradient")
    refused(check("M:f", "M:right", "--value-and-gradient", "--at", "1,2"), "leave out MODULE:GRAD")


@pytest.mark.parametrize("case", VERDICTS, ids=lambda case: " ".join(case[0]))
def test_verdicts_and_their_exit_codes(check, case):
    arguments, code, status = case
    result = check(*arguments)
    assert (result.returncode, result.stderr) == (code, "")
    assert result.stdout.startswith(f"{status}: ")
    assert 3 <= len(result.stdout.splitlines()) <= 15


@pytest.mark.parametrize(
    ("status", "code"),
    [("wrong", 1), ("out-of-domain", 2), ("non-smooth", 1), ("inconclusive", 3), ("consistent", 0)],
)
def test_every_status_has_its_exit_code(check, monkeypatch, status, code):
    monkeypatch.setattr(check_module, "check_gradient", lambda *a, **k: verdict(status))
    assert check("M:f", "M:right", "--at", "1").returncode == code


def verdict(status):
    columns = ["point", "component", "claimed", "certified", "difference", "ulps", "relative", "threshold", "status"]
    table = pd.DataFrame([["1.0", "x", 1.0, 1.0, 0.0, 0.0, 0.0, 1e-15, status]], columns=columns)
    return check_module.Verdict(status, "identity", 1e-15, 0.0, None, None, table)


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["consistent", "inconclusive"], 3),
        (["inconclusive", "non-smooth"], 1),
        (["non-smooth", "out-of-domain"], 2),
        (["out-of-domain", "wrong", "consistent"], 1),
    ],
)
def test_the_worst_point_decides(check, monkeypatch, statuses, code):
    waiting = iter(statuses)
    monkeypatch.setattr(check_module, "check_gradient", lambda *a, **k: verdict(next(waiting)))
    points = [word for k in range(len(statuses)) for word in ("--at", str(k))]
    result = check("M:f", "M:right", *points)
    assert result.returncode == code
    assert re.findall(r"^at (.*)\n([\w-]+):", result.stdout, re.MULTILINE) == [
        (f"{k}.0", status) for k, status in enumerate(statuses)
    ]


def test_several_points_are_judged_one_by_one(check):
    """A function that sums over everything it is given must not see them as one array."""
    result = check("M:f", "M:wrong", "--at", "1,2", "--at", "0,0")
    assert result.returncode == 1
    assert re.findall(r"^at (\S+)\n(\w+):", result.stdout, re.MULTILINE) == [
        ("1.0,2.0", "wrong"),
        ("0.0,0.0", "consistent"),
    ]


def test_the_line_to_repeat_it_with_repeats_it(check):
    result = check("M:g", "M:d_g", "--at", "2,3", "--formula", "a*b**2", "--variables", "a,b")
    (line,) = re.findall(r"^Repeat with: (.*)$", result.stdout, re.MULTILINE)
    assert line == "diffcompare check M:g M:d_g '--formula=a*b**2' --variables=a,b --at=2.0,3.0"
    again = check("M:g", "M:d_g", "--at=2.0,3.0", "--formula=a*b**2", "--variables=a,b")
    assert again.stdout == result.stdout


MARKS = (
    Mark("f", "m.py", 6, 11, 6, 23, "np.sum(x**2)", "its derivative is 2*x", ("    return np.sum(x**2)  # 각도 …",)),
    Mark("gradient", "m.py", 12, 11, 12, 12, "x", "this is half of <it>\x1b[2J", ("    return x" + " * 1" * 40,)),
)


@pytest.fixture
def marked(monkeypatch):
    """Let the check find marked places."""
    judged = check_module.check_gradient
    monkeypatch.setattr(check_module, "check_gradient", lambda *a, **k: replace(judged(*a, **k), marks=MARKS))


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_marked_places_are_drawn_in_the_width_of_the_terminal(check, marked, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    result = check("M:f", "M:wrong", "--at", "3,4")
    assert max(map(cell_len, result.stdout.splitlines())) <= width
    lines = result.stdout.splitlines()
    drawn = lines[lines.index("") + 1 : lines.index("", lines.index("") + 1)]
    assert drawn == underlined(MARKS, width)
    assert lines[lines.index("", lines.index("") + 1) + 1].startswith("Cause: factor 2 missing")


@pytest.mark.parametrize("width", range(36, 60))
def test_the_line_to_repeat_it_with_can_be_copied_from_a_narrow_terminal(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    command = ["diffcompare", "check", "M:g", "M:d_g", "--formula=a * b**2 + a  * b", "--variables=a,b", "--at=2.0,3.0"]
    judged = replace(verdict("consistent"), snippet=shlex.join(command))
    show_verdict(console(), judged, "green", verbose=False)
    shown = capsys.readouterr().out.partition("Repeat with:")[2]
    assert shlex.split(shown.replace("\\\n", "")) == command
    assert max(map(len, f"Repeat with:{shown}".splitlines())) <= width


def test_a_pipe_gets_whole_sentences(check, marked, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = check("M:f", "M:wrong", "--at", "3,4").stdout.splitlines()
    assert (
        "Judged by identity: function and gradient were traced and compared as real functions in ball arithmetic."
        in (lines)
    )
    assert lines[2 : 2 + len(underlined(MARKS))] == underlined(MARKS)


def test_the_colours_of_marked_places(capsys, monkeypatch):
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    show_verdict(console(), replace(verdict("wrong"), marks=MARKS), "red", verbose=False)
    out = capsys.readouterr().out
    assert "\x1b[2m  m.py:6   \x1b[0mreturn np.sum(x**2)  # 각도 …\n" in out
    assert "\x1b[36m^^^^^^^^^^^^ its derivative is 2*x\x1b[0m\n" in out
    assert "\x1b[31m^ this is half of <it>\\x1b[2J\x1b[0m\n" in out
    monkeypatch.setenv("NO_COLOR", "1")
    show_verdict(console(), replace(verdict("wrong"), marks=MARKS), "red", verbose=False)
    assert not re.search("\x1b\\[[0-9;]*3[0-9]", capsys.readouterr().out)


def test_a_terminal_without_the_signs_shows_others_of_the_same_width():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\n")
    screen = console()
    screen.file = stream
    show_verdict(screen, replace(verdict("wrong"), marks=MARKS), "red", verbose=False)
    stream.flush()
    lines = stream.buffer.getvalue().decode("ascii").splitlines()
    assert "  m.py:6   return np.sum(x**2)  # \\uac01\\ub3c4 ..." in lines
    assert any(
        line.startswith("  m.py:12  return x * 1") and line.endswith("...") and len(line) <= 100 for line in lines
    )


def test_places_are_in_the_document(check, marked):
    document = json.loads(check("M:f", "M:wrong", "--at", "3,4", "--json").stdout)
    (found,) = document["verdicts"]
    assert list(found["places"][0]) == list(Verdict.places.fget(SimpleNamespace(marks=())))
    assert found["places"][0] == {
        "role": "f", "file": "m.py", "line": 6, "column": 11, "end_line": 6, "end_column": 23, "text": "np.sum(x**2)",
        "message": "its derivative is 2*x",
    }  # fmt: skip
    assert len(found["places"]) == 2
    assert "rungs" not in found


def test_verbose_lists_the_rules_that_were_tried_with_their_time(check):
    plain = check("M:f", "M:lookup", "--at", "3,4").stdout
    result = check("M:f", "M:lookup", "--at", "3,4", "--verbose")
    assert result.stdout.startswith(plain)
    title, *rows = result.stdout.removeprefix(plain).splitlines()
    assert title == "Tried, with the seconds that each took:"
    found = [re.fullmatch(r"  (\w+) +\d+\.\d{3}  (.*)", row) for row in rows]
    assert [row[1] for row in found] == ["calls", "identity", "neighbours"]
    assert found[1][2].startswith(
        "round() of a traced value: what follows would no longer depend on the variables; keep "
    )
    assert found[2][2] == "consistent"
    for other in ("--json", "--quiet"):
        done = check("M:f", "M:lookup", "--at", "3,4", "--verbose", other)
        assert (done.returncode, done.stdout) == (2, "")
        assert "--verbose" in done.stderr


def test_a_report_is_written_on_request(check, folder):
    result = check("M:f", "M:wrong", "--at", "3,4", "--at", "1,1", "--out", "./made/here")
    assert result.returncode == 1
    assert result.stdout.endswith("report: ./made/here/index.html\n")
    out = folder / "made" / "here"
    assert json.loads((out / "manifest.json").read_text())["files"] == ["components.csv", "index.html"]
    assert pd.read_csv(out / "components.csv")["certified"].tolist() == [6.0, 8.0, 2.0, 2.0]
    assert str(folder) not in (out / "index.html").read_text()


@pytest.mark.thorough
def test_a_process_of_its_own_with_colours(folder, name):
    for gradient, code, colour in (("wrong", 1, 31), ("right", 0, 32)):
        done = subprocess.run(
            [sys.executable, "-m", "diffcompare", "check", f"{name}:f", f"{name}.py:{gradient}", "--at", "1,2"],
            cwd=folder,
            env=environment(FORCE_COLOR="1", TERM="xterm"),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (code, "")
        assert done.stdout.startswith(f"\x1b[1;{colour}m")


# ---- modules


def test_a_path_from_anywhere_and_the_modules_beside_it(check, folder, name):
    (folder / "deep").mkdir()
    (folder / "deep" / f"{name}_helper.py").write_text("factor = 2\n")
    (folder / "deep" / f"{name}_two.py").write_text(
        f"def f(x): return x @ x\ndef g(x):\n    import {name}_helper as h\n    return h.factor * x\n"
    )
    path = f"deep/{name}_two.py"
    assert check(f"{path}:f", f"{path}:g", "--at", "1,2").returncode == 0
    result = check(f"{folder / path}:f", f"{folder / path}:g", "--at", "1,2", "--out", "out")
    assert result.stdout.startswith("consistent")
    assert "Repeat with: diffcompare check deep/M_two.py:f deep/M_two.py:g --at=1.0,2.0\n" in result.stdout
    assert str(folder) not in (folder / "out" / "index.html").read_text()


def test_a_package_and_its_module(check, folder, name):
    (folder / f"{name}_p").mkdir()
    (folder / f"{name}_p" / "__init__.py").write_text("from .inner import f\n")
    (folder / f"{name}_p" / "inner.py").write_text("def f(x): return x @ x\ndef g(x): return 2 * x\n")
    assert check(f"{name}_p:f", f"{name}_p.inner:g", "--at", "1,2").returncode == 0


def test_the_users_file_is_meant_and_not_the_librarys_of_that_name(check, folder):
    (folder / "random.py").write_text("def f(x): return x @ x\ndef g(x): return 2 * x\n")
    assert check("random:f", "random:g", "--at", "1,2").returncode == 0
    assert sys.modules["random"] is random


def test_a_module_is_run_once_for_both_functions(check, folder, name):
    (folder / f"{name}_print.py").write_text("print('loading')\ndef f(x): return x @ x\ndef g(x): return 2 * x\n")
    assert check(f"{name}_print:f", f"{name}_print:g", "--at", "1").stdout.count("loading") == 1
    del sys.modules[f"{name}_print"]
    assert check(f"{name}_print.py:f", f"{name}_print:g", "--at", "1").stdout.count("loading") == 1


def test_a_dataclass_in_a_file_given_as_a_path(check, folder, name):
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n    k: float\n"
        "p = P(2.0)\ndef f(x): return x @ x\ndef g(x): return p.k * x\n"
    )
    (folder / f"{name}_d.py").write_text(text)
    assert check(f"{name}_d.py:f", f"{name}_d.py:g", "--at", "1,2").returncode == 0


BAD_MODULES = [
    ("nothing_here:f", "no module 'nothing_here' in the current directory or among the installed packages; give its"),
    ("nothing_here.below:f", r"no module 'nothing_here\.below' in the current directory"),
    ("nothing.py:f", r"no file 'nothing\.py' below the current directory; give the path"),
    ("deep/nothing.py:f", r"no file 'deep/nothing\.py' below the current directory"),
    ("/nowhere/nothing.py:f", r"no file 'nothing\.py'; give the path"),
    ("M:nothing", r"M: no function 'nothing'; choose from Model, d_"),
    ("M:rihgt", r"M: no function 'rihgt'; did you mean 'right'\?"),
    ("M:model.los", r"M: no function 'model\.los'; did you mean 'loss'\?"),
    ("M:number", "M: 'number' is of type int; name a function"),
    ("M:number.real", r"M: 'number\.real' is of type int; name a function"),
    ("M:", "'M:': names no function; write MODULE:function, such as model:loss"),
    (":f", "':f': names no function"),
    ("M", "'M': names no function"),
    ("M:f()", r"'M:f\(\)': names no function"),
    ("M:__import__('os').system('touch hacked')", "names no function"),
    ("a b:f", "'a b' is no name of a module"),
    ("../M:f", r"'\.\./M' is no name of a module; write MODULE:function, such as model:loss or code/model\.py:loss"),
    ("..M:f", "is no name of a module"),
]


@pytest.mark.parametrize("case", BAD_MODULES, ids=lambda case: case[0])
def test_functions_that_cannot_be_had_are_refused_in_one_line(check, folder, case):
    name, message = case
    refused(check(name, "M:right", "--at", "1"), message)
    refused(check("M:f", name, "--at", "1"), message)
    assert not (folder / "hacked").exists()


def test_a_name_that_is_nearly_right_is_proposed(check, name):
    refused(check(f"{name[:-1]}:f", "M:right", "--at", "1"), "no module .*; did you mean 'M'")


BROKEN = [
    (
        "import numpy\nraise ValueError('no\\ndata')\n",
        r"cannot be imported: ValueError: no data \(broken\.py, line 2\)",
    ),
    ("x = 1\ndef f(:\n", r"cannot be imported: SyntaxError: .* \(broken\.py, line 2\)"),
    ("import nothing_at_all\n", r"ModuleNotFoundError: No module named 'nothing_at_all' \(broken\.py, line 1\)"),
    ("\n\nopen('/nowhere/at/all/data.csv')\n", r"FileNotFoundError: .*'data\.csv' \(broken\.py, line 3\)"),
    ("import sys\nsys.exit(0)\n", r"cannot be imported: SystemExit: 0 \(broken\.py, line 2\)"),
    ("import json\njson.loads('{')\n", r"JSONDecodeError: .* \(broken\.py, line 2\)"),
    ("def g(): raise RuntimeError\ng()\n", r"RuntimeError \(broken\.py, line 1\)"),
    ("raise ValueError('\\x1b[31m')\n", r"ValueError: \\x1b\[31m"),
]


@pytest.mark.parametrize("path", [False, True], ids=["name", "path"])
@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case[0].strip()[:40])
def test_a_module_that_fails_is_named_with_its_line(check, folder, name, case, path):
    text, message = case
    (folder / f"{name}_broken.py").write_text(text, encoding="utf-8")
    broken = f"{name}_broken.py:f" if path else f"{name}_broken:f"
    result = check(broken, "M:right", "--at", "1")
    refused(result, message.replace("broken", "M_broken"))
    assert "\x1b" not in result.stderr
    assert "/nowhere" not in result.stderr
    assert f"{name}_broken" not in sys.modules


# ---- points

BAD_POINTS = [
    (("--at", ""), "--at '': '' is not a number; write a decimal"),
    (("--at", ","), "'' is not a number"),
    (("--at", "1,two"), "'two' is not a number"),
    (("--at", "1,nan"), "'nan' is not finite; give a finite number"),
    (("--at", "x=1,y=2"), r"--at 'x=1,y=2': write each parameter with an --at of its own, as --at w=1,2 --at b=3"),
    (("--at", "@none.npy"), r"--at '@none.npy': there is no such file"),
    (("--at", "1,2", "--box", "0,1", "--box", "0,3", "--box", "0,1"), r"--box is given 3 times for 2 variables"),
    (("--at", "1,2", "--box", "0,1"), r"x\[1\]=2.0 lies outside the box \[0.0, 1.0\]"),
    (("--at", "1,2", "--box", "3,1"), r"--box '3,1': the lower side is above the upper one; exchange them"),
    (("--at", "1", "--variables", "x"), "--variables: names the variables of a formula; add --formula EXPR"),
    (("--at", "1", "--formula", "x*y"), r"--at '1': 1 coordinate\(s\) for 2 variable\(s\) x, y"),
    (("--at", "z=1", "--formula", "x*y"), "unknown variable 'z'; the variables are x, y"),
    (("--at", "1", "--formula", "x", "--variables", "x,x"), "--variables 'x,x': .*'x' is listed twice"),
    ((), "Missing option '--at'"),
    (("--at", "1", "--out", ""), "--out '': is empty; name a directory"),
    (("--at", "1", "--scheme", "central"), "No such option:? '?--scheme"),
]


@pytest.mark.parametrize("case", BAD_POINTS, ids=lambda case: " ".join(case[0]) + ".")
def test_bad_points_are_refused_in_one_line(check, case):
    arguments, message = case
    refused(check("M:f", "M:right", *arguments), message)


def test_a_bad_formula_shows_its_place(check):
    refused(check("M:f", "M:right", "--at", "1", "--formula", "foo(x)"), "unknown function 'foo'", lines=3)


def test_a_place_that_cannot_be_written_is_refused(check, folder):
    (folder / "foreign").mkdir()
    (folder / "foreign" / "index.html").write_text("mine")
    refused(check("M:f", "M:right", "--at", "1", "--out", "foreign"), "index.html is there already")
    assert [p.name for p in (folder / "foreign").iterdir()] == ["index.html"]


@pytest.mark.parametrize("error", [ValueError("a\nb"), TypeError("a\nb")])
def test_what_the_check_refuses_is_one_line(check, monkeypatch, error):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(check_module, "check_gradient", fail)
    refused(check("M:f", "M:right", "--at", "1,2"), r"--at 1\.0,2\.0: a b; see diffcompare check --help$")


# ---- ends


def test_code_that_exits_does_not_choose_the_exit_code(check):
    refused(check("M:leaves", "M:right", "--at", "1,2"), r"the code called sys\.exit\(0\); a function must return")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("exits", r"the code called os\._exit\(0\); a function must return"),
        ("stops", r"the code raised Stop: enough \(.*\.py, line 13\); a function must return"),
    ],
)
def test_code_never_chooses_the_exit_code(check, folder, name, message):
    (folder / "ill_behaved.py").write_text(ILL_BEHAVED, encoding="utf-8")
    refused(check(f"ill_behaved.py:{name}", "M:right", "--at", "1,2"), message)


def test_code_that_changes_the_directory_does_not_move_the_report(check, folder):
    (folder / "ill_behaved.py").write_text(ILL_BEHAVED, encoding="utf-8")
    assert check("ill_behaved.py:moves", "M:right", "--at", "1,2", "--out", "out").returncode == 0
    assert (folder / "out" / "index.html").is_file()


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["closes", "replaces"])
def test_code_that_takes_the_streams_away_is_judged_all_the_same(tmp_path, name):
    text = ILL_BEHAVED.replace("    os.close(1)\n", "")
    (tmp_path / "model.py").write_text(f"{text}\ndef g(x):\n    return 2 * x\n", encoding="utf-8")
    command = [sys.executable, "-m", "diffcompare", "check", f"model:{name}", "model:g", "--at", "1,2"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, encoding="utf-8", timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("consistent: ")


@pytest.mark.parametrize("option", ["--timeout", "--budget"])
@pytest.mark.parametrize("seconds", ["nan", "inf", "1e300", "0", "-1"])
def test_what_is_no_time_to_wait_is_refused(check, option, seconds):
    words = "nan is no number of seconds" if seconds == "nan" else "is not in the range 0<x<=2000000"
    refused(check("M:f", "M:right", "--at", "1,2", f"{option}={seconds}"), f"Invalid value for '{option}': .*{words}")


@pytest.mark.thorough
def test_code_without_end_is_inconclusive_when_its_time_is_over(tmp_path):
    (tmp_path / "model.py").write_text(f"{ILL_BEHAVED}\ndef g(x):\n    return 2 * x\n", encoding="utf-8")
    command = [sys.executable, "-m", "diffcompare", "check", "model:loops", "model:g", "--at", "1,2", "--timeout", "1"]
    done = subprocess.run(
        [*command, "--out", "out"], cwd=tmp_path, env=environment(), capture_output=True, encoding="utf-8", timeout=60
    )
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith("inconclusive: the code did not finish within 1 s; fix it, or raise --timeout\n")
    table = pd.read_csv(tmp_path / "out" / "components.csv")
    assert table["status"].tolist() == ["inconclusive"] * 2


@pytest.mark.thorough
def test_a_verdict_from_a_process_of_its_own_is_the_same(check):
    for gradient, code in (("M:right", 0), ("M:wrong", 1)):
        results = [check("M:f", gradient, "--at", "1,2", *more) for more in ((), ("--timeout", "50"))]
        assert [result.returncode for result in results] == [code, code]
        assert results[0].stdout == results[1].stdout


def test_ctrl_c_in_the_code_ends_the_check(check):
    result = check("M:stops", "M:right", "--at", "1,2")
    assert (result.returncode, result.stdout, result.stderr.strip()) == (130, "", "")


@pytest.mark.thorough
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("where", ["import", "function"])
def test_code_that_hangs_can_be_ended(tmp_path, number, code, where):
    hang = "    print('ready', flush=True)\n    while True: time.sleep(0.01)\n"
    text = f"import time\ndef f(x):\n{hang}def g(x): return x\n" + ("f(0)\n" if where == "import" else "")
    (tmp_path / "hanging.py").write_text(text)
    process = subprocess.Popen(
        [sys.executable, "-m", "diffcompare", "check", "hanging:f", "hanging:g", "--at", "1", "--out", "out"],
        cwd=tmp_path,
        env=environment(PYTHONDONTWRITEBYTECODE="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        preexec_fn=hear_interrupts,
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["hanging.py"]


@pytest.mark.parametrize("command", ["check", "derive"])
def test_the_help_says_the_seconds_that_a_verdict_may_take(command):
    shown = CliRunner().invoke(cli.diffcompare, [command, "--help"]).output
    assert f"[default: {BUDGET:g}]" in " ".join(shown.split())


def test_the_help_of_check_is_light(tmp_path):
    heavy = ["numpy", "sympy", "pandas", "flint", "rich", "jinja2", "diffcompare.studies.user_code"]
    code = "import sys, diffcompare.command.cli as c; c.main(['check', '--help']); "
    code += f"print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, encoding="utf-8")
    assert done.returncode == 0
    assert "3 inconclusive" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_the_search_path_is_restored_after_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    for name, error in (("nothing.py:f", DiffcompareError), ("os:getcwd", KeyError)):
        with pytest.raises(error):
            load_and_fail(name)
        assert sys.path == before
    assert list(tmp_path.iterdir()) == []


def load_and_fail(name):
    with user_code.importable(name):
        assert sys.path[0] == ""
        user_code.load_function(name)
        raise KeyError


def test_guards_are_left_out_on_request(check):
    wrong = check("M:guarded", "M:unguarded", "--at", "0.3,")
    assert wrong.returncode == 1
    words = " ".join(wrong.stdout.split())
    assert "the gradient ignores the constant 1e-07 in log(x + 1e-07)" in words
    assert "--guards judges f without it" in words
    right = check("M:guarded", "M:unguarded", "--at", "0.3,", "--guards")
    assert right.returncode == 0
    assert "--guards" in right.stdout.split("Repeat with:")[1]


def test_the_calls_of_a_check_are_limited(check):
    limited = check("M:opaque", "M:opaque_gradient", "--at", "0.5,1", "--evaluations", "24")
    assert limited.returncode == 3
    assert "the 24 evaluations that were allowed were made" in limited.stdout
    assert "--evaluations=24" in limited.stdout.split("Repeat with:")[1]
    assert check("M:opaque", "M:opaque_gradient", "--at", "0.5,1").returncode == 0
    few = check("M:opaque", "M:opaque_gradient", "--at", "0.5,1", "--evaluations", "4")
    assert few.returncode == 2
    assert "at least 20 calls" in few.stderr
