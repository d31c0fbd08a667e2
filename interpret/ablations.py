"""Which information is used: what becomes of the scatter when networks are trained without it.

An ablation is a change of the catalog, or of what networks are given of it. Whoever trains (the
command line does) trains the same network on each and compares out of fold. Radii of holes are
fixed lengths: a hole of the true R500c would tell the mass by its size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from icmass.catalog import Catalog, Change
from icmass.errors import InputError
from icmass.interpret.interventions.changes import (
    AverageAzimuth,
    RemoveCore,
    RemoveOutskirts,
    ShuffleMasses,
)
from icmass.interpret.subject import Channel
from icmass.names import nearest

__all__ = ["REFERENCE", "Ablation", "AblationResult", "chosen", "standard_ablations"]

REFERENCE: Final = "reference"
_AGN: Final = "agn"
_REDSHIFT: Final = "redshift"
#: Parts of the median R500c of the catalog that the holes are wide.
_CORE: Final = 0.285
_OUTSKIRTS: Final = 1.0


@dataclass(frozen=True)
class Ablation:
    """Something taken away from what a network is trained on and tested on.

    Attributes
    ----------
    name, words : str
        For files and for tables.
    change : Change or None
        Of the catalog.
    settings : mapping
        Keys of the training configuration that differ from those of the run.
    control : bool
        Whether nothing can be learnt: masses of other clusters.
    """

    name: str
    words: str
    change: Change | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    control: bool = False


@dataclass(frozen=True)
class AblationResult:
    """Out-of-fold errors of one ablation, in ln M.

    Attributes
    ----------
    name, words : str
    control : bool
    n : int
        Clusters.
    scatter, scatter_error : float
        Standard deviation of the residual over the slope of prediction on truth.
    error_std, error_std_error : float
        Standard deviation of the error.
    change, change_error : float
        Of `error_std` against the run as it is, with the error of the difference (the same
        haloes are drawn for both); 0 for the run itself.
    """

    name: str
    words: str
    control: bool
    n: int
    scatter: float
    scatter_error: float
    error_std: float
    error_std_error: float
    change: float
    change_error: float


def standard_ablations(
    catalog: Catalog,
    channels: Sequence[Channel],
    origins: Sequence[str],
    scalars: Sequence[str],
    *,
    galaxies: bool = False,
    seed: int = 0,
) -> list[Ablation]:
    """Return what can be taken away from the inputs of a network, and a control.

    Parameters
    ----------
    catalog : Catalog
        On which it was trained.
    channels : sequence of Channel
    origins : sequence of str
        Of the photons that it sees.
    scalars : sequence of str
        Observables that it is given.
    galaxies : bool
        Whether it sees galaxies.
    seed : int
        Of what is dealt at random.

    Raises
    ------
    InputError
        If R500c is not known of any cluster.
    """
    r500c_kpc = catalog.column("r500c_kpc")
    if not (r500c_kpc > 0.0).any():
        raise InputError(f"{catalog.path}: must know r500c_kpc of clusters; it does not.")
    typical = float(np.median(r500c_kpc[r500c_kpc > 0.0]))
    core, outer = (round(part * typical, -1) for part in (_CORE, _OUTSKIRTS))
    told = [*(["galaxies"] if galaxies else ()), *scalars]
    names = [channel.name for channel in channels]
    found = [
        Ablation("core", f"without the core ({core:.0f} kpc)", RemoveCore(radius_kpc=core)),
        Ablation(
            "outskirts",
            f"without the outskirts (beyond {outer:.0f} kpc)",
            RemoveOutskirts(radius_kpc=outer),
        ),
        Ablation("azimuth", "averaged over azimuth", AverageAzimuth(seed=seed)),
    ]
    rest = [origin for origin in origins if origin != _AGN]
    if rest and len(rest) < len(origins):
        found.append(Ablation("agn", "without AGN", settings={"origins": rest}))
    bands = list(dict.fromkeys(band for channel in channels for band in channel.bands))
    if len(bands) > 1:
        found += [
            Ablation(f"only-{band}", f"{band} band alone", settings={"inputs": [band, *told]})
            for band in bands
        ]
        if len(channels) > 1:
            joined = "+".join(bands)
            found.append(
                Ablation("one-image", "bands added up", settings={"inputs": [joined, *told]})
            )
    if _REDSHIFT in scalars:
        others = [name for name in told if name != _REDSHIFT]
        found.append(
            Ablation("redshift", "redshift withheld", settings={"inputs": [*names, *others]})
        )
    control = ShuffleMasses.of(catalog, seed=seed)
    found.append(Ablation("shuffled", "masses of other clusters", control, control=True))
    return found


def chosen(ablations: Sequence[Ablation], names: Sequence[str] | None) -> list[Ablation]:
    """Return those of `ablations` that have these `names`; all for None.

    Raises
    ------
    InputError
        If one is not among them.
    """
    by_name = {ablation.name: ablation for ablation in ablations}
    for name in names or ():
        if name not in by_name:
            raise InputError(f"ablation '{name}': is not known; {nearest(name, list(by_name))}.")
    return [by_name[name] for name in (by_name if names is None else dict.fromkeys(names))]
