import healpy
import numpy as np
import pytest
from scipy.special import spherical_jn

from icmass.simulate.lightcone.field import (
    FIELD_NSIDE,
    LMAX,
    angular_spectrum,
    clustering_bias,
    density_field,
    field_variance,
    pixel_window,
)
from icmass.simulate.population.mass_function import colossus_universe, tinker10_bias
from tests.helpers.population import magneticum

PARAMETERS = magneticum().haloes
SHELL = 6
ALL = np.arange(12 * FIELD_NSIDE**2)


def exact_spectrum(order, shell):
    """2 / pi int k^2 dk P(k) [int dchi chi^2 j_l(k chi) / int dchi chi^2]^2."""
    near, far = (
        PARAMETERS.cosmology().comoving_distance([0.05 * shell, 0.05 * (shell + 1)]).value
        * PARAMETERS.h
    )
    chi = np.linspace(near, far, 200)
    weight = chi**2 / np.trapezoid(chi**2, chi)
    wave = np.linspace(0.5 * order / far, 0.5 * order / far + 0.35, 1500)
    with colossus_universe(PARAMETERS) as universe:
        power = universe.matterPowerSpectrum(wave, 0.05 * (shell + 0.5))
    inner = np.array([np.trapezoid(weight * spherical_jn(order, k * chi), chi) for k in wave])
    return 2.0 / np.pi * np.trapezoid(wave**2 * power * inner**2, wave)


class TestSpectrum:
    @pytest.mark.parametrize(("order", "shell"), [(10, 6), (40, 6), (100, 6), (30, 2), (30, 15)])
    def test_agrees_with_spherical_waves(self, order, shell):
        found = angular_spectrum(PARAMETERS, shell)[order]
        assert found == pytest.approx(exact_spectrum(order, shell), rel=0.025)

    def test_limber_would_not_do(self):
        """The test above tells: without waves along the line of sight, C_l is 13% too high."""
        near, far = PARAMETERS.cosmology().comoving_distance([0.3, 0.35]).value * PARAMETERS.h
        middle = 0.5 * (near + far)
        with colossus_universe(PARAMETERS) as universe:
            power = universe.matterPowerSpectrum(10.5 / middle, 0.325)
        limber = power / (middle**2 * (far - near))
        assert limber > 1.1 * exact_spectrum(10, SHELL)

    def test_is_read_only(self):
        with pytest.raises(ValueError, match="read-only"):
            angular_spectrum(PARAMETERS, SHELL)[0] = 1.0


class TestWindow:
    def test_is_the_mean_over_pixels(self):
        """Means of a wave over pixels, from a map eight times finer, where it varies slowly."""
        order, nside, fine = 90, 32, 256
        waves = np.zeros(healpy.Alm.getsize(order), complex)
        rng = np.random.default_rng(4)
        at = healpy.Alm.getidx(order, order, np.arange(order + 1))
        waves[at] = rng.standard_normal(order + 1) + 1j * rng.standard_normal(order + 1)
        waves[at[0]] = 0.5
        full = healpy.alm2map(waves, fine, lmax=order, pol=False)
        mean = healpy.ud_grade(full, nside)
        shrunk = mean.std() / full.std()
        # A pixel of 256 lowers l as one of 32 lowers l / 8.
        assert shrunk == pytest.approx(pixel_window()[order * FIELD_NSIDE // nside], rel=0.02)

    def test_large_waves_pass(self):
        assert pixel_window()[0] == 1.0
        assert len(pixel_window()) == LMAX + 1


class TestField:
    def test_variance_and_spectrum(self):
        field = density_field(PARAMETERS, SHELL, 5, ALL)
        ring = healpy.reorder(field, n2r=True)
        found = healpy.anafast(ring, lmax=400, pol=False, iter=1)
        smoothed = (angular_spectrum(PARAMETERS, SHELL) * pixel_window() ** 2)[:401]
        order = np.arange(401)
        some = (order >= 20) & (order < 400)
        ratio = np.average((found / smoothed)[some], weights=(2 * order + 1)[some])
        # 160,000 modes: 0.35%; a spectrum without the window of pixels is 16% higher.
        assert ratio == pytest.approx(1.0, abs=0.016)
        assert field.var() == pytest.approx(field_variance(PARAMETERS, SHELL), rel=0.02)
        assert abs(field.mean()) < 0.02

    def test_seeds_and_shells_differ(self):
        some = ALL[::97]
        base = density_field(PARAMETERS, SHELL, 5, some)
        others = [(SHELL, 6), (SHELL + 1, 5)]
        for shell, seed in others:
            other = density_field(PARAMETERS, shell, seed, some)
            # 8,100 pixels, correlated over some.
            assert abs(np.corrcoef(base, other)[0, 1]) < 0.1
        np.testing.assert_array_equal(base, density_field(PARAMETERS, SHELL, 5, some))

    def test_part_of_the_sky(self):
        few = np.array([7, 300_000])
        whole = density_field(PARAMETERS, SHELL, 5, ALL)
        np.testing.assert_array_equal(density_field(PARAMETERS, SHELL, 5, few), whole[few])


def test_bias_of_clusters():
    """Tinker et al. (2010): 3e14 Msun/h (M200m ~ 5e14) at redshift 0.2 has a bias near 4."""
    bias = tinker10_bias(PARAMETERS, np.array([2e13, 3e14]), 0.2)
    assert bias[0] == pytest.approx(1.9, abs=0.4)
    assert bias[1] == pytest.approx(5.0, abs=1.0)


def test_bias_of_the_heaviest_is_cut():
    log_mass = np.array([13.5, 14.0, 14.8])
    found = clustering_bias(PARAMETERS, log_mass, SHELL, 0.325)
    bias = tinker10_bias(PARAMETERS, 10.0**log_mass * PARAMETERS.h, 0.325)
    np.testing.assert_array_equal(found[:2], bias[:2])
    assert found[2] == pytest.approx(1.5 / np.sqrt(field_variance(PARAMETERS, SHELL)))
    assert found[2] < 0.7 * bias[2]
