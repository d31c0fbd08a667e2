"""What clusters are compared with: an empty image, or the background alone.

Attributions along a way and by occlusion say what a cluster has beyond its baseline.
"""

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from icmass.catalog import ChangedCatalog, add_up
from icmass.errors import InputError
from icmass.interpret.attribution.spaces import variable
from icmass.interpret.subject import Seen, Subject
from icmass.names import nearest

__all__ = ["BASELINES", "baseline", "require_baseline"]

#: Baselines by name.
BASELINES: Final[tuple[str, ...]] = ("empty", "background")


def baseline(
    subject: Subject, rows: NDArray[np.int64], seen: Seen, space: str, name: str
) -> Tensor:
    """Return the baseline of clusters.

    Parameters
    ----------
    subject : Subject
    rows : ndarray of int, shape (n,)
    seen : Seen
        What networks see of them.
    space : str
        One of `icmass.interpret.attribution.spaces.SPACES`.
    name : str
        ``empty``: no photons, no galaxies. ``background``: the noise-free background of the cluster
        where the catalog stored it; else its background photons, spread evenly over the image of
        each channel. Pixels then hold a fraction of a photon.

    Returns
    -------
    Tensor
        x of the baseline, shaped like that of the clusters.

    Raises
    ------
    InputError
        If there is no such baseline, or the background cannot be told.
    """
    require_baseline(subject, space, name)
    x = variable(seen, space)
    if name == "empty":
        return torch.zeros_like(x)
    photons = torch.from_numpy(_background(subject, rows)).to(x)
    return torch.log1p(photons) if space == "inputs" else photons


def require_baseline(subject: Subject, space: str, name: str) -> None:
    """Refuse a baseline that there is not.

    Parameters
    ----------
    subject : Subject
    space : str
        One of `icmass.interpret.attribution.spaces.SPACES`.
    name : str
        One of `BASELINES`.

    Raises
    ------
    InputError
        If there is none of that name, or the background is not kept apart or not seen.
    """
    if name not in BASELINES:
        raise InputError(
            f"baseline: must be {', '.join(BASELINES)}; got '{name}'; {nearest(name, BASELINES)}."
        )
    if name == "background":
        if space == "galaxies":
            raise InputError(
                "baseline: must be empty for galaxies, which have no background of their own; got "
                "background."
            )
        subject.require_origins("background")


def _background(subject: Subject, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return expected background photons, shape (n, n_channel, n_y, n_x)."""
    catalog, origin = subject.catalog, ["background"]
    # A changed view has no noise-free images.
    if catalog.spec.expectations is None or isinstance(catalog, ChangedCatalog):
        counts = subject.counts(rows, origin)[:, 0]
        mean = counts.mean(axis=(-2, -1), keepdims=True, dtype=np.float64)
        return np.ascontiguousarray(np.broadcast_to(mean, counts.shape), np.float32)
    bands = subject.band_names
    maps: NDArray[Any] = catalog.expectations(rows, bands, origin, apart=True)[:, 0]
    places = [[bands.index(name) for name in channel.bands] for channel in subject.channels]
    return np.ascontiguousarray(add_up(maps, places, subject.factor), np.float32)
