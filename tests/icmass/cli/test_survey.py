"""`icmass survey`: what it makes and prints, on a sky of a quarter of a square degree."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table

from icmass.catalog import Catalog
from icmass.config import SurveyConfig
from icmass.simulate.cutouts import read_event_list
from icmass.simulate.skymaps import CELL_NSIDE, SKY_NSIDE, pixel_of
from icmass.simulate.survey.setting import make_conditions
from tests.helpers.stats import assert_poisson
from tests.helpers.tiny_survey import SKY, write_config, write_sky_map
from tests.icmass.cli.conftest import printed

PICTURES = ["completeness", "counts", "number_counts", "purity", "tile"]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, str]:
    """The survey with its cut-outs, made once, and what was printed; read only."""
    folder = tmp_path_factory.mktemp("survey")
    write_config(folder / "job.yaml")
    options = ("-c", folder / "job.yaml", "-o", folder / "s", "--workers", 1, "--cutouts")
    return folder / "s", printed("survey", *options)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Run the survey of a changed configuration, without pictures, which take most of the time."""
    monkeypatch.setattr("icmass.simulate.survey.summary.draw_pictures", lambda *words: [])

    def small(run, *options: object, **other: object) -> tuple[Path, dict]:
        job = write_config(tmp_path / "job.yaml", **other)
        place = tmp_path / "s"
        words = ("-c", job, "-o", place, "--workers", 1, "--json", *options)
        status, out, err = run("survey", *words)
        assert status == 0, err
        assert err == ""
        return place, json.loads(out)

    return small


def contents(place: Path) -> dict[str, bytes]:
    return {
        path.relative_to(place).as_posix(): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file()
    }


def test_prints_what_it_made(made):
    place, out = made
    values = json.loads((place / "summary.json").read_text())
    lines = out.splitlines()
    assert lines[0] == f"{place}: 0.2623 deg^2 in 1 tiles (1 made), {values['events']:,} events"
    assert lines[1].startswith(f"3 haloes and {values['agn']} AGN sent {values['icm']:,} and ")
    assert lines[2].startswith(f"{values['sources']} sources found, {values['extended']} of them")
    assert lines[3] == f"cut-outs in {place / 'cutouts'}"
    assert lines[4].endswith(" on 1 worker")
    assert len(lines) == 5
    assert values["events"] == values["icm"] + values["agn_events"] + values["background"]
    # Seeded, and so bright that they are found in nearly every draw.
    assert values["haloes_detected"] >= 2
    assert sorted(path.stem for path in place.glob("figures/*.png")) == PICTURES


def test_tables_agree_with_events(made):
    place, _ = made
    haloes, sources = Table.read(place / "haloes.fits"), Table.read(place / "sources.fits")
    (tile,) = (place / "tiles").iterdir()
    events = read_event_list(tile / "events.fits")
    ids, counts = np.unique(events.source_id, return_counts=True)
    found = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    for halo in haloes:
        assert found[halo["halo_id"]] == halo["n_in_tile"]
    linked = sources["halo_id"][sources["halo_id"] >= 0]
    assert sorted(linked) == sorted(haloes["halo_id"][haloes["detected"]])
    assert_poisson(int(haloes["n_photons"].sum()), float(haloes["expected"].sum()), bias=0.4)


def test_cut_outs_are_a_catalog_that_knows_what_was_found(made):
    place, _ = made
    catalog = Catalog.open(place / "cutouts")
    catalog.validate()
    haloes = Table.read(place / "haloes.fits")
    order = np.argsort(haloes["halo_id"])
    rows = np.argsort(catalog.column("halo_id"))
    assert (catalog.column("halo_id")[rows] == haloes["halo_id"][order]).all()
    np.testing.assert_allclose(catalog.column("m500c_msun")[rows], haloes["m500c_msun"][order])
    for name in ("detected", "extent_likelihood"):
        there = np.asarray(haloes[name][order], np.float64)
        np.testing.assert_allclose(catalog.column(name)[rows].astype(float), there)
    assert (catalog.column("n_phot") > 0).all()
    assert (catalog.exposure_maps().max(axis=(1, 2)) > 500).all()


def test_a_second_run_makes_nothing(run, made):
    place, _ = made
    before = contents(place)
    words = ("-c", place.parent / "job.yaml", "-o", place, "--workers", 1, "--json", "--cutouts")
    status, out, err = run("survey", *words)
    assert (status, err) == (0, "")
    values = json.loads(out)
    assert (values["made"], values["tiles"]) == (0, 1)
    assert values["cutouts"] == str(place / "cutouts")
    assert contents(place) == before


def test_options_win_over_the_file(run, small):
    options = ("--seed", 4, "--exposure", "flat:300", "--no-agn", "--no-detect", "--column", "1e21")
    place, values = small(run, *options)
    config = json.loads((place / "survey.json").read_text())["provenance"]["config"]
    assert (config["seed"], config["exposure"], config["column"]) == (4, "flat:300", "1e21")
    assert (values["agn"], values["agn_events"], values["median_exposure_s"]) == (0, 0, 300)
    assert "sources" not in values
    assert not (place / "sources.fits").exists()


@pytest.mark.slow
def test_no_halo_at_all(run, tmp_path):
    job = write_config(tmp_path / "job.yaml", min_m500c_msun=5e15)
    words = ("survey", "-c", job, "-o", tmp_path / "s", "--workers", 1, "--cutouts")
    status, out, err = run(*words)
    assert status == 0
    assert err == "no haloes in this survey: no cut-outs were made\n"
    assert "0 haloes and " in out
    assert len(Table.read(tmp_path / "s" / "haloes.fits")) == 0
    assert "m500c_msun" in Table.read(tmp_path / "s" / "haloes.fits").colnames
    pictures = sorted(path.stem for path in (tmp_path / "s").glob("figures/*.png"))
    assert pictures == ["counts", "number_counts", "purity", "tile"]
    # The completeness of none is not drawn; a second run draws over what is there.
    assert run(*words)[0] == 0


@pytest.mark.slow
def test_nothing_at_all(run, tmp_path):
    job = write_config(tmp_path / "job.yaml", min_m500c_msun=5e15)
    options = ("--no-agn", "--no-background", "--json")
    status, out, err = run("survey", "-c", job, "-o", tmp_path / "s", "--workers", 1, *options)
    assert (status, err) == (0, "")
    values = json.loads(out)
    assert [values[name] for name in ("events", "haloes", "agn", "sources")] == [0, 0, 0, 0]
    for name in ("haloes", "sources"):
        assert len(Table.read(tmp_path / "s" / f"{name}.fits")) == 0
    pictures = sorted(path.stem for path in (tmp_path / "s").glob("figures/*.png"))
    assert pictures == ["counts", "tile"]


@pytest.mark.slow
def test_haloes_before_a_black_sky_are_found(run, small):
    _, values = small(run, "--no-agn", "--no-background")
    assert values["events"] == values["icm"] > 100
    assert values["haloes_detected"] >= 2


def test_a_single_pixel(run, small):
    place, values = small(run, footprint="cone:45,0.597,0.0001")
    assert values["area_deg2"] == pytest.approx(4 * 180**2 / np.pi / (12 * SKY_NSIDE**2))
    with fits.open(place / "exposure.fits") as file:
        assert len(file["HEALPIX"].data) == 1
    (tile,) = (place / "tiles").iterdir()
    events = read_event_list(tile / "events.fits")
    assert len(np.unique(pixel_of(SKY_NSIDE, events.ra_deg, events.dec_deg))) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("footprint", "tiles", "number"),
    [
        ("cone:10,90,0.3", "erass", 1),
        ("cone:10,-90,0.3", "healpix:64", 4),
        ("box:-0.2,0.2,-0.2,0.2", "erass", 2),
    ],
)
def test_poles_and_the_origin_of_right_ascension(run, small, footprint, tiles, number):
    place, values = small(run, footprint=footprint, tiles=tiles, detect=False)
    assert values["tiles"] == number
    events = [read_event_list(path) for path in place.glob("tiles/*/events.fits")]
    rate = values["background"] / values["area_deg2"]
    assert 20_000 < rate < 80_000  # per deg^2, as elsewhere
    ra_deg = np.concatenate([one.ra_deg for one in events])
    assert ra_deg.min() < 0.25
    assert ra_deg.max() > 359.75


def test_a_light_cone_of_ones_own(run, small, tmp_path):
    columns = {"RA": [45.0, 45.1, 80.0], "DEC": [0.6, 0.5, 0.0], "Z": [0.2, 0.3, 0.2]}
    table = Table({**columns, "M500C": [3e14, 2e13, 3e14], "ID": [7, 8, 9]})
    table.write(tmp_path / "mine.ecsv")
    place, values = small(run, "--lightcone", tmp_path / "mine.ecsv", detect=False)
    assert values["haloes"] == 1  # the second is too light, the third elsewhere
    halo = Table.read(place / "haloes.fits")[0]
    assert (halo["ra_deg"], halo["m500c_msun"]) == (45.0, 3e14)
    assert halo["n_photons"] > 200


def test_exposure_map_says_where_and_how_long(tmp_path):
    ra, dec = np.array([45.0, 46.5]), np.array([0.6, 1.5])
    pixel = pixel_of(32, ra, dec)
    path = write_sky_map(tmp_path / "t.fits", [500.0, 900.0], pixel, NSIDE=32)
    assert len(np.unique(pixel)) == 2
    keys = {**SKY, "footprint": "cone:45,1,5", "exposure": str(path)}
    conditions = make_conditions(SurveyConfig.parse(keys))
    assert sorted(np.unique(conditions.exposure_s)) == [500, 900]
    assert conditions.footprint.area_deg2 == pytest.approx(2 * 4 * 180**2 / np.pi / (12 * 32**2))
    assert conditions.exposure_at(ra, dec).tolist() == [500, 900]


def test_frame_of_a_map_that_does_not_say(tmp_path):
    values = np.arange(12.0) + 1.0
    path = write_sky_map(tmp_path / "t.fits", values, COORDSYS=None)
    at = np.array([266.4]), np.array([-29.0])  # the Galactic centre: pixel 4 in Galactic frame
    for frame, seconds in (("galactic", 5.0), ("icrs", values[pixel_of(1, *at)][0])):
        keys = {"footprint": "cone:266.4,-29,0.2", "exposure": str(path), "frame": frame}
        conditions = make_conditions(SurveyConfig.parse({**SKY, **keys}))
        assert conditions.exposure_at(*at).tolist() == [seconds]


def test_column_forms(tmp_path):
    cells = np.full(12 * 4**2, 5e20)
    path = write_sky_map(tmp_path / "nh.fits", cells)
    for column, expected in ((0, 0.0), ("2e20", 2e20), (str(path), 5e20), ("model", 6.06e20)):
        conditions = make_conditions(SurveyConfig.parse({**SKY, "column": column}))
        assert np.isin(conditions.cell, np.arange(12 * CELL_NSIDE**2)).all()
        np.testing.assert_allclose(conditions.column_cm2, expected, rtol=0.05 if expected else 0)


def test_a_footprint_of_ones_own_with_the_exposure_of_a_preset():
    keys = {**SKY, "preset": "efeds", "exposure": None, "footprint": "cone:45,0.6,0.3"}
    conditions = make_conditions(SurveyConfig.parse(keys))
    assert (conditions.exposure_s == 2200).all()
    assert 0.2 < conditions.footprint.area_deg2 < 0.4
    keys = {"preset": "efeds", "fraction": 0.02, "column": "0", "exposure": "scan:2"}
    conditions = make_conditions(SurveyConfig.parse(keys))
    assert conditions.footprint.area_deg2 == pytest.approx(0.02 * 140, rel=0.01)
    assert (conditions.exposure_s < 2200).all()


@pytest.mark.slow
def test_progress_is_told_and_an_interrupted_survey_goes_on(run, tmp_path):
    job = write_config(tmp_path / "job.yaml", tiles="healpix:128", detect=False)
    words = ("survey", "-c", job, "-o", tmp_path / "s", "--workers", 1)
    status, out, _ = run(*words)
    assert status == 0
    before = contents(tmp_path / "s")
    tiles = sorted((tmp_path / "s" / "tiles").iterdir())
    assert f" in {len(tiles)} tiles ({len(tiles)} made)" in out
    shutil.rmtree(tiles[0])
    shutil.rmtree(tmp_path / "s" / "figures")
    (tmp_path / "s" / "summary.json").unlink()
    status, out, _ = run(*words)
    assert (status, f" in {len(tiles)} tiles (1 made)" in out) == (0, True)
    assert contents(tmp_path / "s") == before


@pytest.mark.shared
@pytest.mark.slow
def test_haloes_of_a_real_simulation(run, shared_dir, tmp_path):
    folder = shared_dir / "data" / "swift"
    if not folder.is_dir():
        pytest.skip("the SWIFT box is absent")
    halos = Path(shutil.copy(folder / "clusters_z0.1.ecsv", tmp_path / "halos.ecsv"))
    job = write_config(tmp_path / "job.yaml")
    options = ("--snapshot", folder / "L0100N0080_z0.1.hdf5", "--halos", halos, "--cutouts")
    words = ("survey", "-c", job, "-o", tmp_path / "s", "--workers", 1, "--json", *options)
    status, out, err = run(*words)
    assert status == 0, err
    values = json.loads(out)
    assert (values["haloes"], values["haloes_detected"]) == (3, 3)
    haloes = Table.read(tmp_path / "s" / "haloes.fits")
    of_templates = np.asarray(Table.read(halos)["M500c"], np.float64)
    nearest = np.abs(np.log(np.outer(1.0 / of_templates, haloes["m500c_msun"]))).min(axis=0)
    assert (nearest < 1e-3).all()
    assert (haloes["redshift"] > 0.2).all()  # those of the light cone, not of the snapshot
    assert_poisson(int(haloes["n_photons"].sum()), float(haloes["expected"].sum()), bias=0.2)
    Catalog.open(tmp_path / "s" / "cutouts").validate()
    status, out, _ = run(*words)
    assert (status, json.loads(out)["made"]) == (0, 0)


def test_every_key_can_be_written_and_read_again(tmp_path):
    config = SurveyConfig.parse(SKY)
    (tmp_path / "job.yaml").write_text(config.to_yaml())
    assert SurveyConfig.from_yaml(tmp_path / "job.yaml") == config
    assert yaml.safe_load(config.to_yaml()).keys() == SurveyConfig.model_fields.keys()
