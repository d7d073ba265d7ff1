"""Who may import whom: layers and files import downwards only, and every outside library has its layers."""

from __future__ import annotations

import ast
import graphlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "diffcompare"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

# from the bottom up: what a layer may import of the package (a layer, or one module of it) and of other people
LAYERS: Mapping[str, tuple[str, str]] = {
    # "diffcompare" itself is the version; its public names are for users
    "diffcompare": ("", ""),
    "errors": ("", ""),
    "floats": ("errors", "numpy"),
    # the watchdog asks processes of our own
    "line_tracing": ("", ""),
    "watchdog": ("line_tracing", ""),
    # writes Python source and runs it in what it is given
    "program": ("errors watchdog", "numpy"),
    # loads SciPy when one of its functions is used
    "program.scipy_functions": ("errors program", "numpy scipy"),
    "symbolic": ("errors floats watchdog program program.scipy_functions", "numpy sympy"),
    "tracing": ("errors floats line_tracing watchdog program program.scipy_functions", "numpy"),
    # flint's precision belongs to the process, so it is kept in one place
    "arithmetic": ("errors floats watchdog program program.scipy_functions", "flint numpy"),
    # useful alone: takes any callable
    "numeric": ("errors floats", "numpy"),
    # each library inside the functions that need it
    "adapters": ("errors symbolic tracing numeric", "jacobi jax numdifftools numpy scipy torch"),
    "tables": ("errors floats", "msgspec numpy pandas pyarrow"),
    # alone sees both reference and subject, so that they cannot contaminate one another
    "certify": ("errors floats watchdog program symbolic arithmetic", "numpy"),
    "sweeps": ("errors floats watchdog program symbolic arithmetic numeric tables certify", "distributed numpy pandas"),
    "verdict": ("errors floats watchdog program symbolic tracing arithmetic adapters tables certify", "numpy pandas"),
    # sees the tables and nothing else, so that the pages can be redrawn from the files; Matplotlib inside the function
    "report": ("diffcompare errors tables", "jinja2 latex2mathml matplotlib pandas"),
    "descent": ("errors floats watchdog program symbolic arithmetic numeric certify sweeps tables", "numpy pandas"),
    "ranking": ("errors symbolic certify tables adapters", "numpy pandas"),
    # inside people's tests
    "testing": (
        "errors floats watchdog program symbolic tracing arithmetic numeric tables certify sweeps verdict report",
        "hypothesis numpy pandas pytest",
    ),
    "studies": (
        "diffcompare errors watchdog symbolic tracing numeric sweeps verdict tables descent",
        "msgspec numpy pandas",
    ),
    "command": (
        "diffcompare errors watchdog symbolic numeric tables sweeps verdict report adapters descent ranking studies",
        "click numpy pandas rich",
    ),
    "__main__": ("command", ""),
}

STANDARD = sys.stdlib_module_names


def layer(module: str) -> str:
    name = module.removeprefix("diffcompare.")
    return name if name in LAYERS else name.partition(".")[0]


def _name(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def imports(tree: ast.AST, module: str, *, typing: bool = False) -> Iterator[tuple[int, str]]:
    """Every module that is imported at run time, with its line; ``typing`` adds those for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if not typing and isinstance(node, ast.If) and _name(node.test) == "TYPE_CHECKING":
            for other in node.orelse:
                yield from imports(ast.Module([other], []), module)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = (
                module.split(".") if MODULES.get(module, PACKAGE).name == "__init__.py" else module.split(".")[:-1]
            )
            origin = package[: len(package) - node.level + 1] if node.level else []
            origin += node.module.split(".") if node.module else []
            for alias in node.names:
                inner = ".".join([*origin, alias.name])
                yield node.lineno, inner if inner in MODULES else ".".join(origin)
        else:
            if isinstance(node, ast.Call) and _name(node.func) in ("import_module", "__import__"):
                yield node.lineno, "a module whose name is computed"
            yield from imports(node, module, typing=typing)


def violations(source: str, module: str) -> list[str]:
    """What a module imports that its layer may not."""
    own = layer(module)
    inside, outside = (words.split() for words in LAYERS[own])
    found = []
    for line, name in imports(ast.parse(source), module):
        top, _, rest = name.partition(".")
        if top == "diffcompare":
            allowed = own == layer(name) != "diffcompare" or layer(name) in inside or rest in inside
        else:
            allowed = top in STANDARD or top in outside
            allowed &= top != "pytest" or module.startswith("diffcompare.testing.plugin")
        if not allowed:
            found.append(f"{module}, line {line}: {own} must not import {name}")
    return found


def test_every_module_has_a_layer() -> None:
    assert {layer(module) for module in MODULES} <= set(LAYERS)


def test_layers_are_listed_from_the_bottom_up() -> None:
    below: set[str] = set()
    for name, (inside, _) in LAYERS.items():
        assert {word.partition(".")[0] for word in inside.split()} <= below, name
        below.add(name)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_downwards_only(module: str) -> None:
    source = MODULES[module].read_text(encoding="utf-8")
    found = violations(source, module)
    if module in ("diffcompare", "diffcompare.testing", "diffcompare.studies.user_code"):
        # one call each: the lazy public names, under __getattr__, and the module that the user names
        found = [violation for violation in found if "name is computed" not in violation]
        assert source.count("import_module(") == 1
    assert found == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("diffcompare.symbolic.parse", "import flint"),
        ("diffcompare.arithmetic.balls", "import numpy, sympy.abc"),
        ("diffcompare.arithmetic.balls", "from diffcompare.symbolic.parse import parse"),
        ("diffcompare.arithmetic.balls", "from diffcompare.symbolic import parse"),
        ("diffcompare.arithmetic.balls", "from ..symbolic import parse"),
        ("diffcompare.arithmetic.balls", "from .. import symbolic"),
        ("diffcompare.numeric.steps", "def f():\n    from diffcompare.program import dag"),
        ("diffcompare.numeric.steps", "try:\n    import pandas\nexcept ImportError:\n    pass"),
        ("diffcompare.report.page", "from diffcompare.sweeps.sweep import sweep"),
        ("diffcompare.report.page", "from diffcompare.sweeps import sweep"),
        ("diffcompare.report.page", "import diffcompare.sweeps.sweep"),
        ("diffcompare.sweeps.sweep", "from diffcompare import parse"),
        ("diffcompare.sweeps.sweep", "import diffcompare"),
        ("diffcompare.certify.reference", "from flint import arb"),
        ("diffcompare.program.dag", "import pandas as pd"),
        ("diffcompare.program.dag", "if TYPE_CHECKING:\n    pass\nelse:\n    import sympy"),
        ("diffcompare.program.dag", "import importlib\nimportlib.import_module('sympy')"),
        ("diffcompare.program.dag", "__import__('sympy')"),
        ("diffcompare.testing.strategies", "import pytest"),
        ("diffcompare.testing.strategies", "from flint import arb"),
        ("diffcompare.studies.study", "from diffcompare.command.cli import main"),
        ("diffcompare", "from diffcompare.errors import ParseError"),
        ("diffcompare", "import numpy"),
    ],
)
def test_a_planted_import_is_found(module: str, source: str) -> None:
    assert len(violations(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("diffcompare.program.dag", "if TYPE_CHECKING:\n    import sympy"),
        (
            "diffcompare.program.dag",
            "from __future__ import annotations\nimport ast, os.path\nfrom . import operations",
        ),
        ("diffcompare.report.page", "from diffcompare.tables import schema\nfrom diffcompare import __version__"),
        ("diffcompare.symbolic.lower", "from sympy.core.relational import Relational"),
        ("diffcompare.command.cli", "def f():\n    from click import Path"),
    ],
)
def test_an_import_that_is_allowed_is_not_found(module: str, source: str) -> None:
    assert violations(source, module) == []


# their public names, for type checkers: at run time each is imported when it is asked for
_FOR_USERS = ("diffcompare", "diffcompare.testing")


def neighbours(source: str, module: str) -> set[str]:
    """The files of the package that a file imports, in functions and for type checkers too."""
    return {name for _, name in imports(ast.parse(source), module, typing=module not in _FOR_USERS)} & set(MODULES)


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """A circle of files that import one another; empty where there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    return {module: neighbours(path.read_text(encoding="utf-8"), module) for module, path in MODULES.items()}


@pytest.mark.thorough
def test_no_files_import_one_another_in_a_circle(graph: dict[str, set[str]]) -> None:
    assert len(graph) > 150
    assert circle(graph) == []


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("module", "source", "other"),
    [
        ("program.dag", "import diffcompare.program.code", "program.code"),
        ("program.dag", "def f():\n    from . import code", "program.code"),
        ("errors", "class A:\n    def f(self):\n        from diffcompare.floats import as_floats", "floats"),
        ("tracing.table", "from diffcompare.tracing.scalar import scalar", "tracing.scalar"),
        ("symbolic.entries", "if TYPE_CHECKING:\n    from diffcompare.symbolic import function", "symbolic.function"),
        ("verdict.verdict_html", "from diffcompare.verdict.verdict import Verdict", "verdict.verdict"),
    ],
)
def test_a_planted_circle_is_found(graph: dict[str, set[str]], module: str, source: str, other: str) -> None:
    name = f"diffcompare.{module}"
    found = circle({**graph, name: graph[name] | neighbours(source, name)})
    assert {name, f"diffcompare.{other}"} <= set(found)
