"""At which channel energy a photon of a given energy is recorded.

The redistribution matrix holds, for each photon-energy bin, the probability of each detector
channel. Energies in keV. Rows are stored as one contiguous run of channels each, which is what
real matrices are and what the event sampler walks through.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array
from scipy.special import ndtr

from icmass.errors import InputError

__all__ = [
    "FWHM_PER_SIGMA",
    "MOST_BINS",
    "Redistribution",
    "bin_overlap",
    "gaussian_redistribution",
    "require_ascending",
]

FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))

# Channels of events, and guides to energy bins, are numbered in 16 bits.
MOST_BINS = 2**15 - 1

# Rows of real matrices are sums of float32 numbers and may exceed one by rounding.
_ROW_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Redistribution:
    """Probability of each channel for each photon-energy bin (the content of an RMF).

    Parameters
    ----------
    energy_edges_kev : (n_e + 1,) float64
        Photon-energy bins, ascending.
    channel_edges_kev : (n_c + 1,) float64
        Nominal channel energies, ascending.
    first_channel : int
        Number that files give to channel index 0.
    row_start : (n_e + 1,) int64
        Row i occupies ``probability[row_start[i]:row_start[i + 1]]``.
    row_channel : (n_e,) int32
        Channel index (from 0) of the first entry of each row.
    probability : (row_start[-1],) float32
        Probabilities; a row sums to at most one.

    Raises
    ------
    InputError
        If edges do not ascend or are too many, shapes disagree, a row leaves the channels, or a row
        holds a negative probability or sums to more than one.
    """

    energy_edges_kev: np.ndarray
    channel_edges_kev: np.ndarray
    first_channel: int
    row_start: np.ndarray
    row_channel: np.ndarray
    probability: np.ndarray

    def __post_init__(self) -> None:
        for name in ("energy_edges_kev", "channel_edges_kev"):
            require_ascending(getattr(self, name), f"redistribution {name}")
        if max(self.n_energy, self.n_channel) > MOST_BINS:
            raise InputError(
                f"redistribution: must have at most {MOST_BINS:,} energy bins and channels; got "
                f"{self.n_energy:,} and {self.n_channel:,}. Rebin the response."
            )
        self._check_rows()

    def _check_rows(self) -> None:
        n_energy = self.n_energy
        length = np.diff(self.row_start)
        if self.row_channel.shape != (n_energy,) or length.shape != (n_energy,):
            raise InputError(
                f"redistribution: must have one row per energy bin ({n_energy}); got "
                f"{self.row_channel.size} first channels and {length.size} rows."
            )
        if self.row_start[0] != 0 or self.row_start[-1] != self.probability.size:
            raise InputError(
                f"redistribution: row_start must run from 0 to the number of probabilities "
                f"({self.probability.size}); got {self.row_start[0]} to {self.row_start[-1]}."
            )
        outside = (self.row_channel < 0) | (self.row_channel + length > self.n_channel)
        if np.any(outside | (length < 0)):
            row = int(np.argmax(outside | (length < 0)))
            raise InputError(
                f"redistribution: rows must lie within the {self.n_channel} channels; got row "
                f"{row} from channel index {self.row_channel[row]} over {length[row]}."
            )
        if not np.all(self.probability >= 0.0):
            raise InputError(
                f"redistribution: probabilities must be finite and >= 0; got "
                f"{int(np.sum(~(self.probability >= 0.0)))} that are not."
            )
        largest = float(np.max(self.row_sum, initial=0.0))
        if not largest <= 1.0 + _ROW_SUM_TOLERANCE:
            raise InputError(
                f"redistribution: rows must sum to at most 1; got {largest:.6g}. "
                "A matrix that holds the effective area must be split into area and probability."
            )

    @property
    def n_energy(self) -> int:
        """Number of photon-energy bins."""
        return self.energy_edges_kev.size - 1

    @property
    def n_channel(self) -> int:
        """Number of channels."""
        return self.channel_edges_kev.size - 1

    @property
    def energy_kev(self) -> np.ndarray:
        """Middle of each photon-energy bin, (n_e,) keV."""
        return 0.5 * (self.energy_edges_kev[1:] + self.energy_edges_kev[:-1])

    @cached_property
    def sparse(self) -> csr_array:
        """The matrix, (n_e, n_c) float64, in compressed rows."""
        length = np.diff(self.row_start)
        offset = np.repeat(self.row_channel - self.row_start[:-1], length)
        channel = np.arange(self.probability.size) + offset
        shape = (self.n_energy, self.n_channel)
        return csr_array((self.probability.astype(np.float64), channel, self.row_start), shape)

    def matrix(self) -> np.ndarray:
        """Return the matrix as a dense (n_e, n_c) float64 array."""
        return self.sparse.toarray()

    @cached_property
    def row_sum(self) -> np.ndarray:
        """Probability that a photon of each bin is recorded at all, (n_e,)."""
        return np.asarray(self.sparse.sum(axis=1)).ravel()

    def band_probability(self, lo_kev: float, hi_kev: float) -> np.ndarray:
        """Probability that a photon of each bin is recorded inside a band of channel energy.

        Parameters
        ----------
        lo_kev, hi_kev : float
            The band [lo, hi). Channels that its ends cut count by the overlapping fraction.

        Returns
        -------
        (n_e,) float64
        """
        return self.sparse @ bin_overlap(self.channel_edges_kev, lo_kev, hi_kev)


def require_ascending(edges: np.ndarray, name: str) -> None:
    """Raise InputError unless `edges`, shape (n,), are two finite, ascending numbers or more.

    The message begins with `name`.
    """
    if edges.ndim != 1 or edges.size < 2:
        raise InputError(f"{name}: must be one row of at least 2 edges; got shape {edges.shape}.")
    if not np.all(np.isfinite(edges)):
        raise InputError(
            f"{name}: must be finite; got {int(np.sum(~np.isfinite(edges)))} values that are not."
        )
    step = np.diff(edges)
    if not np.all(step > 0.0):
        where = int(np.argmin(step > 0.0))
        raise InputError(
            f"{name}: must ascend; got {edges[where]:.6g} followed by {edges[where + 1]:.6g} keV "
            f"at index {where}."
        )


def bin_overlap(edges_kev: np.ndarray, lo_kev: float, hi_kev: float) -> np.ndarray:
    """Fraction of each bin that lies inside [lo, hi).

    Parameters
    ----------
    edges_kev : (n + 1,) array
        Ascending bin edges.
    lo_kev, hi_kev : float
        The band.

    Returns
    -------
    (n,) float64

    Raises
    ------
    InputError
        If the band is empty.
    """
    if not lo_kev < hi_kev:
        raise InputError(f"band: must have its lower end below its upper; got {lo_kev}-{hi_kev}.")
    clipped = np.clip(edges_kev, lo_kev, hi_kev)
    return np.diff(clipped) / np.diff(edges_kev)


def gaussian_redistribution(
    energy_edges_kev: np.ndarray,
    channel_edges_kev: np.ndarray,
    fwhm_kev: Callable[[np.ndarray], np.ndarray],
    *,
    first_channel: int = 1,
    n_sigma: float = 5.0,
) -> Redistribution:
    """Build the matrix of a detector with a Gaussian line-spread function.

    Parameters
    ----------
    energy_edges_kev : ndarray of float64, shape (n_e + 1,)
        Photon-energy bins, ascending.
    channel_edges_kev : ndarray of float64, shape (n_c + 1,)
        Nominal channel energies, ascending.
    fwhm_kev : callable
        Full width at half maximum [keV] at photon energies [keV].
    first_channel : int
        Number of channel index 0 in files.
    n_sigma : float
        Rows are cut here on both sides, then scaled to sum to one: no photon is lost, and what a
        Gaussian would put beyond (6e-7 at five sigma) or outside the channels returns inside.

    Returns
    -------
    Redistribution
    """
    energy = 0.5 * (energy_edges_kev[1:] + energy_edges_kev[:-1])
    sigma = fwhm_kev(energy) / FWHM_PER_SIGMA
    n_channel = channel_edges_kev.size - 1
    reach = n_sigma * sigma
    first = np.searchsorted(channel_edges_kev, energy - reach, side="right") - 1
    last = np.searchsorted(channel_edges_kev, energy + reach, side="left")
    first = np.clip(first, 0, n_channel - 1)
    last = np.clip(last, first + 1, n_channel)
    rows = []
    for i in range(energy.size):
        edges = channel_edges_kev[first[i] : last[i] + 1]
        row = np.diff(ndtr((edges - energy[i]) / sigma[i]))
        rows.append(row / row.sum())
    return Redistribution(
        energy_edges_kev=energy_edges_kev,
        channel_edges_kev=channel_edges_kev,
        first_channel=first_channel,
        row_start=np.concatenate(([0], np.cumsum(last - first))).astype(np.int64),
        row_channel=first.astype(np.int32),
        probability=np.concatenate(rows).astype(np.float32),
    )
