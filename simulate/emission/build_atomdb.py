"""Build a plasma table from AtomDB's own files: apec_v*_line.fits and apec_v*_coco.fits.

Both files hold, after a table of temperatures (PARAMETERS), one table per temperature. Lines:
Lambda [Angstrom], Epsilon [photons cm^3 s^-1], Element, Ion. Continua, one row per element and ion:
Z, rmJ (0 for all ions together, as equilibrium files have it), E_Cont and Continuum [keV, photons
cm^3 s^-1 keV^-1, N_Cont points], E_Pseudo and Pseudo (unresolved weak lines, N_Pseudo points).
Emissivities are per n_e n_H and include the abundances of Anders & Grevesse (1989).

Lines are broadened by the thermal motion of their ions. Between AtomDB's temperatures spectra are
interpolated linearly in kT, as XSPEC and SOXS do.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from scipy.special import erf

from icmass.errors import InputError
from icmass.simulate.emission.abundances import abundances, atomic_masses
from icmass.simulate.emission.table import SpectralTable

__all__ = ["build_atomdb"]

_KEV_ANGSTROM = 12.398419843  # h c, CODATA 2018
_MASS_UNIT_KEV = 931494.10  # unified atomic mass unit, CODATA 2018
_KT_RANGE_KEV = (0.08, 40.0)
_SUBDIVISIONS = 4  # of AtomDB's steps of 0.1 dex, so that a mixture in ln kT is good to some 0.5%
_SIGMAS = 6.0
_HELIUM = 2
_NAMES = re.compile(r"apec_v(?P<version>[\d.]+)_(?P<kind>line|coco)\.fits(\.gz)?$")


def build_atomdb(
    directory: str | Path,
    *,
    abundance_set: str = "ag89",
    edges_kev: np.ndarray | None = None,
) -> SpectralTable:
    """Read AtomDB's equilibrium files and sum them on an energy grid.

    Hydrogen and helium make the part without metals; all other elements scale with metallicity.

    Parameters
    ----------
    directory : str or Path
        Folder with one pair of files, ``apec_v<version>_line.fits`` and ``..._coco.fits``.
    abundance_set : {"ag89", "aspl", "wilm"}
        What one solar metallicity means; emissivities are rescaled element by element.
    edges_kev : ndarray, shape (n_e + 1,), optional
        Edges of the rest-frame bins; those of the shipped table by default.

    Returns
    -------
    SpectralTable

    Raises
    ------
    InputError
        If the folder holds no pair of files, or one that this format does not describe.
    """
    version, line_path, coco_path = _find_files(Path(directory))
    edges = SpectralTable.load().edges_kev if edges_kev is None else np.asarray(edges_kev, float)
    scales = _scales(abundance_set)
    with _opened(line_path) as lines, _opened(coco_path) as continua:
        kt = _temperatures(line_path, lines)
        if not np.allclose(kt, _temperatures(coco_path, continua), rtol=1e-4):
            raise InputError(f"{coco_path}: must have the temperatures of {line_path.name}.")
        chosen = _in_range(kt, line_path)
        parts = np.zeros((chosen.size, 2, edges.size - 1))
        for n, index in enumerate(chosen):
            parts[n] = _lines(line_path, lines[index + 2], kt[index], edges, scales)
            parts[n] += _continua(coco_path, continua[index + 2], edges, scales)
    nodes, fine = _subdivided(kt[chosen], parts)
    meta = {
        "source": "atomdb",
        "made_from": {"AtomDB": version, "files": [line_path.name, coco_path.name]},
        "abundances": abundance_set,
        "base": "hydrogen and helium",
    }
    return SpectralTable(edges, nodes, fine[:, 0], fine[:, 1], meta)


def _find_files(directory: Path) -> tuple[str, Path, Path]:
    """Version and paths of the newest pair of equilibrium files in a folder."""
    if not directory.is_dir():
        raise InputError(f"{directory}: must be the folder of AtomDB's files; there is none.")
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(directory.iterdir()):
        match = _NAMES.match(path.name)
        if match:
            found.setdefault(match["version"], {})[match["kind"]] = path
    pairs = {version: both for version, both in found.items() if len(both) == 2}
    if not pairs:
        raise InputError(
            f"{directory}: must hold a pair apec_v<version>_line.fits, apec_v<version>_coco.fits; "
            "get both from atomdb.org."
        )
    newest = max(pairs, key=lambda version: [int(n) for n in version.split(".") if n])
    return newest, pairs[newest]["line"], pairs[newest]["coco"]


def _opened(path: Path) -> fits.HDUList:
    try:
        return fits.open(path, memmap=False)
    except OSError as error:
        raise InputError(f"{path}: cannot be read as FITS ({error}). Get it again.") from error


def _scales(name: str) -> np.ndarray:
    """Ratio of a set's abundances to those in the files, by atomic number."""
    solar, wanted = abundances("ag89"), abundances(name)
    ratios = np.ones(max(atomic_masses()) + 1)
    if name != "ag89":
        for number in range(3, ratios.size):
            ratios[number] = wanted.get(number, 0.0) / solar.get(number, np.inf)
        ratios[_HELIUM] = wanted[_HELIUM] / solar[_HELIUM]
    return ratios


def _column(path: Path, hdu: Any, name: str) -> np.ndarray:
    try:
        return np.asarray(hdu.data[name])
    except (KeyError, TypeError, AttributeError, OSError) as error:
        raise InputError(
            f"{path}: must hold column {name} in extension '{hdu.name}'; it does not. "
            "Is it AtomDB's apec file for equilibrium plasma, and complete?"
        ) from error


def _temperatures(path: Path, hdus: fits.HDUList) -> np.ndarray:
    if len(hdus) < 2:
        raise InputError(f"{path}: must begin with a table PARAMETERS; it holds no table.")
    kt = _column(path, hdus[1], "kT").astype(float)
    if len(hdus) < kt.size + 2:
        raise InputError(
            f"{path}: must hold a table for each of {kt.size} temperatures; got {len(hdus) - 2}. "
            "The file is truncated; get it again."
        )
    if not (kt.size and (kt > 0).all() and (np.diff(kt) > 0).all()):
        raise InputError(f"{path}: column kT must be positive and ascending.")
    return kt


def _in_range(kt: np.ndarray, path: Path) -> np.ndarray:
    chosen = np.flatnonzero((kt >= _KT_RANGE_KEV[0]) & (kt <= _KT_RANGE_KEV[1]))
    if chosen.size < 2:
        raise InputError(
            f"{path}: must hold two temperatures or more in {_KT_RANGE_KEV[0]}-{_KT_RANGE_KEV[1]} "
            f"keV; got {chosen.size}."
        )
    return chosen


def _lines(path: Path, hdu: Any, kt: float, edges: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Broadened lines of one temperature: photons s^-1 cm^3 per bin, shape (2, n)."""
    element = _elements(path, _column(path, hdu, "Element"), scales)
    energy = _KEV_ANGSTROM / _column(path, hdu, "Lambda").astype(float)
    strength = _column(path, hdu, "Epsilon").astype(float) * scales[element]
    masses = np.array([atomic_masses().get(n, np.inf) for n in range(scales.size)])
    sigma = energy * np.sqrt(kt / (masses[element] * _MASS_UNIT_KEV))
    near = (energy + _SIGMAS * sigma > edges[0]) & (energy - _SIGMAS * sigma < edges[-1])
    metal = element > _HELIUM
    return np.array(
        [
            _broadened(energy[part], sigma[part], strength[part], edges)
            for part in (near & ~metal, near & metal)
        ]
    )


def _broadened(
    energy: np.ndarray, sigma: np.ndarray, strength: np.ndarray, edges: np.ndarray
) -> np.ndarray:
    """Sum of Gaussian lines in bins; the number of photons is kept."""
    bins = edges.size - 1
    total = np.zeros(bins)
    first = np.searchsorted(edges, energy - _SIGMAS * sigma, "right") - 1
    last = np.searchsorted(edges, energy + _SIGMAS * sigma, "right") - 1
    span = int((last - first).max()) + 1 if energy.size else 0
    root = np.sqrt(2.0) * np.maximum(sigma, 1e-300)
    for step in range(span):
        place = first + step
        valid = (place <= last) & (place >= 0) & (place < bins)
        at, e, s = place[valid], energy[valid], root[valid]
        share = 0.5 * (erf((edges[at + 1] - e) / s) - erf((edges[at] - e) / s))
        total += np.bincount(at, share * strength[valid], minlength=bins)
    return total


def _continua(path: Path, hdu: Any, edges: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Continuum and pseudo-continuum of one temperature, shape (2, n)."""
    ions = _column(path, hdu, "rmJ")
    rows = np.flatnonzero(ions == 0)
    if not rows.size:
        raise InputError(
            f"{path}: must hold rows of whole elements (rmJ 0) in extension '{hdu.name}'; it has "
            "none. Take AtomDB's equilibrium file, not the one for non-equilibrium."
        )
    element = _elements(path, _column(path, hdu, "Z"), scales)
    total = np.zeros((2, edges.size - 1))
    for kind, axis, count in (
        ("Continuum", "E_Cont", "N_Cont"),
        ("Pseudo", "E_Pseudo", "N_Pseudo"),
    ):
        values, energies = _column(path, hdu, kind), _column(path, hdu, axis)
        points = _column(path, hdu, count)
        for row in rows:
            n = int(points[row])
            if n < 2:
                continue
            binned = _integrated(
                energies[row][:n].astype(float), values[row][:n].astype(float), edges
            )
            total[int(element[row] > _HELIUM)] += scales[element[row]] * binned
    return total


def _integrated(energy: np.ndarray, density: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Exact integral over bins of a density that is linear between points and zero beyond them."""
    area = np.append(0.0, np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(energy)))
    inside = np.clip(edges, energy[0], energy[-1])
    at = np.clip(np.searchsorted(energy, inside, "right") - 1, 0, energy.size - 2)
    step = inside - energy[at]
    slope = (density[at + 1] - density[at]) / np.maximum(energy[at + 1] - energy[at], 1e-300)
    return np.diff(area[at] + step * (density[at] + 0.5 * slope * step))


def _elements(path: Path, numbers: np.ndarray, scales: np.ndarray) -> np.ndarray:
    element = numbers.astype(np.int64)
    if element.size and not (element.min() >= 1 and element.max() < scales.size):
        raise InputError(
            f"{path}: atomic numbers must lie in 1-{scales.size - 1}; got {element.min()} to "
            f"{element.max()}."
        )
    return element


def _subdivided(kt: np.ndarray, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes evenly spaced in ln kT between those given, and spectra linear in kT there."""
    count = (kt.size - 1) * _SUBDIVISIONS + 1
    nodes = np.exp(np.interp(np.arange(count) / _SUBDIVISIONS, np.arange(kt.size), np.log(kt)))
    nodes[::_SUBDIVISIONS] = kt
    low = np.clip(np.searchsorted(kt, nodes, "right") - 1, 0, kt.size - 2)
    share = ((nodes - kt[low]) / (kt[low + 1] - kt[low]))[:, None, None]
    return nodes, (1.0 - share) * parts[low] + share * parts[low + 1]
