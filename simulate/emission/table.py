"""The plasma table: what one cubic centimetre of hot gas emits, by temperature and metallicity.

A `SpectralTable` holds spectra of optically thin plasma in collisional equilibrium over a grid of
temperatures, as a part without metals and a part linear in metallicity, in photons s^-1 cm^3 per
bin of rest-frame energy for n_e n_H = 1 cm^-6. Between temperature nodes every use of the table is
linear in ln kT, so that a spectrum is an exact mixture of the spectra of two nodes: photons drawn
from one node or the other, counts expected and luminosities all agree.

Energies and temperatures are in keV, metallicity in solar units of the table's abundance set.
"""

import json
import warnings
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from icmass.digests import CHECKSUM, array_digest
from icmass.errors import InputError, InputWarning
from icmass.files import atomic_write
from icmass.hdf5 import read_array
from icmass.simulate.constants import ERG_PER_KEV

__all__ = ["SpectralTable", "resolve_table"]

_FORMAT = "icmass plasma table 1"
_ARRAYS = ("edges_kev", "kt_kev", "base", "metal")
# Bits of the mantissa kept in the file: a relative error of 6e-5, and half the size.
_KEPT_BITS = 13


@dataclass(frozen=True, eq=False)
class SpectralTable:
    """Emission of collisionally ionised plasma on a grid of temperature and rest-frame energy.

    Parameters
    ----------
    edges_kev : ndarray, shape (n_e + 1,)
        Edges of the rest-frame energy bins, ascending.
    kt_kev : ndarray, shape (n_kt,)
        Temperature nodes, ascending.
    base, metal : ndarray, shape (n_kt, n_e)
        Photons s^-1 cm^3 per bin for n_e n_H = 1: without metals, and what one solar metallicity
        adds. Neither is negative.
    meta : dict
        Where the table came from: source, abundance set, residuals, versions.

    Raises
    ------
    InputError
        If shapes do not fit together, a grid does not ascend, or a value is negative or not finite.
    """

    edges_kev: np.ndarray
    kt_kev: np.ndarray
    base: np.ndarray
    metal: np.ndarray
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), np.float64))
        _check_grid(self.edges_kev, "edges_kev")
        _check_grid(self.kt_kev, "kt_kev")
        shape = (self.kt_kev.size, self.edges_kev.size - 1)
        for name in ("base", "metal"):
            values = getattr(self, name)
            if values.shape != shape:
                raise InputError(
                    f"{name}: must have shape (temperatures, bins) = {shape}; got {values.shape}."
                )
            if not (np.isfinite(values).all() and (values >= 0).all()):
                bad = int((~np.isfinite(values) | (values < 0)).sum())
                raise InputError(
                    f"{name}: must be finite and not negative; got {bad} values that are not."
                )

    @classmethod
    def load(cls, path: str | Path | None = None) -> "SpectralTable":
        """Read a table from the HDF5 file at `path`; without one, that shipped with the package.

        Raises
        ------
        InputError
            If the file is missing or is not a plasma table.
        """
        if path is None:
            return _shipped_table()
        return _read(Path(path))

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the table to `path`, compressed HDF5 rounded to a relative precision of 6e-5.

        Raises
        ------
        OutputError
            If the file exists and `overwrite` is not set, or it cannot be written.
        """
        with atomic_write(path, overwrite=overwrite) as stage, h5py.File(stage, "w") as file:
            file.attrs["format"] = _FORMAT
            file.attrs["meta"] = json.dumps(self.meta, sort_keys=True)
            file.create_dataset("edges_kev", data=self.edges_kev)
            file.create_dataset("kt_kev", data=self.kt_kev)
            for name in ("base", "metal"):
                data = _rounded(getattr(self, name))
                file.create_dataset(name, data=data, compression="gzip", compression_opts=9,
                                    shuffle=True, track_times=False)  # fmt: skip
            stored = {name: file[name][()] for name in _ARRAYS}
            file.attrs[CHECKSUM] = array_digest(stored, file.attrs["meta"])

    def photons(self, edges_kev: np.ndarray, redshift: float) -> tuple[np.ndarray, np.ndarray]:
        """Emission received in bins of observed energy.

        This is the integral over each bin of eps(E (1 + z)) dE, with eps the emissivity at rest in
        photons s^-1 cm^3 keV^-1; EM / (4 pi D_M^2) times it is the photon flux, with D_M the
        comoving transverse distance. Per keV no other power of (1 + z) enters. Per bin that means
        the photons emitted between E (1 + z) of its edges, divided by (1 + z): time dilation.

        Parameters
        ----------
        edges_kev : ndarray, shape (m + 1,)
            Edges of the bins in observed energy, ascending.
        redshift : float
            Redshift of the gas, not negative.

        Returns
        -------
        base, metal : ndarray, shape (n_kt, m)
            Photons s^-1 cm^3 per observed bin, as received.

        Raises
        ------
        InputError
            If the edges do not ascend or the redshift is negative or not finite.
        """
        edges = _check_grid(np.asarray(edges_kev, np.float64), "edges_kev")
        if not (np.isfinite(redshift) and redshift >= 0):
            raise InputError(f"redshift: must be finite and not negative; got {redshift}.")
        rest = edges * (1.0 + redshift)
        outside = int(((rest[:-1] < self.edges_kev[0]) | (rest[1:] > self.edges_kev[-1])).sum())
        if outside:
            warnings.warn(
                f"plasma table: {outside} of {edges.size - 1} bins reach beyond "
                f"{self.edges_kev[0]:.4g}-{self.edges_kev[-1]:.4g} keV at rest and miss photons.",
                InputWarning,
                stacklevel=2,
            )
        place, share = self._position(rest)
        base, metal = (
            _between(total, place, share) / (1.0 + redshift) for total in self._cumulative
        )
        return base, metal

    def nodes(self, kt_kev: np.ndarray) -> np.ndarray:
        """Fractional index of temperatures among the nodes, linear in ln kT, clamped to the ends.

        In the shape of `kt_kev`, any.

        Raises
        ------
        InputError
            If a temperature is not positive and finite.

        Warns
        -----
        InputWarning
            If temperatures lie outside the table; the message counts them.
        """
        kt = np.asarray(kt_kev, np.float64)
        good = np.isfinite(kt) & (kt > 0)
        if not good.all():
            raise InputError(
                f"kt_kev: must be positive and finite; got {int((~good).sum())} of {kt.size} "
                "values that are not."
            )
        low, high = self.kt_kev[0], self.kt_kev[-1]
        # The ends are met to rounding: a value equal to the last node is not outside.
        clamped = int(((kt < low * (1 - 1e-9)) | (kt > high * (1 + 1e-9))).sum())
        if clamped:
            warnings.warn(
                f"kt_kev: {clamped} of {kt.size} temperatures lie outside the table "
                f"({low:.4g}-{high:.4g} keV) and were clamped to its ends.",
                InputWarning,
                stacklevel=2,
            )
        return np.interp(np.log(kt), np.log(self.kt_kev), np.arange(self.kt_kev.size))

    def warn_of_clamped(self, kt_kev: np.ndarray) -> None:
        """Warn with the number of particles whose temperature the table does not reach.

        `kt_kev` holds one temperature per particle, shape (n,).
        """
        below = np.count_nonzero(kt_kev < self.kt_kev[0])
        above = np.count_nonzero(kt_kev > self.kt_kev[-1])
        if below or above:
            warnings.warn(
                f"temperature: {below} particles below {self.kt_kev[0]:.3g} keV and {above} above "
                f"{self.kt_kev[-1]:.3g} keV were clamped to the plasma table.",
                InputWarning,
                stacklevel=3,
            )

    def spectrum(
        self, edges_kev: np.ndarray, kt_kev: float, metallicity: float, redshift: float = 0.0
    ) -> np.ndarray:
        """Photons per bin of observed energy, as received, of gas with n_e n_H V = 1.

        Parameters
        ----------
        edges_kev : ndarray, shape (m + 1,)
            Edges of the bins in observed energy, ascending.
        kt_kev : float
            Temperature; outside the table it is clamped, with a warning.
        metallicity : float
            In solar units, not negative.
        redshift : float
            Of the gas, not negative.

        Returns
        -------
        ndarray, shape (m,)
            Photons s^-1 cm^3, normalised as those of `photons`, whose errors are raised.
        """
        metals = float(_check_metallicity(np.asarray(metallicity, np.float64)))
        low, share = _split(self.nodes(np.asarray(kt_kev)), self.kt_kev.size)
        base, metal = self.photons(edges_kev, redshift)
        nodes = slice(int(low), int(low) + 2)
        both = base[nodes] + metals * metal[nodes]
        return (1.0 - share) * both[0] + share * both[1]

    def luminosity(
        self,
        kt_kev: np.ndarray,
        metallicity: np.ndarray,
        lo_kev: float | None = None,
        hi_kev: float | None = None,
    ) -> np.ndarray:
        """Energy emitted in a rest-frame band, for n_e n_H V = 1.

        Parameters
        ----------
        kt_kev, metallicity : ndarray
            Per particle; their shapes broadcast against each other.
        lo_kev, hi_kev : float, optional
            The band; where not given, the end of the table. Without both this is the bolometric
            emission of the table, 0.01-100 keV in the shipped one.

        Returns
        -------
        ndarray, shape of both together
            erg s^-1 cm^3, to be multiplied by the emission measure in cm^-3.

        Raises
        ------
        InputError
            If the band is empty or reaches beyond the table, or a value is negative or not finite.
        """
        low_end, high_end = float(self.edges_kev[0]), float(self.edges_kev[-1])
        lo = low_end if lo_kev is None else float(lo_kev)
        hi = high_end if hi_kev is None else float(hi_kev)
        if not low_end <= lo < hi <= high_end:
            raise InputError(
                f"lo_kev, hi_kev: must be a band inside the table's {low_end:.4g}-{high_end:.4g} "
                f"keV; got {lo:.4g}-{hi:.4g} keV."
            )
        metals = _check_metallicity(np.asarray(metallicity, np.float64))
        node = self.nodes(kt_kev)
        low, share = _split(node, self.kt_kev.size)
        base, metal = (self._band_energy(part, lo, hi) for part in (self.base, self.metal))
        plain = base[low] + share * np.diff(base)[low]
        return plain + metals * (metal[low] + share * np.diff(metal)[low])

    @cached_property
    def _cumulative(self) -> tuple[np.ndarray, np.ndarray]:
        """Photons below each rest-frame edge, shape (n_e + 1, n_kt): the energy axis first."""
        zero = np.zeros((1, self.kt_kev.size))
        base, metal = (
            np.concatenate([zero, np.cumsum(part.T, axis=0)]) for part in (self.base, self.metal)
        )
        return base, metal

    def _position(self, energy_kev: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bin of each energy and the fraction of the bin below it, clamped to the table."""
        inside = np.clip(energy_kev, self.edges_kev[0], self.edges_kev[-1])
        place = np.clip(
            np.searchsorted(self.edges_kev, inside, "right") - 1, 0, self.edges_kev.size - 2
        )
        width = np.diff(self.edges_kev)[place]
        return place, (inside - self.edges_kev[place]) / width

    def _band_energy(self, part: np.ndarray, lo_kev: float, hi_kev: float) -> np.ndarray:
        """Energy of one part in a band, erg s^-1 cm^3 for each temperature node."""
        lo = np.clip(self.edges_kev[:-1], lo_kev, hi_kev)
        hi = np.clip(self.edges_kev[1:], lo_kev, hi_kev)
        share = (hi - lo) / np.diff(self.edges_kev)
        return part @ (share * 0.5 * (lo + hi)) * ERG_PER_KEV


def resolve_table(table: "SpectralTable | str | Path | None") -> SpectralTable:
    """Return `table`, given as such, as the path of its file, or not at all: the shipped one.

    Raises
    ------
    InputError
        If it is none of these, or the file is not a plasma table.
    """
    if table is None or isinstance(table, str | Path):
        return SpectralTable.load(table)
    if isinstance(table, SpectralTable):
        return table
    raise InputError(f"table: must be a SpectralTable or a path; got {type(table).__name__}.")


@lru_cache(maxsize=1)
def _shipped_table() -> SpectralTable:
    with as_file(files(__package__) / "data" / "plasma.h5") as path:
        return _read(path)


def _read(path: Path) -> SpectralTable:
    advice = "Give a file that `icmass tables build` wrote."
    if not path.is_file():
        raise InputError(f"{path}: must be a plasma table; there is no such file. {advice}")
    try:
        with h5py.File(path, "r") as file:
            found = file.attrs.get("format")
            if found != _FORMAT:
                raise InputError(f"{path}: must hold '{_FORMAT}'; got '{found}'. {advice}")
            arrays = {name: read_array(file[name]) for name in _ARRAYS}
            meta = json.loads(file.attrs["meta"])
            if file.attrs.get(CHECKSUM, "") not in ("", array_digest(arrays, file.attrs["meta"])):
                raise ValueError("its values are not those that were written")
    except InputError:
        raise
    except (OSError, RuntimeError, LookupError, ValueError, TypeError) as error:
        raise InputError(f"{path}: cannot be read as a plasma table ({error}). {advice}") from error
    try:
        return SpectralTable(**arrays, meta=meta)
    except (ValueError, TypeError) as error:  # InputError, or arrays that are no numbers
        raise InputError(f"{path}: {error}") from error


def _check_grid(values: np.ndarray, name: str) -> np.ndarray:
    if values.ndim != 1 or values.size < 2:
        raise InputError(f"{name}: must be a row of at least two values; got shape {values.shape}.")
    if not (np.isfinite(values).all() and values[0] > 0 and (np.diff(values) > 0).all()):
        raise InputError(f"{name}: must be positive, finite and ascending; it is not.")
    return values


def _check_metallicity(metallicity: np.ndarray) -> np.ndarray:
    good = np.isfinite(metallicity) & (metallicity >= 0)
    if not good.all():
        raise InputError(
            f"metallicity: must be finite and not negative; got {int((~good).sum())} of "
            f"{metallicity.size} values that are not."
        )
    return metallicity


def _split(node: np.ndarray, n_nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Lower node of a fractional index, and the share of the upper one."""
    low = np.minimum(node.astype(np.int64), n_nodes - 2)
    return low, node - low


def _between(cumulative: np.ndarray, place: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Photons between consecutive energies, shape (n_kt, m), from photons below each edge."""
    step = cumulative[place + 1] - cumulative[place]
    below = cumulative[place] + share[:, None] * step
    return np.maximum(np.diff(below, axis=0), 0.0).T


def _rounded(values: np.ndarray) -> np.ndarray:
    """Values as float32 with the last bits of the mantissa rounded away."""
    mantissa, exponent = np.frexp(values)
    scale = 2.0**_KEPT_BITS
    return np.ldexp(np.round(mantissa * scale) / scale, exponent).astype(np.float32)
