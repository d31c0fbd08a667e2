"""With respect to what networks are explained: ln(1 + N) of pixels, photons N, or galaxies.

- ``inputs``: x = ln(1 + N) of each pixel and channel, which networks work on. A gradient is
  d ln M / d ln(1 + N), a slope that has no unit.
- ``photons``: x = N. A gradient is what one more photon in that pixel does to ln M.
- ``galaxies``: x is the cube of galaxies (n, v, y, x), whose cells sum to 1 over a cluster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from icmass.errors import InputError
from icmass.interpret.subject import Seen, Subject
from icmass.names import nearest

__all__ = [
    "GRADIENT_UNITS",
    "SPACES",
    "Function",
    "function",
    "others",
    "require_space",
    "variable",
]

#: Spaces by name, and the unit of a gradient of ln M in each.
GRADIENT_UNITS: Final[dict[str, str]] = {
    "inputs": "d ln M / d ln(1 + N)",
    "photons": "d ln M / dN",
    "galaxies": "d ln M / d(density of galaxies)",
}
SPACES: Final[tuple[str, ...]] = tuple(GRADIENT_UNITS)


@dataclass(frozen=True)
class Function:
    """What networks say of x: f(x, *others), shape (n,), in ln M.

    Each number depends on its own cluster alone, so that clusters can be repeated and joined in one
    batch, with `others` (of `others`) repeated alike.

    Attributes
    ----------
    subject : Subject
    networks : tuple of nn.Module
        f is the mean over them.
    space : str
        What x is.
    """

    subject: Subject
    networks: tuple[nn.Module, ...]
    space: str

    def __call__(self, x: Tensor, *beside: Any) -> Tensor:
        """Return f, shape (n,)."""
        kind, *parts = beside
        field = "cube" if self.space == "galaxies" else "counts"
        seen = kind(*parts)._replace(**{field: torch.expm1(x) if self.space == "inputs" else x})
        value = self.subject.value(self.networks, seen)
        if x.requires_grad and not value.requires_grad:  # networks that do not look at x
            return value + 0.0 * x.flatten(1).sum(dim=1)
        return value


def function(subject: Subject, networks: Sequence[nn.Module], space: str) -> Function:
    """Return what networks say as a function of x.

    Parameters
    ----------
    subject : Subject
    networks : sequence of nn.Module
        As `Subject.batches` yields them.
    space : str
        One of `SPACES`.

    Raises
    ------
    InputError
        If there is no such space.
    """
    require_space(space)
    return Function(subject, tuple(networks), space)


def variable(seen: Seen, space: str) -> Tensor:
    """Return x of what is `seen` of clusters in a `space`, in floating point.

    Its shape is (n, n_channel, n_y, n_x), or (n, v, y, x) of the cube of galaxies.

    Raises
    ------
    InputError
        If there is no such space, or the networks do not look at galaxies.
    """
    require_space(space)
    if space == "galaxies":
        if not seen.cube.numel():
            raise InputError(
                "space: must be inputs or photons for networks that do not look at galaxies; got "
                "galaxies. Train with galaxies among the inputs."
            )
        return seen.cube.float()
    counts = seen.counts.float()
    return torch.log1p(counts) if space == "inputs" else counts


def others(seen: Seen, space: str) -> tuple[Any, ...]:
    """Return what stands beside x of a `space` in `Function`: the kind of `seen`, and its tensors.

    In place of x there is an empty tensor, so that nothing is repeated in vain.
    """
    field = "cube" if space == "galaxies" else "counts"
    empty = torch.empty((len(seen.counts), 0), device=seen.counts.device)
    parts = seen._replace(**{field: empty})
    return type(seen), *(part.float() for part in parts)


def require_space(space: str) -> None:
    """Refuse a `space` that there is not.

    Raises
    ------
    InputError
        Naming those that there are.
    """
    if space not in SPACES:
        raise InputError(
            f"space: must be {', '.join(SPACES)}; got '{space}'; {nearest(space, SPACES)}."
        )
