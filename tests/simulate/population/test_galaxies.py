import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.population.galaxies import GalaxyParameters, paint_galaxies
from icmass.simulate.population.haloes import draw_haloes
from icmass.simulate.population.members import member_agn
from icmass.simulate.population.stellar_masses import draw_satellites, stellar_mass_msun
from icmass.simulate.population.structures import draw_structures, velocity_dispersion_kms
from tests.helpers.population import ALONE, changed, magneticum, make_halo
from tests.helpers.stats import assert_mean, assert_poisson

# A halo without anything around it, round, and exactly as rich and fast as the mean.
QUIET = {
    **ALONE,
    "structures.shape.short_axis": 1.0,
    "structures.shape.short_axis_scatter": 0.0,
    "galaxies.infall_share": 0.0,
    "galaxies.field_density_mpc_h": 0.0,
    "galaxies.richness_scatter": 0.0,
    "galaxies.velocity_scatter": 0.0,
    "galaxies.concentration_scatter": 0.0,
}


def _paint(population, halo, line=0, seed=4):
    return paint_galaxies(
        halo, draw_structures(halo, population, seed, line), population, seed, line
    )


class TestOneHalo:
    def test_same_seed_same_galaxies(self):
        halo = make_halo()
        first, again = (_paint(magneticum(), halo) for _ in range(2))
        np.testing.assert_array_equal(first.position_kpc, again.position_kpc)
        np.testing.assert_array_equal(first.stellar_mass_msun, again.stellar_mass_msun)
        assert len(_paint(magneticum(), halo, seed=5)) != len(first)

    def test_members_are_inside_r200_and_the_central_is_at_rest(self):
        halo = make_halo()
        galaxies = _paint(magneticum(), halo)
        radius = np.linalg.norm(galaxies.position_kpc, axis=1)
        assert 0 < galaxies.member.sum() < len(galaxies)
        assert radius[galaxies.member].max() < halo.r200c_kpc
        assert radius[0] == 0.0
        assert galaxies.v_los_km_s[0] == 0.0
        assert galaxies.member[0]
        assert galaxies.stellar_mass_msun.argmax() == 0

    def test_none_outside_the_cylinder(self):
        galaxies = _paint(magneticum(), make_halo(m500c_msun=1.5e15))
        assert np.abs(galaxies.position_kpc[:, :2]).max() < 2300.0 / 0.704
        assert np.abs(galaxies.position_kpc[:, :2]).max() > 2200.0 / 0.704
        assert np.abs(galaxies.v_los_km_s).max() < 3785.0

    def test_two_lines_of_sight_see_the_same_members(self):
        halo, population = make_halo(), changed({"structures.neighbours.density_mpc_h": 0.0})
        a, b = (_paint(population, halo, line) for line in (0, 1))
        radii = [np.linalg.norm(g.position_kpc[g.member], axis=1) for g in (a, b)]
        np.testing.assert_allclose(*radii, atol=1e-6)
        assert np.abs(a.position_kpc[1] - b.position_kpc[1]).max() > 1.0
        velocities = a.v_los_km_s[a.member], b.v_los_km_s[b.member]
        assert np.corrcoef(*velocities)[0, 1] < 0.95


class TestQuietHaloes:
    def test_number_radii_and_velocities_are_those_asked_for(self):
        population = changed(QUIET)
        painted = [_paint(population, make_halo(halo_id=i, m500c_msun=6e14)) for i in range(60)]
        parameters = population.galaxies
        mean = parameters.richness * (6e14 / parameters.pivot_msun) ** parameters.richness_slope
        assert_poisson(sum(map(len, painted)), 60 * mean, bias=0.1)

        halo = make_halo(m500c_msun=6e14)
        radius = np.concatenate([np.linalg.norm(g.position_kpc, axis=1)[1:] for g in painted])
        c = 4.0 * parameters.concentration_ratio
        x = c * radius / halo.r200c_kpc
        below = (np.log1p(x) - x / (1 + x)) / (np.log1p(c) - c / (1 + c))
        assert_mean(below, 0.5, 12**-0.5)
        assert_mean(below**2, 1 / 3, (4 / 45) ** 0.5)

        rate = 70.4 * float(population.haloes.cosmology().efunc(0.2))
        sigma = velocity_dispersion_kms(halo.m200c_msun, rate, population.structures)
        velocity = np.concatenate([g.v_los_km_s[1:] for g in painted])
        trend = parameters.velocity_center - parameters.velocity_fall * radius / halo.r200c_kpc
        scaled = velocity / (parameters.velocity_ratio * sigma * trend)
        assert_mean(scaled, 0.0, 1.0)
        assert_mean(scaled**2, 1.0, 2**0.5)

    def test_stars_inside_r500_are_the_mass_asked_for(self):
        population = changed({**QUIET, "galaxies.stellar_scatter": 0.0})
        for mass in (6e13, 4e14):
            halo = make_halo(m500c_msun=mass)
            galaxies = _paint(population, halo)
            inside = np.linalg.norm(galaxies.position_kpc, axis=1) < halo.r500c_kpc
            zero = np.zeros(1)
            expected = stellar_mass_msun(np.array([mass]), zero, zero, population.galaxies)
            assert galaxies.stellar_mass_msun[inside].sum() == pytest.approx(float(expected[0]))

    def test_satellites_leave_the_central_its_share(self):
        population = changed({**QUIET, "galaxies.stellar_fraction": 1e-3})
        halo = make_halo()
        galaxies = _paint(population, halo)
        inside = np.linalg.norm(galaxies.position_kpc, axis=1) < halo.r500c_kpc
        whole = galaxies.stellar_mass_msun[inside].sum()
        assert galaxies.stellar_mass_msun[0] / whole == pytest.approx(
            population.galaxies.central_share
        )

    def test_the_field_is_uniform_and_as_dense_as_asked(self):
        density = 0.02
        values = {**QUIET, "galaxies.richness": 1e-6, "galaxies.field_density_mpc_h": density}
        painted = [_paint(changed(values), make_halo(halo_id=i)) for i in range(100)]
        number = sum(len(g) - 1 for g in painted)
        rate = 70.4 * float(magneticum().haloes.cosmology().efunc(0.2))
        volume = 4.6**2 * (2 * 3785.0 / rate * 0.704) * 1.2**3
        assert_poisson(number, 100 * density * volume, bias=0.2)
        assert not np.concatenate([g.member[1:] for g in painted]).any()
        assert_mean(np.concatenate([g.v_los_km_s[1:] for g in painted]), 0.0, 3785.0 / 3**0.5)


class TestCauses:
    def test_star_formation_raises_stars_and_baryons_raise_numbers(self):
        few, many = (
            [_paint(magneticum(), make_halo(halo_id=i, **cause)) for i in range(40)]
            for cause in (
                {"star_formation": -2.0, "baryons": -2.0},
                {"star_formation": 2.0, "baryons": 2.0},
            )
        )
        parameters = magneticum().galaxies
        shared = parameters.richness_baryons + parameters.richness_star_formation
        members = [sum(g.member.sum() for g in group) for group in (few, many)]
        assert members[1] / members[0] == pytest.approx(
            np.exp(4 * shared * parameters.richness_scatter), rel=0.1
        )
        r500 = make_halo().r500c_kpc
        stars = [
            np.median(
                [
                    g.stellar_mass_msun[np.linalg.norm(g.position_kpc, axis=1) < r500].sum()
                    for g in group
                ]
            )
            for group in (few, many)
        ]
        assert stars[1] / stars[0] == pytest.approx(
            np.exp(4 * parameters.stellar_star_formation * parameters.stellar_scatter), rel=0.12
        )

    def test_neighbours_add_galaxies_that_are_no_members(self):
        without = changed({"structures.neighbours.density_mpc_h": 0.0})
        halos = [make_halo(halo_id=i) for i in range(30)]
        dense = [_paint(magneticum(), halo) for halo in halos]
        empty = [_paint(without, halo) for halo in halos]
        assert sum(map(len, dense)) > 1.1 * sum(map(len, empty))
        members = [sum(g.member.sum() for g in group) for group in (dense, empty)]
        assert members[0] == pytest.approx(members[1], rel=0.05)

    def test_satellites_follow_the_schechter_function(self):
        parameters = magneticum().galaxies
        drawn = draw_satellites(40_000, parameters, np.random.default_rng(2))
        x = np.geomspace(
            parameters.satellite_min_msun / parameters.satellite_mass_msun, 10.0, 20_001
        )
        density = x**parameters.satellite_slope * np.exp(-x)
        moments = [np.trapezoid(density * x**k, x) for k in (0, 1, 2)]
        mean, square = moments[1] / moments[0], moments[2] / moments[0]
        assert_mean(drawn / parameters.satellite_mass_msun, mean, np.sqrt(square - mean**2))


class TestParameters:
    def test_correlations_that_leave_no_room_are_refused(self):
        values = magneticum().galaxies.model_dump() | {"richness_star_formation": -0.9}
        with pytest.raises(InputError, match=r"squares that sum to at most 1; got 0\.8 and -0\.9"):
            GalaxyParameters.parse(values)


class TestAgn:
    def test_number_follows_share_and_redshift(self):
        galaxies = _paint(magneticum(), make_halo())
        population = changed({"agn.active_share": 0.1})
        members = int(galaxies.member.sum())
        effective = members + population.agn.interloper_share * (len(galaxies) - members)
        for redshift in (0.07, 0.47):
            drawn = sum(
                len(member_agn(galaxies, make_halo(halo_id=i, redshift=redshift), population, 1))
                for i in range(200)
            )
            share = 0.1 * ((1 + redshift) / 1.25) ** population.agn.redshift_slope
            assert_poisson(drawn, 200 * share * effective, bias=0.25)

    def test_they_are_where_galaxies_are_and_as_bright_as_allowed(self):
        galaxies = _paint(magneticum(), make_halo())
        population = changed({"agn.active_share": 0.5})
        agn = member_agn(galaxies, make_halo(), population, 1)
        places = set(map(tuple, galaxies.position_kpc[:, :2]))
        assert len(agn) > 10
        assert set(zip(agn.east_kpc, agn.north_kpc, strict=True)) <= places
        low, high = population.agn.log_hard_luminosity
        assert low <= agn.log_hard_luminosity.min()
        assert agn.log_hard_luminosity.max() <= high

    def test_none_where_no_galaxy_is_active(self):
        agn = member_agn(
            _paint(magneticum(), make_halo()), make_halo(), changed({"agn.active_share": 0.0}), 1
        )
        assert len(agn) == 0


@pytest.fixture(scope="module")
def sample():
    """ln M, N_gal, true dispersion, stellar mass and cause of 500 haloes."""
    population = magneticum()
    haloes = draw_haloes(population, 8, 0, 500)
    rows = []
    for i in range(500):
        halo = haloes.row(i)
        galaxies = _paint(population, halo, seed=8)
        inside = np.linalg.norm(galaxies.position_kpc, axis=1) < halo.r500c_kpc
        near = np.hypot(*galaxies.position_kpc[:, :2].T) < 1250.0 / 0.704
        near &= np.abs(galaxies.v_los_km_s) < 2000.0
        rows.append(
            (
                np.log(halo.m500c_msun),
                np.log(near.sum()),
                np.log(galaxies.v_los_km_s[galaxies.member].std(ddof=1)),
                np.log(galaxies.stellar_mass_msun[inside].sum()),
                halo.star_formation,
                len(galaxies),
            )
        )
    return np.array(rows).T


class TestPopulation:
    """The study's numbers; 500 haloes give scatters to 3%, and one fit serves all redshifts."""

    @pytest.mark.parametrize(
        ("row", "low", "high"), [(1, 0.33, 0.49), (2, 0.32, 0.48), (3, 0.112, 0.140)]
    )
    def test_scatter_in_mass(self, sample, row, low, high):
        slope, offset = np.polyfit(sample[0], sample[row], 1)
        scatter = (sample[row] - slope * sample[0] - offset).std(ddof=2) / slope
        assert low < scatter < high

    def test_slopes_of_stars_and_numbers(self, sample):
        assert np.polyfit(sample[0], sample[3], 1)[0] == pytest.approx(0.85, abs=0.04)
        assert np.polyfit(sample[0], sample[1], 1)[0] == pytest.approx(0.65, abs=0.08)

    def test_stars_follow_the_cause_they_share_with_gas(self, sample):
        slope, offset = np.polyfit(sample[0], sample[3], 1)
        residual = sample[3] - slope * sample[0] - offset
        assert np.corrcoef(residual, sample[4])[0, 1] == pytest.approx(0.70, abs=0.1)

    def test_counts_in_the_cylinder(self, sample):
        assert 25 <= sample[5].min() <= 45
        assert 100 <= np.median(sample[5]) <= 125
        assert 250 <= sample[5].max() <= 700
