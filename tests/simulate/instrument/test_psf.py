"""The point-spread function: encircled energy, density, inverse, growth off axis."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.instrument import PSF, Instrument
from tests.helpers.stats import assert_distribution

LOPSIDED = PSF(4.0, 1.5, 50.0, 2.7, 0.2, 400.0, growth_arcmin=20.0)
RADII = np.array([0.5, 3.0, 11.0, 47.0, 180.0, 399.0])


@pytest.mark.parametrize("scale", [1.0, 1.7])
def test_encircled_energy_is_the_integral_of_the_density(scale: float) -> None:
    for radius in RADII:
        r = np.linspace(0.0, radius, 200_001)
        integral = np.trapezoid(2 * np.pi * r * LOPSIDED.density(r, scale), r)
        assert LOPSIDED.encircled(radius, scale) == pytest.approx(integral, rel=1e-5)


def test_one_component_against_the_closed_form() -> None:
    psf = PSF(5.0, 1.5, 1.0, 2.0, 0.0, 1e6)
    expected = 1.0 - 1.0 / np.sqrt(1.0 + (RADII / 5.0) ** 2)
    np.testing.assert_allclose(psf.encircled(RADII), expected, rtol=1e-5)


def test_all_photons_fall_inside_the_maximum_radius() -> None:
    assert LOPSIDED.encircled(0.0) == 0.0
    assert LOPSIDED.encircled(400.0) == pytest.approx(1.0, abs=1e-14)
    assert LOPSIDED.encircled(1e5) == pytest.approx(1.0, abs=1e-14)
    assert LOPSIDED.density(401.0) == 0.0


def test_radius_of_inverts_the_encircled_energy() -> None:
    for share in (0.01, 0.5, 0.9, 0.999):
        radius = LOPSIDED.radius_of(share, 1.3)
        assert LOPSIDED.encircled(radius, 1.3) == pytest.approx(share, rel=1e-9)
    assert LOPSIDED.half_energy_width() == pytest.approx(2 * LOPSIDED.radius_of(0.5))


def test_drawn_radii_follow_the_encircled_energy() -> None:
    rng = np.random.default_rng(2)
    drawn = LOPSIDED.radius(rng.random(40_000), rng.random(40_000), 1.4)
    assert_distribution(drawn, lambda r: LOPSIDED.encircled(r, 1.4))
    narrow = replace(LOPSIDED, core_arcsec=0.9 * 4.0, wing_arcsec=0.9 * 50.0)
    with pytest.raises(AssertionError):  # negative control: a PSF 10% too narrow
        assert_distribution(drawn, lambda r: narrow.encircled(r, 1.4))


def test_radii_double_at_the_growth_angle() -> None:
    np.testing.assert_allclose(LOPSIDED.scale([0.0, 10.0, 20.0]), [1.0, 1.25, 2.0])
    assert LOPSIDED.encircled(22.0, 2.0) == pytest.approx(float(LOPSIDED.encircled(11.0)))
    assert PSF(4.0, 1.5, 50.0, 2.7, 0.2, 400.0).scale(30.0) == 1.0


@pytest.mark.parametrize(("mode", "width_arcsec"), [("pointed", 16.0), ("survey", 28.0)])
def test_erosita_half_energy_widths(erosita: Instrument, mode: str, width_arcsec: float) -> None:
    assert erosita.psf(mode).half_energy_width() == pytest.approx(width_arcsec, rel=2e-3)


def test_erosita_survey_psf_is_the_field_mean_of_the_pointed_one(erosita: Instrument) -> None:
    """Two models of one telescope: the mean over the field, weighted with what is detected."""
    theta = np.linspace(0.0, 30.0 * erosita.fov_diameter_deg, 300)
    weight = theta * erosita.vignetting.factor(1.0, theta)[:, 0]
    pointed, survey = erosita.psf("pointed"), erosita.psf("survey")
    for radius in (10.0, 14.0, 30.0, 60.0, 120.0):
        stack = [pointed.encircled(radius, float(pointed.scale(t))) for t in theta]
        mean = np.sum(weight * stack) / np.sum(weight)
        assert mean == pytest.approx(float(survey.encircled(radius)), abs=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"core_arcsec": 0.0}, "core_arcsec: must be > 0; got 0.0"),
        ({"wing_arcsec": np.nan}, "wing_arcsec: must be > 0"),
        ({"max_radius_arcsec": -1.0}, "max_radius_arcsec: must be > 0"),
        ({"growth_arcmin": 0.0}, "growth_arcmin: must be > 0"),
        ({"core_slope": 1.0}, "core_slope: must be > 1"),
        ({"wing_slope": 0.5}, "wing_slope: must be > 1"),
        ({"wing_fraction": 1.1}, "wing_fraction: must be 0 to 1; got 1.1"),
    ],
)
def test_impossible_psf_is_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(LOPSIDED, **change)


def test_impossible_share_is_refused() -> None:
    with pytest.raises(InputError, match=r"share: must be between 0 and 1; got 1\.0"):
        LOPSIDED.radius_of(1.0)
