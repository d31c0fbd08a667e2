"""Any change to any HDF5 file that is read: the right content, or one line that names the file."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.contract import answer_or_line, examples
from tests.properties.files import HDF5, Kind, names

VALUES: list[Any] = [
    *(
        np.nan,
        np.inf,
        -np.inf,
        -1.0,
        0.0,
        1e300,
        1e-300,
        1e30,
        2**62,
        -(2**63),
        "text",
        b"\xff",
        "",
    ),
    *(np.zeros(0), np.zeros((2, 2)), np.ones(3, complex), np.array(["a"], "S1"), True, np.ones(9)),
    *(np.array(10**12), np.array([1], "u1"), np.float16(7.0), h5py.Empty("f8")),
]
TYPES = ["f2", "f4", ">f8", "i1", "i8", "u8", "S3", "?", "c16"]


def items(file: h5py.File) -> list[str]:
    found: list[str] = []
    file.visit(found.append)
    return found


def replaced(file: h5py.File, name: str, data: Any, **options: Any) -> None:
    """Put another dataset into the place of one, which keeps its attributes."""
    attributes = dict(file[name].attrs)
    del file[name]
    dataset = file.create_dataset(name, data=data, **options)
    dataset.attrs.update(attributes)


def change_values(draw: st.DrawFn, file: h5py.File, name: str) -> None:
    data = file[name][()]
    if not isinstance(data, np.ndarray) or not data.size:
        return
    place = draw(st.integers(0, len(data) - 1))
    part = slice(place, place + 1) if draw(st.booleans()) else slice(None)
    column = data[draw(st.sampled_from(data.dtype.names))] if data.dtype.names else data
    value = draw(st.sampled_from([np.nan, np.inf, -1, 0, 1e30, 1e300, -1e300, 2**40]))
    with np.errstate(all="ignore"):
        column[part] = np.asarray(value).astype(column.dtype)
    replaced(file, name, data)


def change_shape(draw: st.DrawFn, file: h5py.File, name: str) -> None:
    data = np.asarray(file[name][()])
    ways = [
        lambda: data[:0],
        lambda: data[:1],
        lambda: data[: len(data) // 2] if data.ndim else data,
        lambda: data.ravel(),
        lambda: data[None],
        lambda: data[..., None],
        lambda: np.concatenate([data, data]) if data.ndim else data,
        lambda: data.ravel()[0] if data.size else data,
    ]
    replaced(file, name, draw(st.sampled_from(ways))())


def change_type(draw: st.DrawFn, file: h5py.File, name: str) -> None:
    data = np.asarray(file[name][()])
    if data.dtype.names is None and data.dtype.kind in "fiu":
        with np.errstate(all="ignore"):
            replaced(file, name, data.astype(draw(st.sampled_from(TYPES))))
    else:
        replaced(file, name, np.arange(3.0))


def promise_rows(draw: st.DrawFn, file: h5py.File, name: str) -> None:
    """Say that a dataset has a terabyte, of which nothing is stored."""
    shape, dtype = file[name].shape, file[name].dtype
    rows = draw(st.sampled_from([10**9, 10**12]))
    attributes = dict(file[name].attrs)
    del file[name]
    dataset = file.create_dataset(
        name, (rows, *shape[1:]), dtype, chunks=(1000, *(max(n, 1) for n in shape[1:]))
    )
    dataset.attrs.update(attributes)


def change_link(draw: st.DrawFn, file: h5py.File, name: str) -> None:
    del file[name]
    ways = [
        lambda: None,
        lambda: file.create_group(name),
        lambda: file.__setitem__(name, h5py.SoftLink("/nowhere")),
        lambda: file.__setitem__(name, h5py.SoftLink(f"/{name}")),
        lambda: file.__setitem__(name, h5py.ExternalLink("absent.h5", "/a")),
        lambda: file.__setitem__(name, "a text"),
        lambda: file.__setitem__(f"{name}_renamed", np.arange(4.0)),
    ]
    draw(st.sampled_from(ways))()


def change_attribute(draw: st.DrawFn, file: h5py.File, name: str) -> None:
    holder = file[name]
    names = sorted(holder.attrs)
    if not names:
        return
    attribute = draw(st.sampled_from(names))
    del holder.attrs[attribute]
    if draw(st.integers(0, 4)):
        value = draw(st.sampled_from(VALUES))
        holder.attrs[attribute] = np.bytes_(value) if isinstance(value, bytes) else value


CHANGES = [change_values, change_shape, change_type, promise_rows, change_link]


@st.composite
def damaged(draw: st.DrawFn, path: Path) -> None:
    """Change the file at a path once or twice."""
    for _ in range(draw(st.integers(1, 2))):
        with h5py.File(path, "r+") as file:
            datasets = [n for n in items(file) if isinstance(file.get(n), h5py.Dataset)]
            datasets = [n for n in datasets if (file[n].size or 0) < 10**7]
            holders = ["/", *(n for n in items(file) if file.get(n) is not None)]
            if draw(st.booleans()) or not datasets:
                holders = [name for name in holders if len(file[name].attrs)] or holders
                change_attribute(draw, file, draw(st.sampled_from(holders)))
            else:
                draw(st.sampled_from(CHANGES))(draw, file, draw(st.sampled_from(datasets)))


@st.composite
def scratched(draw: st.DrawFn, path: Path) -> None:
    """Change the bytes of the file at a path."""
    content = bytearray(path.read_bytes())
    for _ in range(draw(st.integers(1, 4))):
        # What tells the structure lies at the beginning of a file and of its parts.
        start = draw(st.one_of(st.integers(0, 900), st.integers(0, len(content) - 1)))
        part = draw(st.binary(min_size=1, max_size=8))
        content[start : start + len(part)] = part
    path.write_bytes(
        content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content
    )


@pytest.fixture(scope="module", params=HDF5, ids=lambda kind: kind.name)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    """A kind of file, the path of one, and its bytes."""
    kind: Kind = request.param
    path = Path(tmp_path_factory.mktemp("hdf5") / "file.h5")
    kind.write(path)
    kind.read(path)  # the file is right: negative control
    kind.write(path.with_name("again.h5"))
    return kind, path, path.with_name("again.h5").read_bytes()


@examples(25)
@given(st.data())
def test_changed_content(whole, data):
    kind, path, content = whole
    path.unlink()  # a new file, for HDF5 may know the old one
    path.write_bytes(content)
    data.draw(damaged(path))
    answer_or_line(lambda: kind.read(path), *names(kind, path))


@examples(15)
@given(st.data())
def test_changed_bytes(whole, data):
    kind, path, content = whole
    path.unlink()  # a new file, for HDF5 may know the old one
    path.write_bytes(content)
    data.draw(scratched(path))
    answer_or_line(lambda: kind.read(path), *names(kind, path))
