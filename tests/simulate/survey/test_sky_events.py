"""The struct of arrays of photons on the sky."""

import numpy as np
import pytest

from icmass.simulate.events import Events
from icmass.simulate.survey.sky_events import SkyEvents


def numbered(n: int, start: int = 0) -> SkyEvents:
    """Events whose columns all tell the row, each with its own offset: a swapped column shows."""
    columns = {
        name: (np.arange(start, start + n) + 7 * i).astype(dtype)
        for i, (name, dtype) in enumerate(SkyEvents.DTYPES.items())
    }
    columns["origin"] = np.resize(np.array([1, 2, 3], np.uint8), n)
    return SkyEvents(**columns)


def test_the_columns_and_their_size():
    events = SkyEvents.empty()
    assert len(events) == 0
    assert len(SkyEvents.empty(5)) == 5
    assert sum(getattr(events, name).itemsize for name in SkyEvents.DTYPES) == 44
    for name, dtype in SkyEvents.DTYPES.items():
        assert getattr(events, name).dtype == dtype


def test_ids_of_agn_in_the_finest_cells_fit():
    assert np.iinfo(SkyEvents.DTYPES["source_id"]).max > (2**20 + 12 * 128**2) << 20


@pytest.mark.parametrize(
    "chosen",
    [slice(2, 7), np.array([5, 1, 1]), np.arange(9) % 2 == 0, np.zeros(9, bool)],
    ids=["slice", "rows", "mask", "none"],
)
def test_select_takes_the_same_rows_of_all_columns(chosen):
    part = numbered(9).select(chosen)
    rows = np.arange(9)[chosen]
    for i, name in enumerate(SkyEvents.DTYPES):
        if name != "origin":
            assert getattr(part, name).tolist() == (rows + 7 * i).tolist()


def test_concatenate_joins_in_order():
    joined = SkyEvents.concatenate([numbered(3), SkyEvents.empty(), numbered(2, start=3)])
    assert len(joined) == 5
    for i, (name, dtype) in enumerate(SkyEvents.DTYPES.items()):
        assert getattr(joined, name).dtype == dtype
        if name != "origin":
            assert getattr(joined, name).tolist() == (np.arange(5) + 7 * i).tolist()
    one = numbered(4)
    assert SkyEvents.concatenate([one]) is one
    assert len(SkyEvents.concatenate([])) == 0
    assert SkyEvents.concatenate([]).source_id.dtype == np.int64


def test_events_of_a_field_keep_all_but_their_places_and_sources():
    field = Events(
        **{
            name: (np.arange(3) + 7 * i).astype(dtype)
            for i, (name, dtype) in enumerate(Events.DTYPES.items())
        }
    )
    ra, dec, source = np.arange(3) + 0.5, np.arange(3) - 0.5, np.arange(3) + 2**40
    events = SkyEvents.of(field, ra, dec, source)
    assert events.ra_deg is ra
    assert events.dec_deg is dec
    assert events.source_id is source
    for name in ("energy_kev", "channel", "module", "origin", "time_s", "true_energy_kev"):
        assert np.array_equal(getattr(events, name), getattr(field, name)), name
    for name, dtype in SkyEvents.DTYPES.items():
        assert getattr(events, name).dtype == dtype
