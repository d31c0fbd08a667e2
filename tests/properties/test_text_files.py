"""Any change to a table, list or description in text: its content, or a line that names it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.contract import answer_or_line, examples
from tests.properties.files import TEXT, Kind, names

WORDS = [
    *(
        "nan",
        "inf",
        "-1",
        "0",
        "1e400",
        "-1e400",
        "1" + "0" * 400,
        "9" * 5000,
        "0x10",
        "1_0",
        "",
        "''",
    ),
    *(
        "true",
        "null",
        "[]",
        "{}",
        "[1]",
        "[[1]]",
        '"text"',
        "'",
        '"',
        "#",
        ",",
        "\t",
        "\r",
        "\0",
        "٣",
    ),
    *(
        "\ufeff",
        "\u2028",
        "é",
        "99999999999999999999",
        "9223372036854775807",
        "-9223372036854775808",
    ),
    *(
        "536870912",
        "30",
        "!!python/name:os.system",
        "2026-13-01",
        "../x",
        "/etc/passwd",
        "\x1b[31m",
    ),
]


@st.composite
def changed(draw: st.DrawFn, content: bytes) -> bytes:
    """The bytes of a text with one to three changes."""
    for _ in range(draw(st.integers(1, 3))):
        text = content.decode("utf-8", "replace")
        lines = text.splitlines(keepends=True) or [""]
        place = draw(st.integers(0, len(lines) - 1))
        what = draw(st.integers(0, 8))
        if what <= 4:  # another word or number
            words = list(re.finditer(r"[\w.+-]+", text)) or [re.match("", text)]
            word = draw(st.sampled_from(words))
            text = text[: word.start()] + draw(st.sampled_from(WORDS)) + text[word.end() :]
        elif what == 5:
            text = "".join(lines[:place] + lines[place + 1 :])
        elif what == 6:
            text = "".join([*lines[: place + 1], lines[place], *lines[place + 1 :]])
        elif what == 7:
            start = draw(st.integers(0, len(text)))
            text = text[:start] + draw(st.one_of(st.sampled_from(WORDS), st.text(max_size=3)))
        content = text.encode("utf-8", "replace")
        if what == 8:
            start = draw(st.integers(0, len(content)))
            content = content[:start] + draw(st.binary(max_size=4)) + content[start + 1 :]
    return content


@pytest.fixture(scope="module", params=TEXT, ids=lambda kind: kind.name)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    """A kind of file, the path of one, and its bytes."""
    kind: Kind = request.param
    path = Path(tmp_path_factory.mktemp("text") / f"file{kind.name}")
    kind.write(path)
    content = path.read_bytes()
    kind.read(path)  # the file is right: negative control
    return kind, path, content


@examples(40)
@given(st.data())
def test_change(whole, data):
    kind, path, content = whole
    path.write_bytes(data.draw(changed(content)))
    answer_or_line(lambda: kind.read(path), *names(kind, path))


def test_what_is_no_text(whole):
    kind, path, content = whole
    deep = b"a = " * (kind.name == ".toml") + b"[" * 5000
    for strange in (b"", b"\n", b"\0" * 99, b"\xff\xfe" + content, deep, b"1" * 5000, content[:60]):
        path.write_bytes(strange)
        answer_or_line(lambda: kind.read(path), *names(kind, path))
    if kind.name == ".manifest":  # the path is of a copy
        return
    path.unlink()
    answer_or_line(lambda: kind.read(path), *names(kind, path))
    path.mkdir()
    answer_or_line(lambda: kind.read(path), *names(kind, path))
