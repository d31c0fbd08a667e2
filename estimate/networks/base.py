"""What every network is: counts in, features out, and how it likes to be trained."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import torch
from torch import Tensor, nn

from icmass.errors import InputError
from icmass.names import nearest

__all__ = ["NETWORKS", "Defaults", "InputShape", "Network", "network_class", "register"]

#: Networks by name.
NETWORKS: Final[dict[str, type["Network"]]] = {}


@dataclass(frozen=True)
class InputShape:
    """What a network is given.

    Attributes
    ----------
    n_channel, n_y, n_x : int
        Of the images.
    pixel_kpc : float
        Side of a pixel, physical kpc (or arcsec, where images are in arcsec).
    n_scalar : int
        Number of observables.
    n_cell : int
        Cells on each side of the galaxy cube; 0 without galaxies.
    """

    n_channel: int
    n_y: int
    n_x: int
    pixel_kpc: float
    n_scalar: int
    n_cell: int = 0


@dataclass(frozen=True)
class Defaults:
    """How a network is trained unless the user wants it otherwise.

    Attributes
    ----------
    inputs : tuple of str
        As the user would write them.
    epochs, patience, batch_size : int
    learning_rate, weight_decay : float
    schedule : str
        constant, or one-cycle (warm up to the largest rate, then down to nothing).
    decoupled : bool
        Whether weights decay by themselves (AdamW) or through the loss (Adam with L2).
    """

    inputs: tuple[str, ...]
    epochs: int = 30
    patience: int = 20
    batch_size: int = 64
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    schedule: Literal["constant", "one-cycle"] = "one-cycle"
    decoupled: bool = True


class Network(nn.Module, ABC):
    """A network from what is seen of n clusters to n feature vectors.

    Counts first pass `prepare`, whose result is standardised by means and deviations over the
    training part and then given to `forward`.

    Parameters
    ----------
    shape : InputShape
    """

    name: ClassVar[str]
    defaults: ClassVar[Defaults]
    #: Axes of what `prepare` returns over which means and deviations are taken.
    standardised_over: ClassVar[tuple[int, ...]] = (0, 2, 3)
    #: Whether it looks at galaxies.
    sees_galaxies: ClassVar[bool] = False
    #: Whether a turned or mirrored image may give other features.
    turns_matter: ClassVar[bool] = True
    #: Number of features.
    width: int

    def __init__(self, shape: InputShape) -> None:
        super().__init__()
        self.shape = shape

    def prepare(self, counts: Tensor) -> Tensor:
        """Turn `counts`, shape (n, n_channel, n_y, n_x), into what is standardised: ln(x + 1)."""
        return torch.log1p(counts)

    @abstractmethod
    def forward(self, images: Tensor, scalars: Tensor, cube: Tensor) -> Tensor:
        """Return features.

        Parameters
        ----------
        images : Tensor
            Standardised result of `prepare`.
        scalars : Tensor, shape (n, n_scalar)
            Standardised observables.
        cube : Tensor, shape (n, n_cell, n_cell, n_cell)
            Standardised density of galaxies; of size 0 without.

        Returns
        -------
        Tensor, shape (n, width)
        """


def register(network: type[Network]) -> type[Network]:
    """Put `network` into the registry under its name."""
    NETWORKS[network.name] = network
    return network


def network_class(name: str) -> type[Network]:
    """Return the network of this `name`.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in NETWORKS:
        raise InputError(f"network '{name}': is not known; {nearest(name, sorted(NETWORKS))}.")
    return NETWORKS[name]
