"""Photons of the sky: numbers, places and sources as expected, and each component on its own."""

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM

from icmass.errors import InputError, InputWarning
from icmass.simulate.gas import GasInfo, Halo
from icmass.simulate.origin import Origin
from icmass.simulate.photons.draw import draw_events
from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.sky import (
    SKY_COMPONENTS,
    extragalactic,
    field_agn,
    foreground,
    particle_background,
    sky_components,
)
from icmass.simulate.view import View
from tests.helpers.stats import assert_chi_square, assert_distribution, assert_poisson
from tests.simulate.sky.conftest import NH_CM2

HALO = Halo((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 6e14, 1100.0, 8.5e14, 1650.0, True)
COSMOLOGY = FlatLambdaCDM(70.0, 0.3)


def compose(view, instrument, wanted=SKY_COMPONENTS, seed=5, halo=HALO):
    info = GasInfo(source="test", code="none", redshift=0.3, cosmology=COSMOLOGY, halo=halo)
    return sky_components(
        wanted,
        view,
        instrument,
        redshift=0.3,
        nh_cm2=NH_CM2,
        gas_info=info,
        seed=seed,
        agn_flux_limit=3e-15,
    )


def by_name(components):
    return {component.name: component for component in components}


def test_diffuse_survey_photons_are_poisson_and_even(erosita, survey):
    for light in (
        particle_background(survey, erosita),
        foreground(survey, erosita, NH_CM2),
        extragalactic(survey, erosita, NH_CM2, 1e-15),
    ):
        events = draw_events([light], survey, erosita, 100_000.0, 3)
        assert_poisson(len(events), expected_counts(light, 100_000.0).sum(), bias=0.03)
        assert (events.origin == Origin.BACKGROUND).all()
        assert (events.source_id == 0).all()
        half = survey.width_arcsec / 2.0
        edges = np.linspace(-half, half, 13)
        image = np.histogram2d(events.north_arcsec, events.east_arcsec, bins=edges)[0]
        assert_chi_square(image, np.full(image.shape, len(events) / image.size))


def test_diffuse_photons_fill_the_round_field_to_its_rim(erosita, pointed):
    """Particles: evenly over the disc, whatever squares reach over the rim."""
    events = draw_events([particle_background(pointed, erosita)], pointed, erosita, 20_000.0, 3)
    per_arcmin2 = erosita.particle_background.spectrum(erosita.redistribution.energy_edges_kev)
    assert_poisson(len(events), per_arcmin2.sum() * pointed.area_arcmin2 * 20_000.0, bias=0.03)
    radius = np.hypot(events.east_arcsec, events.north_arcsec) / (pointed.width_arcsec / 2)
    assert radius.max() <= 1.0
    assert_distribution(radius, lambda r: r**2)


def test_agn_photons_carry_their_source_and_its_number(erosita, survey, sequence):
    light, table = field_agn(survey, erosita, NH_CM2, 3e-15, sequence, first_id=4)
    exposure_s = 300_000.0
    events = draw_events([light], survey, erosita, exposure_s, 3)
    assert (events.origin == Origin.AGN).all()
    row = events.source_id - 4
    assert (row == events.parent).all()
    assert events.true_east_arcsec == pytest.approx(table.east_arcsec[row], abs=0.01)
    assert events.true_north_arcsec == pytest.approx(table.north_arcsec[row], abs=0.01)
    reach = survey.width_arcsec / 2 - erosita.psf("survey").max_radius_arcsec
    deep = np.maximum(np.abs(table.east_arcsec), np.abs(table.north_arcsec)) < reach
    assert deep.sum() > 1
    counts = np.bincount(row, minlength=len(table))
    assert_chi_square(counts[deep], expected_counts(light, exposure_s)[deep])


def test_photons_scatter_in_from_outside_the_field(erosita, survey, sequence):
    light, table = field_agn(survey, erosita, NH_CM2, 1e-15, sequence)
    events = draw_events([light], survey, erosita, 300_000.0, 3)
    outside = ~survey.contains(table.east_arcsec, table.north_arcsec)
    assert survey.contains(events.east_arcsec, events.north_arcsec).all()
    assert outside[events.parent].sum() > 20


def test_switching_one_component_off_leaves_all_others(erosita, survey):
    """Photon by photon; only the extragalactic light takes over what sources do not show."""
    everything, _ = compose(survey, erosita)
    assert [component.name for component in everything] == list(SKY_COMPONENTS)
    reference = by_name(everything)
    for missing in SKY_COMPONENTS:
        rest, _ = compose(survey, erosita, [n for n in SKY_COMPONENTS if n != missing])
        assert missing not in by_name(rest)
        for name, component in by_name(rest).items():
            if missing == "field_agn" and name in {"extragalactic", "cluster_agn"}:
                continue
            one, two = (
                draw_events([c], survey, erosita, 2000.0, 5) for c in (component, reference[name])
            )
            assert one.time_s.tolist() == two.time_s.tolist()
            assert one.source_id.tolist() == two.source_id.tolist()


def test_streams_of_field_and_cluster_are_different(erosita, survey):
    light = by_name(compose(survey, erosita)[0])
    size = min(len(light[name].emitters) for name in ("field_agn", "cluster_agn"))
    assert size > 0
    nodes = [light[name].emitters.node[:size] for name in ("field_agn", "cluster_agn")]
    assert nodes[0].tolist() != nodes[1].tolist()


def test_sources_are_numbered_through(erosita, survey):
    components, table = compose(survey, erosita)
    assert table.source_id.tolist() == list(range(1, len(table) + 1))
    light = by_name(components)
    numbers = [*light["field_agn"].source_id, *light["cluster_agn"].source_id]
    assert numbers == table.source_id.tolist()
    assert set(table.to_table()["kind"]) == {"FIELD", "CLUSTER"}


def test_without_agn_their_light_stays(erosita, survey):
    """All extragalactic light is there either way; sources only give part of it a place."""
    with_agn = by_name(compose(survey, erosita)[0])["extragalactic"]
    without, table = compose(survey, erosita, ["extragalactic"])
    assert table is None
    assert expected_counts(without[0], 1.0).sum() > 1.3 * expected_counts(with_agn, 1.0).sum()


def test_cluster_agn_are_left_out_with_a_warning_where_there_is_no_mass(erosita, survey):
    with pytest.warns(InputWarning, match="cluster_agn: left out, since M500c"):
        components, _ = compose(survey, erosita, halo=None)
    assert "cluster_agn" not in by_name(components)


def test_an_unknown_component_is_refused(erosita, survey):
    with pytest.raises(InputError, match=r"sky: must be among particles, .*; got 'stars'"):
        compose(survey, erosita, ["stars"])


def test_nothing_wanted_is_an_empty_sky(erosita):
    components, table = compose(View(1.0, 2.0, "survey", 600.0), erosita, [])
    assert components == []
    assert table is None
