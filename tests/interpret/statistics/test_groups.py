import numpy as np

from icmass.interpret.statistics.groups import halves


def test_halves_part_the_known_clusters(clusters, tmp_path):
    images = np.zeros((9, 2, 3, 4, 5), np.uint16)
    state = np.array([0.1, np.nan, -2.0, 1.5, 0.0, -1.0, 2.0, 0.7, np.nan])
    catalog = clusters(
        tmp_path / "c",
        images,
        columns={
            "dynamical_state": state,
            "redshift": np.full(9, 0.1),  # cannot be split
            "m500c_msun": 1e14 * np.arange(9.0, 0.0, -1.0),
        },
    )
    rows = np.array([0, 1, 2, 3, 5, 6])
    found = {(half.by, half.side): half for half in halves(catalog, rows, rows)}
    assert set(found) == {
        (by, side) for by in ("mass", "dynamical_state") for side in ("low", "high")
    }
    low, high = found["mass", "low"], found["mass", "high"]
    assert rows[low.mask].tolist() == [3, 5, 6]
    assert rows[high.mask].tolist() == [0, 1, 2]
    assert (low.low, low.high, high.low, high.high) == (3e14, 6e14, 7e14, 9e14)
    assert rows[found["dynamical_state", "low"].mask].tolist() == [2, 5]
    assert rows[found["dynamical_state", "high"].mask].tolist() == [0, 3, 6]


def test_halves_are_of_two_haloes_at_least(clusters, tmp_path):
    catalog = clusters(
        tmp_path / "c",
        np.zeros((4, 2, 3, 4, 5), np.uint16),
        columns={"m500c_msun": 1e14 * np.arange(1.0, 5.0), "redshift": np.arange(1.0, 5.0) / 9.0},
    )
    rows = np.arange(4)
    assert len(halves(catalog, rows, rows)) == 4
    assert halves(catalog, rows, np.array([0, 0, 1, 1])) == []
