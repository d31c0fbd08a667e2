"""The program as a whole: help, versions, exit status, warnings, interruption."""

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from icmass import __version__
from icmass.cli import main
from icmass.cli.main import app
from icmass.errors import InputError, InputWarning

PROGRAM = [sys.executable, "-c", "from icmass.cli import main; main()"]


@pytest.fixture
def failing(monkeypatch):
    """Make `icmass instruments` do something else."""

    def install(action) -> None:
        command = next(c for c in app.registered_commands if c.name == "instruments")
        monkeypatch.setattr(command, "callback", action)

    return install


def test_version(run):
    assert run("--version") == (0, f"icmass {__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_help_lists_the_commands(run, arguments):
    status, out, err = run(*arguments)
    assert (status, err) == (0, "")
    for command in ("observe", "ecf", "tables", "instruments"):
        assert f"\n  {command}" in out


@pytest.mark.parametrize("command", ["observe", "ecf", "tables", "instruments"])
def test_help_of_each_command(run, command):
    status, out, _ = run(command, "--help")
    assert status == 0
    assert "Usage: icmass " + command in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["benchmrk"], "No such command 'benchmrk'. Did you mean 'benchmark'?"),
        (["observe", "--exposre", "3"], "No such option: --exposre"),
        (["observe", "--exposure"], "requires an argument"),
        (["observe", "--exposure", "abc"], "Invalid value for '--exposure'"),
        (["observe", "a", "b"], "unexpected extra argument"),
        (["--nope"], "No such option: --nope"),
    ],
)
def test_usage_errors_are_one_line(run, arguments, expected):
    status, out, err = run(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert expected in err


def test_input_errors_are_one_line_unless_debugged(run, failing):
    def fail() -> None:
        raise InputError("key: must be\n small; got large.")

    failing(fail)
    assert run("instruments") == (2, "", "key: must be small; got large.\n")
    with pytest.raises(InputError, match="must be"):
        main(["--debug", "instruments"])


@pytest.mark.parametrize(
    "bug", [ZeroDivisionError("a bug"), RuntimeError("a bug: nothing was allocated")]
)
def test_bugs_keep_their_traceback(failing, bug):
    def fail() -> None:
        raise bug

    failing(fail)
    with pytest.raises(type(bug), match="a bug"):
        main(["instruments"])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            MemoryError("Unable to allocate 2 PiB for an array\nof float64"),
            "Unable to allocate 2 PiB",
        ),
        (MemoryError(), "no more is to be had"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB."), "CUDA out of memory"),
        (
            RuntimeError("[enforce fail] no memory: you tried to allocate 5 bytes."),
            "allocate 5 bytes",
        ),
    ],
)
def test_memory_that_is_not_there_is_one_line(run, failing, error, reason):
    def fail() -> None:
        raise error

    failing(fail)
    status, out, err = run("instruments")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("memory: is not enough for this; ")
    assert reason in err
    with pytest.raises(type(error)):
        main(["--debug", "instruments"])


def test_warnings_are_one_line(run, failing):
    def warn() -> None:
        warnings.warn("kt: 3 values\n were clamped.", InputWarning, stacklevel=2)

    failing(warn)
    assert run("instruments") == (0, "", "warning: kt: 3 values were clamped.\n")


def test_keyboard_interrupt_leaves_quietly(run, failing):
    def interrupt() -> None:
        raise KeyboardInterrupt

    failing(interrupt)
    status, out, err = run("instruments")
    assert (status, out) == (130, "")
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_job_leaves_nothing(tmp_path: Path, number, status):
    """Stopped while its products are being written."""
    job = subprocess.Popen(
        [*PROGRAM, "observe", "-o", str(tmp_path / "out"), "--no-agn"],
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background of a script ignores interrupts, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not os.listdir(tmp_path) and job.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not (tmp_path / "out").exists()
    job.send_signal(number)
    _, err = job.communicate(timeout=60)
    assert job.returncode == status
    assert "Traceback" not in err
    assert os.listdir(tmp_path) == []
