"""From the words of a configuration to footprint, maps and haloes."""

import numpy as np
from numpy.typing import NDArray

from icmass.config import SurveyConfig
from icmass.errors import InputError
from icmass.simulate.footprints import Footprint, parse_footprint, preset
from icmass.simulate.lightcone import (
    LightCone,
    draw_light_cone,
    nearest_templates,
    read_light_cone,
    with_templates,
)
from icmass.simulate.population.parameters import Population
from icmass.simulate.skymaps import (
    CELL_NSIDE,
    SkyMap,
    galactic_column,
    read_column,
    read_exposure,
    scan_exposure,
)
from icmass.simulate.skymaps.column_density import MAX_COLUMN_CM2, MIN_COLUMN_CM2
from icmass.simulate.snapshots.source import SnapshotSource
from icmass.simulate.survey.conditions import Conditions

__all__ = ["make_conditions", "make_light_cone", "make_source"]

# Gas of snapshots is taken this far around a halo and no farther: other haloes are on the list.
_AROUND_KPC = 6000.0
# Share of haloes that may be given the gas of one more than twice as heavy.
_MOST_LIGHTER = 0.05
# Seconds, and all-sky surveys, beyond which a number is a slip.
_MOST = {"flat": 1e7, "scan": 1e4}


def make_conditions(config: SurveyConfig) -> Conditions:
    """Return the footprint, exposure and column that `config` says.

    Raises
    ------
    InputError
        If a preset or a form is unknown, a map cannot be read, or they do not overlap.
    """
    known = None if config.preset is None else preset(config.preset)
    words = config.exposure or (known.exposure if known is not None else "")
    if config.footprint is not None or known is None:
        footprint = parse_footprint(config.footprint or "")
    else:
        footprint = known.footprint
    if config.fraction < 1.0:
        footprint = footprint.fraction(config.fraction)
    return Conditions.over(footprint, _exposure(words, config), _column(config))


def make_source(config: SurveyConfig) -> SnapshotSource | None:
    """Return the snapshots of `config` whose haloes stand for those of the light cone, or None.

    Without snapshots haloes are painted. InputError if a file cannot be used.
    """
    if config.snapshot is None:
        return None
    return SnapshotSource(
        config.snapshot,
        halos=config.halos,
        lines_of_sight=3,
        width_kpc=_AROUND_KPC,
        depth_kpc=_AROUND_KPC,
    )


def make_light_cone(
    config: SurveyConfig,
    population: Population,
    footprint: Footprint,
    source: SnapshotSource | None,
) -> LightCone:
    """Draw or read the haloes of a survey.

    Parameters
    ----------
    config : SurveyConfig
    population : Population
    footprint : Footprint
    source : SnapshotSource or None
        From `make_source`: whose haloes stand for those of the light cone.

    Returns
    -------
    LightCone

    Raises
    ------
    InputError
        If a table cannot be used, limits are impossible, or the simulated haloes are far heavier
        than many of the light cone.
    """
    parameters = population.haloes
    if config.lightcone is not None:
        cone = read_light_cone(config.lightcone, parameters, footprint, config.seed)
        low, high = config.redshift_range
        redshift = cone.haloes.redshift
        heavy = cone.haloes.m500c_msun >= config.min_m500c_msun
        cone = cone.select(heavy & (redshift >= low) & (redshift <= high))
    else:
        cone = draw_light_cone(
            parameters,
            footprint,
            min_mass_msun=config.min_m500c_msun,
            redshift_range=config.redshift_range,
            clustering=config.clustering,
            seed=config.seed,
        )
    if source is None:
        return cone
    haloes = [source.halo(index) for index in range(len(source))]
    masses = np.array([halo.m500c_msun for halo in haloes])
    redshifts = np.array([source.redshift(index) for index in range(len(source))])
    _require_alike(cone, masses)
    return with_templates(cone, nearest_templates(cone, masses, redshifts, config.seed), haloes)


def _exposure(words: str, config: SurveyConfig) -> SkyMap:
    form, _, value = words.partition(":")
    if form in ("flat", "scan") and value:
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        most = _MOST[form]
        if not 0.0 < number <= most:
            raise InputError(
                f"exposure: must have a number above 0, up to {most:g}, after {form}:; got "
                f"'{value}'."
            )
        return SkyMap.uniform(number, unit="s") if form == "flat" else scan_exposure(number)
    if words.endswith((".fits", ".fits.gz", ".fit")):
        return read_exposure(words, frame=config.frame)
    raise InputError(
        "exposure: must be flat:SECONDS, scan:PASSES or a HEALPix map that ends in .fits; "
        f"got '{words}'."
    )


def _column(config: SurveyConfig) -> SkyMap:
    words = config.column
    if words == "model":
        return galactic_column(CELL_NSIDE)
    if words.endswith((".fits", ".fits.gz", ".fit")):
        return read_column(words, frame=config.frame)
    try:
        number = float(words)
    except ValueError:
        number = float("nan")
    if not 0.0 <= number < np.inf:
        raise InputError(
            "column: must be model, a number in cm^-2 or a HEALPix map that ends in .fits; "
            f"got '{words}'."
        )
    if number and not MIN_COLUMN_CM2 <= number <= MAX_COLUMN_CM2:
        raise InputError(
            f"column: must be 0 or {MIN_COLUMN_CM2:.0e} to {MAX_COLUMN_CM2:.0e} cm^-2; got "
            f"'{words}'. Give no logarithm, such as 3e20."
        )
    return SkyMap.uniform(number, unit="cm-2")


def _require_alike(cone: LightCone, m500c_msun: NDArray[np.float64]) -> None:
    """Refuse simulated haloes that are all far heavier than many of the light cone."""
    lightest = float(m500c_msun.min())
    lighter = float((cone.haloes.m500c_msun < 0.5 * lightest).mean()) if len(cone) else 0.0
    if lighter > _MOST_LIGHTER:
        raise InputError(
            f"min_m500c_msun: must be near that of the lightest simulated halo, {lightest:.3g} "
            f"Msun; {100.0 * lighter:.0f}% of the light cone have less than half of it and would "
            f"become as heavy. Give --min-mass {lightest:.2g}."
        )
