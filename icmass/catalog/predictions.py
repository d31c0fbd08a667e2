"""What estimators say of clusters, each in a file of its own beside the shards.

A row of predictions carries the key of its cluster, so that it finds it again whatever was added
to, or dropped from, the catalog since.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.digests import CHECKSUM, array_digest
from icmass.errors import InputError, OutputError
from icmass.files import atomic_write
from icmass.hdf5 import read_array
from icmass.names import nearest

__all__ = ["PREDICTIONS", "Predictions", "make", "names", "read", "require_name", "write"]

PREDICTIONS: Final = "predictions"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Predictions:
    """Predictions for n clusters.

    Attributes
    ----------
    quantity : str
        What is predicted, such as ``ln(M500c / Msun)``.
    mean, std : ndarray, shape (n,)
        Prediction and its spread; NaN where there is none.
    quantiles : dict of float to ndarray, shape (n,)
        From probability to value.
    extra : dict of str to ndarray, shape (n,)
        Further columns.
    """

    quantity: str
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    quantiles: dict[float, NDArray[np.float64]] = field(default_factory=dict)
    extra: dict[str, NDArray[Any]] = field(default_factory=dict)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return all columns, shape (n,), by name: mean, std, q0.16 of a quantile, further ones."""
        quantiles = {f"q{p:g}": values for p, values in self.quantiles.items()}
        return {"mean": self.mean, "std": self.std, **quantiles, **self.extra}


def make(
    n: int,
    quantity: str,
    mean: ArrayLike,
    std: ArrayLike,
    quantiles: Mapping[float, ArrayLike],
    extra: Mapping[str, ArrayLike],
) -> Predictions:
    """Check predictions for the rows of a catalog.

    Parameters
    ----------
    n : int
        Number of rows.
    quantity : str
        What is predicted, such as ``ln(M500c / Msun)``.
    mean, std : array, shape (n,)
        Prediction and its spread, in the unit of the quantity; NaN where there is none.
    quantiles : mapping of float to array, shape (n,)
        From the probability to the value.
    extra : mapping of str to array, shape (n,)
        Further columns, of numbers.

    Raises
    ------
    InputError
        If a length, probability or further column is wrong, or a spread is below 0.
    """
    for p in quantiles:
        if not 0.0 < p < 1.0:
            raise InputError(f"quantiles: must be of probabilities between 0 and 1; got {p}.")
    found = Predictions(
        quantity,
        np.asarray(mean, np.float64),
        np.asarray(std, np.float64),
        {float(p): np.asarray(quantiles[p], np.float64) for p in sorted(quantiles)},
        {name: np.asarray(values) for name, values in extra.items()},
    )
    for name in extra:
        if not _NAME.fullmatch(name):
            raise InputError(f"extra: must be named by letters, digits, . _ -; got '{name}'.")
    if len(found.columns()) != 2 + len(quantiles) + len(extra):
        raise InputError(f"extra: must not be named as another column; got {', '.join(extra)}.")
    for name, values in found.columns().items():
        if values.shape != (n,):
            raise InputError(f"{name}: must have the shape ({n},); got {values.shape}.")
        if values.dtype.kind not in "iufb":
            raise InputError(f"{name}: must be numbers; got {values.dtype}.")
    if np.any(found.std < 0):
        raise InputError(f"std: must be at least 0; got {np.nanmin(found.std)}.")
    return found


def write(
    directory: Path, name: str, key: NDArray[np.void], found: Predictions, *, overwrite: bool
) -> Path:
    """Write predictions, which appear complete or not at all; returns the file.

    Parameters
    ----------
    directory : Path
        Of the catalog.
    name : str
        Of the predictions.
    key : structured ndarray, shape (n,)
        Key of each row (`icmass.catalog.shard_data.row_keys`).
    found : Predictions
        For these rows.
    overwrite : bool
        Whether to replace predictions of that name.

    Raises
    ------
    InputError
        If the name cannot be one.
    OutputError
        If predictions of that name exist.
    """
    path = _path(directory, name)
    if path.exists() and not overwrite:
        raise OutputError(
            f"{directory}: has predictions '{name}' already. Choose another name, or overwrite."
        )
    path.parent.mkdir(exist_ok=True)
    # In memory: HDF5 itself does not end well on a full disk.
    whole = BytesIO()
    with h5py.File(whole, "w") as file:
        file.attrs["quantity"] = found.quantity
        file.create_dataset("key", data=key)
        for part in ("mean", "std"):
            file.create_dataset(part, data=getattr(found, part))
        probability = np.array(list(found.quantiles), np.float64)
        file.create_dataset("probability", data=probability)
        values = np.array(list(found.quantiles.values()), np.float64)
        shape = (len(found.quantiles), len(key))
        file.create_dataset("quantile", data=values.reshape(shape))
        group = file.create_group("extra", track_order=True)
        for extra, column in found.extra.items():
            group.create_dataset(extra, data=column)
        file.attrs[CHECKSUM] = array_digest(_arrays(file), found.quantity)
    with atomic_write(path, overwrite=overwrite) as stage:
        stage.write_bytes(whole.getvalue())
    return path


def read(directory: Path, name: str, key: NDArray[np.void]) -> Predictions:
    """Read the predictions of rows of given keys.

    Parameters
    ----------
    directory : Path
        Of the catalog.
    name : str
        Of the predictions.
    key : structured ndarray, shape (n,)
        Keys of the rows wanted. Those that were not predicted get NaN, -1 or False.

    Raises
    ------
    InputError
        If there are none of that name, or the file is damaged.
    """
    path = _path(directory, name)
    if not path.exists():
        raise InputError(
            f"{directory}: has no predictions '{name}'; {nearest(name, names(directory))}."
        )
    try:
        with h5py.File(path, "r") as file:
            stored = _arrays(file)
            quantity = str(file.attrs["quantity"])
            if file.attrs.get(CHECKSUM, "") not in ("", array_digest(stored, quantity)):
                raise ValueError("its values are not those that were written")
        place, there = _places(stored.pop("key"), key)
        values = [_at(one, place, there) for one in stored.pop("quantile")]
        quantiles = dict(zip(stored.pop("probability").tolist(), values, strict=True))
        columns = {part: _at(array, place, there) for part, array in stored.items()}
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, IndexError) as error:
        raise InputError(f"{path}: is damaged ({error}); write the predictions again.") from error
    mean, std = columns.pop("mean"), columns.pop("std")
    extra = {part.removeprefix("extra/"): column for part, column in columns.items()}
    return Predictions(quantity, mean, std, quantiles, extra)


def _arrays(file: h5py.File) -> dict[str, NDArray[Any]]:
    """Return everything that a file of predictions holds, by name."""
    parts = ("key", "mean", "std", "probability", "quantile")
    return {
        part: read_array(file[part]) for part in (*parts, *(f"extra/{e}" for e in file["extra"]))
    }


def names(directory: Path) -> list[str]:
    """Return the names of the predictions in the catalog in `directory`, sorted."""
    return sorted(path.stem for path in (directory / PREDICTIONS).glob("[!.]*.h5"))


def require_name(name: str) -> None:
    """Refuse a `name` that predictions cannot have.

    Raises
    ------
    InputError
        If it holds anything but letters, digits and ``. _ -``, or more than 100 of them.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"predictions: must be named by letters, digits, . _ -; got '{name}'. Give at most 100."
        )


def _path(directory: Path, name: str) -> Path:
    require_name(name)
    return directory / PREDICTIONS / f"{name}.h5"


def _places(
    there: NDArray[np.void], wanted: NDArray[np.void]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where each wanted key stands in `there`, and whether it does."""
    if len(there) == 0:
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), dtype=bool)
    if np.array_equal(there, wanted):
        return np.arange(len(wanted)), np.ones(len(wanted), dtype=bool)
    number = {key: place for place, key in enumerate(there.tolist())}
    place = np.array([number.get(key, -1) for key in wanted.tolist()], np.int64)
    return np.maximum(place, 0), place >= 0


def _at(values: NDArray[Any], place: NDArray[np.int64], there: NDArray[np.bool_]) -> NDArray[Any]:
    """Return values at places; NaN, -1 or False where there is none."""
    missing = {"f": np.nan, "i": -1, "u": 0, "b": False}[values.dtype.kind]
    if not len(values):
        return np.full(len(place), missing, values.dtype)
    return np.where(there, values[place], np.array(missing, values.dtype))
