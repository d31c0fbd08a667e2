"""Any damage to any FITS file that is read: the right content, or one line that names the file.

A header is 80 letters a card, so that any card can be changed to any other without a library that
would refuse to write it.
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.contract import answer_or_line, examples
from tests.properties.files import FITS, Kind, names

BLOCK, CARD = 2880, 80
VALUES = [
    *("-1", "0", "1", "2", "3", "8", "16", "999", "-32", "1000000000000", "9223372036854775808"),
    *(
        "1E400",
        "-1.5",
        "T",
        "F",
        "''",
        "'abc'",
        "'NESTED'",
        "'1D'",
        "'1PD(99)'",
        "'QD(3)'",
        "'20A'",
    ),
    *(
        "'0D'",
        "'1X'",
        "'C'",
        "'G'",
        "'keV'",
        "'s'",
        "'1e400 m'",
        "'(2,2)'",
        "NaN",
        "(1, 2)",
        "",
        "'",
    ),
    *("'BINTABLE'", "'IMAGE'", "'EVENTS'", "'PIXEL'", "16384", "536870912", "536870913", "'\xe9'"),
]
WORDS = [
    "TNULL1",
    "TZERO1",
    "TSCAL1",
    "TDIM1",
    "NSIDE",
    "BAD_DATA",
    "THEAP",
    "BLANK",
    "BZERO",
    "END",
]
PATTERNS = [b"\xff" * 8, b"\0" * 8, b"\x7f\xef" + b"\xff" * 6, b"\xff\xf0" + b"\0" * 6, b"\x80" * 8]


def cards(content: bytes) -> list[int]:
    """Where the cards of all headers begin, without those that are blank."""
    found, inside = [], False
    for start in range(0, len(content) - CARD + 1, CARD):
        card = content[start : start + CARD]
        inside = inside or (start % BLOCK == 0 and card.startswith((b"SIMPLE", b"XTENSION")))
        if inside and card.strip():
            found.append(start)
        inside = inside and card.rstrip() != b"END"
    return found


def card(keyword: str, value: str) -> bytes:
    return f"{keyword:8}= {value:>20}".encode("latin-1").ljust(CARD)[:CARD]


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The bytes of a FITS file with one to three changes."""
    for _ in range(draw(st.integers(1, 3))):
        places = cards(content)
        what = draw(st.integers(0, 9))
        if what <= 4 and places:
            start = draw(st.sampled_from(places))
            keyword = content[start : start + 8].decode("latin-1").strip()
            changed = card(keyword, draw(st.sampled_from(VALUES)))
            if what == 3:
                changed = b" " * CARD
            if what == 4:
                word = draw(st.sampled_from(WORDS))
                changed = card(word, draw(st.sampled_from(VALUES)))
            content = content[:start] + changed + content[start + CARD :]
        elif what == 5:
            content = content[: draw(st.integers(0, len(content)))]
        elif what == 6:
            content = content[: BLOCK * draw(st.integers(0, len(content) // BLOCK))]
        elif what == 7:
            start = BLOCK * draw(st.integers(0, len(content) // BLOCK))
            content += content[start : start + BLOCK * draw(st.integers(1, 3))]
        else:
            start = draw(st.integers(0, max(len(content) - 8, 0)))
            pattern = draw(st.one_of(st.sampled_from(PATTERNS), st.binary(min_size=1, max_size=8)))
            content = content[:start] + pattern + content[start + len(pattern) :]
    return content


@pytest.fixture(scope="module", params=FITS, ids=lambda kind: kind.name)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    """A kind of file, the path of one, and its bytes."""
    kind: Kind = request.param
    path = Path(tmp_path_factory.mktemp("fits") / "file.fits")
    kind.write(path)
    kind.read(path)  # the file is right: negative control
    return kind, path, path.read_bytes()


@examples(25)
@given(st.data())
def test_damage(whole, data):
    kind, path, content = whole
    path.write_bytes(data.draw(damaged(content)))
    answer_or_line(lambda: kind.read(path), *names(kind, path))


@pytest.mark.parametrize("kind", FITS, ids=lambda kind: kind.name)
def test_no_fits_at_all(kind, tmp_path):
    path = tmp_path / "file.fits"
    for content in (b"", b"\x89PNG\r\n\x1a\n", b"SIMPLE  =" + b" " * 3000, b"\x1f\x8b" + b"0" * 99):
        path.write_bytes(content)
        answer_or_line(lambda: kind.read(path), *names(kind, path))
    path.unlink()
    assert answer_or_line(lambda: kind.read(path), *names(kind, path)) is not None
    path.mkdir()
    answer_or_line(lambda: kind.read(path), *names(kind, path))
