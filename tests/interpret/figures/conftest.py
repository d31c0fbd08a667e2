"""Material for figures: invented clusters, profiles and effects, uneven on purpose."""

from collections.abc import Callable

import numpy as np
import pytest

from icmass.interpret.figures import (
    AblationRow,
    ChangeRow,
    Curve,
    Distribution,
    DistributionPanel,
    Effect,
    FaithfulnessRow,
    GalleryPanel,
    ProfileLine,
    ProfilePanel,
    SanityRow,
)


@pytest.fixture
def make_panel() -> Callable[..., GalleryPanel]:
    """Make a cluster of n x n pixels with an AGN; `per_channel` masks, or one of all channels."""

    def make(
        n: int = 24, channels: int = 2, seed: int = 1, per_channel: bool = False, agn: bool = True
    ) -> GalleryPanel:
        rng = np.random.default_rng(seed)
        image = rng.poisson(0.7, (channels, n, n)).astype(float)
        shape = image.shape if per_channel else image.shape[1:]
        dominant = rng.choice(np.array([-1, 0, 1 if agn else 0], np.int8), shape)
        attribution = 1e-3 * rng.standard_normal(image.shape)
        caption = f"halo {seed}, z = 0.31\nM500c = 3.2e14 Msun"
        return GalleryPanel(image, attribution, dominant, 0.26 * n, 4000.0 / n, caption)

    return make


@pytest.fixture
def profiles() -> list[ProfilePanel]:
    """Two channels, radii from 0; L_X implies nothing outside R500c."""
    edges = np.array([0.0, 0.05, 0.15, 0.285, 0.6, 1.0, 2.0])
    network = np.array([1e-4, 3e-4, 6e-4, 5e-4, 3e-4, 1e-4])
    implied = np.array([6e-3, 4e-3, 1e-3, 2e-4, 5e-5, 5e-6])
    inside = np.where(edges[1:] <= 1.0, 1.2 * implied, 0.0)
    none = np.full(6, np.nan)
    ratios = (
        ProfileLine("to N_phot", network / implied, 0.1 * network / implied),
        ProfileLine("to L_X", np.where(inside > 0.0, network / (1.2 * implied), np.nan), none),
    )
    return [
        ProfilePanel(
            name,
            edges,
            (
                ProfileLine("network", factor * network, 0.1 * network),
                ProfileLine("implied by N_phot", implied, none),
                ProfileLine("implied by L_X", inside, none),
            ),
            ratios,
        )
        for name, factor in (("soft", 1.0), ("hard", 0.5))
    ]


@pytest.fixture
def distributions() -> list[DistributionPanel]:
    """All pixels, and those at equal brightness, in which AGN are less important."""
    edges = np.linspace(-7.0, 0.0, 71)
    rng = np.random.default_rng(2)

    def counted(median: float, n: int) -> np.ndarray:
        return np.histogram(rng.normal(median, 0.4, n), edges)[0].astype(float)

    return [
        DistributionPanel(
            title,
            edges,
            (
                Distribution("ICM", counted(-3.5, 9000), -3.5, 0.004),
                Distribution("AGN", counted(-3.5 + step, 900), -3.5 + step, 0.013),
            ),
            f"AGN − ICM: −{-step:.2f} dex",
        )
        for title, step in (("all pixels", -0.4), ("at equal brightness", -0.3))
    ]


@pytest.fixture
def changes() -> list[ChangeRow]:
    """Two interventions, and one that could not be made."""
    return [
        ChangeRow(
            "remove AGN",
            {"network": Effect(-0.01, 0.004, -0.03, 0.01), "N_phot": Effect(-0.2, 0.01)},
        ),
        ChangeRow("not possible", {"network": Effect(np.nan)}),
        ChangeRow("no core", {"network": Effect(0.05, 0.01, 0.0, 0.1), "N_phot": Effect(-0.7)}),
    ]


@pytest.fixture
def methods() -> list[FaithfulnessRow]:
    """Two methods, one without numbers, and random order."""
    fraction = np.concatenate([[0.0], np.geomspace(1e-3, 1.0, 6)])
    error = np.full(7, 0.01)

    def curves(power: float) -> tuple[Curve, Curve]:
        grown = fraction**power
        return Curve(fraction, 1.0 - grown, error), Curve(fraction, grown, error)

    return [
        FaithfulnessRow("integrated gradients", *curves(0.3), 0.97, 0.01, 0.9, 0.02),
        FaithfulnessRow("Grad-CAM", *curves(0.8)),
        FaithfulnessRow("random order", *curves(1.0), random=True),
    ]


@pytest.fixture
def ablations() -> list[AblationRow]:
    """The reference, one without something, and one that failed."""
    return [
        AblationRow("as trained", 0.13, 0.003, reference=True),
        AblationRow("AGN removed", 0.117, 0.003),
        AblationRow("failed", np.nan),
    ]


@pytest.fixture
def nulls() -> list[SanityRow]:
    """The explained networks and two that know nothing."""
    return [
        SanityRow("explained", np.nan, np.nan, -0.31, 0.01, 0.08, 0.006, explained=True),
        SanityRow("weights permuted", 0.04, 0.01, 0.01, 0.02, 0.9, 0.1),
        SanityRow("masses permuted", 0.11, np.nan, -0.03, 0.03),
    ]
