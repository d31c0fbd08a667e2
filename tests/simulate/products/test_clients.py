"""Other people's programs open our files: Sherpa fits, SOXS bins, Stingray reads the times.

They need the extra [clients]; their own warnings are not ours to judge.
"""

import numpy as np
import pytest
from astropy.io import fits

from icmass.simulate.origin import Origin
from icmass.simulate.photons.draw import draw_events
from icmass.simulate.photons.emitters import Component, Emitters, Shape
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.products.write import write_spectra
from icmass.simulate.view import View
from tests.simulate.products.scene import (
    lopsided_components,
    observation_of,
    power_law_photons,
)

pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("ignore")]

REASON = "not installed (extra [clients])"
INDEX, NORM = 1.9, 2e-3


@pytest.fixture
def soxs():
    return pytest.importorskip("soxs", reason=f"SOXS {REASON}")


@pytest.fixture(params=["survey", "pointed"])
def powerlaw_source(request, instrument, tmp_path):
    """Products of a power-law source, spread over a disc off axis, on a background."""
    view = View(0.02, -60.0, request.param, 2400.0)
    spectra = FoldedSpectra.for_view(
        power_law_photons(instrument, view.mode, INDEX), instrument, view
    )
    rng = np.random.default_rng(2)
    radius, angle = 150.0 * np.sqrt(rng.random(500)), rng.uniform(0, 2 * np.pi, 500)
    emitters = Emitters.points(
        radius * np.cos(angle), radius * np.sin(angle), np.zeros(500), np.full(500, NORM / 500)
    )
    source = Component("source", Origin.ICM, emitters, spectra, Shape.POINT, False)
    components = [source, lopsided_components(view, instrument)[2]]
    events = draw_events(components, view, instrument, 10_000.0, 4)
    observation = observation_of(
        events, view, instrument, components=components, exposure_s=10_000.0
    )
    write_spectra(observation, tmp_path)
    return tmp_path


def sherpa_session():
    utils = pytest.importorskip("sherpa.astro.ui.utils", reason=f"Sherpa {REASON}")
    import sherpa.astro.models
    import sherpa.models.basic

    session = utils.Session()
    session._add_model_types(sherpa.models.basic)
    session._add_model_types(sherpa.astro.models)
    return session


def fitted_power_law(session):
    session.set_source("powlaw1d.source")
    session.set_stat("wstat")
    session.set_method("neldermead")
    session.notice(0.4, 7.0)
    session.fit()
    session.covar()
    result = session.get_covar_results()
    values = dict(zip(result.parnames, result.parvals, strict=True))
    errors = dict(zip(result.parnames, result.parmaxes, strict=True))
    return values, errors, session.get_fit_results()


def test_sherpa_recovers_the_power_law(powerlaw_source):
    session = sherpa_session()
    session.load_pha(str(powerlaw_source / "source.pha"))
    data = session.get_data()
    assert data.get_rmf() is not None
    assert data.get_arf() is not None
    assert data.background_ids == [1]
    assert data.exposure == 10_000.0
    assert data.counts.sum() > 20_000
    values, errors, fit = fitted_power_law(session)
    assert errors["source.gamma"] < 0.03
    assert abs(values["source.gamma"] - INDEX) < 4.5 * errors["source.gamma"]
    assert abs(values["source.ampl"] - NORM) < 4.5 * errors["source.ampl"]
    assert errors["source.ampl"] < 0.02 * NORM
    assert fit.rstat < 1.3
    # The same gate refuses an index and a flux that are a little wrong.
    assert abs(values["source.gamma"] - 1.1 * INDEX) > 4.5 * errors["source.gamma"]
    assert abs(values["source.ampl"] - 1.1 * NORM) > 4.5 * errors["source.ampl"]


def test_sherpa_fit_catches_channels_that_are_off(powerlaw_source):
    """Ten channels, 0.1 keV, are enough for the gate to see."""
    path = powerlaw_source / "source.pha"
    with fits.open(path, mode="update") as hdus:
        hdus["SPECTRUM"].data["COUNTS"] = np.roll(hdus["SPECTRUM"].data["COUNTS"], -10)
    session = sherpa_session()
    session.load_pha(str(path))
    values, errors, _ = fitted_power_law(session)
    assert abs(values["source.gamma"] - INDEX) > 4.5 * errors["source.gamma"]


@pytest.mark.parametrize("band", ["soft", "medium", "hard"])
def test_soxs_bins_our_events_to_our_image(soxs, written, survey_observation, tmp_path, band):
    image = survey_observation.image(band)
    lo, hi = image.band_kev
    path = tmp_path / "soxs.fits"
    soxs.write_image(str(written / "events.fits"), str(path), emin=lo, emax=hi, reblock=80)
    with fits.open(path) as hdus:
        assert np.array_equal(hdus["IMAGE"].data, image.data)
        assert not np.array_equal(hdus["IMAGE"].data, image.data.T)
        header, ours = hdus["IMAGE"].header, image.wcs.wcs
        assert [header["CRPIX1"], header["CRPIX2"]] == pytest.approx(list(ours.crpix))
        assert [header["CRVAL1"], header["CRVAL2"]] == pytest.approx(list(ours.crval))
        assert [header["CDELT1"], header["CDELT2"]] == pytest.approx(list(ours.cdelt))


def test_soxs_bins_our_events_to_our_spectrum(
    soxs, written, survey_observation, tmp_path, monkeypatch
):
    monkeypatch.chdir(written)
    path = tmp_path / "soxs.pha"
    soxs.write_spectrum("events.fits", str(path))
    counts = fits.getdata(path, "SPECTRUM")["COUNTS"]
    assert np.array_equal(counts, survey_observation.spectrum().counts)


def test_soxs_profile_is_our_profile(soxs, written, survey_observation, tmp_path):
    view = survey_observation.view
    path = tmp_path / "profile.fits"
    centre = [view.ra_deg, view.dec_deg]
    soxs.write_radial_profile(
        str(written / "events.fits"), str(path), centre, 0.0, 500.0, 20, emin=0.5, emax=1.2
    )
    ours = survey_observation.profile("soft", np.linspace(0.0, 500.0, 21))
    # Its sky pixels and our float32 offsets may differ on an edge.
    assert np.abs(fits.getdata(path, "PROFILE")["NET_COUNTS"] - ours.counts).max() <= 1


def test_stingray_reads_times_and_good_intervals(written, survey_observation):
    stingray = pytest.importorskip("stingray", reason=f"Stingray {REASON}")
    events = stingray.EventList.read(str(written / "events.fits"), fmt="ogip")
    times = np.sort(survey_observation.events.time_s)
    assert np.allclose(np.sort(events.time.astype(float)), times)
    assert events.gti.tolist() == [[0.0, 2000.0]]
    assert events.mjdref == 51543.875
    curve = events.to_lc(dt=100.0)
    assert curve.counts.sum() == pytest.approx(len(times), abs=1)


def test_astropy_reads_events_as_a_table_with_units(written, survey_observation):
    from astropy import units
    from astropy.table import QTable

    table = QTable.read(written / "events.fits", hdu="EVENTS")
    assert table["RA"].unit == units.deg
    assert table["ENERGY"].unit == units.eV
    assert len(table) == len(survey_observation.events)
