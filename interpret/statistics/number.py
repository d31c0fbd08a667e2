"""Numbers with their errors, and how results are put into files.

An error is the standard deviation of a statistic over samples of haloes drawn again; NaN stands
for what cannot be told.
"""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Number", "Result", "nan_median", "numbers", "plain"]


class Number(NamedTuple):
    """A value and its standard error."""

    value: float
    error: float

    def sigma(self, null: float = 0.0) -> float:
        """Return how many errors the value is from `null`, with its sign; NaN without an error."""
        return (self.value - null) / self.error if self.error > 0.0 else math.nan


class Result:
    """A dataclass of results that JSON can hold."""

    def to_dict(self) -> dict[str, Any]:
        """Return its fields in values that JSON can hold; what is not finite is null."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]


def numbers(value: ArrayLike, drawn: ArrayLike) -> list[Number]:
    """Return numbers from `value`, shape (k,), and those of `drawn` samples, shape (n, k).

    Samples in which a value cannot be told are left out of its error.
    """
    spread = np.atleast_2d(np.asarray(drawn, np.float64))
    known = np.isfinite(spread)
    n = known.sum(axis=0)
    kept = np.where(known, spread, 0.0)
    mean = kept.sum(axis=0) / np.maximum(n, 1)
    square = np.where(known, (kept - mean) ** 2, 0.0).sum(axis=0)
    error = np.where(n > 1, np.sqrt(square / np.maximum(n - 1, 1)), np.nan)
    values = np.atleast_1d(np.asarray(value, np.float64))
    return [Number(*pair) for pair in zip(values.tolist(), error.tolist(), strict=True)]


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: dataclasses by field, numbers as value and error."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Number):
        value = value._asdict()
    elif isinstance(value, Result):
        value = value.to_dict()
    elif is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def nan_median(values: ArrayLike) -> NDArray[np.float64]:
    """Return medians of `values`, shape (n, ...), over the first axis, of what is known.

    NaN where nothing is.
    """
    table = np.sort(np.asarray(values, np.float64), axis=0)  # NaN goes to the end
    n = np.isfinite(table).sum(axis=0)
    low = np.take_along_axis(table, np.maximum(n - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(table, np.minimum(n // 2, len(table) - 1)[None], axis=0)[0]
    return np.where(n > 0, 0.5 * (low + high), np.nan)
