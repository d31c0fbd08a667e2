"""Saliency of pixels of AGN and of gas as histograms, plainly and at equal brightness."""

from dataclasses import dataclass
from typing import Final

from icmass.interpret.statistics.number import Result
from icmass.interpret.statistics.pixels import PixelTable, bin_edges

__all__ = ["SaliencyHistogram", "saliency_histograms"]

_WAYS: Final = ("plain", "equal_brightness")


@dataclass(frozen=True)
class SaliencyHistogram(Result):
    """Pixels by log10 saliency, of one channel or of all.

    Attributes
    ----------
    channel, way : str
        Way is plain or equal_brightness.
    edges : tuple of float, length k + 1
        Of log10 saliency.
    agn, icm : tuple of float, length k
        Numbers of pixels; at equal brightness those of gas are weights.
    """

    channel: str
    way: str
    edges: tuple[float, ...]
    agn: tuple[float, ...]
    icm: tuple[float, ...]


def saliency_histograms(table: PixelTable, name_of_all: str) -> list[SaliencyHistogram]:
    """Return the histograms of each channel, and of all if there are several first.

    Parameters
    ----------
    table : PixelTable
        It must have counted photons of `agn` and `icm`.
    name_of_all : str
        What all channels together are called.
    """
    found = table.matched("agn", "icm")
    edges = tuple(bin_edges(found.log_low, found.filled.shape[-1]).tolist())
    result = []
    for way, filled in zip(_WAYS, found.filled, strict=True):
        scopes = [(name, filled[:, k]) for k, name in enumerate(table.channels)]
        if len(scopes) > 1:
            scopes.insert(0, (name_of_all, filled.sum(axis=1)))
        result += [
            SaliencyHistogram(name, way, edges, tuple(agn.tolist()), tuple(icm.tolist()))
            for name, (agn, icm) in scopes
        ]
    return result
