import re

import pytest

from latentbeta import progress
from latentbeta.progress import say, track


def lines(capsys):
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests set by hand."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_line_is_there_at_once(capsys):
    say("hello")
    assert lines(capsys) == ["hello"]


def test_a_log_gets_a_line_at_the_start_and_one_at_the_end(capsys, clock):
    assert list(track([1, 2, 3], "folds")) == [1, 2, 3]
    assert lines(capsys) == ["folds: started, 0 of 3", "folds: done, 3 of 3 in 0.0 s"]


def test_and_at_most_one_every_ten_seconds(capsys, clock):
    for item in track(range(8), "folds"):
        clock[0] = 4.0 * (item + 1)
    said = lines(capsys)
    # Due at 10 seconds; heard when the third piece is done, at 12. The next after 22: at 24.
    assert said[1:-1] == ["folds: 3 of 8", "folds: 6 of 8"]
    assert said[-1] == "folds: done, 8 of 8 in 32.0 s"


def test_an_unknown_total_is_not_made_up(capsys, clock):
    assert list(track(iter("ab"), "rows")) == ["a", "b"]
    assert lines(capsys) == ["rows: started", "rows: done, 2 in 0.0 s"]


def test_a_total_may_be_given(capsys, clock):
    list(track(iter("ab"), "rows", total=2))
    assert lines(capsys)[0] == "rows: started, 0 of 2"


def test_work_that_fails_is_not_said_to_be_done(capsys, clock):
    def work():
        for item in track([1, 0], "folds"):
            1 / item

    with pytest.raises(ZeroDivisionError):
        work()
    assert lines(capsys) == ["folds: started, 0 of 2"]


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(progress.sys.stdout, "isatty", lambda: True, raising=False)
    assert list(track([1, 2], "folds")) == [1, 2]
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().out)
    assert "folds" in shown
    assert "2/2" in shown
    assert "started" not in shown
