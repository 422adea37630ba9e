"""Conditional factor models of asset returns, trained walk-forward."""

__version__ = "0.1.0"
