"""The estimator that is trained: counts to standardised inputs, to features, to ln M.

Everything between the photons of a catalog and ln M is inside one module, the normalisation learnt
on the training part with it. So an estimator needs its weights and nothing else, and derivatives
can be taken by photons (`Estimator.forward`) as well as by standardised inputs (`standardise`).
"""

import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from icmass.estimate.heads import SCORES, make_head
from icmass.estimate.inputs import Inputs
from icmass.estimate.networks import InputShape, Network, network_class
from icmass.estimate.reading import Clusters, HeldReader, Reader

__all__ = ["Estimator", "Standardised", "input_shape", "learn_normalisation", "tensors"]

#: Photons to which images are scaled (Ho et al. 2023).
PIVOT_PHOTONS: Final = 4000.0
_KPC_PER_ARCSEC: Final = 3.9  # at z = 0.25, for images in arcsec
_BATCH: Final = 256


class Standardised(NamedTuple):
    """What a network sees: images, shape as its `prepare` makes them, scalars and cube."""

    images: Tensor
    scalars: Tensor
    cube: Tensor


class Estimator(nn.Module):
    """Network, head, and the normalisation of what goes in and comes out.

    Parameters
    ----------
    network, head : str
        Names in their registries.
    inputs : Inputs
        What is seen.
    redshift_scaling : bool
        Whether images are scaled to `PIVOT_PHOTONS` by a fit of counts on redshift.
    """

    image_mean: Tensor
    image_scale: Tensor
    scalar_mean: Tensor
    scalar_scale: Tensor
    cube_mean: Tensor
    cube_scale: Tensor
    target_mean: Tensor
    target_scale: Tensor
    redshift_fit: Tensor
    feature_mean: Tensor
    feature_whitening: Tensor

    def __init__(
        self, network: str, head: str, inputs: Inputs, *, redshift_scaling: bool = False
    ) -> None:
        super().__init__()
        shape = input_shape(inputs)
        self.redshift_scaling = redshift_scaling
        self.network: Network = network_class(network)(shape)
        for layer in self.network.modules():
            if isinstance(layer, nn.Conv2d):  # what processors convolve fastest
                layer.weight.data = layer.weight.contiguous(memory_format=torch.channels_last)
        self.head = make_head(head, self.network.width)
        with torch.no_grad():
            empty = torch.zeros(1, shape.n_channel, shape.n_y, shape.n_x)
            prepared = self.network.prepare(empty)
        over = self.network.standardised_over
        size = [1 if axis in over else n for axis, n in enumerate(prepared.shape)]
        for name, sizes in {
            "image": size,
            "scalar": [1, shape.n_scalar],
            "cube": [1],
            "target": [1],
        }.items():
            self.register_buffer(f"{name}_mean", torch.zeros(sizes))
            self.register_buffer(f"{name}_scale", torch.ones(sizes))
        # log10 N = first + second z
        self.register_buffer("redshift_fit", torch.tensor([math.log10(PIVOT_PHOTONS), 0.0]))
        # Where features of the training part lie: mean, and the inverse root of their covariance.
        width = self.network.width
        self.register_buffer("feature_mean", torch.zeros(width))
        self.register_buffer("feature_whitening", torch.eye(width))

    def prepared(self, clusters: Clusters) -> Tensor:
        """Return images of `clusters` as the network prepares them, not yet standardised.

        Their shape is that of `Network.prepare`: (n, n_channel, n_y, n_x) for most networks.
        """
        counts = clusters.counts.float()
        if self.redshift_scaling:
            log_n = self.redshift_fit[0] + self.redshift_fit[1] * clusters.redshift
            counts = counts * (PIVOT_PHOTONS * 10.0**-log_n)[:, None, None, None]
        return self.network.prepare(counts)

    def standardise(self, clusters: Clusters) -> Standardised:
        """Return what the network sees of `clusters`."""
        images = (self.prepared(clusters) - self.image_mean) * self.image_scale
        if images.dim() == 4:
            images = images.contiguous(memory_format=torch.channels_last)
        return Standardised(
            images,
            (clusters.scalars - self.scalar_mean) * self.scalar_scale,
            (_cube_contrast(clusters.cube) - self.cube_mean) * self.cube_scale,
        )

    def features(self, seen: Standardised) -> Tensor:
        """Return features of what is `seen`, shape (n, width)."""
        result: Tensor = self.network(*seen)
        return result

    def loss(self, clusters: Clusters, ln_mass: Tensor) -> Tensor:
        """Return the loss of each of `clusters` against its true `ln_mass`, shape (n,)."""
        target = (ln_mass - self.target_mean) / self.target_scale
        return self.head.loss(self.features(self.standardise(clusters)), target)

    def quantiles(self, features: Tensor) -> Tensor:
        """Return ln M500c/Msun of `features` at the normal scores `SCORES`, shape (n, 25)."""
        return self.head.quantiles(features) * self.target_scale + self.target_mean

    def forward(self, clusters: Clusters) -> Tensor:
        """Return the median of ln M500c/Msun of `clusters`, shape (n,)."""
        return self.quantiles(self.features(self.standardise(clusters)))[:, len(SCORES) // 2]

    def strangeness(self, features: Tensor) -> Tensor:
        """Return how far `features`, shape (n, width), are from the training part's, shape (n,).

        Mahalanobis distance over the root of the number of dimensions: near 1 for clusters like
        those of the training part.
        """
        white = (features - self.feature_mean) @ self.feature_whitening
        kept = max(int((self.feature_whitening.abs().sum(dim=0) > 0).sum()), 1)
        return white.square().sum(dim=1).div(kept).sqrt()

    def learn_features(self, features: Tensor) -> None:
        """Remember where `features` of the training part, shape (n, width), lie."""
        centred = features.double() - features.double().mean(dim=0)
        covariance = centred.T @ centred / max(len(features) - 1, 1)
        value, vector = torch.linalg.eigh(covariance)
        # Directions in which the training part hardly varies would make everything strange.
        used = value > 1e-4 * value.max().clamp(min=1e-12)
        root = torch.where(used, value.clamp(min=1e-30).rsqrt(), torch.zeros_like(value))
        self.feature_mean.copy_(features.mean(dim=0))
        self.feature_whitening.copy_(vector * root)


@dataclass
class _Moments:
    """Sums for mean and standard deviation over batches, about the first value."""

    over: tuple[int, ...]
    n: float = 0.0
    origin: Tensor | None = None
    first: Any = 0.0
    second: Any = 0.0

    def add(self, x: Tensor) -> None:
        x = x.double()
        if self.origin is None:
            self.origin = x.mean(dim=self.over, keepdim=True)
        moved = x - self.origin
        self.n += x.numel() / max(self.origin.numel(), 1)
        self.first = self.first + moved.sum(dim=self.over, keepdim=True)
        self.second = self.second + moved.square().sum(dim=self.over, keepdim=True)

    def mean_and_scale(self) -> tuple[Tensor, Tensor]:
        """Return mean, and 1/std; 0 where nothing varies, so that it is left out."""
        shift = self.first / self.n
        std = (self.second / self.n - shift**2).clamp(min=0.0).sqrt()
        scale = torch.where(std > 1e-5, 1.0 / std.clamp(min=1e-30), torch.zeros_like(std))
        return self.origin + shift, scale


def learn_normalisation(
    estimator: Estimator,
    reader: Reader | HeldReader,
    rows: NDArray[np.int64],
    ln_mass: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> None:
    """Set the normalisation of an estimator from the training part.

    Parameters
    ----------
    estimator : Estimator
    reader : Reader or HeldReader
    rows : ndarray of int, shape (n,)
        Of the training part, and of nothing else.
    ln_mass : ndarray, shape (n,)
        Truth.
    weight : ndarray, shape (n,)
        How often each is drawn; the target is standardised as it is drawn.
    """
    if estimator.redshift_scaling:
        estimator.redshift_fit.copy_(_fit_counts(reader, rows))
    images = _Moments(estimator.network.standardised_over)
    scalars, cube = _Moments((0,)), _Moments((0, 1, 2, 3))
    generator = torch.Generator().manual_seed(0)  # noise is a part of what is standardised
    with torch.no_grad():
        for start in range(0, len(rows), _BATCH):
            clusters = tensors(reader.read(rows[start : start + _BATCH]))
            if clusters.rates.numel():
                counts = torch.poisson(clusters.rates.sum(dim=1), generator=generator)
                clusters = clusters._replace(counts=counts)
            images.add(estimator.prepared(clusters))
            scalars.add(clusters.scalars)
            if clusters.cube.numel():
                cube.add(_cube_contrast(clusters.cube))
    parts = {"image": images, "scalar": scalars} | ({"cube": cube} if cube.n else {})
    for name, moments in parts.items():
        mean, scale = moments.mean_and_scale()
        buffer = getattr(estimator, f"{name}_mean")
        buffer.copy_(mean.reshape(buffer.shape))
        getattr(estimator, f"{name}_scale").copy_(scale.reshape(buffer.shape))
    centre = float(np.average(ln_mass, weights=weight))
    std = math.sqrt(float(np.average((ln_mass - centre) ** 2, weights=weight)))
    estimator.target_mean.fill_(centre)
    estimator.target_scale.fill_(max(std, 1e-3))


def input_shape(inputs: Inputs) -> InputShape:
    """Return the shape of `inputs` that a network is told."""
    return InputShape(
        n_channel=len(inputs.channels),
        n_y=inputs.n_y,
        n_x=inputs.n_x,
        pixel_kpc=inputs.pixel * (1.0 if inputs.unit == "kpc" else _KPC_PER_ARCSEC),
        n_scalar=len(inputs.scalars),
        n_cell=0 if inputs.cube is None else inputs.cube.n,
    )


def tensors(clusters: Clusters) -> Clusters:
    """Return `clusters` of arrays as tensors, without a copy where the types allow."""
    counts = clusters.counts
    if counts.dtype not in (np.uint16, np.float32):
        counts = counts.astype(np.float32)
    return Clusters(*(torch.from_numpy(part) for part in clusters._replace(counts=counts)))


def _cube_contrast(cube: Tensor) -> Tensor:
    """Return ln(1 + density over its mean)."""
    return torch.log1p(cube * float(cube[0].numel())) if cube.numel() else cube


def _fit_counts(reader: Reader | HeldReader, rows: NDArray[np.int64]) -> Tensor:
    """Return intercept and slope of log10 N on z, by least squares."""
    log_n, redshift = [], []
    for start in range(0, len(rows), _BATCH):
        clusters = reader.read(rows[start : start + _BATCH])
        photons = clusters.counts.sum(axis=(1, 2, 3), dtype=np.float64)
        if clusters.rates.size:
            photons = clusters.rates.sum(axis=(1, 2, 3, 4), dtype=np.float64)
        log_n.append(np.log10(np.maximum(photons, 1.0)))
        redshift.append(clusters.redshift)
    slope, intercept = np.polyfit(np.concatenate(redshift), np.concatenate(log_n), 1)
    return torch.tensor([intercept, slope], dtype=torch.float32)
