"""Several catalogs seen as one: the rows of each, wherever they are, and nothing written."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from icmass.catalog import Catalog, Failure
from icmass.catalog.shard_data import row_keys
from icmass.errors import InputError
from icmass.estimate.folds import catalog_folds, spatial_folds
from icmass.estimate.metrics import halo_numbers
from tests.helpers.catalogs import SPEC, shard_data
from tests.helpers.masses import make_catalog

SIZES = ((5, 3), (4,), (2, 6, 1))  # of the shards of three catalogs


@pytest.fixture(scope="module")
def parts(tmp_path_factory) -> list[Catalog]:
    """Three catalogs of different clusters, of one kind but for the provenance; read only."""
    folder = tmp_path_factory.mktemp("parts")
    result = []
    for number, sizes in enumerate(SIZES):
        spec = replace(SPEC, provenance={"seed": number})
        part = Catalog.create(folder / f"part{number}", spec)
        for shard, n in enumerate(sizes):
            data = shard_data(spec, n, first=1000 * number + 100 * shard, seed=number)
            failure = Failure(0, 0, 10 * number + shard, 0, "none")
            part.append(replace(data, failures=(failure,)))
        result.append(Catalog.open(part.path))
    return result


@pytest.fixture
def some(parts) -> list[Catalog]:
    """The whole first, some of the second backwards, and a selection of one of the third."""
    return [parts[0], parts[1].select([3, 1, 0]), parts[2].select([8, 2, 3, 7]).select([0, 3, 1])]


@pytest.fixture(params=["whole", "some"])
def case(request, parts, some) -> tuple[list[Catalog], Catalog]:
    pieces = parts if request.param == "whole" else some
    return pieces, Catalog.join(pieces)


def files(path: Path) -> dict[str, bytes]:
    return {p.relative_to(path).as_posix(): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def owners(pieces: list[Catalog]) -> list[tuple[Catalog, int]]:
    return [(piece, row) for piece in pieces for row in range(len(piece))]


def test_rows_are_those_of_the_parts_in_their_order(case):
    pieces, joined = case
    assert len(joined) == sum(len(piece) for piece in pieces)
    rows = np.concatenate([piece.rows() for piece in pieces])
    assert joined.rows().tobytes() == rows.tobytes()
    assert joined.columns == pieces[0].columns
    for name in ("halo_id", "m500c_msun", "n_phot_hard", "box_x_mpc"):
        assert np.array_equal(joined.column(name), rows[name])
    assert np.array_equal(joined.table(["redshift"])["redshift"], rows["redshift"])
    assert len(np.unique(row_keys(joined.rows()))) == len(joined)


@pytest.mark.parametrize(
    "wanted", [{}, {"bands": ["hard", "soft"]}, {"origins": ["agn", "icm"]}, {"origins": ["icm"]}]
)
@pytest.mark.parametrize("apart", [False, True])
def test_images_are_those_of_the_parts(case, wanted, apart):
    pieces, joined = case
    everything = np.concatenate([piece.images(apart=apart, **wanted) for piece in pieces])
    expected = np.concatenate([piece.expectations(apart=apart, **wanted) for piece in pieces])
    assert np.array_equal(joined.images(apart=apart, **wanted), everything)
    assert np.array_equal(joined.expectations(apart=apart, **wanted), expected)
    rows = np.random.default_rng(3).integers(0, len(joined), 40)  # back and forth, some twice
    assert np.array_equal(joined.images(rows, apart=apart, **wanted), everything[rows])
    assert np.array_equal(joined.expectations(rows, apart=apart, **wanted), expected[rows])
    # The rows are told apart: in another order they are not the same.
    assert not np.array_equal(joined.images(rows[::-1], apart=apart, **wanted), everything[rows])


def test_lists_and_maps_are_those_of_the_parts(case):
    pieces, joined = case
    exposure = np.concatenate([piece.exposure_maps() for piece in pieces])
    assert np.array_equal(joined.exposure_maps(), exposure)
    for row, (piece, place) in enumerate(owners(pieces)):
        assert np.array_equal(joined.galaxies(row), piece.galaxies(place))
        assert np.array_equal(joined.regions(row), piece.regions(place))
    found = {failure.halo_id for failure in joined.failures()}
    assert found == {0, 1, 10, 20, 21, 22}


def test_views_of_it(case):
    pieces, joined = case
    owner = owners(pieces)
    order = np.random.default_rng(1).permutation(len(joined))[:7]
    view = joined.select(order).select([6, 0, 3])
    for row, number in enumerate(order[[6, 0, 3]]):
        piece, place = owner[number]
        assert np.array_equal(view.images(row), piece.images(place))
        assert np.array_equal(view.galaxies(row), piece.galaxies(place))
    massive = joined.select(joined.column("m500c_msun") > 2e14)
    assert 0 < len(massive) < len(joined)
    assert (massive.column("m500c_msun") > 2e14).all()


def test_it_can_be_copied_out(case, tmp_path):
    joined = case[1]
    copy = Catalog.concatenate([joined], tmp_path / "copy")
    copy.validate()
    place = {tuple(key): row for row, key in enumerate(row_keys(copy.rows()).tolist())}
    rows = [place[tuple(key)] for key in row_keys(joined.rows()).tolist()]
    assert sorted(rows) == list(range(len(joined)))
    assert np.array_equal(copy.images(rows, apart=True), joined.images(apart=True))
    joined.export(tmp_path / "table.ecsv")
    assert (tmp_path / "table.ecsv").stat().st_size > 0


def test_one_catalog_is_itself(parts):
    assert Catalog.join([parts[1]]) is parts[1]
    assert Catalog.join([parts[1].path]).fingerprint() == parts[1].fingerprint()
    with pytest.raises(InputError, match="join: must be given at least one catalog; got none"):
        Catalog.join([])


def test_joined_catalogs_are_joined_again(parts):
    joined = Catalog.join([Catalog.join(parts[:2]), parts[2].path])
    assert np.array_equal(joined.images(), Catalog.join(parts).images())
    picked = Catalog.join([parts[2], Catalog.join(parts[:2]).select([10, 1])])
    assert np.array_equal(
        picked.images([9, 10]), np.stack([parts[1].images(2)[0], parts[0].images(1)[0]])
    )


def test_fingerprints_tell_every_part_apart(parts, tmp_path):
    views = [
        Catalog.join(parts),
        Catalog.join(parts[::-1]),
        Catalog.join(parts[:2]),
        Catalog.join([parts[0], parts[2]]),
        Catalog.join([*parts[:2], parts[2].select([0])]),
        Catalog.join([*parts[:2], parts[2].select([1])]),
        Catalog.join([parts[0].select([0]), *parts[1:]]),
        Catalog.join(parts).select([0]),
        *parts,
    ]
    prints = [view.fingerprint() for view in views]
    assert len(set(prints)) == len(prints)
    again = Catalog.join([part.path for part in parts])
    assert again.fingerprint() == prints[0]
    assert again.spec.provenance["joined"] == [
        {"fingerprint": part.fingerprint(), "seed": seed} for seed, part in enumerate(parts)
    ]


def test_it_can_be_sent_to_workers(case):
    pieces, joined = case
    for view in (joined, joined.select([2, 0])):
        sent = pickle.loads(pickle.dumps(view))
        assert sent.fingerprint() == view.fingerprint()
        assert np.array_equal(sent.images(apart=True), view.images(apart=True))
        assert sent.spec == view.spec
    assert len(pickle.dumps(joined)) < 20_000  # no images, no columns
    nested = Catalog.join([Catalog.join(pieces[:2]), pieces[2]])
    assert pickle.loads(pickle.dumps(nested)).fingerprint() == nested.fingerprint()


def test_a_part_that_changed_is_not_reopened(parts, tmp_path):
    growing = Catalog.create(tmp_path / "growing", SPEC)
    growing.append(shard_data(first=5000))
    joined = Catalog.join([parts[0], growing])
    reopen, arguments = joined.__reduce__()
    images = joined.images()
    growing.append(shard_data(first=6000))
    assert np.array_equal(joined.images(), images)  # what was joined stays
    assert len(joined) == 8 + 5
    match = "part0 and .*growing: changed since it was opened; open it again"
    with pytest.raises(InputError, match=match):
        reopen(*arguments)


def test_nothing_is_written(case):
    pieces, joined = case
    before = {piece.path: files(piece.path) for piece in pieces}
    n = len(joined)
    calls = {
        "append": lambda: joined.append(shard_data(first=9000)),
        "write_shard": lambda: joined.write_shard(9, shard_data(first=9000)),
        "register": lambda: joined.register(*joined.shards),
        "adopt": joined.adopt,
        "lock": joined.lock,
        "write_predictions": lambda: joined.write_predictions("mine", np.zeros(n), np.ones(n)),
    }
    for name, call in calls.items():
        match = (
            rf"^{name}: must be called on one catalog; .*part0 and 2 more is a view of several "
            r"catalogs\. Write into each\.$"
        )
        with pytest.raises(InputError, match=match):
            call()
    match = r"view of several catalogs\. Validate each\."
    with pytest.raises(InputError, match=match):
        joined.validate()
    for read in (joined.prediction_names, lambda: joined.predictions("mine")):
        with pytest.raises(InputError, match=r"view of several catalogs\. Read those of each\."):
            read()
    assert {piece.path: files(piece.path) for piece in pieces} == before
    assert not joined.path.exists()


def test_catalogs_that_differ(parts, tmp_path):
    for change, match in (
        ({"galaxies": False}, r"other0: must have the same galaxies as .*part0; got False and"),
        ({"bands": SPEC.bands[:2]}, r"other1: must have the same bands as .*they differ in hard"),
        ({"box_size_mpc": 400.0}, r"other2: must have the same box_size_mpc as .*got 400\.0 and"),
    ):
        other = Catalog.create(tmp_path / match[:6], replace(SPEC, **change))
        with pytest.raises(InputError, match=match):
            Catalog.join([*parts, other])


def test_keys_that_two_catalogs_share(parts, tmp_path):
    other = Catalog.create(tmp_path / "other", SPEC)
    other.append(shard_data(n=3, first=2099))
    other.append(shard_data(n=5, first=2101))  # but one of the six of a shard of part2
    match = (
        r"^\S+other: must not share clusters with \S+part2; 5 have the same numbers, such as "
        r"sample_id 0, snapshot_id 0, halo_id 2100, line_of_sight 0\. Simulate one with another "
        r"seed \(of snapshots: another sample_id\); if their haloes differ in spite of the "
        r"numbers, Catalog\.concatenate renumbers them\.$"
    )
    with pytest.raises(InputError, match=match):
        Catalog.join([*parts, other])
    with pytest.raises(InputError, match=r"part1: must not share clusters with \S+part1; 4 have"):
        Catalog.join([parts[1], parts[0], parts[1]])
    # Rows that are not selected do not matter, nor do other lines of sight of one halo.
    apart = [
        part.select(part.column("line_of_sight") == side)
        for part, side in zip(parts, (0, 1, 0), strict=True)
    ]
    sides = [parts[0].select(parts[0].column("line_of_sight") == side) for side in (1, 0)]
    assert len(Catalog.join([*sides, *apart[1:]])) == 8 + 2 + 5


def test_folds_hold_whole_haloes_of_every_box(tmp_path):
    parts = [
        make_catalog(tmp_path / "one", 64),
        make_catalog(tmp_path / "two", 48, seed=5, sample=5),
    ]
    sides = [parts[0].select(parts[0].column("line_of_sight") == side) for side in (0, 1)]
    joined = Catalog.join([sides[0], parts[1], sides[1]])
    fold = catalog_folds(joined)
    position = [joined.column(f"box_{axis}_mpc") for axis in "xyz"]
    assert np.array_equal(fold, spatial_folds(np.stack(position, axis=1), 100.0))
    for row, (piece, place) in enumerate(owners([sides[0], parts[1], sides[1]])[::5]):
        assert fold[5 * row] == catalog_folds(piece)[place]  # each box keeps its octants
    halo = halo_numbers(*(joined.column(k) for k in ("sample_id", "snapshot_id", "halo_id")))
    assert len(np.unique(halo)) == 32 + 24
    for folds in (fold, catalog_folds(joined, n_folds=5, seed=2)):
        assert len(np.unique(np.stack([halo, folds]), axis=1).T) == 32 + 24
        assert np.array_equal(folds[:32], folds[-32:])  # both sides of the haloes of the first
