"""The examples run as they stand, one after the other, in a folder of their own."""

import subprocess
import sys

import pytest

from tests.packaging.wheel import CHECKOUT

EXAMPLES = sorted((CHECKOUT / "examples").glob("*.py"))

# Sizes at which each is a matter of seconds, and what it must have printed and left.
REDUCED = {
    "01_observe": ([], "photons in 0.5-1.2 keV", "observation/manifest.json"),
    "02_simulate": (["160"], "lx_0520_erg_s: slope", "catalog/manifest.json"),
    "03_train": (["3"], "log10 M500c/Msun", "run/run.json"),
    "04_benchmark": (["2"], "profile network", "benchmark/table.json"),
    "05_explain": ([], "of ln M", None),
    "06_survey": (["0.01"], "haloes were found", "survey/cutouts/manifest.json"),
}


def test_they_follow_the_road_and_are_short():
    assert [path.stem for path in EXAMPLES] == list(REDUCED)
    for path in EXAMPLES:
        assert len(path.read_text().splitlines()) < 60, path.name


@pytest.mark.slow
def test_they_run(tmp_path):
    for path in EXAMPLES:
        arguments, printed, left = REDUCED[path.stem]
        done = subprocess.run(
            [sys.executable, str(path), *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{path.name}: {done.stderr}"
        assert printed in done.stdout, path.name
        assert left is None or (tmp_path / left).is_file(), path.name
