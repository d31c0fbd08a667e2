"""Pixels against the sky: astropy's WCS is the independent judge of every orientation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icmass.errors import InputError
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.view import View

# Not square, off centre, far south, across RA 0.
GRID = PixelGrid(30, 20, 4.0, centre_east_arcsec=17.0, centre_north_arcsec=-9.0)
VIEW = View(359.99, -60.0, "survey", 120.0)


def offsets(count=200, seed=1):
    rng = np.random.default_rng(seed)
    return rng.uniform(-43 + 1, 77 - 1, count), rng.uniform(-49 + 1, 31 - 1, count)


def pixel_by_wcs(grid, view, ra_deg, dec_deg):
    x, y = grid.wcs(view).world_to_pixel_values(ra_deg, dec_deg)
    return np.rint(y).astype(int) * grid.n_x + np.rint(x).astype(int)


def test_index_agrees_with_the_wcs_of_the_sky_position():
    east, north = offsets()
    ra, dec = VIEW.sky(east, north)
    assert (ra < 1).any()
    assert (ra > 359).any()
    assert np.array_equal(GRID.index(east, north), pixel_by_wcs(GRID, VIEW, ra, dec))


@pytest.mark.parametrize("mistake", ["transposed", "ra mirrored", "cos(dec) dropped"])
def test_wcs_comparison_catches_a_wrong_sky(mistake):
    east, north = offsets()
    ra, dec = VIEW.sky(east, north)
    if mistake == "transposed":
        ra, dec = VIEW.sky(north, east)
    elif mistake == "ra mirrored":
        ra = np.mod(2 * VIEW.ra_deg - ra, 360.0)
    else:
        ra = np.mod(VIEW.ra_deg + east / 3600.0, 360.0)
    wrong = GRID.index(east, north) != pixel_by_wcs(GRID, VIEW, ra, dec)
    assert wrong.mean() > 0.5


def test_first_column_is_east_and_first_row_south():
    east_corner = GRID.index(GRID.column_edges_arcsec()[0] - 0.1, GRID.row_edges_arcsec()[0] + 0.1)
    assert east_corner == 0
    west_corner = GRID.index(GRID.column_edges_arcsec()[-1] + 0.1, GRID.row_edges_arcsec()[0] + 0.1)
    assert west_corner == GRID.n_x - 1
    north_corner = GRID.index(GRID.column_edges_arcsec()[0], GRID.row_edges_arcsec()[-1] - 0.1)
    assert north_corner == (GRID.n_y - 1) * GRID.n_x


def test_outer_edges_belong_to_the_grid_and_nothing_beyond():
    columns, rows = GRID.column_edges_arcsec(), GRID.row_edges_arcsec()
    assert GRID.index(columns[-1], rows[-1]) == GRID.n_x * GRID.n_y - 1
    assert GRID.index(columns[0] + 1e-6, rows[0]) == -1
    assert GRID.index(columns[-1] - 1e-6, rows[0]) == -1
    assert GRID.index(columns[0], rows[0] - 1e-6) == -1
    assert GRID.index(columns[0], rows[-1] + 1e-6) == -1


def test_histogram_matches_numpy_and_keeps_every_count():
    east, north = offsets(500)
    counts = GRID.histogram(east, north)
    columns, rows = GRID.column_edges_arcsec()[::-1], GRID.row_edges_arcsec()
    expected = np.histogram2d(north, east, bins=[rows, columns])[0][:, ::-1]
    assert np.array_equal(counts, expected)
    assert counts.sum() == 500
    assert GRID.histogram(np.array([]), np.array([])).sum() == 0


def test_centres_index_their_own_pixel():
    east, north = GRID.centres_arcsec()
    index = GRID.index(*np.broadcast_arrays(east[None, :], north[:, None]))
    assert np.array_equal(index, np.arange(600).reshape(GRID.shape))


@given(
    n_x=st.integers(1, 9),
    n_y=st.integers(1, 9),
    pixel=st.floats(0.5, 20.0),
    east=st.floats(-200, 200),
    north=st.floats(-200, 200),
)
def test_index_is_the_pixel_whose_edges_enclose_the_offset(n_x, n_y, pixel, east, north):
    grid = PixelGrid(n_x, n_y, pixel, 3.0, -5.0)
    index = int(grid.index(east, north))
    columns, rows = grid.column_edges_arcsec(), grid.row_edges_arcsec()
    tiny = 1e-9 * (abs(east) + abs(north) + 200)
    if index < 0:
        assert (
            east > columns[0] - tiny
            or east < columns[-1] + tiny
            or north < rows[0] + tiny
            or north > rows[-1] - tiny
        )
    else:
        row, column = divmod(index, n_x)
        assert columns[column + 1] - tiny <= east <= columns[column] + tiny
        assert rows[row] - tiny <= north <= rows[row + 1] + tiny


@pytest.mark.parametrize(("width", "count"), [(1200.0, 300), (1201.0, 301), (3.0, 1)])
def test_cover_takes_the_fewest_pixels(width, count):
    assert PixelGrid.cover(VIEW, 4.0, width).shape == (count, count)


def test_cover_takes_the_field_by_default():
    assert PixelGrid.cover(VIEW, 4.0).shape == (30, 30)


@pytest.mark.parametrize("mode", ["survey", "pointed"])
def test_field_fraction_sums_to_the_area_of_the_field(mode):
    view = View(10.0, 20.0, mode, 101.0)
    grid = PixelGrid.cover(view, 4.0)
    area = grid.field_fraction(view).sum() * grid.pixel_area_arcmin2
    assert area == pytest.approx(view.area_arcmin2, rel=0.01)
    assert area != pytest.approx(1.05 * view.area_arcmin2, rel=0.01)


def test_field_fraction_of_one_pixel_larger_than_the_field():
    view = View(10.0, 20.0, "survey", 10.0)
    fraction = PixelGrid(1, 1, 20.0).field_fraction(view, subdivisions=100)
    assert fraction[0, 0] == pytest.approx(0.25, rel=0.03)


def test_wcs_round_trip_of_the_pointing():
    x, y = GRID.wcs(VIEW).world_to_pixel_values(VIEW.ra_deg, VIEW.dec_deg)
    east, north = GRID.centres_arcsec()
    assert np.interp(x, np.arange(30), east) == pytest.approx(0.0, abs=1e-6)
    assert np.interp(y, np.arange(20), north) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PixelGrid(0, 5, 4.0), "at least 1 x 1"),
        (lambda: PixelGrid(40000, 40000, 4.0), "at most 33,554,432 pixels"),
        (lambda: PixelGrid(5, 5, 0.0), "pixel_arcsec: must be above 0"),
        (lambda: PixelGrid(5, 5, np.nan), "pixel_arcsec: must be above 0"),
        (lambda: PixelGrid.cover(VIEW, -1.0), "pixel_arcsec: must be above 0"),
        (lambda: PixelGrid.cover(VIEW, 4.0, 0.0), "width_arcsec: must be above 0"),
    ],
)
def test_bad_grids_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
