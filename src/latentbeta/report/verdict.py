"""What the results say, in sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentbeta.config import Settings
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.cautions import cautions
from latentbeta.report.comparisons import (
    CLEAR,
    Contest,
    Difference,
    best,
    contest,
    counterpart,
    difference,
    factor_counts,
    key_of,
)
from latentbeta.report.inputs import Record, ReportInputs
from latentbeta.report.words import (
    CLASSICAL,
    PERIODS,
    factors_phrase,
    is_known,
    listing,
    name_of,
    number,
    percent,
    spans,
)

YARDSTICKS = ("ipca", "pca")
CONTESTS = {
    "total_r2": "total R²",
    "predictive_r2": "predictive R²",
    "long_short_sharpe": "the long-short Sharpe ratio",
    "tangency_sharpe": "the tangency Sharpe ratio",
}


@dataclass(frozen=True)
class Verdict:
    """What the page leads with.

    Attributes
    ----------
    headline : str
    paragraphs : tuple of str
    cautions : tuple of (str, str)
        A short label and what it means; the reader must know them.
    """

    headline: str
    paragraphs: tuple[str, ...]
    cautions: tuple[tuple[str, str], ...]


def verdict(inputs: ReportInputs, settings: Settings) -> Verdict:
    """Read the verdict off the measures and the paired differences."""
    explains, predicts = (best(inputs.metrics, m) for m in ("total_r2", "predictive_r2"))
    if explains is None:
        return Verdict("No model has out-of-sample results.", (), cautions(inputs, settings))
    paragraphs = [
        [
            _sample_sentence(explains, settings),
            *_against_others(inputs, key_of(explains), "total_r2"),
        ],
        _prediction_sentences(inputs, predicts),
        _contest_sentences(inputs),
        _portfolio_sentence(inputs),
        _truth_sentence(inputs, key_of(explains)),
    ]
    return Verdict(
        headline=_headline(inputs, explains, predicts),
        paragraphs=tuple(" ".join(sentences) for sentences in paragraphs if sentences),
        cautions=cautions(inputs, settings),
    )


def _headline(inputs: ReportInputs, explains: Record, predicts: Record | None) -> str:
    first = f"{_named(explains)} explains most"
    if rival := _close_rival(inputs, explains, "total_r2"):
        first = f"{first}, but not clearly more than {_named(rival)}"
    if predicts is None:
        return f"{first}; no model forecasts."
    if predicts["predictive_r2"] <= 0:
        return f"{first}; no predictive R² is above zero."
    if not any(_clearly_predicts(record) for record in inputs.metrics):
        return f"{first}; no predictive R² is clearly above zero."
    if _close_rival(inputs, predicts, "predictive_r2"):
        return f"{first}; no model clearly predicts best."
    if key_of(predicts) != key_of(explains):
        return f"{first}; {_named(predicts)} predicts best."
    return f"{first}; it predicts best." if rival else f"{first} and predicts best."


def _clearly_predicts(record: Record) -> bool:
    """Whether a predictive R² is at least two standard errors above zero."""
    value, error = record.get("predictive_r2"), record.get("predictive_r2_se")
    return is_known(value) and value > 0 and not (is_known(error) and value < CLEAR * error)


def _close_rival(inputs: ReportInputs, winner: Record, measure: str) -> Record | None:
    """Return the runner-up if the winner's lead over it is within two standard errors.

    Models are compared at the winner's number of factors, where others have it.
    """
    others = [record for record in inputs.metrics if record["model"] != winner["model"]]
    same = [record for record in others if record["n_factors"] == winner["n_factors"]]
    runner_up = best(same or others, measure)
    if runner_up is None:
        return None
    gap = difference(inputs.differences, key_of(winner), key_of(runner_up), measure)
    return runner_up if gap is not None and not gap.t > CLEAR else None


def _sample_sentence(record: Record, settings: Settings) -> str:
    one, many = PERIODS[settings.rebalancing]
    n_dates = record["n_dates"]
    return (
        f"Over {n_dates} {one if n_dates == 1 else many} of test data "
        f"({record['first_test_date']} to {record['last_test_date']}), which no model saw in "
        f"training or selection, {name_of(record['model'])} with "
        f"{factors_phrase(record['n_factors'])} accounts for {_with_error(record, 'total_r2')} of "
        "the squared returns."
    )


def _with_error(record: Record, measure: str) -> str:
    error = record.get(f"{measure}_se")
    beside = f" ± {number(error * 100, 2)}" if is_known(error) else ""
    return f"{number(record[measure] * 100, 2)}{beside} %"


def _against_others(inputs: ReportInputs, key: ModelKey, measure: str) -> list[str]:
    """Set the best model against IPCA and PCA, and a classical winner against the networks."""
    several = len(factor_counts(inputs.metrics)) > 1
    others = [
        other
        for model in YARDSTICKS
        if model != key.model and (other := counterpart(inputs.metrics, key, model))
    ]
    parts = [
        _compared(other, gap, several)
        for other in others
        if (gap := difference(inputs.differences, key, other, measure))
    ]
    sentences = [f"That is {listing(parts)}."] if parts else []
    return sentences + (_networks_behind(inputs, key, measure) if key.model in CLASSICAL else [])


def _compared(other: ModelKey, gap: Difference, several: bool) -> str:
    direction = "more" if gap.value >= 0 else "less"
    name = name_of(other.model) + (f" with {factors_phrase(other.n_factors)}" if several else "")
    return f"{_points(gap.value)} {direction} than {name} ({_strength(gap.t)})"


def _networks_behind(inputs: ReportInputs, key: ModelKey, measure: str) -> list[str]:
    """Say how far the best network is behind a classical winner, with as many factors if it can."""
    networks = [record for record in inputs.metrics if record["model"] not in CLASSICAL]
    same = best([r for r in networks if r["n_factors"] == key.n_factors], measure)
    network = same or best(networks, measure)
    if network is None:
        return []
    gap = difference(inputs.differences, key, key_of(network), measure)
    side = "behind" if gap is None or gap.value >= 0 else "ahead on what both cover"
    beside = f", {_points(gap.value)} {side} ({_strength(gap.t)})" if gap else ""
    which = " with as many factors" if same and len(factor_counts(inputs.metrics)) > 1 else ""
    return [f"The networks do not beat it: the best of them{which} is {_named(network)}{beside}."]


def _points(value: float) -> str:
    return f"{number(abs(value) * 100, 2)} points"


def _strength(t: float) -> str:
    if not np.isfinite(t):
        return "no standard error"
    errors = f"{number(abs(t), 1)} standard errors"
    return errors if abs(t) >= CLEAR else f"{errors}, so perhaps chance"


def _prediction_sentences(inputs: ReportInputs, predicts: Record | None) -> list[str]:
    if predicts is None:
        return ["No model makes a forecast."]
    value, error = predicts["predictive_r2"], predicts.get("predictive_r2_se")
    opening = (
        f"As a forecast of the period ahead, {_named(predicts)} ranks highest, with a predictive "
        f"R² of {_with_error(predicts, 'predictive_r2')}"
    )
    if value <= 0:
        return [f"{opening}: no better than forecasting zero for every asset."]
    weak = is_known(error) and value < CLEAR * error
    sentence = f"{opening}{', within two standard errors of zero' if weak else ''}."
    key = key_of(predicts)
    return [sentence, *_against_others(inputs, key, "predictive_r2")]


def _contest_sentences(inputs: ReportInputs) -> list[str]:
    """Say where classical models are ahead of the networks, and where behind."""
    parts = [
        _contest_phrase(found, name)
        for measure, name in CONTESTS.items()
        if len((found := contest(inputs.metrics, inputs.differences, measure)).counts) > 1
    ]
    if not parts:
        return []
    return [
        "At equal numbers of factors, the best classical model against the best network: "
        f"{'; '.join(parts)}. Clearly is by more than two standard errors."
    ]


def _contest_phrase(found: Contest, name: str) -> str:
    sides = (("classical", found.classical), ("network", found.networks))
    ahead = [
        f"the {side} {'at every K' if where == found.counts else f'at K = {spans(where)}'}"
        for side, where in sides
        if where
    ]
    clear = f"clearly at {spans(found.clear)}" if found.clear else "nowhere clearly"
    return f"in {name} {' and '.join(ahead)} ({clear})"


def _portfolio_sentence(inputs: ReportInputs) -> list[str]:
    record = best(inputs.metrics, "long_short_sharpe")
    if record is None:
        return []
    error = record.get("long_short_sharpe_se")
    beside = f" ± {number(error, 2)}" if is_known(error) else ""
    return [
        "Sorting assets on the forecast, buying the best and selling the worst earns the highest "
        f"Sharpe ratio with {_named(record)}: {number(record['long_short_sharpe'], 2)}{beside} "
        f"a year, {_costs_phrase(record)}."
    ]


def _costs_phrase(record: Record) -> str:
    net = record.get("long_short_net_sharpe")
    return f"{number(net, 2)} after trading costs" if is_known(net) else "before trading costs"


def _truth_sentence(inputs: ReportInputs, key: ModelKey) -> list[str]:
    record = next(
        (r for r in inputs.truth.get("models", ()) if (r["model"], r["n_factors"]) == key), None
    )
    if record is None or not all(map(is_known, record["beta_correlation"])):
        return []
    correlations = [number(r, 2) for r in record["beta_correlation"]]
    sentences = [
        f"The betas of {name_of(key.model)} correlate {listing(correlations)} with the true ones, "
        "after one rotation for all dates."
    ]
    if is_known(oracle := inputs.truth.get("oracle_total_r2")):
        sentences.append(
            f"The true betas and factors account for {percent(oracle, 2)} of the squared returns, "
            "about the most that a model can reach."
        )
    return sentences


def _named(record: Record) -> str:
    return f"{name_of(record['model'])} (K = {record['n_factors']})"
