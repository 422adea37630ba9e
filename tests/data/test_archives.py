import datetime as dt
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from latentbeta.config import DataSettings
from latentbeta.data.files import find_files, read_prices
from latentbeta.errors import DataError

Lines = Callable[..., str]


def pack(path: Path, **contents: str | bytes) -> Path:
    """Write a zip; a name's double underscores are dots, its single ones stay."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name.replace("__", "."), content)
    return path


def read(settings: DataSettings, today: dt.date) -> pd.DataFrame:
    files = find_files(settings)
    return read_prices(files.prices, settings.columns, until=None, today=today)


@pytest.fixture
def plain(source: Path, settings: DataSettings, lines: Lines, today: dt.date) -> pd.DataFrame:
    """What the same rows give from a file that is not packed."""
    (source / "prices.csv").write_text(lines())
    table = read(settings, today)
    (source / "prices.csv").unlink()
    return table


def parquet_of(text: str) -> bytes:
    content = io.BytesIO()
    pd.read_csv(io.StringIO(text)).to_parquet(content)
    return content.getvalue()


@pytest.mark.parametrize("inside", ["csv", "csv__gz", "parquet"])
@pytest.mark.parametrize("named", ["prices.zip", "download.zip", "archive itself"])
def test_one_table_in_a_zip(
    source: Path,
    settings: DataSettings,
    lines: Lines,
    today: dt.date,
    plain: pd.DataFrame,
    inside: str,
    named: str,
) -> None:
    packed = {
        "csv": lines(),
        "csv__gz": gzip.compress(lines().encode()),
        "parquet": parquet_of(lines()),
    }[inside]
    path = pack(source / named.replace(" itself", ".zip"), **{f"all__{inside}": packed})
    if named == "archive itself":
        settings = settings.model_copy(update={"path": path})
    pd.testing.assert_frame_equal(read(settings, today), plain)


def test_a_zip_of_one_file_an_asset(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date, plain: pd.DataFrame
) -> None:
    header, *rows = lines().splitlines()

    def keep(text: str) -> str:
        cells = text.split(",")
        return ",".join([cells[0], *cells[2:]])

    one, two = ("\n".join(map(keep, [header, *rows[i : i + 3]])) for i in (0, 3))
    path = pack(
        source / "stocks.zip",
        **{
            "us/AAA.csv": one,
            "us/BBB.csv": two,
            "readme.txt": "not a table",
            "__MACOSX/us/_AAA.csv": "nor this",
            "us/_hidden.csv": "nor this",
        },
    )
    assert [file.name for file in find_files(settings).prices] == ["AAA.csv", "BBB.csv"]
    pd.testing.assert_frame_equal(read(settings, today), plain)
    alone = settings.model_copy(update={"path": path})
    pd.testing.assert_frame_equal(read(alone, today), plain)


def test_a_zip_stands_for_a_folder(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date, plain: pd.DataFrame
) -> None:
    path = pack(
        source / "all.zip",
        prices__csv=lines(),
        sectors__csv="asset,sector\nAAA,Energy\n",
        risk_free__csv="date,rf\n2024-01-02,0.0001\n",
    )
    found = find_files(settings.model_copy(update={"path": path}))
    assert [str(file.relative_to(path)) for file in found.prices] == ["prices.csv"]
    assert found.sectors == path / "sectors.csv"
    assert found.risk_free == path / "risk_free.csv"


def test_sectors_in_a_zip_of_their_own_are_no_prices(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date, plain: pd.DataFrame
) -> None:
    pack(source / "sectors.zip", s__csv="asset,sector\nAAA,Energy\n")
    pack(source / "quotes.zip", q__csv=lines())
    found = find_files(settings)
    assert found.sectors == source / "sectors.zip" / "s.csv"
    assert found.prices == (source / "quotes.zip" / "q.csv",)
    pack(source / "sectors.zip", a__csv="asset,sector\n", b__csv="asset,sector\n")
    with pytest.raises(DataError, match=r"data.sectors matches a.csv, b.csv; name one"):
        find_files(settings)


def test_a_fault_in_a_member_is_named(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    pack(source / "prices.zip", one__csv=lines(close_2=-1.5))
    with pytest.raises(DataError, match=r"prices\.zip/one\.csv: row 2, column 'close' holds"):
        read(settings, today)
    pack(source / "prices.zip", one__csv="")
    with pytest.raises(DataError, match=r"prices\.zip/one\.csv: the file is empty"):
        read(settings, today)


def test_a_zip_that_is_none_or_damaged_is_named(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    (source / "prices.zip").write_bytes(b"PK not a zip")
    with pytest.raises(DataError, match=r"prices\.zip: cannot be read \(BadZipFile"):
        read(settings, today)
    pack(source / "prices.zip", one__csv=lines() * 50)
    content = bytearray((source / "prices.zip").read_bytes())
    content[60:70] = b"0123456789"
    (source / "prices.zip").write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"prices\.zip/one\.csv: cannot be read"):
        read(settings, today)
    pack(source / "prices.zip", **{"/data/one__csv": lines()})
    with pytest.raises(DataError, match=r"prices\.zip: holds /data/one\.csv, a path from the root"):
        read(settings, today)
    pack(source / "prices.zip", readme__txt="no table")
    with pytest.raises(DataError, match="no CSV or Parquet file with prices"):
        read(settings, today)
