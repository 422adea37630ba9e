import datetime as dt

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import read_settings
from latentbeta.data.membership import (
    members_on,
    membership_facts,
    membership_notes,
    read_membership,
)
from latentbeta.errors import DataError

COLUMNS = read_settings().data.columns
UNTIL = dt.date(2020, 12, 31)


def spells(*rows):
    frame = pd.DataFrame(rows, columns=["asset", "start", "end"]).astype({"asset": "str"})
    for name in ("start", "end"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    return frame


def days(*texts):
    return np.array(texts, dtype="datetime64[us]")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "members.csv"
    path.write_text("ticker,start_date,end_date\nB,2019-01-02,\nA,2018-01-02,2019-06-28\n")
    return path


def test_spells_are_read_by_asset_and_start(file):
    read = read_membership(file, COLUMNS, until=UNTIL)

    assert read["asset"].tolist() == ["A", "B"]
    assert read["end"].tolist() == [pd.Timestamp("2019-06-28"), pd.NaT]


def test_an_end_or_a_start_after_the_date_is_not_known(file):
    read = read_membership(file, COLUMNS, until=dt.date(2018, 12, 31))

    assert read["asset"].tolist() == ["A"]
    assert read["end"].isna().all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("C,2019-01-02,2018-01-02", "row 3, column 'end_date'.*ends before it starts"),
        ("C,,2018-01-02", "row 3, column 'start_date'.*first day"),
        (",2018-01-02,", "row 3, column 'ticker'.*needs its asset"),
    ],
)
def test_a_wrong_spell_is_named(file, row, message):
    file.write_text(file.read_text() + row + "\n")

    with pytest.raises(DataError, match=message):
        read_membership(file, COLUMNS, until=UNTIL)


def test_first_and_last_day_belong_to_a_spell_and_spells_may_overlap():
    given = spells(
        ("A", "2019-01-03", "2019-01-04"),
        ("A", "2019-01-04", "2019-01-07"),
        ("A", "2019-01-09", None),
        ("without a price", "2019-01-01", None),
    )
    dates = days(*[f"2019-01-{day:02d}" for day in range(2, 11)])

    inside = members_on(given, np.array(["A", "B"]), dates)

    assert inside[:, 0].tolist() == [False, True, True, True, True, True, False, True, True]
    assert not inside[:, 1].any()


def test_members_as_a_plain_loop_finds_them():
    random = np.random.default_rng(7)
    dates = np.arange("2019-01-01", "2019-03-01", dtype="datetime64[D]").astype("datetime64[us]")
    names = np.array([f"S{i}" for i in range(6)])
    rows = []
    for _ in range(15):
        first, last = np.sort(random.integers(0, len(dates), 2))
        end = None if random.random() < 0.2 else str(dates[last])[:10]
        rows.append((str(random.choice([*names, "Z9"])), str(dates[first])[:10], end))
    given = spells(*rows)

    slow = np.zeros((len(dates), len(names)), dtype=bool)
    for asset, start, end in given.itertuples(index=False):
        for column, name in enumerate(names):
            for row, day in enumerate(dates):
                late = not pd.isna(end) and day > np.datetime64(end)
                slow[row, column] |= (
                    bool(name == asset and day >= np.datetime64(start)) and not late
                )

    assert np.array_equal(members_on(given, names, dates), slow)


def test_members_without_prices_are_counted(file):
    dates = days("2019-01-02", "2019-12-31")
    assets = pd.DataFrame({"asset": ["A"], "first_date": dates[:1], "last_date": dates[1:]})
    given = read_membership(file, COLUMNS, until=UNTIL)

    facts = membership_facts(file, given, assets, dates)

    assert facts["membership"]["priced_first"] == 0.5  # of A and B just A
    assert facts["membership"]["priced_last"] == 0.0  # B alone, which has no price
    (note,) = (note for note, applies in membership_notes(facts).items() if applies)
    assert note.startswith("75.0% of the members of members.csv have no prices")
    assert "not point-in-time" in note


def test_days_before_the_first_member_are_not_counted(file):
    dates = days("2017-01-02", "2018-01-02", "2019-12-31")
    assets = pd.DataFrame({"asset": ["A", "B"], "first_date": dates[:1].repeat(2)})
    assets["last_date"] = dates[-1]
    given = read_membership(file, COLUMNS, until=UNTIL)

    found = membership_facts(file, given, assets, dates)["membership"]

    assert (found["priced"], found["priced_first"], found["priced_last"]) == (1.0, 1.0, 1.0)


def test_spells_that_begin_later_than_the_prices_have_no_member_with_one(file):
    dates = days("2016-01-04", "2017-01-02")
    assets = pd.DataFrame({"asset": ["A"], "first_date": dates[:1], "last_date": dates[1:]})
    given = read_membership(file, COLUMNS, until=UNTIL)

    assert membership_facts(file, given, assets, dates)["membership"]["priced"] == 0.0
