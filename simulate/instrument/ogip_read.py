"""Read effective areas (ARF) and redistribution matrices (RMF) in the OGIP format.

Formats: OGIP memo CAL/GEN/92-002 and 92-002a. Energies come out in keV, areas in cm^2. What would
shift or scale a spectrum without notice (units, channel origin, gaps, a second copy of the area) is
an error that names the file.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from icmass.errors import InputError, InputWarning
from icmass.simulate.fits_opening import open_whole_fits
from icmass.simulate.instrument.redistribution import Redistribution, require_ascending

__all__ = ["Arf", "Rmf", "read_arf", "read_rmf", "require_same_grid"]

_AREA_UNITS = {"cm**2", "cm^2", "cm2"}
# Energies are float32 in files: neighbours agree to this relative precision.
_EDGE_TOLERANCE = 1e-5
# A redistribution matrix sums to at most one per row; a matrix with the area in it far exceeds it.
_FULL_ROW_SUM = 1.01


@dataclass(frozen=True, eq=False)
class Arf:
    """Effective area: edges (n_e + 1,) keV, area (n_e,) cm^2, and where it came from."""

    energy_edges_kev: np.ndarray
    area_cm2: np.ndarray
    path: Path

    @property
    def energy_kev(self) -> np.ndarray:
        """Middle of each energy bin, (n_e,) keV."""
        return 0.5 * (self.energy_edges_kev[1:] + self.energy_edges_kev[:-1])


@dataclass(frozen=True, eq=False)
class Rmf:
    """Redistribution; `area_cm2` (n_e,) where the file holds the area too (RSP), else None."""

    redistribution: Redistribution
    area_cm2: np.ndarray | None
    path: Path


def read_arf(path: str | Path) -> Arf:
    """Read an ancillary response file.

    Parameters
    ----------
    path : str or Path
        FITS file, gzip allowed, with an extension SPECRESP.

    Returns
    -------
    Arf

    Raises
    ------
    InputError
        If the file cannot be read, a column or unit is not as OGIP has it, energies do not ascend
        or are not contiguous, or areas are negative or not finite.
    """
    path = Path(path)
    with open_whole_fits(path, mapped=False) as file:
        table = _extension(file, path, ("SPECRESP",))
        edges = _edges(table, path, "ENERG_LO", "ENERG_HI")
        area = _column(table, path, "SPECRESP").astype(np.float64)
        unit = _unit(table, "SPECRESP")
    if unit.replace(" ", "") not in _AREA_UNITS:
        raise InputError(f"{path}: SPECRESP must be in cm**2; got unit '{unit}'. Convert the file.")
    if area.shape != (edges.size - 1,) or not np.all(np.isfinite(area) & (area >= 0.0)):
        raise InputError(
            f"{path}: SPECRESP must be one finite area >= 0 per row; got shape {area.shape} with "
            f"{int(np.sum(~(np.isfinite(area) & (area >= 0.0))))} bad values."
        )
    if not area.any():
        raise InputError(f"{path}: SPECRESP must be above 0 somewhere; got 0 everywhere.")
    return Arf(edges, area, path)


def read_rmf(path: str | Path) -> Rmf:
    """Read a redistribution matrix file, or a combined response (RSP).

    Parameters
    ----------
    path : str or Path
        FITS file, gzip allowed, with extensions MATRIX (or SPECRESP MATRIX) and EBOUNDS.

    Returns
    -------
    Rmf
        For a combined response the row sums have become its area, and the rows sum to one.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a table or column, is not in keV, has energies or
        channels that do not ascend without gaps, disagrees with itself on the first channel, or
        holds rows that lie outside the channels or are not finite.
    """
    path = Path(path)
    with open_whole_fits(path, mapped=False) as file:
        bounds = _extension(file, path, ("EBOUNDS",))
        channel_edges = _edges(bounds, path, "E_MIN", "E_MAX")
        first_channel = _first_channel(bounds, path)
        table = _extension(file, path, ("MATRIX", "SPECRESP MATRIX"))
        energy_edges = _edges(table, path, "ENERG_LO", "ENERG_HI")
        _check_origin(table, path, first_channel)
        rows = _rows(table, path, first_channel, channel_edges.size - 1)
        kind = str(table.header.get("HDUCLAS3", "")).strip().upper()
    sums = np.array([row.sum(dtype=np.float64) for _, row in rows])
    if not sums.any():
        raise InputError(f"{path}: MATRIX must be above 0 somewhere; got 0 everywhere.")
    area = None
    if kind == "FULL" or (kind == "" and sums.max() > _FULL_ROW_SUM):
        area = sums
        rows = [
            (k, row / np.float32(s if s > 0 else 1)) for (k, row), s in zip(rows, sums, strict=True)
        ]
    length = np.array([row.size for _, row in rows])
    try:
        redistribution = Redistribution(
            energy_edges_kev=energy_edges,
            channel_edges_kev=channel_edges,
            first_channel=first_channel,
            row_start=np.concatenate(([0], np.cumsum(length))).astype(np.int64),
            row_channel=np.array([k for k, _ in rows], dtype=np.int32),
            probability=np.concatenate([row for _, row in rows]),
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return Rmf(redistribution, area, path)


def require_same_grid(arf: Arf, rmf: Rmf) -> None:
    """Raise InputError, naming both files, unless `arf` and `rmf` share their energy bins."""
    a, b = arf.energy_edges_kev, rmf.redistribution.energy_edges_kev
    if a.size == b.size and np.allclose(a, b, rtol=1e-4, atol=0.0):
        return
    raise InputError(
        f"{arf.path} and {rmf.path}: must have the same energy bins; got {a.size - 1} bins over "
        f"{a[0]:.5g}-{a[-1]:.5g} keV and {b.size - 1} over {b[0]:.5g}-{b[-1]:.5g} keV. "
        "Give an ARF and an RMF that belong together."
    )


def _extension(file: Any, path: Path, names: tuple[str, ...]) -> Any:
    found = [hdu for hdu in file[1:] if hdu.name.upper() in names]
    if len(found) == 1:
        return found[0]
    all_names = ", ".join(hdu.name or "unnamed" for hdu in file[1:]) or "none"
    raise InputError(
        f"{path}: must have exactly one extension {' or '.join(names)}; got {all_names}. "
        "Are ARF and RMF swapped?"
    )


def _column(table: Any, path: Path, name: str) -> np.ndarray:
    if name not in table.columns.names:
        raise InputError(
            f"{path}: {table.name} must have a column {name}; got {', '.join(table.columns.names)}."
        )
    return table.data[name]


def _unit(table: Any, name: str) -> str:
    return str(table.columns[name].unit or "").strip()


def _edges(table: Any, path: Path, low_name: str, high_name: str) -> np.ndarray:
    low = _column(table, path, low_name).astype(np.float64)
    high = _column(table, path, high_name).astype(np.float64)
    for name in (low_name, high_name):
        if _unit(table, name).lower() != "kev":
            raise InputError(
                f"{path}: {name} must be in keV; got unit '{_unit(table, name)}'. Convert the file."
            )
    if low.size == 0:
        raise InputError(f"{path}: {table.name} must have rows; got none.")
    if low[0] == 0.0 and low_name == "ENERG_LO":
        low[0] = 1e-3 * high[0]
        warnings.warn(
            f"{path}: the first energy bin starts at 0 keV; taken as {low[0]:.3g} keV.",
            InputWarning,
            stacklevel=3,
        )
    edges = np.append(low, high[-1])
    require_ascending(edges, f"{path}: {low_name}")
    gap = ~np.isclose(low[1:], high[:-1], rtol=_EDGE_TOLERANCE, atol=0.0)
    if np.any(gap):
        row = int(np.argmax(gap))
        raise InputError(
            f"{path}: {low_name}/{high_name} must be contiguous; got a bin that ends at "
            f"{high[row]:.6g} keV and one that starts at {low[row + 1]:.6g} keV (row {row})."
        )
    return edges


def _first_channel(bounds: Any, path: Path) -> int:
    channel = _column(bounds, path, "CHANNEL").astype(np.int64)
    if not np.all(np.diff(channel) == 1):
        raise InputError(f"{path}: EBOUNDS CHANNEL must count up by one; got other steps.")
    return int(channel[0])


def _check_origin(table: Any, path: Path, first_channel: int) -> None:
    index = table.columns.names.index("F_CHAN") + 1 if "F_CHAN" in table.columns.names else 0
    origin = table.header.get(f"TLMIN{index}")
    if origin is not None and int(origin) != first_channel:
        raise InputError(
            f"{path}: the first channel must be one number; got {int(origin)} in TLMIN{index} of "
            f"{table.name} and {first_channel} in EBOUNDS. Correct the keyword."
        )


def _rows(
    table: Any, path: Path, first_channel: int, n_channel: int
) -> list[tuple[int, np.ndarray]]:
    """Return (channel index, contiguous float32 probabilities) of each row; gaps become zeros."""
    n_group = _column(table, path, "N_GRP").astype(np.int64)
    first = _column(table, path, "F_CHAN")
    count = _column(table, path, "N_CHAN")
    matrix = _column(table, path, "MATRIX")
    rows = []
    for i in range(n_group.size):
        f = np.atleast_1d(first[i])[: n_group[i]].astype(np.int64) - first_channel
        n = np.atleast_1d(count[i])[: n_group[i]].astype(np.int64)
        f, n = f[n > 0], n[n > 0]
        values = np.atleast_1d(matrix[i])[: n.sum()].astype(np.float32)
        if f.size == 0:
            rows.append((0, np.zeros(0, np.float32)))
            continue
        if values.size < n.sum() or f.min() < 0 or np.max(f + n) > n_channel:
            raise InputError(
                f"{path}: MATRIX rows must lie within the {n_channel} channels from "
                f"{first_channel} on; got row {i} with channels {f.min() + first_channel} to "
                f"{np.max(f + n) - 1 + first_channel} and {values.size} values for {n.sum()}."
            )
        start = int(f.min())
        row = np.zeros(int(np.max(f + n)) - start, np.float32)
        position = np.concatenate([np.arange(a, a + b) for a, b in zip(f - start, n, strict=True)])
        row[position] = values
        rows.append((start, row))
    return rows
