"""Small files of every kind that is read, as our own writers make them, and how each is read."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from astropy.cosmology import Planck18
from astropy.io import fits
from astropy.table import Table

from icmass.catalog import Catalog
from icmass.catalog.manifest import SHARDS, Manifest
from icmass.digests import CHECKSUM
from icmass.files import MANIFEST
from icmass.simulate.cutouts.event_files import scan_event_files
from icmass.simulate.cutouts.position_table import read_positions
from icmass.simulate.cutouts.sky_values import sky_values
from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.footprints import cone, from_moc, from_pixels, whole_sky
from icmass.simulate.instrument import Instrument
from icmass.simulate.instrument.ogip_read import read_arf, read_rmf
from icmass.simulate.instrument.ogip_write import write_arf, write_rmf
from icmass.simulate.instrument.redistribution import Redistribution
from icmass.simulate.instrument.response import Response
from icmass.simulate.lightcone.light_cone import LightCone
from icmass.simulate.lightcone.read import read_light_cone
from icmass.simulate.population.parameters import Population
from icmass.simulate.readers import load_gas
from icmass.simulate.skymaps import SkyMap, read_column, read_exposure
from icmass.simulate.snapshots.table_file import read_table_file
from tests.helpers.catalogs import SPEC, shard_data
from tests.helpers.population import magneticum
from tests.helpers.snapshots import make_truth, write_gadget_hdf5, write_swift
from tests.simulate.cutouts.files import CENTRE, sky_photons, write_esass, write_image, write_own

__all__ = ["FITS", "HDF5", "TEXT", "Kind", "names"]

#: Kinds of which a line can name the catalog, or all files together, in place of the file.
_TOGETHER = {"own events", "events", "early events", "shard", "predictions", ".manifest"}

_HALOES = Table(
    {
        "RA": CENTRE[0] + np.arange(6.0),
        "DEC": CENTRE[1] + np.arange(6.0),
        "z": np.linspace(0.1, 0.6, 6),
        "M500c": np.linspace(1e14, 6e14, 6),
        "id": np.arange(6) + 1,
    }
)


class Kind(NamedTuple):
    """What is written to a path, and what reads it."""

    name: str
    write: Callable[[Path], Any]
    read: Callable[[Path], Any]


def names(kind: Kind, path: Path) -> tuple[str, ...]:
    """What a line about the file at a path must hold."""
    return () if kind.name in _TOGETHER else (path.name,)


def _cone(path: Path) -> LightCone:
    return read_light_cone(path, magneticum().haloes, whole_sky(), 1)


def _write_cone(path: Path) -> None:
    table = path.with_name("cone.fits")
    _HALOES.write(table, overwrite=True)
    _cone(table).write(path)
    table.unlink()
    _unseal(path)


def _response() -> Response:
    energy, channel = np.linspace(0.2, 8.0, 13), np.linspace(0.1, 9.0, 11)
    rows = Redistribution(
        energy_edges_kev=energy,
        channel_edges_kev=channel,
        first_channel=0,
        row_start=np.arange(13) * 2,
        row_channel=np.minimum(np.arange(12), 8).astype(np.int32),
        probability=np.full(24, 0.5, np.float32),
    )
    return Response(rows, np.linspace(100.0, 900.0, 12))


def _write_pixels(path: Path) -> None:
    table = fits.BinTableHDU.from_columns([fits.Column("PIXEL", "K", array=[1, 5, 7])])
    table.header["NSIDE"], table.header["ORDERING"], table.header["COORDSYS"] = 4, "NESTED", "C"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)


def _write_partial(path: Path) -> None:
    values = np.full(12 * 64, np.nan)
    values[3:60] = 900.0
    SkyMap(values, 8, "icrs", "s", "EXPOSURE").write(path)


def _write_table(path: Path) -> None:
    grid = np.ones((3, 9))
    SpectralTable(np.linspace(0.1, 9.0, 10), np.array([0.5, 1.0, 9.0]), grid, grid, {}).save(path)
    _unseal(path)


def _write_columns(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name in _HALOES.colnames:
            file[name] = _HALOES[name].data


def _write_shard(path: Path) -> None:
    """A catalog in a folder beside the path, of whose shard the path is a copy."""
    place = path.with_suffix(".catalog")
    shutil.rmtree(place, ignore_errors=True)
    catalog = Catalog.create(place, SPEC)
    catalog.append(shard_data())
    catalog.write_predictions("a", np.arange(5.0), np.ones(5), quantiles={0.5: np.ones(5)})
    shutil.copy(place / SHARDS / catalog.shards[0].name, path)


def _read_shard(path: Path) -> None:
    """Read the catalog with the shard at the path, whose checksum the manifest has."""
    place = path.with_suffix(".catalog")
    manifest = Manifest.load(place)
    record = manifest.shards[0]
    shutil.copy(path, place / SHARDS / record.name)
    size = path.stat().st_size
    manifest.with_shards(
        [replace(record, size=size, sha256=hashlib.sha256(path.read_bytes()).hexdigest())]
    ).save(place)
    catalog = Catalog.open(place)
    catalog.validate()
    catalog.where("redshift > 0")
    catalog.images()
    catalog.expectations([0])
    for row in range(len(catalog)):
        catalog.galaxies(row)
        catalog.regions(row)


def _write_predictions(path: Path) -> None:
    _write_shard(path)
    shutil.copy(path.with_suffix(".catalog") / "predictions" / "a.h5", path)
    _unseal(path)


def _unseal(path: Path) -> None:
    """Take the digest away, so that what is changed is looked at."""
    with h5py.File(path, "r+") as file:
        file.attrs.pop(CHECKSUM, None)


def _read_predictions(path: Path) -> None:
    place = path.with_suffix(".catalog")
    shutil.copy(path, place / "predictions" / "a.h5")
    catalog = Catalog.open(place)
    catalog.predictions("a")
    catalog.select([3, 1]).predictions("a")


def _truth() -> Any:
    return make_truth(gas_count=60, dark_count=80)


def _write_instrument(path: Path) -> None:
    source = resources.files("icmass.simulate.instrument") / "data"
    for name in ("erosita_area.csv", "erosita.toml"):
        place = path if name == "erosita.toml" else path.with_name(name)
        place.write_bytes((source / name).read_bytes())


def _write_manifest(path: Path) -> None:
    _write_shard(path)
    values = json.loads((path.with_suffix(".catalog") / MANIFEST).read_text())
    values.pop(CHECKSUM, None)  # so that what is changed is looked at
    path.write_text(json.dumps(values, indent=1))


def _read_manifest(path: Path) -> None:
    place = path.with_suffix(".catalog")
    shutil.copy(path, place / MANIFEST)
    catalog = Catalog.open(place)
    catalog.rows()
    catalog.images()


_PIXELS = "# nside=64 ordering=nested frame=icrs\n12\n13\n40\n"
_POPULATION = """base: magneticum
haloes:
  log10_m500c_min: 13.7
  redshifts: [0.1, 0.3]
structures:
  companions:
    mean_number: 0.5
"""

FITS = [
    Kind("own events", lambda p: write_own(p, sky_photons(30)), lambda p: scan_event_files([p])),
    Kind("events", lambda p: write_esass(p, sky_photons(30)), lambda p: scan_event_files([p])),
    Kind(
        "early events",
        lambda p: write_esass(p, sky_photons(30), early=True, without=("EV_WEIGHT",)),
        lambda p: scan_event_files([p]),
    ),
    Kind("positions", _HALOES.write, lambda p: read_positions(p, Planck18)),
    Kind("haloes", _HALOES.write, _cone),
    Kind("table", _HALOES.write, read_table_file),
    Kind("exposure", lambda p: SkyMap(np.full(48, 9.0), 2, unit="s").write(p), read_exposure),
    Kind("part of the sky", _write_partial, SkyMap.read),
    Kind("column", lambda p: SkyMap(np.full(48, 3e20), 2, unit="cm-2").write(p), read_column),
    Kind(
        "image",
        lambda p: write_image(p, np.full((9, 7), 500.0)),
        lambda p: sky_values([str(p)], "exposure_map", vignetted=True)(
            np.array([CENTRE[0]]), np.array([CENTRE[1]])
        ),
    ),
    Kind("footprint", lambda p: cone(10.0, 20.0, 0.3).write(p), from_moc),
    Kind("pixels", _write_pixels, from_pixels),
    Kind("area", lambda p: write_arf(p, _response()), read_arf),
    Kind("matrix", lambda p: write_rmf(p, _response().redistribution), read_rmf),
]
HDF5 = [
    Kind("gadget", lambda p: write_gadget_hdf5(p, _truth()), load_gas),
    Kind("tng", lambda p: write_gadget_hdf5(p, _truth(), flavour="tng"), load_gas),
    Kind("simba", lambda p: write_gadget_hdf5(p, _truth(), flavour="simba"), load_gas),
    Kind("swift", lambda p: write_swift(p, _truth()), load_gas),
    Kind("plasma", _write_table, SpectralTable.load),
    Kind("light cone", _write_cone, LightCone.read),
    Kind("positions", _write_columns, lambda p: read_positions(p, Planck18)),
    Kind("haloes", _write_columns, _cone),
    Kind("shard", _write_shard, _read_shard),
    Kind("predictions", _write_predictions, _read_predictions),
]
TEXT = [
    Kind(".ecsv", lambda p: _HALOES.write(p, format="ascii.ecsv"), _cone),
    Kind(
        ".csv",
        lambda p: _HALOES.write(p, format="ascii.csv"),
        lambda p: read_positions(p, Planck18),
    ),
    Kind(".toml", _write_instrument, Instrument.load),
    Kind(".yaml", lambda p: p.write_text(_POPULATION), Population.load),
    Kind(".txt", lambda p: p.write_text(_PIXELS), from_pixels),
    Kind(".json", lambda p: p.write_text('{"6": [3, 4], "9": [0, 786431]}'), from_moc),
    Kind(".moc", lambda p: p.write_text("6/3-4 9/0 786431"), from_moc),
    Kind(".manifest", _write_manifest, _read_manifest),
]
