import datetime as dt
from pathlib import Path

import pytest
from flows import nightly

from latentbeta.config import read_settings
from latentbeta.storage import write_json

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(nightly, "PUBLISHED", tmp_path)
    return lambda **data: with_data(read_settings(ROOT / "params.yaml"), **data)


def with_data(settings, **data):
    known = {"path": Path("data/simulated"), "as_of": None} | data
    simulation = settings.simulation.model_copy(update={"end": dt.date(2018, 12, 31)})
    return settings.model_copy(
        update={"data": settings.data.model_copy(update=known), "simulation": simulation}
    )


def publish(folder, night, source="data/simulated"):
    (folder / night).mkdir()
    write_json({"data_source": source}, folder / night / "manifest.json")


def test_the_first_night_is_the_session_after_the_simulated_market_ends(settings):
    assert nightly.next_night(settings()) == dt.date(2019, 1, 2)


def test_a_night_that_was_begun_and_not_published_is_begun_again(settings):
    assert nightly.next_night(settings(as_of=dt.date(2019, 1, 4))) == dt.date(2019, 1, 4)


def test_after_a_publication_comes_the_next_session(settings, tmp_path):
    publish(tmp_path, "2019-01-04")  # a Friday
    assert nightly.next_night(settings(as_of=dt.date(2019, 1, 4))) == dt.date(2019, 1, 7)
    # as of the Saturday, the last session is that Friday
    assert nightly.next_night(settings(as_of=dt.date(2019, 1, 5))) == dt.date(2019, 1, 7)


def test_a_publication_of_other_data_does_not_count(settings, tmp_path):
    publish(tmp_path, "2019-01-04", source="/mine")
    assert nightly.next_night(settings(as_of=dt.date(2019, 1, 4))) == dt.date(2019, 1, 4)


def test_what_is_fetched_goes_up_to_the_last_session_that_has_closed(settings):
    tonight = nightly.next_night(settings(path=Path("data/fetched")))
    now = dt.datetime.now(tz=dt.UTC)
    assert dt.timedelta(0) <= now.date() - tonight <= dt.timedelta(days=5)
    assert tonight.weekday() < 5


def test_files_of_a_user_say_themselves_how_far_they_go(settings):
    assert nightly.next_night(settings(path=Path("/mine"))) is None
