"""Who is tested by whom: folds of halos, so that none is on both sides of a split.

A fold is a number per row. Everything of one halo, with all its lines of sight, is in one fold; in
spatial folds everything near it as well, so that no structure of the simulated box is shared.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.bootstrap import haloes_of
from icmass.errors import InputError

if TYPE_CHECKING:
    from icmass.catalog import Catalog

__all__ = ["Split", "catalog_folds", "halo_folds", "require_apart", "spatial_folds", "splits"]

Integers = NDArray[np.int64]


class Split(NamedTuple):
    """Row numbers of the three parts of one fold."""

    train: Integers
    validation: Integers
    test: Integers


def spatial_folds(position_mpc: ArrayLike, box_size_mpc: float, cells: int = 2) -> Integers:
    """Return the cell of the box that each halo is in: octants by default.

    Parameters
    ----------
    position_mpc : array, shape (n, 3)
        Comoving position in the simulated box, from 0 to its size.
    box_size_mpc : float
    cells : int
        Per side, so that there are cells^3 folds.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    InputError
        If a position is not in the box, as when it is not known.
    """
    position = np.asarray(position_mpc, np.float64)
    inside = ((position >= 0.0) & (position <= box_size_mpc)).all(axis=1)
    if not inside.all():
        raise InputError(
            f"position: must be from 0 to {box_size_mpc} Mpc, as the box; {np.sum(~inside)} of "
            f"{len(position)} rows are not. Take folds by halo."
        )
    cell = np.minimum((position * (cells / box_size_mpc)).astype(np.int64), cells - 1)
    return cell @ np.array([cells * cells, cells, 1])


def halo_folds(halo: ArrayLike, n_folds: int, seed: int = 0) -> Integers:
    """Return folds of equal numbers of halos, drawn at random.

    Parameters
    ----------
    halo : array of int, shape (n,)
        The halo that each row is of (`icmass.bootstrap.haloes_of`).
    n_folds : int
        From 2 to the number of halos.
    seed : int

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    InputError
        If there are fewer halos than folds.
    """
    owner = np.unique(np.asarray(halo), return_inverse=True)[1].ravel()
    n_halos = int(owner.max()) + 1 if len(owner) else 0
    if not 2 <= n_folds <= n_halos:
        raise InputError(f"folds: must be from 2 to the {n_halos} halos; got {n_folds}.")
    fold = np.arange(n_halos) % n_folds
    return np.random.default_rng(seed).permutation(fold)[owner]


def catalog_folds(catalog: "Catalog", n_folds: int = 8, seed: int = 0) -> Integers:
    """Return folds of a catalog: octants of its box where it has one, or else of halos.

    Octants are taken for 8 folds only, and if no octant is empty.

    Parameters
    ----------
    catalog : Catalog
        n rows.
    n_folds : int
        From 2 to the number of halos.
    seed : int
        Of the random order of halos.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    InputError
        If there are fewer halos than folds.
    """
    halo = haloes_of(catalog)
    names = ("box_x_mpc", "box_y_mpc", "box_z_mpc")
    present = {column.name for column in catalog.columns}
    if n_folds == 8 and catalog.spec.box_size_mpc is not None and present.issuperset(names):
        position = np.stack([catalog.column(name) for name in names], axis=1)
        if np.isfinite(position).all():
            fold = spatial_folds(position, catalog.spec.box_size_mpc)
            if len(np.unique(fold)) == n_folds:
                require_apart(fold, halo)
                return fold
    return halo_folds(halo, n_folds, seed)


def splits(
    fold: ArrayLike, halo: ArrayLike, validation: float = 0.1, seed: int = 0
) -> Iterator[Split]:
    """Yield for each fold the rows to train on, to validate and to test.

    Parameters
    ----------
    fold, halo : array of int, shape (n,)
    validation : float
        Part of the halos outside the fold that is set apart for validation, at random.
    seed : int

    Raises
    ------
    InputError
        If a halo is in two folds, or `validation` is not in [0, 1).
    """
    fold, owner = np.asarray(fold), np.asarray(halo)
    require_apart(fold, owner)
    if not 0.0 <= validation < 1.0:
        raise InputError(f"validation: must be from 0 to below 1; got {validation}.")
    for number in np.unique(fold):
        halos = np.unique(owner[fold != number])
        rng = np.random.default_rng([seed, number])
        held = rng.permutation(halos)[: round(validation * len(halos))]
        is_held = np.isin(owner, held)
        outside = fold != number
        yield Split(
            np.flatnonzero(outside & ~is_held),
            np.flatnonzero(outside & is_held),
            np.flatnonzero(~outside),
        )


def require_apart(fold: ArrayLike, halo: ArrayLike) -> None:
    """Refuse a `fold` that shares a `halo` with another, both of shape (n,).

    Raises
    ------
    InputError
        If rows of one halo are in different folds.
    """
    pairs = np.unique(np.stack([np.asarray(halo), np.asarray(fold)], axis=1), axis=0)
    owner, count = np.unique(pairs[:, 0], return_counts=True)
    if (count > 1).any():
        raise InputError(
            f"folds: must hold whole halos; {np.sum(count > 1)} halos are in several folds, the "
            f"first is number {owner[count > 1][0]}."
        )
