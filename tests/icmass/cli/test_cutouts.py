"""`icmass cutouts`: what it makes, prints and refuses."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from icmass.catalog import Catalog
from icmass.cli.cutouts import bands_by_name
from icmass.cli.options import pairs
from tests.simulate.cutouts.files import sky_photons, write_esass, write_image


@pytest.fixture(scope="module")
def field(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("field")
    write_esass(place / "em01_EventList.fits", sky_photons(8000))
    write_image(place / "exposure.fits", np.full((80, 90), 150.0))
    columns = {
        "RA": [150.0, 150.4, 30.0],
        "DEC": [-12.0, -11.9, 5.0],
        "Z_MINE": [0.2, -1.0, 0.3],
        "M500": [25.0, 8.0, 4.0],
    }
    Table(columns).write(place / "clusters.fits")
    return place


def options(field, output, *others):
    return (
        *(
            "cutouts",
            field / "em01_EventList.fits",
            "--positions",
            field / "clusters.fits",
            "-o",
            output,
        ),
        *("--width-arcmin", 16, "--pixels", 8, "--workers", 1, "--unit", "m500c=1e13 Msun"),
        *others,
    )


def test_makes_a_catalog_of_a_real_list(run, field, tmp_path):
    others = ("--exposure-map", field / "exposure.fits", "--column", "redshift=Z_MINE")
    words = options(field, tmp_path / "c", *others, "--band", "soft=0.5-2.0", "--nh", 3e20)
    status, out, err = run(*words)
    assert status == 0
    assert "1 of 3 positions lie outside the events, or were not exposed: left out" in err
    assert f"{tmp_path / 'c'}: 2 clusters in 1 shards (2 made)" in out
    catalog = Catalog.open(tmp_path / "c")
    catalog.validate()
    assert catalog.spec.band_names == ("soft",)
    assert catalog.spec.geometry.pixel == 120.0
    np.testing.assert_allclose(sorted(catalog.column("m500c_msun")), [8e13, 2.5e14])
    assert (catalog.exposure_maps() == 150.0).all()
    assert catalog.spec.provenance["config"]["columns"] == {"redshift": "Z_MINE"}


def test_says_it_as_json_and_tells_failures_by_its_status(run, field, tmp_path):
    words = [str(word) for word in options(field, tmp_path / "c", "--json")]
    cut = words.index("--width-arcmin")
    words[cut : cut + 2] = ["--width-kpc", "2000"]
    status, out, _ = run(*words, "--column", "redshift=Z_MINE")
    assert status == 3
    values = json.loads(out)
    assert (values["clusters"], values["positions"], values["outside"]) == (1, 3, 1)
    assert "redshift: must be known" in values["failed"][0]["reason"]


def test_a_configuration_file_gives_the_rest(run, field, tmp_path):
    (tmp_path / "job.yaml").write_text("bad_flags: '0xC0000000'\nh: 0.7\nrows_per_shard: 1\n")
    assert run(*options(field, tmp_path / "c", "-c", tmp_path / "job.yaml"))[0] == 0
    catalog = Catalog.open(tmp_path / "c")
    assert catalog.spec.provenance["config"]["bad_flags"] == 0xC0000000
    assert len(catalog.shards) == 2


@pytest.mark.parametrize(
    ("others", "rule"),
    [
        (("--width-kpc", 500), "width_arcmin: must not stand beside width_kpc"),
        (("--exposure", 10, "--on-axis-map", "a.fits"), "exposure_s: must not stand beside"),
        (("--nh", 1e99), r"nh: must be 0 or 1e\+16 to 1e\+26, in cm\^-2 .*; got 1e\+99"),
        (("--nh", 0, "--nh-map", "a.fits"), "nh_cm2: must not stand beside nh_map"),
        (("--bad-flags", "many"), "--bad-flags: must be a whole number, such as 0xE00FFF30"),
        (("--patterns", 16), "--patterns: must be less than or equal to 15; got 16"),
        (("--vignetted-fraction", 2), "--vignetted-fraction: must be less than or equal to 1"),
        (("--column", "redshift"), "--column: must be KEY=NAME, such as redshift=Z_LAMBDA"),
        (("--column", "ra=A", "--column", "ra = B"), "--column: must be given once .*; got 'ra'"),
        (("--unit", "redshift=kpc"), "units: redshift is a pure number; got 'kpc'. Leave it out"),
        (("--unit", "r500c=banana"), "units: r500c must have a unit such as 'kpc'; got 'banana'"),
        (("--band", "a=0.5-1", "--band", "a=1-2"), "--band: must be given once for .*'a' twice"),
        (("--pixels", 1000000), "--pixels: must be less than or equal to 5792; got 1000000"),
        (("--unit", "=kpc"), "--unit: must be KEY=UNIT, such as m500c='1e13 Msun'; got '=kpc'"),
        (("--band", "soft=0.5"), "--band: must be NAME=LO-HI in keV, .*; got 'soft=0.5'"),
        (("--band", "soft=2-1"), "band 'soft': must have 0 <= lo < hi in keV"),
    ],
)
def test_wrong_options(run, field, tmp_path, others, rule):
    status, out, err = run(*options(field, tmp_path / "c", *others))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert re.search(rule, err), err
    assert not (tmp_path / "c").exists()


def test_exposures_that_contradict_each_other(run, field, tmp_path):
    words = ("--exposure-map", field / "exposure.fits", "--exposure")
    status, out, err = run(*options(field, tmp_path / "c", *words, 10))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert re.search(r"on axis must be at least .*; got 10 s and 150 s at RA .*Leave one", err)
    assert not (tmp_path / "c").exists()
    status, _, _ = run(*options(field, tmp_path / "c", *words, 300))
    assert status == 0


def test_nothing_given(run):
    status, _, err = run("cutouts")
    assert status == 2
    assert err.startswith("events: must be given. Event files")


def test_words_of_options():
    assert pairs(None, "--column", "") is None
    words = ["m500c=", "ra = RA_X"]
    assert pairs(words, "--column", "", may_be_empty=True) == {"m500c": "", "ra": "RA_X"}
    assert bands_by_name(["a=0.2-2.3", "b=2.3-5"]) == {"a": ["0.2", "2.3"], "b": ["2.3", "5"]}
    assert bands_by_name(None) is None
