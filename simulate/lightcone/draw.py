"""Draw the haloes of a part of the sky.

The sky is drawn in cells of 27 arcmin, each from a random stream of its own that depends on the
seed alone; a footprint keeps what lies in it. A larger footprint therefore contains the haloes of a
smaller one, with the same masses and causes. Other limits of mass or redshift, or other parameters,
give other haloes.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.footprints import Footprint
from icmass.simulate.lightcone.counts import count_grid
from icmass.simulate.lightcone.field import (
    FIELD_NSIDE,
    SHELL_WIDTH,
    clustering_bias,
    density_field,
    field_variance,
)
from icmass.simulate.lightcone.light_cone import LightCone, comoving_position
from icmass.simulate.lightcone.shell_table import ShellTable, shell_table
from icmass.simulate.population.haloes import Haloes, HaloParameters, haloes_of
from icmass.simulate.rng import stream
from icmass.simulate.skymaps import CELL_NSIDE, SKY_NSIDE, pixel_of, uniform_positions
from icmass.simulate.skymaps.pixels import pixel_area_deg2

__all__ = ["draw_light_cone", "shell_tables"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CHUNK = 4096  # cells drawn at a time
_PER_CELL = (FIELD_NSIDE // CELL_NSIDE) ** 2  # pixels of the field in a cell
_KEY_BITS = 20  # of a key for the haloes of one cell


def draw_light_cone(
    parameters: HaloParameters,
    footprint: Footprint,
    *,
    min_mass_msun: float = 10**13.3,
    redshift_range: tuple[float, float] = (0.05, 1.2),
    clustering: bool = True,
    seed: int,
) -> LightCone:
    """Draw the haloes of a footprint.

    Parameters
    ----------
    parameters : HaloParameters
        Cosmology, concentrations and causes. Limits of mass and redshift and the soft edge of the
        population's own sample do not enter.
    footprint : Footprint
    min_mass_msun : float
        Least M500c [Msun].
    redshift_range : (float, float)
        Least and greatest redshift.
    clustering : bool
        Whether haloes follow the matter of `icmass.simulate.lightcone.field`; else they lie at
        random.
    seed : int
        Of the light cone.

    Returns
    -------
    LightCone
        In the order of the NESTED pixels of `SKY_NSIDE`, by key within one.

    Raises
    ------
    InputError
        If the limits or the seed cannot be used.
    """
    tables = shell_tables(parameters, min_mass_msun, redshift_range, clustering=clustering)
    cells = np.asarray(footprint.cells(), dtype=np.int64)
    sky = _field_values(parameters, tables, cells, seed, clustering)
    drawn = []
    for start in range(0, max(len(cells), 1), _CHUNK):
        part = slice(start, start + _CHUNK)
        chunk = _draw_cells(tables, cells[part], sky[:, part], seed)
        inside = np.flatnonzero(footprint.contains(chunk.ra_deg, chunk.dec_deg))
        pixel = pixel_of(SKY_NSIDE, chunk.ra_deg[inside], chunk.dec_deg[inside])
        chosen = chunk.select(inside[np.argsort(pixel, kind="stable")])
        drawn.append(_light_cone(parameters, tables, chosen))
    return _joined(drawn)


def shell_tables(
    parameters: HaloParameters,
    min_mass_msun: float,
    redshift_range: tuple[float, float],
    *,
    clustering: bool = True,
) -> list[ShellTable]:
    """Tabulate the shells of a range of redshifts, ascending; the first and last may be cut.

    Parameters
    ----------
    parameters : HaloParameters
        Of which the cosmology is used.
    min_mass_msun : float
        Least M500c.
    redshift_range : (float, float)
        Least and greatest redshift.
    clustering : bool
        Whether haloes follow the matter; else all shells are as dense everywhere.

    Returns
    -------
    list of ShellTable

    Raises
    ------
    InputError
        If the limits cannot be used.
    """
    grid = count_grid(parameters, min_mass_msun, redshift_range)
    shell_of = np.floor(grid.redshift / SHELL_WIDTH).astype(np.int64)
    tables = []
    for shell in np.unique(shell_of).tolist():
        at = np.flatnonzero(shell_of == shell)
        rows = slice(int(at[0]), int(at[-1]) + 1)
        bias, variance = None, 0.0
        if clustering:
            middle = float(grid.redshift[rows].mean())
            bias = clustering_bias(parameters, grid.log10_mass, shell, middle)
            variance = field_variance(parameters, shell)
        tables.append(shell_table(shell, grid, rows, bias, variance))
    return tables


def _field_values(
    parameters: HaloParameters,
    tables: list[ShellTable],
    cells: Ints,
    seed: int,
    clustering: bool,
) -> NDArray[np.float32]:
    """Field of each shell in the pixels of each cell, shape (shells, cells, _PER_CELL)."""
    sky = np.zeros((len(tables), len(cells), _PER_CELL), dtype=np.float32)
    if clustering and len(cells):
        pixel = _PER_CELL * cells[:, None] + np.arange(_PER_CELL)
        for values, table in zip(sky, tables, strict=True):
            values[:] = density_field(parameters, table.shell, seed, pixel)
    return sky


@dataclass(frozen=True)
class _Drawn:
    """Haloes before their masses are known, one row each."""

    shell: Ints  # place among the tables
    field: Floats
    uniform: Floats  # (n, 3)
    normal: Floats  # (n, 6)
    ra_deg: Floats
    dec_deg: Floats
    key: Ints

    def select(self, rows: Ints) -> "_Drawn":
        return _Drawn(*(getattr(self, field.name)[rows] for field in fields(self)))


def _draw_cells(
    tables: list[ShellTable], cells: Ints, sky: NDArray[np.float32], seed: int
) -> _Drawn:
    """Draw how many haloes each pixel of some cells holds in each shell, and all their numbers."""
    area = pixel_area_deg2(FIELD_NSIDE)
    expected = np.stack([area * t.expected_per_deg2(f) for t, f in zip(tables, sky, strict=True)])
    parts = [
        _draw_cell(int(cell), expected[:, place], sky[:, place], seed)
        for place, cell in enumerate(cells)
    ]
    if not parts:
        none = np.zeros(0)
        whole = np.zeros(0, dtype=np.int64)
        return _Drawn(whole, none, np.zeros((0, 3)), np.zeros((0, 6)), none, none, whole)
    return _Drawn(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def _draw_cell(
    cell: int, expected: Floats, field: NDArray[np.float32], seed: int
) -> tuple[Ints, Floats, Floats, Floats, Floats, Floats, Ints]:
    """Draw the fields of `_Drawn` for one cell; `expected` and `field` by shell and pixel."""
    rng = np.random.default_rng(stream(seed, "lightcone", "cell", cell))
    counts = rng.poisson(expected).ravel()
    place = np.repeat(np.arange(counts.size), counts)
    shell, pixel = np.divmod(place, _PER_CELL)
    uniform = rng.random((len(place), 3))
    normal = rng.standard_normal((len(place), 6))
    ra_deg, dec_deg = uniform_positions(FIELD_NSIDE, _PER_CELL * cell + pixel, rng)
    key = ((cell + 1) << _KEY_BITS) + np.arange(1, len(place) + 1)
    return shell, field.ravel()[place].astype(float), uniform, normal, ra_deg, dec_deg, key


def _light_cone(parameters: HaloParameters, tables: list[ShellTable], drawn: _Drawn) -> LightCone:
    """Turn random numbers into haloes."""
    log10_mass = np.empty(len(drawn.shell))
    least, greatest = np.empty_like(log10_mass), np.empty_like(log10_mass)
    for number, table in enumerate(tables):
        here = np.flatnonzero(drawn.shell == number)
        chosen = table.choose(drawn.field[here], drawn.uniform[here, :2])
        log10_mass[here] = chosen.log10_mass
        least[here] = table.redshift_edges[chosen.redshift_bin]
        greatest[here] = table.redshift_edges[chosen.redshift_bin + 1]
    redshift = _uniform_in_volume(parameters, tables, least, greatest, drawn.uniform[:, 2])
    haloes = haloes_of(
        parameters,
        10.0**log10_mass,
        redshift,
        drawn.normal,
        snapshot_id=np.zeros(len(redshift), dtype=np.int64),
        halo_id=np.zeros(len(redshift), dtype=np.int64),
        box_position_mpc=comoving_position(parameters, drawn.ra_deg, drawn.dec_deg, redshift),
    )
    return LightCone(haloes, drawn.ra_deg, drawn.dec_deg, drawn.key)


def _uniform_in_volume(
    parameters: HaloParameters,
    tables: list[ShellTable],
    least: Floats,
    greatest: Floats,
    place: Floats,
) -> Floats:
    """Redshifts between two limits each, uniform in comoving volume."""
    ends = tables[0].redshift_edges[0], tables[-1].redshift_edges[-1]
    grid = np.linspace(*ends, 4001)
    volume = parameters.cosmology().comoving_volume(grid).to_value("Gpc3")
    low, high = (np.interp(edge, grid, volume) for edge in (least, greatest))
    redshift = np.interp(low + place * (high - low), volume, grid)
    return np.clip(redshift, least, greatest)


def _joined(drawn: list[LightCone]) -> LightCone:
    """Join chunks and number the haloes from 1; a chunk gives up each column as it is copied."""
    columns: dict[str, Any] = {}
    chunks = [{f.name: getattr(part.haloes, f.name) for f in fields(Haloes)} for part in drawn]
    for chunk, part in zip(chunks, drawn, strict=True):
        chunk |= {"ra_deg": part.ra_deg, "dec_deg": part.dec_deg, "key": part.key}
    drawn.clear()
    for name in list(chunks[0]):
        columns[name] = np.concatenate([chunk.pop(name) for chunk in chunks])
    columns["halo_id"] = np.arange(1, len(columns["key"]) + 1)
    own = {name: columns.pop(name) for name in ("ra_deg", "dec_deg", "key")}
    return LightCone(Haloes(**columns), **own)
