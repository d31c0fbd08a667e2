"""Where a photon came from; the code is written into every event."""

from enum import IntEnum

__all__ = ["Origin"]


class Origin(IntEnum):
    """Origin of a detected photon."""

    ICM = 1
    AGN = 2
    BACKGROUND = 3
