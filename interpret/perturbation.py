"""What networks say of clusters from which pixels are taken: in an order, and square by square.

Pixels that are taken are as in the baseline (`icmass.interpret.attribution.baselines`). Changes are
of ln M, or of what else the target of the subject is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from icmass.catalog import KEY
from icmass.errors import InputError
from icmass.interpret.attribution.baselines import baseline as baseline_of
from icmass.interpret.attribution.baselines import require_baseline
from icmass.interpret.attribution.spaces import (
    Function,
    function,
    others,
    require_space,
    variable,
)
from icmass.interpret.subject import Subject

__all__ = ["Judged", "Perturbation"]

Floats = NDArray[np.float64]

_RANDOM: Final = 0x72616E64  # these two tell uses of the seed from others
_TIES: Final = 0x74696573


class Judged(NamedTuple):
    """Clusters and the networks that judge them.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
    key : ndarray of int, shape (n, 4)
    x, start : Tensor, shape (n, ...)
        What is seen of them, and its baseline.
    ask : Function
    beside : tuple
        What is seen beside x.
    """

    rows: NDArray[np.int64]
    key: NDArray[np.int64]
    x: Tensor
    start: Tensor
    ask: Function
    beside: tuple[Any, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what is seen of one."""
        return tuple(self.x.shape[1:])

    def lit(self) -> NDArray[np.bool_]:
        """Return which pixels differ from the baseline, shape (n, pixels)."""
        result: NDArray[np.bool_] = (self.x != self.start).flatten(1).cpu().numpy()
        return result

    def without(self, pixels: NDArray[np.bool_]) -> Floats:
        """Return what is said without some pixels, shape (n,); `pixels` has shape (n, pixels)."""
        taken = torch.from_numpy(pixels.reshape(len(pixels), *self.shape)).to(self.x.device)
        with torch.no_grad():
            value = self.ask(torch.where(taken, self.start, self.x), *self.beside)
        result: Floats = value.cpu().double().numpy()
        return result


@dataclass(frozen=True)
class Perturbation:
    """How pixels are taken.

    Attributes
    ----------
    subject : Subject
    space : str
        Whether of images (inputs, photons) or of the cube of galaxies.
    baseline : str
    fractions : tuple of float, length k
        Parts of the pixels that differ from the baseline, ascending from 0 to 1.
    patches : int
        On a side of the image.
    seed : int
        Of random orders, which a cluster has whatever is asked with it.
    """

    subject: Subject
    space: str
    baseline: str
    fractions: tuple[float, ...]
    patches: int
    seed: int

    def __post_init__(self) -> None:
        require_space(self.space)
        require_baseline(self.subject, self.space, self.baseline)
        steps = np.array(self.fractions, np.float64)
        ends = (steps[:1].tolist(), steps[-1:].tolist())
        if ends != ([0.0], [1.0]) or not (np.diff(steps) > 0.0).all():
            raise InputError(f"fractions: must ascend from 0 to 1; got {self.fractions}.")
        side = min(self.subject.shape[1:])
        if not 2 <= self.patches <= side:
            raise InputError(f"patches: must be 2 to {side} on a side; got {self.patches}.")

    def judged(self, rows: NDArray[np.int64]) -> Iterator[Judged]:
        """Yield the clusters of `rows`, shape (n,), those that the same networks judge together."""
        kind = "galaxies" if self.space == "galaxies" else "photons"
        for some, networks, seen in self.subject.batches(max(len(rows), 1), rows):
            yield Judged(
                some,
                np.stack([self.subject.catalog.column(name)[some] for name in KEY], axis=1),
                variable(seen, kind),
                baseline_of(self.subject, some, seen, kind, self.baseline),
                function(self.subject, networks, kind),
                others(seen, kind),
            )

    def curves(
        self, judged: Judged, attributed: Sequence[Floats] | None = None
    ) -> tuple[Floats, Floats]:
        """Return what becomes of ln M when pixels are taken, and when they are put back.

        Parameters
        ----------
        judged : Judged
        attributed : sequence of ndarray, optional
            Of each cluster, flat: pixels of large values come first. In random order without.

        Returns
        -------
        deletion, insertion : ndarray, shape (n, k)
            Less ln M of the whole cluster.
        """
        lit = judged.lit()
        rank, number = self._ranks(judged, lit, attributed), lit.sum(axis=1)
        whole = judged.without(np.zeros_like(lit))
        empty = judged.without(np.ones_like(lit)) - whole
        deletion, insertion = [np.zeros_like(whole)], [empty]
        for fraction in self.fractions[1:-1]:
            first = rank < np.rint(fraction * number)[:, None]
            deletion.append(judged.without(first) - whole)
            insertion.append(judged.without(~first) - whole)
        deletion.append(empty)
        insertion.append(np.zeros_like(whole))
        return np.stack(deletion, axis=1), np.stack(insertion, axis=1)

    def lost(self, judged: Judged) -> Floats:
        """Return what ln M of `judged` clusters loses without each patch, shape (n, patches^2)."""
        patch, n = self.patch(judged.shape), len(judged.rows)
        whole = judged.without(np.zeros((n, len(patch)), bool))
        lost = [
            whole - judged.without(np.repeat((patch == k)[None], n, axis=0))
            for k in range(self.patches**2)
        ]
        return np.stack(lost, axis=1)

    def patch(self, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Return the patch of each pixel of images of this `shape`, flat, shape (n_pixel,).

        All channels of a pixel are in one.
        """
        n_y, n_x = shape[-2:]
        row, column = (np.arange(n) * self.patches // n for n in (n_y, n_x))
        return np.broadcast_to(row[:, None] * self.patches + column, shape).ravel()

    def _ranks(
        self, judged: Judged, lit: NDArray[np.bool_], attributed: Sequence[Floats] | None
    ) -> NDArray[np.int64]:
        """Return when each pixel is taken, shape (n, pixels); those of the baseline come last."""
        rank = np.full(lit.shape, lit.shape[1], np.int64)
        use = _RANDOM if attributed is None else _TIES
        for k, key in enumerate(judged.key.astype(np.int64).view(np.uint64).tolist()):
            rng = np.random.default_rng([use, self.seed, *key])
            order = rng.permutation(np.flatnonzero(lit[k]))
            if attributed is not None:
                order = order[np.argsort(-attributed[k][order], kind="stable")]
            rank[k, order] = np.arange(len(order))
        return rank
