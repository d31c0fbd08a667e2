from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from icmass.simulate.population.infalling import draw_power_law
from icmass.simulate.population.shapes import random_rotations, stretch
from icmass.simulate.population.structure_list import StructureKind, r500_over_r200
from icmass.simulate.population.structures import draw_structures, velocity_dispersion_kms
from tests.helpers.population import ALONE, changed, magneticum, make_halo
from tests.helpers.stats import assert_mean, assert_poisson

HALO = make_halo()


def _many(population, n=300, **values):
    return [draw_structures(make_halo(halo_id=i, **values), population, 5, 0) for i in range(n)]


def _number(fields, kind):
    return sum(int((field.kind == kind).sum()) for field in fields)


class TestMain:
    def test_the_halo_itself_comes_first(self):
        field = draw_structures(HALO, magneticum(), 1, 0)
        assert field.kind[0] == StructureKind.MAIN
        assert field.m500c_msun[0] == HALO.m500c_msun
        assert field.r200c_kpc[0] == pytest.approx(HALO.r200c_kpc)
        assert field.m200c_msun[0] == pytest.approx(HALO.m200c_msun)
        assert not field.position_kpc[0].any()
        assert not field.velocity_kms[0].any()
        assert field.gas_kept[0] == 1.0
        assert np.isinf(field.truncation_r500[0])
        assert (field.kind[1:] > 0).all()

    def test_alone_where_everything_else_is_off(self):
        field = draw_structures(HALO, changed(ALONE), 1, 0)
        assert len(field) == 1
        assert len(field.filaments) == 0

    def test_same_seed_same_field_other_seed_other_field(self):
        first, again = (draw_structures(HALO, magneticum(), 1, 0) for _ in range(2))
        other = draw_structures(HALO, magneticum(), 2, 0)
        for name in first.array_names():
            np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        assert len(other) != len(first) or (other.m500c_msun != first.m500c_msun).any()


class TestLinesOfSight:
    def test_two_lines_share_the_body_and_differ_in_direction(self):
        population = changed({"structures.neighbours.depth_mpc_h": 20.0})
        a, b = (draw_structures(HALO, population, 1, line) for line in (0, 1))
        near = int((a.kind < StructureKind.NEIGHBOUR).sum())
        assert near > 2
        np.testing.assert_array_equal(a.m500c_msun[:near], b.m500c_msun[:near])
        np.testing.assert_allclose(
            np.linalg.norm(a.position_kpc[:near], axis=1),
            np.linalg.norm(b.position_kpc[:near], axis=1),
        )
        # One rotation takes all places, motions, axes and filaments from one line to the other.
        turn = b.orientation[0].T @ a.orientation[0]
        assert np.abs(turn - np.eye(3)).max() > 0.1
        np.testing.assert_allclose(a.position_kpc[:near] @ turn.T, b.position_kpc[:near], atol=1e-6)
        np.testing.assert_allclose(a.velocity_kms[:near] @ turn.T, b.velocity_kms[:near], atol=1e-6)
        np.testing.assert_allclose(a.orientation[:near] @ turn.T, b.orientation[:near], atol=1e-9)
        np.testing.assert_allclose(a.filaments.end_kpc @ turn.T, b.filaments.end_kpc, atol=1e-6)

    def test_what_lies_far_is_drawn_for_each_line(self):
        a, b = (draw_structures(HALO, magneticum(), 1, line) for line in (0, 1))
        reach = 10_000.0 / 0.704 / 1.2
        far = [f.m500c_msun[np.linalg.norm(f.position_kpc, axis=1) > reach] for f in (a, b)]
        assert len(far[0]) > 3
        assert not set(far[0]) & set(far[1])

    def test_rotations_are_rotations_without_preference(self):
        turns = random_rotations(4000, np.random.default_rng(0))
        np.testing.assert_allclose(
            turns @ turns.swapaxes(1, 2), np.eye(3)[None] + 0 * turns, atol=1e-12
        )
        np.testing.assert_allclose(np.linalg.det(turns), 1.0)
        assert_mean(turns[:, 2, 2], 0.0, 3**-0.5)
        assert_mean(turns[:, 2, 2] ** 2, 1 / 3, (4 / 45) ** 0.5)


class TestNumbers:
    def test_substructures_and_companions_are_as_many_as_asked(self):
        values = {**ALONE, "structures.substructures.mean_number": 60.0}
        assert_poisson(
            _number(_many(changed(values), disturbance=0.3), StructureKind.SUBSTRUCTURE),
            300 * 60.0 * np.exp(0.6 * 0.3 - 0.6**2 / 2),
            bias=0.07,
        )
        values = {**ALONE, "structures.companions.mean_number": 20.0}
        assert_poisson(
            _number(_many(changed(values), disturbance=-0.5), StructureKind.COMPANION),
            300 * 20.0 * np.exp(-0.8 * 0.5 - 0.8**2 / 2),
            bias=0.2,
        )

    def test_disturbed_haloes_have_more_of_both(self):
        calm, disturbed = (_many(magneticum(), 150, disturbance=s) for s in (-1.0, 1.5))
        for kind in (StructureKind.SUBSTRUCTURE, StructureKind.COMPANION):
            assert _number(disturbed, kind) > 2 * _number(calm, kind)

    def test_neighbours_have_the_density_and_correlation_of_the_parameters(self):
        values = {
            "structures.neighbours.mass_msun_h": (5e12, 5e14),
            "structures.neighbours.clumping": 1e6,
        }
        neighbours = magneticum().structures.neighbours
        chance = {**values, "structures.neighbours.correlation_length_mpc_h": 0.0}
        fields = _many(changed(chance))
        width = 2 * neighbours.half_width_mpc_h * 1.2
        nearest = neighbours.closest_r200 * HALO.r200c_kpc * 1.2 * 0.704 / 1000.0
        sphere = 4 / 3 * np.pi * (10.0**3 - nearest**3)
        # What the slab and the neighbourhood share is counted once.
        grid = np.linspace(-width / 2, width / 2, 201)
        x, y = np.meshgrid(grid, grid)
        shared = np.mean(2 * np.sqrt(100.0 - x**2 - y**2)) * width**2
        expected = neighbours.density_mpc_h * (sphere + width**2 * 100.0 - shared)
        assert_poisson(_number(fields, StructureKind.NEIGHBOUR), 300 * expected, bias=0.3)

        correlated = _many(changed(values), m500c_msun=1.2e14)
        nearest = neighbours.closest_r200 * make_halo(m500c_msun=1.2e14).r200c_kpc * 1.2 * 0.704e-3
        uniform = 4 / 3 * np.pi * (10.0**3 - nearest**3)
        slope = neighbours.correlation_slope
        excess = (
            4
            * np.pi
            * neighbours.correlation_length_mpc_h**slope
            / (3 - slope)
            * (10.0 ** (3 - slope) - nearest ** (3 - slope))
        )
        expected = neighbours.density_mpc_h * (uniform + excess + width**2 * 100.0 - shared)
        assert_poisson(_number(correlated, StructureKind.NEIGHBOUR), 300 * expected, bias=0.25)

    def test_masses_follow_the_power_law(self):
        drawn = draw_power_law(20_000, (0.01, 0.3), 1.9, np.random.default_rng(1))
        moments = [(0.3 ** (k - 0.9) - 0.01 ** (k - 0.9)) / (k - 0.9) for k in (0, 1, 2)]
        mean, square = moments[1] / moments[0], moments[2] / moments[0]
        assert_mean(drawn, mean, np.sqrt(square - mean**2))


class TestMotion:
    def test_far_neighbours_follow_the_hubble_flow(self):
        fields = _many(changed({"structures.neighbours.speed_kms": 0.0}), 60)
        position = np.concatenate([f.position_kpc for f in fields])
        velocity = np.concatenate([f.velocity_kms for f in fields])
        far = np.linalg.norm(position, axis=1) > 10_000.0 / 0.704 / 1.2
        rate = 70.4 * magneticum().haloes.cosmology().efunc(0.2)
        np.testing.assert_allclose(velocity[far, 2], rate * position[far, 2] / 1000.0)
        assert not velocity[far, :2].any()

    def test_near_ones_fall_in(self):
        fields = _many(changed({"structures.neighbours.speed_kms": 0.0}), 60)
        position = np.concatenate([f.position_kpc[f.kind == 3] for f in fields])
        velocity = np.concatenate([f.velocity_kms[f.kind == 3] for f in fields])
        near = np.linalg.norm(position, axis=1) < 8_000.0
        across = np.einsum("ij,ij->i", position[near, :2], velocity[near, :2])
        assert near.sum() > 50
        assert (across < 0).all()

    def test_companions_keep_out_of_the_mass(self):
        values = {**ALONE, "structures.companions.mean_number": 20.0}
        for field in _many(changed(values), 20):
            distance = np.linalg.norm(field.position_kpc[1:], axis=1)
            assert (distance >= HALO.r500c_kpc).all()
            assert (distance <= 2.6 * HALO.r500c_kpc).all()

    def test_dispersion_is_that_of_the_literature(self):
        sigma = velocity_dispersion_kms(1e15 / 0.7, 70.0, magneticum().structures)
        assert sigma == pytest.approx(1083.0)


class TestShapes:
    def test_axes_descend_and_stretching_keeps_the_volume(self):
        ratios = np.concatenate([f.axis_ratio for f in _many(magneticum(), 30)])
        assert (ratios[:, 1] <= ratios[:, 0]).all()
        assert (ratios[:, 1] >= 0.55).all()
        assert (ratios <= 1.0).all()
        np.testing.assert_allclose(stretch(ratios, 2.5).prod(axis=1), 1.0)

    def test_companions_lie_along_the_long_axis(self):
        values = {**ALONE, "structures.companions.mean_number": 20.0}
        cosine = []
        for field in _many(changed(values), 60):
            place = field.position_kpc[1:] @ field.orientation[0].T
            cosine.append(np.abs(place[:, 0]) / np.linalg.norm(place, axis=1))
        assert np.concatenate(cosine).mean() > 0.58  # 0.5 without alignment

    def test_r500_over_r200_of_nfw_haloes(self):
        def enclosed(x):
            return np.log1p(x) - x / (1 + x)

        for c in (1.5, 4.0, 9.0):
            exact = brentq(lambda s, c=c: enclosed(c * s) / enclosed(c) / s**3 - 2.5, 0.1, 1.0)
            assert r500_over_r200(c) == pytest.approx(exact, rel=2e-4)


class TestFilaments:
    def test_they_end_at_structures_and_weigh_what_their_volume_does(self):
        population = changed({"structures.filaments.overdensity_scatter": 0.0})
        field = draw_structures(HALO, population, 1, 0)
        filaments, parameters = field.filaments, population.structures.filaments
        assert 0 < len(filaments) <= parameters.max_number
        for end in filaments.end_kpc:
            assert np.linalg.norm(field.position_kpc - end, axis=1).min() < 1e-6
        length_mpc = np.linalg.norm(filaments.end_kpc - filaments.start_kpc, axis=1) / 1000.0
        baryons = 0.0226 * 2.77536627e11 * 1.2**3
        np.testing.assert_allclose(
            filaments.gas_mass_msun,
            parameters.overdensity * baryons * np.pi * 0.8**2 * length_mpc,
        )

    def test_nothing_beyond_the_greatest_length(self):
        population = changed({"structures.filaments.max_length_mpc": 1e-3})
        assert len(draw_structures(HALO, population, 1, 0).filaments) == 0


def test_a_part_that_is_turned_keeps_what_it_is():
    field = draw_structures(HALO, magneticum(), 1, 0)
    assert replace(field).filaments.turned(np.eye(3)).radius_kpc is field.filaments.radius_kpc
