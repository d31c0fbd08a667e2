"""Fixtures that every test may use."""

from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder of real data beside the checkout; tests that need it skip where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"real data not found: {SHARED / 'data'} is absent")
    return SHARED


@pytest.fixture(autouse=True)
def _global_random_state_untouched() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    yield
    assert np.array_equal(before, np.random.get_state()[1]), "a test touched numpy's global RNG"  # noqa: NPY002
