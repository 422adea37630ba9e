import pandas as pd
from rich.console import Console

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.attribution_table import attribution_table


def test_parts_stand_in_percent_a_year():
    summary = pd.DataFrame(
        [("factor_1", 0.0312, 0.1, 2.04), ("specific", -0.011, 0.05, float("nan"))],
        columns=["part", "mean", "volatility", "t"],
    )
    dates = pd.Series(pd.to_datetime(["2017-01-31", "2017-02-28"]))
    console = Console(width=100)
    with console.capture() as captured:
        console.print(attribution_table(summary, ModelKey("ca1", 3), dates))
    said = captured.get()
    assert "CA1, K = 3: 2 periods, 2017-01-31 to 2017-02-28" in said
    lines = [line.split("│")[1:-1] for line in said.splitlines() if "│" in line]
    cells = [[cell.strip() for cell in line] for line in lines]
    assert cells == [["factor 1", "3.12", "10.00", "2.0"], ["specific", "−1.10", "5.00", "–"]]
