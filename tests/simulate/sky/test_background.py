"""Particles: counts per time and area of the field, untouched by the mirrors."""

import numpy as np
import pytest

from icmass.simulate.origin import Origin
from icmass.simulate.photons.emitters import Shape
from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.sky import particle_background
from icmass.simulate.view import View

BANDS_KEV = [(0.3, 0.6), (0.6, 1.1), (1.1, 1.6), (1.6, 2.2), (2.2, 3.5), (3.5, 5.0), (5.0, 7.0)]
# Counts/s/deg^2 of all seven modules at the level of the public model (without the factor 1.1).
MODEL = [0.70, 0.88, 0.88, 0.92, 1.90, 2.12, 2.83]


def rates(view, instrument, bands=BANDS_KEV):
    component = particle_background(view, instrument)
    return np.array([expected_counts(component, 1.0, band).sum() for band in bands])


def test_it_is_background_and_never_meets_the_mirrors(survey, erosita):
    component = particle_background(survey, erosita)
    assert component.name == "particles"
    assert component.origin is Origin.BACKGROUND
    assert component.shape is Shape.SQUARE
    assert not component.psf
    assert component.source_id is None


def test_rates_are_those_of_the_public_model(erosita):
    per_deg2 = rates(View(10.0, 0.0, "survey", 3600.0), erosita)
    assert per_deg2 == pytest.approx(1.1 * np.array(MODEL), rel=0.03)


def test_effective_area_is_not_in_it(survey, erosita):
    """All energies together: the sum of the model, whatever the mirrors reflect."""
    edges = erosita.redistribution.energy_edges_kev
    expected = erosita.particle_background.spectrum(edges).sum() * 30.0**2
    total = expected_counts(particle_background(survey, erosita), 1.0).sum()
    assert total == pytest.approx(expected, rel=2e-4)


def test_historical_vignetting_applied_to_instrumental_background(pointed, erosita):
    """ixpeobssim issue 185: the same counts per area in the centre and at the rim."""
    component = particle_background(pointed, erosita)
    per_area = expected_counts(component, 1.0) / component.emitters.norm
    assert np.ptp(per_area) < 1e-12 * per_area[0]
    survey_field = particle_background(View(10.0, 0.0, "survey", 3600.0), erosita)
    survey_per_area = expected_counts(survey_field, 1.0) / survey_field.emitters.norm
    assert per_area[0] == pytest.approx(survey_per_area[0], rel=1e-12)


def test_historical_square_root_of_the_area(erosita):
    """SOXS changelog: twice the side gives four times the counts."""
    small, large = (rates(View(10.0, 0.0, "survey", w), erosita) for w in (600.0, 1200.0))
    assert large / small == pytest.approx(4.0, rel=1e-4)
    assert abs(np.sqrt(large / small) - 4.0).min() > 1.0, "a square root must be noticed"


def test_historical_field_of_view_factor(pointed, erosita):
    """SOXS 4.7.0: the counts of a round field go with its area, pi/4 of the square's."""
    component = particle_background(pointed, erosita)
    cells = component.emitters
    rng = np.random.default_rng(1)
    shift = rng.uniform(-1, 1, (2, 400, 1)) * cells.extent_arcsec
    inside = pointed.contains(cells.east_arcsec + shift[0], cells.north_arcsec + shift[1]).mean(0)
    counted = (expected_counts(component, 1.0) * inside).sum()
    square = expected_counts(
        particle_background(View(0.0, 0.0, "survey", 3708.0), erosita), 1.0
    ).sum()
    assert counted / square == pytest.approx(np.pi / 4.0, rel=1e-3)
