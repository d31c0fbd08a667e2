"""`icmass observe` where all is well: products, reports, options and files of options."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from icmass.config import ObserveConfig
from icmass.simulate.sky import SKY_COMPONENTS
from tests.helpers.round_cluster import write_snapshot


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_default_cluster_makes_all_products(observed):
    found = set(files(observed[0]))
    assert {"events.fits", "image_soft.fits", "exposure_map.fits", "background_map.fits"} <= found
    assert {"source.pha", "response.rmf", "sources.fits", "scalars.json", "quicklook.png"} <= found
    assert [path.name for path in observed[0].parent.iterdir()] == ["out"]


def test_json_holds_the_scalars(observed):
    place, printed = observed
    written = json.loads((place / "scalars.json").read_text())
    assert printed["directory"] == str(place)
    assert all(written[key] == printed[key] for key in printed if key != "directory")
    counts = printed["n_phot"]
    assert sum(counts[name]["all"] for name in ("icm", "agn", "background")) > 0
    assert counts["total"]["all"] > counts["icm"]["all"] > 0
    assert written["config"] == {
        **ObserveConfig().model_dump(mode="json"), "width_deg": 0.2, "seed": 3
    }  # fmt: skip


def test_one_seed_gives_the_same_bytes(run, observed, small_field, tmp_path):
    """Also with one thread, and on top of an earlier result; the numbers are printed."""
    shutil.copytree(observed[0], tmp_path / "out")
    options = ["--config", small_field, "--threads", 1, "--overwrite", "-o", tmp_path / "out"]
    status, out, err = run("observe", *options)
    assert (status, err) == (0, "")
    assert files(tmp_path / "out") == files(observed[0])
    assert "M500c" in out
    assert f"picture: {tmp_path / 'out' / 'quicklook.png'}" in out


def test_options_win_over_the_file_and_are_recorded(run, small_field, observed, tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text(small_field.read_text() + "exposure_s: 5e3\nnh_cm2: 1e20\naxis: y\n")
    options = ["--exposure", 700, "--axis", "1,0,0", "--seed", 4, "--no-agn", "--no-background"]
    assert run("observe", "--config", path, *options, "-o", tmp_path / "out")[0] == 0
    written = json.loads((tmp_path / "out" / "scalars.json").read_text())
    expected = {"width_deg": 0.2, "seed": 4, "exposure_s": 700.0, "nh_cm2": 1e20}
    off = dict.fromkeys(SKY_COMPONENTS, False)
    defaults = ObserveConfig().model_dump(mode="json")
    assert written["config"] == {**defaults, **expected, **off, "axis": [1.0, 0.0, 0.0]}
    assert written["n_phot"]["icm"] == written["n_phot"]["total"]
    header = fits.getheader(tmp_path / "out" / "events.fits", 1)
    assert header["EXPOSURE"] == 700.0
    assert header["NAXIS2"] != fits.getheader(observed[0] / "events.fits", 1)["NAXIS2"]


def test_snapshot_with_reader_options(run, small_field, tmp_path):
    snapshot = write_snapshot(tmp_path / "snap.hdf5")
    middle = 10_000.0 / 0.7 / 1.1
    options = ["--center", f"{middle},{middle},{middle}", "--radius", 400, "--exposure", 3000]
    options += ["--redshift", 0.3, "--mode", "pointed", "-o", tmp_path / "out"]
    status, _, err = run("observe", snapshot, "--config", small_field, *options)
    assert (status, err.count("\n")) == (0, 1)
    assert "warning: cluster_agn: left out" in err
    header = fits.getheader(tmp_path / "out" / "events.fits", 1)
    assert header["REDSHIFT"] == 0.3
    assert header["OBS_MODE"].startswith("POINT")


def test_dry_run_reports_and_writes_nothing(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    snapshot = write_snapshot(tmp_path / "snap.hdf5")
    status, out, _ = run("observe", snapshot, "--dry-run")
    assert status == 0
    for word in ("read", "emitting", "2,000", "kT [keV]", "n_e", "gas mass", "L bolometric"):
        assert word in out
    status, out, _ = run("observe", snapshot, "--dry-run", "--json")
    report = json.loads(out)
    assert report["census"][0] == ["read", 2000]
    assert report["ranges"]["kT [keV]"][1] == pytest.approx(4.91, rel=0.02)
    assert [path.name for path in tmp_path.iterdir()] == ["snap.hdf5"]


def test_units_of_the_user_count(run, tmp_path):
    """The same file said to be in other units of length: lengths scale, and so does the density."""
    snapshot = write_snapshot(tmp_path / "snap.hdf5")
    masses = {}
    for unit in ("1e10 Msun/h", "2e10 Msun/h"):
        options = ["--units", f"mass={unit}", "--units", "length=kpc/h"]
        masses[unit] = json.loads(run("observe", snapshot, "--dry-run", "--json", *options)[1])
    light, heavy = (report["all_gas"]["gas_mass_msun"] for report in masses.values())
    assert heavy == pytest.approx(2 * light)


@pytest.mark.shared
def test_real_responses_take_the_place_of_the_instruments(run, small_field, tmp_path, shared_dir):
    folder = shared_dir / "data" / "erosita"
    arf = folder / "survey_tm0_arf_filter_2023-01-17.fits.gz"
    rmf = folder / "onaxis_tm0_rmf_2023-01-17.fits.gz"
    options = ["--arf", arf, "--rmf", rmf, "--no-agn", "-o", tmp_path / "out"]
    assert run("observe", "--config", small_field, *options)[0] == 0
    with fits.open(tmp_path / "out" / "response.arf") as written, fits.open(arf) as given:
        area = given["SPECRESP"].data["SPECRESP"]
        np.testing.assert_allclose(written["SPECRESP"].data["SPECRESP"], area, rtol=1e-5)
