"""AGN that are put in: as bright as asked, as sharp as the telescope, where they belong."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.catalog import CatalogSpec, ChangedCatalog, ImageGeometry
from icmass.errors import InputError
from icmass.interpret.interventions import EncircledEnergy, PutAgn, RemoveOrigin, agn_shares
from icmass.simulate.instrument.psf import PSF
from tests.helpers.stats import assert_chi_square, assert_distribution, assert_poisson

RADII = (0.0, 5.0, 10.0, 20.0, 40.0, 80.0)
SHARES = (0.0, 0.2, 0.45, 0.7, 0.9, 1.0)
TABLE = EncircledEnergy(RADII, SHARES)
SPEC = CatalogSpec(geometry=ImageGeometry(n_y=40, n_x=30, pixel=40.0))
BANDS = (0.5, 0.3, 0.2)
ICM, AGN, BACKGROUND = 0, 1, 2


def rows_of(spec, n, redshift=0.2, r500c=500.0):
    rows = np.zeros(n, spec.row_dtype)
    rows["halo_id"] = np.arange(n)
    rows["redshift"], rows["r500c_kpc"], rows["exposure_s"] = redshift, r500c, 1600.0
    return rows


def gas(spec, n, photons=400):
    """Gas in the centre, AGN near it and far outside, and background that must not count."""
    counts = np.zeros((n, *spec.image_shape), np.uint32)
    y, x = (side // 2 for side in spec.image_shape[2:])
    counts[:, ICM, 0, y, x] = photons // 2
    counts[:, AGN, 2, y + 2, x] = photons - photons // 2
    counts[:, AGN, 1, 0, 0] = 1000
    counts[:, BACKGROUND, :, y, x] = 5000
    return counts


def added(change, counts, rows, spec):
    after = change.images(counts.copy(), rows, spec)
    assert np.array_equal(after[:, [ICM, BACKGROUND]], counts[:, [ICM, BACKGROUND]])
    assert (after >= counts).all()
    return (after - counts)[:, AGN]


@pytest.mark.parametrize("brightness", [1.0, 0.25])
def test_an_agn_has_the_photons_that_the_cluster_has(brightness):
    n = 300
    counts, rows = gas(SPEC, n), rows_of(SPEC, n)
    new = added(PutAgn(0.3, TABLE, BANDS, brightness), counts, rows, SPEC)
    per_cluster = new.sum(axis=(1, 2, 3))
    expected = 400.0 * brightness
    assert_poisson(float(per_cluster.sum()), n * expected, bias=0.05)
    # Each is a draw: the scatter is Poisson's, to 8 sigma of a variance of n numbers.
    assert per_cluster.var() == pytest.approx(expected, rel=8.0 * np.sqrt(2.0 / n))
    assert_chi_square(new.sum(axis=(0, 2, 3)), n * expected * np.array(BANDS))


def test_photons_fall_as_the_psf_says_over_pixels():
    n, redshift = 400, 0.35
    spec = replace(SPEC, geometry=ImageGeometry(n_y=61, n_x=51, pixel=20.0))
    counts, rows = gas(spec, n), rows_of(spec, n, redshift)
    new = added(PutAgn(0.0, TABLE, BANDS), counts, rows, spec).sum(axis=(0, 1))
    kpc = _kpc_per_arcsec(redshift)
    # What pixels hold of the table, by many points in each.
    fine = (np.arange(15) - 7.0) / 15.0
    y, x = (np.arange(k)[:, None] - (k - 1) / 2 + fine for k in new.shape)
    radius = np.hypot(y.ravel()[:, None], x.ravel()) * 20.0 / kpc
    density = np.diff(SHARES) / (np.pi * np.diff(np.square(RADII)))
    place = np.minimum(np.searchsorted(RADII, radius, side="right") - 1, len(density))
    value = np.append(density, 0.0)[place] * (20.0 / kpc / 15.0) ** 2
    share = value.reshape(len(y), 15, len(x), 15).sum(axis=(1, 3))
    assert share.sum() == pytest.approx(1.0, abs=2e-3)
    assert_chi_square(new, 400.0 * n * share)
    with pytest.raises(AssertionError):  # of a wrong redshift it would not
        wrong = added(PutAgn(0.0, TABLE, BANDS), counts, rows_of(spec, n, 0.3), spec)
        assert_chi_square(wrong.sum(axis=(0, 1)), 400.0 * n * share)


def test_the_distance_is_kept_and_the_azimuth_is_even():
    n = 300
    sharp = EncircledEnergy((0.0, 1e-3), (0.0, 1.0))
    counts, rows = gas(SPEC, n), rows_of(SPEC, n)
    new = added(PutAgn(0.8, sharp, BANDS), counts, rows, SPEC).sum(axis=1)
    assert ((new > 0).sum(axis=(1, 2)) <= 2).all()  # one pixel, or at its edge
    east, north = SPEC.geometry.offsets()
    total = new.sum(axis=(1, 2))
    at_east = (new * east).sum(axis=(1, 2)) / total
    at_north = (new * north).sum(axis=(1, 2)) / total
    assert np.abs(np.hypot(at_east, at_north) - 400.0).max() <= 40.0 / np.sqrt(2.0)
    azimuth = np.arctan2(at_east, at_north) + 40.0 / 400.0 * np.random.default_rng(1).uniform(
        -0.5, 0.5, n
    )
    assert_distribution(np.mod(azimuth, 2 * np.pi) / (2 * np.pi), lambda u: np.clip(u, 0, 1))


def test_images_in_arcsec_hold_the_same_source():
    n, redshift = 200, 0.35
    pixel = 20.0
    spec = replace(
        SPEC, geometry=ImageGeometry(61, 51, pixel / _kpc_per_arcsec(redshift), "arcsec")
    )
    in_kpc = replace(SPEC, geometry=ImageGeometry(61, 51, pixel))
    change = PutAgn(0.4, TABLE, BANDS)
    rows = rows_of(spec, n, redshift)
    one = added(change, gas(spec, n), rows, spec)
    other = added(change, gas(in_kpc, n), rows, in_kpc)
    # The same numbers, but for photons on edges of pixels.
    assert np.abs(one.astype(int) - other).sum() < 1e-3 * other.sum()


def test_what_falls_off_the_image_is_lost():
    counts, rows = gas(SPEC, 50), rows_of(SPEC, 50)
    far = added(PutAgn(3.0, TABLE, BANDS), counts, rows, SPEC)
    assert not far.any()


def test_the_table_of_a_telescope_is_drawn():
    psf = PSF(
        core_arcsec=8.0,
        core_slope=1.8,
        wing_arcsec=40.0,
        wing_slope=1.5,
        wing_fraction=0.2,
        max_radius_arcsec=300.0,
    )
    radius = np.concatenate([[0.0], np.geomspace(0.1, 300.0, 400)])
    table = EncircledEnergy(tuple(radius.tolist()), tuple(psf.encircled(radius).tolist()))
    drawn = table.draw(20_000, np.random.default_rng(3))
    assert_distribution(drawn, psf.encircled)
    with pytest.raises(AssertionError):
        assert_distribution(1.05 * drawn, psf.encircled)


@pytest.mark.parametrize(
    ("radius", "share"),
    [
        ((1.0, 2.0), (0.0, 1.0)),
        ((0.0, 2.0), (0.0, 0.9)),
        ((0.0, 2.0, 1.0), (0.0, 0.5, 1.0)),
        ((0.0, 1.0, 2.0), (0.0, 1.1, 1.0)),
        ((0.0, 1.0), (0.0, 0.5, 1.0)),
        ((), ()),
    ],
)
def test_a_bad_table_is_refused(radius, share):
    with pytest.raises(InputError, match=r"^psf: must have ascending radii from 0 and shares"):
        EncircledEnergy(radius, share)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"radius_r500c": -1.0}, r"^radius_r500c: must be at least 0 and finite; got -1.0"),
        ({"brightness": np.inf}, r"^brightness: must be at least 0 and finite; got inf"),
        ({"shares": (0.5, 0.4)}, r"^shares: must be at least 0 and add up to 1"),
        ({"shares": ()}, r"^shares: must be at least 0 and add up to 1"),
    ],
)
def test_bad_values_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        PutAgn(**{"radius_r500c": 0.5, "psf": TABLE, "shares": BANDS} | values)


def test_shares_are_of_the_bands():
    with pytest.raises(InputError, match=r"^shares: must be one for each of the 3 bands; got 2"):
        PutAgn(0.5, TABLE, (0.5, 0.5)).images(gas(SPEC, 1), rows_of(SPEC, 1), SPEC)


def test_the_colour_of_agn_is_measured(clusters):
    shares = agn_shares(clusters, batch_size=7)
    of_agn = clusters.images(origins=["agn"]).sum(axis=(0, 2, 3))
    assert shares == pytest.approx(of_agn / of_agn.sum())
    assert len(set(shares)) == 3
    with pytest.raises(InputError, match=r"must hold photons of AGN, which tell their colour"):
        agn_shares(ChangedCatalog(clusters, RemoveOrigin("agn")))


def _kpc_per_arcsec(redshift):
    z = np.linspace(0.0, redshift, 20_001)
    mpc = np.trapezoid(299_792.458 / 70.4 / np.sqrt(0.272 * (1 + z) ** 3 + 0.728), z)
    return 1000.0 * mpc / (1.0 + redshift) / 206_264.806
