"""What other clusters lend: the mean core, and the gas of a cluster of the same redshift."""

import numpy as np
import pytest

from icmass.catalog import ChangedCatalog
from icmass.errors import InputError
from icmass.interpret.interventions import Exposure, MeanCore, SwapGas
from icmass.interpret.interventions.geometry import within
from tests.helpers.masses import make_catalog
from tests.helpers.stats import assert_chi_square

ICM = 0


def core_and_ring(catalog, radius):
    rows, gas = catalog.rows(), catalog.images(origins=["icm"]).astype(float)
    core = within(rows, catalog.spec, r500c=radius)
    ring = within(rows, catalog.spec, r500c=1.0) & ~core
    return core, (gas * core[:, None]).sum((-1, -2)), (gas * ring[:, None]).sum((-1, -2, -3))


def test_the_mean_core_holds_what_cores_hold_on_average(clusters):
    radius = 0.6
    change = MeanCore.of(clusters, radius, n_bins=3, batch_size=9)
    view = ChangedCatalog(clusters, change)
    core, before, ring = core_and_ring(clusters, radius)
    _, after, ring_after = core_and_ring(view, radius)
    assert np.array_equal(ring, ring_after)
    outside = ~core[:, None, None]
    was, now = clusters.images(apart=True), view.images(apart=True)
    assert np.array_equal(now * outside, was * outside)
    assert np.array_equal(now[:, 1:], was[:, 1:])
    bright = ring >= 30
    ratio = lambda core: (core[bright] / ring[bright, None]).mean(axis=0)  # noqa: E731
    assert ratio(after) == pytest.approx(ratio(before), rel=0.1)


def test_the_mean_core_is_a_draw_of_the_profile(clusters):
    profile = ((0.5, 0.2), (0.3, 0.1), (0.2, 0.0))
    radius, spec, rows = 0.8, clusters.spec, clusters.rows()
    now = ChangedCatalog(clusters, MeanCore(radius, profile)).images(origins=["icm"])
    core, _, ring = core_and_ring(clusters, radius)
    part = spec.geometry.radius() / (radius * rows["r500c_kpc"])[:, None, None]
    area = (spec.geometry.pixel / rows["r500c_kpc"]) ** 2
    for band, (inner, outer) in enumerate(profile):
        expected = np.where(part < 0.5, inner, outer) * (ring * area)[:, None, None]
        if band < 2:
            assert_chi_square(now[:, band][core], expected[core])
        assert not now[:, band][core & (expected == 0.0)].any()


def test_a_mean_core_needs_photons(clusters):
    with pytest.raises(
        InputError, match=r"must hold clusters with 30 photons of gas in 0.6-1 R500c"
    ):
        MeanCore.of(ChangedCatalog(clusters, Exposure(1e-4)), 0.6)
    with pytest.raises(InputError, match=r"^radius_r500c: must be above 0 and below 1; got 1"):
        MeanCore.of(clusters, 1.0)
    with pytest.raises(InputError, match=r"^profile: must be one for each of the 3 bands; got 1"):
        ChangedCatalog(clusters, MeanCore(0.5, ((1.0,),))).images()


def test_gas_comes_from_the_nearest_of_another_halo(clusters):
    group = clusters.column("halo_id") % 2
    change = SwapGas.nearest(clusters, 0, group)
    partner = change.partner_of(clusters.rows())
    z, halo, exposure = (clusters.column(name) for name in ("redshift", "halo_id", "exposure_s"))
    for row, other in enumerate(partner):
        allowed = (halo != halo[row]) & (exposure >= exposure[row]) & (group == group[row])
        if allowed.any():
            assert allowed[other]
            assert abs(z[other] - z[row]) == np.abs(z - z[row])[allowed].min()
        else:
            assert other == row
    assert np.mean(partner != np.arange(len(partner))) > 0.9


def test_gas_is_swapped_at_the_own_exposure(clusters):
    change = SwapGas.nearest(clusters, 3)
    partner = change.partner_of(clusters.rows())
    was, now = clusters.images(apart=True), ChangedCatalog(clusters, change).images(apart=True)
    assert np.array_equal(now[:, 1:], was[:, 1:])
    exposure = clusters.column("exposure_s")
    kept = exposure / exposure[partner]
    assert (kept <= 1.0 + 1e-6).all()
    lent = was[partner, ICM]
    assert (now[:, ICM] <= lent).all()
    total, expected = now[:, ICM].sum(), (lent.sum(axis=(1, 2, 3)) * kept).sum()
    spread = np.sqrt((lent.sum(axis=(1, 2, 3)) * kept * (1.0 - kept)).sum())
    assert abs(total - expected) < 4.5 * spread
    assert spread < 0.01 * expected  # so that whole photons would be told


def test_equal_exposure_and_redshift_give_the_whole_gas_at_random(tmp_path):
    catalog = make_catalog(
        tmp_path / "catalog",
        24,
        columns={"exposure_s": np.full(24, 1600.0), "redshift": np.full(24, 0.2)},
    )
    change, other = SwapGas.nearest(catalog, 1), SwapGas.nearest(catalog, 2)
    partner = change.partner_of(catalog.rows())
    assert partner.tolist() != other.partner_of(catalog.rows()).tolist()
    gas = catalog.images(origins=["icm"])
    assert np.array_equal(ChangedCatalog(catalog, change).images(origins=["icm"]), gas[partner])
    with pytest.raises(
        InputError, match=r"^change: must be made for each cluster that it is given"
    ):
        ChangedCatalog(catalog, SwapGas.nearest(catalog.select([0, 2]))).images()
