"""Cut-outs of a survey of ours: what it knows of itself, and what is given in its place."""

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from icmass.config import SurveyConfig
from icmass.config.cutouts import CutoutsConfig
from icmass.errors import InputError
from icmass.simulate.cutouts import cut_out_survey
from icmass.simulate.cutouts.of_survey import survey_config
from icmass.simulate.population.parameters import Population
from icmass.simulate.skymaps import CELL_NSIDE, SKY_NSIDE, pixel_of
from icmass.simulate.survey.conditions_file import write_pixels
from tests.simulate.cutouts.files import sky_photons, write_own

PHOTONS = sky_photons(5000)


@pytest.fixture
def survey(tmp_path) -> Path:
    """The files of a survey that cut-outs read: two tiles, truth, conditions."""
    place = tmp_path / "survey"
    for name, chosen in (("a", PHOTONS.dec_deg < -12.0), ("b", PHOTONS.dec_deg >= -12.0)):
        (place / "tiles" / name).mkdir(parents=True)
        write_own(place / "tiles" / name / "events.fits", PHOTONS.select(chosen))
    asked = SurveyConfig(footprint="cone:150,-12,1", exposure="flat:700", population="shifted")
    manifest = {
        "format": "icmass survey",
        "fingerprint": "f",
        "footprint": "cone",
        "tiles": ["a", "b"],
        "provenance": {
            "config": asked.model_dump(mode="json"),
            "versions": {},
            "population": Population.load("shifted").model_dump(mode="json"),
        },
    }
    (place / "survey.json").write_text(json.dumps(manifest))
    for name, nside, column, unit, value in (
        ("exposure.fits", SKY_NSIDE, "EXPOSURE", "s", 700.0),
        ("column.fits", CELL_NSIDE, "NH", "cm-2", 3e20),
    ):
        pixel = np.unique(pixel_of(nside, PHOTONS.ra_deg, PHOTONS.dec_deg))
        table = (column, np.full(len(pixel), value), unit, "")
        write_pixels(place / name, nside, pixel, table)
    columns = {
        "halo_id": [4, 2],
        "ra_deg": [150.2, 150.3],
        "dec_deg": [-12.0, -11.8],
        "redshift": [0.5, 0.7],
        "m500c_msun": [2e14, 1e14],
        "tile_id": [1, 2],
        "exposure_s": [1.0, 1.0],
        "expected": [30.0, 10.0],
    }
    Table(columns).write(place / "haloes.fits")
    return place


def test_a_survey_knows_all_that_is_needed(survey, tmp_path):
    done = cut_out_survey(survey, CutoutsConfig(), tmp_path / "c", workers=1)
    catalog = done.summary.catalog
    catalog.validate()
    assert sorted(catalog.column("halo_id").tolist()) == [2, 4]
    assert sorted(catalog.column("tile_id").tolist()) == [1, 2]
    assert (catalog.column("exposure_s") == 700.0).all()
    assert (catalog.column("nh_cm2") == 3e20).all()
    share = catalog.column("exposure_vignetted_s") / 700.0
    assert (share == share[0]).all()
    assert 0.45 < share[0] < 0.65  # of eROSITA, 0.2-2.3 keV
    assert catalog.spec.exposure_maps
    assert (catalog.column("n_phot_icm") > 20).all()


def test_it_goes_on_after_the_survey_was_moved(survey, tmp_path):
    cut_out_survey(survey, CutoutsConfig(), survey / "cutouts", workers=1)
    moved = survey.rename(tmp_path / "elsewhere")
    done = cut_out_survey(moved, CutoutsConfig(), moved / "cutouts", workers=1)
    assert done.summary.progress.before == 2
    config = done.summary.catalog.spec.provenance["config"]
    assert (config["events"], config["positions"]) == (["tiles"], "haloes.fits")


def test_what_is_given_wins(survey):
    found = survey_config(survey, CutoutsConfig())
    assert found.events == [str(survey / "tiles")]
    assert found.on_axis_map == [str(survey / "exposure.fits")]
    given = CutoutsConfig.parse(
        {"exposure_s": 99.0, "nh_cm2": 1e20, "width_arcmin": 8.0, "bands": {"a": [0.5, 2.0]}}
    )
    found = survey_config(survey, given)
    assert (found.exposure_s, found.on_axis_map, found.vignetted_fraction) == (99.0, None, None)
    assert (found.nh_cm2, found.nh_map, found.width_arcmin) == (1e20, None, 8.0)
    assert found.bands == {"a": (0.5, 2.0)}


def test_directories_that_are_no_finished_survey(survey, tmp_path):
    with pytest.raises(InputError, match=r"must be a survey; it has no survey\.json"):
        survey_config(tmp_path, CutoutsConfig())
    (survey / "haloes.fits").unlink()
    with pytest.raises(InputError, match=r"must be a finished survey; it has no haloes\.fits"):
        survey_config(survey, CutoutsConfig())
