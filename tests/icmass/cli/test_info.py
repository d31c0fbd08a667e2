"""`icmass info`: what it prints, draws, checks and repairs."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from icmass.catalog import Catalog, CatalogSpec
from icmass.catalog.figure import catalog_figure
from tests.helpers.catalogs import SPEC, shard_data


@pytest.fixture
def place(tmp_path: Path) -> Path:
    catalog = Catalog.create(tmp_path / "catalog", SPEC)
    catalog.append(shard_data())
    catalog.append(shard_data(first=100))
    catalog.write_predictions("net", np.zeros(10), np.ones(10))
    return catalog.path


def test_prints_what_is_there(run, place):
    status, out, err = run("info", place, "--validate")
    assert (status, err) == (0, "")
    for text in (
        "10 of 6 haloes",
        "2 shards",
        "12 x 10 pixels of 250 kpc; soft 0.5-1.2 keV",
        "icm, agn, background",
        "expectations, exposure maps, galaxies, regions",
        "predictions net",
        "m500c_msun",
        "sound",
    ):
        assert text in out


def test_json(run, place):
    status, out, _ = run("info", place, "--json")
    assert status == 0
    values = json.loads(out)
    catalog = Catalog.open(place)
    assert values["fingerprint"] == catalog.fingerprint()
    assert values["seed"] == 3
    mass = next(c for c in values["columns"] if c["name"] == "m500c_msun")
    assert mass["unit"] == "Msun"
    assert mass["median"] == pytest.approx(np.median(catalog.column("m500c_msun")))
    flags = catalog.column("flags")
    assert values["flags"]["BLENDED"] == np.sum(flags & 2 > 0)


def test_empty_catalog_and_unknown_values(run, tmp_path):
    spec = CatalogSpec(geometry=SPEC.geometry, bands=SPEC.bands[:1], origins=("all",))
    catalog = Catalog.create(tmp_path / "empty", spec)
    status, out, _ = run("info", catalog.path)
    assert status == 0
    assert "0 of 0 haloes" in out
    status, _, err = run("info", catalog.path, "--plot", tmp_path / "x.png")
    assert (status, err) == (2, f"{catalog.path}: must hold clusters to be drawn; it is empty.\n")
    data = shard_data(spec)
    catalog.append(replace(data, columns={**data.columns, "redshift": np.full(5, np.nan)}))
    status, out, _ = run("info", catalog.path, "--json")
    assert status == 0
    redshift = next(c for c in json.loads(out)["columns"] if c["name"] == "redshift")
    assert (redshift["known"], redshift["median"]) == (0, None)


def test_picture(run, place, tmp_path):
    path = tmp_path / "catalog.png"
    status, out, _ = run("info", place, "--plot", path)
    assert status == 0
    assert f"picture: {path}" in " ".join(out.split())
    first = path.read_bytes()
    assert imread(path).std() > 0.05
    status, _, err = run("info", place, "--plot", path)
    assert status == 2
    assert "already exists" in err
    assert run("info", place, "--plot", path, "--overwrite")[0] == 0
    assert path.read_bytes() == first
    status, _, err = run("info", place, "--plot", tmp_path / "x.jpg")
    assert status == 2
    assert "must end in .png, .pdf, .svg; got '.jpg'" in err


def test_gallery_shows_images_with_north_up_and_east_left():
    """One photon in the north-east corner of a catalog of one band."""
    figure = catalog_figure(_OneCorner())
    picture = figure.subfigs[1].axes[0].images[0]
    left, right, bottom, top = picture.get_extent()
    assert left > 0 > right
    assert top > bottom
    assert picture.origin == "lower"
    assert np.unravel_index(picture.get_array()[..., 0].argmax(), (12, 10)) == (11, 0)


class _OneCorner:
    """Stands for a catalog of one cluster, whose north-eastern pixel shines."""

    spec = CatalogSpec(geometry=SPEC.geometry, bands=SPEC.bands[:1], origins=("all",))
    columns = spec.columns

    def __len__(self):
        return 1

    def column(self, name):
        return np.ones(1)

    def select(self, rows):
        return self

    def images(self, rows, origins=None, dtype=None):
        image = np.zeros((1, 1, 12, 10), dtype)
        image[0, 0, 11, 0] = 9
        return image


def test_damage_is_told_and_repaired(run, place):
    (place / "shards" / "shard-000000.h5").unlink()
    status, _, err = run("info", place)
    assert status == 2
    assert err == (
        f"{place}: shard 'shard-000000.h5' is missing. "
        f"Drop it: icmass info {place} --repair; then make it again.\n"
    )
    status, out, err = run("info", place, "--repair", "--json")
    assert status == 0
    assert err == f"{place}: shard 'shard-000000.h5' is missing: dropped\n"
    assert json.loads(out)["dropped"] == ["shard-000000.h5"]
    assert "5 of 3 haloes" in run("info", place)[1]


def test_validation_fails_with_status_2(run, place):
    path = place / "shards" / "shard-000001.h5"
    raw = bytearray(path.read_bytes())
    raw[-5] ^= 1
    path.write_bytes(raw)
    status, _, err = run("info", place, "--validate")
    assert status == 2
    assert "shard 'shard-000001.h5' is damaged" in err
    assert run("info", place / "nothing")[0] == 2


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flipped(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    place = raw.find(np.ones(10).tobytes())  # of the spreads
    raw[place + 3] ^= 1
    path.write_bytes(raw)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [truncated, flipped, directory])
def test_validation_reads_predictions(run, place, damage):
    Catalog.open(place).write_predictions("other", np.zeros(10), np.ones(10))
    damage(place / "predictions" / "net.h5")
    status, out, err = run("info", place, "--validate")
    assert (status, out) == (2, "")
    assert err.startswith(f"{place}/predictions/net.h5: is damaged (")
    assert err.endswith("write the predictions again.\n")
    assert err.count("\n") == 1


def test_validation_tells_of_files_that_are_not_of_the_catalog(run, place):
    shards = place / "shards"
    (shards / "shard-000009.h5").write_bytes((shards / "shard-000001.h5").read_bytes())
    status, out, err = run("info", place, "--validate")
    assert (status, err) == (0, "")
    assert "not of the catalog: shards/shard-000009.h5" in " ".join(out.split())
    assert json.loads(run("info", place, "--validate", "--json")[1])["unlisted"] == [
        "shard-000009.h5"
    ]
    (shards / "shard-000009.h5").unlink()
    assert "not of the catalog" not in run("info", place, "--validate")[1]


def test_the_kind_of_columns_is_not_cut_short(run, place, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    spec = replace(SPEC, optional_columns=("sigma_v_clipped_km_s", "n_phot_agn_500"))
    wide = Catalog.create(place.with_name("wide"), spec)
    wide.append(shard_data(spec))
    out = run("info", wide.path)[1]
    assert max(map(len, out.splitlines()[12:])) <= 80
    for word in ("kind", "truth", "observable"):
        assert f" {word} " in out
