"""Sources at the rims of tiles: found once, whole, and matched to haloes of the tile beyond."""

import numpy as np
import pytest
from astropy.table import Table
from scipy.spatial import cKDTree

from icmass.config import SurveyConfig
from icmass.simulate.survey import simulate_survey
from icmass.simulate.survey.find_in_tile import FOUND
from icmass.simulate.survey.summary import keep_most_likely, note_sources

NAN = float("nan")


def tables() -> tuple[np.ndarray, np.ndarray]:
    """Haloes 3, 7 and 5, of which one was found in its own tile; five sources."""
    names = ["halo_id", "detected", *FOUND]
    haloes = np.zeros(3, [(n, {"halo_id": "i8", "detected": "?"}.get(n, "f8")) for n in names])
    haloes["halo_id"], haloes["detected"] = [3, 7, 5], [False, True, False]
    sources = np.zeros(5, [("halo_id", "i8"), *((name, "f8") for name in FOUND.values())])
    sources["halo_id"] = [5, -1, 7, 5, -1]
    for number, name in enumerate(FOUND.values()):
        sources[name] = number + np.array([40.0, 1.0, 10.0, 20.0, 90.0])
    return haloes, sources


def test_a_halo_found_from_two_tiles_keeps_the_likelier_source():
    _, sources = tables()
    keep_most_likely(sources, "halo_id")
    assert sources["halo_id"].tolist() == [5, -1, 7, -1, -1]


def test_haloes_get_the_source_of_any_tile():
    haloes, sources = tables()
    keep_most_likely(sources, "halo_id")
    note_sources(haloes, sources[sources["halo_id"] >= 0])
    assert haloes["detected"].tolist() == [False, True, True]
    for number, name in enumerate(FOUND):
        np.testing.assert_array_equal(haloes[name], [NAN, 10.0 + number, 40.0 + number])


def test_nothing_found_is_nothing_noted():
    haloes, sources = tables()
    note_sources(haloes, sources[:0])
    assert not haloes["detected"].any()
    note_sources(haloes[:0], sources[:0])
    keep_most_likely(sources[:0], "halo_id")


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
    for name in ("halo_id", "agn_id"):
        ids = np.asarray(found[name])
        assert len(np.unique(ids[ids >= 0])) == (ids >= 0).sum() > 0
