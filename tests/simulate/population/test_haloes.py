from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf

from icmass.errors import InputError
from icmass.simulate.population.haloes import Haloes, draw_haloes
from tests.helpers.population import changed, magneticum
from tests.helpers.stats import assert_mean, ks_p_value

N = 2200
ALL = draw_haloes(magneticum(), 7, 0, N)
NUMBERS = [f.name for f in fields(Haloes)]


class TestNumbering:
    @pytest.mark.parametrize("name", NUMBERS)
    def test_any_part_is_part_of_the_whole(self, name):
        part = draw_haloes(magneticum(), 7, 40, 60)
        np.testing.assert_array_equal(getattr(part, name), getattr(ALL, name)[40:60])

    def test_seeds_differ(self):
        assert not np.any(draw_haloes(magneticum(), 8, 0, 20).m500c_msun == ALL.m500c_msun[:20])

    def test_row_is_plain(self):
        halo = ALL.row(5)
        assert (halo.halo_id, halo.snapshot_id) == (5, 5)
        assert halo.m500c_msun == ALL.m500c_msun[5]
        assert all(type(value) is float for value in halo.box_position_mpc)

    def test_none(self):
        assert len(draw_haloes(magneticum(), 1, 3, 3)) == 0

    @pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 2)])
    def test_descending(self, start, stop):
        with pytest.raises(InputError, match="haloes: must be numbered from 0 on, ascending"):
            draw_haloes(magneticum(), 1, start, stop)


class TestMasses:
    def test_range_and_median_of_the_study(self):
        log_mass = np.log10(ALL.m500c_msun * 0.704)
        assert log_mass.min() >= 13.5
        assert log_mass.max() <= 15.1
        # Error of the median of 2,200 with a scatter of 0.23 dex: 0.006.
        assert np.median(log_mass) == pytest.approx(13.944, abs=0.03)

    def test_follows_tinker08(self):
        from colossus.cosmology import cosmology
        from colossus.lss import mass_function

        parameters = changed({"haloes.redshifts": (0.25,)})
        log_mass = np.log10(draw_haloes(parameters, 3, 0, N).m500c_msun * 0.704)
        universe = cosmology.Cosmology(
            name="test",
            H0=70.4,
            Om0=0.272,
            Ob0=0.0456,
            sigma8=0.809,
            ns=0.963,
            flat=True,
            relspecies=False,
            persistence="",
        )
        cosmology.setCurrent(universe)
        grid = np.linspace(13.5, 15.1, 300)
        density = mass_function.massFunction(
            10**grid, 0.25, mdef="500c", model="tinker08", q_out="dndlnM"
        )
        cosmology.current_cosmo = None
        density *= 0.5 * (1.0 + erf((grid - 13.83) / 0.19))
        cdf = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
        cdf /= cdf[-1]
        assert ks_p_value(log_mass, lambda x: np.interp(x, grid, cdf)) > 1e-4
        assert ks_p_value(log_mass, lambda x: np.interp(x - 0.05, grid, cdf)) < 1e-4

    def test_flat(self):
        flat = draw_haloes(changed({"haloes.mass_function": "flat"}), 3, 0, 1000)
        log_mass = np.log10(flat.m500c_msun * 0.704)
        assert ks_p_value(log_mass, lambda x: (x - 13.5) / 1.6) > 1e-4

    def test_leaves_nothing_at_home(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        draw_haloes(changed({"haloes.redshifts": (0.31,)}), 3, 0, 1)
        assert list(Path(tmp_path).iterdir()) == []

    def test_users_cosmology_of_colossus_stays(self):
        from colossus.cosmology import cosmology

        mine = cosmology.Cosmology(
            name="mine", H0=67.0, Om0=0.3, Ob0=0.05, sigma8=0.8, ns=0.96, persistence=""
        )
        cosmology.setCurrent(mine)
        draw_haloes(changed({"haloes.redshifts": (0.33,)}), 3, 0, 1)
        assert cosmology.getCurrent() is mine
        cosmology.current_cosmo = None


class TestPlaces:
    def test_snapshots_in_turn(self):
        assert list(ALL.redshift[:3]) == [0.07, 0.10, 0.14]
        assert np.bincount(ALL.snapshot_id).tolist() == [N // 11] * 11

    def test_range_of_redshifts(self):
        values = {"haloes.redshifts": (), "haloes.redshift_range": (0.1, 0.5)}
        population = changed(values)
        redshift = draw_haloes(population, 3, 0, 500).redshift
        volume = population.haloes.cosmology().comoving_volume
        ends = volume(np.array([0.1, 0.5])).value

        def cdf(z):
            return (volume(z).value - ends[0]) / (ends[1] - ends[0])

        assert ks_p_value(redshift, cdf) > 1e-4

    def test_evenly_in_the_box(self):
        for column in ALL.box_position_mpc.T:
            assert ks_p_value(column, lambda x: x / 500.0) > 1e-4


class TestSpheres:
    def test_overdensities(self):
        critical = magneticum().haloes.cosmology().critical_density(ALL.redshift)
        volume = 4.0 * np.pi / 3.0 * critical.to_value("Msun / kpc3")
        np.testing.assert_allclose(ALL.m500c_msun / (volume * ALL.r500c_kpc**3), 500.0, rtol=1e-9)
        np.testing.assert_allclose(ALL.m200c_msun / (volume * ALL.r200c_kpc**3), 200.0, rtol=1e-9)

    def test_nfw_between_them(self):
        def enclosed(x):
            return np.log1p(x) - x / (1.0 + x)

        c500 = ALL.concentration * ALL.r500c_kpc / ALL.r200c_kpc
        ratio = enclosed(c500) / enclosed(ALL.concentration)
        np.testing.assert_allclose(ALL.m500c_msun / ALL.m200c_msun, ratio, rtol=2e-3)

    def test_concentration(self):
        mean = 4.09 * (ALL.m200c_msun / 2e14) ** -0.063 * (1.0 + ALL.redshift) ** -0.17
        offset = np.log(ALL.concentration / mean)
        assert offset.std() == pytest.approx(0.37, rel=0.07)
        assert abs(offset.mean()) < 0.04


class TestCauses:
    @pytest.mark.parametrize(
        "name", ["disturbance", "cool_core", "star_formation", "baryons", "thermal"]
    )
    def test_standard_normal(self, name):
        values = getattr(ALL, name)
        assert_mean(values, 0.0, 1.0)
        assert_mean(values**2, 1.0, np.sqrt(2.0))

    def test_mergers_have_weak_cores_and_low_concentrations(self):
        error = 4.5 / np.sqrt(N)
        core = np.corrcoef(ALL.disturbance, ALL.cool_core)[0, 1]
        assert core == pytest.approx(-0.5, abs=error)
        mass = np.log(ALL.m500c_msun)
        tightness = np.log(ALL.concentration) + 0.06 * mass
        assert np.corrcoef(ALL.disturbance, tightness)[0, 1] == pytest.approx(-0.6, abs=error)
