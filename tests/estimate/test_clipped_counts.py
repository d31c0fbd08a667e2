"""Clipped counts: against a plain twin, on images whose answer is known, and from a catalog."""

import math

import numpy as np
import pytest

from icmass.catalog import Catalog, CatalogSpec, ImageGeometry
from icmass.errors import InputError
from icmass.estimate.clipped_counts import ClippedCounts, Rings, clip_images, clipped_counts
from icmass.estimate.metrics import slope_scatter
from tests.helpers.catalogs import shard_data

STUDY = ImageGeometry()
UNEVEN = ImageGeometry(n_y=71, n_x=60, pixel=40.0)  # odd and even, not square
RINGS = Rings()
AREA = math.pi * np.diff(np.square(RINGS.edges_kpc))  # kpc^2


def twin(images: np.ndarray, geometry: ImageGeometry, rings: Rings) -> np.ndarray:
    """Do the same slowly, pixel by pixel, from the words."""
    edges = rings.edges_kpc
    result = np.zeros((*images.shape[:2], len(edges) - 1))
    for i, image in enumerate(images):
        for ring in range(len(edges) - 1):
            sectors = [[] for _ in range(rings.n_sectors)]
            for y in range(geometry.n_y):
                for x in range(geometry.n_x):
                    west = (x - (geometry.n_x - 1) / 2) * geometry.pixel
                    north = (y - (geometry.n_y - 1) / 2) * geometry.pixel
                    if edges[ring] <= math.hypot(west, north) < edges[ring + 1]:
                        degrees = math.degrees(math.atan2(north, west))
                        step = 360.0 / rings.n_sectors
                        sectors[math.floor(degrees / step + 0.5) % rings.n_sectors].append(
                            image[:, y, x]
                        )
            means = [np.mean(pixels, axis=0, dtype=float) for pixels in sectors]
            kept = sorted(means, key=lambda mean: mean.sum())[: rings.n_kept]
            area = math.pi * (edges[ring + 1] ** 2 - edges[ring] ** 2) / geometry.pixel**2
            result[i, :, ring] = np.mean(kept, axis=0) * area
    return result


def at(geometry: ImageGeometry, radius_kpc: float, degrees_from_west: float) -> tuple[int, int]:
    """Return row and column of a place."""
    angle = math.radians(degrees_from_west)
    east, north = -radius_kpc * math.cos(angle), radius_kpc * math.sin(angle)
    row, column = geometry.pixel_of(east, north)
    return round(float(row)), round(float(column))


@pytest.mark.parametrize(
    ("geometry", "rings"),
    [(UNEVEN, RINGS), (UNEVEN, Rings((0.0, 333.0, 900.0), n_sectors=5, n_kept=3))],
)
def test_kernel_against_its_twin(geometry, rings):
    rng = np.random.default_rng(3)
    images = rng.poisson(rng.uniform(0.5, 8.0, (3, 2, 1, 1)), (3, 2, geometry.n_y, geometry.n_x))
    images = images.astype(np.uint32)
    np.testing.assert_allclose(
        clip_images(images, geometry, rings), twin(images, geometry, rings), rtol=1e-12
    )


def test_an_even_image_gives_the_area_of_the_rings():
    images = np.stack([np.full((128, 128), k, np.uint16) for k in (1, 3)])[None]
    found = clip_images(images, STUDY)
    np.testing.assert_allclose(found[0, 0], AREA / STUDY.pixel**2, rtol=1e-12)
    np.testing.assert_allclose(found[0, 1], 3 * found[0, 0], rtol=1e-12)


def test_core_and_corners_do_not_count():
    image = np.ones((1, 1, 128, 128), np.uint32)
    radius = STUDY.radius()
    bright = image.copy()
    bright[0, 0, (radius < 180.0) | (radius >= 1050.0)] = 1000
    np.testing.assert_array_equal(clip_images(bright, STUDY), clip_images(image, STUDY))
    bright[0, 0, (radius < 220.0) | (radius >= 1000.0)] = 1000
    found = clip_images(bright, STUDY) / clip_images(image, STUDY)
    assert np.all((found > 2) == [[[True, False, False, False, True]]])


@pytest.mark.parametrize("radius_kpc", [200.0, 430.0, 1000.0])
def test_two_sources_per_ring_fall_out_and_three_do_not(radius_kpc):
    plain = np.ones((1, 1, 128, 128), np.uint32)
    image = plain.copy()
    for degrees in (45.0, 180.0):
        image[(0, 0, *at(STUDY, radius_kpc, degrees))] += 5000
    np.testing.assert_array_equal(clip_images(image, STUDY), clip_images(plain, STUDY))
    image[(0, 0, *at(STUDY, radius_kpc, 270.0))] += 5000
    changed = clip_images(image, STUDY) > clip_images(plain, STUDY)
    assert changed.sum() == 1


def test_the_same_sky_is_kept_in_all_bands():
    image = np.ones((1, 2, 128, 128), np.uint32)
    for degrees in (45.0, 180.0):  # bright in the second band alone
        image[(0, 1, *at(STUDY, 430.0, degrees))] += 100
    # A third sector, faint in the second band, is bright in the first, but less than those.
    image[(0, 0, *at(STUDY, 430.0, 270.0))] += 50
    plain = clip_images(np.ones_like(image), STUDY)
    found = clip_images(image, STUDY)
    np.testing.assert_array_equal(found[0, 1], plain[0, 1])
    assert np.sum(found[0, 0] > plain[0, 0]) == 1


def test_bands_together_are_their_summed_images():
    rng = np.random.default_rng(2)
    images = rng.poisson(rng.uniform(0.2, 3.0, (4, 3, 1, 1)), (4, 3, 128, 128)).astype(np.uint32)
    apart = ClippedCounts(("soft", "medium", "hard"), RINGS, clip_images(images, STUDY))
    summed = clip_images(images.sum(axis=1, keepdims=True, dtype=np.uint32), STUDY)
    found = apart.together()
    assert found.bands == ("soft+medium+hard",)
    np.testing.assert_allclose(found.counts, summed, rtol=1e-12)
    np.testing.assert_allclose(found.total(), apart.total(), rtol=1e-12)
    # Clipped each by itself, bands keep other sectors: that is not the same.
    alone = sum(clip_images(images[:, [band]], STUDY) for band in range(3))
    assert np.all(alone < summed * (1 - 1e-6))


def test_quarter_turns_and_reflections_change_nothing():
    image = np.random.default_rng(1).poisson(3e4, (1, 2, 128, 128))  # no two sectors tie
    expected = clip_images(image, STUDY)
    for turned in (np.rot90(image, 1, (2, 3)), image[..., ::-1], image.swapaxes(2, 3)):
        np.testing.assert_allclose(clip_images(turned, STUDY), expected, rtol=1e-12)


def test_noise_is_taken_for_faintness_by_the_amount_of_order_statistics():
    # The lowest 6 of 8 normals have the mean -(0.8522 + 1.4236) / 6 = -0.3793.
    geometry, rings = ImageGeometry(200, 200, 10.0), Rings((500.0, 900.0))
    per_pixel = 0.5
    images = np.random.default_rng(9).poisson(per_pixel, (400, 1, 200, 200))
    area = math.pi * (900.0**2 - 500.0**2) / 100.0
    per_sector = per_pixel * area / 8
    found = clip_images(images, geometry, rings)[:, 0, 0] / (per_pixel * area) - 1
    assert found.mean() == pytest.approx(-0.3793 / math.sqrt(per_sector), rel=0.1)


def test_agn_spoil_counts_and_not_clipped_counts():
    rng = np.random.default_rng(5)
    n = 300
    ln_mass = rng.normal(0.0, 0.56, n)
    profile = (1 + (STUDY.radius() / 200.0) ** 2) ** -1.5
    expected = np.exp(1.3 * ln_mass)[:, None, None] * 3000 * profile / profile.sum()
    images = rng.poisson(expected)[:, None]
    for image in images[:, 0]:
        for _ in range(rng.poisson(1.5)):
            place = at(STUDY, rng.uniform(200, 1000), rng.uniform(0, 360))
            image[place] += rng.integers(50, 2000)
    clipped = ClippedCounts(("all",), RINGS, clip_images(images, STUDY))
    raw = np.log(images.sum(axis=(1, 2, 3)))
    assert slope_scatter(ln_mass, raw) > 0.25
    assert slope_scatter(ln_mass, np.log(clipped.total())) < 0.09
    assert clipped.features().shape == (n, 5)
    np.testing.assert_allclose(clipped.features()[4], np.log(clipped.counts[4, 0] + 1))


@pytest.fixture
def catalog(tmp_path) -> Catalog:
    spec = CatalogSpec(geometry=ImageGeometry(n_y=44, n_x=50, pixel=60.0))
    catalog = Catalog.create(tmp_path / "catalog", spec)
    for shard in range(3):
        catalog.append(shard_data(spec, n=5, first=100 * shard))
    return catalog


def test_of_a_catalog_in_batches(catalog, monkeypatch):
    geometry = catalog.spec.geometry
    monkeypatch.setattr("icmass.estimate.clipped_counts._BATCH", 4)
    found = clipped_counts(catalog)
    assert found.bands == ("soft", "medium", "hard")
    np.testing.assert_array_equal(found.counts, clip_images(catalog.images(), geometry))
    part = clipped_counts(catalog, ["hard", "soft"], ["icm", "agn"])
    images = catalog.images(bands=["hard", "soft"], origins=["icm", "agn"])
    np.testing.assert_array_equal(part.counts, clip_images(images, geometry))
    assert part.total().shape == (15,)
    chosen = clipped_counts(catalog.select([12, 3]))
    np.testing.assert_array_equal(chosen.counts, found.counts[[12, 3]])
    assert clipped_counts(catalog.select([])).counts.shape == (0, 3, 5)


def test_bad_input(catalog):
    image = np.ones((1, 1, 128, 128), np.uint32)
    with pytest.raises(InputError, match="pixels in kpc"):
        clip_images(image, ImageGeometry(unit="arcsec"))
    with pytest.raises(InputError, match=r"reach to the outer ring, 1050 kpc; they end at 640 kpc"):
        clip_images(image, ImageGeometry(pixel=10.0))
    with pytest.raises(InputError, match="hold none at 300 kpc"):
        clip_images(image, ImageGeometry(pixel=300.0))
    with pytest.raises(InputError, match="must have the shape"):
        clip_images(image[0], STUDY)
    with pytest.raises(InputError, match="edges_kpc: must be at least 2"):
        Rings((500.0, 200.0))
    with pytest.raises(InputError, match="n_kept: must be from 1 to 8; got 9"):
        Rings(n_kept=9)
    with pytest.raises(InputError, match="band"):
        clipped_counts(catalog, ["gamma"])
