"""AGN of the field: how many, where, what they send, and what the truth table says of them."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from icmass.errors import InputError
from icmass.simulate.emission.absorption import bin_transmission
from icmass.simulate.emission.powerlaw import powerlaw
from icmass.simulate.instrument.ecf import energy_conversion_factor
from icmass.simulate.origin import Origin
from icmass.simulate.photons.emitters import Shape
from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.rng import stream
from icmass.simulate.sky import AgnKind, AgnTable, field_agn
from icmass.simulate.sky.agn import scatter_margin_arcsec
from icmass.simulate.sky.agn_counts import NumberCounts
from icmass.simulate.view import View
from tests.helpers.stats import assert_chi_square, assert_poisson, chi_square
from tests.simulate.sky.conftest import NH_CM2

LIMIT = 3e-15
WIDE = View(0.2, -60.0, "survey", 12 * 3600.0)


@pytest.fixture(scope="module")
def wide(erosita) -> AgnTable:
    """Some 40,000 AGN of 144 deg^2."""
    return field_agn(WIDE, erosita, NH_CM2, LIMIT, np.random.SeedSequence(17))[1]


def test_the_number_is_that_of_the_counts(wide, erosita):
    """Per solid angle of the sphere, the margin included: 2% is noticed."""
    side = np.radians((WIDE.width_arcsec + 2 * scatter_margin_arcsec(WIDE, erosita)) / 3600.0)
    half = side / 2.0
    solid_deg2 = np.degrees(np.degrees(4 * np.arctan(half**2 / np.sqrt(1 + 2 * half**2))))
    expected = float(NumberCounts.default().number_above(LIMIT)) * solid_deg2
    assert_poisson(len(wide), expected, bias=0.05)
    assert solid_deg2 < 0.99 * np.degrees(side) ** 2, "the flat area must be noticeably wrong"
    with pytest.raises(AssertionError):
        assert_poisson(len(wide), expected * 1.05, bias=0.05)


def test_fluxes_follow_the_counts(wide):
    edges = np.geomspace(LIMIT, 2e-13, 26)
    counts = NumberCounts.default()
    expected = -np.diff(counts.number_above(edges)) / counts.number_above(LIMIT) * len(wide)
    drawn = np.histogram(wide.flux, edges)[0]
    assert_chi_square(drawn, expected)
    assert chi_square(np.histogram(wide.flux * 1.05, edges)[0], expected).z > 4.5


def test_they_lie_evenly_over_the_sky(wide):
    """Even per solid angle: cos^3 thinner per area of the tangent plane at the corners."""
    half = WIDE.width_arcsec / 2.0
    edges = np.linspace(-half, half, 9)
    inside = WIDE.contains(wide.east_arcsec, wide.north_arcsec)
    image = np.histogram2d(wide.north_arcsec[inside], wide.east_arcsec[inside], bins=edges)[0]
    centre = np.radians(0.5 * (edges[1:] + edges[:-1]) / 3600.0)
    weight = (1 + centre**2 + centre[:, None] ** 2) ** -1.5
    assert_chi_square(image, weight / weight.sum() * inside.sum())


def test_positions_of_the_table_are_those_on_the_sky(erosita, survey, sequence):
    """A field across RA 0 at declination -60: RA offsets grow with 1 / cos(dec)."""
    table = field_agn(survey, erosita, NH_CM2, 1e-14, sequence)[1]
    centre = SkyCoord(survey.ra_deg * u.deg, survey.dec_deg * u.deg)
    where = SkyCoord(table.ra_deg * u.deg, table.dec_deg * u.deg)
    east, north = (offset.to_value("arcsec") for offset in centre.spherical_offsets_to(where))
    assert east == pytest.approx(table.east_arcsec, abs=0.2)
    assert north == pytest.approx(table.north_arcsec, abs=0.2)
    assert (table.ra_deg > 350).any()
    assert (table.ra_deg < 10).any()
    assert ((table.ra_deg >= 0) & (table.ra_deg < 360)).all()


def test_density_is_the_same_in_a_small_field(erosita, survey):
    """The margin takes none from the field, whatever its size."""
    inside = 0
    for seed in range(30):
        table = field_agn(survey, erosita, NH_CM2, 1e-15, np.random.SeedSequence(seed))[1]
        inside += survey.contains(table.east_arcsec, table.north_arcsec).sum()
    density = float(NumberCounts.default().number_above(1e-15))
    assert_poisson(inside, 30 * density * survey.area_arcmin2 / 3600.0, bias=0.15)


def test_sources_just_outside_the_field_are_there(erosita, pointed, survey, sequence):
    for view in (survey, pointed):
        table = field_agn(view, erosita, NH_CM2, 1e-15, sequence)[1]
        outside = ~view.contains(table.east_arcsec, table.north_arcsec)
        margin = scatter_margin_arcsec(view, erosita)
        assert 0 < outside.sum() < len(table)
        offset = np.stack([table.east_arcsec, table.north_arcsec])
        reach = np.abs(offset).max() if view.mode == "survey" else np.hypot(*offset).max()
        assert reach < view.width_arcsec / 2 + margin
        assert reach > view.width_arcsec / 2 + 0.8 * margin


def test_component_and_table_belong_together(erosita, survey, sequence):
    component, table = field_agn(survey, erosita, NH_CM2, 5e-15, sequence, first_id=7)
    assert component.name == "field_agn"
    assert component.origin is Origin.AGN
    assert component.shape is Shape.POINT
    assert component.psf
    assert len(component.emitters) == len(table) > 10
    assert table.source_id.tolist() == list(range(7, 7 + len(table)))
    assert component.source_id is table.source_id
    assert component.emitters.east_arcsec == pytest.approx(table.east_arcsec, rel=1e-6)
    assert (table.kind == AgnKind.FIELD).all()
    assert np.isnan(table.redshift).all()
    assert (table.flux >= 5e-15 * (1 - 1e-12)).all()


@pytest.mark.parametrize("band_kev", [(0.5, 2.0), (2.3, 5.0)])
def test_counts_are_flux_times_conversion_factor(erosita, survey, sequence, band_kev):
    """The counts of an unabsorbed AGN follow from its flux and index in the table alone."""
    component, table = field_agn(survey, erosita, NH_CM2, 1e-15, sequence)
    counts = expected_counts(component, 1.0, band_kev)
    rows = np.flatnonzero(table.nh_cm2 == 0.0)[:40]
    response = erosita.response("survey")
    for row in rows:
        index = table.photon_index[row]

        def behind_the_galaxy(edges, index=index):
            return powerlaw(edges, index) * bin_transmission(edges, NH_CM2)

        fine = np.geomspace(*band_kev, 801)
        middle = np.sqrt(fine[1:] * fine[:-1])
        passed = (behind_the_galaxy(fine) @ middle) / (powerlaw(fine, index) @ middle)
        slope = 2.0 - index
        in_band = (band_kev[1] ** slope - band_kev[0] ** slope) / (2.0**slope - 0.5**slope)
        factor = energy_conversion_factor(response, behind_the_galaxy, *band_kev)
        expected = table.flux[row] * in_band * passed * factor
        assert counts[row] == pytest.approx(expected, rel=0.015)


def test_an_absorbed_agn_of_equal_flux_is_harder(erosita, survey, sequence):
    component, table = field_agn(survey, erosita, NH_CM2, 1e-15, sequence)
    soft, hard = (expected_counts(component, 1.0, band) for band in ((0.3, 1.0), (2.3, 7.0)))
    ratio = [np.median((hard / soft)[table.nh_cm2 == nh]) for nh in (0.0, 3e21, 1e22)]
    assert ratio[0] < 0.5 * ratio[1] < 0.25 * ratio[2]


def test_a_larger_column_leaves_the_sources_and_dims_them(erosita, survey, sequence):
    (thin, before), (thick, after) = (
        field_agn(survey, erosita, nh, LIMIT, sequence) for nh in (1e20, 1e21)
    )
    assert before.flux.tolist() == after.flux.tolist()
    assert (expected_counts(thick, 1.0) < expected_counts(thin, 1.0)).all()


def test_same_seed_same_sources_and_other_seed_others(erosita, survey):
    def fluxes(seed: int) -> list[float]:
        table = field_agn(survey, erosita, NH_CM2, LIMIT, stream(seed, "field_agn", "sources"))[1]
        return table.flux.tolist()

    assert fluxes(1) == fluxes(1)
    assert fluxes(1) != fluxes(2)


def test_no_source_above_an_infinite_limit(erosita, survey, sequence):
    component, table = field_agn(survey, erosita, NH_CM2, np.inf, sequence)
    assert len(table) == len(component.emitters) == 0
    assert len(table.to_table()) == 0


def test_table_has_units_and_kinds(erosita, survey, sequence):
    component, table = field_agn(survey, erosita, NH_CM2, LIMIT, sequence)
    counts = expected_counts(component, 1600.0)
    rows = table.to_table(counts)
    assert rows["ra"].unit == u.deg
    assert rows["flux_0p5_2"].unit.is_equivalent(u.erg / u.s / u.cm**2)
    assert rows["nh_intrinsic"].unit == u.cm**-2
    assert set(rows["kind"]) == {"FIELD"}
    assert rows["expected_counts"].tolist() == counts.tolist()
    assert rows["dec"].to_value("deg").tolist() == table.dec_deg.tolist()


@pytest.mark.parametrize("bad", [-1e20, np.nan, np.inf])
def test_a_bad_column_is_refused(erosita, survey, sequence, bad):
    with pytest.raises(InputError, match=r"nh: must be a column in cm\^-2, at least 0; got"):
        field_agn(survey, erosita, bad, LIMIT, sequence)
