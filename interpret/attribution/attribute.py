"""Attributions of the clusters of a subject, batch by batch, each by the networks of its fold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from icmass.errors import InputError
from icmass.interpret.attribution.baselines import require_baseline
from icmass.interpret.attribution.methods import Method, make_method
from icmass.interpret.attribution.question import ask
from icmass.interpret.attribution.spaces import require_space, variable
from icmass.interpret.subject import Subject

__all__ = ["Attributed", "attributions", "wanted_rows"]


@dataclass(frozen=True)
class Attributed:
    """Attributions of m clusters.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
        Of the catalog of the subject.
    values : ndarray of float32, shape (m, n_channel, n_y, n_x)
        With their sign, in the pixels of the networks; (m, v, y, x) of the cube of galaxies.
    prediction : ndarray, shape (m,)
        What is explained, in ln M.
    baseline_prediction : ndarray, shape (m,)
        The same of the baseline; NaN for methods without one.
    completeness : ndarray, shape (m,)
        For integrated gradients the sum of the values beyond prediction - baseline_prediction: the
        error of the quadrature, in ln M. NaN for others.
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float32]
    prediction: NDArray[np.float64]
    baseline_prediction: NDArray[np.float64]
    completeness: NDArray[np.float64]


def attributions(
    subject: Subject,
    method: str | Method = "saliency",
    *,
    space: str = "inputs",
    baseline: str = "empty",
    rows: ArrayLike | None = None,
    batch_size: int = 64,
    report: Callable[[int], None] | None = None,
) -> Iterator[Attributed]:
    """Attribute what networks say of clusters to what they see.

    Parameters
    ----------
    subject : Subject
    method : str or Method
        A name in `icmass.interpret.attribution.methods.METHODS`, or a method with settings.
    space : str
        inputs (x = ln(1 + N)), photons (x = N), or galaxies.
    baseline : str
        empty or background, for methods that use one.
    rows : array of int, shape (n,), optional
        Clusters wanted, each once; all by default.
    batch_size : int
        Clusters, changed ones among them, that networks are shown at once. It decides memory and
        speed; results differ by rounding.
    report : callable, optional
        Called with the number of clusters just done.

    Returns
    -------
    iterator of Attributed
        Fold by fold, so not in the order of `rows`. Errors come before the first.

    Raises
    ------
    InputError
        If there is no such method, space, baseline or row, or it cannot be asked of these networks.
    """
    chosen = make_method(method)
    require_space(space)
    require_baseline(subject, space, baseline)
    if batch_size < 1:
        raise InputError(f"batch_size: must be at least 1; got {batch_size}.")
    wanted = wanted_rows(subject, rows)
    for _, _, seen in subject.batches(1, wanted[:1]):
        chosen.require(space, tuple(variable(seen, space).shape[1:]))
    return _attribute(subject, chosen, space, baseline, wanted, batch_size, report)


def wanted_rows(subject: Subject, rows: ArrayLike | None) -> NDArray[np.int64]:
    """Return the `rows` of a `subject` that are wanted, shape (n,): all for None.

    Raises
    ------
    InputError
        If one is not there, or wanted twice.
    """
    if rows is None:
        return np.arange(len(subject))
    wanted = np.atleast_1d(np.asarray(rows))
    if wanted.size and wanted.dtype.kind not in "iu":
        raise InputError(f"rows: must be whole numbers; got {wanted.dtype}.")
    if wanted.size and not (wanted.min() >= 0 and wanted.max() < len(subject)):
        raise InputError(
            f"rows: must be from 0 to {len(subject) - 1}; got {wanted.min()} to {wanted.max()}."
        )
    if len(np.unique(wanted)) < len(wanted):
        raise InputError("rows: must name each cluster once; got some twice.")
    return wanted.astype(np.int64)


def _attribute(
    subject: Subject,
    method: Method,
    space: str,
    baseline: str,
    rows: NDArray[np.int64],
    batch_size: int,
    report: Callable[[int], None] | None,
) -> Iterator[Attributed]:
    against = baseline if method.uses_baseline else None
    for some, networks, seen in subject.batches(batch_size, rows):
        question = ask(
            subject,
            some,
            networks,
            seen,
            space=space,
            wanted_baseline=against,
            batch_size=batch_size,
        )
        values = method.attribute(question)
        prediction = _numbers(question.predict())
        start = _numbers(question.predict_baseline())
        missing = np.full(len(some), np.nan)
        if method.is_complete:
            missing = _numbers(values).reshape(len(some), -1).sum(axis=1) - (prediction - start)
        yield Attributed(some, values.float().cpu().numpy(), prediction, start, missing)
        if report is not None:
            report(len(some))


def _numbers(values: Tensor) -> NDArray[np.float64]:
    return values.detach().cpu().double().numpy()
