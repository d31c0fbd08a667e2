"""Conditions on columns: each form, what is not known, views of views, and what is refused."""

import pickle
import re
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from icmass.catalog import Catalog, Change, ChangedCatalog, Flag
from icmass.catalog.conditions import rows_where
from icmass.errors import InputError
from tests.helpers.catalogs import SPEC, shard_data

N = 6
REDSHIFT = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5]
DETECTED = [True, False, True, True, False, True]
LIKELIHOOD = [3.0, np.nan, 12.0, 6.0, np.nan, 40.0]
N_GAL = [-1, 0, 3, 8, -1, 20]
MASS = [5e13, 8e13, 1e14, 2e14, 3e14, 9e14]
FLAGS = [0, Flag.BLENDED, Flag.FIELD_EDGE, Flag.BLENDED | Flag.NO_PHOTONS, 0, Flag.FEW_GALAXIES]
TILE = [2**53, 2**53 + 1, 7, 8, 9, 10]


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Catalog:
    """Six clusters whose columns are written out above; read only."""
    optional = ("detected", "extent_likelihood", "n_gal", "tile_id")
    bare = {"expectations": None, "exposure_maps": False, "galaxies": False, "regions": False}
    spec = replace(SPEC, optional_columns=optional, **bare)
    catalog = Catalog.create(tmp_path_factory.mktemp("conditions") / "catalog", spec)
    data = shard_data(spec, n=N)
    named = {
        "redshift": REDSHIFT,
        "detected": DETECTED,
        "extent_likelihood": LIKELIHOOD,
        "n_gal": N_GAL,
        "m500c_msun": MASS,
        "flags": np.array(FLAGS, np.uint32),
        "tile_id": TILE,
    }
    columns = data.columns | {name: np.asarray(values) for name, values in named.items()}
    catalog.append(replace(data, columns=columns))
    return Catalog.open(catalog.path)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], [0, 1, 2, 3, 4, 5]),
        (["detected"], [0, 2, 3, 5]),
        (["not detected"], [1, 4]),
        (["  not   detected "], [1, 4]),
        (["redshift >= 0.3"], [3, 4, 5]),
        (["redshift > 0.3"], [4, 5]),
        (["redshift<=0.1"], [0, 1]),
        (["redshift<.1"], [0]),
        (["redshift == 0.2"], [2]),
        (["redshift!=0.2"], [0, 1, 3, 4, 5]),
        (["m500c_msun > 1e14"], [3, 4, 5]),
        (["m500c_msun <= +1.E+14"], [0, 1, 2]),
        (["redshift > -1"], [0, 1, 2, 3, 4, 5]),
        # What is not known fails, whatever is asked of it, and so the contrary does too.
        (["extent_likelihood > 6"], [2, 5]),
        (["extent_likelihood <= 6"], [0, 3]),
        (["extent_likelihood != 6"], [0, 2, 5]),
        (["n_gal < 10"], [1, 2, 3]),
        (["n_gal != 3"], [1, 3, 5]),
        (["n_gal > 2.5"], [2, 3, 5]),
        (["n_gal < 99999999999999999999"], [1, 2, 3, 5]),
        # Numbers of tiles that a float does not tell apart.
        ([f"tile_id == {2**53 + 1}"], [1]),
        (["flags has BLENDED"], [1, 3]),
        (["flags lacks BLENDED"], [0, 2, 4, 5]),
        (["flags  has  NO_PHOTONS"], [3]),
        (["flags == 0"], [0, 4]),
        (["flags > -1"], [0, 1, 2, 3, 4, 5]),
        (["detected", "redshift < 0.4"], [0, 2, 3]),
        (["detected", "flags lacks BLENDED", "extent_likelihood > 6"], [2, 5]),
    ],
)
def test_rows_for_which_all_hold(sample, conditions, expected):
    rows = rows_where(sample, conditions)
    assert rows.dtype == np.int64
    assert rows.tolist() == expected


def test_the_view(sample):
    view = sample.where("detected", "redshift > 0.1")
    assert type(view) is Catalog
    assert view.column("redshift").tolist() == [0.2, 0.3, 0.5]
    assert np.array_equal(view.images(), sample.images([2, 3, 5]))
    assert view.fingerprint() == sample.select([2, 3, 5]).fingerprint()
    assert view.where("detected").fingerprint() == view.fingerprint()
    assert sample.where() is sample
    # Rows are those of the view, in its order.
    turned = sample.select([5, 4, 3, 2])
    assert rows_where(turned, "detected").tolist() == [0, 2, 3]
    assert turned.where("detected").column("redshift").tolist() == [0.5, 0.3, 0.2]
    assert rows_where(view, ["redshift > 0.25"]).tolist() == [1, 2]
    sent = pickle.loads(pickle.dumps(view))
    assert sent.column("redshift").tolist() == [0.2, 0.3, 0.5]


@dataclass(frozen=True)
class Forget(Change):
    """Counts of galaxies are not known any more, and redshifts are others."""

    def columns(self, rows):
        rows["n_gal"], rows["redshift"] = -1, 9.0
        return rows


def test_a_changed_view_is_of_the_same_clusters(sample):
    view = ChangedCatalog(sample, Forget())
    assert (view.column("n_gal") == -1).all()
    assert view.where() is view
    chosen = view.where("n_gal > 2", "redshift < 0.4")
    assert isinstance(chosen, ChangedCatalog)
    assert chosen.column("m500c_msun").tolist() == [1e14, 2e14]
    assert chosen.column("redshift").tolist() == [9.0, 9.0]
    assert chosen.fingerprint() == ChangedCatalog(sample.select([2, 3]), Forget()).fingerprint()


FORMS = (
    "where: must be COLUMN, 'not COLUMN', 'COLUMN OP NUMBER' with OP one of >=, <=, ==, !=, >, <, "
    "'flags has FLAG' or 'flags lacks FLAG'; got "
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *(
            (text, f"{FORMS}'{text}'. Give each condition by itself.")
            for text in (
                "",
                "not",
                "redshift <",
                "redshift = 0.3",
                "redshift < z",
                "redshift < nan",
                "redshift < 0.3 < 0.5",
                "0.1 < redshift < 0.3",
                "redshift <> 0.3",
                "redshift < 1_0",
                "redshift < 0.3, detected",
                "detected and redshift < 0.3",
                "not redshift < 0.3",
                "n_gal has BLENDED",
                "flags BLENDED",
                "flags has",
                "__import__('os').system('ls')  # x",
            )
        ),
        ("redshit < 0.3", "where 'redshit < 0.3': column 'redshit' is not in the schema; did you "),
        ("detectd", "'detectd' is not in the schema; did you mean 'detected'."),
        ("not qqq", "where 'not qqq': column 'qqq' is not in the schema; known: sample_id, "),
        ("(redshift)", "column '(redshift)' is not in the schema; did you mean 'redshift'."),
        ("dec_deg > 0", "catalog must have the column dec_deg; it does not. Leave this condition "),
        ("redshift", "where 'redshift': must compare redshift, which is a number; write 'redshift"),
        ("not flags", "where 'not flags': must compare flags, which is a number; write 'flags > 0"),
        ("detected == 1", "must not compare detected, which is true or false; write 'detected' or"),
        ("redshift < 1e999", "where 'redshift < 1e999': must compare with a finite number; got 1e"),
        ("n_gal < " + "9" * 5000, "must compare with a finite number; got 99999"),
        ("flags has BLENDD", "where 'flags has BLENDD': flag 'BLENDD' is not known; did you mean "),
        ("flags lacks blended", "flag 'blended' is not known; did you mean 'BLENDED'."),
        ("flags has 2", "flag '2' is not known; known: GAS_TRUNCATED, BLENDED, FIELD_EDGE, "),
    ],
)
def test_what_is_refused(sample, text, message):
    for call in (partial(rows_where, sample, ["detected", text]), partial(sample.where, text)):
        with pytest.raises(InputError) as caught:
            call()
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_nothing_left(sample):
    place = re.escape(str(sample.path))
    with pytest.raises(
        InputError,
        match=rf"^where: must leave at least one row; of 6 in {place} 'redshift > 2' holds for 0\. "
        "Ask for less",
    ):
        sample.where("redshift > 2")
    with pytest.raises(
        InputError,
        match=r"of 6 in \S+ 'detected' holds for 4, 'not detected' holds for 2, all together for "
        r"none\. Ask for less",
    ):
        sample.where("detected", "not detected")
    empty = sample.select([])
    assert len(empty.where()) == 0
    with pytest.raises(InputError, match="'detected' holds for 0"):
        empty.where("detected")
