"""Foreground and extragalactic light: nothing counted twice, nothing lost, rates as measured."""

from pathlib import Path

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.emission import CrossSection, SpectralTable
from icmass.simulate.emission.powerlaw import powerlaw
from icmass.simulate.instrument import Instrument
from icmass.simulate.origin import Origin
from icmass.simulate.photons.emitters import Shape
from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.sky import extragalactic, field_agn, foreground, particle_background
from icmass.simulate.sky.agn_counts import NumberCounts
from icmass.simulate.sky.diffuse import extragalactic_spectrum, foreground_spectrum
from icmass.simulate.sky.optics import Galaxy
from icmass.simulate.view import View
from tests.simulate.sky.conftest import NH_CM2

BANDS_KEV = [(0.3, 0.6), (0.6, 1.1), (1.1, 1.6), (1.6, 2.2), (2.2, 3.5), (3.5, 5.0), (5.0, 7.0)]
# eFEDS, counts/s/deg^2 per unvignetted second, detected sources masked, +-3%.
EFEDS = np.array([3.72, 3.23, 2.10, 1.64, 2.28, 2.53, 3.12])
EFEDS_FLUX_LIMIT = 6.5e-15
DEG2 = View(136.0, 1.5, "survey", 3600.0)


def rates(component, bands=BANDS_KEV) -> np.ndarray:
    return np.array([expected_counts(component, 1.0, band).sum() for band in bands])


def blank_field(instrument: Instrument, particle_scale: float = 1.0) -> np.ndarray:
    """What the measured rates hold: no AGN that eFEDS detects."""
    return (
        particle_scale * rates(particle_background(DEG2, instrument))
        + rates(foreground(DEG2, instrument, NH_CM2))
        + rates(extragalactic(DEG2, instrument, NH_CM2, EFEDS_FLUX_LIMIT))
    )


def test_blank_field_has_the_measured_rates(erosita):
    assert blank_field(erosita) == pytest.approx(EFEDS, rel=0.10)


def test_negative_control_particles_forgotten(erosita):
    assert (blank_field(erosita, 0.0) < 0.85 * EFEDS).sum() >= 6


@pytest.mark.shared
def test_blank_field_has_the_measured_rates_with_real_responses(shared_dir: Path):
    folder = shared_dir / "data" / "erosita"
    real = Instrument.from_ogip(
        arf=folder / "survey_tm0_arf_filter_2023-01-17.fits.gz",
        rmf=folder / "onaxis_tm0_rmf_2023-01-17.fits.gz",
        mode="survey",
    )
    assert blank_field(real) == pytest.approx(EFEDS, rel=0.08)


@pytest.mark.parametrize("limit", [1e-15, 6.5e-15, 5e-14])
def test_drawn_and_unresolved_add_up_to_the_total(erosita, limit):
    """The mean light of drawn AGN plus what is left is the same for every limit.

    The drawn side is a Monte Carlo mean: 400 deg^2 of AGN by themselves, 0.5-2 keV, to 3%.
    """
    band = [(0.5, 2.0)]
    wide = View(10.0, -40.0, "survey", 20 * 3600.0)
    component, table = field_agn(wide, erosita, NH_CM2, limit, np.random.SeedSequence(23))
    counts = expected_counts(component, 1.0, band[0])
    area_deg2 = len(table) / float(NumberCounts.default().number_above(limit))
    drawn = counts.sum() / area_deg2
    error = np.sqrt((counts**2).sum()) / area_deg2
    left = rates(extragalactic(DEG2, erosita, NH_CM2, limit), band)[0]
    total = rates(extragalactic(DEG2, erosita, NH_CM2, np.inf), band)[0]
    assert error < 0.02 * total
    assert abs(drawn + left - total) < 4.5 * error
    assert abs(drawn + total - total) > 4.5 * error, "counting twice must be noticed"


@pytest.mark.parametrize("limit", [1e-16, 1e-15, 1e-14])
def test_what_is_left_is_the_total_less_the_light_of_the_counts(limit):
    """Energy closes to 0.1% in 0.5-2 keV; nothing is negative at any energy."""
    edges = np.geomspace(0.5, 2.0, 301)
    energy = np.sqrt(edges[1:] * edges[:-1]) * 1.602176634e-9
    total = powerlaw(edges, 1.47, 3.70e-3) @ energy
    left = 3600.0 * extragalactic_spectrum(edges, Galaxy(0.0), limit) @ energy
    assert total - left == pytest.approx(
        float(NumberCounts.default().light_above(limit)), rel=1e-3, abs=0.0
    )
    everywhere = extragalactic_spectrum(np.geomspace(0.1, 12.0, 500), Galaxy(0.0), limit)
    assert (everywhere >= 0.0).all()


def test_without_sources_the_total_is_the_published_power_law():
    edges = np.geomspace(0.3, 8.0, 101)
    per_deg2 = 3600.0 * extragalactic_spectrum(edges, Galaxy(0.0), np.inf)
    assert per_deg2 == pytest.approx(powerlaw(edges, 1.47, 3.70e-3), rel=1e-12)


def test_what_is_left_is_harder_than_the_total():
    """The drawn AGN are softer than the background as a whole: so is the sky."""
    edges = np.array([0.5, 1.0, 4.0, 8.0])
    left, total = (extragalactic_spectrum(edges, Galaxy(0.0), s) for s in (1e-15, np.inf))
    assert left[2] / left[0] > 1.2 * total[2] / total[0]


def test_column_dims_halo_and_corona_but_not_the_local_bubble():
    edges = np.geomspace(0.3, 2.0, 101)
    clear, dim = (foreground_spectrum(edges, Galaxy(nh)).sum(axis=1) for nh in (0.0, 1e21))
    assert clear.shape == (3,)
    assert dim[0] == clear[0]
    assert (dim[1:] < 0.8 * clear[1:]).all()


@pytest.mark.parametrize("name", ["foreground", "extragalactic"])
def test_components_are_even_sky_that_needs_no_psf(erosita, survey, name):
    component = {
        "foreground": lambda: foreground(survey, erosita, NH_CM2),
        "extragalactic": lambda: extragalactic(survey, erosita, NH_CM2, 1e-15),
    }[name]()
    assert component.name == name
    assert component.origin is Origin.BACKGROUND
    assert component.shape is Shape.SQUARE
    assert not component.psf
    assert component.source_id is None


def test_historical_square_root_of_the_area(erosita):
    """SOXS changelog: twice the side, four times the counts, of the sky as of the particles."""
    small, large = (View(10.0, 0.0, "survey", width) for width in (600.0, 1200.0))
    for light in (
        lambda view: foreground(view, erosita, NH_CM2),
        lambda view: extragalactic(view, erosita, NH_CM2, 1e-15),
    ):
        assert rates(light(large)) / rates(light(small)) == pytest.approx(4.0, rel=1e-4)


def test_sky_is_vignetted_in_a_pointing(erosita, pointed):
    """Per area the rim gets the share of the centre that the vignetting says, at each energy."""
    component = extragalactic(pointed, erosita, NH_CM2, 1e-15)
    cells = component.emitters
    theta = np.hypot(cells.east_arcsec, cells.north_arcsec) / 60.0
    for band, energy_kev in (((0.9, 1.1), 1.0), ((5.8, 6.2), 6.0)):
        per_area = expected_counts(component, 1.0, band) / cells.norm
        share = per_area / per_area[np.argmin(theta)]
        expected = erosita.vignetting.factor(np.array([energy_kev]), theta)[:, 0]
        expected /= erosita.vignetting.factor(np.array([energy_kev]), theta.min())[:, 0]
        assert share == pytest.approx(expected, rel=0.03)
        assert share.min() < 0.6, "a sky without vignetting must be noticed"


def test_pointed_field_sees_what_the_survey_averages(erosita, pointed):
    """The survey response is the mean of the pointed one over the field, within the model's 5%."""
    bands = [(0.6, 1.1), (1.1, 1.6), (2.2, 3.5)]
    field = rates(extragalactic(pointed, erosita, NH_CM2, 1e-15), bands) / pointed.area_arcmin2
    average = rates(extragalactic(DEG2, erosita, NH_CM2, 1e-15), bands) / DEG2.area_arcmin2
    assert field / average == pytest.approx(1.0, abs=0.05)


def test_own_table_and_cross_section_are_used(erosita, survey):
    shipped = SpectralTable.load()
    bright = SpectralTable(
        shipped.edges_kev, shipped.kt_kev, 3.0 * shipped.base, 3.0 * shipped.metal, {}
    )
    normal = rates(foreground(survey, erosita, NH_CM2))
    assert rates(foreground(survey, erosita, NH_CM2, bright)) == pytest.approx(3.0 * normal)
    opaque = CrossSection(np.array([0.01, 20.0]), np.array([1e-20, 1e-20]))
    dimmed = extragalactic(survey, erosita, NH_CM2, 1e-15, cross_section=opaque)
    clear = extragalactic(survey, erosita, 0.0, 1e-15)
    assert rates(dimmed) == pytest.approx(np.exp(-3.0) * rates(clear), rel=1e-4)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_a_bad_column_is_refused(erosita, survey, bad):
    with pytest.raises(InputError, match="nh: must be a column"):
        foreground(survey, erosita, bad)
    with pytest.raises(InputError, match="nh: must be a column"):
        extragalactic(survey, erosita, bad, 1e-15)


def test_a_limit_too_faint_is_refused(erosita, survey):
    with pytest.raises(InputError, match="agn flux limit: must be at least 1e-16"):
        extragalactic(survey, erosita, NH_CM2, 1e-17)
