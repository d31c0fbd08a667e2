import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from icmass.simulate.lightcone.counts import count_grid
from icmass.simulate.lightcone.draw import shell_tables
from icmass.simulate.lightcone.field import clustering_bias, field_variance
from icmass.simulate.lightcone.shell_table import shell_table
from tests.helpers.population import magneticum
from tests.helpers.stats import assert_chi_square, chi_square, ks_p_value

PARAMETERS = magneticum().haloes
LIMITS = (0.3, 0.35)
LEAST = 3e13
GRID = count_grid(PARAMETERS, LEAST, LIMITS)
BIAS = clustering_bias(PARAMETERS, GRID.log10_mass, 6, 0.325)
VARIANCE = field_variance(PARAMETERS, 6)
(TABLE,) = shell_tables(PARAMETERS, LEAST, LIMITS)


def intensity(field):
    """Haloes per square degree by redshift and mass where the field is so."""
    return GRID.per_deg2 * np.exp(BIAS * field - 0.5 * VARIANCE * BIAS**2)


class TestIntensity:
    def test_mean_is_that_of_the_mass_function(self):
        sigma = np.sqrt(VARIANCE)
        mean, _ = quad(
            lambda x: TABLE.expected_per_deg2(x * sigma) * norm.pdf(x), -9, 9, limit=400,
            points=np.linspace(-6, 6, 97), epsrel=1e-9,
        )  # fmt: skip
        # 2e-9 lie beyond the nodes.
        assert mean == pytest.approx(GRID.per_deg2.sum(), rel=1e-6)

    @pytest.mark.parametrize("field", [-0.71, 0.0, 0.33, 1.21])
    def test_is_lognormal(self, field):
        expected = intensity(field).sum()
        assert TABLE.expected_per_deg2(field) == pytest.approx(expected, rel=0.01)

    def test_without_clustering(self):
        (table,) = shell_tables(PARAMETERS, LEAST, LIMITS, clustering=False)
        field = np.array([-1.0, 0.0, 2.0])
        np.testing.assert_allclose(table.expected_per_deg2(field), GRID.per_deg2.sum())

    def test_shells(self):
        tables = shell_tables(PARAMETERS, LEAST, (0.07, 0.23))
        assert [table.shell for table in tables] == [1, 2, 3, 4]
        ends = [(t.redshift_edges[0], t.redshift_edges[-1]) for t in tables]
        np.testing.assert_allclose(ends, [(0.07, 0.1), (0.1, 0.15), (0.15, 0.2), (0.2, 0.23)])


class TestChoice:
    @pytest.mark.parametrize("field", [-0.5, 0.913])
    def test_masses_follow_the_density(self, field):
        uniform = np.random.default_rng(3).random((30_000, 2))
        chosen = TABLE.choose(np.full(len(uniform), field), uniform)

        def cdf_at(value):
            cumulative = np.concatenate([[0.0], np.cumsum(intensity(value).sum(axis=0))])
            return lambda x: np.interp(x, GRID.log10_mass_edges, cumulative / cumulative[-1])

        assert ks_p_value(chosen.log10_mass, cdf_at(field)) > 1e-4
        assert ks_p_value(chosen.log10_mass, cdf_at(0.0)) < 1e-4

    def test_redshifts_follow_the_density(self):
        field = 0.4
        uniform = np.random.default_rng(4).random((30_000, 2))
        chosen = TABLE.choose(np.full(len(uniform), field), uniform)
        counts = np.bincount(chosen.redshift_bin, minlength=10)
        share = intensity(field).sum(axis=1)
        assert_chi_square(counts, 30_000 * share / share.sum())
        assert chi_square(counts, np.full(10, 3000.0)).z > 4.5

    def test_limits_are_kept(self):
        uniform = np.array([[0.0, 0.0], [1.0 - 1e-16, 1.0 - 1e-16]])
        for field in (-9.0, 9.0, 0.0):
            chosen = TABLE.choose(np.full(2, field), uniform)
            assert chosen.log10_mass.min() >= np.log10(LEAST)
            assert chosen.log10_mass.max() <= 15.8
            assert chosen.redshift_bin.min() >= 0
            assert chosen.redshift_bin.max() <= 9

    def test_without_clustering(self):
        table = shell_table(6, GRID, slice(0, 10), None, 0.0)
        uniform = np.random.default_rng(5).random((20_000, 2))
        chosen = table.choose(np.zeros(len(uniform)), uniform)
        counts = np.bincount(chosen.redshift_bin, minlength=10)
        assert_chi_square(counts, 20_000 * GRID.per_deg2.sum(axis=1) / GRID.per_deg2.sum())
