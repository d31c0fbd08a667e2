"""The projected SPH kernel against direct integration and Monte-Carlo."""

import numpy as np
import pytest
from scipy.integrate import quad

from icmass.simulate.photons.sph import (
    kernel_3d,
    projected_density,
    projected_enclosed,
    projected_quantile,
)
from tests.helpers.forward import kernel_cdf
from tests.helpers.stats import assert_distribution, ks_p_value


def enclosed_by_quadrature(q: float) -> float:
    """Mass in a cylinder: what a sphere of radius s has inside it, summed over shells."""
    inner, _ = quad(lambda s: 4 * np.pi * s**2 * float(kernel_3d(s)), 0.0, q, points=[0.5])
    outer, _ = quad(
        lambda s: 4 * np.pi * s**2 * float(kernel_3d(s)) * (1 - np.sqrt(1 - (q / s) ** 2)),
        q, 1.0, points=[0.5] if q < 0.5 else None, limit=200,
    )  # fmt: skip
    return inner + outer


def test_the_kernel_holds_one_particle():
    total, _ = quad(lambda q: 4 * np.pi * q**2 * float(kernel_3d(q)), 0.0, 1.0, points=[0.5])
    assert total == pytest.approx(1.0, rel=1e-10)


def test_the_kernel_is_that_of_monaghan_and_lattanzio():
    # In their h = H/2: 1/(pi h^3) (1 - 1.5 u^2 + 0.75 u^3), u < 1; 1/(4 pi h^3) (2 - u)^3, u < 2.
    q = np.linspace(0.0, 1.2, 200)
    u = 2 * q
    theirs = np.where(u < 1, 1 - 1.5 * u**2 + 0.75 * u**3, 0.25 * np.clip(2 - u, 0, None) ** 3)
    np.testing.assert_allclose(kernel_3d(q), 8 / np.pi * theirs, atol=1e-12)


@pytest.mark.parametrize("q", [0.05, 0.2, 0.35, 0.5, 0.7, 0.9])
def test_the_enclosed_share_is_the_integral(q):
    assert float(projected_enclosed(q)[0]) == pytest.approx(enclosed_by_quadrature(q), abs=1e-5)


def test_the_enclosed_share_runs_from_none_to_all():
    share = projected_enclosed(np.linspace(0.0, 1.0, 300))
    assert share[0] == pytest.approx(0.0, abs=1e-12)
    assert share[-1] == 1.0
    assert (np.diff(share) >= 0).all()
    assert float(projected_enclosed(3.0)[0]) == 1.0


def test_the_quantile_is_the_inverse():
    probability = np.linspace(0.0, 1.0, 4097)
    quantile = projected_quantile()
    assert quantile[0] == pytest.approx(0.0, abs=1e-9)
    assert quantile[-1] == 1.0
    np.testing.assert_allclose(projected_enclosed(quantile), probability, atol=2e-5)
    with pytest.raises(ValueError, match="read-only"):
        quantile[0] = 1.0


def sphere_seen_from_afar(n: int, rng: np.random.Generator) -> np.ndarray:
    """Projected radii of points drawn in three dimensions by rejection: no projection formula."""
    points = rng.uniform(-1.0, 1.0, (n, 3))
    radius = np.linalg.norm(points, axis=1)
    kept = rng.random(n) * float(kernel_3d(0.0)) < kernel_3d(radius)
    return np.hypot(*points[kept, :2].T)


def test_the_projection_is_what_three_dimensions_look_like():
    radii = sphere_seen_from_afar(400_000, np.random.default_rng(4))
    assert radii.size > 15_000  # a width off by 3% stands out: KS distance 0.03 against 1/sqrt(n)
    assert_distribution(radii, kernel_cdf)
    assert ks_p_value(0.97 * radii, kernel_cdf) < 1e-6
    assert ks_p_value(radii, lambda r: np.clip(r, 0, 1) ** 2) < 1e-6  # a uniform disc


@pytest.mark.parametrize("q", [0.0, 0.1, 0.4, 0.5, 0.75, 0.95])
def test_the_column_density_is_the_line_integral(q):
    half = np.sqrt(1 - q**2)
    along, _ = quad(lambda z: float(kernel_3d(np.hypot(q, z))), 0, half, limit=200)
    assert float(projected_density(q)[0]) == pytest.approx(2 * along, rel=1e-4)


def test_the_column_density_is_the_slope_of_the_enclosed_share():
    q = np.linspace(0.0, 1.0, 401)
    area = np.pi * np.diff(q**2)
    middle = projected_density(np.sqrt(0.5 * (q[1:] ** 2 + q[:-1] ** 2)))
    assert (middle * area).sum() == pytest.approx(1.0, rel=1e-4)
    np.testing.assert_allclose(middle * area, np.diff(projected_enclosed(q)), atol=2e-5)
    assert float(projected_density(1.0)[0]) == 0.0
