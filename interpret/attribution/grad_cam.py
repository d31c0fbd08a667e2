"""Grad-CAM of networks that nobody here knows: where their last maps are, and what these look at.

A network may cut its central part out of the image, or see larger pixels. Its maps are therefore
spread over those pixels that move them, which are found by derivatives.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from icmass.errors import InputError
from icmass.interpret.attribution.question import Question
from icmass.interpret.attribution.spaces import Function

__all__ = ["grad_cam", "last_maps"]

_TRIED = 4  # clusters by which the pixels that maps look at are found


def grad_cam(question: Question) -> Tensor:
    """Return Grad-CAM, the mean over the networks of a `question`, shape (n, n_channel, n_y, n_x).

    Alike in all channels, bilinear between cells of the maps, 0 where the network does not look.

    Raises
    ------
    InputError
        If a network has no convolutions over images.
    """
    from captum.attr import LayerAttribution, LayerGradCam  # noqa: PLC0415  (slow to import)

    total = torch.zeros_like(question.x[:, :1])
    for network in question.function.networks:
        single = replace(question.function, networks=(network,))
        layer = last_maps(network, single, question)
        rows, columns = _field(layer, single, question)
        maps = LayerGradCam(single, layer).attribute(
            question.leaf(), additional_forward_args=question.others
        )
        size = (rows.stop - rows.start, columns.stop - columns.start)
        total[:, :, rows, columns] += LayerAttribution.interpolate(maps.detach(), size, "bilinear")
    return (total / len(question.function.networks)).expand_as(question.x).contiguous()


def last_maps(network: nn.Module, single: Function, question: Question) -> nn.Module:
    """Return the module whose result are the last maps of a network.

    These are the last ones of the size of the last convolution: after its activation, where that is
    a module, or its residual block, and before a pooling.

    Parameters
    ----------
    network : nn.Module
    single : Function
        What this network alone says.
    question : Question
        Of its first cluster the maps are made.

    Raises
    ------
    InputError
        If there are no convolutions over images.
    """
    calls: list[tuple[nn.Module, Any]] = []
    one = tuple(part[:1] if isinstance(part, Tensor) else part for part in question.others)
    with _watched(list(network.modules()), calls), torch.no_grad():
        single(question.x[:1], *one)
    maps = [(module, out.shape[-2:]) for module, out in calls if _is_maps(out)]
    convolutions = [size for module, size in maps if isinstance(module, nn.Conv2d)]
    often = [module for module, _ in calls]
    found = [
        module
        for module, size in maps
        if convolutions and size == convolutions[-1] and often.count(module) == 1
    ]
    if not found:
        raise InputError(
            f"grad-cam: must have convolutions over images; network '{_name(network)}' has none. "
            "Take another method, such as saliency."
        )
    return found[-1]


def _field(layer: nn.Module, single: Function, question: Question) -> tuple[slice, slice]:
    """Return rows and columns of the pixels that move what a layer says."""
    n = min(len(question.x), _TRIED)
    generator = torch.Generator().manual_seed(0)
    x = 3.0 * torch.rand((n, *question.x.shape[1:]), generator=generator)
    x = x.to(question.x.device).requires_grad_()
    some = tuple(part[:n] if isinstance(part, Tensor) else part for part in question.others)
    calls: list[tuple[nn.Module, Any]] = []
    with _watched([layer], calls):
        single(x, *some)
    maps = calls[-1][1]
    projection = torch.randn(maps.shape, generator=generator).to(maps)
    (gradient,) = torch.autograd.grad((maps * projection).sum(), x)
    moved = (gradient != 0.0).flatten(0, 1).any(dim=0)
    return _span(moved.any(dim=1)), _span(moved.any(dim=0))


def _span(moved: Tensor) -> slice:
    places = torch.nonzero(moved).flatten().tolist()
    return slice(places[0], places[-1] + 1) if places else slice(0, len(moved))


@contextmanager
def _watched(modules: list[nn.Module], calls: list[tuple[nn.Module, Any]]) -> Iterator[None]:
    """Note what modules return, in the order in which they end, while the block runs."""

    def note(module: nn.Module, given: Any, result: Any) -> None:
        calls.append((module, result))

    handles = [module.register_forward_hook(note) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _is_maps(result: Any) -> bool:
    return isinstance(result, Tensor) and result.dim() == 4


def _name(network: nn.Module) -> str:
    """Return the name that a network, or its first part that has one, calls itself."""
    names = (getattr(module, "name", None) for module in network.modules())
    return next((name for name in names if isinstance(name, str)), type(network).__name__)
