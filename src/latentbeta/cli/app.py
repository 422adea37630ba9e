"""The command `latentbeta`: its modules add what it can do."""

from __future__ import annotations

import typer

app = typer.Typer(
    help="Conditional factor models of asset returns, trained walk-forward every night.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
