"""Tables as files and as texts: numbers survive, what is not known is empty."""

import csv
import json

import numpy as np
import pytest

from icmass.errors import InputError, OutputError
from icmass.interpret.report import Table, write_table
from icmass.interpret.report.tables import cell_text

NAN = float("nan")
TABLE = Table(
    "effects",
    "Change of ln M",
    ("change", "network", "clusters", "sure"),
    (
        ("remove AGN, all", (np.float32(0.5), 0.25), np.int64(3285), True),
        ('the "core"', (NAN, NAN), None, np.bool_(False)),
        ("background", None, 12, None),
    ),
)


def test_csv_and_json(tmp_path):
    written = write_table(tmp_path, TABLE)
    assert [path.name for path in written] == ["effects.csv", "effects.json"]
    assert written[0].read_text().splitlines() == [
        "change,network,network_error,clusters,sure",
        '"remove AGN, all",0.5,0.25,3285,True',
        '"the ""core""",,,,False',
        "background,,,12,",
    ]
    with written[0].open(newline="") as file:
        assert next(csv.DictReader(file))["change"] == "remove AGN, all"
    values = json.loads(written[1].read_text())
    assert values["caption"] == "Change of ln M"
    assert values["rows"][1] == {
        "change": 'the "core"',
        "network": None,
        "network_error": None,
        "clusters": None,
        "sure": False,
    }
    with pytest.raises(OutputError, match="already exists"):
        write_table(tmp_path, TABLE)


def test_an_empty_table(tmp_path):
    csv_path, json_path = write_table(tmp_path, Table("none", "", ("a", "b"), ()))
    assert csv_path.read_text() == "a,b\n"
    assert json.loads(json_path.read_text())["rows"] == []


def test_texts_of_cells():
    cells = [None, "a", True, 3285, -2, 0.12345, NAN, (0.417, 0.05), (NAN, 0.1), (0.3, None)]
    assert [cell_text(cell) for cell in cells] == [
        "–",
        "a",
        "yes",
        "3285",
        "−2",
        "0.1235",
        "–",
        "0.42 ± 0.05",
        "–",
        "0.3",
    ]
    assert [TABLE.is_numeric(k) for k in range(4)] == [False, True, True, False]


@pytest.mark.parametrize("name", ["", "../a", "a/b", "a.csv", "A", "-a", "a" * 65])
def test_names_that_leave_the_folder_are_refused(name):
    with pytest.raises(InputError, match=r"name of a table: must be lower-case .*; got .*Rename"):
        Table(name, "", ("a",), ())


def test_bad_tables(tmp_path):
    with pytest.raises(InputError, match=r"columns of 'a': must have names, each once; got b, b"):
        Table("a", "", ("b", "b"), ())
    with pytest.raises(InputError, match=r"columns of 'a': must .*; got none\. Rename them"):
        Table("a", "", (), ())
    with pytest.raises(InputError, match=r"row 1 of 'a': must have 1 cells; got 2\. Give None"):
        Table("a", "", ("b",), ((1,), (1, 2)))
    with pytest.raises(InputError, match=r"cell: must be a text, a number, .*; got dict\. Conv"):
        write_table(tmp_path, Table("a", "", ("b",), (({},),)))
