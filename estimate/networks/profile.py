"""A network on radial profiles: rings, the sectors of each in the order of their brightness.

Ordered sectors hold what clipping needs (point sources and subhaloes fill the last of them) and do
not know how a cluster is turned. What the rings say is read by convolutions along the radius.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from typing_extensions import override

from icmass.errors import InputError
from icmass.estimate.networks.base import Defaults, InputShape, Network, register

__all__ = ["ProfileNetwork"]

_SECTORS = 8
_RINGS = 12
_INNER_PIXELS = 1.5  # radius of the first disc, in pixels of the image
_OUTER = 0.5  # outermost radius over the side of the image: as far as rings are whole


@register
class ProfileNetwork(Network):
    """Ordered sectors of rings, convolved along the radius."""

    name = "profile"
    defaults = Defaults(("bands", "redshift", "exposure_s"), epochs=40)
    standardised_over: ClassVar[tuple[int, ...]] = (0,)
    turns_matter: ClassVar[bool] = False
    pixels: Tensor
    area: Tensor

    def __init__(self, shape: InputShape) -> None:
        super().__init__(shape)
        pixels, area = _sectors(shape)
        self.register_buffer("pixels", pixels, persistent=False)
        self.register_buffer("area", area, persistent=False)
        n_ring = area.shape[0] // _SECTORS
        n_in = shape.n_channel * _SECTORS
        self.along = nn.Sequential(
            nn.Conv1d(n_in, 32, 3, padding=1),
            nn.GELU(),
            nn.Conv1d(32, 32, 3, padding=1),
            nn.GELU(),
            nn.Flatten(),
        )
        self.dense = nn.Sequential(
            nn.Linear(32 * n_ring + shape.n_scalar, 128),
            nn.GELU(),
            nn.Dropout(0.1),
            nn.Linear(128, 64),
            nn.GELU(),
        )
        self.width = 64

    @override
    def prepare(self, counts: Tensor) -> Tensor:
        """Return ln(1 + counts of a ring like the sector), shape (n, n_channel * 8, n_ring)."""
        sums = counts.flatten(2) @ self.pixels
        n, n_channel, n_sector = sums.shape
        rings = (sums / self.area).reshape(n, n_channel, n_sector // _SECTORS, _SECTORS)
        whole = self.area.reshape(-1, _SECTORS).sum(dim=1)
        ordered = torch.sort(rings, dim=-1).values * whole[:, None]
        return torch.log1p(ordered).transpose(2, 3).flatten(1, 2)

    @override
    def forward(self, images: Tensor, scalars: Tensor, cube: Tensor) -> Tensor:
        """Return features (`Network.forward`)."""
        return self.dense(torch.cat([self.along(images), scalars], dim=1))


def _sectors(shape: InputShape) -> tuple[Tensor, Tensor]:
    """Return which pixels each sector holds, (n_pixel, n_sector), and its area in pixels.

    The first rings may be too small for every sector to hold a pixel: a pixel is therefore shared
    by its parts, 4 x 4 of them.
    """
    parts = 4
    y = (torch.arange(shape.n_y * parts) + 0.5) / parts - shape.n_y / 2
    x = (torch.arange(shape.n_x * parts) + 0.5) / parts - shape.n_x / 2
    radius = torch.hypot(y[:, None], x[None, :])
    turn = torch.atan2(y[:, None].expand_as(radius), x[None, :].expand_as(radius))
    # Sectors lie about axes and diagonals, so that no part is on an edge and turns change nothing.
    sector = torch.floor(turn / (2.0 * math.pi) * _SECTORS + 0.5).long() % _SECTORS
    outer = _OUTER * min(shape.n_y, shape.n_x)
    if outer <= 2.0 * _INNER_PIXELS:
        raise InputError(
            f"network 'profile': must see at least {int(4 * _INNER_PIXELS) + 2} x "
            f"{int(4 * _INNER_PIXELS) + 2} pixels; got {shape.n_y} x {shape.n_x}."
        )
    n_ring = min(_RINGS, int(outer / _INNER_PIXELS) + 1)
    edges = torch.cat([torch.zeros(1), torch.logspace(
        math.log10(_INNER_PIXELS), math.log10(outer), n_ring
    )])  # fmt: skip
    ring = torch.bucketize(radius, edges, right=True) - 1
    inside = ring < n_ring
    label = torch.where(inside, ring * _SECTORS + sector, n_ring * _SECTORS)
    pixel = (torch.arange(shape.n_y * parts) // parts)[:, None] * shape.n_x + (
        torch.arange(shape.n_x * parts) // parts
    )[None, :]
    share = torch.zeros(shape.n_y * shape.n_x, n_ring * _SECTORS + 1)
    share.index_put_(
        (pixel.flatten(), label.flatten()), torch.tensor(1.0 / parts**2), accumulate=True
    )
    share = share[:, :-1]
    return share, share.sum(dim=0)
