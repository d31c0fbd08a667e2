"""The struct of arrays of detected photons."""

import numpy as np
import pytest

from icmass.simulate.events import Events
from icmass.simulate.origin import Origin
from icmass.simulate.view import View


def numbered(n: int, start: int = 0) -> Events:
    """Events whose columns all tell the row, each with its own offset: a swapped column shows."""
    columns = {
        name: (np.arange(start, start + n) + 7 * i).astype(dtype)
        for i, (name, dtype) in enumerate(Events.DTYPES.items())
    }
    columns["origin"] = np.resize(np.array([1, 2, 3], np.uint8), n)
    return Events(**columns)


def assert_equal(first: Events, second: Events) -> None:
    for name, dtype in Events.DTYPES.items():
        assert getattr(first, name).dtype == dtype, name
        assert np.array_equal(getattr(first, name), getattr(second, name)), name


def test_the_columns_and_their_size():
    events = Events.empty()
    assert len(events) == 0
    assert sum(getattr(events, name).itemsize for name in Events.DTYPES) == 48
    assert len(Events.empty(5)) == 5
    for name, dtype in Events.DTYPES.items():
        assert getattr(events, name).dtype == dtype


def test_counts_and_parents_are_wide_enough():
    assert np.iinfo(Events.DTYPES["parent"]).max > 2**40
    assert np.iinfo(Events.DTYPES["channel"]).max >= 4096
    assert np.finfo(Events.DTYPES["time_s"]).eps < 1e-15


@pytest.mark.parametrize(
    "chosen",
    [slice(2, 7), np.array([5, 1, 1]), np.arange(9) % 2 == 0, np.zeros(9, bool)],
    ids=["slice", "rows", "mask", "none"],
)
def test_select_takes_the_same_rows_of_all_columns(chosen):
    events = numbered(9)
    part = events.select(chosen)
    rows = np.arange(9)[chosen]
    for i, name in enumerate(Events.DTYPES):
        if name != "origin":
            assert getattr(part, name).tolist() == (rows + 7 * i).tolist()


def test_concatenate_joins_in_order():
    parts = [numbered(3), Events.empty(), numbered(2, start=3)]
    joined = Events.concatenate(parts)
    assert len(joined) == 5
    assert joined.parent.tolist() == (np.arange(5) + 7 * 11).tolist()
    assert_equal(Events.concatenate([numbered(4)]), numbered(4))
    assert_equal(Events.concatenate([]), Events.empty())


def test_origins_are_told_apart():
    events = numbered(9)
    for origin in Origin:
        part = events.from_origin(origin)
        assert len(part) == 3
        assert (part.origin == origin).all()


def test_measured_and_true_positions_are_not_mixed_up():
    view = View(350.0, -60.0, "survey", 3600.0)
    events = numbered(4)
    for found, (east, north) in (
        (events.ra_dec(view), (events.east_arcsec, events.north_arcsec)),
        (events.true_ra_dec(view), (events.true_east_arcsec, events.true_north_arcsec)),
    ):
        assert np.array_equal(found[0], view.sky(east, north)[0])
        assert np.array_equal(found[1], view.sky(east, north)[1])
        assert found[0].dtype == found[1].dtype == np.float64
        assert (found[0] > 349).all()  # RA first, Dec second
        assert (found[1] < -59).all()
    assert not np.array_equal(events.ra_dec(view)[0], events.true_ra_dec(view)[0])
