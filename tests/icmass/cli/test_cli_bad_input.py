"""Whatever is wrong with the input: one line that says what to do, status 2, no debris."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from tests.helpers.round_cluster import BOX, COUNT, write_snapshot


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with the inputs beside it."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.fixture
def refused(run, place):
    """Assert that `icmass observe` refuses its arguments as it should."""

    def refused(*arguments: object, match: str) -> None:
        status, out, err = run("observe", *arguments)
        assert (status, out) == (2, ""), err
        lines = [line for line in err.splitlines() if not line.startswith("warning: ")]
        assert len(lines) == 1, err
        assert re.search(match, lines[0]), lines[0]
        assert len(lines[0]) < 700
        assert list((place / "here").iterdir()) == []

    return refused


def with_value(name: str, value: float) -> dict[str, np.ndarray]:
    """A field of the gas that is wrong in row 17."""
    values = {"Masses": np.full(COUNT, 2.0), "InternalEnergy": np.full(COUNT, 1.2e6)}[name]
    values[17] = value
    return {name: values}


SNAPSHOTS = {
    "field missing": ({"drop": ("InternalEnergy",)}, r"InternalEnergy.* take a cut-out"),
    "field of the wrong length": ({"gas": {"Masses": np.ones(3)}}, r"mass.* shape .*damaged"),
    "not a number": ({"gas": with_value("Masses", np.nan)}, r"'mass'.* row 17\. Repair"),
    "negative mass": ({"gas": with_value("Masses", -1.0)}, r"'mass.* row 17.* Repair"),
    "negative energy": ({"gas": with_value("InternalEnergy", -1.0)}, r"energy.* row 17.* Repair"),
    "a box of gigaparsecs": ({"header": {"BoxSize": 2e7 * BOX}}, r"box must be .* Give the units"),
    "no Hubble constant": (
        {"header": {"HubbleParam": 0.0}},
        r"snap\.hdf5: HubbleParam of the header must be above 0 and below 3 where Omega0 is 0\.3",
    ),
    "a negative box": (
        {"header": {"BoxSize": -1.0}},
        r"snap\.hdf5: BoxSize of the header must be a length, or 0 for none; got -1\. Repair",
    ),
    "gas too hot": ({"gas": {"InternalEnergy": np.full(COUNT, 1e13)}}, r"1e\+10 K.* units"),
    "cold gas only": (
        {"gas": {"InternalEnergy": np.full(COUNT, 1e3)}},
        r"no particle is left at 'hotter than.*read 2000.*Lower min_temperature_k",
    ),
}


@pytest.mark.parametrize("case", SNAPSHOTS)
def test_wrong_gas(refused, place, case):
    changes, match = SNAPSHOTS[case]
    refused(write_snapshot(place / "snap.hdf5", **changes), match=match)


def test_right_gas_is_not_refused(run, place):
    """Negative control of the cases above."""
    assert run("observe", write_snapshot(place / "snap.hdf5"), "--dry-run")[0] == 0


def test_no_gas_in_the_sphere(refused, place):
    snapshot = write_snapshot(place / "snap.hdf5")
    options = ["--center", "100,100,100", "--radius", 50]
    refused(snapshot, *options, match=r"no particle is left at 'in the sphere'.*read 2000.*radius")


def test_files_that_are_no_snapshots(refused, place):
    refused(place / "absent", match="absent")
    (place / "empty").mkdir()
    refused(place / "empty", match="empty")
    (place / "notes.txt").write_text("not a snapshot\n" * 100)
    refused(place / "notes.txt", match=r"notes\.txt")
    (place / "zero.hdf5").write_bytes(b"")
    refused(place / "zero.hdf5", match=r"zero\.hdf5")
    fits.PrimaryHDU(np.zeros(4)).writeto(place / "image.fits")
    refused(place / "image.fits", match=r"image\.fits")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_truncated_hdf5(refused, place, share):
    whole = write_snapshot(place / "snap.hdf5").read_bytes()
    (place / "cut.hdf5").write_bytes(whole[: int(share * len(whole))])
    refused(place / "cut.hdf5", match=r"cut\.hdf5: must be a readable .*truncated or damaged.*Copy")


@pytest.mark.shared
@pytest.mark.parametrize("share", [0.0001, 0.3, 0.999])
def test_truncated_gadget_binary(refused, place, shared_dir, share):
    whole = (shared_dir / "data" / "gadget" / "snap_Gadget_sample").read_bytes()
    (place / "cut").write_bytes(whole[: int(share * len(whole))])
    refused(place / "cut", match=r"cut: .*(truncated|damaged)")


OPTIONS = [
    (["--exposure", 0], r"^--exposure: must be greater than 0; got 0"),
    (["--exposure", "nan"], r"^--exposure: must be a finite number"),
    (["--exposure", "long"], r"'--exposure'"),
    (["--redshift", 0], r"^--redshift: must be above 0, for a distance is needed"),
    (["--redshift", -1], r"^--redshift: must be above 0"),
    (["--nh", -1e20], r"^--nh: must be greater than or equal to 0"),
    (["--seed", -1], r"^--seed: must be greater than or equal to 0"),
    (["--axis", "w"], r"^--axis: must be x, y, z, a vector"),
    (["--axis", "0,0,0"], r"^--axis: must be x, y, z, a vector"),
    (["--mode", "scan"], r"--mode.*scan"),
    (["--center", "1,2,3"], r"^--center: chooses gas of a snapshot; none was given"),
    (["--units", "length"], r"^--units: must be KIND=UNIT, such as length=Mpc/h; got 'length'"),
    (["--units", "length=kpc", "--units", "length=Mpc"], r"^--units: must be .*'length' twice"),
    (["--threads", 0], r"^--threads: must lie between 1 and "),
    (["--instrument", "erosite"], r"erosite.*erosita"),
    (["--instrument", "absent.toml"], r"absent\.toml"),
    (["--arf", "absent.arf"], r"needs the RMF"),
    (["--rmf", "absent.rmf"], r"absent\.rmf"),
    (["--table", "absent.h5"], r"absent\.h5"),
    (["--config", "absent.yaml"], r"absent\.yaml: cannot be read: No such file"),
    (["-o", "/proc/nope"], r"^/proc/nope: its folder is gone, or takes no directory; write elsewh"),
    (["-o", "no/such/folder"], r"no/such/folder: its folder does not exist; create it: mkdir -p"),
]


@pytest.mark.parametrize(("options", "match"), OPTIONS, ids=lambda value: str(value)[:30])
def test_wrong_options(refused, options, match):
    refused(*options, match=match)


def test_output_below_a_file(refused, place):
    (place / "text.txt").write_text("no folder")
    for name in ("text.txt/sub", "text.txt/sub/more"):
        refused(
            "-o", place / name, match=r"its folder cannot be; /.*text\.txt is a file\. Choose an"
        )


def test_unit_of_another_kind(refused, place):
    snapshot = write_snapshot(place / "snap.hdf5")
    refused(snapshot, "--units", "length=Msun", match=r"units\['length'\].* kpc")
    refused(snapshot, "--units", "lenght=kpc", match=r"'lenght'.* Did you mean 'length'")


def test_redshift_zero_of_the_snapshot(refused, place):
    snapshot = write_snapshot(place / "snap.hdf5", header={"Redshift": 0.0, "Time": 1.0})
    refused(snapshot, match=r"redshift: must be .*0\.1")


def test_configuration_file(refused, place):
    path = place / "job.yaml"
    path.write_text("exposre_s: 3\n")
    refused("--config", path, match=r"job\.yaml: exposre_s: unknown key; did you mean 'exposure_s'")
    path.write_text("nh_cm2: much\n")
    refused("--config", path, match=r"job\.yaml: nh_cm2: must be a number; got 'much'")


def test_responses_that_do_not_match(refused, place, observed):
    rmf = observed[0] / "response.rmf"
    with fits.open(observed[0] / "response.arf") as arf:
        arf[1].data["ENERG_LO"] *= 1.5
        arf[1].data["ENERG_HI"] *= 1.5
        arf.writeto(place / "other.arf", checksum=True)
    refused("--arf", place / "other.arf", "--rmf", rmf, match=r"energ")
    refused("--arf", rmf, "--rmf", rmf, match=r"response\.rmf")
    (place / "cut.rmf").write_bytes(rmf.read_bytes()[:20_000])
    refused("--arf", observed[0] / "response.arf", "--rmf", place / "cut.rmf", match=r"cut\.rmf")


def test_wrong_plasma_table(refused, place):
    (place / "table.h5").write_text("no table")
    refused("--table", place / "table.h5", match=r"table\.h5")


def test_temperatures_outside_the_table_are_counted(run, place, small_field):
    energy = np.full(COUNT, 1.2e6)
    energy[:5] = 3e7  # above 100 keV
    snapshot = write_snapshot(place / "snap.hdf5", gas={"InternalEnergy": energy})
    options = ["--config", small_field, "--no-agn", "--no-background", "-o", place / "out"]
    status, _, err = run("observe", snapshot, *options)
    assert status == 0
    assert re.search(r"^warning: .*\b5 .*clamped", err)
    assert run("observe", snapshot, "--dry-run")[2] == err


def test_output_that_exists(run, place):
    (place / "thesis").mkdir()
    (place / "thesis" / "chapter.tex").write_text("ten years")
    for options, match in (([], "--overwrite"), (["--overwrite"], "only what icmass wrote")):
        status, out, err = run("observe", "-o", place / "thesis", *options)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert match in err
    assert (place / "thesis" / "chapter.tex").read_text() == "ten years"


FULL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit then fails
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
from icmass.cli import main
main(sys.argv[1:])
"""


def test_no_space_left(place):
    """Files above 200 kB cannot be written, as on a disk that is full."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, "observe", "--no-agn", "-o", "out"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "out: cannot be written; " in done.stderr
    assert os.listdir(place / "here") == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_any_failure_of_the_disk(refused, monkeypatch, code):
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fits.HDUList, "writeto", refuse)
    monkeypatch.setattr(fits.hdu.base._BaseHDU, "writeto", refuse, raising=False)
    refused("--no-agn", "--no-background", match=r"observation: cannot be written; ")
