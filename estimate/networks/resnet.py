"""A small residual network whose features are read ring by ring about the cluster centre.

What decides a mass are counts at certain radii, without point sources and clumps. Convolutions see
the latter; averages over rings, smooth in ln r, keep the radius, which global pooling would lose,
and do not know how a cluster is turned. Any number of channels will do.
"""

import math

import torch
from torch import Tensor, nn
from typing_extensions import override

from icmass.errors import InputError
from icmass.estimate.networks.base import Defaults, InputShape, Network, register

__all__ = ["ResNet", "RingPooling"]

_HALF_WIDTH_KPC = 1650.0  # R500c of the most massive clusters
_PIXEL_KPC = 100.0  # what the telescope resolves at the median redshift
_RINGS = 8
_LEAST_PIXELS = 8
_WIDTH = 16


@register
class ResNet(Network):
    """Residual blocks and ring pooling on the central part of the image."""

    name = "resnet"
    defaults = Defaults(("bands", "redshift", "exposure_s"), epochs=40)
    ln_radius: Tensor

    def __init__(self, shape: InputShape) -> None:
        super().__init__(shape)
        self.cut, self.factor = _central_part(shape)
        n_y, n_x = (side // self.factor for side in self.cut)
        if min(n_y, n_x) < _LEAST_PIXELS:
            raise InputError(
                f"network 'resnet': must see at least {_LEAST_PIXELS} x {_LEAST_PIXELS} pixels in "
                f"the central part; got {n_y} x {n_x} of {shape.n_y} x {shape.n_x}. Give images of "
                "more pixels."
            )
        pixel = shape.pixel_kpc * self.factor
        radius = _radius(n_y, n_x, pixel)
        self.register_buffer("ln_radius", torch.log(radius / 500.0)[None, None], persistent=False)
        self.stem = nn.Sequential(nn.Conv2d(shape.n_channel + 1, _WIDTH, 3, padding=1), nn.GELU())
        self.blocks = nn.Sequential(_Block(_WIDTH, _WIDTH, 2), _Block(_WIDTH, 2 * _WIDTH, 1))
        self.pool_input = RingPooling(radius, pixel)
        self.pool = RingPooling(_radius((n_y + 1) // 2, (n_x + 1) // 2, 2.0 * pixel), 2.0 * pixel)
        n_pooled = _RINGS * (shape.n_channel + 2 * _WIDTH)
        self.dense = nn.Sequential(
            nn.Linear(n_pooled + shape.n_scalar, 128),
            nn.GELU(),
            nn.Dropout(0.1),
            nn.Linear(128, 64),
            nn.GELU(),
        )
        self.width = 64

    @override
    def prepare(self, counts: Tensor) -> Tensor:
        """Return ln(x + 1) of the central part, in larger pixels."""
        n_y, n_x = self.cut
        top, left = (counts.shape[2] - n_y) // 2, (counts.shape[3] - n_x) // 2
        part = counts[:, :, top : top + n_y, left : left + n_x]
        if self.factor > 1:
            part = nn.functional.avg_pool2d(part, self.factor) * self.factor**2
        return torch.log1p(part)

    @override
    def forward(self, images: Tensor, scalars: Tensor, cube: Tensor) -> Tensor:
        """Return features (`Network.forward`)."""
        radius = self.ln_radius.expand(len(images), -1, -1, -1)
        features = self.blocks(self.stem(torch.cat([images, radius], dim=1)))
        pooled = [self.pool_input(images), self.pool(features), scalars]
        return self.dense(torch.cat(pooled, dim=1))


class RingPooling(nn.Module):
    """Averages over rings, Gaussian in ln r and evenly spaced there.

    Parameters
    ----------
    radius : Tensor, shape (n_y, n_x)
        Of pixel centres.
    pixel : float
        Side of a pixel; the innermost ring is the centre.
    """

    weight: Tensor

    def __init__(self, radius: Tensor, pixel: float) -> None:
        super().__init__()
        ln_radius = torch.log(radius.clamp(min=0.3 * pixel))
        inner, outer = float(ln_radius.min()), float(torch.log(radius.max() / math.sqrt(2.0)))
        centre = torch.linspace(inner, outer, _RINGS)
        spacing = (outer - inner) / (_RINGS - 1)
        weight = torch.exp(-0.5 * ((ln_radius.flatten() - centre[:, None]) / spacing) ** 2)
        self.register_buffer("weight", weight / weight.sum(dim=1, keepdim=True), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return averages, shape (n, n_channel * n_ring), of maps `x`, (n, n_channel, n_y, n_x)."""
        return torch.flatten(x.flatten(2) @ self.weight.T, 1)


class _Block(nn.Module):
    """Two convolutions, added to what they were given."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False),
            nn.GroupNorm(4, n_out),
            nn.GELU(),
            nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False),
            nn.GroupNorm(4, n_out),
        )
        self.keep = nn.Sequential(
            nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity(),
            nn.Conv2d(n_in, n_out, 1, bias=False) if n_in != n_out else nn.Identity(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.gelu(self.keep(x) + self.change(x))


def _central_part(shape: InputShape) -> tuple[tuple[int, int], int]:
    """Return the sides of the central part and how many pixels on a side make one."""
    factor = max(round(_PIXEL_KPC / shape.pixel_kpc), 1)
    if (shape.n_y % 2 or shape.n_x % 2) and factor % 2 == 0:
        factor -= 1  # an even part of odd pixels has no common centre with them
    wanted = 2 * round(_HALF_WIDTH_KPC / (shape.pixel_kpc * factor)) * factor
    cut_y, cut_x = (min(wanted, side // factor * factor) for side in (shape.n_y, shape.n_x))
    # The part must lie evenly about the centre.
    cut_y -= factor * ((shape.n_y - cut_y) % 2)
    cut_x -= factor * ((shape.n_x - cut_x) % 2)
    return (cut_y, cut_x), factor


def _radius(n_y: int, n_x: int, pixel: float) -> Tensor:
    y = (torch.arange(n_y) - (n_y - 1) / 2) * pixel
    x = (torch.arange(n_x) - (n_x - 1) / 2) * pixel
    return torch.hypot(y[:, None], x[None, :])
