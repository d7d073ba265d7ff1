"""The public names: three lists that must agree, and what each name says of itself."""

from __future__ import annotations

import ast
import inspect
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import diffcompare
from diffcompare import _HOME

NAMES = sorted(_HOME)


def test_all_lists_exactly_the_names_that_have_a_home() -> None:
    assert diffcompare.__all__ == NAMES


def test_the_version_is_the_one_of_the_distribution() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert diffcompare.__version__ == project["version"]


def test_type_checkers_see_the_same_names_from_the_same_homes() -> None:
    tree = ast.parse(Path(diffcompare.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    seen = {
        alias.name: (node.module or "").removeprefix("diffcompare.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname is None
    }
    assert seen == _HOME


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_the_one_of_its_home_and_says_what_it_is(name: str) -> None:
    home = import_module(f"diffcompare.{_HOME[name]}")
    value = getattr(diffcompare, name)
    assert value is getattr(home, name)
    assert value.__module__ == home.__name__
    assert name in home.__all__
    summary, _, rest = (inspect.getdoc(value) or "").partition("\n")
    # its own words: getdoc falls back on the parent's
    assert value.__doc__
    assert summary.endswith((".", "?"))
    assert rest == "" or rest.startswith("\n")
    if inspect.isfunction(value):
        assert "\nReturns\n" in rest
        missing = [p for p in inspect.signature(value).parameters if p not in rest]
        assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_a_public_function_is_annotated(name: str) -> None:
    value = getattr(diffcompare, name)
    if inspect.isfunction(value):
        signature = inspect.signature(value)
        assert signature.return_annotation is not inspect.Signature.empty
        assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())


@pytest.mark.parametrize("name", NAMES)
def test_help_begins_with_a_signature_that_can_be_read(name: str) -> None:
    value = getattr(diffcompare, name)
    if inspect.isfunction(value):
        # a table as a default argument would be printed row by row
        assert all(len(repr(p.default)) <= 60 for p in inspect.signature(value).parameters.values())


@pytest.mark.parametrize("name", diffcompare.testing.__all__)
def test_a_name_of_the_testing_package_is_the_one_of_its_home(name: str) -> None:
    home = import_module(f"diffcompare.testing.{diffcompare.testing._HOME[name]}")
    assert getattr(diffcompare.testing, name) is getattr(home, name)
    assert name in home.__all__


def test_star_import_gives_the_public_names() -> None:
    scope: dict[str, object] = {}
    exec("from diffcompare import *", scope)
    assert sorted(set(scope) - {"__builtins__"}) == NAMES


def test_dir_shows_names_that_are_not_loaded_yet() -> None:
    assert {*NAMES, "testing", "__version__"} <= set(dir(diffcompare))


@pytest.mark.parametrize("name", ["derivative", "_home", "Sweep", "sweep_", "numpy"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=f"^module 'diffcompare' has no attribute '{name}'$"):
        getattr(diffcompare, name)
    assert not hasattr(diffcompare, name)


@pytest.mark.parametrize(
    "module", sorted(p.stem for p in Path(diffcompare.__file__).parent.glob("*.py") if not p.stem.startswith("__"))
)
def test_all_of_a_top_level_module_exists(module: str) -> None:
    loaded = import_module(f"diffcompare.{module}")
    assert [name for name in loaded.__all__ if not hasattr(loaded, name)] == []
