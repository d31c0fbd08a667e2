"""`icmass ecf` and `icmass instruments`."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from icmass.cli.ecf import ecf
from icmass.cli.instruments import instruments
from icmass.errors import InputError

app = typer.Typer()
app.command()(ecf)
app.command()(instruments)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def ecf_json(*arguments: str) -> dict[str, Any]:
    return json.loads(run("ecf", *arguments, "--json"))


def test_power_law_factor() -> None:
    result = ecf_json("--gamma", "2", "--nh", "3e20", "--band", "0.5", "2.0")
    assert result["ecf_counts_cm2_per_erg"] == pytest.approx(1.186e12, rel=0.03)
    assert result["band_kev"] == [0.5, 2.0]
    assert (result["gamma"], result["nh_cm2"], result["mode"]) == (2.0, 3e20, "pointed")
    assert "kt_kev" not in result
    assert result["instrument"] == "erosita"


def test_text_names_number_unit_band_and_mode() -> None:
    text = run("ecf", "--gamma", "2", "--band", "0.5", "2", "--mode", "survey")
    assert "counts cm^2/erg in 0.5-2 keV (survey)" in text
    assert 5e11 < float(text.split()[0]) < 8e11


@pytest.mark.shared
def test_real_responses(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "erosita"
    arf = folder / "onaxis_tm0_arf_filter_2023-01-17.fits.gz"
    rmf = folder / "onaxis_tm0_rmf_2023-01-17.fits.gz"
    real = ("--arf", str(arf), "--rmf", str(rmf))
    result = ecf_json("--gamma", "2", "--nh", "3e20", "--band", "0.2", "2.3", *real)
    assert result["ecf_counts_cm2_per_erg"] == pytest.approx(1.071e12, rel=0.01)
    assert result["arf"] == arf.name


def test_plasma_factor_depends_on_temperature_and_redshift() -> None:
    band = ("--band", "0.5", "2.0", "--nh", "3e20")
    hot = ecf_json("--kt", "6", *band)
    cool = ecf_json("--kt", "1", "--abundance", "0.5", "--redshift", "0.3", *band)
    assert hot["ecf_counts_cm2_per_erg"] == pytest.approx(1.2e12, rel=0.05)
    assert cool["ecf_counts_cm2_per_erg"] != pytest.approx(hot["ecf_counts_cm2_per_erg"], rel=0.01)
    assert (cool["kt_kev"], cool["abundance"], cool["redshift"]) == (1.0, 0.5, 0.3)
    assert "gamma" not in cool


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--band", "1", "2"], "must be given one of them; got neither"),
        (["--band", "1", "2", "--gamma", "2", "--kt", "3"], "must be given one of them; got both"),
        (["--band", "2", "1", "--gamma", "2"], "band: must be LO < HI"),
        (["--band", "1", "2", "--gamma", "2", "--nh", "-1"], "nh"),
        (["--band", "0.5", "2", "--gamma", "400"], "photon_index: must lie in -10 to 10; got 400"),
        (["--band", "0.5", "2", "--gamma=-300"], "photon_index: must lie in -10 to 10; got -300"),
        (["--band", "1", "2", "--gamma", "2", "--arf", "a.arf"], "--rmf: must be given with --arf"),
        (
            ["--band", "1", "2", "--gamma", "2", "--mode", "x"],
            "mode: must be one of pointed, survey",
        ),
        (["--band", "1", "2", "--gamma", "2", "--instrument", "x"], "instrument: must be one of"),
        (["--band", "1", "2", "--gamma", "2", "--abundance", "0.3"], "belong to a plasma"),
    ],
)
def test_bad_arguments_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run("ecf", *arguments)


def test_instruments_are_listed() -> None:
    text = run("instruments")
    assert "erosita" in text
    assert "epic_pn_like" in text
    rows = {row["name"]: row for row in json.loads(run("instruments", "--json"))}
    assert rows["erosita"]["modules"] == 7
    assert rows["erosita"]["area_1kev_cm2"] == {
        "pointed": pytest.approx(2188, rel=0.02),
        "survey": pytest.approx(1230, rel=0.02),
    }
    assert rows["erosita"]["half_energy_width_arcsec"] == {"pointed": 16.0, "survey": 28.0}
