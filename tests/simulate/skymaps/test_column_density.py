"""Hydrogen of the Galaxy: the smooth model and maps of the user."""

import numpy as np
import pytest
from scipy.special import factorial, lpmv

from icmass.errors import InputError
from icmass.simulate.skymaps import SkyMap, column_model, galactic_column, read_column
from icmass.simulate.skymaps.column_density import _COSINES, _DISC_HEIGHT, _DISC_POWER, _SINES
from icmass.simulate.skymaps.frames import from_icrs


def _slow_column(longitude, latitude):
    """One direction at a time, with SciPy's Legendre functions."""
    sine = np.sin(np.radians(latitude))
    total = _DISC_POWER * np.log(sine**2 + _DISC_HEIGHT**2)
    for m, (a, b) in enumerate(zip(_COSINES, _SINES, strict=True)):
        for step in range(len(a)):
            degree = m + step
            norm = (2 * degree + 1) * factorial(degree - m) / factorial(degree + m)
            legendre = (-1) ** m * np.sqrt(norm) * lpmv(m, degree, sine)
            phase = m * np.radians(longitude)
            total += legendre * (a[step] * np.cos(phase) + b[step] * np.sin(phase))
    return np.exp(total)


def test_against_scipy():
    rng = np.random.default_rng(51)
    for longitude, latitude in zip(rng.uniform(0, 360, 50), rng.uniform(-90, 90, 50), strict=True):
        assert column_model(longitude, latitude) == pytest.approx(
            _slow_column(longitude, latitude), rel=1e-10
        )


# Columns of HI4PI towards well-known directions, in pixels of 0.9 deg [1e20 cm^-2].
@pytest.mark.parametrize(
    ("ra", "dec", "hi4pi"),
    [
        (49.95, 41.51, 14.4),  # Perseus
        (258.1, -23.37, 17.4),  # Ophiuchus
        (187.7, 12.4, 1.87),  # Virgo
        (227.73, 5.74, 3.23),  # Abell 2029
        (90.0, -66.56, 4.56),  # south ecliptic pole
        (270.0, 66.56, 3.59),  # north ecliptic pole
    ],
)
def test_towards_known_directions(ra, dec, hi4pi):
    # Scatter of the model: 0.12 dex.
    column = galactic_column(128).at(ra, dec)
    assert abs(np.log10(column / (hi4pi * 1e20))) < 0.12


def test_efeds_the_plane_and_the_poles():
    rng = np.random.default_rng(52)
    efeds = column_model(
        *from_icrs(rng.uniform(127, 146, 999), rng.uniform(-3, 6, 999), "galactic")
    )
    assert 2e20 < efeds.min() < efeds.max() < 4e20
    longitude = rng.uniform(0, 360, 999)
    assert 3e21 < np.median(column_model(longitude, np.zeros(999))) < 2e22
    poles = column_model(longitude, rng.choice([-75.0, 75.0], 999))
    assert 1e20 < poles.min() < poles.max() < 3e20


def test_the_map_keeps_to_its_range():
    sky = galactic_column(128)
    assert (sky.unit, sky.name, sky.nside) == ("cm-2", "NHI", 128)
    assert 1.0e20 < sky.values.min() < sky.values.max() < 1.2e22
    # Symmetric in nothing: turned by mistake it is another map.
    ra, dec = 150.1, 2.2
    assert sky.at(ra, dec) == pytest.approx(
        float(column_model(*from_icrs(ra, dec, "galactic"))), rel=0.03
    )
    assert abs(np.log(sky.at(ra, dec) / column_model(ra, dec))) > 0.3


def test_one_value_for_the_pole_whatever_the_longitude():
    np.testing.assert_allclose(np.ptp(column_model(np.arange(0.0, 360.0, 10.0), 90.0)), 0, atol=1e8)


def test_columns_from_a_file(tmp_path):
    SkyMap(np.full(48, 3.0), 2, "galactic", "10**20 cm-2", "NHI").write(tmp_path / "nh.fits")
    read = read_column(tmp_path / "nh.fits")
    assert read.values[7] == pytest.approx(3e20)
    for values, text in (
        (np.full(48, 3.0), "got 3 in 48 of 48"),
        (np.r_[1e25, np.full(47, 1e20)], "got 1e\\+25 in 1 of 48"),
        (np.full(48, -1e20), "got -1e\\+20 in 48"),
    ):
        SkyMap(values, 2, "galactic", "cm-2", "NHI").write(tmp_path / "bad.fits", overwrite=True)
        with pytest.raises(InputError, match=rf"columns of hydrogen: must lie .*{text}"):
            read_column(tmp_path / "bad.fits")
    SkyMap.uniform(3e20, frame="galactic", unit="s").write(tmp_path / "s.fits")
    with pytest.raises(InputError, match=r"values must be in cm-2 .*; got 's'"):
        read_column(tmp_path / "s.fits")
