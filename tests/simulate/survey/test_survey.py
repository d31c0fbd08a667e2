"""A whole survey: every photon once, the same whoever makes it, resumed after anything."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from icmass.config import SurveyConfig
from icmass.errors import InputError, OutputError
from icmass.simulate.cutouts import read_event_list
from icmass.simulate.survey import simulate_survey
from tests.helpers.stats import assert_chi_square
from tests.helpers.trees import files

# 2.5 deg^2 about a corner of four tiles of 0.84 deg^2, seen for little.
SKY = {
    "footprint": "cone:45,0,0.9",
    "exposure": "flat:600",
    "column": "3e20",
    "tiles": "healpix:64",
    "min_m500c_msun": 1e14,
    "redshift_range": [0.05, 0.6],
    "agn_flux_limit": 5e-15,
    "particles": 5000,
    "clustering": False,
    "detect": False,
    "seed": 11,
}


def config(**other: object) -> SurveyConfig:
    return SurveyConfig.parse({**SKY, **other})


def contents(place: Path) -> dict[str, bytes]:
    found = files(place)
    del found["summary.json"]  # it names the directory
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("survey") / "s"
    simulate_survey(config(), place, workers=1)
    return place


def events_of(place: Path) -> dict[str, object]:
    return {
        path.parent.name: read_event_list(path)
        for path in sorted(place.glob("tiles/*/events.fits"))
    }


def joined(place: Path, name: str) -> np.ndarray:
    return np.concatenate([getattr(events, name) for events in events_of(place).values()])


def in_order(columns: list[np.ndarray]) -> list[np.ndarray]:
    """Photons sorted as rows."""
    order = np.lexsort(columns)
    return [column[order] for column in columns]


def test_every_photon_of_a_source_is_in_exactly_one_tile(whole):
    ids, counts = np.unique(joined(whole, "source_id"), return_counts=True)
    found = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    tables = [Table.read(whole / "haloes.fits")["halo_id", "n_photons", "n_outside"]]
    for path in sorted(whole.glob("tiles/*/agn.fits")):
        tables.append(Table.read(path, hdu=1)["source_id", "n_photons", "n_outside"])
    total, spread = 0, 0
    for table in tables:
        for source, drawn, outside in table.iterrows():
            assert found.pop(int(source), 0) == drawn - outside
            total += int(drawn)
    assert found.keys() == {0}  # background: nothing else is left
    assert total > 2000
    for path in whole.glob("tiles/*/agn.fits"):
        table = Table.read(path, hdu=1)
        spread += int((table["n_in_tile"] + table["n_outside"] < table["n_photons"]).sum())
    assert spread > 3  # sources whose photons lie in several tiles


def test_photons_lie_in_the_tile_that_owns_them(whole):
    from icmass.simulate.survey.tiles import parse_tiling

    tiling = parse_tiling("healpix:64")
    numbers = set()
    for path in whole.glob("tiles/*"):
        events = read_event_list(path / "events.fits")
        owner = np.unique(tiling.owner(events.ra_deg, events.dec_deg))
        assert [tiling.tile(int(number)).name for number in owner] == [path.name]
        numbers.add(int(owner[0]))
    assert len(numbers) >= 4


def test_sources_have_the_photons_they_should(whole):
    tables = [Table.read(path, hdu=1) for path in sorted(whole.glob("tiles/*/agn.fits"))]
    drawn = np.concatenate([np.asarray(table["n_photons"]) for table in tables])
    expected = np.concatenate([np.asarray(table["expected"]) for table in tables])
    assert_chi_square(drawn, expected)
    haloes = Table.read(whole / "haloes.fits")
    assert_chi_square(np.asarray(haloes["n_photons"]), np.asarray(haloes["expected"]))
    with pytest.raises(AssertionError):
        assert_chi_square(drawn, 0.9 * expected)


@pytest.mark.slow
@pytest.mark.parametrize("tiles", ["healpix:32", "erass"])
def test_the_sky_does_not_depend_on_the_tiles(whole, tmp_path, tiles):
    simulate_survey(config(tiles=tiles), tmp_path / "s", workers=1)
    names = ("ra_deg", "dec_deg", "energy_kev", "source_id", "origin")
    here, there = ([joined(place, name) for name in names] for place in (tmp_path / "s", whole))
    for one, other in zip(in_order(here), in_order(there), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_two_workers_write_the_same_bytes(whole, tmp_path):
    simulate_survey(config(), tmp_path / "s", workers=2)
    assert contents(tmp_path / "s") == contents(whole)


@pytest.mark.slow
def test_dask_workers_write_the_same_bytes(whole, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
    ) as cluster:
        simulate_survey(config(), tmp_path / "s", scheduler=cluster.scheduler_address)
    assert contents(tmp_path / "s") == contents(whole)


def test_goes_on_where_it_was(whole, tmp_path):
    place = tmp_path / "s"

    def interrupt(progress):
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_survey(config(), place, workers=1, report=interrupt)
    kept = {path: path.stat().st_mtime_ns for path in place.glob("tiles/*/events.fits")}
    assert len(kept) == 2
    (place / "tiles" / ".h64-1.0a1b2c3d.partial").mkdir()  # as a killed worker leaves it
    seen = []
    summary = simulate_survey(config(), place, workers=1, report=seen.append)
    assert seen[0].done == seen[0].before == 2
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert contents(place) == contents(whole)
    assert summary.values["made"] == summary.values["tiles"] - 2
    assert simulate_survey(config(), place, workers=1).values["made"] == 0


def test_what_is_finished_is_left(whole):
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("[!.]*.*") if path.is_file()}
    summary = simulate_survey(config(), whole, workers=1)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert summary.values["made"] == 0
    written = json.loads((whole / "summary.json").read_text())
    assert written.items() <= summary.values.items()


@pytest.mark.parametrize("name", ["haloes.fits", "counts.fits", "figures"])
def test_what_is_lost_is_made_again(whole, tmp_path, name):
    place = tmp_path / "s"
    shutil.copytree(whole, place)
    summary = json.loads((place / "summary.json").read_text())
    (place / "summary.json").write_text(json.dumps(summary | {"survey": str(place)}))
    lost = place / name
    shutil.rmtree(lost) if lost.is_dir() else lost.write_bytes(lost.read_bytes()[:-2880])
    simulate_survey(config(), place, workers=1)
    assert contents(place) == contents(whole)


def test_a_plan_cut_short_is_made_again(whole, tmp_path):
    place = tmp_path / "s"
    place.mkdir()
    for name in ("exposure.fits", "column.fits", "footprint.fits", "lightcone.h5"):
        shutil.copy(whole / name, place / name)
    (place / "halo_light.fits").write_bytes(b"half")
    (place / ".lightcone.h5.01234567.partial.h5").write_bytes(b"half")
    simulate_survey(config(), place, workers=1)
    assert contents(place) == contents(whole)


def test_another_configuration_is_refused(whole):
    with pytest.raises(InputError, match=r"another configuration: seed is 11 there and 12 now"):
        simulate_survey(config(seed=12), whole, workers=1)


def test_other_versions_are_told(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "s")
    manifest = tmp_path / "s" / "survey.json"
    values = json.loads(manifest.read_text())
    values["provenance"]["versions"]["healpy"] = "1.0"
    del values["checksum"]
    manifest.write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"another version: healpy is 1\.0 there"):
        simulate_survey(config(), tmp_path / "s", workers=1)


def test_tiles_of_another_run_are_told(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "s")
    tile = sorted((tmp_path / "s" / "tiles").iterdir())[1]
    record = json.loads((tile / "tile.json").read_text())
    (tile / "tile.json").write_text(json.dumps({**record, "fingerprint": "0123456789abcdef"}))
    with pytest.raises(InputError, match=rf"a tile of another survey, 'tiles/{tile.name}'"):
        simulate_survey(config(), tmp_path / "s", workers=1)
    shutil.rmtree(tile)
    (tmp_path / "s" / "tiles" / "h64-99999").mkdir()
    with pytest.raises(InputError, match=r"a tile of another survey, 'tiles/h64-99999'"):
        simulate_survey(config(), tmp_path / "s", workers=1)


def test_damaged_tiles_are_told(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "s")
    tile = sorted((tmp_path / "s" / "tiles").iterdir())[0]
    events = (tile / "events.fits").read_bytes()
    (tile / "events.fits").write_bytes(events[:-2880])
    with pytest.raises(InputError, match=rf"tile '{tile.name}' is damaged: events\.fits must have"):
        simulate_survey(config(), tmp_path / "s", workers=1)
    (tile / "events.fits").unlink()
    with pytest.raises(InputError, match=r"events\.fits must have \d+ bytes, and has 0"):
        simulate_survey(config(), tmp_path / "s", workers=1)
    shutil.rmtree(tile)
    simulate_survey(config(), tmp_path / "s", workers=1)
    assert contents(tmp_path / "s") == contents(whole)


def test_another_telescope_under_the_same_name_is_told(tmp_path):
    from icmass.simulate.instrument import instrument as home

    shutil.copytree(Path(home.__file__).parent / "data", tmp_path / "telescope")
    mine = tmp_path / "telescope" / "erosita.toml"
    small = {"footprint": "cone:45,0.4,0.2", "tiles": "healpix:16", "agn": False}
    asked = config(**small, background=False, instrument=str(mine))
    simulate_survey(asked, tmp_path / "s", workers=1)
    mine.write_text(mine.read_text().replace("core_arcsec = 9.329", "core_arcsec = 12.0"))
    with pytest.raises(InputError, match=r"another set of input files: .*erosita\.toml is"):
        simulate_survey(asked, tmp_path / "s", workers=1)


def test_exposures_whose_mean_is_rounded_up(tmp_path):
    small = {"footprint": "cone:135,1,0.3", "tiles": "healpix:16", "agn": False}
    for seconds in ("flat:151.7", "flat:0.1"):
        place = tmp_path / seconds.replace(":", "")
        simulate_survey(config(**small, background=False, exposure=seconds), place, workers=1)


def test_directories_that_hold_other_things(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(OutputError, match=r"must be new, empty or a survey; it holds 'notes\.txt'"):
        simulate_survey(config(), tmp_path, workers=1)
    with pytest.raises(OutputError, match="must be a directory"):
        simulate_survey(config(), tmp_path / "notes.txt", workers=1)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "survey.json").write_text("{")
    with pytest.raises(InputError, match=r"survey\.json: is damaged"):
        simulate_survey(config(), tmp_path / "d", workers=1)
    (tmp_path / "d" / "survey.json").write_text('{"format": "x"}')
    with pytest.raises(InputError, match=r"must hold 'icmass survey'"):
        simulate_survey(config(), tmp_path / "d", workers=1)


def test_one_writer_at_a_time(whole):
    from icmass.catalog.lock import DirectoryLock

    with (
        DirectoryLock(whole),
        pytest.raises(OutputError, match="another run writes into it"),
    ):
        simulate_survey(config(), whole, workers=1)


@pytest.mark.slow
def test_a_killed_worker_ends_the_run_in_one_line(tmp_path, monkeypatch):
    from tests.helpers import deadly_tile

    monkeypatch.setattr("icmass.simulate.survey.driver.make_tile", deadly_tile.make_tile)
    with pytest.raises(InputError, match="a worker ended before its work"):
        simulate_survey(config(), tmp_path / "s", workers=2)
    monkeypatch.undo()
    summary = simulate_survey(config(), tmp_path / "s", workers=1)
    assert summary.values["tiles"] == len(list((tmp_path / "s" / "tiles").iterdir()))


def test_switches(tmp_path):
    small = {"footprint": "cone:45,0.4,0.3", "tiles": "healpix:16"}
    dark = simulate_survey(
        config(**small, agn=False, background=False), tmp_path / "dark", workers=1
    ).values
    assert (dark["agn"], dark["agn_events"], dark["background"]) == (0, 0, 0)
    lit = simulate_survey(config(**small, agn=False), tmp_path / "lit", workers=1).values
    assert lit["icm"] == dark["icm"]
    assert lit["background"] > 500
