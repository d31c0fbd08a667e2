from dataclasses import replace

import numba
import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.gas import Gas
from icmass.simulate.population.paint import _fluctuations, paint_gas
from icmass.simulate.population.paint_kernels import FIELD_STEP
from icmass.simulate.population.structures import draw_structures
from tests.helpers.population import ALONE, changed, magneticum, make_halo

# One round halo of smooth gas, to be compared with its own profile.
SMOOTH = {
    **ALONE,
    "gas.fluctuation_center": 0.0,
    "gas.fluctuation_r500": 0.0,
    "gas.mach_center": 0.0,
    "gas.mach_r500": 0.0,
    "gas.offset_max": 0.0,
    "gas.cool_share": 0.0,
    "gas.kt_particle_scatter": 0.0,
    "gas.metallicity_particle_scatter": 0.0,
}
ARRAYS = Gas.array_names()


def _paint(values, n=20_000, seed=1, line_of_sight=0, round_halo=True, **looks):
    population = changed(values)
    halo = make_halo(**looks)
    field = draw_structures(halo, population, seed, line_of_sight)
    if round_halo:
        field = replace(field, axis_ratio=np.ones_like(field.axis_ratio))
    return halo, field, paint_gas(halo, field, population, n, seed)


class TestRoundAndSmooth:
    HALO, _, GAS = _paint(SMOOTH)
    X = GAS.radius_kpc() / HALO.r500c_kpc

    def test_gas_mass(self):
        gas = magneticum().gas
        expected = 3e14 * gas.gas_fraction * (3e14 / gas.gas_pivot_msun) ** gas.gas_slope
        # Stratified in radius: the edge of the sphere falls between two particles.
        assert self.GAS.mass_msun[self.X < 1].sum() == pytest.approx(expected, rel=2e-3)

    def test_temperature(self):
        gas = magneticum().gas
        efunc = magneticum().haloes.cosmology().efunc(0.2)
        expected = gas.kt_kev * (3e14 / gas.kt_pivot_msun) ** gas.kt_slope * efunc ** (2 / 3)
        weight = self.GAS.mass_msun[self.X < 1]
        mean = np.average(self.GAS.kt_kev[self.X < 1], weights=weight)
        assert mean == pytest.approx(expected, rel=2e-3)

    def test_emission_measure_is_that_of_the_density(self):
        # n_e n_H V by counting mass in a shell, against the sum over its particles.
        shell = (self.X > 0.48) & (self.X < 0.5)
        volume = (
            4 / 3 * np.pi * (0.5**3 - 0.48**3) * (self.HALO.r500c_kpc * 3.0856775814913673e21) ** 3
        )
        hydrogen = 0.76 * self.GAS.mass_msun[shell].sum() * 1.98841e33 / 1.67262192e-24 / volume
        expected = hydrogen**2 * (1.0 + 0.24 / (2 * 0.76)) * volume
        assert self.GAS.emission_measure_cm3[shell].sum() == pytest.approx(expected, rel=0.05)

    def test_support_holds_48_particles(self):
        shell = (self.X > 0.3) & (self.X < 0.33)
        volume = 4 / 3 * np.pi * (0.33**3 - 0.3**3) * self.HALO.r500c_kpc**3
        support = self.GAS.smoothing_kpc[shell]
        held = 4 / 3 * np.pi * support**3 * shell.sum() / volume
        assert held.mean() == pytest.approx(48.0, rel=0.15)

    def test_round(self):
        # Mean of the squares of direction cosines: 1/3 each, with scatter sqrt(4/45).
        squares = (self.GAS.position_kpc / self.GAS.radius_kpc()[:, None]) ** 2
        error = np.sqrt(4 / 45 / len(self.GAS))
        np.testing.assert_allclose(squares.mean(axis=0), 1 / 3, atol=4.5 * error)

    def test_still(self):
        assert not self.GAS.velocity_kms.any()


class TestStructure:
    def test_triaxial_along_its_axes(self):
        _, field, gas = _paint(SMOOTH, round_halo=False)
        along = gas.position_kpc @ field.orientation[0].T
        spread = np.sqrt(np.average(along**2, weights=gas.mass_msun, axis=0))
        np.testing.assert_allclose(spread[1:] / spread[0], field.axis_ratio[0], rtol=0.03)

    def test_fluctuations_keep_mass_and_temperature(self):
        rough = {**SMOOTH, "gas.fluctuation_center": 0.3, "gas.fluctuation_r500": 0.3}
        mass, heat, measure = [], [], []
        for halo_id in range(30):
            (_, _, smooth), (_, _, gas) = (
                _paint(v, 3000, halo_id=halo_id) for v in (SMOOTH, rough)
            )
            mass.append(gas.mass_msun.sum() / smooth.mass_msun.sum())
            heat.append(gas.mass_msun @ gas.kt_kev / (smooth.mass_msun @ smooth.kt_kev))
            measure.append(np.mean(gas.emission_measure_cm3 / smooth.emission_measure_cm3))
        # Some twenty eddies weigh in a halo: 0.3 / sqrt(20 x 30) = 0.012.
        assert np.mean(mass) == pytest.approx(1.0, abs=0.05)
        assert np.mean(heat) / np.mean(mass) == pytest.approx(1.0, abs=0.03)
        assert np.mean(measure) == pytest.approx(np.exp(0.3**2), abs=0.07)

    def test_cool_phase_in_pressure_equilibrium(self):
        _, _, gas = _paint({**SMOOTH, "gas.cool_share": 0.3, "gas.cool_share_scatter": 0.0})
        pressure = gas.kt_kev * gas.emission_measure_cm3 / gas.mass_msun
        order = np.argsort(gas.radius_kpc())
        # Neighbours in radius differ in phase, never in pressure.
        steps = np.diff(np.log(pressure[order][2000:]))
        assert np.median(np.abs(steps)) < 0.01
        jumps = np.abs(np.diff(np.log(gas.kt_kev[order]))) > 0.5 * np.log(2.5)
        assert jumps.mean() == pytest.approx(2 * 0.3 * 0.7, abs=0.02)

    def test_the_core_sloshes_and_the_rest_stays(self):
        values = {**SMOOTH, "gas.offset_max": 0.2, "gas.offset_r500": 0.2}
        halo, _, gas = _paint(values)
        x = gas.radius_kpc() / halo.r500c_kpc
        dense = gas.emission_measure_cm3 / gas.mass_msun
        peak = gas.position_kpc[dense > np.quantile(dense, 0.99)].mean(axis=0)
        assert 0.08 < np.linalg.norm(peak) / halo.r500c_kpc < 0.21
        outer = np.average(gas.position_kpc[x > 1], weights=gas.mass_msun[x > 1], axis=0)
        assert np.linalg.norm(outer) < 0.06 * halo.r500c_kpc

    def test_everything_in_the_list_is_painted(self):
        population = magneticum()
        halo = make_halo(disturbance=2.0)
        field = draw_structures(halo, population, 3, 0)
        assert len(field) > 5
        assert len(field.filaments) > 0
        gas = paint_gas(halo, field, population, 50_000, 3)
        for row in range(len(field)):
            away = gas.position_kpc - field.position_kpc[row]
            near = (away**2).sum(axis=1) < (0.5 * field.r500c_kpc[row]) ** 2
            assert near.sum() >= 8
        middle = 0.5 * (field.filaments.start_kpc[0] + field.filaments.end_kpc[0])
        away = gas.position_kpc[-5000:] - middle
        assert ((away**2).sum(axis=1) < (2 * field.filaments.radius_kpc[0]) ** 2).any()
        assert len(gas) == 50_000
        assert gas.kt_kev.min() >= population.gas.kt_min_kev

    def test_bulk_motion_of_what_falls_in(self):
        halo, field, gas = _paint({"gas.mach_r500": 0.0, "gas.mach_center": 0.0}, disturbance=2.0)
        del halo
        speeds = {tuple(row) for row in np.round(field.velocity_kms, 6)} | {(0.0, 0.0, 0.0)}
        assert {tuple(row) for row in np.round(gas.velocity_kms, 6)} <= speeds


class TestRandomNumbers:
    @pytest.mark.parametrize("name", ARRAYS)
    def test_same_for_any_number_of_threads(self, name):
        numba.set_num_threads(1)
        _, _, one = _paint({}, n=3000)
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
        _, _, all_of_them = _paint({}, n=3000)
        np.testing.assert_array_equal(getattr(one, name), getattr(all_of_them, name))

    def test_seeds_and_haloes_differ(self):
        gases = [
            _paint({}, n=3000)[2],
            _paint({}, n=3000, seed=2)[2],
            _paint({}, n=3000, halo_id=1)[2],
        ]
        radii = [gas.radius_kpc()[:50] for gas in gases]
        assert not np.any(radii[0] == radii[1])
        assert not np.any(radii[0] == radii[2])

    def test_lines_of_sight_show_one_body(self):
        (halo, first, one), (_, second, other) = (
            _paint(ALONE, line_of_sight=k, round_halo=False) for k in (0, 1)
        )
        np.testing.assert_allclose(one.radius_kpc(), other.radius_kpc(), rtol=1e-9)
        np.testing.assert_array_equal(one.kt_kev, other.kt_kev)
        turned = one.position_kpc @ first.orientation[0].T @ second.orientation[0]
        np.testing.assert_allclose(turned, other.position_kpc, atol=1e-6 * halo.r500c_kpc)
        assert not np.allclose(one.position_kpc, other.position_kpc)

    def test_field_of_fluctuations(self):
        cube = FIELD_STEP * _fluctuations().astype(float)
        np.testing.assert_allclose(cube.std(axis=(0, 1, 2)), 1.0, atol=0.01)
        np.testing.assert_allclose(cube.mean(axis=(0, 1, 2)), 0.0, atol=0.01)
        # Neighbouring cells are alike, the far side is not.
        density = cube[..., 0]
        assert np.mean(density * np.roll(density, 1, axis=0)) > 0.7
        assert abs(np.mean(density * np.roll(density, 32, axis=0))) < 0.2

    def test_velocities_are_solenoidal(self):
        velocity = np.moveaxis(_fluctuations().astype(float), -1, 0)[1:]
        k = np.stack(np.meshgrid(*[np.fft.fftfreq(64) * 64] * 3, indexing="ij"))
        modes = np.fft.fftn(velocity, axes=(1, 2, 3))
        low = (k**2).sum(axis=0) < 100
        along = np.abs((k * modes).sum(axis=0))[low].sum()
        total = np.sqrt((k**2).sum(axis=0) * (np.abs(modes) ** 2).sum(axis=0))[low].sum()
        assert along < 0.05 * total


def test_too_few_particles():
    with pytest.raises(InputError, match="n_particles: must be at least 1000; got 999"):
        _paint({}, n=999)
