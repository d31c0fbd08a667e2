"""What is tried on every run: its changes by name, and which of them cannot be made and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from icmass.catalog import Change, ChangedCatalog
from icmass.errors import InputError
from icmass.interpret.interventions.agn import SOURCES, EncircledEnergy, PutAgn, agn_shares
from icmass.interpret.interventions.changes import (
    AverageAzimuth,
    Background,
    DoubleOrigin,
    Exposure,
    RemoveCore,
    RemoveOrigin,
    RemoveOutskirts,
    RotateOutskirts,
)
from icmass.interpret.interventions.exchange import MeanCore, SwapGas
from icmass.interpret.subject import Subject

__all__ = ["AGN_RADII_R500C", "CORES_R500C", "Intervention", "standard_interventions"]

#: Where AGN are put.
AGN_RADII_R500C: Final = (0.0, 0.25, 0.5, 1.0)
#: Cores that are taken away.
CORES_R500C: Final = (0.15, 0.285)

_AGN: Final = ("agn",)
_BACKGROUND: Final = ("background",)
_GAS: Final = ("icm",)
_ROUND: Final = 0.5  # R500c, outside which clusters are turned


@dataclass(frozen=True)
class Intervention:
    """A change that networks are asked about.

    Attributes
    ----------
    name : str
        For files.
    words : str
        For tables and figures.
    change : Change
    """

    name: str
    words: str
    change: Change


def standard_interventions(
    subject: Subject,
    psf: EncircledEnergy | None = None,
    *,
    agn_radii_r500c: Sequence[float] = AGN_RADII_R500C,
    brightness: float = 1.0,
    seed: int = 0,
) -> tuple[list[Intervention], list[str]]:
    """Return what can be tried on networks and their clusters.

    Cores and outskirts are taken away without the background that lies before and behind them. The
    mean core, the colour of AGN and the partners in exchange are those of the clusters given.

    Parameters
    ----------
    subject : Subject
        With all clusters that are asked about, and no others.
    psf : EncircledEnergy, optional
        Of the telescope; without it no AGN are put in.
    agn_radii_r500c : sequence of float
        Where they are put.
    brightness : float
        Of these, over gas and AGN in R500c.
    seed : int
        Of all that is drawn.

    Returns
    -------
    interventions : list of Intervention
    notes : list of str
        What is left out, and why.
    """
    made: list[Intervention] = []
    notes: list[str] = []
    for name, words, needs, make in _plans(subject, psf, agn_radii_r500c, brightness, seed):
        try:
            subject.require_origins(*needs)
            change = make()
            _require_readable(subject, change)
        except InputError as error:
            notes.append(f"{words}: left out; {error}")
        else:
            made.append(Intervention(name, words, change))
    return made, notes


_Plan = tuple[str, str, tuple[str, ...], Callable[[], Change]]


def _plans(
    subject: Subject,
    psf: EncircledEnergy | None,
    radii: Sequence[float],
    brightness: float,
    seed: int,
) -> list[_Plan]:
    """Return name, words, origins that networks must see, and how to make each change."""
    catalog = subject.catalog
    times = "as bright as" if brightness == 1.0 else f"{brightness:g} times as bright as"

    def put(radius: float) -> Callable[[], Change]:
        return lambda: _put(subject, psf, radius, brightness, seed)

    def cut(radius: float) -> Callable[[], Change]:
        return lambda: RemoveCore(radius, origins=SOURCES)

    return [
        ("no-agn", "without AGN", _AGN, lambda: RemoveOrigin("agn")),
        ("double-agn", "AGN twice as bright", _AGN, lambda: DoubleOrigin("agn")),
        *(
            (f"put-agn-{r:g}", f"one AGN {times} the cluster at {r:g} R500c", _AGN, put(r))
            for r in radii
        ),
        *((f"no-core-{r:g}", f"without the core ({r:g} R500c)", _GAS, cut(r)) for r in CORES_R500C),
        (
            "mean-core",
            f"with the mean core ({CORES_R500C[0]:g} R500c)",
            _GAS,
            lambda: MeanCore.of(catalog, CORES_R500C[0], seed=seed),
        ),
        (
            "no-outskirts",
            "without what lies outside R500c",
            _GAS,
            lambda: RemoveOutskirts(1.0, origins=SOURCES),
        ),
        (
            "turned-outskirts",
            f"turned by 180 degrees outside {_ROUND:g} R500c",
            (),
            lambda: RotateOutskirts(_ROUND, 2),
        ),
        ("round", "made round", (), lambda: AverageAzimuth(seed)),
        (
            "swap-gas",
            "with the gas of another cluster of its redshift",
            _GAS,
            lambda: SwapGas.nearest(catalog, seed, subject.fold),
        ),
        ("no-background", "without background", _BACKGROUND, lambda: Background(0.0)),
        ("double-background", "with twice the background", _BACKGROUND, lambda: Background(2.0)),
        ("half-exposure", "half as long exposed", (), lambda: Exposure(0.5, seed)),
    ]


def _put(
    subject: Subject, psf: EncircledEnergy | None, radius: float, brightness: float, seed: int
) -> PutAgn:
    if psf is None:
        raise InputError("psf: must be given for AGN that are put in; got none. Give one.")
    return PutAgn(radius, psf, agn_shares(subject.catalog), brightness, seed)


def _require_readable(subject: Subject, change: Change) -> None:
    """Refuse a change after which networks miss what they are told: counts of photons."""
    if len(subject):
        subject.reader(ChangedCatalog(subject.catalog, change)).read(np.zeros(1, np.int64))
