"""The embedded eROSITA against the real response files."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.special import ndtr

from icmass.errors import InputError
from icmass.simulate.instrument import Instrument, Redistribution
from icmass.simulate.instrument.area_table import interpolation_nodes, main, read_area_table
from icmass.simulate.instrument.ogip_read import Arf, read_arf
from icmass.simulate.instrument.redistribution import FWHM_PER_SIGMA

ENERGIES = (0.28, 0.53, 0.93, 1.25, 1.49, 3.0, 4.5, 5.9, 8.0)


@pytest.fixture(scope="module")
def real_arfs(shared_dir: Path) -> dict[str, Arf]:
    folder = shared_dir / "data" / "erosita"
    return {
        "pointed": read_arf(folder / "onaxis_tm0_arf_filter_2023-01-17.fits.gz"),
        "survey": read_arf(folder / "survey_tm0_arf_filter_2023-01-17.fits.gz"),
    }


@pytest.mark.shared
@pytest.mark.parametrize("mode", ["pointed", "survey"])
def test_area_is_within_two_percent(erosita: Instrument, real_arfs, mode: str) -> None:
    e = erosita.redistribution.energy_kev
    embedded = erosita.response(mode).area_cm2
    real = np.interp(e, real_arfs[mode].energy_kev, real_arfs[mode].area_cm2)
    band = (e > 0.3) & (e < 7.0) & ~((e > 2.1) & (e < 2.5))
    error = np.abs(embedded[band] / real[band] - 1.0)
    assert error.max() < 0.02
    assert np.abs(1.02 * embedded[band] / real[band] - 1.0).max() > 0.02  # negative control


@pytest.mark.shared
@pytest.mark.parametrize("energy_kev", ENERGIES)
def test_line_width_is_within_ten_percent(
    erosita: Instrument, real_erosita: Instrument, energy_kev: float
) -> None:
    embedded = fitted_fwhm_kev(erosita.redistribution, energy_kev)
    assert embedded == pytest.approx(
        fitted_fwhm_kev(real_erosita.redistribution, energy_kev), rel=0.1
    )


def fitted_fwhm_kev(matrix: Redistribution, energy_kev: float) -> float:
    """Width of a Gaussian, integrated over the channels, that fits a row best."""
    edges = matrix.channel_edges_kev
    row = int(np.argmin(np.abs(matrix.energy_kev - energy_kev)))

    def model(_, area, mean, sigma):
        return area * np.diff(ndtr((edges - mean) / sigma))

    values = matrix.matrix()[row]
    best, _ = curve_fit(model, edges[:-1], values, [1.0, energy_kev, 0.03])
    return FWHM_PER_SIGMA * abs(best[2])


@pytest.mark.shared
def test_table_is_what_the_script_makes_of_the_files(tmp_path: Path, real_arfs) -> None:
    import icmass.simulate.instrument.area_table as module

    output = tmp_path / "area.csv"
    files = [str(real_arfs[mode].path) for mode in ("pointed", "survey")]
    main(["--onaxis", files[0], "--survey", files[1], "--output", str(output)])
    shipped = Path(module.__file__).parent / "data" / "erosita_area.csv"
    assert output.read_text() == shipped.read_text()


def test_table_is_small(erosita: Instrument) -> None:
    import icmass.simulate.instrument.area_table as module

    energy, areas = read_area_table(Path(module.__file__).parent / "data" / "erosita_area.csv")
    assert set(areas) == {"pointed", "survey"}
    assert 60 <= energy.size <= 150


def test_nodes_hold_the_tolerance_for_all_curves() -> None:
    energy = np.linspace(0.0, 10.0, 500)
    curves = np.array([np.exp(-energy / 4), np.where(energy < 3, 5.0, 2.0)])
    nodes = interpolation_nodes(energy, curves, 0.02)
    for curve in curves:
        model = np.interp(energy, energy[nodes], curve[nodes])
        assert np.max(np.abs(model / curve - 1.0)) <= 0.02
    assert nodes.size < 20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("energy_kev,pointed_cm2\n1,2\n1,3\n", "finite numbers at ascending energies"),
        ("energy_kev,pointed_cm2\n1,2\n2,nan\n", "finite numbers at ascending energies"),
        (
            "energy,pointed_cm2\n1,2\n",
            "must have the columns energy_kev and <mode>_cm2; got energy",
        ),
        ("energy_kev,pointed\n1,2\n", "must have the columns"),
        ("energy_kev,pointed_cm2\n1,x\n", "must be a table of effective areas"),
        ("energy_kev,pointed_cm2\n1,2\n3\n", "must be a table of effective areas"),
        ("# nothing\n", "must be a table of effective areas"),
    ],
)
def test_faulty_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "area.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"area\.csv: .*{message}"):
        read_area_table(path)
