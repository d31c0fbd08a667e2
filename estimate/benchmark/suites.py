"""Which estimators a benchmark trains, and how much it takes for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from icmass.errors import InputError
from icmass.names import nearest

__all__ = ["GALAXIES_OF", "ORIGINS", "SUITES", "Suite", "TrainedRow", "suite_named"]

#: The study's images hold gas and AGN, no background.
ORIGINS: Final = ("icm", "agn")
_PAPER_SINGLE, _PAPER_MULTIBAND, _PAPER_MULTIMODAL = 17.8, 16.2, 15.9  # %, Ho et al. 2023, table 2
#: Columns that are measured on galaxies.
GALAXIES_OF: Final = frozenset({"n_gal", "sigma_v_clipped_km_s"})
_SEEN: Final = ("redshift", "exposure_s")


@dataclass(frozen=True, eq=False)
class TrainedRow:
    """One row of the table that is trained.

    Attributes
    ----------
    name : str
        Of the run's directory.
    label : str
        In the table.
    config : mapping
        Keys of `icmass.config.TrainConfig`, over those of the suite.
    paper : float or None
        The study's scatter in ln M, %.
    leak_test : bool
        Whether it stands in the table of leaks rather than in that of estimators.
    """

    name: str
    label: str
    config: Mapping[str, Any]
    paper: float | None = None
    leak_test: bool = False


@dataclass(frozen=True)
class Suite:
    """A benchmark: rows and what they cost.

    Attributes
    ----------
    name, statement : str
        What is said of it beside the table.
    folds : int
    max_clusters : int or None
        Haloes used; all if None.
    n_resamples : int
        Of the bootstrap of errors.
    common : mapping
        Keys of `TrainConfig` for all rows.
    networks : mapping of str to mapping
        Further keys by network.
    rows : tuple of TrainedRow
    """

    name: str
    statement: str
    folds: int
    max_clusters: int | None
    n_resamples: int
    common: Mapping[str, Any]
    networks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rows: tuple[TrainedRow, ...] = ()

    def keys(self, row: TrainedRow) -> dict[str, Any]:
        """Return the keys of the configuration of `row`: the suite's, the network's, its own."""
        network = str(row.config["network"])
        cut = {} if self.max_clusters is None else {"max_clusters": self.max_clusters}
        return {
            "origins": list(ORIGINS),
            "folds": self.folds,
            **cut,
            **self.common,
            **self.networks.get(network, {}),
            **row.config,
        }


def _row(name: str, label: str, network: str, *inputs: str, **more: Any) -> TrainedRow:
    paper, leak = more.pop("paper", None), more.pop("leak_test", False)
    return TrainedRow(
        name, label, {"network": network, "inputs": list(inputs), **more}, paper, leak
    )


_PAPER: Final = (
    _row(
        "paper-single", "paper's CNN, one band", "paper-single", "all", *_SEEN, paper=_PAPER_SINGLE
    ),
    _row(
        "paper-multiband",
        "paper's CNN, three bands",
        "paper-multiband",
        "bands",
        *_SEEN,
        paper=_PAPER_MULTIBAND,
    ),
    _row(
        "paper-multimodal",
        "paper's CNN, three bands and galaxies",
        "paper-multimodal",
        "bands",
        "galaxies",
        *_SEEN,
        paper=_PAPER_MULTIMODAL,
    ),
)
_OURS: Final = (
    _row("profile", "profile network, three bands", "profile", "bands", *_SEEN),
    _row("resnet-single", "resnet, one band", "resnet", "all", *_SEEN),
    _row("resnet", "resnet, three bands", "resnet", "bands", *_SEEN),
)
_FLOW: Final = _row(
    "resnet-flow", "resnet, three bands, flow head", "resnet", "bands", *_SEEN, head="flow"
)
_PROFILE_FLOW: Final = _row(
    "profile-flow",
    "profile network, three bands, flow head",
    "profile",
    "bands",
    *_SEEN,
    head="flow",
)
_GALAXIES: Final = _row(
    "resnet-richness",
    "resnet, three bands, richness and velocity dispersion",
    "resnet",
    "bands",
    *_SEEN,
    "n_gal",
    "sigma_v_clipped_km_s",
)


def _leaks(network: str, channel: str) -> tuple[TrainedRow, ...]:
    """Return rows that tell whether the redshift comes in by another door than the front."""
    words = {
        "given": ("z given", ("redshift",), {}),
        "withheld": ("z withheld", (), {}),
        "scaled": ("z withheld, images scaled as in the study", (), {"redshift_scaling": True}),
        "thinned": ("z withheld, photons thinned to equal weight", (), {"equal_weight": True}),
        "thinned-given": (
            "z given, photons thinned to equal weight",
            ("redshift",),
            {"equal_weight": True},
        ),
    }
    return tuple(
        _row(f"leak-{key}", label, network, channel, *seen, leak_test=True, **more)
        for key, (label, seen, more) in words.items()
    )


SUITES: Final[Mapping[str, Suite]] = {
    "quick": Suite(
        "quick",
        "quick: at most 400 haloes, 3 folds, 32 x 32 pixels (profile and resnet 64 x 64), few "
        "epochs; a look at the machinery, not a result",
        folds=3,
        max_clusters=400,
        n_resamples=50,
        common={"pixels": 32, "validation": 0.2},
        networks={
            "profile": {"pixels": 64, "epochs": 40},
            "resnet": {"pixels": 64, "epochs": 25},
            "paper-single": {"epochs": 25},
            "paper-multiband": {"epochs": 25},
            "paper-multimodal": {"epochs": 20, "cube_cells": 16},
        },
        rows=(*_PAPER, *_OURS),
    ),
    "cpu": Suite(
        "cpu",
        "cpu: all clusters and folds; the paper's networks see 32 x 32 pixels of the whole image "
        "(and 16^3 cells) for up to 20 epochs, ours 64 x 64 pixels for 25 (profile) and 30",
        folds=8,
        max_clusters=None,
        n_resamples=200,
        common={"pixels": 64},
        networks={
            "profile": {"epochs": 25},
            "resnet": {"epochs": 30},
            "paper-single": {"pixels": 32, "epochs": 20},
            "paper-multiband": {"pixels": 32, "epochs": 20},
            "paper-multimodal": {"pixels": 32, "epochs": 20, "cube_cells": 16},
        },
        rows=(*_PAPER, *_OURS, _PROFILE_FLOW, *_leaks("profile", "all")),
    ),
    "paper": Suite(
        "paper",
        "paper: all clusters and folds, full resolution, the study's protocol; for a GPU",
        folds=8,
        max_clusters=None,
        n_resamples=500,
        common={"accelerator": "auto"},
        networks={"resnet": {"epochs": 60}, "profile": {"epochs": 60}},
        rows=(*_PAPER, *_OURS, _FLOW, _GALAXIES, *_leaks("paper-single", "all")),
    ),
}


def suite_named(name: str) -> Suite:
    """Return the suite of this `name`.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in SUITES:
        raise InputError(f"suite '{name}': is not known; {nearest(name, list(SUITES))}.")
    return SUITES[name]
