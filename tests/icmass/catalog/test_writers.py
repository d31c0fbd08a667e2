"""Writers that are killed, that come at the same time, or that stand in line."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from icmass.catalog import Catalog, ImageGeometry
from icmass.catalog.shard_file import _MAP_OPTIONS, write_shard
from icmass.errors import OutputError
from tests.helpers.catalogs import SPEC, shard_data

ROOT = Path(__file__).resolve().parents[3]

WRITER = """
import sys
from icmass.catalog import Catalog
from tests.helpers.catalogs import shard_data
catalog = Catalog.open(sys.argv[1])
data = shard_data(n=60, first=100_000)
print("ready", flush=True)
first = 200
while True:
    for name, values in data.columns.items():
        if name == "halo_id":
            values += 100
    catalog.append(data)
"""

HOLDER = """
import sys, time
from icmass.catalog import Catalog
with Catalog.open(sys.argv[1]).lock():
    print("ready", flush=True)
    time.sleep(60)
"""


def start(script: str, catalog: Catalog) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(catalog.path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.slow
def test_killed_at_any_moment_it_stays_valid(catalog):
    rows = len(catalog)
    for round_ in range(5):
        process = start(WRITER, catalog)
        while len(Catalog.open(catalog.path)) == rows:
            time.sleep(0.01)
        time.sleep(0.013 * round_)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        after = Catalog.open(catalog.path)
        listed = {record.name for record in after.shards}
        on_disk = {path.name for path in (catalog.path / "shards").glob("shard-*.h5")}
        assert listed <= on_disk
        assert len(on_disk - listed) <= 1
        assert set(after.adopt()) == on_disk - listed
        for number in range(len(after.shards)):
            after.images([5 * min(number, 2)])
        assert Catalog.repair(catalog.path, drop=False) == []
        assert list(catalog.path.rglob(".*.partial*")) == []
        rows = len(after)


def test_finished_shards_are_adopted_and_foreign_ones_left(catalog, tmp_path):
    catalog.write_shard(7, shard_data(first=700))
    shards = catalog.path / "shards"
    (shards / "shard-000008.h5").write_bytes(b"half a shard")
    (shards / "shard-000009.h5").write_bytes((shards / "shard-000001.h5").read_bytes())
    (shards / ".shard-000010.h5.0a1b2c3d.partial.h5").write_bytes(b"killed")
    assert len(Catalog.open(catalog.path)) == 15
    assert catalog.adopt() == ["shard-000007.h5"]
    assert catalog.column("halo_id")[-1] == 702
    assert catalog.adopt() == []
    assert not list(shards.glob(".*"))
    catalog.append(shard_data(first=800))
    assert catalog.shards[-1].name == "shard-000008.h5"
    Catalog.open(catalog.path).validate()


def test_bytes_do_not_depend_on_what_was_written_before():
    # LZF, in place of ours, gives two kinds of bytes for one of these maps.
    spec = replace(SPEC, geometry=ImageGeometry(n_y=6, n_x=5, pixel=250.0))
    maps = [m for k in range(6) for m in shard_data(spec, n=1, first=k).expectations[0]]
    found: list[set[bytes]] = [set() for _ in maps]
    rng = np.random.default_rng(0)
    for _ in range(200):
        with h5py.File("map", "w", driver="core", backing_store=False) as file:
            shape = (len(maps), *maps[0].shape)
            dataset = file.create_dataset("x", shape, "f4", chunks=(1, *shape[1:]), **_MAP_OPTIONS)
            for k in rng.permutation(len(maps)):
                dataset[k] = maps[k]
            file.flush()
            for k, seen in enumerate(found):
                seen.add(dataset.id.read_direct_chunk((k, 0, 0, 0))[1])
    assert all(len(seen) == 1 for seen in found)


def test_a_failed_append_leaves_nothing(catalog, monkeypatch):
    before = {path: path.read_bytes() for path in catalog.path.rglob("*") if path.is_file()}
    monkeypatch.setattr("icmass.catalog.shard_file.encode", lambda images: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        catalog.append(shard_data(first=900))
    after = {path: path.read_bytes() for path in catalog.path.rglob("*") if path.is_file()}
    assert after == before


def test_two_runs_are_refused_and_a_dead_one_is_not(catalog):
    holder = start(HOLDER, catalog)
    try:
        for write in (
            lambda: catalog.append(shard_data(first=900)),
            catalog.adopt,
            lambda: Catalog.repair(catalog.path),
        ):
            with pytest.raises(
                OutputError, match=rf"another run writes into it \(process {holder.pid} on"
            ):
                write()
        assert len(Catalog.open(catalog.path).images()) == 15  # reading is free
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    catalog.append(shard_data(first=900))
    assert (catalog.path / ".lock").read_bytes() == b""


def test_lock_can_be_held_over_many_writes(catalog):
    with catalog.lock():
        catalog.append(shard_data(first=700))
        catalog.append(shard_data(first=800))
        with pytest.raises(OutputError, match="another run writes into it"):
            Catalog.open(catalog.path).append(shard_data(first=900))
    Catalog.open(catalog.path).append(shard_data(first=900))


def test_appending_after_another_writer_keeps_both(catalog):
    other = Catalog.open(catalog.path)
    other.append(shard_data(first=700))
    catalog.append(shard_data(first=800))
    assert Catalog.open(catalog.path).column("halo_id")[::5].tolist() == [0, 100, 200, 700, 800]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_directory_that_is_not_writable(catalog):
    catalog.path.chmod(0o555)
    (catalog.path / ".lock").unlink(missing_ok=True)
    with pytest.raises(OutputError, match="cannot be written: Permission denied"):
        catalog.append(shard_data(first=900))
    catalog.path.chmod(0o755)


def test_file_system_without_locks(catalog, monkeypatch):
    def refuse(handle: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("icmass.catalog.lock.fcntl.flock", refuse)
    with pytest.raises(OutputError, match="cannot be locked: No locks available"):
        catalog.append(shard_data(first=900))


def test_bytes_do_not_depend_on_when_python_lets_go(tmp_path, monkeypatch):
    # A profiler that samples the stack of a dask worker keeps handles alive a little longer.
    data, kept = shard_data(SPEC, n=3), []
    for place in ("plain", "held"):
        (tmp_path / place).mkdir()
    write_shard(tmp_path / "plain" / "shard.h5", SPEC, data)

    def keeping(make):
        def kept_too(*args, **options):
            kept.append(make(*args, **options))
            return kept[-1]

        return kept_too

    for name in ("create_dataset", "create_group"):
        monkeypatch.setattr(h5py.Group, name, keeping(getattr(h5py.Group, name)))
    write_shard(tmp_path / "held" / "shard.h5", SPEC, data)
    assert len(kept) > 10
    plain, held = (tmp_path / place / "shard.h5" for place in ("plain", "held"))
    assert plain.read_bytes() == held.read_bytes()
