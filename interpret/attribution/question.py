"""What a method of attribution is given: some clusters, their baseline, and whom to ask."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from icmass.catalog import KEY
from icmass.interpret.attribution.baselines import baseline
from icmass.interpret.attribution.spaces import Function, function, others, variable
from icmass.interpret.subject import Seen, Subject

__all__ = ["Question", "ask"]


@dataclass
class Question:
    """Why networks say of n clusters what they do.

    Attributes
    ----------
    function : Function
        What is explained.
    x : Tensor, shape (n, ...)
        Its argument, of these clusters.
    others : tuple
        What is given beside x.
    baseline : Tensor or None, shape (n, ...)
        None for methods that use none.
    key : ndarray of int, shape (n, 4)
        Names of the clusters, by which random numbers are drawn.
    batch_size : int
        Clusters, changed ones among them, that networks may be shown at once.
    prediction : Tensor or None, shape (n,)
        f of these clusters, once it is known.
    """

    function: Function
    x: Tensor
    others: tuple[Any, ...]
    baseline: Tensor | None
    key: NDArray[np.int64]
    batch_size: int
    prediction: Tensor | None = None

    def leaf(self) -> Tensor:
        """Return x, shape (n, ...), by which derivatives can be taken."""
        return self.x.detach().requires_grad_()

    def ask(self, x: Tensor, *beside: Any) -> Tensor:
        """Return f of `x`, shape (n,), with what stands `beside` it.

        What is said first is kept as the prediction, so it must be of the clusters.
        """
        value = self.function(x, *beside)
        if self.prediction is None:
            self.prediction = value.detach()
        return value

    def predict(self) -> Tensor:
        """Return f of the clusters, shape (n,)."""
        if self.prediction is not None:
            return self.prediction
        with torch.no_grad():
            return self.ask(self.x, *self.others)

    def predict_baseline(self) -> Tensor:
        """Return f of the baseline, shape (n,); NaN where there is none."""
        if self.baseline is None:
            return torch.full((len(self.x),), torch.nan)
        with torch.no_grad():
            return self.function(self.baseline, *self.others)

    def generators(self, seed: int) -> list[np.random.Generator]:
        """Return a random generator for each cluster, made of its key and `seed` alone."""
        unsigned = self.key.astype(np.int64).view(np.uint64).tolist()
        return [np.random.default_rng([seed, *names]) for names in unsigned]


def ask(
    subject: Subject,
    rows: NDArray[np.int64],
    networks: Any,
    seen: Seen,
    *,
    space: str,
    wanted_baseline: str | None,
    batch_size: int,
) -> Question:
    """Return the question about a batch of `Subject.batches`.

    Parameters
    ----------
    subject : Subject
    rows : ndarray of int, shape (n,)
    networks : sequence of nn.Module
    seen : Seen
        As the batch has them.
    space : str
        One of `icmass.interpret.attribution.spaces.SPACES`.
    wanted_baseline : str or None
        One of `icmass.interpret.attribution.baselines.BASELINES`; None for methods without.
    batch_size : int
        Clusters, changed ones among them, that networks may be shown at once.

    Raises
    ------
    InputError
        If space or baseline are not to be had.
    """
    against = (
        None if wanted_baseline is None else baseline(subject, rows, seen, space, wanted_baseline)
    )
    key = np.stack([subject.catalog.column(name)[rows] for name in KEY], axis=1)
    return Question(
        function(subject, networks, space),
        variable(seen, space),
        others(seen, space),
        against,
        np.ascontiguousarray(key, np.int64),
        batch_size,
    )
