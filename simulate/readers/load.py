"""Read the gas of one cluster from a snapshot, whatever code ran it.

`load_gas` opens the file, refuses absurd units, finds the centre and the mass of the cluster, cuts
the gas to what can emit X-rays, and returns it about the centre in physical units.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
from astropy.units import Quantity
from numpy.typing import ArrayLike

from icmass.errors import InputError
from icmass.simulate.gas import Gas
from icmass.simulate.readers.assemble import Cuts
from icmass.simulate.readers.cluster import Where, cluster_gas
from icmass.simulate.readers.gadget_binary import GadgetBinarySnapshot, is_gadget_binary
from icmass.simulate.readers.gadget_hdf5 import GadgetHdf5Snapshot
from icmass.simulate.readers.other import PynbodySnapshot
from icmass.simulate.readers.paths import snapshot_files
from icmass.simulate.readers.snapshot import Snapshot

__all__ = ["load_gas", "open_snapshot"]


def load_gas(
    path: str | Path,
    *,
    center: ArrayLike | Quantity | None = None,
    radius: float | Quantity | None = None,
    redshift: float | None = None,
    units: Mapping[str, Any] | None = None,
    blocks: Sequence[str] | None = None,
    min_temperature_k: float | Quantity = 1e6,
    max_density: float | Quantity | None = None,
    star_forming: bool = False,
    metallicity: float | None = None,
    overdensity: bool = True,
) -> Gas:
    """Read the gas of a cluster that can emit X-rays.

    Parameters
    ----------
    path : str or Path
        Snapshot or cut-out: a file, a folder, a pattern, or the stem of a numbered set. Gadget-1/2
        binary, Gadget-4 / AREPO / IllustrisTNG / CAMELS / SIMBA / EAGLE HDF5, SWIFT HDF5,
        Tipsy.
    center : array_like of shape (3,) or Quantity, optional
        Centre in the frame of the snapshot, physical (comoving positions times a, no h); bare
        numbers are kpc. By default a shrinking sphere finds the most massive concentration.
    radius : float or Quantity, optional
        Gas outside this sphere is left out; bare numbers are physical kpc. Default 3 R200c, within
        half of a periodic box, or everything where no R200c could be measured.
    redshift : float, optional
        Where the observer sees the cluster; default that of the snapshot. It sets the distance
        only: lengths, densities and R500c stay those of the snapshot.
    units : mapping, optional
        Code units by ``length``, ``mass``, ``velocity``, such as ``{"length": "Mpc/h"}``; see
        `override_units`.
    blocks : sequence of str, optional
        Order of blocks in a Gadget binary file of format 1 that is not Gadget-2's own.
    min_temperature_k : float or Quantity
        Colder gas is left out [K].
    max_density : float or Quantity, optional
        Denser gas is left out; bare numbers are g/cm^3. Default: no such cut.
    star_forming : bool
        Keep gas that forms stars, whose temperature is that of an effective model.
    metallicity : float, optional
        One value for all gas [solar] instead of the snapshot's; where it has none, 0.3.
    overdensity : bool
        Measure M500c, R500c, M200c, R200c from all particles.

    Returns
    -------
    Gas
        About the centre and the bulk motion of the matter inside R500c.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a field, or holds what is physically absurd.
    NoPhotonsError
        If no gas is left: the message is the census of cuts.
    """
    cuts = Cuts.checked(min_temperature_k, max_density, star_forming, metallicity)
    where = Where.checked(center, radius, redshift)
    snapshot = open_snapshot(path, units=units, blocks=blocks)
    return cluster_gas(snapshot, where, cuts, overdensity=overdensity)


def open_snapshot(
    path: str | Path,
    *,
    units: Mapping[str, Any] | None = None,
    blocks: Sequence[str] | None = None,
) -> Snapshot:
    """Open a snapshot with the reader that its content asks for.

    Parameters
    ----------
    path : str or Path
        A file, a folder, a pattern, or the stem of a numbered set.
    units : mapping, optional
        See `override_units`; for Gadget binary and HDF5 files.
    blocks : sequence of str, optional
        Order of blocks in a Gadget binary file of format 1 that is not Gadget-2's own.

    Returns
    -------
    Snapshot

    Raises
    ------
    InputError
        If nothing is there, or nothing that can be read.
    """
    files = snapshot_files(path)
    try:
        is_hdf5 = h5py.is_hdf5(files[0])
    except OSError as error:
        raise InputError(f"{files[0]}: cannot be read; the system reports an error.") from error
    if is_hdf5:
        return GadgetHdf5Snapshot(files, units)
    if is_gadget_binary(files[0]):
        return GadgetBinarySnapshot(files, units, blocks)
    if units is not None:
        raise InputError(
            f"units: must be left out for a file that is no Gadget binary or HDF5 snapshot; "
            f"got {dict(units)} for {files[0]}."
        )
    return PynbodySnapshot(files[0])
