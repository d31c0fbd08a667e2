"""Results appear whole or not at all, and nothing of the user's is deleted."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from icmass.errors import InputError, OutputError
from icmass.files import MANIFEST, atomic_write, check_output, staged_directory


def write_result(path: Path, text: str, **options: bool) -> None:
    with staged_directory(path, **options) as stage:
        (stage / "parts").mkdir()
        (stage / "parts" / "numbers.txt").write_text(text)


def test_directory_appears_at_the_end_with_a_manifest(tmp_path):
    target = tmp_path / "out"
    with staged_directory(target) as stage:
        (stage / "a.txt").write_text("1")
        assert not target.exists()
    assert (target / "a.txt").read_text() == "1"
    assert json.loads((target / MANIFEST).read_text())["files"] == ["a.txt"]
    assert os.listdir(tmp_path) == ["out"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o777 & ~umask


@pytest.mark.parametrize("problem", [RuntimeError("boom"), KeyboardInterrupt()])
def test_failure_leaves_nothing(tmp_path, problem):
    with pytest.raises(type(problem)), staged_directory(tmp_path / "out") as stage:
        (stage / "a.txt").write_text("1")
        raise problem
    with pytest.raises(type(problem)), atomic_write(tmp_path / "a.txt") as path:
        path.write_text("1")
        raise problem
    assert os.listdir(tmp_path) == []


def test_interrupt_while_the_directory_is_made(tmp_path, monkeypatch):
    """The signal may come when the directory exists but the call has not returned."""
    really_make = Path.mkdir

    def make_and_be_interrupted(self, *arguments, **options):
        really_make(self, *arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "mkdir", make_and_be_interrupted)
    with pytest.raises(KeyboardInterrupt), staged_directory(tmp_path / "out"):
        pytest.fail("the block must not run")
    assert os.listdir(tmp_path) == []


def test_existing_directory_needs_overwrite(tmp_path):
    write_result(tmp_path / "out", "old")
    with pytest.raises(OutputError, match=r"out: already exists\. .* --overwrite"):
        write_result(tmp_path / "out", "new")
    write_result(tmp_path / "out", "new", overwrite=True)
    assert (tmp_path / "out/parts/numbers.txt").read_text() == "new"
    assert os.listdir(tmp_path) == ["out"]


def test_failed_overwrite_keeps_the_old_result(tmp_path):
    write_result(tmp_path / "out", "old")
    with pytest.raises(RuntimeError, match="boom"):
        with staged_directory(tmp_path / "out", overwrite=True):
            raise RuntimeError("boom")
    assert (tmp_path / "out/parts/numbers.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_failed_exchange_puts_the_old_result_back(tmp_path, monkeypatch):
    write_result(tmp_path / "out", "old")
    rename = Path.rename

    def fail_into_place(self, target):
        if self.name.endswith(".partial"):
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_into_place)
    with pytest.raises(OutputError, match="input/output error"):
        write_result(tmp_path / "out", "new", overwrite=True)
    assert (tmp_path / "out/parts/numbers.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_overwrite_never_deletes_what_is_not_ours(tmp_path):
    thesis = tmp_path / "home"
    thesis.mkdir()
    (thesis / "thesis.tex").write_text("ten years")
    with pytest.raises(OutputError, match=r"only what icmass wrote; it holds 'thesis\.tex'"):
        write_result(thesis, "new", overwrite=True)

    write_result(tmp_path / "out", "old")
    (tmp_path / "out/parts/notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"it holds 'parts/notes\.txt'"):
        write_result(tmp_path / "out", "new", overwrite=True)

    (tmp_path / "out/parts/notes.txt").unlink()
    (tmp_path / "out/link").symlink_to(thesis)
    with pytest.raises(OutputError, match="it holds 'link'"):
        write_result(tmp_path / "out", "new", overwrite=True)
    assert (thesis / "thesis.tex").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}'])
def test_a_manifest_of_someone_else_makes_nothing_ours(tmp_path, text):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MANIFEST).write_text(text)
    with pytest.raises(OutputError, match="only what icmass wrote"):
        check_output(tmp_path / "out", overwrite=True)


def test_empty_directory_may_be_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="already exists"):
        check_output(tmp_path / "out")
    write_result(tmp_path / "out", "new", overwrite=True)
    assert (tmp_path / "out/parts/numbers.txt").read_text() == "new"


def test_link_is_followed_and_kept(tmp_path):
    write_result(tmp_path / "big_disk", "old")
    (tmp_path / "out").symlink_to(tmp_path / "big_disk")
    write_result(tmp_path / "out", "new", overwrite=True)
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "big_disk/parts/numbers.txt").read_text() == "new"


def test_place_must_be_usable(tmp_path):
    (tmp_path / "file").write_text("1")
    with pytest.raises(OutputError, match="mkdir -p"):
        check_output(tmp_path / "missing" / "out")
    with pytest.raises(OutputError, match="must be a directory; got a file"):
        check_output(tmp_path / "file", overwrite=True)
    with pytest.raises(OutputError, match="must be a file; got a directory"):
        with atomic_write(tmp_path):
            pass
    with pytest.raises(OutputError, match="only what icmass wrote"):
        check_output("/", overwrite=True)
    with pytest.raises(OutputError, match="only what icmass wrote"):
        check_output(Path.home(), overwrite=True)
    with pytest.raises(OutputError, match="too long"), staged_directory(tmp_path / ("x" * 250)):
        pass


def test_names_that_lead_nowhere(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "loop", tmp_path / "loop" / "a"):
        with pytest.raises(OutputError, match=r"lead in a circle|folder does not exist"):
            check_output(path)
    for name in ("a" * 300, "a" * 300 + "/b"):
        with pytest.raises(OutputError, match="the name is too long; choose a shorter one"):
            check_output(tmp_path / name)


def test_folder_that_goes_while_the_job_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("icmass.files.check_output", lambda path, *, overwrite: Path(path))
    with pytest.raises(OutputError, match=r"out: its folder is gone, .*write elsewhere"):
        write_result(tmp_path / "gone" / "out", "1")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="permission is denied"):
        check_output(tmp_path / "out")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EPERM, errno.EDQUOT])
def test_file_system_errors_say_what_to_do(tmp_path, monkeypatch, code):
    def refuse(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match=r"out: cannot be written; .*; .*\.$"):
        write_result(tmp_path / "out", "1")


def test_other_errors_pass(tmp_path):
    with pytest.raises(FileNotFoundError), staged_directory(tmp_path / "out"):
        (tmp_path / "absent").read_text()
    with pytest.raises(InputError, match=r"^mine$"), staged_directory(tmp_path / "out"):
        raise InputError("mine") from OSError(errno.ENOSPC, "full")


def test_devices_and_pipes_are_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="pipe: must be a file; got a device or pipe"):
            with atomic_write(tmp_path / "pipe", overwrite=overwrite):
                raise AssertionError
    assert (tmp_path / "pipe").is_fifo()
    assert len(os.listdir(tmp_path)) == 1


def test_file_replaced_only_when_asked(tmp_path):
    path = tmp_path / "a.csv"
    for text in ("old", "new"):
        with atomic_write(path, overwrite=text == "new") as stage:
            assert stage.suffix == ".csv"
            stage.write_text(text)
    assert path.read_text() == "new"
    with pytest.raises(OutputError, match="--overwrite"), atomic_write(path):
        pass
    assert os.listdir(tmp_path) == ["a.csv"]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit then fails as EFBIG
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
import h5py, numpy as np
from astropy.io import fits
from icmass.errors import OutputError
from icmass.files import staged_directory
writer = sys.argv[2]
try:
    with staged_directory(sys.argv[1]) as stage:
        (stage / "small.txt").write_text("fits in")
        if writer == "text":
            (stage / "big.txt").write_text("x" * 1_000_000)
        elif writer == "fits":
            fits.PrimaryHDU(np.zeros(1_000_000)).writeto(stage / "big.fits")
        elif writer == "hdf5":
            with h5py.File(stage / "big.h5", "w") as file:
                file["x"] = np.zeros(1_000_000)
except OutputError as error:
    print(error)
    sys.exit(2)
"""


@pytest.mark.parametrize("writer", ["text", "fits", "hdf5"])
def test_disk_fills_up(tmp_path, writer):
    """The kernel refuses the write half-way, in a process of its own."""
    target = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(target), writer], capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout.count("\n") == 1
    assert "a size limit" in done.stdout
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "problem",
    [
        OSError("Not enough space on disk: requested 10, available 1. "),
        RuntimeError("Unable to write (errno = 28, error message = 'No space left on device')"),
    ],
)
def test_libraries_that_hide_the_error_number(tmp_path, problem):
    with pytest.raises(OutputError, match="no space is left"):
        with staged_directory(tmp_path / "out"):
            raise problem
    assert os.listdir(tmp_path) == []


SLOW_JOB = """
import sys, time
from icmass.files import staged_directory
with staged_directory(sys.argv[1], overwrite=True) as stage:
    (stage / "half.txt").write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_killed_job_leaves_no_result_and_the_next_one_works(tmp_path):
    write_result(tmp_path / "old", "old")
    for name in ("out", "old"):
        job = subprocess.Popen(
            [sys.executable, "-c", SLOW_JOB, str(tmp_path / name)], stdout=subprocess.PIPE
        )
        assert job.stdout.readline() == b"writing\n"
        job.send_signal(signal.SIGKILL)
        job.wait()
        job.stdout.close()
    visible = [name for name in os.listdir(tmp_path) if not name.startswith(".")]
    assert visible == ["old"]
    assert (tmp_path / "old/parts/numbers.txt").read_text() == "old"
    write_result(tmp_path / "out", "new")
