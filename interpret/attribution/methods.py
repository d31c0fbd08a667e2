"""How much each pixel matters: methods of attribution, each by its name, from Captum.

What they say has the sign of its effect on ln M; saliency in the sense of the study is the absolute
value. All of them ask networks of batches of bounded size.
"""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from icmass.errors import InputError
from icmass.interpret.attribution.grad_cam import grad_cam
from icmass.interpret.attribution.question import Question
from icmass.interpret.attribution.spaces import GRADIENT_UNITS, SPACES
from icmass.names import nearest

__all__ = [
    "METHODS",
    "GradCam",
    "InputXGradient",
    "IntegratedGradients",
    "Method",
    "Occlusion",
    "Saliency",
    "SmoothGrad",
    "make_method",
]

#: Methods by name.
METHODS: Final[dict[str, type["Method"]]] = {}


class Method(ABC):
    """A method of attribution; its settings are fields of a frozen dataclass."""

    name: ClassVar[str]
    #: Whether what it says is a derivative, or else a part of ln M.
    is_gradient: ClassVar[bool] = False
    #: Whether it compares clusters with a baseline; others leave the baseline alone.
    uses_baseline: ClassVar[bool] = False
    #: Whether the sum over a cluster is meant to be its difference from the baseline.
    is_complete: ClassVar[bool] = False
    #: Spaces in which it can be asked.
    spaces: ClassVar[tuple[str, ...]] = SPACES

    @abstractmethod
    def attribute(self, question: Question) -> Tensor:
        """Return attributions of the clusters of a `question`, of the shape of its x."""

    def settings(self) -> dict[str, Any]:
        """Return the settings by name."""
        return asdict(self)  # type: ignore[call-overload]

    def unit(self, space: str) -> str:
        """Return the unit of attributions in a `space`, for ln M as what is explained."""
        return GRADIENT_UNITS[space] if self.is_gradient else "ln M"

    def require(self, space: str, shape: tuple[int, ...]) -> None:
        """Refuse what cannot be asked of x in a `space`, of this `shape` for one cluster.

        Raises
        ------
        InputError
            Saying where the method can be asked.
        """
        if space not in self.spaces:
            raise InputError(
                f"{self.name}: must be asked in the space {' or '.join(self.spaces)}; got {space}."
            )


def _register(method: type[Method]) -> type[Method]:
    METHODS[method.name] = method
    return method


@_register
@dataclass(frozen=True)
class Saliency(Method):
    """The gradient, with its sign (Simonyan et al. 2013, arXiv 1312.6034, take its size).

    Networks that order or compare pixels have no single slope where these hold the same photons, as
    dark ones do; one of the possible slopes is given.
    """

    name: ClassVar[str] = "saliency"
    is_gradient: ClassVar[bool] = True

    @override
    def attribute(self, question: Question) -> Tensor:
        """Return df/dx."""
        from captum.attr import Saliency as Captum  # noqa: PLC0415  (slow to import)

        method = Captum(question.ask)
        return method.attribute(
            question.leaf(), abs=False, additional_forward_args=question.others
        ).detach()


@_register
@dataclass(frozen=True)
class InputXGradient(Method):
    """The gradient times x: what a pixel does if all is linear (arXiv 1605.01713)."""

    name: ClassVar[str] = "input-x-gradient"

    @override
    def attribute(self, question: Question) -> Tensor:
        """Return x df/dx."""
        from captum.attr import InputXGradient as Captum  # noqa: PLC0415

        method = Captum(question.ask)
        return method.attribute(question.leaf(), additional_forward_args=question.others).detach()


@_register
@dataclass(frozen=True)
class IntegratedGradients(Method):
    """The gradient along the straight way from the baseline (Sundararajan+17, arXiv 1703.01365).

    Attributes
    ----------
    n_steps : int
        Points of the Gauss-Legendre quadrature; each costs as much as a saliency. Networks with
        kinks (ReLU, maxima) need hundreds for 1%, smooth ones tens: `completeness` tells.
    """

    name: ClassVar[str] = "integrated-gradients"
    uses_baseline: ClassVar[bool] = True
    is_complete: ClassVar[bool] = True
    n_steps: int = 50

    def __post_init__(self) -> None:
        _at_least("integrated-gradients: n_steps", self.n_steps, 2)

    @override
    def attribute(self, question: Question) -> Tensor:
        """Return (x - baseline) times the mean gradient on the way."""
        from captum.attr import IntegratedGradients as Captum  # noqa: PLC0415

        method = Captum(question.function)
        return method.attribute(
            question.x,
            question.baseline,
            additional_forward_args=question.others,
            n_steps=self.n_steps,
            internal_batch_size=max(question.batch_size, len(question.x)),
        ).detach()


@_register
@dataclass(frozen=True)
class SmoothGrad(Method):
    """The mean gradient of noisy copies (Smilkov et al. 2017, arXiv 1706.03825).

    Noise is drawn for each cluster by its key, so that it does not depend on what else is asked;
    Captum's NoiseTunnel draws it for the batch. Photons and galaxies are never below zero: noise
    that would take a pixel there ends at zero.

    Attributes
    ----------
    n_samples : int
    noise : float
        Standard deviation, over the range of x of the cluster.
    seed : int
    """

    name: ClassVar[str] = "smoothgrad"
    is_gradient: ClassVar[bool] = True
    n_samples: int = 16
    noise: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        _at_least("smoothgrad: n_samples", self.n_samples, 1)
        _at_least("smoothgrad: seed", self.seed, 0)
        if not 0.0 < self.noise < np.inf:
            raise InputError(f"smoothgrad: noise must be above 0; got {self.noise:g}.")

    @override
    def attribute(self, question: Question) -> Tensor:
        """Return the mean of df/dx at x and noise."""
        from captum.attr import Saliency as Captum  # noqa: PLC0415

        method, x = Captum(question.function), question.x
        over = tuple(range(1, x.dim()))
        scale = self.noise * (x.amax(dim=over, keepdim=True) - x.amin(dim=over, keepdim=True))
        generators = question.generators(self.seed)
        total = torch.zeros_like(x)
        for _ in range(self.n_samples):
            noise = [one.standard_normal(x.shape[1:], np.float32) for one in generators]
            noisy = (x + scale * torch.from_numpy(np.stack(noise)).to(x)).clamp(min=0.0)
            total += method.attribute(
                noisy.requires_grad_(), abs=False, additional_forward_args=question.others
            )
        return total / self.n_samples


@_register
@dataclass(frozen=True)
class Occlusion(Method):
    """What ln M loses when a window becomes the baseline (Zeiler & Fergus, arXiv 1311.2901).

    Each pixel is given what its whole window does, the mean over windows where several hold it. A
    window is one channel deep; of the cube, as deep as it is wide. Differences below 1e-5 are the
    rounding of ln M.

    Attributes
    ----------
    window : int
        Side in pixels of the networks.
    stride : int or None
        Pixels from a window to the next, at most `window`; None for windows side by side.
    """

    name: ClassVar[str] = "occlusion"
    uses_baseline: ClassVar[bool] = True
    window: int = 8
    stride: int | None = None

    def __post_init__(self) -> None:
        _at_least("occlusion: window", self.window, 1)
        if self.stride is not None:
            _at_least("occlusion: stride", self.stride, 1)
            if self.stride > self.window:
                raise InputError(
                    f"occlusion: stride must be at most the window of {self.window} pixels; got "
                    f"{self.stride}."
                )

    @override
    def require(self, space: str, shape: tuple[int, ...]) -> None:
        """Refuse windows larger than the image (`Method.require`)."""
        super().require(space, shape)
        if self.window > min(shape[-2:]):
            raise InputError(
                f"occlusion: window must be at most {min(shape[-2:])} pixels; got {self.window}."
            )

    @override
    def attribute(self, question: Question) -> Tensor:
        """Return f(x) - f(x without the window)."""
        from captum.attr import Occlusion as Captum  # noqa: PLC0415

        stride = self.stride or self.window
        cube = question.function.space == "galaxies"
        method = Captum(question.function)
        return method.attribute(
            question.x,
            (self.window if cube else 1, self.window, self.window),
            strides=(stride if cube else 1, stride, stride),
            baselines=question.baseline,
            additional_forward_args=question.others,
            perturbations_per_eval=max(question.batch_size // len(question.x), 1),
        ).detach()


@_register
@dataclass(frozen=True)
class GradCam(Method):
    """Maps of the last convolutions, weighted by their mean gradients (arXiv 1610.02391).

    Coarse, up to a constant, and the same for all channels, which it does not tell apart; positive
    where a map raises ln M, negative where it lowers it.
    """

    name: ClassVar[str] = "grad-cam"
    spaces: ClassVar[tuple[str, ...]] = ("inputs", "photons")

    @override
    def attribute(self, question: Question) -> Tensor:
        """Return the weighted maps, brought to the pixels they look at."""
        return grad_cam(question)

    @override
    def unit(self, space: str) -> str:
        """Return that there is none."""
        return "ln M, up to a constant"


def make_method(method: str | Method, **settings: Any) -> Method:
    """Return the method of a name, with `settings`; a `method` as it is.

    Raises
    ------
    InputError
        If there is no such method, or it has no such setting.
    """
    if isinstance(method, Method):
        return method
    if method not in METHODS:
        raise InputError(f"method '{method}': is not known; {nearest(method, sorted(METHODS))}.")
    names = list(METHODS[method]().settings())
    for name in settings:
        if name not in names:
            raise InputError(f"{method}: has no setting '{name}'; {nearest(name, names)}.")
    return METHODS[method](**settings)


def _at_least(what: str, value: int, least: int) -> None:
    if not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"{what} must be a whole number, at least {least}; got {value}.")
