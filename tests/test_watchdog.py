"""Work that nothing can interrupt: in a child process, which is limited, counted and ended."""

import gc
import os
import select
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import diffcompare as dc
from diffcompare import watchdog
from diffcompare.arithmetic import watched
from diffcompare.studies import study
from diffcompare.symbolic import derivatives
from diffcompare.watchdog import account_for_each_place, ask, end_children, one_account


@pytest.fixture
def started(monkeypatch):
    """The children that are started, by their commands."""
    end_children()
    seen = []

    def popen(*args, **options):
        seen.append(args[0])
        return real(*args, **options)

    real = subprocess.Popen
    monkeypatch.setattr(watchdog.subprocess, "Popen", popen)
    yield seen
    end_children()


def test_a_child_answers_and_is_kept(started):
    assert [ask("math:factorial", n) for n in (5, 6)] == [120, 720]
    assert len(started) == 1


def test_a_child_that_exceeds_its_account_is_killed_and_replaced(started):
    with one_account() as account:
        account.left = 0.05
        assert ask("math:factorial", 10**8) is None
        assert account.left == 0.0
        # the account is empty: nothing is asked any more
        assert ask("math:factorial", 5) is None
    assert len(started) == 1
    assert ask("math:factorial", 5) == 120
    assert len(started) == 2


@pytest.mark.parametrize("poll", [True, False])
def test_a_child_that_sleeps_is_killed_by_the_clock(started, monkeypatch, poll):
    if not poll:
        monkeypatch.delattr(watchdog.select, "poll", raising=False)
    # (where processor time is limited, sleep takes none)
    monkeypatch.setattr(watchdog, "_PATIENCE", 0.2)
    assert [ask("time:sleep", seconds) for seconds in (0.0, 5.0)] == [None, None]
    assert len(started) == 1
    ask("time:sleep", 0.0)
    assert len(started) == 2


@pytest.mark.skipif(not hasattr(select, "poll"), reason="the system has no poll")
def test_an_answer_takes_no_thread(started, monkeypatch):
    # one for each answer cost as much processor time as the children may take together
    monkeypatch.delattr(watchdog.threading, "Timer")
    assert [ask("math:factorial", n) for n in (5, 6)] == [120, 720]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit of memory needs /proc")
def test_a_child_has_a_limit_of_memory(started):
    assert ask("builtins:bytearray", 10**9) is None
    assert ask("math:factorial", 5) == 120


def test_a_child_that_fails_has_no_answer_and_goes_on(started):
    assert ask("math:factorial", -1) is None
    assert ask("math:factorial", "five") is None
    assert ask("math:factorial", 5) == 120
    assert len(started) == 1


def test_a_long_answer_is_no_answer(started):
    assert ask("builtins:bytes", 10**7) is None


def test_what_is_printed_does_not_get_among_the_answers(started):
    assert ask("builtins:print", "noise") is None
    assert ask("builtins:str", 5) == "5"


def test_no_interpreter_no_answer(started, monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    assert ask("math:factorial", 5) is None
    assert started == []


def test_threads_take_turns(started):
    found = {}
    threads = [threading.Thread(target=lambda n=n: found.update({n: ask("math:factorial", n)})) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: 1, 1: 1, 2: 2, 3: 6, 4: 24, 5: 120, 6: 720, 7: 5040}
    assert len(started) == 1


def test_an_account_asks_nothing_twice(started):
    with one_account() as account:
        answers = [ask("math:factorial", 20) for _ in range(50)]
        left = account.left
        account.left = 0.0
        assert [ask("math:factorial", 20), ask("math:factorial", 21)] == [answers[0], None]
    assert answers == [2432902008176640000] * 50
    # fifty answers of the least cost would have taken 0.025
    assert left > watchdog._SECONDS - 0.02


def test_accounts_are_shared_inside_and_one_for_each_place():
    with one_account() as outer:
        with one_account() as inner:
            assert inner is outer
        with account_for_each_place(), one_account("here") as inner:
            assert inner is outer
    with account_for_each_place():
        with one_account("here") as first, one_account("there") as nested:
            assert nested is first
        with one_account("here") as again, account_for_each_place():
            assert again is first
        with one_account("there") as other:
            assert other is not first


def test_a_process_ends_with_a_child_and_leaves_none():
    source = "from diffcompare.watchdog import ask, _CHILDREN\nprint(ask('os:getpid', 0), ask('math:factorial', 5))\n"
    source += "print(_CHILDREN['math:factorial'].process.pid)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, pid = done.stdout.splitlines()
    assert first == "None 120"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


@pytest.mark.thorough
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_fork_has_children_of_its_own(started):
    assert ask("math:factorial", 5) == 120
    pid = os.fork()
    if pid == 0:
        good = ask("math:factorial", 6) == 720 and len(started) == 2
        end_children()
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert ask("math:factorial", 7) == 5040
    assert len(started) == 1
    gc.collect()


ORDINARY = [
    "x**2 + 16",
    "exp(x)/(sin(x)**3 + cos(x)**3)",
    "1/(1 + exp(-x))",
    "log1p(exp(-x))*max(x, 0)**2",
    "x*erf(x/sqrt(2)) + gamma(x)*zeta(x + 2)",
    "besselj(3, x)*besselk(1/2, x) + polygamma(2, x) + polylog(2, x/10) + expint(3, x) + gammainc(3, x)",
    "sqrt(x**2 + 0.01)*atan2(x, 2) + abs(x)**1.5",
    "where(x > 1, x**3, 3*x - 2) + floor(x)/7",
    "lambertw(x) + ellipk(x/9) + Ei(x) + airyai(x) + fresnels(x)",
]


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_formulas_start_no_child(started, text):
    from diffcompare.symbolic.derivatives import derivative_latex, latex

    f = dc.parse(text)
    assert f.expr is not None
    assert latex(f)
    assert derivative_latex(f) or "floor" in text
    assert dc.certified_gradient(f, 1.7).status == ["ok"]
    dc.sweep(f, 1.7, steps=[1e-1, 1e-4, 1e-8])
    dc.hot_spots(f, 1.7)
    assert started == []


# what FLINT and SymPy would take hours for: not one of these is asked in this process
HOSTILE = [
    ("zeta(-exp(exp(x)))", 7.0, "undecided"),
    ("polylog(10**6, x)", 0.5, "undecided"),
    ("bessely(10**9, x)", 5.0, "undecided"),
    ("polygamma(10**5, -x)", 2.5, "undecided"),
    ("floor(((x**1000)**1000)**1000)", 2.0, "undecided"),
    ("zeta(exp(x))", 710.0, "ok"),
    ("zeta(x)", 1e300, "ok"),
]


@pytest.mark.thorough
@pytest.mark.parametrize(("text", "at", "status"), HOSTILE)
def test_a_function_beyond_its_limits_is_undecided(monkeypatch, text, at, status):
    monkeypatch.setattr(watchdog, "_SECONDS", 0.1)
    f = dc.parse(text)
    assert dc.certified_gradient(f, at).status == [status]
    if text.startswith("polylog"):
        # SciPy has no floats of it
        return
    table = dc.sweep(f, at, steps=[1e-1, 1e-4], schemes="central")
    assert set(table.status) <= {status, "nonfinite", "h-underflow"}


@pytest.mark.parametrize(
    "text",
    [
        "digamma(10**6)*x",
        "gammaln(10**7)*x",
        "zeta(10**5)*x",
        "(((x-x+3)**1000)**1000)**1000*x",
        "x*zeta(x-x+10**6)",
        "zeta(sign(exp(x))*10**6)*x",
        "zeta(max(-exp(x), 10**6))*x",
        "zeta(1**x*10**6)*x",
        "zeta(where(exp(x) > 0, 10**6, x))*x",
    ],
)
def test_constants_in_disguise_are_not_given_to_sympy_here(text):
    from diffcompare.symbolic.derivatives import gradient_program
    from diffcompare.symbolic.limits import is_quick

    f = dc.parse(text)
    assert not is_quick(f.program)
    # the second route to the derivative is the Taylor coefficient: no check waits for SymPy
    assert gradient_program(f) is None


@pytest.mark.thorough
def test_what_sympy_cannot_write_in_time_is_shown_as_text(started, monkeypatch):
    monkeypatch.setattr(watchdog, "_SECONDS", 0.1)
    from diffcompare.symbolic.derivatives import derivative_latex, latex

    f = dc.parse("x*zeta(x-x+10**6)")
    assert latex(f) == derivative_latex(f) == ""
    assert f.expr is None
    # one child was killed, and nobody asked again
    assert len(started) == 1


@pytest.mark.thorough
def test_a_point_of_a_study_pays_for_the_formulas_too(started, monkeypatch):
    accounts = {}
    for module in (derivatives, watched):
        used = accounts[module] = []

        def spied(service, request, used=used):
            with one_account() as account:
                used.append(account)
                return ask(service, request)

        monkeypatch.setattr(module, "ask", spied)
    entry = study.make_entry("x*zeta(10**5)", lambda f: [(1.5,)], schemes=["central"])
    study.measure(next(study.chunks(entry, 1)))
    # the values, and the formulas
    assert accounts[derivatives]
    assert {id(account) for used in accounts.values() for account in used} == {id(accounts[watched][0])}


@pytest.mark.thorough
def test_what_sympy_writes_in_a_child_is_what_it_writes_here(started):
    import sympy

    from diffcompare.symbolic.derivatives import derivative_latex, latex

    f = dc.parse("max(abs(x), abs(y), abs(x + y), abs(x - y))")
    assert str(f.expr) == "Max(Abs(x), Abs(y), Abs(x - y), Abs(x + y))"
    assert latex(f) == sympy.latex(f.expr)
    assert derivative_latex(f).count("\n") == 1
    assert len(started) == 1


def test_a_sweep_has_an_account_for_each_point(started):
    # the first point uses up its own account, and not that of the second
    table = dc.sweep(dc.parse("zeta(x)"), [-1e300, 2.5], steps=[1e-4], schemes="central", split=False, bounds=False)
    assert table.status.tolist() == ["undecided", "ok"]


def test_the_numbers_of_a_child_are_those_of_this_process(monkeypatch):
    from diffcompare.arithmetic import watched
    from diffcompare.arithmetic.balls import BALL_OPERATIONS, ball, precision
    from diffcompare.arithmetic.special_balls import SPECIAL_BALLS

    with precision(200):
        x = ball(7) / 3
        for name, operands in (("besselj", (ball(2), x)), ("zeta", (-x,)), ("erf", (x,))):
            here = SPECIAL_BALLS[name](*operands)
            monkeypatch.setattr(watched, "is_cheap", lambda *_: False)
            there = BALL_OPERATIONS[name](*operands)
            assert there.mid() == here.mid()
            assert there.contains(here)
            assert there.rel_accuracy_bits() >= here.rel_accuracy_bits() - 1


@pytest.mark.parametrize("name", ["spherical_jn", "polygamma", "expn"])
def test_an_order_that_scipy_cannot_take_is_named(name):
    with pytest.raises(dc.UnsupportedFunction, match="SciPy has orders below"):
        dc.parse(f"{name}(10**300, x)")(2.0)


def test_orders_that_are_nearly_whole_are_not_cheap():
    from flint import arb

    from diffcompare.arithmetic.watched import is_cheap

    cheap = {order: is_cheap("besselk", [arb(order), arb(2)]) for order in (0, 2, 0.5, 1e-300, 1e9)}
    assert cheap == {0: True, 2: True, 0.5: True, 1e-300: False, 1e9: False}


def test_every_answer_costs_something(started):
    with one_account() as account:
        account.left = 0.0014
        answers = [ask("builtins:abs", n) for n in range(10)]
    assert answers[0] == 0
    assert answers[3:] == [None] * 7


EXTREME = [
    ("besselj(1000.5, x)", 800.0, lambda m, x: m.besselj(1000.5, x)),
    ("besselj(150.5, x)", 200.0, lambda m, x: m.besselj(150.5, x)),
    ("besseli(2, x)", 500.0, lambda m, x: m.besseli(2, x)),
    ("besselk(120, x)", 3.5, lambda m, x: m.besselk(120, x)),
    ("polygamma(120, x)", 3.5, lambda m, x: m.polygamma(120, x)),
    ("expint(200, x)", 3.0, lambda m, x: m.expint(200, x)),
    ("gammainc(150, x)", 140.0, lambda m, x: m.gammainc(150, 0, x, regularized=True)),
    ("zeta(x)", 60.5, lambda m, x: m.zeta(x)),
    ("zeta(x)", -60.5, lambda m, x: m.zeta(x)),
    ("spherical_jn(120, x)", 100.0, lambda m, x: m.sqrt(m.pi / (2 * x)) * m.besselj(m.mpf(241) / 2, x)),
]


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize(("text", "at", "function"), EXTREME, ids=lambda value: value if isinstance(value, str) else "")
def test_far_arguments_have_the_derivatives_of_mpmath(text, at, function):
    import mpmath

    with mpmath.workdps(60):
        expected = float(mpmath.diff(lambda x: function(mpmath, x), mpmath.mpf(at), h=mpmath.mpf(10) ** -20))
    reference = dc.certified_gradient(dc.parse(text), at)
    assert (reference.status, reference.value.tolist()) == (["ok"], [expected])


@pytest.mark.parametrize(("order", "low", "high"), [(0, 1.5, 2.5), (2, 3.0, 9.0), (3, -4.0, -2.0), (0.5, 0.25, 8.0)])
def test_besseli_of_a_range_is_that_of_its_ends(order, low, high):
    from flint import arb

    from diffcompare.arithmetic.balls import BALL_OPERATIONS, precision

    with precision(100):
        found = BALL_OPERATIONS["besseli"](arb(order), arb(low).union(arb(high)))
        ends = [arb(x).bessel_i(arb(order)) for x in (low, high)]
        assert all(found.contains(end) for end in ends)
        # (a union is a ball: a little wider than what it holds)
        assert found.rad() <= abs(ends[1] - ends[0]) / 2 * 1.001 + 1e-8
