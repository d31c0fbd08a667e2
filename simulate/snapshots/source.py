"""Scenes out of snapshots: one per halo and line of sight, from plain configuration values.

Everything inside the image square along the line of sight is seen, through the whole depth of the
box; a periodic box is wrapped about the halo. A snapshot is read once per process and kept.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from icmass.catalog import ImageGeometry
from icmass.errors import InputError
from icmass.simulate.gas import Halo
from icmass.simulate.readers.assemble import Cuts
from icmass.simulate.readers.cluster import Where
from icmass.simulate.readers.load import open_snapshot
from icmass.simulate.readers.snapshot import Header
from icmass.simulate.scene import Scene, SceneKey
from icmass.simulate.snapshots.box import Box
from icmass.simulate.snapshots.column import SightColumn
from icmass.simulate.snapshots.directions import check_lines_of_sight, line_of_sight
from icmass.simulate.snapshots.find import find_halos
from icmass.simulate.snapshots.halo_table import (
    GalaxyTable,
    HaloTable,
    galaxy_table,
    halo_table,
)
from icmass.simulate.snapshots.halo_writer import write_halo_tables
from icmass.simulate.snapshots.one_scene import best_halo, comoving_side_mpc, make_scene
from icmass.simulate.snapshots.table_file import read_table_file

__all__ = ["SnapshotSource"]

FOUND_MIN_M500C_MSUN = 4.5e13  # 10^13.5 Msun/h: the least massive haloes of the study


class SnapshotSource:
    """Haloes of one or several snapshots as scenes, in the order halo, then line of sight.

    Parameters
    ----------
    files : sequence of str
        One entry per snapshot: a file, a folder, a pattern or the stem of a numbered set. The
        number of the entry is the ``snapshot_id``.
    halos : str or sequence of str, optional
        Halo table (ECSV, FITS, CSV, HDF5, Parquet): one per snapshot, or one with a column
        ``snapshot_id``. Without it haloes are found in the matter of the snapshot.
    galaxies : str or sequence of str, optional
        Galaxy or subhalo table, likewise.
    lines_of_sight : int
        Directions per halo, see `line_of_sight`.
    redshift : float, optional
        Where the observer sees the haloes; default that of each snapshot. Needed at redshift 0.
    min_m500c_msun : float, optional
        Less massive haloes are left out. Default: none of a table, 4.5e13 where they are searched.
    width_kpc : float, optional
        Side of the image square, physical; default that of the catalog's images.
    depth_kpc : float, optional
        Length of the line of sight, the halo in its middle; default the side of the box.
    min_temperature_k, max_density_g_cm3, star_forming, metallicity_solar
        Which gas emits, as in `icmass.simulate.readers.load_gas`.
    units : mapping, optional
        Code units of the snapshots by ``length``, ``mass``, ``velocity``.
    blocks : sequence of str, optional
        Order of blocks of Gadget binary files of format 1.
    table_units : mapping, optional
        Units of table columns that carry none, by ``position``, ``radius``, ``mass``,
        ``velocity``; such as ``{"position": "comoving Mpc/h", "radius": "kpc"}``.
    sample_id : int
        Name of the simulation in the catalog.

    Raises
    ------
    InputError
        If files are missing or damaged, a table lacks columns or has haloes outside the box, or no
        halo is left.
    """

    def __init__(
        self,
        files: Sequence[str],
        *,
        halos: str | Sequence[str] | None = None,
        galaxies: str | Sequence[str] | None = None,
        lines_of_sight: int = 3,
        redshift: float | None = None,
        min_m500c_msun: float | None = None,
        width_kpc: float | None = None,
        depth_kpc: float | None = None,
        min_temperature_k: float = 1e6,
        max_density_g_cm3: float | None = None,
        star_forming: bool = False,
        metallicity_solar: float | None = None,
        units: Mapping[str, str] | None = None,
        blocks: Sequence[str] | None = None,
        table_units: Mapping[str, str] | None = None,
        sample_id: int = 0,
    ) -> None:
        if not files:
            raise InputError("snapshot: must be at least one file; got none.")
        self.files = [str(file) for file in files]
        self.lines_of_sight = check_lines_of_sight(lines_of_sight)
        self.sample_id = sample_id
        self._redshift = Where.checked(None, None, redshift).redshift
        self._cuts = Cuts.checked(
            min_temperature_k, max_density_g_cm3, star_forming, metallicity_solar
        )
        self._units, self._blocks, self._table_units = units, blocks, table_units
        self._half_width_kpc = _half("width_kpc", width_kpc, _image_width_kpc())
        self._half_depth_kpc = _half("depth_kpc", depth_kpc, np.inf)
        self._loaded: tuple[int, Box] | None = None
        self._measured: tuple[tuple[int, int], Halo] | None = None
        self._headers = [self._header(file) for file in self.files]
        self._halos = self._all_halos(halos, self._headers, min_m500c_msun)
        self._galaxies = self._all_galaxies(galaxies, self._headers)
        self._ends = np.cumsum([len(table) for table in self._halos])
        if self._ends[-1] == 0:
            raise InputError(
                f"{_named(halos) or self.files[0]}: must hold a halo above the lowest mass; it "
                f"holds none. Lower min_m500c_msun."
            )

    def __len__(self) -> int:
        """Number of scenes: haloes times lines of sight."""
        return int(self._ends[-1]) * self.lines_of_sight

    @property
    def halos(self) -> list[HaloTable]:
        """The haloes of each snapshot."""
        return list(self._halos)

    @property
    def box_size_mpc(self) -> float | None:
        """Comoving side of the simulated box; None where there is none, or more than one."""
        sides = {comoving_side_mpc(header) for header in self._headers}
        return sides.pop() if len(sides) == 1 else None

    def key(self, index: int) -> SceneKey:
        """Name the scene of number `index` without making it."""
        snapshot, row, sight = self._place(index)
        halo_id = int(self._halos[snapshot].halo_id[row])
        return SceneKey(self.sample_id, snapshot, halo_id, sight)

    def measure(self, index: int) -> Halo:
        """Measure the halo of scene `index` in the matter of its snapshot, whatever the table says.

        IndexError if there is no such scene.
        """
        snapshot, row, _ = self._place(index)
        if self._measured is None or self._measured[0] != (snapshot, row):
            halo = self._box(snapshot).measure(self._halos[snapshot].center_kpc[row])
            self._measured = ((snapshot, row), halo)
        return self._measured[1]

    def halo(self, index: int) -> Halo:
        """Return the halo of scene `index`: the table's numbers, else measured ones."""
        snapshot, row, _ = self._place(index)
        return best_halo(self._halos[snapshot], row, self.measure(index))

    def redshift(self, index: int) -> float:
        """Return the redshift of the snapshot that scene `index` is of."""
        return self._headers[self._place(index)[0]].redshift

    def scene(self, index: int) -> Scene:
        """Make one scene.

        Parameters
        ----------
        index : int
            From 0 to before the number of scenes.

        Returns
        -------
        Scene

        Raises
        ------
        InputError
            If the halo of the table is not in the snapshot, or nothing there can emit.
        """
        snapshot, row, sight = self._place(index)
        box, halos = self._box(snapshot), self._halos[snapshot]
        half_box = np.inf if box.box_kpc is None else box.box_kpc / 2
        column = SightColumn(
            center_kpc=halos.center_kpc[row],
            rotation=line_of_sight(sight),
            half_width_kpc=self._half_width_kpc,
            half_depth_kpc=min(self._half_depth_kpc, half_box),
            box_kpc=box.box_kpc,
        )
        return make_scene(
            self.key(index),
            box,
            column,
            halos,
            row,
            self.measure(index),
            galaxies=self._galaxies[snapshot],
            redshift=self._redshift or box.header.redshift,
        )

    def write_halos(self, path: str | Path) -> None:
        """Write the haloes, with their ``snapshot_id``, as a table that `halos` takes.

        Parameters
        ----------
        path : str or Path
            ECSV file; an existing one is replaced.
        """
        write_halo_tables(path, self._halos)

    def _place(self, index: int) -> tuple[int, int, int]:
        """Return snapshot, row of its table and line of sight of a scene."""
        if not 0 <= index < len(self):
            raise IndexError(f"scene {index} of {len(self)}")
        halo, sight = divmod(index, self.lines_of_sight)
        snapshot = int(np.searchsorted(self._ends, halo, side="right"))
        before = int(self._ends[snapshot - 1]) if snapshot else 0
        return snapshot, halo - before, sight

    def _header(self, file: str) -> Header:
        """Read the header of a snapshot, refusing one that the observer cannot see."""
        header = open_snapshot(file, units=self._units, blocks=self._blocks).header
        if self._redshift is None and not header.redshift > 0:
            raise InputError(
                f"{file}: must have a redshift above 0 to be observed; it has "
                f"{header.redshift:g}. Give redshift."
            )
        return header

    def _box(self, snapshot: int) -> Box:
        """Return a snapshot in memory, dropping the one before."""
        if self._loaded is None or self._loaded[0] != snapshot:
            self._loaded = None  # first, so that two are never held at once
            box = Box(self.files[snapshot], self._cuts, units=self._units, blocks=self._blocks)
            self._loaded = (snapshot, box)
        return self._loaded[1]

    def _all_halos(
        self,
        paths: str | Sequence[str] | None,
        headers: Sequence[Header],
        min_m500c_msun: float | None,
    ) -> list[HaloTable]:
        if paths is None:
            lowest = FOUND_MIN_M500C_MSUN if min_m500c_msun is None else min_m500c_msun
            return [find_halos(self._box(number), lowest) for number in range(len(headers))]
        return [
            halo_table(
                path,
                read_table_file(path),
                header,
                snapshot_id=number,
                units=self._table_units,
                min_m500c_msun=min_m500c_msun,
            )
            for number, (path, header) in enumerate(
                zip(_per_snapshot("halos", paths, len(headers)), headers, strict=True)
            )
        ]

    def _all_galaxies(
        self, paths: str | Sequence[str] | None, headers: Sequence[Header]
    ) -> list[GalaxyTable] | list[None]:
        if paths is None:
            return [None] * len(headers)
        return [
            galaxy_table(
                path,
                read_table_file(path),
                header,
                snapshot_id=number,
                units=self._table_units,
            )
            for number, (path, header) in enumerate(
                zip(_per_snapshot("galaxies", paths, len(headers)), headers, strict=True)
            )
        ]


def _image_width_kpc() -> float:
    geometry = ImageGeometry()
    return geometry.pixel * max(geometry.n_x, geometry.n_y)


def _half(name: str, value: float | None, default: float) -> float:
    if value is not None and not value > 0:
        raise InputError(f"{name}: must be positive; got {value!r}.")
    return (default if value is None else float(value)) / 2


def _named(paths: str | Sequence[str] | None) -> str:
    return "" if paths is None else paths if isinstance(paths, str) else ", ".join(paths)


def _per_snapshot(name: str, paths: str | Sequence[str], count: int) -> list[str]:
    """Return one table per snapshot: one for all must tell them apart by ``snapshot_id``."""
    tables = [paths] if isinstance(paths, str) else [str(path) for path in paths]
    if len(tables) == 1 and count > 1:
        if not {"snapshot_id", "snapshot"} & set(read_table_file(tables[0])):
            raise InputError(
                f"{tables[0]}: must have the column snapshot_id (0 to {count - 1}), for there are "
                f"{count} snapshots. Add it, or give one table per snapshot."
            )
        return tables * count
    if len(tables) != count:
        raise InputError(
            f"{name}: must be one table, or one per snapshot ({count}); got {len(tables)}."
        )
    return tables
