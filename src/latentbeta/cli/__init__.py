"""Commands for people."""

from latentbeta.cli import running, results, data, studies  # noqa: F401, I001  # their order in --help
from latentbeta.cli.app import app

__all__ = ["app"]
