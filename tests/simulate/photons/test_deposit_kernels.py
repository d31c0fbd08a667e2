"""Counts laid on pixels: slow twins, exact overlaps, conservation."""

import numpy as np
import pytest

from icmass.simulate.instrument import PSF
from icmass.simulate.photons.deposit_kernels import (
    deposit_kernels,
    deposit_points,
    deposit_rectangles,
)
from icmass.simulate.photons.expectation import _column_density, _stand_in_points
from icmass.simulate.photons.sph import projected_density
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.view import View

EAST_EDGE, SOUTH_EDGE, PIXEL = 130.0, -75.0, 5.0
SHAPE = (31, 47)


def particles(n: int, seed: int, extent: tuple[float, float]) -> tuple[np.ndarray, ...]:
    """East, north, extent and counts of emitters on and around the grid."""
    rng = np.random.default_rng(seed)
    east = rng.uniform(-160.0, 170.0, n).astype(np.float32)
    north = rng.uniform(-130.0, 140.0, n).astype(np.float32)
    counts = rng.exponential(3.0, n) * (rng.random(n) < 0.9)
    return east, north, rng.uniform(*extent, n).astype(np.float32), counts


def kernel_image(east, north, extent, counts, shape=SHAPE, edges=(EAST_EDGE, SOUTH_EDGE)):
    image = np.zeros(shape)
    deposit_kernels(
        east, north, extent, counts, *edges, PIXEL, _column_density(), _stand_in_points(), image
    )
    return image


def kernel_twin(east, north, extent, counts):
    """Pixel centres, or stand-in points for particles below three pixels, with arrays."""
    density, points = _column_density(), _stand_in_points()
    margin = 60
    image = np.zeros((SHAPE[0] + 2 * margin, SHAPE[1] + 2 * margin))
    rows, columns = np.indices(image.shape)
    for e, n, h, c in zip(east, north, extent, counts, strict=True):
        x = (EAST_EDGE - float(e)) / PIXEL + margin
        y = (float(n) - SOUTH_EDGE) / PIXEL + margin
        h = float(h) / PIXEL
        if h < 3.0:
            place = np.floor([y + h * points[:, 1], x + h * points[:, 0]]).astype(int)
            np.add.at(image, tuple(place), c / len(points))
            continue
        q2 = ((columns + 0.5 - x) / h) ** 2 + ((rows + 0.5 - y) / h) ** 2
        level = np.minimum((q2 * (density.size - 1) + 0.5).astype(int), density.size - 1)
        weight = np.where(q2 < 1.0, density[level], 0.0)
        image += c * weight / weight.sum()
    return image[margin:-margin, margin:-margin]


@pytest.mark.parametrize("extent", [(0.0, 14.0), (14.0, 16.0), (15.0, 120.0)])
def test_kernels_equal_their_twin(extent):
    columns = particles(60, 4, extent)
    np.testing.assert_allclose(kernel_image(*columns), kernel_twin(*columns), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("extent", [(0.0, 0.0), (0.0, 20.0), (15.0, 400.0)])
def test_kernels_conserve_counts(extent):
    columns = particles(80, 5, extent)
    image = kernel_image(*columns, shape=(301, 299), edges=(750.0, -750.0))
    assert image.sum() == pytest.approx(columns[3].sum(), rel=1e-9)


@pytest.mark.parametrize("extent", [1.0, 8.0, 14.9, 15.1, 40.0])
def test_kernels_keep_place_and_width(extent):
    # Second moment of the projected kernel per axis, by quadrature.
    q = (np.arange(4000) + 0.5) / 4000
    moment = np.mean(np.pi * q**3 * projected_density(q)) * extent**2
    rng = np.random.default_rng(3)
    n = 2000  # over all places inside a pixel
    east, north = rng.uniform(-25.0, 25.0, (2, n)).astype(np.float32)
    size = np.full(n, extent, np.float32)
    image = kernel_image(east, north, size, np.full(n, 1.0 / n), (101, 101), (252.5, -252.5))
    offset = 250.0 - 5.0 * np.arange(101)
    # A histogram adds the width of a pixel; a kernel sampled at pixel centres does not.
    pixel = PIXEL**2 / 12 if extent < 3 * PIXEL else 0.0
    for axis, place, centre in ((0, offset, east), (1, -offset, north)):
        line = image.sum(axis=axis)
        mean = (line * place).sum()
        assert mean == pytest.approx(float(centre.mean()), abs=0.15)
        found = (line * (place - mean) ** 2).sum()
        assert found == pytest.approx(float(centre.var()) + moment + pixel, rel=0.01)


def test_resolved_kernels_have_the_profile_of_the_kernel():
    image = kernel_image(
        *(np.array([v], np.float32) for v in (23.3, -41.7, 60.0)), np.array([1.0]),
        (51, 51), (127.5, -127.5),
    )  # fmt: skip
    fine = 20
    offset = (np.arange(51 * fine) + 0.5) * PIXEL / fine - 127.5
    q = np.hypot((-offset[None, :] - 23.3) / 60.0, (offset[:, None] + 41.7) / 60.0)
    truth = np.interp(q, np.linspace(0, 1, 2000), projected_density(np.linspace(0, 1, 2000)))
    truth = np.where(q < 1, truth, 0.0).reshape(51, fine, 51, fine).mean(axis=(1, 3))
    truth *= PIXEL**2 / 60.0**2
    np.testing.assert_allclose(image, truth, atol=0.01 * truth.max())
    assert np.abs(image[:, ::-1] - truth).max() > 0.1 * truth.max()  # mirrored
    assert np.abs(image.T - truth).max() > 0.1 * truth.max()  # transposed


def rectangle_twin(east, north, density, image):
    for e, n, d in zip(east, north, density, strict=True):
        for row in range(image.shape[0]):
            south = SOUTH_EDGE + row * PIXEL
            height = min(n[1], south + PIXEL) - max(n[0], south)
            for column in range(image.shape[1]):
                left = EAST_EDGE - column * PIXEL
                width = min(e[1], left) - max(e[0], left - PIXEL)
                if height > 0 and width > 0:
                    image[row, column] += d * height * width


@pytest.mark.parametrize("side", [(0.1, 2.0), (5.0, 5.0), (1.0, 100.0), (500.0, 501.0)])
def test_rectangles_overlap_exactly(side):
    east, north, width, counts = (v.astype(np.float64) for v in particles(25, 6, side))
    height = 0.7 * width
    east = east[:, None] + width[:, None] * np.array([-0.5, 0.5])
    north = north[:, None] + height[:, None] * np.array([-0.5, 0.5])
    density = counts / (width * height)
    image, twin = np.zeros(SHAPE), np.zeros(SHAPE)
    deposit_rectangles(east, north, density, EAST_EDGE, SOUTH_EDGE, PIXEL, image)
    rectangle_twin(east, north, density, twin)
    np.testing.assert_allclose(image, twin, rtol=1e-9, atol=1e-12)
    wide = np.zeros((301, 299))
    deposit_rectangles(east, north, density, 750.0, -750.0, PIXEL, wide)
    assert wide.sum() == pytest.approx(counts.sum(), rel=1e-9)


def test_empty_rectangles_add_nothing():
    image = np.zeros(SHAPE)
    nowhere = np.full((1, 2), 10.0)
    deposit_rectangles(nowhere, nowhere, np.ones(1), EAST_EDGE, SOUTH_EDGE, PIXEL, image)
    assert image.sum() == 0.0


PROFILE = PSF(6.0, 2.0, 30.0, 1.8, 0.15, 120.0)


def point_image(east, north, scale, counts, shape, edges, samples=3, field=(0, 1e9)):
    image = np.zeros(shape)
    deposit_points(
        np.asarray(east, np.float32), np.asarray(north, np.float32), np.asarray(scale, float),
        np.asarray(counts, float), *edges, PIXEL,
        PROFILE.density(np.linspace(0.0, PROFILE.max_radius_arcsec, 4001)),
        PROFILE.max_radius_arcsec, samples, field, image,
    )  # fmt: skip
    return image


@pytest.mark.parametrize("scale", [1.0, 1.7])
@pytest.mark.parametrize(("samples", "tolerance"), [(3, 0.02), (9, 0.002)])
def test_points_are_the_psf_integrated_over_pixels(scale, samples, tolerance):
    east, north = 6.2, -13.4
    image = point_image([east], [north], [scale], [50.0], (41, 41), (102.5, -102.5), samples)
    fine = 25
    offset = (np.arange(41 * fine) + 0.5) * PIXEL / fine - 102.5
    r = np.hypot(-offset[None, :] - east, offset[:, None] - north)
    density = PROFILE.density(r, scale)
    truth = 50.0 * density.reshape(41, fine, 41, fine).mean(axis=(1, 3)) * PIXEL**2
    np.testing.assert_allclose(image, truth, atol=tolerance * truth.max())
    assert np.unravel_index(image.argmax(), image.shape) == (17, 19)
    assert np.abs(image.T - truth).max() > 0.1 * truth.max()


def test_points_equal_their_twin():
    east, north, _, counts = particles(12, 7, (1, 2))
    scale = np.linspace(1.0, 1.5, 12)
    image = point_image(east, north, scale, counts, SHAPE, (EAST_EDGE, SOUTH_EDGE))
    twin = np.zeros(SHAPE)
    step = PIXEL / 3
    for row, column in np.ndindex(SHAPE):
        for a in range(3):
            for b in range(3):
                y = SOUTH_EDGE + row * PIXEL + (a + 0.5) * step - north.astype(float)
                x = EAST_EDGE - column * PIXEL - (b + 0.5) * step - east.astype(float)
                r = np.hypot(x, y)
                density = [float(PROFILE.density(q, s)) for q, s in zip(r, scale, strict=True)]
                twin[row, column] += (counts * density).sum() * step**2
    np.testing.assert_allclose(image, twin, rtol=2e-4, atol=1e-7)


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("place", [(0.0, 0.0), (2.5, 2.5), (1.1, -0.4)])
def test_points_conserve_counts(place, scale):
    image = point_image([place[0]], [place[1]], [scale], [7.0], (121, 121), (302.5, -302.5))
    assert image.sum() == pytest.approx(7.0, rel=2e-3)


def test_points_beyond_the_reach_of_the_psf_leave_nothing():
    image = point_image([300.0], [0.0], [1.0], [7.0], SHAPE, (EAST_EDGE, SOUTH_EDGE))
    assert image.sum() == 0.0


@pytest.mark.parametrize("is_circle", [0, 1])
def test_points_end_at_the_field(is_circle):
    shape, edges = (41, 41), (102.5, -102.5)
    whole = point_image([8.0], [-3.0], [1.0], [9.0], shape, edges, 15)
    cut = point_image([8.0], [-3.0], [1.0], [9.0], shape, edges, 15, (is_circle, 33.0))
    view = View(0.0, 0.0, "pointed" if is_circle else "survey", 66.0)
    share = PixelGrid(41, 41, PIXEL).field_fraction(view, 50)
    np.testing.assert_allclose(cut[share == 1], whole[share == 1], rtol=1e-12)
    assert (cut[share == 0] == 0).all()
    assert cut.sum() == pytest.approx((share * whole).sum(), rel=5e-3)
