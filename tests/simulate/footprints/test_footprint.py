"""A footprint is a set of pixels: its area, points, cells and shares are exact."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.footprints import Footprint, cone, from_moc, whole_sky
from icmass.simulate.skymaps import (
    CELL_NSIDE,
    SKY_NSIDE,
    centres,
    pixel_of,
    separation_deg,
    uniform_positions,
)

SKY_DEG2 = 4.0 * np.pi * np.degrees(1.0) ** 2


@pytest.fixture(scope="module")
def field() -> Footprint:
    return cone(359.0, 40.0, 4.0)


def test_pixels_are_kept_once_ascending_and_read_only():
    footprint = Footprint(np.array([7, 3, 7, 11], dtype=np.int32), "four")
    assert footprint.pixel.tolist() == [3, 7, 11]
    assert footprint.pixel.dtype == np.int64
    assert len(footprint) == 3
    assert "four" in repr(footprint)
    with pytest.raises(ValueError, match="read-only"):
        footprint.pixel[0] = 1


@pytest.mark.parametrize(
    ("pixel", "message"),
    [
        ([], "must hold the centre of a sky pixel"),
        ([0.5], "pixels of footprint wrong: must be whole numbers; got float64"),
        ([-1], "must lie between 0 and 3145727 at nside 512; got -1"),
        ([3145728], "got 3145728. Check the nside"),
    ],
)
def test_wrong_pixels_are_refused(pixel, message):
    with pytest.raises(InputError, match=message):
        Footprint(np.array(pixel), "wrong")


def test_area_is_that_of_its_pixels():
    assert whole_sky().area_deg2 == pytest.approx(SKY_DEG2, rel=1e-12)
    assert Footprint(np.arange(1000), "x").area_deg2 == pytest.approx(
        1000 * SKY_DEG2 / (12 * SKY_NSIDE**2), rel=1e-12
    )


def test_points_drawn_in_its_pixels_are_inside_and_others_are_not(field):
    rng = np.random.default_rng(3)
    ra, dec = uniform_positions(SKY_NSIDE, np.repeat(field.pixel, 20), rng)
    assert field.contains(ra, dec).all()
    ra, dec = rng.uniform(0, 360, 100_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 100_000)))
    expected = np.isin(pixel_of(SKY_NSIDE, ra, dec), field.pixel)
    assert np.array_equal(field.contains(ra, dec), expected)
    assert 0 < expected.sum() < len(ra)


def test_cells_hold_all_of_it_and_none_is_empty(field):
    rng = np.random.default_rng(4)
    cells = field.cells()
    assert (np.diff(cells) > 0).all()
    ra, dec = uniform_positions(SKY_NSIDE, np.repeat(field.pixel, 5), rng)
    found = np.unique(pixel_of(CELL_NSIDE, ra, dec))
    assert np.array_equal(found, cells)


def test_intersection_is_what_lies_in_both(field):
    other = cone(3.0, 41.0, 4.0)
    both = field & other
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(-6.0, 10.0, 50_000), rng.uniform(35.0, 46.0, 50_000)
    expected = field.contains(ra, dec) & other.contains(ra, dec)
    assert expected.any()
    assert np.array_equal(both.contains(ra, dec), expected)
    with pytest.raises(InputError, match="regions that overlap"):
        field & cone(180.0, -40.0, 4.0)


def test_centre_of_a_field_across_ra_zero(field):
    ra, dec = field.centre()
    assert float(separation_deg(ra, dec, 359.0, 40.0)) < 0.02
    assert 0.0 <= ra < 360.0


def test_centre_of_the_whole_sky_is_a_place_in_it():
    sky = whole_sky()
    ra, dec = sky.centre()
    assert pixel_of(SKY_NSIDE, [ra], [dec])[0] == sky.pixel[0]


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
def test_a_share_has_its_area_lies_in_the_middle_and_inside_larger_ones(field, share):
    part = field.fraction(share)
    assert abs(len(part) - share * len(field)) <= 1
    assert np.isin(part.pixel, field.fraction(min(1.0, 1.3 * share)).pixel).all()
    distance = separation_deg(*field.centre(), *centres(SKY_NSIDE, part.pixel))
    assert distance.max() == pytest.approx(4.0 * np.sqrt(share), abs=0.12)


def test_shares_at_the_ends(field):
    assert field.fraction(1.0) is field
    assert len(field.fraction(1e-9)) == 1
    for share in (0.0, -0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="fraction: must be above 0 and at most 1"):
            field.fraction(share)


def test_moc_and_back(field, tmp_path):
    moc = field.moc()
    assert moc.sky_fraction * SKY_DEG2 == pytest.approx(field.area_deg2, rel=1e-12)
    field.write(tmp_path / "field.fits")
    field.write(tmp_path / "again.fits")
    assert (tmp_path / "field.fits").read_bytes() == (tmp_path / "again.fits").read_bytes()
    assert from_moc(tmp_path / "field.fits").fingerprint() == field.fingerprint()


def test_fingerprint_tells_pixels_and_not_names(field):
    assert Footprint(field.pixel, "other").fingerprint() == field.fingerprint()
    assert Footprint(field.pixel[1:], field.name).fingerprint() != field.fingerprint()
