"""A snapshot in memory: all gas that can emit, all matter, read once and asked many times.

Positions are physical kpc in the frame of the snapshot, velocities peculiar km/s.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.gas import Gas, GasInfo, Halo
from icmass.simulate.halo import Matter
from icmass.simulate.readers import checks
from icmass.simulate.readers.assemble import Cuts, RawGas, assemble
from icmass.simulate.readers.cluster import (
    measure_halo,
    periodic_box,
    read_density,
    read_matter,
)
from icmass.simulate.readers.load import open_snapshot
from icmass.simulate.readers.snapshot import DARK, GAS, Header, Snapshot

__all__ = ["Box"]

Floats = NDArray[np.float64]


class _Kept(Snapshot):
    """A snapshot that reads the velocities, which every halo asks for, only once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.source, self.header = snapshot.source, snapshot.header
        self.counts, self.remedy = snapshot.counts, snapshot.remedy
        self._velocity: dict[int, NDArray[Any]] = {}

    def has(self, kind: int, name: str) -> bool:
        return self._snapshot.has(kind, name)

    def _load(self, kind: int, name: str) -> NDArray[Any]:
        return self._snapshot.read(kind, name)

    def read(self, kind: int, name: str) -> NDArray[Any]:
        if name != "velocity":
            return self._snapshot.read(kind, name)
        if kind not in self._velocity:
            self._velocity[kind] = self._snapshot.read(kind, name)
        return self._velocity[kind]

    def hint(self, kind: int, name: str) -> str:
        return self._snapshot.hint(kind, name)


class Box:
    """One snapshot in memory.

    Parameters
    ----------
    path : str
        Snapshot, as `load_gas` takes it.
    cuts : Cuts
        Which gas emits.
    units, blocks
        As in `load_gas`.

    Attributes
    ----------
    gas : Gas
        All gas that emits, in the frame of the snapshot.
    header : Header
    box_kpc : float or None
        Side of the periodic box, None for a cut-out.
    matter : dict
        `Matter` by kind of particle.

    Raises
    ------
    InputError
        If the snapshot cannot be read or is absurd.
    NoPhotonsError
        If no gas can emit.
    """

    def __init__(
        self,
        path: str,
        cuts: Cuts,
        *,
        units: Mapping[str, Any] | None = None,
        blocks: Sequence[str] | None = None,
    ) -> None:
        self._snapshot = _Kept(open_snapshot(path, units=units, blocks=blocks))
        self.header: Header = self._snapshot.header
        density = read_density(self._snapshot)
        self.matter: dict[int, Matter] = read_matter(self._snapshot, gas_only=False)
        self.box_kpc = periodic_box(self._snapshot, self.matter)
        gas = self.matter[GAS]
        if self.box_kpc is not None:
            checks.refuse_outside_box(self._snapshot, gas.position_kpc, self.box_kpc)
        raw = RawGas(
            rows=np.arange(len(gas)),
            position_kpc=gas.position_kpc.astype(np.float64),
            mass_msun=gas.mass_msun.astype(np.float64),
            density_msun_kpc3=density.astype(np.float64),
        )
        header = self.header
        info = GasInfo(self._snapshot.source, header.code, header.cosmology, header.redshift)
        self.gas: Gas = assemble(self._snapshot, raw, cuts, info)

    @property
    def has_total_mass(self) -> bool:
        """Whether dark matter is there, so that haloes can be measured."""
        return any(kind in DARK for kind in self.matter)

    def measure(self, center_kpc: Floats) -> Halo:
        """Measure masses, radii and bulk motion of the halo around `center_kpc`, shape (3,)."""
        return measure_halo(self._snapshot, self.matter, center_kpc, self.box_kpc, True)
