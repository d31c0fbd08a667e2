"""The redistribution matrix: rows, bands, the Gaussian builder."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.instrument.redistribution import (
    FWHM_PER_SIGMA,
    Redistribution,
    bin_overlap,
    gaussian_redistribution,
)

DENSE = np.array([[0.5, 0.25, 0.25, 0], [0, 0, 0, 0], [0, 0, 0.7, 0.2]])


def test_rows_land_on_their_channels(lopsided: Redistribution) -> None:
    np.testing.assert_allclose(lopsided.matrix(), DENSE, rtol=1e-6)
    np.testing.assert_allclose(lopsided.row_sum, [1.0, 0.0, 0.9], rtol=1e-6)


def test_band_counts_cut_channels_by_their_share(lopsided: Redistribution) -> None:
    # 0.65-2.9 keV: half of channel 0 (0.4-0.9), all of 1, half of 2 (1.9-3.9)
    expected = DENSE @ [0.5, 1.0, 0.5, 0.0]
    np.testing.assert_allclose(lopsided.band_probability(0.65, 2.9), expected, rtol=1e-6)


def test_adjacent_bands_add_up(lopsided: Redistribution) -> None:
    parts = lopsided.band_probability(0.4, 1.23) + lopsided.band_probability(1.23, 5.0)
    np.testing.assert_allclose(parts, lopsided.row_sum, rtol=1e-12)


def test_band_outside_the_channels_is_empty(lopsided: Redistribution) -> None:
    assert not lopsided.band_probability(6.0, 7.0).any()


def test_empty_band_is_refused(lopsided: Redistribution) -> None:
    with pytest.raises(InputError, match="band: must have its lower end below"):
        lopsided.band_probability(2.0, 2.0)


def test_overlap_of_unequal_bins() -> None:
    np.testing.assert_allclose(bin_overlap(np.array([0.0, 1.0, 4.0]), 0.75, 2.5), [0.25, 0.5])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"energy_edges_kev": np.array([0.5, 1.0, 0.9, 4.0])}, "must ascend; got 1 followed by"),
        ({"energy_edges_kev": np.array([0.5, np.nan, 2.0, 4.0])}, "must be finite; got 1"),
        ({"channel_edges_kev": np.array([1.0])}, "at least 2 edges"),
        ({"row_channel": np.zeros(2, np.int32)}, "one row per energy bin"),
        ({"row_start": np.array([0, 3, 3, 4])}, "row_start must run from 0"),
        ({"row_channel": np.array([2, 0, 2], np.int32)}, "lie within the 4 channels; got row 0"),
        ({"row_channel": np.array([0, -1, 2], np.int32)}, "lie within the 4 channels; got row 1"),
        ({"probability": np.float32([0.5, -0.1, 0.2, 0.7, 0.2])}, "must be finite and >= 0; got 1"),
        ({"probability": np.float32([0.5, np.nan, 0.2, 0.7, 0.2])}, "must be finite and >= 0"),
        ({"probability": np.float32([0.5, 0.5, 0.5, 0.7, 0.2])}, "sum to at most 1; got 1.5"),
    ],
)
def test_impossible_matrix_is_refused(
    lopsided: Redistribution, change: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        replace(lopsided, **change)


def test_more_bins_than_events_can_number_are_refused() -> None:
    """Channels of events, and guides to energy bins, are numbered in 16 bits."""
    few, most, many = (np.linspace(0.5, 9.0, n + 1) for n in (2, 2**15 - 1, 2**15))
    assert gaussian_redistribution(few, most, np.ones_like).n_channel == 32_767
    for energies, channels, got in ((few, many, "2 and 32,768"), (many, few, "32,768 and 2")):
        with pytest.raises(InputError, match=f"at most 32,767 energy bins and channels; got {got}"):
            gaussian_redistribution(energies, channels, np.ones_like)


@pytest.fixture(scope="module")
def gaussian() -> Redistribution:
    energies = np.linspace(0.2, 8.0, 400)
    channels = np.linspace(0.05, 9.0, 1800)
    return gaussian_redistribution(energies, channels, lambda e: 0.06 + 0.01 * e)


def test_gaussian_rows_have_the_mean_and_width_asked_for(gaussian: Redistribution) -> None:
    centre = 0.5 * (gaussian.channel_edges_kev[1:] + gaussian.channel_edges_kev[:-1])
    width = np.diff(gaussian.channel_edges_kev)
    matrix = gaussian.matrix()
    inside = gaussian.energy_kev > 0.4  # rows that the lowest channel does not cut
    mean = (matrix @ centre)[inside]
    variance = (matrix @ centre**2)[inside] - mean**2 - width[0] ** 2 / 12
    np.testing.assert_allclose(mean, gaussian.energy_kev[inside], atol=1e-6)
    fwhm = FWHM_PER_SIGMA * np.sqrt(variance)
    np.testing.assert_allclose(fwhm, 0.06 + 0.01 * gaussian.energy_kev[inside], rtol=1e-4)


def test_gaussian_rows_sum_to_one_even_at_the_ends(gaussian: Redistribution) -> None:
    np.testing.assert_allclose(gaussian.row_sum, 1.0, atol=1e-6)


def test_gaussian_is_cut_at_five_sigma(gaussian: Redistribution) -> None:
    row, sigma = 200, (0.06 + 0.01 * gaussian.energy_kev[200]) / FWHM_PER_SIGMA
    length = np.diff(gaussian.row_start)[row] * np.diff(gaussian.channel_edges_kev)[0]
    assert length == pytest.approx(10 * sigma, abs=2 * np.diff(gaussian.channel_edges_kev)[0])
