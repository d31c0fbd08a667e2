"""Telescope and fields that the tests of the sky share."""

import numpy as np
import pytest

from icmass.simulate.instrument import Instrument
from icmass.simulate.view import View

NH_CM2 = 3e20


@pytest.fixture(scope="session")
def erosita() -> Instrument:
    return Instrument.load("erosita")


@pytest.fixture
def survey() -> View:
    """A field that straddles RA 0, far from the equator."""
    return View(0.2, -60.0, "survey", 1800.0)


@pytest.fixture
def pointed() -> View:
    return View(136.0, 1.5, "pointed", 3708.0)


@pytest.fixture
def sequence() -> np.random.SeedSequence:
    return np.random.SeedSequence(20240607)
