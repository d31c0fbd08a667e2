"""All statistics of attributions in one pass over the clusters.

Gradients come in batches, with the numbers of their rows; photons by origin, radii and structures
are read from the subject's catalog beside them. What is kept of a cluster is small, so memory does
not grow with images. Errors are of haloes drawn again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.bootstrap import haloes_of
from icmass.errors import InputError
from icmass.interpret.regions import radius_r500c, structures
from icmass.interpret.statistics.bands import Band, band_medians
from icmass.interpret.statistics.distributions import SaliencyHistogram, saliency_histograms
from icmass.interpret.statistics.groups import Group, halves
from icmass.interpret.statistics.matching import ALL_CHANNELS, COMPARED, AgnIcm, agn_to_icm
from icmass.interpret.statistics.number import Number, Result
from icmass.interpret.statistics.pixels import PixelTable
from icmass.interpret.statistics.profiles import CORES, CoreRatio, Profile, ProfileTable, Space
from icmass.interpret.statistics.signed import Signed, SignedTable
from icmass.interpret.statistics.structures import Structure, StructureTable
from icmass.interpret.subject import Subject

__all__ = ["Statistics", "summarise"]

_N_PHOT: Final = "n_phot"

Batch = tuple[NDArray[np.int64], NDArray[np.floating[Any]]]
Tables = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Statistics(Result):
    """What was found.

    Attributes
    ----------
    n_clusters, n_haloes : int
    channels, origins : tuple of str
        What the networks see.
    space : str
        inputs (gradients by ln(1 + n)) or photons.
    slopes : dict of str to float
        alpha of the proxies.
    pixel_std : tuple of float
        Standard deviation of ln(1 + n) over all pixels, by channel: times a gradient of space
        inputs this is that by a standardised input.
    agn_icm : tuple of AgnIcm or None
        All channels first if there are several; None where `agn_icm_reason` says why.
    agn_icm_reason : str or None
    over_proxy : tuple of AgnIcm
        The same of saliency over what N_phot implies for the same pixel: faint clusters have more
        saliency in a pixel of so many photons, and more AGN; this takes it out. Empty where
        nothing is compared or the slope of N_phot is not known.
    histograms : tuple of SaliencyHistogram
        What is compared; empty where nothing is.
    signed : tuple of Signed
        Gradients of AGN and gas with their sign; empty where nothing is compared.
    profiles : tuple of Profile
        All channels first if there are several.
    cores : tuple of CoreRatio
        By channel as the profiles, proxy and radius.
    structures : tuple of Structure or None
        None where the catalog has no regions.
    bands : tuple of Band
    groups : tuple of Group
    """

    n_clusters: int
    n_haloes: int
    channels: tuple[str, ...]
    origins: tuple[str, ...]
    space: str
    slopes: dict[str, float]
    pixel_std: tuple[float, ...]
    agn_icm: tuple[AgnIcm, ...] | None
    agn_icm_reason: str | None
    over_proxy: tuple[AgnIcm, ...]
    histograms: tuple[SaliencyHistogram, ...]
    signed: tuple[Signed, ...]
    profiles: tuple[Profile, ...]
    cores: tuple[CoreRatio, ...]
    structures: tuple[Structure, ...] | None
    bands: tuple[Band, ...]
    groups: tuple[Group, ...]

    def core(self, radius: float = CORES[-1], proxy: str = _N_PHOT) -> CoreRatio | None:
        """Return networks against a `proxy` inside a `radius` (R500c), all channels, or None."""
        found = (one for one in self.cores if (one.radius, one.proxy) == (radius, proxy))
        return next(found, None)

    def tables(self) -> Tables:
        """Return rows for tables by name, such as agn_icm, profiles, cores, bands and groups."""
        return {
            "agn_icm": [row for one in self.agn_icm or () for row in _agn_icm_rows(one)],
            "over_proxy": [row for one in self.over_proxy for row in _agn_icm_rows(one)],
            "signed": [_flat(one) for one in self.signed],
            "profiles": [row for one in self.profiles for row in _profile_rows(one)],
            "cores": [_flat(one) for one in self.cores],
            "structures": [_flat(one) for one in self.structures or ()],
            "bands": [_flat(one) for one in self.bands],
            "groups": [_flat(one) for one in self.groups],
        }


def summarise(
    subject: Subject,
    gradients: Iterable[Batch],
    *,
    slopes: Mapping[str, float],
    space: Space = "inputs",
    seed: int = 0,
    n_resamples: int = 200,
    report: Callable[[int], None] | None = None,
) -> Statistics:
    """Measure attributions.

    Parameters
    ----------
    subject : Subject
        What they are of.
    gradients : iterable of (rows, gradient)
        Rows, shape (m,), of the subject's catalog, each once, in any order; gradients of its target
        by the images, shape (m, n_channel, n_y, n_x).
    slopes : mapping of str to float
        alpha of the proxies, ln proxy = alpha ln M + b: n_phot, n_phot_500, lx_bolometric_erg_s.
        Those that are absent are left out.
    space : str
        What the gradients are by: inputs, ln(1 + photons); or photons.
    seed, n_resamples : int
        Of the bootstrap over haloes.
    report : callable, optional
        Called with the number of clusters just done.

    Raises
    ------
    InputError
        If gradients do not fit the subject or are not finite, R500c is unknown, or there are fewer
        than two haloes.
    """
    names = [channel.name for channel in subject.channels]
    pixels = PixelTable(subject.origins, names)
    rings = ProfileTable(subject.origins, names, slopes, space)
    discs = StructureTable(subject.origins, names) if subject.catalog.spec.regions else None
    reason = _obstacle(subject)
    added = None if reason else SignedTable(subject.origins, names)
    relative = None if reason or _N_PHOT not in slopes else PixelTable(subject.origins, names)
    for rows, gradient in gradients:
        if gradient.shape != (len(rows), *subject.shape):
            raise InputError(
                f"gradient: must have shape {(len(rows), *subject.shape)}, as the images have; got "
                f"{gradient.shape}. Statistics are of images, not of galaxies."
            )
        counts, radius = subject.counts(rows), radius_r500c(subject, rows)
        pixels.add(rows, gradient, counts, radius)
        rings.add(rows, gradient, counts, radius)
        if added is not None:
            added.add(rows, gradient, counts, radius)
        if relative is not None:
            implied = _implied(subject, counts, slopes[_N_PHOT], space)
            relative.add(rows, gradient / implied, counts, radius)
        if discs is not None:
            discs.add(rows, gradient, counts, radius, structures(subject, rows))
        if report is not None:
            report(len(rows))
    how: dict[str, Any] = {"n_resamples": n_resamples, "seed": seed}
    halo = haloes_of(subject.catalog)[pixels.rows]
    return Statistics(
        n_clusters=len(halo),
        n_haloes=len(np.unique(halo)),
        channels=tuple(names),
        origins=subject.origins,
        space=space,
        slopes=dict(rings.slopes),
        pixel_std=tuple(pixels.pixel_std().tolist()),
        agn_icm=None if reason else tuple(agn_to_icm(pixels, halo, **how)),
        agn_icm_reason=reason,
        over_proxy=() if relative is None else tuple(agn_to_icm(relative, halo, **how)),
        histograms=() if reason else tuple(saliency_histograms(pixels, ALL_CHANNELS)),
        signed=()
        if added is None
        else tuple(added.result(halo, ALL_CHANNELS, n_resamples=n_resamples, seed=seed)),
        profiles=tuple(rings.profiles(halo, **how)),
        cores=tuple(rings.core_ratios(halo, **how)),
        structures=None if discs is None else tuple(discs.result(halo, **how)),
        bands=tuple(band_medians(pixels, halo, **how)),
        groups=tuple(_groups(subject, pixels, rings, halo, how, apart=reason is None)),
    )


def _obstacle(subject: Subject) -> str | None:
    """Return why AGN and gas cannot be compared; None if they can."""
    try:
        subject.require_origins("agn", "icm")
    except InputError as error:
        return str(error)
    return None


def _implied(
    subject: Subject, counts: NDArray[Any], slope: float, space: Space
) -> NDArray[np.float32]:
    """Return the saliency that N_phot implies, shape (m, n_channel, n_y, n_x) (Ho et al. 2023)."""
    places = [subject.origins.index(name) for name in ("agn", "icm")]
    source = counts[:, places].sum(axis=1, dtype=np.float64)
    total = np.maximum(source.sum(axis=(1, 2, 3), keepdims=True), 1.0)
    weight = source + 1.0 if space == "inputs" else np.ones_like(source)
    return np.asarray(weight / (total * slope), np.float32)


def _groups(
    subject: Subject,
    pixels: PixelTable,
    rings: ProfileTable,
    halo: NDArray[np.int64],
    how: dict[str, Any],
    *,
    apart: bool,
) -> Iterator[Group]:
    pairs = pixels.pairs("agn", "icm") if apart else None
    for half in halves(subject.catalog, pixels.rows, halo):
        difference: Number | None = None
        if pairs is not None:
            compared = agn_to_icm(pixels, halo, half.mask, pairs=pairs, **how)
            difference = compared[0].equal_brightness.difference_dex
        cores = [
            one
            for one in rings.core_ratios(halo, half.mask, **how)
            if (one.radius, one.proxy) == (CORES[-1], _N_PHOT)
        ]
        yield Group(
            *(half.by, half.side, half.low, half.high, int(half.mask.sum())),
            difference_dex=difference,
            core_ratio=cores[0].ratio if cores else None,
            core_share_ratio=cores[0].share_ratio if cores else None,
        )


def _flat(result: Any) -> dict[str, Any]:
    """Return the fields of a result as cells: a number is two of them."""
    row: dict[str, Any] = {}
    for name, value in result.__dict__.items():
        row |= _cells(name, value)
    return row


def _cells(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, Number):
        return {name: value.value, f"{name}_error": value.error}
    return {name: value}


def _agn_icm_rows(one: AgnIcm) -> Iterator[dict[str, Any]]:
    for way in COMPARED:
        compared = getattr(one, way)
        row = {"channel": one.channel, "n_clusters": one.n_clusters, "way": way}
        for side in ("agn", "icm"):
            row |= {f"{side}_{key}": n for key, n in getattr(compared, side).__dict__.items()}
        row |= _cells("difference_dex", compared.difference_dex)
        row |= _cells("mean_ratio_dex", compared.mean_ratio_dex)
        yield row | {"sigma": compared.sigma, "share": compared.share}


def _profile_rows(one: Profile) -> Iterator[dict[str, Any]]:
    for k, (low, high) in enumerate(zip(one.low, one.high, strict=True)):
        row: dict[str, Any] = {"channel": one.channel, "low_r500c": low, "high_r500c": high}
        row |= _cells("saliency", one.saliency[k]) | _cells("signed", one.signed[k])
        for proxy in one.implied:
            row |= _cells(f"implied_{proxy}", one.implied[proxy][k])
            row |= _cells(f"ratio_{proxy}", one.ratio[proxy][k])
        yield row
