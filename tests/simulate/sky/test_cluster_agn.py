"""AGN of the cluster: how many, how luminous, how far out, and what arrives of them."""

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM

from icmass.errors import InputError
from icmass.simulate.emission.powerlaw import powerlaw
from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.sky import AgnKind, AgnTable, cluster_agn, expected_members
from icmass.simulate.sky.agn_luminosity import LuminosityFunction
from icmass.simulate.sky.agn_spectra import AgnSpectra
from icmass.simulate.view import View
from tests.helpers.stats import assert_distribution, assert_poisson, ks_p_value
from tests.simulate.sky.conftest import NH_CM2

COSMOLOGY = FlatLambdaCDM(70.0, 0.3)
VIEW = View(150.0, -60.0, "survey", 1800.0)
REDSHIFT, R500C_KPC, M500C_MSUN = 0.4, 1100.0, 6e14


def draw(erosita, seed: int, **changes):
    arguments = {
        "redshift": REDSHIFT,
        "cosmology": COSMOLOGY,
        "r500c_kpc": R500C_KPC,
        "m500c_msun": M500C_MSUN,
        **changes,
    }
    return cluster_agn(
        VIEW, erosita, NH_CM2, **arguments, seed_sequence=np.random.SeedSequence(seed)
    )


@pytest.fixture(scope="module")
def crowd(erosita) -> AgnTable:
    """The members of one cluster with a thousand times the galaxies of a real one."""
    mass = M500C_MSUN * 3000.0**1.36
    return draw(erosita, 5, m500c_msun=mass)[1]


def test_mean_number_over_many_clusters(erosita):
    number = sum(len(draw(erosita, seed)[1]) for seed in range(1200))
    assert_poisson(number, 1200 * expected_members(M500C_MSUN, REDSHIFT), bias=0.15)


def test_bright_members_are_the_measured_share(erosita):
    """Martini+09: 0.13% of the galaxies at z 0.19 and 1.0% at 0.72 above 1e43 erg/s."""
    function = LuminosityFunction.default()
    for redshift, share in ((0.19, 0.00134), (0.72, 0.0100)):
        z_term = ((1 + redshift) / 1.35) ** -0.3
        galaxies = 40.0 * (1.8 * M500C_MSUN / 3.08e14 / z_term) ** (1 / 1.36)
        bright = function.number_above(43.0, redshift, 46.0)
        every = function.number_above(41.5, redshift, 46.0)
        number = expected_members(M500C_MSUN, redshift) * bright / every
        assert number == pytest.approx(galaxies * share, rel=1e-6)


def test_number_grows_with_mass_and_redshift_and_stops_beyond_the_data():
    assert expected_members(1e15, 0.3) / expected_members(1e14, 0.3) == pytest.approx(
        10 ** (1 / 1.36)
    )
    assert expected_members(3e14, 0.7) > 3 * expected_members(3e14, 0.2)
    assert expected_members(3e14, 1.9) < 1.5 * expected_members(3e14, 1.3)


def test_luminosities_follow_the_function(crowd):
    function = LuminosityFunction.default()
    grid = np.linspace(41.5, 46.0, 2001)
    total = [0.0] + [function.number_above(41.5, REDSHIFT, x) for x in grid[1:]]
    population = AgnSpectra.default()
    absorber = np.searchsorted(population.absorber_nh_cm2, crowd.nh_cm2)
    through = population.soft_transmission()[absorber]
    log_hard = np.log10(crowd.luminosity / population.soft_over_hard() / through)

    def cdf(x):
        return np.interp(x, grid, np.array(total) / total[-1])

    assert_distribution(log_hard, cdf)
    assert ks_p_value(log_hard + 0.05, cdf) < 1e-6


def test_fluxes_follow_from_luminosities(crowd):
    """An unabsorbed power law: L / (4 pi D_L^2) (1 + z)^(2 - index) in the same observed band."""
    plain = crowd.nh_cm2 == 0.0
    distance_cm = COSMOLOGY.luminosity_distance(REDSHIFT).to_value("cm")
    exact = crowd.luminosity / (4 * np.pi * distance_cm**2)
    exact *= (1 + REDSHIFT) ** (2 - crowd.photon_index)
    assert crowd.flux[plain] == pytest.approx(exact[plain], rel=2e-3, abs=0.0)
    forgotten = crowd.luminosity / (4 * np.pi * distance_cm**2)
    assert np.abs(forgotten / crowd.flux - 1).max() > 0.1, "a missing factor must be noticed"


def test_absorbed_members_are_fainter(crowd):
    """The function is one of hard X-rays; 1e22 cm^-2 leave a fifth of the soft ones."""
    thick, thin = (np.log10(crowd.luminosity[crowd.nh_cm2 == nh]) for nh in (1e22, 0.0))
    scatter = np.std(thin) * np.sqrt(1 / len(thick) + 1 / len(thin))
    assert scatter < 0.1
    assert np.mean(thick) - np.mean(thin) == pytest.approx(np.log10(0.20), abs=4.5 * scatter)


def test_they_follow_the_galaxies(crowd):
    """NFW of c500 = 2 cut at a sphere of 2.3 R500c, projected shell by shell."""
    scale = COSMOLOGY.kpc_proper_per_arcmin(REDSHIFT).to_value("kpc / arcsec") / R500C_KPC
    radius = np.hypot(crowd.east_arcsec, crowd.north_arcsec) * scale
    assert radius.max() < 2.3
    r = np.linspace(0.0, 2.3, 4001)[1:]
    shell = r**2 / (2 * r * (1 + 2 * r) ** 2)
    grid = np.linspace(0.0, 2.3, 231)
    seen = 1 - np.sqrt(np.clip(1 - (grid[:, None] / r) ** 2, 0, None))
    enclosed = (seen * shell).sum(axis=1) / shell.sum()

    def cdf(x):
        return np.interp(x, grid, enclosed)

    assert_distribution(radius, cdf)
    assert ks_p_value(radius * 1.05, cdf) < 1e-6


def test_no_direction_is_preferred(crowd):
    angle = np.arctan2(crowd.north_arcsec, crowd.east_arcsec)
    assert_distribution(angle, lambda x: (x + np.pi) / (2 * np.pi))


def test_table_says_cluster_and_redshift(erosita):
    component, table = draw(erosita, 3, first_id=101)
    assert component.name == "cluster_agn"
    assert len(table) > 0
    assert (table.kind == AgnKind.CLUSTER).all()
    assert (table.redshift == REDSHIFT).all()
    assert table.source_id[0] == 101
    assert set(table.to_table()["kind"]) == {"CLUSTER"}


def test_tables_of_field_and_cluster_join(erosita):
    _, first = draw(erosita, 3)
    _, second = draw(erosita, 4, first_id=1 + len(first))
    both = AgnTable.concatenate([first, second])
    assert both.source_id.tolist() == list(range(1, 1 + len(first) + len(second)))
    assert both.flux.tolist() == [*first.flux.tolist(), *second.flux.tolist()]


def test_absorber_sits_at_the_cluster(erosita):
    """The same column absorbs less at a higher redshift, for it does so at higher energies."""
    edges = np.geomspace(0.3, 8.0, 400)
    population = AgnSpectra.default()
    row = 3 * len(population.photon_index) + 3
    shares = []
    for redshift in (0.0, 0.9):
        spectrum = population.photons(edges, redshift)[row]
        bare = powerlaw(edges, population.photon_index[3])
        through = spectrum / bare
        shares.append(through[np.searchsorted(edges, 0.8)] / through[-1])
    assert shares[1] > 2 * shares[0]


def test_counts_dim_with_the_column(erosita):
    thin, _ = draw(erosita, 3)
    thick, _ = cluster_agn(
        VIEW,
        erosita,
        3e21,
        REDSHIFT,
        COSMOLOGY,
        R500C_KPC,
        M500C_MSUN,
        np.random.SeedSequence(3),
    )
    assert (expected_counts(thick, 1.0) < expected_counts(thin, 1.0)).all()


@pytest.mark.parametrize(
    ("name", "bad"),
    [("redshift", 0.0), ("redshift", np.nan), ("r500c_kpc", -1.0), ("m500c_msun", np.nan)],
)
def test_missing_measurements_are_refused(erosita, name, bad):
    said = name.split("_")[0]
    with pytest.raises(InputError, match=rf"{said}: must be above 0 and finite to place AGN"):
        draw(erosita, 1, **{name: bad})
