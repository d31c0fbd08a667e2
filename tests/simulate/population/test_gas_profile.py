from dataclasses import replace

import numpy as np
import pytest

from icmass.simulate.population.gas_profile import gas_layers
from icmass.simulate.population.structures import draw_structures
from tests.helpers.population import ALONE, changed, magneticum, make_halo


def _layers(population=None, seed=1, efunc=1.0, structures=None, **values):
    population = changed(ALONE, population)
    halo = make_halo(**values)
    field = draw_structures(halo, population, 1, 0) if structures is None else structures
    rng = np.random.default_rng(seed)
    return gas_layers(halo, field, population.gas, efunc, rng)


def _inside(layers):
    return layers.edges[1:] <= 1.0 + 1e-9


def _gas_mass(layers, row=0):
    return layers.mass_msun[row, _inside(layers)].sum()


def _mean_kt(layers, cool_factor):
    weight = layers.mass_msun[0, _inside(layers)]
    share = layers.cool_share[0]
    hot = np.average(layers.kt_kev[0, _inside(layers)], weights=weight)
    return hot * (1.0 - share + share / cool_factor)


class TestScaling:
    @pytest.mark.parametrize("mass", [5e13, 3e14, 1e15])
    def test_gas_mass_of_an_average_halo(self, mass):
        gas = magneticum().gas
        expected = mass * gas.gas_fraction * (mass / gas.gas_pivot_msun) ** gas.gas_slope
        assert _gas_mass(_layers(m500c_msun=mass)) == pytest.approx(expected, rel=1e-9)

    def test_mass_weighted_temperature_whatever_the_profile(self):
        gas = magneticum().gas
        expected = gas.kt_kev * (3e14 / gas.kt_pivot_msun) ** gas.kt_slope * 1.3 ** (2 / 3)
        for seed in range(5):
            layers = _layers(seed=seed, efunc=1.3, cool_core=seed - 2.0)
            assert _mean_kt(layers, gas.cool_factor) == pytest.approx(expected, rel=1e-9)

    def test_causes_of_gas_and_temperature(self):
        gas = magneticum().gas
        plain = _layers()
        stars = _layers(star_formation=1.0)
        change = np.log(_gas_mass(stars) / _gas_mass(plain))
        assert change == pytest.approx(gas.gas_scatter * gas.gas_star_formation)
        kept = _layers(baryons=1.0)
        change = np.log(_gas_mass(kept) / _gas_mass(plain))
        assert change == pytest.approx(gas.gas_scatter * np.sqrt(1 - gas.gas_star_formation**2))
        cooler = np.log(_mean_kt(kept, gas.cool_factor) / _mean_kt(plain, gas.cool_factor))
        assert cooler == pytest.approx(gas.kt_scatter * gas.kt_baryons)
        late = _layers(disturbance=1.0)
        cooler = np.log(_mean_kt(late, gas.cool_factor) / _mean_kt(plain, gas.cool_factor))
        assert cooler == pytest.approx(gas.kt_scatter * gas.kt_disturbance)

    def test_what_fell_in_is_part_of_the_gas(self):
        population = changed(ALONE)
        halo = make_halo()
        alone = draw_structures(halo, population, 1, 0)
        row = alone.select(np.array([0, 0]))
        row |= {
            "kind": np.array([0, 1], np.uint8),
            "position_kpc": np.array([[0.0, 0, 0], [0.4 * halo.r500c_kpc, 0, 0]]),
            "m500c_msun": halo.m500c_msun * np.array([1.0, 0.1]),
            "r500c_kpc": halo.r500c_kpc * np.array([1.0, 0.1 ** (1 / 3)]),
        }
        both = _layers(structures=replace(alone, **row))
        single = _layers(structures=alone)
        # The shapes differ by the second row's draws only, the first being the same.
        assert _gas_mass(both) + _gas_mass(both, 1) == pytest.approx(_gas_mass(single), rel=0.05)
        assert _gas_mass(both) < 0.95 * _gas_mass(single)

    def test_truncated(self):
        field = draw_structures(make_halo(), changed(ALONE), 1, 0)
        layers = _layers(structures=replace(field, truncation_r500=np.array([0.5])))
        assert not layers.mass_msun[0, layers.edges[1:] > 0.5].any()
        assert layers.mass_msun[0, layers.edges[1:] <= 0.5].all()


class TestShapes:
    def test_cool_cores_are_dense_cold_and_rich(self):
        weak, strong = _layers(cool_core=-1.5), _layers(cool_core=1.5)
        core = weak.edges[1:] < 0.05
        assert strong.density[0, core].mean() > 3.0 * weak.density[0, core].mean()
        assert strong.kt_kev[0, core].mean() < 0.8 * weak.kt_kev[0, core].mean()
        assert (np.diff(strong.metallicity_solar[0]) <= 0).all()

    def test_outer_slopes_are_those_observed(self):
        # Mean dln n / dln r of -1.9 to -2.4 between 0.6 and 1.2 R500c.
        slopes = []
        for seed in range(60):
            layers = _layers(seed=seed)
            x = 0.5 * (layers.edges[1:] + layers.edges[:-1])
            n = np.interp([0.6, 1.2], x, layers.density[0])
            slopes.append(np.log(n[1] / n[0]) / np.log(2.0))
        assert -2.4 < np.mean(slopes) < -1.9

    def test_temperature_falls_outwards_within_the_bend(self):
        gas = magneticum().gas
        for seed in range(20):
            layers = _layers(seed=seed, cool_core=(seed - 10) / 5)
            span = np.log(layers.kt_kev[0].max() / layers.kt_kev[0].min())
            assert 0.2 < span < gas.kt_bend_low + gas.kt_bend_high
        x = layers.edges[1:]
        assert (
            layers.kt_kev[0, x > 2.0].mean() < 0.7 * layers.kt_kev[0, (x > 0.3) & (x < 0.6)].mean()
        )

    def test_turbulence_grows_outwards_and_with_mergers(self):
        calm, stormy = _layers(disturbance=-1.0), _layers(disturbance=1.5)
        assert (np.diff(calm.fluctuation[0]) >= 0).all()
        assert stormy.fluctuation[0, -1] > 1.5 * calm.fluctuation[0, -1]
        sound = calm.velocity_kms[0] / np.sqrt(calm.kt_kev[0])
        assert sound[-1] > 2.0 * sound[0]

    def test_pressure_is_that_of_arnaud_where_nothing_scatters(self):
        still = {
            "gas.pressure_slope_scatter": 0.0,
            "gas.kt_bend_low": 50.0,
            "gas.kt_bend_high": 50.0,
        }
        layers = _layers(changed(still))
        x = np.sqrt(layers.edges[2:] * layers.edges[1:-1])
        pressure = (layers.density * layers.kt_kev)[0, 1:]
        u = 1.177 * x
        expected = u**-0.3081 * (1 + u**1.0510) ** ((0.3081 - 5.4905) / 1.0510)
        ratio = pressure / expected
        np.testing.assert_allclose(ratio, ratio[0], rtol=0.01)
