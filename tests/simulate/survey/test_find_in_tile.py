"""Sources at the rims of tiles: found once, whole, and matched to haloes of the tile beyond."""

import numpy as np
import pytest
from astropy.table import Table
from scipy.spatial import cKDTree

from icmass.config import SurveyConfig
from icmass.simulate.survey import simulate_survey
from icmass.simulate.survey.find_in_tile import FOUND
from icmass.simulate.survey.summary import note_neighbours

NAN = float("nan")


def tables() -> tuple[Table, Table]:
    """Haloes 3, 7 and 5, of which one was found in its own tile; four sources."""
    haloes = Table({"halo_id": [3, 7, 5], "detected": [False, True, False]})
    for number, name in enumerate(FOUND):
        haloes[name] = [NAN, 10.0 + number, NAN]
    sources = Table({"halo_id": [5, -1, 7, 5]})
    for number, name in enumerate(FOUND.values()):
        sources[name] = [40.0 + number, 1.0, 10.0 + number, 20.0 + number]
    return haloes, sources


def test_haloes_get_the_most_likely_source_of_any_tile():
    haloes, sources = tables()
    note_neighbours(haloes, sources)
    assert haloes["detected"].tolist() == [False, True, True]
    for number, name in enumerate(FOUND):
        np.testing.assert_array_equal(haloes[name], [NAN, 10.0 + number, 40.0 + number])


def test_nothing_found_changes_nothing():
    haloes, sources = tables()
    before = haloes.copy()
    note_neighbours(haloes, sources[:0])
    assert haloes["detected"].tolist() == before["detected"].tolist()
    empty = haloes[:0]
    note_neighbours(empty, sources[sources["halo_id"] < 0])
    assert len(empty) == 0


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """1.1 deg^2 about a corner of four tiles."""
    place = tmp_path_factory.mktemp("searched") / "s"
    config = SurveyConfig.parse(
        {
            "footprint": "cone:45,0,0.6",
            "exposure": "flat:2500",
            "column": "3e20",
            "tiles": "healpix:64",
            "min_m500c_msun": 1e14,
            "agn_flux_limit": 2e-15,
            "particles": 5000,
            "clustering": False,
            "seed": 4,
        }
    )
    simulate_survey(config, place, workers=1)
    return place


def places(table: Table) -> np.ndarray:
    ra, dec = np.radians(table["ra_deg"]), np.radians(table["dec_deg"])
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


@pytest.mark.slow
def test_bright_sources_are_found_once_wherever_they_lie(searched):
    from icmass.simulate.survey.tiles import parse_tiling

    found = Table.read(searched / "sources.fits")
    agn = [Table.read(path, hdu=1) for path in sorted(searched.glob("tiles/*/agn.fits"))]
    bright = np.concatenate([np.asarray(table["expected_soft"]) > 60.0 for table in agn])
    where = np.concatenate([places(table) for table in agn])[bright]
    near = cKDTree(places(found)).query_ball_point(where, np.radians(20.0 / 3600.0))
    counts = np.array([len(one) for one in near])
    assert len(counts) > 12
    assert (counts == 1).mean() > 0.9  # a neighbour may lie as near by chance
    assert (counts >= 1).all()
    tiling = parse_tiling("healpix:64")
    owner = tiling.owner(np.asarray(found["ra_deg"]), np.asarray(found["dec_deg"]))
    np.testing.assert_array_equal(owner, found["tile_id"])


@pytest.mark.slow
def test_no_pair_of_sources_across_a_rim(searched):
    found = Table.read(searched / "sources.fits")
    pairs = cKDTree(places(found)).query_pairs(np.radians(12.0 / 3600.0))
    across = [pair for pair in pairs if len({int(found["tile_id"][row]) for row in pair}) > 1]
    assert len(found) > 100
    assert across == []
