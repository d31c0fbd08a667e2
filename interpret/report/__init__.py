"""What was found, as one page, figures, tables and plain sentences."""

from icmass.interpret.report.page import Picture, Section, write_report
from icmass.interpret.report.statements import Statement
from icmass.interpret.report.tables import Table, write_table

__all__ = ["Picture", "Section", "Statement", "Table", "write_report", "write_table"]
