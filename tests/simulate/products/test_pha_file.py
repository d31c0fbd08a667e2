"""OGIP spectra: header, scaling to the background, area off axis."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from icmass.simulate.events import Events
from icmass.simulate.products.pha_file import (
    SpectrumFiles,
    default_regions,
    region_response,
    write_pha,
)
from icmass.simulate.products.regions import Annulus, Circle, area_arcmin2
from tests.simulate.products.scene import observation_of


def test_counts_of_source_and_background(written, survey_observation):
    source, background = default_regions(survey_observation)
    for name, region in (("source", source), ("background", background)):
        data = fits.getdata(written / f"{name}.pha", "SPECTRUM")
        events = survey_observation.events
        inside = region.contains(events.east_arcsec, events.north_arcsec)
        assert data["COUNTS"].sum() == inside.sum() > 100
        assert np.array_equal(data["COUNTS"], survey_observation.spectrum(region).counts)


def test_header_is_ogip_and_agrees_with_the_matrix(written, survey_observation):
    header = fits.getheader(written / "source.pha", "SPECTRUM")
    matrix = fits.getheader(written / "response.rmf", 1)
    bounds = fits.getdata(written / "response.rmf", "EBOUNDS")
    expected = {
        "HDUCLASS": "OGIP",
        "HDUCLAS1": "SPECTRUM",
        "HDUCLAS2": "TOTAL",
        "HDUCLAS3": "COUNT",
        "CHANTYPE": matrix["CHANTYPE"],
        "DETCHANS": matrix["DETCHANS"],
        "TELESCOP": matrix["TELESCOP"],
        "INSTRUME": matrix["INSTRUME"],
        "RESPFILE": "response.rmf",
        "ANCRFILE": "source.arf",
        "BACKFILE": "background.pha",
        "EXPOSURE": 2000.0,
        "AREASCAL": 1.0,
        "POISSERR": True,
        "REGION": "circle(0,0,180)",
    }
    assert {key: header[key] for key in expected} == expected
    channel = fits.getdata(written / "source.pha", "SPECTRUM")["CHANNEL"]
    assert np.array_equal(channel, bounds["CHANNEL"])
    assert header["TLMIN1"] == channel[0] == matrix["TLMIN4"]
    assert header["TLMAX1"] == channel[-1]
    assert fits.getheader(written / "background.pha", "SPECTRUM")["HDUCLAS2"] == "BKG"
    for name in (header["RESPFILE"], header["ANCRFILE"], header["BACKFILE"]):
        assert (written / name).is_file()


def test_backscal_is_the_solid_angle(written, survey_observation):
    scales = {
        name: fits.getheader(written / f"{name}.pha", "SPECTRUM")["BACKSCAL"]
        for name in ("source", "background")
    }
    assert scales["source"] == pytest.approx(np.pi * 180**2 / 3600**2)
    assert scales["background"] == pytest.approx(np.pi * (360**2 - 225**2) / 3600**2)


@pytest.mark.parametrize(
    ("r500c_arcsec", "circle", "ring"),
    [
        (180.0, Circle(180.0), Annulus(225.0, 360.0)),
        (None, Circle(300.0), Annulus(375.0, 600.0)),
        (2000.0, Circle(360.0), Annulus(450.0, 600.0)),
    ],
)
def test_default_regions_stay_in_the_field(instrument, southern_view, r500c_arcsec, circle, ring):
    observation = observation_of(Events.empty(), southern_view, instrument)
    halo = replace(observation.gas_info.halo, r500c_kpc=3.0 * (r500c_arcsec or np.nan))
    observation = replace(observation, gas_info=replace(observation.gas_info, halo=halo))
    assert default_regions(observation) == (circle, ring)
    assert area_arcmin2(ring, southern_view) == ring.full_area_arcmin2


def test_default_regions_without_a_halo(instrument, southern_view):
    observation = observation_of(Events.empty(), southern_view, instrument)
    observation = replace(observation, gas_info=replace(observation.gas_info, halo=None))
    assert default_regions(observation)[0] == Circle(300.0)


def test_survey_response_is_the_same_everywhere(survey_observation):
    assert region_response(survey_observation, Circle(50.0)) is survey_observation.response


def test_pointed_response_loses_area_off_axis(pointed_observation, instrument):
    """Of a uniform disc the loss is the mean of the vignetting over it."""
    rng = np.random.default_rng(3)
    view = replace(pointed_observation.view, width_arcsec=3600.0)
    radius = 1700.0 * np.sqrt(rng.random(300_000))
    # Detected photons: the uniform light times the vignetting where it falls, at 1 keV.
    kept = rng.random(300_000) < instrument.vignetting.factor(1.0, radius / 60.0)[:, 0]
    angle = rng.uniform(0, 2 * np.pi, kept.sum())
    events = Events.empty(int(kept.sum()))
    events.east_arcsec[:] = radius[kept] * np.cos(angle)
    events.north_arcsec[:] = radius[kept] * np.sin(angle)
    observation = observation_of(events, view, instrument)
    area = region_response(observation, Circle(1700.0)).area_cm2
    energy = observation.response.redistribution.energy_kev
    expected = instrument.vignetting.field_mean(energy, 1700.0 / 60.0)
    assert area / observation.response.area_cm2 == pytest.approx(expected, rel=0.01)
    assert (expected < 0.8).all()


def test_pointed_response_of_a_dark_region_is_that_of_the_axis(instrument, pointed_observation):
    observation = observation_of(Events.empty(), pointed_observation.view, instrument)
    area = region_response(observation, Circle(100.0)).area_cm2
    assert area == pytest.approx(observation.response.area_cm2, rel=0.05)


def test_spectrum_of_nothing_is_valid(instrument, southern_view, tmp_path):
    observation = observation_of(Events.empty(), southern_view, instrument)
    write_pha(observation, observation.spectrum(), tmp_path / "s.pha", SpectrumFiles())
    with fits.open(tmp_path / "s.pha") as hdus:
        hdus.verify("exception")
        header, data = hdus["SPECTRUM"].header, hdus["SPECTRUM"].data
    assert not data["COUNTS"].any()
    assert header["REGION"] == "field"
    assert header["RESPFILE"] == header["ANCRFILE"] == header["BACKFILE"] == "NONE"
    assert header["BACKSCAL"] == pytest.approx(400.0 / 3600)
