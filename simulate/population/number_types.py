"""Kinds of numbers that the parameters of a population may be, beside those of `icmass.config`."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from icmass.config.base import Number, number

__all__ = ["Correlation", "Numbers", "Range", "Share"]


def _numbers(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of numbers")
    return tuple(number(entry) for entry in value)


def _range(value: Any) -> tuple[float, float]:
    """Two numbers, the second above the first."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("must be two numbers, the lower first")
    low, high = number(value[0]), number(value[1])
    if not low < high:
        raise ValueError("must be two numbers, the lower first")
    return low, high


Correlation = Annotated[Number, Field(ge=-1, le=1)]
Share = Annotated[Number, Field(ge=0, lt=1)]
Numbers = Annotated[tuple[float, ...], BeforeValidator(_numbers)]
Range = Annotated[tuple[float, float], BeforeValidator(_range)]
