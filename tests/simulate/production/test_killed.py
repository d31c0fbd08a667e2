"""Runs that are killed at any moment lose nothing, leave nobody behind, end with equal bytes."""

import os
import random
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from icmass.catalog import Catalog
from icmass.files import MANIFEST
from icmass.simulate.production import produce
from tests.helpers.production import TinyProducer

ROOT = Path(__file__).resolve().parents[3]
ROWS = 120

DRIVER = f"""
import signal, sys
from icmass.simulate.production import produce
from tests.helpers.production import TinyProducer
if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    produce(
        TinyProducer({ROWS}, seconds=float(sys.argv[2])), sys.argv[1], lambda rows: 4, workers=2,
        report=lambda progress: print(progress.done, flush=True),
    )
"""

pytestmark = pytest.mark.slow


def start(place: Path, seconds_per_row: float = 0.03) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(place), str(seconds_per_row)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def wait_for_work(process: subprocess.Popen[bytes]) -> None:
    """Wait until the first shard of this run is finished."""
    assert process.stdout is not None
    assert process.stdout.readline()
    assert process.stdout.readline()


def end(process: subprocess.Popen[bytes], number: int, *, group: bool) -> int:
    if group:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    process.wait(20)
    assert process.stdout is not None
    process.stdout.close()
    return process.returncode


def files(place: Path) -> dict[str, str]:
    return {
        p.relative_to(place).as_posix(): sha256(p.read_bytes()).hexdigest()
        for p in place.rglob("*.*")
    }


def test_killed_again_and_again_it_ends_with_the_same_bytes(tmp_path):
    whole, place = tmp_path / "whole", tmp_path / "killed"
    produce(TinyProducer(ROWS), whole, lambda rows: 4, workers=1)
    rng = random.Random(7)
    done = 0
    for round_ in range(5):
        process = start(place)
        if round_ == 0:
            time.sleep(rng.uniform(0.5, 2.5))  # as it begins
        else:
            wait_for_work(process)
            time.sleep(rng.uniform(0.0, 0.4))
        end(process, signal.SIGKILL, group=True)
        if round_:
            rows = len(Catalog.open(place))
            assert rows > done
            done = rows
    assert 0 < done < ROWS
    finished = {path.name: path.stat().st_mtime_ns for path in place.glob("shards/*.h5")}
    listed = {record.name for record in Catalog.open(place).shards}
    produce(TinyProducer(ROWS), place, lambda rows: 4, workers=1)
    assert files(place) == files(whole)
    for name in listed:
        assert (place / "shards" / name).stat().st_mtime_ns == finished[name]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_the_driver(tmp_path, number):
    place = tmp_path / "catalog"
    process = start(place)
    wait_for_work(process)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    begun = time.monotonic()
    status = end(process, number, group=False)
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    assert time.monotonic() - begun < 10
    assert status == {signal.SIGTERM: 143}.get(number, -number)
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    time.sleep(0.3)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before
    assert (place / MANIFEST).is_file()
    assert 0 < len(Catalog.open(place)) < ROWS
