"""The stage as a whole: many assets, faults, nights, a kill, and what ingest makes of it."""

import dataclasses
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML
from tests.sources.local_servers import (
    Company,
    Vendor,
    random_company,
    serving,
    sessions,
    zipped,
)

from latentbeta.data.fetched import fetched_notes
from latentbeta.data.store import ingest
from latentbeta.errors import SettingsError, SourceError
from latentbeta.sources import ken_french, yahoo
from latentbeta.sources.downloads import Downloads
from latentbeta.sources.fetch import Places, fetch

ROOT = Path(__file__).parents[2]
FAULTS = ["slow", (429, "0"), 500, 503, "truncated", "malformed", "nonsense", "reset"]
DAILY = "F-F_Research_Data_Factors_daily"
PATH = f"/pages/faculty/ken.french/ftp/{DAILY}_CSV.zip"
FACTORS = """Made for a test

,Mkt-RF,SMB,RF
20240102,   1.00,  -0.50,   0.021
20240103,  -2.00, -99.99,   0.021
20240104,   0.25,   0.10,   0.021
"""


@pytest.fixture
def address(monkeypatch):
    """Start a vendor, and point both clients at it."""
    running = []

    def start(vendor):
        running.append(serving(vendor))
        at = running[-1].__enter__()
        monkeypatch.setenv(yahoo.ADDRESS_VARIABLE, at)
        monkeypatch.setenv(ken_french.ADDRESS_VARIABLE, at)
        return vendor

    yield start
    for server in running:
        server.__exit__(None, None, None)


def market(n, n_days=30):
    days = sessions(n_days)
    return {f"A{i:04d}": random_company(i, days) for i in range(n)}


def misbehave(vendor, *, share, lasting):
    """Give a share of the assets a passing fault, and `lasting` further ones one that stays."""
    draws = np.random.default_rng(7)
    names = draws.permutation(sorted(vendor.companies))
    n = round(share * len(names))
    for k, name in enumerate(names[: n - lasting]):
        vendor.faults[str(name)] = [FAULTS[k % len(FAULTS)]]
    for k, name in enumerate(names[n - lasting : n]):
        vendor.lasting[str(name)] = [500, "malformed", "truncated"][k % 3]


def check_many(vendor, settings, places, now, n_absent):
    """Fetch all that the vendor has and some that it has not; check every count."""
    gone = [f"GONE{i}" for i in range(n_absent)]
    asked = settings(assets=(*vendor.companies, *gone))
    summary = fetch(asked, places, now)
    manifest = pd.read_parquet(places.out / "manifest.parquet").set_index("asset")
    assert set(manifest.index) == {*vendor.companies, *gone}
    assert set(summary["failed"]) == set(vendor.lasting)
    assert set(summary["absent"]) == set(gone)
    unanswered = f"{n_absent} absent, {len(vendor.lasting)} failed"
    note = f"of {len(manifest)} assets asked for, {unanswered}: see manifest.json"
    assert fetched_notes(places.out) == {note: True}
    prices = pd.read_parquet(places.out / "prices.parquet")
    came = set(vendor.companies) - set(vendor.lasting)
    assert set(prices["asset"]) == came
    attempts = asked.fetch.requests.attempts
    reset = [name for name, faults in vendor.plan.items() if faults == ["reset"]]
    for asset in manifest.index:
        n = vendor.requests[asset]
        if asset in vendor.lasting:
            assert n == attempts
        elif asset in vendor.plan:
            assert n == 2 or (asset in reset and n == 3)  # libcurl opens a reset connection anew
        else:
            assert n == 1
        assert manifest.loc[asset, "attempts"] in (n, n - (asset in reset))
    for asset, close in prices.groupby("asset")["close"]:
        np.testing.assert_array_equal(close, vendor.companies[asset].close)
    return asked


def planned(companies, **faults):
    vendor = Vendor(companies, until="2024-03-01")
    misbehave(vendor, **faults)
    vendor.plan = {name: list(found) for name, found in vendor.faults.items()}
    return vendor


def test_two_hundred_assets_with_five_in_a_hundred_faults(address, settings, places, now):
    vendor = address(planned(market(200), share=0.05, lasting=2))
    asked = check_many(vendor, settings, places, now, n_absent=3)
    before = Counter(vendor.requests)
    vendor.lasting.clear()
    first = (places.out / "prices.parquet").read_bytes()
    assert fetch(asked, places, now)["failed"] == {}
    again = {name: n for name, n in (vendor.requests - before).items() if name[0] != "/"}
    assert sum(again.values()) == 2  # the two that failed; none that came, none that is absent
    second = {file.name: file.read_bytes() for file in places.out.iterdir()}
    assert second["prices.parquet"] != first
    before = Counter(vendor.requests)
    fetch(asked, places, now)
    assert not [name for name in vendor.requests - before if name[0] != "/"]
    assert {file.name: file.read_bytes() for file in places.out.iterdir()} == second


@pytest.mark.slow
def test_five_thousand_assets_with_five_in_a_hundred_faults(address, settings, places, now):
    vendor = address(planned(market(5_000), share=0.05, lasting=20))
    check_many(vendor, settings, places, now, n_absent=25)


def test_a_source_that_is_down_is_left_alone(address, settings, places, now):
    vendor = address(Vendor(market(60)))
    vendor.lasting = dict.fromkeys(vendor.companies, 503)
    asked = settings(
        assets=tuple(vendor.companies), requests={"attempts": 2, "stop_after": 5, "threads": 2}
    )
    with pytest.raises(SourceError, match=r"60 of 60 assets failed.*A0000: the server answers 503"):
        fetch(asked, places, now)
    assert sum(vendor.requests[name] for name in vendor.companies) <= 2 * 7
    assert not places.out.exists()


def test_too_many_failures_keep_what_came_and_leave_the_stage_as_it_was(
    address, settings, places, now
):
    vendor = address(Vendor(market(10)))
    vendor.lasting = {"A0003": 500}
    asked = settings(assets=tuple(vendor.companies), largest_failed_share=0.05)
    with pytest.raises(SourceError, match=r"1 of 10 assets failed, more than .*\(0\.05\).*A0003"):
        fetch(asked, places, now)
    assert not places.out.exists()
    vendor.lasting = {}
    fetch(asked, places, now)
    assert fetched_notes(places.out) == {"of 10 assets asked for, : see manifest.json": False}
    assert all(vendor.requests[name] == 1 for name in vendor.companies if name != "A0003")


@pytest.mark.parametrize("text", ["{", "[1, 2]", '{"assets": 3}'])
def test_a_users_own_manifest_is_none_of_a_fetch(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    assert fetched_notes(tmp_path) == {}


def test_what_a_killed_fetch_left_of_its_folder_is_taken_away(address, settings, places, now):
    vendor = address(Vendor(market(2)))
    asked = settings(assets=tuple(vendor.companies))
    leftover = places.out.parent / ".fetched.killed"
    leftover.mkdir()
    (leftover / "prices.parquet").write_text("half")
    fetch(asked, places, now)
    assert not list(places.out.parent.glob(".fetched.*"))
    assert places.out.is_dir()


def test_only_one_process_fetches(address, settings, places, now):
    vendor = address(Vendor(market(2)))
    holder = "import filelock, sys\nwith filelock.FileLock(sys.argv[1]): print(1); input()"
    held = [sys.executable, "-u", "-c", holder, str(places.out.parent / ".downloads.lock")]
    with subprocess.Popen(held, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(SourceError, match="another process is fetching"):
            fetch(settings(assets=tuple(vendor.companies)), places, now)
        process.communicate(b"\n")
    assert not vendor.requests


def test_the_next_night_asks_for_the_days_since(address, settings, places):
    vendor = address(Vendor(market(3)))
    asked = settings(assets=tuple(vendor.companies))
    nights = [dt.datetime(2024, 2, day, 23, tzinfo=dt.UTC) for day in (6, 7)]
    vendor.until = pd.Timestamp("2024-02-06")
    fetch(asked, places, nights[0])
    first = pd.read_parquet(places.out / "prices.parquet")
    vendor.until = pd.Timestamp("2024-02-07")
    summary = fetch(asked, places, nights[1])
    assert summary["until"] == "2024-02-07"
    second = pd.read_parquet(places.out / "prices.parquet")
    assert len(second) == len(first) + 3
    pd.testing.assert_frame_equal(
        second[second["date"] <= first["date"].max()].reset_index(drop=True), first
    )
    for starts in vendor.starts.values():
        night_one, night_two = pd.to_datetime(starts, unit="s")
        assert night_one == pd.Timestamp("2024-01-01")
        assert night_two == pd.Timestamp("2024-01-26")  # 6 February less ten days, less one


def test_an_open_session_is_not_fetched(address, settings, places):
    vendor = address(Vendor(market(1)))
    at_noon = dt.datetime(2024, 2, 7, 17, 0, tzinfo=dt.UTC)
    assert fetch(settings(assets=("A0000",)), places, at_noon)["until"] == "2024-02-06"
    assert vendor.companies["A0000"].days[-1] > pd.Timestamp("2024-02-07")
    assert pd.read_parquet(places.out / "prices.parquet")["date"].max() == pd.Timestamp(
        "2024-02-06"
    )


def killed_and_finished(vendor, asked, tmp_path, now, kills):
    """Kill a fetch once so many assets are there, again and again; then let it finish."""
    with (tmp_path / "params.yaml").open("w") as file:
        YAML().dump(json.loads(asked.model_dump_json()), file)
    places = Places(tmp_path / "fetched", tmp_path / "downloads", tmp_path / "cache")
    store = Downloads(places.downloads / "yahoo")
    command = [sys.executable, "-m", "tests.sources.fetch_once", str(tmp_path), now.isoformat()]
    for killed_at in kills:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while len(list(store.folder.glob("[!.]*"))) < killed_at and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        finished = [name for name in vendor.companies if store.path(name).exists()]
        assert killed_at <= len(finished) < len(vendor.companies)
        assert all(store.load(name).record.status == "fetched" for name in finished)
        before = Counter(vendor.requests)
    fetch(asked, places, now)
    assert not set(finished) & set(vendor.requests - before)
    prices = pd.read_parquet(places.out / "prices.parquet")
    assert set(prices["asset"]) == set(vendor.companies)
    # Only what a killed process was at is asked for again.
    twice = [name for name in vendor.companies if vendor.requests[name] > 1]
    assert len(twice) <= len(kills) * asked.fetch.requests.threads


def test_a_killed_fetch_goes_on_where_it_was(address, settings, tmp_path, now):
    vendor = address(Vendor(market(80)))
    asked = settings(assets=tuple(vendor.companies), requests={"per_second": 80.0})
    killed_and_finished(vendor, asked, tmp_path, now, kills=(20,))


@pytest.mark.slow
def test_a_fetch_that_is_killed_often_finishes(address, settings, tmp_path, now):
    vendor = address(Vendor(market(300)))
    asked = settings(assets=tuple(vendor.companies), requests={"per_second": 60.0})
    killed_and_finished(vendor, asked, tmp_path, now, kills=(1, 20, 77, 150, 151, 240))


def test_ingest_reads_what_was_fetched(address, settings, places, now, tmp_path):
    days = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"])
    company = Company(
        days,
        close=[100.0, 102.0, 51.51, 51.0],
        volume=[10, 20, 40, 60],
        dividends={"2024-01-03": 1.0},
        splits={"2024-01-04": (2, 1)},
    )
    vendor = address(Vendor({"AAA": company}, files={PATH: zipped(F__csv=FACTORS)}))
    listed = tmp_path / "assets.csv"
    listed.write_text("ticker,sector,name\nAAA,Energy,A company\n")
    asked = settings(assets=listed, factors=(DAILY,))
    summary = fetch(asked, places, now)
    assert summary["factors"][0]["last_date"] == "2024-01-04"
    read = asked.data.model_copy(update={"path": places.out, "factors": "factors*"})
    ingest(read, tmp_path / "prices", now.date())
    prices = pd.read_parquet(tmp_path / "prices/prices.parquet")
    assert prices["close"].tolist() == [100.0, 102.0, 51.51, 51.0]
    assert prices["split"].tolist() == [1, 1, 2, 1]
    np.testing.assert_allclose(
        prices["total_return"],
        [np.nan, (102 + 1) / 100 - 1, 51.51 * 2 / 102 - 1, 51 / 51.51 - 1],
        rtol=1e-9,
    )
    rates = pd.read_parquet(tmp_path / "prices/risk_free.parquet")
    np.testing.assert_allclose(rates["risk_free"], 0.00021)
    factors = pd.read_parquet(tmp_path / "prices/factors.parquet")
    np.testing.assert_allclose(factors["Mkt-RF"], [0.01, -0.02, 0.0025])
    np.testing.assert_allclose(factors["SMB"], [-0.005, np.nan, 0.001])
    assets = pd.read_parquet(tmp_path / "prices/assets.parquet")
    assert assets[["asset", "sector", "name"]].to_numpy().tolist() == [
        ["AAA", "Energy", "A company"]
    ]
    assert vendor.requests[PATH] == 1


def test_factors_that_do_not_come_tonight_are_those_of_last_night(
    address, settings, places, now, capsys
):
    vendor = address(Vendor(market(1), files={PATH: zipped(F__csv=FACTORS)}))
    asked = settings(assets=("A0000",), factors=(DAILY,))
    fetch(asked, places, now)
    before = (places.out / "factors.parquet").read_bytes()
    vendor.lasting[PATH] = 500
    (record,) = fetch(asked, places, now)["factors"]
    assert record["status"] == "failed"
    assert "the stored one is used" in capsys.readouterr().out
    assert (places.out / "factors.parquet").read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prices": None}, "fetch.prices: name what is to be fetched from"),
        ({"assets": ()}, "name the assets to fetch"),
        ({"assets": ("A0000", "A0000")}, "'A0000' is there twice"),
        ({"start": dt.date(2024, 3, 20)}, "lies after the last day to fetch, 2024-03-01"),
    ],
)
def test_settings_that_say_too_little(settings, places, now, changes, said):
    with pytest.raises(SettingsError, match=said):
        fetch(settings(**({"assets": ("A0000",)} | changes)), places, now)


def test_a_secret_in_the_address_of_a_mirror_shows_nowhere(
    address, settings, places, now, monkeypatch, capfd, tmp_path
):
    secret = "hunter2zwei"
    vendor = address(Vendor(market(3), files={PATH: zipped(F__csv=FACTORS)}))
    vendor.lasting = {"A0001": 500}
    for variable in (yahoo.ADDRESS_VARIABLE, ken_french.ADDRESS_VARIABLE):
        plain = os.environ[variable].removeprefix("http://")
        monkeypatch.setenv(variable, f"http://someone:{secret}@{plain}")
    asked = settings(assets=tuple(vendor.companies), factors=(DAILY,), largest_failed_share=0.5)
    summary = fetch(asked, places, now)
    assert summary["assets"] == {"fetched": 2, "absent": 0, "failed": 1}
    with pytest.raises(SourceError) as raised:
        fetch(settings(assets=tuple(vendor.companies), largest_failed_share=0.0), places, now)
    printed = capfd.readouterr()
    assert secret not in printed.out + printed.err + str(raised.value) + str(summary)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 5
    assert not [file for file in files if secret.encode() in file.read_bytes()]
    assert secret not in str(dataclasses.asdict(places))
