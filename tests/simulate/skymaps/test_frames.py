"""Directions in the three frames, against astropy's own transformation."""

import numpy as np
import pytest
from astropy.coordinates import BarycentricMeanEcliptic, Galactic, SkyCoord

from icmass.errors import InputError
from icmass.simulate.skymaps.frames import FRAMES, check_frame, from_icrs, to_icrs
from icmass.simulate.skymaps.pixels import separation_deg

RNG = np.random.default_rng(11)
RA = RNG.uniform(0, 360, 500)
DEC = np.degrees(np.arcsin(RNG.uniform(-1, 1, 500)))


@pytest.mark.parametrize(
    ("frame", "astropy_frame", "names"),
    [("galactic", Galactic(), ("l", "b")), ("ecliptic", BarycentricMeanEcliptic(), ("lon", "lat"))],
)
def test_frames_are_astropys(frame, astropy_frame, names):
    expected = SkyCoord(RA, DEC, unit="deg").transform_to(astropy_frame)
    longitude, latitude = from_icrs(RA, DEC, frame)
    wanted = [getattr(expected, name).deg for name in names]
    assert separation_deg(longitude, latitude, *wanted).max() < 1e-11
    assert longitude.min() >= 0.0
    assert longitude.max() < 360.0


@pytest.mark.parametrize("frame", FRAMES)
def test_there_and_back(frame):
    assert separation_deg(*to_icrs(*from_icrs(RA, DEC, frame), frame), RA, DEC).max() < 1e-11


def test_known_directions():
    # The Galactic centre and pole (IAU 1958) and the ecliptic pole of J2000.
    ra, dec = to_icrs([0.0, 0.0], [0.0, 90.0], "galactic")
    np.testing.assert_allclose(ra, [266.405, 192.859], atol=1e-3)
    np.testing.assert_allclose(dec, [-28.936, 27.128], atol=1e-3)
    ra, dec = to_icrs(0.0, 90.0, "ecliptic")
    assert (float(ra), float(dec)) == pytest.approx((270.0, 66.5607), abs=1e-4)
    assert from_icrs(-10.0, 5.0, "icrs") == (350.0, 5.0)


def test_unknown_frame():
    with pytest.raises(InputError, match=r"frame: must be one of icrs, galactic, ecliptic; got 'G"):
        check_frame("G")
    with pytest.raises(InputError, match=r"frame: must be one of"):
        from_icrs(1.0, 1.0, "fk4")
