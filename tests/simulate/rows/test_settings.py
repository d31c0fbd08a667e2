"""Settings: what is refused, how bands are divided, columns of hydrogen, what the catalog holds."""

import numpy as np
import pytest

from icmass.catalog import Band
from icmass.errors import InputError
from icmass.simulate.rows import RowSettings
from icmass.simulate.scene import SceneKey
from tests.helpers.stats import assert_distribution, ks_p_value


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exposure_s": 0.0}, "exposure_s: must be above 0"),
        ({"agn_depth_mpc": -1.0}, "agn_depth_mpc: must be above 0"),
        ({"agn_flux_limit": np.inf}, "agn_flux_limit: must be above 0"),
        ({"agn": "some"}, "agn: must be one of box, sky, none"),
        ({"seed": -1}, "seed: must be a whole number"),
        ({"nh_cm2": -1e20}, "nh_cm2: must be a column"),
        ({"nh_cm2": (0.0, 1e21)}, "nh_cm2: must be a column"),
        ({"nh_cm2": (1e21, 1e20)}, "nh_cm2: must be a column"),
        ({"bands": (Band("gamma", 511.0, 512.0),)}, "band 'gamma': must overlap what erosita"),
        ({"bands": ()}, "bands: must be one or more"),
        ({"expectations": "float64"}, "expectations: must be float16"),
        ({"mode": "slew"}, "slew"),
        ({"instrument": "nothing"}, "nothing"),
    ],
)
def test_bad_settings_are_refused_in_one_line(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        RowSettings(**changes)
    assert "\n" not in str(caught.value)


def test_overlapping_bands_are_unions_of_intervals():
    bands = (Band("wide", 0.5, 2.0), Band("narrow", 1.0, 1.5), Band("far", 4.0, np.inf))
    settings = RowSettings(bands=bands)
    assert settings.intervals == ((0.5, 1.0), (1.0, 1.5), (1.5, 2.0), (4.0, np.inf))
    assert settings.membership.tolist() == [[1, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]


def columns_drawn(nh_cm2, count=300):
    settings = RowSettings(nh_cm2=nh_cm2)
    return np.array([settings.column_of(SceneKey(0, 1, halo, 2)) for halo in range(count)])


def test_columns_are_drawn_even_in_the_logarithm():
    drawn = columns_drawn((1e20, 1e22))
    assert_distribution(np.log10(drawn), lambda x: (x - 20.0) / 2.0)
    assert ks_p_value(drawn, lambda x: (x - 1e20) / 9.9e21) < 1e-6  # the control: even in itself


def test_one_column_for_all():
    assert set(columns_drawn(2e20, 5)) == {2e20}
    assert RowSettings(nh_cm2=0.0).column_of(SceneKey(0, 0, 0, 0)) == 0.0


def test_column_depends_on_the_key_alone():
    settings = RowSettings(nh_cm2=(1e20, 1e22))
    keys = [SceneKey(0, 0, 0, 0), SceneKey(1, 0, 0, 0), SceneKey(0, 0, 0, 1)]
    first = [settings.column_of(key) for key in keys]
    assert [settings.column_of(key) for key in reversed(keys)] == first[::-1]
    assert len(set(first)) == 3


def test_the_catalog_has_what_rows_give():
    spec = RowSettings(expectations="float16").spec(
        truth=("concentration",), galaxies=True, box_size_mpc=500.0
    )
    assert {"concentration", "n_gal", "n_phot_expected"} <= set(spec.row_dtype.names)
    assert spec.galaxies
    assert not spec.regions
    assert "n_gal" not in RowSettings().spec().row_dtype.names
    with pytest.raises(InputError, match="'concentratio': is not in the schema"):
        RowSettings().spec(truth=("concentratio",))
