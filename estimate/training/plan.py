"""What a training does in the end: what the user wants, and what suits the network for the rest."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from icmass.catalog import Catalog
from icmass.config import TrainConfig
from icmass.errors import InputError
from icmass.estimate.heads import HEADS, make_head
from icmass.estimate.inputs import Inputs
from icmass.estimate.networks import network_class

__all__ = ["Plan", "make_plan"]

_STEPS: Final = 20  # of an epoch at least: small catalogs take small batches
_SMALLEST_BATCH: Final = 8


@dataclass(frozen=True)
class Plan:
    """Settings of a training without anything left open.

    Attributes
    ----------
    epochs, batch_size : int
    patience : int or None
        Epochs without a better validation loss; None with a one-cycle schedule, which is gone
        through to its end.
    learning_rate, weight_decay : float
    schedule : str
    decoupled, flat_mass : bool
    """

    epochs: int
    patience: int | None
    batch_size: int
    learning_rate: float
    weight_decay: float
    schedule: str
    decoupled: bool
    flat_mass: bool

    def to_dict(self) -> dict[str, Any]:
        """Return what a run holds."""
        return asdict(self)


def make_plan(config: TrainConfig, catalog: Catalog) -> tuple[Plan, Inputs]:
    """Fill in what the user left open in `config`, and find the inputs in `catalog`.

    Raises
    ------
    InputError
        If network or head are not known, the catalog does not hold the inputs, or settings
        contradict each other.
    """
    defaults = network_class(config.network).defaults
    make_head(config.head, 1)
    schedule = config.schedule or defaults.schedule
    if schedule == "one-cycle" and config.patience is not None:
        raise InputError(
            "patience: cannot go with the schedule one-cycle, which goes through all epochs; leave "
            "it out, or give schedule: constant."
        )
    plan = Plan(
        epochs=config.epochs or defaults.epochs,
        patience=None if schedule == "one-cycle" else config.patience or defaults.patience,
        batch_size=config.batch_size or _batch_size(defaults.batch_size, config, len(catalog)),
        learning_rate=config.learning_rate or defaults.learning_rate,
        weight_decay=(
            defaults.weight_decay if config.weight_decay is None else config.weight_decay
        ),
        schedule=schedule,
        decoupled=defaults.decoupled,
        flat_mass=(
            not HEADS[config.head].distribution if config.flat_mass is None else config.flat_mass
        ),
    )
    inputs = Inputs.resolve(
        config.inputs or defaults.inputs,
        catalog.spec,
        origins=config.origins,
        pixels=config.pixels,
        cube_cells=config.cube_cells,
    )
    if inputs.cube is not None and not network_class(config.network).sees_galaxies:
        raise InputError(
            f"inputs: network '{config.network}' does not look at galaxies; leave galaxies out, or "
            "take paper-multimodal."
        )
    if config.recalibration == "none" and not HEADS[config.head].distribution:
        raise InputError(
            f"recalibration: must be temperature or conformal for the head {config.head}, whose "
            "width comes from the validation part; got none."
        )
    _require_images(config, inputs, catalog)
    return plan, inputs


def _require_images(config: TrainConfig, inputs: Inputs, catalog: Catalog) -> None:
    """Refuse images that cannot be changed at random as the `config` wants it."""
    if config.redraw and catalog.spec.expectations is None:
        raise InputError(
            f"redraw: {catalog.path} must hold noise-free images; simulate it with expectations: "
            "float16, or leave redraw out."
        )
    smallest = min(inputs.n_y, inputs.n_x)
    if config.shift_pixels >= smallest:
        raise InputError(
            f"shift_pixels: must be below the {smallest} pixels of the images; got "
            f"{config.shift_pixels}. Shift them by a few."
        )
    if config.turns and inputs.n_y != inputs.n_x:
        raise InputError(
            f"turns: images must be square to be turned; got {inputs.n_y} x {inputs.n_x}. Give "
            "turns: false."
        )


def _batch_size(default: int, config: TrainConfig, n: int) -> int:
    """Return the network's own batch size, or a smaller one where clusters are few."""
    n_train = n * (1.0 - 1.0 / config.folds) * (1.0 - config.validation)
    return min(default, max(round(n_train / _STEPS), _SMALLEST_BATCH))
