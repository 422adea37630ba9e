"""Stage validate: the gate between the data and the models."""

from prefect import flow

from flows import PROJECT
from flows.api import run_flow
from latentbeta.config import read_settings
from latentbeta.quality.gate import run_gate


@flow(name="validate")
def validate_flow() -> None:
    """Check prices and panel, and save what was found in data/validation."""
    settings = read_settings(PROJECT / "params.yaml")
    data = PROJECT / "data"
    run_gate(data / "prices", data / "panel", settings, data / "validation")


if __name__ == "__main__":
    run_flow(validate_flow)
