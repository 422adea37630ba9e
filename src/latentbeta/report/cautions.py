"""What flatters or limits the results, said before anything else."""

from __future__ import annotations

from latentbeta.config import Settings
from latentbeta.report.inputs import ReportInputs


def cautions(inputs: ReportInputs, settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return what flatters or limits the results."""
    summary = inputs.prices_summary or {}
    simulated = bool(inputs.truth.get("known")) or bool(summary.get("has_truth"))
    found = []
    if simulated:
        found.append(
            (
                "Simulated market",
                "made by the project itself, with betas that are known: "
                "it shows that the method works, not that it earns money",
            )
        )
    if summary.get("universe", settings.data.universe) == "survivors":
        found.append(
            (
                "Survivors only",
                "the universe holds assets known in hindsight to have lasted, "
                "which flatters every figure here",
            )
        )
    if (members := summary.get("membership")) and members["priced"] < 1:
        found.append(
            (
                "Not point-in-time",
                f"{1 - members['priced']:.0%} of the universe's members have no prices "
                f"({1 - members['priced_first']:.0%} on the first day): those that left are "
                "likelier to be missing, which flatters every figure here",
            )
        )
    if summary.get("has_risk_free") is False:
        found.append(
            ("Raw returns", "no risk-free rate was given: returns are not in excess of one")
        )
    return tuple(found)
