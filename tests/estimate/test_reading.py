"""Arrays of a catalog against slow twins: sums of bands and pixels, ln of observables, thinning."""

import math
import pickle

import numpy as np
import pytest

from icmass.catalog import Catalog
from icmass.errors import InputError
from icmass.estimate.galaxy_cube import galaxy_cube
from icmass.estimate.inputs import Inputs
from icmass.estimate.reading import HeldReader, Reader, reader_of, thinning_slope
from tests.helpers.masses import make_catalog, mass_spec
from tests.helpers.stats import Z_MAX, assert_poisson

N = 30
ROWS = np.array([7, 2, 29, 2])


@pytest.fixture(scope="module")
def catalog(tmp_path_factory) -> Catalog:
    return make_catalog(tmp_path_factory.mktemp("reading") / "catalog", N)


def inputs_of(catalog: Catalog, *wanted: str, **options) -> Inputs:
    return Inputs.resolve(wanted, catalog.spec, **options)


def twin(maps: np.ndarray, bands: list[list[int]], factor: int) -> np.ndarray:
    """Add bands and pixels of maps (n, band, y, x) one by one."""
    n, _, n_y, n_x = maps.shape
    result = np.zeros((n, len(bands), n_y // factor, n_x // factor))
    for k, chosen in enumerate(bands):
        for y in range(n_y):
            for x in range(n_x):
                for band in chosen:
                    result[:, k, y // factor, x // factor] += maps[:, band, y, x]
    return result


@pytest.mark.parametrize("origins", [None, ["agn", "icm"]])
@pytest.mark.parametrize(
    ("wanted", "bands", "pixels"),
    [
        (("bands",), [[0], [1], [2]], None),
        (("hard", "soft+medium", "all"), [[2], [0, 1], [0, 1, 2]], 8),
        (("hard", "soft"), [[2], [0]], 4),
    ],
)
def test_sums_of_bands_and_pixels(catalog, wanted, bands, pixels, origins) -> None:
    inputs = inputs_of(catalog, *wanted, pixels=pixels, origins=origins)
    found = Reader(catalog, inputs).read(ROWS)
    plain = catalog.images(ROWS, origins=origins)
    expected = twin(plain, bands, 16 // (pixels or 16))
    np.testing.assert_array_equal(found.counts, expected)
    assert (found.counts != found.counts.swapaxes(2, 3)).any()
    assert found.rates.size == found.cube.size == 0


def test_expectations_by_origin(catalog) -> None:
    inputs = inputs_of(catalog, "soft+hard", pixels=8, origins=["agn", "icm"])
    found = Reader(catalog, inputs, rates=True).read(ROWS)
    assert found.rates.shape == (4, 2, 1, 8, 8)
    for place, origin in enumerate(["agn", "icm"]):
        expected = twin(catalog.expectations(ROWS, origins=[origin]), [[0, 2]], 2)
        np.testing.assert_allclose(found.rates[:, place], expected, rtol=1e-5, atol=1e-6)
    assert found.counts.shape == (4, 1, 8, 8)
    assert not found.counts.any()


def test_observables_are_logarithms(catalog) -> None:
    found = Reader(catalog, inputs_of(catalog, "all", "exposure_s", "redshift", "n_phot")).read(
        ROWS
    )
    z, exposure, n = (catalog.column(k)[ROWS] for k in ("redshift", "exposure_s", "n_phot"))
    expected = np.stack([np.log(exposure), np.log(z), np.log(n + 1.0)], axis=1)
    np.testing.assert_allclose(found.scalars, expected, rtol=1e-6)
    assert found.scalars.dtype == np.float32
    np.testing.assert_allclose(found.redshift, z, rtol=1e-6)


def test_the_cube_is_that_of_the_galaxies(catalog) -> None:
    inputs = inputs_of(catalog, "all", "galaxies", cube_cells=8)
    found = Reader(catalog, inputs).read(ROWS)
    for cube, row in zip(found.cube, ROWS, strict=True):
        np.testing.assert_allclose(cube, galaxy_cube(catalog.galaxies(row), inputs.cube), rtol=1e-5)
    assert found.cube.dtype == np.float32


@pytest.mark.parametrize("bad", [0.0, math.nan])
def test_an_observable_that_is_not_known_is_refused(tmp_path, bad: float) -> None:
    nh = np.full(6, 3e20)
    nh[4] = bad
    catalog = make_catalog(tmp_path / "catalog", 6, columns={"nh_cm2": nh})
    reader = Reader(catalog, inputs_of(catalog, "all", "redshift", "nh_cm2"))
    reader.read(np.arange(4))
    with pytest.raises(InputError, match=r"catalog: must know nh_cm2 .* 1 of 3 are not known"):
        reader.read(np.arange(3, 6))


@pytest.mark.parametrize("rates", [False, True])
def test_held_in_memory_and_read_as_needed_are_alike(catalog, rates: bool) -> None:
    inputs = inputs_of(catalog, "soft", "all", "redshift", "galaxies", cube_cells=8, pixels=8)
    reader = Reader(catalog, inputs, rates=rates)
    held = reader_of(reader, 1.0)
    assert isinstance(held, HeldReader)
    assert reader_of(reader, 1e-6) is reader
    again = pickle.loads(pickle.dumps(reader))
    for one in (held, again):
        for part, expected in zip(one.read(ROWS), reader.read(ROWS), strict=True):
            np.testing.assert_array_equal(part, expected)
    assert held.held.counts.dtype == np.uint16


def test_counts_that_do_not_fit_into_16_bits_are_held_whole(tmp_path) -> None:
    catalog = make_catalog(tmp_path / "catalog", 4, brighter=200.0)
    inputs = inputs_of(catalog, "all", pixels=1)
    counts = reader_of(Reader(catalog, inputs), 1.0).read(np.arange(4)).counts
    assert counts.max() > 65535
    np.testing.assert_array_equal(counts.ravel(), catalog.images().sum(axis=(1, 2, 3)))


def test_thinning_keeps_its_part(tmp_path) -> None:
    catalog = make_catalog(tmp_path / "catalog", 20, brighter=50.0)
    z, counts = catalog.column("redshift"), catalog.images()
    slope, reference = -3.0, 0.35
    inputs = inputs_of(catalog, "bands")
    reader = Reader(catalog, inputs, thinning=slope, z_reference=reference, seed=3)
    thinned = reader.read(np.arange(20)).counts
    kept = 10.0 ** (slope * (reference - z))
    near = z < reference
    total = counts[near].sum(axis=(1, 2, 3))
    expected, variance = total * kept[near], total * kept[near] * (1.0 - kept[near])
    found = thinned[near].sum(axis=(1, 2, 3))
    assert np.abs((found - expected) / np.sqrt(variance)).max() < Z_MAX
    assert_poisson(found.sum(), expected.sum(), bias=0.03)
    # What is at the reference or beyond stays as it is; nothing is added anywhere.
    np.testing.assert_array_equal(thinned[~near], counts[~near])
    assert (~near).any()
    assert np.all(thinned <= counts)


def test_thinning_is_the_same_each_time_and_another_for_another_seed(catalog) -> None:
    inputs = inputs_of(catalog, "bands")

    def read(seed: int, rows: np.ndarray) -> np.ndarray:
        reader = Reader(catalog, inputs, thinning=-2.0, z_reference=0.4, seed=seed)
        return reader.read(rows).counts

    every = read(1, np.arange(N))
    np.testing.assert_array_equal(read(1, ROWS), every[ROWS])
    assert (read(2, ROWS) != every[ROWS]).any()


def test_the_slope_is_that_of_a_fit(tmp_path) -> None:
    catalog = make_catalog(tmp_path / "catalog", 12, spec=mass_spec(galaxies=False))
    rows = np.array([1, 4, 5, 8, 11])
    z, log_n = catalog.column("redshift")[rows], np.log10(catalog.column("n_phot")[rows])
    expected = np.sum((z - z.mean()) * log_n) / np.sum((z - z.mean()) ** 2)
    assert thinning_slope(catalog, rows) == pytest.approx(expected, rel=1e-9)
