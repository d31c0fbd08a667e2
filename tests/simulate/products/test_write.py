"""The product directory: complete, reproducible, never half there."""

import hashlib
import json
from dataclasses import replace

import pytest
from astropy.io import fits
from astropy.table import Table

from icmass.errors import OutputError
from icmass.simulate.events import Events
from icmass.simulate.products import write
from icmass.simulate.products.scalars import photon_scalars
from icmass.simulate.view import View
from tests.simulate.products.scene import observation_of, synthetic_events

FILES = {
    "background.arf",
    "background.pha",
    "background_map.fits",
    "events.fits",
    "exposure_map.fits",
    "image_all.fits",
    "image_hard.fits",
    "image_medium.fits",
    "image_soft.fits",
    "manifest.json",
    "profiles.fits",
    "quicklook.png",
    "response.arf",
    "response.rmf",
    "scalars.json",
    "source.arf",
    "source.pha",
}


@pytest.fixture
def no_figure(monkeypatch):
    """The figure takes a second to draw and is not what these tests look at."""
    monkeypatch.setattr(write, "write_quicklook", lambda _, path: path.write_bytes(b"figure"))


@pytest.fixture
def small(survey_observation, no_figure):
    return replace(survey_observation, components=(), events=Events.empty())


def digests(directory):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in directory.iterdir()}


def test_every_product_is_there_and_valid(written):
    assert {path.name for path in written.iterdir()} == FILES
    for path in written.iterdir():
        if path.suffix not in (".json", ".png"):
            with fits.open(path) as hdus:
                hdus.verify("exception")
                assert not any(k.startswith("DATE") for hdu in hdus for k in hdu.header)


def test_writing_twice_gives_the_same_bytes(survey_observation, written, tmp_path):
    again = survey_observation.write(tmp_path / "again")
    assert digests(again) == digests(written)


def test_another_seed_is_seen_in_the_bytes(small, tmp_path):
    one = small.write(tmp_path / "one")
    other = replace(small, seed=8).write(tmp_path / "other")
    assert digests(other)["events.fits"] != digests(one)["events.fits"]


def test_an_existing_directory_is_refused_unless_told(small, tmp_path):
    small.write(tmp_path / "out")
    before = digests(tmp_path / "out")
    with pytest.raises(OutputError, match="already exists"):
        small.write(tmp_path / "out")
    assert digests(tmp_path / "out") == before
    replace(small, seed=99).write(tmp_path / "out", overwrite=True)
    assert digests(tmp_path / "out") != before


def test_a_failure_half_way_leaves_nothing(small, tmp_path):
    broken = replace(small, measure=lambda: {"cannot": {1, 2}})
    with pytest.raises(TypeError):
        broken.write(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_scalars_hold_what_was_measured_and_what_was_asked(small, tmp_path):
    small = replace(small, measure=lambda: {"inside_r500c": None})
    content = json.loads((small.write(tmp_path / "out") / "scalars.json").read_text())
    assert content["n_phot"] == photon_scalars(small.events)["n_phot"]
    assert content["inside_r500c"] is None
    assert content["seed"] == 7
    assert content["config"]["sky"]["slope"] == 1.9
    assert content["versions"]["icmass"]
    assert content["gas"]["source"] == "test cluster"
    assert content["exposure_s"] == 2000.0


def test_sources_are_written_with_their_units(small, tmp_path):
    sources = Table({"SRC_ID": [1, 2], "RA": [359.9, 0.1], "FLUX": [1e-14, 2e-14]})
    sources["RA"].unit = "deg"
    small = replace(small, sources=sources)
    with fits.open(small.write(tmp_path / "out") / "sources.fits") as hdus:
        hdus.verify("exception")
        assert hdus["SOURCES"].data["SRC_ID"].tolist() == [1, 2]
        assert hdus["SOURCES"].columns["RA"].unit == "deg"
        assert hdus["SOURCES"].header["SEED"] == 7


def test_profiles_hold_bands_and_origins(written, survey_observation):
    with fits.open(written / "profiles.fits") as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["SOFT", "MEDIUM", "HARD", "ALL"]
        data = hdus["SOFT"].data
        parts = data["COUNTS_ICM"] + data["COUNTS_AGN"] + data["COUNTS_BACKGROUND"]
        assert (parts == data["COUNTS"]).all()
        assert data["COUNTS"].sum() > 1000
        profile = survey_observation.profile("soft")
        assert (data["BRIGHTNESS"] == profile.brightness).all()
        assert (data["R_OUT"] == profile.edges_arcsec[1:]).all()
        assert hdus["SOFT"].header["E_MAX"] == 1.2


@pytest.mark.parametrize(
    ("count", "mode"), [(0, "survey"), (0, "pointed"), (1, "pointed"), (2, "survey")]
)
def test_few_events_make_all_products(count, mode, instrument, tmp_path):
    events = Events.empty()
    if count:
        events = synthetic_events([30.0, -10.0][:count], [5.0, 9.0][:count], instrument=instrument)
    view = View(0.01, 89.0, mode, 300.0)
    directory = observation_of(events, view, instrument).write(tmp_path / "out")
    assert {path.name for path in directory.iterdir()} == FILES
    assert fits.getdata(directory / "image_soft.fits").sum() == count
    assert fits.getdata(directory / "source.pha", "SPECTRUM")["COUNTS"].sum() == count
