"""Catalogs of cut-outs: rows, columns, flags, tiles that share an image, and going on with them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from icmass.catalog import Catalog, Flag, ImageGeometry
from icmass.config.cutouts import CutoutsConfig
from icmass.errors import InputError, InputWarning
from icmass.simulate.cutouts import (
    CutoutProducer,
    CutoutSettings,
    Positions,
    cut_outs,
    scan_event_files,
)
from icmass.simulate.cutouts import event_files as event_files_module
from icmass.simulate.photons.gas_component import kpc_per_arcsec
from icmass.simulate.production import produce
from icmass.simulate.skymaps.pixels import separation_deg
from icmass.simulate.view import View
from tests.helpers.stats import assert_poisson
from tests.simulate.cutouts.files import (
    CENTRE,
    sky_photons,
    write_esass,
    write_image,
    write_own,
)

PHOTONS = sky_photons(20_000)
SPLIT_DEG = CENTRE[0] + 0.1  # between two tiles; images lie across it
RA = [149.8, 150.1, 150.3, 149.7, 156.0]
DEC = [-12.1, -11.9, -12.0, -12.1, -12.0]


def truth(**changed) -> Table:
    columns = {
        "halo_id": [11, 5, 7, 3, 9],
        "ra_deg": RA,
        "dec_deg": DEC,
        "redshift": [0.3, 0.12, 0.5, 0.25, 0.2],
        "m500c_msun": [3e14, 1e14, 2e14, 5e14, 1e14],
        "cool_core_strength": [0.1, -0.4, 1.0, 0.0, 0.0],
        "detected": [True, False, True, True, False],
        "nh_cm2": [3e20] * 5,
    }
    return Table(columns | changed)


@pytest.fixture(scope="module")
def field(tmp_path_factory) -> Path:
    """Two tiles of ours, eSASS tiles that overlap, tables and maps: read only."""
    place = tmp_path_factory.mktemp("field")
    west = PHOTONS.ra_deg < SPLIT_DEG
    for name, chosen in (("west", west), ("east", ~west)):
        (place / "tiles" / name).mkdir(parents=True)
        write_own(place / "tiles" / name / "events.fits", PHOTONS.select(chosen))
    wide = {"em01_1_EventList": PHOTONS.ra_deg < SPLIT_DEG + 0.2, "em01_2_EventList": ~west}
    (place / "esass").mkdir()
    for name, chosen in wide.items():
        write_esass(place / "esass" / f"{name}.fits", PHOTONS.select(chosen))
    truth().write(place / "truth.ecsv")
    # Of the pixels of 0.02 deg those west of 149.6 deg were not exposed.
    exposure = np.linspace(500.0, 300.0, 100)[None, :] * np.ones((100, 1))
    exposure[:, 70:] = 0.0
    write_image(place / "exposure.fits", exposure)
    return place


def config(place: Path, events: str = "tiles", **options) -> CutoutsConfig:
    usual = {"width_arcmin": 20.0, "pixels": 16, "rows_per_shard": 2}
    table = str(place / "truth.ecsv")
    events = [str(place / events)]
    return CutoutsConfig.parse({"events": events, "positions": table, **usual, **options})


def test_rows_hold_the_photons_and_the_truth(field, tmp_path):
    done = cut_outs(config(field), tmp_path / "c", workers=1)
    assert (done.positions, done.outside, done.summary.failures) == (5, 1, ())
    catalog = Catalog.open(tmp_path / "c")
    catalog.validate()
    assert catalog.spec.origins == ("icm", "agn", "background")
    assert catalog.spec.geometry == ImageGeometry(16, 16, 75.0, "arcsec")
    assert sorted(catalog.column("halo_id").tolist()) == [3, 5, 7, 11]
    table = truth()
    for row in catalog.rows():
        known = table[table["halo_id"] == row["halo_id"]][0]
        for name in ("ra_deg", "dec_deg", "redshift", "m500c_msun", "cool_core_strength"):
            assert row[name] == known[name]
        assert row["detected"] == known["detected"]
        assert row["nh_cm2"] == 3e20
        assert row["exposure_s"] == 800.0  # of the header, for it is ours
        assert row["r500c_kpc"] > 500.0
        east, north = View(known["ra_deg"], known["dec_deg"], "survey", 1200.0).offsets(
            PHOTONS.ra_deg, PHOTONS.dec_deg
        )
        energy = PHOTONS.energy_kev
        inside = (np.abs(east) <= 600.0) & (np.abs(north) <= 600.0) & (energy >= 0.5) & (energy < 7)
        scale = kpc_per_arcsec(row["redshift"], CutoutSettings().cosmology)
        near = inside & (np.hypot(east, north) < row["r500c_kpc"] / scale)
        for suffix, chosen in (("", inside), ("_500", near)):
            source = chosen & (PHOTONS.origin < 3)
            assert row[f"n_phot{suffix}"] == source.sum()
            assert row[f"n_phot_icm{suffix}"] == (chosen & (PHOTONS.origin == 1)).sum()
            assert row[f"n_background{suffix}"] == (chosen & (PHOTONS.origin == 3)).sum()
            soft = source & (energy < 1.2)
            assert row[f"n_phot{suffix}_soft"] == soft.sum() > 0
    images = catalog.images(apart=True)
    np.testing.assert_array_equal(images[:, :2].sum(axis=(1, 2, 3, 4)), catalog.column("n_phot"))


def test_real_photons_are_one_origin_and_each_counts_once(field, tmp_path):
    maps = {"exposure_map": str(field / "exposure.fits"), "vignetted_fraction": 0.5}
    cut_outs(config(field, "esass", **maps), tmp_path / "real", workers=1)
    cut_outs(config(field), tmp_path / "own", workers=1)
    real, own = Catalog.open(tmp_path / "real"), Catalog.open(tmp_path / "own")
    real.validate()
    assert real.spec.origins == ("all",)
    assert real.column("halo_id").tolist() == own.column("halo_id").tolist()
    # The same photons, of which the tiles of eSASS hold those near their border twice.
    np.testing.assert_array_equal(real.images(), own.images())
    assert (real.column("n_background") == -1).all()
    everything = own.column("n_phot") + own.column("n_background")
    np.testing.assert_array_equal(real.column("n_phot"), everything)
    # A map of the exposure stands beside; EXPOSURE of the header is of the whole tile, and unused.
    exposure = real.exposure_maps()
    assert exposure.shape == (4, 16, 16)
    vignetted = real.column("exposure_vignetted_s")
    np.testing.assert_allclose(real.column("exposure_s"), 2.0 * vignetted)
    np.testing.assert_allclose(exposure[:, 7, 7], vignetted, rtol=0.02)
    at_edge = (real.column("flags") & Flag.FIELD_EDGE) > 0
    assert at_edge.tolist() == (exposure == 0).any(axis=(1, 2)).tolist()
    assert 0 < at_edge.sum() < 4


def test_positions_that_were_not_exposed_are_left_out(field, tmp_path):
    write_image(tmp_path / "e.fits", np.full((40, 40), 90.0), centre=(150.3, -12.0))
    done = cut_outs(
        config(field, on_axis_map=str(tmp_path / "e.fits"), vignetted_fraction=0.4),
        tmp_path / "c",
        workers=1,
    )
    catalog = done.summary.catalog
    assert (done.outside, sorted(catalog.column("halo_id").tolist())) == (3, [5, 7])
    np.testing.assert_allclose(catalog.column("exposure_vignetted_s"), 36.0)
    np.testing.assert_allclose(catalog.column("exposure_s"), 90.0)


def test_images_in_kpc_need_redshifts(field, tmp_path):
    usual = {"width_arcmin": None, "width_kpc": 3000.0, "pixels": 10}
    truth(redshift=[0.3, -1.0, 0.5, 0.001, 0.2]).write(tmp_path / "some.fits")
    table = str(tmp_path / "some.fits")
    done = cut_outs(config(field, positions=table, **usual), tmp_path / "c", workers=1)
    assert sorted(done.summary.catalog.column("halo_id").tolist()) == [7, 11]
    reasons = {failure.halo_id: failure.reason for failure in done.summary.failures}
    assert set(reasons) == {3, 5}
    assert "redshift: must be known for an image in kpc" in reasons[5]
    assert "field width: must be above 0 and at most 20 deg" in reasons[3]
    bare = truth()
    bare.remove_columns(["redshift"])
    bare.write(tmp_path / "bare.fits")
    table = str(tmp_path / "bare.fits")
    with pytest.raises(InputError, match="positions: must have redshifts for images in kpc"):
        cut_outs(config(field, positions=table, **usual), tmp_path / "d", workers=1)
    assert not (tmp_path / "d").exists()
    done = cut_outs(config(field, positions=table), tmp_path / "e", workers=1)
    catalog = done.summary.catalog
    assert np.isnan(catalog.column("redshift")).all()
    assert (catalog.column("n_phot_500") == -1).all()
    assert (catalog.column("n_phot") > 0).all()


def test_wider_images_hold_as_many_photons_as_their_area(field, tmp_path):
    """Two-sided: uniform photons in an image of 1.96 deg^2, 8% caught at 8 sigma."""
    uniform = replace(
        PHOTONS,
        ra_deg=np.random.default_rng(2).uniform(149.0, 151.0, len(PHOTONS)),
        dec_deg=np.degrees(
            np.arcsin(
                np.random.default_rng(3).uniform(*np.sin(np.radians([-13.0, -11.0])), len(PHOTONS))
            )
        ),
    )
    write_own(tmp_path / "events.fits", uniform)
    wide = config(
        field,
        events=str(tmp_path / "events.fits"),
        width_arcmin=84.0,
        bands={"full": [0.2, 20.0]},
        exposure_s=100.0,
    )
    with pytest.warns(InputWarning, match="the event files say 800 s; 100 s is taken, as was giv"):
        done = cut_outs(wide, tmp_path / "c", workers=1)
    catalog = done.summary.catalog
    row = int(np.flatnonzero(catalog.column("halo_id") == 5)[0])
    area = 2.0 * np.degrees(np.diff(np.sin(np.radians([-13.0, -11.0]))))[0]
    # The solid angle of a square on the tangent plane.
    half = np.radians(0.7)
    solid = np.degrees(np.degrees(4.0 * np.arcsin(np.sin(np.arctan(half)) ** 2)))
    observed = int(catalog.images(row).sum())
    assert_poisson(observed, len(PHOTONS) * solid / area, bias=0.08)
    assert observed == catalog.column("n_phot")[row] + catalog.column("n_background")[row]


def test_flags_tell_blends_and_empty_images(field, tmp_path):
    far = truth(
        ra_deg=[150.0, 150.02, 150.3, 149.7, 149.7],
        dec_deg=[-12.0, -12.0, -12.0, -12.1, -12.1],
        m500c_msun=[3e14, 2e14, 1e14, 5e14, -1.0],
    )
    far.write(tmp_path / "t.fits")
    hard = {"bands": {"none": [9.0, 9.5]}, "positions": str(tmp_path / "t.fits")}
    catalog = cut_outs(config(field, **hard), tmp_path / "c", workers=1).summary.catalog
    flags = dict(zip(catalog.column("halo_id").tolist(), catalog.column("flags"), strict=True))
    assert all(value & Flag.NO_PHOTONS for value in flags.values())
    blended = {halo for halo, value in flags.items() if value & Flag.BLENDED}
    assert blended == {11, 5}


@pytest.mark.slow
def test_the_same_for_any_number_of_workers(field, tmp_path):
    maps = {"exposure_map": str(field / "exposure.fits")}
    chosen = config(field, rows_per_shard=1, **maps)
    cut_outs(chosen, tmp_path / "one", workers=1)
    cut_outs(chosen, tmp_path / "two", workers=2)
    assert files(tmp_path / "two") == files(tmp_path / "one")


def test_goes_on_where_it_was(field, tmp_path):
    chosen = config(field, rows_per_shard=1)
    cut_outs(chosen, tmp_path / "one", workers=1)
    before = files(tmp_path / "one")
    done = cut_outs(chosen, tmp_path / "one", workers=1)
    assert done.summary.progress.before == 4
    shard = tmp_path / "one" / "shards" / "shard-000002.h5"
    shard.write_bytes(b"")
    cut_outs(chosen, tmp_path / "one", workers=1, repair=True)
    shard.with_name(shard.name + ".dropped").unlink()
    assert files(tmp_path / "one") == before
    with pytest.raises(InputError, match="another configuration: pixels is 16 there and 8 now"):
        cut_outs(config(field, rows_per_shard=1, pixels=8), tmp_path / "one", workers=1)


def files(place: Path) -> dict[str, bytes]:
    return {p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*.*")}


def test_changed_files_are_noticed(field, tmp_path):
    for name in ("a", "b"):
        photons = PHOTONS if name == "a" else replace(PHOTONS, ra_deg=PHOTONS.ra_deg + 1e-4)
        write_own(tmp_path / f"{name}.fits", photons)
    events = tmp_path / "events.fits"
    (tmp_path / "a.fits").rename(events)
    chosen = config(field, events=str(events))
    cut_outs(chosen, tmp_path / "c", workers=1)
    (tmp_path / "b.fits").replace(events)
    with pytest.raises(InputError, match=r"another configuration: events.digest is"):
        cut_outs(chosen, tmp_path / "c", workers=1)


def test_a_shard_reads_each_file_once_and_two_are_kept(field, monkeypatch):
    settings = CutoutSettings(geometry=ImageGeometry(8, 8, 100.0, "arcsec"))
    found = scan_event_files([field / "tiles"])
    rng = np.random.default_rng(6)
    n = 60
    positions = Positions(
        rng.uniform(149.4, 150.6, n), rng.uniform(-12.6, -11.4, n), np.full(n, 0.3), np.arange(n)
    )
    read = []
    original = event_files_module.read_event_list

    def counted(path, selection=None):
        read.append(path)
        return original(path, selection)

    monkeypatch.setattr(event_files_module, "read_event_list", counted)
    producer = CutoutProducer(found, positions, settings)
    assert len(producer) == n
    data = producer.shard(0, n)
    assert sorted(read) == sorted(file.path for file in found)
    producer.shard(0, 10)
    assert len(read) == 2
    assert data.images.shape == (n, 3, 3, 8, 8)
    # Rows are in the order of the sky, so that neighbours share a shard.
    ra, dec = data.columns["ra_deg"], data.columns["dec_deg"]
    step = separation_deg(ra[1:], dec[1:], ra[:-1], dec[:-1])
    shuffled = separation_deg(
        positions.ra_deg[1:], positions.dec_deg[1:], positions.ra_deg[:-1], positions.dec_deg[:-1]
    )
    assert step.mean() < 0.5 * shuffled.mean()


@pytest.mark.parametrize(
    ("geometry", "rule"),
    [
        (ImageGeometry(8, 8, 1e5, "arcsec"), "field width: must be above 0 and at most 20 deg"),
        (ImageGeometry(8, 8, 1e6, "kpc"), "field width: must be above 0 and at most 20 deg"),
        (ImageGeometry(9000, 9000, 0.1, "arcsec"), "image: must have at most .* got 9000 x 9000"),
    ],
)
def test_images_of_which_none_can_be_placed(field, geometry, rule):
    positions = Positions(np.array(RA), np.array(DEC), np.full(5, 0.3), np.arange(5))
    with pytest.raises(InputError, match=rule):
        CutoutProducer(
            scan_event_files([field / "tiles"]), positions, CutoutSettings(geometry=geometry)
        )


def test_the_survey_can_hand_over_what_it_knows(field, tmp_path):
    """Functions for the conditions, positions in memory: as `icmass survey` would."""
    settings = CutoutSettings(
        geometry=ImageGeometry(6, 6, 200.0, "arcsec"),
        exposure_on_axis=lambda ra, dec: 100.0 + dec,
        vignetted_fraction=0.5,
        nh=lambda ra, dec: np.full(len(ra), 4e20),
        provenance={"seed": 3},
    )
    positions = Positions(np.array(RA), np.array(DEC), np.full(5, 0.3), np.arange(5))
    producer = CutoutProducer(scan_event_files([field / "tiles"]), positions, settings)
    summary = produce(producer, tmp_path / "c", lambda rows: rows, workers=1)
    catalog = summary.catalog
    catalog.validate()
    np.testing.assert_allclose(catalog.column("exposure_s"), 100.0 + catalog.column("dec_deg"))
    np.testing.assert_allclose(
        catalog.column("exposure_vignetted_s"), 0.5 * catalog.column("exposure_s")
    )
    assert (catalog.column("nh_cm2") == 4e20).all()
    assert catalog.spec.provenance["seed"] == 3


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"events": None}, "events: must be given. Event files of icmass or eSASS"),
        ({"positions": None}, "positions: must be given. Table of positions"),
        ({"events": "none.fits"}, "none.fits: must be an event file, a pattern or a folder"),
        ({"events": "*.nothing"}, "must be an event file, a pattern or a folder of them"),
        ({"bands": {"gamma": [500.0, 900.0]}}, "band 'gamma': must overlap what erosita records"),
        ({"exposure_map": "none.fits"}, "none.fits: must be an existing map of exposure_map; no"),
    ],
)
def test_configurations_that_cannot_be_met(field, tmp_path, options, rule):
    chosen = config(field).model_dump() | options
    chosen = {key: value for key, value in chosen.items() if value is not None}
    with pytest.raises(InputError, match=rule.replace("*", r"\*")):
        cut_outs(CutoutsConfig.parse(chosen), tmp_path / "c", workers=1)
    assert not (tmp_path / "c").exists()


def test_events_and_positions_of_different_fields(field, tmp_path):
    truth(ra_deg=[10.0] * 5).write(tmp_path / "t.fits")
    chosen = config(field, positions=str(tmp_path / "t.fits"))
    with pytest.raises(InputError, match="lie where there are events; all 5 are outside the 2"):
        cut_outs(chosen, tmp_path / "c", workers=1)
    write_image(tmp_path / "e.fits", np.full((4, 4), 9.0), centre=(20.0, 0.0))
    chosen = config(field, exposure_map=str(tmp_path / "e.fits"))
    with pytest.raises(InputError, match=r"all 5 are outside .* or were not exposed"):
        cut_outs(chosen, tmp_path / "c", workers=1)


def test_simulated_and_real_files_do_not_mix(field, tmp_path):
    with pytest.raises(InputError, match="all files must have the column ORIGIN, or none"):
        scan_event_files([field / "tiles", field / "esass"])
    write_esass(tmp_path / "a.fits", sky_photons(0))
    with pytest.raises(InputError, match=r"must hold good events; got none in 1 file\(s\)"):
        scan_event_files([tmp_path / "a.fits"])


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"vignetted_fraction": 1.5}, "vignetted_fraction: must be above 0 and at most 1; got 1.5"),
        ({"omega_m": 1.0}, "cosmology: must have h above 0 and omega_m in 0 to 1; got h 0.704"),
    ],
)
def test_settings_out_of_range(options, rule):
    with pytest.raises(InputError, match=rule):
        CutoutSettings(**options)
