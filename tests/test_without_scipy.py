"""Without SciPy: formulas are read and certified; floats of special functions name the extra that they need."""

import math
import subprocess
import sys
import textwrap

import pytest


def run(code: str) -> subprocess.CompletedProcess[str]:
    blocked = "import sys\nsys.modules['scipy'] = sys.modules['scipy.special'] = None\n"
    return subprocess.run(
        [sys.executable, "-c", blocked + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.thorough
def test_certified_values_need_no_scipy():
    found = run("""
        import diffcompare as dc
        f = dc.parse("erf(x) + besselj(0, x)")
        print(dc.certified_gradient(f, 0.5).status, f.expr)
        print(float(dc.parse("sinc(x)*floor(x)*legendre(2, x)")(1.5)))
        import math
        print(dc.parse("erf(x)").callable(math)(0.5))
    """)
    assert found.returncode == 0, found.stderr
    status, product, of_math = found.stdout.splitlines()
    assert status == "['ok'] besselj(0, x) + erf(x)"
    # sin(1.5)/1.5·1·(3·1.5² − 1)/2
    assert abs(float(product) - math.sin(1.5) / 1.5 * 2.875) < 1e-15
    assert float(of_math) == math.erf(0.5)


@pytest.mark.thorough
@pytest.mark.parametrize("call", ["f(0.5)", "dc.sweep(f, [0.5])", "dc.numerical_diff(f, 0.5)"])
def test_floats_name_the_extra(call):
    found = run(f"""
        import diffcompare as dc
        f = dc.parse("erf(x)")
        try:
            {call}
        except dc.UnsupportedFunction as error:
            print(error)
    """)
    assert found.returncode == 0, found.stderr
    assert found.stdout == ("floats of special functions come from SciPy, which is not installed; pip install scipy\n")


@pytest.mark.thorough
def test_the_command_line_says_it_in_one_line():
    found = run("""
        from diffcompare.command.cli import main
        sys.argv = ["diffcompare", "compare", "erf(x)", "--at", "0.5"]
        sys.exit(main())
    """)
    assert found.returncode == 1
    assert "pip install scipy" in found.stderr + found.stdout
    assert "Traceback" not in found.stderr


@pytest.mark.thorough
def test_scipy_is_loaded_only_when_it_is_used():
    code = """
        import sys
        import diffcompare as dc
        dc.sweep(dc.parse("sin(x)"), [0.5], steps=[1e-3])
        dc.parse("erf(x)")
        print("scipy" in sys.modules)
        dc.parse("erf(x)")(0.5)
        print("scipy.special" in sys.modules)
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120, check=False
    )
    assert found.stdout.split() == ["False", "True"], found.stderr
