"""Exposure of the scan: conserved, symmetric, and what a scan that is followed in time gives."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.skymaps import SkyMap, exposure_at_latitude, read_exposure, scan_exposure
from icmass.simulate.skymaps.frames import to_icrs
from icmass.simulate.skymaps.pixels import separation_deg
from icmass.simulate.skymaps.scan import FIELD_OF_VIEW_DEG, PASS_S, SCAN_RATE_DEG_PER_S
from tests.helpers.stats import assert_poisson, poisson_z

RADIUS = np.radians(0.5 * FIELD_OF_VIEW_DEG)
SKY_FRACTION = 0.5 * (1.0 - np.cos(RADIUS))  # of the sphere in the field of view
LATITUDES = [0.0, -37.0, 80.0, 89.2, 89.6, 90.0]


def test_the_ecliptic_and_the_poles():
    # 6.26 passages of 41.2 s, shorter by pi / 4 on average; every passage at a pole.
    passages = FIELD_OF_VIEW_DEG / (180.0 / PASS_S * 4 * 3600)
    expected = passages * 0.25 * np.pi * FIELD_OF_VIEW_DEG / SCAN_RATE_DEG_PER_S
    assert exposure_at_latitude(0.0) == pytest.approx(expected, rel=1e-4)
    assert expected == pytest.approx(202.9, abs=0.1)
    scans = PASS_S / (4 * 3600)
    assert exposure_at_latitude(90.0) == pytest.approx(
        scans * FIELD_OF_VIEW_DEG / SCAN_RATE_DEG_PER_S, rel=1e-9
    )
    # eRASS1: 100 to 200 s vignetted near the ecliptic, half of it unvignetted.
    assert 100.0 < 0.5 * exposure_at_latitude(0.0) < 200.0
    assert 1000.0 < 0.5 * exposure_at_latitude(87.0) < 5000.0


def test_far_from_the_poles_it_grows_as_the_meridians_close():
    latitude = np.array([10.0, 45.0, 75.0])
    ratio = exposure_at_latitude(latitude) / exposure_at_latitude(0.0)
    np.testing.assert_allclose(ratio, 1.0 / np.cos(np.radians(latitude)), rtol=1e-3)


def test_time_is_conserved():
    """The sky's mean exposure is the time times the part of the sky in the field of view."""
    sine = np.sin(np.linspace(0.0, 0.5 * np.pi, 50_001))
    exposure = exposure_at_latitude(np.degrees(np.arcsin(sine)))
    mean = np.trapezoid(exposure, sine)
    assert mean / PASS_S == pytest.approx(SKY_FRACTION, rel=1e-6)
    assert scan_exposure(1.0, 256).values.mean() == pytest.approx(mean, rel=1e-4)


def test_symmetric_and_growing():
    latitude = np.linspace(0.0, 90.0, 5000)
    exposure = exposure_at_latitude(latitude)
    np.testing.assert_array_equal(exposure_at_latitude(-latitude), exposure)
    assert (np.diff(exposure) > 0).all()


@pytest.mark.parametrize("latitude", LATITUDES)
def test_against_a_scan_followed_in_time(latitude):
    """Slow twin: the scan at random times, counted when the direction is in the field of view.

    The telescope points to longitudes 90 deg from the axis, and to a latitude that is the phase of
    the scan; the axis and the phase are uniform. Only times within a degree are drawn.
    """
    expected = exposure_at_latitude(latitude) / PASS_S
    counts = 164_000  # 2% seen at 8 sigma
    low, high = max(-90.0, latitude - 1.0), min(90.0, latitude + 1.0)
    side = 1.0 / np.cos(np.radians(max(abs(low), abs(high))))
    side = side if side < 180.0 else 180.0
    share = (high - low) / 180.0 * side / 180.0
    times = round(counts * share / expected)
    rng = np.random.default_rng(41)
    longitude = 200.0 + rng.uniform(-side, side, times)
    phase = rng.uniform(low, high, times)
    near = separation_deg(200.0, latitude, longitude, phase) < np.degrees(RADIUS)
    assert_poisson(np.count_nonzero(near), counts)
    if latitude == 89.6:  # negative control: the growth far from the poles
        growth = exposure_at_latitude(0.0) / np.cos(np.radians(89.6)) / PASS_S / expected
        assert abs(poisson_z(np.count_nonzero(near), counts * growth)) > 8.0


def test_the_map():
    sky = scan_exposure(2.5, 256)
    assert (sky.nside, sky.unit, sky.values.size) == (256, "s", 12 * 256**2)
    ra, dec = to_icrs([10.0, 200.0, 300.0], [-40.0, 70.0, -85.0], "ecliptic")
    np.testing.assert_allclose(
        sky.at(ra, dec), 2.5 * exposure_at_latitude([-40.0, 70.0, -85.0]), rtol=0.05
    )
    np.testing.assert_allclose(sky.values, 2.5 * scan_exposure(1.0, 256).values, rtol=1e-12)
    # Negative control: the poles are those of the ecliptic.
    assert sky.at(270.0, 66.56) > 30.0 * sky.at(270.0, 90.0)
    assert scan_exposure(2.5, 256) is sky


@pytest.mark.parametrize("passes", [0.0, -1.0, np.nan, np.inf])
def test_bad_passes(passes):
    with pytest.raises(InputError, match=r"passes: must be a positive number .*Give 1 for eRASS1"):
        scan_exposure(passes)


def test_bad_latitude_and_nside():
    with pytest.raises(InputError, match=r"ecliptic latitude: must lie between -90 and 90"):
        exposure_at_latitude([0.0, 91.0])
    with pytest.raises(InputError, match=r"nside: must be a power of two"):
        scan_exposure(1.0, 100)


def test_exposures_from_a_file(tmp_path):
    SkyMap(np.linspace(0.0, 2.0, 48), 2, "icrs", "ks", "EXPOSURE").write(tmp_path / "e.fits")
    read = read_exposure(tmp_path / "e.fits")
    assert (read.values.max(), read.unit) == (2000.0, "s")
    SkyMap(np.linspace(-1.0, 1.0, 48), 2, "icrs", "s", "EXPOSURE").write(tmp_path / "n.fits")
    with pytest.raises(InputError, match=r"n\.fits: exposures: must lie between 0 .* got -1 in 24"):
        read_exposure(tmp_path / "n.fits")
