"""Fixtures of the product tests: an instrument, a far southern view and drawn observations."""

import pytest

from icmass.simulate.instrument import Instrument
from icmass.simulate.view import View
from tests.simulate.products.scene import lopsided_observation


@pytest.fixture(scope="session")
def instrument():
    return Instrument.load("erosita")


@pytest.fixture
def southern_view():
    """Across RA 0 at dec -60, where cos(dec) is a half."""
    return View(359.97, -60.0, "survey", 1200.0)


@pytest.fixture(scope="session")
def survey_observation(instrument):
    return lopsided_observation(instrument, mode="survey")


@pytest.fixture(scope="session")
def pointed_observation(instrument):
    return lopsided_observation(instrument, mode="pointed")


@pytest.fixture(scope="session")
def written(survey_observation, tmp_path_factory):
    """Directory with the products of the survey observation."""
    return survey_observation.write(tmp_path_factory.mktemp("written") / "out")
