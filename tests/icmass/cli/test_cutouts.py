"""`icmass cutouts`: what it makes, prints and refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from astropy.table import Table

from icmass.catalog import Catalog
from icmass.cli.cutouts import bands_by_name, cutouts, pairs
from icmass.errors import InputError
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


def run(*arguments: object) -> int:
    """Run the command alone; return its status."""
    app = typer.Typer()
    app.command()(cutouts)
    return app([str(word) for word in arguments], standalone_mode=False) or 0


def options(field, output, *others):
    return (
        *(field / "em01_EventList.fits", "--positions", field / "clusters.fits", "-o", output),
        *("--width-arcmin", 16, "--pixels", 8, "--workers", 1, "--unit", "m500c=1e13 Msun"),
        *others,
    )


def test_makes_a_catalog_of_a_real_list(field, tmp_path, capsys):
    others = ("--exposure-map", field / "exposure.fits", "--column", "redshift=Z_MINE")
    assert (
        run(*options(field, tmp_path / "c", *others, "--band", "soft=0.5-2.0", "--nh", 3e20)) == 0
    )
    printed = capsys.readouterr()
    assert "1 of 3 positions lie outside the events, or were not exposed: left out" in printed.err
    assert f"{tmp_path / 'c'}: 2 clusters in 1 shards (2 made)" in printed.out
    catalog = Catalog.open(tmp_path / "c")
    catalog.validate()
    assert catalog.spec.band_names == ("soft",)
    assert catalog.spec.geometry.pixel == 120.0
    np.testing.assert_allclose(sorted(catalog.column("m500c_msun")), [8e13, 2.5e14])
    assert (catalog.exposure_maps() == 150.0).all()
    assert catalog.spec.provenance["config"]["columns"] == {"redshift": "Z_MINE"}


def test_says_it_as_json_and_tells_failures_by_its_status(field, tmp_path, capsys):
    words = [str(word) for word in options(field, tmp_path / "c", "--json")]
    cut = words.index("--width-arcmin")
    words[cut : cut + 2] = ["--width-kpc", "2000"]
    assert run(*words, "--column", "redshift=Z_MINE") == 3
    values = json.loads(capsys.readouterr().out)
    assert (values["clusters"], values["positions"], values["outside"]) == (1, 3, 1)
    assert "redshift: must be known" in values["failed"][0]["reason"]


def test_a_configuration_file_gives_the_rest(field, tmp_path):
    (tmp_path / "job.yaml").write_text("bad_flags: '0xC0000000'\nh: 0.7\nrows_per_shard: 1\n")
    assert run(*options(field, tmp_path / "c", "-c", tmp_path / "job.yaml")) == 0
    catalog = Catalog.open(tmp_path / "c")
    assert catalog.spec.provenance["config"]["bad_flags"] == 0xC0000000
    assert len(catalog.shards) == 2


@pytest.mark.parametrize(
    ("others", "rule"),
    [
        (("--width-kpc", 500), "width_arcmin: must not stand beside width_kpc"),
        (("--exposure", 10, "--on-axis-map", "a.fits"), "exposure_s: must not stand beside"),
        (("--nh", 0, "--nh-map", "a.fits"), "nh_cm2: must not stand beside nh_map"),
        (("--bad-flags", "many"), "--bad-flags: must be a whole number, such as 0xE00FFF30"),
        (("--patterns", 16), "--patterns: must be less than or equal to 15; got 16"),
        (("--vignetted-fraction", 2), "--vignetted-fraction: must be less than or equal to 1"),
        (("--column", "redshift"), "--column: must be KEY=NAME, such as redshift=Z_LAMBDA"),
        (("--unit", "=kpc"), "--unit: must be KEY=UNIT, such as m500c='1e13 Msun'; got '=kpc'"),
        (("--band", "soft=0.5"), "--band: must be NAME=LO-HI in keV, .*; got 'soft=0.5'"),
        (("--band", "soft=2-1"), "band 'soft': must have 0 <= lo < hi in keV"),
    ],
)
def test_wrong_options(field, tmp_path, others, rule):
    with pytest.raises(InputError, match=rule) as error:
        run(*options(field, tmp_path / "c", *others))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "c").exists()


def test_nothing_given():
    with pytest.raises(InputError, match=r"events: must be given\. Event files"):
        run()


def test_words_of_options():
    assert pairs(None, "--column", "") is None
    assert pairs(["m500c=", "ra = RA_X"], "--column", "") == {"m500c": "", "ra": "RA_X"}
    assert bands_by_name(["a=0.2-2.3", "b=2.3-5"]) == {"a": ["0.2", "2.3"], "b": ["2.3", "5"]}
    assert bands_by_name(None) is None
