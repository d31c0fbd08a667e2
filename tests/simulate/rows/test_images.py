"""Images of scenes: places, sums, what each pixel expects, and independence of the draws."""

from dataclasses import replace

import numba
import numpy as np
import pytest

from icmass.catalog import Band, ImageGeometry
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.rows import RowSettings, observe_scene
from icmass.simulate.rows.count_kernels import count_photons
from icmass.simulate.scene import MemberAgn, Scene
from tests.helpers.stats import assert_chi_square, chi_square
from tests.simulate.rows.conftest import make_scene

FAST = RowSettings(exposure_s=5000.0)
GEOMETRY = ImageGeometry(40, 48, 100.0)


def moved(scene: Scene, east_kpc: float, north_kpc: float) -> Scene:
    """The same scene with all its gas in a small ball away from the centre."""
    gas = scene.gas
    position = 0.01 * gas.position_kpc + [east_kpc, north_kpc, 0.0]
    return replace(scene, gas=replace(gas, position_kpc=position, smoothing_kpc=np.ones(len(gas))))


def brightest(image: np.ndarray) -> tuple[int, int]:
    row, column = np.unravel_index(image.argmax(), image.shape)
    return int(row), int(column)


def test_rows_grow_to_the_north_and_columns_to_the_west(scene):
    settings = replace(FAST, geometry=GEOMETRY, background=False, agn="none")
    east_kpc, north_kpc = 1230.0, -640.0
    image = observe_scene(moved(scene, east_kpc, north_kpc), settings).images[0].sum(axis=0)
    row, column = GEOMETRY.pixel_of(east_kpc, north_kpc)
    assert brightest(image) == (round(float(row)), round(float(column)))
    assert row < 19  # south
    assert column < 23  # east
    mirrored = observe_scene(moved(scene, -east_kpc, north_kpc), settings).images[0].sum(axis=0)
    assert brightest(mirrored) != brightest(image)


def test_listed_agn_shine_where_they_are(scene):
    settings = replace(FAST, geometry=GEOMETRY, background=False, agn_depth_mpc=1e-6)
    image = observe_scene(scene, settings).images[1].sum(axis=0)
    row, column = GEOMETRY.pixel_of(scene.member_agn.east_kpc[0], scene.member_agn.north_kpc[0])
    assert image.sum() > 1000
    # Its photons reach 30 arcsec, more than a pixel; the place is their mean.
    assert np.abs(np.array(brightest(image)) - [row, column]).max() <= 1.0


def test_pixels_in_arcsec_are_the_same_angle_at_any_redshift(scene):
    geometry = ImageGeometry(32, 32, 30.0, "arcsec")
    row = observe_scene(scene, replace(FAST, geometry=geometry, agn="none"))
    background = FAST.exposure_s * 16 * 16**2 / 3600  # some 16 counts/s/deg^2 in 0.5-7 keV
    assert 0.5 < row.columns["n_background"] / background < 2.0


@pytest.mark.parametrize(
    "bands",
    [
        RowSettings.bands,
        (Band("wide", 0.5, 2.0), Band("narrow", 1.0, 1.5), Band("high", 2.5, np.inf)),
    ],
)
def test_images_sum_to_the_numbers(scene, bands):
    settings = replace(FAST, bands=bands)
    row = observe_scene(scene, settings)
    numbers, images = row.columns, row.images.astype(np.int64)
    source = images[:2].sum(axis=(0, 2, 3))
    for band, total in zip(bands, source, strict=True):
        assert numbers[f"n_phot_{band.name}"] == total > 0
        assert 0 < numbers[f"n_phot_500_{band.name}"] < total
    distinct = [i for i, band in enumerate(bands) if band.name != "narrow"]
    total = images[:, distinct].sum(axis=(1, 2, 3)).tolist()
    assert [numbers[f"n_{name}"] for name in ("phot_icm", "phot_agn", "background")] == total
    assert numbers["n_phot"] == total[0] + total[1]
    for name in ("n_phot_icm_500", "n_phot_agn_500", "n_background_500"):
        assert 0 < numbers[name] < numbers[name.removesuffix("_500")]
    assert numbers["n_phot_500"] == numbers["n_phot_icm_500"] + numbers["n_phot_agn_500"]


def test_photons_inside_r500c_by_pixels(scene):
    row = observe_scene(scene, replace(FAST, agn="none"))
    r500c, pixel = row.columns["r500c_kpc"], FAST.geometry.pixel
    radius = FAST.geometry.radius()
    image = row.images[[0, 2]].sum(axis=1, dtype=np.int64)
    least = image[:, radius < r500c - pixel / np.sqrt(2)].sum(axis=1)
    most = image[:, radius < r500c + pixel / np.sqrt(2)].sum(axis=1)
    found = [row.columns["n_phot_icm_500"], row.columns["n_background_500"]]
    assert np.all((least < found) & (found < most))


def test_kernel_counts_as_the_pixel_grid():
    rng = np.random.default_rng(6)
    grid = PixelGrid(5, 8, 10.0)
    east, north = rng.uniform(-50, 50, (2, 4000)).astype(np.float32)
    # Edges and corners too: they must fall into the same pixels.
    east[:4], north[:4] = [25.0, -25.0, 15.0, 25.0], [40.0, -40.0, -10.0, -40.0]
    energy = rng.uniform(0.0, 8.0, 4000).astype(np.float32)
    origin = rng.integers(1, 3, 4000).astype(np.uint8)
    lo, hi = np.array([0.5, 2.0]), np.array([2.0, 7.0])
    image, inside = np.zeros((3, 2, 8, 5), np.int64), np.zeros((3, 2), np.int64)
    edges = (grid.east_edge_arcsec, grid.south_edge_arcsec, grid.pixel_arcsec)
    count_photons((east, north, energy, origin), lo, hi, *edges, 21.0, image, inside)
    near = np.hypot(east, north) < 21.0
    for place in range(3):
        for interval in range(2):
            chosen = (origin == place + 1) & (energy >= lo[interval]) & (energy < hi[interval])
            expected = grid.histogram(east[chosen], north[chosen])
            assert np.array_equal(image[place, interval], expected)
            assert inside[place, interval] == (chosen & near).sum()


@pytest.fixture(scope="module")
def many():
    """Sum of the images of one scene under many names, and what one expects."""
    base = RowSettings(exposure_s=20_000.0, geometry=ImageGeometry(24, 20, 200.0), agn="box")
    settings = replace(base, agn_depth_mpc=1e-9)  # listed AGN only: those of the volume differ
    rows = [observe_scene(make_scene(halo), settings) for halo in range(40)]
    expected = observe_scene(make_scene(0), replace(settings, expectations="float32")).expectations
    return np.sum([row.images for row in rows], axis=0, dtype=np.int64), 40.0 * expected


@pytest.mark.parametrize("origin", [0, 2])
def test_counts_are_poisson_draws_of_the_expectation(many, origin):
    counts, expected = many
    assert_chi_square(counts[origin], expected[origin])
    assert abs(chi_square(counts[origin], 1.03 * expected[origin]).z) > 6.0  # the controls
    assert abs(chi_square(counts[origin, :, ::-1], expected[origin]).z) > 6.0 or origin == 2


def images_of(scene, settings):
    row = observe_scene(scene, settings)
    return row.images, row.columns


def test_same_bytes_for_any_number_of_threads(scene):
    before = numba.get_num_threads()
    settings = replace(FAST, expectations="float32")
    try:
        found = []
        for threads in {1, min(2, numba.config.NUMBA_NUM_THREADS)}:
            numba.set_num_threads(threads)
            found.append(observe_scene(scene, settings))
    finally:
        numba.set_num_threads(before)
    for row in found[1:]:
        assert row.columns == pytest.approx(found[0].columns, rel=0, abs=0, nan_ok=True)
        for name in ("images", "expectations", "galaxies", "regions"):
            assert getattr(row, name).tobytes() == getattr(found[0], name).tobytes()


def test_switching_one_light_off_leaves_the_others_alone(scene):
    whole, _ = images_of(scene, FAST)
    dark, columns = images_of(scene, replace(FAST, background=False))
    alone, _ = images_of(scene, replace(FAST, agn="none"))
    sky, _ = images_of(scene, replace(FAST, agn="sky"))
    assert np.array_equal(whole[:2], dark[:2])
    assert columns["n_background"] == 0
    assert np.array_equal(whole[[0, 2]], alone[[0, 2]])
    assert alone[1].sum() == 0
    assert np.array_equal(whole[0], sky[0])
    # What is drawn as sources is no longer background.
    assert sky[2].sum() < 0.95 * whole[2].sum()


@pytest.mark.parametrize("change", ["halo", "line_of_sight", "seed"])
def test_each_key_and_seed_has_draws_of_its_own(scene, change):
    first, _ = images_of(scene, FAST)
    if change == "seed":
        second, _ = images_of(scene, replace(FAST, seed=1))
    else:
        other = make_scene(8) if change == "halo" else make_scene(line_of_sight=1)
        second, _ = images_of(other, FAST)
    for origin in range(3):
        assert not np.array_equal(first[origin], second[origin])


def test_a_bright_pixel_takes_four_bytes(scene):
    agn = MemberAgn(np.zeros(1), np.zeros(1), np.array([46.9]))
    bright = replace(scene, member_agn=agn)
    images, columns = images_of(bright, replace(FAST, geometry=ImageGeometry(8, 8, 800.0)))
    assert images.max() > 2**16
    assert images.dtype == np.uint32
    assert columns["n_phot_agn"] == images[1].sum()
    assert images_of(scene, FAST)[0].dtype == np.uint16
