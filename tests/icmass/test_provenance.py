"""A record of versions, seed and configuration that is the same for the same job."""

import json

import numpy as np

from icmass import __version__
from icmass import provenance as module
from icmass.config import ObserveConfig
from icmass.provenance import provenance, versions


def test_record_is_json_and_repeatable():
    config = ObserveConfig.parse({"axis": "1,0,0"}).model_dump(mode="json")
    record = provenance(config, 3, gas="snapshot.hdf5")
    assert json.loads(json.dumps(record)) == provenance(config, 3, gas="snapshot.hdf5")
    assert record["seed"] == 3
    assert record["gas"] == "snapshot.hdf5"
    assert record["config"]["axis"] == [1.0, 0.0, 0.0]


def test_versions(monkeypatch):
    assert versions()["icmass"] == __version__
    assert versions()["numpy"] == np.__version__
    monkeypatch.setattr(module, "_PACKAGES", ("no-such-package",))
    assert versions()["no-such-package"] == "absent"
