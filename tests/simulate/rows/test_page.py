"""The example of docs/rows.md runs as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

from icmass.catalog import Catalog

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rows.md"


def test_example_makes_a_catalog(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    subprocess.run([sys.executable, "-c", example], cwd=tmp_path, check=True)
    catalog = Catalog.open(tmp_path / "one")
    catalog.validate()
    assert catalog.column("n_phot")[0] > 1000
    assert 1e20 <= catalog.column("nh_cm2")[0] <= 6e20
