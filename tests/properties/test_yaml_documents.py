"""Any document given as a configuration is a configuration, or a line that names the file."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from icmass.config import CutoutsConfig, ObserveConfig, TrainConfig
from icmass.config.base import read_yaml
from icmass.errors import InputError
from icmass.simulate.population.parameters import Population
from tests.properties.contract import answer_or_line, examples
from tests.properties.test_configuration import scalars

LAUGHS = "\n".join(
    ["a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    + [
        f"{x}: &{x} [{', '.join(['*' + y] * 9)}]"
        for y, x in zip("abcdefgh", "bcdefghi", strict=True)
    ]
)
MERGED = "\n".join(
    ["a: &a {k: v}"]
    + [
        f"{x}: &{x} {{<<: [{', '.join(['*' + y] * 9)}]}}"
        for y, x in zip("abcdefgh", "bcdefghi", strict=True)
    ]
)
DOCUMENTS = {
    "empty": b"",
    "null": b"null",
    "a comment": b"# nothing\n",
    "a byte order mark": b"\xef\xbb\xbfseed: 3\n",
    "UTF-16": "seed: 3\n".encode("utf-16"),
    "no UTF-8": b"seed: \xff\xfe\n",
    "zeros": b"\0" * 5000,
    "a tab": b"seed:\t3\n\tpixels: 4\n",
    "carriage returns": b"seed: 3\r\n",
    "two documents": b"seed: 3\n---\nseed: 4\n",
    "a key twice": b"seed: 3\nseed: 4\n",
    "a key twice by quotes": b"seed: 3\n'seed': 4\n",
    "a list": b"- seed\n- 3\n",
    "a number": b"3\n",
    "a key of a list": b"[a, b]: 3\n",
    "a key of a mapping": b"{a: b}: 3\n",
    "an empty key": b": 3\n",
    "a key with a line in it": b'"a\\nb\\rc\\u2028": 3\n',
    "a value with a NUL": b'instrument: "a\\0.toml"\npositions: "a\\0.toml"\nfootprint: "a\\0"\n',
    "an object": b"seed: !!python/object/apply:os.system ['touch owned']\n",
    "an object by name": b"seed: !!python/name:os.system\n",
    "a tag of nobody": b"seed: !nobody 3\n",
    "binary": b"seed: !!binary aGVsbG8=\n",
    "broken binary": b"seed: !!binary '#'\n",
    "no integer": b"seed: !!int abc\n",
    "an empty integer": b"seed: !!int ''\n",
    "no number": b"seed: !!float abc\n",
    "no truth": b"seed: !!bool perhaps\n",
    "no date": b"seed: !!timestamp yesterday\n",
    "a date that is none": b"seed: 2026-13-45\n",
    "a time that is none": b"seed: 2026-11-29 99:99:99\n",
    "a set": b"seed: !!set {a, b}\n",
    "pairs": b"seed: !!omap [a: 1, a: 2]\n",
    "infinity": b"seed: .inf\nexposure_s: 1e400\nexposure: .nan\n",
    "a huge number": b"seed: 1" + b"0" * 6000 + b"\n",
    "a huge hexadecimal": b"seed: 0x1" + b"0" * 6000 + b"\n",
    "a huge number for a float": b"exposure_s: 1" + b"0" * 400 + b"\n",
    "base 60": b"seed: 1:59:59\n",
    "nested deeply": b"seed: " + b"[" * 400,
    "nested mappings": b"seed: " + b"{a: " * 400 + b"}" * 400,
    "an alias of itself": b"seed: &a [*a]\n",
    "a mapping that holds itself": b"&a seed: &b {k: *b}\n",
    "an alias of nothing": b"seed: *a\n",
    "laughs": LAUGHS.encode(),
    "laughs for a known key": (LAUGHS + "\nseed: *i\nevents: *i\nunits: *i\n").encode(),
    "laughs by merging": (MERGED + "\nseed: *i\n").encode(),
    "merging no mapping": b"<<: 3\n",
    "merging itself": b"&a x:\n  <<: *a\n",
    "a long line": b"seed: " + b"x" * 1_000_000,
    "many keys": b"".join(b"k%d: 1\n" % k for k in range(1000)),
    "a control character": b"seed: \x07\n",
    "a PNG": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
}
READERS = {
    "observe": ObserveConfig.from_yaml,
    "cutouts": CutoutsConfig.from_yaml,
    "train": TrainConfig.from_yaml,
    "population": Population.load,
}


@pytest.mark.parametrize("reader", ["cutouts", "population"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_that_are_met_seldom(tmp_path, monkeypatch, name, reader):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "job.yaml"
    path.write_bytes(DOCUMENTS[name])
    answer_or_line(lambda: READERS[reader](path), "job.yaml")
    assert [entry.name for entry in tmp_path.iterdir()] == ["job.yaml"]


def test_right_documents_are_not_refused(tmp_path):
    """Negative control; aliases and merges are part of YAML."""
    path = tmp_path / "job.yaml"
    path.write_text("seed: &s 3\nredshift: *s\nunits: {length: Mpc}\n")
    assert ObserveConfig.from_yaml(path).redshift == 3.0
    path.write_text("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n")
    assert read_yaml(path)["b"] == {"x": 1, "y": 2}


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/full", "/dev", "/dev/null/a"])
def test_devices_and_folders(device):
    found = answer_or_line(lambda: read_yaml(device), device)
    assert (found == {}) == (device == "/dev/null")


def test_a_file_too_large_to_be_a_configuration(tmp_path):
    path = tmp_path / "job.yaml"
    with path.open("wb") as file:
        file.truncate(2**34)
    assert "larger" in str(answer_or_line(lambda: read_yaml(path), "job.yaml"))


nested = st.recursive(
    scalars,
    lambda below: st.one_of(
        st.lists(below, max_size=3), st.dictionaries(st.text(max_size=9), below, max_size=3)
    ),
    max_leaves=9,
)
keys = st.one_of(
    st.sampled_from(["seed", "exposure_s", "events", "units", "bands", "base", "haloes", "gas"]),
    st.text(max_size=9),
)
tokens = st.sampled_from(
    [
        *(
            "seed",
            "units",
            ": ",
            ":",
            "\n",
            "\n  ",
            "- ",
            "[",
            "]",
            "{",
            "}",
            ",",
            "&a ",
            "*a",
            "<<",
        ),
        *("!!int ", "!!float ", "!!set ", "!!python/name:os.system ", "! ", "%YAML 1.1\n", "---\n"),
        *("'", '"', "|", ">", "#", "\t", "1", "0x", "1e400", ".nan", "2026-13-01", "\\", "\0", "é"),
    ]
)
documents = st.one_of(
    st.dictionaries(keys, nested, max_size=4).map(
        lambda found: yaml.dump(found, allow_unicode=True).encode()
    ),
    st.lists(tokens, max_size=25).map(lambda parts: "".join(parts).encode()),
    st.text(max_size=60).map(str.encode),
    st.binary(max_size=60),
)


@examples(200)
@given(documents, st.sampled_from(sorted(READERS)))
def test_any_document(tmp_path_factory, document, reader):
    path = Path(tmp_path_factory.getbasetemp() / "any.yaml")
    path.write_bytes(document)
    found = answer_or_line(lambda: READERS[reader](path), "any.yaml")
    if isinstance(found, InputError):
        assert answer_or_line(lambda: READERS[reader](path)).args == found.args  # the same again
