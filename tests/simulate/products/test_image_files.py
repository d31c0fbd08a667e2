"""Image files: counts by origin, exposure and expected background, with the right sky."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from icmass.simulate.origin import Origin
from icmass.simulate.products.bands import BANDS
from icmass.simulate.products.image_files import (
    exposure_map,
    write_background_map,
    write_exposure_map,
)
from tests.helpers.stats import assert_poisson


def test_image_file_holds_the_counts_by_origin(written, survey_observation):
    for band in (*BANDS, "all"):
        with fits.open(written / f"image_{band}.fits") as hdus:
            hdus.verify("exception")
            assert np.array_equal(hdus[0].data, survey_observation.image(band).data)
            for origin in Origin:
                expected = survey_observation.image(band, origin).data
                assert np.array_equal(hdus[origin.name].data, expected)
            assert np.array_equal(sum(hdus[o.name].data for o in Origin), hdus[0].data)


def test_image_header_states_band_and_sky(written, survey_observation):
    header = fits.getheader(written / "image_medium.fits")
    assert (header["E_MIN"], header["E_MAX"], header["BUNIT"]) == (1.2, 2.0, "count")
    assert header["RADESYS"] == "ICRS"
    assert "MJDREF" not in header
    assert "E_MIN" not in fits.getheader(written / "image_all.fits")
    # The brightest source, far from the centre, must lie where its events do.
    events = survey_observation.events
    ids = np.bincount(events.source_id[events.source_id > 0])
    source = events.select(events.source_id == ids.argmax())
    ra, dec = source.ra_dec(survey_observation.view)
    x, y = WCS(header).world_to_pixel_values(ra, dec)
    image = survey_observation.image("all").data
    with_source = image[np.rint(y).astype(int), np.rint(x).astype(int)]
    assert (with_source > 0).all()
    mirrored = image[np.rint(y).astype(int), image.shape[1] - 1 - np.rint(x).astype(int)]
    assert (mirrored > 0).mean() < 0.6


def test_unvignetted_exposure_is_flat_inside_the_field(written, survey_observation):
    with fits.open(written / "exposure_map.fits") as hdus:
        hdus.verify("exception")
        assert np.unique(hdus[0].data).tolist() == [2000.0]
        assert hdus[0].header["BUNIT"] == "s"
        assert hdus[0].header["VIGNET"] is False
        for name, (lo, hi) in BANDS.items():
            header = hdus[name.upper()].header
            assert header["E_VIGN"] == pytest.approx(np.sqrt(lo * hi))
            assert header["VIGNET"] is True


def test_survey_vignetting_is_the_ratio_of_survey_to_axis(survey_observation, instrument):
    grid = survey_observation.grid(60.0)
    on_axis, survey = instrument.response("pointed"), instrument.response("survey")
    energy = on_axis.redistribution.energy_kev
    for energy_kev in (1.0, 1.5):
        ratio = np.interp(energy_kev, energy, survey.area_cm2 / on_axis.area_cm2)
        relative = exposure_map(survey_observation, grid, energy_kev) / 2000.0
        assert np.unique(relative).size == 1
        assert relative[0, 0] == pytest.approx(ratio, rel=0.05)
        assert relative[0, 0] != pytest.approx(1.0, rel=0.05)


def test_pointed_exposure_falls_off_axis(pointed_observation, instrument):
    grid = pointed_observation.grid(60.0)
    flat = exposure_map(pointed_observation, grid)
    soft, hard = (exposure_map(pointed_observation, grid, e) for e in (1.0, 6.0))
    assert flat[0, 0] == soft[0, 0] == 0.0
    assert flat[10, 10] == 2000.0
    assert (hard[flat > 0] < soft[flat > 0]).all()
    east, north = grid.centres_arcsec()
    theta = np.hypot(east[3], north[12]) / 60.0
    expected = 2000.0 * instrument.vignetting.factor(1.0, theta)[0, 0]
    assert soft[12, 3] == pytest.approx(expected)
    assert soft[3, 12] == pytest.approx(expected, rel=0.05)


def test_pointed_map_file_is_zero_outside_the_circle(pointed_observation, tmp_path):
    write_exposure_map(pointed_observation, tmp_path / "map.fits")
    with fits.open(tmp_path / "map.fits") as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["SOFT", "MEDIUM", "HARD"]
        assert all(hdu.data[0, 0] == 0 and hdu.data[150, 150] > 0 for hdu in hdus)


def test_background_map_predicts_the_background_counts(written, survey_observation):
    with fits.open(written / "background_map.fits") as hdus:
        hdus.verify("exception")
        for band in (*BANDS, "all"):
            drawn = survey_observation.image(band, Origin.BACKGROUND).data.sum()
            expected = float(hdus[band.upper()].data.sum(dtype=float))
            assert_poisson(int(drawn), expected, bias=0.3)
            with pytest.raises(AssertionError):
                assert_poisson(int(drawn), 1.3 * expected, bias=0.3)


def test_background_map_without_a_background_is_zero(survey_observation, tmp_path):
    from dataclasses import replace

    write_background_map(replace(survey_observation, components=()), tmp_path / "map.fits")
    with fits.open(tmp_path / "map.fits") as hdus:
        assert not any(hdu.data.any() for hdu in hdus[1:])
