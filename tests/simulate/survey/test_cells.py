"""Background and AGN of cells: as many as expected, where they are expected."""

import numpy as np
import pytest

from icmass.simulate.origin import Origin
from icmass.simulate.sky.agn_counts import NumberCounts
from icmass.simulate.sky.diffuse import extragalactic_spectrum
from icmass.simulate.sky.optics import Galaxy
from icmass.simulate.skymaps import SKY_NSIDE, pixel_of
from icmass.simulate.survey.cells import agn_id, background_rates, draw_agn, draw_background
from icmass.simulate.survey.faint_light import HaloLight
from icmass.simulate.survey.sky_events import SkyEvents
from tests.helpers.stats import assert_chi_square, assert_poisson

LIMIT = 1e-15


@pytest.fixture(scope="module")
def background(uneven, erosita, no_light) -> SkyEvents:
    return SkyEvents.concatenate(
        [
            draw_background(cell, uneven, erosita, no_light, LIMIT, seed=5)
            for cell in uneven.cell.tolist()
        ]
    )


@pytest.fixture(scope="module")
def agn(uneven, erosita):
    return [draw_agn(cell, uneven, erosita, LIMIT, seed=5) for cell in uneven.cell.tolist()]


def expected_background(uneven, erosita, light, band) -> np.ndarray:
    """Counts of each pixel of the footprint."""
    rate = sum(background_rates(erosita, float(uneven.column_cm2[0]), light, LIMIT, band).values())
    pixel_deg2 = uneven.footprint.area_deg2 / len(uneven.footprint.pixel)
    return rate * pixel_deg2 * uneven.exposure_s


@pytest.mark.parametrize("band", [(0.2, 0.6), (0.6, 2.3), (2.3, 5.0)])
def test_background_has_the_expected_counts(background, uneven, erosita, no_light, band):
    inside = (background.energy_kev >= band[0]) & (background.energy_kev < band[1])
    expected = expected_background(uneven, erosita, no_light, band)
    assert_poisson(inside.sum(), expected.sum(), bias=0.08)
    with pytest.raises(AssertionError):
        assert_poisson(inside.sum() * 1.08, expected.sum(), bias=0.08)


def test_background_follows_the_exposure(background, uneven, erosita, no_light):
    band = (0.2, 5.0)
    inside = background.select((background.energy_kev >= 0.2) & (background.energy_kev < 5.0))
    pixel = pixel_of(SKY_NSIDE, inside.ra_deg, inside.dec_deg)
    place = np.searchsorted(uneven.footprint.pixel, pixel)
    counts = np.bincount(place, minlength=len(uneven.exposure_s))
    expected = expected_background(uneven, erosita, no_light, band)
    assert_chi_square(counts, expected)
    with pytest.raises(AssertionError):  # as if exposed evenly
        assert_chi_square(counts, np.full(len(expected), expected.mean()))


def test_background_lies_in_the_footprint(background, uneven):
    assert uneven.footprint.contains(background.ra_deg, background.dec_deg).all()
    assert (background.origin == Origin.BACKGROUND).all()
    assert (background.source_id == 0).all()
    assert background.time_s.min() >= 0.0
    assert background.time_s.max() <= uneven.longest_s


def test_light_of_haloes_is_taken_out_once(erosita):
    edges = erosita.response("survey").redistribution.energy_edges_kev
    unresolved = extragalactic_spectrum(edges, Galaxy(0.0), LIMIT)
    dark, half = (HaloLight(share * unresolved) for share in (0.0, 0.5))
    before = background_rates(erosita, 3e20, dark, LIMIT, (0.5, 2.0))
    after = background_rates(erosita, 3e20, half, LIMIT, (0.5, 2.0))
    assert after["extragalactic"] == pytest.approx(0.5 * before["extragalactic"], rel=1e-6)
    assert after["foreground"] == before["foreground"]
    assert after["particles"] == before["particles"]
    bright = background_rates(erosita, 3e20, HaloLight(9.0 * unresolved), LIMIT, (0.5, 2.0))
    assert bright["extragalactic"] == 0.0


def test_as_many_agn_as_the_relation_says(agn, uneven):
    flux = np.concatenate([cell.table.flux for cell in agn])
    area = uneven.footprint.area_deg2
    for limit in (1e-15, 3e-15, 1e-14):
        mean = area * float(NumberCounts.default().number_above(limit))
        assert abs((flux > limit).sum() - mean) < 4.5 * np.sqrt(mean)
    assert flux.min() >= LIMIT


def test_photons_of_each_agn_are_poisson(agn):
    drawn = np.concatenate(
        [np.bincount(np.searchsorted(c.source_id, c.events.source_id), minlength=len(c.source_id))
         for c in agn]
    )  # fmt: skip
    expected = np.concatenate([cell.expected for cell in agn])
    assert_chi_square(drawn, expected)
    assert_poisson(drawn.sum(), expected.sum(), bias=0.08)
    with pytest.raises(AssertionError):
        assert_poisson(drawn.sum(), 0.9 * expected.sum(), bias=0.08)


def test_photons_of_agn_lie_near_them(agn):
    cell = max(agn, key=lambda one: len(one.events))
    row = np.searchsorted(cell.source_id, cell.events.source_id)
    north = 3600.0 * (cell.events.dec_deg - cell.table.dec_deg[row])
    east = (
        3600.0
        * (cell.events.ra_deg - cell.table.ra_deg[row])
        * np.cos(np.radians(cell.table.dec_deg[row]))
    )
    # Half of the photons inside 14 arcsec: the PSF of the survey.
    within = (np.hypot(east, north) < 14.0).mean()
    assert abs(within - 0.5) < 4.5 * 0.5 / np.sqrt(len(row))


def test_agn_of_a_cell_do_not_depend_on_the_rest_of_the_sky(agn, uneven, erosita):
    from icmass.simulate.footprints import Footprint
    from icmass.simulate.survey.conditions import Conditions

    number = len(uneven.cell) // 2
    cell = int(uneven.cell[number])
    pixel = uneven.pixels_in(cell)
    alone = Conditions(
        Footprint(pixel, "one"),
        uneven.exposure_of(pixel),
        np.array([cell]),
        uneven.column_cm2[:1],
    )
    again = draw_agn(cell, alone, erosita, LIMIT, seed=5)
    np.testing.assert_array_equal(again.source_id, agn[number].source_id)
    np.testing.assert_array_equal(again.table.flux, agn[number].table.flux)
    other = draw_agn(cell, alone, erosita, LIMIT, seed=6)
    assert not np.array_equal(other.table.flux, again.table.flux)


def test_ids_are_unique(agn):
    ids = np.concatenate([cell.source_id for cell in agn])
    assert len(np.unique(ids)) == len(ids)
    assert ids.min() > 2**40  # beyond the numbers of all haloes
    assert agn_id(3, np.array([0, 1])).tolist() == [2**40 + 3 * 2**20 + 1, 2**40 + 3 * 2**20 + 2]
