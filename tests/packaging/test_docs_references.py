"""What the documentation names exists: modules, tests, benchmarks, commands and their options."""

import importlib
import importlib.util
import re
import shlex
from collections.abc import Iterator

import pytest
import typer

from icmass.cli.main import app
from tests.packaging.wheel import CHECKOUT

DOCS = CHECKOUT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
PARTS = ("simulate", "estimate", "interpret", "catalog", "config")


def test_modules_of_the_physics_page_exist():
    text = (DOCS / "physics.md").read_text(encoding="utf-8")
    names = set(re.findall(rf"`((?:{'|'.join(PARTS)})(?:\.\w+)+)`", text))
    assert len(names) > 40
    assert [name for name in names if importlib.util.find_spec(f"icmass.{name}") is None] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_that_are_named_exist(page):
    text = page.read_text(encoding="utf-8")
    paths = set(re.findall(r"\b((?:tests/|benchmarks/|examples/)[\w/]+\.py)\b", text))
    paths |= {
        f"tests/{path}" for path in re.findall(r"`((?:simulate|estimate|interpret)/\S+\.py)`", text)
    }
    assert [path for path in sorted(paths) if not (CHECKOUT / path).is_file()] == []


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each call of icmass in the blocks of a page."""
    for block in re.findall(r"^```(?:bash|text)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if found := re.match(r"(?:icmass|python mine\.py) ([a-z].*)", line):
                yield shlex.split(re.split(r"\s{3,}", found[1])[0], comments=True)


def option_names(name: str) -> set[str]:
    command = typer.main.get_command(app).commands[name]
    return {
        option
        for inner in [command, *getattr(command, "commands", {}).values()]
        for parameter in inner.params
        for option in [*parameter.opts, *parameter.secondary_opts]
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_and_options_exist(page):
    for name, *words in commands(page.read_text(encoding="utf-8")):
        given = {word for word in words if re.match(r"-{1,2}[a-z]", word)}
        assert given <= option_names(name), f"{page.name}: icmass {name}"


def test_a_wrong_option_would_be_found():
    (call,) = commands("```bash\nicmass train catalog --netwrk x   what it does\n```\n")
    assert call == ["train", "catalog", "--netwrk", "x"]
    assert "--netwrk" not in option_names("train")
    assert {"--network", "-o"} <= option_names("train")


@pytest.mark.parametrize("name", ["catalog", "simulate", "config"])
def test_reference_holds_every_public_name(name):
    text = (DOCS / "api" / f"{name}.md").read_text(encoding="utf-8")
    listed = set(re.findall(rf"^::: icmass\.{name}\.(\w+)$", text, re.MULTILINE))
    assert set(importlib.import_module(f"icmass.{name}").__all__) <= listed


def test_pages_name_nothing_of_one_machine():
    roots = ("home", "mnt", "root", "tmp")
    place = re.compile(rf"(?<!\w)/({'|'.join(roots)})/")
    assert all(place.search(f"see /{root}/me/catalog") for root in roots)
    assert not place.search("https://example.org/home/page")
    assert [page for page in PAGES if place.search(page.read_text())] == []
