"""The results as one HTML page, and as a table for a terminal."""

from latentbeta.report.build import build_report
from latentbeta.report.table import results_table

__all__ = ["build_report", "results_table"]
