"""What the README shows works as it stands, and what it points to exists."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from icmass.cli.main import app
from tests.packaging.wheel import CHECKOUT

README = (CHECKOUT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_python_example_runs(tmp_path):
    (example,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    luminosity, counts, expected = map(float, done.stdout.split())
    assert luminosity > 1e43
    assert counts == pytest.approx(expected, abs=5 * expected**0.5)
    assert json.loads((tmp_path / "observation_from_python" / "scalars.json").read_text())


def test_commands_exist():
    """CI runs the commands; here only their names are looked up."""
    names = {command.name for command in app.registered_commands}
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    words = [shlex.split(line) for block in blocks("bash") for line in block.splitlines()]
    for program, name, *_ in words:
        assert name in {"icmass": names, "make": targets, "source": {".venv/bin/activate"}}[program]


def test_files_it_points_to_exist():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert len(links) >= 4
    assert [link for link in links if not (CHECKOUT / Path(link)).exists()] == []
