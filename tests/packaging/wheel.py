"""Build the wheel and install it alone into a new environment.

``python -m tests.packaging.wheel DIR``; the environment sees the dependencies of the running one
and nothing of the checkout.
"""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

__all__ = ["CHECKOUT", "PARTS", "build_wheel", "install_wheel"]

CHECKOUT = Path(__file__).resolve().parents[2]
PARTS = {  # folder of the checkout -> package
    "icmass": "icmass",
    "simulate": "icmass.simulate",
    "estimate": "icmass.estimate",
    "interpret": "icmass.interpret",
}


def build_wheel(folder: Path) -> Path:
    """Build the wheel from a clean copy, so that leftovers of earlier builds cannot slip in."""
    source = folder / "source"
    source.mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    for part in PARTS:
        shutil.copytree(
            CHECKOUT / part, source / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*command, *options, str(source)], check=True)
    return next(folder.glob("icmass-*.whl"))


def install_wheel(folder: Path) -> Path:
    """Create an environment in `folder` that holds the wheel alone; return its Python."""
    if folder.exists():
        shutil.rmtree(folder)
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    packages = sysconfig.get_path("purelib", "venv", {"base": str(folder)})
    # A path file of a path file is not followed: the editable install stays out of sight.
    (Path(packages) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_wheel(Path(scratch))
        command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
        options = ["--no-deps", "--no-index", "--ignore-installed", "--disable-pip-version-check"]
        subprocess.run([*command, *options, str(wheel)], check=True)
    (folder / "empty").mkdir()
    return python


if __name__ == "__main__":
    install_wheel(Path(sys.argv[1]).resolve())
