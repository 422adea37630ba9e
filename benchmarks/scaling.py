"""What the paper's whole protocol costs, from measured units: `python -m benchmarks.scaling FILE`.

FILE is a benchmark's JSON of `benchmarks.run` with the works units, fan_out and pipeline. The
table in docs/scaling.md is written anew from it.
"""

from __future__ import annotations

import itertools
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import PROJECT
from benchmarks.unit_costs import EPOCH_UNIT, FIXED_UNIT, IPCA_UNIT, N_CHARACTERISTICS, N_FACTORS
from latentbeta.models.conditional_autoencoder import HIDDEN_LAYERS
from latentbeta.progress import say
from latentbeta.storage import read_json, write_text

PAGE = PROJECT / "docs/scaling.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
MACHINES = (1, 4, 16, 64)
HOUR = 3600.0
# Published float32 rates without tensor cores, operations a second: bounds, nothing was measured.
GPUS = {"A100": 19.5e12, "H100 or H200": 67e12}


@dataclass(frozen=True)
class Protocol:
    """How much there is to fit; Gu, Kelly and Xiu (2021), and their paper of 2020 for the search.

    Attributes
    ----------
    million_rows : float
        Of the whole panel, spread evenly over its years.
    years, first_training_years, refits : int
        A refit a year, each with a year of training more.
    factor_counts, seeds, searched : int
        K; members; pairs of a learning rate and a penalty.
    epochs : int
        Until early stopping, on average.
    """

    million_rows: float = 3.9
    years: int = 60
    first_training_years: int = 18
    refits: int = 30
    factor_counts: int = 6
    seeds: int = 10
    searched: int = 6
    epochs: int = 30

    @property
    def training_rows(self) -> float:
        """Million training rows of a refit, on average."""
        years = self.first_training_years + (self.refits - 1) / 2
        return self.million_rows * years / self.years

    @property
    def fits(self) -> int:
        """Fits of one architecture: a stack of seeds and pairs counts as one."""
        return self.factor_counts * self.refits

    @property
    def members(self) -> int:
        """Networks that are trained, over all architectures."""
        return len(HIDDEN_LAYERS) * self.fits * self.seeds * self.searched

    def network_seconds(self, epoch: float, fixed: float) -> float:
        """Seconds of one process for all fits of an architecture.

        Parameters
        ----------
        epoch : float
            Seconds a member, epoch and million training rows.
        fixed : float
            Seconds a fit beside its epochs.
        """
        trained = self.seeds * self.searched * self.epochs * self.training_rows * epoch
        return self.fits * (trained + fixed)

    def operations(self, hidden: tuple[int, ...]) -> float:
        """Multiplications and additions of all epochs: three products a layer, 2 each.

        The loss's forward pass and the two products of its gradient; validation is left out.
        """
        widths = (N_CHARACTERISTICS, *hidden, N_FACTORS)
        products = sum(a * b for a, b in itertools.pairwise(widths))
        rows = self.training_rows * 1e6 * self.epochs
        return 6 * products * rows * self.fits * self.seeds * self.searched


def main(path: Path) -> None:
    """Write the table of a results file into the page, and print it."""
    table = cost_table(read_json(path), path.name)
    page = PAGE.read_text(encoding="utf-8")
    replaced = re.sub(
        f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{table}\n{END}", page, flags=re.DOTALL
    )
    write_text(replaced, PAGE)
    say(table)


def cost_table(results: dict[str, Any], name: str) -> str:
    """Return the costs of the protocol, by part and by number of machines, as Markdown."""
    protocol, cores = Protocol(), int(results["machine"]["cores"])
    costs = _seconds_of_one_process(results, protocol)
    total, efficiency = sum(costs.values()), _efficiency(results)
    lines = ["| part | hours of one process |", "|-|-|"]
    lines += [f"| {part} | {seconds / HOUR:,.1f} |" for part, seconds in costs.items()]
    lines += [f"| all | {total / HOUR:,.1f} |", ""]
    lines += ["| machines like this one | processes | hours, at most the fan-out's efficiency |"]
    lines += ["|-|-|-|"]
    for machines in MACHINES:
        hours = total / HOUR / (machines * cores * efficiency)
        lines.append(f"| {machines} | {machines * cores} | {hours:,.1f} |")
    lines += ["", "| one GPU | published float32 rate | hours at that rate, not measured |"]
    lines += ["|-|-|-|"]
    operations = sum(protocol.operations(hidden) for hidden in HIDDEN_LAYERS.values())
    for gpu, rate in GPUS.items():
        lines.append(f"| {gpu} | {rate / 1e12:g} TFLOP/s | {operations / rate / HOUR:.1f} |")
    lines += ["", f"From benchmarks/results/{name}: {protocol.members:,} networks,"]
    lines += [f"{protocol.training_rows:.2f} million training rows a refit on average,"]
    lines += [f"{protocol.epochs} epochs, {operations:.2g} operations of the networks' products;"]
    lines += [f"with fan-out each of two processes does {efficiency:.0%} of what one does alone."]
    return "\n".join(lines)


def _seconds_of_one_process(results: dict[str, Any], protocol: Protocol) -> dict[str, float]:
    units = {(row["work"].split()[0], row["unit"]): row["value"] for row in results["measured"]}
    costs = {
        name.upper(): protocol.network_seconds(units[name, EPOCH_UNIT], units[name, FIXED_UNIT])
        for name in HIDDEN_LAYERS
    }
    ipca = protocol.fits * protocol.training_rows * units["ipca", IPCA_UNIT]
    return costs | {"IPCA": ipca}


def _efficiency(results: dict[str, Any]) -> float:
    """Speed of two workers over one of one thread, by worker; the workers' start included."""
    rows = [row for row in results["comparisons"] if row["peer"] == "one worker, one thread"]
    return min(float(row["ratio"]) for row in rows) / 2


if __name__ == "__main__":
    main(Path(sys.argv[1]))
