"""Galaxies and photons, by networks whose answer is known."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from icmass.bootstrap import bootstrap
from icmass.catalog import Catalog
from icmass.errors import InputError
from icmass.estimate.galaxy_cube import CubeGeometry, galaxy_cubes
from icmass.estimate.heads import SCORES
from icmass.estimate.inputs import Inputs
from icmass.interpret.attribution.methods import IntegratedGradients, Occlusion
from icmass.interpret.statistics.galaxies import EDGES, galaxies
from icmass.interpret.subject import Subject
from tests.helpers.masses import make_catalog
from tests.helpers.subjects import estimator_subject, linear_subject, subject_of_judges

N, CELLS, SIDE = 14, 8, 16
QUICK = IntegratedGradients(n_steps=2)  # exact for what is linear
CUBE, IMAGE = (CELLS, CELLS, CELLS), (3, SIDE, SIDE)


class BothJudge(nn.Module):
    """ln M = 32 + sum of (of_cube x cube) + sum of (of_image x ln(1 + N))."""

    def __init__(self, of_cube: np.ndarray, of_image: np.ndarray) -> None:
        super().__init__()
        self.of_cube = nn.Parameter(torch.tensor(of_cube, dtype=torch.float32))
        self.of_image = nn.Parameter(torch.tensor(of_image, dtype=torch.float32))

    def standardise(self, clusters):
        return clusters.cube * self.of_cube, torch.log1p(clusters.counts.float()) * self.of_image

    def features(self, seen):
        return sum(part.flatten(1).sum(dim=1, keepdim=True) for part in seen)

    def quantiles(self, features):
        return 32.0 + features + 0.1 * torch.tensor(SCORES)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return make_catalog(tmp_path_factory.mktemp("galaxies") / "catalog", N)


@pytest.fixture(scope="module")
def cubes(catalog: Catalog) -> np.ndarray:
    width = catalog.spec.geometry.pixel * SIDE / 2.0  # as wide as the images
    return galaxy_cubes(catalog, None, CubeGeometry(CELLS, width)).astype(np.float64)


def subject_of(catalog: Catalog, of_cube: np.ndarray, of_image: np.ndarray) -> Subject:
    """Networks of two folds, of which the second feels half as much."""
    inputs = Inputs.resolve(["bands", "galaxies"], catalog.spec, cube_cells=CELLS)
    judges = [[BothJudge(w * of_cube, w * of_image)] for w in (1.0, 0.5)]
    return subject_of_judges(catalog, judges, inputs)


def at(*places: tuple[int, int, int]) -> np.ndarray:
    """Weights that are not 0 at a few cells (v, y, x) alone."""
    weight = np.zeros(CUBE)
    for k, place in enumerate(places):
        weight[place] = 20.0 + k
    return weight


def in_bin(k: int) -> list[float]:
    return [float(k == one) for one in range(len(EDGES) - 1)]


def values(numbers) -> list[float]:
    return [one.value for one in numbers]


def weights(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(1.0, 8.0, CUBE), rng.normal(0.0, 0.03, IMAGE)


def truth(subject: Subject, cubes: np.ndarray, of_cube: np.ndarray, of_image: np.ndarray):
    """What galaxies and photons add to ln M of each cluster, and attributions to galaxies."""
    scale = np.where(subject.fold == 0, 1.0, 0.5)
    photons = subject.catalog.images(np.arange(N)).astype(np.float64)
    by_galaxies = cubes * of_cube * scale[:, None, None, None]
    return (
        by_galaxies.sum(axis=(1, 2, 3)),
        scale * (np.log1p(photons) * of_image).sum(axis=(1, 2, 3)),
        by_galaxies,
    )


def test_parts_and_places_of_a_sum_are_exact(catalog: Catalog, cubes: np.ndarray) -> None:
    given = weights()
    subject = subject_of(catalog, *given)
    halo = catalog.column("halo_id")
    told: list[int] = []
    found = galaxies(subject, QUICK, halo, n_resamples=30, seed=5, report=told.append)
    cube, image, maps = truth(subject, cubes, *given)
    assert found.n == N
    assert sum(told) == 2 * N
    # Of both signs, so that the median of the sizes is not the size of the median.
    for name, part in (("galaxies", cube), ("photons", image)):
        assert (part > 0.0).any()
        assert (part < 0.0).any()
        for key, wanted in ((name, part), (f"{name}_size", np.abs(part))):
            value, error = getattr(found, key)
            assert value == pytest.approx(np.median(wanted), abs=3e-5)
            drawn = bootstrap(lambda r, w=wanted: np.median(w[r]), halo, n_resamples=30, seed=5)
            assert error == pytest.approx(drawn.std(ddof=1), abs=3e-5)
    radius, speed = np.zeros((2, N, len(EDGES) - 1))
    for v, y, x in np.ndindex(*CUBE):
        v_, y_, x_ = (abs(k - 3.5) / 4.0 for k in (v, y, x))
        for table, distance in ((radius, np.hypot(y_, x_)), (speed, v_)):
            place = max(k for k in range(len(EDGES) - 1) if EDGES[k] <= distance)
            table[:, place] += np.abs(maps[:, v, y, x])
    total = np.abs(maps).sum(axis=(1, 2, 3))[:, None]
    for numbers, table in ((found.by_radius, radius), (found.by_velocity, speed)):
        assert values(numbers) == pytest.approx((table / total).mean(axis=0), rel=1e-4)
        assert sum(values(numbers)) == pytest.approx(1.0)
        assert all(0.0 < one.error < 0.1 for one in numbers if one.value > 0.0)
    # The negative control: these are not the same, and neither is what a flat cube would have.
    assert np.abs(radius / total - speed / total).max() > 0.1


def test_networks_that_see_galaxies_alone(catalog: Catalog, cubes: np.ndarray) -> None:
    of_cube, _ = weights()
    subject = linear_subject(catalog, of_cube, space="galaxies")
    found = galaxies(subject, QUICK, np.arange(N), n_resamples=3)
    expected = (cubes * of_cube).sum(axis=(1, 2, 3))
    assert found.galaxies.value == pytest.approx(np.median(expected), abs=3e-5)
    assert tuple(found.photons) == tuple(found.photons_size) == (0.0, 0.0)


def test_networks_that_see_photons_alone(catalog: Catalog, cubes: np.ndarray) -> None:
    """Nothing is attributed to galaxies, so where it lies is not known; it is not 0."""
    given = np.zeros(CUBE), weights()[1]
    subject = subject_of(catalog, *given)
    found = galaxies(subject, QUICK, np.arange(N), n_resamples=3)
    _, image, _ = truth(subject, cubes, *given)
    assert found.photons.value == pytest.approx(np.median(image), abs=3e-5)
    assert tuple(found.galaxies) == tuple(found.galaxies_size) == (0.0, 0.0)
    assert np.isnan(found.by_radius).all()
    assert np.isnan(found.by_velocity).all()
    plain = found.to_dict()
    assert plain["by_radius"][0] == {"value": None, "error": None}
    assert plain["photons"]["value"] == found.photons.value


@pytest.mark.parametrize(
    ("cells", "radius", "speed"),
    [
        # |v|, |y| and |x| in cells of a quarter: 1/8, 3/8, 5/8, 7/8; no two of a cell are alike.
        ([(4, 2, 3), (3, 5, 4)], 2, 0),  # hypot(3/8, 1/8) = 0.395
        ([(2, 3, 4), (5, 4, 3)], 1, 2),  # hypot(1/8, 1/8) = 0.177
        ([(1, 3, 5), (1, 4, 2)], 2, 3),  # receding and approaching, not at once
        ([(3, 2, 1), (4, 1, 5)], 3, 0),  # hypot(3/8, 5/8) = 0.729
        ([(5, 3, 0)], 4, 2),  # hypot(1/8, 7/8) = 0.884
        ([(4, 1, 0), (3, 7, 7)], 4, 0),  # corners, 1.08 and 1.24
        ([(0, 4, 3)], 1, 4),
    ],
)
def test_one_ring_or_layer(
    catalog: Catalog, cubes: np.ndarray, cells: list, radius: int, speed: int
) -> None:
    weight = at(*cells)
    there = (cubes * np.abs(weight)).sum(axis=(1, 2, 3)) > 0.0
    assert there.any()
    found = galaxies(subject_of(catalog, weight, np.zeros(IMAGE)), QUICK, np.arange(N))
    # Clusters that have no galaxies there do not take away from the others.
    assert values(found.by_radius) == pytest.approx(in_bin(radius))
    assert values(found.by_velocity) == pytest.approx(in_bin(speed))


def test_clusters_without_galaxies_do_not_count(catalog: Catalog, cubes: np.ndarray) -> None:
    weight = at((4, 1, 0), (3, 7, 7), (0, 0, 6))
    known = (cubes * np.abs(weight)).sum(axis=(1, 2, 3)) > 0.0
    assert 0 < known.sum() < N  # or this would not be a test
    subject = subject_of(catalog, weight, np.zeros(IMAGE))
    some = np.flatnonzero(known)
    whole, part = (
        galaxies(one, QUICK, np.arange(len(one)), n_resamples=2)
        for one in (subject, subject.select(some))
    )
    assert values(whole.by_velocity) == pytest.approx(values(part.by_velocity))
    assert sum(values(whole.by_velocity)) == pytest.approx(1.0)
    assert part.n == len(some) < whole.n


@pytest.mark.parametrize("method", [QUICK, Occlusion(window=4)], ids=lambda one: one.name)
def test_the_multimodal_network_of_the_study(catalog: Catalog, method) -> None:
    """Its parts are what it says with and without; the way of attributing does not enter."""
    rows = np.array([1, 4, 6, 9, 12])
    inputs = ("bands", "galaxies", "redshift")
    subject = estimator_subject(catalog, "paper-multimodal", inputs, cells=CELLS, gain=2.0)
    subject = subject.select(rows)
    found = galaxies(subject, method, np.arange(len(rows)), n_resamples=4)
    change = np.empty((2, len(rows)))
    with torch.no_grad():
        for some, networks, seen in subject.batches(3):
            whole = subject.value(networks, seen)
            for k, name in enumerate(("cube", "counts")):
                without = seen._replace(**{name: torch.zeros_like(getattr(seen, name))})
                change[k, some] = (whole - subject.value(networks, without)).numpy()
    assert np.abs(change).min() > 1e-4  # it does look at both
    assert found.galaxies.value == pytest.approx(np.median(change[0]), abs=2e-5)
    assert found.photons.value == pytest.approx(np.median(change[1]), abs=2e-5)
    assert found.galaxies_size.value == pytest.approx(np.median(np.abs(change[0])), abs=2e-5)
    assert found.photons_size.value == pytest.approx(np.median(np.abs(change[1])), abs=2e-5)
    for numbers in (found.by_radius, found.by_velocity):
        assert sum(values(numbers)) == pytest.approx(1.0)


def test_what_cannot_be_asked_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    blind = linear_subject(catalog, np.ones(IMAGE))
    with pytest.raises(InputError, match="for networks that do not look at galaxies; got galaxies"):
        galaxies(blind, QUICK, np.arange(N))
    subject = subject_of(catalog, *weights())
    told: list[int] = []
    for method in ("saliency", "smoothgrad"):
        with pytest.raises(
            InputError,
            match=f"method: must compare with a baseline; got {method}. Take integrated-gradients",
        ):
            galaxies(subject, method, np.arange(N), report=told.append)
    assert told == []  # before anything is computed
    with pytest.raises(InputError, match=r"halo: must have shape \(14,\), one for each.*\(13,\)"):
        galaxies(subject, QUICK, np.arange(N - 1))
    with pytest.raises(InputError, match="method 'integrated': is not known"):
        galaxies(subject, "integrated", np.arange(N))
    with pytest.raises(InputError, match="at least 2 halos; got 1"):
        galaxies(subject, QUICK, np.zeros(N, int))
