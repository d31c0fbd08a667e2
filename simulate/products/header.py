"""FITS headers that all products share: who looked where, for how long, made by what.

No header holds the time of its writing: the same job gives the same bytes.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from astropy.io import fits

import icmass
from icmass.provenance import provenance
from icmass.simulate.products.bands import ALL, Band

if TYPE_CHECKING:
    from icmass.simulate.observation import Observation

__all__ = [
    "Card",
    "add_cards",
    "add_history",
    "add_provenance",
    "band_cards",
    "empty_primary",
    "observation_cards",
    "pointing_cards",
    "primary_hdu",
    "product_provenance",
    "table_cards",
    "telescope_names",
]

Card = tuple[str, Any, str]

# Zero of TIME: 2000-01-01T00:00:00 Moscow time, as in eSASS event files.
MJD_REFERENCE: Final = 51543.875

# What eSASS calls the modes.
_MODES: Final = {"survey": "SURVEY", "pointed": "POINTING"}


def telescope_names(observation: "Observation") -> tuple[str, str]:
    """Return the names of telescope and detectors of `observation`, the same in all files."""
    return observation.instrument.name, "MERGED"


def pointing_cards(
    names: tuple[str, str],
    mode: str,
    subject: tuple[str, str],
    centre_deg: tuple[float, float],
    exposure_s: float,
    end_s: float | None = None,
) -> list[Card]:
    """Return the cards of who looked where and for how long.

    Parameters
    ----------
    names : tuple of str
        Telescope and detectors.
    mode : {"survey", "pointed"}
        How it looked.
    subject : tuple of str
        Value and comment of OBJECT.
    centre_deg : tuple of float
        RA and Dec of the field centre.
    exposure_s : float
        On axis, unvignetted.
    end_s : float, optional
        Where the times end; the exposure when not given.

    Returns
    -------
    list of Card
        Keyword, value and comment.
    """
    return [
        ("CREATOR", f"ICMass {icmass.__version__}", "software that simulated this observation"),
        ("MISSION", names[0], "telescope"),
        ("TELESCOP", names[0], "telescope"),
        ("INSTRUME", names[1], "all modules together"),
        ("FILTER", "NONE", "filter"),
        ("OBS_MODE", _MODES[mode], "survey: averaged over the scan"),
        ("OBJECT", *subject),
        ("RA_CEN", centre_deg[0], "[deg] field centre"),
        ("DEC_CEN", centre_deg[1], "[deg] field centre"),
        ("EQUINOX", 2000.0, "[yr] equinox"),
        ("TSTART", 0.0, "[s] start of the exposure"),
        ("TSTOP", exposure_s if end_s is None else end_s, "[s] end of the exposure"),
        ("EXPOSURE", exposure_s, "[s] exposure on axis, unvignetted"),
    ]


def observation_cards(observation: "Observation") -> list[Card]:
    """Return the cards (keyword, value, comment) of `observation` that stand in every product."""
    view = observation.view
    name = Path(observation.gas_info.source).name.encode("ascii", "replace").decode()
    cards: list[Card] = [
        *pointing_cards(
            telescope_names(observation),
            view.mode,
            (name[-40:], "simulated gas"),
            (view.ra_deg, view.dec_deg),
            observation.exposure_s,
        ),
        ("REDSHIFT", observation.redshift, "redshift of the cluster"),
        ("NH", observation.nh_cm2, "[cm-2] Galactic column of hydrogen"),
        ("KPCASEC", observation.kpc_per_arcsec, "[kpc/arcsec] scale at the cluster"),
    ]
    if observation.r500c_arcsec is not None:
        cards.append(("R500ASEC", observation.r500c_arcsec, "[arcsec] true R500c of the cluster"))
    cards.append(("SEED", observation.seed, "seed of all random stages"))
    return cards


def table_cards() -> list[Card]:
    """Return what tables of events and times need besides; readers of images object to it."""
    return [
        ("RADECSYS", "ICRS", "frame of RA and Dec"),
        ("MJDREF", MJD_REFERENCE, "[d] zero of TIME; no real date is meant"),
        ("TIMEZERO", 0.0, "[s] offset of TIME"),
        ("TIMEUNIT", "s", "unit of TIME"),
        ("TIMESYS", "TT", "time system"),
    ]


def band_cards(band: Band) -> list[Card]:
    """Return the cards of `band`: its name and limits; no limits for all energies."""
    if band == ALL:
        return [("BAND", "all", "all detector channels")]
    return [
        ("BAND", f"{band[0]:g}-{band[1]:g}", "[keV] band of the measured energy"),
        ("E_MIN", band[0], "[keV] lower limit, included"),
        ("E_MAX", band[1], "[keV] upper limit, not included"),
    ]


def add_cards(header: fits.Header, cards: list[Card]) -> None:
    """Put `cards` into `header`, in order."""
    for keyword, value, comment in cards:
        header[keyword] = (value, comment)


def product_provenance(observation: "Observation") -> dict[str, Any]:
    """Return versions, seed and configuration of `observation`, and origin of gas and telescope."""
    return provenance(
        observation.config,
        observation.seed,
        gas={"source": Path(observation.gas_info.source).name, "code": observation.gas_info.code},
        instrument=dict(observation.instrument.provenance),
    )


def add_history(header: fits.Header, observation: "Observation") -> None:
    """Write the provenance of `observation` into `header` as HISTORY lines."""
    add_provenance(header, product_provenance(observation))


def add_provenance(header: fits.Header, tree: Mapping[str, Any]) -> None:
    """Write a provenance, `tree`, into `header` as HISTORY lines, one ``key = value`` each."""
    for key, value in sorted(_flatten(tree).items()):
        header.add_history(f"{key} = {json.dumps(value, ensure_ascii=True)}")


def primary_hdu(observation: "Observation") -> fits.PrimaryHDU:
    """Return the empty first HDU with the common cards of `observation`."""
    return empty_primary(observation_cards(observation))


def empty_primary(cards: list[Card]) -> fits.PrimaryHDU:
    """Return an empty first HDU with `cards`."""
    hdu = fits.PrimaryHDU()
    add_cards(hdu.header, cards)
    return hdu


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat.update(_flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
