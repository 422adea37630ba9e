"""Price files that cannot be used: a clear error, a status, and nothing lost."""

from pathlib import Path

import pytest
from tests.end_to_end.workspace import copied, digests, n_recorded_runs
from tests.faults.source import ingested, settings_of

from latentbeta.errors import DataError

HEADER = "date,asset,open,high,low,close,volume"
ROWS = [
    "2015-01-02,A,100,102,99,101,5000",
    "2015-01-02,B,50,51,49,50,8000",
    "2015-01-05,A,101,103,100,102,6000",
    "2015-01-05,B,50,52,50,51,7000",
]


def csv(folder: Path, rows: list[str], header: str = HEADER) -> Path:
    folder.mkdir()
    (folder / "prices.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder


def missing_column(folder: Path) -> Path:
    rows = [",".join([*row.split(",")[:5], row.split(",")[6]]) for row in ROWS]
    return csv(folder, rows, header="date,asset,open,high,low,volume")


def duplicate_date(folder: Path) -> Path:
    return csv(folder, [*ROWS, "2015-01-02,A,100,102,99,101,5000"])


def negative_price(folder: Path) -> Path:
    return csv(folder, [*ROWS[:2], "2015-01-05,A,101,103,100,-102.5,6000", ROWS[3]])


def text_in_a_number(folder: Path) -> Path:
    return csv(folder, [ROWS[0], "2015-01-02,B,50,51,49,50,many", *ROWS[2:]])


def unreadable_file(folder: Path) -> Path:
    folder.mkdir()
    (folder / "prices.parquet").write_bytes(b"PAR1 and then nothing that is Parquet")
    return folder


def empty_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


FAULTS = {  # and what the message must say: where, what, and what to do
    missing_column: ["prices.csv", "'close'", "found date, asset, open", "data.columns.close"],
    duplicate_date: ["prices.csv: row 5", "2015-01-02 for 'A'", "row 1 of", "delete one of them"],
    negative_price: ["prices.csv: row 3", "'close' holds -102.5", "correct the value"],
    text_in_a_number: ["prices.csv: row 2", "'volume' holds 'many'", "write it with digits"],
    unreadable_file: ["prices.parquet", "cannot be read", "must be a whole CSV or Parquet file"],
    empty_folder: ["no CSV or Parquet file with prices", "set data.path"],
}


WHOLE_RUNS = (missing_column, negative_price)  # a fault of the file, one of a row; the others: slow


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_ingest_names_it_and_writes_nothing(tmp_path, fault):
    with pytest.raises(DataError) as error:
        ingested(settings_of(fault(tmp_path / "bad")), tmp_path / "prices")
    for part in FAULTS[fault]:
        assert part in str(error.value)
    assert not (tmp_path / "prices").exists()


@pytest.fixture(scope="module")
def workspace(base_run, tmp_path_factory):
    return copied(base_run.workspace, tmp_path_factory.mktemp("bad_input") / "copy")


def state(workspace):
    """Every byte that results rest on or consist of."""
    files = digests(workspace.data)
    assert {"results/metrics.json", "prices/prices.parquet", "report/report.html"} <= set(files)
    settings = [(workspace.folder / n).read_bytes() for n in ("params.yaml", "dvc.lock")]
    return files, settings, n_recorded_runs(workspace)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(f, marks=() if f in WHOLE_RUNS else pytest.mark.slow, id=f.__name__)
        for f in FAULTS
    ],
)
def test_it_is_named_and_earlier_results_stand(workspace, tmp_path, fault):
    before = state(workspace)
    done = workspace.run("flows.run", "--data", fault(tmp_path / "bad"))
    assert done.status != 0
    for part in FAULTS[fault]:
        assert part in done.output, done.output
    assert "ingest stopped: " in done.output
    assert "earlier results stand" in done.output
    assert "Traceback" not in done.output
    assert state(workspace) == before


def test_a_path_that_is_not_there_starts_nothing(workspace, tmp_path):
    before = state(workspace)
    done = workspace.run("flows.run", "--data", tmp_path / "nowhere")
    assert done.status != 0
    assert "nowhere: no such file or folder; name one with the data" in done.output
    assert "Running stage" not in done.output
    assert "Traceback" not in done.output
    assert state(workspace) == before
