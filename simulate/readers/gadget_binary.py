"""Gadget-1/2 binary snapshots, format 1 and 2, one file or several.

The file names no units: kpc/h, 1e10 Msun/h and km/s are taken unless `units=` says otherwise.
Format 2 names each block, so their order does not matter; format 1 does not, and follows
Gadget-2's own order by the flags of the header unless `blocks=` gives another. pynbody is not used
here: it hides the block Z behind the coordinate z and knows no density in format 1.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.readers.base_units import (
    FIELDS,
    GADGET_UNITS_NOTE,
    UNITS_REMEDY,
    gadget_units,
    override_units,
)
from icmass.simulate.readers.checks import refuse_impossible_header
from icmass.simulate.readers.paths import snapshot_name
from icmass.simulate.readers.plasma import SPH_NEIGHBOURS
from icmass.simulate.readers.snapshot import (
    GAS,
    Header,
    Snapshot,
    build_cosmology,
    read_epoch,
    scaled,
)

__all__ = ["GadgetBinarySnapshot", "is_gadget_binary"]

KINDS = 6
HEADER_BYTES = 256
HEADER_FORMAT = "6I6ddd2i6I2i4d2i"  # the part that every Gadget wrote; padded to 256 bytes
ALL = tuple(range(KINDS))
BARYONS = (0, 4)

# Field, block name, kinds of particles that have it, columns.
BLOCKS: dict[str, tuple[str, tuple[int, ...], int]] = {
    "POS": ("position", ALL, 3),
    "VEL": ("velocity", ALL, 3),
    "MASS": ("mass", ALL, 1),
    "U": ("internal_energy", (GAS,), 1),
    "RHO": ("density", (GAS,), 1),
    "NE": ("electron_abundance", (GAS,), 1),
    "HSML": ("smoothing", (GAS,), 1),
    "SFR": ("star_formation_rate", (GAS,), 1),
    "TEMP": ("temperature", (GAS,), 1),
    "Z": ("metallicity", BARYONS, 1),
}
BLOCK_OF_FIELD = {field: block for block, (field, _, _) in BLOCKS.items()}


@dataclass(frozen=True)
class _Block:
    start: int
    length: int


class _File:
    """Where the blocks of one file lie."""

    def __init__(self, path: Path, order: Sequence[str] | None) -> None:
        self.path = path
        self.blocks: dict[str, _Block] = {}
        with path.open("rb") as stream:
            self.size = path.stat().st_size
            self.named, self.endian = _identify(stream.read(4))
            stream.seek(0)
            name, length = self._head(stream, "HEAD")
            if name != "HEAD" or length != HEADER_BYTES:
                raise InputError(f"{path}: must begin with a header of 256 bytes; got '{name}'.")
            raw = stream.read(HEADER_BYTES)
            if len(raw) < HEADER_BYTES:
                raise self._truncated("HEAD")
            self._foot(stream, length, "HEAD")
            self._parse(raw)
            self._scan(stream, order)

    def _parse(self, raw: bytes) -> None:
        size = struct.calcsize(self.endian + HEADER_FORMAT)
        values = struct.unpack(self.endian + HEADER_FORMAT, raw[:size])
        self.npart = np.array(values[0:6], np.int64)
        self.mass_table = np.array(values[6:12])
        self.time, self.redshift, self.star_forming = values[12:15]
        self.total = np.array(values[16:22], np.int64)
        self.cooling, self.file_count = values[22:24]
        self.box, self.omega_m, self.omega_l, self.hubble = values[24:28]
        self.ages, self.metals = values[28:30]

    def _standard_order(self) -> list[str]:
        """Gadget-2's order of blocks in format 1, by the flags of the header."""
        order = ["POS", "VEL", "ID"]
        if ((self.npart > 0) & (self.mass_table == 0)).any():
            order.append("MASS")
        if self.npart[GAS]:
            order += ["U", "RHO", *(["NE", "NH"] if self.cooling else []), "HSML"]
            order += ["SFR"] if self.star_forming else []
        return order + (["AGE"] if self.ages else []) + (["Z"] if self.metals else [])

    def _scan(self, stream: BinaryIO, order: Sequence[str] | None) -> None:
        names = iter(self._standard_order() if order is None else order)
        while stream.tell() < self.size:
            name, length = self._head(stream, next(names, "") if not self.named else "")
            self.blocks.setdefault(name, _Block(stream.tell(), length))
            if stream.tell() + length + 4 > self.size:
                raise self._truncated(name)
            stream.seek(length, 1)
            self._foot(stream, length, name)

    def _head(self, stream: BinaryIO, name: str) -> tuple[str, int]:
        if self.named:
            record = stream.read(16)
            if len(record) < 16:
                raise self._truncated(name)
            first, label, _, last = struct.unpack(self.endian + "I4sII", record)
            if first != 8 or last != 8:
                raise InputError(
                    f"{self.path}: damaged at byte {stream.tell() - 16}: no block name."
                )
            name = label.decode("ascii", "replace").strip().upper()
        record = stream.read(4)
        if len(record) < 4:
            raise self._truncated(name)
        return name, struct.unpack(self.endian + "I", record)[0]

    def _foot(self, stream: BinaryIO, length: int, name: str) -> None:
        record = stream.read(4)
        if len(record) < 4:
            raise self._truncated(name)
        (foot,) = struct.unpack(self.endian + "I", record)
        if foot != length:
            raise InputError(
                f"{self.path}: damaged: block '{name}' says {length} bytes before and {foot} after "
                f"its data. Copy the file again."
            )

    def _truncated(self, name: str) -> InputError:
        return InputError(
            f"{self.path}: truncated inside block '{name}': the file ends at byte {self.size}. "
            f"Copy the file again."
        )

    def holders(self, block: str) -> list[int]:
        """Kinds of particles that a block must hold in this file."""
        kinds = [kind for kind in BLOCKS[block][1] if self.npart[kind]]
        if block == "MASS":
            return [kind for kind in kinds if self.mass_table[kind] == 0]
        return kinds

    def _layout(self, block: str) -> tuple[list[int], int]:
        """Return the kinds that a block holds and the bytes of one number, from its length."""
        length = self.blocks[block].length
        for kinds in (self.holders(block), [GAS]):  # some codes write Z for the gas alone
            values = int(self.npart[kinds].sum()) * BLOCKS[block][2]
            if length in (4 * values, 8 * values) and values:
                return kinds, length // values
        kinds = self.holders(block)
        raise InputError(
            f"{self.path}: block '{block}' must hold {BLOCKS[block][2]} numbers of 4 or 8 bytes "
            f"for each of {self.npart[kinds].sum()} particles (types {kinds}); it has {length} "
            f"bytes. The order of blocks is not the standard one: give blocks=[...] (format 1), "
            f"or write the snapshot in format 2."
        )

    def load(self, block: str, kind: int) -> NDArray[Any]:
        """Return the part of a block that belongs to one kind, as stored."""
        columns = BLOCKS[block][2]
        kinds, width = self._layout(block)
        before = int(self.npart[[k for k in kinds if k < kind]].sum()) * columns * width
        count = int(self.npart[kind]) * columns
        data = np.fromfile(
            self.path, f"{self.endian}f{width}", count, offset=self.blocks[block].start + before
        ).astype(f"=f{width}", copy=False)
        return data.reshape(-1, columns) if columns > 1 else data


class GadgetBinarySnapshot(Snapshot):
    """Gadget-1/2 binary snapshot.

    Parameters
    ----------
    paths : sequence of Path
        All files of the snapshot.
    units : mapping, optional
        See `override_units`.
    blocks : sequence of str, optional
        Order of the blocks after the header in a format 1 file, such as
        ``["POS", "VEL", "ID", "MASS", "U", "RHO", "HSML"]``.
    """

    remedy = (
        f"{UNITS_REMEDY}; if they are right, the order of blocks is not the standard one: give "
        f"blocks=[...]."
    )

    def __init__(
        self,
        paths: Sequence[Path],
        units: Mapping[str, Any] | None = None,
        blocks: Sequence[str] | None = None,
    ) -> None:
        self.source = snapshot_name(paths)
        self._files = [_File(path, blocks) for path in paths]
        first = self._files[0]
        if first.file_count > len(paths):
            raise InputError(
                f"{self.source}: the snapshot has {first.file_count} files; got {len(paths)}. "
                f"Give their folder or a pattern such as 'snap_000.*'."
            )
        totals = np.sum([file.npart for file in self._files], axis=0)
        self.counts = {kind: int(n) for kind, n in enumerate(totals) if n}
        refuse_impossible_header(self.source, first.hubble, first.omega_m, first.box)
        notes: list[str] = []
        cosmology, hubble = build_cosmology(
            first.hubble, {"omega_m": first.omega_m, "omega_l": first.omega_l}, notes
        )
        redshift = read_epoch(first.redshift, first.time) if first.omega_m > 0 else 0.0
        self._base = override_units(gadget_units(hubble), units, hubble)
        if units is None:
            notes.append(GADGET_UNITS_NOTE)
        box = first.box * self._base.length_kpc / (1 + redshift)
        self.header = Header(
            code="Gadget binary",
            redshift=redshift,
            hubble=hubble,
            cosmology=cosmology,
            box_kpc=box if box > 0 else None,
            units_known=False,
            support_neighbours=SPH_NEIGHBOURS,
            notes=notes,
        )

    def has(self, kind: int, name: str) -> bool:
        """Tell whether a field called `name` is there for particles of one `kind`."""
        if name not in BLOCK_OF_FIELD:
            return False
        block = BLOCK_OF_FIELD[name]
        if name == "mass" and self._files[0].mass_table[kind] > 0:
            return True
        return kind in BLOCKS[block][1] and all(
            block in file.blocks for file in self._files if file.npart[kind]
        )

    def _load(self, kind: int, name: str) -> NDArray[Any]:
        field = FIELDS[name]
        factor = self._base.factor(field, self.header.scale_factor)
        fixed = self._files[0].mass_table[kind]
        if name == "mass" and fixed > 0:
            return np.full(self.counts[kind], fixed * factor, np.float32)
        parts = [file.load(BLOCK_OF_FIELD[name], kind) for file in self._files if file.npart[kind]]
        return scaled(parts[0] if len(parts) == 1 else np.concatenate(parts), factor)

    def hint(self, kind: int, name: str) -> str:
        """Say which block the field `name` of any `kind` is looked for in, and which are there."""
        block = BLOCK_OF_FIELD.get(name, "?")
        return f"Block '{block}' is needed; the file has {sorted(self._files[0].blocks)}."


def is_gadget_binary(path: Path) -> bool:
    """Tell from its first bytes whether the file at `path` is a Gadget binary snapshot."""
    try:
        with path.open("rb") as stream:
            _identify(stream.read(4))
    except (OSError, InputError):
        return False
    return True


def _identify(magic: bytes) -> tuple[bool, str]:
    """Return whether blocks are named (format 2), and the byte order."""
    for endian in "<>":
        if len(magic) == 4:
            (number,) = struct.unpack(endian + "I", magic)
            if number in (8, HEADER_BYTES):
                return number == 8, endian
    raise InputError("snapshot: must be a Gadget binary file; the first four bytes are of another.")
