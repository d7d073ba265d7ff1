"""The wheel: built offline, installed elsewhere, and all that a study needs is in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("diffcompare", "pyproject.toml", "README.md", "LICENSE")

# the first on the path is imported at the start of every process: nothing below can reach a network
_OFFLINE = """
import socket

def refuse(*arguments, **keywords):
    raise OSError("a test asked for the network")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
"""


def test_the_oldest_versions_that_are_tested_are_those_that_are_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (ask for name in ("scipy", "plot", "parquet") for ask in project["optional-dependencies"][name])
    oldest = (ROOT / "tests" / "oldest.txt").read_text(encoding="utf-8")
    tested = dict(line.split("==") for line in oldest.splitlines() if not line.startswith("#"))
    for ask in (*project["dependencies"], *extras):
        name, _, least = ask.partition(">=")
        assert (name, tested.get(name)) == (name, least + ".0" * (2 - least.count(".")))


def run(*command: str | Path, cwd: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("offline")
    (folder / "sitecustomize.py").write_text(_OFFLINE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, offline: Path) -> Path:
    """Built from a copy, so that nothing is left in the tree."""
    copy, folder = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    options = ("--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir")
    run("-m", "pip", "wheel", *options, folder, copy, cwd=folder, environment={"PYTHONPATH": str(offline)})
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, offline: Path, wheel: Path) -> Path:
    target = tmp_path_factory.mktemp("installed")
    options = ("--quiet", "--no-deps", "--no-index", "--target")
    run("-m", "pip", "install", *options, target, wheel, cwd=target, environment={"PYTHONPATH": str(offline)})
    return target


@pytest.mark.thorough
def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = (file for file in (ROOT / "diffcompare").rglob("*") if file.is_file())
    expected = {file.relative_to(ROOT).as_posix() for file in package if "__pycache__" not in file.parts}
    assert names == expected
    assert "diffcompare/report/templates/index.html" in names
    assert "diffcompare/py.typed" in names
    assert wheel.name.endswith("-py3-none-any.whl")


def test_the_wheel_carries_licence_command_and_readme(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (folder,) = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        commands = archive.read(f"{folder}/entry_points.txt").decode()
        metadata = archive.read(f"{folder}/METADATA").decode()
        licence = archive.read(f"{folder}/licenses/LICENSE").decode()
    assert "diffcompare = diffcompare.command.cli:main" in commands
    assert "[pytest11]\ndiffcompare.testing.plugin = diffcompare.testing.plugin" in commands
    assert "License-Expression: MIT" in metadata
    assert (ROOT / "README.md").read_text(encoding="utf-8").strip() in metadata
    assert licence == (ROOT / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.thorough
def test_the_installed_package_runs_a_study_from_another_folder(tmp_path: Path, installed: Path, offline: Path) -> None:
    environment = {"PYTHONPATH": os.pathsep.join(map(str, (offline, installed)))}
    where = run("-c", "import diffcompare; print(diffcompare.__file__)", cwd=tmp_path, environment=environment)
    assert Path(where.strip()).is_relative_to(installed)
    study = ROOT / "reports" / "chapter4.toml"
    printed = run("-m", "diffcompare", "run", study, "--out", "out", cwd=tmp_path, environment=environment)
    assert "report: out" in printed
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
    for name in ("index.html", "function-001.html", "errors.csv", "summary.csv", "functions.csv", "descent.csv"):
        assert (tmp_path / "out" / name).stat().st_size > 0
    assert (tmp_path / "out" / "errors.csv").read_text(encoding="utf-8").startswith("function,variable,point,scheme,")
    assert "<title>" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_request_to_the_network_would_fail(tmp_path: Path, offline: Path) -> None:
    """The twin of the check above: the network is closed indeed."""
    script = (
        "import socket, urllib.request\n"
        "try:\n"
        "    urllib.request.urlopen('http://127.0.0.1:9', timeout=1)\n"
        "except OSError as error:\n"
        "    print(error)\n"
    )
    printed = run("-c", script, cwd=tmp_path, environment={"PYTHONPATH": str(offline)})
    assert "a test asked for the network" in printed
