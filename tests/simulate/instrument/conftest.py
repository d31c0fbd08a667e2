"""Small telescopes with nothing symmetric, and OGIP files in the many forms that exist."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from icmass.simulate.instrument import Instrument, Redistribution


@pytest.fixture(scope="session")
def erosita() -> Instrument:
    return Instrument.load("erosita")


@pytest.fixture(scope="session")
def real_erosita(shared_dir: Path) -> Instrument:
    folder = shared_dir / "data" / "erosita"
    return Instrument.from_ogip(
        arf=folder / "onaxis_tm0_arf_filter_2023-01-17.fits.gz",
        rmf=folder / "onaxis_tm0_rmf_2023-01-17.fits.gz",
    )


@pytest.fixture
def lopsided() -> Redistribution:
    """Three energy bins of unequal width, four channels; row 1 is empty, row 2 sums to 0.9."""
    return Redistribution(
        energy_edges_kev=np.array([0.5, 1.0, 2.0, 4.0]),
        channel_edges_kev=np.array([0.4, 0.9, 1.9, 3.9, 5.0]),
        first_channel=3,
        row_start=np.array([0, 3, 3, 5]),
        row_channel=np.array([0, 0, 2], dtype=np.int32),
        probability=np.array([0.5, 0.25, 0.25, 0.7, 0.2], dtype=np.float32),
    )


class OgipFiles:
    """Writes small response files; keywords change one thing at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def arf(
        self,
        name: str = "a.arf",
        *,
        edges: Any = (0.5, 1.0, 2.0, 4.0),
        area: Any = (10.0, 30.0, 20.0),
        energy_unit: str = "keV",
        area_unit: str = "cm**2",
        area_format: str = "E",
        extra: tuple[fits.Column, ...] = (),
        drop: str = "",
        extension: str = "SPECRESP",
        high: Any = None,
    ) -> Path:
        edges = np.asarray(edges)
        columns = [
            fits.Column("ENERG_LO", "E", energy_unit, array=edges[:-1]),
            fits.Column("ENERG_HI", "E", energy_unit, array=edges[1:] if high is None else high),
            fits.Column("SPECRESP", area_format, area_unit, array=np.asarray(area)),
            *extra,
        ]
        return self._write(name, [_table([c for c in columns if c.name != drop], extension, {})])

    def rmf(
        self,
        name: str = "a.rmf",
        *,
        rows: Any = (((0, (0.5, 0.25, 0.25)),), (), ((0, (0.1,)), (2, (0.7, 0.2)))),
        first_channel: int = 3,
        tlmin: int | None = 3,
        energies: Any = (0.5, 1.0, 2.0, 4.0),
        channels: Any = (0.4, 0.9, 1.9, 3.9, 5.0),
        layout: str = "variable",
        kind: str = "REDIST",
        numbers: Any = None,
        channel_low: Any = None,
    ) -> Path:
        energies, channels = np.asarray(energies), np.asarray(channels)
        group, first, count, matrix = _group_columns(rows, first_channel, layout)
        lo, hi = (fits.Column(k, "E", "keV", array=v) for k, v in _pair("ENERG", energies))
        cards: dict[str, Any] = {"HDUCLAS3": kind} if kind else {}
        if tlmin is not None:
            cards["TLMIN4"] = tlmin
        table = _table([lo, hi, group, first, count, matrix], "MATRIX", cards)
        n = channels.size - 1
        numbers = np.arange(first_channel, first_channel + n) if numbers is None else numbers
        low = channels[:-1] if channel_low is None else np.asarray(channel_low)
        bounds = [
            fits.Column("CHANNEL", "J", array=numbers),
            fits.Column("E_MIN", "E", "keV", array=low),
            fits.Column("E_MAX", "E", "keV", array=channels[1:]),
        ]
        return self._write(name, [table, _table(bounds, "EBOUNDS", {})])

    def _write(self, name: str, tables: list[fits.BinTableHDU]) -> Path:
        path = self.folder / name
        fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(path)
        return path


@pytest.fixture
def ogip(tmp_path: Path) -> OgipFiles:
    return OgipFiles(tmp_path)


def _pair(name: str, edges: np.ndarray) -> list[tuple[str, np.ndarray]]:
    return [(f"{name}_LO", edges[:-1]), (f"{name}_HI", edges[1:])]


def _table(columns: list[fits.Column], name: str, cards: dict[str, Any]) -> fits.BinTableHDU:
    table = fits.BinTableHDU.from_columns(columns, name=name)
    table.header.update(cards)
    return table


def _group_columns(rows: Any, first_channel: int, layout: str) -> list[fits.Column]:
    """N_GRP, F_CHAN, N_CHAN, MATRIX as variable-length, fixed-length or scalar columns."""
    n_group = np.array([len(row) for row in rows])
    first = [[start + first_channel for start, _ in row] for row in rows]
    count = [[len(values) for _, values in row] for row in rows]
    matrix = [[x for _, values in row for x in values] for row in rows]
    group = fits.Column("N_GRP", "I", array=n_group)
    if layout == "variable":
        return [
            group,
            fits.Column("F_CHAN", "PI", array=_ragged(first, np.int16)),
            fits.Column("N_CHAN", "PI", array=_ragged(count, np.int16)),
            fits.Column("MATRIX", "PE", array=_ragged(matrix, np.float32)),
        ]
    widest = max(n_group)
    longest = max(len(row) for row in matrix)
    scalar = layout == "scalar"
    return [
        group,
        fits.Column("F_CHAN", "I" if scalar else f"{widest}I", array=_padded(first, widest)),
        fits.Column("N_CHAN", "I" if scalar else f"{widest}I", array=_padded(count, widest)),
        fits.Column("MATRIX", f"{longest}E", array=_padded(matrix, longest)),
    ]


def _ragged(rows: list[list[Any]], kind: Any) -> np.ndarray:
    array = np.empty(len(rows), dtype=object)
    array[:] = [np.asarray(row, dtype=kind) for row in rows]
    return array


def _padded(rows: list[list[Any]], width: int) -> np.ndarray:
    array = np.array([[*row, *[0] * (width - len(row))] for row in rows], dtype=np.float64)
    return array[:, 0] if width == 1 else array
