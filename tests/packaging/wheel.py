"""Build the source archive and the wheel; install the wheel alone into a new environment.

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

__all__ = ["CHECKOUT", "PARTS", "build_archive", "build_wheel", "install_wheel"]

CHECKOUT = Path(__file__).resolve().parents[2]
PARTS = {  # folder of the checkout -> package
    "icmass": "icmass",
    "simulate": "icmass.simulate",
    "estimate": "icmass.estimate",
    "interpret": "icmass.interpret",
}
# What else a source archive holds; MANIFEST.in says the same to setuptools.
FILES = ["pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", "CHANGELOG.md", "CITATION.cff"]
FILES += ["CONTRIBUTING.md", "Makefile", "constraints.txt", "mkdocs.yml"]
FOLDERS = ["benchmarks", "docs", "examples", "tests"]


def build_archive(folder: Path) -> Path:
    """Build the source archive from a clean copy, so that leftovers of earlier builds stay out."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        source.mkdir()
        for name in FILES:
            shutil.copy(CHECKOUT / name, source)
        for name in [*PARTS, *FOLDERS]:
            left = shutil.ignore_patterns("__pycache__")
            shutil.copytree(CHECKOUT / name, source / name, ignore=left)
        folder.mkdir(parents=True, exist_ok=True)
        code = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
        command = [sys.executable, "-W", "ignore", "-c", code, str(folder.resolve())]
        subprocess.run(command, cwd=source, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("icmass-*.tar.gz"))


def build_wheel(folder: Path) -> Path:
    """Build the wheel from the source archive, as those who get only that do."""
    with tempfile.TemporaryDirectory() as scratch:
        archive = build_archive(Path(scratch))
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
        options = ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder)]
        subprocess.run([*command, *options, str(archive)], check=True)
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
