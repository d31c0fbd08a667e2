"""What an estimator says of a mass: a number, a Gaussian, or a distribution of any shape.

A head turns features into a quantile function x(z) at fixed normal scores z (`SCORES`), the same
for all heads, in units of the standardised target. So all predictions are alike whatever the head.
"""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Final

import torch
from torch import Tensor, nn
from typing_extensions import override

from icmass.errors import InputError
from icmass.names import nearest

__all__ = ["HEADS", "SCORES", "FlowHead", "GaussianHead", "Head", "PointHead", "make_head"]

#: Normal scores at which distributions are given: -3 to 3.
SCORES: Final[tuple[float, ...]] = tuple(0.25 * k for k in range(-12, 13))

#: Heads by name.
HEADS: Final[dict[str, type["Head"]]] = {}


class Head(nn.Module, ABC):
    """From features, shape (n, width), to a distribution of the standardised target."""

    name: ClassVar[str]
    #: Whether it says a distribution, or a number to which validation data give a width.
    distribution: ClassVar[bool] = True
    score: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("score", torch.tensor(SCORES), persistent=False)

    @abstractmethod
    def loss(self, features: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each cluster, shape (n,).

        `features` have shape (n, width), the standardised `target` (n,).
        """

    @abstractmethod
    def quantiles(self, features: Tensor) -> Tensor:
        """Return x(z) of `features` at `SCORES`, shape (n, 25); the middle one is the median."""


def _register(head: type[Head]) -> type[Head]:
    HEADS[head.name] = head
    return head


@_register
class PointHead(Head):
    """A number, by the mean squared error; of unit width until validation data say better."""

    name = "point"
    distribution = False

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.linear = nn.Linear(width, 1)

    @override
    def loss(self, features: Tensor, target: Tensor) -> Tensor:
        """Return the squared error, shape (n,)."""
        return (self.linear(features)[:, 0] - target) ** 2

    @override
    def quantiles(self, features: Tensor) -> Tensor:
        """Return the number, and a unit Gaussian about it, shape (n, 25)."""
        return self.linear(features) + self.score


@_register
class GaussianHead(Head):
    """Mean and standard deviation, by the likelihood."""

    name = "gaussian"

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.linear = nn.Linear(width, 2)

    @override
    def loss(self, features: Tensor, target: Tensor) -> Tensor:
        """Return -ln p, shape (n,)."""
        mean, ln_std = self.mean_and_ln_std(features)
        z = (target - mean) * torch.exp(-ln_std)
        return 0.5 * z**2 + ln_std + 0.5 * math.log(2.0 * math.pi)

    @override
    def quantiles(self, features: Tensor) -> Tensor:
        """Return the Gaussian at `SCORES`, shape (n, 25)."""
        mean, ln_std = self.mean_and_ln_std(features)
        return mean[:, None] + torch.exp(ln_std)[:, None] * self.score

    def mean_and_ln_std(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and ln of the standard deviation that `features` give, shape (n,) each."""
        mean, raw = self.linear(features).unbind(dim=1)
        # Between 0.01 and 30 standard deviations of the sample: the loss stays finite.
        return mean, 4.0 * torch.tanh(raw / 4.0) - 0.5


@_register
class FlowHead(Head):
    """Any shape: a normalising flow of one dimension (zuko's neural spline flow), by likelihood."""

    name = "flow"

    def __init__(self, width: int) -> None:
        super().__init__(width)
        import zuko  # noqa: PLC0415  (slow to import, needed by this head alone)

        self.flow = zuko.flows.NSF(
            features=1, context=width + 1, transforms=1, hidden_features=(64,), bins=6
        )
        # The spline is the identity beyond +-5 of its argument, so a Gaussian goes before it.
        self.base = GaussianHead(width)

    @override
    def loss(self, features: Tensor, target: Tensor) -> Tensor:
        """Return -ln p, shape (n,)."""
        mean, ln_std = self.base.mean_and_ln_std(features)
        z = (target - mean) * torch.exp(-ln_std)
        context = torch.cat([features, ln_std[:, None]], dim=1)
        return ln_std - self.flow(context).log_prob(z[:, None])

    @override
    def quantiles(self, features: Tensor) -> Tensor:
        """Return the distribution at `SCORES`, shape (n, 25)."""
        mean, ln_std = self.base.mean_and_ln_std(features)
        context = torch.cat([features, ln_std[:, None]], dim=1)
        n, k = len(features), len(self.score)
        transform = self.flow(context.repeat_interleave(k, dim=0)).transform
        z = transform.inv(self.score.repeat(n)[:, None])[:, 0].reshape(n, k)
        return mean[:, None] + torch.exp(ln_std)[:, None] * z


def make_head(name: str, width: int) -> Head:
    """Return a new head of this `name` on so many features (`width`).

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in HEADS:
        raise InputError(f"head '{name}': is not known; {nearest(name, sorted(HEADS))}.")
    return HEADS[name](width)
