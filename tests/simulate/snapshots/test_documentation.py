"""What docs/snapshot-catalogs.md promises: its recipe runs, its columns are read."""

import re
import runpy
from pathlib import Path

import h5py
import numpy as np
import pytest

from icmass.simulate.snapshots import SnapshotSource
from icmass.simulate.snapshots.halo_table import ALIASES, PARTS
from tests.helpers.snapshots import HUBBLE, write_gadget_hdf5
from tests.simulate.snapshots.boxes import halo_rows

PAGE = Path(__file__).parents[3] / "docs/snapshot-catalogs.md"


def test_recipe_for_group_catalogues(tmp_path, monkeypatch, truth):
    snapshot = str(write_gadget_hdf5(tmp_path / "snap_099.hdf5", truth, flavour="tng"))
    row, comoving = halo_rows([truth])[0], HUBBLE / truth.scale_factor  # of physical kpc
    center = np.array([truth.center_kpc, truth.center_kpc + 9000]) * comoving
    with h5py.File(tmp_path / "fof_subhalo_tab_099.hdf5", "w") as file:
        for contrast in (500, 200):
            mass, radius = row[f"M{contrast}c"], row[f"R{contrast}c"]
            file[f"Group/Group_M_Crit{contrast}"] = [mass * HUBBLE / 1e10, 0.0]
            file[f"Group/Group_R_Crit{contrast}"] = [radius * 1e3 * comoving, 0.0]
        file["Group/GroupPos"] = center
        file["Subhalo/SubhaloPos"] = center
        file["Subhalo/SubhaloVel"] = [truth.velocity_kms + 100, truth.velocity_kms]
        file["Subhalo/SubhaloMassType"] = np.array([[0, 9, 0, 0, 7, 0], [0, 9, 0, 0, 0.01, 0]])
        file["Subhalo/SubhaloGrNr"] = [0, 1]
    (recipe,) = (
        block
        for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
        if "fof_subhalo_tab" in block
    )
    (tmp_path / "recipe.py").write_text(recipe)
    monkeypatch.chdir(tmp_path)
    runpy.run_path("recipe.py")
    (said,) = re.findall(r"with `table_units=(\{.*?\})`", PAGE.read_text())
    units = dict(re.findall(r'"(\w+)": "([^"]+)"', said))
    source = SnapshotSource(
        [snapshot], halos="halos.ecsv", galaxies="galaxies.ecsv", table_units=units
    )
    assert len(source) == 3
    scene = source.scene(2)
    halo = scene.gas.info.halo
    assert halo.m500c_msun == pytest.approx(row["M500c"])
    assert halo.r200c_kpc == pytest.approx(row["R200c"] * 1e3)
    assert halo.center_kpc == pytest.approx(truth.center_kpc)
    assert halo.velocity_kms == pytest.approx(truth.velocity_kms, abs=30)
    assert scene.galaxies.stellar_mass_msun == pytest.approx([7e10 / HUBBLE])
    assert scene.galaxies.v_los_km_s == pytest.approx([100], abs=30)
    assert scene.galaxies.member.tolist() == [True]


def test_page_lists_every_name_of_a_column():
    listed = set(re.findall(r"`(\w+)`", PAGE.read_text()))
    said_of_500 = ("m200c", "r200c")  # "as for 500"
    names = {part for parts in PARTS.values() for part in parts} | set(said_of_500)
    for name, aliases in ALIASES.items():
        names |= set() if name in said_of_500 else set(aliases)
    assert names - listed == set()
