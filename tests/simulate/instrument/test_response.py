"""Folding photons into counts."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.instrument import Redistribution, Response

AREA = np.array([100.0, 50.0, 20.0])


def test_fold_is_area_times_matrix(lopsided: Redistribution) -> None:
    photons = np.arange(1.0, 13.0).reshape(2, 2, 3)
    expected = np.einsum("abe,e,ec->abc", photons, AREA, lopsided.matrix())
    folded = Response(lopsided, AREA).fold(photons)
    assert folded.shape == (2, 2, 4)
    np.testing.assert_allclose(folded, expected, rtol=1e-12)


def test_fold_of_one_spectrum_has_one_axis(lopsided: Redistribution) -> None:
    assert Response(lopsided, AREA).fold(np.ones(3)).shape == (4,)


def test_fold_conserves_photons_but_for_what_the_matrix_loses(lopsided: Redistribution) -> None:
    photons = np.array([3.0, 5.0, 7.0])
    counts = Response(lopsided, AREA).fold(photons).sum()
    assert counts == pytest.approx(3 * 100 * 1.0 + 5 * 50 * 0.0 + 7 * 20 * 0.9, rel=1e-6)


def test_band_area_agrees_with_fold(lopsided: Redistribution) -> None:
    response, photons = Response(lopsided, AREA), np.array([3.0, 5.0, 7.0])
    in_band = photons @ response.band_area_cm2(0.9, 3.9)
    assert in_band == pytest.approx(response.fold(photons)[1:3].sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("area", "message"),
    [
        (np.ones(4), "one value for each of the 3 energy bins; got shape"),
        (np.array([1.0, -2.0, 3.0]), "finite and >= 0 cm.2; got 1 values .* first -2.0 .* bin 1"),
        (np.array([1.0, 2.0, np.nan]), "finite and >= 0"),
    ],
)
def test_bad_area_is_refused(lopsided: Redistribution, area: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Response(lopsided, area)
