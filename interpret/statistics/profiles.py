"""Where networks look, from the core to the outskirts, and where a count of photons would.

A proxy that is a power of a count, ln M = ln(N) / alpha, has in each pixel the derivative

    d ln M / d ln(1 + n) = (n + 1) / (alpha N),   d ln M / d n = 1 / (alpha N),

n the photons of the pixel and N those of the count. For N_phot these are photons of gas and AGN in
the whole image and the channels seen, for N_phot,500 those inside projected R500c (pixel centres),
for L_X those of the gas inside projected R500c; outside, the last two have none. Networks are set
against these in the same pixels. Sums are over the pixels of a ring; a ring's value is the median
over clusters, its error that of haloes drawn again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.bootstrap import bootstrap
from icmass.errors import InputError
from icmass.interpret.proxies import PROXY_SYMBOLS
from icmass.interpret.regions import RADIAL_EDGES
from icmass.interpret.statistics.batches import check_batch, radial_bins, require_once
from icmass.interpret.statistics.matching import ALL_CHANNELS
from icmass.interpret.statistics.number import Number, Result, nan_median, numbers
from icmass.interpret.statistics.ring_kernels import ring_sums

__all__ = ["CORES", "PROXIES", "CoreRatio", "Profile", "ProfileTable", "Space"]

Space = Literal["inputs", "photons"]
#: Proxies, by the columns of the catalog that their slopes are of.
PROXIES: Final = tuple(PROXY_SYMBOLS)
#: Radii of cores, projected R500c (Ho et al. 2023 name the second); edges of rings.
CORES: Final = (0.15, 0.285)
_N_RING: Final = len(RADIAL_EDGES) - 1
_R500C: Final = RADIAL_EDGES.index(1.0)
_PIXELS, _SALIENCY, _SIGNED, _SOURCE, _GAS = range(5)


@dataclass(frozen=True)
class Profile(Result):
    """Rings of one channel, or of all.

    Attributes
    ----------
    channel : str
    low, high : tuple of float
        Radii of each ring, projected R500c.
    saliency : tuple of Number
        Mean |gradient| of a pixel: median over clusters.
    signed : tuple of Number
        Mean gradient.
    implied : dict of str to tuple of Number
        Mean of what a proxy implies, by `PROXIES`.
    ratio : dict of str to tuple of Number
        Median over clusters of the ratio of saliency to what is implied; NaN outside the radius of
        the proxy.
    """

    channel: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    saliency: tuple[Number, ...]
    signed: tuple[Number, ...]
    implied: dict[str, tuple[Number, ...]]
    ratio: dict[str, tuple[Number, ...]]


@dataclass(frozen=True)
class CoreRatio(Result):
    """A network against a proxy inside a radius: medians over clusters.

    Attributes
    ----------
    channel, proxy : str
    radius : float
        Projected R500c.
    n_clusters : int
        With a pixel centre in the core; the others are not known to any of the ratios.
    ratio : Number
        Sum of |gradient| in the core over the sum of what the proxy implies there.
    share_ratio : Number
        The same after both are divided by their sums inside R500c: below 1 where the network leans
        less on the core than the proxy does, whatever it leans on in all.
    signed_ratio : Number
        As `ratio`, with the sum of the gradient and not of its size.
    """

    channel: str
    proxy: str
    radius: float
    n_clusters: int
    ratio: Number
    share_ratio: Number
    signed_ratio: Number


class ProfileTable:
    """Sums rings as batches of clusters come in.

    Parameters
    ----------
    origins, channels : sequence of str
        Of the counts, in their order. Without an origin `icm` L_X is left out.
    slopes : mapping of str to float
        alpha by names of `PROXIES`; those that are absent are left out.
    space : str
        inputs, where gradients are by ln(1 + n), or photons.

    Raises
    ------
    InputError
        If a slope is of no proxy or not above 0.
    """

    def __init__(
        self,
        origins: Sequence[str],
        channels: Sequence[str],
        slopes: Mapping[str, float],
        space: Space = "inputs",
    ) -> None:
        for name, slope in slopes.items():
            if name not in PROXIES:
                raise InputError(f"slopes: must be of {', '.join(PROXIES)}; got '{name}'.")
            if not slope > 0.0:
                raise InputError(
                    f"slopes: must be above 0; got {slope} for {name}. Fit ln {name} on ln M."
                )
        if space not in ("inputs", "photons"):
            raise InputError(f"space: must be inputs or photons; got '{space}'.")
        self.origins, self.channels, self.space = tuple(origins), tuple(channels), space
        known = [n for n in PROXIES if n in slopes and (n != PROXIES[2] or "icm" in origins)]
        self.slopes = {name: float(slopes[name]) for name in known}
        self._parts: list[tuple[NDArray[Any], ...]] = []

    def add(
        self,
        rows: NDArray[np.int64],
        gradient: NDArray[np.floating[Any]],
        counts: NDArray[Any],
        radius: NDArray[np.floating[Any]],
    ) -> None:
        """Add the rings of clusters.

        Parameters
        ----------
        rows, gradient, counts, radius
            As of `PixelTable.add`, and of the same shapes.

        Raises
        ------
        InputError
            If shapes do not fit or a gradient is not finite.
        """
        check_batch(rows, gradient, counts, radius, (len(self.origins), len(self.channels)))
        # Without anything but background, that is all there is to count.
        sources = [k for k, name in enumerate(self.origins) if name != "background"]
        source = counts[:, sources or slice(None)].sum(axis=1, dtype=np.float64)
        gas = source
        if "icm" in self.origins:
            gas = counts[:, self.origins.index("icm")].astype(np.float64)
        sums = ring_sums(gradient, source, gas, radial_bins(radius), _N_RING)
        photons = sums[..., _SOURCE:] - sums[..., :1]  # (m, C, ring, source and gas)
        total = np.stack(
            [
                photons[..., 0].sum(axis=(1, 2)),
                photons[:, :, :_R500C, 0].sum(axis=(1, 2)),
                photons[:, :, :_R500C, 1].sum(axis=(1, 2)),
            ],
            axis=1,
        )
        self._parts.append((np.array(rows, np.int64), sums, total))

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows that came in, ascending, shape (n,): the order of the clusters everywhere here."""
        return self._joined()[0]

    def sums(self, channel: int | None = None) -> NDArray[np.float64]:
        """Return sums over rings of each cluster, shape (n, ring, 3 + number of proxies).

        They are of: pixels, |gradient|, gradient, and what each of the `slopes` implies; NaN where
        a proxy has no photons. Of one `channel`, by its place; of all added for None.
        """
        _, sums, total = self._joined()
        chosen = sums.sum(axis=1) if channel is None else sums[:, channel]
        parts = [chosen[..., _PIXELS], chosen[..., _SALIENCY], chosen[..., _SIGNED]]
        for name, slope in self.slopes.items():
            place = PROXIES.index(name)
            pixels = _PIXELS if self.space == "photons" else (_SOURCE, _SOURCE, _GAS)[place]
            n = np.where(total[:, place] > 0, total[:, place], np.nan)
            implied = chosen[..., pixels] / (slope * n[:, None])
            if place > 0:
                implied[:, _R500C:] = np.where(np.isnan(n[:, None]), np.nan, 0.0)
            parts.append(implied)
        return np.stack(parts, axis=-1)

    def profiles(self, halo: ArrayLike, *, n_resamples: int = 200, seed: int = 0) -> list[Profile]:
        """Return the profile of each channel, and before these of all if there are several.

        Parameters
        ----------
        halo : array of int, shape (n,)
            The halo that each cluster is of, in the order of `rows`.
        n_resamples, seed : int
            Of the bootstrap.
        """
        return [
            self._profile(scope, name, np.asarray(halo), n_resamples, seed)
            for scope, name in self._scopes()
        ]

    def core_ratios(
        self,
        halo: ArrayLike,
        selection: ArrayLike | None = None,
        *,
        n_resamples: int = 200,
        seed: int = 0,
    ) -> list[CoreRatio]:
        """Return networks against proxies in the cores.

        Parameters
        ----------
        halo : array of int, shape (n,)
            The halo that each cluster is of, in the order of `rows`.
        selection : array of bool, shape (n,), optional
            Clusters wanted; all by default.
        n_resamples, seed : int
            Of the bootstrap.
        """
        chosen = slice(None) if selection is None else np.flatnonzero(selection)
        owner = np.asarray(halo)[chosen]
        labels, columns = [], []
        for scope, name in self._scopes():
            sums = self.sums(scope)[chosen]
            for place, proxy in enumerate(self.slopes):
                for radius in CORES:
                    columns += _core(sums, place, RADIAL_EDGES.index(radius))
                    known = int(np.isfinite(columns[-1]).sum())
                    labels.append((name, proxy, radius, known))
        if not labels:
            return []
        found = iter(_medians(np.stack(columns, axis=1), owner, n_resamples, seed))
        return [CoreRatio(*label, next(found), next(found), next(found)) for label in labels]

    def _profile(
        self, scope: int | None, name: str, halo: NDArray[Any], n_resamples: int, seed: int
    ) -> Profile:
        sums = self.sums(scope)
        n = np.where(sums[..., :1] > 0.0, sums[..., :1], np.nan)
        means = sums[..., 1:] / n  # (n, ring, saliency, signed, implied ...)
        implied = np.where(means[..., 2:] > 0.0, means[..., 2:], np.nan)
        table = np.concatenate([means, means[..., :1] / implied], axis=-1)
        width = table.shape[-1]
        flat = _medians(table.reshape(len(table), -1), halo, n_resamples, seed)
        column = [tuple(flat[k::width]) for k in range(width)]
        n_proxy = len(self.slopes)
        return Profile(
            *(name, RADIAL_EDGES[:-1], RADIAL_EDGES[1:], column[0], column[1]),
            implied=dict(zip(self.slopes, column[2 : 2 + n_proxy], strict=True)),
            ratio=dict(zip(self.slopes, column[2 + n_proxy :], strict=True)),
        )

    def _scopes(self) -> list[tuple[int | None, str]]:
        several: list[tuple[int | None, str]] = (
            [(None, ALL_CHANNELS)] if len(self.channels) > 1 else []
        )
        return several + list(enumerate(self.channels))

    def _joined(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        if not self._parts:
            raise InputError("profiles: must be of at least 1 cluster; none came in.")
        if len(self._parts) > 1 or (np.diff(self._parts[0][0]) < 0).any():
            rows, sums, total = (np.concatenate(part) for part in zip(*self._parts, strict=True))
            order = np.argsort(rows, kind="stable")
            require_once(rows[order])
            self._parts = [(rows[order], sums[order], total[order])]
        rows, sums, total = self._parts[0]
        return rows, sums, total


def _core(sums: NDArray[Any], proxy: int, edge: int) -> list[NDArray[np.float64]]:
    """Return, for each cluster, the three ratios of `CoreRatio`."""
    core, whole = sums[:, :edge].sum(axis=1), sums[:, :_R500C].sum(axis=1)
    place = 3 + proxy

    def over(numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[np.float64]:
        safe = np.where(denominator > 0.0, denominator, np.nan)
        result: NDArray[np.float64] = numerator / safe
        return result

    ratio = over(core[:, 1], core[:, place])
    return [
        ratio,
        over(ratio, over(whole[:, 1], whole[:, place])),
        over(core[:, 2], core[:, place]),
    ]


def _medians(
    values: NDArray[np.float64], halo: NDArray[Any], n_resamples: int, seed: int
) -> list[Number]:
    """Return medians over clusters of columns, of what is known, with errors."""
    drawn = bootstrap(
        lambda rows: nan_median(values[rows]), halo, n_resamples=n_resamples, seed=seed
    )
    return numbers(nan_median(values), drawn)
