"""Attributions in a file: what is read is what was written, and damage is found."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from icmass.catalog import KEY, Catalog
from icmass.errors import InputError, OutputError
from icmass.interpret.attribution.attribute import Attributed, attributions
from icmass.interpret.attribution.methods import IntegratedGradients
from icmass.interpret.attribution.stored import read_attributions, write_attributions
from icmass.interpret.subject import Subject
from tests.helpers.subjects import estimator_subject, linear_subject

ROWS = np.array([9, 0, 4, 13, 2])
METHOD = IntegratedGradients(n_steps=5)


@pytest.fixture(scope="module")
def subject(catalog: Catalog) -> Subject:
    return estimator_subject(catalog, "paper-multiband", gain=2.0)


@pytest.fixture(scope="module")
def stored(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stored") / "maps.h5"
    return write_attributions(path, subject, METHOD, rows=ROWS, batch_size=2, baseline="background")


def test_round_trip_in_the_order_asked_for(subject: Subject, stored: Path) -> None:
    found = read_attributions(stored)
    assert found.rows.tolist() == ROWS.tolist()
    assert len(found) == 5
    key = np.stack([subject.catalog.column(name)[ROWS] for name in KEY], axis=1)
    assert np.array_equal(found.key, key)
    assert len(np.unique(key, axis=0)) == 5
    values = found.values()
    assert values.dtype == np.float32
    assert found.shape == (3, 16, 16)
    place = {row: k for k, row in enumerate(ROWS.tolist())}
    for part in attributions(subject, METHOD, rows=ROWS, batch_size=2, baseline="background"):
        places = [place[row] for row in part.rows.tolist()]
        assert np.array_equal(values[places], part.values)
        for name in ("prediction", "baseline_prediction", "completeness"):
            assert np.array_equal(getattr(found, name)[places], getattr(part, name))
    assert np.array_equal(found.values([3, 1]), values[[3, 1]])
    assert not np.array_equal(values[3], values[1])


def test_what_was_asked_is_said(subject: Subject, stored: Path) -> None:
    found = read_attributions(stored)
    assert (found.method, found.space, found.baseline) == (
        "integrated-gradients",
        "inputs",
        "background",
    )
    assert (found.target, found.unit, found.settings) == ("mean", "ln M", {"n_steps": 5})
    assert found.channels == tuple(channel.name for channel in subject.channels)
    assert found.provenance["catalog"] == subject.catalog.fingerprint()
    assert found.provenance["versions"]["captum"] != "absent"


def test_same_question_same_bytes_and_other_networks_are_told(
    catalog: Catalog, subject: Subject, stored: Path, tmp_path: Path
) -> None:
    again = write_attributions(
        tmp_path / "again.h5", subject, METHOD, rows=ROWS, batch_size=2, baseline="background"
    )
    assert again.read_bytes() == stored.read_bytes()
    other = estimator_subject(catalog, "paper-multiband", gain=2.0, seed=1)
    path = write_attributions(tmp_path / "other.h5", other, rows=[0])
    found = read_attributions(path)
    assert found.provenance["networks"] != read_attributions(stored).provenance["networks"]
    assert found.baseline == "none"
    assert np.isnan(found.completeness).all()


def test_galaxies_are_stored_as_cubes(catalog: Catalog, tmp_path: Path) -> None:
    weight = np.arange(512.0).reshape(8, 8, 8)
    subject = linear_subject(catalog, weight, space="galaxies")
    path = write_attributions(tmp_path / "cubes.h5", subject, space="galaxies", rows=[3])
    np.testing.assert_allclose(read_attributions(path).values()[0], weight, rtol=1e-6)


def test_nothing_is_left_of_a_failure(catalog: Catalog, subject: Subject, tmp_path: Path) -> None:
    profile = estimator_subject(catalog, "profile")
    with pytest.raises(InputError, match="must have convolutions"):
        write_attributions(tmp_path / "maps.h5", profile, "grad-cam")
    with pytest.raises(InputError, match="rows: must be at least one cluster; got none"):
        write_attributions(tmp_path / "maps.h5", subject, rows=[])
    assert not list(tmp_path.iterdir())


def test_attributions_that_are_there_must_be_of_the_rows(subject: Subject, tmp_path: Path) -> None:
    def write(name: str, rows: list[int], found: list[Attributed]) -> Path:
        return write_attributions(tmp_path / name, subject, METHOD, rows=rows, found=found)

    known = list(attributions(subject, METHOD, rows=[4, 0], batch_size=1))
    once = write_attributions(tmp_path / "once.h5", subject, METHOD, rows=[0, 4], batch_size=1)
    again = read_attributions(write("again.h5", [0, 4], known[::-1]))
    assert np.array_equal(again.values(), read_attributions(once).values())
    for rows, found, words in (
        ([0, 4, 9], known, "1 of 3 are missing"),
        ([known[0].rows[0]], known, rf"got row {known[1].rows[0]}, which is none of them"),
        ([0, 4], [*known, known[0]], rf"got row {known[0].rows[0]}, .* or came before"),
    ):
        with pytest.raises(InputError, match=rf"found: must be of each of the rows once; {words}"):
            write("other.h5", rows, found)
    assert not (tmp_path / "other.h5").exists()


def test_overwriting_must_be_wanted(subject: Subject, tmp_path: Path) -> None:
    path = write_attributions(tmp_path / "maps.h5", subject, rows=[0])
    with pytest.raises(OutputError, match="already exists"):
        write_attributions(path, subject, rows=[1])
    write_attributions(path, subject, rows=[1], overwrite=True)
    assert read_attributions(path).rows.tolist() == [1]


def test_places_that_are_not_there(stored: Path) -> None:
    with pytest.raises(InputError, match=r"places must be from 0 to 4; got 5 to 5\."):
        read_attributions(stored).values([5])


def test_files_of_others(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a file of attributions; there is none"):
        read_attributions(tmp_path / "maps.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["values"] = np.zeros(3)
    with pytest.raises(InputError, match=r"that icmass wrote .* got another HDF5 file"):
        read_attributions(tmp_path / "other.h5")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def _text(path: Path) -> None:
    path.write_text("no HDF5")


def _without_rows(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["row"]


def _short(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["prediction"]
        file["prediction"] = np.zeros(4)


def _description(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        said = json.loads(file.attrs["description"])
        del said["unit"]
        file.attrs["description"] = json.dumps(said)


@pytest.mark.parametrize("harm", [_cut, _text, _without_rows, _short, _description])
def test_damage_is_said(stored: Path, tmp_path: Path, harm: object) -> None:
    path = tmp_path / "maps.h5"
    path.write_bytes(stored.read_bytes())
    harm(path)  # type: ignore[operator]
    with pytest.raises(InputError, match=r"maps\.h5: is damaged .*; write the attributions again"):
        read_attributions(path)


def test_a_changed_value_is_found(stored: Path, tmp_path: Path) -> None:
    path = tmp_path / "maps.h5"
    with h5py.File(stored, "r") as file:
        where = file["values"].id.get_chunk_info(2).byte_offset
    content = bytearray(stored.read_bytes())
    content[where + 100] ^= 1
    path.write_bytes(content)
    found = read_attributions(path)
    assert len(found.values([0, 1, 3, 4])) == 4
    with pytest.raises(InputError, match=r"maps\.h5: is damaged"):
        found.values()
