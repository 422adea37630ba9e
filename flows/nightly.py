"""One night: new data, one `dvc repro`, the champion gate, a publication."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from prefect import flow, task

from flows import PROJECT
from flows.api import plain_errors, run_flow
from flows.lock import close_dead_flow_runs, project_lock
from flows.pipeline import SETTINGS, is_fetched, is_simulated, reproduce, settings_changed
from latentbeta import tracking
from latentbeta.config import Settings, read_settings
from latentbeta.data.calendar import last_closed_session, next_period_end, sessions
from latentbeta.errors import PipelineError, SettingsError
from latentbeta.progress import say
from latentbeta.storage import read_json
from latentbeta.tracking.succession import Succession

PUBLISHED = PROJECT / "data/published"


@flow(name="nightly")
def nightly(as_of: dt.date | None = None) -> None:
    """Ingest as of a date, run what is out of date, let the gate decide, and publish.

    The same night run twice changes nothing the second time.

    Parameters
    ----------
    as_of : date or None
        Last date that may be read. None: on the simulated market the session after the last one
        that was published, where data are fetched the last that has closed, elsewhere all that
        the files hold.
    """
    with project_lock(PROJECT, "nightly") as since:
        close_dead_flow_runs(since)
        tracking.initialise(PROJECT)
        with settings_changed(SETTINGS, night_of(as_of), source=str(SETTINGS)):
            task(name="dvc repro")(reproduce)(PROJECT)
        settings = read_settings(SETTINGS)
        runs = tracking.ensure_recorded(PROJECT, settings)
        if runs is None:
            raise PipelineError("the pipeline left no results to publish; see what it printed")
        succession = tracking.settle(PROJECT, settings.nightly, runs)
        say_what_was_done(succession, tracking.publish(PROJECT, settings, succession))


def night_of(as_of: dt.date | None) -> dict[str, Any]:
    """Return the settings that tonight's date brings."""
    date = as_of or next_night(read_settings(SETTINGS))
    return {"data": {"as_of": date}} if date else {}


def next_night(settings: Settings) -> dt.date | None:
    """Return the session to ingest up to, None where the files themselves say how far they go.

    What is fetched is brought up to the last session that has closed. On the simulated market a
    night that was begun and not published is begun again; else it is the session that follows.
    """
    if is_fetched(settings):
        return last_closed_session(settings.data.calendar, dt.datetime.now(tz=dt.UTC))
    if not is_simulated(settings):
        return None
    held = settings.data.as_of or settings.simulation.end
    last = _last_session(settings.data.calendar, held)
    if settings.data.as_of is not None and not _is_published(last, settings):
        return held
    return _day(next_period_end(settings.data.calendar, last, "daily"))


def _last_session(calendar: str, date: dt.date) -> dt.date:
    return _day(sessions(calendar, date - dt.timedelta(days=30), date)[-1])


def _day(date: np.datetime64) -> dt.date:
    return dt.date.fromisoformat(str(date)[:10])


def _is_published(night: dt.date, settings: Settings) -> bool:
    manifest = PUBLISHED / f"{night}/manifest.json"
    source = settings.data.path.as_posix()
    return manifest.exists() and read_json(manifest)["data_source"] == source


def say_what_was_done(succession: Succession, folder: Path) -> None:
    """Tell, in plain lines, what tonight changed."""
    manifest = read_json(folder / "manifest.json")
    new = "registered as" if succession.registered else "the same weights as"
    verdict = "champion" if succession.decision.accepted else "refused"
    say("")
    say(f"Night of:   {manifest['as_of']}, for the period that ends {manifest['period_end']}")
    say(f"Challenger: {new} {succession.challenger}")
    say(f"Gate:       {verdict}: {succession.decision.reason}")
    say(f"Champion:   {succession.champion}")
    say(f"Published:  {manifest['n_assets']} assets in {folder.relative_to(PROJECT)}")


def main(
    as_of: Annotated[
        str | None, typer.Option(help="Last date that may be read, YYYY-MM-DD.")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Stay up and run on schedule.")] = False,
    port: Annotated[int, typer.Option(help="Of the Prefect server that --serve starts.")] = 4200,
) -> None:
    """Run tonight once, or every night on the schedule of prefect.yaml."""
    with plain_errors("nightly"):
        if serve:
            from flows.serve import serve_nightly

            serve_nightly(nightly, port)
            return
        with project_lock(PROJECT, "nightly"):
            run_flow(nightly, as_of=_parsed(as_of))


def _parsed(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise SettingsError(f"--as-of {text}: not a date; write it as 2024-01-31") from error


if __name__ == "__main__":
    typer.run(main)
