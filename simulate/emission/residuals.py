"""How well a built table agrees with the band tables, with theory and with its emulator.

All numbers are relative differences, table / reference - 1, unless said otherwise.
"""

from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from icmass.simulate.constants import ERG_PER_KEV
from icmass.simulate.emission.abundances import HELIUM_ABUNDANCE
from icmass.simulate.emission.cool_gas import metal_continuum
from icmass.simulate.emission.free_free import free_bound, free_free
from icmass.simulate.emission.sources import BandTables, Emulator
from icmass.simulate.emission.table import SpectralTable

__all__ = ["band_residuals", "builtin_residuals"]

_KT_RANGE_KEV, _Z_RANGE = (0.3, 20.0), (0.1, 1.0)
# Windows above 5 keV between the lines of Fe and Ni at 6.4-8.3 keV and Fe's edges at 8.8-9.3.
_LINE_FREE_KEV = ((5.0, 6.2), (7.2, 7.6), (10.0, 12.0))
_THEORY_KT_KEV = (1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)


def builtin_residuals(
    table: SpectralTable, emulator: Emulator, bands: BandTables
) -> dict[str, Any]:
    """Collect all residuals in a form that JSON can hold.

    Parameters
    ----------
    table : SpectralTable
        That was built.
    emulator : Emulator
        That it was built from, compared with the band tables as it comes.
    bands : BandTables
        The truth in 0.5-2 keV.

    Returns
    -------
    dict
        ``bands``, ``left_out_nodes``, ``between_nodes``, ``emulator_alone``, ``above_5_kev`` and
        the ranges of kT and metallicity in which they are taken.
    """
    return {
        "kt_range_kev": list(_KT_RANGE_KEV),
        "metallicity_range": list(_Z_RANGE),
        "bands": band_residuals(table, bands),
        "band_tables_nonlinear_in_z": bands.linearity(),
        "left_out_nodes": _left_out(bands),
        "between_nodes": _between_nodes(table),
        "emulator_alone": _emulator_alone(emulator, bands),
        "above_5_kev": _above_5_kev(table),
    }


def band_residuals(table: SpectralTable, bands: BandTables) -> list[dict[str, float]]:
    """Maximum and rms of `table` over `bands`, less one, band by band.

    Over the band tables' nodes in kT 0.3-20 keV and Z 0.1-1.
    """
    kt, metals = _selected(bands)
    rows = []
    for edges, energy in zip(bands.edges_kev, bands.energy, strict=True):
        truth = energy[np.ix_(kt, metals)]
        ours = table.luminosity(bands.kt_kev[kt, None], bands.metallicity[metals], *edges)
        rows.append({"lo_kev": edges[0], "hi_kev": edges[1]} | _spread(ours / truth - 1.0))
    return rows


def _selected(bands: BandTables) -> tuple[np.ndarray, np.ndarray]:
    kt, metals = bands.kt_kev, bands.metallicity
    inside = (kt >= _KT_RANGE_KEV[0]) & (kt <= _KT_RANGE_KEV[1])
    # The grid's nodes nearest to the ends of the range, 0.099 and 1.08 solar, count as inside.
    metal = (metals >= 0.99 * _Z_RANGE[0]) & (metals <= 1.1 * _Z_RANGE[1])
    return np.flatnonzero(inside), np.flatnonzero(metal)


def _left_out(bands: BandTables) -> dict[str, float]:
    """Error of interpolating the band tables in kT: every second node predicts those left out."""
    log_kt = np.log(bands.kt_kev)
    kt, metals = _selected(bands)
    odd = kt[kt % 2 == 1]
    parts = [
        np.exp(CubicSpline(log_kt[::2], np.log(part[:, ::2]), axis=1)(log_kt[odd]))
        for part in bands.parts()
    ]
    guess = parts[0][..., None] + parts[1][..., None] * bands.metallicity[metals]
    return _spread(guess / bands.energy[:, odd][:, :, metals] - 1.0)


def _between_nodes(table: SpectralTable) -> list[dict[str, float]]:
    """Error of the linear mixture half way between nodes, estimated from every second node."""
    rows = []
    wide = (table.kt_kev[1:-1] >= _KT_RANGE_KEV[0]) & (table.kt_kev[1:-1] <= _KT_RANGE_KEV[1])
    for lo, hi in ((0.2, 0.6), (0.5, 1.2), (1.2, 2.0), (2.0, 7.0)):
        energy = table.luminosity(table.kt_kev, np.array(0.3), lo, hi)
        middle = 0.5 * (energy[2:] + energy[:-2]) / energy[1:-1] - 1.0
        # The error of a mixture grows with the square of the distance between its nodes.
        rows.append({"lo_kev": lo, "hi_kev": hi} | _spread(middle[wide] / 4.0))
    return rows


def _emulator_alone(emulator: Emulator, bands: BandTables) -> list[dict[str, float]]:
    """Emulator as it comes / band tables, 0.5-2 keV at Z about 0.3: why it is corrected."""
    rows = []
    z = int(np.argmin(np.abs(bands.metallicity - 0.3)))
    width = np.gradient(emulator.energy_kev)
    inside = (emulator.energy_kev >= 0.5) & (emulator.energy_kev < 2.0)
    per_photon = (width * emulator.energy_kev)[inside] * ERG_PER_KEV
    for wanted in (0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 5.0, 10.0, 20.0):
        k = int(np.argmin(np.abs(np.log(bands.kt_kev / wanted))))
        spectrum = emulator(bands.metallicity[z : z + 1], bands.kt_kev[k])[0][inside]
        ratio = float(spectrum @ per_photon / bands.energy[:, k, z].sum())
        rows.append({"kt_kev": float(bands.kt_kev[k]), "ratio": ratio})
    return rows


def _above_5_kev(table: SpectralTable) -> list[dict[str, float]]:
    """Line-free windows above 5 keV at Z 0.3 against free-free plus recombination theory."""
    rows = []
    for kt in _THEORY_KT_KEV:
        row = {"kt_kev": kt}
        for lo, hi in _LINE_FREE_KEV:
            edges = np.linspace(lo, hi, 201)
            energy = 0.5 * (edges[1:] + edges[:-1])
            density = 0.3 * metal_continuum(kt, energy)
            for charge, number in ((1.0, 1.0), (2.0, HELIUM_ABUNDANCE)):
                density += number * free_free(kt, charge, energy)
                density += number * free_bound(kt, energy, charge)
            theory = density.sum() * (hi - lo) / energy.size
            ours = table.spectrum(np.array([lo, hi]), kt, 0.3)[0]
            row[f"{lo:g}-{hi:g}"] = float(ours / theory - 1.0)
        rows.append(row)
    return rows


def _spread(values: np.ndarray) -> dict[str, float]:
    return {"max": float(np.abs(values).max()), "rms": float(np.sqrt((values**2).mean()))}
