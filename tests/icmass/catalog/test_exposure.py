"""Counts corrected for the exposure: sums, rates, what was not exposed, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.catalog import Catalog
from icmass.catalog.exposure import corrected_images, exposure_corrected
from icmass.errors import InputError
from tests.helpers.catalogs import SPEC, shard_data


def test_a_smooth_image_is_flat_and_keeps_its_counts():
    exposure = np.linspace(100.0, 900.0, 2 * 4 * 6).reshape(2, 4, 6)
    exposure[1, 0, :2] = 0.0
    counts = np.stack([0.5 * exposure, 0.02 * exposure], axis=1)  # two bands
    flat = exposure_corrected(counts, exposure)
    assert flat.shape == (2, 2, 4, 6)
    assert flat.dtype == np.float32
    for cluster in (0, 1):
        exposed = exposure[cluster] > 0
        for band, rate in ((0, 0.5), (1, 0.02)):
            image = flat[cluster, band]
            assert np.isnan(image[~exposed]).all()
            assert image[exposed].sum() == pytest.approx(counts[cluster, band].sum(), rel=1e-5)
            np.testing.assert_allclose(
                image[exposed], rate * exposure[cluster][exposed].mean(), rtol=1e-5
            )
    rates = exposure_corrected(counts, exposure, 1.0)
    np.testing.assert_allclose(rates[0, 0], 0.5, rtol=1e-5)
    each = exposure_corrected(counts, exposure, [10.0, 20.0])
    np.testing.assert_allclose(each[1, 1][exposure[1] > 0], 0.4, rtol=1e-5)


def test_images_of_a_catalog(tmp_path):
    catalog = Catalog.create(tmp_path / "c", SPEC)
    catalog.append(shard_data(n=3))
    found = corrected_images(catalog, [2, 0], bands=["hard", "soft"], origins=["icm"])
    counts = catalog.images([2, 0], bands=["hard", "soft"], origins=["icm"])
    exposure = catalog.exposure_maps([2, 0]).astype(float)
    expected = counts * (exposure.mean(axis=(1, 2), keepdims=True) / exposure)[:, None]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert corrected_images(catalog, apart=True).shape == (3, 3, 3, 12, 10)
    bare = replace(SPEC, exposure_maps=False)
    without = Catalog.create(tmp_path / "d", bare)
    without.append(shard_data(bare, n=1))
    with pytest.raises(InputError, match="has no exposure_maps"):
        corrected_images(without)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"must have the shape \(n, n_y, n_x\) of counts"):
        exposure_corrected(np.ones((2, 3, 4, 5)), np.ones((2, 3, 4)))
    with pytest.raises(InputError, match="must be at least 0 and finite"):
        exposure_corrected(np.ones((1, 2, 2)), np.array([[[1.0, np.nan], [1.0, 1.0]]]))
