"""Centre and mass of clusters: analytic profiles, several haloes, periodic boxes."""

import numpy as np
import pytest

from icmass.simulate.halo import Matter, find_center, offset, overdensity_sphere, select_sphere

CRITICAL = 130.0  # Msun/kpc^3


def cloud(center, count, mass, *, seed, radius=1500.0):
    """Singular isothermal sphere, symmetric about its centre."""
    rng = np.random.default_rng(seed)
    half = count // 2
    direction = rng.normal(size=(half, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    step = direction * ((np.arange(half) + 0.5) / half * radius)[:, None]
    return Matter(np.concatenate([center + step, center - step]), np.full(2 * half, mass / count))


def test_overdensity_of_an_isothermal_sphere_is_analytic():
    count, mass, radius = 20_000, 1e15, 3000.0
    distance = (np.arange(count) + 0.5) / count * radius
    for contrast in (500, 200):
        sphere = overdensity_sphere(distance, np.full(count, mass / count), contrast, CRITICAL)
        expected = np.sqrt(3 * mass / radius / (4 * np.pi * contrast * CRITICAL))
        # one particle of the sphere is a step of 1 / (count r / R), twice that in mass
        assert sphere.radius_kpc == pytest.approx(expected, rel=2 * radius / expected / count)
        assert sphere.mass_msun == pytest.approx(mass * expected / radius, rel=1e-3)
        mean = sphere.mass_msun / (4 / 3 * np.pi * sphere.radius_kpc**3)
        assert mean == pytest.approx(contrast * CRITICAL, rel=2e-3)


def test_overdensity_is_nan_where_it_is_never_reached_or_never_left():
    distance = np.linspace(1, 100, 500)
    too_little = overdensity_sphere(distance, np.full(500, 1.0), 500, CRITICAL)
    never_left = overdensity_sphere(distance, np.full(500, 1e14), 500, CRITICAL)
    assert np.isnan([too_little.mass_msun, too_little.radius_kpc]).all()
    assert np.isnan([never_left.mass_msun, never_left.radius_kpc]).all()
    assert np.isnan(overdensity_sphere(np.empty(0), np.empty(0), 500, CRITICAL).mass_msun)


def test_overdensity_stops_at_the_first_crossing_before_a_neighbour():
    inner = (np.arange(5000) + 0.5) / 5000 * 1500
    alone = overdensity_sphere(inner, np.full(5000, 1e11), 500, CRITICAL)
    distance = np.concatenate([inner, np.full(5000, 2500.0)])
    mass = np.concatenate([np.full(5000, 1e11), np.full(5000, 1e13)])
    assert overdensity_sphere(distance, mass, 500, CRITICAL) == alone


def test_center_of_one_cloud_far_from_the_middle():
    center = np.array([812.0, 4350.0, 2077.0])
    found = find_center([cloud(center, 4000, 1e14, seed=1)])
    # 100 particles fill 100 / 4000 of the radius of 1500 kpc
    assert np.abs(found - center).max() < 1500 * 100 / 4000


def test_center_is_that_of_the_most_massive_of_several():
    rng = np.random.default_rng(7)
    centers = np.array([[5e3, 9e3, 3e4], [3.2e4, 8e3, 6e3], [2e4, 3.1e4, 2.2e4]])
    masses = [2e14, 5e14, 3e14]
    clouds = [
        cloud(c, 3000, m, seed=i) for i, (c, m) in enumerate(zip(centers, masses, strict=True))
    ]
    field = Matter(rng.uniform(0, 4e4, (3000, 3)), np.full(3000, 1e10))
    for box_kpc in (None, 4e4):
        found = find_center([*clouds, field], box_kpc)
        assert np.abs(found - centers[1]).max() < 60
    # negative control: the same haloes with another one heaviest
    swapped = [cloud(c, 3000, m, seed=3) for c, m in zip(centers, [5e14, 2e14, 3e14], strict=True)]
    assert np.abs(find_center(swapped) - centers[0]).max() < 60


def test_center_is_weighted_by_mass_and_not_by_number():
    light = cloud(np.array([5e3, 5e3, 5e3]), 8000, 1e13, seed=1)
    heavy = cloud(np.array([2e4, 1e4, 5e3]), 1000, 3e14, seed=2)
    assert np.abs(find_center([light, heavy]) - [2e4, 1e4, 5e3]).max() < 160


def test_center_across_the_edge_of_a_periodic_box():
    box, center = 2e4, np.array([60.0, 19_900.0, 10.0])
    matter = cloud(center, 4000, 1e14, seed=4)
    wrapped = Matter(matter.position_kpc % box, matter.mass_msun)
    step = offset(find_center([wrapped], box), center, box)
    assert np.abs(step).max() < 40
    about_zero = Matter(offset(wrapped.position_kpc, np.zeros(3), box), matter.mass_msun)
    found = find_center([about_zero], box)
    assert np.abs(found - [60.0, -100.0, 10.0]).max() < 40  # in the frame of the positions
    inside, _ = select_sphere(wrapped.position_kpc, center, 1501.0, box)
    assert len(inside) == 4000
    # negative control: without wrapping, the part beyond the edge is lost
    assert len(select_sphere(wrapped.position_kpc, center, 1501.0)[0]) < 1500


@pytest.mark.parametrize("count", [1, 2, 99])
def test_few_particles_have_a_center(count):
    position = np.random.default_rng(3).normal(1000, 1, (count, 3))
    found = find_center([Matter(position, np.ones(count))])
    assert np.abs(found - 1000).max() < 2e3


def test_single_precision_and_chunks_agree_with_the_plain_formula(monkeypatch):
    monkeypatch.setattr("icmass.simulate.halo.CHUNK_ROWS", 7)
    rng = np.random.default_rng(11)
    box, center = 100.0, np.array([3.0, 50.0, 97.0])
    position = rng.uniform(0, box, (1000, 3)).astype(np.float32)
    rows, step = select_sphere(position, center, 20.0, box)
    plain = np.abs(position - center)
    plain = np.minimum(plain, box - plain)
    expected = np.flatnonzero((plain**2).sum(axis=1) <= 400)
    assert rows.dtype == np.int64
    assert np.array_equal(rows, expected)
    assert np.abs(step).max() <= 20
    assert len(select_sphere(position[:0], center, 20.0)[0]) == 0


def test_order_of_particles_does_not_matter():
    matter = cloud(np.array([1e3, 2e3, 3e3]), 2000, 1e14, seed=9)
    order = np.random.default_rng(1).permutation(2000)
    shuffled = Matter(matter.position_kpc[order], matter.mass_msun[order])
    assert find_center([shuffled]) == pytest.approx(find_center([matter]), abs=1e-6)
    halves = [Matter(matter.position_kpc[i::2], matter.mass_msun[i::2]) for i in (0, 1)]
    assert find_center(halves) == pytest.approx(find_center([matter]), abs=1e-6)
