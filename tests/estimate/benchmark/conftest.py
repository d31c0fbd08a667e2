"""Catalogs that benchmarks are tried on, made once; ridges and figures cut short."""

from collections.abc import Iterator

import pytest

from icmass.catalog import Catalog
from tests.helpers.benchmarks import BARE, N, full_catalog
from tests.helpers.masses import make_catalog


@pytest.fixture(scope="module", autouse=True)
def _few_penalties() -> Iterator[None]:
    """Let ridges choose among two penalties, which takes a fifth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("icmass.estimate.regression._PENALTIES", (1.0, 100.0))
        yield


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch) -> None:
    """Leave out figures, which are slow, but for those of the benchmark of all tests."""
    monkeypatch.setattr("icmass.estimate.benchmark.output._write_figures", lambda *_: None)


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Catalog:
    """Without galaxies, ideal proxies, or pixels small enough for rings."""
    return make_catalog(tmp_path_factory.mktemp("bare") / "bare", N, spec=BARE)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory, bare) -> Catalog:
    return full_catalog(tmp_path_factory.mktemp("full") / "catalog", bare)
