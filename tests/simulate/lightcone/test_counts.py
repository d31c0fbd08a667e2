import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.lightcone.counts import count_grid, expected_per_deg2, halo_density
from tests.helpers.population import changed, magneticum

# Planck Collaboration VI (2020), with BAO.
PLANCK = {
    "haloes.h": 0.6766,
    "haloes.omega_m": 0.3111,
    "haloes.omega_b": 0.049,
    "haloes.sigma8": 0.8102,
    "haloes.n_s": 0.9665,
}


class TestDensity:
    def test_is_tinker08_without_h(self):
        from colossus.cosmology import cosmology
        from colossus.lss import mass_function

        before = cosmology.current_cosmo
        cosmology.setCurrent(
            cosmology.Cosmology(
                name="test", H0=70.4, Om0=0.272, Ob0=0.0456, sigma8=0.809, ns=0.963, flat=True,
                relspecies=False, persistence="",
            )
        )  # fmt: skip
        log_mass = np.array([13.4, 14.2, 15.0])
        expected = 0.704**3 * mass_function.massFunction(
            0.704 * 10**log_mass, 0.37, mdef="500c", model="tinker08", q_out="dndlnM"
        )
        cosmology.current_cosmo = before
        found = halo_density(magneticum().haloes, log_mass, 0.37)
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_the_edge_of_the_sample_does_not_enter(self):
        other = changed({"haloes.lower_edge_log10": 14.5, "haloes.log10_m500c_min": 14.0})
        log_mass = np.array([13.3, 13.8])
        np.testing.assert_array_equal(
            halo_density(other.haloes, log_mass, 0.2),
            halo_density(magneticum().haloes, log_mass, 0.2),
        )

    def test_colossus_is_left_as_it_was(self):
        from colossus.cosmology import cosmology

        before = cosmology.current_cosmo
        halo_density(magneticum().haloes, np.array([14.0]), 0.2)
        assert cosmology.current_cosmo is before


class TestCounts:
    @pytest.mark.parametrize(("mass", "count"), [(5e13, 21.9), (1e14, 6.07), (3e14, 0.433)])
    def test_known_counts(self, mass, count):
        """PHYSICS.md, section 6."""
        found = expected_per_deg2(changed(PLANCK).haloes, mass, (0.05, 0.8))
        assert found == pytest.approx(count, rel=2e-3)

    def test_another_cosmology_counts_otherwise(self):
        found = expected_per_deg2(magneticum().haloes, 1e14, (0.05, 0.8))
        assert found == pytest.approx(4.27, rel=0.01)

    def test_parts_add_up(self):
        parameters = magneticum().haloes
        whole = expected_per_deg2(parameters, 1e14, (0.05, 0.31))
        parts = [(0.05, 0.1234), (0.1234, 0.31)]
        total = sum(expected_per_deg2(parameters, 1e14, part) for part in parts)
        assert total == pytest.approx(whole, rel=1e-4)

    def test_edges(self):
        grid = count_grid(magneticum().haloes, 2e14, (0.052, 0.068))
        np.testing.assert_allclose(grid.redshift_edges, [0.052, 0.055, 0.06, 0.065, 0.068])
        assert grid.log10_mass_edges[0] == np.log10(2e14)
        assert grid.log10_mass_edges[-1] == 15.8
        assert grid.per_deg2.shape == (4, len(grid.log10_mass))

    def test_edges_at_multiples_are_there_once(self):
        grid = count_grid(magneticum().haloes, 2e14, (0.05, 0.065))
        np.testing.assert_allclose(grid.redshift_edges, [0.05, 0.055, 0.06, 0.065])


class TestLimits:
    @pytest.mark.parametrize("mass", [13.3, 0.0, 1e16, float("nan")])
    def test_masses(self, mass):
        with pytest.raises(InputError, match=r"min_mass_msun: must lie between 1e.12 and 6.31e.15"):
            expected_per_deg2(magneticum().haloes, mass, (0.05, 0.8))

    @pytest.mark.parametrize("limits", [(0.0, 0.5), (0.5, 0.1), (0.1, 9.0), (0.1,)])
    def test_redshifts(self, limits):
        with pytest.raises(InputError, match="redshift_range: must be two ascending numbers above"):
            expected_per_deg2(magneticum().haloes, 1e14, limits)
