"""The installed wheel holds every module and data file, and importing it is light."""

import json
import subprocess
from pathlib import Path

import pytest

from icmass import __version__
from tests.packaging.wheel import CHECKOUT, PARTS, install_wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    return install_wheel(tmp_path_factory.mktemp("wheel") / "installed")


def run(python: Path, code: str) -> str:
    """Run code with the installed wheel, in an empty folder and without environment."""
    done = subprocess.run(
        [python, "-W", "error::SyntaxWarning", "-c", code],
        cwd=python.parents[1] / "empty",
        env={"PATH": "/usr/bin:/bin", "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def checkout_modules() -> list[str]:
    """Names of all modules, from the files of the checkout."""
    names = []
    for folder, package in PARTS.items():
        for path in sorted((CHECKOUT / folder).rglob("*.py")):
            steps = path.relative_to(CHECKOUT / folder).with_suffix("").parts
            names.append(".".join([package, *(step for step in steps if step != "__init__")]))
    return names


def test_every_module_of_the_checkout_can_be_imported(installed):
    names = checkout_modules()
    assert {"icmass.cli", "icmass.simulate.gas", "icmass.estimate"} <= set(names)
    code = f"""
import importlib, json
for name in {names}:
    module = importlib.import_module(name)
    assert module.__file__.startswith({str(installed.parents[1])!r}), module.__file__
print("all")
"""
    assert run(installed, code) == "all\n"


def test_a_forgotten_folder_would_be_noticed(installed):
    """Negative control: a name that the wheel does not hold fails the same way."""
    with pytest.raises(AssertionError, match="ModuleNotFoundError"):
        run(installed, "import icmass.simulate.forgotten")


def test_data_files_are_inside(installed):
    wanted = ["icmass/py.typed"]
    for folder, package in PARTS.items():
        for path in (CHECKOUT / folder).rglob("data/*"):
            inside = path.relative_to(CHECKOUT / folder).as_posix()
            wanted.append(package.replace(".", "/") + "/" + inside)
    code = """
import icmass, pathlib
root = pathlib.Path(icmass.__file__).parents[1]
print(*(p.relative_to(root).as_posix() for p in (root / "icmass").rglob("*")), sep="\\n")
"""
    assert sorted(set(wanted) - set(run(installed, code).splitlines())) == []


def test_import_is_light(installed):
    code = "import icmass, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = {name.partition(".")[0] for name in json.loads(run(installed, code))}
    assert not loaded & {"numba", "torch", "numpy", "astropy", "pydantic", "typer", "matplotlib"}


def test_version_needs_no_heavy_package(installed):
    code = """
import sys
from icmass.cli import main
sys.argv = ["icmass", "--version"]
try:
    main()
except SystemExit as stop:
    assert stop.code == 0
print(*{"numba", "torch", "astropy", "h5py", "pynbody", "scipy", "matplotlib"} & set(sys.modules))
"""
    assert run(installed, code) == f"icmass {__version__}\n\n"
