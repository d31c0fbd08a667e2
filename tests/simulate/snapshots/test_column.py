"""What is inside a column through a periodic box, by brute force over all images."""

import itertools

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.snapshots.column import SightColumn
from icmass.simulate.snapshots.directions import check_lines_of_sight, line_of_sight

BOX = 100.0


def brute_force(column: SightColumn, position: np.ndarray, margin: np.ndarray) -> list:
    found = []
    for shift in itertools.product((-2, -1, 0, 1, 2), repeat=3):
        seen = (position + BOX * np.array(shift) - column.center_kpc) @ column.rotation.T
        limit = column.half_width_kpc + margin
        inside = (np.abs(seen[:, :2]) <= limit[:, None]).all(axis=1)
        inside &= (seen[:, 2] >= -column.half_depth_kpc) & (seen[:, 2] < column.half_depth_kpc)
        found += [(row, *np.round(seen[row], 6)) for row in np.flatnonzero(inside)]
    return sorted(found)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 9])
@pytest.mark.parametrize("center", [(50.0, 40.0, 60.0), (0.5, 99.0, 3.0)])
def test_column_is_that_of_an_endless_row_of_boxes(number, center):
    rng = np.random.default_rng(number)
    position = rng.uniform(0, BOX, (20_000, 3))
    margin = rng.uniform(0, 2, len(position))
    column = SightColumn(np.array(center), line_of_sight(number), 8.0, BOX / 2, BOX)
    rows, seen = column.select(position, margin)
    found = sorted((row, *np.round(place, 6)) for row, place in zip(rows, seen, strict=True))
    expected = brute_force(column, position, margin)
    assert len(found) == len(expected) > 300
    assert np.allclose(np.array(found), np.array(expected), atol=2e-6)


def test_column_takes_each_particle_once_along_an_axis():
    position = np.array([[50.0, 50.0, 0.0], [50.0, 50.0, 100.0 - 1e-9], [50.0, 50.0, 25.0]])
    column = SightColumn(np.full(3, 50.0), line_of_sight(2), 1.0, BOX / 2, BOX)
    rows, seen = column.select(position)
    assert sorted(rows) == [0, 1, 2]  # also those half a box away
    assert np.allclose(np.sort(seen[:, 2]), [-50, -25, 50], atol=1e-6)


def test_column_without_a_box_does_not_wrap():
    position = np.array([[1.0, 1.0, 1.0], [99.0, 99.0, 99.0]])
    column = SightColumn(np.zeros(3), line_of_sight(2), 5.0, np.inf, None)
    assert column.select(position)[0].tolist() == [0]
    wrapped = SightColumn(np.zeros(3), line_of_sight(2), 5.0, np.inf, BOX)
    assert set(wrapped.select(position)[0]) == {0, 1}  # negative control


def test_nothing_in_nothing():
    column = SightColumn(np.zeros(3), line_of_sight(0), 5.0, 50.0, BOX)
    rows, seen = column.select(np.empty((0, 3)))
    assert rows.shape == (0,)
    assert seen.shape == (0, 3)


def test_directions_are_rotations_that_fill_half_the_sphere():
    rotations = np.array([line_of_sight(number) for number in range(403)])
    assert np.allclose(rotations @ rotations.transpose(0, 2, 1), np.eye(3), atol=1e-12)
    assert np.allclose(np.linalg.det(rotations), 1)
    assert np.array_equal(rotations[:3, 2], np.eye(3))  # x, y, z
    away = rotations[3:, 2]
    assert (away[:, 2] >= 0).all()
    # evenly: the mean direction of half a sphere is (0, 0, 1/2), with far less than Poisson noise
    assert np.allclose(away.mean(axis=0), [0, 0, 0.5], atol=0.02)
    # no two look the same way, nor opposite ways
    cosine = np.abs(away @ away.T) - np.eye(len(away))
    assert cosine.max() < np.cos(0.03)


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_absurd_number_of_directions_is_refused(count):
    with pytest.raises(InputError, match="lines_of_sight: must be 1 to 1000"):
        check_lines_of_sight(count)
