"""What may be searched for sources."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.detection import FieldImage
from tests.simulate.detection.fields import VIEW, grid_of

GRID = grid_of(7, 5)


def image(**changed) -> FieldImage:
    parts = {"counts": np.ones(GRID.shape, np.int32), "exposure_s": np.full(GRID.shape, 3.0)}
    return FieldImage(**(parts | changed), grid=GRID, view=VIEW)


def test_area_is_that_of_the_pixels_observed():
    exposure = np.ones(GRID.shape)
    exposure[0] = 0.0
    assert image(exposure_s=exposure).area_deg2 == pytest.approx(28 * (8.0 / 3600.0) ** 2)
    assert not image(exposure_s=exposure).observed[0].any()


@pytest.mark.parametrize("name", ["counts", "exposure_s", "unvignetted_s"])
def test_a_wrong_shape_is_refused(name):
    with pytest.raises(InputError, match=rf"{name}: must have the shape \(5, 7\) of the grid"):
        image(**{name: np.ones((7, 5), np.int64)})


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_exposures_must_be_finite_and_not_negative(bad):
    exposure = np.ones(GRID.shape)
    exposure[2, 3] = bad
    with pytest.raises(InputError, match=r"exposure_s: must be finite and not negative; got"):
        image(exposure_s=exposure)


def test_counts_must_be_whole_numbers():
    with pytest.raises(InputError, match="counts: must be whole numbers of photons; got float64"):
        image(counts=np.ones(GRID.shape))
