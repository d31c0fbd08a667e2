"""A worker of a survey that is killed in the middle of its second tile."""

import os
from pathlib import Path

from icmass.simulate.survey.make_tile import TileRecord
from icmass.simulate.survey.make_tile import make_tile as real_make_tile

__all__ = ["make_tile"]


def make_tile(directory: Path, fingerprint: str, number: int) -> TileRecord:
    """Make a tile, unless one is there already: then die with half of it written."""
    if any(entry.name[0] != "." for entry in (directory / "tiles").iterdir()):
        (directory / "tiles" / f".{number}.01234567.partial").mkdir()
        os._exit(9)
    return real_make_tile(directory, fingerprint, number)
