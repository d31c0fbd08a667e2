"""Build wheel and source archive, and use each in an empty environment of every Python at hand.

``python -m tests.packaging.release DIR`` leaves both in DIR/dist, as they would be published. Each
is installed with its dependencies into DIR/python3.x (``-c constraints.txt``) and makes one
observation and one small catalog there, in an empty folder; both must give the same bytes. Other
versions of Python than this one try the wheel alone.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.packaging.wheel import CHECKOUT, build_archive, build_wheel

__all__ = ["check", "pythons_at_hand"]

VERSIONS = ("3.11", "3.12", "3.13")
COMMANDS = (
    ("observe", "--exposure", "2000", "--seed", "3", "-o", "observation"),
    ("simulate", "--clusters", "2", "--seed", "3", "--workers", "1", "-o", "catalog"),
    ("info", "catalog", "--validate"),
)


def main() -> None:
    """Build both, and check them with every Python at hand."""
    folder = Path(sys.argv[1]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    files = [build_wheel(folder / "dist"), build_archive(folder / "dist")]
    _say(
        "built " + ", ".join(f"{file.name} ({file.stat().st_size / 1e6:.1f} MB)" for file in files)
    )
    pythons = pythons_at_hand()
    for version in VERSIONS:
        if version in pythons:
            tried = files if pythons[version] == sys.executable else files[:1]
            check(pythons[version], tried, folder / f"python{version}")
            _say(f"Python {version}: {', '.join(file.name for file in tried)} installed and ran")
        else:
            _say(f"Python {version}: not on this machine, not tried")


def pythons_at_hand() -> dict[str, str]:
    """Return the interpreters of this machine by version: this one, of PATH, of pyenv."""
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in VERSIONS:
        paths = [shutil.which(f"python{version}")]
        paths += sorted(map(str, pyenv.glob(f"{version}.*/bin/python{version}")))
        for path in filter(None, paths):
            # A version manager leaves stand-ins that only say that the version is not installed.
            if subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
                found.setdefault(version, path)
    return found


def check(python: str, files: list[Path], folder: Path) -> None:
    """Install each of `files` in turn into `folder` and run it there.

    Raises
    ------
    SystemExit
        If they do not make the same bytes.
    """
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    digests = []
    for number, file in enumerate(files):
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-qq", "--no-compile"]
        again = ["--no-deps", "--force-reinstall"] if number else []
        pins = ["--disable-pip-version-check", "-c", str(CHECKOUT / "constraints.txt")]
        subprocess.run([*pip, *pins, *again, str(file)], check=True)
        work = folder / "work"
        work.mkdir()
        for command in COMMANDS:
            program = str(folder / "bin" / "icmass")
            subprocess.run([program, *command], cwd=work, env=_plain(), check=True)
        digests.append(_digest(work))
        shutil.rmtree(work)
    if len(set(digests)) != 1:
        sys.exit(f"release: {' and '.join(file.name for file in files)} make other bytes")
    shutil.rmtree(folder)  # gigabytes


def _plain() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "MPLBACKEND": "agg"}


def _digest(folder: Path) -> str:
    text = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return text.hexdigest()


def _say(line: str) -> None:
    sys.stdout.write(f"release: {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
