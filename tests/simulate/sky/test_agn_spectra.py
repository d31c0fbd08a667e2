"""AGN spectra: unit flux, the mixture between nodes, the population and its mean."""

import numpy as np
import pytest
from scipy.integrate import quad

from icmass.simulate.constants import ERG_PER_KEV
from icmass.simulate.emission.absorption import transmission
from icmass.simulate.sky.agn_spectra import AgnSpectra
from tests.helpers.stats import assert_chi_square, assert_mean

EDGES = np.geomspace(0.1, 12.0, 601)


@pytest.fixture(scope="module")
def population() -> AgnSpectra:
    return AgnSpectra.default()


def flux(index: float, nh_cm2: float, redshift: float, lo: float, hi: float) -> float:
    """Energy flux of an absorbed power law of norm 1, by quadrature."""
    edges = [0.532, 0.707, 0.867, 1.303, 1.84]

    def spectrum(energy: float) -> float:
        column = transmission(np.array([energy * (1 + redshift)]), nh_cm2)[0]
        return energy ** (1 - index) * column

    return ERG_PER_KEV * quad(spectrum, lo, hi, points=edges, limit=200)[0]


@pytest.mark.parametrize(
    ("index_row", "absorber", "redshift"), [(0, 0, 0.0), (3, 2, 0.0), (6, 3, 0.4)]
)
def test_spectra_have_unit_flux(population, index_row, absorber, redshift):
    index, nh_cm2 = population.photon_index[index_row], population.absorber_nh_cm2[absorber]
    row = absorber * len(population.photon_index) + index_row
    spectrum = population.photons(EDGES, redshift)[row]
    norm = 1.0 / flux(index, nh_cm2, redshift, 0.5, 2.0)
    above = EDGES[:-1] > 3.0
    exact = (
        norm
        * quad(
            lambda e: e**-index * transmission(np.array([e * (1 + redshift)]), nh_cm2)[0],
            EDGES[:-1][above][0],
            12.0,
            limit=200,
        )[0]
    )
    assert spectrum[above].sum() == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("redshift", [0.1, 0.8])
def test_rest_band_of_a_power_law(population, redshift):
    ratio = population.rest_band_ratio(redshift)[: len(population.photon_index)]
    exact = (1 + redshift) ** (np.array(population.photon_index) - 2.0)
    assert ratio == pytest.approx(exact, rel=1e-6)


def test_rest_band_of_an_absorbed_source(population):
    row = 3 * len(population.photon_index) + 3
    index, nh_cm2 = population.photon_index[3], population.absorber_nh_cm2[3]
    rest = flux(index, nh_cm2, 0.5, 0.5 / 1.5, 2.0 / 1.5)
    exact = rest / flux(index, nh_cm2, 0.5, 0.5, 2.0)
    assert population.rest_band_ratio(0.5)[row] == pytest.approx(exact, rel=1e-3)


def test_a_mixture_of_neighbours_is_close_to_the_power_law(population):
    """Between nodes the count of photons is off by less than 2% at any energy from 0.3 to 7 keV."""
    index = 1.8
    step = float(population.node(np.array([index]), np.array([0]))[0])
    low = int(step)
    spectra = population.photons(EDGES)
    mixed = (1 - (step - low)) * spectra[low] + (step - low) * spectra[low + 1]
    middle = np.sqrt(EDGES[1:] * EDGES[:-1])
    exact = middle**-index * np.diff(EDGES) / flux(index, 0.0, 0.0, 0.5, 2.0)
    used = (middle > 0.3) & (middle < 7.0)
    assert mixed[used] == pytest.approx(exact[used], rel=0.02)


def test_slopes_are_drawn_with_their_scatter(population):
    size = 50_000
    index, absorber = population.draw(size, np.random.default_rng(4))
    assert_mean(index, 1.9, 0.2)
    assert index.std() == pytest.approx(0.2, rel=4.5 / np.sqrt(2 * size))
    assert_chi_square(np.bincount(absorber), np.array(population.absorber_share) * size)


def test_mean_weights_are_the_mean_of_draws(population):
    """The light taken out of the unresolved background has the spectrum of the AGN drawn."""
    size = 400_000
    node = population.node(*population.draw(size, np.random.default_rng(9)))
    low = np.minimum(node.astype(int), len(population.mean_weights()) - 2)
    weight = np.bincount(low, 1 - (node - low), 28) + np.bincount(low + 1, node - low, 28)
    expected = population.mean_weights()
    assert expected.sum() == pytest.approx(1.0, abs=1e-12)
    assert np.abs(weight / size - expected).max() < 4.5 * np.sqrt(0.25 / size)


def test_an_index_beyond_the_grid_never_reaches_another_absorber(population):
    node = population.node(np.array([0.5, 4.0]), np.array([1, 1]))
    assert node.tolist() == [7.0, 13.0]


def test_absorbers_dim_the_soft_band():
    """By hand: a power law of index 1.9 behind 1e22 cm^-2 keeps a fifth of its 0.5-2 keV energy."""
    population = AgnSpectra.default()
    energy = np.linspace(0.5, 2.0, 30_001)
    shine = energy ** (1.0 - population.mean)
    expected = [
        np.average(transmission(energy, nh_cm2), weights=shine)
        for nh_cm2 in population.absorber_nh_cm2
    ]
    assert population.soft_transmission() == pytest.approx(expected, rel=2e-3)
    assert population.soft_transmission()[[0, -1]] == pytest.approx([1.0, 0.20], abs=0.01)
