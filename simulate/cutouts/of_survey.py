"""A catalog of the haloes of a survey of ours: its events, its truth, its conditions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from icmass.config import SurveyConfig
from icmass.config.cutouts import CutoutsConfig
from icmass.errors import InputError
from icmass.simulate.cutouts.catalog_of import CutoutSummary, cut_outs
from icmass.simulate.instrument import Instrument
from icmass.simulate.production.driver import Progress
from icmass.simulate.survey.conditions_file import COLUMN, EXPOSURE
from icmass.simulate.survey.plan import TILES, read_manifest
from icmass.simulate.survey.summary import HALOES
from icmass.simulate.survey.tile_maps import VIGNETTED_BAND
from icmass.simulate.survey.vignetting import vignetted_share

__all__ = ["cut_out_survey", "survey_config"]


def cut_out_survey(
    survey: str | Path,
    config: CutoutsConfig,
    directory: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    repair: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
) -> CutoutSummary:
    """Cut images about the haloes of a survey out of its events.

    Parameters
    ----------
    survey : str or Path
        Directory of a finished survey.
    config : CutoutsConfig
        How; what the survey itself knows, events, positions, conditions, cosmology and telescope,
        is taken from there unless it is given.
    directory : str or Path
        Of the catalog: new, empty, or one that was begun with the same configuration.
    workers, scheduler, repair, report
        As for `cut_outs`.

    Returns
    -------
    CutoutSummary

    Raises
    ------
    InputError
        As `cut_outs`, or if the survey is not there or not finished.
    """
    return cut_outs(
        survey_config(survey, config),
        directory,
        workers=workers,
        scheduler=scheduler,
        repair=repair,
        report=report,
    )


def survey_config(survey: str | Path, config: CutoutsConfig) -> CutoutsConfig:
    """Return `config` with what the survey in directory `survey` knows of itself.

    Raises
    ------
    InputError
        If it is not there or not finished.
    """
    place = Path(survey)
    provenance = read_manifest(place)["provenance"]
    made = SurveyConfig.parse(provenance["config"])
    if not (place / HALOES).is_file():
        raise InputError(
            f"{survey}: must be a finished survey; it has no {HALOES}. Go on with it first: give "
            "icmass survey the same options again."
        )
    universe = provenance["population"]["haloes"]  # as it was when the survey was made
    known: dict[str, Any] = {
        "events": [str(place / TILES)],
        "positions": str(place / HALOES),
        "nh_map": str(place / COLUMN),
        "instrument": made.instrument,
        "h": universe["h"],
        "omega_m": universe["omega_m"],
    }
    if not config.model_fields_set & {"exposure_map", "on_axis_map", "exposure_s"}:
        known["on_axis_map"] = [str(place / EXPOSURE)]
        known["vignetted_fraction"] = vignetted_share(
            Instrument.load(made.instrument), VIGNETTED_BAND
        )
    if config.nh_cm2 is not None:
        del known["nh_map"]
    given = {name: getattr(config, name) for name in config.model_fields_set}
    return CutoutsConfig.parse(known | given)
