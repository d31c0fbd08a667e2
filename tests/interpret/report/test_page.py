"""The page is whole HTML, holds its figures, runs nothing, and is the same each time."""

import base64
import dataclasses
import io
import json
from html.parser import HTMLParser

import pytest
from PIL import Image

from icmass.errors import InputError
from icmass.interpret.report import Picture, write_report
from icmass.interpret.report.page import _WIDEST

VOID = {"meta", "img", "br", "link", "input"}


class Reader(HTMLParser):
    """Takes a page apart, and fails where tags do not match."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(page) -> Reader:
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    reader.close()
    assert not reader.open
    return reader


def test_tags_balance_and_text_is_escaped(write):
    reader = read(write())
    assert not reader.all("script")
    assert not reader.all("link")
    assert not any(name.startswith("on") for _, given in reader.tags for name in given)
    for given in reader.all("a"):
        assert given["href"].startswith("#")
    text = reader.text.replace("\N{NO-BREAK SPACE}", " ")
    assert text.count("<script>throw 1</script>") >= 9
    assert "Pixels dominated by AGN have 0.417 ± 0.029 times the saliency" in text
    assert "not known" in text
    assert "config.methods" in text
    for name in ("alt", "aria-label"):
        for _, given in reader.tags:
            assert given.get(name) != ""
    names = [given["id"] for _, given in reader.tags if "id" in given]
    assert len(names) == len(set(names))
    used = {given["aria-labelledby"] for _, given in reader.tags if "aria-labelledby" in given}
    used |= {given["href"][1:] for given in reader.all("a")}
    assert used <= set(names)


def test_figures_are_inside_and_beside(write):
    page = write()
    pictures = read(page).all("img")
    assert [given["alt"][:6] for given in pictures] == ["A line", "A line"]
    for given, narrower in zip(pictures, (True, False), strict=True):
        head, data = given["src"].split(",")
        assert head == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
            image.load()
            assert image.format == "PNG"
            assert image.width == (_WIDEST if narrower else 900)
            shown = int(given["width"]) / int(given["height"])
            assert shown == pytest.approx(image.width / image.height, rel=0.01)
    files = {path.relative_to(page.parent).as_posix() for path in page.parent.rglob("*.*")}
    assert files == {
        "report.html",
        "report.json",
        "figures/gallery.png",
        "figures/gallery.pdf",
        "figures/effects.png",
        "figures/effects.pdf",
        "tables/effects.csv",
        "tables/effects.json",
    }
    with Image.open(page.parent / "figures" / "gallery.png") as image:
        assert image.width == 12 * 180  # the file keeps its size


def test_same_input_same_bytes(write):
    first, second = write("a").parent, write("b").parent
    for path in first.rglob("*.*"):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes(), path.name


def test_numbers_for_programs(write):
    values = json.loads(write().with_name("report.json").read_text())
    assert [one["verdict"] for one in values["statements"]] == [
        "found",
        "missed",
        "not known",
        "found",
    ]
    assert list(values["figures"]) == ["gallery", "effects"]
    assert values["provenance"]["versions"] == {"icmass": "1"}


def test_a_bare_report(write, sections):
    bare = [dataclasses.replace(sections[0], figures=(), paragraphs=())]
    page = write(sections=bare, statements=(), lead="")
    assert not (page.parent / "figures").exists()
    assert not (page.parent / "tables").exists()
    assert "What was found" not in read(page).text


def test_bad_reports(tmp_path, sections):
    with pytest.raises(InputError, match=r"sections: must be at least one; got none\. Report"):
        write_report(tmp_path, "a", [])
    with pytest.raises(InputError, match=r"figures: must have unique names; got gallery twice"):
        write_report(tmp_path, "a", [sections[0], sections[0]])
    tables = dataclasses.replace(sections[1], figures=())
    with pytest.raises(InputError, match=r"tables: must have unique names; got effects twice"):
        write_report(tmp_path, "a", [tables, tables])
    assert not list(tmp_path.iterdir())
    figure = sections[0].figures[0].figure
    with pytest.raises(InputError, match=r"name of a figure: must be lower-case .* got '\.\./a'"):
        Picture("../a", figure, "", "a line")
    with pytest.raises(InputError, match=r"alt of 'a': must say what the figure shows; got ''"):
        Picture("a", figure, "", " ")
