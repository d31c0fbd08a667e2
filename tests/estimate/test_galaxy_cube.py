"""Galaxy cubes: against SciPy and a plain twin, directions, narrow kernels, few galaxies."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.stats import gaussian_kde

from icmass.catalog import Catalog, galaxy_rows
from icmass.errors import InputError
from icmass.estimate.galaxy_cube import CubeGeometry, galaxy_cube, galaxy_cubes
from icmass.estimate.galaxy_cube_kernels import add_gaussians
from tests.helpers.catalogs import SPEC, shard_data

STUDY = CubeGeometry()
SMALL = CubeGeometry(n=13, half_width_kpc=900.0, max_speed_km_s=2000.0, bandwidth=0.5)
MEAN = np.array([-300.0, 400.0, 600.0])  # to the west, to the north, receding
SCATTER = np.array([900.0, 700.0, 1100.0])  # no two axes alike
CORRELATION = np.array([[1.0, 0.5, -0.3], [0.5, 1.0, 0.2], [-0.3, 0.2, 1.0]])


def group(n: int = 120, size: float = 1.0, seed: int = 7) -> np.ndarray:
    """Make galaxies about a place off the centre, shape (n, 3): east, north, velocity."""
    covariance = size**2 * CORRELATION * SCATTER * SCATTER[:, None]
    return np.random.default_rng(seed).multivariate_normal(MEAN, covariance, n)


def rows(places: np.ndarray) -> np.ndarray:
    """Make what a catalog holds of galaxies."""
    east, north, v_los = np.asarray(places, float).reshape(-1, 3).T
    one = np.ones(len(east))
    return galaxy_rows(
        east_kpc=east, north_kpc=north, v_los_km_s=v_los, stellar_mass_msun=one, member=one > 0
    )


def chosen(galaxies: np.ndarray, geometry: CubeGeometry) -> np.ndarray:
    """Return galaxies in the cylinder, shape (m, 3): velocity, north, east."""
    columns = [galaxies[name].astype(float) for name in ("v_los_km_s", "north_kpc", "east_kpc")]
    data = np.stack(columns, axis=1)
    near = np.hypot(data[:, 1], data[:, 2]) < geometry.half_width_kpc
    return data[near & (abs(data[:, 0]) < geometry.max_speed_km_s)]


def cell_centres(geometry: CubeGeometry) -> np.ndarray:
    """Return the centres of cells, shape (n^3, 3): velocity, north, east."""
    n = geometry.n
    middle = (np.arange(n) + 0.5) / n * 2 - 1  # from -1 to 1
    v, y, x = np.meshgrid(middle, middle, middle, indexing="ij")
    width = geometry.half_width_kpc
    return np.stack([v * geometry.max_speed_km_s, y * width, -x * width], axis=-1).reshape(-1, 3)


def scipy_twin(galaxies: np.ndarray, geometry: CubeGeometry) -> np.ndarray:
    kernel = gaussian_kde(chosen(galaxies, geometry).T, bw_method=geometry.bandwidth)
    density = kernel(cell_centres(geometry).T)
    return (density / density.sum()).reshape((geometry.n,) * 3)


def twin(galaxies: np.ndarray, geometry: CubeGeometry) -> np.ndarray:
    """Do the same slowly, with kernels cut at 5 standard deviations and never narrow."""
    cell = 2 * np.array([geometry.max_speed_km_s, *[geometry.half_width_kpc] * 2]) / geometry.n
    data = chosen(galaxies, geometry) / cell
    values, axes = np.linalg.eigh(np.cov(data.T) * geometry.bandwidth**2)
    precision = axes @ np.diag(1 / np.maximum(values, 0.5**2)) @ axes.T
    density = np.zeros(geometry.n**3)
    for place in data:
        offset = cell_centres(geometry) / cell - place
        distance = np.einsum("ki,ij,kj->k", offset, precision, offset)
        density += np.where(distance <= 25.0, np.exp(-0.5 * distance), 0.0)
    return (density / density.sum()).reshape((geometry.n,) * 3)


def moments(cube: np.ndarray, geometry: CubeGeometry) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and covariance of a cube: east, north, velocity."""
    where = cell_centres(geometry)[:, ::-1]
    weight = cube.ravel().astype(float)
    mean = weight @ where
    return mean, (where - mean).T @ (weight[:, None] * (where - mean))


@pytest.fixture(scope="module")
def by_scipy() -> np.ndarray:
    return scipy_twin(rows(group()), STUDY)


def test_as_scipy_at_the_size_of_the_study(by_scipy):
    galaxies = rows(group())
    cube, expected = galaxy_cube(galaxies), by_scipy
    assert cube.shape == (64, 64, 64)
    assert cube.dtype == np.float32
    gate = 1e-4 * expected.max()
    assert abs(cube - expected).max() < gate
    # The gate tells a bandwidth that is 1% off, a mirror, an exchange of axes, and a cell's shift.
    wider = galaxy_cube(galaxies, dataclasses.replace(STUDY, bandwidth=0.1515))
    for wrong in (wider, cube[..., ::-1], cube.swapaxes(1, 2), np.roll(cube, 1, axis=0)):
        assert abs(wrong - expected).max() > 10 * gate


def test_kernels_without_correlations_would_fail(by_scipy):
    galaxies = rows(group())
    data = STUDY.places(galaxies[STUDY.inside(galaxies)])
    cube = np.zeros((64, 64, 64))
    add_gaussians(data, 0.15 * data.std(axis=0, ddof=1), np.zeros(3), 5.0, cube)
    assert abs(cube / cube.sum() - by_scipy).max() > 0.05 * by_scipy.max()


@pytest.mark.parametrize("size", [1.0, 0.3, 0.02], ids=["wide", "narrow axes", "narrow"])
@pytest.mark.parametrize("n", [13, 8])
def test_kernel_against_its_twin(n, size):
    geometry = dataclasses.replace(SMALL, n=n)
    galaxies = rows(group(25, size))
    expected = twin(galaxies, geometry)
    found = galaxy_cube(galaxies, geometry)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-12)
    assert abs(found - expected[::-1]).max() > 0.1 * expected.max()


def test_layers_recede_rows_go_north_and_columns_west():
    places = np.array([-1900.0, 1200.0, 2500.0]) + group(30, 0.05) - MEAN
    cube = galaxy_cube(rows(places))
    layer, row, column = np.unravel_index(cube.argmax(), cube.shape)
    assert layer == pytest.approx(2500 / STUDY.cell_km_s + 31.5, abs=1.5)
    assert row == pytest.approx(1200 / STUDY.cell_kpc + 31.5, abs=1.5)
    assert column == pytest.approx(1900 / STUDY.cell_kpc + 31.5, abs=1.5)
    v_los, north, east = (offset.ravel() for offset in STUDY.offsets())
    assert v_los[layer] == pytest.approx(2500, abs=200)
    assert north[row] == pytest.approx(1200, abs=160)
    assert east[column] == pytest.approx(-1900, abs=160)
    assert cube[:32].sum() == cube[:, :32].sum() == cube[:, :, :32].sum() == 0.0


@pytest.mark.parametrize("n", [64, 40])
def test_mean_and_covariance_are_those_of_the_galaxies(n):
    geometry = CubeGeometry(n=n, bandwidth=0.6)
    places = group(60, 0.4)  # far from the sides
    mean, covariance = moments(galaxy_cube(rows(places), geometry), geometry)
    np.testing.assert_allclose(mean, places.mean(axis=0), rtol=1e-4)
    sample = np.cov(places.T)
    unit = np.sqrt(np.outer(np.diag(sample), np.diag(sample)))
    expected = sample * (59 / 60 + 0.6**2)
    np.testing.assert_allclose(covariance / unit, expected / unit, atol=1e-3)
    rounder = sample * 59 / 60 + 0.6**2 * np.diag(np.diag(sample))  # without correlations
    assert abs((covariance - rounder) / unit).max() > 0.1


def test_mirrored_galaxies_give_the_mirrored_cube():
    places = group(40)
    cube = galaxy_cube(rows(places), SMALL)
    for axis, flip in enumerate(((..., slice(None, None, -1)), np.s_[:, ::-1], np.s_[::-1])):
        mirrored = places * np.where(np.arange(3) == axis, -1, 1)
        found = galaxy_cube(rows(mirrored), SMALL)
        np.testing.assert_allclose(found, cube[flip], rtol=1e-5, atol=1e-12)
        assert abs(found - cube).max() > 0.1 * cube.max()


@pytest.mark.parametrize("n", [2, 16, 32, 64])
def test_sums_to_one_also_at_the_sides(n):
    geometry = CubeGeometry(n=n)
    angle = np.linspace(0, 6, 50)
    edge = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 0.999 * geometry.half_width_kpc
    places = np.column_stack([edge, np.where(angle > 1, 0.999, -0.999) * geometry.max_speed_km_s])
    for galaxies in (rows(places), rows(group())):
        cube = galaxy_cube(galaxies, geometry)
        assert cube.sum(dtype=float) == pytest.approx(1.0, abs=1e-6)
        assert cube.min() >= 0.0


def test_the_order_of_galaxies_changes_the_rounding_alone():
    galaxies = rows(group())
    shuffled = np.random.default_rng(1).permutation(galaxies)
    np.testing.assert_allclose(galaxy_cube(shuffled), galaxy_cube(galaxies), rtol=1e-5, atol=1e-14)
    np.testing.assert_array_equal(galaxy_cube(galaxies), galaxy_cube(galaxies))


def test_only_the_cylinder_counts():
    inside = np.clip(group(), -2000, 2000)
    radius, speed = STUDY.half_width_kpc, STUDY.max_speed_km_s
    outside = [
        [0.8 * radius, -0.8 * radius, 0.0],  # in the square, not in the circle
        [-radius, 0.0, 10.0],
        [10.0, 20.0, speed],
        [10.0, 20.0, -5000.0],
        [math.nan, 20.0, 30.0],
        [10.0, math.nan, 30.0],
        [10.0, 20.0, math.nan],
    ]
    galaxies = rows(inside)
    more = np.concatenate([galaxies, np.zeros(len(outside), galaxies.dtype)])
    for name, values in zip(
        ("east_kpc", "north_kpc", "v_los_km_s"), np.transpose(outside), strict=True
    ):
        more[name][len(galaxies) :] = values
    np.testing.assert_array_equal(galaxy_cube(more), galaxy_cube(galaxies))
    more["v_los_km_s"][-4] = -3700.0  # one of them comes in
    assert abs(galaxy_cube(more) - galaxy_cube(galaxies)).max() > 1e-5


def test_no_galaxy_gives_zeros():
    for places in (np.empty((0, 3)), [[9000.0, 0.0, 0.0]]):
        cube = galaxy_cube(rows(places), SMALL)
        assert cube.shape == (13, 13, 13)
        assert cube.dtype == np.float32
        assert not cube.any()


@pytest.mark.parametrize("n_galaxies", [1, 2, 4])
@pytest.mark.parametrize("n", [16, 64])
def test_few_galaxies_have_round_kernels_of_at_least_a_cell(n, n_galaxies):
    geometry = CubeGeometry(n=n)
    places = group(n_galaxies, 0.01)
    cube = galaxy_cube(rows(places), geometry)
    mean, covariance = moments(cube, geometry)
    cell = np.array([geometry.cell_kpc, geometry.cell_kpc, geometry.cell_km_s])
    np.testing.assert_allclose(mean, places.mean(axis=0), atol=1e-3 * cell.min())
    between = np.cov(places.T, ddof=0) if n_galaxies > 1 else np.zeros((3, 3))
    expected = np.diag(cell**2) + between
    np.testing.assert_allclose(covariance, expected, atol=1e-3 * cell.min() ** 2)


def test_four_galaxies_far_apart_have_wider_kernels_without_correlation():
    places = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0], [0.5, 0.5, 0.5], [-0.5, -0.5, -0.5]])
    geometry = CubeGeometry(n=64, bandwidth=0.3)
    _, covariance = moments(galaxy_cube(rows(1200 * places), geometry), geometry)
    sample = np.cov(1200 * places.T)
    expected = 0.75 * sample + 0.3**2 * np.diag(np.diag(sample))
    np.testing.assert_allclose(covariance, expected, rtol=1e-3)


@pytest.mark.parametrize("n", [16, 27])
@pytest.mark.parametrize(
    "direction", [[0, 0, 0], [1, 0, 0], [0, 0, 1], [1, -1, 1]], ids=["point", "east", "v", "slant"]
)
def test_a_singular_covariance_has_half_a_cell_across(n, direction):
    geometry = CubeGeometry(n=n)
    places = MEAN + np.linspace(-1500, 1500, 9)[:, None] * direction
    cube = galaxy_cube(rows(places), geometry)
    assert np.isfinite(cube).all()
    assert cube.sum(dtype=float) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(cube, twin(rows(places), geometry), rtol=1e-4, atol=1e-10)


def weights(width: float) -> np.ndarray:
    """Return what single Gaussians add up to, over what they should, wherever they lie."""
    places = np.random.default_rng(2).uniform(9, 11, (300, 3))
    result = []
    for place in places:
        cube = np.zeros((20, 20, 20))
        add_gaussians(place[None], np.full(3, width), np.zeros(3), 9.0, cube)
        result.append(cube.sum() / (math.sqrt(2 * math.pi) * width) ** 3)
    return np.array(result)


def test_why_no_kernel_is_narrower_than_half_a_cell():
    per_axis = 2 * math.exp(-2 * math.pi**2 * 0.25)
    assert per_axis < 0.015
    found = weights(0.5)
    assert abs(found - 1).max() < (1 + per_axis) ** 3 - 1
    assert np.ptp(found) > 0.03  # so the limit is about as low as it may be
    assert np.ptp(weights(0.2)) > 2  # what cubes of 16 cells would have without it


def test_of_a_catalog(tmp_path):
    catalog = Catalog.create(tmp_path / "catalog", SPEC)
    for first in (0, 100):
        catalog.append(shard_data(first=first))
    geometry = CubeGeometry(n=9)
    cubes = galaxy_cubes(catalog, geometry=geometry)
    assert cubes.shape == (10, 9, 9, 9)
    assert cubes.dtype == np.float32
    for row in (0, 1, 9):
        np.testing.assert_array_equal(cubes[row], galaxy_cube(catalog.galaxies(row), geometry))
    assert abs(cubes[9] - cubes[4]).max() > 1e-3
    for wanted in ([7, 2], np.array([7, 2]), slice(7, 1, -5)):
        np.testing.assert_array_equal(galaxy_cubes(catalog, wanted, geometry), cubes[[7, 2]])
    part = galaxy_cubes(catalog.select([8, 3]), [1], geometry)
    np.testing.assert_array_equal(part, cubes[[3]])
    assert galaxy_cubes(catalog, []).shape == (0, 64, 64, 64)
    with pytest.raises(InputError, match="rows: must be from 0 to 9; got 10 to 10"):
        galaxy_cubes(catalog, [10], geometry)


def test_a_catalog_without_galaxies(tmp_path):
    spec = dataclasses.replace(SPEC, galaxies=False)
    catalog = Catalog.create(tmp_path / "catalog", spec)
    catalog.append(shard_data(spec))
    with pytest.raises(InputError, match=r"catalog: has no galaxies; simulate it again with them"):
        galaxy_cubes(catalog, [2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 1}, "n: must be a whole number of cells, at least 2; got 1"),
        ({"n": 64.0}, "n: must be a whole number of cells, at least 2; got 64.0"),
        ({"half_width_kpc": 0.0}, "half_width_kpc: must be above 0 and finite; got 0"),
        ({"max_speed_km_s": math.inf}, "max_speed_km_s: must be above 0 and finite; got inf"),
        ({"bandwidth": -0.15}, "bandwidth: must be above 0 and finite; got -0.15"),
        ({"bandwidth": math.nan}, "bandwidth: must be above 0 and finite; got nan"),
    ],
)
def test_bad_geometry(change, message):
    with pytest.raises(InputError, match=message):
        CubeGeometry(**change)


def test_bad_galaxies():
    with pytest.raises(
        InputError, match=r"galaxies: must be .* got shape \(4, 3\) with no columns"
    ):
        galaxy_cube(np.zeros((4, 3)))
    with pytest.raises(InputError, match=r"with east_kpc, north_kpc\. Use Catalog\.galaxies"):
        galaxy_cube(np.zeros(4, [("east_kpc", "f4"), ("north_kpc", "f4")]))


def test_the_study():
    assert pytest.approx(3267.045, abs=1e-3) == STUDY.half_width_kpc
    assert (STUDY.n, STUDY.max_speed_km_s, STUDY.bandwidth) == (64, 3785.0, 0.15)
    assert pytest.approx(102.095, abs=1e-3) == STUDY.cell_kpc
    assert pytest.approx(118.281, abs=1e-3) == STUDY.cell_km_s
