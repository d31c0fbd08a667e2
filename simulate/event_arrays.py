"""What structs of arrays with one row per photon have in common: room, joining, choosing."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["EventArrays"]


class EventArrays:
    """Base of frozen dataclasses whose fields are the arrays of `DTYPES`, shape (n,) each."""

    DTYPES: ClassVar[dict[str, str]]

    def __len__(self) -> int:
        return len(getattr(self, next(iter(self.DTYPES))))

    @classmethod
    def empty(cls, count: int = 0) -> Self:
        """Allocate `count` rows; the content is undefined unless `count` is 0."""
        return cls(**{name: np.empty(count, dtype) for name, dtype in cls.DTYPES.items()})

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Join `parts`, structs of the same kind, in the order given; no rows if there are none."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            **{
                name: np.concatenate([getattr(part, name) for part in parts])
                if parts
                else np.empty(0, dtype)
                for name, dtype in cls.DTYPES.items()
            }
        )

    def select(self, chosen: NDArray[Any] | slice) -> Self:
        """Return the rows that `chosen` names: a mask of shape (n,), an array of rows, or a slice.

        The arrays of a slice are views: what is written into them is written into these rows.
        """
        return type(self)(**{name: getattr(self, name)[chosen] for name in self.DTYPES})
