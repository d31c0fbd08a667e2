"""A small report, with text that would break a careless page."""

import matplotlib
import numpy as np
import pytest

from icmass.figure_style import new_figure, styled
from icmass.interpret.report import Picture, Section, Statement, Table, write_report
from icmass.interpret.report.statements import agn_statement, correlation_statement

EVIL = "<script>throw 1</script> & \"quoted\" 'too' </figcaption>"


@styled
def drawn(width: float) -> "matplotlib.figure.Figure":
    """Draw a line."""
    figure = new_figure(width, 2.0)
    figure.subplots().plot(np.arange(5), np.arange(5) ** 2)
    return figure


@pytest.fixture
def sections() -> list[Section]:
    """Two sections with two figures, one of them wider than a page, and a wide table."""
    heads = ("change", *(f"estimator number {k}" for k in range(9)))
    rows = tuple((f"{EVIL} {k}", *((0.1 * k, 0.01) for _ in range(9))) for k in range(3))
    return [
        Section(
            f"Gallery {EVIL}",
            ("One paragraph.", EVIL),
            (Picture("gallery", drawn(12.0), f"Caption {EVIL}", f"A line {EVIL}"),),
        ),
        Section(
            "Interventions",
            (),
            (Picture("effects", drawn(5.0), "Effects.", "A line that rises."),),
            (Table("effects", f"Effects {EVIL}", heads, rows),),
        ),
    ]


@pytest.fixture
def write(sections, tmp_path):
    """Write the report into a named folder and return the page."""

    def written(name: str = "report", **changed):
        directory = tmp_path / name
        directory.mkdir()
        statements = [
            agn_statement(-0.38, 0.03),
            correlation_statement("maps", 0.6, 0.01, expected_zero=True),
            Statement(EVIL, "not known"),
            "a plain sentence",
        ]
        given = {"sections": sections, "statements": statements, "lead": EVIL, **changed}
        origin = {"versions": {"icmass": "1"}, "config": {"methods": ["a", "b"]}, "note": EVIL}
        return write_report(directory, f"Report {EVIL}", provenance=origin, **given)

    return written
