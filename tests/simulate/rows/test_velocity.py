"""Velocity dispersions: by hand, of Gaussians, against astropy, and what the cylinder holds."""

import numpy as np
import pytest
from astropy.stats import biweight_scale

from icmass.simulate.rows.velocity import biweight, clip, galaxy_observables, gapper
from icmass.simulate.scene import SceneGalaxies
from tests.helpers.stats import Z_MAX, samples_for_width

SIGMA = 700.0


def galaxies(velocity, projected=None):
    position = np.zeros((len(velocity), 3))
    position[:, 1] = 0.0 if projected is None else projected
    position[:, 2] = 5e4  # far behind: an observer does not know
    count = len(velocity)
    return SceneGalaxies(
        position, np.asarray(velocity, float), np.ones(count), np.ones(count, bool)
    )


def test_gapper_by_hand():
    # Sorted 0, 1, 4: weights 1 * 2 and 2 * 1, gaps 1 and 3.
    assert gapper(np.array([4.0, 0.0, 1.0])) == pytest.approx(np.sqrt(np.pi) / 6.0 * (2 + 6))


def test_biweight_is_that_of_astropy():
    velocity = np.random.default_rng(1).standard_t(3, 80) * SIGMA
    assert biweight(velocity) == pytest.approx(biweight_scale(velocity), rel=1e-12)


@pytest.mark.parametrize("measure", [gapper, biweight, lambda v: np.std(clip(v), ddof=1)])
def test_gaussian_dispersion_is_found(measure):
    count = samples_for_width(0.05)
    velocity = np.random.default_rng(2).normal(300.0, SIGMA, count)
    allowed = Z_MAX / np.sqrt(2 * count) * 1.1  # the robust ones scatter a little more
    assert abs(measure(velocity) / SIGMA - 1.0) < allowed
    assert abs(measure(1.05 * velocity) / SIGMA - 1.0) > 0.05 - allowed  # the control


def test_clipping_leaves_out_one_after_another():
    core = np.random.default_rng(3).normal(0.0, 100.0, 100)
    core = core[np.abs(core) < 250.0]
    left = clip(np.concatenate([core, [1000.0], [9000.0]]))
    assert sorted(left) == sorted(core)


def test_cylinder_of_the_study():
    radius = 1250.0 / 0.704
    velocity = [-2000.0, 0.0, 100.0, 2001.0, 50.0, -2001.0]
    projected = [0.0, radius * 0.999, 10.0, 0.0, radius * 1.001, 0.0]
    found = galaxy_observables(galaxies(velocity, projected))
    assert found["n_gal"] == 3
    assert found["sigma_v_clipped_km_s"] == pytest.approx(np.std([-2000, 0, 100], ddof=1))


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_galaxies_are_not_known(count):
    found = galaxy_observables(galaxies(np.zeros(count)))
    assert found.pop("n_gal") == count
    assert all(np.isnan(value) for value in found.values())


def test_biweight_of_equal_velocities_is_zero():
    assert biweight(np.array([5.0, 5.0, 5.0, 900.0])) == 0.0
