from dataclasses import fields

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.lightcone import draw_light_cone, expected_per_deg2
from icmass.simulate.lightcone.counts import count_grid
from icmass.simulate.lightcone.draw import shell_tables
from icmass.simulate.lightcone.field import (
    FIELD_NSIDE,
    clustering_bias,
    density_field,
    field_variance,
)
from icmass.simulate.population.haloes import CAUSES, Haloes
from icmass.simulate.skymaps import SKY_NSIDE, pixel_of, separation_deg
from icmass.simulate.skymaps.pixels import pixel_area_deg2
from tests.helpers.light_cones import pixels_within
from tests.helpers.population import changed, magneticum
from tests.helpers.stats import assert_chi_square, assert_distribution, assert_mean, chi_square

PARAMETERS = magneticum().haloes
LEAST = 2e13
LIMITS = (0.27, 0.43)
PATCH = pixels_within(8, 77, 300)  # 107 deg^2 in two parts
NAMES = [f.name for f in fields(Haloes)]


def draw(footprint=PATCH, seed=5, **values):
    limits = {"min_mass_msun": LEAST, "redshift_range": LIMITS, **values}
    return draw_light_cone(PARAMETERS, footprint, seed=seed, **limits)


def by_pixel(cone):
    """Haloes in each of the 128 pixels of nside 64."""
    pixel = np.unique(PATCH.pixel // (SKY_NSIDE // 64) ** 2)
    at = np.searchsorted(pixel, pixel_of(64, cone.ra_deg, cone.dec_deg))
    return np.bincount(at, minlength=128)


CLUSTERED = draw()
RANDOM = draw(clustering=False)


class TestCounts:
    def test_random_haloes_follow_the_mass_function(self):
        grid = count_grid(PARAMETERS, LEAST, LIMITS)
        counts = np.histogram2d(
            RANDOM.haloes.redshift,
            np.log10(RANDOM.haloes.m500c_msun),
            bins=(grid.redshift_edges, grid.log10_mass_edges[::5]),
        )[0]
        bins = (len(grid.log10_mass_edges) - 1) // 5
        expected = PATCH.area_deg2 * grid.per_deg2[:, : bins * 5]
        expected = expected.reshape(len(expected), bins, 5).sum(axis=2)
        assert_chi_square(counts[:, :bins], expected)
        with pytest.raises(AssertionError):
            assert_chi_square(counts[:, :bins], 1.2 * expected)

    def test_random_haloes_lie_at_random(self):
        counts = by_pixel(RANDOM)
        expected = expected_per_deg2(PARAMETERS, LEAST, LIMITS) * PATCH.area_deg2 / 128
        assert_chi_square(counts, np.full(128, expected))

    def test_clustered_haloes_do_not(self):
        counts = by_pixel(CLUSTERED)
        assert chi_square(counts, np.full(128, len(CLUSTERED) / 128)).z > 4.5

    def test_clustered_haloes_follow_the_field(self):
        """Poisson about the density of their pixel, in each shell."""
        tables = shell_tables(PARAMETERS, LEAST, LIMITS)
        pixel = np.unique(PATCH.pixel // 4)
        expected = pixel_area_deg2(FIELD_NSIDE) * np.stack(
            [
                t.expected_per_deg2(density_field(PARAMETERS, t.shell, 5, pixel).astype(np.float32))
                for t in tables
            ]
        )
        at = np.searchsorted(pixel, pixel_of(FIELD_NSIDE, CLUSTERED.ra_deg, CLUSTERED.dec_deg))
        shell = np.floor(CLUSTERED.haloes.redshift / 0.05).astype(int) - 5
        counts = np.zeros_like(expected)
        np.add.at(counts, (shell, at), 1)
        # By density, for a pixel holds too few.
        order = np.argsort(expected.ravel())
        assert_chi_square(counts.ravel()[order], expected.ravel()[order])
        mean = np.broadcast_to(expected.mean(axis=1, keepdims=True), expected.shape)
        assert chi_square(counts.ravel()[order], mean.ravel()[order]).z > 4.5

    def test_clustering_keeps_the_mean(self):
        """Mean of the density over the sky; a shell's own large waves are left: 1%."""
        (table,) = shell_tables(PARAMETERS, LEAST, (0.5, 0.55))
        field = density_field(PARAMETERS, 10, 2, np.arange(12 * FIELD_NSIDE**2))
        mean = table.expected_per_deg2(field).mean()
        assert mean == pytest.approx(expected_per_deg2(PARAMETERS, LEAST, (0.5, 0.55)), rel=0.01)


class TestHeavyHaloes:
    """A mean that is right over all skies must not hide that a sky of ours lacks clusters."""

    def heavy(self, monkeypatch, scatter):
        """Haloes above 1.6e15 Msun expected on 106 deg^2, over those of the mass function."""
        monkeypatch.setattr("icmass.simulate.lightcone.field.MAX_SCATTER", scatter)
        limits, least = (0.2, 0.6), 1.6e15
        pixel = np.unique(PATCH.pixel // 4)
        tables = shell_tables(PARAMETERS, least, limits)
        found = [
            np.mean([t.expected_per_deg2(density_field(PARAMETERS, t.shell, seed, pixel)).mean()
                     for t in tables]) * len(tables)
            for seed in range(3)
        ]  # fmt: skip
        return np.array(found) / expected_per_deg2(PARAMETERS, least, limits)

    def test_are_where_a_survey_looks(self, monkeypatch):
        assert self.heavy(monkeypatch, 1.5) == pytest.approx(1.0, abs=0.2)

    def test_would_be_missing_with_all_of_their_bias(self, monkeypatch):
        assert self.heavy(monkeypatch, 99.0).max() < 0.5


class TestPairs:
    """Haloes of one shell in one pixel; at random there would be 2.3 times fewer pairs.

    Scatters were measured over 24 skies and 80 patches.
    """

    LIMITS = (0.3, 0.35)
    LEAST = 2e13

    def test_density_is_as_lumpy_as_bias_and_field_tell(self):
        (table,) = shell_tables(PARAMETERS, self.LEAST, self.LIMITS)
        pixel = np.arange(12 * FIELD_NSIDE**2)
        skies = [density_field(PARAMETERS, 6, seed, pixel) for seed in range(4)]
        found = np.mean([np.mean(table.expected_per_deg2(field) ** 2) for field in skies])
        # <rate^2> over masses M, M' is n n' exp(b b' <g^2>); one sky scatters by 2.4%, four 1.2%.
        assert found == pytest.approx(self.lumpiness(1.0), rel=0.06)
        assert found != pytest.approx(self.lumpiness(1.1), rel=0.06)

    def lumpiness(self, factor):
        """Mean square of haloes per square degree, with all biases times a factor."""
        grid = count_grid(PARAMETERS, self.LEAST, self.LIMITS)
        bias = factor * clustering_bias(PARAMETERS, grid.log10_mass, 6, 0.325)
        density = grid.per_deg2.sum(axis=0)
        return density @ np.exp(np.outer(bias, bias) * field_variance(PARAMETERS, 6)) @ density

    def test_pairs_follow_the_density(self):
        patch = pixels_within(4, 30, 47, 100, 120)
        pixel = np.unique(patch.pixel // 4)
        (table,) = shell_tables(PARAMETERS, self.LEAST, self.LIMITS)
        area, pairs, expected, random = pixel_area_deg2(FIELD_NSIDE), 0.0, 0.0, 0.0
        for seed in range(4):
            cone = draw(patch, seed, min_mass_msun=self.LEAST, redshift_range=self.LIMITS)
            at = np.searchsorted(pixel, pixel_of(FIELD_NSIDE, cone.ra_deg, cone.dec_deg))
            counts = np.bincount(at, minlength=len(pixel))
            rate = area * table.expected_per_deg2(density_field(PARAMETERS, 6, seed, pixel))
            pairs += (counts * (counts - 1.0)).sum()
            expected += (rate**2).sum()
            random += len(rate) * rate.mean() ** 2
        # One patch scatters by 7.4% about its own density, four by 3.7%: 4.5 sigma.
        assert pairs == pytest.approx(expected, rel=0.167)
        assert pairs != pytest.approx(random, rel=0.167)


class TestHaloes:
    def test_ids_and_order(self):
        np.testing.assert_array_equal(CLUSTERED.haloes.halo_id, np.arange(1, len(CLUSTERED) + 1))
        assert not CLUSTERED.haloes.snapshot_id.any()
        pixel = pixel_of(SKY_NSIDE, CLUSTERED.ra_deg, CLUSTERED.dec_deg)
        assert np.all(np.diff(pixel) >= 0)
        assert len(np.unique(CLUSTERED.key)) == len(CLUSTERED)

    def test_limits(self):
        haloes = CLUSTERED.haloes
        assert LIMITS[0] <= haloes.redshift.min() < 0.3
        assert 0.4 < haloes.redshift.max() <= LIMITS[1]
        assert haloes.m500c_msun.min() >= LEAST * (1 - 1e-12)
        assert PATCH.contains(CLUSTERED.ra_deg, CLUSTERED.dec_deg).all()

    def test_redshifts_within_a_bin_follow_the_volume(self):
        limits = (0.05, 0.055)
        patch = pixels_within(4, 30, 47, 100, 120)
        cone = draw(patch, redshift_range=limits, min_mass_msun=1e12, clustering=False)
        assert len(cone) > 100
        grid = np.linspace(*limits, 50)
        volume = PARAMETERS.cosmology().comoving_volume(grid).value
        share = (volume - volume[0]) / (volume[-1] - volume[0])
        assert_distribution(cone.haloes.redshift, lambda z: np.interp(z, grid, share))
        assert cone.haloes.redshift.min() >= limits[0]

    @pytest.mark.parametrize("name", CAUSES)
    def test_causes_are_standard_normal(self, name):
        assert_mean(getattr(CLUSTERED.haloes, name), 0.0, 1.0)
        assert getattr(CLUSTERED.haloes, name).std() == pytest.approx(1.0, abs=0.05)

    def test_places_are_those_of_the_sky(self):
        x, y, z = CLUSTERED.haloes.box_position_mpc.T
        distance = PARAMETERS.cosmology().comoving_distance(CLUSTERED.haloes.redshift).value
        np.testing.assert_allclose(np.sqrt(x**2 + y**2 + z**2), distance, rtol=1e-5)
        ra, dec = np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(z / distance))
        assert separation_deg(ra, dec, CLUSTERED.ra_deg, CLUSTERED.dec_deg).max() < 1e-3

    def test_radii_belong_to_masses(self):
        haloes = CLUSTERED.haloes
        critical = PARAMETERS.cosmology().critical_density(haloes.redshift).to_value("Msun/kpc3")
        mass = 4 / 3 * np.pi * 500 * critical * haloes.r500c_kpc**3
        np.testing.assert_allclose(mass, haloes.m500c_msun, rtol=1e-9)


class TestFootprints:
    def test_part_of_a_larger_one(self):
        part = pixels_within(64, 77 * 64 + 5, 77 * 64 + 20)
        small = draw(part)
        inside = part.contains(CLUSTERED.ra_deg, CLUSTERED.dec_deg)
        large = CLUSTERED.select(inside)
        assert len(small) > 20
        np.testing.assert_array_equal(small.key, large.key)
        np.testing.assert_array_equal(small.ra_deg, large.ra_deg)
        for name in set(NAMES) - {"halo_id"}:
            np.testing.assert_array_equal(getattr(small.haloes, name), getattr(large.haloes, name))

    def test_pixels_smaller_than_a_cell(self):
        part = pixels_within(SKY_NSIDE, *PATCH.pixel[1000:1013].tolist())
        small = draw(part)
        inside = part.contains(CLUSTERED.ra_deg, CLUSTERED.dec_deg)
        np.testing.assert_array_equal(small.key, CLUSTERED.key[inside])

    def test_chunks_do_not_matter(self, monkeypatch):
        monkeypatch.setattr("icmass.simulate.lightcone.draw._CHUNK", 7)
        part = pixels_within(32, 77 * 16 + 3)
        small = draw(part)
        inside = part.contains(CLUSTERED.ra_deg, CLUSTERED.dec_deg)
        np.testing.assert_array_equal(small.haloes.m500c_msun, CLUSTERED.haloes.m500c_msun[inside])

    def test_seeds_differ(self):
        other = draw(pixels_within(32, 77 * 16 + 3), seed=6)
        assert not np.isin(other.haloes.m500c_msun, CLUSTERED.haloes.m500c_msun).any()

    def test_no_halo_at_all(self):
        cone = draw(pixels_within(512, 12345), min_mass_msun=3e15)
        assert len(cone) == 0
        assert cone.haloes.box_position_mpc.shape == (0, 3)


class TestSample:
    def test_sample_of_the_population_does_not_enter(self):
        part = pixels_within(32, 77 * 16 + 3)
        other = changed({"haloes.lower_edge_log10": 14.9, "haloes.redshifts": (0.3,)}).haloes
        found = draw_light_cone(other, part, min_mass_msun=LEAST, redshift_range=LIMITS, seed=5)
        np.testing.assert_array_equal(found.haloes.m500c_msun, draw(part).haloes.m500c_msun)

    def test_bad_limits(self):
        with pytest.raises(InputError, match="min_mass_msun: must lie between"):
            draw(min_mass_msun=14.0)
        with pytest.raises(InputError, match="redshift_range: must be two ascending numbers"):
            draw(redshift_range=(0.4, 0.3))
        with pytest.raises(InputError, match="seed: must be a whole number from 0"):
            draw(seed=-1)
