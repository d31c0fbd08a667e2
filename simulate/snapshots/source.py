"""Scenes out of snapshots: one per halo and line of sight, from plain configuration values.

Everything inside the image square along the line of sight is seen, through the whole depth of the
box; a periodic box is wrapped about the halo. A snapshot is read once per process and kept.
"""

from collections.abc import Mapping, Sequence

from icmass.simulate.scene import Scene, SceneKey

__all__ = ["SnapshotSource"]


class SnapshotSource:
    """Haloes of one or several snapshots as scenes, in the order halo, then line of sight.

    Parameters
    ----------
    files : sequence of str
        One entry per snapshot: a file, a folder, a pattern or the stem of a numbered set. The
        number of the entry is the ``snapshot_id``.
    halos : str or sequence of str, optional
        Halo table (ECSV, FITS, CSV, HDF5): one per snapshot, or one with a column ``snapshot_id``.
        Without it haloes are found in the matter of the snapshot.
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
        raise NotImplementedError

    def __len__(self) -> int:
        """Number of scenes: haloes times lines of sight."""
        raise NotImplementedError

    def key(self, index: int) -> SceneKey:
        """Name the scene without making it."""
        raise NotImplementedError

    def scene(self, index: int) -> Scene:
        """Make one scene.

        Raises
        ------
        InputError
            If the halo of the table is not in the snapshot, or nothing there can emit.
        """
        raise NotImplementedError
