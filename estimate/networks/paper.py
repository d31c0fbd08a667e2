"""The networks of Ho et al. 2023 (arXiv 2303.00005), layer by layer.

Observables, which the study did not give, join the images where they become a vector; without any
the networks are the study's. Its L2 of 1e-4 adds 1e-4 w^2 to the loss, which Adam's weight decay of
2e-4 does as well. Where the study leaves room (the multimodal branch) the choice is said.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from typing_extensions import override

from icmass.errors import InputError
from icmass.estimate.networks.base import Defaults, InputShape, Network, register

__all__ = ["PaperMultiband", "PaperMultimodal", "PaperSingle"]

_DROPOUT = 0.1


def _defaults(*inputs: str) -> Defaults:
    return Defaults(
        (*inputs, "redshift", "exposure_s"),
        epochs=200,
        patience=20,
        batch_size=50,
        learning_rate=1e-3,
        weight_decay=2e-4,
        schedule="constant",
        decoupled=False,
    )


class _PaperImages(Network):
    """Convolutions on images, then dense layers."""

    def __init__(self, shape: InputShape) -> None:
        super().__init__(shape)
        self.convolutions, n_flat = _image_branch(shape)
        self.dense = _dense(n_flat + shape.n_scalar, 128, 128, 64)
        self.width = 64

    @override
    def forward(self, images: Tensor, scalars: Tensor, cube: Tensor) -> Tensor:
        """Return features (`Network.forward`)."""
        flat = self.convolutions(images)
        return self.dense(torch.cat([flat, scalars], dim=1))


@register
class PaperSingle(_PaperImages):
    """The study's network on one image of all photons."""

    name = "paper-single"
    defaults = _defaults("all")


@register
class PaperMultiband(_PaperImages):
    """The study's network on one image per band."""

    name = "paper-multiband"
    defaults = _defaults("bands")


@register
class PaperMultimodal(Network):
    """The study's network on images per band and on galaxies.

    The 3-D branch sees the galaxy cube with the X-ray image beside it: the mean of the channels,
    brought to the cells of the cube, as a second channel that does not depend on velocity. Its
    layers are those of the image branch in three dimensions, with fewer filters and poolings of 4
    and 2.
    """

    name = "paper-multimodal"
    defaults = _defaults("bands", "galaxies")
    sees_galaxies = True

    def __init__(self, shape: InputShape) -> None:
        super().__init__(shape)
        if not shape.n_cell:
            raise InputError(
                "network 'paper-multimodal': must see galaxies; add galaxies to the inputs, or "
                "take paper-multiband."
            )
        self.convolutions, n_image = _image_branch(shape)
        self.galaxy_convolutions = nn.Sequential(
            nn.AvgPool3d(2),
            nn.Conv3d(2, 8, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool3d(2),
            nn.Conv3d(8, 10, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool3d(2),
            nn.Flatten(),
        )
        n_cube = 10 * (shape.n_cell // 8) ** 3
        self.galaxy_dense = nn.Sequential(nn.Dropout(_DROPOUT), _dense(n_cube, 64))
        self.image_dense = nn.Sequential(nn.Dropout(_DROPOUT), _dense(n_image, 128))
        self.dense = nn.Sequential(
            _dense(128 + 64 + shape.n_scalar, 128), nn.Dropout(_DROPOUT), _dense(128, 64)
        )
        self.width = 64

    @override
    def forward(self, images: Tensor, scalars: Tensor, cube: Tensor) -> Tensor:
        """Return features (`Network.forward`)."""
        cells = self.shape.n_cell
        mean = images.mean(dim=1, keepdim=True)
        seen = nn.functional.interpolate(mean, (cells, cells), mode="area")
        both = torch.stack([cube, seen.expand(-1, cells, -1, -1)], dim=1)
        parts = [
            self.image_dense(self.convolutions(images)),
            self.galaxy_dense(self.galaxy_convolutions(both)),
            scalars,
        ]
        return self.dense(torch.cat(parts, dim=1))


def _image_branch(shape: InputShape) -> tuple[nn.Sequential, int]:
    """Return the convolutions of the study, and how many numbers they leave of an image."""
    if min(shape.n_y, shape.n_x) < 8:
        raise InputError(
            f"network: must see at least 8 x 8 pixels; got {shape.n_y} x {shape.n_x}. Give images "
            "of more pixels."
        )
    layers = nn.Sequential(
        nn.Conv2d(shape.n_channel, 24, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(24, 10, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(4),
        nn.Conv2d(10, 24, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(24, 10, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
    )
    return layers, 10 * (shape.n_y // 4 // 2) * (shape.n_x // 4 // 2)


def _dense(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers)
