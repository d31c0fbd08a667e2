"""Haloes of a survey: painted alone, drawn once, as many photons as expected."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.lightcone import draw_light_cone
from icmass.simulate.population.parameters import Population
from icmass.simulate.skymaps import separation_deg
from icmass.simulate.survey.faint_light import MASKED_FLUX, mean_light
from icmass.simulate.survey.haloes import TRUTH, Painter, draw_halo, reach_deg
from tests.helpers.stats import assert_chi_square


@pytest.fixture(scope="module")
def painter(uneven) -> Painter:
    population = Population.load()
    cone = draw_light_cone(
        population.haloes,
        uneven.footprint,
        min_mass_msun=5e13,
        redshift_range=(0.1, 0.6),
        clustering=False,
        seed=3,
    )
    exposure_s = uneven.exposure_at(cone.ra_deg, cone.dec_deg)
    return Painter(cone, population, seed=3, particles=20_000, exposure_s=exposure_s)


@pytest.fixture(scope="module")
def reach(painter, erosita):
    haloes = painter.light_cone.haloes
    wings = erosita.psf("survey").max_radius_arcsec / 3600.0
    return reach_deg(haloes.r500c_kpc, haloes.redshift, painter.population, wings)


@pytest.fixture(scope="module")
def drawn(painter, uneven, erosita, reach):
    rows = np.flatnonzero(painter.shining)[:25].tolist()
    return {row: draw_halo(painter, row, uneven, erosita, float(reach[row])) for row in rows}


def test_photons_are_poisson(drawn):
    counts = np.array([len(halo.events) for halo in drawn.values()])
    expected = np.array([halo.expected for halo in drawn.values()])
    assert expected.sum() > 300.0
    assert_chi_square(counts, expected)
    with pytest.raises(AssertionError):
        assert_chi_square(counts, 1.5 * expected)


def test_photons_carry_the_number_of_their_halo(drawn, painter):
    for row, halo in drawn.items():
        assert (halo.events.source_id == painter.light_cone.haloes.halo_id[row]).all()
        assert (halo.events.origin == 1).all()


def test_nothing_is_sent_farther_than_reach(drawn, painter, reach):
    cone = painter.light_cone
    for row, halo in drawn.items():
        away = separation_deg(
            halo.events.ra_deg, halo.events.dec_deg, cone.ra_deg[row], cone.dec_deg[row]
        )
        assert away.max(initial=0.0) < reach[row]


def test_truth_is_complete(drawn):
    for halo in drawn.values():
        assert set(halo.truth) == set(TRUTH)
        assert halo.truth["lx_0520_erg_s"] > 0.0


def test_the_same_bit_by_bit(drawn, painter, uneven, erosita, reach):
    row, halo = next(iter(drawn.items()))
    again = draw_halo(painter, row, uneven, erosita, float(reach[row]))
    np.testing.assert_array_equal(again.events.ra_deg, halo.events.ra_deg)
    np.testing.assert_array_equal(again.events.energy_kev, halo.events.energy_kev)
    assert again.expected == halo.expected


def test_deep_places_have_more_haloes_and_particles(painter):
    shallow = replace(painter, exposure_s=painter.exposure_s / 100.0)
    np.testing.assert_allclose(100.0 * shallow.rough_counts, painter.rough_counts)
    assert shallow.shining.sum() < painter.shining.sum()
    row = int(np.argmax(painter.rough_counts))
    assert len(shallow.scene(row).gas) < len(painter.scene(row).gas)


def test_haloes_are_painted_alone(painter):
    from icmass.simulate.population.structures import draw_structures

    alone = painter.population.alone()
    for row in range(5):
        halo = painter.light_cone.stable_row(row)
        assert set(draw_structures(halo, alone, 3, 0).kind.tolist()) <= {0, 1}
        assert len(draw_structures(halo, alone, 3, 0).filaments) == 0
    crowded = [draw_structures(painter.light_cone.stable_row(r), painter.population, 3, 0)
               for r in range(5)]  # fmt: skip
    assert any((one.kind > 1).any() for one in crowded)


def test_mean_light_is_the_sum_of_the_faint(painter, erosita):
    edges = erosita.response("survey").redistribution.energy_edges_kev
    table = SpectralTable.load()
    count = len(painter.light_cone)
    light = mean_light(count, painter.gas, 10.0, edges, table, 0)
    twice = mean_light(count, painter.gas, 5.0, edges, table, 0)
    np.testing.assert_allclose(twice.per_arcmin2, 2.0 * light.per_arcmin2)
    # The same from the luminosities that the table integrates by itself.
    energy = 0.5 * (edges[1:] + edges[:-1])
    soft = (energy >= 0.5) & (energy < 2.0)
    flux = 1.602177e-9 * 3600.0 * 10.0 * float(light.per_arcmin2[soft] @ energy[soft])
    expected = 0.0
    for row in range(count):
        gas, redshift = painter.gas(row)
        emitted = table.luminosity(
            gas.kt_kev, gas.metallicity_solar, 0.5 * (1 + redshift), 2.0 * (1 + redshift)
        )
        distance = gas.info.cosmology.luminosity_distance(redshift).to_value("cm")
        one = float(emitted @ gas.emission_measure_cm3) / (4.0 * np.pi * distance**2)
        expected += one if one < MASKED_FLUX else 0.0
    assert flux == pytest.approx(expected, rel=0.03)
    assert mean_light(0, painter.gas, 10.0, edges, table, 0).per_arcmin2.sum() == 0.0
