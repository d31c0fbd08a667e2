"""What can be asked of `icmass train`: which network sees what, how it learns, how it is tested."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from icmass.config.base import Config, NotNegative, Number, Positive, number

__all__ = ["TrainConfig"]


def _names(value: Any) -> Any:
    """A list of names, or one text with commas between them."""
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


def _range(value: Any) -> Any:
    """Two numbers, as a list or with a comma between them."""
    if value is None:
        return None
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or len(parts) != 2:
        raise ValueError("must be a range LO,HI")
    lowest, highest = (number(part) for part in parts)
    if not 0 < lowest <= highest:
        raise ValueError("must be a range LO,HI with 0 < LO <= HI")
    return lowest, highest


def _texts(value: Any) -> Any:
    """A list of texts, or one text."""
    return [value] if isinstance(value, str) else value


def _devices(value: Any) -> Any:
    """How many, as a number or a text; other texts are Lightning's."""
    try:
        n = int(value)
    except (TypeError, ValueError, OverflowError):
        return value
    if n < 1:
        raise ValueError("must be at least 1, or auto")
    if n > _MOST_DEVICES:
        raise ValueError(f"must be at most {_MOST_DEVICES:,}, or auto")
    return value


# Far beyond what anybody trains, so that a slip of the keyboard is told at once.
_MOST_PIXELS: Final = 16_384
_MOST_CELLS: Final = 128
_MOST_FOLDS: Final = 10_000
_MOST_MEMBERS: Final = 1_000
_MOST_EPOCHS: Final = 100_000
_MOST_AT_ONCE: Final = 100_000
_MOST_DEVICES: Final = 10_000

Count = Annotated[int, Field(ge=1)]
Epochs = Annotated[int, Field(ge=1, le=_MOST_EPOCHS)]
Names = Annotated[list[str], BeforeValidator(_names), Field(min_length=1)]
Texts = Annotated[list[str], BeforeValidator(_texts)]
Range = Annotated[tuple[float, float] | None, BeforeValidator(_range)]


class TrainConfig(Config):
    """One estimator of masses. Every key may stand in the file of ``--config``."""

    network: str = "resnet"
    """Name of the network: resnet, profile, paper-single, paper-multiband or paper-multimodal."""

    inputs: Names | None = None
    """What it sees: image channels (a band, bands joined by +, bands for each of them, all for
    their sum), galaxies, and observables such as redshift and exposure_s. By default what suits the
    network, with redshift and exposure_s."""

    origins: Names | None = None
    """Origins of the photons it sees; all by default, as a telescope does. The study: icm,agn."""

    pixels: Annotated[int, Field(ge=1, le=_MOST_PIXELS)] | None = None
    """Pixels on each side of the images, which must divide those of the catalog; as there by
    default."""

    cube_cells: Annotated[int, Field(ge=8, le=_MOST_CELLS)] = 64
    """Cells on each side of the galaxy cube."""

    redshift_scaling: bool = False
    """Whether images are scaled to a pivot of 4,000 photons by a fit of counts on redshift, as in
    the study."""

    equal_weight: bool = False
    """Whether images are thinned until a photon weighs the same at every redshift: a test of
    leaks."""

    head: str = "point"
    """What it says of a mass: point (a number), gaussian (mean and spread), flow (any shape)."""

    recalibration: Literal["temperature", "conformal", "none"] = "temperature"
    """How stated uncertainties are put right on the validation part."""

    folds: Annotated[int, Field(ge=2, le=_MOST_FOLDS)] = 8
    """Number of folds of whole haloes; 8 are the octants of the box, where the catalog knows it."""

    members: Annotated[int, Field(ge=1, le=_MOST_MEMBERS)] = 1
    """Networks per fold, of different seeds, whose distributions are mixed."""

    validation: Annotated[Number, Field(gt=0, lt=1)] = 0.1
    """Part of the haloes outside a fold that is set apart for stopping and recalibration."""

    max_clusters: Count | None = None
    """Haloes to use, the first of a random order; all by default."""

    where: Texts = Field(default_factory=list)
    """Conditions on columns, such as detected, redshift < 0.3 or flags lacks BLENDED; clusters for
    which all hold are used."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of folds, weights, order and augmentation."""

    epochs: Epochs | None = None
    """Passes over the training part, at most; the network's own by default."""

    patience: Epochs | None = None
    """Epochs without a better validation loss after which training stops; the network's own by
    default."""

    batch_size: Annotated[int, Field(ge=1, le=_MOST_AT_ONCE)] | None = None
    """Clusters per step; the network's own by default, fewer where an epoch would have below 20
    steps."""

    learning_rate: Positive | None = None
    """Largest learning rate; the network's own by default."""

    weight_decay: NotNegative | None = None
    """Decay of weights; the network's own by default."""

    schedule: Literal["constant", "one-cycle"] | None = None
    """How the learning rate goes; the network's own by default."""

    flat_mass: bool | None = None
    """Whether training draws clusters evenly in ln M, as the study; by default for point
    estimates only, since a distribution holds for the masses it was trained on."""

    turns: bool = True
    """Whether images are turned by right angles and mirrored at random, and predictions averaged
    over these eight views."""

    shift_pixels: Annotated[int, Field(ge=0, le=_MOST_PIXELS)] = 0
    """Images are shifted at random by up to so many pixels."""

    exposure_range_s: Range = None
    """Exposures LO,HI in s to which training images are thinned at random, in ln exposure."""

    redraw: bool = False
    """Whether photons are drawn anew in every epoch from the noise-free images, with AGN and
    background turned by themselves; the catalog must have expectations."""

    accelerator: str = "cpu"
    """Lightning's accelerator: cpu, gpu, cuda, mps or auto."""

    devices: Annotated[str | int, BeforeValidator(_devices)] = "auto"
    """Lightning's devices: a number, or auto. On the CPU each network has one thread, and one
    process unless a strategy is given."""

    strategy: str = "auto"
    """Lightning's strategy, such as ddp."""

    precision: str = "32-true"
    """Lightning's precision, such as bf16-mixed."""

    memory_gb: Positive = 4.0
    """Images are held in memory up to this size, and read from the disk beyond it."""

    @model_validator(mode="after")
    def _redrawn_photons_are_all(self) -> Self:
        if self.redraw and self.equal_weight:
            raise ValueError("redraw: cannot go with equal_weight; leave one of them out")
        return self
