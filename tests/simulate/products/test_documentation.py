"""The page on the products names every file, column and keyword that is written."""

from pathlib import Path

import pytest
from astropy.io import fits

PAGE = Path(__file__).parents[3] / "docs" / "products.md"


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text()


def test_every_file_is_described(page, written):
    missing = [path.name for path in written.iterdir() if f"`{path.name}`" not in page]
    assert missing == []


def test_every_event_column_is_described(page, written):
    names = fits.getdata(written / "events.fits", "EVENTS").names
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_common_keyword_is_described(page, written):
    header = fits.getheader(written / "events.fits", 0)
    standard = {"SIMPLE", "BITPIX", "NAXIS", "EXTEND"}
    assert [key for key in header if key not in standard and f"`{key}`" not in page] == []


def test_every_number_is_described(page):
    for key in ("gas_mass_msun", "lx_0520_erg_s", "kt_core_excised_kev", "yx_msun_kev"):
        assert f"`{key}`" in page
