"""Write haloes as a table that can be read back, to the last digit."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.table import Table

from icmass.files import atomic_write
from icmass.simulate.snapshots.halo_table import HaloTable

__all__ = ["write_halo_tables"]

UNITS = {
    "center": "kpc", "m500c": "solMass", "r500c": "kpc", "m200c": "solMass", "r200c": "kpc",
    "velocity": "km / s",
}  # fmt: skip
PHYSICAL = ("center", "r500c", "r200c")


def write_halo_tables(path: str | Path, tables: Sequence[HaloTable]) -> None:
    """Write the haloes of all snapshots into one ECSV file, replacing an existing one.

    Parameters
    ----------
    path : str or Path
        File to write.
    tables : sequence of HaloTable
        One per snapshot; their number is the column ``snapshot_id``.
    """
    columns = {
        "snapshot_id": [np.full(len(table), number) for number, table in enumerate(tables)],
        "halo_id": [table.halo_id for table in tables],
        "center": [table.center_kpc for table in tables],
        "m500c": [table.m500c_msun for table in tables],
        "r500c": [table.r500c_kpc for table in tables],
        "m200c": [table.m200c_msun for table in tables],
        "r200c": [table.r200c_kpc for table in tables],
        "velocity": [table.velocity_kms for table in tables],
        "concentration": [table.concentration for table in tables],
    }
    table = Table({name: np.concatenate(parts) for name, parts in columns.items()})
    for name, unit in UNITS.items():
        table[name].unit = unit
    for name in PHYSICAL:
        table[name].description = "physical"
    with atomic_write(path, overwrite=True) as temporary:
        table.write(temporary, format="ascii.ecsv", overwrite=True)
