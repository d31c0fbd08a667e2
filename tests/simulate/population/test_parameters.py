import pytest

from icmass.errors import InputError
from icmass.simulate.population.parameters import Population, available_populations
from tests.helpers.population import magneticum


def _write(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


class TestShipped:
    def test_names(self):
        assert available_populations() == ("erosita", "magneticum", "shifted")

    @pytest.mark.parametrize("name", available_populations())
    def test_load(self, name):
        assert Population.load(name) == Population.load(name)

    def test_shifted_differs_in_gas_cores_and_agn_only(self):
        shifted, base = Population.load("shifted"), magneticum()
        assert shifted.haloes == base.haloes
        assert shifted.gas.gas_scatter > 1.3 * base.gas.gas_scatter
        assert shifted.gas.gas_slope != base.gas.gas_slope
        assert shifted.gas.compact_cool_core != base.gas.compact_cool_core
        assert shifted.agn != base.agn


class TestOwnFile:
    def test_only_what_differs(self, tmp_path):
        mine = Population.load(_write(tmp_path, "base: magneticum\ngas: {gas_scatter: 0.2}\n"))
        assert mine.gas.gas_scatter == 0.2
        assert mine.gas.gas_slope == magneticum().gas.gas_slope
        assert mine.haloes == magneticum().haloes

    def test_a_base_has_a_base(self, tmp_path):
        mine = Population.load(_write(tmp_path, "base: shifted\nhaloes: {mass_function: flat}\n"))
        assert mine.gas == Population.load("shifted").gas
        assert mine.haloes.mass_function == "flat"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("base: magneticum\ngas: {gas_scater: 1}\n", r"gas\.gas_scater: unknown.*gas_scatter"),
            ("base: magneticum\ngas: {gas_scatter: -1}\n", r"gas\.gas_scatter: .*greater than"),
            ("base: magneticum\ngass: {}\n", "gass: unknown section; known: haloes, gas"),
            ("base: magneticum\ngas: 3\n", "gas: must hold lines of 'key: value'; got 3"),
            ("base: nothing\n", "base: must be another of erosita, magneticum, shifted; got"),
            ("gas: {gas_scatter: 0.1}\n", "haloes.h: .*required"),
            (
                "base: magneticum\nhaloes: {log10_m500c_min: 15.0, log10_m500c_max: 14.0}\n",
                "log10_m500c_min: must be below log10_m500c_max, else no mass is left",
            ),
            (
                "base: magneticum\nhaloes: {log10_m500c_max: 17.0}\n",
                "log10_m500c_max: must lie in 10 to 16",
            ),
            ("base: magneticum\nhaloes: {redshifts: [0.0]}\n", "redshifts: must all be above 0"),
            ("base: magneticum\nhaloes: {redshifts: 0.1}\n", "redshifts: must be a list"),
            (
                "base: magneticum\nhaloes: {redshifts: [], redshift_range: [0.4, 0.2]}\n",
                "redshift_range: must be two ascending numbers above 0",
            ),
        ],
    )
    def test_refused_on_one_line(self, tmp_path, text, message):
        with pytest.raises(InputError, match=message) as caught:
            Population.load(_write(tmp_path, text))
        assert "\n" not in str(caught.value)

    def test_no_such_population(self):
        with pytest.raises(InputError, match="one of erosita, magneticum, shifted or a YAML file"):
            Population.load("millennium")

    def test_no_such_file(self):
        with pytest.raises(InputError, match=r"absent\.yaml: cannot be read"):
            Population.load("absent.yaml")
