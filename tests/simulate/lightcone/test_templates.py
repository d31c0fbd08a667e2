import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.gas import Halo
from icmass.simulate.lightcone import draw_light_cone, nearest_templates, with_templates
from icmass.simulate.lightcone.own_numbers import own_normals, own_uniforms
from icmass.simulate.population.haloes import CAUSES
from tests.helpers.light_cones import pixels_within
from tests.helpers.population import magneticum
from tests.helpers.stats import assert_chi_square, assert_distribution

CONE = draw_light_cone(
    magneticum().haloes, pixels_within(16, 900), redshift_range=(0.2, 0.6), clustering=False, seed=2
)


def halo(mass, r500c=700.0):
    return Halo((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), mass, r500c, 1.4 * mass, 1.5 * r500c, True)


class TestNearest:
    def test_a_single_near_one_is_taken(self):
        masses = CONE.haloes.m500c_msun[:1] * np.array([3.0, 1.02, 0.2])
        redshift = np.repeat(CONE.haloes.redshift[:1], 3)
        assert nearest_templates(CONE, masses, redshift, 1)[0] == 1

    def test_redshift_counts(self):
        near = CONE.select(np.abs(np.log(CONE.haloes.m500c_msun / 3e13)) < 0.1)
        found = nearest_templates(near, np.full(2, 3e13), np.array([0.1, 0.9]), 1)
        redshift = near.haloes.redshift
        assert len(found[redshift < 0.4]) > 5
        assert not found[redshift < 0.4].any()
        assert found[redshift > 0.5].all()

    def test_alike_ones_are_used_alike(self):
        found = nearest_templates(CONE, np.full(5, 3e13), np.full(5, 0.4), 1)
        assert_chi_square(np.bincount(found, minlength=5), np.full(5, len(CONE) / 5))

    def test_choice_is_the_halos_own(self):
        masses, redshift = np.full(6, 3e13), np.linspace(0.3, 0.31, 6)
        whole = nearest_templates(CONE, masses, redshift, 1)
        part = np.array([40, 11, 3])
        np.testing.assert_array_equal(
            nearest_templates(CONE.select(part), masses, redshift, 1), whole[part]
        )
        assert np.any(nearest_templates(CONE, masses, redshift, 2) != whole)

    def test_none_to_choose_for(self):
        empty = CONE.select(np.zeros(0, int))
        assert len(nearest_templates(empty, np.array([1e14]), np.array([0.2]), 1)) == 0

    def test_no_template(self):
        with pytest.raises(InputError, match="templates: must be at least one, with a mass"):
            nearest_templates(CONE, np.zeros(0), np.zeros(0), 1)

    def test_impossible_template(self):
        with pytest.raises(InputError, match=r"templates: must have positive M500c .*template 1 "):
            nearest_templates(CONE, np.array([1e14, np.nan]), np.array([0.2, 0.2]), 1)


class TestTruth:
    def test_masses_become_those_of_the_template(self):
        chosen = np.arange(len(CONE)) % 2
        cone = with_templates(CONE, chosen, [halo(1e14), halo(4e14, 1100.0)])
        np.testing.assert_array_equal(cone.haloes.m500c_msun, np.where(chosen == 0, 1e14, 4e14))
        np.testing.assert_array_equal(cone.haloes.r500c_kpc, np.where(chosen == 0, 700.0, 1100.0))
        np.testing.assert_array_equal(cone.template, chosen)
        np.testing.assert_array_equal(cone.haloes.redshift, CONE.haloes.redshift)
        np.testing.assert_array_equal(cone.key, CONE.key)
        for name in ("concentration", *CAUSES):
            assert np.isnan(getattr(cone.haloes, name)).all()

    def test_not_a_template(self):
        with pytest.raises(InputError, match="template: must lie between 0 and 0; got 1 to 1"):
            with_templates(CONE, np.ones(len(CONE), int), [halo(1e14)])

    def test_wrong_number(self):
        with pytest.raises(InputError, match="template: must be one for each of"):
            with_templates(CONE, np.zeros(2, int), [halo(1e14)])


class TestOwnNumbers:
    KEY = np.arange(20_000) * 3 + 7

    def test_uniform_and_independent(self):
        numbers = own_uniforms(5, "x", self.KEY, 3)
        for column in numbers.T:
            assert_distribution(column, lambda x: x)
        # Correlations of 20,000 scatter by 0.007.
        others = [numbers[:, 1], own_uniforms(5, "y", self.KEY, 1)[:, 0], np.roll(numbers[:, 0], 1)]
        for other in others:
            assert abs(np.corrcoef(numbers[:, 0], other)[0, 1]) < 0.032

    def test_normal(self):
        from scipy.stats import norm

        assert_distribution(own_normals(5, "x", self.KEY, 2)[:, 1], norm.cdf)

    def test_same_as_the_kernel(self):
        """SplitMix64 as the photons draw it."""
        from icmass.simulate.photons.random_kernels import substream, uniform
        from icmass.simulate.rng import kernel_key, stream

        words = kernel_key(stream(5, "lightcone", "own", "x"))
        start = substream(words, np.uint64(self.KEY[4]))
        expected = uniform(np.uint64(start), np.uint64(2))
        assert own_uniforms(5, "x", self.KEY, 3)[4, 2] == pytest.approx(expected, abs=2e-16)
