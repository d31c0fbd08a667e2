"""Is what was read physically possible? If not, units or the order of blocks are wrong.

Each check raises an `InputError` that gives the value found, the bound and the remedy.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.readers.snapshot import Snapshot

__all__ = [
    "refuse_absurd_box",
    "refuse_absurd_density",
    "refuse_absurd_kernel",
    "refuse_absurd_temperature",
    "refuse_center_outside_box",
    "refuse_impossible_header",
    "refuse_negative",
    "refuse_outside_box",
]

LARGEST_BOX_KPC = 2e6  # comoving; where the file does not give its units
OVERDENSITIES = (1e-2, 1e6)  # of the median gas particle: voids to galaxies
NEIGHBOURS = (0.02, 1e5)  # particles' volumes inside a kernel; wide, for thinned-out snapshots
FEW_NEIGHBOURS = 8.0  # no SPH code has less: particles were left out
HOTTEST_K = 1e10
BARYON_FRACTION = 0.16


def refuse_absurd_box(snapshot: Snapshot) -> None:
    """Refuse a box of thousands of Mpc in a file that does not give its units.

    `snapshot` gives box and units by its header. Raises InputError beyond 2,000 Mpc, comoving.
    """
    header = snapshot.header
    if header.box_kpc is None or header.units_known:
        return
    comoving_kpc = header.box_kpc / header.scale_factor
    if comoving_kpc > LARGEST_BOX_KPC:
        raise InputError(
            f"{snapshot.source}: the box must be below {LARGEST_BOX_KPC / 1e3:.0f} Mpc; got "
            f"{comoving_kpc / 1e3:.4g} Mpc (comoving). {snapshot.remedy}"
        )


def refuse_outside_box(snapshot: Snapshot, position_kpc: NDArray[Any], box_kpc: float) -> None:
    """Refuse positions far outside a periodic box: wrapped around it they would be anywhere.

    Parameters
    ----------
    snapshot : Snapshot
        For the message.
    position_kpc : ndarray, shape (n, 3)
        In the frame of the snapshot.
    box_kpc : float
        Physical side of the box, which begins at 0.

    Raises
    ------
    InputError
        If a coordinate lies outside the box and the boxes beside it.
    """
    if len(position_kpc) == 0:
        return
    furthest = max(position_kpc.min(), position_kpc.max(), key=lambda x: abs(x - box_kpc / 2))
    if not _beside_box(furthest, box_kpc):
        raise InputError(
            f"{snapshot.source}: positions must lie in the box of {box_kpc:.4g} kpc, or one box "
            f"beside it; got {furthest:.4g} kpc. {snapshot.remedy}"
        )


def refuse_center_outside_box(center_kpc: NDArray[Any], box_kpc: float) -> None:
    """Raise InputError for `center_kpc`, shape (3,), far outside a periodic box, side `box_kpc`."""
    if not _beside_box(center_kpc, box_kpc):
        raise InputError(
            f"center: must lie in the box of {box_kpc:.4g} kpc, or one box beside it; got "
            f"{', '.join(f'{x:g}' for x in center_kpc)}. Give physical kpc in the snapshot's frame."
        )


def refuse_impossible_header(source: str, hubble: float | None, omega_m: float, box: float) -> None:
    """Refuse a header whose numbers contradict each other or are none.

    Parameters
    ----------
    source : str
        Name of the snapshot, for the message.
    hubble, omega_m : float
        HubbleParam, None where it is not there, and Omega0. A file without a cosmology has no
        matter; one with it has an h.
    box : float
        BoxSize in any unit, 0 where there is none.

    Raises
    ------
    InputError
        Naming the field of the header.
    """
    if omega_m > 0 and hubble is not None and not 0 < hubble < 3:
        raise InputError(
            f"{source}: HubbleParam of the header must be above 0 and below 3 where Omega0 is "
            f"{omega_m:g}; got {hubble:g}. Repair the header."
        )
    if not 0 <= box < np.inf:
        raise InputError(
            f"{source}: BoxSize of the header must be a length, or 0 for none; got {box:g}. Repair "
            "the header."
        )


def _beside_box(position_kpc: Any, box_kpc: float) -> bool:
    """Tell whether positions lie in a box that begins at 0, or in one of its neighbours."""
    return bool(np.all((position_kpc >= -box_kpc) & (position_kpc <= 2 * box_kpc)))


def refuse_absurd_density(snapshot: Snapshot, density_msun_kpc3: NDArray[Any]) -> None:
    """Refuse gas whose median density is far from the mean density of baryons.

    `density_msun_kpc3`, physical, has shape (n,); `snapshot` gives cosmology and redshift. Raises
    InputError below 0.01 times or above 1e6 times the cosmic mean.
    """
    if len(density_msun_kpc3) == 0:
        return
    header = snapshot.header
    mean = BARYON_FRACTION * header.matter_msun_kpc3 / header.scale_factor**3
    contrast = float(np.median(density_msun_kpc3)) / mean
    if not OVERDENSITIES[0] <= contrast <= OVERDENSITIES[1]:
        raise InputError(
            f"{snapshot.source}: the median gas density must be {OVERDENSITIES[0]:g} to "
            f"{OVERDENSITIES[1]:g} times the cosmic mean of baryons; got {contrast:.3g} times. "
            f"{snapshot.remedy}"
        )


def refuse_absurd_kernel(
    snapshot: Snapshot,
    mass_msun: NDArray[Any],
    density_msun_kpc3: NDArray[Any],
    support_kpc: NDArray[Any],
) -> None:
    """Refuse smoothing lengths that do not go with masses and densities; note thinned-out ones.

    Parameters
    ----------
    snapshot : Snapshot
        For the message; the header's notes get a line where kernels hold few particles.
    mass_msun, density_msun_kpc3 : ndarray, shape (n,)
        Of the gas, physical.
    support_kpc : ndarray, shape (n,)
        Radius at which each kernel ends.

    Raises
    ------
    InputError
        If the median kernel, 4 pi/3 H^3 rho / m, holds less than 0.02 or more than 1e5 particles.
    """
    if len(mass_msun) == 0:
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = 4 / 3 * np.pi * support_kpc.astype(np.float64) ** 3 * density_msun_kpc3 / mass_msun
    typical = float(np.median(inside))
    if not NEIGHBOURS[0] <= typical <= NEIGHBOURS[1]:
        raise InputError(
            f"{snapshot.source}: a kernel must hold {NEIGHBOURS[0]:g} to {NEIGHBOURS[1]:g} "
            f"particles' volumes; got {typical:.3g} (median): density, mass and smoothing "
            f"length contradict each other. {snapshot.remedy}"
        )
    if typical < FEW_NEIGHBOURS:
        snapshot.header.notes.append(
            f"smoothing: kernels hold only {typical:.2g} particles' volumes, so particles "
            f"were left out of the file; images will be grainy"
        )


def refuse_absurd_temperature(snapshot: Snapshot, temperature_k: NDArray[Any]) -> None:
    """Raise InputError, naming `snapshot`, where `temperature_k`, shape (n,), is above 1e10 K."""
    hot = temperature_k > HOTTEST_K
    if hot.any():
        raise InputError(
            f"{snapshot.source}: temperatures must be below {HOTTEST_K:g} K; {hot.sum()} of "
            f"{len(hot)} particles are hotter, up to {temperature_k.max():.3g} K. {snapshot.remedy}"
        )


def refuse_negative(
    snapshot: Snapshot,
    name: str,
    values: NDArray[Any],
    rows: NDArray[np.int64],
    *,
    zero: bool = False,
) -> None:
    """Refuse negative numbers (and zeros, with `zero`), naming the first row in the file.

    Parameters
    ----------
    snapshot : Snapshot
        For the message.
    name : str
        Field that the numbers are of.
    values : ndarray, shape (n,)
        In any unit.
    rows : ndarray of int64, shape (n,)
        Row in the file of each value.
    zero : bool
        Refuse zeros too.

    Raises
    ------
    InputError
        If a value is not as it must be.
    """
    bad = values <= 0 if zero else values < 0
    if bad.any():
        rule = "be positive" if zero else "not be negative"
        raise InputError(
            f"{snapshot.source}: the field '{name}' must {rule}; "
            f"{bad.sum()} of {len(bad)} gas particles are not, the first is row "
            f"{int(rows[bad.argmax()])} with {values[bad.argmax()]:.4g}. Repair or drop these."
        )
