"""The immutable panel of characteristics and returns, how it is built, and its files."""

from latentbeta.panel.build import BuiltPanel, PanelSummary, build_panel
from latentbeta.panel.files import read_panel, write_panel
from latentbeta.panel.given import build_given_panel
from latentbeta.panel.panel import Panel

__all__ = [
    "BuiltPanel",
    "Panel",
    "PanelSummary",
    "build_given_panel",
    "build_panel",
    "read_panel",
    "write_panel",
]
