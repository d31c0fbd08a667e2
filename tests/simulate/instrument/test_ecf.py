"""Energy conversion factors: the definition, and the published ones of eROSITA."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.constants import ERG_PER_KEV
from icmass.simulate.emission.absorption import bin_transmission
from icmass.simulate.emission.powerlaw import powerlaw
from icmass.simulate.instrument import Instrument, Redistribution, Response
from icmass.simulate.instrument.ecf import energy_conversion_factor

# On axis, power law of index 2 behind 3e20 cm^-2, counts cm^2/erg, published for eROSITA.
PUBLISHED = {(0.5, 2.0): 1.186e12, (0.2, 2.3): 1.071e12, (2.3, 5.0): 1.152e11}
INDICES = (1.5, 2.0, 2.5)
COLUMNS = (1e19, 1e20, 3e20, 1e21, 3e21, 1e22)


def absorbed(index: float, nh_cm2: float):
    return lambda edges: powerlaw(edges, index) * bin_transmission(edges, nh_cm2)


@pytest.fixture
def perfect() -> Response:
    """100 cm^2 everywhere, no redistribution: channels are the energy bins."""
    edges = np.linspace(0.5, 4.5, 401)
    n = edges.size - 1
    matrix = Redistribution(
        edges, edges, 1, np.arange(n + 1), np.arange(n, dtype=np.int32), np.ones(n, np.float32)
    )
    return Response(matrix, np.full(n, 100.0))


def test_perfect_detector_counts_photons_over_their_energy(perfect: Response) -> None:
    # index 2 over 1-2 keV: 1/2 photon and ln 2 keV per unit norm
    value = energy_conversion_factor(perfect, lambda e: powerlaw(e, 2.0), 1.0, 2.0)
    assert value == pytest.approx(100.0 * 0.5 / (np.log(2.0) * ERG_PER_KEV), rel=1e-4)


def test_norm_is_irrelevant_and_area_is_linear(perfect: Response) -> None:
    one = energy_conversion_factor(perfect, lambda e: powerlaw(e, 2.0), 1.0, 2.0)
    thousand = energy_conversion_factor(perfect, lambda e: powerlaw(e, 2.0, 1e3), 1.0, 2.0)
    double = Response(perfect.redistribution, 2.0 * perfect.area_cm2)
    assert thousand == pytest.approx(one, rel=1e-12)
    assert energy_conversion_factor(double, lambda e: powerlaw(e, 2.0), 1.0, 2.0) == pytest.approx(
        2.0 * one, rel=1e-12
    )


def test_band_ends_may_cut_bins(perfect: Response) -> None:
    exact = 100.0 * (1 / 1.0037 - 1 / 1.9973) / (np.log(1.9973 / 1.0037) * ERG_PER_KEV)
    value = energy_conversion_factor(perfect, lambda e: powerlaw(e, 2.0), 1.0037, 1.9973)
    assert value == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("band", [(0.1, 2.0), (1.0, 5.0), (2.0, 1.0), (1.0, 1.0), (np.nan, 2.0)])
def test_band_outside_the_response_is_refused(perfect: Response, band) -> None:
    with pytest.raises(InputError, match=r"band: must be LO < HI within 0.5-4.5 keV"):
        energy_conversion_factor(perfect, lambda e: powerlaw(e, 2.0), *band)


def test_spectrum_without_flux_is_refused(perfect: Response) -> None:
    with pytest.raises(InputError, match="spectrum: must have a flux in 1-2 keV"):
        energy_conversion_factor(perfect, lambda e: np.zeros(e.size - 1), 1.0, 2.0)


@pytest.mark.shared
@pytest.mark.parametrize("band", PUBLISHED)
def test_real_responses_give_the_published_factor(real_erosita: Instrument, band) -> None:
    value = energy_conversion_factor(real_erosita.response("pointed"), absorbed(2.0, 3e20), *band)
    assert value == pytest.approx(PUBLISHED[band], rel=0.01)
    assert 1.02 * value != pytest.approx(PUBLISHED[band], rel=0.01)  # negative control


@pytest.mark.parametrize("band", PUBLISHED)
def test_embedded_response_gives_the_published_factor(erosita: Instrument, band) -> None:
    value = energy_conversion_factor(erosita.response("pointed"), absorbed(2.0, 3e20), *band)
    assert value == pytest.approx(PUBLISHED[band], rel=0.03)


@pytest.mark.shared
@pytest.mark.parametrize("band", PUBLISHED)
def test_embedded_agrees_with_real_over_spectra(erosita, real_erosita, band) -> None:
    for index in INDICES:
        for nh in COLUMNS:
            embedded, real = (
                energy_conversion_factor(x.response("pointed"), absorbed(index, nh), *band)
                for x in (erosita, real_erosita)
            )
            assert embedded == pytest.approx(real, rel=0.03), (index, nh)


@pytest.mark.shared
def test_factor_falls_with_hardness_where_the_area_falls(real_erosita: Instrument) -> None:
    """In 2.3-5 keV the area falls with energy: harder spectra give fewer counts per erg."""
    response = real_erosita.response("pointed")
    by_index = [energy_conversion_factor(response, absorbed(g, 3e20), 2.3, 5.0) for g in INDICES]
    by_column = [energy_conversion_factor(response, absorbed(2.0, n), 2.3, 5.0) for n in COLUMNS]
    assert np.all(np.diff(by_index) > 0)
    assert np.all(np.diff(by_column) < 0)


def test_survey_factor_is_about_half(erosita: Instrument) -> None:
    pointed, survey = (
        energy_conversion_factor(erosita.response(m), absorbed(2.0, 3e20), 0.2, 2.3)
        for m in ("pointed", "survey")
    )
    assert survey / pointed == pytest.approx(0.55, abs=0.02)
