"""Writing what a run sets into params.yaml: key by key, checked first, comments kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from latentbeta.config import check_settings
from latentbeta.errors import DataError, SettingsError
from latentbeta.storage import write_text


def write_settings(path: Path, changes: Mapping[str, Any], *, source: str) -> str:
    """Merge changes into the settings file, atomically, and return the text it had before.

    Parameters
    ----------
    changes : mapping
        Nested as the file is; only the keys named change.
    source : str
        Where they come from, for the message.

    Raises
    ------
    SettingsError
        When the result would not be valid; the file is left as it is.
    """
    former = path.read_text(encoding="utf-8")
    merged = merged_text(former, changes)
    check_settings(YAML(typ="safe").load(merged), source=source)
    if merged != former:
        write_text(merged, path)
    return former


def merged_text(text: str, changes: Mapping[str, Any]) -> str:
    """Return a YAML text with the changes merged in, its comments and order kept."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = 4096  # a line that was not touched is not broken anew
    document = yaml.load(text)
    _merge(document, changes)
    _quote_dates(document)
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def read_overlay(path: Path) -> dict[str, Any]:
    """Read a YAML file of settings that override those in params.yaml.

    Raises
    ------
    SettingsError
        When it is missing, not YAML, or not a mapping.
    """
    try:
        document = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise SettingsError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(document, dict):
        raise SettingsError(f"{path}: holds no settings; write them as in params.yaml")
    return document


# What was said of the former data's own files, and would be wrong of others without a word.
_OF_FORMER_DATA: dict[str, Any] = {
    "as_of": None,
    "membership": None,
    "preset": None,
    "fundamentals": {"file": None},
}


def named_path(data: Path, project: Path) -> str:
    """Return a path that the user named, relative to the project where it lies inside.

    Raises
    ------
    DataError
        When nothing is there.
    """
    absolute = data.expanduser().resolve()
    if not absolute.exists():
        raise DataError(f"{data}: no such file or folder; name one with the data")
    inside = absolute.is_relative_to(project.resolve())
    return (absolute.relative_to(project.resolve()) if inside else absolute).as_posix()


def without_former_data(changes: Mapping[str, Any], former: Path) -> dict[str, Any]:
    """Add to changes that name other data what keeps the former ones' settings off them.

    They are read to their end, without the former ones' members, accounts and vendor, unless the
    changes themselves name some.

    Parameters
    ----------
    changes : mapping
        Nested as the settings.
    former : Path
        ``data.path`` as it is.
    """
    data = changes.get("data")
    path = data.get("path") if isinstance(data, Mapping) else None
    if path is None or Path(path) == former:
        return dict(changes)
    return merged({"data": _OF_FORMER_DATA}, changes)


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two mappings as one, key by key at every depth; where both have a value, `above`'s."""
    both = {
        key: merged(below[key], value)
        for key, value in above.items()
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
    }
    return {**below, **above, **both}


def _merge(document: Any, changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(document.get(key), Mapping):
            _merge(document[key], value)
        elif document.get(key, changes) != _written(value):  # else it keeps its spelling
            document[key] = _written(value)


def _quote_dates(document: Any) -> None:
    for key, value in document.items():
        if isinstance(value, Mapping):
            _quote_dates(value)
        elif isinstance(value, dt.date):
            document[key] = _written(value)


def _written(value: Any) -> Any:
    """Return a value as the file spells it: lists in one line, dates as text, as DVC needs them."""
    if isinstance(value, dt.date):
        return DoubleQuotedScalarString(value.isoformat())
    if isinstance(value, list):
        sequence = CommentedSeq(_written(item) for item in value)
        sequence.fa.set_flow_style()
        return sequence
    return value


class _Representer(RoundTripRepresenter):
    """Writes null as a word, as the file does, instead of as nothing."""


_Representer.add_representer(
    type(None), lambda self, _: self.represent_scalar("tag:yaml.org,2002:null", "null")
)
