"""The report: one HTML page with its figures inside, and the figures and tables as files.

The page needs no other file, no script and no network, and holds neither the time nor the machine.
"""

import base64
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from icmass.errors import InputError
from icmass.figure_style import save
from icmass.files import write_text
from icmass.interpret.report.names import check_name
from icmass.interpret.report.statements import Statement
from icmass.interpret.report.style import CSS
from icmass.interpret.report.tables import Table, cell_text, write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Picture", "Section", "write_report"]

_WIDEST: Final = 1800  # pixels of a figure in the page
_DISPLAY: Final = 1.6  # pixels of a figure per pixel of the page
_KINDS: Final = {"found": "good", "met": "good", "missed": "bad"}


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure of the report.

    Attributes
    ----------
    name : str
        Of its files, without suffix.
    figure : matplotlib Figure
    caption : str
        Says what is seen, with units.
    alt : str
        Says in a sentence what it shows, for those who do not see it.

    Raises
    ------
    InputError
        If the name is no plain file name, or there is no text to read out.
    """

    name: str
    figure: "Figure"
    caption: str
    alt: str

    def __post_init__(self) -> None:
        check_name("name of a figure", self.name)
        if not self.alt.strip():
            raise InputError(
                f"alt of '{self.name}': must say what the figure shows; got ''. Write a sentence."
            )


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the report.

    Attributes
    ----------
    title : str
    paragraphs : tuple of str
        Plain text.
    figures : tuple of Picture
    tables : tuple of Table
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()


def write_report(
    directory: Path,
    title: str,
    sections: Sequence[Section],
    statements: Sequence[Statement | str] = (),
    provenance: Mapping[str, Any] | None = None,
    *,
    lead: str = "",
) -> Path:
    """Write report.html and report.json, and folders figures and tables, into a directory.

    Parameters
    ----------
    directory : Path
        Exists, such as that of `icmass.files.staged_directory`.
    title : str
    sections : sequence of Section
        Names of figures, and of tables, are unique.
    statements : sequence of Statement or str
        What was found, on top of the page.
    provenance : mapping, optional
        What the report was made from; at the end of the page.
    lead : str
        A paragraph beneath the title.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    InputError
        If there are no sections, or two figures or tables have one name.
    """
    if not sections:
        raise InputError("sections: must be at least one; got none. Report what was measured.")
    pictures = [picture for section in sections for picture in section.figures]
    tables = [table for section in sections for table in section.tables]
    for what, names in (
        ("figures", [one.name for one in pictures]),
        ("tables", [one.name for one in tables]),
    ):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(f"{what}: must have unique names; got {twice[0]} twice. Rename one.")
    embedded = _write_figures(directory, pictures)
    if tables:
        (directory / "tables").mkdir()
        for table in tables:
            write_table(directory / "tables", table)
    said = [one if isinstance(one, Statement) else Statement(one) for one in statements]
    origin = dict(provenance or {})
    write_text(directory / "report.json", _summary(title, said, pictures, tables, origin))
    page = directory / "report.html"
    write_text(page, "\n".join(_page(title, lead, sections, said, origin, embedded)) + "\n")
    return page


def _write_figures(directory: Path, pictures: list[Picture]) -> dict[str, bytes]:
    """Write figures as files and return their PNG for the page, by name."""
    embedded = {}
    if pictures:
        (directory / "figures").mkdir()
    for picture in pictures:
        for suffix in ("png", "pdf"):
            save(picture.figure, directory / "figures" / f"{picture.name}.{suffix}")
        embedded[picture.name] = _narrowed(directory / "figures" / f"{picture.name}.png")
    return embedded


def _narrowed(path: Path) -> bytes:
    """Return a PNG of no more than the widest that a page shows sharply."""
    from PIL import Image  # noqa: PLC0415  (with matplotlib)

    with Image.open(path) as image:
        if image.width <= _WIDEST:
            return path.read_bytes()
        height = round(image.height * _WIDEST / image.width)
        small = image.convert("RGB").resize((_WIDEST, height), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    small.save(data, "PNG", optimize=True)
    return data.getvalue()


def _summary(
    title: str,
    statements: list[Statement],
    pictures: list[Picture],
    tables: list[Table],
    provenance: dict[str, Any],
) -> str:
    """Return what programs may want to read of a report, as JSON."""
    values = {
        "title": title,
        "statements": [{"text": one.text, "verdict": one.verdict} for one in statements],
        "figures": {one.name: one.caption for one in pictures},
        "tables": {one.name: one.caption for one in tables},
        "provenance": provenance,
    }
    return json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _page(
    title: str,
    lead: str,
    sections: Sequence[Section],
    statements: list[Statement],
    provenance: dict[str, Any],
    embedded: dict[str, bytes],
) -> Iterator[str]:
    """Yield the lines of the page."""
    # Says to the browser as well that nothing is to be loaded and nothing run.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    yield "<!doctype html>"
    yield '<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>"
    yield f"<header>\n<h1>{escape(title)}</h1>"
    if lead:
        yield f"<p>{_text(lead)}</p>"
    yield "</header>\n<main>"
    if statements:
        yield '<section aria-labelledby="findings">\n<h2 id="findings">What was found</h2>'
        yield from _statements(statements)
        yield "</section>"
    heads = _anchors([section.title for section in sections])
    yield '<nav aria-label="Contents">\n<ul>'
    for section, anchor in zip(sections, heads, strict=True):
        yield f'<li><a href="#{anchor}">{escape(section.title)}</a></li>'
    yield "</ul>\n</nav>"
    figures, tables = _numbered(sections)
    for section, anchor in zip(sections, heads, strict=True):
        yield f'<section aria-labelledby="{anchor}">'
        yield f'<h2 id="{anchor}">{escape(section.title)}</h2>'
        for paragraph in section.paragraphs:
            yield f"<p>{_text(paragraph)}</p>"
        for picture in section.figures:
            yield from _figure(picture, figures[picture.name], embedded[picture.name])
        for table in section.tables:
            yield from _table(table, tables[table.name])
        yield "</section>"
    if provenance:
        yield from _provenance(provenance)
    yield "</main>\n</body>\n</html>"


def _anchors(titles: list[str]) -> list[str]:
    """Return a unique name of each title, for links inside the page."""
    words = [re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") for title in titles]
    return [f"part-{place}-{word}".strip("-") for place, word in enumerate(words, 1)]


def _numbered(sections: Sequence[Section]) -> tuple[dict[str, int], dict[str, int]]:
    figures = [one.name for section in sections for one in section.figures]
    tables = [one.name for section in sections for one in section.tables]
    return (
        {name: place for place, name in enumerate(figures, 1)},
        {name: place for place, name in enumerate(tables, 1)},
    )


def _statements(statements: list[Statement]) -> Iterator[str]:
    yield '<ul class="statements">'
    for one in statements:
        kind = f"verdict {_KINDS.get(one.verdict, '')}".strip()
        yield (
            f'<li><span class="{kind}">{escape(one.verdict)}</span> '
            f"<span>{_text(one.text)}</span></li>"
        )
    yield "</ul>"


def _figure(picture: Picture, number: int, png: bytes) -> Iterator[str]:
    # Width and height stand at places 16 to 24 of every PNG.
    width, height = (int.from_bytes(png[k : k + 4], "big") for k in (16, 20))
    size = f'width="{round(width / _DISPLAY)}" height="{round(height / _DISPLAY)}"'
    data = base64.b64encode(png).decode("ascii")
    yield "<figure>"
    yield f'<div class="picture" tabindex="0" role="group" aria-labelledby="figure-{number}">'
    yield f'<img {size} alt="{escape(picture.alt)}" src="data:image/png;base64,{data}">\n</div>'
    yield (
        f'<figcaption id="figure-{number}"><b>Figure {number}.</b> {_text(picture.caption)} '
        f"<code>figures/{picture.name}.pdf</code></figcaption>"
    )
    yield "</figure>"


def _table(table: Table, number: int) -> Iterator[str]:
    numeric = [table.is_numeric(k) for k in range(len(table.columns))]
    looks = [' class="number"' if one else "" for one in numeric]
    yield (
        f'<figure>\n<figcaption id="table-{number}"><b>Table {number}.</b> {_text(table.caption)} '
        f"<code>tables/{table.name}.csv</code></figcaption>"
    )
    # Can be reached by keys, so that it can be scrolled by them.
    yield f'<div class="scroll" tabindex="0" role="group" aria-labelledby="table-{number}">'
    yield f'<table aria-labelledby="table-{number}">'
    heads = (
        f'<th scope="col"{look}>{escape(head)}</th>'
        for head, look in zip(table.columns, looks, strict=True)
    )
    yield f"<thead>\n<tr>{''.join(heads)}</tr>\n</thead>\n<tbody>"
    for row in table.rows:
        cells = (
            f"<td{look}>{escape(cell_text(cell))}</td>"
            for cell, look in zip(row, looks, strict=True)
        )
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody>\n</table>\n</div>\n</figure>"


def _text(text: str) -> str:
    """Return text for HTML, in which no line ends inside a number with its error and unit."""
    glued = escape(text)
    for word in ("± ", "%", "sigma", "dex"):
        glued = glued.replace(f" {word}", f"&nbsp;{word}")
    return glued.replace("± ", "±&nbsp;")


def _provenance(provenance: Mapping[str, Any]) -> Iterator[str]:
    yield '<section aria-labelledby="origin">\n<h2 id="origin">Where this comes from</h2>'
    yield '<table class="origin">\n<tbody>'
    for name, value in _flat(provenance):
        yield f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
    yield "</tbody>\n</table>\n</section>"


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield entries of nested mappings by dotted names."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{before}{name}.")
        elif isinstance(value, (list, tuple)):
            yield f"{before}{name}", ", ".join(map(str, value))
        else:
            yield f"{before}{name}", "" if value is None else str(value)
