"""`icmass survey` refuses what it cannot use: one line, exit status 2, and nothing is written."""

import json
import os
import re
import shutil
from pathlib import Path

import healpy
import numpy as np
import pytest
from astropy.table import Table

from icmass.config import SurveyConfig
from icmass.errors import InputError
from icmass.simulate.skymaps import pixel_of
from icmass.simulate.survey import plan
from tests.helpers.tiny_survey import SKY, write_config, write_sky_map
from tests.icmass.cli.conftest import printed


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(run, place):
    """Assert that a changed configuration is refused as it should be."""

    def refused(match: str, *options: object, **other: object) -> None:
        write_config(place / "job.yaml", **other)
        before = sorted(place.rglob("*"))
        status, out, err = run("survey", "-c", "job.yaml", "-o", "s", "--workers", 1, *options)
        assert (status, out) == (2, ""), err
        assert err.count("\n") == 1, err
        assert re.search(match, err), err
        assert len(err) < 700
        assert sorted(place.rglob("*")) == before

    return refused


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("preset", 3, "must be a valid string; got 3"),
        ("footprint", ["all"], "must be a valid string"),
        ("fraction", 0, "must be greater than 0; got 0"),
        ("fraction", 1.5, "must be less than or equal to 1; got 1.5"),
        ("fraction", "nan", "must be a finite number"),
        ("fraction", True, "must be a number; got True"),
        ("exposure", ["a"], "must be a valid string"),
        ("column", True, "must be a valid string; got True"),
        ("tiles", 64, "must be a valid string; got 64"),
        ("instrument", 5, "must be a valid string"),
        ("seed", -1, "must be greater than or equal to 0; got -1"),
        ("seed", 1.5, "must be a valid integer"),
        ("population", 5, "must be a valid string"),
        ("min_m500c_msun", 1e5, "must be greater than or equal to 1000000000000"),
        ("min_m500c_msun", 1e17, "must be less than or equal to 6000000000000000"),
        ("min_m500c_msun", "14.2", "must be greater than or equal to"),
        ("redshift_range", [0.5, 0.1], "must be LO,HI with 0.01 <= LO < HI <= 3; got"),
        ("redshift_range", [0, 1], "must be LO,HI with 0.01 <= LO < HI <= 3"),
        ("redshift_range", [0.1, 9], "must be LO,HI with 0.01 <= LO < HI <= 3"),
        ("redshift_range", "0.1", "must be two numbers, LO,HI; got '0.1'"),
        ("redshift_range", "a,b", "must be a number; got 'a,b'"),
        ("clustering", "yes", "must be a valid boolean"),
        ("lightcone", 5, "must be a valid string"),
        ("snapshot", 5, "must be a valid list"),
        ("halos", "h.ecsv", "is for snapshots; give snapshot as well"),
        ("particles", 100, "must be greater than or equal to 2000; got 100"),
        ("agn", None, "must be a valid boolean; got None"),
        ("agn_flux_limit", 0, "must be greater than 0; got 0"),
        ("background", 1, "must be a valid boolean"),
        ("detect", "no", "must be a valid boolean"),
        ("min_likelihood", 1, "must be greater than or equal to 3; got 1"),
        ("frame", "supergalactic", "must be 'icrs', 'galactic' or 'ecliptic'"),
        ("fracton", 1, "unknown key; did you mean 'fraction'"),
    ],
)
def test_wrong_values_of_keys(key, value, rule):
    with pytest.raises(InputError, match=re.escape(f"{key}: {rule}")) as error:
        SurveyConfig.parse({**SKY, key: value})
    assert "\n" not in str(error.value)


def test_missing_sky_and_exposure():
    with pytest.raises(InputError, match="preset: must be given, or a footprint"):
        SurveyConfig.parse({"exposure": "flat:100"})
    with pytest.raises(InputError, match="exposure: must be given where no preset says it"):
        SurveyConfig.parse({"footprint": "all"})


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (("--fraction", 2), r"--fraction: must be less than or equal to 1; got 2\.0"),
        (("--min-mass", 14), r"--min-mass: must be greater than or equal to 1000000000000"),
        (("--seed", "x"), "seed"),
        (("--preset", "efads"), "preset: must be one of efeds, erass1-de, erass5; got 'efads'"),
        (("--workers", 0), "workers: must be at least 1; got 0"),
        (("--scheduler", "tcp://x:1"), "workers: belongs to the scheduler"),
        (("--footprint", "cone:0,0,-1"), r"cone: radius must be above 0 .* got -1\.0"),
        (("--halos", "h.ecsv"), "halos: is for snapshots"),
    ],
)
def test_wrong_options(refused, options, rule):
    refused(rule, *options)


@pytest.mark.parametrize(
    "text",
    [
        *("", "cone:", "cone:1,2", "cone:1,2,x", "cone 1 2 3", "circle:1,2,3", "box:0,1,2", "moc:"),
        *("|b|>x", "|b|", "b>20", "cone:0,0,1 &", "& all", "efads"),
    ],
)
def test_unknown_forms_of_a_footprint(refused, text):
    refused(r"footprint: must be one of efeds, .*cone:RA,DEC,RADIUS.*; got '", footprint=text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("cone:1,2,nan", "radius must be above 0"),
        ("cone:1,95,1", "declination: must lie between -90 and 90 deg; got 95"),
        ("cone:inf,0,1", "right ascension: must be finite"),
        ("box:10,10,0,1", "the longitudes must differ"),
        ("box:0,10,5,1", "the latitudes must ascend"),
        ("|b|>90", "must be at least 0 and below 90"),
        ("moc:no.fits", r"no\.fits: must be a MOC"),
        ("pixels:no.txt", r"no\.txt: must be a list of HEALPix pixels"),
        ("map:no.fits", r"no\.fits: must be an existing FITS file"),
        ("cone:0,0,0.2 & cone:90,0,0.2", "got no part of the sky"),
    ],
)
def test_footprints_that_cannot_be(refused, text, rule):
    refused(rule, footprint=text)


@pytest.mark.parametrize(
    ("exposure", "rule"),
    [
        ("flat:", r"must be flat:SECONDS, scan:PASSES or a HEALPix map that ends in \.fits"),
        ("flat:x", "must have a number above 0, up to 1e.07, after flat:; got 'x'"),
        ("flat:-1", "after flat:; got '-1'"),
        ("flat:inf", "after flat:; got 'inf'"),
        ("flat:1e9", "after flat:; got '1e9'"),
        ("scan:0", "must have a number above 0, up to 10000, after scan:; got '0'"),
        ("scan:nan", "after scan:; got 'nan'"),
        (2350, "exposure: must be flat:SECONDS, .*; got '2350'"),
        ("no.fits", r"no\.fits: must be an existing FITS file; no such file"),
    ],
)
def test_exposures(refused, exposure, rule):
    refused(rule, exposure=exposure)


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        ("modell", "must be model, a number in cm.-2 or a HEALPix map"),
        ("-1e20", "must be model, a number"),
        ("nan", "must be model, a number"),
        (20.5, r"column: must be 0 or 1e.17 to 1e.24 cm.-2; got '20\.5'\. Give no logarithm"),
        (1e30, "must be 0 or 1e.17 to 1e.24"),
        ("no.fits", r"no\.fits: must be an existing FITS file"),
    ],
)
def test_columns(refused, column, rule):
    refused(rule, column=column)


WHOLE = np.full(12 * 8**2, 300.0)


@pytest.mark.parametrize(
    ("cards", "rule"),
    [
        ({"ORDERING": None}, "must say with the keyword ORDERING"),
        ({"ORDERING": "SPIRAL"}, "ORDERING must be RING or NESTED; got 'SPIRAL'"),
        ({"COORDSYS": None}, "COORDSYS must be C, G or E; got no such keyword"),
        ({"COORDSYS": "X"}, "COORDSYS must be C, G or E; got 'X'"),
        ({"NSIDE": 100}, "NSIDE.* power of two"),
        ({"NSIDE": 16}, r"must hold 3072 pixels, 12 nside\^2 for nside 16; got 768"),
    ],
)
def test_headers_of_maps(refused, place, cards, rule):
    write_sky_map(place / "t.fits", WHOLE, **cards)
    refused(rf"t\.fits: .*{rule}|{rule}", exposure="t.fits")


def test_values_of_maps(refused, place):
    here = pixel_of(8, np.array([45.0]), np.array([0.6]))
    unknown = WHOLE.copy()
    unknown[here] = healpy.UNSEEN
    write_sky_map(place / "t.fits", unknown)
    nowhere = r"exposure: must be above 0 somewhere in the footprint cone:.* a map that overlaps it"
    refused(nowhere, exposure="t.fits")
    write_sky_map(place / "nh.fits", np.where(unknown > 0.0, 3e20, unknown))
    refused("column: must be known all over the footprint; the map VALUE has", column="nh.fits")
    write_sky_map(place / "t.fits", [500.0], here + 100, NSIDE=8)
    refused(nowhere, exposure="t.fits")
    write_sky_map(place / "t.fits", -WHOLE)
    refused(r"t\.fits: exposures: must lie between 0 and 1e\+09 s; got -300", exposure="t.fits")
    write_sky_map(place / "t.fits", WHOLE * 0.0 + 20.5)
    refused(r"t\.fits: columns of hydrogen: must lie between 1e\+17 and 1e\+24", column="t.fits")
    (place / "t.fits").write_bytes((place / "t.fits").read_bytes()[:-4000])
    refused(r"t\.fits: must be a whole FITS file", exposure="t.fits")
    (place / "t.fits").write_text("no map")
    refused(r"t\.fits", column="t.fits")


def test_other_settings(refused, place):
    refused(r"tiles: must be healpix:NSIDE or erass; got 'sdss'", tiles="sdss")
    refused(r"tiles: nside must be one of 8, 16, 32, 64, 128; got 3", tiles="healpix:3")
    refused(r"population: must be one of erosita, magneticum, shifted or a YAML", population="x")
    refused(r"no\.yaml: cannot be read", population="no.yaml")
    refused(r"instrument: must be one of epic_pn_like, erosita or the path", instrument="hubble")
    refused(r"instrument: must have a mode 'survey'; epic_pn_like has", instrument="epic_pn_like")
    refused(r"no\.toml: must be an existing TOML file", instrument="no.toml")
    refused(r"agn flux limit: must be at least 1e-16", agn_flux_limit=1e-18)
    refused(r"no\.hdf5: must be a file, folder or pattern; nothing is there", snapshot="no.hdf5")
    (place / "bad.hdf5").write_text("no snapshot")
    refused(r"bad\.hdf5", snapshot="bad.hdf5")


def cone(place: Path, **columns: list[float]) -> str:
    good = {"ra": [45.0, 45.1], "dec": [0.6, 0.5], "redshift": [0.2, 0.3], "m500c": [3e14, 2e14]}
    kept = {name: values for name, values in (good | columns).items() if values}
    Table(kept).write(place / "mine.ecsv", overwrite=True)
    return "mine.ecsv"


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"m500c": [], "dec": []}, "must have the columns dec, m500c or m200c; it has"),
        ({"m500c": [14.5, 14.3]}, "m500c: must be masses of haloes in Msun; got 14.4 .* log10"),
        ({"m500c": [3e14, -1.0]}, r"m500c: must be above 0; 1 of 2 are not"),
        ({"redshift": [0.2, np.nan]}, "redshift: must be finite"),
        ({"redshift": [0.2, -9.0]}, "redshift: must lie between 0 and 10"),
        ({"dec": [0.6, 95.0]}, "dec: must lie between -90 and 90"),
        ({"dec": [50.0, 60.0]}, "must hold haloes in the footprint; none of 2 lies there"),
        ({"id": [7, 7]}, "halo_id: must name one halo each; 7 is there 2 times"),
    ],
)
def test_light_cones(refused, place, columns, rule):
    refused(rf"mine\.ecsv: {rule}", lightcone=cone(place, **columns))


def test_light_cones_that_are_none(refused, place):
    refused(r"no\.fits: must be a table of haloes", lightcone="no.fits")
    (place / "mine.fits").write_bytes(b"no table")
    refused(r"mine\.fits", lightcone="mine.fits")
    refused(r"", lightcone=".")


def test_places_that_cannot_be_written(run, refused, place, monkeypatch):
    write_config(place / "job.yaml")
    words = ("survey", "-c", "job.yaml", "--workers", 1, "-o")
    (place / "file").write_text("x")
    (place / "other").mkdir()
    (place / "other" / "notes.txt").write_text("x")
    (place / "half").mkdir()
    (place / "half" / "tiles").write_text("no directory")
    before = sorted(place.rglob("*"))
    for target, rule in (
        ("no/s", r"no/s: its folder does not exist; create it"),
        ("file", r"file: must be a directory; got a file"),
        ("file/s", r"file/s: its folder cannot be; /.*/file is a file\. Choose another name"),
        ("other", r"other: must be new, empty or a survey; it holds 'notes\.txt'"),
        ("half", r"half: cannot be written: File exists"),
        ("/proc/s", r"/proc/s: its folder is gone, or takes no directory; write elsewhere"),
        ("x" * 300, r"cannot be written; the name is too long"),
    ):
        status, out, err = run(*words, target)
        assert (status, out, err.count("\n")) == (2, "", 1), err
        assert re.search(rule, err), err
    monkeypatch.setattr("os.access", lambda path, mode, **_: not mode & os.W_OK)
    refused("s: cannot be written; permission is denied")
    assert sorted(place.rglob("*")) == before


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Path:
    """A survey of one pixel in a folder with its configuration and population; read only."""
    folder = tmp_path_factory.mktemp("begun")
    (folder / "mine.yaml").write_text("base: erosita\n")
    other = {"footprint": "cone:45,0.597,0.0001", "population": "mine.yaml", "detect": False}
    write_config(folder / "job.yaml", **other)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("icmass.simulate.survey.summary.draw_pictures", lambda *words: [])
        printed("survey", "-c", "job.yaml", "-o", "s", "--workers", 1)
    assert (folder / "s" / "summary.json").is_file()
    return folder


@pytest.fixture
def again(run, begun, tmp_path, monkeypatch):
    """Go on with a copy of that survey, which must be refused."""
    shutil.copytree(begun, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")

    def again(match: str, *options: object) -> None:
        plan._open.cache_clear()  # as in another process
        before = {path: path.read_bytes() for path in Path("s").rglob("*.*") if path.is_file()}
        status, out, err = run("survey", "-c", "job.yaml", "-o", "s", "--workers", 1, *options)
        assert (status, out, err.count("\n")) == (2, "", 1), err
        assert re.search(match, err), err
        assert all(path.read_bytes() == there for path, there in before.items())

    return again


def test_another_configuration(again):
    another = r"s: holds a survey of another configuration: "
    again(another + r"seed is 15 there and 16 now", "--seed", 16)
    again(another + r"exposure is flat:1600 there and scan:1 now", "--exposure", "scan:1")
    again(another + r"preset is None there and efeds now", "--preset", "efeds")
    again(another + r"agn is True there and False now", "--no-agn")
    Path("mine.yaml").write_text("base: erosita\nhaloes: {h: 0.7}\n")
    again(r"s: holds a survey of another population: haloes\.h is 0\.\d+ there and 0\.7 now")


def test_damaged_surveys(again):
    tile = next(Path("s/tiles").iterdir())
    kept = {name: (tile / name).read_bytes() for name in ("haloes.fits", "counts.fits")}
    damaged = rf"tile '{tile.name}' is damaged: .* Remove tiles/{tile.name}; it is then made again"
    (tile / "haloes.fits").unlink()
    again(damaged)
    (tile / "haloes.fits").write_bytes(kept["haloes.fits"])
    (tile / "counts.fits").write_bytes(kept["counts.fits"][:3000])
    again(damaged)
    (tile / "counts.fits").write_bytes(kept["counts.fits"])
    record = json.loads((tile / "tile.json").read_text())
    (tile / "tile.json").write_text(json.dumps(record | {"fingerprint": "other"}))
    again(rf"holds a tile of another survey, 'tiles/{tile.name}'\. Remove it")
    (tile / "tile.json").write_text(json.dumps(record))
    Path("s/tiles/notes").mkdir()
    again(r"holds a tile of another survey, 'tiles/notes'")
    Path("s/tiles/notes").rmdir()
    for name in ("exposure.fits", "column.fits", "lightcone.h5", "halo_light.fits", "survey.json"):
        whole = Path("s", name).read_bytes()
        Path("s", name).write_bytes(whole[: len(whole) // 3])
        again(rf"{re.escape(name)}: (is (missing or )?damaged|must be)")
        Path("s", name).write_bytes(whole)
    values = json.loads(Path("s/survey.json").read_text())
    said = values["provenance"] | {"more": 1}
    Path("s/survey.json").write_text(json.dumps(values | {"provenance": said}))
    again(r"survey\.json: must have the checksum")
    del values["checksum"]  # as a program would write that means to
    for part in ([], {}, {"config": 3, "versions": []}):
        Path("s/survey.json").write_text(json.dumps(values | {"provenance": part}))
        again(r"survey\.json: (is damaged|must hold 'icmass survey')|another configuration")


def test_another_run_that_was_faster(run, begun, place, monkeypatch):
    """A plan that appears while this one is made is not written over."""

    def make_plan(config, directory):
        made = plan.make_plan(config, directory)
        shutil.copytree(begun / "s", directory)
        return made

    monkeypatch.setattr("icmass.simulate.survey.driver.make_plan", make_plan)
    write_config(place / "job.yaml", footprint="cone:45,0.597,0.0001")
    status, _, err = run("survey", "-c", "job.yaml", "-o", "s", "--workers", 1)
    assert status == 2
    assert "s: holds a survey of another configuration" in err
    there = (place / "s" / "survey.json").read_bytes()
    assert there == (begun / "s" / "survey.json").read_bytes()
