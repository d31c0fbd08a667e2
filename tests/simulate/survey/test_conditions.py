"""What exposure and column a place of a survey has."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.footprints import cone
from icmass.simulate.skymaps import CELL_NSIDE, SKY_NSIDE, SkyMap, centres, pixel_of
from icmass.simulate.survey.conditions import Conditions
from icmass.simulate.survey.conditions_file import read_conditions, write_conditions


@pytest.fixture(scope="module")
def patch():
    return cone(30.0, -40.0, 1.0)


def gradient(unit: str, low: float, high: float) -> SkyMap:
    """A map that grows with right ascension."""
    ra, _ = centres(SKY_NSIDE, np.arange(12 * SKY_NSIDE**2))
    return SkyMap(low + (high - low) * ra / 360.0, SKY_NSIDE, "icrs", unit, "gradient")


@pytest.fixture(scope="module")
def sloping(patch) -> Conditions:
    return Conditions.over(patch, gradient("s", 100.0, 3700.0), SkyMap.uniform(3e20, unit="cm-2"))


def test_exposure_is_that_of_the_pixel(sloping):
    ra = np.array([29.5, 30.0, 30.7])
    dec = np.array([-40.2, -40.0, -39.9])
    own_ra, _ = centres(SKY_NSIDE, pixel_of(SKY_NSIDE, ra, dec))
    np.testing.assert_allclose(sloping.exposure_at(ra, dec), 100.0 + 10.0 * own_ra, rtol=1e-12)
    assert sloping.longest_s == sloping.exposure_s.max()


def test_there_is_none_outside(sloping):
    away = sloping.exposure_at(np.array([33.0, 210.0]), np.array([-40.0, 40.0]))
    assert away.tolist() == [0.0, 0.0]
    assert np.isnan(sloping.column_at(np.array([210.0]), np.array([40.0]))).all()


def test_pixels_of_all_cells_are_the_footprint(sloping):
    joined = np.concatenate([sloping.pixels_in(cell) for cell in sloping.cell.tolist()])
    np.testing.assert_array_equal(joined, sloping.footprint.pixel)
    assert len(sloping.pixels_in(0)) == 0


def test_columns_are_rounded_by_little(patch):
    columns = gradient("cm-2", 1e20, 1e22)
    conditions = Conditions.over(patch, SkyMap.uniform(1.0, unit="s"), columns)
    exact = columns.on_pixels(CELL_NSIDE, conditions.cell)
    off = np.abs(np.log(conditions.column_cm2 / exact))
    assert 0.0 < off.max() < 0.025
    assert len(np.unique(conditions.column_cm2)) < len(conditions.cell)


def test_no_absorption_stays_none(patch):
    dry = Conditions.over(patch, SkyMap.uniform(1.0, unit="s"), SkyMap.uniform(0.0, unit="cm-2"))
    assert (dry.column_cm2 == 0.0).all()


def test_what_was_not_exposed_leaves_the_footprint(patch):
    ra, _ = centres(SKY_NSIDE, np.arange(12 * SKY_NSIDE**2))
    half = SkyMap(np.where(ra > 30.0, 50.0, np.nan), SKY_NSIDE, "icrs", "s", "half")
    conditions = Conditions.over(patch, half, SkyMap.uniform(3e20, unit="cm-2"))
    assert 0.4 < conditions.footprint.area_deg2 / patch.area_deg2 < 0.6


def test_maps_that_do_not_overlap(patch):
    column = SkyMap.uniform(3e20, unit="cm-2")
    nothing = SkyMap.uniform(0.0, unit="s", name="dark.fits")
    with pytest.raises(InputError, match=r"exposure: must be above 0 somewhere.*dark\.fits"):
        Conditions.over(patch, nothing, column)
    ra, _ = centres(SKY_NSIDE, np.arange(12 * SKY_NSIDE**2))
    half = SkyMap(np.where(ra > 30.0, 3e20, np.nan), SKY_NSIDE, "icrs", "cm-2", "nh.fits")
    with pytest.raises(InputError, match=r"column: must be known all over.*nh\.fits"):
        Conditions.over(patch, SkyMap.uniform(50.0, unit="s"), half)


def test_read_back_bit_by_bit(sloping, tmp_path):
    write_conditions(sloping, tmp_path)
    again = read_conditions(tmp_path, sloping.footprint.name)
    np.testing.assert_array_equal(again.footprint.pixel, sloping.footprint.pixel)
    np.testing.assert_array_equal(again.exposure_s, sloping.exposure_s)
    np.testing.assert_array_equal(again.cell, sloping.cell)
    np.testing.assert_array_equal(again.column_cm2, sloping.column_cm2)
    (tmp_path / "exposure.fits").write_bytes(b"SIMPLE")
    with pytest.raises(InputError, match="is damaged"):
        read_conditions(tmp_path, "x")


def test_others_read_the_maps(sloping, tmp_path):
    healpy = pytest.importorskip("healpy")
    write_conditions(sloping, tmp_path)
    seen = healpy.read_map(tmp_path / "exposure.fits", nest=True, partial=True)
    pixel = sloping.footprint.pixel
    np.testing.assert_allclose(seen[pixel], sloping.exposure_s, rtol=1e-6)
    assert (np.asarray(seen)[:100] == healpy.UNSEEN).all()
    own = SkyMap.read(tmp_path / "exposure.fits", unit="s")
    np.testing.assert_array_equal(own.on_pixels(SKY_NSIDE, pixel), sloping.exposure_s)
