"""Several devices train one network together, here two processes of the CPU (Lightning's ddp)."""

import subprocess
import sys
from pathlib import Path

import pytest

from icmass.estimate.out_of_fold import own_scores
from icmass.estimate.runs import Run


@pytest.mark.slow
def test_two_devices_share_the_batches_and_one_writes(tmp_path, mass_catalog) -> None:
    options = "--network profile --head gaussian --folds 2 --epochs 2 --validation 0.4 --workers 1"
    program = str(Path(sys.executable).with_name("icmass"))  # Lightning starts it again by its path
    given = [str(mass_catalog.path), "-o", "run", *options.split()]
    done = subprocess.run(
        [program, "train", *given, "--strategy", "ddp", "--devices", "2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("each cluster judged by") == 1
    run = Run.open(tmp_path / "run")
    assert len(own_scores(run, mass_catalog)) == len(mass_catalog)
    epochs = (run.member_directory(0, 0) / "history.csv").read_text().splitlines()[1:]
    assert len(epochs) == 2
