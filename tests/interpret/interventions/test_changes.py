"""Each change does what it says to photons, and to a row the same whatever is read with it."""

import pickle

import numpy as np
import pytest

from icmass.catalog import KEY, CatalogSpec, ChangedCatalog, ImageGeometry
from icmass.errors import InputError
from icmass.interpret.interventions import (
    AverageAzimuth,
    Background,
    DoubleOrigin,
    EncircledEnergy,
    Exposure,
    MeanCore,
    PutAgn,
    RemoveCore,
    RemoveOrigin,
    RemoveOutskirts,
    RotateOutskirts,
    ShuffleMasses,
    SwapGas,
)
from tests.helpers.stats import assert_chi_square, assert_poisson

PSF = EncircledEnergy((0.0, 10.0, 30.0, 90.0), (0.0, 0.4, 0.8, 1.0))
SQUARE = CatalogSpec(geometry=ImageGeometry(n_y=8, n_x=8, pixel=100.0))
ICM, AGN, BACKGROUND = 0, 1, 2


def every_change(catalog, seed=0):
    shares = (0.5, 0.3, 0.2)
    return [
        RemoveOrigin("agn"),
        DoubleOrigin("agn"),
        RemoveCore(radius_r500c=0.5),
        RemoveCore(radius_kpc=500.0, origins=("icm",)),
        RemoveOutskirts(radius_r500c=1.0),
        RotateOutskirts(0.5, 2),
        Background(0.0),
        Background(1.6, seed),
        Background(2.0),
        Exposure(0.4, seed),
        AverageAzimuth(seed),
        PutAgn(0.5, PSF, shares, seed=seed),
        MeanCore.of(catalog, 0.6, seed=seed),
        SwapGas.nearest(catalog, seed),
        ShuffleMasses.of(catalog, seed),
    ]


def rows_of(spec, n=1, **values):
    rows = np.zeros(n, spec.row_dtype)
    rows["halo_id"] = np.arange(n)
    for name, value in (
        {"redshift": 0.2, "r500c_kpc": 300.0, "exposure_s": 1600.0} | values
    ).items():
        rows[name] = value
    return rows


def drawn(spec, n=1, mean=2.0, seed=0):
    return np.random.default_rng(seed).poisson(mean, (n, *spec.image_shape)).astype(np.uint32)


@pytest.mark.parametrize("place", range(15))
def test_a_row_is_changed_alike_whatever_is_read_with_it(clusters, place):
    change = every_change(clusters)[place]
    view = ChangedCatalog(clusters, change)
    whole = view.images(apart=True)
    some = np.array([41, 7, 60, 8])
    assert np.array_equal(view.images(some, apart=True), whole[some])
    assert np.array_equal(view.select(some).images([2], apart=True), whole[[60]])
    assert np.array_equal(view.select(some).rows(), view.rows()[some])
    sent = pickle.loads(pickle.dumps(view))
    wanted = whole[some][:, [AGN, ICM]][:, :, [2]]
    assert np.array_equal(sent.images(some, ["hard"], ["agn", "icm"], apart=True), wanted)
    assert np.array_equal(sent.images(some, ["hard"], ["agn", "icm"]), wanted.sum(axis=1))
    assert sent.fingerprint() == view.fingerprint() != clusters.fingerprint()
    assert clusters.images(apart=True).sum() == clusters.images().sum()  # it is as it was


def test_a_seed_makes_the_same_and_another_does_not(clusters):
    for one, same, other in zip(
        every_change(clusters), every_change(clusters), every_change(clusters, 1), strict=True
    ):
        assert repr(one) == repr(same)
        views = [ChangedCatalog(clusters, change) for change in (one, same, other)]
        images = [view.images(apart=True) for view in views]
        masses = [view.column("m500c_msun") for view in views]
        assert np.array_equal(images[0], images[1])
        drawn_at_random = not isinstance(one, Background) or one.factor == 1.6
        if "seed" in one.__dataclass_fields__ and drawn_at_random:
            assert not np.array_equal(images[0], images[2]), one
            assert views[0].fingerprint() != views[2].fingerprint()
        if isinstance(one, ShuffleMasses):
            assert not np.array_equal(masses[0], masses[2])


def test_origins_are_removed_and_doubled():
    counts = drawn(SQUARE, 2)
    without = RemoveOrigin("agn").images(counts.copy(), rows_of(SQUARE, 2), SQUARE)
    assert not without[:, AGN].any()
    assert np.array_equal(without[:, [ICM, BACKGROUND]], counts[:, [ICM, BACKGROUND]])
    twice = DoubleOrigin("agn").images(counts.copy(), rows_of(SQUARE, 2), SQUARE)
    assert np.array_equal(
        twice - counts, without * 0 + counts * (np.arange(3) == AGN)[:, None, None, None]
    )


@pytest.mark.parametrize("change", [RemoveOrigin("gas"), DoubleOrigin("gas")])
def test_an_unknown_origin_is_refused(change):
    with pytest.raises(InputError, match=r"^origin 'gas': is not in the catalog"):
        change.images(drawn(SQUARE), rows_of(SQUARE), SQUARE)


def test_core_and_outskirts_part_the_photons(odd):
    rows, counts = odd.rows(), odd.images(apart=True)
    for radius in ({"radius_r500c": 0.7}, {"radius_kpc": 600.0}):
        outside = RemoveCore(**radius).images(counts.copy(), rows, odd.spec)
        inside = RemoveOutskirts(**radius).images(counts.copy(), rows, odd.spec)
        assert np.array_equal(inside + outside, counts)
        for k, row in enumerate(rows):
            edge = radius.get("radius_kpc") or radius["radius_r500c"] * row["r500c_kpc"]
            far = odd.spec.geometry.radius() > edge
            assert np.array_equal(outside[k], counts[k] * far)
            assert far.any()
            assert not far.all()


def test_a_hole_can_be_of_some_origins(odd):
    rows, counts = odd.rows(), odd.images(apart=True)
    hole = RemoveCore(radius_kpc=600.0, origins=("agn", "icm")).images(
        counts.copy(), rows, odd.spec
    )
    assert np.array_equal(hole[:, BACKGROUND], counts[:, BACKGROUND])
    whole = RemoveCore(radius_kpc=600.0).images(counts.copy(), rows, odd.spec)
    assert np.array_equal(hole[:, :2], whole[:, :2])
    assert whole[:, BACKGROUND].sum() < counts[:, BACKGROUND].sum()


def test_a_hole_in_kpc_does_not_know_the_mass():
    small, large = rows_of(SQUARE), rows_of(SQUARE, r500c_kpc=3000.0)
    counts = drawn(SQUARE)
    fixed = [RemoveCore(radius_kpc=250.0).images(counts.copy(), r, SQUARE) for r in (small, large)]
    true = [RemoveCore(radius_r500c=0.5).images(counts.copy(), r, SQUARE) for r in (small, large)]
    assert np.array_equal(*fixed)
    assert not np.array_equal(*true)


def test_holes_in_arcsec_are_of_the_same_length(arcsec_spec):
    counts = np.ones((1, *arcsec_spec.image_shape), np.uint32)
    hole = RemoveCore(radius_kpc=500.0).images(counts, rows_of(arcsec_spec), arcsec_spec)
    z = np.linspace(0.0, 0.2, 20_001)  # distance by hand: h = 0.704, Om = 0.272, flat
    distance_mpc = np.trapezoid(299_792.458 / 70.4 / np.sqrt(0.272 * (1 + z) ** 3 + 0.728), z)
    kpc_per_arcsec = 1000.0 * distance_mpc / 1.2 / 206_264.806
    assert kpc_per_arcsec == pytest.approx(3.28, abs=0.02)
    inside = arcsec_spec.geometry.radius() * kpc_per_arcsec <= 500.0
    assert np.array_equal(hole[0, 0, 0] == 0, inside)
    assert 100 < inside.sum() < inside.size / 2


@pytest.mark.parametrize(
    "values",
    [{}, {"radius_r500c": 1.0, "radius_kpc": 1.0}, {"radius_kpc": 0.0}, {"radius_r500c": np.nan}],
)
@pytest.mark.parametrize("kind", [RemoveCore, RemoveOutskirts])
def test_a_hole_has_one_radius(kind, values):
    with pytest.raises(InputError, match=r"^radius: must be one of radius_r500c and radius_kpc"):
        kind(**values)


def test_outskirts_turn_from_north_to_east():
    counts = np.zeros((1, *SQUARE.image_shape), np.uint32)
    north, west = SQUARE.geometry.pixel_of(0.0, 330.0), SQUARE.geometry.pixel_of(-50.0, 50.0)
    row, column = round(float(north[0])), int(north[1])  # just west of north
    counts[0, ICM, 1, row, column + 1] = 5
    inner = tuple(round(float(p)) for p in west)
    counts[0, AGN, 2, inner[0], inner[1]] = 7
    turned = RotateOutskirts(1.0 / 3.0, 1).images(counts.copy(), rows_of(SQUARE), SQUARE)
    assert turned[0, AGN, 2, inner[0], inner[1]] == 7  # the core stays
    (y,), (x,) = np.nonzero(turned[0, ICM, 1])
    east, north_kpc = (part.ravel() for part in SQUARE.geometry.offsets())
    was = east[column + 1], north_kpc[row]
    # From north to east: (east, north) becomes (north, -east).
    assert (east[x], north_kpc[y]) == (was[1], -was[0])
    assert was[0] < 0 < was[1]


def test_four_turns_are_none_and_rings_keep_their_photons():
    counts, rows = drawn(SQUARE, 2), rows_of(SQUARE, 2)
    once = RotateOutskirts(0.6, 1)
    turned = counts.copy()
    for _ in range(4):
        turned = once.images(turned, rows, SQUARE)
    assert np.array_equal(turned, counts)
    again = RotateOutskirts(0.6, 3).images(once.images(counts.copy(), rows, SQUARE), rows, SQUARE)
    assert np.array_equal(again, counts)
    assert not np.array_equal(once.images(counts.copy(), rows, SQUARE), counts)
    assert np.array_equal(
        once.images(counts.copy(), rows, SQUARE).sum((-1, -2)), counts.sum((-1, -2))
    )


def test_bad_turns_are_refused(odd):
    with pytest.raises(InputError, match=r"^quarter_turns: must be 1, 2 or 3; got 4"):
        RotateOutskirts(0.5, 4)
    with pytest.raises(InputError, match=r"^radius_r500c: must be at least 0; got -1"):
        RotateOutskirts(-1.0)
    with pytest.raises(InputError, match=r"must be 2 for images of 12 x 10 pixels; got 1"):
        ChangedCatalog(odd, RotateOutskirts(0.5, 1)).images()
    ChangedCatalog(odd, RotateOutskirts(0.5, 2)).images()


def test_background_is_another_draw_of_the_same():
    spec, n = SQUARE, 300
    rows, counts = rows_of(spec, n), drawn(spec, n, 3.0)
    for factor in (0.0, 0.5, 1.0, 1.6, 2.0):
        changed = Background(factor).images(counts.copy(), rows, spec)
        assert np.array_equal(changed[:, :2], counts[:, :2])
        total = changed[:, BACKGROUND].sum(axis=0)
        if factor:
            assert_chi_square(total, np.full(total.shape, 3.0 * factor * n))
        else:
            assert not total.any()
    assert np.array_equal(Background(1.0).images(counts.copy(), rows, spec), counts)
    # The added photons of a pixel are not its own: doubling would make the variance twice as large.
    twice = Background(2.0).images(counts.copy(), rows, spec)[:, BACKGROUND]
    assert twice.var() == pytest.approx(6.0, rel=0.05)
    assert (2 * counts[:, BACKGROUND]).var() == pytest.approx(12.0, rel=0.05)


@pytest.mark.parametrize("factor", [-0.1, 2.1, np.nan])
def test_background_has_limits(factor):
    with pytest.raises(InputError, match=r"^background factor: must be 0 to 2"):
        Background(factor)


def test_less_exposure_thins_and_is_told():
    spec = CatalogSpec(optional_columns=("exposure_vignetted_s",), geometry=SQUARE.geometry)
    rows = rows_of(spec, 300, exposure_vignetted_s=800.0)
    counts = drawn(spec, 300, 4.0)
    change = Exposure(0.3)
    thinned = change.images(counts.copy(), rows, spec)
    assert (thinned <= counts).all()
    assert_chi_square(thinned.sum(axis=0), np.full(spec.image_shape, 300 * 4.0 * 0.3))
    told = change.columns(rows.copy())
    assert told["exposure_s"] == pytest.approx(480.0)
    assert told["exposure_vignetted_s"] == pytest.approx(240.0)
    assert np.array_equal(Exposure(1.0).images(counts.copy(), rows, spec), counts)


@pytest.mark.parametrize("factor", [0.0, 1.1, np.nan])
def test_exposure_has_limits(factor):
    with pytest.raises(InputError, match=r"^exposure factor: must be above 0 and at most 1"):
        Exposure(factor)


def test_clusters_are_made_round(odd):
    rows, counts = odd.rows(), odd.images(apart=True)
    changed = AverageAzimuth().images(counts.copy(), rows, odd.spec)
    ring = (odd.spec.geometry.radius() / odd.spec.geometry.pixel).astype(int)
    for number in range(ring.max() + 1):
        of = ring == number
        assert np.array_equal(changed[..., of].sum(-1), counts[..., of].sum(-1))
    assert not np.array_equal(changed, counts)


def test_round_clusters_are_even_within_rings():
    n = 400
    counts = np.zeros((n, *SQUARE.image_shape), np.uint32)
    counts[:, ICM, 0, 1, 2] = 90  # all in one pixel of a ring
    changed = AverageAzimuth().images(counts.copy(), rows_of(SQUARE, n), SQUARE)[:, ICM, 0].sum(0)
    ring = (SQUARE.geometry.radius() / 100.0).astype(int)
    of = ring == ring[1, 2]
    assert_chi_square(changed[of], np.full(of.sum(), 90.0 * n / of.sum()))
    assert not changed[~of].any()
    with pytest.raises(AssertionError):  # the test can fail
        assert_chi_square(counts[:, ICM, 0].sum(0)[of], np.full(of.sum(), 90.0 * n / of.sum()))


def test_masses_are_dealt_anew(clusters):
    view = ChangedCatalog(clusters, ShuffleMasses.of(clusters, 4))
    mass, was = view.column("m500c_msun"), clusters.column("m500c_msun")
    assert np.array_equal(np.sort(mass), np.sort(was))
    assert abs(np.corrcoef(np.log(mass), np.log(was))[0, 1]) < 4.0 / np.sqrt(len(mass))
    others = [name for name in clusters.spec.row_dtype.names if name != "m500c_msun"]
    assert np.array_equal(view.rows()[others], clusters.rows()[others])
    part = ShuffleMasses.of(clusters.select(np.arange(4)))
    with pytest.raises(InputError, match=r"0/0/2/0 is not among its 4. Make it of the catalog"):
        ChangedCatalog(clusters, part).column("m500c_msun")


def test_what_was_counted_is_not_known_of_changed_photons(clusters):
    rows = ChangedCatalog(clusters, RemoveOrigin("agn")).rows()
    for name in ("n_phot", "n_phot_soft", "n_phot_500", "n_background"):
        assert (rows[name] == -1).all()
    for name in (*KEY, "redshift", "m500c_msun", "exposure_s", "lx_0520_erg_s"):
        assert np.array_equal(rows[name], clusters.column(name))
    rows = ChangedCatalog(clusters, AverageAzimuth()).rows()
    assert np.array_equal(rows["n_phot"], clusters.column("n_phot"))
    assert (rows["n_phot_500"] == -1).all()


def test_more_photons_have_poisson_scatter():
    counts = drawn(SQUARE, 500, 20.0)
    thinned = Exposure(0.5).images(counts.copy(), rows_of(SQUARE, 500), SQUARE)
    assert_poisson(float(thinned.sum()), 10.0 * counts.size, bias=0.01)
