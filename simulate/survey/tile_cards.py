"""What stands in the headers of all files of one tile: who looked where, for how long.

No header holds the time of its writing: the same survey gives the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icmass.errors import InputError
from icmass.simulate.products.header import Card, pointing_cards
from icmass.simulate.view import View

if TYPE_CHECKING:
    from icmass.simulate.instrument import Instrument
    from icmass.simulate.survey.tiles import Tile

__all__ = ["TileCards", "tile_view"]


@dataclass(frozen=True)
class TileCards:
    """What the headers of a tile say beside its place.

    Attributes
    ----------
    instrument : Instrument
    exposure_s : float
        On axis, unvignetted; the mean over what the tile observes.
    end_s : float
        Where the times of the events end: the longest exposure of the survey.
    nh_cm2 : float
        Galactic column; the mean over what the tile observes.
    seed : int
    provenance : mapping
        Of `icmass.provenance`; written as HISTORY lines.

    Raises
    ------
    InputError
        If the exposure is negative, or longer than the times are.
    """

    instrument: "Instrument"
    exposure_s: float
    end_s: float
    nh_cm2: float
    seed: int
    provenance: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not 0.0 <= self.exposure_s <= self.end_s:
            raise InputError(
                f"exposure of a tile: must lie in [0, {self.end_s:g}] s, where the times end; "
                f"got {self.exposure_s:g} s."
            )

    def cards(self, tile: "Tile") -> list[Card]:
        """Return the cards (keyword, value, comment) that stand in every file of `tile`."""
        return [
            *pointing_cards(
                (self.instrument.name, "MERGED"),
                "survey",
                (f"tile {tile.name}", "synthetic survey"),
                (tile.ra_deg, tile.dec_deg),
                self.exposure_s,
                self.end_s,
            ),
            ("SKYFIELD", tile.name, "tile of the survey"),
            ("TILE", tile.number, "number of the tile"),
            ("WIDTH", tile.width_deg, "[deg] side of the square that covers the tile"),
            ("NH", self.nh_cm2, "[cm-2] Galactic column of hydrogen, mean"),
            ("SEED", self.seed, "seed of all random stages"),
        ]


def tile_view(tile: "Tile") -> View:
    """Return the view of `tile`: its centre, and the square that covers it."""
    return View(tile.ra_deg, tile.dec_deg, "survey", 3600.0 * tile.width_deg)
