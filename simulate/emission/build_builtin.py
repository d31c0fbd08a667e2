"""Build the shipped plasma table from nnapec (shapes of hot gas) and hod-mod (true band integrals).

Every temperature node is made in four steps (docs/plasma-table.md gives reasons and residuals):

1. the part without metals is free-free and recombination theory for hydrogen and helium;
2. the part linear in metallicity is the emulator's slope in metallicity above kT 1.5 keV, the
   coronal model of `cool_gas` below 1.15 keV, and a mixture between;
3. both are scaled to the band integrals between 0.5 and 2 keV;
4. bins are merged where eROSITA has no use for fine ones.

Emissivities inside are photons s^-1 cm^3 per bin and n_e n_H.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from icmass.simulate.constants import ERG_PER_KEV
from icmass.simulate.emission.abundances import HELIUM_ABUNDANCE, abundances
from icmass.simulate.emission.cool_gas import (
    iron_shares,
    k_shell_lines,
    metal_continuum,
    metal_lines,
)
from icmass.simulate.emission.free_free import free_bound, free_free
from icmass.simulate.emission.residuals import builtin_residuals
from icmass.simulate.emission.sources import BandTables, Emulator
from icmass.simulate.emission.table import SpectralTable

__all__ = ["build_builtin"]

# The emulator's metallicities: it is unusable near zero and a straight line through these is not.
_EMULATED_Z = np.array([0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0])
_COOL_KEV, _HOT_KEV = 1.15, 1.5  # the coronal model below, the emulator above
_FOREST_KEV, _FOREST_BELOW_KEV = 1.25, 0.5
_IRON_L_KEV, _NEON_LIKE_IRON = (0.06, 0.14), 16  # 2s-2p transitions of Fe XVIII to Fe XXIII
# Of the band tables' temperatures: 0.091-32.8 keV, and steps into which each of theirs is divided.
_FIRST_NODE, _LAST_NODE, _SUBDIVISIONS = 4, 43, 3
_FINE_KEV, _MERGED = (0.1, 16.0), 10
_HIGHEST_KEV, _EMULATED_TO_KEV = 100.0, 30.0
_SODIUM, _SODIUM_BAND = 11, 3
_LEAST_LINE_SHARE = 0.1  # of a band's metal emission, where the model's continuum exceeds the band


@dataclass(frozen=True)
class _Grid:
    """The emulator's logarithmic energy grid, continued to 100 keV."""

    energy: np.ndarray
    edges: np.ndarray

    @classmethod
    def of(cls, emulator: Emulator) -> "_Grid":
        step = np.log(emulator.energy_kev[1] / emulator.energy_kev[0])
        bins = int(np.ceil(np.log(_HIGHEST_KEV / emulator.energy_kev[0]) / step + 0.5))
        index = np.arange(bins + 1) - 0.5
        edges = emulator.energy_kev[0] * np.exp(step * index)
        return cls(np.sqrt(edges[1:] * edges[:-1]), edges)

    @property
    def width(self) -> np.ndarray:
        return np.diff(self.edges)

    def place(self, energies: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Put lines into their bins."""
        bins = np.searchsorted(self.edges, energies, "right") - 1
        return np.bincount(bins, values, minlength=self.energy.size)[: self.energy.size]

    def weights(self, lo: float, hi: float) -> np.ndarray:
        """Erg per photon of each bin, times the share of the bin inside a band."""
        low, high = np.clip(self.edges[:-1], lo, hi), np.clip(self.edges[1:], lo, hi)
        return (high - low) / self.width * 0.5 * (low + high) * ERG_PER_KEV


def build_builtin() -> SpectralTable:
    """Build the table; it takes some ten seconds.

    Returns
    -------
    SpectralTable
        Its ``meta["residuals"]`` says how well it agrees with what it was made from.

    Raises
    ------
    MissingDependencyError
        If nnapec or hod-mod is not installed.
    """
    emulator, bands = Emulator.load(), BandTables.load()
    grid = _Grid.of(emulator)
    kt, base_targets, metal_targets = _targets(bands)
    weights = np.array([grid.weights(lo, hi) for lo, hi in bands.edges_kev])
    centres = np.sqrt(bands.edges_kev.prod(axis=1))
    forest = _forest(emulator, grid)
    base, metal = [], []
    for node, base_target, metal_target in zip(kt, base_targets.T, metal_targets.T, strict=True):
        plain = _without_metals(node, grid)
        sodium = grid.place(*_sodium_lines(node, bands.edges_kev[_SODIUM_BAND]))
        metals = np.zeros_like(plain)
        hot = np.clip(np.log(node / _COOL_KEV) / np.log(_HOT_KEV / _COOL_KEV), 0.0, 1.0)
        if hot > 0:
            emulated = _emulated_metals(emulator, grid, node, plain)
            metals += hot * emulated * _correction(grid, emulated, weights, centres, metal_target)
        if hot < 1:
            metals += (1 - hot) * _cool_metals(grid, node, forest, weights, metal_target)
        base.append(_fitted_base(grid, plain, sodium, weights, centres, base_target))
        metal.append(metals)
    groups = _groups(grid)
    merged = [np.add.reduceat(np.array(part), groups[:-1], axis=1) for part in (base, metal)]
    edges = np.append(grid.edges[groups[:-1]], grid.edges[-1])
    table = SpectralTable(edges, kt, merged[0], merged[1])
    return replace(table, meta=_meta(table, emulator, bands))


def _meta(table: SpectralTable, emulator: Emulator, bands: BandTables) -> dict[str, Any]:
    return {
        "source": "builtin",
        "made_from": {
            "nnapec": "0.1.1: emulator of APEC, AtomDB 3.0.9",
            "hod-mod": "0.2.3: band integrals of APEC, AtomDB 3.1.3",
        },
        "abundances": "ag89",
        "base": "hydrogen, helium and the trace elements, which APEC keeps at solar abundance",
        "residuals": builtin_residuals(table, emulator, bands),
    }


def _targets(bands: BandTables) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Temperature nodes, and both parts of each band there: splines through the tables."""
    log_kt = np.log(bands.kt_kev)
    count = (_LAST_NODE - _FIRST_NODE) * _SUBDIVISIONS + 1
    nodes = np.linspace(log_kt[_FIRST_NODE], log_kt[_LAST_NODE], count)
    base, metal = (
        np.exp(CubicSpline(log_kt, np.log(part), axis=1)(nodes)) for part in bands.parts()
    )
    return np.exp(nodes), base, metal


def _without_metals(kt: float, grid: _Grid) -> np.ndarray:
    """Free-free and recombination continuum of hydrogen and helium."""
    density = np.zeros_like(grid.energy)
    for charge, number in ((1.0, 1.0), (2.0, HELIUM_ABUNDANCE)):
        density += number * free_free(kt, charge, grid.energy)
        density += number * free_bound(kt, grid.energy, charge)
    return density * grid.width


def _sodium_lines(kt: float, band: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lines = np.array(k_shell_lines(_SODIUM, kt))
    inside = (lines[:, 0] > band[0]) & (lines[:, 0] < band[1])
    return lines[inside, 0], lines[inside, 1] * abundances()[_SODIUM]


def _emulated_metals(emulator: Emulator, grid: _Grid, kt: float, plain: np.ndarray) -> np.ndarray:
    """Slope of the emulator in metallicity, rescaled by its error at zero metallicity."""
    design = np.stack([np.ones_like(_EMULATED_Z), _EMULATED_Z], axis=1)
    intercept, slope = np.linalg.lstsq(design, emulator(_EMULATED_Z, kt))[0]
    count = intercept.size
    ratio = intercept * grid.width[:count] / np.maximum(plain[:count], 1e-300)
    smooth = (grid.energy[:count] > 0.1) & (grid.energy[:count] < min(3.0 * kt, 10.0))
    excess = np.median(ratio[smooth])
    continuum = metal_continuum(kt, grid.energy) * grid.width
    metals = np.zeros_like(plain)
    metals[:count] = np.maximum(slope * grid.width[:count] / excess, 0.5 * continuum[:count])
    above = grid.energy > _EMULATED_TO_KEV
    match = (grid.energy > 0.5 * _EMULATED_TO_KEV) & ~above
    metals[above] = continuum[above] * metals[match].sum() / continuum[match].sum()
    return metals


def _forest(emulator: Emulator, grid: _Grid) -> np.ndarray:
    """Lines below 0.5 keV that the coronal model lacks, from the emulator's coolest good kT."""
    plain = _without_metals(_FOREST_KEV, grid)
    emulated = _emulated_metals(emulator, grid, _FOREST_KEV, plain)
    modelled = metal_continuum(_FOREST_KEV, grid.energy) * grid.width
    modelled += grid.place(*metal_lines(_FOREST_KEV))
    forest = np.maximum(emulated - modelled, 0.0)
    return np.where(grid.energy < _FOREST_BELOW_KEV, forest, 0.0)


def _forest_growth(energy: np.ndarray, kt: float) -> np.ndarray:
    """Assumed change of the forest from its reference temperature to `kt`.

    Excitation, and more L-shell ions of silicon and sulphur the cooler the gas; the lines within
    iron's L shell go with its open-shell ions instead.
    """
    growth = np.exp(energy * (1.0 / _FOREST_KEV - 1.0 / kt)) * (_FOREST_KEV / kt) ** 1.5
    open_shell, reference = (
        sum(share for charge, share in iron_shares(t).items() if charge > _NEON_LIKE_IRON)
        for t in (kt, _FOREST_KEV)
    )
    within_l = (energy > _IRON_L_KEV[0]) & (energy < _IRON_L_KEV[1])
    return np.where(within_l, growth * open_shell / reference, growth)


def _cool_metals(
    grid: _Grid, kt: float, forest: np.ndarray, weights: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """Coronal model whose lines are scaled, band by band, to the band integrals."""
    continuum = metal_continuum(kt, grid.energy) * grid.width
    lines = grid.place(*metal_lines(kt))
    lines += forest * _forest_growth(grid.energy, kt)
    parts = [(weight > 0, weight @ continuum, weight @ lines) for weight in weights]
    line_scale, continuum_scale = np.ones_like(lines), np.ones_like(lines)
    for (inside, smooth, narrow), wanted in zip(parts, target, strict=True):
        shrunk = min(1.0, (1.0 - _LEAST_LINE_SHARE) * wanted / smooth)
        continuum_scale[inside] = shrunk
        line_scale[inside] = (wanted - shrunk * smooth) / narrow
    metals = continuum * continuum_scale + lines * line_scale
    return metals * _steps(grid, metals, weights, target)


def _fitted_base(
    grid: _Grid,
    plain: np.ndarray,
    sodium: np.ndarray,
    weights: np.ndarray,
    centres: np.ndarray,
    target: np.ndarray,
) -> np.ndarray:
    """Scale the continuum to the bands; what is left in 1.1-1.3 keV are lines of sodium."""
    others = np.arange(len(target)) != _SODIUM_BAND
    fitted = plain * _correction(grid, plain, weights[others], centres[others], target[others])
    weight = weights[_SODIUM_BAND]
    missing = target[_SODIUM_BAND] - weight @ fitted
    if missing > 0:
        fitted = fitted + sodium * missing / (weight @ sodium)
    return fitted * _steps(grid, fitted, weights, target)


def _correction(
    grid: _Grid, spectrum: np.ndarray, weights: np.ndarray, centres: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """Factor, piecewise linear in ln E and constant beyond, that gives every band its integral."""
    log_energy, log_centres = np.log(grid.energy), np.log(centres)
    hats = np.array([np.interp(log_energy, log_centres, row) for row in np.eye(len(centres))])
    matrix = (weights * spectrum) @ hats.T
    return np.linalg.solve(matrix, target) @ hats


def _steps(
    grid: _Grid, spectrum: np.ndarray, weights: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """Factor, constant inside each band, for what bins that lie across two bands still leave."""
    factor = np.ones_like(grid.energy)
    for weight, wanted in zip(weights, target, strict=True):
        inside = weight > 0
        factor[inside] = wanted / (weight @ spectrum)
    return factor


def _groups(grid: _Grid) -> np.ndarray:
    """First bin of each merged bin, and the number of bins: fine between 0.1 and 16 keV."""
    first, last = np.searchsorted(grid.edges, _FINE_KEV)
    below, above = np.arange(0, first, _MERGED), np.arange(last, grid.energy.size, _MERGED)
    return np.concatenate([below, np.arange(first, last), above, [grid.energy.size]])
