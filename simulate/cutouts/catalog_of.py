"""A catalog of cut-outs, made shard by shard: which rows there are, and what each of them holds.

Rows are in the order of the sky, so that a shard opens few event files and each of them once; what
it holds at a time is one file, the photons of images that lie across files, and finished images.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import Band, CatalogSpec, Failure, Flag, ImageGeometry, ShardData
from icmass.config.cutouts import CutoutsConfig
from icmass.errors import InputError
from icmass.provenance import provenance
from icmass.simulate.cutouts.agreement import require_agreement, with_own_numbers
from icmass.simulate.cutouts.cut import Cut, count_image, exposure_image, without_duplicates
from icmass.simulate.cutouts.event_files import (
    EventFile,
    FileIndex,
    placed_events,
    scan_event_files,
)
from icmass.simulate.cutouts.event_list import EventList, Selection
from icmass.simulate.cutouts.position_table import read_positions
from icmass.simulate.cutouts.positions import Positions
from icmass.simulate.cutouts.settings import CutoutSettings
from icmass.simulate.cutouts.sky_values import sky_values
from icmass.simulate.photons.gas_component import kpc_per_arcsec
from icmass.simulate.production.driver import Progress, Summary, produce
from icmass.simulate.rows.row import Row, collect
from icmass.simulate.rows.settings import ORIGINS
from icmass.simulate.skymaps.pixels import pixel_of

__all__ = ["CutoutProducer", "CutoutSummary", "cut_outs", "producer_of"]

_PLACE_NSIDE: Final = 8192  # rows are in the order of these pixels
_REGION_NSIDE: Final = 32  # 1.8 deg
_NO_LIST: Final = np.empty(0, dtype=[("unused", "u1")])  # of galaxies and regions
_SUFFIXES: Final = ("", "_500")
_SAMPLE_DIGITS: Final = 7  # of the hash of the positions that names their sample, hexadecimal


class CutoutProducer:
    """Images about positions, out of event files; a `Producer` of `icmass.simulate.production`.

    Parameters
    ----------
    files : sequence of EventFile
        From `scan_event_files`, or made by who knows what they cover. An event is in one of them,
        or the same (time, position, module) wherever it is.
    positions : Positions
        Those that no file covers, or where the exposure is 0, are left out.
    settings : CutoutSettings

    Raises
    ------
    InputError
        If no position is covered, none has a redshift and images are in kpc, no image can be
        placed, or what is said of exposure and column cannot be.
    """

    def __init__(
        self, files: Sequence[EventFile], positions: Positions, settings: CutoutSettings
    ) -> None:
        self._paths = [file.path for file in files]
        self._index = FileIndex(files)
        self._settings = settings
        self._has_origins = bool(files) and all(file.has_origins for file in files)
        self._run = secrets.token_hex(4)  # each run reads its files anew, also in old processes
        kept = self._covered(positions)
        place = pixel_of(_PLACE_NSIDE, positions.ra_deg[kept], positions.dec_deg[kept])
        order = np.flatnonzero(kept)[np.argsort(place, kind="stable")]
        self.outside = len(positions) - len(order)
        self._scale = _scales(positions.redshift, settings)
        radius = positions.known("r500c_kpc") / self._scale
        if settings.geometry.unit == "kpc" and not np.isfinite(self._scale[order]).any():
            raise InputError(
                f"positions: must have redshifts for images in kpc; got none in {len(order)} "
                "positions. Give a table with a column redshift (columns redshift=NAME says which "
                "it is), or a width in arcmin."
            )
        self._blended = positions.blended(radius)[order]
        self._positions = positions.select(order)
        require_agreement(settings, self._positions)
        self._scale, self._radius = self._scale[order], radius[order]
        self._require_a_place()

    @property
    def spec(self) -> CatalogSpec:
        """What the catalog holds."""
        taken = tuple(self._positions.columns)
        return self._settings.spec(taken, has_origins=self._has_origins)

    def __len__(self) -> int:
        return len(self._positions)

    def shard(self, start: int, stop: int) -> ShardData:
        """Make rows `start` to before `stop`; without redshift, or too wide, they are failures.

        Raises
        ------
        InputError
            If an event file or a map cannot be read.
        """
        cuts, failures = self._cuts(start, stop)
        near = {
            row: self._index.near(cut.view.ra_deg, cut.view.dec_deg, cut.radius_deg).tolist()
            for row, cut in cuts.items()
        }
        parts: dict[int, list[EventList]] = {row: [] for row in cuts}
        made: dict[int, tuple[Row, NDArray[np.float32] | None]] = {}
        for number in sorted({number for numbers in near.values() for number in numbers}):
            file = placed_events(self._paths[number], self._settings.selection, self._run)
            for row, cut in cuts.items():
                if number not in near[row]:
                    continue
                around = file.near(cut.view.ra_deg, cut.view.dec_deg, cut.radius_deg)
                parts[row].append(cut.inside(around))
                if number == near[row][-1]:
                    made[row] = self._row(row, cut, without_duplicates(parts.pop(row)))
        ordered = [made[row] for row in sorted(made)]
        data = collect([row for row, _ in ordered], self.spec, failures)
        if not self._settings.has_exposure_maps:
            return data
        shape = (0, *self.spec.image_shape[2:])
        maps = [exposure for _, exposure in ordered if exposure is not None]
        return replace(data, exposure_maps=np.stack(maps) if maps else np.empty(shape, np.float32))

    def _covered(self, positions: Positions) -> NDArray[np.bool_]:
        covered = self._index.covers(positions.ra_deg, positions.dec_deg)
        if self._settings.has_exposure_maps and covered.any():
            rows = np.flatnonzero(covered)
            region = pixel_of(_REGION_NSIDE, positions.ra_deg[rows], positions.dec_deg[rows])
            for number in np.unique(region):  # few images of a map are open at a time
                here = rows[region == number]
                seen = self._settings.vignetted(positions.ra_deg[here], positions.dec_deg[here])
                covered[here] = seen > 0.0
        if not covered.any():
            raise InputError(
                f"positions: must lie where there are events; all {len(positions)} are outside the "
                f"{len(self._paths)} event file(s), or were not exposed. Check that positions, "
                "events and exposure maps are of the same field."
            )
        return covered

    def _require_a_place(self) -> None:
        """Raise what the first row fails of if no image can be placed at all."""
        first: InputError | None = None
        for row in range(len(self)):
            try:
                self._cut(row)
            except InputError as error:
                first = first or error
            else:
                return
        if first is not None:
            raise first

    def _cut(self, row: int) -> Cut:
        scale = float(self._scale[row])
        ra, dec = float(self._positions.ra_deg[row]), float(self._positions.dec_deg[row])
        known = scale if np.isfinite(scale) else None
        return Cut.about(ra, dec, self._settings.geometry, known)

    def _cuts(self, start: int, stop: int) -> tuple[dict[int, Cut], list[Failure]]:
        """Place the images of rows; those that cannot be are failures."""
        cuts: dict[int, Cut] = {}
        failures = []
        for row in range(start, min(stop, len(self))):
            try:
                cuts[row] = self._cut(row)
            except InputError as error:
                failures.append(Failure(**self._key(row), reason=str(error)))
        return cuts, failures

    def _key(self, row: int) -> dict[str, int]:
        columns = self._positions.columns
        sample = columns.get("sample_id")
        snapshot = columns.get("snapshot_id")
        return {
            "sample_id": self._settings.sample_id if sample is None else int(sample[row]),
            "snapshot_id": 0 if snapshot is None else int(snapshot[row]),
            "halo_id": int(self._positions.halo_id[row]),
            "line_of_sight": 0,
        }

    def _row(self, row: int, cut: Cut, events: EventList) -> tuple[Row, NDArray[np.float32] | None]:
        settings, positions = self._settings, self._positions
        origins = len(ORIGINS) if self._has_origins else 1
        radius = float(self._radius[row])
        counts, inside = count_image(cut, events, settings.intervals, origins, radius)
        here = positions.ra_deg[row : row + 1], positions.dec_deg[row : row + 1]
        on_axis, vignetted = settings.exposures(*here)
        columns: dict[str, Any] = {name: values[row] for name, values in positions.columns.items()}
        columns |= self._key(row)
        columns |= {
            "ra_deg": here[0][0],
            "dec_deg": here[1][0],
            "redshift": positions.redshift[row],
            "exposure_s": on_axis[0],
            "exposure_vignetted_s": vignetted[0],
        }
        if settings.nh is not None and not np.isfinite(columns.get("nh_cm2", np.nan)):
            columns["nh_cm2"] = settings.nh(*here)[0]
        numbers = _numbers(counts, inside, settings, known_radius=np.isfinite(radius))
        exposure = exposure_image(cut, settings.vignetted) if settings.has_exposure_maps else None
        flags = Flag.BLENDED if self._blended[row] else Flag(0)
        if exposure is not None and not exposure.all():
            flags |= Flag.FIELD_EDGE
        if numbers["n_phot_icm" if self._has_origins else "n_phot"] == 0:
            flags |= Flag.NO_PHOTONS
        images = np.einsum("bi,oiyx->obyx", settings.membership, counts)
        dtype = np.uint16 if images.max() <= np.iinfo(np.uint16).max else np.uint32
        made = Row(
            columns=columns | numbers | {"flags": int(flags)},
            images=images.astype(dtype),
            expectations=None,
            galaxies=_NO_LIST,
            regions=_NO_LIST,
        )
        return made, exposure


@dataclass(frozen=True)
class CutoutSummary:
    """What has been done.

    Attributes
    ----------
    summary : Summary
        Of the catalog and of the run.
    positions : int
        In the table.
    outside : int
        Those that no event file covers, or that were not exposed; they have no row.
    """

    summary: Summary
    positions: int
    outside: int


def cut_outs(
    config: CutoutsConfig,
    directory: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    repair: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
) -> CutoutSummary:
    """Cut out the images that a configuration asks for, or go on with it.

    Parameters
    ----------
    config : CutoutsConfig
    directory : str or Path
        New, empty, or a catalog that was begun with the same configuration.
    workers, scheduler, repair, report
        As for `icmass.simulate.production.simulate_catalog`.

    Returns
    -------
    CutoutSummary

    Raises
    ------
    InputError
        If a file cannot be used, no position is covered, the catalog is of another configuration or
        of other files, or workers end before their work.
    """
    producer = producer_of(config)
    summary = produce(
        producer,
        directory,
        config.shard_size,
        workers=workers,
        scheduler=scheduler,
        repair=repair,
        report=report,
    )
    return CutoutSummary(summary, len(producer) + producer.outside, producer.outside)


def producer_of(config: CutoutsConfig) -> CutoutProducer:
    """Read the positions that `config` names, and what its event files cover.

    Raises
    ------
    InputError
        As `cut_outs`.
    """
    if config.events is None or config.positions is None:
        lacking = "events" if config.events is None else "positions"
        field = type(config).model_fields[lacking].description or ""
        raise InputError(f"{lacking}: must be given. {field}".replace("\n", " "))
    settings = CutoutSettings(
        bands=_bands(config),
        geometry=_geometry(config),
        instrument=config.instrument,
        mode=config.mode,
        selection=Selection(config.bad_flags, config.patterns),
        hubble=config.h,
        omega_m=config.omega_m,
        exposure=sky_values(config.exposure_map, "exposure_map", vignetted=True),
        exposure_on_axis=sky_values(
            config.on_axis_map or config.exposure_s, "on_axis_map", vignetted=False
        ),
        vignetted_fraction=config.vignetted_fraction,
        nh=sky_values(config.nh_map or config.nh_cm2, "nh_map"),
    )
    positions = read_positions(
        config.positions, settings.cosmology, columns=config.columns, units=config.units
    )
    own = int(positions.digest()[:_SAMPLE_DIGITS], 16)
    settings = replace(settings, sample_id=own if config.sample_id is None else config.sample_id)
    files = scan_event_files(config.events, settings.selection)
    settings = with_own_numbers(settings, files)
    origin = {
        "events": {"files": len(files), "digest": _digest(files)},
        "positions": {"rows": len(positions), "digest": positions.digest()},
        "maps": {
            name: getattr(getattr(settings, name), "digest", None)
            for name in ("exposure", "exposure_on_axis", "nh")
        },
    }
    settings = replace(settings, provenance=provenance(_without_folders(config), 0, **origin))
    return CutoutProducer(files, positions, settings)


def _without_folders(config: CutoutsConfig) -> dict[str, Any]:
    """Return the configuration with the names of files alone: what they hold is in their digests.

    So a catalog goes on wherever it is made from, and after its survey was moved.
    """
    values = config.model_dump(mode="json")
    for key in ("events", "positions", "exposure_map", "on_axis_map", "nh_map"):
        if isinstance(values[key], list):
            values[key] = [Path(name).name for name in values[key]]
        elif values[key] is not None:
            values[key] = Path(values[key]).name
    return values


def _digest(files: Sequence[EventFile]) -> str:
    return hashlib.sha256("".join(file.digest for file in files).encode()).hexdigest()[:32]


def _bands(config: CutoutsConfig) -> tuple[Band, ...]:
    if config.bands is None:
        return CatalogSpec.bands
    return tuple(Band(name, lo, hi) for name, (lo, hi) in config.bands.items())


def _geometry(config: CutoutsConfig) -> ImageGeometry:
    usual = ImageGeometry()
    pixels = config.pixels or usual.n_x
    if config.width_arcmin is not None:
        return ImageGeometry(pixels, pixels, 60.0 * config.width_arcmin / pixels, "arcsec")
    return ImageGeometry(pixels, pixels, (config.width_kpc or usual.pixel * usual.n_x) / pixels)


def _scales(redshift: NDArray[np.float64], settings: CutoutSettings) -> NDArray[np.float64]:
    """Return kpc per arcsec, NaN where the redshift is not known."""
    cosmology = settings.cosmology
    scales = [kpc_per_arcsec(z, cosmology) if z > 0.0 else np.nan for z in redshift.tolist()]
    return np.array(scales, dtype=np.float64)


def _numbers(
    counts: NDArray[np.int64],
    inside: NDArray[np.int64],
    settings: CutoutSettings,
    *,
    known_radius: bool,
) -> dict[str, int]:
    """Return the numbers of photons; -1 for those that cannot be told."""
    columns: dict[str, int] = {}
    for suffix, numbers in zip(_SUFFIXES, (counts.sum(axis=(2, 3)), inside), strict=True):
        known = known_radius or not suffix
        source = numbers[:2].sum(axis=0)  # gas and AGN; of real photons there is one origin
        columns[f"n_phot{suffix}"] = int(source.sum()) if known else -1
        per_band = settings.membership @ source
        for band, number in zip(settings.bands, per_band.tolist(), strict=True):
            columns[f"n_phot{suffix}_{band.name}"] = number if known else -1
        apart = numbers.sum(axis=1).tolist() if len(numbers) == len(ORIGINS) and known else [-1] * 3
        for name, number in zip(("n_phot_icm", "n_phot_agn", "n_background"), apart, strict=True):
            columns[f"{name}{suffix}"] = number
    return columns
