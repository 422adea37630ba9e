import io

from rich.console import Console

from latentbeta.report import results_table

METRICS = [
    {
        "model": "ipca",
        "n_factors": 3,
        "total_r2": 0.3741,
        "total_r2_se": 0.012,
        "predictive_r2": -0.00312,
        "predictive_r2_se": 0.001,
        "rank_ic": 0.05,
        "rank_ic_se": 0.01,
        "long_short_sharpe": 1.2,
        "long_short_sharpe_se": 0.3,
    },
    {"model": "novel", "n_factors": 1, "total_r2": 0.2, "total_r2_se": None, "rank_ic": None},
]


def printed(metrics, width=120):
    stream = io.StringIO()
    Console(width=width, file=stream, force_terminal=True).print(results_table(metrics))
    return stream.getvalue()


def test_percentages_with_errors():
    text = printed(METRICS)
    assert "37.41 ± 1.20" in text
    assert "−0.31 ± 0.10" in text
    assert "0.050 ± 0.010" in text


def test_unknown_models_and_measures():
    line = next(line for line in printed(METRICS).splitlines() if "novel" in line)
    assert "20.00" in line
    assert "–" in line


def test_the_best_is_bold():
    assert "\x1b[1m37.41" in printed(METRICS)
    assert "\x1b[1m20.00" not in printed(METRICS)


def test_fits_a_narrow_terminal_without_folding():
    assert "37.41 ± 1.20" in printed(METRICS, width=80)
