"""Training images are changed at random, in ways that leave the mass as it is.

All works on batches, on the device they are on, from one generator; nothing here knows networks.
"""

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from icmass.estimate.reading import Clusters

__all__ = ["N_TURNS", "Augmentation", "turned"]

#: Right angles and mirrors.
N_TURNS: Final = 8


@dataclass(frozen=True)
class Augmentation:
    """What is changed at random in training.

    Attributes
    ----------
    turns : bool
        Whether images (and the galaxy cube with them) are turned by right angles and mirrored.
    shift_pixels : int
        Images and cubes are moved by up to so many pixels of the image; what leaves is lost.
    exposure_range_s : (float, float) or None
        Photons are thinned to an exposure drawn evenly in its logarithm.
    exposure_places : tuple of int
        Where ln exposure stands among the scalars.
    """

    turns: bool = True
    shift_pixels: int = 0
    exposure_range_s: tuple[float, float] | None = None
    exposure_places: tuple[int, ...] = ()

    def __call__(
        self, clusters: Clusters, exposure_s: Tensor, generator: torch.Generator
    ) -> Clusters:
        """Return changed clusters.

        Parameters
        ----------
        clusters : Clusters
            Of n clusters, as tensors.
        exposure_s : Tensor, shape (n,)
            As they were observed.
        generator : torch.Generator
            On the device of the clusters.
        """
        if clusters.rates.numel():
            clusters = self._drawn_anew(clusters, exposure_s, generator)
        elif self.exposure_range_s is not None:
            clusters = self._thinned(clusters, exposure_s, generator)
        if self.turns:
            turn = int(_uniform(1, generator) * N_TURNS)
            clusters = turned(clusters, turn)
        if self.shift_pixels:
            clusters = _shifted(clusters, self.shift_pixels, generator)
        return clusters

    def _drawn_anew(
        self, clusters: Clusters, exposure_s: Tensor, generator: torch.Generator
    ) -> Clusters:
        """Draw photons from the noise-free images; each origin but the first turns by itself."""
        rates = clusters.rates
        if self.turns:
            turns = (_uniform(rates.shape[1], generator) * N_TURNS).long().tolist()
            turns[0] = 0
            rates = torch.stack([_turn(rates[:, k], turn) for k, turn in enumerate(turns)], dim=1)
        kept = self._kept(exposure_s, generator)
        expected = rates.sum(dim=1) * kept[:, None, None, None]
        counts = torch.poisson(expected, generator=generator)
        empty = rates[:, :0]
        return self._at_exposure(clusters._replace(counts=counts, rates=empty), kept)

    def _thinned(
        self, clusters: Clusters, exposure_s: Tensor, generator: torch.Generator
    ) -> Clusters:
        kept = self._kept(exposure_s, generator)
        counts = clusters.counts.float()
        share = kept.clamp(max=1.0)[:, None, None, None].expand_as(counts).contiguous()
        thinned = torch.binomial(counts, share, generator=generator)
        return self._at_exposure(clusters._replace(counts=thinned), kept.clamp(max=1.0))

    def _kept(self, exposure_s: Tensor, generator: torch.Generator) -> Tensor:
        """Return the part of the exposure that is kept, shape (n,)."""
        if self.exposure_range_s is None:
            return torch.ones_like(exposure_s)
        low, high = (math.log(value) for value in self.exposure_range_s)
        drawn = low + (high - low) * _uniform(len(exposure_s), generator)
        return torch.exp(drawn) / exposure_s

    def _at_exposure(self, clusters: Clusters, kept: Tensor) -> Clusters:
        if not self.exposure_places:
            return clusters
        scalars = clusters.scalars.clone()
        for place in self.exposure_places:
            scalars[:, place] += torch.log(kept)
        return clusters._replace(scalars=scalars)


def turned(clusters: Clusters, turn: int) -> Clusters:
    """Return `clusters` turned by `turn` mod 4 right angles, and mirrored from 4 on."""
    if not turn:
        return clusters
    cube = _turn(clusters.cube, turn) if clusters.cube.numel() else clusters.cube
    return clusters._replace(counts=_turn(clusters.counts.float(), turn), cube=cube)


def _turn(maps: Tensor, turn: int) -> Tensor:
    result = torch.rot90(maps, turn % 4, (-2, -1))
    return result.flip(-1) if turn >= 4 else result


def _shifted(clusters: Clusters, most: int, generator: torch.Generator) -> Clusters:
    steps = (_uniform(2, generator) * (2 * most + 1)).long() - most
    down, right = (int(step) for step in steps)
    counts = _moved(clusters.counts.float(), down, right)
    cube = clusters.cube
    if cube.numel():
        share = cube.shape[-1] / counts.shape[-1]
        cube = _moved(cube, round(down * share), round(right * share))
    return clusters._replace(counts=counts, cube=cube)


def _moved(maps: Tensor, down: int, right: int) -> Tensor:
    """Move maps; what comes in is empty."""
    result = torch.roll(maps, (down, right), (-2, -1))
    for axis, step in ((-2, down), (-1, right)):
        if step:
            size = maps.shape[axis]
            empty = result.narrow(axis, 0 if step > 0 else size + step, abs(step))
            empty.zero_()
    return result


def _uniform(n: int, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator, device=generator.device)
