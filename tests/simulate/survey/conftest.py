"""Small skies that tests of the survey share."""

import numpy as np
import pytest

from icmass.simulate.footprints import cone
from icmass.simulate.instrument import Instrument
from icmass.simulate.skymaps import SKY_NSIDE, SkyMap, centres
from icmass.simulate.survey.conditions import Conditions
from icmass.simulate.survey.faint_light import HaloLight


@pytest.fixture(scope="session")
def erosita() -> Instrument:
    return Instrument.load("erosita")


@pytest.fixture(scope="session")
def no_light(erosita) -> HaloLight:
    edges = erosita.response("survey").redistribution.energy_edges_kev
    return HaloLight(np.zeros(len(edges) - 1))


@pytest.fixture(scope="session")
def uneven() -> Conditions:
    """A round field of 2.5 deg^2, three times deeper in the east than in the west."""
    ra, _ = centres(SKY_NSIDE, np.arange(12 * SKY_NSIDE**2))
    deeper = SkyMap(np.where(ra > 200.0, 3000.0, 1000.0), SKY_NSIDE, "icrs", "s", "uneven")
    return Conditions.over(cone(200.0, 35.0, 0.9), deeper, SkyMap.uniform(4e20, unit="cm-2"))
