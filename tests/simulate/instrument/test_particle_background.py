"""Particle background: exact integrals, and the rates measured on eFEDS."""

import numpy as np
import pytest

from icmass.simulate.instrument import Instrument, ParticleBackground
from icmass.simulate.instrument.particle_background import Line, PowerLaw

# counts/s/deg^2, seven modules: the eRASS model, of which eFEDS has 1.1 times as much.
ERASS = {(0.3, 0.6): 0.70, (0.6, 1.1): 0.88, (1.1, 1.6): 0.88, (1.6, 2.2): 0.92}
ERASS |= {(2.2, 3.5): 1.90, (3.5, 5.0): 2.12, (5.0, 7.0): 2.83}
# The same, measured on eFEDS images with sources masked: here there is little else than particles.
EFEDS_TOTAL = {(3.5, 5.0): 2.53, (5.0, 7.0): 3.12}


def test_power_law_and_line_integrals() -> None:
    model = ParticleBackground((PowerLaw(2.0, 3.0),), (Line(1.5, 0.5),), n_module=4, scale=1.1)
    got = model.spectrum(np.array([1.0, 2.0, 4.0]))
    # 3 / E^2 over 1-2 and 2-4 keV: 1.5 and 0.75; the line falls into the first bin
    np.testing.assert_allclose(got, 4.4 * np.array([1.5 + 0.5, 0.75]), rtol=1e-12)


def test_broad_line_spreads_over_bins() -> None:
    model = ParticleBackground((), (Line(2.0, 1.0, sigma_kev=0.1),))
    counts = model.spectrum(np.array([1.0, 1.9, 2.0, 3.0]))
    np.testing.assert_allclose(counts, [0.158655, 0.341345, 0.5], atol=1e-6)


def test_bins_add_up() -> None:
    model = ParticleBackground((PowerLaw(0.3, 1e-4),), (Line(1.5, 2e-5, 0.03),))
    fine = model.spectrum(np.linspace(0.5, 3.0, 501)).sum()
    assert fine == pytest.approx(float(model.spectrum(np.array([0.5, 3.0]))[0]), rel=1e-12)


def erosita_rate(telescope: Instrument, band: tuple[float, float]) -> float:
    redistribution = telescope.redistribution
    per_bin = telescope.particle_background.spectrum(redistribution.energy_edges_kev)
    return 3600.0 * float(per_bin @ redistribution.band_probability(*band))  # arcmin^2 -> deg^2


@pytest.mark.parametrize("band", ERASS)
def test_erosita_rates_are_those_of_the_model(erosita: Instrument, band) -> None:
    assert erosita_rate(erosita, band) == pytest.approx(1.1 * ERASS[band], rel=0.03)


@pytest.mark.parametrize("band", EFEDS_TOTAL)
def test_particles_are_most_of_what_efeds_saw_at_high_energy(erosita: Instrument, band) -> None:
    assert erosita_rate(erosita, band) == pytest.approx(EFEDS_TOTAL[band], rel=0.1)
