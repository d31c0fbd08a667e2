"""From a run and a catalog to what `icmass.interpret` explains: here the two parts meet."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import Catalog
from icmass.errors import InputError

if TYPE_CHECKING:
    from icmass.estimate.reading import Reader
    from icmass.estimate.runs import Run
    from icmass.interpret.interventions.agn import EncircledEnergy
    from icmass.interpret.subject import Subject

__all__ = ["point_spread", "proxy_slopes", "subject_of"]

_RADII = 400  # of the point-spread function, denser towards the centre


@dataclass(frozen=True)
class _TensorReader:
    """Reads a catalog as networks of a run do, into tensors."""

    reader: "Reader"

    def read(self, rows: NDArray[np.int64]) -> Any:
        from icmass.estimate.estimator import tensors

        return tensors(self.reader.read(rows))


def subject_of(
    run: "Run",
    catalog: Catalog,
    *,
    target: str = "mean",
    all_folds: bool = False,
    device: str = "cpu",
) -> "Subject":
    """Return what a run judges of a catalog, to be explained.

    Parameters
    ----------
    run : Run
        Complete.
    catalog : Catalog
        Each of its clusters is judged by the fold that did not train on it.
    target : str
        What is explained (`icmass.interpret.subject.Target`).
    all_folds : bool
        Whether clusters that the run does not know are judged by all folds together.
    device : str
        Where networks compute, as torch names it.

    Raises
    ------
    InputError
        If the catalog does not hold what the run sees, holds clusters that it does not know, or
        what is asked does not depend on the images.
    """
    from icmass.estimate.heads import HEADS, SCORES
    from icmass.estimate.reading import Reader
    from icmass.interpret.subject import Channel, Subject, Target

    run.require_complete()
    run.inputs.require(catalog.spec, str(catalog.path))
    if not len(catalog):
        raise InputError(f"{catalog.path}: must hold clusters; got none. Give another catalog.")
    wanted = Target(target)
    if target == "std" and not HEADS[run.config.head].distribution:
        raise InputError(
            f"target: std must be of a head that says a distribution; {run.path} has the head "
            f"{run.config.head}. Train it with --head gaussian or flow, or ask for the mean."
        )
    if target not in ("mean",) and run.config.members > 1:
        raise InputError(
            f"target: must be the mean for a run of {run.config.members} members, whose "
            f"distributions are mixed; got {target}. Explain a run of one member."
        )
    fold = run.folds_of(catalog)
    unknown = int(np.count_nonzero(fold < 0))
    if unknown and not all_folds:
        raise InputError(
            f"{catalog.path}: must hold clusters that {run.path} was trained on, so that each has "
            f"a fold that was not; {unknown:,} of {len(catalog):,} are unknown to it. Give the "
            "catalog of the training, or --all-folds to have these judged by all folds together."
        )
    folds = [run.load_fold(k) for k in range(run.config.folds)]
    thinned = next((one.thinning for one in folds if one.thinning is not None), None)
    if thinned is not None:
        raise InputError(
            f"{run.path}: must see photons as they are; it was trained with equal_weight, which "
            "thins them. Explain a run without it."
        )
    place = _device(device)
    for one in folds:
        for network in one.members:
            network.requires_grad_(False).to(place)
    plain = Reader(catalog, run.inputs, seed=run.config.seed)
    return Subject(
        catalog=catalog,
        judges=tuple(one.members for one in folds),
        fold=fold,
        reader=lambda other: _TensorReader(replace(plain, catalog=other)),
        channels=tuple(
            Channel(channel.name, tuple(name for name, _, _ in channel.bands))
            for channel in run.inputs.channels
        ),
        origins=run.inputs.origins or catalog.spec.origins,
        factor=run.inputs.rebinning(catalog.spec),
        scores=SCORES,
        target=wanted,
    )


def proxy_slopes(catalog: Catalog) -> dict[str, float]:
    """Return d ln(proxy) / d ln M of photon counts and luminosity of `catalog`, by column.

    One slope for all redshifts, and a normalisation that follows ln(1 + z). Proxies that are
    absent, known of too few clusters, or do not grow with mass are left out.
    """
    from icmass.estimate.proxies import ProxySample
    from icmass.estimate.scaling import Smooth, fit_relations
    from icmass.interpret.proxies import PROXY_SYMBOLS

    names = {column.name for column in catalog.columns}
    slopes = {}
    for name in PROXY_SYMBOLS:
        if name not in names:
            continue
        sample = ProxySample.of(catalog.column, {name: name})
        degree = 1 if len(np.unique(sample.redshift)) > 1 else 0
        evolution = Smooth.of(sample.redshift, norm_degree=degree, slope_degree=0)
        try:
            slope = float(fit_relations(sample, evolution).slope()[0])
        except InputError:  # too few clusters, or of one mass
            continue
        if slope > 0.0:  # of a few clusters it may be anything, and no mass follows from it
            slopes[name] = slope
    return slopes


def point_spread(catalog: Catalog) -> "EncircledEnergy | None":
    """Return the point-spread function of the telescope that `catalog` says it was made with.

    None where it does not say, or the telescope is not known here.
    """
    from icmass.interpret.interventions.agn import EncircledEnergy
    from icmass.simulate.instrument import Instrument

    config = catalog.spec.provenance.get("config")
    if not isinstance(config, Mapping) or not {"instrument", "mode"} <= set(config):
        return None
    try:
        psf = Instrument.load(str(config["instrument"])).psf(str(config["mode"]))
    except InputError:
        return None
    radius = np.linspace(0.0, 1.0, _RADII) ** 2 * psf.max_radius_arcsec
    share = psf.encircled(radius)
    return EncircledEnergy(tuple(radius.tolist()), tuple((share / share[-1]).tolist()))


def _device(name: str) -> Any:
    import torch

    try:
        place = torch.device(name)
        torch.zeros(1, device=place).cpu()
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device: must be one that torch has here, such as cpu; got '{name}' "
            f"({str(error).splitlines()[0].split('. ')[0].rstrip('.')})."
        ) from error
    return place
