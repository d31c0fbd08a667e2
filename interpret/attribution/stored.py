"""Attributions in a file: written batch by batch, read cluster by cluster.

An HDF5 file holds `values` (float32, a chunk per cluster), `row`, `key`, `prediction`,
`baseline_prediction` and `completeness`, and in its attribute `description` (JSON) the method and
its settings, the space, the unit, the target, and where it came from. Checksums find damage.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.catalog import KEY
from icmass.errors import InputError
from icmass.files import atomic_write
from icmass.hdf5 import read_array
from icmass.interpret.attribution.attribute import Attributed, attributions, wanted_rows
from icmass.interpret.attribution.methods import Method, make_method
from icmass.interpret.subject import ALL_FOLDS, Subject
from icmass.provenance import provenance, versions

__all__ = ["StoredAttributions", "read_attributions", "write_attributions"]

_FORMAT: Final = "icmass attributions 1"
_NUMBERS: Final = ("prediction", "baseline_prediction", "completeness")
_DAMAGE: Final = (OSError, KeyError, RuntimeError, ValueError, TypeError, IndexError)


@dataclass(frozen=True)
class StoredAttributions:
    """Attributions of n clusters in a file, in the order in which they were wanted.

    Attributes
    ----------
    path : Path
    method, space, baseline, target, unit : str
        As in `attributions`; `unit` of the values, where ln M stands for what `target` says.
    settings : dict
        Of the method.
    channels : tuple of str
        Of the images.
    shape : tuple of int
        Of the values of one cluster.
    rows : ndarray of int, shape (n,)
        Of the catalog then.
    key : ndarray of int, shape (n, 4)
        Sample, snapshot, halo and line of sight of the clusters.
    prediction, baseline_prediction, completeness : ndarray, shape (n,)
        As in `Attributed`.
    provenance : dict
        Versions, seed, configuration, fingerprint of the catalog, digest of the networks.
    """

    path: Path
    method: str
    space: str
    baseline: str
    target: str
    unit: str
    settings: dict[str, Any]
    channels: tuple[str, ...]
    shape: tuple[int, ...]
    rows: NDArray[np.int64]
    key: NDArray[np.int64]
    prediction: NDArray[np.float64]
    baseline_prediction: NDArray[np.float64]
    completeness: NDArray[np.float64]
    provenance: dict[str, Any]

    def __len__(self) -> int:
        return len(self.rows)

    def values(self, places: ArrayLike | None = None) -> NDArray[np.float32]:
        """Read attributions, shape (m, ...).

        Parameters
        ----------
        places : array of int, optional
            Places in `rows`; all by default.

        Raises
        ------
        InputError
            If there is no such place, or the file is damaged.
        """
        wanted = np.arange(len(self)) if places is None else np.atleast_1d(np.asarray(places))
        if wanted.size and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise InputError(
                f"{self.path}: places must be from 0 to {len(self) - 1}; got {wanted.min()} to "
                f"{wanted.max()}."
            )
        result = np.empty((len(wanted), *self.shape), np.float32)
        try:
            with h5py.File(self.path, "r") as file:
                for place, one in zip(wanted.tolist(), result, strict=True):
                    file["values"].read_direct(one, np.s_[place])
        except _DAMAGE as error:
            raise _damaged(self.path, error) from error
        return result


def write_attributions(
    path: str | Path,
    subject: Subject,
    method: str | Method = "saliency",
    *,
    space: str = "inputs",
    baseline: str = "empty",
    rows: ArrayLike | None = None,
    batch_size: int = 64,
    found: Iterable[Attributed] | None = None,
    report: Callable[[int], None] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write attributions into a file, which appears complete or not at all.

    Parameters
    ----------
    path : str or Path
        File to write.
    subject, method, space, baseline, batch_size, report
        As of `attributions`.
    rows : array of int, shape (n,), optional
        Clusters wanted, each once; all by default. The file has them in this order.
    found : iterable of Attributed, optional
        The attributions, where they are there already: of these rows and just as asked for.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        As `attributions`, or if `found` is not of each of these rows once.
    OutputError
        If the file cannot be written.
    """
    chosen = make_method(method)
    wanted = wanted_rows(subject, rows)
    if not len(wanted):
        raise InputError("rows: must be at least one cluster; got none.")
    if found is None:
        found = attributions(
            subject,
            chosen,
            space=space,
            baseline=baseline,
            rows=wanted,
            batch_size=batch_size,
            report=report,
        )
    description = _description(subject, chosen, space, baseline)
    target = Path(path)
    with atomic_write(target, overwrite=overwrite) as stage, h5py.File(stage, "w") as file:
        file.attrs["format"] = _FORMAT
        file.attrs["description"] = json.dumps(description)
        file.create_dataset("row", data=wanted)
        key = np.stack([subject.catalog.column(name)[wanted] for name in KEY], axis=1)
        file.create_dataset("key", data=key.astype(np.int64))
        for name in _NUMBERS:
            file.create_dataset(name, (len(wanted),), np.float64)
        _fill(file, wanted, found)
    return target


def _fill(file: h5py.File, wanted: NDArray[np.int64], found: Iterable[Attributed]) -> None:
    """Write attributions of rows, which come in any order, at the places of these in `wanted`."""
    place_of = {row: place for place, row in enumerate(wanted.tolist())}
    left = set(place_of)
    for part in found:
        rows, shape = part.rows.tolist(), part.values.shape[1:]
        if not left.issuperset(rows):
            strange = next(row for row in rows if row not in left)
            raise InputError(
                f"found: must be of each of the rows once; got row {strange}, which is none of "
                "them or came before. Give the attributions of these rows."
            )
        left.difference_update(rows)
        if "values" not in file:
            file.create_dataset(
                "values",
                (len(wanted), *shape),
                np.float32,
                chunks=(1, *shape),
                fletcher32=True,
            )
        for k, row in enumerate(rows):
            file["values"][place_of[row]] = part.values[k]
            for name in _NUMBERS:
                file[name][place_of[row]] = getattr(part, name)[k]
    if left:
        raise InputError(
            f"found: must be of each of the rows once; {len(left):,} of {len(wanted):,} are "
            "missing. Give the attributions of these rows."
        )


def read_attributions(path: str | Path) -> StoredAttributions:
    """Open the attributions at `path`; the values themselves are read when they are asked for.

    Raises
    ------
    InputError
        If there is no such file, it is another's, or it is damaged.
    """
    place = Path(path)
    if not place.is_file():
        raise InputError(f"{path}: must be a file of attributions; there is none.")
    try:
        with h5py.File(place, "r") as file:
            ours = file.attrs.get("format") == _FORMAT
            found = _read(place, file) if ours else None
    except _DAMAGE as error:
        raise _damaged(place, error) from error
    if found is None:
        raise InputError(
            f"{path}: must be a file of attributions that icmass wrote ({_FORMAT}); got another "
            "HDF5 file."
        )
    return found


def _read(path: Path, file: h5py.File) -> StoredAttributions:
    said = json.loads(file.attrs["description"])
    arrays = {name: read_array(file[name]) for name in ("row", "key", *_NUMBERS)}
    n, *shape = file["values"].shape
    for name, array in arrays.items():
        if array.shape != ((n, len(KEY)) if name == "key" else (n,)):
            raise ValueError(f"'{name}' has the shape {array.shape} for {n} clusters")
    return StoredAttributions(
        path=path,
        method=str(said["method"]),
        space=str(said["space"]),
        baseline=str(said["baseline"]),
        target=str(said["target"]),
        unit=str(said["unit"]),
        settings=dict(said["settings"]),
        channels=tuple(said["channels"]),
        shape=tuple(shape),
        rows=arrays["row"],
        key=arrays["key"],
        prediction=arrays["prediction"],
        baseline_prediction=arrays["baseline_prediction"],
        completeness=arrays["completeness"],
        provenance=dict(said["provenance"]),
    )


def _description(subject: Subject, method: Method, space: str, baseline: str) -> dict[str, Any]:
    config = {
        "method": method.name,
        "settings": method.settings(),
        "space": space,
        "baseline": baseline if method.uses_baseline else "none",
        "target": subject.target.name,
    }
    made = provenance(
        config,
        int(method.settings().get("seed", 0)),
        catalog=subject.catalog.fingerprint(),
        networks=_digest(subject),
    )
    made["versions"] = versions("torch", "captum")
    channels = [channel.name for channel in subject.channels]
    return {**config, "unit": method.unit(space), "channels": channels, "provenance": made}


def _digest(subject: Subject) -> str:
    """Return a hash of all weights of the networks."""
    digest = hashlib.sha256()
    for network in subject.networks(ALL_FOLDS):
        for name, weight in network.state_dict().items():
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(weight.detach().cpu().numpy()).tobytes())
    return digest.hexdigest()


def _damaged(path: Path, error: BaseException) -> InputError:
    return InputError(f"{path}: is damaged ({error}); write the attributions again.")
