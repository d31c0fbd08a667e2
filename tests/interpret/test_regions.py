"""Regions at places that are not symmetric, so that a mirrored or transposed one shows."""

import numpy as np
import pytest

from icmass.catalog import Catalog, CatalogSpec, ImageGeometry, Ragged, ShardData, region_rows
from icmass.errors import InputError
from icmass.estimate.inputs import Inputs
from icmass.interpret.regions import (
    dominant,
    image_geometry,
    kpc_per_pixel,
    radius_r500c,
    structures,
)
from tests.helpers.catalogs import make_columns
from tests.helpers.subjects import LinearJudge, subject_of_judges

N_Y, N_X = 10, 14


def subject(tmp_path, *, regions=None, unit="kpc", pixel=100.0, pixels=None, r500c=800.0):
    """Two clusters; the second of half the R500c and at twice the redshift."""
    side = (N_Y, N_X) if pixels is None else (pixels, pixels)
    whole = (N_Y, N_X) if pixels is None else (12, 12)
    spec = CatalogSpec(
        geometry=ImageGeometry(*whole, pixel, unit), origins=("icm", "agn"), regions=bool(regions)
    )
    images = np.zeros((2, *spec.image_shape), np.uint16)
    columns = make_columns(spec, images, 0, np.random.default_rng(0))
    columns |= {"r500c_kpc": np.array([r500c, r500c / 2]), "redshift": np.array([0.1, 0.2])}
    columns |= {"halo_id": np.arange(2)}
    listed = None
    if regions:
        one = [region_rows(**dict(zip(NAMES, zip(*r, strict=True), strict=True))) for r in regions]
        listed = Ragged.join(one, "regions")
    catalog = Catalog.create(tmp_path / "c", spec)
    catalog.append(ShardData(columns=columns, images=images, regions=listed))
    inputs = Inputs.resolve(["bands"], spec, pixels=pixels)
    return subject_of_judges(catalog, [[LinearJudge(np.zeros((3, *side)))]], inputs)


NAMES = ("kind", "east_kpc", "north_kpc", "radius_kpc", "mass_msun")


def test_dominant_is_strictly_most():
    counts = np.zeros((1, 3, 2, 1, 5), np.uint32)
    #                 empty  icm  agn  tie  background
    counts[0, 0, 1, 0] = [0, 3, 1, 2, 1]
    counts[0, 1, 1, 0] = [0, 1, 2, 2, 0]
    counts[0, 2, 1, 0] = [0, 2, 1, 0, 2]
    found = dominant(counts, ("icm", "agn", "background"))
    assert found.dtype == np.int8
    assert found.shape == (1, 2, 1, 5)
    assert found[0, 1, 0].tolist() == [-1, 0, 1, -1, 2]
    assert (found[0, 0] == -1).all()


def test_dominant_refuses_other_origins():
    with pytest.raises(InputError, match=r"counts: must have shape \(n, 2, .*got \(1, 3, 1, 1, 1"):
        dominant(np.zeros((1, 3, 1, 1, 1)), ("icm", "agn"))


def test_radius_is_of_pixel_centres_in_r500c_of_each_cluster(tmp_path):
    radius = radius_r500c(subject(tmp_path), np.array([1, 0]))
    assert radius.shape == (2, N_Y, N_X)
    assert radius.dtype == np.float32
    # Row 7, column 2: 2.5 pixels to the north, 4.5 to the east.
    assert radius[1, 7, 2] == pytest.approx(np.hypot(2.5, 4.5) * 100.0 / 800.0, rel=1e-6)
    assert radius[0] == pytest.approx(2.0 * radius[1], rel=1e-6)


def test_added_pixels_are_larger(tmp_path):
    judged = subject(tmp_path, pixels=6)
    assert judged.factor == 2
    assert image_geometry(judged) == ImageGeometry(6, 6, 200.0)
    assert radius_r500c(judged, np.array([0]))[0, 5, 3] == pytest.approx(
        np.hypot(2.5, 0.5) * 200.0 / 800.0, rel=1e-6
    )


def test_arcsec_are_converted_in_the_studys_universe(tmp_path):
    judged = subject(tmp_path, unit="arcsec", pixel=10.0)
    # Angular diameter distance of a flat universe by its integral, h = 0.704, Om = 0.272.
    z = np.linspace(0.0, 0.2, 20001)
    inverse = 1.0 / np.sqrt(0.272 * (1 + z) ** 3 + 0.728)
    distance_kpc = np.trapezoid(inverse, z) * 299792.458 / 70.4 / 1.2 * 1e3
    expected = distance_kpc * np.radians(10.0 / 3600.0)
    assert kpc_per_pixel(judged, np.array([1]))[0] == pytest.approx(expected, rel=1e-4)
    assert kpc_per_pixel(judged, np.array([0]))[0] < 0.7 * expected


def test_unknown_r500c_is_refused(tmp_path):
    judged = subject(tmp_path, r500c=np.nan)
    with pytest.raises(InputError, match=r"must know r500c_kpc .* unknown of 2 of 2\. Give mock"):
        radius_r500c(judged, np.arange(2))


def test_structures_stand_where_they_are(tmp_path):
    # 350 kpc to the east: left; 150 to the north: above, where rows are larger.
    regions = [[(1, 350.0, 150.0, 110.0, 1e13)], [(3, -450.0, -250.0, 1.0, 1e13)]]
    found = structures(subject(tmp_path, regions=regions), np.array([0, 1]))
    expected = np.zeros((N_Y, N_X), bool)
    for row, column in ((6, 3), (5, 3), (7, 3), (6, 2), (6, 4)):
        expected[row, column] = True
    assert np.array_equal(found[0] == 1, expected)
    assert found.dtype == np.uint8
    # Smaller than a pixel, but there: to the west and south.
    assert np.argwhere(found[1]).tolist() == [[2, 11]]
    assert found[1, 2, 11] == 3


def test_structures_lie_over_neighbours(tmp_path):
    discs = [(1, 50.0, 50.0, 120.0, 1e13), (3, 50.0, 50.0, 320.0, 1e13), (2, 50.0, 50.0, 210.0, 1)]
    found = structures(subject(tmp_path, regions=[discs, discs]), np.array([0]))[0]
    assert found[5, 6] == 1
    assert found[5, 6 + 2] == 2
    assert found[5, 6 + 3] == 3
    assert found[5, 6 + 4] == 0


def test_structures_need_regions(tmp_path):
    with pytest.raises(InputError, match="has no regions"):
        structures(subject(tmp_path), np.array([0]))
