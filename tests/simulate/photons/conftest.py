"""Telescopes, a plasma and fields that the tests of the forward model share."""

import numpy as np
import pytest

from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.instrument import Instrument
from icmass.simulate.view import View
from tests.helpers.forward import EDGES_KEV, analytic_table, blurred, make_instrument

ENERGY_KEV = 0.5 * (EDGES_KEV[1:] + EDGES_KEV[:-1])


@pytest.fixture(scope="session")
def flat() -> Instrument:
    """1000 cm^2 at every energy, channels that are the energy bins."""
    return make_instrument()


@pytest.fixture(scope="session")
def sloped() -> Instrument:
    """An area that falls with energy and a Gaussian redistribution."""
    return make_instrument(blurred(), area_cm2=1500.0 * np.exp(-ENERGY_KEV / 2.0) + 50.0)


@pytest.fixture(scope="session")
def table() -> SpectralTable:
    """Plasma emission in closed form."""
    return analytic_table()


@pytest.fixture(scope="session")
def erosita() -> Instrument:
    """The telescope of the package."""
    return Instrument.load("erosita")


@pytest.fixture
def survey() -> View:
    """A square of 1800 arcsec, far from the equator and beside RA 0."""
    return View(359.95, -60.0, "survey", 1800.0)


@pytest.fixture
def pointed() -> View:
    """A circle of 3600 arcsec."""
    return View(10.0, 5.0, "pointed", 3600.0)
