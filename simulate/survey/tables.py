"""What is true of the haloes and AGN of a tile, as astropy tables with units and meanings."""

from collections.abc import Mapping

import numpy as np
from astropy.table import Column, Table
from numpy.typing import NDArray

from icmass.catalog.columns import COLUMNS

__all__ = ["agn_table", "halo_table", "source_table"]

Columns = Mapping[str, NDArray[np.generic]]

_COMMON = {
    "ra_deg": ("deg", "right ascension, ICRS"),
    "dec_deg": ("deg", "declination, ICRS"),
    "exposure_s": ("s", "exposure on axis, unvignetted, at its place"),
    "nh_cm2": ("cm-2", "Galactic column in front of it"),
    "expected": ("", "expected photons of all energies where the survey looks"),
    "expected_soft": ("", "expected photons in 0.2-2.3 keV, where sources are searched"),
    "n_photons": ("", "photons drawn"),
    "n_in_tile": ("", "of these, in this tile"),
    "n_outside": ("", "of these, beyond the footprint"),
    "detected": ("", "whether a source was matched to it"),
    "detection_likelihood": ("", "of that source, -ln P"),
    "extent_likelihood": ("", "of that source"),
    "extent_arcsec": ("arcsec", "its core radius, 0 for a point"),
    "detection_ra_deg": ("deg", "its place"),
    "detection_dec_deg": ("deg", "its place"),
    "detection_counts": ("", "its counts in 0.2-2.3 keV"),
}
_OF_AGN = {
    "source_id": ("", "SRC_ID of its events"),
    "flux": ("erg / (s cm2)", "0.5-2 keV as observed, before the Galaxy absorbs"),
    "photon_index": ("", "slope of its spectrum"),
    "nh_cm2": ("cm-2", "column in the source, as if at redshift 0"),
}
_OF_SOURCES = {
    "kind": ("", "what sends most of its photons: halo, agn, or spurious"),
    "halo_id": ("", "halo matched to it; -1 for none"),
    "agn_id": ("", "SRC_ID of the AGN matched to it; -1 for none"),
    "east_arcsec": ("arcsec", "offset from the centre of the tile"),
    "north_arcsec": ("arcsec", "offset from the centre of the tile"),
    "position_error_arcsec": ("arcsec", "standard error of a coordinate"),
    "counts": ("", "photons of the source, 0.2-2.3 keV"),
    "counts_error": ("", "standard error"),
    "rate": ("1 / s", "counts per vignetted second"),
    "exposure_s": ("s", "vignetted exposure at its place"),
    "det_like": ("", "detection likelihood, -ln P"),
    "ext_like": ("", "extent likelihood"),
    "extent_arcsec": ("arcsec", "core radius, 0 for a point"),
}


def halo_table(columns: Columns) -> Table:
    """Return the truth of haloes, `columns` with units and meanings; the catalog's have its own."""
    declared = {column.name: (column.unit, column.meaning) for column in COLUMNS}
    return _table(columns, declared | {"halo_id": ("", "SRC_ID of its events")} | _COMMON)


def agn_table(columns: Columns) -> Table:
    """Return the truth of AGN, `columns` with their units and meanings."""
    return _table(columns, _COMMON | _OF_AGN)


def source_table(columns: Columns) -> Table:
    """Return what was found, `columns` with their units and meanings."""
    return _table(columns, _COMMON | _OF_SOURCES)


def _table(columns: Columns, known: Mapping[str, tuple[str, str]]) -> Table:
    made = []
    for name, values in columns.items():
        unit, meaning = known.get(name, ("", ""))
        made.append(Column(values, name=name, unit=unit or None, description=meaning or None))
    return Table(made)
