"""Catalogs made by one, many and interrupted workers have the same bytes."""

import re
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from icmass.catalog import Catalog
from icmass.errors import InputError, OutputError
from icmass.simulate.production import Progress, produce
from tests.helpers.catalogs import shard_data
from tests.helpers.production import TINY_SPEC, TinyProducer


def contents(place: Path) -> dict[str, str]:
    return {
        path.relative_to(place).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in place.rglob("*")
        if path.is_file()
    }


def make(place: Path, producer: TinyProducer, **how: object) -> Path:
    produce(producer, place, lambda rows: 4, **how)
    return place


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("whole") / "catalog", TinyProducer(30), workers=1)


def test_makes_every_row_in_order(whole):
    catalog = Catalog.open(whole)
    catalog.validate()
    assert catalog.column("halo_id").tolist() == list(range(30))
    assert [record.rows for record in catalog.shards] == [4] * 7 + [2]


@pytest.mark.slow
def test_three_workers_write_the_same_bytes(whole, tmp_path):
    assert contents(make(tmp_path / "c", TinyProducer(30), workers=3)) == contents(whole)


@pytest.mark.slow
def test_dask_workers_write_the_same_bytes(whole, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
        ) as cluster,
    ):
        place = make(tmp_path / "c", TinyProducer(30), scheduler=cluster.scheduler_address)
        assert contents(place) == contents(whole)
        with pytest.raises(InputError, match="workers: a worker ended before its work"):
            make(tmp_path / "d", TinyProducer(8, deadly=(5,)), scheduler=cluster.scheduler_address)


def test_another_seed_is_another_catalog(whole, tmp_path):
    place = make(tmp_path / "c", TinyProducer(30, seed=4), workers=1)
    assert Catalog.open(place).fingerprint() != Catalog.open(whole).fingerprint()
    assert not np.array_equal(Catalog.open(place).images(), Catalog.open(whole).images())


def test_goes_on_where_it_was_and_repeats_nothing(whole, tmp_path):
    place = tmp_path / "c"
    with pytest.raises(KeyboardInterrupt):
        make(place, TinyProducer(30), workers=1, report=interrupt_at(13))
    kept = {path: path.stat().st_mtime_ns for path in (place / "shards").iterdir()}
    assert len(kept) == 4
    seen: list[Progress] = []
    make(place, TinyProducer(30), workers=1, report=seen.append)
    assert [(p.before, p.done) for p in seen] == [(16, n) for n in (16, 20, 24, 28, 30)]
    assert seen[-1].rate > 0
    assert seen[-1].rest_seconds == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert contents(place) == contents(whole)
    make(place, TinyProducer(30), workers=1, report=seen.append)
    assert len(seen) == 5  # nothing was left to do


def interrupt_at(rows: int):
    def report(progress: Progress) -> None:
        if progress.done >= rows:
            raise KeyboardInterrupt

    return report


def test_failing_rows_are_recorded_and_the_others_made(tmp_path):
    producer = TinyProducer(12, failing=(4, 5, 6, 7, 9))
    summary = produce(producer, tmp_path / "c", lambda rows: 4, workers=1)
    assert [failure.halo_id for failure in summary.failures] == [4, 5, 6, 7, 9]
    assert summary.failures[0].reason == "row 4 is meant to fail"
    assert summary.progress.failed == 5
    assert summary.catalog.column("halo_id").tolist() == [0, 1, 2, 3, 8, 10, 11]
    again = produce(producer, tmp_path / "c", lambda rows: 4, workers=1)
    assert again.failures == summary.failures


def test_a_worker_that_dies_ends_the_run_and_keeps_what_is_finished(tmp_path):
    rule = r"workers: a worker ended before its work, killed or out of memory\. What is finished"
    with pytest.raises(InputError, match=rule):
        make(tmp_path / "c", TinyProducer(40, deadly=(38,)), workers=2)
    assert len(Catalog.open(tmp_path / "c")) > 0
    make(tmp_path / "c", TinyProducer(40), workers=1)
    assert len(Catalog.open(tmp_path / "c")) == 40


def test_an_error_of_a_worker_reaches_the_user(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OutputError("shard-000000.h5: cannot be written; no space is left.")

    monkeypatch.setattr("icmass.catalog.store.write_shard", full)
    with pytest.raises(OutputError, match="no space is left"):
        make(tmp_path / "c", TinyProducer(8), workers=1)


def test_another_configuration_is_refused(whole, tmp_path):
    place = shutil.copytree(whole, tmp_path / "c")
    before = contents(place)
    rule = "holds a catalog of another configuration: seed is 3 there and 4 now. Go on with the"
    with pytest.raises(InputError, match=re.escape(f"{place}: {rule}")):
        make(place, TinyProducer(30, seed=4), workers=1)
    assert contents(place) == before


def test_two_runs_are_refused(whole, tmp_path):
    place = shutil.copytree(whole, tmp_path / "c")
    with Catalog.open(place).lock():
        with pytest.raises(OutputError, match="another run writes into it"):
            make(place, TinyProducer(30), workers=1)


@pytest.mark.parametrize("harm", ["missing", "damaged", "foreign"])
def test_bad_shards_are_named_and_made_again(whole, tmp_path, harm):
    place = shutil.copytree(whole, tmp_path / "c")
    shard = place / "shards" / "shard-000002.h5"
    if harm == "missing":
        shard.unlink()
    elif harm == "damaged":
        shard.write_bytes(shard.read_bytes()[:-7])
    else:
        other = Catalog.create(tmp_path / "other", TINY_SPEC)
        other.append(shard_data(TINY_SPEC, n=3))
        shutil.copy(other.path / "shards" / "shard-000000.h5", shard)
    rule = rf"shard 'shard-000002.h5' is {harm}\. Give --repair to drop it and make it again\."
    with pytest.raises(InputError, match=rule):
        make(place, TinyProducer(30), workers=1)
    summary = produce(TinyProducer(30), place, lambda rows: 4, workers=1, repair=True)
    assert [(problem.shard, problem.kind) for problem in summary.dropped] == [(shard.name, harm)]
    assert summary.progress.before == 26
    (place / "shards" / (shard.name + ".dropped")).unlink(missing_ok=True)
    assert contents(place) == contents(whole)


def test_bytes_that_changed_are_found(whole, tmp_path):
    place = shutil.copytree(whole, tmp_path / "c")
    shard = place / "shards" / "shard-000003.h5"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(InputError, match=r"shard-000003.h5' is damaged"):
        make(place, TinyProducer(30), workers=1)
    summary = produce(TinyProducer(30), place, lambda rows: 4, workers=1, repair=True)
    assert [str(problem) for problem in summary.dropped] == ["shard 'shard-000003.h5' is damaged"]
    assert shard.read_bytes() == (whole / "shards" / shard.name).read_bytes()


def test_what_a_killed_creation_leaves_is_taken_over(whole, tmp_path):
    place = tmp_path / "c"
    (place / "shards").mkdir(parents=True)
    (place / ".manifest.json.0a1b2c3d.partial.json").write_text("{")
    make(place, TinyProducer(30), workers=1)
    assert {name: data for name, data in contents(place).items()} == contents(whole)


def test_a_directory_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match=r"already exists"):
        make(tmp_path / "c", TinyProducer(4), workers=1)
    with pytest.raises(OutputError, match="its folder does not exist"):
        make(tmp_path / "no" / "c", TinyProducer(4), workers=1)


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ({"workers": 0}, "workers: must be at least 1; got 0"),
        ({"workers": 2, "scheduler": "tcp://x:1"}, "workers: belongs to the scheduler"),
        ({"scheduler": "nonsense://x"}, r"scheduler: must be the address of a dask scheduler"),
    ],
)
def test_wrong_workers(tmp_path, how, rule):
    with pytest.raises(InputError, match=rule):
        make(tmp_path / "c", TinyProducer(4), **how)
