"""Which halo, which AGN, or nothing: what a detected source is in truth.

A source is what sends the most expected photons into its aperture, a circle of 20 arcsec about a
point and of 1.5 core radii (at least 20, at most 90 arcsec) about an extended source. Where the
strongest sends less than a quarter of what the source claims to have there, the source is spurious.

Haloes and sources are then paired, each at most once. A pair makes sense when source and halo are
nearer than half of max(R500c, 30 arcsec) and the halo sends at least half of what the strongest
sends, and no less than a quarter of the claim. Pairs are closed in the order of their distance in
those units, a source that is no extended one standing 0.5 further away: a halo takes the extended
source about it before a point in it. AGN and sources likewise, within 30 arcsec; an extended source
stands further away. Expected photons, not drawn ones, are compared, so that a fluctuation of the
background on a faint AGN is called what it is.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from icmass.errors import InputError
from icmass.simulate.detection.filters import BETA_CUT
from icmass.simulate.detection.find import SourceList
from icmass.simulate.instrument.psf import PSF
from icmass.simulate.skymaps import unit_vectors

__all__ = ["Matched", "SourceKind", "TruthTable", "match_sources"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_APERTURE_ARCSEC = 20.0
_LARGEST_APERTURE_ARCSEC = 90.0
_HALO_ARCSEC = 30.0  # a halo counts as no smaller than this
_AGN_ARCSEC = 30.0
_LEAST_SHARE = 0.25  # of the claim, below which nothing explains a source
_LEAST_OF_STRONGEST = 0.5
_WRONG_KIND = 0.5  # added to the distance of a halo from a point, of an AGN from an extended source
_CORE = 0.15  # core radius of a halo, R500c
_SEEING_ARCSEC = 18.0  # added to it in quadrature: the PSF, to 10% of the photons


class SourceKind(IntEnum):
    """What a source is in truth."""

    SPURIOUS = 0
    HALO = 1
    AGN = 2


@dataclass(frozen=True)
class TruthTable:
    """What is truly there: haloes, or AGN (of radius 0).

    Attributes
    ----------
    ra_deg, dec_deg : ndarray, shape (n,)
        ICRS.
    expected_counts : ndarray, shape (n,)
        Photons expected in the band and exposure of the image.
    r500c_arcsec : ndarray, shape (n,), optional
        None for points.
    """

    ra_deg: Floats
    dec_deg: Floats
    expected_counts: Floats
    r500c_arcsec: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("dec_deg", "expected_counts", "r500c_arcsec"):
            values = getattr(self, name)
            if values is not None and np.shape(values) != np.shape(self.ra_deg):
                raise InputError(
                    f"truth {name}: must have as many rows as ra_deg, {np.size(self.ra_deg)}; "
                    f"got {np.size(values)}."
                )
        if not np.all(np.asarray(self.expected_counts) >= 0.0):
            raise InputError(
                "truth expected_counts: must be at least 0; "
                f"got {np.min(self.expected_counts, initial=0.0)}."
            )

    def __len__(self) -> int:
        return len(self.ra_deg)


@dataclass(frozen=True)
class Matched:
    """Which source belongs to what; rows of the tables given, -1 for none.

    Attributes
    ----------
    kind : ndarray of uint8, shape (n_source,)
        `SourceKind`.
    halo_of_source, agn_of_source : ndarray of int64, shape (n_source,)
        The pairs. A source may have both: an AGN in the middle of a halo.
    source_of_halo : ndarray of int64, shape (n_halo,)
    source_of_agn : ndarray of int64, shape (n_agn,)
    halo_counts, agn_counts : ndarray, shape (n_source,)
        Expected photons of the strongest halo and AGN in the aperture.
    """

    kind: NDArray[np.uint8]
    halo_of_source: Integers
    agn_of_source: Integers
    source_of_halo: Integers
    source_of_agn: Integers
    halo_counts: Floats
    agn_counts: Floats


def match_sources(sources: SourceList, haloes: TruthTable, agn: TruthTable, psf: PSF) -> Matched:
    """Tell what each source is, and which source each halo and AGN has.

    Parameters
    ----------
    sources : SourceList
    haloes : TruthTable
        With ``r500c_arcsec``.
    agn : TruthTable
    psf : PSF

    Returns
    -------
    Matched

    Raises
    ------
    InputError
        If the haloes have no radii.
    """
    if haloes.r500c_arcsec is None:
        raise InputError("haloes: must have r500c_arcsec; got None. Pass their radii.")
    aperture = np.clip(1.5 * sources.extent_arcsec, _APERTURE_ARCSEC, _LARGEST_APERTURE_ARCSEC)
    claim = sources.counts * _claimed_share(sources, aperture, psf)
    radii = np.maximum(np.asarray(haloes.r500c_arcsec, dtype=np.float64), _HALO_ARCSEC)
    halo_pairs = _pairs(sources, aperture, haloes, radii, None)
    agn_pairs = _pairs(sources, aperture, agn, np.full(len(agn), _AGN_ARCSEC), psf)
    halo_counts = _strongest(halo_pairs, len(sources))
    agn_counts = _strongest(agn_pairs, len(sources))
    strongest = np.maximum(halo_counts, agn_counts)
    least = np.maximum(_LEAST_OF_STRONGEST * strongest, _LEAST_SHARE * claim)
    kind = np.where(halo_counts >= agn_counts, SourceKind.HALO, SourceKind.AGN)
    kind = np.where(strongest < _LEAST_SHARE * claim, SourceKind.SPURIOUS, kind)
    wrong = _WRONG_KIND * np.stack([~sources.extended, sources.extended])
    halo_of, source_of_halo = _close(halo_pairs, least, wrong[0], len(haloes), 0.5)
    agn_of, source_of_agn = _close(agn_pairs, least, wrong[1], len(agn), 1.0)
    return Matched(
        kind.astype(np.uint8),
        halo_of,
        agn_of,
        source_of_halo,
        source_of_agn,
        halo_counts,
        agn_counts,
    )


@dataclass(frozen=True)
class _Pairs:
    """Source and object that are near: rows, distance in units of the object, photons expected."""

    source: Integers
    row: Integers
    distance: Floats
    counts: Floats


def _claimed_share(sources: SourceList, aperture: Floats, psf: PSF) -> Floats:
    """Share of its photons that a source, as fitted, has in its aperture."""
    core = np.hypot(np.maximum(sources.extent_arcsec, 1e-3), _SEEING_ARCSEC)
    cut = 1.0 / np.sqrt(1.0 + BETA_CUT**2)
    extended = (1.0 - 1.0 / np.sqrt(1.0 + (aperture / core) ** 2)) / (1.0 - cut)
    return np.where(sources.extended, extended, psf.encircled(aperture))


def _pairs(
    sources: SourceList, aperture: Floats, truth: TruthTable, unit_arcsec: Floats, psf: PSF | None
) -> _Pairs:
    """All pairs near enough to matter; a PSF for points, None for haloes."""
    empty = np.zeros(0, dtype=np.int64)
    if len(sources) == 0 or len(truth) == 0:
        return _Pairs(empty, empty, np.zeros(0), np.zeros(0))
    here = unit_vectors(sources.ra_deg, sources.dec_deg)
    there = unit_vectors(truth.ra_deg, truth.dec_deg)
    arcsec = 180.0 * 3600.0 / np.pi
    # Twice the unit: a bright object outside the aperture may still be the strongest in it.
    reach = (2.0 * unit_arcsec + _LARGEST_APERTURE_ARCSEC) / arcsec
    near = cKDTree(here).query_ball_point(there, reach)
    rows = np.repeat(np.arange(len(truth)), [len(n) for n in near])
    which = np.concatenate([np.asarray(n, dtype=np.int64) for n in near] or [empty])
    chord = np.linalg.norm(here[which] - there[rows], axis=1)
    separation = 2.0 * np.arcsin(0.5 * chord) * arcsec
    radii = _photon_radii(None if psf is not None else unit_arcsec[rows], psf)
    share = _share_inside(separation, aperture[which], radii)
    counts = np.asarray(truth.expected_counts, dtype=np.float64)[rows] * share
    return _Pairs(which, rows, separation / unit_arcsec[rows], counts)


def _photon_radii(size_arcsec: Floats | None, psf: PSF | None) -> Floats:
    """Radii within which 1/128, 3/128, ... of the photons fall, shape (1, 64) or (n, 64)."""
    level = (np.arange(64) + 0.5) / 64.0
    if psf is not None:
        nodes = np.concatenate([[0.0], np.geomspace(0.1, psf.max_radius_arcsec, 400)])
        return np.interp(level, psf.encircled(nodes), nodes)[None, :]
    core = np.hypot(_CORE * np.asarray(size_arcsec), _SEEING_ARCSEC)
    inside = 1.0 - 1.0 / np.sqrt(1.0 + BETA_CUT**2)
    return core[:, None] * np.sqrt((1.0 - level * inside) ** -2 - 1.0)


def _share_inside(separation: Floats, aperture: Floats, radii: Floats) -> Floats:
    """Share of the photons of an object that falls into a circle some way off.

    The mean, over the radii at which its photons lie, of the part of the ring inside the circle.
    """
    d, a = separation[:, None], aperture[:, None]
    cosine = (radii**2 + d**2 - a**2) / np.maximum(2.0 * radii * d, 1e-9)
    return (np.arccos(np.clip(cosine, -1.0, 1.0)) / np.pi).mean(axis=1)


def _strongest(pairs: _Pairs, count: int) -> Floats:
    """Most expected photons by source, shape (count,)."""
    most = np.zeros(count)
    np.maximum.at(most, pairs.source, pairs.counts)
    return most


def _close(
    pairs: _Pairs, least: Floats, further: Floats, count: int, limit: float
) -> tuple[Integers, Integers]:
    """Pair each source with at most one object, nearest first; (row by source, source by row)."""
    row_of = np.full(len(least), -1, dtype=np.int64)
    source_of = np.full(count, -1, dtype=np.int64)
    sensible = (pairs.distance <= limit) & (pairs.counts >= least[pairs.source])
    sensible &= pairs.counts > 0.0
    cost = pairs.distance + further[pairs.source]
    for k in np.flatnonzero(sensible)[np.argsort(cost[sensible], kind="stable")]:
        source, row = pairs.source[k], pairs.row[k]
        if row_of[source] < 0 and source_of[row] < 0:
            row_of[source], source_of[row] = row, source
    return row_of, source_of
