"""An environment of the peers' own, made once with pinned versions from PyPI."""

import subprocess
import sys
import venv
from pathlib import Path

__all__ = ["PINS", "make_environment"]

PINS = (
    "pyxsim==4.5.0",
    "soxs==5.3.0",
    "yt==4.4.3",
    "sherpa==4.19.0",
    "numpy==2.4.6",
    "scipy==1.17.1",
    "astropy==8.0.2",
    "h5py==3.16.0",
)


def make_environment(folder: Path) -> Path:
    """Return the interpreter of the environment, which is made unless it is there already.

    Sherpa comes as source and is compiled: some minutes.

    Raises
    ------
    SystemExit
        In one line, if the packages cannot be had.
    """
    python, marker = folder / "bin" / "python", folder / "pins.txt"
    wanted = "\n".join(PINS) + "\n"
    if marker.is_file() and marker.read_text() == wanted:
        return python
    print(f"making {folder} (Sherpa is compiled: some minutes)", file=sys.stderr)
    try:
        if not python.is_file():
            venv.create(folder, with_pip=True, symlinks=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"{folder}: cannot be made an environment ({error}).") from error
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, *PINS], check=False, capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        said = errors[-1] if errors else (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SystemExit(
            f"{folder}: pip cannot install {' '.join(PINS[:4])} ({said}). "
            "This needs PyPI and a C++ compiler; look at the network first."
        )
    marker.write_text(wanted)
    return python
