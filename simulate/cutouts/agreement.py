"""Whether what is said of the exposure and the column agrees: settings, maps and event files.

Exposures in s, columns in cm^-2.
"""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from icmass.errors import InputError, InputWarning
from icmass.simulate.cutouts.event_files import EventFile
from icmass.simulate.cutouts.positions import Positions
from icmass.simulate.cutouts.settings import CutoutSettings
from icmass.simulate.cutouts.sky_values import Constant
from icmass.simulate.emission.absorption import require_columns

__all__ = ["require_agreement", "with_own_numbers"]

_SLACK: Final = 0.01  # of maps that are sampled differently
_TOLD: Final = 0.1  # from there on another number than that of the files is told
_ASKED: Final = 50  # positions, about


def require_agreement(settings: CutoutSettings, positions: Positions) -> None:
    """Refuse exposures and columns of `settings` that cannot be those at `positions`.

    Raises
    ------
    InputError
        If a column is none in cm^-2, or at most positions the exposure on axis is shorter than that
        with vignetting, which takes away and never adds.
    """
    here = positions.ra_deg, positions.dec_deg
    if settings.nh is not None:
        column = settings.nh(*here)
        require_columns(column[~np.isnan(column)], "nh")
    if settings.exposure is None or settings.exposure_on_axis is None:
        return  # either follows from the other
    step = max(len(positions) // _ASKED, 1)  # each may be in another image
    here = here[0][::step], here[1][::step]
    on_axis, vignetted = settings.exposures(*here)
    known = np.isfinite(on_axis) & np.isfinite(vignetted)
    shorter = on_axis[known] < (1.0 - _SLACK) * vignetted[known]
    if shorter.sum() > 0.5 * len(shorter):
        row = np.flatnonzero(known)[shorter][0]
        raise InputError(
            "exposure: on axis must be at least that with vignetting; got "
            f"{on_axis[row]:g} s and {vignetted[row]:g} s at RA {here[0][row]:.4f}, Dec "
            f"{here[1][row]:.4f}. Leave one of them out, or give maps of the same events."
        )


def with_own_numbers(settings: CutoutSettings, files: Sequence[EventFile]) -> CutoutSettings:
    """Return `settings` with exposure and column of our own `files`, where nobody else says them.

    They are taken if all files say the same. Where a constant is given that is more than a tenth
    off what the files say, it holds, and a warning tells.
    """
    _warn_of_other_numbers(settings, files)
    own = {name: {getattr(file, name) for file in files} for name in ("exposure_s", "nh_cm2")}
    changes: dict[str, Any] = {}
    if settings.exposure is None and settings.exposure_on_axis is None:
        changes["exposure_on_axis"] = _only(own["exposure_s"])
    if settings.nh is None:
        changes["nh"] = _only(own["nh_cm2"])
    return replace(settings, **changes)


def _only(values: set[float]) -> Constant | None:
    value = next(iter(values))
    return Constant(value) if len(values) == 1 and np.isfinite(value) else None


def _warn_of_other_numbers(settings: CutoutSettings, files: Sequence[EventFile]) -> None:
    for what, name, unit in (
        ("exposure_on_axis", "exposure_s", "s"),
        ("nh", "nh_cm2", "cm^-2"),
    ):
        given = getattr(settings, what)
        own = np.array([getattr(file, name) for file in files], dtype=np.float64)
        own = own[np.isfinite(own)]
        if not isinstance(given, Constant) or not own.size:
            continue
        if not (1.0 - _TOLD) * own.min() <= given.value <= (1.0 + _TOLD) * own.max():
            said = f"{own.min():g}" if own.min() == own.max() else f"{own.min():g} to {own.max():g}"
            warnings.warn(
                f"{name}: the event files say {said} {unit}; {given.value:g} {unit} is taken, as "
                "was given. Leave it out to take theirs.",
                InputWarning,
                stacklevel=2,
            )
