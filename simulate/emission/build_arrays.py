"""Build a plasma table from spectra of another plasma code, on a grid of kT and metallicity.

The file, .npz or HDF5, holds: kt_kev (n_kt,), edges_kev (n_e + 1,) at rest, metallicity (n_Z,) in
solar units, and spectra (n_kt, n_Z, n_e) in photons s^-1 cm^3 per bin for n_e n_H = 1.
"""

from pathlib import Path
from zipfile import BadZipFile

import h5py
import numpy as np

from icmass.errors import InputError
from icmass.simulate.emission.table import SpectralTable

__all__ = ["build_arrays"]

_KEYS = ("kt_kev", "edges_kev", "metallicity", "spectra")
_SHAPES = "kt_kev (n_kt,), edges_kev (n_e+1,), metallicity (n_Z,), spectra (n_kt, n_Z, n_e)"


def build_arrays(path: str | Path, *, abundance_set: str = "as computed") -> SpectralTable:
    """Split spectra into a part without metals and a part linear in metallicity.

    Two metallicities are met exactly, more by least squares; one alone is taken to hold for every
    metallicity.

    Parameters
    ----------
    path : str or Path
        See the module's description.
    abundance_set : str
        A label that goes with the table.

    Returns
    -------
    SpectralTable
        Its ``meta["nonlinear_in_z"]`` is the largest departure of a spectrum's photons from the
        straight line, relative to all its photons.

    Raises
    ------
    InputError
        If keys are missing or shapes or values are unusable.
    """
    path = Path(path)
    arrays = _read(path)
    spectra, metals = arrays["spectra"], arrays["metallicity"]
    wanted = (arrays["kt_kev"].size, metals.size, arrays["edges_kev"].size - 1)
    if metals.ndim != 1 or spectra.shape != wanted:
        raise InputError(
            f"{path}: must hold {_SHAPES}; got spectra {spectra.shape} where the others ask for "
            f"{wanted}."
        )
    if not (np.isfinite(spectra).all() and (spectra >= 0).all()):
        bad = int((~np.isfinite(spectra) | (spectra < 0)).sum())
        raise InputError(f"{path}: spectra must be finite and not negative; {bad} values are not.")
    if not (np.isfinite(metals).all() and (metals >= 0).all() and (np.diff(metals) > 0).all()):
        raise InputError(f"{path}: metallicity must ascend, be finite and not negative.")
    base, metal = _line(metals, spectra)
    fitted = base[:, None] + metals[:, None] * metal[:, None]
    photons = np.maximum(spectra.sum(axis=-1), 1e-300)
    meta = {
        "source": "arrays",
        "made_from": {"file": path.name, "metallicity": metals.tolist()},
        "abundances": abundance_set,
        "nonlinear_in_z": float((np.abs(fitted - spectra).sum(axis=-1) / photons).max()),
    }
    try:
        return SpectralTable(arrays["edges_kev"], arrays["kt_kev"], base, metal, meta)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _read(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise InputError(f"{path}: must be a .npz or HDF5 file; there is no such file.")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                found = {key: file[key] for key in _KEYS if key in file}
        else:
            with h5py.File(path, "r") as file:
                found = {key: file[key][()] for key in _KEYS if key in file}
        arrays = {key: np.asarray(value, np.float64) for key, value in found.items()}
    except (OSError, ValueError, TypeError, EOFError, BadZipFile) as error:
        raise InputError(f"{path}: cannot be read as .npz or HDF5 ({error}).") from error
    missing = [key for key in _KEYS if key not in arrays]
    if missing:
        raise InputError(f"{path}: must hold {_SHAPES}; {', '.join(missing)} is missing.")
    return arrays


def _line(metals: np.ndarray, spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and slope in metallicity of every bin, neither negative."""
    mean = spectra.mean(axis=1)
    if metals.size == 1:
        return mean, np.zeros_like(mean)
    offset = metals - metals.mean()
    slope = np.maximum(np.einsum("z,kze->ke", offset, spectra) / (offset**2).sum(), 0.0)
    base = mean - slope * metals.mean()
    # Where the line would start below zero, the best one through the origin.
    through = np.einsum("z,kze->ke", metals, spectra) / (metals**2).sum()
    below = base < 0
    return np.where(below, 0.0, base), np.where(below, through, slope)
