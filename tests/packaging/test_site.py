"""The site of the documentation builds strictly, and its pages load nothing from elsewhere."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.packaging.wheel import CHECKOUT, install_wheel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None,
        reason="mkdocs is not installed (extra [docs])",
    ),
]

LOADED = {  # tag -> attribute whose address a browser loads by itself
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "script": "src",
    "source": "src",
    "video": "src",
}
ELSEWHERE = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    """A copy of what the site is made of, and the installed package beside it."""
    folder = tmp_path_factory.mktemp("sources")
    shutil.copy(CHECKOUT / "mkdocs.yml", folder)
    for name in ("docs", "examples"):
        shutil.copytree(
            CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    install_wheel(folder / "build/installed")
    return folder


@pytest.fixture(scope="module")
def site(sources) -> Path:
    done = build(sources)
    assert done.returncode == 0, done.stderr
    return sources / "build/site"


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=folder,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )


class Loads(HTMLParser):
    """Collects the addresses that a browser loads with a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == LOADED.get(tag) and value:
                self.found.append(value)
            if name == "style" and value:
                self.found += in_style(value)


def in_style(text: str) -> list[str]:
    found = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')]+)", text)
    return [address for address in found if not address.startswith("data:")]


def test_every_command_and_part_has_its_page(site):
    for name in ("cli", "examples", "physics", "api/simulate", "own-network", "catalog-schema"):
        assert (site / name / "index.html").is_file()
    reference = (site / "api/simulate/index.html").read_text()
    assert 'id="icmass.simulate.observe"' in reference
    assert "icmass survey" in (site / "cli/index.html").read_text()
    assert not list(site.rglob("*.py"))


def test_pages_load_nothing_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 25
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loads = Loads(text).found
        assert loads
        assert [address for address in loads if ELSEWHERE.match(address)] == [], page
        assert 'class="mermaid"' not in text  # drawn by a script from elsewhere
    for style in site.rglob("*.css"):
        found = in_style(style.read_text(encoding="utf-8"))
        assert [address for address in found if ELSEWHERE.match(address)] == [], style


def test_a_page_that_loads_from_elsewhere_would_be_found():
    text = '<script src="//a.example/x.js"></script><i style="background: url(http://b.example/y)">'
    assert all(map(ELSEWHERE.match, Loads(text).found))
    assert len(Loads(text).found) == 2
    assert not any(map(ELSEWHERE.match, Loads('<img src="../images/a.png">').found))


def test_a_broken_link_ends_the_build(sources, site):
    page = sources / "docs/index.md"
    whole = page.read_text(encoding="utf-8")
    page.write_text(f"{whole}\n[a](absent.md) [b](concepts.md#absent)\n", encoding="utf-8")
    done = build(sources)
    page.write_text(whole, encoding="utf-8")
    assert done.returncode != 0
    assert "'absent.md'" in done.stderr
    assert "'concepts.md#absent'" in done.stderr
