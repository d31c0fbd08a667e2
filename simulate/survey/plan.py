"""What is fixed before the first photon: the sky, its conditions, haloes, tiles.

The driver makes the plan, and writes it into the directory of the survey when all of it is known;
workers read it there, so that all see the same.
"""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from icmass.config import SurveyConfig
from icmass.digests import require_sealed, sealed
from icmass.errors import InputError
from icmass.files import atomic_write, checksum
from icmass.provenance import provenance, versions
from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.fits_opening import write_fits
from icmass.simulate.instrument import Instrument
from icmass.simulate.lightcone import LightCone
from icmass.simulate.population.parameters import Population
from icmass.simulate.sky.agn_counts import NumberCounts
from icmass.simulate.snapshots.source import SnapshotSource
from icmass.simulate.survey.conditions import Conditions
from icmass.simulate.survey.conditions_file import (
    COLUMN,
    EXPOSURE,
    read_conditions,
    write_conditions,
)
from icmass.simulate.survey.damage import undamaged
from icmass.simulate.survey.faint_light import HaloLight, mean_light
from icmass.simulate.survey.haloes import Painter, reach_deg
from icmass.simulate.survey.setting import make_conditions, make_light_cone, make_source
from icmass.simulate.survey.tiles import Tile, Tiling, parse_tiling

__all__ = [
    "MANIFEST",
    "PLAN_FILES",
    "TILES",
    "Plan",
    "make_plan",
    "open_plan",
    "read_manifest",
    "write_plan",
]

Floats = NDArray[np.float64]

MANIFEST: Final = "survey.json"
TILES: Final = "tiles"
_FOOTPRINT: Final = "footprint.fits"
_LIGHT_CONE: Final = "lightcone.h5"
_LIGHT: Final = "halo_light.fits"
#: All files of a plan but the manifest, which comes last.
PLAN_FILES: Final = (EXPOSURE, COLUMN, _FOOTPRINT, _LIGHT_CONE, _LIGHT)
_FORMAT: Final = "icmass survey"
_AGAIN: Final = "Remove the directory and make the survey again."
_HASHED_BYTES: Final = 1 << 20
# Parts of the provenance in which two surveys may differ, the first cause first.
_PARTS: Final = {
    "config": "configuration",
    "population": "population",
    "telescope": "telescope",
    "inputs": "set of input files",
    "versions": "version",
}


@dataclass(frozen=True, eq=False)
class Plan:
    """A survey before its photons.

    Attributes
    ----------
    directory : Path
    config : SurveyConfig
    conditions : Conditions
    light_cone : LightCone
    light : HaloLight
        Of its haloes, which the background does without.
    telescope : Instrument
    painter : Painter
    tiling : Tiling
    """

    directory: Path
    config: SurveyConfig
    conditions: Conditions
    light_cone: LightCone
    light: HaloLight
    telescope: Instrument
    painter: Painter
    tiling: Tiling

    @cached_property
    def tiles(self) -> tuple[Tile, ...]:
        """Tiles that hold some of the footprint."""
        return self.tiling.tiles(self.conditions.footprint)

    @cached_property
    def reach_deg(self) -> Floats:
        """How far from its centre each halo sends photons, degrees, shape (n_halo,)."""
        haloes = self.light_cone.haloes
        wings_deg = self.telescope.psf("survey").max_radius_arcsec / 3600.0
        return reach_deg(haloes.r500c_kpc, haloes.redshift, self.painter.population, wings_deg)

    def exposure_in(self, tile: Tile, ra_deg: Floats, dec_deg: Floats) -> Floats:
        """Return the exposure of a tile: other tiles have the rest, and its photons.

        Parameters
        ----------
        tile : Tile
        ra_deg, dec_deg : ndarray, shape (n,)

        Returns
        -------
        ndarray, shape (n,)
            Seconds on axis; 0 where the tile does not own the position.
        """
        seconds = self.conditions.exposure_at(ra_deg, dec_deg)
        return np.where(self.tiling.owner(ra_deg, dec_deg) == tile.number, seconds, 0.0)

    @property
    def agn_flux_limit(self) -> float:
        """Of the AGN that are drawn; infinite for none."""
        return self.config.agn_flux_limit if self.config.agn else float("inf")

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Versions, seed and configuration, in values that JSON can hold."""
        return _provenance(self.config, self.painter.population, self.telescope)

    @cached_property
    def fingerprint(self) -> str:
        """What tells this survey's tiles from those of others."""
        digest = sha256(json.dumps(self.provenance, sort_keys=True).encode())
        cone, conditions = self.light_cone, self.conditions
        for values in (
            *(conditions.footprint.pixel, conditions.exposure_s),
            *(conditions.cell, conditions.column_cm2),
            *(cone.key, cone.ra_deg, cone.dec_deg, cone.haloes.redshift, cone.haloes.m500c_msun),
            self.light.per_arcmin2,
        ):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()[:16]


def make_plan(config: SurveyConfig, directory: Path) -> Plan:
    """Plan a survey, or read the plan of one that was begun; nothing is written.

    Parameters
    ----------
    config : SurveyConfig
    directory : Path
        Empty, begun with the same configuration, or not there yet.

    Raises
    ------
    InputError
        If the configuration cannot be met, or the directory holds another survey.
    """
    tiling, telescope = parse_tiling(config.tiles), Instrument.load(config.instrument)
    population = Population.load(config.population)
    if (directory / MANIFEST).exists():
        _require_same(directory, _provenance(config, population, telescope))
        return open_plan(directory)
    _require_survey(telescope)
    if config.agn:
        NumberCounts.default().require_limit(config.agn_flux_limit)
    conditions = make_conditions(config)
    source = make_source(config)
    light_cone = make_light_cone(config, population, conditions.footprint, source)
    painter = _painter(config, population, conditions, light_cone, source)
    shining = np.flatnonzero(painter.shining)
    light = mean_light(
        len(shining),
        lambda number: painter.gas(int(shining[number])),
        conditions.footprint.area_deg2,
        telescope.response("survey").redistribution.energy_edges_kev,
        SpectralTable.load(),
        config.seed,
    )
    return Plan(directory, config, conditions, light_cone, light, telescope, painter, tiling)


def open_plan(directory: Path) -> Plan:
    """Read the plan of the survey in `directory`; kept, for a worker draws many tiles of it.

    Raises
    ------
    InputError
        If there is no survey, it is damaged, or other versions of the software made it.
    """
    manifest = read_manifest(directory)
    return _open(directory, json.dumps(manifest, sort_keys=True))


@lru_cache(maxsize=1)
def _open(directory: Path, manifest: str) -> Plan:
    values = json.loads(manifest)
    for name, expected in values.get("sha256", {}).items():
        if not (directory / name).is_file() or checksum(directory / name) != expected:
            raise InputError(f"{directory / name}: is missing or damaged. {_AGAIN}")
    config, name = _config(values), values["footprint"]
    telescope = Instrument.load(config.instrument)
    population = Population.load(config.population)
    conditions = read_conditions(directory, name)
    light_cone = LightCone.read(directory / _LIGHT_CONE)
    source = make_source(config)
    return Plan(
        directory,
        config,
        conditions,
        light_cone,
        _read_light(directory / _LIGHT),
        telescope,
        _painter(config, population, conditions, light_cone, source),
        parse_tiling(config.tiles),
    )


def _painter(
    config: SurveyConfig,
    population: Population,
    conditions: Conditions,
    light_cone: LightCone,
    source: SnapshotSource | None,
) -> Painter:
    exposure_s = conditions.exposure_at(light_cone.ra_deg, light_cone.dec_deg)
    return Painter(light_cone, population, config.seed, config.particles, exposure_s, source)


def _require_survey(telescope: Instrument) -> None:
    """Raise if an instrument does not scan the sky."""
    modes = sorted(telescope.psfs.keys() & telescope.responses.keys())
    if "survey" not in modes:
        raise InputError(
            f"instrument: must have a mode 'survey'; {telescope.name} has {', '.join(modes)} "
            "alone. Take erosita, or describe the survey in its file."
        )


def _provenance(
    config: SurveyConfig, population: Population, telescope: Instrument
) -> dict[str, Any]:
    """What a survey depends on; files of the user, whose contents may change, by what they say."""
    found = provenance(
        config.model_dump(mode="json"),
        config.seed,
        population=population.model_dump(mode="json"),
        telescope=dict(telescope.provenance),
        inputs=_inputs(config),
    )
    return {**found, "versions": versions("healpy", "colossus")}


def _inputs(config: SurveyConfig) -> dict[str, str]:
    """Hashes of the files that are read again by every worker, by name: size and beginning."""
    names = [*(config.snapshot or ()), *(config.halos or ())]
    if config.instrument.endswith(".toml"):
        names += [config.instrument, *_files_beside(Path(config.instrument))]
    found = {}
    for name in names:
        path = Path(name)
        if path.is_file():
            with path.open("rb") as file:
                start = file.read(_HASHED_BYTES)
            size = path.stat().st_size
            found[name] = sha256(f"{size} ".encode() + start).hexdigest()[:16]
    return found


def _files_beside(path: Path) -> list[str]:
    """Return the files beside a text file that it names, such as a table of areas."""
    text = path.read_text(encoding="utf-8")
    return sorted(str(file) for file in path.parent.iterdir() if f'"{file.name}"' in text)


def write_plan(plan: Plan) -> None:
    """Write `plan` into its directory, unless it is there.

    The manifest comes last, so that without it there is none.

    Raises
    ------
    InputError
        If another run has written another plan meanwhile.
    """
    if (plan.directory / MANIFEST).exists():
        _require_same(plan.directory, plan.provenance)
        return
    write_conditions(plan.conditions, plan.directory)
    plan.conditions.footprint.write(plan.directory / _FOOTPRINT, overwrite=True)
    plan.light_cone.write(plan.directory / _LIGHT_CONE, overwrite=True)
    _write_light(plan.light, plan.telescope, plan.directory / _LIGHT)
    values = {
        "format": _FORMAT,
        "fingerprint": plan.fingerprint,
        "footprint": plan.conditions.footprint.name,
        "area_deg2": plan.conditions.footprint.area_deg2,
        "haloes": len(plan.light_cone),
        "tiles": [tile.name for tile in plan.tiles],
        "provenance": plan.provenance,
        "sha256": {name: checksum(plan.directory / name) for name in PLAN_FILES},
    }
    with atomic_write(plan.directory / MANIFEST, overwrite=True) as stage:
        stage.write_text(json.dumps(sealed(values), indent=1) + "\n", encoding="utf-8")


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest of the survey in `directory`.

    Raises
    ------
    InputError
        If there is none, or it is damaged.
    """
    path = directory / MANIFEST
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = values["format"]
        missing = {"fingerprint", "footprint", "tiles", "provenance"} - values.keys()
        missing |= {"config", "versions"} - values.get("provenance", {}).keys()
    except FileNotFoundError:
        raise InputError(
            f"{directory}: must be a survey; it has no {MANIFEST}. Give the directory that "
            "`icmass survey` wrote."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: is damaged ({error}); make the survey again.") from error
    if found != _FORMAT or missing:
        raise InputError(f"{path}: must hold '{_FORMAT}'; it does not, or not the whole of it.")
    require_sealed(path, values, _AGAIN)
    return values


def _config(manifest: dict[str, Any]) -> SurveyConfig:
    return SurveyConfig.parse(manifest["provenance"]["config"])


def _require_same(directory: Path, provenance: dict[str, Any]) -> None:
    """Raise if the survey of a directory is not what this configuration and software make."""
    there = json.loads(json.dumps(read_manifest(directory)["provenance"]))
    here = json.loads(json.dumps(provenance))
    for part, what in _PARTS.items():
        old, new = _flat(there.get(part)), _flat(here[part])
        for key in (*new, *old):
            if old.get(key) != new.get(key):
                raise InputError(
                    f"{directory}: holds a survey of another {what}: {key} is {old.get(key)} there "
                    f"and {new.get(key)} now. Go on with the same one, or choose another directory."
                )


def _flat(values: Any, name: str = "") -> dict[str, Any]:
    """Values of nested mappings by their names with dots between."""
    if not isinstance(values, dict):
        return {name: values}
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{name}.{key}" if name else key)
    return flat


def _write_light(light: HaloLight, telescope: Instrument, path: Path) -> None:
    edges_kev = telescope.response("survey").redistribution.energy_edges_kev
    unit = "photon / (s cm2 arcmin2)"
    hdu = fits.BinTableHDU.from_columns(
        [
            fits.Column("ENERG_LO", "D", unit="keV", array=edges_kev[:-1]),
            fits.Column("ENERG_HI", "D", unit="keV", array=edges_kev[1:]),
            fits.Column("LIGHT", "D", unit=unit, array=light.per_arcmin2),
        ],
        name="HALO_LIGHT",
    )
    with atomic_write(path, overwrite=True) as stage:
        write_fits([fits.PrimaryHDU(), hdu], stage)


def _read_light(path: Path) -> HaloLight:
    with undamaged(path, _AGAIN), fits.open(path) as file:
        return HaloLight(file["HALO_LIGHT"].data["LIGHT"].astype(np.float64))
