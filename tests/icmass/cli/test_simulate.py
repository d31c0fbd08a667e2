"""`icmass simulate`: what it makes, prints and refuses, and with which exit status."""

import json
import shutil
from pathlib import Path

import pytest

from icmass.catalog import Catalog
from icmass.simulate.rows.row import observe_scene
from tests.helpers.snapshots import write_swift
from tests.simulate.snapshots.boxes import halo_rows, lopsided, write_rows

SMALL = "clusters: 4\nparticles: 3000\npixels: 16\nrows_per_shard: 2\nexposure_s: 5000\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("config") / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def made(run, small, tmp_path) -> Path:
    status, _, err = run("simulate", "-c", small, "-o", tmp_path / "made", "--workers", 1)
    assert status == 0, err
    return tmp_path / "made"


def files(place: Path) -> dict[str, bytes]:
    return {p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*.*")}


def test_makes_a_catalog_and_goes_on_with_it(run, small, made):
    catalog = Catalog.open(made)
    catalog.validate()
    assert catalog.column("halo_id").tolist() == [0, 1, 2, 3]
    assert (catalog.column("exposure_s") == 5000).all()
    assert catalog.spec.image_shape[2:] == (16, 16)
    assert catalog.spec.provenance["config"]["particles"] == 3000
    assert "gas" in catalog.spec.provenance["population"]
    before = files(made)
    status, out, _ = run("simulate", "-c", small, "-o", made, "--workers", 1)
    assert status == 0
    assert f"{made}: 4 clusters in 2 shards (0 made, 4 were there)" in out
    assert files(made) == before


def test_longer_samples_begin_with_the_shorter(run, small, made, tmp_path):
    options = ("--clusters", 6, "--workers", 1, "--json")
    status, out, _ = run("simulate", "-c", small, "-o", tmp_path / "long", *options)
    values = json.loads(out)
    assert (status, values["clusters"], values["made"], values["failed"]) == (0, 6, 6, [])
    long, short = Catalog.open(tmp_path / "long"), Catalog.open(made)
    assert values["fingerprint"] == long.fingerprint()
    assert (long.images(slice(4)) == short.images()).all()
    assert long.rows()[:4].tobytes() == short.rows().tobytes()


@pytest.mark.slow
def test_three_processes_write_the_same_bytes(run, small, made, tmp_path):
    status, _, _ = run("simulate", "-c", small, "-o", tmp_path / "three", "--workers", 3)
    assert status == 0
    assert files(tmp_path / "three") == files(made)


def test_haloes_that_fail_are_told_and_the_others_made(run, small, tmp_path, monkeypatch):
    def failing(scene, settings):
        if scene.key.halo_id in {1, 2}:
            raise ArithmeticError("no\nroot")
        return observe_scene(scene, settings)

    monkeypatch.setattr("icmass.simulate.production.producer.observe_scene", failing)
    status, out, err = run("simulate", "-c", small, "-o", tmp_path / "c", "--workers", 1)
    assert status == 3
    reason = "halo 2, line of sight 0: ArithmeticError: no root"
    assert f"failed: sample 0, snapshot 2, {reason}\n" in err
    assert "2 clusters in 2 shards (2 made, 2 failed)" in out
    assert Catalog.open(tmp_path / "c").column("halo_id").tolist() == [0, 3]
    status, out, _ = run("info", tmp_path / "c")
    assert "2 failed" in out
    status, _, _ = run("simulate", "-c", small, "-o", tmp_path / "c", "--workers", 1)
    assert status == 3  # the catalog still lacks them


def test_want_of_memory_is_not_a_failed_halo(run, small, tmp_path, monkeypatch):
    def hungry(scene, settings):
        raise MemoryError

    monkeypatch.setattr("icmass.simulate.production.producer.observe_scene", hungry)
    status, _, err = run("simulate", "-c", small, "-o", tmp_path / "c", "--workers", 1)
    assert status == 1
    assert "memory: is not enough for this" in err
    assert len(Catalog.open(tmp_path / "c")) == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--particles", 10**14), "--particles: must be less than or equal to 100000000; got 1"),
        (("--nh", "1e99"), "nh_cm2: must be 0 or 1e+16 to 1e+26, in cm^-2"),
        (("--clusters", 0), "--clusters: must be greater than or equal to 1; got 0"),
        (("--seed", -1), "--seed: must be greater than or equal to 0; got -1"),
        (("--exposure", 0), "--exposure: must be greater than 0; got 0.0"),
        (("--nh", "3e20,1e20"), "--nh: must be a range LO,HI with 0 < LO <= HI; got '3e20,1e20'"),
        (("--agn", "some"), "--agn: must be 'box', 'sky' or 'none'; got 'some'"),
        (("--halos", "h.ecsv"), "halos: is for snapshots; give snapshot as well"),
        (("--population", "magnetic"), "population: must be one of erosita, magneticum, shifted"),
        (("--instrument", "hubble"), "instrument"),
        (("--workers", 0), "workers: must be at least 1; got 0"),
        (("--scheduler", "nonsense"), "scheduler: must be the address of a dask scheduler"),
        (("--snapshot", "no.hdf5"), "no.hdf5"),
        (("--units", "length"), "--units: must be KIND=UNIT, such as length=Mpc/h; got 'length'"),
    ],
)
def test_wrong_options(run, tmp_path, options, expected):
    status, out, err = run("simulate", "-o", tmp_path / "c", *options)
    assert (status, out) == (2, "")
    assert expected in err
    assert err.count("\n") == 1
    assert not list(tmp_path.glob("c/shards/*"))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("bands: {gamma: [500.0, 900.0]}", "band 'gamma': must overlap what erosita records"),
        ("bands: {soft: [2.0, 0.5]}", "band 'soft': must have 0 <= lo < hi in keV"),
        ("bands: {soft: 2}", "bands: must give two energies in keV for each band"),
        ("population: empty.yaml", "must be below log10_m500c_max, else no mass is left"),
        ("exposre_s: 3", "exposre_s: unknown key; did you mean 'exposure_s'"),
        ("pixels: 0", "pixels: must be greater than or equal to 1"),
    ],
)
def test_configuration_that_cannot_be_met(run, tmp_path, monkeypatch, lines, expected):
    monkeypatch.chdir(tmp_path)
    Path("empty.yaml").write_text(
        "base: magneticum\nhaloes: {log10_m500c_min: 15.2, log10_m500c_max: 15.1}\n"
    )
    Path("job.yaml").write_text(lines + "\n")
    status, out, err = run("simulate", "-c", "job.yaml", "-o", "c", "--workers", 1)
    assert (status, out) == (2, "")
    assert expected in err
    assert err.count("\n") == 1
    assert not Path("c").exists()


def test_another_configuration_is_refused(run, small, made):
    before = files(made)
    again = ("simulate", "-c", small, "-o", made, "--workers", 1)
    for option, rule in (
        (("--exposure", 7000), "exposure_s is 5000.0 there and 7000.0 now"),
        (("--seed", 9), "seed is 0 there and 9 now"),
        (("--clusters", 5), "clusters is 4 there and 5 now"),
        (("--population", "shifted"), 'population is "magneticum" there and "shifted" now'),
    ):
        status, _, err = run(*again, *option)
        assert status == 2
        assert err.startswith(f"{made}: holds a catalog of another configuration: {rule}. Go on")
        assert err.count("\n") == 1
    assert files(made) == before


def test_changed_parameters_of_a_population_are_noticed(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("job.yaml").write_text(SMALL + "population: mine.yaml\n")
    mine = Path("mine.yaml")
    mine.write_text("base: magneticum\n")
    assert run("simulate", "-c", "job.yaml", "-o", "c", "--workers", 1)[0] == 0
    mine.write_text("base: magneticum\nhaloes: {box_mpc: 900.0}\n")
    status, _, err = run("simulate", "-c", "job.yaml", "-o", "c", "--workers", 1)
    assert status == 2
    assert "population.haloes.box_mpc is 500.0 there and 900.0 now" in err


def test_damage_is_named_and_repaired(run, small, made):
    before = files(made)
    shard = made / "shards" / "shard-000001.h5"
    shard.write_bytes(shard.read_bytes()[::-1])
    again = ("simulate", "-c", small, "-o", made, "--workers", 1)
    status, _, err = run(*again)
    rule = "shard 'shard-000001.h5' is damaged. Give --repair to drop it and make it again."
    assert (status, err) == (2, f"{made}: {rule}\n")
    status, out, err = run(*again, "--repair")
    assert status == 0
    assert "shard 'shard-000001.h5' is damaged: made again" in err
    assert "(2 made, 2 were there)" in out
    shard.with_name(shard.name + ".dropped").unlink()
    assert files(made) == before


def test_a_directory_in_use_is_refused(run, small, made):
    with Catalog.open(made).lock():
        status, _, err = run("simulate", "-c", small, "-o", made, "--workers", 1)
    assert status == 2
    assert "another run writes into it (process" in err


def test_directories_that_are_no_catalog(run, small, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("x")
    status, _, err = run("simulate", "-c", small, "-o", tmp_path / "other", "--workers", 1)
    assert (status, "already exists" in err) == (2, True)
    (tmp_path / "other" / "manifest.json").write_text("{}")
    status, _, err = run("simulate", "-c", small, "-o", tmp_path / "other", "--workers", 1)
    assert (status, "must be a catalog" in err) == (2, True)


@pytest.mark.shared
@pytest.mark.slow
def test_clusters_of_a_real_simulation(run, shared_dir, tmp_path):
    folder = shared_dir / "data" / "swift"
    if not folder.is_dir():
        pytest.skip("the SWIFT box is absent")
    shutil.copy(folder / "clusters_z0.1.ecsv", tmp_path / "halos.ecsv")
    options = ("--snapshot", folder / "L0100N0080_z0.1.hdf5", "--halos", tmp_path / "halos.ecsv")
    (tmp_path / "job.yaml").write_text("pixels: 32\nlines_of_sight: 2\n")
    status, out, err = run(
        "simulate", "-c", tmp_path / "job.yaml", *options, "-o", tmp_path / "c", "--workers", 1
    )
    assert status == 0, err
    assert "36 clusters" in out
    catalog = Catalog.open(tmp_path / "c")
    catalog.validate()
    assert len(set(catalog.column("halo_id").tolist())) == 18
    assert (catalog.column("n_phot_icm") > 100).all()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda table: table.remove_column("M500c"), "m500c"),
        (lambda table: table["x"].__imul__(1e3), "box"),
    ],
)
def test_halo_tables_that_cannot_be_used(run, tmp_path, change, expected):
    truth = lopsided()
    box = write_swift(tmp_path / "box.hdf5", truth)
    table = halo_rows([truth])
    change(table)
    halos = write_rows(tmp_path / "halos.ecsv", table)
    options = ("--snapshot", box, "--halos", halos, "--workers", 1)
    status, out, err = run("simulate", *options, "-o", tmp_path / "c")
    assert (status, out) == (2, "")
    assert expected in err
    assert err.count("\n") == 1
    assert not (tmp_path / "c").exists()
