"""Vignetting: the model, its mean over the field, and the means measured for eROSITA."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.instrument import Instrument, Vignetting
from icmass.simulate.instrument.vignetting import disc_mean, scale_from_mean


def test_factor_has_angles_by_energies() -> None:
    model = Vignetting(np.array([1.0, 10.0]), np.array([30.0, 10.0]))
    factor = model.factor(np.array([0.5, 1.0, np.sqrt(10.0), 20.0]), np.array([0.0, 15.0]))
    assert factor.shape == (2, 4)
    np.testing.assert_array_equal(factor[0], 1.0)
    np.testing.assert_allclose(factor[1], np.exp([-0.5, -0.5, -0.75, -1.5]))


def test_disc_mean_is_the_integral_over_the_disc() -> None:
    for x in (0.01, 0.7, 5.0):
        r = np.linspace(0.0, x, 100_001)
        mean = np.trapezoid(2 * r * np.exp(-r), r) / x**2
        assert disc_mean(x) == pytest.approx(mean, rel=1e-6)


def test_scale_from_mean_inverts_the_mean() -> None:
    scale = scale_from_mean(np.array([0.9, 0.56, 0.2]), 30.9)
    np.testing.assert_allclose(disc_mean(30.9 / scale), [0.9, 0.56, 0.2], rtol=1e-9)


@pytest.mark.parametrize(
    ("energy_kev", "ratio"),
    [(0.2, 0.53), (1.0, 0.56), (2.0, 0.51), (3.0, 0.41), (5.0, 0.33), (7.0, 0.24)],
)
def test_erosita_field_mean_is_the_measured_one(
    erosita: Instrument, energy_kev: float, ratio: float
) -> None:
    mean = erosita.vignetting.field_mean(energy_kev, 30.0 * erosita.fov_diameter_deg)
    assert float(mean[0]) == pytest.approx(ratio, abs=0.01)


def test_erosita_pointed_area_times_vignetting_is_the_survey_area(erosita: Instrument) -> None:
    energy = erosita.redistribution.energy_kev
    mean = erosita.vignetting.field_mean(energy, 30.0 * erosita.fov_diameter_deg)
    model = erosita.response("pointed").area_cm2 * mean
    band = (energy > 0.2) & (energy < 8.0)
    np.testing.assert_allclose(model[band], erosita.response("survey").area_cm2[band], rtol=0.04)


@pytest.mark.parametrize(
    ("energy", "scale", "message"),
    [
        ([1.0, 2.0], [10.0], "one scale per energy; got 2 energies and 1"),
        ([2.0, 1.0], [10.0, 10.0], "energy_kev: must be > 0 and ascend"),
        ([1.0, 2.0], [10.0, 0.0], "scale_arcmin: must be > 0; got 0.0"),
    ],
)
def test_impossible_vignetting_is_refused(
    energy: list[float], scale: list[float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Vignetting(np.array(energy), np.array(scale))


def test_impossible_mean_is_refused() -> None:
    with pytest.raises(InputError, match="mean vignetting: must be between 0 and 1"):
        scale_from_mean(np.array([1.0]), 30.0)
