"""The process behind `latentbeta null`; the command has set its environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from latentbeta.config import read_settings
from latentbeta.errors import LatentBetaError
from latentbeta.permutation.command import chosen, permutation_null, show
from latentbeta.progress import say

DATA = Path("data")


def main(
    repetitions: Annotated[int, typer.Option(min=1)] = 1,
    models: Annotated[str | None, typer.Option()] = None,
    n_factors: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Run the permutation null of the project in the working directory."""
    try:
        records = permutation_null(
            chosen(read_settings(), models, n_factors),
            panel_folder=DATA / "panel",
            store=DATA / "null" / "fold_store",
            output=DATA / "evaluation_null",
            repetitions=repetitions,
        )
    except LatentBetaError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here")
        raise typer.Exit(130) from None
    show(records)


if __name__ == "__main__":
    typer.run(main)
