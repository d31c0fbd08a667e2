"""Sources and the truth: who belongs to whom."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.detection import SourceKind, SourceList, TruthTable, match_sources
from icmass.simulate.detection.match import _photon_radii, _share_inside
from tests.helpers.stats import assert_poisson
from tests.simulate.detection.fields import SHARP, VIEW, photons

HALO, AGN, SPURIOUS = SourceKind.HALO, SourceKind.AGN, SourceKind.SPURIOUS


def sources(*rows: tuple) -> SourceList:
    """Of (east, north, counts, extent)."""
    table = np.array(rows, dtype=float).reshape(-1, 4)
    east, north, counts, extent = table.T
    ra, dec = VIEW.sky(east, north)
    one = np.ones(len(table))
    return SourceList(ra, dec, east, north, one, counts, one, counts, one, 10 * one, one, extent)


def truth(*rows: tuple, points: bool = False) -> TruthTable:
    """Of (east, north, counts[, R500c])."""
    table = np.array(rows, dtype=float).reshape(-1, 3 if points else 4)
    ra, dec = VIEW.sky(table[:, 0], table[:, 1])
    return TruthTable(ra, dec, table[:, 2], None if points else table[:, 3])


NO_HALO, NO_AGN = truth(), truth(points=True)


def test_each_source_gets_what_it_is():
    found = sources((0, 0, 100, 30), (900, 5, 40, 0), (-700, 300, 9, 0))
    matched = match_sources(
        found, truth((15, -20, 120, 240)), truth((903, 2, 35), points=True), SHARP
    )
    assert matched.kind.tolist() == [HALO, AGN, SPURIOUS]
    assert matched.halo_of_source.tolist() == [0, -1, -1]
    assert matched.agn_of_source.tolist() == [-1, 0, -1]
    assert matched.source_of_halo.tolist() == [0]
    assert matched.source_of_agn.tolist() == [1]


def test_a_halo_takes_the_extended_source_before_a_nearer_point():
    found = sources((4, 3, 60, 0), (40, -10, 150, 30))
    matched = match_sources(found, truth((0, 0, 250, 260)), NO_AGN, SHARP)
    assert matched.source_of_halo.tolist() == [1]
    assert matched.halo_of_source.tolist() == [-1, 0]
    assert matched.kind.tolist() == [HALO, HALO]


def test_a_halo_found_as_a_point_is_found():
    matched = match_sources(sources((6, 3, 12, 0)), truth((0, 0, 25, 90)), NO_AGN, SHARP)
    assert matched.source_of_halo.tolist() == [0]


def test_of_two_haloes_the_nearer_in_units_of_its_radius_is_taken_and_only_one():
    haloes = truth((60, 0, 500, 400), (-40, 0, 150, 120))
    matched = match_sources(sources((0, 0, 200, 40)), haloes, NO_AGN, SHARP)
    assert matched.halo_of_source.tolist() == [0]
    assert matched.source_of_halo.tolist() == [0, -1]


def test_a_halo_too_faint_for_the_source_makes_no_sense():
    haloes = truth((0, 0, 4, 200))
    matched = match_sources(sources((2, 1, 100, 0)), haloes, NO_AGN, SHARP)
    assert matched.kind.tolist() == [SPURIOUS]
    assert matched.source_of_halo.tolist() == [-1]


def test_a_bright_agn_before_a_faint_halo_is_no_halo():
    matched = match_sources(
        sources((2, 1, 120, 0)), truth((0, 0, 40, 150)), truth((1, 1, 110), points=True), SHARP
    )
    assert matched.kind.tolist() == [AGN]
    assert matched.halo_of_source.tolist() == [-1]
    assert matched.agn_of_source.tolist() == [0]


def test_two_sources_share_two_agn():
    agn = truth((0, 0, 50), (36, 0, 50), points=True)
    matched = match_sources(sources((37, 2, 55, 0), (1, -3, 48, 0)), NO_HALO, agn, SHARP)
    assert matched.agn_of_source.tolist() == [1, 0]
    assert matched.source_of_agn.tolist() == [1, 0]


def test_no_source_and_no_truth_are_no_error():
    matched = match_sources(sources(), truth((0, 0, 9, 90)), truth((0, 0, 9), points=True), SHARP)
    assert matched.source_of_halo.tolist() == [-1]
    assert matched.kind.shape == (0,)
    matched = match_sources(sources((0, 0, 9, 0)), NO_HALO, NO_AGN, SHARP)
    assert matched.kind.tolist() == [SPURIOUS]


@pytest.mark.parametrize(("offset", "aperture"), [(0.0, 20.0), (25.0, 20.0), (30.0, 60.0)])
def test_photons_in_the_aperture_are_those_drawn(offset, aperture):
    rng = np.random.default_rng(31)
    x, y = photons([offset], [0.0], 150_000, 0.0, rng)
    inside = (np.hypot(x, y) < aperture).sum()
    share = _share_inside(np.array([offset]), np.array([aperture]), _photon_radii(None, SHARP))[0]
    assert_poisson(inside, 150_000 * share, bias=0.05)


def test_haloes_need_radii():
    with pytest.raises(InputError, match="haloes: must have r500c_arcsec; got None"):
        match_sources(sources(), NO_AGN, NO_AGN, SHARP)


def test_columns_of_the_truth_must_agree():
    with pytest.raises(InputError, match="truth dec_deg: must have as many rows as ra_deg, 2; got"):
        TruthTable(np.zeros(2), np.zeros(3), np.zeros(2))


def test_expected_counts_are_not_negative():
    with pytest.raises(InputError, match=r"truth expected_counts: must be at least 0; got -1\.0"):
        TruthTable(np.zeros(2), np.zeros(2), np.array([3.0, -1.0]))


def test_photons_of_a_halo_in_the_aperture_are_those_drawn():
    """Core radius 0.15 R500c; the PSF is stood for by 18 arcsec in quadrature: to 12%."""
    rng = np.random.default_rng(32)
    x, y = photons([35.0], [0.0], 40_000, 0.15 * 260.0, rng)
    radii = _photon_radii(np.array([260.0]), None)
    share = _share_inside(np.array([35.0]), np.array([55.0]), radii)[0]
    assert (np.hypot(x, y) < 55.0).mean() == pytest.approx(share, rel=0.12)
